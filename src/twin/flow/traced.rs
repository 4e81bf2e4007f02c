//! What somebody traces: found when asked for, found again when the flow has turned.

use super::{FlowState, Networks};
use crate::simulation::building::State;
use crate::simulation::building::trace::{Trace, Way, ends_at, trace};
use crate::site::Slot;
use crate::site::revision::Carry;
use crate::twin::command::Command;
use crate::twin::scene::SiteOpened;
use bevy::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A trace that is shown is found again so long after the last time at the earliest, when its network was solved anew.
const AGAIN: Duration = Duration::from_millis(1000);

/// What somebody traces; nothing when [`Traced::from`] is none.
#[derive(Resource, Clone, Debug, Default)]
pub struct Traced {
    /// From which element.
    pub from: Option<(Slot, Way)>,
    /// What was found: elements in their order, the path to the pump or terminal, and its profile. None where the
    /// element is in no network, and while the networks are being made.
    pub trace: Option<Trace>,
    /// By slot: how many links away it is, the start is 0; none where it is not on the way.
    order: Vec<Option<u32>>,
    /// By slot: whether it is on the path to the pump or terminal.
    on_path: Vec<bool>,
}

impl Traced {
    /// How many links an element is from the start; none where it is not on the way.
    pub fn order(&self, slot: Slot) -> Option<u32> {
        self.order.get(slot.0 as usize).copied().flatten()
    }

    /// Whether an element is on the path to the pump or terminal.
    pub fn is_on_path(&self, slot: Slot) -> bool {
        self.on_path.get(slot.0 as usize).copied().unwrap_or(false)
    }

    /// What is traced, for panels without a twin.
    pub fn of(from: Slot, way: Way, trace: Option<Trace>) -> Self {
        let mut traced = Self { from: Some((from, way)), ..Self::default() };
        traced.show(trace);
        traced
    }

    fn show(&mut self, trace: Option<Trace>) {
        self.order.clear();
        self.on_path.clear();
        if let Some(trace) = &trace {
            let most = trace.elements.iter().map(|r| r.slot.0 as usize + 1).max().unwrap_or(0);
            self.order.resize(most, None);
            self.on_path.resize(most, false);
            for reached in &trace.elements {
                if let Some(order) = self.order.get_mut(reached.slot.0 as usize) {
                    *order = Some(reached.links);
                }
            }
            for slot in trace.profile.iter().filter_map(|p| p.slot) {
                if let Some(on_path) = self.on_path.get_mut(slot.0 as usize) {
                    *on_path = true;
                }
            }
        }
        self.trace = trace;
    }

    /// The same of a site whose elements have other numbers now; it is found again when its networks are there.
    pub(super) fn carry(&mut self, carry: &Carry) {
        let from = self.from.and_then(|(slot, way)| Some((carry.slot(slot)?, way)));
        *self = Self { from, ..Self::default() };
    }
}

/// Obeys [`Command::Trace`] and [`Command::ClearTrace`].
pub fn obey(
    mut opened: MessageReader<SiteOpened>,
    mut asked: MessageReader<Command>,
    networks: Res<Networks>,
    states: Query<&FlowState>,
    mut traced: ResMut<Traced>,
    mut last: Local<Option<(Instant, Arc<State>)>>,
) {
    let mut anew = networks.is_changed() && traced.from.is_some();
    if opened.read().any(SiteOpened::is_another) && traced.from.is_some() {
        *traced = Traced::default();
    }
    for command in asked.read() {
        match command {
            Command::Trace { slot, way } => {
                *traced = Traced { from: Some((*slot, *way)), ..Traced::default() };
                anew = true;
            }
            Command::ClearTrace if traced.from.is_some() => *traced = Traced::default(),
            _ => {}
        }
    }
    let Some((slot, way)) = traced.from else { return };
    let Some(place) = networks.place(slot) else { return };
    let (Some(of), Some(entity)) = (networks.network(place.network), networks.entities.get(place.network)) else {
        return;
    };
    let Ok(state) = states.get(*entity) else { return };
    let may_differ = |(at, of): &(Instant, Arc<State>)| !Arc::ptr_eq(of, &state.0) && at.elapsed() >= AGAIN;
    if !anew && !last.as_ref().is_none_or(may_differ) {
        return;
    }
    *last = Some((Instant::now(), Arc::clone(&state.0)));
    let found = trace(of, &state.0, slot, way, |link| ends_at(of, link));
    if traced.trace != found {
        traced.show(found);
    }
}
