//! From a path to the bytes of a STEP file: plain or zipped; what is something else is refused by name.

use crate::import::Limits;
use crate::problem::Problem;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The bytes of the STEP file inside.
pub(super) struct Contents {
    /// Without byte order mark.
    pub(super) bytes: Vec<u8>,
    /// Came out of an ifcZIP.
    pub(super) zipped: bool,
    /// Size of the file on disk.
    pub(super) size: u64,
}

/// How much of a file is looked at to say what it is.
const HEAD: usize = 64 * 1024;

/// Reads the file, unzips it when it is an archive, and makes sure that it is STEP.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Contents, Problem> {
    let place = path.display().to_string();
    let fail = |e: std::io::Error| crate::import::cannot_open(path, &e);
    let (mut file, size) = crate::import::open_file(path)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(fail)?;
    let size = size.max(head.len() as u64);
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        let bytes = unzip(file, &place, limits)?;
        check_head(bytes.get(..HEAD.min(bytes.len())).unwrap_or_default(), &place)?;
        return Ok(Contents { bytes: closed_up(as_utf8(bytes)), zipped: true, size });
    }
    check_head(&head, &place)?;
    if size > limits.max_bytes {
        return Err(too_large(&place, size, limits));
    }
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(limits.max_bytes).read_to_end(&mut bytes).map_err(fail)?;
    Ok(Contents { bytes: closed_up(as_utf8(bytes)), zipped: false, size })
}

fn unzip(file: File, place: &str, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let broken = |e: &dyn std::fmt::Display| {
        Problem::error(place, format!("the ifcZIP archive cannot be read: {e}"), "copy or export the file again")
    };
    let mut archive = zip::ZipArchive::new(file).map_err(|e| broken(&e))?;
    let names: Vec<String> = archive.file_names().filter_map(Result::ok).map(|n| n.into_owned()).collect();
    let ends = |end: &str| names.iter().find(|n| n.to_ascii_lowercase().ends_with(end)).cloned();
    let Some(name) = ends(".ifc") else {
        return Err(match ends(".ifcxml") {
            Some(xml) => refuse_xml(&format!("{place}: {xml}")),
            None => {
                Problem::error(place, "the archive holds no .ifc file", "zip one .ifc file, or give the file itself")
            }
        });
    };
    let member = archive.by_name(&name).map_err(|e| broken(&e))?;
    let claimed = member.size();
    if claimed > limits.max_bytes {
        return Err(too_large(&format!("{place}: {name}"), claimed, limits));
    }
    // What the archive claims is not trusted: room is made as bytes come, and no more than the limit.
    let mut bytes = Vec::new();
    member.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| broken(&e))?;
    if bytes.len() as u64 > limits.max_bytes {
        return Err(too_large(&format!("{place}: {name}"), bytes.len() as u64, limits));
    }
    Ok(bytes)
}

fn too_large(place: &str, size: u64, limits: &Limits) -> Problem {
    let mb = |b: u64| b as f64 / 1e6;
    Problem::error(
        place,
        format!("{:.0} MB are more than the limit of {:.0} MB", mb(size), mb(limits.max_bytes)),
        "split the model, or raise the limit (plenum import --limit-mb N)",
    )
}

fn check_head(head: &[u8], place: &str) -> Result<(), Problem> {
    if head.is_empty() {
        return Err(Problem::error(place, "the file is empty", "export or copy it again"));
    }
    if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
        return Err(Problem::error(
            place,
            "the file is written in UTF-16; STEP is ASCII, Latin-1 or UTF-8",
            "save it as UTF-8 in a text editor, or export it again",
        ));
    }
    let contains = |needle: &[u8]| head.windows(needle.len()).any(|w| w.eq_ignore_ascii_case(needle));
    if contains(b"ISO-10303-21") {
        return Ok(());
    }
    let first = head.iter().copied().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xEF | 0xBB | 0xBF));
    match first {
        Some(b'<') if contains(b"<?xml") || contains(b"ifcXML") => Err(refuse_xml(place)),
        Some(b'{') if contains(b"ifcx") => Err(Problem::error(
            place,
            "this is IFC as JSON (IFCX, IFC5), for which there is no reader yet",
            "export the model as IFC 4 (.ifc) from the program that made it",
        )),
        // A header that lost its first line still has its data.
        _ if contains(b"FILE_SCHEMA") || contains(b"=IFC") || contains(b"= IFC") => Ok(()),
        _ => Err(Problem::error(
            place,
            "this is not an IFC file: neither its first line nor a record says so",
            "give a file exported as IFC (STEP, .ifc) or ifcZIP",
        )),
    }
}

fn refuse_xml(place: &str) -> Problem {
    Problem::error(
        place,
        "this is ifcXML, for which there is no reader yet",
        "export the model as IFC (STEP, .ifc) from the program that made it",
    )
}

/// Without the byte order mark, and as UTF-8: a file that is not was written by a program that wrote in the
/// letters of Western European Windows (Latin-1 and a little more).
pub(in crate::import) fn as_utf8(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        bytes.drain(..3);
    }
    if std::str::from_utf8(&bytes).is_ok() {
        return bytes;
    }
    let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut letter = [0; 4];
    for byte in bytes {
        match byte {
            0..=0x7F => text.push(byte),
            _ => text.extend_from_slice(windows_1252(byte).encode_utf8(&mut letter).as_bytes()),
        }
    }
    text
}

/// `# 12` is written `#12`: STEP allows white space between any two signs, and the scanner of records does not.
fn closed_up(bytes: Vec<u8>) -> Vec<u8> {
    if ![b"# ", b"#\t", b"#\r", b"#\n"].iter().any(|split| memchr::memmem::find(&bytes, *split).is_some()) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let (mut in_text, mut after_sign, mut in_comment) = (false, false, false);
    for (at, byte) in bytes.iter().copied().enumerate() {
        if in_comment {
            in_comment = !(byte == b'/' && at > 0 && bytes.get(at - 1) == Some(&b'*'));
        } else if in_text {
            in_text = byte != b'\'';
        } else if after_sign && byte.is_ascii_whitespace() {
            continue;
        } else {
            in_text = byte == b'\'';
            in_comment = byte == b'/' && bytes.get(at + 1) == Some(&b'*');
            after_sign = byte == b'#';
        }
        out.push(byte);
    }
    out
}

/// The letter of a byte from 128 on; those from 0xA0 on are Latin-1's.
fn windows_1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let at = usize::from(byte).checked_sub(0x80);
    at.and_then(|at| FROM_80.get(at)).copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_closed_up_outside_of_text() {
        let read = |text: &str| String::from_utf8(closed_up(text.into())).unwrap();
        assert_eq!(read("# 12 =IFCWALL('# 1',(# \n34,#5)); /* # 7 */"), "#12 =IFCWALL('# 1',(#34,#5)); /* # 7 */");
        assert_eq!(read("#1=IFCX('it''s # 2',# 3);"), "#1=IFCX('it''s # 2',#3);");
    }

    #[test]
    fn letters_become_utf_8() {
        assert_eq!(as_utf8(b"plain".to_vec()), b"plain");
        assert_eq!(as_utf8("\u{feff}K\u{fc}hl".into()), "K\u{fc}hl".as_bytes());
        assert_eq!(as_utf8(vec![b'K', 0xFC, 0x80, 0x96, 0x9F]), "Kü€–Ÿ".as_bytes());
    }
}
