//! The pipes of a water loop as a flow network, and what flows in them.
//!
//! A plain loop, made of the machines and the consumers of a plant where nobody draws its pipes: pumps side by side
//! between the return header and the machines, machines side by side, a supply and a return main, and between the
//! headers a branch for each consumer with its control valve, and a bypass that keeps a little moving. An expansion
//! vessel holds the pressure at the suction of the pumps and makes up for what leaks. Sizes follow from the pumps'
//! nominal point: half of their head falls over the consumers, half of that over their open valves (an authority
//! of 0.5), three tenths over a machine, a tenth over each main; the flow is shared out by design power.
//!
//! The network is solved by [`Solver`] for the positions of the valves and the speeds of the pumps, from the last
//! solution, and not at all while none of them has moved.

use super::model_loop::ModelLoop;
use super::pump::Pump;
use crate::simulation::controls::valve::Inherent;
use crate::simulation::faults::effect;
use crate::simulation::network::{
    Accuracy, Boundary, Characteristic, Command, Curve, CurveKind, Fluid, Junction, KvValve, Link, LinkKind, Network,
    Node, NodeKind, Pump as PumpLink, PumpHead, Resistance, Solver, Valve, ValveKind,
};

/// How a control valve opens: equal percentage, rangeability 50.
pub(super) const VALVE: Inherent = Inherent::EqualPercentage { rangeability: 50.0 };
/// Share of a branch's pressure that falls over its open valve.
pub(super) const AUTHORITY: f64 = 0.5;
/// Share of the pumps' nominal head that falls over the consumers.
pub(super) const CONSUMERS: f64 = 0.5;
const MACHINES: f64 = 0.3;
const MAIN: f64 = 0.1;
/// Velocity that pipes are sized for, m/s.
const VELOCITY_MS: f64 = 1.2;
/// Pressure head at the suction of the pumps, m.
const FILLED_M: f64 = 15.0;
/// What moves less than this share does not call for another solve.
const STILL: f64 = 2e-3;
/// Density, kg/m³: heat is counted with the same.
const DENSITY: f64 = 1000.0;

/// Which pipe something stands in, or leaks out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stretch {
    Supply,
    Return,
    Machine(usize),
    Branch(usize),
}

/// A consumer's branch, or a machine's.
#[derive(Clone, Debug)]
struct Run {
    /// Pipe and coil, by a loss coefficient.
    throttle: usize,
    /// Its control valve, linear in the share of its flow coefficient; none: by command.
    valve: Option<usize>,
    /// Loss coefficient of its clean pipe and of its clean coil.
    losses: (f64, f64),
    design_m3s: f64,
    position: f64,
    leaking: f64,
    fouling: f64,
    blocked: f64,
}

/// What a loop is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoopDesign<'a> {
    pub pumps: &'a [Pump],
    pub machines: usize,
    /// Design power of each consumer, in any unit.
    pub consumers: &'a [f64],
    /// Share of the nominal flow that goes by.
    pub bypass: f64,
}

/// A loop's network with its solver.
#[derive(Clone)]
pub(super) struct Hydraulics {
    solver: Solver,
    now: Boundary,
    solved: Option<Boundary>,
    pumps: Vec<usize>,
    machines: Vec<Run>,
    branches: Vec<Run>,
    supply: Run,
    back: Run,
    leaks: [usize; 2],
    /// A leak of all there may be, as a share of [`KvValve::kvs`]; supply and return.
    leaking: [f64; 2],
    headers: (usize, usize),
    pa_per_m: f64,
    moving: bool,
    /// The loop that the model draws, in place of the plain one.
    model: Option<ModelLoop>,
    /// How often it was solved.
    #[cfg(test)]
    pub solves: usize,
}

impl std::fmt::Debug for Hydraulics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hydraulics").field("flow", &self.solver.solution().flow).finish_non_exhaustive()
    }
}

/// A network on its way.
struct Draft {
    network: Network,
}

