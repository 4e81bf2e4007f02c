//! Valves, pumps, tanks and outflows that switch or give way, each where the answer is known.

use plenum::simulation::network::{
    Accuracy, Characteristic, Command, Curve, CurveKind, Demand, DemandModel, Emitter, Fluid, Friction, Junction,
    KvValve, Link, LinkKind, Network, Node, NodeKind, Pipe, Pump, PumpHead, Refused, Solution, Solver, Status, Tank,
    TankShape, Valve, ValveKind,
};

fn node(id: &str, elevation: f64, demand: f64) -> Node {
    let demands = vec![Demand { base: demand, ..Demand::default() }];
    Node { id: id.into(), elevation, kind: NodeKind::Junction(Junction { demands, emitter: None }) }
}

fn source(id: &str, head: f64) -> Node {
    Node { id: id.into(), elevation: head, kind: NodeKind::Reservoir { pattern: None } }
}

fn pipe(check: bool) -> LinkKind {
    let friction = Friction::HazenWilliams(130.0);
    LinkKind::Pipe(Pipe { length: 100.0, diameter: 0.2, friction, minor: 0.0, check, leak: None })
}

fn valve(kind: ValveKind) -> LinkKind {
    LinkKind::Valve(Valve { kind, diameter: 0.2, minor: 0.0 })
}

fn link(from: usize, to: usize, kind: LinkKind, setting: f64) -> Link {
    let id = format!("l{from}-{to}");
    Link { id, from, to, kind, command: Command::Auto, setting, head_gain: 0.0 }
}

/// A source, a link under test between two pipes, and a demand.
fn line(kind: LinkKind, setting: f64, demand: f64, far: Option<f64>) -> Network {
    let nodes = vec![source("s", 100.0), node("a", 20.0, 0.0), node("b", 20.0, 0.0), node("d", 10.0, demand)];
    let links = vec![link(0, 1, pipe(false), 0.0), link(1, 2, kind, setting), link(2, 3, pipe(false), 0.0)];
    let mut network = Network { nodes, links, ..Network::default() };
    if let Some(head) = far {
        network.nodes.push(source("t", head));
        network.links.push(link(3, 4, pipe(false), 0.0));
    }
    network
}

fn solve(network: &Network) -> Solution {
    let (mut solver, problems) = Solver::new(network);
    assert!(problems.is_empty(), "{problems:?}");
    let solution = solver.solve(&network.boundary(), Accuracy::both(1e-8)).clone();
    assert!(solution.converged && solution.frozen.is_empty(), "{:?}", solution.problems(network));
    solution
}

#[test]
fn a_reducing_valve_holds_gives_up_and_shuts() {
    let active = solve(&line(valve(ValveKind::PressureReducing), 30.0, 0.01, None));
    assert_eq!(active.status[1], Status::Active);
    assert!((active.head[2] - 50.0).abs() < 1e-9 && (active.flow[1] - 0.01).abs() < 1e-9);
    let open = solve(&line(valve(ValveKind::PressureReducing), 90.0, 0.01, None));
    assert_eq!(open.status[1], Status::Open);
    assert!((open.head[1] - open.head[2]).abs() < 1e-4);
    let shut = solve(&line(valve(ValveKind::PressureReducing), 30.0, 0.01, Some(120.0)));
    assert_eq!((shut.status[1], shut.flow[1]), (Status::Blocked, 0.0));
}

#[test]
fn two_reducing_valves_in_a_row_hold_both() {
    let mut network = line(valve(ValveKind::PressureReducing), 40.0, 0.01, None);
    network.nodes.push(node("e", 0.0, 0.02));
    network.links.push(link(3, 4, valve(ValveKind::PressureReducing), 25.0));
    let solution = solve(&network);
    assert!((solution.head[2] - 60.0).abs() < 1e-9 && (solution.head[4] - 25.0).abs() < 1e-9);
    assert!((solution.flow[1] - 0.03).abs() < 1e-9 && (solution.flow[3] - 0.02).abs() < 1e-9);
}

