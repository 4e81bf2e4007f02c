//! How good the data of a whole site were: every point, the worst first, and when its devices were away.

use super::drift::{self, Drift};
use super::{Expected, Gap, PointQuality, of_point, offline};
use crate::history::{Bucket, HistoryError, Level, PointInfo, PointKey, Reader, Span, simulated};
use crate::site::Point;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Covered for less than this share of the span, a point has gaps worth a word.
const COVERED: f64 = 0.99;
/// More than this share of samples is bad.
const BAD: f64 = 0.01;
/// Samples that come from the future by more than this: the device's clock is ahead, seconds.
const AHEAD_S: f64 = 5.0;
/// So long after their time most samples come: late, seconds; or what makes the point stale, where that is longer.
const LATE_S: f64 = 60.0;

/// A point that is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its number in the history; none where the history has never heard of it.
    pub key: Option<PointKey>,
    /// The number of what was simulated for it; none where nothing was.
    pub simulated: Option<PointKey>,
    /// Its id, `AHU-1/supply_temperature`.
    pub id: String,
    /// What it is measured by; none: by what its samples suggest.
    pub expected: Option<Expected>,
    /// UCUM code of its unit: neighbours have the same.
    pub unit: String,
    /// Its device and this machine go by one clock: how late it comes means something. A site that publishes a clock of
    /// its own may live at another time.
    pub one_clock: bool,
}

/// What is wrong with the data of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// No sample at all.
    Silent,
    /// Not covered for more than 1 % of the time.
    Gaps,
    /// More than 1 % of its samples are bad.
    Bad,
    /// Nothing new for longer than it may be the same.
    Flat,
    /// It moves away from its neighbours.
    Drifts,
    /// It moves away from what the twin simulates.
    Departs,
    /// Its samples come late.
    Late,
    /// Its device's clock is ahead of ours.
    Ahead,
}

impl Flaw {
    /// What people read.
    pub fn words(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Gaps => "gaps",
            Self::Bad => "bad samples",
            Self::Flat => "flat line",
            Self::Drifts => "drifts",
            Self::Departs => "drifts from the twin",
            Self::Late => "late",
            Self::Ahead => "clock ahead",
        }
    }
}

/// The data of a point.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// How good they were.
    pub quality: PointQuality,
    /// How it stands to its neighbours: points of the same role and unit; none where there are too few.
    pub drift: Option<Drift>,
    /// How it stands to what was simulated for it; none where too little was.
    pub twin: Option<Drift>,
    /// What is wrong, the worst first; nothing: all is well.
    pub flaws: Vec<Flaw>,
}

/// When a device was away: all its points were silent. A device is what a point's id names before its role.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    /// Its label.
    pub id: String,
    /// Its points.
    pub points: usize,
    /// Share of the span in which it was there, 0 to 1.
    pub online: f64,
    /// When it was away.
    pub offline: Vec<Gap>,
}

/// The data of a site over a span.
#[derive(Clone, Debug)]
pub struct SiteQuality {
    /// What was looked at: what was asked for, from the first sample of any point on.
    pub span: Span,
    /// Every point, the worst coverage first.
    pub points: Vec<Row>,
    /// Every device, the longest away first.
    pub devices: Vec<Device>,
}

impl SiteQuality {
    /// The mean coverage, 0 to 1; none without points.
    pub fn coverage(&self) -> Option<f64> {
        let n = self.points.len();
        (n > 0).then(|| self.points.iter().map(|p| p.quality.coverage).sum::<f64>() / n as f64)
    }
}

/// The measured points of a site, by the numbers that its history has for them.
pub fn of_points(points: &[Point], known: &[(PointKey, PointInfo)], one_clock: bool) -> Vec<Asked> {
    let keys = by_id(known);
    let asked = |p: &Point| Asked {
        key: keys.get(p.id.as_str()).copied(),
        simulated: keys.get(simulated::id(&p.id).as_str()).copied(),
        id: p.id.clone(),
        expected: Some(Expected { stale_after_s: p.stale_after_s, flat_s: p.watch.flat_s }),
        unit: p.unit.code.into(),
        one_clock,
    };
    points.iter().filter(|p| p.is_measured()).map(asked).collect()
}

/// The points that a history knows, where there is no project to say more of them.
pub fn of_history(known: &[(PointKey, PointInfo)]) -> Vec<Asked> {
    let keys = by_id(known);
    let asked = |(key, info): &(PointKey, PointInfo)| Asked {
        key: Some(*key),
        simulated: keys.get(simulated::id(&info.id).as_str()).copied(),
        id: info.id.clone(),
        expected: None,
        unit: info.unit.clone(),
        one_clock: true,
    };
    known.iter().filter(|(_, info)| simulated::point_of(&info.id).is_none()).map(asked).collect()
}

fn by_id(known: &[(PointKey, PointInfo)]) -> HashMap<&str, PointKey> {
    known.iter().map(|(key, info)| (info.id.as_str(), *key)).collect()
}

