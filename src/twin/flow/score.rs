//! Measured beside solved, for each point and element, and the scores.

use crate::simulation::building::accuracy::{Score, solved};
use crate::simulation::building::{Building, Measurand, State, SystemNetwork};
use crate::site::{PointIndex, Site, Slot};
use bevy::prelude::{Component, Resource};
use std::collections::HashMap;

/// A measured point and what is solved there. On the point's entity its own; on an element's entity the worst of the
/// points that stand on it or measure in it.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// The point.
    pub point: PointIndex,
    /// Measured, SI.
    pub measured: f64,
    /// Solved, SI.
    pub simulated: f64,
    /// Measured less solved, SI.
    pub residual: f64,
    /// The residual over its scale ([`Measurand::scale`]).
    pub relative: f64,
}

impl Residual {
    /// What is measured beside what is solved; none where either is no number.
    pub fn of(network: &SystemNetwork, state: &State, point: PointIndex, of: Measurand, measured: f64) -> Option<Self> {
        let simulated = solved(network, state, of);
        let residual = measured - simulated;
        let relative = residual / of.scale(network.domain, measured);
        relative.is_finite().then_some(Self { point, measured, simulated, residual, relative })
    }

    /// The worse of two.
    fn worse(self, other: Self) -> Self {
        if other.relative.abs() > self.relative.abs() { other } else { self }
    }
}

/// How accurate a network is, on the network's entity.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct FlowScore {
    /// Good readings that could be compared.
    pub readings: usize,
    /// Share of them, 0..1, whose residual is within a tenth of its scale; not a number without readings.
    pub within_10: f64,
    /// Share of them, 0..1, within a fifth.
    pub within_20: f64,
}

impl Default for FlowScore {
    fn default() -> Self {
        Score::default().into()
    }
}

impl From<Score> for FlowScore {
    fn from(score: Score) -> Self {
        let share = |s: Option<f64>| s.unwrap_or(f64::NAN);
        Self { readings: score.readings, within_10: share(score.within_10), within_20: share(score.within_20) }
    }
}

/// The score of all networks together: every reading counts once.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct OverallScore(pub Score);

/// What is measured and solved, by point.
#[derive(Clone, Debug, Default)]
pub struct Residuals {
    of_point: Vec<Option<Residual>>,
    /// By point: the elements that show its residual.
    shown_on: HashMap<PointIndex, Vec<Slot>>,
    /// By element: the points whose worst residual it shows.
    shown_by: HashMap<Slot, Vec<PointIndex>>,
}

impl Residuals {
    /// Nothing is compared yet. Finds which elements show what: the one that a point stands on, and the one in which it
    /// measures.
    pub fn of(building: &Building, site: &Site) -> Self {
        let mut out = Self { of_point: vec![None; site.points.len()], ..Self::default() };
        for of in &building.networks {
            for reading in &of.readings {
                let at = match reading.of {
                    Measurand::Flow(link) | Measurand::Difference(link) | Measurand::Leaving(link) => {
                        of.link_element.get(link)
                    }
                    Measurand::Pressure(node) | Measurand::Temperature(node) => of.node_element.get(node),
                };
                let stands = site.points.get(reading.point.0 as usize).map(|p| p.asset);
                for slot in stands.into_iter().chain(at.copied().flatten()) {
                    let slots = out.shown_on.entry(reading.point).or_default();
                    if !slots.contains(&slot) {
                        slots.push(slot);
                        out.shown_by.entry(slot).or_default().push(reading.point);
                    }
                }
            }
        }
        out
    }

    /// What is known of a point.
    pub fn get(&self, point: PointIndex) -> Option<Residual> {
        self.of_point.get(point.0 as usize).copied().flatten()
    }

    /// Takes what a point comes to; true when that is something else than before.
    pub fn set(&mut self, point: PointIndex, to: Option<Residual>) -> bool {
        let Some(own) = self.of_point.get_mut(point.0 as usize).filter(|own| **own != to) else { return false };
        *own = to;
        true
    }

    /// The elements that show a point's residual.
    pub fn shown_on(&self, point: PointIndex) -> &[Slot] {
        self.shown_on.get(&point).map_or(&[], Vec::as_slice)
    }

    /// What an element shows: the worst of its points.
    pub fn worst(&self, slot: Slot) -> Option<Residual> {
        let points = self.shown_by.get(&slot).map_or(&[][..], Vec::as_slice);
        points.iter().filter_map(|p| self.get(*p)).reduce(Residual::worse)
    }

    /// The residuals of a network's readings, each point once.
    pub fn of_network<'a>(&'a self, of: &'a SystemNetwork) -> impl Iterator<Item = Residual> + 'a {
        of.readings.iter().filter_map(|r| self.get(r.point))
    }

    /// The score of all of them.
    pub fn score(&self) -> Score {
        Score::of(self.of_point.iter().flatten().map(|r| r.relative))
    }
}
