//! Pictures without a window, small, on whatever can draw here (software Vulkan will do).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "desktop")]

use glam::{DAffine3, DVec3};
use plenum::analytics::Health;
use plenum::desktop::adapter;
use plenum::desktop::camera::views::NamedView;
use plenum::desktop::shot::{Picture, Shot, draw};
use plenum::shape::{Aabb, Shape, Triangles};
use plenum::site::model::Storey;
use plenum::site::{Element, ElementKind, Point, Site, Slot};
use plenum::twin::command::Command;
use plenum::twin::scene::OpenSite;
use plenum::twin::view::{ColourBy, Theme};
use std::sync::Arc;

/// True when there is something to draw with; says so loudly when there is not.
fn can_draw() -> bool {
    match adapter::find() {
        Ok(_) => true,
        Err(problem) => {
            eprintln!("skipped: no picture was drawn: {problem}");
            false
        }
    }
}

/// A box from the origin, Z up, with outward normals.
fn cuboid(size: [f32; 3]) -> Shape {
    let [x, y, z] = size;
    let faces: [([f32; 3], [[f32; 3]; 4]); 6] = [
        ([0.0, 0.0, -1.0], [[0.0, 0.0, 0.0], [0.0, y, 0.0], [x, y, 0.0], [x, 0.0, 0.0]]),
        ([0.0, 0.0, 1.0], [[0.0, 0.0, z], [x, 0.0, z], [x, y, z], [0.0, y, z]]),
        ([0.0, -1.0, 0.0], [[0.0, 0.0, 0.0], [x, 0.0, 0.0], [x, 0.0, z], [0.0, 0.0, z]]),
        ([0.0, 1.0, 0.0], [[0.0, y, 0.0], [0.0, y, z], [x, y, z], [x, y, 0.0]]),
        ([-1.0, 0.0, 0.0], [[0.0, 0.0, 0.0], [0.0, 0.0, z], [0.0, y, z], [0.0, y, 0.0]]),
        ([1.0, 0.0, 0.0], [[x, 0.0, 0.0], [x, y, 0.0], [x, y, z], [x, 0.0, z]]),
    ];
    let mut shape = Triangles::default();
    for (normal, corners) in faces {
        let first = shape.positions.len() as u32;
        shape.positions.extend(corners);
        shape.normals.extend([normal; 4]);
        shape.indices.extend([0, 1, 2, 0, 2, 3].map(|i| first + i));
    }
    shape.into()
}

/// One green machine of 4 m, alone, that fills the middle of any picture of it.
fn site() -> Site {
    let shape = cuboid([4.0, 4.0, 4.0]);
    let machine = Element {
        id: "machine".into(),
        class: "IfcChiller".into(),
        kind: ElementKind::Element,
        storey: Some(0),
        shape: Some(0),
        placement: DAffine3::from_translation(DVec3::new(10.0, 20.0, 0.0)),
        colour: [0.05, 0.6, 0.05, 1.0],
        bounds: Some(Aabb { min: DVec3::new(10.0, 20.0, 0.0), max: DVec3::new(14.0, 24.0, 4.0) }),
        ..Element::default()
    };
    let mut site = Site::default();
    site.elements = vec![machine];
    site.source_of = vec![0];
    site.storeys = vec![Storey { name: "Ground".into(), ..Storey::default() }];
    site.shapes = vec![Arc::new(shape)];
    site.points = vec![Point {
        id: "machine/running".into(),
        asset: Slot(0),
        role: "running".into(),
        name: "running".into(),
        unit: plenum::site::unit::Unit::ONE,
        expected: None,
        period_s: 1.0,
        stale_after_s: 60.0,
        check: None,
        source: plenum::site::point::PointSource::Topic { topic: "t".into(), key: String::new() },
        remedy: String::new(),
        watch: Default::default(),
    }];
    site
}

