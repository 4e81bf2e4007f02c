//! The plants of a site: one; or one a building, where several buildings have machines of their own.

use super::layout::{self, Devices};
use super::plant::Plant;
use crate::problem::Problem;
use crate::simulation::building::AssumptionOverride;
use crate::site::{Site, Slot};
use crate::time::Time;
use std::collections::{BTreeMap, HashSet};

/// An element that is a part of a part is looked for its building up to here.
const MAX_DEPTH: usize = 16;

/// All plants, and which element belongs to which.
#[derive(Clone)]
pub(super) struct Plants {
    first: Plant,
    more: Vec<Plant>,
    /// By slot: 0 is the first.
    of: Vec<usize>,
}

impl Plants {
    /// The plants of a site, which element is what in its plant, and what had to be guessed.
    pub(super) fn derive(site: &Site, seed: u64, stated: &[AssumptionOverride]) -> (Self, Devices, Vec<Problem>) {
        let of = by_building(site);
        let count = of.iter().max().map_or(1, |most| most + 1);
        let part = |n: usize| layout::derive_part(site, seed, n as u64, &|s| of.get(s.0 as usize) == Some(&n));
        let (first, mut devices, mut problems) = part(0);
        let mut more = Vec::new();
        for n in 1..count {
            let (plant, own, found) = part(n);
            more.push(plant);
            devices.extend(own);
            problems.extend(found.into_iter().filter(|p| !problems.contains(p)).collect::<Vec<_>>());
        }
        let mut plants = Self { first, more, of };
        super::pipes::add(site, &plants, &mut devices);
        problems.extend(super::attach::attach(site, &mut plants, &devices, seed, stated));
        (plants, devices, problems)
    }

    /// The plant that an element belongs to.
    pub(super) fn of(&self, slot: Slot) -> &Plant {
        let other = self.index(slot).and_then(|i| self.more.get(i));
        other.unwrap_or(&self.first)
    }

    /// The same, to be changed.
    pub(super) fn of_mut(&mut self, slot: Slot) -> &mut Plant {
        let other = self.index(slot).and_then(|i| self.more.get_mut(i));
        other.unwrap_or(&mut self.first)
    }

    /// Each plant, with which plant each slot belongs to.
    pub(super) fn each(&mut self) -> impl Iterator<Item = (&mut Plant, &[usize])> {
        let of = self.of.as_slice();
        std::iter::once(&mut self.first).chain(&mut self.more).map(move |p| (p, of))
    }

    fn index(&self, slot: Slot) -> Option<usize> {
        self.of.get(slot.0 as usize)?.checked_sub(1)
    }

    /// One step of all of them.
    pub(super) fn step(&mut self, time: Time, dt_s: f64) {
        self.first.step(time, dt_s);
        self.more.iter_mut().for_each(|p| p.step(time, dt_s));
    }
}

/// By slot: the number of the plant. Buildings with chillers or boilers have one each; what stands in no such building
/// belongs to the first, so that a plant that serves its neighbours keeps them.
fn by_building(site: &Site) -> Vec<usize> {
    let buildings: Vec<Option<u32>> = (0..site.elements.len()).map(|i| building_of(site, i)).collect();
    let makes = |class: &str| ["IfcChiller", "IfcBoiler"].iter().any(|c| class.eq_ignore_ascii_case(c));
    let with_machines: HashSet<u32> =
        site.elements.iter().zip(&buildings).filter(|(e, _)| makes(&e.class)).filter_map(|(_, b)| *b).collect();
    // In the order of their elements, not of their numbers.
    let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
    for building in buildings.iter().flatten().filter(|b| with_machines.contains(b)) {
        let next = numbers.len();
        numbers.entry(*building).or_insert(next);
    }
    buildings.iter().map(|b| b.and_then(|b| numbers.get(&b).copied()).unwrap_or_default()).collect()
}

/// The building that an element stands in, an index into the site's places: that of what it is mounted on or a part
/// of, else its own, else its storey's.
fn building_of(site: &Site, element: usize) -> Option<u32> {
    let mut at = site.elements.get(element)?;
    for _ in 0..MAX_DEPTH {
        match at.host.or(at.part_of).and_then(|i| site.elements.get(i as usize)) {
            Some(whole) => at = whole,
            None => break,
        }
    }
    let of_storey = || site.storeys.get(at.storey? as usize)?.place;
    let is_building =
        |p: &u32| site.places.get(*p as usize).is_some_and(|p| p.class.eq_ignore_ascii_case("IfcBuilding"));
    at.place.filter(is_building).or_else(of_storey).filter(is_building)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::site::model::{Place, PropertyValue, Storey};

    /// The fixture's clinic twice, in buildings of these names; tags of the second begin with `B2-`.
    fn two(names: [&str; 2]) -> Site {
        let one = fixture::clinic();
        let mut site = one.clone();
        let count = one.elements.len() as u32;
        for (n, name) in names.into_iter().enumerate() {
            let class = "IfcBuilding".into();
            site.places.push(Place { id: name.into(), name: name.into(), class, ..Place::default() });
            site.storeys.push(Storey { place: Some(n as u32), ..Storey::default() });
        }
        site.elements.iter_mut().for_each(|e| e.storey = Some(0));
        for mut element in one.elements {
            for link in [&mut element.part_of, &mut element.host, &mut element.space].into_iter().flatten() {
                *link += count;
            }
            (element.storey, element.id, element.tag) =
                (Some(1), format!("B2-{}", element.id), format!("B2-{}", element.tag));
            for set in &mut element.properties {
                let mut values = set.values.to_vec();
                for (_, value) in values.iter_mut().filter(|(name, _)| name == "AirHandler") {
                    *value = PropertyValue::Text(format!("B2-{}", value.as_str().unwrap()));
                }
                std::sync::Arc::make_mut(set).values = values.into();
            }
            site.elements.push(element);
        }
        site
    }

    #[test]
    fn two_buildings_with_machines_have_a_plant_each_and_one_has_one() {
        let (alone, devices, _) = Plants::derive(&fixture::clinic(), 7, &[]);
        assert!(alone.more.is_empty());
        let (plants, both, problems) = Plants::derive(&two(["North", "South"]), 7, &[]);
        assert_eq!((plants.more.len(), both.len()), (1, 2 * devices.len()), "{problems:?}");
        let sizes = |p: &Plant| (p.air.len(), p.zones.len(), p.chilled.machines.len(), p.heating.pumps.pumps.len());
        assert_eq!(sizes(&plants.first), sizes(&alone.first));
        assert_eq!(sizes(&plants.more[0]), sizes(&alone.first));
        let second = Slot(fixture::clinic().elements.len() as u32);
        assert!(std::ptr::eq(plants.of(Slot(0)), &plants.first) && std::ptr::eq(plants.of(second), &plants.more[0]));
    }

    #[test]
    fn a_building_without_machines_hangs_on_the_first_plant() {
        let mut site = two(["North", "South"]);
        let half = site.elements.len() / 2;
        for element in &mut site.elements[half..] {
            if ["IfcChiller", "IfcBoiler"].contains(&element.class.as_str()) {
                element.class = "IfcBuildingElementProxy".into();
            }
        }
        let (plants, _, _) = Plants::derive(&site, 7, &[]);
        assert!(plants.more.is_empty());
    }
}
