//! Faults: what breaks in a building, as plain changes of a model or of a signal.
//!
//! A [`Fault`] says what, where, how much and when; [`Fault::amount`] says how much of it is there at a time.
//! What it does stands in pure functions over the parameters that it changes: [`effect`] for machines (put in
//! between control and solve) and [`signal`] for sensors (put in after the solve). Nothing is broken for
//! good: without the fault the same call gives the healthy value back, so a run can be forked from any
//! state with or without it.

pub mod effect;
pub mod signal;

#[cfg(test)]
mod signatures;

use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Every fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A valve that stays where it is.
    StuckValve,
    /// A valve that lets something through when it is closed.
    LeakingValve,
    /// A damper that stays where it is.
    StuckDamper,
    /// A coil that transfers less heat and resists more.
    CoilFouling,
    /// A filter that lets less air through.
    FilterClogging,
    /// A pump below its curve.
    PumpWear,
    /// A pipe or duct that something stands in.
    PipeBlockage,
    /// Water that leaves where it should not.
    Leak,
    /// A machine that starts and stops too often.
    ShortCycling,
    /// A sensor whose reading is off by the same all the time.
    SensorBias,
    /// A sensor whose reading wanders off.
    SensorDrift,
    /// A sensor whose reading stays what it was.
    SensorFreeze,
    /// A device that falls silent.
    SensorDropout,
    /// A sensor whose reading jumps about.
    SensorNoise,
}

/// Where in a tick a fault goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It changes what a controller is set to, before the controller runs.
    Control,
    /// It changes a model's parameter or an actuator's place, between control and solve.
    Model,
    /// It changes a reading, after the solve.
    Signal,
}

impl FaultKind {
    /// Every kind, in the order of the help.
    pub const ALL: [FaultKind; 14] = [
        Self::StuckValve,
        Self::LeakingValve,
        Self::StuckDamper,
        Self::CoilFouling,
        Self::FilterClogging,
        Self::PumpWear,
        Self::PipeBlockage,
        Self::Leak,
        Self::ShortCycling,
        Self::SensorBias,
        Self::SensorDrift,
        Self::SensorFreeze,
        Self::SensorDropout,
        Self::SensorNoise,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::StuckValve => "stuck-valve",
            Self::LeakingValve => "leaking-valve",
            Self::StuckDamper => "stuck-damper",
            Self::CoilFouling => "coil-fouling",
            Self::FilterClogging => "filter-clogging",
            Self::PumpWear => "pump-wear",
            Self::PipeBlockage => "pipe-blockage",
            Self::Leak => "leak",
            Self::ShortCycling => "short-cycling",
            Self::SensorBias => "sensor-bias",
            Self::SensorDrift => "sensor-drift",
            Self::SensorFreeze => "sensor-freeze",
            Self::SensorDropout => "sensor-dropout",
            Self::SensorNoise => "sensor-noise",
        }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// What it can be put on, in the words of the field.
    pub fn target(self) -> &'static str {
        match self {
            Self::StuckValve => "a control valve with command and position",
            Self::LeakingValve => "a control valve of a coil, a box or a radiator",
            Self::StuckDamper => "a VAV box or an air handling unit whose damper position is measured",
            Self::CoilFouling => "a coil of an air handling unit",
            Self::FilterClogging => "a filter of an air handling unit",
            Self::PumpWear => "a pump",
            Self::PipeBlockage => "a pipe or duct segment, or equipment that a branch serves",
            Self::Leak => "a pipe segment of a water loop, or equipment that a branch serves",
            Self::ShortCycling => "a chiller or a boiler",
            Self::SensorBias | Self::SensorDrift | Self::SensorFreeze | Self::SensorNoise => {
                "a sensor, or another device that measures something"
            }
            Self::SensorDropout => "a device with measured points",
        }
    }

    /// Where in a tick it goes in.
    pub fn stage(self) -> Stage {
        match self {
            Self::ShortCycling => Stage::Control,
            Self::SensorBias | Self::SensorDrift | Self::SensorFreeze | Self::SensorDropout | Self::SensorNoise => {
                Stage::Signal
            }
            _ => Stage::Model,
        }
    }

    /// How long it takes to be fully there unless somebody says otherwise, s: dirt and wear creep, a
    /// blade that sticks does not.
    pub fn usual_ramp_s(self) -> f64 {
        match self {
            Self::CoilFouling | Self::FilterClogging | Self::PumpWear | Self::SensorDrift => 600.0,
            Self::PipeBlockage | Self::Leak => 60.0,
            _ => 0.0,
        }
    }
}

/// A fault: what, where, how much and when. Times are seconds of the simulation's own clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// GlobalId or tag of the asset, or the id of a link.
    pub target: String,
    /// What breaks.
    pub kind: FaultKind,
    /// How much, above 0 and up to 1: what 1 means stands with each effect.
    pub severity: f64,
    /// Time it takes from nothing to its severity, s.
    pub ramp_s: f64,
    /// When it begins.
    pub start_s: f64,
    /// When it is mended; none: never.
    pub end_s: Option<f64>,
}

impl Fault {
    /// A fault that begins at a time, creeps as its kind does and is never mended.
    pub fn new(target: impl Into<String>, kind: FaultKind, severity: f64, start_s: f64) -> Self {
        Self { target: target.into(), kind, severity, ramp_s: kind.usual_ramp_s(), start_s, end_s: None }
    }

