//! Faults at the elements of a network: between its boundary conditions and its solve.
//!
//! Some change what holds at the moment (a valve that sticks), others the network itself (a filter that clogs); what each
//! does to a machine stands in [`faults::effect`](crate::simulation::faults::effect). Faults of controls and of signals
//! change no network.

use super::{Conditions, SystemNetwork};
use crate::simulation::faults::{FaultKind, effect};
use crate::simulation::network::{
    BladeDamper, Characteristic, Command, Emitter, KvValve, LinkKind, NodeKind, PumpHead, ValveKind,
};
use crate::site::Slot;

/// A fault that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Present {
    /// The element it is at.
    pub slot: Slot,
    /// What is broken.
    pub kind: FaultKind,
    /// How much of it, above 0 and up to 1.
    pub amount: f64,
    /// Where a valve or damper sticks, 0..1.
    pub stuck_at: f64,
}

/// What a leak's size follows from where nobody says what a pipe is designed for, m/s in its section.
const USUAL_VELOCITY_MS: f64 = 1.0;

/// True for faults that change the network itself: a solver must be made anew for it.
pub fn changes_network(kind: FaultKind) -> bool {
    use FaultKind::{CoilFouling, FilterClogging, Leak, PipeBlockage, PumpWear};
    matches!(kind, CoilFouling | FilterClogging | Leak | PipeBlockage | PumpWear)
}

/// Lets faults work on what holds at the moment.
pub fn apply(of: &SystemNetwork, faults: &[Present], conditions: &mut Conditions) {
    for fault in faults {
        for link in links_of(of, fault.slot) {
            let Some(kind) = of.network.links.get(link).map(|l| &l.kind) else { continue };
            let boundary = &mut conditions.boundary;
            let (Some(setting), Some(command)) = (boundary.setting.get_mut(link), boundary.command.get_mut(link))
            else {
                continue;
            };
            match fault.kind {
                FaultKind::StuckValve if is_valve(kind) => {
                    *setting = effect::position(*setting, fault.stuck_at, fault.amount);
                    *command = Command::Auto;
                }
                FaultKind::StuckDamper if matches!(kind, LinkKind::Damper(_)) => {
                    *setting = effect::position(*setting, fault.stuck_at, fault.amount);
                    *command = Command::Auto;
                }
                FaultKind::LeakingValve => {
                    let LinkKind::Kv(valve) = kind else { continue };
                    let now = if *command == Command::Closed { 0.0 } else { *setting };
                    let open = leaking_position(valve, of, fault.amount);
                    if open > now {
                        *setting = open;
                        *command = Command::Auto;
                    }
                }
                FaultKind::CoilFouling => {
                    let left = effect::fouled_conductance(fault.amount);
                    conditions.fouled.push((link, left));
                    if let Some(heat) = conditions.link_heat.get_mut(link) {
                        heat.ua_w_k *= left;
                    }
                }
                _ => {}
            }
        }
    }
}

/// The network with what faults change of it; `pressure_pa` is what its nodes stand at without them, for leaks.
pub fn changed(of: &SystemNetwork, faults: &[Present], pressure_pa: &[f64]) -> SystemNetwork {
    let mut out = of.clone();
    for fault in faults {
        for link in links_of(of, fault.slot) {
            match fault.kind {
                FaultKind::PumpWear => wear(&mut out, link, fault.amount),
                FaultKind::Leak => leak(&mut out, link, fault.amount, pressure_pa),
                _ => resist(&mut out, link, fault.kind, fault.amount),
            }
        }
    }
    out
}

/// The links of an element.
fn links_of(of: &SystemNetwork, slot: Slot) -> impl Iterator<Item = usize> + '_ {
    of.link_element.iter().enumerate().filter(move |(_, s)| **s == Some(slot)).map(|(i, _)| i)
}

/// Where the valve or damper of an element stands, 0..1; none where it has none.
pub fn stands_at(of: &SystemNetwork, slot: Slot, conditions: &Conditions) -> Option<f64> {
    let sticks = |link: &usize| {
        let kind = of.network.links.get(*link).map(|l| &l.kind);
        kind.is_some_and(|k| is_valve(k) || matches!(k, LinkKind::Damper(_)))
    };
    let link = links_of(of, slot).find(sticks)?;
    conditions.boundary.setting.get(link).copied()
}

/// A valve whose setting is a position.
fn is_valve(kind: &LinkKind) -> bool {
    match kind {
        LinkKind::Kv(_) => true,
        LinkKind::Valve(valve) => matches!(valve.kind, ValveKind::PositionalControl { .. }),
        _ => false,
    }
}

