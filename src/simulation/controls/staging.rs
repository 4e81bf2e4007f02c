//! Machines in groups: lead and lag, staging with delays, least times on and off, rotation by hours.

use super::Held;

/// How a group is staged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Staging {
    /// One more starts when the load is above this share of what runs.
    pub up: f64,
    /// The last one stops when the load is below this share of what would still run.
    pub down: f64,
    /// For so long, s.
    pub up_delay_s: f64,
    /// For so long, s.
    pub down_delay_s: f64,
    /// A machine runs at least so long, s.
    pub least_on_s: f64,
    /// A machine rests at least so long, s.
    pub least_off_s: f64,
    /// After so long at work the lead goes to the one with the fewest hours, s; none: never.
    pub rotate_s: Option<f64>,
}

impl Default for Staging {
    /// Up at 90 % for 10 min, down at 80 % for 15 min, 15 min on, 10 min off, rotated every week at work.
    fn default() -> Self {
        Self {
            up: 0.9,
            down: 0.8,
            up_delay_s: 600.0,
            down_delay_s: 900.0,
            least_on_s: 900.0,
            least_off_s: 600.0,
            rotate_s: Some(7.0 * 86_400.0),
        }
    }
}

/// One machine of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Told to run.
    pub on: bool,
    /// For so long it has been on, or off, s.
    pub since_s: f64,
    /// At work in all, s.
    pub worked_s: f64,
    /// How often it started.
    pub starts: u32,
}

/// A group of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    members: Vec<Member>,
    /// The order in which they start.
    order: Vec<usize>,
    above: Held,
    below: Held,
    led_s: f64,
}

impl Group {
    /// So many machines at rest, free to start at once.
    pub fn new(count: usize) -> Self {
        let member = Member { on: false, since_s: f64::INFINITY, worked_s: 0.0, starts: 0 };
        Self {
            members: vec![member; count],
            order: (0..count).collect(),
            above: Held::default(),
            below: Held::default(),
            led_s: 0.0,
        }
    }

    /// The machines, by index.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The machine that starts first.
    pub fn lead(&self) -> Option<usize> {
        self.order.first().copied()
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.members.iter().filter(|m| m.on).count()
    }

    /// Gives the lead to a machine.
    pub fn lead_with(&mut self, index: usize) {
        if let Some(place) = self.order.iter().position(|i| *i == index) {
            let lead = self.order.remove(place);
            self.order.insert(0, lead);
        }
    }

    /// A step of `dt_s`. `call`: the group is wanted at all; `load` and `capacity` of each machine in one unit
    /// (W, m³/s); `available`: it may run. One machine at most starts or stops by the load in a step; what
    /// is not available stops at once and another one takes over without delay.
    pub fn step(&mut self, staging: &Staging, call: bool, load: f64, capacity: &[f64], available: &[bool], dt_s: f64) {
        if !(dt_s > 0.0 && dt_s.is_finite()) {
            return;
        }
        let may = |i: usize| available.get(i).copied().unwrap_or(true);
        let of = |i: usize| capacity.get(i).copied().filter(|c| c.is_finite()).unwrap_or(0.0).max(0.0);
        for m in &mut self.members {
            m.since_s += dt_s;
            if m.on {
                m.worked_s += dt_s;
            }
        }
        let mut lost = false;
        for i in 0..self.members.len() {
            if !may(i) && self.members.get(i).is_some_and(|m| m.on) {
                self.set(i, false);
                lost = true;
            }
        }
        if !call {
            (self.above, self.below) = (Held::default(), Held::default());
            for i in 0..self.members.len() {
                if self.members.get(i).is_some_and(|m| m.on && m.since_s >= staging.least_on_s) {
                    self.set(i, false);
                }
            }
            return;
        }
        self.led_s += dt_s;
        if staging.rotate_s.is_some_and(|s| self.led_s >= s) {
            self.rotate();
        }
        let running: f64 = (0..self.members.len()).filter(|i| self.members.get(*i).is_some_and(|m| m.on)).map(of).sum();
        let last = self.order.iter().rev().copied().find(|i| self.members.get(*i).is_some_and(|m| m.on));
        let rest = last.map_or(0.0, |i| running - of(i));
        let more = self.above.step(load > staging.up * running, staging.up_delay_s, dt_s);
        let fewer = self.below.step(self.running() > 1 && load < staging.down * rest, staging.down_delay_s, dt_s);
        if self.running() == 0 || more || lost {
            let next =
                self.order.iter().copied().find(|i| {
                    may(*i) && self.members.get(*i).is_some_and(|m| !m.on && m.since_s >= staging.least_off_s)
                });
            if let Some(i) = next {
                self.set(i, true);
                self.above = Held::default();
            }
        } else if fewer
            && let Some(i) = last.filter(|i| self.members.get(*i).is_some_and(|m| m.since_s >= staging.least_on_s))
        {
            self.set(i, false);
            self.below = Held::default();
        }
    }

