//! Every reader against input that nobody would write: files that are nearly right.
//!
//! By itself each target reads what is kept of it in `tests/corpus/TARGET/`, then some hundred new inputs. A long run
//! is asked for by the environment, one target after the other or one by its name:
//!
//! ```text
//! PLENUM_FUZZ=10000000 PLENUM_FUZZ_CPU_HOURS=2 \
//!   cargo test --release --no-default-features --test fuzz -- --nocapture --test-threads 1 --exact search
//! ```
//!
//! ends after so many inputs or so much processor time, whichever comes first, and prints the count. `PLENUM_FUZZ_SEED`
//! makes it another run; one seed makes the same run again. Under `target/tmp/fuzz/TARGET/` it leaves
//!
//! - `faults/`: inputs that a reader panicked on, hung on or filled the memory with, made small. Copied to
//!   `tests/corpus/TARGET/` they are tried first from then on;
//! - `killed/`: what was being read when the process ended before its time, by the input (no stack or no memory left) or
//!   by somebody;
//! - `kept/`: inputs with an outcome that no other had. The next long run begins with them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod demands;
mod engine;
mod gateway;
mod history;
#[path = "../ids_common/mod.rs"]
mod ids_common;
mod models;
mod mutate;
mod networks;
mod projects;
mod scenes;
mod search;
mod tables;
mod wire;
mod words;

// Files with buildings and maps.

#[test]
fn ifc() {
    models::ifc();
}

#[test]
fn ifczip() {
    models::ifczip();
}

#[test]
fn geojson() {
    models::geojson();
}

#[test]
fn any_file() {
    models::any_file();
}

// Flow networks.

#[test]
fn inp() {
    networks::inp();
}

#[test]
fn pandapipes() {
    networks::pandapipes();
}

#[test]
fn solver() {
    networks::solver();
}

// What is kept of them.

#[test]
fn scene() {
    scenes::scene();
}

#[test]
fn scene_forged() {
    scenes::scene_forged();
}

// Asset registries.

#[test]
fn csv() {
    tables::csv();
}

#[test]
fn xlsx() {
    tables::xlsx();
}

#[test]
fn cobie() {
    tables::cobie();
}

// Demands on models.

#[test]
fn ids() {
    demands::ids();
}

#[test]
fn facts() {
    demands::facts();
}

// Project files.

#[test]
fn project() {
    projects::project();
}

#[test]
fn project_edit() {
    projects::project_edit();
}

#[test]
fn certificates() {
    projects::certificates();
}

// Samples at rest.

#[test]
fn segment() {
    history::segment();
}

#[test]
fn samples_csv() {
    history::samples_csv();
}

// What people type, and what sensors send.

#[test]
fn search_query() {
    search::search_query();
}

#[test]
fn expression() {
    words::expression();
}

#[test]
fn pattern() {
    words::pattern();
}

#[test]
fn word() {
    words::word();
}

#[test]
fn payload() {
    wire::payload();
}

#[test]
fn topics() {
    wire::topics();
}

// What a gateway keeps, is told and hears from devices.

#[test]
fn spool() {
    gateway::spool();
}

#[test]
fn gateway_file() {
    gateway::gateway_file();
}

#[test]
fn bacnet() {
    gateway::bacnet();
}
