//! Heat exchangers by effectiveness and number of transfer units (ε-NTU).
//!
//! Relations as in Incropera and DeWitt, "Fundamentals of Heat and Mass Transfer", 6th edition, tables
//! 11.3 and 11.4 (Kays and London, "Compact Heat Exchangers").

use super::bisect;

/// How the two streams pass each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrangement {
    /// Against each other: plates, double pipes.
    Counter,
    /// Side by side in one direction.
    Parallel,
    /// Across, both unmixed: finned coils. By the series of Mason (1955), which is exact.
    CrossUnmixed,
    /// Across, both mixed.
    CrossMixed,
    /// Across, the stream of the larger heat capacity mixed, the other unmixed.
    CrossLargerMixed,
    /// Across, the stream of the smaller heat capacity mixed, the other unmixed.
    CrossSmallerMixed,
    /// Shells in series, each with two, four, … passes of tubes.
    ShellAndTube {
        /// Shell passes; at least one.
        shells: u32,
    },
    /// One side condenses or evaporates and keeps its temperature.
    PhaseChange,
}

impl Arrangement {
    /// Effectiveness for transfer units and the ratio of the heat capacity flows (smaller over larger, 0..1).
    pub fn effectiveness(self, ntu: f64, ratio: f64) -> f64 {
        let n = ntu.max(0.0);
        let c = ratio.clamp(0.0, 1.0);
        if n == 0.0 {
            return 0.0;
        }
        if c < 1e-12 || self == Self::PhaseChange {
            return -(-n).exp_m1();
        }
        match self {
            Self::Counter => counter(n, c),
            Self::Parallel => -(-n * (1.0 + c)).exp_m1() / (1.0 + c),
            Self::CrossUnmixed => cross_unmixed(n, c),
            Self::CrossMixed => 1.0 / (1.0 / -(-n).exp_m1() + c / -(-c * n).exp_m1() - 1.0 / n),
            Self::CrossLargerMixed => -(c * (-n).exp_m1()).exp_m1() / c,
            Self::CrossSmallerMixed => -((-c * n).exp_m1() / c).exp_m1(),
            Self::ShellAndTube { shells } => {
                let shells = f64::from(shells.max(1));
                let root = (1.0 + c * c).sqrt();
                let e = (-n / shells * root).exp();
                let one = 2.0 / (1.0 + c + root * (1.0 + e) / (1.0 - e));
                in_series(one, c, shells)
            }
            Self::PhaseChange => -(-n).exp_m1(),
        }
    }

    /// Transfer units that reach an effectiveness; infinite where none do.
    pub fn units(self, effectiveness: f64, ratio: f64) -> f64 {
        const MOST: f64 = 200.0;
        let wanted = effectiveness.max(0.0);
        let mut high = MOST;
        if self == Self::CrossMixed {
            // Both streams mixed have their best somewhere in between.
            let (mut a, mut b) = (0.0, MOST);
            for _ in 0..120 {
                let (x, y) = (a + (b - a) / 3.0, b - (b - a) / 3.0);
                if self.effectiveness(x, ratio) < self.effectiveness(y, ratio) { a = x } else { b = y }
            }
            high = 0.5 * (a + b);
        }
        if wanted > self.effectiveness(high, ratio) + 1e-12 {
            return f64::INFINITY;
        }
        bisect(0.0, high, true, |n| self.effectiveness(n, ratio) - wanted)
    }
}

fn counter(n: f64, c: f64) -> f64 {
    if 1.0 - c < 1e-9 {
        return n / (1.0 + n);
    }
    let e = -(-n * (1.0 - c)).exp_m1();
    e / (1.0 - c + c * e)
}

/// `Σ (1 − Γ(n; N))·(1 − Γ(n; cN)) / (c·N)`, Γ the sums of Poisson's weights up to n. J. L. Mason, "Heat
/// transfer in cross flow", Proc. 2nd U.S. Nat. Congress of Applied Mechanics, 1955.
fn cross_unmixed(n: f64, c: f64) -> f64 {
    // Beyond this the weights underflow; nothing is left to gain there.
    let n = n.min(600.0);
    let other = c * n;
    let (mut weight, mut weight_other) = ((-n).exp(), (-other).exp());
    let (mut rest, mut rest_other) = (-(-n).exp_m1(), -(-other).exp_m1());
    let mut sum = rest * rest_other;
    for k in 1..4000 {
        weight *= n / f64::from(k);
        weight_other *= other / f64::from(k);
        rest = (rest - weight).max(0.0);
        rest_other = (rest_other - weight_other).max(0.0);
        let term = rest * rest_other;
        sum += term;
        if term < 1e-15 * sum {
            break;
        }
    }
    (sum / other).min(1.0)
}

