//! What a fault does to a machine: each function takes a healthy parameter and the amount of the fault
//! (0..1, [`Fault::amount`](super::Fault::amount)) and gives the parameter with the fault in it.
//!
//! An amount of zero gives the healthy value back, bit for bit. What an amount of one means is a constant
//! here: the worst that is still a building and not a ruin.

use crate::simulation::controls::staging::{Staging, TwoPoint};
use crate::simulation::thermal::coil::Coil;

/// A coil's conductance that is lost at the worst, and what its resistance rises by.
pub const WORST_FOULING: f64 = 0.85;
/// A filter's resistance at the worst, over that of a clean one.
pub const WORST_CLOGGING: f64 = 5.0;
/// A pump's head that is lost at the worst.
pub const WORST_HEAD_LOSS: f64 = 0.4;
/// A pump's efficiency that is lost at the worst.
pub const WORST_EFFICIENCY_LOSS: f64 = 0.3;
/// A closed valve's flow coefficient at the worst, of the open one's.
pub const WORST_VALVE_LEAK: f64 = 0.25;
/// A pipe's section that is blocked at the worst.
pub const WORST_BLOCKAGE: f64 = 0.9;
/// What leaks at the design pressure at the worst, of the design flow.
pub const WORST_LEAK: f64 = 0.3;

fn held(amount: f64) -> f64 {
    if amount > 0.0 { amount.min(1.0) } else { 0.0 }
}

/// Where a valve or damper sticks that stood at `position` when it broke: it jumps towards its far end by the
/// severity of its whole travel, so that it stands wrong whatever it was doing.
pub fn sticks_at(position: f64, severity: f64) -> f64 {
    let place = if position < 0.5 { position + held(severity) } else { position - held(severity) };
    place.clamp(0.0, 1.0)
}

/// Position of a valve or damper (stuck valve, stuck damper): the healthy one, or where it sticks.
pub fn position(healthy: f64, stuck_at: f64, amount: f64) -> f64 {
    if held(amount) > 0.0 { stuck_at.clamp(0.0, 1.0) } else { healthy }
}

/// Share of its full flow coefficient that a leaking valve has: never below its leak.
pub fn flow_coefficient_share(healthy: f64, amount: f64) -> f64 {
    if held(amount) > 0.0 { healthy.max(WORST_VALVE_LEAK * held(amount)) } else { healthy }
}

/// Conductance of a fouled coil or exchanger over that of a clean one.
pub fn fouled_conductance(amount: f64) -> f64 {
    1.0 - WORST_FOULING * held(amount)
}

/// Flow resistance of a fouled coil over that of a clean one.
pub fn fouled_resistance(amount: f64) -> f64 {
    1.0 + WORST_FOULING * held(amount)
}

/// A coil with dirt on it: a resistance to heat in series with its films, such that its nominal conductance
/// falls by [`fouled_conductance`].
pub fn fouled(coil: &Coil, amount: f64) -> Coil {
    let mut coil = *coil;
    let clean = coil.films.ua_w_k(1.0, 1.0);
    if held(amount) > 0.0 && clean > 0.0 {
        coil.films.wall_k_w += (1.0 / fouled_conductance(amount) - 1.0) / clean;
    }
    coil
}

/// Resistance of a clogged filter over that of a clean one: `Δp/Q²`.
pub fn clogged_resistance(amount: f64) -> f64 {
    1.0 + (WORST_CLOGGING - 1.0) * held(amount)
}

/// Head of a worn pump over that of a new one, at the same flow over speed.
pub fn worn_head(amount: f64) -> f64 {
    1.0 - WORST_HEAD_LOSS * held(amount)
}

/// Efficiency of a worn pump over that of a new one.
pub fn worn_efficiency(amount: f64) -> f64 {
    1.0 - WORST_EFFICIENCY_LOSS * held(amount)
}

/// Minor loss that a blockage adds, in velocity heads of the free pipe: a sharp-edged opening of the section
/// that is left, `(1/(m·µ) − 1)²` with Weisbach's contraction `µ = 0.63 + 0.37·m³`.
pub fn blockage_loss(amount: f64) -> f64 {
    let left = 1.0 - WORST_BLOCKAGE * held(amount);
    let contraction = 0.63 + 0.37 * left.powi(3);
    (1.0 / (left * contraction) - 1.0).powi(2)
}

