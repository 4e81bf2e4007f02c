//! Panels: plain functions over a borrowed [`data::Data`], which put what people ask for into a list of
//! [`Command`]s. Only this file knows queries; only `theme` and `palette` know colours.

pub mod alarms;
pub mod bottom;
pub mod busy;
pub mod changes;
pub mod connections;
pub mod coordinates;
pub mod data;
pub mod flow;
pub mod flows;
pub mod format;
pub mod help;
pub mod icons;
pub mod keys;
pub mod legend;
pub mod live;
pub mod marks;
pub mod networks;
pub mod news;
pub mod open_dialog;
pub mod overview;
pub mod placing;
pub mod problems;
pub mod profile;
pub mod properties;
pub mod relations;
pub mod search;
pub mod state;
pub mod status;
pub mod telemetry;
pub mod time_bar;
pub mod tooltip;
pub mod top_bar;
pub mod tree;
pub mod tree_rows;
pub mod trend;
pub mod view_menu;
pub mod widgets;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use busy::Busy;
pub use news::Notice;
pub use open_dialog::OpenPath;
pub use state::PanelState;
pub use view_menu::{SaveView, SavedViews};

use super::SceneArea;
use super::camera::SceneCamera;
use super::theme;
use crate::analytics::Health;
use crate::problem::Problem;
use crate::site::project::Template;
use crate::site::{PointIndex, Slot};
use crate::time::Time;
use crate::twin::alarms::Alarms;
use crate::twin::changes::Changes;
use crate::twin::clock::TwinClock;
use crate::twin::command::Command;
use crate::twin::flow::{
    Flow, FlowRanges, FlowScore, FlowSolve, FlowState, Networks, Pressure, Residual, Temperature, Traced, Velocity,
};
use crate::twin::health::{AssetHealth, PointHealth, Rollup};
use crate::twin::place::Placements;
use crate::twin::replay::Playback;
use crate::twin::scene::{IsPoint, Scene, SiteOpened};
use crate::twin::search::Search;
use crate::twin::state_words::Colouring;
use crate::twin::telemetry::{Intake, LiveValue, Trend};
use crate::twin::view::View;
use crate::twin::wire_status::WireStatus;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};
use data::{Data, Eye, Readings};
use egui::{Margin, Panel, UiBuilder};
use flows::{Flows, NetworkNow, Solved};
use std::collections::VecDeque;
use std::time::Instant;

/// What could not be read or bound, for people to see. Filled by whoever opens the project.
#[derive(Resource, Clone, Debug, Default)]
pub struct Problems(pub Vec<Problem>);

/// The project's templates, for the order of points in panels. Filled by whoever opens the project.
#[derive(Resource, Clone, Debug, Default)]
pub struct Templates(pub Vec<Template>);

/// Draws every panel and keeps [`SceneArea`].
pub struct PanelsPlugin;

impl Plugin for PanelsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<PanelState>()
            .init_resource::<Problems>()
            .init_resource::<Templates>()
            .init_resource::<SavedViews>()
            .init_resource::<WireStatus>()
            .init_resource::<SceneArea>()
            .add_message::<OpenPath>()
            .add_message::<SaveView>()
            .add_message::<Notice>()
            .init_resource::<FrameWork>()
            .add_systems(First, begin_frame)
            .add_systems(Update, go_along.in_set(crate::Step::Present))
            .add_systems(Last, end_frame)
            .add_systems(EguiPrimaryContextPass, draw_panels);
    }
}

/// What the panels remember of a site goes along when it is read again.
fn go_along(
    mut opened: MessageReader<SiteOpened>,
    scene: Option<Res<Scene>>,
    changes: Res<Changes>,
    mut state: ResMut<PanelState>,
) {
    let Some(scene) = scene else { return };
    for carry in opened.read().filter_map(|o| o.carry.as_ref()) {
        state.go_along(&scene, carry, changes.report().is_some());
    }
}

/// How long the work of a frame takes: a window that waits for something to happen has long frames and little work.
#[derive(Resource, Default)]
struct FrameWork {
    began: Option<Instant>,
    smoothed_ms: f64,
}

fn begin_frame(mut frame: ResMut<FrameWork>) {
    frame.began = Some(Instant::now());
}

