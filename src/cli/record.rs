//! The history beside a run: where it is, who writes it, and what it knew before.

use crate::history::query::every;
use crate::history::{self, Place, PointKey, Span};
use crate::problem::{Problem, Severity};
use crate::site::Site;
use crate::site::project::{HistorySettings, HistoryStore, Project};
use crate::telemetry::historian::{Declared, Historian, Settings, Source, Status, Teller};
use crate::telemetry::{self, Address};
use crate::time::Time;
use crate::twin::replay::Recording;
use crate::twin::telemetry::{LastKnown, TREND_LENGTH, TREND_SPAN_S};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How long a history is waited for when it is asked something.
const PATIENCE: Duration = Duration::from_secs(10);
/// At the end of a run: what is held is kept, where the store works.
const LAST: Duration = Duration::from_secs(10);

/// The history of a run. Dropping it commits what it holds.
pub struct Record {
    teller: Option<Teller>,
    historian: Historian,
    /// Where publishers are told, and where that is.
    receipts: String,
    client: String,
    /// How often the twin keeps what it simulates.
    simulated_every_s: f64,
    /// Where it is kept for as long as the run lasts.
    temporary: Option<TempDir>,
}

/// The history in a run's report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryRow {
    /// Its file or server.
    pub place: String,
    /// It goes with the run.
    pub temporary: bool,
    /// Measured samples that were committed.
    pub stored: u64,
    /// Computed ones.
    pub computed: u64,
    /// Not committed yet.
    pub waiting: usize,
    /// Not taken: the store did not work, and held were as many as may be.
    pub missed: u64,
    /// Commits.
    pub commits: u64,
    /// The middle one of the last commits, milliseconds.
    pub commit_p50_ms: f64,
    /// One in a hundred takes longer, milliseconds.
    pub commit_p99_ms: f64,
    /// What it takes on the disk, where that can be said.
    pub bytes: Option<u64>,
    /// Why nothing is kept at the moment.
    pub error: Option<String>,
}

impl Record {
    /// Opens the history of a project that has points. With emulated devices it goes with the run, unless the project
    /// names a place for it: the same day is lived again and again.
    ///
    /// Where nobody named a place and the usual one cannot be had, the run goes on without, and the problem says so.
    ///
    /// # Errors
    /// The history that the project names is another program's, damaged, or none.
    pub fn start(
        project: &Project,
        site: &Site,
        emulated: bool,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Self>, Problem> {
        let is_project = project.file.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        if site.points.is_empty() || !is_project || project.history.store == HistoryStore::Off {
            return Ok(None);
        }
        let named = project.history.store != HistorySettings::beside(&project.folder).store;
        let mut settings = project.history.clone();
        let mut temporary = None;
        if emulated && !named {
            let folder = tempfile::Builder::new().prefix("plenum-history-").tempdir().map_err(|e| {
                let message = format!("there is no folder for its history: {e}");
                Problem::error(std::env::temp_dir().display().to_string(), message, "name `file` under [history]")
            })?;
            settings.store = HistoryStore::File(folder.path().join("history.db"));
            temporary = Some(folder);
        }
        let Some(source) = source(&settings).map_err(|e| e.problem())? else { return Ok(None) };
        let how = Settings {
            gather: Duration::from_millis(settings.commit_ms),
            batch: settings.commit_samples,
            retention: history::Retention::from(&project.retention),
            ..Settings::default()
        };
        let historian = match Historian::start(source, how) {
            Ok(historian) => historian,
            Err(problem) if named => return Err(problem),
            Err(problem) => {
                problems.push(without(&problem));
                return Ok(None);
            }
        };
        let status = historian.status();
        problems.extend(status.problems);
        if let Some((_, error)) = status.failing.filter(|_| !named) {
            problems.push(without(&error.problem()));
            return Ok(None);
        }
        let client = format!("{}-receipts", telemetry::client_id(&project.name));
        let HistorySettings { receipts, simulated_every_s, .. } = settings;
        Ok(Some(Self { teller: None, historian, receipts, client, simulated_every_s, temporary }))
    }

    /// The way to it for a connection.
    pub fn recorded(&self, project: &Project) -> telemetry::Recorded {
        let recording = telemetry::mqtt::Recording { inlet: self.historian.inlet(), receipts: self.receipts.clone() };
        telemetry::Recorded { recording, retention: project.retention.clone() }
    }

    /// Publishers are told from now on what is kept, on every broker.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn tell(&mut self, addresses: &[Address]) -> Result<(), Problem> {
        let (client, prefix) = (self.client.clone(), self.receipts.clone());
        self.teller = Some(Teller::start_on(addresses.to_vec(), client, prefix, self.historian.book())?);
        Ok(())
    }

    /// The way to it for the twin.
    pub fn recorder(&self, declared: Arc<Declared>) -> crate::twin::history::Recorder {
        let simulated_every_s = self.simulated_every_s;
        crate::twin::history::Recorder { inlet: self.historian.inlet(), declared, simulated_every_s }
    }