#[test]
fn a_sustaining_valve_keeps_the_pressure_before_it() {
    let active = solve(&line(valve(ValveKind::PressureSustaining), 79.0, 0.0, Some(30.0)));
    assert_eq!(active.status[1], Status::Active);
    assert!((active.head[1] - 99.0).abs() < 1e-9 && active.flow[1] > 0.0);
    let open = solve(&line(valve(ValveKind::PressureSustaining), 20.0, 0.0, Some(30.0)));
    assert_eq!(open.status[1], Status::Open);
}

#[test]
fn a_flow_valve_lets_no_more_through_and_less_where_less_comes() {
    let active = solve(&line(valve(ValveKind::FlowControl), 0.02, 0.0, Some(30.0)));
    assert_eq!(active.status[1], Status::Active);
    assert!((active.flow[1] - 0.02).abs() < 1e-9);
    let open = solve(&line(valve(ValveKind::FlowControl), 0.5, 0.01, None));
    assert_eq!(open.status[1], Status::Open);
    assert!((open.flow[1] - 0.01).abs() < 1e-9);
}

#[test]
fn a_breaker_and_a_throttle_take_their_head() {
    let breaker = solve(&line(valve(ValveKind::PressureBreaker), 25.0, 0.01, None));
    assert!((breaker.head[1] - breaker.head[2] - 25.0).abs() < 1e-6);
    let throttle = solve(&line(valve(ValveKind::Throttle), 50.0, 0.01, None));
    let velocity = 0.01 / (0.01 * std::f64::consts::PI);
    let wanted = 50.0 * velocity * velocity / (2.0 * 9.80665);
    assert!((throttle.head[1] - throttle.head[2] - wanted).abs() < 1e-6);
}

#[test]
fn a_valve_by_kv_takes_a_bar_at_its_kv() {
    let kv = |characteristic| KvValve { kvs: 36.0, characteristic, leak_kv: 0.0, check: false };
    let metre = 1e5 / (1000.0 * 9.80665);
    for (characteristic, position, share) in
        [(Characteristic::Linear, 0.5, 0.5), (Characteristic::EqualPercentage(50.0), 0.5, 50f64.powf(-0.5))]
    {
        let solution = solve(&line(LinkKind::Kv(kv(characteristic)), position, 0.01 * share, None));
        assert!((solution.head[1] - solution.head[2] - metre).abs() < 1e-6, "{characteristic:?}");
    }
    let shut = line(LinkKind::Kv(kv(Characteristic::Linear)), 0.0, 0.01, None);
    assert_eq!(solve(&shut).zones(), [[2, 3]]);
}

#[test]
fn a_check_valve_shuts_against_the_flow_and_opens_again() {
    let network = line(pipe(true), 0.0, 0.01, Some(120.0));
    let (mut solver, _) = Solver::new(&network);
    let mut boundary = network.boundary();
    let shut = solver.solve(&boundary, Accuracy::both(1e-8));
    assert_eq!((shut.status[1], shut.flow[1]), (Status::Blocked, 0.0));
    boundary.head[4] = 60.0;
    let open = solver.solve(&boundary, Accuracy::both(1e-8));
    assert!(open.converged && open.status[1] == Status::Open && open.flow[1] > 0.0);
}

#[test]
fn a_pump_below_its_load_stands() {
    let mut network =
        line(LinkKind::Pump(Pump { head: PumpHead::Curve(0), efficiency: None, pattern: None }), 1.0, 0.0, Some(150.0));
    network.curves.push(Curve { id: "c".into(), kind: CurveKind::PumpHead, points: vec![(0.01, 20.0)] });
    let solution = solve(&network);
    assert_eq!((solution.status[1], solution.flow[1]), (Status::Blocked, 0.0));
    network.curves[0].points[0].1 = 60.0;
    let solution = solve(&network);
    assert_eq!(solution.status[1], Status::Open);
    let q = solution.flow[1];
    let rise = solution.head[2] - solution.head[1];
    assert!((rise - (60.0 * 1.33334 - 60.0 * 0.33334 * (q / 0.01f64).powi(2))).abs() < 1e-2, "{rise} {q}");
    network.links[1].kind = LinkKind::Pump(Pump { head: PumpHead::Power(5000.0), efficiency: None, pattern: None });
    let solution = solve(&network);
    let power = solution.flow[1] * (solution.head[2] - solution.head[1]) * network.pa_per_m();
    assert!((power - 5000.0).abs() < 1e-2, "{power}");
}

