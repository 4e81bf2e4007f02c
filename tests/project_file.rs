//! The project file: the demo's own is read without a word, and every mistake is told with its line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use plenum::site::point::Check;
use plenum::site::project::{Binding, BrokerUrl, Project, Secret, load};
use plenum::{Problem, Severity};
use proptest::prelude::*;
use std::path::Path;

const DEMO: &str = include_str!("../src/demo/twin.toml");

/// Loads a text as the `twin.toml` of a folder that also holds `a.ifc`, `ca.pem` and `secret`.
fn read(text: &str) -> Result<(Project, Vec<Problem>), Problem> {
    let folder = tempfile::tempdir().unwrap();
    for file in ["a.ifc", "ca.pem", "secret"] {
        std::fs::write(folder.path().join(file), "hush\r\n").unwrap();
    }
    std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    load(folder.path())
}

/// The problems of a text, `LINE: message (remedy)`.
fn problems(text: &str) -> Vec<String> {
    let (_, problems) = read(text).unwrap();
    problems
        .iter()
        .map(|p| format!("{}: {} ({})", p.place.strip_prefix("twin.toml:").expect("a line"), p.message, p.remedy))
        .collect()
}

#[test]
fn the_demo_is_read_without_a_word() {
    let (project, problems) = read(DEMO).unwrap();
    let rest: Vec<_> = problems.iter().filter(|p| !p.message.starts_with("there is no file")).collect();
    assert!(rest.is_empty(), "{rest:#?}");
    assert_eq!(problems.len(), 4, "the two models, the registry and the layer are not beside it: {problems:#?}");
    assert_eq!((project.name.as_str(), project.models.len(), project.layers.len()), ("Riverside Clinic", 2, 1));
    assert_eq!(project.origin.as_ref().unwrap().position_m, [2_683_140.0, 1_247_400.0, 408.0]);
    assert_eq!(project.broker.url, BrokerUrl::Embedded { port: 0 });
    assert_eq!(project.broker.subscribe, ["clinic/#"]);
    assert_eq!(project.clock_topic.as_deref(), Some("clinic/clock"));
    assert!(project.file.is_absolute() && project.models.iter().all(|m| m.file.is_absolute()));
    let names: Vec<&str> = project.templates.iter().map(|t| t.name.as_str()).collect();
    let [Binding::Rule { templates, .. }] = project.bindings.as_slice() else { panic!("{:?}", project.bindings) };
    assert_eq!(names, *templates, "templates stand in the order of the file");

    let vav = &project.templates[0];
    let roles: Vec<&str> = vav.points.iter().map(|p| p.role.as_str()).collect();
    assert_eq!(
        roles,
        ["zone_temperature", "zone_setpoint", "zone_co2", "airflow", "damper_position", "discharge_temperature"]
    );
    assert_eq!((vav.points[2].name.as_str(), vav.points[3].name.as_str()), ("Zone CO₂", "Airflow"));
    assert_eq!(vav.points[0].expected, Some([5.0, 45.0]));
    assert_eq!(vav.points[0].period_s, 5.0);
    assert_eq!(vav.points[3].expected.unwrap()[1], 4000.0 / 3600.0, "m³/h is m³/s inside");
    let valve = project.templates.iter().find(|t| t.name == "valve").unwrap();
    let rule = valve.points.iter().find(|p| p.expression.is_some()).unwrap();
    assert_eq!(rule.name, "Valve does not follow its command");
    assert!(rule.check.unwrap().warning_above.unwrap() < 1.0, "percent are parts of one inside");
}

#[test]
fn every_rule_of_the_demo_reads_what_is_there() {
    let (project, _) = read(DEMO).unwrap();
    let rules = project.templates.iter().flat_map(|t| &t.points).filter(|p| p.expression.is_some()).count();
    assert_eq!(rules, 9);
}

