//! The units of an INP file, and what they are in SI.
//!
//! EPANET works in feet and cubic feet a second and comes there by rounded factors: 28.317 litres to the
//! cubic foot, 0.4333 psi to the foot. Heads agree with it to a tenth of a millimetre only with the same
//! factors, so these are used, and a cubic foot is 0.3048³ m³. A flow in litres a second is therefore
//! 5.4 parts in a million below its exact value inside; it is written back as it was read.

use super::words::is;

/// A foot, m.
pub const FOOT: f64 = 0.3048;
/// A cubic foot, m³.
pub const CUBIC_FOOT: f64 = FOOT * FOOT * FOOT;
/// Pressure of a foot of water, psi.
const PSI_OF_FOOT: f64 = 0.4333;
/// Kinematic viscosity of water at 20 °C as EPANET has it, m²/s (1.1e-5 ft²/s).
pub const VISCOSITY: f64 = 1.1e-5 * FOOT * FOOT;
/// Diffusivity of chlorine at 20 °C as EPANET has it, m²/s (1.3e-8 ft²/s).
pub const DIFFUSIVITY: f64 = 1.3e-8 * FOOT * FOOT;
/// A horsepower, W.
const HORSEPOWER: f64 = 745.7;

/// Units of flow; they also say whether lengths are in feet or metres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowUnits {
    /// Cubic feet a second.
    Cfs,
    /// US gallons a minute.
    Gpm,
    /// Million US gallons a day.
    Mgd,
    /// Million imperial gallons a day.
    Imgd,
    /// Acre-feet a day.
    Afd,
    /// Litres a second.
    Lps,
    /// Litres a minute.
    Lpm,
    /// Million litres a day.
    Mld,
    /// Cubic metres an hour.
    Cmh,
    /// Cubic metres a day.
    Cmd,
    /// Cubic metres a second.
    Cms,
}

/// Units of flow, their names and how many of them a cubic foot a second is.
const FLOWS: [(FlowUnits, &str, f64); 11] = [
    (FlowUnits::Cfs, "CFS", 1.0),
    (FlowUnits::Gpm, "GPM", 448.831),
    (FlowUnits::Mgd, "MGD", 0.646_32),
    (FlowUnits::Imgd, "IMGD", 0.5382),
    (FlowUnits::Afd, "AFD", 1.9837),
    (FlowUnits::Lps, "LPS", 28.317),
    (FlowUnits::Lpm, "LPM", 1699.0),
    (FlowUnits::Mld, "MLD", 2.4466),
    (FlowUnits::Cmh, "CMH", 101.94),
    (FlowUnits::Cmd, "CMD", 2446.6),
    (FlowUnits::Cms, "CMS", 0.028_317),
];

impl FlowUnits {
    /// By its name; `SI` is litres a second, as of old.
    pub fn by_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("SI") {
            return Some(FlowUnits::Lps);
        }
        FLOWS.iter().find(|(_, n, _)| is(name, n)).map(|(unit, ..)| *unit)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        FLOWS.iter().find(|(unit, ..)| *unit == self).map_or("GPM", |(_, name, _)| name)
    }

    /// Whether lengths are in metres and diameters in millimetres.
    pub fn metric(self) -> bool {
        !matches!(self, FlowUnits::Cfs | FlowUnits::Gpm | FlowUnits::Mgd | FlowUnits::Imgd | FlowUnits::Afd)
    }

    fn of_cubic_foot(self) -> f64 {
        FLOWS.iter().find(|(unit, ..)| *unit == self).map_or(448.831, |(.., count)| *count)
    }
}

/// Units of pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PressureUnits {
    /// Pounds a square inch.
    Psi,
    /// Kilopascals.
    Kpa,
    /// Metres of water.
    Metres,
    /// Bars.
    Bar,
    /// Feet of water.
    Feet,
}

/// Units of pressure and their names.
const PRESSURES: [(PressureUnits, &str); 5] = [
    (PressureUnits::Psi, "PSI"),
    (PressureUnits::Kpa, "KPA"),
    (PressureUnits::Metres, "METERS"),
    (PressureUnits::Bar, "BAR"),
    (PressureUnits::Feet, "FEET"),
];

impl PressureUnits {
    /// By its name.
    pub fn by_name(name: &str) -> Option<Self> {
        if is(name, "METRES") || name.eq_ignore_ascii_case("M") {
            return Some(PressureUnits::Metres);
        }
        PRESSURES.iter().find(|(_, n)| is(name, n)).map(|(unit, _)| *unit)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        PRESSURES.iter().find(|(unit, _)| *unit == self).map_or("PSI", |(_, name)| name)
    }
}

