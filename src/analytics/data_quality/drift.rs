//! Drift: a sensor that moves away, slowly, from its neighbours or from what the twin says.
//!
//! The difference between a point's hourly means and the median of its neighbours', or of what was simulated for it, is
//! fitted by a line with the slope of Theil and Sen (the median of the slopes between all pairs; P. K. Sen, *J. Am.
//! Stat. Assoc.* 63, 1968), which a quarter of outliers does not move. What the line moves over the span is a drift when
//! it is more than the differences scatter about it.

use super::median;
use crate::history::Bucket;
use crate::time::Time;
use serde::Serialize;
use std::collections::BTreeMap;

/// Fewer neighbours say nothing: which of two is wrong nobody knows.
pub const NEIGHBOURS: usize = 3;
/// Fewer hours in common say nothing: they are not even a day.
pub const HOURS: usize = 24;
/// More hours are thinned out evenly.
const MOST_HOURS: usize = 400;
/// From the median of absolute deviations to the standard deviation of a normal distribution: 1 / Φ⁻¹(3/4).
const NORMAL: f64 = 1.4826;

/// How a point stands to its neighbours, or to the twin. SI.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// How far it is off the median of them, or what was simulated, in the middle.
    pub offset: f64,
    /// How much further it moves away in a day.
    pub per_day: f64,
    /// How far the differences scatter about their line: a standard deviation, estimated by the median.
    pub scatter: f64,
    /// It moved by more than three times the scatter over the span.
    pub drifts: bool,
    /// Neighbours it was measured by; 0: by the twin.
    pub neighbours: usize,
}

/// How a point stands to its neighbours, of their hours ([`crate::history::Level::Hour`]); none where there are too few
/// neighbours, or too few hours in common.
pub fn of(own: &[Bucket], neighbours: &[&[Bucket]]) -> Option<Drift> {
    if neighbours.len() < NEIGHBOURS {
        return None;
    }
    let mut theirs: BTreeMap<Time, Vec<f64>> = BTreeMap::new();
    for hour in neighbours.iter().copied().flatten().filter(|b| b.n > 0) {
        theirs.entry(hour.start).or_default().push(hour.mean());
    }
    let mut off: Vec<(f64, f64)> = Vec::new();
    for hour in own.iter().filter(|b| b.n > 0) {
        let Some(means) = theirs.get_mut(&hour.start).filter(|m| m.len() >= NEIGHBOURS) else { continue };
        let Some(usual) = median(means) else { continue };
        off.push((days(hour), hour.mean() - usual));
    }
    line(off, neighbours.len())
}

/// How a point stands to what was simulated for it, of the hours of both; none where there are too few in common.
pub fn of_twin(own: &[Bucket], simulated: &[Bucket]) -> Option<Drift> {
    let theirs: BTreeMap<Time, f64> =
        simulated.iter().filter(|b| b.n > 0).map(|hour| (hour.start, hour.mean())).collect();
    let valued = own.iter().filter(|b| b.n > 0);
    let off = valued.filter_map(|hour| Some((days(hour), hour.mean() - theirs.get(&hour.start)?))).collect();
    line(off, 0)
}

fn days(hour: &Bucket) -> f64 {
    hour.start.as_seconds() / 86_400.0
}

