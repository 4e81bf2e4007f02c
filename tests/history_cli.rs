//! `plenum history` as people run it: good files, broken ones, empty ones and none; beside a program that has the
//! history open, in folders that nobody may write, and stopped half-way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{finish, interrupt, json, plenum, said, start, wait_for};
use plenum::Time;
use plenum::history::embedded::{Embedded, Options};
use plenum::history::{History, PointInfo, PointKey, Stored};
use plenum::quality::Quality;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// A project with nothing but a history.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("twin.toml"), format!("name = \"House\"\n{more}")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.file(name), text).unwrap();
        self.text(name)
    }

    fn text(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    fn history(&self) -> PathBuf {
        self.file(".plenum/history.db")
    }
}

fn history(arguments: &[&str]) -> Output {
    plenum(&[&["history"], arguments].concat())
}

/// Three hours of two points, a minute apart.
fn table() -> String {
    let mut text = "time,AHU-1/supply_temperature [Cel],CH-1/power [kW]\n".to_owned();
    for i in 0..180 {
        let time = Time(1_778_479_200_000 + i * 60_000);
        text.push_str(&format!("{time},{},{}\n", 18.0 + (i % 10) as f64 / 10.0, 100 + i % 3));
    }
    text
}

fn filled() -> Project {
    let project = Project::new("");
    let table = project.write("table.csv", &table());
    let done = history(&["append", project.path(), &table, "--new", "--json"]);
    said(&done, 0);
    let document = json(&done);
    assert_eq!((document["samples"].as_u64(), document["faults"].as_u64()), (Some(360), Some(0)), "{document}");
    assert_eq!(document["from"], "2026-05-11T06:00:00.000Z");
    project
}

#[test]
fn a_table_goes_in_and_its_numbers_come_out() {
    let project = filled();
    let point = ["--point", "AHU-1/supply_temperature"];
    let asked = [&["query", project.path(), "--json", "--from", "2026-05-11T06:00:00Z"], &point[..]].concat();
    let document = json(&history(&asked));
    assert_eq!((document["count"].as_u64(), &document["unit"]), (Some(180), &"Cel".into()));
    let first = &document["samples"][0];
    assert_eq!((first["v"].as_f64(), &first["q"]), (Some(18.0), &"good-backfill".into()), "{first}");
    assert_eq!(first["t"], "2026-05-11T06:00:00.000Z");
    // Power is in W.
    let every = ["--point", "CH-1/power", "--every", "1h", "--with", "max", "--json"];
    let document = json(&history(&[&["query", project.path()], &every[..]].concat()));
    let values: Vec<f64> = document["samples"].as_array().unwrap().iter().map(|s| s["v"].as_f64().unwrap()).collect();
    assert_eq!((values, document["samples"][0]["n"].as_u64()), (vec![102_000.0; 3], Some(60)));
    assert_eq!((&document["every_s"], &document["with"]), (&3600.0.into(), &"max".into()));
    let mean = ["query", project.path(), "--point", "AHU-1/supply_temperature", "--every", "15m", "--json"];
    assert_eq!(json(&history(&mean))["samples"].as_array().unwrap().len(), 12);
    // Nothing of it is from the last day.
    let document = json(&history(&[&asked[..3], &["--from", "-24h", "--to", "now"], &point[..]].concat()));
    assert_eq!(document["count"].as_u64(), Some(0));
    let text = String::from_utf8(history(&[&["query", project.path(), "--limit", "2"], &point[..]].concat()).stdout);
    assert!(text.as_ref().unwrap().contains("the newest 2 of 180"), "{text:?}");
}

