//! Faults on demand: `NAME[:ASSET][=SEVERITY]@T`.

use serde::Serialize;

/// Every fault name of the command line, built or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A valve that stays where it is.
    StuckValve,
    /// A sensor whose reading wanders off.
    SensorDrift,
    /// A device that falls silent.
    SensorDropout,
    /// A coil that transfers less heat.
    CoilFouling,
    /// A machine that starts and stops too often.
    ShortCycling,
    /// A pump below its curve.
    PumpWear,
    /// A filter that lets less air through.
    FilterClogging,
}

/// A fault as asked for on the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpec {
    /// Which.
    pub kind: FaultKind,
    /// Tag or GlobalId; none: the seed draws it.
    pub asset: Option<String>,
    /// 0..1.
    pub severity: f64,
    /// Wall seconds after the start.
    pub at_s: f64,
}

/// A fault that is in the emulated building.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InjectedFault {
    /// `stuck-valve`.
    pub name: FaultKind,
    /// GlobalId of the asset.
    pub asset: String,
    /// When, by the emulated building's clock.
    pub at: crate::time::Time,
}
