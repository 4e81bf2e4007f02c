//! What a flow network is made of: nodes, links, curves, the fluid, and what holds at one instant.
//!
//! All values are SI (m, m³/s, Pa, kg/m³), `f64`. Heads are metres of the network's own fluid, so the same
//! equations hold for water and for air: a pressure is `head × density × gravity`
//! ([`Network::pa_per_m`]). Nodes and links are named by strings and found by dense indices: a link's
//! `from` and `to`, a curve, a pattern are positions in the lists of [`Network`]. Flow is positive from
//! `from` to `to`.
//!
//! A reader of a file in other units must convert with the factors of that file's own program where the
//! heads of that program are the reference: EPANET counts 28.317 litres, 448.831 gallons a minute or
//! 101.94 m³/h to one cubic foot a second, not the exact values, and 1e-5 of a flow is 1e-3 m of a head.

use super::links::{CurveKind, LinkKind};
use serde::{Deserialize, Serialize};

/// A network of links between nodes, with what holds for all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// What it is called; may be many lines.
    pub title: String,
    /// Where flows meet. The index is what a link's `from` and `to` say.
    pub nodes: Vec<Node>,
    /// What flow passes through.
    pub links: Vec<Link>,
    /// Tables that links and tanks refer to.
    pub curves: Vec<Curve>,
    /// Multipliers in time that demands, reservoirs and pumps refer to.
    pub patterns: Vec<Pattern>,
    /// What flows.
    pub fluid: Fluid,
    /// What governs the equations as a whole.
    pub options: Options,
}

/// A point of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, unique among nodes.
    pub id: String,
    /// Height above datum, m. For a tank the bottom: its head is elevation plus level. A reservoir's head
    /// is its elevation.
    pub elevation: f64,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NodeKind {
    /// Flows meet and a demand is taken; its head is found.
    Junction(Junction),
    /// A fixed head, whatever the flow: a lake, a mains connection, the outdoors, an expansion vessel.
    Reservoir {
        /// Multiplies the head in time: index into [`Network::patterns`].
        pattern: Option<usize>,
    },
    /// A store with a level; its head is fixed for one solve.
    Tank(Tank),
}

/// A point where flows meet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Junction {
    /// What is taken out here, all of it together.
    pub demands: Vec<Demand>,
    /// An opening through which flow leaves by its own pressure.
    pub emitter: Option<Emitter>,
}

/// Flow that is taken out at a junction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// m³/s, before multipliers; negative where flow is put in.
    pub base: f64,
    /// Multiplies it in time: index into [`Network::patterns`].
    pub pattern: Option<usize>,
    /// Who takes it.
    pub category: String,
}

/// An opening at a junction: `Q = coefficient × p^exponent`, p the pressure head in m and the exponent
/// [`Options::emitter_exponent`] (0.5 for a nozzle).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Emitter {
    /// m³/s at one metre of pressure head.
    pub coefficient: f64,
}

/// A store of fluid with a free level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tank {
    /// Level at the beginning, m above the node's elevation.
    pub initial_level: f64,
    /// Below this level nothing flows out, m.
    pub minimum_level: f64,
    /// Above this level nothing flows in, unless it may overflow, m.
    pub maximum_level: f64,
    /// How volume follows from level.
    pub shape: TankShape,
    /// Volume at the minimum level, m³; 0 where it follows from the shape.
    pub minimum_volume: f64,
    /// Whether inflow goes on when it is full, over the edge.
    pub overflow: bool,
}

/// How the volume of a tank follows from its level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum TankShape {
    /// An upright cylinder of this diameter, m.
    Cylinder(f64),
    /// Volume (m³) against level (m): index into [`Network::curves`].
    Curve(usize),
}

impl Default for TankShape {
    fn default() -> Self {
        Self::Cylinder(0.0)
    }
}

