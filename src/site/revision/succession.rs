//! Two states of a whole site, file by file: which element is which, and how one's numbers become the other's.

use super::{By, Change, Motion, Moved, Revision, Side, compare};
use crate::problem::Problem;
use crate::site::model::PropertyValue;
use crate::site::{PointIndex, Site, Slot};
use std::collections::HashMap;

/// Whole files that moved alike to within this, metres (at the frame's origin) and radians, moved as one.
const AS_ONE: (f64, f64) = (0.005, 1e-4);

/// What became of a site.
#[derive(Clone, Debug, Default)]
pub struct Succession {
    /// By slot of the old site: the element that it is now, and by what that was found.
    pub next: Vec<Option<(Slot, By)>>,
    /// Elements of the old site only, and why nothing is them.
    pub removed: Vec<(Slot, String)>,
    /// Elements of the new site only.
    pub added: Vec<Slot>,
    /// Elements that stand elsewhere; their numbers are slots.
    pub moved: Vec<Moved>,
    /// What changed of elements; their numbers are slots.
    pub changed: Vec<Change>,
    /// By storey of the old site: its number in the new one.
    pub storeys: Vec<Option<u32>>,
    /// How everything moved in the project's frame; none where the files did not move as one, or nobody can tell.
    pub motion: Option<Motion>,
    /// What people should know of how whole files lie.
    pub notes: Vec<Problem>,
}

/// From the numbers of a site to those of its next state.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    /// By slot of the old site.
    pub slots: Vec<Option<Slot>>,
    /// By point of the old site.
    pub points: Vec<Option<PointIndex>>,
    /// By storey of the old site.
    pub storeys: Vec<Option<u32>>,
    /// How everything moved in the project's frame; none where it did not move as one.
    pub motion: Option<Motion>,
}

impl Carry {
    /// The element's slot now.
    pub fn slot(&self, old: Slot) -> Option<Slot> {
        self.slots.get(old.0 as usize).copied().flatten()
    }

    /// The point's number now.
    pub fn point(&self, old: PointIndex) -> Option<PointIndex> {
        self.points.get(old.0 as usize).copied().flatten()
    }

    /// The storey's number now.
    pub fn storey(&self, old: u32) -> Option<u32> {
        self.storeys.get(old as usize).copied().flatten()
    }
}

impl Succession {
    /// Its numbers, with those of the points.
    pub fn carry(&self, points: Vec<Option<PointIndex>>) -> Carry {
        Carry {
            slots: self.next.iter().map(|n| n.map(|(slot, _)| slot)).collect(),
            points,
            storeys: self.storeys.clone(),
            motion: self.motion,
        }
    }

    fn pair(&mut self, old: Slot, new: Slot, by: By) {
        if let Some(next) = self.next.get_mut(old.0 as usize) {
            *next = Some((new, by));
        }
    }
}

/// Compares two states of a site.
pub fn succession(old: &Site, new: &Site) -> Succession {
    let mut all = Succession { next: vec![None; old.elements.len()], ..Succession::default() };
    let mut why: HashMap<u32, String> = HashMap::new();
    let mut motions = Vec::new();
    for (was, is) in same_files(old, new) {
        let (before, after) = (Side::of_site(old, was), Side::of_site(new, is));
        let revision = compare(&before, &after);
        why.extend(revision.removed.iter().map(|r| (r.old, r.why.text(&after))));
        all.notes.extend(note(new, is, &revision));
        if revision.motion_known {
            motions.push(revision.motion);
        }
        for pair in &revision.pairs {
            all.pair(Slot(pair.old), Slot(pair.new), pair.by);
        }
        all.moved.extend(revision.moved);
        all.changed.extend(revision.changed);
    }
    let mut taken = vec![false; new.elements.len()];
    for (slot, _) in all.next.iter().flatten() {
        if let Some(taken) = taken.get_mut(slot.0 as usize) {
            *taken = true;
        }
    }
    follow_to_other_files(old, new, &mut all, &mut taken);
    let gone = |slot: Slot| {
        let why = why.get(&slot.0).cloned();
        (slot, why.unwrap_or_else(|| "removed: its file is not part of the project any more".to_owned()))
    };
    let left = all.next.iter().enumerate().filter(|(_, next)| next.is_none());
    all.removed = left.map(|(i, _)| gone(Slot(i as u32))).collect();
    all.added = taken.iter().enumerate().filter(|(_, t)| !**t).map(|(i, _)| Slot(i as u32)).collect();
    all.storeys = storeys(old, new, &all.next);
    all.motion = as_one(&motions);
    all
}

