//! `plenum place`: Says where a model without a map conversion lies in its project.

use super::output::{Failure, print_json};
use crate::problem::Problem;
use crate::site::project::{Move, load, place_model};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Says where a model lies in its project, and remembers it there.
///
/// For a model that has no map conversion, or a wrong one: its origin is put at an offset in the project's frame,
/// turned around the vertical axis. The project file keeps it as `offset_m` and `rotation_deg`.
///
/// Example: plenum place models/clinic clinic-mep.ifc --offset 12.5,-3,0 --rotation 30
#[derive(clap::Args)]
pub struct Args {
    /// The project: a folder with twin.toml, or that file.
    project: PathBuf,
    /// The model as the project names it, or the name of its file alone.
    model: String,
    /// Where the model's origin lies in the project's frame: X,Y,Z in metres.
    #[arg(long, value_name = "X,Y,Z", value_parser = metres, allow_hyphen_values = true)]
    offset: Option<[f64; 3]>,
    /// How far the model is turned, counter-clockwise seen from above, degrees.
    #[arg(long, value_name = "DEGREES", value_parser = degrees, allow_hyphen_values = true)]
    rotation: Option<f64>,
    /// Forget the placement by hand: the model's own map conversion counts again.
    #[arg(long, conflicts_with_all = ["offset", "rotation"])]
    back: bool,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    let (project, _) = load(&args.project)?;
    let named = |p: &Path| p == Path::new(&args.model) || p.ends_with(&args.model);
    let before = project.models.iter().find(|m| named(&m.file));
    let to = match (args.back, args.offset, args.rotation) {
        (true, ..) => Move::Back,
        (false, None, None) => {
            return Err(Failure::Usage(Problem::error(
                "plenum place",
                "it is not said where the model lies",
                "give --offset X,Y,Z, --rotation DEGREES, or both; or --back",
            )));
        }
        // What is not said stays as it was.
        (false, offset, rotation) => Move::To {
            offset_m: offset.or_else(|| before?.offset_m).unwrap_or_default(),
            rotation_deg: rotation.or_else(|| before?.rotation_deg).unwrap_or_default(),
        },
    };
    place_model(&project.file, &args.model, to)?;
    let (offset_m, rotation_deg) = match to {
        Move::To { offset_m, rotation_deg } => (Some(offset_m), Some(rotation_deg)),
        Move::Back => (None, None),
    };
    if args.json {
        return print_json(&json!({
            "project": project.file.display().to_string(), "model": args.model,
            "offset_m": offset_m, "rotation_deg": rotation_deg,
        }));
    }
    eprintln!("plenum: {} {}", args.model, told(to));
    Ok(())
}

/// Where a model lies now, as people are told.
pub(super) fn told(to: Move) -> String {
    match to {
        Move::To { offset_m: [x, y, z], rotation_deg } => {
            format!("lies at {x} m, {y} m, {z} m, turned by {rotation_deg}°")
        }
        Move::Back => "lies where its own map conversion puts it".to_owned(),
    }
}

fn metres(text: &str) -> Result<[f64; 3], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|n| n.trim().parse::<f64>()).collect();
    match numbers.as_deref() {
        Ok([x, y, z]) if [x, y, z].iter().all(|v| v.is_finite() && v.abs() < 1e8) => Ok([*x, *y, *z]),
        _ => Err(format!("`{text}` is no place; write three numbers in metres: 12.5,-3,0")),
    }
}

fn degrees(text: &str) -> Result<f64, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|d: &f64| (-360.0..=360.0).contains(d))
        .ok_or_else(|| format!("`{text}` is no angle; write degrees from -360 to 360"))
}
