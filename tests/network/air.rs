//! Air in ducts and through a building, where the answer can be written down: fans on quadratic systems, dampers side
//! by side, cracks under stack and wind.

use plenum::simulation::network::{
    Accuracy, BladeDamper, Boundary, Command, Curve, CurveKind, Demand, Duct, Fan, Fluid, Junction, Link, LinkKind,
    Network, Node, NodeKind, Resistance, Solution, Solver, Status,
};

const FINE: f64 = 1e-12;

fn room(id: &str) -> Node {
    Node { id: id.into(), elevation: 0.0, kind: NodeKind::Junction(Junction::default()) }
}

/// The outdoors at a pressure, Pa, of a network of air.
fn outdoors(network: &Network, id: &str, pressure: f64) -> Node {
    Node { id: id.into(), elevation: pressure / network.pa_per_m(), kind: NodeKind::Reservoir { pattern: None } }
}

fn link(from: usize, to: usize, kind: LinkKind, setting: f64) -> Link {
    let id = format!("l{from}-{to}");
    Link { id, from, to, kind, command: Command::Auto, setting, head_gain: 0.0 }
}

/// Air, outdoors at both ends of a line of rooms.
fn line(rooms: usize) -> Network {
    let mut network = Network { fluid: Fluid::air(), ..Network::default() };
    network.nodes.push(outdoors(&network, "in", 0.0));
    network.nodes.extend((0..rooms).map(|r| room(&format!("room {r}"))));
    network.nodes.push(outdoors(&network, "out", 0.0));
    network
}

fn fan(network: &mut Network, points: &[(f64, f64)], density: f64) -> LinkKind {
    let id = format!("fan {}", network.curves.len());
    network.curves.push(Curve { id, kind: CurveKind::FanPressure, points: points.to_vec() });
    LinkKind::Fan(Fan { curve: network.curves.len() - 1, density, efficiency: None })
}

fn fixed(k: f64) -> LinkKind {
    LinkKind::Resistance(Resistance { k, exponent: 2.0, check: false })
}

fn crack(coefficient: f64, exponent: f64) -> LinkKind {
    LinkKind::Leakage { coefficient, exponent }
}

fn solve_at(network: &Network, boundary: &Boundary) -> Solution {
    let (mut solver, problems) = Solver::new(network);
    assert!(problems.is_empty(), "{problems:?}");
    let solution = solver.solve(boundary, Accuracy::both(FINE)).clone();
    assert!(solution.converged && solution.frozen.is_empty(), "{:?}", solution.problems(network));
    solution
}

fn solve(network: &Network) -> Solution {
    solve_at(network, &network.boundary())
}

#[track_caller]
fn close(found: f64, wanted: f64) {
    assert!((found / wanted - 1.0).abs() < 1e-9, "{found} instead of {wanted}");
}

/// Where a falling function is nothing, by halving.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if f(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// `500 - 100 q²` Pa: three points, the first at no flow, make a power law.
const PARABOLA: [(f64, f64); 3] = [(0.0, 500.0), (1.0, 400.0), (2.0, 100.0)];

#[test]
fn a_fan_works_where_its_curve_meets_a_quadratic_system() {
    let mut network = line(1);
    let density = network.fluid.density;
    let kind = fan(&mut network, &PARABOLA, density);
    network.links = vec![link(0, 1, kind, 1.0), link(1, 2, fixed(150.0), 0.0)];
    let q = (500.0f64 / 250.0).sqrt();
    close(solve(&network).flow[0], q);
    // Half the speed: half the flow of a quadratic system. Hot air: less pressure, by its density.
    let mut boundary = network.boundary();
    boundary.setting[0] = 0.5;
    close(solve_at(&network, &boundary).flow[0], 0.5 * q);
    network.fluid.density = 0.8;
    let light = 0.8 / density;
    close(solve(&network).flow[0], (500.0 * light / (100.0 * light + 150.0)).sqrt());
    boundary.setting[0] = 0.0;
    let off = solve_at(&network, &boundary);
    assert_eq!((off.flow[0], off.status[0]), (0.0, Status::Closed));
}

