//! What the flow systems share: the networks with their solvers, and what is known of their points.

use super::derive::Derived;
use super::engine::{Ask, Engine};
use super::live::Known;
use super::score::Residuals;
use super::{Networks, Place};
use crate::simulation::building::{Building, State};
use crate::site::{PointIndex, Site, Slot};
use crate::twin::scene::Scene;
use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the flow systems share.
#[derive(Resource, Default)]
pub struct Work {
    /// The thread that makes the networks of the site that is open.
    pub deriving: Option<JoinHandle<Derived>>,
    /// What a thread would have brought, where there is none.
    pub derived: Option<Derived>,
    /// By number.
    pub nets: Vec<Net>,
    /// What is known of the points.
    pub known: Known,
    /// By point: the networks that it sets something in, and those that it is a reading of.
    pub of_point: Vec<Vec<(u32, Use)>>,
    /// The networks that an element is in.
    pub of_slot: HashMap<Slot, Vec<u32>>,
    /// What is measured and solved.
    pub residuals: Residuals,
    /// Another number with each set of networks: what a thread brings of another is dropped.
    pub generation: u64,
    worker: Option<Worker>,
}

/// What a point is to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It sets something.
    Drive,
    /// It is compared.
    Reading,
}

/// A network at work.
pub struct Net {
    /// Its solver; none while it is away on the other thread.
    pub engine: Option<Box<Engine>>,
    /// What its last solve took.
    pub took: Duration,
    /// What it was last asked.
    pub asked: Ask,
    /// What it answered.
    pub state: Arc<State>,
    /// How many solves there were.
    pub solves: u64,
    /// Something that it is asked may be otherwise.
    pub dirty: bool,
    /// Something that is measured in it may be otherwise.
    pub compare: bool,
    /// When it was last asked, and compared.
    pub asked_at: Option<Instant>,
    pub compared_at: Option<Instant>,
    /// Points that set something and are live, and those whose last good value holds.
    pub live: usize,
    pub held: Vec<PointIndex>,
    /// The elements whose main place is in it.
    pub shown: Vec<(Entity, Place)>,
    /// How far its last answer is written to them; none: all of it.
    pub written: Option<usize>,
    /// Flow through each node, m³/s.
    pub through: Vec<f64>,
}

impl Work {
    /// Takes over the networks of a site; what is known of its points stays.
    pub fn install(&mut self, derived: Derived, site: &Site, scene: &Scene, networks: &mut Networks) {
        let Derived { building, engines } = derived;
        self.generation += 1;
        self.of_point = vec![Vec::new(); site.points.len()];
        self.of_slot = HashMap::new();
        networks.places = super::derive::places(&building, scene.elements.len());
        self.nets = Vec::with_capacity(building.networks.len());
        for ((number, of), engine) in building.networks.iter().enumerate().zip(engines) {
            let drives = of.drives.iter().map(|d| (d.point, Use::Drive));
            for (point, how) in drives.chain(of.readings.iter().map(|r| (r.point, Use::Reading))) {
                if let Some(uses) = self.of_point.get_mut(point.0 as usize) {
                    uses.push((number as u32, how));
                }
            }
            for slot in of.link_element.iter().chain(&of.node_element).flatten() {
                let nets = self.of_slot.entry(*slot).or_default();
                if nets.last() != Some(&(number as u32)) {
                    nets.push(number as u32);
                }
            }
            let mut net = Net {
                took: engine.took,
                asked: Ask { values: vec![None; of.drives.len()], faults: Vec::new() },
                state: Arc::new(engine.state().clone()),
                solves: engine.solves,
                engine: Some(Box::new(engine)),
                dirty: true,
                compare: true,
                asked_at: None,
                compared_at: None,
                live: 0,
                held: Vec::new(),
                shown: Vec::new(),
                written: None,
                through: Vec::new(),
            };
            net.count_through(&building, number);
            self.nets.push(net);
        }
        for (entity, place) in scene.elements.iter().zip(&networks.places) {
            if let Some(place) = place
                && let Some(net) = self.nets.get_mut(place.network)
            {
                net.shown.push((*entity, *place));
            }
        }
        self.residuals = Residuals::of(&building, site);
        networks.building = Some(building);
    }

