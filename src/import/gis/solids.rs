//! Meshes of footprints, ribbons, tubes and trees.

use crate::import::colour;
use crate::shape::{Aabb, Shape, Triangles};
use geo::{Area, Orient, Polygon, TriangulateEarcut, orient::Direction};
use glam::DVec3;

/// Sides of a tube.
const SIDES: usize = 12;
/// How far a mitred corner may reach, in half widths.
const MAX_MITRE: f64 = 2.0;

/// A mesh while it grows: f64, local metres, flat shaded.
#[derive(Default)]
pub(super) struct Mesh {
    positions: Vec<DVec3>,
    normals: Vec<DVec3>,
    indices: Vec<u32>,
}

impl Mesh {
    /// The shape around its own middle, the middle, and its box; none without triangles.
    pub(super) fn into_shape(self) -> Option<(Shape, DVec3, Aabb)> {
        if self.indices.is_empty() {
            return None;
        }
        let bounds = Aabb::around(self.positions.iter().copied())?;
        let centre = bounds.centre();
        let triangles = Triangles {
            positions: self.positions.iter().map(|p| (*p - centre).as_vec3().to_array()).collect(),
            normals: self.normals.iter().map(|n| n.as_vec3().to_array()).collect(),
            colours: Vec::new(),
            indices: self.indices,
        };
        Some((triangles.into(), centre, bounds))
    }

    fn corner(&mut self, position: DVec3, normal: DVec3) -> u32 {
        self.positions.push(position);
        self.normals.push(normal);
        self.positions.len() as u32 - 1
    }

    /// A face of corners in counter-clockwise order, seen from outside; flat.
    fn face(&mut self, corners: &[DVec3]) {
        let [a, b, c, ..] = corners else { return };
        let mut normal = (*b - *a).cross(*c - *a);
        if let Some(d) = corners.get(3) {
            normal += (*c - *a).cross(*d - *a);
        }
        let Some(normal) = normal.try_normalize() else { return };
        let first = self.positions.len() as u32;
        for corner in corners {
            self.corner(*corner, normal);
        }
        for k in 1..corners.len() as u32 - 1 {
            self.indices.extend([first, first + k, first + k + 1]);
        }
    }

