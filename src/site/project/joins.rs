//! `[joining]` and `[[joins]]`: how ends without ports are joined, and what the engineer decided of single joints.

use super::sheet::Table;
use super::{Project, edit};
use crate::problem::Problem;
use crate::site::infer::{Decision, Joining, PointOf, Verdict, WiredBy};
use crate::site::{Element, ElementKind, Site, Slot};
use std::path::Path;
use toml_edit::{ArrayOfTables, DocumentMut, Item, value};

/// The words of `decision`.
const VERDICTS: [(&str, Verdict); 3] =
    [("accept", Verdict::Accept), ("reject", Verdict::Reject), ("join", Verdict::Join)];

/// What somebody decided of the joint between two elements.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinDecision {
    /// Tag or GlobalId of one element.
    pub from: String,
    /// Tag or GlobalId of the other.
    pub to: String,
    /// The one connection point that is meant: a port's GlobalId, or the number of an inferred point.
    pub from_point: Option<String>,
    /// The same of the other.
    pub to_point: Option<String>,
    /// What was decided.
    pub verdict: Verdict,
    /// Line in `twin.toml`.
    pub line: usize,
}

impl JoinDecision {
    /// The same two elements, and the same points of them, either way about.
    fn same_pair(&self, other: &Self) -> bool {
        let sides = |d: &Self| [(d.from.clone(), d.from_point.clone()), (d.to.clone(), d.to_point.clone())];
        let ([a, b], [c, d]) = (sides(self), sides(other));
        (a == c && b == d) || (a == d && b == c)
    }
}

/// How a decision names an element: by its tag where only this one has it, so that people can read the file.
pub fn name_in_decision(site: &Site, element: &Element) -> String {
    let only = !element.tag.is_empty() && site.tagged(&element.tag).len() == 1 && site.find(&element.tag).is_none();
    if only { element.tag.clone() } else { element.id.clone() }
}

/// Reads `[joining]`.
pub(super) fn read_joining(table: Table<'_>) -> Joining {
    let otherwise = Joining::default();
    let joining = Joining {
        gap_m: table.number_in("gap_m", 0.001, 0.2).map_or(otherwise.gap_m, |g| g.value),
        tap_gap_m: table.number_in("tap_gap_m", 0.0, 0.1).map_or(otherwise.tap_gap_m, |g| g.value),
        least_confidence: table.number_in("least_confidence", 0.0, 1.0).map_or(otherwise.least_confidence, |c| c.value),
        wiring: read_wiring(&table).unwrap_or(otherwise.wiring),
        wiring_reach_m: table.number_in("wiring_reach_m", 1.0, 10_000.0).map_or(otherwise.wiring_reach_m, |r| r.value),
    };
    table.finish();
    joining
}

/// The weakest reason for a cable that nobody draws; none inside for `off`.
fn read_wiring(table: &Table<'_>) -> Option<Option<WiredBy>> {
    let word = table.word("wiring")?;
    let limit = WiredBy::limit(&word.value);
    if limit.is_none() {
        let message = format!("`wiring` in {} is `{}`", table.title, word.value);
        let words = WiredBy::ALL.map(|(w, _)| w).join(", ");
        table.sheet.error(word.line, message, format!("use off, or the weakest reason that counts: {words}"));
    }
    limit
}

/// Reads the decisions; what is wrong with one is noted, and it is left out.
pub(super) fn read_all(tables: Vec<Table<'_>>) -> Vec<JoinDecision> {
    let mut out: Vec<JoinDecision> = Vec::new();
    for table in tables {
        let sheet = table.sheet;
        let Some(decision) = read(table) else { continue };
        if let Some(first) = out.iter().find(|d| d.same_pair(&decision)) {
            let message =
                format!("{} and {} are decided twice, first in line {}", decision.from, decision.to, first.line);
            sheet.error(decision.line, message, "leave one of them out");
            continue;
        }
        out.push(decision);
    }
    out
}

