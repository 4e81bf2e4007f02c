//! `plenum history append`: samples from a table in text.

use super::{Named, bar, failed, named, now, unknown};
use crate::cli::interrupt;
use crate::cli::open::open;
use crate::cli::output::{Failure, print_json, print_text};
use crate::history::place::info;
use crate::history::table::{self, Known, Options, Stop, Taken, Zone, parse_zone};
use crate::history::{History, HistoryError, PointInfo, PointKey};
use crate::problem::Problem;
use crate::site::unit::Unit;
use crate::time::Time;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Takes the samples of a CSV file into the history.
///
/// Of long form, a row a sample:             time,point,value[,unit,quality,code,arrival]
/// or of wide form, a column a point:        time,AHU-1/supply_temperature [Cel],CH-1/power [kW]
///
/// Times are RFC 3339, seconds or milliseconds since 1970, or local with --zone. Values without a unit are in the
/// point's own. Their quality is good-backfill unless the file says otherwise. What is there already is not changed:
/// the same file may come twice, in any order. Lines with a fault are named and left out; the others get in.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// The table; - for standard input
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Where times without a zone are: UTC, +02:00
    #[arg(long, value_name = "ZONE", value_parser = zone, allow_hyphen_values = true)]
    zone: Option<Zone>,
    /// Take points that neither the project nor the history knows, in the unit that the file states
    #[arg(long)]
    new: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

fn zone(text: &str) -> Result<Zone, String> {
    parse_zone(text).ok_or_else(|| {
        format!(
            "`{text}` is no distance from UTC; write UTC, +02:00, -05:00 (clocks that change need a zone in each time)"
        )
    })
}

#[derive(Serialize)]
struct Document<'a> {
    file: String,
    lines: u64,
    samples: u64,
    points: usize,
    from: Option<Time>,
    to: Option<Time>,
    /// All of them; the list may be shorter.
    faults: u64,
    seconds: f64,
    problems: &'a [Problem],
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let began = Instant::now();
    let name = if is_stdin(&args.file) { "standard input".to_owned() } else { args.file.display().to_string() };
    let (text, bytes) = source(&args.file)?;
    let place = named(&args.place)?;
    let opened = place.place.open().map_err(failed)?;
    let before: Vec<Problem> = opened.problems;
    let known = opened.history.reader().and_then(|r| r.points()).map_err(failed)?;
    let book = RefCell::new(Book {
        history: opened.history,
        known: known.into_iter().map(|(key, info)| (info.id.clone(), (key, info))).collect(),
        site: None,
        named: &place,
        path: Path::new(&args.place),
        new: args.new,
    });
    let bar = bar(&name, "{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    bar.set_length(bytes);
    let options = Options { name: name.clone(), zone: args.zone, arrival: now() };
    let counted = bar.wrap_read(text);
    let sink = |batch: &[(u32, crate::history::Stored)]| {
        book.borrow_mut().take(batch)?;
        Ok(!interrupt::interrupted())
    };
    let done = table::read(counted, &options, |id, unit| book.borrow_mut().point(id, unit), sink);
    bar.finish_and_clear();
    let mut read = match done {
        Ok(read) => read,
        Err(Stop::Table(problem)) => return Err(Failure::Failed(problem)),
        Err(Stop::Store(e)) => return Err(failed(e)),
        Err(Stop::Asked) => {
            let message = "stopped before its end; what was read so far is kept";
            let remedy = "the same command again takes the rest: what is there already is not changed";
            return Err(Failure::Failed(Problem::error(name, message, remedy)));
        }
    };
    let mut history = book.into_inner().history;
    while history.tend().map_err(failed)? {}
    drop(read.problems.splice(0..0, before));
    for problem in read.problems.iter().filter(|_| !args.json) {
        eprintln!("{problem}");
    }
    if args.json {
        print_json(&document(&name, &read, began))?;
    } else {
        print_text(&describe(&read))?;
    }
    if read.samples == 0 && read.faults > 0 {
        let message = "not one of its samples could be taken";
        return Err(Failure::Failed(Problem::error(name, message, "mend what is listed")));
    }
    Ok(())
}

