//! Properties, quantities and attributes with their types, in SI.

use super::super::lite::{Record, Step, Value};
use super::super::units::{self, Scale, Units};
use super::{Fact, Property, PropertySet, TypedValue};

/// Attributes that are lengths, of those that people ask for.
const LENGTHS: &[&str] = &[
    "OverallHeight",
    "OverallWidth",
    "RiserHeight",
    "TreadLength",
    "RefElevation",
    "Elevation",
    "ElevationOfRefHeight",
    "ElevationOfTerrain",
    "ElevationWithFlooring",
    "LayerThickness",
    "TotalThickness",
    "NominalDiameter",
    "NominalLength",
];

/// An attribute's value in SI.
pub(super) fn attribute(name: &str, value: &Value, units: &Units) -> Fact {
    let scale = if LENGTHS.contains(&name) { units.of_type("IFCLENGTHMEASURE") } else { Scale::ONE };
    match value {
        Value::Typed { name, value } => fact(value, units.of_type(name)),
        value => fact(value, scale),
    }
}

/// Reads a property set, a quantity set, a predefined set or the properties of a material; none for anything else.
pub(super) fn set(step: &Step, id: u32, units: &Units) -> Option<PropertySet> {
    let record = step.record(id)?;
    let reader = Reader { step, units };
    let of = |ids: Vec<u32>, read: &dyn Fn(&Record<'_>) -> Option<Property>| -> Vec<Property> {
        ids.into_iter().filter_map(|p| step.record(p)).filter_map(|p| read(&p)).collect()
    };
    let properties = if step.is_a(record.class, "IFCELEMENTQUANTITY") {
        of(record.references("Quantities"), &|r| reader.quantity(r))
    } else if step.is_a(record.class, "IFCPROPERTYSET") {
        of(record.references("HasProperties"), &|r| reader.property(r))
    } else if step.is_a(record.class, "IFCPROPERTYSETDEFINITION") {
        reader.predefined(&record)
    } else {
        let own = ["Properties", "ExtendedProperties"].map(|a| record.references(a)).concat();
        of(own, &|r| reader.property(r))
    };
    Some(PropertySet { name: record.text("Name"), properties })
}

struct Reader<'a> {
    step: &'a Step,
    units: &'a Units,
}