#[test]
fn a_fan_by_many_points_works_on_its_straight_lines() {
    let mut network = line(1);
    let density = network.fluid.density;
    let kind = fan(&mut network, &[(0.0, 600.0), (1.0, 580.0), (2.0, 500.0), (3.0, 300.0), (4.0, 0.0)], density);
    network.links = vec![link(0, 1, kind, 1.0), link(1, 2, fixed(60.0), 0.0)];
    // Between 2 and 3: 500 - 200 (q - 2) = 60 q².
    let q = (-200.0 + (200.0f64 * 200.0 + 4.0 * 60.0 * 900.0).sqrt()) / 120.0;
    assert!((2.0..3.0).contains(&q));
    close(solve(&network).flow[0], q);
    // At speed s a point (q, p) is at (s q, s² p).
    let mut boundary = network.boundary();
    boundary.setting[0] = 0.7;
    close(solve_at(&network, &boundary).flow[0], 0.7 * q);
}

#[test]
fn fans_side_by_side_and_behind_one_another() {
    let mut network = line(2);
    let density = network.fluid.density;
    let kind = fan(&mut network, &PARABOLA, density);
    // Two equal ones: each half of the flow.
    network.links = vec![link(0, 1, kind.clone(), 1.0), link(0, 1, kind.clone(), 1.0), link(1, 3, fixed(150.0), 0.0)];
    network.links[1].id = "twin".into();
    network.nodes.remove(2);
    network.links[2].to = 2;
    let q = (500.0f64 / (25.0 + 150.0)).sqrt();
    let both = solve(&network);
    close(both.flow[2], q);
    close(both.flow[0], 0.5 * q);
    // One slower: it gives what is left of its curve at the same pressure, or nothing.
    let mut boundary = network.boundary();
    boundary.setting[1] = 0.9;
    let unlike = solve_at(&network, &boundary);
    let p = unlike.flow[2] * unlike.flow[2] * 150.0;
    close(unlike.flow[0], ((500.0 - p) / 100.0).sqrt());
    close(unlike.flow[1], ((0.81 * 500.0 - p) / 100.0).sqrt());
    boundary.setting[1] = 0.5;
    let stands = solve_at(&network, &boundary);
    assert_eq!(
        (stands.status[1], stands.flow[1]),
        (Status::Blocked, 0.0),
        "no air runs back through a fan that stands"
    );
    close(stands.flow[0], (500.0f64 / 250.0).sqrt());
    // Behind one another: both pressures.
    let mut network = line(2);
    let kind = fan(&mut network, &PARABOLA, density);
    network.links = vec![link(0, 1, kind.clone(), 1.0), link(1, 2, kind, 1.0), link(2, 3, fixed(150.0), 0.0)];
    close(solve(&network).flow[0], (1000.0f64 / 350.0).sqrt());
}

#[test]
fn dampers_side_by_side_share_by_their_sections_and_losses() {
    let damper = |area| LinkKind::Damper(BladeDamper { area, open_loss: 0.3, closed_loss: 3e4 });
    let mut network = line(1);
    network.links =
        vec![link(0, 1, LinkKind::FixedFlow, 2.0), link(1, 2, damper(0.5), 0.8), link(1, 2, damper(0.3), 0.25)];
    network.links[2].id = "second".into();
    let solution = solve(&network);
    let loss = |x: f64| 0.3f64.powf(x) * 3e4f64.powf(1.0 - x);
    let share = [(0.5, 0.8), (0.3, 0.25)].map(|(area, x)| area / loss(x).sqrt());
    let all = share[0] + share[1];
    close(solution.flow[1], 2.0 * share[0] / all);
    close(solution.flow[2], 2.0 * share[1] / all);
    // K ρ v²/2 on the section.
    let pressure = solution.head[1] * network.pa_per_m();
    close(pressure, loss(0.8) * 0.5 * network.fluid.density * (solution.flow[1] / 0.5).powi(2));
    // Shut, its leakage passes; shut tight, nothing.
    let mut boundary = network.boundary();
    boundary.setting[2] = 0.0;
    let shut = solve_at(&network, &boundary);
    close(shut.flow[2] / shut.flow[1], 0.3 / 0.5 * (loss(0.8) / 3e4).sqrt());
    network.links[2].kind = LinkKind::Damper(BladeDamper { area: 0.3, open_loss: 0.3, closed_loss: 0.0 });
    let tight = solve_at(&network, &boundary);
    assert_eq!((tight.flow[2], tight.status[2]), (0.0, Status::Closed));
    close(tight.flow[1], 2.0);
}

