//! From a line of text to a [`Query`]. No line makes it panic; what it cannot understand it says with the column.

use super::super::binding::nearest;
use super::pattern::{Pattern, lower};
use super::query::{Comparison, Expr, HealthWord, KINDS, Key, Number, PropertyTerm, Query, Side, Term, Thing};
use crate::problem::Problem;
use crate::site::unit::{UNITS, Unit};

/// A search is written by hand: more characters than this are something else.
const LONGEST: usize = 4_000;

/// How deep parentheses and `NOT` may nest.
const DEEPEST: usize = 60;

/// Other words for keys.
const ALIASES: &[(&str, &str)] = &[
    ("level", "storey"),
    ("floor", "storey"),
    ("room", "space"),
    ("mark", "tag"),
    ("globalid", "id"),
    ("guid", "id"),
    ("desc", "description"),
    ("predefinedtype", "predefined"),
    ("model", "source"),
    ("file", "source"),
];

/// Where a search cannot be understood, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The character it is about, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// What to write.
    pub remedy: String,
}

impl Malformed {
    /// The search, and a caret under the column.
    pub fn caret(&self, query: &str) -> String {
        let line: String = query.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{line}\n{}^", " ".repeat(self.column.saturating_sub(1)))
    }
}

impl From<Malformed> for Problem {
    fn from(m: Malformed) -> Self {
        Problem::error(format!("search, column {}", m.column), m.message, m.remedy)
    }
}

type Parsed<T> = Result<T, Malformed>;

/// Characters, each with whether it stood in quotes.
type Quoted = Vec<(char, bool)>;

/// Understands a search.
///
/// # Errors
/// The first thing that is no part of the language, with its column.
pub fn parse(text: &str) -> Result<Query, Malformed> {
    let chars: Vec<char> = text.chars().take(LONGEST + 1).map(straight).collect();
    let mut parser = Parser { chars, at: 0, depth: 0, hints: Vec::new() };
    if parser.chars.len() > LONGEST {
        let message = format!("a search has {LONGEST} characters at most");
        return Err(parser.error(LONGEST, message, "make it shorter"));
    }
    parser.space();
    if parser.peek().is_none() {
        return Err(parser.error(0, "there is nothing to look for", "write a word, or class:IfcPump"));
    }
    let expr = parser.any()?;
    if parser.peek().is_some() {
        return Err(parser.error(parser.at, "this `)` closes nothing", "take it away, or write a `(` before"));
    }
    Ok(Query { expr, hints: parser.hints })
}

/// Quotes as a text program makes them are quotes, too.
fn straight(c: char) -> char {
    if matches!(c, '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ff02}') { '"' } else { c }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    hints: Vec<String>,
}

/// How a property's name and its value are joined.
#[derive(Clone, Copy, PartialEq)]
enum Joint {
    Is,
    IsNot,
    Has,
    Side(Side),
}

