//! What moves a valve or a damper, and what turns a pump or a fan.

/// A motor that runs at a constant speed towards its command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Actuator {
    /// Seconds from closed to open.
    pub stroke_s: f64,
    /// Commands nearer than this to where it stands do not move it: 0.5 to 2 % in most.
    pub deadband: f64,
    /// Play in the linkage: the blade follows after the motor has turned by this much the other way.
    pub play: f64,
    /// Where the motor stands, 0..1.
    pub motor: f64,
    /// Where the blade or the plug stands, 0..1.
    pub position: f64,
    /// Where it goes when its supply fails; none: it stays.
    pub fail_to: Option<f64>,
    moving: bool,
}

impl Actuator {
    /// One that is closed, with a stroke time and a deadband.
    pub fn new(stroke_s: f64, deadband: f64) -> Self {
        Self { stroke_s, deadband, play: 0.0, motor: 0.0, position: 0.0, fail_to: None, moving: false }
    }

    /// Runs for `dt_s` towards a command of 0..1; a command that is no number leaves it where it is. The ends
    /// are always reached, whatever the deadband. The position that it comes to.
    pub fn step(&mut self, command: f64, dt_s: f64) -> f64 {
        if command.is_finite() {
            self.run_to(command.clamp(0.0, 1.0), dt_s);
        }
        self.position
    }

    /// Runs for `dt_s` without supply: by its spring, if it has one.
    pub fn unpowered(&mut self, dt_s: f64) -> f64 {
        if let Some(end) = self.fail_to {
            self.run_to(end.clamp(0.0, 1.0), dt_s);
        }
        self.position
    }

    fn run_to(&mut self, target: f64, dt_s: f64) {
        let away = target - self.motor;
        let at_end = target <= 0.0 || target >= 1.0;
        // It starts outside of the deadband and then runs all the way.
        if !self.moving && away.abs() <= self.deadband.max(0.0) && !at_end {
            return;
        }
        let reach = if self.stroke_s > 0.0 { dt_s.max(0.0) / self.stroke_s } else { 1.0 };
        self.motor = (self.motor + away.clamp(-reach, reach)).clamp(0.0, 1.0);
        self.moving = (target - self.motor).abs() > 1e-12;
        let half = 0.5 * self.play.max(0.0);
        self.position = self.position.clamp(self.motor - half, self.motor + half).clamp(0.0, 1.0);
        if at_end && !self.moving {
            self.position = target;
        }
    }
}

/// A variable speed drive: it ramps, and runs no slower than its least speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drive {
    /// Seconds from rest to full speed.
    pub ramp_s: f64,
    /// Least speed while it runs, 0..1.
    pub least: f64,
    /// Where it is, 0..1.
    pub speed: f64,
}

impl Drive {
    /// A drive at rest.
    pub fn new(ramp_s: f64, least: f64) -> Self {
        Self { ramp_s, least, speed: 0.0 }
    }

    /// Runs for `dt_s` towards a speed, none when it is told to stop; the speed that it comes to.
    pub fn step(&mut self, command: Option<f64>, dt_s: f64) -> f64 {
        let target = match command {
            Some(speed) if speed.is_finite() => speed.clamp(self.least.clamp(0.0, 1.0), 1.0),
            Some(_) => self.speed,
            None => 0.0,
        };
        let reach = if self.ramp_s > 0.0 { dt_s.max(0.0) / self.ramp_s } else { 1.0 };
        self.speed = (self.speed + (target - self.speed).clamp(-reach, reach)).clamp(0.0, 1.0);
        self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_takes_its_stroke_time() {
        let mut a = Actuator::new(120.0, 0.01);
        for _ in 0..6 {
            a.step(1.0, 10.0);
        }
        assert!((a.position - 0.5).abs() < 1e-12);
        for _ in 0..6 {
            a.step(1.0, 10.0);
        }
        assert!((a.position - 1.0).abs() < 1e-12);
        // A step longer than the stroke does not overshoot.
        assert_eq!(a.step(0.25, 1e6), 0.25);
    }

    #[test]
    fn small_commands_are_ignored_but_the_ends_are_reached() {
        let mut a = Actuator { motor: 0.5, position: 0.5, ..Actuator::new(100.0, 0.02) };
        assert_eq!(a.step(0.515, 10.0), 0.5);
        assert!((a.step(0.53, 1.0) - 0.51).abs() < 1e-12);
        assert!((a.step(0.53, 10.0) - 0.53).abs() < 1e-12, "once it runs, it runs to its command");
        let mut closed = Actuator { motor: 0.01, position: 0.01, ..Actuator::new(100.0, 0.02) };
        assert_eq!(closed.step(0.0, 10.0), 0.0);
    }

    #[test]
    fn play_makes_a_loop() {
        let mut a = Actuator { motor: 0.5, position: 0.5, play: 0.04, ..Actuator::new(100.0, 0.0) };
        assert!((a.step(0.6, 100.0) - 0.58).abs() < 1e-12);
        assert!((a.step(0.58, 100.0) - 0.58).abs() < 1e-12, "the play is taken up first");
        assert!((a.step(0.5, 100.0) - 0.52).abs() < 1e-12);
        assert_eq!(a.step(0.0, 1000.0), 0.0);
    }

    #[test]
    fn without_supply() {
        let mut a = Actuator { fail_to: Some(0.0), ..Actuator::new(100.0, 0.0) };
        a.step(0.8, 1000.0);
        assert!((a.unpowered(20.0) - 0.6).abs() < 1e-12);
        let mut stays = Actuator { fail_to: None, ..a };
        assert!((stays.unpowered(1000.0) - 0.6).abs() < 1e-12 && (stays.step(f64::NAN, 10.0) - 0.6).abs() < 1e-12);
    }

    #[test]
    fn a_drive_ramps_and_has_a_least_speed() {
        let mut d = Drive::new(30.0, 0.3);
        assert!((d.step(Some(0.1), 3.0) - 0.1).abs() < 1e-12 && (d.step(Some(0.1), 30.0) - 0.3).abs() < 1e-12);
        assert!((d.step(Some(f64::NAN), 5.0) - 0.3).abs() < 1e-12);
        assert!((d.step(None, 3.0) - 0.2).abs() < 1e-12 && d.step(None, 60.0) == 0.0);
    }

    proptest! {
        #[test]
        fn it_never_leaves_its_travel_nor_its_speed(commands in proptest::collection::vec((proptest::num::f64::ANY, 0.0..50.0f64), 1..50)) {
            let mut a = Actuator { play: 0.03, ..Actuator::new(90.0, 0.01) };
            for (command, dt_s) in commands {
                let before = a.motor;
                a.step(command, dt_s);
                prop_assert!((0.0..=1.0).contains(&a.position) && (a.motor - before).abs() <= dt_s / 90.0 + 1e-9);
            }
        }
    }
}
