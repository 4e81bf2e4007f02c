//! A small closed circuit for tests.

use super::{Drive, Part, Reading, SystemNetwork};
use crate::simulation::fluid::Fluid;
use crate::simulation::network::transport::{LinkHeat, NodeHeat};
use crate::simulation::network::{
    Characteristic, Command, Curve, CurveKind, Friction, Junction, KvValve, Link, LinkKind, Network, Node, NodeKind,
    Pipe, Pump, PumpHead, Resistance,
};
use crate::site::Slot;
use crate::site::graph::Domain;

/// What is where in [`ring`]: slots, which are also its links, in this order.
pub const MACHINE: u32 = 0;
pub const PUMP: u32 = 1;
pub const SUPPLY: u32 = 2;
pub const VALVE: u32 = 3;
pub const COIL: u32 = 4;
pub const SMALL_VALVE: u32 = 5;
pub const SMALL_COIL: u32 = 6;
pub const RETURN: u32 = 7;
/// Stands at the node where the supply parts.
pub const TEE: u32 = 8;

impl SystemNetwork {
    /// Nothing of water.
    pub fn blank() -> Self {
        Self {
            name: "Chilled water".into(),
            medium: "chilled water".into(),
            domain: Domain::Water,
            network: Network::default(),
            fluid: Fluid::default(),
            link_element: Vec::new(),
            node_element: Vec::new(),
            node_place: Vec::new(),
            link_area_m2: Vec::new(),
            link_part: Vec::new(),
            link_design_m3s: Vec::new(),
            link_heat: Vec::new(),
            node_heat: Vec::new(),
            emitters: Vec::new(),
            design: Default::default(),
            drives: Vec::new(),
            readings: Vec::new(),
            assumptions: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// A machine that makes 6 °C, a pump, 20 m of supply, two coils with a valve each (the second a third of the first),
/// 20 m of return; held at 15 m of head before the machine.
///
/// ```text
/// 0 ─machine─ 1 ─pump─ 2 ─supply─ 3 ┬─valve─ 4 ─coil──┬ 6 ─return─ 0
///                                   └─valve─ 5 ─coil──┘
/// ```
pub fn ring(drives: Vec<Drive>, readings: Vec<Reading>) -> SystemNetwork {
    let node = |id: &str| Node { id: id.into(), elevation: 0.0, kind: NodeKind::Junction(Junction::default()) };
    let mut nodes: Vec<Node> = ["0", "1", "2", "3", "4", "5", "6"].map(node).into();
    nodes[0] = Node { elevation: 15.0, kind: NodeKind::Reservoir { pattern: None }, ..nodes[0].clone() };
    let link = |id: &str, from, to, kind| Link {
        id: id.into(),
        from,
        to,
        kind,
        command: Command::Auto,
        setting: 1.0,
        head_gain: 0.0,
    };
    let pipe = Pipe {
        length: 20.0,
        diameter: 0.08,
        friction: Friction::DarcyWeisbach(4.5e-5),
        minor: 2.0,
        check: false,
        leak: None,
    };
    let valve = |kvs| {
        LinkKind::Kv(KvValve { kvs, characteristic: Characteristic::EqualPercentage(50.0), leak_kv: 0.0, check: false })
    };
    let lossy = |flow| LinkKind::Resistance(Resistance::rated(2e4, flow));
    let network = Network {
        nodes,
        links: vec![
            link("machine", 0, 1, lossy(0.008)),
            link("pump", 1, 2, LinkKind::Pump(Pump { head: PumpHead::Curve(0), efficiency: None, pattern: None })),
            link("supply", 2, 3, LinkKind::Pipe(pipe)),
            link("valve", 3, 4, valve(48.0)),
            link("coil", 4, 6, lossy(0.006)),
            link("small valve", 3, 5, valve(16.0)),
            link("small coil", 5, 6, lossy(0.002)),
            link("return", 6, 0, LinkKind::Pipe(pipe)),
        ],
        curves: vec![Curve { id: "pump".into(), kind: CurveKind::PumpHead, points: vec![(0.008, 9.0)] }],
        ..Network::default()
    };
    let area = 0.25 * std::f64::consts::PI * 0.08 * 0.08;
    let around = |c: f64, ua: f64| LinkHeat { ua_w_k: ua, ambient_c: c, ..LinkHeat::default() };
    let made = LinkHeat { leaves_c: Some(6.0), ..LinkHeat::default() };
    let design = network.boundary();
    SystemNetwork {
        link_element: (0..8).map(|i| Some(Slot(i))).collect(),
        node_element: vec![None, None, None, Some(Slot(TEE)), None, None, None],
        node_place: (0..7).map(|i| Some([f64::from(i), 0.0, 0.0])).collect(),
        link_area_m2: vec![None, None, Some(area), None, None, None, None, Some(area)],
        link_part: vec![
            Part::Source,
            Part::Mover,
            Part::Run,
            Part::Control,
            Part::Consumer,
            Part::Control,
            Part::Consumer,
            Part::Run,
        ],
        link_design_m3s: [0.008, 0.008, 0.008, 0.006, 0.006, 0.002, 0.002, 0.008].map(Some).into(),
        link_heat: vec![
            made,
            LinkHeat::default(),
            around(22.0, 5.0),
            LinkHeat::default(),
            around(26.0, 9000.0),
            LinkHeat::default(),
            around(26.0, 3000.0),
            around(22.0, 5.0),
        ],
        node_heat: vec![NodeHeat { start_c: 6.0, ..NodeHeat::default() }; 7],
        design,
        drives,
        readings,
        network,
        ..SystemNetwork::blank()
    }
}
