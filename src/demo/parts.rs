//! What the services model is made of while it is laid: frames, values, ports, pieces, open ends.

use super::body::{Look, Part, Section};
use glam::DVec3;

/// Where an element's own frame lies in the building's: origin, Z axis, X axis.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Origin.
    pub origin: DVec3,
    /// Z axis.
    pub z: DVec3,
    /// X axis.
    pub x: DVec3,
}

impl Frame {
    /// Upright at a place.
    pub fn at(x: f64, y: f64, z: f64) -> Self {
        Self { origin: DVec3::new(x, y, z), z: DVec3::Z, x: DVec3::X }
    }
    /// From the building's frame to this one.
    pub fn local(&self, p: DVec3) -> DVec3 {
        let d = p - self.origin;
        DVec3::new(d.dot(self.x), d.dot(self.z.cross(self.x)), d.dot(self.z))
    }
    /// From this frame to the building's.
    pub fn world(&self, p: DVec3) -> DVec3 {
        self.origin + self.turn(p)
    }
    /// A direction of this frame in the building's.
    pub fn turn(&self, d: DVec3) -> DVec3 {
        d.x * self.x + d.y * self.z.cross(self.x) + d.z * self.z
    }
}

/// A property's value with its IFC measure; lengths in metres.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `IfcReal`: a plain number in SI.
    Real(f64),
    /// `IfcLabel`
    Label(String),
    /// `IfcIdentifier`
    Identifier(String),
    /// `IfcBoolean`
    Bool(bool),
    /// `IfcInteger`
    Integer(i64),
    /// `IfcPositiveLengthMeasure`: metres here, the file's unit there.
    Length(f64),
    /// `IfcPressureMeasure`, Pa.
    Pressure(f64),
    /// `IfcPowerMeasure`, W.
    Power(f64),
    /// `IfcVolumetricFlowRateMeasure`, m³/s.
    Flow(f64),
    /// Quantity: length, m.
    QLength(f64),
    /// Quantity: area, m².
    QArea(f64),
    /// Quantity: volume, m³.
    QVolume(f64),
    /// Quantity: weight, kg.
    QWeight(f64),
}

/// A named set of properties, or of quantities when its name starts with `Qto_`.
pub type Set = (String, Vec<(&'static str, Value)>);

/// Which way a port's medium passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Out of the element.
    Source,
    /// Into the element.
    Sink,
    /// Either way.
    Both,
}

/// What runs through a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Water.
    Pipe,
    /// Air.
    Duct,
    /// Electricity and signals: ports without a place.
    Cable,
}

/// A distribution system.
#[derive(Clone, Debug)]
pub struct System {
    /// What people call it.
    pub name: String,
    /// `IfcDistributionSystemEnum`
    pub predefined: &'static str,
    /// What runs through it.
    pub domain: Domain,
    /// Its surface.
    pub look: Look,
}

/// A port.
#[derive(Clone, Debug)]
pub struct Port {
    /// Its element.
    pub item: usize,
    /// Unique within the element.
    pub name: String,
    /// Where, in the building's frame; none for cables.
    pub at: Option<DVec3>,
    /// Out of the element.
    pub dir: DVec3,
    /// Which way the medium passes.
    pub flow: Flow,
    /// Its system.
    pub system: usize,
}

/// One element of the services model.
#[derive(Clone, Debug)]
pub struct Item {
    /// `IfcDuctSegment`
    pub class: &'static str,
    /// Predefined type; `USERDEFINED` writes `object_type`.
    pub predefined: &'static str,
    /// Object type of a user-defined one; empty otherwise.
    pub object_type: &'static str,
    /// Name.
    pub name: String,
    /// Tag: unique.
    pub tag: String,
    /// Name of its type.
    pub kind: String,
    /// Storey, 4 is the roof.
    pub storey: usize,
    /// Its systems.
    pub systems: Vec<usize>,
    /// Where it is.
    pub frame: Frame,
    /// What it looks like.
    pub parts: Vec<Part>,
    /// Property and quantity sets.
    pub sets: Vec<Set>,
    /// The assembly it is part of.
    pub part_of: Option<usize>,
    /// The flow element that it measures or moves.
    pub host: Option<usize>,
    /// Material.
    pub material: &'static str,
}

/// An open port to lay on.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The port.
    pub port: usize,
    /// Where.
    pub pos: DVec3,
    /// The way on.
    pub dir: DVec3,
    /// Cross-section.
    pub section: Section,
    /// True when the medium comes towards us: a return or a suction line.
    pub against: bool,
    /// System.
    pub system: usize,
}

/// What to put on a run; `length` along it.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Class.
    pub class: &'static str,
    /// Predefined type.
    pub predefined: &'static str,
    /// Name.
    pub name: String,
    /// Tag.
    pub tag: String,
    /// Type.
    pub kind: String,
    /// Face to face, metres.
    pub length: f64,
    /// Parts with local Z along the run and local X up (or along X when the run is vertical).
    pub parts: Vec<Part>,
    /// Sets.
    pub sets: Vec<Set>,
}
