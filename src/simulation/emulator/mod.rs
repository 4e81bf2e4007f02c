//! The emulated building: what its devices would measure, from weather, people and physics.
//!
//! Simple and honest: rooms as air and mass with a VAV box each, air handling units with economiser,
//! coils and fan laws, water loops with pumps on their curves and machines with staging, a tower, meters.
//! It runs on a fixed grid of [`GRID_S`] and noise is drawn by point and moment, so one seed and start
//! give one series, however it is stepped and read.

mod air;
#[cfg(test)]
mod closed_loop;
mod control;
pub mod fault;
#[cfg(test)]
pub(crate) mod fixture;
mod inject;
mod layout;
mod plant;
mod pump;
mod signal;
mod water;
mod weather;
mod zone;

pub use fault::{FaultKind, FaultSpec, InjectedFault};

use crate::problem::Problem;
use crate::site::{PointIndex, Site, Slot};
use crate::time::Time;
use control::Ramp;
use layout::Devices;
use plant::Plant;
use signal::{Instrument, Signal};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The step of the physics, seconds.
pub const GRID_S: f64 = 5.0;
/// How long the building runs before the start, so that it has settled, seconds.
const WARM_UP_S: f64 = 43_200.0;
/// The step of the warm-up, seconds.
const WARM_UP_STEP_S: f64 = 10.0;
/// How far a sensor wanders at severity 1, K.
const DRIFT_K: f64 = 5.0;

/// A Monday in May, late in the morning: people are in and the plant is at work.
pub const DEFAULT_START: &str = "2026-05-11T09:00:00Z";

/// What sets a building apart from another with the same site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Draws weather, people, noise and faulty assets.
    pub seed: u64,
    /// The building's time at the start.
    pub start: Time,
}

impl Settings {
    /// A seed, at the usual start.
    pub fn of_seed(seed: u64) -> Self {
        Self { seed, start: Time::parse(DEFAULT_START).unwrap_or_default() }
    }
}

struct Measured {
    asset: Slot,
    temperature: bool,
    signal: Signal,
    instrument: Instrument,
}

/// An emulated building.
pub struct Emulator {
    plant: Plant,
    devices: Devices,
    points: Vec<Option<Measured>>,
    /// GlobalId and tag by slot.
    ids: Vec<(String, String)>,
    roles: HashSet<(Slot, String)>,
    now: Time,
    grid: Time,
    silent: HashSet<Slot>,
    drifting: HashMap<Slot, Ramp>,
    faulty: Vec<(FaultKind, Slot)>,
}

impl Emulator {
    /// A building that has been at work for half a day, and what of the site had to be guessed.
    pub fn new(site: &Site, settings: Settings) -> (Self, Vec<Problem>) {
        let (plant, devices, mut problems) = layout::derive(site, settings.seed);
        let mut roles = HashSet::new();
        let mut made_up: BTreeMap<(String, String), usize> = BTreeMap::new();
        let points = site
            .points
            .iter()
            .map(|point| {
                let (signal, known) = signal::resolve(point, &plant, &devices)?;
                if !known {
                    let class = site.element(point.asset).map(|e| e.class.clone()).unwrap_or_default();
                    *made_up.entry((class, point.role.clone())).or_default() += 1;
                }
                roles.insert((point.asset, point.role.clone()));
                Some(Measured {
                    asset: point.asset,
                    temperature: point.role == "temperature",
                    signal,
                    instrument: Instrument::of(point, settings.seed),
                })
            })
            .collect();
        for ((class, role), count) in made_up {
            problems.push(Problem::info(
                format!("{class} {role}"),
                format!(
                    "the emulator has no physics for it: {count} points wander slowly in the middle of their range"
                ),
                "nothing: real devices will bring real values",
            ));
        }
        let ids = site.elements.iter().map(|e| (e.id.clone(), e.tag.clone())).collect();
        let start = settings.start;
        let mut emulator = Self {
            plant,
            devices,
            points,
            ids,
            roles,
            now: start,
            grid: start,
            silent: HashSet::new(),
            drifting: HashMap::new(),
            faulty: Vec::new(),
        };
        let mut before = start.plus_seconds(-WARM_UP_S);
        while before < start {
            emulator.plant.step(before, WARM_UP_STEP_S);
            before = before.plus_seconds(WARM_UP_STEP_S);
        }
        (emulator, problems)
    }

