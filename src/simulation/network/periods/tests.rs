//! Runs with solutions made by hand: what the clock, the tanks, the controls and the rules make of them.

use super::*;
use crate::simulation::network::{
    Command, Friction, Junction, Link, LinkKind, Network, Node, NodeKind, Pattern, Pipe, Pump, PumpHead, Solution,
    Status, Tank, TankShape, Valve, ValveKind,
};

const PUMP: usize = 0;
const VALVE: usize = 1;
const PIPE: usize = 2;
const TANK: usize = 2;

/// A lake, a junction and a tank of 1 m² from 0 to 10 m with 5 m in it; a pump, a valve and a pipe.
fn network() -> Network {
    let tank = Tank {
        initial_level: 5.0,
        maximum_level: 10.0,
        shape: TankShape::Cylinder((4.0 / std::f64::consts::PI).sqrt()),
        ..Tank::default()
    };
    let node = |id: &str, elevation, kind| Node { id: id.into(), elevation, kind };
    let pump = LinkKind::Pump(Pump { head: PumpHead::Power(1000.0), efficiency: None, pattern: None });
    let valve = LinkKind::Valve(Valve { kind: ValveKind::Throttle, diameter: 0.1, minor: 0.0 });
    let friction = Friction::HazenWilliams(100.0);
    let pipe = Pipe { length: 10.0, diameter: 0.1, friction, minor: 0.0, check: false, leak: None };
    let link = |id: &str, kind, setting| Link {
        id: id.into(),
        from: 0,
        to: 1,
        kind,
        command: Command::Auto,
        setting,
        head_gain: 0.0,
    };
    Network {
        nodes: vec![
            node("lake", 30.0, NodeKind::Reservoir { pattern: None }),
            node("a", 2.0, NodeKind::Junction(Junction::default())),
            node("t", 20.0, NodeKind::Tank(tank)),
        ],
        links: vec![link("pump", pump, 1.0), link("valve", valve, 5.0), link("pipe", LinkKind::Pipe(pipe), 0.0)],
        patterns: vec![Pattern { id: "p".into(), factors: vec![1.0, 0.0, 0.5] }],
        ..Network::default()
    }
}

/// A solution in which the tank fills with a flow, m³/s.
fn filling(run: &Run<'_>, flow: f64) -> Solution {
    let boundary = run.boundary();
    let status = |c: &Command| if *c == Command::Closed { Status::Closed } else { Status::Open };
    Solution {
        head: vec![30.0, 12.0, boundary.head[TANK]],
        flow: vec![flow; 3],
        demand: vec![-flow, 0.0, flow],
        status: boundary.command.iter().map(status).collect(),
        converged: true,
        ..Solution::default()
    }
}

/// The moments of a run in which the tank fills with what `flow` says.
fn moments(network: &Network, timeline: &Timeline, mut flow: impl FnMut(&Run<'_>) -> f64) -> Vec<(i64, f64)> {
    let mut run = Run::new(network, timeline);
    let mut found = Vec::new();
    while run.begin().is_some() {
        found.push((run.seconds(), run.boundary().head[TANK] - 20.0));
        let solution = filling(&run, flow(&run));
        if run.advance(&solution) == 0 {
            break;
        }
    }
    found
}

fn hours(duration: i64) -> Timeline {
    let mut timeline = Timeline::default();
    timeline.times.duration = duration * 3600;
    timeline
}

#[test]
fn a_tank_that_fills_ends_a_step_and_stays_full() {
    let found = moments(&network(), &hours(3), |_| 0.001);
    // 5 m³ at a litre a second: 5000 s.
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [0, 3600, 5000, 7200, 10_800]);
    assert!((found[1].1 - 8.6).abs() < 1e-9 && found[2].1 == 10.0 && found[4].1 == 10.0);
}

#[test]
fn a_level_control_ends_a_step_and_acts_there() {
    let mut timeline = hours(2);
    let above = Control { link: PUMP, act: Act::Close, when: When::Above { node: TANK, level_m: 6.0 }, enabled: true };
    let below =
        Control { link: PUMP, act: Act::Set(0.8), when: When::Below { node: TANK, level_m: 5.5 }, enabled: true };
    timeline.controls = vec![above.clone(), below];
    let network = network();
    let mut seen = Vec::new();
    let found = moments(&network, &timeline, |run| {
        seen.push((run.boundary().command[PUMP], run.boundary().setting[PUMP]));
        if run.boundary().command[PUMP] == Command::Closed { -0.001 } else { 0.001 }
    });
    assert_eq!(found.iter().map(|f| f.0).take(5).collect::<Vec<_>>(), [0, 1000, 1500, 2000, 2500]);
    assert_eq!(seen[..3], [(Command::Auto, 0.8), (Command::Closed, 0.0), (Command::Auto, 0.8)]);
    // Off, it is kept and not looked at.
    timeline.controls = vec![Control { enabled: false, ..above }];
    assert_eq!(moments(&network, &timeline, |_| 0.001).len(), 4);
}

