//! A room: its heat, its moisture and its CO₂, well mixed, with the air that passes from room to room.

use super::compartments::{Compartment, Compartments, Exchange};
use crate::simulation::psychrometrics::{relative_humidity, saturation_ratio, specific_heat_j_kg_k, volume_m3_kg};

/// Heat of vaporisation, J/kg.
const VAPOUR_J_KG: f64 = 2_501_000.0;

/// A room as it was built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// m³.
    pub volume_m3: f64,
    /// What furniture and the first centimetres of walls hold with the air, of the air's own heat: 3 to 10.
    pub heat_factor: f64,
    /// The same for moisture: 3 to 10.
    pub moisture_factor: f64,
    /// Conductance to outdoors, W/K.
    pub envelope_w_k: f64,
}

/// What holds in a room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomState {
    /// °C.
    pub celsius: f64,
    /// kg/kg.
    pub ratio: f64,
    /// ppm by volume.
    pub co2_ppm: f64,
}

/// What comes to a room from outside of the rooms during a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomInput {
    /// Supply and outdoor air that comes in, kg of dry air a second.
    pub air_kg_s: f64,
    /// Its state, mixed.
    pub air: RoomState,
    /// Outdoors behind the envelope, °C.
    pub outdoor_c: f64,
    /// Sensible heat: people, sun, lights, radiators, W.
    pub heat_w: f64,
    /// Moisture, kg/s.
    pub moisture_kg_s: f64,
    /// CO₂, m³/s; a person at a desk 5.2e-6 (ASHRAE 62.1).
    pub co2_m3s: f64,
}

/// Air that passes from one room to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passage {
    /// From room.
    pub from: u32,
    /// To room.
    pub to: u32,
    /// Dry air, kg/s.
    pub dry_kg_s: f64,
}

/// Where the heat of a step went, J.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoomsBalance {
    /// Given to the rooms: sensible heat, supply air, other rooms.
    pub given_j: f64,
    /// Held more than before.
    pub stored_j: f64,
    /// What does not add up.
    pub closing_j: f64,
    /// Moisture that does not add up, kg.
    pub closing_kg: f64,
    /// Water that condensed because a room's air was full of it, kg.
    pub condensed_kg: f64,
}

/// Rooms with the memory that a step needs.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    solver: Compartments,
    values: Vec<f64>,
    parts: Vec<Compartment>,
    exchanges: Vec<Exchange>,
}

