//! From a network and what holds now to the numbers of the core.

use super::layout::{Layout, NONE, OutflowKind};
use super::links::{Friction, LinkKind, PumpHead, ValveKind};
use super::loss::{Law, Laws};
use super::model::{Boundary, Command, DemandModel, Network, Node, NodeKind};
use super::newton::{Core, Pin};
use super::solution::{Refused, Solution};
use super::solver::{Levels, Solver};
use super::status::{Item, State, Switch, Switches};
use super::zones::{Supply, Tie, Zones};

/// Velocity that flows begin with, m/s: EPANET's foot a second.
const START_VELOCITY: f64 = 0.3048;

/// From this change of all demands on, over the demands, flows go up or down with them before the first step.
const MOVED: f64 = 0.01;

/// Builds the solver of a sound network.
/// Links that stand in `old` as they are here keep their laws.
pub fn build(network: &Network, layout: Layout, broken: Vec<bool>, old: Option<&Solver>) -> Solver {
    let n = network.nodes.len();
    let fixed: Vec<bool> = network.nodes.iter().map(|v| !matches!(v.kind, NodeKind::Junction(_))).collect();
    let in_core = layout.head.iter().zip(&fixed).map(|(&h, &fixed)| h != NONE && !fixed).collect();
    let tanks = network.nodes.iter().map(levels).collect();
    let mut now = network.boundary();
    for (head, node) in now.head.iter_mut().zip(&network.nodes) {
        if !head.is_finite() {
            *head = node.elevation;
        }
    }
    for value in now.demand.iter_mut().chain(&mut now.setting).chain(&mut now.head_gain) {
        if !value.is_finite() {
            *value = 0.0;
        }
    }
    let mut core = Core::new(&layout);
    let laws = Laws::new(network);
    core.points.clone_from(&laws.points);
    for row in 0..layout.link.len() as u32 {
        let kind = network.links.get(layout.link[row as usize] as usize).map(|l| &l.kind);
        core.put_row(layout.part(row), row, kind.is_some_and(is_hazen_williams));
    }
    let items = layout
        .specials
        .iter()
        .map(|s| Item {
            link: s.link,
            edge: s.edge,
            switch: Switch::Way,
            state: State::Off,
            free: false,
            forward: true,
            backward: true,
            rest: 0.0,
            start: 0.0,
            setting: 0.0,
            flips: 0,
        })
        .collect();
    for special in &layout.specials {
        if matches!(network.links[special.link as usize].kind, LinkKind::Pump(p) if matches!(p.head, PumpHead::Power(_)))
        {
            core.machines.push(special.edge);
        }
    }
    let links = network.links.len();
    let fixed_at = |v: u32| fixed[v as usize];
    let beside = (0..links as u32).filter(|&l| {
        let link = &network.links[l as usize];
        fixed[link.from] || fixed[link.to]
    });
    let solution = Solution {
        head: vec![0.0; n],
        flow: vec![0.0; links],
        demand: vec![0.0; n],
        status: vec![super::solution::Status::Open; links],
        ..Solution::default()
    };
    let mut solver = Solver {
        switches: Switches::new(items),
        kinds: network.links.iter().map(|l| l.kind.clone()).collect(),
        ends: network.links.iter().map(|l| (l.from as u32, l.to as u32)).collect(),
        demand_model: network.options.demand_model,
        reference_pressure: network.options.reference_pressure,
        trials: network.options.trials.max(1),
        elevation: network.nodes.iter().map(|v| v.elevation).collect(),
        in_core,
        tanks,
        broken,
        sources: (0..n as u32).filter(|&v| fixed_at(v)).collect(),
        beside: beside.collect(),
        takes: vec![false; n],
        fixed,
        marked: false,
        whole: true,
        now,
        zones: Zones::default(),
        references: Vec::new(),
        load: vec![0.0; n],
        start_flow: vec![0.0; links],
        split: Vec::new(),
        stale: true,
        cold: true,
        put_in: false,
        patience: 0,
        given: None,
        solution,
        layout,
        core,
        laws,
    };
    let old = old.filter(|old| old.laws == solver.laws);
    for link in 0..links {
        if !old.is_some_and(|old| solver.keep_law(link, old)) {
            solver.set_law(link);
        }
        if solver.now.head_gain[link] != 0.0 {
            solver.set_gain(link);
        }
    }
    solver.set_outflows(true);
    solver
}