    /// How much of it is there at a time: 0 before and after, its severity when it is whole. Nonsense in it
    /// counts as nothing.
    pub fn amount(&self, time_s: f64) -> f64 {
        let over = self.end_s.is_some_and(|end| time_s >= end);
        let there = time_s >= self.start_s && !over && self.severity > 0.0;
        if !there {
            return 0.0;
        }
        let severity = self.severity.min(1.0);
        if self.ramp_s > 0.0 { severity * ((time_s - self.start_s) / self.ramp_s).min(1.0) } else { severity }
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// A severity that is not above 0 and up to 1, times that are no numbers, an end that is not after the start.
    pub fn check(&self) -> Result<(), Problem> {
        let wrong = |message: String, remedy: &str| {
            Err(Problem::error(format!("fault {} on {}", self.kind.name(), self.target), message, remedy))
        };
        if !(self.severity > 0.0 && self.severity <= 1.0) {
            let message = format!("the severity {} is not a number above 0 and up to 1", self.severity);
            return wrong(message, "give a share such as 0.3");
        }
        if !(self.start_s.is_finite() && self.ramp_s.is_finite() && self.ramp_s >= 0.0) {
            return wrong("its start or its ramp is no time".into(), "give seconds from the start of the run");
        }
        if self.end_s.is_some_and(|end| end.is_nan() || end <= self.start_s) {
            return wrong("it ends before it begins".into(), "give an end after its start, or none");
        }
        Ok(())
    }
}

/// The amount of a kind of fault on a target at a time: of several the worst, 0 without any.
pub fn amount(faults: &[Fault], kind: FaultKind, target: &str, time_s: f64) -> f64 {
    let of = faults.iter().filter(|f| f.kind == kind && f.target == target);
    of.map(|f| f.amount(time_s)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fourteen_names() {
        let names = "stuck-valve leaking-valve stuck-damper coil-fouling filter-clogging pump-wear pipe-blockage leak \
                     short-cycling sensor-bias sensor-drift sensor-freeze sensor-dropout sensor-noise";
        let mut count = 0;
        for name in names.split_whitespace() {
            let kind = FaultKind::named(name).unwrap();
            assert_eq!(kind.name(), name);
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert!(!kind.target().is_empty());
            count += 1;
        }
        assert_eq!((count, FaultKind::named("earthquake")), (FaultKind::ALL.len(), None));
    }

    #[test]
    fn it_comes_grows_and_goes() {
        let f = Fault { end_s: Some(2000.0), ..Fault::new("CHWP-1", FaultKind::PumpWear, 0.8, 100.0) };
        assert_eq!([f.amount(99.0), f.amount(100.0), f.amount(400.0)], [0.0, 0.0, 0.4]);
        assert_eq!([f.amount(700.0), f.amount(1999.0), f.amount(2000.0)], [0.8, 0.8, 0.0]);
        let at_once = Fault::new("V", FaultKind::StuckValve, 0.5, 10.0);
        assert_eq!([at_once.amount(9.9), at_once.amount(10.0)], [0.0, 0.5]);
        let two = [f.clone(), Fault { severity: 0.3, ramp_s: 0.0, ..f }];
        assert_eq!(amount(&two, FaultKind::PumpWear, "CHWP-1", 110.0), 0.3);
        assert_eq!(amount(&two, FaultKind::PumpWear, "CHWP-2", 900.0), 0.0);
        assert_eq!(amount(&two, FaultKind::Leak, "CHWP-1", 900.0), 0.0);
    }

    #[test]
    fn nonsense_is_told_and_does_nothing() {
        let good = Fault::new("V", FaultKind::Leak, 0.5, 10.0);
        assert!(good.check().is_ok());
        for (fault, words) in [
            (Fault { severity: 0.0, ..good.clone() }, "severity"),
            (Fault { severity: f64::NAN, ..good.clone() }, "severity"),
            (Fault { severity: 1.5, ..good.clone() }, "severity"),
            (Fault { start_s: f64::INFINITY, ..good.clone() }, "no time"),
            (Fault { ramp_s: -1.0, ..good.clone() }, "no time"),
            (Fault { end_s: Some(10.0), ..good.clone() }, "ends before"),
        ] {
            let problem = fault.check().unwrap_err();
            assert!(problem.message.contains(words), "{problem}");
        }
        assert_eq!(Fault { severity: f64::NAN, ..good.clone() }.amount(50.0), 0.0);
        assert_eq!(good.amount(f64::NAN), 0.0);
    }

    #[test]
    fn it_is_kept_as_text() {
        let fault = Fault::new("0K$x", FaultKind::SensorDropout, 1.0, 60.0);
        let text = serde_json::to_string(&fault).unwrap();
        assert!(text.contains("\"sensor-dropout\""));
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
    }

    proptest! {
        #[test]
        fn never_more_than_its_severity(
            severity in proptest::num::f64::ANY, ramp_s in proptest::num::f64::ANY, start_s in proptest::num::f64::ANY,
            time_s in proptest::num::f64::ANY,
        ) {
            let f = Fault { ramp_s, ..Fault::new("x", FaultKind::Leak, severity, start_s) };
            let amount = f.amount(time_s);
            prop_assert!((0.0..=1.0).contains(&amount), "{amount}");
        }
    }
}
