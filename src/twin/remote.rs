//! Bevy's remote protocol on loopback (feature `remote`): read and drive a running twin from another
//! program. Beside Bevy's own methods there are three of ours; all of them are JSON-RPC 2.0 over HTTP
//! on 127.0.0.1:15702, or the port that the environment variable `PLENUM_REMOTE_PORT` names.
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `plenum/summary` | none | counts, health and alarms as `plenum run --json` has them |
//! | `plenum/element` | `{"id": GlobalId or tag}` | the element with its points' values and health |
//! | `plenum/command` | one of `{"select": id or null}`, `{"fly_to": id}`, `{"colour_by": word}`, `{"acknowledge": id of an alarm}`, `{"show_all": true}`, `{"reload": true}` | `"sent"` |
//!
//! There is no login: whoever may run programs on this machine, a page in its browser among them, may call.
//! That is why the feature is off unless asked for.

use super::alarms::Alarms;
use super::command::Command;
use super::health::PointHealth;
use super::scene::Scene;
use super::summary::summary;
use super::telemetry::LiveValue;
use super::view::ColourBy;
use crate::operations::AlarmId;
use crate::problem::Problem;
use crate::site::Slot;
use bevy::prelude::*;
use bevy::remote::http::{DEFAULT_PORT, RemoteHttpPlugin};
use bevy::remote::{BrpError, BrpResult, RemotePlugin, error_codes};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};

/// Listens on loopback.
pub struct RemoteControlPlugin;

impl Plugin for RemoteControlPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(
            RemotePlugin::default()
                .with_method_main("plenum/summary", tell_summary)
                .with_method_main("plenum/element", tell_element)
                .with_method_main("plenum/command", take_command),
        );
        // Bevy's server says nothing when it cannot listen.
        match port().and_then(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(|_| port)) {
            Ok(port) => {
                app.add_plugins(RemoteHttpPlugin::default().with_address(Ipv4Addr::LOCALHOST).with_port(port));
            }
            Err(e) => {
                let remedy = "name a free port in PLENUM_REMOTE_PORT";
                let problem = Problem::error("remote protocol", format!("cannot listen on 127.0.0.1: {e}"), remedy);
                let _ = writeln!(std::io::stderr(), "plenum: {problem}");
            }
        }
    }
}

/// The port to listen on.
fn port() -> io::Result<u16> {
    match std::env::var("PLENUM_REMOTE_PORT") {
        Err(_) => Ok(DEFAULT_PORT),
        Ok(text) => text.trim().parse().map_err(|_| io::Error::other(format!("PLENUM_REMOTE_PORT is `{text}`"))),
    }
}

fn wrong(message: impl Into<String>) -> BrpError {
    BrpError { code: error_codes::INVALID_PARAMS, message: message.into(), data: None }
}

fn tell_summary(In(_): In<Option<Value>>, world: &mut World) -> BrpResult {
    let s = summary(world);
    Ok(json!({
        "elements": s.elements, "points": s.points, "bound_points": s.bound_points,
        "received": s.intake.samples, "health": s.health, "alarms": s.alarms,
    }))
}

/// The element of an id or a tag.
fn find(scene: &Scene, id: &str) -> Result<Slot, BrpError> {
    let site = &scene.site;
    site.find(id)
        .or_else(|| site.tagged(id).first().copied())
        .ok_or_else(|| wrong(format!("there is no element with the GlobalId or tag `{id}`")))
}

fn scene(world: &World) -> Result<&Scene, BrpError> {
    world.get_resource::<Scene>().ok_or_else(|| wrong("no site is open"))
}

fn tell_element(In(params): In<Option<Value>>, world: &mut World) -> BrpResult {
    let id = params.as_ref().and_then(|p| p.get("id")).and_then(Value::as_str);
    let id = id.ok_or_else(|| wrong("give {\"id\": GlobalId or tag}"))?;
    let scene = scene(world)?;
    let slot = find(scene, id)?;
    let element = scene.site.element(slot).ok_or_else(|| wrong("the element is gone"))?;
    let points: Vec<Value> = scene
        .points_of(slot)
        .iter()
        .filter_map(|index| {
            let point = scene.site.points.get(index.0 as usize)?;
            let entity = world.get_entity(*scene.points.get(index.0 as usize)?).ok()?;
            let live = entity.get::<LiveValue>().copied().unwrap_or_default();
            let health = entity.get::<PointHealth>().copied().unwrap_or_default();
            Some(json!({
                "id": point.id, "role": point.role, "unit": point.unit.code,
                "value": live.device_time.map(|_| point.unit.from_si(live.value)),
                "at": live.device_time, "quality": live.quality, "health": health.0,
            }))
        })
        .collect();
    Ok(json!({
        "id": element.id, "class": element.class, "name": element.name, "tag": element.tag, "points": points,
    }))
}

