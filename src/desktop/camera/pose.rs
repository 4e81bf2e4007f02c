//! Where the eye stands and what it looks at: plain mathematics in the drawn frame (Y up, metres).

use bevy::math::{EulerRot, Quat, Vec2, Vec3};
use bevy::prelude::Transform;

/// The height of the picture in angle, radians.
pub const FIELD_OF_VIEW: f32 = 0.72;
const STEEPEST: f32 = 1.55;
const NEAREST: f32 = 0.05;
const FARTHEST: f32 = 20_000.0;

/// An eye that turns about a focus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// What it looks at.
    pub focus: Vec3,
    /// Compass: 0 looks north (−z), positive turns to the left, radians.
    pub yaw: f32,
    /// Up is positive, radians.
    pub pitch: f32,
    /// From the eye to the focus, metres.
    pub distance: f32,
}

impl Default for Pose {
    fn default() -> Self {
        Self { focus: Vec3::ZERO, yaw: 0.6, pitch: -0.5, distance: 60.0 }
    }
}

impl Pose {
    /// Which way it is turned.
    pub fn rotation(&self) -> Quat {
        Quat::from_euler(EulerRot::YXZ, self.yaw, self.pitch, 0.0)
    }

    /// The way it looks.
    pub fn forward(&self) -> Vec3 {
        self.rotation() * Vec3::NEG_Z
    }

    /// Where the eye is.
    pub fn eye(&self) -> Vec3 {
        self.focus - self.forward() * self.distance
    }

    /// The camera's place.
    pub fn transform(&self) -> Transform {
        Transform::from_translation(self.eye()).with_rotation(self.rotation())
    }

    /// The same way of looking with the eye moved to a place.
    #[must_use]
    fn with_eye(mut self, eye: Vec3) -> Self {
        self.focus = eye + self.forward() * self.distance;
        self
    }

    /// Turns eye and view about a point, by so much to the left and up, radians.
    #[must_use]
    pub fn orbited(self, about: Vec3, by: Vec2) -> Self {
        let mut turned = self;
        turned.yaw += by.x;
        turned.pitch = (self.pitch + by.y).clamp(-STEEPEST, STEEPEST);
        let arm = self.rotation().inverse() * (self.eye() - about);
        turned.with_eye(about + turned.rotation() * arm)
    }

    /// Looks around from where the eye is.
    #[must_use]
    pub fn looked(self, by: Vec2) -> Self {
        self.orbited(self.eye(), by)
    }

    /// Moves sideways and up in the picture's plane, metres.
    #[must_use]
    pub fn panned(mut self, right: f32, up: f32) -> Self {
        let r = self.rotation();
        self.focus += r * Vec3::X * right + r * Vec3::Y * up;
        self
    }

    /// Moves the eye: right, up (of the world), forward, metres.
    #[must_use]
    pub fn walked(mut self, right: f32, up: f32, forward: f32) -> Self {
        self.focus += self.rotation() * Vec3::X * right + Vec3::Y * up + self.forward() * forward;
        self
    }

    /// Brings the eye nearer to a point (factor below 1) or further from it; the point stays where it is in
    /// the picture.
    #[must_use]
    pub fn zoomed(self, towards: Vec3, factor: f32) -> Self {
        let distance = (self.distance * factor).clamp(NEAREST, FARTHEST);
        let factor = distance / self.distance;
        let eye = towards + (self.eye() - towards) * factor;
        Self { distance, ..self }.with_eye(eye)
    }

    /// Looks at a ball so that it fills the picture, whatever the picture's shape (width by height).
    #[must_use]
    pub fn fitting(self, centre: Vec3, radius: f32, aspect: f32) -> Self {
        let half = (FIELD_OF_VIEW * 0.5).tan() * aspect.min(1.0);
        let distance = radius.max(0.2) / half.atan().sin();
        Self { focus: centre, distance: distance.clamp(NEAREST, FARTHEST), ..self }
    }

