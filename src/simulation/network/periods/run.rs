//! A run through time, a step at a time. It says what holds at a moment ([`Run::begin`]); somebody solves
//! that; it takes the solution and says how long it holds ([`Run::advance`]). Which moments these are is
//! EPANET's ("EPANET 2.2 User Manual", chapter 12): the next of a hydraulic step, a pattern period, a
//! report, a tank that is full or empty, a control, a rule.

use super::energy::PumpUse;
use super::tanks::{self, Filling, STILL_M3S};
use super::timeline::{Act, Control, Timeline, Times, Unbalanced, When};
use crate::simulation::network::{
    Boundary, Command, Demand, LinkKind, Network, NodeKind, Pattern, Pump, Solution, Status, Tank, ValveKind,
};

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// How near a pressure must come to that of a control, m (0.0005 ft, as in EPANET).
const NEAR_M: f64 = 0.0005 * 0.3048;
/// How often one moment may be solved anew because a pressure switched a link.
const MOST_SWITCHES: u32 = 20;

/// A network on its way through time.
#[derive(Clone, Debug)]
pub struct Run<'n> {
    pub(super) network: &'n Network,
    pub(super) timeline: &'n Timeline,
    pub(super) times: Times,
    /// Seconds from the start.
    pub(super) now: i64,
    report_due: i64,
    /// What holds now.
    pub(super) boundary: Boundary,
    pub(super) tanks: Vec<Filling>,
    /// Net inflow of each node at the last moment, m³/s: of tanks what fills them, else the demand.
    pub(super) demand: Vec<f64>,
    /// Heads, flows and status of the last moment; rules look at them while tanks go on filling.
    pub(super) head: Vec<f64>,
    pub(super) flow: Vec<f64>,
    pub(super) status: Vec<Status>,
    /// Sum of all demands that flow out now, m³/s.
    pub(super) total_demand: f64,
    /// What each pattern multiplies with now; 1 at the end, for what has no pattern.
    multipliers: Vec<f64>,
    /// Parts of demands: pattern by its place in `multipliers`, base; and the nodes that have any, each with the
    /// end of its parts.
    parts: Vec<(u32, f64)>,
    drawing: Vec<(u32, u32)>,
    /// Reservoirs and pumps that follow a pattern.
    patterned: (Vec<u32>, Vec<u32>),
    pumps: Vec<PumpUse>,
    peak_kw: f64,
    switches: u32,
    ended: bool,
}

/// A pattern's multiplier in a period; 1 where it has none.
pub(super) fn factor(pattern: &Pattern, period: i64) -> f64 {
    let length = i64::try_from(pattern.factors.len()).unwrap_or(1).max(1);
    let at = usize::try_from(period.rem_euclid(length)).unwrap_or(0);
    pattern.factors.get(at).copied().unwrap_or(1.0)
}

impl<'n> Run<'n> {
    /// At the start.
    pub fn new(network: &'n Network, timeline: &'n Timeline) -> Self {
        let times = timeline.times.settled();
        let mut boundary = network.boundary();
        for (link, setting) in network.links.iter().zip(&mut boundary.setting) {
            // A stopped pump has no speed.
            if matches!(link.kind, LinkKind::Pump(_)) && link.command == Command::Closed {
                *setting = 0.0;
            }
        }
        let pumps = (network.links.iter().enumerate())
            .filter(|(_, l)| matches!(l.kind, LinkKind::Pump(_)))
            .map(|(at, _)| PumpUse::new(at))
            .collect();
        let none = network.patterns.len() as u32;
        let place = |pattern: Option<usize>| pattern.map_or(none, |p| (p as u32).min(none));
        let (mut parts, mut drawing) = (Vec::new(), Vec::new());
        for (node, at) in network.nodes.iter().zip(0u32..) {
            let NodeKind::Junction(junction) = &node.kind else { continue };
            let of = |d: &Demand| (place(d.pattern.or(network.options.default_pattern)), d.base);
            parts.extend(junction.demands.iter().map(of));
            if !junction.demands.is_empty() {
                drawing.push((at, parts.len() as u32));
            }
        }
        let reservoirs = (network.nodes.iter().zip(0u32..))
            .filter(|(n, _)| matches!(n.kind, NodeKind::Reservoir { pattern: Some(_) }))
            .map(|(_, at)| at);
        let pumped = (network.links.iter().zip(0u32..))
            .filter(|(l, _)| matches!(l.kind, LinkKind::Pump(Pump { pattern: Some(_), .. })))
            .map(|(_, at)| at);
        let patterned = (reservoirs.collect(), pumped.collect());
        let status =
            network.links.iter().map(|l| if l.command == Command::Closed { Status::Closed } else { Status::Open });
        Self {
            network,
            timeline,
            times,
            now: 0,
            report_due: times.report_step,
            tanks: tanks::fillings(network),
            demand: vec![0.0; network.nodes.len()],
            head: boundary.head.clone(),
            flow: vec![0.0; network.links.len()],
            status: status.collect(),
            boundary,
            total_demand: 0.0,
            multipliers: Vec::with_capacity(network.patterns.len() + 1),
            parts,
            drawing,
            patterned,
            pumps,
            peak_kw: 0.0,
            switches: 0,
            ended: false,
        }
    }

