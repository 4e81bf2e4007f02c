//! Arrows on pipes and ducts: two rows a slot in a buffer of the GPU, written when a flow changes.
//!
//! An arrow is no thing of its own. `shaders/arrows.wgsl` draws chevrons on the surface of what carries a flow, and
//! moves them by the time of the frame; it costs nothing where nothing flows, and nothing a frame on this side. The
//! layout of the rows is its.
//!
//! Arrows go [`PACE`] as fast as what they stand for, in water and in air alike, so that twice as fast looks twice as
//! fast; a pipe's usual 0.1 to 3 m/s becomes 2 to 75 cm/s, a duct's 2 to 10 m/s becomes 0.5 to 2.5 m/s. No more than
//! [`MOST_A_SECOND`] go by in a second: with ten pictures a second more would seem to go backwards.

mod course;

pub use course::Course;

use super::material::{SceneMaterials, Surroundings};
use crate::shape::frame::{drawn, drawn_direction};
use crate::site::{Site, Slot};
use crate::twin::flow::{Networks, Velocity};
use crate::twin::scene::{InSlot, Relaid, Scene, SiteOpened};
use crate::twin::view::View;
use bevy::prelude::*;
use bevy::render::storage::ShaderBuffer;

/// How fast an arrow goes over how fast the flow is.
pub const PACE: f64 = 0.25;
/// Arrows that pass a place in a second, at most.
pub const MOST_A_SECOND: f64 = 3.0;
/// What is slower stands still, m/s.
const STILL_MS: f64 = 1e-3;
/// Arrows an hour are whole numbers: the shader's clock begins anew every hour, and no arrow jumps.
const HOUR_S: f64 = 3600.0;

/// Bytes of a slot's two rows.
pub const ROW_BYTES: usize = 32;

/// A slot's two rows; zeros for what carries nothing.
pub type Rows = [u32; 8];

/// What the buffer of arrows holds.
#[derive(Resource, Default)]
pub struct Arrows {
    /// By slot.
    courses: Vec<Option<Course>>,
    /// By slot; empty until something flows.
    rows: Vec<Rows>,
}

impl Arrows {
    /// How many elements carry arrows.
    pub fn count(&self) -> usize {
        self.rows.iter().filter(|r| r[7] != 0).count()
    }

    /// Finds the courses of all elements that are in a network.
    fn lay(&mut self, site: &Site, networks: &Networks) {
        self.courses.clear();
        self.courses.extend(site.iter().map(|(slot, _)| course_of(site, networks, slot)));
        self.rows.clear();
        self.rows.resize(self.courses.len(), Rows::default());
    }

    /// What an element's velocity has become, m/s, at a time of the shader's clock. True when its rows change.
    fn set(&mut self, slot: Slot, velocity_ms: f64, time_s: f64) -> bool {
        let i = slot.0 as usize;
        let (Some(Some(course)), Some(rows)) = (self.courses.get(i), self.rows.get_mut(i)) else { return false };
        let new = rows_of(course, velocity_ms, *rows, time_s);
        std::mem::replace(rows, new) != new
    }
}

/// The course through an element's main link.
fn course_of(site: &Site, networks: &Networks, slot: Slot) -> Option<Course> {
    let place = networks.place(slot)?;
    let network = networks.network(place.network)?;
    let link = network.network.links.get(place.link?)?;
    let at = |node: usize| network.node_place.get(node).copied().flatten().map(glam::DVec3::from_array);
    let element = site.element(slot)?;
    let shape = site.shapes.get(element.shape? as usize)?;
    Course::of(shape, &element.placement, at(link.from)?, at(link.to)?)
}

/// The rows of a course. Where the flow keeps its direction, each arrow goes on from where it is.
fn rows_of(course: &Course, velocity_ms: f64, before: Rows, time_s: f64) -> Rows {
    let a_second = (velocity_ms.abs() * PACE / course.spacing_m).min(MOST_A_SECOND);
    // Not a number is no flow.
    if velocity_ms.is_nan() || velocity_ms.abs() < STILL_MS {
        return Rows::default();
    }
    let an_hour = (a_second * HOUR_S).round().max(1.0);
    let axis = drawn_direction(course.axis * course.half_m * velocity_ms.signum());
    let centre = drawn(course.centre);
    let spacing = if course.round { course.spacing_m } else { -course.spacing_m } as f32;
    let heading = [axis.x, axis.y, axis.z, spacing].map(f32::to_bits);
    let place = centre.to_array().map(f32::to_bits);
    let phase = if before[..4] == heading {
        let (was_an_hour, was) = (f64::from(before[7] & 0xffff), f64::from(before[7] >> 16) / 65_536.0);
        (was + (an_hour - was_an_hour) / HOUR_S * time_s).rem_euclid(1.0)
    } else {
        0.0
    };
    let phase = ((phase * 65_536.0).round() as u32) & 0xffff;
    let [a, b, c, d] = heading;
    let [x, y, z] = place;
    [a, b, c, d, x, y, z, (an_hour as u32) | phase << 16]
}

