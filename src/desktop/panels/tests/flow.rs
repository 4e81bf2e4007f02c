//! What people see of flow: the section of an element, the list of networks, what is traced, and the legend.

use super::{SIZES, Stage, clinic};
use crate::desktop::panels::fixture::{self, World};
use crate::desktop::panels::flows::{Neighbours, Solved};
use crate::desktop::panels::state::BottomTab;
use crate::problem::Problem;
use crate::simulation::building::trace::{Way, trace};
use crate::simulation::building::{Assumption, Building, Measurand, Reading, State, SystemNetwork};
use crate::simulation::fluid::Fluid;
use crate::simulation::network::{Boundary, Friction, Junction, Link, LinkKind, Network, Node, NodeKind, Pipe};
use crate::site::graph::Domain;
use crate::site::unit::Quantity;
use crate::site::{PointIndex, Slot};
use crate::twin::command::Command;
use crate::twin::flow::{FlowRanges, FlowScore, FlowSolve, Range, Residual, Traced, testing};
use crate::twin::view::ColourBy;
use bevy_egui::egui::{Event, Key, Modifiers, PointerButton};
use std::sync::Arc;

/// A ring: the chiller, the pump, the pipe, and back; the flow goes against the pipe's link.
fn ring(site: &crate::site::Site) -> SystemNetwork {
    let slots = ["CH-1", "P-1", "Chilled water supply DN100"].map(|l| fixture::slot(site, l));
    let pipe = Pipe {
        length: 12.0,
        diameter: 0.1,
        friction: Friction::DarcyWeisbach(5e-5),
        minor: 0.0,
        check: false,
        leak: None,
    };
    let node = |id: &str| Node { id: id.into(), elevation: 0.0, kind: NodeKind::Junction(Junction::default()) };
    let link = |id: &str, from: usize, to: usize| Link {
        id: id.into(),
        from,
        to,
        kind: LinkKind::Pipe(pipe),
        command: Default::default(),
        setting: 0.0,
        head_gain: 0.0,
    };
    let flow = site.points.iter().position(|p| p.asset == slots[1] && p.role == "flow").unwrap();
    SystemNetwork {
        name: "Chilled water".into(),
        medium: "chilled water".into(),
        domain: Domain::Water,
        network: Network {
            nodes: ["a", "b", "c"].map(node).into(),
            links: vec![link("ch", 0, 1), link("p", 1, 2), link("pipe", 0, 2)],
            ..Network::default()
        },
        fluid: Fluid::Water { pressure_pa: 3e5 },
        link_element: slots.map(Some).into(),
        node_element: vec![None; 3],
        node_place: vec![None; 3],
        link_area_m2: vec![Some(0.00785); 3],
        link_heat: Vec::new(),
        link_part: Vec::new(),
        link_design_m3s: vec![None; 3],
        node_heat: Vec::new(),
        design: Boundary::default(),
        emitters: Vec::new(),
        drives: Vec::new(),
        readings: vec![Reading { point: PointIndex(flow as u32), of: Measurand::Flow(1) }],
        assumptions: vec![Assumption {
            element: site.element(slots[2]).unwrap().id.clone(),
            field: "roughness_mm".into(),
            value: 0.05,
            why: "steel, welded; the model names no material".into(),
        }],
        problems: vec![Problem::warning(
            "Chilled water",
            "no expansion vessel: the pump's inlet is taken as 1.5 bar",
            "",
        )],
    }
}

fn state() -> State {
    State {
        flow_m3s: vec![0.02, 0.02, -0.02],
        velocity_ms: vec![2.5, 2.5, -2.5],
        pressure_pa: vec![182_000.0, 150_000.0, 260_000.0],
        node_c: vec![7.0, 7.1, 7.2],
        leaving_c: vec![7.1, 7.2, 7.0],
        converged: true,
        iterations: 4,
        ..State::default()
    }
}

/// The clinic with its chilled water ring solved, and the pipe selected.
fn world() -> (World, Slot) {
    let mut world = clinic();
    let site = Arc::clone(&world.scene.as_ref().unwrap().site);
    let network = ring(&site);
    let pipe = world.slot("Chilled water supply DN100");
    let reading = network.readings[0].point;
    world.networks = testing::networks(Building { networks: vec![network], problems: Vec::new() }, site.elements.len());
    let solve = FlowSolve { converged: true, iterations: 4, solves: 1, ..FlowSolve::default() };
    world.now = vec![(solve, FlowScore { readings: 1, within_10: 0.0, within_20: 1.0 }, state())];
    let residual = Residual { point: reading, measured: 0.0226, simulated: 0.02, residual: 0.0026, relative: 0.13 };
    world.residuals.insert(reading, residual);
    let solved = Solved {
        flow: Some(-0.02),
        velocity: Some(-2.5),
        pressure: Some(182_000.0),
        temperature: Some(7.0),
        residual: None,
    };
    world.solved.insert(pipe, solved);
    world.view.selected = Some(pipe);
    (world, pipe)
}

