//! Water chillers by the curves of DOE-2: capacity and energy input ratio by temperatures, and energy input
//! ratio by part load.
//!
//! Form: Hydeman and Gillespie, "Tools and techniques to calibrate electric chiller component models", ASHRAE
//! Transactions 108(1), 2002. The default coefficients are our own: least squares through a single-stage
//! R-134a cycle (isentropic efficiency 0.74, volumetric efficiency 0.95 − 0.012·(pc/pe), superheat and
//! subcooling 4 K, evaporator 2 K below the chilled water, condenser 8 K above the entering condenser water
//! at full load and nearer in proportion at part load), held to 1 at 6.7 °C and 29.4 °C (the rating of
//! AHRI 550/590). They follow that cycle within 3 % in capacity and 6 % in energy from 4 to 15 °C and from 16 to
//! 40 °C; outside of that the temperatures are held. A maker's own curves belong in their place.

/// Leaving chilled water that curves are for, °C.
const CHILLED_C: (f64, f64) = (4.0, 15.0);
/// Entering condenser water that curves are for, °C.
const CONDENSER_C: (f64, f64) = (16.0, 40.0);

/// A machine as it was built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chiller {
    /// Capacity at 6.7 °C leaving and 29.4 °C entering, W.
    pub rated_w: f64,
    /// Coefficient of performance there.
    pub rated_cop: f64,
    /// Capacity by temperatures: 1, t, t², c, c², t·c with t leaving chilled and c entering condenser water.
    pub capacity: [f64; 6],
    /// Energy input ratio by temperatures, likewise.
    pub input: [f64; 6],
    /// Energy input ratio times part load, by part load: 1, p, p².
    pub part_load: [f64; 3],
    /// Below this part load it cycles or takes hot gas, 0..1.
    pub least_load: f64,
    /// Share of its electric power that reaches the refrigerant: 1 for a hermetic motor.
    pub to_condenser: f64,
}

/// Compressor at a constant speed, with slide or vanes.
pub const CONSTANT_SPEED: [f64; 3] = [0.132_21, 0.551_76, 0.316_03];
/// Compressor with a variable speed drive.
pub const VARIABLE_SPEED: [f64; 3] = [0.011_46, 0.636_18, 0.352_36];

impl Chiller {
    /// A machine with the default curves.
    pub fn new(rated_w: f64, rated_cop: f64, part_load: [f64; 3]) -> Self {
        Self {
            rated_w,
            rated_cop,
            capacity: [0.986_787_171_3, 0.039_721, 0.000_588_57, -0.006_722_5, -2.654e-5, -0.000_298_29],
            input: [0.303_633_945_6, -0.027_221, 0.000_402_72, 0.025_588, 0.000_260_67, -0.000_593_62],
            part_load,
            least_load: 0.15,
            to_condenser: 1.0,
        }
    }

    /// What it can cool at temperatures, W.
    pub fn available_w(&self, chilled_c: f64, condenser_c: f64) -> f64 {
        (self.rated_w * biquadratic(&self.capacity, chilled_c, condenser_c)).max(0.0)
    }

    /// Runs for a load with the leaving chilled water at a setpoint. Flows are heat capacity flows, W/K:
    /// chilled water that comes back, and condenser water that enters.
    pub fn run(&self, setpoint_c: f64, chilled: Stream, condenser: Stream) -> ChillerResult {
        let wanted_w = chilled.w_k * (chilled.celsius - setpoint_c);
        let off =
            ChillerResult { chilled_c: chilled.celsius, condenser_c: condenser.celsius, ..ChillerResult::default() };
        if !(wanted_w > 0.0 && condenser.w_k > 0.0 && wanted_w.is_finite() && condenser.celsius.is_finite()) {
            return off;
        }
        // Beyond its capacity the water leaves warmer, and at that temperature it can do more.
        let mut leaving_c = setpoint_c;
        for _ in 0..30 {
            let available = self.available_w(leaving_c, condenser.celsius);
            let next = (chilled.celsius - available / chilled.w_k).max(setpoint_c);
            if (next - leaving_c).abs() < 1e-9 {
                break;
            }
            leaving_c = 0.5 * (leaving_c + next);
        }
        let available_w = self.available_w(leaving_c, condenser.celsius);
        if available_w <= 0.0 {
            return off;
        }
        let cooling_w = wanted_w.min(available_w);
        let load = cooling_w / available_w;
        let working = load.max(self.least_load.clamp(0.0, 1.0)).min(1.0);
        // Below its least load it runs part of the time at that load.
        let share_of_time = (load / working).min(1.0);
        let [a, b, c] = self.part_load;
        let input = biquadratic(&self.input, leaving_c, condenser.celsius).max(0.05);
        let power_w = available_w / self.rated_cop * input * (a + working * (b + working * c)).max(0.0) * share_of_time;
        let rejected_w = cooling_w + self.to_condenser.clamp(0.0, 1.0) * power_w;
        let inside = (CHILLED_C.0..=CHILLED_C.1).contains(&leaving_c)
            && (CONDENSER_C.0..=CONDENSER_C.1).contains(&condenser.celsius);
        ChillerResult {
            cooling_w,
            power_w,
            rejected_w,
            chilled_c: chilled.celsius - cooling_w / chilled.w_k,
            condenser_c: condenser.celsius + rejected_w / condenser.w_k,
            load,
            share_of_time,
            inside_curves: inside,
        }
    }
}

/// A stream of water.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stream {
    /// Heat capacity flow, W/K.
    pub w_k: f64,
    /// °C.
    pub celsius: f64,
}

