//! `plenum demo`: the clinic, its emulated devices, a broker and the twin in one program.

use super::field::{Field, FieldSettings};
use super::live::Live;
use super::open::open;
use super::output::{Failure, parse_duration};
use super::{emulate, headless, interrupt};
use crate::problem::Problem;
use crate::time::Time;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Opens the demo clinic with a broker and emulated devices, all in one program.
///
/// The day is sped up (--speed), and faults can be put in: `--fault stuck-valve@20s` after twenty
/// seconds, in a valve that the seed draws; `--fault pump-wear:CHWP-1=0.5@1m` in a machine you name.
#[derive(clap::Args)]
pub struct Args {
    /// Run without a window.
    #[arg(long)]
    headless: bool,
    /// Stop after this long: 60s, 5m, 2h. Without it, run until Ctrl-C.
    #[arg(long = "for", value_name = "T", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// What chance does: weather, people, which asset a fault falls on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated seconds in a second.
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
    /// A fault: NAME[:ASSET][=SEVERITY]@T. May be given more than once. Names: stuck-valve, leaking-valve,
    /// stuck-damper, coil-fouling, filter-clogging, pump-wear, pipe-blockage, leak, short-cycling, sensor-bias,
    /// sensor-drift, sensor-freeze, sensor-dropout, sensor-noise.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,
    /// The building's time at the start, RFC 3339 [default: 2026-05-11T09:00:00Z].
    #[arg(long, value_name = "T", value_parser = emulate::parse_time)]
    start: Option<Time>,
    /// Use this project instead of the clinic that came with Plenum; its broker is used as it stands.
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Print one JSON document on stdout at the end.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    let started = std::time::Instant::now();
    interrupt::listen();
    let project = match &args.project {
        Some(project) => project.clone(),
        None => clinic()?,
    };
    let mut settings = FieldSettings {
        seed: args.seed,
        speed: args.speed,
        start: args.start,
        faults: emulate::parse_faults_before(&args.faults, args.duration)?,
        clock_topic: None,
        assumptions: Vec::new(),
    };
    let how = headless::How { started, duration: args.duration, json: args.json };
    if !args.headless {
        return window(project, settings, how);
    }
    let opened = open(&project, interrupt::progress())?;
    settings = settings.in_project(&opened.project);
    Field::check(&opened.site, &settings).map_err(Failure::Usage)?;
    let live = Live::start(&opened, Some(settings))?;
    headless::run(&project, opened, live, how)
}

#[cfg(feature = "desktop")]
fn window(project: PathBuf, settings: FieldSettings, how: headless::How) -> Result<(), Failure> {
    super::windowed::run(project, Some(settings), how)
}

#[cfg(not(feature = "desktop"))]
fn window(_: PathBuf, _: FieldSettings, _: headless::How) -> Result<(), Failure> {
    Err(super::output::no_window())
}

/// The clinic beside the working folder or the executable; else it is made in the user's cache folder.
pub fn clinic() -> Result<PathBuf, Failure> {
    let executable = std::env::current_exe().ok();
    let beside = executable.iter().flat_map(|e| e.ancestors().skip(1).take(4)).map(Path::to_path_buf);
    let found = std::env::current_dir()
        .into_iter()
        .chain(beside)
        .map(|folder| folder.join("models").join("clinic"))
        .find(|folder| folder.join("twin.toml").is_file());
    if let Some(folder) = found {
        return Ok(folder);
    }
    let cache = super::cache::user_folder();
    let folder = cache.join(concat!("clinic-", env!("CARGO_PKG_VERSION")));
    if !folder.join("twin.toml").is_file() {
        eprintln!("plenum: making the demo clinic in {}", folder.display());
        make_in_cache(&cache, &folder)?;
    }
    Ok(folder)
}

/// Makes the clinic beside its place and moves it there whole: another Plenum may be making it too.
fn make_in_cache(cache: &Path, folder: &Path) -> Result<(), Failure> {
    let cannot = |e: std::io::Error| {
        let message = format!("cannot make the demo clinic: {e}");
        Problem::error(
            cache.display().to_string(),
            message,
            "make it yourself: `plenum make-demo DIR`, `plenum demo --project DIR`",
        )
    };
    std::fs::create_dir_all(cache).map_err(cannot)?;
    let draft = tempfile::Builder::new().prefix(".clinic-").tempdir_in(cache).map_err(cannot)?;
    let made = draft.path().join("clinic");
    super::make_demo::write(&made, 1)?;
    let moved = std::fs::rename(&made, folder).or_else(|_| {
        if folder.join("twin.toml").is_file() {
            return Ok(());
        }
        // An earlier start was killed on the way.
        std::fs::remove_dir_all(folder).and_then(|()| std::fs::rename(&made, folder))
    });
    match moved {
        Err(e) if !folder.join("twin.toml").is_file() => Err(cannot(e).into()),
        _ => Ok(()),
    }
}
