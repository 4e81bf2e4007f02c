//! The units in which a file states its properties and quantities (`IfcUnitAssignment`).
//!
//! SI units with prefixes, conversion-based ones, and derived ones made of them. What cannot be understood is left
//! out: it counts as SI then.

use super::lite::{Step, Value};
use crate::site::unit::{FileUnits, Quantity};

/// How deep a unit may be made of others.
const MAX_DEPTH: usize = 6;

/// 0 °C in kelvins.
const ICE_K: f64 = 273.15;

/// The units of the file's project.
pub(super) fn read(step: &Step) -> FileUnits {
    let mut units = FileUnits::default();
    let assignments = step.of("IFCPROJECT").into_iter().filter_map(|p| step.record(p)?.reference("UnitsInContext"));
    for assignment in assignments {
        let Some(assignment) = step.record(assignment) else { continue };
        for unit in assignment.references("Units") {
            let Some(record) = step.record(unit) else { continue };
            let Some(quantity) = quantity(&record.word("UnitType")) else { continue };
            if let Some((factor, offset)) = scale(step, unit, 0) {
                // Temperature is in °C inside.
                let offset = if quantity == Quantity::Temperature { offset - ICE_K } else { 0.0 };
                units.state(quantity, factor, offset);
            }
        }
    }
    units
}

fn quantity(kind: &str) -> Option<Quantity> {
    Some(match kind {
        "LENGTHUNIT" => Quantity::Length,
        "AREAUNIT" => Quantity::Area,
        "VOLUMEUNIT" => Quantity::Volume,
        "TIMEUNIT" => Quantity::Duration,
        "POWERUNIT" => Quantity::Power,
        "PRESSUREUNIT" => Quantity::Pressure,
        "ENERGYUNIT" => Quantity::Energy,
        "FREQUENCYUNIT" => Quantity::Frequency,
        "ELECTRICVOLTAGEUNIT" => Quantity::Voltage,
        "ELECTRICCURRENTUNIT" => Quantity::Current,
        "ILLUMINANCEUNIT" => Quantity::Illuminance,
        "THERMODYNAMICTEMPERATUREUNIT" => Quantity::Temperature,
        "VOLUMETRICFLOWRATEUNIT" => Quantity::VolumeFlow,
        "MASSFLOWRATEUNIT" => Quantity::MassFlow,
        "LINEARVELOCITYUNIT" => Quantity::Velocity,
        _ => return None,
    })
}

/// SI = stated × factor + offset (the offset for temperatures only, in kelvins).
fn scale(step: &Step, unit: u32, depth: usize) -> Option<(f64, f64)> {
    let record = step.record(unit).filter(|_| depth < MAX_DEPTH)?;
    match record.class.name.to_ascii_uppercase().as_str() {
        "IFCSIUNIT" => {
            let name = record.word("Name");
            // A square millimetre is a millionth of a square metre, not a thousandth.
            let power = match name.as_str() {
                "SQUARE_METRE" => 2,
                "CUBIC_METRE" => 3,
                _ => 1,
            };
            // The unit of mass without a prefix is the gram.
            let base = if name == "GRAM" { 1e-3 } else { 1.0 };
            let offset = if name == "DEGREE_CELSIUS" { ICE_K } else { 0.0 };
            Some((prefix(&record.word("Prefix"))?.powi(power) * base, offset))
        }
        "IFCCONVERSIONBASEDUNIT" | "IFCCONVERSIONBASEDUNITWITHOFFSET" => {
            let measure = step.record(record.reference("ConversionFactor")?)?;
            let value = plain(measure.get("ValueComponent")?)?;
            let (factor, _) = scale(step, measure.reference("UnitComponent")?, depth + 1)?;
            let factor = value * factor;
            Some((factor, record.number("ConversionOffset").unwrap_or(0.0) * factor))
        }
        "IFCDERIVEDUNIT" => {
            let mut product = 1.0;
            for element in record.references("Elements") {
                let element = step.record(element)?;
                let (factor, _) = scale(step, element.reference("Unit")?, depth + 1)?;
                product *= factor.powf(element.number("Exponent")?);
            }
            Some((product, 0.0))
        }
        _ => None,
    }
}