    /// A closed prism over a footprint, from `bottom` to `top`. False when it encloses nothing.
    pub(super) fn prism(&mut self, polygon: &Polygon, bottom: f64, top: f64) -> bool {
        // Outer ring counter-clockwise, holes clockwise: then the outside is always on the right.
        let polygon = polygon.orient(Direction::Default);
        if !(polygon.unsigned_area() > 1e-6 && top > bottom) {
            return false;
        }
        self.cap(&polygon, top, true);
        self.cap(&polygon, bottom, false);
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            for edge in ring.lines() {
                let at = |c: geo::Coord, z: f64| DVec3::new(c.x, c.y, z);
                self.face(&[at(edge.start, bottom), at(edge.end, bottom), at(edge.end, top), at(edge.start, top)]);
            }
        }
        true
    }

    /// A flat footprint, seen from above. False when it encloses nothing.
    pub(super) fn plate(&mut self, polygon: &Polygon, height: f64) -> bool {
        let encloses = polygon.unsigned_area() > 1e-6;
        if encloses {
            self.cap(polygon, height, true);
        }
        encloses
    }

    fn cap(&mut self, polygon: &Polygon, height: f64, up: bool) {
        let flat = polygon.earcut_triangles_raw();
        let normal = if up { DVec3::Z } else { DVec3::NEG_Z };
        let first = self.positions.len() as u32;
        let points: Vec<DVec3> = flat.vertices.iter().map(|[x, y]| DVec3::new(*x, *y, height)).collect();
        for point in &points {
            self.corner(*point, normal);
        }
        for triangle in flat.triangle_indices.chunks_exact(3) {
            let [i, j, k] = triangle else { continue };
            let (Some(a), Some(b), Some(c)) = (points.get(*i), points.get(*j), points.get(*k)) else { continue };
            // The triangulation's own turn is not stated anywhere: look.
            let turn = (*b - *a).cross(*c - *a).z;
            let (j, k) = if (turn > 0.0) == up { (j, k) } else { (k, j) };
            self.indices.extend([first + *i as u32, first + *j as u32, first + *k as u32]);
        }
    }

    /// A strip along a line, `width` wide, seen from above, mitred at its corners.
    pub(super) fn ribbon(&mut self, points: &[DVec3], width: f64, lift: f64) {
        let flat = |d: DVec3| DVec3::new(d.x, d.y, 0.0);
        let points: Vec<DVec3> = points.iter().map(|p| *p + DVec3::Z * lift).collect();
        let directions: Vec<DVec3> = points
            .windows(2)
            .map(|w| {
                w.last().copied().zip(w.first().copied()).map_or(DVec3::X, |(b, a)| flat(b - a).normalize_or(DVec3::X))
            })
            .collect();
        let left = |d: DVec3| DVec3::new(-d.y, d.x, 0.0);
        let sides: Vec<(DVec3, DVec3)> = points
            .iter()
            .enumerate()
            .filter_map(|(i, p)| {
                let after = directions.get(i).or(directions.last())?;
                let before = i.checked_sub(1).and_then(|b| directions.get(b)).unwrap_or(after);
                let across = (left(*before) + left(*after)).normalize_or(left(*after));
                let reach = (1.0 / across.dot(left(*after)).max(1e-9)).min(MAX_MITRE) * width * 0.5;
                Some((*p - across * reach, *p + across * reach))
            })
            .collect();
        for pair in sides.windows(2) {
            if let [(right_a, left_a), (right_b, left_b)] = pair {
                self.face(&[*right_a, *right_b, *left_b, *left_a]);
            }
        }
    }

    /// A closed round tube along a line, mitred at its corners.
    pub(super) fn tube(&mut self, points: &[DVec3], radius: f64) {
        let directions: Vec<DVec3> =
            points.windows(2).filter_map(|w| Some((*w.last()? - *w.first()?).normalize_or(DVec3::X))).collect();
        let (Some(first), Some(last)) = (directions.first(), directions.last()) else { return };
        // A ring of offsets carried along without twist: at each corner it slides along the way it came, onto
        // the plane that halves the bend.
        let side = first.any_orthonormal_vector();
        let other = first.cross(side);
        let mut ring: Vec<DVec3> = (0..SIDES)
            .map(|k| {
                let angle = k as f64 / SIDES as f64 * std::f64::consts::TAU;
                (side * angle.cos() + other * angle.sin()) * radius
            })
            .collect();
        let mut rings: Vec<Vec<DVec3>> = Vec::with_capacity(points.len());
        for (i, point) in points.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|b| directions.get(b)).unwrap_or(first);
            let after = directions.get(i).unwrap_or(last);
            let across = (*before + *after).normalize_or(*before);
            // Never further than a sharp mitre allows, so that a hairpin stays a hairpin.
            let slope = across.dot(*before).max(0.5);
            let joint: Vec<DVec3> =
                ring.iter().map(|offset| *offset - *before * (offset.dot(across) / slope)).collect();
            rings.push(joint.iter().map(|offset| *point + *offset).collect());
            let turn = glam::DQuat::from_rotation_arc(*before, *after);
            ring = ring.iter().map(|offset| turn * *offset).collect();
        }
        for pair in rings.windows(2) {
            let [a, b] = pair else { continue };
            for k in 0..SIDES {
                let next = (k + 1) % SIDES;
                let corners = [a.get(k), a.get(next), b.get(next), b.get(k)];
                if let [Some(p), Some(q), Some(r), Some(s)] = corners {
                    self.face(&[*p, *q, *r, *s]);
                }
            }
        }
        if let (Some(start), Some(end)) = (rings.first(), rings.last()) {
            let reversed: Vec<DVec3> = start.iter().rev().copied().collect();
            self.face_fan(&reversed, -*first);
            self.face_fan(end, *last);
        }
    }

    fn face_fan(&mut self, corners: &[DVec3], normal: DVec3) {
        let first = self.positions.len() as u32;
        for corner in corners {
            self.corner(*corner, normal);
        }
        for k in 1..(corners.len() as u32).saturating_sub(1) {
            self.indices.extend([first, first + k, first + k + 1]);
        }
    }
}

/// A low-poly tree, 1 m high, its crown 1 m wide, standing on its origin: trunk and crown in their own colours.
pub(super) fn tree() -> Shape {
    let mut mesh = Mesh::default();
    mesh.prism(&disc(0.04, 6), 0.0, 0.35);
    let trunk = mesh.positions.len();
    // Rings of the crown: radius and height; closed by points at both ends.
    let rings = [(0.34, 0.32), (0.5, 0.5), (0.42, 0.72), (0.2, 0.92)];
    let ring = |(radius, height): (f64, f64)| -> Vec<DVec3> {
        (0..8)
            .map(|k| {
                let angle = f64::from(k) / 8.0 * std::f64::consts::TAU + height * 2.0;
                DVec3::new(angle.cos() * radius, angle.sin() * radius, height)
            })
            .collect()
    };
    let rings = rings.map(ring);
    let tips = [DVec3::new(0.0, 0.0, 0.24), DVec3::new(0.0, 0.0, 1.0)];
    for k in 0..8 {
        let next = (k + 1) % 8;
        for pair in rings.windows(2) {
            let [a, b] = pair else { continue };
            if let [Some(p), Some(q), Some(r), Some(s)] = [a.get(k), a.get(next), b.get(next), b.get(k)] {
                mesh.face(&[*p, *q, *r, *s]);
            }
        }
        if let [Some(a), Some(b)] = [rings[0].get(k), rings[0].get(next)] {
            mesh.face(&[tips[0], *b, *a]);
        }
        if let [Some(a), Some(b)] = [rings[3].get(k), rings[3].get(next)] {
            mesh.face(&[*a, *b, tips[1]]);
        }
    }
    let of = |hex: &str| colour::bytes(colour::from_hex(hex).unwrap_or([0.3, 0.3, 0.3, 1.0]));
    let (bark, leaves) = (of("#6e5844"), of("#5f8f4e"));
    let triangles = Triangles {
        positions: mesh.positions.iter().map(|p| p.as_vec3().to_array()).collect(),
        normals: mesh.normals.iter().map(|n| n.as_vec3().to_array()).collect(),
        colours: (0..mesh.positions.len()).map(|i| if i < trunk { bark } else { leaves }).collect(),
        indices: mesh.indices,
    };
    triangles.into()
}