    /// Seconds from the start.
    pub fn seconds(&self) -> i64 {
        self.now
    }

    /// What the pumps have taken.
    pub fn pumps(&self) -> &[PumpUse] {
        &self.pumps
    }

    /// Greatest power of all pumps together, kW.
    pub fn peak_kw(&self) -> f64 {
        self.peak_kw
    }

    /// What holds now: demands, heads of reservoirs and pumps by their patterns, tanks by what is in them,
    /// links by the controls. Nothing where the run has ended.
    pub fn begin(&mut self) -> Option<&Boundary> {
        if self.ended {
            return None;
        }
        self.switches = 0;
        let (network, period) = (self.network, self.period());
        self.take_demands(period);
        for at in self.patterned.0.iter().map(|&at| at as usize) {
            if let Some(node) = network.nodes.get(at)
                && let NodeKind::Reservoir { pattern: Some(pattern) } = &node.kind
                && let (Some(pattern), Some(head)) = (network.patterns.get(*pattern), self.boundary.head.get_mut(at))
            {
                *head = node.elevation * factor(pattern, period);
            }
        }
        for k in 0..self.patterned.1.len() {
            let at = self.patterned.1.get(k).map_or(0, |&at| at as usize);
            if let Some(LinkKind::Pump(pump)) = network.links.get(at).map(|l| &l.kind)
                && let Some(pattern) = pump.pattern.and_then(|p| network.patterns.get(p))
            {
                self.act(at, Act::Set(factor(pattern, period)));
            }
        }
        let timeline = self.timeline;
        for control in timeline.controls.iter().filter(|c| c.enabled) {
            if self.holds(control) {
                self.act(control.link, control.act);
            }
        }
        Some(&self.boundary)
    }

    /// What holds now, again.
    pub fn boundary(&self) -> &Boundary {
        &self.boundary
    }

    fn period(&self) -> i64 {
        (self.now + self.times.pattern_start) / self.times.pattern_step
    }

    fn take_demands(&mut self, period: i64) {
        let options = &self.network.options;
        self.total_demand = 0.0;
        let multipliers = &mut self.multipliers;
        multipliers.clear();
        multipliers.extend(self.network.patterns.iter().map(|p| factor(p, period)));
        multipliers.push(1.0);
        let mut parts = self.parts.iter();
        let mut first = 0;
        for &(node, end) in &self.drawing {
            let (mut sum, mut out) = (0.0, 0.0);
            for &(pattern, base) in parts.by_ref().take((end - first) as usize) {
                let multiplier = multipliers.get(pattern as usize).copied().unwrap_or(1.0);
                let flow = base * multiplier * options.demand_multiplier;
                sum += flow;
                out += flow.max(0.0);
            }
            first = end;
            self.total_demand += out;
            if let Some(demand) = self.boundary.demand.get_mut(node as usize) {
                *demand = sum;
            }
        }
    }

    /// The tank at a node.
    pub(super) fn tank(&self, node: usize) -> Option<(&'n Tank, &Filling)> {
        let NodeKind::Tank(tank) = &self.network.nodes.get(node)?.kind else { return None };
        Some((tank, self.tanks.iter().find(|t| t.node == node)?))
    }

    /// Whether a control's condition holds at the beginning of a moment. Pressures are not known then.
    fn holds(&self, control: &Control) -> bool {
        match control.when {
            When::At(seconds) => seconds == self.now,
            When::Daily(seconds) => (self.now + self.times.clock_start) % DAY == seconds,
            When::Below { node, level_m } | When::Above { node, level_m } => {
                let Some((tank, filling)) = self.tank(node) else { return false };
                let wanted = tanks::volume_at(self.network, tank, level_m);
                // A second's flow nearer is there: tanks seldom end a step at the very litre.
                let second = self.demand.get(node).copied().unwrap_or(0.0).abs();
                match control.when {
                    When::Below { .. } => filling.volume <= wanted + second,
                    _ => filling.volume >= wanted - second,
                }
            }
        }
    }

