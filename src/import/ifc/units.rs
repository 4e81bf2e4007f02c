//! The file's units, as factors to SI.

use super::lite::{Record, Step};
use crate::site::unit::{FileUnits, Quantity};
use rustc_hash::FxHashMap as HashMap;

/// How deep units may be made of units.
const MAX_DEPTH: usize = 8;

/// 0 °C in kelvins.
const ICE_K: f64 = 273.15;

/// `SI = value × factor + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) factor: f64,
    pub(super) offset: f64,
}

impl Scale {
    /// SI already, or no unit at all.
    pub(super) const ONE: Self = Self { factor: 1.0, offset: 0.0 };

    pub(super) fn to_si(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }
}

/// The project's units by what they measure: `LENGTHUNIT`, `VOLUMETRICFLOWRATEUNIT`.
#[derive(Default)]
pub(super) struct Units {
    by_kind: HashMap<String, Scale>,
}

impl Units {
    /// Reads the units that the project assigns.
    pub(super) fn read(step: &Step) -> Self {
        let mut units = Self::default();
        let projects = ["IFCPROJECT", "IFCPROJECTLIBRARY"].into_iter().flat_map(|c| step.of(c));
        let Some(project) = projects.into_iter().find_map(|p| step.record(p)) else { return units };
        let assigned = project.reference("UnitsInContext").and_then(|u| step.record(u));
        for id in assigned.map(|a| a.references("Units")).unwrap_or_default() {
            let Some(record) = step.record(id) else { continue };
            let kind = record.word("UnitType");
            if let Some(scale) = scale_of(step, &record, 0).filter(|_| !kind.is_empty()) {
                units.by_kind.entry(kind).or_insert(scale);
            }
        }
        units
    }

