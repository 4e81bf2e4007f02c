//! An IFC file as a check of an IDS sees it ([`Source`]): every object of every class, with its attributes,
//! properties, classifications, materials and wholes, read from the records when they are asked for.
//!
//! A [`crate::site::Model`] holds what the twin needs of elements; a check also asks for projects, types, materials
//! and tasks, for the type of a value and for its unit. So it reads the records themselves, and nothing of this
//! stays in memory.

mod values;

use super::container;
use super::lite::{self, Class, Record, Step};
use super::relations::Relations;
use super::report;
use super::units::Units;
use crate::import::Limits;
use crate::problem::Problem;
use crate::site::ids::{
    ClassOfObjects, Classification, Fact, Object, Property, PropertySet, Relation, Source, TypedValue, Whole,
};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// How deep materials and classifications may nest.
const MAX_DEPTH: usize = 8;

/// A file whose objects can be checked.
pub struct Facts {
    file: String,
    schema: String,
    step: Step,
    relations: Relations,
    units: Units,
    /// Member to its groups.
    groups: HashMap<u32, Vec<u32>>,
    /// Material or profile to its `IfcExtendedProperties`.
    extended: HashMap<u32, Vec<u32>>,
    /// Whatever has no GlobalId to its classification references.
    external: HashMap<u32, Vec<u32>>,
}

/// Opens an IFC file (STEP, plain or zipped) for checks.
///
/// # Errors
/// When nothing of it can be read: missing, empty, another format, an unknown schema.
pub fn open(path: &Path, limits: &Limits) -> Result<Facts, Problem> {
    super::guarded(path, |place| {
        let name = path.file_name().map_or_else(|| place.to_owned(), |n| n.to_string_lossy().into_owned());
        read(path, place, name, limits)
    })
}

fn read(path: &Path, place: &str, file: String, limits: &Limits) -> Result<Facts, Problem> {
    let contents = container::open(path, limits)?;
    let schema = match lite::declared_schema(&contents.bytes) {
        Some((schema, true)) => schema,
        Some((schema, false)) => return Err(report::unknown_schema(place, &schema)),
        None => "IFC4".to_owned(),
    };
    let step = Step::scan(Arc::new(contents.bytes), &schema);
    let relations = Relations::read(&step);
    Ok(Facts::of(file, schema, step, relations))
}

/// Turned about: from group and members to member and groups, and so on.
fn sorted_out(step: &Step, relations: &Relations) -> [HashMap<u32, Vec<u32>>; 3] {
    let mut groups: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut members: Vec<_> = relations.members.iter().collect();
    members.sort_unstable_by_key(|(group, _)| **group);
    for (group, of) in members {
        of.iter().for_each(|m| groups.entry(*m).or_default().push(*group));
    }
    let mut extended: HashMap<u32, Vec<u32>> = HashMap::new();
    for class in ["IFCEXTENDEDPROPERTIES", "IFCMATERIALPROPERTIES", "IFCPROFILEPROPERTIES"] {
        for id in step.of(class) {
            let Some(record) = step.record(id) else { continue };
            let owner = record.reference("Material").or_else(|| record.reference("ProfileDefinition"));
            let list = owner.map(|o| extended.entry(o).or_default());
            if let Some(list) = list.filter(|l| !l.contains(&id)) {
                list.push(id);
            }
        }
    }
    let mut external: HashMap<u32, Vec<u32>> = HashMap::new();
    for record in step.of("IFCEXTERNALREFERENCERELATIONSHIP").into_iter().filter_map(|r| step.record(r)) {
        for object in record.references("RelatedResourceObjects") {
            external.entry(object).or_default().extend(record.reference("RelatingReference"));
        }
    }
    [groups, extended, external]
}

impl Source for Facts {
    fn file(&self) -> &str {
        &self.file
    }

    fn schema(&self) -> &str {
        &self.schema
    }

    fn classes(&self) -> Vec<ClassOfObjects> {
        self.step
            .classes()
            .map(|(class, _)| ClassOfObjects {
                name: class.name.to_ascii_uppercase(),
                by_type: self.is_told_by_type(class),
                things: !NO_THINGS.iter().any(|parent| self.step.is_a(class, parent)),
                objects: self.step.of_any(|_, c| c.name == class.name),
            })
            .collect()
    }

