//! The project file, `twin.toml`: which models and layers, where the broker is, what is bound to what.

mod assumptions;
pub(crate) mod broker;
mod edit;
mod history;
mod joins;
mod load;
mod mapping;
mod naming;
mod payloads;
mod place;
mod rebind;
mod registry;
mod replace;
pub(crate) mod sheet;
mod template;
#[cfg(test)]
mod testing;
mod views;

use super::infer::Joining;
use super::point::{Check, Watching};
use super::unit::Unit;
use crate::problem::Problem;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub use assumptions::{ASSUMED, AssumptionOverride};
pub(crate) use broker::is_loopback;
pub use history::{HistorySettings, HistoryStore, KeepDays, PointClass};
pub(crate) use joins::element_called;
pub use joins::{JoinDecision, Saved, name_in_decision, save_join};
pub use load::load;
pub use mapping::{FoundBinding, MappingSettings, TopicRule, save_bindings};
pub use naming::NamingRule;
pub use payloads::{KeyFrom, Path as PayloadPath, PayloadShape, Sparkplug, Step};
pub use place::{Move, place_file, place_model};
pub use rebind::{Amendments, Rebind};
pub use registry::RegistryFile;
pub use views::{COLOURINGS, SavedView, save_view};

/// A project as its `twin.toml` states it, with paths made absolute and numbers in SI.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The folder that holds `twin.toml`.
    pub folder: PathBuf,
    /// The project file itself.
    pub file: PathBuf,
    /// The name people use.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Where the project's own frame lies on the map; none: the first model's own origin.
    pub origin: Option<Origin>,
    /// Building models.
    pub models: Vec<ModelFile>,
    /// Map layers.
    pub layers: Vec<LayerFile>,
    /// Tables of assets that are joined to the models.
    pub registries: Vec<RegistryFile>,
    /// Where samples come from.
    pub broker: Broker,
    /// What the wire may bring.
    pub ingest: Ingest,
    /// The topic of the clock that the twin follows; none: this machine's clock.
    pub clock_topic: Option<String>,
    /// What a kind of equipment measures.
    pub templates: Vec<Template>,
    /// Topics joined to points.
    pub bindings: Vec<Binding>,
    /// Elements that are known by something else than what their model says.
    pub rebinds: Vec<Rebind>,
    /// Views that people saved.
    pub views: Vec<SavedView>,
    /// How ends without ports are joined.
    pub joining: Joining,
    /// Which joints people accepted, rejected or made.
    pub joins: Vec<JoinDecision>,
    /// What the engineer states of elements in flow networks, in place of defaults and of the model.
    pub assumptions: Vec<AssumptionOverride>,
    /// Where samples are kept.
    pub history: HistorySettings,
    /// How long history is kept.
    pub retention: Retention,
    /// How much of what was read before is kept beside the project.
    pub cache: CacheBounds,
    /// How the elements of a class are called.
    pub naming: Vec<NamingRule>,
    /// What helps to find the points of topics.
    pub mapping: MappingSettings,
    /// How topics are named.
    pub naming_rules: Vec<TopicRule>,
}

/// The project origin: map coordinates that every model and layer is moved by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// `EPSG:2056`.
    pub crs: String,
    /// Easting, northing and height, metres.
    pub position_m: [f64; 3],
}

/// A building model of the project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelFile {
    /// Absolute path.
    pub file: PathBuf,
    /// `architecture`, `mep`, `structure`, …: free text, shown in the tree.
    pub discipline: String,
    /// By hand: where the model's origin lies in the project's frame, metres. Replaces its map conversion.
    pub offset_m: Option<[f64; 3]>,
    /// By hand: how far the model is turned, counter-clockwise, degrees. Replaces its map conversion.
    pub rotation_deg: Option<f64>,
    /// Line of its `file` in `twin.toml`.
    pub line: usize,
}

/// A map layer of the project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerFile {
    /// Absolute path.
    pub file: PathBuf,
    /// Line of its `file` in `twin.toml`.
    pub line: usize,
}

/// Where samples come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    /// The broker, embedded or at an address.
    pub url: BrokerUrl,
    /// User name; none: no login.
    pub user: Option<String>,
    /// Where the password is found; it never stands in the project file.
    pub password: Option<Secret>,
    /// PEM file with the certificate authority; none: the system's.
    pub ca: Option<PathBuf>,
    /// PEM file with the client's certificate chain.
    pub cert: Option<PathBuf>,
    /// PEM file with the client's private key.
    pub key: Option<PathBuf>,
    /// MQTT client id; none: made from the project's name.
    pub client_id: Option<String>,
    /// Topic filters.
    pub subscribe: Vec<String>,
    /// Keep-alive, seconds.
    pub keep_alive_s: u16,
    /// Plain text to another machine is accepted: the network itself is trusted.
    pub allow_insecure: bool,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            url: BrokerUrl::Embedded { port: 0 },
            user: None,
            password: None,
            ca: None,
            cert: None,
            key: None,
            client_id: None,
            subscribe: vec!["#".into()],
            keep_alive_s: 10,
            allow_insecure: false,
        }
    }
}

