//! The emulated building: what its devices would measure, from weather, people and physics.
//!
//! Rooms as air and mass with a VAV box each, air handling units with economiser, dry and wet coils and fan laws,
//! moisture from people to condensate, radiators, a tower, meters. Water and air flow through networks that are solved:
//! those of the model, as built ([`attach`]), or plain ones where nobody drew them: loops with pumps on their curves,
//! control valves and staged machines; ducts with their fan, filter and dampers. Faults are those of
//! [`faults`](crate::simulation::faults), put in between control and solve, and into readings after it.
//! It runs on a fixed grid of [`GRID_S`] and noise is drawn by point and moment, so one seed and start
//! give one series, however it is stepped and read.

mod air;
mod attach;
mod attached;
#[cfg(test)]
mod balance;
#[cfg(test)]
mod beside;
mod candidates;
#[cfg(test)]
mod closed_loop;
mod coil;
mod control;
mod ducts;
pub mod fault;
#[cfg(test)]
pub(crate) mod fixture;
mod hydraulics;
mod inject;
mod layout;
mod machine;
mod model_ducts;
mod model_loop;
mod pipes;
mod plant;
mod plants;
mod pump;
mod radiator;
mod signal;
#[cfg(test)]
mod signatures;
mod tower;
mod water;
mod weather;
mod zone;

pub use crate::simulation::faults::FaultKind;
pub use fault::{FaultSpec, InjectedFault};

use crate::problem::Problem;
use crate::simulation::building::AssumptionOverride;
use crate::simulation::faults::Fault;
use crate::simulation::faults::signal::{Sensor, SensorState};
use crate::site::unit::Quantity;
use crate::site::{Point, PointIndex, Site, Slot};
use crate::time::Time;
use layout::Devices;
use plants::Plants;
use signal::{Instrument, Signal};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The step of the physics, seconds.
pub const GRID_S: f64 = 5.0;
/// How long the building runs before the start, so that it has settled, seconds.
const WARM_UP_S: f64 = 43_200.0;
/// The step of the warm-up, seconds.
const WARM_UP_STEP_S: f64 = 10.0;

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

#[derive(Clone)]
struct Measured {
    asset: Slot,
    quantity: Quantity,
    humidity: bool,
    signal: Signal,
    instrument: Instrument,
    sensor: Sensor,
    state: SensorState,
}

impl Measured {
    fn of(point: &Point, signal: Signal, seed: u64) -> Self {
        let instrument = Instrument::of(point, seed);
        // What a faulty sensor is off by at the worst; of what depends on its size, a quarter of what it shows.
        let worst = match point.unit.quantity {
            Quantity::Temperature => 4.0,
            Quantity::Ratio => 0.2,
            Quantity::Concentration => 400.0,
            _ => point.expected.map_or(1.0, |[low, high]| 0.02 * (high - low).abs()),
        };
        Self {
            asset: point.asset,
            quantity: point.unit.quantity,
            humidity: point.role.ends_with("humidity"),
            signal,
            sensor: Sensor { worst, seed: instrument.key() ^ 0x5E45 },
            instrument,
            state: SensorState::default(),
        }
    }

    /// Notes what it shows before it breaks.
    fn expect(&mut self, shown: f64) {
        if !matches!(self.quantity, Quantity::Temperature | Quantity::Ratio | Quantity::Concentration) {
            self.sensor.worst = self.sensor.worst.max(0.25 * shown.abs());
        }
        self.state = SensorState::default();
        self.state.read(&self.sensor, [], shown, 0.0);
    }

    /// A reading with the faults of its sensor; none where it says nothing.
    fn through_faults<'a>(&self, faults: impl IntoIterator<Item = &'a Fault>, value: f64, time_s: f64) -> Option<f64> {
        // What it remembers is from before the fault: the same moment always reads the same.
        let mut state = self.state;
        state.read(&self.sensor, faults, value, time_s)
    }
}

/// A fault in the building.
#[derive(Clone)]
struct Broken {
    fault: Fault,
    slot: Slot,
    /// The point that a sensor's fault strikes; none: all of the asset.
    point: Option<usize>,
    /// Where a blade or plug is held.
    stuck_at: Option<f64>,
}

/// An emulated building, or several with a plant each.
#[derive(Clone)]
pub struct Emulator {
    plants: Plants,
    seed: u64,
    devices: Devices,
    points: Vec<Option<Measured>>,
    /// GlobalId and tag by slot.
    ids: Vec<(String, String)>,
    roles: HashSet<(Slot, String)>,
    /// Points of each asset.
    by_asset: HashMap<Slot, Vec<usize>>,
    start: Time,
    now: Time,
    grid: Time,
    broken: Vec<Broken>,
}

impl Emulator {
    /// A building that has been at work for half a day, and what of the site had to be guessed.
    pub fn new(site: &Site, settings: Settings) -> (Self, Vec<Problem>) {
        Self::with_assumptions(site, settings, &[])
    }

    /// The same, with what somebody states of its pipes and ducts in place of what the model leaves open.
    pub fn with_assumptions(site: &Site, settings: Settings, stated: &[AssumptionOverride]) -> (Self, Vec<Problem>) {
        let (plants, devices, mut problems) = Plants::derive(site, settings.seed, stated);
        let mut roles = HashSet::new();
        let mut made_up: BTreeMap<(String, String), usize> = BTreeMap::new();
        let points = site
            .points
            .iter()
            .map(|point| {
                let (signal, known) = signal::resolve(point, plants.of(point.asset), &devices)?;
                if !known {
                    let class = site.element(point.asset).map(|e| e.class.clone()).unwrap_or_default();
                    *made_up.entry((class, point.role.clone())).or_default() += 1;
                }
                roles.insert((point.asset, point.role.clone()));
                Some(Measured::of(point, signal, settings.seed))
            })
            .collect();
        let mut by_asset: HashMap<Slot, Vec<usize>> = HashMap::new();
        for (i, point) in site.points.iter().enumerate() {
            by_asset.entry(point.asset).or_default().push(i);
        }
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
            plants,
            seed: settings.seed,
            devices,
            points,
            ids,
            roles,
            by_asset,
            start,
            now: start,
            grid: start,
            broken: Vec::new(),
        };
        let mut before = start.plus_seconds(-WARM_UP_S);
        while before < start {
            emulator.plants.step(before, WARM_UP_STEP_S);
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
            self.break_things(self.grid);
            self.plants.step(self.grid, GRID_S);
            self.grid = next;
        }
    }

    /// What a point's device measures now, SI; none for a computed point or a silent device.
    pub fn read(&self, point: PointIndex) -> Option<f64> {
        let measured = self.points.get(point.0 as usize)?.as_ref()?;
        let truth = match measured.signal {
            Signal::Of(device, quality) => {
                signal::truth(self.plants.of(measured.asset), &self.devices, device, quality)?
            }
            Signal::Slow { low, high, phase, period_s } => signal::wave(low, high, phase, period_s, self.now),
        };
        let shown = measured.instrument.show(truth, self.now);
        if self.broken.iter().all(|b| b.slot != measured.asset) {
            return Some(shown);
        }
        let index = point.0 as usize;
        let own = |b: &&Broken| b.point == Some(index) || b.point.is_none() && b.slot == measured.asset;
        let faults = self.broken.iter().filter(own).map(|b| &b.fault);
        let reading = measured.through_faults(faults, shown, self.now.seconds_since(self.start))?;
        Some(measured.instrument.within(reading))
    }
}

#[cfg(test)]
mod tests;
