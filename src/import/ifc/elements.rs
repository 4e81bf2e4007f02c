//! Records to elements, storeys, systems, zones and ports: everything but the triangles.

use super::lite::{Record, Step};
use super::placement::Placements;
use super::relations::Relations;
use super::{properties, spatial};
use crate::import::Progress;
use crate::site::assets::Thing;
use crate::site::model::{
    Connection, ConnectionPoint, Element, ElementKind, FlowDirection, Group, Model, PropertySet, Storey,
};
use glam::DAffine3;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::sync::Arc;

/// How deep material definitions and classifications may nest.
const MAX_DEPTH: usize = 8;

/// What the file's records say, before geometry.
pub(super) struct Read {
    /// The model without shapes.
    pub(super) model: Model,
    /// By element: its record.
    pub(super) records: Vec<u32>,
    /// By element: does it state a representation that is more than lines, points or a box?
    pub(super) represented: Vec<bool>,
    /// Elements whose record cannot be parsed.
    pub(super) unreadable: Vec<u32>,
    /// Elements without a GlobalId.
    pub(super) nameless: Vec<u32>,
    /// Elements whose representation is named, and not in the file.
    pub(super) shapeless: Vec<u32>,
    /// Ports that belong to no element.
    pub(super) loose_ports: usize,
    /// Port connections that name a port which is not there.
    pub(super) loose_connections: usize,
}

/// Record numbers of the products that become elements: every `IfcElement` but openings and other features,
/// and spaces.
pub(super) fn products(step: &Step) -> Vec<u32> {
    step.of_any(|step, class| {
        (step.is_a(class, "IFCELEMENT") && !step.is_a(class, "IFCFEATUREELEMENT")) || step.is_a(class, "IFCSPACE")
    })
}

/// Reads everything but triangles.
pub(super) fn read(
    step: &Step,
    relations: &Relations,
    placements: &mut Placements<'_>,
    unit_m: f64,
    products: &[u32],
    progress: &Progress,
) -> Read {
    let mut read = Read {
        model: Model::default(),
        records: Vec::new(),
        represented: Vec::new(),
        unreadable: Vec::new(),
        nameless: Vec::new(),
        shapeless: Vec::new(),
        loose_ports: 0,
        loose_connections: 0,
    };
    let places = spatial::read_places(step, relations, &mut read.model);
    let storeys = read_storeys(step, relations, placements, unit_m, &places, &mut read.model);
    let mut sets = Sets { step, read: HashMap::default() };
    for id in products {
        if progress.cancelled() {
            return read; // the caller throws it away
        }
        let Some(record) = step.record(*id) else {
            read.unreadable.push(*id);
            continue;
        };
        let element = read_element(step, relations, &mut sets, &record);
        if element.id == format!("#{id}") {
            read.nameless.push(*id);
        }
        let (body, there) = representation_of(step, &record);
        read.represented.push(body);
        if !there {
            read.shapeless.push(*id);
        }
        read.records.push(*id);
        read.model.elements.push(element);
    }
    let index: HashMap<u32, u32> = read.records.iter().enumerate().map(|(i, r)| (*r, i as u32)).collect();
    place_in_building(step, relations, (&places, &storeys), &index, &mut read);
    let groups = read_groups(step, relations, &index, &mut read.model);
    spatial::read_relations(
        step,
        relations,
        &spatial::Numbers { elements: &index, storeys: &storeys, places: &places, groups: &groups },
        &mut read.model,
    );
    read_ports(step, relations, placements, &index, &mut read);
    read
}

