//! A small reader of Turtle, written against the grammar and not against our writer: it knows prefixes, IRIs, `a`,
//! `;`, `,`, blank nodes in brackets and strings, and refuses everything else.

use std::collections::{HashMap, HashSet};

/// Subject, predicate, object: IRIs in `<…>`, strings in quotes (unescaped), blank nodes as `_:n`.
pub type Triple = (String, String, String);

/// Reads a document.
pub fn parse(text: &str) -> Result<HashSet<Triple>, String> {
    let mut reader =
        Reader { chars: text.chars().collect(), at: 0, prefixes: HashMap::new(), triples: HashSet::new(), blanks: 0 };
    reader.document()?;
    Ok(reader.triples)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    prefixes: HashMap<String, String>,
    triples: HashSet<Triple>,
    blanks: usize,
}

impl Reader {
    fn fail<T>(&self, why: &str) -> Result<T, String> {
        let line = 1 + self.chars[..self.at.min(self.chars.len())].iter().filter(|c| **c == '\n').count();
        Err(format!("line {line}: {why}"))
    }

    fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, expected: char) -> Result<(), String> {
        match self.peek() {
            Some(c) if c == expected => {
                self.at += 1;
                Ok(())
            }
            other => self.fail(&format!("`{expected}` expected, `{other:?}` found")),
        }
    }

    fn document(&mut self) -> Result<(), String> {
        while let Some(c) = self.peek() {
            if c == '@' {
                let word: String = self.chars[self.at..].iter().take_while(|c| !c.is_whitespace()).collect();
                if word != "@prefix" {
                    return self.fail("only @prefix is known");
                }
                self.at += word.len();
                self.peek();
                let name: String = self.chars[self.at..].iter().take_while(|c| **c != ':').collect();
                self.at += name.chars().count();
                self.take(':')?;
                let iri = self.iri()?;
                self.prefixes.insert(name, iri.trim_matches(['<', '>']).to_owned());
            } else {
                let subject = self.name()?;
                self.about(&subject)?;
            }
            self.take('.')?;
        }
        Ok(())
    }

    fn about(&mut self, subject: &str) -> Result<(), String> {
        loop {
            let predicate = self.name()?;
            loop {
                let object = self.object()?;
                let triple = (subject.to_owned(), predicate.clone(), object);
                if !self.triples.insert(triple.clone()) {
                    return self.fail(&format!("{triple:?} stands twice"));
                }
                if self.peek() != Some(',') {
                    break;
                }
                self.at += 1;
            }
            if self.peek() != Some(';') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn object(&mut self) -> Result<String, String> {
        match self.peek() {
            Some('"') => self.string(),
            Some('[') => {
                self.at += 1;
                self.blanks += 1;
                let name = format!("_:{}", self.blanks);
                self.about(&name)?;
                self.take(']')?;
                Ok(name)
            }
            _ => self.name(),
        }
    }

    fn iri(&mut self) -> Result<String, String> {
        self.take('<')?;
        let inner: String = self.chars[self.at..].iter().take_while(|c| **c != '>').collect();
        if inner.chars().any(|c| c <= ' ' || "<\"{}|^`\\".contains(c)) {
            return self.fail(&format!("`{inner}` is no IRI"));
        }
        self.at += inner.chars().count() + 1;
        Ok(format!("<{inner}>"))
    }

    fn name(&mut self) -> Result<String, String> {
        if self.peek() == Some('<') {
            return self.iri();
        }
        let is_name = |c: &&char| c.is_alphanumeric() || "_-:%".contains(**c);
        let word: String = self.chars[self.at..].iter().take_while(is_name).collect();
        self.at += word.chars().count();
        if word == "a" {
            return Ok("<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>".into());
        }
        let Some((prefix, local)) = word.split_once(':') else { return self.fail(&format!("`{word}` is no name")) };
        let Some(base) = self.prefixes.get(prefix) else { return self.fail(&format!("prefix `{prefix}` is unknown")) };
        if local.contains(':') || local.starts_with('-') || !local.is_ascii() {
            return self.fail(&format!("`{local}` is no local name"));
        }
        for (i, _) in local.match_indices('%') {
            if !local.get(i + 1..i + 3).is_some_and(|h| h.chars().all(|c| c.is_ascii_hexdigit())) {
                return self.fail(&format!("`{local}` has a % that encodes nothing"));
            }
        }
        Ok(format!("<{base}{local}>"))
    }

    fn string(&mut self) -> Result<String, String> {
        self.take('"')?;
        let mut out = String::from('"');
        loop {
            let Some(c) = self.chars.get(self.at).copied() else { return self.fail("the string has no end") };
            self.at += 1;
            match c {
                '"' => break,
                '\n' | '\r' => return self.fail("a line break in a string"),
                '\\' => {
                    let escaped = self.chars.get(self.at).copied();
                    self.at += 1;
                    out.push(match escaped {
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        Some(c @ ('"' | '\\')) => c,
                        Some('u') => {
                            let hex: String = self.chars.iter().skip(self.at).take(4).collect();
                            self.at += 4;
                            let code = u32::from_str_radix(&hex, 16).map_err(|e| e.to_string())?;
                            char::from_u32(code).ok_or("no character")?
                        }
                        other => return self.fail(&format!("escape {other:?}")),
                    });
                }
                c => out.push(c),
            }
        }
        out.push('"');
        Ok(out)
    }
}

#[test]
fn it_reads_and_refuses() {
    let text = "@prefix x: <urn:x#> .\nx:a a x:B ; x:p \"q\\\"\", x:c ; x:r [ a x:D ] .";
    let triples = parse(text).unwrap();
    assert_eq!(triples.len(), 5);
    assert!(triples.contains(&("<urn:x#a>".into(), "<urn:x#p>".into(), "\"q\"\"".into())));
    for wrong in ["x:a a x:B .", "@prefix x: <urn:x#> .\nx:a a x:B", "@prefix x: <u> . x:a x:p \"a\nb\" ."] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
