//! Looking at each sample as it comes: is it in time, possible, alive, and in the unit it should be in?
//!
//! One [`Watch`] a point; it remembers a handful of samples and decides in constant time. What it finds are
//! [`Doubts`]; what they make of the sample's quality is the worst of them and of what the source said. Nothing is
//! thrown away here and no value is changed: a meter that began anew is still what the meter showed.

use crate::quality::Quality;
use crate::time::Time;
use std::collections::VecDeque;

/// What can be odd about a sample. Several can be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Doubt {
    /// More than three periods passed since the one before.
    Gap,
    /// Of the same device time as one before it.
    Duplicate,
    /// Older than one that came before it.
    OutOfOrder,
    /// From the future: its device time is not believed, its arrival counts.
    FutureTime,
    /// The device's clock is wrong by more than a while, sample after sample.
    ClockSkew,
    /// Outside of what is expected.
    Range,
    /// Outside of what is possible.
    Impossible,
    /// Faster than what is measured can change.
    Rate,
    /// Far off its neighbours, alone.
    Spike,
    /// The same for so long that the sensor may be dead.
    FlatLine,
    /// Ten, a hundred or a thousand times what it was, or that part of it, ever since.
    UnitFactor,
    /// What it was, in degrees Fahrenheit, ever since.
    Fahrenheit,
    /// A counter that began at nothing behind its last number.
    RollOver,
    /// A counter that fell: a new meter, or one that was set back.
    MeterReset,
    /// No number.
    NoNumber,
}

impl Doubt {
    /// Every one.
    pub const ALL: [Doubt; 15] = [
        Self::Gap,
        Self::Duplicate,
        Self::OutOfOrder,
        Self::FutureTime,
        Self::ClockSkew,
        Self::Range,
        Self::Impossible,
        Self::Rate,
        Self::Spike,
        Self::FlatLine,
        Self::UnitFactor,
        Self::Fahrenheit,
        Self::RollOver,
        Self::MeterReset,
        Self::NoNumber,
    ];

    /// In the words of the field.
    pub fn words(self) -> &'static str {
        match self {
            Self::Gap => "samples are missing before it",
            Self::Duplicate => "came more than once",
            Self::OutOfOrder => "came after newer ones",
            Self::FutureTime => "its time is in the future",
            Self::ClockSkew => "the device's clock is wrong",
            Self::Range => "outside the expected range",
            Self::Impossible => "outside of what is possible",
            Self::Rate => "changes faster than it can",
            Self::Spike => "far off the samples around it",
            Self::FlatLine => "has not changed for too long",
            Self::UnitFactor => "seems to be in a unit ten, a hundred or a thousand times another",
            Self::Fahrenheit => "seems to be in degrees Fahrenheit",
            Self::RollOver => "the counter began anew at its end",
            Self::MeterReset => "the counter was set back",
            Self::NoNumber => "is no number",
        }
    }

    /// What it makes of a quality that was good.
    pub fn quality(self) -> Quality {
        match self {
            Self::NoNumber => Quality::BadSensor,
            Self::Impossible => Quality::BadRange,
            Self::FlatLine => Quality::BadSensor,
            Self::UnitFactor | Self::Fahrenheit | Self::Range => Quality::UncertainRange,
            Self::Rate | Self::Spike => Quality::UncertainRate,
            Self::OutOfOrder => Quality::GoodBackfill,
            _ => Quality::Good,
        }
    }
}

/// A set of doubts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Doubts(u16);

impl Doubts {
    /// With one more.
    pub fn add(&mut self, doubt: Doubt) {
        self.0 |= 1 << doubt as u16;
    }

