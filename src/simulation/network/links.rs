//! What flow passes through: pipes, ducts, valves, dampers, pumps, fans and everything with a fixed loss.

use serde::{Deserialize, Serialize};

/// What a link is. The setting of a link ([`super::Boundary::setting`]) means for each kind:
///
/// | kind | setting |
/// |---|---|
/// | pipe, duct, resistance, power law | none |
/// | pump, fan | speed over the speed of its curve; 0 stops it |
/// | [`Valve`] PRV, PSV | pressure head held at its downstream or upstream node, m above that node |
/// | PBV | head taken away, m |
/// | FCV | most flow, m³/s |
/// | TCV | loss coefficient K |
/// | PCV | how far it is open, 0..1 |
/// | GPV | none: its curve holds |
/// | [`KvValve`], [`BladeDamper`] | position, 0 (closed) to 1 (open) |
/// | fixed flow | the flow, m³/s |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LinkKind {
    /// A round pipe.
    Pipe(Pipe),
    /// A straight duct of any section.
    Duct(Duct),
    /// A valve of the kinds of water supply.
    Valve(Valve),
    /// A control, balancing or shut-off valve by its Kv and position.
    Kv(KvValve),
    /// A damper by its loss coefficients and position.
    Damper(BladeDamper),
    /// A pump.
    Pump(Pump),
    /// A fan.
    Fan(Fan),
    /// A fixed loss `Δp = k |Q|^exponent`: coil, heat exchanger, filter, boiler, terminal, orifice.
    Resistance(Resistance),
    /// A crack or opening, `Q = coefficient × Δp^exponent`: what airtightness tests give.
    Leakage {
        /// m³/s at one pascal.
        coefficient: f64,
        /// 0.5 (orifice) to 1 (laminar); 0.65 for cracks.
        exponent: f64,
    },
    /// A flow that is held whatever the heads, from `from` to `to`: a constant-volume box, a dosing pump.
    FixedFlow,
}

/// The friction of a pipe's wall.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Friction {
    /// Hazen–Williams, with the coefficient C.
    HazenWilliams(f64),
    /// Darcy–Weisbach, with the roughness height, m.
    DarcyWeisbach(f64),
    /// Chézy–Manning, with Manning's n.
    ChezyManning(f64),
}

/// A round pipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipe {
    /// m.
    pub length: f64,
    /// Inner diameter, m.
    pub diameter: f64,
    /// Friction of the wall.
    pub friction: Friction,
    /// Sum of the loss coefficients K of bends and fittings, on the velocity in the pipe.
    pub minor: f64,
    /// Whether it lets flow only from `from` to `to`.
    pub check: bool,
    /// Its leakage.
    pub leak: Option<Leak>,
}

/// Background leakage of a pipe by FAVAD, `Q = Cd √(2g) (A₀ + m p) √p` for each length of pipe, half of
/// it at either end. May, "Pressure dependent leakage", World Water Environ. Eng. (1994); van Zyl and
/// Cassa, J. Hydraul. Eng. 140 (2014).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// Area A₀ of the openings without pressure, m² for each metre of pipe.
    pub area: f64,
    /// How the area grows with pressure head, m² a metre of head for each metre of pipe.
    pub expansion: f64,
}

/// A straight duct with the friction of Darcy–Weisbach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duct {
    /// m.
    pub length: f64,
    /// Four times the section over its perimeter, m.
    pub hydraulic_diameter: f64,
    /// Section, m².
    pub area: f64,
    /// Roughness height, m (0.09 mm for galvanised steel).
    pub roughness: f64,
    /// Sum of the loss coefficients of fittings, on the velocity in the duct.
    pub minor: f64,
}

impl Duct {
    /// A round duct of a diameter, m.
    pub fn round(length: f64, diameter: f64, roughness: f64, minor: f64) -> Self {
        let area = 0.25 * std::f64::consts::PI * diameter * diameter;
        Self { length, hydraulic_diameter: diameter, area, roughness, minor }
    }

    /// A rectangular duct of two sides, m.
    pub fn rectangular(length: f64, width: f64, height: f64, roughness: f64, minor: f64) -> Self {
        let around = (width + height).max(f64::MIN_POSITIVE);
        Self { length, hydraulic_diameter: 2.0 * width * height / around, area: width * height, roughness, minor }
    }
}

/// A valve of the kinds of water supply.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Valve {
    /// What it holds.
    pub kind: ValveKind,
    /// Inner diameter, m.
    pub diameter: f64,
    /// Loss coefficient K when fully open.
    pub minor: f64,
}

/// What a valve holds by its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ValveKind {
    /// Pressure reducing: holds the pressure downstream, never above its setting.
    PressureReducing,
    /// Pressure sustaining: holds the pressure upstream, never below its setting.
    PressureSustaining,
    /// Pressure breaker: takes a fixed head away.
    PressureBreaker,
    /// Flow control: lets no more through than its setting.
    FlowControl,
    /// Throttle: a loss coefficient.
    Throttle,
    /// General purpose: head loss (m) against flow (m³/s) by a curve.
    GeneralPurpose {
        /// Index into [`super::Network::curves`].
        curve: usize,
    },
    /// Positional control: share of the fully open flow coefficient against position by a curve, both 0..1;
    /// without a curve the share is the position.
    PositionalControl {
        /// Index into [`super::Network::curves`].
        curve: Option<usize>,
    },
}

