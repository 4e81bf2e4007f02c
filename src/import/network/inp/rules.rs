//! `[RULES]`.

use super::document::Row;
use super::links::setting_factor;
use super::reader::Reader;
use super::words::{self, is};
use crate::simulation::network::LinkKind;
use crate::simulation::network::NodeKind;
use crate::simulation::network::periods::{Premise, Quantity, Relation, Rule, Wanted};

/// A thousandth of a unit: EPANET's tolerance in premises.
const TOLERANCE: f64 = 1e-3;

/// The rule that is being read.
#[derive(Default)]
pub(super) struct State {
    rule: Rule,
    line: usize,
    part: Part,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Part {
    /// No rule has begun.
    #[default]
    None,
    /// After `RULE`.
    Head,
    If,
    Then,
    Else,
    /// After `PRIORITY` or `DISABLED`.
    Done,
    /// Something was wrong with it: the rest of it is passed over.
    Bad,
}

impl State {
    /// Whether a rule is being read and nothing was wrong with it yet.
    pub(super) fn is_good(&self) -> bool {
        !matches!(self.part, Part::None | Part::Bad)
    }
}

impl Reader {
    /// A clause of a rule.
    pub(super) fn rule_row(&mut self, row: &Row<'_>) {
        let word = Self::word(row, 0);
        if is(word, "RULE") {
            self.end_rule();
            let name = Self::word(row, 1).to_owned();
            self.rule = State { rule: Rule { name, ..Rule::default() }, line: row.line, part: Part::Head };
            if row.words.len() < 2 {
                self.bad_rule(row, "the rule has no name", "write a name after RULE");
            }
            return;
        }
        let part = self.rule.part;
        let next = match (part, word) {
            (Part::Bad, _) => return,
            (Part::Head, w) if is(w, "IF") => self.premise(row, false).map(|()| Part::If),
            (Part::If, w) if is(w, "AND") => self.premise(row, false).map(|()| Part::If),
            (Part::If, w) if is(w, "OR") => self.premise(row, true).map(|()| Part::If),
            (Part::If, w) if is(w, "THEN") => self.action(row, false).map(|()| Part::Then),
            (Part::Then, w) if is(w, "AND") => self.action(row, false).map(|()| Part::Then),
            (Part::Then, w) if is(w, "ELSE") => self.action(row, true).map(|()| Part::Else),
            (Part::Else, w) if is(w, "AND") => self.action(row, true).map(|()| Part::Else),
            (Part::Then | Part::Else, w) if is(w, "PRIO") => self.number(row, 1, "priority").map(|value| {
                self.rule.rule.priority = value;
                Part::Done
            }),
            (Part::Then | Part::Else | Part::Done, w) if is(w, "DISABLED") => {
                self.rule.rule.disabled = true;
                Some(Part::Done)
            }
            (Part::None, _) => {
                let remedy = "begin with RULE and a name";
                return self.refuse(row.line, format!("{word:?} stands before any rule"), remedy);
            }
            _ => {
                let message = format!("{word:?} has no place here in the rule {}", self.rule.rule.name);
                return self.bad_rule(row, &message, "a rule is RULE, IF, AND or OR, THEN, AND, ELSE, AND, PRIORITY");
            }
        };
        match next {
            Some(part) => self.rule.part = part,
            None => {
                self.rule.part = Part::Bad;
                let message = format!("the rule {} is left out for this line", self.rule.rule.name);
                self.warn(row.line, message, "mend the line");
            }
        }
    }

    fn bad_rule(&mut self, row: &Row<'_>, message: &str, remedy: &str) {
        self.refuse(row.line, format!("{message}; the rule is left out"), remedy);
        self.rule.part = Part::Bad;
    }

    /// Keeps the rule that has been read, if it is whole.
    pub(super) fn end_rule(&mut self) {
        let State { rule, line, part } = std::mem::take(&mut self.rule);
        match part {
            Part::None => {}
            Part::Bad => self.unmark_rule(),
            Part::Then | Part::Else | Part::Done => self.out.timeline.rules.push(rule),
            Part::Head | Part::If => {
                let message = format!("the rule {} has nothing to do; it is left out", rule.name);
                self.refuse(line, message, "write what is done after THEN");
                self.unmark_rule();
            }
        }
    }