/// The units of a file: multiply what stands in it by a factor to have SI.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Units {
    /// Of flows.
    pub flow: FlowUnits,
    /// Of pressures; None where the file leaves them to the units of flow.
    pub pressure: Option<PressureUnits>,
    /// Density of the fluid over that of water: a psi is more metres of a lighter fluid.
    pub specific_gravity: f64,
}

impl Default for Units {
    fn default() -> Self {
        Self { flow: FlowUnits::Gpm, pressure: None, specific_gravity: 1.0 }
    }
}

impl Units {
    /// Units of flow, and what goes with them.
    pub fn new(flow: FlowUnits) -> Self {
        Self { flow, ..Self::default() }
    }

    /// m³/s in a unit of flow.
    pub fn m3s(&self) -> f64 {
        CUBIC_FOOT / self.flow.of_cubic_foot()
    }

    /// m in a unit of length, elevation or head.
    pub fn m(&self) -> f64 {
        if self.flow.metric() { 1.0 } else { FOOT }
    }

    /// m in a unit of diameter of pipes and valves.
    pub fn diameter_m(&self) -> f64 {
        if self.flow.metric() { 1e-3 } else { FOOT / 12.0 }
    }

    /// m in a unit of Darcy–Weisbach roughness.
    pub fn roughness_m(&self) -> f64 {
        1e-3 * self.m()
    }

    /// m³ in a unit of volume.
    pub fn m3(&self) -> f64 {
        self.m().powi(3)
    }

    /// m of head in a unit of pressure.
    pub fn head_m(&self) -> f64 {
        let psi_of_foot = PSI_OF_FOOT * self.specific_gravity;
        match self.pressure_or_default() {
            PressureUnits::Psi => FOOT / psi_of_foot,
            PressureUnits::Kpa => FOOT / (6.895 * psi_of_foot),
            PressureUnits::Bar => FOOT / (0.068_948 * psi_of_foot),
            PressureUnits::Metres => 1.0,
            PressureUnits::Feet => FOOT,
        }
    }

    /// m of head in the unit of pressure of emitters, which is psi or m whatever the file says.
    pub fn emitter_head_m(&self) -> f64 {
        if self.flow.metric() { 1.0 } else { FOOT / (PSI_OF_FOOT * self.specific_gravity) }
    }

    /// The unit of pressure, said or not.
    pub fn pressure_or_default(&self) -> PressureUnits {
        self.pressure.unwrap_or(if self.flow.metric() { PressureUnits::Metres } else { PressureUnits::Psi })
    }

    /// W in a unit of power (kW or horsepower).
    pub fn watts(&self) -> f64 {
        if self.flow.metric() { 1000.0 } else { HORSEPOWER }
    }

    /// Head times flow, m⁴/s, of a unit of a pump's power.
    pub fn lift_m4s(&self) -> f64 {
        // A horsepower lifts 8.814 cubic feet a second by a foot.
        8.814 * FOOT * CUBIC_FOOT * self.watts() / HORSEPOWER
    }

    /// m² of leak a metre of pipe in a unit of leakage: square millimetres a hundred units of length.
    pub fn leak_m2_m(&self) -> f64 {
        1e-6 / (100.0 * self.m())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors() {
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
        near(Units::new(FlowUnits::Gpm).m3s(), 6.309_019_64e-5);
        near(Units::new(FlowUnits::Lps).m3s(), 1e-3);
        near(Units::new(FlowUnits::Cms).m3s(), 1.0);
        near(Units::new(FlowUnits::Cmh).m3s(), 1.0 / 3600.0);
        near(Units::new(FlowUnits::Cmd).m3s(), 1.0 / 86_400.0);
        for (unit, ..) in FLOWS {
            assert_eq!(FlowUnits::by_name(unit.name()), Some(unit));
        }
        for (unit, _) in PRESSURES {
            assert_eq!(PressureUnits::by_name(unit.name()), Some(unit));
        }
        // 50 psi are 35.15 m of water, 500 kPa are 51 m, to a tenth of a percent.
        let mut units = Units::new(FlowUnits::Gpm);
        assert!((50.0 * units.head_m() - 35.15).abs() < 0.05);
        units.pressure = Some(PressureUnits::Kpa);
        assert!((500.0 * units.head_m() - 51.0).abs() < 0.05);
        assert_eq!(FlowUnits::by_name("XYZ"), None);
    }
}
