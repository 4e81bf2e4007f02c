//! What is expected of an element of a class, in IFC2X3, IFC4 and IFC4X3.

/// What an element is in a building's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Pipes, ducts, cables and their fittings.
    Run,
    /// Where a medium leaves the system: diffusers, radiators, lamps, basins.
    Terminal,
    /// Machines, valves, dampers, tanks, filters, boards.
    Equipment,
    /// Sensors, actuators, controllers.
    Control,
}

/// What an element of a class is in a building's services; none for everything else.
pub(super) fn service(class: &str) -> Option<Service> {
    let name = class.strip_prefix("Ifc")?;
    Some(match name {
        "PipeSegment"
        | "DuctSegment"
        | "CableSegment"
        | "CableCarrierSegment"
        | "ConveyorSegment"
        | "FlowSegment"
        | "PipeFitting"
        | "DuctFitting"
        | "CableFitting"
        | "CableCarrierFitting"
        | "JunctionBox"
        | "FlowFitting" => Service::Run,
        "AirTerminal"
        | "AudioVisualAppliance"
        | "CommunicationsAppliance"
        | "ElectricAppliance"
        | "FireSuppressionTerminal"
        | "Lamp"
        | "LightFixture"
        | "LiquidTerminal"
        | "MedicalDevice"
        | "MobileTelecommunicationsAppliance"
        | "Outlet"
        | "SanitaryTerminal"
        | "Signal"
        | "SpaceHeater"
        | "StackTerminal"
        | "WasteTerminal"
        | "FlowTerminal" => Service::Terminal,
        "AirTerminalBox"
        | "Damper"
        | "ElectricDistributionBoard"
        | "ElectricDistributionPoint"
        | "ElectricTimeControl"
        | "DistributionBoard"
        | "FlowMeter"
        | "ProtectiveDevice"
        | "SwitchingDevice"
        | "Valve"
        | "FlowController"
        | "Compressor"
        | "Fan"
        | "Pump"
        | "FlowMovingDevice"
        | "ElectricFlowStorageDevice"
        | "Tank"
        | "FlowStorageDevice"
        | "DuctSilencer"
        | "Filter"
        | "Interceptor"
        | "ElectricFlowTreatmentDevice"
        | "FlowTreatmentDevice"
        | "AirToAirHeatRecovery"
        | "Boiler"
        | "Burner"
        | "Chiller"
        | "Coil"
        | "Condenser"
        | "CooledBeam"
        | "CoolingTower"
        | "ElectricGenerator"
        | "ElectricMotor"
        | "Engine"
        | "EvaporativeCooler"
        | "Evaporator"
        | "HeatExchanger"
        | "Humidifier"
        | "MotorConnection"
        | "SolarDevice"
        | "Transformer"
        | "TubeBundle"
        | "UnitaryEquipment"
        | "EnergyConversionDevice" => Service::Equipment,
        "Sensor"
        | "Actuator"
        | "Controller"
        | "Alarm"
        | "FlowInstrument"
        | "ProtectiveDeviceTrippingUnit"
        | "UnitaryControlElement"
        | "DistributionControlElement" => Service::Control,
        _ => return None,
    })
}

/// Machines that a facility engineer wants to hear from.
pub(super) fn is_machine(class: &str) -> bool {
    matches!(
        class,
        "IfcAirTerminalBox"
            | "IfcBoiler"
            | "IfcChiller"
            | "IfcCompressor"
            | "IfcCoolingTower"
            | "IfcElectricGenerator"
            | "IfcFan"
            | "IfcPump"
            | "IfcTransformer"
            | "IfcUnitaryEquipment"
    )
}