fn read(table: Table<'_>) -> Option<JoinDecision> {
    let (sheet, line) = (table.sheet, table.line);
    let (from, to) = (table.word("from"), table.word("to"));
    let (from_point, to_point) = (table.word("from_point"), table.word("to_point"));
    let verdict = table.word("decision").and_then(|word| {
        let known = VERDICTS.iter().find(|(name, _)| *name == word.value);
        if known.is_none() {
            let message = format!("`decision` in {} is `{}`", table.title, word.value);
            sheet.error(word.line, message, "use one of accept, reject, join");
        }
        known.map(|(_, verdict)| *verdict)
    });
    for (key, example) in [
        ("from", "from = \"P-101\", the tag or GlobalId of an element"),
        ("to", "to = \"P-102\", the tag or GlobalId of the other element"),
        ("decision", "decision = \"accept\", \"reject\" or \"join\""),
    ] {
        if !table.has(key) {
            sheet.error(line, format!("{} has no `{key}`", table.title), format!("write {example}"));
        }
    }
    table.finish();
    let (from, to) = (from?, to?);
    if from.value.trim() == to.value.trim() {
        sheet.error(to.line, format!("`{}` cannot be joined to itself", to.value), "name two elements");
        return None;
    }
    Some(JoinDecision {
        from: from.value.trim().to_owned(),
        to: to.value.trim().to_owned(),
        from_point: from_point.map(|p| p.value.trim().to_owned()),
        to_point: to_point.map(|p| p.value.trim().to_owned()),
        verdict: verdict?,
        line,
    })
}

impl Project {
    /// The decisions with their elements looked up; those whose element is not there, or not the only one, are
    /// problems.
    pub(crate) fn decisions(&self, site: &Site) -> (Vec<Decision>, Vec<Problem>) {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        for join in &self.joins {
            match join.looked_up(site) {
                Ok(decision) => found.push(decision),
                Err(missing) => problems.extend(missing.into_iter().map(|p| {
                    let message = format!("{}, so the decision in [[joins]] counts for nothing", p.message);
                    Problem::warning(format!("{name}:{}", join.line), message, p.remedy)
                })),
            }
        }
        (found, problems)
    }

    /// Decides of the joint between two elements, and gives what [`save_join`] is to write into the file, one after the
    /// other; nothing where that is decided already. It counts for all their points: what was decided of single ones
    /// gives way.
    pub fn decide(
        &mut self,
        site: &Site,
        between: [Slot; 2],
        verdict: Option<Verdict>,
    ) -> Vec<(JoinDecision, Option<Verdict>)> {
        let [a, b] = between;
        let (Some(from), Some(to)) = (site.element(a), site.element(b)) else { return Vec::new() };
        if a == b {
            return Vec::new();
        }
        let of_both = |d: Decision| [(a.0, b.0), (b.0, a.0)].contains(&(d.from.0, d.to.0));
        let (before, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.joins).into_iter().partition(|j| j.looked_up(site).is_ok_and(of_both));
        self.joins = others;
        let (mut whole, mut gone): (Vec<_>, Vec<_>) =
            before.into_iter().partition(|j| j.from_point.is_none() && j.to_point.is_none());
        gone.extend(whole.split_off(whole.len().min(1)));
        let kept = whole.pop();
        let mut steps: Vec<_> = gone.into_iter().map(|decision| (decision, None)).collect();
        match (kept, verdict) {
            (None, None) => {}
            (Some(kept), None) => steps.push((kept, None)),
            (kept, Some(verdict)) => {
                let is_new = kept.as_ref().is_none_or(|k| k.verdict != verdict);
                // The file's own words for the two, where it has any.
                let (from, to) = match kept {
                    Some(kept) => (kept.from, kept.to),
                    None => (name_in_decision(site, from), name_in_decision(site, to)),
                };
                let decision = JoinDecision { from, to, from_point: None, to_point: None, verdict, line: 0 };
                self.joins.push(decision.clone());
                steps.extend(is_new.then_some((decision, Some(verdict))));
            }
        }
        steps
    }
}

impl JoinDecision {
    /// With its elements looked up; what is wrong, where one is not there or not the only one.
    fn looked_up(&self, site: &Site) -> Result<Decision, Vec<Problem>> {
        let side = |element: &str, point: &Option<String>| -> Result<(u32, Option<PointOf>), Problem> {
            let slot = element_called(site, element)?;
            let point = point.as_deref().map(|p| point_called(site, slot, p)).transpose()?;
            Ok((slot.0, point))
        };
        match (side(&self.from, &self.from_point), side(&self.to, &self.to_point)) {
            (Ok(from), Ok(to)) => Ok(Decision { from, to, verdict: self.verdict }),
            (a, b) => Err([a.err(), b.err()].into_iter().flatten().collect()),
        }
    }
}