/// A broker's address.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerUrl {
    /// Inside Plenum, on loopback; port 0 is any free one.
    Embedded {
        /// TCP port.
        port: u16,
    },
    /// Somewhere else; without TLS on loopback only.
    Remote {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// `mqtts://`.
        tls: bool,
    },
}

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq)]
pub enum Secret {
    /// In an environment variable.
    Environment(String),
    /// In a file, its last line break left out.
    File(PathBuf),
}

impl Secret {
    /// Reads it.
    ///
    /// # Errors
    /// The variable is not set, or the file cannot be read. The secret stands in no message.
    pub fn read(&self) -> Result<String, Problem> {
        match self {
            Self::Environment(name) => std::env::var(name).map_err(|_| {
                let message = format!("the environment variable {name} is not set, or is no text");
                Problem::error("[broker]", message, "set it to the password")
            }),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| {
                    Problem::error(path.display().to_string(), format!("cannot be read: {e}"), "check path and rights")
                })?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
        }
    }
}

/// What the wire may bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingest {
    /// Larger payloads are refused, bytes.
    pub max_payload_bytes: usize,
    /// A device time further ahead of the twin's clock is replaced by the arrival time, seconds.
    pub max_future_s: f64,
    /// Samples that may wait for a twin that is behind, some 50 bytes each.
    pub queue: usize,
    /// Where values stand in payloads of other shapes than Plenum's own; the first whose topics fit counts.
    pub payloads: Vec<PayloadShape>,
    /// Sparkplug B, where the project listens to it.
    pub sparkplug: Option<Sparkplug>,
    /// The broker keeps what comes while the connection is away; false for those who only look.
    pub keep_session: bool,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            max_payload_bytes: 262_144,
            max_future_s: 300.0,
            queue: 1_000_000,
            payloads: Vec::new(),
            sparkplug: None,
            keep_session: true,
        }
    }
}

/// What a kind of equipment measures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// Its name in `twin.toml`.
    pub name: String,
    /// What it is.
    pub description: String,
    /// IFC class of the elements it is for; empty: only those bound by hand.
    pub class: String,
    /// Predefined type, when only some of the class.
    pub predefined_type: Option<String>,
    /// Tag with `*` as wildcard, when only some of the class.
    pub tag: Option<String>,
    /// Measured and computed points.
    pub points: Vec<PointTemplate>,
    /// Roles that a panel shows first.
    pub panel: Vec<String>,
    /// Line in `twin.toml`.
    pub line: usize,
}

/// One point of a template; numbers are SI.
#[derive(Clone, Debug, PartialEq)]
pub struct PointTemplate {
    /// `supply_temperature`.
    pub role: String,
    /// What people read.
    pub name: String,
    /// On the wire and on the screen.
    pub unit: Unit,
    /// Values outside are out of range; SI.
    pub expected: Option<[f64; 2]>,
    /// How often the device reports, seconds.
    pub period_s: f64,
    /// Silence after which it is stale, seconds.
    pub stale_after_s: f64,
    /// Limits; SI.
    pub check: Option<Check>,
    /// For a rule: what it computes; none for a measured point.
    pub expression: Option<String>,
    /// What to do when the check fails.
    pub remedy: String,
    /// What its samples should be like, over what follows from its unit and role; SI.
    pub watch: Watching,
    /// Line in `twin.toml`.
    pub line: usize,
}

/// Topics joined to points.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// For every element that the named templates match: `{tag}`, `{id}`, `{name}`, `{template}` stand
    /// for the element's own, `{role}` for the point's; without `{role}` the payload's keys are the roles.
    Rule {
        /// Names of templates.
        templates: Vec<String>,
        /// `clinic/{template}/{tag}`.
        topic: String,
        /// The payload's key of a point, with the same placeholders; none: the role, or nothing (`{ts, v}`)
        /// where the topic has `{role}`.
        key: Option<String>,
        /// Line in `twin.toml`.
        line: usize,
    },
    /// One point of one element.
    Point {
        /// Tag or GlobalId of the element.
        asset: String,
        /// The role; its template's point when there is one.
        point: Box<PointTemplate>,
        /// The whole topic.
        topic: String,
        /// The payload's key; empty for `{ts, v}`.
        key: String,
        /// Line in `twin.toml`.
        line: usize,
    },
}

/// How long history is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retention {
    /// For points of no class.
    pub usual: KeepDays,
    /// By the name of the class.
    pub classes: BTreeMap<String, PointClass>,
}

/// How much a folder with what was read before may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheBounds {
    /// Bytes, of all scenes together.
    pub max_bytes: u64,
    /// Scenes: one for each version of each file.
    pub max_scenes: usize,
}

impl Default for CacheBounds {
    fn default() -> Self {
        Self { max_bytes: 2_000_000_000, max_scenes: 200 }
    }
}
