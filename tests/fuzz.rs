//! Every reader against input that nobody would write: files that are nearly right.
//!
//! By itself each target runs some thousand inputs. A long run is asked for by the environment:
//!
//! ```text
//! PLENUM_FUZZ=10000000 PLENUM_FUZZ_CPU_HOURS=2 cargo test --release --test fuzz -- --nocapture ifc
//! ```
//!
//! ends after so many inputs or so much processor time, whichever comes first, and prints the count. Input that a
//! reader does not survive is kept in `tests/corpus/TARGET/` and is tried first from then on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cpu_time::ProcessTime;
use plenum::import::{self, Limits, Progress};
use plenum::problem::Problem;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Inputs of a run that nobody asked to be longer; it also ends after some seconds.
const USUAL: u64 = 1000;
/// No input is longer, bytes: each shall take little time.
const LONGEST: usize = 64 << 10;
/// No input may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(variable: &str) -> Option<f64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target)
}

/// Feeds `reader` with mutations of `seeds` and of what is kept for this target.
fn fuzz(target: &str, seeds: &[&[u8]], words: &[&str], mut reader: impl FnMut(&[u8])) {
    let limit = number("PLENUM_FUZZ").map_or(USUAL, |n| n as u64);
    let time = Duration::from_secs_f64(number("PLENUM_FUZZ_CPU_HOURS").unwrap_or(0.004) * 3600.0);
    let start = number("PLENUM_FUZZ_SEED").unwrap_or(1.0) as u64;
    let mut pool: Vec<Vec<u8>> = seeds.iter().map(|s| s.to_vec()).collect();
    for entry in std::fs::read_dir(corpus(target)).into_iter().flatten().flatten() {
        pool.push(std::fs::read(entry.path()).unwrap());
    }
    let began = ProcessTime::now();
    let (mut count, mut slowest) = (0, Duration::ZERO);
    let mut random = ChaCha8Rng::seed_from_u64(start);
    let mut try_one = |input: &[u8]| {
        let clock = Instant::now();
        let survived = catch_unwind(AssertUnwindSafe(|| reader(input))).is_ok();
        let took = clock.elapsed();
        slowest = slowest.max(took);
        if !survived || took > PATIENCE {
            let name =
                input.iter().fold(0xCBF2_9CE4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01B3));
            let path = corpus(target).join(format!("{name:016x}"));
            std::fs::create_dir_all(corpus(target)).unwrap();
            std::fs::write(&path, input).unwrap();
            panic!("{target}: {} is not survived (after {took:?})", path.display());
        }
    };
    for input in &pool {
        try_one(input);
    }
    while count < limit && began.elapsed() < time {
        let input = mutated(&pool, words, &mut random);
        try_one(&input);
        count += 1;
    }
    println!("{target}: {count} inputs in {:.1} CPU s, the slowest {slowest:.1?}", began.elapsed().as_secs_f64());
    assert!(count > 0, "{target}: no input was tried");
}

