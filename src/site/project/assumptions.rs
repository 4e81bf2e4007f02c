//! `[[assumptions]]`: what the engineer states of an element in a flow network, in place of a default and of the model.
//!
//! ```toml
//! [[assumptions]]
//! element = "CHWP-1"              # tag or GlobalId
//! field = "nominal_pressure_pa"   # one of ASSUMED; `plenum solve` lists what was taken, by element and field
//! value = 160000
//! ```

use super::sheet::Table;

/// A stated value of an element.
#[derive(Clone, Debug, PartialEq)]
pub struct AssumptionOverride {
    /// Tag or GlobalId of the element.
    pub element: String,
    /// What of it: one of [`ASSUMED`].
    pub field: String,
    /// SI.
    pub value: f64,
    /// Line in `twin.toml`.
    pub line: usize,
}

/// What can be stated: the field, least and greatest value, and what it is.
pub const ASSUMED: &[(&str, f64, f64, &str)] = &[
    ("length_m", 0.001, 1e5, "length of a pipe or duct"),
    ("diameter_m", 0.002, 20.0, "inner diameter of a pipe, or diameter of a round duct"),
    ("width_m", 0.01, 20.0, "width of a rectangular duct"),
    ("height_m", 0.01, 20.0, "height of a rectangular duct"),
    ("roughness_m", 0.0, 0.1, "height of the roughness of its wall"),
    ("k", 0.0, 1e7, "loss coefficient of a fitting or device"),
    ("k_1", 0.0, 1e7, "loss coefficient from the first port of a tee to its middle; k_2, k_3 … of the others"),
    ("kvs_m3h", 1e-4, 1e6, "Kv of a valve that is open, m³/h at 1 bar"),
    ("position", 0.0, 1.0, "position of a valve or damper when nobody measures"),
    ("nominal_flow_m3s", 1e-7, 1e4, "flow at the design point of a pump or fan"),
    ("nominal_pressure_pa", 1.0, 1e8, "pressure at the design point of a pump or fan"),
    ("shutoff_pressure_pa", 1.0, 1e8, "pressure of a pump or fan at no flow"),
    ("speed", 0.0, 2.0, "speed of a pump or fan over that of its curve when nobody measures"),
    ("running", 0.0, 1.0, "1 for a pump that runs when nobody measures, 0 for one that stands by"),
    ("design_power_w", 0.0, 1e10, "heat that a coil, radiator or machine is made for"),
    ("design_flow_m3s", 0.0, 1e4, "water that a coil, radiator or machine is made for"),
    ("pressure_drop_pa", 0.0, 1e7, "pressure that it takes of its water at that flow"),
    ("condenser_flow_m3s", 0.0, 1e4, "water that the condenser of a chiller is made for"),
    ("condenser_drop_pa", 0.0, 1e7, "pressure that it takes at that flow"),
    ("condenser_heat_w", 0.0, 1e10, "heat that a chiller gives to its condenser water"),
    ("design_airflow_m3s", 0.0, 1e4, "air that a coil, filter, box or terminal is made for"),
    ("air_drop_pa", 0.0, 1e6, "pressure that it takes of its air at that flow"),
    ("outdoor_share", 0.0, 1.0, "outdoor air over supply air of a unit that mixes"),
    ("supply_c", -50.0, 200.0, "temperature at which a machine sends its fluid out, °C"),
    ("surroundings_c", -50.0, 200.0, "temperature of what surrounds a coil or radiator, °C"),
    ("ua_w_k", 0.0, 1e9, "conductance between a coil's or radiator's water and its surroundings"),
    ("pressure_pa", -1e5, 1e8, "pressure over that of the air that a vessel or an opening holds"),
    ("level_m", -100.0, 1e3, "water in a tank over its bottom, or in a tower's basin over its outlet"),
    ("demand_m3s", -1e3, 1e3, "what is drawn at a tap or by a machine"),
];

