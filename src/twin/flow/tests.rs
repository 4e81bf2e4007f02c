//! Whole twins, fed by hand: a small ring, and the clinic.

use super::*;
use crate::TwinPlugins;
use crate::quality::Quality;
use crate::simulation::building::Operation;
use crate::simulation::building::fixture::{COIL, PUMP, RETURN, SMALL_COIL, SUPPLY, TEE, VALVE, ring};
use crate::simulation::building::trace::Way;
use crate::simulation::building::{Drive, Measurand, Reading, Sets};
use crate::simulation::faults::{Fault, FaultKind};
use crate::site::point::PointSource;
use crate::site::unit::Unit;
use crate::site::{Element, Point, Project, Site};
use crate::telemetry::{Arrival, Sample};
use crate::time::Time;
use crate::twin::clock::TwinClock;
use crate::twin::command::Command;
use crate::twin::reload::{Next, replace};
use crate::twin::scene::OpenSite;
use crate::twin::state_words::{Palette, StateWords, word};
use crate::twin::summary::summary;
use crate::twin::telemetry::Inlet;
use crate::twin::view::ColourBy;
use crossbeam_channel::{Sender, unbounded};
use std::path::Path;
use std::time::Instant;

const DAY: i64 = 1_577_880_000_000;

/// Points of [`small`].
const POSITION: PointIndex = PointIndex(0);
const LEAVING: PointIndex = PointIndex(1);
const METER: PointIndex = PointIndex(2);
const WALL: Slot = Slot(9);

/// The ring with a wall beside it; a valve says where it stands, a coil what leaves it, a meter what comes back.
fn small() -> Site {
    let classes =
        ["Chiller", "Pump", "PipeSegment", "Valve", "Coil", "Valve", "Coil", "PipeSegment", "PipeFitting", "Wall"];
    let elements = classes.iter().enumerate();
    let elements =
        elements.map(|(i, c)| Element { id: format!("e{i}"), class: format!("Ifc{c}"), ..Element::default() });
    let point = |asset: u32, role: &str| Point {
        id: format!("e{asset}/{role}"),
        asset: Slot(asset),
        role: role.into(),
        name: role.into(),
        unit: Unit::ONE,
        expected: None,
        period_s: 5.0,
        stale_after_s: 60.0,
        check: None,
        source: PointSource::Topic { topic: format!("t/{asset}"), key: role.into() },
        remedy: String::new(),
        watch: Default::default(),
    };
    let points = vec![point(VALVE, "position"), point(SMALL_COIL, "leaving_temperature"), point(RETURN, "flow")];
    Site { points, ..Site::of_elements("", elements.collect()).0 }
}

/// The ring, where the site is [`small`].
fn rings(site: &Site, _: &[AssumptionOverride]) -> Building {
    if site.elements.len() != 10 {
        return Building::default();
    }
    let drives = vec![Drive { point: POSITION, sets: Sets::Position(VALVE as usize) }];
    let readings = vec![
        Reading { point: LEAVING, of: Measurand::Leaving(SMALL_COIL as usize) },
        Reading { point: METER, of: Measurand::Flow(RETURN as usize) },
        // What sets something says nothing of accuracy.
        Reading { point: POSITION, of: Measurand::Flow(VALVE as usize) },
    ];
    Building { networks: vec![ring(drives, readings)], problems: Vec::new() }
}

/// The clinic's services.
fn clinic() -> Site {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    let (project, _): (Project, _) = crate::site::project::load(&folder).expect("the clinic's twin.toml");
    let model = crate::import::read(&folder.join("clinic-mep.ifc"), &crate::import::Progress::default());
    let (model, _) = model.expect("the clinic's services");
    crate::site::assemble(&project, vec![(model, "mep".into())]).0
}

struct Twin {
    app: App,
    wire: Sender<Arrival>,
    second: i64,
}

impl Twin {
    /// The ring, solved at every tick, in the tick.
    fn new() -> Self {
        Self::with(FlowPace { every: Duration::ZERO, in_a_tick: Duration::from_secs(3600) })
    }

    fn with(pace: FlowPace) -> Self {
        Self::of_site(small(), derive::Maker(rings), pace)
    }

