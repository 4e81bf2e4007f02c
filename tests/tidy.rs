//! What the house holds itself to: which room may name what, how long a file may be, and that the map
//! in ARCHITECTURE.md names what is there. It reads the sources as text, without comments and strings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rooms without Bevy, egui, sockets or a clock of their own.
const PLAIN: &[&str] = &["site", "import", "shape", "analytics", "simulation", "operations", "demo"];

/// The crates that the project is built on, by their names in `Cargo.toml`.
const FOUNDATIONS: &[&str] = &["bevy", "bevy_egui", "ifc_rs", "geo", "rumqttc", "tokio", "serde", "crossbeam-channel"];

const LONGEST_FILE: usize = 600;
const LONGEST_MAIN: usize = 60;

/// A source file of `src/`.
struct Source {
    /// `site/model.rs`.
    path: String,
    /// As it stands.
    text: String,
    /// Without comments, and with empty strings; the lines are where they were.
    code: String,
    /// [`Self::code`] without what is only compiled for tests.
    shipped: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).replace("\r\n", "\n")
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder that can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn slashes(path: &Path) -> String {
    path.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    files_below(&src, &mut files);
    files.retain(|f| f.extension().is_some_and(|e| e == "rs"));
    files.sort();
    assert!(files.len() > 30, "only {} files: these are not the sources", files.len());
    let mut sources: Vec<Source> = files
        .into_iter()
        .map(|file| {
            let path = slashes(file.strip_prefix(&src).expect("below src"));
            let text = read(&file);
            let code = code_of(&text);
            let shipped = without_tests(&code);
            Source { path, text, code, shipped }
        })
        .collect();
    // Modules that their parent declares under cfg(test) are not shipped either.
    let only_tests: Vec<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let module = source.path.trim_end_matches(".rs");
        if only_tests.iter().any(|t| module == t || module.starts_with(&format!("{t}/"))) {
            source.shipped.clear();
        }
    }
    sources
}

/// `simulation/emulator/closed_loop` for `#[cfg(test)] mod closed_loop;` in `simulation/emulator/mod.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = match source.path.rsplit_once('/') {
        Some((folder, "mod.rs")) => format!("{folder}/"),
        _ if matches!(source.path.as_str(), "lib.rs" | "main.rs") => String::new(),
        _ => format!("{}/", source.path.trim_end_matches(".rs")),
    };
    let mut found = Vec::new();
    for (i, mark) in source.code.match_indices("#[cfg(test)]") {
        let item = source.code[i + mark.len()..].split([';', '{']).next().unwrap_or_default();
        let mut words = identifiers(item).skip_while(|w| *w != "mod");
        if let (Some(_), Some(name)) = (words.next(), words.next()) {
            found.push(format!("{folder}{name}"));
        }
    }
    found
}

/// Takes comments and the insides of strings and characters away; every line stays on its line.
fn code_of(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let at = |i: usize| bytes.get(i).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    let keep_lines = |out: &mut String, from: usize, to: usize| {
        out.extend(bytes[from..to.min(bytes.len())].iter().filter(|c| **c == '\n'));
    };
    while i < bytes.len() {
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < bytes.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            let start = i;
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= bytes.len() {
                    break;
                }
            }
            keep_lines(&mut out, start, i);
        } else if c == 'r' && matches!(at(i + 1), '"' | '#') && (i == 0 || !is_word(at(i - 1)) || at(i - 1) == 'b') {
            let start = i;
            let hashes = bytes[i + 1..].iter().take_while(|c| **c == '#').count();
            if at(i + 1 + hashes) != '"' {
                // A raw identifier.
                out.push(c);
                i += 1;
                continue;
            }
            i += hashes + 2;
            while i < bytes.len() && !(at(i) == '"' && (1..=hashes).all(|h| at(i + h) == '#')) {
                i += 1;
            }
            i += hashes + 1;
            out.push_str("\"\"");
            keep_lines(&mut out, start, i);
        } else if c == '"' {
            let start = i;
            i += 1;
            while i < bytes.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
            out.push_str("\"\"");
            keep_lines(&mut out, start, i);
        } else if c == '\'' && at(i + 1) == '\\' {
            i += 3;
            while i < bytes.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
            out.push_str("' '");
        } else if c == '\'' && at(i + 2) == '\'' {
            i += 3;
            out.push_str("' '");
        } else {
            out.push(c);
            i += 1;
        }
    }
    out
}

/// Takes every item under `#[cfg(test)]` away.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        out.push_str(&rest[..start]);
        let item = &rest[start..];
        let mut depth = 0;
        let mut end = item.len();
        for (i, c) in item.char_indices().skip(MARK.len()) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(c, '}' | ';') {
                end = i + 1;
                break;
            }
        }
        out.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    out + rest
}

fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty())
}

