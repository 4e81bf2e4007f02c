//! Triangles for every product, whatever the geometry does: a cut that does not end, or a library that
//! gives up, costs its own products their openings and nobody else anything.

use super::lite::{self, Event, Outcome, Piece, Step};
use crate::import::Progress;
use glam::DAffine3;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Products in a batch while all goes well, and when looking for the one that stalls.
const BATCH: usize = 64;
const SMALL_BATCH: usize = 4;
/// How often the search goes on after a stall before the rest is drawn uncut.
const MAX_STALLS: usize = 3;
/// How often cancellation is looked at.
const TICK: Duration = Duration::from_millis(50);

/// All triangles of a file.
#[derive(Default)]
pub(super) struct Meshes {
    /// Surfaces by product record.
    pub(super) pieces: HashMap<u32, Vec<Piece>>,
    /// From the pieces' frame to the file's.
    pub(super) to_file: DAffine3,
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
    /// Nothing came for too long, or the library failed; so many products were done.
    Stalled(usize),
    Cancelled,
}

/// How long to wait for a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// With openings cut.
    pub(super) cut: Duration,
    /// Without.
    pub(super) uncut: Duration,
}

/// Meshes `ids`; `hosts` are those with openings. Blocks.
pub(super) fn run(
    step: &Step,
    bytes: &Arc<Vec<u8>>,
    ids: &[u32],
    hosts: &HashSet<u32>,
    patience: Patience,
    progress: &Progress,
) -> Meshes {
    let mut meshes = Meshes::default();
    match attempt(bytes, ids, BATCH, patience.cut, progress, &mut meshes) {
        End::Finished => return meshes,
        End::Cancelled => return meshes.cancelled(),
        End::Stalled(_) => {}
    }
    let rest: Vec<u32> = meshes.missing(ids);
    let (mut hosts, plain): (Vec<u32>, Vec<u32>) = rest.into_iter().partition(|id| hosts.contains(id));
    // Those without openings first: whatever stalled, it was most likely not one of them.
    match attempt(bytes, &plain, BATCH, patience.uncut, progress, &mut meshes) {
        End::Cancelled => return meshes.cancelled(),
        End::Finished => {}
        End::Stalled(_) => meshes.given_up = meshes.missing(&plain),
    }
    let mut uncut = Vec::new();
    for _ in 0..MAX_STALLS {
        match attempt(bytes, &hosts, SMALL_BATCH, patience.cut, progress, &mut meshes) {
            End::Cancelled => return meshes.cancelled(),
            End::Finished => hosts.clear(),
            End::Stalled(done) => {
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
    match attempt(&stripped, &uncut, BATCH, patience.uncut, progress, &mut meshes) {
        End::Cancelled => return meshes.cancelled(),
        End::Finished => {}
        End::Stalled(_) => {
            let missing = meshes.missing(&uncut);
            meshes.given_up.extend(missing);
        }
    }
    uncut.retain(|id| meshes.pieces.contains_key(id));
    meshes.uncut = uncut;
    meshes
}

impl Meshes {
    fn missing(&self, ids: &[u32]) -> Vec<u32> {
        ids.iter().copied().filter(|id| !self.pieces.contains_key(id)).collect()
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
    progress: &Progress,
    meshes: &mut Meshes,
) -> End {
    if ids.is_empty() {
        return End::Finished;
    }
    let before = meshes.pieces.len();
    let cancel = Arc::new(AtomicBool::new(false));
    let (tell, told) = channel();
    let wanted: HashSet<u32> = ids.iter().copied().collect();
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
    if let Err(e) = thread {
        meshes.failures.push(format!("no thread for the geometry: {e}"));
        return End::Stalled(0);
    }
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
                done = so_far;
                progress.set_total(before + total);
                progress.set_done(before + done);
                // A run may mesh more than it was asked for; those have their turn elsewhere.
                for piece in pieces.into_iter().filter(|p| wanted.contains(&p.id)) {
                    meshes.pieces.entry(piece.id).or_default().push(piece);
                }
            }
            Ok(Event::Finished(outcome)) => {
                meshes.outcome = outcome;
                return End::Finished;
            }
            Ok(Event::Failed(why)) => {
                meshes.failures.push(why);
                return End::Stalled(done);
            }
            Err(RecvTimeoutError::Disconnected) => return End::Stalled(done),
            Err(RecvTimeoutError::Timeout) => {
                waited += TICK;
                if waited >= patience {
                    cancel.store(true, Ordering::Relaxed);
                    return End::Stalled(done);
                }
            }
        }
    }
}
