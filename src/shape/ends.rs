//! Where a body ends: flat caps with a round or rectangular rim, and open rims of skins without caps.
//!
//! A cap is a patch of triangles in one plane whose rim is sharp all around, so the facets of a round wall are
//! none. Whether a cap is the end of a duct, or only the side of a box, the mesh alone does not say: whoever asks
//! knows what the body is.

use super::Shape;
use glam::DVec3;
use std::collections::HashMap;

/// Corners nearer than this are one, metres.
const WELD_M: f64 = 5e-5;
/// Triangles of one cap lie this near to its plane, metres.
const FLAT_M: f64 = 3e-4;
/// Cosine of the angle between the normals of one cap's triangles.
const SAME_WAY: f64 = 0.9999;
/// Cosine above which two faces meet smoothly: the facets of a round wall, at 12 sides and more.
const SMOOTH: f64 = 0.75;
/// Smaller caps are screws and rims, metres.
const SMALLEST_M: f64 = 0.008;
/// Corners of a round rim may stand off the circle by this part of its radius.
const ROUNDNESS: f64 = 0.04;
/// Beyond so many triangles times caps, caps hidden in the body are not looked for.
const MAX_TESTS: usize = 4_000_000;

/// The form of an end.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Outline {
    /// A circle.
    Round {
        /// Outer diameter, metres.
        diameter_m: f64,
    },
    /// A rectangle, the longer side first.
    Rect {
        /// Longer side, metres.
        width_m: f64,
        /// Shorter side, metres.
        height_m: f64,
    },
}

impl Outline {
    /// A rectangle of two sides, metres.
    pub fn rect(a: f64, b: f64) -> Self {
        Self::Rect { width_m: a.max(b), height_m: a.min(b) }
    }

    /// A circle, metres.
    pub fn round(diameter_m: f64) -> Self {
        Self::Round { diameter_m }
    }

    /// The area inside, m².
    pub fn area(self) -> f64 {
        match self {
            Self::Round { diameter_m } => std::f64::consts::PI * diameter_m * diameter_m / 4.0,
            Self::Rect { width_m, height_m } => width_m * height_m,
        }
    }

    /// Its smaller extent, metres.
    pub fn least(self) -> f64 {
        match self {
            Self::Round { diameter_m } => diameter_m,
            Self::Rect { height_m, .. } => height_m,
        }
    }

    /// Its larger extent, metres.
    pub fn most(self) -> f64 {
        match self {
            Self::Round { diameter_m } => diameter_m,
            Self::Rect { width_m, .. } => width_m,
        }
    }

    /// The same form, `factor` times as large.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Round { diameter_m } => Self::round(diameter_m * factor),
            Self::Rect { width_m, height_m } => Self::rect(width_m * factor, height_m * factor),
        }
    }

    /// The form of a closed flat line of corners: a circle, a rectangle, or neither. `corners` are in the plane's own
    /// two axes, metres; where the middle is comes with it.
    pub fn of(corners: &[[f64; 2]]) -> Option<(Self, [f64; 2])> {
        let corners = without_straight_corners(corners);
        let n = corners.len();
        let (area, middle) = area_and_middle(&corners)?;
        if area.abs() < SMALLEST_M * SMALLEST_M {
            return None;
        }
        let from_middle = |c: &[f64; 2]| (c[0] - middle[0]).hypot(c[1] - middle[1]);
        if n >= 6 {
            let mean = corners.iter().map(from_middle).sum::<f64>() / n as f64;
            let round = corners.iter().all(|c| (from_middle(c) - mean).abs() <= ROUNDNESS * mean);
            return round.then(|| (Self::round(2.0 * mean), middle));
        }
        let [a, b, c, d] = corners.as_slice() else { return None };
        let side = |p: &[f64; 2], q: &[f64; 2]| [q[0] - p[0], q[1] - p[1]];
        let sides = [side(a, b), side(b, c), side(c, d), side(d, a)];
        let length = |s: &[f64; 2]| s[0].hypot(s[1]);
        let right = sides.iter().zip(sides.iter().cycle().skip(1)).all(|(s, t)| {
            let cosine = (s[0] * t[0] + s[1] * t[1]) / (length(s) * length(t)).max(1e-12);
            cosine.abs() < 0.05
        });
        right.then(|| (Self::rect(length(&sides[0]), length(&sides[1])), middle))
    }
}

