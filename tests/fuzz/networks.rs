//! Flow networks: INP files there and back, pandapipes nets, and the solver on networks that are made of bytes.

use crate::engine::{Fuzz, outcome_of, then};
use crate::models::told;
use plenum::import::network::{inp, pandapipes};
use plenum::simulation::network::{
    Accuracy, BladeDamper, Boundary, Characteristic, Command, Curve, CurveKind, Demand, DemandModel, Duct, Emitter,
    Fan, Fluid, Friction, Junction, KvValve, Leak, Link, LinkKind, Network, Node, NodeKind, Pipe, Pump, PumpHead,
    Resistance, Solution, Solver, Status, Tank, TankShape, Valve, ValveKind,
};
use plenum::{Problem, Severity};
use serde_json::json;

const INP_WORDS: [&str; 64] = [
    "[JUNCTIONS]",
    "[RESERVOIRS]",
    "[TANKS]",
    "[PIPES]",
    "[PUMPS]",
    "[VALVES]",
    "[DEMANDS]",
    "[STATUS]",
    "[PATTERNS]",
    "[CURVES]",
    "[CONTROLS]",
    "[RULES]",
    "[ENERGY]",
    "[EMITTERS]",
    "[LEAKAGE]",
    "[QUALITY]",
    "[REACTIONS]",
    "[MIXING]",
    "[TIMES]",
    "[OPTIONS]",
    "[REPORT]",
    "[COORDINATES]",
    "[VERTICES]",
    "[END]",
    "RULE x\n",
    "IF ",
    "THEN ",
    "ELSE ",
    "AND ",
    "PRIORITY ",
    "LINK ",
    "NODE ",
    "SYSTEM ",
    "OPEN",
    "CLOSED",
    "CV",
    "PRV",
    "PSV",
    "PBV",
    "FCV",
    "TCV",
    "GPV",
    "PCV",
    "HEAD ",
    "POWER ",
    "SPEED ",
    "PATTERN ",
    "UNITS ",
    "CMH",
    "GPM",
    "HEADLOSS D-W",
    "HEADLOSS C-M",
    "DEMAND MODEL PDA",
    "BACKFLOW ALLOWED NO",
    "ABOVE",
    "BELOW",
    "AT TIME ",
    "CLOCKTIME ",
    "\u{feff}",
    "\r\n",
    "\t",
    ";",
    "\"",
    "*",
];

/// Nothing larger is solved here: what the reader makes of a file says enough.
const MOST_NODES: usize = 60;

/// Heads and flows there must be for every node and link, and what is said to be solved must be.
fn sound(network: &Network, boundary: &Boundary, solution: &Solution, tolerance: f64) {
    assert_eq!(solution.head.len(), network.nodes.len());
    assert_eq!(solution.flow.len(), network.links.len());
    if !solution.converged {
        return;
    }
    assert!(solution.mass_residual <= tolerance && solution.head_residual <= tolerance, "{solution:?}");
    assert!(solution.flow.iter().chain(&solution.demand).all(|q| q.is_finite()), "{solution:?}");
    let mut left: Vec<f64> = solution.demand.iter().map(|d| -d).collect();
    let mut most: f64 = solution.demand.iter().fold(0.0, |most, d| d.abs().max(most));
    for (link, q) in network.links.iter().zip(&solution.flow) {
        if let (Some(_), Some(_)) = (network.nodes.get(link.from), network.nodes.get(link.to)) {
            left[link.from] -= q;
            left[link.to] += q;
            most = most.max(q.abs());
        }
    }
    // Sums of flows of millions of m³/s are not better than their digits.
    let close = 2.0 * tolerance + 1e-9 * most;
    for (v, left) in left.iter().enumerate() {
        assert!(left.abs() <= close * 8.0, "node {v} is {left} m³/s off: {solution:?}");
    }
    for (v, head) in solution.head.iter().enumerate() {
        let cut = solution.cut_off.iter().any(|&(_, node)| node == v);
        assert_eq!(head.is_nan(), cut, "node {v}: {head}, {solution:?}");
    }
    for (l, link) in network.links.iter().enumerate() {
        let way = match &link.kind {
            LinkKind::Pipe(pipe) => pipe.check,
            LinkKind::Pump(_) | LinkKind::Fan(_) => true,
            _ => false,
        };
        let frozen = solution.frozen.contains(&l);
        assert!(!way || frozen || solution.flow[l] >= -1e-6 - close, "link {l} runs backwards: {solution:?}");
        let shut = matches!(solution.status[l], Status::Closed | Status::Blocked);
        assert!(!shut || solution.flow[l] == 0.0, "link {l} is shut and flows: {solution:?}");
    }
    assert_eq!(boundary.demand.len(), network.nodes.len());
}

