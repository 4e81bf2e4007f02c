//! Flow networks: what is read and written, what is solved, and what runs over time, against the references.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod air;
mod epanet_figures;
mod inp_epanet;
mod inp_faults;
mod inp_round_trip;
mod inp_samples;
mod network_references;
mod network_solver;
mod network_statuses;
mod odd;
mod pandapipes_references;
mod periods_samples;
mod samples;
mod verb;
