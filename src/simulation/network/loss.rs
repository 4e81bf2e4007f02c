//! The head that a link takes at a flow, and the slope of it: every kind brought to a few laws.

use super::friction::{Darcy, round_area};
use super::links::{Characteristic, Friction, LinkKind, PumpHead, ValveKind};
use super::model::{Command, Conventions, Network};
use super::power::{HW_EXPONENT, pow_less_one};

/// Least slope of a loss, m/(m³/s): below it the loss is a straight line, so that no flow is no trouble.
/// EPANET's 1e-7 ft/cfs.
pub const LEAST_SLOPE: f64 = 1e-7 / (0.3048 * 0.3048);
/// Slope of a wall that stops a pressure-driven outflow from leaving its range, m/(m³/s).
const WALL: f64 = 1e9;
/// More than this at 1 m³/s is no loss that can be reckoned with, m.
const MOST_LOSS: f64 = 1e30;
/// A foot, m.
const FOOT: f64 = 0.3048;

/// How head loss (m, positive where head falls along the flow) follows from flow (m³/s).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Hazen–Williams and a minor loss: `r |q|^0.852 q + m |q| q`.
    HazenWilliams {
        /// On q^1.852.
        r: f64,
        /// On q².
        m: f64,
    },
    /// `m |q| q`.
    Square {
        /// On q².
        m: f64,
    },
    /// `r |q|^(n-1) q + m |q| q`.
    Power {
        /// On q^n.
        r: f64,
        /// The exponent.
        n: f64,
        /// On q².
        m: f64,
    },
    /// Darcy–Weisbach with its fittings.
    Darcy(Darcy),
    /// A pump by a power law: `-h0 + r |q|^(n-1) q`.
    Pump {
        /// Shut-off head, m.
        h0: f64,
        /// On q^n.
        r: f64,
        /// The exponent.
        n: f64,
    },
    /// The same power at any flow: `-k / q`.
    Machine {
        /// m⁴/s.
        k: f64,
    },
    /// Straight lines between points: `y × T(q × x)`, or of |q| with the sign of q where `odd`.
    Table {
        /// First point in the solver's list.
        first: u32,
        /// How many.
        count: u32,
        /// Multiplies the flow.
        x: f64,
        /// Multiplies the value.
        y: f64,
        /// Whether the loss changes sign with the flow.
        odd: bool,
    },
    /// A head taken whatever the flow, or the minor loss where that is more.
    Breaker {
        /// m.
        head: f64,
        /// On q².
        m: f64,
    },
    /// Outflow by pressure `q = c p^e`, as loss `p(q)`; `back` where it also takes flow in.
    Outflow {
        /// `1 / c^(1/e)`.
        r: f64,
        /// `1 / e`.
        n: f64,
        /// Whether flow may come in.
        back: bool,
    },
    /// Wagner's demand: `p = range (q / full)^n` between no flow and the full demand.
    Wagner {
        /// Demand, m³/s.
        full: f64,
        /// Required less least pressure head, m.
        range: f64,
        /// One over Wagner's exponent.
        n: f64,
    },
    /// Lets nothing through.
    Shut,
    /// Holds its flow, m³/s.
    Held(f64),
}

