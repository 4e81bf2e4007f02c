//! What part an element plays in a network, by its class.

use super::medium::Domain;
use crate::site::model::Element;

/// What part an element plays in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A straight or flexible run of duct, pipe or cable carrier.
    Segment,
    /// Bend, tee, transition.
    Fitting,
    /// Stands in a run: valve, damper, meter, silencer, pump.
    Inline,
    /// Machines, vessels, units: what pipes and ducts are led up to.
    Equipment,
    /// Where a run ends: diffuser, radiator, tap.
    Terminal,
}

/// Classes that pipes or ducts are joined to, without `Ifc`: the part they play, and what runs through them where
/// the class says so.
const CLASSES: &[(&str, Role, Option<Domain>)] = {
    use Domain::{Air, Electrical, Water};
    use Role::{Equipment, Fitting, Inline, Segment, Terminal};
    &[
        ("DuctSegment", Segment, Some(Air)),
        ("PipeSegment", Segment, Some(Water)),
        ("CableCarrierSegment", Segment, Some(Electrical)),
        ("CableSegment", Segment, Some(Electrical)),
        ("FlowSegment", Segment, None),
        ("DuctFitting", Fitting, Some(Air)),
        ("PipeFitting", Fitting, Some(Water)),
        ("CableCarrierFitting", Fitting, Some(Electrical)),
        ("CableFitting", Fitting, Some(Electrical)),
        ("FlowFitting", Fitting, None),
        ("Valve", Inline, Some(Water)),
        ("Damper", Inline, Some(Air)),
        ("FlowMeter", Inline, None),
        ("DuctSilencer", Inline, Some(Air)),
        ("Pump", Inline, Some(Water)),
        ("FlowController", Inline, None),
        ("FlowMovingDevice", Inline, None),
        ("FlowTreatmentDevice", Inline, None),
        ("Fan", Equipment, Some(Air)),
        ("Filter", Equipment, None),
        ("Compressor", Equipment, None),
        ("AirTerminalBox", Equipment, None),
        ("AirToAirHeatRecovery", Equipment, Some(Air)),
        ("Boiler", Equipment, Some(Water)),
        ("Burner", Equipment, None),
        ("Chiller", Equipment, Some(Water)),
        ("Coil", Equipment, None),
        ("Condenser", Equipment, None),
        ("CooledBeam", Equipment, None),
        ("CoolingTower", Equipment, Some(Water)),
        ("Engine", Equipment, None),
        ("EvaporativeCooler", Equipment, None),
        ("Evaporator", Equipment, None),
        ("HeatExchanger", Equipment, None),
        ("Humidifier", Equipment, None),
        ("Interceptor", Equipment, Some(Water)),
        ("Tank", Equipment, None),
        ("TubeBundle", Equipment, None),
        ("UnitaryEquipment", Equipment, None),
        ("UnitaryControlElement", Equipment, None),
        ("EnergyConversionDevice", Equipment, None),
        ("FlowStorageDevice", Equipment, None),
        ("DistributionFlowElement", Equipment, None),
        ("DistributionChamberElement", Equipment, None),
        ("AirTerminal", Terminal, Some(Air)),
        ("FireSuppressionTerminal", Terminal, Some(Water)),
        ("MedicalDevice", Terminal, None),
        ("SanitaryTerminal", Terminal, Some(Water)),
        ("SpaceHeater", Terminal, None),
        ("StackTerminal", Terminal, None),
        ("WasteTerminal", Terminal, Some(Water)),
        ("LiquidTerminal", Terminal, Some(Water)),
        ("FlowTerminal", Terminal, None),
    ]
};

