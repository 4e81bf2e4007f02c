//! What is seen of a project while it is opened, as people have it but without a window: geometry comes before the
//! site, lies where the site will have it, goes when the site comes, and can be stopped at any moment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use bevy::prelude::{App, MinimalPlugins};
use common::LONG;
use plenum::TwinPlugins;
use plenum::cli::open::{Opened, open, open_shown};
use plenum::cli::opening::{self, Opening, Outcome};
use plenum::cli::reload::{self, Reloading};
use plenum::import::Progress;
use plenum::import::preview::Piece;
use plenum::problem::Severity;
use plenum::shape::Aabb;
use plenum::site::{ElementKind, Site};
use plenum::twin::command::Command;
use plenum::twin::preview::{Laid, News, Preview, Tell};
use plenum::twin::scene::{OpenSite, Scene};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The clinic in a folder of its own, with no connection: nothing but its models counts here.
fn clinic() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    for name in ["clinic-architecture.ifc", "clinic-mep.ifc", "site.geojson"] {
        std::fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let project = "name = \"Clinic\"\n[[models]]\nfile = \"clinic-architecture.ifc\"\n[[models]]\n\
        file = \"clinic-mep.ifc\"\n[[layers]]\nfile = \"site.geojson\"\n";
    std::fs::write(folder.path().join("twin.toml"), project).unwrap();
    folder
}

/// A twin as a window has it before anything is open.
fn twin() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, TwinPlugins, reload::plugin)).insert_resource(OpenSite(Arc::new(Site::default())));
    app.update();
    app
}

/// Holds the reader of a file back, from where its geometry begins, until it is let through.
struct Gate {
    reached: Receiver<()>,
    through: SyncSender<()>,
}

impl Gate {
    /// At the file that begins as number `number`, before `tell`.
    fn before(number: usize, tell: Tell) -> (Self, Tell) {
        let (reach, reached) = sync_channel(1);
        let (through, pass) = sync_channel(1);
        let (reach, pass) = (Mutex::new(Some(reach)), Mutex::new(pass));
        let gated: Tell = Arc::new(move |news| {
            if matches!(&news, News::Laid { files, .. } if files.len() > number)
                && let Some(reach) = reach.lock().unwrap().take()
            {
                reach.send(()).unwrap();
                // An end without a word: the test is over.
                let _ = pass.lock().unwrap().recv();
            }
            tell(news);
        });
        (Self { reached, through }, gated)
    }

    fn is_reached(&self) -> bool {
        self.reached.try_recv().is_ok()
    }
}

