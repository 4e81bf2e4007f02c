//! What the history has to tell beside the moment that is shown: trends over any span, and how good the data were.
//!
//! It is read on a thread of its own; of several questions of a kind only the last is answered. Nothing here changes
//! what the twin shows.

use super::clock::TwinClock;
use super::command::Command;
use super::replay::{OpenReader, Recording};
use super::scene::{Scene, SiteOpened};
use crate::Step;
use crate::analytics::data_quality::site::{SiteQuality, of_points, of_site};
use crate::history::query::every;
use crate::history::{Bucket, Reader, Span, simulated};
use crate::problem::Problem;
use crate::site::{PointIndex, Site};
use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A trend is read in about so many stretches.
const STRETCHES: i64 = 600;

/// Which trends are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrendAsk {
    /// The points.
    pub points: Vec<PointIndex>,
    /// Over which span; none: nobody wants any more.
    pub span: Option<Span>,
}

/// Trends that were read.
#[derive(Clone, Debug, Default)]
pub struct PastTrends {
    /// What was asked.
    pub asked: TrendAsk,
    /// By point, in the order asked: sums over equal stretches, SI.
    pub lines: Vec<(PointIndex, Vec<Bucket>)>,
    /// The same of what was simulated for them, as far as it was.
    pub simulated: Vec<(PointIndex, Vec<Bucket>)>,
}

/// What was read of the history, and what is being read.
#[derive(Resource, Default)]
pub struct Past {
    /// There is a history.
    pub is_there: bool,
    /// The trends that were read last.
    pub trends: Option<Arc<PastTrends>>,
    /// How good the data of the site were, as it was found last.
    pub quality: Option<Arc<SiteQuality>>,
    /// Why the last question was not answered.
    pub problem: Option<String>,
    /// The last span whose data were asked for.
    pub quality_asked: Option<Span>,
    trend_asked: TrendAsk,
    worker: Option<Worker>,
    site: usize,
}

impl Past {
    /// How many points of the data in question have been looked at; none while nothing is.
    pub fn looked_at(&self) -> Option<usize> {
        let worker = self.worker.as_ref()?;
        (worker.quality_pending() > 0).then(|| worker.shared.done.load(Ordering::Relaxed))
    }

    /// The trend of a point over a span, when it is the one that was read.
    pub fn trend(&self, point: PointIndex) -> Option<&[Bucket]> {
        let trends = self.trends.as_ref()?;
        trends.lines.iter().find(|(p, _)| *p == point).map(|(_, b)| b.as_slice())
    }

    /// What was simulated for a point over that span, when it was.
    pub fn simulated(&self, point: PointIndex) -> Option<&[Bucket]> {
        let trends = self.trends.as_ref()?;
        trends.simulated.iter().find(|(p, _)| *p == point).map(|(_, b)| b.as_slice())
    }
}

/// Obeys [`Command::ReadTrends`] and [`Command::CheckData`].
pub struct PastPlugin;

impl Plugin for PastPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Past>().add_systems(Update, (forget, obey, take).chain().in_set(Step::Act));
    }
}

fn forget(mut opened: MessageReader<SiteOpened>, recording: Option<Res<Recording>>, mut past: ResMut<Past>) {
    if opened.read().count() > 0 {
        // Points have other numbers now.
        *past = Past::default();
    }
    if past.is_there != recording.is_some() {
        past.is_there = recording.is_some();
    }
}

fn obey(
    mut commands: MessageReader<Command>,
    recording: Option<Res<Recording>>,
    scene: Option<Res<Scene>>,
    clock: Res<TwinClock>,
    mut past: ResMut<Past>,
) {
    for command in commands.read() {
        if !matches!(command, Command::ReadTrends(_) | Command::CheckData(_)) {
            continue;
        }
        let (Some(recording), Some(scene)) = (&recording, &scene) else { continue };
        let address = Arc::as_ptr(&scene.site) as usize;
        if past.worker.is_none() || past.site != address {
            past.worker = Worker::start(Arc::clone(&recording.0), Arc::clone(&scene.site));
            past.site = address;
        }
        match command {
            Command::ReadTrends(ask) => {
                past.trend_asked = ask.clone();
                match (ask.span, &past.worker) {
                    (Some(span), Some(worker)) if !ask.points.is_empty() => {
                        worker.ask(Question::Trends(ask.points.clone(), span));
                    }
                    _ => past.trends = None,
                }
            }
            Command::CheckData(span) => {
                past.quality_asked = Some(*span);
                if let Some(worker) = &past.worker {
                    let one_clock = !clock.site_speaks && !clock.from_site;
                    worker.ask(Question::Quality(*span, one_clock));
                }
            }
            _ => {}
        }
    }
}

