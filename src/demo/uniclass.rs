//! How the Uniclass 2015 tables call what the services model has.

/// Code and title of a class.
pub(super) fn uniclass(class: &str) -> (&'static str, &'static str) {
    match class {
        "IfcDuctSegment" => ("Pr_65_65_25", "Ductwork and fittings"),
        "IfcDuctFitting" => ("Pr_65_65_25_27", "Duct fittings"),
        "IfcPipeSegment" => ("Pr_65_52_63", "Pipes and tubes"),
        "IfcPipeFitting" => ("Pr_65_52_61", "Pipe fittings"),
        "IfcValve" => ("Pr_65_54_95", "Valves"),
        "IfcDamper" => ("Pr_65_57_22", "Dampers"),
        "IfcAirTerminal" => ("Pr_70_65_04", "Air terminals and diffusers"),
        "IfcAirTerminalBox" => ("Pr_70_65_03_94", "Variable air volume terminal units"),
        "IfcUnitaryEquipment" => ("Pr_70_65_03", "Air handling units"),
        "IfcCoil" => ("Pr_70_60_36", "Heating and cooling coils"),
        "IfcFan" => ("Pr_65_67_29", "Fans"),
        "IfcFilter" => ("Pr_65_57_03", "Air filters"),
        "IfcDuctSilencer" => ("Pr_65_57_80", "Duct silencers"),
        "IfcChiller" => ("Pr_60_60_13", "Chillers"),
        "IfcBoiler" => ("Pr_60_60_08", "Boilers"),
        "IfcCoolingTower" => ("Pr_60_60_18", "Cooling towers"),
        "IfcPump" => ("Pr_65_53_86", "Pumps"),
        "IfcTank" => ("Pr_60_50_85", "Tanks and vessels"),
        "IfcSpaceHeater" => ("Pr_70_60_36_73", "Radiators"),
        "IfcFlowMeter" => ("Pr_80_51_30", "Meters"),
        "IfcSensor" => ("Pr_75_51_76", "Sensors and detectors"),
        "IfcActuator" => ("Pr_75_51_01", "Actuators"),
        "IfcController" => ("Pr_75_51_11", "Controllers"),
        "IfcElectricDistributionBoard" => ("Pr_60_70_22", "Distribution boards"),
        "IfcLightFixture" => ("Pr_70_70_48", "Luminaires"),
        "IfcOutlet" => ("Pr_65_72_25", "Electrical outlets"),
        _ => ("Pr_65", "Services and process distribution products"),
    }
}