/// Equal exchangers one after another, the streams against each other.
fn in_series(one: f64, c: f64, count: f64) -> f64 {
    if 1.0 - c < 1e-9 {
        return count * one / (1.0 + (count - 1.0) * one);
    }
    let f = ((1.0 - one * c) / (1.0 - one)).powf(count);
    (f - 1.0) / (f - c)
}

/// What an exchanger does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exchange {
    /// From the first to the second stream, W.
    pub heat_w: f64,
    /// First stream, leaving, °C.
    pub first_c: f64,
    /// Second stream, leaving, °C.
    pub second_c: f64,
    /// Of all that could be exchanged, 0..1.
    pub effectiveness: f64,
}

/// Two streams of heat capacity flow (W/K) and entering temperature (°C) in an exchanger. A stream that
/// stands still exchanges nothing.
pub fn exchange(arrangement: Arrangement, ua_w_k: f64, first: (f64, f64), second: (f64, f64)) -> Exchange {
    let (least, most) = (first.0.min(second.0), first.0.max(second.0));
    if !(least > 0.0 && ua_w_k > 0.0) {
        return Exchange { first_c: first.1, second_c: second.1, ..Exchange::default() };
    }
    let effectiveness = arrangement.effectiveness(ua_w_k / least, least / most);
    let heat_w = effectiveness * least * (first.1 - second.1);
    Exchange { heat_w, first_c: first.1 - heat_w / first.0, second_c: second.1 + heat_w / second.0, effectiveness }
}

/// How the conductance of an exchanger follows from its two films: each goes with a power of its own flow
/// (turbulent tubes 0.8, Dittus and Boelter; finned air side 0.4 to 0.6, plates 0.7 to 0.8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Films {
    /// First film at its nominal flow, W/K.
    pub first_w_k: f64,
    /// Exponent of the first film.
    pub first_power: f64,
    /// Second film at its nominal flow, W/K.
    pub second_w_k: f64,
    /// Exponent of the second film.
    pub second_power: f64,
    /// Wall and fouling, K/W.
    pub wall_k_w: f64,
}

impl Films {
    /// Films that together conduct `ua_w_k`, with a share of the resistance on the first side, 0..1.
    pub fn from_ua(ua_w_k: f64, first_share: f64, first_power: f64, second_power: f64) -> Self {
        let share = first_share.clamp(0.01, 0.99);
        Self { first_w_k: ua_w_k / share, first_power, second_w_k: ua_w_k / (1.0 - share), second_power, wall_k_w: 0.0 }
    }

    /// Films at shares of the nominal flows, W/K.
    pub fn at(&self, first_ratio: f64, second_ratio: f64) -> (f64, f64) {
        (
            self.first_w_k * first_ratio.max(0.0).powf(self.first_power),
            self.second_w_k * second_ratio.max(0.0).powf(self.second_power),
        )
    }

