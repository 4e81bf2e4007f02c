//! Flow networks: water in the street, water in closed circuits, air in ducts; one model and one solver.
pub mod batch;
mod check;
mod correction;
mod dense;
mod edit;
mod evaluate;
mod factor;
mod finish;
mod friction;
pub mod grid;
mod lanes;
mod layout;
pub mod links;
mod loss;
pub mod model;
mod newton;
mod order;
mod power;
mod pump;
mod reduce;
mod room;
mod settle;
mod setup;
mod solution;
mod solver;
mod status;
mod symbolic;
pub mod transport;
mod zones;

pub use batch::{WhatIf, batch};
pub use links::{
    BladeDamper, Characteristic, CurveKind, Duct, Fan, Friction, KvValve, Leak, LinkKind, Pipe, Pump, PumpHead,
    Resistance, Valve, ValveKind,
};
pub use model::{
    Boundary, Command, Conventions, Curve, Demand, DemandModel, Emitter, Fluid, Junction, Link, LossFormula, Network,
    Node, NodeKind, Options, Pattern, Tank, TankShape,
};
pub use solution::{Refused, Solution, Status};
pub use solver::{Accuracy, Solver};

pub mod periods;