/// Where a valve that leaks so much stands at the least, 0..1.
pub fn leaking_position(valve: &KvValve, of: &SystemNetwork, amount: f64) -> f64 {
    position_of(valve, of, effect::flow_coefficient_share(0.0, amount))
}

/// Position at which a valve has a share of its Kvs.
fn position_of(valve: &KvValve, of: &SystemNetwork, share: f64) -> f64 {
    match valve.characteristic {
        Characteristic::Linear => share,
        Characteristic::EqualPercentage(range) if range > 1.0 => {
            let at = 1.0 + share.max(f64::MIN_POSITIVE).ln() / range.ln();
            // Below a tenth of its way it goes straight to zero.
            if at >= 0.1 { at.min(1.0) } else { 0.1 * share / range.powf(-0.9) }
        }
        Characteristic::EqualPercentage(_) => share,
        Characteristic::Curve(curve) => {
            let points = of.network.curves.get(curve).map(|c| c.points.as_slice()).unwrap_or_default();
            points.iter().find(|(_, s)| *s >= share).map_or(1.0, |(x, _)| *x)
        }
    }
}

fn resist(out: &mut SystemNetwork, link: usize, fault: FaultKind, amount: f64) {
    let Some(link) = out.network.links.get_mut(link) else { return };
    match (&mut link.kind, fault) {
        (LinkKind::Resistance(r), FaultKind::FilterClogging) => r.k *= effect::clogged_resistance(amount),
        (LinkKind::Resistance(r), FaultKind::CoilFouling) => r.k *= effect::fouled_resistance(amount),
        (LinkKind::Pipe(pipe), FaultKind::PipeBlockage) => pipe.minor += effect::blockage_loss(amount),
        (LinkKind::Duct(duct), FaultKind::PipeBlockage) => duct.minor += effect::blockage_loss(amount),
        (LinkKind::Damper(BladeDamper { open_loss, .. }), FaultKind::PipeBlockage) => {
            *open_loss += effect::blockage_loss(amount);
        }
        _ => {}
    }
}

/// A pump with less head by a curve of its own: others may follow the same.
fn wear(out: &mut SystemNetwork, link: usize, amount: f64) {
    let new = out.network.curves.len();
    let left = effect::worn_head(amount);
    let Some(link) = out.network.links.get_mut(link) else { return };
    let at = match &mut link.kind {
        LinkKind::Pump(pump) => match &mut pump.head {
            PumpHead::Curve(at) => at,
            PumpHead::Power(w) => {
                *w *= left;
                return;
            }
        },
        LinkKind::Fan(fan) => &mut fan.curve,
        _ => return,
    };
    let Some(mut curve) = out.network.curves.get(*at).cloned() else { return };
    curve.id = format!("{} worn {new}", curve.id);
    for point in &mut curve.points {
        point.1 *= left;
    }
    *at = new;
    out.network.curves.push(curve);
}

