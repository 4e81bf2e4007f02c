//! Sites and buildings of several models, and the spaces that elements stand in.

use super::{Assembly, Site};
use crate::site::model::{Element, ElementKind, Place, Slot};
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};

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

/// The spaces of a site by where they are: a campus has thousands of rooms and a hundred thousand elements in them.
pub(in crate::site) struct Spaces(RTree<GeomWithData<Rectangle<[f64; 3]>, (Slot, f64)>>);

impl Spaces {
    /// All that have a box.
    pub(in crate::site) fn of(site: &Site) -> Self {
        let spaces = site.iter().filter(|(_, e)| e.kind == ElementKind::Space);
        let boxes = spaces.filter_map(|(slot, e)| {
            let b = e.bounds.filter(|b| b.min.is_finite() && b.max.is_finite())?;
            let corners = Rectangle::from_corners(b.min.to_array(), b.max.to_array());
            Some(GeomWithData::new(corners, (slot, b.size().element_product())))
        });
        Self(RTree::bulk_load(boxes.collect()))
    }

    /// The space whose box holds the middle of an element.
    pub(in crate::site) fn around(&self, element: &Element) -> Option<Slot> {
        let centre = element.bounds?.centre();
        if !centre.is_finite() {
            return None;
        }
        let around = self.0.locate_all_at_point(&centre.to_array()).map(|found| found.data);
        // The smallest box that holds it: boxes of rooms that are not rectangular overlap. Of equal ones the first.
        around.min_by(|(a, v), (b, w)| v.total_cmp(w).then(a.0.cmp(&b.0))).map(|(slot, _)| slot)
    }
}

/// Which space an element stands in or serves, where its own file does not say: by the id that another
/// file's space has, else by where it is.
pub(super) fn resolve_spaces(site: &mut Site) {
    let spaces = Spaces::of(site);
    for i in 0..site.elements.len() {
        let Some(element) = site.elements.get(i).filter(|e| e.kind == ElementKind::Element && e.space.is_none()) else {
            continue;
        };
        let named =
            element.property("Pset_Plenum_Serves", "Space").and_then(|v| v.as_str()).and_then(|id| site.find(id));
        let space = named.or_else(|| spaces.around(element)).map(|s| s.0);
        if let Some(element) = site.elements.get_mut(i) {
            element.space = space;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Aabb;
    use glam::DVec3;

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
    fn of_the_spaces_around_the_smallest_and_of_equal_ones_the_first() {
        let space = |x: f64, size: f64| Element {
            kind: ElementKind::Space,
            bounds: Some(Aabb { min: DVec3::new(x, 0.0, 0.0), max: DVec3::new(x + size, size, 3.0) }),
            ..Element::default()
        };
        let thing = |x: f64, y: f64| Element {
            bounds: Some(Aabb { min: DVec3::new(x, y, 1.0), max: DVec3::new(x, y, 1.0) }),
            ..Element::default()
        };
        let broken = Element { bounds: Some(Aabb { min: DVec3::NAN, max: DVec3::ONE }), ..space(0.0, 1.0) };
        let rooms = vec![space(0.0, 10.0), space(2.0, 3.0), space(2.0, 3.0), broken, space(20.0, 3.0)];
        let (site, _) = Site::of_elements("", rooms);
        let spaces = Spaces::of(&site);
        assert_eq!(spaces.around(&thing(3.0, 1.0)), Some(Slot(1)));
        // On the border it is inside, as it is of the larger room.
        assert_eq!(spaces.around(&thing(5.0, 3.0)), Some(Slot(1)));
        assert_eq!(spaces.around(&thing(9.0, 9.0)), Some(Slot(0)));
        assert_eq!(spaces.around(&thing(15.0, 1.0)), None);
        assert_eq!(spaces.around(&thing(f64::NAN, 1.0)), None);
        assert_eq!(spaces.around(&Element::default()), None);
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