    /// Whether one is among them.
    pub fn has(self, doubt: Doubt) -> bool {
        self.0 & (1 << doubt as u16) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Doubt> {
        Doubt::ALL.into_iter().filter(move |d| self.has(*d))
    }

    /// The quality of a sample whose source said `said`: the worst of that and of these. What a person entered stays
    /// what a person entered.
    pub fn quality(self, said: Quality) -> Quality {
        if said == Quality::Manual {
            return said;
        }
        self.iter().map(Doubt::quality).fold(said, Quality::max)
    }
}

/// What is known of a point. Values are SI.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// How often it reports, seconds; 0 where it reports on change.
    pub period_s: f64,
    /// Values outside are odd.
    pub expected: Option<[f64; 2]>,
    /// Values outside cannot be.
    pub possible: Option<[f64; 2]>,
    /// It cannot change faster, per second.
    pub rate_per_s: Option<f64>,
    /// A value this far off those around it, and far by what is usual, is a spike; none: whatever jumps does so
    /// rightly, as a pump does that starts.
    pub spike: Option<f64>,
    /// A device time further in the past than this, seconds, says that the sample was kept back.
    pub late_s: f64,
    /// It has never been the same for so long, seconds.
    pub flat_s: Option<f64>,
    /// A value that stays ten times another is most likely in another unit: nothing that is measured becomes so.
    pub units: bool,
    /// It is a temperature in °C.
    pub celsius: bool,
    /// It counts up: an energy, a volume.
    pub counter: bool,
    /// The counter's last number before it begins at nothing again.
    pub rolls_at: Option<f64>,
    /// A device time further in the future than this, seconds, is not believed.
    pub future_s: f64,
    /// A clock that is wrong by more, seconds, is told of.
    pub skew_s: f64,
}

impl Default for Known {
    /// Nothing is known, and so nothing is odd but what is no number.
    fn default() -> Self {
        Self {
            period_s: 0.0,
            expected: None,
            possible: None,
            rate_per_s: None,
            spike: None,
            late_s: f64::INFINITY,
            flat_s: None,
            units: false,
            celsius: false,
            counter: false,
            rolls_at: None,
            future_s: f64::INFINITY,
            skew_s: 0.0,
        }
    }
}

/// Samples that the usual level is the middle of.
const LEVEL: usize = 9;
/// Samples in a row that make a change a new level and not a spike.
const SETTLED: usize = 5;
/// So many usual deviations from the level are a spike.
const SPIKE: f64 = 8.0;
/// Latenesses that a wrong clock is judged by.
const CLOCK: usize = 9;

/// What a point's samples have been like.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    last: Option<(Time, f64)>,
    /// The last good values.
    level: VecDeque<f64>,
    /// Values in a row that were far off the level.
    off: VecDeque<f64>,
    /// By how much values usually differ from the one before: a running mean.
    step: f64,
    /// Since when the value has been the same.
    same_since: Option<Time>,
    /// Whether it was ever seen to change.
    alive: bool,
    lateness_s: VecDeque<f64>,
    /// The unit has seemed wrong since it jumped by this factor; 1: it has not.
    factor: f64,
    fahrenheit: bool,
}

/// What a look at a sample gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Looked {
    /// The moment that counts: the device's, or the arrival where that is in the future.
    pub time: Time,
    /// How far it can be trusted.
    pub quality: Quality,
    /// What is odd.
    pub doubts: Doubts,
}

impl Watch {
    /// Looks at a sample and remembers it.
    pub fn look(&mut self, known: &Known, time: Time, arrival: Time, value: f64, said: Quality) -> Looked {
        let mut doubts = Doubts::default();
        let time = self.clock(known, time, arrival, &mut doubts);
        if !value.is_finite() {
            doubts.add(Doubt::NoNumber);
            return Looked { time, quality: doubts.quality(said), doubts };
        }
        let outside = |[low, high]: [f64; 2]| value < low || value > high;
        if known.possible.is_some_and(outside) {
            doubts.add(Doubt::Impossible);
        }
        if known.expected.is_some_and(outside) {
            doubts.add(Doubt::Range);
        }
        let Some((last_time, last)) = self.last else {
            self.accept(time, value, doubts);
            return Looked { time, quality: doubts.quality(said), doubts };
        };
        if time <= last_time {
            doubts.add(if time == last_time { Doubt::Duplicate } else { Doubt::OutOfOrder });
            // What it was like then says nothing of now.
            return Looked { time, quality: doubts.quality(said), doubts };
        }
        let passed_s = time.seconds_since(last_time);
        if known.period_s > 0.0 && passed_s > 3.0 * known.period_s {
            doubts.add(Doubt::Gap);
        }
        if known.counter {
            counter(known, last, value, passed_s, &mut doubts);
            self.flat(known, time, last, value, &mut doubts);
            self.last = Some((time, value));
        } else {
            self.analogue(known, time, passed_s, last, value, &mut doubts);
        }
        Looked { time, quality: doubts.quality(said), doubts }
    }

