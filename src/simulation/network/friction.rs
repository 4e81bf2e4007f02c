//! The friction factor of Darcy–Weisbach and its slope, for any Reynolds number.
//!
//! Laminar below Re 2000 by Hagen–Poiseuille, `f = 64/Re`; above 4000 by Swamee and Jain, "Explicit
//! equations for pipe-flow problems", J. Hydraul. Div. 102 (1976),
//! `f = 0.25 / log10(ε/3.7d + 5.74/Re^0.9)²`; between them the cubic of Dunlop (1991) that joins both with
//! their slopes, as the EPANET manual gives it (chapter "Analysis algorithms").

use std::f64::consts::{LN_10, PI};

/// Where the laminar range ends.
pub const LAMINAR_END: f64 = 2000.0;
/// Where the turbulent range begins.
pub const TURBULENT_BEGIN: f64 = 4000.0;

/// Loss of head by Darcy–Weisbach, `h = f r q²` with `r = L / (2 g Dh A²)`, prepared for one segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Darcy {
    /// `L / (2 g Dh A²)`, s²/m⁵.
    pub r: f64,
    /// Reynolds number at 1 m³/s: `Dh / (A ν)`.
    pub reynolds: f64,
    /// Relative roughness over 3.7.
    pub rough: f64,
    /// Loss coefficient on q², s²/m⁵.
    pub minor: f64,
}

impl Darcy {
    /// A segment of a length, hydraulic diameter (m), section (m²) and roughness height (m), in a fluid of
    /// a kinematic viscosity (m²/s); `minor` is the loss of its fittings on q².
    pub fn new(
        length: f64,
        diameter: f64,
        area: f64,
        roughness: f64,
        viscosity: f64,
        gravity: f64,
        minor: f64,
    ) -> Self {
        Self {
            r: length / (2.0 * gravity * diameter * area * area),
            reynolds: diameter / (area * viscosity),
            rough: roughness / (3.7 * diameter),
            minor,
        }
    }

    /// Head loss (m) at a flow (m³/s) and its slope.
    pub fn at(&self, q: f64) -> (f64, f64) {
        let flow = q.abs();
        let re = flow * self.reynolds;
        if re <= LAMINAR_END {
            // f = 64/Re makes the loss a straight line of the flow.
            let line = 64.0 * self.r / self.reynolds;
            return (q * (line + self.minor * flow), line + 2.0 * self.minor * flow);
        }
        let (f, by_re) = factor(re, self.rough);
        let k = f * self.r + self.minor;
        (k * flow * q, 2.0 * k * flow + by_re * self.reynolds * self.r * flow * flow)
    }
}

/// Friction factor at a Reynolds number above the laminar range, and its slope by the Reynolds number.
/// `rough` is the relative roughness over 3.7.
pub fn factor(re: f64, rough: f64) -> (f64, f64) {
    if re >= TURBULENT_BEGIN {
        let fine = 5.74 / re.powf(0.9);
        let inside = rough + fine;
        let log = -2.0 / LN_10 * inside.ln();
        let f = 1.0 / (log * log);
        // d(log)/d(Re) = (2 / ln 10) 0.9 fine / (Re inside); f = log^-2.
        let slope = -2.0 * f / log * (2.0 / LN_10) * 0.9 * fine / (re * inside);
        return (f, slope);
    }
    if re <= LAMINAR_END {
        let re = re.max(1e-12);
        return (64.0 / re, -64.0 / (re * re));
    }
    let fine = 5.74 / TURBULENT_BEGIN.powf(0.9);
    let inside = rough + fine;
    let log = -2.0 / LN_10 * inside.ln();
    let fa = 1.0 / (log * log);
    // 2 × 2000 × the slope at Re 4000, which is what the cubic has to leave with.
    let fb = fa * (2.0 - 2.0 * 0.9 * (2.0 / LN_10) * fine / (inside * log));
    let x = re / LAMINAR_END;
    let x1 = 7.0 * fa - fb;
    let x2 = 0.128 - 17.0 * fa + 2.5 * fb;
    let x3 = -0.128 + 13.0 * fa - 2.0 * fb;
    let x4 = 0.032 - 3.0 * fa + 0.5 * fb;
    (x1 + x * (x2 + x * (x3 + x * x4)), (x2 + x * (2.0 * x3 + x * 3.0 * x4)) / LAMINAR_END)
}

/// Section of a round pipe, m².
pub fn round_area(diameter: f64) -> f64 {
    0.25 * PI * diameter * diameter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ranges_join() {
        for rough in [0.0, 1e-5, 1e-3, 0.01] {
            for at in [LAMINAR_END, TURBULENT_BEGIN] {
                let (below, slope_below) = factor(at - 1e-6, rough);
                let (above, slope_above) = factor(at + 1e-6, rough);
                assert!((below - above).abs() < 1e-8, "{at} {rough}: {below} {above}");
                // The cubic meets the laminar line in value and in slope.
                assert!((slope_below - slope_above).abs() < 2e-7, "{at} {rough}: {slope_below} {slope_above}");
            }
        }
    }

    #[test]
    fn swamee_and_jain_stay_near_colebrook() {
        // Colebrook–White by repeated substitution; the fit is stated to be within 1 %, here within 3 %.
        for (re, relative) in [(1e4, 1e-3), (1e5, 1e-4), (1e6, 1e-5), (1e7, 1e-2)] {
            let mut x: f64 = 8.0;
            for _ in 0..50 {
                x = -2.0 * (relative / 3.7 + 2.51 * x / re).log10();
            }
            let (f, _) = factor(re, relative / 3.7);
            assert!((f * x * x - 1.0).abs() < 0.03, "{re} {relative}: {f} instead of {}", 1.0 / (x * x));
        }
    }

    #[test]
    fn the_slope_is_that_of_the_loss() {
        let pipe = Darcy::new(100.0, 0.1, round_area(0.1), 1e-4, 1e-6, 9.80665, 500.0);
        for q in [1e-6, 1e-5, 1e-4, 2e-4, 2.5e-4, 1e-3, 0.1, -1e-3] {
            let (_, slope) = pipe.at(q);
            let step = q.abs() * 1e-6;
            let by_hand = (pipe.at(q + step).0 - pipe.at(q - step).0) / (2.0 * step);
            assert!((slope / by_hand - 1.0).abs() < 1e-6, "{q}: {slope} {by_hand}");
        }
    }
}
