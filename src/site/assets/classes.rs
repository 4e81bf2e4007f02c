//! What IFC classes are to the asset graph, and what Brick calls them.

use crate::site::model::{Element, Group};
use crate::site::point::{Point, PointSource};

/// The part that a class plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A machine, a unit, a vessel, a board: `feeds` starts and ends here.
    Machine,
    /// What a medium passes on its way: a valve, a damper, a filter. `feeds` names it and goes on.
    InLine,
    /// Where a medium arrives in a space: a diffuser, a radiator, a light.
    Terminal,
    /// A meter.
    Meter,
    /// A sensor.
    Sensor,
    /// An actuator.
    Actuator,
    /// A controller.
    Controller,
    /// A pipe, a duct, a cable, a fitting: no asset, and `feeds` leads through it.
    Passage,
    /// No equipment.
    Other,
}

impl Role {
    /// True for what is an asset by its class alone.
    pub fn is_equipment(self) -> bool {
        !matches!(self, Self::Passage | Self::Other)
    }
}

/// Class, role, Brick class (1.4) without its prefix; in the order of the alphabet.
const CLASSES: &[(&str, Role, &str)] = {
    use Role::{Actuator, Controller, InLine, Machine, Meter, Passage, Sensor, Terminal};
    &[
        ("IfcActuator", Actuator, "Equipment"),
        ("IfcAirTerminal", Terminal, "Air_Diffuser"),
        ("IfcAirTerminalBox", Machine, "Terminal_Unit"),
        ("IfcAirToAirHeatRecovery", Machine, "Heat_Exchanger"),
        ("IfcAlarm", Terminal, "Safety_Equipment"),
        ("IfcAudioVisualAppliance", Terminal, "Equipment"),
        ("IfcBoiler", Machine, "Boiler"),
        ("IfcBurner", Machine, "HVAC_Equipment"),
        ("IfcCableCarrierFitting", Passage, ""),
        ("IfcCableCarrierSegment", Passage, ""),
        ("IfcCableFitting", Passage, ""),
        ("IfcCableSegment", Passage, ""),
        ("IfcChiller", Machine, "Chiller"),
        ("IfcCoil", Machine, "Coil"),
        ("IfcCommunicationsAppliance", Terminal, "ICT_Equipment"),
        ("IfcCompressor", Machine, "Compressor"),
        ("IfcCondenser", Machine, "Condenser_Heat_Exchanger"),
        ("IfcController", Controller, "Controller"),
        ("IfcConveyorSegment", Passage, ""),
        ("IfcCooledBeam", Terminal, "Chilled_Beam"),
        ("IfcCoolingTower", Machine, "Cooling_Tower"),
        ("IfcDamper", InLine, "Damper"),
        ("IfcDistributionBoard", Machine, "Electrical_Equipment"),
        ("IfcDistributionChamberElement", InLine, "Equipment"),
        ("IfcDistributionControlElement", Controller, "Equipment"),
        ("IfcDistributionElement", Machine, "Equipment"),
        ("IfcDistributionFlowElement", Machine, "Equipment"),
        ("IfcDuctFitting", Passage, ""),
        ("IfcDuctSegment", Passage, ""),
        ("IfcDuctSilencer", InLine, "HVAC_Equipment"),
        ("IfcElectricAppliance", Terminal, "Electrical_Equipment"),
        ("IfcElectricDistributionBoard", Machine, "Breaker_Panel"),
        ("IfcElectricDistributionPoint", Machine, "Electrical_Equipment"),
        ("IfcElectricFlowStorageDevice", Machine, "Energy_Storage"),
        ("IfcElectricFlowTreatmentDevice", InLine, "Electrical_Equipment"),
        ("IfcElectricGenerator", Machine, "Electrical_Equipment"),
        ("IfcElectricMotor", Machine, "Motor"),
        ("IfcElectricTimeControl", InLine, "Electrical_Equipment"),
        ("IfcEnergyConversionDevice", Machine, "HVAC_Equipment"),
        ("IfcEngine", Machine, "Equipment"),
        ("IfcEvaporativeCooler", Machine, "HVAC_Equipment"),
        ("IfcEvaporator", Machine, "Heat_Exchanger"),
        ("IfcFan", Machine, "Fan"),
        ("IfcFilter", InLine, "Filter"),
        ("IfcFireSuppressionTerminal", Terminal, "Fire_Safety_Equipment"),
        ("IfcFlowController", InLine, "Equipment"),
        ("IfcFlowFitting", Passage, ""),
        ("IfcFlowInstrument", Sensor, "Sensor"),
        ("IfcFlowMeter", Meter, "Meter"),
        ("IfcFlowMovingDevice", Machine, "Equipment"),
        ("IfcFlowSegment", Passage, ""),
        ("IfcFlowStorageDevice", Machine, "Tank"),
        ("IfcFlowTerminal", Terminal, "Equipment"),
        ("IfcFlowTreatmentDevice", InLine, "Equipment"),
        ("IfcHeatExchanger", Machine, "Heat_Exchanger"),
        ("IfcHumidifier", Machine, "Humidifier"),
        ("IfcInterceptor", InLine, "Equipment"),
        ("IfcJunctionBox", Passage, ""),
        ("IfcLamp", Terminal, "Luminaire"),
        ("IfcLightFixture", Terminal, "Luminaire"),
        ("IfcLiquidTerminal", Terminal, "Equipment"),
        ("IfcMedicalDevice", Terminal, "Equipment"),
        ("IfcMobileTelecommunicationsAppliance", Terminal, "ICT_Equipment"),
        ("IfcMotorConnection", InLine, "Equipment"),
        ("IfcOutlet", Terminal, "Electrical_Equipment"),
        ("IfcPipeFitting", Passage, ""),
        ("IfcPipeSegment", Passage, ""),
        ("IfcProtectiveDevice", InLine, "Electrical_Equipment"),
        ("IfcProtectiveDeviceTrippingUnit", Controller, "Electrical_Equipment"),
        ("IfcPump", Machine, "Pump"),
        ("IfcSanitaryTerminal", Terminal, "Equipment"),
        ("IfcSensor", Sensor, "Sensor"),
        ("IfcSignal", Terminal, "Equipment"),
        ("IfcSolarDevice", Machine, "Equipment"),
        ("IfcSpaceHeater", Terminal, "Space_Heater"),
        ("IfcStackTerminal", Terminal, "Equipment"),
        ("IfcSwitchingDevice", InLine, "Switch"),
        ("IfcTank", Machine, "Tank"),
        ("IfcTransformer", Machine, "Transformer"),
        ("IfcTransportElement", Machine, "Equipment"),
        ("IfcTubeBundle", Machine, "Equipment"),
        ("IfcUnitaryControlElement", Controller, "Controller"),
        ("IfcUnitaryEquipment", Machine, "HVAC_Equipment"),
        ("IfcValve", InLine, "Valve"),
        ("IfcWasteTerminal", Terminal, "Equipment"),
    ]
};

