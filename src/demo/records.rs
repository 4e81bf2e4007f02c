//! Reads back what `ifc_rs` printed, so that it can be put in order: instances as keyword and arguments.

use std::collections::BTreeMap;

/// One instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// `IFCWALL`
    pub keyword: String,
    /// Arguments as they stand.
    pub args: Vec<String>,
}

/// Instances by number. Lines that are none are left out.
pub fn read(text: &str) -> BTreeMap<u32, Record> {
    let body = text.split("DATA;").nth(1).unwrap_or_default();
    let mut records = BTreeMap::new();
    for instance in split(body, ';') {
        let Some((number, rest)) = instance.trim().strip_prefix('#').and_then(|s| s.split_once('=')) else { continue };
        let Some((keyword, args)) = rest.trim().split_once('(') else { continue };
        let (Ok(number), Some(args)) = (number.trim().parse(), args.trim_end().strip_suffix(')')) else { continue };
        let args = split(args, ',').into_iter().map(|a| a.trim().to_owned()).collect();
        records.insert(number, Record { keyword: keyword.trim().to_owned(), args });
    }
    records
}

// Splits at a character outside brackets and strings.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0usize, false, 0);
    let mut parts = Vec::new();
    for (i, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            c if c == at && !quoted && depth == 0 => {
                parts.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            _ => {}
        }
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

/// The numbers in `#4` or `(#1,#2)`; empty for anything else.
pub fn refs_in(arg: &str) -> Vec<u32> {
    if arg.starts_with('\'') {
        return Vec::new();
    }
    arg.split(['(', ')', ',', ' ']).filter_map(|t| t.trim().strip_prefix('#')?.parse().ok()).collect()
}

/// The words of `'…'`.
pub fn words(arg: &str) -> Option<&str> {
    arg.strip_prefix('\'')?.strip_suffix('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_outside_strings_and_brackets() {
        let records = read("HEADER;\nDATA;\n#1= IFCX('a,b;c',(#2,#3),$);\n#2=IFCY();\nENDSEC;");
        assert_eq!(records[&1].args, ["'a,b;c'", "(#2,#3)", "$"]);
        assert_eq!(refs_in(&records[&1].args[1]), [2, 3]);
        assert_eq!(words(&records[&1].args[0]), Some("a,b;c"));
        assert!(records[&2].args.is_empty());
    }
}
