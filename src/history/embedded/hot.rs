//! What is kept and not sealed yet, in memory.

use crate::history::{PointInfo, PointKey, Stored};
use std::collections::HashMap;

/// The points, and their samples that are only in the journal.
#[derive(Default)]
pub(super) struct Hot {
    /// By key.
    pub points: Vec<HotPoint>,
    by_id: HashMap<String, PointKey>,
    /// Samples of all points.
    pub waiting: usize,
}

/// A point.
#[derive(Default)]
pub(super) struct HotPoint {
    /// What it is.
    pub info: PointInfo,
    /// Its samples since its last sealing, as they came.
    pub samples: Vec<Stored>,
    /// The batch of the first of them; meaningless without any.
    pub oldest: i64,
    /// Up to this batch its samples are in segments.
    pub sealed: i64,
    /// The one with the latest device time, sealed or not.
    pub latest: Option<Stored>,
    /// Samples that make a segment. The first one is shorter, by a different length each, so that points which
    /// report together are not all full together.
    pub enough: usize,
}

impl Hot {
    pub fn key(&self, id: &str) -> Option<PointKey> {
        self.by_id.get(id).copied()
    }

    pub fn point(&self, key: PointKey) -> Option<&HotPoint> {
        self.points.get(key.0 as usize)
    }

    pub fn point_mut(&mut self, key: PointKey) -> Option<&mut HotPoint> {
        self.points.get_mut(key.0 as usize)
    }

    /// Takes a point over; keys come in order.
    pub fn put(&mut self, key: PointKey, info: PointInfo, segment: usize) {
        let at = key.0 as usize;
        if self.points.len() <= at {
            self.points.resize_with(at + 1, HotPoint::default);
        }
        self.by_id.insert(info.id.clone(), key);
        if let Some(point) = self.points.get_mut(at) {
            if point.enough == 0 {
                let spread = (key.0 as usize).wrapping_mul(2_654_435_761) % (segment / 2 + 1);
                point.enough = (segment - spread).max(1);
            }
            point.info = info;
        }
    }

    /// Takes a sample of a batch; true when the point has now enough of them for the first time.
    pub fn push(&mut self, key: PointKey, sample: Stored, batch: i64) -> bool {
        let Some(point) = self.points.get_mut(key.0 as usize) else { return false };
        if point.samples.is_empty() {
            point.oldest = batch;
        }
        point.samples.push(sample);
        point.learn(sample);
        self.waiting += 1;
        point.samples.len() == point.enough
    }
}

impl HotPoint {
    /// Takes note of what may be the newest sample.
    pub fn learn(&mut self, sample: Stored) {
        self.latest = Some(match self.latest {
            Some(known) if known.time > sample.time => known,
            Some(known) if known.time == sample.time => known.or(sample),
            _ => sample,
        });
    }
}
