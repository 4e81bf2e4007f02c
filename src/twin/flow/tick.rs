//! The systems of a tick: networks arrive, telemetry is heard, what has changed is solved, written and compared.

use super::derive::{Derived, Maker};
use super::engine::Ask;
use super::live::{Known, Taken};
use super::score::OverallScore;
use super::work::{Net, Work};
use super::{
    Flow, FlowAssumptions, FlowFault, FlowNetwork, FlowPace, FlowScore, FlowSolve, FlowState, Networks, Place,
    Pressure, Residual, Temperature, Velocity,
};
use crate::simulation::building::SystemNetwork;
use crate::simulation::building::accuracy::{Score, tells};
use crate::site::{PointIndex, Site, Slot};
use crate::twin::clock::TwinClock;
use crate::twin::health::HealthChanged;
use crate::twin::replay::Rewound;
use crate::twin::scene::{InSlot, Relaid, Scene, SiteOpened};
use crate::twin::telemetry::Fresh;
use bevy::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So many elements are written in one tick at most: a hundred thousand would be felt.
const WRITTEN_A_TICK: usize = 20_000;

/// Another site, or another state of the one that is open: its networks are made.
pub fn open(
    mut opened: MessageReader<SiteOpened>,
    mut relaid: MessageReader<Relaid>,
    scene: Option<Res<Scene>>,
    stated: Res<FlowAssumptions>,
    maker: Res<Maker>,
    mut work: ResMut<Work>,
    mut networks: ResMut<Networks>,
    mut overall: ResMut<OverallScore>,
    mut commands: Commands,
) {
    let Some(scene) = scene else { return };
    let another = opened.read().fold(None, |is, o| Some(is.unwrap_or(false) || o.is_another()));
    let laid = relaid.read().last().map(|r| Arc::clone(&r.site));
    if another == Some(true) {
        work.clear();
        work.known = Known::of(scene.site.points.len());
        for entity in networks.entities.drain(..) {
            commands.entity(entity).try_despawn();
        }
        *networks = Networks::default();
        *overall = OverallScore::default();
    }
    let site = match (another, laid) {
        // What lies elsewhere has other heights and may be joined otherwise; its numbers stay.
        (None, Some(laid)) => laid,
        (Some(_), _) => Arc::clone(&scene.site),
        (None, None) => return,
    };
    work.derived = None;
    work.deriving = None;
    let (of, stated, maker) = (Arc::clone(&site), Arc::new(stated.0.clone()), *maker);
    let said = Arc::clone(&stated);
    let thread = std::thread::Builder::new().name("plenum-networks".into());
    work.deriving = thread.spawn(move || Derived::of(&of, &said, maker)).ok();
    if work.deriving.is_none() {
        // No thread to be had: it is done here.
        work.derived = Some(Derived::of(&site, &stated, maker));
    }
}

/// The networks are there: they become entities, and their elements have values.
pub fn arrive(
    scene: Option<Res<Scene>>,
    mut work: ResMut<Work>,
    mut networks: ResMut<Networks>,
    pace: Res<FlowPace>,
    had: Query<(Entity, &InSlot), With<Flow>>,
    compared: Query<Entity, With<Residual>>,
    mut commands: Commands,
) {
    let Some(scene) = scene else { return };
    let work = &mut *work;
    if let Some(thread) = work.deriving.take_if(|d| d.is_finished()) {
        work.derived = Some(thread.join().unwrap_or_default());
    }
    let Some(derived) = work.derived.take() else { return };
    let nothing = derived.engines.is_empty() && networks.entities.is_empty();
    let networks = &mut *networks;
    work.install(derived, &scene.site, &scene, networks);
    if nothing {
        return;
    }
    let Some(building) = networks.building.clone() else { return };
    let before = std::mem::take(&mut networks.entities);
    for (number, (of, net)) in building.networks.iter().zip(&mut work.nets).enumerate() {
        let entity = match before.get(number) {
            Some(entity) => *entity,
            None => commands.spawn_empty().id(),
        };
        let network = FlowNetwork {
            index: number,
            name: of.name.clone(),
            medium: of.medium.clone(),
            domain: of.domain,
            nodes: of.network.nodes.len(),
            links: of.network.links.len(),
            assumptions: of.assumptions.len(),
        };
        let label = Name::new(of.name.clone());
        commands.entity(entity).insert((label, network, solve_of(net), FlowState(Arc::clone(&net.state))));
        commands.entity(entity).insert_if_new(FlowScore::default());
        networks.entities.push(entity);
        let values = net.shown.iter().map(|(element, place)| {
            let [flow, velocity, pressure, temperature] = values(of, net, *place);
            (*element, (Flow(flow), Velocity(velocity), Pressure(pressure), Temperature(temperature)))
        });
        commands.try_insert_batch(values.collect::<Vec<_>>());
        // Asked for what is measured as soon as possible.
        net.asked_at = Instant::now().checked_sub(pace.every);
    }
    for entity in before.into_iter().skip(networks.entities.len()) {
        commands.entity(entity).try_despawn();
    }
    for (entity, slot) in &had {
        if networks.place(slot.0).is_none() {
            commands.entity(entity).remove::<(Flow, Velocity, Pressure, Temperature)>();
        }
    }
    for entity in &compared {
        commands.entity(entity).remove::<Residual>();
    }
}

