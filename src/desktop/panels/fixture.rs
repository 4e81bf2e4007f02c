//! A small clinic made by hand, with points, values, trends and health, for the tests of the panels.

use super::data::{Data, Eye, Readings};
use super::flows::{Flows, NetworkNow, Solved};
use crate::analytics::Health;
use crate::desktop::theme;
use crate::operations::alarm::AlarmSeverity;
use crate::operations::{Alarm, AlarmId, AlarmState};
use crate::problem::Problem;
use crate::quality::Quality;
use crate::shape::Aabb;
use crate::simulation::building::State;
use crate::site::model::{Connection, ConnectionPoint, FlowDirection, Group, PropertySet, PropertyValue, Storey};
use crate::site::point::{Check, PointSource};
use crate::site::project::Template;
use crate::site::search::Index;
use crate::site::unit::Unit;
use crate::site::{Element, ElementKind, OnMap, Point, PointIndex, Site, Slot};
use crate::time::Time;
use crate::twin::changes::Changes;
use crate::twin::clock::TwinClock;
use crate::twin::flow::{FlowRanges, FlowScore, FlowSolve, Networks, Residual, Traced};
use crate::twin::health::{HealthCounts, Rollup};
use crate::twin::place::Placements;
use crate::twin::replay::Playback;
use crate::twin::scene::Scene;
use crate::twin::search::Search;
use crate::twin::state_words::Colouring;
use crate::twin::telemetry::{Intake, LiveValue};
use crate::twin::view::{Theme, View};
use crate::twin::wire_status::{Quarantined, WireStatus};
use bevy::prelude::Entity;
use glam::{DAffine3, DVec3};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Now, on a Monday morning.
pub const NOW: Time = Time(1_778_482_920_000);

/// The slot of a label.
pub fn slot(site: &Site, label: &str) -> Slot {
    site.iter().find(|(_, e)| e.label() == label).map(|(s, _)| s).expect("the fixture has it")
}

/// The clinic: 3 storeys, about 200 elements, 120 points.
pub fn site() -> Site {
    let mut site = base();
    for storey in 0..3u32 {
        for room in 0..8u32 {
            let space = add(&mut site, "IfcSpace", &format!("Room {}{:02}", storey, room + 1), "", Some(storey), &[]);
            site.elements[space as usize].kind = ElementKind::Space;
            for (class, n) in [("IfcWallStandardCase", 3), ("IfcDoor", 1), ("IfcWindow", 1)] {
                for i in 0..n {
                    add(&mut site, class, &format!("{} {room}.{i}", &class[3..]), "", Some(storey), &[]);
                }
            }
            let tag = format!("VAV-{storey}-{:02}", room + 1);
            let vav = add(&mut site, "IfcAirTerminalBox", "VAV box with reheat coil", &tag, Some(storey), &[0, 1]);
            site.elements[vav as usize].space = Some(space);
            point(&mut site, vav, "zone_temperature", "Zone temperature", "Cel", Some(room_check()));
            point(&mut site, vav, "airflow", "Airflow", "m3/h", None);
            point(&mut site, vav, "damper_position", "Damper position", "%", None);
            point(&mut site, vav, "zone_setpoint", "Zone setpoint", "Cel", None);
        }
    }
    let ahu = add(&mut site, "IfcUnitaryEquipment", "Air handling unit 1", "AHU-1", Some(2), &[0]);
    site.elements[ahu as usize].predefined_type = "AIRHANDLER".into();
    describe(&mut site.elements[ahu as usize]);
    point(&mut site, ahu, "supply_temperature", "Supply air temperature", "Cel", Some(room_check()));
    point(&mut site, ahu, "airflow", "Supply airflow", "m3/h", None);
    point(&mut site, ahu, "supply_pressure", "Supply duct static pressure", "Pa", None);
    let running = point(&mut site, ahu, "running", "Running", "1", None);
    site.points[running.0 as usize].expected = Some([0.0, 1.0]);
    let sensor = add(&mut site, "IfcSensor", "Supply air temperature sensor", "AHU-1-TS", Some(2), &[]);
    site.elements[sensor as usize].host = Some(ahu);
    let chiller = add(&mut site, "IfcChiller", "Water-cooled chiller", "CH-1", Some(2), &[2]);
    let pump = add(&mut site, "IfcPump", "Primary chilled water pump", "P-1", Some(2), &[2]);
    let pipe = add(&mut site, "IfcPipeSegment", "Chilled water supply DN100", "", Some(2), &[2]);
    join(&mut site, chiller, pump);
    join(&mut site, pump, pipe);
    for (role, name, unit) in [("flow", "Flow", "m3/h"), ("power", "Electric power", "kW"), ("speed", "Speed", "%")] {
        point(&mut site, pump, role, name, unit, None);
    }
    for i in 0..6 {
        let tree = add(&mut site, "tree", &format!("Tree {i}"), "", None, &[]);
        site.elements[tree as usize].kind = ElementKind::Feature;
        site.source_of[tree as usize] = 2;
    }
    for i in 0..site.elements.len() as u32 {
        for system in site.elements[i as usize].systems.clone() {
            site.systems[system as usize].members.push(i);
        }
    }
    site
}