#[test]
fn numbers_in_the_points_own_unit_become_si() {
    let (project, problems) = read(
        r#"
        models = [{ file = "a.ifc", offset_m = [1, 2.5, -3], rotation_deg = 12 }]
        [templates.t]
        match = { class = "IfcPump" }
        [templates.t.points]
        hot = { unit = "[degF]", expected = [32, 212], period_s = 90, warning_above = 104, hysteresis = 9, confirm_s = 5 }
        slow = { unit = "kPa", period_s = 1, stale_after_s = 7 }
        quick = { unit = "1", period_s = 5 }
        "#,
    )
    .unwrap();
    assert_eq!(problems, []);
    assert_eq!((project.models[0].offset_m, project.models[0].rotation_deg), (Some([1.0, 2.5, -3.0]), Some(12.0)));
    let [hot, slow, quick] = project.templates[0].points.as_slice() else { panic!() };
    let Check { warning_above, hysteresis, confirm_s, .. } = hot.check.unwrap();
    assert_eq!(confirm_s, 5.0);
    assert!((warning_above.unwrap() - 40.0).abs() < 1e-9, "104 °F");
    assert!((hysteresis - 5.0).abs() < 1e-9, "9 °F wide");
    let [least, most] = hot.expected.unwrap();
    assert!(least.abs() < 1e-9 && (most - 100.0).abs() < 1e-9);
    assert_eq!((hot.stale_after_s, slow.stale_after_s, slow.check), (270.0, 7.0, None));
    assert_eq!(quick.stale_after_s, 60.0, "three periods, at least a minute");
}

#[test]
fn a_broker_elsewhere() {
    let (project, problems) = read(
        r#"
        models = [{ file = "a.ifc" }]
        [broker]
        url = "mqtts://broker.example"
        port = 0
        user = "plenum"
        password_file = "secret"
        ca = "ca.pem"
        cert = "ca.pem"
        key = "ca.pem"
        client_id = "desk-1"
        keep_alive_s = 30
        subscribe = ["a/+/b", "c/#"]
        "#,
    )
    .unwrap();
    assert_eq!(problems, []);
    let broker = project.broker;
    assert_eq!(broker.url, BrokerUrl::Remote { host: "broker.example".into(), port: 8883, tls: true });
    assert_eq!((broker.user.as_deref(), broker.client_id.as_deref()), (Some("plenum"), Some("desk-1")));
    assert_eq!((broker.keep_alive_s, broker.subscribe.len(), broker.allow_insecure), (30, 2, false));
    assert!(broker.ca.unwrap().ends_with("ca.pem") && broker.cert.is_some() && broker.key.is_some());
    assert!(matches!(broker.password, Some(Secret::File(_))));
}

#[test]
fn secrets_are_read_late_and_shown_never() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "hush hush \r\n").unwrap();
    let secret = Secret::File(file.clone());
    assert_eq!(secret.read().unwrap(), "hush hush ");
    assert!(!format!("{secret:?}").contains("hush"));
    std::fs::remove_file(file).unwrap();
    assert!(secret.read().is_err());
    let unset = Secret::Environment("PLENUM_TEST_VARIABLE_THAT_IS_NOT_SET".into());
    assert!(unset.read().unwrap_err().message.contains("PLENUM_TEST_VARIABLE_THAT_IS_NOT_SET"));
    let found = problems("models = [{ file = 'a.ifc' }]\n[broker]\nuser = 'x'\npassword = 'hush'\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("4: a password does not belong") && !found[0].contains("hush"), "{found:?}");
}

