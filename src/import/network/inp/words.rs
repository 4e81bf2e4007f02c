//! The words of a line, and what numbers, times and keywords they are.

/// The words of a line.
pub type Words<'a> = Vec<&'a str>;

/// Fills `words` with the words of a line and gives back its comment. Words are parted by blanks; what
/// stands between quotes is one word; the comment begins at the first `;`.
pub fn split<'a>(line: &'a str, words: &mut Words<'a>) -> &'a str {
    words.clear();
    let (data, comment) = line.split_once(';').unwrap_or((line, ""));
    let mut rest = data.trim_start_matches(blank);
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(blank).unwrap_or((rest, "")),
        };
        words.push(word.trim_end_matches('\0'));
        rest = tail.trim_start_matches(blank);
    }
    comment.trim()
}

fn blank(c: char) -> bool {
    c.is_whitespace()
}

/// Whether a word begins with a keyword, in any case: `Hydraulic` is `HYDR`.
pub fn is(word: &str, keyword: &str) -> bool {
    !keyword.is_empty() && word.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword))
}

/// A finite number, or nothing. `1e3`, `.5`, `5.` and `1.0d3` (Fortran's) are numbers.
pub fn number(word: &str) -> Option<f64> {
    // Rust also reads `inf`, `nan` and `infinity`, which no file means.
    if !word.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = word.parse().ok().or_else(|| word.replace(['d', 'D'], "e").parse::<f64>().ok())?;
    value.is_finite().then_some(value)
}

/// A time in seconds: `5` hours, `5 MIN`, `13:50`, `1:50:30 PM`; nothing where it is none or negative.
pub fn seconds(value: &str, unit: &str) -> Option<f64> {
    let mut parts = [0.0; 3];
    let mut count = 0;
    for part in value.split(':') {
        *parts.get_mut(count)? = number(part)?;
        count += 1;
    }
    if parts.iter().any(|p| *p < 0.0) {
        return None;
    }
    let hours = if count == 1 { parts[0] } else { parts[0] + parts[1] / 60.0 + parts[2] / 3600.0 };
    let of_day = |plus: f64| match hours {
        h if h >= 13.0 => None,
        h if h >= 12.0 => Some(h - 12.0 + plus),
        h => Some(h + plus),
    };
    let hours = match unit {
        "" => Some(hours),
        u if count == 1 && is(u, "SEC") => Some(hours / 3600.0),
        u if count == 1 && is(u, "MIN") => Some(hours / 60.0),
        u if count == 1 && is(u, "HOU") => Some(hours),
        u if count == 1 && is(u, "DAY") => Some(hours * 24.0),
        u if is(u, "AM") => of_day(0.0),
        u if is(u, "PM") => of_day(12.0),
        _ => None,
    }?;
    Some(hours * 3600.0)
}

/// A time in whole seconds, as [`seconds`]; what is not there is nothing.
pub fn whole_seconds(value: &str, unit: &str) -> Option<i64> {
    // Far above what a run can last, and safe to add to.
    seconds(value, unit).filter(|s| *s < 1e12).map(|s| (s + 0.5) as i64)
}

/// A number as it is written: as short as 15 digits allow, so that a value that was turned into SI and
/// back is what it was.
pub fn written(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let size = rounded.abs();
    if (1e-5..1e15).contains(&size) { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// Whole seconds as hours, minutes and seconds: `24:00`, `0:05:30`.
pub fn clock(seconds: i64) -> String {
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if s == 0 { format!("{h}:{m:02}") } else { format!("{h}:{m:02}:{s:02}") }
}

/// A name as it is written: in quotes where it holds blanks.
pub fn quoted(name: &str) -> String {
    if name.is_empty() || name.contains(blank) || name.starts_with('"') {
        format!("\"{}\"", name.replace('"', "'"))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_of_a_line() {
        let mut words = Words::new();
        assert_eq!(split("  a\t\"b c\"  d ; e ; f", &mut words), "e ; f");
        assert_eq!(words, ["a", "b c", "d"]);
        assert_eq!(split(";all", &mut words), "all");
        assert!(words.is_empty());
        split("\"open", &mut words);
        assert_eq!(words, ["open"]);
    }

    #[test]
    fn numbers() {
        assert_eq!(number("1.5e2"), Some(150.0));
        assert_eq!(number("104."), Some(104.0));
        assert_eq!(number(".5"), Some(0.5));
        assert_eq!(number("+2"), Some(2.0));
        assert_eq!(number("1.0D3"), Some(1000.0));
        for bad in ["", "nan", "inf", "1e999", "1,5", "x1", "1x", "-"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(seconds("5", ""), Some(18_000.0));
        assert_eq!(seconds("5", "MINUTES"), Some(300.0));
        assert_eq!(seconds("13:50", ""), Some(49_800.0));
        assert_eq!(seconds("1:50", "pm"), Some(49_800.0));
        assert_eq!(seconds("12", "am"), Some(0.0));
        assert_eq!(seconds("12", "PM"), Some(43_200.0));
        assert_eq!(seconds("0:00:30", ""), Some(30.0));
        assert_eq!(seconds("2", "days"), Some(172_800.0));
        for (value, unit) in [("14", "PM"), ("-1", ""), ("1:2:3:4", ""), ("noon", ""), ("1", "weeks"), ("", "")] {
            assert_eq!(seconds(value, unit), None, "{value} {unit}");
        }
        assert_eq!(clock(86_400), "24:00");
        assert_eq!(clock(330), "0:05:30");
        assert_eq!(whole_seconds("1e300", ""), None);
    }

    #[test]
    fn numbers_are_written_as_they_were() {
        assert_eq!(written(850.0 * 0.3048 / 0.3048), "850");
        assert_eq!(written(50.5 * 0.3048 / 0.3048), "50.5");
        assert_eq!(written(0.0), "0");
        assert_eq!(written(-1.25e-9), "-1.25e-9");
        assert_eq!(quoted("a b"), "\"a b\"");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in proptest::num::f64::NORMAL) {
            prop_assume!(value.abs() < 1e300);
            let read = number(&written(value));
            prop_assert!(read.is_some_and(|r| (r - value).abs() <= 1e-14 * value.abs()), "{value} {read:?}");
        }

        #[test]
        fn nothing_panics(line in "\\PC*", unit in "[a-zA-Z]{0,4}") {
            let mut words = Words::new();
            split(&line, &mut words);
            let _ = (number(&line), seconds(&line, &unit), is(&line, &unit));
        }
    }
}