fn disc(radius: f64, sides: u32) -> Polygon {
    let corner = |k: u32| {
        let angle = f64::from(k) / f64::from(sides) * std::f64::consts::TAU;
        geo::Coord { x: angle.cos() * radius, y: angle.sin() * radius }
    };
    Polygon::new((0..sides).map(corner).collect(), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    fn shape(mesh: Mesh) -> Shape {
        mesh.into_shape().unwrap().0
    }

    /// Every edge of a closed mesh is walked once each way.
    fn closed(shape: &Shape) -> bool {
        let key = |i: u32| shape.positions()[i as usize].map(|v| (v * 1e4).round() as i64);
        let mut edges = std::collections::HashMap::new();
        let indices: Vec<u32> = shape.indices().iter().collect();
        for t in indices.chunks_exact(3) {
            for (a, b) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
                *edges.entry((key(a), key(b))).or_insert(0) += 1;
                *edges.entry((key(b), key(a))).or_insert(0) -= 1;
            }
        }
        edges.values().all(|n| *n == 0)
    }

    /// Six times the volume, with its sign: positive when triangles look outwards.
    fn signed_volume(shape: &Shape) -> f64 {
        (0..shape.triangles()).filter_map(|t| shape.triangle(t)).map(|[a, b, c]| a.dot(b.cross(c))).sum::<f64>() / 6.0
    }

    #[test]
    fn a_house_with_a_court_is_closed_and_has_its_volume() {
        // Outer ring clockwise, hole counter-clockwise: the wrong way round, as many files have it.
        let footprint = polygon!(
            exterior: [(x: 0., y: 0.), (x: 0., y: 20.), (x: 10., y: 20.), (x: 10., y: 0.)],
            interiors: [[(x: 4., y: 4.), (x: 6., y: 4.), (x: 6., y: 6.), (x: 4., y: 6.)]],
        );
        let mut mesh = Mesh::default();
        assert!(mesh.prism(&footprint, 3.0, 12.0));
        let shape = shape(mesh);
        assert!(closed(&shape));
        assert!((signed_volume(&shape) - (200.0 - 4.0) * 9.0).abs() < 1e-2, "{}", signed_volume(&shape));
    }

    #[test]
    fn a_bent_pipe_is_closed_and_as_thick_as_it_says() {
        let line = [DVec3::ZERO, DVec3::X * 10.0, DVec3::new(10.0, 10.0, 0.0), DVec3::new(10.0, 10.0, 5.0)];
        let mut mesh = Mesh::default();
        mesh.tube(&line, 0.5);
        let shape = shape(mesh);
        assert!(closed(&shape));
        let section = 0.5 * SIDES as f64 * 0.25 * (std::f64::consts::TAU / SIDES as f64).sin();
        assert!((signed_volume(&shape) - section * 25.0).abs() < 0.05, "{}", signed_volume(&shape));
    }

    #[test]
    fn a_road_is_as_wide_as_it_says_and_looks_up() {
        let mut mesh = Mesh::default();
        mesh.ribbon(&[DVec3::ZERO, DVec3::X * 20.0, DVec3::new(20.0, 20.0, 0.0)], 6.0, 0.0);
        let shape = shape(mesh);
        let area: f64 = (0..shape.triangles())
            .filter_map(|t| shape.triangle(t))
            .map(|[a, b, c]| (b - a).cross(c - a).z * 0.5)
            .sum();
        assert!((area - 6.0 * 40.0).abs() < 1e-3, "{area}");
        assert!(shape.normals().all(|n| n[2] > 0.99));
    }

    #[test]
    fn a_tree_is_two_closed_bodies_one_metre_high() {
        let shape = tree();
        assert!(closed(&shape) && signed_volume(&shape) > 0.2);
        let bounds = shape.bounds().unwrap();
        assert!(bounds.min.z.abs() < 1e-6 && (bounds.max.z - 1.0).abs() < 1e-6);
        assert_eq!(shape.colours().count(), shape.positions().len());
        assert!(shape.triangles() < 120);
    }

    #[test]
    fn nothing_comes_of_nothing() {
        let mut mesh = Mesh::default();
        let line = polygon![(x: 0., y: 0.), (x: 5., y: 0.), (x: 10., y: 0.)];
        assert!(!mesh.prism(&line, 0.0, 3.0) && !mesh.plate(&line, 0.0));
        assert!(!mesh.prism(&disc(1.0, 6), 3.0, 3.0));
        mesh.tube(&[DVec3::ZERO], 1.0);
        mesh.ribbon(&[DVec3::ZERO], 1.0, 0.0);
        assert!(mesh.into_shape().is_none());
    }
}
