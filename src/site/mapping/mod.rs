//! From what is heard on the wire to points of elements: which topic is which role of which element, with a score.
//!
//! What counts, the surest first: what the project states (its bindings), a GlobalId in topic or payload, a Brick or
//! Haystack file, BACnet ids among the elements' properties, the project's naming rules, and last the words of the topic
//! itself. A wrong match costs more than a missing one: what two things could be is listed with both, and nobody's.

mod bacnet;
mod described;
mod index;
mod infer;
mod meaning;
mod named;
mod rivals;
mod tokens;
mod vocabulary;
mod words;

#[cfg(test)]
mod generated;
#[cfg(test)]
mod tests;

pub use bacnet::ObjectId;
pub use described::Described;

use super::assemble::Site;
use super::model::Slot;
use super::point::PointSource;
use super::project::Project;
use super::unit::Unit;
use index::Index;
use infer::Reading;
use rivals::{ALIKE, Marks};
use serde::Serialize;
use std::collections::HashMap;

/// A match counts from this score on, unless the project or somebody says otherwise.
pub const AT_LEAST: f64 = 0.85;

/// At most this many candidates are kept of a topic that is nobody's.
const CANDIDATES: usize = 3;

/// A point that was heard: a topic, and a key of its payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// The whole topic.
    pub topic: String,
    /// The key in its payload; empty for one bare value.
    pub key: String,
    /// The unit that the payload names.
    pub unit: Option<Unit>,
    /// Other words of the payload: ids and names.
    pub says: Vec<String>,
}

/// By what a topic was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A binding of the project.
    Explicit,
    /// A GlobalId in topic or payload.
    GlobalId,
    /// A Brick file.
    Brick,
    /// A Haystack file.
    Haystack,
    /// A BACnet id among the properties of an element.
    Bacnet,
    /// A naming rule of the project.
    Rule,
    /// The words of the topic.
    Name,
}

/// A topic that belongs to a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// What was heard, its number in the request.
    pub heard: usize,
    /// The element.
    pub slot: Slot,
    /// Its role.
    pub role: String,
    /// The template that has it.
    pub template: Option<String>,
    /// 0 to 1.
    pub score: f64,
    /// How it was found.
    pub by: By,
}

/// What a topic may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The element.
    pub slot: Slot,
    /// Its role.
    pub role: String,
    /// 0 to 1.
    pub score: f64,
}

/// A topic that is nobody's.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmatched {
    /// What was heard, its number in the request.
    pub heard: usize,
    /// Why.
    pub why: String,
    /// What it may be, the best first.
    pub candidates: Vec<Candidate>,
}

/// Which topics are which points. Everything that was heard is in one of the two lists, in the order it was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// Topics with a point.
    pub matched: Vec<Match>,
    /// Topics without one.
    pub unmatched: Vec<Unmatched>,
    /// What the topics of this building begin with, as far as that was found out.
    pub building: Option<String>,
}

/// What is to be mapped.
pub struct Request<'a> {
    /// The elements.
    pub site: &'a Site,
    /// Templates, bindings, naming rules.
    pub project: &'a Project,
    /// What was heard; a topic and key twice counts once.
    pub heard: &'a [Heard],
    /// What Brick and Haystack files say of points.
    pub described: &'a [Described],
    /// The least score of a match.
    pub at_least: f64,
}

/// What one topic came to.
enum Verdict {
    Sure(Candidate, By),
    Nobody(String, Vec<Candidate>),
    /// Its words are to be looked at, beside those of all others.
    Open(Vec<Reading>),
}