/// False for what is outdoors or nowhere: ground, roads, rails, virtual boundaries.
pub(super) fn expects_storey(class: &str) -> bool {
    !matches!(
        class.strip_prefix("Ifc").unwrap_or(class),
        "GeographicElement"
            | "CivilElement"
            | "VirtualElement"
            | "EarthworksElement"
            | "EarthworksCut"
            | "EarthworksFill"
            | "ReinforcedSoil"
            | "GeotechnicalElement"
            | "Borehole"
            | "Geomodel"
            | "Geoslice"
            | "GeotechnicalStratum"
            | "Course"
            | "Pavement"
            | "Kerb"
            | "Rail"
            | "TrackElement"
            | "MooringDevice"
            | "NavigationElement"
            | "Sign"
    )
}

/// True for what stands in a room and serves the people in it.
pub(super) fn expects_space(class: &str) -> bool {
    let furniture = matches!(class, "IfcFurniture" | "IfcFurnishingElement" | "IfcSystemFurnitureElement");
    // Stacks end above the roof.
    furniture || (service(class) == Some(Service::Terminal) && !matches!(class, "IfcStackTerminal" | "IfcSignal"))
}

/// False for what has none by its nature, and for what is only a frame for others.
pub(super) fn expects_type(class: &str) -> bool {
    !matches!(class, "IfcVirtualElement" | "IfcElementAssembly" | "IfcGeographicElement" | "IfcCivilElement")
        && !class.starts_with("IfcGeo")
        && !class.starts_with("IfcEarthworks")
}

/// The quantity set that an element of a class should have; none where a facility engineer needs none.
pub(super) fn quantity_set(class: &str) -> Option<&'static str> {
    Some(match class {
        "IfcWall" | "IfcWallStandardCase" | "IfcWallElementedCase" => "Qto_WallBaseQuantities",
        "IfcSlab" | "IfcSlabStandardCase" | "IfcSlabElementedCase" => "Qto_SlabBaseQuantities",
        "IfcBeam" | "IfcBeamStandardCase" => "Qto_BeamBaseQuantities",
        "IfcColumn" | "IfcColumnStandardCase" => "Qto_ColumnBaseQuantities",
        "IfcDoor" | "IfcDoorStandardCase" => "Qto_DoorBaseQuantities",
        "IfcWindow" | "IfcWindowStandardCase" => "Qto_WindowBaseQuantities",
        "IfcCovering" => "Qto_CoveringBaseQuantities",
        "IfcCurtainWall" => "Qto_CurtainWallQuantities",
        "IfcRoof" => "Qto_RoofBaseQuantities",
        "IfcMember" | "IfcMemberStandardCase" => "Qto_MemberBaseQuantities",
        "IfcPlate" | "IfcPlateStandardCase" => "Qto_PlateBaseQuantities",
        "IfcFooting" => "Qto_FootingBaseQuantities",
        "IfcPile" => "Qto_PileBaseQuantities",
        "IfcRailing" => "Qto_RailingBaseQuantities",
        "IfcStairFlight" => "Qto_StairFlightBaseQuantities",
        "IfcRampFlight" => "Qto_RampFlightBaseQuantities",
        "IfcSpace" => "Qto_SpaceBaseQuantities",
        "IfcPipeSegment" => "Qto_PipeSegmentBaseQuantities",
        "IfcDuctSegment" => "Qto_DuctSegmentBaseQuantities",
        "IfcCableSegment" => "Qto_CableSegmentBaseQuantities",
        "IfcCableCarrierSegment" => "Qto_CableCarrierSegmentBaseQuantities",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected() {
        assert_eq!(service("IfcPump"), Some(Service::Equipment));
        assert_eq!(service("IfcFlowSegment"), Some(Service::Run));
        assert_eq!((service("IfcWall"), service("Pump")), (None, None));
        assert!(expects_space("IfcSpaceHeater") && !expects_space("IfcPump") && !expects_space("IfcStackTerminal"));
        assert!(expects_storey("IfcWall") && !expects_storey("IfcGeographicElement"));
        assert!(quantity_set("IfcSpace").is_some() && quantity_set("IfcPump").is_none());
        assert!(["IfcPump", "IfcFan"].iter().all(|c| is_machine(c) && service(c) == Some(Service::Equipment)));
    }
}