#[test]
fn a_full_tank_takes_nothing_and_an_empty_one_gives_nothing() {
    let shape = TankShape::Cylinder(10.0);
    let tank = Tank { initial_level: 5.0, minimum_level: 1.0, maximum_level: 5.0, shape, ..Tank::default() };
    let mut network = line(pipe(false), 0.0, 0.01, None);
    network.nodes.push(Node { id: "t".into(), elevation: 60.0, kind: NodeKind::Tank(tank) });
    network.links.push(link(3, 4, pipe(false), 0.0));
    let full = solve(&network);
    assert_eq!((full.status[3], full.flow[3]), (Status::Blocked, 0.0));
    let (mut solver, _) = Solver::new(&network);
    let mut boundary = network.boundary();
    boundary.head[4] = 63.0;
    assert!(solver.solve(&boundary, Accuracy::both(1e-8)).flow[3] > 0.0);
    // Without the source an empty tank leaves the rest without one.
    boundary.command[0] = Command::Closed;
    boundary.head[4] = 61.0;
    let empty = solver.solve(&boundary, Accuracy::both(1e-8));
    assert!(empty.converged && empty.zones() == [[1, 2, 3]], "{:?}", empty.cut_off);
}

#[test]
fn demand_by_pressure_is_what_wagner_says() {
    let mut network = line(pipe(false), 0.0, 0.01, None);
    network.options.demand_model = DemandModel::PressureDriven { least: 5.0, required: 120.0, exponent: 0.5 };
    let solution = solve(&network);
    let wanted = 0.01 * ((solution.head[3] - 10.0 - 5.0) / 115.0f64).sqrt();
    assert!((solution.demand[3] - wanted).abs() < 1e-9 && wanted < 0.009);
    network.nodes[0].elevation = 12.0;
    assert!(solve(&network).demand[3].abs() < 1e-6);
    network.nodes[0].elevation = 500.0;
    assert!((solve(&network).demand[3] - 0.01).abs() < 1e-6);
}

#[test]
fn an_emitter_flows_by_the_root_of_its_pressure() {
    let mut network = line(pipe(false), 0.0, 0.0, None);
    if let NodeKind::Junction(junction) = &mut network.nodes[3].kind {
        junction.emitter = Some(Emitter { coefficient: 1e-3 });
    }
    let solution = solve(&network);
    let wanted = 1e-3 * (solution.head[3] - 10.0).sqrt();
    assert!((solution.demand[3] - wanted).abs() < 1e-9 && (solution.flow[0] - wanted).abs() < 1e-9);
}

#[test]
fn warm_air_rises_through_two_openings() {
    // Two equal cracks 3 m apart; inside 293 K, outside 273 K: the draught is shared between them.
    let mut network = Network { fluid: Fluid::air(), ..Network::default() };
    network.nodes = vec![source("out", 0.0), node("room", 0.0, 0.0)];
    let crack = LinkKind::Leakage { coefficient: 1e-3, exponent: 0.65 };
    network.links = vec![link(0, 1, crack.clone(), 0.0), link(1, 0, crack, 0.0)];
    let draught = 3.0 * (293.0 / 273.0 - 1.0);
    network.links[1].head_gain = draught;
    let solution = solve(&network);
    let wanted = 1e-3 * (0.5 * draught * network.pa_per_m()).powf(0.65);
    assert!((solution.flow[0] / wanted - 1.0).abs() < 1e-6, "{} {wanted}", solution.flow[0]);
}

#[test]
fn what_is_no_number_is_refused_and_named() {
    let network = line(pipe(false), 0.0, 0.01, None);
    let (mut solver, _) = Solver::new(&network);
    let mut boundary = network.boundary();
    let good = solver.solve(&boundary, Accuracy::both(1e-8)).clone();
    boundary.demand[3] = f64::NAN;
    boundary.head[0] = f64::INFINITY;
    let bad = solver.solve(&boundary, Accuracy::both(1e-8));
    assert!(bad.converged && bad.head == good.head);
    assert_eq!(bad.refused, [Refused::Head(0), Refused::Demand(3)]);
}