/// Between which heads a tank works.
pub fn levels(node: &Node) -> Option<Levels> {
    match &node.kind {
        NodeKind::Tank(tank) => Some(Levels {
            low: node.elevation + tank.minimum_level,
            high: if tank.overflow { f64::INFINITY } else { node.elevation + tank.maximum_level },
        }),
        _ => None,
    }
}

/// Whether a link's loss is in the loop for Hazen–Williams.
pub fn is_hazen_williams(kind: &LinkKind) -> bool {
    matches!(kind, LinkKind::Pipe(pipe) if matches!(pipe.friction, Friction::HazenWilliams(_)))
}

impl Solver {
    /// Takes over what holds now.
    pub(super) fn take(&mut self, boundary: &Boundary) {
        let mut refused = std::mem::take(&mut self.solution.refused);
        refused.clear();
        let mut switched = self.cold;
        let mut moved = false;
        let scale = if self.cold { None } else { scale(&self.now.demand, &boundary.demand, &self.takes) };
        for &v in &self.sources {
            let v = v as usize;
            if let Some(new) = boundary.head.get(v) {
                renew(&mut self.now.head[v], *new, || Refused::Head(v), &mut refused);
            }
            self.core.head[self.layout.head[v] as usize] = self.now.head[v];
        }
        for (v, (old, new)) in self.now.demand.iter_mut().zip(&boundary.demand).enumerate() {
            moved |= new != old && renew(old, *new, || Refused::Demand(v), &mut refused);
        }
        let same = boundary.command == self.now.command
            && boundary.setting == self.now.setting
            && boundary.head_gain == self.now.head_gain;
        for link in (0..self.kinds.len()).filter(|_| !same) {
            let command = boundary.command.get(link).copied().unwrap_or(self.now.command[link]);
            let mut new = command != self.now.command[link];
            self.now.command[link] = command;
            if let Some(setting) = boundary.setting.get(link) {
                new |= renew(&mut self.now.setting[link], *setting, || Refused::Setting(link), &mut refused);
            }
            if let Some(gain) = boundary.head_gain.get(link)
                && renew(&mut self.now.head_gain[link], *gain, || Refused::Gain(link), &mut refused)
            {
                self.set_gain(link);
            }
            if new {
                self.set_law(link);
                switched = true;
            }
        }
        self.solution.refused = refused;
        if moved && !self.stale && !(self.references.is_empty() && self.solution.cut_off.is_empty()) {
            // A zone may have become a circuit, or be one no longer.
            self.stale = !self.zones.stand(&self.fixed, &self.now.demand);
        }
        if self.switches.dropped {
            (self.switches.dropped, self.stale) = (false, true);
        }
        if self.stale {
            self.find_zones();
        }
        if moved || self.stale || self.cold {
            self.set_outflows(false);
            self.set_loads();
        }
        if let Some(scale) = scale.filter(|_| !self.stale && !switched) {
            self.core.scale_flows(scale);
        }
        let turned = self.set_switches(switched);
        if self.cold {
            self.begin();
        }
        if turned || self.stale || self.cold {
            self.switches.apply(&self.layout, &mut self.core, &self.references);
        }
        self.stale = false;
    }