/// What a chiller does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChillerResult {
    /// Heat from the chilled water, W.
    pub cooling_w: f64,
    /// Electric power, W.
    pub power_w: f64,
    /// Heat to the condenser water, W.
    pub rejected_w: f64,
    /// Chilled water that leaves, °C.
    pub chilled_c: f64,
    /// Condenser water that leaves, °C.
    pub condenser_c: f64,
    /// Load over what it could do, 0..1.
    pub load: f64,
    /// How much of the time it runs: below 1 it cycles.
    pub share_of_time: f64,
    /// False where its temperatures were outside of its curves and were held at their edge.
    pub inside_curves: bool,
}

impl ChillerResult {
    /// Coefficient of performance; none at rest.
    pub fn cop(&self) -> Option<f64> {
        (self.power_w > 0.0).then(|| self.cooling_w / self.power_w)
    }
}

fn biquadratic(k: &[f64; 6], chilled_c: f64, condenser_c: f64) -> f64 {
    let t = chilled_c.clamp(CHILLED_C.0, CHILLED_C.1);
    let c = condenser_c.clamp(CONDENSER_C.0, CONDENSER_C.1);
    k[0] + t * (k[1] + k[2] * t) + c * (k[3] + k[4] * c) + k[5] * t * c
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn machine() -> Chiller {
        Chiller::new(500e3, 5.5, CONSTANT_SPEED)
    }

    fn run(machine: &Chiller, setpoint_c: f64, back_c: f64, condenser_c: f64, w_k: f64) -> ChillerResult {
        machine.run(setpoint_c, Stream { w_k, celsius: back_c }, Stream { w_k: 1.2e5, celsius: condenser_c })
    }

    #[test]
    fn it_is_rated_at_its_rating() {
        let r = run(&machine(), 6.7, 12.7, 29.4, 500e3 / 6.0);
        assert!((r.cooling_w - 500e3).abs() < 1.0 && (r.cop().unwrap() - 5.5).abs() < 1e-3, "{r:?}");
        assert!((r.rejected_w - r.cooling_w - r.power_w).abs() < 1e-6 && r.inside_curves && r.share_of_time == 1.0);
        assert!((r.condenser_c - 29.4 - r.rejected_w / 1.2e5).abs() < 1e-9);
    }

    #[test]
    fn lift_costs_energy_and_capacity() {
        let m = machine();
        assert!(m.available_w(10.0, 29.4) > 1.1 * m.available_w(6.7, 29.4));
        assert!(m.available_w(6.7, 38.0) < 0.97 * m.available_w(6.7, 29.4));
        let cop = |chilled: f64, condenser: f64| run(&m, chilled, chilled + 3.0, condenser, 8e4).cop().unwrap();
        assert!(cop(6.7, 20.0) > 1.3 * cop(6.7, 29.4) && cop(10.0, 29.4) > 1.05 * cop(6.7, 29.4));
    }

    #[test]
    fn part_load() {
        // A drive gains at half load what a constant speed loses.
        let half = |part_load| run(&Chiller::new(500e3, 5.5, part_load), 6.7, 9.7, 29.4, 500e3 / 6.0).cop().unwrap();
        assert!(
            half(VARIABLE_SPEED) > 1.15 * half(CONSTANT_SPEED),
            "{} {}",
            half(VARIABLE_SPEED),
            half(CONSTANT_SPEED)
        );
        for curve in [CONSTANT_SPEED, VARIABLE_SPEED] {
            assert!((curve.iter().sum::<f64>() - 1.0).abs() < 1e-9, "full load is full load");
        }
        let r = run(&machine(), 6.7, 7.0, 29.4, 500e3 / 6.0);
        assert!((r.share_of_time - 0.05 / 0.15).abs() < 1e-3, "below 15 % it cycles: {r:?}");
    }

    #[test]
    fn an_overload_lets_the_water_leave_warmer() {
        let r = run(&machine(), 6.7, 18.0, 29.4, 500e3 / 6.0);
        assert!(r.chilled_c > 9.0 && (r.load - 1.0).abs() < 1e-6, "{r:?}");
        assert!((r.cooling_w - machine().available_w(r.chilled_c, 29.4)).abs() < 1.0);
    }

    #[test]
    fn nothing_to_do_and_nonsense() {
        for (setpoint, back, condenser) in [(7.0, 6.0, 29.0), (7.0, f64::NAN, 29.0), (7.0, 12.0, f64::NAN)] {
            let r = run(&machine(), setpoint, back, condenser, 8e4);
            assert_eq!((r.power_w, r.cooling_w, r.cop()), (0.0, 0.0, None));
        }
        assert!(!run(&machine(), 6.7, 12.0, 55.0, 8e4).inside_curves);
    }

    proptest! {
        #[test]
        fn energy_closes(setpoint in 4.0..12.0f64, rise in 0.1..15.0f64, condenser in 10.0..45.0f64, w_k in 1e3..3e5f64) {
            let r = run(&machine(), setpoint, setpoint + rise, condenser, w_k);
            prop_assert!(r.chilled_c >= setpoint - 1e-9 && r.power_w > 0.0 && r.load <= 1.0 + 1e-9);
            prop_assert!((r.rejected_w - r.cooling_w - r.power_w).abs() < 1e-6 * r.rejected_w);
            prop_assert!((w_k * (setpoint + rise - r.chilled_c) - r.cooling_w).abs() < 1e-6 * r.cooling_w);
        }
    }
}
