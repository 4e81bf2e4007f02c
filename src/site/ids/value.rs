//! Values that an IDS file states, and how a model's values are compared with them.

use super::Pattern;

/// Rounding errors up to this share, and up to this amount, do not count (IDS 1.0, *Tolerance*).
const EPSILON: f64 = 1e-6;

/// A value as a model states it; numbers in SI.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// `$`, or not there.
    Null,
    /// A text, an identifier, a date, a word of an enumeration.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// True or false.
    Boolean(bool),
    /// A logical value that is unknown.
    Unknown,
    /// A reference to another object.
    Object,
    /// Several.
    List(Vec<Fact>),
}

impl Fact {
    /// True when it says nothing: unset, an empty text, an empty list, a logical value that is unknown.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null | Self::Unknown => true,
            Self::Text(text) => text.is_empty(),
            Self::List(values) => values.iter().all(Self::is_empty),
            _ => false,
        }
    }
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Integer(i) => write!(f, "{i}"),
            Self::Real(r) => write!(f, "{r}"),
            Self::Boolean(b) => write!(f, "{b}"),
            Self::Unknown => f.write_str("unknown"),
            Self::Object => f.write_str("an object"),
            Self::List(values) => {
                let shown: Vec<String> = values.iter().take(4).map(ToString::to_string).collect();
                let more = if values.len() > 4 { ", …" } else { "" };
                write!(f, "{}{more}", shown.join(", "))
            }
        }
    }
}

/// What a value must be.
#[derive(Clone, Debug)]
pub enum Constraint {
    /// This.
    Simple(String),
    /// One of those that fit.
    Restriction(Box<Restriction>),
}

/// `xs:restriction`: all that is stated must hold.
#[derive(Clone, Debug, Default)]
pub struct Restriction {
    /// What sort of values it is of.
    pub base: Base,
    /// One of these, when there are any.
    pub enumeration: Vec<String>,
    /// One of these fits, when there are any.
    pub patterns: Vec<Pattern>,
    /// Not less than.
    pub least: Option<Bound>,
    /// Not more than.
    pub most: Option<Bound>,
    /// Exactly this many characters.
    pub length: Option<u64>,
    /// At least this many characters.
    pub min_length: Option<u64>,
    /// At most this many characters.
    pub max_length: Option<u64>,
}

/// The end of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// As it is written.
    pub text: String,
    /// The value itself belongs to the range.
    pub inclusive: bool,
}

/// The type that a restriction is based on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// `xs:string`.
    #[default]
    Text,
    /// `xs:double`, `xs:decimal`, `xs:integer` and their kin.
    Number,
    /// `xs:boolean`.
    Boolean,
    /// `xs:date`, `xs:dateTime`, `xs:time`: later texts of one form are greater.
    Time,
}

impl Constraint {
    /// True when a value is what it must be.
    pub fn fits(&self, fact: &Fact) -> bool {
        match self {
            Self::Simple(text) => equal(text, fact),
            Self::Restriction(restriction) => restriction.fits(fact),
        }
    }

    /// True when a text is what it must be.
    pub fn fits_text(&self, text: &str) -> bool {
        match self {
            Self::Simple(own) => own == text,
            Self::Restriction(restriction) => restriction.fits(&Fact::Text(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Simple(text) => write!(f, "`{text}`"),
            Self::Restriction(r) => write!(f, "{r}"),
        }
    }
}

impl std::fmt::Display for Restriction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if !self.enumeration.is_empty() {
            let shown: Vec<String> = self.enumeration.iter().take(8).map(|v| format!("`{v}`")).collect();
            let more = if self.enumeration.len() > 8 { ", …" } else { "" };
            parts.push(match shown.as_slice() {
                [only] if more.is_empty() => only.clone(),
                _ => format!("one of {}{more}", shown.join(", ")),
            });
        }
        if !self.patterns.is_empty() {
            let shown: Vec<String> = self.patterns.iter().map(|p| format!("`{}`", p.source())).collect();
            parts.push(format!("of the pattern {}", shown.join(" or ")));
        }
        if let Some(bound) = &self.least {
            parts.push(format!("{} {}", if bound.inclusive { "≥" } else { ">" }, bound.text));
        }
        if let Some(bound) = &self.most {
            parts.push(format!("{} {}", if bound.inclusive { "≤" } else { "<" }, bound.text));
        }
        match (self.length, self.min_length, self.max_length) {
            (Some(n), ..) => parts.push(format!("{n} characters long")),
            (None, Some(a), Some(b)) => parts.push(format!("{a} to {b} characters long")),
            (None, Some(a), None) => parts.push(format!("at least {a} characters long")),
            (None, None, Some(b)) => parts.push(format!("at most {b} characters long")),
            _ => {}
        }
        if parts.is_empty() { f.write_str("anything") } else { f.write_str(&parts.join(" and ")) }
    }
}