fn base() -> Site {
    let mut site = Site::default();
    site.name.push_str("Riverside Clinic");
    site.origin.crs.push_str("EPSG:2056");
    for (file, schema, discipline) in [
        ("clinic-architecture.ifc", "IFC4", "architecture"),
        ("clinic-mep.ifc", "IFC4", "mep"),
        ("site.geojson", "", "site"),
    ] {
        site.sources.push(Default::default());
        let source = site.sources.last_mut().expect("just pushed");
        source.file = file.into();
        source.kind = if schema.is_empty() { "geojson" } else { "ifc" }.into();
        source.schema = schema.into();
        source.discipline = discipline.into();
        // The architect's file does not say where it lies.
        source.on_map = (discipline == "mep").then(|| OnMap {
            crs: "EPSG:2056".into(),
            to_map: DAffine3::from_translation(DVec3::new(2_683_141.0, 1_247_400.0, 408.0)),
        });
    }
    for (i, name) in ["Level 1", "Level 2", "Roof"].into_iter().enumerate() {
        let elevation_m = i as f64 * 3.6;
        site.storeys.push(Storey {
            id: name.into(),
            name: name.into(),
            elevation_m,
            building: "Clinic".into(),
            ..Storey::default()
        });
    }
    for name in ["AHU-1 supply air", "Heating water with a rather long name of its own", "Chilled water primary loop"] {
        site.systems.push(Group { id: name.into(), name: name.into(), ..Group::default() });
    }
    site
}

fn add(site: &mut Site, class: &str, name: &str, tag: &str, storey: Option<u32>, systems: &[u32]) -> u32 {
    let index = site.elements.len() as u32;
    let at = DVec3::new(f64::from(index % 20), f64::from(index / 20), f64::from(storey.unwrap_or(0)) * 3.6);
    site.elements.push(Element {
        id: format!("2x{index:04}QfL9k0vBa7Zc$1m{index:03}"),
        class: class.into(),
        name: name.into(),
        tag: tag.into(),
        storey,
        systems: systems.to_vec(),
        bounds: Some(Aabb { min: at, max: at + DVec3::ONE }),
        ..Element::default()
    });
    site.source_of.push(u16::from(!systems.is_empty()));
    index
}

