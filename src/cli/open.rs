//! Opens a project, or a single model as a project of its own.

use super::cache;
use super::preview::Framing;
use crate::import::cache::Imported;
use crate::import::ifc::Facts;
use crate::import::{self, Limits, Progress};
use crate::problem::{Problem, Severity};
use crate::site::assets::Registry;
use crate::site::project::{LayerFile, ModelFile, Project};
use crate::site::{self, Model, Site};
use crate::twin::preview::Tell;
use std::path::Path;
use std::sync::Arc;

/// What was opened.
pub struct Opened {
    /// The project as its file states it.
    pub project: Project,
    /// Its models in one frame, with its points.
    pub site: Arc<Site>,
    /// Everything that could not be read or joined.
    pub problems: Vec<Problem>,
    /// Of these, why whole files could not be read.
    pub refused: Vec<Problem>,
}

/// Opens a folder with `twin.toml`, that file, or one model file.
///
/// Files that cannot be read are problems, not failures, as long as one of them can.
///
/// # Errors
/// When there is no project and no model there, or when nothing of it can be read.
pub fn open(path: &Path, progress: &Progress) -> Result<Opened, Problem> {
    open_looked_at(path, progress, None)
}

/// What looks at the records of each IFC file while it is open.
pub type Look<'a> = &'a mut dyn FnMut(&Facts) -> Result<(), Problem>;

/// As [`open`]; `look` sees each IFC file that is opened, in the order of the project.
///
/// # Errors
/// As [`open`], and what `look` says.
pub fn open_looked_at(path: &Path, progress: &Progress, look: Option<Look<'_>>) -> Result<Opened, Problem> {
    open_with(path, progress, look, None)
}

/// As [`open`]; geometry is told as it is finished, before the rest is read and joined.
///
/// # Errors
/// As [`open`].
pub fn open_shown(path: &Path, progress: &Progress, tell: Tell) -> Result<Opened, Problem> {
    open_with(path, progress, None, Some(tell))
}

fn open_with(
    path: &Path,
    progress: &Progress,
    mut look: Option<Look<'_>>,
    tell: Option<Tell>,
) -> Result<Opened, Problem> {
    let is_project = path.is_dir() || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let (project, mut problems) =
        if is_project { site::project::load(path)? } else { (of_one_model(path)?, Vec::new()) };
    let framing = tell.map(|tell| Framing::new(&project, tell));
    let progress = &framing.as_ref().map_or_else(|| progress.clone(), |f| progress.showing(f.sink()));
    let files = project
        .models
        .iter()
        .map(|m| (m.file.as_path(), m.discipline.clone(), m.line))
        .chain(project.layers.iter().map(|l| (l.file.as_path(), "site".to_owned(), l.line)));
    let cache = cache::of_project(is_project.then_some(project.folder.as_path()), project.cache)?;
    let mut unkept: Option<Problem> = None;
    let mut models: Vec<(Model, String)> = Vec::new();
    let mut refusals: Vec<Problem> = Vec::new();
    for (file, discipline, line) in files {
        if progress.cancelled() {
            return Err(Problem::error(path.display().to_string(), "stopped before it was read", ""));
        }
        // Each file counts its own elements.
        progress.set_done(0);
        progress.set_total(0);
        let limits = Limits::default();
        let read = match look {
            None => cache.read(file, &limits, progress).map(|imported| (imported, None)),
            Some(_) => cache.read_with_facts(file, &limits, progress),
        };
        match read.and_then(|(imported, facts)| Ok((elements_only(imported)?, facts))) {
            Ok((imported, facts)) => {
                if let (Some(look), Some(facts)) = (look.as_mut(), facts) {
                    look(&facts)?;
                }
                if let Some(framing) = &framing {
                    framing.whole(&imported.model);
                }
                // Said once: what holds for one file holds for all.
                unkept = unkept.or(cache.keep(&imported).err());
                problems.extend(imported.problems);
                models.push((imported.model, discipline));
            }
            Err(refusal) => match told_by_line(&problems, line).filter(|_| !file.is_file()) {
                // That it is not there was told when the project file was read, with its line.
                Some(told) => refusals.push(told.clone()),
                None => {
                    problems.push(refusal.clone());
                    refusals.push(refusal);
                }
            },
        }
    }
    if progress.cancelled() {
        return Err(Problem::error(path.display().to_string(), "stopped before it was read", ""));
    }
    if models.is_empty()
        && let Some(problem) = nothing(&project, refusals.clone(), &problems)
    {
        return Err(problem);
    }
    problems.extend(unkept);
    let registries = read_registries(&project, progress, &mut problems, &mut refusals);
    if progress.cancelled() {
        return Err(Problem::error(path.display().to_string(), "stopped before it was read", ""));
    }
    let (site, found) = site::assemble_with(&project, models, &registries);
    problems.extend(found);
    problems.extend(views_without_storey(&project, &site));
    Ok(Opened { project, site: Arc::new(site), problems, refused: refusals })
}