/// Which file of the new site is which of the old: by path, else by the `IfcProject` in it, else the one that is left
/// of its kind and discipline.
fn same_files(old: &Site, new: &Site) -> Vec<(u16, u16)> {
    let mut pairs: Vec<(u16, u16)> = Vec::new();
    let rounds: [fn(&crate::site::Source, &crate::site::Source) -> bool; 3] = [
        |a, b| a.file == b.file,
        |a, b| !a.project_id.is_empty() && a.project_id == b.project_id,
        |a, b| a.kind == b.kind && a.discipline == b.discipline,
    ];
    for same in rounds {
        let left =
            |n: usize, taken: &dyn Fn(u16) -> bool| -> Vec<u16> { (0..n as u16).filter(|i| !taken(*i)).collect() };
        let olds = left(old.sources.len(), &|i| pairs.iter().any(|(a, _)| *a == i));
        let news = left(new.sources.len(), &|i| pairs.iter().any(|(_, b)| *b == i));
        let fits = |a: u16, b: u16| match (old.sources.get(usize::from(a)), new.sources.get(usize::from(b))) {
            (Some(a), Some(b)) => same(a, b),
            _ => false,
        };
        for a in &olds {
            // Where two fit, none is taken: all the elements of one would become those of the other.
            let candidates: Vec<u16> = news.iter().copied().filter(|b| fits(*a, *b)).collect();
            if let [only] = candidates[..]
                && olds.iter().filter(|a| fits(**a, only)).count() == 1
            {
                pairs.push((*a, only));
            }
        }
    }
    pairs
}

/// An element that was taken out of one file and is in another by the same GlobalId is still that element.
fn follow_to_other_files(old: &Site, new: &Site, all: &mut Succession, taken: &mut [bool]) {
    for (slot, element) in old.iter() {
        let is_left = all.next.get(slot.0 as usize) == Some(&None);
        if !is_left || element.id.is_empty() || element.id.starts_with('#') || old.find(&element.id) != Some(slot) {
            continue;
        }
        let Some(to) = new.find(&element.id) else { continue };
        let same = new.element(to).is_some_and(|e| e.class == element.class);
        let Some(taken) = taken.get_mut(to.0 as usize).filter(|t| same && !**t) else { continue };
        *taken = true;
        all.pair(slot, to, By::GlobalId);
        all.changed.push(Change {
            old_element: slot.0,
            new_element: to.0,
            property: "file".into(),
            old: file_of(old, slot),
            new: file_of(new, to),
        });
    }
}

fn file_of(site: &Site, slot: Slot) -> Option<PropertyValue> {
    let source = site.sources.get(usize::from(*site.source_of.get(slot.0 as usize)?))?;
    Some(PropertyValue::Text(source.file.file_name()?.to_string_lossy().into_owned()))
}

/// By old storey: the one on which most of its elements are now, else the one with its name.
fn storeys(old: &Site, new: &Site, next: &[Option<(Slot, By)>]) -> Vec<Option<u32>> {
    let mut votes: Vec<HashMap<u32, usize>> = vec![HashMap::new(); old.storeys.len()];
    for (element, next) in old.elements.iter().zip(next) {
        let is = next.and_then(|(slot, _)| new.element(slot)?.storey);
        let votes = element.storey.and_then(|s| votes.get_mut(s as usize));
        if let (Some(votes), Some(is)) = (votes, is) {
            *votes.entry(is).or_default() += 1;
        }
    }
    let named = |name: &str| {
        let mut same = new.storeys.iter().enumerate().filter(|(_, s)| s.name == name);
        let first = same.next().map(|(i, _)| i as u32);
        first.filter(|_| same.next().is_none())
    };
    old.storeys
        .iter()
        .zip(votes)
        .map(|(storey, votes)| {
            // The lowest of those with as many, so that it is the same every time.
            votes
                .into_iter()
                .max_by_key(|(s, n)| (*n, std::cmp::Reverse(*s)))
                .map(|(s, _)| s)
                .or_else(|| named(&storey.name))
        })
        .collect()
}

fn as_one(motions: &[Motion]) -> Option<Motion> {
    let first = motions.first().copied()?;
    let (metres, radians) = AS_ONE;
    let same =
        |m: &Motion| (m.offset_m - first.offset_m).length() <= metres && (m.turn_rad - first.turn_rad).abs() <= radians;
    motions.iter().all(same).then_some(first)
}