impl Parser {
    fn error(&self, at: usize, message: impl Into<String>, remedy: impl Into<String>) -> Malformed {
        Malformed { column: at + 1, message: message.into(), remedy: remedy.into() }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn after(&self, steps: usize) -> Option<char> {
        self.chars.get(self.at + steps).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// A word in capitals stands here by itself.
    fn sees(&self, keyword: &str) -> bool {
        keyword.chars().enumerate().all(|(i, c)| self.after(i) == Some(c))
            && self.after(keyword.len()).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'))
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let there = self.sees(keyword);
        if there {
            self.at += keyword.len();
            self.space();
        }
        there
    }

    /// Nothing more comes of what is joined here.
    fn is_over(&self) -> bool {
        self.peek().is_none_or(|c| c == ')') || self.sees("OR") || self.sees("AND")
    }

    fn any(&mut self) -> Parsed<Expr> {
        let mut list = vec![self.all()?];
        while self.takes("OR") {
            list.push(self.all()?);
        }
        Ok(joined(list, Expr::Any))
    }

    fn all(&mut self) -> Parsed<Expr> {
        let mut list = Vec::new();
        loop {
            self.space();
            if self.sees("AND") && !list.is_empty() {
                self.takes("AND");
                if self.is_over() {
                    return Err(self.nothing_here());
                }
            }
            if self.is_over() {
                break;
            }
            list.push(self.not()?);
        }
        if list.is_empty() {
            return Err(self.nothing_here());
        }
        Ok(joined(list, Expr::All))
    }

    fn nothing_here(&self) -> Malformed {
        let message = match self.peek() {
            None => "something to look for is expected after this".to_owned(),
            Some(')') => "something to look for is expected before this `)`".to_owned(),
            Some(_) => {
                let word = if self.sees("OR") { "OR" } else { "AND" };
                format!("something to look for is expected before `{word}`")
            }
        };
        self.error(self.at, message, "write a word, key:value or Property=value; a word like OR itself in quotes")
    }

    fn not(&mut self) -> Parsed<Expr> {
        if self.depth >= DEEPEST {
            let message = format!("this is nested more than {DEEPEST} deep");
            return Err(self.error(self.at, message, "make the search simpler"));
        }
        self.depth += 1;
        let expr = self.not_within();
        self.depth -= 1;
        expr
    }

    fn not_within(&mut self) -> Parsed<Expr> {
        if self.takes("NOT") {
            if self.is_over() {
                return Err(self.nothing_here());
            }
            return Ok(Expr::Not(Box::new(self.not()?)));
        }
        if self.peek() == Some('-') {
            if self.after(1).is_none_or(|c| c.is_whitespace() || c == ')') {
                let remedy = "write it before a word with no space between, or \"-\" to look for a dash";
                return Err(self.error(self.at, "this `-` says that nothing is not wanted", remedy));
            }
            self.at += 1;
            return Ok(Expr::Not(Box::new(self.not()?)));
        }
        if self.peek() != Some('(') {
            return self.term();
        }
        let open = self.at;
        self.at += 1;
        let inner = self.any()?;
        if self.peek() != Some(')') {
            return Err(self.error(open, "this `(` is never closed", "write a `)`, or the text in quotes"));
        }
        self.at += 1;
        Ok(inner)
    }

    /// Characters up to white space, a parenthesis, or what `ends` says; quotes hold what is in them together.
    fn piece(&mut self, ends: impl Fn(char, Option<char>) -> bool) -> Parsed<Quoted> {
        let mut out = Vec::new();
        while let Some(c) = self.peek() {
            if c == '"' {
                self.quotes(&mut out)?;
                continue;
            }
            if c.is_whitespace() || matches!(c, '(' | ')') || ends(c, self.after(1)) {
                break;
            }
            out.push((c, false));
            self.at += 1;
        }
        Ok(out)
    }

    fn quotes(&mut self, out: &mut Quoted) -> Parsed<()> {
        let (open, before) = (self.at, out.len());
        self.at += 1;
        loop {
            match (self.peek(), self.after(1)) {
                (None, _) => {
                    let remedy = "write the other one; a quote inside quotes is written twice";
                    return Err(self.error(open, "this quote is never closed", remedy));
                }
                (Some('"'), Some('"')) => {
                    out.push(('"', true));
                    self.at += 2;
                }
                (Some('"'), _) => {
                    self.at += 1;
                    break;
                }
                (Some(c), _) => {
                    out.push((c, true));
                    self.at += 1;
                }
            }
        }
        if out.len() == before {
            return Err(self.error(open, "there is nothing between these quotes", "write what to look for"));
        }
        Ok(())
    }

    fn term(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let name = self.piece(|c, next| matches!(c, ':' | '=' | '<' | '>' | '~') || (c == '!' && next == Some('=')))?;
        if name.is_empty() {
            let sign = self.peek().unwrap_or(' ');
            let remedy = "write key:value, Property=value, or the sign in quotes to look for it";
            return Err(self.error(start, format!("a name is expected before this `{sign}`"), remedy));
        }
        if self.peek() == Some(':') {
            return self.key(start, &name);
        }
        let end = self.at;
        self.space();
        if let Some(joint) = self.joint() {
            return self.property(&name, joint);
        }
        self.at = end;
        let word: String = name.iter().map(|c| c.0).collect();
        if !name.iter().any(|c| c.1) && ["or", "and", "not"].contains(&lower(&word).as_str()) {
            self.hints.push(format!("`{word}` is looked for as a word; write {} to join", word.to_uppercase()));
        }
        Ok(Expr::Term(Term::Word(Pattern::of(&name, Pattern::Contains))))
    }

    fn joint(&mut self) -> Option<Joint> {
        let (joint, length) = match (self.peek()?, self.after(1)) {
            ('!', Some('=')) => (Joint::IsNot, 2),
            ('>', Some('=')) => (Joint::Side(Side::AtLeast), 2),
            ('<', Some('=')) => (Joint::Side(Side::AtMost), 2),
            ('=', Some('=')) => (Joint::Is, 2),
            ('=', _) => (Joint::Is, 1),
            ('>', _) => (Joint::Side(Side::Above), 1),
            ('<', _) => (Joint::Side(Side::Below), 1),
            ('~', _) => (Joint::Has, 1),
            _ => return None,
        };
        self.at += length;
        Some(joint)
    }

    /// What stands after a colon or a sign.
    fn value(&mut self, what: &str, example: &str) -> Parsed<(usize, Quoted)> {
        self.space();
        let at = self.at;
        let value = self.piece(|_, _| false)?;
        if value.is_empty() {
            return Err(self.error(at, format!("a value is expected after `{what}`"), format!("write {example}")));
        }
        if self.peek() == Some('(') {
            let remedy = "write a value with parentheses in quotes";
            return Err(self.error(self.at, "this `(` stands within a value", remedy));
        }
        Ok((at, value))
    }

    fn key(&mut self, start: usize, name: &Quoted) -> Parsed<Expr> {
        let written: String = name.iter().map(|c| c.0).collect();
        let word = lower(&written);
        let word = ALIASES.iter().find(|(alias, _)| *alias == word).map_or(word.as_str(), |(_, key)| key);
        let special = ["id", "kind", "health", "has", "no"];
        let key = Key::ALL.iter().copied().find(|k| k.word() == word);
        if (key.is_none() && !special.contains(&word)) || name.iter().any(|c| c.1) {
            let keys: Vec<&str> = Key::ALL.iter().map(|k| k.word()).chain(special).collect();
            let near = nearest(word, keys.iter().copied());
            let first = near
                .map_or_else(|| format!("the keys are {}", keys.join(", ")), |near| format!("did you mean `{near}:`?"));
            let remedy = format!("{first}; to look for the text itself write all of it in quotes");
            return Err(self.error(start, format!("`{written}` is no key"), remedy));
        }
        self.at += 1;
        self.space();
        let whole = key.is_some() && self.peek() == Some('=');
        self.at += usize::from(whole);
        let example = match word {
            "id" => "id:2Yz…".to_owned(),
            "kind" => "kind:space".to_owned(),
            "health" => "health:critical".to_owned(),
            "has" | "no" => format!("{word}:storey"),
            _ => format!("{word}:NAME, with * for anything"),
        };
        let (at, value) = self.value(&format!("{word}:"), &example)?;
        if let Some(key) = key {
            let is_whole = whole || key.is_whole();
            let pattern = Pattern::of(&value, if is_whole { Pattern::Whole } else { Pattern::Contains });
            return Ok(Expr::Term(Term::Key(key, pattern)));
        }
        let text: String = value.iter().map(|c| c.0).collect();
        let small = lower(&text);
        let choose = |words: &[&'static str]| match words.iter().position(|w| *w == small) {
            Some(i) => Ok(i),
            None => {
                let near = nearest(&small, words.iter().copied());
                let remedy = match near {
                    Some(near) => format!("did you mean {word}:{near}?"),
                    None => format!("use one of {}", words.join(", ")),
                };
                Err(self.error(at, format!("`{text}` is nothing that `{word}:` knows"), remedy))
            }
        };
        let things = || choose(&Thing::ALL.iter().map(|t| t.word()).collect::<Vec<_>>());
        let thing = |i: usize| Expr::Term(Term::Has(Thing::ALL.get(i).copied().unwrap_or(Thing::Geometry)));
        Ok(match word {
            "kind" => {
                let i = choose(&KINDS.iter().map(|k| k.0).collect::<Vec<_>>())?;
                Expr::Term(Term::Kind(KINDS.get(i).map(|k| k.1).unwrap_or_default()))
            }
            "health" => {
                let i = choose(&HealthWord::ALL.iter().map(|h| h.word()).collect::<Vec<_>>())?;
                Expr::Term(Term::Health(HealthWord::ALL.get(i).copied().unwrap_or(HealthWord::Unknown)))
            }
            "has" => thing(things()?),
            "no" => Expr::Not(Box::new(thing(things()?))),
            _ => Expr::Term(Term::Id(id_pattern(&value))),
        })
    }

    fn property(&mut self, name: &Quoted, joint: Joint) -> Parsed<Expr> {
        let written: String = name.iter().map(|c| c.0).collect();
        let dot = name.iter().position(|c| *c == ('.', false)).filter(|i| *i > 0 && *i + 1 < name.len());
        let whole = |text: &[(char, bool)]| Pattern::of(text, Pattern::Whole);
        let (set, own) = match dot.map(|i| name.split_at(i)) {
            Some((set, rest)) => (Some(whole(set)), rest.get(1..).unwrap_or_default()),
            None => (None, name.as_slice()),
        };
        let term = |comparison| {
            let (set, name) = (set.clone(), whole(own));
            let whole = dot.map(|_| whole(&name_of(&written)));
            Expr::Term(Term::Property(PropertyTerm { set, name, whole, comparison, written: written.clone() }))
        };
        let (at, value) = self.value(&written, &format!("{written}>0.5, {written}=word or {written}~part"))?;
        let quoted = value.iter().any(|c| c.1);
        let mut text: String = value.iter().map(|c| c.0).collect();
        if joint == Joint::Has {
            return Ok(term(Comparison::Has(lower(&text))));
        }
        let number = match number(&text) {
            _ if quoted && !matches!(joint, Joint::Side(_)) => None,
            None => None,
            Some((value, "")) => {
                let unit = self.unit_after_space();
                if let Some((_, word)) = &unit {
                    text = format!("{text} {word}");
                }
                Some(Ok(Number { value, unit: unit.map(|u| u.0) }))
            }
            Some((value, rest)) => match unit_of(rest) {
                Some(unit) => Some(Ok(Number { value, unit: Some(unit) })),
                None => Some(Err(rest.to_owned())),
            },
        };
        if let Joint::Side(side) = joint {
            return match number {
                Some(Ok(number)) => Ok(term(Comparison::Compares(side, number))),
                Some(Err(rest)) => Err(self.unknown_unit(self.at - rest.chars().count() - usize::from(quoted), &rest)),
                None => {
                    let message = format!("a number is expected here, not `{text}`");
                    Err(self.error(at, message, format!("write a number, 0.5 or 50mm; for text {written}={text}")))
                }
            };
        }
        let number = number.and_then(Result::ok);
        // A unit behind a space is a part of the text.
        let extra = text.chars().skip(value.len()).map(|c| (c, true));
        let value: Quoted = value.into_iter().chain(extra).collect();
        let pattern = whole(&value);
        if pattern.is_anything() {
            let there = term(Comparison::IsThere);
            return Ok(if joint == Joint::IsNot { Expr::Not(Box::new(there)) } else { there });
        }
        let truth = match lower(&text).as_str() {
            "yes" | "true" => Some(true),
            "no" | "false" => Some(false),
            _ => None,
        };
        let is = term(Comparison::Is { text: pattern, truth, number });
        Ok(match joint {
            Joint::IsNot => Expr::All(vec![term(Comparison::IsThere), Expr::Not(Box::new(is))]),
            _ => is,
        })
    }

    /// A unit that stands by itself after a number: `> 50 mm`.
    fn unit_after_space(&mut self) -> Option<(Unit, String)> {
        let before = self.at;
        self.space();
        let word: String = self.chars.get(self.at..)?.iter().take_while(|c| !c.is_whitespace() && **c != ')').collect();
        match unit_of(&word) {
            Some(unit) => {
                self.at += word.chars().count();
                Some((unit, word))
            }
            None => {
                self.at = before;
                None
            }
        }
    }

    fn unknown_unit(&self, at: usize, word: &str) -> Malformed {
        let remedy = if word.starts_with(',') {
            "write the decimals after a point: 0.01".to_owned()
        } else {
            let known: Vec<&str> = UNITS.iter().map(|u| u.symbol).filter(|s| !s.is_empty()).collect();
            format!("leave it out for the file's own unit, or use one of {}", known.join(" "))
        };
        self.error(at, format!("`{word}` is no unit of a number"), remedy)
    }
}

fn name_of(written: &str) -> Quoted {
    written.chars().map(|c| (c, false)).collect()
}

fn joined(mut list: Vec<Expr>, by: impl FnOnce(Vec<Expr>) -> Expr) -> Expr {
    match (list.len(), list.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            list.extend(last);
            by(list)
        }
    }
}

/// As written: two GlobalIds may differ by capitals alone.
fn id_pattern(value: &[(char, bool)]) -> Pattern {
    let mut parts: Vec<String> =
        value.split(|c| *c == ('*', false)).map(|part| part.iter().map(|c| c.0).collect()).collect();
    match (parts.len(), parts.pop()) {
        (1, Some(whole)) => Pattern::Whole(whole),
        (_, last) => {
            parts.extend(last);
            Pattern::Parts(parts)
        }
    }
}

/// A finite number at the start of a text, and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let bytes = text.as_bytes();
    let digits = |mut i: usize| {
        let start = i;
        while bytes.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        (i, i > start)
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let (mut end, mut any) = digits(sign);
    if bytes.get(end) == Some(&b'.') {
        let (after, more) = digits(end + 1);
        any |= more;
        end = after;
    }
    if !any {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if let (after, true) = digits(end + 1 + sign) {
            end = after;
        }
    }
    let value: f64 = text.get(..end)?.parse().ok()?;
    value.is_finite().then_some((value, text.get(end..)?.trim()))
}

/// The unit of a code, a symbol, or what people type for one.
fn unit_of(word: &str) -> Option<Unit> {
    let plain = |text: &str| text.replace('³', "3").replace(['²', '₂'], "2").replace(' ', "");
    let wanted = match word {
        "" | "1" => return None,
        "C" | "degC" => "Cel",
        "F" | "degF" => "[degF]",
        "l" => "L",
        "l/s" => "L/s",
        "l/min" => "L/min",
        _ => word,
    };
    UNITS.iter().copied().find(|u| u.code == wanted || (!u.symbol.is_empty() && plain(u.symbol) == plain(wanted)))
}

#[cfg(test)]
mod tests;