impl Draft {
    fn node(&mut self, id: String, fixed_m: Option<f64>) -> usize {
        let kind = match fixed_m {
            Some(_) => NodeKind::Reservoir { pattern: None },
            None => NodeKind::Junction(Junction::default()),
        };
        self.network.nodes.push(Node { id, elevation: fixed_m.unwrap_or(0.0), kind });
        self.network.nodes.len() - 1
    }

    fn link(&mut self, id: String, (from, to): (usize, usize), kind: LinkKind, setting: f64) -> usize {
        self.network.links.push(Link { id, from, to, kind, command: Command::Auto, setting, head_gain: 0.0 });
        self.network.links.len() - 1
    }

    /// A pipe with what stands in it, that takes `pipe_pa` and `coil_pa` at its design flow.
    fn throttle(&mut self, id: String, ends: (usize, usize), flow_m3s: f64, pipe_pa: f64, coil_pa: f64) -> Run {
        let diameter = (4.0 * flow_m3s / (std::f64::consts::PI * VELOCITY_MS)).sqrt().max(1e-3);
        let velocity_pa = 0.5 * DENSITY * VELOCITY_MS * VELOCITY_MS;
        let losses = (pipe_pa / velocity_pa, coil_pa / velocity_pa);
        let kind = LinkKind::Valve(Valve { kind: ValveKind::Throttle, diameter, minor: 0.0 });
        let throttle = self.link(id, ends, kind, losses.0 + losses.1);
        Run {
            throttle,
            valve: None,
            losses,
            design_m3s: flow_m3s,
            position: 0.0,
            leaking: 0.0,
            fouling: 0.0,
            blocked: 0.0,
        }
    }

    fn valve(&mut self, id: String, ends: (usize, usize), kvs: f64) -> usize {
        let valve = KvValve { kvs, characteristic: Characteristic::Linear, leak_kv: 0.0, check: false };
        self.link(id, ends, LinkKind::Kv(valve), 0.0)
    }
}

/// Kv that passes a flow at a pressure, m³/h at one bar.
fn kv(flow_m3s: f64, pa: f64) -> f64 {
    3600.0 * flow_m3s * (1e5 / pa.max(1.0)).sqrt()
}

impl Hydraulics {
    /// A plain loop.
    pub fn plain(design: &LoopDesign) -> Self {
        let nominal = design.pumps.iter().map(|p| p.nominal_m3s).fold(1e-4, f64::max);
        let head_pa = design.pumps.iter().map(|p| p.nominal_pa).fold(f64::MAX, f64::min).clamp(1e3, 5e6);
        let mut d = Draft { network: Network::default() };
        d.network.fluid = Fluid { density: DENSITY, ..Fluid::default() };
        let pa_per_m = d.network.pa_per_m();
        let suction = d.node("expansion vessel".into(), Some(FILLED_M));
        let [discharge, plant, supply, back] =
            ["discharge", "plant", "supply", "return"].map(|id| d.node(id.to_owned(), None));
        let drain = d.node("drain".into(), Some(0.0));
        let pumps = design.pumps.iter().enumerate().map(|(i, pump)| {
            let curve = d.network.curves.len();
            let most = (pump.shutoff_pa / pump.curve).sqrt();
            let at = |share: f64| {
                let flow = share * most;
                (flow, (pump.shutoff_pa - pump.curve * flow * flow) / pa_per_m)
            };
            d.network.curves.push(Curve {
                id: format!("pump {i}"),
                kind: CurveKind::PumpHead,
                points: vec![at(0.0), at(0.4), at(0.8)],
            });
            let kind = LinkKind::Pump(PumpLink { head: PumpHead::Curve(curve), efficiency: None, pattern: None });
            d.link(format!("pump {i}"), (suction, discharge), kind, 0.0)
        });
        let pumps: Vec<usize> = pumps.collect();
        let machines = (0..design.machines)
            .map(|i| d.throttle(format!("machine {i}"), (discharge, plant), nominal, 0.0, MACHINES * head_pa))
            .collect();
        let supply_main = d.throttle("supply main".into(), (plant, supply), nominal, MAIN * head_pa, 0.0);
        let return_main = d.throttle("return main".into(), (back, suction), nominal, MAIN * head_pa, 0.0);
        let across_pa = CONSUMERS * head_pa;
        let whole: f64 = design.consumers.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut branches = Vec::new();
        for (i, power) in design.consumers.iter().enumerate() {
            let flow = ((1.0 - design.bypass) * nominal * power / whole).max(1e-7);
            let end = d.node(format!("branch {i}"), None);
            let valve_pa = AUTHORITY * across_pa;
            let rest_pa = across_pa - valve_pa;
            let mut run = d.throttle(format!("branch {i}"), (supply, end), flow, 0.5 * rest_pa, 0.5 * rest_pa);
            run.valve = Some(d.valve(format!("valve {i}"), (end, back), kv(flow, valve_pa)));
            branches.push(run);
        }
        let past = Resistance::rated(across_pa, (design.bypass * nominal).max(1e-3 * nominal));
        d.link("bypass".into(), (supply, back), LinkKind::Resistance(past), 0.0);
        // At the worst and the pressure of the header.
        let filled_m = FILLED_M + CONSUMERS * head_pa / pa_per_m;
        let lost = effect::leak_coefficient(nominal, filled_m, 0.5, 1.0);
        let leak_kv = 3600.0 * lost * (1e5 / pa_per_m).sqrt();
        let leaks = [("leak in supply", supply), ("leak in return", back)]
            .map(|(id, node)| d.valve(id.to_owned(), (node, drain), leak_kv));
        let (solver, _) = Solver::new(&d.network);
        Self {
            now: d.network.boundary(),
            solver,
            solved: None,
            pumps,
            machines,
            branches,
            supply: supply_main,
            back: return_main,
            leaks,
            leaking: [0.0; 2],
            headers: (supply, back),
            pa_per_m,
            moving: false,
            model: None,
            #[cfg(test)]
            solves: 0,
        }
    }

