//! Read, write and read again: the same network. And an edit touches only what it changes.

use crate::samples;
use plenum::Severity;
use plenum::import::network::inp::{self, FlowUnits, InpFile, PressureUnits, Units};
use plenum::simulation::network::periods::{
    Act, Control, Premise, PumpEnergy, Quantity, Relation, Rule, Timeline, Wanted, When,
};
use plenum::simulation::network::{
    Characteristic, Command, Conventions, Curve, CurveKind, Demand, DemandModel, Emitter, Friction, Junction, KvValve,
    Leak, Link, LinkKind, LossFormula, Network, Node, NodeKind, Pattern, Pipe, Pump, PumpHead, Resistance, Tank,
    TankShape, Valve, ValveKind,
};
use proptest::prelude::*;
use serde_json::Value;

/// The first difference of two documents in which numbers may differ by rounding.
fn difference(a: &Value, b: &Value, path: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            if x.len() != y.len() {
                return Some(format!("{path}: {a} and {b}"));
            }
            x.iter().find_map(|(k, v)| difference(v, y.get(k).unwrap_or(&Value::Null), &format!("{path}.{k}")))
        }
        (Value::Array(x), Value::Array(y)) => {
            if x.len() != y.len() {
                return Some(format!("{path}: {} and {} of them", x.len(), y.len()));
            }
            x.iter().zip(y).enumerate().find_map(|(i, (v, w))| difference(v, w, &format!("{path}[{i}]")))
        }
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().unwrap(), y.as_f64().unwrap());
            ((x - y).abs() > 1e-12 * x.abs().max(y.abs()) + 1e-300).then(|| format!("{path}: {x} and {y}"))
        }
        _ => (a != b).then(|| format!("{path}: {a} and {b}")),
    }
}

fn same(a: &InpFile, b: &InpFile) -> Result<(), String> {
    for (what, x, y) in [
        ("network", serde_json::to_value(&a.network), serde_json::to_value(&b.network)),
        ("timeline", serde_json::to_value(&a.timeline), serde_json::to_value(&b.timeline)),
    ] {
        if let Some(found) = difference(&x.unwrap(), &y.unwrap(), what) {
            return Err(found);
        }
    }
    if a.quality != b.quality && a.units.flow.metric() == b.units.flow.metric() {
        return Err(format!("{:?}\n{:?}", a.quality, b.quality));
    }
    let (mut x, mut y) = (a.drawing.clone(), b.drawing.clone());
    for drawing in [&mut x, &mut y] {
        drawing.nodes.resize(a.network.nodes.len(), None);
        drawing.links.resize(a.network.links.len(), Vec::new());
    }
    if x != y { Err(format!("{x:?}\n{y:?}")) } else { Ok(()) }
}

/// Premises are compared to a thousandth of the file's unit, which other units change.
fn without_tolerance(mut file: InpFile) -> InpFile {
    file.timeline.rules.iter_mut().flat_map(|r| &mut r.premises).for_each(|p| p.tolerance = 0.0);
    file
}

fn all_units(specific_gravity: f64) -> Vec<Units> {
    let mut all = Vec::new();
    for flow in [
        FlowUnits::Cfs,
        FlowUnits::Gpm,
        FlowUnits::Mgd,
        FlowUnits::Imgd,
        FlowUnits::Afd,
        FlowUnits::Lps,
        FlowUnits::Lpm,
        FlowUnits::Mld,
        FlowUnits::Cmh,
        FlowUnits::Cmd,
        FlowUnits::Cms,
    ] {
        all.push(Units { flow, pressure: None, specific_gravity });
    }
    for pressure in
        [PressureUnits::Psi, PressureUnits::Kpa, PressureUnits::Metres, PressureUnits::Bar, PressureUnits::Feet]
    {
        all.push(Units { flow: FlowUnits::Lps, pressure: Some(pressure), specific_gravity });
    }
    all
}

