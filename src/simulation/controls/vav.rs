//! A variable air volume box with reheat, by the two-maximum logic.
//!
//! Cooling moves the airflow from its minimum to its cooling maximum. Heating first warms the discharge at the
//! heating minimum, then moves the airflow to the heating maximum with the discharge at its limit; between
//! the two stands the minimum. The logic and the requests follow the ideas of ASHRAE Guideline 36
//! (sections on VAV terminal units with reheat), written down in our own words and figures.

use super::Held;
use super::pid::{Pid, PidState};
use super::reset::line;

/// A box as it was commissioned. Flows in m³/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VavBox {
    /// Least airflow while people are there: ventilation.
    pub minimum: f64,
    /// Most airflow for cooling.
    pub cooling_maximum: f64,
    /// Least airflow for heating; not below the minimum.
    pub heating_minimum: f64,
    /// Most airflow for heating.
    pub heating_maximum: f64,
    /// Discharge above the zone at the most, K: more would stay under the ceiling.
    pub most_above_k: f64,
    /// Loops of the zone.
    pub cooling: Pid,
    /// Loop of the zone.
    pub heating: Pid,
    /// Loop of the damper on the airflow, by the share of the cooling maximum.
    pub damper: Pid,
    /// Loop of the reheat valve on the discharge.
    pub reheat: Pid,
}

impl VavBox {
    /// A box with its two maxima, the usual loops, and a heating minimum that is the minimum.
    pub fn new(minimum: f64, cooling_maximum: f64, heating_maximum: f64) -> Self {
        Self {
            minimum,
            cooling_maximum,
            heating_minimum: minimum,
            heating_maximum,
            most_above_k: 11.0,
            cooling: Pid { gain: 0.35, integral_s: 1200.0, direct: true, ..Pid::default() },
            heating: Pid { gain: 0.35, integral_s: 1200.0, ..Pid::default() },
            damper: Pid { gain: 0.4, integral_s: 60.0, ..Pid::default() },
            reheat: Pid { gain: 0.03, integral_s: 200.0, ..Pid::default() },
        }
    }
}

/// When a zone is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// People are there.
    Occupied,
    /// Nobody: no ventilation, setback setpoints.
    Unoccupied,
    /// Before they come, cold: warmed without outdoor air, ventilation not yet.
    WarmUp,
}

/// What a box reads. A reading that is no number holds the loop that needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Readings {
    /// Zone, °C.
    pub zone_c: f64,
    /// Setpoint for heating, °C.
    pub heating_c: f64,
    /// Setpoint for cooling, °C; above that for heating.
    pub cooling_c: f64,
    /// Supply air of the unit, °C.
    pub supply_c: f64,
    /// Discharge of the box, °C.
    pub discharge_c: f64,
    /// Airflow, m³/s.
    pub airflow_m3s: f64,
    /// Damper, 0..1.
    pub damper: f64,
}

/// What a box commands, and what it asks of the plant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxCommands {
    /// Damper, 0..1.
    pub damper: f64,
    /// Reheat valve, 0..1.
    pub reheat: f64,
    /// Airflow wanted, m³/s.
    pub airflow_m3s: f64,
    /// Discharge wanted, °C; none when it does not heat.
    pub discharge_c: Option<f64>,
    /// Requests for colder supply air: 0 to 3.
    pub cooling_requests: u32,
    /// Requests for more duct pressure: 0 to 3.
    pub pressure_requests: u32,
    /// Requests for hotter heating water: 0 to 3.
    pub heating_requests: u32,
}

/// What a box remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxState {
    cooling: PidState,
    heating: PidState,
    damper: PidState,
    reheat: PidState,
    hot: Held,
    very_hot: Held,
    cold: Held,
    starved: Held,
}