impl Restriction {
    fn fits(&self, fact: &Fact) -> bool {
        let text = match fact {
            Fact::Text(text) => Some(text.as_str()),
            _ => None,
        };
        let count = text.map(|t| t.chars().count() as u64);
        let one_of = self.enumeration.is_empty() || self.enumeration.iter().any(|e| equal(e, fact));
        // Patterns and lengths are for texts and nothing else.
        let patterned = self.patterns.is_empty() || text.is_some_and(|t| self.patterns.iter().any(|p| p.matches(t)));
        let long = [
            self.length.map(|n| count == Some(n)),
            self.min_length.map(|n| count.is_some_and(|c| c >= n)),
            self.max_length.map(|n| count.is_some_and(|c| c <= n)),
        ];
        one_of
            && patterned
            && long.into_iter().flatten().all(|holds| holds)
            && self.least.as_ref().is_none_or(|b| self.beyond(fact, b, 1.0))
            && self.most.as_ref().is_none_or(|b| self.beyond(fact, b, -1.0))
            && !matches!(fact, Fact::Null | Fact::Unknown | Fact::Object | Fact::List(_))
    }

    /// True when a value is on the right side of a bound: above for `side` 1, below for −1. A range that excludes
    /// its end is a little narrower than it says, one that includes it a little wider.
    fn beyond(&self, fact: &Fact, bound: &Bound, side: f64) -> bool {
        if self.base == Base::Time {
            let Fact::Text(text) = fact else { return false };
            let order = text.as_str().cmp(bound.text.as_str());
            return if side > 0.0 { order.is_gt() } else { order.is_lt() } || (bound.inclusive && order.is_eq());
        }
        let value = match fact {
            Fact::Integer(i) => *i as f64,
            Fact::Real(r) => *r,
            _ => return false,
        };
        let Some(limit) = number(&bound.text) else { return false };
        let slack = limit.abs() * EPSILON + EPSILON;
        if bound.inclusive { (value - limit) * side >= -slack } else { (value - limit) * side > slack }
    }
}

/// Compares a value with a text that states one: texts letter by letter, numbers with the tolerance, truth by
/// `true` and `false`.
fn equal(stated: &str, fact: &Fact) -> bool {
    match fact {
        Fact::Text(text) => text == stated,
        Fact::Integer(i) => {
            let digits = stated.strip_prefix(['+', '-']).unwrap_or(stated);
            let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            whole && stated.parse::<i64>().is_ok_and(|s| s == *i)
        }
        Fact::Real(r) => number(stated).is_some_and(|s| same(*r, s)),
        Fact::Boolean(b) => matches!((stated, b), ("true" | "1", true) | ("false" | "0", false)),
        Fact::Null | Fact::Unknown | Fact::Object | Fact::List(_) => false,
    }
}

/// True when two numbers are one but for rounding.
fn same(value: f64, stated: f64) -> bool {
    // The end of the tolerance belongs to it, whatever the last binary digit says.
    let slack = stated.abs() * (EPSILON + 8.0 * f64::EPSILON) + EPSILON;
    (value - stated).abs() <= slack || value == stated
}

