//! From the domain frame (f64, Z up) to the one that is drawn (f32, Y up): once, here.
//!
//! East (x) stays x, up (z) becomes y, north (y) becomes −z.

use glam::{Affine3A, DAffine3, DMat3, DVec3, Vec3};

/// A place in the project's frame, as it is drawn.
pub fn drawn(p: DVec3) -> Vec3 {
    Vec3::new(p.x as f32, p.z as f32, -p.y as f32)
}

/// A drawn place, in the project's frame.
pub fn project(p: Vec3) -> DVec3 {
    DVec3::new(p.x.into(), (-p.z).into(), p.y.into())
}

/// A direction as it is drawn, in the project's frame.
pub fn project_direction(d: Vec3) -> DVec3 {
    project(d)
}

/// An element's placement as it is drawn: takes a shape's own corners (Z up) to the drawn frame.
pub fn drawn_placement(placement: &DAffine3) -> Affine3A {
    let turn = DMat3::from_cols(DVec3::X, DVec3::NEG_Z, DVec3::Y);
    let whole = DAffine3 { matrix3: turn * placement.matrix3, translation: turn * placement.translation };
    Affine3A::from_cols(
        whole.matrix3.x_axis.as_vec3().into(),
        whole.matrix3.y_axis.as_vec3().into(),
        whole.matrix3.z_axis.as_vec3().into(),
        whole.translation.as_vec3().into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_is_up_and_north_is_away() {
        assert_eq!(drawn(DVec3::new(1.0, 2.0, 3.0)), Vec3::new(1.0, 3.0, -2.0));
        assert_eq!(project(drawn(DVec3::new(1.0, 2.0, 3.0))), DVec3::new(1.0, 2.0, 3.0));
        let placement = DAffine3::from_rotation_z(0.3) * DAffine3::from_translation(DVec3::new(4.0, 5.0, 6.0));
        let corner = DVec3::new(0.5, -1.0, 2.0);
        let there = drawn_placement(&placement).transform_point3(corner.as_vec3());
        assert!((there - drawn(placement.transform_point3(corner))).length() < 1e-5);
    }
}