/// What people should know of how a whole file lies now.
fn note(new: &Site, source: u16, revision: &Revision) -> Option<Problem> {
    let source = new.sources.get(usize::from(source))?;
    let place = source.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !revision.motion_known {
        // Too few to tell anything by are no news.
        let few = revision.pairs.len() + revision.removed.len() < 3 || revision.removed.is_empty();
        let message = "its two revisions have too little in common to compare places";
        let remedy = "look through what is listed as added and removed";
        return (!few).then(|| Problem::warning(place, message, remedy));
    }
    if revision.motion.is_still() {
        return None;
    }
    let [x, y, z] = revision.motion.offset_m.to_array().map(|v| (v * 1e3).round() / 1e3 + 0.0);
    let turn = (revision.motion.turn_rad.to_degrees() * 1e4).round() / 1e4 + 0.0;
    let message =
        format!("the whole model was turned by {turn}° about the project's origin and moved by {x}, {y}, {z} m");
    Some(match source.georeference {
        Some(_) => Problem::info(place, message, "its map conversion says so; look there if it should not have moved"),
        None => Problem::warning(
            place,
            message,
            "if the building has not moved, say under [[models]] in twin.toml where it stands (offset_m, rotation_deg)",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Element, Source};

    fn site(files: &[(&str, &str, &[&str])]) -> Site {
        let mut elements = Vec::new();
        let mut source_of = Vec::new();
        for (i, (_, _, ids)) in files.iter().enumerate() {
            for id in *ids {
                elements.push(Element { id: (*id).into(), class: "IfcPump".into(), ..Element::default() });
                source_of.push(i as u16);
            }
        }
        let sources = files.iter().map(|(file, discipline, _)| Source {
            file: (*file).into(),
            kind: "ifc".into(),
            discipline: (*discipline).into(),
            ..Source::default()
        });
        let sources = sources.collect();
        Site { sources, source_of, ..Site::of_elements("", elements).0 }
    }

    fn next(succession: &Succession) -> Vec<Option<u32>> {
        succession.next.iter().map(|n| n.map(|(slot, _)| slot.0)).collect()
    }

    #[test]
    fn files_are_told_apart_by_path_then_by_what_they_are() {
        let old = site(&[("a.ifc", "mep", &["1", "2"]), ("b.ifc", "architecture", &["3"])]);
        let new = site(&[("b.ifc", "architecture", &["3", "4"]), ("a-2025.ifc", "mep", &["2"])]);
        let s = succession(&old, &new);
        assert_eq!(next(&s), [None, Some(2), Some(0)]);
        assert_eq!((s.removed.len(), s.removed[0].0, &s.added[..]), (1, Slot(0), &[Slot(1)][..]));
        assert!(s.removed[0].1.starts_with("removed: nothing with its GlobalId"), "{:?}", s.removed);
    }

    #[test]
    fn an_element_that_went_to_another_file_is_still_itself() {
        let old = site(&[("a.ifc", "mep", &["1", "2"]), ("b.ifc", "structure", &["3"])]);
        let new = site(&[("a.ifc", "mep", &["1"]), ("b.ifc", "structure", &["3", "2"])]);
        let s = succession(&old, &new);
        assert_eq!((next(&s), s.removed.len(), s.added.len()), (vec![Some(0), Some(2), Some(1)], 0, 0));
        assert_eq!((s.changed.len(), s.changed[0].property.as_str()), (1, "file"));
        let gone = site(&[("b.ifc", "structure", &["3"])]);
        let s = succession(&old, &gone);
        assert_eq!(next(&s), [None, None, Some(0)]);
        assert!(s.removed[0].1.contains("not part of the project"), "{:?}", s.removed);
    }

    #[test]
    fn storeys_go_where_their_elements_go() {
        let storeys = |names: &[&str]| -> Vec<crate::site::model::Storey> {
            names.iter().map(|n| crate::site::model::Storey { name: (*n).into(), ..Default::default() }).collect()
        };
        let on = |mut site: Site, of: &[u32]| {
            for (element, storey) in site.elements.iter_mut().zip(of) {
                element.storey = Some(*storey);
            }
            site
        };
        let files: &[(&str, &str, &[&str])] = &[("a.ifc", "", &["1", "2", "3"])];
        let old = Site { storeys: storeys(&["0", "1", "empty"]), ..on(site(files), &[0, 1, 1]) };
        let new = Site { storeys: storeys(&["empty", "basement", "0", "first floor"]), ..on(site(files), &[2, 3, 3]) };
        assert_eq!(succession(&old, &new).storeys, [Some(2), Some(3), Some(0)]);
    }
}
