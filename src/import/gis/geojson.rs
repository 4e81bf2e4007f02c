//! GeoJSON (RFC 7946, and the `crs` member of its older form) to features with meshes.
//!
//! With a `crs` member that names a projected system, coordinates are metres in it: the first coordinate
//! becomes the local origin and the model's georeference. Without one they are longitude and latitude, which
//! are laid flat around the first coordinate.

use super::{build, frame::Frame, kind::Kind};
use crate::import::{Limits, Progress, cancelled};
use crate::problem::Problem;
use crate::site::model::{Element, ElementKind, Model, PropertySet, PropertyValue};
use geojson::{Feature, Geometry, GeometryValue};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Single features named before the rest is only counted.
const NAMED: usize = 10;

/// Reads a GeoJSON file with the usual limits.
///
/// # Errors
/// When nothing of it can be read.
pub fn read(path: &Path, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    read_within(path, &Limits::default(), progress)
}

/// Reads a GeoJSON file within stated limits.
///
/// # Errors
/// As [`read`].
pub fn read_within(path: &Path, limits: &Limits, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    let place = path.display().to_string();
    let bytes = crate::import::read_bytes(path, limits, "split the layer, or ")?;
    let (mut model, problems) = read_bytes(&bytes, &place, progress)?;
    model.file = path.to_owned();
    model.bytes = bytes.len() as u64;
    Ok((model, problems))
}

/// Reads GeoJSON from memory; `place` is what problems call it.
///
/// # Errors
/// When it is no GeoJSON, or holds no feature.
pub fn read_bytes(bytes: &[u8], place: &str, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    let work = AssertUnwindSafe(|| read_document(bytes, place, progress));
    // Triangulation is not ours, and a polygon can be as wrong as it likes.
    catch_unwind(work).unwrap_or_else(|_| {
        Err(Problem::error(place, "a polygon in this layer cannot be triangulated", "check the layer in a GIS program"))
    })
}

fn read_document(bytes: &[u8], place: &str, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(Problem::error(place, "the file is empty", "export or copy it again"));
    }
    let document: Value = serde_json::from_slice(bytes).map_err(|e| {
        Problem::error(
            format!("{place}:{}", e.line()),
            format!("this is not JSON from here on: {e}"),
            "export or copy the file again",
        )
    })?;
    let mut problems = Vec::new();
    let crs = document.get("crs").and_then(crs_name);
    let features = features(document, place, &mut problems)?;
    let Some(first) = features.iter().find_map(|(_, f)| f.geometry.as_ref().and_then(first_position)) else {
        return Err(Problem::error(place, "no feature has a coordinate", "give a layer with geometry"));
    };
    let frame = Frame::new(crs.as_deref(), first, place, &mut problems);
    let mut model = Model { kind: "geojson".to_owned(), ..Model::default() };
    let mut builder = build::Builder::default();
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut faults = Vec::new();
    let mut grounded = true;
    progress.set_total(features.len());
    for (number, (index, feature)) in features.into_iter().enumerate() {
        if progress.cancelled() {
            return Err(cancelled(place));
        }
        let properties = feature.properties.clone().unwrap_or_default();
        let kind = Kind::of(&properties, feature.geometry.as_ref());
        let mut element = element(&feature, &properties, &kind, index);
        let used = ids.entry(element.id.clone()).or_default();
        *used += 1;
        if *used > 1 {
            faults.push((element.id.clone(), "more than one feature has this id; a number is added to it".to_owned()));
            element.id = format!("{}-{used}", element.id);
        }
        element.colour = kind.colour(&properties);
        if let Some(geometry) = &feature.geometry {
            let outcome = builder.add(geometry, &properties, &kind, &frame, &mut element);
            faults.extend(outcome.faults.into_iter().map(|f| (element.id.clone(), f)));
            grounded &= outcome.has_heights;
        }
        model.elements.push(element);
        progress.set_done(number + 1);
    }
    for (id, fault) in faults.iter().take(NAMED) {
        problems.push(Problem::warning(format!("{place}: {id}"), fault, "check this feature in a GIS program"));
    }
    if faults.len() > NAMED {
        problems.push(Problem::warning(place, format!("{} more of these", faults.len() - NAMED), ""));
    }
    if frame.georeference().is_some() && !grounded {
        problems.push(Problem::info(
            place,
            "some coordinates have no height: these features stand on the layer's own zero",
            "write heights into the coordinates, or a property ground_m, if the ground is elsewhere",
        ));
    }
    model.shapes = builder.shapes;
    model.georeference = frame.georeference();
    model.schema = crs.unwrap_or_default();
    Ok((model, problems))
}

