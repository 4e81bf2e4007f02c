//! Project files: read, and written into.

use crate::engine::{Fuzz, marked, outcome_of, then};
use crate::models::told;
use plenum::analytics::rules::RuleSet;
use plenum::site::infer::Verdict;
use plenum::site::project::{
    Broker, BrokerUrl, JoinDecision, Move, SavedView, load, place_model, save_join, save_view,
};
use plenum::site::{self, Element, Model};
use plenum::telemetry::Address;
use std::path::Path;

const CLINIC: &str = include_str!("../../src/demo/twin.toml");

/// A project with every kind of table.
const SMALL: &str = r##"name = "House"
description = "all that there is"
[origin]
crs = "EPSG:2056"
east_m = 2683140.0
north_m = 1247400.0
height_m = 408
[[models]]
file = "a.ifc" # the first
discipline = "mep"
offset_m = [1.0, -2.5, 0]
rotation_deg = 90
[[layers]]
file = "site.geojson"
[[registries]]
file = "assets.csv"
name = "Assets"
sheet = "Pumps"
columns = { tag = "Mark", space = "Room No." }
[broker]
url = "mqtts://broker.example:8883"
user = "plenum"
password_env = "PLENUM_FUZZ_NONE"
subscribe = ["a/+/b", "c/#"]
keep_alive_s = 30
[clock]
topic = "a/clock"
[ingest]
max_payload_bytes = 1000
max_future_s = 300
queue = 1000
[history]
url = "postgres://plenum@db.example/site"
password_env = "PLENUM_FUZZ_NONE"
receipts = "a/kept"
commit_ms = 100
commit_samples = 1000
[retention]
raw_days = 7
[retention.classes.meters]
points = ["*/energy"]
rollup_1h_days = "forever"
[cache]
max_mb = 10
[joining]
gap_m = 0.005
[[joins]]
from = "P-1"
to = "P-2"
decision = "reject"
[[views]]
name = "Plant"
eye_m = [1, 2, 3]
target_m = [0, 0, 0]
section_m = 3.0
storey = "Level 1"
colour_by = "health"
search = "class:IfcPump"
[naming]
IfcPump = "P-[0-9]+"
[templates.pump]
description = "Pump"
match = { class = "IfcPump", tag = "P-*" }
panel = ["flow"]
[templates.pump.points]
flow = { unit = "m3/h", expected = [0, 4000], period_s = 5, stale_after_s = 300, warning_above = 10, hysteresis = 1, confirm_s = 60 }
running = { unit = "1" }
[templates.pump.rules.load]
name = "Load"
expression = "if(running > 0.5, mean(flow / prop.NominalFlow, 60), hold)"
unit = "%"
critical_above = 40
remedy = "look"
[[bindings]]
templates = ["pump"]
topic = "a/{template}/{tag}"
[[bindings]]
asset = "P-2"
point = "flow"
topic = "a/p2"
key = "x"
[[rebind]]
asset = "P-3"
tag = "P-9"
"##;

const WORDS: [&str; 40] = [
    "[[models]]",
    "[[views]]",
    "[[joins]]",
    "[[bindings]]",
    "[views]",
    "[",
    "]",
    "=",
    "\"",
    "\"\"\"",
    "'''",
    "#",
    "\n",
    "\r",
    "file",
    "name = ",
    "offset_m = [",
    "nan",
    "inf",
    "-inf",
    "true",
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "{",
    "}",
    ".",
    "\\u00e4",
    "\\ud800",
    "0xffff_ffff_ffff_ffff",
    "9223372036854775807",
    "1e400",
    "expression = ",
    "unit = \"Cel\"",
    "expected = [",
    "match = { class = \"*\" }",
    "tag = \"*\"",
    "topic = \"{tag}/#\"",
    "mqtt://",
    "views.a = ",
    "\u{feff}",
];

/// What a project is bound to.
fn model() -> Model {
    let element = |n: u32| Element {
        id: format!("000000000000000000000{n}"),
        tag: format!("P-{n}"),
        name: format!("Pump {n}"),
        class: "IfcPump".into(),
        part_of: (n > 0).then(|| n - 1),
        ..Element::default()
    };
    Model { kind: "ifc".into(), elements: (0..4).map(element).collect(), ..Model::default() }
}

/// A folder with all that the project names.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.ifc", "site.geojson", "assets.csv", "clinic-architecture.ifc", "clinic-mep.ifc"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    folder
}

