//! What people see of a mapping: a preview, line by line.

use super::{Done, word};
use crate::problem::Severity;
use crate::site::Slot;
use std::fmt::Write;

/// The whole preview.
pub(super) fn describe(done: &Done<'_>) -> String {
    let mut out = String::new();
    let wire = |i: usize| match done.heard.get(i) {
        Some(h) if h.key.is_empty() => h.topic.clone(),
        Some(h) => format!("{} · {}", h.topic, h.key),
        None => String::new(),
    };
    let name = |slot: Slot, role: &str| {
        let label = done.site.element(slot).map(|e| e.label()).unwrap_or_default();
        format!("{label}/{role}")
    };
    let (matched, unmatched) = (&done.mapping.matched, &done.mapping.unmatched);
    let width = matched.iter().map(|m| wire(m.heard).chars().count()).max().unwrap_or(0).min(60);
    for m in matched {
        let _ =
            writeln!(out, "  {:.2}  {:<8}  {:<width$}  {}", m.score, word(m.by), wire(m.heard), name(m.slot, &m.role));
    }
    if !unmatched.is_empty() {
        let _ = writeln!(out, "\n  nobody's:");
    }
    for u in unmatched {
        let _ = writeln!(out, "  {}\n      {}", wire(u.heard), u.why);
        let best: Vec<String> =
            u.candidates.iter().map(|c| format!("{} {:.2}", name(c.slot, &c.role), c.score)).collect();
        if !best.is_empty() {
            let _ = writeln!(out, "      perhaps {}", best.join(", "));
        }
    }
    let _ = writeln!(
        out,
        "\n  {} points heard, {} matched at {:.2} or more, {} not",
        done.heard.len(),
        matched.len(),
        done.at_least,
        unmatched.len()
    );
    if let Some(building) = &done.mapping.building {
        let _ = writeln!(out, "  this building is called `{building}` in topics");
    }
    match done.written {
        Some((added, changed)) => {
            let _ = writeln!(out, "  twin.toml: {added} bindings added, {changed} changed");
        }
        None if !matched.is_empty() => {
            let _ = writeln!(out, "  --write saves the matches in twin.toml");
        }
        None => {}
    }
    for problem in done.problems.iter().filter(|p| p.severity > Severity::Info) {
        let _ = writeln!(out, "  {problem}");
    }
    out
}
