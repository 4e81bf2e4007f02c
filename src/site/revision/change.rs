//! What is different about an element that both revisions have.

use super::facts::{Body, Facts};
use super::frame::Found;
use super::{Pair, Side};
use crate::site::model::{Element, PropertySet, PropertyValue};
use glam::DVec3;
use std::sync::Arc;

/// What moved less stands still, metres.
const STILL_M: f64 = 0.01;
/// What turned by less stands still: change of its tensor over its trace, some half a degree of a long body.
const UNTURNED: f64 = 0.01;

/// An element that stands elsewhere, the movement of the whole model taken out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Its number in the old revision.
    pub old: u32,
    /// Its number in the new one.
    pub new: u32,
    /// From where it would stand to where it stands, metres, in the new revision's frame.
    pub offset_m: DVec3,
    /// True when it was turned.
    pub turned: bool,
}

/// One thing about an element that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The element's number in the old revision.
    pub old_element: u32,
    /// The element's number in the new one.
    pub new_element: u32,
    /// `name`, `tag`, `type`, `storey`, …, `geometry`, or a property as `Pset_PumpTypeCommon.FlowRateRange`.
    pub property: String,
    /// What it was; none: it was not there.
    pub old: Option<PropertyValue>,
    /// What it is; none: it is not there any more.
    pub new: Option<PropertyValue>,
}

/// Pairs of which one stands elsewhere.
pub(super) fn moved(old: &Facts<'_>, new: &Facts<'_>, pairs: &[Pair], found: &Found) -> Vec<Moved> {
    let moved = pairs.iter().filter_map(|pair| {
        let (a, b) = (old.body(pair.old)?, new.body(pair.new)?);
        let offset_m = b.place - found.motion.apply(a.place);
        let alike = a.alike(b, 0.01, 0.002);
        // The middle of something that became longer is elsewhere, and yet it stands where it stood.
        let still = if alike { STILL_M } else { a.sizes.x.max(b.sizes.x).max(STILL_M) };
        let turned = alike && is_turned(a, b, found);
        (turned || offset_m.length() > still).then_some(Moved { old: pair.old, new: pair.new, offset_m, turned })
    });
    moved.collect()
}

fn is_turned(a: &Body, b: &Body, found: &Found) -> bool {
    let turn = found.motion.rotation();
    let change = (turn * a.spread * turn.transpose() - b.spread).to_cols_array();
    let size = a.spread.x_axis.x + a.spread.y_axis.y + a.spread.z_axis.z;
    change.iter().map(|v| v * v).sum::<f64>().sqrt() > UNTURNED * size
}

/// Everything that changed of the pairs, pair by pair.
pub(super) fn changed(old: &Facts<'_>, new: &Facts<'_>, pairs: &[Pair]) -> Vec<Change> {
    let mut changes = Vec::new();
    for pair in pairs {
        let (Some(a), Some(b)) = (old.side.element(pair.old), new.side.element(pair.new)) else { continue };
        let mut tell = |property: String, old: Option<PropertyValue>, new: Option<PropertyValue>| {
            changes.push(Change { old_element: pair.old, new_element: pair.new, property, old, new });
        };
        for ((property, was), (_, is)) in attributes(&old.side, a).into_iter().zip(attributes(&new.side, b)) {
            if was != is {
                tell(property.to_owned(), was, is);
            }
        }
        properties(&a.properties, &b.properties, &mut tell);
        let (was, is) = (old.body(pair.old), new.body(pair.new));
        if !same_geometry(was, is) {
            tell("geometry".into(), was.map(|w| looks(&old.side, a, w)), is.map(|i| looks(&new.side, b, i)));
        }
    }
    changes
}

fn same_geometry(a: Option<&Body>, b: Option<&Body>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.alike(b, 0.001, 0.001),
        (None, None) => true,
        _ => false,
    }
}

/// `12 triangles, 1.200 × 0.400 × 0.300 m, 2.4 m²`.
fn looks(side: &Side<'_>, element: &Element, body: &Body) -> PropertyValue {
    let shape = element.shape.and_then(|s| side.shapes.get(s as usize));
    let size = shape.and_then(|s| s.bounds()).map_or(DVec3::ZERO, |b| b.size());
    PropertyValue::Text(format!(
        "{} triangles, {:.3} × {:.3} × {:.3} m, {:.3} m²",
        body.triangles, size.x, size.y, size.z, body.area
    ))
}

/// What an element says of itself beside its properties; nothing said is none.
fn attributes(side: &Side<'_>, element: &Element) -> [(&'static str, Option<PropertyValue>); 13] {
    let text = |t: &str| (!t.is_empty()).then(|| PropertyValue::Text(t.to_owned()));
    let list = |mut all: Vec<String>| {
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then(|| PropertyValue::List(all.into_iter().map(PropertyValue::Text).collect()))
    };
    let storey = element.storey.and_then(|s| side.storeys.get(s as usize));
    let space = element.space.and_then(|s| side.elements.get(s as usize));
    let systems = element.systems.iter().filter_map(|s| side.systems.get(*s as usize)).map(|s| s.name.clone());
    [
        ("type", text(&element.class)),
        ("name", text(&element.name)),
        ("tag", text(&element.tag)),
        ("description", text(&element.description)),
        ("type_name", text(&element.type_name)),
        ("predefined_type", text(&element.predefined_type)),
        ("storey", storey.and_then(|s| text(&s.name))),
        ("space", space.and_then(|s| text(&s.name))),
        ("systems", list(systems.collect())),
        ("materials", list(element.materials.clone())),
        ("classification", list(element.classification.clone())),
        ("layers", list(element.layers.clone())),
        ("documents", list(element.documents.clone())),
    ]
}

/// Properties that are not the same, by set and name; where a name stands twice in a set the first counts, as it
/// does everywhere.
fn properties(
    old: &[Arc<PropertySet>],
    new: &[Arc<PropertySet>],
    tell: &mut impl FnMut(String, Option<PropertyValue>, Option<PropertyValue>),
) {
    let (old, new) = (flat(old), flat(new));
    for (i, (set, name, was)) in old.iter().enumerate() {
        let is = new.iter().find(|(s, n, _)| s == set && n == name).map(|(_, _, v)| *v);
        let first = old.iter().position(|(s, n, _)| s == set && n == name) == Some(i);
        if first && !is.is_some_and(|is| same(was, is)) {
            tell(format!("{set}.{name}"), Some((*was).clone()), is.cloned());
        }
    }
    for (i, (set, name, is)) in new.iter().enumerate() {
        let known = old.iter().any(|(s, n, _)| s == set && n == name);
        let first = new.iter().position(|(s, n, _)| s == set && n == name) == Some(i);
        if first && !known {
            tell(format!("{set}.{name}"), None, Some((*is).clone()));
        }
    }
}

fn flat(sets: &[Arc<PropertySet>]) -> Vec<(&str, &str, &PropertyValue)> {
    sets.iter().flat_map(|s| s.values.iter().map(|(n, v)| (s.name.as_str(), n, v))).collect()
}

/// Equal, but for how a number is written.
fn same(a: &PropertyValue, b: &PropertyValue) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => a == b,
    }
}
