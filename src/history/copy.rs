//! From one history into another: of either kind, in both directions, and again where it was cut short.

use super::{Bucket, History, HistoryError, Level, Past, PointKey, Reader, Span};
use crate::time::Time;
use serde::Serialize;

/// Samples that are in memory at once.
pub const WINDOW: u64 = 50_000;
/// Samples of one commit.
const COMMIT: usize = 20_000;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Points that were looked through.
    pub points: u64,
    /// Samples that were written.
    pub samples: u64,
    /// Samples that were there already.
    pub there: u64,
    /// Sums of hours whose samples are gone.
    pub sums: u64,
    /// True when it was stopped before it was done; the next one goes on where it was.
    pub stopped: bool,
}

/// Copies every point with its samples, its sums whose samples are gone, and its hold. What is there already is gone
/// by; where both have a sample of one moment the better stays ([`Stored::or`](super::Stored::or)). `on` hears how
/// many points of how many are done, and stops it by false.
///
/// # Errors
/// A history that cannot be read or written; what was copied so far stays.
pub fn copy(
    from: &dyn Reader,
    to: &mut dyn History,
    mut on: impl FnMut(u64, u64) -> bool,
) -> Result<Copied, HistoryError> {
    let points = from.points()?;
    let infos: Vec<_> = points.iter().map(|(_, info)| info.clone()).collect();
    let keys = to.declare(&infos)?;
    let target = to.reader()?;
    let mut copied = Copied::default();
    for ((source, _), key) in points.iter().zip(&keys) {
        for window in windows(from, *source, Span::ALL, WINDOW)? {
            if !on(copied.points, points.len() as u64) {
                copied.stopped = true;
                return Ok(copied);
            }
            let hours = from.buckets(*source, Level::Hour, window)?;
            if !hours.is_empty() && same(&hours, &target.buckets(*key, Level::Hour, window)?) {
                copied.there += hours.iter().map(|b| b.n + b.bad).sum::<u64>();
                continue;
            }
            let samples = from.samples(*source, window)?;
            for part in samples.chunks(COMMIT) {
                to.append(&part.iter().map(|s| (*key, *s)).collect::<Vec<_>>())?;
                copied.samples += part.len() as u64;
            }
            while to.tend()? {}
        }
        let past = from.past(*source)?;
        if past != Past::default() {
            let sums = past.sums(from, *source)?;
            copied.sums += sums.iter().map(|(_, b)| b.len() as u64).sum::<u64>();
            to.adopt(*key, &past, &sums)?;
        }
        copied.points += 1;
    }
    on(copied.points, points.len() as u64);
    Ok(copied)
}

impl Past {
    /// The sums of a point of before its samples begin.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sums(&self, from: &dyn Reader, point: PointKey) -> Result<Vec<(Level, Vec<Bucket>)>, HistoryError> {
        let Some(to) = self.gone_before else { return Ok(Vec::new()) };
        let gone = Span { from: Time(i64::MIN), to };
        Level::ALL.into_iter().map(|level| Ok((level, from.buckets(point, level, gone)?))).collect()
    }
}

/// Cuts a span where its samples come to about `most`, at whole hours. Together the parts are the span, so nothing is
/// missed where the sums are wrong.
///
/// # Errors
/// When the store cannot be read.
pub fn windows(reader: &dyn Reader, point: PointKey, span: Span, most: u64) -> Result<Vec<Span>, HistoryError> {
    let mut windows = Vec::new();
    let (mut from, mut count) = (span.from, 0);
    for hour in reader.buckets(point, Level::Hour, span)? {
        let n = hour.n + hour.bad;
        if count > 0 && count + n > most {
            windows.push(Span { from, to: hour.start });
            (from, count) = (hour.start, 0);
        }
        count += n;
    }
    windows.push(Span { from, to: span.to });
    Ok(windows)
}

