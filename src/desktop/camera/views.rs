//! Views with a name: from outside, of the plant, of a storey.

use super::pose::Pose;
use crate::shape::{Aabb, frame};
use crate::site::project::SavedView;
use crate::site::search::parse;
use crate::site::{Element, ElementKind, Site, Slot};
use crate::twin::command::Command;
use crate::twin::view::{ColourBy, STOREY_CUT_M, View};
use bevy::math::Vec3;
use glam::DVec3;

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
#[derive(Clone, Debug, PartialEq)]
pub enum NamedView {
    /// The whole building from the south-east.
    Outside,
    /// The machines, without the building around them.
    Plant,
    /// One storey, cut, from above.
    Storey(String),
    /// One that somebody saved in the project.
    Saved(SavedView),
}

impl NamedView {
    /// `outside`, `plant`, `storey:NAME`, or the name of one of the project's views.
    ///
    /// # Errors
    /// There is no such view: the names there are.
    pub fn parse(word: &str, saved: &[SavedView]) -> Result<Self, String> {
        match word {
            "outside" => return Ok(Self::Outside),
            "plant" => return Ok(Self::Plant),
            _ => {}
        }
        if let Some(name) = word.strip_prefix("storey:") {
            return Ok(Self::Storey(name.to_owned()));
        }
        let wanted = word.trim().to_lowercase();
        match saved.iter().find(|v| v.name.to_lowercase() == wanted) {
            Some(view) => Ok(Self::Saved(view.clone())),
            None if saved.is_empty() => {
                Err(format!("there is no view called `{word}`, and the project has none saved"))
            }
            None => {
                let names: Vec<&str> = saved.iter().map(|v| v.name.as_str()).collect();
                Err(format!("there is no view called `{word}`; the project has: {}", names.join(", ")))
            }
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
            Self::Saved(view) => saved(site, view),
        }
    }
}

/// The whole building from the south-east, a little from above.
pub fn home(site: &Site, aspect: f32) -> Pose {
    let building = site.elements.iter().filter(|e| e.kind == ElementKind::Element);
    let mut seen: Vec<DVec3> = building.flat_map(|e| corners(site, e)).collect();
    if seen.is_empty() {
        seen = site.elements.iter().flat_map(|e| corners(site, e)).collect();
    }
    framed(outside(), seen, aspect, 1.08)
}

/// As [`home`], where no more is known than the box around the building.
pub fn home_of(bounds: Aabb, aspect: f32) -> Pose {
    framed(outside(), bounds.corners(), aspect, 1.08)
}

fn outside() -> Pose {
    Pose { yaw: 0.62, pitch: -0.42, ..Pose::default() }
}

fn saved(site: &Site, view: &SavedView) -> Result<(Pose, Vec<Command>), String> {
    let mut commands = vec![Command::ShowAll];
    if let Some(name) = &view.storey {
        commands.push(Command::CutStorey(Some(storey_called(site, name)? as u32)));
    }
    if view.section_m.is_some() {
        commands.push(Command::SectionAt(view.section_m));
    }
    if let Some(by) = view.colour_by.as_deref().and_then(ColourBy::parse) {
        commands.push(Command::ColourBy(by));
    }
    if let Some(search) = &view.search {
        commands.extend([Command::Search(search.clone()), Command::ShowFound]);
    }
    let [eye, target] = [view.eye_m, view.target_m].map(|p| frame::drawn(p.into()));
    Ok((Pose::looking(eye, target), commands))
}

/// How far above what is looked for the model is cut, metres, where nothing lies closer.
const CUT_ABOVE_M: f64 = 0.15;

/// The height, metres, at which to cut the model so that what fills a box is seen from above: below the slab, roof or
/// ceiling over it, whose inside would else hide the whole storey.
pub fn cut_above(site: &Site, bounds: Aabb) -> f64 {
    const LIDS: [&str; 5] = ["IfcSlab", "IfcSlabStandardCase", "IfcSlabElementedCase", "IfcRoof", "IfcCovering"];
    const CLEAR_M: f64 = 0.01;
    let middle = bounds.centre();
    let over = |b: &Aabb| {
        b.min.z >= bounds.max.z && (b.min.x..=b.max.x).contains(&middle.x) && (b.min.y..=b.max.y).contains(&middle.y)
    };
    let lids = site.iter().filter(|(_, e)| is_class(e, &LIDS)).filter_map(|(_, e)| e.bounds).filter(over);
    let lowest = lids.map(|b| b.min.z - CLEAR_M).fold(f64::INFINITY, f64::min);
    (bounds.max.z + CUT_ABOVE_M).min(lowest).max(bounds.max.z)
}

