//! What a cached scene was made of: the file's bytes, the reader, and the limits that change what is read.

use crate::import::{Limits, Progress, ifc, open_file};
use std::io::Read;
use std::path::Path;

/// Bytes read at a time: enough for the hash to work on many lanes, and little enough to stay in the processor.
const BLOCK: usize = 128 * 1024;

/// A number that changes with the text of the reader: FNV-1a over its sources, worked out by the compiler. So nobody
/// has to remember to count a version up, and what an older reader left out is never served by a newer one.
macro_rules! fingerprint {
    ($($file:literal),* $(,)?) => {
        /// The sources that decide what a file is read as, from this folder.
        #[cfg(test)]
        const SOURCES: &[&str] = &[$($file),*];
        const READER: u64 = {
            let mut hash = EMPTY;
            // Each file by itself: the compiler does not like to compute for long.
            $(hash = mix(hash, &const { mix(EMPTY, include_bytes!($file)) }.to_le_bytes());)*
            hash
        };
    };
}

/// FNV-1a of nothing.
const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

const fn mix(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}

fingerprint!(
    "../mod.rs",
    "../colour.rs",
    "../preview.rs",
    "../progress.rs",
    "../ifc/attributes.rs",
    "../ifc/container.rs",
    "../ifc/elements.rs",
    "../ifc/ends.rs",
    "../ifc/georeference.rs",
    "../ifc/lite.rs",
    "../ifc/lite/triangles.rs",
    "../ifc/mesher.rs",
    "../ifc/mod.rs",
    "../ifc/numbers.rs",
    "../ifc/placement.rs",
    "../ifc/properties.rs",
    "../ifc/relations.rs",
    "../ifc/report.rs",
    "../ifc/shapes.rs",
    "../ifc/spatial.rs",
    "../ifc/units.rs",
    "../registry.rs",
    "../registry/cells.rs",
    "../registry/cobie.rs",
    "../registry/columns.rs",
    "../registry/delimited.rs",
    "../registry/folder.rs",
    "../registry/rows.rs",
    "../registry/workbook.rs",
    "../gis/build.rs",
    "../gis/frame.rs",
    "../gis/geojson.rs",
    "../gis/kind.rs",
    "../gis/mod.rs",
    "../gis/solids.rs",
    "../network/features.rs",
    "../network/mod.rs",
    "../network/inp/absurd.rs",
    "../network/inp/controls.rs",
    "../network/inp/data.rs",
    "../network/inp/document.rs",
    "../network/inp/drawing.rs",
    "../network/inp/entries.rs",
    "../network/inp/entries_network.rs",
    "../network/inp/entries_rest.rs",
    "../network/inp/entries_time.rs",
    "../network/inp/links.rs",
    "../network/inp/mod.rs",
    "../network/inp/nodes.rs",
    "../network/inp/quality.rs",
    "../network/inp/reader.rs",
    "../network/inp/rules.rs",
    "../network/inp/settings.rs",
    "../network/inp/units.rs",
    "../network/inp/words.rs",
    "../network/inp/write.rs",
    "../../problem.rs",
    "../../shape/aabb.rs",
    "../../shape/bvh/details.rs",
    "../../shape/mesh.rs",
    "../../shape/ends.rs",
    "../../site/assets.rs",
    "../../site/model.rs",
    "../../site/model/numbers.rs",
    "../../site/model/properties.rs",
    "../../simulation/network/links.rs",
    "../../simulation/network/model.rs",
    "../../site/unit.rs",
);

/// The name of a scene: equal for equal bytes read by the same reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// What the file's bytes give.
    source: [u8; 32],
    /// What these give together with reader and limits.
    pub(super) name: [u8; 32],
}

impl Key {
    /// The key of a file's present contents; none when it cannot be read, is larger than the limit, or reading it was
    /// cancelled: its reader will say so.
    pub(super) fn of(path: &Path, limits: &Limits, reader: &str, progress: &Progress) -> Option<Self> {
        let Limits { max_bytes, cut_patience: _, uncut_patience: _ } = limits;
        let source = hash(path, *max_bytes, progress)?;
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let mut whole = blake3::Hasher::new();
        whole.update(&source);
        whole.update(&max_bytes.to_le_bytes());
        for word in [reader, &extension] {
            whole.update(&(word.len() as u64).to_le_bytes());
            whole.update(word.as_bytes());
        }
        Some(Self { source, name: *whole.finalize().as_bytes() })
    }

