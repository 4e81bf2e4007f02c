//! What we depend on: under which licences, and that nothing needs a system's development package.
//!
//! The list of licences stands here and in `deny.toml`; both must say the same, so that allowing one
//! more is done on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

/// Licences that any dependency may have.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "bzip2-1.0.6",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Licences of fonts, for the crates that carry them and for no other.
const FONTS: &[(&str, &[&str])] = &[("epaint_default_fonts", &["OFL-1.1", "Ubuntu-font-1.0"])];

/// Crates that state no licence expression, only a file, and why they are allowed all the same. Today none.
const FILE_ONLY: &[(&str, &str)] = &[];

/// What wants a C++ build, a system library or its headers.
const NEEDS_SYSTEM: &[&str] = &[
    "alsa-sys",
    "aws-lc-fips-sys",
    "aws-lc-rs",
    "aws-lc-sys",
    "bindgen",
    "cmake",
    "libudev-sys",
    "native-tls",
    "openssl",
    "openssl-sys",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata failed; `cargo fetch --locked` brings what it needs:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Whether a licence expression can be met with what is allowed for this crate.
fn allowed(name: &str, expression: &str) -> Result<bool, String> {
    // Old manifests write `MIT/Apache-2.0` for OR.
    let parsed =
        spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).map_err(|e| format!("not understood: {e}"))?;
    let fonts = FONTS.iter().find(|(krate, _)| *krate == name).map_or(&[][..], |(_, licences)| licences);
    Ok(parsed.evaluate(|requirement| {
        let licence = requirement.to_string();
        ALLOWED.contains(&licence.as_str()) || fonts.contains(&licence.as_str())
    }))
}

/// Every package of the resolved graph, for every system and feature, tests' own included.
#[test]
fn every_dependency_has_an_allowed_licence() {
    let metadata = metadata(&["--all-features"]);
    let packages: HashMap<&str, &Value> = list(&metadata, "packages").iter().map(|p| (text(p, "id"), p)).collect();
    let mut offenders = Vec::new();
    let mut seen = 0;
    for node in list(&metadata["resolve"], "nodes") {
        let package = packages[text(node, "id")];
        let (name, version) = (text(package, "name"), text(package, "version"));
        seen += 1;
        match package["license"].as_str() {
            Some(expression) => match allowed(name, expression) {
                Ok(true) => {}
                Ok(false) => offenders.push(format!("{name} {version}: {expression}")),
                Err(why) => offenders.push(format!("{name} {version}: `{expression}` {why}")),
            },
            None if FILE_ONLY.iter().any(|(krate, _)| *krate == name) => {}
            None => {
                offenders.push(format!("{name} {version}: no licence expression, file {}", package["license_file"]))
            }
        }
    }
    assert!(seen > 200, "only {seen} packages: this is not the whole graph");
    assert!(offenders.is_empty(), "{} of {seen} packages:\n{}", offenders.len(), offenders.join("\n"));
}

#[test]
fn the_judgement_itself_can_fail() {
    for (expression, wanted) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only", false),
        ("Apache-2.0 OR GPL-2.0-only", true),
        ("MIT AND GPL-2.0-only", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("LGPL-2.1-or-later", false),
        ("OFL-1.1", false),
    ] {
        assert_eq!(allowed("some-crate", expression), Ok(wanted), "{expression}");
    }
    assert_eq!(allowed("epaint_default_fonts", "MIT AND OFL-1.1"), Ok(true));
    assert!(allowed("some-crate", "see the web page").is_err());
}

#[test]
fn deny_toml_says_the_same() {
    let file = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let deny: toml::Table = toml::from_str(&file).expect("deny.toml is TOML");
    let strings = |value: &toml::Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let ours = |licences: &[&str]| licences.iter().map(|l| (*l).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(strings(&deny["licenses"]["allow"]), ours(ALLOWED));
    let exceptions: Vec<(String, BTreeSet<String>)> = deny["licenses"]["exceptions"]
        .as_array()
        .expect("a list of exceptions")
        .iter()
        .map(|e| (e["crate"].as_str().unwrap_or_default().to_owned(), strings(&e["allow"])))
        .collect();
    let wanted: Vec<_> = FONTS.iter().map(|(krate, licences)| ((*krate).to_owned(), ours(licences))).collect();
    assert_eq!(exceptions, wanted);
    let banned: BTreeSet<String> = deny["bans"]["deny"]
        .as_array()
        .expect("a list of bans")
        .iter()
        .filter_map(|b| b["crate"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(banned, ours(NEEDS_SYSTEM));
}

/// Walks what a default build for Linux compiles: normal and build dependencies from our package on.
#[test]
fn the_default_build_needs_no_system_package() {
    let metadata = metadata(&["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let packages: HashMap<&str, &Value> = list(&metadata, "packages").iter().map(|p| (text(p, "id"), p)).collect();
    let nodes: HashMap<&str, &Value> = list(&metadata["resolve"], "nodes").iter().map(|n| (text(n, "id"), n)).collect();
    let start = text(&metadata["resolve"], "root");
    let mut paths: HashMap<&str, String> = HashMap::from([(start, "plenum".to_owned())]);
    let mut open = vec![start];
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        for dependency in list(nodes[id], "deps") {
            let compiled = list(dependency, "dep_kinds").iter().any(|k| k["kind"] != "dev");
            let next = text(dependency, "pkg");
            if !compiled || paths.contains_key(next) {
                continue;
            }
            let name = text(packages[next], "name");
            let path = format!("{} > {name}", paths[id]);
            if NEEDS_SYSTEM.contains(&name) {
                found.push(path.clone());
            }
            paths.insert(next, path);
            open.push(next);
        }
    }
    assert!(paths.len() > 200, "only {} packages: this is not the whole graph", paths.len());
    assert!(found.is_empty(), "these want a system package:\n{}", found.join("\n"));
}
