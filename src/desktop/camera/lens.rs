//! A perspective whose picture is centred in the part of the window that the panels leave free.
//!
//! The whole window is drawn, with the vanishing point moved: viewports of a part of the window and
//! screen-space ambient occlusion do not go together in this engine's version.

use super::pose::FIELD_OF_VIEW;
use bevy::camera::{CameraProjection, SubCameraView};
use bevy::math::{Mat4, Rect, Vec2, Vec3A, Vec4};

/// The nearest that is drawn, metres.
const NEAR: f32 = 0.08;

/// The perspective of the scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    /// Size of the window, logical pixels.
    pub window: Vec2,
    /// The part of it that shows the scene, logical pixels.
    pub area: Rect,
}

impl Default for Lens {
    fn default() -> Self {
        let window = Vec2::new(1280.0, 800.0);
        Self { window, area: Rect::from_corners(Vec2::ZERO, window) }
    }
}

impl Lens {
    /// Width by height of the part that shows the scene.
    pub fn aspect(&self) -> f32 {
        self.area.width().max(1.0) / self.area.height().max(1.0)
    }

    /// Tangents of the window's rims as seen from the eye: left, right, bottom, top.
    fn rims(&self) -> [f32; 4] {
        let tan = (FIELD_OF_VIEW * 0.5).tan();
        let half = self.area.size().max(Vec2::ONE) * 0.5;
        let centre = self.area.center();
        // One logical pixel's tangent; the field of view is that of the area's height.
        let pixel = tan / half.y;
        [-centre.x * pixel, (self.window.x - centre.x) * pixel, -(self.window.y - centre.y) * pixel, centre.y * pixel]
    }
}

impl CameraProjection for Lens {
    fn get_clip_from_view(&self) -> Mat4 {
        let [left, right, bottom, top] = self.rims();
        // Reverse depth without a far plane, as the engine has it.
        Mat4::from_cols(
            Vec4::new(2.0 / (right - left), 0.0, 0.0, 0.0),
            Vec4::new(0.0, 2.0 / (top - bottom), 0.0, 0.0),
            Vec4::new((right + left) / (right - left), (top + bottom) / (top - bottom), 0.0, -1.0),
            Vec4::new(0.0, 0.0, NEAR, 0.0),
        )
    }

    fn get_clip_from_view_for_sub(&self, _sub_view: &SubCameraView) -> Mat4 {
        self.get_clip_from_view()
    }

    fn update(&mut self, width: f32, height: f32) {
        let all = self.area == Rect::from_corners(Vec2::ZERO, self.window);
        self.window = Vec2::new(width, height);
        if all {
            self.area = Rect::from_corners(Vec2::ZERO, self.window);
        }
    }

    fn far(&self) -> f32 {
        20_000.0
    }

    fn get_frustum_corners(&self, z_near: f32, z_far: f32) -> [Vec3A; 8] {
        let [left, right, bottom, top] = self.rims();
        let at = |x: f32, y: f32, z: f32| Vec3A::new(x * z.abs(), y * z.abs(), z);
        [
            at(right, bottom, z_near),
            at(right, top, z_near),
            at(left, top, z_near),
            at(left, bottom, z_near),
            at(right, bottom, z_far),
            at(right, top, z_far),
            at(left, top, z_far),
            at(left, bottom, z_far),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::math::Vec3;

    #[test]
    fn what_is_looked_at_is_in_the_middle_of_the_area() {
        let lens = Lens { window: Vec2::new(1000.0, 500.0), area: Rect::new(200.0, 50.0, 700.0, 450.0) };
        let clip = lens.get_clip_from_view();
        let ahead = clip.project_point3(Vec3::new(0.0, 0.0, -10.0));
        let pixel = Vec2::new((ahead.x * 0.5 + 0.5) * 1000.0, (0.5 - ahead.y * 0.5) * 500.0);
        assert!(pixel.distance(Vec2::new(450.0, 250.0)) < 1e-2, "{pixel}");
        // The area's top rim is half a field of view up.
        let up = clip.project_point3(Vec3::new(0.0, (FIELD_OF_VIEW * 0.5).tan() * 10.0, -10.0));
        assert!(((0.5 - up.y * 0.5) * 500.0 - 50.0).abs() < 1e-2);
    }
}
