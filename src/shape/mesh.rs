//! Triangle meshes in frames of their own: as readers make them, and as they are held.

use super::Aabb;
use glam::{DVec3, Vec3};

/// Triangles as readers make them, to become a [`Shape`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Triangles {
    /// Corners, metres.
    pub positions: Vec<[f32; 3]>,
    /// One unit normal a corner.
    pub normals: Vec<[f32; 3]>,
    /// One colour a corner, linear RGBA 8 bit; empty where the whole shape has its element's colour.
    pub colours: Vec<[u8; 4]>,
    /// Three indices a triangle.
    pub indices: Vec<u32>,
}

/// A triangle mesh in its own small frame (f32, metres, Z up), shared by every element that looks alike.
///
/// A site holds many of them for long, so they take few bytes: 16 a corner and 6 a triangle, 12 in shapes of more
/// than 65,536 corners.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    pub(crate) positions: Box<[[f32; 3]]>,
    pub(crate) normals: Box<[Normal]>,
    pub(crate) colours: Box<[Run]>,
    pub(crate) indices: Indices,
}

impl From<Triangles> for Shape {
    fn from(triangles: Triangles) -> Self {
        let Triangles { positions, normals, colours, indices } = triangles;
        let mut runs: Vec<Run> = Vec::new();
        for (end, colour) in (1..).zip(colours) {
            match runs.last_mut() {
                Some(last) if last.colour == colour => last.end = end,
                _ => runs.push(Run { end, colour }),
            }
        }
        Self {
            positions: positions.into(),
            normals: normals.into_iter().map(Normal::from).collect(),
            colours: runs.into(),
            indices: indices.into(),
        }
    }
}

impl Shape {
    /// Corners, metres.
    pub fn positions(&self) -> &[[f32; 3]] {
        &self.positions
    }

    /// One unit normal a corner, right to 0.01°; none where its reader knew of none.
    pub fn normals(&self) -> impl ExactSizeIterator<Item = [f32; 3]> {
        self.normals.iter().map(|n| (*n).into())
    }

    /// One colour a corner, linear RGBA 8 bit; none where the whole shape has its element's colour.
    pub fn colours(&self) -> impl Iterator<Item = [u8; 4]> {
        let mut from = 0;
        self.colours.iter().flat_map(move |run| {
            let count = run.end.saturating_sub(from);
            from = from.max(run.end);
            std::iter::repeat_n(run.colour, count as usize)
        })
    }

    /// Three indices a triangle.
    pub fn indices(&self) -> &Indices {
        &self.indices
    }

    /// How many triangles it has.
    pub fn triangles(&self) -> usize {
        self.indices.len() / 3
    }

    /// The box around its corners, in its own frame.
    pub fn bounds(&self) -> Option<Aabb> {
        Aabb::around(self.positions.iter().map(|p| DVec3::new(p[0].into(), p[1].into(), p[2].into())))
    }

    /// The corners of triangle `t`, in its own frame; none when out of range.
    pub fn triangle(&self, t: usize) -> Option<[DVec3; 3]> {
        let at = |k: usize| {
            let p = self.positions.get(self.indices.get(3 * t + k)? as usize)?;
            Some(DVec3::new(p[0].into(), p[1].into(), p[2].into()))
        };
        Some([at(0)?, at(1)?, at(2)?])
    }

    /// Volume by the divergence theorem, m³; right for closed meshes with outward triangles.
    pub fn volume_m3(&self) -> f64 {
        (0..self.triangles())
            .filter_map(|t| self.triangle(t))
            .map(|[a, b, c]| a.dot(b.cross(c)) / 6.0)
            .sum::<f64>()
            .abs()
    }
}

/// A unit normal in four bytes: its place on an octahedron that is folded flat (Cigolle et al., "A Survey of Efficient
/// Representations for Independent Unit Vectors", JCGT 2014). The six axes are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Normal(pub(crate) [i16; 2]);

const UNIT: f32 = i16::MAX as f32;

