//! The entries of controls, rules, energy, options and times.

use super::document::SectionKind as S;
use super::entries::Maker;
use super::links::setting_factor;
use super::quality::QualityMode;
use super::settings::Hydraulics;
use super::units::{DIFFUSIVITY, VISCOSITY};
use super::words::{clock, quoted, written};
use crate::simulation::network::periods::{
    Act, Premise, Quantity, Relation, Rule, Statistic, Unbalanced, Wanted, When,
};
use crate::simulation::network::{DemandModel, LinkKind, LossFormula, NodeKind};

impl Maker<'_> {
    /// What a link's setting is divided by to stand in the file.
    fn setting_factor(&self, link: usize) -> f64 {
        match self.file.network.links.get(link).map(|l| &l.kind) {
            Some(LinkKind::Valve(v)) => setting_factor(v.kind, &self.units),
            _ => 1.0,
        }
    }

    fn act(&self, link: usize, act: Act) -> String {
        match act {
            Act::Open => "OPEN".to_owned(),
            Act::Close => "CLOSED".to_owned(),
            Act::Set(value) => Self::number(value, self.setting_factor(link)),
        }
    }

    pub(super) fn controls(&mut self) {
        let file = self.file;
        for (at, control) in file.timeline.controls.iter().enumerate() {
            let mut line = format!("LINK {} {}", self.link(control.link), self.act(control.link, control.act));
            let level = |maker: &mut Self, node: usize, word: &str, level_m: f64| {
                let junction = file.network.nodes.get(node).is_some_and(|n| matches!(n.kind, NodeKind::Junction(_)));
                let factor = if junction { maker.units.head_m() } else { maker.units.m() };
                format!(" IF NODE {} {word} {}", maker.node(node), Self::number(level_m, factor))
            };
            line += &match control.when {
                When::Below { node, level_m } => level(self, node, "BELOW", level_m),
                When::Above { node, level_m } => level(self, node, "ABOVE", level_m),
                When::At(seconds) => format!(" AT TIME {}", clock(seconds)),
                When::Daily(seconds) => format!(" AT CLOCKTIME {}", clock(seconds)),
            };
            if !control.enabled {
                line += " DISABLED";
            }
            self.add_lines(S::Controls, format!("control:{at}"), vec![line]);
        }
    }

    pub(super) fn rules(&mut self) {
        let file = self.file;
        for (at, rule) in file.timeline.rules.iter().enumerate() {
            let lines = self.rule(rule);
            self.add_lines(S::Rules, format!("rule:{at}"), lines);
        }
    }

    fn rule(&mut self, rule: &Rule) -> Vec<String> {
        let mut lines = vec![format!("RULE {}", self.name(&rule.name))];
        for (at, premise) in rule.premises.iter().enumerate() {
            let join = if at == 0 {
                "IF  "
            } else if premise.or {
                "OR  "
            } else {
                "AND "
            };
            lines.push(format!("{join} {}", self.premise(premise)));
        }
        for (actions, first) in [(&rule.then, "THEN"), (&rule.otherwise, "ELSE")] {
            for (at, (link, act)) in actions.iter().enumerate() {
                let join = if at == 0 { first } else { "AND " };
                let what = if matches!(act, Act::Set(_)) { "SETTING" } else { "STATUS" };
                lines.push(format!("{join} LINK {} {what} IS {}", self.link(*link), self.act(*link, *act)));
            }
        }
        if rule.priority != 0.0 {
            lines.push(format!("PRIORITY {}", written(rule.priority)));
        }
        if rule.disabled {
            lines.push("DISABLED".to_owned());
        }
        lines.push(String::new());
        lines
    }

    fn premise(&mut self, premise: &Premise) -> String {
        let units = self.units;
        let (subject, word, factor) = match premise.of {
            Quantity::TotalDemand => ("SYSTEM".to_owned(), "DEMAND", units.m3s()),
            Quantity::Time => ("SYSTEM".to_owned(), "TIME", 1.0),
            Quantity::ClockTime => ("SYSTEM".to_owned(), "CLOCKTIME", 1.0),
            Quantity::Demand(at) => (self.subject_node(at), "DEMAND", units.m3s()),
            Quantity::Head(at) => (self.subject_node(at), "HEAD", units.m()),
            Quantity::Pressure(at) => (self.subject_node(at), "PRESSURE", units.head_m()),
            Quantity::Level(at) => (self.subject_node(at), "LEVEL", units.m()),
            Quantity::FillTime(at) => (self.subject_node(at), "FILLTIME", 3600.0),
            Quantity::DrainTime(at) => (self.subject_node(at), "DRAINTIME", 3600.0),
            Quantity::Flow(at) => (self.subject_link(at), "FLOW", units.m3s()),
            Quantity::Status(at) => (self.subject_link(at), "STATUS", 1.0),
            Quantity::Setting(at) => (self.subject_link(at), "SETTING", self.setting_factor(at)),
        };
        let relation = match premise.relation {
            Relation::Equal => "=",
            Relation::NotEqual => "<>",
            Relation::Below => "<",
            Relation::AtMost => "<=",
            Relation::Above => ">",
            Relation::AtLeast => ">=",
        };
        let value = match premise.wanted {
            Wanted::Open => "OPEN".to_owned(),
            Wanted::Closed => "CLOSED".to_owned(),
            Wanted::Active => "ACTIVE".to_owned(),
            Wanted::Number(seconds) if matches!(premise.of, Quantity::Time | Quantity::ClockTime) => {
                clock(seconds as i64)
            }
            Wanted::Number(value) => Self::number(value, factor),
        };
        format!("{subject} {word} {relation} {value}")
    }

    fn subject_node(&mut self, at: usize) -> String {
        let word = match self.file.network.nodes.get(at).map(|n| &n.kind) {
            Some(NodeKind::Tank(_)) => "TANK",
            Some(NodeKind::Reservoir { .. }) => "RESERVOIR",
            _ => "JUNCTION",
        };
        format!("{word} {}", self.node(at))
    }

    fn subject_link(&mut self, at: usize) -> String {
        let word = match self.file.network.links.get(at).map(|l| &l.kind) {
            Some(LinkKind::Pump(_)) => "PUMP",
            Some(LinkKind::Valve(_)) => "VALVE",
            _ => "LINK",
        };
        format!("{word} {}", self.link(at))
    }

    pub(super) fn energy(&mut self) {
        let energy = &self.file.timeline.energy;
        let mut global = |word: &str, value: String| {
            self.add_lines(S::Energy, format!("energy:GLOB:{}", &word[..4]), vec![format!("GLOBAL {word} {value}")]);
        };
        global("EFFIC", written(energy.efficiency * 100.0));
        global("PRICE", written(energy.price));
        if energy.pattern.is_some() {
            let line = format!("GLOBAL PATTERN {}", self.pattern(energy.pattern));
            self.add_lines(S::Energy, "energy:GLOB:PATT".to_owned(), vec![line]);
        }
        let charge = format!("DEMAND CHARGE {}", written(energy.demand_charge));
        self.add_lines(S::Energy, "energy:DEMA".to_owned(), vec![charge]);
        for pump in &energy.pumps {
            let (id, name) = (self.file.network.links.get(pump.link).map(|l| l.id.clone()), self.link(pump.link));
            let key = format!("energy:PUMP:{}", id.unwrap_or_default());
            if let Some(price) = pump.price {
                let line = format!("PUMP {name} PRICE {}", written(price));
                self.add_lines(S::Energy, format!("{key}:PRIC"), vec![line]);
            }
            if pump.pattern.is_some() {
                let line = format!("PUMP {name} PATTERN {}", self.pattern(pump.pattern));
                self.add_lines(S::Energy, format!("{key}:PATT"), vec![line]);
            }
        }
    }

    pub(super) fn option(&mut self, key: &str, name: &str, value: String) {
        self.add_lines(S::Options, format!("option:{key}"), vec![format!("{name:<20}{value}")]);
    }

    pub(super) fn options(&mut self) {
        let (file, units) = (self.file, self.units);
        let (options, settings) = (&file.network.options, &file.settings);
        self.option("UNIT", "UNITS", units.flow.name().to_owned());
        if let Some(pressure) = units.pressure {
            self.option("PRES", "PRESSURE", pressure.name().to_owned());
        }
        let formula = match self.formula() {
            LossFormula::HazenWilliams => "H-W",
            LossFormula::DarcyWeisbach => "D-W",
            LossFormula::ChezyManning => "C-M",
        };
        self.option("HEAD", "HEADLOSS", formula.to_owned());
        match &settings.hydraulics {
            Some(Hydraulics::Use(name)) => self.option("HYDR", "HYDRAULICS", format!("USE {}", quoted(name))),
            Some(Hydraulics::Save(name)) => self.option("HYDR", "HYDRAULICS", format!("SAVE {}", quoted(name))),
            None => {}
        }
        if let Some(map) = &settings.map {
            self.option("MAP", "MAP", quoted(map));
        }
        let quality = match &file.quality.mode {
            QualityMode::None => "NONE".to_owned(),
            QualityMode::Age => "AGE".to_owned(),
            QualityMode::Trace(node) => format!("TRACE {}", quoted(node)),
            QualityMode::Chemical { name, units } => format!("{} {units}", quoted(name)),
        };
        self.option("QUAL", "QUALITY", quality.trim_end().to_owned());
        let unbalanced = match file.timeline.unbalanced {
            Unbalanced::Stop => "STOP".to_owned(),
            Unbalanced::Continue(more) => format!("CONTINUE {more}"),
        };
        self.option("UNBA", "UNBALANCED", unbalanced);
        let pattern = match options.default_pattern {
            Some(_) => self.pattern(options.default_pattern),
            // A name that no pattern has: without it, EPANET would take the pattern `1`.
            None => {
                let taken = |name: &str| file.network.patterns.iter().any(|p| p.id == name);
                let mut name = "NONE".to_owned();
                while taken(&name) {
                    name.push('_');
                }
                name
            }
        };
        self.option("PATT", "PATTERN", pattern);
        self.option("DEMAMU", "DEMAND MULTIPLIER", written(options.demand_multiplier));
        self.option("EMIT", "EMITTER EXPONENT", written(options.emitter_exponent));
        if !options.emitter_backflow {
            self.option("BACK", "BACKFLOW ALLOWED", "NO".to_owned());
        }
        self.option("VISC", "VISCOSITY", Self::number(file.network.fluid.viscosity, VISCOSITY));
        self.option("SPEC", "SPECIFIC GRAVITY", written(units.specific_gravity));
        self.option("TRIA", "TRIALS", options.trials.to_string());
        self.option("ACCU", "ACCURACY", written(options.accuracy));
        if let DemandModel::PressureDriven { least, required, exponent } = options.demand_model {
            let head = units.head_m();
            self.option("DEMAMO", "DEMAND MODEL", "PDA".to_owned());
            self.option("MINI", "MINIMUM PRESSURE", Self::number(least, head));
            self.option("REQU", "REQUIRED PRESSURE", Self::number(required, head));
            self.option("PRESEX", "PRESSURE EXPONENT", written(exponent));
        }
        let numbers = [
            ("HEADER", "HEADERROR", settings.head_error_m.map(|v| v / units.m())),
            ("FLOW", "FLOWCHANGE", settings.flow_change_m3s.map(|v| v / units.m3s())),
            ("DIFF", "DIFFUSIVITY", settings.diffusivity.map(|v| v / DIFFUSIVITY)),
            ("TOLE", "TOLERANCE", file.quality.tolerance),
            ("CHEC", "CHECKFREQ", settings.check_frequency.map(f64::from)),
            ("MAXC", "MAXCHECK", settings.most_checks.map(f64::from)),
            ("DAMP", "DAMPLIMIT", settings.damp_limit),
        ];
        for (key, name, value) in numbers {
            if let Some(value) = value {
                self.option(key, name, written(value));
            }
        }
    }

    pub(super) fn times(&mut self) {
        let times = self.file.timeline.times;
        let statistic = match times.statistic {
            Statistic::None => "NONE",
            Statistic::Average => "AVERAGED",
            Statistic::Minimum => "MINIMUM",
            Statistic::Maximum => "MAXIMUM",
            Statistic::Range => "RANGE",
        };
        let all = [
            ("DURA", "DURATION", clock(times.duration)),
            ("HYDR", "HYDRAULIC TIMESTEP", clock(times.hydraulic_step)),
            ("QUAL", "QUALITY TIMESTEP", clock(times.quality_step)),
            ("RULE", "RULE TIMESTEP", clock(times.rule_step)),
            ("PATTTI", "PATTERN TIMESTEP", clock(times.pattern_step)),
            ("PATTST", "PATTERN START", clock(times.pattern_start)),
            ("REPOTI", "REPORT TIMESTEP", clock(times.report_step)),
            ("REPOST", "REPORT START", clock(times.report_start)),
            ("STAR", "START CLOCKTIME", clock(times.clock_start)),
            ("STAT", "STATISTIC", statistic.to_owned()),
        ];
        for (key, name, value) in all {
            self.add_lines(S::Times, format!("time:{key}"), vec![format!("{name:<20}{value}")]);
        }
    }
}
