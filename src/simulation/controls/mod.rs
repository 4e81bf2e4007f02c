//! Controllers, actuators and sequences, in plain Rust, with the time as an argument.
//!
//! One tick of a building always runs in the same order, so that a replay is bit for bit the same:
//!
//! 1. **sense**: read what the last solve left, through the sensors and their faults;
//! 2. **control**: loops and sequences turn readings and setpoints into commands;
//! 3. **actuate**: valves, dampers and drives run towards their commands, with their faults;
//! 4. **solve**: flow and heat with what stands after that.
//!
//! [`tick`] holds that order; what each step does is the caller's.

pub mod actuator;
pub mod economizer;
pub mod pid;
pub mod reset;
pub mod staging;
pub mod valve;
pub mod vav;

/// What a plant must be able to do in a tick.
pub trait Plant {
    /// Reads the sensors.
    fn sense(&mut self, time_s: f64);
    /// Works out the commands.
    fn control(&mut self, time_s: f64, dt_s: f64);
    /// Runs the actuators.
    fn actuate(&mut self, time_s: f64, dt_s: f64);
    /// Solves flow and heat.
    fn solve(&mut self, time_s: f64, dt_s: f64);
}

/// One tick that ends at `time_s`: sense, control, actuate, solve. A step that is no time above zero does nothing.
pub fn tick(plant: &mut impl Plant, time_s: f64, dt_s: f64) {
    if !(dt_s > 0.0 && dt_s.is_finite() && time_s.is_finite()) {
        return;
    }
    plant.sense(time_s);
    plant.control(time_s, dt_s);
    plant.actuate(time_s, dt_s);
    plant.solve(time_s, dt_s);
}

/// How long a condition has held, seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Held(pub f64);

impl Held {
    /// Counts on while it `holds`, else begins anew; true once it has held for `long_s`.
    pub fn step(&mut self, holds: bool, long_s: f64, dt_s: f64) -> bool {
        self.0 = if holds { self.0 + dt_s } else { 0.0 };
        holds && self.0 >= long_s
    }
}

#[cfg(test)]
mod tests {
    use super::actuator::Actuator;
    use super::pid::{Pid, PidState};
    use super::*;

    /// A room with a heating valve, and the log of what happened.
    struct Room {
        celsius: f64,
        read_c: f64,
        command: f64,
        loop_state: PidState,
        valve: Actuator,
        log: String,
    }

    impl Plant for Room {
        fn sense(&mut self, _: f64) {
            self.read_c = self.celsius;
            self.log.push('s');
        }
        fn control(&mut self, _: f64, dt_s: f64) {
            let pid = Pid { gain: 0.3, integral_s: 900.0, ..Pid::default() };
            self.command = self.loop_state.step(&pid, 21.0, self.read_c, dt_s);
            self.log.push('c');
        }
        fn actuate(&mut self, _: f64, dt_s: f64) {
            self.valve.step(self.command, dt_s);
            self.log.push('a');
        }
        fn solve(&mut self, _: f64, dt_s: f64) {
            let rest = 10.0 + 20.0 * self.valve.position;
            self.celsius = rest + (self.celsius - rest) * (-dt_s / 3600.0).exp();
            self.log.push('v');
        }
    }

    #[test]
    fn a_tick_has_one_order_and_a_loop_in_it_settles() {
        let mut room = Room {
            celsius: 15.0,
            read_c: 0.0,
            command: 0.0,
            loop_state: PidState::default(),
            valve: Actuator::new(90.0, 0.0),
            log: String::new(),
        };
        tick(&mut room, 0.0, f64::NAN);
        assert!(room.log.is_empty());
        for i in 0..4000 {
            tick(&mut room, 10.0 * f64::from(i + 1), 10.0);
        }
        assert!(room.log.starts_with("scavscav"));
        assert!((room.celsius - 21.0).abs() < 0.01 && (room.valve.position - 0.55).abs() < 0.01, "{}", room.celsius);
    }

    #[test]
    fn held_counts_and_forgets() {
        let mut held = Held::default();
        assert!(!held.step(true, 10.0, 6.0) && held.step(true, 10.0, 6.0));
        assert!(!held.step(false, 10.0, 6.0) && !held.step(true, 10.0, 6.0));
    }
}
