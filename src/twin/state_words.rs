//! One `u32` a slot: all that the shader needs to know of an element.
//!
//! Bits 0–15 value, 16–23 palette, 24–31 flags. `shaders/element.wgsl` reads the same layout.
//!
//! A word is written where what it tells of has changed: one health, one value, one selection. Only another
//! site, another meaning of the colours or another set of hidden elements writes all of them.

mod colour;
mod solved;

pub use colour::{Colouring, disciplines, temperature_rank};

use super::changes::Changes;
use super::health::{AssetHealth, PointHealth};
use super::scene::{InSlot, IsPoint, Scene, SiteOpened};
use super::telemetry::LiveValue;
use super::view::{ColourBy, Drawn, View};
use crate::Step;
use crate::site::revision::report::Kind;
use crate::site::{ElementKind, Slot};
use bevy::prelude::*;
use solved::Solved;

/// Which colours a value stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Palette {
    /// The surface's own colour.
    Material = 0,
    /// Value = [`crate::analytics::Health::rank`].
    Health = 1,
    /// Value 0..65535 from the coldest to the warmest; water in pipes has a range of its own
    /// ([`crate::twin::flow::FlowRanges`]).
    Temperature = 2,
    /// Value = number of the category, modulo [`CATEGORIES`].
    Category = 3,
    /// Takes no part in what is shown: a quiet grey; value 1 for map features, which are quieter still.
    Quiet = 4,
    /// What a reload changed: value 0 added, 1 moved, 2 changed (see [`change_value`]).
    Change = 5,
    /// Value 0..65535 from the first to the last colour of a range ([`crate::twin::flow::FlowRanges`]).
    Flow = 6,
    /// Value 0..65535, 32768 where measured and solved agree ([`crate::twin::flow::residual_value`]).
    Residual = 7,
}

/// The value of [`Palette::Change`] of what happened to an element; none for what is not seen in the model.
pub fn change_value(kind: Kind) -> Option<u16> {
    match kind {
        Kind::Added => Some(0),
        Kind::Moved => Some(1),
        Kind::Changed => Some(2),
        Kind::Lost | Kind::Removed => None,
    }
}

/// How many categorical colours there are.
pub const CATEGORIES: u16 = 12;

/// The range of [`Palette::Temperature`] of rooms and air, °C: what is between too cold and too warm for people, so that
/// half a degree is seen.
pub const TEMPERATURE_RANGE_C: [f64; 2] = [16.0, 28.0];

/// Not drawn.
pub const HIDDEN: u32 = 1 << 24;
/// See-through.
pub const GHOST: u32 = 1 << 25;
/// Selected.
pub const SELECTED: u32 = 1 << 26;
/// Under the pointer.
pub const HOVERED: u32 = 1 << 27;
/// Its value is old.
pub const STALE: u32 = 1 << 28;
/// Not cut by the section.
pub const UNCUT: u32 = 1 << 29;
/// A space: its volume is see-through, and where it is cut its floor is drawn.
pub const SPACE: u32 = 1 << 30;

/// A word without flags.
pub fn word(palette: Palette, value: u16) -> u32 {
    u32::from(value) | (palette as u32) << 16
}

/// The value of [`Palette::Temperature`] for a temperature, °C.
pub fn temperature_value(celsius: f64) -> u16 {
    let [low, high] = TEMPERATURE_RANGE_C;
    (((celsius - low) / (high - low)).clamp(0.0, 1.0) * f64::from(u16::MAX)).round() as u16
}

/// Every element's word by slot, for the GPU to read; `Changed` says when to upload.
#[derive(Resource, Clone, Debug, Default)]
pub struct StateWords(pub Vec<u32>);

/// Keeps [`StateWords`].
pub struct StateWordsPlugin;

impl Plugin for StateWordsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<StateWords>()
            .init_resource::<Colouring>()
            .add_systems(Update, write_words.in_set(Step::Present));
    }
}

/// What the words were last written for.
#[derive(Default)]
struct Written {
    colour_by: ColourBy,
    spaces: bool,
    storey: Option<u32>,
    drawn: Vec<Drawn>,
    selected: Option<Slot>,
    hovered: Option<Slot>,
    section_m: Option<f64>,
}