pub fn project() {
    let folder = folder();
    let file = folder.path().join("twin.toml");
    Fuzz::new("project").seeds([SMALL, CLINIC]).words(&WORDS).run(|input| {
        std::fs::write(&file, input).unwrap();
        match load(&file) {
            Ok((project, problems)) => {
                told(&problems);
                let mut model = model();
                model.file = project.models.first().map(|m| m.file.clone()).unwrap_or_default();
                let (site, found) = site::assemble(&project, vec![(model, "mep".to_owned())]);
                told(&found);
                assert!(site.elements.iter().all(|e| e.placement.is_finite()), "a placement that is no number");
                told(&RuleSet::new(&site).1);
                outcome_of(problems.iter().chain(&found).map(|p| p.message.as_str()))
            }
            Err(problem) => {
                told(std::slice::from_ref(&problem));
                outcome_of([problem.message.as_str()])
            }
        }
    });
}

/// Writing into any project file gives a project file, or is refused and changes nothing.
pub fn project_edit() {
    let folder = folder();
    let file = folder.path().join("twin.toml");
    let view = SavedView {
        name: "Plant".into(),
        eye_m: [1.0, 2.0, 3.0],
        section_m: Some(2.0),
        search: Some("a \"b\"\n".into()),
        ..SavedView::default()
    };
    let join = JoinDecision {
        from: "P-1".into(),
        to: "P-2".into(),
        from_point: None,
        to_point: Some("1".into()),
        verdict: Verdict::Accept,
        line: 0,
    };
    let placed = Move::To { offset_m: [1.0, 2.0, 1e12], rotation_deg: 12.5 };
    type Change<'a> = Box<dyn Fn(&Path) -> Result<(), plenum::Problem> + 'a>;
    let changes: [Change<'_>; 6] = [
        Box::new(|f| save_view(f, &view)),
        Box::new(|f| save_join(f, &join, Some(Verdict::Join)).map(|_| ())),
        Box::new(|f| save_join(f, &join, None).map(|_| ())),
        Box::new(|f| save_join(f, &JoinDecision { to_point: None, ..join.clone() }, Some(Verdict::Reject)).map(|_| ())),
        Box::new(|f| place_model(f, "a.ifc", placed)),
        Box::new(|f| place_model(f, "a.ifc", Move::Back)),
    ];
    Fuzz::new("project_edit")
        .seeds([SMALL, "", "name = \"a\"\n", "views = 1\njoins = []\nmodels = [{ file = \"a.ifc\" }]\n"])
        .words(&WORDS)
        .run(|input| {
            let mut outcome = 0;
            std::fs::write(&file, input).unwrap();
            for change in &changes {
                let before = std::fs::read(&file).unwrap();
                let done = change(&file);
                let after = std::fs::read(&file).unwrap();
                match done {
                    Ok(()) => {
                        let text = String::from_utf8(after).unwrap();
                        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                        let read = toml::from_str::<toml::Table>(text);
                        assert!(read.is_ok(), "what was written is no TOML: {read:?}");
                        outcome = then(outcome, 1);
                    }
                    Err(problem) => {
                        assert!(before == after, "a refused change was written");
                        told(std::slice::from_ref(&problem));
                        outcome = then(outcome, outcome_of([problem.message.as_str()]));
                    }
                }
            }
            outcome
        });
}

/// Certificates and keys as a project names them.
pub fn certificates() {
    let folder = tempfile::tempdir().unwrap();
    let [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|n| folder.path().join(n));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (own_cert, own_key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let broker = |ca: &Path, cert: &Path, key: &Path| Broker {
        url: BrokerUrl::Remote { host: "localhost".into(), port: 8883, tls: true },
        ca: Some(ca.into()),
        cert: Some(cert.into()),
        key: Some(key.into()),
        ..Broker::default()
    };
    let words = [
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\n",
        "=",
        "\n",
        "MII",
    ];
    // The first byte says which of the three files the rest is.
    let seeds = [marked(&[0], &own_cert), marked(&[1], &own_cert), marked(&[2], &own_key)];
    Fuzz::new("certificates").seeds(seeds).words(&words).run(|input| {
        let Some((which, bytes)) = input.split_first() else { return 0 };
        for (n, (path, good)) in [(&ca, &own_cert), (&cert, &own_cert), (&key, &own_key)].into_iter().enumerate() {
            let text = if n == usize::from(*which) % 3 { bytes } else { good.as_bytes() };
            std::fs::write(path, text).unwrap();
        }
        match Address::resolve(&broker(&ca, &cert, &key), None) {
            Ok(address) => {
                assert_eq!(address.url(), "mqtts://localhost:8883");
                1
            }
            Err(problem) => {
                told(std::slice::from_ref(&problem));
                outcome_of([problem.message.as_str()])
            }
        }
    });
}