fn comes_back(file: &InpFile, units: Units) -> Result<(), String> {
    let (text, problems) = inp::write(file, units);
    if let Some(problem) = problems.iter().find(|p| p.severity != Severity::Info) {
        return Err(problem.to_string());
    }
    let (again, problems) = inp::read(text.as_bytes(), "again.inp");
    if let Some(problem) = problems.iter().find(|p| p.severity == Severity::Error) {
        return Err(format!("{problem}\n{text}"));
    }
    same(&without_tolerance(file.clone()), &without_tolerance(again)).map_err(|e| format!("{units:?}: {e}"))
}

#[test]
fn samples_come_back_in_any_units() {
    for (_, path) in samples::networks() {
        let (file, _) = inp::read(&std::fs::read(&path).unwrap(), "sample.inp");
        comes_back(&file, file.units).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if file.network.links.len() < 1500 {
            for units in all_units(file.units.specific_gravity) {
                comes_back(&file, units).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            }
        }
        // Nothing changed: the document stays as it is, byte for byte.
        let (document, _) = inp::edited(&file);
        assert!(document.to_bytes() == file.document.to_bytes(), "{} changed", path.display());
    }
}

const TEXT: &str = "[TITLE]\r\n caf\u{e9}\r\n[JUNCTIONS]\r\n;ID Elev\r\n a   10   5 ; near the gate\r\n b   20\r\n c   0  0\r\n[RESERVOIRS]\r\n r 100\r\n[PIPES]\r\n p1 r a 100 200 130 0 Open ;old\r\n p2 a b 100 200 130\r\n p3 b c zero 10 10\r\n p4 b c 10 100 130\r\n[STATUS]\r\n p4 Closed\r\n[DEMANDS]\r\n b 1 ;x\r\n b 2 ;y\r\n[CONTROLS]\r\n LINK p2 CLOSED AT TIME 5 ; lunch\r\n LINK p9 OPEN AT TIME 5\r\n LINK p2 OPEN AT TIME 6\r\n[SCADA]\r\n keep me\r\n[OPTIONS]\r\n Units LPS\r\n[END]\r\n";

#[test]
fn an_edit_touches_what_it_changes() {
    let (mut file, problems) = inp::read(TEXT.as_bytes(), "t.inp");
    assert_eq!(problems.iter().filter(|p| p.severity == Severity::Error).count(), 2, "{problems:#?}");
    let find = |file: &InpFile, id: &str| file.network.links.iter().position(|l| l.id == id).unwrap();
    let (p1, p2, p4) = (find(&file, "p1"), find(&file, "p2"), find(&file, "p4"));
    if let LinkKind::Pipe(pipe) = &mut file.network.links[p1].kind {
        pipe.diameter = 0.3;
    }
    file.network.links[p4].command = Command::Auto;
    file.network.nodes[0].elevation = 11.0;
    if let NodeKind::Junction(b) = &mut file.network.nodes[1].kind {
        b.demands.pop();
    }
    file.timeline.controls[1].when = When::At(7 * 3600);
    file.timeline.controls.push(Control { link: p2, act: Act::Open, when: When::At(60), enabled: true });
    file.timeline.times.duration = 3600;
    file.drawing.place_node(0, [1.0, 2.0]);
    let (document, problems) = inp::edited(&file);
    assert!(problems.is_empty(), "{problems:?}");
    let text = String::from_utf8(document.to_bytes()).unwrap();
    let old: Vec<&str> = TEXT.lines().collect();
    let new: Vec<&str> = text.lines().collect();
    let gone: Vec<&str> = old.iter().filter(|l| !new.contains(l)).copied().collect();
    assert_eq!(gone.len(), 6, "{gone:?}\n{text}");
    assert!(text.contains("\tOpen\t;old") && text.contains("300"), "{text}");
    assert!(
        text.contains("; near the gate") && text.contains("keep me") && text.contains("p3 b c zero 10 10"),
        "{text}"
    );
    assert!(!text.contains('\n') || text.matches('\n').count() == text.matches("\r\n").count());
    assert!(text.contains("[TIMES]") && text.find("[TIMES]") < text.find("[END]"), "{text}");
    let (again, _) = inp::read(text.as_bytes(), "t.inp");
    same(&file, &again).unwrap_or_else(|e| panic!("{e}\n{text}"));
}