#[test]
fn a_duct_takes_what_darcy_weisbach_and_its_fittings_say() {
    let duct = Duct::rectangular(25.0, 0.5, 0.3, 9e-5, 1.7);
    let mut network = line(1);
    network.links = vec![link(0, 1, LinkKind::Duct(duct), 0.0), link(1, 2, fixed(1e-3), 0.0)];
    if let NodeKind::Junction(junction) = &mut network.nodes[1].kind {
        junction.demands = vec![Demand { base: 0.9, ..Demand::default() }];
    }
    network.links.remove(1);
    network.nodes.pop();
    let solution = solve(&network);
    let velocity = 0.9 / 0.15;
    let re = velocity * 0.375 / network.fluid.viscosity;
    let f = 0.25 / (9e-5 / (3.7 * 0.375) + 5.74 / re.powf(0.9)).log10().powi(2);
    let pressure = (f * 25.0 / 0.375 + 1.7) * 0.5 * network.fluid.density * velocity * velocity;
    close(-solution.head[1] * network.pa_per_m(), pressure);
}

#[test]
fn stack_draws_through_two_unlike_cracks() {
    for exponent in [0.5, 0.6, 0.65, 0.8, 1.0] {
        let mut network = line(1);
        let (low, high) = (2e-3, 7e-4);
        network.links = vec![link(0, 1, crack(low, exponent), 0.0), link(1, 2, crack(high, exponent), 0.0)];
        // Inside 293 K, outside 273 K, 9 m between them, in metres of the air inside.
        let draught = 9.0 * (293.0 / 273.0 - 1.0);
        network.links[1].head_gain = draught;
        let solution = solve(&network);
        let pressure = draught * network.pa_per_m();
        let below = pressure / (1.0 + (low / high).powf(1.0 / exponent));
        close(solution.flow[0], low * below.powf(exponent));
        close(-solution.head[1] * network.pa_per_m(), below);
    }
}

#[test]
fn a_neutral_plane_stands_where_three_cracks_balance() {
    // Cracks at the floor, in the middle and under the roof of one tall room; the plane is between two of them.
    let cracks = [(3e-3, 0.65, 0.5), (1e-3, 0.5, 6.0), (2e-3, 0.7, 12.0)];
    let mut network = Network { fluid: Fluid::air(), ..Network::default() };
    network.nodes = vec![outdoors(&network, "out", 0.0), room("hall")];
    let lighter = 293.0 / 263.0 - 1.0;
    for (at, (c, n, height)) in cracks.into_iter().enumerate() {
        let mut l = link(1, 0, crack(c, n), 0.0);
        (l.id, l.head_gain) = (format!("crack {at}"), height * lighter);
        network.links.push(l);
    }
    let solution = solve(&network);
    let pa = network.pa_per_m();
    let out = |p: f64, (c, n, height): (f64, f64, f64)| {
        let over = p + height * lighter * pa;
        c * over.abs().powf(n).copysign(over)
    };
    let p = root(-100.0, 100.0, |p| -cracks.iter().map(|&k| out(p, k)).sum::<f64>());
    for (flow, crack) in solution.flow.iter().zip(cracks) {
        close(*flow, out(p, crack));
    }
    assert!(solution.flow[0] < 0.0 && solution.flow[2] > 0.0, "in below, out above: {:?}", solution.flow);
}

