//! The file's relationships, by the records they join.

use super::lite::Step;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// A chain of parents longer than this is taken for a cycle.
const MAX_DEPTH: usize = 200;

/// Relationships by record number.
#[derive(Default)]
pub(super) struct Relations {
    /// Part to whole (`IfcRelAggregates`).
    pub(super) whole: HashMap<u32, u32>,
    /// Nested to nest (`IfcRelNests`).
    pub(super) nest: HashMap<u32, u32>,
    /// Element to the storey, space, building or site it stands in.
    pub(super) container: HashMap<u32, u32>,
    /// Element to its type.
    pub(super) kind: HashMap<u32, u32>,
    /// Object to its property and quantity sets.
    pub(super) sets: HashMap<u32, Vec<u32>>,
    /// Object to its material definition.
    pub(super) material: HashMap<u32, u32>,
    /// Object to its classification references.
    pub(super) classification: HashMap<u32, Vec<u32>>,
    /// Object to its documents.
    pub(super) documents: HashMap<u32, Vec<u32>>,
    /// Representation, or item of one, to the name of its layer.
    pub(super) layers: HashMap<u32, String>,
    /// Group to its members.
    pub(super) members: HashMap<u32, Vec<u32>>,
    /// Door or window to the opening it fills.
    pub(super) fills: HashMap<u32, u32>,
    /// Opening to the element it is cut from.
    pub(super) host_of_opening: HashMap<u32, u32>,
    /// Port to its element.
    pub(super) port_owner: HashMap<u32, u32>,
    /// Joined ports, in the order of the file.
    pub(super) joined_ports: Vec<(u32, u32)>,
    /// Sensor, actuator or controller to the flow element it serves.
    pub(super) controlled: HashMap<u32, u32>,
    /// System and what it serves (`IfcRelServicesBuildings`), in the order of the file.
    pub(super) serves: Vec<(u32, Vec<u32>)>,
    /// Object and the product it is assigned to (`IfcRelAssignsToProduct`), in the order of the file.
    pub(super) assigned: Vec<(u32, u32)>,
    /// Element or system, and the storeys and spaces it reaches into
    /// (`IfcRelReferencedInSpatialStructure`), in the order of the file.
    pub(super) referenced: Vec<(u32, u32)>,
    /// Relationship records that cannot be parsed.
    pub(super) unreadable: usize,
    /// Relationship records that name a record which is not there.
    pub(super) dangling: Vec<u32>,
}

