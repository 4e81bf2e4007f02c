//! While a site is being read, the camera shows all that has come of it, until a hand leads it elsewhere.

use super::pose::Pose;
use super::{SceneCamera, views};
use crate::shape::frame;
use crate::twin::command::Command;
use crate::twin::preview::{Preview, shift};
use bevy::prelude::*;

/// What the camera has been led to by what it follows.
#[derive(Resource, Default)]
pub(super) struct Followed {
    /// Where it was sent last; none before the first.
    goal: Option<Pose>,
    origin_m: [f64; 3],
}

/// How the camera stands when the site comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    /// A hand has led it elsewhere.
    pub(super) is_led: bool,
    /// What a place in the preview has to be moved by to be the same in the site, as drawn.
    pub(super) moved: Vec3,
}

impl Followed {
    /// Ends following; none where there was nothing to follow. `origin_m`: of the site.
    pub(super) fn end(&mut self, camera: &SceneCamera, origin_m: [f64; 3]) -> Option<End> {
        let Self { goal, origin_m: from } = std::mem::take(self);
        let moved = frame::drawn_direction(shift(from, origin_m));
        Some(End { is_led: camera.goal != goal?, moved })
    }
}

/// Keeps all that is seen of a site on the way in the picture.
pub(super) fn follow(
    preview: Option<Res<Preview>>,
    mut commands: MessageReader<Command>,
    mut followed: ResMut<Followed>,
    mut cameras: Query<&mut SceneCamera>,
) {
    let asked = commands.read().filter(|c| matches!(c, Command::Fit | Command::Home)).count() > 0;
    let Some(preview) = preview else { return };
    if preview.is_added() {
        *followed = Followed::default();
    }
    if !(preview.is_changed() || asked) {
        return;
    }
    let (Some(bounds), Ok(mut camera)) = (preview.bounds(), cameras.single_mut()) else { return };
    if let Some(goal) = &mut followed.goal {
        let moved = frame::drawn_direction(shift(followed.origin_m, preview.origin_m()));
        goal.focus += moved;
        camera.shift(moved);
    }
    followed.origin_m = preview.origin_m();
    let is_led = followed.goal.is_some_and(|goal| goal != camera.goal);
    if is_led && !asked {
        return;
    }
    let there = views::home_of(bounds, camera.aspect());
    if followed.goal.replace(there).is_none() {
        camera.jump(there);
    }
    camera.goal = there;
}
