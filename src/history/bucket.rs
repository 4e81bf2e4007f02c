//! Samples summed up: how many, least, most, mean and last in a minute, a quarter, an hour.

use super::Stored;
use crate::time::Time;

/// How long a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// A minute.
    Minute = 0,
    /// A quarter of an hour.
    Quarter = 1,
    /// An hour.
    Hour = 2,
}

impl Level {
    /// The shortest first.
    pub const ALL: [Level; 3] = [Self::Minute, Self::Quarter, Self::Hour];

    /// Its length, ms. Buckets begin at whole multiples of it since 1970, in UTC.
    pub fn length_ms(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Quarter => 900_000,
            Self::Hour => 3_600_000,
        }
    }

    /// When the bucket of a moment begins.
    pub fn begin(self, time: Time) -> Time {
        begin(time, self.length_ms())
    }
}

/// The last whole multiple of a length, ms, at or before a moment.
pub fn begin(time: Time, length_ms: i64) -> Time {
    Time(time.0.div_euclid(length_ms).saturating_mul(length_ms))
}

/// What the samples of a stretch of time come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// When it begins.
    pub start: Time,
    /// Samples with a value to speak of.
    pub n: u64,
    /// Samples without one: bad quality, or no number.
    pub bad: u64,
    /// The least; not a number where `n` is 0.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// Their sum: see [`Self::mean`].
    pub sum: f64,
    /// The one with the latest device time.
    pub last: f64,
}

impl Bucket {
    /// Nothing yet.
    pub fn empty(start: Time) -> Self {
        Self { start, n: 0, bad: 0, min: f64::NAN, max: f64::NAN, sum: 0.0, last: f64::NAN }
    }

    /// The mean of its samples; not a number where there is none.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { f64::NAN } else { self.sum / self.n as f64 }
    }

    /// Samples of one stretch summed up, given in the order of device time. Sums of decimals are rounded once, so
    /// that 0.1 added ten times is 1.
    pub fn of(start: Time, samples: &[Stored]) -> Self {
        let mut bucket = Self::empty(start);
        let mut sum = Sum::default();
        for sample in samples {
            if sample.quality.is_bad() || sample.value.is_nan() {
                bucket.bad += 1;
                continue;
            }
            let first = bucket.n == 0;
            bucket.n += 1;
            if first || sample.value < bucket.min {
                bucket.min = sample.value;
            }
            if first || sample.value > bucket.max {
                bucket.max = sample.value;
            }
            bucket.last = sample.value;
            sum.add(sample.value);
        }
        bucket.sum = sum.value();
        bucket
    }

    /// Whether this is another one to the bit.
    pub fn is(&self, other: &Self) -> bool {
        let bits = |b: &Self| (b.start, b.n, b.bad, [b.min, b.max, b.sum, b.last].map(f64::to_bits));
        bits(self) == bits(other)
    }

    /// This one and a later one together, from `start` on.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        if later.n == 0 {
            return Self { bad: self.bad + later.bad, ..self };
        }
        if self.n == 0 {
            return Self { start: self.start, bad: self.bad + later.bad, ..later };
        }
        Self {
            start: self.start,
            n: self.n + later.n,
            bad: self.bad + later.bad,
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            sum: self.sum + later.sum,
            last: later.last,
        }
    }
}

/// Cuts samples, in the order of device time, into buckets of a length, ms.
pub fn cut(samples: &[Stored], length_ms: i64) -> Vec<Bucket> {
    let mut buckets = Vec::new();
    for part in samples.chunk_by(|a, b| begin(a.time, length_ms) == begin(b.time, length_ms)) {
        if let Some(first) = part.first() {
            buckets.push(Bucket::of(begin(first.time, length_ms), part));
        }
    }
    buckets
}

/// A sum that loses nothing to rounding but at its end: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur
/// Summation endlicher Summen", ZAMM 54 (1974).
#[derive(Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let next = self.sum + value;
        let lost = if self.sum.abs() >= value.abs() { (self.sum - next) + value } else { (value - next) + self.sum };
        // Infinities have no remainder.
        self.lost += if lost.is_finite() { lost } else { 0.0 };
        self.sum = next;
    }

    fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::Quality;

    fn at(time: i64, value: f64, quality: Quality) -> Stored {
        Stored { time: Time(time), arrival: Time(time), value, quality, code: 0 }
    }

    #[test]
    fn a_minute_summed_up() {
        let samples = [
            at(59_999, 9.0, Quality::Good),
            at(60_000, 0.1, Quality::Good),
            at(70_000, 0.2, Quality::UncertainRate),
            at(80_000, 55.0, Quality::BadSensor),
            at(90_000, f64::NAN, Quality::Good),
            at(100_000, -0.3, Quality::Simulated),
            at(120_000, 4.0, Quality::BadStale),
        ];
        let buckets = cut(&samples, 60_000);
        assert_eq!(buckets.len(), 3);
        let b = buckets[1];
        assert_eq!((b.start, b.n, b.bad, b.min, b.max, b.last), (Time(60_000), 3, 2, -0.3, 0.2, -0.3));
        assert!(b.sum.abs() < 1e-16, "{}", b.sum);
        assert_eq!((buckets[2].n, buckets[2].bad), (0, 1));
        assert!(buckets[2].mean().is_nan());
        let hour = buckets.iter().fold(Bucket::empty(Time(0)), |all, b| all.and(*b));
        assert_eq!((hour.n, hour.bad, hour.max, hour.last, hour.min), (4, 3, 9.0, -0.3, -0.3));
    }

    #[test]
    fn ten_tenths_are_one_and_times_before_1970_have_buckets() {
        let tenths: Vec<Stored> = (0..10).map(|i| at(i, 0.1, Quality::Good)).collect();
        assert_eq!(Bucket::of(Time(0), &tenths).sum, 1.0);
        assert_eq!(Level::Hour.begin(Time(-1)), Time(-3_600_000));
        assert!(
            Bucket::of(Time(0), &[at(0, f64::INFINITY, Quality::Good), at(1, 1.0, Quality::Good)]).sum.is_infinite()
        );
    }
}
