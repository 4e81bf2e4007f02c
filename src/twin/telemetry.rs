//! Samples become components: the last value of each point and a short trend.
//!
//! Three systems in a row: [`Inlet`] is drained into [`Fresh`], `twin::rules` adds what it computes,
//! and what is fresh is written to [`LiveValue`] and [`Trend`].

use super::clock::TwinClock;
use super::replay::{Restore, Rewound};
use super::scene::{Scene, SiteOpened};
use crate::Step;
use crate::history::Stored;
use crate::quality::Quality;
use crate::site::PointIndex;
use crate::site::revision::Carry;
use crate::telemetry::{Arrival, Sample};
use crate::time::Time;
use bevy::prelude::*;
use crossbeam_channel::{Receiver, TryRecvError};
use std::collections::VecDeque;

/// The last value of a point. Values are SI.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct LiveValue {
    /// The value; meaningless while `device_time` is none.
    pub value: f64,
    /// How far it can be trusted.
    pub quality: Quality,
    /// When the device measured it; none: never heard of.
    pub device_time: Option<Time>,
    /// When it arrived, by this machine's clock.
    pub arrival: Option<Time>,
}

/// The recent past of a point, oldest first, in bounded memory: when it is full, every second sample
/// goes and the spacing doubles, until it spans [`TREND_SPAN_S`]; then the oldest go.
#[derive(Component, Clone, Debug)]
pub struct Trend {
    /// Device time and value, SI.
    pub samples: VecDeque<(Time, f64)>,
    spacing_s: f64,
}

/// How many samples a [`Trend`] keeps at most.
pub const TREND_LENGTH: usize = 512;

/// How far back a [`Trend`] reaches once it is full, seconds.
pub const TREND_SPAN_S: f64 = 24.0 * 3600.0;

impl Default for Trend {
    fn default() -> Self {
        // The whole room at once: memory does not grow while the twin runs.
        Self { samples: VecDeque::with_capacity(TREND_LENGTH), spacing_s: 0.0 }
    }
}

impl Trend {
    /// Takes a sample; one too close to the one before the last replaces the last.
    pub fn push(&mut self, time: Time, value: f64) {
        let n = self.samples.len();
        if let (true, Some(before)) = (n >= 2, n.checked_sub(2).and_then(|i| self.samples.get(i)))
            && time.seconds_since(before.0) < self.spacing_s
            && let Some(last) = self.samples.back_mut()
        {
            *last = (time, value);
            return;
        }
        if n == TREND_LENGTH {
            let full_spacing = TREND_SPAN_S / TREND_LENGTH as f64;
            if self.spacing_s < full_spacing {
                self.thin();
            } else {
                self.samples.pop_front();
            }
        }
        self.samples.push_back((time, value));
    }

    fn thin(&mut self) {
        let span = match (self.samples.front(), self.samples.back()) {
            (Some(first), Some(last)) => last.0.seconds_since(first.0),
            _ => 0.0,
        };
        self.spacing_s = (self.spacing_s * 2.0).max(2.0 * span / TREND_LENGTH as f64);
        let mut keep = false;
        self.samples.retain(|_| {
            keep = !keep;
            keep
        });
    }
}

/// Where samples come in; none while nothing is connected.
#[derive(Resource)]
pub struct Inlet(pub Receiver<Arrival>);

/// The samples of this tick, in the order they came, measured and computed.
#[derive(Resource, Clone, Debug, Default)]
pub struct Fresh(pub Vec<Sample>);

/// What is taken in place of what arrives, while the twin shows another time than now (see [`super::replay`]).
#[derive(Resource, Default)]
pub(super) struct InPlace {
    /// In the order in which they are taken, all in the next tick; none while what arrives is taken.
    pub samples: Option<Vec<Sample>>,
    /// What arrives meanwhile is counted and let go: the history has it. False while the last of it is awaited.
    pub lets_go: bool,
    /// The clock as it would be.
    pub clock: TwinClock,
}

/// What came in, counted.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// Samples taken over.
    pub samples: u64,
    /// Samples older than the one before them.
    pub late: u64,
    /// Samples with the device time of the one before them.
    pub duplicate: u64,
    /// Samples outside their point's expected range.
    pub out_of_range: u64,
}

/// At most this many samples are taken in one tick, so that a flood cannot stop the picture.
pub const SAMPLES_A_TICK: usize = 50_000;

/// Where samples still arrive that were read before the site became another state of itself, oldest first: their points
/// have the numbers of then. Each ends before the first sample of the next comes.
#[derive(Resource, Default)]
struct Earlier(VecDeque<Queue>);

struct Queue {
    arrivals: Receiver<Arrival>,
    /// By the number of then: the number now.
    points: Vec<Option<PointIndex>>,
}

/// What is known of the points of a site from its history when it is opened: shown until something fresh comes.
#[derive(Resource, Clone, Debug, Default)]
pub struct LastKnown {
    /// By point: the newest sample there was.
    pub latest: Vec<Option<Stored>>,
    /// By point: what came before, oldest first.
    pub trends: Vec<Vec<(Time, f64)>>,
}

