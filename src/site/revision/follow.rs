//! A project's bindings, taken from one revision of a model to the next.
//!
//! A binding is a point of an element. It follows when its element is found again and the project, with the
//! amendments made here, binds the same point to the same topic of it. The amendments say by what an element is
//! known to its devices where the new revision calls it otherwise ([`Rebind`]), and keep the rules off an element
//! that has taken over the tag of one that is gone.

#[cfg(test)]
mod tests;

use super::{By, Revision, Side, Why};
use crate::problem::Problem;
use crate::site::binding::bind;
use crate::site::model::Element;
use crate::site::project::{Amendments, Binding, Project, Rebind};
use crate::site::{Model, Point, Site, Slot};
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
    let follower = Follower {
        project,
        revision,
        old: Site::of_elements("old", old.elements.clone()).0,
        new: Site::of_elements("new", new.elements.clone()).0,
        said: Side::of_model(new),
    };
    follower.run()
}

struct Follower<'a> {
    project: &'a Project,
    revision: &'a Revision,
    old: Site,
    new: Site,
    said: Side<'a>,
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
    fn run(&self) -> Bindings {
        let (before, _) = bind(self.project, &self.old);
        let mut amendments = self.amendments(&before);
        let mut after = self.bound(&amendments);
        // Who would now listen to what belonged to another: that other's place in the plant is not theirs.
        let intruders = self.intruders(&before, &after);
        if !intruders.is_empty() {
            for slot in intruders {
                self.keep_rules_off(slot, &mut amendments.rebinds);
            }
            after = self.bound(&amendments);
        }
        let mut bindings = Bindings { amendments, ..Bindings::default() };
        let mut taken: HashSet<(Slot, &str)> = HashSet::new();
        for point in &before {
            let from = self.old.element(point.asset).map(|e| e.id.clone()).unwrap_or_default();
            match self.successor(point, &after) {
                Ok((to, by)) => {
                    taken.insert((to, &point.role));
                    let to = self.new.element(to).map(|e| e.id.clone()).unwrap_or_default();
                    bindings.followed.push(Followed { point: point.id.clone(), from, to, by });
                }
                Err(why) => bindings.lost.push(Lost { point: point.id.clone(), from, why }),
            }
        }
        let gained = after.iter().filter(|p| !taken.contains(&(p.asset, p.role.as_str())));
        bindings.gained = gained
            .filter_map(|p| Some(Gained { point: p.id.clone(), to: self.new.element(p.asset)?.id.clone() }))
            .collect();
        bindings
    }

    /// The points that the amended project gives the new revision.
    fn bound(&self, amendments: &Amendments) -> Vec<Point> {
        bind(&amendments.of(self.project), &self.new).0
    }

    fn pair(&self, slot: Slot) -> Option<(Slot, By)> {
        self.revision.successor(slot.0).map(|p| (Slot(p.new), p.by))
    }

    /// The element that has this point now, or why none has.
    fn successor(&self, point: &Point, after: &[Point]) -> Result<(Slot, By), String> {
        let Some((slot, by)) = self.pair(point.asset) else {
            let removed = self.revision.removed.iter().find(|r| r.old == point.asset.0);
            return Err(removed.map_or(&Why::Gone, |r| &r.why).text(&self.said));
        };
        let same = after.iter().find(|p| p.asset == slot && p.role == point.role);
        if same.is_some_and(|p| p.source == point.source && p.id == point.id) {
            return Ok((slot, by));
        }
        let now = self.new.element(slot).map(|e| {
            let kind = if e.predefined_type.is_empty() { String::new() } else { format!(".{}", e.predefined_type) };
            format!("{} {} ({}{kind})", e.label(), e.id, e.class)
        });
        let now = now.unwrap_or_default();
        Err(match same {
            Some(other) if other.id != point.id => format!(
                "its element is now {now}, whose point would be called `{}`: give it a tag of its own in the model",
                other.id
            ),
            Some(_) => format!("its element is now {now}, which the project binds to another topic: bind it by hand"),
            None => format!(
                "its element is now {now}, to which no binding of the project gives this point: amend the template's \
                 `match`, or bind it by hand"
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
        let mut rebinds = Vec::new();
        let mut old_rebinds: HashMap<Slot, &Rebind> = HashMap::new();
        for rebind in &self.project.rebinds {
            match named(&self.old, &rebind.asset) {
                Some(slot) => {
                    old_rebinds.entry(slot).or_insert(rebind);
                }
                // An element of another model of the project.
                None => rebinds.push(rebind.clone()),
            }
        }
        let mut slots: Vec<Slot> = before.iter().map(|p| p.asset).chain(old_rebinds.keys().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let (Some(was), Some((to, _))) = (self.old.element(slot), self.pair(slot)) else { continue };
            let Some(is) = self.new.element(to) else { continue };
            let known = self.known(was, old_rebinds.get(&slot).copied());
            rebinds.extend(self.rebind(&known, to, is));
        }
        Amendments { rebinds, assets: self.assets() }
    }

    /// What has to be said so that an element stays known as it was; none where it says so itself.
    fn rebind(&self, known: &Known, slot: Slot, is: &Element) -> Option<Rebind> {
        let uses = |word: &str| {
            self.project.bindings.iter().any(|b| match b {
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
            asset: reference(&self.new, slot)?,
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
        for binding in &self.project.bindings {
            let Binding::Point { asset, .. } = binding else { continue };
            let Some((slot, was)) = named(&self.old, asset).and_then(|s| Some((s, self.old.element(s)?))) else {
                continue;
            };
            let now = match self.pair(slot) {
                Some((to, _)) if named(&self.new, asset) == Some(to) => continue,
                Some((to, _)) => {
                    let is = self.new.element(to);
                    let tag = is.map(|e| e.tag.clone()).filter(|_| *asset == was.tag);
                    tag.filter(|t| !t.is_empty() && named(&self.new, t) == Some(to))
                        .or_else(|| reference(&self.new, to))
                }
                None if named(&self.new, asset).is_none() => continue,
                None => Some(was.id.clone()).filter(|id| named(&self.new, id).is_none()),
            };
            assets.extend(now.map(|now| (binding.clone(), now)));
        }
        assets
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
        let Some(asset) = reference(&self.new, slot) else { return };
        match rebinds.iter_mut().find(|r| named(&self.new, &r.asset) == Some(slot)) {
            Some(known) => known.rules = false,
            None => rebinds.push(Rebind { asset, rules: false, ..Rebind::default() }),
        }
    }
}

fn source_key(point: &Point) -> (String, String) {
    match &point.source {
        crate::site::point::PointSource::Topic { topic, key } => (topic.clone(), key.clone()),
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
