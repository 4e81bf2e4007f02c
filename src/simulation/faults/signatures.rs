//! Each fault shows in the telemetry as the field knows it: small plants, healthy and with the fault.

use super::effect::*;
use crate::simulation::controls::actuator::Actuator;
use crate::simulation::controls::pid::{Pid, PidState};
use crate::simulation::controls::staging::{TwoPoint, TwoPointState};
use crate::simulation::controls::valve::{Inherent, installed};
use crate::simulation::psychrometrics::{AirStream, STANDARD_PA, ratio_at};
use crate::simulation::thermal::coil::{Coil, CoilDesign, CoilResult};
use crate::simulation::thermal::exchanger::Films;
use crate::simulation::thermal::mixing::{RoomAir, mixing_box, outdoor_share};
use crate::simulation::thermal::mover::Mover;

const CP: f64 = 4190.0;
const VALVE: Inherent = Inherent::EqualPercentage { rangeability: 50.0 };

fn air(celsius: f64, humidity: f64) -> AirStream {
    AirStream { dry_kg_s: 2.0, celsius, ratio: ratio_at(celsius, humidity, STANDARD_PA) }
}

fn coil() -> Coil {
    let design =
        CoilDesign { air: air(27.0, 0.5), water_c: 6.0, water_kg_s: 1.9, heat_w: -44_000.0, pressure_pa: STANDARD_PA };
    Coil::sized(&design, CP).unwrap()
}

/// What a coil plant shows once it has settled.
struct Settled {
    command: f64,
    position: f64,
    leaving_c: f64,
    result: CoilResult,
}

/// A cooling coil whose valve holds 14 °C, in air of 26 °C: stuck, leaking and fouled by these amounts.
fn held_at(setpoint_c: f64, stuck: f64, leaking: f64, fouling: f64) -> Settled {
    let coil = fouled(&coil(), fouling);
    let pid = Pid { gain: 0.05, integral_s: 120.0, direct: true, ..Pid::default() };
    let (mut state, mut valve) = (PidState::default(), Actuator::new(90.0, 0.005));
    let mut leaving_c = 26.0;
    let mut result = CoilResult::default();
    let (mut at, mut position_now) = (0.0, 0.0);
    for i in 0..3000 {
        let command = state.step(&pid, setpoint_c, leaving_c, 5.0);
        let healthy = valve.step(command, 5.0);
        if i < 1500 {
            at = sticks_at(healthy, stuck);
        }
        let (stuck, leaking) = if i < 1500 { (0.0, 0.0) } else { (stuck, leaking) };
        position_now = position(healthy, at, stuck);
        let share = flow_coefficient_share(VALVE.share(position_now), leaking);
        let water = 1.9 * installed(share, 0.5);
        result = coil.run(air(26.0, 0.5), (6.0, water), CP, STANDARD_PA);
        leaving_c += (result.air.celsius - leaving_c) * 0.2;
    }
    Settled { command: state.output, position: position_now, leaving_c, result }
}

#[test]
fn a_stuck_valve_does_not_do_what_it_is_told() {
    let healthy = held_at(14.0, 0.0, 0.0, 0.0);
    assert!((healthy.leaving_c - 14.0).abs() < 0.3 && (healthy.command - healthy.position).abs() < 0.02);
    let stuck = held_at(14.0, 0.6, 0.0, 0.0);
    assert!((stuck.command - stuck.position).abs() > 0.1 && (stuck.leaving_c - 14.0).abs() > 1.0);
}

#[test]
fn a_leaking_valve_cools_with_its_command_at_zero() {
    let (healthy, leaking) = (held_at(40.0, 0.0, 0.0, 0.0), held_at(40.0, 0.0, 1.0, 0.0));
    assert!(healthy.command == 0.0 && leaking.command == 0.0);
    assert!((healthy.leaving_c - 26.0).abs() < 0.01 && 26.0 - leaking.leaving_c > 1.0, "{}", leaking.leaving_c);
}

#[test]
fn a_fouled_coil_opens_its_valve_further() {
    let (healthy, fouled) = (held_at(15.0, 0.0, 0.0, 0.0), held_at(15.0, 0.0, 0.0, 0.5));
    assert!((healthy.leaving_c - 15.0).abs() < 0.3 && fouled.command > healthy.command + 0.05);
    // At the same water its approach is wider, by the conductance that is gone.
    let (clean, dirty) = (coil(), super::effect::fouled(&coil(), 0.5));
    let run = |c: &Coil| c.run(air(27.0, 0.5), (6.0, 1.9), CP, STANDARD_PA).air.celsius - 6.0;
    assert!(run(&dirty) > run(&clean) + 2.0);
    assert!((dirty.films.ua_w_k(1.0, 1.0) / clean.films.ua_w_k(1.0, 1.0) - 0.575).abs() < 1e-12);
    assert!(healthy.result.heat_w < 0.0 && fouled_resistance(0.5) > 1.3);
    let exchanger = Films::from_ua(1000.0, 0.5, 0.8, 0.8);
    assert!(exchanger.ua_w_k(1.0, 1.0) > 0.0);
}