#[test]
fn what_is_taken_away_and_added_in_a_document() {
    let (mut file, _) = inp::read(TEXT.as_bytes(), "t.inp");
    file.network.links.retain(|l| l.id != "p2");
    file.timeline.controls.clear();
    let mut pipe = file.network.links[0].clone();
    pipe.id = "new one".into();
    (pipe.from, pipe.to) = (0, 2);
    file.network.links.push(pipe);
    let (document, _) = inp::edited(&file);
    let text = String::from_utf8(document.to_bytes()).unwrap();
    assert!(!text.contains(" p2 a b") && text.contains("\"new one\"\ta\tc"), "{text}");
    let (again, _) = inp::read(text.as_bytes(), "t.inp");
    same(&file, &again).unwrap_or_else(|e| panic!("{e}\n{text}"));
}

fn value() -> impl Strategy<Value = f64> {
    (1u32..100_000).prop_map(|v| f64::from(v) / 997.0)
}

prop_compose! {
    /// A network of every kind of thing that INP holds.
    fn network()(
        count in 3usize..9,
        formula in 0usize..3,
        kinds in proptest::collection::vec((0usize..10, value(), value(), value(), 0usize..4), 4..20),
        ends in proptest::collection::vec((0usize..100, 1usize..100), 20),
        node_values in proptest::collection::vec((value(), value(), 0usize..6), 9),
        factors in proptest::collection::vec(value(), 1..15),
        exponent in prop_oneof![Just(0.5), Just(0.6)],
        model in prop_oneof![Just(None), value().prop_map(Some)],
        default_pattern in prop_oneof![Just(None), Just(Some(0)), Just(Some(1))],
    ) -> InpFile {
        let mut network = Network { title: "made\nby chance".into(), ..Network::default() };
        network.options.conventions = Conventions::Epanet;
        network.options.formula = [LossFormula::HazenWilliams, LossFormula::DarcyWeisbach, LossFormula::ChezyManning][formula];
        network.options.emitter_exponent = exponent;
        network.options.default_pattern = default_pattern;
        network.options.demand_multiplier = 1.25;
        if let Some(v) = model {
            network.options.demand_model = DemandModel::PressureDriven { least: v, required: 2.0 * v + 1.0, exponent: 0.7 };
        }
        network.patterns.push(Pattern { id: "1".into(), factors: factors.clone() });
        network.patterns.push(Pattern { id: "work day".into(), factors });
        let rising = |kind, falling: bool| {
            let points = (0..4).map(|i| (0.01 * f64::from(i) + 0.001, if falling { 40.0 - f64::from(i * i) } else { 0.1 * f64::from(i + 1) })).collect();
            Curve { id: format!("{kind:?}"), kind, points }
        };
        network.curves = vec![
            rising(CurveKind::PumpHead, true),
            rising(CurveKind::Efficiency, false),
            rising(CurveKind::Volume, false),
            rising(CurveKind::HeadLoss, false),
            rising(CurveKind::Opening, false),
            rising(CurveKind::Generic, false),
        ];
        for (at, (a, b, kind)) in node_values.iter().take(count).enumerate() {
            let kind = match kind {
                0 => NodeKind::Junction(Junction { demands: vec![], emitter: Some(Emitter { coefficient: a * 1e-3 }) }),
                1 => NodeKind::Junction(Junction {
                    demands: vec![
                        Demand { base: a * 1e-3, pattern: None, category: "baths".into() },
                        Demand { base: -b * 1e-3, pattern: Some(1), category: String::new() },
                    ],
                    emitter: None,
                }),
                2 | 3 => NodeKind::Junction(Junction { demands: vec![Demand { base: a * 1e-3, pattern: Some(0), category: String::new() }], emitter: None }),
                _ => NodeKind::Junction(Junction::default()),
            };
            network.nodes.push(Node { id: format!("n {at}"), elevation: *a, kind });
        }
        network.nodes.push(Node { id: "lake".into(), elevation: 120.0, kind: NodeKind::Reservoir { pattern: default_pattern } });
        for (id, shape, overflow) in [("t1", TankShape::Cylinder(12.5), false), ("t2", TankShape::Curve(2), true), ("t3", TankShape::Cylinder(3.0), true)] {
            let tank = Tank { initial_level: 2.0, minimum_level: 1.0, maximum_level: 6.0, shape, minimum_volume: 3.0, overflow };
            network.nodes.push(Node { id: id.into(), elevation: 50.0, kind: NodeKind::Tank(tank) });
        }
        let nodes = network.nodes.len();
        // In the order in which a file holds them.
        let mut kinds = kinds;
        kinds.sort_by_key(|k| match k.0 { 0..=2 => 0, 3 => 1, _ => 2 });
        for (at, ((kind, a, b, c, state), (from, step))) in kinds.iter().zip(&ends).enumerate() {
            let from = from % nodes;
            let to = (from + 1 + step % (nodes - 1)) % nodes;
            let friction = match network.options.formula {
                LossFormula::HazenWilliams => Friction::HazenWilliams(*b),
                LossFormula::DarcyWeisbach => Friction::DarcyWeisbach(b * 1e-4),
                LossFormula::ChezyManning => Friction::ChezyManning(b * 1e-3),
            };
            let valve = |kind| LinkKind::Valve(Valve { kind, diameter: c * 1e-2, minor: *b });
            let leak = (*state == 1).then_some(Leak { area: a * 1e-8, expansion: b * 1e-9 });
            let mut setting = 0.0;
            let link = match kind {
                0..=2 => LinkKind::Pipe(Pipe { length: *a, diameter: c * 1e-2, friction, minor: 0.5, check: *kind == 2, leak }),
                3 => {
                    setting = if *state == 0 { 1.0 } else { 0.8 };
                    let head = if *state < 2 { PumpHead::Curve(0) } else { PumpHead::Power(a * 1000.0) };
                    LinkKind::Pump(Pump { head, efficiency: (*state == 1).then_some(1), pattern: (*state == 2).then_some(1) })
                }
                n => {
                    setting = *a;
                    valve([
                        ValveKind::PressureReducing, ValveKind::PressureSustaining, ValveKind::PressureBreaker,
                        ValveKind::FlowControl, ValveKind::Throttle, ValveKind::GeneralPurpose { curve: 3 },
                    ][n - 4])
                }
            };
            let (link, setting) = match link {
                LinkKind::Valve(v) if matches!(v.kind, ValveKind::GeneralPurpose { .. }) => (LinkKind::Valve(v), 0.0),
                LinkKind::Valve(v) if *state == 3 => {
                    let kind = ValveKind::PositionalControl { curve: (v.minor > 50.0).then_some(4) };
                    (LinkKind::Valve(Valve { kind, ..v }), setting / (setting + 1.0))
                }
                other => (other, setting),
            };
            let check = matches!(&link, LinkKind::Pipe(p) if p.check);
            let command = match (&link, state) {
                (_, 2) if !check => Command::Closed,
                (LinkKind::Valve(v), 1) if !matches!(v.kind, ValveKind::GeneralPurpose { .. }) => Command::Open,
                _ => Command::Auto,
            };
            network.links.push(Link { id: format!("L{at}"), from, to, kind: link, command, setting, head_gain: 0.0 });
        }
        let free: Vec<usize> = (0..network.links.len()).filter(|at| !matches!(&network.links[*at].kind, LinkKind::Pipe(p) if p.check)).collect();
        let mut timeline = Timeline::default();
        timeline.times.duration = 7 * 3600;
        timeline.times.clock_start = 6 * 3600;
        timeline.times.rule_step = 77;
        timeline.energy.price = 0.125;
        if let Some(link) = free.first().copied() {
            let act = match &network.links[link].kind {
                LinkKind::Pump(_) => Act::Set(0.75),
                LinkKind::Valve(v) if !matches!(v.kind, ValveKind::GeneralPurpose { .. }) => Act::Set(0.25),
                _ => Act::Open,
            };
            let tank = nodes - 1;
            for (when, enabled) in [
                (When::Below { node: tank, level_m: 3.25 }, true),
                (When::Above { node: 0, level_m: 17.5 }, false),
                (When::At(3661), true),
                (When::Daily(7 * 3600), true),
            ] {
                timeline.controls.push(Control { link, act, when, enabled });
            }
            let premise = |or, of, relation, wanted| Premise { or, of, relation, wanted, tolerance: 0.0 };
            let mut premises = vec![
                premise(false, Quantity::Time, Relation::AtLeast, Wanted::Number(7200.0)),
                premise(false, Quantity::Level(tank), Relation::Below, Wanted::Number(3.5)),
                premise(true, Quantity::Pressure(0), Relation::Above, Wanted::Number(12.0)),
                premise(false, Quantity::FillTime(tank), Relation::AtMost, Wanted::Number(5400.0)),
                premise(true, Quantity::Flow(link), Relation::NotEqual, Wanted::Number(0.015)),
                premise(false, Quantity::Status(link), Relation::Equal, Wanted::Closed),
                premise(true, Quantity::TotalDemand, Relation::Above, Wanted::Number(0.5)),
            ];
            premises[0].or = false;
            timeline.rules.push(Rule { name: "one".into(), premises, then: vec![(link, Act::Close)], otherwise: vec![(link, act), (link, Act::Open)], priority: 3.0, disabled: false });
        }
        if let Some(link) = network.links.iter().position(|l| matches!(l.kind, LinkKind::Pump(_))) {
            timeline.energy.pumps.push(PumpEnergy { link, price: Some(0.5), pattern: Some(1) });
        }
        InpFile { network, timeline, ..InpFile::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn made_networks_come_back(mut file in network(), unit in 0usize..16, gravity in prop_oneof![Just(1.0), Just(0.9)]) {
        file.network.fluid.specific_gravity = gravity;
        file.units.specific_gravity = gravity;
        let units = all_units(gravity)[unit];
        if let Err(e) = comes_back(&file, units) {
            return Err(TestCaseError::fail(e));
        }
    }

    #[test]
    fn an_edit_of_a_made_network_is_what_is_read(file in network(), other in network(), unit in 0usize..16) {
        let (text, _) = inp::write(&file, all_units(1.0)[unit]);
        let (mut read, _) = inp::read(text.as_bytes(), "made.inp");
        (read.network, read.timeline) = (other.network, other.timeline);
        let (document, problems) = inp::edited(&read);
        prop_assert!(problems.iter().all(|p| p.severity == Severity::Info), "{problems:?}");
        let bytes = document.to_bytes();
        let (again, problems) = inp::read(&bytes, "edited.inp");
        prop_assert!(problems.iter().all(|p| p.severity != Severity::Error), "{problems:?}");
        // Their order is that of the lines; what they are is compared by name.
        let (mut a, mut b) = (again.network.clone(), read.network.clone());
        for network in [&mut a, &mut b] {
            network.links.sort_by(|a, b| a.id.cmp(&b.id));
            network.nodes.sort_by(|a, b| a.id.cmp(&b.id));
        }
        let names = |n: &Network| n.nodes.iter().map(|n| n.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(names(&a), names(&b));
        prop_assert_eq!(a.links.len(), b.links.len());
        for (x, y) in a.links.iter().zip(&b.links) {
            prop_assert_eq!(&again.network.nodes[x.from].id, &read.network.nodes[y.from].id);
            let (s, t) = (serde_json::to_value(x.setting).unwrap(), serde_json::to_value(y.setting).unwrap());
            prop_assert!(difference(&s, &t, &x.id).is_none(), "{:?} {:?}", x, y);
            prop_assert_eq!(x.command, y.command, "{}", x.id);
        }
        prop_assert_eq!(again.timeline.rules.len(), read.timeline.rules.len());
    }
}

#[test]
fn what_inp_has_no_word_for_is_told() {
    let (file, _) = inp::read(TEXT.as_bytes(), "t.inp");
    let with = |kind: LinkKind| {
        let mut file = file.clone();
        file.network.links[1].kind = kind;
        let (text, problems) = inp::write(&file, file.units);
        let (again, _) = inp::read(text.as_bytes(), "t.inp");
        (again.network.links.iter().find(|l| l.id == file.network.links[1].id).cloned(), problems)
    };
    // 10 kPa at 5 L/s as a coil: the same loss as a throttle valve.
    let (coil, problems) = with(LinkKind::Resistance(Resistance::rated(10_000.0, 0.005)));
    let coil = coil.expect("a valve");
    let LinkKind::Valve(valve) = coil.kind else { panic!("a valve") };
    let velocity = 0.005 / (0.25 * std::f64::consts::PI * valve.diameter * valve.diameter);
    let pascal = coil.setting * 998.2 * velocity * velocity / 2.0;
    assert!((pascal - 10_000.0).abs() < 1e-6, "{pascal}");
    assert_eq!(problems[0].severity, Severity::Info);
    // Kv 18 m³/h fully open: 1 bar at 18 m³/h.
    let kv = KvValve { kvs: 36.0, characteristic: Characteristic::Linear, leak_kv: 0.0, check: false };
    let (mut open, _) = (file.clone(), ());
    (open.network.links[1].kind, open.network.links[1].setting) = (LinkKind::Kv(kv), 0.5);
    let (text, _) = inp::write(&open, open.units);
    let (again, _) = inp::read(text.as_bytes(), "t.inp");
    let valve = again.network.links.iter().find(|l| matches!(l.kind, LinkKind::Valve(_))).expect("a valve");
    let LinkKind::Valve(kind) = &valve.kind else { panic!("a valve") };
    let velocity = 18.0 / 3600.0 / (0.25 * std::f64::consts::PI * kind.diameter * kind.diameter);
    assert!((valve.setting * 998.2 * velocity * velocity / 2.0 - 1e5 * 0.9982).abs() < 1e-3);
    // A crack has no like: it is left out, and told.
    let (crack, problems) = with(LinkKind::Leakage { coefficient: 1e-3, exponent: 0.65 });
    assert!(crack.is_none() && problems[0].severity == Severity::Error, "{problems:?}");
    // Pipes of two formulas do not fit into one file; of one, whatever the options say, they do.
    let mut mixed = file.clone();
    let rough = |file: &mut InpFile, at: usize| {
        if let LinkKind::Pipe(pipe) = &mut file.network.links[at].kind {
            pipe.friction = Friction::DarcyWeisbach(1e-4);
        }
    };
    rough(&mut mixed, 0);
    assert!(inp::write(&mixed, mixed.units).1.iter().any(|p| p.severity == Severity::Error));
    (0..mixed.network.links.len()).for_each(|at| rough(&mut mixed, at));
    let (text, problems) = inp::write(&mixed, mixed.units);
    assert!(problems.is_empty() && text.contains("D-W"), "{problems:?}");
    // Names that would break the file.
    mixed.network.nodes[0].id = "a;b".into();
    mixed.network.nodes[1].id = "a name that is longer than what EPANET takes".into();
    let (text, problems) = inp::write(&mixed, mixed.units);
    assert!(
        problems.len() >= 2
            && text.contains("a_b")
            && inp::read(text.as_bytes(), "t").1.iter().all(|p| p.severity != Severity::Error)
    );
}
