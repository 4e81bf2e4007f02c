//! A feature's geometry to its mesh.

use super::frame::Frame;
use super::kind::{Form, Kind, metres};
use super::solids::{self, Mesh};
use crate::shape::{Aabb, Shape};
use crate::site::model::Element;
use geo::{Coord, LineString, Polygon};
use geojson::{Geometry, GeometryValue, Position};
use glam::{DAffine3, DQuat, DVec3};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Lines that state no width are drawn this wide, metres.
const HAIR_M: f64 = 0.2;
/// Buried lines that state no depth lie this deep, metres.
const DEPTH_M: f64 = 1.0;
/// How deep collections may nest.
const MAX_DEPTH: usize = 8;

/// The shapes of a layer; trees share theirs.
#[derive(Default)]
pub(super) struct Builder {
    /// The shapes.
    pub(super) shapes: Vec<Arc<Shape>>,
    tree: Option<u32>,
}

/// What became of a feature.
#[derive(Default)]
pub(super) struct Outcome {
    /// What is wrong with it.
    pub(super) faults: Vec<String>,
    /// Every coordinate, or a property, states a height.
    pub(super) has_heights: bool,
}

/// Sizes and heights of one feature.
struct Sizes<'a> {
    frame: &'a Frame,
    kind: &'a Kind,
    /// Ground, local metres, where coordinates state none.
    ground: Option<f64>,
    bottom: f64,
    top: Option<f64>,
    width: Option<f64>,
    diameter: Option<f64>,
    depth: Option<f64>,
}

impl Builder {
    /// Makes the feature's mesh and places `element` by it.
    pub(super) fn add(
        &mut self,
        geometry: &Geometry,
        properties: &Map<String, Value>,
        kind: &Kind,
        frame: &Frame,
        element: &mut Element,
    ) -> Outcome {
        let positive = |keys: &[&str]| metres(properties, keys).filter(|v| *v > 0.0);
        let levels = || positive(&["levels", "building:levels", "storeys"]).map(|l| l * 3.0);
        let sizes = Sizes {
            frame,
            kind,
            ground: metres(properties, &["ground_m", "base_m", "elevation_m"]).map(|h| frame.local_height(h)),
            bottom: metres(properties, &["min_height", "min_height_m"]).unwrap_or(0.0),
            top: positive(&["height", "height_m", "building:height"]).or_else(levels),
            width: positive(&["width_m", "width"]),
            diameter: positive(&["diameter_m", "diameter"]),
            depth: metres(properties, &["depth_m", "depth"]),
        };
        let mut outcome = Outcome { faults: Vec::new(), has_heights: true };
        if let (GeometryValue::Point { coordinates }, Form::Tree) = (&geometry.value, kind.form) {
            match sizes.point(coordinates, &mut outcome) {
                Some(foot) => self.plant(foot, positive(&["crown_m", "crown_diameter_m"]), sizes.top, element),
                None => outcome.faults.push("its coordinate is not a pair of numbers".to_owned()),
            }
            return outcome;
        }
        let mut mesh = Mesh::default();
        sizes.add(geometry, 0, &mut mesh, &mut outcome);
        if let Some((shape, centre, bounds)) = mesh.into_shape() {
            element.shape = Some(self.shapes.len() as u32);
            element.placement = DAffine3::from_translation(centre);
            element.bounds = Some(bounds);
            self.shapes.push(Arc::new(shape));
        } else if outcome.faults.is_empty() {
            outcome.faults.push("it has no extent: nothing to draw".to_owned());
        }
        outcome
    }

    /// One tree shape for all, scaled and turned so that no two stand alike.
    fn plant(&mut self, foot: DVec3, crown: Option<f64>, height: Option<f64>, element: &mut Element) {
        let height = height.unwrap_or(7.0);
        let crown = crown.unwrap_or(height * 0.6);
        let number = *self.tree.get_or_insert_with(|| {
            self.shapes.push(Arc::new(solids::tree()));
            self.shapes.len() as u32 - 1
        });
        let turn = (foot.x * 12.9898 + foot.y * 78.233).sin() * std::f64::consts::PI;
        let scale = DVec3::new(crown, crown, height);
        element.placement = DAffine3::from_scale_rotation_translation(scale, DQuat::from_rotation_z(turn), foot);
        element.shape = Some(number);
        let shape = self.shapes.get(number as usize);
        let corners =
            shape.iter().flat_map(|s| s.positions()).map(|p| DVec3::new(p[0].into(), p[1].into(), p[2].into()));
        element.bounds = Aabb::around(corners.map(|c| element.placement.transform_point3(c)));
    }
}