    /// Takes the loop of the model.
    pub fn attach(&mut self, model: ModelLoop) {
        self.model = Some(model);
    }

    /// The loop that the model draws.
    pub fn model(&self) -> Option<&ModelLoop> {
        self.model.as_ref()
    }

    /// The same, to be changed.
    pub fn model_mut(&mut self) -> Option<&mut ModelLoop> {
        self.model.as_mut()
    }

    /// Pressure over the consumers that pumps of a nominal pressure hold, Pa.
    pub fn held_pa(&self, nominal_pa: f64) -> f64 {
        self.model.as_ref().map_or(CONSUMERS * nominal_pa, |m| m.setpoint_pa)
    }

    /// Speed of a pump over that of its curve, and the pressure that its wear takes, Pa.
    pub fn set_pump(&mut self, pump: usize, speed: f64, lost_pa: f64) {
        if let Some(model) = &mut self.model
            && let Some(link) = model.pumps.get(pump).copied()
        {
            model.net.turn(link, speed);
            model.net.gain(link, if speed > 0.0 { -lost_pa } else { 0.0 });
        }
        let Some(link) = self.pumps.get(pump).copied() else { return };
        set(&mut self.now.setting, link, speed);
        set(&mut self.now.head_gain, link, if speed > 0.0 { -lost_pa / self.pa_per_m } else { 0.0 });
    }

    /// Whether water may pass a machine.
    pub fn open_machine(&mut self, machine: usize, open: bool) {
        if let Some(model) = &mut self.model
            && let Some(link) = model.machines.get(machine).copied()
        {
            model.net.open(link, open);
        }
        if let Some(place) = self.machines.get(machine).and_then(|m| self.now.command.get_mut(m.throttle)) {
            *place = if open { Command::Auto } else { Command::Closed };
        }
    }

    /// Where a consumer's valve stands, and how far it leaks.
    pub fn set_valve(&mut self, branch: usize, position: f64, leaking: f64) {
        if let Some(run) = self.branches.get_mut(branch) {
            (run.position, run.leaking) = (position, leaking);
        }
    }

