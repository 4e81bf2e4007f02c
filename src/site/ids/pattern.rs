//! Patterns of XML Schema (XSD 1.0, part 2, appendix F) as regular expressions.
//!
//! They differ from what programmers write: a pattern is for the whole text, `^` and `$` are plain characters,
//! `\i` and `\c` stand for the characters of XML names, classes can be subtracted, and there is no laziness, no
//! look-around and no back reference.

use regex::{Regex, RegexBuilder};

/// Compiled patterns may take this much memory, bytes.
const MAX_SIZE: usize = 1 << 20;

/// A pattern of an IDS file.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Translates a pattern.
    ///
    /// # Errors
    /// What of it is no XSD pattern, or cannot be translated.
    pub fn parse(source: &str) -> Result<Self, String> {
        let translated = Translator { chars: source.chars().collect(), at: 0, out: String::from(r"\A(?:") }.run()?;
        let regex = RegexBuilder::new(&translated)
            .size_limit(MAX_SIZE)
            .build()
            .map_err(|e| format!("the pattern `{source}` cannot be used: {}", last_line(&e.to_string())))?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// True when it is a pattern of the whole text.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// As its author wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// First characters of XML names.
const NAME_START: &str = r"_:\p{L}\p{Nl}";
/// Characters of XML names.
const NAME: &str = r"\-._:\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}·";
/// What XSD calls a word character: all but punctuation, separators and others.
const NO_WORD: &str = r"\p{P}\p{Z}\p{C}";

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
}