fn take(mut past: ResMut<Past>) {
    let Some(answers) = past.worker.as_ref().map(|w| w.answers.clone()) else { return };
    for answer in answers.try_iter() {
        past.problem = None;
        match answer {
            Answer::Trends(found) if found.asked == past.trend_asked => past.trends = Some(Arc::new(found)),
            Answer::Trends(_) => {}
            Answer::Quality(found) => past.quality = Some(Arc::new(found)),
            Answer::Failed(why) => past.problem = Some(why),
        }
    }
}

enum Question {
    Trends(Vec<PointIndex>, Span),
    Quality(Span, bool),
}

enum Answer {
    Trends(PastTrends),
    Quality(SiteQuality),
    Failed(String),
}

/// The thread that reads; it ends when this is dropped.
struct Worker {
    questions: Sender<(u64, Question)>,
    answers: Receiver<Answer>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Number of the last question.
    last: AtomicU64,
    /// Of the last question of data quality, and of the last that was answered.
    quality: [AtomicU64; 2],
    done: AtomicUsize,
    is_over: std::sync::atomic::AtomicBool,
}

impl Worker {
    fn start(open: OpenReader, site: Arc<Site>) -> Option<Self> {
        let (questions, asked) = unbounded::<(u64, Question)>();
        let (answer, answers) = unbounded();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let work = move || {
            let mut reader: Option<Box<dyn Reader>> = None;
            while let Ok(first) = asked.recv() {
                // Of each kind the last one counts.
                let (mut trends, mut quality) = (None, None);
                for (ticket, question) in std::iter::once(first).chain(asked.try_iter()) {
                    match question {
                        Question::Trends(..) => trends = Some((ticket, question)),
                        Question::Quality(..) => quality = Some((ticket, question)),
                    }
                }
                for (ticket, question) in trends.into_iter().chain(quality) {
                    let is_quality = matches!(question, Question::Quality(..));
                    let found = read(&mut reader, &open, &site, question, &own);
                    if is_quality {
                        own.quality[1].fetch_max(ticket, Ordering::SeqCst);
                    }
                    let said = match found {
                        Ok(Some(found)) => answer.send(found),
                        Ok(None) => Ok(()),
                        Err(problem) => {
                            // A history that could not be read is opened again for the next one.
                            reader = None;
                            answer.send(Answer::Failed(problem.to_string()))
                        }
                    };
                    if said.is_err() {
                        return;
                    }
                }
            }
        };
        std::thread::Builder::new().name("plenum-past".into()).spawn(work).ok()?;
        Some(Self { questions, answers, shared })
    }

    fn ask(&self, question: Question) {
        let ticket = self.shared.last.fetch_add(1, Ordering::SeqCst) + 1;
        if matches!(question, Question::Quality(..)) {
            self.shared.done.store(0, Ordering::Relaxed);
            self.shared.quality[0].store(ticket, Ordering::SeqCst);
        }
        let _ = self.questions.send((ticket, question));
    }

    fn quality_pending(&self) -> u64 {
        let [asked, answered] = &self.shared.quality;
        asked.load(Ordering::SeqCst).saturating_sub(answered.load(Ordering::SeqCst))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
    }
}

fn read(
    reader: &mut Option<Box<dyn Reader>>,
    open: &OpenReader,
    site: &Site,
    question: Question,
    shared: &Shared,
) -> Result<Option<Answer>, Problem> {
    let reader = match reader {
        Some(reader) => reader,
        None => reader.insert(open()?),
    };
    let known = reader.points().map_err(|e| e.problem())?;
    match question {
        Question::Trends(points, span) => {
            let every_ms = stretch_ms(span);
            let whole = whole(span, every_ms);
            let mut found = PastTrends::default();
            for point in &points {
                let Some(id) = site.points.get(point.0 as usize).map(|p| &p.id) else { continue };
                let line = |id: &str| {
                    let key = known.iter().find(|(_, info)| info.id == id).map(|(key, _)| *key);
                    let line = key.map(|key| every(reader.as_ref(), key, whole, every_ms)).transpose();
                    line.map_err(|e| e.problem())
                };
                found.lines.push((*point, line(id)?.unwrap_or_default()));
                found.simulated.extend(line(&simulated::id(id))?.map(|line| (*point, line)));
            }
            found.asked = TrendAsk { points, span: Some(span) };
            Ok(Some(Answer::Trends(found)))
        }
        Question::Quality(span, one_clock) => {
            let asked = of_points(&site.points, &known, one_clock);
            let found = of_site(reader.as_ref(), &asked, span, |done| {
                shared.done.store(done, Ordering::Relaxed);
                !shared.is_over.load(Ordering::Relaxed)
            });
            Ok(found.map_err(|e| e.problem())?.map(Answer::Quality))
        }
    }
}

/// So long a stretch that there are about [`STRETCHES`]: whole minutes from ten hours on, so that sums which are there
/// already can be used.
fn stretch_ms(span: Span) -> i64 {
    const LENGTHS: [i64; 14] = [
        1000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000,
        43_200_000, 86_400_000,
    ];
    let least = span.to.0.saturating_sub(span.from.0) / STRETCHES;
    LENGTHS.into_iter().find(|l| *l >= least).unwrap_or(86_400_000 * (1 + least / 86_400_000))
}

