use super::*;
use crate::TwinPlugins;
use crate::analytics::Health;
use crate::quality::Quality;
use crate::site::Site;
use crate::site::model::{Element, Group};
use crate::site::point::{Point, PointSource};
use crate::site::project::Origin;
use crate::site::unit::Unit;
use crate::time::Time;
use crate::twin::command::Command;
use crate::twin::scene::OpenSite;
use std::sync::Arc;

/// A room with a VAV box in it that has a coil, and a wall.
fn site() -> Site {
    let element = |class: &str| Element { id: class.into(), class: class.into(), ..Element::default() };
    let mut room = element("IfcSpace");
    room.kind = ElementKind::Space;
    let mut vav = element("IfcAirTerminalBox");
    vav.space = Some(0);
    vav.systems = vec![1];
    let mut coil = element("IfcCoil");
    coil.part_of = Some(1);
    let point = |asset: u32, role: &str| Point {
        id: format!("{asset}/{role}"),
        asset: Slot(asset),
        role: role.into(),
        name: role.into(),
        unit: Unit::parse("Cel").unwrap(),
        expected: None,
        period_s: 5.0,
        stale_after_s: 60.0,
        check: None,
        source: PointSource::Topic { topic: "t".into(), key: String::new() },
        remedy: String::new(),
        watch: Default::default(),
    };
    Site {
        origin: Origin::default(),
        elements: vec![room, vav, coil, element("IfcWall")],
        source_of: vec![0; 4],
        sources: vec![crate::site::Source { discipline: "mep".into(), ..Default::default() }],
        systems: vec![Group::default(), Group::default()],
        points: vec![
            point(1, "discharge_temperature"),
            point(1, "zone_temperature"),
            point(2, "leaving_air_temperature"),
        ],
        ..Site::default()
    }
}

fn app() -> App {
    let mut app = App::new();
    app.add_plugins(TwinPlugins).insert_resource(OpenSite(Arc::new(site())));
    app.update();
    app
}

fn words(app: &App) -> Vec<u32> {
    app.world().resource::<StateWords>().0.clone()
}

fn tell(app: &mut App, command: Command) -> Vec<u32> {
    app.world_mut().write_message(command);
    app.update();
    words(app)
}

#[test]
fn spaces_are_hidden_at_first_and_one_word_changes_at_a_time() {
    let mut app = app();
    assert_eq!(words(&app), [SPACE | HIDDEN, 0, 0, 0]);
    assert_eq!(tell(&mut app, Command::Select(Some(Slot(3)))), [SPACE | HIDDEN, 0, 0, SELECTED]);
    assert_eq!(tell(&mut app, Command::Hover(Some(Slot(1)))), [SPACE | HIDDEN, HOVERED, 0, SELECTED]);
    assert_eq!(tell(&mut app, Command::Select(None)), [SPACE | HIDDEN, HOVERED, 0, 0]);
    assert_eq!(tell(&mut app, Command::Hide(vec![Slot(2)]))[2], HIDDEN);
    assert_eq!(tell(&mut app, Command::ShowSpaces(true))[0], SPACE);
}

#[test]
fn a_plan_is_coloured_by_its_rooms() {
    let mut app = app();
    tell(&mut app, Command::ColourBy(ColourBy::Temperature));
    assert_eq!(tell(&mut app, Command::CutStorey(Some(0)))[0] & (SPACE | HIDDEN), SPACE);
    assert_eq!(tell(&mut app, Command::ColourBy(ColourBy::Material))[0] & (SPACE | HIDDEN), SPACE | HIDDEN);
}

#[test]
fn nothing_is_uploaded_when_nothing_changes() {
    let mut app = app();
    app.update();
    let before = app.world().resource_ref::<StateWords>().last_changed();
    app.update();
    app.update();
    assert_eq!(app.world().resource_ref::<StateWords>().last_changed(), before);
}

#[test]
fn a_sick_coil_shows_on_its_box_and_in_its_room() {
    let mut app = app();
    let by_health = tell(&mut app, Command::ColourBy(ColourBy::Health));
    assert_eq!(by_health[3], word(Palette::Quiet, 0));
    let coil = app.world().resource::<Scene>().elements[2];
    app.world_mut().entity_mut(coil).insert(AssetHealth(Health::Critical));
    app.update();
    let critical = word(Palette::Health, 4);
    // The box is a part of nothing, so the coil's state stops there; the room shows what stands in it.
    assert_eq!(words(&app)[1..], [critical, critical, word(Palette::Quiet, 0)]);
}

#[test]
fn a_room_has_the_colour_of_its_own_temperature() {
    let mut app = app();
    tell(&mut app, Command::ColourBy(ColourBy::Temperature));
    let point = app.world().resource::<Scene>().points[1];
    app.world_mut().entity_mut(point).insert(LiveValue {
        value: 35.0,
        quality: Quality::Good,
        device_time: Some(Time(1)),
        arrival: Some(Time(1)),
    });
    app.update();
    let warm = word(Palette::Temperature, u16::MAX);
    assert_eq!(words(&app), [warm | SPACE | HIDDEN, warm, word(Palette::Quiet, 0), word(Palette::Quiet, 0)]);
}

#[test]
fn systems_and_disciplines_are_categories() {
    let mut app = app();
    assert_eq!(tell(&mut app, Command::ColourBy(ColourBy::System))[1], word(Palette::Category, 1));
    assert_eq!(words(&app)[3], word(Palette::Quiet, 0));
    assert_eq!(tell(&mut app, Command::ColourBy(ColourBy::Discipline))[3], word(Palette::Category, 0));
}

#[test]
fn temperatures_stay_in_range() {
    assert_eq!(temperature_value(-100.0), 0);
    assert_eq!(temperature_value(1e9), u16::MAX);
    assert!(temperature_value(22.0).abs_diff(u16::MAX / 2) <= 1);
    assert_eq!(temperature_rank("airflow"), None);
    assert!(temperature_rank("zone_temperature") < temperature_rank("supply_temperature"));
}