impl Relations {
    /// Reads every relationship that Plenum uses. Where a file states one twice, the first counts.
    pub(super) fn read(step: &Step) -> Self {
        let mut r = Self::default();
        for id in step.of("IFCRELATIONSHIP") {
            let Some(rel) = step.record(id) else {
                r.unreadable += 1;
                continue;
            };
            if rel.all_references().into_iter().any(|other| step.class_of(other).is_none()) {
                r.dangling.push(id);
            }
            let one = |attribute: &str| rel.reference(attribute);
            let many = |attribute: &str| rel.references(attribute);
            match rel.class.name.as_str() {
                "IfcRelAggregates" => join(&mut r.whole, many("RelatedObjects"), one("RelatingObject")),
                "IfcRelNests" => {
                    let (ports, others): (Vec<u32>, Vec<u32>) =
                        many("RelatedObjects").into_iter().partition(|o| step.record_is(*o, "IFCPORT"));
                    join(&mut r.port_owner, ports, one("RelatingObject"));
                    join(&mut r.nest, others, one("RelatingObject"));
                }
                "IfcRelContainedInSpatialStructure" => {
                    join(&mut r.container, many("RelatedElements"), one("RelatingStructure"));
                }
                "IfcRelDefinesByType" => join(&mut r.kind, many("RelatedObjects"), one("RelatingType")),
                "IfcRelDefinesByProperties" => {
                    append(&mut r.sets, many("RelatedObjects"), many("RelatingPropertyDefinition"));
                }
                "IfcRelAssociatesMaterial" => join(&mut r.material, many("RelatedObjects"), one("RelatingMaterial")),
                "IfcRelAssociatesClassification" => {
                    append(&mut r.classification, many("RelatedObjects"), many("RelatingClassification"));
                }
                "IfcRelAssociatesDocument" => {
                    append(&mut r.documents, many("RelatedObjects"), many("RelatingDocument"));
                }
                "IfcRelAssignsToGroup" | "IfcRelAssignsToGroupByFactor" => {
                    if let Some(group) = one("RelatingGroup") {
                        r.members.entry(group).or_default().extend(many("RelatedObjects"));
                    }
                }
                "IfcRelFillsElement" => {
                    join(&mut r.fills, many("RelatedBuildingElement"), one("RelatingOpeningElement"))
                }
                "IfcRelVoidsElement" => {
                    join(&mut r.host_of_opening, many("RelatedOpeningElement"), one("RelatingBuildingElement"));
                }
                "IfcRelConnectsPortToElement" => join(&mut r.port_owner, many("RelatingPort"), one("RelatedElement")),
                "IfcRelConnectsPorts" => {
                    if let (Some(a), Some(b)) = (one("RelatingPort"), one("RelatedPort")) {
                        r.joined_ports.push((a, b));
                    }
                }
                "IfcRelFlowControlElements" => {
                    join(&mut r.controlled, many("RelatedControlElements"), one("RelatingFlowElement"));
                }
                "IfcRelServicesBuildings" => {
                    r.serves.extend(one("RelatingSystem").map(|system| (system, many("RelatedBuildings"))));
                }
                "IfcRelAssignsToProduct" => {
                    if let Some(product) = one("RelatingProduct") {
                        r.assigned.extend(many("RelatedObjects").into_iter().map(|o| (o, product)));
                    }
                }
                "IfcRelReferencedInSpatialStructure" => {
                    if let Some(place) = one("RelatingStructure") {
                        r.referenced.extend(many("RelatedElements").into_iter().map(|e| (e, place)));
                    }
                }
                _ => {}
            }
        }
        for layer in step.of("IFCPRESENTATIONLAYERASSIGNMENT").into_iter().filter_map(|l| step.record(l)) {
            let name = layer.text("Name");
            for item in layer.references("AssignedItems").into_iter().filter(|_| !name.is_empty()) {
                r.layers.entry(item).or_insert_with(|| name.clone());
            }
        }
        r
    }

    /// What this object is a part of, stands in or belongs to, nearest first: whole, nest, the element whose
    /// opening it fills, then the container. Ends at a cycle.
    pub(super) fn parents(&self, object: u32) -> Vec<u32> {
        let mut chain = Vec::new();
        let mut at = object;
        while chain.len() < MAX_DEPTH {
            let filled = || self.host_of_opening.get(self.fills.get(&at)?);
            let contained = || self.container.get(&at);
            let next = contained().or_else(|| self.whole.get(&at)).or_else(|| self.nest.get(&at)).or_else(filled);
            let Some(next) = next.filter(|n| **n != object && !chain.contains(*n)) else { break };
            chain.push(*next);
            at = *next;
        }
        chain
    }

    /// Elements that openings are cut from, and their parts, which are cut with them.
    pub(super) fn hosts(&self, elements: &[u32]) -> HashSet<u32> {
        let direct: HashSet<u32> = self.host_of_opening.values().copied().collect();
        let cut = |e: &u32| direct.contains(e) || self.whole.get(e).is_some_and(|w| direct.contains(w));
        elements.iter().copied().filter(cut).collect()
    }
}

fn join(map: &mut HashMap<u32, u32>, related: Vec<u32>, relating: Option<u32>) {
    for (object, relating) in related.into_iter().zip(std::iter::repeat(relating)) {
        if let Some(relating) = relating {
            map.entry(object).or_insert(relating);
        }
    }
}

fn append(map: &mut HashMap<u32, Vec<u32>>, related: Vec<u32>, relating: Vec<u32>) {
    for object in related {
        let list = map.entry(object).or_default();
        for id in &relating {
            if !list.contains(id) {
                list.push(*id);
            }
        }
    }
}
