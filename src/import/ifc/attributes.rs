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
    let mut reader = Reader::after_keyword(record)?;
    let mut values = Vec::with_capacity(expected);
    reader.list(&mut values, 0)?;
    reader.space();
    reader.take(b';')?;
    Some(values)
}

/// Two attributes of a record.
pub(super) struct Named<'a> {
    /// The first one.
    pub(super) name: &'a str,
    /// Of the other one, the type that it states: `IFCLABEL`.
    pub(super) data_type: Option<&'a str>,
    /// The other one, a single value.
    pub(super) value: Value,
}

/// The first attribute and that in place `other` of a record as [`read`] takes it. None when it is not plain, the
/// first one is no text, or any is a list.
pub(super) fn named(record: &[u8], other: usize) -> Option<Named<'_>> {
    let mut reader = Reader::after_keyword(record)?;
    let (mut name, mut data_type, mut value) = (None, None, None);
    reader.take(b'(')?;
    for at in 0.. {
        reader.space();
        if at == 0 {
            name = Some(reader.text()?);
        } else {
            let stated = reader.peek()?.is_ascii_uppercase();
            let stated = if stated { Some(reader.opened_type()?) } else { None };
            if at == other {
                data_type = stated;
                value = Some(reader.single()?);
            } else {
                reader.skip()?;
            }
            if stated.is_some() {
                reader.space();
                reader.take(b')')?;
            }
        }
        reader.space();
        if reader.take(b',').is_none() {
            break;
        }
    }
    reader.take(b')')?;
    reader.space();
    reader.take(b';')?;
    Some(Named { name: name?, data_type, value: value? })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the bracket after `#12=IFCX`.
    fn after_keyword(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Self { bytes, at: 0 };
        reader.take(b'#')?;
        reader.digits()?;
        reader.space();
        reader.take(b'=')?;
        reader.space();
        reader.word()?;
        reader.space();
        Some(reader)
    }

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
        match self.peek()? {
            b'(' if depth < MAX_DEPTH => {
                let mut values = Vec::new();
                self.list(&mut values, depth + 1)?;
                Some(Value::List(values))
            }
            b'A'..=b'Z' if depth < MAX_DEPTH => self.typed(depth),
            _ => self.single(),
        }
    }

    /// Neither a list nor a typed value.
    fn single(&mut self) -> Option<Value> {
        match self.peek()? {
            b'\'' => self.text().map(|text| Value::String(text.to_owned())),
            b'.' => self.enumerated().map(|word| Value::Enum(word.to_owned())),
            _ => self.sign(),
        }
    }

    /// Past a value as [`Self::single`] reads it.
    fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'\'' => self.text().map(drop),
            b'.' => self.enumerated().map(drop),
            _ => self.sign().map(drop),
        }
    }

    /// Nothing, a reference or a number.
    fn sign(&mut self) -> Option<Value> {
        match self.peek()? {
            b'#' => {
                self.at += 1;
                self.digits().map(Value::EntityRef)
            }
            b'0'..=b'9' | b'+' | b'-' => {
                let (value, length) = number(self.bytes.get(self.at..)?)?;
                self.at += length;
                Some(value)
            }
            b'$' => self.take(b'$').map(|()| Value::Null),
            b'*' => self.take(b'*').map(|()| Value::Derived),
            _ => None,
        }
    }

    /// `.AREA.`
    fn enumerated(&mut self) -> Option<&'a str> {
        self.take(b'.')?;
        let word = self.word()?;
        self.take(b'.')?;
        Some(word)
    }

    fn text(&mut self) -> Option<&'a str> {
        self.take(b'\'')?;
        let rest = self.bytes.get(self.at..)?;
        let end = memchr::memchr2(b'\'', b'\\', rest)?;
        let plain = rest.get(end) == Some(&b'\'') && rest.get(end + 1) != Some(&b'\'');
        let text = rest.get(..end).filter(|_| plain)?;
        self.at += end + 1;
        std::str::from_utf8(text).ok()
    }

    /// `IFCLABEL(` and the space after it.
    fn opened_type(&mut self) -> Option<&'a str> {
        let name = self.word().filter(|name| !name.bytes().any(|b| b.is_ascii_lowercase()))?;
        self.space();
        self.take(b'(')?;
        self.space();
        Some(name)
    }

    /// `IFCLABEL('…')`.
    fn typed(&mut self, depth: usize) -> Option<Value> {
        let name = self.opened_type()?;
        let value = if self.take(b')').is_some() {
            Value::Null
        } else {
            let only = self.value(depth + 1)?;
            self.space();
            // Several are not valid for any type of IFC.
            self.take(b')')?;
            only
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
            "#1=IFCX(IFCLABEL('a b'),IFCREAL(1.),IFCSET((#1,#2)),IFCNONE(),IFC_A1 (\n.T.));",
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
            "#1=IFCX(IFCTWO(1,2));",
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

    #[test]
    fn two_attributes_of_a_property() {
        let two = |record: &'static str, other: usize| {
            named(record.as_bytes(), other).map(|n| (n.name, n.data_type, words(Some(vec![n.value]))))
        };
        let text = |t: &str| words(Some(vec![Value::String(t.to_owned())]));
        let property = "#7=IFCPROPERTYSINGLEVALUE('Reference',$,IFCLABEL('F 30'),$);";
        assert_eq!(two(property, 2), Some(("Reference", Some("IFCLABEL"), text("F 30"))));
        assert_eq!(two(property, 1), Some(("Reference", None, words(Some(vec![Value::Null])))));
        let quantity = "#8 = IFCQUANTITYLENGTH( 'Width' , 'of it' , #3, 1.5 , * ) ;";
        assert_eq!(two(quantity, 3), Some(("Width", None, words(Some(vec![Value::Float(1.5)])))));
        assert_eq!(two("#8=IFCX('A',IFCBOOLEAN(.T.));", 1).map(|n| n.1), Some(Some("IFCBOOLEAN")));
        for record in [
            "#1=IFCX('A');",
            "#1=IFCX($,$,1);",
            "#1=IFCX('A',(1),1);",
            "#1=IFCX('A',$,IFCSET((#1)));",
            "#1=IFCX('A',$,IFCNONE());",
            "#1=IFCX('A',$,IFCTWO(1,2));",
            "#1=IFCX('A',$,1,);",
            "#1=IFCX('A',$,1)",
            "#1=IFCX('it''s',$,1);",
            "#1=IFCX('A','\\X\\FC',1);",
        ] {
            assert_eq!(two(record, 2), None, "{record}");
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

        /// Two attributes are those of the whole record.
        #[test]
        fn two_are_as_all(signs in "[-+#$*.,()'A-Ce0-3 _;]{0,24}", other in 1..4_usize) {
            let record = format!("#1=IFCX('a b',{signs});");
            if let Some(two) = named(record.as_bytes(), other) {
                let all = parsed_by_the_library(record.as_bytes()).unwrap_or_default();
                let value = match two.data_type {
                    Some(name) => Value::Typed { name: name.into(), value: Box::new(two.value) },
                    None => two.value,
                };
                prop_assert_eq!(two.name, "a b");
                prop_assert_eq!(words(Some(vec![value])), words(all.get(other).cloned().map(|v| vec![v])), "{}", record);
            }
        }
    }
}
