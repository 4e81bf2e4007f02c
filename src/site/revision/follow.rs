//! A project's bindings, taken from one revision of a model to the next.
//!
//! A binding is a point of an element. It follows when its element is found again and the project, with the
//! amendments made here, binds the same point to the same topic of it. The amendments say by what an element is
//! known to its devices where the new revision calls it otherwise ([`Rebind`]), and keep the rules off an element
//! that has taken over the tag of one that is gone.

#[cfg(test)]
mod tests;

use super::{By, Revision, Side, Succession};
use crate::problem::Problem;
use crate::site::binding::bind;
use crate::site::model::Element;
use crate::site::project::{Amendments, Binding, Project, Rebind, Template};
use crate::site::{Model, Point, PointIndex, Site, Slot};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// A binding that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Followed {
    /// The point's id.
    pub point: String,
    /// GlobalId of its element in the old revision.
    pub from: String,
    /// GlobalId of its element in the new one.
    pub to: String,
    /// By what the element was found.
    pub by: By,
}

/// A binding that does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The point's id.
    pub point: String,
    /// GlobalId of its element in the old revision.
    pub from: String,
    /// Why, and what to do.
    pub why: String,
}

/// A binding that only the new revision has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gained {
    /// The point's id.
    pub point: String,
    /// GlobalId of its element.
    pub to: String,
}

/// What becomes of a project's bindings.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// Those that go on.
    pub followed: Vec<Followed>,
    /// Those that do not.
    pub lost: Vec<Lost>,
    /// Those that the project's rules make for elements of the new revision only.
    pub gained: Vec<Gained>,
    /// What has to be changed in the project so that it is so.
    pub amendments: Amendments,
}

/// Follows the bindings of the elements of `old` to `new`; `revision` is what [`super::compare`] says of them.
pub fn follow(project: &Project, old: &Model, new: &Model, revision: &Revision) -> Bindings {
    let mut next = vec![None; old.elements.len()];
    for pair in &revision.pairs {
        if let Some(next) = next.get_mut(pair.old as usize) {
            *next = Some((Slot(pair.new), pair.by));
        }
    }
    let said = Side::of_model(new);
    let why = revision.removed.iter().map(|r| (Slot(r.old), r.why.text(&said))).collect();
    let old = Site::of_elements("old", old.elements.clone()).0;
    let new = Site::of_elements("new", new.elements.clone()).0;
    let before = bind(project, &old).0;
    let stages = Stages { used: project, read: project, now: project };
    Follower { stages, edited: false, old: &old, new: &new, next: &next, why }.run(&before).bindings
}

/// A project before and after its file was read again.
#[derive(Clone, Copy)]
pub struct Stages<'a> {
    /// As it was in use: with what was amended since it was read.
    pub used: &'a Project,
    /// The same as its file said it.
    pub read: &'a Project,
    /// As its file says it now.
    pub now: &'a Project,
}

/// A site's bindings, and the points that they come to.
#[derive(Clone, Debug, Default)]
pub struct Following {
    /// What became of each binding.
    pub bindings: Bindings,
    /// The points of the new site, as the amended project binds them.
    pub points: Vec<Point>,
    /// By point of the old site: its number in the new one.
    pub carried: Vec<Option<PointIndex>>,
    /// What the amended project says that cannot be bound.
    pub problems: Vec<Problem>,
}

/// Follows the points of a site to its next state. What its project's file says anew counts; where it is as it was, a
/// point follows its element.
pub fn follow_site(stages: Stages<'_>, old: &Site, new: &Site, succession: &Succession) -> Following {
    let edited = without_lines(stages.read) != without_lines(stages.now);
    let why = succession.removed.iter().cloned().collect();
    Follower { stages, edited, old, new, next: &succession.next, why }.run(&old.points)
}

/// Templates, bindings and other names, wherever in the file they stand.
fn without_lines(project: &Project) -> (Vec<Template>, Vec<Binding>, Vec<Rebind>) {
    let (mut templates, mut bindings) = (project.templates.clone(), project.bindings.clone());
    let rebinds = project.rebinds.iter().map(|r| Rebind { line: 0, ..r.clone() }).collect();
    for template in &mut templates {
        template.line = 0;
        template.points.iter_mut().for_each(|p| p.line = 0);
    }
    for binding in &mut bindings {
        match binding {
            Binding::Rule { line, .. } => *line = 0,
            Binding::Point { line, point, .. } => (*line, point.line) = (0, 0),
        }
    }
    (templates, bindings, rebinds)
}

