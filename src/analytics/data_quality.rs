//! How good the data of a point were over a stretch of time: coverage, gaps, lateness, flat lines, and drift against
//! its neighbours.
//!
//! A point is *covered* at a moment when its last usable sample (see [`Quality::is_bad`]) is no older than the silence
//! after which it counts as stale. So a point that reports on change is judged as fairly as one with a period, and a
//! sensor that says it is broken covers nothing however often it says so.

pub mod drift;
pub mod site;

use crate::history::{Span, Stored};
use crate::quality::Quality;
use crate::time::Time;
use serde::Serialize;

/// What samples of a point are measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Silence after which it counts as stale, seconds.
    pub stale_after_s: f64,
    /// It says the same for so long: it is dead, seconds; none: it may.
    pub flat_s: Option<f64>,
}

impl Expected {
    /// What the samples themselves suggest: three times their usual spacing, a minute at least; none below two of them.
    pub fn guessed(samples: &[Stored]) -> Option<Self> {
        let mut spacing: Vec<f64> =
            samples.iter().zip(samples.iter().skip(1)).map(|(a, b)| b.time.seconds_since(a.time)).collect();
        let middle = median(&mut spacing)?;
        Some(Self { stale_after_s: (3.0 * middle).max(60.0), flat_s: None })
    }
}

/// A stretch of time that is short of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The last moment before it that had what it lacks.
    pub from: Time,
    /// The first one after it; the end of the span where there is none.
    pub to: Time,
}

impl Gap {
    /// Its length, seconds.
    pub fn seconds(&self) -> f64 {
        self.to.seconds_since(self.from)
    }
}

/// How long samples took from the device to here, seconds. Below 0: the device's clock is ahead of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Lateness {
    /// Half of them took less.
    pub median_s: f64,
    /// Of a hundred five took longer.
    pub p95_s: f64,
    /// The longest.
    pub max_s: f64,
}

/// The data of one point over a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointQuality {
    /// Samples of it.
    pub samples: u64,
    /// With a value that may be judged.
    pub good: u64,
    /// With a value that may not: last known, out of range, too fast.
    pub uncertain: u64,
    /// Without a value to speak of.
    pub bad: u64,
    /// Came long after.
    pub backfilled: u64,
    /// Share of the span in which it was covered, 0 to 1.
    pub coverage: f64,
    /// Stretches in which it was not covered, by time: from its last usable sample to the next.
    pub gaps: Vec<Gap>,
    /// Stretches in which nothing came at all, of whatever quality.
    pub silences: Vec<Gap>,
    /// Of those that were not backfilled; none where there is no sample.
    pub lateness: Option<Lateness>,
    /// Stretches of one and the same value, longer than it may have.
    pub flat: Vec<Gap>,
    /// The newest.
    pub last: Option<Stored>,
}

impl PointQuality {
    /// The longest gap, seconds; 0 without one.
    pub fn longest_gap_s(&self) -> f64 {
        self.gaps.iter().map(Gap::seconds).fold(0.0, f64::max)
    }
}

/// The data of a point over a span, of its samples there by device time.
pub fn of_point(samples: &[Stored], span: Span, expected: Expected) -> PointQuality {
    let mut out = PointQuality { samples: samples.len() as u64, last: samples.last().copied(), ..Default::default() };
    for sample in samples {
        match sample.quality {
            q if q.is_bad() || sample.value.is_nan() => out.bad += 1,
            q if q.is_good() => out.good += 1,
            _ => out.uncertain += 1,
        }
        out.backfilled += u64::from(sample.quality == Quality::GoodBackfill);
    }
    let usable = |s: &&Stored| !s.quality.is_bad() && !s.value.is_nan();
    out.gaps = between(samples.iter().filter(usable).map(|s| s.time), span, expected.stale_after_s);
    out.silences = between(samples.iter().map(|s| s.time), span, expected.stale_after_s);
    let length_s = span.to.seconds_since(span.from);
    let first = samples.iter().find(usable).map(|s| s.time);
    let open_s: f64 = out.gaps.iter().map(|g| uncovered_s(g, first, expected.stale_after_s)).sum();
    out.coverage = if length_s > 0.0 { (1.0 - open_s / length_s).clamp(0.0, 1.0) } else { 0.0 };
    out.lateness = lateness(samples);
    out.flat = expected.flat_s.map(|longest| flat(samples, longest)).unwrap_or_default();
    out
}