/// Whether a field is one of [`ASSUMED`].
fn known(field: &str) -> Option<(f64, f64)> {
    let numbered = field.strip_prefix("k_").is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n > 0));
    let name = if numbered { "k_1" } else { field };
    ASSUMED.iter().find(|(f, ..)| *f == name).map(|(_, least, most, _)| (*least, *most))
}

/// Reads them all; what is wrong with one is noted, and it is left out.
pub(super) fn read_all(tables: Vec<Table<'_>>) -> Vec<AssumptionOverride> {
    let mut out: Vec<AssumptionOverride> = Vec::new();
    for table in tables {
        let sheet = table.sheet;
        let Some(read) = read(table) else { continue };
        if let Some(first) = out.iter().find(|o| o.element == read.element && o.field == read.field) {
            let message = format!("`{}` of {} is stated twice, first in line {}", read.field, read.element, first.line);
            sheet.error(read.line, message, "leave one of them out");
            continue;
        }
        out.push(read);
    }
    out
}

fn read(table: Table<'_>) -> Option<AssumptionOverride> {
    let (sheet, line) = (table.sheet, table.line);
    let (element, field) = (table.word("element"), table.word("field"));
    let bounds = field.as_ref().map(|f| (known(f.value.trim()), f));
    let value = match bounds {
        Some((Some((least, most)), _)) => table.number_in("value", least, most).map(|v| v.value),
        Some((None, f)) => {
            let words: Vec<&str> = ASSUMED.iter().map(|(f, ..)| *f).collect();
            let message = format!("`field` in {} is `{}`", table.title, f.value);
            sheet.error(f.line, message, format!("use one of {}", words.join(", ")));
            let _ = table.number_in("value", f64::MIN, f64::MAX);
            None
        }
        None => {
            let _ = table.number_in("value", f64::MIN, f64::MAX);
            None
        }
    };
    for (key, example) in [
        ("element", "element = \"CHWP-1\", the tag or GlobalId of an element"),
        ("field", "field = \"diameter_m\""),
        ("value", "value = 0.05"),
    ] {
        if !table.has(key) {
            sheet.error(line, format!("{} has no `{key}`", table.title), format!("write {example}"));
        }
    }
    table.finish();
    Some(AssumptionOverride {
        element: element?.value.trim().to_owned(),
        field: field?.value.trim().to_owned(),
        value: value?,
        line,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::told;
    use super::*;

    #[test]
    fn stated_values_are_read_and_what_is_wrong_has_its_line() {
        let lines = "[[assumptions]]\nelement = \"P-1\"\nfield = \"diameter_m\"\nvalue = 0.05\n\
            [[assumptions]]\nelement = \"T-1\"\nfield = \"k_3\"\nvalue = 2\n\
            [[assumptions]]\nelement = \"P-1\"\nfield = \"colour\"\nvalue = 1\n\
            [[assumptions]]\nelement = \"P-1\"\nfield = \"length_m\"\nvalue = -1\n\
            [[assumptions]]\nfield = \"k\"\nvalue = 1\n\
            [[assumptions]]\nelement = \"P-1\"\nfield = \"diameter_m\"\nvalue = 0.06\n\
            [[assumptions]]\nelement = \"P-2\"\nfield = \"k\"\n";
        let faults =
            [(14, "`colour`"), (19, "`value`"), (20, "has no `element`"), (23, "stated twice"), (27, "has no `value`")];
        let read = told(lines, &faults);
        let kept: Vec<_> = read.assumptions.iter().map(|a| (a.element.as_str(), a.field.as_str(), a.value)).collect();
        assert_eq!(kept, [("P-1", "diameter_m", 0.05), ("T-1", "k_3", 2.0)]);
        assert_eq!(read.assumptions[0].line, 4);
    }

    #[test]
    fn every_field_has_its_bounds() {
        for (field, least, most, what) in ASSUMED {
            assert!(least < most && !what.is_empty(), "{field}");
            assert_eq!(known(field), Some((*least, *most)));
        }
        assert_eq!(known("k_12"), known("k_1"));
        assert!(known("k_0").is_none() && known("k_x").is_none());
    }
}
