//! The asset graph as Brick (1.4), written in Turtle.

use super::{AssetGraph, RelationKind, Thing, classes, global_id, label, unique_ids};
use crate::site::assemble::Site;
use crate::site::model::Slot;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// Writes the graph; the same site gives the same bytes.
///
/// Names are of the namespace `urn:plenum:NAME#`, NAME being the project's. Every thing has its class, its label and
/// the GlobalId of its IFC entity. `locatedIn` is `brick:hasLocation`; what stands in no space but on a storey has
/// the storey for it. A sensor is a point to Brick: what it measures has it (`brick:hasPoint`), and so does the place
/// it stands in when it measures nothing else. `serves` of equipment to a space or zone is `brick:feeds`, as Brick has
/// it of terminals. Brick has no word for `controls`, nor for what a system serves: these are `plenum:controls` and
/// `plenum:serves`.
pub fn turtle(site: &Site, graph: &AssetGraph) -> String {
    let writer = Writer::new(site, graph);
    let mut out = String::new();
    out.push_str("@prefix brick: <https://brickschema.org/schema/Brick#> .\n");
    out.push_str("@prefix plenum: <urn:plenum:terms#> .\n");
    out.push_str("@prefix owl: <http://www.w3.org/2002/07/owl#> .\n");
    out.push_str("@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n");
    out.push_str("@prefix ref: <https://brickschema.org/schema/Brick/ref#> .\n");
    let base = format!("urn:plenum:{}", encoded(&site.name));
    let _ = writeln!(out, "@prefix bldg: <{base}#> .\n");
    let _ = writeln!(out, "<{base}> a owl:Ontology ;\n    rdfs:label {} ;", literal(&site.name));
    out.push_str("    owl:imports <https://brickschema.org/schema/1.4/Brick> .\n");
    writer.projects(&mut out);
    for thing in &graph.things {
        writer.thing(*thing, &mut out);
    }
    out
}

struct Writer<'a> {
    site: &'a Site,
    graph: &'a AssetGraph,
    names: HashMap<Thing, String>,
    /// Predicates and objects of each thing, as they are written.
    about: HashMap<Thing, BTreeSet<(&'static str, String)>>,
    /// What has the points of a sensor: what the sensor measures, else where it stands.
    holder: HashMap<Thing, Thing>,
}

impl<'a> Writer<'a> {
    fn new(site: &'a Site, graph: &'a AssetGraph) -> Self {
        let ids = unique_ids(site, &graph.things);
        let names = graph.things.iter().copied().zip(ids.iter().map(|id| format!("bldg:{}", encoded(id)))).collect();
        let mut writer = Self { site, graph, names, about: HashMap::new(), holder: HashMap::new() };
        for kind in [RelationKind::Meters, RelationKind::LocatedIn] {
            for relation in graph.relations.iter().filter(|r| r.kind == kind) {
                if writer.may_have_points(relation.to) {
                    writer.holder.entry(relation.from).or_insert(relation.to);
                }
            }
        }
        for relation in &graph.relations {
            writer.relation(relation.from, relation.kind, relation.to);
        }
        writer.loose_sensors();
        writer
    }

    fn is_point(&self, thing: Thing) -> bool {
        match thing {
            Thing::Point(_) => true,
            Thing::Element(i) => self.site.element(Slot(i)).is_some_and(classes::is_brick_point),
            _ => false,
        }
    }

    fn is_place(&self, thing: Thing) -> bool {
        match thing {
            Thing::Place(_) | Thing::Storey(_) | Thing::Zone(_) => true,
            Thing::Element(i) => self.site.element(Slot(i)).is_some_and(|e| e.class == "IfcSpace"),
            _ => false,
        }
    }

    /// To Brick equipment and locations have points, systems and points have none.
    fn may_have_points(&self, thing: Thing) -> bool {
        !matches!(thing, Thing::System(_)) && !self.is_point(thing)
    }

    fn is_meter(&self, thing: Thing) -> bool {
        let Thing::Element(i) = thing else { return false };
        self.site.element(Slot(i)).is_some_and(|e| classes::role(&e.class) == classes::Role::Meter)
    }

    fn say(&mut self, from: Thing, predicate: &'static str, to: Thing) {
        if let Some(name) = self.names.get(&to) {
            self.about.entry(from).or_default().insert((predicate, name.clone()));
        }
    }

    fn has_point(&mut self, of: Thing, point: Thing) {
        self.say(of, "brick:hasPoint", point);
        self.say(point, "brick:isPointOf", of);
    }

    fn relation(&mut self, from: Thing, kind: RelationKind, to: Thing) {
        let (from_point, to_point) = (self.is_point(from), self.is_point(to));
        match kind {
            // To Brick a point neither feeds nor has parts.
            RelationKind::Feeds if !from_point && !to_point => self.say(from, "brick:feeds", to),
            RelationKind::Serves if !from_point && self.is_place(to) && !matches!(from, Thing::System(_)) => {
                self.say(from, "brick:feeds", to);
            }
            RelationKind::Serves if !from_point => self.say(from, "plenum:serves", to),
            RelationKind::Meters if from_point && self.may_have_points(to) => self.has_point(to, from),
            RelationKind::Meters if self.is_meter(from) && !to_point => self.say(from, "brick:meters", to),
            RelationKind::Controls => self.say(from, "plenum:controls", to),
            RelationKind::LocatedIn if self.is_place(to) => self.say(from, "brick:hasLocation", to),
            RelationKind::HasPart if !to_point && !from_point => {
                self.say(from, "brick:hasPart", to);
                self.say(to, "brick:isPartOf", from);
            }
            // A sensor in a unit is a point of the unit.
            RelationKind::HasPart if to_point && !from_point && matches!(from, Thing::Element(_)) => {
                self.has_point(from, to);
            }
            RelationKind::HasPoint if !from_point => self.has_point(from, to),
            // What a sensor sends is a point of what it measures.
            RelationKind::HasPoint => {
                if let Some(of) = self.holder.get(&from).copied() {
                    self.has_point(of, to);
                }
            }
            _ => {}
        }
    }