#[test]
fn a_stuck_damper_mixes_otherwise_than_it_is_told() {
    let room = RoomAir { air: air(24.0, 0.4), co2_ppm: 800.0 };
    let outdoor = RoomAir { air: air(4.0, 0.7), co2_ppm: 420.0 };
    let shown = |amount: f64| {
        let share = position(0.2, sticks_at(0.2, 0.7), amount);
        let (mixed, _) = mixing_box(outdoor, room, share, 2.0, STANDARD_PA);
        outdoor_share(4.0, 24.0, mixed.air.celsius, 2.0).unwrap()
    };
    assert!((shown(0.0) - 0.2).abs() < 0.01 && (shown(0.7) - 0.9).abs() < 0.01);
}

#[test]
fn a_clogged_filter_takes_pressure_for_the_same_flow() {
    // The fan's speed makes up for it: Δp/Q² over twice that of a clean filter, and more power.
    let fan =
        Mover { best: 0.7, best_flow_m3s: 2.0, motor: 0.9, drive: 0.95, rated_shaft_w: 3000.0, losses_to_stream: 1.0 };
    let shown = |amount: f64| {
        let filter_pa = 60.0 * clogged_resistance(amount) * 2.0 * 2.0 / 4.0;
        (filter_pa / 4.0, fan.work(2.0, 600.0 + filter_pa, 1.0).electric_w)
    };
    let (clean, clogged) = (shown(0.0), shown(0.5));
    assert!(clogged.0 > 2.0 * clean.0 && clogged.1 > 1.1 * clean.1);
}

#[test]
fn a_worn_pump_runs_faster_and_takes_more_for_the_same_water() {
    // Head 24·n² − 15000·q², against a system of 20 m at 0.015 m³/s.
    let wheel = Mover {
        best: 0.75,
        best_flow_m3s: 0.018,
        motor: 0.92,
        drive: 0.97,
        rated_shaft_w: 5500.0,
        losses_to_stream: 0.0,
    };
    let shown = |amount: f64| {
        let speed = ((20.0 + 15_000.0 * 0.015f64.powi(2)) / (24.0 * worn_head(amount))).sqrt();
        let worn = Mover { best: wheel.best * worn_efficiency(amount), ..wheel };
        (speed, worn.work(0.015, 20.0 * 9806.65, speed).electric_w)
    };
    let (new, worn) = (shown(0.0), shown(0.5));
    assert!(worn.0 > 1.1 * new.0 && worn.1 > 1.15 * new.1, "{new:?} {worn:?}");
}

#[test]
fn a_blockage_sends_the_flow_the_other_way_round() {
    // Two branches of the same pressure: Q shares by 1/√K.
    let shown = |amount: f64| {
        let (free, blocked) = (1.0 / 6f64.sqrt(), 1.0 / (6.0 + blockage_loss(amount)).sqrt());
        blocked / (free + blocked)
    };
    assert!((shown(0.0) - 0.5).abs() < 1e-12 && shown(0.5) < 0.47 && shown(1.0) < 0.2, "{} {}", shown(0.5), shown(1.0));
}

#[test]
fn a_leak_makes_inflow_more_than_what_is_used() {
    let night_pressure_m: f64 = 45.0;
    let lost = |amount: f64| leak_coefficient(0.02, 30.0, 0.5, amount) * night_pressure_m.sqrt();
    // Most by night, when the pressure is high and nobody draws: the minimum night flow rises.
    assert!(lost(0.0) == 0.0 && lost(0.5) > 0.15 * 0.02 && lost(1.0) > lost(0.5));
}

#[test]
fn a_short_cycling_boiler_starts_more_than_six_times_an_hour() {
    let starts = |amount: f64| {
        let control = TwoPoint { hysteresis: 8.0, least_on_s: 300.0, least_off_s: 300.0, direct: false };
        let control = short_cycling(&control, amount);
        let mut state = TwoPointState::default();
        let mut celsius = 60.0;
        for _ in 0..720 {
            let on = state.step(&control, 60.0, celsius, 5.0);
            let heat_w = if on { 60e3 * oversize(amount) } else { 0.0 };
            celsius += (heat_w - 25e3) * 5.0 / 2.1e6;
        }
        state.starts
    };
    assert!(starts(0.0) <= 4 && starts(1.0) > 6, "{} {}", starts(0.0), starts(1.0));
}