/// Looks at the data of points over a span. `goes_on` hears how many points are done, and ends it by false.
///
/// # Errors
/// A history that cannot be read. `Ok(None)`: it was ended.
pub fn of_site(
    reader: &dyn Reader,
    asked: &[Asked],
    span: Span,
    mut goes_on: impl FnMut(usize) -> bool,
) -> Result<Option<SiteQuality>, HistoryError> {
    let mut hours: Vec<Vec<Bucket>> = Vec::with_capacity(asked.len());
    for (i, point) in asked.iter().enumerate() {
        if !goes_on(i / 2) {
            return Ok(None);
        }
        let own = point.key.map(|key| reader.buckets(key, Level::Hour, span)).transpose()?;
        hours.push(own.unwrap_or_default());
    }
    // A site that began to record today has no gap of yesterday.
    let mut first = None;
    if let Some(hour) = hours.iter().filter_map(|h| Some(h.first()?.start)).min() {
        let begun = Span { from: span.from.max(hour), to: span.to.min(hour.plus_seconds(3600.0)).max(span.from) };
        for (point, _) in asked.iter().zip(&hours).filter(|(_, h)| h.first().is_some_and(|b| b.start == hour)) {
            let Some(key) = point.key else { continue };
            first = reader.samples(key, begun)?.first().map(|s| s.time).into_iter().chain(first).min();
        }
    }
    let span = Span { from: first.unwrap_or(span.from).max(span.from), ..span };
    let mut points = Vec::with_capacity(asked.len());
    let mut devices: BTreeMap<&str, Vec<Vec<Gap>>> = BTreeMap::new();
    for (i, point) in asked.iter().enumerate() {
        if !goes_on((asked.len() + i) / 2) {
            return Ok(None);
        }
        let samples = point.key.map(|key| reader.samples(key, span)).transpose()?.unwrap_or_default();
        let expected = point.expected.or_else(|| Expected::guessed(&samples));
        let expected = expected.unwrap_or(Expected { stale_after_s: 60.0, flat_s: None });
        let mut quality = of_point(&samples, span, expected);
        quality.lateness = quality.lateness.filter(|_| point.one_clock);
        let neighbours = neighbours(asked, &hours, i);
        let drift = hours.get(i).and_then(|own| drift::of(own, &neighbours));
        let simulated = point.simulated.map(|key| reader.buckets(key, Level::Hour, span)).transpose()?;
        let twin = hours.get(i).zip(simulated).and_then(|(own, simulated)| drift::of_twin(own, &simulated));
        devices.entry(device(&point.id)).or_default().push(quality.silences.clone());
        let flaws = flaws(&quality, drift.as_ref(), twin.as_ref(), expected);
        points.push(Row { id: point.id.clone(), quality, drift, twin, flaws });
    }
    points.sort_by(|a, b| {
        let worst = |r: &Row| r.flaws.first().copied();
        let by_flaw = worst(a).is_none().cmp(&worst(b).is_none());
        by_flaw
            .then(a.quality.coverage.total_cmp(&b.quality.coverage))
            .then(worst(a).cmp(&worst(b)))
            .then(a.id.cmp(&b.id))
    });
    let mut devices: Vec<Device> = devices.into_iter().map(|(id, silences)| away(id, &silences, span)).collect();
    devices.sort_by(|a, b| a.online.total_cmp(&b.online).then_with(|| a.id.cmp(&b.id)));
    Ok(Some(SiteQuality { span, points, devices }))
}

/// What a point's id names before its role.
pub fn device(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(device, _)| device)
}

fn role(id: &str) -> &str {
    id.rsplit_once('/').map_or("", |(_, role)| role)
}

fn neighbours<'a>(asked: &[Asked], hours: &'a [Vec<Bucket>], of: usize) -> Vec<&'a [Bucket]> {
    let Some(own) = asked.get(of) else { return Vec::new() };
    let is_one = |(i, other): &(usize, &Asked)| {
        *i != of && !role(&own.id).is_empty() && role(&other.id) == role(&own.id) && other.unit == own.unit
    };
    let found = asked.iter().enumerate().filter(is_one).filter_map(|(i, _)| hours.get(i));
    found.filter(|h| !h.is_empty()).map(Vec::as_slice).collect()
}

fn flaws(quality: &PointQuality, drift: Option<&Drift>, twin: Option<&Drift>, expected: Expected) -> Vec<Flaw> {
    if quality.samples == 0 {
        return vec![Flaw::Silent];
    }
    let late = quality.lateness.is_some_and(|l| l.median_s > LATE_S.max(expected.stale_after_s));
    let ahead = quality.lateness.is_some_and(|l| l.median_s < -AHEAD_S);
    [
        (Flaw::Gaps, quality.coverage < COVERED),
        (Flaw::Bad, quality.bad as f64 > BAD * quality.samples as f64),
        (Flaw::Flat, !quality.flat.is_empty()),
        (Flaw::Drifts, drift.is_some_and(|d| d.drifts)),
        (Flaw::Departs, twin.is_some_and(|d| d.drifts)),
        (Flaw::Late, late),
        (Flaw::Ahead, ahead),
    ]
    .into_iter()
    .filter_map(|(flaw, is_so)| is_so.then_some(flaw))
    .collect()
}

