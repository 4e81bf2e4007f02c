//! Sites and buildings, and the relations that no field of an element holds.

use super::lite::{Class, Step};
use super::relations::Relations;
use crate::site::assets::{Relation, RelationKind, Thing};
use crate::site::model::{Model, Place};
use rustc_hash::FxHashMap as HashMap;

/// What the file's records became, by record number.
pub(super) struct Numbers<'a> {
    /// Products to [`Model::elements`].
    pub(super) elements: &'a HashMap<u32, u32>,
    /// Storeys to [`Model::storeys`].
    pub(super) storeys: &'a HashMap<u32, u32>,
    /// Sites, buildings and facilities to [`Model::places`].
    pub(super) places: &'a HashMap<u32, u32>,
    /// Zones and systems.
    pub(super) groups: &'a HashMap<u32, Thing>,
}

impl Numbers<'_> {
    fn thing(&self, record: u32) -> Option<Thing> {
        let element = || self.elements.get(&record).map(|i| Thing::Element(*i));
        let storey = || self.storeys.get(&record).map(|i| Thing::Storey(*i));
        let place = || self.places.get(&record).map(|i| Thing::Place(*i));
        element().or_else(storey).or_else(place).or_else(|| self.groups.get(&record).copied())
    }
}

/// Fills [`Model::places`] and the project's GlobalId, and gives the places' numbers by record: everything of the
/// spatial structure that is neither a storey nor a space (a spatial zone is neither, and no place to stand in).
pub(super) fn read_places(step: &Step, relations: &Relations, model: &mut Model) -> HashMap<u32, u32> {
    let project = step.of("IFCPROJECT").into_iter().find_map(|id| step.record(id));
    model.project_id = project.map(|p| p.text("GlobalId")).unwrap_or_default();
    let above = |class: &Class| step.is_a(class, "IFCBUILDINGSTOREY") || step.is_a(class, "IFCSPACE");
    let records = step.of_any(|step, class| step.is_a(class, "IFCSPATIALSTRUCTUREELEMENT") && !above(class));
    let mut numbers = HashMap::default();
    for record in records.iter().filter_map(|id| step.record(*id)) {
        numbers.insert(record.id, model.places.len() as u32);
        let name = [record.text("Name"), record.text("LongName")].into_iter().find(|n| !n.is_empty());
        model.places.push(Place {
            id: record.text("GlobalId"),
            name: name.unwrap_or_default(),
            class: record.class.name.clone(),
            ..Place::default()
        });
    }
    for (record, number) in &numbers {
        let parent = relations.parents(*record).into_iter().find_map(|p| numbers.get(&p)).copied();
        if let Some(place) = model.places.get_mut(*number as usize) {
            place.part_of = parent.filter(|p| p != number);
        }
    }
    numbers
}

/// Fills [`Model::relations`].
pub(super) fn read_relations(step: &Step, relations: &Relations, numbers: &Numbers<'_>, model: &mut Model) {
    let mut add = |from: u32, kind: RelationKind, to: u32, words: &'static str| {
        if let (Some(from), Some(to)) = (numbers.thing(from), numbers.thing(to))
            && from != to
        {
            model.relations.push(Relation::new(from, kind, to, words));
        }
    };
    for (system, served) in &relations.serves {
        served.iter().for_each(|s| add(*system, RelationKind::Serves, *s, "IfcRelServicesBuildings"));
    }
    // Since IFC 4.3 a system names what it serves this way; an element that reaches through several storeys too,
    // and that is no service.
    for (what, place) in relations.referenced.iter().filter(|(w, _)| numbers.groups.contains_key(w)) {
        add(*what, RelationKind::Serves, *place, "IfcRelReferencedInSpatialStructure");
    }
    for (object, product) in &relations.assigned {
        let is = |class: &str| step.record_is(*object, class);
        let kind = if is("IFCSENSOR") || is("IFCFLOWMETER") {
            RelationKind::Meters
        } else if is("IFCCONTROLLER") || is("IFCACTUATOR") || is("IFCUNITARYCONTROLELEMENT") {
            RelationKind::Controls
        } else {
            continue;
        };
        add(*object, kind, *product, "IfcRelAssignsToProduct");
    }
    let mut nested: Vec<(&u32, &u32)> = relations.nest.iter().collect();
    nested.sort_unstable();
    for (part, whole) in nested.into_iter().filter(|(p, _)| !relations.whole.contains_key(p)) {
        add(*part, RelationKind::PartOf, *whole, "IfcRelNests");
    }
}