fn describe(element: &mut Element) {
    element.type_name = "Air handling unit 12 000 m³/h, two coils, rotary heat exchanger".into();
    element.description = "Serves levels 1 and 2".into();
    element.materials = vec!["Galvanised steel".into()];
    element.classification = vec!["Uniclass 2015: Ss_65_40_33_01".into()];
    let real = |v: f64| PropertyValue::Real(v);
    element.properties = [
        PropertySet {
            name: "Pset_UnitaryEquipmentTypeAirHandler".into(),
            quantities: false,
            values: vec![
                ("DualDeck".into(), PropertyValue::Boolean(false)),
                ("AirHandlerConstruction".into(), PropertyValue::Text("Manufactured item with a long word".into())),
                ("NominalAirflow".into(), real(3.3333333333)),
            ]
            .into(),
        },
        PropertySet {
            name: "Qto_UnitaryEquipmentBaseQuantities".into(),
            quantities: true,
            values: vec![("GrossWeight".into(), real(1850.0))].into(),
        },
    ]
    .map(Arc::new)
    .into();
}

fn room_check() -> Check {
    Check {
        warning_below: Some(16.0),
        warning_above: Some(29.0),
        critical_below: Some(12.0),
        critical_above: Some(34.0),
        hysteresis: 0.5,
        confirm_s: 900.0,
    }
}

fn point(site: &mut Site, asset: u32, role: &str, name: &str, unit: &str, check: Option<Check>) -> PointIndex {
    let index = PointIndex(site.points.len() as u32);
    let label = site.elements[asset as usize].label();
    site.points.push(Point {
        id: format!("{label}/{role}"),
        asset: Slot(asset),
        role: role.into(),
        name: name.into(),
        unit: Unit::parse(unit).expect("a unit"),
        expected: None,
        period_s: 5.0,
        stale_after_s: 60.0,
        check,
        source: PointSource::Topic { topic: format!("clinic/x/{label}"), key: role.into() },
        remedy: String::new(),
        watch: Default::default(),
    });
    index
}

fn join(site: &mut Site, from: u32, to: u32) {
    let start = site.connection_points.len() as u32;
    for (element, direction) in [(from, FlowDirection::Source), (to, FlowDirection::Sink)] {
        site.connection_points.push(ConnectionPoint {
            id: format!("port{element}"),
            name: "Port".into(),
            element,
            direction,
            location: None,
            medium: "CHILLEDWATER".into(),
        });
    }
    site.connections.push(Connection { from: start, to: start + 1 });
}

/// Everything that [`Data`] borrows.
pub struct World {
    pub scene: Option<Scene>,
    pub view: View,
    pub clock: TwinClock,
    pub intake: Intake,
    pub rollup: Rollup,
    pub alarms: Vec<Alarm>,
    pub wire: WireStatus,
    pub problems: Vec<Problem>,
    pub templates: Vec<Template>,
    pub busy: Option<super::Busy>,
    pub views: super::SavedViews,
    pub search: Search,
    pub placements: Placements,
    pub changes: Changes,
    pub playback: Playback,
    pub colouring: Colouring,
    pub eye: Option<Eye>,
    pub networks: Networks,
    pub ranges: FlowRanges,
    pub traced: Traced,
    /// By slot.
    pub solved: HashMap<Slot, Solved>,
    /// By point.
    pub residuals: HashMap<PointIndex, Residual>,
    /// By network.
    pub now: Vec<(FlowSolve, FlowScore, State)>,
    values: Vec<(LiveValue, VecDeque<(Time, f64)>, Health)>,
}

impl Readings for World {
    fn live(&self, point: PointIndex) -> LiveValue {
        self.values.get(point.0 as usize).map_or_else(LiveValue::default, |v| v.0)
    }
    fn trend(&self, point: PointIndex) -> Option<&VecDeque<(Time, f64)>> {
        Some(&self.values.get(point.0 as usize)?.1)
    }
    fn point_health(&self, point: PointIndex) -> Health {
        self.values.get(point.0 as usize).map_or(Health::Unknown, |v| v.2)
    }
    fn asset_health(&self, slot: Slot) -> Health {
        let Some(scene) = &self.scene else { return Health::Unknown };
        scene.points_of(slot).iter().map(|p| self.point_health(*p)).fold(Health::Unknown, Health::worst)
    }
    fn solved(&self, slot: Slot) -> Solved {
        self.solved.get(&slot).copied().unwrap_or_default()
    }
    fn residual(&self, point: PointIndex) -> Option<Residual> {
        self.residuals.get(&point).copied()
    }
    fn network(&self, index: usize) -> Option<NetworkNow<'_>> {
        self.now.get(index).map(|(solve, score, state)| NetworkNow { solve, score: *score, state })
    }
}

