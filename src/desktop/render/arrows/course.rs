//! The way a flow takes through a straight element: where its axis lies, how wide it is, and whether it is round.

use crate::shape::Shape;
use glam::{DAffine3, DVec3};

/// A straight pipe or duct as the shader wants it, in the project's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// The middle of its axis, metres.
    pub centre: DVec3,
    /// Unit vector along it, from where its link begins to where it ends.
    pub axis: DVec3,
    /// Half of its width across: the radius, or half the shorter side, metres.
    pub half_m: f64,
    /// Round; otherwise it has flat sides.
    pub round: bool,
    /// From one arrow to the next, metres.
    pub spacing_m: f64,
}

/// Arrows stand so many half widths apart …
const SPACING: f64 = 7.0;
/// … within these bounds, metres: no swarm on a thin pipe, more than one on a wide duct.
const SPACING_M: [f64; 2] = [0.2, 1.6];
/// What is shorter than this part of the spacing gets no arrow: fittings, stubs.
const SHORTEST: f64 = 0.5;
/// An axis of the shape's own frame so near (cosine) to the way from end to end is the axis: the middle of a tee lies
/// beside the end of a branch.
const SNAP: f64 = 0.95;
/// Corners whose normal is neither across nor along: more of them than this part, and it is a bend.
const BENT: f64 = 0.25;
/// The mean cosine between normals and the way out of the axis: 0.97 for twelve sides, at most 0.7 for a square.
const ROUND: f64 = 0.85;