#[test]
fn the_same_table_twice_changes_nothing_and_what_is_exported_is_imported() {
    let project = filled();
    let out = project.text("out.csv");
    said(&history(&["export", project.path(), "--format", "csv", "--out", &out]), 0);
    let first = std::fs::read_to_string(&out).unwrap();
    assert_eq!(first.lines().count(), 361);
    said(&history(&["append", project.path(), &project.text("table.csv")]), 0);
    let again = history(&["export", project.path(), "--format", "csv", "--out", &out, "--json"]);
    assert_eq!(json(&again)["rows"].as_u64(), Some(360));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), first);
    let other = Project::new("");
    said(&history(&["append", other.path(), &out, "--new"]), 0);
    let to_stdout = history(&["export", other.path()]);
    // Units are SI there, all else is the same.
    let plain = |text: &str| text.replace(",Cel,", ",,").replace(",W,", ",,");
    assert_eq!(plain(&String::from_utf8(to_stdout.stdout).unwrap()), plain(&first));
    let energy = history(&["export", project.path(), "--point", "*/power", "--every", "1h"]);
    let energy = String::from_utf8(energy.stdout).unwrap();
    assert_eq!(energy.lines().count(), 4, "{energy}");
    assert!(energy.contains(",W,60,0,100000,102000,"), "{energy}");
}

#[test]
fn faults_are_named_by_line_and_the_rest_gets_in() {
    let project = filled();
    let table = "time,point,value,unit\n\
        2026-05-11T10:00:00Z,AHU-1/supply_temperature,20,\n\
        2026-05-11 10:01:00,AHU-1/supply_temperature,21,\n\
        2026-05-11T10:02:00Z,AHU-1/supply_temprature,21,\n\
        2026-05-11T10:03:00Z,AHU-1/supply_temperature,hot,\n\
        2026-05-11T10:04:00Z,CH-1/power,5,Cel\n\
        2026-05-11T10:05:00Z,CH-1/power,5,MW\n";
    let file = project.write("faults.csv", table);
    let done = history(&["append", project.path(), &file, "--json"]);
    said(&done, 0);
    let document = json(&done);
    assert_eq!((document["samples"].as_u64(), document["faults"].as_u64()), (Some(2), Some(4)), "{document}");
    let problems = document["problems"].as_array().unwrap();
    for (line, words) in [(3, "--zone"), (4, "`AHU-1/supply_temperature`"), (5, "21.5"), (6, "kW")] {
        let place = format!("faults.csv:{line}");
        let found = problems.iter().find(|p| p["where"].as_str().unwrap().ends_with(&place)).unwrap();
        assert!(found["remedy"].as_str().unwrap().contains(words), "{found}");
    }
    let zoned = history(&["append", project.path(), &file, "--zone", "+02:00", "--json"]);
    assert_eq!(json(&zoned)["samples"].as_u64(), Some(3));
    let none = project.write("none.csv", "time,point,value\nsoon,x,1\n");
    assert!(said(&history(&["append", project.path(), &none]), 1).contains("not one of its samples"));
    for (name, text, words) in [("empty.csv", "", "empty"), ("prose.csv", "To whom it may concern\n", "`time`")] {
        let file = project.write(name, text);
        assert!(said(&history(&["append", project.path(), &file]), 1).contains(words));
    }
    let binary = project.file("binary.csv");
    std::fs::write(&binary, (0..=255u8).cycle().take(10_000).collect::<Vec<_>>()).unwrap();
    said(&history(&["append", project.path(), binary.to_str().unwrap()]), 1);
    assert!(said(&history(&["append", project.path(), &project.text("gone.csv")]), 1).contains("cannot be read"));
    assert!(said(&history(&["append", project.path(), project.path()]), 1).contains("folder"));
    said(&history(&["append", project.path(), &file, "--zone", "Europe/Zurich"]), 2);
}

