//! A small writer of STEP physical files (ISO 10303-21), and the GlobalIds that go in them.

use std::fmt::Write as _;

/// An argument list under construction, or a whole one: plain STEP text.
pub type Text = String;

/// Writes entity instances with numbers in the order they are made.
#[derive(Debug, Default)]
pub struct Step {
    body: String,
    next: u32,
}

impl Step {
    /// A writer whose first instance is `#first`.
    pub fn starting_at(first: u32) -> Self {
        Self { body: String::new(), next: first }
    }

    /// Writes `#n=KEYWORD(args);` and gives n.
    pub fn add(&mut self, keyword: &str, args: &str) -> u32 {
        let id = self.next.max(1);
        self.next = id + 1;
        let _ = writeln!(self.body, "#{id}={keyword}({args});");
        id
    }

    /// The instances written so far, one a line.
    pub fn into_body(self) -> String {
        self.body
    }

    /// A whole file: header, then the instances. No date but the given one, so that bytes repeat.
    pub fn file(body: &str, name: &str, schema: &str, view: &str) -> String {
        format!(
            "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((\'ViewDefinition [{view}]\'),\'2;1\');\n\
             FILE_NAME({},\'{STAMP}\',(\'Plenum\'),(\'Plenum\'),\'Plenum make-demo\',\'Plenum\',\'\');\n\
             FILE_SCHEMA((\'{schema}\'));\nENDSEC;\nDATA;\n{body}ENDSEC;\nEND-ISO-10303-21;\n",
            text(name)
        )
    }
}

/// The date in every header: files of one seed are equal to the byte whenever they are made.
pub const STAMP: &str = "2026-01-01T00:00:00";
/// The same moment in seconds since 1970, for owner histories.
pub const STAMP_SECONDS: i64 = 1_767_225_600;

/// A string in quotes, with quotes, backslashes and everything outside ASCII encoded.
pub fn text(s: &str) -> Text {
    let mut out = String::from("'");
    for c in s.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            _ => {
                let mut units = [0u16; 2];
                let wide = c.encode_utf16(&mut units).len() > 1;
                let _ = if wide {
                    write!(out, "\\X4\\{:08X}\\X0\\", c as u32)
                } else {
                    write!(out, "\\X2\\{:04X}\\X0\\", c as u32)
                };
            }
        }
    }
    out.push('\'');
    out
}

/// A real with at most six decimals: `0.`, `12.5`, `-0.000125`.
pub fn real(v: f64) -> Text {
    let mut s = format!("{v:.6}");
    s.truncate(s.trim_end_matches('0').len());
    if s == "-0." { "0.".into() } else { s }
}

/// `(#1,#2,#3)`
pub fn refs(ids: &[u32]) -> Text {
    let mut s = String::from("(");
    for (i, id) in ids.iter().enumerate() {
        let _ = write!(s, "{}#{id}", if i > 0 { "," } else { "" });
    }
    s.push(')');
    s
}

/// `(1.,2.,3.)`
pub fn reals(values: &[f64]) -> Text {
    format!("({})", values.iter().map(|v| real(*v)).collect::<Vec<_>>().join(","))
}

/// The GlobalId of what stands at `path` in the site of a seed: a version 5 UUID in IFC's base 64,
/// 22 characters.
pub fn global_id(seed: u64, path: &str) -> String {
    let uuid = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("plenum/clinic/{seed}/{path}").as_bytes());
    let bits = uuid.as_u128();
    const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$";
    (0..22).rev().map(|i| char::from(DIGITS[((bits >> (6 * i)) & 63) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words() {
        assert_eq!(real(0.0), "0.");
        assert_eq!(real(-0.0000001), "0.");
        assert_eq!(real(12.5), "12.5");
        assert_eq!(real(-3000.0), "-3000.");
        assert_eq!(text("it's 5 °C"), "'it''s 5 \\X2\\00B0\\X0\\C'");
        assert_eq!(refs(&[1, 22]), "(#1,#22)");
    }

    #[test]
    fn global_ids_repeat_and_differ() {
        let id = global_id(1, "space/2.04");
        assert_eq!(id.len(), 22);
        assert!(id.as_bytes()[0] <= b'3', "the first digit holds two bits");
        assert_eq!(id, global_id(1, "space/2.04"));
        assert_ne!(id, global_id(2, "space/2.04"));
        assert_ne!(id, global_id(1, "space/2.05"));
    }
}
