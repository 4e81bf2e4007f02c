//! Bevy's remote protocol on loopback (feature `remote`): read and drive a running twin from another
//! program. Beside Bevy's own methods there are three of ours; all of them are JSON-RPC 2.0 over HTTP
//! on 127.0.0.1:15702.
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `plenum/summary` | none | counts, health and alarms as `plenum run --json` has them |
//! | `plenum/element` | `{"id": GlobalId or tag}` | the element with its points' values and health |
//! | `plenum/command` | `{"select": id}`, `{"fly_to": id}`, `{"colour_by": word}`, `{"acknowledge": number}`, `{"show_all": true}` | `"sent"` |

use super::command::Command;
use super::health::PointHealth;
use super::scene::Scene;
use super::summary::summary;
use super::telemetry::LiveValue;
use super::view::ColourBy;
use crate::operations::AlarmId;
use crate::site::Slot;
use bevy::prelude::*;
use bevy::remote::{BrpError, BrpResult, RemotePlugin, error_codes, http::RemoteHttpPlugin};
use serde_json::{Value, json};

/// Listens on loopback.
pub struct RemoteControlPlugin;

impl Plugin for RemoteControlPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins((
            RemotePlugin::default()
                .with_method_main("plenum/summary", tell_summary)
                .with_method_main("plenum/element", tell_element)
                .with_method_main("plenum/command", take_command),
            RemoteHttpPlugin::default(),
        ));
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

fn take_command(In(params): In<Option<Value>>, world: &mut World) -> BrpResult {
    let params = params.unwrap_or_default();
    let known = "give one of select, fly_to, colour_by, acknowledge, show_all";
    let (name, value) = params.as_object().and_then(|o| o.iter().next()).ok_or_else(|| wrong(known))?;
    let slot = |world: &World| find(scene(world)?, value.as_str().unwrap_or_default());
    let command = match name.as_str() {
        "select" => Command::Select(if value.is_null() { None } else { Some(slot(world)?) }),
        "fly_to" => Command::FlyTo(slot(world)?),
        "colour_by" => {
            let by = value.as_str().and_then(ColourBy::parse);
            let words = ColourBy::ALL.map(ColourBy::word).join(", ");
            Command::ColourBy(by.ok_or_else(|| wrong(format!("colour by one of {words}")))?)
        }
        "acknowledge" => {
            let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
            Command::Acknowledge(AlarmId(number.ok_or_else(|| wrong("give the alarm's number"))?))
        }
        "show_all" => Command::ShowAll,
        _ => return Err(wrong(known)),
    };
    world.write_message(command);
    Ok(json!("sent"))
}