impl Law {
    /// Head loss at a flow, and its slope (always above zero). `points` is the list that tables look in.
    pub fn at(&self, q: f64, points: &[(f64, f64)]) -> (f64, f64) {
        match *self {
            Self::HazenWilliams { r, m } => {
                let flow = q.abs();
                power_with_floor(r, HW_EXPONENT, m, flow, q, pow_less_one(flow))
            }
            Self::Square { m } => {
                let slope = (2.0 * m * q.abs()).max(LEAST_SLOPE);
                (0.5 * slope * q, slope)
            }
            Self::Power { r, n, m } => power_with_floor(r, n, m, q.abs(), q, root(q, n)),
            Self::Darcy(darcy) => {
                let (h, slope) = darcy.at(q);
                if slope < LEAST_SLOPE { (LEAST_SLOPE * q, LEAST_SLOPE) } else { (h, slope) }
            }
            Self::Pump { h0, r, n } => {
                let (h, slope) = power_with_floor(r, n, 0.0, q.abs(), q, root(q, n));
                (h - h0, slope)
            }
            Self::Machine { k } => {
                // Below a head of 10 km the hyperbola goes on as its tangent.
                let least = k * 1e-4;
                let flow = q.max(least).max(1e-12);
                let slope = (k / (flow * flow)).max(LEAST_SLOPE);
                (-k / flow + slope * (q - flow), slope)
            }
            Self::Table { first, count, x, y, odd } => table(points, first, count, x, y, odd, q),
            Self::Breaker { head, m } => {
                let slope = (2.0 * m * q.abs()).max(LEAST_SLOPE);
                if q > 0.0 && 0.5 * slope * q > head { (0.5 * slope * q, slope) } else { (head, LEAST_SLOPE) }
            }
            Self::Outflow { r, n, back } => outflow(r, n, back, q),
            Self::Wagner { full, range, n } => wagner(full, range, n, q),
            Self::Shut | Self::Held(_) => (0.0, f64::INFINITY),
        }
    }
}

/// `|q|^(n-1)`, finite at no flow where n is below 1.
fn root(q: f64, n: f64) -> f64 {
    q.abs().max(1e-12).powf(n - 1.0)
}

/// `r |q|^(n-1) q + m |q| q` with `p = |q|^(n-1)` already worked out, straight where the slope is small.
#[inline(always)]
pub fn power_with_floor(r: f64, n: f64, m: f64, flow: f64, q: f64, p: f64) -> (f64, f64) {
    let curved = n * r * p;
    let line = LEAST_SLOPE / n;
    let straight = curved.is_nan() || curved < LEAST_SLOPE;
    let (k, slope) = if straight { (line, line) } else { (r * p, curved) };
    (q * (k + m * flow), slope + 2.0 * m * flow)
}

fn table(points: &[(f64, f64)], first: u32, count: u32, x: f64, y: f64, odd: bool, q: f64) -> (f64, f64) {
    let points = points.get(first as usize..(first + count) as usize).unwrap_or_default();
    let at = if odd { q.abs() } else { q } * x;
    let (a, b) = match points {
        [] => return (LEAST_SLOPE * q, LEAST_SLOPE),
        [one] => ((0.0, 0.0), *one),
        _ => {
            let upper = points[1..points.len() - 1].partition_point(|p| p.0 < at) + 1;
            (points[upper - 1], points[upper])
        }
    };
    let slope = if b.0 > a.0 { (b.1 - a.1) / (b.0 - a.0) } else { 0.0 };
    let value = y * (a.1 + slope * (at - a.0));
    let value = if odd && q < 0.0 { -value } else { value };
    (value, (y * x * slope).max(LEAST_SLOPE))
}

fn outflow(r: f64, n: f64, back: bool, q: f64) -> (f64, f64) {
    if q < 0.0 && !back {
        return (WALL * q, WALL);
    }
    let flow = q.abs();
    let p = flow.powf(n - 1.0);
    // Above exponent 1 (n < 1) the slope grows without end at no flow, below it falls to nothing: in both
    // cases a straight line from zero takes over.
    if n < 1.0 {
        let knee = (1e-6 / r).powf(1.0 / n);
        if flow < knee {
            let line = r * knee.powf(n - 1.0);
            return (line * q, line);
        }
        return (r * p * q, n * r * p);
    }
    power_with_floor(r, n, 0.0, flow, q, p)
}

fn wagner(full: f64, range: f64, n: f64, q: f64) -> (f64, f64) {
    if full <= 0.0 {
        // Put in, or nothing: no matter of pressure; the caller holds such a flow fixed.
        return (WALL * (q - full), WALL);
    }
    if q < 0.0 {
        return (WALL * q, WALL);
    }
    if q > full {
        return (range + WALL * (q - full), WALL);
    }
    let part = q / full;
    let curved = range * part.powf(n - 1.0);
    let slope = (n * curved / full).max(LEAST_SLOPE);
    (curved * part, slope)
}