/// What is looked at and looked for, as a view to be saved. What is hidden, isolated or ghosted by hand is not a part
/// of it.
pub fn to_save(name: &str, pose: Pose, view: &View, search: &str, site: &Site) -> SavedView {
    let storey = view.storey.and_then(|s| site.storeys.get(s as usize));
    // A storey brings its own section.
    let own = storey.map(|s| s.elevation_m + STOREY_CUT_M);
    SavedView {
        name: name.trim().to_owned(),
        eye_m: frame::project(pose.eye()).to_array(),
        target_m: frame::project(pose.focus).to_array(),
        section_m: view.section_m.filter(|s| Some(*s) != own),
        storey: storey.map(|s| s.name.clone()),
        // What a reload changed is seen until somebody dismisses it, and not again.
        colour_by: Some(
            if view.colour_by == ColourBy::Change { view.coloured_before } else { view.colour_by }.word().to_owned(),
        ),
        // What cannot be understood is no search.
        search: Some(search.trim().to_owned()).filter(|s| parse(s).is_ok()),
        line: 0,
    }
}

/// A pose as what a hand or a script asks for.
pub fn look(pose: Pose) -> Command {
    let [eye_m, target_m] = [pose.eye(), pose.focus].map(|p| frame::project(p).to_array());
    Command::Look { eye_m, target_m }
}

/// The same direction of view on everything that is drawn.
pub fn fit(from: Pose, site: &Site, slots: impl Iterator<Item = Slot>, aspect: f32) -> Pose {
    framed(from, slots.filter_map(|s| site.element(s)).flat_map(|e| corners(site, e)), aspect, 1.1)
}

/// How much around a small element is seen at least, metres.
const LEAST_SURROUNDINGS_M: f32 = 1.0;

/// Near an element, so that it is a good part of the picture and its surroundings are known.
pub fn at(from: Pose, site: &Site, slot: Slot, aspect: f32) -> Option<Pose> {
    let bounds = site.element(slot)?.bounds?;
    // A valve alone says nothing: some metres around it do.
    let radius = (bounds.radius() as f32).max(LEAST_SURROUNDINGS_M);
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
    let seen = shown.iter().filter_map(|s| site.element(*s)).flat_map(|e| corners(site, e));
    let pose = framed(Pose { yaw: 0.46, pitch: -0.62, ..Pose::default() }, seen, aspect, 1.04);
    Ok((pose, vec![Command::ShowAll, Command::Isolate(shown)]))
}

/// The storey of a name, or the names there are.
fn storey_called(site: &Site, name: &str) -> Result<usize, String> {
    site.storey_called(name).ok_or_else(|| {
        let names: Vec<&str> = site.storeys.iter().map(|s| s.name.as_str()).collect();
        format!("there is no storey `{}`; there are: {}", name.trim(), names.join(", "))
    })
}

fn storey(site: &Site, name: &str, aspect: f32) -> Result<(Pose, Vec<Command>), String> {
    let index = storey_called(site, name)?;
    let floor = &site.storeys[index];
    let cut = floor.elevation_m + STOREY_CUT_M;
    let pose = Pose { yaw: 0.38, pitch: -0.92, ..Pose::default() };
    let on_it = site.elements.iter().filter(|e| e.storey == Some(index as u32) && e.kind != ElementKind::Feature);
    let seen = on_it.flat_map(|e| corners(site, e)).map(|mut p| {
        p.z = p.z.min(cut).max(floor.elevation_m - 0.5);
        p
    });
    let pose = framed(pose, seen, aspect, 1.06);
    Ok((pose, vec![Command::ShowAll, Command::CutStorey(Some(index as u32))]))
}

