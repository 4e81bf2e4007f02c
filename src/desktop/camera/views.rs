//! Views with a name: from outside, of the plant, of a storey.

use super::pose::Pose;
use crate::shape::{Aabb, frame};
use crate::site::{Element, ElementKind, Site, Slot};
use crate::twin::command::Command;
use bevy::math::Vec3;

/// Plant by its class: what a plant room is looked at for.
const PLANT: &[&str] = &[
    "IfcChiller",
    "IfcBoiler",
    "IfcPump",
    "IfcCoolingTower",
    "IfcUnitaryEquipment",
    "IfcHeatExchanger",
    "IfcTank",
    "IfcEvaporativeCooler",
    "IfcCondenser",
    "IfcCompressor",
    "IfcFan",
];

/// A view with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedView {
    /// The whole building from the south-east.
    Outside,
    /// The machines, without the building around them.
    Plant,
    /// One storey, cut, from above.
    Storey(String),
}

impl NamedView {
    /// `outside`, `plant`, `storey:NAME`; none for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "outside" => Some(Self::Outside),
            "plant" => Some(Self::Plant),
            _ => word.strip_prefix("storey:").map(|name| Self::Storey(name.to_owned())),
        }
    }

    /// Where to look from, and what to show.
    ///
    /// # Errors
    /// What is not there: a storey of that name (with the names there are), plant.
    pub fn resolve(&self, site: &Site, aspect: f32) -> Result<(Pose, Vec<Command>), String> {
        match self {
            Self::Outside => Ok((home(site, aspect), vec![Command::ShowAll])),
            Self::Plant => plant(site, aspect),
            Self::Storey(name) => storey(site, name, aspect),
        }
    }
}

/// The whole building from the south-east, a little from above.
pub fn home(site: &Site, aspect: f32) -> Pose {
    let pose = Pose { yaw: 0.62, pitch: -0.42, ..Pose::default() };
    match bounds(site.elements.iter().filter(|e| e.kind == ElementKind::Element))
        .or_else(|| bounds(site.elements.iter()))
    {
        Some(all) => pose.fitting_box(&corners(all), aspect, 1.12),
        None => pose,
    }
}

/// The same direction of view on everything that is drawn.
pub fn fit(from: Pose, site: &Site, slots: impl Iterator<Item = Slot>, aspect: f32) -> Pose {
    match bounds(slots.filter_map(|s| site.element(s))) {
        Some(all) => from.fitting_box(&corners(all), aspect, 1.1),
        None => from,
    }
}

/// Near an element, so that it is a good part of the picture and its surroundings are known.
pub fn at(from: Pose, site: &Site, slot: Slot, aspect: f32) -> Option<Pose> {
    let bounds = site.element(slot)?.bounds?;
    let radius = (bounds.radius() as f32).max(0.4);
    let pitch = from.pitch.clamp(-0.9, -0.25);
    Some(Pose { pitch, ..from }.fitting(frame::drawn(bounds.centre()), radius * 2.2, aspect))
}

fn plant(site: &Site, aspect: f32) -> Result<(Pose, Vec<Command>), String> {
    let machines: Vec<(Slot, &Element)> = site
        .iter()
        .filter(|(_, e)| e.bounds.is_some() && PLANT.iter().any(|c| e.class.eq_ignore_ascii_case(c)))
        .collect();
    // The storey where most of it stands; fans and tanks elsewhere are not the plant room.
    let mut counts: Vec<(Option<u32>, usize)> = Vec::new();
    for (_, e) in &machines {
        match counts.iter_mut().find(|(s, _)| *s == e.storey) {
            Some((_, n)) => *n += 1,
            None => counts.push((e.storey, 1)),
        }
    }
    let Some((storey, _)) = counts.into_iter().max_by_key(|(_, n)| *n) else {
        return Err("there is no plant in this model (no chiller, boiler, pump, tower or air handling unit)".into());
    };
    let of_room: Vec<&Element> = machines.iter().filter(|(_, e)| e.storey == storey).map(|(_, e)| *e).collect();
    let Some(room) = bounds(of_room.iter().copied()) else { return Err("the plant has no geometry".into()) };
    let around = Aabb { min: room.min - 2.5, max: room.max + 2.5 };
    let shown: Vec<Slot> = site
        .iter()
        .filter(|(_, e)| {
            let Some(b) = e.bounds else { return false };
            if e.kind != ElementKind::Element {
                return false;
            }
            let inside = b.centre().cmpge(around.min).all() && b.centre().cmple(around.max).all();
            let is_floor = is_class(e, &["IfcSlab"]) && b.max.z <= room.min.z + 0.4 && b.max.z > room.min.z - 1.5;
            (e.storey == storey && inside && !is_hull(e)) || is_floor
        })
        .map(|(slot, _)| slot)
        .collect();
    // Each thing that is shown, not the box around them all: its corners are empty.
    let seen: Vec<Vec3> = shown.iter().filter_map(|s| site.element(*s)?.bounds).flat_map(corners).collect();
    let pose = Pose { yaw: 0.46, pitch: -0.62, ..Pose::default() }.fitting_box(&seen, aspect, 1.04);
    Ok((pose, vec![Command::ShowAll, Command::Isolate(shown)]))
}

fn storey(site: &Site, name: &str, aspect: f32) -> Result<(Pose, Vec<Command>), String> {
    let wanted = name.trim();
    let found = site
        .storeys
        .iter()
        .position(|s| s.name.eq_ignore_ascii_case(wanted))
        .or_else(|| site.storeys.iter().position(|s| s.name.to_lowercase().contains(&wanted.to_lowercase())));
    let Some(index) = found else {
        let names: Vec<&str> = site.storeys.iter().map(|s| s.name.as_str()).collect();
        return Err(format!("there is no storey `{wanted}`; there are: {}", names.join(", ")));
    };
    let floor = &site.storeys[index];
    let cut = floor.elevation_m + crate::twin::view::STOREY_CUT_M;
    let pose = Pose { yaw: 0.38, pitch: -0.92, ..Pose::default() };
    let on_it = site.elements.iter().filter(|e| e.storey == Some(index as u32) && e.kind != ElementKind::Feature);
    let pose = match bounds(on_it) {
        Some(b) => {
            let mut low = b;
            low.min.z = low.min.z.max(floor.elevation_m - 0.5);
            low.max.z = low.max.z.min(cut).max(low.min.z);
            pose.fitting_box(&corners(low), aspect, 1.06)
        }
        None => pose,
    };
    Ok((pose, vec![Command::ShowAll, Command::CutStorey(Some(index as u32))]))
}

/// What stands around and above a room and would hide it.
fn is_hull(e: &Element) -> bool {
    is_class(
        e,
        &[
            "IfcWall",
            "IfcWallStandardCase",
            "IfcRoof",
            "IfcSlab",
            "IfcCovering",
            "IfcCurtainWall",
            "IfcWindow",
            "IfcDoor",
            "IfcPlate",
            "IfcMember",
            "IfcBeam",
            "IfcColumn",
            "IfcOpeningElement",
        ],
    )
}

fn is_class(e: &Element, classes: &[&str]) -> bool {
    classes.iter().any(|c| e.class.eq_ignore_ascii_case(c))
}

fn bounds<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<Aabb> {
    elements.filter_map(|e| e.bounds).reduce(Aabb::union)
}

fn corners(b: Aabb) -> [Vec3; 8] {
    b.corners().map(frame::drawn)
}
