//! What the elements of a site are called in topics, and which roles they have.

use super::tokens::{Token, tokens};
use super::vocabulary;
use super::words::{Role, own_part, role};
use crate::site::assemble::Site;
use crate::site::binding;
use crate::site::model::{Element, ElementKind, Slot};
use crate::site::project::{Binding, Project, Template};
use std::collections::HashMap;

/// A way to write an element.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Which element.
    pub slot: Slot,
    /// Its words and numbers.
    pub words: Vec<Token>,
    /// How sure this way is, 0 to 1.
    pub sure: f64,
    /// The storey that the topic has to name, because its number was left out of the tag.
    pub storey: Option<i64>,
}

/// Where a topic names an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    /// Which element.
    pub slot: Slot,
    /// First token.
    pub start: usize,
    /// Behind its last token.
    pub end: usize,
    /// How sure, 0 to 1.
    pub sure: f64,
    /// The storey that the topic has to name.
    pub storey: Option<i64>,
    /// Written as the element's own tag is, or in one: `AHU-1-SAT` and `AHU1SAT`, but not `AHU1_SAT`.
    pub literal: bool,
}

/// Every name of a site, and the roles of its templates.
pub(super) struct Index<'a> {
    pub site: &'a Site,
    identities: Vec<Identity>,
    by_word: HashMap<String, Vec<usize>>,
    by_kind: HashMap<usize, Vec<usize>>,
    templates: Vec<(&'a Template, Vec<Role>)>,
    /// By slot: which of the templates.
    of: HashMap<Slot, usize>,
    /// By plain tag, GlobalId and name, for rules and files.
    called: HashMap<String, Vec<Slot>>,
}

impl<'a> Index<'a> {
    pub fn new(site: &'a Site, project: &'a Project) -> Self {
        let named: Vec<&str> = (project.bindings.iter())
            .filter_map(|b| if let Binding::Rule { templates, .. } = b { Some(templates) } else { None })
            .flatten()
            .map(String::as_str)
            .collect();
        // In the order in which the bindings name them: the first that fits an element is its template.
        let mut templates: Vec<&Template> =
            named.iter().filter_map(|n| project.templates.iter().find(|t| t.name == *n)).collect();
        templates.extend(project.templates.iter().filter(|t| !named.contains(&t.name.as_str())));
        let with_roles =
            |t: &'a Template| (t, t.points.iter().filter(|p| p.expression.is_none()).map(role).collect::<Vec<_>>());
        let mut index = Self {
            site,
            identities: Vec::new(),
            by_word: HashMap::new(),
            by_kind: HashMap::new(),
            templates: templates.into_iter().map(with_roles).collect(),
            of: HashMap::new(),
            called: HashMap::new(),
        };
        let mut names: HashMap<&str, usize> = HashMap::new();
        for (_, e) in site.iter() {
            *names.entry(e.name.as_str()).or_default() += 1;
        }
        for (slot, element) in site.iter().filter(|(_, e)| e.kind == ElementKind::Element) {
            let rebind = project.rebinds.iter().find(|r| r.asset == element.id || r.asset == element.tag);
            let tag = rebind.and_then(|r| r.tag.as_deref()).unwrap_or(&element.tag);
            if let Some(t) = index.templates.iter().position(|(t, _)| binding::matches(t, element, tag)) {
                index.of.insert(slot, t);
            }
            let only = names.get(element.name.as_str()) == Some(&1);
            index.name(slot, element, tag, only);
        }
        index
    }

    fn name(&mut self, slot: Slot, element: &Element, tag: &str, only: bool) {
        let storey = self.storey_of(slot);
        let words = tokens(tag);
        let plain = |words: &[Token]| words.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
        if !words.is_empty() {
            self.called.entry(plain(&words)).or_default().push(slot);
        }
        for (words, sure, storey) in ways(&words, storey) {
            self.add(Identity { slot, words, sure, storey });
        }
        let name = tokens(&element.name);
        if only && !name.is_empty() && (plain(&name) != plain(&words)) {
            self.called.entry(plain(&name)).or_default().push(slot);
            let numbered = name.iter().any(Token::is_number);
            // What is called a word or two is called so by others too.
            if numbered || name.len() > 1 && self.of.contains_key(&slot) {
                self.add(Identity { slot, words: name, sure: if numbered { 0.97 } else { 0.92 }, storey: None });
            }
        }
    }