/// The features with their places in the document; those that are none become problems.
fn features(document: Value, place: &str, problems: &mut Vec<Problem>) -> Result<Vec<(usize, Feature)>, Problem> {
    let not_geojson = || {
        Problem::error(
            place,
            "this JSON is no GeoJSON: it has no `type` that GeoJSON knows",
            "export the layer as GeoJSON",
        )
    };
    let Value::Object(mut object) = document else { return Err(not_geojson()) };
    let parts = match object.get("type").and_then(Value::as_str) {
        Some("FeatureCollection") => match object.remove("features") {
            Some(Value::Array(features)) => features,
            _ => return Err(Problem::error(place, "the collection has no list of features", "export the layer again")),
        },
        Some("Feature") => vec![Value::Object(object)],
        Some(
            "Point" | "MultiPoint" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon"
            | "GeometryCollection",
        ) => {
            let mut feature = Map::new();
            feature.insert("type".into(), "Feature".into());
            feature.insert("properties".into(), Value::Null);
            feature.insert("geometry".into(), Value::Object(object));
            vec![Value::Object(feature)]
        }
        _ => return Err(not_geojson()),
    };
    let mut features = Vec::with_capacity(parts.len());
    let mut broken = 0_usize;
    for (index, part) in parts.into_iter().enumerate() {
        match serde_json::from_value::<Feature>(part) {
            Ok(feature) => features.push((index, feature)),
            Err(e) => {
                broken += 1;
                if broken <= NAMED {
                    problems.push(Problem::warning(
                        format!("{place}: feature {}", index + 1),
                        format!("it cannot be read and is left out: {e}"),
                        "check this feature in a GIS program",
                    ));
                }
            }
        }
    }
    if broken > NAMED {
        problems.push(Problem::warning(place, format!("{} more features cannot be read", broken - NAMED), ""));
    }
    if features.is_empty() {
        return Err(Problem::error(place, "the layer holds no feature that can be read", "export the layer again"));
    }
    Ok(features)
}

/// `EPSG:2056` out of `urn:ogc:def:crs:EPSG::2056`; `CRS84` is longitude and latitude.
fn crs_name(crs: &Value) -> Option<String> {
    let name = crs.get("properties")?.get("name")?.as_str()?.trim();
    let code = name.rsplit(':').next().unwrap_or(name);
    let upper = name.to_ascii_uppercase();
    match (upper.contains("EPSG"), code.bytes().all(|b| b.is_ascii_digit()) && !code.is_empty()) {
        (true, true) => Some(format!("EPSG:{code}")),
        _ if upper.ends_with("CRS84") => Some("EPSG:4326".to_owned()),
        _ => Some(name.to_owned()).filter(|n| !n.is_empty()),
    }
}

