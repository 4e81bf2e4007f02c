//! Where the eye stands and what it looks at: plain mathematics in the drawn frame (Y up, metres).

use crate::shape::frame;
use crate::site::revision::Motion;
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
    /// Looks from a place at another.
    pub fn looking(eye: Vec3, at: Vec3) -> Self {
        let Some(way) = (at - eye).try_normalize() else { return Self { focus: at, ..Self::default() } };
        let pose = Self {
            focus: at,
            // Straight up or down, any compass is as good as another.
            yaw: if way.x.abs() + way.z.abs() < 1e-6 { 0.0 } else { (-way.x).atan2(-way.z) },
            pitch: way.y.clamp(-1.0, 1.0).asin().clamp(-STEEPEST, STEEPEST),
            distance: eye.distance(at).clamp(NEAREST, FARTHEST),
        };
        // Where it may not look so steep, the eye keeps its place.
        pose.with_eye(eye)
    }

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

    /// Goes along with a whole site that has moved.
    #[must_use]
    pub fn carried(mut self, motion: &Motion) -> Self {
        self.focus = frame::drawn(motion.apply(frame::project(self.focus)));
        self.yaw += motion.turn_rad as f32;
        self
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
    ///
    /// With the way of looking given, each rim of the picture is a plane through the eye, and the point that reaches
    /// furthest towards it says where that plane may lie: that is how far the eye stands back. Where there is room left
    /// between two rims, the eye moves until what is seen is in the middle.
    #[must_use]
    pub fn fitting_box(self, corners: &[Vec3], aspect: f32, margin: f32) -> Self {
        if corners.is_empty() {
            return self;
        }
        let turn = self.rotation().inverse();
        let tan_y = (FIELD_OF_VIEW * 0.5).tan() / margin;
        let tan_x = tan_y * aspect;
        // x to the right, y up, z towards the eye.
        let seen: Vec<Vec3> = corners.iter().map(|c| turn * *c).collect();
        let furthest = |reach: &dyn Fn(&Vec3) -> f32| seen.iter().map(reach).fold(f32::NEG_INFINITY, f32::max);
        let (right, left) = (furthest(&|p| p.x + p.z * tan_x), furthest(&|p| -p.x + p.z * tan_x));
        let (top, bottom) = (furthest(&|p| p.y + p.z * tan_y), furthest(&|p| -p.y + p.z * tan_y));
        let nearest = furthest(&|p| p.z) + NEAREST;
        let back = ((right + left) / (2.0 * tan_x)).max((top + bottom) / (2.0 * tan_y)).max(nearest);
        let eye = Vec3::new(
            in_the_middle(&seen, back, (right - left) * 0.5, |p| p.x),
            in_the_middle(&seen, back, (top - bottom) * 0.5, |p| p.y),
            back,
        );
        let middle = seen.iter().map(|p| p.z).sum::<f32>() / seen.len() as f32;
        let pose = Self { distance: (back - middle).clamp(NEAREST, FARTHEST), ..self };
        pose.with_eye(self.rotation() * eye)
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

/// The eye's place along one axis of the picture, `back` from its plane, for which points are as far to one side of the
/// middle as to the other; looked for about `start`.
fn in_the_middle(seen: &[Vec3], back: f32, start: f32, of: impl Fn(&Vec3) -> f32) -> f32 {
    let aside = |eye: f32| {
        let on_screen = |p: &Vec3| (of(p) - eye) / (back - p.z).max(NEAREST);
        let (low, high) = seen.iter().map(on_screen).fold((f32::MAX, f32::MIN), |(l, h), x| (l.min(x), h.max(x)));
        low + high
    };
    // What is seen moves to the other side than the eye.
    let reach = seen.iter().map(|p| (of(p) - start).abs()).fold(NEAREST, f32::max);
    let (mut low, mut high) = (start - reach, start + reach);
    for _ in 0..40 {
        let middle = (low + high) * 0.5;
        if aside(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_moved_as_a_whole_is_seen_as_before() {
        let pose = Pose { focus: Vec3::new(3.0, 1.0, -2.0), ..Pose::default() };
        let motion = Motion { turn_rad: 0.7, offset_m: glam::DVec3::new(4.0, -3.0, 2.0) };
        let place = glam::DVec3::new(8.0, 5.0, 2.0);
        let seen = |p: &Pose, place| p.rotation().inverse() * (frame::drawn(place) - p.eye());
        let (before, after) = (seen(&pose, place), seen(&pose.carried(&motion), motion.apply(place)));
        assert!((before - after).length() < 1e-3, "{before} {after}");
    }

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
        let long = [48.0, 6.0, 14.0];
        let high = [12.0, 60.0, 12.0];
        for size in [[40.0, 12.0, 25.0], long, high] {
            let corners: [Vec3; 8] =
                std::array::from_fn(|i| Vec3::from_array(std::array::from_fn(|a| ((i >> a) & 1) as f32 * size[a])));
            for (aspect, yaw, pitch) in [(0.6, 0.6, -0.5), (1.0, 0.46, -0.62), (1.78, 0.46, -0.62), (1.5, 0.38, -0.92)]
            {
                let pose = Pose { yaw, pitch, ..Pose::default() }.fitting_box(&corners, aspect, 1.0);
                let tan_y = (FIELD_OF_VIEW * 0.5).tan();
                let seen = corners.map(|c| pose.rotation().inverse() * (c - pose.eye()));
                let rims = |of: &dyn Fn(Vec3) -> f32| {
                    seen.iter().map(|v| of(*v)).fold((f32::MAX, f32::MIN), |(l, h), x| (l.min(x), h.max(x)))
                };
                let (left, right) = rims(&|v| v.x / -v.z / (tan_y * aspect));
                let (bottom, top) = rims(&|v| v.y / -v.z / tan_y);
                let what = format!("{size:?} {aspect}: {left}..{right}, {bottom}..{top}");
                assert!(left >= -1.001 && right <= 1.001 && bottom >= -1.001 && top <= 1.001, "{what}");
                assert!((right - left).max(top - bottom) > 1.9, "{what}");
                assert!((left + right).abs() < 0.02 && (bottom + top).abs() < 0.02, "not in the middle: {what}");
            }
        }
    }

    #[test]
    fn it_looks_from_a_place_at_another() {
        for (eye, at) in [
            (Vec3::new(3.0, 9.0, -4.0), Vec3::new(-2.0, 1.0, 6.0)),
            (Vec3::new(0.0, 0.0, 0.0), Vec3::new(5.0, 0.0, 0.0)),
            (Vec3::new(0.0, 50.0, 0.0), Vec3::new(0.0, 0.0, 0.1)),
        ] {
            let pose = Pose::looking(eye, at);
            assert!(pose.eye().distance(eye) < 1e-3 * (1.0 + eye.length()), "{eye} {at}: {}", pose.eye());
            assert!(pose.forward().dot((at - eye).normalize()) > 0.999, "{eye} {at}");
        }
        let there = Pose { yaw: 2.0, pitch: -0.3, ..Pose::default() };
        assert!(Pose::looking(there.eye(), there.focus).is_near(&there));
    }

    #[test]
    fn it_turns_the_short_way() {
        let a = Pose { yaw: 3.0, ..Pose::default() };
        let b = Pose { yaw: -3.0, ..Pose::default() };
        assert!(a.towards(b, 0.5).yaw > 3.0);
        assert!(a.towards(b, 1.0).forward().distance(b.forward()) < 1e-4);
    }
}
