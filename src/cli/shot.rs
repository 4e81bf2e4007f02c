//! `plenum shot`: a picture of a project or a model, with no window.

use super::field::FieldSettings;
use super::output::{Failure, parse_duration};
use super::{emulate, interrupt};
#[cfg(feature = "desktop")]
use crate::problem::Problem;
use crate::simulation::building::trace::Way;
#[cfg(feature = "desktop")]
use crate::site::{Element, Site, Slot};
use crate::twin::view::{ColourBy, Theme};
use std::path::PathBuf;
use std::time::Duration;

/// Draws a picture of a project or a model with no window.
///
/// The picture shows what the window would show. Without --emulate nothing is connected, and points are
/// unknown. A graphics card is not needed: software Vulkan (the package mesa-vulkan-drivers) will do.
#[derive(clap::Args)]
pub struct Args {
    /// A folder with a twin.toml, that file, or a single model.
    project: PathBuf,
    /// The PNG to write.
    #[arg(long, value_name = "OUT.png")]
    out: PathBuf,
    /// Pixels, width by height.
    #[arg(long, value_name = "WxH", default_value = "1600x900", value_parser = parse_size)]
    size: [u32; 2],
    /// Pixels in a logical pixel: 1.5 is a screen at 150 %.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = parse_scale)]
    scale: f32,
    /// dark or light.
    #[arg(long, default_value = "dark", value_parser = parse_theme)]
    theme: Theme,
    /// on or off: the panels around the scene.
    #[arg(long, value_name = "on|off", default_value = "on", action = clap::ArgAction::Set, value_parser = parse_switch)]
    panels: bool,
    /// outside, plant, storey:NAME or a view saved in the project; without it, what the program opens with.
    #[arg(long)]
    view: Option<String>,
    /// material, health, temperature, system, discipline, or what flows: flow, velocity, pressure, residual
    /// [default: the saved view's, else material].
    #[arg(long, value_name = "WHAT", value_parser = parse_colour)]
    colour_by: Option<ColourBy>,
    /// Select an element, by its GlobalId, tag or name: the panels tell of it.
    #[arg(long, value_name = "ELEMENT")]
    select: Option<String>,
    /// upstream or downstream: trace the flow from the selected element.
    #[arg(long, value_name = "WAY", requires = "select", value_parser = parse_way)]
    trace: Option<Way>,
    /// Let the twin live this long before the picture is taken [default: 0s, with --emulate 5s].
    #[arg(long, value_name = "T", value_parser = parse_duration)]
    after: Option<Duration>,
    /// Start a broker and the building's emulated devices beside the twin.
    #[arg(long)]
    emulate: bool,
    /// What chance does in the emulated building.
    #[arg(long, default_value_t = 1, requires = "emulate")]
    seed: u64,
    /// Simulated seconds in a second.
    #[arg(long, default_value_t = 60.0, requires = "emulate")]
    speed: f64,
    /// A fault in the emulated building: NAME[:ASSET][=SEVERITY]@T. May be given more than once.
    #[arg(long = "fault", value_name = "FAULT", requires = "emulate")]
    faults: Vec<String>,
}

impl Args {
    /// What to emulate; none when nothing shall be.
    fn field(&self) -> Result<Option<FieldSettings>, Failure> {
        if !self.emulate {
            return Ok(None);
        }
        let faults = emulate::parse_faults(&self.faults)?;
        Ok(Some(FieldSettings {
            seed: self.seed,
            speed: self.speed,
            start: None,
            faults,
            clock_topic: None,
            assumptions: Vec::new(),
        }))
    }
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    let field = args.field()?;
    picture(&args, field)
}

#[cfg(not(feature = "desktop"))]
fn picture(_args: &Args, _field: Option<FieldSettings>) -> Result<(), Failure> {
    Err(super::output::no_window())
}

#[cfg(feature = "desktop")]
fn picture(args: &Args, field: Option<FieldSettings>) -> Result<(), Failure> {
    use super::field::Field;
    use super::live::Live;
    use super::open::open;
    use super::windowed;
    use crate::desktop::adapter;
    use crate::desktop::camera::views::NamedView;
    use crate::desktop::shot::{Shot, VIEWS, draw};
    use crate::twin::command::Command;

    // What can be known to fail is known before the work is done.
    let file = place(&args.out)?;
    adapter::find()?;

    let opened = open(&args.project, interrupt::progress())?;
    for problem in &opened.problems {
        eprintln!("plenum: {problem}");
    }
    let view = match &args.view {
        None => None,
        Some(word) => Some(
            NamedView::parse(word, &opened.project.views)
                .map_err(|message| Failure::Usage(Problem::error("--view", message, VIEWS)))?,
        ),
    };
    let selected = args.select.as_deref().map(|word| element(&opened.site, word)).transpose()?;
    let mut after = Duration::ZERO;
    let live = match field {
        None => None,
        Some(settings) => {
            let settings = settings.in_project(&opened.project);
            Field::check(&opened.site, &settings).map_err(Failure::Usage)?;
            after = Duration::from_secs(5);
            Some(Live::start(&opened, Some(settings))?)
        }
    };
    let shot = Shot {
        size: args.size,
        scale: args.scale,
        theme: args.theme,
        panels: args.panels,
        view,
        colour_by: args.colour_by.unwrap_or_default(),
        // What is asked for by hand counts more than what a saved view has.
        commands: (args.colour_by.map(Command::ColourBy).into_iter())
            .chain(selected.map(|slot| Command::Select(Some(slot))))
            .chain(selected.zip(args.trace).map(|(slot, way)| Command::Trace { slot, way }))
            .collect(),
        after: args.after.unwrap_or(after),
        stop: interrupt::interrupted,
        ..Shot::default()
    };
    let picture = draw(&shot, |app| {
        windowed::dress(app);
        windowed::install(app.world_mut(), &args.project, opened, live);
    })?;
    save(file, &picture, &args.out)?;
    eprintln!("plenum: wrote {}", args.out.display());
    Ok(())
}

