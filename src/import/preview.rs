//! What is seen of a file while its reader goes on: the geometry that is finished, before properties and graph.
//!
//! Nothing of it is made where nobody looks (see [`super::Progress::showing`]), and nothing is copied where somebody
//! does: a piece holds the very triangles that the model will have.

use crate::shape::{Aabb, Shape};
use crate::site::model::{ElementKind, Georeference, Model};
use glam::DAffine3;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The geometry of one product, as the model will have it.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its triangles.
    pub shape: Arc<Shape>,
    /// From the shape's frame to the file's (metres, f64, Z up).
    pub placement: DAffine3,
    /// The box around it in the file's frame, metres.
    pub bounds: Aabb,
    /// Linear RGBA, where the shape has no colours of its own.
    pub colour: [f32; 4],
}

/// What a reader shows of a file.
#[derive(Clone, Debug)]
pub enum Glimpse<'a> {
    /// Its frame is known, and its geometry comes next.
    Begun {
        /// The file.
        file: &'a Path,
        /// How its frame lies on the map; none where it does not say.
        georeference: Option<Georeference>,
    },
    /// Some products are finished. Spaces and openings are not among them.
    Pieces {
        /// The file.
        file: &'a Path,
        /// Their geometry; each product comes once.
        pieces: Vec<Piece>,
    },
}

/// Where a reader shows things. It is called on the reader's own threads, which wait for it: it must not take long.
#[derive(Clone)]
pub struct Sink(Arc<dyn Fn(Glimpse<'_>) + Send + Sync>);

impl Sink {
    /// Calls `see` with whatever is to be seen.
    pub fn new(see: impl Fn(Glimpse<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }

    /// Shows something.
    pub fn show(&self, glimpse: Glimpse<'_>) {
        (self.0)(glimpse);
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

/// The pieces of a model that is there as a whole.
pub fn pieces(model: &Model) -> Vec<Piece> {
    let drawn = model.elements.iter().filter(|e| e.kind != ElementKind::Space);
    let piece = |e: &crate::site::Element| {
        let shape = Arc::clone(model.shapes.get(e.shape? as usize)?);
        Some(Piece { shape, placement: e.placement, bounds: e.bounds?, colour: e.colour })
    };
    drawn.filter_map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Limits, Progress, read_within};
    use glam::DVec3;
    use std::sync::Mutex;

    /// The box around what is drawn of a shape, in the file's frame.
    fn drawn(shape: &Shape, placement: &DAffine3) -> Aabb {
        let corner = |i: u32| DVec3::from(shape.positions()[i as usize].map(f64::from));
        Aabb::around(shape.indices().iter().map(|i| placement.transform_point3(corner(i)))).unwrap()
    }

    fn sorted(boxes: impl Iterator<Item = Aabb>) -> Vec<[i64; 6]> {
        let mut all: Vec<[i64; 6]> = boxes
            .map(|b| [b.min, b.max].map(|v| (v * 1000.0).round().to_array().map(|x| x as i64)))
            .map(flat)
            .collect();
        all.sort_unstable();
        all
    }

    fn flat([a, b]: [[i64; 3]; 2]) -> [i64; 6] {
        [a[0], a[1], a[2], b[0], b[1], b[2]]
    }

    #[test]
    fn what_is_shown_on_the_way_is_what_the_model_has_in_the_end() {
        for name in ["clinic-architecture.ifc", "clinic-mep.ifc"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic").join(name);
            let seen = Arc::new(Mutex::new((Vec::new(), Vec::new())));
            let sink = Sink::new({
                let (seen, path) = (Arc::clone(&seen), path.clone());
                move |glimpse| {
                    let mut seen = seen.lock().unwrap();
                    match glimpse {
                        Glimpse::Begun { file, georeference } => {
                            assert!(file == path && seen.1.is_empty(), "the frame comes first");
                            seen.0.push(georeference);
                        }
                        Glimpse::Pieces { file, pieces } => {
                            assert!(file == path && seen.0.len() == 1 && !pieces.is_empty());
                            seen.1.push(pieces);
                        }
                    }
                }
            });
            let progress = Progress::default();
            let (model, _) = read_within(&path, &Limits::default(), &progress.showing(sink)).unwrap();
            let (begun, batches) = std::mem::take(&mut *seen.lock().unwrap());
            assert!(begun.len() == 1 && begun.first() == Some(&model.georeference), "{begun:?}");
            assert!(batches.len() > 3, "{name} comes bit by bit: {} times", batches.len());
            let shown: Vec<Piece> = batches.into_iter().flatten().collect();
            let whole = pieces(&model);
            let spaces = model.elements.iter().filter(|e| e.kind == ElementKind::Space && e.shape.is_some()).count();
            assert!(whole.len() > 100 && (spaces > 10 || name == "clinic-mep.ifc"), "{name}: {spaces} spaces");
            // Equal to the millimetre and a rounding.
            let boxes = |all: &[Piece]| sorted(all.iter().map(|p| drawn(&p.shape, &p.placement)));
            assert_eq!(boxes(&shown), boxes(&whole), "{name}");
            assert_eq!(sorted(shown.iter().map(|p| p.bounds)), sorted(whole.iter().map(|p| p.bounds)), "{name}");
            for piece in &shown {
                let gap = drawn(&piece.shape, &piece.placement);
                assert!(
                    (gap.min - piece.bounds.min).abs().max((gap.max - piece.bounds.max).abs()).max_element() < 1e-3
                );
                assert!(model.shapes.iter().any(|s| Arc::ptr_eq(s, &piece.shape)), "nothing is copied");
            }
            let colours = |all: &[Piece]| {
                let mut all: Vec<_> = all.iter().map(|p| p.colour.map(f32::to_bits)).collect();
                all.sort_unstable();
                all
            };
            assert_eq!(colours(&shown), colours(&whole), "{name}");
        }
    }
}
