//! pandapipes nets against the OpenModelica results that stand in them: pressure and velocity.

use crate::samples;
use plenum::import::network::pandapipes;
use plenum::simulation::fluid::Fluid;
use plenum::simulation::network::{Accuracy, Friction, LinkKind, Solver};
use serde_json::Value;
use std::collections::BTreeMap;

/// A column of a table, by the rows' numbers.
fn column(net: &Value, table: &str, name: &str) -> BTreeMap<i64, Value> {
    let text = net["_object"][table]["_object"].as_str().unwrap_or("{}");
    let frame: Value = serde_json::from_str(text).expect("a table");
    let Some(at) = frame["columns"].as_array().and_then(|c| c.iter().position(|c| c == name)) else {
        return BTreeMap::new();
    };
    let rows = frame["index"].as_array().unwrap().iter().zip(frame["data"].as_array().unwrap());
    rows.map(|(number, row)| (number.as_i64().unwrap(), row[at].clone())).collect()
}

#[test]
fn pressures_and_velocities_are_those_of_openmodelica() {
    let Some(folder) = samples::folder("reference/pandapipes") else { return };
    let (mut seen, mut told) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("the nets").flatten() {
        let path = entry.path();
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (net, problems) = pandapipes::read(&bytes, &name);
        assert!(problems.is_empty(), "{problems:#?}");
        assert!(net.warmth.iter().filter(|w| w.pipe).count() > 0 && net.heat_capacity > 4000.0);
        let (mut solver, problems) = Solver::new(&net.network);
        assert!(problems.is_empty(), "{problems:#?}");
        let solution = solver.solve(&net.network.boundary(), Accuracy::both(1e-9)).clone();
        assert!(solution.converged, "{name}");
        let reference: Value = serde_json::from_slice(&bytes).unwrap();
        let mut worst = (0.0_f64, 0.0_f64);
        for (junction, wanted) in column(&reference, "junction", "p_om") {
            let at = net.junctions.iter().position(|j| *j == junction).expect("the junction");
            let bar = (solution.head[at] - net.height_m[at]) * net.network.pa_per_m() / 1e5;
            let wanted = wanted.as_f64().expect("a pressure");
            worst.0 = worst.0.max((bar / wanted - 1.0).abs());
        }
        let velocities = column(&reference, "pipe", "v_om");
        for warmth in net.warmth.iter().filter(|w| w.pipe) {
            let LinkKind::Pipe(pipe) = &net.network.links[warmth.link].kind else { panic!("a pipe") };
            let area = 0.25 * std::f64::consts::PI * pipe.diameter * pipe.diameter;
            let wanted = velocities[&warmth.number].as_f64().expect("a velocity");
            worst.1 = worst.1.max((solution.flow[warmth.link] / area / wanted - 1.0).abs());
        }
        eprintln!("{name}: pressure {:.3} %, velocity {:.3} %", worst.0 * 100.0, worst.1 * 100.0);
        // What the references know and the nets do not say: water that gets lighter and thinner as it warms
        // (the heat nets name one density and viscosity, and no heat is solved here) and denser under
        // pressure; pumps that lift ten metres where the net says a bar (shown below); friction that adds the laminar and the
        // rough part instead of passing from one to the other (the slow flows of the delta).
        let (pressure, velocity) = match name.as_str() {
            "water_colebrook_two_valves.json" | "water_colebrook_heights.json" => (2e-3, 1.3e-2),
            "water_colebrook_pumps.json" => (1.6e-2, 1e-2),
            "water_colebrook_delta.json" => (1e-3, 8e-2),
            _ => (5e-2, 5e-2),
        };
        if worst.0 > pressure || worst.1 > velocity {
            told.push(format!("{name}: {worst:?}"));
        }
        seen += 1;
    }
    assert!(told.is_empty(), "{told:#?}");
    assert!(seen >= 8, "{seen}");
}

fn net(name: &str) -> Option<(pandapipes::PipeNet, Value)> {
    let path = samples::folder("reference/pandapipes")?.join(name);
    let bytes = std::fs::read(path).expect("the net");
    Some((pandapipes::read(&bytes, name).0, serde_json::from_slice(&bytes).unwrap()))
}

fn numbers(net: &Value, table: &str, name: &str) -> Vec<f64> {
    column(net, table, name).values().map(|v| v.as_f64().expect("a number")).collect()
}