/// A valve by its flow coefficient: `Δp[bar] = (Q[m³/h] / Kv)² × density / 1000` (IEC 60534-2-1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KvValve {
    /// Kv fully open, m³/h at one bar.
    pub kvs: f64,
    /// How Kv follows from position.
    pub characteristic: Characteristic,
    /// Kv that passes even when it is shut, m³/h: 0 for a tight valve.
    pub leak_kv: f64,
    /// Whether it lets flow only from `from` to `to`.
    pub check: bool,
}

/// How the flow coefficient of a valve follows from its position x, 0..1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Characteristic {
    /// `Kv = Kvs x`.
    #[default]
    Linear,
    /// `Kv = Kvs R^(x - 1)`, R the rangeability (30 or 50); straight to zero below x = 0.1.
    EqualPercentage(f64),
    /// Kv over Kvs against position by a curve, both 0..1 (a balancing valve's presettings).
    Curve(usize),
}

/// A damper. The loss coefficient goes from closed to open on a straight line of its logarithm over the
/// blade angle, which is how measured dampers behave between 15° and 75° (Legg, "Characteristics of single
/// and multi-blade dampers for ducted air systems", BSERT 7 (1986)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BladeDamper {
    /// Section, m².
    pub area: f64,
    /// Loss coefficient fully open (0.2 to 0.5).
    pub open_loss: f64,
    /// Loss coefficient when shut, by its leakage (1e4 to 1e6). Zero or less: it shuts tight at position 0.
    pub closed_loss: f64,
}

/// A pump.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pump {
    /// What head it gives.
    pub head: PumpHead,
    /// Efficiency (0..1) against flow (m³/s): index into [`super::Network::curves`].
    pub efficiency: Option<usize>,
    /// Its speed in time, in place of its setting: index into [`super::Network::patterns`].
    pub pattern: Option<usize>,
}

/// What head a pump gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PumpHead {
    /// Head (m) against flow (m³/s) by a curve of [`super::Network::curves`]: one point is the design point
    /// (shut-off head 4/3 of it, twice the flow at no head), three points with the first at no flow are a
    /// power law `A - B Q^C`, any other number is joined by straight lines.
    Curve(usize),
    /// The same power goes into the fluid at any flow, W.
    Power(f64),
}

/// A fan: total pressure (Pa at [`Fan::density`]) against flow (m³/s), by one point, three or many as for a pump
/// ([`PumpHead::Curve`]). Its head is the same in any gas, so its pressure goes with the density of the network's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fan {
    /// Index into [`super::Network::curves`].
    pub curve: usize,
    /// Density its curve was measured at, kg/m³ (1.2).
    pub density: f64,
    /// Efficiency (0..1) against flow: index into [`super::Network::curves`].
    pub efficiency: Option<usize>,
}

/// A fixed loss `Δp = k |Q|^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resistance {
    /// Pa at 1 m³/s.
    pub k: f64,
    /// 2 for turbulent, 1 for laminar.
    pub exponent: f64,
    /// Whether it lets flow only from `from` to `to`.
    pub check: bool,
}

impl Resistance {
    /// What takes a pressure (Pa) at a flow (m³/s), squarely: how data sheets state coils and filters.
    pub fn rated(pressure: f64, flow: f64) -> Self {
        Self { k: pressure / (flow * flow).max(f64::MIN_POSITIVE), exponent: 2.0, check: false }
    }
}

/// What the two columns of a curve are, in SI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CurveKind {
    /// Not known, or used for several things; values as in the file.
    #[default]
    Generic,
    /// Flow m³/s, head m.
    PumpHead,
    /// Flow m³/s, efficiency 0..1.
    Efficiency,
    /// Level m, volume m³.
    Volume,
    /// Flow m³/s, head loss m.
    HeadLoss,
    /// Position 0..1, share of the open flow coefficient 0..1.
    Opening,
    /// Flow m³/s, total pressure Pa.
    FanPressure,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rated_resistance_gives_back_its_rating() {
        let coil = Resistance::rated(20_000.0, 0.002);
        assert!((coil.k * 0.002 * 0.002 - 20_000.0).abs() < 1e-6);
    }

    #[test]
    fn a_square_duct_has_its_side_as_hydraulic_diameter() {
        let duct = Duct::rectangular(1.0, 0.4, 0.4, 0.0, 0.0);
        assert!((duct.hydraulic_diameter - 0.4).abs() < 1e-15 && (duct.area - 0.16).abs() < 1e-15);
        let round = Duct::round(1.0, 0.4, 0.0, 0.0);
        assert!((4.0 * round.area / (std::f64::consts::PI * 0.4) - round.hydraulic_diameter).abs() < 1e-15);
    }
}
