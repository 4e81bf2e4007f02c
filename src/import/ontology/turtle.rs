//! Turtle, as far as Brick models need it: prefixes, `a`, lists by `;` and `,`, blank nodes in brackets, literals.
//! Of the graph it keeps names, classes, which equipment a point is of, and references to the outside.

use crate::problem::Problem;
use crate::site::mapping::{Described, ObjectId};
use std::collections::HashMap;

/// Deeper nests of brackets are refused.
const MAX_DEPTH: usize = 64;
/// After so many faults the rest is not read.
const MAX_FAULTS: usize = 20;

/// A subject: what is said of it, by the local name of the predicate.
#[derive(Default)]
struct Thing {
    line: usize,
    says: Vec<(String, Object)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Object {
    Node(String),
    Text(String),
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
    prefixes: HashMap<String, String>,
    things: HashMap<String, Thing>,
    order: Vec<String>,
    blanks: usize,
}

/// Reads the points of a Brick model; what cannot be read is told with its line, and the reading goes on behind it.
pub(super) fn read(text: &str, file: &str) -> (Vec<Described>, Vec<Problem>) {
    let mut reader =
        Reader { rest: text, line: 1, prefixes: HashMap::new(), things: HashMap::new(), order: Vec::new(), blanks: 0 };
    let mut problems = Vec::new();
    while reader.peek().is_some() {
        if let Err(why) = reader.statement() {
            let remedy = "mend the file, or write it anew with the program it came from";
            problems.push(Problem::error(format!("{file}:{}", reader.line), why, remedy));
            if problems.len() >= MAX_FAULTS {
                break;
            }
            reader.skip_statement();
        }
    }
    (points(&reader, file), problems)
}

impl<'t> Reader<'t> {
    fn bump(&mut self, bytes: usize) -> &'t str {
        let at = if self.rest.is_char_boundary(bytes.min(self.rest.len())) {
            bytes.min(self.rest.len())
        } else {
            self.rest.len()
        };
        let (taken, rest) = self.rest.split_at(at);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn peek(&mut self) -> Option<char> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.bump(blank);
            if !self.rest.starts_with('#') {
                return self.rest.chars().next();
            }
            self.bump(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    fn take(&mut self, wanted: char) -> Result<(), String> {
        match self.peek() {
            Some(c) if c == wanted => {
                self.bump(c.len_utf8());
                Ok(())
            }
            Some(c) => Err(format!("`{wanted}` is expected, and `{c}` stands there")),
            None => Err(format!("`{wanted}` is expected, and the file ends")),
        }
    }

    /// Behind the next full stop at the end of a line.
    fn skip_statement(&mut self) {
        let end = [".\n", ".\r\n"].iter().filter_map(|e| self.rest.find(e).map(|i| i + e.len())).min();
        self.bump(end.unwrap_or(self.rest.len()));
    }

    fn word(&mut self) -> &'t str {
        let end = self.rest.find(|c: char| c.is_whitespace() || ";,[]()<>\"#".contains(c)).unwrap_or(self.rest.len());
        let mut word = self.rest.get(..end).unwrap_or_default();
        // A full stop at its end is the statement's.
        word = word.trim_end_matches('.');
        self.bump(word.len())
    }

    fn statement(&mut self) -> Result<(), String> {
        let first = self.peek();
        let lower: String = self.rest.chars().take(7).collect::<String>().to_ascii_lowercase();
        let directive = ["@prefix", "@base", "prefix", "base"].into_iter().find(|d| {
            lower.starts_with(d) && self.rest.get(d.len()..).is_some_and(|r| r.starts_with(char::is_whitespace))
        });
        if let Some(directive) = directive {
            self.bump(directive.len());
            if directive.ends_with("prefix") {
                self.peek();
                let end = self.rest.find(':').ok_or("a prefix has no `:`")?;
                let name = self.bump(end).trim().to_owned();
                self.take(':')?;
                let iri = self.iri()?;
                self.prefixes.insert(name, iri);
            } else {
                self.iri()?;
            }
            return if directive.starts_with('@') { self.take('.') } else { Ok(()) };
        }
        let line = self.line;
        let subject = match first {
            Some('[') => match self.object(0)? {
                Object::Node(node) => node,
                Object::Text(_) => return Err("a text cannot be a subject".into()),
            },
            _ => self.node()?,
        };
        self.named(&subject, line);
        if self.peek() != Some('.') {
            self.predicates(&subject, 0)?;
        }
        self.take('.')
    }

    fn named(&mut self, subject: &str, line: usize) -> &mut Thing {
        if !self.things.contains_key(subject) {
            self.order.push(subject.to_owned());
        }
        self.things.entry(subject.to_owned()).or_insert_with(|| Thing { line, says: Vec::new() })
    }