#[test]
fn what_is_not_there_is_said_with_what_to_do() {
    let project = filled();
    let said_of = |arguments: &[&str], status| said(&history(arguments), status);
    let unknown = said_of(&["query", project.path(), "--point", "AHU-1/supply_temperatur"], 1);
    assert!(unknown.contains("did you mean `AHU-1/supply_temperature`"), "{unknown}");
    assert!(said_of(&["query", project.path(), "--point", "power"], 1).contains("`CH-1/power`"));
    assert!(said_of(&["query", project.path(), "--point", "CH-1/power", "--from", "yesterday"], 2).contains("-24h"));
    said_of(&["query", project.path(), "--point", "CH-1/power", "--with", "mean"], 2);
    said_of(&["query", project.path(), "--point", "CH-1/power", "--every", "1h", "--with", "median"], 2);
    let turned = ["query", project.path(), "--point", "CH-1/power", "--from", "2026-05-12", "--to", "2026-05-11"];
    assert!(said_of(&turned, 2).contains("turn them round"));
    let empty = Project::new("");
    for verb in ["info", "verify", "book", "export", "retain"] {
        assert!(said_of(&[verb, empty.path()], 1).contains("no history yet"), "{verb}");
        assert!(!empty.history().exists(), "{verb} made one");
    }
    let off = Project::new("[history]\noff = true\n");
    assert!(said_of(&["info", off.path()], 1).contains("keeps no history"));
    assert!(said_of(&["info", &project.text("nowhere.toml")], 1).contains("no such file"));
    let text = project.write("notes.db", &"not a database at all, but long enough to be one ".repeat(10));
    assert!(said_of(&["info", &text], 1).contains("database"), "a text");
    let empty = project.write("empty.db", "");
    for verb in ["info", "verify", "export", "quality"] {
        assert!(said_of(&[verb, &empty], 1).contains("the file is empty"), "{verb}");
    }
    assert!(said_of(&["backup", "postgres://localhost/x", "copy.db"], 2).contains("pg_dump"));
    let gone = said_of(&["info", "postgres://me:s3cret@127.0.0.1:1/x"], 1);
    assert!(gone.contains("server") && !gone.contains("s3cret"), "{gone}");
    if !cfg!(feature = "parquet") {
        let built = said_of(&["export", project.path(), "--format", "parquet", "--out", "x.parquet"], 2);
        assert!(built.contains("--features parquet"), "{built}");
    }
    let nowhere = project.text("no/such/folder/x.csv");
    assert!(said_of(&["export", project.path(), "--out", &nowhere], 1).contains("cannot be written"));
}

#[test]
fn quality_names_the_worst_first_and_says_why() {
    let project = filled();
    // An hour in which the power said nothing, a sensor that says the same for an hour, and one that leaves the twin.
    let mut table =
        "time,AHU-1/supply_temperature [Cel],AHU-1/supply_temperature@simulated [Cel],CH-1/power [kW]\n".to_owned();
    for i in 0..2880 {
        let time = Time(1_778_500_800_000 + i * 60_000);
        let power = if (600..660).contains(&i) { String::new() } else { format!("{}", 100 + i % 3) };
        let value = 18.0 + (i % 10) as f64 / 10.0;
        table.push_str(&format!("{time},{value},{},{power}\n", value - i as f64 / 1440.0));
    }
    let file = project.write("more.csv", &table);
    said(&history(&["append", project.path(), &file, "--new"]), 0);
    let db = project.history();
    let span = ["--from", "2026-05-11T12:00:00Z", "--to", "2026-05-13T12:00:00Z"];
    let asked = [&["quality", db.to_str().unwrap()], &span[..]].concat();
    let document = json(&history(&[&asked[..], &["--json"]].concat()));
    let points = document["points"].as_array().unwrap();
    let told: Vec<_> = points.iter().map(|p| (p["point"].as_str().unwrap(), p["flaws"].to_string())).collect();
    let wanted = [("CH-1/power", "[\"gaps\"]".to_owned()), ("AHU-1/supply_temperature", "[\"departs\"]".to_owned())];
    assert_eq!(told, wanted, "{document}");
    assert_eq!((points[0]["longest_gap_s"].as_f64(), points[0]["samples"].as_u64()), (Some(3660.0), Some(2820)));
    assert!((points[1]["twin"]["per_day"].as_f64().unwrap() - 1.0).abs() < 0.01, "{document}");
    assert_eq!(
        (document["devices"][0]["id"].as_str(), document["devices"].as_array().map(Vec::len)),
        (Some("CH-1"), Some(2))
    );
    let text = String::from_utf8(history(&asked).stdout).unwrap();
    assert!(text.contains("drifts from the twin") && text.contains("CH-1 was away 1 x"), "{text}");
    let one = history(&[&asked[..], &["--point", "AHU-1/*", "--json"]].concat());
    assert_eq!(json(&one)["points"].as_array().map(Vec::len), Some(1));
    // A project without points measures nothing, whatever its history holds.
    assert!(String::from_utf8(history(&["quality", project.path()]).stdout).unwrap().contains("no point is measured"));
    assert!(said(&history(&[&asked[..], &["--point", "CH-2/power"]].concat()), 1).contains("CH-1/power"));
    let turned = ["quality", db.to_str().unwrap(), "--from", "2026-05-13", "--to", "2026-05-11"];
    assert!(said(&history(&turned), 2).contains("turn them round"));
    let empty = Project::new("");
    assert!(said(&history(&["quality", empty.path()]), 1).contains("no history yet"));
}