    /// Looks at points (the corners of boxes) so that they just fit the picture with a margin.
    #[must_use]
    pub fn fitting_box(self, corners: &[Vec3], aspect: f32, margin: f32) -> Self {
        let turn = self.rotation().inverse();
        let tan_y = (FIELD_OF_VIEW * 0.5).tan() / margin;
        let tan_x = tan_y * aspect;
        let centre = corners.iter().sum::<Vec3>() / corners.len().max(1) as f32;
        let mut pose = Self { focus: centre, ..self };
        // Twice: the first pass finds the distance, then the middle of what is seen is put in the middle.
        for _ in 0..4 {
            let seen: Vec<Vec3> = corners.iter().map(|c| turn * (*c - pose.focus)).collect();
            let distance =
                seen.iter().map(|p| (p.x.abs() / tan_x).max(p.y.abs() / tan_y) + p.z).fold(NEAREST, f32::max);
            let on_screen = |p: &Vec3| Vec2::new(p.x, p.y) / (distance - p.z).max(NEAREST);
            let (low, high) = seen.iter().map(on_screen).fold((Vec2::MAX, Vec2::MIN), |(l, h), p| (l.min(p), h.max(p)));
            let middle = (low + high) * 0.5 * distance;
            pose.distance = distance.clamp(NEAREST, FARTHEST);
            pose.focus += pose.rotation() * middle.extend(0.0);
        }
        pose
    }

    /// Part of the way to another pose: 0 is here, 1 is there.
    #[must_use]
    pub fn towards(self, goal: Self, part: f32) -> Self {
        use std::f32::consts::{PI, TAU};
        let around = (goal.yaw - self.yaw + PI).rem_euclid(TAU) - PI;
        Self {
            focus: self.focus.lerp(goal.focus, part),
            yaw: self.yaw + around * part,
            pitch: self.pitch + (goal.pitch - self.pitch) * part,
            distance: (self.distance.ln() + (goal.distance.ln() - self.distance.ln()) * part).exp(),
        }
    }

    /// So near to another pose that nobody sees a difference.
    pub fn is_near(&self, other: &Self) -> bool {
        let scale = other.distance.max(NEAREST);
        self.focus.distance(other.focus) < scale * 1e-4
            && (self.yaw - other.yaw).abs() < 1e-4
            && (self.pitch - other.pitch).abs() < 1e-4
            && (self.distance - other.distance).abs() < scale * 1e-4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_zoomed_to_and_orbited_about_stays_in_its_place() {
        let pose = Pose { focus: Vec3::new(3.0, 1.0, -2.0), ..Pose::default() };
        let point = Vec3::new(8.0, 2.0, 5.0);
        let seen = |p: &Pose| {
            let v = p.rotation().inverse() * (point - p.eye());
            v / v.z
        };
        let nearer = pose.zoomed(point, 0.5);
        assert!((seen(&pose) - seen(&nearer)).length() < 1e-4);
        assert!((nearer.eye().distance(point) - pose.eye().distance(point) * 0.5).abs() < 1e-3);
        let turned = pose.orbited(point, Vec2::new(0.4, -0.2));
        assert!((seen(&pose) - seen(&turned)).length() < 1e-4);
        assert!((turned.eye().distance(point) - pose.eye().distance(point)).abs() < 1e-3);
    }

    #[test]
    fn a_fitted_box_is_all_in_the_picture_and_fills_it() {
        let corners: [Vec3; 8] = std::array::from_fn(|i| {
            Vec3::new((i & 1) as f32 * 40.0, ((i >> 1) & 1) as f32 * 12.0, ((i >> 2) & 1) as f32 * 25.0)
        });
        for aspect in [0.6, 1.0, 1.78] {
            let pose = Pose::default().fitting_box(&corners, aspect, 1.0);
            let tan_y = (FIELD_OF_VIEW * 0.5).tan();
            let most = corners
                .iter()
                .map(|c| pose.rotation().inverse() * (*c - pose.eye()))
                .map(|v| (v.x / -v.z / (tan_y * aspect)).abs().max((v.y / -v.z / tan_y).abs()))
                .fold(0.0, f32::max);
            assert!((0.85..=1.02).contains(&most), "{aspect}: {most}");
        }
    }

    #[test]
    fn it_turns_the_short_way() {
        let a = Pose { yaw: 3.0, ..Pose::default() };
        let b = Pose { yaw: -3.0, ..Pose::default() };
        assert!(a.towards(b, 0.5).yaw > 3.0);
        assert!(a.towards(b, 1.0).forward().distance(b.forward()) < 1e-4);
    }
}
