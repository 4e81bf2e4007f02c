//! Many readings of a device become fewer samples: one a period, or one a change.

use crate::quality::Quality;
use crate::time::Time;

/// How readings of a point become samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Every reading.
    Every,
    /// One for each period, at its end: of what was read in it.
    Period {
        /// Its length, ms; periods begin at whole multiples of it since 1970.
        length_ms: i64,
        /// What stands for it.
        take: Take,
    },
    /// Where the value has changed by more than a deadband since the last sample, and at least so often.
    Change {
        /// Smaller changes are none.
        deadband: f64,
        /// However little it changes, ms; none: only on change.
        at_least_ms: Option<i64>,
    },
}

/// What stands for a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The mean over time: each reading holds until the next one.
    Mean,
    /// The least.
    Min,
    /// The most.
    Max,
    /// The last.
    Last,
}

/// A sample as it leaves the gateway.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aggregated {
    /// The reading's moment, or the end of the period.
    pub time: Time,
    /// The value.
    pub value: f64,
    /// The worst of what went into it.
    pub quality: Quality,
}

/// A point at work.
#[derive(Clone, Debug)]
pub struct Aggregator {
    rule: Rule,
    /// The last reading.
    held: Option<(Time, f64, Quality)>,
    /// The last sample that was given, for changes.
    given: Option<Aggregated>,
    period: Option<Period>,
}

#[derive(Clone, Copy, Debug)]
struct Period {
    start: Time,
    /// Up to here the mean has been counted.
    until: Time,
    /// Value times ms.
    area: f64,
    span_ms: f64,
    min: f64,
    max: f64,
    last: f64,
    quality: Quality,
    readings: u32,
}

impl Aggregator {
    /// Nothing read yet.
    pub fn new(rule: Rule) -> Self {
        Self { rule, held: None, given: None, period: None }
    }

    /// Takes a reading; gives the sample that is due by it. One that is older than the last changes nothing but where
    /// every reading counts.
    pub fn take(&mut self, time: Time, value: f64, quality: Quality) -> Option<Aggregated> {
        let now = Aggregated { time, value, quality };
        match self.rule {
            Rule::Every => Some(now),
            _ if self.held.is_some_and(|(last, _, _)| time < last) => None,
            Rule::Change { deadband, at_least_ms } => {
                self.held = Some((time, value, quality));
                let due = self.given.is_none_or(|g| {
                    // What is no number has changed when what was one is none.
                    let moved = (value - g.value).abs() > deadband || value.is_nan() != g.value.is_nan();
                    let late = at_least_ms.is_some_and(|ms| time.0.saturating_sub(g.time.0) >= ms);
                    moved || late || quality != g.quality
                });
                if due {
                    self.given = Some(now);
                }
                due.then_some(now)
            }
            Rule::Period { length_ms, take } => {
                let start = crate::history::bucket::begin(time, length_ms.max(1));
                let due = self.period.filter(|p| p.start < start).and_then(|_| self.close(take, length_ms));
                let held = self.held.replace((time, value, quality));
                let period = self.period.get_or_insert_with(|| Period::new(start, time, held.map(|h| (h.1, h.2))));
                period.hold(time, held.map(|h| h.1));
                if !value.is_nan() {
                    period.min = period.min.min(value);
                    period.max = period.max.max(value);
                    period.last = value;
                }
                period.readings += 1;
                // No value is never better than bad; a device that says why knows better.
                let none = value.is_nan() && !quality.is_bad();
                period.quality = period.quality.max(if none { Quality::BadSensor } else { quality });
                due
            }
        }
    }

    /// Gives the sample of a period that is over at `now`, where no reading has come since.
    pub fn tick(&mut self, now: Time) -> Option<Aggregated> {
        let Rule::Period { length_ms, take } = self.rule else { return None };
        let over = self.period.is_some_and(|p| now.0 >= p.start.0.saturating_add(length_ms.max(1)));
        if over { self.close(take, length_ms) } else { None }
    }

    fn close(&mut self, take: Take, length_ms: i64) -> Option<Aggregated> {
        let mut period = self.period.take()?;
        let end = Time(period.start.0.saturating_add(length_ms.max(1)));
        period.hold(end, self.held.map(|h| h.1));
        let value = match take {
            Take::Mean if period.span_ms > 0.0 => period.area / period.span_ms,
            Take::Mean | Take::Last => period.last,
            Take::Min => period.min,
            Take::Max => period.max,
        };
        let value = if value.is_finite() { value } else { f64::NAN };
        (period.readings > 0).then_some(Aggregated { time: end, value, quality: period.quality })
    }
}

