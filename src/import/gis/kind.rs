//! What a feature is, by its properties: which decides its form and colour.

use crate::import::colour::from_hex;
use geojson::Geometry;
use serde_json::{Map, Value};

/// The forms that features take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A house: extruded where a height is stated.
    Building,
    /// Ground of some use, flat.
    Ground,
    /// A road or path.
    Road,
    /// Open water.
    Water,
    /// A buried pipe or cable.
    Main,
    /// A tree.
    Tree,
    /// Anything else.
    Other,
}

/// A feature's kind.
pub(super) struct Kind {
    /// The file's own word; else the type of its geometry.
    pub(super) word: String,
    /// What it looks like.
    pub(super) form: Form,
}

impl Kind {
    /// From `kind`, or else from what OpenStreetMap and cadastres call it.
    pub(super) fn of(properties: &Map<String, Value>, geometry: Option<&Geometry>) -> Self {
        let text = |key: &str| properties.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
        let set = |key: &str| properties.get(key).is_some_and(|v| !matches!(v, Value::Null | Value::Bool(false)));
        if let Some(word) = ["kind", "class", "type"].iter().find_map(|k| text(k)) {
            return Self { word: word.to_owned(), form: form_of(word) };
        }
        let known = ["building", "highway", "landuse", "leisure", "waterway", "natural", "pipeline", "railway"];
        if let Some(key) = known.iter().find(|k| set(k)) {
            // `building=yes` is a building; `natural=tree` is a tree.
            let value = text(key).filter(|v| *v != "yes");
            let form = match (value.map(form_of), form_of(key)) {
                (Some(form), _) if form != Form::Other => form,
                (_, form) => form,
            };
            let word = if matches!(*key, "natural" | "landuse" | "leisure") { value.unwrap_or(key) } else { key };
            return Self { word: word.to_owned(), form };
        }
        let word = match geometry.map(|g| &g.value) {
            Some(value) => value.type_name(),
            None => "Feature",
        };
        Self { word: word.to_owned(), form: Form::Other }
    }

    /// Its own colour when it states one (`colour`, `color`, `fill`, `stroke`), else its kind's; linear.
    pub(super) fn colour(&self, properties: &Map<String, Value>) -> [f32; 4] {
        let stated = ["colour", "color", "fill", "stroke"].iter().filter_map(|k| properties.get(*k)?.as_str());
        if let Some(colour) = stated.filter_map(from_hex).next() {
            return colour;
        }
        let text = |key: &str| properties.get(key).and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let of = format!("{} {} {}", text("medium"), text("system"), self.word.to_lowercase());
        let hex = match self.form {
            Form::Main if of.contains("chilled") || of.contains("cool") => "#3b82c4",
            Form::Main if of.contains("heat") || of.contains("steam") => "#c4563b",
            Form::Main if of.contains("sew") || of.contains("waste") => "#7a6248",
            Form::Main if of.contains("gas") => "#d0a52e",
            Form::Main => "#4d8fa8",
            Form::Building => "#cfc9be",
            Form::Ground if ["park", "grass", "green", "garden", "lawn"].iter().any(|w| of.contains(w)) => "#a9c48f",
            Form::Ground => "#d3d6c4",
            Form::Road => "#8b8d90",
            Form::Water => "#8db8d6",
            Form::Tree => "#5f8f4e",
            Form::Other => "#b9b3a8",
        };
        from_hex(hex).unwrap_or([0.5, 0.5, 0.5, 1.0])
    }
}

fn form_of(word: &str) -> Form {
    let word = word.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|w| word.contains(w));
    if is(&["building", "house", "neighbour", "footprint"]) {
        Form::Building
    } else if is(&["main", "pipe", "duct", "sewer", "conduit", "cable"]) {
        Form::Main
    } else if is(&["tree"]) && !is(&["street"]) {
        Form::Tree
    } else if is(&["road", "street", "highway", "path", "footway", "parking", "drive", "pavement", "railway"]) {
        Form::Road
    } else if is(&["water", "river", "lake", "pond", "stream", "canal"]) {
        Form::Water
    } else if is(&["plot", "parcel", "site", "ground", "land", "park", "grass", "green", "garden", "lawn", "leisure"]) {
        Form::Ground
    } else {
        Form::Other
    }
}

/// A number in metres from the first of `keys` that has one: `12`, `"12"`, `"12 m"`.
pub(super) fn metres(properties: &Map<String, Value>, keys: &[&str]) -> Option<f64> {
    keys.iter()
        .find_map(|key| match properties.get(*key)? {
            Value::Number(n) => n.as_f64(),
            Value::String(s) => s.trim().trim_end_matches('m').trim().parse().ok(),
            _ => None,
        })
        .filter(|v: &f64| v.is_finite() && v.abs() < 1e5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(properties: Value) -> Kind {
        Kind::of(properties.as_object().unwrap(), None)
    }

    #[test]
    fn kinds() {
        assert_eq!(kind(json!({"kind": "heating_main"})).form, Form::Main);
        assert_eq!(kind(json!({"kind": "plot"})).form, Form::Ground);
        assert_eq!(kind(json!({"kind": "road"})).form, Form::Road);
        assert_eq!(kind(json!({"building": "yes"})).form, Form::Building);
        assert_eq!(kind(json!({"building": "apartments"})).form, Form::Building);
        assert_eq!(kind(json!({"natural": "tree"})).form, Form::Tree);
        assert_eq!(kind(json!({"natural": "water"})).form, Form::Water);
        assert_eq!(kind(json!({"name": "?"})).form, Form::Other);
    }

    #[test]
    fn lengths() {
        let p = json!({"height": "12 m", "width_m": 6, "depth": null, "x": "tall"});
        let p = p.as_object().unwrap();
        assert_eq!(metres(p, &["height_m", "height"]), Some(12.0));
        assert_eq!(metres(p, &["width_m"]), Some(6.0));
        assert_eq!(metres(p, &["depth", "x"]), None);
    }
}