/// What the law of a link needs to know of its network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Laws {
    conventions: Conventions,
    gravity: f64,
    viscosity: f64,
    /// Pressure of a metre, Pa.
    pa: f64,
    /// On `K q² / d⁴`.
    minor: f64,
    /// Points of all curves, one behind the other.
    pub points: Vec<(f64, f64)>,
    /// Where each curve's points begin, and how many they are.
    curves: Vec<(u32, u32)>,
}

impl Laws {
    /// For the links of a network.
    pub fn new(network: &Network) -> Self {
        let gravity = network.gravity();
        let conventions = network.options.conventions;
        let minor = match conventions {
            Conventions::Exact => 8.0 / (std::f64::consts::PI.powi(2) * gravity),
            Conventions::Epanet => 0.02517 / FOOT,
        };
        let (viscosity, pa) = (network.fluid.viscosity, network.pa_per_m());
        let mut laws = Self { conventions, gravity, viscosity, pa, minor, ..Self::default() };
        for curve in &network.curves {
            laws.curves.push((laws.points.len() as u32, curve.points.len() as u32));
            laws.points.extend_from_slice(&curve.points);
        }
        laws
    }

    fn curve(&self, curve: usize) -> &[(f64, f64)] {
        let (first, count) = self.curves.get(curve).copied().unwrap_or_default();
        self.points.get(first as usize..(first + count) as usize).unwrap_or_default()
    }

    /// `K` on the velocity in a round section, as a coefficient on q².
    pub fn minor(&self, k: f64, diameter: f64) -> f64 {
        self.minor * k / diameter.powi(4)
    }

    /// The law of a link under a command and a setting.
    pub fn law(&self, kind: &LinkKind, command: Command, setting: f64) -> Law {
        if command == Command::Closed {
            return Law::Shut;
        }
        let pa = self.pa;
        match kind {
            LinkKind::Pipe(pipe) => self.pipe(pipe.length, pipe.diameter, pipe.friction, pipe.minor),
            LinkKind::Duct(duct) => {
                let minor = duct.minor / (2.0 * self.gravity * duct.area * duct.area);
                let (diameter, area) = (duct.hydraulic_diameter, duct.area);
                let viscosity = self.viscosity;
                let darcy = Darcy::new(duct.length, diameter, area, duct.roughness, viscosity, self.gravity, minor);
                Law::Darcy(darcy)
            }
            LinkKind::Valve(valve) => {
                let open = self.minor(valve.minor, valve.diameter);
                match valve.kind {
                    _ if command == Command::Open => Law::Square { m: open },
                    ValveKind::Throttle => Law::Square { m: self.minor(setting.max(0.0), valve.diameter) },
                    ValveKind::PressureBreaker => Law::Breaker { head: setting, m: open },
                    ValveKind::GeneralPurpose { curve } => self.table(curve, 1.0, 1.0, true),
                    ValveKind::PositionalControl { curve } => {
                        let share = curve.map_or(setting, |c| self.curve_at(c, setting)).clamp(0.0, 1.0);
                        // The open loss is K₀ at the full coefficient; a share of that takes K₀ / share².
                        let open = if valve.minor > 0.0 { open } else { self.minor(1.0, valve.diameter) };
                        if share <= 1e-6 { Law::Shut } else { Law::Square { m: open / (share * share) } }
                    }
                    _ => Law::Square { m: open },
                }
            }
            LinkKind::Kv(valve) => {
                let x = if command == Command::Open { 1.0 } else { setting.clamp(0.0, 1.0) };
                let kv = match valve.characteristic {
                    Characteristic::Linear => valve.kvs * x,
                    Characteristic::EqualPercentage(range) => {
                        let range = range.max(1.0 + 1e-9);
                        valve.kvs * if x >= 0.1 { range.powf(x - 1.0) } else { x / 0.1 * range.powf(-0.9) }
                    }
                    Characteristic::Curve(curve) => valve.kvs * self.curve_at(curve, x),
                };
                let kv = kv.max(valve.leak_kv);
                if kv <= 1e-9 { Law::Shut } else { Law::Square { m: 1e2 * (3600.0 / kv).powi(2) / self.gravity } }
            }
            LinkKind::Damper(damper) => {
                let x = if command == Command::Open { 1.0 } else { setting.clamp(0.0, 1.0) };
                let open = damper.open_loss.max(1e-3);
                if damper.closed_loss <= 0.0 && x <= 0.0 {
                    return Law::Shut;
                }
                let shut = if damper.closed_loss > 0.0 { damper.closed_loss } else { 1e5 };
                let k = open.powf(x) * shut.powf(1.0 - x);
                Law::Square { m: k / (2.0 * self.gravity * damper.area * damper.area) }
            }
            LinkKind::Pump(pump) => match pump.head {
                _ if setting <= 0.0 => Law::Shut,
                // Power goes with the cube of speed.
                PumpHead::Power(watt) => Law::Machine { k: watt / pa * setting.powi(3) },
                PumpHead::Curve(curve) => self.pump(curve, setting, 1.0),
            },
            LinkKind::Fan(fan) => {
                if setting <= 0.0 {
                    return Law::Shut;
                }
                self.pump(fan.curve, setting, 1.0 / (fan.density.max(1e-6) * self.gravity))
            }
            LinkKind::Resistance(fixed) => power(fixed.k / pa, fixed.exponent),
            LinkKind::Leakage { coefficient, exponent } => {
                if *coefficient <= 0.0 {
                    return Law::Shut;
                }
                let n = 1.0 / exponent.max(1e-3);
                power(coefficient.powf(-n) / pa, n)
            }
            LinkKind::FixedFlow => Law::Held(setting),
        }
    }

