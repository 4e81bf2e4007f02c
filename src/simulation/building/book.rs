//! What is taken because the model does not say it, and what the engineer says instead.

pub use crate::site::project::AssumptionOverride;

use super::Assumption;
use crate::problem::Problem;
use crate::site::{Site, Slot};
use std::collections::{HashMap, HashSet};

/// The overrides of a project by element and field, with what of them was used.
#[derive(Debug, Default)]
pub(super) struct Book {
    overrides: HashMap<(Slot, String), f64>,
    used: HashSet<(Slot, String)>,
    /// What was taken, in the order it was taken in.
    pub taken: Vec<Assumption>,
    noted: HashMap<(Slot, String), usize>,
}

impl Book {
    /// Finds the elements of the overrides; those that name none come back as problems.
    pub fn new(site: &Site, overrides: &[AssumptionOverride]) -> (Self, Vec<Problem>) {
        let (mut book, mut problems) = (Self::default(), Vec::new());
        for o in overrides {
            let place = format!("twin.toml:{}", o.line);
            let tagged = site.tagged(&o.element);
            let found = site.find(&o.element).or_else(|| tagged.first().copied());
            match found {
                None => problems.push(Problem::error(
                    place,
                    format!("no element has the GlobalId or tag `{}`", o.element),
                    "write the GlobalId or the tag of an element of the model",
                )),
                Some(_) if site.find(&o.element).is_none() && tagged.len() > 1 => problems.push(Problem::error(
                    place,
                    format!("{} elements have the tag `{}`", tagged.len(), o.element),
                    "write the GlobalId of the one that is meant",
                )),
                Some(slot) => {
                    book.overrides.insert((slot, o.field.clone()), o.value);
                }
            }
        }
        (book, problems)
    }

    /// A value of an element: the engineer's, else the model's, else the default, which is noted with its reason.
    pub fn value(
        &mut self,
        site: &Site,
        slot: Slot,
        field: &str,
        model: Option<f64>,
        default: impl FnOnce() -> (f64, String),
    ) -> f64 {
        if let Some(value) = self.stated(site, slot, field) {
            return value;
        }
        if let Some(value) = model {
            return value;
        }
        let (value, why) = default();
        self.note(site, slot, field, value, why);
        value
    }

    /// What the engineer says of an element; noted, since it replaces what the model says.
    pub fn stated(&mut self, site: &Site, slot: Slot, field: &str) -> Option<f64> {
        let key = (slot, field.to_owned());
        let value = *self.overrides.get(&key)?;
        self.used.insert(key);
        self.note(site, slot, field, value, "stated in twin.toml".to_owned());
        Some(value)
    }

    /// Notes what was taken; what was taken of the same field before is replaced.
    pub fn note(&mut self, site: &Site, slot: Slot, field: &str, value: f64, why: String) {
        let at = *self.noted.entry((slot, field.to_owned())).or_insert(self.taken.len());
        let element = site.element(slot).map(|e| e.id.clone()).unwrap_or_default();
        let assumption = Assumption { element, field: field.to_owned(), value, why };
        match self.taken.get_mut(at) {
            Some(old) => *old = assumption,
            None => self.taken.push(assumption),
        }
    }

    /// What was taken, and begins anew for the next network: an element with two sides is told of in both.
    pub fn take(&mut self) -> Vec<Assumption> {
        self.noted.clear();
        std::mem::take(&mut self.taken)
    }

    /// Overrides that nothing asked for: the element has no such field in any network.
    pub fn unused(&self, site: &Site) -> Vec<Problem> {
        let mut left: Vec<&(Slot, String)> = self.overrides.keys().filter(|k| !self.used.contains(*k)).collect();
        left.sort();
        left.into_iter()
            .map(|(slot, field)| {
                let label = site.element(*slot).map(crate::site::Element::label).unwrap_or_default();
                Problem::warning(
                    format!("twin.toml: [[assumptions]] of {label}"),
                    format!("`{field}` of {label} is used in no network"),
                    "`plenum solve PROJECT --json` lists what can be stated of each element, under assumptions",
                )
            })
            .collect()
    }
}
