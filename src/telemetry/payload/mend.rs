//! Bare words that are not JSON become text, so that the rest of a payload can be read.
//!
//! Python's `json.dumps(float("nan"))` writes `NaN`, others write `nan`, `inf` or `1e999`. Each such
//! word is put in quotes: the words for "not finite" as `"NaN"`, all others as `"?"`, which the
//! reader refuses by type.

/// Writes `payload` to `out` with bare words quoted; false when there was none, and `out` is of no use.
pub(super) fn mend(payload: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut changed = false;
    let mut rest = payload;
    while let Some((&first, after)) = rest.split_first() {
        let length = match first {
            b'"' => 1 + text_length(after),
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => 1,
            _ => rest.iter().position(|c| b"{}[],:\" \t\r\n".contains(c)).unwrap_or(rest.len()),
        };
        let (token, next) = rest.split_at(length.clamp(1, rest.len()));
        rest = next;
        // A bare word for a key is another language, and no value that could be refused alone.
        let is_key = rest.iter().find(|c| !c.is_ascii_whitespace()) == Some(&b':');
        match substitute(token).filter(|_| !is_key) {
            Some(text) => {
                out.extend_from_slice(text);
                changed = true;
            }
            None => out.extend_from_slice(token),
        }
    }
    changed
}

/// The length of a text after its opening quote, its closing quote included.
fn text_length(after: &[u8]) -> usize {
    let mut escaped = false;
    for (i, c) in after.iter().enumerate() {
        match c {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1,
            _ => {}
        }
    }
    after.len()
}

/// What stands for a token that is not JSON; none for one that is.
fn substitute(token: &[u8]) -> Option<&'static [u8]> {
    match token {
        [b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n', ..] => return None,
        b"true" | b"false" | b"null" => return None,
        _ => {}
    }
    if serde_json::from_slice::<f64>(token).is_ok() {
        return None;
    }
    let number = std::str::from_utf8(token).ok().and_then(|t| t.parse::<f64>().ok());
    Some(match number {
        Some(n) if !n.is_finite() => br#""NaN""#,
        _ => br#""?""#,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> Option<String> {
        let mut out = Vec::new();
        mend(text.as_bytes(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn only_bare_words_change() {
        assert_eq!(mended(r#"{"v":NaN}"#).unwrap(), r#"{"v":"NaN"}"#);
        assert_eq!(mended(r#"[-inf, +Infinity ,1e999]"#).unwrap(), r#"["NaN", "NaN" ,"NaN"]"#);
        assert_eq!(mended(r#"{"v":None,"t":"a NaN \" NaN"}"#).unwrap(), r#"{"v":"?","t":"a NaN \" NaN"}"#);
        assert_eq!(mended("{v:1}"), None);
        assert_eq!(mended(r#"{"v":1.5e3,"w":true,"x":null}"#), None);
        assert_eq!(mended(r#"{"v":"cut"#), None);
        assert_eq!(mended(r#"{"v":"cut\"#), None);
    }
}
