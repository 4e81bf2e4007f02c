//! What telemetry says of boundary conditions: which values can be used, which are kept, and where the model holds.

use crate::site::revision::Carry;
use crate::site::{Point, PointIndex};
use crate::telemetry::Sample;
use crate::time::Time;
use crate::twin::clock::TwinClock;

/// What is known of each point.
#[derive(Clone, Debug, Default)]
pub struct Known(Vec<Last>);

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// The last good value and when it was measured.
    good: Option<(f64, Time)>,
    /// Something came after it that was no good.
    bad_since: bool,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Taken {
    /// Nothing usable was heard, or not for too long: the model holds.
    Model,
    /// Measured, SI.
    Live(f64),
    /// What is measured now is no good; this is the last that was.
    Held(f64),
}

impl Taken {
    /// The value, SI; none where the model holds.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Model => None,
            Self::Live(value) | Self::Held(value) => Some(value),
        }
    }
}

impl Known {
    /// Nothing is known yet of so many points.
    pub fn of(points: usize) -> Self {
        Self(vec![Last::default(); points])
    }

    /// Nothing is known any more.
    pub fn forget(&mut self) {
        self.0.fill(Last::default());
    }

    /// Takes a sample; one that is no number, or that its quality speaks against, only says so.
    pub fn hear(&mut self, sample: &Sample) {
        let Some(last) = self.0.get_mut(sample.point.0 as usize) else { return };
        if sample.quality.is_good() && sample.value.is_finite() {
            *last = Last { good: Some((sample.value, sample.device_time)), bad_since: false };
        } else {
            last.bad_since = true;
        }
    }

    /// What a point gives now. What has been silent for longer than its point allows is no boundary condition.
    pub fn taken(&self, index: PointIndex, point: &Point, clock: &TwinClock) -> Taken {
        let Some(last) = self.0.get(index.0 as usize) else { return Taken::Model };
        let fresh = |at: &Time| !clock.tells_age() || clock.now.seconds_since(*at) <= point.stale_after_s;
        match last.good.filter(|(_, at)| fresh(at)) {
            None => Taken::Model,
            Some((value, _)) if last.bad_since => Taken::Held(value),
            Some((value, _)) => Taken::Live(value),
        }
    }

    /// The same by the numbers that points have now.
    pub fn carry(&self, carry: &Carry, points: usize) -> Self {
        let mut next = Self::of(points);
        for (i, last) in self.0.iter().enumerate() {
            let now = carry.point(PointIndex(i as u32)).and_then(|p| next.0.get_mut(p.0 as usize));
            if let Some(now) = now {
                *now = *last;
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::Quality;
    use crate::site::Slot;
    use crate::site::point::PointSource;
    use crate::site::unit::Unit;

    #[test]
    fn good_values_hold_until_they_are_old() {
        let point = Point {
            id: "V/position".into(),
            asset: Slot(0),
            role: "position".into(),
            name: "Position".into(),
            unit: Unit::ONE,
            expected: None,
            period_s: 5.0,
            stale_after_s: 60.0,
            check: None,
            source: PointSource::Topic { topic: "t".into(), key: String::new() },
            remedy: String::new(),
            watch: Default::default(),
        };
        let clock = |s: i64| TwinClock { now: Time(s * 1000), from_site: true, site_speaks: true, is_held: false };
        let sample = |s: i64, value: f64, quality| Sample {
            point: PointIndex(0),
            device_time: Time(s * 1000),
            arrival: Time(s * 1000),
            value,
            quality,
            code: 0,
        };
        let mut known = Known::of(1);
        let taken = |known: &Known, s| known.taken(PointIndex(0), &point, &clock(s));
        known.hear(&sample(0, f64::NAN, Quality::Good));
        assert_eq!(taken(&known, 0), Taken::Model, "nothing good yet");
        known.hear(&sample(1, 0.4, Quality::Good));
        assert_eq!(taken(&known, 1), Taken::Live(0.4));
        known.hear(&sample(6, f64::NAN, Quality::Good));
        assert_eq!(taken(&known, 6), Taken::Held(0.4));
        known.hear(&sample(11, 7.0, Quality::BadRange));
        assert_eq!(taken(&known, 11).value(), Some(0.4));
        assert_eq!(taken(&known, 62), Taken::Model, "too long ago");
        known.hear(&sample(63, 0.5, Quality::Simulated));
        assert_eq!(taken(&known, 63), Taken::Live(0.5));
        // A site whose clock has not spoken yet says nothing of age.
        let deaf = TwinClock { now: Time(9_999_000), from_site: false, site_speaks: true, is_held: false };
        assert_eq!(known.taken(PointIndex(0), &point, &deaf), Taken::Live(0.5));
        let carry = Carry { points: vec![Some(PointIndex(2))], ..Carry::default() };
        let next = known.carry(&carry, 3);
        assert_eq!(next.taken(PointIndex(2), &point, &clock(63)), Taken::Live(0.5));
        assert_eq!(next.taken(PointIndex(0), &point, &clock(63)), Taken::Model);
    }
}
