//! The camera: orbit, pan, zoom to the cursor, fit, home, fly.
//!
//! Small and our own, because zooming and orbiting hold the point under the cursor, which comes from our own
//! picking tree, and because every move also comes as a [`Command`].
//!
//! | hand | does |
//! |---|---|
//! | left drag | orbit about the point under the cursor |
//! | middle drag, or Shift + left | pan |
//! | right drag | look around |
//! | wheel | zoom to the cursor |
//! | double click | fly to what is under the cursor |
//! | W A S D Q E | fly |
//! | F, H | fit, home |

mod control;
mod follow;
pub mod lens;
pub mod pose;
pub mod views;

use super::SceneArea;
use super::picking::{PickTree, Picker};
use super::render::quality::Quality;
use crate::shape::{Aabb, frame};
use crate::site::{Site, Slot};
use crate::twin::command::Command;
use crate::twin::scene::{Scene, SiteOpened};
use crate::twin::view::{Drawn, View};
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use glam::DVec3;
use lens::Lens;
use pose::Pose;

/// The keys and what they do, for a panel that shows them.
pub const KEYS: &[(&str, &str)] = &[
    ("Left drag", "Orbit about the point under the cursor"),
    ("Middle drag, Shift + left drag", "Pan"),
    ("Right drag", "Look around"),
    ("Wheel", "Zoom to the cursor"),
    ("Click", "Select"),
    ("Double click", "Select and fly to"),
    ("F", "Show all that is drawn"),
    ("Shift + F", "Fly to the selected element"),
    ("H", "Home view"),
    ("W A S D", "Fly"),
    ("Q E", "Fly down, up"),
    ("Shift", "Fly faster"),
];

/// The camera of the scene.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct SceneCamera {
    /// Where it is.
    pub pose: Pose,
    /// Where it goes.
    pub goal: Pose,
    lens: Lens,
}

impl SceneCamera {
    /// Width by height of the part of the window that shows the scene.
    pub fn aspect(&self) -> f32 {
        self.lens.aspect()
    }

    /// From the drawn frame to the window: clip space, and the window's size in logical pixels.
    pub fn clip_from_world(&self) -> (Mat4, Vec2) {
        use bevy::camera::CameraProjection;
        (self.lens.get_clip_from_view() * self.pose.transform().to_matrix().inverse(), self.lens.window)
    }

    /// Goes along where the whole frame is moved, metres as drawn.
    fn shift(&mut self, by: Vec3) {
        self.pose.focus += by;
        self.goal.focus += by;
    }

    /// Is there at once.
    pub fn jump(&mut self, pose: Pose) {
        self.pose = pose;
        self.goal = pose;
    }
}

/// Moves the camera. Hands are listened to only where there is a window.
pub struct SceneCameraPlugin;

impl Plugin for SceneCameraPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<RequestRedraw>()
            .init_resource::<SceneArea>()
            .init_resource::<PickTree>()
            .init_resource::<follow::Followed>()
            .add_systems(Update, (open_home, obey, follow::follow).chain().after(crate::Step::Act))
            .add_systems(
                PostUpdate,
                (fit_lens, glide)
                    .chain()
                    .before(bevy::transform::TransformSystems::Propagate)
                    .before(bevy_egui::EguiPostUpdateSet::EndPass),
            );
        control::plugin(app);
    }
}

/// The first look at a site that was opened. One that was read again is looked at as before: where all of it has moved,
/// the camera has moved with it.
///
/// What was seen of it on the way is seen on: the camera glides home from there, and stays where a hand has led it.
fn open_home(
    mut opened: MessageReader<SiteOpened>,
    scene: Option<Res<Scene>>,
    mut followed: ResMut<follow::Followed>,
    quality: Option<Res<Quality>>,
    mut cameras: Query<&mut SceneCamera>,
) {
    let Some(scene) = scene else { return };
    for opened in opened.read() {
        for mut camera in &mut cameras {
            let Some(carry) = &opened.carry else {
                let home = views::home(&scene.site, camera.aspect());
                match followed.end(&camera, scene.site.origin.position_m) {
                    None => camera.jump(home),
                    Some(follow::End { is_led, moved }) => {
                        camera.shift(moved);
                        match (is_led, &quality) {
                            (true, _) => {}
                            (false, Some(q)) if **q == Quality::Light => camera.jump(home),
                            (false, _) => camera.goal = home,
                        }
                    }
                }
                continue;
            };
            if let Some(motion) = carry.motion.filter(|m| !m.is_still()) {
                camera.pose = camera.pose.carried(&motion);
                camera.goal = camera.goal.carried(&motion);
            }
        }
    }
}