#[test]
fn broken_links_are_named_and_the_rest_solves() {
    let mut network = line(pipe(false), 0.0, 0.01, None);
    let broken = LinkKind::Pipe(Pipe {
        length: 10.0,
        diameter: 0.0,
        friction: Friction::HazenWilliams(100.0),
        minor: 0.0,
        check: false,
        leak: None,
    });
    network.links.push(link(0, 3, broken, 0.0));
    network.links.push(link(2, 99, pipe(false), 0.0));
    network.links.push(link(2, 2, pipe(false), 0.0));
    let (mut solver, problems) = Solver::new(&network);
    assert_eq!(problems.len(), 3, "{problems:?}");
    let solution = solver.solve(&network.boundary(), Accuracy::both(1e-8));
    assert!(solution.converged && (solution.flow[1] - 0.01).abs() < 1e-9 && solution.flow[3..] == [0.0; 3]);
    let (mut nothing, _) = Solver::new(&Network::default());
    assert!(nothing.solve(&plenum::simulation::network::Boundary::default(), Accuracy::both(1e-8)).converged);
}

/// A ring of six nodes with a source at each side; between the nodes whatever the numbers say, set to anything.
fn ring_of_valves(numbers: &[u32]) -> Network {
    let kinds = [ValveKind::PressureReducing, ValveKind::PressureSustaining, ValveKind::FlowControl];
    let of = |i: usize| numbers[i % numbers.len()];
    let mut nodes = vec![source("s", 60.0), source("t", 20.0 + f64::from(of(0) % 60))];
    nodes.extend((0..6).map(|i| node(&format!("n{i}"), 0.0, 0.001 * f64::from(of(i + 1) % 4))));
    let mut links = vec![link(0, 2, pipe(false), 0.0), link(5, 1, pipe(false), 0.0)];
    for i in 0..6 {
        let (from, to) = (2 + i, 2 + (i + 1) % 6);
        let (from, to) = if of(i + 7) & 8 == 0 { (from, to) } else { (to, from) };
        let kind = match of(i + 7) % 5 {
            k @ 0..=2 => valve(kinds[k as usize]),
            3 => pipe(true),
            _ => pipe(false),
        };
        let setting = if matches!(kind, LinkKind::Valve(Valve { kind: ValveKind::FlowControl, .. })) {
            1e-4 * f64::from(of(i + 13) % 200)
        } else {
            f64::from(of(i + 13) % 70)
        };
        links.push(link(from, to, kind, setting));
    }
    Network { nodes, links, ..Network::default() }
}

/// Valves that work against each other are held as they stand after a while, and named: a solve always ends.
#[test]
fn valves_that_fight_are_frozen_and_named() {
    let mut random = 1_u64;
    let (mut settled, mut frozen) = (0, 0);
    for _ in 0..4000 {
        let numbers: Vec<u32> = (0..19)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) as u32
            })
            .collect();
        let network = ring_of_valves(&numbers);
        let (mut solver, _) = Solver::new(&network);
        let solution = solver.solve(&network.boundary(), Accuracy::both(1e-6)).clone();
        let problems = solution.problems(&network);
        for link in &solution.frozen {
            let name = format!("link {}", network.links[*link].id);
            assert!(
                problems.iter().any(|p| p.place == name && p.message.contains("kept as it stands")),
                "{problems:?}"
            );
        }
        if solution.frozen.is_empty() && solution.converged {
            settled += 1;
            assert!(solution.mass_residual <= 1e-6 && solution.head_residual <= 1e-6);
        } else {
            // Who does not settle says so, one way or the other.
            assert!(!problems.is_empty(), "{network:?}");
            frozen += usize::from(!solution.frozen.is_empty());
        }
        assert!(solution.iterations <= 400, "{} iterations", solution.iterations);
    }
    println!("{settled} of 4000 settled, in {frozen} something was frozen");
    assert!(frozen > 0, "no two of them fought: this tests nothing");
    assert!(settled > 3500, "only {settled} of 4000 settled");
}