/// Hears what came in, and who has fallen silent.
pub fn listen(
    fresh: Res<Fresh>,
    mut health: MessageReader<HealthChanged>,
    mut rewound: MessageReader<Rewound>,
    faults: Query<&InSlot, Changed<FlowFault>>,
    mut mended: RemovedComponents<FlowFault>,
    mut work: ResMut<Work>,
) {
    let silent = health.read().map(|h| h.point);
    let work = work.bypass_change_detection();
    if rewound.read().count() > 0 {
        let mut known = std::mem::take(&mut work.known);
        known.forget();
        work.know(known);
    }
    for sample in &fresh.0 {
        work.known.hear(sample);
        work.touch(sample.point);
    }
    silent.for_each(|point| work.touch(point));
    let other_faults = !faults.is_empty() || mended.read().count() > 0;
    if other_faults {
        work.nets.iter_mut().for_each(|net| net.dirty = true);
    }
}

/// Solves the networks that are asked something else than before.
pub fn solve(
    scene: Option<Res<Scene>>,
    networks: Res<Networks>,
    clock: Res<TwinClock>,
    pace: Res<FlowPace>,
    faults: Query<(&InSlot, &FlowFault)>,
    mut work: ResMut<Work>,
) {
    let (Some(scene), Some(building)) = (scene, &networks.building) else { return };
    let work = work.bypass_change_detection();
    work.receive(building);
    let mut spent = Duration::ZERO;
    let now = Instant::now();
    for (number, of) in building.networks.iter().enumerate() {
        let Some(net) = work.nets.get_mut(number) else { continue };
        let is_due = net.asked_at.is_none_or(|at| now.duration_since(at) >= pace.every);
        if !net.dirty || !is_due || net.engine.is_none() {
            continue;
        }
        net.dirty = false;
        let mut ask = Ask { values: Vec::with_capacity(of.drives.len()), faults: Vec::new() };
        net.held.clear();
        net.live = 0;
        for drive in &of.drives {
            let taken = taken(&scene.site, &work.known, drive.point, &clock);
            match taken {
                Taken::Held(_) => net.held.push(drive.point),
                Taken::Live(_) => net.live += 1,
                Taken::Model => {}
            }
            ask.values.push(taken.value());
        }
        let here = |slot: Slot| work.of_slot.get(&slot).is_some_and(|nets| nets.contains(&(number as u32)));
        for (slot, fault) in faults.iter().filter(|(slot, _)| here(slot.0)) {
            net.dirty |= ask.add(slot.0, &fault.0, clock.now.0 as f64 / 1000.0);
        }
        net.asked_at = Some(now);
        if ask == net.asked {
            continue;
        }
        net.asked = ask;
        if spent + net.took > pace.in_a_tick {
            work.send(number, building);
        } else if let Some(mut engine) = net.engine.take() {
            let state = engine.solve(of, &net.asked);
            spent += engine.took;
            net.answered(state, &engine, building, number);
            net.engine = Some(engine);
        }
    }
}

/// Writes what was solved to entities; what is as it was is left alone.
pub fn write(
    networks: Res<Networks>,
    mut work: ResMut<Work>,
    mut solved: Query<(&mut Flow, &mut Velocity, &mut Pressure, &mut Temperature)>,
    mut of_network: Query<(&mut FlowSolve, &mut FlowState)>,
) {
    let Some(building) = &networks.building else { return };
    let mut left = WRITTEN_A_TICK;
    for ((net, of), entity) in
        work.bypass_change_detection().nets.iter_mut().zip(&building.networks).zip(&networks.entities)
    {
        if let Ok((mut solve, mut state)) = of_network.get_mut(*entity) {
            if solve.live != net.live || solve.held != net.held {
                solve.live = net.live;
                solve.held.clone_from(&net.held);
            }
            if !Arc::ptr_eq(&state.0, &net.state) {
                state.0 = Arc::clone(&net.state);
                solve.set_if_neq(solve_of(net));
            }
        }
        let Some(from) = net.written.filter(|_| left > 0) else { continue };
        let until = net.shown.len().min(from + left);
        for (element, place) in net.shown.get(from..until).unwrap_or_default() {
            let Ok((mut flow, mut velocity, mut pressure, mut temperature)) = solved.get_mut(*element) else {
                continue;
            };
            let new = values(of, net, *place);
            renew(flow.0, new[0]).into_iter().for_each(|v| flow.0 = v);
            renew(velocity.0, new[1]).into_iter().for_each(|v| velocity.0 = v);
            renew(pressure.0, new[2]).into_iter().for_each(|v| pressure.0 = v);
            renew(temperature.0, new[3]).into_iter().for_each(|v| temperature.0 = v);
        }
        left -= until - from;
        net.written = (until < net.shown.len()).then_some(until);
    }
}