struct Follower<'a> {
    stages: Stages<'a>,
    /// The project's file binds otherwise than it did.
    edited: bool,
    old: &'a Site,
    new: &'a Site,
    next: &'a [Option<(Slot, By)>],
    why: HashMap<Slot, String>,
}

/// Points by element and role.
type ByRole<'a> = HashMap<(Slot, &'a str), usize>;

fn by_role(points: &[Point]) -> ByRole<'_> {
    points.iter().enumerate().map(|(i, p)| ((p.asset, p.role.as_str()), i)).collect()
}

/// By what an element is known to the project's rules and in its points' names.
#[derive(Clone, PartialEq)]
struct Known {
    tag: String,
    id: String,
    name: String,
    rules: bool,
}

impl Follower<'_> {
    fn run(&self, before: &[Point]) -> Following {
        let mut amendments = self.amendments(before);
        let (mut after, mut problems) = self.bound(&amendments);
        // Who would now listen to what belonged to another: that other's place in the plant is not theirs.
        let intruders = self.intruders(before, &after);
        if !intruders.is_empty() {
            for slot in intruders {
                self.keep_rules_off(slot, &mut amendments.rebinds);
            }
            (after, problems) = self.bound(&amendments);
        }
        let now = by_role(&after);
        let mut bindings = Bindings { amendments, ..Bindings::default() };
        let mut carried = vec![None; before.len()];
        let mut taken = vec![false; after.len()];
        for (point, carried) in before.iter().zip(&mut carried) {
            let from = self.old.element(point.asset).map(|e| e.id.clone()).unwrap_or_default();
            match self.successor(point, &after, &now) {
                Ok((index, to, by)) => {
                    *carried = Some(PointIndex(index as u32));
                    if let Some(taken) = taken.get_mut(index) {
                        *taken = true;
                    }
                    let to = self.new.element(to).map(|e| e.id.clone()).unwrap_or_default();
                    bindings.followed.push(Followed { point: point.id.clone(), from, to, by });
                }
                Err(why) => bindings.lost.push(Lost { point: point.id.clone(), from, why }),
            }
        }
        let gained = after.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(p, _)| p);
        bindings.gained = gained
            .filter_map(|p| Some(Gained { point: p.id.clone(), to: self.new.element(p.asset)?.id.clone() }))
            .collect();
        drop(now);
        Following { bindings, points: after, carried, problems }
    }

    /// The points that the amended project gives the new revision.
    fn bound(&self, amendments: &Amendments) -> (Vec<Point>, Vec<Problem>) {
        bind(&amendments.of(self.stages.now), self.new)
    }

    fn pair(&self, slot: Slot) -> Option<(Slot, By)> {
        self.next.get(slot.0 as usize).copied().flatten()
    }

    /// The point that this one is now, its element and by what that was found; or why there is none.
    fn successor(&self, point: &Point, after: &[Point], now: &ByRole) -> Result<(usize, Slot, By), String> {
        let Some((slot, by)) = self.pair(point.asset) else {
            let why = self.why.get(&point.asset).cloned();
            return Err(why.unwrap_or_else(|| "its element is not there any more".to_owned()));
        };
        let same = now.get(&(slot, point.role.as_str())).and_then(|i| Some((*i, after.get(*i)?)));
        if let Some((i, is)) = same
            && (self.edited || (is.source == point.source && is.id == point.id))
        {
            return Ok((i, slot, by));
        }
        let called = self.new.element(slot).map(|e| {
            let kind = if e.predefined_type.is_empty() { String::new() } else { format!(".{}", e.predefined_type) };
            format!("{} {} ({}{kind})", e.label(), e.id, e.class)
        });
        let called = called.unwrap_or_default();
        Err(match same {
            Some((_, other)) if other.id != point.id => format!(
                "its element is now {called}, whose point would be called `{}`: give it a tag of its own in the model",
                other.id
            ),
            Some(_) => {
                format!("its element is now {called}, which the project binds to another topic: bind it by hand")
            }
            None => format!(
                "its element is now {called}, to which no binding of the project gives this point: amend the \
                 template's `match`, or bind it by hand"
            ),
        })
    }

    /// What the project says of an element of the old revision, else what the element says itself.
    fn known(&self, element: &Element, rebind: Option<&Rebind>) -> Known {
        let or = |own: &String, other: Option<&String>| other.unwrap_or(own).clone();
        Known {
            tag: or(&element.tag, rebind.and_then(|r| r.tag.as_ref())),
            id: or(&element.id, rebind.and_then(|r| r.id.as_ref())),
            name: or(&element.name, rebind.and_then(|r| r.name.as_ref())),
            rules: rebind.is_none_or(|r| r.rules),
        }
    }

    fn amendments(&self, before: &[Point]) -> Amendments {
        let Stages { used, now, .. } = self.stages;
        let mut old_rebinds: HashMap<Slot, &Rebind> = HashMap::new();
        for rebind in &used.rebinds {
            if let Some(slot) = named(self.old, &rebind.asset) {
                old_rebinds.entry(slot).or_insert(rebind);
            }
        }
        // What the file said before of an element is taken along with the element; the rest stands as it is: it is
        // new, or speaks of an element of another model.
        let mut rebinds: Vec<Rebind> = now.rebinds.iter().filter(|r| !self.is_taken_along(r)).cloned().collect();
        let said: HashSet<Slot> = rebinds.iter().filter_map(|r| named(self.new, &r.asset)).collect();
        let mut slots: Vec<Slot> = before.iter().map(|p| p.asset).chain(old_rebinds.keys().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let (Some(was), Some((to, _))) = (self.old.element(slot), self.pair(slot)) else { continue };
            let Some(is) = self.new.element(to).filter(|_| !said.contains(&to)) else { continue };
            let known = self.known(was, old_rebinds.get(&slot).copied());
            rebinds.extend(self.rebind(&known, to, is));
        }
        Amendments { rebinds, assets: self.assets() }
    }

    /// True for an entry that stood in the file before, and spoke of an element of the old revision: by the name that
    /// stands in it, or by another since it was amended.
    fn is_taken_along(&self, rebind: &Rebind) -> bool {
        let Stages { used, read, .. } = self.stages;
        read.rebinds.iter().any(|was| Rebind { line: rebind.line, ..was.clone() } == *rebind)
            && (named(self.old, &rebind.asset).is_some() || !used.rebinds.iter().any(|u| u.asset == rebind.asset))
    }

    /// What has to be said so that an element stays known as it was; none where it says so itself.
    fn rebind(&self, known: &Known, slot: Slot, is: &Element) -> Option<Rebind> {
        let uses = |word: &str| {
            self.stages.now.bindings.iter().any(|b| match b {
                Binding::Rule { topic, key, .. } => {
                    topic.contains(word) || key.as_ref().is_some_and(|k| k.contains(word))
                }
                Binding::Point { .. } => false,
            })
        };
        // A point is called by its element's tag, else by its name, else by its id.
        let (by_name, by_id) = (known.tag.is_empty(), known.tag.is_empty() && known.name.is_empty());
        let if_other = |was: &String, is: &String| (was != is).then(|| was.clone());
        let rebind = Rebind {
            asset: reference(self.new, slot)?,
            tag: if_other(&known.tag, &is.tag),
            id: if_other(&known.id, &is.id).filter(|_| by_id || uses("{id}")),
            name: if_other(&known.name, &is.name).filter(|_| by_name || uses("{name}")),
            rules: known.rules,
            line: 0,
        };
        (rebind.tag.is_some() || rebind.id.is_some() || rebind.name.is_some() || !rebind.rules).then_some(rebind)
    }

    /// Bindings by hand name their element: by its new tag or GlobalId from now on. One whose element is gone
    /// names the old GlobalId, so that it does not land on another element with the tag.
    fn assets(&self) -> Vec<(Binding, String)> {
        let mut assets = Vec::new();
        for binding in &self.stages.now.bindings {
            let (Binding::Point { asset, .. }, Some(meant)) = (binding, self.meant(binding)) else { continue };
            let Some((slot, was)) = named(self.old, meant).and_then(|s| Some((s, self.old.element(s)?))) else {
                // It was kept from an element that has taken over the tag of one that is gone, and still is.
                assets.extend((meant != asset).then(|| (binding.clone(), meant.clone())));
                continue;
            };
            let now = match self.pair(slot) {
                Some((to, _)) if named(self.new, asset) == Some(to) => continue,
                Some((to, _)) => {
                    let is = self.new.element(to);
                    let tag = is.map(|e| e.tag.clone()).filter(|_| *meant == was.tag);
                    tag.filter(|t| !t.is_empty() && named(self.new, t) == Some(to)).or_else(|| reference(self.new, to))
                }
                None if named(self.new, asset).is_none() => continue,
                None => Some(was.id.clone()).filter(|id| named(self.new, id).is_none()),
            };
            assets.extend(now.map(|now| (binding.clone(), now)));
        }
        assets
    }

    /// How a binding by hand called its element while the old revision was in use; none for one that is new in the
    /// file, which means what it says.
    fn meant(&self, binding: &Binding) -> Option<&String> {
        let same = |b: &Binding| match (b, binding) {
            (
                Binding::Point { asset: a, point: p, topic: t, key: k, .. },
                Binding::Point { asset, point, topic, key, .. },
            ) => (a, &p.role, t, k) == (asset, &point.role, topic, key),
            _ => false,
        };
        // What was amended stands where it stood.
        let at = self.stages.read.bindings.iter().position(same)?;
        match self.stages.used.bindings.get(at)? {
            Binding::Point { asset, .. } => Some(asset),
            Binding::Rule { .. } => None,
        }
    }

    /// Elements of the new revision that would get what belonged to an element that they are not.
    fn intruders(&self, before: &[Point], after: &[Point]) -> Vec<Slot> {
        let owners: HashMap<_, Slot> =
            before.iter().filter(|p| p.is_measured()).map(|p| (source_key(p), p.asset)).collect();
        let foreign = after.iter().filter(|p| p.is_measured()).filter(|p| {
            let owner = owners.get(&source_key(p));
            owner.is_some_and(|o| self.pair(*o).is_none_or(|(to, _)| to != p.asset))
        });
        let mut slots: Vec<Slot> = foreign.map(|p| p.asset).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    fn keep_rules_off(&self, slot: Slot, rebinds: &mut Vec<Rebind>) {
        let Some(asset) = reference(self.new, slot) else { return };
        match rebinds.iter_mut().find(|r| named(self.new, &r.asset) == Some(slot)) {
            Some(known) => known.rules = false,
            None => rebinds.push(Rebind { asset, rules: false, ..Rebind::default() }),
        }
    }
}

