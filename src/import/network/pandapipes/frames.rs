//! The tables of a pandapipes net, its fluid and its types of pumps.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

/// Points of a pump's curve between no flow and no lift.
const PUMP_POINTS: u32 = 129;
/// Pa of a bar.
pub(super) const BAR: f64 = 1e5;

/// A row of a table: its number and its cells by column.
pub(super) struct Row<'a> {
    pub(super) number: i64,
    pub(super) cells: FxHashMap<&'a str, &'a Value>,
}

impl Row<'_> {
    pub(super) fn number_in(&self, column: &str) -> Option<f64> {
        self.cells.get(column).and_then(|v| v.as_f64()).filter(|v| v.is_finite())
    }

    pub(super) fn number_or(&self, column: &str, otherwise: f64) -> f64 {
        self.number_in(column).unwrap_or(otherwise)
    }

    /// A cell that says yes or no; one that is not there says yes.
    pub(super) fn yes(&self, column: &str) -> bool {
        self.cells.get(column).and_then(|v| v.as_bool()).unwrap_or(true)
    }
}

/// What stands in a value, which may be a JSON text again.
pub(super) fn within(value: Option<&Value>) -> Option<Value> {
    match value? {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    }
}

/// The pumps among the types: bar by m³/h as a polynomial, the highest power first.
pub(super) fn pump_types(tables: &Map<String, Value>) -> FxHashMap<String, Vec<f64>> {
    let mut found = FxHashMap::default();
    for (name, kind) in
        tables.get("std_type").and_then(|t| t.get("pump")).and_then(Value::as_object).into_iter().flatten()
    {
        let Some(kind) = within(kind.get("_object")) else { continue };
        let array = kind.get("reg_par").map(|r| r.get("_object").unwrap_or(r)).and_then(Value::as_array);
        let powers: Vec<f64> = array.into_iter().flatten().filter_map(Value::as_f64).collect();
        if !powers.is_empty() {
            found.insert(name.clone(), powers);
        }
    }
    found
}

/// Head (m) by flow (m³/s) of a polynomial of bar by m³/h, from no flow to where it lifts no more.
pub(super) fn lift_points(powers: &[f64], pa_per_m: f64) -> Vec<(f64, f64)> {
    let bar = |q: f64| powers.iter().fold(0.0, |sum, p| sum * q + p);
    let mut most = 1.0;
    while bar(most) > 0.0 && most < 1e6 {
        most *= 2.0;
    }
    let (mut low, mut high) = (0.0, most);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if bar(middle) > 0.0 { low = middle } else { high = middle }
    }
    let mut points: Vec<(f64, f64)> = Vec::new();
    for at in 0..PUMP_POINTS {
        let flow = low * f64::from(at) / f64::from(PUMP_POINTS - 1);
        let head = bar(flow) * BAR / pa_per_m;
        // A curve that first rises would have two flows for one head: it begins at its top.
        while points.last().is_some_and(|(_, h)| *h <= head) {
            points.pop();
        }
        points.push((flow / 3600.0, head));
    }
    points
}

/// The numbers of a column.
pub(super) fn column(frame: &Value, name: &str) -> Option<Vec<f64>> {
    let at = frame.get("columns")?.as_array()?.iter().position(|c| c.as_str() == Some(name))?;
    Some(frame.get("data")?.as_array()?.iter().filter_map(|row| row.get(at)?.as_f64()).collect())
}

pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A property of the fluid at a temperature, K: constant, linear or by a table.
pub(super) fn property_at(property: &Value, kelvin: f64) -> Option<f64> {
    if let Some(value) = property.get("value").and_then(Value::as_f64) {
        return Some(value);
    }
    if let (Some(slope), Some(offset)) =
        (property.get("slope").and_then(Value::as_f64), property.get("offset").and_then(Value::as_f64))
    {
        return Some(offset + slope * kelvin);
    }
    let list = |names: [&str; 2]| -> Option<Vec<f64>> {
        let value = names.iter().find_map(|n| property.get(*n))?;
        let array = value.get("_object").unwrap_or(value).as_array()?;
        Some(array.iter().filter_map(Value::as_f64).collect())
    };
    let (x, y) = (list(["x_values", "x"])?, list(["y_values", "y"])?);
    let mut before: Option<(f64, f64)> = None;
    for point in x.into_iter().zip(y) {
        match before {
            Some((x0, y0)) if point.0 >= kelvin && point.0 > x0 => {
                return Some(y0 + (point.1 - y0) * (kelvin - x0) / (point.0 - x0));
            }
            None if point.0 >= kelvin => return Some(point.1),
            _ => before = Some(point),
        }
    }
    before.map(|(_, y)| y)
}
