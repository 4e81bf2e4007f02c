//! How large the pages of a file of Parquet say that they are: what a damaged one claims, its reader would make room for.
//!
//! A page begins with a `PageHeader` in Thrift's compact protocol: field 1 its type (2: a dictionary), 2 and 3 its size as
//! it will be and as it stands, then a structure whose field 1 counts its values (Apache Parquet, `parquet.thrift`).

use ::parquet::file::metadata::ParquetMetaData;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// No page is larger, bytes: writers make them of one or a few million.
const LARGEST: i64 = 64 << 20;
/// A header is no longer than this, bytes, with all its statistics.
const HEADER: usize = 64 << 10;
/// Structures in a header do not nest deeper.
const DEPTH: usize = 8;
/// The least that a value takes in a dictionary, bytes.
const LEAST: i64 = 4;

/// Why the pages of a file cannot be what they say; none where they can.
///
/// # Errors
/// The disk's.
pub(super) fn fault(file: &mut File, metadata: &ParquetMetaData) -> io::Result<Option<String>> {
    let length = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
    for group in metadata.row_groups() {
        for column in group.columns() {
            let first = column.dictionary_page_offset().unwrap_or(i64::MAX).min(column.data_page_offset());
            let size = column.compressed_size();
            let end = first.checked_add(size).filter(|end| first >= 0 && size >= 0 && *end <= length);
            let Some(end) = end else { return Ok(Some("a column is not where it should be".into())) };
            let mut at = first;
            while at < end {
                let Some(page) = header(file, at)? else { return Ok(Some("a page has no header".into())) };
                let fits = (0..=LARGEST).contains(&page.size) && (0..=end - at).contains(&page.stands);
                if !fits {
                    return Ok(Some(format!("a page of {} bytes", page.size)));
                }
                let most = if page.is_dictionary { page.size / LEAST } else { group.num_rows().max(0) };
                if !(0..=most).contains(&page.values) {
                    return Ok(Some(format!("{} values in a page of {} bytes", page.values, page.size)));
                }
                at += page.header + page.stands;
            }
        }
    }
    Ok(None)
}

#[derive(Default)]
struct Page {
    header: i64,
    size: i64,
    stands: i64,
    values: i64,
    is_dictionary: bool,
}

fn header(file: &mut File, at: i64) -> io::Result<Option<Page>> {
    file.seek(SeekFrom::Start(at.unsigned_abs()))?;
    let mut bytes = Vec::new();
    file.take(HEADER as u64).read_to_end(&mut bytes)?;
    let mut thrift = Thrift { rest: &bytes };
    let Some(mut page) = thrift.page() else { return Ok(None) };
    page.header = (bytes.len() - thrift.rest.len()) as i64;
    Ok(Some(page))
}

/// As much of Thrift's compact protocol as a header needs.
struct Thrift<'b> {
    rest: &'b [u8],
}

impl Thrift<'_> {
    fn page(&mut self) -> Option<Page> {
        let mut page = Page { values: -1, size: -1, stands: -1, ..Page::default() };
        let mut field = 0;
        while let Some(kind) = self.field(&mut field)? {
            match (field, kind) {
                (1, 5) => page.is_dictionary = self.number()? == 2,
                (2, 5) => page.size = self.number()?,
                (3, 5) => page.stands = self.number()?,
                // Of data, of an index, of a dictionary, of data in the second form.
                (5..=8, 12) => {
                    let mut inner = 0;
                    while let Some(kind) = self.field(&mut inner)? {
                        if (inner, kind) == (1, 5) {
                            page.values = self.number()?;
                        } else {
                            self.skip(kind, DEPTH)?;
                        }
                    }
                }
                (_, kind) => self.skip(kind, DEPTH)?,
            }
        }
        Some(page)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Zigzag: the lowest bit is the sign.
    fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The type of the next field, and its number; none inside where the structure ends.
    fn field(&mut self, number: &mut i64) -> Option<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *number = match head >> 4 {
            0 => self.number()?,
            delta => number.checked_add(i64::from(delta))?,
        };
        Some(Some(head & 0x0F))
    }

    fn take(&mut self, count: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        match kind {
            1 | 2 => Some(()),
            3 => self.take(1),
            4..=6 => self.varint().map(drop),
            7 => self.take(8),
            8 => {
                let length = self.varint()?;
                self.take(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // Truth values take a byte in a list.
                let kind = if matches!(head & 0x0F, 1 | 2) { 3 } else { head & 0x0F };
                (0..count).try_for_each(|_| self.skip(kind, deeper))
            }
            12 => {
                let mut number = 0;
                while let Some(kind) = self.field(&mut number)? {
                    self.skip(kind, deeper)?;
                }
                Some(())
            }
            _ => None,
        }
    }
}
