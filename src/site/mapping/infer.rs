//! What a topic says by its own words: which element it names, and which of its roles.

use super::Heard;
use super::index::{Hit, Index};
use super::meaning::fit;
use super::tokens::{Token, tokens, tokens_from};
use super::vocabulary;
use super::words::{Role, Said, read, units_agree};
use crate::site::model::Slot;

/// One way to understand a topic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    pub slot: Slot,
    pub role: String,
    /// 0 to 1.
    pub score: f64,
    /// What stands before the element, without storeys, machines of the network and kinds of equipment: a building,
    /// a site.
    pub mark: String,
    /// The words that name the element.
    pub named: String,
}

/// A point that was heard, taken apart.
pub(super) struct Taken {
    pub words: Vec<Token>,
    /// The word that marks it as nobody's.
    pub stray: Option<String>,
    /// The storey that it names.
    pub storey: Option<i64>,
}

/// Takes a topic and its key apart. `own` are words of the site's own name.
pub(super) fn take(heard: &Heard, own: &[String]) -> Taken {
    let mut words = tokens(&heard.topic);
    let (segment, part) = words.last().map_or((0, 0), |t| (t.segment + 1, t.part + 1));
    words.extend(tokens_from(&heard.key, segment, part));
    let stray = words.iter().find(|t| vocabulary::has(vocabulary::STRAY, &t.text) && !own.contains(&t.text));
    let stray = stray.map(|t| t.text.to_lowercase());
    let storey = words.windows(2).find_map(|pair| match pair {
        [word, number] if vocabulary::has(vocabulary::STOREY, &word.text) => {
            number.is_number().then(|| number.text.parse().ok()).flatten()
        }
        _ => None,
    });
    Taken { words, stray, storey }
}

/// Every way to understand it that is worth a thought, the best first.
pub(super) fn readings(index: &Index<'_>, heard: &Heard, taken: &Taken) -> Vec<Reading> {
    let words = taken.words.as_slice();
    let hits = index.hits(words);
    let mut out: Vec<Reading> = Vec::new();
    for hit in &hits {
        if hit.storey.is_some() && hit.storey != taken.storey {
            continue;
        }
        let place = placed(hit, words) * overruled(hit, &hits, words) * storey_factor(index, hit, taken);
        let (before, after) = (words.get(..hit.start).unwrap_or_default(), words.get(hit.end..).unwrap_or_default());
        let said = read(after);
        let says_nothing = said.meaning.is_some_and(|m| m.is_empty()) && said.unknown == 0 && said.numbers == 0;
        let ahead = if says_nothing { ahead(before) } else { None };
        let plain = after.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
        let roles = index.roles(hit.slot);
        for role in roles {
            if heard.unit.is_some_and(|u| !units_agree(u.quantity, role.quantity)) {
                continue;
            }
            let how = (roles.len(), hit.literal && is_segment(hit, words));
            // The words before it count where they are words of its points: `temperature/AHU-1`, not `state/AHU-1`.
            let by_ahead = ahead.as_ref().and_then(|ahead| fits(index, hit.slot, role, ahead, &plain, how));
            let fits = by_ahead.or_else(|| fits(index, hit.slot, role, &said, &plain, how));
            let Some(fits) = fits else { continue };
            let reading = Reading {
                slot: hit.slot,
                role: role.name.clone(),
                score: hit.sure * place * fits,
                mark: mark(index, before),
                named: words
                    .get(hit.start..hit.end)
                    .unwrap_or_default()
                    .iter()
                    .map(|t| t.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
            };
            match out.iter_mut().find(|r| r.slot == reading.slot && r.role == reading.role) {
                Some(known) if known.score < reading.score => *known = reading,
                Some(_) => {}
                None => out.push(reading),
            }
        }
    }
    out.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| (a.slot, &a.role).cmp(&(b.slot, &b.role))));
    out
}