fn document<'a>(name: &str, read: &'a Taken, began: Instant) -> Document<'a> {
    Document {
        file: name.to_owned(),
        lines: read.lines,
        samples: read.samples,
        points: read.points.len(),
        from: read.span.map(|s| s[0]),
        to: read.span.map(|s| s[1]),
        faults: read.faults,
        seconds: began.elapsed().as_secs_f64(),
        problems: &read.problems,
    }
}

fn describe(read: &Taken) -> String {
    let mut text = match read.span {
        Some([from, to]) => {
            format!("{} samples of {} points, {from} to {to}", read.samples, read.points.len())
        }
        None => "no samples in it".to_owned(),
    };
    if read.faults > 0 {
        text.push_str(&format!("; {} faults", read.faults));
    }
    text + "\n"
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn source(file: &Path) -> Result<(Box<dyn io::Read>, u64), Failure> {
    if is_stdin(file) {
        return Ok((Box::new(io::stdin().lock()), 0));
    }
    let place = file.display().to_string();
    let cannot =
        |e: io::Error| Failure::Failed(Problem::error(&place, format!("cannot be read: {e}"), "check path and rights"));
    if file.is_dir() {
        return Err(Failure::Failed(Problem::error(place, "this is a folder", "name the CSV file in it")));
    }
    let opened = File::open(file).map_err(cannot)?;
    let bytes = opened.metadata().map_err(cannot)?.len();
    Ok((Box::new(opened), bytes))
}

/// The history, and who knows which points.
struct Book<'a> {
    history: Box<dyn History>,
    known: HashMap<String, (PointKey, PointInfo)>,
    /// The project's own points, once somebody asked for one that the history does not know.
    site: Option<HashMap<String, PointInfo>>,
    named: &'a Named,
    path: &'a Path,
    new: bool,
}

impl Book<'_> {
    fn take(&mut self, batch: &[(u32, crate::history::Stored)]) -> Result<(), HistoryError> {
        let samples: Vec<_> = batch.iter().map(|(key, s)| (PointKey(*key), *s)).collect();
        self.history.append(&samples)?;
        self.history.tend().map(drop)
    }

    fn point(&mut self, id: &str, unit: &str) -> Known {
        if let Some((key, info)) = self.known.get(id) {
            return Known::Point(key.0, info.unit.clone());
        }
        match self.find(id, unit) {
            Ok(info) => match self.history.declare(std::slice::from_ref(&info)) {
                Ok(keys) => {
                    let key = keys.first().copied().unwrap_or(PointKey(0));
                    let unit = info.unit.clone();
                    self.known.insert(id.to_owned(), (key, info));
                    Known::Point(key.0, unit)
                }
                Err(e) => Known::Not(e.to_string(), e.remedy().to_owned()),
            },
            Err(problem) => Known::Not(problem.message, problem.remedy),
        }
    }

    /// A point that the history does not know.
    fn find(&mut self, id: &str, unit: &str) -> Result<PointInfo, Problem> {
        if self.site.is_none() {
            self.site = Some(self.points_of_site()?);
        }
        let site = self.site.as_ref();
        if let Some(info) = site.and_then(|s| s.get(id)) {
            return Ok(info.clone());
        }
        if self.new && !id.chars().any(char::is_control) {
            let class = self.named.project.as_ref().map_or("", |p| p.retention.class_of(id));
            let unit = Unit::parse(unit).map_or("1", |u| u.code);
            return Ok(PointInfo { id: id.into(), unit: unit.into(), class: class.into(), ..PointInfo::default() });
        }
        let names =
            self.known.keys().map(String::as_str).chain(site.into_iter().flat_map(|s| s.keys().map(String::as_str)));
        let near = unknown(id, names);
        let message = format!("there is no point `{id}`");
        Err(Problem::error(id, message, format!("{}; --new takes points that nobody knows", near.remedy)))
    }

    fn points_of_site(&self) -> Result<HashMap<String, PointInfo>, Problem> {
        let Some(project) = &self.named.project else { return Ok(HashMap::new()) };
        if project.models.is_empty() && project.layers.is_empty() {
            return Ok(HashMap::new());
        }
        let opened = open(self.path, interrupt::progress())?;
        Ok(opened.site.points.iter().map(|p| (p.id.clone(), info(p, &project.retention))).collect())
    }
}