/// The new value where it says something else: a solver that ends a hair elsewhere has found the same.
fn renew(old: f64, new: f64) -> Option<f64> {
    const SAME: f64 = 1e-5;
    let same = old == new || (old.is_nan() && new.is_nan()) || (new - old).abs() <= SAME * old.abs().max(new.abs());
    (!same).then_some(new)
}

/// Compares what is measured with what is solved.
pub fn compare(
    scene: Option<Res<Scene>>,
    networks: Res<Networks>,
    clock: Res<TwinClock>,
    pace: Res<FlowPace>,
    mut work: ResMut<Work>,
    mut residuals: Query<&mut Residual>,
    mut scores: Query<&mut FlowScore>,
    mut overall: ResMut<OverallScore>,
    mut commands: Commands,
) {
    let (Some(scene), Some(building)) = (scene, &networks.building) else { return };
    let Work { nets, known, residuals: kept, .. } = work.bypass_change_detection();
    let mut touched: Vec<Slot> = Vec::new();
    let mut put = |entity: Option<&Entity>, new: Option<Residual>| {
        let Some(entity) = entity else { return };
        match (residuals.get_mut(*entity), new) {
            (Ok(mut own), Some(new)) => {
                own.set_if_neq(new);
            }
            (Err(_), Some(new)) => {
                commands.entity(*entity).try_insert(new);
            }
            (Ok(_), None) => {
                commands.entity(*entity).try_remove::<Residual>();
            }
            (Err(_), None) => {}
        }
    };
    let mut any = false;
    for ((net, of), entity) in nets.iter_mut().zip(&building.networks).zip(&networks.entities) {
        if !net.compare || net.compared_at.is_some_and(|at| at.elapsed() < pace.every) {
            continue;
        }
        net.compare = false;
        net.compared_at = Some(Instant::now());
        let mut changed = false;
        for reading in &of.readings {
            // What sets something is met by what it sets: that says nothing of accuracy.
            let sets = of.drives.iter().any(|d| d.point == reading.point);
            let new = match taken(&scene.site, known, reading.point, &clock) {
                Taken::Live(measured) if !sets && tells(of, &net.state, reading.of) => {
                    Residual::of(of, &net.state, reading.point, reading.of, measured)
                }
                _ => None,
            };
            if kept.set(reading.point, new) {
                changed = true;
                put(scene.points.get(reading.point.0 as usize), new);
                touched.extend_from_slice(kept.shown_on(reading.point));
            }
        }
        if changed {
            any = true;
            let score = FlowScore::from(Score::of(kept.of_network(of).map(|r| r.relative)));
            if let Ok(mut own) = scores.get_mut(*entity) {
                own.set_if_neq(score);
            }
        }
    }
    if !any {
        return;
    }
    touched.sort_unstable();
    touched.dedup();
    for slot in touched {
        put(scene.elements.get(slot.0 as usize), kept.worst(slot));
    }
    overall.set_if_neq(OverallScore(kept.score()));
}

/// What a point gives now.
fn taken(site: &Site, known: &Known, point: PointIndex, clock: &TwinClock) -> Taken {
    site.points.get(point.0 as usize).map_or(Taken::Model, |p| known.taken(point, p, clock))
}

fn solve_of(net: &Net) -> FlowSolve {
    let state = &net.state;
    FlowSolve {
        converged: state.converged,
        iterations: state.iterations,
        mass_residual_m3s: state.mass_residual_m3s,
        head_residual_m: state.head_residual_m,
        energy_closing_w: state.energy_closing_w,
        live: net.live,
        held: net.held.clone(),
        solves: net.solves,
    }
}

/// Flow, velocity, pressure and temperature of an element, SI; not a number where one is not known.
fn values(of: &SystemNetwork, net: &Net, place: Place) -> [f64; 4] {
    let state = &net.state;
    let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(f64::NAN);
    let Some((i, link)) = place.link.and_then(|i| Some((i, of.network.links.get(i)?))) else {
        let node = place.node.unwrap_or(usize::MAX);
        return [at(&net.through, node), f64::NAN, at(&state.pressure_pa, node), at(&state.node_c, node)];
    };
    let flow = at(&state.flow_m3s, i);
    let end = if flow < 0.0 { link.from } else { link.to };
    let (pressure, temperature) = match place.node {
        Some(node) => (at(&state.pressure_pa, node), at(&state.node_c, node)),
        None => (at(&state.pressure_pa, end), at(&state.leaving_c, i)),
    };
    [flow, at(&state.velocity_ms, i), pressure, temperature]
}
