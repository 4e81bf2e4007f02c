//! Health of a point: good, warning, critical, stale or unknown, with hysteresis and confirm time.

use crate::quality::Quality;
use crate::site::point::Check;
use crate::time::Time;
use serde::Serialize;

/// How a point or an asset is. The order is that of "worst of": [`Health::worst`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nothing is known of it.
    #[default]
    Unknown,
    /// Inside its limits.
    Good,
    /// No news for too long.
    Stale,
    /// Outside its warning limits.
    Warning,
    /// Outside its critical limits.
    Critical,
}

impl Health {
    /// How bad it is; unknown is least, since one unbound point must not hide what is known of the rest.
    pub fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Good => 1,
            Self::Stale => 2,
            Self::Warning => 3,
            Self::Critical => 4,
        }
    }

    /// The worse of two.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// How long a value without a check of its own must be out of range before it counts, seconds.
pub const RANGE_CONFIRM_S: f64 = 60.0;

/// Samples further apart than this, and than the point's own stale time, do not confirm one another:
/// nobody knows what the value did between them. Seconds.
pub const CONFIRM_GAP_S: f64 = 300.0;

/// What a judgement remembers of one point.
///
/// * No sample yet, or one that says it is not connected: unknown.
/// * Silence longer than the stale time: stale, whatever the last value was. A computed point is unknown
///   then: its inputs' devices are silent, and say so themselves.
/// * Outside the critical or the warning limits, or outside the expected range (a warning: such a value is
///   never healthy): worse, once the samples have said so for the confirm time. Only samples count: while
///   nothing is measured nothing is confirmed.
/// * Back inside the limits by the hysteresis: better, at once.
/// * After silence the judgement goes on where it was before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judgement {
    /// The state that counts.
    pub health: Health,
    /// The state by value alone, kept through silence.
    level: Level,
    /// Device time of the last sample.
    last: Option<Time>,
    /// Since when samples have been beyond the warning and beyond the critical limits.
    beyond: [Option<Time>; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
enum Level {
    #[default]
    Good,
    Warning,
    Critical,
}

impl Judgement {
    /// A state that would be worse and has not lasted long enough yet, and since when.
    pub fn pending(&self) -> Option<(Health, Time)> {
        let [warning, critical] = self.beyond;
        let critical = critical.filter(|_| self.level < Level::Critical).map(|t| (Health::Critical, t));
        let warning = warning.filter(|_| self.level < Level::Warning).map(|t| (Health::Warning, t));
        critical.or(warning)
    }

    /// Judges one point: on every sample, and from time to time without one, for silence.
    ///
    /// `value` is SI and `since` the device time of the last sample (none when there never was one);
    /// `now` is by the clock that device times are by.
    pub fn judge(
        &mut self,
        check: Option<&Check>,
        value: f64,
        quality: Quality,
        since: Option<Time>,
        stale_after_s: f64,
        now: Time,
    ) -> Health {
        self.health = match (since, quality) {
            (None, _) | (_, Quality::BadNotConnected) => self.interrupted(Health::Unknown),
            (_, Quality::BadStale) => self.interrupted(Health::Stale),
            (Some(since), _) if now.seconds_since(since) > stale_after_s => {
                self.interrupted(if quality == Quality::Simulated { Health::Unknown } else { Health::Stale })
            }
            (Some(since), _) => {
                self.weigh(check, value, quality, since, stale_after_s);
                match self.level {
                    Level::Good => Health::Good,
                    Level::Warning => Health::Warning,
                    Level::Critical => Health::Critical,
                }
            }
        };
        self.health
    }

    fn interrupted(&mut self, health: Health) -> Health {
        self.beyond = [None; 2];
        health
    }

    fn weigh(&mut self, check: Option<&Check>, value: f64, quality: Quality, since: Time, stale_after_s: f64) {
        let gap_s = if stale_after_s.is_finite() { stale_after_s.max(CONFIRM_GAP_S) } else { CONFIRM_GAP_S };
        if self.last.is_some_and(|last| since.seconds_since(last) > gap_s) {
            self.beyond = [None; 2];
        }
        self.last = Some(since);

        let target = target(self.level, check, value, quality);
        if target < self.level {
            self.level = target;
        }
        let confirm_s = check.map_or(RANGE_CONFIRM_S, |c| c.confirm_s);
        for (beyond, level) in self.beyond.iter_mut().zip([Level::Warning, Level::Critical]) {
            if target < level {
                *beyond = None;
                continue;
            }
            let first = *beyond.get_or_insert(since);
            if self.level < level && since.seconds_since(first) >= confirm_s {
                self.level = level;
            }
        }
    }
}

/// The level that a value asks for, when the level now is `current`.
fn target(current: Level, check: Option<&Check>, value: f64, quality: Quality) -> Level {
    let mut level = if !quality.is_good() || !value.is_finite() { Level::Warning } else { Level::Good };
    let Some(c) = check else { return level };
    let beyond = |below: Option<f64>, above: Option<f64>, at: Level| {
        let back = if current >= at { c.hysteresis } else { 0.0 };
        below.is_some_and(|limit| value < limit + back) || above.is_some_and(|limit| value > limit - back)
    };
    if beyond(c.warning_below, c.warning_above, Level::Warning) {
        level = Level::Warning;
    }
    if beyond(c.critical_below, c.critical_above, Level::Critical) {
        level = Level::Critical;
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: Check = Check {
        warning_below: Some(16.0),
        warning_above: Some(30.0),
        critical_below: Some(12.0),
        critical_above: Some(35.0),
        hysteresis: 1.0,
        confirm_s: 60.0,
    };

    /// Feeds `(second, value, quality)` and a look at a second without a sample (`None`), and compares.
    fn run(check: Option<&Check>, steps: &[(i64, Option<(f64, Quality)>, Health)]) {
        let mut judgement = Judgement::default();
        let (mut value, mut quality, mut since) = (0.0, Quality::Good, None);
        for (i, (second, sample, expected)) in steps.iter().enumerate() {
            let now = Time(second * 1000);
            if let Some((v, q)) = sample {
                (value, quality, since) = (*v, *q, Some(now));
            }
            let is = judgement.judge(check, value, quality, since, 90.0, now);
            assert_eq!(is, *expected, "step {i} at {second} s");
        }
    }

    fn good(value: f64) -> Option<(f64, Quality)> {
        Some((value, Quality::Good))
    }

    #[test]
    fn unknown_until_heard_of() {
        run(Some(&CHECK), &[(0, None, Health::Unknown), (1, good(20.0), Health::Good)]);
        run(None, &[(0, None, Health::Unknown), (1, good(1e9), Health::Good)]);
        run(None, &[(0, Some((1.0, Quality::BadNotConnected)), Health::Unknown)]);
        run(None, &[(0, Some((1.0, Quality::BadStale)), Health::Stale)]);
    }

    #[test]
    fn worse_needs_the_confirm_time_and_better_the_hysteresis() {
        run(
            Some(&CHECK),
            &[
                (0, good(31.0), Health::Good),
                (59, good(31.0), Health::Good),
                (60, good(31.0), Health::Warning),
                (61, good(29.5), Health::Warning),
                (62, good(29.0), Health::Good),
                // Inside the hysteresis from below is still good.
                (63, good(29.9), Health::Good),
                // One sample inside starts the time anew.
                (70, good(31.0), Health::Good),
                (120, good(30.0), Health::Good),
                (125, good(31.0), Health::Good),
                (184, good(31.0), Health::Good),
                (185, good(31.0), Health::Warning),
            ],
        );
    }

    #[test]
    fn low_limits_work_as_high_ones() {
        run(
            Some(&CHECK),
            &[
                (0, good(11.0), Health::Good),
                (60, good(11.0), Health::Critical),
                (61, good(12.9), Health::Critical),
                (62, good(13.0), Health::Warning),
                (63, good(16.9), Health::Warning),
                (64, good(17.0), Health::Good),
            ],
        );
    }

    #[test]
    fn the_times_of_warning_and_critical_run_side_by_side() {
        run(
            Some(&CHECK),
            &[
                (0, good(31.0), Health::Good),
                (40, good(36.0), Health::Good),
                (60, good(36.0), Health::Warning),
                (99, good(36.0), Health::Warning),
                (100, good(36.0), Health::Critical),
                (101, good(34.5), Health::Critical),
                (102, good(33.0), Health::Warning),
                (103, good(20.0), Health::Good),
            ],
        );
    }

    #[test]
    fn no_confirm_time_is_at_once() {
        let check = Check { confirm_s: 0.0, ..CHECK };
        run(Some(&check), &[(0, good(31.0), Health::Warning), (1, good(36.0), Health::Critical)]);
    }

    #[test]
    fn silence_beats_the_value_and_is_forgiven() {
        run(
            Some(&CHECK),
            &[
                (0, good(36.0), Health::Good),
                (60, good(36.0), Health::Critical),
                (150, None, Health::Critical),
                (151, None, Health::Stale),
                // Still bad when it comes back: no second confirm time.
                (400, good(36.0), Health::Critical),
                (500, None, Health::Stale),
                (600, good(20.0), Health::Good),
                (700, None, Health::Stale),
            ],
        );
    }

    #[test]
    fn time_without_samples_confirms_nothing() {
        run(
            Some(&CHECK),
            &[
                (0, good(31.0), Health::Good),
                (80, None, Health::Good),
                (95, None, Health::Stale),
                (100, good(31.0), Health::Good),
                (160, good(31.0), Health::Warning),
            ],
        );
        // A computed point that never goes stale: two glimpses of a bad value, hours apart.
        let mut j = Judgement::default();
        let mut at = |s: i64| {
            let t = Time(s * 1000);
            j.judge(Some(&CHECK), 40.0, Quality::Simulated, Some(t), f64::INFINITY, t)
        };
        assert_eq!(at(0), Health::Good);
        assert_eq!(at(36_000), Health::Good);
        assert_eq!(at(36_060), Health::Critical);
    }

    #[test]
    fn a_computed_point_without_inputs_is_unknown() {
        let mut j = Judgement::default();
        assert_eq!(j.judge(None, 1.0, Quality::Simulated, Some(Time(0)), 60.0, Time(1)), Health::Good);
        assert_eq!(j.judge(None, 1.0, Quality::Simulated, Some(Time(0)), 60.0, Time(61_000)), Health::Unknown);
    }

    #[test]
    fn out_of_range_is_never_healthy() {
        let bad = |v| Some((v, Quality::BadRange));
        run(None, &[(0, bad(1.0), Health::Good), (60, bad(1.0), Health::Warning), (61, good(1.0), Health::Good)]);
        run(
            Some(&CHECK),
            &[
                (0, bad(99.0), Health::Good),
                (60, bad(99.0), Health::Critical),
                (61, bad(20.0), Health::Warning),
                (62, good(20.0), Health::Good),
                (70, Some((f64::NAN, Quality::Good)), Health::Good),
                (130, Some((f64::NAN, Quality::Good)), Health::Warning),
            ],
        );
    }

    #[test]
    fn what_is_pending_can_be_seen() {
        let mut j = Judgement::default();
        let mut at = |s: i64, v: f64| {
            let t = Time(s * 1000);
            j.judge(Some(&CHECK), v, Quality::Good, Some(t), 90.0, t);
            j.pending()
        };
        assert_eq!(at(0, 31.0), Some((Health::Warning, Time(0))));
        assert_eq!(at(10, 36.0), Some((Health::Critical, Time(10_000))));
        assert_eq!(at(60, 36.0), Some((Health::Critical, Time(10_000))));
        assert_eq!(at(70, 36.0), None);
    }
}
