//! In the place of the peers where they are not compiled in: nothing can be opened.

use std::convert::Infallible;
use std::path::Path;

/// What EPANET is called in a row.
pub const EPANET_NAME: &str = "EPANET 2.3";
/// What epanet-rs is called in a row.
pub const EPANET_RS_NAME: &str = "epanet-rs 0.2.3";
const WHY: &str = "built without the feature `peers`: cargo run --release --features peers -- bench solve";

/// A network in EPANET: none.
pub struct Epanet(Infallible);

impl Epanet {
    /// Says why there is none.
    pub fn open(_: &Path, _: &Path) -> Result<Self, String> {
        Err(WHY.to_owned())
    }

    /// Never called.
    pub fn cold(&self) -> Result<f64, String> {
        match self.0 {}
    }

    /// Never called.
    pub fn warm(&self, _: &[(i32, f64)]) -> Result<f64, String> {
        match self.0 {}
    }

    /// Never called.
    pub fn demand(&self, _: &str) -> Result<(i32, f64), String> {
        match self.0 {}
    }

    /// Never called.
    pub fn edit(&self, _: &str, _: &str, _: &str) -> Result<f64, String> {
        match self.0 {}
    }

    /// Never called.
    pub fn period(&self, _: i32, _: f64) -> Result<usize, String> {
        match self.0 {}
    }

    /// Never called.
    pub fn effort(&self) -> (Option<usize>, Option<f64>) {
        match self.0 {}
    }
}

/// A network in epanet-rs: none.
pub struct EpanetRs(Infallible);

impl EpanetRs {
    /// Says why there is none.
    pub fn open(_: &Path) -> Result<Self, String> {
        Err(WHY.to_owned())
    }

    /// Never called.
    pub fn cold(&self) -> Result<f64, String> {
        match self.0 {}
    }
}
