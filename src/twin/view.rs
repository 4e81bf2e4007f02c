//! What is looked at: selection, what is hidden, what the colours mean. No window is needed for it.

mod traced;

use super::command::Command;
use super::scene::{Scene, SiteOpened};
use super::search::{Hits, Search};
use crate::Step;
use crate::site::revision::Carry;
use crate::site::{Element, ElementKind, Site, Slot};
use bevy::prelude::*;

/// What the colours of the elements mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColourBy {
    /// Each surface its own colour.
    #[default]
    Material,
    /// How the asset is.
    Health,
    /// The temperature measured on it, or in its space; of pipes and ducts where none is, the solved one.
    Temperature,
    /// The system it belongs to.
    System,
    /// The model's discipline.
    Discipline,
    /// How much flows through it, solved.
    Flow,
    /// How fast it flows, solved.
    Velocity,
    /// The pressure in it, solved.
    Pressure,
    /// How far what is measured is from what is solved.
    Residual,
    /// What the last reload changed; there is nothing to see of it where nothing was reloaded.
    Change,
}

impl ColourBy {
    /// Every choice that there always is, in the order people see.
    pub const ALL: [ColourBy; 9] = [
        Self::Material,
        Self::Health,
        Self::Temperature,
        Self::System,
        Self::Discipline,
        Self::Flow,
        Self::Velocity,
        Self::Pressure,
        Self::Residual,
    ];

    /// The word on the command line and, with a capital, on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Material => "material",
            Self::Health => "health",
            Self::Temperature => "temperature",
            Self::System => "system",
            Self::Discipline => "discipline",
            Self::Flow => "flow",
            Self::Velocity => "velocity",
            Self::Pressure => "pressure",
            Self::Residual => "residual",
            Self::Change => "change",
        }
    }

    /// The colours tell what flows in pipes and ducts.
    pub fn is_of_flow(self) -> bool {
        matches!(self, Self::Temperature | Self::Flow | Self::Velocity | Self::Pressure | Self::Residual)
    }

    /// The choice of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.word() == word)
    }
}

/// Dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

/// How one element is drawn, apart from its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Drawn {
    /// As it is.
    #[default]
    Solid,
    /// See-through.
    Ghost,
    /// Not at all.
    Hidden,
}

/// What is looked at.
#[derive(Resource, Clone, Debug, Default)]
pub struct View {
    /// The selected element.
    pub selected: Option<Slot>,
    /// The element under the pointer.
    pub hovered: Option<Slot>,
    /// What the colours mean.
    pub colour_by: ColourBy,
    /// What they meant before they showed what a reload changed.
    pub coloured_before: ColourBy,
    /// By slot; shorter than the site where everything after is [`Drawn::Solid`].
    pub drawn: Vec<Drawn>,
    /// The ghosts are what a search did not find, and go with it.
    pub found_only: bool,
    /// Whether spaces were drawn before a search showed those that it found.
    pub spaces_before: bool,
    /// What was drawn before what is traced was shown; none while that is not what is shown.
    pub drawn_before_trace: Option<Vec<Drawn>>,
    /// Spaces are drawn.
    pub spaces: bool,
    /// Everything above this height (project frame, metres) is cut away.
    pub section_m: Option<f64>,
    /// The storey that is shown alone.
    pub storey: Option<u32>,
    /// Dark or light.
    pub theme: Theme,
    /// Somebody wants to see no arrows on what carries a flow.
    pub arrows_hidden: bool,
}

/// How high above its floor a storey is cut, metres: above doors' handles and desks, below lintels' tops.
pub const STOREY_CUT_M: f64 = 1.8;

impl View {
    /// The storey that is shown alone is coloured by its rooms: what measures them hangs above the cut.
    pub fn is_plan(&self) -> bool {
        self.storey.is_some() && matches!(self.colour_by, ColourBy::Health | ColourBy::Temperature)
    }

    /// The section ends below the top of what stands around the building: it is shown as a ghost, uncut, because
    /// sliced trees say nothing.
    pub fn is_beside_the_section(&self, element: &Element) -> bool {
        self.section_m.is_some_and(|cut| element.bounds.is_some_and(|b| b.max.z > cut)) && stands_on_the_ground(element)
    }