    /// Whether a loss can be worked out by a law: not where sizes are so far out that there are no numbers for it.
    pub fn counts(&self, law: &Law) -> bool {
        match *law {
            Law::HazenWilliams { r, m } => power_with_floor(r, HW_EXPONENT, m, 1.0, 1.0, 1.0).0.abs() < MOST_LOSS,
            _ => law.at(1.0, &self.points).0.abs() < MOST_LOSS,
        }
    }

    fn pipe(&self, length: f64, diameter: f64, friction: Friction, minor: f64) -> Law {
        let m = self.minor(minor, diameter);
        let area = round_area(diameter);
        match friction {
            Friction::HazenWilliams(c) => {
                // 4.727 L / (C^1.852 d^4.871) in feet and cubic feet a second.
                let r = 4.727 * FOOT.powf(4.871 - 3.0 * HW_EXPONENT) * length / c.powf(HW_EXPONENT);
                Law::HazenWilliams { r: r / diameter.powf(4.871), m }
            }
            Friction::DarcyWeisbach(e) => {
                let viscosity = self.viscosity;
                Law::Darcy(Darcy::new(length, diameter, area, e, viscosity, self.gravity, m))
            }
            Friction::ChezyManning(n) => {
                let (factor, power) = match self.conventions {
                    Conventions::Exact => (1.0, 4.0 / 3.0),
                    Conventions::Epanet => (FOOT.powf(4.0 + 1.333 - 6.0) / (1.49 * 1.49), 1.333),
                };
                let velocity = n / area;
                let r = factor * velocity * velocity * (diameter / 4.0).powf(-power) * length;
                Law::Square { m: r + m }
            }
        }
    }

    fn pump(&self, curve: usize, speed: f64, unit: f64) -> Law {
        match super::pump::power_law(self.curve(curve)) {
            Some((h0, r, n)) => Law::Pump { h0: unit * h0 * speed * speed, r: unit * r * speed.powf(2.0 - n), n },
            None => self.table(curve, 1.0 / speed, -unit * speed * speed, false),
        }
    }

    fn table(&self, curve: usize, x: f64, y: f64, odd: bool) -> Law {
        let (first, count) = self.curves.get(curve).copied().unwrap_or_default();
        Law::Table { first, count, x, y, odd }
    }

    /// A curve's value by straight lines, held at its ends.
    fn curve_at(&self, curve: usize, x: f64) -> f64 {
        super::pump::interpolate(self.curve(curve), x)
    }
}

fn power(r: f64, n: f64) -> Law {
    if n == 2.0 { Law::Square { m: r } } else { Law::Power { r, n, m: 0.0 } }
}
