//! Several models in one frame: the site.

use super::model::{Connection, ConnectionPoint, Element, Group, Model, Slot, Storey};
use super::point::Point;
use super::project::{Origin, Project};
use crate::problem::Problem;
use crate::shape::Shape;
use glam::DAffine3;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// All models and layers of a project in one frame (f64, metres, Z up, project origin subtracted), with
/// the project's points bound to their elements. Every index is into the site's own lists.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The project's name.
    pub name: String,
    /// Map coordinates of the frame's origin.
    pub origin: Origin,
    /// The files it is made of.
    pub sources: Vec<Source>,
    /// Elements, spaces and map features by [`Slot`]; `part_of`, `host` and `space` are slots.
    pub elements: Vec<Element>,
    /// By slot: which of [`Self::sources`] the element came from.
    pub source_of: Vec<u16>,
    /// Storeys; those of several models with one name and height are one.
    pub storeys: Vec<Storey>,
    /// Zones.
    pub zones: Vec<Group>,
    /// Systems; those of several models with one name are one.
    pub systems: Vec<Group>,
    /// Ports.
    pub connection_points: Vec<ConnectionPoint>,
    /// Joined ports.
    pub connections: Vec<Connection>,
    /// Meshes, shared across models.
    pub shapes: Vec<Arc<Shape>>,
    /// The project's points, by [`super::PointIndex`].
    pub points: Vec<Point>,
    pub(super) by_id: HashMap<String, Slot>,
    pub(super) by_tag: HashMap<String, Vec<Slot>>,
}

/// One file of a site.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Absolute path.
    pub file: PathBuf,
    /// `ifc`, `geojson`, …
    pub kind: String,
    /// The file's own schema.
    pub schema: String,
    /// `architecture`, `mep`, …
    pub discipline: String,
    /// From the file's frame to the project's.
    pub to_project: DAffine3,
}

impl Site {
    /// The element of a slot.
    pub fn element(&self, slot: Slot) -> Option<&Element> {
        self.elements.get(slot.0 as usize)
    }

    /// The element with a GlobalId or feature id.
    pub fn find(&self, id: &str) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// The elements with a tag.
    pub fn tagged(&self, tag: &str) -> &[Slot] {
        self.by_tag.get(tag).map_or(&[], Vec::as_slice)
    }

    /// Every slot with its element.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Element)> {
        self.elements.iter().enumerate().map(|(i, e)| (Slot(i as u32), e))
    }
}

/// Puts models (with their disciplines, in the project's order) into one frame and binds the points.
pub fn assemble(project: &Project, models: Vec<(Model, String)>) -> (Site, Vec<Problem>) {
    let _ = (project, models);
    (Site::default(), Vec::new())
}
