//! What lies on the ground as GeoJSON: drawn in a building's frame, turned onto the map, EPSG:2056.

use super::place::Lot;
use super::step::global_id;
use geo::{BoundingRect, Coord, LineString, Polygon};
use geojson::{Feature, FeatureCollection, Geometry, JsonObject, JsonValue};

/// Kinds of trees.
pub const TREES: [&str; 4] = ["Tilia cordata", "Acer platanoides", "Betula pendula", "Quercus robur"];

/// A map layer in the making.
pub struct Ground<'a> {
    seed: u64,
    lot: &'a Lot,
    height_m: f64,
    features: Vec<Feature>,
}

impl<'a> Ground<'a> {
    /// A layer whose shapes are drawn in the frame of a building; the ground lies where its ground floor does.
    pub fn new(seed: u64, lot: &'a Lot) -> Self {
        Self { seed, lot, height_m: lot.corner[2], features: Vec::new() }
    }

    /// What comes next lies at this height, metres above sea level.
    pub fn at_height(&mut self, height_m: f64) {
        self.height_m = height_m;
    }

    /// Adds an area, with its holes.
    pub fn area(&mut self, path: &str, shape: &Polygon, properties: &[(&str, JsonValue)]) {
        let rings = std::iter::once(shape.exterior()).chain(shape.interiors());
        let rings = rings.map(|r| r.coords().map(|c| self.mapped([c.x, c.y])).collect()).collect::<Vec<Vec<_>>>();
        self.add(path, Geometry::new_polygon(rings), properties);
    }

    /// Adds a line.
    pub fn line(&mut self, path: &str, corners: &[[f64; 2]], properties: &[(&str, JsonValue)]) {
        let line: Vec<Vec<f64>> = corners.iter().map(|c| self.mapped(*c)).collect();
        self.add(path, Geometry::new_line_string(line), properties);
    }

    /// Adds a point.
    pub fn point(&mut self, path: &str, at: [f64; 2], properties: &[(&str, JsonValue)]) {
        self.add(path, Geometry::new_point(self.mapped(at)), properties);
    }

    fn add(&mut self, path: &str, geometry: Geometry, properties: &[(&str, JsonValue)]) {
        let mut object = JsonObject::new();
        for (name, value) in properties {
            object.insert((*name).into(), value.clone());
        }
        object.insert("ground_m".into(), self.height_m.into());
        self.features.push(Feature {
            bbox: None,
            geometry: Some(geometry),
            id: Some(geojson::feature::Id::String(global_id(self.seed, &format!("site/{path}")))),
            properties: Some(object),
            foreign_members: None,
        });
    }

    fn mapped(&self, [x, y]: [f64; 2]) -> Vec<f64> {
        let [e, n] = self.lot.to_map(x, y);
        vec![milli(e), milli(n)]
    }

    /// The file's text; `around` is what its box is drawn about.
    pub fn finish(self, name: &str, around: &Polygon) -> String {
        let mut crs = JsonObject::new();
        crs.insert("type".into(), "name".into());
        crs.insert("properties".into(), serde_json::json!({"name": "urn:ogc:def:crs:EPSG::2056"}));
        let mut extra = JsonObject::new();
        extra.insert("name".into(), name.into());
        extra.insert("crs".into(), JsonValue::Object(crs));
        let bbox = self.all_around(around);
        let collection = FeatureCollection { bbox, features: self.features, foreign_members: Some(extra) };
        // One feature a line, so that a change can be read.
        let text = serde_json::to_string(&collection).unwrap_or_default();
        text.replace(",{\"type\":\"Feature\"", ",\n{\"type\":\"Feature\"") + "\n"
    }

    fn all_around(&self, shape: &Polygon) -> Option<Vec<f64>> {
        let corners: Vec<Coord> = shape
            .exterior()
            .coords()
            .map(|c| {
                let [x, y] = self.lot.to_map(c.x, c.y);
                Coord { x, y }
            })
            .collect();
        let r = LineString::new(corners).bounding_rect()?;
        Some(vec![milli(r.min().x), milli(r.min().y), milli(r.max().x), milli(r.max().y)])
    }
}

/// An area with these corners, metres.
pub fn polygon(corners: &[[f64; 2]]) -> Polygon {
    Polygon::new(LineString::from(corners.iter().map(|c| (c[0], c[1])).collect::<Vec<_>>()), Vec::new())
}

/// An area along the axes.
pub fn rectangle(min: [f64; 2], max: [f64; 2]) -> Polygon {
    polygon(&[min, [max[0], min[1]], max, [min[0], max[1]]])
}

/// The land without what stands on it: level with the ground floor, it would else lie in the plane of the floor.
pub fn around(land: &Polygon, standing: &Polygon) -> Polygon {
    let mut hole = standing.exterior().clone();
    hole.0.reverse();
    Polygon::new(land.exterior().clone(), vec![hole])
}

/// To the centimetre.
pub fn round(v: f64) -> f64 {
    (v * 100.0).round() / 100.0
}

fn milli(v: f64) -> f64 {
    (v * 1000.0).round() / 1000.0
}