    /// Looks at controls by pressure; true where one changed a link, so that the moment is to be solved anew.
    pub fn switch(&mut self, solution: &Solution) -> bool {
        if self.switches >= MOST_SWITCHES {
            return false;
        }
        let mut changed = false;
        let timeline = self.timeline;
        for control in timeline.controls.iter().filter(|c| c.enabled) {
            let (When::Below { node, level_m } | When::Above { node, level_m }) = control.when else { continue };
            let Some(of) = self.network.nodes.get(node).filter(|n| matches!(n.kind, NodeKind::Junction(_))) else {
                continue;
            };
            let Some(pressure) = solution.head.get(node).map(|h| h - of.elevation) else { continue };
            let holds = match control.when {
                When::Below { .. } => pressure <= level_m + NEAR_M,
                _ => pressure >= level_m - NEAR_M,
            };
            changed |= holds && self.act(control.link, control.act);
        }
        if changed {
            self.switches += 1;
        }
        changed
    }

    /// Does something to a link; true where that changed what is commanded.
    pub(super) fn act(&mut self, link: usize, act: Act) -> bool {
        let (Some(of), Some(command), Some(setting)) =
            (self.network.links.get(link), self.boundary.command.get_mut(link), self.boundary.setting.get_mut(link))
        else {
            return false;
        };
        let before = (*command, *setting);
        match (&of.kind, act) {
            (LinkKind::Pipe(pipe), _) if pipe.check => {}
            (LinkKind::Pump(_) | LinkKind::Fan(_), Act::Open) => (*command, *setting) = (Command::Auto, 1.0),
            (LinkKind::Pump(_) | LinkKind::Fan(_), Act::Close) => (*command, *setting) = (Command::Closed, 0.0),
            (LinkKind::Pump(_) | LinkKind::Fan(_), Act::Set(speed)) => {
                *command = if speed > 0.0 { Command::Auto } else { Command::Closed };
                *setting = speed;
            }
            (_, Act::Close) => *command = Command::Closed,
            (LinkKind::Pipe(_), _) => *command = Command::Auto,
            // An open GPV is one that works by its curve.
            (LinkKind::Valve(v), _) if matches!(v.kind, ValveKind::GeneralPurpose { .. }) => *command = Command::Auto,
            (_, Act::Open) => *command = Command::Open,
            (_, Act::Set(value)) => (*command, *setting) = (Command::Auto, value),
        }
        let changed = before != (*command, *setting);
        if let (true, Some(status)) = (changed, self.status.get_mut(link)) {
            *status = if *command == Command::Closed { Status::Closed } else { Status::Open };
        }
        changed
    }

    /// Takes the solution of this moment, and goes on to the next. Gives back how many seconds the solution
    /// holds; 0 at the end.
    pub fn advance(&mut self, solution: &Solution) -> i64 {
        for (mine, theirs) in
            [(&mut self.demand, &solution.demand), (&mut self.head, &solution.head), (&mut self.flow, &solution.flow)]
        {
            mine.clone_from(theirs);
            mine.resize(mine.len().max(theirs.len()), 0.0);
        }
        self.status.clone_from(&solution.status);
        self.look_at_pumps();
        let stopped = !solution.converged && self.timeline.unbalanced == Unbalanced::Stop;
        if self.now >= self.times.duration || stopped {
            if self.times.duration == 0 {
                // A single moment is reckoned as an hour.
                self.add_energy(3600);
            }
            self.ended = true;
            return 0;
        }
        let step = self.step();
        self.add_energy(step);
        self.now += step;
        if self.now >= self.report_due {
            self.report_due += self.times.report_step;
        }
        for filling in &self.tanks {
            if let (Some(known), Some(head)) = (self.boundary.head.get_mut(filling.node), self.head.get(filling.node)) {
                *known = *head;
            }
        }
        step
    }

    /// How long what holds now goes on holding. Fills the tanks, and does what rules say at the end of it.
    fn step(&mut self) -> i64 {
        let times = self.times;
        let mut step = times.hydraulic_step;
        let mut sooner = |seconds: i64| {
            if seconds > 0 && seconds < step {
                step = seconds;
            }
        };
        let next_period = (self.now + times.pattern_start) / times.pattern_step + 1;
        // As EPANET reckons it, with the start of the patterns left out.
        sooner(next_period * times.pattern_step - self.now);
        sooner(self.report_due - self.now);
        for filling in &self.tanks {
            let Some((tank, _)) = self.tank(filling.node) else { continue };
            let flow = self.demand.get(filling.node).copied().unwrap_or(0.0);
            let level = self.level(filling.node);
            let room = match flow {
                q if q.abs() <= STILL_M3S => continue,
                q if q > 0.0 && level < tank.maximum_level => filling.most - filling.volume,
                q if q < 0.0 && level > tank.minimum_level => filling.least - filling.volume,
                _ => continue,
            };
            sooner(whole(room / flow));
        }
        let timeline = self.timeline;
        let mut due = step;
        for control in timeline.controls.iter().filter(|c| c.enabled) {
            let seconds = self.until(control);
            if seconds > 0 && seconds < due && self.would_change(control) {
                due = seconds;
            }
        }
        if timeline.rules.is_empty() {
            self.fill_tanks(due);
            return due;
        }
        self.step_by_rules(due)
    }