fn solved(network: &Network, tolerance: f64) -> (u64, bool) {
    let (mut solver, problems) = Solver::new(network);
    told(&problems);
    let boundary = network.boundary();
    let cold = solver.solve(&boundary, Accuracy::both(tolerance)).clone();
    sound(network, &boundary, &cold, tolerance);
    told(&cold.problems(network));
    let mut outcome = outcome_of(problems.iter().map(|p| p.message.as_str()));
    for status in &cold.status {
        outcome = then(outcome, *status as u64);
    }
    outcome = then(
        outcome,
        u64::from(cold.converged) * 64 + cold.zones().len().min(7) as u64 * 8 + cold.frozen.len().min(7) as u64,
    );
    // Other demands, from there.
    let mut other = boundary.clone();
    for demand in &mut other.demand {
        *demand *= 1.1;
    }
    let warm = solver.solve(&other, Accuracy::both(tolerance)).clone();
    sound(network, &other, &warm, tolerance);
    (outcome, cold.converged && warm.converged)
}

pub fn inp() {
    let seeds = [
        include_str!("../network/epanet/darcy_weisbach_us.inp"),
        include_str!("../network/epanet/leakage_low.inp"),
        include_str!("../network/epanet/pressure_driven.inp"),
        include_str!("../network/epanet/valves_of_all_kinds.inp"),
        include_str!("../network/epanet/pumps_parallel.inp"),
        include_str!("../network/epanet/gpv.inp"),
        BUSY,
    ];
    Fuzz::new("inp").longest(6000).seeds(seeds).words(&INP_WORDS).run(|input| {
        let (file, problems) = inp::read(input, "fuzz.inp");
        told(&problems);
        let mut outcome = outcome_of(problems.iter().map(|p| p.message.as_str()));
        let (document, _) = inp::edited(&file);
        assert_eq!(document.to_bytes(), input, "nothing was edited");
        let (text, lost) = inp::write(&file, file.units);
        told(&lost);
        let (again, wrong) = inp::read(text.as_bytes(), "again.inp");
        if lost.iter().all(|p| p.severity == Severity::Info) && !file.network.nodes.is_empty() {
            let error = |p: &&Problem| p.severity == Severity::Error;
            assert!(wrong.iter().find(error).is_none(), "{wrong:?}\n{text}");
            let counts = |f: &inp::InpFile| {
                let n = &f.network;
                let t = &f.timeline;
                [n.nodes.len(), n.links.len(), n.curves.len(), n.patterns.len(), t.controls.len(), t.rules.len()]
            };
            assert_eq!(counts(&file), counts(&again), "{text}");
        }
        if file.network.nodes.len() <= MOST_NODES {
            outcome = then(outcome, solved(&file.network, 1e-6).0);
        }
        outcome
    });
}

