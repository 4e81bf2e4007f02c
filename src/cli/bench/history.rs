//! Samples at rest: how fast they get in, durably, how small they are and how soon they are back, beside plain rows.

use super::Row;
use crate::history::embedded::{Embedded, Options, size};
use crate::history::query::every;
use crate::history::rows::Rows;
use crate::history::{History, HistoryError, PointInfo, PointKey, Span, Stored};
use crate::problem::Problem;
use crate::quality::Quality;
use crate::time::Time;
use cpu_time::ProcessTime;
use std::path::Path;
use std::time::{Duration, Instant};

/// Points of the history.
const POINTS: usize = 1000;
/// Samples of each.
const TICKS: usize = 10_000;
/// Points of the peer, whose file would be eight times as large.
const PEERS: usize = 100;
/// Samples of one commit: what `[history]` commits at once.
const COMMIT: usize = 10_000;
/// Where the first sample is, ms.
const START: i64 = 1_778_479_200_000;
/// From one sample of a point to its next, ms.
const PERIOD: i64 = 10_000;
const PEER: &str = "plain SQLite rows (100 points)";

/// Rows for what issue and README name.
///
/// # Errors
/// A folder for temporary files that cannot be written.
pub fn run() -> Result<Vec<Row>, Problem> {
    let folder = tempfile::tempdir()
        .map_err(|e| Problem::error("bench history", format!("no temporary folder: {e}"), "set TMPDIR"))?;
    measure(folder.path(), POINTS, TICKS, PEERS).map_err(|e| e.problem())
}

fn measure(folder: &Path, points: usize, ticks: usize, peers: usize) -> Result<Vec<Row>, HistoryError> {
    let file = folder.join("history.db");
    let mut store = Embedded::open(&file, Options::default())?.0;
    let infos: Vec<PointInfo> =
        (0..points).map(|i| PointInfo { id: format!("point {i}"), ..PointInfo::default() }).collect();
    let keys = store.declare(&infos)?;
    let ours = fill(&keys, ticks, COMMIT, |batch| {
        store.append(batch)?;
        while store.tend()? {}
        Ok(())
    })?;
    let recovery = recovery(&file, &folder.join("after a crash"))?;
    let reader = store.reader()?;
    let wanted = keys.get(3).copied().unwrap_or(PointKey(0));
    let middle = START + PERIOD * (ticks as i64 / 2);
    let hour = Span { from: Time(middle), to: Time(middle + 3_600_000) };
    let hour_ms = median(|| reader.samples(wanted, hour).map(|s| s.len()))?;
    let all_ms = median(|| reader.samples(wanted, Span::ALL).map(|s| s.len()))?;
    let latest_ms = median(|| reader.latest(&keys).map(|s| s.iter().flatten().count()))?;
    let hours_ms = median(|| every(reader.as_ref(), wanted, Span::ALL, 3_600_000).map(|b| b.len()))?;
    drop(reader);
    drop(store);
    let bytes = size(&file) as f64 / (points * ticks) as f64;

    let rows_file = folder.join("rows.db");
    let mut rows = Rows::new(&rows_file)?;
    let theirs_keys: Vec<PointKey> = keys.iter().copied().take(peers).collect();
    let theirs = fill(&theirs_keys, ticks, COMMIT, |batch| rows.append(batch))?;
    rows.settle()?;
    let their_bytes = size(&rows_file) as f64 / (peers * ticks) as f64;
    let their_hour = median(|| rows.samples(wanted, hour).map(|s| s.len()))?;
    let their_all = median(|| rows.samples(wanted, Span::ALL).map(|s| s.len()))?;
    let their_latest = median(|| {
        let mut found = 0;
        for key in theirs_keys.iter().cycle().take(points) {
            found += usize::from(rows.latest(*key)?.is_some());
        }
        Ok(found)
    })?;

    let (n, commit) = (points * ticks, COMMIT);
    let of = |text: &str| format!("{text}, {n} samples of {points} points");
    Ok(vec![
        beside(
            Row::at_least(of(&format!("appended durably, {commit} a commit")), "per_s", ours.per_s, 400_000.0),
            theirs.per_s,
        ),
        beside(Row::only(of("the same: CPU a sample"), "cpu_s", ours.cpu_s), theirs.cpu_s),
        Row::only(of("the same: longest commit with what is sealed after it"), "ms", ours.longest_ms),
        beside(Row::at_most(of("on the disk, with sums"), "bytes", bytes, 4.3), their_bytes),
        beside(Row::at_most("one point's hour, 360 samples", "ms", hour_ms, 0.2), their_hour),
        beside(Row::at_most(format!("one point's {ticks} samples"), "ms", all_ms, 0.5), their_all),
        beside(Row::at_most(format!("last of {points} points"), "ms", latest_ms, 2.0), their_latest),
        Row::only(format!("one point's {ticks} samples by the hour"), "ms", hours_ms),
        Row::at_most(of("opened again after a crash"), "ms", recovery, 3000.0),
    ])
}

