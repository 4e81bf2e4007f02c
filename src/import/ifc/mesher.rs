//! Triangles for every product, whatever the geometry does: a cut that does not end, or a library that
//! gives up, costs its own products their openings and nobody else anything.

use super::lite::{self, Event, Outcome, Piece, Step};
use super::shapes::{Placed, Shapes};
use crate::import::Progress;
use crate::import::preview::{Glimpse, Piece as Seen, Sink};
use glam::DAffine3;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Products in a batch while all goes well, and when looking for the one that stalls.
pub(super) const BATCH: usize = 64;
const SMALL_BATCH: usize = 4;
/// How often the search goes on after a stall before the rest is drawn uncut.
const MAX_STALLS: usize = 3;
/// The search waits for few products at a time, and this part of the patience for all of a batch.
const SEARCH_PART: u32 = 6;
/// Each attempt is waited for so long, however much was waited before.
const LEAST: Duration = Duration::from_secs(1);
/// How often cancellation is looked at.
const TICK: Duration = Duration::from_millis(50);

/// All triangles of a file.
#[derive(Default)]
pub(super) struct Meshes {
    /// The distinct shapes.
    pub(super) shapes: Shapes,
    /// By product record: its shape and where it lies; none where no triangle was left.
    pub(super) placed: HashMap<u32, Option<Placed>>,
    /// Surfaces that have just come, by product record, and the frame that they are in.
    coming: HashMap<u32, Vec<Piece>>,
    to_file: DAffine3,
    /// What the library says of its last run.
    pub(super) outcome: Outcome,
    /// Products shown without their openings.
    pub(super) uncut: Vec<u32>,
    /// Products that gave nothing because even without openings their geometry did not end.
    pub(super) given_up: Vec<u32>,
    /// Why the library gave up, when it did.
    pub(super) failures: Vec<String>,
    /// Somebody asked to stop.
    pub(super) cancelled: bool,
}

enum End {
    Finished,
    /// Nothing came for too long, or the library failed; so many products were done, and so long was waited.
    Stalled(usize, Duration),
    Cancelled,
}

/// How long to wait for a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// With openings cut.
    pub(super) cut: Duration,
    /// Without, and for all that is tried after the first stall together.
    pub(super) uncut: Duration,
}

/// What to mesh.
pub(super) struct Job<'a> {
    /// The file's bytes.
    pub(super) bytes: &'a Arc<Vec<u8>>,
    /// The products' records.
    pub(super) ids: &'a [u32],
    /// Those of them that have openings.
    pub(super) hosts: &'a HashSet<u32>,
    /// By product: its own frame in the file; identity where there is none.
    pub(super) frames: &'a HashMap<u32, DAffine3>,
    /// How long to wait.
    pub(super) patience: Patience,
    /// Who sees what is finished.
    pub(super) show: Option<Show<'a>>,
}

/// Somebody looks on.
pub(super) struct Show<'a> {
    /// Where it is shown.
    pub(super) sink: &'a Sink,
    /// As what.
    pub(super) file: &'a Path,
    /// Products that are not shown: spaces.
    pub(super) hidden: HashSet<u32>,
}

/// Meshes all products of the job. Blocks.
pub(super) fn run(step: &Step, job: &Job<'_>, progress: &Progress) -> Meshes {
    let Job { bytes, ids, hosts, patience, .. } = job;
    let mut meshes = Meshes::default();
    let attempt = |bytes: &Arc<Vec<u8>>, ids: &[u32], batch, patience, meshes: &mut Meshes| {
        let end = attempt(bytes, ids, batch, patience, job, progress, meshes);
        meshes.place(job);
        end
    };
    match attempt(bytes, ids, BATCH, patience.cut, &mut meshes) {
        End::Finished => return meshes,
        End::Cancelled => return meshes.cancelled(),
        End::Stalled(..) => {}
    }
    // However many stalls there are, a file has an end.
    let mut left = patience.uncut;
    let mut attempt = |bytes: &Arc<Vec<u8>>, ids: &[u32], batch, patience: Duration, meshes: &mut Meshes| {
        let end = attempt(bytes, ids, batch, patience.min(left.max(LEAST)), meshes);
        if let End::Stalled(_, waited) = &end {
            left = left.saturating_sub(*waited);
        }
        end
    };
    let rest: Vec<u32> = meshes.missing(ids);
    let (mut hosts, plain): (Vec<u32>, Vec<u32>) = rest.into_iter().partition(|id| hosts.contains(id));
    // Those without openings first: whatever stalled, it was most likely not one of them.
    match attempt(bytes, &plain, BATCH, patience.uncut, &mut meshes) {
        End::Cancelled => return meshes.cancelled(),
        End::Finished => {}
        End::Stalled(..) => meshes.given_up = meshes.missing(&plain),
    }
    let mut uncut = Vec::new();
    for _ in 0..MAX_STALLS {
        match attempt(bytes, &hosts, SMALL_BATCH, patience.cut / SEARCH_PART, &mut meshes) {
            End::Cancelled => return meshes.cancelled(),
            End::Finished => hosts.clear(),
            End::Stalled(done, _) => {
                let (stuck, rest) = hosts.split_at((done + SMALL_BATCH).min(hosts.len()));
                uncut.extend(meshes.missing(stuck));
                hosts = meshes.missing(rest);
            }
        }
        if hosts.is_empty() {
            break;
        }
    }
    uncut.extend(hosts);
    let stripped = step.without("IFCRELVOIDSELEMENT");
    match attempt(&stripped, &uncut, BATCH, patience.uncut, &mut meshes) {
        End::Cancelled => return meshes.cancelled(),
        End::Finished => {}
        End::Stalled(..) => {
            let missing = meshes.missing(&uncut);
            meshes.given_up.extend(missing);
        }
    }
    uncut.retain(|id| meshes.placed.contains_key(id));
    meshes.uncut = uncut;
    meshes
}