    /// Lets go of the networks: what comes of them on another thread is dropped.
    pub fn clear(&mut self) {
        self.generation += 1;
        self.nets.clear();
        self.of_point.clear();
        self.of_slot.clear();
        self.deriving = None;
        self.derived = None;
    }

    /// Other things are known of the points from now on: every network is asked and compared anew.
    pub fn know(&mut self, known: Known) {
        self.known = known;
        for net in &mut self.nets {
            (net.dirty, net.compare) = (true, true);
        }
    }

    /// Something about a point is otherwise.
    pub fn touch(&mut self, point: PointIndex) {
        for (number, how) in self.of_point.get(point.0 as usize).into_iter().flatten() {
            if let Some(net) = self.nets.get_mut(*number as usize) {
                match how {
                    Use::Drive => net.dirty = true,
                    Use::Reading => net.compare = true,
                }
            }
        }
    }

    /// Sends a network to be solved on the other thread; it is solved here where there is none to be had.
    pub fn send(&mut self, number: usize, building: &Arc<Building>) {
        let generation = self.generation;
        let worker = self.worker.get_or_insert_with(Worker::start);
        let Some(net) = self.nets.get_mut(number) else { return };
        let Some(engine) = net.engine.take() else { return };
        let job = Job { generation, number, engine, building: Arc::clone(building), ask: net.asked.clone() };
        if let Err(back) = worker.jobs.send(job) {
            let mut job = back.into_inner();
            if let Some(of) = building.networks.get(number) {
                net.answered(job.engine.solve(of, &job.ask), &job.engine, building, number);
            }
            net.engine = Some(job.engine);
        }
    }

    /// Takes what the other thread has solved.
    pub fn receive(&mut self, building: &Arc<Building>) {
        let Some(worker) = &self.worker else { return };
        for done in worker.done.try_iter().filter(|d| d.generation == self.generation) {
            if let Some(net) = self.nets.get_mut(done.number) {
                net.answered(done.state, &done.engine, building, done.number);
                net.engine = Some(done.engine);
            }
        }
    }
}

impl Net {
    /// Takes an answer over.
    pub fn answered(&mut self, state: Arc<State>, engine: &Engine, building: &Building, number: usize) {
        self.state = state;
        self.took = engine.took;
        self.solves = engine.solves;
        self.written = Some(0);
        self.compare = true;
        self.compared_at = None;
        self.count_through(building, number);
    }

    fn count_through(&mut self, building: &Building, number: usize) {
        let Some(of) = building.networks.get(number) else { return };
        self.through.clear();
        self.through.resize(of.network.nodes.len(), 0.0);
        // In and out of a node are the same but for what is taken there: the larger of both passes it.
        let mut out = vec![0.0; of.network.nodes.len()];
        for (link, flow) in of.network.links.iter().zip(&self.state.flow_m3s) {
            if flow.is_finite() {
                let (up, down) = if *flow > 0.0 { (link.from, link.to) } else { (link.to, link.from) };
                self.through.get_mut(down).into_iter().for_each(|sum| *sum += flow.abs());
                out.get_mut(up).into_iter().for_each(|sum: &mut f64| *sum += flow.abs());
            }
        }
        for (through, out) in self.through.iter_mut().zip(out) {
            *through = through.max(out);
        }
    }
}

struct Job {
    generation: u64,
    number: usize,
    engine: Box<Engine>,
    building: Arc<Building>,
    ask: Ask,
}

struct Done {
    generation: u64,
    number: usize,
    engine: Box<Engine>,
    state: Arc<State>,
}

/// A thread that solves what takes too long for a tick; it ends when nobody asks it any more.
struct Worker {
    jobs: Sender<Job>,
    done: Receiver<Done>,
}

impl Worker {
    fn start() -> Self {
        let (jobs, asked) = unbounded::<Job>();
        let (answers, done) = unbounded();
        // Without a thread `asked` is dropped, and sending fails: it is solved where it is asked.
        let _ = std::thread::Builder::new().name("plenum-flow".into()).spawn(move || {
            for mut job in asked {
                let Some(of) = job.building.networks.get(job.number) else { continue };
                let state = job.engine.solve(of, &job.ask);
                let Job { generation, number, engine, .. } = job;
                if answers.send(Done { generation, number, engine, state }).is_err() {
                    return;
                }
            }
        });
        Self { jobs, done }
    }
}
