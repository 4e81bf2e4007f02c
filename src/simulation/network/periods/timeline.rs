//! What happens to a network over time: steps, controls, rules and the price of power. What follows a
//! pattern (demands, reservoirs, pumps) stands in the [network](crate::simulation::network::Network).
//!
//! Nodes, links and patterns are named by their place in the network. Times are whole seconds from the start.

use serde::{Deserialize, Serialize};

/// Everything of a run that is not the network itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Duration and steps.
    pub times: Times,
    /// Simple controls.
    pub controls: Vec<Control>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// What pumping costs.
    pub energy: Energy,
    /// What happens where a moment cannot be solved.
    pub unbalanced: Unbalanced,
}

/// What happens where a moment cannot be solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unbalanced {
    /// The run ends there.
    #[default]
    Stop,
    /// The run goes on, with this many iterations more in which no status changes.
    Continue(u32),
}

/// Duration and steps, s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// How long the run is; 0 for a single moment.
    pub duration: i64,
    /// Longest step between two solutions.
    pub hydraulic_step: i64,
    /// Step of water quality.
    pub quality_step: i64,
    /// How often rules are looked at; 0 for a tenth of the hydraulic step.
    pub rule_step: i64,
    /// How long a multiplier of a pattern holds.
    pub pattern_step: i64,
    /// Where in the patterns the run begins.
    pub pattern_start: i64,
    /// How often results are reported.
    pub report_step: i64,
    /// When reporting begins.
    pub report_start: i64,
    /// The time of day at the start.
    pub clock_start: i64,
    /// What is reported of the results of all times.
    pub statistic: Statistic,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            duration: 0,
            hydraulic_step: 3600,
            quality_step: 0,
            rule_step: 0,
            pattern_step: 3600,
            pattern_start: 0,
            report_step: 3600,
            report_start: 0,
            clock_start: 0,
            statistic: Statistic::None,
        }
    }
}

impl Times {
    /// The steps as a run takes them: none is zero, and the hydraulic step is no longer than those of
    /// patterns and reports.
    pub fn settled(mut self) -> Self {
        self.duration = self.duration.max(0);
        if self.pattern_step <= 0 {
            self.pattern_step = 3600;
        }
        if self.report_step <= 0 {
            self.report_step = self.pattern_step;
        }
        if self.hydraulic_step <= 0 {
            self.hydraulic_step = 3600;
        }
        self.hydraulic_step = self.hydraulic_step.min(self.pattern_step).min(self.report_step);
        if self.report_start > self.duration {
            self.report_start = 0;
        }
        if self.rule_step <= 0 {
            self.rule_step = self.hydraulic_step / 10;
        }
        self.rule_step = self.rule_step.min(self.hydraulic_step).max(1);
        if self.quality_step <= 0 {
            self.quality_step = self.hydraulic_step / 10;
        }
        self.quality_step = self.quality_step.min(self.hydraulic_step).max(1);
        self.pattern_start = self.pattern_start.max(0);
        self.clock_start = self.clock_start.rem_euclid(86_400);
        self
    }
}

/// What is reported of the results of all times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistic {
    /// The results of every time.
    #[default]
    None,
    /// Their mean.
    Average,
    /// Their least.
    Minimum,
    /// Their greatest.
    Maximum,
    /// Greatest less least.
    Range,
}

/// A simple control: one link, one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// What is controlled.
    pub link: usize,
    /// What is done to it.
    pub act: Act,
    /// When.
    pub when: When,
    /// Off: kept, but not looked at.
    pub enabled: bool,
}

/// What a control or rule does to a link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Opens it; a pump runs at full speed.
    Open,
    /// Closes it.
    Close,
    /// Sets it: speed of a pump; pressure of a PRV, PSV or PBV, m; flow of a FCV, m³/s; loss of a TCV;
    /// share open of a PCV, 0..1.
    Set(f64),
}

