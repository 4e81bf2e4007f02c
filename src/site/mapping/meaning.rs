//! What the words of a point say: which quantity, where, and whether it is a value, a setpoint or a command.

/// What is measured or moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Measured {
    Temperature,
    Humidity,
    Pressure,
    Flow,
    Power,
    Energy,
    Speed,
    Position,
    Co2,
    Running,
    Illuminance,
    Voltage,
    Current,
    Frequency,
}

/// Where on the equipment, or what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Supply,
    Return,
    Mixed,
    Outdoor,
    Exhaust,
    Zone,
    Discharge,
    Entering,
    Leaving,
}

/// Through what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Through {
    Air,
    Water,
}

/// Of which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Valve,
    Damper,
    Fan,
    Pump,
    Filter,
    Coil,
    Compressor,
}

/// What sort of point it is. Only the first three are ever bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Value,
    Setpoint,
    Command,
    Alarm,
    Parameter,
    Statistic,
}

/// What some words say; what they leave open is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub measured: Option<Measured>,
    pub place: Option<Place>,
    pub through: Option<Through>,
    pub part: Option<Part>,
    pub kind: Option<Kind>,
    /// A difference of two: pressure over a filter.
    pub difference: bool,
    /// For heating or for cooling only.
    pub season: Option<bool>,
}

impl Meaning {
    /// Both together; none where they contradict each other.
    pub fn with(self, other: Self) -> Option<Self> {
        let mut out = self;
        out.difference |= other.difference;
        // Who says flow temperature means the one that flows out.
        let flow = Some(Measured::Flow);
        let heat = Some(Measured::Temperature);
        match (self.measured, other.measured) {
            (a, b) if (a == flow && b == heat || a == heat && b == flow) && self.place.is_none() => {
                out.measured = heat;
                out.place = Some(Place::Supply);
            }
            // Power of electricity, energy in kilowatt-hours, the state of a switch: the same said twice is no quarrel.
            (a, b) => out.measured = joined(a, b)?,
        }
        out.place = joined(out.place, other.place)?;
        out.through = joined(self.through, other.through)?;
        out.part = joined(self.part, other.part)?;
        out.season = joined(self.season, other.season)?;
        // The sort that counts most is the one that makes it no plain value.
        out.kind = match (self.kind, other.kind) {
            (Some(a), Some(b)) => Some(if rank(a) >= rank(b) { a } else { b }),
            (a, b) => a.or(b),
        };
        Some(out)
    }

    /// True where nothing is said but that it is a value.
    pub fn is_empty(&self) -> bool {
        Self { kind: self.kind.filter(|k| *k != Kind::Value), ..*self } == Self::default()
    }

    /// What sort it is; a value unless it says otherwise.
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Value)
    }
}

fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Value => 0,
        Kind::Setpoint => 2,
        Kind::Command => 1,
        Kind::Parameter => 3,
        Kind::Statistic => 4,
        Kind::Alarm => 5,
    }
}

fn joined<T: Copy + PartialEq>(a: Option<T>, b: Option<T>) -> Option<Option<T>> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => None,
        (a, b) => Some(a.or(b)),
    }
}

/// How well the words of a point fit a role, 0 to 1; none where they say something else. `own` is the part that the
/// element itself is: of a valve nobody has to say that its position is the valve's.
pub(super) fn fit(said: &Meaning, role: &Meaning, own: Option<Part>) -> Option<f64> {
    let mut fit = 0.97;
    if said.kind() != role.kind() || said.difference != role.difference && said.measured.is_some() {
        return None;
    }
    let (said_part, role_part) = (said.part.filter(|p| Some(*p) != own), role.part.filter(|p| Some(*p) != own));
    match (said.measured, role.measured) {
        (Some(a), Some(b)) if a == b => {}
        (Some(_), Some(_)) => return None,
        // A damper without more is where it stands; a setpoint or a command is of what the role says.
        (None, Some(Measured::Position)) if said.part.is_some() && said.part == role.part => fit -= 0.04,
        (None, Some(_)) if said.kind() != Kind::Value => fit -= 0.03,
        (None, None) if said.kind() == Kind::Command || !said.is_empty() && said.part == role.part => {}
        (Some(Measured::Position | Measured::Speed), None) if role.kind() == Kind::Command => {}
        _ => return None,
    }
    match (said_part, role_part) {
        (Some(a), Some(b)) if a == b => {}
        (None, None) => {}
        (None, Some(_)) => fit -= 0.08,
        (Some(_), _) => return None,
    }
    match (said.place.map(near), role.place.map(near)) {
        (Some(a), Some(b)) if a == b => {
            // Discharge is what others call supply: likely the same, not surely.
            if said.place != role.place {
                fit -= 0.05;
            }
        }
        (None, None) => {}
        (None, Some(_)) => fit -= 0.07,
        (Some(Place::Zone), None) if said.measured == Some(Measured::Humidity) => {}
        (Some(_), None) => fit -= 0.09,
        (Some(_), Some(_)) => return None,
    }
    match (said.through, role.through) {
        (Some(a), Some(b)) if a != b => return None,
        _ => {}
    }
    match (said.season, role.season) {
        (a, b) if a == b => {}
        (None, Some(_)) => fit -= 0.1,
        (Some(_), None) => fit -= 0.15,
        _ => return None,
    }
    Some(fit)
}

/// Words that some say for each other.
fn near(place: Place) -> Place {
    match place {
        Place::Discharge => Place::Supply,
        // Water that enters a machine comes back to it; what leaves it is supplied. Coils tell them apart by role.
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(measured: Measured, place: Option<Place>, kind: Option<Kind>) -> Meaning {
        Meaning { measured: Some(measured), place, kind, ..Meaning::default() }
    }

    #[test]
    fn values_setpoints_and_commands_are_never_mixed_up() {
        let value = of(Measured::Temperature, Some(Place::Supply), None);
        let setpoint = of(Measured::Temperature, Some(Place::Supply), Some(Kind::Setpoint));
        assert!(fit(&value, &value, None).is_some() && fit(&setpoint, &setpoint, None).is_some());
        assert_eq!((fit(&value, &setpoint, None), fit(&setpoint, &value, None)), (None, None));
        let alarm = of(Measured::Temperature, Some(Place::Supply), Some(Kind::Alarm));
        assert_eq!(fit(&alarm, &value, None), None);
    }

    #[test]
    fn what_contradicts_itself_means_nothing() {
        let supply = Meaning { place: Some(Place::Supply), ..Meaning::default() };
        let back = Meaning { place: Some(Place::Return), ..Meaning::default() };
        assert_eq!(supply.with(back), None);
        let flow = of(Measured::Flow, None, None);
        let heat = of(Measured::Temperature, None, None);
        let both = flow.with(heat).unwrap();
        assert_eq!((both.measured, both.place), (Some(Measured::Temperature), Some(Place::Supply)));
    }

    #[test]
    fn a_part_that_is_the_element_need_not_be_said() {
        let role = Meaning { measured: Some(Measured::Position), part: Some(Part::Valve), ..Meaning::default() };
        let said = Meaning { measured: Some(Measured::Position), ..Meaning::default() };
        assert!(fit(&said, &role, None) < fit(&said, &role, Some(Part::Valve)));
        let damper = Meaning { part: Some(Part::Damper), ..said };
        assert_eq!(fit(&damper, &role, None), None);
    }
}