/// A number as XML Schema writes one; none for anything else (`1,5`, `1 000`, `0x10`).
pub(super) fn number(text: &str) -> Option<f64> {
    let allowed = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if text.bytes().all(allowed) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple(text: &str) -> Constraint {
        Constraint::Simple(text.into())
    }

    fn text(text: &str) -> Fact {
        Fact::Text(text.into())
    }

    #[test]
    fn simple_values() {
        for (stated, fact, expected) in [
            ("Wall", text("Wall"), true),
            ("Wall", text("wall"), false),
            ("42", text("42"), true),
            ("42", text("42.0"), false),
            ("42", Fact::Real(42.0), true),
            ("42.", Fact::Real(42.0), true),
            ("4.2e1", Fact::Real(42.0), true),
            ("42", Fact::Real(42.3), false),
            ("42,0", Fact::Real(42.0), false),
            ("inf", Fact::Real(f64::INFINITY), false),
            ("0", Fact::Real(0.000_000_9), true),
            ("0", Fact::Real(0.000_001_1), false),
            ("100000", Fact::Real(100_000.100_001), true),
            ("100000", Fact::Real(100_000.100_001_1), false),
            ("1", Fact::Real(0.999_998), true),
            ("1", Fact::Real(0.999_997_9), false),
            ("42", Fact::Integer(42), true),
            ("+42", Fact::Integer(42), true),
            ("42.0", Fact::Integer(42), false),
            ("true", Fact::Boolean(true), true),
            ("TRUE", Fact::Boolean(true), false),
            ("false", Fact::Boolean(false), true),
            ("0", Fact::Boolean(false), true),
            ("true", Fact::Unknown, false),
            ("", Fact::Null, false),
            ("x", Fact::Object, false),
        ] {
            assert_eq!(simple(stated).fits(&fact), expected, "{stated} on {fact:?}");
        }
    }

    #[test]
    fn restrictions() {
        let of = |change: &dyn Fn(&mut Restriction)| {
            let mut r = Restriction::default();
            change(&mut r);
            Constraint::Restriction(Box::new(r))
        };
        let bound = |text: &str, inclusive| Some(Bound { text: text.into(), inclusive });
        let one_of = of(&|r| r.enumeration = vec!["A".into(), "2".into(), "true".into()]);
        assert!(one_of.fits(&text("A")) && one_of.fits(&Fact::Real(2.0)) && one_of.fits(&Fact::Boolean(true)));
        assert!(!one_of.fits(&text("a")) && !one_of.fits(&Fact::Real(3.0)) && !one_of.fits(&Fact::Null));
        let pattern = of(&|r| r.patterns = vec![Pattern::parse("P-[0-9]").unwrap(), Pattern::parse("Q").unwrap()]);
        assert!(pattern.fits(&text("P-1")) && pattern.fits(&text("Q")) && !pattern.fits(&text("P-12")));
        let any = of(&|r| r.patterns = vec![Pattern::parse(".*").unwrap()]);
        assert!(!any.fits(&Fact::Real(1.0)), "patterns are for texts");
        let range = of(&|r| (r.least, r.most) = (bound("0", false), bound("10", true)));
        for (value, expected) in
            [(0.0, false), (1e-7, false), (2e-6, true), (10.0, true), (10.000_005, true), (10.1, false)]
        {
            assert_eq!(range.fits(&Fact::Real(value)), expected, "{value}");
        }
        assert!(range.fits(&Fact::Integer(10)) && !range.fits(&text("5")) && !range.fits(&Fact::Null));
        let dates =
            of(&|r| (r.base, r.least, r.most) = (Base::Time, bound("2020-01-01", true), bound("2021-01-01", false)));
        assert!(
            dates.fits(&text("2020-01-01")) && !dates.fits(&text("2021-01-01")) && !dates.fits(&Fact::Real(2020.0))
        );
        let long = of(&|r| (r.min_length, r.max_length) = (Some(2), Some(3)));
        assert!(long.fits(&text("äöü")) && !long.fits(&text("a")) && !long.fits(&text("abcd")));
        let exact = of(&|r| r.length = Some(2));
        assert!(exact.fits(&text("ab")) && !exact.fits(&text("abc")) && !exact.fits(&Fact::Integer(12)));
        assert_eq!(range.to_string(), "> 0 and ≤ 10");
        assert_eq!(long.to_string(), "2 to 3 characters long");
        assert_eq!(one_of.to_string(), "one of `A`, `2`, `true`");
    }

    #[test]
    fn what_says_nothing() {
        for fact in [Fact::Null, Fact::Unknown, text(""), Fact::List(vec![]), Fact::List(vec![Fact::Null])] {
            assert!(fact.is_empty(), "{fact:?}");
        }
        for fact in [Fact::Real(0.0), Fact::Boolean(false), text(" "), Fact::Object, Fact::List(vec![Fact::Integer(0)])]
        {
            assert!(!fact.is_empty(), "{fact:?}");
        }
    }
}