#[test]
fn points_bound_by_hand() {
    let (project, problems) = read(
        r#"
        models = [{ file = "a.ifc" }]
        [templates.a]
        match = { class = "IfcPump" }
        points.flow = { unit = "m3/h", warning_above = 36, period_s = 2 }
        points.speed = { unit = "%" }
        [templates.b]
        match = { class = "IfcFan" }
        points.speed = { unit = "1" }
        [[bindings]]
        asset = "P-1"
        point = "flow"
        topic = "x/flow"
        [[bindings]]
        asset = "P-1"
        point = "speed"
        template = "b"
        topic = "x/speed"
        key = "v2"
        [[bindings]]
        asset = "P-1"
        point = "vibration"
        unit = "m/s"
        name = "Shaking"
        topic = "x/shake"
        [[bindings]]
        templates = ["a"]
        topic = "y/{tag}/{role}"
        key = "value_{role}"
        "#,
    )
    .unwrap();
    assert_eq!(problems, []);
    let points: Vec<_> = project
        .bindings
        .iter()
        .map(|b| match b {
            Binding::Point { point, key, .. } => format!("{} {} `{key}` {}", point.role, point.unit.code, point.name),
            Binding::Rule { key, topic, .. } => format!("{topic} {key:?}"),
        })
        .collect();
    assert_eq!(
        points,
        [
            "flow m3/h `` Flow",
            "speed 1 `v2` Speed",
            "vibration m/s `` Shaking",
            "y/{tag}/{role} Some(\"value_{role}\")"
        ]
    );
    let Binding::Point { point, line, .. } = &project.bindings[0] else { panic!() };
    assert_eq!((point.check.unwrap().warning_above, point.period_s, *line), (Some(0.01), 2.0, 10));
}

