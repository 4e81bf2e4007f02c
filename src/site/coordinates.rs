//! Where an element is in the coordinates that people know it by: its file's own, and the map's.
//!
//! A [`Site`] is drawn in a frame of its own, near zero. What people look up, copy into a survey or hand to somebody
//! else is what the file said, so it is worked back from there, in f64.

use super::assemble::{Site, Source};
use super::model::{Element, Slot};
use crate::shape::Aabb;
use glam::{DAffine3, DVec3};

/// Where the middle of an element's box is.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinates {
    /// The element's box in its file's own frame, metres, Z up: what `plenum import --elements` says.
    pub own_m: Aabb,
    /// The middle of that box on the map; none where nobody knows how the file lies on it.
    pub map: Option<MapPlace>,
}

/// A place on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapPlace {
    /// The coordinate reference system, `EPSG:2056`; empty when nobody names one.
    pub crs: String,
    /// Easting, northing and height, metres.
    pub position_m: [f64; 3],
}

impl Coordinates {
    /// Of an element; none where it has no geometry.
    pub fn of(site: &Site, slot: Slot) -> Option<Self> {
        let element = site.element(slot)?;
        let source = site.sources.get(usize::from(*site.source_of.get(slot.0 as usize)?))?;
        let own_m = own_box(site, source, element)?;
        let map = source.on_map.as_ref().map(|on| MapPlace {
            crs: on.crs.clone(),
            position_m: on.to_map.transform_point3(own_m.centre()).to_array(),
        });
        Some(Self { own_m, map })
    }

    /// The middle of the box in the file's own frame, metres.
    pub fn own_place_m(&self) -> DVec3 {
        self.own_m.centre()
    }
}

/// The box in the file's frame; tight around the mesh where the file was turned on the way.
pub(super) fn own_box(site: &Site, source: &Source, element: &Element) -> Option<Aabb> {
    let back = source.to_project.inverse();
    let shape = element.shape.and_then(|s| site.shapes.get(s as usize)).filter(|_| is_turned(&back));
    match shape {
        Some(shape) => {
            let placement = back * element.placement;
            let corner = |p: &[f32; 3]| placement.transform_point3(DVec3::from(p.map(f64::from)));
            Aabb::around(shape.positions().iter().map(corner))
        }
        None => element.bounds.map(|b| b.transformed(&back)),
    }
}

/// True where a transform does more than move.
pub(super) fn is_turned(transform: &DAffine3) -> bool {
    (transform.matrix3 - glam::DMat3::IDENTITY).to_cols_array().iter().any(|v| v.abs() > 1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Shape, Triangles};
    use crate::site::model::{Georeference, Model};
    use crate::site::project::{ModelFile, Project};
    use std::sync::Arc;

    /// A wedge from (0, 0, 0) to (4, 2, 3) in its own frame, put at (10, 20, 1) of its file.
    fn model(georeference: Option<Georeference>) -> Model {
        let shape = Shape::from(Triangles {
            positions: vec![[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]],
            normals: vec![[0.0, 0.0, 1.0]; 4],
            colours: Vec::new(),
            indices: vec![0, 1, 2, 0, 1, 3],
        });
        let placement = DAffine3::from_translation(DVec3::new(10.0, 20.0, 1.0));
        let element = Element {
            id: "a".into(),
            shape: Some(0),
            placement,
            bounds: shape.bounds().map(|b| b.transformed(&placement)),
            ..Element::default()
        };
        Model {
            file: "a.ifc".into(),
            elements: vec![element, Element { id: "b".into(), ..Element::default() }],
            shapes: vec![Arc::new(shape)],
            georeference,
            ..Model::default()
        }
    }

    fn of(project: &Project, model: Model) -> Coordinates {
        let (site, _) = crate::site::assemble(project, vec![(model, String::new())]);
        assert_eq!(Coordinates::of(&site, Slot(1)), None, "no geometry, no place");
        assert_eq!(Coordinates::of(&site, Slot(7)), None);
        Coordinates::of(&site, Slot(0)).unwrap()
    }

    fn near(a: [f64; 3], b: [f64; 3]) -> bool {
        DVec3::from_array(a).distance(DVec3::from_array(b)) < 1e-6
    }

    #[test]
    fn a_turned_file_gives_its_own_coordinates_and_the_maps() {
        let georeference = Georeference {
            crs: "EPSG:2056".into(),
            origin_m: [2_683_141.0, 1_247_400.0, 408.0],
            rotation_deg: 90.0,
            scale: 1.0,
        };
        let at = of(&Project::default(), model(Some(georeference)));
        // The middle of its box, by hand: (12, 21, 2.5) there, and a quarter turn makes of (x, y) (-y, x).
        assert!(near(at.own_m.min.to_array(), [10.0, 20.0, 1.0]) && near(at.own_m.max.to_array(), [14.0, 22.0, 4.0]));
        assert!(near(at.own_place_m().to_array(), [12.0, 21.0, 2.5]));
        let map = at.map.unwrap();
        assert_eq!(map.crs, "EPSG:2056");
        assert!(near(map.position_m, [2_683_120.0, 1_247_412.0, 410.5]), "{map:?}");
    }

    #[test]
    fn a_map_that_is_not_to_scale_stretches_the_level_coordinates_only() {
        let georeference =
            Georeference { crs: String::new(), origin_m: [500_000.0, 0.0, 10.0], rotation_deg: 0.0, scale: 0.9996 };
        let map = of(&Project::default(), model(Some(georeference))).map.unwrap();
        assert!(near(map.position_m, [500_000.0 + 12.0 * 0.9996, 21.0 * 0.9996, 12.5]), "{map:?}");
    }

    #[test]
    fn a_file_without_a_map_gives_its_own_wherever_it_is_put() {
        let by_hand = ModelFile {
            file: "a.ifc".into(),
            offset_m: Some([100.0, 0.0, 0.0]),
            rotation_deg: Some(30.0),
            ..ModelFile::default()
        };
        for project in [Project::default(), Project { models: vec![by_hand], ..Project::default() }] {
            let at = of(&project, model(None));
            assert!(near(at.own_place_m().to_array(), [12.0, 21.0, 2.5]), "{at:?}");
            assert_eq!(at.map, None);
        }
    }
}