/// The element with a GlobalId or tag.
///
/// # Errors
/// None has it, or several have the tag.
pub(crate) fn element_called(site: &Site, word: &str) -> Result<Slot, Problem> {
    if let Some(slot) = site.find(word) {
        return Ok(slot);
    }
    let tagged = site.tagged(word);
    let elements: Vec<Slot> =
        tagged.iter().copied().filter(|s| site.element(*s).is_some_and(|e| e.kind == ElementKind::Element)).collect();
    match elements.as_slice() {
        [only] => Ok(*only),
        [] => {
            let near = crate::site::binding::nearest(word, site.tags());
            let remedy = near.map_or("give a tag or a GlobalId".to_owned(), |n| format!("did you mean `{n}`?"));
            Err(Problem::error(word, format!("no element has the tag or GlobalId `{word}`"), remedy))
        }
        several => {
            let message = format!("{} elements have the tag `{word}`", several.len());
            Err(Problem::error(word, message, "give the GlobalId instead"))
        }
    }
}

/// A point of an element: a port by its GlobalId or name, or `3`, the number of an inferred point.
fn point_called(site: &Site, slot: Slot, word: &str) -> Result<PointOf, Problem> {
    let ports = || site.connection_points.iter().enumerate().filter(|(_, p)| p.element == slot.0);
    let port = ports().find(|(_, p)| p.id == word).or_else(|| ports().find(|(_, p)| p.name == word));
    let number = || word.rsplit('#').next()?.parse::<u16>().ok().filter(|n| *n > 0);
    port.map(|(i, _)| PointOf::Port(i as u32)).or_else(|| number().map(PointOf::Number)).ok_or_else(|| {
        let label = site.element(slot).map(|e| e.label()).unwrap_or_default();
        let message = format!("`{label}` has no connection point `{word}`");
        Problem::error(word, message, "leave the point out, or give one that `plenum graph --json` names")
    })
}

/// What saving a decision did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Saved {
    /// There was none for this pair.
    Added,
    /// It took the place of another.
    Changed,
    /// It stood there already.
    Unchanged,
    /// It was taken away.
    Removed,
}

/// Writes a decision into a project file, in place of one for the same pair; all else in the file stays as it is.
/// `verdict` none takes the decision away.
///
/// # Errors
/// When the file cannot be read or written or is not TOML, or when there is nothing to take away. The file is written
/// whole or not at all.
pub fn save_join(file: &Path, decision: &JoinDecision, verdict: Option<Verdict>) -> Result<Saved, Problem> {
    let saved = edit::edit(file, "the decision", |document| with_join(document, decision, verdict))?;
    saved.ok_or_else(|| {
        let message = format!("nothing is decided of {} and {}", decision.from, decision.to);
        Problem::error(file.display().to_string(), message, "name two elements, and their points, as [[joins]] does")
    })
}

