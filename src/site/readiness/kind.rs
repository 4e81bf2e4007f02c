//! What a finding can be about.

use crate::problem::Severity;

/// What a finding is about, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The import could not read something, or had to guess.
    Import,
    /// Two elements with one GlobalId.
    DuplicateId,
    /// A body from which no triangle could be made.
    NoGeometry,
    /// Shown without its openings.
    WithoutOpenings,
    /// An element that belongs to no storey.
    NoStorey,
    /// Something that stands in a room, and is in none.
    NoSpace,
    /// An element without a type.
    NoType,
    /// An element whose class says nothing (`IfcBuildingElementProxy`).
    Proxy,
    /// Equipment, a pipe or a duct that belongs to no system.
    NoSystem,
    /// The same without a port.
    NoPort,
    /// A port that nothing is joined to.
    OpenPort,
    /// An element without the quantities that its class should have.
    NoQuantities,
    /// Equipment without a tag.
    NoTag,
    /// Two elements with one tag.
    DuplicateTag,
    /// A name against the project's naming standard.
    Naming,
    /// A space that belongs to no zone.
    NoZone,
    /// A model that does not say where on the map it lies.
    NoGeoreference,
    /// A point that is bound to an element that is not there.
    PointWithoutElement,
    /// Equipment that no point tells of.
    EquipmentWithoutPoint,
    /// A point of which nothing came.
    Silent,
    /// A point that was short of usable values for a part of the time.
    Gaps,
    /// A point with bad samples.
    BadSamples,
    /// A point that said the same for too long.
    FlatLine,
    /// A point that moves away from its neighbours.
    Drifts,
    /// A point that moves away from what the twin simulates.
    Departs,
    /// A point whose samples come late.
    Late,
    /// A point whose device's clock is ahead.
    ClockAhead,
    /// What an IDS demands and the model has not.
    Ids,
}

impl Kind {
    /// Those that are about the data of points.
    pub const DATA: [Self; 8] = [
        Self::Silent,
        Self::Gaps,
        Self::BadSamples,
        Self::FlatLine,
        Self::Drifts,
        Self::Departs,
        Self::Late,
        Self::ClockAhead,
    ];

    /// For machines: `no-storey`.
    pub fn id(self) -> &'static str {
        self.words().0
    }

    /// For people: `Elements without a storey`.
    pub fn title(self) -> &'static str {
        self.words().1
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        self.words().2
    }

    /// What it counts in its score; 0: it is told, and not counted.
    pub fn weight(self) -> f64 {
        match self {
            Self::DuplicateId | Self::NoGeometry | Self::NoStorey | Self::NoSystem => 10.0,
            Self::NoTag | Self::DuplicateTag => 10.0,
            Self::PointWithoutElement | Self::EquipmentWithoutPoint => 10.0,
            Self::Silent | Self::BadSamples => 10.0,
            Self::Ids => 0.0,
            _ => 5.0,
        }
    }

    /// Counts for the mapping's score, not for the model's.
    pub fn is_mapping(self) -> bool {
        matches!(self, Self::PointWithoutElement | Self::EquipmentWithoutPoint)
    }

    /// Counts for the score of the data, not for the model's.
    pub fn is_data(self) -> bool {
        Self::DATA.contains(&self)
    }

    /// How much one of it matters.
    pub fn severity(self) -> Severity {
        match self {
            Self::DuplicateId | Self::PointWithoutElement | Self::Silent => Severity::Error,
            _ => Severity::Warning,
        }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Import => ("import", "Problems of the import", ""),
            Self::DuplicateId => (
                "duplicate-id",
                "GlobalIds used twice",
                "give every element a GlobalId of its own: sensors are bound by it",
            ),
            Self::NoGeometry => (
                "no-geometry",
                "Elements whose geometry failed",
                "repair it in the program that made it, or export it with tessellated geometry",
            ),
            Self::WithoutOpenings => (
                "without-openings",
                "Elements shown without their openings",
                "simplify these openings, or import with more time: plenum import --patience 120s",
            ),
            Self::NoStorey => {
                ("no-storey", "Elements without a storey", "assign it to a level in the program that made the model")
            }
            Self::NoSpace => (
                "no-space",
                "Room equipment in no space",
                "model the room around it, or contain it in its room: comfort and alarms are told by room",
            ),
            Self::NoType => {
                ("no-type", "Elements without a type", "assign a type: it carries maker, model and nominal values")
            }
            Self::Proxy => (
                "proxy",
                "Elements whose class says nothing",
                "export it as what it is (map the category to an IFC class)",
            ),
            Self::NoSystem => (
                "no-system",
                "Services in no system",
                "assign it to its system (IfcRelAssignsToGroup with an IfcDistributionSystem)",
            ),
            Self::NoPort => (
                "no-port",
                "Services without ports",
                "export ports (IfcDistributionPort): without them connections are guessed from geometry",
            ),
            Self::OpenPort => (
                "open-port",
                "Ports joined to nothing",
                "connect it in the program that made the model, or cap it where the run ends",
            ),
            Self::NoQuantities => {
                ("no-quantities", "Elements without quantities", "export base quantities with the model")
            }
            Self::NoTag => (
                "no-tag",
                "Equipment without a tag",
                "give it the mark that is on its plate: people and sensors find it by that",
            ),
            Self::DuplicateTag => (
                "duplicate-tag",
                "Tags used twice",
                "give every piece of equipment a tag of its own: a binding by tag reaches none of these",
            ),
            Self::Naming => (
                "naming",
                "Names against the naming standard",
                "rename it, or change the rule in [naming] of twin.toml",
            ),
            Self::NoZone => (
                "no-zone",
                "Spaces without a zone",
                "put the room into a zone (IfcZone): air and heat are controlled by zone",
            ),
            Self::NoGeoreference => (
                "no-georeference",
                "Models without a place on the map",
                "export with a map conversion, or give its [[models]] entry offset_m and rotation_deg",
            ),
            Self::PointWithoutElement => (
                "point-without-element",
                "Points of elements that are not there",
                "correct the asset of this binding, or remove it",
            ),
            Self::EquipmentWithoutPoint => (
                "equipment-without-point",
                "Equipment without points",
                "bind its points in [[bindings]]: without them it has no health",
            ),
            Self::Silent => {
                ("silent", "Points of which nothing came", "look at the binding, the device, the subscription")
            }
            Self::Gaps => {
                ("gaps", "Points with gaps", "look at the device and what is between; `plenum gateway` bridges outages")
            }
            Self::BadSamples => ("bad-samples", "Points with bad samples", "look at the sensor"),
            Self::FlatLine => ("flat-line", "Points that stand still", "look whether the sensor is dead or overridden"),
            Self::Drifts => {
                ("drifts", "Points that leave their neighbours", "calibrate the sensor, or look why its place differs")
            }
            Self::Departs => (
                "departs",
                "Points that leave what is simulated",
                "calibrate the sensor, or look what wears in the plant around it",
            ),
            Self::Late => {
                ("late", "Points that come late", "look for a device that sends in batches, and at its clock")
            }
            Self::ClockAhead => ("clock-ahead", "Points from the future", "set the clock of the device"),
            Self::Ids => ("ids", "Demands of the IDS not met", "see the specification"),
        }
    }
}