    fn of_site(site: Site, maker: derive::Maker, pace: FlowPace) -> Self {
        let (wire, arrivals) = unbounded();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins))
            .insert_resource(TwinClock::of_site(true))
            .insert_resource(OpenSite(Arc::new(site)))
            .insert_resource(Inlet(arrivals))
            .insert_resource(maker)
            .insert_resource(pace);
        let mut twin = Self { app, wire, second: 0 };
        twin.until(|twin| twin.networks().building.is_some());
        twin
    }

    fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(120);
        self.app.update();
        while !is_so(self) {
            assert!(Instant::now() < until, "it never came");
            std::thread::sleep(Duration::from_millis(1));
            self.app.update();
        }
    }

    fn networks(&self) -> &Networks {
        self.app.world().resource()
    }

    fn building(&self) -> Arc<Building> {
        Arc::clone(self.networks().building.as_ref().unwrap())
    }

    fn element(&self, slot: u32) -> Entity {
        self.app.world().resource::<Scene>().elements[slot as usize]
    }

    fn of<C: Component + Copy>(&self, slot: u32) -> Option<C> {
        self.app.world().get::<C>(self.element(slot)).copied()
    }

    fn flow(&self, slot: u32) -> f64 {
        self.of::<Flow>(slot).unwrap().0
    }

    fn of_point<C: Component + Copy>(&self, point: PointIndex) -> Option<C> {
        let entity = self.app.world().resource::<Scene>().points[point.0 as usize];
        self.app.world().get::<C>(entity).copied()
    }

    fn solve(&self, network: usize) -> FlowSolve {
        self.app.world().get::<FlowSolve>(self.networks().entities[network]).unwrap().clone()
    }

    fn score(&self) -> FlowScore {
        *self.app.world().get::<FlowScore>(self.networks().entities[0]).unwrap()
    }

    fn state(&self, network: usize) -> Arc<State> {
        Arc::clone(&self.app.world().get::<FlowState>(self.networks().entities[network]).unwrap().0)
    }

    /// Values of points at the next moment, then a tick.
    fn says(&mut self, values: &[(PointIndex, f64)]) {
        self.second += 5;
        let time = Time(DAY + self.second * 1000);
        for (point, value) in values {
            let quality = Quality::Good;
            let sample = Sample { point: *point, device_time: time, arrival: time, value: *value, quality, code: 0 };
            self.wire.send(Arrival::Sample(sample)).unwrap();
        }
        self.wire.send(Arrival::Clock(time)).unwrap();
        self.app.update();
    }

    /// An hour without a word.
    fn falls_silent(&mut self) {
        self.second += 3600;
        (0..3).for_each(|_| self.says(&[]));
    }

    fn tell(&mut self, command: Command) {
        self.app.world_mut().write_message(command);
        self.app.update();
    }

    fn colour(&self, slot: u32) -> u32 {
        self.app.world().resource::<StateWords>().0[slot as usize] & 0x00ff_ffff
    }
}