/// A crate, or one of its family: `egui` and `egui_plot`.
fn is_of(word: &str, family: &str) -> bool {
    word.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Lines of the sources that `is_wrong` picks out, as a report.
fn offenders<'a>(
    sources: impl IntoIterator<Item = &'a Source>,
    code: impl Fn(&Source) -> &str,
    is_wrong: impl Fn(&str) -> bool,
) -> String {
    let mut report = String::new();
    for source in sources {
        for (number, line) in code(source).lines().enumerate() {
            if is_wrong(line) {
                let _ = writeln!(report, "src/{}:{}: {}", source.path, number + 1, line.trim());
            }
        }
    }
    report
}

fn none(report: &str, rule: &str) {
    assert!(report.is_empty(), "{rule}:\n{report}");
}

#[test]
fn plain_rooms_name_no_engine_no_socket_and_no_clock() {
    let sources = sources();
    for room in PLAIN {
        assert!(sources.iter().any(|s| s.path.starts_with(&format!("{room}/"))), "there is no room src/{room}/");
    }
    let plain = sources.iter().filter(|s| PLAIN.iter().any(|room| s.path.split('/').next() == Some(room)));
    let crates = ["bevy", "bevy_egui", "egui", "tokio", "rumqttc", "rumqttd", "wgpu", "winit"];
    let calls = ["std::net", "SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"];
    let report = offenders(
        plain,
        |s| &s.shipped,
        |line| {
            identifiers(line).any(|w| crates.iter().any(|k| is_of(w, k)))
                || calls.iter().any(|call| line.contains(call))
        },
    );
    none(&report, "plain rooms are plain Rust; time comes in as an argument");
}

#[test]
fn a_crate_is_named_only_in_its_own_room() {
    let sources = sources();
    let rules: &[(&[&str], &[&str])] = &[
        (&["rumqttc", "rumqttd"], &["telemetry/mqtt", "telemetry/broker"]),
        (&["rusqlite", "tokio_postgres", "tokio_postgres_rustls"], &["history/"]),
        (&["ifc_lite_core", "ifc_lite_processing", "ifc_lite"], &["import/ifc/lite"]),
        (&["wgpu", "winit", "egui", "bevy_egui", "bevy_mod_outline"], &["desktop/"]),
    ];
    for (crates, rooms) in rules {
        let outside = sources.iter().filter(|s| !rooms.iter().any(|room| s.path.starts_with(room)));
        let report =
            offenders(outside, |s| &s.code, |line| identifiers(line).any(|w| crates.iter().any(|k| is_of(w, k))));
        none(&report, &format!("only {} name {}", rooms.join(" and "), crates.join(", ")));
    }
}

#[test]
fn nothing_panics_on_purpose_outside_tests() {
    let sources = sources();
    let wrong =
        [".unwrap()", ".unwrap_err()", ".expect(\"\")", ".expect(&format!", "panic!(", "todo!(", "unimplemented!("];
    let report = offenders(&sources, |s| &s.shipped, |line| wrong.iter().any(|w| line.contains(w)));
    none(&report, "say what is wrong as a Problem");
    let lints = ["clippy::unwrap_used", "clippy::expect_used", "clippy::panic", "clippy::todo", "unsafe_code"];
    let report = offenders(
        &sources,
        |s| &s.shipped,
        |line| (line.contains("allow(") || line.contains("expect(")) && lints.iter().any(|l| line.contains(l)),
    );
    none(&report, "the lints of Cargo.toml are not switched off");
}

#[test]
fn a_file_is_one_subject() {
    let sources = sources();
    let long: Vec<String> = sources
        .iter()
        .map(|s| {
            (s.path.as_str(), s.text.lines().count(), if s.path == "main.rs" { LONGEST_MAIN } else { LONGEST_FILE })
        })
        .filter(|(_, lines, most)| lines > most)
        .map(|(path, lines, most)| format!("src/{path}: {lines} lines, at most {most}"))
        .collect();
    none(&long.join("\n"), "a file this long has more than one subject");
}

#[test]
fn the_foundations_are_direct_dependencies_and_used() {
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).expect("Cargo.toml is TOML");
    let sources = sources();
    for name in FOUNDATIONS {
        assert!(manifest["dependencies"].get(name).is_some(), "{name} is no direct dependency");
        let krate = name.replace('-', "_");
        let used = sources.iter().any(|s| {
            s.shipped.lines().any(|line| {
                line.contains(&format!("{krate}::")) || line.trim_start().starts_with(&format!("use {krate}"))
            })
        });
        assert!(used, "{name} is a dependency that src/ never uses");
    }
}

/// Paths of one machine have no place in what everybody gets.
#[test]
fn no_file_names_a_private_path() {
    // Put together here so that this file does not name them either.
    let private: Vec<String> = ["home", "root", "tmp", "work", "mnt", "Users"].map(|d| format!("/{d}/")).to_vec();
    let mut report = String::new();
    for path in kept_files() {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let found = private.iter().any(|p| {
                line.match_indices(p.as_str()).any(|(i, _)| {
                    let before = line[..i].chars().next_back().unwrap_or(' ');
                    !(before.is_alphanumeric() || "._-}/*".contains(before))
                })
            });
            if found && !(path.starts_with("scripts/") && line.contains("mktemp")) {
                let _ =
                    writeln!(report, "{path}:{}: {}", number + 1, line.trim().chars().take(120).collect::<String>());
            }
        }
    }
    none(&report, "these paths exist on one machine only");
}