/// The condition of a simple control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum When {
    /// The level of a tank, or the pressure of a junction, is below this many metres.
    Below {
        /// Whose.
        node: usize,
        /// Above the node's elevation, m.
        level_m: f64,
    },
    /// The level of a tank, or the pressure of a junction, is above this many metres.
    Above {
        /// Whose.
        node: usize,
        /// Above the node's elevation, m.
        level_m: f64,
    },
    /// Once, this many seconds after the start.
    At(i64),
    /// Every day at this second of the day.
    Daily(i64),
}

/// A rule: what to do while something holds, and what otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What must hold.
    pub premises: Vec<Premise>,
    /// What is done where it holds.
    pub then: Vec<(usize, Act)>,
    /// What is done where it does not.
    pub otherwise: Vec<(usize, Act)>,
    /// Of two rules that want the same link, the one with the higher priority wins.
    pub priority: f64,
    /// Off: kept, but not looked at.
    pub disabled: bool,
}

/// One thing that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Premise {
    /// How it is joined to what comes before: `or` in place of `and`.
    pub or: bool,
    /// What is looked at.
    pub of: Quantity,
    /// How it is compared.
    pub relation: Relation,
    /// With what.
    pub wanted: Wanted,
    /// Values that are nearer than this are the same. A thousandth of the file's unit.
    pub tolerance: f64,
}

/// What a premise looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quantity {
    /// Demand of the whole network, m³/s.
    TotalDemand,
    /// Time from the start, s.
    Time,
    /// Time of day, s.
    ClockTime,
    /// Demand of a node, or net inflow of a tank, m³/s.
    Demand(usize),
    /// Head, m.
    Head(usize),
    /// Pressure, m.
    Pressure(usize),
    /// Level of a tank, m.
    Level(usize),
    /// Time until a tank is full, s.
    FillTime(usize),
    /// Time until a tank is empty, s.
    DrainTime(usize),
    /// Flow of a link in whatever direction, m³/s.
    Flow(usize),
    /// Whether a link is open.
    Status(usize),
    /// Speed of a pump, setting of a valve.
    Setting(usize),
}

/// How a premise compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// `=`, `IS`.
    Equal,
    /// `<>`, `NOT`.
    NotEqual,
    /// `<`, `BELOW`.
    Below,
    /// `<=`.
    AtMost,
    /// `>`, `ABOVE`.
    Above,
    /// `>=`.
    AtLeast,
}

/// What a premise compares with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wanted {
    /// A number in SI.
    Number(f64),
    /// An open link.
    Open,
    /// A closed link.
    Closed,
    /// A valve that holds its setting.
    Active,
}

/// What pumping costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    /// Efficiency of pumps that have no curve of their own, 0..1.
    pub efficiency: f64,
    /// Price of a kWh.
    pub price: f64,
    /// The pattern of the price.
    pub pattern: Option<usize>,
    /// Price of the greatest kW.
    pub demand_charge: f64,
    /// What single pumps have of their own.
    pub pumps: Vec<PumpEnergy>,
}

impl Default for Energy {
    fn default() -> Self {
        Self { efficiency: 0.75, price: 0.0, pattern: None, demand_charge: 0.0, pumps: Vec::new() }
    }
}

/// What pumping costs with one pump.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PumpEnergy {
    /// The pump.
    pub link: usize,
    /// Price of a kWh.
    pub price: Option<f64>,
    /// The pattern of the price.
    pub pattern: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_settle() {
        let times = Times { duration: 10, hydraulic_step: 0, pattern_step: 1800, report_start: 60, ..Times::default() };
        let settled = times.settled();
        assert_eq!((settled.hydraulic_step, settled.rule_step, settled.report_start), (1800, 180, 0));
        let tiny = Times { hydraulic_step: 1, ..Times::default() }.settled();
        assert_eq!((tiny.rule_step, tiny.quality_step), (1, 1));
    }
}