/// Leaves out corners where the line goes straight on, and corners that stand twice.
fn without_straight_corners(corners: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let n = corners.len();
    let at = |i: usize| corners.get(i % n.max(1)).copied().unwrap_or_default();
    let turns = |i: usize| {
        let (p, q, r) = (at(i + n - 1), at(i), at(i + 1));
        let (u, v) = ([q[0] - p[0], q[1] - p[1]], [r[0] - q[0], r[1] - q[1]]);
        let lengths = u[0].hypot(u[1]) * v[0].hypot(v[1]);
        lengths > 1e-12 && ((u[0] * v[1] - u[1] * v[0]) / lengths).abs() > 0.01
    };
    (0..n).filter(|i| turns(*i)).map(at).collect()
}

/// Signed area and centre of area of a polygon.
fn area_and_middle(corners: &[[f64; 2]]) -> Option<(f64, [f64; 2])> {
    let first = *corners.first()?;
    let (mut area, mut sum) = (0.0, [0.0, 0.0]);
    for pair in corners.windows(2) {
        let [p, q] = pair else { continue };
        let (p, q) = ([p[0] - first[0], p[1] - first[1]], [q[0] - first[0], q[1] - first[1]]);
        let cross = p[0] * q[1] - p[1] * q[0];
        area += cross / 2.0;
        sum = [sum[0] + cross * (p[0] + q[0]), sum[1] + cross * (p[1] + q[1])];
    }
    (area.abs() > 1e-12).then(|| (area, [first[0] + sum[0] / (6.0 * area), first[1] + sum[1] / (6.0 * area)]))
}

/// An end of a mesh, in the mesh's own frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening {
    /// Its middle, metres.
    pub middle: DVec3,
    /// Out of the body, of length 1.
    pub outward: DVec3,
    /// Its form.
    pub outline: Outline,
}

/// How far a ray of unit length `along` from `from` goes until it meets a triangle that faces it, metres; both in the
/// mesh's own frame. It looks at most `back` behind and `reach` ahead, and takes what is nearest to `from`.
pub fn nearest_hit(shape: &Shape, from: DVec3, along: DVec3, back: f64, reach: f64) -> Option<f64> {
    let facing = |t: &[DVec3; 3]| {
        let normal = (t[1] - t[0]).cross(t[2] - t[0]);
        normal.dot(along) < -0.5 * normal.length()
    };
    let triangles = (0..shape.triangles()).filter_map(|t| shape.triangle(t)).filter(facing);
    let hits = triangles.filter_map(|t| hit(t, from, along)).map(|(t, _)| t);
    hits.filter(|t| (-back..=reach).contains(t)).min_by(|a, b| a.abs().total_cmp(&b.abs()))
}

/// Where a line meets a triangle (Möller and Trumbore), and whether it comes from outside (+1) or inside (-1).
fn hit([a, b, c]: [DVec3; 3], from: DVec3, along: DVec3) -> Option<(f64, i32)> {
    let (ab, ac) = (b - a, c - a);
    let p = along.cross(ac);
    let det = ab.dot(p);
    if det.abs() < 1e-15 {
        return None;
    }
    let to = from - a;
    let u = to.dot(p) / det;
    let q = to.cross(ab);
    let v = along.dot(q) / det;
    (u >= 0.0 && v >= 0.0 && u + v <= 1.0).then(|| (ac.dot(q) / det, if det > 0.0 { 1 } else { -1 }))
}