    /// A sensor that measures nothing that is known is a point of where it stands.
    fn loose_sensors(&mut self) {
        let graph = self.graph;
        for relation in graph.relations.iter().filter(|r| r.kind == RelationKind::LocatedIn) {
            let known = self.about.get(&relation.from);
            let has_one = known.is_some_and(|about| about.iter().any(|(p, _)| *p == "brick:isPointOf"));
            if self.is_point(relation.from) && !has_one {
                self.has_point(relation.to, relation.from);
            }
        }
    }

    /// The IFC projects that GlobalIds are of.
    fn projects(&self, out: &mut String) {
        for (i, source) in self.site.sources.iter().enumerate().filter(|(_, s)| is_ifc(&s.kind)) {
            let file = source.file.file_name().unwrap_or_default().to_string_lossy();
            let id = if source.project_id.is_empty() { format!("project {i}") } else { source.project_id.clone() };
            let _ = writeln!(out, "\nbldg:ifc-project-{i} a ref:ifcProject ;");
            let _ = writeln!(out, "    ref:ifcProjectID {} ;", literal(&id));
            let _ = writeln!(out, "    ref:ifcFileLocation {} .", literal(&file));
        }
    }

    /// The number of the one IFC file, where there is no other: storeys and the like do not say which they are of.
    fn only_project(&self) -> Option<u16> {
        let mut all = self.site.sources.iter().enumerate().filter(|(_, s)| is_ifc(&s.kind));
        match (all.next(), all.next()) {
            (Some((i, _)), None) => u16::try_from(i).ok(),
            _ => None,
        }
    }

    fn class(&self, thing: Thing) -> &'static str {
        let site = self.site;
        match thing {
            Thing::Place(i) => site.places.get(i as usize).map(|p| classes::brick_of_place(&p.class)),
            Thing::Storey(_) => Some("Floor"),
            Thing::Element(i) => site.element(Slot(i)).map(classes::brick_of_element),
            Thing::Zone(i) => site.zones.get(i as usize).map(classes::brick_of_zone),
            Thing::System(i) => site.systems.get(i as usize).map(classes::brick_of_system),
            Thing::Point(i) => site.points.get(i as usize).map(classes::brick_of_point),
        }
        .unwrap_or("Entity")
    }

    fn thing(&self, thing: Thing, out: &mut String) {
        let Some(name) = self.names.get(&thing) else { return };
        let _ = write!(out, "\n{name} a brick:{}", self.class(thing));
        let label = label(self.site, thing);
        if !label.is_empty() {
            let _ = write!(out, " ;\n    rdfs:label {}", literal(&label));
        }
        let mut last = "";
        for (predicate, object) in self.about.get(&thing).into_iter().flatten() {
            if *predicate == last {
                let _ = write!(out, ",\n        {object}");
            } else {
                let _ = write!(out, " ;\n    {predicate} {object}");
            }
            last = predicate;
        }
        self.reference(thing, out);
        out.push_str(" .\n");
    }

    /// Where the thing is known outside: its IFC entity, or the name of its samples.
    fn reference(&self, thing: Thing, out: &mut String) {
        const HAS: &str = " ;\n    ref:hasExternalReference [";
        let id = global_id(self.site, thing);
        if id.is_empty() {
            return;
        }
        if let Thing::Point(_) = thing {
            let _ = write!(out, "{HAS} a ref:TimeseriesReference ;\n        ref:hasTimeseriesId {} ]", literal(id));
            return;
        }
        // `#123` stands for an entity without a GlobalId.
        let source = match thing {
            Thing::Element(i) => self.site.source_of.get(i as usize).copied(),
            _ => self.only_project(),
        };
        let kind = |i: u16| self.site.sources.get(usize::from(i)).map_or("", |s| s.kind.as_str());
        if id.starts_with('#') || source.is_some_and(|s| !is_ifc(kind(s))) {
            return;
        }
        let _ = write!(out, "{HAS} a ref:IFCReference ;\n        ref:ifcGlobalID {}", literal(id));
        if let Some(source) = source {
            let _ = write!(out, " ;\n        ref:hasIfcProjectReference bldg:ifc-project-{source}");
        }
        out.push_str(" ]");
    }
}

fn is_ifc(kind: &str) -> bool {
    matches!(kind, "ifc" | "ifczip")
}

/// A word as part of an IRI: everything but letters, digits, `-` and `_` is percent-encoded (UTF-8), so that it needs
/// no escape as a prefixed name either.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' && !out.is_empty() {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    if out.is_empty() { "site".to_owned() } else { out }
}

/// A string literal in quotes.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped() {
        assert_eq!(encoded("3CjyX$Qh_"), "3CjyX%24Qh_");
        assert_eq!(encoded("a b/ü.-"), "a%20b%2F%C3%BC%2E-");
        assert_eq!((encoded("-a").as_str(), encoded("").as_str()), ("%2Da", "site"));
        assert_eq!(literal("12\" \\ a\nb\u{1}"), "\"12\\\" \\\\ a\\nb\\u0001\"");
    }
}
