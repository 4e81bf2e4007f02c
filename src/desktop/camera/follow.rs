//! While a site is being read, the camera shows all that has come of it, until a hand leads it elsewhere. Where the
//! processor draws it does not glide: each frame on the way would be taken from those who read.

use super::pose::Pose;
use super::{SceneCamera, views};
use crate::desktop::render::quality::Quality;
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
    quality: Option<Res<Quality>>,
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
    let moved = frame::drawn_direction(shift(followed.origin_m, preview.origin_m()));
    if let Some(goal) = &mut followed.goal {
        goal.focus += moved;
        camera.shift(moved);
    }
    followed.origin_m = preview.origin_m();
    let is_led = followed.goal.is_some_and(|goal| goal != camera.goal);
    if is_led && !asked {
        return;
    }
    let there = views::home_of(bounds, camera.aspect());
    let first = followed.goal.replace(there).is_none();
    if first || quality.is_some_and(|q| *q == Quality::Light) {
        camera.jump(there);
    } else {
        camera.goal = there;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::preview::Piece;
    use crate::shape::Aabb;
    use crate::twin::preview::{Laid, News};
    use crate::{Step, TwinPlugins};
    use glam::{DAffine3, DVec3};
    use std::sync::Arc;

    fn box_at(x: f64) -> News {
        let min = DVec3::X * x;
        let bounds = Aabb { min, max: min + 10.0 };
        let piece = Piece { shape: Arc::default(), placement: DAffine3::IDENTITY, bounds, colour: [1.0; 4] };
        News::Pieces { file: 0, pieces: vec![piece] }
    }

    fn laid(east: f64) -> News {
        let to_project = DAffine3::from_translation(DVec3::X * -east);
        News::Laid { origin_m: [east, 0.0, 0.0], files: vec![Laid { to_project, is_layer: false }] }
    }

    #[test]
    fn it_shows_all_there_is_until_a_hand_leads_it_elsewhere() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins)).init_resource::<Followed>();
        app.add_systems(Update, follow.after(Step::Act));
        let eye = app.world_mut().spawn(SceneCamera::default()).id();
        let (preview, tell) = Preview::new();
        app.insert_resource(preview);
        let tick = |app: &mut App, news: &[News]| {
            news.iter().cloned().for_each(|n| tell(n));
            app.update();
            *app.world().get::<SceneCamera>(eye).unwrap()
        };
        let before = tick(&mut app, &[]);
        assert_eq!(before.goal, SceneCamera::default().goal, "nothing to be seen");
        let first = tick(&mut app, &[laid(0.0), box_at(0.0)]);
        assert!(first.pose == first.goal && first.goal != before.goal, "there at once");
        let wider = tick(&mut app, &[box_at(60.0)]);
        assert!(wider.goal.distance > first.goal.distance * 2.0 && wider.pose == first.pose, "it glides back");

        // The origin moves 5 m east: what is seen stays in its place in the picture.
        let same = tick(&mut app, &[laid(5.0)]);
        assert!((same.goal.focus - wider.goal.focus + Vec3::X * 5.0).length() < 1e-3);
        let led = Pose { yaw: 2.0, distance: 3.0, ..same.goal };
        app.world_mut().get_mut::<SceneCamera>(eye).unwrap().goal = led;
        assert_eq!(tick(&mut app, &[box_at(200.0)]).goal, led, "the hand counts");
        app.world_mut().write_message(Command::Home);
        let home = tick(&mut app, &[]).goal;
        assert!(home != led && home.distance > wider.goal.distance, "until it asks for all");
        let camera = SceneCamera { goal: home, ..SceneCamera::default() };
        let mut followed = app.world_mut().resource_mut::<Followed>();
        let end = followed.end(&camera, [7.0, 0.0, 0.0]).unwrap();
        assert!(!end.is_led && (end.moved + Vec3::X * 2.0).length() < 1e-6, "{end:?}");
        assert_eq!(followed.end(&camera, [7.0, 0.0, 0.0]), None, "once");
    }
}