/// One of the pool with some changes: of bytes, of numbers, of words, of lines, and joined with another.
fn mutated(pool: &[Vec<u8>], words: &[&str], random: &mut ChaCha8Rng) -> Vec<u8> {
    const NUMBERS: [&str; 18] = [
        "0",
        "-1",
        "1",
        "2147483647",
        "-2147483648",
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "1.E308",
        "-1.E308",
        "1.E-308",
        "1.E999",
        "NaN",
        "0.0000001",
        "99999999999999999999",
        "1E12",
        "$",
        "",
    ];
    let mut input = pool[random.random_range(0..pool.len())].clone();
    for _ in 0..=random.random_range(0..5) {
        if input.is_empty() {
            input.push(random.random());
        }
        let at = random.random_range(0..input.len());
        let end = (at + 1 + random.random_range(0..64)).min(input.len());
        match random.random_range(0..12) {
            0 => input[at] ^= 1 << random.random_range(0..8),
            1 => input[at] = random.random(),
            2 => {
                input.drain(at..end);
            }
            3 => {
                let copy = input[at..end].to_vec();
                let to = random.random_range(0..=input.len());
                input.splice(to..to, copy);
            }
            4..=6 => {
                // A number becomes another one.
                let digit = |b: &u8| b.is_ascii_digit();
                if let Some(first) = input[at..].iter().position(digit).map(|i| i + at) {
                    let signs = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'E' | b'-' | b'+');
                    let length = input[first..].iter().take_while(|b| signs(b)).count();
                    let new = NUMBERS[random.random_range(0..NUMBERS.len())].as_bytes().to_vec();
                    input.splice(first..first + length, new);
                }
            }
            7 => {
                let word = words[random.random_range(0..words.len())].as_bytes().to_vec();
                input.splice(at..at, word);
            }
            8 => {
                // A line goes, or comes twice.
                let first = input[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
                let last = input[at..].iter().position(|b| *b == b'\n').map_or(input.len(), |i| at + i + 1);
                let line = input[first..last].to_vec();
                if random.random() {
                    input.drain(first..last);
                } else {
                    input.splice(last..last, line);
                }
            }
            9 => input.truncate(at),
            10 => {
                let other = &pool[random.random_range(0..pool.len())];
                let from = random.random_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input.swap(at, end - 1),
        }
    }
    input.truncate(LONGEST);
    input
}

/// Reads through a file of this name: as readers are called.
fn by_file(name: &str, mut then: impl FnMut(&Path)) -> impl FnMut(&[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    move |input| {
        let _ = &folder;
        std::fs::write(&path, input).unwrap();
        then(&path);
    }
}

/// A model is sound, and a refusal has words.
fn import(path: &Path) {
    let limits = Limits { max_bytes: 50_000_000, cut_patience: Duration::from_secs(20), ..Limits::default() };
    let told = |problems: &[Problem]| assert!(problems.iter().all(|p| !p.message.is_empty()));
    match import::read_within(path, &limits, &Progress::default()) {
        Ok((model, problems)) => {
            told(&problems);
            for element in &model.elements {
                assert!(element.placement.is_finite(), "{element:?}");
                assert!(element.bounds.is_none_or(|b| b.min.is_finite() && b.max.is_finite()), "{element:?}");
                assert!(element.shape.is_none_or(|s| (s as usize) < model.shapes.len()));
                assert!(element.storey.is_none_or(|s| (s as usize) < model.storeys.len()));
                assert!(element.systems.iter().all(|s| (*s as usize) < model.systems.len()));
            }
            let ports = model.connection_points.len();
            assert!(model.connections.iter().all(|c| (c.from as usize) < ports && (c.to as usize) < ports));
            assert!(model.connection_points.iter().all(|p| (p.element as usize) < model.elements.len()));
        }
        Err(problem) => told(&[problem]),
    }
}

const STEP_WORDS: [&str; 22] = [
    "#",
    "# ",
    "(",
    ")",
    ",",
    ";",
    "'",
    "''",
    "$",
    "*",
    ".T.",
    "/*",
    "*/",
    "\\X2\\00E4\\X0\\",
    "\\S\\",
    "IFCWALL(",
    "=IFC",
    "#1=",
    "IFCLOCALPLACEMENT(#31,",
    "IFCLENGTHMEASURE(",
    "ENDSEC;",
    "END-ISO-10303-21;",
];

/// A pipe with a hole, a port and a property, in every kind of body.
const STEP: &str = include_str!("corpus/pipe.ifc");

#[test]
fn ifc() {
    fuzz("ifc", &[STEP.as_bytes()], &STEP_WORDS, by_file("fuzz.ifc", import));
}

#[test]
fn ifczip() {
    use std::io::Write;
    let mut zipped = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut zipped);
    zip.start_file("a.ifc", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(STEP.as_bytes()).unwrap();
    zip.finish().unwrap();
    let words = ["PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "../", "a.ifc", "\u{0}\u{0}", "\u{ff}\u{ff}"];
    fuzz("ifczip", &[zipped.get_ref()], &words, by_file("fuzz.ifczip", import));
}

#[test]
fn geojson() {
    let seeds = [
        r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:2056"}},"features":[
{"type":"Feature","id":"B1","properties":{"kind":"building","height":9.0,"name":"Lab"},"geometry":{"type":"Polygon",
"coordinates":[[[2683100,1247400,408],[2683110,1247400,408],[2683110,1247420,408],[2683100,1247400,408]]]}},
{"type":"Feature","id":2,"properties":{"kind":"tree","height":8},"geometry":{"type":"Point","coordinates":[2683120,1247400]}}]}"#,
        r#"{"type":"Feature","properties":null,"geometry":{"type":"MultiPolygon","coordinates":[[[[8.5,47.3],[8.6,47.3],[8.6,47.4],
[8.5,47.3]],[[8.52,47.31],[8.54,47.31],[8.54,47.33],[8.52,47.31]]],[[[9,48],[9.1,48],[9.1,48.1],[9,48]]]]}}"#,
        r#"{"type":"GeometryCollection","geometries":[{"type":"LineString","coordinates":[[8.5,47.3],[8.6,47.3]]},
{"type":"MultiPoint","coordinates":[[8.5,47.3],[8.6,47.3]]},{"type":"MultiLineString","coordinates":[[[1,2],[3,4]]]}]}"#,
    ];
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "true",
        "\"type\":",
        "\"coordinates\":",
        "[[[[",
        "EPSG:4326",
        "\\u0000",
    ];
    fuzz("geojson", &seeds.map(str::as_bytes), &words, by_file("fuzz.geojson", import));
}

#[test]
fn project() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("twin.toml");
    let seed = include_bytes!("../src/demo/twin.toml");
    let words = [
        "[[models]]",
        "[",
        "]",
        "=",
        "\"",
        "'''",
        "#",
        "file",
        "offset_m = [",
        "nan",
        "inf",
        "true",
        "1979-05-27",
        "{",
        "}",
    ];
    fuzz("project", &[seed], &words, |input| {
        std::fs::write(&file, input).unwrap();
        match plenum::site::project::load(&file) {
            Ok((_, problems)) => assert!(problems.iter().all(|p| !p.message.is_empty())),
            Err(problem) => assert!(!problem.message.is_empty()),
        }
    });
}