fn ranges() -> FlowRanges {
    let range = |quantity: Quantity, max: f64| Range { min: 0.0, max, quantity };
    FlowRanges::default()
        .with(ColourBy::Flow, Domain::Water, range(Quantity::VolumeFlow, 0.0314))
        .with(ColourBy::Flow, Domain::Air, range(Quantity::VolumeFlow, 3.47))
        .with(ColourBy::Velocity, Domain::Water, range(Quantity::Velocity, 1.94))
        .with(ColourBy::Velocity, Domain::Air, range(Quantity::Velocity, 7.2))
        .with(ColourBy::Pressure, Domain::Water, range(Quantity::Pressure, 312_000.0))
        .with(ColourBy::Pressure, Domain::Air, range(Quantity::Pressure, 640.0))
}

fn trace_from(world: &mut World, slot: Slot, way: Way) {
    let network = &world.networks.building.as_ref().unwrap().networks[0];
    let found = trace(network, &state(), slot, way, |_| false).unwrap();
    world.traced = Traced::of(slot, way, Some(found));
}

#[test]
fn a_pipe_is_read_with_its_direction_and_what_was_assumed() {
    for size in SIZES {
        let (world, pipe) = world();
        let mut stage = Stage::new(world, size);
        stage.check_texts(&format!("flow {size:?}"));
        // Against its link: from the pump's end to the chiller's.
        for words in ["72.0 m³/h", "2.50 m/s", "7.00 °C", "260 to 182 kPa", "78.0 kPa", "0 of 1 points within 10 %"] {
            assert!(stage.find(words).is_some(), "{words} {size:?}: {:?}", stage.words());
        }
        let [pump, chiller] = ["P-1", "CH-1"].map(|l| stage.world.slot(l));
        let network = &stage.world.networks.building.as_ref().unwrap().networks[0];
        let sides = Neighbours::of(network, &state(), pipe);
        assert_eq!((sides.from, sides.to), (vec![pump], vec![chiller]));
        if size.1 / size.2 < 700.0 {
            continue;
        }
        assert!(stage.find("0.05 mm (assumed)").is_some(), "{:?}", stage.words());
        let out = stage.click("Upstream");
        assert!(out.contains(&Command::Trace { slot: pipe, way: Way::Upstream }), "{out:?}");
        let out = stage.click("Downstream");
        assert!(out.contains(&Command::Trace { slot: pipe, way: Way::Downstream }), "{out:?}");
    }
}

#[test]
fn a_measured_point_says_how_far_it_is_from_what_is_solved() {
    let (mut world, _) = world();
    world.view.selected = Some(world.slot("P-1"));
    let point = world.residuals.keys().next().copied().unwrap();
    let mut stage = Stage::new(world, SIZES[1]);
    stage.check_texts("a compared point");
    assert!(stage.find("measured 81.4, solved 72.0 m³/h").is_some(), "{:?}", stage.words());
    stage.click("+13 %");
    assert_eq!(stage.state.trend.points, [point]);
}

#[test]
fn what_is_in_no_network_has_no_section() {
    let (mut world, _) = world();
    world.view.selected = Some(world.slot("AHU-1"));
    let mut stage = Stage::new(world, SIZES[1]);
    assert!(stage.find("Upstream").is_none());
    assert!(stage.key(Key::U, Modifiers::NONE).is_empty());
}

#[test]
fn networks_are_listed_and_lead_to_the_worst_residual() {
    for size in SIZES {
        let (mut world, pipe) = world();
        world.view.selected = None;
        let mut stage = Stage::new(world, size);
        stage.click("Networks");
        assert_eq!(stage.state.bottom, BottomTab::Networks);
        stage.check_texts(&format!("networks {size:?}"));
        let [pump, chiller] = ["P-1", "CH-1"].map(|l| stage.world.slot(l));
        let out = stage.click("Chilled water");
        assert!(
            out.iter().any(|c| matches!(c, Command::GhostOthers(s) if s.len() == 3 && s.contains(&pipe))),
            "{out:?} {chiller:?}"
        );
        let out = stage.click("P-1 Flow");
        assert!(out.contains(&Command::Select(Some(pump))) && out.contains(&Command::FlyTo(pump)), "{out:?}");
        assert!(!out.iter().any(|c| matches!(c, Command::GhostOthers(_))), "{out:?}");
        stage.world.now[0].0.converged = false;
        stage.settle();
        assert!(stage.find("not converged").is_some(), "{:?}", stage.words());
    }
}

