//! Sites of any size to measure on: boxes in rows, with points that change.

use crate::shape::{Shape, Triangles};
use crate::site::point::{Check, PointSource};
use crate::site::unit::Unit;
use crate::site::{Element, Point, Site, Slot};
use glam::{DAffine3, DVec3};
use std::sync::Arc;

/// `elements` unit boxes on a square grid of one storey, four shapes among them; the first `points`
/// elements have one point each.
pub fn site(elements: usize, points: usize) -> Site {
    let side = (elements as f64).sqrt().ceil().max(1.0) as usize;
    let mut site = Site::default();
    site.name = format!("{elements} elements");
    site.shapes = (0..4).map(|i| Arc::new(block(0.5 + 0.25 * i as f32))).collect();
    site.elements = (0..elements)
        .map(|i| {
            let at = DVec3::new((i % side) as f64 * 2.0, (i / side) as f64 * 2.0, 0.0);
            let placement = DAffine3::from_translation(at);
            let shape = i % site.shapes.len();
            Element {
                id: format!("element-{i}"),
                class: "IfcFlowSegment".into(),
                name: format!("Element {i}"),
                shape: Some(shape as u32),
                placement,
                colour: [0.6, 0.6, 0.6, 1.0],
                bounds: site.shapes[shape].bounds().map(|b| b.transformed(&placement)),
                ..Element::default()
            }
        })
        .collect();
    site.source_of = vec![0; elements];
    site.points = (0..points.min(elements))
        .map(|i| Point {
            id: format!("element-{i}/temperature"),
            asset: Slot(i as u32),
            role: "temperature".into(),
            name: "Temperature".into(),
            unit: Unit::parse("Cel").unwrap_or(Unit::ONE),
            expected: Some([-50.0, 150.0]),
            period_s: 1.0,
            stale_after_s: 60.0,
            check: Some(Check {
                warning_above: Some(26.0),
                critical_above: Some(30.0),
                hysteresis: 0.5,
                ..Check::default()
            }),
            source: PointSource::Topic { topic: format!("bench/{i}"), key: String::new() },
            remedy: String::new(),
            watch: Default::default(),
        })
        .collect();
    site
}

/// A box of edge `size`, metres, standing on the origin.
pub fn block(size: f32) -> Shape {
    let mut shape = Triangles::default();
    for axis in 0..3 {
        for side in [0.0, 1.0_f32] {
            let base = shape.positions.len() as u32;
            let mut normal = [0.0; 3];
            normal[axis] = side * 2.0 - 1.0;
            for (u, v) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0_f32)] {
                let mut p = [0.0; 3];
                p[axis] = side * size;
                p[(axis + 1) % 3] = u * size;
                p[(axis + 2) % 3] = v * size;
                shape.positions.push(p);
                shape.normals.push(normal);
            }
            let quad = if side > 0.5 { [0, 1, 2, 0, 2, 3] } else { [0, 2, 1, 0, 3, 2] };
            shape.indices.extend(quad.map(|i| base + i));
        }
    }
    shape.into()
}
