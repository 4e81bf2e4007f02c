//! The ducts of an air handling unit as a flow network: those of the model ([`super::model_ducts`]), or plain ones where
//! nobody drew them: coils, filter, fan, main duct, and a branch with its damper for each box.
//!
//! Sizes follow from the nominal airflow: [`CASING_PA`] over coils and dampers, what the filter takes when it is
//! clean, and [`STATIC_PA`] in the duct before the boxes, which the fan holds and which falls almost whole over an
//! open box. The fan has a falling curve with some reserve. What its dampers and its speed make of it is solved
//! as for the water ([`super::hydraulics`]).

use super::model_ducts::ModelDucts;
use crate::simulation::controls::actuator::Drive;
use crate::simulation::controls::pid::{Pid, PidState};
use crate::simulation::faults::effect;
use crate::simulation::network::{
    Accuracy, Boundary, Characteristic, Command, Curve, CurveKind, Fan, Fluid, Junction, KvValve, Link, LinkKind,
    Network, Node, NodeKind, Resistance, Solver, Valve, ValveKind,
};
use crate::simulation::thermal::mover::Mover;

/// Duct pressure that the fan holds, Pa.
pub(super) const STATIC_PA: f64 = 280.0;
/// Pressure drop of coils, dampers and ducts at nominal airflow, Pa.
const CASING_PA: f64 = 420.0;
/// The part of it that the main duct takes.
const MAIN_PA: f64 = 60.0;
/// Share of a branch's pressure that its duct takes when the box is open.
const BRANCH: f64 = 0.05;
/// Velocities in the main duct, the filter and a branch, m/s.
const MAIN_MS: f64 = 6.0;
const FILTER_MS: f64 = 2.5;
const BRANCH_MS: f64 = 4.0;
/// What a shut damper lets through, of what it lets through open.
const LEAK: f64 = 0.002;
/// What moves less than this share does not call for another solve.
const STILL: f64 = 2e-3;
/// What holds the pressure in the duct, as a share of its setpoint.
const PRESSURE: Pid = Pid {
    gain: 0.06,
    integral_s: 20.0,
    derivative_s: 0.0,
    least: 0.15,
    most: 1.0,
    setpoint_weight: 1.0,
    deadband: 0.001,
    direct: false,
};

/// The ducts of a unit, with their fan.
#[derive(Clone)]
pub(super) struct Ducts {
    solver: Solver,
    now: Boundary,
    solved: Option<Boundary>,
    fan: usize,
    filter: Throttle,
    main: Throttle,
    boxes: Vec<(Throttle, usize)>,
    pa_per_m: f64,
    pressure: PidState,
    drive: Drive,
    wheel: Mover,
    /// The ducts that the model draws, in place of the plain ones.
    model: Option<ModelDucts>,
}

impl std::fmt::Debug for Ducts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ducts").field("flow", &self.solver.solution().flow).finish_non_exhaustive()
    }
}

/// A loss that can change: its link, and its loss coefficient when nothing is wrong.
#[derive(Clone, Copy, Debug)]
struct Throttle {
    link: usize,
    clean: f64,
}

/// What a unit's ducts are made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct DuctDesign<'a> {
    pub nominal_m3s: f64,
    pub filter_pa: f64,
    /// Electricity of the fan at nominal airflow, W.
    pub fan_w: f64,
    /// Nominal airflow of each box, m³/s.
    pub boxes: &'a [f64],
}

/// Nodes, in this order.
const PLENUM: usize = 0;
const COILS: usize = 1;
const SUCTION: usize = 2;
const DISCHARGE: usize = 3;
const DUCT: usize = 4;
const ROOMS: usize = 5;