#[test]
fn verify_says_all_is_whole_or_names_the_first_damage() {
    let project = filled();
    // Samples of a batch that waits are not yet packed.
    let whole = history(&["verify", project.path(), "--json"]);
    said(&whole, 0);
    let document = json(&whole);
    assert_eq!((document["samples"].as_u64(), &document["first_damage"]), (Some(360), &serde_json::Value::Null));
    assert!(document["chunks"].as_u64().unwrap() > 0);
    drop(seal(&project));
    let mut bytes = std::fs::read(project.history()).unwrap();
    // Text of a packed piece: the second half of the file has some.
    let copy = project.file("damaged.db");
    let mut found = 0;
    for at in (bytes.len() / 4..bytes.len()).step_by(997) {
        bytes[at] ^= 0x55;
        std::fs::write(&copy, &bytes).unwrap();
        bytes[at] ^= 0x55;
        let done = history(&["verify", copy.to_str().unwrap(), "--json"]);
        if done.status.code() == Some(1) {
            found += 1;
            assert!(said(&done, 1).contains("damage") || said(&done, 1).contains("malformed"));
        }
        if found > 2 {
            break;
        }
    }
    assert!(found > 0, "no damage was found");
    let cut = project.file("cut.db");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    said(&history(&["verify", cut.to_str().unwrap()]), 1);
    std::fs::write(&cut, b"").unwrap();
    let empty = history(&["verify", cut.to_str().unwrap()]);
    assert_ne!(empty.status.code(), Some(0), "{empty:?}");
}

/// Opens the history of a project and packs all of it.
fn seal(project: &Project) -> Embedded {
    let (mut store, _) = Embedded::open(&project.history(), Options { segment: 20, journal: 10, at_once: 5 }).unwrap();
    while store.tend().unwrap() {}
    store
}

#[test]
fn beside_a_program_that_has_it_open_reading_goes_on_and_writing_says_who() {
    let project = filled();
    let mut store = seal(&project);
    let sample = |t| Stored { time: Time(t), arrival: Time(t), value: 5.0, quality: Quality::Good, code: 0 };
    store.append(&[(PointKey(0), sample(1_800_000_000_000))]).unwrap();
    let newest = json(&history(&["info", project.path(), "--json", "--points"]));
    assert_eq!(newest["newest"], "2027-01-15T08:00:00.000Z");
    assert!(newest["open_by"].as_str().unwrap().contains(&std::process::id().to_string()), "{newest}");
    assert_eq!(newest["list"].as_array().unwrap().len(), 2);
    said(&history(&["query", project.path(), "--point", "CH-1/power"]), 0);
    said(&history(&["verify", project.path()]), 0);
    let copy = project.text("copy.db");
    said(&history(&["backup", project.path(), &copy]), 0);
    let held = ["hold", project.path(), "--point", "CH-1/*", "--why", "a claim is open"];
    said(&history(&held), 0);
    let book = json(&history(&["book", project.path(), "--json"]));
    assert_eq!((&book["entries"][0]["what"], &book["entries"][0]["why"]), (&"held".into(), &"a claim is open".into()));
    let who = format!("process {}", std::process::id());
    let table = project.text("table.csv");
    for verb in [
        vec!["append", project.path(), &table],
        vec!["retain", project.path()],
        vec!["copy", &copy, project.path()],
        vec!["restore", &copy, project.path()],
    ] {
        let refused = said(&history(&verb), 1);
        assert!(refused.contains(&who) && refused.contains("close the other program"), "{verb:?}: {refused}");
    }
    // It goes on with what it had.
    store.append(&[(PointKey(0), sample(1_800_000_060_000))]).unwrap();
    assert_eq!(store.reader().unwrap().past(PointKey(1)).unwrap().held.as_deref(), Some("a claim is open"));
    drop(store);
    assert!(json(&history(&["info", project.path(), "--json"]))["open_by"].is_null());
}

