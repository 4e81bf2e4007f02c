//! Which elements cables are led from and to, by their classes.

use super::Network;
use crate::site::graph::{Role, plain_class};
use crate::site::model::{Element, ElementKind};

/// What cables are led from: boards, and the stations of control and alarm systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hub {
    /// Motor control centre.
    MotorCentre,
    /// Distribution board, consumer unit.
    Board,
    /// Main switchboard.
    Main,
    /// Controller, control panel.
    Station,
    /// Alarm or fire detection panel.
    Panel,
}

/// What a cable is led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// Something that turns or burns.
    Motor,
    /// Light, socket, appliance, the supply of a controller.
    Circuit,
    /// A board that hangs on the main switchboard.
    SubBoard,
    /// A meter of electricity.
    Meter,
    /// Gives a signal to a controller.
    Sensor,
    /// Takes a command from a controller.
    Actuator,
    /// Fire detectors.
    Detector,
    /// Sounders and beacons.
    Sounder,
}

impl Load {
    /// The network that its cable belongs to.
    pub(super) fn network(self) -> Network {
        match self {
            Self::Motor | Self::Circuit | Self::SubBoard | Self::Meter => Network::Power,
            Self::Sensor | Self::Actuator => Network::Control,
            Self::Detector | Self::Sounder => Network::Alarm,
        }
    }

    /// True when power or signal leaves it towards the board or station.
    pub(super) fn gives(self) -> bool {
        matches!(self, Self::Meter | Self::Sensor | Self::Detector)
    }

    /// May it hang on this? Of several kinds in one place the one with the lowest number is meant.
    pub(super) fn on(self, hub: Hub) -> Option<u8> {
        match (self, hub) {
            (Self::Motor, Hub::MotorCentre) | (Self::SubBoard | Self::Meter, Hub::Main) => Some(0),
            (Self::Circuit | Self::Motor | Self::Meter, Hub::Board) => Some(1),
            (Self::Circuit | Self::Motor, Hub::Main) => Some(2),
            (Self::Sensor | Self::Actuator, Hub::Station) | (Self::Detector | Self::Sounder, Hub::Panel) => Some(0),
            _ => None,
        }
    }
}

impl Hub {
    /// What an element is a hub of.
    pub(super) fn of(element: &Element) -> Option<Self> {
        match (plain_class(element), element.predefined_type.as_str()) {
            // Frames and boards of telephone and data networks.
            ("DistributionBoard", "DISPATCHINGBOARD" | "DISTRIBUTIONFRAME") => None,
            ("ElectricDistributionBoard" | "DistributionBoard", "MOTORCONTROLCENTRE") => Some(Self::MotorCentre),
            ("ElectricDistributionBoard" | "DistributionBoard", "SWITCHBOARD") => Some(Self::Main),
            ("ElectricDistributionBoard" | "DistributionBoard" | "ElectricDistributionPoint", _) => Some(Self::Board),
            // A thermostat by another name.
            ("Controller", "TWOPOSITION" | "TIMEDTWOPOSITION") => None,
            ("Controller", _) if names_an_alarm(element) => Some(Self::Panel),
            ("Controller", _) | ("UnitaryControlElement", "CONTROLPANEL") => Some(Self::Station),
            ("UnitaryControlElement", "ALARMPANEL" | "FIREDETECTIONPANEL") => Some(Self::Panel),
            _ => None,
        }
    }

    /// The network that starts here.
    pub(super) fn network(self) -> Network {
        match self {
            Self::MotorCentre | Self::Board | Self::Main => Network::Power,
            Self::Station => Network::Control,
            Self::Panel => Network::Alarm,
        }
    }
}

/// IFC2X3 has no class for alarm panels: they are controllers, and only their names tell.
fn names_an_alarm(element: &Element) -> bool {
    let words = format!("{} {}", element.name, element.type_name).to_lowercase();
    ["fire", "alarm", "brandmeld"].iter().any(|w| words.contains(w))
}

