//! Kept scenes: whatever is wrong with one is noticed, and nothing is believed that does not hang together.

use crate::engine::{Fuzz, marked, outcome_of};
use crate::models::{limits, sound, used};
use plenum::import::Progress;
use plenum::import::cache::{Cache, Imported};
use std::path::PathBuf;
use std::time::SystemTime;

/// Where the sections begin, and how many there are: `src/import/cache/file.rs` has the table.
const TABLE: usize = 56;
const SECTIONS: usize = 5;
const SUM: usize = 16;
const HEADER: usize = TABLE + SECTIONS * (8 + SUM) + SUM;

/// A small layer and the scene that was kept of it.
struct Kept {
    _folder: tempfile::TempDir,
    file: PathBuf,
    scene: PathBuf,
    cache: Cache,
    good: Vec<u8>,
    first: Imported,
}

impl Kept {
    /// Of a file with these contents.
    fn new(name: &str, text: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let scenes = folder.path().join("scenes");
        // As of tomorrow: the marks of use change nothing on the disk.
        let cache = Cache::new(&scenes, SystemTime::now() + std::time::Duration::from_secs(86_400));
        let first = cache.read(&file, &limits(), &Progress::default()).unwrap();
        assert_eq!(cache.keep(&first), Ok(true));
        let is_scene = |path: &PathBuf| path.extension().is_some_and(|e| e == "scene");
        let scene = std::fs::read_dir(&scenes).unwrap().map(|e| e.unwrap().path()).find(is_scene).unwrap();
        let good = std::fs::read(&scene).unwrap();
        Self { _folder: folder, file, scene, cache, good, first }
    }

    /// What is found when these bytes stand in the scene's place.
    fn found(&self, bytes: &[u8]) -> Option<Imported> {
        std::fs::write(&self.scene, bytes).unwrap();
        self.cache.find(&self.file, &limits(), &Progress::default()).ok()
    }

    /// The good scene's sections.
    fn sections(&self) -> Vec<Vec<u8>> {
        let mut at = HEADER;
        let lengths = self.good[TABLE..HEADER - SUM].chunks(8 + SUM);
        let sections = lengths.map(|entry| {
            let length = u64::from_le_bytes(entry[..8].try_into().unwrap()) as usize;
            at += length;
            self.good[at - length..at].to_vec()
        });
        sections.collect()
    }

    /// A scene of these sections with all the right lengths and checksums, which nothing of ours would write.
    fn forged(&self, sections: &[Vec<u8>]) -> Vec<u8> {
        let sum = |bytes: &[u8]| {
            let mut sum = [0; SUM];
            blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut sum);
            sum
        };
        let total = HEADER + sections.iter().map(Vec::len).sum::<usize>();
        let mut out = self.good[..TABLE - 8].to_vec();
        out.extend((total as u64).to_le_bytes());
        for section in sections {
            out.extend((section.len() as u64).to_le_bytes());
            out.extend(sum(section));
        }
        let own = sum(&out);
        out.extend(own);
        out.extend(sections.iter().flatten());
        out
    }
}

const LAYER: &[u8] = br#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"B1","properties":{"kind":"building",
"height":9,"tags":["a",["b"]]},"geometry":{"type":"Polygon","coordinates":[[[8.5,47.3],[8.6,47.3],[8.6,47.4],[8.5,47.3]]]}}]}"#;

/// Bytes changed, cut off or added: it is noticed.
pub fn scene() {
    let kept = Kept::new("a.geojson", LAYER);
    let shifted = kept.good.iter().rev().copied().collect::<Vec<u8>>();
    Fuzz::new("scene").seeds([kept.good.clone(), shifted, Vec::new()]).words(&["PLENUMsc", "\u{1}\0\0\0"]).run(
        |input| match kept.found(input) {
            Some(imported) => {
                assert!(input == kept.good, "a broken scene was believed");
                assert!(imported.model == kept.first.model && imported.from_cache);
                1
            }
            None => {
                assert!(input != kept.good, "a good scene was not believed");
                0
            }
        },
    );
}

/// The first byte says which section the rest takes the place of, in which of two scenes.
pub fn scene_forged() {
    let pipe = include_bytes!("../corpus/pipe.ifc");
    let scenes = [Kept::new("a.geojson", LAYER), Kept::new("a.ifc", pipe)];
    let sections = scenes.each_ref().map(Kept::sections);
    for (kept, sections) in scenes.iter().zip(&sections) {
        assert!(kept.forged(sections) == kept.good, "the scene's format is another one: mend this forger");
    }
    let numbered = |(which, sections): (usize, &Vec<Vec<u8>>)| {
        let place = |n: usize| (which * SECTIONS + n) as u8;
        sections.iter().enumerate().map(|(n, s)| marked(&[place(n)], s)).collect::<Vec<_>>()
    };
    Fuzz::new("scene_forged").seeds(sections.iter().enumerate().flat_map(numbered)).run(|input| {
        let Some((place, bytes)) = input.split_first() else { return 0 };
        let (which, section) = (usize::from(*place) / SECTIONS % 2, usize::from(*place) % SECTIONS);
        let mut changed = sections[which].clone();
        changed[section] = bytes.to_vec();
        let Some(imported) = scenes[which].found(&scenes[which].forged(&changed)) else {
            return u64::from(*place);
        };
        hangs_together(&imported);
        let sizes = [imported.model.elements.len(), imported.model.shapes.len(), imported.problems.len()];
        outcome_of([format!("{which} {sizes:?}").replace(|c: char| c.is_ascii_digit(), "n").as_str()])
            .wrapping_add(sizes.iter().sum::<usize>().min(50) as u64)
    });
}

/// Forged numbers may be any; what is made of them must not fail, and no index may point at nothing.
fn hangs_together(imported: &Imported) {
    let mut model = imported.model.clone();
    for element in &mut model.elements {
        let finite = element.bounds.is_none_or(|b| b.min.is_finite() && b.max.is_finite());
        element.bounds = element.bounds.filter(|_| finite);
        if !element.placement.is_finite() {
            element.placement = glam::DAffine3::IDENTITY;
        }
        element.colour = element.colour.map(|c| if c.is_finite() { c.clamp(0.0, 1.0) } else { 0.0 });
    }
    for storey in &mut model.storeys {
        storey.elevation_m = if storey.elevation_m.is_finite() { storey.elevation_m } else { 0.0 };
    }
    let numbers =
        |m: &plenum::site::Model| m.shapes.iter().all(|s| s.positions().iter().flatten().all(|v| v.is_finite()));
    if numbers(&model) {
        sound(&model);
    }
    used(imported.model.clone());
}
