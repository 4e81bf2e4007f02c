//! Flow networks in the living twin: what flows in every pipe and duct, solved beside the live data.
//!
//! When a site opens, [`simulation::building`](crate::simulation::building) makes its networks, on a thread of its own.
//! Each becomes an entity ([`FlowNetwork`], [`FlowSolve`], [`FlowScore`], [`FlowState`]), and what is solved stands on
//! the entities of elements ([`Flow`], [`Velocity`], [`Pressure`], [`Temperature`]). Points that measure what is solved
//! for have a [`Residual`], and so do the elements they stand on.
//!
//! An element that is several links of a network, or is in several networks (a coil: water and air), shows its *main*
//! place: of networks the first (water before air, the larger before the smaller), of links the one that carries most
//! in design. [`Networks::place`] tells it. Where a node stands for an element (a tee, a tank, a terminal), pressure and
//! temperature are those of the node, and what has no link of its own has the flow through the node.
//! Everywhere else they are those of the end at which the flow leaves the link.

mod derive;
mod engine;
mod live;
mod range;
mod rows;
mod score;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
mod tick;
mod traced;
mod work;

pub use range::{FlowRanges, RESIDUAL_RANGE, Range, residual_value};
pub use rows::{NetworkRow, ResidualRow, rows};
pub use score::{FlowScore, OverallScore, Residual};
pub use traced::Traced;

use super::replay::Restore;
use super::scene::Scene;
use crate::Step;
use crate::problem::{Problem, Severity};
use crate::simulation::building::{AssumptionOverride, Building, State, SystemNetwork};
use crate::simulation::faults::Fault;
use crate::site::graph::Domain;
use crate::site::revision::Carry;
use crate::site::{PointIndex, Slot};
use bevy::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use work::Work;

/// A flow network of the site, on an entity of its own.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct FlowNetwork {
    /// Its number in [`Building::networks`] of [`Networks`].
    pub index: usize,
    /// The name of its systems.
    pub name: String,
    /// `chilled water`, `supply air`, …
    pub medium: String,
    /// Water or air.
    pub domain: Domain,
    /// How many nodes it has.
    pub nodes: usize,
    /// How many links it has.
    pub links: usize,
    /// How many values the model did not say.
    pub assumptions: usize,
}

/// What the last solve of a network was, on the network's entity.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct FlowSolve {
    /// Whether mass and head balance within the accuracy.
    pub converged: bool,
    /// Linear systems solved.
    pub iterations: usize,
    /// Largest imbalance at a node, m³/s.
    pub mass_residual_m3s: f64,
    /// Largest difference between the head a link takes and that between its ends, m.
    pub head_residual_m: f64,
    /// Error of the heat balance, W.
    pub energy_closing_w: f64,
    /// Points that set something and are taken from telemetry.
    pub live: usize,
    /// Points that set something, whose telemetry is no good: the last good value holds.
    pub held: Vec<PointIndex>,
    /// How many solves there have been.
    pub solves: u64,
}

/// The solved state of a network, on the network's entity: one value a link or node of
/// [`SystemNetwork::network`].
#[derive(Component, Clone, Debug, Default)]
pub struct FlowState(pub Arc<State>);

/// Volume flow through an element, m³/s; negative against the direction of its link. This and its neighbours are not a
/// number where nothing is known: in what is cut off from every source, and velocity where there is no cross-section.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Flow(pub f64);

/// Mean velocity in an element, m/s; negative against the direction of its link.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Velocity(pub f64);

/// Pressure over the air around, Pa, where the flow leaves the element.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Pressure(pub f64);

/// Solved temperature, °C, of what leaves the element.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Temperature(pub f64);

/// Faults that the twin's own networks have at an element: what if its valve stuck, its pump were worn. They change what
/// is solved between the boundary conditions and the solve, and nothing of the plant. Times of the faults are
/// seconds since 1970 by the twin's clock; their targets do not count, the entity is the target.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct FlowFault(pub Vec<Fault>);

/// The networks of the site that is open.
#[derive(Resource, Clone, Debug, Default)]
pub struct Networks {
    /// What is solved; none while it is being made.
    pub building: Option<Arc<Building>>,
    /// The entity of each network.
    pub entities: Vec<Entity>,
    /// By slot.
    places: Vec<Option<Place>>,
}

