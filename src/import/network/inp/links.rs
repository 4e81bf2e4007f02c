//! `[PIPES]`, `[PUMPS]`, `[VALVES]`, `[STATUS]` and `[LEAKAGE]`.

use super::document::Row;
use super::reader::{Named, Reader};
use super::words::{self, is};
use crate::simulation::network::{
    Command, CurveKind, Friction, Leak, Link, LinkKind, LossFormula, NodeKind, Pipe, Pump, PumpHead, Valve, ValveKind,
};

/// What a pipe without length is taken to be long, m: a joint, not a wall.
const SHORTEST_M: f64 = 0.01;

/// The words for the kinds of valves.
pub(super) const VALVE_WORDS: [(&str, ValveKind); 7] = [
    ("PRV", ValveKind::PressureReducing),
    ("PSV", ValveKind::PressureSustaining),
    ("PBV", ValveKind::PressureBreaker),
    ("FCV", ValveKind::FlowControl),
    ("TCV", ValveKind::Throttle),
    ("GPV", ValveKind::GeneralPurpose { curve: 0 }),
    ("PCV", ValveKind::PositionalControl { curve: None }),
];

impl Reader {
    /// Adds a link whose line can be read, or remembers that it is left out.
    fn add_link(&mut self, row: &Row<'_>, read: impl FnOnce(&mut Self) -> Option<(LinkKind, Command, f64)>) {
        let Some(id) = self.new_id(row, Named::Link) else { return };
        let link = self.ends(row).and_then(|(from, to)| {
            let (kind, command, setting) = read(self)?;
            Some(Link { id: id.clone(), from, to, kind, command, setting, head_gain: 0.0 })
        });
        match link {
            Some(link) => {
                self.add_id(row, &id, Named::Link);
                self.out.network.links.push(link);
            }
            None => _ = self.left_out.insert(id),
        }
    }

    fn ends(&mut self, row: &Row<'_>) -> Option<(usize, usize)> {
        if row.words.len() < 3 {
            let message = format!("the link {:?} lacks its two nodes", Self::word(row, 0));
            self.refuse(row.line, message, "write the nodes at its ends; the line is left out");
            return None;
        }
        let (from, to) = (self.node(row, 1)?, self.node(row, 2)?);
        if from == to {
            let message = format!("the link {} begins and ends at the same node", Self::word(row, 0));
            self.refuse(row.line, message, "join it to another node; the line is left out");
            return None;
        }
        Some((from, to))
    }

    /// `id from to length diameter roughness (minor loss) (status)`
    pub(super) fn pipe(&mut self, row: &Row<'_>) {
        self.add_link(row, |reader| reader.pipe_of(row));
    }

    fn pipe_of(&mut self, row: &Row<'_>) -> Option<(LinkKind, Command, f64)> {
        let units = self.out.units;
        let metric = units.flow.metric();
        let id = Self::word(row, 0);
        let formula = self.out.network.options.formula;
        let mut length = self.number_or(row, 3, "length", if metric { 100.0 } else { 330.0 })? * units.m();
        let diameter = self.number_or(row, 4, "diameter", if metric { 254.0 } else { 10.0 })? * units.diameter_m();
        let usual = match formula {
            LossFormula::HazenWilliams => 130.0,
            LossFormula::DarcyWeisbach => 0.0005,
            LossFormula::ChezyManning => 0.01,
        };
        let roughness = self.number_or(row, 5, "roughness", usual)?;
        if diameter <= 0.0 {
            let message = format!("the pipe {id} has a diameter of {}: nothing can flow", Self::word(row, 4));
            self.refuse(row.line, message, "write its inner diameter; the line is left out");
            return None;
        }
        if length <= 0.0 {
            let message = format!("the pipe {id} has a length of {}", Self::word(row, 3));
            self.warn(row.line, message, "write its length; 0.01 m is taken");
            length = SHORTEST_M;
        }
        if roughness < 0.0 || (roughness == 0.0 && formula != LossFormula::DarcyWeisbach) {
            let message = format!("the pipe {id} has a roughness of {}", Self::word(row, 5));
            self.refuse(row.line, message, "write a roughness above 0; the line is left out");
            return None;
        }
        let friction = match formula {
            LossFormula::HazenWilliams => Friction::HazenWilliams(roughness),
            LossFormula::DarcyWeisbach => Friction::DarcyWeisbach(roughness * units.roughness_m()),
            LossFormula::ChezyManning => Friction::ChezyManning(roughness),
        };
        let mut pipe = Pipe { length, diameter, friction, minor: 0.0, check: false, leak: None };
        let mut command = Command::Auto;
        // A status may stand where the minor loss does.
        let alone = row.words.len() == 7 && !Self::is_number(Self::word(row, 6));
        if row.words.len() > 6 && !alone {
            pipe.minor = self.positive(row, 6, "minor loss")?;
        }
        match Self::word(row, if alone { 6 } else { 7 }) {
            "" => {}
            w if is(w, "CV") => pipe.check = true,
            w if is(w, "CLOS") => command = Command::Closed,
            w if is(w, "OPEN") => {}
            w => {
                let message = format!("{w:?} is no status of a pipe");
                self.warn(row.line, message, "write OPEN, CLOSED or CV; OPEN is taken");
            }
        }
        Some((LinkKind::Pipe(pipe), command, 0.0))
    }