#[test]
fn the_clinic_stands_at_its_design_without_telemetry() {
    let pace = FlowPace::default();
    let mut twin = Twin::of_site(clinic(), derive::Maker::default(), pace);
    let building = twin.building();
    let water = building.networks.iter().filter(|n| n.domain == Domain::Water).count();
    assert!(water >= 3, "chilled, heating and condenser water");
    for (number, of) in building.networks.iter().enumerate() {
        let (solve, state) = (twin.solve(number), twin.state(number));
        assert!(solve.converged && solve.live == 0 && solve.held.is_empty(), "{}: {solve:?}", of.name);
        let design = Operation::new(of).solve(of, &|_| None).clone();
        for (a, b) in state.flow_m3s.iter().zip(&design.flow_m3s) {
            assert!((a - b).abs() < 1e-6 || a.is_nan() && b.is_nan(), "{}: {a} {b}", of.name);
        }
        let network = twin.app.world().get::<FlowNetwork>(twin.networks().entities[number]).unwrap();
        assert_eq!((&network.name, network.links, network.index), (&of.name, of.network.links.len(), number));
        for (link, slot) in of.link_element.iter().enumerate() {
            let Some(slot) = slot else { continue };
            let place = twin.networks().place(*slot).unwrap();
            if (place.network, place.link) != (number, Some(link)) {
                continue;
            }
            let flow = twin.flow(slot.0);
            assert!(flow == state.flow_m3s[link] || flow.is_nan() && state.flow_m3s[link].is_nan());
            let pressure: Pressure = twin.of(slot.0).unwrap();
            let ends = [of.network.links[link].from, of.network.links[link].to];
            let node = place.node.unwrap_or(ends[usize::from(flow >= 0.0 || flow.is_nan())]);
            assert_eq!(pressure.0.to_bits(), state.pressure_pa[node].to_bits());
        }
    }
    let (rows, _) = rows(twin.app.world());
    assert_eq!(rows.len(), building.networks.len());
    assert!(rows.iter().all(|r| r.score.readings == 0 && r.converged));
    // What its own pipes show is between the ends of the colours, but for a few.
    twin.app.update();
    let range = twin.app.world().resource::<FlowRanges>().of(ColourBy::Velocity, Domain::Water).unwrap();
    assert!(range.min == 0.0 && (0.1..10.0).contains(&range.max), "{range:?}");
}

#[test]
fn what_does_not_change_is_not_written() {
    let mut twin = Twin::new();
    let written = |twin: &Twin| {
        let world = twin.app.world();
        let network = world.entity(twin.networks().entities[0]);
        (
            world.entity(twin.element(SUPPLY)).get_ref::<Flow>().unwrap().last_changed(),
            network.get_ref::<FlowState>().unwrap().last_changed(),
            network.get_ref::<FlowSolve>().unwrap().last_changed(),
            network.get_ref::<FlowScore>().unwrap().last_changed(),
        )
    };
    twin.says(&[(POSITION, 0.5), (METER, 0.004)]);
    let (before, solves) = (written(&twin), twin.solve(0).solves);
    for _ in 0..3 {
        twin.says(&[(POSITION, 0.5), (METER, 0.004)]);
    }
    assert_eq!((written(&twin), twin.solve(0).solves), (before, solves));
    twin.says(&[(POSITION, 0.6), (METER, 0.004)]);
    assert_ne!(written(&twin).0, before.0);
}

#[test]
fn a_valve_that_shuts_stops_its_flow() {
    let mut twin = Twin::new();
    let design = twin.flow(VALVE);
    assert!((0.004..0.009).contains(&design), "{design}");
    assert_eq!(twin.of::<Flow>(WALL.0), None, "what stands in no network has nothing");
    assert!((twin.flow(TEE) - twin.flow(SUPPLY)).abs() < 1e-9, "through the node that it stands at");
    twin.says(&[(POSITION, 0.0)]);
    assert!(twin.flow(VALVE).abs() < 1e-6 && twin.solve(0).live == 1, "{}", twin.flow(VALVE));
    assert_eq!(twin.state(0).flow_m3s[VALVE as usize], twin.flow(VALVE));
    let [velocity, area] = [twin.of::<Velocity>(SUPPLY).unwrap().0, 0.25 * std::f64::consts::PI * 0.08 * 0.08];
    assert!((velocity * area - twin.flow(SUPPLY)).abs() < 1e-9);
    twin.says(&[(POSITION, 0.7)]);
    let half = twin.flow(VALVE);
    assert!(half > 1e-4 && half < design);
    // Fallen silent for too long: the model holds again.
    twin.falls_silent();
    assert_eq!(twin.solve(0).live, 0);
    assert!((twin.flow(VALVE) - design).abs() < 1e-5 * design);
}

#[test]
fn a_boundary_that_is_no_number_keeps_the_last_good_one_and_says_so() {
    let mut twin = Twin::new();
    twin.says(&[(POSITION, 0.4)]);
    let before = twin.flow(VALVE);
    for value in [f64::NAN, f64::INFINITY] {
        twin.says(&[(POSITION, value)]);
        assert_eq!(twin.flow(VALVE), before);
        assert_eq!((twin.solve(0).live, twin.solve(0).held), (0, vec![POSITION]));
    }
    let told = summary(twin.app.world()).networks.remove(0);
    assert!(told.problems.iter().any(|p| p.place == "e3/position" && p.message.contains("last good")), "{told:?}");
    assert_eq!(told.held, ["e3/position"]);
    twin.says(&[(POSITION, 0.5)]);
    assert!(twin.solve(0).held.is_empty() && twin.flow(VALVE) > before);
}