impl Sizes<'_> {
    fn add(&self, geometry: &Geometry, depth: usize, mesh: &mut Mesh, outcome: &mut Outcome) {
        match &geometry.value {
            GeometryValue::Point { coordinates } => self.post(coordinates, mesh, outcome),
            GeometryValue::MultiPoint { coordinates } => {
                coordinates.iter().for_each(|p| self.post(p, mesh, outcome));
            }
            GeometryValue::LineString { coordinates } => self.line(coordinates, mesh, outcome),
            GeometryValue::MultiLineString { coordinates } => {
                coordinates.iter().for_each(|l| self.line(l, mesh, outcome));
            }
            GeometryValue::Polygon { coordinates } => self.polygon(coordinates, mesh, outcome),
            GeometryValue::MultiPolygon { coordinates } => {
                coordinates.iter().for_each(|p| self.polygon(p, mesh, outcome));
            }
            GeometryValue::GeometryCollection { geometries } => {
                if depth < MAX_DEPTH {
                    geometries.iter().for_each(|g| self.add(g, depth + 1, mesh, outcome));
                } else {
                    outcome.faults.push("its collections are nested too deeply".to_owned());
                }
            }
        }
    }

    fn point(&self, position: &Position, outcome: &mut Outcome) -> Option<DVec3> {
        let (mut point, stated) = self.frame.local(position.as_slice())?;
        if let (false, Some(ground)) = (stated, self.ground) {
            point.z = ground;
        }
        outcome.has_heights &= stated || self.ground.is_some();
        Some(point)
    }

    /// Points of a line or ring without repeats; none (and a fault) when one is no coordinate.
    fn points(&self, positions: &[Position], outcome: &mut Outcome) -> Option<Vec<DVec3>> {
        let mut points: Vec<DVec3> = Vec::with_capacity(positions.len());
        for position in positions {
            let Some(point) = self.point(position, outcome) else {
                outcome.faults.push("a coordinate is not a pair of numbers".to_owned());
                return None;
            };
            if points.last().is_none_or(|last| last.distance_squared(point) > 1e-12) {
                points.push(point);
            }
        }
        Some(points)
    }

    /// A point that is no tree: a low post.
    fn post(&self, position: &Position, mesh: &mut Mesh, outcome: &mut Outcome) {
        let Some(foot) = self.point(position, outcome) else {
            outcome.faults.push("its coordinate is not a pair of numbers".to_owned());
            return;
        };
        if self.kind.form == Form::Tree {
            let height = self.top.unwrap_or(7.0);
            mesh.tube(&[foot, foot + DVec3::Z * height * 0.3], height * 0.04);
            mesh.tube(&[foot + DVec3::Z * height * 0.3, foot + DVec3::Z * height], height * 0.3);
        } else {
            let radius = self.diameter.or(self.width).unwrap_or(0.3) * 0.5;
            mesh.tube(&[foot, foot + DVec3::Z * self.top.unwrap_or(1.0)], radius);
        }
    }

    fn line(&self, positions: &[Position], mesh: &mut Mesh, outcome: &mut Outcome) {
        let Some(points) = self.points(positions, outcome) else { return };
        if points.len() < 2 {
            outcome.faults.push("a line has fewer than two different points".to_owned());
            return;
        }
        let buried = self.kind.form == Form::Main || self.depth.is_some();
        if self.diameter.is_some() || buried {
            let down = if buried { self.depth.unwrap_or(DEPTH_M) } else { 0.0 };
            let axis: Vec<DVec3> = points.iter().map(|p| *p - DVec3::Z * down).collect();
            mesh.tube(&axis, self.diameter.unwrap_or(HAIR_M) * 0.5);
        } else {
            mesh.ribbon(&points, self.width.unwrap_or(HAIR_M), self.lift());
        }
    }

    fn polygon(&self, rings: &[Vec<Position>], mesh: &mut Mesh, outcome: &mut Outcome) {
        let mut lines = Vec::with_capacity(rings.len());
        let mut ground = f64::INFINITY;
        for ring in rings {
            let Some(points) = self.points(ring, outcome) else { return };
            ground = points.iter().fold(ground, |g, p| g.min(p.z));
            let line: LineString = points.iter().map(|p| Coord { x: p.x, y: p.y }).collect();
            if line.0.len() >= 3 {
                lines.push(line);
            } else {
                outcome.faults.push("a ring has fewer than three different points".to_owned());
                if lines.is_empty() {
                    return; // without its outer ring there is no polygon
                }
            }
        }
        if lines.is_empty() {
            return;
        }
        let polygon = Polygon::new(lines.remove(0), lines);
        let done = match self.top.filter(|top| *top > self.bottom) {
            Some(top) => mesh.prism(&polygon, ground + self.bottom, ground + top),
            None => mesh.plate(&polygon, ground + self.lift()),
        };
        if !done {
            outcome.faults.push("a polygon encloses no area".to_owned());
        }
    }

    /// What lies on what: a road on its plot, a path on the road. Millimetres, so that nothing flickers.
    fn lift(&self) -> f64 {
        match self.kind.form {
            Form::Ground => 0.0,
            Form::Water => 0.02,
            Form::Other | Form::Building | Form::Tree => 0.03,
            Form::Road | Form::Main => 0.05,
        }
    }
}
