//! A tick of a flow network allocates nothing. Alone in its program, so that nobody else allocates beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use plenum::cli::heap;
use plenum::simulation::network::{Accuracy, Command, LinkKind, Node, NodeKind, Solver, Valve, ValveKind, grid};

#[test]
fn a_warm_tick_allocates_nothing() {
    let mut network = grid::grid(20, 20, 1);
    // Valves that hold a pressure and a flow, and a zone behind a pipe that is closed.
    for (kind, from, setting) in [(ValveKind::PressureReducing, 45, 60.0), (ValveKind::FlowControl, 250, 1e-3)] {
        let to = network.nodes.len();
        network.nodes.push(Node { id: format!("V{to}"), elevation: 0.0, kind: NodeKind::Junction(Default::default()) });
        let mut pipe = network.links[0].clone();
        (pipe.id, pipe.from, pipe.to) = (format!("B{to}"), to, from + 1);
        let mut valve = pipe.clone();
        valve.kind = LinkKind::Valve(Valve { kind, diameter: 0.2, minor: 0.0 });
        (valve.id, valve.from, valve.to, valve.setting, valve.command) =
            (format!("V{to}"), from, to, setting, Command::Auto);
        network.links.extend([pipe, valve]);
    }
    let mut solver = Solver::new(&network).0;
    let calm = network.boundary();
    let ticks: Vec<_> = (0..12)
        .map(|tick| {
            let mut now = calm.clone();
            now.demand.iter_mut().skip(tick).step_by(100).for_each(|d| *d *= if tick % 2 == 0 { 1.3 } else { 0.7 });
            // A valve turned, a pipe closed and opened again.
            *now.setting.last_mut().unwrap() = 1e-3 * (1.0 + tick as f64 / 12.0);
            now.command[tick % 3 + 100] = if tick % 4 == 0 { Command::Closed } else { Command::Open };
            now
        })
        .collect();
    let accuracy = Accuracy::both(1e-6);
    // Twice round, so that every list has found its size.
    for now in ticks.iter().chain(&ticks) {
        assert!(solver.solve(now, accuracy).converged);
    }
    let mut steps = 0;
    let before = heap::total();
    for now in &ticks {
        let solution = solver.solve(now, accuracy);
        steps += solution.iterations;
        assert!(solution.converged);
    }
    let allocated = heap::total() - before;
    assert!(steps > 0, "nothing was solved");
    assert_eq!(allocated, 0, "bytes allocated in {} ticks", ticks.len());
    // The counter counts.
    let list = std::hint::black_box(vec![0u8; 1000]);
    assert!(heap::total() - before >= list.len());
}