    /// `IF|AND|OR object id variable relation value`, `… SYSTEM variable relation value (unit)`
    fn premise(&mut self, row: &Row<'_>, or: bool) -> Option<()> {
        let object = Self::word(row, 1);
        let system = is(object, "SYSTEM");
        let at = if system { 2 } else { 3 };
        let (of, factor) = self.quantity(row, object, at)?;
        let relation = match Self::word(row, at + 1) {
            "=" => Relation::Equal,
            "<>" => Relation::NotEqual,
            "<=" => Relation::AtMost,
            ">=" => Relation::AtLeast,
            "<" => Relation::Below,
            ">" => Relation::Above,
            w if is(w, "IS") => Relation::Equal,
            w if is(w, "NOT") => Relation::NotEqual,
            w if is(w, "BELOW") => Relation::Below,
            w if is(w, "ABOVE") => Relation::Above,
            w => {
                self.refuse(
                    row.line,
                    format!("{w:?} does not compare"),
                    "write =, <>, <, <=, >, >=, IS, NOT, BELOW or ABOVE",
                );
                return None;
            }
        };
        let value = Self::word(row, at + 2);
        let wanted = match of {
            Quantity::Time | Quantity::ClockTime => {
                let Some(seconds) = words::seconds(value, Self::word(row, at + 3)) else {
                    self.refuse(row.line, format!("{value:?} is no time"), "write hours (7.5), 7:30, or 7:30 AM");
                    return None;
                };
                Wanted::Number(seconds.floor())
            }
            _ if is(value, "OPEN") => Wanted::Open,
            _ if is(value, "CLOS") => Wanted::Closed,
            _ if is(value, "ACTIVE") => Wanted::Active,
            _ => Wanted::Number(self.number(row, at + 2, "value")? * factor),
        };
        // Times to fill and drain are compared in seconds.
        let unit = if matches!(of, Quantity::FillTime(_) | Quantity::DrainTime(_)) { 1.0 } else { factor };
        self.rule.rule.premises.push(Premise { or, of, relation, wanted, tolerance: TOLERANCE * unit });
        Some(())
    }

    /// What a premise looks at, and what its values are multiplied by to be SI.
    fn quantity(&mut self, row: &Row<'_>, object: &str, at: usize) -> Option<(Quantity, f64)> {
        let units = self.out.units;
        let variable = Self::word(row, at);
        let found = if is(object, "SYSTEM") {
            match variable {
                w if is(w, "DEMAND") => Some((Quantity::TotalDemand, units.m3s())),
                w if is(w, "TIME") => Some((Quantity::Time, 1.0)),
                w if is(w, "CLOCKTIME") => Some((Quantity::ClockTime, 1.0)),
                _ => None,
            }
        } else if Self::any_of(object, &["JUNC", "RESER", "TANK", "NODE"]) {
            let node = self.node(row, 2)?;
            let store = self.out.network.nodes.get(node).is_some_and(|n| !matches!(n.kind, NodeKind::Junction(_)));
            match variable {
                w if is(w, "DEMAND") => Some((Quantity::Demand(node), units.m3s())),
                w if is(w, "HEAD") || is(w, "GRADE") => Some((Quantity::Head(node), units.m())),
                w if is(w, "PRESSURE") => Some((Quantity::Pressure(node), units.head_m())),
                w if is(w, "LEVEL") => Some((Quantity::Level(node), units.m())),
                w if store && is(w, "FILLTIME") => Some((Quantity::FillTime(node), 3600.0)),
                w if store && is(w, "DRAINTIME") => Some((Quantity::DrainTime(node), 3600.0)),
                _ => None,
            }
        } else if Self::any_of(object, &["PIPE", "PUMP", "VALVE", "LINK"]) {
            let link = self.link(row, 2)?;
            let setting = match self.out.network.links.get(link).map(|l| &l.kind) {
                Some(LinkKind::Valve(v)) => setting_factor(v.kind, &units),
                _ => 1.0,
            };
            match variable {
                w if is(w, "FLOW") => Some((Quantity::Flow(link), units.m3s())),
                w if is(w, "STATUS") => Some((Quantity::Status(link), 1.0)),
                w if is(w, "SETTING") => Some((Quantity::Setting(link), setting)),
                _ => None,
            }
        } else {
            let remedy = "write SYSTEM, NODE, JUNCTION, RESERVOIR, TANK, LINK, PIPE, PUMP or VALVE";
            self.refuse(row.line, format!("{object:?} is nothing a rule can look at"), remedy);
            return None;
        };
        if found.is_none() {
            let message = format!("{object} has no {variable:?} that a rule can look at");
            self.refuse(
                row.line,
                message,
                "DEMAND, HEAD, PRESSURE, LEVEL, FILLTIME, DRAINTIME; FLOW, STATUS, SETTING; TIME, CLOCKTIME",
            );
        }
        found
    }

    /// `THEN|ELSE|AND object id STATUS|SETTING IS value`
    fn action(&mut self, row: &Row<'_>, otherwise: bool) -> Option<()> {
        if row.words.len() < 6 {
            self.refuse(row.line, "the action is not whole".to_owned(), "write THEN LINK id STATUS IS OPEN");
            return None;
        }
        let link = self.link(row, 2)?;
        let word = Self::word(row, 5);
        if is(word, "ACTIVE") {
            self.refuse(row.line, "a link cannot be set to ACTIVE".to_owned(), "write OPEN, CLOSED or a setting");
            return None;
        }
        let act = self.act(row, word, link)?;
        let list = if otherwise { &mut self.rule.rule.otherwise } else { &mut self.rule.rule.then };
        list.push((link, act));
        Some(())
    }
}