#[test]
fn what_is_traced_is_plotted_listed_and_cleared() {
    for size in SIZES {
        let (mut world, pipe) = world();
        trace_from(&mut world, pipe, Way::Upstream);
        let mut stage = Stage::new(world, size);
        assert_eq!(stage.state.bottom, BottomTab::Profile, "what is traced is shown");
        stage.check_texts(&format!("profile {size:?}"));
        stage.check_places("profile");
        assert!(stage.find("12.0 m").is_some(), "{:?}", stage.words());
        let pump = stage.world.slot("P-1");
        let bottom = stage.state.places.bottom;
        let row = stage.texts().into_iter().find(|(t, r, _)| t == "P-1" && bottom.contains_rect(*r)).unwrap().1;
        let out = stage.click_at(row.center(), PointerButton::Primary);
        assert!(out.contains(&Command::Select(Some(pump))) && out.contains(&Command::Hover(Some(pump))), "{out:?}");
        let away = stage.state.places.scene.center();
        stage.frame(vec![Event::PointerMoved(away)]);
        stage.settle();
        // Esc ends the trace first, and the selection then.
        assert_eq!(stage.key(Key::Escape, Modifiers::NONE), [Command::ClearTrace]);
        stage.world.traced = Traced::default();
        stage.settle();
        assert_eq!(stage.state.bottom, BottomTab::Alarms);
        assert_eq!(stage.key(Key::Escape, Modifiers::NONE), [Command::Select(None)]);
        assert_eq!(stage.key(Key::U, Modifiers::NONE), [Command::Trace { slot: pipe, way: Way::Upstream }]);
        assert_eq!(stage.key(Key::U, Modifiers::SHIFT), [Command::Trace { slot: pipe, way: Way::Downstream }]);
    }
}

#[test]
fn the_profile_is_clicked_where_an_element_ends() {
    let (mut world, pipe) = world();
    trace_from(&mut world, pipe, Way::Downstream);
    let mut stage = Stage::new(world, SIZES[1]);
    let charts = stage.state.places.bottom;
    // Somewhere in the plot there is each element's end: a click that selects one names it.
    let mut found = std::collections::HashSet::new();
    for i in 1..60 {
        for j in 2..8 {
            let at = charts.min + charts.size() * bevy_egui::egui::vec2(0.26 + i as f32 * 0.012, j as f32 * 0.12);
            let out = stage.click_at(at, PointerButton::Primary);
            found.extend(out.iter().filter_map(|c| if let Command::Select(Some(s)) = c { Some(*s) } else { None }));
        }
    }
    for label in ["CH-1", "P-1", "Chilled water supply DN100"] {
        assert!(found.contains(&stage.world.slot(label)), "{label}: {found:?}");
    }
}

#[test]
fn the_legend_tells_ranges_in_the_units_of_the_sites_points() {
    for size in SIZES {
        for (by, words) in [
            (ColourBy::Flow, "m³/h"),
            (ColourBy::Velocity, "m/s"),
            (ColourBy::Pressure, "kPa"),
            (ColourBy::Residual, "%"),
        ] {
            let (mut world, _) = world();
            world.view.selected = None;
            world.view.colour_by = by;
            world.ranges = ranges();
            let mut stage = Stage::new(world, size);
            stage.settle();
            stage.check_texts(&format!("legend {by:?} {size:?}"));
            let scene = stage.state.places.scene;
            let told = stage.texts().into_iter().any(|(t, r, _)| t.contains(words) && scene.contains_rect(r));
            assert!(told, "{by:?} {size:?}: {:?}", stage.words());
        }
    }
}

#[test]
fn arrows_are_switched_in_the_menu_of_views() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    let button = stage.state.places.views.center();
    stage.click_at(button, PointerButton::Primary);
    stage.settle();
    let out = stage.click("Flow arrows");
    assert!(out.contains(&Command::ShowArrows(false)), "{out:?}");
}
