//! Devices that are not there: to try a gateway, its broker and its historian.

use super::{Device, Reading, sources};
use crate::telemetry::gateway::config::{self, Source};
use crate::time::Time;

/// What a simulated point does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// How it goes.
    pub shape: Shape,
    /// What it goes around.
    pub mean: f64,
    /// How far.
    pub amplitude: f64,
    /// How long it takes, seconds.
    pub period_s: f64,
}

/// How a simulated point goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Up and down, smoothly.
    Sine,
    /// High, then low.
    Square,
    /// Up, and down at once.
    Ramp,
    /// Anywhere, evenly.
    Noise,
}

impl Wave {
    /// Its value at a moment; the same whenever it is asked for.
    pub fn at(&self, time: Time) -> f64 {
        let phase = (time.as_seconds() / self.period_s).rem_euclid(1.0);
        let part = match self.shape {
            Shape::Sine => (phase * std::f64::consts::TAU).sin(),
            Shape::Square => {
                if phase < 0.5 {
                    1.0
                } else {
                    -1.0
                }
            }
            Shape::Ramp => 2.0 * phase - 1.0,
            Shape::Noise => mixed(time.0 as u64) as f64 / u64::MAX as f64 * 2.0 - 1.0,
        };
        self.mean + self.amplitude * part
    }
}

/// Every bit of a number stirred into every other (Steele, Lea and Flood 2014, the mixer of SplitMix64).
fn mixed(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A device that is not there.
pub struct Simulated {
    waves: Vec<Option<Wave>>,
}

impl Simulated {
    /// As the gateway's file states it.
    pub fn new(device: &config::Device) -> Self {
        Self { waves: sources(device, |s| if let Source::Simulated(wave) = s { Some(*wave) } else { None }) }
    }
}

impl Device for Simulated {
    fn read(&mut self, points: &[usize], now: Time) -> Result<Vec<Reading>, String> {
        let wave = |i: &usize| Some((*i, self.waves.get(*i).copied().flatten()?));
        Ok(points.iter().filter_map(wave).map(|(i, wave)| Reading::good(i, wave.at(now))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_keep_to_their_shape() {
        let wave = |shape| Wave { shape, mean: 10.0, amplitude: 2.0, period_s: 4.0 };
        assert!((wave(Shape::Sine).at(Time(1000)) - 12.0).abs() < 1e-9);
        assert_eq!([wave(Shape::Square).at(Time(0)), wave(Shape::Square).at(Time(3000))], [12.0, 8.0]);
        assert_eq!(wave(Shape::Ramp).at(Time(2000)), 10.0);
        let noise: Vec<f64> = (0..1000).map(|i| wave(Shape::Noise).at(Time(i * 100))).collect();
        assert!(noise.iter().all(|v| (8.0..=12.0).contains(v)));
        let mean = noise.iter().sum::<f64>() / 1000.0;
        assert!((mean - 10.0).abs() < 0.2, "{mean}");
        assert_eq!(noise[7], wave(Shape::Noise).at(Time(700)));
    }
}