    /// Arrows stand on what carries a flow: while the colours tell of it.
    pub fn shows_arrows(&self) -> bool {
        !self.arrows_hidden && self.colour_by.is_of_flow()
    }

    /// How an element is drawn.
    pub fn drawn(&self, slot: Slot) -> Drawn {
        self.drawn.get(slot.0 as usize).copied().unwrap_or_default()
    }
}

/// Higher than this a map feature stands on the ground and is none of it, metres.
const GROUND_RISES_M: f64 = 2.0;

/// A tree, a neighbour's house: what a map layer puts on the ground, where a plot, a road, a lawn are the ground.
pub fn stands_on_the_ground(element: &Element) -> bool {
    element.kind == ElementKind::Feature && element.bounds.is_some_and(|b| b.max.z - b.min.z >= GROUND_RISES_M)
}

/// Keeps [`View`] by obeying commands.
pub struct ViewPlugin;

impl Plugin for ViewPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<View>().add_systems(Update, (obey, traced::show_traced).chain().in_set(Step::Act));
    }
}

fn obey(
    mut opened: MessageReader<SiteOpened>,
    mut commands: MessageReader<Command>,
    mut view: ResMut<View>,
    scene: Option<Res<Scene>>,
    search: Option<Res<Search>>,
) {
    let Some(scene) = scene else { return };
    if opened.read().any(SiteOpened::is_another) && view.colour_by == ColourBy::Change {
        // Of another site nothing has changed.
        view.colour_by = view.coloured_before;
    }
    let count = scene.site.elements.len();
    for command in commands.read() {
        // Hovering comes every frame: only a change may mark the view as changed.
        if let Command::Hover(slot) = command {
            if view.hovered != *slot {
                view.hovered = *slot;
            }
            continue;
        }
        if view.drawn_before_trace.is_some() && (changes_what_is_drawn(command) || *command == Command::ShowFound) {
            view.drawn_before_trace = None;
        }
        if view.found_only && changes_what_is_drawn(command) {
            view.found_only = false;
        }
        match command {
            Command::Select(slot) => view.selected = *slot,
            Command::Isolate(slots) => set_all_but(&mut view, count, slots, Drawn::Hidden),
            Command::GhostOthers(slots) => set_all_but(&mut view, count, slots, Drawn::Ghost),
            Command::Hide(slots) => set(&mut view, count, slots, Drawn::Hidden),
            Command::Ghost(slots) => set(&mut view, count, slots, Drawn::Ghost),
            Command::ShowAll => {
                view.drawn.clear();
                view.section_m = None;
                view.storey = None;
            }
            Command::ShowFound => search.iter().filter_map(|s| s.hits()).for_each(|h| show_found(&mut view, &scene, h)),
            Command::Search(text) if text.trim().is_empty() && view.found_only => {
                view.found_only = false;
                view.spaces = view.spaces_before;
                match view.storey {
                    Some(_) => view.drawn = drawn_of_storey(&scene, view.storey),
                    None => view.drawn.clear(),
                }
            }
            Command::ShowSpaces(on) => view.spaces = *on,
            Command::ColourBy(by) => {
                if *by == ColourBy::Change && view.colour_by != ColourBy::Change {
                    view.coloured_before = view.colour_by;
                }
                view.colour_by = *by;
            }
            Command::DismissChanges if view.colour_by == ColourBy::Change => view.colour_by = view.coloured_before,
            Command::SectionAt(height) => view.section_m = *height,
            Command::CutStorey(storey) => cut_storey(&mut view, &scene, *storey),
            Command::Theme(theme) => view.theme = *theme,
            Command::ShowArrows(on) => view.arrows_hidden = !on,
            _ => {}
        }
    }
}

