//! Runs specifications over the objects of one file or of several.

use super::facet::{applies, breach, words};
use super::object::{ClassOfObjects, Holder, Source};
use super::{Facet, Ids, Occurs, Specification};
use serde::Serialize;

/// How a specification came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All that it is for meets it.
    Pass,
    /// Something does not, or what must be there is not.
    Fail,
    /// There is nothing that it is for, and there need not be.
    NotApplicable,
    /// It cannot be checked: why is said.
    NotChecked,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By specification, in the order of the IDS file.
    pub specifications: Vec<SpecificationReport>,
}

/// What a check found of one specification.
#[derive(Clone, Debug, Serialize)]
pub struct SpecificationReport {
    /// Its name.
    pub name: String,
    /// Its name for machines; empty when there is none.
    pub identifier: String,
    /// How it came out.
    pub status: Status,
    /// Why, where no single object is the reason; empty otherwise.
    pub why: String,
    /// Objects that it is for.
    pub applicable: usize,
    /// Of these, those that meet it.
    pub passed: usize,
    /// Those that do not.
    pub failed: usize,
    /// Models that it is not for, each with its schema.
    pub skipped: Vec<String>,
    /// Line in the IDS file.
    pub line: usize,
    /// Why it is demanded; empty when its author does not say.
    pub description: String,
    /// What to do, as its author says it; empty when it does not say.
    pub instructions: String,
    /// The objects that do not meet it.
    pub failing: Vec<Failing>,
}

/// An object that does not meet a specification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failing {
    /// The file.
    pub file: String,
    /// GlobalId, else `#12`.
    pub id: String,
    /// Tag or name; empty when it has neither.
    pub label: String,
    /// Its class in capitals.
    pub class: String,
    /// What it lacks.
    pub reasons: Vec<String>,
}

/// A check under way.
pub struct Checker<'a> {
    ids: &'a Ids,
    states: Vec<State>,
}

#[derive(Default)]
struct State {
    files: usize,
    skipped: Vec<String>,
    applicable: usize,
    failing: Vec<Failing>,
}

impl<'a> Checker<'a> {
    /// Nothing checked yet.
    pub fn new(ids: &'a Ids) -> Self {
        Self { ids, states: ids.specifications.iter().map(|_| State::default()).collect() }
    }

    /// Checks the objects of one file. Several files are one model: what must be there may be in any of them.
    /// False when `stop` said so.
    pub fn add(&mut self, source: &dyn Source, stop: &dyn Fn() -> bool) -> bool {
        let schema = source.schema().to_owned();
        let meant: Vec<bool> = self
            .ids
            .specifications
            .iter()
            .map(|s| s.unchecked.is_none() && s.is_for(&schema) && !s.applicability.is_empty())
            .collect();
        for ((state, meant), specification) in self.states.iter_mut().zip(&meant).zip(&self.ids.specifications) {
            if *meant {
                state.files += 1;
            } else if !specification.is_for(&schema) {
                state.skipped.push(format!("{} ({schema})", source.file()));
            }
        }
        for class in source.classes() {
            let own: Vec<(usize, &Specification)> = self
                .ids
                .specifications
                .iter()
                .enumerate()
                .filter(|(i, s)| meant.get(*i) == Some(&true) && may_be_for(s, &class))
                .collect();
            if own.is_empty() {
                continue;
            }
            for (count, number) in class.objects.iter().enumerate() {
                if count % 64 == 0 && stop() {
                    return false;
                }
                let Some(holder) = Holder::new(source, *number) else { continue };
                for (i, specification) in &own {
                    if let Some(state) = self.states.get_mut(*i) {
                        judge(specification, &holder, state);
                    }
                }
            }
        }
        true
    }

    /// What came out.
    pub fn finish(self) -> Report {
        let specifications = self.ids.specifications.iter().zip(self.states);
        Report { specifications: specifications.map(|(s, state)| report(s, state)).collect() }
    }
}

/// False when no object of a class can be what a specification is for.
fn may_be_for(specification: &Specification, class: &ClassOfObjects) -> bool {
    let mut entities = specification.applicability.iter().filter_map(|f| match f {
        Facet::Entity(entity) => Some(entity),
        _ => None,
    });
    match entities.next() {
        Some(entity) => class.by_type || entity.name.fits_text(&class.name),
        None => class.things,
    }
}

fn judge(specification: &Specification, holder: &Holder<'_>, state: &mut State) {
    if !specification.applicability.iter().all(|f| applies(f, holder)) {
        return;
    }
    state.applicable += 1;
    let reasons = if specification.occurs == Occurs::Prohibited {
        vec!["must not be in the model".to_owned()]
    } else {
        specification.requirements.iter().filter_map(|r| breach(r, holder)).collect()
    };
    if !reasons.is_empty() {
        state.failing.push(Failing {
            file: holder.source.file().to_owned(),
            id: holder.object.id.clone(),
            label: holder.object.label.clone(),
            class: holder.object.classes.last().cloned().unwrap_or_default(),
            reasons,
        });
    }
}

fn report(specification: &Specification, state: State) -> SpecificationReport {
    let failed = state.failing.len();
    let wanted = || specification.applicability.iter().map(words).collect::<Vec<_>>().join(" and ");
    let (status, why) = if let Some(why) = &specification.unchecked {
        (Status::NotChecked, why.clone())
    } else if specification.applicability.is_empty() {
        (Status::NotChecked, "it does not say which objects it is for".to_owned())
    } else if state.files == 0 {
        let models = match state.skipped.as_slice() {
            [] => "there is no IFC model".to_owned(),
            skipped => format!("not for {}", skipped.join(", ")),
        };
        (Status::NotApplicable, format!("it is for {}: {models}", specification.versions.join(", ")))
    } else if failed > 0 {
        (Status::Fail, String::new())
    } else if state.applicable > 0 {
        (Status::Pass, String::new())
    } else {
        match specification.occurs {
            Occurs::Required => (Status::Fail, format!("no object has {}, and at least one must", wanted())),
            Occurs::Optional => (Status::NotApplicable, format!("no object has {}", wanted())),
            Occurs::Prohibited => (Status::Pass, String::new()),
        }
    };
    SpecificationReport {
        name: specification.name.clone(),
        identifier: specification.identifier.clone(),
        status,
        why,
        applicable: state.applicable,
        passed: state.applicable - failed.min(state.applicable),
        failed,
        skipped: state.skipped,
        line: specification.line,
        description: specification.description.clone(),
        instructions: specification.instructions.clone(),
        failing: state.failing,
    }
}
