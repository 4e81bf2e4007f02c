//! How a new revision stands against the old one as a whole: turned about the vertical, and shifted.
//!
//! Movements are proposed by elements that can be told apart in both (GlobalId, tag, name, shape) and judged by
//! how many elements they bring onto one of their kind. One that a different movement explains as well is not
//! taken to be known: a symmetric building without names can stand either way round.

use super::facts::{Body, Facts};
use glam::{DAffine3, DMat3, DVec2, DVec3};
use std::collections::{BTreeMap, HashSet};

/// Elements agree about a movement that brings them this near to each other, metres.
const AGREE_M: f64 = 0.05;
/// Movements that differ by less than this anywhere in the model are one, metres.
const SAME_M: f64 = 0.02;
/// Movements that differ by more than this somewhere are rivals, metres.
const RIVAL_M: f64 = 0.2;
/// A movement that is less than this everywhere is none, metres.
const STILL_M: f64 = 0.002;
/// How many elements judge a movement.
const JUDGES: usize = 200;

/// A movement of a whole model: turned about the vertical through the origin, then shifted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Motion {
    /// Counter-clockwise seen from above, radians.
    pub turn_rad: f64,
    /// Metres.
    pub offset_m: DVec3,
}

impl Motion {
    /// Where a place of the old revision is in the new one.
    pub fn apply(&self, place: DVec3) -> DVec3 {
        self.rotation() * place + self.offset_m
    }

    /// The turn alone.
    pub fn rotation(&self) -> DMat3 {
        DMat3::from_rotation_z(self.turn_rad)
    }

    /// True where nothing moved.
    pub fn is_still(&self) -> bool {
        *self == Self::default()
    }

    /// As a transform.
    pub fn to_affine(&self) -> DAffine3 {
        DAffine3 { matrix3: self.rotation(), translation: self.offset_m }
    }

    /// The movement with a turn that takes one place to another.
    fn through(turn_rad: f64, from: DVec3, to: DVec3) -> Self {
        Self { turn_rad, offset_m: to - DMat3::from_rotation_z(turn_rad) * from }
    }
}

/// What is known of the movement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) motion: Motion,
    /// True when enough elements agree about it and about no other.
    pub(super) known: bool,
}

/// Finds the movement from `old` to `new`.
pub(super) fn find(old: &Facts<'_>, new: &Facts<'_>) -> Found {
    let anchors = anchors(old, new);
    let Some(mut judges) = Judges::new(old, new, &anchors) else {
        return Found { motion: Motion::default(), known: false };
    };
    judges.hear(Motion::default());
    for motion in proposals(&anchors) {
        judges.hear(motion);
    }
    // Without names that agree, another way to stand may fit as well.
    if judges.best().score < 1.5 {
        for motion in by_shape(old, new) {
            judges.hear(motion);
        }
    }
    let found = judges.verdict();
    let motion = settle(judges.refine(found.motion, &anchors), &judges.corners);
    Found { motion, ..found }
}

type Anchor = (Body, Body);

/// Elements that something singles out in both revisions. Some of these pairs may be wrong.
fn anchors(old: &Facts<'_>, new: &Facts<'_>) -> Vec<Anchor> {
    let mut pairs: HashSet<(u32, u32)> = HashSet::new();
    let mut both = |a: Vec<(u32, u32)>| pairs.extend(a);
    both(shared(old, new, |f, i| f.id(i)));
    both(shared(old, new, |f, i| f.tag(i)));
    both(shared(old, new, |f, i| {
        let e = f.side.element(i)?;
        (!e.name.is_empty()).then_some((&e.class, &e.name, &e.type_name))
    }));
    both(shared(old, new, looks));
    let mut pairs: Vec<(u32, u32)> = pairs.into_iter().collect();
    pairs.sort_unstable();
    pairs.into_iter().filter_map(|(a, b)| Some((*old.body(a)?, *new.body(b)?))).collect()
}

/// Elements that a key singles out in both revisions.
fn shared<'a, K: Eq + std::hash::Hash>(
    old: &Facts<'a>,
    new: &Facts<'a>,
    key: impl Fn(&Facts<'a>, u32) -> Option<K>,
) -> Vec<(u32, u32)> {
    let there = new.unique(|i| key(new, i));
    let here = old.unique(|i| key(old, i));
    here.into_iter().filter_map(|(k, a)| Some((a, *there.get(&k)?))).collect()
}

/// Class, type and shape, in steps.
fn looks<'a>(facts: &Facts<'a>, element: u32) -> Option<(&'a str, &'a str, usize, i64)> {
    let (e, body) = (facts.side.element(element)?, facts.body(element)?);
    Some((e.class.as_str(), e.type_name.as_str(), body.triangles, (body.area * 1000.0).round() as i64))
}