fn same(a: &[Bucket], b: &[Bucket]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::embedded::{Embedded, Options, verify};
    use crate::history::{PointInfo, Retention, Stored};
    use crate::quality::Quality;

    const DAY: i64 = 86_400_000;
    const SMALL: Options = Options { segment: 50, journal: 1000, at_once: 5 };

    fn store(name: &str, dir: &std::path::Path) -> Embedded {
        Embedded::open(&dir.join(name), SMALL).unwrap().0
    }

    fn filled(dir: &std::path::Path) -> (Embedded, Vec<PointKey>) {
        let mut store = store("a.db", dir);
        let infos = ["a", "b", "c"].map(|id| PointInfo { id: id.into(), unit: "Cel".into(), ..PointInfo::default() });
        let keys = store.declare(&infos).unwrap();
        for i in 0..600i64 {
            let value = (i as f64 / 7.0).sin();
            let time = Time(i * DAY / 4);
            let quality = if i % 50 == 0 { Quality::BadSensor } else { Quality::Good };
            let sample = Stored { time, arrival: Time(time.0 + 5), value, quality, code: (i % 3) as u32 };
            store.append(&[(keys[0], sample), (keys[1], sample)]).unwrap();
            store.tend().unwrap();
        }
        store.seal_all().unwrap();
        store.hold(keys[1], true, Time(0), "a claim").unwrap();
        assert!(store.retain(Time(150 * DAY), &Retention::default()).unwrap().samples > 0);
        (store, keys)
    }

    #[test]
    fn a_copy_is_the_same_with_its_sums_and_holds_and_a_second_one_does_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (from, keys) = filled(dir.path());
        let mut to = store("b.db", dir.path());
        // Numbers of points need not be the same.
        to.declare(&[PointInfo { id: "x".into(), ..PointInfo::default() }]).unwrap();
        let source = from.reader().unwrap();
        let copied = copy(source.as_ref(), &mut to, |_, _| true).unwrap();
        assert_eq!((copied.points, copied.stopped, copied.there), (3, false, 0));
        assert!(copied.samples > 600 && copied.sums > 0, "{copied:?}");
        let target = to.reader().unwrap();
        let names = target.points().unwrap();
        for (i, id) in ["a", "b", "c"].iter().enumerate() {
            let key = names.iter().find(|(_, p)| p.id == *id).unwrap().0;
            assert_eq!(target.samples(key, Span::ALL).unwrap(), source.samples(keys[i], Span::ALL).unwrap());
            for level in Level::ALL {
                let of = |r: &dyn Reader, k| r.buckets(k, level, Span::ALL).unwrap();
                assert!(same(&of(target.as_ref(), key), &of(source.as_ref(), keys[i])), "{id} {level:?}");
            }
            assert_eq!(target.past(key).unwrap(), source.past(keys[i]).unwrap());
        }
        assert_eq!(
            target.past(names.iter().find(|(_, p)| p.id == "b").unwrap().0).unwrap().held,
            Some("a claim".into())
        );
        let again = copy(source.as_ref(), &mut to, |_, _| true).unwrap();
        assert_eq!(again.samples, 0, "{again:?}");
        drop(to);
        assert_eq!(verify(&dir.path().join("b.db"), |_| true).unwrap().first_damage, None);
    }

    #[test]
    fn one_that_was_stopped_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (from, keys) = filled(dir.path());
        let mut to = store("b.db", dir.path());
        let source = from.reader().unwrap();
        let cut = copy(source.as_ref(), &mut to, |done, of| {
            assert_eq!(of, 3);
            done < 1
        });
        assert!(cut.unwrap().stopped);
        let rest = copy(source.as_ref(), &mut to, |_, _| true).unwrap();
        assert!(rest.there > 0 && !rest.stopped, "{rest:?}");
        let target = to.reader().unwrap();
        assert_eq!(target.samples(PointKey(1), Span::ALL).unwrap(), source.samples(keys[1], Span::ALL).unwrap());
    }

    #[test]
    fn windows_are_the_whole_span() {
        let dir = tempfile::tempdir().unwrap();
        let (from, keys) = filled(dir.path());
        let source = from.reader().unwrap();
        let span = Span { from: Time(100 * DAY), to: Time(149 * DAY) };
        let windows = windows(source.as_ref(), keys[1], span, 20).unwrap();
        assert!(windows.len() > 5);
        assert_eq!((windows[0].from, windows.last().unwrap().to), (span.from, span.to));
        assert!(windows.windows(2).all(|w| w[0].to == w[1].from));
        let counts: Vec<usize> = windows.iter().map(|w| source.samples(keys[1], *w).unwrap().len()).collect();
        assert!(counts.iter().all(|n| *n <= 20), "{counts:?}");
    }
}
