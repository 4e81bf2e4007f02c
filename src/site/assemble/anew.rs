//! A site that is put together already, with models of it laid elsewhere.

use super::{End, Site};
use crate::shape::Aabb;
use crate::site::coordinates::{is_turned, own_box};
use crate::site::infer;
use crate::site::model::Element;
use crate::site::project::Project;
use crate::site::{Source, frame};
use glam::{DAffine3, DVec3};

impl Site {
    /// The same site with its models where `project` puts them by hand now; gives the numbers of the sources that lie
    /// elsewhere. Every other number stays what it is.
    ///
    /// Geometry, ports, floors, coordinates and inferred joints are as if the site had been assembled so. Which room
    /// an element stands in, and which storeys of two models are one, stays as it was until the project is opened
    /// again.
    #[must_use]
    pub fn laid_anew(&self, project: &Project) -> (Self, Vec<u16>) {
        let mut site = self.clone();
        site.origin = frame::origin(project, &site.sources);
        for source in &mut site.sources {
            // What is to say of it was said when it was opened.
            frame::lay(project, &site.origin, source, &mut Vec::new());
        }
        let steps: Vec<Option<DAffine3>> = self.sources.iter().zip(&site.sources).map(|(a, b)| step(a, b)).collect();
        let of_source = |source: usize| steps.get(source).copied().flatten();
        let of_element = |element: u32| of_source(usize::from(*self.source_of.get(element as usize)?));
        for (i, was) in self.elements.iter().enumerate() {
            let number = self.source_of.get(i).map_or(usize::MAX, |s| usize::from(*s));
            let (Some(step), Some(from), Some(to)) =
                (of_source(number), self.sources.get(number), site.sources.get(number))
            else {
                continue;
            };
            if let Some(element) = site.elements.get_mut(i) {
                element.placement = step * was.placement;
                element.bounds = self.moved_box(was, element.placement, from, to);
            }
        }
        for point in &mut site.connection_points {
            if let Some(step) = of_element(point.element) {
                point.location = point.location.map(|l| step.transform_point3(l));
            }
        }
        for end in &mut site.ends {
            if let Some(step) = of_element(end.element) {
                let outward = step.transform_vector3(end.outward).normalize_or(end.outward);
                *end = End { location: step.transform_point3(end.location), outward, ..*end };
            }
        }
        site.move_floors(&of_element);
        let (decisions, _) = project.decisions(&site);
        site.inferred = infer::infer(&site.evidence(), &project.joining, &decisions);
        let moved = steps.iter().enumerate().filter(|(_, s)| s.is_some()).map(|(i, _)| i as u16).collect();
        (site, moved)
    }

    /// The box of an element that lay as `from` says and lies as `to` says, at a new placement.
    fn moved_box(&self, was: &Element, placement: DAffine3, from: &Source, to: &Source) -> Option<Aabb> {
        let shape = was.shape.and_then(|s| self.shapes.get(s as usize)).filter(|_| is_turned(&to.to_project));
        match shape {
            Some(shape) if was.bounds.is_some() => {
                let corner = |p: &[f32; 3]| placement.transform_point3(DVec3::from(p.map(f64::from)));
                Aabb::around(shape.positions().iter().map(corner))
            }
            _ => own_box(self, from, was).map(|own| own.transformed(&to.to_project)),
        }
    }

    /// A floor goes up with what stands on it, where all of that goes up alike.
    fn move_floors(&mut self, of_element: &dyn Fn(u32) -> Option<DAffine3>) {
        let mut rises: Vec<Option<f64>> = vec![None; self.storeys.len()];
        for (i, element) in self.elements.iter().enumerate() {
            let Some(rise) = element.storey.and_then(|s| rises.get_mut(s as usize)) else { continue };
            let own = of_element(i as u32).map_or(0.0, |step| step.translation.z);
            *rise = match *rise {
                None => Some(own),
                Some(before) if (before - own).abs() < 1e-9 => Some(before),
                Some(_) => Some(0.0),
            };
        }
        for (storey, rise) in self.storeys.iter_mut().zip(rises) {
            storey.elevation_m += rise.unwrap_or_default();
        }
    }
}

