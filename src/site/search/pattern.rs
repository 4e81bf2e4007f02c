//! What a text is compared with: a part of it, the whole, or a pattern with `*`.

/// In small letters all: [`Pattern::matches`] wants the text so, too. No pattern matches an empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The text has this in it.
    Contains(String),
    /// The text is this.
    Whole(String),
    /// The text is these parts with anything between them; two parts at least.
    Parts(Vec<String>),
}

impl Pattern {
    /// From characters, each with whether it stood in quotes: a `*` outside of them stands for anything.
    pub(super) fn of(text: &[(char, bool)], otherwise: impl FnOnce(String) -> Self) -> Self {
        let parts: Vec<String> =
            text.split(|c| *c == ('*', false)).map(|part| part.iter().flat_map(|(c, _)| small(*c)).collect()).collect();
        match <[String; 1]>::try_from(parts) {
            Ok([whole]) => otherwise(whole),
            Err(parts) => Self::Parts(parts),
        }
    }

    /// True when a text in small letters fits.
    pub fn matches(&self, text: &str) -> bool {
        !text.is_empty()
            && match self {
                Self::Contains(part) => text.contains(part.as_str()),
                Self::Whole(whole) => text == whole,
                Self::Parts(parts) => fits(parts, text),
            }
    }

    /// Everything but the empty text fits.
    pub fn is_anything(&self) -> bool {
        matches!(self, Self::Parts(parts) if parts.iter().all(String::is_empty))
    }
}

/// `*` as people wrote it.
impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Contains(text) | Self::Whole(text) => f.write_str(text),
            Self::Parts(parts) => f.write_str(&parts.join("*")),
        }
    }
}

fn fits(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last.as_str())
}

/// A character in small letters, the same wherever in a word it stands.
fn small(c: char) -> std::char::ToLowercase {
    c.to_lowercase()
}

/// A text in small letters, each character by itself: what a part becomes does not depend on its neighbours.
pub fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(small).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let chars: Vec<(char, bool)> = text.chars().map(|c| (c, false)).collect();
        Pattern::of(&chars, Pattern::Whole)
    }

    #[test]
    fn stars_stand_for_anything() {
        for (wanted, text, expected) in [
            ("IFCPump", "ifcpump", true),
            ("pump", "ifcpump", false),
            ("*pump", "ifcpump", true),
            ("ahu-*-v", "ahu-1-cc-v", true),
            ("ahu-*-v", "ahu-1-cc", false),
            ("a*b*c", "axxbyyc", true),
            ("a*a", "a", false),
            ("*", "x", true),
            ("*", "", false),
            ("ÄÖ*", "äöü", true),
        ] {
            assert_eq!(pattern(wanted).matches(text), expected, "{wanted} {text}");
        }
        let quoted: Vec<(char, bool)> = "a*".chars().map(|c| (c, true)).collect();
        assert_eq!(Pattern::of(&quoted, Pattern::Whole), Pattern::Whole("a*".into()));
        assert!(pattern("**").is_anything() && !pattern("a*").is_anything());
        assert_eq!(lower("ΣΑΣ"), "σασ", "no letter depends on where it stands");
    }
}