impl World {
    /// Before anything is open.
    pub fn empty() -> Self {
        Self {
            scene: None,
            view: View::default(),
            clock: TwinClock { now: NOW, from_site: true, site_speaks: true, is_held: false },
            intake: Intake::default(),
            rollup: Rollup::default(),
            alarms: Vec::new(),
            wire: WireStatus::default(),
            problems: Vec::new(),
            templates: Vec::new(),
            busy: None,
            views: super::SavedViews::default(),
            search: Search::default(),
            placements: Placements::default(),
            changes: Changes::default(),
            playback: Playback::default(),
            colouring: Colouring::default(),
            eye: None,
            networks: Networks::default(),
            ranges: FlowRanges::default(),
            traced: Traced::default(),
            solved: HashMap::new(),
            residuals: HashMap::new(),
            now: Vec::new(),
            values: Vec::new(),
        }
    }

    /// The clinic with an hour of samples.
    pub fn clinic() -> Self {
        let site = site();
        let mut points_of = vec![Vec::new(); site.elements.len()];
        let mut values = Vec::new();
        let mut counts = HealthCounts::default();
        for (i, point) in site.points.iter().enumerate() {
            points_of[point.asset.0 as usize].push(PointIndex(i as u32));
            let (value, trend) = samples(i, point);
            let health = match i {
                0 | 30 => Health::Critical,
                4 | 17 => Health::Warning,
                9 => Health::Stale,
                13 => Health::Unknown,
                _ => Health::Good,
            };
            match health {
                Health::Critical => counts.critical += 1,
                Health::Warning => counts.warning += 1,
                Health::Stale => counts.stale += 1,
                Health::Unknown => counts.unknown += 1,
                Health::Good => counts.good += 1,
            }
            values.push((value, trend, health));
        }
        let rollup = Rollup {
            storeys: vec![Health::Critical, Health::Warning, Health::Good],
            systems: vec![Health::Critical, Health::Good, Health::Unknown],
            points: counts,
        };
        let scene = Scene {
            elements: vec![Entity::PLACEHOLDER; site.elements.len()],
            points: vec![Entity::PLACEHOLDER; site.points.len()],
            bound: (0..points_of.len() as u32).map(Slot).filter(|s| !points_of[s.0 as usize].is_empty()).collect(),
            points_of,
            site: Arc::new(site),
        };
        let colouring = Colouring::of(&scene);
        Self { scene: Some(scene), colouring, rollup, values, wire: wire(), problems: problems(), ..Self::empty() }
    }

    /// What the panels see of it.
    pub fn data(&self) -> Data<'_> {
        Data {
            scene: self.scene.as_ref(),
            view: &self.view,
            clock: &self.clock,
            intake: &self.intake,
            rollup: &self.rollup,
            alarms: &self.alarms,
            wire: &self.wire,
            problems: &self.problems,
            templates: &self.templates,
            busy: self.busy.as_ref(),
            views: &self.views,
            search: &self.search,
            placements: &self.placements,
            changes: &self.changes,
            playback: &self.playback,
            flows: Flows { networks: &self.networks, ranges: &self.ranges, traced: &self.traced },
            readings: self,
            colouring: Some(&self.colouring),
            eye: self.eye,
            tokens: theme::tokens(self.view.theme),
            frame_ms: 16.6,
        }
    }

    /// Answers a search as the twin would.
    pub fn look_for(&mut self, text: &str) {
        let mut search = std::mem::take(&mut self.search);
        let index = self.scene.as_ref().map(|s| Index::of(&s.site));
        search.ask(text, index.as_ref(), &|slot| Some(self.asset_health(slot)));
        self.search = search;
    }

    /// The slot of a label.
    pub fn slot(&self, label: &str) -> Slot {
        slot(&self.scene.as_ref().expect("a scene").site, label)
    }

    /// In a theme.
    pub fn in_theme(mut self, theme: Theme) -> Self {
        self.view.theme = theme;
        self
    }
}