/// What stands around and above a room and would hide it.
pub(super) fn is_hull(e: &Element) -> bool {
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

/// The corners of the box around an element, along its own axes: a building that stands askew on its plot
/// would have a far larger one along the plot's.
fn corners(site: &Site, element: &Element) -> Vec<DVec3> {
    let own = element.shape.and_then(|s| site.shapes.get(s as usize)?.bounds());
    match (own, element.bounds) {
        (Some(own), _) => own.corners().map(|p| element.placement.transform_point3(p)).to_vec(),
        (None, Some(bounds)) => bounds.corners().to_vec(),
        (None, None) => Vec::new(),
    }
}

/// The same direction of view on all of these points, so that they fill the picture; as it was without any.
fn framed(from: Pose, seen: impl IntoIterator<Item = DVec3>, aspect: f32, margin: f32) -> Pose {
    let seen: Vec<Vec3> = seen.into_iter().map(frame::drawn).collect();
    if seen.is_empty() { from } else { from.fitting_box(&seen, aspect, margin) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::model::Storey;

    fn site() -> Site {
        let storeys = vec![
            Storey { name: "Ground".into(), ..Storey::default() },
            Storey { name: "Upper".into(), elevation_m: 4.0, ..Storey::default() },
        ];
        Site { storeys, ..Site::default() }
    }

    #[test]
    fn a_view_is_found_by_its_name_and_names_are_offered() {
        let saved = [SavedView { name: "Pump corner".into(), ..SavedView::default() }];
        assert_eq!(NamedView::parse("plant", &saved), Ok(NamedView::Plant));
        assert_eq!(NamedView::parse("storey:Roof", &[]), Ok(NamedView::Storey("Roof".into())));
        assert_eq!(NamedView::parse("pump CORNER", &saved), Ok(NamedView::Saved(saved[0].clone())));
        assert!(NamedView::parse("attic", &saved).unwrap_err().contains("Pump corner"));
        assert!(NamedView::parse("attic", &[]).unwrap_err().contains("none saved"));
    }

    #[test]
    fn the_cut_above_what_is_looked_for_stays_out_of_the_slab() {
        let boxed = |min: [f64; 3], max: [f64; 3]| Aabb { min: min.into(), max: max.into() };
        let slab = |min, max| Element { class: "IfcSlab".into(), bounds: Some(boxed(min, max)), ..Element::default() };
        let mut site = site();
        site.elements = vec![
            slab([0.0, 0.0, 4.0], [9.0, 9.0, 4.2]),
            slab([20.0, 0.0, 3.95], [29.0, 9.0, 4.1]),
            slab([0.0, 0.0, 0.0], [9.0, 9.0, 0.2]),
        ];
        let cut = |top: f64| cut_above(&site, boxed([4.0, 4.0, top - 0.1], [4.2, 4.2, top]));
        assert!((cut(3.9) - 3.99).abs() < 1e-9, "{}", cut(3.9));
        assert!((cut(2.0) - 2.15).abs() < 1e-9, "nothing is near");
        assert!((cut(4.1) - 4.25).abs() < 1e-9, "it goes through the slab");
        assert!((cut(3.995) - 3.995).abs() < 1e-9, "its own top is not cut off");
    }

    #[test]
    fn what_is_saved_is_what_is_seen_again() {
        let site = site();
        let pose = Pose { focus: Vec3::new(4.0, 5.0, -6.0), yaw: 1.2, pitch: -0.4, distance: 22.0 };
        let mut view = View { storey: Some(1), section_m: Some(4.0 + STOREY_CUT_M), ..View::default() };
        view.colour_by = ColourBy::Health;
        let kept = to_save(" Mine ", pose, &view, "", &site);
        assert_eq!((kept.name.as_str(), kept.section_m, kept.storey.as_deref()), ("Mine", None, Some("Upper")));
        let (again, commands) = NamedView::Saved(kept).resolve(&site, 1.6).unwrap();
        assert!(again.is_near(&pose), "{again:?}");
        assert_eq!(commands, [Command::ShowAll, Command::CutStorey(Some(1)), Command::ColourBy(ColourBy::Health)]);
        let changes = View { coloured_before: ColourBy::System, colour_by: ColourBy::Change, ..view.clone() };
        assert_eq!(to_save("Mine", pose, &changes, "", &site).colour_by.as_deref(), Some("system"));
        view.section_m = Some(9.0);
        let (_, commands) =
            NamedView::Saved(to_save("Mine", pose, &view, " class:IfcPump ", &site)).resolve(&site, 1.6).unwrap();
        assert!(commands.contains(&Command::SectionAt(Some(9.0))), "{commands:?}");
        let found = [Command::Search("class:IfcPump".into()), Command::ShowFound];
        assert!(commands.ends_with(&found), "{commands:?}");
        assert_eq!(to_save("Mine", pose, &view, "clas:", &site).search, None);
        let lost = SavedView { storey: Some("Attic".into()), ..to_save("Mine", pose, &view, "", &site) };
        assert!(NamedView::Saved(lost).resolve(&site, 1.6).unwrap_err().contains("Upper"));
    }
}