/// A file beside the one that is asked for, so that a picture is there whole or not at all.
#[cfg(feature = "desktop")]
fn place(out: &std::path::Path) -> Result<tempfile::NamedTempFile, Problem> {
    let folder = match out.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => std::path::Path::new("."),
    };
    if out.is_dir() || out.file_name().is_none() {
        return Err(unwritable(out, &"it is a folder"));
    }
    tempfile::Builder::new().prefix(".plenum-shot-").suffix(".png").tempfile_in(folder).map_err(|e| unwritable(out, &e))
}

#[cfg(feature = "desktop")]
fn save(
    mut file: tempfile::NamedTempFile,
    picture: &crate::desktop::shot::Picture,
    out: &std::path::Path,
) -> Result<(), Problem> {
    use image::ImageEncoder;
    let [width, height] = picture.size;
    image::codecs::png::PngEncoder::new(std::io::BufWriter::new(file.as_file_mut()))
        .write_image(&picture.rgba, width, height, image::ExtendedColorType::Rgba8)
        .map_err(|e| unwritable(out, &e))?;
    file.as_file().sync_all().map_err(|e| unwritable(out, &e))?;
    readable(file.as_file());
    file.persist(out).map_err(|e| unwritable(out, &e.error))?;
    Ok(())
}

/// Temporary files are their owner's only; a picture is for everybody.
#[cfg(all(feature = "desktop", unix))]
fn readable(file: &std::fs::File) {
    use std::os::unix::fs::PermissionsExt;
    if let Err(e) = file.set_permissions(std::fs::Permissions::from_mode(0o644)) {
        tracing::debug!("the picture stays its owner's: {e}");
    }
}

#[cfg(all(feature = "desktop", not(unix)))]
fn readable(_file: &std::fs::File) {}

#[cfg(feature = "desktop")]
fn unwritable(out: &std::path::Path, why: &dyn std::fmt::Display) -> Problem {
    Problem::error(
        out.display().to_string(),
        format!("the picture cannot be written: {why}"),
        "give a file in a folder that can be written to, with space left",
    )
}

fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let sizes: Vec<u32> = text.split(['x', 'X', '×']).filter_map(|p| p.trim().parse().ok()).collect();
    match sizes[..] {
        [w, h] if (64..=8192).contains(&w) && (64..=8192).contains(&h) => Ok([w, h]),
        _ => Err(format!("`{text}` is not a size; write 1600x900, each from 64 to 8192")),
    }
}

fn parse_scale(text: &str) -> Result<f32, String> {
    let scale = text.trim().trim_end_matches('x').parse::<f32>().ok();
    scale
        .filter(|s| (0.5..=4.0).contains(s))
        .ok_or_else(|| format!("`{text}` is not a scale; write 1.5, from 0.5 to 4"))
}

fn parse_theme(text: &str) -> Result<Theme, String> {
    match text {
        "dark" => Ok(Theme::Dark),
        "light" => Ok(Theme::Light),
        _ => Err(format!("`{text}` is not a theme; use dark or light")),
    }
}

fn parse_way(text: &str) -> Result<Way, String> {
    let ways = [Way::Upstream, Way::Downstream];
    ways.into_iter().find(|w| w.word() == text).ok_or_else(|| format!("`{text}` is no way; use upstream or downstream"))
}

/// The element that is called so: by its GlobalId, else by its tag, else by its name.
#[cfg(feature = "desktop")]
fn element(site: &Site, word: &str) -> Result<Slot, Failure> {
    let called = |of: fn(&Element) -> &str| site.iter().find(|(_, e)| of(e) == word).map(|(slot, _)| slot);
    called(|e| &e.id).or_else(|| called(|e| &e.tag)).or_else(|| called(|e| &e.name)).ok_or_else(|| {
        Failure::Usage(Problem::error(
            "--select",
            format!("no element has the GlobalId, tag or name `{word}`"),
            "look it up with `plenum search`",
        ))
    })
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is neither on nor off")),
    }
}

fn parse_colour(text: &str) -> Result<ColourBy, String> {
    let words = ColourBy::ALL.map(ColourBy::word).join(", ");
    ColourBy::parse(text).ok_or_else(|| format!("`{text}` is no such colouring; use one of {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        assert_eq!(parse_size("1280x800"), Ok([1280, 800]));
        assert!(parse_size("1280").is_err() && parse_size("0x5").is_err() && parse_size("99999x99999").is_err());
        assert_eq!(parse_scale("1.5"), Ok(1.5));
        assert!(parse_scale("0").is_err() && parse_scale("nan").is_err());
        assert_eq!(parse_way("upstream"), Ok(Way::Upstream));
        assert!(parse_way("sideways").is_err());
        assert!(parse_theme("pink").is_err() && parse_switch("maybe").is_err());
        assert_eq!(parse_colour("health"), Ok(ColourBy::Health));
        assert!(parse_colour("taste").unwrap_err().contains("temperature"));
    }
}
