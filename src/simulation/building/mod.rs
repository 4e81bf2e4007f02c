//! The flow networks of a building: what its pipes and ducts are to the solver.
//!
//! [`of_site`] makes a [`SystemNetwork`] of each part of the connection graph that hangs together and carries one
//! medium. It says which element each link and node stands for, which measured points set something in it
//! ([`Drive`]) and which can be compared with it ([`Reading`]), and everything that the model did not say and that
//! was taken from a default ([`Assumption`]). An [`Operation`] solves it for the [`Conditions`] of a moment.

pub mod accuracy;
mod air;
mod balance;
mod balance_air;
mod book;
mod design;
mod draft;
pub mod exchange;
mod facts;
pub mod faulted;
#[cfg(test)]
pub(crate) mod fixture;
mod heat;
mod losses;
mod make;
mod medium;
mod operation;
mod pieces;
mod points;
mod ports;
mod runs;
mod section;
pub mod stands;
pub mod trace;
mod water;

#[cfg(test)]
mod tests;

pub use book::AssumptionOverride;
pub use make::of_site;
pub use operation::{Conditions, Operation};

use crate::problem::Problem;
use crate::simulation::fluid::Fluid;
use crate::simulation::network::transport::{LinkHeat, NodeHeat};
use crate::simulation::network::{Boundary, Network};
use crate::site::graph::Domain;
use crate::site::{PointIndex, Slot};
use serde::Serialize;

/// The networks of a site.
#[derive(Clone, Debug, Default)]
pub struct Building {
    /// The largest first within a domain; water before air.
    pub networks: Vec<SystemNetwork>,
    /// What could not be made into a network, and why.
    pub problems: Vec<Problem>,
}

/// One network: what hangs together and carries one medium.
#[derive(Clone, Debug)]
pub struct SystemNetwork {
    /// The name of its systems, `Chilled water`; with a number behind it where a system falls into several parts.
    pub name: String,
    /// `chilled water`, `heating water`, `condenser water`, `cold water`, `supply air`, …
    pub medium: String,
    /// Water or air.
    pub domain: Domain,
    /// Nodes and links; heights are node elevations, ids are GlobalIds with a suffix where an element has several. In
    /// air all elevations are 0: heads count over those of the air around, which weighs as much.
    pub network: Network,
    /// What flows, with its properties by temperature.
    pub fluid: Fluid,
    /// The element of each link, by link; none for what was put in (an expansion vessel's line, the outdoors).
    pub link_element: Vec<Option<Slot>>,
    /// The element of each node, by node: of a tee, a tank, a terminal; none between two elements.
    pub node_element: Vec<Option<Slot>>,
    /// Where each node is, metres in the project's frame; none where no file says so.
    pub node_place: Vec<Option<[f64; 3]>>,
    /// Inner cross-section of each link, m², for velocities; none where it has none of its own (a pump).
    pub link_area_m2: Vec<Option<f64>>,
    /// What each link does to the heat, when nobody measures: pipes lose, coils and machines exchange.
    pub link_heat: Vec<LinkHeat>,
    /// What each link is for.
    pub link_part: Vec<Part>,
    /// Flow that each link is designed for, m³/s, in the direction of the link; none where nobody says.
    pub link_design_m3s: Vec<Option<f64>>,
    /// What comes in at each node, and where temperatures begin.
    pub node_heat: Vec<NodeHeat>,
    /// What the network stands at when nobody measures.
    pub design: Boundary,
    /// Radiators, whose output goes with more than the first power of what the water is warmer than their room.
    pub emitters: Vec<exchange::Emitter>,
    /// Points that set something.
    pub drives: Vec<Drive>,
    /// Points that measure something that is solved for.
    pub readings: Vec<Reading>,
    /// What the model did not say.
    pub assumptions: Vec<Assumption>,
    /// What is odd about it.
    pub problems: Vec<Problem>,
}

/// A measured point that sets a boundary condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drive {
    /// The point; its value is SI.
    pub point: PointIndex,
    /// What it sets.
    pub sets: Sets,
}

