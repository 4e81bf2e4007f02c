//! `plenum make-demo`: Writes the demo clinic's files, or those of a campus of such clinics.

use super::interrupt;
use super::output::{Failure, print_json};
use crate::demo::campus::{Campus, MOST_BUILDINGS};
use crate::demo::{self, DemoFile};
use crate::problem::Problem;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes the demo clinic's files, or those of a campus of such clinics.
///
/// With --buildings it writes as many clinics, each of a seed and plan of its own and on a plot of its own, as one
/// project of two models a building: 28 of them have more than 100,000 elements. Some 4 MB a building.
#[derive(clap::Args)]
pub struct Args {
    /// Folder to write into; made if it is not there
    dir: PathBuf,
    /// What the clinic is drawn from: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write a campus of so many clinics
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MOST_BUILDINGS as i64))]
    buildings: Option<u16>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    let told = |name: &str, bytes: usize| {
        if !args.json {
            eprintln!("plenum: wrote {} ({} KB)", args.dir.join(name).display(), bytes.div_ceil(1000));
        }
    };
    let (files, what) = match args.buildings {
        None => {
            let files = write(&args.dir, args.seed)?;
            let files: Vec<(String, usize)> = files.into_iter().map(|f| (f.name.to_owned(), f.text.len())).collect();
            files.iter().for_each(|(name, bytes)| told(name, *bytes));
            (files, "the clinic".to_owned())
        }
        Some(buildings) => {
            let campus = Campus::new(args.seed, usize::from(buildings));
            (write_campus(&args.dir, &campus, told)?, format!("a campus of {buildings} clinics"))
        }
    };
    if args.json {
        let list: Vec<_> = files.iter().map(|(name, bytes)| json!({"file": name, "bytes": bytes})).collect();
        let mut document = json!({"dir": args.dir.display().to_string(), "seed": args.seed, "files": list});
        if let Some(buildings) = args.buildings {
            document["buildings"] = buildings.into();
        }
        return print_json(&document);
    }
    eprintln!("plenum: {what} of seed {}; open it with `plenum run {}`", args.seed, args.dir.display());
    Ok(())
}

/// Writes the clinic of a seed into a folder of its own; the project file last, so that a folder with
/// one is whole.
pub(super) fn write(dir: &Path, seed: u64) -> Result<Vec<DemoFile>, Failure> {
    let files = demo::files(seed);
    let names: Vec<String> = files.iter().map(|f| f.name.to_owned()).collect();
    write_all(dir, &names, files.iter().map(|f| (f.name, f.text.as_str())), |_, _| ())?;
    Ok(files)
}

/// Writes a campus into a folder of its own, the project file last; `told` hears of every file and its bytes.
/// Files are made one building after the other, so that no more than one is held.
pub(super) fn write_campus(
    dir: &Path,
    campus: &Campus,
    told: impl FnMut(&str, usize),
) -> Result<Vec<(String, usize)>, Failure> {
    write_all(dir, &campus.file_names(), campus.files().map(|f| (f.name, f.text)), told)
}

/// Writes files of these names; gives them with their bytes.
fn write_all<N: AsRef<str>, T: AsRef<str>>(
    dir: &Path,
    names: &[String],
    files: impl Iterator<Item = (N, T)>,
    mut told: impl FnMut(&str, usize),
) -> Result<Vec<(String, usize)>, Failure> {
    if interrupt::interrupted() {
        return Err(interrupt::stopped(dir.display().to_string()).into());
    }
    let before = check_folder(dir, names)?;
    let mut written = Vec::new();
    let write = || -> Result<(), Failure> {
        std::fs::create_dir_all(dir)
            .map_err(|e| failed(dir, &format!("cannot make the folder: {e}"), "name a folder that you may write to"))?;
        for (name, text) in files {
            let (name, text) = (name.as_ref(), text.as_ref());
            if interrupt::interrupted() {
                return Err(interrupt::stopped(dir.join(name).display().to_string()).into());
            }
            write_whole(&dir.join(name), text.as_bytes())?;
            told(name, text.len());
            written.push((name.to_owned(), text.len()));
        }
        Ok(())
    };
    let done = write();
    if done.is_err() && before != Before::Demo {
        // What was begun is taken away, so that it can be tried again.
        for name in names {
            let _ = std::fs::remove_file(dir.join(name));
        }
        if before == Before::Missing {
            let _ = std::fs::remove_dir(dir);
        }
    }
    done.map(|()| written)
}

/// What was there before the demo was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Missing,
    Empty,
    Demo,
}

/// How the services model of every building ends.
const SERVICES: &str = "-mep.ifc";

/// A folder that is missing, empty or holds a demo of these files may be written; anybody else's may not.
fn check_folder(dir: &Path, files: &[String]) -> Result<Before, Failure> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Before::Missing),
        Err(e) => return Err(failed(dir, &format!("cannot look into it: {e}"), "name a folder")),
    };
    let names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    let services = |n: &&String| n.ends_with(SERVICES);
    let is_demo = names.iter().filter(services).any(|n| files.contains(n));
    // A building that would be left over belongs to a larger campus.
    let left_over = names.iter().filter(services).find(|n| !files.contains(n));
    if names.is_empty() || (is_demo && left_over.is_none()) {
        return Ok(if is_demo { Before::Demo } else { Before::Empty });
    }
    let would = left_over.or_else(|| names.iter().find(|n| files.contains(n)));
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
        let args = |seed| Args { dir: dir.clone(), seed, buildings: None, json: false };
        run(args(1)).unwrap();
        let first = std::fs::read(dir.join("clinic-mep.ifc")).unwrap();
        run(args(2)).unwrap();
        assert_ne!(first, std::fs::read(dir.join("clinic-mep.ifc")).unwrap());
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), demo::files(1).len(), "a draft was left behind");
        let other = folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("twin.toml"), "mine").unwrap();
        assert!(matches!(
            run(Args { dir: other.clone(), seed: 1, buildings: None, json: false }),
            Err(Failure::Failed(_))
        ));
        assert_eq!(std::fs::read_to_string(other.join("twin.toml")).unwrap(), "mine");
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(run(Args { dir: file, seed: 1, buildings: None, json: false }), Err(Failure::Failed(_))));
    }

    #[test]
    fn a_campus_goes_over_a_campus_as_large_and_over_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("campus");
        let args = |dir: &Path, buildings| Args { dir: dir.to_owned(), seed: 1, buildings, json: true };
        run(args(&dir, Some(2))).unwrap();
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 2 * 3 + 2, "a draft was left behind");
        run(args(&dir, Some(2))).unwrap();
        // A smaller one would leave a building over that its project does not name.
        for fewer in [Some(1), None] {
            let refused = run(args(&dir, fewer));
            assert!(matches!(&refused, Err(Failure::Failed(p)) if p.message.contains("-mep.ifc")), "{refused:?}");
        }
        assert!(dir.join("b02-mep.ifc").is_file() && !dir.join("clinic-mep.ifc").exists());
    }
}