/// A table of assets is no model: it says something of the elements of one.
fn elements_only(read: Imported) -> Result<Imported, Problem> {
    if !read.model.is_registry() {
        return Ok(read);
    }
    let message = "this is an asset registry: it has no elements of its own";
    let remedy = "name it in twin.toml under [[registries]], beside the [[models]] that it speaks of";
    Err(Problem::error(read.model.file.display().to_string(), message, remedy))
}

/// Reads the project's asset registries; one that cannot be read is a problem.
fn read_registries(
    project: &Project,
    progress: &Progress,
    problems: &mut Vec<Problem>,
    refused: &mut Vec<Problem>,
) -> Vec<Registry> {
    let mut registries = Vec::new();
    // That a file is not there was told when the project file was read.
    for named in project.registries.iter().filter(|r| r.file.exists()) {
        match import::registry::read(named, &Limits::default(), progress) {
            Ok((registry, found)) => {
                problems.extend(found);
                registries.push(registry);
            }
            Err(refusal) => {
                problems.push(refusal.clone());
                refused.push(refusal);
            }
        }
    }
    registries
}

/// What is wrong with a line of the project file.
fn told_by_line(problems: &[Problem], line: usize) -> Option<&Problem> {
    let number = |p: &Problem| p.place.rsplit_once(':').and_then(|(_, n)| n.parse::<usize>().ok());
    problems.iter().find(|p| line > 0 && p.severity == Severity::Error && number(p) == Some(line))
}

/// Views of storeys that no model has.
fn views_without_storey(project: &Project, site: &Site) -> Vec<Problem> {
    let names: Vec<&str> = site.storeys.iter().map(|s| s.name.as_str()).collect();
    let file = project.file.file_name().unwrap_or_default().to_string_lossy();
    let lost = project.views.iter().filter_map(|v| {
        let storey = v.storey.as_deref().filter(|s| site.storey_called(s).is_none())?;
        let message = format!("the view `{}` shows the storey `{storey}`, which no model has", v.name);
        Some(Problem::warning(format!("{file}:{}", v.line), message, format!("use one of {}", names.join(", "))))
    });
    lost.collect()
}

/// Why nothing could be read: the files' refusals, else what is wrong with a project file that names none.
fn nothing(project: &Project, mut refusals: Vec<Problem>, problems: &[Problem]) -> Option<Problem> {
    if refusals.len() > 1 {
        let all: Vec<String> = refusals.iter().map(|r| format!("{}: {}", r.place, r.message)).collect();
        return Some(Problem::error(
            project.file.display().to_string(),
            format!("none of its {} files can be read: {}", all.len(), all.join("; ")),
            refusals.pop()?.remedy,
        ));
    }
    refusals.pop().or_else(|| problems.iter().find(|p| p.severity == Severity::Error).cloned())
}

/// Says so where there is nothing to open.
///
/// # Errors
/// There is no such file or folder.
pub fn must_exist(path: &Path) -> Result<(), Problem> {
    let remedy = "give a folder with a twin.toml, or a model file";
    let absent = || Problem::error(path.display().to_string(), "there is no such file or folder", remedy);
    if path.exists() { Ok(()) } else { Err(absent()) }
}

/// A project around one file, with nothing bound.
fn of_one_model(path: &Path) -> Result<Project, Problem> {
    must_exist(path)?;
    let name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let is_layer =
        path.extension().is_some_and(|e| e.eq_ignore_ascii_case("geojson") || e.eq_ignore_ascii_case("json"));
    let mut project = Project {
        folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        file: path.to_path_buf(),
        name,
        ..Project::default()
    };
    if is_layer {
        project.layers.push(LayerFile { file: path.to_path_buf(), line: 0 });
    } else {
        project.models.push(ModelFile { file: path.to_path_buf(), ..ModelFile::default() });
    }
    Ok(project)
}
