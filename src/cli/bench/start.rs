//! How long the demo takes to be there, each time in a process of its own: from the start to ready without a
//! window, and from the start to the first picture in a window.

use super::Row;
use crate::problem::Problem;
use std::process::Command;

/// How often each is started; the figure is the median.
const RUNS: usize = 5;

/// One row for each.
///
/// # Errors
/// When the demo does not end well.
pub fn run() -> Result<Vec<Row>, Problem> {
    let ready = median(&["--headless", "--for", "1s"], "ready_seconds")?;
    let mut rows = vec![Row::at_most("demo without a window, start to ready", "s", ready, 2.0)];
    rows.extend(first_picture());
    Ok(rows)
}

#[cfg(feature = "desktop")]
fn first_picture() -> Option<Row> {
    let case = "demo in a window, start to the first picture of all of it";
    Some(match median(&["--for", "15s"], "first_picture_seconds") {
        Ok(first) => Row::at_most(case, "s", first, 5.0),
        Err(problem) => Row::missing(case, "s", 5.0, problem.message),
    })
}

#[cfg(not(feature = "desktop"))]
fn first_picture() -> Option<Row> {
    None
}

fn median(arguments: &[&str], field: &str) -> Result<f64, Problem> {
    let mut figures = (0..RUNS).map(|_| demo(arguments, field)).collect::<Result<Vec<f64>, Problem>>()?;
    figures.sort_by(f64::total_cmp);
    Ok(figures[RUNS / 2])
}

/// A figure of the report that `plenum demo` prints.
fn demo(arguments: &[&str], field: &str) -> Result<f64, Problem> {
    let failed = |what: String| Problem::error("plenum demo", what, "run it by itself and see what it says");
    let program = std::env::current_exe().map_err(|e| failed(format!("cannot find this program: {e}")))?;
    let output = Command::new(program)
        .args(["demo", "--json"])
        .args(arguments)
        .output()
        .map_err(|e| failed(format!("cannot be started: {e}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed(said.lines().last().unwrap_or("it printed no report").to_owned()))?;
    report[field].as_f64().ok_or_else(|| failed(format!("its report has no {field}")))
}