impl Translator {
    fn run(mut self) -> Result<String, String> {
        let mut depth = 0_usize;
        // Whether there is something that a quantifier can follow.
        let mut atom = false;
        while let Some(c) = self.next() {
            match c {
                '(' => {
                    if self.peek() == Some('?') {
                        return Err(self.refuse("`(?` is not part of XSD patterns"));
                    }
                    depth += 1;
                    self.out.push_str("(?:");
                    atom = false;
                }
                ')' => {
                    depth = depth.checked_sub(1).ok_or_else(|| self.refuse("`)` without `(`"))?;
                    self.out.push(')');
                    atom = true;
                }
                '|' => {
                    self.out.push('|');
                    atom = false;
                }
                '?' | '*' | '+' => {
                    if !std::mem::take(&mut atom) {
                        return Err(self.refuse(&format!("nothing stands before `{c}` that could be repeated")));
                    }
                    self.out.push(c);
                }
                '{' => {
                    if !std::mem::take(&mut atom) {
                        return Err(self.refuse("nothing stands before `{` that could be repeated"));
                    }
                    self.quantity()?;
                }
                '}' | ']' => return Err(self.refuse(&format!("`{c}` stands alone"))),
                '.' => {
                    self.out.push_str(r"[^\n\r]");
                    atom = true;
                }
                '[' => {
                    self.class(0)?;
                    atom = true;
                }
                '\\' => {
                    let escaped = self.escape()?;
                    self.out.push_str(&if escaped.is_class { format!("[{}]", escaped.text) } else { escaped.text });
                    atom = true;
                }
                c => {
                    self.out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
                    atom = true;
                }
            }
        }
        if depth > 0 {
            return Err(self.refuse("`(` without `)`"));
        }
        self.out.push_str(r")\z");
        Ok(self.out)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn refuse(&self, why: &str) -> String {
        let source: String = self.chars.iter().collect();
        format!("the pattern `{source}` is no pattern of XML Schema: {why}")
    }

    /// `{2}`, `{2,}` or `{2,3}`, after the brace.
    fn quantity(&mut self) -> Result<(), String> {
        let mut inside = String::new();
        loop {
            match self.next() {
                Some('}') => break,
                Some(c) if c.is_ascii_digit() || c == ',' => inside.push(c),
                _ => return Err(self.refuse("`{` is not followed by a number and `}`")),
            }
        }
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        let number = |text: &str| text.parse::<u32>().ok();
        let least = number(least).ok_or_else(|| self.refuse("`{` is not followed by a number"))?;
        match most {
            "" => self.out.push_str(&format!("{{{least},}}")),
            most => match number(most) {
                Some(most) if most >= least => self.out.push_str(&format!("{{{least},{most}}}")),
                _ => return Err(self.refuse("the numbers in `{}` are not in order")),
            },
        }
        Ok(())
    }

    /// `[a-z]`, `[^a-z]`, `[a-z-[aeiou]]`, after the bracket.
    fn class(&mut self, depth: usize) -> Result<(), String> {
        if depth > 8 {
            return Err(self.refuse("character classes are nested too deeply"));
        }
        // The base stands in brackets of its own, so that what is subtracted is taken from a negated one too.
        self.out.push_str("[[");
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let mut empty = true;
        loop {
            match self.next() {
                None => return Err(self.refuse("`[` without `]`")),
                Some(']') if empty => return Err(self.refuse("`[]` holds nothing")),
                Some(']') => break,
                Some('[') => return Err(self.refuse("`[` in a character class must be written `\\[`")),
                Some('-') if self.peek() == Some('[') && !empty => {
                    self.at += 1;
                    self.out.push_str("]--");
                    self.class(depth + 1)?;
                    if self.next() != Some(']') {
                        return Err(self.refuse("a subtraction must stand at the end of its class"));
                    }
                    self.out.push(']');
                    return Ok(());
                }
                Some('\\') => {
                    let escaped = self.escape()?;
                    self.out.push_str(&escaped.text);
                    if !escaped.is_class {
                        self.range()?;
                    }
                }
                Some(c) => {
                    self.out.push_str(&in_class(c));
                    // A hyphen is itself, not the start of a range.
                    if c != '-' {
                        self.range()?;
                    }
                }
            }
            empty = false;
        }
        self.out.push_str("]]");
        Ok(())
    }

    /// The end of a range, when one follows.
    fn range(&mut self) -> Result<(), String> {
        let after = self.chars.get(self.at + 1).copied();
        if self.peek() != Some('-') || matches!(after, None | Some('[' | ']')) {
            return Ok(());
        }
        self.at += 1;
        self.out.push('-');
        match self.next() {
            Some('\\') => {
                let escaped = self.escape()?;
                if escaped.is_class {
                    return Err(self.refuse("a range cannot end with a class"));
                }
                self.out.push_str(&escaped.text);
            }
            Some(c) => self.out.push_str(&in_class(c)),
            None => {}
        }
        Ok(())
    }

    /// What follows a backslash: one character, or the inside of a class.
    fn escape(&mut self) -> Result<Escaped, String> {
        let class = |text: &str| Ok(Escaped { text: text.to_owned(), is_class: true });
        let Some(c) = self.next() else { return Err(self.refuse("it ends with `\\`")) };
        match c {
            'n' | 'r' | 't' => Ok(Escaped { text: format!("\\{c}"), is_class: false }),
            'd' => class(r"\p{Nd}"),
            'D' => class(r"\P{Nd}"),
            's' => class(r" \t\n\r"),
            'S' => class(r"[^ \t\n\r]"),
            'w' => class(&format!("[^{NO_WORD}]")),
            'W' => class(NO_WORD),
            'i' => class(NAME_START),
            'I' => class(&format!("[^{NAME_START}]")),
            'c' => class(NAME),
            'C' => class(&format!("[^{NAME}]")),
            'p' | 'P' => self.category(c),
            c if c.is_ascii_alphanumeric() => Err(self.refuse(&format!("`\\{c}` has no meaning"))),
            c => Ok(Escaped { text: in_class(c), is_class: false }),
        }
    }

    /// `\p{Lu}`. Blocks (`\p{IsGreek}`) have no counterpart.
    fn category(&mut self, letter: char) -> Result<Escaped, String> {
        let mut name = String::new();
        if self.next() != Some('{') {
            return Err(self.refuse(&format!("`\\{letter}` is not followed by `{{`")));
        }
        loop {
            match self.next() {
                Some('}') => break,
                Some(c) => name.push(c),
                None => return Err(self.refuse("`{` without `}`")),
            }
        }
        let known = matches!(name.as_bytes(), [b'L' | b'M' | b'N' | b'P' | b'Z' | b'S' | b'C'])
            || matches!(name.as_bytes(), [b'L' | b'M' | b'N' | b'P' | b'Z' | b'S' | b'C', b'a'..=b'z']);
        if !known {
            return Err(self.refuse(&format!("the character block `{name}` cannot be translated")));
        }
        Ok(Escaped { text: format!("\\{letter}{{{name}}}"), is_class: true })
    }
}

struct Escaped {
    text: String,
    /// More than one character.
    is_class: bool,
}

/// A character that means itself, in a class as outside.
fn in_class(c: char) -> String {
    if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text() {
        for (pattern, text, expected) in [
            ("DT01", "DT01", true),
            ("DT01", "DT012", false),
            ("DT.", "DT1", true),
            ("DT.", "ADT1", false),
            ("DT[0-9]{2}", "DT24", true),
            ("DT[0-9]{2}", "DT241", false),
            ("a|bc", "bc", true),
            ("a|bc", "abc", false),
            ("DT.*", "DT\n", false),
            ("", "", true),
            ("(-|[0-9]{2,3})\\/(-|[0-9]{2,3})", "-/120", true),
            ("[^0-9]+", "abc", true),
            ("[^0-9]+", "a1c", false),
            ("^a$", "a", false),
            ("^a$", "^a$", true),
            ("[a-z-[aeiou]]+", "xyz", true),
            ("[a-z-[aeiou]]+", "xaz", false),
            ("[^a-z-[0-9]]+", "AB", true),
            ("[^a-z-[0-9]]+", "A1", false),
            ("[a-]+", "a-a", true),
            ("[-a]+", "-a", true),
            ("[+--]", ",", true),
            ("[a&&b]+", "a&b", true),
            ("[~~b]+", "~b", true),
            ("\\i\\c*", "_name-1", true),
            ("\\i\\c*", "1name", false),
            ("\\d+", "١٢", true),
            ("\\w+", "añb", true),
            ("\\w+", "a b", false),
            ("\\w+", "a_b", false),
            ("[\\w_]+", "a_b", true),
            ("\\s", "\t", true),
            ("\\S+", "a b", false),
            ("[\\d\\s]+", "1 2", true),
            ("[\\D]+", "ab", true),
            ("\\p{Lu}\\P{Lu}+", "Wall", true),
            ("a{2,}", "aaa", true),
            ("a{0}", "", true),
            ("\\.\\?\\*\\+\\(\\)\\{\\}\\[\\]\\|\\^\\-\\\\", ".?*+(){}[]|^-\\", true),
            ("#&'\"<>", "#&'\"<>", true),
            ("[#&~\\-\\]]+", "#&~-]", true),
        ] {
            let compiled = Pattern::parse(pattern).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(compiled.matches(text), expected, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            "(?:a)",
            "(?i)a",
            "(?=a)",
            "(a",
            "a)",
            "[a",
            "[]",
            "*a",
            "a**",
            "a*?",
            "a{x}",
            "a{3,2}",
            "\\1",
            "\\b",
            "\\p{IsGreek}",
            "\\p",
            "\\",
            "a{99999}{99999}",
            "(\\w{500}){500}",
            "[a[b]]",
            "]",
        ] {
            let why = Pattern::parse(pattern).expect_err(pattern);
            assert!(why.contains(&format!("`{pattern}`")), "{why}");
        }
    }
}