impl Reader<'_> {
    fn property(&self, record: &Record<'_>) -> Option<Property> {
        let unit = |attribute: &str| record.reference(attribute).and_then(|u| units::of_record(self.step, u));
        let mut values = Vec::new();
        let mut take = |attribute: &str, unit: Option<Scale>| {
            if let Some(value) = record.get(attribute) {
                self.collect(value, unit, &mut values);
            }
        };
        match record.class.name.as_str() {
            "IfcPropertySingleValue" => take("NominalValue", unit("Unit")),
            "IfcPropertyEnumeratedValue" => {
                let listed = record.reference("EnumerationReference").and_then(|e| self.step.record(e));
                let own = listed.and_then(|l| l.reference("Unit")).and_then(|u| units::of_record(self.step, u));
                take("EnumerationValues", own);
            }
            "IfcPropertyListValue" => take("ListValues", unit("Unit")),
            "IfcPropertyBoundedValue" => {
                for attribute in ["LowerBoundValue", "SetPointValue", "UpperBoundValue"] {
                    take(attribute, unit("Unit"));
                }
            }
            "IfcPropertyTableValue" => {
                take("DefiningValues", unit("DefiningUnit"));
                take("DefinedValues", unit("DefinedUnit"));
            }
            // A reference is there, but is no value.
            "IfcPropertyReferenceValue" => {}
            // Properties made of properties are not for IDS.
            _ => return None,
        }
        Some(Property { name: record.text("Name"), values })
    }

    fn collect(&self, value: &Value, unit: Option<Scale>, into: &mut Vec<TypedValue>) {
        match value {
            Value::List(values) => values.iter().for_each(|v| self.collect(v, unit, into)),
            Value::Typed { name, value } => {
                let scale = unit.filter(|_| name.ends_with("MEASURE")).unwrap_or_else(|| self.units.of_type(name));
                let measured = name.ends_with("MEASURE") && &**name != "IFCCOUNTMEASURE" || &**name == "IFCREAL";
                let fact = match fact(value, scale) {
                    // 3 stands for 3.0 where the type is a measure.
                    Fact::Integer(i) if measured => Fact::Real(scale.to_si(i as f64)),
                    fact => fact,
                };
                into.push(TypedValue { data_type: Some(name.to_string()), fact });
            }
            value => into.push(TypedValue { data_type: None, fact: fact(value, unit.unwrap_or(Scale::ONE)) }),
        }
    }

    fn quantity(&self, record: &Record<'_>) -> Option<Property> {
        let data_type = match record.class.name.as_str() {
            "IfcQuantityLength" => "IFCLENGTHMEASURE",
            "IfcQuantityArea" => "IFCAREAMEASURE",
            "IfcQuantityVolume" => "IFCVOLUMEMEASURE",
            "IfcQuantityWeight" => "IFCMASSMEASURE",
            "IfcQuantityTime" => "IFCTIMEMEASURE",
            "IfcQuantityCount" => "IFCCOUNTMEASURE",
            "IfcQuantityNumber" => "IFCNUMERICMEASURE",
            // Quantities made of quantities are not for IDS.
            _ => return None,
        };
        let own = record.reference("Unit").and_then(|u| units::of_record(self.step, u));
        let scale = own.unwrap_or_else(|| self.units.of_type(data_type));
        let stated = record.named().find(|(n, v)| n.ends_with("Value") && !v.is_null()).map(|(_, v)| v);
        let values = stated.map(|value| {
            let fact = match fact(value, scale) {
                Fact::Integer(i) if data_type != "IFCCOUNTMEASURE" => Fact::Real(scale.to_si(i as f64)),
                fact => fact,
            };
            TypedValue { data_type: Some(data_type.to_owned()), fact }
        });
        Some(Property { name: record.text("Name"), values: values.into_iter().collect() })
    }

    /// The attributes of `IfcDoorLiningProperties` and its like. Numbers in them are lengths, or shares of one.
    fn predefined(&self, record: &Record<'_>) -> Vec<Property> {
        let shares =
            ["PanelWidth", "FirstTransomOffset", "SecondTransomOffset", "FirstMullionOffset", "SecondMullionOffset"];
        record
            .named()
            .skip(4)
            .map(|(name, value)| {
                let length =
                    ["Depth", "Thickness", "Offset"].iter().any(|e| name.ends_with(e)) && !shares.contains(&name);
                let scale = if length { self.units.of_type("IFCLENGTHMEASURE") } else { Scale::ONE };
                let values = match fact(value, scale) {
                    Fact::Null | Fact::Object => Vec::new(),
                    fact => vec![TypedValue { data_type: None, fact }],
                };
                Property { name: name.to_owned(), values }
            })
            .collect()
    }
}

fn fact(value: &Value, scale: Scale) -> Fact {
    match value {
        Value::Integer(i) if scale == Scale::ONE => Fact::Integer(*i),
        Value::Integer(i) => Fact::Real(scale.to_si(*i as f64)),
        Value::Float(f) if f.is_finite() => Fact::Real(scale.to_si(*f)),
        Value::String(text) | Value::Binary(text) => Fact::Text(text.clone()),
        Value::Enum(word) => match word.as_str() {
            "T" => Fact::Boolean(true),
            "F" => Fact::Boolean(false),
            "U" => Fact::Unknown,
            _ => Fact::Text(word.clone()),
        },
        Value::List(values) => Fact::List(values.iter().map(|v| fact(v, scale)).collect()),
        Value::EntityRef(_) => Fact::Object,
        Value::Typed { value, .. } => fact(value, scale),
        Value::Float(_) | Value::Null | Value::Derived => Fact::Null,
    }
}
