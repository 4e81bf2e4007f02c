//! Samples, or their sums, out of a history into files that other programs read.
//!
//! CSV is the long form that [`table`](super::table) reads again: values in SI with the unit's UCUM code beside them,
//! every digit of them, so that what is exported and imported is what it was, to the bit.

#[cfg(feature = "parquet")]
mod parquet;

use super::copy::{WINDOW, windows};
use super::query::every;
use super::{Bucket, HistoryError, PointInfo, PointKey, Reader, Span, Stored};
use crate::site::unit::{UNITS, Unit};
use std::io::{self, Write};

#[cfg(feature = "parquet")]
pub use parquet::Parquet;

/// Takes what is exported, point by point and in the order of time.
pub trait Sink {
    /// Samples of a point.
    ///
    /// # Errors
    /// When it cannot be written.
    fn samples(&mut self, point: &PointInfo, samples: &[Stored]) -> io::Result<()>;

    /// Sums of a point.
    ///
    /// # Errors
    /// When it cannot be written.
    fn buckets(&mut self, point: &PointInfo, buckets: &[Bucket]) -> io::Result<()>;

    /// Writes what is left to write.
    ///
    /// # Errors
    /// When it cannot be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// Points that were looked through.
    pub points: u64,
    /// Samples, or sums.
    pub rows: u64,
    /// True when it was stopped before it was done.
    pub stopped: bool,
}

/// Why an export broke off.
#[derive(Debug)]
pub enum ExportError {
    /// The history cannot be read.
    Read(HistoryError),
    /// The file cannot be written.
    Write(io::Error),
}

/// Exports points: samples, or with `every_ms` sums of so many milliseconds. `on` hears how many points of how many
/// are done, and stops it by false.
///
/// # Errors
/// A history that cannot be read, a sink that cannot be written.
pub fn export(
    reader: &dyn Reader,
    points: &[(PointKey, PointInfo)],
    span: Span,
    every_ms: Option<i64>,
    sink: &mut dyn Sink,
    mut on: impl FnMut(u64, u64) -> bool,
) -> Result<Exported, ExportError> {
    let mut done = Exported::default();
    for (key, info) in points {
        if !on(done.points, points.len() as u64) {
            return Ok(Exported { stopped: true, ..done });
        }
        match every_ms {
            Some(every_ms) => {
                let buckets = every(reader, *key, span, every_ms).map_err(ExportError::Read)?;
                sink.buckets(info, &buckets).map_err(ExportError::Write)?;
                done.rows += buckets.len() as u64;
            }
            None => {
                for window in windows(reader, *key, span, WINDOW).map_err(ExportError::Read)? {
                    if !on(done.points, points.len() as u64) {
                        return Ok(Exported { stopped: true, ..done });
                    }
                    let samples = reader.samples(*key, window).map_err(ExportError::Read)?;
                    sink.samples(info, &samples).map_err(ExportError::Write)?;
                    done.rows += samples.len() as u64;
                }
            }
        }
        done.points += 1;
    }
    on(done.points, points.len() as u64);
    Ok(done)
}

/// The UCUM code of SI for what is read in another unit: `Cel` of `[degF]`, `J` of `kW.h`; the code itself where it
/// is not known.
pub fn si_unit(code: &str) -> &str {
    let Some(unit) = Unit::parse(code) else { return code };
    let is_si = |u: &&Unit| u.quantity == unit.quantity && u.to_si(0.0) == 0.0 && u.to_si(1.0) == 1.0;
    UNITS.iter().find(is_si).map_or(code, |u| u.code)
}

/// CSV, one row a sample or a sum.
pub struct Csv<W: Write> {
    out: csv::Writer<W>,
    headed: bool,
}

impl<W: Write> Csv<W> {
    /// Into a writer, which need not be buffered.
    pub fn new(out: W) -> Self {
        Self { out: csv::Writer::from_writer(out), headed: false }
    }

    fn head(&mut self, names: &[&str]) -> io::Result<()> {
        if !self.headed {
            self.out.write_record(names)?;
            self.headed = true;
        }
        Ok(())
    }
}

/// The columns of samples.
const SAMPLES: [&str; 7] = ["time", "point", "value", "unit", "quality", "code", "arrival"];
/// The columns of sums.
const BUCKETS: [&str; 10] = ["time", "point", "unit", "n", "bad", "min", "max", "mean", "last", "sum"];