/// Class and predefined type where Brick has a class of its own for them; in the order of the alphabet.
const PREDEFINED: &[(&str, &str, &str)] = &[
    ("IfcAirTerminalBox", "CONSTANTFLOW", "Constant_Air_Volume_Box"),
    ("IfcAirTerminalBox", "VARIABLEFLOWPRESSUREDEPENDANT", "VAV"),
    ("IfcAirTerminalBox", "VARIABLEFLOWPRESSUREINDEPENDANT", "VAV"),
    ("IfcAirTerminalBox", "VAVBOX", "VAV"),
    ("IfcChiller", "AIRCOOLED", "Air_Cooled_Chiller"),
    ("IfcChiller", "WATERCOOLED", "Water_Cooled_Chiller"),
    ("IfcCoil", "DXCOOLINGCOIL", "Direct_Expansion_Cooling_Coil"),
    ("IfcCoil", "ELECTRICHEATINGCOIL", "Heating_Coil"),
    ("IfcCoil", "GASHEATINGCOIL", "Heating_Coil"),
    ("IfcCoil", "STEAMHEATINGCOIL", "Heating_Coil"),
    ("IfcCoil", "WATERCOOLINGCOIL", "Chilled_Water_Coil"),
    ("IfcCoil", "WATERHEATINGCOIL", "Hot_Water_Coil"),
    ("IfcElectricDistributionBoard", "SWITCHBOARD", "Switchgear"),
    ("IfcElectricFlowStorageDevice", "BATTERY", "Battery"),
    ("IfcFlowMeter", "ELECTRICMETER", "Electrical_Meter"),
    ("IfcFlowMeter", "ENERGYMETER", "Thermal_Power_Meter"),
    ("IfcFlowMeter", "GASMETER", "Gas_Meter"),
    ("IfcFlowMeter", "WATERMETER", "Water_Meter"),
    ("IfcSensor", "CO2SENSOR", "CO2_Sensor"),
    ("IfcSensor", "CONDUCTANCESENSOR", "Conductivity_Sensor"),
    ("IfcSensor", "CONTACTSENSOR", "Contact_Sensor"),
    ("IfcSensor", "COSENSOR", "CO_Sensor"),
    ("IfcSensor", "FIRESENSOR", "Fire_Sensor"),
    ("IfcSensor", "FLOWSENSOR", "Flow_Sensor"),
    ("IfcSensor", "FROSTSENSOR", "Frost_Sensor"),
    ("IfcSensor", "GASSENSOR", "Gas_Sensor"),
    ("IfcSensor", "HUMIDITYSENSOR", "Humidity_Sensor"),
    ("IfcSensor", "LIGHTSENSOR", "Illuminance_Sensor"),
    ("IfcSensor", "MOVEMENTSENSOR", "Motion_Sensor"),
    ("IfcSensor", "OCCUPANCYSENSOR", "Occupancy_Sensor"),
    ("IfcSensor", "PRESSURESENSOR", "Pressure_Sensor"),
    ("IfcSensor", "TEMPERATURESENSOR", "Temperature_Sensor"),
    ("IfcSensor", "WINDSENSOR", "Wind_Speed_Sensor"),
    ("IfcSolarDevice", "SOLARCOLLECTOR", "Solar_Thermal_Collector"),
    ("IfcSolarDevice", "SOLARPANEL", "PV_Panel"),
    ("IfcSpaceHeater", "RADIATOR", "Radiator"),
    ("IfcSwitchingDevice", "SWITCHDISCONNECTOR", "Disconnect_Switch"),
    ("IfcTank", "STORAGE", "Storage_Tank"),
    ("IfcTransportElement", "ELEVATOR", "Elevator"),
    ("IfcUnitaryEquipment", "AIRCONDITIONINGUNIT", "HVAC_Equipment"),
    ("IfcUnitaryEquipment", "AIRHANDLER", "AHU"),
    ("IfcUnitaryEquipment", "DEHUMIDIFIER", "HVAC_Equipment"),
    ("IfcUnitaryEquipment", "ROOFTOPUNIT", "RTU"),
    ("IfcValve", "CHECK", "Check_Valve"),
    ("IfcValve", "GASCOCK", "Gas_Valve"),
    ("IfcValve", "GASTAP", "Gas_Valve"),
    ("IfcValve", "ISOLATING", "Isolation_Valve"),
    ("IfcValve", "SAFETYCUTOFF", "Pressure_Relief_Valve"),
];