fn source_key(point: &Point) -> (String, String) {
    match &point.source {
        crate::site::point::PointSource::Topic { topic, key, .. } => (topic.clone(), key.clone()),
        crate::site::point::PointSource::Rule { expression } => (String::new(), expression.clone()),
    }
}

/// The element that a GlobalId or a tag names, when it names one.
fn named(site: &Site, asset: &str) -> Option<Slot> {
    site.find(asset).or_else(|| match site.tagged(asset) {
        [only] => Some(*only),
        _ => None,
    })
}

/// What names an element: its GlobalId, else its tag.
fn reference(site: &Site, slot: Slot) -> Option<String> {
    let element = site.element(slot)?;
    let names = |word: &String| !word.is_empty() && named(site, word) == Some(slot);
    // The record number of an element without GlobalId is another one in the next export.
    [&element.id, &element.tag].into_iter().find(|w| names(w) && !w.starts_with('#')).cloned()
}

/// What is wrong with how a project looks at a model after its whole frame has moved; none where all is well.
pub fn frame_problem(project: &Project, old: &Model, new: &Model, revision: &Revision) -> Option<Problem> {
    if revision.motion.is_still() || new.georeference.is_some() || !revision.motion_known {
        return None;
    }
    let by_hand = project.models.iter().find(|m| m.file == old.file || m.file == new.file);
    let now = by_hand.map(|m| (m.offset_m.unwrap_or_default(), m.rotation_deg.unwrap_or_default()));
    let (offset, rotation) = now.unwrap_or_default();
    let placed = glam::DAffine3::from_translation(offset.into())
        * glam::DAffine3::from_rotation_z(rotation.to_radians())
        * revision.motion.to_affine().inverse();
    let turn = placed.matrix3.x_axis.y.atan2(placed.matrix3.x_axis.x).to_degrees();
    let [x, y, z] = placed.translation.to_array().map(|v| (v * 1e4).round() / 1e4 + 0.0);
    Some(Problem::warning(
        new.file.display().to_string(),
        "the whole model has moved in its own frame, and it has no map conversion that says where it stands",
        format!(
            "if the building itself has not moved, write in its [[models]] entry offset_m = [{x}, {y}, {z}], \
             rotation_deg = {:.5}",
            turn
        ),
    ))
}