    fn set(&mut self, i: usize, on: bool) {
        if let Some(m) = self.members.get_mut(i) {
            m.on = on;
            m.since_s = 0.0;
            m.starts += u32::from(on);
        }
    }

    /// Fewest hours first. Who runs goes on: the order counts for the next start and stop.
    fn rotate(&mut self) {
        self.led_s = 0.0;
        let members = &self.members;
        let hours = |i: usize| members.get(i).map_or(0.0, |m| m.worked_s);
        self.order.sort_by(|a, b| hours(*a).total_cmp(&hours(*b)).then(a.cmp(b)));
    }
}

/// A two-point controller: on and off with a hysteresis, and least times for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoPoint {
    /// Between on and off, in the unit of the measurement.
    pub hysteresis: f64,
    /// Least time on, s.
    pub least_on_s: f64,
    /// Least time off, s.
    pub least_off_s: f64,
    /// True for cooling: on above the setpoint.
    pub direct: bool,
}

/// What a two-point controller remembers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoPointState {
    /// Its output.
    pub on: bool,
    /// For so long, s.
    pub since_s: f64,
    /// How often it went on.
    pub starts: u32,
}

impl Default for TwoPointState {
    /// Off, and free to go on.
    fn default() -> Self {
        Self { on: false, since_s: f64::INFINITY, starts: 0 }
    }
}