fn end_frame(mut frame: ResMut<FrameWork>) {
    let Some(began) = frame.began.take() else { return };
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    let before = frame.smoothed_ms;
    frame.smoothed_ms = if before == 0.0 { ms } else { before + (ms - before) * 0.05 };
}

/// The components of points and elements, looked up when a panel asks.
#[derive(SystemParam)]
struct Components<'w, 's> {
    scene: Option<Res<'w, Scene>>,
    values: Query<'w, 's, (&'static LiveValue, &'static Trend)>,
    points: Query<'w, 's, &'static PointHealth>,
    assets: Query<'w, 's, &'static AssetHealth>,
    networks: Res<'w, Networks>,
    solved: Query<'w, 's, OfElement, Without<IsPoint>>,
    residuals: Query<'w, 's, &'static Residual>,
    of_networks: Query<'w, 's, (&'static FlowSolve, &'static FlowScore, &'static FlowState)>,
}

/// What is solved of an element, each where it has it.
type OfElement = (
    Option<&'static Flow>,
    Option<&'static Velocity>,
    Option<&'static Pressure>,
    Option<&'static Temperature>,
    Option<&'static Residual>,
);

impl Components<'_, '_> {
    fn point(&self, point: PointIndex) -> Option<Entity> {
        self.scene.as_ref()?.points.get(point.0 as usize).copied()
    }
}

impl Readings for Components<'_, '_> {
    fn live(&self, point: PointIndex) -> LiveValue {
        self.point(point).and_then(|e| self.values.get(e).ok()).map_or_else(LiveValue::default, |(v, _)| *v)
    }

    fn trend(&self, point: PointIndex) -> Option<&VecDeque<(Time, f64)>> {
        Some(&self.values.get(self.point(point)?).ok()?.1.samples)
    }

    fn point_health(&self, point: PointIndex) -> Health {
        self.point(point).and_then(|e| self.points.get(e).ok()).map_or(Health::Unknown, |h| h.0)
    }

    fn asset_health(&self, slot: Slot) -> Health {
        let entity = self.scene.as_ref().and_then(|s| s.elements.get(slot.0 as usize).copied());
        entity.and_then(|e| self.assets.get(e).ok()).map_or(Health::Unknown, |h| h.0)
    }

    fn solved(&self, slot: Slot) -> Solved {
        let entity = self.scene.as_ref().and_then(|s| s.elements.get(slot.0 as usize).copied());
        let Some((flow, velocity, pressure, temperature, residual)) = entity.and_then(|e| self.solved.get(e).ok())
        else {
            return Solved::default();
        };
        Solved {
            flow: flow.map(|v| v.0),
            velocity: velocity.map(|v| v.0),
            pressure: pressure.map(|v| v.0),
            temperature: temperature.map(|v| v.0),
            residual: residual.copied(),
        }
    }

    fn residual(&self, point: PointIndex) -> Option<Residual> {
        self.point(point).and_then(|e| self.residuals.get(e).ok()).copied()
    }

    fn network(&self, index: usize) -> Option<NetworkNow<'_>> {
        let (solve, score, state) = self.of_networks.get(*self.networks.entities.get(index)?).ok()?;
        (!state.0.flow_m3s.is_empty()).then_some(NetworkNow { solve, score: *score, state: &state.0 })
    }
}

/// The resources that panels read.
#[derive(SystemParam)]
struct Resources<'w> {
    view: Res<'w, View>,
    clock: Res<'w, TwinClock>,
    intake: Res<'w, Intake>,
    rollup: Res<'w, Rollup>,
    alarms: Res<'w, Alarms>,
    wire: Res<'w, WireStatus>,
    problems: Res<'w, Problems>,
    templates: Res<'w, Templates>,
    views: Res<'w, SavedViews>,
    search: Res<'w, Search>,
    placements: Res<'w, Placements>,
    changes: Res<'w, Changes>,
    playback: Res<'w, Playback>,
    ranges: Res<'w, FlowRanges>,
    traced: Res<'w, Traced>,
    busy: Option<Res<'w, Busy>>,
    frame: Res<'w, FrameWork>,
    colouring: Option<Res<'w, Colouring>>,
}

