//! Emulator and judgement together, as they meet over the wire: samples a minute apart, devices one after
//! the other, and nothing else.

use super::control::hash;
use super::fixture;
use super::{Emulator, FaultKind, FaultSpec, Settings};
use crate::analytics::expression::{Bound, Expression, Input, Name, Outcome};
use crate::site::point::{Check, PointSource};
use crate::site::{PointIndex, Site, Slot};
use crate::time::Time;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Unknown,
    Good,
    Stale,
    Warning,
    Critical,
}

struct Watched {
    state: State,
    pending: Option<(State, Time)>,
    value: f64,
    seen: Option<Time>,
}

struct Judge<'a> {
    site: &'a Site,
    watched: Vec<Watched>,
    rules: Vec<(usize, Bound)>,
    offsets: Vec<u64>,
    trouble: BTreeMap<String, (State, Time, f64)>,
    extremes: BTreeMap<String, (f64, f64)>,
}

fn bind(site: &Site, asset: Slot, name: &Name) -> Option<Input> {
    let element = site.element(asset)?;
    let at = |host: bool| if host { element.host.or(element.part_of).map(Slot) } else { Some(asset) };
    match name {
        Name::Role { host, role } => {
            let slot = at(*host)?;
            let i = site.points.iter().position(|p| p.asset == slot && p.role == *role)?;
            Some(Input::Point(PointIndex(i as u32)))
        }
        Name::Property { host, name } => {
            let e = site.element(at(*host)?)?;
            let all = e.properties.iter().flat_map(|s| &s.values);
            all.filter(|(n, _)| n == name).find_map(|(_, v)| v.as_f64()).map(Input::Constant)
        }
    }
}

impl<'a> Judge<'a> {
    fn new(site: &'a Site) -> Self {
        let mut rules = Vec::new();
        for (i, point) in site.points.iter().enumerate() {
            if let PointSource::Rule { expression } = &point.source {
                let compiled = Expression::compile(expression).unwrap_or_else(|e| panic!("{}: {e}", point.id));
                match compiled.bind(|n| bind(site, point.asset, n)) {
                    Ok(bound) => rules.push((i, bound)),
                    Err(name) => panic!("{}: {name}", point.id),
                }
            }
        }
        let watched =
            site.points.iter().map(|_| Watched { state: State::Unknown, pending: None, value: f64::NAN, seen: None });
        let offsets = site.points.iter().map(|p| hash(&site.elements[p.asset.0 as usize].tag) % 12).collect();
        Self { site, watched: watched.collect(), rules, offsets, trouble: BTreeMap::new(), extremes: BTreeMap::new() }
    }

    /// A minute of the building's time.
    fn minute(&mut self, emulator: &mut Emulator) {
        for slice in 0..12 {
            emulator.step(5.0);
            let now = emulator.now();
            for i in 0..self.site.points.len() {
                if self.offsets[i] != slice {
                    continue;
                }
                if let Some(value) = emulator.read(PointIndex(i as u32)) {
                    let (expected, id) = (self.site.points[i].expected, &self.site.points[i].id);
                    let [low, high] = expected.unwrap_or([f64::MIN, f64::MAX]);
                    assert!(value >= low - 1e-9 && value <= high + 1e-9, "{id} is {value} at {now}");
                    (self.watched[i].value, self.watched[i].seen) = (value, Some(now));
                    self.judge(i, now);
                }
            }
        }
        let now = emulator.now();
        for r in 0..self.rules.len() {
            let (i, bound) = &mut self.rules[r];
            let i = *i;
            let values: Vec<f64> = bound.inputs().iter().map(|p| self.watched[p.0 as usize].value).collect();
            if let Outcome::Value(value) = bound.evaluate(&values, now) {
                (self.watched[i].value, self.watched[i].seen) = (value, Some(now));
                let kind = self.site.points[i].role.clone();
                let e = self.extremes.entry(kind).or_insert((f64::MAX, f64::MIN));
                *e = (e.0.min(value), e.1.max(value));
            }
        }
        for i in 0..self.watched.len() {
            if self.watched[i].seen.is_some() {
                self.judge(i, now);
            }
        }
    }