/// The span, to whole stretches.
fn whole(span: Span, every_ms: i64) -> Span {
    let from = crate::history::bucket::begin(span.from, every_ms);
    let to = crate::history::bucket::begin(span.to, every_ms);
    Span { from, to: crate::time::Time(to.0.saturating_add(every_ms)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TwinPlugins;
    use crate::history::embedded::{Embedded, Options};
    use crate::history::{History, Place, Stored, place};
    use crate::quality::Quality;
    use crate::site::point::PointSource;
    use crate::site::project::Retention;
    use crate::site::unit::Unit;
    use crate::site::{Element, Point, Slot};
    use crate::time::Time;
    use crate::twin::scene::OpenSite;
    use std::time::{Duration, Instant};

    fn house() -> Site {
        let point = |role: &str| Point {
            id: format!("AHU/{role}"),
            asset: Slot(0),
            role: role.into(),
            name: role.into(),
            unit: Unit::parse("K").unwrap(),
            expected: None,
            period_s: 10.0,
            stale_after_s: 60.0,
            check: None,
            source: PointSource::Topic { topic: format!("site/{role}"), key: String::new(), broker: None },
            remedy: String::new(),
            watch: Default::default(),
        };
        Site {
            elements: vec![Element { id: "AHU".into(), tag: "AHU".into(), ..Element::default() }],
            points: vec![point("temperature"), point("silent")],
            ..Site::default()
        }
    }

    #[test]
    fn stretches_are_round_and_few() {
        let span = |seconds: i64| Span { from: Time(0), to: Time(seconds * 1000) };
        let expected = [(3600, 10_000), (86_400, 300_000), (7 * 86_400, 1_800_000), (3650 * 86_400, 7 * 86_400_000)];
        for (seconds, every) in expected {
            assert_eq!(stretch_ms(span(seconds)), every, "{seconds} s");
        }
        assert_eq!(whole(Span { from: Time(1500), to: Time(3500) }, 1000), Span { from: Time(1000), to: Time(4000) });
    }

    #[test]
    fn trends_and_quality_come_from_the_history() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("h.db");
        let site = house();
        let (mut history, _) = Embedded::open(&file, Options::default()).unwrap();
        let mut infos: Vec<_> = site.points.iter().map(|p| place::info(p, &Retention::default())).collect();
        infos.push(simulated::info(&infos[0]));
        let keys = history.declare(&infos).unwrap();
        let sample = |s: i64| Stored {
            time: Time(s * 1000),
            arrival: Time(s * 1000),
            value: 280.0 + s as f64 / 3600.0,
            quality: Quality::Good,
            code: 0,
        };
        let mut samples: Vec<_> = (0..7200).step_by(10).map(|s| (keys[0], sample(s))).collect();
        let simulated = |s: i64| Stored { value: 279.0, quality: Quality::Simulated, ..sample(s) };
        samples.extend((0..7200).step_by(300).map(|s| (keys[2], simulated(s))));
        history.append(&samples).unwrap();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins));
        let open = move || Place::File(file.clone()).read().map_err(|e| e.problem());
        app.insert_resource(Recording(Arc::new(open))).insert_resource(OpenSite(Arc::new(site)));
        app.update();
        let span = Span { from: Time(3_600_000), to: Time(7_200_000) };
        let ask = TrendAsk { points: vec![PointIndex(0), PointIndex(1)], span: Some(span) };
        app.world_mut().write_message(Command::ReadTrends(ask.clone()));
        app.world_mut().write_message(Command::CheckData(span));
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            app.update();
            let past = app.world().resource::<Past>();
            if past.trends.is_some() && past.quality.is_some() {
                break;
            }
            assert!(Instant::now() < until && past.problem.is_none(), "{:?}", past.problem);
            std::thread::sleep(Duration::from_millis(2));
        }
        let past = app.world().resource::<Past>();
        let line = past.trend(PointIndex(0)).unwrap();
        assert_eq!((line.len(), line[0].start, line[0].n), (360, Time(3_600_000), 1));
        assert!(past.trend(PointIndex(1)).unwrap().is_empty());
        let line = past.simulated(PointIndex(0)).unwrap();
        assert_eq!((line.iter().filter(|b| b.n > 0).count(), line[0].mean()), (12, 279.0));
        assert!(past.simulated(PointIndex(1)).is_none());
        let quality = past.quality.as_ref().unwrap();
        assert_eq!(quality.points.last().unwrap().quality.coverage, 1.0);
        assert!(past.looked_at().is_none() && past.is_there);
        app.world_mut().write_message(Command::ReadTrends(TrendAsk::default()));
        app.update();
        assert!(app.world().resource::<Past>().trends.is_none());
    }
}
