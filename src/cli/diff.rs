//! `plenum diff`: Compares two revisions of a model, and takes a project's bindings from one to the other.

use super::cache::{VARIABLE, of_files};
use super::import::read_with_progress;
use super::interrupt;
use super::output::{Failure, print_json, print_text};
use crate::import::Limits;
use crate::import::cache::Bounds;
use crate::problem::Problem;
use crate::site::Model;
use crate::site::model::{Element, PropertyValue};
use crate::site::project::{self, Project};
use crate::site::revision::follow::{Bindings, follow, frame_problem};
use crate::site::revision::{By, Change, Motion, Moved, Revision, Side, compare};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Compares two revisions of a model: what was added, removed, moved and changed.
///
/// Elements are matched by GlobalId, then by tag, then by place and type. When the model as a whole was moved or
/// turned, that is found and taken out. With a project it also says which bindings follow and which are lost;
/// --apply writes that into the project's twin.toml, and keeps the file as it was beside it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  plenum diff mep-2024.ifc mep-2025.ifc
  plenum diff mep-2024.ifc mep-2025.ifc --bindings clinic/ --json
  plenum diff clinic/mep.ifc clinic/mep-2025.ifc --bindings clinic/ --apply")]
pub struct Args {
    /// The revision that was: IFC, ifcZIP or GeoJSON.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The revision that is.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
    /// Follow the bindings of a project: a folder with twin.toml, or that file.
    #[arg(long, value_name = "PROJECT")]
    bindings: Option<PathBuf>,
    /// Write the new revision and what the bindings need into the project's twin.toml.
    #[arg(long, requires = "bindings")]
    apply: bool,
}

/// Everything that is told.
struct Told<'a> {
    old: &'a Model,
    new: &'a Model,
    revision: &'a Revision,
    bindings: Option<&'a Bindings>,
    /// The project file that was written, and where it is kept as it was.
    applied: Option<(PathBuf, PathBuf)>,
    problems: Vec<Problem>,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    // Asked for before the work, so that a project that cannot be read is known at once.
    let project = args.bindings.as_deref().map(project::load).transpose()?;
    if args.apply
        && project.as_ref().is_some_and(|(p, _)| std::fs::metadata(&p.file).is_ok_and(|m| m.permissions().readonly()))
    {
        return Err(Failure::Failed(Problem::error(
            args.bindings.unwrap_or_default().display().to_string(),
            "the project file is read-only",
            "give yourself the right to write it, or leave --apply out",
        )));
    }
    interrupt::listen();
    let mut problems = Vec::new();
    let mut old = read(&args.old, &mut problems)?;
    let mut new = read(&args.new, &mut problems)?;
    for model in [&mut old, &mut new] {
        // As the project names its files.
        model.file = std::path::absolute(&model.file).unwrap_or_else(|_| model.file.clone());
    }
    let revision = compare(&Side::of_model(&old), &Side::of_model(&new));
    let mut applied = None;
    let mut bindings = None;
    if let Some((project, found)) = &project {
        problems.extend(found.iter().cloned());
        problems.extend(frame_problem(project, &old, &new, &revision));
        let followed = follow(project, &old, &new, &revision);
        if followed.followed.is_empty() && followed.lost.is_empty() {
            problems.push(Problem::warning(
                project.file.display().to_string(),
                "it binds no point to any element of the old revision",
                "give the revision that the project was made for as OLD",
            ));
        }
        if args.apply {
            let kept = followed.amendments.write(project, &args.old, &args.new)?;
            applied = Some((project.file.clone(), kept));
        }
        bindings = Some(followed);
    }
    let told = Told { old: &old, new: &new, revision: &revision, bindings: bindings.as_ref(), applied, problems };
    if args.json {
        return print_json(&told.document(&args, project.as_ref().map(|(p, _)| p)));
    }
    print_text(&told.text())
}

fn read(file: &Path, problems: &mut Vec<Problem>) -> Result<Model, Failure> {
    let cache = of_files(std::env::var(VARIABLE).ok().as_deref(), Bounds::default())?;
    let read = read_with_progress(file, &cache, &Limits::default());
    if interrupt::interrupted() {
        return Err(Failure::Failed(interrupt::stopped(file.display().to_string())));
    }
    let imported = read?;
    // What cannot be kept is read again the next time.
    let _ = cache.keep(&imported);
    problems.extend(imported.problems);
    Ok(imported.model)
}

