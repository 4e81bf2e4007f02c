//! What the tests of everything that is written into a project file share.

use super::load;
use crate::problem::Problem;
use std::path::{Path, PathBuf};

/// A project file with comments, as people write them.
pub(super) const FILE: &str = "# A house.\nname = \"House\" # the name\n\n[[layers]]\nfile = \"a.geojson\"\n\n\
    # Where the samples come from.\n[broker]\nurl = \"embedded\"\n";

/// A project of a map layer, with this text in its file; gone with the folder.
pub(super) fn project(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("twin.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("a.geojson"), "{}").unwrap();
    (folder, file)
}

/// What is in the file.
pub(super) fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// Reads a project that [`FILE`] begins and these lines end, and sees that each fault is told at its line, with a
/// remedy.
pub(super) fn told(lines: &str, faults: &[(usize, &str)]) -> super::Project {
    let (_folder, file) = project(&format!("name = \"House\"\n[[layers]]\nfile = \"a.geojson\"\n{lines}"));
    let (read, problems) = load(&file).unwrap();
    for (line, words) in faults {
        let place = format!("twin.toml:{line}");
        let found = problems.iter().any(|p| p.place == place && p.message.contains(words) && !p.remedy.is_empty());
        assert!(found, "{line} {words}: {problems:#?}");
    }
    read
}

/// Files that cannot take what is written, and one that is not there: refused with a remedy, and left as they are.
pub(super) fn refused<T: std::fmt::Debug>(texts: &[&str], write: impl Fn(&Path) -> Result<T, Problem>) {
    for before in texts {
        let (folder, file) = project(before);
        let refused = write(&file).unwrap_err();
        assert!(!refused.remedy.is_empty() && refused.place.ends_with("twin.toml"), "{refused}");
        assert_eq!(text(&file), *before);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "nothing is left beside the project");
    }
    let (_folder, file) = project(FILE);
    assert!(write(&file.with_file_name("none.toml")).is_err());
}

/// Who may read and write a file stays, whatever is written into it; and a file that nobody may write is left alone.
#[cfg(unix)]
pub(super) fn rights_stay<T: std::fmt::Debug>(write: impl Fn(&Path) -> Result<T, Problem>) {
    use std::os::unix::fs::PermissionsExt;
    let (folder, file) = project(FILE);
    let mode = |mode: u32| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o640);
    write(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    let after = text(&file);
    assert!(after.starts_with(FILE) && after.len() > FILE.len(), "{after}");
    std::fs::write(&file, FILE).unwrap();
    mode(0o440);
    // Those who may do everything may write this too.
    if std::fs::OpenOptions::new().append(true).open(&file).is_err() {
        let refused = write(&file).unwrap_err();
        assert!(refused.message.contains("cannot be written"), "{refused}");
        assert_eq!(text(&file), FILE);
    }
    drop(folder);
}
