//! What must hold of any solution: flows balance, every link takes what its ends say, zones are what they are.

use plenum::simulation::network::{
    Accuracy, Command, Curve, CurveKind, Demand, Friction, Junction, Link, LinkKind, Network, Node, NodeKind, Pipe,
    Pump, PumpHead, Resistance, Solution, Solver, grid,
};
use proptest::prelude::*;

const FINE: f64 = 1e-9;

fn junction(id: usize, demand: f64) -> Node {
    let demands = vec![Demand { base: demand, ..Demand::default() }];
    Node { id: format!("n{id}"), elevation: 0.0, kind: NodeKind::Junction(Junction { demands, emitter: None }) }
}

fn reservoir(id: usize, head: f64) -> Node {
    Node { id: format!("n{id}"), elevation: head, kind: NodeKind::Reservoir { pattern: None } }
}

fn pipe(length: f64, diameter: f64) -> LinkKind {
    let friction = Friction::HazenWilliams(120.0);
    LinkKind::Pipe(Pipe { length, diameter, friction, minor: 0.0, check: false, leak: None })
}

fn link(from: usize, to: usize, kind: LinkKind) -> Link {
    Link { id: format!("l{from}-{to}"), from, to, kind, command: Command::Auto, setting: 1.0, head_gain: 0.0 }
}

/// Head loss of a pipe made by [`pipe`]: 4.727 L q^1.852 / (C^1.852 d^4.871) in feet and seconds.
fn loss(kind: &LinkKind, q: f64) -> f64 {
    let LinkKind::Pipe(p) = kind else { panic!("a pipe") };
    4.727 * 0.3048f64.powf(-0.685) * p.length * q.abs().powf(1.852) * q.signum()
        / (120f64.powf(1.852) * p.diameter.powf(4.871))
}

fn solve(network: &Network) -> Solution {
    let (mut solver, problems) = Solver::new(network);
    assert!(problems.is_empty(), "{problems:?}");
    solver.solve(&network.boundary(), Accuracy::both(FINE)).clone()
}

/// Largest imbalance of the flows at the nodes that are not cut off.
fn imbalance(network: &Network, solution: &Solution) -> f64 {
    let mut left: Vec<f64> = solution.demand.iter().map(|d| -d).collect();
    for (link, q) in network.links.iter().zip(&solution.flow) {
        left[link.from] -= q;
        left[link.to] += q;
    }
    left.iter().fold(0.0, |most, x| x.abs().max(most))
}

/// Nodes that a source reaches through open links.
fn reached(network: &Network) -> Vec<bool> {
    let mut reached: Vec<bool> = network.nodes.iter().map(|n| !matches!(n.kind, NodeKind::Junction(_))).collect();
    for _ in 0..network.nodes.len() {
        for l in network.links.iter().filter(|l| l.command != Command::Closed) {
            let any = reached[l.from] || reached[l.to];
            (reached[l.from], reached[l.to]) = (any, any);
        }
    }
    reached
}

