//! What was known of points at a moment.

use super::{HistoryError, PointKey, Reader, Span, Stored};
use crate::time::Time;

/// How far back is looked, step by step, seconds: most points said something within the hour, a setpoint within months.
const STEPS_S: [i64; 5] = [3_600, 86_400, 30 * 86_400, 400 * 86_400, 4_000 * 86_400];

/// The last sample of each point at or before a moment; none where there is none within eleven years.
///
/// # Errors
/// When the store cannot be read, or is damaged there.
pub fn at(reader: &dyn Reader, points: &[PointKey], time: Time) -> Result<Vec<Option<Stored>>, HistoryError> {
    points.iter().map(|point| last_before(reader, *point, Time(time.0.saturating_add(1)))).collect()
}

/// The last sample of a point before a moment.
///
/// # Errors
/// As [`at`].
pub fn last_before(reader: &dyn Reader, point: PointKey, before: Time) -> Result<Option<Stored>, HistoryError> {
    let mut to = before;
    for step in STEPS_S {
        let from = Time(before.0.saturating_sub(step * 1000));
        if let Some(last) = reader.samples(point, Span { from, to })?.pop() {
            return Ok(Some(last));
        }
        to = from;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::embedded::{Embedded, Options};
    use crate::history::{History, PointInfo};
    use crate::quality::Quality;

    #[test]
    fn the_last_one_before_however_long_ago() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = Embedded::open(&folder.path().join("h.db"), Options::default()).unwrap().0;
        let info = |id: &str| PointInfo { id: id.into(), ..PointInfo::default() };
        let keys = history.declare(&[info("often"), info("once"), info("never")]).unwrap();
        let sample = |s: i64| Stored {
            time: Time(s * 1000),
            arrival: Time(s * 1000),
            value: s as f64,
            quality: Quality::Good,
            code: 0,
        };
        let often: Vec<_> = (0..2000).map(|i| (keys[0], sample(1_000_000_000 + i * 10))).collect();
        history.append(&often).unwrap();
        history.append(&[(keys[1], sample(990_000_000))]).unwrap();
        let reader = history.reader().unwrap();
        let moment = Time((1_000_000_000 + 5_005) * 1000);
        let found = at(&*reader, &keys, moment).unwrap();
        assert_eq!(found[0].unwrap().value, 1_000_005_000.0);
        assert_eq!(found[1].unwrap().value, 990_000_000.0);
        assert_eq!(found[2], None);
        // A sample of the moment itself is known then.
        assert_eq!(at(&*reader, &keys[..1], Time(1_000_000_010_000)).unwrap()[0].unwrap().value, 1_000_000_010.0);
        assert_eq!(at(&*reader, &keys[..1], Time(999_999_999_000)).unwrap()[0], None);
    }
}