/// A net as pandapipes writes it, small, with one of everything.
fn net() -> String {
    let frame = |columns: &[&str], rows: serde_json::Value| {
        let index: Vec<usize> = (0..rows.as_array().map_or(0, Vec::len)).collect();
        let text = json!({"columns": columns, "index": index, "data": rows}).to_string();
        json!({"_module": "pandas.core.frame", "_class": "DataFrame", "_object": text, "orient": "split"})
    };
    let constant = |v: f64| json!({"_class": "FluidPropertyConstant", "_object": json!({"value": v}).to_string()});
    let fluid = json!({"is_gas": false, "all_properties":
        {"density": constant(998.2), "viscosity": constant(1e-3), "heat_capacity": constant(4.18)}});
    let kind = json!({"name": "P1", "reg_par": {"_module": "numpy", "_object": [-0.0001, -0.01, 6.1]}}).to_string();
    json!({"_module": "pandapipes.pandapipes_net", "_class": "pandapipesNet", "_object": {
        "name": "fuzz",
        "fluid": {"_class": "Fluid", "_object": fluid.to_string()},
        "std_type": {"pump": {"P1": {"_object": kind}}},
        "junction": frame(&["height_m", "tfluid_k", "in_service"],
            json!([[0.0, 293.15, true], [10.0, 293.15, true], [5.0, 293.15, true], [0.0, 330.0, false], [2.0, 310.0, true]])),
        "ext_grid": frame(&["junction", "p_bar", "t_k", "type"], json!([[0, 2.0, 333.15, "pt"]])),
        "sink": frame(&["junction", "mdot_kg_per_s", "scaling"], json!([[2, 3.0, 1.0], [4, 0.5, 2.0]])),
        "source": frame(&["junction", "mdot_kg_per_s"], json!([[1, 1.0]])),
        "pipe": frame(&["from_junction", "to_junction", "length_km", "diameter_m", "k_mm", "sections", "alpha_w_per_m2k", "text_k"],
            json!([[0, 1, 0.5, 0.1, 0.2, 4, 10.0, 283.15], [1, 2, 0.5, 0.1, 0.2, 1, 0.0, 283.15], [2, 4, 0.1, 0.05, 0.1, 2, 1.0, 280.0]])),
        "valve": frame(&["from_junction", "to_junction", "diameter_m", "opened", "loss_coefficient"], json!([[1, 4, 0.1, true, 2.0]])),
        "heat_exchanger": frame(&["from_junction", "to_junction", "diameter_m", "qext_w"], json!([[2, 4, 0.05, 500.0]])),
        "pump": frame(&["from_junction", "to_junction", "std_type"], json!([[0, 2, "P1"]])),
        "flow_control": frame(&["from_junction"], json!([[0]]))
    }})
    .to_string()
}

pub fn pandapipes() {
    let words = [
        "null",
        "true",
        "false",
        "-1",
        "1e308",
        "0",
        "\\\"",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\\\"data\\\"",
        "NaN",
        "\\\"index\\\"",
        "\\\"columns\\\"",
        "\"_object\"",
        "\"DataFrame\"",
        "is_gas",
        "reg_par",
        "height_m",
        "p_bar",
        "sections",
        "diameter_m",
        "from_junction",
        "999999999999",
        "-0.0",
        "1e-308",
        "\\\\",
        "circ_pump_mass",
    ];
    Fuzz::new("pandapipes").longest(8000).seeds([net()]).words(&words).run(|input| {
        let (net, problems) = pandapipes::read(input, "fuzz.json");
        told(&problems);
        let nodes = net.network.nodes.len();
        assert_eq!([net.junctions.len(), net.height_m.len(), net.start_c.len()], [nodes; 3]);
        assert!(net.warmth.iter().all(|w| w.link < net.network.links.len()));
        let outcome = outcome_of(problems.iter().map(|p| p.message.as_str()));
        if nodes > MOST_NODES { outcome } else { then(outcome, solved(&net.network, 1e-6).0) }
    });
}