fn read_element(step: &Step, relations: &Relations, sets: &mut Sets<'_>, record: &Record<'_>) -> Element {
    let space = step.is_a(record.class, "IFCSPACE");
    let kind = relations.kind.get(&record.id).and_then(|t| step.record(*t));
    let id = record.text("GlobalId");
    let own_type = record.text("ObjectType");
    let mut description = record.text("Description");
    let mut name = record.text("Name");
    let long_name = record.text("LongName");
    if name.is_empty() {
        name = long_name;
    } else if description.is_empty() {
        description = long_name;
    }
    let mut properties = Vec::new();
    let mut set_ids: Vec<u32> = relations.sets.get(&record.id).cloned().unwrap_or_default();
    if let Some(kind) = &kind {
        set_ids.extend(kind.references("HasPropertySets"));
    }
    let mut seen = HashSet::default();
    properties.extend(set_ids.into_iter().filter(|s| seen.insert(*s)).filter_map(|s| sets.get(s)));
    let objects = [Some(record.id), kind.as_ref().map(|k| k.id)];
    let material = objects.iter().flatten().find_map(|o| relations.material.get(o));
    let mut materials = Vec::new();
    if let Some(material) = material {
        material_names(step, *material, 0, &mut materials);
    }
    let mut classification = Vec::new();
    for reference in objects.iter().flatten().filter_map(|o| relations.classification.get(o)).flatten() {
        if let Some(words) = classification_words(step, *reference).filter(|w| !classification.contains(w)) {
            classification.push(words);
        }
    }
    let named = |reference: &u32| document_words(step, *reference);
    let documents = objects.iter().flatten().filter_map(|o| relations.documents.get(o)).flatten().filter_map(named);
    let type_name = kind.as_ref().map(|k| k.text("Name")).filter(|n| !n.is_empty());
    Element {
        id: if id.is_empty() { format!("#{}", record.id) } else { id },
        class: record.class.name.clone(),
        kind: if space { ElementKind::Space } else { ElementKind::Element },
        name,
        tag: record.text("Tag"),
        description,
        predefined_type: predefined_type(record, kind.as_ref()),
        type_name: type_name.unwrap_or(own_type),
        type_class: kind.as_ref().map(|k| k.class.name.clone()).unwrap_or_default(),
        properties,
        materials,
        classification,
        layers: layers_of(step, relations, record),
        documents: documents.collect(),
        placement: DAffine3::IDENTITY,
        colour: [0.8, 0.8, 0.8, 1.0],
        ..Element::default()
    }
}

/// Two things of the product's representations: should one of them give triangles, and, where it names any, is one in
/// the file?
fn representation_of(step: &Step, product: &Record<'_>) -> (bool, bool) {
    let Some(shape) = product.reference("Representation") else { return (false, true) };
    let Some(shape) = step.record(shape) else { return (false, false) };
    let representations = shape.references("Representations");
    let there = representations.is_empty() || representations.iter().any(|r| step.class_of(*r).is_some());
    let body = representations.into_iter().filter_map(|r| step.record(r)).any(|r| {
        let flat = ["Curve", "Point", "Annotation", "Text", "GeometricSet", "GeometricCurveSet", "BoundingBox"];
        let kind = r.text("RepresentationType");
        !r.references("Items").is_empty() && !flat.iter().any(|f| kind.starts_with(f))
    });
    (body, there)
}

/// The element's own word, else its type's; what stands behind `USERDEFINED` when it is that.
fn predefined_type(record: &Record<'_>, kind: Option<&Record<'_>>) -> String {
    let resolve = |record: &Record<'_>, free: &str| match record.word("PredefinedType") {
        word if word == "USERDEFINED" => Some(record.text(free)).filter(|t| !t.is_empty()).unwrap_or(word),
        word => word,
    };
    let own = resolve(record, "ObjectType");
    let of_type = kind.map(|k| resolve(k, "ElementType")).unwrap_or_default();
    let says = |word: &str| !word.is_empty() && word != "NOTDEFINED";
    if says(&own) || !says(&of_type) && !own.is_empty() { own } else { of_type }
}

/// Property sets, each parsed once however many elements share it.
struct Sets<'a> {
    step: &'a Step,
    read: HashMap<u32, Option<Arc<PropertySet>>>,
}

impl Sets<'_> {
    fn get(&mut self, id: u32) -> Option<Arc<PropertySet>> {
        self.read.entry(id).or_insert_with(|| properties::read_set(self.step, id).map(Arc::new)).clone()
    }
}

fn material_names(step: &Step, id: u32, depth: usize, names: &mut Vec<String>) {
    let Some(record) = step.record(id).filter(|r| depth < MAX_DEPTH && r.class.name.starts_with("IfcMaterial")) else {
        return;
    };
    if record.class.name == "IfcMaterial" {
        let name = record.text("Name");
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
        return;
    }
    for part in record.all_references() {
        material_names(step, part, depth + 1, names);
    }
}

