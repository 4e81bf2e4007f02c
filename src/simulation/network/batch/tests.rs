use super::*;
use crate::simulation::network::periods::{Times, through};
use crate::simulation::network::{
    Demand, Junction, Link, LinkKind, Node, Pattern, Tank, TankShape, Valve, ValveKind, grid,
};

/// A grid with a tank behind a valve and a district behind another, its demands with a pattern, over six hours.
fn town() -> (Network, Timeline) {
    let mut network = grid::grid(6, 7, 3);
    network.patterns.push(Pattern { id: "day".into(), factors: vec![0.6, 1.0, 1.7, 1.2] });
    network.options.default_pattern = Some(0);
    let tank = Tank {
        initial_level: 3.0,
        minimum_level: 0.5,
        maximum_level: 6.0,
        shape: TankShape::Cylinder(8.0),
        ..Tank::default()
    };
    network.nodes.push(Node { id: "T".into(), elevation: 90.0, kind: NodeKind::Tank(tank) });
    // A district behind a valve that holds 30 m.
    let demands = vec![Demand { base: 2e-3, ..Demand::default() }];
    let kind = NodeKind::Junction(Junction { demands, emitter: None });
    network.nodes.push(Node { id: "D".into(), elevation: 0.0, kind });
    let (from, to) = (25, network.nodes.len() - 1);
    let kind = LinkKind::Valve(Valve { kind: ValveKind::PressureReducing, diameter: 0.2, minor: 0.0 });
    network.links.push(Link { id: "R".into(), from, to, kind, command: Command::Auto, setting: 30.0, head_gain: 0.0 });
    let tank_at = to - 1;
    let valve = Valve { kind: ValveKind::Throttle, diameter: 0.2, minor: 0.0 };
    network.links.push(Link {
        id: "V".into(),
        from: 17,
        to: tank_at,
        kind: LinkKind::Valve(valve),
        command: Command::Auto,
        setting: 5.0,
        head_gain: 0.0,
    });
    let times = Times { duration: 6 * 3600, hydraulic_step: 900, pattern_step: 3600, ..Times::default() };
    (network, Timeline { times, ..Timeline::default() })
}

fn what_ifs() -> Vec<WhatIf> {
    (0..21)
        .map(|k| WhatIf {
            demand_multiplier: 0.5 + 0.07 * f64::from(k),
            demands: vec![(k as usize, 3.0)],
            commands: if k % 3 == 0 { vec![(20 + k as usize, Command::Closed)] } else { Vec::new() },
            settings: vec![(network_valve(), f64::from(k))],
        })
        .collect()
}

fn network_valve() -> usize {
    town().0.links.len() - 1
}

/// All heads and flows of a run, as bits.
type Bits = Vec<(i64, Vec<u64>)>;

fn gather(_: usize, bits: &mut Bits, moment: Moment<'_>) -> ControlFlow<()> {
    assert!(moment.solution.converged);
    let values = moment.solution.head.iter().chain(&moment.solution.flow);
    bits.push((moment.seconds, values.map(|v| v.to_bits()).collect()));
    ControlFlow::Continue(())
}

#[test]
fn together_is_one_by_one_bit_for_bit() {
    let (network, timeline) = town();
    let solver = Solver::new(&network).0;
    let accuracy = Accuracy::both(1e-6);
    let all = what_ifs();
    let together = batch(&solver, &network, &timeline, accuracy, &all, 2, gather);
    assert_eq!(together.len(), all.len());
    for (at, what_if) in all.iter().enumerate() {
        let alone = batch(&solver, &network, &timeline, accuracy, std::slice::from_ref(what_if), 1, gather);
        assert!(alone[0].len() > 20 && alone[0] == together[at], "what-if {at}");
    }
    assert!(together.windows(2).all(|pair| pair[0] != pair[1]), "two what-ifs came out the same");
}

#[test]
fn a_run_of_a_batch_is_that_of_the_solver() {
    let (network, timeline) = town();
    let solver = Solver::new(&network).0;
    let accuracy = Accuracy::both(1e-9);
    let all = what_ifs();
    let heads = |_: usize, heads: &mut Vec<(i64, Vec<f64>)>, moment: Moment<'_>| {
        heads.push((moment.seconds, moment.solution.head.clone()));
        ControlFlow::Continue(())
    };
    let together = batch(&solver, &network, &timeline, accuracy, &all, 1, heads);
    for (what_if, found) in all.iter().zip(&together) {
        let changed = what_if.applied(&network);
        let mut own = Solver::new(&changed).0;
        let mut moments = found.iter();
        through(&changed, &timeline, &mut own, accuracy, |moment| {
            let (seconds, heads) = moments.next().unwrap();
            assert_eq!(moment.seconds, *seconds);
            for (a, b) in moment.solution.head.iter().zip(heads) {
                assert!((a - b).abs() < 1e-6 || a.is_nan() && b.is_nan(), "{a} {b}");
            }
            ControlFlow::Continue(())
        });
        assert!(moments.next().is_none());
    }
}

#[test]
fn a_run_may_be_ended_and_nothing_is_nothing() {
    let (network, timeline) = town();
    let solver = Solver::new(&network).0;
    let accuracy = Accuracy::both(1e-6);
    let first = |_: usize, count: &mut usize, _: Moment<'_>| {
        *count += 1;
        ControlFlow::Break(())
    };
    assert_eq!(batch(&solver, &network, &timeline, accuracy, &what_ifs()[..9], 3, first), [1; 9]);
    assert!(batch(&solver, &network, &timeline, accuracy, &[], 2, first).is_empty());
    let odd = WhatIf {
        demand_multiplier: f64::NAN,
        demands: vec![(9999, 2.0), (0, f64::INFINITY)],
        commands: vec![(9999, Command::Closed)],
        settings: vec![(9999, 1.0), (0, f64::NAN)],
    };
    assert_eq!(odd.applied(&network), network);
}

#[test]
fn an_edited_solver_serves_as_a_new_one() {
    let (mut network, timeline) = town();
    let accuracy = Accuracy::both(1e-9);
    let mut solver = Solver::new(&network).0;
    solver.solve(&network.boundary(), accuracy);
    let mut pipe = network.links[10].clone();
    (pipe.id, pipe.from, pipe.to) = ("E".into(), 2, 39);
    network.links.push(pipe);
    let edited = solver.edited(&network).0;
    assert_eq!(edited.layout.loose.len(), 1);
    let heads = |_: usize, heads: &mut Vec<f64>, moment: Moment<'_>| {
        heads.extend_from_slice(&moment.solution.head);
        ControlFlow::Continue(())
    };
    let all = what_ifs();
    let found = batch(&edited, &network, &timeline, accuracy, &all, 1, heads);
    let wanted = batch(&Solver::new(&network).0, &network, &timeline, accuracy, &all, 1, heads);
    for (a, b) in found.iter().flatten().zip(wanted.iter().flatten()) {
        assert!((a - b).abs() < 1e-6 || a.is_nan() && b.is_nan(), "{a} {b}");
    }
}