    /// The building's clock.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Runs for `dt_s` seconds; anything but a positive number does nothing.
    pub fn step(&mut self, dt_s: f64) {
        if dt_s.is_finite() && dt_s > 0.0 {
            self.run_to(self.now.plus_seconds(dt_s));
        }
    }

    /// Runs until the clock shows `time`; an earlier one does nothing.
    pub fn run_to(&mut self, time: Time) {
        self.now = self.now.max(time);
        loop {
            let next = self.grid.plus_seconds(GRID_S);
            if next > self.now {
                return;
            }
            self.plant.step(self.grid, GRID_S);
            self.drifting.values_mut().for_each(|r| r.step(GRID_S));
            self.grid = next;
        }
    }

    /// What a point's device measures now, SI; none for a computed point or a silent device.
    pub fn read(&self, point: PointIndex) -> Option<f64> {
        let measured = self.points.get(point.0 as usize)?.as_ref()?;
        if self.silent.contains(&measured.asset) {
            return None;
        }
        let mut truth = match measured.signal {
            Signal::Of(device, quality) => signal::truth(&self.plant, &self.devices, device, quality)?,
            Signal::Slow { low, high, phase, period_s } => signal::wave(low, high, phase, period_s, self.now),
        };
        if measured.temperature
            && let Some(drift) = self.drifting.get(&measured.asset)
        {
            truth += DRIFT_K * drift.value();
        }
        Some(measured.instrument.show(truth, self.now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::point::PointSource;

    fn index(site: &Site, id: &str) -> PointIndex {
        PointIndex(site.points.iter().position(|p| p.id == id).unwrap_or_else(|| panic!("no point {id}")) as u32)
    }

    fn value(site: &Site, emulator: &Emulator, id: &str) -> f64 {
        emulator.read(index(site, id)).unwrap_or_else(|| panic!("{id} is silent"))
    }

    #[test]
    fn one_seed_one_series() {
        let site = fixture::clinic();
        let (mut a, problems) = Emulator::new(&site, Settings::of_seed(3));
        assert!(problems.is_empty(), "{problems:?}");
        let (mut b, _) = Emulator::new(&site, Settings::of_seed(3));
        let (mut other, _) = Emulator::new(&site, Settings::of_seed(4));
        for _ in 0..60 {
            a.step(60.0);
            other.step(60.0);
        }
        for _ in 0..1200 {
            b.step(3.0);
            b.read(PointIndex(0));
        }
        let mut same = 0;
        for (i, point) in site.points.iter().enumerate() {
            let i = PointIndex(i as u32);
            assert_eq!(a.read(i), b.read(i), "{}", point.id);
            assert_eq!(a.read(i).is_some(), matches!(point.source, PointSource::Topic { .. }), "{}", point.id);
            same += usize::from(a.read(i) == other.read(i));
        }
        assert!(same < site.points.len() / 2);
    }

    #[test]
    fn a_site_without_plant_still_has_signals() {
        let (mut nothing, problems) = Emulator::new(&Site::default(), Settings::of_seed(1));
        nothing.step(60.0);
        assert_eq!(nothing.read(PointIndex(0)), None);
        assert!(problems.iter().all(|p| p.severity == crate::Severity::Info), "{problems:?}");

        // Only heaters, which have no physics here, and boxes that name no unit.
        let mut site = fixture::clinic();
        for element in &mut site.elements {
            element.properties.clear();
            if element.class != "IfcAirTerminalBox" {
                element.class = "IfcSpaceHeater".into();
            }
        }
        let (mut emulator, problems) = Emulator::new(&site, Settings::of_seed(1));
        assert!(problems.iter().any(|p| p.place.contains("IfcSpaceHeater power") && p.message.contains("no physics")));
        assert!(problems.iter().any(|p| p.message.contains("name no air handling unit")));
        for _ in 0..48 {
            emulator.step(1800.0);
            for (i, point) in site.points.iter().enumerate() {
                let Some(value) = emulator.read(PointIndex(i as u32)) else { continue };
                let [low, high] = point.expected.unwrap();
                assert!(value >= low && value <= high, "{} is {value}", point.id);
            }
        }
        let fault = |text| FaultSpec::parse(text).unwrap();
        assert!(emulator.inject(&fault("pump-wear@0"), emulator.now()).unwrap_err().message.contains("nothing"));
        assert!(emulator.inject(&fault("sensor-dropout:VAV-0-01@0"), emulator.now()).is_ok());
        assert_eq!(emulator.read(index(&site, "VAV-0-01/airflow")), None);
    }

    #[test]
    fn numbers_that_make_no_sense_do_no_harm() {
        let mut site = fixture::clinic();
        for (i, element) in site.elements.iter_mut().enumerate() {
            for (_, value) in element.properties.iter_mut().flat_map(|s| &mut s.values) {
                let wild = [0.0, -5.0, 1e-12, 1e12, f64::NAN, f64::INFINITY];
                *value = crate::site::model::PropertyValue::Real(wild[i % wild.len()]);
            }
            // Parts of each other, and of themselves.
            element.part_of = element.part_of.map(|_| i as u32);
            element.host = element.host.map(|_| i as u32);
        }
        let (mut emulator, _) = Emulator::new(&site, Settings::of_seed(1));
        emulator.step(86_400.0);
        for (i, point) in site.points.iter().enumerate() {
            let value = emulator.read(PointIndex(i as u32));
            assert!(value.is_none_or(f64::is_finite), "{} is {value:?}", point.id);
        }
        emulator.step(f64::NAN);
        emulator.step(-1.0);
    }

    #[test]
    fn a_fault_goes_where_it_is_sent() {
        let site = fixture::clinic();
        let fault = |text: &str| FaultSpec::parse(text).unwrap();
        let (mut e, _) = Emulator::new(&site, Settings::of_seed(1));
        let now = e.now();
        // The standby pump takes over, or its wear would not show.
        assert_eq!(value(&site, &e, "CHWP-2/running"), 0.0);
        let injected = e.inject(&fault("pump-wear:CHWP-2@0"), now).unwrap();
        assert_eq!((injected.asset.as_str(), injected.at), ("id-of-CHWP-2", now));
        e.inject(&fault("short-cycling:id-of-CH-2@0"), now).unwrap();
        e.inject(&fault("sensor-drift:AHU-2-SAT=0.5@0"), now).unwrap();
        let before = value(&site, &e, "AHU-1-CC-V/position");
        e.inject(&fault("stuck-valve:AHU-1-CC-V=0.4@0"), now).unwrap();
        e.step(1200.0);
        assert_eq!(value(&site, &e, "CHWP-2/running"), 1.0);
        assert_eq!(value(&site, &e, "CHWP-1/running"), 0.0);
        let off = value(&site, &e, "AHU-2-SAT/temperature") - value(&site, &e, "AHU-2/supply_temperature");
        assert!((off - 0.5 * DRIFT_K).abs() < 0.4, "{off}");
        let moved = (value(&site, &e, "AHU-1-CC-V/position") - before).abs();
        assert!((moved - 0.4).abs() < 0.01, "{moved}");
        let mut starts = 0;
        let mut was = value(&site, &e, "CH-2/running");
        for _ in 0..360 {
            e.step(10.0);
            let is = value(&site, &e, "CH-2/running");
            starts += usize::from(is > was);
            was = is;
        }
        assert!(starts >= 12, "{starts}");
        for (text, words) in [
            ("coil-fouling:VAV-0-01@0", "cannot have this fault"),
            ("sensor-drift:WS-1@0", "cannot have this fault"),
            ("pump-wear:nowhere@0", "no asset"),
        ] {
            let problem = e.inject(&fault(text), now).unwrap_err();
            assert!(problem.message.contains(words), "{problem}");
            assert_eq!(e.check(&fault(text)), Err(problem));
        }
    }

    #[test]
    fn one_fault_after_the_other_finds_new_assets() {
        let site = fixture::clinic();
        let (mut e, _) = Emulator::new(&site, Settings::of_seed(9));
        let fault = FaultSpec::parse("filter-clogging@0").unwrap();
        let now = e.now();
        let mut assets: Vec<String> = (0..3).map(|_| e.inject(&fault, now).unwrap().asset).collect();
        assets.sort();
        assert_eq!(assets, ["id-of-AHU-1-FLT", "id-of-AHU-2-FLT", "id-of-AHU-3-FLT"]);
        assert!(e.inject(&fault, now).is_err());
    }
}