fn beside(row: Row, theirs: f64) -> Row {
    let ratio = row.ours.map(|ours| ours / theirs);
    Row { peer: PEER.into(), theirs: Some(theirs), ratio, ..row }
}

struct Filled {
    per_s: f64,
    cpu_s: f64,
    longest_ms: f64,
}

/// Appends the mixed set, tick by tick: of ten points seven walk by hundredths, two are switched now and then, one
/// has every digit; device times jitter by 50 ms, and all of a tick arrive together.
fn fill(
    keys: &[PointKey],
    ticks: usize,
    commit: usize,
    mut append: impl FnMut(&[(PointKey, Stored)]) -> Result<(), HistoryError>,
) -> Result<Filled, HistoryError> {
    let mut random = Random(88_172_645_463_325_252);
    let mut walks = vec![2000i64; keys.len()];
    let mut switches = vec![0.0; keys.len()];
    let mut batch = Vec::with_capacity(commit + keys.len());
    let (mut wall, mut cpu, mut longest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for tick in 0..ticks {
        let base = START + tick as i64 * PERIOD;
        for (i, ((key, walk), switch)) in keys.iter().zip(&mut walks).zip(&mut switches).enumerate() {
            let value = match i % 10 {
                0..=6 => {
                    *walk += random.below(11) as i64 - 5;
                    *walk as f64 / 100.0
                }
                7 | 8 => {
                    if random.below(60) == 0 {
                        *switch = 1.0 - *switch;
                    }
                    *switch
                }
                _ => random.below(1 << 52) as f64 / (1u64 << 52) as f64 * 100.0,
            };
            let time = Time(base + random.below(101) as i64 - 50);
            batch.push((*key, Stored { time, arrival: Time(base + 60), value, quality: Quality::Good, code: 0 }));
        }
        if batch.len() >= commit || tick + 1 == ticks {
            let (began, busy) = (Instant::now(), ProcessTime::now());
            append(&batch)?;
            let took = began.elapsed();
            (wall, cpu, longest) = (wall + took, cpu + busy.elapsed(), longest.max(took));
            batch.clear();
        }
    }
    let count = (keys.len() * ticks) as f64;
    Ok(Filled {
        per_s: count / wall.as_secs_f64(),
        cpu_s: cpu.as_secs_f64() / count,
        longest_ms: longest.as_secs_f64() * 1e3,
    })
}

/// How long it takes to open what a crash leaves: the files as they are while they are written, ms.
fn recovery(file: &Path, folder: &Path) -> Result<f64, HistoryError> {
    let gone = |e: std::io::Error| {
        HistoryError::new(crate::history::Reason::Gone, folder.display().to_string(), e.to_string())
    };
    std::fs::create_dir_all(folder).map_err(gone)?;
    let name = |end: &str| format!("{}{end}", file.file_name().unwrap_or_default().to_string_lossy());
    for end in ["", "-wal"] {
        std::fs::copy(file.with_file_name(name(end)), folder.join(name(end))).map_err(gone)?;
    }
    let began = Instant::now();
    let (store, problems) = Embedded::open(&folder.join(name("")), Options::default())?;
    let took = began.elapsed();
    drop(store);
    match problems.first() {
        None => Ok(took.as_secs_f64() * 1e3),
        Some(p) => Err(HistoryError::new(crate::history::Reason::Damaged, p.place.clone(), p.message.clone())),
    }
}

/// The median of some, ms; each must find the same.
fn median(mut ask: impl FnMut() -> Result<usize, HistoryError>) -> Result<f64, HistoryError> {
    let mut times = Vec::new();
    let mut found = None;
    for _ in 0..21 {
        let began = Instant::now();
        let count = ask()?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        if *found.get_or_insert(count) != count || count == 0 {
            let message = format!("{count} samples were found, and {found:?} before");
            return Err(HistoryError::new(crate::history::Reason::Damaged, "bench history", message));
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or(f64::NAN))
}

/// G. Marsaglia, "Xorshift RNGs", J. Stat. Software 8 (2003).
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let rows = measure(folder.path(), 20, 1500, 5).unwrap();
        assert_eq!(rows.len(), 9);
        for row in &rows {
            assert!(row.ours.is_some_and(|o| o > 0.0) && row.why.is_none(), "{row:?}");
        }
        assert_eq!(rows.iter().filter(|r| r.goal.is_some()).count(), 6);
        assert_eq!(rows.iter().filter(|r| r.theirs.is_some()).count(), 6);
    }
}