#[test]
fn controls_by_time_and_clock() {
    let mut timeline = hours(30);
    timeline.times.clock_start = 20 * 3600;
    timeline.controls = vec![
        Control { link: VALVE, act: Act::Set(9.0), when: When::At(1800), enabled: true },
        Control { link: PIPE, act: Act::Close, when: When::Daily(3600), enabled: true },
        Control { link: PIPE, act: Act::Open, when: When::Daily(5 * 3600 + 900), enabled: true },
    ];
    let mut seen = Vec::new();
    moments(&network(), &timeline, |run| {
        seen.push((run.seconds(), run.boundary().setting[VALVE], run.boundary().command[PIPE]));
        0.0
    });
    let at = |seconds: i64| *seen.iter().find(|s| s.0 == seconds).unwrap_or_else(|| panic!("{seconds}: {seen:?}"));
    assert_eq!(at(0), (0, 5.0, Command::Auto));
    assert_eq!(at(1800), (1800, 9.0, Command::Auto));
    assert_eq!(at(5 * 3600).2, Command::Closed);
    assert_eq!(at(9 * 3600 + 900).2, Command::Auto);
    assert_eq!(at(29 * 3600).2, Command::Closed);
}

#[test]
fn a_pressure_control_solves_a_moment_anew_and_not_for_ever() {
    let mut timeline = hours(0);
    timeline.controls = vec![
        Control { link: PIPE, act: Act::Close, when: When::Above { node: 1, level_m: 9.0 }, enabled: true },
        Control { link: VALVE, act: Act::Open, when: When::Below { node: 1, level_m: 9.0 }, enabled: true },
    ];
    let network = network();
    let mut run = Run::new(&network, &timeline);
    run.begin();
    let solution = filling(&run, 0.0);
    assert!(run.switch(&solution) && run.boundary().command[PIPE] == Command::Closed);
    assert!(!run.switch(&solution) && run.boundary().command[VALVE] == Command::Auto);
    // Two controls that undo each other end all the same.
    timeline.controls[1] =
        Control { link: PIPE, act: Act::Open, when: When::Above { node: 1, level_m: 9.0 }, enabled: true };
    let mut run = Run::new(&network, &timeline);
    run.begin();
    let turns = (0..100).take_while(|_| run.switch(&solution)).count();
    assert!((1..100).contains(&turns), "{turns}");
}

fn premise(or: bool, of: Quantity, relation: Relation, wanted: Wanted) -> Premise {
    Premise { or, of, relation, wanted, tolerance: 1e-3 }
}

#[test]
fn rules_act_between_steps_by_priority_and_otherwise() {
    let mut timeline = hours(1);
    timeline.times.rule_step = 360;
    let level = |relation, level| premise(false, Quantity::Level(TANK), relation, Wanted::Number(level));
    let rule = |name: &str, premises, then, otherwise, priority| Rule {
        name: name.into(),
        premises,
        then,
        otherwise,
        priority,
        disabled: false,
    };
    timeline.rules = vec![
        rule("low", vec![level(Relation::Above, 6.5)], vec![(PUMP, Act::Close)], vec![(VALVE, Act::Set(7.0))], 1.0),
        rule("high", vec![level(Relation::Above, 6.5)], vec![(PUMP, Act::Set(0.5))], vec![], 5.0),
        rule("off", vec![level(Relation::Above, 0.0)], vec![(PIPE, Act::Close)], vec![], 9.0),
    ];
    timeline.rules[2].disabled = true;
    let mut seen = Vec::new();
    let found = moments(&network(), &timeline, |run| {
        let boundary = run.boundary();
        seen.push((boundary.setting[PUMP], boundary.setting[VALVE], boundary.command[PIPE]));
        0.001
    });
    // The first looks at 360 s: the valve's otherwise. 6.5 m is passed at 1500 s, seen at 1800 s.
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [0, 360, 1800, 3600]);
    assert_eq!(
        seen,
        [(1.0, 5.0, Command::Auto), (1.0, 7.0, Command::Auto), (0.5, 7.0, Command::Auto), (0.5, 7.0, Command::Auto)]
    );
}

