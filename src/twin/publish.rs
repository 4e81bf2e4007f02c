//! The twin tells others: findings, counts and residuals go out over MQTT.
//!
//! It reads what the other plugins keep and changes nothing. What goes out, and how it looks, is written in
//! `docs/telemetry.md`. Nothing waits for the broker: what finds no room in the outbox is told again later, with what
//! is true then.

use super::alarms::Alarms;
use super::clock::TwinClock;
use super::flow::{FlowNetwork, FlowScore, FlowSolve, OverallScore, Residual};
use super::health::{AssetHealth, HealthCounts, Rollup};
use super::replay::Playback;
use super::scene::{IsPoint, Scene, SiteOpened};
use super::telemetry::LiveValue;
use crate::Step;
use crate::analytics::Health;
use crate::history::export::si_unit;
use crate::operations::alarm::{Alarm, AlarmId, AlarmSeverity, AlarmState};
use crate::problem::Problem;
use crate::site::Point;
use crate::site::point::PointSource;
use crate::site::project::Publish;
use crate::site::unit::Quantity;
use crate::telemetry::mqtt::{Extras, Message};
use crate::telemetry::{Address, ConnectionStatus, Publisher, wall_clock};
use crate::time::Time;
use bevy::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The list of findings goes out at most so often.
const LIST_PACE: Duration = Duration::from_secs(1);
/// So many findings are listed, the worst first; how many there are is said.
const LISTED: usize = 1000;
/// So many changes wait for a broker that is away; then the list says how things are.
const CHANGES: usize = 1000;

/// The way out, for a twin whose project asks for it.
#[derive(Resource, Clone)]
pub struct Outlet {
    publisher: Arc<Publisher>,
    what: Publish,
}

impl Outlet {
    /// Connects in the background as the client `client_id`, which must be its own.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(address: &Address, client_id: &str, what: Publish) -> Result<Self, Problem> {
        let will = Some((format!("{}/status", what.topic), state("offline").to_string().into_bytes()));
        let publisher = Publisher::start(address, client_id, Extras { will, listen: None })?;
        Ok(Self { publisher: Arc::new(publisher), what })
    }

    /// Says good-bye, and waits until what was said has been heard, `patience` at most; true when it has.
    pub fn finish(&self, patience: Duration) -> bool {
        self.say("status", &state("offline"), true) && self.publisher.flush(patience)
    }

    /// False where there was no room: it is to be said again.
    fn say(&self, below: &str, payload: &Value, retain: bool) -> bool {
        let topic = format!("{}/{below}", self.what.topic);
        let message = Message { retain, ..Message::default() };
        self.publisher.publish_within(Duration::ZERO, &topic, payload.to_string().into_bytes(), message).is_ok()
    }
}

fn state(state: &str) -> Value {
    json!({"ts": wall_clock().to_string(), "state": state})
}

/// Publishes what an [`Outlet`] asks for.
pub struct PublishPlugin;

impl Plugin for PublishPlugin {
    fn build(&self, app: &mut App) {
        let there = resource_exists::<Outlet>.and_then(resource_exists::<Scene>);
        app.init_resource::<Said>()
            .add_systems(Update, (greet, findings, kpis, residuals).chain().in_set(Step::Present).run_if(there));
    }
}

/// What has been said.
#[derive(Resource, Default)]
struct Said {
    /// Since when the connection stands over which it was said that the twin is there.
    greeted: Option<Time>,
    /// How each finding was when that was told.
    told: HashMap<AlarmId, (AlarmState, AlarmSeverity)>,
    /// Changes that found no room, the oldest first.
    waiting: Vec<Value>,
    /// The list has changed since it was told.
    list_is_old: bool,
    listed: Option<Instant>,
    kpis: Option<Instant>,
    residuals: Option<Instant>,
}

fn due(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= every)
}

