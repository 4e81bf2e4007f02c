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

mod range;
mod score;
#[cfg(test)]
pub mod testing;

pub use range::{FlowRanges, Range, residual_value};
pub use score::{FlowScore, Residual};

use crate::simulation::building::trace::{Trace, Way};
use crate::simulation::building::{Building, State, SystemNetwork};
use crate::simulation::faults::Fault;
use crate::site::graph::Domain;
use crate::site::{PointIndex, Slot};
use bevy::prelude::*;
use std::sync::Arc;
use std::time::Duration;

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

/// Volume flow through an element, m³/s; negative against the direction of its link.
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

/// What somebody traces; nothing when [`Traced::trace`] is none.
#[derive(Resource, Clone, Debug, Default)]
pub struct Traced {
    /// From which element.
    pub from: Option<(Slot, Way)>,
    /// What was found: elements in their order, the path to the pump or terminal, and its profile.
    pub trace: Option<Trace>,
    /// By slot: how many links away it is, the start is 0; none where it is not on the way.
    order: Vec<Option<u32>>,
    /// By slot: whether it is on the path to the pump or terminal.
    on_path: Vec<bool>,
}

impl Traced {
    /// How many links an element is from the start; none where it is not on the way.
    pub fn order(&self, slot: Slot) -> Option<u32> {
        self.order.get(slot.0 as usize).copied().flatten()
    }

    /// Whether an element is on the path to the pump or terminal.
    pub fn is_on_path(&self, slot: Slot) -> bool {
        self.on_path.get(slot.0 as usize).copied().unwrap_or(false)
    }
}

/// Derives, solves and compares.
pub struct FlowPlugin;

impl Plugin for FlowPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Networks>()
            .init_resource::<FlowPace>()
            .init_resource::<FlowRanges>()
            .init_resource::<Traced>();
    }
}