#[test]
fn wind_blows_through_by_the_pressures_of_the_walls() {
    // Pressure coefficients of walls on the dynamic pressure of 7 m/s: windward, leeward, side, roof.
    let mut network = Network { fluid: Fluid::air(), ..Network::default() };
    let dynamic = 0.5 * network.fluid.density * 49.0;
    let walls = [(0.7, 4e-3, 0.65), (-0.3, 5e-3, 0.65), (-0.5, 1e-3, 0.5), (-0.9, 6e-4, 0.6)];
    network.nodes = vec![room("hall")];
    for (at, (cp, c, n)) in walls.into_iter().enumerate() {
        let wall = outdoors(&network, &format!("wall {at}"), cp * dynamic);
        network.nodes.push(wall);
        network.links.push(link(at + 1, 0, crack(c, n), 0.0));
    }
    let solution = solve(&network);
    let into = |p: f64, (cp, c, n): (f64, f64, f64)| {
        let over = cp * dynamic - p;
        c * over.abs().powf(n).copysign(over)
    };
    let p = root(-dynamic, dynamic, |p| walls.iter().map(|&w| into(p, w)).sum());
    close(solution.head[0] * network.pa_per_m(), p);
    for (flow, wall) in solution.flow.iter().zip(walls) {
        close(*flow, into(p, wall));
    }
    // Calm, and as warm inside as outside: nothing moves.
    for node in &mut network.nodes[1..] {
        node.elevation = 0.0;
    }
    assert!(solve(&network).flow.iter().all(|q| q.abs() < 1e-9));
}

#[test]
fn wind_and_stack_and_a_fan_together() {
    // Two storeys joined by a stair, an exhaust fan upstairs.
    let mut network = Network { fluid: Fluid::air(), ..Network::default() };
    let pa = network.pa_per_m();
    network.nodes = vec![room("ground floor"), room("upstairs")];
    for (id, p) in [("windward", 9.0), ("leeward", -4.0)] {
        let wall = outdoors(&network, id, p);
        network.nodes.push(wall);
    }
    let density = network.fluid.density;
    let exhaust = fan(&mut network, &[(0.0, 60.0), (0.1, 45.0), (0.2, 0.0)], density);
    let gain = 3.0 * (294.0 / 278.0 - 1.0);
    network.links = vec![
        link(2, 0, crack(8e-3, 0.65), 0.0),
        link(0, 1, crack(0.05, 0.5), 0.0),
        link(1, 3, crack(6e-3, 0.65), 0.0),
        link(1, 3, exhaust, 1.0),
        link(2, 1, crack(4e-3, 0.6), 0.0),
    ];
    network.links[3].id = "exhaust".into();
    // Everything upstairs is 3 m higher, in warm air.
    for at in [2, 3] {
        network.links[at].head_gain = gain;
    }
    network.links[4].head_gain = -gain;
    let solution = solve(&network);
    let p: Vec<f64> = solution.head.iter().map(|h| h * pa).collect();
    let power = |c: f64, n: f64, over: f64| c * over.abs().powf(n).copysign(over);
    close(solution.flow[0], power(8e-3, 0.65, p[2] - p[0]));
    close(solution.flow[1], power(0.05, 0.5, p[0] - p[1]));
    close(solution.flow[2], power(6e-3, 0.65, p[1] + gain * pa - p[3]));
    close(solution.flow[4], power(4e-3, 0.6, p[2] - gain * pa - p[1]));
    // 60 - 15 (q/0.1)² is the curve by its three points: C = log2(4).
    let rise = p[3] - p[1] - gain * pa;
    close(solution.flow[3], 0.1 * ((60.0 - rise) / 15.0).sqrt());
    let left = solution.flow[0] - solution.flow[1];
    assert!(left.abs() < 1e-12 && solution.flow[3] > 0.05, "{:?}", solution.flow);
}