impl BoxState {
    /// A step of `dt_s`.
    pub fn step(&mut self, b: &VavBox, when: Use, r: &Readings, dt_s: f64) -> BoxCommands {
        if !(dt_s > 0.0 && dt_s.is_finite()) {
            return BoxCommands::default();
        }
        let cooling = self.cooling.step(&b.cooling, r.cooling_c, r.zone_c, dt_s);
        let heating = self.heating.step(&b.heating, r.heating_c, r.zone_c, dt_s);
        let minimum = if when == Use::Occupied { b.minimum.max(0.0) } else { 0.0 };
        let heating_minimum = b.heating_minimum.max(minimum);
        let (mut airflow, mut discharge) = (minimum, None);
        if cooling > 0.0 && heating <= 0.0 {
            // Air that is warmer than the zone does not cool it, however much of it comes.
            if r.supply_c < r.zone_c || !r.supply_c.is_finite() {
                airflow = minimum + cooling * (b.cooling_maximum.max(minimum) - minimum);
            }
        } else if heating > 0.0 {
            let limit = r.zone_c + b.most_above_k;
            if r.supply_c > r.zone_c + 3.0 {
                // The unit itself sends warm air: the damper alone heats.
                airflow = minimum + heating * (b.heating_maximum.max(minimum) - minimum);
            } else {
                discharge = Some(line(heating, (0.0, r.supply_c.min(limit)), (0.5, limit)));
                airflow = line(heating, (0.5, heating_minimum), (1.0, b.heating_maximum.max(heating_minimum)));
            }
        }
        let full = b.cooling_maximum.max(b.heating_maximum).max(1e-6);
        let damper = if airflow > 0.0 {
            self.damper.step(&b.damper, airflow / full, r.airflow_m3s / full, dt_s)
        } else {
            self.damper.clear();
            0.0
        };
        let reheat = match discharge {
            Some(wanted) => self.reheat.step(&b.reheat, wanted, r.discharge_c, dt_s),
            None => {
                self.reheat.clear();
                0.0
            }
        };
        let mut commands =
            BoxCommands { damper, reheat, airflow_m3s: airflow, discharge_c: discharge, ..BoxCommands::default() };
        self.requests(&mut commands, r, cooling, dt_s);
        commands
    }

