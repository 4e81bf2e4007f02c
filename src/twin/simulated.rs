//! What the flow networks say of measured points is kept beside what was measured, now and then.
//!
//! So a trend shows both, and the data of a point can be held against the twin over days
//! ([`crate::analytics::data_quality::drift::of_twin`]). Each point has a series of its own for it
//! ([`crate::history::simulated`]), which nothing in the twin takes for a measurement.

use super::clock::{TwinClock, wall_clock};
use super::flow::{FlowSolve, Networks, Residual};
use super::history::Recorder;
use super::replay::Playback;
use super::scene::IsPoint;
use crate::Step;
use crate::history::{PointInfo, simulated};
use crate::quality::Quality;
use crate::simulation::building::Building;
use crate::site::PointIndex;
use crate::telemetry::Sample;
use crate::telemetry::historian::{Batch, Declared};
use bevy::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Gives what is simulated to the [`Recorder`].
pub struct SimulatedPlugin;

impl Plugin for SimulatedPlugin {
    fn build(&self, app: &mut App) {
        let keeps = resource_exists::<Recorder>.and_then(resource_exists::<Networks>);
        app.add_systems(Update, keep.in_set(Step::Present).run_if(keeps));
    }
}

/// The series of a building, and when the last values of them were kept.
#[derive(Default)]
struct Series {
    /// Of which building, and of which history.
    of: Option<(Arc<Building>, Arc<Declared>)>,
    /// The points, by their numbers.
    points: Vec<PointIndex>,
    declared: Arc<Declared>,
    /// The stretch of time of which there is a value.
    stretch: Option<i64>,
    /// How many solves there had been.
    solves: u64,
}

impl Series {
    /// The series of all points that are compared with a building's networks.
    fn of(building: &Arc<Building>, recorder: &Recorder) -> Self {
        let compared: BTreeSet<PointIndex> =
            building.networks.iter().flat_map(|n| n.readings.iter().map(|r| r.point)).collect();
        let known = |point: &PointIndex| recorder.declared.points.get(point.0 as usize);
        // A project may have a point of that name: that one is measured.
        let is_free = |info: &PointInfo| !recorder.declared.points.iter().any(|p| p.id == info.id);
        let (points, infos) = compared
            .into_iter()
            .filter_map(|point| Some((point, simulated::info(known(&point)?))))
            .filter(|(_, info)| is_free(info))
            .unzip();
        let of = Some((Arc::clone(building), Arc::clone(&recorder.declared)));
        Self { of, points, declared: Arc::new(Declared { points: infos }), ..Self::default() }
    }

    fn is_of(&self, building: &Arc<Building>, recorder: &Recorder) -> bool {
        let is_same = |(b, d): &(Arc<Building>, _)| Arc::ptr_eq(b, building) && Arc::ptr_eq(d, &recorder.declared);
        self.of.as_ref().is_some_and(is_same)
    }
}

fn keep(
    recorder: Res<Recorder>,
    networks: Res<Networks>,
    clock: Res<TwinClock>,
    playback: Res<Playback>,
    solved: Query<&FlowSolve>,
    points: Query<&Residual, With<IsPoint>>,
    mut series: Local<Series>,
) {
    let Some(building) = networks.building.as_ref().filter(|_| recorder.simulated_every_s > 0.0) else { return };
    // Another time was kept then; and before a site has said what time it is there is none to keep anything under.
    if playback.speed().is_some() || !clock.tells_age() {
        return;
    }
    if !series.is_of(building, &recorder) {
        *series = Series::of(building, &recorder);
    }
    let stretch = (clock.now.as_seconds() / recorder.simulated_every_s).floor() as i64;
    let solves = solved.iter().map(|s| s.solves).sum();
    if series.stretch == Some(stretch) || series.solves == solves {
        return;
    }
    let sample = |residual: &Residual| {
        let number = series.points.binary_search(&residual.point).ok()?;
        Some(Sample {
            point: PointIndex(number as u32),
            device_time: clock.now,
            arrival: wall_clock(),
            value: residual.simulated,
            quality: Quality::Simulated,
            code: 0,
        })
    };
    let samples: Vec<Sample> = points.iter().filter_map(sample).collect();
    if samples.is_empty() {
        return;
    }
    (series.stretch, series.solves) = (Some(stretch), solves);
    let declared = Arc::clone(&series.declared);
    recorder.inlet.offer_or_miss(Batch { declared, samples, computed: true, ..Batch::default() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TwinPlugins;
    use crate::history::embedded::{Embedded, Options};
    use crate::history::{History, PointKey, Span};
    use crate::simulation::building::fixture::ring;
    use crate::simulation::building::{Measurand, Reading};
    use crate::telemetry::historian::{Historian, Settings, Source};
    use crate::time::Time;
    use crate::twin::flow::testing;
    use std::time::Duration;

    #[test]
    fn what_is_simulated_is_kept_every_so_often_beside_what_is_measured() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("h.db");
        let open = move || {
            Embedded::open(&file, Options::default()).map(|(store, p)| (Box::new(store) as Box<dyn History>, p))
        };
        let source = Source { place: "h.db".into(), open: Box::new(open), bytes: Box::new(|| None) };
        let historian = Historian::start(source, Settings::default()).unwrap();
        let info = |id: &str| PointInfo { id: id.into(), unit: "K".into(), ..PointInfo::default() };
        // Points 1 and 2 are compared; of point 2 somebody measures what would be simulated.
        let points = ["a/wind", "b/flow", "c/flow", "c/flow@simulated"].map(info).into();
        let declared = Arc::new(Declared { points });
        let recorder = Recorder { inlet: historian.inlet(), declared, simulated_every_s: 300.0 };
        let of = |point| Reading { point: PointIndex(point), of: Measurand::Flow(0) };
        let building = Building { networks: vec![ring(Vec::new(), vec![of(2), of(1)])], problems: Vec::new() };
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins))
            .insert_resource(TwinClock::of_site(true))
            .insert_resource(recorder)
            .insert_resource(testing::networks(building, 9));
        let network = app.world_mut().spawn(FlowSolve::default()).id();
        let residual = |point| Residual {
            point: PointIndex(point),
            measured: 1.0,
            simulated: 7.0,
            residual: -6.0,
            relative: -6.0,
        };
        for point in [1, 2] {
            app.world_mut().spawn((IsPoint(PointIndex(point)), residual(point)));
        }
        // What an element shows is no point's own.
        app.world_mut().spawn(residual(1));
        let mut at = |second: i64, solves: u64| {
            app.world_mut().get_mut::<FlowSolve>(network).unwrap().solves = solves;
            app.world_mut().resource_mut::<TwinClock>().hear(Time(second * 1000));
            app.update();
        };
        at(600, 1);
        at(700, 2);
        at(899, 3);
        at(905, 4);
        at(1210, 4);
        at(1220, 5);
        assert!(historian.flush(Duration::from_secs(60)));
        assert_eq!(historian.status().computed, 3);
        let reader = historian.reader(Duration::from_secs(60)).unwrap();
        let known = reader.points().unwrap();
        let ids: Vec<&str> = known.iter().map(|(_, info)| info.id.as_str()).collect();
        assert_eq!(ids, ["b/flow@simulated"]);
        let kept = reader.samples(PointKey(known[0].0.0), Span::ALL).unwrap();
        let kept: Vec<_> = kept.iter().map(|s| (s.time.0 / 1000, s.value, s.quality)).collect();
        assert_eq!(kept, [600, 905, 1220].map(|t| (t, 7.0, Quality::Simulated)));
    }
}