/// An opening at the end of a pipe that can have one.
fn leak(out: &mut SystemNetwork, link: usize, amount: f64, pressure_pa: &[f64]) {
    let exponent = out.network.options.emitter_exponent;
    let pa_per_m = out.network.pa_per_m();
    let Some(pipe) = out.network.links.get(link).filter(|l| matches!(l.kind, LinkKind::Pipe(_) | LinkKind::Duct(_)))
    else {
        return;
    };
    let usual = out.link_area_m2.get(link).copied().flatten().map(|area| area * USUAL_VELOCITY_MS);
    let design = out.link_design_m3s.get(link).copied().flatten().or(usual).unwrap_or(0.0);
    for end in [pipe.to, pipe.from] {
        let head_m = pressure_pa.get(end).copied().filter(|p| p.is_finite()).unwrap_or(0.0) / pa_per_m;
        let Some(NodeKind::Junction(junction)) = out.network.nodes.get_mut(end).map(|n| &mut n.kind) else { continue };
        let coefficient = effect::leak_coefficient(design, head_m, exponent, amount);
        let before = junction.emitter.map_or(0.0, |e| e.coefficient);
        junction.emitter = Some(Emitter { coefficient: before + coefficient });
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{COIL, PUMP, SMALL_VALVE, SUPPLY, VALVE, ring};
    use super::super::{Operation, State};
    use super::*;

    /// Solved with a fault at an element: settings of both valves, kind, amount, where it sticks.
    fn with(settings: [f64; 2], slot: u32, kind: FaultKind, amount: f64, stuck_at: f64) -> [State; 2] {
        let mut network = ring(Vec::new(), Vec::new());
        network.design.setting[VALVE as usize] = settings[0];
        network.design.setting[SMALL_VALVE as usize] = settings[1];
        let healthy = Operation::new(&network).solve(&network, &|_| None).clone();
        let fault = Present { slot: Slot(slot), kind, amount, stuck_at };
        let faulty =
            if changes_network(kind) { changed(&network, &[fault], &healthy.pressure_pa) } else { network.clone() };
        let mut conditions = Conditions::design(&network);
        apply(&network, &[fault], &mut conditions);
        let state = Operation::new(&faulty).solve_for(&faulty, &conditions).clone();
        assert!(healthy.converged && state.converged, "{kind:?}");
        [healthy, state]
    }

    fn flow(states: &[State; 2], link: u32) -> [f64; 2] {
        [0, 1].map(|i| states[i].flow_m3s[link as usize])
    }

    #[test]
    fn a_stuck_valve_stands_where_it_sticks() {
        let states = with([1.0, 1.0], VALVE, FaultKind::StuckValve, 1.0, 0.3);
        let [was, is] = flow(&states, VALVE);
        assert!(is < 0.5 * was && is > 0.0, "{was} {is}");
        let [was, is] = flow(&states, SMALL_VALVE);
        assert!(is > was, "the other coil gets more");
        // Only what can stick does.
        let [was, is] = flow(&with([1.0, 1.0], SUPPLY, FaultKind::StuckValve, 1.0, 0.0), SUPPLY);
        assert_eq!(was, is);
    }

    #[test]
    fn a_leaking_valve_shows_when_it_is_shut() {
        let [shut, leaks] = flow(&with([0.0, 1.0], VALVE, FaultKind::LeakingValve, 1.0, 0.0), VALVE);
        let [open, _] = flow(&with([1.0, 1.0], VALVE, FaultKind::LeakingValve, 1.0, 0.0), VALVE);
        assert!(shut.abs() < 1e-6 && leaks > 0.1 * open, "{shut} {leaks} of {open}");
        let [was, is] = flow(&with([1.0, 1.0], VALVE, FaultKind::LeakingValve, 1.0, 0.0), VALVE);
        assert_eq!(was, is, "an open valve does not show it");
        // The leak is a share of the Kvs, whatever the way to it.
        for (share, characteristic) in [(0.25, Characteristic::Linear), (0.25, Characteristic::EqualPercentage(50.0))] {
            let valve = KvValve { kvs: 10.0, characteristic, leak_kv: 0.0, check: false };
            let x = position_of(&valve, &SystemNetwork::blank(), share);
            let got = if characteristic == Characteristic::Linear { x } else { 50f64.powf(x - 1.0) };
            assert!((got - share).abs() < 1e-9, "{characteristic:?}");
        }
    }

    #[test]
    fn wear_dirt_and_blockage_take_flow() {
        for (slot, kind) in [
            (PUMP, FaultKind::PumpWear),
            (SUPPLY, FaultKind::PipeBlockage),
            (COIL, FaultKind::CoilFouling),
            (COIL, FaultKind::FilterClogging),
        ] {
            let states = with([1.0, 1.0], slot, kind, 1.0, 0.0);
            let [was, is] = flow(&states, slot);
            assert!(is < 0.97 * was && is > 0.0, "{kind:?}: {was} {is}");
        }
        let [clean, fouled] = with([1.0, 1.0], COIL, FaultKind::CoilFouling, 1.0, 0.0);
        let warmed = |s: &State| s.leaving_c[COIL as usize] - s.node_c[4];
        assert!(warmed(&fouled) < 0.6 * warmed(&clean), "it takes less heat too");
    }

    #[test]
    fn a_leak_is_fed_by_the_vessel() {
        let states = with([1.0, 1.0], SUPPLY, FaultKind::Leak, 1.0, 0.0);
        let [supply, behind] = [SUPPLY, VALVE].map(|l| flow(&states, l)[1]);
        let small = flow(&states, SMALL_VALVE)[1];
        let lost = supply - behind - small;
        assert!(lost > 0.15 * 0.008 && lost < 0.5 * 0.008, "a third of the design flow at design pressure: {lost}");
    }

    #[test]
    fn faults_of_signals_change_no_network() {
        for kind in FaultKind::ALL {
            if !matches!(kind.stage(), crate::simulation::faults::Stage::Model) {
                let states = with([1.0, 1.0], PUMP, kind, 1.0, 0.0);
                assert_eq!(states[0].flow_m3s, states[1].flow_m3s, "{kind:?}");
            }
        }
    }
}