    fn predicates(&mut self, subject: &str, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("brackets nest too deeply".into());
        }
        loop {
            self.peek();
            let predicate = self.node()?;
            loop {
                let object = self.object(depth)?;
                let line = self.line;
                self.named(subject, line).says.push((local(&predicate).to_owned(), object));
                if self.peek() != Some(',') {
                    break;
                }
                self.take(',')?;
            }
            if self.peek() != Some(';') {
                return Ok(());
            }
            while self.peek() == Some(';') {
                self.take(';')?;
            }
            if matches!(self.peek(), Some('.' | ']') | None) {
                return Ok(());
            }
        }
    }

    fn iri(&mut self) -> Result<String, String> {
        self.take('<')?;
        let end = self.rest.find('>').ok_or("an address begins with `<` and has no `>`")?;
        let iri = self.bump(end).to_owned();
        self.take('>')?;
        Ok(iri)
    }

    fn node(&mut self) -> Result<String, String> {
        match self.peek() {
            Some('<') => self.iri(),
            Some(c) if c.is_alphanumeric() || matches!(c, '_' | ':') => {
                let word = self.word();
                if word == "a" {
                    return Ok("#type".into());
                }
                let Some((prefix, name)) = word.split_once(':') else {
                    return Err(format!("`{word}` is neither an address nor a prefixed name"));
                };
                if prefix == "_" {
                    return Ok(word.to_owned());
                }
                let base =
                    self.prefixes.get(prefix).ok_or_else(|| format!("the prefix `{prefix}:` is not declared"))?;
                Ok(format!("{base}{}", unescaped(&name.replace('\\', ""))))
            }
            Some(c) => Err(format!("a name is expected, and `{c}` stands there")),
            None => Err("a name is expected, and the file ends".into()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Object, String> {
        if depth > MAX_DEPTH {
            return Err("brackets nest too deeply".into());
        }
        match self.peek() {
            Some('[') => {
                self.take('[')?;
                self.blanks += 1;
                let node = format!("_:b{}", self.blanks);
                if self.peek() != Some(']') {
                    self.predicates(&node, depth + 1)?;
                }
                self.take(']')?;
                Ok(Object::Node(node))
            }
            Some('(') => {
                self.take('(')?;
                while !matches!(self.peek(), Some(')') | None) {
                    self.object(depth + 1)?;
                }
                self.take(')')?;
                Ok(Object::Text(String::new()))
            }
            Some('"' | '\'') => self.literal(),
            Some(c) if c.is_ascii_digit() || matches!(c, '+' | '-') => Ok(Object::Text(self.word().to_owned())),
            _ => {
                let boolean = ["true", "false"].into_iter().find(|b| {
                    self.rest.strip_prefix(b).is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == ':'))
                });
                if let Some(word) = boolean {
                    self.bump(word.len());
                    return Ok(Object::Text(word.into()));
                }
                self.node().map(Object::Node)
            }
        }
    }

    fn literal(&mut self) -> Result<Object, String> {
        let quote = if self.rest.starts_with('\'') { '\'' } else { '"' };
        let long: String = std::iter::repeat_n(quote, 3).collect();
        let mark = if self.rest.starts_with(&long) { long } else { quote.to_string() };
        self.bump(mark.len());
        let mut text = String::new();
        loop {
            if self.rest.starts_with(&mark) {
                self.bump(mark.len());
                break;
            }
            let Some(c) = self.rest.chars().next() else { return Err("a text has no end".into()) };
            if c == '\n' && mark.len() == 1 {
                return Err("a text has no end on its line".into());
            }
            self.bump(c.len_utf8());
            if c != '\\' {
                text.push(c);
                continue;
            }
            let Some(escaped) = self.rest.chars().next() else { return Err("a text has no end".into()) };
            self.bump(escaped.len_utf8());
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'u' | 'U' => {
                    let length = if escaped == 'u' { 4 } else { 8 };
                    let code = self.rest.get(..length).and_then(|h| u32::from_str_radix(h, 16).ok());
                    text.push(code.and_then(char::from_u32).ok_or("`\\u` without a character's number")?);
                    self.bump(length);
                }
                other => text.push(other),
            }
        }
        // Its type or its language.
        if self.rest.starts_with("^^") {
            self.bump(2);
            self.node()?;
        } else if self.rest.starts_with('@') {
            self.bump(1);
            self.word();
        }
        Ok(Object::Text(text))
    }
}

/// What stands behind the last `#` or `/` of an address.
fn local(iri: &str) -> &str {
    iri.rsplit(['#', '/', ':']).next().unwrap_or(iri)
}