impl Ducts {
    /// The ducts of a unit at rest.
    pub fn plain(design: &DuctDesign) -> Self {
        let nominal = design.nominal_m3s.max(1e-3);
        let mut network = Network { fluid: Fluid::air(), ..Network::default() };
        let density = network.fluid.density;
        let pa_per_m = network.pa_per_m();
        for (id, fixed) in [
            ("plenum", true),
            ("coils", false),
            ("suction", false),
            ("discharge", false),
            ("duct", false),
            ("rooms", true),
        ] {
            network.nodes.push(node(id.to_owned(), fixed));
        }
        let casing = Resistance::rated(CASING_PA - MAIN_PA, nominal);
        link(&mut network, "casing".into(), (PLENUM, COILS), LinkKind::Resistance(casing), 0.0);
        let filter = throttle(&mut network, "filter".into(), (COILS, SUCTION), nominal, FILTER_MS, design.filter_pa);
        let whole_pa = STATIC_PA + CASING_PA + design.filter_pa;
        let (shutoff, fall) = (1.3 * whole_pa, 0.15 * whole_pa);
        let at = |share: f64| (share * nominal, shutoff - fall * share * share);
        network.curves.push(Curve {
            id: "fan".into(),
            kind: CurveKind::FanPressure,
            points: vec![at(0.0), at(0.8), at(1.6)],
        });
        let fan = LinkKind::Fan(Fan { curve: 0, density, efficiency: None });
        let fan = link(&mut network, "fan".into(), (SUCTION, DISCHARGE), fan, 0.0);
        let main = throttle(&mut network, "main duct".into(), (DISCHARGE, DUCT), nominal, MAIN_MS, MAIN_PA);
        let mut boxes = Vec::new();
        for (i, flow) in design.boxes.iter().map(|f| f.max(1e-4)).enumerate() {
            network.nodes.push(node(format!("box {i}"), false));
            let end = network.nodes.len() - 1;
            let branch =
                throttle(&mut network, format!("branch {i}"), (DUCT, end), flow, BRANCH_MS, BRANCH * STATIC_PA);
            let kvs = 3600.0 * flow * (1e2 * density / ((1.0 - BRANCH) * STATIC_PA)).sqrt();
            let damper = KvValve { kvs, characteristic: Characteristic::Linear, leak_kv: LEAK * kvs, check: false };
            let damper = link(&mut network, format!("damper {i}"), (end, ROOMS), LinkKind::Kv(damper), 0.0);
            boxes.push((branch, damper));
        }
        let (solver, _) = Solver::new(&network);
        let (motor, drive) = (0.9, 0.95);
        let hydraulic_w = nominal * whole_pa;
        let best = (hydraulic_w / design.fan_w.max(1.0) / (motor * drive)).clamp(0.2, 0.85);
        Self {
            now: network.boundary(),
            solver,
            solved: None,
            fan,
            filter,
            main,
            boxes,
            pa_per_m,
            pressure: PidState::default(),
            drive: Drive::new(60.0, PRESSURE.least),
            wheel: Mover {
                best,
                best_flow_m3s: nominal,
                motor,
                drive,
                rated_shaft_w: hydraulic_w / best,
                losses_to_stream: 1.0,
            },
            model: None,
        }
    }

    /// Takes the ducts of the model for a nominal airflow, and a fan of so much electricity.
    pub fn attach(&mut self, model: ModelDucts, nominal_m3s: f64, fan_w: f64) {
        let whole_pa = model.rise_pa().max(100.0);
        let hydraulic_w = nominal_m3s * whole_pa;
        let best = (hydraulic_w / fan_w.max(1.0) / (self.wheel.motor * self.wheel.drive)).clamp(0.2, 0.85);
        self.wheel = Mover { best, best_flow_m3s: nominal_m3s, rated_shaft_w: hydraulic_w / best, ..self.wheel };
        self.model = Some(model);
    }

    /// The ducts that the model draws.
    pub fn model(&self) -> Option<&ModelDucts> {
        self.model.as_ref()
    }

    /// The same, to be changed.
    pub fn model_mut(&mut self) -> Option<&mut ModelDucts> {
        self.model.as_mut()
    }

    /// Pressure that the fan holds, Pa.
    pub fn setpoint_pa(&self) -> f64 {
        self.model.as_ref().map_or(STATIC_PA, |m| m.setpoint_pa)
    }

    /// Where the damper of outdoor air stands.
    pub fn set_outdoor(&mut self, position: f64) {
        if let Some(model) = &mut self.model {
            model.set_outdoor(position);
        }
    }

    /// Share of outdoor air in what the fan moves; none where no network says it.
    pub fn outdoor_share(&self) -> Option<f64> {
        self.model.as_ref()?.outdoor_share()
    }