    /// The scale of values of a type: `IFCPOSITIVELENGTHMEASURE`. One where the project assigns no such unit.
    pub(super) fn of_type(&self, data_type: &str) -> Scale {
        let Some(name) = data_type.strip_prefix("IFC").and_then(|n| n.strip_suffix("MEASURE")) else {
            return Scale::ONE;
        };
        let name = ["NONNEGATIVE", "POSITIVE"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
        self.by_kind.get(&format!("{name}UNIT")).copied().unwrap_or(Scale::ONE)
    }
}

/// The project's units of what can be compared. Inside, temperatures are in °C.
pub(super) fn of_file(step: &Step) -> FileUnits {
    const KINDS: [(&str, Quantity); 15] = [
        ("LENGTHUNIT", Quantity::Length),
        ("AREAUNIT", Quantity::Area),
        ("VOLUMEUNIT", Quantity::Volume),
        ("TIMEUNIT", Quantity::Duration),
        ("POWERUNIT", Quantity::Power),
        ("PRESSUREUNIT", Quantity::Pressure),
        ("ENERGYUNIT", Quantity::Energy),
        ("FREQUENCYUNIT", Quantity::Frequency),
        ("ELECTRICVOLTAGEUNIT", Quantity::Voltage),
        ("ELECTRICCURRENTUNIT", Quantity::Current),
        ("ILLUMINANCEUNIT", Quantity::Illuminance),
        ("THERMODYNAMICTEMPERATUREUNIT", Quantity::Temperature),
        ("VOLUMETRICFLOWRATEUNIT", Quantity::VolumeFlow),
        ("MASSFLOWRATEUNIT", Quantity::MassFlow),
        ("LINEARVELOCITYUNIT", Quantity::Velocity),
    ];
    let stated = Units::read(step);
    let mut units = FileUnits::default();
    for (kind, quantity) in KINDS {
        if let Some(scale) = stated.by_kind.get(kind) {
            let offset = if quantity == Quantity::Temperature { scale.offset - ICE_K } else { 0.0 };
            units.state(quantity, scale.factor, offset);
        }
    }
    units
}

/// The scale of a unit that a value names itself.
pub(super) fn of_record(step: &Step, id: u32) -> Option<Scale> {
    scale_of(step, &step.record(id)?, 0)
}

fn scale_of(step: &Step, record: &Record<'_>, depth: usize) -> Option<Scale> {
    if depth > MAX_DEPTH {
        return None;
    }
    let scale = match record.class.name.as_str() {
        "IfcSIUnit" => si(&record.word("Prefix"), &record.word("Name"))?,
        "IfcConversionBasedUnit" | "IfcConversionBasedUnitWithOffset" => {
            let measure = step.record(record.reference("ConversionFactor")?)?;
            let base = scale_of(step, &step.record(measure.reference("UnitComponent")?)?, depth + 1)?;
            let factor = base.factor * measure.number("ValueComponent")?;
            Scale { factor, offset: base.offset + record.number("ConversionOffset").unwrap_or(0.0) * factor }
        }
        // A derived unit is made of named ones only.
        "IfcDerivedUnit" if depth == 0 => {
            let mut factor = 1.0;
            for element in record.references("Elements") {
                let element = step.record(element)?;
                let unit = scale_of(step, &step.record(element.reference("Unit")?)?, depth + 1)?;
                factor *= unit.factor.powf(element.number("Exponent")?);
            }
            Scale { factor, offset: 0.0 }
        }
        _ => return None,
    };
    (scale.factor.is_finite() && scale.factor > 0.0 && scale.offset.is_finite()).then_some(scale)
}

/// An SI unit with its prefix. The prefix of a square or cubic metre is squared or cubed with it.
fn si(prefix: &str, name: &str) -> Option<Scale> {
    let prefix = match prefix {
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
    };
    Some(match name {
        "SQUARE_METRE" => Scale { factor: prefix * prefix, offset: 0.0 },
        "CUBIC_METRE" => Scale { factor: prefix * prefix * prefix, offset: 0.0 },
        "GRAM" => Scale { factor: prefix * 1e-3, offset: 0.0 },
        "DEGREE_CELSIUS" => Scale { factor: prefix, offset: ICE_K },
        _ => Scale { factor: prefix, offset: 0.0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::unit::Unit;
    use std::sync::Arc;

    #[test]
    fn units_of_a_project() {
        let records = "#1=IFCPROJECT('a',$,$,$,$,$,$,$,#2);#2=IFCUNITASSIGNMENT((#3,#4,#5,#6,#9,#12,#16));\
            #3=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);#4=IFCSIUNIT(*,.AREAUNIT.,.CENTI.,.SQUARE_METRE.);\
            #5=IFCSIUNIT(*,.MASSUNIT.,.KILO.,.GRAM.);#6=IFCCONVERSIONBASEDUNIT(#7,.PLANEANGLEUNIT.,'DEGREE',#8);\
            #7=IFCDIMENSIONALEXPONENTS(0,0,0,0,0,0,0);#8=IFCMEASUREWITHUNIT(IFCREAL(0.017453292519943295),#11);\
            #9=IFCCONVERSIONBASEDUNITWITHOFFSET(#7,.THERMODYNAMICTEMPERATUREUNIT.,'FAHRENHEIT',#10,459.67);\
            #10=IFCMEASUREWITHUNIT(IFCREAL(0.5555555555555556),#15);#11=IFCSIUNIT(*,.PLANEANGLEUNIT.,$,.RADIAN.);\
            #12=IFCDERIVEDUNIT((#13,#14),.VOLUMETRICFLOWRATEUNIT.,$,$);#13=IFCDERIVEDUNITELEMENT(#17,1);\
            #14=IFCDERIVEDUNITELEMENT(#18,-1);#15=IFCSIUNIT(*,.THERMODYNAMICTEMPERATUREUNIT.,$,.KELVIN.);\
            #16=IFCCONVERSIONBASEDUNIT(#7,.FORCEUNIT.,'LOOP',#19);#17=IFCSIUNIT(*,.VOLUMEUNIT.,.DECI.,.CUBIC_METRE.);\
            #18=IFCSIUNIT(*,.TIMEUNIT.,$,.SECOND.);#19=IFCMEASUREWITHUNIT(IFCREAL(2.),#16);";
        let text = format!("ISO-10303-21;HEADER;FILE_SCHEMA(('IFC4'));ENDSEC;DATA;{records}ENDSEC;END-ISO-10303-21;");
        let step = Step::scan(Arc::new(text.into_bytes()), "IFC4");
        let units = Units::read(&step);
        let of = |data_type: &str, value: f64| units.of_type(data_type).to_si(value);
        for (data_type, value, si) in [
            ("IFCLENGTHMEASURE", 1500.0, 1.5),
            ("IFCPOSITIVELENGTHMEASURE", 1500.0, 1.5),
            ("IFCNONNEGATIVELENGTHMEASURE", 1500.0, 1.5),
            ("IFCAREAMEASURE", 10_000.0, 1.0),
            ("IFCMASSMEASURE", 2.0, 2.0),
            ("IFCPLANEANGLEMEASURE", 180.0, std::f64::consts::PI),
            ("IFCTHERMODYNAMICTEMPERATUREMEASURE", 68.0, 293.15),
            ("IFCVOLUMETRICFLOWRATEMEASURE", 5.0, 0.005),
            ("IFCPOWERMEASURE", 5.0, 5.0),
            ("IFCFORCEMEASURE", 5.0, 5.0),
            ("IFCREAL", 5.0, 5.0),
            ("IFCLABEL", 5.0, 5.0),
        ] {
            assert!((of(data_type, value) - si).abs() < 1e-9, "{data_type}: {}", of(data_type, value));
        }
        assert_eq!(si("", "DEGREE_CELSIUS").map(|s| s.to_si(20.0)), Some(293.15));
        assert_eq!(of_record(&step, 16), None, "a unit that is made of itself");
        assert_eq!(si("SOME", "METRE"), None);
    }

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
        let units = of_file(&step);
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
