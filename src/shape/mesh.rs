//! A triangle mesh in its own frame.

use super::Aabb;
use glam::DVec3;

/// A triangle mesh in its own small frame (f32, metres, Z up), shared by every element that looks alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Corners, metres.
    pub positions: Vec<[f32; 3]>,
    /// One unit normal a corner.
    pub normals: Vec<[f32; 3]>,
    /// One colour a corner, linear RGBA 8 bit; empty where the whole shape has its element's colour.
    pub colours: Vec<[u8; 4]>,
    /// Three indices a triangle.
    pub indices: Vec<u32>,
}

impl Shape {
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
            let p = self.positions.get(*self.indices.get(3 * t + k)? as usize)?;
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
