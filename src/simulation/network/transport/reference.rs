//! Against a Modelica library: the pandapipes heat networks with their OpenModelica results, from the file to
//! the temperature: read, solved for flow, and carried.

use crate::import::network::pandapipes;
use crate::simulation::network::{Accuracy, Solver};
use serde_json::Value;

fn sample(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("PLENUM_SAMPLES")?;
    Some(std::fs::read(std::path::Path::new(&folder).join("reference/pandapipes").join(name)).unwrap())
}

/// A column of a table of the file.
fn column(bytes: &[u8], table: &str, name: &str) -> Vec<Value> {
    let net: Value = serde_json::from_slice(bytes).unwrap();
    let table: Value = serde_json::from_str(net["_object"][table]["_object"].as_str().unwrap()).unwrap();
    let at = table["columns"].as_array().unwrap().iter().position(|c| c == name).unwrap();
    table["data"].as_array().unwrap().iter().map(|row| row[at].clone()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// A net that is solved: itself, what came out, and its largest errors of velocity and pressure (relative).
struct Solved {
    bytes: Vec<u8>,
    coupled: super::Coupled,
    velocity: f64,
    pressure: f64,
}

/// With water as it is: the reference has it too, while the files give one temperature's properties.
fn solve(name: &str) -> Option<Solved> {
    let bytes = sample(name)?;
    let (net, problems) = pandapipes::read(&bytes, name);
    assert!(problems.is_empty(), "{problems:?}");
    let (mut solver, problems) = Solver::new(&net.network);
    assert!(problems.is_empty(), "{problems:?}");
    let runs = net.runs();
    let coupling = net.coupling(&runs);
    let (coupled, problems) = coupling.solve(&mut solver, &net.network.boundary(), Accuracy::both(1e-9));
    // A source of the cold networks has no temperature of its own.
    assert!(problems.iter().all(|p| p.message.contains("no temperature given")), "{name}: {problems:?}");
    assert!(coupled.solution.converged && coupled.settled && coupled.rounds < 10, "{name}: {} rounds", coupled.rounds);
    let closing = coupled.sections.closing_w;
    assert!(closing.abs() < 1e-2, "{name}: {closing} W");
    let (mut velocity, mut pressure) = (0.0f64, 0.0f64);
    for (ours, theirs) in coupled.sections.velocity_ms.iter().zip(column(&bytes, "pipe", "v_om")) {
        velocity = velocity.max((ours / theirs.as_f64().unwrap() - 1.0).abs());
    }
    for (n, theirs) in column(&bytes, "junction", "p_om").iter().enumerate() {
        let ours = (coupled.solution.head[n] - net.height_m[n]) * net.network.pa_per_m() / 1e5;
        pressure = pressure.max((ours / theirs.as_f64().unwrap() - 1.0).abs());
    }
    Some(Solved { bytes, coupled, velocity, pressure })
}

#[test]
fn heat_networks_within_a_tenth_of_a_kelvin() {
    // What is left on the last one, a hill of 500 m, is in the first section of a pipe: the reference puts half a
    // section's friction more than its share there.
    for (name, most) in [
        ("heat_one_pipe.json", 0.01),
        ("heat_delta.json", 0.03),
        ("heat_t_cross.json", 0.03),
        ("heat_heights.json", 0.1),
    ] {
        let Some(solved) = solve(name) else { return };
        let mut kelvin = 0.0f64;
        for (ours, theirs) in solved.coupled.sections.along_c.iter().zip(column(&solved.bytes, "pipe", "T_om")) {
            let theirs = numbers(&theirs);
            assert_eq!(ours.len(), theirs.len());
            kelvin = ours.iter().zip(theirs).map(|(a, b)| (a + 273.15 - b).abs()).fold(kelvin, f64::max);
        }
        println!("{name}: {kelvin:.4} K, velocity {:.5}, pressure {:.5}", solved.velocity, solved.pressure);
        assert!(kelvin < most, "{name}: {kelvin} K");
        assert!(solved.velocity < 0.002, "{name}: velocity {}", solved.velocity);
        assert!(solved.pressure < 0.001, "{name}: pressure {}", solved.pressure);
    }
}

#[test]
fn cold_networks_by_the_law_of_colebrook() {
    // Velocity and pressure. The reference of `heights` has one section a pipe and weighs all of it with the
    // density at one end, 1.5 kg/m³ off over its 350 m; in `pumps` the file's curve is in bar where the pump
    // of the reference lifts metres, ten to the bar: tests/network/pandapipes_references.rs shows both.
    for (name, velocity, pressure) in
        [("delta", 0.01, 1e-5), ("two_valves", 0.003, 1e-4), ("heights", 0.0125, 0.003), ("pumps", 0.012, 0.015)]
    {
        let name = format!("water_colebrook_{name}.json");
        let Some(solved) = solve(&name) else { return };
        println!("{name}: velocity {:.5}, pressure {:.6}", solved.velocity, solved.pressure);
        assert!(solved.velocity < velocity, "{name}: velocity {}", solved.velocity);
        assert!(solved.pressure < pressure, "{name}: pressure {}", solved.pressure);
    }
}
