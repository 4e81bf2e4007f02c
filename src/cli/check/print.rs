//! The check for people.

use super::{Checked, IdsChecked};
use crate::problem::Severity;
use crate::site::ids::Status;
use crate::site::readiness::{Item, Kind, Tally};

/// Everything that `plenum check` says without --json; at most `limit` findings of a kind.
pub(super) fn describe(checked: &Checked, limit: usize) -> String {
    let mut lines = Vec::new();
    let readiness = &checked.readiness;
    let models = many(readiness.models.len(), "model");
    lines.push(format!("{}: {models}, {}", checked.name, many(checked.elements, "element")));
    lines.push(format!(
        "scores of 100: model {}, mapping {}, quality {}, ownership –",
        score(readiness.model),
        score(readiness.mapping),
        score(readiness.data)
    ));
    if readiness.models.len() > 1 {
        lines.push(String::new());
        for model in &readiness.models {
            lines.push(format!("  {:>5}  {} ({})", score(model.score), model.file, many(model.elements, "element")));
        }
    }
    let (found, clean): (Vec<_>, Vec<_>) = readiness
        .tallies
        .iter()
        .filter(|(_, t)| t.of > 0)
        .partition(|(kind, t)| t.affected > 0 || readiness.items.iter().any(|i| i.kind == kind.id()));
    for (kind, tally) in found {
        lines.push(String::new());
        let of_kind: Vec<&Item> = readiness.items.iter().filter(|i| i.kind == kind.id()).collect();
        lines.push(heading(*kind, *tally, &of_kind));
        findings(&mut lines, &of_kind, limit);
        if !kind.remedy().is_empty() && !of_kind.is_empty() {
            lines.push(format!("    → {}", kind.remedy()));
        }
    }
    if !clean.is_empty() {
        lines.push(String::new());
        let names: Vec<&str> = clean.iter().map(|(kind, _)| kind.title()).collect();
        lines.push(format!("Clean: {}.", names.join("; ").to_lowercase().replace("globalid", "GlobalId")));
    }
    if let Some(ids) = &checked.ids {
        lines.push(String::new());
        describe_ids(&mut lines, ids, limit);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn heading(kind: Kind, tally: Tally, items: &[&Item]) -> String {
    match kind {
        Kind::Import => format!("{}: {}", kind.title(), items.len()),
        _ => format!("{}: {} of {}", kind.title(), tally.affected, tally.of),
    }
}

fn findings(lines: &mut Vec<String>, items: &[&Item], limit: usize) {
    for item in items.iter().take(limit) {
        let word = match item.severity {
            Severity::Info => "note: ",
            _ => "",
        };
        lines.push(format!("    {}  {word}{}", item.place, item.message));
        if item.id.is_none() && item.kind == Kind::Import.id() && !item.remedy.is_empty() {
            lines.push(format!("      → {}", item.remedy));
        }
    }
    if items.len() > limit {
        lines.push(format!("    … and {} more (--limit {} or --json)", items.len() - limit, items.len()));
    }
}

fn describe_ids(lines: &mut Vec<String>, ids: &IdsChecked, limit: usize) {
    let all = &ids.report.specifications;
    let count = |status: Status| all.iter().filter(|s| s.status == status).count();
    let title = if ids.title.is_empty() { &ids.file } else { &ids.title };
    lines.push(format!(
        "IDS `{title}`: {}: {} met, {} not met, {} with nothing to check, {} not checked",
        many(all.len(), "specification"),
        count(Status::Pass),
        count(Status::Fail),
        count(Status::NotApplicable),
        count(Status::NotChecked)
    ));
    for specification in all {
        let name = if specification.name.is_empty() { "without a name" } else { &specification.name };
        let (applicable, passed) = (specification.applicable, specification.passed);
        let line = match specification.status {
            Status::Pass if applicable == 0 => format!("  met          {name}: there is none, as it must be"),
            Status::Pass => format!("  met          {name}: {passed} of {applicable}"),
            Status::Fail if !specification.why.is_empty() => format!("  NOT MET      {name}: {}", specification.why),
            Status::Fail => format!("  NOT MET      {name}: {passed} of {applicable}"),
            Status::NotApplicable => format!("  nothing      {name}: {}", specification.why),
            Status::NotChecked => {
                format!("  NOT CHECKED  {name} (line {}): {}", specification.line, specification.why)
            }
        };
        let elsewhere = specification.status != Status::NotApplicable && !specification.skipped.is_empty();
        lines.push(if elsewhere { format!("{line} (not for {})", specification.skipped.join(", ")) } else { line });
        for failing in specification.failing.iter().take(limit) {
            let place = format!("{} {} {}", failing.class, failing.id, failing.label);
            lines.push(format!("      {}  {}", place.trim_end(), failing.reasons.join("; ")));
        }
        if specification.failing.len() > limit {
            lines.push(format!("      … and {} more", specification.failing.len() - limit));
        }
        if specification.status == Status::Fail && !specification.instructions.is_empty() {
            lines.push(format!("      → {}", specification.instructions));
        }
    }
    for problem in ids.problems.iter().filter(|p| p.severity < Severity::Error) {
        lines.push(format!("  {problem}"));
    }
}

fn score(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_owned(), |s| format!("{s:.1}"))
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