    fn add(&mut self, identity: Identity) {
        let Some(first) = identity.words.first() else { return };
        let telling =
            identity.words.iter().any(Token::is_number) || identity.words.len() > 1 || first.text.chars().count() >= 4;
        if !telling || first.is_number() {
            return;
        }
        let at = self.identities.len();
        self.by_word.entry(first.text.clone()).or_default().push(at);
        for kind in vocabulary::kinds_of(&first.text) {
            self.by_kind.entry(kind).or_default().push(at);
        }
        // A name may begin with a kind of several words.
        let texts: Vec<&str> = identity.words.iter().map(|t| t.text.as_str()).collect();
        for kind in 0..vocabulary::kinds() {
            if vocabulary::spelled(kind, &texts).is_some_and(|n| n > 1) {
                self.by_kind.entry(kind).or_default().push(at);
            }
        }
        self.identities.push(identity);
    }

    /// The roles that an element may have.
    pub fn roles(&self, slot: Slot) -> &[Role] {
        self.of.get(&slot).and_then(|t| self.templates.get(*t)).map_or(&[], |(_, roles)| roles.as_slice())
    }

    /// The name of an element's template.
    pub fn template(&self, slot: Slot) -> Option<&'a str> {
        self.of.get(&slot).and_then(|t| self.templates.get(*t)).map(|(t, _)| t.name.as_str())
    }

    /// True for the name of a template.
    pub fn is_template(&self, word: &str) -> bool {
        self.templates.iter().any(|(t, _)| t.name.eq_ignore_ascii_case(word))
    }

    /// The elements that a rule or a file calls by tag, name or GlobalId.
    pub fn called(&self, name: &str) -> &[Slot] {
        let plain = super::tokens::plain(name);
        self.called.get(&plain).map_or(&[], Vec::as_slice)
    }

    /// The number of the storey that an element stands on.
    pub fn storey_of(&self, slot: Slot) -> Option<i64> {
        let element = self.site.element(slot)?;
        let storey = self.site.storeys.get(element.storey? as usize)?;
        let words = tokens(&storey.name);
        let ground = ["GROUND", "EG", "ERDGESCHOSS", "GF"];
        words
            .iter()
            .find(|t| t.is_number())
            .and_then(|t| t.text.parse().ok())
            .or_else(|| words.iter().any(|t| ground.contains(&t.text.as_str())).then_some(0))
    }

    /// Where some words name elements.
    pub fn hits(&self, words: &[Token]) -> Vec<Hit> {
        let texts: Vec<&str> = words.iter().map(|t| t.text.as_str()).collect();
        let mut hits: Vec<Hit> = Vec::new();
        for start in 0..words.len() {
            let Some(rest) = texts.get(start..) else { break };
            let Some(first) = rest.first() else { break };
            let literal = self.by_word.get(*first).map(Vec::as_slice).unwrap_or_default();
            let mut all: Vec<usize> = literal.to_vec();
            for kind in (0..vocabulary::kinds()).filter(|k| vocabulary::spelled(*k, rest).is_some()) {
                all.extend(self.by_kind.get(&kind).into_iter().flatten());
            }
            all.sort_unstable();
            all.dedup();
            for identity in all.iter().filter_map(|i| self.identities.get(*i)) {
                if let Some((length, exact)) = matched(identity, words.get(start..).unwrap_or_default(), rest) {
                    let hit = Hit {
                        slot: identity.slot,
                        start,
                        end: start + length,
                        sure: identity.sure * exact,
                        storey: identity.storey,
                        literal: is_literal(identity, words.get(start..start + length).unwrap_or_default()),
                    };
                    let better = |h: &&mut Hit| (h.slot, h.start, h.end) == (hit.slot, hit.start, hit.end);
                    match hits.iter_mut().find(better) {
                        Some(known) if known.sure < hit.sure => *known = hit,
                        Some(_) => {}
                        None => hits.push(hit),
                    }
                }
            }
        }
        hits
    }

    /// What part an element is.
    pub fn own_part(&self, slot: Slot) -> Option<super::meaning::Part> {
        self.site.element(slot).and_then(own_part)
    }
}

