//! Hands on the camera: mouse and keys in the part of the window that shows the scene.

use super::pose::{FIELD_OF_VIEW, Pose};
use super::{SceneArea, SceneCamera};
use crate::Step;
use crate::desktop::Carrying;
use crate::desktop::picking::Picker;
use crate::twin::command::Command;
use crate::twin::view::View;
use bevy::input::mouse::{AccumulatedMouseScroll, MouseScrollUnit};
use bevy::prelude::*;
use bevy::window::{PrimaryWindow, RequestRedraw};
use bevy_egui::input::EguiWantsInput;

/// A press that moved less than this is a click, logical pixels.
const CLICK_MOVES: f32 = 4.0;
/// Two clicks on the same place within so many seconds fly to what is under them.
const DOUBLE_CLICK_S: f64 = 0.4;
/// Radians a logical pixel.
const TURN: f32 = 0.006;
/// Metres a second.
const WALK: f32 = 4.0;

/// What the hand does now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Drag {
    #[default]
    None,
    /// About a point, drawn frame.
    Orbit(Vec3),
    /// At a depth from the eye, metres.
    Pan(f32),
    Look,
}

#[derive(Default)]
struct Hand {
    drag: Drag,
    last: Vec2,
    travelled: f32,
    /// Where and when (seconds) the last click was.
    clicked: Option<(Vec2, f64)>,
}

impl Hand {
    /// A click, now; true when it is the second of two.
    fn is_double_click(&mut self, at: Vec2, now: f64) -> bool {
        let second = self.clicked.is_some_and(|(p, t)| p.distance(at) <= CLICK_MOVES && now - t <= DOUBLE_CLICK_S);
        self.clicked = (!second).then_some((at, now));
        second
    }
}

pub(super) fn plugin(app: &mut App) {
    app.add_systems(
        Update,
        (mouse, keys).after(Step::Ingest).before(Step::Act).run_if(any_with_component::<PrimaryWindow>),
    );
}

fn mouse(
    window: Single<&Window, With<PrimaryWindow>>,
    buttons: Res<ButtonInput<MouseButton>>,
    keys: Res<ButtonInput<KeyCode>>,
    scroll: Res<AccumulatedMouseScroll>,
    wants: Option<Res<EguiWantsInput>>,
    (area, carrying): (Res<SceneArea>, Option<Res<Carrying>>),
    picker: Picker,
    mut hand: Local<Hand>,
    mut cameras: Query<(&mut SceneCamera, &Camera, &GlobalTransform)>,
    mut commands: MessageWriter<Command>,
    mut last_hover: Local<Option<(Vec2, Pose)>>,
    mut hovering: Local<bool>,
    view: Res<View>,
    time: Res<Time<Real>>,
) {
    let Ok((mut scene_camera, camera, transform)) = cameras.single_mut() else { return };
    let Some(cursor) = window.cursor_position() else {
        hand.drag = Drag::None;
        if std::mem::take(&mut *hovering) {
            commands.write(Command::Hover(None));
        }
        return;
    };
    let over_panels = wants.is_some_and(|w| w.wants_any_pointer_input());
    let in_scene = area.0.is_none_or(|a| a.contains(cursor));
    let over_scene = in_scene && !over_panels;
    let is_asked = over_scene || in_scene && carrying.is_some_and(|c| c.0);
    let ray = camera.viewport_to_world(transform, cursor).ok();
    let pose = scene_camera.goal;
    // Where the hand points when there is nothing under it: as far as the focus is.
    let ahead = |ray: Option<Ray3d>| {
        ray.map_or(pose.focus, |r| {
            let along = r.direction.dot(pose.forward()).max(0.1);
            r.origin + r.direction * (pose.distance / along)
        })
    };

    let started = buttons.any_just_pressed([MouseButton::Left, MouseButton::Middle, MouseButton::Right]);
    if started && over_scene && hand.drag == Drag::None {
        let hit = ray.and_then(|r| picker.hit(r));
        let point = hit.map_or_else(|| ahead(ray), |h| h.point);
        let depth = (point - pose.eye()).dot(pose.forward()).max(0.2);
        let shift = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
        hand.drag = if buttons.just_pressed(MouseButton::Middle) || (buttons.just_pressed(MouseButton::Left) && shift) {
            Drag::Pan(depth)
        } else if buttons.just_pressed(MouseButton::Right) {
            Drag::Look
        } else {
            // Nothing under the cursor: about what the eye looks at.
            Drag::Orbit(hit.map_or(pose.focus, |h| h.point))
        };
        hand.last = cursor;
        hand.travelled = 0.0;
    }

    let held = buttons.any_pressed([MouseButton::Left, MouseButton::Middle, MouseButton::Right]);
    let moved = cursor - hand.last;
    hand.last = cursor;
    if hand.drag != Drag::None && held {
        hand.travelled += moved.length();
        if moved != Vec2::ZERO && hand.travelled > CLICK_MOVES {
            scene_camera.goal = match hand.drag {
                Drag::Orbit(about) => pose.orbited(about, -moved * TURN),
                Drag::Look => pose.looked(-moved * TURN * 0.6),
                Drag::Pan(depth) => {
                    let height = area.0.map_or(window.height(), |a| a.height()).max(1.0);
                    let metres = 2.0 * depth * (FIELD_OF_VIEW * 0.5).tan() / height;
                    pose.panned(-moved.x * metres, moved.y * metres)
                }
                Drag::None => pose,
            };
        }
    } else if hand.drag != Drag::None {
        if buttons.just_released(MouseButton::Left) && hand.travelled <= CLICK_MOVES {
            let slot = ray.and_then(|r| picker.hit(r)).map(|h| h.slot);
            commands.write(Command::Select(slot));
            if let Some(slot) = slot.filter(|_| hand.is_double_click(cursor, time.elapsed_secs_f64())) {
                commands.write(Command::FlyTo(slot));
            }
        }
        hand.drag = Drag::None;
    }

    if over_scene && scroll.delta.y != 0.0 {
        let notches = match scroll.unit {
            MouseScrollUnit::Line => scroll.delta.y,
            MouseScrollUnit::Pixel => scroll.delta.y / 40.0,
        };
        let point = ray.and_then(|r| picker.hit(r)).map_or_else(|| ahead(ray), |h| h.point);
        scene_camera.goal = scene_camera.goal.zoomed(point, 0.85_f32.powf(notches.clamp(-8.0, 8.0)));
    }

    // What is under the pointer, when pointer or eye have moved.
    if hand.drag == Drag::None || hand.travelled <= CLICK_MOVES {
        let now = (cursor, scene_camera.pose);
        if *last_hover != Some(now) {
            *last_hover = Some(now);
            if is_asked {
                let under = ray.and_then(|r| picker.hit(r)).map(|h| h.slot);
                *hovering = under.is_some();
                if under != view.hovered {
                    commands.write(Command::Hover(under));
                }
            } else if std::mem::take(&mut *hovering) {
                // Once, on leaving the scene: over a panel its rows say what is under the pointer.
                commands.write(Command::Hover(None));
            }
        }
    }
}

