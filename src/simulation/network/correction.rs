//! What a matrix has besides its factor: conductances between two places, added without a new factor.
//!
//! With the matrix `A = L D Lᵀ` and `v` 1 at one place and -1 at the other, `(A + g v vᵀ)⁻¹` is
//! `A⁻¹ - A⁻¹ v vᵀ A⁻¹ / (1/g + vᵀ A⁻¹ v)`: J. Sherman, W. J. Morrison, Ann. Math. Statist. 21 (1950) 124. It is
//! applied in the middle of a solve, between `L` and `Lᵀ`, where `w = L⁻¹ v` is nothing but on the way from both
//! places to the root of the elimination tree. One follows the other, each on the matrix with those before.

use super::symbolic::Symbolic;

/// More than so many want a new factor.
const MOST: usize = 24;

/// Conductances that were added.
#[derive(Clone, Debug, Default)]
pub struct Corrections {
    list: Vec<Correction>,
    entries: Vec<Entry>,
    /// Where any of them is not nothing.
    touched: Vec<bool>,
    work: Vec<f64>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Correction {
    /// Its entries.
    first: usize,
    end: usize,
    /// `g / (1 + g vᵀ A⁻¹ v)`.
    weight: f64,
}

/// What a correction has at a place.
#[derive(Clone, Copy, Debug)]
struct Entry {
    place: u32,
    /// `L⁻¹ v`.
    w: f64,
    /// `D⁻¹ w`, with the corrections before.
    u: f64,
}

impl Corrections {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.list.clear();
        self.entries.clear();
        self.touched.fill(false);
    }

    /// Adds a conductance between two places (or from one to a head that is known) to the matrix of a factor. It is
    /// asked for with `vᵀ A⁻¹ v`. `false` where there are so many that a new factor is wanted.
    pub fn add(
        &mut self,
        shape: &Symbolic,
        values: &[f64],
        inverse: &[f64],
        ends: [Option<u32>; 2],
        conductance: impl FnOnce(f64) -> f64,
    ) -> bool {
        if self.list.len() >= MOST {
            return false;
        }
        self.touched.resize(shape.n, false);
        self.work.resize(shape.n, 0.0);
        self.forward(shape, values, ends);
        let first = self.entries.len();
        for (place, _) in self.touched.iter().enumerate().filter(|(_, touched)| **touched) {
            let w = std::mem::take(&mut self.work[place]);
            self.entries.push(Entry { place: place as u32, w, u: w * inverse[place] });
        }
        let (before, this) = self.entries.split_at_mut(first);
        for entry in this.iter() {
            self.work[entry.place as usize] = entry.u;
        }
        take(&self.list, before, &mut self.work);
        let mut answer = 0.0;
        for entry in this {
            entry.u = std::mem::take(&mut self.work[entry.place as usize]);
            answer += entry.w * entry.u;
        }
        let g = conductance(answer);
        let weight = g / (1.0 + g * answer);
        let weight = if weight.is_finite() { weight } else { 0.0 };
        self.list.push(Correction { first, end: self.entries.len(), weight });
        true
    }

    /// Takes them into account in the middle of a solve, after the pivots.
    pub fn apply(&self, x: &mut [f64]) {
        take(&self.list, &self.entries, x);
    }

    /// `L⁻¹ v` in `work`, and where it may be something.
    fn forward(&mut self, shape: &Symbolic, values: &[f64], ends: [Option<u32>; 2]) {
        let x = &mut self.work;
        for (end, sign) in ends.into_iter().zip([1.0, -1.0]) {
            if let Some(x) = end.and_then(|end| x.get_mut(end as usize)) {
                *x += sign;
            }
        }
        for s in shape.path(ends) {
            let (first, end) = (s.first as usize, (s.first + s.width) as usize);
            let rows = &shape.rows[s.rows as usize..(s.rows + s.below) as usize];
            for k in first..end {
                self.touched[k] = true;
                let y = x[k];
                let column = &values[shape.column[k] as usize + 1..shape.column[k + 1] as usize];
                let (within, below) = column.split_at(end - k - 1);
                for (x, l) in x[k + 1..end].iter_mut().zip(within) {
                    *x -= l * y;
                }
                for (&row, l) in rows.iter().zip(below) {
                    x[row as usize] -= l * y;
                }
            }
        }
    }
}