    fn requests(&mut self, c: &mut BoxCommands, r: &Readings, cooling: f64, dt_s: f64) {
        let over = r.zone_c - r.cooling_c;
        let very_hot = self.very_hot.step(over > 3.0, 120.0, dt_s);
        let hot = self.hot.step(over > 2.0, 120.0, dt_s);
        c.cooling_requests = match () {
            () if very_hot => 3,
            () if hot => 2,
            () if cooling > 0.95 => 1,
            () => 0,
        };
        let share = if c.airflow_m3s > 0.0 { r.airflow_m3s / c.airflow_m3s } else { 1.0 };
        let starved = self.starved.step(r.damper > 0.95 && share < 0.7, 60.0, dt_s);
        c.pressure_requests = match () {
            () if starved && share < 0.5 => 3,
            () if starved => 2,
            () if r.damper > 0.95 => 1,
            () => 0,
        };
        let short = c.discharge_c.map_or(0.0, |wanted| wanted - r.discharge_c);
        let cold = self.cold.step(short > 8.0, 300.0, dt_s);
        c.heating_requests = match () {
            () if cold && short > 17.0 => 3,
            () if cold => 2,
            () if c.reheat > 0.95 => 1,
            () => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Readings = Readings {
        zone_c: 22.5,
        heating_c: 21.0,
        cooling_c: 24.0,
        supply_c: 14.0,
        discharge_c: 14.0,
        airflow_m3s: 0.06,
        damper: 0.3,
    };

    fn the_box() -> VavBox {
        VavBox::new(0.06, 0.3, 0.15)
    }

    /// Commands after the readings have held for a while.
    fn after(when: Use, r: Readings, seconds: f64) -> BoxCommands {
        let (b, mut s) = (the_box(), BoxState::default());
        let mut c = BoxCommands::default();
        for _ in 0..(seconds / 10.0) as usize {
            c = s.step(&b, when, &r, 10.0);
        }
        c
    }

    #[test]
    fn between_the_setpoints_it_ventilates() {
        let c = after(Use::Occupied, PLAIN, 3600.0);
        assert_eq!((c.airflow_m3s, c.discharge_c, c.reheat), (0.06, None, 0.0));
        assert_eq!((c.cooling_requests, c.pressure_requests, c.heating_requests), (0, 0, 0));
        let c = after(Use::Unoccupied, PLAIN, 3600.0);
        assert_eq!((c.airflow_m3s, c.damper), (0.0, 0.0));
    }

    #[test]
    fn cooling_takes_air_up_to_its_maximum() {
        let c = after(Use::Occupied, Readings { zone_c: 27.5, ..PLAIN }, 7200.0);
        assert!((c.airflow_m3s - 0.3).abs() < 1e-9 && c.reheat == 0.0 && c.cooling_requests == 3);
        let some = after(Use::Occupied, Readings { zone_c: 24.3, ..PLAIN }, 10.0);
        assert!(some.airflow_m3s > 0.06 && some.airflow_m3s < 0.15, "{some:?}");
        let warm = after(Use::Occupied, Readings { zone_c: 27.5, supply_c: 30.0, ..PLAIN }, 3600.0);
        assert_eq!(warm.airflow_m3s, 0.06, "warm supply air does not cool");
    }

    #[test]
    fn heating_warms_first_and_then_takes_more_air() {
        let (b, mut s) = (the_box(), BoxState::default());
        let mut warmest_at_minimum = 0.0f64;
        let mut last = BoxCommands::default();
        for _ in 0..2000 {
            let c = s.step(&b, Use::Occupied, &Readings { zone_c: 20.4, ..PLAIN }, 10.0);
            let discharge = c.discharge_c.unwrap();
            if c.airflow_m3s <= 0.06 + 1e-12 {
                warmest_at_minimum = warmest_at_minimum.max(discharge);
            } else {
                assert!((discharge - 31.4).abs() < 1e-9, "more air only with the discharge at its limit");
            }
            last = c;
        }
        assert!(warmest_at_minimum > 30.0 && (last.airflow_m3s - 0.15).abs() < 1e-9 && last.reheat > 0.9, "{last:?}");
        assert!(last.heating_requests == 3, "the discharge never comes: {last:?}");
        let by_unit = after(Use::WarmUp, Readings { zone_c: 17.0, supply_c: 32.0, ..PLAIN }, 7200.0);
        assert!(by_unit.reheat == 0.0 && (by_unit.airflow_m3s - 0.15).abs() < 1e-9, "warm-up by the damper alone");
    }

    #[test]
    fn the_damper_follows_its_flow_and_asks_for_pressure() {
        // A duct that gives half a flow for full opening at most.
        let (b, mut s) = (the_box(), BoxState::default());
        let (mut flow, mut damper) = (0.0, 0.0);
        let mut c = BoxCommands::default();
        for _ in 0..1000 {
            c = s.step(&b, Use::Occupied, &Readings { zone_c: 27.5, airflow_m3s: flow, damper, ..PLAIN }, 5.0);
            damper += (c.damper - damper).clamp(-0.05, 0.05);
            flow = 0.14 * damper;
        }
        assert!(c.damper > 0.99 && c.pressure_requests == 3, "{c:?}");
        // With pressure enough it settles on its flow, without a request.
        let mut s = BoxState::default();
        for _ in 0..2000 {
            c = s.step(&b, Use::Occupied, &Readings { airflow_m3s: flow, damper, ..PLAIN }, 5.0);
            damper += (c.damper - damper).clamp(-0.05, 0.05);
            flow = 0.5 * damper;
        }
        assert!((flow - 0.06).abs() < 0.003 && c.pressure_requests == 0, "{flow}");
    }

    #[test]
    fn lost_sensors_do_not_panic_nor_open_everything() {
        let lost = Readings { zone_c: f64::NAN, ..PLAIN };
        let c = after(Use::Occupied, lost, 3600.0);
        assert_eq!((c.airflow_m3s, c.reheat), (0.06, 0.0));
        assert_eq!(BoxState::default().step(&the_box(), Use::Occupied, &PLAIN, f64::NAN), BoxCommands::default());
    }

    proptest! {
        #[test]
        fn air_stays_between_its_bounds(zone in 5.0..40.0f64, supply in 8.0..40.0f64, flow in 0.0..0.4f64, n in 1usize..200) {
            let (b, mut s) = (the_box(), BoxState::default());
            for _ in 0..n {
                let r = Readings { zone_c: zone, supply_c: supply, discharge_c: supply, airflow_m3s: flow, ..PLAIN };
                let c = s.step(&b, Use::Occupied, &r, 10.0);
                prop_assert!(c.airflow_m3s >= 0.06 - 1e-12 && c.airflow_m3s <= 0.3 + 1e-12);
                prop_assert!((0.0..=1.0).contains(&c.damper) && (0.0..=1.0).contains(&c.reheat));
                prop_assert!(c.reheat == 0.0 || c.airflow_m3s <= 0.15 + 1e-12, "never cooling air reheated");
            }
        }
    }
}