/// None when there is nothing to take away.
fn with_join(
    document: &mut DocumentMut,
    decision: &JoinDecision,
    verdict: Option<Verdict>,
) -> Result<Option<Saved>, String> {
    if verdict.is_none() && !document.contains_key("joins") {
        return Ok(None);
    }
    let was_there = document.contains_key("joins");
    let joins = document.entry("joins").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(joins) = joins.as_array_of_tables_mut() else {
        return Err("`joins` is no list of tables: write each as [[joins]]".into());
    };
    let text = |t: &toml_edit::Table, key: &str| t.get(key).and_then(Item::as_str).map(|s| s.trim().to_owned());
    let same = |t: &toml_edit::Table| {
        let (Some(from), Some(to)) = (text(t, "from"), text(t, "to")) else { return false };
        let (from_point, to_point) = (text(t, "from_point"), text(t, "to_point"));
        JoinDecision { from, to, from_point, to_point, ..decision.clone() }.same_pair(decision)
    };
    let at = joins.iter().position(same);
    let Some(verdict) = verdict else {
        let Some(at) = at else { return Ok(None) };
        joins.remove(at);
        if joins.is_empty() {
            document.remove("joins");
        }
        return Ok(Some(Saved::Removed));
    };
    let word = VERDICTS.iter().find(|(_, v)| *v == verdict).map_or("accept", |(name, _)| name);
    if let Some(table) = at.and_then(|at| joins.get_mut(at)) {
        if text(table, "decision").as_deref() == Some(word) {
            return Ok(Some(Saved::Unchanged));
        }
        table["decision"] = value(word);
        return Ok(Some(Saved::Changed));
    }
    let mut table = toml_edit::Table::new();
    table["from"] = value(&decision.from);
    table["to"] = value(&decision.to);
    for (key, point) in [("from_point", &decision.from_point), ("to_point", &decision.to_point)] {
        if let Some(point) = point {
            table[key] = value(point);
        }
    }
    table["decision"] = value(word);
    if !was_there {
        table.decor_mut().set_prefix("\n# Joints that somebody accepted, rejected or made by hand.\n");
    }
    joins.push(table);
    Ok(Some(Saved::Added))
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::super::testing::{FILE, project, refused, rights_stay, told};
    use super::*;

    fn decision(from: &str, to: &str, verdict: Verdict) -> JoinDecision {
        JoinDecision { from: from.into(), to: to.into(), from_point: None, to_point: None, verdict, line: 0 }
    }

    #[test]
    fn decisions_are_saved_changed_and_taken_away_and_the_rest_of_the_file_stays() {
        let (_folder, file) = project(FILE);
        let save = |d: &JoinDecision| save_join(&file, d, Some(d.verdict)).unwrap();
        assert_eq!(save(&decision("P-1", "P-2", Verdict::Accept)), Saved::Added);
        let with_point = JoinDecision { to_point: Some("2".into()), ..decision("P-1", "V-7", Verdict::Join) };
        assert_eq!(save(&with_point), Saved::Added);
        // The other way about it is the same pair.
        assert_eq!(save(&decision("P-2", "P-1", Verdict::Accept)), Saved::Unchanged);
        assert_eq!(save(&decision("P-2", "P-1", Verdict::Reject)), Saved::Changed);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(FILE), "{text}");
        let (read, problems) = load(&file).unwrap();
        assert_eq!(problems, []);
        let kept: Vec<_> = read.joins.iter().map(|j| (j.from.as_str(), j.to.as_str(), j.verdict)).collect();
        assert_eq!(kept, [("P-1", "P-2", Verdict::Reject), ("P-1", "V-7", Verdict::Join)]);
        assert_eq!(read.joins[1].to_point.as_deref(), Some("2"));
        assert_eq!(save_join(&file, &with_point, None).unwrap(), Saved::Removed);
        assert!(save_join(&file, &with_point, None).is_err(), "there is none any more");
        assert_eq!(save_join(&file, &decision("P-1", "P-2", Verdict::Join), None).unwrap(), Saved::Removed);
        assert_eq!(load(&file).unwrap().0.joins, []);
        assert!(std::fs::read_to_string(&file).unwrap().starts_with(FILE));
    }

    #[test]
    fn what_is_wrong_has_its_line_and_a_remedy() {
        let joins = "[joining]\ngap_m = 5\ngap = 1\nwiring = \"guess\"\nwiring_reach_m = 0\n[[joins]]\nfrom = \"A\"\nto = \"B\"\ndecision = \"maybe\"\n\
            [[joins]]\nfrom = \"A\"\nto = \"A\"\ndecision = \"join\"\n[[joins]]\nto = \"B\"\ndecision = \"join\"\n\
            [[joins]]\nfrom = \"C\"\nto = \"D\"\ndecision = \"join\"\n\
            [[joins]]\nfrom = \"D\"\nto = \"C\"\ndecision = \"reject\"\n";
        let faults = [
            (5, "`gap_m`"),
            (6, "`gap` is no key"),
            (7, "`guess`"),
            (8, "`wiring_reach_m`"),
            (12, "`maybe`"),
            (15, "to itself"),
            (17, "has no `from`"),
            (24, "decided twice"),
        ];
        let read = told(joins, &faults);
        assert_eq!(read.joins.len(), 1);
        assert_eq!(read.joining, Joining::default());
    }

    #[test]
    fn cables_that_nobody_draws_can_be_limited_and_switched_off() {
        let read = |joining: &str| {
            let (_folder, file) = project(&format!("{FILE}\n[joining]\n{joining}\n"));
            let (read, problems) = load(&file).unwrap();
            assert_eq!(problems, [], "{joining}");
            (read.joining.wiring, read.joining.wiring_reach_m)
        };
        assert_eq!(read(""), (Some(WiredBy::Building), 100.0));
        assert_eq!(read("wiring = \"off\""), (None, 100.0));
        assert_eq!(read("wiring = \"storey\"\nwiring_reach_m = 40"), (Some(WiredBy::Storey), 40.0));
    }

    #[test]
    fn a_file_that_cannot_take_a_decision_is_left_as_it_is() {
        let save = |file: &Path| save_join(file, &decision("A", "B", Verdict::Accept), Some(Verdict::Accept));
        refused(&["name = \n", "name = \"House\"\njoins = 3\n"], save);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_keeps_its_rights() {
        rights_stay(|file| save_join(file, &decision("A", "B", Verdict::Join), Some(Verdict::Join)));
    }
}