#[test]
fn a_wrong_measurement_is_a_residual_and_lowers_the_score() {
    let mut twin = Twin::new();
    assert!(twin.score().readings == 0 && twin.score().within_10.is_nan());
    twin.says(&[(POSITION, 1.0)]);
    assert_eq!(twin.score().readings, 0, "what sets something is not compared");
    let (flow, leaving) = (twin.flow(RETURN), twin.of::<Temperature>(SMALL_COIL).unwrap().0);
    assert!(leaving > 8.0, "{leaving}");
    twin.says(&[(METER, flow), (LEAVING, leaving)]);
    let right: Residual = twin.of_point(METER).unwrap();
    assert!(right.relative.abs() < 1e-6 && right.measured == flow && right.point == METER, "{right:?}");
    assert_eq!((twin.score().readings, twin.score().within_10), (2, 1.0));
    twin.says(&[(METER, 1.5 * flow), (LEAVING, leaving + 3.0)]);
    let wrong: Residual = twin.of_point(METER).unwrap();
    assert!((wrong.residual - 0.5 * flow).abs() < 1e-9 && (wrong.relative - 1.0 / 3.0).abs() < 1e-6, "{wrong:?}");
    assert_eq!((twin.score().within_10, twin.score().within_20), (0.0, 0.5), "three kelvins are within a fifth");
    assert_eq!(twin.of::<Residual>(RETURN), Some(wrong), "the element shows its worst");
    let told = summary(twin.app.world());
    assert_eq!((told.networks[0].score.within_20, told.networks[0].worst[0].point.as_str()), (Some(0.5), "e7/flow"));
    assert_eq!(told.accuracy, told.networks[0].score);
    // Water that stands says nothing of the network.
    let small = twin.element(5);
    let shut = Fault { ramp_s: 0.0, ..Fault::new("", FaultKind::StuckValve, 1.0, 0.0) };
    twin.app.world_mut().entity_mut(small).insert(FlowFault(vec![shut]));
    twin.app.update();
    assert_eq!((twin.of_point::<Residual>(LEAVING), twin.score().readings), (None, 1));
    twin.app.world_mut().entity_mut(small).remove::<FlowFault>();
    twin.app.update();
    assert_eq!(twin.score().readings, 2);
    // What is no number does not count, nor what is old.
    twin.says(&[(METER, f64::NAN)]);
    assert_eq!((twin.of_point::<Residual>(METER), twin.of::<Residual>(RETURN)), (None, None));
    assert_eq!(twin.score().readings, 1);
    twin.falls_silent();
    assert_eq!((twin.score().readings, summary(twin.app.world()).accuracy.readings), (0, 0));
}

#[test]
fn a_fault_works_on_the_twins_own_network_and_goes_with_it() {
    let mut twin = Twin::new();
    twin.says(&[(POSITION, 1.0)]);
    let healthy = twin.flow(VALVE);
    let now = (DAY + twin.second * 1000) as f64 / 1000.0;
    let stuck = Fault { ramp_s: 0.0, ..Fault::new("", FaultKind::StuckValve, 1.0, now - 1.0) };
    let entity = twin.element(VALVE);
    twin.app.world_mut().entity_mut(entity).insert(FlowFault(vec![stuck]));
    twin.app.update();
    assert!(twin.flow(VALVE).abs() < 1e-6, "it jumped shut");
    twin.says(&[(POSITION, 0.9)]);
    assert!(twin.flow(VALVE).abs() < 1e-6, "whatever it is told");
    twin.app.world_mut().entity_mut(entity).remove::<FlowFault>();
    twin.says(&[(POSITION, 1.0)]);
    assert!((twin.flow(VALVE) - healthy).abs() < 1e-3 * healthy);
    // A pump that wears, slowly: its network is made anew on the way.
    let now = (DAY + twin.second * 1000) as f64 / 1000.0;
    let wear = Fault { ramp_s: 100.0, ..Fault::new("", FaultKind::PumpWear, 1.0, now) };
    let entity = twin.element(PUMP);
    twin.app.world_mut().entity_mut(entity).insert(FlowFault(vec![wear]));
    let mut flows = vec![twin.flow(PUMP)];
    for _ in 0..3 {
        twin.second += 25;
        twin.says(&[(POSITION, 1.0)]);
        flows.push(twin.flow(PUMP));
        assert!(twin.solve(0).converged);
    }
    assert!(flows.windows(2).all(|w| w[1] < 0.98 * w[0]), "{flows:?}");
    twin.app.world_mut().entity_mut(entity).remove::<FlowFault>();
    twin.says(&[(POSITION, 1.0)]);
    assert!((twin.flow(PUMP) - flows[0]).abs() < 1e-3 * flows[0]);
}

