use super::*;
use crate::simulation::network::{
    Command, Demand, Friction, Junction, Link, Node, NodeKind, Pipe, Valve, ValveKind, grid,
};

/// A grid with a district behind a valve that holds 30 m there.
fn district() -> Network {
    let mut network = grid::grid(6, 7, 3);
    let demands = vec![Demand { base: 2e-3, ..Demand::default() }];
    let kind = NodeKind::Junction(Junction { demands, emitter: None });
    network.nodes.push(Node { id: "D".into(), elevation: 0.0, kind });
    let valve = Valve { kind: ValveKind::PressureReducing, diameter: 0.2, minor: 0.0 };
    let (from, to) = (17, network.nodes.len() - 1);
    let kind = LinkKind::Valve(valve);
    network.links.push(Link { id: "V".into(), from, to, kind, command: Command::Auto, setting: 30.0, head_gain: 0.0 });
    network
}

fn alike(a: &Solution, b: &Solution) {
    assert!(a.converged && b.converged);
    assert!(a.head.iter().zip(&b.head).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!(a.flow.iter().zip(&b.flow).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn an_old_factor_serves_where_a_valve_holds_a_head() {
    let network = district();
    let accuracy = Accuracy::both(1e-8);
    let mut boundary = network.boundary();
    let mut solver = Solver::new(&network).0;
    solver.solve(&boundary, accuracy);
    let last = network.nodes.len() - 1;
    assert!((solver.solution().head[last] - 30.0).abs() < 1e-6);
    boundary.demand[last] *= 1.02;
    let warm = solver.solve(&boundary, accuracy).clone();
    assert!(warm.iterations > 0 && warm.factorisations == 0, "{} {}", warm.iterations, warm.factorisations);
    alike(&warm, Solver::new(&network).0.solve(&boundary, accuracy));
}

#[test]
fn an_edited_network_keeps_its_shape_and_solves_as_a_new_one() {
    let mut network = grid::grid(6, 7, 3);
    let accuracy = Accuracy::both(1e-8);
    let mut solver = Solver::new(&network).0;
    solver.solve(&network.boundary(), accuracy);
    // Beside a pipe that is there, then where the factor has no entry.
    let (near, far) = ((network.links[20].from, network.links[20].to), (2, 39));
    for (turn, (from, to)) in [near, far].into_iter().enumerate() {
        let friction = Friction::HazenWilliams(130.0);
        let pipe = Pipe { length: 100.0, diameter: 0.25, friction, minor: 0.0, check: false, leak: None };
        let (id, kind) = (format!("E{turn}"), LinkKind::Pipe(pipe));
        network.links.push(Link { id, from, to, kind, command: Command::Open, setting: 0.0, head_gain: 0.0 });
        let mut edited = solver.edited(&network).0;
        if turn == 0 {
            assert_eq!(edited.layout.shape.supernodes, solver.layout.shape.supernodes);
            assert_eq!(edited.layout.unknown, solver.layout.unknown);
        }
        let boundary = network.boundary();
        alike(edited.solve(&boundary, accuracy), Solver::new(&network).0.solve(&boundary, accuracy));
    }
}
