//! What-ifs of a town over a day, all of them beside EPANET's, one after another.

use super::peers::{EPANET_NAME, Epanet};
use super::{ACCURACY, median};
use crate::cli::bench::row::Row;
use crate::import::network::inp::InpFile;
use crate::simulation::network::{Accuracy, Solver, WhatIf, batch};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// What the row is called.
pub const CASE: &str = "256 what-ifs of L-TOWN over 24 h, two threads";
/// How many times faster than EPANET one after another.
pub const GOAL: f64 = 10.0;
const RUNS: u32 = 256;
const DAY: i32 = 86_400;
const TIMES: usize = 5;

/// The demands of each run, over those of the file.
fn multiplier(run: u32) -> f64 {
    0.7 + 0.6 * f64::from(run) / f64::from(RUNS)
}

/// Wall time of all runs on two threads beside that of EPANET's in turn.
pub fn row(path: &Path, file: &InpFile, folder: &Path) -> Row {
    let mut timeline = file.timeline.clone();
    timeline.times.duration = i64::from(DAY);
    let what_ifs: Vec<WhatIf> =
        (0..RUNS).map(|run| WhatIf { demand_multiplier: multiplier(run), ..WhatIf::default() }).collect();
    let mut settled = true;
    let ours = (0..TIMES).map(|_| {
        let start = Instant::now();
        let (solver, _) = Solver::new(&file.network);
        let accuracy = Accuracy::both(ACCURACY);
        let runs = batch(&solver, &file.network, &timeline, accuracy, &what_ifs, 2, |_, failed: &mut usize, moment| {
            *failed += usize::from(!moment.solution.converged);
            ControlFlow::Continue(())
        });
        settled &= runs.len() == what_ifs.len() && runs.iter().all(|failed| *failed == 0);
        start.elapsed().as_secs_f64()
    });
    let ours = median(ours.collect());
    let theirs = Epanet::open(path, folder).and_then(|epanet| {
        let times: Result<Vec<f64>, String> = (0..TIMES)
            .map(|_| {
                let start = Instant::now();
                for run in 0..RUNS {
                    epanet.period(DAY, multiplier(run))?;
                }
                Ok(start.elapsed().as_secs_f64())
            })
            .collect();
        Ok(median(times?))
    });
    let row = Row::faster(CASE, "s", ours, EPANET_NAME, theirs, GOAL);
    if settled { row } else { Row { met: row.met.map(|_| false), why: Some("a run did not converge".into()), ..row } }
}