/// Whenever the connection stands anew: the broker may have said the will meanwhile, or forgotten what it kept.
fn greet(outlet: Res<Outlet>, mut said: ResMut<Said>) {
    let said = said.bypass_change_detection();
    if let ConnectionStatus::Connected { since } = outlet.publisher.status()
        && said.greeted != Some(since)
        && outlet.say("status", &state("online"), true)
    {
        said.greeted = Some(since);
        said.list_is_old = true;
    }
}

fn findings(
    outlet: Res<Outlet>,
    scene: Res<Scene>,
    alarms: Option<Res<Alarms>>,
    values: Query<&LiveValue>,
    clock: Res<TwinClock>,
    playback: Res<Playback>,
    mut opened: MessageReader<SiteOpened>,
    mut said: ResMut<Said>,
) {
    if opened.read().any(SiteOpened::is_another) {
        *said = Said { list_is_old: true, greeted: said.greeted, ..Said::default() };
    }
    // Another time is no news.
    let (true, None) = (outlet.what.findings, playback.speed()) else { return };
    let Some(alarms) = alarms else { return };
    let said = said.bypass_change_detection();
    if alarms.is_changed() || said.list_is_old {
        for alarm in alarms.0.all() {
            let now = (alarm.state, alarm.severity);
            if said.told.get(&alarm.id) == Some(&now) {
                continue;
            }
            said.told.insert(alarm.id, now);
            said.list_is_old = true;
            if said.waiting.len() < CHANGES {
                said.waiting.push(finding(alarm, &scene, &values, clock.now));
            }
        }
        if said.told.len() > 2 * alarms.0.all().len() + CHANGES {
            let there: std::collections::HashSet<AlarmId> = alarms.0.all().iter().map(|a| a.id).collect();
            said.told.retain(|id, _| there.contains(id));
        }
    }
    let told = said.waiting.iter().take_while(|change| outlet.say("finding", change, false)).count();
    said.waiting.drain(..told);
    if said.waiting.is_empty() && (said.list_is_old || said.listed.is_none()) && due(said.listed, LIST_PACE) {
        let all: Vec<&Alarm> = alarms.0.active().collect();
        let listed = all.iter().take(LISTED).map(|a| finding(a, &scene, &values, clock.now));
        let list = json!({
            "ts": clock.now.to_string(),
            "count": all.len(),
            "findings": listed.collect::<Vec<_>>(),
        });
        if outlet.say("findings", &list, outlet.what.retain) {
            (said.list_is_old, said.listed) = (false, Some(Instant::now()));
        }
    }
}

/// A finding as it goes out.
fn finding(alarm: &Alarm, scene: &Scene, values: &Query<&LiveValue>, now: Time) -> Value {
    let site = &scene.site;
    let element = site.element(alarm.asset);
    let point = site.points.get(alarm.point.0 as usize);
    let rule = point.and_then(|p| match &p.source {
        PointSource::Rule { expression } => Some(expression.clone()),
        _ => None,
    });
    let live = scene.points.get(alarm.point.0 as usize).and_then(|e| values.get(*e).ok());
    let value = live.filter(|l| l.device_time.is_some() && l.value.is_finite()).zip(point);
    json!({
        "ts": now.to_string(),
        "id": format!("A{}", alarm.id.0),
        "name": alarm.name,
        "severity": alarm.severity,
        "state": alarm.state,
        "asset": element.map(|e| e.id.clone()),
        "tag": element.map_or_else(|| "Plenum".to_owned(), |e| e.label()),
        "point": point.map(|p| p.id.clone()),
        "rule": rule,
        "value": value.map(|(l, p)| p.unit.from_si(l.value)),
        "unit": value.map(|(_, p)| p.unit.code),
        "since": alarm.raised_at.to_string(),
        "returned_at": alarm.returned_at.map(|t| t.to_string()),
        "acknowledged_at": alarm.acknowledged_at.map(|t| t.to_string()),
        "remedy": alarm.remedy,
    })
}