    /// True when the file still has the bytes that the key was made of.
    pub(super) fn still_fits(&self, path: &Path) -> bool {
        hash(path, u64::MAX, &Progress::default()) == Some(self.source)
    }

    /// What the scene's file is called.
    pub(super) fn file_name(&self) -> String {
        format!("{}{ENDING}", blake3::Hash::from_bytes(self.name).to_hex())
    }
}

/// How the names of scenes end.
const ENDING: &str = ".scene";

/// True for the name that some scene's file has.
pub(super) fn is_file_name(name: &str) -> bool {
    name.strip_suffix(ENDING).is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The version of the reader: of its sources, of this program, and of the libraries whose work is kept.
pub(super) fn reader() -> String {
    format!("{READER:016x} {} {}", env!("CARGO_PKG_VERSION"), ifc::LIBRARY)
}

/// BLAKE3 of a file, read in blocks.
fn hash(path: &Path, max_bytes: u64, progress: &Progress) -> Option<[u8; 32]> {
    let (mut file, size) = open_file(path).ok()?;
    if size > max_bytes || size == 0 {
        return None;
    }
    let mut block = vec![0; BLOCK.min(usize::try_from(size).unwrap_or(BLOCK))];
    let mut hasher = blake3::Hasher::new();
    let mut read = 0;
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(block.get(..n)?);
                read += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        if progress.cancelled() || read > max_bytes {
            return None;
        }
    }
    Some(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn key(path: &Path, limits: &Limits, reader: &str) -> Option<Key> {
        Key::of(path, limits, reader, &Progress::default())
    }

    #[test]
    fn what_changes_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let limits = Limits::default();
        let first = key(&file("a.ifc", "one"), &limits, "r").unwrap();
        assert_eq!(key(&file("b.IFC", "one"), &limits, "r"), Some(first), "neither place nor capitals");
        let patient = Limits { cut_patience: std::time::Duration::from_secs(1), ..limits.clone() };
        assert_eq!(key(&file("a.ifc", "one"), &patient, "r"), Some(first), "what is whole is whole");
        let others = [
            key(&file("a.ifc", "two"), &limits, "r"),
            key(&file("a.json", "one"), &limits, "r"),
            key(&file("a.ifc", "one"), &limits, "s"),
            key(&file("a.ifc", "one"), &Limits { max_bytes: 100, ..limits.clone() }, "r"),
        ];
        for other in others {
            assert_ne!(other.unwrap().name, first.name);
        }
        assert_eq!(key(&file("a.ifc", "one"), &Limits { max_bytes: 2, ..limits.clone() }, "r"), None, "too large");
        assert_eq!(key(&file("a.ifc", ""), &limits, "r"), None);
        assert_eq!(key(folder.path(), &limits, "r"), None);
        let changing = file("c.ifc", "one");
        assert!(first.still_fits(&changing));
        file("c.ifc", "six");
        assert!(!first.still_fits(&changing));
        assert!(is_file_name(&first.file_name()) && !is_file_name("notes.scene") && !is_file_name("x"));
    }

    #[test]
    fn a_cancelled_hash_gives_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ifc");
        std::fs::write(&path, "one").unwrap();
        let progress = Progress::default();
        progress.cancel();
        assert_eq!(Key::of(&path, &Limits::default(), "r", &progress), None);
    }

    /// A reader's new file has its line above, or older scenes would be served as if nothing had changed.
    #[test]
    fn every_source_of_a_reader_counts() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import/cache");
        // These read no model: specifications, single values for them, and nets that are only solved.
        let other = ["../cache.rs", "../ids.rs", "../ifc/facts.rs", "../network/pandapipes.rs"];
        for folder in ["..", "../ifc", "../ifc/lite", "../gis", "../registry", "../network", "../network/inp"] {
            for entry in std::fs::read_dir(here.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let source = format!("{folder}/{name}");
                if name.ends_with(".rs") && !other.contains(&source.as_str()) {
                    assert!(SOURCES.contains(&source.as_str()), "add \"{source}\" to the fingerprint in {}", file!());
                }
            }
        }
        assert!(SOURCES.iter().all(|s| PathBuf::from(&here).join(s).is_file()));
    }

    #[test]
    fn the_version_is_that_of_the_library_in_use() {
        let lock = include_str!("../../../Cargo.lock").replace("\r\n", "\n");
        for name in ["ifc-lite-core", "ifc-lite-processing"] {
            let line = format!("name = \"{name}\"\nversion = \"{}\"\n", ifc::LIBRARY);
            assert!(lock.contains(&line), "write the version of {name} into import/ifc/lite.rs");
        }
    }
}