fn away(id: &str, silences: &[Vec<Gap>], span: Span) -> Device {
    let offline = offline(silences.iter().map(Vec::as_slice));
    let length_s = span.to.seconds_since(span.from);
    let away_s: f64 = offline.iter().map(Gap::seconds).sum();
    let online = if length_s > 0.0 { (1.0 - away_s / length_s).clamp(0.0, 1.0) } else { 0.0 };
    Device { id: id.to_owned(), points: silences.len(), online, offline }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::embedded::{Embedded, Options};
    use crate::history::segment::Scale;
    use crate::history::{History, Stored};
    use crate::quality::Quality;
    use crate::time::Time;

    fn info(id: &str) -> PointInfo {
        PointInfo {
            id: id.into(),
            unit: "Cel".into(),
            scale: Scale { factor: 1.0, offset: 273.15 },
            ..PointInfo::default()
        }
    }

    #[test]
    fn the_worst_comes_first_and_devices_are_away_with_all_their_points() {
        let dir = tempfile::tempdir().unwrap();
        let (mut history, _) = Embedded::open(&dir.path().join("h.db"), Options::default()).unwrap();
        let ids = ["A/t", "A/u", "B/t", "C/t", "D/t", "E/t", "A/u@simulated", "D/t@simulated"];
        let keys = history.declare(&ids.map(info)).unwrap();
        // Two days; begins an hour late; A is away for two hours; B drifts; C says that its sensor is broken; E is silent.
        // The twin says of A/u something else every day, and of D/t just what it is but for half a degree.
        let mut samples = Vec::new();
        for minute in 60..2 * 1440 {
            let time = Time(minute * 60_000);
            let wave = (minute as f64 / 1440.0 * std::f64::consts::TAU).sin() + (minute % 7) as f64 * 0.01;
            for (i, key) in keys.iter().enumerate().take(5) {
                if i < 2 && (600..720).contains(&minute) {
                    continue;
                }
                let drift = if i == 2 { minute as f64 / 1440.0 } else { 0.0 };
                let quality = if i == 3 && minute % 10 == 0 { Quality::BadSensor } else { Quality::Good };
                let arrival = time.plus_seconds(1.0);
                samples.push((*key, Stored { time, arrival, value: 294.15 + wave + drift, quality, code: 0 }));
            }
            for (key, value) in keys[6..].iter().zip([294.15 + wave - minute as f64 / 720.0, 293.65 + wave]) {
                if minute % 5 == 0 {
                    samples.push((*key, Stored { time, arrival: time, value, quality: Quality::Simulated, code: 0 }));
                }
            }
        }
        history.append(&samples).unwrap();
        let reader = history.reader().unwrap();
        let known = reader.points().unwrap();
        let span = Span { from: Time(0), to: Time(2 * 86_400_000) };
        let mut steps = 0;
        let report = of_site(reader.as_ref(), &of_history(&known), span, |_| {
            steps += 1;
            true
        });
        let report = report.unwrap().unwrap();
        assert_eq!((report.span.from, steps), (Time(3_600_000), 12));
        let flaws: Vec<(&str, &[Flaw])> = report.points.iter().map(|r| (r.id.as_str(), r.flaws.as_slice())).collect();
        let expected: [(&str, &[Flaw]); 6] = [
            ("E/t", &[Flaw::Silent]),
            ("A/t", &[Flaw::Gaps]),
            ("A/u", &[Flaw::Gaps, Flaw::Departs]),
            ("C/t", &[Flaw::Bad]),
            ("B/t", &[Flaw::Drifts]),
            ("D/t", &[]),
        ];
        let (mut found, mut wanted) = (flaws.clone(), expected.to_vec());
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
        assert_eq!((flaws[0].0, flaws[1].0, flaws[5].0), ("E/t", "A/t", "D/t"));
        let of = |id: &str| report.devices.iter().find(|d| d.id == id).unwrap();
        assert_eq!(of("A").offline, [Gap { from: Time(599 * 60_000), to: Time(720 * 60_000) }]);
        assert!(of("E").online == 0.0 && of("B").online == 1.0 && of("A").points == 2);
        let drift = report.points.iter().find(|r| r.id == "B/t").unwrap().drift.unwrap();
        assert!((drift.per_day - 1.0).abs() < 0.01, "{drift:?}");
        let twin = |id: &str| report.points.iter().find(|r| r.id == id).unwrap().twin;
        let departs = twin("A/u").unwrap();
        assert!((departs.per_day - 2.0).abs() < 0.02 && departs.drifts, "{departs:?}");
        let stays = twin("D/t").unwrap();
        assert!((stays.offset - 0.5).abs() < 0.02 && !stays.drifts && twin("B/t").is_none(), "{stays:?}");
        assert!(of_site(reader.as_ref(), &of_history(&known), span, |_| false).unwrap().is_none());
    }
}