impl LastKnown {
    fn live(&self, point: usize) -> LiveValue {
        let Some(stored) = self.latest.get(point).copied().flatten() else { return LiveValue::default() };
        LiveValue {
            value: stored.value,
            // What was bad is not better for being old.
            quality: stored.quality.max(Quality::UncertainLastKnown),
            device_time: Some(stored.time),
            arrival: Some(stored.arrival),
        }
    }

    fn trend(&self, point: usize) -> Trend {
        let mut trend = Trend::default();
        let samples = self.trends.get(point).into_iter().flatten();
        samples.for_each(|(time, value)| trend.push(*time, *value));
        trend
    }
}

/// By point: the device time of the last sample that was taken.
#[derive(Resource, Default)]
struct LastTaken(Vec<Option<Time>>);

/// Where `twin::rules` adds computed samples to [`Fresh`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compute;

/// Drains [`Inlet`] into [`Fresh`], [`LiveValue`] and [`Trend`].
pub struct TelemetryPlugin;

impl Plugin for TelemetryPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Intake>()
            .init_resource::<Fresh>()
            .init_resource::<LastTaken>()
            .init_resource::<Earlier>()
            .init_resource::<InPlace>()
            .configure_sets(Update, Compute.in_set(Step::Ingest))
            .add_systems(
                Update,
                (prepare_points, drain.before(Compute), write.after(Compute)).chain().in_set(Step::Ingest),
            );
    }
}

fn prepare_points(
    mut opened: MessageReader<SiteOpened>,
    mut rewound: MessageReader<Rewound>,
    scene: Option<Res<Scene>>,
    mut last: ResMut<LastTaken>,
    mut earlier: ResMut<Earlier>,
    known: Option<Res<LastKnown>>,
    mut commands: Commands,
) {
    let another = opened.read().any(SiteOpened::is_another);
    if !another && rewound.read().count() == 0 {
        return;
    }
    let Some(scene) = scene else { return };
    if another {
        earlier.0.clear();
    }
    last.0 = vec![None; scene.points.len()];
    for (i, entity) in scene.points.iter().enumerate() {
        let (live, trend) = known.as_ref().map(|k| (k.live(i), k.trend(i))).unwrap_or_default();
        commands.entity(*entity).insert((live, trend));
    }
    commands.remove_resource::<LastKnown>();
}

/// Takes what is known of the points along to another state of the site. Samples with its numbers come from
/// `arrivals`, where the wire has been told; what is still on its way in the queue before keeps its place in the order.
pub(super) fn carry(world: &mut World, carry: &Carry, arrivals: Option<Receiver<Arrival>>) {
    let points: Vec<Entity> = world.get_resource::<Scene>().map(|s| s.points.clone()).unwrap_or_default();
    let mut last = vec![None; points.len()];
    if let Some(before) = world.get_resource::<LastTaken>() {
        for (i, time) in before.0.iter().enumerate() {
            if let Some(now) = carry.point(PointIndex(i as u32)).and_then(|p| last.get_mut(p.0 as usize)) {
                *now = *time;
            }
        }
    }
    world.insert_resource(LastTaken(last));
    for entity in points {
        let mut entity = world.entity_mut(entity);
        if !entity.contains::<LiveValue>() {
            entity.insert((LiveValue::default(), Trend::default()));
        }
    }
    let mut earlier = world.remove_resource::<Earlier>().unwrap_or_default();
    for queue in &mut earlier.0 {
        for point in &mut queue.points {
            *point = point.and_then(|p| carry.point(p));
        }
    }
    if let Some(arrivals) = arrivals
        && let Some(Inlet(before)) = world.remove_resource::<Inlet>()
    {
        earlier.0.push_back(Queue { arrivals: before, points: carry.points.clone() });
        world.insert_resource(Inlet(arrivals));
    }
    world.insert_resource(earlier);
}

