//! The colours of what is solved: flow, velocity, pressure, temperature, and how far measured is from solved.

use super::{Palette, temperature_value, word};
use crate::site::Slot;
use crate::site::graph::Domain;
use crate::twin::flow::{Flow, FlowRanges, Networks, Pressure, Residual, Temperature, Velocity, residual_value};
use crate::twin::scene::{InSlot, Scene};
use crate::twin::view::ColourBy;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

/// What is solved, as far as colours need it.
#[derive(SystemParam)]
pub struct Solved<'w, 's> {
    networks: Res<'w, Networks>,
    ranges: Res<'w, FlowRanges>,
    flow: Query<'w, 's, &'static Flow>,
    velocity: Query<'w, 's, &'static Velocity>,
    pressure: Query<'w, 's, &'static Pressure>,
    temperature: Query<'w, 's, &'static Temperature>,
    residual: Query<'w, 's, &'static Residual>,
    changed_flow: Query<'w, 's, &'static InSlot, Changed<Flow>>,
    changed_velocity: Query<'w, 's, &'static InSlot, Changed<Velocity>>,
    changed_pressure: Query<'w, 's, &'static InSlot, Changed<Pressure>>,
    changed_temperature: Query<'w, 's, &'static InSlot, Changed<Temperature>>,
    changed_residual: Query<'w, 's, &'static InSlot, Changed<Residual>>,
    gone: Gone<'w, 's>,
}

/// Elements that have no solved value any more.
#[derive(SystemParam)]
pub struct Gone<'w, 's> {
    flow: RemovedComponents<'w, 's, Flow>,
    residual: RemovedComponents<'w, 's, Residual>,
    temperature: RemovedComponents<'w, 's, Temperature>,
}

impl Solved<'_, '_> {
    /// Whether all elements need another word: the colours of flow mean other values now, or some elements have no
    /// value any more.
    pub fn means_something_else(&mut self, by: ColourBy) -> bool {
        let gone =
            [self.gone.flow.read().count(), self.gone.residual.read().count(), self.gone.temperature.read().count()];
        match by {
            ColourBy::Flow | ColourBy::Velocity | ColourBy::Pressure => self.ranges.is_changed() || gone[0] > 0,
            ColourBy::Residual => gone[1] > 0,
            ColourBy::Temperature => gone[2] > 0,
            _ => false,
        }
    }

    /// The elements whose solved value is another since the last tick.
    pub fn changed(&self, by: ColourBy) -> Box<dyn Iterator<Item = Slot> + '_> {
        match by {
            ColourBy::Flow => Box::new(self.changed_flow.iter().map(|s| s.0)),
            ColourBy::Velocity => Box::new(self.changed_velocity.iter().map(|s| s.0)),
            ColourBy::Pressure => Box::new(self.changed_pressure.iter().map(|s| s.0)),
            ColourBy::Temperature => Box::new(self.changed_temperature.iter().map(|s| s.0)),
            ColourBy::Residual => Box::new(self.changed_residual.iter().map(|s| s.0)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Palette and value of an element by what is solved of it; none where nothing is.
    pub fn word(&self, scene: &Scene, by: ColourBy, slot: Slot) -> Option<u32> {
        let entity = *scene.elements.get(slot.0 as usize)?;
        match by {
            ColourBy::Flow => self.ranged(by, slot, self.flow.get(entity).ok()?.0.abs()),
            ColourBy::Velocity => self.ranged(by, slot, self.velocity.get(entity).ok()?.0.abs()),
            ColourBy::Pressure => self.ranged(by, slot, self.pressure.get(entity).ok()?.0),
            ColourBy::Temperature => {
                let celsius = self.temperature.get(entity).ok()?.0;
                let water = self.networks.place(slot)?.domain == Domain::Water;
                celsius.is_finite().then(|| self.temperature_word(water, celsius))
            }
            ColourBy::Residual => {
                Some(word(Palette::Residual, residual_value(self.residual.get(entity).ok()?.relative)))
            }
            _ => None,
        }
    }

    /// Palette and value of a temperature, °C: water in pipes has a range of its own.
    pub fn temperature_word(&self, water: bool, celsius: f64) -> u32 {
        let range = self.ranges.of(ColourBy::Temperature, Domain::Water).filter(|_| water);
        word(Palette::Temperature, range.map_or_else(|| temperature_value(celsius), |r| r.value(celsius)))
    }

    fn ranged(&self, by: ColourBy, slot: Slot, value: f64) -> Option<u32> {
        let range = self.ranges.of(by, self.networks.place(slot)?.domain)?;
        value.is_finite().then(|| word(Palette::Flow, range.value(value)))
    }
}