/// `Uniclass 2015: Ss_65_80`, or what there is of it.
fn classification_words(step: &Step, id: u32) -> Option<String> {
    let record = step.record(id)?;
    if record.class.name == "IfcClassification" {
        return Some(record.text("Name")).filter(|n| !n.is_empty());
    }
    let code =
        ["Identification", "ItemReference", "Name"].map(|a| record.text(a)).into_iter().find(|t| !t.is_empty())?;
    let mut source = record.reference("ReferencedSource");
    for _ in 0..MAX_DEPTH {
        let Some(above) = source.and_then(|s| step.record(s)) else { break };
        if above.class.name == "IfcClassification" {
            let system = above.text("Name");
            return Some(if system.is_empty() { code } else { format!("{system}: {code}") });
        }
        source = above.reference("ReferencedSource");
    }
    Some(code)
}

/// What a document is called, else where it is found.
fn document_words(step: &Step, id: u32) -> Option<String> {
    let record = step.record(id)?;
    let words = ["Name", "Identification", "ItemReference", "DocumentId", "Location"];
    words.into_iter().map(|a| record.text(a)).find(|t| !t.is_empty())
}

/// Layers are assigned to representations, or to the items in them.
fn layers_of(step: &Step, relations: &Relations, product: &Record<'_>) -> Vec<String> {
    let mut layers: Vec<String> = Vec::new();
    if relations.layers.is_empty() {
        return layers;
    }
    let shape = product.reference("Representation").and_then(|r| step.record(r));
    for representation in shape.map(|s| s.references("Representations")).unwrap_or_default() {
        let items = step.record(representation).map(|r| r.references("Items")).unwrap_or_default();
        for layer in items.iter().chain([&representation]).filter_map(|i| relations.layers.get(i)) {
            if !layers.contains(layer) {
                layers.push(layer.clone());
            }
        }
    }
    layers
}

/// Fills [`Model::storeys`] and gives their numbers by record.
fn read_storeys(
    step: &Step,
    relations: &Relations,
    placements: &mut Placements<'_>,
    unit_m: f64,
    places: &HashMap<u32, u32>,
    model: &mut Model,
) -> HashMap<u32, u32> {
    let mut numbers = HashMap::default();
    for id in step.of("IFCBUILDINGSTOREY") {
        let Some(record) = step.record(id) else { continue };
        let stated = record.number("Elevation").unwrap_or(0.0) * unit_m;
        let parents = relations.parents(id);
        let building = parents.iter().copied().find(|p| step.record_is(*p, "IFCBUILDING"));
        let name = [record.text("Name"), record.text("LongName")].into_iter().find(|n| !n.is_empty());
        numbers.insert(id, model.storeys.len() as u32);
        model.storeys.push(Storey {
            id: record.text("GlobalId"),
            name: name.unwrap_or_default(),
            // The placement says where the floor really is in the file's frame; Elevation may count from
            // the building's own zero.
            elevation_m: placements.of(&record).map_or(stated, |p| p.translation.z),
            building: building.and_then(|b| step.record(b)).map(|b| b.text("Name")).unwrap_or_default(),
            place: parents.iter().find_map(|p| places.get(p)).copied(),
        });
    }
    numbers
}

fn place_in_building(
    step: &Step,
    relations: &Relations,
    (places, storeys): (&HashMap<u32, u32>, &HashMap<u32, u32>),
    index: &HashMap<u32, u32>,
    read: &mut Read,
) {
    let own_index = |e: &u32| index.get(e).copied();
    for (record, element) in read.records.iter().zip(&mut read.model.elements) {
        let parents = relations.parents(*record);
        element.storey = parents.iter().find_map(|p| storeys.get(p)).copied();
        element.place = parents.iter().find_map(|p| places.get(p)).copied();
        let within = |class: &str| parents.iter().any(|p| step.record_is(*p, class));
        element.outdoors = element.storey.is_none() && within("IFCSITE") && !within("IFCBUILDING");
        if element.kind != ElementKind::Space {
            let space = parents.iter().find(|p| step.record_is(**p, "IFCSPACE"));
            element.space = space.and_then(own_index);
            element.space_stated = element.space.is_some();
        }
        element.part_of = relations.whole.get(record).and_then(own_index);
        element.host = relations.controlled.get(record).and_then(own_index);
    }
}

