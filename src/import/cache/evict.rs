//! Keeps a cache folder within its bounds: those that were not used for the longest time go first.

use super::Bounds;
use super::key::is_file_name;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How files are called that are being written.
pub(super) const DRAFT: &str = ".scene-";

/// A file that is still being written after so long was left behind by a program that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A scene is marked as used when its last mark is older: not at every use, which would wear the disk.
const MARK_EVERY: Duration = Duration::from_secs(3600);

/// Removes scenes from `folder` until it holds no more than `bounds` allow; never `newest`, and nothing that is no
/// scene.
pub(super) fn trim(folder: &Path, newest: &str, bounds: &Bounds, now: SystemTime) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut scenes: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    let (mut bytes, mut count) = (0_u64, 0);
    for entry in entries.flatten() {
        let name = entry.file_name();
        let (Some(name), Ok(data)) = (name.to_str(), entry.metadata()) else { continue };
        let used = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        if !data.is_file() {
            continue;
        }
        if is_file_name(name) {
            bytes = bytes.saturating_add(data.len());
            count += 1;
            if name != newest {
                scenes.push((used, data.len(), entry.path()));
            }
        } else if name.starts_with(DRAFT) && now.duration_since(used).is_ok_and(|age| age > ABANDONED) {
            remove(&entry.path());
        }
    }
    scenes.sort();
    for (_, size, path) in scenes {
        if bytes <= bounds.max_bytes && count <= bounds.max_scenes {
            break;
        }
        remove(&path);
        bytes = bytes.saturating_sub(size);
        count -= 1;
    }
}

/// Another program may have removed it, or be reading it: then it goes another time.
fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Ok(()) => tracing::debug!("{} is removed from the cache", path.display()),
        Err(e) => tracing::debug!("{} stays in the cache: {e}", path.display()),
    }
}

/// Notes that a scene was used.
pub(super) fn mark(path: &Path, now: SystemTime) {
    let last = std::fs::metadata(path).and_then(|data| data.modified());
    if last.is_ok_and(|last| now.duration_since(last).is_ok_and(|age| age < MARK_EVERY)) {
        return;
    }
    // Where that is not allowed, the time it was written counts.
    let marked = std::fs::File::options().write(true).open(path).and_then(|file| file.set_modified(now));
    if let Err(e) = marked {
        tracing::debug!("{}: its use is not noted: {e}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(n: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(n * 3600 + 1_000_000_000)
    }

    /// A file of 100 bytes, last used at some hour.
    fn file(folder: &Path, name: &str, hour: u64) {
        std::fs::write(folder.join(name), [0; 100]).unwrap();
        std::fs::File::options().write(true).open(folder.join(name)).unwrap().set_modified(hours(hour)).unwrap();
    }

    fn scene(n: u8) -> String {
        format!("{}.scene", format!("{n:02x}").repeat(32))
    }

    fn left(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_longest_unused_go_first_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for (n, hour) in [(1, 5), (2, 3), (3, 4), (4, 1)] {
            file(folder, &scene(n), hour);
        }
        for other in ["plan.ifc", "0.scene", ".scene-young", ".scene-old"] {
            file(folder, other, if other == ".scene-young" { 90 } else { 1 });
        }
        let wide = Bounds { max_bytes: 400, max_scenes: 4 };
        trim(folder, &scene(4), &wide, hours(100));
        let others = [".scene-young", "0.scene"];
        assert_eq!(left(folder), [others[0], others[1], &scene(1), &scene(2), &scene(3), &scene(4), "plan.ifc"]);
        // The newest stays although it was written with an old time.
        trim(folder, &scene(4), &Bounds { max_bytes: 299, ..wide }, hours(100));
        assert_eq!(left(folder), [others[0], others[1], &scene(1), &scene(4), "plan.ifc"]);
        trim(folder, &scene(4), &Bounds { max_scenes: 1, ..wide }, hours(100));
        assert_eq!(left(folder), [others[0], others[1], &scene(4), "plan.ifc"]);
        trim(folder, &scene(4), &Bounds { max_bytes: 0, max_scenes: 0 }, hours(100));
        assert!(left(folder).contains(&scene(4)));
        trim(&folder.join("none"), "", &wide, hours(100));
    }

    #[test]
    fn use_is_noted_now_and_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(scene(1));
        file(folder.path(), &scene(1), 10);
        let noted = || std::fs::metadata(&path).unwrap().modified().unwrap();
        mark(&path, hours(10) + Duration::from_secs(60));
        assert_eq!(noted(), hours(10));
        mark(&path, hours(12));
        assert_eq!(noted(), hours(12));
        mark(&folder.path().join("none"), hours(12));
    }
}
