//! Plug flow in one link: parcels of fluid that keep their edges as they move.

use std::collections::VecDeque;

/// Parcels that a link holds at the most; the two neighbours nearest in temperature become one.
const MOST: usize = 64;

/// Fluid that came in within one step: its mean temperature, and how much warmer its end towards the
/// link's second end is than the other one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Parcel {
    kg: f64,
    celsius: f64,
    tilt_k: f64,
}

impl Parcel {
    /// The part of it between two shares of its mass, counted from the link's first end.
    fn part(&self, from: f64, to: f64) -> Self {
        let celsius = self.celsius + self.tilt_k * (0.5 * (from + to) - 0.5);
        Self { kg: self.kg * (to - from), celsius, tilt_k: self.tilt_k * (to - from) }
    }

    /// Takes `kg` off the end that is left first, and gives it.
    fn take(&mut self, kg: f64, first_end: bool) -> Self {
        let share = kg / self.kg;
        let (gone, kept) = if first_end {
            (self.part(0.0, share), self.part(share, 1.0))
        } else {
            (self.part(1.0 - share, 1.0), self.part(0.0, 1.0 - share))
        };
        *self = kept;
        gone
    }

    /// Both as one, with the same heat and the same centre of it; `self` stands nearer to the first end.
    fn join(&self, next: &Self) -> Self {
        let kg = self.kg + next.kg;
        let (a, b) = (self.kg / kg, next.kg / kg);
        let moment = a * (0.5 * a - 0.5) * self.celsius
            + a * a * self.tilt_k / 12.0
            + b * (a + 0.5 * b - 0.5) * next.celsius
            + b * b * next.tilt_k / 12.0;
        Self { kg, celsius: a * self.celsius + b * next.celsius, tilt_k: 12.0 * moment }
    }
}

/// What fluid in the link comes to by itself: it nears `rest_c` with `rate_s`, or warms by `ramp_k_s` where
/// nothing is lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relax {
    pub rate_s: f64,
    pub rest_c: f64,
    pub ramp_k_s: f64,
}

impl Relax {
    /// After `seconds`: `a·T + b`.
    fn after(&self, seconds: f64) -> (f64, f64) {
        if self.rate_s > 0.0 {
            let kept = (-self.rate_s * seconds).exp();
            (kept, (1.0 - kept) * self.rest_c)
        } else {
            (1.0, self.ramp_k_s * seconds)
        }
    }

    /// The mean of [`Self::after`] over the times from `t0` to `t1`.
    fn mean(&self, t0: f64, t1: f64) -> (f64, f64) {
        if self.rate_s > 0.0 {
            let x = self.rate_s * (t1 - t0);
            let kept = (-self.rate_s * t0).exp() * if x > 1e-12 { -(-x).exp_m1() / x } else { 1.0 };
            (kept, (1.0 - kept) * self.rest_c)
        } else {
            (1.0, self.ramp_k_s * 0.5 * (t0 + t1))
        }
    }

    /// Mean temperature of a parcel that leaves evenly between two times.
    fn left(&self, parcel: &Parcel, t0: f64, t1: f64, first_end: bool) -> f64 {
        let (a, b) = self.mean(t0, t1);
        // The tilt counts from the middle; what leaves later has relaxed for longer.
        let x = self.rate_s.max(0.0) * (t1 - t0);
        let first = if x > 1e-3 { (1.0 - (1.0 + x) * (-x).exp()) / (x * x) } else { 0.5 - x / 3.0 + x * x / 8.0 };
        let all = if x > 1e-12 { -(-x).exp_m1() / x } else { 1.0 };
        let towards_last = if first_end { parcel.tilt_k } else { -parcel.tilt_k };
        a * parcel.celsius + b + towards_last * (-self.rate_s.max(0.0) * t0).exp() * (first - 0.5 * all)
    }
}

/// The fluid of a link, from its first to its second end.
#[derive(Clone, Debug, Default)]
pub(super) struct Parcels(VecDeque<Parcel>);

impl Parcels {
    /// A link full of one temperature.
    pub fn full(kg: f64, celsius: f64) -> Self {
        Self(if kg > 0.0 { VecDeque::from([Parcel { kg, celsius, tilt_k: 0.0 }]) } else { VecDeque::new() })
    }