    /// Goes on by rule steps until a rule acts, at most so many seconds.
    fn step_by_rules(&mut self, most: i64) -> i64 {
        let rule_step = self.times.rule_step.max(1);
        let start = self.now;
        // The first ends at a multiple of the rule step.
        let mut step = (rule_step - start % rule_step).min(most).max(1);
        loop {
            self.now += step;
            self.fill_tanks(step);
            if self.apply_rules(step) > 0 {
                break;
            }
            step = rule_step.min(start + most - self.now);
            if step <= 0 {
                break;
            }
        }
        let taken = self.now - start;
        self.now = start;
        taken
    }

    /// Seconds until a control's condition will hold; 0 where that is not to be seen.
    fn until(&self, control: &Control) -> i64 {
        match control.when {
            When::At(seconds) => seconds - self.now,
            When::Daily(seconds) => (seconds - (self.now + self.times.clock_start) % DAY).rem_euclid(DAY),
            When::Below { node, level_m } | When::Above { node, level_m } => {
                let Some((tank, filling)) = self.tank(node) else { return 0 };
                let (flow, level) = (self.demand.get(node).copied().unwrap_or(0.0), self.level(node));
                let above = matches!(control.when, When::Above { .. });
                let comes = if above { level < level_m && flow > 0.0 } else { level > level_m && flow < 0.0 };
                if !comes || flow.abs() <= STILL_M3S {
                    return 0;
                }
                whole((tanks::volume_at(self.network, tank, level_m) - filling.volume) / flow)
            }
        }
    }

    /// Whether a control would change anything.
    fn would_change(&self, control: &Control) -> bool {
        let at = control.link;
        let (Some(of), Some(command), Some(setting), Some(status)) = (
            self.network.links.get(at),
            self.boundary.command.get(at),
            self.boundary.setting.get(at),
            self.status.get(at),
        ) else {
            return false;
        };
        match (control.act, &of.kind) {
            (Act::Close, _) => *status != Status::Closed,
            (Act::Open, LinkKind::Pump(_)) => *status != Status::Open || *setting != 1.0,
            (Act::Open, LinkKind::Pipe(_)) => *status != Status::Open,
            (Act::Open, _) => *command != Command::Open,
            (Act::Set(value), LinkKind::Pump(_)) => *setting != value || (*status == Status::Open) != (value > 0.0),
            (Act::Set(value), _) => *command != Command::Auto || *setting != value || *status != Status::Active,
        }
    }

    /// Level of a tank, m above its node.
    fn level(&self, node: usize) -> f64 {
        let elevation = self.network.nodes.get(node).map_or(0.0, |n| n.elevation);
        self.head.get(node).map_or(0.0, |h| h - elevation)
    }

    fn fill_tanks(&mut self, seconds: i64) {
        for filling in &mut self.tanks {
            let node = filling.node;
            let Some(of) = self.network.nodes.get(node) else { continue };
            let NodeKind::Tank(tank) = &of.kind else { continue };
            let flow = self.demand.get(node).copied().filter(|q| q.is_finite()).unwrap_or(0.0);
            let head = tanks::fill(self.network, of, tank, filling, flow, seconds);
            if let Some(known) = self.head.get_mut(node) {
                *known = head;
            }
        }
    }

    fn look_at_pumps(&mut self) {
        for pump in &mut self.pumps {
            let Some(link) = self.network.links.get(pump.link) else { continue };
            let at = |list: &[f64], at: usize| list.get(at).copied().unwrap_or(0.0);
            let runs = matches!(self.status.get(pump.link), Some(Status::Open | Status::Active));
            let lift = at(&self.head, link.to) - at(&self.head, link.from);
            let (flow, speed) = (at(&self.flow, pump.link), at(&self.boundary.setting, pump.link));
            pump.look(self.network, self.timeline, flow, lift, speed, runs);
        }
    }

    fn add_energy(&mut self, seconds: i64) {
        let period = self.period();
        for pump in &mut self.pumps {
            let flow = self.flow.get(pump.link).copied().unwrap_or(0.0);
            pump.add(self.network, self.timeline, flow, seconds, period);
        }
        self.peak_kw = self.peak_kw.max(self.pumps.iter().map(PumpUse::power_kw).sum());
    }

    /// What pumping has cost: energy, and the charge for the greatest power.
    pub fn cost(&self) -> f64 {
        self.pumps.iter().map(|p| p.cost).sum::<f64>() + self.peak_kw * self.timeline.energy.demand_charge
    }
}

/// Seconds to whole seconds; nothing sensible is never.
fn whole(seconds: f64) -> i64 {
    if seconds.is_finite() && seconds.abs() < 1e12 { seconds.round() as i64 } else { 0 }
}