/// How far a body was turned about the vertical, by the frames of its two meshes; none when it was tilted.
fn turn_of((a, b): &Anchor) -> Option<f64> {
    let turn = b.turn * a.turn.inverse();
    (turn.is_finite() && (turn.z_axis - DVec3::Z).length() < 0.01).then(|| turn.x_axis.y.atan2(turn.x_axis.x))
}

const QUARTERS: [f64; 4] = [0.0, std::f64::consts::FRAC_PI_2, std::f64::consts::PI, -std::f64::consts::FRAC_PI_2];

/// Movements that the anchors propose: each by itself, all together for quarter turns, and two by two.
fn proposals(anchors: &[Anchor]) -> Vec<Motion> {
    let step = anchors.len().div_ceil(40).max(1);
    let mut motions: Vec<Motion> = anchors
        .iter()
        .step_by(step)
        .filter_map(|pair| Some(Motion::through(turn_of(pair)?, pair.0.place, pair.1.place)))
        .collect();
    for turn in QUARTERS {
        let offsets: Vec<DVec3> =
            anchors.iter().map(|(a, b)| Motion::through(turn, a.place, b.place).offset_m).collect();
        let median = |axis: fn(&DVec3) -> f64| {
            let mut all: Vec<f64> = offsets.iter().map(axis).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        if let (Some(x), Some(y), Some(z)) = (median(|o| o.x), median(|o| o.y), median(|o| o.z)) {
            motions.push(Motion { turn_rad: turn, offset_m: DVec3::new(x, y, z) });
        }
    }
    // Any two of them, by a fixed sequence: the same files give the same result.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        anchors.get((state >> 33) as usize % anchors.len().max(1))
    };
    for _ in 0..120 {
        let (Some(p), Some(q)) = (next(), next()) else { break };
        let (before, after) = (q.0.place - p.0.place, q.1.place - p.1.place);
        let flat = |v: DVec3| DVec2::new(v.x, v.y);
        if flat(before).length() > 0.5 && (before.length() - after.length()).abs() < AGREE_M {
            let turn = flat(before).angle_to(flat(after));
            motions.push(Motion::through(turn, p.0.place, p.1.place));
        }
    }
    motions
}

/// Movements proposed by elements of rare looks, where nothing else can be told apart.
fn by_shape(old: &Facts<'_>, new: &Facts<'_>) -> Vec<Motion> {
    let mut groups: BTreeMap<(&str, &str, usize, i64), (Vec<Body>, Vec<Body>)> = BTreeMap::new();
    for (facts, of_new) in [(old, false), (new, true)] {
        for (i, _) in facts.side.iter() {
            let (Some(key), Some(body)) = (looks(facts, i), facts.body(i)) else { continue };
            let (a, b) = groups.entry(key).or_default();
            if of_new { b.push(*body) } else { a.push(*body) }
        }
    }
    let mut groups: Vec<_> = groups.into_values().filter(|(a, b)| !a.is_empty() && !b.is_empty()).collect();
    groups.sort_by_key(|(a, b)| a.len() * b.len());
    let pairs = groups.iter().flat_map(|(a, b)| a.iter().flat_map(move |a| b.iter().map(move |b| (*a, *b))));
    pairs
        .take(60)
        .flat_map(|pair| {
            let turns = turn_of(&pair).into_iter().chain(QUARTERS);
            turns.map(move |turn| Motion::through(turn, pair.0.place, pair.1.place))
        })
        .collect()
}

/// Those who judge a movement.
struct Judges<'a> {
    new: &'a Facts<'a>,
    anchors: Vec<Anchor>,
    /// Places of the old revision with their class.
    sample: Vec<(Body, &'a str)>,
    /// Of the old revision.
    corners: Vec<DVec3>,
    heard: Vec<Judged>,
}

#[derive(Clone, Copy, Default)]
struct Judged {
    motion: Motion,
    /// Share of the anchors that agree plus share of the sample that lands on its kind: 0 to 2.
    score: f64,
    /// How many anchors agree, or how many of the sample land: the greater of both.
    many: usize,
}

impl<'a> Judges<'a> {
    /// None where nothing has a place.
    fn new(old: &'a Facts<'a>, new: &'a Facts<'a>, anchors: &[Anchor]) -> Option<Self> {
        let placed: Vec<(Body, &str)> =
            old.side.iter().filter_map(|(i, e)| Some((*old.body(i)?, e.class.as_str()))).collect();
        let extent = crate::shape::Aabb::around(placed.iter().map(|(b, _)| b.place))?;
        let sample = placed.iter().step_by(placed.len().div_ceil(JUDGES).max(1)).copied().collect();
        let anchors = anchors.iter().step_by(anchors.len().div_ceil(2 * JUDGES).max(1)).copied().collect();
        Some(Self { new, anchors, sample, corners: extent.corners().to_vec(), heard: Vec::new() })
    }

