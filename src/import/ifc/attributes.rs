//! Attributes of a record, read in one go.
//!
//! The library's own parser tries one rule after the other and makes tokens first; most records are plain, and there
//! are many. What is not plain here (an escape in a text, a comment, a binary, a number that no double holds) and
//! whatever looks wrong is left to that parser, so that both read the same.

use super::lite::{Value, number};

/// Lists and typed values deeper than this are not plain.
const MAX_DEPTH: usize = 16;

/// The attributes of a record given as `#12=IFCX(…);`, about `expected` of them. None when it is not plain: that says
/// nothing of its being right.
pub(super) fn read(record: &[u8], expected: usize) -> Option<Vec<Value>> {
    let mut reader = Reader { bytes: record, at: 0 };
    reader.take(b'#')?;
    reader.digits()?;
    reader.space();
    reader.take(b'=')?;
    reader.space();
    reader.word()?;
    reader.space();
    let mut values = Vec::with_capacity(expected);
    reader.list(&mut values, 0)?;
    reader.space();
    reader.take(b';')?;
    Some(values)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, sign: u8) -> Option<()> {
        (self.peek()? == sign).then(|| self.at += 1)
    }

    /// White space; a comment is not plain and stops whatever comes next.
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)) {
            self.at += 1;
        }
    }

    /// Up to nine digits: what surely is a record's number.
    fn digits(&mut self) -> Option<u32> {
        let first = self.at;
        let mut number = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            if self.at - first == 9 {
                return None;
            }
            number = number * 10 + u32::from(digit - b'0');
            self.at += 1;
        }
        (self.at > first).then_some(number)
    }

    /// Letters, digits and underscores.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_')?;
        self.at += end;
        std::str::from_utf8(rest.get(..end)?).ok().filter(|w| !w.is_empty())
    }

    /// `(…, …)`; an end must follow each value, and a value each comma.
    fn list(&mut self, values: &mut Vec<Value>, depth: usize) -> Option<()> {
        self.take(b'(')?;
        self.space();
        if self.take(b')').is_some() {
            return Some(());
        }
        loop {
            values.push(self.value(depth)?);
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b')' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
            self.space();
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let first = self.peek()?;
        match first {
            b'$' => self.sign(Value::Null),
            b'*' => self.sign(Value::Derived),
            b'#' => {
                self.at += 1;
                self.digits().map(Value::EntityRef)
            }
            b'\'' => self.text(),
            b'.' => {
                self.at += 1;
                let word = self.word()?.to_owned();
                self.take(b'.')?;
                Some(Value::Enum(word))
            }
            b'(' if depth < MAX_DEPTH => {
                let mut values = Vec::new();
                self.list(&mut values, depth + 1)?;
                Some(Value::List(values))
            }
            b'0'..=b'9' | b'+' | b'-' => {
                let (value, length) = number(self.bytes.get(self.at..)?)?;
                self.at += length;
                Some(value)
            }
            b'A'..=b'Z' if depth < MAX_DEPTH => self.typed(depth),
            _ => None,
        }
    }

    fn sign(&mut self, value: Value) -> Option<Value> {
        self.at += 1;
        Some(value)
    }

    fn text(&mut self) -> Option<Value> {
        self.at += 1;
        let rest = self.bytes.get(self.at..)?;
        let end = memchr::memchr2(b'\'', b'\\', rest)?;
        let plain = rest.get(end) == Some(&b'\'') && rest.get(end + 1) != Some(&b'\'');
        let text = rest.get(..end).filter(|_| plain)?;
        self.at += end + 1;
        Some(Value::String(std::str::from_utf8(text).ok()?.to_owned()))
    }

    /// `IFCLABEL('…')`.
    fn typed(&mut self, depth: usize) -> Option<Value> {
        let name = self.word()?;
        if name.bytes().any(|b| b.is_ascii_lowercase()) {
            return None;
        }
        self.space();
        let mut values = Vec::with_capacity(1);
        self.list(&mut values, depth + 1)?;
        let value = match values.len() {
            0 | 1 => values.pop().unwrap_or(Value::Null),
            _ => Value::List(values),
        };
        Some(Value::Typed { name: name.into(), value: Box::new(value) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::lite::parsed_by_the_library;
    use super::*;
    use proptest::prelude::*;

    /// As text: numbers that are none are equal too.
    fn words(values: Option<Vec<Value>>) -> String {
        format!("{values:?}")
    }

    #[test]
    fn plain_records_are_read_as_the_library_does() {
        for record in [
            "#1=IFCX();",
            "#1=IFCX( );",
            "#12 = IFCWALL ( 'guid' , $ , * , #5,.AREA., ( ) , (1,2.,-3.E-2) , ((0.,1),(2.5,+3)) ) ;",
            "#1=IFCX(IFCLABEL('a b'),IFCREAL(1.),IFCSET((#1,#2)),IFCNONE(),IFCTWO(1,2),IFC_A1 (\n.T.));",
            "#999999999=IFCX(#123456789,.T.,'',9223372036854775807,-0.,1.E-400,0.1,123456789.123456789);",
            "#1=IFCX('Kühlraum',(('a',$),(*)));tail",
        ] {
            let plain = read(record.as_bytes(), 3);
            assert!(plain.is_some(), "{record}");
            assert_eq!(words(plain), words(parsed_by_the_library(record.as_bytes())), "{record}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_library() {
        for record in [
            "#1=IFCX('it''s');",
            "#1=IFCX('\\X2\\00FC\\X0\\');",
            "#1=IFCX('a\\S\\'b');",
            "#1=IFCX(/* so */1);",
            "#1=IFCX(\"0FF\");",
            "#1=IFCX(1.E400);",
            "#1=IFCX(.5);",
            "#1=IFCX(IfcLabel('a'));",
            "#1=IFCX(#4294967295);",
        ] {
            assert!(read(record.as_bytes(), 3).is_none(), "{record}");
            assert!(parsed_by_the_library(record.as_bytes()).is_some(), "{record}");
        }
        for record in ["#1=IFCX(1,);", "#1=IFCX(1 2);", "#1=IFCX(1)", "#1=IFCX('a);", "#1=IFCX(#x);", "=IFCX();", ""] {
            assert!(read(record.as_bytes(), 3).is_none(), "{record}");
            assert!(parsed_by_the_library(record.as_bytes()).is_none(), "{record}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

        /// Whatever is read here, the library reads too, and as the same.
        #[test]
        fn never_otherwise_than_the_library(signs in "[-+#$*.,()'A-CEe0-3 _/;]{0,40}", plain in any::<bool>()) {
            let record = if plain { format!("#1=IFCX({signs});") } else { signs };
            if let Some(values) = read(record.as_bytes(), 0) {
                prop_assert_eq!(words(Some(values)), words(parsed_by_the_library(record.as_bytes())), "{}", record);
            }
        }
    }
}