/// Where an element is in the networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the network.
    pub network: usize,
    /// Water or air.
    pub domain: Domain,
    /// The main link; none for what is only a node.
    pub link: Option<usize>,
    /// The node that stands for it.
    pub node: Option<usize>,
}

impl Networks {
    /// Where an element is: its main place.
    pub fn place(&self, slot: Slot) -> Option<Place> {
        self.places.get(slot.0 as usize).copied().flatten()
    }

    /// The network an element is in first of all.
    pub fn network_of(&self, slot: Slot) -> Option<&SystemNetwork> {
        self.network(self.place(slot)?.network)
    }

    /// A network by its number.
    pub fn network(&self, index: usize) -> Option<&SystemNetwork> {
        self.building.as_ref()?.networks.get(index)
    }
}

/// What the project states of elements in flow networks, in place of defaults and of the model; taken up with the next
/// site.
#[derive(Resource, Clone, Debug, Default)]
pub struct FlowAssumptions(pub Vec<AssumptionOverride>);

/// How often networks are solved, and when a thread of its own is worth it.
#[derive(Resource, Clone, Copy, Debug)]
pub struct FlowPace {
    /// The shortest time from one solve of a network to the next.
    pub every: Duration,
    /// Solves that are expected to take longer, all networks of a tick together, go to another thread.
    pub in_a_tick: Duration,
}

impl Default for FlowPace {
    fn default() -> Self {
        Self { every: Duration::from_millis(250), in_a_tick: Duration::from_millis(2) }
    }
}

/// Derives, solves and compares.
pub struct FlowPlugin;

impl Plugin for FlowPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Networks>()
            .init_resource::<FlowPace>()
            .init_resource::<FlowAssumptions>()
            .init_resource::<FlowRanges>()
            .init_resource::<OverallScore>()
            .init_resource::<Traced>()
            .init_resource::<Work>()
            .init_resource::<derive::Maker>()
            .add_systems(
                Update,
                (tick::open, tick::arrive, tick::listen, tick::solve, tick::write, tick::compare, range::measure)
                    .chain()
                    .in_set(Step::Simulate),
            )
            .add_systems(Update, traced::obey.in_set(Step::Act));
    }
}

/// Puts aside what is known of the points; gives the way to bring it back. What flows then is solved anew.
pub(super) fn put_aside(world: &mut World) -> Restore {
    let known = world.get_resource::<Work>().map(|w| w.known.clone()).unwrap_or_default();
    Box::new(move |world| {
        if let Some(mut work) = world.get_resource_mut::<Work>() {
            work.know(known);
        }
    })
}

/// Takes what is known along to another state of the site. Its networks are made anew; until they are there, elements
/// keep what was solved for them.
pub(super) fn carry(world: &mut World, carry: &Carry) {
    let Some((points, elements)) = world.get_resource::<Scene>().map(|s| (s.points.len(), s.elements.len())) else {
        return;
    };
    if let Some(mut work) = world.get_resource_mut::<Work>() {
        work.known = work.known.carry(carry, points);
        work.clear();
    }
    if let Some(mut networks) = world.get_resource_mut::<Networks>() {
        let mut places = vec![None; elements];
        for (i, place) in networks.places.iter().enumerate() {
            if let Some(now) = carry.slot(Slot(i as u32)).and_then(|s| places.get_mut(s.0 as usize)) {
                *now = *place;
            }
        }
        networks.places = places;
        networks.building = None;
    }
    if let Some(mut traced) = world.get_resource_mut::<Traced>()
        && traced.from.is_some()
    {
        traced.carry(carry);
    }
}

/// What a person should know of the networks as a whole; what is odd about one of them stands in its
/// [`NetworkRow`].
pub fn problems(world: &World) -> Vec<Problem> {
    let building = world.get_resource::<Networks>().and_then(|n| n.building.as_ref());
    let Some(building) = building else { return Vec::new() };
    // A site of rooms and cables lacks nothing because nothing flows in it.
    let least = if building.networks.is_empty() { Severity::Error } else { Severity::Warning };
    building.problems.iter().filter(|p| p.severity >= least).cloned().collect()
}
