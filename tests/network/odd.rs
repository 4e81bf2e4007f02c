//! Networks that nobody should draw and everybody does: what is wrong is told, and the rest is solved.

use plenum::import::network::inp;
use plenum::simulation::network::{
    Accuracy, Boundary, Command, Curve, CurveKind, Demand, Friction, Junction, Link, LinkKind, Network, Node, NodeKind,
    Pipe, Pump, PumpHead, Refused, Solution, Solver, Status, Valve, ValveKind, grid,
};

fn node(id: &str, elevation: f64, demand: f64) -> Node {
    let demands = vec![Demand { base: demand, ..Demand::default() }];
    Node { id: id.into(), elevation, kind: NodeKind::Junction(Junction { demands, emitter: None }) }
}

fn source(id: &str, head: f64) -> Node {
    Node { id: id.into(), elevation: head, kind: NodeKind::Reservoir { pattern: None } }
}

fn pipe(length: f64, diameter: f64, check: bool) -> LinkKind {
    let friction = Friction::HazenWilliams(130.0);
    LinkKind::Pipe(Pipe { length, diameter, friction, minor: 0.0, check, leak: None })
}

fn link(id: &str, from: usize, to: usize, kind: LinkKind, setting: f64) -> Link {
    Link { id: id.into(), from, to, kind, command: Command::Auto, setting, head_gain: 0.0 }
}

fn solve(network: &Network) -> (Solution, usize) {
    let (mut solver, problems) = Solver::new(network);
    assert!(problems.iter().all(|p| !p.place.is_empty() && !p.remedy.is_empty()), "{problems:?}");
    (solver.solve(&network.boundary(), Accuracy::both(1e-8)).clone(), problems.len())
}

#[test]
fn check_valves_in_a_ring_let_flow_one_way_round() {
    // All three point the same way round; the demand is across from the source.
    let nodes = vec![source("s", 50.0), node("a", 0.0, 0.0), node("b", 0.0, 0.01), node("c", 0.0, 0.002)];
    let ring = |id, from, to| link(id, from, to, pipe(100.0, 0.2, true), 0.0);
    let links =
        vec![link("in", 0, 1, pipe(10.0, 0.2, false), 0.0), ring("ab", 1, 2), ring("bc", 2, 3), ring("ca", 3, 1)];
    let (solution, told) = solve(&Network { nodes, links, ..Network::default() });
    assert!(solution.converged && told == 0 && solution.frozen.is_empty());
    let flow = |at: usize| solution.flow[at];
    assert!((flow(1) - 0.012).abs() < 1e-9 && (flow(2) - 0.002).abs() < 1e-9 && flow(3) == 0.0, "{:?}", solution.flow);
    assert_eq!(solution.status[3], Status::Blocked);
}

#[test]
fn what_is_behind_check_valves_that_point_away_is_cut_off() {
    let nodes = vec![source("s", 50.0), node("a", 0.0, 0.01), node("b", 0.0, 0.01)];
    let back = |id| link(id, 2, 1, pipe(100.0, 0.2, true), 0.0);
    let links = vec![link("in", 0, 1, pipe(10.0, 0.2, false), 0.0), back("x"), back("y")];
    let (solution, _) = solve(&Network { nodes, links, ..Network::default() });
    assert!(solution.converged && solution.zones() == [[2]], "{:?}", solution.cut_off);
    assert!((solution.flow[0] - 0.01).abs() < 1e-9);
}

#[test]
fn a_pump_beyond_its_curve_goes_on_as_its_curve_does() {
    // Its source stands 30 m above where it pumps to: far more flows than its curve has points for.
    let nodes = vec![source("high", 50.0), node("a", 0.0, 0.0), node("b", 0.0, 0.0), source("low", 20.0)];
    let mut network = Network { nodes, ..Network::default() };
    let points = vec![(0.0, 10.0), (0.004, 8.0), (0.008, 2.0)];
    network.curves.push(Curve { id: "c".into(), kind: CurveKind::PumpHead, points });
    let pump = LinkKind::Pump(Pump { head: PumpHead::Curve(0), efficiency: None, pattern: None });
    let wide = |id, from, to| link(id, from, to, pipe(1.0, 1.0, false), 0.0);
    network.links = vec![wide("in", 0, 1), link("pump", 1, 2, pump, 1.0), wide("out", 2, 3)];
    let (solution, told) = solve(&network);
    assert!(solution.converged && told == 0);
    let flow = solution.flow[1];
    let lift = solution.head[2] - solution.head[1];
    // 10 - 125 000 q²: the head of its three points, below nothing here.
    assert!(flow > 0.008 && lift < -29.0 && (lift - (10.0 - 125_000.0 * flow * flow)).abs() < 1e-6, "{flow} {lift}");
}