fn write_words(
    mut opened: MessageReader<SiteOpened>,
    scene: Option<Res<Scene>>,
    view: Res<View>,
    mut colouring: ResMut<Colouring>,
    mut words: ResMut<StateWords>,
    mut written: Local<Written>,
    mut touched: Local<Vec<Slot>>,
    health: Query<&AssetHealth>,
    changed_health: Query<&InSlot, Changed<AssetHealth>>,
    values: Query<(&LiveValue, Option<&PointHealth>)>,
    changes: Res<Changes>,
    changed_values: Query<&IsPoint, Or<(Changed<LiveValue>, Changed<PointHealth>)>>,
    mut solved: Solved,
) {
    let Some(scene) = scene else { return };
    let another_site = opened.read().count() > 0;
    if another_site {
        *colouring = Colouring::of(&scene);
    }
    // Nobody compares what is hidden, element by element, while nobody has touched the view.
    let another_view = view.is_changed()
        && (written.colour_by != view.colour_by
            || written.spaces != view.spaces
            || written.storey != view.storey
            || written.drawn != view.drawn);
    let other_changes = view.colour_by == ColourBy::Change && changes.is_changed();
    let other_meaning = solved.means_something_else(view.colour_by);
    let all =
        another_site || another_view || other_changes || other_meaning || words.0.len() != scene.site.elements.len();

    touched.clear();
    if all {
        touched.extend((0..scene.site.elements.len() as u32).map(Slot));
        words.0.clear();
        words.0.resize(scene.site.elements.len(), 0);
    } else {
        match view.colour_by {
            ColourBy::Health => {
                touched.extend(changed_health.iter().flat_map(|s| colouring.coloured_by_health_of(s.0)));
            }
            ColourBy::Temperature => {
                touched.extend(changed_values.iter().flat_map(|p| colouring.coloured_by_value_of(p.0)));
                touched.extend(solved.changed(view.colour_by));
            }
            ColourBy::Flow | ColourBy::Velocity | ColourBy::Pressure | ColourBy::Residual => {
                touched.extend(solved.changed(view.colour_by));
            }
            ColourBy::Material | ColourBy::System | ColourBy::Discipline | ColourBy::Change => {}
        }
        if written.selected != view.selected {
            touched.extend(written.selected.iter().chain(&view.selected));
        }
        if written.hovered != view.hovered {
            touched.extend(written.hovered.iter().chain(&view.hovered));
        }
        if written.section_m != view.section_m {
            let features = scene.site.iter().filter(|(_, e)| e.kind == ElementKind::Feature);
            touched.extend(features.map(|(slot, _)| slot));
        }
    }
    written.remember(&view, all);
    for slot in touched.drain(..) {
        let coloured = colouring.word(&scene, view.colour_by, slot, &health, &values, &changes, &solved);
        let new = coloured | flags(&scene, &view, slot);
        let i = slot.0 as usize;
        // Only a difference counts as a change: the whole buffer is uploaded when this is marked.
        if words.0.get(i).is_some_and(|old| *old != new) {
            words.0[i] = new;
        }
    }
}

impl Written {
    fn remember(&mut self, view: &View, all: bool) {
        self.selected = view.selected;
        self.hovered = view.hovered;
        self.section_m = view.section_m;
        if all {
            self.colour_by = view.colour_by;
            self.spaces = view.spaces;
            self.storey = view.storey;
            self.drawn.clone_from(&view.drawn);
        }
    }
}

/// How an element is drawn, apart from its colour.
fn flags(scene: &Scene, view: &View, slot: Slot) -> u32 {
    let selected = view.selected == Some(slot);
    let mut flags = match view.drawn(slot) {
        Drawn::Solid => 0,
        Drawn::Ghost => GHOST,
        Drawn::Hidden => HIDDEN,
    };
    let element = scene.site.element(slot);
    match element.map(|e| e.kind) {
        Some(ElementKind::Space) => {
            flags |= SPACE;
            // A space that somebody selected (in the tree, say) is shown whatever else is.
            if !view.spaces && !selected && !view.is_plan() {
                flags |= HIDDEN;
            }
        }
        // What lies around a building is not part of what a section cuts.
        Some(ElementKind::Feature) => {
            flags |= UNCUT;
            if element.is_some_and(|e| view.is_beside_the_section(e)) {
                flags |= GHOST;
            }
        }
        Some(ElementKind::Element) | None => {}
    }
    if selected {
        flags |= SELECTED;
    }
    if view.hovered == Some(slot) {
        flags |= HOVERED;
    }
    flags
}

#[cfg(test)]
mod tests;
