//! What a reader or a check could not do, said so that a person can mend it.
//!
//! Every reader returns what it could read *and* a list of these; none of them stops the rest.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is missing.
    Info,
    /// Something was left out or guessed.
    Warning,
    /// Something asked for is not there.
    Error,
}

/// One problem: where it is, what it is and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// File and line, or the entity: `twin.toml:12`, `#123 IFCWALL`.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What a person can do about it.
    pub remedy: String,
}

impl Problem {
    /// A problem of any severity.
    pub fn new(
        severity: Severity,
        place: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { severity, place: place.into(), message: message.into(), remedy: remedy.into() }
    }

    /// Something asked for is not there.
    pub fn error(place: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Error, place, message, remedy)
    }

    /// Something was left out or guessed.
    pub fn warning(place: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Warning, place, message, remedy)
    }

    /// Worth knowing; nothing is missing.
    pub fn info(place: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Info, place, message, remedy)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Info => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{word}: {}: {}", self.place, self.message)?;
        if !self.remedy.is_empty() {
            write!(f, " ({})", self.remedy)?;
        }
        Ok(())
    }
}