    /// The way to read it, for the twin at other times.
    pub fn recording(&self) -> Recording {
        let readers = self.historian.readers();
        Recording(Arc::new(move || readers.open(PATIENCE)))
    }

    /// How it is.
    pub fn status(&self) -> Status {
        self.historian.status()
    }

    /// Commits all that has come; true when all of it is kept.
    pub fn finish(&self) -> bool {
        self.historian.flush(LAST)
    }

    /// What it knows of the points: the last sample, and what came in the day before.
    pub fn last_known(&self, declared: &Declared) -> Result<LastKnown, Problem> {
        let reader = self.historian.reader(PATIENCE)?;
        let known = reader.points().map_err(|e| e.problem())?;
        let keys: std::collections::HashMap<&str, PointKey> =
            known.iter().map(|(key, info)| (info.id.as_str(), *key)).collect();
        let keys: Vec<Option<PointKey>> = declared.points.iter().map(|p| keys.get(p.id.as_str()).copied()).collect();
        let there: Vec<PointKey> = keys.iter().flatten().copied().collect();
        let mut latest = reader.latest(&there).map_err(|e| e.problem())?.into_iter();
        let latest: Vec<_> = keys.iter().map(|key| key.and_then(|_| latest.next().flatten())).collect();
        let Some(newest) = latest.iter().flatten().map(|s| s.time).max() else { return Ok(LastKnown::default()) };
        // As fine as a trend is that spans a day.
        let every_ms = (TREND_SPAN_S * 1000.0 / TREND_LENGTH as f64) as i64 / 60_000 * 60_000;
        let begin = newest.plus_seconds(-TREND_SPAN_S);
        let span = Span { from: history::bucket::begin(begin, every_ms), to: Time(newest.0.saturating_add(1)) };
        // To the end of the last bucket, so that sums that are there already can be used.
        let span = Span { to: Time(history::bucket::begin(span.to, every_ms).0.saturating_add(every_ms)), ..span };
        let trend = |key: &Option<PointKey>| -> Result<Vec<(Time, f64)>, Problem> {
            let Some(key) = key else { return Ok(Vec::new()) };
            let buckets = every(reader.as_ref(), *key, span, every_ms).map_err(|e| e.problem())?;
            Ok(buckets.iter().filter(|b| b.n > 0).map(|b| (b.start, b.last)).collect())
        };
        let trends = keys.iter().map(trend).collect::<Result<_, _>>()?;
        Ok(LastKnown { latest, trends })
    }

    /// As the report tells it.
    pub fn row(&self) -> HistoryRow {
        let status = self.status();
        let ms = |s: f64| (s * 1e6).round() / 1e3;
        HistoryRow {
            place: status.place,
            temporary: self.temporary.is_some(),
            stored: status.stored,
            computed: status.computed,
            waiting: status.waiting,
            missed: status.missed,
            commits: status.commits,
            commit_p50_ms: ms(status.commit_s[0]),
            commit_p99_ms: ms(status.commit_s[1]),
            bytes: self.historian.bytes(),
            error: status.failing.map(|(_, error)| error.to_string()),
        }
    }

    /// What is wrong with it now.
    pub fn problems(&self) -> Vec<Problem> {
        let status = self.status();
        let mut problems = Vec::new();
        if let Some((since, error)) = &status.failing {
            let message = format!("nothing is kept since {since}, and nothing acknowledged: {}", error.message);
            problems.push(Problem::error(error.place.clone(), message, error.remedy()));
        }
        if status.missed > 0 {
            let message = format!("{} samples were not kept: more came than could be held", status.missed);
            problems.push(Problem::error(
                status.place.clone(),
                message,
                "publishers that keep what has no receipt send them again",
            ));
        }
        problems.extend(status.behind.map(|e| Problem { severity: Severity::Warning, ..e.problem() }));
        problems
    }
}

impl Drop for Record {
    /// First what is held is kept, then it is told.
    fn drop(&mut self) {
        self.historian.stop();
        if let Some(teller) = &mut self.teller {
            teller.stop();
        }
    }
}

/// Why a run goes on without a history that nobody asked for by name.
fn without(problem: &Problem) -> Problem {
    let message = format!("{}; nothing is kept of this run", problem.message);
    Problem::error(problem.place.clone(), message, "name `file` under [history], or write off = true there")
}

/// The history of a project; none where it keeps none.
fn source(settings: &HistorySettings) -> Result<Option<Source>, history::HistoryError> {
    let Some(place) = Place::of(settings)? else { return Ok(None) };
    let file = match &place {
        Place::File(file) => Some(file.clone()),
        Place::Server(_) => None,
    };
    let shown = place.shown();
    let open = move || place.open().map(|opened| (opened.history, opened.problems));
    Ok(Some(Source { place: shown, open: Box::new(open), bytes: Box::new(move || file.as_deref().map(bytes_of)) }))
}

/// A file of SQLite with what stands beside it.
fn bytes_of(file: &Path) -> u64 {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside: Vec<PathBuf> = ["", "-wal"].map(|end| file.with_file_name(format!("{name}{end}"))).to_vec();
    beside.iter().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum()
}