impl Rooms {
    /// A step of `dt_s` for all rooms at once, exact for inputs that hold during it. Rooms, inputs and states
    /// go by index; only as many as all three have.
    pub fn step(
        &mut self,
        dt_s: f64,
        rooms: &[Room],
        inputs: &[RoomInput],
        passages: &[Passage],
        pressure_pa: f64,
        states: &mut [RoomState],
    ) -> RoomsBalance {
        let n = rooms.len().min(inputs.len()).min(states.len());
        let (rooms, inputs) = (rooms.get(..n).unwrap_or_default(), inputs.get(..n).unwrap_or_default());
        let Some(states) = states.get_mut(..n) else { return RoomsBalance::default() };
        let dry: Vec<f64> = rooms
            .iter()
            .zip(&*states)
            .map(|(r, s)| r.volume_m3.max(0.0) / volume_m3_kg(s.celsius, s.ratio, pressure_pa))
            .collect();
        let mut balance = RoomsBalance::default();

        // Heat. Air that leaves takes the room's temperature along; its specific heat is that of what comes.
        self.parts.clear();
        self.parts.extend(rooms.iter().zip(inputs).zip(&*states).zip(&dry).map(|(((r, i), s), kg)| {
            let (air_w_k, envelope) =
                (i.air_kg_s.max(0.0) * specific_heat_j_kg_k(i.air.ratio), r.envelope_w_k.max(0.0));
            let rate = air_w_k + envelope;
            let outside = if rate > 0.0 { (air_w_k * i.air.celsius + envelope * i.outdoor_c) / rate } else { 0.0 };
            let capacity = kg * specific_heat_j_kg_k(s.ratio) * r.heat_factor.max(1.0);
            Compartment { capacity, outside_rate: rate, outside, source: i.heat_w }
        }));
        self.exchanges.clear();
        self.exchanges.extend(passages.iter().map(|p| {
            let ratio = states.get(p.from as usize).map_or(0.0, |s| s.ratio);
            Exchange { from: p.from, to: p.to, rate: p.dry_kg_s * specific_heat_j_kg_k(ratio) }
        }));
        self.values.clear();
        self.values.extend(states.iter().map(|s| s.celsius));
        self.solver.step(dt_s, &self.parts, &self.exchanges, &mut self.values);
        for ((part, state), end) in self.parts.iter().zip(&mut *states).zip(&self.values) {
            balance.stored_j += part.capacity * (end - state.celsius);
            state.celsius = *end;
        }
        balance.given_j = self.given(dt_s);
        balance.closing_j = balance.given_j - balance.stored_j;

        // Moisture.
        self.parts.clear();
        self.parts.extend(rooms.iter().zip(inputs).zip(&dry).map(|((r, i), kg)| Compartment {
            capacity: kg * r.moisture_factor.max(1.0),
            outside_rate: i.air_kg_s.max(0.0),
            outside: i.air.ratio,
            source: i.moisture_kg_s,
        }));
        self.exchanges.clear();
        self.exchanges.extend(passages.iter().map(|p| Exchange { from: p.from, to: p.to, rate: p.dry_kg_s }));
        self.values.clear();
        self.values.extend(states.iter().map(|s| s.ratio));
        self.solver.step(dt_s, &self.parts, &self.exchanges, &mut self.values);
        let mut stored = 0.0;
        for ((part, state), end) in self.parts.iter().zip(&mut *states).zip(&self.values) {
            stored += part.capacity * (end - state.ratio);
            let full = saturation_ratio(state.celsius, pressure_pa);
            state.ratio = end.max(0.0);
            if state.ratio > full {
                balance.condensed_kg += part.capacity * (state.ratio - full);
                state.ratio = full;
            }
        }
        balance.closing_kg = self.given(dt_s) - stored;

        // CO₂, by volume.
        for ((part, room), input) in self.parts.iter_mut().zip(rooms).zip(inputs) {
            part.capacity /= room.moisture_factor.max(1.0);
            part.outside = input.air.co2_ppm;
            // m³/s of gas as ppm of the room's air by the kg.
            let per_kg = if room.volume_m3 > 0.0 { part.capacity / room.volume_m3 } else { 0.0 };
            part.source = 1e6 * input.co2_m3s * per_kg;
        }
        self.values.clear();
        self.values.extend(states.iter().map(|s| s.co2_ppm));
        self.solver.step(dt_s, &self.parts, &self.exchanges, &mut self.values);
        for (state, end) in states.iter_mut().zip(&self.values) {
            state.co2_ppm = *end;
        }
        balance
    }

    /// What came to all compartments over the last step, by their means.
    fn given(&self, dt_s: f64) -> f64 {
        let mean = self.solver.mean();
        let own: f64 = self
            .parts
            .iter()
            .zip(mean)
            .filter(|(p, _)| p.capacity > 0.0)
            .map(|(p, x)| p.outside_rate * (p.outside - x) + p.source)
            .sum();
        let at = |i: u32| mean.get(i as usize).copied();
        let holds = |i: u32| self.parts.get(i as usize).is_some_and(|p| p.capacity > 0.0);
        let passed: f64 = self
            .exchanges
            .iter()
            .filter(|e| e.rate > 0.0 && e.rate.is_finite() && e.from != e.to && holds(e.from) && holds(e.to))
            .filter_map(|e| Some(e.rate * (at(e.from)? - at(e.to)?)))
            .sum();
        dt_s * (own + passed)
    }
}

impl RoomState {
    /// Relative humidity, 0..1.
    pub fn humidity(&self, pressure_pa: f64) -> f64 {
        relative_humidity(self.celsius, self.ratio, pressure_pa)
    }
}