    /// Law of a link by its command and setting.
    pub(super) fn set_law(&mut self, link: usize) {
        let row = self.layout.row[link] as usize;
        let command = if self.broken[link] { Command::Closed } else { self.now.command[link] };
        let law = self.laws.law(&self.kinds[link], command, self.now.setting[link]);
        // A setting may be so far out that no loss can be worked out: as good as shut.
        let law = if self.laws.counts(&law) { law } else { Law::Shut };
        let Some(place) = self.core.laws.get_mut(row) else { return };
        self.stale |= matches!(law, Law::Shut) != matches!(*place, Law::Shut);
        *place = law;
        self.core.shut[row] = matches!(law, Law::Shut);
        self.marked = false;
        (self.core.r[row], self.core.m[row]) = match law {
            Law::HazenWilliams { r, m } => (r, m),
            _ => (0.0, 0.0),
        };
        if !matches!(law, Law::Shut) {
            self.start_flow[link] = start_flow(&self.kinds[link], &law, &self.laws);
        }
        // Loss by setting changes conductances only: an old factor still serves.
    }

    /// Takes the law of a link from another solver with the same constants, if the link is the same there.
    fn keep_law(&mut self, link: usize, old: &Solver) -> bool {
        let (row, other) = (self.layout.row[link] as usize, old.layout.row.get(link).map_or(NONE, |&row| row) as usize);
        let same = old.kinds.get(link) == self.kinds.get(link)
            && old.broken.get(link) == self.broken.get(link)
            && old.now.command.get(link) == self.now.command.get(link)
            && old.now.setting.get(link) == self.now.setting.get(link);
        let (true, Some(place), Some(law)) = (same, self.core.laws.get_mut(row), old.core.laws.get(other)) else {
            return false;
        };
        *place = *law;
        self.core.shut[row] = old.core.shut[other];
        (self.core.r[row], self.core.m[row]) = (old.core.r[other], old.core.m[other]);
        self.start_flow[link] = old.start_flow[link];
        true
    }

    fn set_gain(&mut self, link: usize) {
        let row = self.layout.row[link] as usize;
        let Some(place) = self.core.row_gain.get_mut(row) else { return };
        *place = self.now.head_gain[link];
        let Some(&edge) = self.layout.edge.get(row) else { return };
        let place = self.layout.edges[edge as usize];
        let gain = |row: usize| {
            let link = self.layout.link[row] as usize;
            self.now.head_gain.get(link).map_or(0.0, |gain| self.layout.sign[row] * gain)
        };
        self.core.gain[edge as usize] = (place.first as usize..place.end as usize).map(gain).sum();
        // A draught may set a circuit going that stood still.
        self.stale |= !self.references.is_empty() || !self.solution.cut_off.is_empty();
    }

    /// Laws of the outflows that depend on pressure.
    fn set_outflows(&mut self, first: bool) {
        for outflow in &self.layout.outflows {
            let edge = self.layout.edges[outflow.edge as usize];
            let row = edge.first as usize;
            let v = outflow.node as usize;
            match outflow.kind {
                OutflowKind::Emitter { c, e, back } if first => {
                    self.core.laws[row] = Law::Outflow { r: c.powf(-1.0 / e), n: 1.0 / e, back };
                    self.core.head[edge.b as usize] = self.elevation[v];
                }
                OutflowKind::Emitter { .. } => {}
                OutflowKind::Demand => {
                    let DemandModel::PressureDriven { least, required, exponent } = self.demand_model else { continue };
                    let full = self.now.demand[v];
                    self.core.laws[row] = Law::Wagner { full, range: required - least, n: 1.0 / exponent };
                    self.core.head[edge.b as usize] = self.elevation[v] + least;
                    let dead = self.core.dead.get(edge.a as usize).copied().unwrap_or(false);
                    let held = full <= 0.0 || dead;
                    if held != self.core.held[outflow.edge as usize] {
                        self.core.held[outflow.edge as usize] = held;
                        self.core.current = false;
                    }
                    if held {
                        self.core.flow[outflow.edge as usize] = if dead { 0.0 } else { full };
                    }
                }
            }
        }
    }

