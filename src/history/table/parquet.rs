//! Parquet with the columns of a table, without arrow: row by row, as the text would have them.

mod pages;

use super::{AT_ONCE, Known, Options, Rows, Stop, Taken};
use crate::history::{HistoryError, Stored};
use crate::problem::Problem;
use crate::time::Time;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Whether a file has its end, which says that it is Parquet: one that is still being written has none.
///
/// # Errors
/// The disk's.
pub fn is_whole(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() < 12 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-4))?;
    let mut end = [0; 4];
    file.read_exact(&mut end)?;
    Ok(&end == b"PAR1")
}

/// Reads a file of Parquet: a row a sample, or a column a point, its columns called as in text. `point` and `sink` as in
/// [`super::read`]. Rows are counted from 1 behind a head.
///
/// # Errors
/// As in [`super::read`].
pub fn read(
    path: &Path,
    options: &Options,
    mut point: impl FnMut(&str, &str) -> Known,
    mut sink: impl FnMut(&[(u32, Stored)]) -> Result<bool, HistoryError>,
) -> Result<Taken, Stop> {
    let wrong = |why: String| {
        let remedy = "write it anew; a file that was cut off or changed on its way cannot be read";
        Stop::Table(Problem::error(&options.name, format!("this is no Parquet that can be read: {why}"), remedy))
    };
    // A damaged file must not end the program, whatever its reader makes of it.
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        let mut file = File::open(path).map_err(|e| wrong(e.to_string()))?;
        let again = file.try_clone().map_err(|e| wrong(e.to_string()))?;
        let reader = SerializedFileReader::new(again).map_err(|e| wrong(e.to_string()))?;
        if let Some(why) = pages::fault(&mut file, reader.metadata()).map_err(|e| wrong(e.to_string()))? {
            return Err(wrong(why));
        }
        let fields = reader.metadata().file_metadata().schema().get_fields();
        let names: Vec<String> = fields.iter().map(|f| f.name().to_owned()).collect();
        let mut rows = Rows::of_columns(&names, ',', options.clone(), &mut point).map_err(Stop::Table)?;
        let mut batch: Vec<(u32, Stored)> = Vec::with_capacity(AT_ONCE);
        let mut texts = Vec::with_capacity(names.len());
        for (i, row) in reader.get_row_iter(None).map_err(|e| wrong(e.to_string()))?.enumerate() {
            let row = row.map_err(|e| wrong(format!("row {}: {e}", i + 1)))?;
            fields_of(&row, &mut texts);
            rows.fields(&texts, i as u64 + 2, &mut point, &mut batch);
            if batch.len() >= AT_ONCE {
                if !sink(&batch).map_err(Stop::Store)? {
                    return Err(Stop::Asked);
                }
                batch.clear();
            }
        }
        if !batch.is_empty() && !sink(&batch).map_err(Stop::Store)? {
            return Err(Stop::Asked);
        }
        Ok(rows.table.read)
    }));
    guarded.unwrap_or_else(|_| Err(wrong("it is damaged".into())))
}

/// The fields of a row as a line of text has them.
fn fields_of(row: &Row, texts: &mut Vec<String>) {
    texts.clear();
    texts.extend(row.get_column_iter().map(|(_, field)| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Field::TimestampMillis(ms) => Time(*ms).to_string(),
        Field::TimestampMicros(us) => Time(us.div_euclid(1000)).to_string(),
        Field::Date(days) => Time(i64::from(*days) * 86_400_000).to_string(),
        // No number in a table: what has none is no value.
        Field::Double(number) if number.is_nan() => String::new(),
        Field::Float(number) if number.is_nan() => String::new(),
        Field::Double(number) => number.to_string(),
        Field::Float(number) => number.to_string(),
        Field::Bool(on) => on.to_string(),
        other => other.to_string(),
    }));
}