    /// The moment that counts.
    fn clock(&mut self, known: &Known, time: Time, arrival: Time, doubts: &mut Doubts) -> Time {
        let late_s = arrival.seconds_since(time);
        if late_s < -known.future_s {
            doubts.add(Doubt::FutureTime);
        }
        if known.skew_s > 0.0 {
            if self.lateness_s.len() == CLOCK {
                self.lateness_s.pop_front();
            }
            self.lateness_s.push_back(late_s);
            // A buffer that is sent late is late by less and less; a wrong clock is wrong by the same.
            let (least, most) = self.lateness_s.iter().fold((f64::MAX, f64::MIN), |(l, m), s| (l.min(*s), m.max(*s)));
            let steady = most - least < known.skew_s;
            if self.lateness_s.len() == CLOCK && steady && (least > known.skew_s || most < -known.skew_s) {
                doubts.add(Doubt::ClockSkew);
            }
        }
        if doubts.has(Doubt::FutureTime) { arrival } else { time }
    }

    fn flat(&mut self, known: &Known, time: Time, last: f64, value: f64, doubts: &mut Doubts) {
        if value != last {
            self.alive = true;
            self.same_since = Some(time);
            return;
        }
        let since = *self.same_since.get_or_insert(self.last.map_or(time, |(t, _)| t));
        // What never changed may be a setpoint.
        if self.alive && known.flat_s.is_some_and(|flat_s| time.seconds_since(since) > flat_s) {
            doubts.add(Doubt::FlatLine);
        }
    }

    fn analogue(&mut self, known: &Known, time: Time, passed_s: f64, last: f64, value: f64, doubts: &mut Doubts) {
        self.flat(known, time, last, value, doubts);
        let level = middle(&self.level);
        let far = |value: f64, level: f64| {
            let usual = self.step.max(1e-3 * level.abs()).max(1e-9);
            (value - level).abs() > SPIKE * usual
        };
        if known.rate_per_s.is_some_and(|rate| (value - last).abs() > rate * passed_s) {
            doubts.add(Doubt::Rate);
        }
        match level.filter(|_| self.level.len() == LEVEL && passed_s < 1000.0 * known.period_s.max(1.0)) {
            Some(level) if far(value, level) => {
                self.off.push_back(value);
                if self.off.len() >= SETTLED {
                    self.settle(known, level);
                } else if known.spike.is_some_and(|least| (value - level).abs() >= least) {
                    doubts.add(Doubt::Spike);
                }
            }
            _ => {
                // They were spikes: the level never was there.
                self.off.clear();
                self.step +=
                    0.1 * ((value - last).abs().min(4.0 * self.step.max((value - last).abs() * 0.25)) - self.step);
                self.push(value);
            }
        }
        if self.factor_is_odd() {
            doubts.add(Doubt::UnitFactor);
        }
        if self.fahrenheit {
            doubts.add(Doubt::Fahrenheit);
        }
        self.last = Some((time, value));
    }

    /// Values have stayed where they jumped to: is it the unit?
    fn settle(&mut self, known: &Known, before: f64) {
        let now = middle(&self.off).unwrap_or(before);
        let near = |a: f64, b: f64| (a - b).abs() <= 0.06 * b.abs();
        // What is expected is no mistake: a boiler that starts may well become ten times as warm.
        let odd = known.expected.is_none_or(|[low, high]| now < low || now > high);
        if !odd {
            (self.fahrenheit, self.factor) = (false, 0.0);
        } else if known.celsius && self.fahrenheit && near(now, (before - 32.0) / 1.8) {
            self.fahrenheit = false;
        } else if known.celsius && before.abs() > 1.0 && (now - (1.8 * before + 32.0)).abs() <= 2.0 {
            self.fahrenheit = true;
        } else if known.units && before.abs() > 1e-9 {
            let ratio = now / before;
            if let Some(factor) = [10.0, 100.0, 1000.0, 0.1, 0.01, 0.001].into_iter().find(|f| near(ratio, *f)) {
                let all = if self.factor == 0.0 { factor } else { self.factor * factor };
                self.factor = if near(all, 1.0) { 0.0 } else { all };
            }
        }
        self.level.clear();
        let off = std::mem::take(&mut self.off);
        off.into_iter().for_each(|v| self.push(v));
    }

    fn factor_is_odd(&self) -> bool {
        self.factor != 0.0
    }

    fn push(&mut self, value: f64) {
        if self.level.len() == LEVEL {
            self.level.pop_front();
        }
        self.level.push_back(value);
    }

    fn accept(&mut self, time: Time, value: f64, doubts: Doubts) {
        self.last = Some((time, value));
        if !doubts.has(Doubt::Impossible) {
            self.push(value);
        }
    }
}