    /// `id from to (HEAD curve | POWER p) (SPEED s) (PATTERN p)`, or the numbers of EPANET 1.
    pub(super) fn pump(&mut self, row: &Row<'_>) {
        self.add_link(row, |reader| reader.pump_of(row));
    }

    fn pump_of(&mut self, row: &Row<'_>) -> Option<(LinkKind, Command, f64)> {
        let id = Self::word(row, 0);
        let (mut head, mut speed, mut pattern) = (None, 1.0, None);
        if row.words.len() > 3 && Self::is_number(Self::word(row, 3)) {
            head = self.old_pump(row);
            head?;
        }
        let mut at = if head.is_some() { row.words.len() } else { 3 };
        while at < row.words.len() {
            let value = at + 1;
            match Self::word(row, at) {
                w if is(w, "POWER") => {
                    let power = self.positive(row, value, "power")?;
                    // Chosen so that power over flow gives the head it gives in EPANET.
                    head = Some(PumpHead::Power(power * self.out.units.lift_m4s() * self.out.network.pa_per_m()));
                }
                w if is(w, "HEAD") => head = Some(PumpHead::Curve(self.curve(row, value, CurveKind::PumpHead)?)),
                w if is(w, "SPEE") => speed = self.positive(row, value, "speed")?,
                w if is(w, "PATT") => pattern = self.pattern(row, value),
                w => {
                    let message = format!("{w:?} says nothing about the pump {id}");
                    self.refuse(row.line, message, "write HEAD, POWER, SPEED or PATTERN; the line is left out");
                    return None;
                }
            }
            at += 2;
        }
        let Some(head) = head else {
            let message = format!("the pump {id} has neither a curve nor a power");
            self.refuse(row.line, message, "write HEAD and the name of a curve, or POWER; the line is left out");
            return None;
        };
        Some((LinkKind::Pump(Pump { head, efficiency: None, pattern }), Command::Auto, speed))
    }

    /// EPANET 1: a power; or design head and flow; or shut-off head, design head and flow, greatest flow.
    fn old_pump(&mut self, row: &Row<'_>) -> Option<PumpHead> {
        let values: Vec<f64> = row.words.iter().skip(3).map_while(|w| words::number(w)).collect();
        let points = match values.as_slice() {
            [power] => {
                return Some(PumpHead::Power(power * self.out.units.lift_m4s() * self.out.network.pa_per_m()));
            }
            [head, flow] => vec![(*flow, *head)],
            [shut_off, head, flow, _, greatest, ..] => vec![(0.0, *shut_off), (*flow, *head), (*greatest, 0.0)],
            _ => {
                let message = format!("the numbers of the pump {} make no curve", Self::word(row, 0));
                self.refuse(row.line, message, "write HEAD and the name of a curve; the line is left out");
                return None;
            }
        };
        let id = format!("{}~pump", Self::word(row, 0));
        let at = self.out.network.curves.len();
        let curve = crate::simulation::network::Curve { id: id.clone(), kind: CurveKind::PumpHead, points };
        self.out.network.curves.push(curve);
        self.curves.insert(id, at);
        self.curve_uses.insert(at, CurveKind::PumpHead);
        Some(PumpHead::Curve(at))
    }

