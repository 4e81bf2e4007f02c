//! Reads the history for the twin, on a thread of its own: what was known at a moment, and what came then.

use crate::history::{HistoryError, PointKey, Reader, Span, at};
use crate::problem::Problem;
use crate::site::{PointIndex, Site, Slot};
use crate::telemetry::Sample;
use crate::time::Time;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::HashMap;
use std::sync::Arc;

/// Opens the history once more, to be read.
pub type OpenReader = Arc<dyn Fn() -> Result<Box<dyn Reader>, Problem> + Send + Sync>;

/// What is asked of the thread; the number tells answers apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    /// What was known at a moment, and all that came in the `warm_s` before it: judging needs a run-up.
    At {
        /// Its number.
        ticket: u64,
        /// The moment.
        time: Time,
        /// Seconds of run-up.
        warm_s: f64,
    },
    /// All that came in a span.
    Ahead {
        /// Its number.
        ticket: u64,
        /// The span.
        span: Span,
    },
}

impl Request {
    fn ticket(&self) -> u64 {
        match self {
            Self::At { ticket, .. } | Self::Ahead { ticket, .. } => *ticket,
        }
    }

    fn at(&self) -> Option<Time> {
        match self {
            Self::At { time, .. } => Some(*time),
            Self::Ahead { .. } => None,
        }
    }
}

/// An answer to a [`Request`].
#[derive(Debug)]
pub struct Answer {
    /// Of which request.
    pub ticket: u64,
    /// The moment that was asked for; none: a span was.
    pub at: Option<Time>,
    /// Samples by device time, those of one device at one moment together; or why there are none.
    pub samples: Result<Vec<Sample>, String>,
}

/// The thread; it ends when this is dropped.
pub struct Player {
    requests: Sender<Request>,
    answers: Receiver<Answer>,
    next: u64,
}

impl Player {
    /// Starts it for the measured points of a site; none when there is no thread to be had.
    pub fn start(open: OpenReader, site: &Site) -> Option<Self> {
        let points: Vec<(String, PointIndex, Slot)> = (0u32..)
            .map(PointIndex)
            .zip(&site.points)
            .filter(|(_, p)| p.is_measured())
            .map(|(i, p)| (p.id.clone(), i, p.asset))
            .collect();
        let (requests, asked) = unbounded::<Request>();
        let (answer, answers) = unbounded();
        let work = move || {
            let mut tape: Option<Tape> = None;
            while let Ok(first) = asked.recv() {
                // Who drags a slider wants the last place, not all of them.
                let request = asked.try_iter().last().unwrap_or(first);
                let samples = Tape::read(&mut tape, &open, &points, request).map_err(|e| e.to_string());
                if answer.send(Answer { ticket: request.ticket(), at: request.at(), samples }).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("plenum-replay".into()).spawn(work).ok()?;
        Some(Self { requests, answers, next: 0 })
    }

    /// Asks what was known at a moment; what was asked before and not begun is not answered any more.
    pub fn at(&mut self, time: Time, warm_s: f64) -> u64 {
        self.next += 1;
        let _ = self.requests.send(Request::At { ticket: self.next, time, warm_s });
        self.next
    }

    /// Asks for all that came in a span.
    pub fn ahead(&mut self, span: Span) -> u64 {
        self.next += 1;
        let _ = self.requests.send(Request::Ahead { ticket: self.next, span });
        self.next
    }

    /// The next answer, if there is one.
    pub fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

/// The history, open to be read, with the keys of the site's points.
struct Tape {
    reader: Box<dyn Reader>,
    points: Vec<(PointKey, PointIndex, Slot)>,
}

impl Tape {
    /// Finds the keys of points; some may have been declared since the last look.
    fn find(&mut self, points: &[(String, PointIndex, Slot)]) -> Result<(), HistoryError> {
        if self.points.len() < points.len() {
            let known = self.reader.points()?.into_iter();
            let keys: HashMap<String, PointKey> = known.map(|(key, info)| (info.id, key)).collect();
            let found = points.iter().filter_map(|(id, index, slot)| Some((*keys.get(id)?, *index, *slot)));
            self.points = found.collect();
        }
        Ok(())
    }

    /// Answers a request. A history that could not be read is opened again for the next one.
    fn read(
        tape: &mut Option<Self>,
        open: &OpenReader,
        points: &[(String, PointIndex, Slot)],
        request: Request,
    ) -> Result<Vec<Sample>, Problem> {
        let own = match tape {
            Some(own) => own,
            None => tape.insert(Self { reader: open()?, points: Vec::new() }),
        };
        let samples = own.find(points).and_then(|()| own.samples(request));
        if samples.is_err() {
            *tape = None;
        }
        samples.map_err(|e| e.problem())
    }

    fn samples(&self, request: Request) -> Result<Vec<Sample>, HistoryError> {
        let mut found: Vec<(Sample, Slot)> = Vec::new();
        for (key, point, slot) in &self.points {
            let (span, before) = match request {
                Request::Ahead { span, .. } => (span, None),
                Request::At { time, warm_s, .. } => {
                    let from = Time(time.0.saturating_sub((warm_s * 1000.0) as i64));
                    let last = at::last_before(&*self.reader, *key, from)?;
                    (Span { from, to: Time(time.0.saturating_add(1)) }, last)
                }
            };
            let of = |s: crate::history::Stored| {
                let sample = Sample {
                    point: *point,
                    device_time: s.time,
                    arrival: s.arrival,
                    value: s.value,
                    quality: s.quality,
                    code: s.code,
                };
                (sample, *slot)
            };
            found.extend(before.into_iter().chain(self.reader.samples(*key, span)?).map(of));
        }
        found.sort_by_key(|(s, slot)| (s.device_time, *slot, s.point));
        Ok(found.into_iter().map(|(s, _)| s).collect())
    }
}
