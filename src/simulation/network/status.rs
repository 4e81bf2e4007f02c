//! What switches by itself: check valves, pumps, full tanks, valves that hold a pressure or a flow.
//!
//! An active set: each is open, blocked or active (holding its setting), and changes only where heads and
//! flows say so by more than a tolerance. One that has changed often in one solve is frozen as it stands
//! and reported, so that a solve always ends. The rules follow from what such a valve is; they are those of
//! the EPANET manual, chapter "Analysis algorithms", with the tolerances here.

use super::layout::{Layout, NONE};
use super::newton::{Core, Pin};
use super::zones::Sets;

/// Difference of heads that means something, m.
const HEAD: f64 = 1e-4;
/// Flow that means something, m³/s.
const FLOW: f64 = 1e-7;
/// Changes in one solve after which a link is frozen.
const MOST_FLIPS: u32 = 12;

/// How something that switches does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Lets flow one way, or both; a pump, a check valve, a link at a tank.
    Way,
    /// Holds the head at its end, never above.
    Reduce,
    /// Holds the head at its beginning, never below.
    Sustain,
    /// Lets no more through than its setting.
    Limit,
    /// Has the flow of its setting, always.
    Hold,
}

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Flow by its loss.
    #[default]
    Open,
    /// Shut by itself.
    Blocked,
    /// Holding its setting.
    Active,
    /// Shut by command.
    Off,
}

/// Something that switches.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its link.
    pub link: u32,
    /// Its edge.
    pub edge: u32,
    /// How it switches.
    pub switch: Switch,
    /// How it stands.
    pub state: State,
    /// Whether it may switch: not where a command holds it open or shut.
    pub free: bool,
    /// Whether flow may run along it.
    pub forward: bool,
    /// Whether flow may run against it.
    pub backward: bool,
    /// Head loss at no flow: minus a pump's shut-off head.
    pub rest: f64,
    /// A flow to begin with when it opens, m³/s.
    pub start: f64,
    /// The head or flow it holds.
    pub setting: f64,
    /// How often it has changed in this solve.
    pub flips: u32,
}

/// All that switches.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    /// One for each special link, then nothing else.
    pub items: Vec<Item>,
    /// Unknowns that a head reaches through open edges.
    pub sourced: Vec<bool>,
    /// Whether every unknown is sourced or left out.
    pub complete: bool,
    /// Whether some were left out in this solve because of what switched.
    pub dropped: bool,
    reached: Vec<bool>,
    pub(super) sets: Sets,
}

impl Item {
    /// How it should stand by the heads at its ends and its flow.
    fn wanted(&self, from: f64, to: f64, gain: f64, loss: f64, flow: f64) -> State {
        let from = from + gain;
        match self.switch {
            Switch::Way => match self.state {
                State::Open if flow < -FLOW && !self.backward || flow > FLOW && !self.forward => State::Blocked,
                State::Blocked => {
                    let drive = from - to - self.rest;
                    let opens = self.forward && drive > HEAD || self.backward && drive < -HEAD;
                    if opens { State::Open } else { State::Blocked }
                }
                state => state,
            },
            Switch::Reduce => match self.state {
                _ if !self.forward => State::Blocked,
                State::Active | State::Open if flow < -FLOW => State::Blocked,
                State::Active if from - loss < self.setting - HEAD => State::Open,
                State::Open if to > self.setting + HEAD => State::Active,
                State::Blocked if from > self.setting + HEAD && to < self.setting - HEAD => State::Active,
                State::Blocked if from < self.setting - HEAD && from > to + HEAD => State::Open,
                state => state,
            },
            Switch::Sustain => match self.state {
                _ if !self.forward => State::Blocked,
                State::Active | State::Open if flow < -FLOW => State::Blocked,
                State::Active if to + loss > self.setting + HEAD => State::Open,
                State::Open if from < self.setting - HEAD => State::Active,
                State::Blocked if to > self.setting + HEAD && from > to + HEAD => State::Open,
                State::Blocked if from > self.setting + HEAD && from > to + HEAD => State::Active,
                state => state,
            },
            Switch::Limit => match self.state {
                State::Active if from - to < -HEAD => State::Open,
                State::Open if flow > self.setting + FLOW => State::Active,
                state => state,
            },
            Switch::Hold => self.state,
        }
    }
}

impl Switches {
    /// For these items, none of them put into the core yet.
    pub fn new(items: Vec<Item>) -> Self {
        Self { items, ..Self::default() }
    }