    /// Zones under the commands, references of circuits, and which chains are shut.
    fn find_zones(&mut self) {
        let Self { layout, core, zones, .. } = self;
        let laws = &core.laws;
        let ties = (0..self.kinds.len()).filter(|&l| layout.row[l] != NONE).map(|l| {
            let shut = matches!(laws[layout.row[l] as usize], Law::Shut);
            let held = matches!(self.kinds[l], LinkKind::FixedFlow);
            let pump = matches!(self.kinds[l], LinkKind::Pump(_) | LinkKind::Fan(_));
            let drives = !shut && (pump || held || self.now.head_gain[l] != 0.0);
            Tie { a: self.ends[l].0, b: self.ends[l].1, open: !shut && !held, drives }
        });
        zones.find(&self.fixed, &self.in_core, &self.now.demand, ties);
        for (dead, &node) in core.dead.iter_mut().zip(&layout.unknown) {
            *dead = zones.of(node as usize) == Supply::Cut;
        }
        for (v, takes) in self.takes.iter_mut().enumerate() {
            *takes = !self.fixed[v] && zones.of(v) != Supply::Cut;
        }
        self.references.clear();
        for v in 0..self.fixed.len() {
            if zones.zone[v] == v as u32 && zones.supply[v] == Supply::Circuit {
                let node = zones.reference[v] as usize;
                let head = self.elevation[node] + self.reference_pressure;
                self.references.push(Pin { place: layout.head[node], head, edge: NONE });
            }
        }
        self.split.clear();
        for (id, edge) in layout.edges.iter().enumerate().take(layout.chains) {
            let mut shut = (edge.first..edge.end).filter(|&row| matches!(laws[row as usize], Law::Shut));
            let first = shut.next();
            if first.is_none() && core.held[id] {
                // Opened again: a flow of its size is a better beginning than none.
                let link = layout.link[edge.first as usize] as usize;
                core.flow[id] = layout.sign[edge.first as usize] * self.start_flow[link];
            }
            core.held[id] = first.is_some();
            if let Some(first) = first {
                self.split.push((id as u32, first, shut.next_back().unwrap_or(first)));
            }
        }
        for id in layout.chains..layout.edges.len() {
            core.held[id] = false;
        }
        core.current = false;
        core.hold_dead(layout);
    }

    /// What each core node and edge has to carry.
    fn set_loads(&mut self) {
        let Self { layout, core, load, now, .. } = self;
        for ((load, takes), demand) in load.iter_mut().zip(&self.takes).zip(&now.demand) {
            *load = if *takes { *demand } else { 0.0 };
        }
        for outflow in layout.outflows.iter().filter(|o| o.kind == OutflowKind::Demand) {
            load[outflow.node as usize] = 0.0;
        }
        for leaf in &layout.leaves {
            let taken = load[leaf.node as usize];
            let shut = core.shut[leaf.row as usize];
            core.row_flow[leaf.row as usize] = if shut { 0.0 } else { leaf.sign * taken };
            if !shut {
                load[leaf.parent as usize] += taken;
            }
        }
        for &id in &layout.long {
            let edge = layout.edges[id as usize];
            let mut sum = 0.0;
            for row in edge.first as usize..edge.end as usize {
                core.offset[row] = sum;
                if row + 1 < edge.end as usize {
                    sum += load[layout.node[row] as usize];
                }
            }
            core.total[id as usize] = sum;
        }
        for &(id, first, _) in &self.split {
            core.flow[id as usize] = core.offset[first as usize];
        }
        for (load_here, &node) in core.load.iter_mut().zip(&layout.unknown) {
            *load_here = load[node as usize];
        }
    }

