use super::*;
use crate::simulation::network::{
    Accuracy, Command, Demand, Emitter, Friction, Junction, Pipe, Tank, Valve, ValveKind, grid,
};
use proptest::prelude::*;

const ACCURACY: f64 = 1e-8;

fn link(id: String, from: usize, to: usize, kind: LinkKind) -> Link {
    Link { id, from, to, kind, command: Command::Auto, setting: 0.0, head_gain: 0.0 }
}

fn pipe(diameter: f64, friction: Friction) -> LinkKind {
    LinkKind::Pipe(Pipe { length: 80.0, diameter, friction, minor: 0.5, check: false, leak: None })
}

fn junction(id: &str, demand: f64) -> Node {
    let demands = vec![Demand { base: demand, ..Demand::default() }];
    Node { id: id.into(), elevation: 5.0, kind: NodeKind::Junction(Junction { demands, emitter: None }) }
}

/// A grid of 6 by 7 with what is special: a district behind a valve that holds a head and one behind a valve that
/// holds a flow, a chain, a twig, an outflow by pressure, a tank, a zone that is cut off.
fn town() -> Network {
    let mut network = grid::grid(6, 7, 3);
    let wide = || pipe(0.3, Friction::HazenWilliams(120.0));
    let mut add = |from: usize, node: Node, kind: LinkKind, setting: f64| {
        network.nodes.push(node);
        let to = network.nodes.len() - 1;
        network.links.push(Link { setting, ..link(format!("S{to}"), from, to, kind) });
        to
    };
    let valve = |kind| LinkKind::Valve(Valve { kind, diameter: 0.2, minor: 1.0 });
    let district = add(17, junction("D", 2e-3), valve(ValveKind::PressureReducing), 40.0);
    let behind = add(district, junction("D2", 1e-3), wide(), 0.0);
    let limited = add(30, junction("F", 1e-3), valve(ValveKind::FlowControl), 5e-4);
    let chain = add(9, junction("C", 1e-3), wide(), 0.0);
    let twig = add(11, junction("T", 1e-3), pipe(0.1, Friction::DarcyWeisbach(1e-4)), 0.0);
    add(twig, junction("T2", 1e-3), wide(), 0.0);
    let tank = Tank { initial_level: 60.0, maximum_level: 90.0, ..Tank::default() };
    add(20, Node { id: "K".into(), elevation: 10.0, kind: NodeKind::Tank(tank) }, wide(), 0.0);
    let cut = add(40, junction("Z", 0.0), wide(), 0.0);
    let apart = add(cut, junction("Z2", 1e-3), wide(), 0.0);
    network.links.push(link("DD".into(), district, behind, pipe(0.1, Friction::DarcyWeisbach(1e-4))));
    network.links.push(link("DL".into(), behind, limited, wide()));
    network.links.push(link("FL".into(), limited, 31, wide()));
    network.links.push(link("CC".into(), chain, 3, wide()));
    network.links.push(link("ZZ".into(), cut, apart, wide()));
    let closed = network.links.iter().position(|l| l.to == cut).unwrap_or_default();
    network.links[closed].command = Command::Closed;
    if let NodeKind::Junction(junction) = &mut network.nodes[25].kind {
        junction.emitter = Some(Emitter { coefficient: 1e-4 });
    }
    network
}