fn picture(shot: Shot) -> Picture {
    let shot = Shot { size: [192, 128], fineness: 1, panels: false, ..shot };
    let site = Arc::new(site());
    let picture = draw(&shot, |app| {
        app.insert_resource(OpenSite(site));
    })
    .expect("an adapter was found, so there is a picture");
    assert_eq!(picture.size, [192, 128]);
    assert_eq!(picture.rgba.len(), 192 * 128 * 4);
    picture
}

/// Mean colour of 8 by 8 pixels about the middle.
fn middle(picture: &Picture) -> [f64; 3] {
    mean(picture, picture.size[0] / 2, picture.size[1] / 2)
}

fn mean(picture: &Picture, x: u32, y: u32) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for dy in 0..8 {
        for dx in 0..8 {
            let at = (((y + dy - 4) * picture.size[0] + x + dx - 4) * 4) as usize;
            (0..3).for_each(|c| sum[c] += f64::from(picture.rgba[at + c]) / 64.0);
        }
    }
    sum
}

#[test]
fn colours_mean_what_they_say() {
    if !can_draw() {
        return;
    }
    let own = middle(&picture(Shot::default()));
    assert!(own[1] > 1.6 * own[0] && own[1] > 1.6 * own[2], "the machine is green: {own:?}");

    // Nothing is known of it: grey, neither its own green nor the green of good health.
    let unknown = middle(&picture(Shot { colour_by: ColourBy::Health, ..Shot::default() }));
    let spread = unknown.iter().fold(0.0_f64, |m, c| m.max((c - unknown[0]).abs()));
    assert!(spread < 40.0, "unknown health is grey: {unknown:?}");
    assert_eq!(Health::default(), Health::Unknown);
}

#[test]
fn what_is_hidden_is_not_drawn_and_themes_differ() {
    if !can_draw() {
        return;
    }
    let hidden =
        middle(&picture(Shot { commands: vec![Command::Hide(vec![Slot(0)])], theme: Theme::Light, ..Shot::default() }));
    let spread = hidden.iter().fold(0.0_f64, |m, c| m.max((c - hidden[0]).abs()));
    assert!(spread < 30.0, "ground or sky where the green machine was: {hidden:?}");
    let dark = picture(Shot::default());
    let corner = mean(&dark, 8, 8);
    assert!(corner.iter().sum::<f64>() < 300.0, "the dark theme is dark: {corner:?}");
    assert!(hidden.iter().sum::<f64>() > 450.0, "the light theme is light: {hidden:?}");
}

#[test]
fn a_storey_is_cut_and_an_unknown_one_is_refused_with_the_names_there_are() {
    if !can_draw() {
        return;
    }
    let whole = picture(Shot::default());
    let cut = picture(Shot { view: Some(NamedView::Storey("Ground".into())), ..Shot::default() });
    assert_ne!(middle(&whole), middle(&cut));
    let site = Arc::new(site());
    let shot =
        Shot { size: [192, 128], panels: false, view: Some(NamedView::Storey("Attic".into())), ..Shot::default() };
    let refused = draw(&shot, |app| {
        app.insert_resource(OpenSite(site));
    })
    .err()
    .expect("there is no attic");
    assert!(refused.message.contains("Attic") && refused.message.contains("Ground"), "{refused}");
}

/// The demo clinic, drawn small and compared with pictures that people have looked at.
mod references {
    use super::can_draw;
    use bevy::prelude::{App, Local, Res, Update};
    use crossbeam_channel::{Sender, unbounded};
    use plenum::desktop::camera::views::NamedView;
    use plenum::desktop::panels::{PanelsPlugin, Templates};
    use plenum::desktop::shot::{Picture, Shot, draw};
    use plenum::import::{self, Progress};
    use plenum::quality::Quality;
    use plenum::simulation::emulator::{Emulator, FaultSpec, Settings};
    use plenum::site::{self, PointIndex, Project, Site};
    use plenum::telemetry::{Arrival, Sample};
    use plenum::twin::scene::{OpenSite, Scene};
    use plenum::twin::telemetry::Inlet;
    use plenum::twin::view::{ColourBy, Theme};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    /// Another driver rounds otherwise and draws an edge a pixel further; it does not draw another picture.
    const MEAN_OFF: f64 = 3.0;
    /// A pixel that is so far off is another one.
    const OFF: i32 = 40;
    const PART_OFF: f64 = 0.02;
    /// Ticks of one simulated minute each, the fault in the fifth.
    const MINUTES: usize = 24;

