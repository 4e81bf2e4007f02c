//! Well-mixed compartments that exchange what they hold: rooms through doors and ducts, air and walls.
//!
//! `Cᵢ·dxᵢ/dt = Σⱼ gᵢⱼ·(xⱼ − xᵢ) + hᵢ·(bᵢ − xᵢ) + sᵢ`: C what a compartment holds a unit of x (J/K, kg, m³), g
//! what comes to i with the value of j (W/K, kg/s, m³/s), h the same with a value from outside, s a source.
//! A step is exact for any length: the exponential of the system by uniformisation (Jensen, "Markoff chains
//! as an aid in the study of Markoff processes", Skandinavisk Aktuarietidskrift 36, 1953), a sum of terms
//! that are never negative, so that nothing overshoots, with the mean over the step beside the end: balances
//! close with it.

/// A stream from one compartment to another: what it brings has the value of where it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchange {
    /// From compartment.
    pub from: u32,
    /// To compartment.
    pub to: u32,
    /// W/K, kg/s or m³/s.
    pub rate: f64,
}

/// What a compartment is, and what comes to it from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compartment {
    /// What it holds a unit of its value: J/K, kg, m³.
    pub capacity: f64,
    /// What comes from outside: W/K, kg/s, m³/s.
    pub outside_rate: f64,
    /// With this value.
    pub outside: f64,
    /// Put in besides: W, kg/s, …
    pub source: f64,
}

/// Terms of the sum for one part of a step at the most.
const TERMS: usize = 200;
/// `rate × time` of a whole step up to which it is exact; beyond, one implicit step does.
const STIFF: f64 = 1e5;
/// `rate × time` of one part of a step at the most.
const PART: f64 = 40.0;

/// Compartments with room for the sums of a step, so that a step allocates nothing after the first.
#[derive(Clone, Debug, Default)]
pub struct Compartments {
    term: Vec<f64>,
    next: Vec<f64>,
    end: Vec<f64>,
    sum: Vec<f64>,
    leaves: Vec<f64>,
    mean: Vec<f64>,
}

impl Compartments {
    /// A step of `dt_s` on the values in `x`; the mean over the step is in [`Self::mean`] afterwards.
    /// What has no capacity, and what is no number, stays as it is. Streams between compartments that are not
    /// there are left out.
    pub fn step(&mut self, dt_s: f64, compartments: &[Compartment], exchanges: &[Exchange], x: &mut [f64]) {
        let n = compartments.len().min(x.len());
        let holds = |i: u32| compartments.get(i as usize).is_some_and(|c| (i as usize) < n && c.capacity > 0.0);
        self.mean.clear();
        self.mean.extend_from_slice(x);
        if !(dt_s > 0.0 && dt_s.is_finite()) || n == 0 {
            return;
        }
        let moves =
            |e: &&Exchange| e.rate > 0.0 && e.rate.is_finite() && e.from != e.to && holds(e.from) && holds(e.to);
        // 1/s that each compartment's value is replaced by: by what comes in.
        self.leaves.clear();
        self.leaves.extend(
            compartments
                .iter()
                .take(n)
                .map(|c| if c.capacity > 0.0 { c.outside_rate.max(0.0) / c.capacity } else { 0.0 }),
        );
        for e in exchanges.iter().filter(moves) {
            if let (Some(rate), Some(c)) = (self.leaves.get_mut(e.to as usize), compartments.get(e.to as usize)) {
                *rate += e.rate / c.capacity;
            }
        }
        let fastest = self.leaves.iter().copied().fold(0.0, f64::max);
        if fastest * dt_s > STIFF {
            let streams = exchanges.iter().filter(moves);
            self.implicit(dt_s, n, compartments, streams, x);
            return;
        }
        let parts = ((fastest * dt_s / PART).ceil()).max(1.0);
        let (part_s, mut means) = (dt_s / parts, vec![0.0; n]);
        let q = fastest.max(1e-3 / part_s);
        for _ in 0..parts as usize {
            self.part(
                part_s,
                q,
                n,
                compartments,
                |out, of| {
                    for e in exchanges.iter().filter(moves) {
                        let (from, to) = (e.from as usize, e.to as usize);
                        if let (Some(value), Some(slot), Some(c)) =
                            (of.get(from), out.get_mut(to), compartments.get(to))
                        {
                            *slot += e.rate / c.capacity / q * value;
                        }
                    }
                },
                x,
            );
            for (mean, sum) in means.iter_mut().zip(&self.sum) {
                *mean += sum / parts;
            }
        }
        for (slot, mean) in self.mean.iter_mut().zip(&means) {
            *slot = *mean;
        }
    }

