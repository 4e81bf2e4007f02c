//! Parquet, without arrow.

use super::{Sink, number_or_none, si_unit, word};
use crate::history::{Bucket, PointInfo, Stored};
use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows that are in memory at once, and that share a row group.
const ROWS: usize = 200_000;

const SAMPLES: &str = "message samples {
  REQUIRED INT64 time (TIMESTAMP(MILLIS,true));
  REQUIRED BYTE_ARRAY point (UTF8);
  REQUIRED DOUBLE value;
  REQUIRED BYTE_ARRAY unit (UTF8);
  REQUIRED BYTE_ARRAY quality (UTF8);
  REQUIRED INT32 code (INTEGER(32,false));
  REQUIRED INT64 arrival (TIMESTAMP(MILLIS,true));
}";

const BUCKETS: &str = "message sums {
  REQUIRED INT64 time (TIMESTAMP(MILLIS,true));
  REQUIRED BYTE_ARRAY point (UTF8);
  REQUIRED BYTE_ARRAY unit (UTF8);
  REQUIRED INT64 n;
  REQUIRED INT64 bad;
  OPTIONAL DOUBLE min;
  OPTIONAL DOUBLE max;
  OPTIONAL DOUBLE mean;
  OPTIONAL DOUBLE last;
  OPTIONAL DOUBLE sum;
}";

/// A Parquet file: one row a sample or a sum, the columns of the CSV.
pub struct Parquet<W: Write + Send> {
    out: Option<W>,
    file: Option<SerializedFileWriter<W>>,
    columns: Columns,
}

/// Columns of rows that are not written yet, in the order of the schema.
#[derive(Default)]
struct Columns {
    rows: usize,
    whole: [Vec<i64>; 3],
    small: Vec<i32>,
    text: [Vec<ByteArray>; 3],
    values: Vec<f64>,
    /// Of sums; none where there is no number.
    sums: [Vec<Option<f64>>; 5],
}

fn io(e: ParquetError) -> io::Error {
    io::Error::other(e)
}

impl<W: Write + Send> Parquet<W> {
    /// Into a writer.
    pub fn new(out: W) -> Self {
        Self { out: Some(out), file: None, columns: Columns::default() }
    }

    fn open(&mut self, schema: &str) -> io::Result<()> {
        if self.file.is_none() {
            let schema = Arc::new(parse_message_type(schema).map_err(io)?);
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            let out = self.out.take().ok_or_else(|| io::Error::other("nothing to write to"))?;
            self.file = Some(SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(io)?);
        }
        Ok(())
    }

    /// Writes a row group of what waits.
    fn group(&mut self) -> io::Result<()> {
        let columns = std::mem::take(&mut self.columns);
        let Some(file) = self.file.as_mut().filter(|_| columns.rows > 0) else { return Ok(()) };
        let mut group = file.next_row_group().map_err(io)?;
        let is_sums = !columns.sums.iter().all(Vec::is_empty);
        macro_rules! put {
            ($kind:ty, $values:expr, $levels:expr) => {{
                let mut column = group.next_column().map_err(io)?.ok_or_else(|| io::Error::other("a column less"))?;
                column.typed::<$kind>().write_batch($values, $levels, None).map_err(io)?;
                column.close().map_err(io)?;
            }};
        }
        let [time, n, bad] = &columns.whole;
        let [point, unit, quality] = &columns.text;
        put!(Int64Type, time, None);
        put!(ByteArrayType, point, None);
        if is_sums {
            put!(ByteArrayType, unit, None);
            put!(Int64Type, n, None);
            put!(Int64Type, bad, None);
            for sums in &columns.sums {
                let there: Vec<f64> = sums.iter().flatten().copied().collect();
                let levels: Vec<i16> = sums.iter().map(|s| i16::from(s.is_some())).collect();
                put!(DoubleType, &there, Some(&levels));
            }
        } else {
            put!(DoubleType, &columns.values, None);
            put!(ByteArrayType, unit, None);
            put!(ByteArrayType, quality, None);
            put!(Int32Type, &columns.small, None);
            put!(Int64Type, n, None);
        }
        group.close().map(drop).map_err(io)
    }
}

impl<W: Write + Send> Sink for Parquet<W> {
    fn samples(&mut self, point: &PointInfo, samples: &[Stored]) -> io::Result<()> {
        self.open(SAMPLES)?;
        let (id, unit) = (ByteArray::from(point.id.as_str()), ByteArray::from(si_unit(&point.unit)));
        for s in samples {
            let c = &mut self.columns;
            c.rows += 1;
            c.whole[0].push(s.time.0);
            c.whole[1].push(s.arrival.0);
            c.text[0].push(id.clone());
            c.text[1].push(unit.clone());
            c.text[2].push(ByteArray::from(word(s.quality).as_str()));
            c.values.push(s.value);
            c.small.push(s.code as i32);
            if c.rows >= ROWS {
                self.group()?;
            }
        }
        Ok(())
    }

    fn buckets(&mut self, point: &PointInfo, buckets: &[Bucket]) -> io::Result<()> {
        self.open(BUCKETS)?;
        let (id, unit) = (ByteArray::from(point.id.as_str()), ByteArray::from(si_unit(&point.unit)));
        for b in buckets {
            let c = &mut self.columns;
            c.rows += 1;
            c.whole[0].push(b.start.0);
            c.whole[1].push(b.n as i64);
            c.whole[2].push(b.bad as i64);
            c.text[0].push(id.clone());
            c.text[1].push(unit.clone());
            let sum = if b.n == 0 { f64::NAN } else { b.sum };
            for (sums, value) in c.sums.iter_mut().zip([b.min, b.max, b.mean(), b.last, sum]) {
                sums.push(number_or_none(value));
            }
            if c.rows >= ROWS {
                self.group()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.open(SAMPLES)?;
        self.group()?;
        match self.file.take() {
            Some(file) => file.close().map(drop).map_err(io),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::Quality;
    use crate::time::Time;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn what_is_written_another_reader_reads() {
        let point = PointInfo { id: "AHU-1/t".into(), unit: "[degF]".into(), ..PointInfo::default() };
        let sample = |i: i64| Stored {
            time: Time(i),
            arrival: Time(i + 1),
            value: i as f64 / 8.0,
            quality: Quality::BadSensor,
            code: u32::MAX,
        };
        let samples: Vec<Stored> = (0..250_000).map(sample).collect();
        let mut bytes = Vec::new();
        let mut sink = Box::new(Parquet::new(&mut bytes));
        sink.samples(&point, &samples).unwrap();
        sink.finish().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        assert_eq!((reader.metadata().file_metadata().num_rows(), reader.num_row_groups()), (250_000, 2));
        let rows: Vec<String> = reader.get_row_iter(None).unwrap().take(9).map(|r| r.unwrap().to_string()).collect();
        let wanted = "value: 1.0, unit: \"Cel\", quality: \"bad-sensor\", code: 4294967295";
        assert!(rows[8].contains(wanted) && rows[8].contains("point: \"AHU-1/t\""), "{}", rows[8]);

        let mut bytes = Vec::new();
        let mut sink = Box::new(Parquet::new(&mut bytes));
        let good = Bucket { n: 2, min: 1.0, max: 2.0, sum: 3.0, last: 2.0, ..Bucket::empty(Time(60_000)) };
        sink.buckets(&point, &[Bucket { bad: 3, ..Bucket::empty(Time(0)) }, good]).unwrap();
        sink.finish().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|r| r.unwrap().to_string()).collect();
        assert!(rows[0].contains("n: 0, bad: 3, min: null") && rows[1].contains("mean: 1.5"), "{rows:?}");
    }
}