impl Course {
    /// The course through a shape, which `placement` puts into the project's frame, from one place to another (metres,
    /// project frame). None for what is bent, too short, or has no extent.
    pub fn of(shape: &Shape, placement: &DAffine3, from: DVec3, to: DVec3) -> Option<Self> {
        let way = (to - from).try_normalize()?;
        let own = [placement.matrix3.x_axis, placement.matrix3.y_axis, placement.matrix3.z_axis];
        let near = own.iter().filter_map(|a| a.try_normalize()).find(|a| a.dot(way).abs() > SNAP);
        let axis = near.map_or(way, |a| a * a.dot(way).signum());
        let side = axis.any_orthonormal_vector();
        let frame = [axis, side, axis.cross(side)];

        let place = |p: &[f32; 3]| placement.transform_point3(DVec3::from(p.map(f64::from)));
        let (mut least, mut most) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for p in shape.positions().iter().map(place) {
            let at = DVec3::from(frame.map(|f| f.dot(p)));
            (least, most) = (least.min(at), most.max(at));
        }
        let (middle, extent) = ((least + most) * 0.5, most - least);
        if !extent.is_finite() {
            return None;
        }
        let centre = frame.iter().zip(middle.to_array()).map(|(f, m)| *f * m).sum::<DVec3>();

        let (mut across, mut bent, mut out, mut reach, mut flat) = (0.0, 0.0, 0.0, 0.0, f64::INFINITY);
        let turn = placement.matrix3;
        for (p, n) in shape.positions().iter().map(place).zip(shape.normals()) {
            let Some(n) = (turn * DVec3::from(n.map(f64::from))).try_normalize() else { continue };
            let along = n.dot(axis).abs();
            if along > 0.8 {
                continue;
            }
            bent += f64::from(u8::from(along > 0.25));
            let off = p - centre;
            let off = off - axis * off.dot(axis);
            across += 1.0;
            out += n.dot(off.normalize_or_zero()).abs();
            reach += off.length();
            flat = f64::min(flat, n.dot(off).abs());
        }
        if across == 0.0 || bent > across * BENT {
            return None;
        }
        let round = out / across > ROUND;
        let half_m = if round { reach / across } else { flat };
        let spacing_m = (half_m * SPACING).clamp(SPACING_M[0], SPACING_M[1]);
        // NaN is no course either.
        (half_m > 1e-3 && extent.x >= spacing_m * SHORTEST).then_some(Self { centre, axis, half_m, round, spacing_m })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Triangles;

    /// Sides of a prism along its own z, each flat, with caps.
    fn prism(rim: &[[f64; 2]], length: f64) -> Shape {
        let mut out = Triangles::default();
        for (i, a) in rim.iter().enumerate() {
            let b = rim[(i + 1) % rim.len()];
            let n = DVec3::new(b[1] - a[1], a[0] - b[0], 0.0).normalize();
            for (p, z) in [(a, 0.0), (&b, 0.0), (&b, length), (a, length)] {
                out.positions.push([p[0] as f32, p[1] as f32, z as f32]);
                out.normals.push(n.as_vec3().to_array());
            }
            for (z, n) in [(0.0, -1.0), (length, 1.0)] {
                out.positions.push([a[0] as f32, a[1] as f32, z as f32]);
                out.normals.push([0.0, 0.0, n]);
            }
        }
        out.into()
    }

    fn circle(radius: f64, sides: usize) -> Vec<[f64; 2]> {
        let at = |i: usize| std::f64::consts::TAU * i as f64 / sides as f64;
        (0..sides).map(|i| [radius * at(i).cos(), radius * at(i).sin()]).collect()
    }

    fn rectangle(a: f64, b: f64) -> Vec<[f64; 2]> {
        vec![[-a, -b], [a, -b], [a, b], [-a, b]]
    }

    #[test]
    fn a_pipe_is_round_and_a_duct_is_not() {
        // Lying along −x, away from the origin, and entered at the far end.
        let turn = DAffine3::from_translation(DVec3::new(40.0, 5.0, 3.0))
            * DAffine3::from_rotation_y(-std::f64::consts::FRAC_PI_2);
        let [from, to] = [DVec3::new(36.0, 5.0, 3.0), DVec3::new(40.0, 5.0, 3.0)];
        let pipe = Course::of(&prism(&circle(0.05, 12), 4.0), &turn, from, to).unwrap();
        assert!(pipe.round && (pipe.half_m - 0.05).abs() < 2e-3, "{pipe:?}");
        assert!(pipe.axis.distance(DVec3::X) < 1e-9 && pipe.centre.distance(DVec3::new(38.0, 5.0, 3.0)) < 1e-6);
        let back = Course::of(&prism(&circle(0.05, 12), 4.0), &turn, to, from).unwrap();
        assert!(back.axis.distance(DVec3::NEG_X) < 1e-9, "the other way round: {back:?}");

        for (a, b) in [(0.3, 0.3), (0.6, 0.1)] {
            let duct = Course::of(&prism(&rectangle(a, b), 4.0), &turn, from, to).unwrap();
            assert!(!duct.round && (duct.half_m - b).abs() < 1e-6, "{duct:?}");
            assert!(duct.spacing_m >= 0.2 && duct.spacing_m <= 1.6);
        }
    }

    #[test]
    fn the_middle_of_a_tee_beside_the_end_turns_nothing() {
        let pipe = prism(&circle(0.05, 16), 2.0);
        let course = Course::of(&pipe, &DAffine3::IDENTITY, DVec3::new(0.1, 0.0, -0.1), DVec3::Z * 2.0).unwrap();
        assert!(course.axis.distance(DVec3::Z) < 1e-9, "{course:?}");
        assert!(course.centre.distance(DVec3::Z) < 1e-6, "{course:?}");
    }

    #[test]
    fn what_is_short_bent_or_nothing_has_none() {
        let stub = prism(&circle(0.05, 12), 0.08);
        assert_eq!(Course::of(&stub, &DAffine3::IDENTITY, DVec3::ZERO, DVec3::Z), None);
        let pipe = prism(&circle(0.05, 12), 2.0);
        // Its ends lie as those of an elbow do.
        assert_eq!(Course::of(&pipe, &DAffine3::IDENTITY, DVec3::X, DVec3::Z), None);
        assert_eq!(Course::of(&pipe, &DAffine3::IDENTITY, DVec3::Z, DVec3::Z), None);
        assert_eq!(Course::of(&Shape::default(), &DAffine3::IDENTITY, DVec3::ZERO, DVec3::Z), None);
        let nan = DAffine3::from_translation(DVec3::splat(f64::NAN));
        assert_eq!(Course::of(&pipe, &nan, DVec3::ZERO, DVec3::Z), None);
    }
}