    /// How far two movements are apart where they are furthest.
    fn apart(&self, a: &Motion, b: &Motion) -> f64 {
        self.corners.iter().map(|c| (a.apply(*c) - b.apply(*c)).length()).fold(0.0, f64::max)
    }

    fn hear(&mut self, motion: Motion) {
        let known = |j: &Judged| self.apart(&j.motion, &motion) < SAME_M;
        if !(motion.offset_m.is_finite() && motion.turn_rad.is_finite()) || self.heard.iter().any(known) {
            return;
        }
        let agree = self.anchors.iter().filter(|(a, b)| (motion.apply(a.place) - b.place).length() < AGREE_M).count();
        let lands = |(body, class): &&(Body, &str)| {
            let same = |i: u32| self.new.side.element(i).is_some_and(|e| e.class == *class);
            self.new.near(motion.apply(body.place), AGREE_M).any(|(i, _)| same(i))
        };
        let landed = self.sample.iter().filter(lands).count();
        let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
        let score = share(agree, self.anchors.len()) + share(landed, self.sample.len());
        self.heard.push(Judged { motion, score, many: agree.max(landed) });
    }

    /// The first of those with the highest score: standing still is heard first.
    fn best(&self) -> Judged {
        let better = |best: Judged, j: &Judged| if j.score > best.score { *j } else { best };
        self.heard.iter().fold(Judged::default(), better)
    }

    fn verdict(&self) -> Found {
        let mut best = self.best();
        if !best.motion.is_still() && best.many < 3 {
            // Two elements that moved are two elements that moved.
            best = self.heard.iter().find(|j| j.motion.is_still()).copied().unwrap_or_default();
        }
        let rival = self.heard.iter().filter(|j| self.apart(&j.motion, &best.motion) > RIVAL_M);
        let rival = rival.map(|j| j.score).fold(0.0, f64::max);
        Found { motion: best.motion, known: best.score >= 0.3 && rival <= 0.8 * best.score }
    }

    /// The same movement by least squares over everything that agrees.
    fn refine(&self, mut motion: Motion, anchors: &[Anchor]) -> Motion {
        for reach in [AGREE_M, AGREE_M, 0.01] {
            let mut pairs: Vec<(DVec3, DVec3)> = anchors.iter().map(|(a, b)| (a.place, b.place)).collect();
            for (body, _) in &self.sample {
                let alike = |i: &u32| self.new.body(*i).is_some_and(|b| b.alike(body, 0.02, 0.005));
                let near = self.new.near(motion.apply(body.place), reach).filter(|(i, _)| alike(i));
                let nearest = near.min_by(|a, b| a.1.total_cmp(&b.1)).and_then(|(i, _)| self.new.body(i));
                pairs.extend(nearest.map(|b| (body.place, b.place)));
            }
            pairs.retain(|(a, b)| (motion.apply(*a) - *b).length() < reach);
            if pairs.len() >= 3 {
                motion = least_squares(motion, &pairs);
            }
        }
        motion
    }
}

/// The movement that brings one list of places nearest to the other (Kabsch in the plane; heights by their mean).
fn least_squares(before: Motion, pairs: &[(DVec3, DVec3)]) -> Motion {
    let n = pairs.len() as f64;
    let from = pairs.iter().map(|p| p.0).sum::<DVec3>() / n;
    let to = pairs.iter().map(|p| p.1).sum::<DVec3>() / n;
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (*a - from, *b - to);
        sine += a.x * b.y - a.y * b.x;
        cosine += a.x * b.x + a.y * b.y;
    }
    // On a vertical line nothing tells the turn.
    let turn = if sine.hypot(cosine) > 1e-6 { sine.atan2(cosine) } else { before.turn_rad };
    Motion::through(turn, from, to)
}

/// A whole number of quarter turns, or none at all, where that makes no difference.
fn settle(motion: Motion, corners: &[DVec3]) -> Motion {
    let far = |a: &Motion, b: &Motion| corners.iter().map(|c| (a.apply(*c) - b.apply(*c)).length()).fold(0.0, f64::max);
    if far(&motion, &Motion::default()) < STILL_M {
        return Motion::default();
    }
    let middle = corners.iter().sum::<DVec3>() / corners.len().max(1) as f64;
    let quarters = QUARTERS.map(|turn| Motion::through(turn, middle, motion.apply(middle)));
    quarters.into_iter().find(|q| far(q, &motion) < STILL_M).unwrap_or(motion)
}