    /// Conductance at shares of the nominal flows, W/K.
    pub fn ua_w_k(&self, first_ratio: f64, second_ratio: f64) -> f64 {
        let (first, second) = self.at(first_ratio, second_ratio);
        if first > 0.0 && second > 0.0 { 1.0 / (1.0 / first + 1.0 / second + self.wall_k_w.max(0.0)) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Arrangement; 9] = [
        Arrangement::Counter,
        Arrangement::Parallel,
        Arrangement::CrossUnmixed,
        Arrangement::CrossMixed,
        Arrangement::CrossLargerMixed,
        Arrangement::CrossSmallerMixed,
        Arrangement::ShellAndTube { shells: 1 },
        Arrangement::ShellAndTube { shells: 3 },
        Arrangement::PhaseChange,
    ];

    #[test]
    fn values_by_hand() {
        for (arrangement, ntu, c, wanted) in [
            (Arrangement::Counter, 2.0, 1.0, 2.0 / 3.0),
            (Arrangement::Counter, 1.0, 0.5, (1.0 - (-0.5f64).exp()) / (1.0 - 0.5 * (-0.5f64).exp())),
            (Arrangement::Parallel, 50.0, 1.0, 0.5),
            (Arrangement::CrossLargerMixed, 1.0, 1.0, 1.0 - (-(1.0 - (-1.0f64).exp())).exp()),
            (Arrangement::CrossSmallerMixed, 1.0, 1.0, 1.0 - (-(1.0 - (-1.0f64).exp())).exp()),
            // Kays and London: 0.588 for c = 0.75, NTU 1.44 in a one-shell exchanger is about 0.6.
            (Arrangement::ShellAndTube { shells: 1 }, 1.0, 0.0, 1.0 - (-1.0f64).exp()),
        ] {
            let e = arrangement.effectiveness(ntu, c);
            assert!((e - wanted).abs() < 1e-9, "{arrangement:?}: {e} instead of {wanted}");
        }
        // Many shells in series come to counter flow.
        let many = Arrangement::ShellAndTube { shells: 200 }.effectiveness(3.0, 0.7);
        assert!((many - Arrangement::Counter.effectiveness(3.0, 0.7)).abs() < 1e-3);
        // Both unmixed, by the series of Mason (1955) at NTU 1, c 1: 0.47623.
        assert!((Arrangement::CrossUnmixed.effectiveness(1.0, 1.0) - 0.476_23).abs() < 1e-4);
    }

    #[test]
    fn an_exchanger_without_flow_does_nothing() {
        let e = exchange(Arrangement::Counter, 5000.0, (0.0, 80.0), (2000.0, 20.0));
        assert_eq!((e.heat_w, e.first_c, e.second_c), (0.0, 80.0, 20.0));
        assert_eq!(exchange(Arrangement::Counter, f64::NAN, (1.0, 80.0), (2.0, 20.0)).heat_w, 0.0);
    }

    #[test]
    fn the_logarithmic_mean_of_a_counter_flow_exchanger() {
        let e = exchange(Arrangement::Counter, 5000.0, (4200.0, 80.0), (6300.0, 20.0));
        let (a, b) = (80.0 - e.second_c, e.first_c - 20.0);
        assert!((e.heat_w - 5000.0 * (a - b) / (a / b).ln()).abs() < 1e-6, "{e:?}");
    }

    #[test]
    fn films_in_series() {
        let films = Films::from_ua(1000.0, 0.6, 0.5, 0.8);
        assert!((films.ua_w_k(1.0, 1.0) - 1000.0).abs() < 1e-9);
        let half = 1.0 / (0.6 / 1000.0 / 0.5f64.powf(0.5) + 0.4 / 1000.0);
        assert!((films.ua_w_k(0.5, 1.0) - half).abs() < 1e-9);
        assert_eq!(films.ua_w_k(0.0, 1.0), 0.0);
        let fouled = Films { wall_k_w: 1e-3, ..films };
        assert!((fouled.ua_w_k(1.0, 1.0) - 500.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn effectiveness_is_sound(ntu in 0.001..30.0f64, c in 0.0..1.0f64) {
            for a in ALL {
                let e = a.effectiveness(ntu, c);
                prop_assert!(e > 0.0 && e <= 1.0, "{:?} {}", a, e);
                prop_assert!(e <= counter(ntu, c.max(1e-9)) + 0.01 || a == Arrangement::PhaseChange, "{:?}: none beats counter flow", a);
                let units = a.units(e, c);
                prop_assert!((a.effectiveness(units, c) - e).abs() < 1e-6, "{:?} {} {}", a, ntu, units);
            }
        }

        #[test]
        fn heat_leaves_one_stream_and_comes_to_the_other(
            ua in 0.0..1e5f64, c1 in 0.0..1e4f64, c2 in 0.0..1e4f64, t1 in -20.0..120.0f64, t2 in -20.0..120.0f64,
        ) {
            for a in ALL {
                let e = exchange(a, ua, (c1, t1), (c2, t2));
                prop_assert!((c1 * (t1 - e.first_c) - c2 * (e.second_c - t2)).abs() < 1e-6 * (1.0 + e.heat_w.abs()));
                let (low, high) = (t1.min(t2) - 1e-9, t1.max(t2) + 1e-9);
                prop_assert!((low..=high).contains(&e.first_c) && (low..=high).contains(&e.second_c));
            }
        }
    }
}