/// Why `pumps` is 1.4 % off: its curve is in bar where the pump of the reference lifts metres, ten to the bar. With
/// its curve taken so, pressure and velocity are within the tenth of a per cent and the per cent.
#[test]
fn the_pumps_of_the_reference_lift_ten_metres_where_the_net_says_a_bar() {
    let Some((mut net, reference)) = net("water_colebrook_pumps.json") else { return };
    let off = |net: &pandapipes::PipeNet| {
        let (mut solver, _) = Solver::new(&net.network);
        let solution = solver.solve(&net.network.boundary(), Accuracy::both(1e-9)).clone();
        assert!(solution.converged);
        let per_m = net.network.pa_per_m() / 1e5;
        let bar = solution.head.iter().zip(&net.height_m).map(|(head, height)| (head - height) * per_m);
        let pressure = bar.zip(numbers(&reference, "junction", "p_om")).map(|(a, b)| (a / b - 1.0).abs());
        let flows = net.warmth.iter().map(|w| match &net.network.links[w.link].kind {
            LinkKind::Pipe(pipe) => solution.flow[w.link] / (0.25 * std::f64::consts::PI * pipe.diameter.powi(2)),
            _ => panic!("a pipe"),
        });
        let velocity = flows.zip(numbers(&reference, "pipe", "v_om")).map(|(a, b)| (a / b - 1.0).abs());
        (pressure.fold(0.0, f64::max), velocity.fold(0.0, f64::max))
    };
    let as_it_says = off(&net);
    assert!(as_it_says.0 > 0.01, "{as_it_says:?}");
    let metres_of_a_bar = 1e5 / net.network.pa_per_m();
    for point in net.network.curves.iter_mut().flat_map(|c| &mut c.points) {
        point.1 *= 10.0 / metres_of_a_bar;
    }
    let ten_metres = off(&net);
    eprintln!("pumps: {as_it_says:?} as the net says, {ten_metres:?} at ten metres a bar");
    assert!(ten_metres.0 < 1e-3 && ten_metres.1 < 1e-2, "{ten_metres:?}");
}

/// Why `heights` is off: each pipe of the reference has one section, and its whole column weighs what the water weighs
/// where it enters, up to 1.5 kg/m³ wrong at the other end of 350 m. Its own figures close with that density, by
/// 0.3 kPa, and not with the mean: around its loop some kPa of draught are left, which water does not have.
#[test]
fn the_columns_of_the_reference_weigh_what_enters_them() {
    let Some((net, reference)) = net("water_colebrook_heights.json") else { return };
    let (pressure, velocity) = (numbers(&reference, "junction", "p_om"), numbers(&reference, "pipe", "v_om"));
    let (mut by_entry, mut by_mean) = (0.0f64, 0.0f64);
    for (warmth, v) in net.warmth.iter().zip(velocity) {
        let link = &net.network.links[warmth.link];
        let LinkKind::Pipe(pipe) = &link.kind else { panic!("a pipe") };
        let Friction::DarcyWeisbach(rough) = pipe.friction else { panic!("a roughness") };
        let density = |bar: f64| Fluid::Water { pressure_pa: 101_325.0 + bar * 1e5 }.density_kg_m3(20.0);
        let (from, to) = (pressure[link.from], pressure[link.to]);
        let mean = density(0.5 * (from + to));
        let entry = density(if v > 0.0 { from } else { to });
        let re = mean * v.abs() * pipe.diameter / (net.network.fluid.viscosity * net.network.fluid.density);
        let mut x: f64 = 7.0;
        for _ in 0..50 {
            x = -2.0 * (rough / pipe.diameter / 3.71 + 2.51 * x / re).log10();
        }
        let friction = pipe.length / pipe.diameter / (x * x) * 0.5 * mean * v * v.abs();
        let climb = net.height_m[link.to] - net.height_m[link.from];
        let left = |density: f64| ((from - to) * 1e5 - friction - density * 9.80665 * climb).abs();
        by_entry = by_entry.max(left(entry));
        by_mean = by_mean.max(left(mean));
    }
    eprintln!("heights: {by_entry:.0} Pa are left by the density of what enters, {by_mean:.0} Pa by the mean");
    assert!(by_entry < 300.0 && by_mean > 2000.0, "{by_entry} Pa, {by_mean} Pa");
}
