//! The asset graph as tables (CSV by RFC 4180) and as JSON.

use super::{AssetGraph, Thing, class, classes, global_id, is_asset, label, unique_ids};
use crate::site::assemble::Site;
use crate::site::model::{ElementKind, PropertyValue, Slot};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The two tables: things and relations.
pub struct Tables {
    /// One row a thing: `id,kind,class,predefined_type,tag,name,type,storey,space,systems,global_id`.
    pub things: String,
    /// One row a relation: `from,from_label,kind,to,to_label,source`; `from` and `to` are ids of the other table.
    pub relations: String,
}

/// What a thing is, in a word.
pub fn kind(site: &Site, thing: Thing) -> &'static str {
    match thing {
        Thing::Place(i) => match site.places.get(i as usize).map(|p| p.class.as_str()) {
            Some("IfcSite") => "site",
            Some("IfcBuilding") => "building",
            _ => "facility",
        },
        Thing::Storey(_) => "storey",
        Thing::Element(i) => match site.element(Slot(i)) {
            Some(e) if e.kind == ElementKind::Space => "space",
            _ => "asset",
        },
        Thing::Zone(_) => "zone",
        Thing::System(_) => "system",
        Thing::Point(_) => "point",
    }
}

/// Writes the tables; the same site gives the same bytes.
pub fn csv(site: &Site, graph: &AssetGraph) -> Tables {
    let ids = unique_ids(site, &graph.things);
    let mut things = line(&[
        "id",
        "kind",
        "class",
        "predefined_type",
        "tag",
        "name",
        "type",
        "storey",
        "space",
        "systems",
        "global_id",
    ]);
    for (thing, id) in graph.things.iter().zip(&ids) {
        let about = About::of(site, *thing);
        let cells = [
            id.as_str(),
            kind(site, *thing),
            class(site, *thing),
            about.predefined_type,
            about.tag,
            about.name,
            about.type_name,
            about.storey,
            about.space,
            &about.systems.join("; "),
            global_id(site, *thing),
        ];
        things.push_str(&line(&cells));
    }
    let by_thing: HashMap<Thing, &str> = graph.things.iter().copied().zip(ids.iter().map(String::as_str)).collect();
    let id = |thing: Thing| by_thing.get(&thing).copied().unwrap_or_default();
    let mut relations = line(&["from", "from_label", "kind", "to", "to_label", "source"]);
    for r in &graph.relations {
        let (from, to) = (label(site, r.from), label(site, r.to));
        relations.push_str(&line(&[id(r.from), &from, r.kind.word(), id(r.to), &to, &r.source.0]));
    }
    Tables { things, relations }
}

/// The graph as one JSON document (see `docs/assets.md`); the same site gives the same bytes.
pub fn document(site: &Site, graph: &AssetGraph) -> Value {
    let ids = unique_ids(site, &graph.things);
    let things: Vec<Value> = graph.things.iter().zip(&ids).map(|(t, id)| thing(site, *t, id)).collect();
    let by_thing: HashMap<Thing, &str> = graph.things.iter().copied().zip(ids.iter().map(String::as_str)).collect();
    let id = |thing: Thing| by_thing.get(&thing).copied().unwrap_or_default();
    let relations: Vec<Value> = graph
        .relations
        .iter()
        .map(|r| json!({"from": id(r.from), "kind": r.kind, "to": id(r.to), "source": r.source.0}))
        .collect();
    json!({"format": "plenum-assets", "version": 1, "project": site.name, "things": things, "relations": relations})
}

fn thing(site: &Site, thing: Thing, id: &str) -> Value {
    let about = About::of(site, thing);
    let mut out = Map::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            out.insert(key.to_owned(), value.into());
        }
    };
    put("id", id);
    put("kind", kind(site, thing));
    put("class", class(site, thing));
    put("predefined_type", about.predefined_type);
    put("tag", about.tag);
    put("name", about.name);
    put("type", about.type_name);
    put("storey", about.storey);
    put("space", about.space);
    put("global_id", global_id(site, thing));
    if let Thing::Element(i) = thing {
        if !about.systems.is_empty() {
            out.insert("systems".to_owned(), json!(about.systems));
        }
        if let Some(element) = site.element(Slot(i)) {
            out.insert("brick".to_owned(), json!(classes::brick_of_element(element)));
            if is_asset(site, Slot(i)) {
                let mut sets = Map::new();
                for set in element.properties.iter().filter(|s| s.name.starts_with("Registry: ")) {
                    let value = |v: &PropertyValue| serde_json::to_value(v).unwrap_or(Value::Null);
                    let values: Map<String, Value> = set.values.iter().map(|(n, v)| (n.to_owned(), value(v))).collect();
                    sets.insert(set.name.clone(), values.into());
                }
                if !sets.is_empty() {
                    out.insert("registries".to_owned(), sets.into());
                }
            }
        }
    }
    if let Thing::Point(i) = thing
        && let Some(point) = site.points.get(i as usize)
    {
        out.insert("role".to_owned(), json!(point.role));
        out.insert("unit".to_owned(), json!(point.unit.code));
    }
    Value::Object(out)
}

/// What both forms say of a thing; empty where it does not apply.
#[derive(Default)]
struct About<'a> {
    predefined_type: &'a str,
    tag: &'a str,
    name: &'a str,
    type_name: &'a str,
    storey: &'a str,
    space: &'a str,
    systems: Vec<&'a str>,
}

impl<'a> About<'a> {
    fn of(site: &'a Site, thing: Thing) -> Self {
        let name = |name: &'a String| Self { name, ..Self::default() };
        match thing {
            Thing::Place(i) => site.places.get(i as usize).map(|p| name(&p.name)),
            Thing::Storey(i) => site.storeys.get(i as usize).map(|s| name(&s.name)),
            Thing::Zone(i) => site.zones.get(i as usize).map(|z| name(&z.name)),
            Thing::System(i) => {
                site.systems.get(i as usize).map(|s| Self { predefined_type: &s.predefined_type, ..name(&s.name) })
            }
            Thing::Point(i) => site.points.get(i as usize).map(|p| name(&p.name)),
            Thing::Element(i) => site.element(Slot(i)).map(|e| Self {
                predefined_type: &e.predefined_type,
                tag: &e.tag,
                name: &e.name,
                type_name: &e.type_name,
                storey: e.storey.and_then(|s| site.storeys.get(s as usize)).map_or("", |s| s.name.as_str()),
                space: e.space.and_then(|s| site.elements.get(s as usize)).map_or("", |s| s.name.as_str()),
                systems: e
                    .systems
                    .iter()
                    .filter_map(|s| site.systems.get(*s as usize))
                    .map(|s| s.name.as_str())
                    .collect(),
            }),
        }
        .unwrap_or_default()
    }
}

/// One record: in quotes where a cell has a comma, a quote, a line break or blanks at its ends; ends with CR LF.
fn line(cells: &[&str]) -> String {
    let mut out = String::new();
    for (i, cell) in cells.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) || cell.trim() != *cell {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_need_quotes_have_them() {
        assert_eq!(line(&["a", "b,c", "d\"e", " f", "g\nh", ""]), "a,\"b,c\",\"d\"\"e\",\" f\",\"g\nh\",\r\n");
    }
}