/// The alarm of an id as the summary has it, `A7`, or of its number.
fn alarm(world: &World, value: &Value) -> Result<AlarmId, BrpError> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let id = text.strip_prefix('A').unwrap_or(&text).parse().ok().map(AlarmId);
    let known = |id: &AlarmId| world.get_resource::<Alarms>().is_some_and(|a| a.0.get(*id).is_some());
    id.filter(known).ok_or_else(|| wrong(format!("there is no alarm {value}")))
}

fn take_command(In(params): In<Option<Value>>, world: &mut World) -> BrpResult {
    let params = params.unwrap_or_default();
    let known = "give one of select, fly_to, colour_by, acknowledge, show_all, reload";
    let one = params.as_object().filter(|o| o.len() == 1);
    let (name, value) = one.and_then(|o| o.iter().next()).ok_or_else(|| wrong(known))?;
    let slot = |world: &World| find(scene(world)?, value.as_str().unwrap_or_default());
    let command = match name.as_str() {
        "select" => Command::Select(if value.is_null() { None } else { Some(slot(world)?) }),
        "fly_to" => Command::FlyTo(slot(world)?),
        "colour_by" => {
            let by = value.as_str().and_then(ColourBy::parse);
            let words = ColourBy::ALL.map(ColourBy::word).join(", ");
            Command::ColourBy(by.ok_or_else(|| wrong(format!("colour by one of {words}")))?)
        }
        "acknowledge" => Command::Acknowledge(alarm(world, value)?),
        "show_all" if value == true => Command::ShowAll,
        "reload" if value == true => Command::Reload,
        _ => return Err(wrong(known)),
    };
    world.write_message(command);
    Ok(json!("sent"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::Health;
    use crate::site::{Element, PointIndex, Site};
    use crate::time::Time;
    use crate::twin::scene::OpenSite;
    use std::sync::Arc;

    /// A twin with one pump and an alarm on it, and nothing that listens.
    fn twin() -> App {
        let mut app = App::new();
        app.add_plugins((crate::StepsPlugin, super::super::command::CommandPlugin))
            .add_plugins(super::super::scene::ScenePlugin)
            .init_resource::<Alarms>();
        let pump = Element { id: "pump".into(), tag: "P-1".into(), name: "Pump".into(), ..Element::default() };
        app.insert_resource(OpenSite(Arc::new(Site { elements: vec![pump], ..Site::default() })));
        app.update();
        let mut alarms = app.world_mut().resource_mut::<Alarms>();
        assert!(alarms.0.observe(Slot(0), PointIndex(0), "flow", "look", Health::Critical, Time(1)));
        app
    }

    #[test]
    fn what_is_asked_is_told() {
        let mut app = twin();
        let told = tell_summary(In(None), app.world_mut()).unwrap();
        assert_eq!((&told["elements"], &told["alarms"][0]["asset"]), (&json!(1), &json!("pump")));
        for id in ["pump", "P-1"] {
            let told = tell_element(In(Some(json!({"id": id}))), app.world_mut()).unwrap();
            assert_eq!((&told["tag"], &told["points"]), (&json!("P-1"), &json!([])));
        }
        for wrong in [None, Some(json!(3)), Some(json!({"id": 3})), Some(json!({"id": "nothing"}))] {
            assert_eq!(tell_element(In(wrong), app.world_mut()).unwrap_err().code, error_codes::INVALID_PARAMS);
        }
        assert!(tell_element(In(Some(json!({"id": "pump"}))), &mut World::new()).is_err(), "no site is open");
    }

    #[test]
    fn commands_are_sent_and_wrong_ones_refused() {
        let mut app = twin();
        let told = tell_summary(In(None), app.world_mut()).unwrap();
        let alarm = told["alarms"][0]["id"].clone();
        for right in [
            json!({"select": "P-1"}),
            json!({"select": null}),
            json!({"fly_to": "pump"}),
            json!({"colour_by": "health"}),
            json!({"acknowledge": alarm}),
            json!({"show_all": true}),
        ] {
            assert_eq!(take_command(In(Some(right.clone())), app.world_mut()).unwrap(), json!("sent"), "{right}");
        }
        let sent: Vec<Command> = app.world_mut().resource_mut::<Messages<Command>>().drain().collect();
        assert_eq!(sent[..2], [Command::Select(Some(Slot(0))), Command::Select(None)]);
        assert_eq!(sent.len(), 6);
        for wrong in [
            Value::Null,
            json!([]),
            json!({}),
            json!({"explode": true}),
            json!({"show_all": false}),
            json!({"select": "P-1", "fly_to": "P-1"}),
            json!({"select": "nothing"}),
            json!({"colour_by": "taste"}),
            json!({"acknowledge": "A99"}),
            json!({"acknowledge": -1}),
        ] {
            assert!(take_command(In(Some(wrong.clone())), app.world_mut()).is_err(), "{wrong}");
        }
        assert_eq!(app.world_mut().resource_mut::<Messages<Command>>().drain().count(), 0);
    }
}