#[test]
fn back_up_and_restore() {
    let project = filled();
    let copy = project.text("copy.db");
    assert!(json(&history(&["backup", project.path(), &copy, "--json"]))["bytes"].as_u64().unwrap() > 0);
    let late = project.write("late.csv", "time,CH-1/power [kW]\n2026-05-12T06:00:00Z,1\n");
    said(&history(&["append", project.path(), &late]), 0);
    let count = |project: &Project| {
        json(&history(&["query", project.path(), "--point", "CH-1/power", "--json"]))["count"].as_u64().unwrap()
    };
    assert_eq!(count(&project), 181);
    let done = json(&history(&["restore", &copy, project.path(), "--json"]));
    assert_eq!(count(&project), 180);
    let before = done["before"].as_str().unwrap();
    assert_eq!(json(&history(&["verify", before, "--json"]))["samples"].as_u64(), Some(361));
    let fresh = Project::new("");
    said(&history(&["restore", &copy, fresh.path()]), 0);
    assert_eq!(count(&fresh), 180);
    let broken = project.write("broken.db", "nothing that could be a copy of a history, whatever it is called here");
    said(&history(&["restore", &broken, project.path()]), 1);
    assert_eq!(count(&project), 180);
    said(&history(&["restore", project.history().to_str().unwrap(), project.path()]), 2);
    said(&history(&["backup", project.path(), project.history().to_str().unwrap()]), 1);
}

#[test]
fn old_samples_go_by_class_and_what_is_held_stays() {
    let project = Project::new(
        "[retention]\nraw_days = 30\n[retention.classes.meters]\npoints = [\"*/power\"]\nraw_days = \"forever\"\n",
    );
    let mut text = "time,a/t [Cel],b/t [Cel],c/power [kW]\n".to_owned();
    for hour in 0..2000 {
        text.push_str(&format!("{},1,2,3\n", Time(1_600_000_000_000 + hour * 3_600_000)));
    }
    let table = project.write("old.csv", &text);
    said(&history(&["append", project.path(), &table, "--new"]), 0);
    said(&history(&["hold", project.path(), "--point", "b/t", "--why", "claim"]), 0);
    drop(seal(&project));
    let kept = json(&history(&["retain", project.path(), "--json"]));
    assert!(kept["samples"].as_u64().unwrap() >= 1900 && kept["held"].as_u64() == Some(1), "{kept}");
    let count = |point| json(&history(&["query", project.path(), "--point", point, "--json"]))["count"].as_u64();
    assert!(count("a/t") < Some(100));
    assert_eq!((count("b/t"), count("c/power")), (Some(2000), Some(2000)));
    // Of what is gone the sums are there.
    let sums = ["query", project.path(), "--point", "a/t", "--every", "1h", "--with", "count", "--json"];
    assert_eq!(json(&history(&sums))["count"].as_u64(), Some(2000));
    let copy = project.text("copy.db");
    let copied = json(&history(&["copy", project.path(), &copy, "--json"]));
    assert!(copied["sums"].as_u64().unwrap() > 0, "{copied}");
    assert_eq!(json(&history(&[&["query", &copy], &sums[2..]].concat()))["count"].as_u64(), Some(2000));
    let again = json(&history(&["copy", project.path(), &copy, "--json"]));
    assert_eq!(again["samples"].as_u64(), Some(0), "{again}");
    said(&history(&["copy", &copy, &copy]), 2);
    said(&history(&["release", project.path(), "--point", "*", "--why", "settled"]), 0);
    assert!(json(&history(&["retain", project.path(), "--json"]))["samples"].as_u64() >= Some(1900));
    let book = String::from_utf8(history(&["book", project.path()]).stdout).unwrap();
    assert!(book.contains("released  b/t") && book.contains("deleted  a/t"), "{book}");
    assert!(said(&history(&["retain", project.history().to_str().unwrap()]), 2).contains("name the project"));
}