#[test]
fn what_takes_long_is_solved_beside_the_ticks() {
    let mut twin = Twin::with(FlowPace { every: Duration::ZERO, in_a_tick: Duration::ZERO });
    let design = twin.flow(VALVE);
    twin.says(&[(POSITION, 0.0)]);
    twin.until(|twin| twin.flow(VALVE) != design);
    assert!(twin.flow(VALVE).abs() < 1e-6);
    assert_eq!(twin.state(0).flow_m3s[VALVE as usize], twin.flow(VALVE));
    // Another site while it works: nothing of it comes.
    twin.says(&[(POSITION, 1.0)]);
    twin.app.insert_resource(OpenSite(Arc::new(Site::default())));
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(2));
        twin.app.update();
    }
    assert!(twin.networks().entities.is_empty());
    let world = twin.app.world_mut();
    assert_eq!(world.query::<&FlowNetwork>().iter(world).count(), 0);
    assert!(rows(world).0.is_empty());
}

#[test]
fn a_reload_keeps_networks_values_and_what_is_known() {
    let mut twin = Twin::new();
    twin.says(&[(POSITION, 0.3), (METER, 0.005)]);
    twin.tell(Command::Trace { slot: Slot(VALVE), way: Way::Upstream });
    let (flow, residual) = (twin.flow(VALVE), twin.of_point::<Residual>(METER).unwrap());
    let entity = twin.networks().entities[0];
    // The wall goes to the front: every slot is another.
    let mut site = small();
    site.elements.rotate_right(1);
    site.points.iter_mut().for_each(|p| p.asset.0 += 1);
    let carry = Carry {
        slots: (0..10).map(|s| Some(Slot((s + 1) % 10))).collect(),
        points: (0..3).map(|p| Some(PointIndex(p))).collect(),
        ..Carry::default()
    };
    twin.app.insert_resource(derive::Maker(|site, stated| {
        let mut building = rings(site, stated);
        for slot in
            building.networks.iter_mut().flat_map(|n| n.link_element.iter_mut().chain(&mut n.node_element)).flatten()
        {
            slot.0 += 1;
        }
        building
    }));
    let next = Next { site: Arc::new(site), carry, ..Next::default() };
    replace(twin.app.world_mut(), next, None);
    let moved = VALVE + 1;
    assert_eq!(twin.flow(moved), flow, "while its networks are made anew");
    assert!(twin.networks().place(Slot(moved)).is_some() && twin.networks().building.is_none());
    twin.until(|twin| twin.networks().building.is_some());
    assert!((twin.flow(moved) - flow).abs() < 1e-7, "the valve is where it was");
    assert_eq!((twin.networks().entities[0], twin.solve(0).live), (entity, 1));
    assert!((twin.of_point::<Residual>(METER).unwrap().relative - residual.relative).abs() < 1e-4);
    assert_eq!(twin.of::<Flow>(0), None);
    let traced = twin.app.world().resource::<Traced>();
    assert!(traced.trace.is_some() && traced.order(Slot(moved)) == Some(0));
}