/// From where a source lay to where it lies; none where that is the same.
fn step(was: &Source, is: &Source) -> Option<DAffine3> {
    (was.to_project != is.to_project).then(|| is.to_project * was.to_project.inverse())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Shape, Triangles};
    use crate::site::model::{ConnectionPoint, EndSource, Georeference, Model, Storey};
    use crate::site::project::{ModelFile, Origin};
    use crate::site::{assemble, coordinates::Coordinates};
    use std::sync::Arc;

    /// A wedge on a storey of its own, with a port and an end.
    fn model(name: &str, georeference: Option<Georeference>) -> (Model, String) {
        let shape = Shape::from(Triangles {
            positions: vec![[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]],
            normals: vec![[0.0, 0.0, 1.0]; 4],
            colours: Vec::new(),
            indices: vec![0, 1, 2, 0, 1, 3],
        });
        let placement = DAffine3::from_translation(DVec3::new(10.0, 20.0, 1.0));
        let bounds = shape.bounds().map(|b| b.transformed(&placement));
        let element = |id: &str| Element { id: format!("{name}{id}"), storey: Some(0), ..Element::default() };
        let model = Model {
            file: format!("{name}.ifc").into(),
            elements: vec![Element { shape: Some(0), placement, bounds, ..element("1") }, element("2")],
            storeys: vec![Storey { name: format!("Level of {name}"), elevation_m: 1.0, ..Storey::default() }],
            connection_points: vec![ConnectionPoint { location: Some(DVec3::ONE), ..ConnectionPoint::default() }],
            ends: vec![End {
                element: 0,
                location: DVec3::X,
                outward: DVec3::X,
                outline: None,
                source: EndSource::Axis,
            }],
            shapes: vec![Arc::new(shape)],
            georeference,
            ..Model::default()
        };
        (model, String::new())
    }

    fn on_map(east: f64) -> Option<Georeference> {
        Some(Georeference {
            crs: "EPSG:2056".into(),
            origin_m: [east, 1_247_400.0, 408.0],
            rotation_deg: 15.0,
            scale: 1.0,
        })
    }

    fn project(by_hand: &[(&str, [f64; 3], f64)]) -> Project {
        let models = ["a.ifc", "b.ifc", "c.ifc"].map(|file| {
            let stated = by_hand.iter().find(|(name, ..)| *name == file);
            ModelFile {
                file: file.into(),
                offset_m: stated.map(|(_, offset_m, _)| *offset_m),
                rotation_deg: stated.map(|(.., rotation_deg)| *rotation_deg),
                ..ModelFile::default()
            }
        });
        Project { models: models.into(), ..Project::default() }
    }

    fn assembled(project: &Project) -> Site {
        let models = vec![model("a", on_map(2_683_140.0)), model("b", None), model("c", on_map(2_683_100.0))];
        assemble(project, models).0
    }

    /// As if it had been assembled so: to a thousandth of a millimetre.
    fn same(a: &Site, b: &Site) {
        let near = |p: DVec3, q: DVec3| assert!(p.distance(q) < 1e-6, "{p} {q}");
        near(DVec3::from_array(a.origin.position_m), DVec3::from_array(b.origin.position_m));
        for (i, (p, q)) in a.elements.iter().zip(&b.elements).enumerate() {
            near(p.placement.translation, q.placement.translation);
            near(p.placement.matrix3 * DVec3::ONE, q.placement.matrix3 * DVec3::ONE);
            assert_eq!(p.bounds.is_some(), q.bounds.is_some());
            if let (Some(p), Some(q)) = (p.bounds, q.bounds) {
                near(p.min, q.min);
                near(p.max, q.max);
            }
            let at = |site: &Site| Coordinates::of(site, crate::site::Slot(i as u32));
            assert_eq!(at(a).map(|c| c.map.map(|m| m.crs)), at(b).map(|c| c.map.map(|m| m.crs)));
        }
        for (p, q) in a.connection_points.iter().zip(&b.connection_points) {
            near(p.location.unwrap(), q.location.unwrap());
        }
        for (p, q) in a.ends.iter().zip(&b.ends) {
            near(p.location, q.location);
            near(p.outward, q.outward);
        }
        let floors = |s: &Site| s.storeys.iter().map(|s| (s.name.clone(), s.elevation_m)).collect::<Vec<_>>();
        let (mut p, mut q) = (floors(a), floors(b));
        p.sort_by(|a, b| a.0.cmp(&b.0));
        q.sort_by(|a, b| a.0.cmp(&b.0));
        assert!(p.iter().zip(&q).all(|(p, q)| p.0 == q.0 && (p.1 - q.1).abs() < 1e-6), "{p:?} {q:?}");
    }

    #[test]
    fn a_model_is_laid_elsewhere_as_if_it_had_been_so_from_the_first() {
        let plain = project(&[]);
        let moved = project(&[("b.ifc", [100.0, -20.0, 3.5], 30.0)]);
        let (first, other) = (assembled(&plain), assembled(&moved));
        let (site, sources) = first.laid_anew(&moved);
        assert_eq!(sources, [1], "the others stay");
        same(&site, &other);
        let up = site.storeys.iter().find(|s| s.name == "Level of b").unwrap().elevation_m;
        assert!((up - 4.5).abs() < 1e-9);
        // From there on, and back again.
        let further = project(&[("b.ifc", [-7.0, 0.0, 0.0], 275.0)]);
        same(&site.laid_anew(&further).0, &assembled(&further));
        let (back, sources) = site.laid_anew(&plain);
        assert_eq!(sources, [1]);
        same(&back, &first);
        assert!(site.laid_anew(&moved).1.is_empty(), "nothing to do");
    }

    #[test]
    fn the_origin_goes_where_it_would_go() {
        // The south-western model is placed by hand and has no say any more: the others lie elsewhere in the frame.
        let moved = project(&[("c.ifc", [5.0, 5.0, 0.0], 0.0)]);
        let (site, sources) = assembled(&project(&[])).laid_anew(&moved);
        assert_eq!((site.origin.position_m[0], sources), (2_683_140.0, vec![0, 2]));
        same(&site, &assembled(&moved));
        // Where the project says its origin it stays.
        let stated = |project: Project| Project {
            origin: Some(Origin { crs: "EPSG:2056".into(), position_m: [2_683_000.0, 1_247_000.0, 400.0] }),
            ..project
        };
        let (site, sources) = assembled(&stated(project(&[]))).laid_anew(&stated(moved.clone()));
        assert_eq!(sources, [2]);
        same(&site, &assembled(&stated(moved)));
    }
}