/// A history of some ten thousand samples of some points, not packed.
fn large(file: &Path, points: usize) {
    let (mut store, _) = Embedded::open(file, Options::default()).unwrap();
    let infos: Vec<_> = (0..points).map(|i| PointInfo { id: format!("p{i}"), ..PointInfo::default() }).collect();
    let keys = store.declare(&infos).unwrap();
    for round in 0..20i64 {
        let at = |t: i64| Stored {
            time: Time(t),
            arrival: Time(t),
            value: (t as f64).sqrt(),
            quality: Quality::Good,
            code: 0,
        };
        let batch: Vec<_> =
            keys.iter().flat_map(|k| (0..500).map(move |i| (*k, at((round * 500 + i) * 60_000)))).collect();
        store.append(&batch).unwrap();
    }
    while store.tend().unwrap() {}
}

#[test]
fn ctrl_c_leaves_nothing_half_written() {
    if cfg!(windows) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    large(&file, 40);
    let (out, to) = (folder.path().join("out.csv"), folder.path().join("to.db"));
    let path = |p: &Path| p.to_str().unwrap().to_owned();
    let begin = |arguments: &[&str]| start(&[&["history"], arguments].concat(), Stdio::piped(), Stdio::piped());
    let child = begin(&["export", &path(&file), "--out", &path(&out)]);
    wait_for("a file beside the export", || std::fs::read_dir(folder.path()).unwrap().nth(3).map(drop));
    interrupt(&child);
    let done = finish(child);
    // On a quick machine it was done before.
    if done.status.code() != Some(0) {
        assert!(said(&done, 1).contains("stopped"));
        assert!(!out.exists());
    }
    let child = begin(&["copy", &path(&file), &path(&to)]);
    wait_for("the copy", || to.exists().then_some(()));
    interrupt(&child);
    let done = finish(child);
    if done.status.code() != Some(0) {
        assert!(said(&done, 1).contains("goes on from there"));
    }
    said(&history(&["copy", &path(&file), &path(&to)]), 0);
    let verified = json(&history(&["verify", &path(&to), "--json"]));
    assert!(verified["first_damage"].is_null() && verified["points"].as_u64() == Some(40), "{verified}");
    let export = |file: &Path| history(&["export", &path(file)]).stdout;
    assert!(export(&file) == export(&to), "the copy is another history");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().starts_with(".tmp")), "{left:?}");
}

/// A folder in which nobody may write, where there is such a thing: root may everything.
#[test]
#[cfg(unix)]
fn a_folder_that_may_only_be_read_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let project = filled();
    drop(seal(&project));
    let folder = project.file(".plenum");
    let table = project.text("table.csv");
    let allow = |mode| {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(mode & 0o666)).unwrap();
        }
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(0o555);
    let may_all_the_same = std::fs::write(folder.join("probe"), "x").is_ok();
    if may_all_the_same {
        allow(0o755);
        eprintln!("skipped: this user may write everywhere, so there is no folder that may only be read");
        return;
    }
    let count = history(&["query", project.path(), "--point", "CH-1/power", "--json"]);
    let refused = history(&["append", project.path(), &table]);
    let whole = history(&["verify", project.path()]);
    allow(0o755);
    assert_eq!(json(&count)["count"].as_u64(), Some(180));
    said(&whole, 0);
    assert!(said(&refused, 1).contains("let this user write there"));
}