impl From<[f32; 3]> for Normal {
    fn from(normal: [f32; 3]) -> Self {
        let n = Vec3::from_array(normal);
        let n = n / n.abs().element_sum();
        if !n.is_finite() {
            return Self([0, 0]);
        }
        let (x, y) =
            if n.z < 0.0 { ((1.0 - n.y.abs()).copysign(n.x), (1.0 - n.x.abs()).copysign(n.y)) } else { (n.x, n.y) };
        Self([x, y].map(|v| (v * UNIT).round() as i16))
    }
}

impl From<Normal> for [f32; 3] {
    fn from(Normal(packed): Normal) -> Self {
        let [x, y] = packed.map(|v| f32::from(v) / UNIT);
        let z = 1.0 - x.abs() - y.abs();
        let below = (-z).max(0.0);
        Vec3::new(x - below.copysign(x), y - below.copysign(y), z).normalize_or(Vec3::Z).to_array()
    }
}

/// Corners of one colour, up to that of number `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) end: u32,
    pub(crate) colour: [u8; 4],
}

/// Numbers of things, in two bytes each where none is larger.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Indices {
    /// None is above 65,535.
    Short(Box<[u16]>),
    /// Some may be.
    Long(Box<[u32]>),
}

impl Default for Indices {
    fn default() -> Self {
        Self::Short(Box::default())
    }
}

impl From<Vec<u32>> for Indices {
    fn from(numbers: Vec<u32>) -> Self {
        if numbers.iter().all(|n| *n <= u32::from(u16::MAX)) {
            Self::Short(numbers.into_iter().map(|n| n as u16).collect())
        } else {
            Self::Long(numbers.into())
        }
    }
}

impl Indices {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Short(numbers) => numbers.len(),
            Self::Long(numbers) => numbers.len(),
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number `i` of them; none when out of range.
    pub fn get(&self, i: usize) -> Option<u32> {
        match self {
            Self::Short(numbers) => numbers.get(i).map(|n| u32::from(*n)),
            Self::Long(numbers) => numbers.get(i).copied(),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// The largest.
    pub fn max(&self) -> Option<u32> {
        match self {
            Self::Short(numbers) => numbers.iter().max().map(|n| u32::from(*n)),
            Self::Long(numbers) => numbers.iter().max().copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_held_is_what_was_made() {
        let colours = vec![[1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3, 4]];
        let made = Triangles {
            positions: vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            normals: vec![[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            colours: colours.clone(),
            indices: vec![0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3],
        };
        let shape = Shape::from(made.clone());
        assert_eq!(shape.positions(), made.positions);
        assert_eq!(shape.normals().collect::<Vec<_>>(), made.normals, "axes are exact");
        assert_eq!(shape.colours().collect::<Vec<_>>(), colours);
        assert_eq!(shape.indices().iter().collect::<Vec<_>>(), made.indices);
        assert!((shape.volume_m3() - 1.0 / 6.0).abs() < 1e-9);
        let one = Triangles { colours: vec![colours[0]; 4], ..made.clone() };
        assert_eq!(Shape::from(one).colours().count(), 4);
        assert_eq!(Shape::from(Triangles { colours: Vec::new(), ..made }).colours().count(), 0);
    }

    #[test]
    fn large_numbers_are_kept_whole() {
        for largest in [65_535, 65_536] {
            let indices = Indices::from(vec![0, 7, largest]);
            assert_eq!(matches!(indices, Indices::Short(_)), largest == 65_535);
            assert_eq!(indices.iter().collect::<Vec<_>>(), [0, 7, largest]);
            assert_eq!((indices.max(), indices.get(2), indices.get(3)), (Some(largest), Some(largest), None));
        }
        assert_eq!(Indices::from(Vec::new()), Indices::default());
    }

    proptest! {
        #[test]
        fn a_normal_keeps_its_direction(x in -1.0..1.0_f32, y in -1.0..1.0_f32, z in -1.0..1.0_f32) {
            let normal = Vec3::new(x, y, z);
            prop_assume!(normal.length() > 1e-3);
            let normal = normal.normalize();
            let back = Vec3::from_array(Normal::from(normal.to_array()).into());
            prop_assert!((back.length() - 1.0).abs() < 1e-6);
            prop_assert!(back.cross(normal).length() < 0.01_f32.to_radians() && back.dot(normal) > 0.0, "{normal} {back}");
        }
    }
}
