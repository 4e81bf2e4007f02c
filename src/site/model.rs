//! What one file said: elements, their shapes, and how they hang together.

mod numbers;
pub(crate) mod properties;

pub use properties::{Properties, PropertySet, PropertyValue};

use super::assets::Relation;
use super::unit::FileUnits;
use crate::shape::ends::Outline;
use crate::shape::{Aabb, Details, Shape};
use glam::{DAffine3, DVec3};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// The dense number of an element in a [`super::Site`]: the one number that the ECS, the GPU's state
/// words and the BVH share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Slot(pub u32);

/// Everything one file said. Indices (`storey`, `space`, `systems`, …) point into this model's lists.
///
/// What serde writes of it is for [`crate::import::cache`], which keeps the skipped fields in tables of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Where it was read from.
    #[serde(skip)]
    pub file: PathBuf,
    /// The format: `ifc`, `ifczip`, `geojson`, …
    pub kind: String,
    /// The file's own schema, `IFC4` say; empty when the format has none.
    pub schema: String,
    /// Size of the file on disk, bytes.
    pub bytes: u64,
    /// Elements, spaces and map features, in the order of the file.
    pub elements: Vec<Element>,
    /// GlobalId of the file's `IfcProject`; empty when it has none.
    pub project_id: String,
    /// Sites, buildings and other facilities, in the order of the file.
    pub places: Vec<Place>,
    /// Storeys, in the order of the file.
    pub storeys: Vec<Storey>,
    /// Zones: groups of spaces.
    pub zones: Vec<Group>,
    /// Systems: groups of elements that do one job together.
    pub systems: Vec<Group>,
    /// Ports of the elements.
    pub connection_points: Vec<ConnectionPoint>,
    /// Pairs of connection points that are joined.
    pub connections: Vec<Connection>,
    /// Where the bodies of elements without ports end, as far as the file says it better than their triangles.
    pub ends: Vec<End>,
    /// What the file states of its things beyond what their own fields hold: what a system serves, what a
    /// controller is assigned to, what is nested in what.
    pub relations: Vec<Relation>,
    /// Meshes, shared by the elements that look alike.
    #[serde(skip)]
    pub shapes: Vec<Arc<Shape>>,
    /// Trees over the triangles of large shapes, by shape; empty until somebody makes them.
    #[serde(skip)]
    pub details: Details,
    /// How the file's own frame lies on the map.
    pub georeference: Option<Georeference>,
    /// The units in which the file states its properties and quantities.
    pub units: FileUnits,
    /// Elements drawn without their openings because cutting them did not end in time.
    pub without_openings: usize,
    /// True when something is missing only because time or memory ran out: another read may give more.
    pub cut_short: bool,
    /// How many of some records the file holds.
    pub totals: Totals,
}

/// How many of some records a file holds, used by an element or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Property sets.
    pub property_sets: usize,
    /// Quantity sets.
    pub quantities: usize,
    /// Materials.
    pub materials: usize,
    /// Rows of an asset registry that say something of an asset.
    #[serde(default)]
    pub rows: usize,
}

impl Model {
    /// The box around every element that has a shape, metres, Z up, in the file's own frame.
    pub fn bounds(&self) -> Option<Aabb> {
        self.elements.iter().filter(|e| e.kind != ElementKind::Space).filter_map(|e| e.bounds).reduce(Aabb::union)
    }

    /// To be called once a model is read: lets equal property sets be one, and gives back room that is not used.
    pub(crate) fn pack(&mut self) {
        properties::share(&mut self.elements);
        self.shrink();
    }

    /// Gives back the room that was made while reading and is not used.
    pub(crate) fn shrink(&mut self) {
        for element in &mut self.elements {
            element.properties.shrink_to_fit();
            element.systems.shrink_to_fit();
            for words in
                [&mut element.materials, &mut element.classification, &mut element.layers, &mut element.documents]
            {
                words.shrink_to_fit();
            }
        }
        self.elements.shrink_to_fit();
        self.connection_points.shrink_to_fit();
        self.connections.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.relations.shrink_to_fit();
        self.shapes.shrink_to_fit();
        self.zones.iter_mut().chain(&mut self.systems).for_each(|g| g.members.shrink_to_fit());
    }

