//! Faults on demand: `NAME[:ASSET][=SEVERITY]@T`.

use crate::problem::Problem;
use crate::simulation::faults::{Fault, FaultKind};
use crate::time::parse_seconds;
use serde::Serialize;

/// No run lasts longer than a year, seconds.
const LATEST_S: f64 = 366.0 * 86_400.0;

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

impl FaultSpec {
    /// Reads `NAME[:ASSET][=SEVERITY]@T`; T is a duration such as `20s` or `5m`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |message: String| {
            Problem::error(
                format!("--fault {text}"),
                message,
                "write NAME[:ASSET][=SEVERITY]@T, for example stuck-valve@20s or pump-wear:CHWP-1=0.8@5m",
            )
        };
        let (what, when) =
            text.rsplit_once('@').ok_or_else(|| wrong("it does not say when: `@T` is missing".into()))?;
        let at_s = parse_seconds(when).ok_or_else(|| wrong(format!("`{when}` is not a duration; write 20s or 5m")))?;
        if at_s > LATEST_S {
            return Err(wrong(format!("`{when}` is more than a year")));
        }
        let (what, severity) = match what.rsplit_once('=') {
            Some((what, number)) => {
                let severity: f64 = number.parse().unwrap_or(f64::NAN);
                if !(severity > 0.0 && severity <= 1.0) {
                    return Err(wrong(format!("the severity `{number}` is not a number above 0 and up to 1")));
                }
                (what, severity)
            }
            None => (what, 1.0),
        };
        let (name, asset) = match what.split_once(':') {
            Some((_, "")) => return Err(wrong("no asset stands after the colon".into())),
            Some((name, asset)) => (name, Some(asset.to_owned())),
            None => (what, None),
        };
        let Some(kind) = FaultKind::named(name) else {
            let known = FaultKind::ALL.map(FaultKind::name).join(", ");
            let message = format!("there is no fault `{name}`");
            return Err(Problem::error(format!("--fault {text}"), message, format!("use one of {known}")));
        };
        Ok(Self { kind, asset, severity, at_s })
    }

    /// The fault itself, on an asset (its GlobalId) from a moment on, seconds since the emulated building's start.
    pub(super) fn fault(&self, target: String, start_s: f64) -> Fault {
        Fault::new(target, self.kind, self.severity, start_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_form() {
        let f = FaultSpec::parse("stuck-valve@20s").unwrap();
        assert_eq!((f.kind, f.asset, f.severity, f.at_s), (FaultKind::StuckValve, None, 1.0, 20.0));
        let f = FaultSpec::parse("pump-wear:CHWP-1=0.8@5m").unwrap();
        assert_eq!((f.kind, f.asset.as_deref(), f.severity, f.at_s), (FaultKind::PumpWear, Some("CHWP-1"), 0.8, 300.0));
        let f = FaultSpec::parse("coil-fouling=.3@1.5m").unwrap();
        assert_eq!((f.asset, f.severity, f.at_s), (None, 0.3, 90.0));
        let f = FaultSpec::parse("sensor-drift:0K$x_9aaaaaaaaaaaaaaaa@0").unwrap();
        assert_eq!(f.asset.as_deref(), Some("0K$x_9aaaaaaaaaaaaaaaa"));
        for kind in FaultKind::ALL {
            assert_eq!(FaultSpec::parse(&format!("{}@1s", kind.name())).unwrap().kind, kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, words) in [
            ("earthquake@20s", "no fault `earthquake`"),
            ("stuck-valve", "does not say when"),
            ("stuck-valve@soon", "not a duration"),
            ("stuck-valve@-3s", "not a duration"),
            ("stuck-valve=2@3s", "severity"),
            ("stuck-valve=@3s", "severity"),
            ("stuck-valve=0@3s", "severity"),
            ("stuck-valve=-0.3@3s", "severity"),
            ("stuck-valve=NaN@3s", "severity"),
            ("stuck-valve=inf@3s", "severity"),
            ("stuck-valve=30%@3s", "severity"),
            ("stuck-valve=0,3@3s", "severity"),
            ("stuck-valve=0.3", "does not say when"),
            ("stuck-valve@", "not a duration"),
            ("stuck-valve@1e9s", "not a duration"),
            ("stuck-valve@infs", "not a duration"),
            ("stuck-valve@1s@2s", "no fault `stuck-valve@1s`"),
            ("stuck-valve=0.3=0.4@1s", "no fault `stuck-valve=0.3`"),
            ("stuck-valve@99999999999999999999d", "more than a year"),
            ("Stuck-Valve@1s", "no fault `Stuck-Valve`"),
            ("@1s", "no fault"),
            ("", "does not say when"),
            ("stuck-valve:@3s", "no asset"),
        ] {
            let problem = FaultSpec::parse(text).unwrap_err();
            assert!(problem.message.contains(words), "{text}: {problem}");
        }
        assert!(FaultSpec::parse("earthquake@1s").unwrap_err().remedy.contains("filter-clogging"));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = FaultSpec::parse(&text);
        }
    }
}