/// A gap counts from the moment at which what was there became stale; before the first there was nothing.
fn uncovered_s(gap: &Gap, first: Option<Time>, stale_after_s: f64) -> f64 {
    let is_known = first.is_some_and(|first| first <= gap.from);
    let known_until = if is_known { gap.from.plus_seconds(stale_after_s) } else { gap.from };
    gap.to.seconds_since(known_until).max(0.0)
}

/// Stretches between moments, and between them and the ends of the span, that are longer than allowed.
fn between(times: impl Iterator<Item = Time>, span: Span, longest_s: f64) -> Vec<Gap> {
    let mut out = Vec::new();
    let mut from = span.from;
    for to in times.chain(std::iter::once(span.to)) {
        if to.seconds_since(from) > longest_s {
            out.push(Gap { from, to });
        }
        from = to;
    }
    out
}

fn lateness(samples: &[Stored]) -> Option<Lateness> {
    let live = samples.iter().filter(|s| s.quality != Quality::GoodBackfill);
    let mut took: Vec<f64> = live.map(|s| s.arrival.seconds_since(s.time)).collect();
    took.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| took.get((((took.len() as f64) * share) as usize).min(took.len().saturating_sub(1))).copied();
    Some(Lateness { median_s: at(0.5)?, p95_s: at(0.95)?, max_s: *took.last()? })
}

fn flat(samples: &[Stored], longest_s: f64) -> Vec<Gap> {
    let mut out = Vec::new();
    let mut begin: Option<&Stored> = None;
    let mut end: Option<&Stored> = None;
    let close = |begin: Option<&Stored>, end: Option<&Stored>, out: &mut Vec<Gap>| {
        if let (Some(a), Some(b)) = (begin, end)
            && b.time.seconds_since(a.time) > longest_s
        {
            out.push(Gap { from: a.time, to: b.time });
        }
    };
    for sample in samples.iter().filter(|s| !s.quality.is_bad()) {
        if begin.is_none_or(|b| b.value.to_bits() != sample.value.to_bits()) {
            close(begin, end, &mut out);
            begin = Some(sample);
        }
        end = Some(sample);
    }
    close(begin, end, &mut out);
    out
}

/// When all of several points were silent together: their device, or what is between it and us, was away.
pub fn offline<'a>(silences: impl Iterator<Item = &'a [Gap]>) -> Vec<Gap> {
    let mut all: Option<Vec<Gap>> = None;
    for own in silences {
        all = Some(match all {
            None => own.to_vec(),
            Some(so_far) => both(&so_far, own),
        });
    }
    all.unwrap_or_default()
}

/// The moments that are in a stretch of both lists; each by time and without overlaps.
fn both(a: &[Gap], b: &[Gap]) -> Vec<Gap> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut out = Vec::new();
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let (from, to) = (x.from.max(y.from), x.to.min(y.to));
        if from < to {
            out.push(Gap { from, to });
        }
        if x.to < y.to {
            a.next()
        } else {
            b.next()
        };
    }
    out
}