#[test]
fn what_is_put_in_flows_to_the_source() {
    let nodes = vec![source("s", 50.0), node("a", 0.0, 0.002), node("b", 0.0, -0.01)];
    let links = vec![link("p", 0, 1, pipe(100.0, 0.2, false), 0.0), link("q", 1, 2, pipe(100.0, 0.2, false), 0.0)];
    let (solution, told) = solve(&Network { nodes, links, ..Network::default() });
    assert!(solution.converged && told == 0 && (solution.flow[0] + 0.008).abs() < 1e-12);
    assert!(solution.head[2] > solution.head[1] && solution.head[1] > 50.0);
}

#[test]
fn a_pipe_of_no_length_is_told_and_joins_its_ends() {
    let nodes = vec![source("s", 50.0), node("a", 0.0, 0.0), node("b", 0.0, 0.01)];
    let links = vec![link("p", 0, 1, pipe(100.0, 0.2, false), 0.0), link("q", 1, 2, pipe(0.0, 0.2, false), 0.0)];
    let (solution, told) = solve(&Network { nodes, links, ..Network::default() });
    assert!(solution.converged && told == 1 && (solution.head[1] - solution.head[2]).abs() < 1e-3);
    // One without a diameter lets nothing through.
    let nodes = vec![source("s", 50.0), node("a", 0.0, 0.01)];
    let links = vec![link("p", 0, 1, pipe(100.0, 0.0, false), 0.0)];
    let (solution, told) = solve(&Network { nodes, links, ..Network::default() });
    assert!(solution.converged && told == 1 && solution.zones() == [[1]]);
}

#[test]
fn sizes_that_are_no_numbers_any_more_are_told_and_taken_as_shut() {
    let nodes = vec![source("s", 50.0), node("a", 0.0, 0.01), node("b", 0.0, 0.01)];
    let mut network = Network { nodes, ..Network::default() };
    let throttle = LinkKind::Valve(Valve { kind: ValveKind::Throttle, diameter: 0.1, minor: 0.0 });
    network.links = vec![
        link("p", 0, 1, pipe(100.0, 0.2, false), 0.0),
        link("thin", 1, 2, pipe(100.0, 1e-300, false), 0.0),
        link("throttle", 1, 2, throttle, 1e308),
    ];
    let (mut solver, problems) = Solver::new(&network);
    assert_eq!(problems.len(), 2, "{problems:?}");
    let mut boundary = network.boundary();
    let shut = solver.solve(&boundary, Accuracy::both(1e-8));
    assert!(shut.converged && shut.zones() == [[2]] && (shut.flow[0] - 0.01).abs() < 1e-9, "{shut:?}");
    // A setting that can be is followed again.
    boundary.setting[2] = 5.0;
    let open = solver.solve(&boundary, Accuracy::both(1e-8));
    assert!(open.converged && open.cut_off.is_empty() && (open.flow[2] - 0.01).abs() < 1e-9, "{open:?}");
}