    /// One implicit step (backward Euler) by Gauss and Seidel's iteration: first order, but never out of
    /// bounds, and its balance closes with the end in place of the mean.
    fn implicit<'a>(
        &mut self,
        dt_s: f64,
        n: usize,
        compartments: &[Compartment],
        streams: impl Iterator<Item = &'a Exchange> + Clone,
        x: &mut [f64],
    ) {
        let start = x.get(..n).unwrap_or_default().to_vec();
        let mut coming: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
        for e in streams {
            if let Some(list) = coming.get_mut(e.to as usize) {
                list.push((e.from as usize, e.rate));
            }
        }
        for _ in 0..20_000 {
            let mut change = 0.0f64;
            for (i, ((c, list), old)) in compartments.iter().zip(&coming).zip(&start).enumerate() {
                if c.capacity <= 0.0 {
                    continue;
                }
                let mut whole = c.capacity / dt_s + c.outside_rate.max(0.0);
                let mut sum = c.capacity / dt_s * old + c.outside_rate.max(0.0) * c.outside + c.source;
                for (from, rate) in list {
                    whole += rate;
                    sum += rate * x.get(*from).copied().unwrap_or(0.0);
                }
                let next = sum / whole;
                if let Some(slot) = x.get_mut(i).filter(|_| next.is_finite()) {
                    change = change.max((next - *slot).abs());
                    *slot = next;
                }
            }
            if change < 1e-12 {
                break;
            }
        }
        self.mean.clear();
        self.mean.extend_from_slice(x);
    }

    /// Mean values over the last step.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// One part: `x(t) = Σ pois(k; q·t)·Pᵏx`, and its mean `Σ P(N > k)/(q·t)·Pᵏx`, with `P = 1 + A/q`.
    fn part(
        &mut self,
        t: f64,
        q: f64,
        n: usize,
        compartments: &[Compartment],
        add_exchanges: impl Fn(&mut [f64], &[f64]),
        x: &mut [f64],
    ) {
        let a = q * t;
        let mut weight = (-a).exp();
        let mut tail = -(-a).exp_m1();
        self.term.clear();
        self.term.extend_from_slice(x.get(..n).unwrap_or_default());
        self.end.clear();
        self.end.extend(self.term.iter().map(|v| weight * v));
        self.sum.clear();
        self.sum.extend(self.term.iter().map(|v| tail / a * v));
        for k in 1..TERMS {
            // The source and what comes from outside are driven by a constant: each power adds them anew.
            self.next.clear();
            self.next.extend(self.term.iter().zip(&self.leaves).map(|(v, rate)| v * (1.0 - rate / q)));
            add_exchanges(&mut self.next, &self.term);
            for (slot, c) in self.next.iter_mut().zip(compartments) {
                if c.capacity > 0.0 {
                    *slot += (c.outside_rate.max(0.0) * c.outside + c.source) / c.capacity / q;
                }
            }
            std::mem::swap(&mut self.term, &mut self.next);
            weight *= a / k as f64;
            tail = (tail - weight).max(0.0);
            for ((end, sum), v) in self.end.iter_mut().zip(&mut self.sum).zip(&self.term) {
                *end += weight * v;
                *sum += tail / a * v;
            }
            if tail < 1e-17 && k as f64 > a {
                break;
            }
        }
        for (slot, end) in x.iter_mut().zip(&self.end) {
            if end.is_finite() {
                *slot = *end;
            }
        }
    }
}

