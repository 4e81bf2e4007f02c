//! Haystack (project-haystack.org): entities as rows of tags. Points have the marker `point` and an `equipRef`.

use super::zinc::{Cell, Grid};
use crate::problem::Problem;
use crate::site::mapping::{Described, ObjectId};
use serde_json::Value;
use std::collections::HashMap;

/// Tags that name a point on the wire.
const NAMES: [&str; 9] =
    ["topic", "mqttTopic", "mqttObserveTopic", "hisId", "navName", "dis", "id", "haystackHis", "path"];

/// The points of a grid.
pub(super) fn points((grid, problems): (Grid, Vec<Problem>), file: &str) -> (Vec<Described>, Vec<Problem>) {
    let by_id: HashMap<&str, &Vec<(String, Cell)>> =
        grid.iter().filter_map(|(_, row)| Some((text(row, "id")?, row))).collect();
    let is_marked = |row: &[(String, Cell)], tag: &str| row.iter().any(|(k, v)| k == tag && *v == Cell::Marker);
    let points = grid.iter().filter(|(_, row)| is_marked(row, "point")).map(|(line, row)| {
        let of = text(row, "equipRef").or_else(|| text(row, "spaceRef")).or_else(|| text(row, "siteRef"));
        let mut equipment: Vec<String> = Vec::new();
        if let Some(owner) = of.and_then(|id| by_id.get(id)) {
            let tags = ["ifcGlobalId", "globalId", "tag", "navName", "dis"];
            equipment.extend(tags.into_iter().filter_map(|t| text(owner, t)).map(str::to_owned));
        }
        equipment.extend(of.map(str::to_owned));
        let markers = row.iter().filter(|(_, v)| *v == Cell::Marker).map(|(k, _)| k.as_str());
        // `sp` and `cmd` say the sort; `sensor` says that it is a value.
        let class = markers.filter(|m| !matches!(*m, "point" | "his" | "cur" | "equip")).collect::<Vec<_>>().join(" ");
        let bacnet = row.iter().find(|(k, _)| k.to_lowercase().starts_with("bacnet")).and_then(|(_, v)| v.text());
        Described {
            names: NAMES.into_iter().filter_map(|n| text(row, n)).map(str::to_owned).collect(),
            equipment,
            class,
            object: bacnet.and_then(ObjectId::parse),
            haystack: true,
            place: format!("{file}:{line}"),
        }
    });
    (points.collect(), problems)
}

fn text<'r>(row: &'r [(String, Cell)], key: &str) -> Option<&'r str> {
    row.iter().find(|(k, _)| k == key).and_then(|(_, v)| v.text())
}

/// Reads JSON: the grid of Haystack 4 (`_kind`) or of Haystack 3 (`m:`, `r:id`), or a list of its rows.
pub(super) fn json(document: &str, file: &str) -> (Grid, Vec<Problem>) {
    let refuse = |line: usize, message: String| {
        let remedy = "write a grid: {\"rows\": [{\"id\": …, \"point\": …}]}";
        (Vec::new(), vec![Problem::error(format!("{file}:{line}"), message, remedy)])
    };
    let value: Value = match serde_json::from_str(document) {
        Ok(value) => value,
        Err(e) => return refuse(e.line(), format!("not JSON: {e}")),
    };
    let Some(rows) = value.get("rows").unwrap_or(&value).as_array() else {
        return refuse(1, "there are no `rows`".into());
    };
    let mut problems = Vec::new();
    let mut grid = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let Some(row) = row.as_object() else {
            let message = format!("row {} is no object", i + 1);
            problems.push(Problem::warning(format!("{file}:{}", i + 1), message, "write each row as {\"tag\": value}"));
            continue;
        };
        grid.push((i + 1, row.iter().map(|(k, v)| (k.clone(), cell(v))).collect()));
    }
    (grid, problems)
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::String(text) => match text.split_once(':') {
            Some(("m", "")) => Cell::Marker,
            Some(("r", id)) => Cell::Text(id.split(' ').next().unwrap_or(id).to_owned()),
            Some(("s" | "u" | "n" | "b", rest)) => Cell::Text(rest.to_owned()),
            _ => Cell::Text(text.clone()),
        },
        Value::Object(object) => match object.get("_kind").and_then(Value::as_str) {
            Some("marker") => Cell::Marker,
            Some("ref" | "uri" | "symbol") => match object.get("val").and_then(Value::as_str) {
                Some(id) => Cell::Text(id.trim_start_matches('@').to_owned()),
                None => Cell::Other,
            },
            _ => Cell::Other,
        },
        Value::Number(number) => Cell::Text(number.to_string()),
        _ => Cell::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::zinc;
    use super::*;

    #[test]
    fn three_ways_to_write_the_same() {
        let zinc = "ver:\"3.0\"\nid,dis,equip,point,air,temp,sensor,discharge,equipRef,topic\n\
            @a \"AHU 1\",\"AHU-1\",M,,,,,,,\n\
            @p,\"SAT\",,M,M,M,M,M,@a,\"n4/x17\"\n";
        let v3 = r#"{"meta":{"ver":"3.0"},"rows":[{"id":"r:a AHU 1","dis":"s:AHU-1","equip":"m:"},
            {"id":"r:p","dis":"SAT","point":"m:","air":"m:","temp":"m:","sensor":"m:","discharge":"m:","equipRef":"r:a","topic":"n4/x17"}]}"#;
        let v4 = r#"{"_kind":"grid","rows":[{"id":{"_kind":"ref","val":"a"},"dis":"AHU-1","equip":{"_kind":"marker"}},
            {"id":{"_kind":"ref","val":"p"},"dis":"SAT","point":{"_kind":"marker"},"air":{"_kind":"marker"},"temp":{"_kind":"marker"},
             "sensor":{"_kind":"marker"},"discharge":{"_kind":"marker"},"equipRef":{"_kind":"ref","val":"a"},"topic":"n4/x17"}]}"#;
        for (grid, how) in [(zinc::read(zinc, "f"), "zinc"), (json(v3, "f"), "3"), (json(v4, "f"), "4")] {
            let (points, problems) = points(grid, "f");
            assert!(problems.is_empty() && points.len() == 1, "{how}: {problems:#?} {points:#?}");
            assert_eq!(points[0].equipment, ["AHU-1", "a"], "{how}");
            assert_eq!(points[0].class, "air temp sensor discharge", "{how}");
            assert_eq!(points[0].names, ["n4/x17", "SAT", "p"], "{how}");
        }
        let (points, problems) = points(json("{\"a\":\n[}", "f.json"), "f.json");
        assert!(points.is_empty() && problems[0].place == "f.json:2", "{problems:#?}");
    }
}
