//! Text to tokens.

use super::{ExpressionError, MAX_LENGTH};

/// One word of an expression and the number of its first character, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub column: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    /// A name with its dots, `host.flow`.
    Word(String),
    /// An operator, a bracket or a comma.
    Sign(&'static str),
    End,
}

/// Signs, the longer before those they begin with.
const SIGNS: [&str; 14] = ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "^", "(", ")", ","];

/// The tokens of a text, [`Kind::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let error = |column, message: String, remedy: &str| ExpressionError { column, message, remedy: remedy.into() };
    let chars: Vec<char> = text.chars().take(MAX_LENGTH + 1).collect();
    if chars.len() > MAX_LENGTH {
        let remedy = "split it into several rules";
        return Err(error(MAX_LENGTH, format!("an expression has at most {MAX_LENGTH} characters"), remedy));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        let column = at + 1;
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (length, kind) = if c.is_ascii_digit() || (c == '.' && rest.get(1).is_some_and(char::is_ascii_digit)) {
            let length = number_length(rest);
            let digits: String = rest.iter().take(length).collect();
            match digits.parse::<f64>() {
                Ok(value) if value.is_finite() => (length, Kind::Number(value)),
                _ => return Err(error(column, format!("`{digits}` is not a number"), "write it as 1.5 or 2e-3")),
            }
        } else if is_letter(c) {
            let length = word_length(rest);
            (length, Kind::Word(rest.iter().take(length).collect()))
        } else {
            let sign = SIGNS.into_iter().find(|s| s.chars().eq(rest.iter().copied().take(s.len())));
            match sign {
                Some(sign) => (sign.len(), Kind::Sign(sign)),
                None => {
                    let remedy = match c {
                        '=' => "compare with ==",
                        '&' => "write `and`",
                        '|' => "write `or`",
                        '!' => "write `not`",
                        '%' => "values are SI inside: 20 % is 0.2",
                        _ => "an expression has numbers, names, + - * / ^, comparisons, brackets and commas",
                    };
                    return Err(error(column, format!("`{c}` has no meaning here"), remedy));
                }
            }
        };
        tokens.push(Token { column, kind });
        at += length;
    }
    tokens.push(Token { column: chars.len() + 1, kind: Kind::End });
    Ok(tokens)
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// A word goes on over a dot only when a letter follows, so that `prop.` is reported where it ends.
fn word_length(chars: &[char]) -> usize {
    let goes_on = |i: usize, c: char| {
        is_letter(c) || c.is_numeric() || (c == '.' && chars.get(i + 1).copied().is_some_and(is_letter))
    };
    chars.iter().enumerate().take_while(|(i, c)| goes_on(*i, **c)).count()
}

fn number_length(chars: &[char]) -> usize {
    let digits = |from: usize| chars.iter().skip(from).take_while(|c| c.is_ascii_digit()).count();
    let mut length = digits(0);
    if chars.get(length) == Some(&'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(chars.get(length), Some('e' | 'E')) {
        let sign = usize::from(matches!(chars.get(length + 1), Some('+' | '-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}