/// The middle of some numbers, of two middles the mean; none of none.
pub(super) fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let n = numbers.len();
    let upper = *numbers.get(n / 2)?;
    if n % 2 == 1 {
        return Some(upper);
    }
    numbers.get(n / 2 - 1).map(|lower| f64::midpoint(*lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64, value: f64) -> Stored {
        let time = Time(seconds * 1000);
        Stored { time, arrival: time.plus_seconds(0.5), value, quality: Quality::Good, code: 0 }
    }

    const HOUR: Span = Span { from: Time(0), to: Time(3_600_000) };
    const MINUTE: Expected = Expected { stale_after_s: 60.0, flat_s: None };

    #[test]
    fn a_gap_is_what_is_longer_than_stale() {
        // Every 10 s, but nothing from 1000 to 1300 s.
        let samples: Vec<_> =
            (0..360).map(|i| i * 10).filter(|t| !(1000..1300).contains(t)).map(|t| at(t, 1.0)).collect();
        let q = of_point(&samples, HOUR, MINUTE);
        assert_eq!(q.gaps, [Gap { from: Time(990_000), to: Time(1_300_000) }]);
        assert!((q.coverage - (1.0 - 250.0 / 3600.0)).abs() < 1e-12, "{}", q.coverage);
        assert_eq!((q.samples, q.good, q.bad), (330, 330, 0));
        assert_eq!(q.lateness, Some(Lateness { median_s: 0.5, p95_s: 0.5, max_s: 0.5 }));
    }

    #[test]
    fn bad_ones_cover_nothing_and_are_no_silence() {
        let mut samples: Vec<_> = (0..360).map(|i| at(i * 10, 1.0)).collect();
        for s in &mut samples[100..200] {
            s.quality = Quality::BadSensor;
        }
        let q = of_point(&samples, HOUR, MINUTE);
        assert_eq!((q.bad, q.gaps.len(), q.silences.len()), (100, 1, 0));
        assert!((q.longest_gap_s() - 1010.0).abs() < 1e-9);
    }

    #[test]
    fn of_nothing_all_is_missing() {
        let q = of_point(&[], HOUR, MINUTE);
        assert_eq!((q.coverage, q.gaps.as_slice()), (0.0, &[Gap { from: HOUR.from, to: HOUR.to }][..]));
        assert!(q.lateness.is_none() && q.last.is_none());
        assert_eq!(of_point(&[], Span { from: Time(5), to: Time(5) }, MINUTE).coverage, 0.0);
    }

    #[test]
    fn late_and_backfilled_are_told_apart() {
        let mut samples: Vec<_> = (0..100).map(|i| at(i * 10, 1.0)).collect();
        for s in &mut samples[90..] {
            s.arrival = s.time.plus_seconds(30.0);
        }
        samples[0].arrival = samples[0].time.plus_seconds(1e6);
        samples[0].quality = Quality::GoodBackfill;
        let q = of_point(&samples, HOUR, MINUTE);
        assert_eq!(q.backfilled, 1);
        assert_eq!(q.lateness, Some(Lateness { median_s: 0.5, p95_s: 30.0, max_s: 30.0 }));
    }

    #[test]
    fn a_flat_line_is_one_that_is_flat_for_too_long() {
        let samples: Vec<_> =
            (0..100).map(|i| at(i * 10, if (20..60).contains(&i) { 7.0 } else { i as f64 })).collect();
        let flat = |flat_s| of_point(&samples, HOUR, Expected { flat_s, ..MINUTE }).flat;
        assert_eq!(flat(Some(300.0)), [Gap { from: Time(200_000), to: Time(590_000) }]);
        assert!(flat(Some(400.0)).is_empty() && flat(None).is_empty());
    }

    #[test]
    fn a_device_is_away_when_all_its_points_are() {
        let gap = |from, to| Gap { from: Time(from), to: Time(to) };
        let lists = [vec![gap(0, 10), gap(20, 40)], vec![gap(5, 30)], vec![gap(0, 7), gap(25, 50)]];
        assert_eq!(offline(lists.iter().map(Vec::as_slice)), [gap(5, 7), gap(25, 30)]);
        assert!(offline([].into_iter()).is_empty());
    }

    #[test]
    fn what_is_usual_is_guessed_where_nobody_says() {
        let samples: Vec<_> = (0..10).map(|i| at(i * 100, 0.0)).collect();
        assert_eq!(Expected::guessed(&samples).unwrap().stale_after_s, 300.0);
        assert!(Expected::guessed(&samples[..1]).is_none());
        assert_eq!(
            (median(&mut [3.0, 1.0, 2.0]), median(&mut [4.0, 1.0]), median(&mut [])),
            (Some(2.0), Some(2.5), None)
        );
    }

    proptest! {
        #[test]
        fn coverage_is_what_a_look_at_every_second_says(times in proptest::collection::btree_set(0i64..600, 0..80), stale in 2i64..50) {
            let samples: Vec<_> = times.iter().map(|t| at(*t, 0.0)).collect();
            let span = Span { from: Time(0), to: Time(600_000) };
            let q = of_point(&samples, span, Expected { stale_after_s: stale as f64, flat_s: None });
            // Before the first sample nothing is known, but a short wait for it is no gap.
            let first = times.first().copied().unwrap_or(600);
            let lead = if first <= stale { first } else { 0 };
            let covered = (0..600).filter(|s| *s < lead || times.range(..=*s).next_back().is_some_and(|t| s - t < stale)).count();
            prop_assert!((q.coverage * 600.0 - covered as f64).abs() < 1e-6, "{} of {covered}", q.coverage * 600.0);
        }
    }
}