/// A mesh whose corners are shared by the triangles that meet there.
pub struct Body {
    corners: Vec<DVec3>,
    triangles: Vec<[u32; 3]>,
    normals: Vec<DVec3>,
    /// Triangles at an edge, by its two corners, the lower first.
    edges: HashMap<(u32, u32), Vec<u32>>,
    /// No edge has only one triangle.
    closed: bool,
}

impl Body {
    /// Joins the corners of a mesh.
    pub fn of(shape: &Shape) -> Self {
        let mut known: HashMap<[i64; 3], u32> = HashMap::new();
        let mut mesh = Self {
            corners: Vec::new(),
            triangles: Vec::new(),
            normals: Vec::new(),
            edges: HashMap::new(),
            closed: false,
        };
        for t in 0..shape.triangles() {
            let Some(points) = shape.triangle(t) else { continue };
            let normal = (points[1] - points[0]).cross(points[2] - points[0]);
            let triangle = points.map(|p| {
                let key = (p / WELD_M).round().to_array().map(|v| v as i64);
                *known.entry(key).or_insert_with(|| {
                    mesh.corners.push(p);
                    (mesh.corners.len() - 1) as u32
                })
            });
            let [a, b, c] = triangle;
            let Some(normal) = normal.try_normalize().filter(|_| a != b && b != c && a != c) else { continue };
            let number = mesh.triangles.len() as u32;
            for (p, q) in [(a, b), (b, c), (c, a)] {
                mesh.edges.entry((p.min(q), p.max(q))).or_default().push(number);
            }
            mesh.triangles.push(triangle);
            mesh.normals.push(normal);
        }
        mesh.closed = mesh.edges.values().all(|at| at.len() > 1);
        mesh
    }

    fn corner(&self, i: u32) -> DVec3 {
        self.corners.get(i as usize).copied().unwrap_or_default()
    }

    fn normal(&self, t: u32) -> DVec3 {
        self.normals.get(t as usize).copied().unwrap_or_default()
    }

    fn edges_of(&self, t: u32) -> [(u32, u32); 3] {
        let [a, b, c] = self.triangles.get(t as usize).copied().unwrap_or_default();
        [(a, b), (b, c), (c, a)]
    }

    fn at_edge(&self, (a, b): (u32, u32)) -> &[u32] {
        self.edges.get(&(a.min(b), a.max(b))).map_or(&[], Vec::as_slice)
    }

    /// All caps and open rims that are not hidden in the body, in the order of its triangles.
    pub fn openings(&self) -> Vec<Opening> {
        let mut found = self.caps();
        found.extend(self.open_rims());
        if found.len().saturating_mul(self.triangles.len()) <= MAX_TESTS {
            found.retain(|o| !self.contains(o.middle + o.outward * 1e-3));
        }
        found
    }

    /// Is a point inside? `point` is in the mesh's own frame, metres. Bodies that overlap count as one; nothing is
    /// inside of a body that is not closed.
    pub fn contains(&self, point: DVec3) -> bool {
        if !self.closed {
            return false;
        }
        // Signed crossings of a ray into a direction that no drawing uses.
        let along = DVec3::new(0.541_196, 0.331_413, 0.772_811).normalize();
        let corners = |t: &[u32; 3]| t.map(|i| self.corner(i));
        let turns = self.triangles.iter().filter_map(|t| hit(corners(t), point, along)).filter(|(t, _)| *t > 0.0);
        turns.map(|(_, sign)| sign).sum::<i32>() != 0
    }

    fn caps(&self) -> Vec<Opening> {
        let mut patch_of = vec![u32::MAX; self.triangles.len()];
        let mut found = Vec::new();
        for seed in 0..self.triangles.len() as u32 {
            if patch_of.get(seed as usize) != Some(&u32::MAX) {
                continue;
            }
            let patch = self.patch(seed, &mut patch_of);
            found.extend(self.cap(seed, &patch, &patch_of));
        }
        found
    }