    /// How far a consumer's coil is fouled.
    pub fn set_fouling(&mut self, branch: usize, fouling: f64) {
        if let Some(run) = self.branches.get_mut(branch) {
            run.fouling = fouling;
        }
    }

    /// How much of a pipe is blocked, 0..1; how much was.
    pub fn blocked(&mut self, stretch: Stretch) -> Option<&mut f64> {
        let run = match stretch {
            Stretch::Supply => Some(&mut self.supply),
            Stretch::Return => Some(&mut self.back),
            Stretch::Machine(i) => self.machines.get_mut(i),
            Stretch::Branch(i) => self.branches.get_mut(i),
        };
        run.map(|r| &mut r.blocked)
    }

    /// How large the leak out of a pipe is, 0..1.
    pub fn leaking(&mut self, stretch: Stretch) -> &mut f64 {
        let [supply, back] = &mut self.leaking;
        if stretch == Stretch::Return { back } else { supply }
    }

    /// Brings the flows up to where valves and pumps stand.
    pub fn solve(&mut self) {
        if self.model.is_some() {
            return self.solve_model();
        }
        let runs = self.branches.iter().chain(&self.machines).chain([&self.supply, &self.back]);
        for run in runs {
            let (pipe, coil) = run.losses;
            let loss = pipe + coil * effect::fouled_resistance(run.fouling) + effect::blockage_loss(run.blocked);
            set(&mut self.now.setting, run.throttle, loss);
            if let Some(valve) = run.valve {
                let share = effect::flow_coefficient_share(VALVE.share(run.position), run.leaking);
                set(&mut self.now.setting, valve, share);
            }
        }
        for (link, amount) in self.leaks.iter().zip(self.leaking) {
            set(&mut self.now.setting, *link, amount);
        }
        let driven = self.pumps.iter().any(|p| self.now.setting.get(*p).is_some_and(|s| *s > 0.0));
        self.moving = driven || self.leaking.iter().any(|l| *l > 0.0);
        if !self.moving || self.solved.as_ref().is_some_and(|old| still(old, &self.now, STILL)) {
            return;
        }
        self.solver.solve(&self.now, Accuracy::both(1e-6));
        if !self.solver.solution().converged {
            self.solver.reset();
        }
        remember(&mut self.solved, &self.now);
        #[cfg(test)]
        {
            self.solves += 1;
        }
    }

    fn solve_model(&mut self) {
        let Some(model) = &mut self.model else { return };
        let driven = self.pumps.iter().any(|p| self.now.setting.get(*p).is_some_and(|s| *s > 0.0));
        self.moving = driven || model.leaks();
        for (i, run) in self.branches.iter().enumerate() {
            match model.consumers.get(i).copied() {
                Some((.., Some(valve))) => model.net.stand(valve, run.position, run.leaking),
                // A machine's own valve is open or shut.
                Some((_, link, None)) => model.net.open(link, run.position > 0.5),
                None => {}
            }
        }
        if self.moving {
            model.solve(self.branches.iter().map(|b| b.fouling));
        }
    }

    fn model_flow(&self, link: Option<&usize>) -> f64 {
        let flow = self.model.as_ref().zip(link).map_or(0.0, |(m, l)| m.net.flow(*l));
        if self.moving { flow.max(0.0) } else { 0.0 }
    }

    fn flow(&self, link: usize) -> f64 {
        let flow = self.solver.solution().flow.get(link).copied().filter(|q| q.is_finite());
        if self.moving { flow.unwrap_or(0.0) } else { 0.0 }
    }

    /// Flow of a pump, m³/s.
    pub fn pump_m3s(&self, pump: usize) -> f64 {
        let turns = |link: usize| self.now.setting.get(link).is_some_and(|s| *s > 0.0);
        if let Some(model) = &self.model {
            let on = self.pumps.get(pump).is_some_and(|l| turns(*l));
            return if on { self.model_flow(model.pumps.get(pump)) } else { 0.0 };
        }
        self.pumps.get(pump).filter(|l| turns(**l)).map_or(0.0, |l| self.flow(*l).max(0.0))
    }