/// One compartment by itself, exactly: it nears `rest` with `rate_s`. The value at the end, and its mean.
pub fn relax(value: f64, rest: f64, rate_s: f64, dt_s: f64) -> (f64, f64) {
    let x = (rate_s * dt_s).max(0.0);
    if x == 0.0 {
        return (value, value);
    }
    (rest + (value - rest) * (-x).exp(), rest + (value - rest) * -(-x).exp_m1() / x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn room(capacity: f64) -> Compartment {
        Compartment { capacity, outside_rate: 0.0, outside: 0.0, source: 0.0 }
    }

    #[test]
    fn one_room_is_the_exponential() {
        // 100 m³, 0.05 m³/s outdoor air of 420 ppm, a person and a half: 420 + s/q, with 2000 s.
        let c = [Compartment { capacity: 100.0, outside_rate: 0.05, outside: 420.0, source: 7.8 }];
        let mut x = [1000.0];
        let mut solver = Compartments::default();
        solver.step(3600.0, &c, &[], &mut x);
        let rest = 420.0 + 7.8 / 0.05;
        let (end, mean) = relax(1000.0, rest, 0.0005, 3600.0);
        assert!((x[0] - end).abs() < 1e-9 && (solver.mean()[0] - mean).abs() < 1e-9, "{x:?} {end}");
        assert!((end - (rest + (1000.0 - rest) * (-1.8f64).exp())).abs() < 1e-9);
    }

    #[test]
    fn two_rooms_through_a_door_are_the_difference_of_exponentials() {
        // Closed pair: the sum stays, the difference falls with g·(1/C1 + 1/C2).
        let exchanges = [Exchange { from: 0, to: 1, rate: 2.0 }, Exchange { from: 1, to: 0, rate: 2.0 }];
        let mut x = [30.0, 10.0];
        Compartments::default().step(77.0, &[room(300.0), room(100.0)], &exchanges, &mut x);
        let difference = 20.0 * (-2.0 * (1.0 / 300.0 + 1.0 / 100.0) * 77.0f64).exp();
        assert!(
            (x[0] - x[1] - difference).abs() < 1e-9 && (300.0 * x[0] + 100.0 * x[1] - 10_000.0).abs() < 1e-8,
            "{x:?}"
        );
    }

    #[test]
    fn a_long_step_comes_to_rest_and_stays_within_bounds() {
        // A wall of large and a window of tiny capacity: rates 1e5 apart.
        let c = [
            Compartment { capacity: 10.0, outside_rate: 50.0, outside: -10.0, source: 0.0 },
            Compartment { capacity: 1e4, outside_rate: 0.0, outside: 0.0, source: 400.0 },
        ];
        let exchanges = [Exchange { from: 0, to: 1, rate: 20.0 }, Exchange { from: 1, to: 0, rate: 20.0 }];
        let mut x = [20.0, 20.0];
        Compartments::default().step(14_000.0, &c, &exchanges, &mut x);
        // 400 W through 20 W/K and then 50 W/K.
        assert!((x[0] + 2.0).abs() < 1e-6 && (x[1] - 18.0).abs() < 1e-6, "{x:?}");
        // So long that only the implicit step is left: at rest too.
        let mut x = [20.0, 20.0];
        Compartments::default().step(1e9, &c, &exchanges, &mut x);
        assert!((x[0] + 2.0).abs() < 1e-3 && (x[1] - 18.0).abs() < 1e-3, "{x:?}");
    }

    #[test]
    fn nonsense_is_left_alone() {
        let mut x = [5.0, 6.0];
        let mut solver = Compartments::default();
        solver.step(f64::NAN, &[room(1.0), room(1.0)], &[], &mut x);
        solver.step(
            60.0,
            &[room(0.0), room(1.0)],
            &[Exchange { from: 0, to: 7, rate: 1.0 }, Exchange { from: 0, to: 1, rate: f64::NAN }],
            &mut x,
        );
        assert_eq!(x, [5.0, 6.0]);
        solver.step(60.0, &[], &[], &mut []);
        assert!(solver.mean().is_empty());
    }

    proptest! {
        #[test]
        fn the_balance_closes_with_the_mean_and_two_halves_make_a_whole(
            capacities in proptest::collection::vec(1.0..500.0f64, 4),
            rates in proptest::collection::vec(0.0..3.0f64, 8),
            outside in proptest::collection::vec(0.0..2.0f64, 4),
            x0 in proptest::collection::vec(0.0..50.0f64, 4),
            dt_s in 1.0..2000.0f64,
        ) {
            let c: Vec<Compartment> = capacities.iter().zip(&outside).map(|(capacity, outside_rate)| Compartment {
                capacity: *capacity, outside_rate: *outside_rate, outside: 12.0, source: 3.0,
            }).collect();
            let exchanges: Vec<Exchange> = rates.iter().enumerate().map(|(k, rate)| Exchange {
                from: (k % 4) as u32, to: ((k + 1 + k / 4) % 4) as u32, rate: *rate,
            }).collect();
            let mut solver = Compartments::default();
            let mut x = x0.clone();
            solver.step(dt_s, &c, &exchanges, &mut x);
            for i in 0..4 {
                let mut taken = c[i].outside_rate * (12.0 - solver.mean()[i]) + 3.0;
                for e in exchanges.iter().filter(|e| e.to as usize == i) {
                    taken += e.rate * (solver.mean()[e.from as usize] - solver.mean()[i]);
                }
                let stored = c[i].capacity * (x[i] - x0[i]);
                prop_assert!((stored - taken * dt_s).abs() < 1e-7 * (1.0 + dt_s * 60.0), "{stored} {}", taken * dt_s);
            }
            let mut halves = x0.clone();
            solver.step(0.5 * dt_s, &c, &exchanges, &mut halves);
            solver.step(0.5 * dt_s, &c, &exchanges, &mut halves);
            for (a, b) in x.iter().zip(&halves) {
                prop_assert!((a - b).abs() < 1e-8 * (1.0 + a.abs()));
            }
        }
    }
}