/// Takes a network out of bytes; when they are at their end, noughts.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// One of these; with luck something absurd.
    fn value(&mut self, low: f64, high: f64) -> f64 {
        match self.next() {
            255 => f64::NAN,
            254 => f64::INFINITY,
            253 => -high,
            252 => 0.0,
            251 => 1e300,
            250 => 1e-300,
            // By its logarithm where it can be: sizes differ by factors.
            b if low > 0.0 => low * (high / low).powf(f64::from(b) / 249.0),
            b => low + (high - low) * f64::from(b) / 249.0,
        }
    }

    fn curve(&mut self, network: &mut Network, x: f64, y: f64, falls: bool) -> usize {
        let count = [1, 3, 5, 2][usize::from(self.next() % 4)];
        let step = x * self.value(0.1, 2.0) / 3.0;
        let mut points = Vec::new();
        for at in 0..count {
            let part = f64::from(at) / f64::from(count);
            let rises = if falls { 1.0 - part * part } else { part * part };
            points.push((step * f64::from(at), y * rises));
        }
        if count == 1 {
            points = vec![(x, y)];
        }
        network.curves.push(Curve { id: format!("c{}", network.curves.len()), kind: CurveKind::Generic, points });
        network.curves.len() - 1
    }

    fn node(&mut self, v: usize) -> Node {
        let kind = match self.next() % 8 {
            0 => NodeKind::Reservoir { pattern: None },
            1 => NodeKind::Tank(Tank {
                initial_level: self.value(0.0, 6.0),
                minimum_level: 0.5,
                maximum_level: 5.0,
                shape: TankShape::Cylinder(10.0),
                minimum_volume: 0.0,
                overflow: self.next().is_multiple_of(4),
            }),
            sort => NodeKind::Junction(Junction {
                demands: vec![Demand { base: self.value(-0.005, 0.01), ..Demand::default() }],
                emitter: (sort == 2).then(|| Emitter { coefficient: self.value(1e-5, 1e-2) }),
            }),
        };
        Node { id: format!("n{v}"), elevation: self.value(0.0, 80.0), kind }
    }

    fn link(&mut self, network: &mut Network, nodes: usize) -> Link {
        let (from, to) = (usize::from(self.next()) % (nodes + 1), usize::from(self.next()) % nodes);
        let from = if from == nodes { to } else { from };
        let (id, mut setting) = (format!("l{}", network.links.len()), 0.0);
        let sort = self.next() % 20;
        let kind = match sort {
            0..=7 => {
                let friction = match sort {
                    0..=4 => Friction::HazenWilliams(self.value(60.0, 150.0)),
                    5 | 6 => Friction::DarcyWeisbach(self.value(1e-6, 1e-3)),
                    _ => Friction::ChezyManning(self.value(0.008, 0.02)),
                };
                let leak = (sort == 4).then(|| Leak { area: self.value(1e-9, 1e-6), expansion: self.value(0.0, 1e-8) });
                let (length, diameter) = (self.value(0.1, 2000.0), self.value(0.02, 1.0));
                LinkKind::Pipe(Pipe { length, diameter, friction, minor: self.value(0.0, 5.0), check: sort == 3, leak })
            }
            8..=14 => {
                let kind = match sort {
                    8 => ValveKind::PressureReducing,
                    9 => ValveKind::PressureSustaining,
                    10 => ValveKind::PressureBreaker,
                    11 => ValveKind::FlowControl,
                    12 => ValveKind::Throttle,
                    13 => ValveKind::GeneralPurpose { curve: self.curve(network, 0.02, 20.0, false) },
                    _ => ValveKind::PositionalControl { curve: None },
                };
                setting = match sort {
                    11 => self.value(1e-4, 0.05),
                    14 => self.value(0.0, 1.0),
                    _ => self.value(0.0, 70.0),
                };
                LinkKind::Valve(Valve { kind, diameter: self.value(0.05, 0.5), minor: self.value(0.0, 5.0) })
            }
            15 => {
                setting = self.value(0.0, 1.2);
                let head = PumpHead::Curve(self.curve(network, 0.02, 40.0, true));
                LinkKind::Pump(Pump { head, efficiency: None, pattern: None })
            }
            16 => {
                setting = self.value(0.0, 1.2);
                LinkKind::Pump(Pump { head: PumpHead::Power(self.value(10.0, 1e5)), efficiency: None, pattern: None })
            }
            17 => {
                setting = self.value(0.0, 1.0);
                if self.next().is_multiple_of(2) {
                    LinkKind::Damper(BladeDamper {
                        area: self.value(0.01, 2.0),
                        open_loss: 0.3,
                        closed_loss: self.value(0.0, 1e6),
                    })
                } else {
                    let characteristic = Characteristic::EqualPercentage(50.0);
                    LinkKind::Kv(KvValve {
                        kvs: self.value(0.1, 500.0),
                        characteristic,
                        leak_kv: 0.0,
                        check: self.next().is_multiple_of(2),
                    })
                }
            }
            18 => match self.next() % 3 {
                0 => LinkKind::Duct(Duct::round(self.value(0.1, 100.0), self.value(0.05, 2.0), 1e-4, 1.0)),
                1 => LinkKind::Leakage { coefficient: self.value(1e-6, 1e-2), exponent: self.value(0.5, 1.0) },
                _ => {
                    setting = self.value(0.0, 1.2);
                    let curve = self.curve(network, 1.0, 800.0, true);
                    LinkKind::Fan(Fan { curve, density: 1.2, efficiency: None })
                }
            },
            _ if self.next().is_multiple_of(4) => {
                setting = self.value(-0.01, 0.01);
                LinkKind::FixedFlow
            }
            _ => LinkKind::Resistance(Resistance {
                k: self.value(1e4, 1e10),
                exponent: self.value(1.0, 2.0),
                check: self.next().is_multiple_of(3),
            }),
        };
        let command = [Command::Auto, Command::Auto, Command::Auto, Command::Auto, Command::Open, Command::Closed]
            [usize::from(self.next() % 6)];
        Link { id, from, to, kind, command, setting, head_gain: 0.0 }
    }

    fn network(&mut self) -> Network {
        let mut network = Network::default();
        let shape = self.next();
        if shape & 1 == 1 {
            network.options.emitter_backflow = false;
        }
        if shape & 6 == 6 {
            network.options.demand_model = DemandModel::PressureDriven { least: 2.0, required: 20.0, exponent: 0.5 };
        }
        if shape & 56 == 56 {
            network.fluid = Fluid::air();
        }
        let nodes = 2 + usize::from(self.next() % 10);
        for v in 0..nodes {
            let node = self.node(v);
            network.nodes.push(node);
        }
        let links = 1 + usize::from(self.next() % 16);
        for _ in 0..links {
            let link = self.link(&mut network, nodes);
            network.links.push(link);
        }
        network
    }
}