/// Finds the point of each topic.
pub fn map(request: &Request<'_>) -> Mapping {
    let index = Index::new(request.site, request.project);
    let explicit = explicit(request.site);
    let bacnet = bacnet::Known::of(&index);
    let described = described::Known::of(&index, request.described);
    let own = own_words(request.site);
    let ignored = |topic: &str| request.project.mapping.ignores(topic);
    let verdicts: Vec<Verdict> = request
        .heard
        .iter()
        .map(|heard| {
            if let Some((slot, role)) = explicit.get(&(heard.topic.as_str(), heard.key.as_str())) {
                return Verdict::Sure(Candidate { slot: *slot, role: role.clone(), score: 1.0 }, By::Explicit);
            }
            if ignored(&heard.topic) {
                return Verdict::Nobody("the project leaves it out ([mapping] ignore)".into(), Vec::new());
            }
            let taken = infer::take(heard, &own);
            let ruled = || named::find(&index, &request.project.naming_rules, heard);
            if let Some(word) = &taken.stray {
                // Unless the project knows better.
                let nobody = || Verdict::Nobody(format!("`{word}` marks it as no point of the building"), Vec::new());
                return ruled().unwrap_or_else(nobody);
            }
            let stated = globalid(&index, heard)
                .or_else(|| described.find(&index, heard))
                .or_else(|| bacnet.find(&index, heard, &taken))
                .or_else(ruled);
            stated.unwrap_or_else(|| Verdict::Open(infer::readings(&index, heard, &taken)))
        })
        .collect();
    let best = verdicts.iter().filter_map(|v| match v {
        Verdict::Open(readings) => readings.first().filter(|r| r.score >= request.at_least),
        _ => None,
    });
    let names = site_names(request.site);
    let marks = Marks::of(best, &request.project.mapping.buildings, &names);
    let verdicts = verdicts.into_iter().map(|v| settled(v, &marks)).collect();
    one_to_one(&index, verdicts, request.at_least, marks.ours)
}

/// What the project binds already.
fn explicit(site: &Site) -> HashMap<(&str, &str), (Slot, String)> {
    let topics = site.points.iter().filter_map(|p| match &p.source {
        PointSource::Topic { topic, key } => Some(((topic.as_str(), key.as_str()), (p.asset, p.role.clone()))),
        PointSource::Rule { .. } => None,
    });
    topics.collect()
}

/// The site and its buildings, by name.
fn site_names(site: &Site) -> Vec<String> {
    std::iter::once(site.name.clone()).chain(site.places.iter().map(|p| p.name.clone())).collect()
}

fn own_words(site: &Site) -> Vec<String> {
    site_names(site).iter().flat_map(|n| tokens::tokens(n)).map(|t| t.text).collect()
}

/// An element whose GlobalId stands in topic or payload.
fn globalid(index: &Index<'_>, heard: &Heard) -> Option<Verdict> {
    let pieces = |text: &str| -> Vec<String> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$')).map(str::to_owned).collect()
    };
    let of_wire = pieces(&heard.topic).into_iter().chain(pieces(&heard.key));
    let mut all = of_wire.chain(heard.says.iter().flat_map(|s| pieces(s))).filter(|p| p.len() == 22);
    let (id, slot) = all.find_map(|id| index.site.find(&id).map(|slot| (id, slot)))?;
    // The id itself is none of the words.
    let without = |text: &str| text.replace(&id, "");
    let mut words = tokens::tokens(&without(&heard.topic));
    words.extend(tokens::tokens(&without(&heard.key)));
    let told = heard.says.iter().filter(|s| !s.contains(&id)).flat_map(|s| tokens::tokens(s));
    let candidates = described::roles(index, slot, &words, heard.unit);
    let candidates = if candidates.is_empty() {
        described::roles(index, slot, &told.collect::<Vec<_>>(), heard.unit)
    } else {
        candidates
    };
    Some(chosen(candidates, By::GlobalId, || {
        format!("`{id}` is an element, and no role of its template is meant for sure")
    }))
}

/// The best of some candidates, where it stands out.
fn chosen(mut candidates: Vec<Candidate>, by: By, otherwise: impl FnOnce() -> String) -> Verdict {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    match candidates.as_slice() {
        [best] => Verdict::Sure(best.clone(), by),
        [best, second, ..] if second.score < best.score - ALIKE => Verdict::Sure(best.clone(), by),
        _ => {
            candidates.truncate(CANDIDATES);
            Verdict::Nobody(otherwise(), candidates)
        }
    }
}

