//! What the panels remember between frames: open tabs, searches, sorting, chosen points.

use super::alarms::AlarmTable;
use super::changes::ChangeTable;
use super::data::Data;
use super::news::News;
use super::open_dialog::OpenDialog;
use super::overview::KindCounts;
use super::placing::Placing;
use super::relations::Relations;
use super::time_bar::TimeBar;
use super::tree::TreeState;
use super::trend::TrendState;
use super::view_menu::Naming;
use crate::simulation::building::trace::Way;
use crate::site::coordinates::Coordinates;
use crate::site::revision::Carry;
use crate::site::{PointIndex, Site, Slot};
use crate::twin::place;
use crate::twin::scene::Scene;
use bevy::prelude::Resource;
use bevy_egui::egui::{self, Rect};

/// The tabs of the panel at the bottom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BottomTab {
    /// The alarm list.
    #[default]
    Alarms,
    /// The plot of chosen points.
    Trend,
    /// What could not be read or bound.
    Problems,
    /// The wire.
    Telemetry,
    /// The flow networks; there only where the site has any.
    Networks,
    /// What is traced, with pressure and temperature along the way; there only while something is.
    Profile,
    /// What the last reload changed; there only while there is something to tell.
    Changes,
}

impl BottomTab {
    /// Every tab, in the order people see.
    pub const ALL: [Self; 7] =
        [Self::Alarms, Self::Trend, Self::Networks, Self::Profile, Self::Problems, Self::Telemetry, Self::Changes];

    /// The word on the tab.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alarms => "Alarms",
            Self::Trend => "Trend",
            Self::Problems => "Problems",
            Self::Telemetry => "Telemetry",
            Self::Networks => "Networks",
            Self::Profile => "Profile",
            Self::Changes => "Changes",
        }
    }
}

/// Where the parts of the window were in the last frame, points.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The bar at the top.
    pub top: Rect,
    /// The buttons at the left of the bar at the top.
    pub top_left: Rect,
    /// The buttons at the right of the bar at the top.
    pub top_right: Rect,
    /// The button with the views.
    pub views: Rect,
    /// The tree.
    pub left: Rect,
    /// The properties.
    pub right: Rect,
    /// The tabs at the bottom.
    pub bottom: Rect,
    /// The bar at the bottom.
    pub status: Rect,
    /// The bar of time.
    pub time: Rect,
    /// What is left to the scene.
    pub scene: Rect,
}

impl Default for Places {
    fn default() -> Self {
        let none = Rect::NOTHING;
        Self {
            top: none,
            top_left: none,
            top_right: none,
            views: none,
            left: none,
            right: none,
            bottom: none,
            status: none,
            time: none,
            scene: none,
        }
    }
}

/// What the panels remember between frames.
#[derive(Resource)]
pub struct PanelState {
    /// The tree is shown.
    pub left_open: bool,
    /// The properties are shown.
    pub right_open: bool,
    /// The tabs at the bottom are shown.
    pub bottom_open: bool,
    /// Which of them.
    pub bottom: BottomTab,
    /// The window with keys and mouse is open.
    pub help: bool,
    /// The question for the name of a view that is to be saved.
    pub naming: Naming,
    /// The window in which a model is placed by hand.
    pub placing: Placing,
    /// The tree.
    pub tree: TreeState,
    /// The alarm list.
    pub alarms: AlarmTable,
    /// The plot.
    pub trend: TrendState,
    /// The bar of time.
    pub time: TimeBar,
    /// The list of what a reload changed.
    pub changes: ChangeTable,
    /// The element that is to be joined by hand to the next one that is selected.
    pub joining: Option<Slot>,
    /// What the selected element hangs together with.
    pub relations: Option<(Slot, Relations)>,
    /// Where the selected element is; none within where that is not known.
    pub coordinates: Option<(Slot, Option<Coordinates>)>,
    /// What was traced in the last frame.
    pub traced: Option<(Slot, Way)>,
    /// Messages that come and go.
    pub news: News,
    /// The dialog that asks for a file.
    pub open: OpenDialog,
    /// Where everything was in the last frame.
    pub places: Places,
    /// The window's size in the last frame, points.
    pub window: egui::Vec2,
    /// A row of a panel is under the pointer, and its element is lit up in the scene.
    pub hovering: bool,
    /// How many elements of each kind the site has.
    pub kinds: KindCounts,
    /// The site that all this is about, by address; it is kept alive by the scene.
    site: usize,
}