fn first_position(geometry: &Geometry) -> Option<[f64; 3]> {
    let position = match &geometry.value {
        GeometryValue::Point { coordinates } => Some(coordinates),
        GeometryValue::MultiPoint { coordinates } | GeometryValue::LineString { coordinates } => coordinates.first(),
        GeometryValue::MultiLineString { coordinates } | GeometryValue::Polygon { coordinates } => {
            coordinates.iter().flatten().next()
        }
        GeometryValue::MultiPolygon { coordinates } => coordinates.iter().flatten().flatten().next(),
        GeometryValue::GeometryCollection { geometries } => return geometries.iter().find_map(first_position),
    };
    let p = position?.as_slice();
    let at = [*p.first()?, *p.get(1)?, p.get(2).copied().unwrap_or(0.0)];
    at.iter().all(|v| v.is_finite()).then_some(at)
}

fn element(feature: &Feature, properties: &Map<String, Value>, kind: &Kind, index: usize) -> Element {
    let text = |keys: &[&str]| {
        let found = keys.iter().find_map(|k| properties.get(*k)).map(|v| match v {
            Value::String(s) => s.trim().to_owned(),
            Value::Number(n) => n.to_string(),
            _ => String::new(),
        });
        found.unwrap_or_default()
    };
    let own = match &feature.id {
        Some(geojson::feature::Id::String(s)) => s.clone(),
        Some(geojson::feature::Id::Number(n)) => n.to_string(),
        None => text(&["id", "@id", "fid", "gml_id"]),
    };
    let mut values = Vec::new();
    for (name, value) in properties {
        flatten(name, value, 0, &mut values);
    }
    Element {
        id: if own.is_empty() { format!("feature-{}", index + 1) } else { own },
        class: kind.word.clone(),
        kind: ElementKind::Feature,
        name: text(&["name", "Name", "NAME", "title"]),
        tag: text(&["tag", "ref"]),
        description: text(&["description"]),
        properties: vec![Arc::new(PropertySet {
            name: "Properties".to_owned(),
            quantities: false,
            values: values.into(),
        })],
        materials: Some(text(&["material"])).filter(|m| !m.is_empty()).into_iter().collect(),
        ..Element::default()
    }
}

/// Nested objects become `outer.inner`.
fn flatten(name: &str, value: &Value, depth: usize, into: &mut Vec<(String, PropertyValue)>) {
    match value {
        Value::Object(inner) if depth < 8 => {
            inner.iter().for_each(|(key, value)| flatten(&format!("{name}.{key}"), value, depth + 1, into));
        }
        value => into.push((name.to_owned(), convert(value))),
    }
}