impl Period {
    /// A period whose first reading comes at `first`; what was read before it holds from its start.
    fn new(start: Time, first: Time, before: Option<(f64, Quality)>) -> Self {
        let until = if before.is_some_and(|(v, _)| !v.is_nan()) { start } else { first };
        Self {
            start,
            until,
            area: 0.0,
            span_ms: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            last: f64::NAN,
            quality: Quality::Good,
            readings: 0,
        }
    }

    /// The last reading has held until now.
    fn hold(&mut self, now: Time, value: Option<f64>) {
        let span_ms = now.0.saturating_sub(self.until.0) as f64;
        if let Some(value) = value.filter(|v| v.is_finite() && span_ms > 0.0) {
            self.area += value * span_ms;
            self.span_ms += span_ms;
        }
        self.until = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(rule: Rule, readings: &[(i64, f64)]) -> Vec<(i64, f64)> {
        let mut point = Aggregator::new(rule);
        let mut out: Vec<Aggregated> = Vec::new();
        for (t, v) in readings {
            out.extend(point.take(Time(*t), *v, Quality::Good));
        }
        out.extend(point.tick(Time(i64::MAX)));
        out.iter().map(|a| (a.time.0, a.value)).collect()
    }

    #[test]
    fn a_period_by_each_rule() {
        // 10 until 2.5 s, 20 until 7.5 s, 30 until the end of the second period.
        let readings = [(0, 10.0), (2500, 20.0), (7500, 30.0)];
        let of = |take| all(Rule::Period { length_ms: 5000, take }, &readings);
        assert_eq!(of(Take::Mean), [(5000, 15.0), (10_000, 25.0)]);
        assert_eq!(of(Take::Min), [(5000, 10.0), (10_000, 30.0)]);
        assert_eq!(of(Take::Max), [(5000, 20.0), (10_000, 30.0)]);
        assert_eq!(of(Take::Last), [(5000, 20.0), (10_000, 30.0)]);
        assert_eq!(all(Rule::Every, &readings).len(), 3);
    }

    #[test]
    fn a_period_without_readings_gives_nothing_and_the_worst_quality_counts() {
        let mut point = Aggregator::new(Rule::Period { length_ms: 1000, take: Take::Mean });
        assert_eq!(point.take(Time(100), 1.0, Quality::Good), None);
        assert_eq!(point.take(Time(200), f64::NAN, Quality::Good), None);
        let first = point.take(Time(5500), 3.0, Quality::UncertainRange).unwrap();
        assert_eq!((first.time, first.value, first.quality), (Time(1000), 1.0, Quality::BadSensor));
        assert_eq!(point.tick(Time(5999)), None);
        let last = point.tick(Time(6000)).unwrap();
        assert_eq!((last.time, last.value, last.quality), (Time(6000), 3.0, Quality::UncertainRange));
        assert_eq!(point.tick(Time(9000)), None);
    }

    #[test]
    fn changes_beyond_the_deadband_and_now_and_then() {
        let rule = Rule::Change { deadband: 0.5, at_least_ms: Some(60_000) };
        let readings = [
            (0, 20.0),
            (1000, 20.4),
            (2000, 20.6),
            (3000, 20.2),
            (50_000, 20.3),
            (62_000, 20.3),
            (63_000, f64::NAN),
            (64_000, f64::NAN),
        ];
        let given: Vec<i64> = all(rule, &readings).iter().map(|(t, _)| *t).collect();
        assert_eq!(given, [0, 2000, 62_000, 63_000]);
        let quiet = all(Rule::Change { deadband: 0.5, at_least_ms: None }, &readings);
        assert_eq!(quiet.len(), 3);
        let mut point = Aggregator::new(rule);
        assert!(point.take(Time(5), 1.0, Quality::Good).is_some());
        assert!(point.take(Time(4), 9.0, Quality::Good).is_none(), "older than the last");
        assert!(point.take(Time(6), 1.0, Quality::BadSensor).is_some(), "its quality has changed");
    }
}