/// What a board calls itself in a property of its own (`Panel Name`, as Revit writes it), whatever its class.
pub(super) fn panel_name(element: &Element) -> Option<&str> {
    named(element, &["Panel Name", "PanelName"])
}

/// The board that an element says it hangs on (`Panel`), whatever its class.
pub(super) fn panel(element: &Element) -> Option<&str> {
    named(element, &["Panel"])
}

fn named<'a>(element: &'a Element, names: &[&str]) -> Option<&'a str> {
    if element.kind != ElementKind::Element {
        return None;
    }
    let values = element.properties.iter().filter(|s| !s.quantities).flat_map(|s| &s.values);
    let mut called = values.filter(|(name, _)| names.iter().any(|n| n.eq_ignore_ascii_case(name)));
    called.find_map(|(_, value)| value.as_str().map(str::trim).filter(|text| !text.is_empty()))
}

/// What of an element a cable is led to; none for what has no cable, or one that its class does not tell.
pub(super) fn load(element: &Element) -> Option<Load> {
    if element.kind != ElementKind::Element {
        return None;
    }
    match Hub::of(element) {
        Some(Hub::MotorCentre | Hub::Board) => return Some(Load::SubBoard),
        Some(Hub::Station | Hub::Panel) => return Some(Load::Circuit),
        Some(Hub::Main) => return None,
        None => {}
    }
    Some(match (plain_class(element), element.predefined_type.as_str()) {
        ("FlowMeter", "ELECTRICMETER") => Load::Meter,
        ("Sensor", "FIRESENSOR" | "HEATSENSOR" | "SMOKESENSOR") => Load::Detector,
        // Access control has stations of its own.
        ("Sensor", "IDENTIFIERSENSOR") => return None,
        ("Controller", _)
        | ("Sensor", _)
        | ("UnitaryControlElement", "THERMOSTAT" | "HUMIDISTAT" | "WEATHERSTATION") => Load::Sensor,
        // Moved by hand, by wax, by air or oil: no cable.
        ("Actuator", "HANDOPERATEDACTUATOR" | "THERMOSTATICACTUATOR") => return None,
        ("Actuator", "PNEUMATICACTUATOR" | "HYDRAULICACTUATOR") => return None,
        ("Actuator", _) => Load::Actuator,
        ("Alarm", "MANUALPULLBOX" | "BREAKGLASSBUTTON") => Load::Detector,
        ("Alarm", _) => Load::Sounder,
        // Data and telephone sockets have no power.
        ("Outlet", "POWEROUTLET" | "NOTDEFINED" | "") => Load::Circuit,
        ("LightFixture" | "Lamp" | "ElectricAppliance" | "ElectricHeater" | "AudioVisualAppliance", _) => Load::Circuit,
        ("CommunicationsAppliance" | "MobileTelecommunicationsAppliance", _) => Load::Circuit,
        ("Fan" | "Pump" | "Compressor" | "ElectricMotor" | "UnitaryEquipment", _) => Load::Motor,
        ("Boiler" | "Burner" | "Chiller" | "CoolingTower" | "EvaporativeCooler", _) => Load::Motor,
        ("Coil", "ELECTRICHEATINGCOIL") => Load::Motor,
        ("TransportElement", "ELEVATOR" | "ESCALATOR" | "MOVINGWALKWAY" | "NOTDEFINED" | "") => Load::Motor,
        _ => return None,
    })
}

/// An air handling unit that is put together on site: each of its fans and pumps has a cable of its own. Packaged
/// machines have one for all that is in them.
pub(super) fn is_built_up(element: &Element) -> bool {
    let packaged = ["AIRCONDITIONINGUNIT", "DEHUMIDIFIER", "ROOFTOPUNIT", "SPLITSYSTEM"];
    plain_class(element) == "UnitaryEquipment" && !packaged.contains(&element.predefined_type.as_str())
}

/// True for a machine that a controller or board can be mounted on, and serve alone.
pub(super) fn is_machine(element: &Element) -> bool {
    matches!(Role::of_element(element), Some(Role::Equipment | Role::Inline | Role::Terminal))
}
