//! `plenum history verify`: whether every byte of a history is as it was written.

use super::{POINTS, bar, failed, named, step};
use crate::cli::interrupt;
use crate::cli::output::{Failure, print_json, print_text};
use crate::history::check::{self, Verified};
use crate::history::{Place, embedded};
use crate::problem::Problem;
use serde::Serialize;
use std::ffi::OsString;
use std::time::Instant;

/// Reads a whole history and names the first damage.
///
/// Of a file: SQLite's own structures, each batch of the journal, each packed piece (check sum, order, what its row
/// says of it), and every sum against its samples. Of PostgreSQL: the order of the samples, and every sum against
/// them; its own pages are its own matter (pg_amcheck, data checksums). Exit status 1 where anything is damaged.
#[derive(clap::Args)]
pub struct Args {
    /// A project, a file of a history or a copy of one, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    place: String,
    #[serde(flatten)]
    found: &'a Verified,
    seconds: f64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let began = Instant::now();
    let place = named(&args.place)?.place;
    let bar = bar(&place.shown(), POINTS);
    let on = |done: f64| step(&bar, (done * 1000.0) as u64, 1000);
    let found = match &place {
        Place::File(file) => embedded::verify(file, on),
        Place::Server(_) => place.read().and_then(|reader| check::verify(reader.as_ref(), on)),
    };
    bar.finish_and_clear();
    let found = found.map_err(failed)?;
    if interrupt::interrupted() {
        return Err(Failure::Failed(interrupt::stopped(place.shown())));
    }
    if args.json {
        print_json(&Document { place: place.shown(), found: &found, seconds: began.elapsed().as_secs_f64() })?;
    } else {
        let Verified { points, chunks, samples, rollups, .. } = found;
        let whole = if found.damages == 0 { "all of it is whole".into() } else { format!("{} damages", found.damages) };
        print_text(&format!("{samples} samples of {points} points in {chunks} pieces, {rollups} sums: {whole}\n"))?;
    }
    match found.first_damage {
        None => Ok(()),
        Some(damage) => {
            let remedy = "put the last backup in its place with `plenum history restore`; what is whole is still read";
            Err(Failure::Failed(Problem::error(place.shown(), format!("damaged: {damage}"), remedy)))
        }
    }
}