impl TwoPointState {
    /// A step of `dt_s`: on or off. A measurement that is no number holds it.
    pub fn step(&mut self, control: &TwoPoint, setpoint: f64, measured: f64, dt_s: f64) -> bool {
        self.since_s += dt_s.max(0.0);
        let error = if control.direct { measured - setpoint } else { setpoint - measured };
        let half = 0.5 * control.hysteresis.max(0.0);
        if !self.on && error > half && self.since_s >= control.least_off_s {
            *self = Self { on: true, since_s: 0.0, starts: self.starts + 1 };
        } else if self.on && error < -half && self.since_s >= control.least_on_s {
            (self.on, self.since_s) = (false, 0.0);
        }
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [bool; 3] = [true; 3];
    const EACH: [f64; 3] = [100.0; 3];

    fn run(group: &mut Group, load: f64, seconds: f64) -> usize {
        for _ in 0..(seconds / 10.0) as usize {
            group.step(&Staging::default(), true, load, &EACH, &ALL, 10.0);
        }
        group.running()
    }

    #[test]
    fn it_stages_up_and_down_after_its_delays() {
        let mut g = Group::new(3);
        assert_eq!(run(&mut g, 95.0, 10.0), 1, "the lead starts at once");
        assert_eq!(run(&mut g, 95.0, 570.0), 1);
        assert_eq!(run(&mut g, 95.0, 30.0), 2);
        assert_eq!(run(&mut g, 95.0, 3600.0), 2, "95 of 200 needs no third, and is more than 80 of 100");
        assert_eq!(run(&mut g, 250.0, 610.0), 3);
        assert_eq!(run(&mut g, 70.0, 890.0), 3, "not before its delay");
        assert_eq!(run(&mut g, 70.0, 30.0), 2);
        assert_eq!(run(&mut g, 70.0, 7200.0), 1);
    }

    #[test]
    fn a_load_that_comes_and_goes_does_not_cycle_it() {
        let mut g = Group::new(2);
        run(&mut g, 50.0, 10.0);
        for _ in 0..200 {
            run(&mut g, 98.0, 300.0);
            run(&mut g, 60.0, 300.0);
        }
        assert_eq!(g.members().iter().map(|m| m.starts).sum::<u32>(), 1);
    }

    #[test]
    fn least_times_hold_even_when_nobody_calls() {
        let mut g = Group::new(1);
        let step = |g: &mut Group, call| g.step(&Staging::default(), call, 10.0, &[100.0], &[true], 10.0);
        step(&mut g, true);
        step(&mut g, false);
        assert_eq!(g.running(), 1, "15 min on");
        for _ in 0..100 {
            step(&mut g, false);
        }
        assert_eq!(g.running(), 0);
        step(&mut g, true);
        let rested = g.members()[0].since_s;
        assert!(rested < 600.0 && g.running() == 0, "10 min off: {rested}");
        for _ in 0..60 {
            step(&mut g, true);
        }
        assert_eq!(g.running(), 1);
    }

    #[test]
    fn a_failed_machine_is_replaced_at_once() {
        let mut g = Group::new(2);
        g.lead_with(1);
        g.step(&Staging::default(), true, 50.0, &EACH, &[true, true], 10.0);
        assert!(g.members()[1].on && g.lead() == Some(1));
        g.step(&Staging::default(), true, 50.0, &EACH, &[true, false], 10.0);
        assert!(g.members()[0].on && !g.members()[1].on);
        g.step(&Staging::default(), true, 50.0, &EACH, &[false, false], 10.0);
        assert_eq!(g.running(), 0);
    }

    #[test]
    fn hours_are_shared() {
        let mut g = Group::new(3);
        let staging = Staging { rotate_s: Some(86_400.0), ..Staging::default() };
        // Ten hours a day at work, at rest by night.
        for day in 0..60 * 144 {
            g.step(&staging, day % 144 < 60, 50.0, &EACH, &ALL, 600.0);
        }
        let hours: Vec<f64> = g.members().iter().map(|m| m.worked_s / 3600.0).collect();
        let (least, most) = (hours.iter().copied().fold(f64::MAX, f64::min), hours.iter().copied().fold(0.0, f64::max));
        assert!(least > 0.7 * most && most > 150.0, "{hours:?}");
    }

    #[test]
    fn two_points() {
        let control = TwoPoint { hysteresis: 2.0, least_on_s: 300.0, least_off_s: 300.0, direct: false };
        let mut s = TwoPointState::default();
        assert!(!s.step(&control, 60.0, 59.5, 10.0) && s.step(&control, 60.0, 58.9, 10.0));
        assert!(s.step(&control, 60.0, 65.0, 10.0), "five minutes at least");
        assert!(!s.step(&control, 60.0, 65.0, 300.0) && !s.step(&control, 60.0, 50.0, 10.0));
        assert!(s.step(&control, 60.0, 50.0, 300.0) && s.starts == 2);
        assert!(s.step(&control, 60.0, f64::NAN, 1e4), "a lost sensor holds it");
        let mut cooling = TwoPointState::default();
        assert!(cooling.step(&TwoPoint { direct: true, ..control }, 24.0, 25.5, 10.0));
    }

    proptest! {
        #[test]
        fn no_machine_starts_too_often(loads in proptest::collection::vec(0.0..400.0f64, 50..300), lose in 0usize..300) {
            let mut g = Group::new(3);
            for (i, load) in loads.iter().enumerate() {
                let available = [i != lose, true, true];
                g.step(&Staging::default(), *load > 20.0, *load, &EACH, &available, 60.0);
                prop_assert!(*load <= 20.0 || g.running() >= 1 || g.members().iter().all(|m| m.since_s < 600.0));
            }
            // A cycle is 15 min on and 10 min off, unless it was lost on the way.
            let most = loads.len() as f64 * 60.0 / 1500.0 + 2.0;
            prop_assert!(g.members().iter().all(|m| f64::from(m.starts) <= most), "{:?}", g.members());
        }
    }
}