    /// The triangles in one plane with `seed` that hang together.
    fn patch(&self, seed: u32, patch_of: &mut [u32]) -> Vec<u32> {
        let normal = self.normal(seed);
        let origin = self.corner(self.edges_of(seed)[0].0);
        let flat = |t: u32| {
            self.normal(t).dot(normal) > SAME_WAY
                && self.edges_of(t).iter().all(|(p, _)| (self.corner(*p) - origin).dot(normal).abs() < FLAT_M)
        };
        let mut patch = vec![seed];
        if let Some(own) = patch_of.get_mut(seed as usize) {
            *own = seed;
        }
        let mut next = 0;
        while let Some(t) = patch.get(next).copied() {
            next += 1;
            for edge in self.edges_of(t) {
                for other in self.at_edge(edge) {
                    if patch_of.get(*other as usize) == Some(&u32::MAX) && flat(*other) {
                        if let Some(own) = patch_of.get_mut(*other as usize) {
                            *own = seed;
                        }
                        patch.push(*other);
                    }
                }
            }
        }
        patch
    }

    fn cap(&self, seed: u32, patch: &[u32], patch_of: &[u32]) -> Option<Opening> {
        let normal = self.normal(seed);
        let inside = |t: &u32| patch_of.get(*t as usize) == Some(&seed);
        let mut rim: Vec<(u32, u32)> = Vec::new();
        for t in patch {
            for edge in self.edges_of(*t) {
                let here = self.at_edge(edge);
                if here.iter().filter(|o| inside(o)).count() != 1 {
                    continue;
                }
                // One neighbour that goes on smoothly: a facet of something round.
                if let [one, other] = here
                    && self.normal(*one).dot(self.normal(*other)) > SMOOTH
                {
                    return None;
                }
                rim.push(edge);
            }
        }
        self.opening(&rim, normal)
    }

    /// Rims that no triangle closes.
    fn open_rims(&self) -> Vec<Opening> {
        let mut single: Vec<(u32, u32, u32)> = Vec::new();
        for t in 0..self.triangles.len() as u32 {
            single.extend(self.edges_of(t).into_iter().filter(|e| self.at_edge(*e).len() == 1).map(|(a, b)| (a, b, t)));
        }
        let edges: Vec<(u32, u32)> = single.iter().map(|(a, b, _)| (*a, *b)).collect();
        let mut found = Vec::new();
        for ring in rings(&edges) {
            let points: Vec<DVec3> = ring.iter().map(|i| self.corner(*i)).collect();
            let middle = points.iter().sum::<DVec3>() / points.len().max(1) as f64;
            let around =
                points.iter().zip(points.iter().cycle().skip(1)).map(|(p, q)| (*p - middle).cross(*q - middle));
            let Some(normal) = around.sum::<DVec3>().try_normalize() else { continue };
            if points.iter().any(|p| (*p - middle).dot(normal).abs() > 10.0 * FLAT_M) {
                continue;
            }
            // Out of the body: away from the triangles at the rim, which must go back from it.
            let members: std::collections::HashSet<u32> = ring.iter().copied().collect();
            let walls = single.iter().filter(|(a, b, _)| members.contains(a) && members.contains(b));
            let (mut back, mut count) = (0.0, 0.0);
            for (a, b, t) in walls {
                let third = self.edges_of(*t).into_iter().map(|e| e.0).find(|i| i != a && i != b);
                if let Some(third) = third {
                    back += (self.corner(third) - middle).dot(normal);
                    count += 1.0;
                }
            }
            if count == 0.0 || (back / count).abs() < 1e-3 {
                continue;
            }
            let outward = if back > 0.0 { -normal } else { normal };
            let edges: Vec<(u32, u32)> = ring.iter().copied().zip(ring.iter().copied().cycle().skip(1)).collect();
            found.extend(self.opening(&edges, outward));
        }
        found
    }