/// Keeps the buffer.
pub fn plugin(app: &mut App) {
    app.init_resource::<Arrows>().add_systems(PostUpdate, (follow, write).chain().after(super::material::grow));
}

fn follow(
    mut opened: MessageReader<SiteOpened>,
    mut relaid: MessageReader<Relaid>,
    scene: Option<Res<Scene>>,
    networks: Res<Networks>,
    surroundings: Res<Surroundings>,
    time: Res<Time>,
    mut arrows: ResMut<Arrows>,
    all: Query<(&InSlot, &Velocity)>,
    changed: Query<(&InSlot, &Velocity), Changed<Velocity>>,
    mut gone: RemovedComponents<Velocity>,
    slots: Query<&InSlot>,
) {
    let Some(scene) = scene else { return };
    let time_s = if surroundings.still { 0.0 } else { f64::from(time.elapsed_secs_wrapped()) };
    let anew = opened.read().count() + relaid.read().count() > 0 || networks.is_changed();
    let mut written = anew;
    let now = arrows.bypass_change_detection();
    if anew {
        now.lay(&scene.site, &networks);
        all.iter().for_each(|(slot, v)| _ = now.set(slot.0, v.0, time_s));
        gone.clear();
    } else {
        for (slot, v) in &changed {
            written |= now.set(slot.0, v.0, time_s);
        }
        for slot in gone.read().filter_map(|e| slots.get(e).ok()) {
            written |= now.set(slot.0, 0.0, time_s);
        }
    }
    if written {
        arrows.set_changed();
    }
}

/// Uploads the rows where they are shown: what nobody sees changes nothing on the GPU.
fn write(
    arrows: Res<Arrows>,
    view: Res<View>,
    materials: Res<SceneMaterials>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut behind: Local<bool>,
) {
    *behind |= arrows.is_changed() || materials.is_changed();
    if !*behind || !view.shows_arrows() {
        return;
    }
    *behind = false;
    let mut bytes = vec![0_u8; materials.room() * ROW_BYTES];
    for (out, rows) in bytes.as_chunks_mut::<ROW_BYTES>().0.iter_mut().zip(&arrows.rows) {
        for (out, word) in out.as_chunks_mut().0.iter_mut().zip(rows) {
            *out = word.to_le_bytes();
        }
    }
    if let Some(mut buffer) = buffers.get_mut(&materials.flows) {
        buffer.data = Some(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;

    fn course() -> Course {
        Course { centre: DVec3::new(1.0, 2.0, 3.0), axis: DVec3::Y, half_m: 0.05, round: true, spacing_m: 0.25 }
    }

    fn float(rows: Rows, i: usize) -> f32 {
        f32::from_bits(rows[i])
    }

    /// The shader's phase at a place on the axis.
    fn phase(rows: Rows, time_s: f64) -> f64 {
        (f64::from(rows[7] >> 16) / 65_536.0 - f64::from(rows[7] & 0xffff) / HOUR_S * time_s).rem_euclid(1.0)
    }

    #[test]
    fn rows_say_where_how_wide_and_how_fast() {
        let rows = rows_of(&course(), 0.5, Rows::default(), 0.0);
        // North is −z where it is drawn.
        assert_eq!([0, 1, 2].map(|i| float(rows, i)), [0.0, 0.0, -0.05]);
        assert_eq!(float(rows, 3), 0.25);
        assert_eq!([4, 5, 6].map(|i| float(rows, i)), [1.0, 3.0, -2.0]);
        assert_eq!(rows[7], 1800, "half an arrow a second");
        let back = rows_of(&course(), -1.0, Rows::default(), 0.0);
        assert_eq!((float(back, 2), back[7]), (0.05, 3600));
        let flat = Course { round: false, ..course() };
        assert_eq!(float(rows_of(&flat, 1.0, Rows::default(), 0.0), 3), -0.25);
        let most = rows_of(&course(), 99.0, Rows::default(), 0.0);
        assert_eq!(f64::from(most[7]), MOST_A_SECOND * HOUR_S);
        for still in [0.0, 1e-5, -1e-5, f64::NAN] {
            assert_eq!(rows_of(&course(), still, rows, 7.0), Rows::default());
        }
    }

    #[test]
    fn an_arrow_goes_on_from_where_it_is_when_its_flow_changes_and_when_an_hour_is_full() {
        let mut rows = rows_of(&course(), 0.3, Rows::default(), 100.0);
        for (time_s, velocity) in [(812.3, 0.31), (1500.25, 0.7), (3599.0, 0.2)] {
            let new = rows_of(&course(), velocity, rows, time_s);
            let jump = (phase(new, time_s) - phase(rows, time_s) + 0.5).rem_euclid(1.0) - 0.5;
            assert!(jump.abs() < 1e-4, "{jump} at {time_s} s");
            assert_ne!(new[7] & 0xffff, rows[7] & 0xffff);
            rows = new;
        }
        assert!((phase(rows, HOUR_S) - phase(rows, 0.0)).abs() < 1e-6);
        let turned = rows_of(&course(), -0.2, rows, 50.0);
        assert_eq!(turned[7] >> 16, 0, "what turns round begins anew");
    }
}
