//! Equipment and rooms: what heats, cools, dries and mixes.
//!
//! Each model is a function of what comes in, with its parameters in a plain struct: no model keeps a clock
//! or knows of the others. Temperatures are in °C, everything else is SI; heat is positive into what the
//! field's documentation says.

pub mod boiler;
pub mod chiller;
pub mod coil;
pub mod compartments;
pub mod exchanger;
pub mod mixing;
pub mod mover;
pub mod radiator;
pub mod room;
pub mod tower;

/// Where a function that changes sign once between two places does so: bisection, exact to the last bits
/// that `f64` has. At an end when it does not change sign.
pub(crate) fn bisect(mut low: f64, mut high: f64, rises: bool, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if (f(middle) > 0.0) == rises { high = middle } else { low = middle }
    }
    0.5 * (low + high)
}
