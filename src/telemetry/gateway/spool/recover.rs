//! What of a spool is whole when it is opened, and what is put aside.

use super::{HEAD, Options, SUFFIX, Segment};
use crate::problem::Problem;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What was found.
pub(super) struct Found {
    pub name: String,
    pub confirmed: u64,
    /// Number of the next sample.
    pub next: u64,
    pub segments: VecDeque<Segment>,
    pub problems: Vec<Problem>,
}

/// What stands before a record.
pub(super) struct Head {
    pub length: u32,
    pub check: u32,
    pub number: u64,
    pub samples: u32,
}

pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{SUFFIX}"))
}

pub(super) fn split(head: [u8; HEAD as usize]) -> Head {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = head;
    Head {
        length: u32::from_le_bytes([a, b, c, d]),
        check: u32::from_le_bytes([e, f, g, h]),
        number: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
        samples: u32::from_le_bytes([q, r, s, t]),
    }
}

/// The check sum of a record.
pub(super) fn sum(number: u64, samples: u32, record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&samples.to_le_bytes());
    hasher.update(record);
    hasher.finalize()
}

/// How long the records of a segment before a number are together, bytes, and how many samples are in them.
pub(super) fn length_of(name: &Path, before: u64) -> io::Result<(u64, u64)> {
    let mut file = io::BufReader::new(File::open(name)?);
    let end = file.get_ref().metadata()?.len();
    let (mut length, mut samples) = (0, 0);
    while length + HEAD <= end {
        let mut head = [0; HEAD as usize];
        file.read_exact(&mut head)?;
        let head = split(head);
        if head.number.saturating_add(u64::from(head.samples)) > before {
            break;
        }
        file.seek(SeekFrom::Current(i64::from(head.length)))?;
        length += HEAD + u64::from(head.length);
        samples += u64::from(head.samples);
    }
    Ok((length.min(end), samples))
}

/// What a folder says stays said when the power goes.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Writes a small file beside its place and moves it there.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let beside = folder.join(format!("{name}.part"));
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    drop(file);
    fs::rename(&beside, folder.join(name))?;
    sync_folder(folder)
}

/// Reads a spool through.
pub(super) fn all(folder: &Path, options: Options) -> io::Result<Found> {
    let mut problems = Vec::new();
    let mut firsts: Vec<u64> = fs::read_dir(folder)?
        .flatten()
        .filter_map(|e| {
            let name = e.file_name();
            let (number, suffix) = name.to_str()?.split_once('.')?;
            (suffix == SUFFIX).then(|| number.parse().ok()).flatten()
        })
        .collect();
    firsts.sort_unstable();
    let confirmed = read_confirmed(folder, &mut problems);
    let name = match read_name(folder) {
        // Without a number to go on from, the count begins again.
        Some(name) if confirmed.is_some() || !firsts.is_empty() => name,
        _ => {
            let name = new_name();
            write(folder, "name", &format!("{name}\n"))?;
            name
        }
    };
    let confirmed = confirmed.unwrap_or(0);
    let mut segments: VecDeque<Segment> = VecDeque::new();
    let mut next = confirmed;
    let count = firsts.len();
    for (i, first) in firsts.into_iter().enumerate() {
        let least = segments.back().map_or(first, |s| s.end.max(first));
        let segment = check(folder, first, least, i + 1 == count, options, &mut problems)?;
        next = next.max(segment.end);
        if segment.samples == 0 {
            fs::remove_file(path(folder, first))?;
        } else {
            segments.push_back(segment);
        }
    }
    Ok(Found { name, confirmed, next, segments, problems })
}

fn read_name(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("name")).ok()?;
    let name = text.trim();
    (name.len() == 8 && name.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| name.to_owned())
}

/// A name that no other spool has: the standard library's keys for its maps are random.
fn new_name() -> String {
    let mut random = RandomState::new().build_hasher();
    random.write_u32(std::process::id());
    format!("{:08x}", random.finish() as u32)
}

fn read_confirmed(folder: &Path, problems: &mut Vec<Problem>) -> Option<u64> {
    let name = folder.join("confirmed");
    let text = match fs::read_to_string(&name) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
        Err(_) => String::new(),
    };
    let number = text.trim().parse().ok().filter(|n| *n < u64::MAX / 2);
    if number.is_none() {
        problems.push(Problem::warning(
            name.display().to_string(),
            "it does not say which records are confirmed; all are sent again",
            "nothing: whoever receives them knows them by their time",
        ));
    }
    number
}

/// Reads a segment through; what is broken goes into quarantine. Numbers must rise, from `least` on.
fn check(
    folder: &Path,
    first: u64,
    least: u64,
    is_last: bool,
    options: Options,
    problems: &mut Vec<Problem>,
) -> io::Result<Segment> {
    let name = path(folder, first);
    let bytes = fs::read(&name)?;
    let (mut good, mut bad): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut segment = Segment { first, end: least, ..Segment::default() };
    let mut rest = bytes.as_slice();
    let mut cut_off = false;
    while !rest.is_empty() {
        let Some((head, behind)) = rest.split_first_chunk::<{ HEAD as usize }>() else {
            cut_off = true;
            break;
        };
        let head = split(*head);
        match behind.split_at_checked(head.length as usize) {
            Some((record, after)) if head.length <= options.record_bytes => {
                let size = HEAD + u64::from(head.length);
                let whole = rest.get(..size as usize).unwrap_or_default();
                let in_order = head.number >= segment.end && head.number < u64::MAX / 2 && head.samples > 0;
                if in_order && sum(head.number, head.samples, record) == head.check {
                    good.extend_from_slice(whole);
                    segment.add(head.number, head.samples, size);
                } else {
                    bad.extend_from_slice(whole);
                }
                rest = after;
            }
            _ => {
                cut_off = true;
                break;
            }
        }
    }
    if cut_off && !is_last {
        bad.extend_from_slice(rest);
    }
    if !bad.is_empty() {
        let aside = folder.join("quarantine");
        fs::create_dir_all(&aside)?;
        fs::write(aside.join(format!("{first:020}.{SUFFIX}")), &bad)?;
        problems.push(Problem::error(
            name.display().to_string(),
            format!("{} bytes of it are damaged and were moved to {}", bad.len(), aside.display()),
            "look at the disk; what is there was not sent",
        ));
    }
    if good.len() != bytes.len() {
        let beside = name.with_extension("part");
        let mut file = File::create(&beside)?;
        file.write_all(&good)?;
        file.sync_data()?;
        drop(file);
        fs::rename(&beside, &name)?;
        sync_folder(folder)?;
    }
    Ok(segment)
}