/// Predefined type of a system and its Brick class; in the order of the alphabet.
const SYSTEMS: &[(&str, &str)] = &[
    ("AIRCONDITIONING", "Air_System"),
    ("CHILLEDWATER", "Chilled_Water_System"),
    ("CONDENSERWATER", "Condenser_Water_System"),
    ("DOMESTICCOLDWATER", "Water_System"),
    ("DOMESTICHOTWATER", "Domestic_Hot_Water_System"),
    ("ELECTRICAL", "Electrical_System"),
    ("EXHAUST", "Ventilation_Air_System"),
    ("FIREPROTECTION", "Fire_Safety_System"),
    ("GAS", "Gas_System"),
    ("HEATING", "Hot_Water_System"),
    ("LIGHTING", "Lighting_System"),
    ("POWERGENERATION", "Energy_Generation_System"),
    ("REFRIGERATION", "Refrigeration_System"),
    ("VENTILATION", "Ventilation_Air_System"),
    ("WATERSUPPLY", "Water_System"),
];

/// The part that an IFC class plays; its spelling is the schema's.
pub fn role(class: &str) -> Role {
    let found = CLASSES.binary_search_by(|(c, _, _)| (*c).cmp(class)).ok().and_then(|i| CLASSES.get(i));
    found.map_or(Role::Other, |(_, role, _)| *role)
}

/// The Brick class of an element, without its prefix; `Equipment` where Brick has none of its own.
pub fn brick_of_element(element: &Element) -> &'static str {
    if element.class == "IfcSpace" {
        return match element.predefined_type.as_str() {
            "EXTERNAL" => "Outdoor_Area",
            "PARKING" => "Parking_Level",
            _ => "Room",
        };
    }
    let pair = (element.class.as_str(), element.predefined_type.as_str());
    if let Some((_, _, brick)) = PREDEFINED.iter().find(|(c, p, _)| (*c, *p) == pair) {
        return brick;
    }
    let found = CLASSES.binary_search_by(|(c, _, _)| (*c).cmp(&element.class)).ok().and_then(|i| CLASSES.get(i));
    found.map(|(_, _, brick)| *brick).filter(|b| !b.is_empty()).unwrap_or("Equipment")
}

