//! How ready a site's models are to become a twin: what is missing, where, and what to do about it.
//!
//! Each [`Kind`] of finding has a weight and a share: how many of those that it is about are affected. The score is
//! what the weights leave over, 0 to 100 ([`score`]). `docs/readiness.md` says what each kind means.

mod classes;
mod data;
mod kind;
mod mapping;
mod models;

pub use data::DataFlaw;
pub use kind::Kind;

use super::assemble::Site;
use super::model::{Element, ElementKind};
use super::project::Project;
use crate::problem::{Problem, Severity};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    /// All building models together, 0 to 100; none where nothing can be said.
    pub model: Option<f64>,
    /// How well points and elements fit together, 0 to 100; none where the project declares no points.
    pub mapping: Option<f64>,
    /// How good the data of the points were, 0 to 100; none where there is no history ([`Readiness::take_data`]).
    pub data: Option<f64>,
    /// The same as `model` of each building model.
    pub models: Vec<ModelReadiness>,
    /// By kind: how many of how many.
    pub tallies: Tallies,
    /// Every finding, by kind, in the order of the site.
    pub items: Vec<Item>,
}

/// One building model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelReadiness {
    /// Its file.
    pub file: String,
    /// 0 to 100; none where nothing can be said.
    pub score: Option<f64>,
    /// Elements in it.
    pub elements: usize,
    /// By kind: how many of how many.
    #[serde(rename = "checks", serialize_with = "as_rows")]
    pub tallies: Tallies,
}

/// How many of how many, by kind.
pub type Tallies = BTreeMap<Kind, Tally>;

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Affected.
    pub affected: usize,
    /// Looked at.
    pub of: usize,
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// What sort it is: `no-storey`.
    pub kind: &'static str,
    /// GlobalId and label of the element; the line of the project file; the file.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// How much it matters.
    pub severity: Severity,
    /// GlobalId of the element, where it is about one.
    pub id: Option<String>,
    /// Class of the element, where it is about one.
    pub class: Option<String>,
    /// The model, where it is about one.
    pub file: Option<String>,
}

/// Looks at a site, at the project that it was made of, and at what its import had to say.
pub fn assess(site: &Site, project: &Project, import: &[Problem]) -> Readiness {
    let mut found = Findings::new(site);
    models::look(site, project, import, &mut found);
    let mapping = mapping::look(site, project, &mut found);
    let files = (0..site.sources.len()).filter(|s| found.is_ifc(*s)).filter_map(|source| {
        let tallies = found.by_source.get(source)?.clone();
        let own = |(i, e): &(usize, &Element)| e.kind == ElementKind::Element && found.source_of(*i) == source;
        let elements = site.elements.iter().enumerate().filter(own).count();
        Some(ModelReadiness { file: found.file(source), score: score(&tallies), elements, tallies })
    });
    let models: Vec<ModelReadiness> = files.collect();
    let model = score(&found.all).filter(|_| !models.is_empty());
    found.items.sort_by_key(|i| i.0);
    Readiness {
        model,
        mapping,
        data: None,
        models,
        tallies: found.all,
        items: found.items.into_iter().map(|(_, item)| item).collect(),
    }
}

/// The score of what was looked at: 100 × Σ weight × (1 − affected ÷ of) ÷ Σ weight, over the kinds that there was
/// anything to look at for; one decimal. None where there was nothing. What still has a finding stays below 100.
pub fn score(tallies: &Tallies) -> Option<f64> {
    let parts = || tallies.iter().filter(|(k, t)| t.of > 0 && k.weight() > 0.0 && !k.is_mapping() && !k.is_data());
    weighted(parts().map(|(k, t)| (k.weight(), *t)))
}

fn weighted(parts: impl Iterator<Item = (f64, Tally)> + Clone) -> Option<f64> {
    let total: f64 = parts.clone().map(|(w, _)| w).sum();
    if total <= 0.0 {
        return None;
    }
    let share = |t: Tally| (t.affected as f64 / t.of.max(1) as f64).min(1.0);
    let kept: f64 = parts.clone().map(|(w, t)| w * (1.0 - share(t))).sum();
    let score = (1000.0 * kept / total).round() / 10.0;
    let clean = parts.into_iter().all(|(_, t)| t.affected == 0);
    Some(if clean { 100.0 } else { score.min(99.9) })
}

fn as_rows<S: serde::Serializer>(tallies: &Tallies, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows(tallies))
}

/// `{"kind", "affected", "of", "weight"}` of each kind that there was anything to look at for.
pub fn rows(tallies: &Tallies) -> impl Iterator<Item = Row> {
    tallies.iter().filter(|(_, t)| t.of > 0).map(|(kind, tally)| Row {
        kind: kind.id(),
        affected: tally.affected,
        of: tally.of,
        weight: kind.weight(),
    })
}

/// One line of a table of kinds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row {
    /// `no-storey`.
    pub kind: &'static str,
    /// Affected.
    pub affected: usize,
    /// Looked at.
    pub of: usize,
    /// What it counts in the score.
    pub weight: f64,
}

/// Findings in the making.
struct Findings<'a> {
    site: &'a Site,
    items: Vec<(Kind, Item)>,
    all: Tallies,
    by_source: Vec<Tallies>,
}

impl<'a> Findings<'a> {
    fn new(site: &'a Site) -> Self {
        let by_source = vec![Tallies::new(); site.sources.len()];
        Self { site, items: Vec::new(), all: Tallies::new(), by_source }
    }

    /// True when a source is a building model.
    fn is_ifc(&self, source: usize) -> bool {
        self.site.sources.get(source).is_some_and(|s| s.kind.starts_with("ifc"))
    }

    fn file(&self, source: usize) -> String {
        let file = self.site.sources.get(source).and_then(|s| s.file.file_name());
        file.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn source_of(&self, element: usize) -> usize {
        self.site.source_of.get(element).copied().unwrap_or_default().into()
    }

    /// Counts something that was looked at.
    fn count(&mut self, kind: Kind, source: Option<usize>, affected: bool) {
        let own = source.and_then(|s| self.by_source.get_mut(s)).map(|t| t.entry(kind).or_default());
        for tally in [Some(self.all.entry(kind).or_default()), own].into_iter().flatten() {
            tally.of += 1;
            tally.affected += usize::from(affected);
        }
    }

    /// Counts an element that was looked at, and notes why it is affected when it is.
    fn element(&mut self, kind: Kind, index: usize, fault: Option<String>) {
        let source = self.source_of(index);
        self.count(kind, Some(source), fault.is_some());
        let (Some(message), Some(element)) = (fault, self.site.elements.get(index)) else { return };
        let label = if element.tag.is_empty() { &element.name } else { &element.tag };
        let place = if label.is_empty() { element.id.clone() } else { format!("{} {label}", element.id) };
        let item = Item {
            kind: kind.id(),
            place,
            message,
            remedy: kind.remedy().to_owned(),
            severity: kind.severity(),
            id: Some(element.id.clone()),
            class: Some(element.class.clone()),
            file: Some(self.file(source)),
        };
        self.items.push((kind, item));
    }

    /// Notes something that is not about an element.
    fn note(&mut self, kind: Kind, severity: Severity, file: Option<String>, said: [String; 3]) {
        let [place, message, remedy] = said;
        let item = Item { kind: kind.id(), place, message, remedy, severity, id: None, class: None, file };
        self.items.push((kind, item));
    }
}

#[cfg(test)]
mod tests;