    fn clinic() -> (Project, Arc<Site>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
        let (project, _) = site::project::load(&folder).unwrap();
        let files = project.models.iter().map(|m| (m.file.clone(), m.discipline.clone()));
        let files = files.chain(project.layers.iter().map(|l| (l.file.clone(), "site".to_owned())));
        let models =
            files.map(|(file, of)| (import::read(&file, &Progress::default()).unwrap().0, of)).collect::<Vec<_>>();
        let (site, _) = site::assemble(&project, models);
        (project, Arc::new(site))
    }

    /// A minute of the building's life: what every point measures, then the clock.
    fn minute(emulator: &mut Emulator, site: &Site, to: &Sender<Arrival>) {
        emulator.step(60.0);
        let now = emulator.now();
        for point in (0..site.points.len() as u32).map(PointIndex) {
            if let Some(value) = emulator.read(point) {
                let sample = Sample { point, device_time: now, arrival: now, value, quality: Quality::Good, code: 0 };
                to.send(Arrival::Sample(sample)).unwrap();
            }
        }
        to.send(Arrival::Clock(now)).unwrap();
    }

    /// Draws the clinic alive, with no clock but the emulator's own.
    fn alive(shot: Shot, project: &Project, site: &Arc<Site>, fault: Option<&str>) -> Picture {
        let (mut emulator, _) = Emulator::new(site, Settings::of_seed(1));
        let fault = fault.map(|f| FaultSpec::parse(f).unwrap());
        let (to, inlet) = unbounded();
        let devices = Arc::clone(site);
        let live = move |scene: Option<Res<Scene>>, mut ticks: Local<usize>| {
            // The points are there a tick after the site.
            *ticks += usize::from(scene.is_some());
            if !(2..2 + MINUTES).contains(&*ticks) {
                return;
            }
            if let (7, Some(fault)) = (*ticks, &fault) {
                emulator.inject(fault, emulator.now()).unwrap();
            }
            minute(&mut emulator, &devices, &to);
        };
        let shot = Shot { fineness: 1, ticks: MINUTES + 6, ..shot };
        draw(&shot, |app: &mut App| {
            if shot.panels {
                app.add_plugins(PanelsPlugin).insert_resource(Templates(project.templates.clone()));
            }
            app.insert_resource(OpenSite(Arc::clone(site))).insert_resource(Inlet(inlet)).add_systems(Update, live);
        })
        .unwrap()
    }

    /// Blacks out the time that a frame takes, the one thing in the panels that is never the same.
    fn masked(mut picture: Picture, scale: f32) -> Picture {
        let [width, height] = picture.size;
        let (w, h) = ((90.0 * scale) as u32, (24.0 * scale) as u32);
        for y in height - h..height {
            for x in width - w..width {
                let at = ((y * width + x) * 4) as usize;
                picture.rgba[at..at + 3].fill(0);
            }
        }
        picture
    }

    /// How far two pictures are apart: mean difference of a channel, and the part of pixels that are others.
    fn apart(a: &Picture, b: &Picture) -> (f64, f64) {
        assert_eq!(a.size, b.size);
        let (mut sum, mut others) = (0_i64, 0_usize);
        for (p, q) in a.rgba.chunks_exact(4).zip(b.rgba.chunks_exact(4)) {
            let off = [0, 1, 2].map(|c| (i32::from(p[c]) - i32::from(q[c])).abs());
            sum += i64::from(off.iter().sum::<i32>());
            others += usize::from(off.iter().any(|o| *o > OFF));
        }
        let pixels = (a.rgba.len() / 4) as f64;
        (sum as f64 / (3.0 * pixels), others as f64 / pixels)
    }