    /// Brings what switches up to commands, settings and tank levels; whether anything turned.
    fn set_switches(&mut self, all: bool) -> bool {
        let Self { layout, core, now, .. } = self;
        let n = layout.shape.n as u32;
        let mut turned = false;
        for item in &mut self.switches.items {
            item.flips = 0;
            let l = item.link as usize;
            let (from, to) = self.ends[l];
            let edge = layout.edges[item.edge as usize];
            let law = core.laws[edge.first as usize];
            let old = *item;
            if all {
                set_item(item, &self.kinds[l], now.command[l], now.setting[l], &law);
                item.start = self.start_flow[l];
                match item.switch {
                    Switch::Reduce if edge.b < n => item.setting += self.elevation[to as usize],
                    Switch::Sustain if edge.a < n => item.setting += self.elevation[from as usize],
                    Switch::Reduce | Switch::Sustain => (item.switch, item.state) = (Switch::Way, State::Open),
                    _ => {}
                }
                // What already works goes on from where it stands.
                let same = item.switch == old.switch && item.free && old.free;
                if same && !self.cold && old.state != State::Off {
                    item.state = old.state;
                }
            }
            let way = one_way(&self.kinds[l], now.command[l]);
            let level = |v: u32| self.tanks[v as usize].map(|t| (now.head[v as usize], t));
            let gives = |v: u32| level(v).is_none_or(|(head, t)| head > t.low);
            let takes = |v: u32| level(v).is_none_or(|(head, t)| head < t.high);
            item.forward = gives(from) && takes(to);
            item.backward = !way && gives(to) && takes(from);
            if item.state == State::Open && old.state == State::Off {
                core.flow[item.edge as usize] = item.start;
            }
            turned |= item.state != old.state || item.setting != old.setting || item.switch != old.switch;
        }
        turned
    }