/// Begins to open a project whose second file is held back, and ticks until its reader stands at the gate.
fn held_back(app: &mut App, folder: &Path) -> Gate {
    let (preview, tell) = Preview::new();
    let (gate, tell) = Gate::before(1, tell);
    app.insert_resource(preview);
    opening::start_telling(app.world_mut(), folder.to_path_buf(), None, Some(tell));
    let deadline = Instant::now() + LONG;
    while !gate.is_reached() {
        assert!(opening::poll(app.world_mut()).is_none(), "it opens with a file held back");
        assert!(Instant::now() < deadline, "nothing begins");
        app.update();
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    app.update();
    gate
}

fn polled(app: &mut App) -> (PathBuf, Outcome) {
    let deadline = Instant::now() + LONG;
    loop {
        app.update();
        if let Some(ended) = opening::poll(app.world_mut()) {
            return ended;
        }
        assert!(Instant::now() < deadline, "it hangs");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

fn open_elements(app: &App) -> usize {
    app.world().get_resource::<Scene>().map_or(0, |s| s.site.elements.len())
}

fn seen(app: &App) -> usize {
    app.world().get_resource::<Preview>().map_or(0, |p| p.files().iter().map(|f| f.pieces.len()).sum())
}

#[test]
fn geometry_is_seen_before_the_site_and_not_beside_it() {
    let folder = clinic();
    let mut app = twin();
    let gate = held_back(&mut app, folder.path());
    let first = seen(&app);
    assert!(first > 100, "the first file is seen while the second is held back: {first} products");
    assert_eq!(open_elements(&app), 0, "no site yet");
    let bounds = app.world().resource::<Preview>().bounds().unwrap();
    assert!(bounds.size().x > 10.0 && bounds.size().z > 10.0, "{bounds:?}");
    let (done, total) = app.world().resource::<Opening>().progress.get();
    assert!(done <= total, "{done} of {total}");

    gate.through.send(()).unwrap();
    let (path, outcome) = polled(&mut app);
    let (opened, mut live) = outcome.unwrap();
    assert!(seen(&app) > first, "the second file is seen too");
    assert_eq!((path.as_path(), open_elements(&app)), (folder.path(), 0));
    reload::bring(app.world_mut(), &path, &opened, live.as_mut());
    assert!(app.world().contains_resource::<Preview>(), "until the site is there");
    app.update();
    assert_eq!(open_elements(&app), opened.site.elements.len());
    assert!(!app.world().contains_resource::<Preview>(), "not for one tick beside it");
    for _ in 0..3 {
        app.update();
        assert_eq!(seen(&app), 0);
    }

    // What stands is read again, and another opened, without any of it being drawn twice.
    app.world_mut().write_message(Command::Reload);
    app.update();
    assert!(app.world().contains_resource::<Reloading>());
    let deadline = Instant::now() + LONG;
    while app.world().contains_resource::<Reloading>() {
        assert!(!app.world().contains_resource::<Preview>() && Instant::now() < deadline);
        app.update();
    }
    opening::start(app.world_mut(), folder.path().to_path_buf(), None);
    assert!(!app.world().contains_resource::<Preview>());
    assert!(polled(&mut app).1.is_ok());
    assert!(!app.world().contains_resource::<Preview>());
}

#[test]
fn it_can_be_stopped_in_the_middle_and_opened_again() {
    let folder = clinic();
    let mut app = twin();
    let gate = held_back(&mut app, folder.path());
    assert!(seen(&app) > 0);
    app.world().resource::<Opening>().progress.cancel();
    // At once, though the reader has not heard of it.
    let (_, outcome) = opening::poll(app.world_mut()).unwrap();
    let why = outcome.err().unwrap();
    assert!(why.message.contains("stopped") && why.severity == Severity::Info, "{why}");
    assert!(why.place.contains(&*folder.path().to_string_lossy()), "{why}");
    assert!(!app.world().contains_resource::<Preview>() && !app.world().contains_resource::<Opening>());
    gate.through.send(()).unwrap();
    for _ in 0..20 {
        app.update();
        assert!(opening::poll(app.world_mut()).is_none());
        assert!(open_elements(&app) == 0 && !app.world().contains_resource::<Preview>());
    }

    opening::start(app.world_mut(), folder.path().to_path_buf(), None);
    assert!(app.world().contains_resource::<Preview>());
    assert!(polled(&mut app).1.unwrap().0.site.elements.len() > 1000);

    // What cannot be opened leaves nothing behind.
    opening::start(app.world_mut(), folder.path().join("none.ifc"), None);
    assert!(polled(&mut app).1.is_err());
    assert!(!app.world().contains_resource::<Preview>());
}

/// What is told while a project is opened.
fn told(path: &Path) -> (Opened, Vec<News>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let opened = open_shown(path, &Progress::default(), Arc::new(move |news| tell.lock().unwrap().push(news))).unwrap();
    let news = std::mem::take(&mut *told.lock().unwrap());
    (opened, news)
}

/// The boxes of all pieces, by file, where they lie in the end.
fn boxes(news: &[News]) -> Vec<Vec<Aabb>> {
    let laid: Vec<Laid> = news
        .iter()
        .rev()
        .find_map(|n| if let News::Laid { files, .. } = n { Some(files.clone()) } else { None })
        .unwrap_or_default();
    let mut all = vec![Vec::new(); laid.len()];
    for news in news {
        let News::Pieces { file, pieces } = news else { continue };
        let corners = |p: &Piece| {
            let placement = laid[*file].to_project * p.placement;
            let corner = |i: u32| placement.transform_point3(p.shape.positions()[i as usize].map(f64::from).into());
            Aabb::around(p.shape.indices().iter().map(corner)).unwrap()
        };
        all[*file].extend(pieces.iter().map(corners));
    }
    all
}

fn sorted(mut boxes: Vec<Aabb>) -> Vec<Aabb> {
    let key = |b: &Aabb| [b.min, b.max].map(|v| (v * 20.0).round().to_array().map(|x| x as i64));
    boxes.sort_by_key(key);
    boxes
}

#[test]
fn what_is_seen_lies_where_the_site_has_it() {
    let folder = clinic();
    let (opened, news) = told(folder.path());
    let seen = boxes(&news);
    let site = &opened.site;
    assert_eq!(seen.len(), 3);
    for (file, seen) in seen.into_iter().enumerate() {
        let of_file = site.elements.iter().zip(&site.source_of).filter(|(_, s)| usize::from(**s) == file);
        let drawn = of_file.filter(|(e, _)| e.kind != ElementKind::Space && e.shape.is_some());
        let expected: Vec<Aabb> = drawn.filter_map(|(e, _)| e.bounds).collect();
        assert!(expected.len() > 20 && seen.len() == expected.len(), "{file}: {} of {}", seen.len(), expected.len());
        // The same boxes to the millimetre; those of a turned file are as tight as the corners.
        let mut left = sorted(expected);
        for b in sorted(seen) {
            let near = |e: &Aabb| (e.min - b.min).abs().max((e.max - b.max).abs()).max_element() < 1e-3;
            let at = left.iter().position(near).unwrap_or_else(|| panic!("{file}: {b:?} is nowhere in the site"));
            left.swap_remove(at);
        }
        assert!(left.is_empty());
    }
    let layers = news.iter().rev().find_map(|n| match n {
        News::Laid { files, .. } => Some(files.iter().map(|f| f.is_layer).collect::<Vec<_>>()),
        News::Pieces { .. } => None,
    });
    assert_eq!(layers, Some(vec![false, false, true]));

    // The second opening takes everything from the cache: there is nothing to wait for, and nothing to be seen.
    assert!(told(folder.path()).1.is_empty());
    // One model has changed: it is waited for, and the rest is seen beside it.
    let model = folder.path().join("clinic-mep.ifc");
    let text = std::fs::read_to_string(&model).unwrap();
    std::fs::write(&model, text.replacen("DATA;", "DATA; ", 1)).unwrap();
    let (_, news) = told(folder.path());
    assert_eq!(boxes(&news).iter().map(Vec::len).filter(|n| *n > 20).count(), 3);
    // Who does not look gets the same site.
    let plain = open(folder.path(), &Progress::default()).unwrap();
    assert_eq!(plain.site.elements.len(), opened.site.elements.len());
}
