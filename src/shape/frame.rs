//! From the domain frame (f64, Z up) to the one that is drawn (f32, Y up): once, here.
//!
//! East (x) stays x, up (z) becomes y, north (y) becomes −z. Meshes keep their corners as they are (Z up):
//! an element's drawn placement turns them.

use glam::{Affine3A, DAffine3, DMat3, DVec3, Mat4, Vec3};

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

/// A direction in the project's frame, as it is drawn.
pub fn drawn_direction(d: DVec3) -> Vec3 {
    drawn(d)
}

/// An element's placement as it is drawn: takes a shape's own corners (Z up) to the drawn frame. Worked out
/// in f64 and rounded last.
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

/// As [`drawn_placement`], as a matrix.
pub fn drawn_matrix(placement: &DAffine3) -> Mat4 {
    drawn_placement(placement).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn up_is_up_and_north_is_away() {
        assert_eq!(drawn(DVec3::X), Vec3::X);
        assert_eq!(drawn(DVec3::Y), Vec3::NEG_Z);
        assert_eq!(drawn(DVec3::Z), Vec3::Y);
        assert_eq!(project(drawn(DVec3::new(1.0, 2.0, 3.0))), DVec3::new(1.0, 2.0, 3.0));
    }

    #[test]
    fn nothing_is_mirrored() {
        let axes = [DVec3::X, DVec3::Y, DVec3::Z].map(drawn_direction);
        assert!((axes[0].cross(axes[1]) - axes[2]).length() < 1e-6);
        assert!((drawn_placement(&DAffine3::IDENTITY).matrix3.determinant() - 1.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn placed_then_drawn_is_drawn_placed(
            angle in -3.0..3.0_f64,
            shift in prop::array::uniform3(-200.0..200.0_f64),
            corner in prop::array::uniform3(-20.0..20.0_f64),
        ) {
            let placement = DAffine3::from_translation(shift.into())
                * DAffine3::from_axis_angle(DVec3::new(1.0, 2.0, 3.0).normalize(), angle);
            let corner = DVec3::from_array(corner);
            let ours = drawn_placement(&placement).transform_point3(corner.as_vec3());
            let there = drawn(placement.transform_point3(corner));
            prop_assert!((ours - there).length() < 1e-4);
            prop_assert!((drawn_matrix(&placement).transform_point3(corner.as_vec3()) - there).length() < 1e-4);
            prop_assert!((project(there) - placement.transform_point3(corner)).length() < 1e-4);
        }
    }
}