/// `%24` is `$`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn points(reader: &Reader<'_>, file: &str) -> Vec<Described> {
    let mut holder: HashMap<&str, &str> = HashMap::new();
    for (subject, thing) in &reader.things {
        for (predicate, object) in &thing.says {
            let Object::Node(node) = object else { continue };
            match predicate.as_str() {
                "hasPoint" => {
                    holder.insert(node, subject);
                }
                "isPointOf" => {
                    holder.insert(subject, node);
                }
                _ => {}
            }
        }
    }
    let is = |node: &str| nodes(reader, node, "type").first().map(|class| local(class).to_owned());
    let mut out = Vec::new();
    for subject in &reader.order {
        let Some(of) = holder.get(subject.as_str()) else { continue };
        let Some(class) = is(subject) else { continue };
        let mut point = Described {
            names: vec![unescaped(local(subject))],
            equipment: equipment(reader, of),
            class,
            place: format!("{file}:{}", reader.things.get(subject).map_or(0, |t| t.line)),
            ..Described::default()
        };
        point.names.extend(texts(reader, subject, "label"));
        point.names.extend(texts(reader, subject, "hasTopic"));
        for reference in nodes(reader, subject, "hasExternalReference") {
            let known = ["hasTimeseriesId", "hasTopic", "topic", "mqttTopic", "object-name", "BACnetURI"];
            for key in known {
                point.names.extend(texts(reader, &reference, key));
            }
            let object = texts(reader, &reference, "object-identifier").into_iter().next();
            let uri = texts(reader, &reference, "BACnetURI").into_iter().next();
            point.object = object.or(uri).and_then(|o| ObjectId::parse(&o)).or(point.object);
        }
        out.push(point);
    }
    out
}

fn says<'r>(reader: &'r Reader<'_>, subject: &str, predicate: &str) -> Vec<&'r Object> {
    let all = reader.things.get(subject).map(|t| t.says.as_slice()).unwrap_or_default();
    all.iter().filter(|(p, _)| p == predicate).map(|(_, o)| o).collect()
}

fn texts(reader: &Reader<'_>, subject: &str, predicate: &str) -> Vec<String> {
    let text = |o: &Object| if let Object::Text(t) = o { Some(t.clone()) } else { None };
    says(reader, subject, predicate).into_iter().filter_map(text).collect()
}

fn nodes(reader: &Reader<'_>, subject: &str, predicate: &str) -> Vec<String> {
    let node = |o: &Object| if let Object::Node(n) = o { Some(n.clone()) } else { None };
    says(reader, subject, predicate).into_iter().filter_map(node).collect()
}

/// What equipment is called: the GlobalId of its IFC entity first.
fn equipment(reader: &Reader<'_>, node: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for reference in nodes(reader, node, "hasExternalReference") {
        names.extend(texts(reader, &reference, "ifcGlobalID"));
    }
    names.extend(texts(reader, node, "label"));
    names.push(unescaped(local(node)));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix ref: <https://brickschema.org/schema/Brick/ref#> .
PREFIX b: <urn:x#>
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . # remark
b:AHU-1 a brick:AHU ; rdfs:label "AHU 1"@en ; brick:hasPoint b:sat ;
    ref:hasExternalReference [ a ref:IFCReference ; ref:ifcGlobalID "2ap_3LAWHMPhGsH2InfxHd" ] .
b:sat a brick:Supply_Air_Temperature_Sensor ;
    ref:hasExternalReference [ a ref:TimeseriesReference ; ref:hasTimeseriesId "n4/x17", "x\u0041" ] .
b:bad a brick:Thing ; what:ever 3 .
b:zone%20t a brick:Zone_Air_Temperature_Sensor ; brick:isPointOf b:VAV-2-04 ; b:n 1.5, true, (1 2) ;
    ref:hasExternalReference [ ref:object-identifier "analog-input,12" ] .
"#;

    #[test]
    fn points_with_their_equipment() {
        let (points, problems) = read(FILE, "site.ttl");
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert_eq!((problems[0].place.as_str(), problems[0].message.contains("what:")), ("site.ttl:9", true));
        assert_eq!(points.len(), 2, "{points:#?}");
        assert_eq!(points[0].names, ["sat", "n4/x17", "xA"]);
        assert_eq!(points[0].equipment, ["2ap_3LAWHMPhGsH2InfxHd", "AHU 1", "AHU-1"]);
        assert_eq!(
            (points[0].class.as_str(), points[0].place.as_str()),
            ("Supply_Air_Temperature_Sensor", "site.ttl:7")
        );
        assert_eq!(points[1].names, ["zone t"]);
        assert_eq!(points[1].object, ObjectId::parse("AI12"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[@a-z:<>\"'\\\\;,.\\[\\]() #\\n\\PC]{0,120}") {
            let _ = read(&text, "x");
        }
    }

    #[test]
    fn nests_end() {
        let (_, problems) = read(&"[ <a> ".repeat(5000), "x");
        assert!(!problems.is_empty());
    }
}