    /// Flow of a consumer, m³/s.
    pub fn branch_m3s(&self, branch: usize) -> f64 {
        if let Some(model) = &self.model {
            return self.model_flow(model.consumers.get(branch).map(|(_, l, _)| l));
        }
        self.branches.get(branch).map_or(0.0, |b| self.flow(b.throttle).max(0.0))
    }

    /// Flow that a consumer's branch is made for, m³/s.
    pub fn design_m3s(&self, branch: usize) -> f64 {
        if let Some(model) = &self.model {
            return model.design_m3s(branch);
        }
        self.branches.get(branch).map_or(1e-7, |b| b.design_m3s)
    }

    /// Flow of a machine, m³/s.
    pub fn machine_m3s(&self, machine: usize) -> f64 {
        let open = |m: &&Run| self.now.command.get(m.throttle) != Some(&Command::Closed);
        if let Some(model) = &self.model {
            let on = self.machines.get(machine).is_some_and(|m| open(&m));
            return if on { self.model_flow(model.machines.get(machine)) } else { 0.0 };
        }
        self.machines.get(machine).filter(open).map_or(0.0, |m| self.flow(m.throttle).max(0.0))
    }

    /// Flow where the heat meter has its flow sensor, m³/s.
    pub fn meter_m3s(&self) -> f64 {
        let metered = self.model.as_ref().and_then(ModelLoop::meter_m3s);
        metered.map_or_else(|| self.return_m3s(), |q| if self.moving { q } else { 0.0 })
    }

    /// Flow that comes back, m³/s.
    pub fn return_m3s(&self) -> f64 {
        if self.model.is_some() {
            let moved: f64 = (0..self.pumps.len()).map(|i| self.pump_m3s(i)).sum();
            return (moved - self.leak_m3s()).max(0.0);
        }
        self.flow(self.back.throttle).max(0.0)
    }

    /// What leaks and is made up, m³/s.
    pub fn leak_m3s(&self) -> f64 {
        if let Some(model) = &self.model {
            return if self.moving && model.leaks() { model.made_up_m3s() } else { 0.0 };
        }
        self.leaks.iter().map(|l| self.flow(*l).max(0.0)).sum()
    }

    /// Pressure over the pumps, Pa.
    pub fn rise_pa(&self, pump: usize) -> f64 {
        let turns = self.pumps.get(pump).is_some_and(|l| self.now.setting.get(*l).is_some_and(|s| *s > 0.0));
        match (&self.model, turns && self.moving) {
            (_, false) => 0.0,
            (None, _) => self.between(1, 0),
            (Some(model), _) => model.pumps.get(pump).map_or(0.0, |l| -model.net.drop_pa(*l)),
        }
    }

    /// Pressure over the consumers, Pa.
    pub fn across_pa(&self) -> f64 {
        match (&self.model, self.moving) {
            (_, false) => 0.0,
            (None, _) => self.between(self.headers.0, self.headers.1),
            (Some(model), _) => model.across_pa(),
        }
    }

    fn between(&self, a: usize, b: usize) -> f64 {
        let head = |node: usize| self.solver.solution().head.get(node).copied().filter(|h| h.is_finite());
        head(a).zip(head(b)).map_or(0.0, |(a, b)| (a - b) * self.pa_per_m)
    }
}

fn set(list: &mut [f64], at: usize, value: f64) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

/// Whether nothing has moved by more than this share of it.
pub(super) fn still(old: &Boundary, now: &Boundary, share: f64) -> bool {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= share * a.abs() && (*a == 0.0) == (*b == 0.0);
    old.command == now.command
        && old.setting.iter().zip(&now.setting).all(near)
        && old.head_gain.iter().zip(&now.head_gain).all(near)
}