/// Classes, without `Ifc`, that only cables are led to.
const ELECTRICAL: &[&str] = &[
    "DistributionBoard",
    "ElectricDistributionBoard",
    "ElectricDistributionPoint",
    "ElectricAppliance",
    "ElectricFlowStorageDevice",
    "ElectricFlowTreatmentDevice",
    "ElectricGenerator",
    "ElectricHeater",
    "ElectricMotor",
    "ElectricTimeControl",
    "AudioVisualAppliance",
    "CommunicationsAppliance",
    "MobileTelecommunicationsAppliance",
    "JunctionBox",
    "Lamp",
    "LightFixture",
    "MotorConnection",
    "Outlet",
    "ProtectiveDevice",
    "ProtectiveDeviceTrippingUnit",
    "SolarDevice",
    "SwitchingDevice",
    "Transformer",
    "Sensor",
    "Actuator",
    "Alarm",
    "Controller",
    "FlowInstrument",
    "DistributionControlElement",
];

fn plain(class: &str) -> &str {
    let class = class.strip_prefix("Ifc").unwrap_or(class);
    class.strip_suffix("StandardCase").unwrap_or(class)
}

fn entry(class: &str) -> Option<&'static (&'static str, Role, Option<Domain>)> {
    let name = plain(class);
    CLASSES.iter().find(|(n, ..)| *n == name)
}

/// The class that says most of an element: IFC2X3 knows flow segments only, and their type says of what.
fn telling<'a>(class: &'a str, type_class: &'a str) -> &'a str {
    let of_type = type_class.strip_suffix("Type").unwrap_or_default();
    let vague = matches!(entry(class), Some((name, ..)) if name.starts_with("Flow") && *name != "FlowMeter")
        || matches!(plain(class), "EnergyConversionDevice" | "DistributionFlowElement" | "DistributionControlElement");
    let known = entry(of_type).is_some() || ELECTRICAL.contains(&plain(of_type));
    if vague && known { of_type } else { class }
}

impl Role {
    /// The part that elements of a class play (`type_class` may be empty); none for what no pipe, duct or cable
    /// carrier is joined to.
    pub fn of(class: &str, type_class: &str) -> Option<Self> {
        entry(telling(class, type_class)).map(|(_, role, _)| *role)
    }

    /// The part that an element plays.
    pub fn of_element(element: &Element) -> Option<Self> {
        Self::of(&element.class, &element.type_class)
    }
}

/// The class that says most of an element, without `Ifc`: its own, or its type's where its own is only a family.
pub fn plain_class(element: &Element) -> &str {
    plain(telling(&element.class, &element.type_class))
}

/// What runs through elements of this class; none when the class does not say.
pub fn domain_of_class(element: &Element) -> Option<Domain> {
    let class = telling(&element.class, &element.type_class);
    if ELECTRICAL.contains(&plain(class)) {
        return Some(Domain::Electrical);
    }
    entry(class).and_then(|(_, _, domain)| *domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_class_else_by_the_class_of_the_type() {
        assert_eq!(Role::of("IfcPipeSegment", ""), Some(Role::Segment));
        assert_eq!(Role::of("IfcFlowFitting", "IfcDuctFittingType"), Some(Role::Fitting));
        assert_eq!(Role::of("IfcFlowController", "IfcAirTerminalBoxType"), Some(Role::Equipment));
        assert_eq!(Role::of("IfcFlowTerminal", "IfcLightFixtureType"), None);
        assert_eq!(Role::of("IfcSensor", ""), None);
        assert_eq!(Role::of("IfcWall", "IfcWallType"), None);
        let old =
            Element { class: "IfcFlowSegment".into(), type_class: "IfcDuctSegmentType".into(), ..Element::default() };
        assert_eq!(domain_of_class(&old), Some(Domain::Air));
        assert_eq!(plain_class(&old), "DuctSegment");
        let sensor = Element {
            class: "IfcDistributionControlElement".into(),
            type_class: "IfcSensorType".into(),
            ..Element::default()
        };
        assert_eq!((plain_class(&sensor), domain_of_class(&sensor)), ("Sensor", Some(Domain::Electrical)));
        let light = Element { class: "IfcLightFixture".into(), ..Element::default() };
        assert_eq!(domain_of_class(&light), Some(Domain::Electrical));
    }
}