/// True when Brick takes an element for a point (a sensor) and not for equipment.
pub fn is_brick_point(element: &Element) -> bool {
    role(&element.class) == Role::Sensor
}

/// The Brick class of a site, building or facility.
pub fn brick_of_place(class: &str) -> &'static str {
    match class {
        "IfcSite" => "Site",
        "IfcBuilding" => "Building",
        _ => "Location",
    }
}

/// The Brick class of a zone, by what people call it.
pub fn brick_of_zone(zone: &Group) -> &'static str {
    let words = format!("{} {}", zone.name, zone.predefined_type).to_lowercase();
    let says = |any: &[&str]| any.iter().any(|w| words.contains(w));
    if says(&["fire", "smoke", "brand"]) {
        "Fire_Zone"
    } else if says(&["light"]) {
        "Lighting_Zone"
    } else if says(&["hvac", "thermal", "climate", "air handling", "ahu", "vav"]) {
        "HVAC_Zone"
    } else {
        "Zone"
    }
}

/// The Brick class of a system.
pub fn brick_of_system(system: &Group) -> &'static str {
    let found = SYSTEMS.binary_search_by(|(p, _)| (*p).cmp(&system.predefined_type)).ok();
    found.and_then(|i| SYSTEMS.get(i)).map_or("System", |(_, brick)| brick)
}

/// The Brick class of a project's point, by its role and unit.
pub fn brick_of_point(point: &Point) -> &'static str {
    let role = point.role.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|w| role.contains(w));
    let unit = point.unit.code;
    let temperature = matches!(unit, "Cel" | "K" | "[degF]");
    if says(&["setpoint", "set_point"]) {
        return if temperature { "Temperature_Setpoint" } else { "Setpoint" };
    }
    if says(&["command", "_cmd"]) {
        return "Command";
    }
    if says(&["status", "state", "running", "enabled", "mode"]) {
        return "Status";
    }
    if says(&["alarm", "fault"]) {
        return "Alarm";
    }
    if matches!(point.source, PointSource::Rule { .. }) {
        return "Point";
    }
    let humidity = says(&["humidity"]);
    match unit {
        _ if temperature => "Temperature_Sensor",
        "[ppm]" => "CO2_Sensor",
        "Pa" | "hPa" | "kPa" | "bar" | "[psi]" | "[in_i'H2O]" => "Pressure_Sensor",
        "m3/s" | "m3/h" | "L/s" | "L/min" | "[cft_i]/min" | "[gal_us]/min" | "kg/s" | "kg/h" => "Flow_Sensor",
        "W" | "kW" | "MW" => "Power_Sensor",
        "J" | "W.h" | "kW.h" | "MW.h" => "Energy_Sensor",
        "m/s" => "Speed_Sensor",
        "Hz" => "Frequency_Sensor",
        "V" => "Voltage_Sensor",
        "A" => "Current_Sensor",
        "lx" => "Illuminance_Sensor",
        "%" if humidity => "Humidity_Sensor",
        "%" if says(&["position"]) => "Position_Sensor",
        _ => "Point",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order_so_that_they_are_searched_rightly() {
        assert!(CLASSES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(SYSTEMS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(PREDEFINED.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
        for (class, predefined, _) in PREDEFINED {
            assert!(role(class).is_equipment(), "{class} {predefined}");
        }
    }

    #[test]
    fn classes_and_what_brick_calls_them() {
        let brick = |class: &str, predefined: &str| {
            brick_of_element(&Element { class: class.into(), predefined_type: predefined.into(), ..Element::default() })
        };
        for (class, predefined, expected) in [
            ("IfcPump", "CIRCULATOR", "Pump"),
            ("IfcUnitaryEquipment", "AIRHANDLER", "AHU"),
            ("IfcUnitaryEquipment", "", "HVAC_Equipment"),
            ("IfcAirTerminalBox", "VARIABLEFLOWPRESSUREDEPENDANT", "VAV"),
            ("IfcSensor", "TEMPERATURESENSOR", "Temperature_Sensor"),
            ("IfcSensor", "", "Sensor"),
            ("IfcSpace", "INTERNAL", "Room"),
            ("IfcDoor", "", "Equipment"),
        ] {
            assert_eq!(brick(class, predefined), expected, "{class} {predefined}");
        }
        assert_eq!(role("IfcPipeSegment"), Role::Passage);
        assert_eq!(role("IfcWall"), Role::Other);
        assert!(!role("").is_equipment() && role("IfcValve").is_equipment());
    }
}
