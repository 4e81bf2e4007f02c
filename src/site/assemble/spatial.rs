//! Sites and buildings of several models, and the spaces that elements stand in.

use super::{Assembly, Site};
use crate::shape::Aabb;
use crate::site::model::{Element, ElementKind, Place, Slot};

/// A chain of wholes longer than this is taken for a cycle.
const MAX_DEPTH: usize = 200;

impl Assembly {
    /// Adds a model's places and gives their numbers in the site. Places with one class and name are one where
    /// what they are part of does not speak against it.
    pub(super) fn places(&mut self, places: &[Place]) -> Vec<u32> {
        let whole_of = |i: usize| places.get(i).and_then(|p| p.part_of).map(|w| w as usize);
        let mut numbers: Vec<Option<u32>> = vec![None; places.len()];
        for i in 0..places.len() {
            // Wholes first, so that a part knows where its whole went.
            let mut chain = Vec::new();
            let mut at = Some(i);
            while let Some(next) = at.filter(|n| numbers.get(*n).is_some_and(Option::is_none)) {
                if chain.len() >= MAX_DEPTH || chain.contains(&next) {
                    break;
                }
                chain.push(next);
                at = whole_of(next);
            }
            while let Some(part) = chain.pop() {
                let whole = whole_of(part).and_then(|w| numbers.get(w).copied().flatten());
                let number = places.get(part).map(|p| self.place(p, whole));
                if let Some(slot) = numbers.get_mut(part) {
                    *slot = number;
                }
            }
        }
        numbers.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn place(&mut self, place: &Place, whole: Option<u32>) -> u32 {
        let same = |p: &Place| {
            let one_id = !p.id.is_empty() && p.id == place.id;
            let one_name = !p.name.is_empty() && p.name == place.name;
            p.class == place.class
                && (one_id || one_name && (p.part_of == whole || p.part_of.is_none() || whole.is_none()))
        };
        if let Some(known) = self.site.places.iter().position(same) {
            if let Some(p) = self.site.places.get_mut(known) {
                if p.id != place.id && !p.also.contains(&place.id) {
                    p.also.push(place.id.clone());
                }
                p.part_of = p.part_of.or(whole).filter(|w| *w as usize != known);
            }
            return known as u32;
        }
        self.site.places.push(Place { part_of: whole, ..place.clone() });
        (self.site.places.len() - 1) as u32
    }
}

/// The spaces that have a box.
pub(in crate::site) fn spaces_with_boxes(site: &Site) -> Vec<(Slot, Aabb)> {
    let spaces = site.iter().filter(|(_, e)| e.kind == ElementKind::Space);
    spaces.filter_map(|(slot, e)| Some((slot, e.bounds?))).collect()
}

/// The space whose box holds the middle of an element.
pub(in crate::site) fn space_around(spaces: &[(Slot, Aabb)], element: &Element) -> Option<Slot> {
    let centre = element.bounds?.centre();
    let inside = |b: &Aabb| centre.cmpge(b.min).all() && centre.cmple(b.max).all();
    // The smallest box that holds it: boxes of rooms that are not rectangular overlap.
    let volume = |b: &Aabb| b.size().element_product();
    spaces.iter().filter(|(_, b)| inside(b)).min_by(|a, b| volume(&a.1).total_cmp(&volume(&b.1))).map(|(s, _)| *s)
}

/// Which space an element stands in or serves, where its own file does not say: by the id that another
/// file's space has, else by where it is.
pub(super) fn resolve_spaces(site: &mut Site) {
    let spaces = spaces_with_boxes(site);
    for i in 0..site.elements.len() {
        let Some(element) = site.elements.get(i).filter(|e| e.kind == ElementKind::Element && e.space.is_none()) else {
            continue;
        };
        let named =
            element.property("Pset_Plenum_Serves", "Space").and_then(|v| v.as_str()).and_then(|id| site.find(id));
        let space = named.or_else(|| space_around(&spaces, element)).map(|s| s.0);
        if let Some(element) = site.elements.get_mut(i) {
            element.space = space;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: &str, name: &str, class: &str, part_of: Option<u32>) -> Place {
        Place { id: id.into(), name: name.into(), class: class.into(), part_of, also: Vec::new() }
    }

    #[test]
    fn the_buildings_of_two_models_are_one_where_their_names_are() {
        let mut assembly = Assembly::default();
        // The building before its site, as some files have it.
        let first = assembly.places(&[
            place("b1", "Clinic", "IfcBuilding", Some(1)),
            place("s1", "Riverside", "IfcSite", None),
            place("b2", "", "IfcBuilding", Some(1)),
        ]);
        let second = assembly.places(&[
            place("s9", "Riverside", "IfcSite", None),
            place("b9", "Clinic", "IfcBuilding", Some(0)),
            place("b8", "", "IfcBuilding", Some(0)),
        ]);
        assert_eq!((first.as_slice(), second.as_slice()), ([1, 0, 2].as_slice(), [0, 1, 3].as_slice()));
        let places = &assembly.site.places;
        assert_eq!(places[1].also, ["b9"]);
        assert_eq!(places[1].part_of, Some(0));
        assert_eq!((places[2].part_of, places[3].part_of), (Some(0), Some(0)), "without a name they stay two");
    }

    #[test]
    fn a_cycle_and_a_whole_that_is_not_there_are_cut() {
        let mut assembly = Assembly::default();
        let numbers = assembly.places(&[
            place("a", "A", "IfcSite", Some(1)),
            place("b", "B", "IfcSite", Some(0)),
            place("c", "C", "IfcSite", Some(7)),
        ]);
        assert_eq!(numbers.len(), 3);
        let places = &assembly.site.places;
        for (i, mut at) in places.iter().enumerate() {
            let mut steps = 0;
            while let Some(whole) = at.part_of {
                steps += 1;
                assert!(steps < 4, "place {i} is a part of itself");
                at = &places[whole as usize];
            }
        }
    }
}