    fn object(&self, id: u32) -> Option<Object> {
        let record = self.step.record(id)?;
        let kind = self.type_of(id);
        let mut classes = vec![record.class.name.to_ascii_uppercase()];
        if self.is_told_by_type(record.class) {
            let by_type = kind.as_ref().map(|k| k.class.name.to_ascii_uppercase());
            classes.extend(by_type.and_then(|t| t.strip_suffix("TYPE").map(str::to_owned)));
        }
        let global_id = record.text("GlobalId");
        let label = [record.text("Tag"), record.text("Name")].into_iter().find(|t| !t.is_empty());
        let attributes = record.named().map(|(name, value)| {
            let fact = match values::attribute(name, value, &self.units) {
                _ if matches!(value, lite::Value::Derived) => Fact::Null,
                fact => fact,
            };
            (name.to_owned(), fact)
        });
        Some(Object {
            number: id,
            id: if global_id.is_empty() { format!("#{id}") } else { global_id },
            label: label.unwrap_or_default(),
            classes,
            predefined_types: predefined_types(&record, kind.as_ref()),
            attributes: attributes.collect(),
        })
    }

    fn property_sets(&self, id: u32) -> Vec<PropertySet> {
        let mut sets: Vec<PropertySet> = Vec::new();
        let own = self.set_ids(id);
        let of_type = self.relations.kind.get(&id).map(|k| self.set_ids(*k)).unwrap_or_default();
        // A file may hang one set on an object twice; sets of one name on one object stay apart.
        let mut seen = HashSet::new();
        sets.extend(
            own.into_iter().filter(|s| seen.insert(*s)).filter_map(|s| values::set(&self.step, s, &self.units)),
        );
        let own_sets = sets.len();
        for set in of_type.into_iter().filter(|s| seen.insert(*s)) {
            let Some(set) = values::set(&self.step, set, &self.units) else { continue };
            // The object's own properties override its type's.
            match sets.iter_mut().take(own_sets).find(|s| s.name == set.name) {
                None => sets.push(set),
                Some(own) => {
                    let new = |p: &Property| !own.properties.iter().any(|o| o.name == p.name);
                    let more: Vec<Property> = set.properties.into_iter().filter(new).collect();
                    own.properties.extend(more);
                }
            }
        }
        sets
    }

    fn classifications(&self, id: u32) -> Vec<Classification> {
        let of = |object: u32| -> Vec<Classification> {
            let rooted = self.relations.classification.get(&object).into_iter().flatten();
            let other = self.external.get(&object).into_iter().flatten();
            rooted.chain(other).filter_map(|r| self.classification(*r)).collect()
        };
        let mut own = of(id);
        let of_type = self.relations.kind.get(&id).map(|k| of(*k)).unwrap_or_default();
        let new: Vec<_> = of_type.into_iter().filter(|t| !own.iter().any(|o| o.system == t.system)).collect();
        own.extend(new);
        own
    }

    fn materials(&self, id: u32) -> Option<Vec<String>> {
        let kind = self.relations.kind.get(&id);
        let material = self.relations.material.get(&id).or_else(|| self.relations.material.get(kind?))?;
        let mut names = Vec::new();
        self.material_names(*material, 0, &mut HashSet::new(), &mut names);
        Some(names)
    }

    fn wholes(&self, id: u32) -> Vec<Whole> {
        let r = &self.relations;
        let mut wholes = Vec::new();
        let mut add = |relation: Relation, number: Option<&u32>| {
            wholes.extend(number.map(|number| Whole { relation, number: *number }));
        };
        add(Relation::Contained, r.container.get(&id));
        add(Relation::Aggregates, r.whole.get(&id));
        add(Relation::Nests, r.nest.get(&id));
        // In IFC2X3 a port belongs to its element by another relation.
        add(Relation::Nests, r.port_owner.get(&id).filter(|_| !self.schema.starts_with("IFC2")));
        add(Relation::VoidsOrFills, r.fills.get(&id));
        add(Relation::VoidsOrFills, r.host_of_opening.get(&id));
        self.groups.get(&id).into_iter().flatten().for_each(|g| add(Relation::Group, Some(g)));
        wholes
    }
}