/// Remembers what was solved for, in the memory of what was before.
pub(super) fn remember(solved: &mut Option<Boundary>, now: &Boundary) {
    match solved {
        Some(old) => {
            old.setting.copy_from_slice(&now.setting);
            old.head_gain.copy_from_slice(&now.head_gain);
            old.command.copy_from_slice(&now.command);
        }
        None => *solved = Some(now.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pump() -> Pump {
        Pump::new(0.006, 140e3, 190e3, 50e3 / 0.000_036, 1400.0)
    }

    fn settled(change: impl FnOnce(&mut Hydraulics)) -> Hydraulics {
        let pumps = [pump(), pump()];
        let design = LoopDesign { pumps: &pumps, machines: 2, consumers: &[3.0, 2.0, 1.0], bypass: 0.2 };
        let mut loop_ = Hydraulics::plain(&design);
        loop_.set_pump(0, 1.0, 0.0);
        loop_.open_machine(1, false);
        (0..3).for_each(|i| loop_.set_valve(i, 1.0, 0.0));
        change(&mut loop_);
        loop_.solve();
        assert!(loop_.solver.solution().converged);
        loop_
    }

    #[test]
    fn at_its_design_every_branch_has_its_flow() {
        let l = settled(|_| {});
        assert!((l.pump_m3s(0) - 0.006).abs() < 1e-5 && l.pump_m3s(1) == 0.0, "{l:?}");
        assert!((l.rise_pa(0) - 140e3).abs() < 300.0 && (l.across_pa() - 70e3).abs() < 300.0, "{}", l.across_pa());
        for (i, share) in [0.4, 0.8 / 3.0, 0.4 / 3.0].into_iter().enumerate() {
            assert!((l.branch_m3s(i) / 0.006 - share).abs() < 0.002, "{i} {l:?}");
        }
        assert!((l.machine_m3s(0) - 0.006).abs() < 1e-5 && l.machine_m3s(1) == 0.0);
        assert!((l.return_m3s() - l.pump_m3s(0)).abs() < 1e-6 && l.leak_m3s() == 0.0);
    }

    #[test]
    fn a_valve_that_closes_sends_the_water_elsewhere() {
        let (open, half) = (settled(|_| {}), settled(|l| l.set_valve(0, 0.5, 0.0)));
        assert!(half.branch_m3s(0) < 0.5 * open.branch_m3s(0) && half.branch_m3s(1) > 1.05 * open.branch_m3s(1));
        let shut = settled(|l| l.set_valve(0, 0.0, 0.0));
        assert!(shut.branch_m3s(0).abs() < 1e-9);
        let leaks = settled(|l| l.set_valve(0, 0.0, 1.0));
        assert!(leaks.branch_m3s(0) > 0.2 * open.branch_m3s(0));
    }

    #[test]
    fn a_blockage_takes_the_pressure() {
        let free = settled(|_| {});
        let blocked = settled(|l| *l.blocked(Stretch::Branch(0)).unwrap() = 1.0);
        assert!(blocked.branch_m3s(0) < 0.7 * free.branch_m3s(0) && blocked.across_pa() > 1.05 * free.across_pa());
        let main = settled(|l| *l.blocked(Stretch::Supply).unwrap() = 1.0);
        assert!(main.across_pa() < 0.7 * free.across_pa() && main.rise_pa(0) > free.rise_pa(0));
    }

    #[test]
    fn a_leak_makes_the_pump_move_more_than_comes_back() {
        let tight = settled(|_| {});
        for stretch in [Stretch::Supply, Stretch::Return] {
            let l = settled(|l| *l.leaking(stretch) = 0.5);
            let lost = l.pump_m3s(0) - l.return_m3s();
            assert!(lost > 0.05 * tight.pump_m3s(0) && (lost - l.leak_m3s()).abs() < 1e-6, "{lost} {l:?}");
        }
    }

    #[test]
    fn nothing_is_solved_while_nothing_moves() {
        let mut l = settled(|_| {});
        let solves = l.solves;
        l.set_valve(1, 0.9999, 0.0);
        l.solve();
        assert_eq!(l.solves, solves);
        l.set_valve(1, 0.9, 0.0);
        l.solve();
        assert_eq!(l.solves, solves + 1);
        l.set_pump(0, 0.0, 0.0);
        l.solve();
        assert!(l.pump_m3s(0) == 0.0 && l.branch_m3s(0) == 0.0 && l.across_pa() == 0.0);
    }
}
