//! Property sets and quantities as the file states them.

use super::attributes::Named;
use super::lite::{Class, Step, Value};
use crate::site::model::{PropertySet, PropertyValue};

/// How deep complex properties may nest.
const MAX_DEPTH: usize = 8;

/// Reads `IfcPropertySet`, `IfcElementQuantity` or a predefined set; none for anything else.
pub(super) fn read_set(step: &Step, id: u32) -> Option<PropertySet> {
    let record = step.record(id)?;
    let quantities = step.is_a(record.class, "IFCELEMENTQUANTITY");
    let mut set = PropertySet { name: record.text("Name"), quantities, ..PropertySet::default() };
    let mut values = Vec::new();
    if quantities {
        let references = record.references("Quantities");
        values.reserve_exact(references.len());
        for quantity in references {
            read_quantity(step, quantity, "", 0, &mut values);
        }
    } else if step.is_a(record.class, "IFCPROPERTYSET") {
        let references = record.references("HasProperties");
        values.reserve_exact(references.len());
        for property in references {
            read_property(step, property, "", 0, &mut values);
        }
    } else if step.is_a(record.class, "IFCPROPERTYSETDEFINITION") {
        // IfcDoorLiningProperties and its like: the attributes are the properties.
        let own = ["GlobalId", "OwnerHistory", "Name", "Description"];
        for (name, value) in record.named().filter(|(n, v)| !own.contains(n) && !v.is_null()) {
            if value.as_entity_ref().is_none() {
                values.push((name.to_owned(), convert(value.clone())));
            }
        }
        if set.name.is_empty() {
            set.name.clone_from(&record.class.name);
        }
    } else {
        return None;
    }
    set.values = values.into();
    Some(set)
}

fn read_property(step: &Step, id: u32, prefix: &str, depth: usize, into: &mut Vec<(String, PropertyValue)>) {
    if depth < MAX_DEPTH
        && let Some(named) = step.named_value(id, place_of_single_value)
    {
        into.push(plain(prefix, named));
        return;
    }
    let Some(mut record) = step.record(id).filter(|_| depth < MAX_DEPTH) else { return };
    let name = named(prefix, record.take_text("Name"));
    let class = record.class;
    let mut take = |attribute: &str| convert(record.take(attribute));
    let value = match class.name.as_str() {
        "IfcPropertySingleValue" => take("NominalValue"),
        "IfcPropertyEnumeratedValue" => take("EnumerationValues"),
        "IfcPropertyListValue" => take("ListValues"),
        "IfcPropertyBoundedValue" => match record.take("SetPointValue") {
            Value::Null | Value::Derived => {
                let mut take = |attribute: &str| convert(record.take(attribute));
                PropertyValue::List(vec![take("LowerBoundValue"), take("UpperBoundValue")])
            }
            set_point => convert(set_point),
        },
        "IfcPropertyTableValue" => PropertyValue::List(vec![take("DefiningValues"), take("DefinedValues")]),
        "IfcComplexProperty" => {
            for part in record.references("HasProperties") {
                read_property(step, part, &format!("{name}."), depth + 1, into);
            }
            return;
        }
        _ => return,
    };
    into.push((name, value));
}

fn read_quantity(step: &Step, id: u32, prefix: &str, depth: usize, into: &mut Vec<(String, PropertyValue)>) {
    if depth < MAX_DEPTH
        && let Some(named) = step.named_value(id, place_of_quantity)
    {
        into.push(plain(prefix, named));
        return;
    }
    let Some(mut record) = step.record(id).filter(|_| depth < MAX_DEPTH) else { return };
    let name = named(prefix, record.take_text("Name"));
    if record.class.name == "IfcPhysicalComplexQuantity" {
        for part in record.references("HasQuantities") {
            read_quantity(step, part, &format!("{name}."), depth + 1, into);
        }
        return;
    }
    let value = record.named().map(|(n, _)| n).find(|n| is_of_quantity(n));
    into.push((name, value.map_or(PropertyValue::Null, |v| convert(record.take(v)))));
}

/// LengthValue, AreaValue, VolumeValue, …
fn is_of_quantity(attribute: &str) -> bool {
    attribute.ends_with("Value")
}

fn place_of_quantity(class: &Class) -> Option<usize> {
    class.position(is_of_quantity).filter(|_| class.name != "IfcPhysicalComplexQuantity")
}

fn place_of_single_value(class: &Class) -> Option<usize> {
    class.position(|a| a == "NominalValue").filter(|_| class.name == "IfcPropertySingleValue")
}

fn plain(prefix: &str, property: Named<'_>) -> (String, PropertyValue) {
    let value = convert(property.value);
    let value = match property.data_type {
        Some(data_type) => of_type(data_type, value),
        None => value,
    };
    (named(prefix, property.name.trim().to_owned()), value)
}

fn named(prefix: &str, name: String) -> String {
    if prefix.is_empty() { name } else { format!("{prefix}{name}") }
}

fn convert(value: Value) -> PropertyValue {
    match value {
        Value::Integer(i) => PropertyValue::Integer(i),
        Value::Float(f) if f.is_finite() => PropertyValue::Real(f),
        Value::String(text) | Value::Binary(text) => PropertyValue::Text(text),
        Value::Enum(word) => match word.as_str() {
            "T" => PropertyValue::Boolean(true),
            "F" => PropertyValue::Boolean(false),
            "U" => PropertyValue::Null,
            _ => PropertyValue::Text(word),
        },
        Value::List(values) => PropertyValue::List(values.into_iter().map(convert).collect()),
        Value::EntityRef(id) => PropertyValue::Text(format!("#{id}")),
        Value::Typed { name, value } => of_type(&name, convert(*value)),
        Value::Float(_) | Value::Null | Value::Derived => PropertyValue::Null,
    }
}

/// 3 stands for 3.0 where the type is a measure.
fn of_type(name: &str, value: PropertyValue) -> PropertyValue {
    match value {
        PropertyValue::Integer(i) if name != "IFCCOUNTMEASURE" && (name.ends_with("MEASURE") || name == "IFCREAL") => {
            PropertyValue::Real(i as f64)
        }
        other => other,
    }
}