/// A mistake, the line it is on when it follows [`SOUND`], a word of the message and one of the remedy.
const MISTAKES: &[(&str, usize, &str, &str)] = &[
    ("nmae = 'x'", 2, "`nmae` is no key of the project file", "did you mean `name`?"),
    ("qqqqqq = 1", 2, "no key", "the keys are"),
    ("name = 7", 2, "is a number, where a text", "write a text"),
    ("name = ''", 2, "is empty", "name it"),
    ("[broker]\nurk = 'embedded'", 3, "`urk` is no key of [broker]", "`url`"),
    ("[broker]\nurl = 'http://x'", 3, "not a way to a broker", "mqtts://"),
    ("[broker]\nurl = 'mqtt://10.0.0.9'", 3, "in the clear", "allow_insecure"),
    ("[broker]\nurl = 'mqtts://a:b@c'", 3, "does not belong in the address", "password_env"),
    ("[broker]\nport = 70000", 3, "`port` in [broker] is 70000", "between 0 and 65535"),
    ("[broker]\nport = 1.5", 3, "a whole number is expected", "whole number"),
    ("[broker]\nsubscribe = ['a#']", 3, "no topic filter", "#"),
    ("[broker]\nsubscribe = []", 3, "nothing is subscribed", "filter"),
    ("[broker]\npassword_env = 'X'", 3, "a password without a user", "user"),
    ("[broker]\nca = 'ca.pem'", 3, "nothing without TLS", "mqtts"),
    ("[broker]\nurl = 'mqtts://x'\ncert = 'ca.pem'", 4, "needs both", "other file"),
    ("[broker]\nurl = 'mqtts://x'\nca = 'gone.pem'", 4, "there is no file `gone.pem`", "relative to"),
    ("[[layers]]\nfile = 'gone.geojson'", 3, "there is no file", "relative to"),
    ("[[layers]]\nfile = 'a.ifc'", 3, "named twice", "leave one"),
    ("[[layers]]\nflie = 'a.ifc'", 2, "has no `file`", "file ="),
    ("[layers]\nfile = 'a.ifc'", 2, "is a table, where a list of tables", "[[layers]]"),
    ("[origin]\neast_m = 1", 2, "no `north_m`", "map coordinates"),
    ("[clock]\ntopic = 'a/#'", 3, "not one topic", "without #"),
    ("[ingest]\nqueue = 1", 3, "`queue`", "between 256"),
    ("[retention]\nraw_days = -1", 3, "`raw_days`", "between 0"),
    ("[cache]\nmax_mb = -1", 3, "`max_mb`", "between 0"),
    ("[templates.t]\npoints.x = { unit = 'furlong' }", 3, "`furlong` in point `x` is no known unit", "UCUM"),
    ("[templates.t]\npoints.x = { unit = '°C' }", 3, "no known unit", "did you mean \"Cel\"?"),
    ("[templates.t]\npoints.x = { unit = 'kWh' }", 3, "no known unit", "did you mean \"kW.h\"?"),
    ("[templates.t]\npoints.x = { unit = 'm³/h' }", 3, "no known unit", "did you mean \"m3/h\"?"),
    ("[templates.t]\npoints.x = { unit = 'kpa' }", 3, "no known unit", "did you mean \"kPa\"?"),
    ("[templates.t]\npoints.x = {}", 3, "has no `unit`", "\"1\""),
    ("[templates.t]\npoints.x = 5", 3, "point `x` is a number", "table"),
    ("[templates.t]\npoints.'a b' = { unit = '1' }", 3, "cannot be the name", "letters"),
    ("[templates.t]\npoints.if = { unit = '1' }", 3, "cannot be the name", "letters"),
    ("[templates.t]\npoints.x = { unit = '1', period_s = 0 }", 3, "`period_s`", "between"),
    ("[templates.t]\npoints.x = { unit = '1', period_s = 'x' }", 3, "is a text, where a number", "number"),
    ("[templates.t]\npoints.x = { unit = '1', period_s = nan }", 3, "where a number", "number"),
    ("[templates.t]\npoints.x = { unit = '1', stale_after_s = 5 }", 3, "sooner than its next sample", "longer"),
    ("[templates.t]\npoints.x = { unit = '1', expected = [2, 1] }", 3, "from 2 to 1", "least value first"),
    ("[templates.t]\npoints.x = { unit = '1', expected = [2] }", 3, "a list of 2 numbers", "list"),
    ("[templates.t]\npoints.x = { unit = '1', warn_above = 2 }", 3, "`warn_above` is no key", "`warning_above`"),
    ("[templates.t]\npoints.x = { unit = '1', confirm_s = 2 }", 3, "nothing without a limit", "warning_above"),
    (
        "[templates.t]\npoints.x = { unit = '1', warning_above = 2, critical_above = 1 }",
        3,
        "out of order",
        "low to high",
    ),
    (
        "[templates.t]\npoints.x = { unit = '1', warning_above = 2, warning_below = 1, hysteresis = 1 }",
        3,
        "clears",
        "half",
    ),
    ("[templates.t]\nmatch = { predefined_type = 'X' }", 3, "no `class`", "IfcPump"),
    ("[templates.t]\npanel = ['flw']\npoints.flow = { unit = '1' }", 3, "none of its points", "`flow`"),
    ("[templates.t]\nrules.r = { unit = '1', expression = '1 + ' }", 3, "wrong at character", "number"),
    ("[templates.t]\nrules.r = { unit = '1' }", 3, "has no `expression`", "expression ="),
    (
        "[templates.t]\npoints.flow = { unit = '1' }\nrules.r = { unit = '1', expression = 'flwo' }",
        4,
        "reads `flwo`",
        "`flow`",
    ),
    ("[templates.t]\nrules.r = { unit = '1', expression = 'host.x' }", 3, "reads `host.x`", "add the point"),
    (
        "[templates.t]\npoints.x = { unit = '1' }\nrules.x = { unit = '1', expression = '1' }",
        4,
        "a point and a rule",
        "another",
    ),
    ("[templates.pump]\n[[bindings]]\ntemplates = ['pmup']\ntopic = '{tag}'", 4, "no template `pmup`", "`pump`"),
    ("[templates.t]\n[[bindings]]\ntemplates = ['t']\ntopic = 'x/{tga}'", 5, "`{tga}`", "`{tag}`"),
    ("[templates.t]\n[[bindings]]\ntemplates = ['t']\ntopic = 'x'", 5, "one topic for every element", "{tag}"),
    ("[templates.t]\n[[bindings]]\ntemplates = ['t']\ntopic = 'x/#'", 5, "wildcard", "{tag}"),
    ("[templates.t]\n[[bindings]]\ntemplates = ['t']", 3, "no `topic`", "topic ="),
    ("[[bindings]]\ntopic = 'x'", 2, "either for `templates` or for one `asset`", "one of the two"),
    ("[[bindings]]\nasset = 'A'\ntopic = 'x'", 2, "names no `point`", "point ="),
    ("[[bindings]]\nasset = 'A'\npoint = 'x'\ntopic = 'x'", 4, "no template has a point `x`", "unit"),
    ("[[bindings]]\nasset = 'A'\npoint = 'x'\nunit = '1'\ntopic = 'x/{tag}'", 6, "stands for nothing", "written out"),
];