/// Takes what is looked at along to another state of the site; what is new is drawn.
pub(super) fn carry(world: &mut World, old: &Site, carry: &Carry) {
    let Some(scene) = world.remove_resource::<Scene>() else { return };
    if let Some(mut view) = world.get_resource_mut::<View>() {
        view.selected = view.selected.and_then(|slot| carry.slot(slot));
        view.hovered = None;
        if let Some(before) = view.drawn_before_trace.take() {
            // It is found again in the new state, and shown again.
            view.drawn = before;
        }
        let shown_alone = view.storey;
        view.storey = shown_alone.and_then(|s| carry.storey(s));
        let floor =
            |site: &Site, storey: Option<u32>| storey.and_then(|s| Some(site.storeys.get(s as usize)?.elevation_m));
        // A section stays where it was over the floor that it cuts, or over the ground.
        let rise = match (floor(old, shown_alone), floor(&scene.site, view.storey)) {
            (Some(was), Some(is)) => is - was,
            _ => carry.motion.map_or(0.0, |m| m.offset_m.z),
        };
        view.section_m = view.section_m.map(|s| s + rise);
        if shown_alone.is_some() && view.storey.is_none() {
            (view.section_m, view.drawn) = (None, Vec::new());
        } else if !view.drawn.is_empty() {
            let mut drawn = match view.storey {
                Some(_) => drawn_of_storey(&scene, view.storey),
                None => vec![Drawn::Solid; scene.site.elements.len()],
            };
            for (i, was) in view.drawn.iter().enumerate() {
                if let Some(is) = carry.slot(Slot(i as u32)).and_then(|slot| drawn.get_mut(slot.0 as usize)) {
                    *is = *was;
                }
            }
            view.drawn = drawn;
        }
    }
    world.insert_resource(scene);
}

/// Somebody has taken it into their own hands what is drawn.
fn changes_what_is_drawn(command: &Command) -> bool {
    use Command::{CutStorey, Ghost, GhostOthers, Hide, Isolate, ShowAll};
    matches!(command, CutStorey(_) | Ghost(_) | GhostOthers(_) | Hide(_) | Isolate(_) | ShowAll)
}

/// A storey that is shown alone stays alone: what it hides was not looked for there.
fn show_found(view: &mut View, scene: &Scene, hits: &Hits) {
    if !view.found_only {
        view.spaces_before = view.spaces;
    }
    let is_space = |e: &Element| e.kind == ElementKind::Space;
    let spaces = hits.slots.iter().filter_map(|slot| scene.site.element(*slot)).any(is_space);
    view.found_only = true;
    view.spaces = view.spaces_before || spaces;
    let other_spaces = if view.spaces_before { Drawn::Ghost } else { Drawn::Hidden };
    let mut drawn = match view.storey {
        Some(_) => drawn_of_storey(scene, view.storey),
        None => vec![Drawn::Solid; scene.site.elements.len()],
    };
    for ((slot, element), drawn) in scene.site.iter().zip(&mut drawn) {
        if *drawn == Drawn::Solid && !hits.contains(slot) {
            *drawn = if is_space(element) { other_spaces } else { Drawn::Ghost };
        }
    }
    view.drawn = drawn;
}

fn set(view: &mut View, count: usize, slots: &[Slot], drawn: Drawn) {
    view.drawn.resize(count, Drawn::Solid);
    for slot in slots {
        if let Some(d) = view.drawn.get_mut(slot.0 as usize) {
            *d = drawn;
        }
    }
}

fn set_all_but(view: &mut View, count: usize, slots: &[Slot], rest: Drawn) {
    view.drawn = vec![rest; count];
    set(view, count, slots, Drawn::Solid);
}

fn cut_storey(view: &mut View, scene: &Scene, storey: Option<u32>) {
    view.storey = storey;
    view.drawn.clear();
    view.section_m = None;
    let Some(floor) = storey.and_then(|s| scene.site.storeys.get(s as usize)) else { return };
    view.section_m = Some(floor.elevation_m + STOREY_CUT_M);
    view.drawn = drawn_of_storey(scene, storey);
}

fn drawn_of_storey(scene: &Scene, storey: Option<u32>) -> Vec<Drawn> {
    let drawn = |e: &Element| match e.storey {
        Some(s) if Some(s) == storey => Drawn::Solid,
        Some(_) => Drawn::Hidden,
        // Cut trees and neighbours say nothing of a storey, and stand in front of it.
        None if stands_on_the_ground(e) => Drawn::Hidden,
        None => Drawn::Solid,
    };
    scene.site.elements.iter().map(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::ColourBy;
    use crate::site::project::COLOURINGS;

    #[test]
    fn a_project_file_knows_every_colouring_by_its_word() {
        assert_eq!(ColourBy::ALL.map(ColourBy::word), COLOURINGS);
    }
}