/// A chain of pipes that is shut in the middle feeds its nodes from both ends, also where one end is cut off while the
/// network is being solved.
#[test]
fn a_shut_chain_feeds_what_is_on_its_living_side() {
    let nodes = vec![
        source("s", 60.0),
        node("a", 0.0, 0.008),
        node("b", 0.0, 0.003),
        node("c", 0.0, 0.003),
        node("d", 0.0, 0.001),
        node("e", 0.0, 0.001),
    ];
    let p = |id, from, to, check| link(id, from, to, pipe(50.0, 0.2, check), 0.0);
    let mut links = vec![p("sa", 0, 1, false), p("ab", 1, 2, false), p("bc", 2, 3, false), p("cd", 3, 4, true)];
    links[2].command = Command::Closed;
    // What hangs on the far end can only be fed against a check valve: it is found out while solving.
    links.extend([p("de", 4, 5, false), p("ea", 5, 1, true), p("dc", 4, 3, true)]);
    let (solution, _) = solve(&Network { nodes, links, ..Network::default() });
    assert!(solution.converged, "{solution:?}");
    assert!((solution.flow[0] - 0.011).abs() < 1e-9 && (solution.flow[1] - 0.003).abs() < 1e-9, "{:?}", solution.flow);
    assert!((solution.demand[0] + 0.011).abs() < 1e-9);
}

#[test]
fn a_boundary_that_is_no_number_keeps_the_last_good_one_and_is_named() {
    let network = grid::grid(6, 6, 3);
    let (mut solver, _) = Solver::new(&network);
    let mut boundary = network.boundary();
    boundary.demand[7] = 0.005;
    let good = solver.solve(&boundary, Accuracy::both(1e-9)).clone();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        boundary.demand[7] = bad;
        boundary.head[36] = bad;
        boundary.setting[3] = bad;
        boundary.head_gain[4] = bad;
        let held = solver.solve(&boundary, Accuracy::both(1e-9));
        assert!(held.converged);
        for (a, b) in held.head.iter().zip(&good.head) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
        let mut refused = held.refused.clone();
        refused.sort_by_key(|r| format!("{r:?}"));
        assert_eq!(refused, [Refused::Demand(7), Refused::Gain(4), Refused::Head(36), Refused::Setting(3)]);
        assert!(held.problems(&network).len() >= 4, "{:?}", held.problems(&network));
    }
    // Shorter than the network: what is not there stays as it was.
    let held = solver.solve(&Boundary::default(), Accuracy::both(1e-9));
    assert!(held.converged && held.refused.is_empty() && (held.demand[7] - 0.005).abs() < 1e-12);
}

#[test]
fn a_hundred_thousand_pipes_are_solved() {
    let network = grid::grid(224, 224, 1);
    assert!(network.links.len() > 99_000, "{}", network.links.len());
    let (mut solver, problems) = Solver::new(&network);
    assert!(problems.is_empty());
    let solution = solver.solve(&network.boundary(), Accuracy::both(1e-6));
    assert!(solution.converged && solution.cut_off.is_empty(), "{} {}", solution.mass_residual, solution.head_residual);
    let taken: f64 = network.boundary().demand.iter().sum();
    let given: f64 = solution.demand.iter().rev().take(2).sum();
    assert!((taken + given).abs() < 1e-3 * taken, "{taken} m³/s are taken and {given} given");
}

#[test]
fn doubles_loops_and_unknown_names_of_a_file_are_told_with_their_lines() {
    let text = "[JUNCTIONS]\na 1 5\na 2 6\nb 1 1\n[RESERVOIRS]\nr 50\n[PIPES]\np r a 100 200 130\np a b 100 200 130\n\
        self b b 10 100 130\nq a b 100 200 130\nq2 a b 100 200 130\n[PUMPS]\nu r b HEAD nowhere\n[DEMANDS]\na 2 gone\n\
        [STATUS]\nnone Closed\n[OPTIONS]\nUNITS LPS\n[END]\n";
    let (file, problems) = inp::read(text.as_bytes(), "odd.inp");
    for (line, word) in [(3, "a"), (9, "p"), (10, "self"), (14, "nowhere"), (16, "gone"), (18, "none")] {
        let place = format!("odd.inp:{line}");
        assert!(problems.iter().any(|p| p.place == place && p.message.contains(word)), "{place} {word}: {problems:#?}");
    }
    // Two pipes side by side are no mistake.
    let (solution, _) = solve(&file.network);
    assert!(solution.converged && solution.cut_off.is_empty());
    let flow = |id: &str| solution.flow[file.network.links.iter().position(|l| l.id == id).expect("the pipe")];
    assert!((flow("q") - flow("q2")).abs() < 1e-9 && flow("q") > 0.0);
}