    /// `id from to diameter type setting (minor loss) (curve)`
    pub(super) fn valve(&mut self, row: &Row<'_>) {
        self.add_link(row, |reader| reader.valve_of(row));
    }

    fn valve_of(&mut self, row: &Row<'_>) -> Option<(LinkKind, Command, f64)> {
        let id = Self::word(row, 0);
        let units = self.out.units;
        let diameter = self.number(row, 3, "diameter")? * units.diameter_m();
        if diameter <= 0.0 {
            let message = format!("the valve {id} has a diameter of {}: nothing can flow", Self::word(row, 3));
            self.refuse(row.line, message, "write its diameter; the line is left out");
            return None;
        }
        let word = Self::word(row, 4);
        let Some((_, mut kind)) = VALVE_WORDS.iter().find(|(name, _)| is(word, name)).copied() else {
            let message = format!("{word:?} is no type of valve");
            self.refuse(row.line, message, "write PRV, PSV, PBV, FCV, TCV, GPV or PCV; the line is left out");
            return None;
        };
        let mut setting = 0.0;
        if let ValveKind::GeneralPurpose { curve } = &mut kind {
            *curve = self.curve(row, 5, CurveKind::HeadLoss)?;
        } else {
            setting = self.number_or(row, 5, "setting", 0.0)? * self.setting_factor(kind);
        }
        let minor = if row.words.len() > 6 { self.positive(row, 6, "minor loss")? } else { 0.0 };
        if let ValveKind::PositionalControl { curve } = &mut kind {
            setting = setting.clamp(0.0, 1.0);
            if row.words.len() > 7 {
                *curve = Some(self.curve(row, 7, CurveKind::Opening)?);
            }
        }
        Some((LinkKind::Valve(Valve { kind, diameter, minor }), Command::Auto, setting))
    }

    /// What a valve's setting is multiplied by to be SI.
    pub(super) fn setting_factor(&self, kind: ValveKind) -> f64 {
        setting_factor(kind, &self.out.units)
    }

    /// `link status`, or `first last status`
    pub(super) fn status(&mut self, row: &Row<'_>) {
        let last = row.words.len().saturating_sub(1);
        let word = Self::word(row, last);
        let wanted = match word {
            w if is(w, "OPEN") => Wanted::Open,
            w if is(w, "CLOS") => Wanted::Closed,
            w if last > 0 && is(w, "ACTIVE") => Wanted::Active,
            _ if last == 0 => {
                let message = format!("the status of {word:?} is missing");
                return self.refuse(row.line, message, "write OPEN, CLOSED or a setting after the link's name");
            }
            _ => match self.positive(row, last, "status") {
                Some(value) => Wanted::Value(value),
                None => return,
            },
        };
        if last == 1 {
            let Some(at) = self.link(row, 0) else { return };
            return self.set_status(row, at, wanted, true);
        }
        let (from, to) = (Self::word(row, 0), Self::word(row, 1));
        let found: Vec<usize> = (self.out.network.links.iter().enumerate())
            .filter(|(_, l)| Self::in_range(&l.id, from, to))
            .map(|(at, _)| at)
            .collect();
        if found.is_empty() {
            let message = format!("there is no link from {from:?} to {to:?}");
            self.warn(row.line, message, "name links that are there");
        }
        for at in found {
            self.set_status(row, at, wanted, false);
        }
    }

    fn set_status(&mut self, row: &Row<'_>, at: usize, wanted: Wanted, alone: bool) {
        let units = self.out.units;
        let Some(link) = self.out.network.links.get_mut(at) else { return };
        let refused = match (&link.kind, wanted) {
            (LinkKind::Pipe(pipe), _) if pipe.check => alone.then_some("a check valve works by itself"),
            (LinkKind::Pipe(_), Wanted::Value(_)) => None,
            (LinkKind::Valve(v), Wanted::Value(_)) if matches!(v.kind, ValveKind::GeneralPurpose { .. }) => {
                alone.then_some("a GPV works by its curve and has no other setting")
            }
            (LinkKind::Pump(_), Wanted::Open) => {
                (link.command, link.setting) = (Command::Auto, 1.0);
                None
            }
            (LinkKind::Pump(_), Wanted::Value(speed)) => {
                link.command = if speed == 0.0 { Command::Closed } else { Command::Auto };
                link.setting = speed;
                None
            }
            (LinkKind::Valve(v), Wanted::Value(value)) => {
                link.setting = value * setting_factor(v.kind, &units);
                link.command = Command::Auto;
                None
            }
            // An open GPV is one that works by its curve.
            (LinkKind::Valve(v), Wanted::Open) if !matches!(v.kind, ValveKind::GeneralPurpose { .. }) => {
                link.command = Command::Open;
                None
            }
            (_, Wanted::Closed) => {
                link.command = Command::Closed;
                None
            }
            _ => {
                link.command = Command::Auto;
                None
            }
        };
        if let Some(why) = refused {
            let message = format!("the status of {} cannot be set: {why}", Self::word(row, 0));
            self.warn(row.line, message, "take the line away");
        }
    }

