//! Which value colours which element.

use super::solved::Solved;
use super::{CATEGORIES, Palette, STALE, change_value, word};
use crate::analytics::Health;
use crate::quality::Quality;
use crate::site::graph::{Domain, domain_of_class};
use crate::site::unit::{Quantity, Unit};
use crate::site::{ElementKind, PointIndex, Site, Slot};
use crate::twin::changes::Changes;
use crate::twin::health::{AssetHealth, PointHealth};
use crate::twin::scene::Scene;
use crate::twin::telemetry::LiveValue;
use crate::twin::view::ColourBy;
use bevy::prelude::*;

/// What of a site colours what, found once when it is opened.
#[derive(Resource, Default)]
pub struct Colouring {
    /// By slot: the elements whose health it shows; none: it takes no part.
    health_from: Vec<Vec<Slot>>,
    /// By slot: the elements that show its health.
    health_to: Vec<Vec<Slot>>,
    /// By slot: the point whose temperature it shows.
    temperature_from: Vec<Option<PointIndex>>,
    /// By point: the elements that show its temperature.
    temperature_to: Vec<Vec<Slot>>,
    /// By slot: the number of its discipline.
    discipline: Vec<u16>,
}

/// The disciplines of a site's files, in the project's order, each once: the place is its category.
pub fn disciplines(site: &Site) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for source in &site.sources {
        let name = if source.discipline.is_empty() { &source.kind } else { &source.discipline };
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// How well a role tells the temperature of what it is measured on; none: it is no temperature of it.
/// Less is better: the room's own, then what a machine supplies, then any other.
pub fn temperature_rank(role: &str) -> Option<u8> {
    if !role.contains("temperature") {
        return None;
    }
    Some(match role {
        "zone_temperature" => 0,
        "supply_temperature" => 1,
        "temperature" => 2,
        "discharge_temperature" | "leaving_air_temperature" => 3,
        "return_temperature" => 4,
        _ => 5,
    })
}

impl Colouring {
    /// Finds what colours what.
    pub fn of(scene: &Scene) -> Self {
        let site = &scene.site;
        let count = site.elements.len();
        let mut health_from = vec![Vec::new(); count];
        let mut best: Vec<Option<(u8, PointIndex)>> = vec![None; count];
        for (slot, element) in site.iter() {
            let points = scene.points_of(slot);
            if points.is_empty() {
                continue;
            }
            let temperature = points
                .iter()
                .filter_map(|p| {
                    let point = site.points.get(p.0 as usize)?;
                    Some((temperature_rank(&point.role).filter(|_| is_temperature(&point.unit))?, *p))
                })
                .min();
            // Itself, what it is a part of (and so on up), and the space it stands in.
            let mut shown_on = vec![slot];
            let mut whole = element.part_of;
            while let Some(next) = whole.filter(|w| (*w as usize) < count && !shown_on.contains(&Slot(*w))) {
                shown_on.push(Slot(next));
                whole = site.elements[next as usize].part_of;
            }
            if let Some(space) = element.space.filter(|s| (*s as usize) < count && !shown_on.contains(&Slot(*s))) {
                shown_on.push(Slot(space));
            }
            for on in shown_on {
                let i = on.0 as usize;
                health_from[i].push(slot);
                let Some(found) = temperature else { continue };
                // A room's temperature is what a device calls so; a pump's water says nothing of the room.
                let is_space = site.elements[i].kind == ElementKind::Space;
                if (!is_space || found.0 == 0) && best[i].is_none_or(|b| found < b) {
                    best[i] = Some(found);
                }
            }
        }
        let mut health_to = vec![Vec::new(); count];
        for (i, from) in health_from.iter().enumerate() {
            for slot in from {
                health_to[slot.0 as usize].push(Slot(i as u32));
            }
        }
        let temperature_from: Vec<_> = best.into_iter().map(|b| b.map(|(_, p)| p)).collect();
        let mut temperature_to = vec![Vec::new(); site.points.len()];
        for (i, point) in temperature_from.iter().enumerate() {
            if let Some(point) = point {
                temperature_to[point.0 as usize].push(Slot(i as u32));
            }
        }
        let names = disciplines(site);
        let of_source: Vec<u16> = site
            .sources
            .iter()
            .map(|s| {
                let name = if s.discipline.is_empty() { &s.kind } else { &s.discipline };
                names.iter().position(|n| n == name).unwrap_or(0) as u16
            })
            .collect();
        let discipline = (0..count)
            .map(|i| site.source_of.get(i).and_then(|s| of_source.get(usize::from(*s))).copied().unwrap_or(0))
            .collect();
        Self { health_from, health_to, temperature_from, temperature_to, discipline }
    }

    /// The elements that show an element's health.
    pub fn coloured_by_health_of(&self, slot: Slot) -> impl Iterator<Item = Slot> + '_ {
        self.health_to.get(slot.0 as usize).into_iter().flatten().copied()
    }

    /// The elements that show a point's temperature.
    pub fn coloured_by_value_of(&self, point: PointIndex) -> impl Iterator<Item = Slot> + '_ {
        self.temperature_to.get(point.0 as usize).into_iter().flatten().copied()
    }

    /// The point whose temperature an element shows.
    pub fn temperature_of(&self, slot: Slot) -> Option<PointIndex> {
        self.temperature_from.get(slot.0 as usize).copied().flatten()
    }

    /// The elements whose health an element shows: its own, its parts', those in it; none: it takes no part.
    pub fn health_of(&self, slot: Slot) -> &[Slot] {
        self.health_from.get(slot.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Palette, value and staleness of an element.
    pub fn word(
        &self,
        scene: &Scene,
        by: ColourBy,
        slot: Slot,
        health: &Query<&AssetHealth>,
        values: &Query<(&LiveValue, Option<&PointHealth>)>,
        changes: &Changes,
        solved: &Solved,
    ) -> u32 {
        let i = slot.0 as usize;
        let is_feature = scene.site.elements.get(i).is_some_and(|e| e.kind == ElementKind::Feature);
        let quiet = word(Palette::Quiet, u16::from(is_feature));
        match by {
            ColourBy::Material => word(Palette::Material, 0),
            ColourBy::Health => {
                let from = self.health_of(slot);
                if from.is_empty() {
                    return quiet;
                }
                let worst = from
                    .iter()
                    .filter_map(|s| scene.elements.get(s.0 as usize))
                    .filter_map(|e| health.get(*e).ok())
                    .fold(Health::Unknown, |worst, h| worst.worst(h.0));
                let stale = if worst == Health::Stale { STALE } else { 0 };
                word(Palette::Health, u16::from(worst.rank())) | stale
            }
            ColourBy::Temperature => {
                let live = self
                    .temperature_from
                    .get(i)
                    .copied()
                    .flatten()
                    .and_then(|p| scene.points.get(p.0 as usize))
                    .and_then(|e| values.get(*e).ok());
                match live {
                    Some((live, health)) if live.device_time.is_some() && live.value.is_finite() => {
                        let old = live.quality == Quality::BadStale || health.is_some_and(|h| h.0 == Health::Stale);
                        // What is measured on a machine or in a room may be of air, whatever else runs through it.
                        let water = scene.site.elements.get(i).and_then(domain_of_class) == Some(Domain::Water);
                        solved.temperature_word(water, live.value) | if old { STALE } else { 0 }
                    }
                    _ => solved.word(scene, by, slot).unwrap_or(quiet),
                }
            }
            ColourBy::Flow | ColourBy::Velocity | ColourBy::Pressure | ColourBy::Residual => {
                solved.word(scene, by, slot).unwrap_or(quiet)
            }
            ColourBy::System => match scene.site.elements.get(i).and_then(|e| e.systems.first()) {
                Some(system) => word(Palette::Category, (*system % u32::from(CATEGORIES)) as u16),
                None => quiet,
            },
            ColourBy::Change => match changes.of_slot(slot).and_then(change_value) {
                Some(value) => word(Palette::Change, value),
                None => quiet,
            },
            ColourBy::Discipline => word(Palette::Category, self.discipline.get(i).copied().unwrap_or(0) % CATEGORIES),
        }
    }
}

/// Only degrees are coloured as degrees: a difference in kelvin is none.
fn is_temperature(unit: &Unit) -> bool {
    unit.quantity == Quantity::Temperature
}