fn convert(value: &Value) -> PropertyValue {
    match value {
        Value::Null => PropertyValue::Null,
        Value::Bool(b) => PropertyValue::Boolean(*b),
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => PropertyValue::Integer(i),
            (None, Some(f)) if f.is_finite() => PropertyValue::Real(f),
            _ => PropertyValue::Text(n.to_string()),
        },
        Value::String(s) => PropertyValue::Text(s.clone()),
        Value::Array(values) => PropertyValue::List(values.iter().map(convert).collect()),
        Value::Object(_) => PropertyValue::Text(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Severity;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(document: &Value) -> (Model, Vec<Problem>) {
        read_bytes(document.to_string().as_bytes(), "layer", &Progress::default()).unwrap()
    }

    fn refused(text: &str) -> Problem {
        read_bytes(text.as_bytes(), "layer", &Progress::default()).unwrap_err()
    }

    fn feature(properties: Value, geometry: &str, coordinates: Value) -> Value {
        json!({"type": "Feature", "properties": properties,
               "geometry": {"type": geometry, "coordinates": coordinates}})
    }

    fn layer(features: &[Value]) -> Value {
        json!({"type": "FeatureCollection", "features": features,
               "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2056"}}})
    }

    const SQUARE: [[f64; 3]; 5] = [
        [2_683_100.0, 1_247_400.0, 408.0],
        [2_683_110.0, 1_247_400.0, 408.0],
        [2_683_110.0, 1_247_420.0, 408.0],
        [2_683_100.0, 1_247_420.0, 408.0],
        [2_683_100.0, 1_247_400.0, 408.0],
    ];

    #[test]
    fn a_site_in_map_metres() {
        let (model, problems) = read(&layer(&[
            feature(
                json!({"kind": "building", "height": 9, "min_height": 1, "name": "Lab"}),
                "Polygon",
                json!([SQUARE]),
            ),
            feature(
                json!({"kind": "road", "width_m": 6.0}),
                "LineString",
                json!([[2_683_090.0, 1_247_390.0, 408.0], [2_683_190.0, 1_247_390.0, 408.0]]),
            ),
            feature(
                json!({"kind": "main", "medium": "chilled water", "diameter_m": 0.3, "depth_m": 1.2}),
                "LineString",
                json!([[2_683_100.0, 1_247_380.0, 408.0], [2_683_100.0, 1_247_300.0, 408.0]]),
            ),
            feature(json!({"kind": "tree", "height": 8}), "Point", json!([2_683_120.0, 1_247_400.0, 409.0])),
            feature(json!({"kind": "tree", "height": 5}), "Point", json!([2_683_125.0, 1_247_400.0, 409.0])),
        ]));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(model.georeference.as_ref().unwrap().crs, "EPSG:2056");
        assert_eq!(model.georeference.as_ref().unwrap().origin_m, SQUARE[0]);
        let [house, road, main, tree, other_tree] = &model.elements[..] else { panic!("{:?}", model.elements) };
        assert_eq!((house.id.as_str(), house.class.as_str(), house.name.as_str()), ("feature-1", "building", "Lab"));
        assert!(model.elements.iter().all(|e| e.kind == ElementKind::Feature));
        let bounds = house.bounds.unwrap();
        assert!((bounds.min.z - 1.0).abs() < 1e-9 && (bounds.max - glam::DVec3::new(10.0, 20.0, 9.0)).length() < 1e-9);
        let volume = model.shapes[house.shape.unwrap() as usize].volume_m3();
        assert!((volume - 1600.0).abs() < 0.1, "{volume}");
        assert!((road.bounds.unwrap().size().y - 6.0).abs() < 1e-9);
        let main = main.bounds.unwrap();
        assert!((main.centre().z + 1.2).abs() < 1e-9 && (main.size().x - 0.3).abs() < 0.02, "{main:?}");
        assert_eq!(tree.shape, other_tree.shape, "trees share a shape");
        assert!((tree.bounds.unwrap().max.z - 9.0).abs() < 1e-6 && (tree.bounds.unwrap().min.z - 1.0).abs() < 1e-6);
        assert_eq!(house.property("Properties", "height"), Some(&PropertyValue::Integer(9)));
    }

    #[test]
    fn longitudes_become_metres_and_the_reader_says_so() {
        let ring = json!([[[8.54, 47.37], [8.541, 47.37], [8.541, 47.371], [8.54, 47.371], [8.54, 47.37]]]);
        let (model, problems) = read(&feature(json!({"building": "yes", "building:levels": "3"}), "Polygon", ring));
        assert!(
            problems.iter().any(|p| p.severity == Severity::Warning && p.message.contains("laid flat")),
            "{problems:?}"
        );
        assert!(model.georeference.is_none());
        let size = model.elements[0].bounds.unwrap().size();
        assert!((size.x - 75.5).abs() < 0.2 && (size.y - 111.2).abs() < 0.2 && (size.z - 9.0).abs() < 1e-9, "{size}");
    }

    #[test]
    fn one_broken_feature_does_not_cost_the_others() {
        let (model, problems) = read(&layer(&[
            feature(json!({"kind": "plot"}), "Polygon", json!([[["a", 1]]])),
            feature(json!({"kind": "plot"}), "Polygon", json!([[SQUARE[0], SQUARE[1]]])),
            json!({"type": "Feature", "properties": null, "geometry": null}),
            json!(7),
            feature(json!({"kind": "plot"}), "MultiPolygon", json!([[SQUARE]])),
        ]));
        assert_eq!(model.elements.iter().filter(|e| e.shape.is_some()).count(), 1);
        assert_eq!(model.elements.len(), 3, "the two that are no features are left out");
        assert_eq!(problems.iter().filter(|p| p.severity == Severity::Warning).count(), 3, "{problems:?}");
    }

    #[test]
    fn what_is_no_layer_is_refused_in_words() {
        assert!(refused("").message.contains("empty"));
        assert!(refused("{\"type\": \"FeatureCollection\", \"feat").place.starts_with("layer:1"));
        assert!(refused("{\"type\": \"Topology\"}").message.contains("no GeoJSON"));
        assert!(refused("[1, 2]").message.contains("no GeoJSON"));
        assert!(refused("{\"type\": \"FeatureCollection\", \"features\": []}").message.contains("no feature"));
        assert!(refused("{\"type\": \"FeatureCollection\"}").message.contains("no list"));
        let deep = "[".repeat(100_000);
        assert!(refused(&deep).message.contains("not JSON"));
    }

    #[test]
    fn two_features_with_one_id_stay_two() {
        let mut one = feature(json!({"kind": "tree"}), "Point", json!([2_683_100.0, 1_247_400.0, 0.0]));
        one["id"] = json!("T1");
        let (model, problems) = read(&layer(&[one.clone(), one]));
        assert_eq!([&model.elements[0].id, &model.elements[1].id], ["T1", "T1-2"]);
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn the_names_of_systems() {
        let name = |n: &str| crs_name(&json!({"type": "name", "properties": {"name": n}}));
        assert_eq!(name("urn:ogc:def:crs:EPSG::2056").as_deref(), Some("EPSG:2056"));
        assert_eq!(name("EPSG:28992").as_deref(), Some("EPSG:28992"));
        assert_eq!(name("urn:ogc:def:crs:OGC:1.3:CRS84").as_deref(), Some("EPSG:4326"));
        assert_eq!(crs_name(&json!(null)), None);
    }

    fn position() -> impl Strategy<Value = Value> {
        prop_oneof![
            prop::array::uniform2(-1e3..1e3_f64).prop_map(|p| json!(p)),
            prop::collection::vec(any::<f64>(), 0..4).prop_map(|p| json!(p)),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_at_all(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_bytes(&bytes, "layer", &Progress::default());
        }

        #[test]
        fn any_ring_at_all(
            ring in prop::collection::vec(position(), 0..12),
            hole in prop::collection::vec(position(), 0..6),
            height in any::<f64>(),
        ) {
            let features = ["Polygon", "MultiLineString"].map(|t| feature(
                json!({"kind": "building", "height": height, "diameter_m": 0.2}), t, json!([ring, hole]),
            ));
            if let Ok((model, _)) = read_bytes(layer(&features).to_string().as_bytes(), "layer", &Progress::default()) {
                for element in &model.elements {
                    let Some(shape) = element.shape else { continue };
                    let shape = &model.shapes[shape as usize];
                    prop_assert!(element.bounds.is_some());
                    prop_assert!(shape.indices().max().is_none_or(|i| (i as usize) < shape.positions().len()));
                    prop_assert_eq!(shape.normals().len(), shape.positions().len());
                }
            }
        }

        #[test]
        fn a_cut_and_bitten_layer(at in 0..900_usize, byte in any::<u8>(), end in 0..900_usize) {
            let whole = layer(&[
                feature(json!({"kind": "building", "height": 9}), "Polygon", json!([SQUARE])),
                feature(json!({"kind": "tree"}), "Point", json!([2_683_120.0, 1_247_400.0])),
            ]);
            let mut bytes = whole.to_string().into_bytes();
            bytes.truncate(bytes.len().saturating_sub(end % 300));
            let at = at % bytes.len().max(1);
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
            let _ = read_bytes(&bytes, "layer", &Progress::default());
        }
    }
}