fn draw_panels(
    mut contexts: EguiContexts,
    components: Components,
    resources: Resources,
    mut state: ResMut<PanelState>,
    mut area: ResMut<SceneArea>,
    mut commands: MessageWriter<Command>,
    mut paths: MessageWriter<OpenPath>,
    mut saves: MessageWriter<SaveView>,
    mut redraw: MessageWriter<RequestRedraw>,
    mut notices: MessageReader<Notice>,
    cameras: Query<&SceneCamera>,
) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    let r = resources;
    if ctx.global_style().visuals.panel_fill != theme::tokens(r.view.theme).panel {
        theme::apply(&ctx, r.view.theme);
    }
    let zoom = ctx.zoom_factor();
    let eye = cameras.iter().next().map(|c| {
        let (clip_from_world, window) = c.clip_from_world();
        Eye::new(clip_from_world, window / zoom)
    });
    let data = Data {
        scene: components.scene.as_deref(),
        view: &r.view,
        clock: &r.clock,
        intake: &r.intake,
        rollup: &r.rollup,
        alarms: r.alarms.0.all(),
        wire: &r.wire,
        problems: &r.problems.0,
        templates: &r.templates.0,
        views: &r.views,
        search: &r.search,
        placements: &r.placements,
        changes: &r.changes,
        playback: &r.playback,
        flows: Flows { networks: &components.networks, ranges: &r.ranges, traced: &r.traced },
        busy: r.busy.as_deref(),
        readings: &components,
        colouring: r.colouring.as_deref(),
        eye,
        tokens: theme::tokens(r.view.theme),
        frame_ms: r.frame.smoothed_ms,
    };
    for notice in notices.read() {
        state.news.tell(&notice.0);
    }
    let builder = UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(ctx.viewport_rect());
    let mut root = egui::Ui::new(ctx, "panels".into(), builder);
    let mut out = Vec::new();
    let opened = draw(&mut root, &data, &mut state, &mut out);
    // Commands are obeyed in the next frame, and a window that waits for input would not draw one by itself. Hovering
    // is asked for in every frame: it counts only when it changes something.
    let asked = out.iter().any(|c| !matches!(c, Command::Hover(slot) if *slot == r.view.hovered));
    if asked || r.search.is_waiting() || !r.playback.is_live() {
        redraw.write(RequestRedraw);
    }
    commands.write_batch(out);
    paths.write_batch(opened.map(OpenPath));
    saves.write_batch(state.naming.taken().map(SaveView));
    // From egui's points to the window's logical pixels.
    let scale = root.ctx().zoom_factor();
    let scene = state.places.scene;
    let rect = Rect::new(scene.min.x * scale, scene.min.y * scale, scene.max.x * scale, scene.max.y * scale);
    area.set_if_neq(SceneArea(Some(rect)));
    Ok(())
}

/// Draws everything into the root of a window; what people asked for goes into `out`, and the file that
/// was chosen to be opened is returned.
pub fn draw(
    root: &mut egui::Ui,
    data: &Data,
    state: &mut PanelState,
    out: &mut Vec<Command>,
) -> Option<std::path::PathBuf> {
    connections::join_selected(data, &mut state.joining, out);
    state.prepare(data);
    let ctx = root.ctx().clone();
    keys::obey(&ctx, data, state, out);
    layout(root, data, state, out);
    let scene = state.places.scene;
    let taken = [legend::ui(&ctx, scene, data, out), legend::cut_note(&ctx, scene, data, out)];
    marks::ui(&ctx, scene, data, taken.into_iter().flatten().collect(), out);
    tooltip::ui(&ctx, scene, data);
    busy::ui(&ctx, scene, data);
    help::ui(&ctx, data.tokens, &mut state.help);
    view_menu::ask(&ctx, data, &mut state.naming);
    placing::ui(&ctx, scene, data, &mut state.placing, out);
    state.news.ui(&ctx, scene, data);
    let hovering = out.iter().any(|c| matches!(c, Command::Hover(Some(_))));
    if state.hovering && !hovering {
        out.push(Command::Hover(None));
    }
    state.hovering = hovering;
    state.open.ui(&ctx)
}

/// The panels whose size people can change.
const RESIZABLE: [&str; 3] = ["left", "right", "bottom"];