/// One sound line, so that the mistake is the only one.
const SOUND: &str = "models = [{ file = 'a.ifc' }]\n";

#[test]
fn every_mistake_is_told_with_line_and_remedy() {
    for (text, line, message, remedy) in MISTAKES {
        let found = problems(&format!("{SOUND}{text}\n"));
        let fits = |p: &String| {
            let (said, advice) = p.split_once(" (").unwrap();
            said.starts_with(&format!("{line}: ")) && said.contains(message) && advice.contains(remedy)
        };
        assert!(found.iter().any(fits), "{text}\nline {line}: {message} ({remedy})\nfound {found:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_the_rest_is_read() {
    let text = "name = 'Rest'\nmodels = [{ file = 'a.ifc' }]\nfoo = 1\nbar = 2\n[broker]\nprot = 1\n[templates.t]\n\
                points.x = { unit = 'furlong' }\npoints.y = { unit = '1', perod_s = 2 }\n";
    let (project, found) = read(text).unwrap();
    let lines: Vec<&str> = found.iter().map(|p| p.place.as_str()).collect();
    assert_eq!(lines, ["twin.toml:3", "twin.toml:4", "twin.toml:6", "twin.toml:8", "twin.toml:9"]);
    assert!(found.iter().all(|p| p.severity == Severity::Error && !p.remedy.is_empty()));
    assert_eq!(project.name, "Rest");
    assert_eq!(project.templates[0].points.len(), 1, "x has no unit, y is read");
}

#[test]
fn a_slip_of_the_pen_is_told_and_the_rest_is_read() {
    let (project, found) = read("name = 'Rest'\nmodels = [{ file = 'a.ifc' }]\nbroken = = 1\n").unwrap();
    assert_eq!(project.models.len(), 1);
    assert!(found.iter().any(|p| p.place == "twin.toml:3" && p.message.starts_with("not TOML")), "{found:#?}");
    let (_, found) = read("models = [{ file = 'a.ifc' }]\n[templates.t]\n[templates.t]\n").unwrap();
    assert!(found.iter().any(|p| p.place == "twin.toml:3" && p.message.contains("duplicate")), "{found:#?}");
}

#[test]
fn what_cannot_be_read_at_all_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let none = load(folder.path()).unwrap_err();
    assert!(none.place.ends_with("twin.toml") && none.message.contains("no such file"), "{none}");
    let file = folder.path().join("twin.toml");
    for (bytes, word) in
        [(&b"\xff\xfe\x00"[..], "UTF-8"), (b"{ \"json\": true }", "not TOML"), (b"ISO-10303-21;", "not TOML")]
    {
        std::fs::write(&file, bytes).unwrap();
        let refusal = load(&file).unwrap_err();
        assert!(refusal.message.contains(word) && !refusal.remedy.is_empty(), "{refusal}");
    }
    std::fs::write(&file, "").unwrap();
    let (_, found) = load(&file).unwrap();
    assert!(found.iter().any(|p| p.message.contains("no model")), "{found:?}");
    assert!(load(Path::new("")).is_err());
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = "\u{feff}models = [{ file = 'a.ifc' }]\r\nname = 'A'\r\nfoo = 1\r\n";
    let (project, found) = read(text).unwrap();
    assert_eq!(project.name, "A");
    assert_eq!(found.iter().map(|p| p.place.as_str()).collect::<Vec<_>>(), ["twin.toml:3"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_project_file_never_ends_in_a_panic(at in 0..DEMO.len(), length in 0..40_usize, with in "\\PC{0,12}") {
        let mut bytes = DEMO.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, with.bytes());
        let _ = read(&String::from_utf8_lossy(&bytes));
    }
}