#[test]
fn a_trace_is_shown_until_it_is_cleared() {
    let mut twin = Twin::new();
    twin.tell(Command::Trace { slot: Slot(VALVE), way: Way::Upstream });
    let traced = twin.app.world().resource::<Traced>().clone();
    assert_eq!(
        [VALVE, TEE, SUPPLY, PUMP, COIL].map(|s| traced.order(Slot(s))),
        [Some(0), Some(0), Some(1), Some(2), None]
    );
    let trace = traced.trace.clone().unwrap();
    assert_eq!((trace.path, trace.profile.len()), (vec![3, 2, 1], 4));
    assert!(traced.is_on_path(Slot(SUPPLY)) && !traced.is_on_path(Slot(TEE)));
    // It follows the flow: nothing goes through what is shut.
    twin.tell(Command::Trace { slot: Slot(SUPPLY), way: Way::Downstream });
    assert_eq!(twin.app.world().resource::<Traced>().order(Slot(COIL)), Some(2));
    twin.says(&[(POSITION, 0.0)]);
    twin.until(|twin| twin.app.world().resource::<Traced>().order(Slot(COIL)).is_none());
    twin.tell(Command::ClearTrace);
    assert!(twin.app.world().resource::<Traced>().from.is_none());
    twin.tell(Command::Trace { slot: WALL, way: Way::Downstream });
    let traced = twin.app.world().resource::<Traced>();
    assert!(traced.from.is_some() && traced.trace.is_none(), "it is in no network");
}

#[test]
fn pipes_are_coloured_by_what_flows() {
    let mut twin = Twin::new();
    let ranges = *twin.app.world().resource::<FlowRanges>();
    assert_eq!(ranges.of(ColourBy::Flow, Domain::Air), None, "there is no air");
    let quiet = word(Palette::Quiet, 0);
    for (by, value) in [
        (ColourBy::Flow, twin.flow(SUPPLY).abs()),
        (ColourBy::Velocity, twin.of::<Velocity>(SUPPLY).unwrap().0.abs()),
        (ColourBy::Pressure, twin.of::<Pressure>(SUPPLY).unwrap().0),
    ] {
        twin.tell(Command::ColourBy(by));
        let range = ranges.of(by, Domain::Water).unwrap();
        assert!(range.max > range.min);
        assert_eq!(twin.colour(SUPPLY), word(Palette::Flow, range.value(value)), "{by:?}");
        assert_eq!(twin.colour(WALL.0), quiet, "{by:?}");
    }
    assert_eq!(twin.of::<Velocity>(VALVE).map(|v| v.0.is_nan()), Some(true));
    twin.tell(Command::ColourBy(ColourBy::Velocity));
    assert_eq!(twin.colour(VALVE), quiet, "it has no cross-section of its own");
    twin.tell(Command::ColourBy(ColourBy::Temperature));
    let celsius = twin.of::<Temperature>(SUPPLY).unwrap().0;
    let range = ranges.of(ColourBy::Temperature, Domain::Water).unwrap();
    assert!((1.0..50.0).contains(&celsius), "{celsius}");
    assert_eq!(twin.colour(SUPPLY), word(Palette::Temperature, range.value(celsius)), "solved: nothing is measured");
    // A word follows its value.
    twin.tell(Command::ColourBy(ColourBy::Flow));
    let open = twin.colour(VALVE);
    twin.says(&[(POSITION, 0.0)]);
    assert_ne!(twin.colour(VALVE), open);
    assert_eq!(twin.colour(VALVE), word(Palette::Flow, 0));
    // Residuals are there where something is measured, and go with it.
    twin.tell(Command::ColourBy(ColourBy::Residual));
    assert_eq!(twin.colour(RETURN), quiet);
    twin.says(&[(METER, 1.0)]);
    assert_eq!(twin.colour(RETURN), word(Palette::Residual, u16::MAX), "far more is measured");
    twin.says(&[(METER, f64::NAN)]);
    assert_eq!(twin.colour(RETURN), quiet);
}

#[test]
fn a_site_without_pipes_has_no_networks() {
    let (site, _) = Site::of_elements("", vec![Element::default()]);
    let twin = Twin::of_site(site, derive::Maker::default(), FlowPace::default());
    assert!(twin.building().networks.is_empty() && twin.networks().entities.is_empty());
    assert!(problems(twin.app.world()).is_empty());
}