    /// Where a box's damper stands, and how much of its duct is blocked.
    pub fn set_box(&mut self, number: usize, position: f64, blocked: f64) {
        if let Some(model) = &mut self.model {
            return model.set_box(number, position);
        }
        let Some((branch, damper)) = self.boxes.get(number).copied() else { return };
        set(&mut self.now.setting, damper, position);
        set(&mut self.now.setting, branch.link, branch.clean + effect::blockage_loss(blocked));
    }

    /// Runs the fan for `dt_s` towards the speed that holds the pressure in the duct, and the network with it.
    pub fn step(&mut self, on: bool, clogged: f64, blocked: f64, dt_s: f64) {
        if on {
            self.pressure.step(&PRESSURE, 1.0, self.static_pa() / self.setpoint_pa(), dt_s);
        } else {
            self.pressure.clear();
        }
        let speed = self.drive.step(on.then_some(self.pressure.output), dt_s);
        if let Some(model) = &mut self.model {
            return model.run(speed, clogged);
        }
        set(&mut self.now.setting, self.fan, speed);
        let (filter, main) = (self.filter, self.main);
        set(&mut self.now.setting, filter.link, filter.clean * effect::clogged_resistance(clogged));
        set(&mut self.now.setting, main.link, main.clean + effect::blockage_loss(blocked));
        if speed <= 0.0 || self.solved.as_ref().is_some_and(|old| still(&old.setting, &self.now.setting)) {
            return;
        }
        self.solver.solve(&self.now, Accuracy::both(1e-5));
        if !self.solver.solution().converged {
            self.solver.reset();
        }
        match &mut self.solved {
            Some(old) => old.setting.copy_from_slice(&self.now.setting),
            None => self.solved = Some(self.now.clone()),
        }
    }

    /// Speed of the fan, 0..1.
    pub fn speed(&self) -> f64 {
        self.drive.speed
    }

    /// Airflow of a box, m³/s.
    pub fn box_m3s(&self, number: usize) -> f64 {
        match &self.model {
            Some(model) => self.turning(model.box_m3s(number)),
            None => self.boxes.get(number).map_or(0.0, |(branch, _)| self.flow(branch.link)),
        }
    }

    /// Airflow of the fan, m³/s.
    pub fn fan_m3s(&self) -> f64 {
        self.model.as_ref().map_or_else(|| self.flow(self.fan), |m| self.turning(m.fan_m3s()))
    }

    /// Pressure in the duct before the boxes, Pa.
    pub fn static_pa(&self) -> f64 {
        self.model.as_ref().map_or_else(|| self.between(DUCT, ROOMS), |m| self.turning(m.static_pa()))
    }

    /// Pressure over the filter, Pa.
    pub fn filter_pa(&self) -> f64 {
        self.model.as_ref().map_or_else(|| self.between(COILS, SUCTION), |m| self.turning(m.filter_pa()))
    }

    /// Electricity of the fan, W.
    pub fn fan_w(&self) -> f64 {
        let rise_pa = self.model.as_ref().map_or_else(|| self.between(DISCHARGE, SUCTION), ModelDucts::rise_pa);
        let work = self.wheel.work(self.fan_m3s(), rise_pa, self.drive.speed);
        if self.drive.speed > 0.02 { 0.02 * self.wheel.rated_shaft_w + work.electric_w } else { 0.0 }
    }

    /// What is there while the fan turns.
    fn turning(&self, value: f64) -> f64 {
        if self.drive.speed > 0.0 { value } else { 0.0 }
    }

    fn flow(&self, link: usize) -> f64 {
        let flow = self.solver.solution().flow.get(link).copied().filter(|q| q.is_finite()).unwrap_or(0.0);
        if self.drive.speed > 0.0 { flow.max(0.0) } else { 0.0 }
    }

    fn between(&self, a: usize, b: usize) -> f64 {
        let head = |node: usize| self.solver.solution().head.get(node).copied().filter(|h| h.is_finite());
        if self.drive.speed <= 0.0 {
            return 0.0;
        }
        head(a).zip(head(b)).map_or(0.0, |(a, b)| ((a - b) * self.pa_per_m).max(0.0))
    }
}

fn node(id: String, fixed: bool) -> Node {
    let kind = if fixed { NodeKind::Reservoir { pattern: None } } else { NodeKind::Junction(Junction::default()) };
    Node { id, elevation: 0.0, kind }
}