/// What a measured point sets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sets {
    /// Position of a valve or damper, 0..1: the setting of this link.
    Position(usize),
    /// The same of a damper that closes as far as the measured one opens: its setting is what is left to 1.
    Opposite(usize),
    /// Speed of a pump or fan over that of its curve: the setting of this link.
    Speed(usize),
    /// Whether a pump, fan or machine runs (above 0.5): this link is closed where not.
    Running(usize),
    /// Temperature, °C, at which the fluid leaves this link: a machine or a coil that is measured.
    Leaves(usize),
    /// Temperature, °C, of what surrounds this link: the air at a coil, the room of a radiator.
    Surroundings(usize),
    /// Temperature, °C, of what flows in from outside at this node.
    Inlet(usize),
    /// Heat, W, that this link brings into the fluid: what a fan in its airstream takes.
    Heat(usize),
    /// Power, W, that drives a chiller: it leaves through this link, its condenser.
    Drives(usize),
    /// Heat, W, that all chillers of a condenser circuit take from what they chill.
    Absorbed,
    /// What is measured of the air at this link, a coil.
    Air(usize, exchange::AirAt),
}

impl SystemNetwork {
    /// Temperature of its fluid that it is solved at, °C.
    pub(crate) fn mean_c(&self) -> f64 {
        self.node_heat.first().map_or(20.0, |n| n.start_c)
    }
}

/// A measured point that the solution can be compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The point; its value is SI.
    pub point: PointIndex,
    /// What it measures.
    pub of: Measurand,
}

/// A quantity of a solved network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measurand {
    /// Flow in a link, m³/s, in the direction that its element is meant for.
    Flow(usize),
    /// Pressure at a node over that of the air around, Pa.
    Pressure(usize),
    /// Pressure that a link takes away or gives, Pa, as a positive number.
    Difference(usize),
    /// Temperature at a node, °C.
    Temperature(usize),
    /// Temperature of what leaves a link, °C.
    Leaving(usize),
}

/// Something that a model did not say and a network needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assumption {
    /// GlobalId of the element; empty for the network as a whole.
    pub element: String,
    /// What of it, with its unit: `length_m`, `diameter_m`, `kvs_m3h`, `k`.
    pub field: String,
    /// What was taken.
    pub value: f64,
    /// Where it comes from.
    pub why: String,
}

/// What a link is for, beyond the law that it follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A pipe, a duct, a fitting, a meter, a silencer.
    #[default]
    Run,
    /// A pump or a fan.
    Mover,
    /// What takes heat or cold from the water, or gives it to the air: a coil, a radiator, a reheat coil.
    Consumer,
    /// What makes the heat or cold: a chiller, a boiler.
    Source,
    /// Where a machine gives its heat away: the condenser of a chiller.
    Condenser,
    /// What cools the condenser water: a cooling tower.
    Rejector,
    /// A control valve or control damper, the damper of a VAV box.
    Control,
    /// A balancing valve or damper.
    Balancing,
    /// A valve or damper that is open or shut.
    Shutoff,
    /// A filter or strainer.
    Filter,
    /// An opening to the room or to the outdoors.
    Opening,
}

/// A solved network: what flows where, how warm it is, and how well the balances close.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Flow of each link, m³/s, positive from its `from` to its `to`; not a number where it is cut off.
    pub flow_m3s: Vec<f64>,
    /// Mean velocity in each link, m/s, with the sign of the flow; not a number where it has no cross-section.
    pub velocity_ms: Vec<f64>,
    /// Pressure at each node over the air around, Pa; not a number where it is cut off.
    pub pressure_pa: Vec<f64>,
    /// Temperature at each node, °C.
    pub node_c: Vec<f64>,
    /// Temperature of what leaves each link, °C.
    pub leaving_c: Vec<f64>,
    /// Heat that each link brings into its fluid, W: by its own doing and from its surroundings; negative where it
    /// takes heat away.
    pub heat_w: Vec<f64>,
    /// Heat that the equipment and the surroundings bring in less what the fluid takes up, W: the error of the balance.
    pub energy_closing_w: f64,
    /// Whether both residuals are within the accuracy.
    pub converged: bool,
    /// Linear systems solved.
    pub iterations: usize,
    /// Largest imbalance at a node, m³/s.
    pub mass_residual_m3s: f64,
    /// Largest difference between the head a link takes and that between its ends, m.
    pub head_residual_m: f64,
}
