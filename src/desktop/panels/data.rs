//! What panels read: the twin, borrowed for one frame. Panels know no queries and no world.

use super::busy::Busy;
use super::flows::{Flows, NetworkNow, Solved};
use super::view_menu::SavedViews;
use crate::analytics::Health;
use crate::desktop::theme::Tokens;
use crate::operations::Alarm;
use crate::problem::Problem;
use crate::shape::frame;
use crate::site::project::Template;
use crate::site::{Element, Point, PointIndex, Site, Slot};
use crate::time::Time;
use crate::twin::changes::Changes;
use crate::twin::clock::TwinClock;
use crate::twin::flow::Residual;
use crate::twin::health::Rollup;
use crate::twin::place::Placements;
use crate::twin::replay::Playback;
use crate::twin::scene::Scene;
use crate::twin::search::Search;
use crate::twin::state_words::Colouring;
use crate::twin::telemetry::{Intake, LiveValue};
use crate::twin::view::View;
use crate::twin::wire_status::WireStatus;
use bevy::math::{Mat4, Vec2};
use bevy_egui::egui;
use glam::DVec3;
use std::collections::VecDeque;

/// The changing values, by point and by slot.
pub trait Readings {
    /// The last value of a point.
    fn live(&self, point: PointIndex) -> LiveValue;
    /// The last samples of a point, oldest first.
    fn trend(&self, point: PointIndex) -> Option<&VecDeque<(Time, f64)>>;
    /// How a point is.
    fn point_health(&self, point: PointIndex) -> Health;
    /// How an asset is.
    fn asset_health(&self, slot: Slot) -> Health;
    /// What is solved of an element.
    fn solved(&self, slot: Slot) -> Solved;
    /// How far a point is from what is solved there; none where nothing can be compared.
    fn residual(&self, point: PointIndex) -> Option<Residual>;
    /// How a network is, by its number; none before it was solved.
    fn network(&self, index: usize) -> Option<NetworkNow<'_>>;
}

/// From the project's frame to places in the window.
#[derive(Clone, Copy, Debug)]
pub struct Eye {
    clip_from_world: Mat4,
    /// Size of the window, points.
    window: Vec2,
}

impl Eye {
    /// An eye from the drawn frame's projection and the window's size, points.
    pub fn new(clip_from_world: Mat4, window: Vec2) -> Self {
        Self { clip_from_world, window }
    }

    /// Where a place of the project's frame (metres) is in the window, points; none behind the eye.
    pub fn at(&self, place: DVec3) -> Option<egui::Pos2> {
        let clip = self.clip_from_world * frame::drawn(place).extend(1.0);
        if clip.w <= 0.05 {
            return None;
        }
        let (x, y) = (clip.x / clip.w, clip.y / clip.w);
        Some(egui::pos2((x * 0.5 + 0.5) * self.window.x, (0.5 - y * 0.5) * self.window.y))
    }
}

/// All that panels read.
pub struct Data<'a> {
    /// The site that is open; none before the first.
    pub scene: Option<&'a Scene>,
    /// What is looked at.
    pub view: &'a View,
    /// The twin's time.
    pub clock: &'a TwinClock,
    /// What came in.
    pub intake: &'a Intake,
    /// How storeys and systems are.
    pub rollup: &'a Rollup,
    /// Every alarm, oldest first.
    pub alarms: &'a [Alarm],
    /// How the wire is.
    pub wire: &'a WireStatus,
    /// What could not be read or bound.
    pub problems: &'a [Problem],
    /// What kinds of equipment measure, for the order of points in panels.
    pub templates: &'a [Template],
    /// The project's views.
    pub views: &'a SavedViews,
    /// What is looked for and what was found.
    pub search: &'a Search,
    /// Where models are put by hand.
    pub placements: &'a Placements,
    /// Which time is shown.
    pub playback: &'a Playback,
    /// What the last reload changed.
    pub changes: &'a Changes,
    /// The flow networks.
    pub flows: Flows<'a>,
    /// A long piece of work that is under way.
    pub busy: Option<&'a Busy>,
    /// The changing values.
    pub readings: &'a dyn Readings,
    /// Which value colours which element; none before the first site.
    pub colouring: Option<&'a Colouring>,
    /// Where things of the scene are in the window; none where there is no scene.
    pub eye: Option<Eye>,
    /// The theme's colours.
    pub tokens: &'static Tokens,
    /// How long the work of a frame takes before it is drawn, milliseconds, smoothed.
    pub frame_ms: f64,
}

impl<'a> Data<'a> {
    /// The site that is open.
    pub fn site(&self) -> Option<&'a Site> {
        self.scene.map(|s| s.site.as_ref())
    }

    /// An element of the site that is open.
    pub fn element(&self, slot: Slot) -> Option<&'a Element> {
        self.site()?.element(slot)
    }

    /// A point of the site that is open.
    pub fn point(&self, point: PointIndex) -> Option<&'a Point> {
        self.site()?.points.get(point.0 as usize)
    }

    /// What people call an element; a dash where there is none.
    pub fn label(&self, slot: Slot) -> String {
        self.element(slot).map_or_else(|| super::format::NONE.to_owned(), Element::label)
    }

    /// The health that an element shows: the worst of its own, its parts' and what stands in it.
    pub fn shown_health(&self, slot: Slot) -> Health {
        let from = self.colouring.map_or(&[][..], |c| c.health_of(slot));
        from.iter().map(|s| self.readings.asset_health(*s)).fold(Health::Unknown, Health::worst)
    }

    /// What people call a room: its long name where it has one.
    pub fn room_name(element: &Element) -> String {
        if element.description.is_empty() { element.label() } else { element.description.clone() }
    }

    /// The element's points, those that its template names for panels first.
    pub fn points_of(&self, slot: Slot) -> Vec<PointIndex> {
        let (Some(scene), Some(element)) = (self.scene, self.element(slot)) else { return Vec::new() };
        let mut points = scene.points_of(slot).to_vec();
        let first: Vec<&str> = self
            .templates
            .iter()
            .filter(|t| is_for(t, element))
            .flat_map(|t| t.panel.iter().map(String::as_str))
            .collect();
        let rank = |p: &PointIndex| {
            let role = scene.site.points.get(p.0 as usize).map_or("", |p| p.role.as_str());
            first.iter().position(|f| *f == role).unwrap_or(first.len())
        };
        points.sort_by_key(rank);
        points
    }
}

/// True when a template is for an element.
fn is_for(template: &Template, element: &Element) -> bool {
    template.class == element.class
        && template.predefined_type.as_ref().is_none_or(|p| *p == element.predefined_type)
        && template.tag.as_ref().is_none_or(|t| matches(t, &element.tag))
}

/// `*` stands for any characters, none included.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            let Some(at) = rest.find(before) else { return false };
            rest = &rest[at + before.len()..];
        }
    }
    match last {
        Some(last) => rest.ends_with(last),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("*-V", "AHU-1-CC-V", true),
            ("*-V", "AHU-1-CC", false),
            ("WS-*", "WS-1", true),
            ("WS-*", "W", false),
            ("A*B*C", "AxxByyC", true),
            ("A*B*C", "AxxC", false),
            ("A*A", "A", false),
            ("*", "", true),
            ("P-1", "P-1", true),
            ("P-1", "P-10", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