fn samples(i: usize, point: &Point) -> (LiveValue, VecDeque<(Time, f64)>) {
    if i == 13 {
        return Default::default();
    }
    let (middle, swing) = match point.unit.code {
        "Cel" => (21.5, 1.2),
        "%" => (0.46, 0.2),
        "m3/h" => (0.22, 0.06),
        "kW" => (7400.0, 900.0),
        "1" => (1.0, 0.0),
        _ => (310.0, 25.0),
    };
    let at = |k: i64| {
        let x = k as f64 * 0.05 + i as f64;
        middle + swing * (x.sin() * 0.7 + (x * 3.7).sin() * 0.3)
    };
    let trend: VecDeque<(Time, f64)> = (0..360).map(|k| (Time(NOW.0 - (360 - k) * 10_000), at(k))).collect();
    let quality = if i == 30 { Quality::BadRange } else { Quality::Good };
    let (time, value) = trend.back().copied().expect("samples");
    (LiveValue { value, quality, device_time: Some(time), arrival: Some(time) }, trend)
}

fn wire() -> WireStatus {
    WireStatus {
        broker: "embedded 127.0.0.1:41883".into(),
        state: "connected".into(),
        connected: true,
        samples_per_s: 212.4,
        rejected: 3,
        lost: Some(0),
        quarantine: vec![Quarantined {
            arrival: NOW,
            topic: "clinic/vav/VAV-1-03".into(),
            reason: "`v` is text, a number is expected".into(),
            payload: "{\"ts\":\"2026-05-11T06:00:00Z\",\"v\":\"twenty-one\"}".into(),
        }],
        unmatched: vec!["clinic/lift/L-1".into(), "clinic/vav/VAV-9-99".into()],
    }
}

fn problems() -> Vec<Problem> {
    vec![
        Problem::info("twin.toml:12", "the broker is embedded", ""),
        Problem::warning(
            "#8123 IFCBOOLEANRESULT of a wall with a long name",
            "the opening could not be cut in time, so the wall is drawn without it and looks closed",
            "simplify the opening",
        ),
        Problem::error("twin.toml:88", "no element has the tag `AHU-9`", "use the tag of an element of the models"),
    ]
}

/// Some alarms, as the list that keeps them would hold them.
pub fn alarms(world: &World) -> Vec<Alarm> {
    [
        ("VAV-0-01", "Zone temperature is too high", AlarmSeverity::High, AlarmState::Unacknowledged, 310),
        (
            "AHU-1",
            "Supply air temperature is outside its limits for longer than it may be",
            AlarmSeverity::Medium,
            AlarmState::Acknowledged,
            1900,
        ),
        ("P-1", "No news from its flow meter", AlarmSeverity::Low, AlarmState::Returned, 7300),
        ("VAV-1-03", "Zone temperature is too low", AlarmSeverity::Medium, AlarmState::Normal, 8000),
    ]
    .into_iter()
    .enumerate()
    .map(|(i, (label, name, severity, state, ago))| Alarm {
        id: AlarmId(i as u32 + 1),
        asset: world.slot(label),
        point: PointIndex(0),
        name: name.into(),
        severity,
        state,
        raised_at: Time(NOW.0 - ago * 1000),
        returned_at: None,
        acknowledged_at: None,
        remedy: "Check the reheat valve".into(),
    })
    .collect()
}
