//! Free cooling with outdoor air: when, and how far the dampers open.

use crate::simulation::psychrometrics::enthalpy_j_kg;

/// When outdoor air may cool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Changeover {
    /// Below an outdoor temperature, °C.
    FixedDryBulb(f64),
    /// Below the return air by so much, K.
    DifferentialDryBulb(f64),
    /// Below the return air's enthalpy, and below an outdoor temperature, °C.
    DifferentialEnthalpy(f64),
    /// Never.
    Never,
}

/// An economizer with its dampers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Economizer {
    /// When.
    pub changeover: Changeover,
    /// So much on the other side before it changes back: K; a thousand times as much in J/kg.
    pub hysteresis_k: f64,
    /// Outdoor damper for the least outdoor air while people are there, 0..1.
    pub least: f64,
    /// Outdoor damper at the most, 0..1.
    pub most: f64,
    /// Share of the cooling command in which the dampers go from least to most; the coil has the rest.
    pub share: f64,
    /// Mixed air below this closes the outdoor damper step by step, °C.
    pub freeze_c: f64,
}

impl Default for Economizer {
    /// Differential dry bulb by 1 K, dampers in the first half, 15 to 100 %, frost limit 6 °C.
    fn default() -> Self {
        let changeover = Changeover::DifferentialDryBulb(1.0);
        Self { changeover, hysteresis_k: 1.0, least: 0.15, most: 1.0, share: 0.5, freeze_c: 6.0 }
    }
}

/// What comes to an economizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Air {
    /// °C.
    pub celsius: f64,
    /// kg/kg.
    pub ratio: f64,
}

/// What an economizer commands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Commands {
    /// Outdoor damper, 0..1.
    pub outdoor: f64,
    /// Return damper, 0..1.
    pub back: f64,
    /// Cooling coil valve, 0..1.
    pub cooling: f64,
}

/// What an economizer remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EconomizerState {
    /// True while outdoor air may cool.
    pub free: bool,
}

impl EconomizerState {
    /// Splits a cooling command (0..1) between dampers and coil. `occupied`: outdoor air is needed at
    /// all. Readings that are no number switch free cooling off.
    pub fn step(
        &mut self,
        e: &Economizer,
        occupied: bool,
        command: f64,
        outdoor: Air,
        back: Air,
        mixed_c: f64,
    ) -> Commands {
        let command = if command.is_finite() { command.clamp(0.0, 1.0) } else { 0.0 };
        // Above zero: outdoor air is of use. In K.
        let use_k = match e.changeover {
            Changeover::FixedDryBulb(limit) => limit - outdoor.celsius,
            Changeover::DifferentialDryBulb(by) => back.celsius - by - outdoor.celsius,
            Changeover::DifferentialEnthalpy(limit) => {
                let h = |air: Air| enthalpy_j_kg(air.celsius, air.ratio);
                ((h(back) - h(outdoor)) / 1000.0).min(limit - outdoor.celsius)
            }
            Changeover::Never => f64::NEG_INFINITY,
        };
        self.free = if self.free { use_k > -e.hysteresis_k.max(0.0) } else { use_k > 0.0 };
        let least = if occupied { e.least.clamp(0.0, 1.0) } else { 0.0 };
        let most = e.most.clamp(least, 1.0);
        let share = if self.free { e.share.clamp(0.01, 1.0) } else { 0.0 };
        let dampers = if share > 0.0 { (command / share).min(1.0) } else { 0.0 };
        let cooling = if share < 1.0 { ((command - share) / (1.0 - share)).max(0.0) } else { 0.0 };
        let mut outdoor_damper = least + dampers * (most - least);
        // Over 3 K below the limit everything closes, the least air too: a burst coil is worse.
        if mixed_c < e.freeze_c {
            outdoor_damper *= (1.0 - (e.freeze_c - mixed_c) / 3.0).clamp(0.0, 1.0);
        }
        Commands { outdoor: outdoor_damper, back: 1.0 - outdoor_damper, cooling }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Air = Air { celsius: 24.0, ratio: 0.009 };

    fn out(celsius: f64) -> Air {
        Air { celsius, ratio: 0.006 }
    }

    #[test]
    fn outdoor_air_first_then_the_coil() {
        let (e, mut s) = (Economizer::default(), EconomizerState::default());
        let at = |s: &mut EconomizerState, command| s.step(&e, true, command, out(14.0), ROOM, 15.0);
        assert_eq!(at(&mut s, 0.0), Commands { outdoor: 0.15, back: 0.85, cooling: 0.0 });
        let half = at(&mut s, 0.25);
        assert!((half.outdoor - 0.575).abs() < 1e-12 && half.cooling == 0.0);
        let both = at(&mut s, 0.75);
        assert!(both.outdoor == 1.0 && both.back == 0.0 && (both.cooling - 0.5).abs() < 1e-12);
    }

    #[test]
    fn warm_outdoors_leaves_it_to_the_coil() {
        let (e, mut s) = (Economizer::default(), EconomizerState::default());
        let c = s.step(&e, true, 0.6, out(30.0), ROOM, 25.0);
        assert_eq!((c.outdoor, c.cooling), (0.15, 0.6));
        assert_eq!(s.step(&e, false, 0.6, out(30.0), ROOM, 25.0).outdoor, 0.0, "nobody there");
        // In at 22.9, out only beyond 24.
        assert!(!{
            s.step(&e, true, 0.6, out(23.5), ROOM, 24.0);
            s.free
        });
        assert!({
            s.step(&e, true, 0.6, out(22.9), ROOM, 23.0);
            s.free
        });
        assert!({
            s.step(&e, true, 0.6, out(23.8), ROOM, 23.9);
            s.free
        });
        assert!(!{
            s.step(&e, true, 0.6, out(24.1), ROOM, 24.0);
            s.free
        });
    }

    #[test]
    fn moist_air_of_the_right_temperature_is_refused_by_enthalpy() {
        let e = Economizer { changeover: Changeover::DifferentialEnthalpy(24.0), ..Economizer::default() };
        let mut s = EconomizerState::default();
        s.step(&e, true, 1.0, Air { celsius: 21.0, ratio: 0.015 }, ROOM, 22.0);
        assert!(!s.free);
        s.step(&e, true, 1.0, Air { celsius: 21.0, ratio: 0.007 }, ROOM, 22.0);
        assert!(s.free);
        let fixed = Economizer { changeover: Changeover::FixedDryBulb(18.0), ..e };
        assert!({ EconomizerState::default().step(&fixed, true, 1.0, out(17.0), ROOM, 18.0).outdoor == 1.0 });
        let never = Economizer { changeover: Changeover::Never, ..e };
        assert_eq!(EconomizerState::default().step(&never, true, 1.0, out(17.0), ROOM, 18.0).outdoor, 0.15);
    }

    #[test]
    fn frost_and_lost_sensors_close_it() {
        let (e, mut s) = (Economizer::default(), EconomizerState::default());
        let c = s.step(&e, true, 0.5, out(-10.0), ROOM, 4.5);
        assert!((c.outdoor - 0.5).abs() < 1e-12 && (c.back - 0.5).abs() < 1e-12);
        assert_eq!(s.step(&e, true, 0.5, out(-10.0), ROOM, 2.0).outdoor, 0.0);
        let c = s.step(&e, true, 0.5, out(f64::NAN), ROOM, 15.0);
        assert!(!s.free && c.outdoor == 0.15 && c.cooling == 0.5);
        assert_eq!(s.step(&e, true, f64::NAN, out(10.0), ROOM, 15.0).cooling, 0.0);
    }
}