    /// True for a table of assets: it says something of the elements of other files and has none of its own.
    pub fn is_registry(&self) -> bool {
        super::assets::REGISTRY_KINDS.contains(&self.kind.as_str())
    }

    /// Elements in the contract's sense: neither spaces nor annotations nor map features of an IFC file.
    pub fn counted(&self) -> impl Iterator<Item = &Element> {
        self.elements.iter().filter(|e| e.kind != ElementKind::Space)
    }
}

/// What sort of thing an [`Element`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElementKind {
    /// A building element or a piece of equipment (`IfcElement`).
    #[default]
    Element,
    /// A space: read, hidden at first, selectable and colourable.
    Space,
    /// A feature of a map layer.
    Feature,
}

/// One product of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// GlobalId, or the feature's id.
    pub id: String,
    /// The file's own class: `IfcDuctSegment`.
    pub class: String,
    /// Element, space or map feature.
    pub kind: ElementKind,
    /// The name people use.
    pub name: String,
    /// `Tag` of an IFC element: the mark on the equipment. Empty when there is none.
    pub tag: String,
    /// Free description.
    pub description: String,
    /// Name of its type; empty when it has none.
    pub type_name: String,
    /// `PredefinedType`, of the element or else of its type: `VAVBOX`. Empty when there is none.
    pub predefined_type: String,
    /// The class of its type, `IfcPipeSegmentType`; empty when it has none.
    pub type_class: String,
    /// Its storey, an index into [`Model::storeys`].
    pub storey: Option<u32>,
    /// The site, building or facility it stands in (nearest), an index into [`Model::places`].
    pub place: Option<u32>,
    /// The space it stands in, an index into [`Model::elements`].
    pub space: Option<u32>,
    /// True where the file itself puts it into that space; else the space was found by id or by place.
    pub space_stated: bool,
    /// True when it stands on the site, outside of every building.
    pub outdoors: bool,
    /// Its systems, indices into [`Model::systems`].
    pub systems: Vec<u32>,
    /// The element it is a part of (`IfcRelAggregates`), an index into [`Model::elements`].
    pub part_of: Option<u32>,
    /// The flow element that this sensor, actuator or controller serves
    /// (`IfcRelFlowControlElements`), an index into [`Model::elements`].
    pub host: Option<u32>,
    /// Property sets and quantity sets, its own first, then its type's. Elements that have one in common share it.
    #[serde(skip)]
    pub properties: Vec<Arc<PropertySet>>,
    /// Names of its materials.
    pub materials: Vec<String>,
    /// Classification references, `Uniclass 2015: Ss_65_80`.
    pub classification: Vec<String>,
    /// Presentation layers (`IfcPresentationLayerAssignment`), each once.
    pub layers: Vec<String>,
    /// Documents that belong to it: name, or where it is found.
    pub documents: Vec<String>,
    /// True when its openings are not cut, because cutting them did not end in time.
    pub without_openings: bool,
    /// True when it states a body from which no triangle could be made.
    pub geometry_failed: bool,
    /// Its mesh, an index into [`Model::shapes`].
    pub shape: Option<u32>,
    /// From the shape's own frame to the file's frame (metres, Z up).
    #[serde(with = "numbers::affine")]
    pub placement: DAffine3,
    /// Surface colour, linear RGBA 0..1; where several, that of the largest surface.
    pub colour: [f32; 4],
    /// Axis-aligned box, metres, Z up, in the file's frame; none without geometry.
    pub bounds: Option<Aabb>,
}

impl Element {
    /// A property by set and name.
    pub fn property(&self, set: &str, name: &str) -> Option<&PropertyValue> {
        self.properties
            .iter()
            .filter(|s| s.name == set)
            .flat_map(|s| &s.values)
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v)
    }

    /// What people call it: its tag, else its name, else class and id.
    pub fn label(&self) -> String {
        match (self.tag.is_empty(), self.name.is_empty()) {
            (false, _) => self.tag.clone(),
            (true, false) => self.name.clone(),
            _ => format!("{} {}", self.class, self.id),
        }
    }
}

