//! The CPU's part of a frame before drawing begins, beside Bevy alone with the same elements.
//!
//! Each of the two runs in a process of its own, so that neither leaves anything in the other's caches.

use super::{Row, synthetic, tick};
use crate::desktop::{adapter, frame_cost};
use crate::problem::Problem;
use std::process::Command;

/// Which of the two a process measures.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The twin and its scene.
    Plenum,
    /// The same elements and meshes with one standard material.
    Baseline,
}

const ELEMENTS: usize = 100_000;
const POINTS: usize = 10_000;

/// Measures one part in this process: mean CPU milliseconds from the start of a frame to its drawing.
///
/// # Errors
/// When the scene never came to stand.
pub fn measure(part: Part) -> Result<f64, Problem> {
    let part = match part {
        Part::Plenum => frame_cost::Part::Plenum,
        Part::Baseline => frame_cost::Part::Baseline,
    };
    frame_cost::measure(part, synthetic::site(ELEMENTS, POINTS), |sender, frame| tick::send(sender, frame, POINTS))
        .ok_or_else(|| failed("the scene never came to stand".into()))
}

/// Runs both parts, each in a process of its own.
///
/// # Errors
/// When there is nothing to draw with, or a part does not end well.
pub fn run() -> Result<Vec<Row>, Problem> {
    adapter::find()?;
    let (ours, theirs) = (part(Part::Plenum)?, part(Part::Baseline)?);
    let case = format!("whole frame before drawing, {ELEMENTS} elements, {POINTS} points a second, by health");
    Ok(vec![Row::against(case, "cpu_ms", ours, "Bevy, one StandardMaterial, NoCpuCulling", theirs, 1.3)])
}

fn part(part: Part) -> Result<f64, Problem> {
    let program = std::env::current_exe().map_err(|e| failed(format!("cannot find this program: {e}")))?;
    let word = if part == Part::Plenum { "plenum" } else { "baseline" };
    let output = Command::new(program)
        .args(["bench", "frame", "--part", word])
        .output()
        .map_err(|e| failed(format!("cannot start {word}: {e}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| {
        failed(format!("{word} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
    })
}

fn failed(what: String) -> Problem {
    Problem::error("plenum bench frame", what, "run it again; report it with what it printed")
}
