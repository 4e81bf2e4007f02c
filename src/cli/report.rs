//! What a run has come to, as `plenum run` and `plenum demo` print it.

use super::live::Live;
use super::record::HistoryRow;
use crate::problem::Problem;
use crate::simulation::building::accuracy::Score;
use crate::simulation::emulator::InjectedFault;
use crate::telemetry::WireStats;
use crate::twin::flow::{self, NetworkRow};
use crate::twin::health::HealthCounts;
use crate::twin::summary::{AlarmRow, Summary, summary};
use bevy::prelude::World;
use serde::Serialize;

/// The report's JSON document.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How long it ran, wall seconds.
    pub seconds: f64,
    /// How long it took until it was ready to take samples, wall seconds.
    pub ready_seconds: f64,
    /// How long it took until the first picture with all of the site in it, wall seconds; none without a window.
    pub first_picture_seconds: Option<f64>,
    /// Elements of the models.
    pub elements: usize,
    /// Points of the project, measured and computed.
    pub points: usize,
    /// Points that a topic feeds.
    pub bound_points: usize,
    /// The broker.
    pub broker: String,
    /// Samples, counted from end to end.
    pub samples: Samples,
    /// The history; none where none is kept.
    pub history: Option<HistoryRow>,
    /// Faults that were put into the emulated building.
    pub faults: Vec<InjectedFault>,
    /// Points by health.
    pub health: HealthCounts,
    /// Alarms that are not over.
    pub alarms: Vec<AlarmRow>,
    /// Findings: what the fault detection says, once there is one.
    pub findings: Vec<serde_json::Value>,
    /// Flow networks, solved beside the live data.
    pub networks: Vec<NetworkRow>,
    /// How near all of them together come to what is measured.
    pub accuracy: Score,
    /// What could not be read or joined.
    pub problems: Vec<Problem>,
}

/// How long things took, wall seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ran {
    /// See [`Report::seconds`].
    pub seconds: f64,
    /// See [`Report::ready_seconds`].
    pub ready_seconds: f64,
    /// See [`Report::first_picture_seconds`].
    pub first_picture_seconds: Option<f64>,
}

impl Report {
    /// Reads the twin and its connection; without one nothing came in.
    pub fn of(world: &World, live: Option<&Live>, ran: Ran, mut problems: Vec<Problem>) -> Self {
        problems.extend(live.map(Live::wire_problems).unwrap_or_default());
        problems.extend(flow::problems(world));
        let summary = summary(world);
        Self {
            seconds: ran.seconds,
            ready_seconds: ran.ready_seconds,
            first_picture_seconds: ran.first_picture_seconds,
            elements: summary.elements,
            points: summary.points,
            bound_points: summary.bound_points,
            broker: live.map(|l| l.connection.broker.clone()).unwrap_or_default(),
            samples: live.map(|l| l.samples(&summary)).unwrap_or_default(),
            history: live.and_then(Live::history),
            faults: live.map(Live::faults).unwrap_or_default(),
            health: summary.health,
            alarms: summary.alarms,
            findings: Vec::new(),
            networks: summary.networks,
            accuracy: summary.accuracy,
            problems,
        }
    }
}

/// Samples, counted from the device's socket to the twin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Samples {
    /// Counted by the emulator at its socket; none where somebody else publishes.
    pub published: Option<u64>,
    /// Came off the wire; one that came twice is counted once.
    pub received: u64,
    /// Published after the last one received.
    pub in_flight: Option<u64>,
    /// At rest in the history, one that came twice counted once; none where none is kept.
    pub stored: Option<u64>,
    /// Values and payloads that could not be read.
    pub rejected: u64,
    /// Older than the one before them.
    pub late: u64,
    /// Came more than once.
    pub duplicate: u64,
    /// Published, not in flight and never received; none where nobody can tell.
    pub lost: Option<u64>,
}

impl Samples {
    /// The contract's sum.
    ///
    /// `published` is what an emulator of this program counted, with the id it publishes under. What
    /// came after the last number heard from it is in flight; what is missing before is lost, and so is what
    /// was dropped in front of a twin that was too far behind.
    pub fn count(wire: &WireStats, summary: &Summary, published: Option<(&str, u64)>) -> Self {
        let received = wire.values.saturating_sub(wire.publishers.duplicate()).saturating_sub(wire.overflow);
        let mut samples = Self {
            received,
            rejected: wire.rejected,
            late: summary.intake.late,
            duplicate: summary.intake.duplicate + wire.publishers.duplicate(),
            lost: wire.lost(),
            ..Self::default()
        };
        if let Some((id, published)) = published {
            let ours = wire.publishers.get(id);
            let heard = ours.map_or(0, |p| p.next);
            let in_flight = published.saturating_sub(heard);
            samples.published = Some(published);
            samples.in_flight = Some(in_flight);
            // What others publish is received too, and must not fill the gaps of ours.
            let missing = ours.map_or(0, |p| p.lost).saturating_add(wire.overflow);
            samples.lost = Some(published.saturating_sub(received + in_flight).max(missing));
        }
        samples
    }
}