    /// What it holds, kg.
    pub fn kg(&self) -> f64 {
        self.0.iter().map(|p| p.kg).sum()
    }

    /// Σ kg·°C.
    pub fn content(&self) -> f64 {
        self.0.iter().map(|p| p.kg * p.celsius).sum()
    }

    /// How the mean temperature that leaves within a step depends on the one that enters: `a·T + b`.
    /// `mass` is kg/s in the direction of the flow, `backwards` when that is to the first end.
    pub fn leaving(&self, mass: f64, dt_s: f64, backwards: bool, relax: &Relax) -> (f64, f64) {
        let wanted = mass * dt_s;
        let (mut gone, mut sum) = (0.0, 0.0);
        let n = self.0.len();
        for k in 0..n {
            let Some(mut p) = self.0.get(if backwards { k } else { n - 1 - k }).copied() else { break };
            let kg = p.kg.min(wanted - gone);
            if kg <= 0.0 {
                break;
            }
            let part = p.take(kg, backwards);
            sum += kg * relax.left(&part, gone / mass, (gone + kg) / mass, backwards);
            gone += kg;
        }
        // Whatever else leaves has come in within this step and was inside for the whole passage.
        let passed = (wanted - gone).max(0.0);
        let (a, b) = relax.after(gone / mass);
        (a * passed / wanted, (sum + passed * b) / wanted)
    }

    /// Moves on by a step, with what enters at `entering_c`.
    pub fn advance(&mut self, mass: f64, dt_s: f64, backwards: bool, relax: &Relax, entering_c: f64) {
        let whole = self.kg();
        let mut leave = (mass * dt_s).min(whole);
        let fresh = leave;
        while leave > 0.0 {
            let end = if backwards { self.0.front_mut() } else { self.0.back_mut() };
            match end {
                Some(p) if p.kg > leave => {
                    p.take(leave, backwards);
                    break;
                }
                Some(p) => leave -= p.kg,
                None => break,
            }
            if backwards {
                self.0.pop_front();
            } else {
                self.0.pop_back();
            }
        }
        let (a, b) = relax.after(dt_s);
        for p in &mut self.0 {
            p.celsius = a * p.celsius + b;
            p.tilt_k *= a;
        }
        if fresh > 0.0 {
            let (a, b) = relax.mean(0.0, fresh / mass);
            let celsius = a * entering_c + b;
            // What came in first is the oldest and stands foremost: a line with the same heat and centre
            // as the curve that relaxing makes of it.
            let deviation = |t0: f64, t1: f64| {
                let (a, b) = relax.mean(t0, t1);
                a * entering_c + b - celsius
            };
            let t = fresh / mass;
            let tilt = 4.0 * deviation(0.5 * t, t);
            let tilt_k = if backwards { -tilt } else { tilt };
            let parcel = Parcel { kg: fresh, celsius, tilt_k };
            if backwards {
                self.0.push_back(parcel);
            } else {
                self.0.push_front(parcel);
            }
        }
        if self.0.len() > MOST {
            self.join_nearest();
        }
    }

    fn join_nearest(&mut self) {
        let gap = |(a, b): (&Parcel, &Parcel)| (a.celsius - b.celsius).abs();
        let gaps = self.0.iter().zip(self.0.iter().skip(1)).map(gap).enumerate();
        let Some((i, _)) = gaps.min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
        let Some(second) = self.0.remove(i + 1) else { return };
        if let Some(first) = self.0.get_mut(i) {
            *first = first.join(&second);
        }
    }