fn plain(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number).filter(|n| n.is_finite()),
        Value::Integer(number) => Some(*number as f64),
        Value::Typed { value, .. } => plain(value),
        _ => None,
    }
}

fn prefix(word: &str) -> Option<f64> {
    Some(match word {
        "" => 1.0,
        "EXA" => 1e18,
        "PETA" => 1e15,
        "TERA" => 1e12,
        "GIGA" => 1e9,
        "MEGA" => 1e6,
        "KILO" => 1e3,
        "HECTO" => 1e2,
        "DECA" => 1e1,
        "DECI" => 1e-1,
        "CENTI" => 1e-2,
        "MILLI" => 1e-3,
        "MICRO" => 1e-6,
        "NANO" => 1e-9,
        "PICO" => 1e-12,
        "FEMTO" => 1e-15,
        "ATTO" => 1e-18,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::unit::Unit;
    use std::sync::Arc;

    #[test]
    fn prefixes_conversions_and_what_is_made_of_them() {
        let text = "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n\
            #1=IFCPROJECT('0Proj00000000000000001',$,'P',$,$,$,$,$,#2);\n\
            #2=IFCUNITASSIGNMENT((#3,#4,#5,#8,#9,#12,#99,#13));\n\
            #3=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);\n\
            #4=IFCSIUNIT(*,.AREAUNIT.,.MILLI.,.SQUARE_METRE.);\n\
            #5=IFCCONVERSIONBASEDUNIT(#6,.VOLUMEUNIT.,'CUBIC FOOT',#7);\n\
            #6=IFCDIMENSIONALEXPONENTS(3,0,0,0,0,0,0);\n\
            #7=IFCMEASUREWITHUNIT(IFCVOLUMEMEASURE(0.0283168),#14);\n\
            #8=IFCSIUNIT(*,.THERMODYNAMICTEMPERATUREUNIT.,$,.KELVIN.);\n\
            #9=IFCDERIVEDUNIT((#10,#11),.VOLUMETRICFLOWRATEUNIT.,$);\n\
            #10=IFCDERIVEDUNITELEMENT(#15,3);\n\
            #11=IFCDERIVEDUNITELEMENT(#16,-1);\n\
            #12=IFCSIUNIT(*,.POWERUNIT.,.KILO.,.WATT.);\n\
            #13=IFCCONVERSIONBASEDUNIT(#6,.TIMEUNIT.,'LOOP',#17);\n\
            #14=IFCSIUNIT(*,.VOLUMEUNIT.,$,.CUBIC_METRE.);\n\
            #15=IFCSIUNIT(*,.LENGTHUNIT.,.DECI.,.METRE.);\n\
            #16=IFCSIUNIT(*,.TIMEUNIT.,$,.SECOND.);\n\
            #17=IFCMEASUREWITHUNIT(IFCTIMEMEASURE(60.),#13);\nENDSEC;\nEND-ISO-10303-21;\n";
        let step = Step::scan(Arc::new(text.as_bytes().to_vec()), "IFC4");
        let units = read(&step);
        let stated = |code: &str, value: f64| {
            let unit = Unit::parse(code).unwrap();
            units.from_si(unit.quantity, unit.to_si(value))
        };
        for (code, value, expected) in [
            ("m", 0.05, 50.0),
            ("m2", 1.0, 1e6),
            ("m3", 0.0283168, 1.0),
            ("Cel", 20.0, 293.15),
            ("L/s", 5.0, 5.0),
            ("W", 1500.0, 1.5),
            ("s", 7.0, 7.0),
        ] {
            assert!((stated(code, value) - expected).abs() < 1e-9 * expected, "{code}: {}", stated(code, value));
        }
    }
}