/// What the words of a topic come to beside those of all others.
fn settled(verdict: Verdict, marks: &Marks) -> Verdict {
    let Verdict::Open(readings) = verdict else { return verdict };
    let candidates: Vec<Candidate> = readings
        .iter()
        .take(CANDIDATES)
        .map(|r| Candidate { slot: r.slot, role: r.role.clone(), score: rounded(r.score) })
        .collect();
    let Some(best) = readings.first() else {
        return Verdict::Nobody("nothing in it names an element and one of its roles".into(), candidates);
    };
    if marks.is_theirs(&best.mark) {
        let ours = marks.ours.clone().unwrap_or_default();
        let why = format!("`{}` is another building: ours is `{ours}` ([mapping] buildings says otherwise)", best.mark);
        return Verdict::Nobody(why, candidates);
    }
    // `B1` is a boiler, and what the building is called.
    if best.mark.is_empty() && marks.ours.as_deref() == Some(best.named.as_str()) {
        return Verdict::Nobody(format!("`{}` is also what the building is called", best.named), candidates);
    }
    if let Some(second) = readings.get(1).filter(|s| s.score >= best.score - ALIKE) {
        let element = if second.slot == best.slot { "roles" } else { "elements" };
        return Verdict::Nobody(format!("it may be one of several {element}"), candidates);
    }
    match candidates.into_iter().next() {
        Some(best) => Verdict::Sure(best, By::Name),
        None => Verdict::Nobody(String::new(), Vec::new()),
    }
}

fn rounded(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

/// A point has one topic: the surest of those that want it, or none where two are as sure.
fn one_to_one(index: &Index<'_>, verdicts: Vec<Verdict>, at_least: f64, building: Option<String>) -> Mapping {
    let mut claims: HashMap<(Slot, String), Vec<(usize, f64, By)>> = HashMap::new();
    for (i, verdict) in verdicts.iter().enumerate() {
        if let Verdict::Sure(c, by) = verdict
            && c.score >= at_least
        {
            claims.entry((c.slot, c.role.clone())).or_default().push((i, c.score, *by));
        }
    }
    let mut mapping = Mapping { building, ..Mapping::default() };
    for (heard, verdict) in verdicts.into_iter().enumerate() {
        let (candidate, by) = match verdict {
            Verdict::Sure(candidate, by) => (candidate, by),
            Verdict::Nobody(why, candidates) => {
                mapping.unmatched.push(Unmatched { heard, why, candidates });
                continue;
            }
            Verdict::Open(_) => continue,
        };
        let mut why = None;
        if candidate.score < at_least {
            why = Some(format!("it is not sure enough: {:.2}, and {at_least:.2} is asked for", candidate.score));
        } else {
            let all = claims.get(&(candidate.slot, candidate.role.clone())).map(Vec::as_slice).unwrap_or_default();
            let stated = |by: By| by != By::Name;
            let others = || all.iter().filter(|(i, ..)| *i != heard);
            // What somebody stated comes before what was read out of words; a binding comes before all.
            let rank = |by: By, score: f64| (by == By::Explicit, stated(by), score);
            let mine = rank(by, candidate.score);
            let beats = |(i, score, other): &&(usize, f64, By)| {
                let theirs = rank(*other, *score);
                if (theirs.0, theirs.1) != (mine.0, mine.1) {
                    return (theirs.0, theirs.1) > (mine.0, mine.1);
                }
                // Among bindings the first counts, as when they are bound.
                if mine.0 { *i < heard } else { theirs.2 > mine.2 - ALIKE }
            };
            if others().any(|c| beats(&c)) {
                let surer = |(_, score, other): &(usize, f64, By)| {
                    let theirs = rank(*other, *score);
                    theirs.0 && !mine.0 || theirs.1 && !mine.1 || *score > candidate.score + ALIKE
                };
                why = Some(if others().any(surer) {
                    "another topic is the same point, and surer".to_owned()
                } else {
                    format!("{} topics want the same point", all.len())
                });
            }
        }
        match why {
            Some(why) => mapping.unmatched.push(Unmatched { heard, why, candidates: vec![candidate] }),
            None => {
                let Candidate { slot, role, score } = candidate;
                let template = index.template(slot).map(str::to_owned);
                mapping.matched.push(Match { heard, slot, role, template, score: rounded(score), by });
            }
        }
    }
    mapping
}