/// Corrections one after the other.
fn take(list: &[Correction], entries: &[Entry], x: &mut [f64]) {
    for correction in list {
        let entries = &entries[correction.first..correction.end];
        let drop = correction.weight * entries.iter().map(|e| e.w * x[e.place as usize]).sum::<f64>();
        for e in entries {
            x[e.place as usize] -= drop * e.u;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::factor::Factor;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn corrections_are_the_matrix_with_these_conductances(
            n in 2usize..30,
            pairs in proptest::collection::vec((0u32..30, 0u32..30, 0.1..10.0f64), 1..60),
            added in proptest::collection::vec((0u32..30, 0u32..40, -0.05..20.0f64), 1..12),
        ) {
            let fit = |i: u32| i % n as u32;
            let pairs: Vec<_> = pairs.into_iter().map(|(i, j, g)| (fit(i), fit(j), g)).filter(|p| p.0 != p.1).collect();
            let all: Vec<(u32, u32)> = pairs.iter().map(|p| (p.0, p.1)).collect();
            let shape = Symbolic::new(n, &all, None).unwrap();
            let mut factor = Factor::new(&shape);
            let mut dense = vec![vec![0.0; n]; n];
            for k in 0..n {
                dense[k][k] = 0.2;
                factor.values[shape.slot(k as u32, k as u32).unwrap() as usize] = 0.2;
            }
            let mut put = |i: u32, j: Option<u32>, g: f64| {
                let v: Vec<(usize, f64)> = [Some((i as usize, 1.0)), j.map(|j| (j as usize, -1.0))].into_iter().flatten().collect();
                for a in &v {
                    for b in &v {
                        dense[a.0][b.0] += g * a.1 * b.1;
                    }
                }
            };
            let place = |i: u32| shape.position[i as usize];
            for &(i, j, g) in &pairs {
                put(i, Some(j), g);
                for (a, b, g) in [(i, i, g), (j, j, g), (i, j, -g)] {
                    factor.values[shape.slot(place(a), place(b)).unwrap() as usize] += g;
                }
            }
            factor.factorise(&shape);
            for (i, j, g) in added {
                // Above the range: to a head that is known.
                let (i, j) = (fit(i), (j < 30).then(|| fit(j)).filter(|&j| j != fit(i)));
                put(i, j, g);
                let done = factor.correct(&shape, [Some(place(i)), j.map(place)], |answer| {
                    assert!(answer > 0.0);
                    g
                });
                prop_assert!(done);
            }
            let b: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
            let mut x = vec![0.0; n];
            for i in 0..n {
                x[place(i as u32) as usize] = b[i];
            }
            factor.solve(&shape, &mut x);
            for i in 0..n {
                let sum: f64 = (0..n).map(|j| dense[i][j] * x[place(j as u32) as usize]).sum();
                prop_assert!((sum - b[i]).abs() < 1e-8, "{sum} {}", b[i]);
            }
        }
    }

    #[test]
    fn too_many_want_a_new_factor() {
        let shape = Symbolic::new(1, &[], None).unwrap();
        let mut factor = Factor::new(&shape);
        factor.values[0] = 1.0;
        factor.factorise(&shape);
        let added = (0..2 * MOST).filter(|_| factor.correct(&shape, [Some(0), None], |_| 1.0)).count();
        assert_eq!(added, MOST);
        let mut x = [1.0];
        factor.solve(&shape, &mut x);
        assert!((x[0] - 1.0 / (1.0 + MOST as f64)).abs() < 1e-12);
    }
}