/// Something flow passes through between two nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its name, unique among links.
    pub id: String,
    /// Where positive flow comes from: index into [`Network::nodes`].
    pub from: usize,
    /// Where positive flow goes to.
    pub to: usize,
    /// What it is.
    pub kind: LinkKind,
    /// How it is commanded at the beginning.
    pub command: Command,
    /// Its setting at the beginning, in the unit that [`LinkKind`] names for its kind.
    pub setting: f64,
    /// Head put in from `from` to `to` besides what the kind does, m: stack (buoyancy), wind.
    pub head_gain: f64,
}

/// What somebody has told a link to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Works by its setting. For what has none (a pipe), the same as open.
    #[default]
    Auto,
    /// Fully open: a valve's setting does not count. A pump runs at its setting.
    Open,
    /// Lets nothing through.
    Closed,
}

/// A table that something follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Its name, unique among curves.
    pub id: String,
    /// What the two columns are, as far as it is known.
    pub kind: CurveKind,
    /// Pairs (x, y) with x rising, in the SI units that [`CurveKind`] names.
    pub points: Vec<(f64, f64)>,
}

/// Multipliers that follow one another in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// Its name, unique among patterns.
    pub id: String,
    /// One each pattern step, from the beginning, and over again at the end.
    pub factors: Vec<f64>,
}

/// What flows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fluid {
    /// kg/m³.
    pub density: f64,
    /// Kinematic viscosity, m²/s.
    pub viscosity: f64,
    /// Density over that of water at 4 °C as its file states it: turns kPa and psi into heads.
    pub specific_gravity: f64,
}

impl Default for Fluid {
    /// Water at 20 °C, with the viscosity that EPANET holds (1.1e-5 ft²/s).
    fn default() -> Self {
        Self { density: 998.2, viscosity: 1.1e-5 * 0.3048 * 0.3048, specific_gravity: 1.0 }
    }
}

impl Fluid {
    /// Dry air at 20 °C and standard pressure.
    pub fn air() -> Self {
        Self { density: 1.204, viscosity: 1.51e-5, specific_gravity: 1.204e-3 }
    }
}

/// The formula a file names for all its pipes; each [`super::links::Pipe`] carries its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LossFormula {
    /// Hazen–Williams.
    #[default]
    HazenWilliams,
    /// Darcy–Weisbach.
    DarcyWeisbach,
    /// Chézy–Manning.
    ChezyManning,
}

/// Which constants the formulas are taken with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Conventions {
    /// Gravity 9.80665 m/s² and exact factors.
    #[default]
    Exact,
    /// The rounded factors of the EPANET manual (gravity 32.2 ft/s², minor loss 0.02517 K/d⁴), so that
    /// heads compare to 1e-4 m. INP files want this.
    Epanet,
}

/// How a demand depends on pressure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum DemandModel {
    /// The whole demand, whatever the pressure.
    #[default]
    Fixed,
    /// Wagner: nothing below the least pressure, all of it above the required one, between them
    /// `((p - least) / (required - least))^exponent`. Wagner, Shamir, Marks, J. Water Resour. Plan. Manage.
    /// 114 (1988).
    PressureDriven {
        /// Pressure head at which demand begins, m.
        least: f64,
        /// Pressure head at which it is whole, m.
        required: f64,
        /// 0.5 in most of the literature.
        exponent: f64,
    },
}

/// What governs the equations as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The formula the file names.
    pub formula: LossFormula,
    /// Which constants hold.
    pub conventions: Conventions,
    /// How demand depends on pressure.
    pub demand_model: DemandModel,
    /// Multiplies every demand.
    pub demand_multiplier: f64,
    /// The pattern of demands that name none: index into [`Network::patterns`].
    pub default_pattern: Option<usize>,
    /// Exponent of pressure in [`Emitter`].
    pub emitter_exponent: f64,
    /// Whether an emitter takes flow in where the pressure is below zero.
    pub emitter_backflow: bool,
    /// Relative change of flows at which the file wants a solve to stop (EPANET's ACCURACY).
    pub accuracy: f64,
    /// Most iterations of one solve.
    pub trials: usize,
    /// Pressure head that the reference of a closed circuit is held at, m above its elevation.
    pub reference_pressure: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            formula: LossFormula::HazenWilliams,
            conventions: Conventions::Exact,
            demand_model: DemandModel::Fixed,
            demand_multiplier: 1.0,
            default_pattern: None,
            emitter_exponent: 0.5,
            emitter_backflow: true,
            accuracy: 1e-3,
            trials: 200,
            reference_pressure: 15.0,
        }
    }
}