    /// `pipe area expansion`
    pub(super) fn leakage(&mut self, row: &Row<'_>) {
        let Some(at) = self.link(row, 0) else { return };
        let Some(area) = self.positive(row, 1, "leak area") else { return };
        let Some(expansion) = self.positive(row, 2, "leak expansion") else { return };
        let per = self.out.units.leak_m2_m();
        match self.out.network.links.get_mut(at).map(|l| &mut l.kind) {
            Some(LinkKind::Pipe(pipe)) => {
                let leak = Leak { area: area * per, expansion: expansion * per };
                pipe.leak = (area > 0.0 || expansion > 0.0).then_some(leak);
            }
            _ => {
                let message = format!("{} is no pipe: it does not leak", Self::word(row, 0));
                self.warn(row.line, message, "take the line away");
            }
        }
    }

    /// What can only be seen when everything is read.
    pub(super) fn check_network(&mut self) {
        let network = &self.out.network;
        let mut told = Vec::new();
        let holds =
            |kind: &LinkKind, wanted: &[ValveKind]| matches!(kind, LinkKind::Valve(v) if wanted.contains(&v.kind));
        let (prv, psv) = (ValveKind::PressureReducing, ValveKind::PressureSustaining);
        let mut held = rustc_hash::FxHashMap::<usize, &str>::default();
        for link in network.links.iter().filter(|l| holds(&l.kind, &[prv])) {
            if let Some(other) = held.insert(link.to, &link.id) {
                told.push((
                    link.id.clone(),
                    format!("the PRVs {other} and {} hold the pressure of the same node", link.id),
                ));
            }
        }
        for link in &network.links {
            if holds(&link.kind, &[prv])
                && let Some(other) = held.get(&link.from)
            {
                told.push((
                    link.id.clone(),
                    format!("the PRVs {other} and {} stand in series without a pipe between", link.id),
                ));
            }
            let fixed = |at: usize| network.nodes.get(at).is_some_and(|n| !matches!(n.kind, NodeKind::Junction(_)));
            if holds(&link.kind, &[prv, psv, ValveKind::FlowControl]) && (fixed(link.from) || fixed(link.to)) {
                let message =
                    format!("the valve {} stands at a tank or reservoir: it has no pressure to hold there", link.id);
                told.push((link.id.clone(), message));
            }
        }
        let sources = network.nodes.iter().any(|n| !matches!(n.kind, NodeKind::Junction(_)));
        let (nodes, links) = (network.nodes.len(), network.links.len());
        for (id, message) in told {
            self.warn_of(Named::Link, &id, message, "put a pipe between, or use another type of valve");
        }
        if nodes == 0 || links == 0 {
            self.warn_of(Named::Node, "", format!("it has {nodes} nodes and {links} links"), "add what is missing");
        } else if !sources {
            let message = "it has no tank and no reservoir: nothing says what its pressure is".to_owned();
            self.warn_of(Named::Node, "", message, "add a reservoir where the water comes from");
        }
    }
}

/// A status as `[STATUS]` says it.
#[derive(Clone, Copy)]
enum Wanted {
    Open,
    Closed,
    Active,
    Value(f64),
}

/// What a valve's setting is multiplied by to be SI.
pub(super) fn setting_factor(kind: ValveKind, units: &super::units::Units) -> f64 {
    match kind {
        ValveKind::PressureReducing | ValveKind::PressureSustaining | ValveKind::PressureBreaker => units.head_m(),
        ValveKind::FlowControl => units.m3s(),
        ValveKind::PositionalControl { .. } => 0.01,
        ValveKind::Throttle | ValveKind::GeneralPurpose { .. } => 1.0,
    }
}
