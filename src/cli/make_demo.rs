//! `plenum make-demo`: Writes the demo clinic's files.

use super::interrupt;
use super::output::{Failure, print_json};
use crate::demo::{self, DemoFile};
use crate::problem::Problem;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes the demo clinic's files.
#[derive(clap::Args)]
pub struct Args {
    /// Folder to write into; made if it is not there
    dir: PathBuf,
    /// What the clinic is drawn from: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    let files = write(&args.dir, args.seed)?;
    if args.json {
        let list: Vec<_> = files.iter().map(|f| serde_json::json!({"file": f.name, "bytes": f.text.len()})).collect();
        return print_json(
            &serde_json::json!({"dir": args.dir.display().to_string(), "seed": args.seed, "files": list}),
        );
    }
    for file in &files {
        eprintln!("plenum: wrote {} ({} KB)", args.dir.join(file.name).display(), file.text.len().div_ceil(1000));
    }
    eprintln!("plenum: the clinic of seed {}; open it with `plenum run {}`", args.seed, args.dir.display());
    Ok(())
}

/// Writes the clinic of a seed into a folder of its own; the project file last, so that a folder with
/// one is whole.
pub(super) fn write(dir: &Path, seed: u64) -> Result<Vec<DemoFile>, Failure> {
    let files = demo::files(seed);
    if interrupt::interrupted() {
        return Err(interrupt::stopped(dir.display().to_string()).into());
    }
    let before = check_folder(dir, &files)?;
    let written = write_files(dir, &files);
    if written.is_err() && before != Before::Demo {
        // What was begun is taken away, so that it can be tried again.
        for file in &files {
            let _ = std::fs::remove_file(dir.join(file.name));
        }
        if before == Before::Missing {
            let _ = std::fs::remove_dir(dir);
        }
    }
    written.map(|()| files)
}

fn write_files(dir: &Path, files: &[DemoFile]) -> Result<(), Failure> {
    std::fs::create_dir_all(dir)
        .map_err(|e| failed(dir, &format!("cannot make the folder: {e}"), "name a folder that you may write to"))?;
    for file in files {
        if interrupt::interrupted() {
            return Err(interrupt::stopped(dir.join(file.name).display().to_string()).into());
        }
        write_whole(&dir.join(file.name), file.text.as_bytes())?;
    }
    Ok(())
}

/// What was there before the demo was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Missing,
    Empty,
    Demo,
}

/// A folder that is missing, empty or holds a demo may be written; anybody else's may not.
fn check_folder(dir: &Path, files: &[DemoFile]) -> Result<Before, Failure> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Before::Missing),
        Err(e) => return Err(failed(dir, &format!("cannot look into it: {e}"), "name a folder")),
    };
    let names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    let is_demo = names.iter().any(|n| n == "clinic-mep.ifc");
    if names.is_empty() || is_demo {
        return Ok(if is_demo { Before::Demo } else { Before::Empty });
    }
    let would = names.iter().find(|n| files.iter().any(|f| f.name == n.as_str()));
    let what = would.map_or("the folder holds other files".into(), |n| format!("the folder holds another `{n}`"));
    Err(failed(dir, &what, "name a new or empty folder"))
}

/// Writes beside the file and puts it in place when it is whole.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new()
        .prefix(".plenum-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(|e| failed(path, &format!("cannot write here: {e}"), "name a folder that you may write to"))?;
    draft
        .write_all(bytes)
        .and_then(|()| draft.as_file().sync_all())
        .map_err(|e| failed(path, &format!("cannot write it: {e}"), "make room on the disk"))?;
    let_all_read(draft.path());
    draft
        .persist(path)
        .map_err(|e| failed(path, &format!("cannot replace it: {}", e.error), "close the program that holds it"))?;
    Ok(())
}

/// A draft is private to its user; the finished file is like any other.
#[cfg(unix)]
fn let_all_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644));
}

#[cfg(not(unix))]
fn let_all_read(_path: &Path) {}

fn failed(path: &Path, what: &str, remedy: &str) -> Failure {
    Failure::Failed(Problem::error(path.display().to_string(), what, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_demo_over_a_demo_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("clinic");
        let args = |seed| Args { dir: dir.clone(), seed, json: false };
        run(args(1)).unwrap();
        let first = std::fs::read(dir.join("clinic-mep.ifc")).unwrap();
        run(args(2)).unwrap();
        assert_ne!(first, std::fs::read(dir.join("clinic-mep.ifc")).unwrap());
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), demo::files(1).len(), "a draft was left behind");
        let other = folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("twin.toml"), "mine").unwrap();
        assert!(matches!(run(Args { dir: other.clone(), seed: 1, json: false }), Err(Failure::Failed(_))));
        assert_eq!(std::fs::read_to_string(other.join("twin.toml")).unwrap(), "mine");
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(run(Args { dir: file, seed: 1, json: false }), Err(Failure::Failed(_))));
    }
}