#[test]
fn premises_of_every_kind() {
    let mut timeline = hours(1);
    timeline.times.clock_start = 23 * 3600 + 1800;
    let network = network();
    let mut run = Run::new(&network, &timeline);
    run.begin();
    let mut solution = filling(&run, -0.001);
    solution.status[VALVE] = Status::Active;
    solution.status[PIPE] = Status::Blocked;
    run.advance(&solution);
    // An hour later, at 0:30, 3.6 m³ lower.
    let n = Wanted::Number;
    let holds = |premises: Vec<Premise>| {
        let timeline = Box::leak(Box::new(Timeline {
            rules: vec![Rule { premises, then: vec![(VALVE, Act::Set(99.0))], ..Rule::default() }],
            ..timeline.clone()
        }));
        let mut copy = run.clone();
        copy.timeline = timeline;
        copy.apply_rules(3600) > 0
    };
    let yes = [
        (Quantity::Time, Relation::Equal, n(3600.0)),
        (Quantity::Time, Relation::AtLeast, n(3600.0)),
        (Quantity::ClockTime, Relation::Equal, n(86_000.0)),
        (Quantity::ClockTime, Relation::Below, n(3600.0)),
        (Quantity::Level(TANK), Relation::Equal, n(1.4)),
        (Quantity::Head(TANK), Relation::AtMost, n(21.5)),
        (Quantity::Pressure(1), Relation::Above, n(9.9)),
        (Quantity::Demand(TANK), Relation::Below, n(0.0)),
        (Quantity::DrainTime(TANK), Relation::AtMost, n(1401.0)),
        (Quantity::Flow(PUMP), Relation::AtLeast, n(-1.0)),
        (Quantity::Status(PUMP), Relation::Equal, Wanted::Open),
        (Quantity::Status(PIPE), Relation::Equal, Wanted::Closed),
        (Quantity::Status(VALVE), Relation::NotEqual, Wanted::Open),
        (Quantity::Setting(VALVE), Relation::NotEqual, n(6.0)),
        (Quantity::TotalDemand, Relation::Equal, n(0.0)),
    ];
    let no = [
        (Quantity::Time, Relation::NotEqual, n(1800.0)),
        (Quantity::Time, Relation::Above, n(3600.0)),
        (Quantity::ClockTime, Relation::Equal, n(7200.0)),
        (Quantity::FillTime(TANK), Relation::Above, n(0.0)),
        (Quantity::Level(TANK), Relation::Above, n(1.5)),
        (Quantity::Status(PUMP), Relation::Below, Wanted::Open),
        (Quantity::Level(0), Relation::Above, Wanted::Open),
        (Quantity::Head(77), Relation::Above, n(0.0)),
    ];
    for (of, relation, wanted) in yes {
        assert!(holds(vec![premise(false, of, relation, wanted)]), "{of:?} {relation:?} {wanted:?}");
    }
    for (of, relation, wanted) in no {
        assert!(!holds(vec![premise(false, of, relation, wanted)]), "{of:?} {relation:?} {wanted:?}");
    }
    let (right, wrong) = (|or| premise(or, yes[0].0, yes[0].1, yes[0].2), |or| premise(or, no[1].0, no[1].1, no[1].2));
    // An OR mends what stands before it; an AND after something wrong ends it.
    assert!(holds(vec![wrong(false), right(true)]) && holds(vec![right(false), wrong(true), right(false)]));
    assert!(!holds(vec![wrong(false), right(false), right(true)]) && !holds(vec![right(false), wrong(false)]));
}

#[test]
fn patterns_of_reservoirs_and_pumps() {
    let mut network = network();
    network.nodes[0].kind = NodeKind::Reservoir { pattern: Some(0) };
    if let LinkKind::Pump(pump) = &mut network.links[PUMP].kind {
        pump.pattern = Some(0);
    }
    let mut seen = Vec::new();
    moments(&network, &hours(3), |run| {
        seen.push((run.boundary().head[0], run.boundary().command[PUMP], run.boundary().setting[PUMP]));
        0.0
    });
    assert_eq!(
        seen,
        [
            (30.0, Command::Auto, 1.0),
            (0.0, Command::Closed, 0.0),
            (15.0, Command::Auto, 0.5),
            (30.0, Command::Auto, 1.0)
        ]
    );
}

#[test]
fn a_moment_that_is_not_solved_ends_the_run_or_not() {
    let network = network();
    for (unbalanced, wanted) in [(Unbalanced::Stop, 1), (Unbalanced::Continue(10), 4)] {
        let timeline = Timeline { unbalanced, ..hours(3) };
        let mut run = Run::new(&network, &timeline);
        let mut count = 0;
        while run.begin().is_some() {
            let solution = Solution { converged: false, ..filling(&run, f64::NAN) };
            count += 1;
            run.advance(&solution);
        }
        assert_eq!(count, wanted, "{unbalanced:?}");
    }
}