/// Latent heat of moisture that comes into a room, W.
pub fn latent_w(moisture_kg_s: f64, celsius: f64) -> f64 {
    moisture_kg_s * (VAPOUR_J_KG + 1860.0 * celsius)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::psychrometrics::{STANDARD_PA, ratio_at};
    use proptest::prelude::*;

    const ROOM: Room = Room { volume_m3: 120.0, heat_factor: 5.0, moisture_factor: 4.0, envelope_w_k: 25.0 };

    fn state(celsius: f64, humidity: f64, co2_ppm: f64) -> RoomState {
        RoomState { celsius, ratio: ratio_at(celsius, humidity, STANDARD_PA), co2_ppm }
    }

    fn input(air_kg_s: f64) -> RoomInput {
        RoomInput {
            air_kg_s,
            air: state(16.0, 0.6, 420.0),
            outdoor_c: 2.0,
            heat_w: 600.0,
            moisture_kg_s: 4e-5,
            co2_m3s: 1.56e-5,
        }
    }

    #[test]
    fn one_room_follows_its_closed_form() {
        let mut rooms = Rooms::default();
        let mut s = [state(21.0, 0.4, 800.0)];
        let kg = 120.0 / volume_m3_kg(21.0, s[0].ratio, STANDARD_PA);
        let air_w_k = 0.06 * specific_heat_j_kg_k(input(0.06).air.ratio);
        let rate = air_w_k + 25.0;
        let rest = (air_w_k * 16.0 + 25.0 * 2.0 + 600.0) / rate;
        let capacity = 5.0 * kg * specific_heat_j_kg_k(s[0].ratio);
        let wanted = rest + (21.0 - rest) * (-rate * 1800.0 / capacity).exp();
        let start = s[0];
        let b = rooms.step(1800.0, &[ROOM], &[input(0.06)], &[], STANDARD_PA, &mut s);
        assert!((s[0].celsius - wanted).abs() < 1e-9, "{s:?} {wanted}");
        let gas = 420.0 + 1e6 * 1.56e-5 / (0.06 * 120.0 / kg);
        let co2 = gas + (800.0 - gas) * (-0.06 / kg * 1800.0).exp();
        assert!((s[0].co2_ppm - co2).abs() < 1e-6, "{s:?} {co2}");
        let damp = input(0.06).air.ratio + 4e-5 / 0.06;
        let ratio = damp + (start.ratio - damp) * (-0.06 / (4.0 * kg) * 1800.0).exp();
        assert!((s[0].ratio - ratio).abs() < 1e-12 && b.closing_j.abs() < 1e-3 && b.closing_kg.abs() < 1e-9, "{b:?}");
    }

    #[test]
    fn a_corridor_takes_what_rooms_give() {
        // Two rooms into a corridor, from there to the exhaust.
        let mut rooms = Rooms::default();
        let mut s = [state(22.0, 0.4, 420.0); 3];
        let corridor = RoomInput { air_kg_s: 0.0, heat_w: 0.0, moisture_kg_s: 0.0, co2_m3s: 0.0, ..input(0.0) };
        let passages = [Passage { from: 0, to: 2, dry_kg_s: 0.06 }, Passage { from: 1, to: 2, dry_kg_s: 0.03 }];
        for _ in 0..600 {
            let inputs = [input(0.06), input(0.03), corridor];
            rooms.step(600.0, &[ROOM; 3], &inputs, &passages, STANDARD_PA, &mut s);
        }
        let mixed = (2.0 * s[0].co2_ppm + s[1].co2_ppm) / 3.0;
        assert!((s[2].co2_ppm - mixed).abs() < 1e-6 && s[1].co2_ppm > s[0].co2_ppm + 150.0, "{s:?}");
        assert!((s[2].ratio - (2.0 * s[0].ratio + s[1].ratio) / 3.0).abs() < 1e-9);
        assert!((latent_w(1e-4, 20.0) - 253.8).abs() < 0.1);
    }

    #[test]
    fn too_much_steam_condenses() {
        let mut rooms = Rooms::default();
        let mut s = [state(20.0, 0.9, 420.0)];
        let steam = RoomInput { moisture_kg_s: 2e-3, ..input(0.01) };
        let b = rooms.step(3600.0, &[ROOM], &[steam], &[], STANDARD_PA, &mut s);
        assert!(b.condensed_kg > 1.0 && (s[0].humidity(STANDARD_PA) - 1.0).abs() < 1e-9, "{b:?} {s:?}");
        let none = rooms.step(f64::NAN, &[ROOM], &[steam], &[], STANDARD_PA, &mut s);
        assert_eq!(none.stored_j, 0.0);
    }

    proptest! {
        #[test]
        fn heat_and_water_close(flow in 0.0..0.2f64, passed in 0.0..0.1f64, dt_s in 1.0..7200.0f64, heat in -3000.0..3000.0f64) {
            let mut s = [state(21.0, 0.4, 800.0), state(25.0, 0.3, 500.0)];
            let inputs = [RoomInput { heat_w: heat, ..input(flow) }, input(0.02)];
            let passages = [Passage { from: 0, to: 1, dry_kg_s: passed }, Passage { from: 1, to: 0, dry_kg_s: passed }];
            let b = Rooms::default().step(dt_s, &[ROOM; 2], &inputs, &passages, STANDARD_PA, &mut s);
            prop_assert!(b.closing_j.abs() < 1e-6 * (1.0 + b.given_j.abs() + 1e5) && b.closing_kg.abs() < 1e-8, "{:?}", b);
        }
    }
}