/// The line through differences over days; none through too few.
fn line(off: Vec<(f64, f64)>, neighbours: usize) -> Option<Drift> {
    if off.len() < HOURS {
        return None;
    }
    let step = off.len().div_ceil(MOST_HOURS);
    let off: Vec<(f64, f64)> = off.into_iter().step_by(step).collect();
    let (first, last) = (off.first()?.0, off.last()?.0);
    let mut slopes: Vec<f64> = Vec::with_capacity(off.len() * off.len() / 2);
    for (i, (t, d)) in off.iter().enumerate() {
        slopes.extend(off.iter().skip(i + 1).filter(|(u, _)| u > t).map(|(u, e)| (e - d) / (u - t)));
    }
    let per_day = median(&mut slopes)?;
    let offset = median(&mut off.iter().map(|(_, d)| *d).collect::<Vec<_>>())?;
    let mut rest: Vec<f64> = off.iter().map(|(t, d)| d - per_day * t).collect();
    let middle = median(&mut rest)?;
    let scatter = NORMAL * median(&mut rest.iter().map(|r| (r - middle).abs()).collect::<Vec<_>>())?;
    let moved = (per_day * (last - first)).abs();
    // Equal numbers have no scatter, and a rounding is no drift.
    let noise = scatter.max(1e-9 * offset.abs());
    Some(Drift { offset, per_day, scatter, drifts: moved > 3.0 * noise && moved > 0.0, neighbours })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours of a day's wave with some noise, and a drift per day.
    fn hours(seed: u64, days: usize, offset: f64, per_day: f64) -> Vec<Bucket> {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut noise = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((random >> 33) as f64 / f64::from(1u32 << 31) - 0.5) * 0.4
        };
        (0..days * 24)
            .map(|h| {
                let wave = (h as f64 / 24.0 * std::f64::consts::TAU).sin() * 2.0;
                let value = 294.15 + wave + noise() + offset + per_day * h as f64 / 24.0;
                Bucket {
                    n: 1,
                    sum: value,
                    min: value,
                    max: value,
                    last: value,
                    ..Bucket::empty(Time(h as i64 * 3_600_000))
                }
            })
            .collect()
    }

    #[test]
    fn a_drift_is_found_and_a_bias_is_none() {
        let neighbours: Vec<_> = (1..6).map(|s| hours(s, 7, 0.0, 0.0)).collect();
        let neighbours: Vec<&[Bucket]> = neighbours.iter().map(Vec::as_slice).collect();
        let drifting = of(&hours(10, 7, 0.0, 0.2), &neighbours).unwrap();
        assert!(drifting.drifts && (drifting.per_day - 0.2).abs() < 0.03, "{drifting:?}");
        for seed in 20..40 {
            let biased = of(&hours(seed, 7, 1.5, 0.0), &neighbours).unwrap();
            assert!(!biased.drifts && (biased.offset - 1.5).abs() < 0.1, "{biased:?}");
        }
    }

    #[test]
    fn some_wrong_hours_do_not_move_it() {
        let neighbours: Vec<_> = (1..6).map(|s| hours(s, 7, 0.0, 0.0)).collect();
        let neighbours: Vec<&[Bucket]> = neighbours.iter().map(Vec::as_slice).collect();
        let mut own = hours(11, 7, 0.0, 0.0);
        for hour in own.iter_mut().rev().take(30) {
            hour.sum += 50.0;
        }
        let drift = of(&own, &neighbours).unwrap();
        assert!(drift.per_day.abs() < 0.1 && drift.offset.abs() < 0.2, "{drift:?}");
    }

    #[test]
    fn what_leaves_the_twin_needs_no_neighbour() {
        let simulated = hours(3, 7, 0.0, 0.0);
        let drifting = of_twin(&hours(10, 7, 0.0, -0.2), &simulated).unwrap();
        assert!(drifting.drifts && (drifting.per_day + 0.2).abs() < 0.03 && drifting.neighbours == 0, "{drifting:?}");
        let biased = of_twin(&hours(12, 7, 1.5, 0.0), &simulated).unwrap();
        assert!(!biased.drifts && (biased.offset - 1.5).abs() < 0.1, "{biased:?}");
        // Hours of one alone are no hours in common.
        assert!(of_twin(&hours(10, 7, 0.0, 0.0)[..30], &simulated[20..]).is_none());
        assert!(of_twin(&hours(10, 7, 0.0, 0.0), &[]).is_none());
    }

    #[test]
    fn too_little_says_nothing() {
        let some: Vec<_> = (1..4).map(|s| hours(s, 7, 0.0, 0.0)).collect();
        let some: Vec<&[Bucket]> = some.iter().map(Vec::as_slice).collect();
        assert!(of(&hours(9, 7, 0.0, 0.0), &some[..2]).is_none(), "two neighbours");
        assert!(of(&hours(9, 7, 0.0, 0.0)[..20], &some).is_none(), "twenty hours");
        assert!(of(&[], &some).is_none());
        let still = of(&hours(1, 7, 0.0, 0.0), &some[..1].repeat(3)).unwrap();
        assert!(!still.drifts && still.offset == 0.0, "{still:?}");
    }
}