/// Solves an edited network from the old solver and as a new one, and says by how much heads differ.
fn difference(solver: &mut Solver, network: &Network) -> f64 {
    let (boundary, accuracy) = (network.boundary(), Accuracy::both(ACCURACY));
    let (mut edited, problems) = solver.edited(network);
    let (mut new, problems_of_new) = Solver::new(network);
    assert_eq!(problems, problems_of_new);
    let (a, b) = (edited.solve(&boundary, accuracy), new.solve(&boundary, accuracy));
    assert!(a.converged && b.converged, "{} {}", a.converged, b.converged);
    assert!(a.head_residual <= ACCURACY && a.mass_residual <= ACCURACY);
    assert_eq!((&a.cut_off, a.flow.len(), a.status.len()), (&b.cut_off, b.flow.len(), b.status.len()));
    let apart = |a: &[f64], b: &[f64]| {
        assert!(a.iter().zip(b).all(|(a, b)| a.is_nan() == b.is_nan()));
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    // Between two sources of one head any flow is within the accuracy; what junctions take is not.
    let junctions = |s: &Solution| {
        let both = s.demand.iter().zip(&network.nodes);
        both.map(|(d, node)| if matches!(node.kind, NodeKind::Junction(_)) { 100.0 * d } else { 0.0 }).collect()
    };
    let (taken, of_new): (Vec<f64>, Vec<f64>) = (junctions(a), junctions(b));
    let most = apart(&a.head, &b.head).max(apart(&taken, &of_new));
    *solver = edited;
    most
}

fn solved(network: &Network) -> Solver {
    let mut solver = Solver::new(network).0;
    assert!(solver.solve(&network.boundary(), Accuracy::both(ACCURACY)).converged);
    solver
}

/// Whether two nodes of the grid get a pipe without a new layout.
fn grows(solver: &Solver, network: &Network, from: usize, to: usize) -> bool {
    let mut network = network.clone();
    network.links.push(link("E".into(), from, to, pipe(0.2, Friction::HazenWilliams(130.0))));
    solver.grown(&network, &vec![false; network.links.len()]).is_some()
}

#[test]
fn a_pipe_within_the_core_is_put_in_and_the_solve_is_warm() {
    let mut network = grid::grid(12, 12, 3);
    let mut solver = solved(&network);
    network.links.push(link("E".into(), 40, 77, pipe(0.05, Friction::HazenWilliams(130.0))));
    let edited = solver.grown(&network, &vec![false; network.links.len()]).unwrap();
    assert!(edited.core.current && std::sync::Arc::ptr_eq(&edited.layout.shape, &solver.layout.shape));
    assert!(difference(&mut solver, &network) < 1e-5);
    let solution = solver.solution();
    assert!(solution.factorisations < solution.iterations, "{solution:?}");
}

#[test]
fn what_is_not_of_the_core_is_laid_out_again() {
    let network = town();
    let solver = solved(&network);
    let at = |id: &str| network.nodes.iter().position(|n| n.id == id).unwrap();
    assert!(grows(&solver, &network, 2, 39) && grows(&solver, &network, 2, at("D")));
    for other in ["C", "T", "T2", "K", "Z", "Z2"] {
        assert!(!grows(&solver, &network, 2, at(other)), "{other}");
    }
    assert!(!grows(&solver, &network, 2, 2));
    // Other nodes, other outflows, other options.
    let changes: [fn(&mut Network); 4] = [
        |n| n.nodes[3].elevation += 1.0,
        |n| n.options.reference_pressure += 1.0,
        |n| n.fluid.viscosity *= 2.0,
        |n| n.links[0].to = 20,
    ];
    for change in changes {
        let mut other = network.clone();
        change(&mut other);
        assert!(!grows(&solver, &other, 2, 39));
    }
}

#[test]
fn many_edits_in_a_row_are_solved() {
    let mut network = grid::grid(9, 9, 5);
    let mut solver = solved(&network);
    let mut kept = 0;
    for turn in 0..24 {
        let (from, to) = (turn * 7 % 81, turn * 31 % 81);
        if from != to {
            network.links.push(link(format!("E{turn}"), from, to, pipe(0.15, Friction::HazenWilliams(130.0))));
        }
        kept += usize::from(solver.grown(&network, &vec![false; network.links.len()]).is_some());
        assert!(difference(&mut solver, &network) < 1e-5, "{turn}");
        // Factored anew, the edges that have no entry count as well.
        let mut boundary = network.boundary();
        boundary.demand.iter_mut().step_by(3).for_each(|d| *d *= 3.0);
        let other = solver.clone().solve(&boundary, Accuracy::both(ACCURACY)).clone();
        let new = Solver::new(&network).0.solve(&boundary, Accuracy::both(ACCURACY)).clone();
        assert!(other.head.iter().zip(&new.head).all(|(a, b)| (a - b).abs() < 1e-5));
    }
    assert!(kept > 15, "{kept}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn an_edited_network_is_solved_as_a_new_one(
        edits in proptest::collection::vec((0usize..53, 0usize..53, 0.05..0.4f64, 0u8..6), 1..8),
    ) {
        let mut network = town();
        let mut solver = solved(&network);
        let n = network.nodes.len();
        for (turn, (from, to, diameter, what)) in edits.into_iter().enumerate() {
            let (from, to) = (from % n, to % n);
            let friction = match what {
                0 => Friction::DarcyWeisbach(1e-4),
                _ => Friction::HazenWilliams(60.0 + 400.0 * diameter),
            };
            let id = format!("E{turn}");
            match what {
                5 => {
                    // Sized anew, whatever it is.
                    let l = (from * 53 + to) % network.links.len();
                    if let LinkKind::Pipe(old) = &mut network.links[l].kind {
                        (old.diameter, old.friction) = (diameter, friction);
                    }
                }
                4 => network.links.push(Link { command: Command::Closed, ..link(id, from, to, pipe(diameter, friction)) }),
                _ => network.links.push(link(id, from, to, pipe(diameter, friction))),
            }
            let most = difference(&mut solver, &network);
            // What switches may stand otherwise within its tolerance of 1e-4 m, as after any warm solve.
            prop_assert!(most < 1.1e-4, "edit {turn}: {most}");
        }
    }
}