fn drain(
    inlet: Option<Res<Inlet>>,
    mut earlier: ResMut<Earlier>,
    mut clock: ResMut<TwinClock>,
    mut intake: ResMut<Intake>,
    mut last: ResMut<LastTaken>,
    mut fresh: ResMut<Fresh>,
    mut in_place: ResMut<InPlace>,
) {
    fresh.0.clear();
    let InPlace { samples, lets_go, clock: behind } = in_place.bypass_change_detection();
    if let Some(samples) = samples {
        for sample in samples.drain(..) {
            // What was taken before the twin turned to another time is not taken twice.
            let before = last.0.get_mut(sample.point.0 as usize);
            if let Some(before) = before.filter(|b| b.is_none_or(|t| sample.device_time > t)) {
                *before = Some(sample.device_time);
                fresh.0.push(sample);
            }
        }
        let Some(inlet) = inlet.filter(|_| *lets_go) else { return };
        for _ in 0..SAMPLES_A_TICK {
            match next(&mut earlier.0, &inlet.0) {
                None => return,
                Some((Arrival::Clock(time), _)) => behind.hear(time),
                Some((Arrival::Sample(_), _)) => intake.samples += 1,
            }
        }
        return;
    }
    let Some(inlet) = inlet else { return };
    for _ in 0..SAMPLES_A_TICK {
        let sample = match next(&mut earlier.0, &inlet.0) {
            None => return,
            Some((Arrival::Clock(time), _)) => {
                clock.hear(time);
                continue;
            }
            Some((Arrival::Sample(sample), now)) => {
                intake.samples += 1;
                // What belongs to nothing any more has been received all the same.
                let Some(point) = now else { continue };
                Sample { point, ..sample }
            }
        };
        let Some(before) = last.0.get_mut(sample.point.0 as usize) else { continue };
        match *before {
            Some(t) if sample.device_time < t => {
                intake.late += 1;
                continue;
            }
            Some(t) if sample.device_time == t => {
                intake.duplicate += 1;
                continue;
            }
            _ => *before = Some(sample.device_time),
        }
        intake.out_of_range += u64::from(matches!(sample.quality, Quality::BadRange | Quality::UncertainRange));
        fresh.0.push(sample);
    }
}

/// Puts aside what is known of the points now; gives the way to bring it back.
pub(super) fn put_aside(world: &mut World) -> Restore {
    let points: Vec<Entity> = world.get_resource::<Scene>().map(|s| s.points.clone()).unwrap_or_default();
    let known = points.into_iter().filter_map(|entity| {
        let entity = world.entity(entity);
        Some((entity.id(), (*entity.get::<LiveValue>()?, entity.get::<Trend>()?.clone())))
    });
    let known: Vec<(Entity, (LiveValue, Trend))> = known.collect();
    let last = world.get_resource::<LastTaken>().map(|l| l.0.clone()).unwrap_or_default();
    Box::new(move |world| {
        world.try_insert_batch(known).ok();
        world.insert_resource(LastTaken(last));
    })
}

/// How much has arrived that the twin has not taken yet.
pub fn waiting(world: &World) -> usize {
    let earlier = world.get_resource::<Earlier>().map_or(0, |e| e.0.iter().map(|q| q.arrivals.len()).sum());
    earlier + world.get_resource::<Inlet>().map_or(0, |i| i.0.len())
}

/// What comes next, and a sample's point by its number now. As long as an earlier queue may bring more, what came after
/// it waits.
fn next(earlier: &mut VecDeque<Queue>, inlet: &Receiver<Arrival>) -> Option<(Arrival, Option<PointIndex>)> {
    let point = |arrival: &Arrival| match arrival {
        Arrival::Sample(sample) => Some(sample.point),
        Arrival::Clock(_) => None,
    };
    while let Some(queue) = earlier.front() {
        match queue.arrivals.try_recv() {
            Ok(arrival) => {
                let then = point(&arrival);
                return Some((arrival, then.and_then(|p| queue.points.get(p.0 as usize).copied().flatten())));
            }
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                earlier.pop_front();
            }
        }
    }
    let arrival = inlet.try_recv().ok()?;
    Some((arrival, point(&arrival)))
}

fn write(fresh: Res<Fresh>, scene: Option<Res<Scene>>, mut values: Query<(&mut LiveValue, &mut Trend)>) {
    let Some(scene) = scene else { return };
    for sample in &fresh.0 {
        let Some(entity) = scene.points.get(sample.point.0 as usize) else { continue };
        let Ok((mut live, mut trend)) = values.get_mut(*entity) else { continue };
        *live = LiveValue {
            value: sample.value,
            quality: sample.quality,
            device_time: Some(sample.device_time),
            arrival: Some(sample.arrival),
        };
        trend.push(sample.device_time, sample.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_spans_a_day_in_bounded_memory() {
        let mut trend = Trend::default();
        let capacity = trend.samples.capacity();
        for i in 0..200_000_i64 {
            trend.push(Time(i * 1000), i as f64);
        }
        assert_eq!(trend.samples.capacity(), capacity);
        assert!(trend.samples.len() <= TREND_LENGTH);
        let (first, last) = (trend.samples.front().unwrap().0, trend.samples.back().unwrap());
        assert_eq!(*last, (Time(199_999_000), 199_999.0), "the last sample is always there");
        let span = last.0.seconds_since(first);
        assert!((TREND_SPAN_S * 0.9..=TREND_SPAN_S * 2.1).contains(&span), "{span}");
        assert!(trend.samples.iter().zip(trend.samples.iter().skip(1)).all(|(a, b)| a.0 < b.0));
    }

    #[test]
    fn a_short_trend_keeps_everything() {
        let mut trend = Trend::default();
        for i in 0..100 {
            trend.push(Time(i * 1000), i as f64);
        }
        assert_eq!(trend.samples.len(), 100);
    }
}