impl Told<'_> {
    fn document(&self, args: &Args, project: Option<&Project>) -> Value {
        let revision = self.revision;
        let id_of = |model: &Model, i: u32| element(model, i).map(|e| e.id.clone()).unwrap_or_default();
        let by = |by: By| revision.pairs.iter().filter(|p| p.by == by).count();
        let renamed = revision.pairs.iter().filter(|p| id_of(self.old, p.old) != id_of(self.new, p.new)).count();
        json!({
            "old": args.old.display().to_string(),
            "new": args.new.display().to_string(),
            "model_moved": (!revision.motion.is_still()).then(|| motion(&revision.motion)),
            "motion_known": revision.motion_known,
            "georeference_changed": (self.old.georeference != self.new.georeference)
                .then(|| json!({ "old": self.old.georeference, "new": self.new.georeference })),
            "matched": {
                "globalid": by(By::GlobalId),
                "tag": by(By::Tag),
                "place": by(By::Place),
                "with_new_globalid": renamed,
            },
            "added": revision.added.iter().map(|i| id_of(self.new, *i)).collect::<Vec<_>>(),
            "removed": revision.removed.iter().map(|r| id_of(self.old, r.old)).collect::<Vec<_>>(),
            "moved": revision.moved.iter().map(|m| id_of(self.new, m.new)).collect::<Vec<_>>(),
            "moved_detail": revision.moved.iter().map(|m| self.moved(m)).collect::<Vec<_>>(),
            "changed": revision.changed.iter().map(|c| self.changed(c)).collect::<Vec<_>>(),
            "bindings": self.bindings.map(|b| json!({
                "project": project.map(|p| p.file.display().to_string()),
                "followed": b.followed,
                "lost": b.lost,
                "gained": b.gained,
            })),
            "applied": self.applied.as_ref().map(|(file, kept)| json!({
                "project": file.display().to_string(),
                "kept": kept.display().to_string(),
            })),
            "problems": self.problems,
        })
    }

    fn moved(&self, moved: &Moved) -> Value {
        let (was, is) = (element(self.old, moved.old), element(self.new, moved.new));
        json!({
            "id": is.map(|e| &e.id),
            "old_id": was.map(|e| &e.id),
            "type": is.map(|e| &e.class),
            "name": is.map(|e| &e.name),
            "tag": is.map(|e| &e.tag),
            "distance_m": round(moved.offset_m.length(), 1e4),
            "offset_m": moved.offset_m.to_array().map(|v| round(v, 1e4)),
            "turned": moved.turned,
        })
    }

    fn changed(&self, change: &Change) -> Value {
        json!({
            "id": element(self.new, change.new_element).map(|e| &e.id),
            "old_id": element(self.old, change.old_element).map(|e| &e.id),
            "property": change.property,
            "old": change.old,
            "new": change.new,
        })
    }

    /// For people.
    fn text(&self) -> String {
        let revision = self.revision;
        let mut lines = Vec::new();
        let motion = revision.motion;
        if !motion.is_still() {
            let [x, y, z] = motion.offset_m.to_array().map(|v| round(v, 1e3));
            let turn = round(motion.turn_rad.to_degrees(), 1e4);
            lines.push(format!("the whole model was turned by {turn}° about its origin and moved by {x}, {y}, {z} m"));
        } else if !revision.motion_known {
            lines.push("the two have too little in common to compare places".to_owned());
        }
        if self.old.georeference != self.new.georeference {
            lines.push("its place on the map (map conversion) has changed: --json has both".to_owned());
        }
        let by = |by: By| revision.pairs.iter().filter(|p| p.by == by).count();
        lines.push(format!(
            "{} elements in both ({} by GlobalId, {} by tag, {} by place)",
            revision.pairs.len(),
            by(By::GlobalId),
            by(By::Tag),
            by(By::Place)
        ));
        let name = |model: &Model, i: u32| element(model, i).map(describe).unwrap_or_default();
        section(&mut lines, "added", revision.added.iter().map(|i| name(self.new, *i)));
        section(&mut lines, "removed", revision.removed.iter().map(|r| name(self.old, r.old)));
        let moved = |m: &Moved| {
            let turned = if m.turned { ", turned" } else { "" };
            format!("{}: {:.2} m{turned}", name(self.new, m.new), m.offset_m.length())
        };
        section(&mut lines, "moved", revision.moved.iter().map(moved));
        let changed = |c: &Change| {
            let word = |v: &Option<PropertyValue>| v.as_ref().map_or_else(|| "—".to_owned(), ToString::to_string);
            format!("{}: {}: {} → {}", name(self.new, c.new_element), c.property, word(&c.old), word(&c.new))
        };
        section(&mut lines, "changed", revision.changed.iter().map(changed));
        if let Some(bindings) = self.bindings {
            lines.push(format!("{} bindings follow", bindings.followed.len()));
            // Nobody may miss one of these.
            lines.push(format!("{} bindings lost", bindings.lost.len()));
            lines.extend(bindings.lost.iter().map(|l| format!("  {}: {}", l.point, l.why)));
            section(&mut lines, "points on added elements", bindings.gained.iter().map(|g| g.point.clone()));
        }
        for problem in &self.problems {
            lines.push(problem.to_string());
        }
        match (&self.applied, self.bindings) {
            (Some((file, kept)), _) => {
                lines.push(format!("{} is written; as it was it is {}", file.display(), kept.display()));
            }
            (None, Some(_)) => lines.push("nothing is written: --apply does that".to_owned()),
            (None, None) => {}
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// How many of a list people are shown.
const SHOWN: usize = 40;

fn section(lines: &mut Vec<String>, what: &str, all: impl ExactSizeIterator<Item = String>) {
    let count = all.len();
    lines.push(format!("{count} {what}"));
    lines.extend(all.take(SHOWN).map(|line| format!("  {line}")));
    if count > SHOWN {
        lines.push(format!("  … and {} more: --json lists them all", count - SHOWN));
    }
}

fn element(model: &Model, index: u32) -> Option<&Element> {
    model.elements.get(index as usize)
}

fn describe(element: &Element) -> String {
    let label = element.label();
    if label.contains(&element.id) { label } else { format!("{label} ({} {})", element.class, element.id) }
}

fn motion(motion: &Motion) -> Value {
    json!({
        "offset_m": motion.offset_m.to_array().map(|v| round(v, 1e6)),
        "rotation_deg": round(motion.turn_rad.to_degrees(), 1e6),
    })
}

/// Rounded to so many parts of one; never minus zero.
fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts + 0.0
}
