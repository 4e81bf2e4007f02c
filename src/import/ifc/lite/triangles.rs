//! Triangles: the library's run over a file, and what it tells on its way.

use glam::{DAffine3, DMat3, DVec3};
use ifc_lite_processing::{
    Batching, Features, FrameEvent, Georeferencing, MeshData, ProcessingRequest, ProcessingSink,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Triangles of one surface of one product, in the library's frame.
pub(in crate::import::ifc) struct Piece {
    /// The product's record.
    pub(in crate::import::ifc) id: u32,
    /// Corners relative to `origin`, three numbers each.
    pub(in crate::import::ifc) positions: Vec<f32>,
    /// Normals, three numbers each.
    pub(in crate::import::ifc) normals: Vec<f32>,
    /// Three a triangle.
    pub(in crate::import::ifc) indices: Vec<u32>,
    /// RGBA as the file states it (display values, not linear).
    pub(in crate::import::ifc) colour: [f32; 4],
    /// Where `positions` count from.
    pub(in crate::import::ifc) origin: DVec3,
}

/// What the worker tells.
pub(in crate::import::ifc) enum Event {
    /// From the library's frame to the file's (metres, Z up). Comes before any batch.
    Frame(DAffine3),
    /// Some products are done.
    Batch {
        /// Their surfaces.
        pieces: Vec<Piece>,
        /// Products done.
        done: usize,
        /// Products in all.
        total: usize,
    },
    /// All is done.
    Finished(Outcome),
    /// The library gave up.
    Failed(String),
}

/// What the library says of a finished run.
#[derive(Default)]
pub(in crate::import::ifc) struct Outcome {
    /// Products with a number that no double holds.
    pub(in crate::import::ifc) refused_elements: u64,
    /// The same, of styles, units and openings.
    pub(in crate::import::ifc) refused_records: u64,
    /// The unit record that makes every length meaningless.
    pub(in crate::import::ifc) refused_unit: Option<u32>,
    /// Boolean operations that failed: how often, by reason.
    pub(in crate::import::ifc) failed_cuts: Vec<(String, u64)>,
    /// Representation items that gave nothing: how often, by class.
    pub(in crate::import::ifc) unsupported: Vec<(String, u64)>,
    /// What it found of the map; none where a run did not come to its end.
    pub(super) map: Option<Option<Box<Georeferencing>>>,
}

/// Makes triangles of the products in `ids`, in batches of `batch`. Blocks; meant for a thread of its own,
/// with workers of its own too, so that a cut that never ends holds up nothing else.
pub(in crate::import::ifc) fn mesh(
    bytes: &[u8],
    ids: std::collections::HashSet<u32>,
    batch: usize,
    cancel: Arc<AtomicBool>,
    tell: impl Fn(Event) + Send + Sync,
) {
    struct Sink<'a, F: Fn(Event)>(&'a F);
    impl<F: Fn(Event)> ProcessingSink for Sink<'_, F> {
        fn on_frame(&mut self, frame: &FrameEvent) {
            let m = frame.frame.world_matrix();
            let column = |c: usize| DVec3::new(m[c], m[c + 1], m[c + 2]);
            let affine =
                DAffine3 { matrix3: DMat3::from_cols(column(0), column(4), column(8)), translation: column(12) };
            (self.0)(Event::Frame(affine));
        }
        fn on_batch(&mut self, meshes: &[MeshData], done: usize, total: usize) {
            // Classes 1 and 2 are shapes of types, which their occurrences draw already.
            let pieces = meshes.iter().filter(|m| m.geometry_class != 1 && m.geometry_class != 2).map(piece).collect();
            (self.0)(Event::Batch { pieces, done, total });
        }
    }
    let request = request(batch).ids(Some(Arc::new(ids))).cancel(cancel);
    let run = AssertUnwindSafe(|| on_pool(|| ifc_lite_processing::process(bytes, &request, &mut Sink(&tell))));
    match catch_unwind(run) {
        Ok(Err(why)) => tell(Event::Failed(why)),
        Ok(Ok(result)) => {
            let failures = result.stats.geometry_diagnostics.iter().flat_map(|d| &d.failures_by_reason);
            let unsupported = result.stats.geometry_diagnostics.iter().flat_map(|d| &d.unsupported_items_by_type);
            tell(Event::Finished(Outcome {
                refused_elements: result.stats.refused_input_elements,
                refused_records: result.stats.refused_prepass_records,
                refused_unit: result.metadata.length_unit_refused,
                failed_cuts: failures.map(|f| (f.reason.clone(), f.count)).collect(),
                unsupported: unsupported.map(|f| (f.reason.clone(), f.count)).collect(),
                map: Some(result.metadata.georeferencing.map(Box::new)),
            }));
        }
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            tell(Event::Failed(words.unwrap_or_else(|| "the geometry library gave up".to_owned())));
        }
    }
}

/// The library's own work on a file, thrown away: how many surfaces it made. `cut`: openings are cut.
///
/// # Errors
/// The system gives no threads.
pub(in crate::import::ifc) fn mesh_alone(mut bytes: Vec<u8>, batch: usize, cut: bool) -> Result<usize, String> {
    struct Count(usize);
    impl ProcessingSink for Count {
        fn on_batch(&mut self, meshes: &[MeshData], _: usize, _: usize) {
            self.0 += meshes.len();
        }
    }
    if !cut {
        // Another class of the same length: every offset stays.
        const RELATION: &[u8] = b"IFCRELVOIDSELEMENT";
        let mut from = 0;
        while let Some(at) = bytes.get(from..).and_then(|rest| rest.windows(RELATION.len()).position(|w| w == RELATION))
        {
            bytes.iter_mut().skip(from + at + 6).take(5).for_each(|b| *b = b'X');
            from += at + RELATION.len();
        }
    }
    let mut count = Count(0);
    on_pool(|| {
        ifc_lite_processing::process(&bytes, &request(batch), &mut count);
        count.0
    })
}

/// No properties: those are read here, from the records.
fn request(batch: usize) -> ProcessingRequest {
    ProcessingRequest::default()
        .retain_meshes(false)
        .batching(Batching::new(batch, batch))
        .features(Features::default().properties(false).presentation_layers(false))
}

/// Runs on threads of its own, as many as there are processors.
fn on_pool<R: Send>(work: impl FnOnce() -> R + Send) -> Result<R, String> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = ifc_lite_processing::geometry_pool_builder().num_threads(workers).build();
    Ok(pool.map_err(|e| format!("no threads for the geometry: {e}"))?.install(work))
}

fn piece(mesh: &MeshData) -> Piece {
    Piece {
        id: mesh.express_id,
        positions: mesh.positions.clone(),
        normals: mesh.normals.clone(),
        indices: mesh.indices.clone(),
        colour: mesh.color,
        origin: DVec3::from_array(mesh.origin),
    }
}