/// Relationships, and pieces of shapes, properties and quantities: nobody means them who says "everything that has".
const NO_THINGS: &[&str] = &[
    "IFCREPRESENTATIONITEM",
    "IFCREPRESENTATION",
    "IFCPRODUCTREPRESENTATION",
    "IFCREPRESENTATIONMAP",
    "IFCOBJECTPLACEMENT",
    "IFCRELATIONSHIP",
    "IFCRESOURCELEVELRELATIONSHIP",
    "IFCPROPERTYDEFINITION",
    "IFCPROPERTYABSTRACTION",
    "IFCPROPERTY",
    "IFCPHYSICALQUANTITY",
    "IFCPRESENTATIONITEM",
    "IFCPRESENTATIONSTYLE",
    "IFCPROFILEDEF",
    "IFCSHAPEASPECT",
    "IFCOWNERHISTORY",
];

/// Classes of IFC2X3 that only their type makes a pump, a valve or a lamp.
const TOLD_BY_TYPE: &[&str] = &[
    "IfcFurnishingElement",
    "IfcDistributionControlElement",
    "IfcEnergyConversionDevice",
    "IfcFlowController",
    "IfcFlowFitting",
    "IfcFlowMovingDevice",
    "IfcFlowSegment",
    "IfcFlowStorageDevice",
    "IfcFlowTerminal",
    "IfcFlowTreatmentDevice",
    "IfcElementComponent",
    "IfcDiscreteAccessory",
];

impl Facts {
    /// Of records that were read for something else already.
    pub(super) fn of(file: String, schema: String, step: Step, relations: Relations) -> Self {
        let units = Units::read(&step);
        let [groups, extended, external] = sorted_out(&step, &relations);
        Self { file, schema, step, relations, units, groups, extended, external }
    }

    fn is_told_by_type(&self, class: &Class) -> bool {
        self.schema.to_ascii_uppercase().starts_with("IFC2") && TOLD_BY_TYPE.contains(&class.name.as_str())
    }

    fn type_of(&self, id: u32) -> Option<Record<'_>> {
        self.step.record(*self.relations.kind.get(&id)?)
    }

    /// Sets of an object, of a type, of a material or of a profile.
    fn set_ids(&self, id: u32) -> Vec<u32> {
        let mut ids = self.relations.sets.get(&id).cloned().unwrap_or_default();
        if self.step.record_is(id, "IFCTYPEOBJECT") {
            ids.extend(self.step.record(id).map(|r| r.references("HasPropertySets")).unwrap_or_default());
        }
        ids.extend(self.extended.get(&id).into_iter().flatten());
        ids
    }

    fn classification(&self, id: u32) -> Option<Classification> {
        let mut found = Classification::default();
        let mut at = id;
        for _ in 0..MAX_DEPTH {
            let record = self.step.record(at)?;
            if record.class.name == "IfcClassification" {
                found.system = record.text("Name");
                break;
            }
            let code = ["Identification", "ItemReference"].map(|a| record.text(a)).into_iter().find(|c| !c.is_empty());
            found.codes.extend(code);
            let Some(above) = record.reference("ReferencedSource") else { break };
            at = above;
        }
        Some(found)
    }

    /// Names and categories of a material and of all that it is made of.
    fn material_names(&self, id: u32, depth: usize, seen: &mut HashSet<u32>, names: &mut Vec<String>) {
        if depth >= MAX_DEPTH || !seen.insert(id) {
            return;
        }
        let record = self.step.record(id).filter(|r| r.class.name.starts_with("IfcMaterial"));
        let Some(record) = record else { return };
        for attribute in ["Name", "LayerSetName", "Category"] {
            let text = record.text(attribute);
            if !text.is_empty() && !names.contains(&text) {
                names.push(text);
            }
        }
        for part in record.all_references() {
            self.material_names(part, depth + 1, seen, names);
        }
    }
}

/// What a predefined type may be compared with. A type's own counts before its occurrence's, unless it says nothing.
fn predefined_types(record: &Record<'_>, kind: Option<&Record<'_>>) -> Vec<String> {
    let of = |record: &Record<'_>| -> Vec<String> {
        let word = record.word("PredefinedType");
        let free = ["ObjectType", "ElementType", "ProcessType", "ResourceType"];
        let behind =
            if word == "USERDEFINED" { free.iter().map(|a| record.text(a)).find(|t| !t.is_empty()) } else { None };
        Some(word).filter(|w| !w.is_empty()).into_iter().chain(behind).collect()
    };
    let says = |words: &[String]| words.first().is_some_and(|w| w != "NOTDEFINED");
    let (own, of_type) = (of(record), kind.map(of).unwrap_or_default());
    if says(&of_type) || own.is_empty() { of_type } else { own }
}
