//! `[CONTROLS]`.

use super::document::Row;
use super::links::setting_factor;
use super::reader::Reader;
use super::words::{self, is};
use crate::simulation::network::periods::{Act, Control, When};
use crate::simulation::network::{LinkKind, NodeKind, ValveKind};

impl Reader {
    /// `LINK id setting IF NODE id BELOW|ABOVE level`, `… AT TIME t`, `… AT CLOCKTIME t`, and `DISABLED`.
    pub(super) fn control(&mut self, row: &Row<'_>) {
        let mut count = row.words.len();
        let enabled = !is(Self::word(row, count.saturating_sub(1)), "DISABLED");
        if !enabled {
            count -= 1;
        }
        if count < 6 {
            let message = "the control is not whole".to_owned();
            let remedy = "write LINK id OPEN IF NODE id BELOW level, or LINK id OPEN AT TIME hours";
            return self.refuse(row.line, message, remedy);
        }
        let Some(link) = self.link(row, 1) else { return };
        let Some(act) = self.act(row, Self::word(row, 2), link) else { return };
        let unit = if count > 6 { Self::word(row, 6) } else { "" };
        let time = words::whole_seconds(Self::word(row, 5), unit);
        let when = match (Self::word(row, 4), time) {
            (w, Some(at)) if is(w, "TIME") => When::At(at),
            (w, Some(at)) if is(w, "CLOCKTIME") => When::Daily(at % 86_400),
            (w, None) if is(w, "TIME") || is(w, "CLOCKTIME") => {
                let message = format!("{:?} is no time", Self::word(row, 5));
                return self.refuse(row.line, message, "write hours (7.5), 7:30, or 7:30 AM; the control is left out");
            }
            _ => {
                let Some(node) = self.node(row, 5) else { return };
                if count < 8 {
                    let message = "the control lacks its level".to_owned();
                    return self.refuse(row.line, message, "write BELOW or ABOVE and a level; the control is left out");
                }
                let Some(level) = self.number(row, 7, "level") else { return };
                let level_m = level * self.level_factor(node);
                match Self::word(row, 6) {
                    w if is(w, "BELOW") => When::Below { node, level_m },
                    w if is(w, "ABOVE") => When::Above { node, level_m },
                    w => {
                        let message = format!("{w:?} is neither BELOW nor ABOVE");
                        return self.refuse(row.line, message, "write one of them; the control is left out");
                    }
                }
            }
        };
        self.out.timeline.controls.push(Control { link, act, when, enabled });
    }

    /// What a level of a control is multiplied by: pressure of a junction, level of a tank.
    pub(super) fn level_factor(&self, node: usize) -> f64 {
        let junction = self.out.network.nodes.get(node).is_some_and(|n| matches!(n.kind, NodeKind::Junction(_)));
        if junction { self.out.units.head_m() } else { self.out.units.m() }
    }

    /// What a word does to a link; what cannot be done is told.
    pub(super) fn act(&mut self, row: &Row<'_>, word: &str, link: usize) -> Option<Act> {
        let units = self.out.units;
        let kind = &self.out.network.links.get(link)?.kind;
        let (refusal, remedy) = match kind {
            LinkKind::Pipe(pipe) if pipe.check => ("a check valve works by itself", "take the line away"),
            _ if is(word, "OPEN") => return Some(Act::Open),
            _ if is(word, "CLOS") => return Some(Act::Close),
            LinkKind::Valve(v) if matches!(v.kind, ValveKind::GeneralPurpose { .. }) => {
                ("a GPV works by its curve", "write OPEN or CLOSED")
            }
            kind => match words::number(word) {
                Some(value) if value < 0.0 && matches!(kind, LinkKind::Pump(_) | LinkKind::Pipe(_)) => {
                    ("a setting cannot be negative", "write a value from 0 up")
                }
                Some(value) => {
                    return Some(match kind {
                        LinkKind::Valve(v) => Act::Set(value * setting_factor(v.kind, &units)),
                        // A pipe has no setting but open and closed.
                        LinkKind::Pipe(_) if value == 0.0 => Act::Close,
                        LinkKind::Pipe(_) => Act::Open,
                        _ => Act::Set(value),
                    });
                }
                None => ("it is neither OPEN, CLOSED nor a number", "write one of them"),
            },
        };
        let message = format!("{} cannot be set to {word:?}: {refusal}", Self::word(row, 1));
        self.refuse(row.line, message, remedy);
        None
    }
}