/// How well the words behind an element fit one of its roles.
fn fits(
    index: &Index<'_>,
    slot: Slot,
    role: &Role,
    said: &Said,
    plain: &str,
    (roles, whole): (usize, bool),
) -> Option<f64> {
    if !role.plain.is_empty() && plain == role.plain {
        return Some(1.0);
    }
    let doubt = 0.8_f64.powi(said.unknown as i32) * 0.75_f64.powi(said.numbers as i32);
    let meaning = said.meaning?;
    if meaning.is_empty() {
        // Nothing is said, and there is nothing to choose.
        return (roles == 1).then_some(if whole { 0.95 } else { 0.88 } * doubt);
    }
    // The words of a role that the vocabulary does not know count as they stand.
    let known = role.meaning?;
    Some(fit(&meaning, &known, index.own_part(slot))? * doubt)
}

/// The words of the segment before an element, where they are words of points and nothing else.
fn ahead(before: &[Token]) -> Option<Said> {
    let segment = before.last()?.segment;
    let from = before.iter().position(|t| t.segment == segment)?;
    let said = read(before.get(from..)?);
    (said.unknown == 0 && said.numbers == 0 && said.meaning.is_some_and(|m| m.measured.is_some())).then_some(said)
}

/// True where the words of an element are a whole segment.
fn is_segment(hit: &Hit, words: &[Token]) -> bool {
    let segment = |i: usize| words.get(i).map(|t| t.segment);
    let own = segment(hit.start);
    own == segment(hit.end - 1) && segment(hit.end) != own && hit.start.checked_sub(1).and_then(segment) != own
}

/// What it costs that an element's name begins or ends within a word, or goes on with a number.
fn placed(hit: &Hit, words: &[Token]) -> f64 {
    let border = |a: Option<&Token>, b: Option<&Token>, part: f64, inside: f64| match (a, b) {
        (Some(a), Some(b)) if a.part == b.part => inside,
        (Some(a), Some(b)) if a.segment == b.segment => part,
        _ => 1.0,
    };
    let before = hit.start.checked_sub(1).and_then(|i| words.get(i));
    let (first, last, after) = (words.get(hit.start), words.get(hit.end - 1), words.get(hit.end));
    let mut place = border(before, first, 0.99, 0.96) * border(last, after, 0.98, 0.95);
    let same = |t: &&Token| last.is_some_and(|l| l.segment == t.segment);
    if after.filter(same).is_some_and(Token::is_number) {
        place *= 0.7;
    }
    place
}

/// A name that is a whole segment counts more than one within it: `AHU-1-SAT` is no `AHU-1`.
fn overruled(hit: &Hit, hits: &[Hit], words: &[Token]) -> f64 {
    let longer = |h: &&Hit| h.start <= hit.start && h.end >= hit.end && h.end - h.start > hit.end - hit.start;
    let wins = hits.iter().filter(longer).any(|h| h.sure > 0.97 && h.literal && is_segment(h, words));
    if wins { 0.8 } else { 1.0 }
}

/// A storey that is another than the element's is worth a doubt: controllers stand elsewhere.
fn storey_factor(index: &Index<'_>, hit: &Hit, taken: &Taken) -> f64 {
    match (taken.storey, index.storey_of(hit.slot)) {
        (Some(a), Some(b)) if a != b => 0.96,
        _ => 1.0,
    }
}

/// What is left of the words before an element when all is taken away that names no building.
fn mark(index: &Index<'_>, before: &[Token]) -> String {
    let mut left: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(token) = before.get(at) {
        let number = before.get(at + 1).filter(|t| t.is_number());
        let place = vocabulary::has(vocabulary::STOREY, &token.text) && number.is_some()
            || vocabulary::has(vocabulary::PATH, &token.text);
        let kind = number.is_none()
            && (vocabulary::word(&token.text).is_some()
                || vocabulary::kinds_of(&token.text).next().is_some()
                || index.is_template(&token.text));
        if place || kind {
            at += if place && number.is_some() { 2 } else { 1 };
            continue;
        }
        left.push(&token.text);
        at += 1;
    }
    left.join(" ")
}
