//! What the readers show of a project's files is laid into the project's frame and told on.
//!
//! Each file goes where it will lie in the site, as far as that is known when it begins; a later file may move the
//! frame's origin, and then all lie anew. What comes from the cache is there at once: it is shown only where another
//! file has to be waited for.

use crate::import::preview::{Glimpse, Piece, Sink, pieces};
use crate::shape::Aabb;
use crate::site::{Model, Project, Source, lay_out};
use crate::twin::preview::{Laid, News, Tell};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Lays what is shown of a project's files.
pub(super) struct Framing(Arc<Mutex<State>>);

struct State {
    project: Project,
    tell: Tell,
    /// The files that have begun, as far as they are known.
    sources: Vec<Source>,
    /// Where they lie, as it was told last.
    laid: ([f64; 3], Vec<Laid>),
    /// What is there as a whole already, until somebody has to wait for more.
    held: Vec<(Source, Vec<Piece>)>,
    /// A reader is at work, or has been.
    waits: bool,
}

impl Framing {
    /// For a project; what is to be seen goes to `tell`.
    pub(super) fn new(project: &Project, tell: Tell) -> Self {
        let state = State {
            project: project.clone(),
            tell,
            sources: Vec::new(),
            laid: Default::default(),
            held: Vec::new(),
            waits: false,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Where the readers show what they have finished.
    pub(super) fn sink(&self) -> Sink {
        let state = Arc::clone(&self.0);
        Sink::new(move |glimpse| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match glimpse {
                Glimpse::Begun { file, georeference } => {
                    state.wait();
                    state.begin(Source { file: file.to_owned(), georeference, ..Source::default() });
                }
                Glimpse::Pieces { file, pieces } => state.add(file, pieces),
            }
        })
    }

    /// A model has been read to its end: it is shown as a whole where its reader has shown nothing of it.
    pub(super) fn whole(&self, model: &Model) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.sources.iter().any(|s| s.file == model.file) {
            return;
        }
        let (file, georeference) = (model.file.clone(), model.georeference.clone());
        let source = Source { file, georeference, bounds: model.bounds(), ..Source::default() };
        state.held.push((source, pieces(model)));
        if state.waits {
            state.wait();
        }
    }
}

impl State {
    /// From now on everything is shown.
    fn wait(&mut self) {
        self.waits = true;
        for (source, pieces) in std::mem::take(&mut self.held) {
            let file = source.file.clone();
            self.begin(source);
            self.add(&file, pieces);
        }
    }

    fn begin(&mut self, source: Source) {
        self.sources.push(source);
        self.lay();
    }

    fn add(&mut self, file: &Path, pieces: Vec<Piece>) {
        let Some(number) = self.sources.iter().position(|s| s.file == file) else { return };
        if let Some(source) = self.sources.get_mut(number)
            && source.bounds.is_none()
        {
            // Whether it lies in map coordinates is seen by any of it.
            source.bounds = pieces.iter().map(|p| p.bounds).reduce(Aabb::union);
            self.lay();
        }
        (self.tell)(News::Pieces { file: number, pieces });
    }

    /// Says where the files lie, when that is something else than before.
    fn lay(&mut self) {
        let origin = lay_out(&self.project, &mut self.sources);
        let is_layer = |s: &Source| self.project.layers.iter().any(|l| l.file == s.file);
        let laid = |s: &Source| Laid { to_project: s.to_project, is_layer: is_layer(s) };
        let laid = (origin.position_m, self.sources.iter().map(laid).collect::<Vec<_>>());
        if laid != self.laid {
            (self.tell)(News::Laid { origin_m: laid.0, files: laid.1.clone() });
            self.laid = laid;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;
    use crate::site::Element;
    use crate::site::model::Georeference;
    use crate::site::project::LayerFile;
    use glam::{DAffine3, DVec3};

    const EAST_M: f64 = 2_683_000.0;

    fn map(east: f64) -> Option<Georeference> {
        let origin_m = [east, 1_247_000.0, 400.0];
        Some(Georeference { crs: "EPSG:2056".into(), origin_m, scale: 1.0, ..Georeference::default() })
    }

    fn model(file: &str, georeference: Option<Georeference>) -> Model {
        let bounds = Some(Aabb { min: DVec3::ZERO, max: DVec3::ONE });
        let element = Element { shape: Some(0), bounds, ..Element::default() };
        Model {
            file: file.into(),
            georeference,
            elements: vec![element],
            shapes: vec![Arc::new(Shape::default())],
            ..Model::default()
        }
    }

    fn framing() -> (Framing, Arc<Mutex<Vec<News>>>) {
        let layers = vec![LayerFile { file: "site.geojson".into(), line: 0 }];
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let framing = Framing::new(
            &Project { layers, ..Project::default() },
            Arc::new(move |news| tell.lock().unwrap().push(news)),
        );
        (framing, told)
    }

    #[test]
    fn a_later_file_moves_the_origin_and_what_is_shown_already_with_it() {
        let (framing, told) = framing();
        let sink = framing.sink();
        let begin = |file: &str, east| sink.show(Glimpse::Begun { file: Path::new(file), georeference: map(east) });
        begin("a.ifc", EAST_M + 100.0);
        sink.show(Glimpse::Pieces { file: Path::new("a.ifc"), pieces: pieces(&model("a.ifc", None)) });
        begin("b.ifc", EAST_M);
        let told = std::mem::take(&mut *told.lock().unwrap());
        let [News::Laid { files: first, .. }, News::Pieces { file: 0, pieces }, News::Laid { origin_m, files: then }] =
            &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((first[0].to_project, pieces.len()), (DAffine3::IDENTITY, 1));
        assert_eq!(origin_m[0], EAST_M);
        assert_eq!(then[0].to_project.translation.x, 100.0);
        assert_eq!(then[1].to_project, DAffine3::IDENTITY);
    }

    #[test]
    fn what_is_there_at_once_is_shown_only_beside_what_is_waited_for() {
        let (framing, told) = framing();
        framing.whole(&model("a.ifc", None));
        framing.whole(&model("site.geojson", None));
        assert!(told.lock().unwrap().is_empty(), "nobody waits");
        let sink = framing.sink();
        sink.show(Glimpse::Begun { file: Path::new("b.ifc"), georeference: None });
        let shown = || {
            let told = told.lock().unwrap();
            let of = |news: &News| match news {
                News::Pieces { file, .. } => Some(*file),
                News::Laid { .. } => None,
            };
            told.iter().filter_map(of).collect::<Vec<_>>()
        };
        assert_eq!(shown(), [0, 1]);
        sink.show(Glimpse::Pieces { file: Path::new("b.ifc"), pieces: pieces(&model("b.ifc", None)) });
        framing.whole(&model("b.ifc", None));
        framing.whole(&model("c.ifc", None));
        assert_eq!(shown(), [0, 1, 2, 3], "each once");
        let told = told.lock().unwrap();
        let layers = told.iter().rev().find_map(|n| match n {
            News::Laid { files, .. } => Some(files.iter().map(|f| f.is_layer).collect::<Vec<_>>()),
            News::Pieces { .. } => None,
        });
        assert_eq!(layers, Some(vec![false, true, false, false]));
    }
}
