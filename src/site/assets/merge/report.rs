//! What came of joining registries, and how it is told.

use crate::problem::Problem;
use crate::site::assemble::Site;
use crate::site::assets::Thing;
use crate::site::assets::item::{ItemKind, Registry};
use crate::site::assets::names::key;
use crate::site::model::Slot;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// How all registries were joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merge {
    /// One report a registry, in the order of the project file.
    pub reports: Vec<MergeReport>,
    /// Elements that a row names.
    pub named: HashSet<Slot>,
    /// Equipment that no row of any registry names; empty without a registry.
    pub unnamed: Vec<Slot>,
}

/// How one registry was joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergeReport {
    /// The registry's name.
    pub registry: String,
    /// `cobie`, `csv` or `xlsx`.
    pub kind: String,
    /// Rows that say something of an asset, a space, a storey or a building.
    pub rows: usize,
    /// Rows joined to a thing.
    pub matched: Vec<Matched>,
    /// Rows joined to nothing.
    pub unmatched: Vec<Unmatched>,
    /// Keys that more than one row has.
    pub duplicates: Vec<Duplicate>,
    /// Where registry and model say different things.
    pub conflicts: Vec<Conflict>,
}

/// By what a row was joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchedBy {
    /// GlobalId.
    GlobalId,
    /// Tag and tag, or one's tag and the other's name.
    Tag,
    /// Name.
    Name,
}

impl MatchedBy {
    /// `globalid`, `tag`, `name`.
    pub fn word(self) -> &'static str {
        match self {
            Self::GlobalId => "globalid",
            Self::Tag => "tag",
            Self::Name => "name",
        }
    }
}

/// A row that was joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// Where the row is: `assets.xlsx, Pumps, row 12`.
    pub place: String,
    /// What it was joined to.
    pub thing: Thing,
    /// By what.
    pub by: MatchedBy,
}

/// A row that was joined to nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmatched {
    /// Where the row is.
    pub place: String,
    /// What it is about.
    pub label: String,
    /// Why, and what comes near.
    pub why: String,
}

/// A key that more than one row has; the first row counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// The column's meaning: `tag`, `globalid`, `name`, or `element` where different keys led to one element.
    pub field: &'static str,
    /// The key.
    pub value: String,
    /// Where the rows are.
    pub places: Vec<String>,
}

/// Registry and model say different things of one element; the model stays.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Where the row is.
    pub place: String,
    /// The element.
    pub element: Slot,
    /// `tag`, `space`, `storey`, `system`.
    pub field: &'static str,
    /// What the registry says.
    pub registry: String,
    /// What the model says.
    pub model: String,
}

/// Rows of one sheet with one GlobalId, tag, or (where they have neither) name; and the numbers of their items.
pub(super) fn duplicate_keys(registry: &Registry) -> (Vec<Duplicate>, HashSet<usize>) {
    type At<'a> = (&'static str, &'a str, ItemKind, String);
    let mut rows: HashMap<At<'_>, (&str, Vec<usize>)> = HashMap::new();
    let mut order = Vec::new();
    for (i, item) in registry.items.iter().enumerate() {
        let name_only = item.tag.is_empty() && item.global_id.is_empty();
        let name = Some(item.name.as_str()).filter(|_| name_only);
        let keys = [("globalid", Some(item.global_id.as_str())), ("tag", Some(item.tag.as_str())), ("name", name)];
        for (field, word) in keys.into_iter().filter_map(|(f, w)| Some((f, w.filter(|w| !w.is_empty())?))) {
            let plain = if field == "globalid" { word.to_owned() } else { key(word) };
            let at = (field, item.sheet.as_str(), item.kind, plain);
            let entry = rows.entry(at.clone()).or_insert_with(|| {
                order.push(at);
                (word, Vec::new())
            });
            entry.1.push(i);
        }
    }
    let mut told = HashSet::new();
    let mut duplicates = Vec::new();
    for at in order {
        let Some((value, items)) = rows.remove(&at).filter(|(_, items)| items.len() > 1) else { continue };
        told.extend(items.iter().copied());
        let places = items.iter().filter_map(|i| registry.items.get(*i)).map(|item| registry.place(item)).collect();
        duplicates.push(Duplicate { field: at.0, value: value.to_owned(), places });
    }
    (duplicates, told)
}

/// The first places of a list that may be long.
fn first_places(places: &[String]) -> String {
    let more = places.len().saturating_sub(4);
    let first = places.iter().take(4).cloned().collect::<Vec<_>>().join(" and ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}

/// One problem a registry and kind of fault, with its first cases.
pub(super) fn tell(registry: &Registry, report: &MergeReport, site: &Site, problems: &mut Vec<Problem>) {
    let file = registry.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let remedy = |what: &str| format!("{what}; `plenum assets` lists them all");
    let some = |list: Vec<String>| {
        let more = list.len().saturating_sub(3);
        let first = list.into_iter().take(3).collect::<Vec<_>>().join("; ");
        if more > 0 { format!("{first}; and {more} more") } else { first }
    };
    let rows = |n: usize| if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
    if !report.unmatched.is_empty() {
        let cases = report.unmatched.iter().map(|u| format!("{}: {}", u.place, u.why)).collect();
        problems.push(Problem::warning(
            file.clone(),
            format!("{} of {} match nothing in the models: {}", rows(report.unmatched.len()), report.rows, some(cases)),
            remedy("write the GlobalId or the tag as the model has it"),
        ));
    }
    if !report.duplicates.is_empty() {
        let cases =
            report.duplicates.iter().map(|d| format!("{} `{}` in {}", d.field, d.value, first_places(&d.places)));
        problems.push(Problem::warning(
            file.clone(),
            format!("the same thing stands in more than one row, and the first counts: {}", some(cases.collect())),
            remedy("leave one row for each asset"),
        ));
    }
    if !report.conflicts.is_empty() {
        let label = |c: &Conflict| crate::site::assets::label(site, Thing::Element(c.element.0));
        let cases = report.conflicts.iter().map(|c| {
            format!("{} of {}: `{}` here, `{}` in the model ({})", c.field, label(c), c.registry, c.model, c.place)
        });
        problems.push(Problem::warning(
            file,
            format!("registry and model differ, and the model counts: {}", some(cases.collect())),
            remedy("mend the one that is wrong"),
        ));
    }
}