    /// Mean temperatures of `n` equal parts, from the first end to the second.
    pub fn sections(&self, n: usize, out: &mut [f64]) {
        let part = self.kg() / n as f64;
        let mut at = self.0.iter().copied();
        let mut rest = at.next();
        for slot in out.iter_mut().take(n) {
            let (mut kg, mut sum) = (0.0, 0.0);
            while let Some(p) = rest.as_mut() {
                let wanted = p.kg.min(part - kg);
                let taken = p.take(wanted, true);
                sum += wanted * taken.celsius;
                kg += wanted;
                if p.kg <= 1e-12 * part {
                    rest = at.next();
                }
                if part - kg <= 1e-9 * part {
                    break;
                }
            }
            if kg > 0.0 {
                *slot = sum / kg;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TIGHT: Relax = Relax { rate_s: 0.0, rest_c: 0.0, ramp_k_s: 0.0 };

    #[test]
    fn a_front_keeps_its_edge_and_comes_out_in_time() {
        // 100 kg at 20 °C, then 60 °C comes in with 1 kg/s: after 100 s it comes out, not before.
        let mut pipe = Parcels::full(100.0, 20.0);
        for step in 0..20 {
            let (a, b) = pipe.leaving(1.0, 7.0, false, &TIGHT);
            let out = a * 60.0 + b;
            let time = 7.0 * f64::from(step);
            if time + 7.0 <= 100.0 {
                assert!((out - 20.0).abs() < 1e-9, "{time} s: {out}");
            } else if time >= 100.0 {
                assert!((out - 60.0).abs() < 1e-9, "{time} s: {out}");
            } else {
                // 98 to 105 s: 2 kg of the old, 5 kg of the new.
                assert!((out - (2.0 * 20.0 + 5.0 * 60.0) / 7.0).abs() < 1e-9, "{out}");
            }
            pipe.advance(1.0, 7.0, false, &TIGHT, 60.0);
            assert!((pipe.kg() - 100.0).abs() < 1e-9);
        }
    }

    #[test]
    fn flow_that_turns_round_brings_back_what_went_in() {
        let mut pipe = Parcels::full(10.0, 20.0);
        pipe.advance(1.0, 4.0, false, &TIGHT, 70.0);
        let (a, b) = pipe.leaving(1.0, 4.0, true, &TIGHT);
        assert!(a == 0.0 && (b - 70.0).abs() < 1e-12);
        let mut parts = [0.0; 5];
        pipe.sections(5, &mut parts);
        assert_eq!(parts, [70.0, 70.0, 20.0, 20.0, 20.0]);
    }

    #[test]
    fn a_step_longer_than_the_passage_gives_the_exponential() {
        let relax = Relax { rate_s: 0.01, rest_c: 10.0, ramp_k_s: 0.0 };
        let mut pipe = Parcels::full(50.0, 10.0);
        for _ in 0..30 {
            pipe.advance(1.0, 500.0, false, &relax, 80.0);
        }
        let (a, b) = pipe.leaving(1.0, 500.0, false, &relax);
        let steady = 10.0 + 70.0 * (-0.5f64).exp();
        assert!((a - 0.9 * (-0.5f64).exp()).abs() < 1e-12);
        // The curve inside a parcel is kept as a line.
        assert!((a * 80.0 + b - steady).abs() < 0.05, "{}", a * 80.0 + b);
    }

    #[test]
    fn joined_parcels_keep_heat_and_centre() {
        let whole = Parcel { kg: 6.0, celsius: 50.0, tilt_k: 12.0 };
        let joined = whole.part(0.0, 0.3).join(&whole.part(0.3, 1.0));
        assert!((joined.celsius - 50.0).abs() < 1e-12 && (joined.tilt_k - 12.0).abs() < 1e-12, "{joined:?}");
        let mut rest = whole;
        let gone = rest.take(2.0, true);
        assert!((gone.celsius - 46.0).abs() < 1e-12 && (rest.celsius - 52.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(steps in proptest::collection::vec((0.05..3.0f64, 1.0..60.0f64, any::<bool>(), 5.0..90.0f64), 1..120)) {
            let mut pipe = Parcels::full(40.0, 30.0);
            for (mass, dt_s, backwards, entering) in steps {
                let before = pipe.content();
                let (a, b) = pipe.leaving(mass, dt_s, backwards, &TIGHT);
                pipe.advance(mass, dt_s, backwards, &TIGHT, entering);
                let gone = mass * dt_s * (a * entering + b);
                prop_assert!((before + mass * dt_s * entering - gone - pipe.content()).abs() < 1e-6);
                prop_assert!((pipe.kg() - 40.0).abs() < 1e-9 && pipe.0.len() <= MOST);
            }
        }
    }
}
