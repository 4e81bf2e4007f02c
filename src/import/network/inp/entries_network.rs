//! The entries of nodes, links, patterns and curves.

use super::data::{CURVE_WORDS, curve_factors};
use super::document::SectionKind as S;
use super::entries::Maker;
use super::links::{VALVE_WORDS, setting_factor};
use super::words::written;
use crate::problem::Problem;
use crate::simulation::network::{
    Characteristic, Command, Curve, CurveKind, Friction, Junction, Link, LinkKind, LossFormula, Node, NodeKind, Pipe,
    Pump, PumpHead, TankShape, Valve, ValveKind,
};

/// Multipliers on a line of a pattern.
const FACTORS_A_LINE: usize = 6;
/// The diameter that what has none is written with, m: its loss coefficient is worked out for it.
const NOMINAL_M: f64 = 0.1;

fn formula_of(friction: Friction) -> LossFormula {
    match friction {
        Friction::HazenWilliams(_) => LossFormula::HazenWilliams,
        Friction::DarcyWeisbach(_) => LossFormula::DarcyWeisbach,
        Friction::ChezyManning(_) => LossFormula::ChezyManning,
    }
}

impl Maker<'_> {
    pub(super) fn title(&mut self) {
        let lines: Vec<String> = self.file.network.title.lines().map(|l| l.replace(['[', ';'], "(")).collect();
        self.add_lines(S::Title, "title".to_owned(), lines);
    }

    pub(super) fn nodes(&mut self) {
        let file = self.file;
        for node in &file.network.nodes {
            match &node.kind {
                NodeKind::Junction(junction) => self.junction(node, junction),
                NodeKind::Reservoir { pattern } => {
                    let words =
                        vec![self.name(&node.id), Self::number(node.elevation, self.units.m()), self.pattern(*pattern)];
                    self.line(S::Reservoirs, format!("node:{}", node.id), words);
                }
                NodeKind::Tank(tank) => {
                    let (m, m3) = (self.units.m(), self.units.m3());
                    let mut words = vec![self.name(&node.id)];
                    words.extend(
                        [node.elevation, tank.initial_level, tank.minimum_level, tank.maximum_level]
                            .map(|v| Self::number(v, m)),
                    );
                    let (diameter, curve) = match tank.shape {
                        TankShape::Cylinder(diameter) => {
                            (diameter, if tank.overflow { "*".to_owned() } else { String::new() })
                        }
                        // EPANET wants a diameter above zero of every tank, and does not use it here.
                        TankShape::Curve(at) => (10.0 * m, self.curve(at)),
                    };
                    words.extend([Self::number(diameter, m), Self::number(tank.minimum_volume, m3), curve]);
                    words.push(if tank.overflow { "YES".to_owned() } else { String::new() });
                    self.line(S::Tanks, format!("node:{}", node.id), words);
                }
            }
        }
    }

    fn junction(&mut self, node: &Node, junction: &Junction) {
        let id = self.name(&node.id);
        let mut words = vec![id.clone(), Self::number(node.elevation, self.units.m())];
        let m3s = self.units.m3s();
        match junction.demands.as_slice() {
            [] => {}
            [one] if one.category.is_empty() && !self.style.demands.contains(&node.id) => {
                words.extend([Self::number(one.base, m3s), self.pattern(one.pattern)]);
            }
            several => {
                let mut lines = Vec::new();
                for demand in several {
                    let mut line = vec![id.clone(), Self::number(demand.base, m3s), self.pattern(demand.pattern)];
                    if !demand.category.is_empty() {
                        line.push(format!(";{}", demand.category));
                    }
                    lines.push(line.join("\t").trim_end().to_owned());
                }
                self.add_lines(S::Demands, format!("demand:{}", node.id), lines);
            }
        }
        self.line(S::Junctions, format!("node:{}", node.id), words);
        if let Some(emitter) = junction.emitter {
            let exponent = self.file.network.options.emitter_exponent;
            let value = emitter.coefficient * self.units.emitter_head_m().powf(exponent);
            self.add(S::Emitters, format!("emitter:{}", node.id), &[id, Self::number(value, m3s)]);
        }
    }

    /// The formula of all pipes: that of the options, unless they agree on another.
    pub(super) fn formula(&self) -> LossFormula {
        let network = &self.file.network;
        let mut formulas = network.links.iter().filter_map(|l| match &l.kind {
            LinkKind::Pipe(pipe) => Some(formula_of(pipe.friction)),
            _ => None,
        });
        let Some(first) = formulas.next() else { return network.options.formula };
        if formulas.all(|f| f == first) { first } else { network.options.formula }
    }

    pub(super) fn links(&mut self) {
        let file = self.file;
        let formula = self.formula();
        let others = file.network.links.iter().filter(|l| match &l.kind {
            LinkKind::Pipe(pipe) => formula_of(pipe.friction) != formula,
            _ => false,
        });
        if let Some(first) = others.clone().next() {
            let message = format!("{} pipes have a friction of another formula than the rest", others.count());
            self.problems.push(Problem::error(&first.id, message, "an INP file holds one: give all pipes the same"));
        }
        for link in &file.network.links {
            let words = vec![self.name(&link.id), self.node(link.from), self.node(link.to)];
            match &link.kind {
                LinkKind::Pipe(pipe) => self.pipe(link, pipe, words),
                LinkKind::Pump(pump) => self.pump(link, pump, words),
                LinkKind::Valve(valve) => self.valve(link, valve, words),
                other => self.other(link, other, words),
            }
            if link.head_gain != 0.0 {
                let message = format!("{} has a head put in by stack or wind, which INP cannot hold", link.id);
                self.problems.push(Problem::warning(&link.id, message, "the file gives other heads"));
            }
        }
    }

    fn pipe(&mut self, link: &Link, pipe: &Pipe, mut words: Vec<String>) {
        let units = self.units;
        let roughness = match pipe.friction {
            Friction::HazenWilliams(c) => written(c),
            Friction::DarcyWeisbach(e) => Self::number(e, units.roughness_m()),
            Friction::ChezyManning(n) => written(n),
        };
        words.extend([
            Self::number(pipe.length, units.m()),
            Self::number(pipe.diameter, units.diameter_m()),
            roughness,
            written(pipe.minor),
        ]);
        let closed = link.command == Command::Closed;
        let elsewhere = self.style.status.contains(&link.id);
        words.push(match (pipe.check, closed && !elsewhere) {
            (true, _) => "CV".to_owned(),
            (false, true) => "Closed".to_owned(),
            (false, false) => "Open".to_owned(),
        });
        if elsewhere && !pipe.check {
            let status = if closed { "Closed" } else { "Open" };
            self.add(S::Status, format!("status:{}", link.id), &[words[0].clone(), status.to_owned()]);
        }
        if let Some(leak) = pipe.leak {
            let per = units.leak_m2_m();
            let leak = [words[0].clone(), Self::number(leak.area, per), Self::number(leak.expansion, per)];
            self.add(S::Leakage, format!("leak:{}", link.id), &leak);
        }
        self.line(S::Pipes, format!("link:{}", link.id), words);
    }

    fn pump(&mut self, link: &Link, pump: &Pump, mut words: Vec<String>) {
        let id = words[0].clone();
        match pump.head {
            PumpHead::Curve(at) => words.extend(["HEAD".to_owned(), self.curve(at)]),
            PumpHead::Power(watts) => {
                let one = self.units.lift_m4s() * self.file.network.pa_per_m();
                words.extend(["POWER".to_owned(), Self::number(watts, one)]);
            }
        }
        if link.setting != 1.0 {
            words.extend(["SPEED".to_owned(), written(link.setting)]);
        }
        if pump.pattern.is_some() {
            words.extend(["PATTERN".to_owned(), self.pattern(pump.pattern)]);
        }
        if link.command == Command::Closed {
            self.add(S::Status, format!("status:{}", link.id), &[id.clone(), "Closed".to_owned()]);
        } else if self.style.status.contains(&link.id) {
            self.add(S::Status, format!("status:{}", link.id), &[id.clone(), written(link.setting)]);
        }
        if let Some(curve) = pump.efficiency {
            let words = ["PUMP".to_owned(), id, "EFFIC".to_owned(), self.curve(curve)];
            self.add(S::Energy, format!("energy:PUMP:{}:EFFI", link.id), &words);
        }
        self.line(S::Pumps, format!("link:{}", link.id), words);
    }

    fn valve(&mut self, link: &Link, valve: &Valve, mut words: Vec<String>) {
        let id = words[0].clone();
        let same = |kind: &ValveKind| std::mem::discriminant(kind) == std::mem::discriminant(&valve.kind);
        let name = VALVE_WORDS.iter().find(|(_, kind)| same(kind)).map_or("TCV", |(name, _)| name);
        let setting = Self::number(link.setting, setting_factor(valve.kind, &self.units));
        words.extend([Self::number(valve.diameter, self.units.diameter_m()), name.to_owned()]);
        match valve.kind {
            ValveKind::GeneralPurpose { curve } => words.extend([self.curve(curve), written(valve.minor)]),
            ValveKind::PositionalControl { curve: Some(curve) } => {
                words.extend([setting.clone(), written(valve.minor), self.curve(curve)]);
            }
            _ => words.extend([setting.clone(), written(valve.minor)]),
        }
        self.line(S::Valves, format!("link:{}", link.id), words);
        let status = match link.command {
            Command::Open => "Open".to_owned(),
            Command::Closed => "Closed".to_owned(),
            Command::Auto if !self.style.status.contains(&link.id) => return,
            Command::Auto if matches!(valve.kind, ValveKind::GeneralPurpose { .. }) => "Open".to_owned(),
            Command::Auto => setting,
        };
        self.add(S::Status, format!("status:{}", link.id), &[id, status]);
    }

    /// What INP has no word for: a square loss is a throttle valve, the rest is left out.
    fn other(&mut self, link: &Link, kind: &LinkKind, mut words: Vec<String>) {
        let density = self.file.network.fluid.density;
        // Pa at 1 m³/s.
        let loss = match kind {
            LinkKind::Resistance(r) if r.exponent == 2.0 && !r.check => Some(r.k),
            LinkKind::Kv(valve) if !valve.check => {
                let open = if link.command == Command::Open { 1.0 } else { link.setting.clamp(0.0, 1.0) };
                let share = match valve.characteristic {
                    Characteristic::Linear => open,
                    Characteristic::EqualPercentage(r) => r.max(1.0).powf(open - 1.0),
                    Characteristic::Curve(_) => 1.0,
                };
                let kv = (valve.kvs * share).max(valve.leak_kv);
                (kv > 0.0).then(|| 1e5 * (3600.0 / kv).powi(2) * density / 1000.0)
            }
            _ => None,
        };
        let Some(loss) = loss else {
            let message = format!("{} is of a kind that INP cannot hold; it is left out", link.id);
            self.problems.push(Problem::error(&link.id, message, "replace it by a pipe, pump or valve"));
            return;
        };
        let area = 0.25 * std::f64::consts::PI * NOMINAL_M * NOMINAL_M;
        let k = 2.0 * loss * area * area / density;
        let id = words[0].clone();
        words.extend([Self::number(NOMINAL_M, self.units.diameter_m()), "TCV".to_owned(), written(k), "0".to_owned()]);
        self.line(S::Valves, format!("link:{}", link.id), words);
        if link.command == Command::Closed {
            self.add(S::Status, format!("status:{}", link.id), &[id, "Closed".to_owned()]);
        }
        let message = format!("{} is written as a throttle valve with the same loss", link.id);
        self.problems.push(Problem::info(&link.id, message, ""));
    }

    pub(super) fn tables(&mut self) {
        let file = self.file;
        for pattern in &file.network.patterns {
            let name = self.name(&pattern.id);
            let lines = (pattern.factors.chunks(FACTORS_A_LINE))
                .map(|factors| factors.iter().fold(name.clone(), |line, f| line + "\t" + &written(*f)))
                .collect();
            self.add_lines(S::Patterns, format!("pattern:{}", pattern.id), lines);
        }
        for curve in &file.network.curves {
            let lines = self.curve_lines(curve);
            self.add_lines(S::Curves, format!("curve:{}", curve.id), lines);
        }
    }

    fn curve_lines(&mut self, curve: &Curve) -> Vec<String> {
        let name = self.name(&curve.id);
        let (fx, fy) = curve_factors(curve.kind, &self.units);
        let kind = CURVE_WORDS.iter().find(|(_, kind)| *kind == curve.kind && *kind != CurveKind::Generic);
        let mut lines: Vec<String> = (curve.points.iter())
            .map(|(x, y)| [name.clone(), Self::number(*x, fx), Self::number(*y, fy)].join("\t"))
            .collect();
        if let (Some((word, _)), Some(first)) = (kind, lines.first_mut()) {
            *first += "\t";
            *first += word;
        }
        lines
    }
}
