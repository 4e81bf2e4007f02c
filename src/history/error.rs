//! What goes wrong with a store.

use crate::problem::Problem;
use std::fmt;

/// Why a store could not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No room is left on the disk.
    Full,
    /// It may not be written.
    ReadOnly,
    /// Another program has it.
    InUse,
    /// What was read makes no sense.
    Damaged,
    /// It cannot be reached: a folder that is gone, a server that does not answer.
    Gone,
    /// What was asked makes no sense.
    Wrong,
}

/// An error of a store: why, what exactly, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryError {
    /// Why.
    pub reason: Reason,
    /// Where: the file, the point.
    pub place: String,
    /// What exactly.
    pub message: String,
}

impl HistoryError {
    /// An error at a place.
    pub fn new(reason: Reason, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason, place: place.into(), message: message.into() }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self.reason {
            Reason::Full => "make room on that disk, or shorten the retention; it goes on by itself",
            Reason::ReadOnly => "let this user write there, or name another folder; it goes on by itself",
            Reason::InUse => "close the other program that has this history open",
            Reason::Damaged => "run `plenum history verify`, and put the last backup in its place",
            Reason::Gone => "look whether its folder or its server is there",
            Reason::Wrong => "look at what was asked",
        }
    }

    /// As a problem.
    pub fn problem(&self) -> Problem {
        Problem::error(self.place.clone(), self.message.clone(), self.remedy())
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for HistoryError {}