fn any_network() -> impl Strategy<Value = Network> {
    let nodes = 3usize..14;
    let drawn = (0usize..14, 0usize..14, 20.0..500.0f64, 0.05..0.4f64, 0u8..8);
    (nodes, proptest::collection::vec(drawn, 1..30), proptest::collection::vec(-1e-3..5e-3f64, 14), 1usize..3).prop_map(
        |(n, links, demands, sources)| {
            let mut network = Network::default();
            for (v, &demand) in demands.iter().enumerate().take(n) {
                network.nodes.push(if v < sources { reservoir(v, 50.0 + v as f64) } else { junction(v, demand) });
            }
            for (a, b, length, diameter, closed) in links {
                if a % n != b % n {
                    let mut l = link(a % n, b % n, pipe(length, diameter));
                    l.id = format!("l{}", network.links.len());
                    l.command = if closed == 0 { Command::Closed } else { Command::Auto };
                    network.links.push(l);
                }
            }
            network
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn flows_balance_and_heads_fall_as_pipes_take_them(network in any_network()) {
        let solution = solve(&network);
        prop_assert!(solution.converged);
        prop_assert!(imbalance(&network, &solution) < 1e-8, "{}", imbalance(&network, &solution));
        let reached = reached(&network);
        for (v, head) in solution.head.iter().enumerate() {
            prop_assert_eq!(head.is_nan(), !reached[v], "node {}", v);
        }
        for (l, q) in network.links.iter().zip(&solution.flow) {
            if l.command == Command::Closed || !reached[l.from] {
                prop_assert_eq!(*q, 0.0);
            } else {
                // So around every loop the gains are the losses.
                let fall = solution.head[l.from] - solution.head[l.to];
                prop_assert!((fall - loss(&l.kind, *q)).abs() < 1e-5 * fall.abs() + 2e-6, "{} {}", fall, loss(&l.kind, *q));
            }
        }
    }

    #[test]
    fn a_changed_boundary_is_solved_as_if_from_the_beginning(network in any_network(), factor in 0.2..3.0f64, shut in 0usize..30) {
        let (mut solver, _) = Solver::new(&network);
        let mut boundary = network.boundary();
        solver.solve(&boundary, Accuracy::both(FINE));
        for demand in &mut boundary.demand {
            *demand *= factor;
        }
        if let Some(command) = boundary.command.get_mut(shut) {
            *command = if *command == Command::Closed { Command::Auto } else { Command::Closed };
        }
        let warm = solver.solve(&boundary, Accuracy::both(FINE)).clone();
        solver.reset();
        let cold = solver.solve(&boundary, Accuracy::both(FINE));
        prop_assert!(warm.converged && cold.converged);
        prop_assert_eq!(&warm.cut_off, &cold.cut_off);
        for (a, b) in warm.head.iter().zip(&cold.head) {
            prop_assert!(a.is_nan() && b.is_nan() || (a - b).abs() < 1e-5, "{} {}", a, b);
        }
    }

    #[test]
    fn turning_a_link_round_turns_its_flow(network in any_network(), which in 0usize..30) {
        let before = solve(&network);
        let mut turned = network.clone();
        if turned.links.is_empty() {
            return Ok(());
        }
        let which = which % turned.links.len();
        let l = &mut turned.links[which];
        (l.from, l.to) = (l.to, l.from);
        let after = solve(&turned);
        prop_assert!((before.flow[which] + after.flow[which]).abs() < 1e-6);
        for (a, b) in before.head.iter().zip(&after.head) {
            prop_assert!(a.is_nan() && b.is_nan() || (a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn more_demand_takes_more_head_by_the_exponent(factor in 0.5..4.0f64, seed in 0u64..1000) {
        let mut network = grid::grid(5, 6, seed);
        network.nodes[31].elevation = network.nodes[30].elevation;
        let one = solve(&network);
        network.options.demand_multiplier = factor;
        let more = solve(&network);
        let top = network.nodes[30].elevation;
        for v in 0..30 {
            let (a, b) = (top - one.head[v], top - more.head[v]);
            prop_assert!((b - a * factor.powf(1.852)).abs() < 1e-4 * b.abs() + 1e-6, "{} {}", a, b);
        }
    }
}

#[test]
fn two_pipes_side_by_side_share_by_their_resistance() {
    let mut network = Network { nodes: vec![reservoir(0, 40.0), junction(1, 0.02)], ..Network::default() };
    network.links = vec![link(0, 1, pipe(100.0, 0.1)), link(0, 1, pipe(100.0, 0.15))];
    let solution = solve(&network);
    let share = (0.15f64 / 0.1).powf(4.871 / 1.852);
    assert!((solution.flow[1] / solution.flow[0] - share).abs() < 1e-6);
    assert!((solution.flow[0] + solution.flow[1] - 0.02).abs() < 1e-12);
}

#[test]
fn a_closed_circuit_runs_where_pump_and_resistance_meet() {
    let mut network = Network { nodes: (0..4).map(|v| junction(v, 0.0)).collect(), ..Network::default() };
    let points = vec![(0.002, 6.0)];
    network.curves.push(Curve { id: "c".into(), kind: CurveKind::PumpHead, points });
    let pump = Pump { head: PumpHead::Curve(0), efficiency: None, pattern: None };
    let fixed = |k: f64| LinkKind::Resistance(Resistance { k, exponent: 2.0, check: false });
    network.links =
        vec![link(0, 1, LinkKind::Pump(pump)), link(1, 2, fixed(4e9)), link(2, 3, fixed(5e9)), link(3, 0, fixed(1e9))];
    let solution = solve(&network);
    assert!(solution.converged && solution.cut_off.is_empty() && solution.references == [0]);
    // 1.33334 × 6 - (0.33334 × 6 / 0.002²) q² against 1e10 q² / (density × gravity).
    let per_m = network.pa_per_m();
    let q = (1.33334 * 6.0 / (0.33334 * 6.0 / (0.002f64 * 0.002) + 1e10 / per_m)).sqrt();
    assert!((solution.flow[0] / q - 1.0).abs() < 1e-4, "{} {q}", solution.flow[0]);
    assert!(solution.flow.iter().all(|f| (f - solution.flow[0]).abs() < 1e-12));
    assert!((solution.head[0] - network.options.reference_pressure).abs() < 1e-12);
    // Half the speed: half the flow, a quarter of the head.
    let (mut solver, _) = Solver::new(&network);
    let mut boundary = network.boundary();
    boundary.setting[0] = 0.5;
    let slow = solver.solve(&boundary, Accuracy::both(FINE));
    assert!((slow.flow[0] / solution.flow[0] - 0.5).abs() < 1e-3);
}

#[test]
fn the_same_solve_gives_the_same_bits() {
    let network = grid::grid(20, 20, 7);
    let (a, b) = (solve(&network), solve(&network));
    assert_eq!(
        a.head.iter().map(|h| h.to_bits()).collect::<Vec<_>>(),
        b.head.iter().map(|h| h.to_bits()).collect::<Vec<_>>()
    );
}
