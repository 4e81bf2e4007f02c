//! What a fault does to a reading, after the solve.

use super::{Fault, FaultKind};

/// What a sensor is, as far as its faults go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensor {
    /// Error at the worst, in the unit of the reading: 4 K for a temperature, 0.2 for a relative humidity, 400
    /// ppm for CO₂, a quarter of its range for a pressure or a flow.
    pub worst: f64,
    /// What its noise and its gaps are drawn from: one for each sensor.
    pub seed: u64,
}

/// What a sensor remembers: the reading that it froze at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SensorState {
    last: Option<f64>,
    frozen: Option<f64>,
}

impl SensorState {
    /// The reading of a true value at a time, with all faults of `faults` that are its own; none where it says
    /// nothing. The same time gives the same noise, so that a run can be repeated.
    pub fn read<'a>(
        &mut self,
        sensor: &Sensor,
        faults: impl IntoIterator<Item = &'a Fault>,
        truth: f64,
        time_s: f64,
    ) -> Option<f64> {
        let (mut offset, mut frozen, mut silent) = (0.0, false, false);
        for fault in faults {
            let amount = fault.amount(time_s);
            if amount <= 0.0 {
                continue;
            }
            match fault.kind {
                // A bias is there at once and stays; a drift is the same error on its way.
                FaultKind::SensorBias | FaultKind::SensorDrift => offset += sensor.worst * amount,
                FaultKind::SensorNoise => offset += 0.5 * sensor.worst * amount * gauss(draw(sensor.seed, time_s)),
                FaultKind::SensorFreeze => frozen = true,
                // Its severity is the share of readings that get lost.
                FaultKind::SensorDropout => silent |= unit(draw(sensor.seed ^ 0xD0, time_s)) < amount,
                _ => {}
            }
        }
        let reading = truth + offset;
        if frozen {
            let stays = *self.frozen.get_or_insert(self.last.unwrap_or(reading));
            return (!silent).then_some(stays);
        }
        self.frozen = None;
        if silent {
            return None;
        }
        self.last = Some(reading);
        Some(reading)
    }
}

/// A well-mixed number from a seed and a time: SplitMix64's finaliser (Steele, Lea, Flood 2014).
fn draw(seed: u64, time_s: f64) -> u64 {
    let mut z = seed ^ time_s.to_bits().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number of 0..1.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// A normal number of mean 0 and deviation 1 (Box and Muller 1958).
fn gauss(bits: u64) -> f64 {
    let (a, b) = (unit(bits).max(f64::MIN_POSITIVE), unit(draw(bits, 1.0)));
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENSOR: Sensor = Sensor { worst: 4.0, seed: 7 };

    fn readings(fault: Fault, truth: impl Fn(f64) -> f64) -> Vec<Option<f64>> {
        let mut state = SensorState::default();
        (0..2000).map(|i| state.read(&SENSOR, [&fault], truth(f64::from(i)), f64::from(i))).collect()
    }

    fn fault(kind: FaultKind, severity: f64) -> Fault {
        Fault::new("T", kind, severity, 1000.0)
    }

    #[test]
    fn a_healthy_sensor_tells_the_truth() {
        let r = readings(fault(FaultKind::SensorNoise, 1.0), |t| 20.0 + t);
        assert!((0..1000).all(|i| r[i] == Some(20.0 + i as f64)));
        // Faults of machines are none of its business.
        let r = readings(fault(FaultKind::Leak, 1.0), |_| 20.0);
        assert!(r.iter().all(|v| *v == Some(20.0)));
    }

    #[test]
    fn bias_jumps_and_drift_creeps() {
        let r = readings(fault(FaultKind::SensorBias, 0.5), |_| 20.0);
        assert_eq!((r[999], r[1000], r[1999]), (Some(20.0), Some(22.0), Some(22.0)));
        let r = readings(fault(FaultKind::SensorDrift, 0.5), |_| 20.0);
        assert!((r[1300].unwrap() - 21.0).abs() < 1e-9 && r[1999] == Some(22.0));
    }

    #[test]
    fn a_frozen_sensor_repeats_itself_until_it_is_mended() {
        let f = Fault { end_s: Some(1500.0), ..fault(FaultKind::SensorFreeze, 1.0) };
        let r = readings(f, |t| t);
        assert!((1000..1500).all(|i| r[i] == Some(999.0)) && r[1500] == Some(1500.0));
    }

    #[test]
    fn a_dropout_loses_its_share() {
        let lost = |severity| {
            let r = readings(fault(FaultKind::SensorDropout, severity), |_| 20.0);
            assert!(r[..1000].iter().all(Option::is_some));
            r[1000..].iter().filter(|v| v.is_none()).count()
        };
        assert_eq!(lost(1.0), 1000);
        assert!((lost(0.3) as f64 - 300.0).abs() < 60.0);
    }

    #[test]
    fn noise_has_its_width_no_bias_and_can_be_repeated() {
        let r = readings(fault(FaultKind::SensorNoise, 1.0), |_| 20.0);
        let errors: Vec<f64> = r[1000..].iter().map(|v| v.unwrap() - 20.0).collect();
        let mean = errors.iter().sum::<f64>() / 1000.0;
        let deviation = (errors.iter().map(|e| e * e).sum::<f64>() / 1000.0).sqrt();
        assert!(mean.abs() < 0.2 && (deviation - 2.0).abs() < 0.2, "{mean} {deviation}");
        assert_eq!(r, readings(fault(FaultKind::SensorNoise, 1.0), |_| 20.0));
        let mut other = SensorState::default();
        let elsewhere = other.read(&Sensor { seed: 8, ..SENSOR }, [&fault(FaultKind::SensorNoise, 1.0)], 20.0, 1500.0);
        assert_ne!(elsewhere, r[1500]);
    }
}