fn kpis(
    outlet: Res<Outlet>,
    clock: Res<TwinClock>,
    playback: Res<Playback>,
    rollup: Res<Rollup>,
    alarms: Option<Res<Alarms>>,
    overall: Option<Res<OverallScore>>,
    assets: Query<&AssetHealth>,
    networks: Query<(&FlowNetwork, &FlowSolve, &FlowScore)>,
    mut said: ResMut<Said>,
) {
    let said = said.bypass_change_detection();
    let every = Duration::from_secs_f64(outlet.what.every_s);
    if !outlet.what.kpis || playback.speed().is_some() || !due(said.kpis, every) {
        return;
    }
    let mut of_assets = HealthCounts::default();
    for AssetHealth(health) in &assets {
        *match health {
            Health::Good => &mut of_assets.good,
            Health::Warning => &mut of_assets.warning,
            Health::Critical => &mut of_assets.critical,
            Health::Stale => &mut of_assets.stale,
            Health::Unknown => &mut of_assets.unknown,
        } += 1;
    }
    let open = |severity| alarms.iter().flat_map(|a| a.0.active()).filter(|a| a.severity == severity).count();
    let mut rows: Vec<_> = networks.iter().collect();
    rows.sort_by_key(|(network, _, _)| network.index);
    let row = |(network, solve, score): (&FlowNetwork, &FlowSolve, &FlowScore)| {
        json!({
            "name": network.name,
            "medium": network.medium,
            "converged": solve.converged,
            "solves": solve.solves,
            "readings": score.readings,
            "within_10": number(score.within_10),
            "within_20": number(score.within_20),
            "mass_residual_m3s": number(solve.mass_residual_m3s),
            "head_residual_m": number(solve.head_residual_m),
            "energy_closing_w": number(solve.energy_closing_w),
        })
    };
    let document = json!({
        "ts": clock.now.to_string(),
        "points": rollup.points,
        "assets": of_assets,
        "findings": {
            "high": open(AlarmSeverity::High),
            "medium": open(AlarmSeverity::Medium),
            "low": open(AlarmSeverity::Low),
        },
        "score": overall.map(|o| o.0),
        "networks": rows.into_iter().map(row).collect::<Vec<_>>(),
    });
    if outlet.say("kpis", &document, outlet.what.retain) {
        said.kpis = Some(Instant::now());
    }
}

fn residuals(
    outlet: Res<Outlet>,
    clock: Res<TwinClock>,
    playback: Res<Playback>,
    scene: Res<Scene>,
    points: Query<&Residual, With<IsPoint>>,
    mut said: ResMut<Said>,
) {
    let said = said.bypass_change_detection();
    let every = Duration::from_secs_f64(outlet.what.every_s);
    if !outlet.what.residuals || playback.speed().is_some() || !due(said.residuals, every) {
        return;
    }
    let mut any = false;
    for residual in &points {
        let Some(point) = scene.site.points.get(residual.point.0 as usize) else { continue };
        any = true;
        if !outlet.say(&below("residuals", &point.id), &compared(residual, point, clock.now), outlet.what.retain) {
            // A broker that is away for long: the next round has newer ones.
            break;
        }
    }
    // Until there is one, it is looked for at each tick.
    if any {
        said.residuals = Some(Instant::now());
    }
}

/// A residual in the shape of a payload that another twin can read, SI.
fn compared(residual: &Residual, point: &Point, now: Time) -> Value {
    let unit = si_unit(point.unit.code);
    let difference = if point.unit.quantity == Quantity::Temperature { "K" } else { unit };
    json!({
        "ts": now.to_string(),
        "values": {
            "measured": number(residual.measured),
            "simulated": number(residual.simulated),
            "residual": number(residual.residual),
            "relative": number(residual.relative),
        },
        "units": {"measured": unit, "simulated": unit, "residual": difference, "relative": "1"},
    })
}

/// A topic below another, of the id of a point: what a topic may not hold becomes `_`.
fn below(what: &str, id: &str) -> String {
    format!("{what}/{}", id.replace(['#', '+', '\0'], "_"))
}

fn number(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests;