fn link(network: &mut Network, id: String, (from, to): (usize, usize), kind: LinkKind, setting: f64) -> usize {
    network.links.push(Link { id, from, to, kind, command: Command::Auto, setting, head_gain: 0.0 });
    network.links.len() - 1
}

/// A loss of so many pascals at a flow, by its coefficient on the velocity there.
fn throttle(
    network: &mut Network,
    id: String,
    ends: (usize, usize),
    flow_m3s: f64,
    velocity_ms: f64,
    pa: f64,
) -> Throttle {
    let diameter = (4.0 * flow_m3s / (std::f64::consts::PI * velocity_ms)).sqrt();
    let clean = pa / (0.5 * network.fluid.density * velocity_ms * velocity_ms);
    let kind = LinkKind::Valve(Valve { kind: ValveKind::Throttle, diameter, minor: 0.0 });
    Throttle { link: link(network, id, ends, kind, clean), clean }
}

fn set(list: &mut [f64], at: usize, value: f64) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

fn still(old: &[f64], now: &[f64]) -> bool {
    old.iter().zip(now).all(|(a, b)| (a - b).abs() <= STILL * a.abs() && (*a == 0.0) == (*b == 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(change: impl Fn(&mut Ducts), clogged: f64, blocked: f64) -> Ducts {
        let design = DuctDesign { nominal_m3s: 2.0, filter_pa: 90.0, fan_w: 2800.0, boxes: &[1.0, 0.6, 0.4] };
        let mut ducts = Ducts::plain(&design);
        (0..3).for_each(|i| ducts.set_box(i, 1.0, 0.0));
        change(&mut ducts);
        for _ in 0..300 {
            ducts.step(true, clogged, blocked, 5.0);
        }
        assert!(ducts.solver.solution().converged, "{ducts:?}");
        ducts
    }

    #[test]
    fn the_fan_holds_the_duct_and_every_box_has_its_air() {
        let open = settled(|_| {}, 0.0, 0.0);
        assert!((open.static_pa() / STATIC_PA - 1.0).abs() < 0.01 && (open.fan_m3s() - 2.0).abs() < 0.02, "{open:?}");
        assert!((open.box_m3s(1) - 0.6).abs() < 0.01 && (open.filter_pa() - 90.0).abs() < 2.0);
        assert!((open.fan_w() / 2800.0 - 1.0).abs() < 0.15, "{}", open.fan_w());
        let half = settled(|d| (0..3).for_each(|i| d.set_box(i, 0.5, 0.0)), 0.0, 0.0);
        assert!((half.static_pa() / STATIC_PA - 1.0).abs() < 0.01 && (half.fan_m3s() / 2.0 - 0.5).abs() < 0.03);
        assert!(half.speed() < 0.85 * open.speed() && half.fan_w() < 0.5 * open.fan_w());
    }

    #[test]
    fn filter_and_ducts_that_are_narrow_cost_speed_or_air() {
        let clean = settled(|d| (0..3).for_each(|i| d.set_box(i, 0.6, 0.0)), 0.0, 0.0);
        let clogged = settled(|d| (0..3).for_each(|i| d.set_box(i, 0.6, 0.0)), 1.0, 0.0);
        let k = |d: &Ducts| d.filter_pa() / d.fan_m3s().powi(2);
        assert!(k(&clogged) > 4.5 * k(&clean) && clogged.fan_w() > 1.1 * clean.fan_w());
        let main = settled(|d| (0..3).for_each(|i| d.set_box(i, 0.6, 0.0)), 0.0, 0.8);
        assert!(main.speed() > 1.05 * clean.speed(), "{} {}", main.speed(), clean.speed());
        let branch = settled(|d| d.set_box(0, 1.0, 1.0), 0.0, 0.0);
        assert!(branch.box_m3s(0) < 0.6 && (branch.box_m3s(1) - 0.6).abs() < 0.02, "{branch:?}");
    }

    #[test]
    fn a_fan_that_stops_comes_to_rest() {
        let mut ducts = settled(|_| {}, 0.0, 0.0);
        for _ in 0..30 {
            ducts.step(false, 0.0, 0.0, 5.0);
        }
        assert_eq!((ducts.speed(), ducts.fan_m3s(), ducts.static_pa(), ducts.fan_w()), (0.0, 0.0, 0.0, 0.0));
    }
}