impl Default for PanelState {
    fn default() -> Self {
        Self {
            left_open: true,
            right_open: true,
            bottom_open: true,
            bottom: BottomTab::default(),
            help: false,
            naming: Naming::default(),
            placing: Placing::default(),
            tree: TreeState::default(),
            alarms: AlarmTable::default(),
            trend: TrendState::default(),
            time: TimeBar::default(),
            changes: ChangeTable::default(),
            joining: None,
            relations: None,
            coordinates: None,
            traced: None,
            news: News::default(),
            open: OpenDialog::default(),
            places: Places::default(),
            window: egui::Vec2::ZERO,
            hovering: false,
            kinds: KindCounts::default(),
            site: 0,
        }
    }
}

impl PanelState {
    /// Brings what is remembered in line with the site that is open and with the selection.
    pub fn prepare(&mut self, data: &Data) {
        let address = data.scene.map_or(0, |s| place::address(&s.site));
        if address != self.site && data.placements.was_a_state(self.site) {
            // Some of its models lie elsewhere, or other joints are there, and its numbers are the same.
            self.site = address;
            self.relations = None;
            self.coordinates = None;
        }
        if address != self.site {
            self.site = address;
            self.placing.close();
            self.joining = None;
            self.tree = TreeState::default();
            self.trend = TrendState::default();
            self.relations = None;
            self.coordinates = None;
            // A model without points has nothing to tell at the bottom: the room is the scene's.
            self.bottom_open = data.site().is_none_or(|s| !s.points.is_empty());
            self.kinds = data.site().map(KindCounts::of).unwrap_or_default();
        }
        let is_gone = match self.bottom {
            BottomTab::Changes => data.changes.report().is_none(),
            BottomTab::Networks => data.flows.count() == 0,
            BottomTab::Profile => data.flows.traced.trace.is_none(),
            _ => false,
        };
        if is_gone {
            self.bottom = BottomTab::default();
        }
        // What somebody begins to trace is shown.
        let traced = data.flows.traced.from.filter(|_| data.flows.traced.trace.is_some());
        if std::mem::replace(&mut self.traced, traced) != traced && traced.is_some() {
            (self.bottom, self.bottom_open) = (BottomTab::Profile, true);
        }
        match (data.view.selected, &self.relations) {
            (Some(slot), Some((of, _))) if slot == *of => {}
            (Some(slot), _) => {
                let of = |s: &Site| (slot, Relations::of(s, slot, &data.placements.decisions(s)));
                self.relations = data.site().map(of);
            }
            (None, _) => self.relations = None,
        }
        match (data.view.selected, &self.coordinates) {
            (Some(slot), Some((of, _))) if slot == *of => {}
            (Some(slot), _) => self.coordinates = data.site().map(|s| (slot, Coordinates::of(s, slot))),
            (None, _) => self.coordinates = None,
        }
    }

    /// Goes along with a site that was read again: what is plotted and opened stays, as far as it is still there. What
    /// changed is shown where there is anything to tell.
    pub fn go_along(&mut self, scene: &Scene, carry: &Carry, is_news: bool) {
        self.site = place::address(&scene.site);
        self.placing.close();
        self.joining = None;
        self.tree.renew();
        self.trend.points = self.trend.points.iter().filter_map(|p| carry.point(*p)).collect();
        self.relations = None;
        self.coordinates = None;
        self.kinds = KindCounts::of(&scene.site);
        self.changes = ChangeTable::default();
        if is_news {
            (self.bottom, self.bottom_open) = (BottomTab::Changes, true);
        }
    }

    /// Shows a point in the plot.
    pub fn plot(&mut self, point: PointIndex) {
        self.trend.add(point);
        self.bottom = BottomTab::Trend;
        self.bottom_open = true;
    }
}