/// What holds at one instant and a solve is asked for: everything that may change without a new ordering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Boundary {
    /// Demand of each node, m³/s (the full demand where it is pressure-driven); tanks and reservoirs: unused.
    pub demand: Vec<f64>,
    /// Head of each tank and reservoir, m; junctions: unused.
    pub head: Vec<f64>,
    /// Command of each link.
    pub command: Vec<Command>,
    /// Setting of each link, in the unit that [`LinkKind`] names.
    pub setting: Vec<f64>,
    /// Head put in by each link from `from` to `to`, m.
    pub head_gain: Vec<f64>,
}

impl Network {
    /// What holds at the beginning: demands with the first factor of their patterns, tanks at their initial
    /// levels, links as commanded.
    pub fn boundary(&self) -> Boundary {
        let first = |pattern: Option<usize>| {
            pattern.and_then(|at| self.patterns.get(at)).and_then(|p| p.factors.first()).copied().unwrap_or(1.0)
        };
        let mut boundary = Boundary::default();
        for node in &self.nodes {
            let (mut demand, mut head) = (0.0, node.elevation);
            match &node.kind {
                NodeKind::Junction(junction) => {
                    for d in &junction.demands {
                        demand += d.base * first(d.pattern.or(self.options.default_pattern));
                    }
                    demand *= self.options.demand_multiplier;
                }
                NodeKind::Reservoir { pattern } => head *= first(*pattern),
                NodeKind::Tank(tank) => head += tank.initial_level,
            }
            boundary.demand.push(demand);
            boundary.head.push(head);
        }
        for link in &self.links {
            boundary.command.push(link.command);
            boundary.setting.push(link.setting);
            boundary.head_gain.push(link.head_gain);
        }
        boundary
    }

    /// Gravity, m/s², by the network's conventions.
    pub fn gravity(&self) -> f64 {
        match self.options.conventions {
            Conventions::Exact => 9.80665,
            Conventions::Epanet => 32.2 * 0.3048,
        }
    }

    /// Pressure of one metre of the network's fluid, Pa.
    pub fn pa_per_m(&self) -> f64 {
        self.fluid.density * self.gravity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_takes_the_first_factor_and_the_initial_level() {
        let mut network = Network::default();
        network.patterns.push(Pattern { id: "1".into(), factors: vec![2.0, 3.0] });
        network.options.demand_multiplier = 10.0;
        network.options.default_pattern = Some(0);
        let demands = vec![
            Demand { base: 1.0, pattern: Some(0), ..Demand::default() },
            Demand { base: 0.5, ..Demand::default() },
        ];
        network.nodes.push(Node {
            id: "a".into(),
            elevation: 7.0,
            kind: NodeKind::Junction(Junction { demands, emitter: None }),
        });
        let tank = Tank { initial_level: 4.0, ..Tank::default() };
        network.nodes.push(Node { id: "t".into(), elevation: 30.0, kind: NodeKind::Tank(tank) });
        network.nodes.push(Node { id: "r".into(), elevation: 5.0, kind: NodeKind::Reservoir { pattern: Some(0) } });
        let boundary = network.boundary();
        assert_eq!(boundary.demand[0], 30.0);
        assert_eq!(&boundary.head[1..], &[34.0, 10.0]);
        assert!((network.pa_per_m() - 998.2 * 9.80665).abs() < 1e-9);
    }
}
