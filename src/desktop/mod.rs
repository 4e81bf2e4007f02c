//! What people see: rendering, camera, picking, panels. The only room that knows wgpu, winit and egui.

pub mod palette;
pub mod panels;
pub mod theme;

use bevy::prelude::*;

/// The part of the window that the panels leave to the scene, in logical pixels; none: all of it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct SceneArea(pub Option<Rect>);
