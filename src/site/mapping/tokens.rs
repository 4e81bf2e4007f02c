//! Names of topics, tags and points taken apart: `B1.L02.AHU1.SAT_PV` is `B 1 | L 2 | AHU 1 | SAT PV`.

/// One word or number of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// In capitals; a number without the zeros before it.
    pub text: String,
    /// A number as it stands.
    pub digits: Option<String>,
    /// Which segment, counted from 0; `/ . : |` part segments.
    pub segment: u16,
    /// Which part, counted over the whole name; everything that is neither letter nor digit parts.
    pub part: u16,
}

impl Token {
    /// True for a number.
    pub fn is_number(&self) -> bool {
        self.digits.is_some()
    }
}

/// What a letter, a digit or anything else is to a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    Lower,
    Digit,
    Break,
    Segment,
}

fn class(c: char) -> Class {
    match c {
        '/' | '.' | ':' | '|' | '\\' => Class::Segment,
        c if c.is_ascii_digit() => Class::Digit,
        c if c.is_uppercase() => Class::Upper,
        c if c.is_alphabetic() => Class::Lower,
        // Percent and the sign of degrees are units, not parts.
        _ => Class::Break,
    }
}

/// Pieces that people write together and that case or a digit would part.
const WHOLE: &[(&[&str], &str)] = &[
    (&["CO", "2"], "CO2"),
    (&["K", "W"], "KW"),
    (&["K", "WH"], "KWH"),
    (&["M", "WH"], "MWH"),
    (&["D", "P"], "DP"),
    (&["D", "T"], "DT"),
    (&["H", "2", "O"], "H2O"),
    (&["PM", "2", "5"], "PM25"),
    (&["P", "ID"], "PID"),
];

/// Takes a name apart, segment by segment.
pub(super) fn tokens(name: &str) -> Vec<Token> {
    tokens_from(name, 0, 0)
}

/// As [`tokens`], with segments and parts counted on from others.
pub(super) fn tokens_from(name: &str, mut segment: u16, mut part: u16) -> Vec<Token> {
    let chars: Vec<(char, Class)> = name.chars().map(|c| (c, class(c))).collect();
    let mut out: Vec<Token> = Vec::new();
    let mut word = String::new();
    let mut last = Class::Break;
    for (i, (c, is)) in chars.iter().enumerate() {
        let next = chars.get(i + 1).map(|(_, k)| *k);
        let begins = match (last, is) {
            (_, Class::Break | Class::Segment) => true,
            (Class::Digit, Class::Digit) | (Class::Lower, Class::Lower) | (Class::Upper, Class::Lower) => false,
            // `AHUSupply`: the last capital begins the next word.
            (Class::Upper, Class::Upper) => next == Some(Class::Lower),
            _ => true,
        };
        if begins {
            push(&mut out, &mut word, segment, part);
        }
        match is {
            Class::Break => part = part.saturating_add(1),
            Class::Segment => {
                segment = segment.saturating_add(1);
                part = part.saturating_add(1);
            }
            _ => word.push(*c),
        }
        last = *is;
    }
    push(&mut out, &mut word, segment, part);
    whole(out)
}

fn push(out: &mut Vec<Token>, word: &mut String, segment: u16, part: u16) {
    if word.is_empty() {
        return;
    }
    let word = std::mem::take(word);
    let is_number = word.bytes().all(|b| b.is_ascii_digit());
    let text = if is_number {
        let short = word.trim_start_matches('0');
        if short.is_empty() { "0".to_owned() } else { short.to_owned() }
    } else {
        word.to_uppercase()
    };
    out.push(Token { text, digits: is_number.then_some(word), segment, part });
}

/// Puts together what belongs together.
fn whole(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let found = WHOLE.iter().find(|(pieces, _)| {
            rest.len() >= pieces.len() && rest.iter().zip(*pieces).all(|(t, p)| t.text == *p && t.part == first.part)
        });
        if let Some((pieces, word)) = found {
            out.push(Token { text: (*word).to_owned(), digits: None, ..first.clone() });
            rest = rest.get(pieces.len()..).unwrap_or_default();
        } else {
            out.push(first.clone());
            rest = after;
        }
    }
    out
}

/// The words and numbers of a name as one text: `VAV-2-04` and `vav_2_4` are `VAV 2 4`.
pub(super) fn plain(name: &str) -> String {
    let words: Vec<String> = tokens(name).into_iter().map(|t| t.text).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> String {
        let mut out = String::new();
        let (mut segment, mut part) = (0, 0);
        for token in tokens(name) {
            if token.segment != segment {
                out.push_str(" |");
            } else if token.part != part {
                out.push_str(" -");
            }
            (segment, part) = (token.segment, token.part);
            out.push(' ');
            out.push_str(&token.text);
        }
        out.trim_start().to_owned()
    }

    #[test]
    fn names_of_the_field() {
        assert_eq!(shown("B1.L02.AHU1.SAT_PV"), "B 1 | L 2 | AHU 1 | SAT - PV");
        assert_eq!(shown("site/vav204ZoneTemp"), "SITE | VAV 204 ZONE TEMP");
        assert_eq!(shown("VAV-2-04/zone_co2"), "VAV - 2 - 4 | ZONE - CO2");
        assert_eq!(shown("ZoneCO2ppm"), "ZONE CO2 PPM");
        assert_eq!(shown("AHUSupplyTemp"), "AHU SUPPLY TEMP");
        assert_eq!(shown("EM-1/kWh"), "EM - 1 | KWH");
        assert_eq!(shown("dP kW PM2_5"), "DP - KW - PM 2 - 5");
        assert_eq!(shown("AHU-01 SF"), "AHU - 1 - SF");
        assert_eq!(shown("//..--"), "");
        assert_eq!(plain("vav_2_4"), plain("VAV-2-04"));
        assert_eq!(tokens("VAV204")[1].digits.as_deref(), Some("204"));
        assert_eq!(tokens("00")[0].text, "0");
    }
}