/// How a tag is written: as it stands, with its numbers or its letters run together, and without the number of its
/// storey.
fn ways(words: &[Token], storey: Option<i64>) -> Vec<(Vec<Token>, f64, Option<i64>)> {
    let mut ways = Vec::new();
    if words.is_empty() {
        return ways;
    }
    ways.push((words.to_vec(), 1.0, None));
    let numbers: Vec<usize> = words.iter().enumerate().filter(|(_, t)| t.is_number()).map(|(i, _)| i).collect();
    if !numbers.is_empty() {
        for joined in [run_together(words, false), run_together(words, true)] {
            if !ways.iter().any(|(known, ..)| *known == joined) {
                ways.push((joined, 0.98, None));
            }
        }
    }
    if let (Some(first), Some(_), Some(storey)) = (numbers.first(), numbers.get(1), storey)
        && words.get(*first).is_some_and(|t| t.text.parse() == Ok(storey))
    {
        let mut short = words.to_vec();
        short.remove(*first);
        ways.push((short, 0.95, Some(storey)));
    }
    ways
}

/// `VAV 2 04` as `VAV 204`, and where `letters` are meant too, `AHU 1 CC V` as `AHU 1 CCV`.
fn run_together(words: &[Token], letters: bool) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    for word in words {
        match out.last_mut() {
            Some(last) if last.is_number() && word.is_number() => {
                let digits = [&last.digits, &word.digits].into_iter().flatten().cloned().collect::<String>();
                let text = digits.trim_start_matches('0');
                last.text = if text.is_empty() { "0".into() } else { text.to_owned() };
                last.digits = Some(digits);
            }
            Some(last) if letters && !last.is_number() && !word.is_number() => last.text.push_str(&word.text),
            _ => out.push(word.clone()),
        }
    }
    out
}

/// True where some words part as those of an identity do, or not at all.
fn is_literal(identity: &Identity, words: &[Token]) -> bool {
    let breaks = |words: &[Token]| -> Vec<bool> {
        words.windows(2).map(|pair| matches!(pair, [a, b] if a.part != b.part)).collect()
    };
    let (own, written) = (breaks(&identity.words), breaks(words));
    own == written || written.iter().all(|b| !b)
}

/// How many of the words an identity takes, and how exactly it is written, 0 to 1.
fn matched(identity: &Identity, words: &[Token], texts: &[&str]) -> Option<(usize, f64)> {
    let mut exact = 1.0;
    let mut at = 0;
    let mut own = identity.words.as_slice();
    while let Some((word, after)) = own.split_first() {
        let here = words.get(at)?;
        if word.text == here.text {
            at += 1;
            own = after;
            continue;
        }
        if word.is_number() || here.is_number() {
            return None;
        }
        let rest = texts.get(at..)?;
        let own_texts: Vec<&str> = own.iter().map(|t| t.text.as_str()).collect();
        // The same kind of equipment, written otherwise; the longest way on both sides.
        let same = (0..vocabulary::kinds())
            .filter_map(|k| Some((vocabulary::spelled(k, &own_texts)?, vocabulary::spelled(k, rest)?)))
            .max_by_key(|(a, b)| a + b);
        let (mine, theirs) = same?;
        exact *= 0.97;
        at += theirs;
        own = own.get(mine..)?;
    }
    Some((at, exact))
}