/// Whether nothing about it is absurd: then it has to be solved.
fn sane(network: &Network, input: &[u8]) -> bool {
    !input.iter().any(|b| *b >= 250) && Solver::new(network).1.is_empty()
}

pub fn solver() {
    // Bytes in no order, by the remainder of a multiplication: a hundred networks to begin with.
    let mut state = 12_345u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 24) as u8) % 250
    };
    let seeds: Vec<Vec<u8>> = (0..100).map(|_| (0..160).map(|_| byte()).collect()).collect();
    let (mut whole, mut open) = (0u64, 0u64);
    Fuzz::new("solver").longest(240).seeds(seeds).run(|input| {
        let network = Bytes(input).network();
        let (outcome, converged) = solved(&network, 1e-7);
        if sane(&network, input) {
            whole += 1;
            open += u64::from(!converged);
        }
        outcome
    });
    println!("solver: {whole} networks without anything absurd, {open} of them not solved");
}

/// A file of everything that changes over time.
const BUSY: &str = "[TITLE]\nbusy\n[JUNCTIONS]\n a 10 12\n b 12 8 day\n c 15 6\n[RESERVOIRS]\n lake 30 sea\n[TANKS]\n t1 55 3 0.5 6 9 0\n t2 52 4 1 7 10 0 vol YES\n\
[PIPES]\n p1 a b 400 250 120 0\n p2 b c 500 200 110 0.4 CV\n p3 c t1 200 200 120\n p4 c t2 200 200 120\n[PUMPS]\n u1 lake a HEAD big\n u2 lake a HEAD small SPEED 0.9 PATTERN turns\n\
[STATUS]\n u2 Closed\n[PATTERNS]\n day 0.5 0.8 1.6\n sea 1 1.05\n turns 1 0\n[CURVES]\n big 40 45\n small 0 60\n small 15 48\n small 30 20\n vol 0 0\n vol 2 150\n vol 8 600\n eff 0 30\n eff 40 60\n\
[ENERGY]\n GLOBAL EFFIC 65\n PUMP u1 EFFIC eff\n PUMP u1 PRICE 0.1\n[CONTROLS]\n LINK u1 CLOSED IF NODE t1 ABOVE 5.2\n LINK u1 OPEN AT TIME 5:30\n LINK p4 CLOSED AT CLOCKTIME 3 PM\n\
[RULES]\nRULE fill\nIF TANK t2 LEVEL BELOW 3.1\nAND SYSTEM CLOCKTIME >= 6 AM\nTHEN PUMP u2 STATUS IS OPEN\nELSE PUMP u2 SETTING IS 0.5\nPRIORITY 3\n\
[DEMANDS]\n c 2 day ;baths\n c 3\n[QUALITY]\n a 0.5\n[SOURCES]\n lake CONCEN 1 day\n[REACTIONS]\n GLOBAL BULK -0.5\n TANK t1 -0.4\n[MIXING]\n t1 2COMP 0.5\n\
[TIMES]\n DURATION 48:00\n PATTERN TIMESTEP 2:00\n START CLOCKTIME 5 AM\n[REPORT]\n STATUS YES\n NODES ALL\n[OPTIONS]\n UNITS LPS\n HEADLOSS H-W\n QUALITY CHLORINE MG/L\n PATTERN day\n\
[COORDINATES]\n a 1 2\n[VERTICES]\n p1 3 4\n[LABELS]\n 1 2 \"gate\"\n[TAGS]\n NODE a north\n[BACKDROP]\n DIMENSIONS 0 0 10 10\n[SCADA]\n keep me\n[END]\n";
