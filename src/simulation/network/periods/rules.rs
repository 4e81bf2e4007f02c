//! Rules: premises looked at, actions gathered by priority and done.

use super::run::{DAY, Run};
use super::timeline::{Act, Premise, Quantity, Relation, Rule, Wanted};
use crate::simulation::network::{Command, LinkKind, Status, ValveKind};

/// The flow below which a tank has no time to fill, m³/s (1e-6 ft³/s, as in EPANET).
const NO_FLOW_M3S: f64 = 1e-6 * 0.3048 * 0.3048 * 0.3048;
/// Settings nearer than this are the same.
const SAME_SETTING: f64 = 1e-3;

impl Run<'_> {
    /// Looks at all rules at the end of some seconds, and does what they say; gives back how many links changed.
    pub(super) fn apply_rules(&mut self, seconds: i64) -> usize {
        let timeline = self.timeline;
        // Link, what is done, priority; a link stands here once.
        let mut list: Vec<(usize, Act, f64)> = Vec::new();
        for rule in timeline.rules.iter().filter(|r| !r.disabled) {
            let actions = if self.premises_hold(rule, seconds) { &rule.then } else { &rule.otherwise };
            for (link, act) in actions {
                match list.iter_mut().find(|(other, ..)| other == link) {
                    Some(known) if rule.priority > known.2 => *known = (*link, *act, rule.priority),
                    Some(_) => {}
                    None => list.push((*link, *act, rule.priority)),
                }
            }
        }
        list.retain(|(link, act, _)| self.changes(*link, *act));
        for (link, act, _) in &list {
            self.act(*link, *act);
        }
        list.len()
    }

    /// Whether an action would change a link as it stands.
    fn changes(&self, link: usize, act: Act) -> bool {
        let shut = matches!(self.status.get(link), Some(Status::Closed | Status::Blocked));
        let factor = match self.network.links.get(link).map(|l| &l.kind) {
            // Settings in metres or m³/s: a thousandth of a foot, of a cubic foot a second.
            Some(LinkKind::Valve(v)) => match v.kind {
                ValveKind::FlowControl => 0.3048_f64.powi(3),
                ValveKind::PressureReducing | ValveKind::PressureSustaining | ValveKind::PressureBreaker => 0.3048,
                _ => 1.0,
            },
            _ => 1.0,
        };
        match act {
            Act::Open => shut,
            Act::Close => !shut,
            Act::Set(value) => match (self.boundary.command.get(link), self.boundary.setting.get(link)) {
                (Some(command), Some(setting)) => {
                    let held = *command == Command::Auto
                        || matches!(self.network.links.get(link).map(|l| &l.kind), Some(LinkKind::Pump(_)));
                    !held || (value - setting).abs() > SAME_SETTING * factor
                }
                _ => false,
            },
        }
    }

    /// `AND` ends a premise that does not hold; `OR` mends it.
    fn premises_hold(&self, rule: &Rule, seconds: i64) -> bool {
        let mut holds = true;
        for premise in &rule.premises {
            if premise.or {
                holds = holds || self.premise_holds(premise, seconds);
            } else if holds {
                holds = self.premise_holds(premise, seconds);
            } else {
                return false;
            }
        }
        holds
    }

    fn premise_holds(&self, premise: &Premise, seconds: i64) -> bool {
        match (premise.of, premise.wanted) {
            (Quantity::Time, Wanted::Number(wanted)) => {
                time_holds(premise.relation, self.now - seconds + 1, self.now, wanted as i64)
            }
            (Quantity::ClockTime, Wanted::Number(wanted)) => {
                let clock = |t: i64| (t + self.times.clock_start).rem_euclid(DAY);
                time_holds(premise.relation, clock(self.now - seconds + 1), clock(self.now), wanted as i64)
            }
            (_, Wanted::Number(wanted)) => {
                self.value(premise.of).is_some_and(|x| value_holds(premise.relation, x, wanted, premise.tolerance))
            }
            (Quantity::Status(link) | Quantity::Setting(link) | Quantity::Flow(link), wanted) => {
                let is = match self.status.get(link) {
                    Some(Status::Closed | Status::Blocked) => Wanted::Closed,
                    Some(Status::Active) => Wanted::Active,
                    Some(Status::Open) => Wanted::Open,
                    None => return false,
                };
                match premise.relation {
                    Relation::Equal => is == wanted,
                    Relation::NotEqual => is != wanted,
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// The value a premise looks at; nothing where there is none now.
    fn value(&self, of: Quantity) -> Option<f64> {
        let elevation = |at: usize| self.network.nodes.get(at).map(|n| n.elevation);
        let fills = |at: usize, sign: f64, full: bool| {
            let (_, filling) = self.tank(at)?;
            let flow = self.demand.get(at)? * sign;
            let room = if full { filling.most - filling.volume } else { filling.volume - filling.least };
            (flow > NO_FLOW_M3S).then(|| room / flow)
        };
        let value = match of {
            Quantity::TotalDemand => self.total_demand,
            Quantity::Demand(at) => *self.demand.get(at)?,
            Quantity::Head(at) => *self.head.get(at)?,
            Quantity::Pressure(at) | Quantity::Level(at) => self.head.get(at)? - elevation(at)?,
            Quantity::FillTime(at) => fills(at, 1.0, true)?,
            Quantity::DrainTime(at) => fills(at, -1.0, false)?,
            Quantity::Flow(at) => self.flow.get(at)?.abs(),
            Quantity::Setting(at) => {
                let valve = matches!(self.network.links.get(at)?.kind, LinkKind::Valve(_));
                // A valve that is held open or closed has no setting.
                let held = valve && *self.boundary.command.get(at)? != Command::Auto;
                return (!held).then(|| self.boundary.setting.get(at).copied()).flatten();
            }
            Quantity::Status(_) | Quantity::Time | Quantity::ClockTime => return None,
        };
        value.is_finite().then_some(value)
    }
}

/// Whether a time compares; equal is anywhere in the seconds that have just passed.
fn time_holds(relation: Relation, from: i64, to: i64, wanted: i64) -> bool {
    let within = if to < from { wanted >= from || wanted <= to } else { (from..=to).contains(&wanted) };
    match relation {
        Relation::Below => to < wanted,
        Relation::AtMost => to <= wanted,
        Relation::Above => to > wanted,
        Relation::AtLeast => to >= wanted,
        Relation::Equal => within,
        Relation::NotEqual => !within,
    }
}

/// Whether a value compares, with EPANET's tolerance: `<` and `>` reach beyond it, `<=` and `>=` fall short.
fn value_holds(relation: Relation, x: f64, wanted: f64, tolerance: f64) -> bool {
    match relation {
        Relation::Equal => (x - wanted).abs() <= tolerance,
        Relation::NotEqual => (x - wanted).abs() >= tolerance,
        Relation::Below => x <= wanted + tolerance,
        Relation::AtMost => x <= wanted - tolerance,
        Relation::Above => x >= wanted - tolerance,
        Relation::AtLeast => x >= wanted + tolerance,
    }
}