/// Coefficient of a leak, `q = C·pⁿ`: m³/s at one metre of pressure head. At the design pressure head (m)
/// the worst leak loses [`WORST_LEAK`] of the design flow (m³/s). Zero where there is no pressure.
pub fn leak_coefficient(design_m3s: f64, design_m: f64, exponent: f64, amount: f64) -> f64 {
    if !(design_m > 0.0 && design_m3s.is_finite()) {
        return 0.0;
    }
    WORST_LEAK * held(amount) * design_m3s.abs() / design_m.powf(exponent)
}

/// A two-point controller that short-cycles: hysteresis and least times shrink, at the worst to a tenth and
/// to nothing.
pub fn short_cycling(control: &TwoPoint, amount: f64) -> TwoPoint {
    let left = 1.0 - held(amount);
    TwoPoint {
        hysteresis: control.hysteresis * (0.1 + 0.9 * left),
        least_on_s: control.least_on_s * left,
        least_off_s: control.least_off_s * left,
        ..*control
    }
}

/// A group that short-cycles: no delays and no least times, and it stages down where it stages up.
pub fn short_cycling_group(staging: &Staging, amount: f64) -> Staging {
    let left = 1.0 - held(amount);
    Staging {
        down: staging.down + (staging.up - staging.down) * (1.0 - left),
        up_delay_s: staging.up_delay_s * left,
        down_delay_s: staging.down_delay_s * left,
        least_on_s: staging.least_on_s * left,
        least_off_s: staging.least_off_s * left,
        ..*staging
    }
}

/// How much larger a machine is than its load asks for, when that is why it short-cycles.
pub fn oversize(amount: f64) -> f64 {
    1.0 + held(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_nothing() {
        for amount in [0.0, -1.0, f64::NAN] {
            assert_eq!(position(0.37, 0.9, amount), 0.37);
            assert_eq!(flow_coefficient_share(0.0, amount), 0.0);
            assert_eq!([fouled_conductance(amount), fouled_resistance(amount), clogged_resistance(amount)], [1.0; 3]);
            assert_eq!([worn_head(amount), worn_efficiency(amount), oversize(amount)], [1.0; 3]);
            assert_eq!(blockage_loss(amount), 0.0);
            assert_eq!(leak_coefficient(0.01, 30.0, 0.5, amount), 0.0);
            let staging = Staging::default();
            assert_eq!(short_cycling_group(&staging, amount), staging);
        }
    }

    #[test]
    fn the_worst() {
        assert_eq!((sticks_at(0.2, 1.0), sticks_at(0.7, 1.0), sticks_at(0.2, 0.3)), (1.0, 0.0, 0.5));
        assert_eq!((position(0.3, 0.9, 0.1), flow_coefficient_share(0.0, 1.0)), (0.9, 0.25));
        assert_eq!(flow_coefficient_share(0.6, 1.0), 0.6, "an open valve does not show it");
        assert_eq!((fouled_conductance(1.0), clogged_resistance(0.5)), (1.0 - WORST_FOULING, 3.0));
        // A tenth of the section: some 220 velocity heads.
        assert!((blockage_loss(1.0) - (1.0 / (0.1 * 0.630_37) - 1.0f64).powi(2)).abs() < 1e-9);
        let c = leak_coefficient(0.02, 36.0, 0.5, 1.0);
        assert!((c * 6.0 - 0.3 * 0.02).abs() < 1e-15);
        assert_eq!(leak_coefficient(0.02, 0.0, 0.5, 1.0), 0.0);
    }

    proptest! {
        #[test]
        fn more_is_worse(a in 0.0..0.99f64) {
            let b = a + 0.01;
            prop_assert!(fouled_conductance(b) < fouled_conductance(a) && fouled_conductance(b) > 0.0);
            prop_assert!(clogged_resistance(b) > clogged_resistance(a) && blockage_loss(b) > blockage_loss(a));
            prop_assert!(worn_head(b) < worn_head(a) && worn_efficiency(b) < worn_efficiency(a));
        }
    }
}