    fn is_like(a: &Picture, b: &Picture) -> bool {
        let (mean, part) = apart(a, b);
        mean < MEAN_OFF && part < PART_OFF
    }

    fn file(folder: &Path, name: &str) -> PathBuf {
        folder.join(format!("{name}.png"))
    }

    fn save(file: &Path, picture: &Picture) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let rgb: Vec<u8> = picture.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        image::RgbImage::from_raw(picture.size[0], picture.size[1], rgb).unwrap().save(file).unwrap();
    }

    fn read(file: &Path) -> Picture {
        let image = image::open(file).unwrap_or_else(|e| {
            panic!("{}: {e}; look at fresh ones, kept by PLENUM_UPDATE_PICTURES=1", file.display())
        });
        let image = image.to_rgba8();
        Picture { size: [image.width(), image.height()], rgba: image.into_raw() }
    }

    /// Pixels of the red that says critical.
    fn red(picture: &Picture) -> usize {
        picture.rgba.chunks_exact(4).filter(|p| p[0] > 150 && p[1] < 90 && p[2] < 90).count()
    }

    #[test]
    fn the_clinic_looks_as_it_did() {
        if !can_draw() {
            println!("skipped: the clinic's pictures were not compared, there is nothing to draw with");
            return;
        }
        let (project, site) = clinic();
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/reference");
        let update = std::env::var_os("PLENUM_UPDATE_PICTURES").is_some_and(|v| !v.is_empty());
        let small = Shot { size: [480, 270], panels: false, ..Shot::default() };
        let large = Shot { size: [960, 540], panels: true, ..Shot::default() };
        let storey = |name: &str| Some(NamedView::Storey(name.into()));
        let stuck = Some("stuck-valve:VAV-0-01-V@0s");
        let shots = [
            ("outside", None, Shot { view: Some(NamedView::Outside), ..small.clone() }),
            ("plant", None, Shot { view: Some(NamedView::Plant), ..small.clone() }),
            ("storey", None, Shot { view: storey("Level 1"), colour_by: ColourBy::Temperature, ..small.clone() }),
            ("health-fault", stuck, Shot { view: storey("Level 0"), colour_by: ColourBy::Health, ..small.clone() }),
            ("panels", None, large.clone()),
            ("panels-light", None, Shot { theme: Theme::Light, ..large.clone() }),
            ("scale-150", None, Shot { scale: 1.5, size: [1200, 720], ..large }),
        ];
        let mut wrong = Vec::new();
        let mut drawn = Vec::new();
        for (name, fault, shot) in shots {
            let (panels, scale) = (shot.panels, shot.scale);
            let picture = alive(shot, &project, &site, fault);
            let picture = if panels { masked(picture, scale) } else { picture };
            let reference = file(&kept, name);
            if update {
                save(&reference, &picture);
            }
            let (mean, part) = apart(&picture, &read(&reference));
            println!("{name}: {mean:.2} of 255 off in the mean, {:.2} % of the pixels are others", part * 100.0);
            if mean >= MEAN_OFF || part >= PART_OFF {
                let fresh = file(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures"), name);
                save(&fresh, &picture);
                wrong.push(format!("{name} ({mean:.1} of 255, {:.1} %): {}", part * 100.0, fresh.display()));
            }
            drawn.push(picture);
        }
        assert!(wrong.is_empty(), "not as the references, look at these: {wrong:#?}");

        // The tolerance lets no other view, colour or theme pass.
        let [outside, plant, storey, health, dark, light, _] = &drawn[..] else { panic!("seven pictures") };
        for (what, a, b) in
            [("view", outside, plant), ("colour", storey, health), ("theme", dark, light), ("storey", outside, storey)]
        {
            assert!(!is_like(a, b), "another {what} passes: {:?}", apart(a, b));
        }
        assert!(red(health) > 400, "the stuck valve is seen: {} red pixels", red(health));
        assert!(red(storey) < red(health) / 20, "red is a fault's: {} red pixels", red(storey));
    }
}