impl Meshes {
    fn missing(&self, ids: &[u32]) -> Vec<u32> {
        ids.iter().copied().filter(|id| !self.placed.contains_key(id)).collect()
    }

    /// Brings what has come into its products' own frames, so that equal triangles are held once only.
    fn place(&mut self, job: &Job<'_>) {
        let mut seen = Vec::new();
        let mut coming: Vec<(u32, Vec<Piece>)> = self.coming.drain().collect();
        // In a fixed order, so that the same file gives the same shapes in the same order.
        coming.sort_unstable_by_key(|(id, _)| *id);
        for (id, pieces) in coming {
            let frame = job.frames.get(&id).copied().unwrap_or(DAffine3::IDENTITY);
            let placed = self.shapes.add(&pieces, &self.to_file, frame);
            if let (Some(show), Some(placed)) = (&job.show, &placed)
                && let Some(shape) = self.shapes.list.get(placed.shape as usize).filter(|_| !show.hidden.contains(&id))
            {
                let Placed { placement, bounds, colour, .. } = *placed;
                seen.push(Seen { shape: Arc::clone(shape), placement, bounds, colour });
            }
            self.placed.insert(id, placed);
        }
        if let Some(Show { sink, file, .. }) = job.show.as_ref().filter(|_| !seen.is_empty()) {
            sink.show(Glimpse::Pieces { file, pieces: seen });
        }
    }

    fn cancelled(mut self) -> Self {
        self.cancelled = true;
        self
    }
}

/// One run on a thread of its own, which is left behind when it stalls: it ends when its cut does, or with
/// the program.
fn attempt(
    bytes: &Arc<Vec<u8>>,
    ids: &[u32],
    batch: usize,
    patience: Duration,
    job: &Job<'_>,
    progress: &Progress,
    meshes: &mut Meshes,
) -> End {
    if ids.is_empty() {
        return End::Finished;
    }
    let before = meshes.placed.len();
    let cancel = Arc::new(AtomicBool::new(false));
    // Bounded: a library faster than this thread waits, instead of filling the memory.
    let (tell, told) = sync_channel(8);
    let wanted: std::collections::HashSet<u32> = ids.iter().copied().collect();
    let thread = std::thread::Builder::new().name("ifc-geometry".into()).spawn({
        let (bytes, cancel, wanted) = (Arc::clone(bytes), Arc::clone(&cancel), wanted.clone());
        move || {
            let tell = std::sync::Mutex::new(tell);
            lite::mesh(&bytes, wanted, batch, cancel, |event| {
                if let Ok(tell) = tell.lock() {
                    // Nobody listens any more once this attempt is given up.
                    let _ = tell.send(event);
                }
            });
        }
    });
    let thread = match thread {
        Ok(thread) => thread,
        Err(e) => {
            meshes.failures.push(format!("no thread for the geometry: {e}"));
            return End::Stalled(0, Duration::ZERO);
        }
    };
    let mut done = 0;
    let mut waited = Duration::ZERO;
    loop {
        if progress.cancelled() {
            cancel.store(true, Ordering::Relaxed);
            return End::Cancelled;
        }
        match told.recv_timeout(TICK.min(patience)) {
            Ok(Event::Frame(frame)) => meshes.to_file = frame,
            Ok(Event::Batch { pieces, done: so_far, total }) => {
                waited = Duration::ZERO;
                if so_far != done {
                    // All surfaces of a product come with one count: those of the count before are whole.
                    meshes.place(job);
                }
                done = so_far;
                progress.set_total(before + total);
                progress.set_done(before + done);
                // A run may mesh more than it was asked for; those have their turn elsewhere.
                for piece in pieces.into_iter().filter(|p| wanted.contains(&p.id)) {
                    meshes.coming.entry(piece.id).or_default().push(piece);
                }
            }
            Ok(Event::Finished(outcome)) => {
                meshes.outcome = outcome;
                // It has said its last word, and now lets go of the file.
                let _ = thread.join();
                return End::Finished;
            }
            Ok(Event::Failed(why)) => {
                meshes.failures.push(why);
                return End::Stalled(done, waited);
            }
            Err(RecvTimeoutError::Disconnected) => return End::Stalled(done, waited),
            Err(RecvTimeoutError::Timeout) => {
                waited += TICK;
                if waited >= patience {
                    cancel.store(true, Ordering::Relaxed);
                    return End::Stalled(done, waited);
                }
            }
        }
    }
}