    /// Flows and heads to begin with.
    fn begin(&mut self) {
        let Self { layout, core, .. } = self;
        let known = &core.head[layout.shape.n..];
        let mean = if known.is_empty() { 0.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
        core.head[..layout.shape.n].fill(mean);
        for pin in &self.references {
            core.head[pin.place as usize] = pin.head;
        }
        for (id, edge) in layout.edges.iter().enumerate() {
            if !core.held[id] {
                let link = layout.link[edge.first as usize] as usize;
                core.flow[id] = self.start_flow.get(link).copied().unwrap_or(0.0);
            }
        }
        for outflow in &layout.outflows {
            if !core.held[outflow.edge as usize] {
                core.flow[outflow.edge as usize] = match outflow.kind {
                    OutflowKind::Emitter { c, e, .. } => c * 10f64.powf(e),
                    OutflowKind::Demand => self.now.demand[outflow.node as usize],
                };
            }
        }
        let Some(given) = self.given.take() else { return };
        let (flows, heads) = *given;
        for (head, &node) in core.head.iter_mut().zip(&layout.unknown) {
            if let Some(&given) = heads.get(node as usize).filter(|h| h.is_finite()) {
                *head = given;
            }
        }
        for (id, edge) in layout.edges.iter().enumerate().filter(|&(id, _)| !core.held[id]) {
            let row = edge.first as usize;
            match flows.get(layout.link[row] as usize).filter(|q| q.is_finite()) {
                Some(flow) => core.flow[id] = layout.sign[row] * flow,
                None if id < layout.chains => core.flow[id] = core.flow_between(layout, id, core.flow[id], 0.0).0,
                None => {}
            }
        }
    }
}

/// How many times the old demands the new ones are, where they go up or down together and by more than a little:
/// flows that go along are a better beginning than the old ones.
fn scale(old: &[f64], new: &[f64], counts: &[bool]) -> Option<f64> {
    if old.len() != new.len() {
        return None;
    }
    let mut sums = [[0.0; 4]; 3];
    let (old4, old) = old.as_chunks::<4>();
    let (new4, new) = new.as_chunks::<4>();
    let (counts4, counts) = counts.as_chunks::<4>();
    let mut add = |i: usize, old: f64, new: f64, counts: bool| {
        let (old, new) = if counts { (old, new) } else { (0.0, 0.0) };
        sums[0][i] += old * old;
        sums[1][i] += old * new;
        sums[2][i] += new * new;
    };
    for ((old, new), counts) in old4.iter().zip(new4).zip(counts4) {
        for i in 0..4 {
            add(i, old[i], new[i], counts[i]);
        }
    }
    for ((old, new), counts) in old.iter().zip(new).zip(counts) {
        add(0, *old, *new, *counts);
    }
    let [old, both, new] = sums.map(|s| (s[0] + s[1]) + (s[2] + s[3]));
    let (change, left) = (new - 2.0 * both + old, new - both * both / old);
    (change > MOVED * MOVED * old && left < 0.25 * change && both > 0.0).then(|| both / old)
}

/// Takes a new value over the old if it is a number; whether it changed.
fn renew(old: &mut f64, new: f64, what: impl Fn() -> Refused, refused: &mut Vec<Refused>) -> bool {
    if !new.is_finite() {
        refused.push(what());
        return false;
    }
    let changed = new != *old;
    *old = new;
    changed
}

/// Whether flow may only run along a link.
fn one_way(kind: &LinkKind, command: Command) -> bool {
    match kind {
        LinkKind::Pipe(pipe) => pipe.check,
        LinkKind::Kv(valve) => valve.check,
        LinkKind::Resistance(fixed) => fixed.check,
        LinkKind::Pump(_) | LinkKind::Fan(_) => true,
        LinkKind::Valve(valve) => {
            command == Command::Auto
                && matches!(valve.kind, ValveKind::PressureReducing | ValveKind::PressureSustaining)
        }
        _ => false,
    }
}

fn set_item(item: &mut Item, kind: &LinkKind, command: Command, setting: f64, law: &Law) {
    item.setting = setting;
    item.rest = law.at(0.0, &[]).0;
    let auto = command == Command::Auto;
    (item.switch, item.state) = match kind {
        LinkKind::FixedFlow => (Switch::Hold, State::Active),
        LinkKind::Valve(valve) if auto => match valve.kind {
            ValveKind::PressureReducing => (Switch::Reduce, State::Active),
            ValveKind::PressureSustaining => (Switch::Sustain, State::Active),
            ValveKind::FlowControl => (Switch::Limit, State::Active),
            _ => (Switch::Way, State::Open),
        },
        _ => (Switch::Way, State::Open),
    };
    item.free = item.switch != Switch::Hold;
    if matches!(law, Law::Shut) {
        (item.state, item.free) = (State::Off, false);
    }
}

/// A flow of the size that a link is made for, m³/s.
fn start_flow(kind: &LinkKind, law: &Law, laws: &Laws) -> f64 {
    let round = |diameter: f64| START_VELOCITY * super::friction::round_area(diameter);
    match kind {
        LinkKind::Pipe(pipe) => round(pipe.diameter),
        LinkKind::Valve(valve) => round(valve.diameter),
        LinkKind::Duct(duct) => 2.0 * duct.area,
        LinkKind::Damper(damper) => 2.0 * damper.area,
        _ => match *law {
            // What a head of one metre drives; pumps in the middle of their range.
            Law::Square { m } => (1.0 / m.max(1e-9)).sqrt().min(1.0),
            Law::Power { r, n, .. } => (1.0 / r.max(1e-9)).powf(1.0 / n).min(1.0),
            Law::Pump { h0, r, n } => (0.25 * h0 / r).powf(1.0 / n),
            Law::Machine { k } => k / 10.0,
            Law::Table { first, count, x, .. } => {
                let points = laws.points.get(first as usize..(first + count) as usize).unwrap_or_default();
                points.get(points.len() / 2).map_or(1e-3, |p| p.0 / x)
            }
            _ => 1e-3,
        },
    }
}