    /// Puts all that switches into the core as it stands: what is held, what is pinned. `references` are the
    /// heads that closed circuits are held at.
    pub fn apply(&mut self, layout: &Layout, core: &mut Core, references: &[Pin]) {
        core.pins.clear();
        core.pins.extend_from_slice(references);
        for k in 0..self.items.len() {
            let item = self.items[k];
            let edge = layout.edges[item.edge as usize];
            core.held[item.edge as usize] = item.state != State::Open;
            let dead = |head: u32| core.dead.get(head as usize).copied().unwrap_or(false);
            if dead(edge.a) || dead(edge.b) {
                core.held[item.edge as usize] = true;
                core.flow[item.edge as usize] = 0.0;
                continue;
            }
            if item.state != State::Active {
                if item.state != State::Open {
                    core.flow[item.edge as usize] = 0.0;
                }
                continue;
            }
            let place = match item.switch {
                Switch::Reduce => edge.b,
                Switch::Sustain => edge.a,
                _ => {
                    core.flow[item.edge as usize] = item.setting;
                    continue;
                }
            };
            // Two valves cannot hold one node: the one with the higher head does, the other shuts.
            match core.pins.iter().position(|p| p.place == place && p.edge != NONE) {
                Some(at) if core.pins[at].head < item.setting => {
                    let other = core.pins[at].edge;
                    core.flow[other as usize] = 0.0;
                    if let Some(other) = self.items.iter_mut().find(|i| i.edge == other) {
                        other.state = State::Blocked;
                    }
                    core.pins[at] = Pin { place, head: item.setting, edge: item.edge };
                }
                Some(_) => {
                    self.items[k].state = State::Blocked;
                    core.flow[item.edge as usize] = 0.0;
                }
                None => core.pins.push(Pin { place, head: item.setting, edge: item.edge }),
            }
        }
        core.balance_pins(layout);
        core.current = false;
        self.reach(layout, core);
    }

    /// Lets everything switch once; whether anything did.
    pub fn check(&mut self, layout: &Layout, core: &mut Core) -> bool {
        let mut changed = false;
        for item in self.items.iter_mut().filter(|item| item.free && item.flips < MOST_FLIPS) {
            let edge = layout.edges[item.edge as usize];
            let id = item.edge as usize;
            let (from, to) = (core.head[edge.a as usize], core.head[edge.b as usize]);
            let flow = core.flow[id];
            let loss = core.laws[edge.first as usize].at(flow, &core.points).0;
            let wanted = item.wanted(from, to, core.gain[id], loss, flow);
            if wanted == item.state {
                continue;
            }
            if wanted == State::Open && item.state == State::Blocked {
                let drive = from + core.gain[id] - to - item.rest;
                core.flow[id] = if drive < 0.0 { -item.start } else { item.start };
            }
            item.state = wanted;
            item.flips += 1;
            changed = true;
        }
        changed
    }

    /// Links that were frozen in this solve.
    pub fn frozen(&self) -> impl Iterator<Item = u32> + '_ {
        self.items.iter().filter(|item| item.flips >= MOST_FLIPS).map(|item| item.link)
    }

    /// Finds which unknowns a head reaches as things stand, and lets the ends of closed edges at the
    /// others give way, so that their heads show which way these should open.
    fn reach(&mut self, layout: &Layout, core: &mut Core) {
        let n = layout.shape.n;
        self.sets.part(layout.heads);
        for (edge, held) in layout.edges.iter().zip(&core.held) {
            if !held {
                self.sets.join(edge.a, edge.b);
            }
        }
        // A set is sourced if a fixed head or a pin is in it.
        self.sourced.clear();
        self.sourced.resize(n, false);
        let Self { sets, sourced, .. } = self;
        let mut mark = |head: u32, reached: &mut [bool]| reached[sets.find(head) as usize] = true;
        self.reached.clear();
        self.reached.resize(layout.heads, false);
        for head in n..layout.heads {
            mark(head as u32, &mut self.reached);
        }
        for pin in &core.pins {
            mark(pin.place, &mut self.reached);
        }
        self.complete = true;
        for (k, sourced) in sourced.iter_mut().enumerate() {
            *sourced = self.reached[sets.find(k as u32) as usize];
            self.complete &= *sourced || core.dead[k];
        }
        core.feeble.clear();
        if self.complete {
            return;
        }
        let alone = |head: u32| (head as usize) < n && !sourced[head as usize] && !core.dead[head as usize];
        for (id, edge) in layout.edges.iter().enumerate().skip(layout.chains) {
            if core.held[id] {
                core.feeble.extend([edge.a, edge.b].into_iter().filter(|&head| alone(head)));
            }
        }
    }

    /// Leaves out the unknowns that nothing reaches, with their edges; whether there were any.
    pub fn drop_unreached(&mut self, layout: &Layout, core: &mut Core) -> bool {
        let mut any = false;
        for (dead, sourced) in core.dead.iter_mut().zip(&self.sourced) {
            if !sourced && !*dead {
                *dead = true;
                any = true;
            }
        }
        if any {
            core.hold_dead(layout);
            self.dropped = true;
        }
        any
    }
}