/// Sizes that people gave to panels hold while the window changes a little at a time; when it becomes another one at
/// once (another screen, another scale, maximised), panels start again from their share of it.
fn forget_sizes(ctx: &egui::Context, state: &mut PanelState, window: egui::Vec2) {
    let before = std::mem::replace(&mut state.window, window);
    let change = (window - before).abs() / before.max(egui::Vec2::splat(1.0));
    if change.max_elem() > 0.2 {
        ctx.data_mut(|d| {
            RESIZABLE.iter().for_each(|id| d.remove::<egui::containers::panel::PanelState>(egui::Id::new(id)))
        });
    }
}

/// Draws the bars and panels, outermost first; what they leave is the scene's.
fn layout(root: &mut egui::Ui, data: &Data, state: &mut PanelState, out: &mut Vec<Command>) {
    let t = data.tokens;
    let window = root.max_rect().size();
    forget_sizes(root.ctx(), state, window);
    let bar = egui::Frame::new().fill(t.bar).inner_margin(Margin::symmetric(theme::PAD, 0));
    let panel = egui::Frame::new().fill(t.panel).inner_margin(Margin {
        left: theme::PAD,
        right: theme::PAD,
        top: 4,
        bottom: 4,
    });

    let top = Panel::top("top_bar")
        .exact_size(theme::TOP_BAR)
        .frame(bar)
        .resizable(false)
        .show(root, |ui| top_bar::ui(ui, data, state, out));
    state.places.top = top.response.rect;
    (state.places.top_left, state.places.top_right) = top.inner;

    let status =
        Panel::bottom("status_bar").exact_size(theme::STATUS_BAR).frame(bar).resizable(false).show(root, |ui| {
            status::ui(ui, data, &mut state.time);
        });
    state.places.status = status.response.rect;
    state.places.time = egui::Rect::NOTHING;
    if state.time.is_shown(data) {
        let time = Panel::bottom("time_bar").exact_size(theme::TIME_BAR).frame(bar).resizable(false);
        let time = time.show(root, |ui| time_bar::ui(ui, data, &mut state.time, out));
        state.places.time = time.response.rect;
    }

    let time = if state.time.is_shown(data) { theme::TIME_BAR } else { 0.0 };
    let bars = theme::TOP_BAR + theme::STATUS_BAR + time;
    let most = (window.y - bars - theme::LEAST_SCENE.y).max(96.0);
    // The row of tabs, the margins and the line above.
    let closed = theme::ROW + 4.0 + 8.0 + 1.0;
    let bottom = if state.bottom_open && bottom::is_quiet(data, state) {
        Panel::bottom("bottom_quiet").resizable(false).exact_size(closed + theme::ROW + 10.0)
    } else if state.bottom_open {
        Panel::bottom("bottom")
            .resizable(true)
            .default_size((window.y * 0.22).clamp(120.0, 220.0).min(most))
            .size_range(96.0_f32.min(most)..=most)
    } else {
        Panel::bottom("bottom_closed").resizable(false).exact_size(closed)
    };
    let bottom = bottom.frame(panel).show(root, |ui| {
        ui.set_min_height(ui.available_height());
        bottom::ui(ui, data, state, out);
    });
    state.places.bottom = bottom.response.rect;

    let sides = (window.x - theme::LEAST_SCENE.x).max(280.0);
    let side = |share: f32, least: f32, most: f32| (window.x * share).clamp(least, most);
    state.places.left = egui::Rect::NOTHING;
    if state.left_open {
        let left = Panel::left("left")
            .resizable(true)
            .default_size(side(0.19, 210.0, 320.0))
            .size_range(180.0..=(sides * 0.5).max(190.0))
            .frame(panel)
            .show(root, |ui| {
                ui.set_min_size(ui.available_size());
                tree::ui(ui, data, &mut state.tree, out);
                if state.tree.search.shall_be_saved() {
                    state.naming.ask();
                }
            });
        state.places.left = left.response.rect;
    }
    state.places.right = egui::Rect::NOTHING;
    if state.right_open {
        let right = Panel::right("right")
            .resizable(true)
            .default_size(side(0.22, 230.0, 360.0))
            .size_range(200.0..=(sides * 0.5).max(210.0))
            .frame(panel)
            .show(root, |ui| {
                ui.set_min_size(ui.available_size());
                properties::ui(ui, data, state, out);
            });
        state.places.right = right.response.rect;
    }
    state.places.scene = root.available_rect_before_wrap();
}