/// A site, a building or another facility (bridge, road, part of one): what storeys and elements stand in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// GlobalId.
    pub id: String,
    /// `Riverside Clinic`.
    pub name: String,
    /// The class: `IfcSite`, `IfcBuilding`, `IfcBridge`.
    pub class: String,
    /// What it is a part of, an index into [`Model::places`].
    pub part_of: Option<u32>,
    /// GlobalIds of the same place in other models.
    pub also: Vec<String>,
}

/// A storey of a building.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Storey {
    /// GlobalId.
    pub id: String,
    /// `Level 2`.
    pub name: String,
    /// Height of its floor in the file's frame, metres.
    pub elevation_m: f64,
    /// Name of the building it belongs to.
    pub building: String,
    /// The building, or whatever it is a part of (nearest), an index into [`Model::places`].
    pub place: Option<u32>,
}

/// A system or a zone: a named group of elements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// GlobalId.
    pub id: String,
    /// `CHW supply`.
    pub name: String,
    /// The class: `IfcDistributionSystem`, `IfcZone`.
    pub class: String,
    /// `PredefinedType`: `CHILLEDWATER`. Empty when there is none.
    pub predefined_type: String,
    /// Its members, indices into [`Model::elements`].
    pub members: Vec<u32>,
}

/// Which way a medium passes a connection point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowDirection {
    /// Out of the element.
    Source,
    /// Into the element.
    Sink,
    /// Either way.
    Both,
    /// The file does not say.
    #[default]
    Unknown,
}

/// A port of an element: where a medium enters or leaves it (ASHRAE 223P: connection point).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConnectionPoint {
    /// GlobalId of the port.
    pub id: String,
    /// The port's name.
    pub name: String,
    /// Its element, an index into [`Model::elements`].
    pub element: u32,
    /// Which way the medium passes.
    pub direction: FlowDirection,
    /// Where it is, metres, Z up, in the file's frame, when the file says so.
    #[serde(with = "numbers::place")]
    pub location: Option<DVec3>,
    /// The file's word for the medium or system type: `CHILLEDWATER`. Empty when not stated.
    pub medium: String,
}

/// Two connection points that are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// One end, an index into [`Model::connection_points`].
    pub from: u32,
    /// The other end, an index into [`Model::connection_points`].
    pub to: u32,
}

/// Where a duct, a pipe or a nozzle ends, by its geometry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Its element, an index into [`Model::elements`].
    pub element: u32,
    /// The middle of the end, metres, Z up, in the file's frame.
    #[serde(with = "numbers::vector")]
    pub location: DVec3,
    /// Out of the element, of length 1.
    #[serde(with = "numbers::vector")]
    pub outward: DVec3,
    /// Its form; none when only the axis is known.
    pub outline: Option<Outline>,
    /// How it was found.
    pub source: EndSource,
}

/// How an [`End`] was found, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndSource {
    /// A port of the file that no other is joined to.
    Port,
    /// The end of a swept solid: its profile and direction are stated.
    Sweep,
    /// The end of an axis line.
    Axis,
    /// A flat cap or an open rim of the triangles.
    Mesh,
    /// The face of the body's box.
    Box,
    /// A place on the side of a straight run, where a branch ends.
    Side,
}

/// How a file's own frame lies on the map (`IfcMapConversion` and `IfcProjectedCRS`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Georeference {
    /// The coordinate reference system, `EPSG:2056`; empty when the file names none.
    pub crs: String,
    /// Easting, northing and height of the file's origin, metres.
    pub origin_m: [f64; 3],
    /// From the file's X axis to the map's east, counter-clockwise, degrees.
    pub rotation_deg: f64,
    /// Map metres in a metre of the file.
    pub scale: f64,
}

impl Georeference {
    /// From the file's frame (metres) to the map (metres).
    pub fn to_map(&self) -> DAffine3 {
        let scale = DVec3::new(self.scale, self.scale, 1.0);
        DAffine3::from_translation(DVec3::from_array(self.origin_m))
            * DAffine3::from_rotation_z(self.rotation_deg.to_radians())
            * DAffine3::from_scale(scale)
    }
}