    /// The opening inside a rim: its outermost ring.
    fn opening(&self, rim: &[(u32, u32)], outward: DVec3) -> Option<Opening> {
        let x = outward.any_orthonormal_vector();
        let y = outward.cross(x);
        let mut best: Option<(f64, Vec<[f64; 2]>, f64)> = None;
        for ring in rings(rim) {
            let depth = self.corner(*ring.first()?).dot(outward);
            let flat: Vec<[f64; 2]> = ring.iter().map(|i| self.corner(*i)).map(|p| [p.dot(x), p.dot(y)]).collect();
            let Some((area, _)) = area_and_middle(&flat) else { continue };
            if best.as_ref().is_none_or(|(most, ..)| area.abs() > *most) {
                best = Some((area.abs(), flat, depth));
            }
        }
        let (_, flat, depth) = best?;
        let (outline, [u, v]) = Outline::of(&flat)?;
        let middle = x * u + y * v + outward * depth;
        (outline.least() >= SMALLEST_M).then_some(Opening { middle, outward, outline })
    }
}

/// Chains edges to closed rings; what does not close, or touches itself, is left out.
fn rings(edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
    let mut next: HashMap<u32, Vec<u32>> = HashMap::new();
    for (a, b) in edges {
        next.entry(*a).or_default().push(*b);
    }
    let mut found = Vec::new();
    for (first, _) in edges {
        let mut ring = vec![*first];
        let mut at = *first;
        while let Some(to) = next.get_mut(&at).and_then(|list| if list.len() == 1 { list.pop() } else { None }) {
            if to == *first {
                if ring.len() >= 3 {
                    found.push(ring);
                }
                break;
            }
            ring.push(to);
            at = to;
            if ring.len() > edges.len() {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Triangles;
    use std::f64::consts::{FRAC_PI_2, TAU};

    fn openings(triangles: &Triangles) -> Vec<Opening> {
        Body::of(&triangles.clone().into()).openings()
    }

    /// Walls between rings, with or without a cap at each end.
    fn skin(rings: &[Vec<DVec3>], capped: bool) -> Triangles {
        let mut shape = Triangles::default();
        let n = rings[0].len();
        let mut triangle = |a: DVec3, b: DVec3, c: DVec3| {
            for p in [a, b, c] {
                shape.indices.push(shape.positions.len() as u32);
                shape.positions.push(p.as_vec3().to_array());
                shape.normals.push([0.0, 0.0, 1.0]);
            }
        };
        for pair in rings.windows(2) {
            for i in 0..n {
                let j = (i + 1) % n;
                triangle(pair[0][i], pair[0][j], pair[1][j]);
                triangle(pair[0][i], pair[1][j], pair[1][i]);
            }
        }
        if capped {
            let last = rings.last().unwrap();
            for i in 1..n - 1 {
                triangle(rings[0][0], rings[0][i + 1], rings[0][i]);
                triangle(last[0], last[i], last[i + 1]);
            }
        }
        shape
    }

    fn circle(n: usize, radius: f64, z: f64) -> Vec<DVec3> {
        (0..n)
            .map(|i| (TAU * i as f64 / n as f64).sin_cos())
            .map(|(sin, cos)| DVec3::new(radius * cos, radius * sin, z))
            .collect()
    }

    fn rectangle(w: f64, h: f64, z: f64) -> Vec<DVec3> {
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(x, y)| DVec3::new(x * w, y * h, z)).to_vec()
    }

    #[test]
    fn a_pipe_has_two_ends_capped_or_open_and_of_any_fineness() {
        for n in [12, 16, 24, 48, 160] {
            for capped in [true, false] {
                let ends = openings(&skin(&[circle(n, 0.05, 0.0), circle(n, 0.05, 2.0)], capped));
                assert_eq!(ends.len(), 2, "{n} sides, capped {capped}: {ends:?}");
                for end in ends {
                    let Outline::Round { diameter_m } = end.outline else { panic!("{end:?}") };
                    assert!((diameter_m - 0.1).abs() < 1e-4, "{end:?}");
                    let z = if end.outward.z > 0.0 { 2.0 } else { 0.0 };
                    assert!((end.middle - DVec3::Z * z).length() < 1e-5 && end.outward.z.abs() > 0.999, "{end:?}");
                }
            }
        }
    }

    #[test]
    fn a_box_has_six_faces_and_a_transition_two_parallel_ones() {
        let ends = openings(&skin(&[rectangle(0.4, 0.3, 0.0), rectangle(0.4, 0.3, 1.2)], true));
        assert_eq!(ends.len(), 6);
        let across = |e: &&Opening| (e.outline.most() - 0.4).abs() < 1e-6 && (e.outline.least() - 0.3).abs() < 1e-6;
        assert_eq!(ends.iter().filter(across).count(), 2, "{ends:?}");
        let cone = openings(&skin(&[rectangle(0.4, 0.3, 0.0), rectangle(0.7, 0.5, 0.5)], true));
        let along: Vec<_> = cone.iter().filter(|e| e.outward.z.abs() > 0.99).collect();
        assert_eq!((cone.len(), along.len()), (2, 2), "{cone:?}");
    }

    #[test]
    fn a_bend_ends_in_two_directions() {
        let (radius, steps) = (0.3, 8);
        let rings: Vec<Vec<DVec3>> = (0..=steps)
            .map(|i| (FRAC_PI_2 * f64::from(i) / f64::from(steps)).sin_cos())
            .map(|(sin, cos)| {
                let ring = circle(24, 0.1, 0.0);
                ring.into_iter().map(|p| DVec3::new(radius - (radius - p.x) * cos, p.y, (radius - p.x) * sin)).collect()
            })
            .collect();
        let ends = openings(&skin(&rings, true));
        assert_eq!(ends.len(), 2, "{ends:?}");
        assert!(ends.iter().any(|e| e.outward.z < -0.999 && e.middle.length() < 1e-5));
        let far = DVec3::new(radius, 0.0, radius);
        assert!(ends.iter().any(|e| e.outward.x > 0.999 && (e.middle - far).length() < 1e-5), "{ends:?}");
    }

    #[test]
    fn what_is_hidden_in_the_body_is_no_end() {
        // A flange of larger diameter over the first third of a pipe: the pipe's own end is flush inside it.
        let mut shape = skin(&[circle(24, 0.05, 0.02), circle(24, 0.05, 1.0)], true);
        let flange = skin(&[circle(24, 0.09, 0.0), circle(24, 0.09, 0.3)], true);
        let first = shape.positions.len() as u32;
        shape.positions.extend(flange.positions);
        shape.indices.extend(flange.indices.iter().map(|i| i + first));
        let ends = openings(&shape);
        assert_eq!(ends.len(), 2, "the flange's front and the pipe's far end: {ends:?}");
        let body = Body::of(&shape.into());
        assert!(body.contains(DVec3::Z * 0.5) && !body.contains(DVec3::Z * 1.5));
    }

    #[test]
    fn a_ray_meets_what_is_nearest_to_where_it_starts() {
        let shape = Shape::from(skin(&[rectangle(1.0, 1.0, 0.0), rectangle(1.0, 1.0, 1.0)], true));
        let at = |z: f64| nearest_hit(&shape, DVec3::new(0.1, 0.2, z), DVec3::Z, 0.05, 0.05);
        assert!(
            at(-0.02).is_some_and(|t| (t - 0.02).abs() < 1e-9) && at(0.03).is_some_and(|t| (t + 0.03).abs() < 1e-9)
        );
        assert_eq!(at(-0.2), None);
        assert_eq!(at(1.0), None, "from inside it goes out and meets nothing");
    }

    #[test]
    fn rubbish_gives_nothing_and_does_not_hang() {
        assert_eq!(openings(&Triangles::default()), []);
        let one = Triangles { positions: vec![[0.0; 3]; 3], indices: vec![0, 1, 2, 7, 8, 9], ..Triangles::default() };
        assert_eq!(openings(&one), []);
    }
}
