//! What is seen of a site before it is open: the geometry that its readers have finished so far.
//!
//! It stands beside [`Scene`], and is no part of the twin: nothing of it can be selected, has values, or is kept. It
//! comes where nothing else stands, and goes in the tick in which the site comes.

use super::scene::{Scene, SiteOpened, open_site};
use crate::Step;
use crate::import::preview::Piece;
use crate::shape::Aabb;
use bevy::prelude::*;
use crossbeam_channel::{Receiver, bounded};
use glam::{DAffine3, DVec3};
use std::sync::Arc;

/// What is told of a site that is being read.
#[derive(Clone, Debug)]
pub enum News {
    /// Where the files lie that have begun; holds for what was shown of them before, too.
    Laid {
        /// Map coordinates of the frame's origin, metres.
        origin_m: [f64; 3],
        /// By file, in the order in which they began.
        files: Vec<Laid>,
    },
    /// Finished products.
    Pieces {
        /// Whose: which of the files that have begun.
        file: usize,
        /// Their geometry.
        pieces: Vec<Piece>,
    },
}

/// Where a file lies.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Laid {
    /// From the file's frame to the project's.
    pub to_project: DAffine3,
    /// It is a map layer: what lies around the building.
    pub is_layer: bool,
}

/// Tells news to a [`Preview`], from any thread; never waits.
pub type Tell = Arc<dyn Fn(News) + Send + Sync>;

/// How much news waits for a twin that does not tick. It is handles, not triangles; what comes beyond is not shown,
/// and comes with the site.
const MOST_WAITING: usize = 4096;

/// What is seen of a site that is being read.
#[derive(Resource)]
pub struct Preview {
    inlet: Receiver<News>,
    origin_m: [f64; 3],
    files: Vec<Seen>,
}

/// What is seen of one file.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Where it lies.
    pub laid: Laid,
    /// Its products, in the file's frame.
    pub pieces: Vec<Piece>,
    bounds: Option<Aabb>,
}

impl Preview {
    /// With nothing in it yet, and the way to tell it what there is.
    pub fn new() -> (Self, Tell) {
        let (outlet, inlet) = bounded(MOST_WAITING);
        let tell: Tell = Arc::new(move |news| {
            // Full, or nobody looks any more: either way the site itself comes whole.
            let _ = outlet.try_send(news);
        });
        (Self { inlet, origin_m: [0.0; 3], files: Vec::new() }, tell)
    }

    /// The files that have begun.
    pub fn files(&self) -> &[Seen] {
        &self.files
    }

    /// Map coordinates of the frame's origin, metres, as far as is known.
    pub fn origin_m(&self) -> [f64; 3] {
        self.origin_m
    }

    /// True while there is nothing to be seen.
    pub fn is_empty(&self) -> bool {
        self.files.iter().all(|f| f.pieces.is_empty())
    }

    /// The box around the building so far, in the project's frame, metres; around its map layers where there is no
    /// more.
    pub fn bounds(&self) -> Option<Aabb> {
        let around = |layer: bool| {
            let files = self.files.iter().filter(|f| f.laid.is_layer == layer);
            files.filter_map(|f| Some(f.bounds?.transformed(&f.laid.to_project))).reduce(Aabb::union)
        };
        around(false).or_else(|| around(true))
    }

    fn take(&mut self, news: News) {
        match news {
            News::Laid { origin_m, files } => {
                self.origin_m = origin_m;
                self.files.resize_with(files.len().max(self.files.len()), Seen::default);
                for (seen, laid) in self.files.iter_mut().zip(files) {
                    seen.laid = laid;
                }
            }
            News::Pieces { file, pieces } => {
                let Some(seen) = self.files.get_mut(file) else { return };
                let boxes = pieces.iter().map(|p| p.bounds);
                seen.bounds = boxes.chain(seen.bounds).reduce(Aabb::union);
                seen.pieces.extend(pieces);
            }
        }
    }
}