/// What git keeps; without git, everything but build outputs.
fn kept_files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    if let Ok(output) = listed
        && output.status.success()
        && !output.stdout.is_empty()
    {
        return String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|p| !p.is_empty())
            .map(String::from)
            .collect();
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root()).expect("the package's folder").flatten() {
        let name = entry.file_name();
        if name == "target" || name == ".git" {
            continue;
        }
        if entry.path().is_dir() { files_below(&entry.path(), &mut found) } else { found.push(entry.path()) }
    }
    found.iter().filter_map(|p| p.strip_prefix(root()).ok()).map(slashes).collect()
}

#[test]
fn the_map_names_every_room_and_plugin() {
    let map = read("ARCHITECTURE.md");
    let sources = sources();
    let rooms: BTreeSet<&str> = sources.iter().filter_map(|s| s.path.split_once('/')).map(|(room, _)| room).collect();
    for room in rooms {
        assert!(map.contains(&format!("`{room}/`")), "ARCHITECTURE.md does not name the room `{room}/`");
    }
    let named: BTreeSet<&str> = identifiers(&map).collect();
    let mut plugins = BTreeSet::new();
    for source in &sources {
        for line in source.shipped.lines() {
            let Some((before, after)) = line.split_once("Plugin for ") else { continue };
            if !before.trim_start().starts_with("impl") {
                continue;
            }
            let plugin = identifiers(after).next().unwrap_or_default();
            plugins.insert(plugin.to_owned());
            assert!(named.contains(plugin), "ARCHITECTURE.md does not name {plugin} (src/{})", source.path);
        }
    }
    assert!(plugins.len() >= 8, "only {plugins:?} found: the search is broken");
    let rows = map.lines().filter_map(|l| l.strip_prefix("| `")?.split_once("Plugin`"));
    let gone: Vec<&str> = rows.map(|(name, _)| name).filter(|n| !plugins.contains(&format!("{n}Plugin"))).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md names plugins that are not there: {gone:?}");
}

/// Files that the documents name are there; so are the pictures, once there are any.
#[test]
fn documents_name_files_that_exist() {
    let mut documents = vec!["README.md".to_owned(), "ARCHITECTURE.md".to_owned(), "CHANGELOG.md".to_owned()];
    let mut below = Vec::new();
    files_below(&root().join("docs"), &mut below);
    documents.extend(
        below
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "md"))
            .filter_map(|p| p.strip_prefix(root()).ok())
            .map(slashes),
    );
    let pictures = root().join("docs/pictures").is_dir();
    let mut report = String::new();
    for document in &documents {
        let text = read(document);
        let folder = Path::new(document).parent().unwrap_or(Path::new(""));
        for (i, _) in text.match_indices("](") {
            let target = text[i + 2..].split([')', '#', ' ']).next().unwrap_or_default();
            let is_picture = target.ends_with(".png");
            if target.is_empty() || target.contains("://") || (is_picture && !pictures) {
                continue;
            }
            if !root().join(folder).join(target).exists() {
                let _ = writeln!(report, "{document}: {target}");
            }
        }
        for quoted in text.split('`').skip(1).step_by(2) {
            let names_a_file = ["src/", "tests/", "scripts/", "docs/"].iter().any(|d| quoted.starts_with(d))
                && !quoted.contains(['*', ' ', '{', '<', '$', ':']);
            let is_picture = quoted.starts_with("docs/pictures");
            if names_a_file && (pictures || !is_picture) && !root().join(quoted).exists() {
                let _ = writeln!(report, "{document}: {quoted}");
            }
        }
    }
    none(&report, "these documents name files that are not there");
}

#[test]
fn the_reader_of_sources_reads_rightly() {
    let text = "let a = \"bevy // no\"; // egui\nlet b = 'x'; /* tokio /* nested */ */ fn f<'a>() {}\nlet r = r#\"winit\"\"#;\n#[cfg(test)]\nmod tests { fn t() { a.unwrap() } }\nlet c = '\\'';";
    let code = code_of(text);
    for word in ["bevy", "egui", "tokio", "winit", "nested"] {
        assert!(!code.contains(word), "{word} in {code}");
    }
    assert!(code.contains("fn f<'a>() {}") && code.contains("let c"));
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(code.contains(".unwrap()") && !without_tests(&code).contains(".unwrap()"));
    assert_eq!(without_tests(&code).lines().count(), text.lines().count());
    assert!(is_of("egui_plot", "egui") && is_of("egui", "egui") && !is_of("eguicolour", "egui"));
}