impl<W: Write> Sink for Csv<W> {
    fn samples(&mut self, point: &PointInfo, samples: &[Stored]) -> io::Result<()> {
        self.head(&SAMPLES)?;
        let unit = si_unit(&point.unit);
        for s in samples {
            self.out.write_record([
                s.time.to_string().as_str(),
                &point.id,
                &number(s.value),
                unit,
                &word(s.quality),
                &s.code.to_string(),
                &s.arrival.to_string(),
            ])?;
        }
        Ok(())
    }

    fn buckets(&mut self, point: &PointInfo, buckets: &[Bucket]) -> io::Result<()> {
        self.head(&BUCKETS)?;
        let unit = si_unit(&point.unit);
        for b in buckets {
            self.out.write_record([
                b.start.to_string().as_str(),
                &point.id,
                unit,
                &b.n.to_string(),
                &b.bad.to_string(),
                &number(b.min),
                &number(b.max),
                &number(b.mean()),
                &number(b.last),
                &number(if b.n == 0 { f64::NAN } else { b.sum }),
            ])?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// Every digit of a number; nothing where there is none.
fn number(value: f64) -> String {
    if value.is_nan() { String::new() } else { value.to_string() }
}

#[cfg(feature = "parquet")]
fn number_or_none(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// `bad-sensor`.
pub fn word(quality: crate::quality::Quality) -> String {
    serde_json::to_value(quality).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::history::embedded::{Embedded, Options};
    use crate::history::table::{self, Known, quality_of};
    use crate::quality::Quality;
    use crate::time::Time;

    #[test]
    fn what_is_exported_is_imported_to_the_bit() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = Embedded::open(&dir.path().join("h.db"), Options::default()).unwrap();
        let info = |id: &str, unit: &str| PointInfo { id: id.into(), unit: unit.into(), ..PointInfo::default() };
        let infos = [info("a, \"b\"", "[degF]"), info("m", "kW.h"), info("none", "1")];
        let keys = store.declare(&infos).unwrap();
        for i in 0..2000i64 {
            let value = (i as f64).sqrt() * if i % 2 == 0 { -1e-7 } else { 1e9 };
            let quality = Quality::ALL[i as usize % 11];
            let time = Time(i * 1001 - 500_000);
            let sample = Stored { time, arrival: Time(time.0 + i), value, quality, code: i as u32 };
            store.append(&[(keys[i as usize % 2], sample)]).unwrap();
        }
        let reader = store.reader().unwrap();
        let points = reader.points().unwrap();
        let mut text = Vec::new();
        let mut sink = Box::new(Csv::new(&mut text));
        let done = export(reader.as_ref(), &points, Span::ALL, None, sink.as_mut(), |_, _| true).unwrap();
        sink.finish().unwrap();
        assert_eq!((done.points, done.rows, done.stopped), (3, 2000, false));
        let mut read: [Vec<Stored>; 2] = Default::default();
        let options = table::Options { name: "x".into(), zone: None, arrival: Time(0) };
        let known = |id: &str, _: &str| {
            let at = infos.iter().position(|i| i.id == id).unwrap();
            Known::Point(at as u32, infos[at].unit.clone())
        };
        let got = table::read(text.as_slice(), &options, known, |batch| {
            batch.iter().for_each(|(p, s)| read[*p as usize].push(*s));
            Ok(true)
        });
        assert!(got.unwrap().problems.is_empty());
        for (key, read) in keys.iter().zip(&read) {
            assert_eq!(*read, reader.samples(*key, Span::ALL).unwrap());
        }
    }

    #[test]
    fn sums_have_their_columns_and_what_is_not_there_is_empty() {
        let mut text = Vec::new();
        let mut sink = Box::new(Csv::new(&mut text));
        let point = PointInfo { id: "p".into(), unit: "kPa".into(), ..PointInfo::default() };
        let bad = Bucket { bad: 3, ..Bucket::empty(Time(0)) };
        let good = Bucket { n: 2, min: 1.0, max: 2.0, sum: 3.0, last: 2.0, ..Bucket::empty(Time(60_000)) };
        sink.buckets(&point, &[bad, good]).unwrap();
        sink.finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        let wanted = "time,point,unit,n,bad,min,max,mean,last,sum\n\
            1970-01-01T00:00:00.000Z,p,Pa,0,3,,,,,\n1970-01-01T00:01:00.000Z,p,Pa,2,0,1,2,1.5,2,3\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn units_and_words() {
        assert_eq!(["[degF]", "kW.h", "%", "furlong", ""].map(si_unit), ["Cel", "J", "1", "furlong", ""]);
        for quality in Quality::ALL {
            assert_eq!(quality_of(&word(quality)), Some(quality));
        }
    }
}