fn counter(known: &Known, last: f64, value: f64, passed_s: f64, doubts: &mut Doubts) {
    let risen = value - last;
    if risen >= 0.0 {
        if known.rate_per_s.is_some_and(|rate| risen > rate * passed_s) {
            doubts.add(Doubt::Rate);
        }
        return;
    }
    // Within a hundredth of its range of the end before, and of the beginning now.
    let rolled = known.rolls_at.is_some_and(|end| last > 0.9 * end && value < 0.1 * end);
    doubts.add(if rolled { Doubt::RollOver } else { Doubt::MeterReset });
}

/// How far a counter really went between two readings, across a roll-over or a reset; what it showed is SI.
pub fn counted(known: &Known, last: f64, value: f64) -> f64 {
    if value >= last {
        return value - last;
    }
    match known.rolls_at.filter(|end| last > 0.9 * end && value < 0.1 * end) {
        Some(end) => end - last + value,
        // What a new meter has counted since it was put in.
        None => value.max(0.0),
    }
}

fn middle(values: &VecDeque<f64>) -> Option<f64> {
    let mut sorted = [0.0; LEVEL];
    let count = values.len().min(LEVEL);
    let own = sorted.get_mut(..count)?;
    own.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
    own.sort_unstable_by(f64::total_cmp);
    own.get(count / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOM: Known = Known {
        period_s: 10.0,
        expected: Some([10.0, 35.0]),
        possible: Some([-40.0, 90.0]),
        rate_per_s: Some(0.5),
        spike: Some(1.0),
        late_s: f64::INFINITY,
        flat_s: Some(3600.0),
        units: true,
        celsius: true,
        counter: false,
        rolls_at: None,
        future_s: 300.0,
        skew_s: 60.0,
    };

    fn wander(i: i64) -> f64 {
        21.0 + 0.3 * (i as f64 * 0.05).sin() + 0.05 * (i as f64 * 1.7).sin()
    }

    /// Samples every 10 s through a watch; what was found at each.
    fn run(known: &Known, values: impl Iterator<Item = f64>) -> Vec<Looked> {
        let mut watch = Watch::default();
        values
            .zip(0i64..)
            .map(|(v, i)| watch.look(known, Time(10_000 * i), Time(10_000 * i + 400), v, Quality::Good))
            .collect()
    }

    fn found(looked: &[Looked], doubt: Doubt) -> Vec<usize> {
        looked.iter().enumerate().filter(|(_, l)| l.doubts.has(doubt)).map(|(i, _)| i).collect()
    }

    #[test]
    fn a_sound_sensor_raises_no_doubt() {
        let looked = run(&ROOM, (0..5000).map(wander));
        assert!(looked.iter().all(|l| l.doubts.is_empty() && l.quality == Quality::Good));
        let setpoint = run(&ROOM, (0..5000).map(|i| if i < 2500 { 21.0 } else { 19.0 }));
        assert!(found(&setpoint, Doubt::UnitFactor).is_empty());
    }

    #[test]
    fn a_spike_is_found_and_a_step_is_accepted() {
        let looked = run(&ROOM, (0..200).map(|i| if i == 100 { 26.0 } else { wander(i) }));
        assert_eq!(found(&looked, Doubt::Spike), [100]);
        assert_eq!(looked[100].quality, Quality::UncertainRate);
        let looked = run(&ROOM, (0..200).map(|i| if i >= 100 { wander(i) + 4.0 } else { wander(i) }));
        assert_eq!(found(&looked, Doubt::Spike), [100, 101, 102, 103]);
        assert!(found(&looked, Doubt::UnitFactor).is_empty());
    }

    #[test]
    fn wrong_units_are_found_until_they_are_right_again() {
        let fahrenheit = |i: i64| if (100..200).contains(&i) { 1.8 * wander(i) + 32.0 } else { wander(i) };
        let looked = run(&ROOM, (0..300).map(fahrenheit));
        assert_eq!(found(&looked, Doubt::Fahrenheit), (104..204).collect::<Vec<_>>());
        for factor in [10.0, 100.0, 1000.0, 0.1, 0.01, 0.001] {
            let known = Known { celsius: false, expected: None, possible: None, rate_per_s: None, ..ROOM };
            let scaled = |i: i64| if (100..200).contains(&i) { factor * wander(i) } else { wander(i) };
            let looked = run(&known, (0..300).map(scaled));
            let odd = found(&looked, Doubt::UnitFactor);
            assert_eq!(odd, (104..204).collect::<Vec<_>>(), "{factor}");
            assert_eq!(looked[150].quality, Quality::UncertainRange);
        }
    }

    #[test]
    fn a_dead_sensor_and_an_impossible_one() {
        let looked = run(&ROOM, (0..1000).map(|i| wander(i.min(100))));
        assert_eq!(found(&looked, Doubt::FlatLine).first(), Some(&461));
        assert_eq!(looked[999].quality, Quality::BadSensor);
        let looked = run(&ROOM, [21.0, 95.0, f64::NAN, 38.0, 21.0].into_iter());
        let qualities: Vec<Quality> = looked.iter().map(|l| l.quality).collect();
        assert_eq!(qualities[..3], [Quality::Good, Quality::BadRange, Quality::BadSensor]);
        assert!(looked[3].doubts.has(Doubt::Range) && !looked[3].doubts.has(Doubt::Impossible));
        assert_eq!(found(&looked, Doubt::Rate), [1, 3, 4]);
    }

    #[test]
    fn times_that_are_odd() {
        let mut watch = Watch::default();
        let mut look = |t: i64, arrival: i64| watch.look(&ROOM, Time(t), Time(arrival), 21.0, Quality::Good);
        assert!(look(0, 400).doubts.is_empty());
        assert!(look(10_000, 10_400).doubts.is_empty());
        assert!(look(10_000, 10_500).doubts.has(Doubt::Duplicate));
        let late = look(5_000, 11_000);
        assert!(late.doubts.has(Doubt::OutOfOrder) && late.quality == Quality::GoodBackfill);
        assert!(look(60_000, 60_400).doubts.has(Doubt::Gap));
        let future = look(4_000_000, 70_400);
        assert!(future.doubts.has(Doubt::FutureTime) && future.time == Time(70_400));
        let mut slow = Watch::default();
        let skewed: Vec<bool> = (0..20)
            .map(|i| slow.look(&ROOM, Time(10_000 * i), Time(10_000 * i + 3_600_000), 21.0, Quality::Good))
            .map(|l| l.doubts.has(Doubt::ClockSkew))
            .collect();
        assert_eq!(skewed.iter().position(|s| *s), Some(8));
        // A buffer that comes late is no wrong clock.
        let mut buffer = Watch::default();
        let backlog =
            (0..300).map(|i| buffer.look(&ROOM, Time(10_000 * i), Time(3_000_000 + 10 * i), 21.0, Quality::Good));
        assert!(backlog.filter(|l| l.doubts.has(Doubt::ClockSkew)).count() == 0);
    }

    #[test]
    fn counters_roll_over_and_are_set_back() {
        let meter = Known {
            counter: true,
            rolls_at: Some(1e6),
            rate_per_s: Some(100.0),
            period_s: 10.0,
            future_s: 300.0,
            ..Known::default()
        };
        let looked = run(&meter, [999_800.0, 999_950.0, 100.0, 300.0, 20.0, 40.0, 5000.0].into_iter());
        assert_eq!((found(&looked, Doubt::RollOver), found(&looked, Doubt::MeterReset)), (vec![2], vec![4]));
        assert_eq!(found(&looked, Doubt::Rate), [6]);
        assert_eq!(
            [counted(&meter, 999_950.0, 100.0), counted(&meter, 300.0, 20.0), counted(&meter, 1.0, 5.0)],
            [150.0, 20.0, 4.0]
        );
    }

    #[test]
    fn what_the_source_says_is_never_made_better() {
        let mut doubts = Doubts::default();
        assert_eq!(doubts.quality(Quality::BadSensor), Quality::BadSensor);
        doubts.add(Doubt::Spike);
        assert_eq!(doubts.quality(Quality::Good), Quality::UncertainRate);
        assert_eq!(doubts.quality(Quality::Manual), Quality::Manual);
        assert_eq!(doubts.quality(Quality::BadStale), Quality::BadStale);
        assert_eq!(doubts.iter().collect::<Vec<_>>(), [Doubt::Spike]);
    }

    proptest! {
        #[test]
        fn nothing_panics(rows in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<f64>(), 0u8..11), 0..60), counter in any::<bool>(), odd in any::<f64>()) {
            let known = Known { counter, rolls_at: Some(odd), period_s: odd, flat_s: Some(odd), rate_per_s: Some(odd), ..ROOM };
            let mut watch = Watch::default();
            for (t, a, v, q) in rows {
                let said = Quality::of_code(q).unwrap();
                let looked = watch.look(&known, Time(t), Time(a), v, said);
                prop_assert!(looked.quality >= said || said == Quality::Manual);
            }
        }
    }
}