    fn judge(&mut self, i: usize, now: Time) {
        let point = &self.site.points[i];
        let w = &mut self.watched[i];
        let stale = matches!(point.source, PointSource::Topic { .. })
            && w.seen.is_some_and(|t| now.seconds_since(t) > point.stale_after_s);
        let check = point.check.unwrap_or_default();
        let next = if stale { State::Stale } else { classify(&check, w.value, w.state) };
        if next == w.state {
            w.pending = None;
            return;
        }
        let since = match w.pending {
            Some((state, since)) if state == next || (state >= State::Warning && next >= State::Warning) => since,
            _ => now,
        };
        w.pending = Some((next, since));
        if now.seconds_since(since) >= check.confirm_s
            || next == State::Stale
            || w.state == State::Unknown && next == State::Good
        {
            w.state = next;
            w.pending = None;
            if next > State::Good {
                let e = self.trouble.entry(point.id.clone()).or_insert((next, now, w.value));
                e.0 = e.0.max(next);
            }
        }
    }
}

fn classify(check: &Check, value: f64, state: State) -> State {
    let h = |s: State| if state >= s && state != State::Stale { check.hysteresis } else { 0.0 };
    let over = |limit: Option<f64>, s| limit.is_some_and(|l| value > l - h(s));
    let under = |limit: Option<f64>, s| limit.is_some_and(|l| value < l + h(s));
    if over(check.critical_above, State::Critical) || under(check.critical_below, State::Critical) {
        State::Critical
    } else if over(check.warning_above, State::Warning) || under(check.warning_below, State::Warning) {
        State::Warning
    } else {
        State::Good
    }
}

fn week(site: &Site, seed: u64, start: &str) -> BTreeMap<String, (State, Time, f64)> {
    let clock = std::time::Instant::now();
    let (mut emulator, _) = Emulator::new(site, Settings { seed, start: Time::parse(start).unwrap() });
    let mut judge = Judge::new(site);
    for _ in 0..7 * 1440 {
        judge.minute(&mut emulator);
    }
    println!("seed {seed} {start} {:.1} s: {} in trouble", clock.elapsed().as_secs_f64(), judge.trouble.len());
    for (id, (state, at, value)) in &judge.trouble {
        println!("    {id} {state:?} at {at} ({value})");
    }
    for (rule, (low, high)) in &judge.extremes {
        println!("    {rule} {low:.3} … {high:.3}");
    }
    judge.trouble
}

#[test]
#[ignore = "long"]
fn weeks() {
    let site = fixture::clinic();
    let mut trouble = 0;
    for seed in 1..=5 {
        for start in [super::DEFAULT_START, "2026-01-12T00:00:00Z", "2026-07-13T00:00:00Z"] {
            trouble += week(&site, seed, start).len();
        }
    }
    assert_eq!(trouble, 0);
}

/// Minutes until the faulty asset shows something after the fault, if it does within three hours.
fn minutes_to_detection(
    site: &Site,
    seed: u64,
    kind: FaultKind,
    start: Time,
) -> (String, Option<(f64, String)>, usize) {
    let (mut emulator, _) = Emulator::new(site, Settings { seed, start });
    let mut judge = Judge::new(site);
    for _ in 0..20 {
        judge.minute(&mut emulator);
    }
    let fault = FaultSpec { kind, asset: None, severity: 1.0, at_s: 20.0 };
    let now = emulator.now();
    let injected = emulator.inject(&fault, now).unwrap();
    let asset = site.iter().find(|(_, e)| e.id == injected.asset).unwrap().0;
    let tag = site.element(asset).unwrap().tag.clone();
    let mut found = None;
    for _ in 0..180 {
        judge.minute(&mut emulator);
        found = (site.points.iter().zip(&judge.watched))
            .find(|(p, w)| p.asset == asset && w.state > State::Good)
            .map(|(p, w)| (emulator.now().seconds_since(now) / 60.0, format!("{} {:?}", p.role, w.state)));
        if found.is_some() {
            break;
        }
    }
    let elsewhere = judge.trouble.keys().filter(|id| !id.starts_with(&tag)).count();
    (tag, found, elsewhere)
}

#[test]
#[ignore = "long"]
fn matrix() {
    let site = fixture::clinic();
    let start = std::env::var("START").ok().and_then(|t| Time::parse(&t)).unwrap_or(Settings::of_seed(1).start);
    for kind in FaultKind::ALL {
        let mut line = format!("{:16}", kind.name());
        for seed in 1..=24 {
            let (tag, found, elsewhere) = minutes_to_detection(&site, seed, kind, start);
            match found {
                Some((minutes, what)) => line += &format!(" {tag}:{minutes:.0}[{what}]+{elsewhere}"),
                None => line += &format!(" {tag}:NEVER+{elsewhere}"),
            }
        }
        println!("{line}");
    }
}