fn obey(
    mut commands: MessageReader<Command>,
    scene: Option<Res<Scene>>,
    view: Res<View>,
    picker: Picker,
    mut cameras: Query<&mut SceneCamera>,
    mut later: Commands,
) {
    let (Some(scene), Ok(mut camera)) = (scene, cameras.single_mut()) else { return };
    for command in commands.read() {
        let aspect = camera.aspect();
        match command {
            Command::Home => camera.goal = views::home(&scene.site, aspect),
            Command::Look { eye_m, target_m } => {
                let [eye, target] = [*eye_m, *target_m].map(|p| crate::shape::frame::drawn(p.into()));
                camera.goal = Pose::looking(eye, target);
            }
            Command::Fit => {
                let shown = scene
                    .site
                    .iter()
                    .filter(|(s, e)| view.drawn(*s) == Drawn::Solid && e.kind == crate::site::ElementKind::Element)
                    .map(|(s, _)| s);
                camera.goal = views::fit(camera.goal, &scene.site, shown, aspect);
            }
            Command::FlyTo(slot) => {
                if let Some(there) = views::at(camera.goal, &scene.site, *slot, aspect) {
                    camera.goal = there;
                    // Inside the building walls and ceilings stand in the way: cut them off above it.
                    if let Some(bounds) = scene.site.element(*slot).and_then(|e| e.bounds)
                        && is_concealed(&picker, &view, &scene.site, there, *slot, bounds)
                    {
                        later.write_message(Command::SectionAt(Some(views::cut_above(&scene.site, bounds))));
                        let steep = Pose { pitch: -0.9, ..camera.goal };
                        camera.goal = views::at(steep, &scene.site, *slot, aspect).unwrap_or(there);
                    }
                }
            }
            Command::CutStorey(Some(index)) => {
                if let Some(storey) = scene.site.storeys.get(*index as usize)
                    && let Ok((pose, _)) = views::NamedView::Storey(storey.name.clone()).resolve(&scene.site, aspect)
                {
                    camera.goal = pose;
                }
            }
            _ => {}
        }
    }
}

/// Something stands between the eye and an element, or the element itself is cut away.
fn is_concealed(picker: &Picker, view: &View, site: &Site, pose: Pose, slot: Slot, bounds: Aabb) -> bool {
    if view.section_m.is_some_and(|s| s < bounds.max.z) {
        return true;
    }
    let eye = pose.eye();
    let Ok(towards) = Dir3::new(pose.focus - eye) else { return false };
    // A pipe on a machine hides nothing; the wall that it stands close to does.
    const ON_IT_M: f64 = 0.3;
    let beside = |p: DVec3| p.cmplt(bounds.min - ON_IT_M).any() || p.cmpgt(bounds.max + ON_IT_M).any();
    let hull = |slot| site.element(slot).is_some_and(views::is_hull);
    picker.hit(Ray3d::new(eye, towards)).is_some_and(|h| {
        let hides = beside(frame::project(h.point)) || (hull(h.slot) && !hull(slot));
        h.slot != slot && h.point.distance(eye) < pose.distance && hides
    })
}

/// The lens follows the window's size and what the panels leave of it.
fn fit_lens(area: Res<SceneArea>, mut cameras: Query<(&Camera, &mut SceneCamera, &mut Projection)>) {
    for (camera, mut scene_camera, mut projection) in &mut cameras {
        let Some(window) = camera.logical_viewport_size() else { continue };
        let all = Rect::from_corners(Vec2::ZERO, window);
        let area = area.0.map_or(all, |a| a.intersect(all));
        let area = if area.width() < 16.0 || area.height() < 16.0 { all } else { area };
        let lens = Lens { window, area };
        if scene_camera.lens != lens {
            scene_camera.lens = lens;
            *projection = Projection::custom(lens);
        }
    }
}

/// A frame that took longer moves the camera no further than this, seconds.
const LONGEST_STEP_S: f32 = 0.5;
/// How fast the camera follows its goal, a second.
const HASTE: f32 = 14.0;

fn glide(
    time: Res<Time>,
    mut cameras: Query<(&mut SceneCamera, &mut Transform)>,
    mut redraw: MessageWriter<RequestRedraw>,
) {
    for (mut camera, mut transform) in &mut cameras {
        if camera.pose != camera.goal {
            // Where frames are few the way is short: a flight of ten slow frames would keep a hand waiting.
            let part = 1.0 - (-HASTE * time.delta_secs().min(LONGEST_STEP_S)).exp();
            let next = camera.pose.towards(camera.goal, part);
            let there = next.is_near(&camera.goal);
            camera.pose = if there { camera.goal } else { next };
            redraw.write(RequestRedraw);
        }
        let place = camera.pose.transform();
        if *transform != place {
            *transform = place;
        }
    }
}