/// Systems and zones, with what each group's record became. (An `IfcZone` is a system too since IFC4; here it
/// is a zone only.)
fn read_groups(
    step: &Step,
    relations: &Relations,
    index: &HashMap<u32, u32>,
    model: &mut Model,
) -> HashMap<u32, Thing> {
    let mut things = HashMap::default();
    let group = |id: u32| -> Option<Group> {
        let record = step.record(id)?;
        let members = relations.members.get(&id).map(Vec::as_slice).unwrap_or_default();
        let mut seen = HashSet::default();
        let name = [record.text("Name"), record.text("LongName")].into_iter().find(|n| !n.is_empty());
        Some(Group {
            id: record.text("GlobalId"),
            name: name.unwrap_or_default(),
            class: record.class.name.clone(),
            predefined_type: predefined_type(&record, None),
            members: members.iter().filter_map(|m| index.get(m)).copied().filter(|m| seen.insert(*m)).collect(),
        })
    };
    for (id, zone) in step.of("IFCZONE").into_iter().filter_map(|id| Some((id, group(id)?))) {
        things.insert(id, Thing::Zone(model.zones.len() as u32));
        model.zones.push(zone);
    }
    let systems = step.of("IFCSYSTEM").into_iter().filter(|s| !step.record_is(*s, "IFCZONE"));
    for (id, system) in systems.filter_map(|id| Some((id, group(id)?))) {
        things.insert(id, Thing::System(model.systems.len() as u32));
        model.systems.push(system);
    }
    for (number, system) in model.systems.iter().enumerate() {
        for member in &system.members {
            if let Some(element) = model.elements.get_mut(*member as usize) {
                element.systems.push(number as u32);
            }
        }
    }
    things
}

fn read_ports(
    step: &Step,
    relations: &Relations,
    placements: &mut Placements<'_>,
    index: &HashMap<u32, u32>,
    read: &mut Read,
) {
    let mut points: HashMap<u32, u32> = HashMap::default();
    let model = &mut read.model;
    for id in step.of("IFCPORT") {
        let Some(record) = step.record(id) else { continue };
        // IFC2X3 files also write ContainedIn nowhere but in the relation; IFC4 nests.
        let Some(element) = relations.port_owner.get(&id).and_then(|e| index.get(e)).copied() else {
            read.loose_ports += 1;
            continue;
        };
        let direction = match record.word("FlowDirection").as_str() {
            "SOURCE" => FlowDirection::Source,
            "SINK" => FlowDirection::Sink,
            "SOURCEANDSINK" => FlowDirection::Both,
            _ => FlowDirection::Unknown,
        };
        let stated = match record.word("SystemType") {
            word if word == "NOTDEFINED" || word == "USERDEFINED" => String::new(),
            word => word,
        };
        let medium = if stated.is_empty() { medium_of_system(model, element) } else { stated };
        points.insert(id, model.connection_points.len() as u32);
        model.connection_points.push(ConnectionPoint {
            id: record.text("GlobalId"),
            name: record.text("Name"),
            element,
            direction,
            location: placements.of(&record).map(|p| p.translation),
            medium,
        });
    }
    let mut seen = HashSet::default();
    for (a, b) in &relations.joined_ports {
        match (points.get(a), points.get(b)) {
            (Some(a), Some(b)) if a != b => {
                if seen.insert((a.min(b), a.max(b))) {
                    model.connections.push(Connection { from: *a, to: *b });
                }
            }
            _ => read.loose_connections += 1,
        }
    }
}

/// The word of the element's system, when it belongs to exactly one that says.
fn medium_of_system(model: &Model, element: u32) -> String {
    let systems = model.elements.get(element as usize).map(|e| e.systems.as_slice()).unwrap_or_default();
    match systems {
        [only] => model.systems.get(*only as usize).map(|s| s.predefined_type.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}