/// Letters typed with these are shortcuts of the system.
const HELD_FOR_SHORTCUTS: [KeyCode; 6] = [
    KeyCode::ControlLeft,
    KeyCode::ControlRight,
    KeyCode::AltLeft,
    KeyCode::AltRight,
    KeyCode::SuperLeft,
    KeyCode::SuperRight,
];

fn keys(
    keys: Res<ButtonInput<KeyCode>>,
    buttons: Res<ButtonInput<MouseButton>>,
    time: Res<Time>,
    wants: Option<Res<EguiWantsInput>>,
    view: Res<View>,
    mut cameras: Query<&mut SceneCamera>,
    mut commands: MessageWriter<Command>,
    mut redraw: MessageWriter<RequestRedraw>,
) {
    if wants.is_some_and(|w| w.wants_any_keyboard_input()) {
        return;
    }
    let shift = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    // With Ctrl (on a Mac with Command) F is the search's.
    let control = [KeyCode::ControlLeft, KeyCode::ControlRight, KeyCode::SuperLeft, KeyCode::SuperRight];
    if keys.just_pressed(KeyCode::KeyF) && !keys.any_pressed(control) {
        commands.write(match view.selected.filter(|_| shift) {
            Some(slot) => Command::FlyTo(slot),
            None => Command::Fit,
        });
    }
    if keys.just_pressed(KeyCode::KeyH) {
        commands.write(Command::Home);
    }
    // While another button is held the hand turns or moves the model.
    if buttons.any_pressed([MouseButton::Left, MouseButton::Middle]) || keys.any_pressed(HELD_FOR_SHORTCUTS) {
        return;
    }
    let axis = |plus: KeyCode, minus: KeyCode| f32::from(keys.pressed(plus)) - f32::from(keys.pressed(minus));
    let way = Vec3::new(
        axis(KeyCode::KeyD, KeyCode::KeyA),
        axis(KeyCode::KeyE, KeyCode::KeyQ),
        axis(KeyCode::KeyW, KeyCode::KeyS),
    );
    if way == Vec3::ZERO {
        return;
    }
    let pace = WALK * if shift { 5.0 } else { 1.0 } * time.delta_secs().min(0.1);
    for mut camera in &mut cameras {
        let step = way.normalize() * pace;
        camera.goal = camera.goal.walked(step.x, step.y, step.z);
    }
    redraw.write(RequestRedraw);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clicks_on_one_place_are_a_double_click_and_three_are_not_two() {
        let mut hand = Hand::default();
        let at = Vec2::new(300.0, 200.0);
        assert!(!hand.is_double_click(at, 10.0));
        assert!(hand.is_double_click(at + Vec2::X, 10.3));
        assert!(!hand.is_double_click(at, 10.5), "the third begins anew");
        assert!(!hand.is_double_click(at, 11.5), "too late");
        assert!(!hand.is_double_click(at + Vec2::X * 30.0, 11.6), "elsewhere");
    }
}
