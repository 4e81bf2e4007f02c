//! How flow follows from the position of a valve or damper: inherent and installed characteristics.
//!
//! IEC 60534-2-4 (inherent characteristics and rangeability) and the authority of VDI/VDE 2173: the share of the
//! whole pressure that falls over the open valve.

/// How the flow coefficient follows from the position at a constant pressure over the valve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inherent {
    /// `x`.
    Linear,
    /// `R^(x−1)`, linear from zero below the position where that is the leakage-free least: R of 30 to 100.
    EqualPercentage {
        /// Rangeability.
        rangeability: f64,
    },
    /// `√x`: butterfly and quick opening.
    QuickOpening,
    /// `x²`: between linear and equal percentage.
    Parabolic,
}

impl Inherent {
    /// Share of the full flow coefficient at a position of 0..1. Closed is closed.
    pub fn share(self, position: f64) -> f64 {
        let x = if position.is_finite() { position.clamp(0.0, 1.0) } else { 0.0 };
        match self {
            Self::Linear => x,
            Self::QuickOpening => x.sqrt(),
            Self::Parabolic => x * x,
            Self::EqualPercentage { rangeability } => {
                let r = rangeability.max(1.001);
                // Below this the curve goes straight to zero, touching it as its tangent from the origin does.
                let knee = (1.0 / r.ln()).min(1.0);
                if x >= knee { r.powf(x - 1.0) } else { x / knee * r.powf(knee - 1.0) }
            }
        }
    }

    /// The position for a share of the full flow coefficient.
    pub fn position(self, share: f64) -> f64 {
        let s = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        match self {
            Self::Linear => s,
            Self::QuickOpening => s * s,
            Self::Parabolic => s.sqrt(),
            Self::EqualPercentage { rangeability } => {
                let r = rangeability.max(1.001);
                let knee = (1.0 / r.ln()).min(1.0);
                let at_knee = r.powf(knee - 1.0);
                if s >= at_knee { (1.0 + s.ln() / r.ln()).clamp(0.0, 1.0) } else { s / at_knee * knee }
            }
        }
    }
}

/// Share of the full flow when the rest of the circuit takes part of the pressure: `1/√(1 + a·(1/f² − 1))`,
/// a the authority (0..1), f the inherent share.
pub fn installed(share: f64, authority: f64) -> f64 {
    let f = share.clamp(0.0, 1.0);
    if f <= 0.0 {
        return 0.0;
    }
    1.0 / (1.0 + authority.clamp(0.0, 1.0) * (1.0 / (f * f) - 1.0)).sqrt()
}

/// Authority of a valve: pressure over it open, over the whole when it is closed; both above zero.
pub fn authority(valve_pa: f64, closed_pa: f64) -> f64 {
    if valve_pa > 0.0 && closed_pa > 0.0 { (valve_pa / closed_pa).min(1.0) } else { 0.0 }
}

/// A three-way mixing valve: shares of the flow coefficient of its regulating and its bypass path.
pub fn three_way(regulating: Inherent, bypass: Inherent, position: f64) -> (f64, f64) {
    (regulating.share(position), bypass.share(1.0 - position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Inherent; 4] = [
        Inherent::Linear,
        Inherent::EqualPercentage { rangeability: 50.0 },
        Inherent::QuickOpening,
        Inherent::Parabolic,
    ];

    #[test]
    fn equal_steps_make_equal_percentages() {
        let v = Inherent::EqualPercentage { rangeability: 50.0 };
        let ratio = |x: f64| v.share(x + 0.1) / v.share(x);
        assert!((ratio(0.4) - ratio(0.8)).abs() < 1e-12 && (ratio(0.4) - 50f64.powf(0.1)).abs() < 1e-12);
        assert!((v.share(0.5) - 50f64.powf(-0.5)).abs() < 1e-12);
    }

    #[test]
    fn authority_bends_the_curve() {
        // Full authority keeps it; none makes a tap of it.
        assert!((installed(0.3, 1.0) - 0.3).abs() < 1e-12 && installed(0.3, 0.01) > 0.9);
        // By hand: a = 0.5, f = 0.5: 1/√(1 + 0.5·3).
        assert!((installed(0.5, 0.5) - 1.0 / 2.5f64.sqrt()).abs() < 1e-12);
        assert!((authority(20e3, 60e3) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((authority(-1.0, 60e3), authority(20e3, f64::NAN)), (0.0, 0.0));
    }

    #[test]
    fn a_mixing_valve_shares_out() {
        assert_eq!(three_way(Inherent::Linear, Inherent::Linear, 0.3), (0.3, 0.7));
        assert_eq!(three_way(Inherent::EqualPercentage { rangeability: 30.0 }, Inherent::Linear, 0.0), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn closed_is_closed_open_is_open_and_between_it_rises(x in 0.0..0.98f64) {
            for v in ALL {
                prop_assert!(v.share(0.0) == 0.0 && (v.share(1.0) - 1.0).abs() < 1e-12);
                prop_assert!(v.share(x + 0.02) > v.share(x));
                prop_assert!((v.position(v.share(x)) - x).abs() < 1e-9, "{:?} {}", v, x);
            }
        }
    }
}