/// How far apart the origins of two frames are: what a place in the first frame has to be moved by to be the same in
/// the second, metres.
pub fn shift(from_m: [f64; 3], to_m: [f64; 3]) -> DVec3 {
    DVec3::from_array(from_m) - DVec3::from_array(to_m)
}

/// Keeps the [`Preview`] up to date, and ends it when the site is open.
pub struct PreviewPlugin;

impl Plugin for PreviewPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(
            Update,
            (end, take.run_if(resource_exists::<Preview>)).chain().after(open_site).before(Step::Ingest),
        );
    }
}

/// A window stands with an empty site before anything is opened: that one ends nothing.
fn end(mut opened: MessageReader<SiteOpened>, scene: Option<Res<Scene>>, mut commands: Commands) {
    let came = opened.read().count() > 0;
    if came && scene.is_some_and(|s| !s.site.elements.is_empty()) {
        commands.remove_resource::<Preview>();
    }
}

fn take(mut preview: ResMut<Preview>) {
    while let Ok(news) = preview.bypass_change_detection().inlet.try_recv() {
        preview.take(news);
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::OpenSite;
    use super::*;
    use crate::TwinPlugins;
    use crate::shape::Shape;
    use crate::site::{Element, Site};

    fn piece(at: f64) -> Piece {
        let min = DVec3::splat(at);
        let placement = DAffine3::from_translation(min);
        Piece { shape: Arc::new(Shape::default()), placement, bounds: Aabb { min, max: min + 1.0 }, colour: [1.0; 4] }
    }

    fn laid(x: f64, is_layer: bool) -> Laid {
        Laid { to_project: DAffine3::from_translation(DVec3::X * x), is_layer }
    }

    #[test]
    fn it_grows_and_goes_when_the_site_comes() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins)).insert_resource(OpenSite(Arc::default()));
        let (preview, tell) = Preview::new();
        app.insert_resource(preview);
        app.update();
        app.update();
        assert!(app.world().resource::<Preview>().is_empty(), "an empty site ends nothing");
        tell(News::Laid { origin_m: [0.0; 3], files: vec![laid(0.0, true)] });
        tell(News::Pieces { file: 0, pieces: vec![piece(50.0)] });
        tell(News::Pieces { file: 7, pieces: vec![piece(90.0)] });
        app.update();
        let bounds = |app: &App| app.world().resource::<Preview>().bounds().unwrap();
        assert_eq!(bounds(&app).min.x, 50.0, "a layer alone");
        tell(News::Laid { origin_m: [5.0, 0.0, 0.0], files: vec![laid(0.0, true), laid(10.0, false)] });
        tell(News::Pieces { file: 1, pieces: vec![piece(0.0)] });
        tell(News::Pieces { file: 1, pieces: vec![piece(3.0)] });
        app.update();
        assert_eq!((bounds(&app).min.x, bounds(&app).max.x), (10.0, 14.0), "the building counts, where it lies");
        let preview = app.world().resource::<Preview>();
        assert_eq!((preview.files().len(), preview.files()[1].pieces.len(), preview.origin_m()[0]), (2, 2, 5.0));

        let (site, _) = Site::of_elements("s", vec![Element { id: "a".into(), ..Element::default() }]);
        app.insert_resource(OpenSite(Arc::new(site)));
        app.update();
        assert!(!app.world().contains_resource::<Preview>(), "in the same tick");
        tell(News::Pieces { file: 1, pieces: vec![piece(0.0)] });
        app.update();
    }

    #[test]
    fn who_does_not_look_holds_nothing_up() {
        let (mut preview, tell) = Preview::new();
        tell(News::Laid { origin_m: [0.0; 3], files: vec![laid(0.0, false)] });
        for _ in 0..2 * MOST_WAITING {
            tell(News::Pieces { file: 0, pieces: vec![piece(0.0)] });
        }
        while let Ok(news) = preview.inlet.try_recv() {
            preview.take(news);
        }
        assert_eq!(preview.files()[0].pieces.len(), MOST_WAITING - 1);
    }
}
