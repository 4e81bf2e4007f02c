//! Cables that no file draws: of which network they are, and why they are taken to be there.

use serde::Serialize;

/// A cable that no file draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cable {
    /// What it carries.
    pub network: Network,
    /// Why it is taken to be there; none where a person said so.
    pub by: Option<WiredBy>,
}

impl Cable {
    /// The reason in words: `the only controller of its storey`.
    pub fn words(self) -> String {
        let hub = match self.network {
            Network::Power => "board",
            Network::Control => "controller",
            Network::Alarm => "alarm panel",
        };
        match self.by {
            None => "decision in [[joins]]".to_owned(),
            Some(WiredBy::Stated) => format!("a property, registry or relation names the {hub}"),
            Some(WiredBy::Unit) => format!("the only {hub} of its machine"),
            Some(WiredBy::System) => format!("the only {hub} of its system"),
            Some(WiredBy::Tag) => format!("the only {hub} with the mark in its tag"),
            Some(WiredBy::Space) => format!("the only {hub} of its space"),
            Some(WiredBy::Zone) => format!("the only {hub} of its zone"),
            Some(WiredBy::Storey) => format!("the only {hub} of its storey"),
            Some(WiredBy::Building) => format!("the only {hub} of its building"),
        }
    }
}

/// What a cable carries, and so what it hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Electricity, from a board.
    Power,
    /// Readings and commands, to and from a controller.
    Control,
    /// Fire and other alarms, to and from their panel.
    Alarm,
}

impl Network {
    /// True where a signal runs, and no power.
    pub fn is_signal(self) -> bool {
        self != Self::Power
    }
}

/// Why a cable is taken to be there, the strongest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WiredBy {
    /// A property, a registry or a relation names the board or controller.
    Stated,
    /// It is the only one on the same machine.
    Unit,
    /// It is the only one in the same system.
    System,
    /// It is the only one with the same mark in its tag.
    Tag,
    /// It is the only one in the same space.
    Space,
    /// It is the only one in the same zone.
    Zone,
    /// It is the only one on the same storey.
    Storey,
    /// It is the only one in the same building.
    Building,
}

impl WiredBy {
    /// Every reason with its word in the project file, the strongest first.
    pub const ALL: [(&'static str, Self); 8] = [
        ("stated", Self::Stated),
        ("unit", Self::Unit),
        ("system", Self::System),
        ("tag", Self::Tag),
        ("space", Self::Space),
        ("zone", Self::Zone),
        ("storey", Self::Storey),
        ("building", Self::Building),
    ];

    /// The reason behind a word of the project file; none inside for `off`, none outside for any other word.
    pub fn limit(word: &str) -> Option<Option<Self>> {
        if word == "off" {
            return Some(None);
        }
        Self::ALL.iter().find(|(w, _)| *w == word).map(|(_, by)| Some(*by))
    }

    /// How sure a cable is for this reason alone, 0 to 1.
    pub fn confidence(self) -> f64 {
        match self {
            Self::Stated => 0.75,
            Self::Unit => 0.6,
            Self::System | Self::Tag => 0.55,
            Self::Space => 0.5,
            Self::Zone => 0.45,
            Self::Storey => 0.4,
            Self::Building => 0.35,
        }
    }
}
