//! What a matrix has besides its factor: conductances between two places, added without a new factor.
//!
//! With the matrix `A = L D Lᵀ` and `v` 1 at one place and -1 at the other, `(A + g v vᵀ)⁻¹` is
//! `A⁻¹ - A⁻¹ v vᵀ A⁻¹ / (1/g + vᵀ A⁻¹ v)`: J. Sherman, W. J. Morrison, Ann. Math. Statist. 21 (1950) 124. It is
//! applied in the middle of a solve, between `L` and `Lᵀ`, where `w = L⁻¹ v` is nothing but on the way from both
//! places to the root of the elimination tree. One follows the other, each on the matrix with those before.

use super::factor::Factor;
use super::symbolic::{Supernode, Symbolic};

/// More than so many want a new factor.
const MOST: usize = 24;
/// For so many pairs of places at once it is found what they do to one another.
pub const FEW: usize = 16;

/// Two places, of which either may be a head that is known.
pub type Pair = [Option<u32>; 2];

/// Conductances that were added.
#[derive(Clone, Debug, Default)]
pub struct Corrections {
    list: Vec<Correction>,
    entries: Vec<Entry>,
    /// Supernodes in which any of them is not nothing.
    on: Vec<bool>,
    one: Scratch<1>,
    few: Scratch<FEW>,
    arch: pulp::Arch,
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

/// Right sides beside one another, zero between uses; a copy begins without them.
#[derive(Debug, Default)]
struct Scratch<const K: usize>(Vec<[f64; K]>);

impl<const K: usize> Clone for Scratch<K> {
    fn clone(&self) -> Self {
        Self(Vec::new())
    }
}

impl Corrections {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.list.clear();
        self.entries.clear();
        self.on.fill(false);
    }

    /// Adds a conductance between two places to the matrix of a factor. It is asked for with `vᵀ A⁻¹ v`. `false`
    /// where there are so many that a new factor is wanted.
    pub fn add(
        &mut self,
        shape: &Symbolic,
        values: &[f64],
        inverse: &[f64],
        pair: Pair,
        conductance: impl FnOnce(f64) -> f64,
    ) -> bool {
        if self.list.len() >= MOST {
            return false;
        }
        let Self { list, entries, on, one: Scratch(x), arch, .. } = self;
        put(shape, on, x, &[pair]);
        arch.dispatch(Forward { shape, values, on, x });
        let first = entries.len();
        for place in places(shape, on) {
            let w = x[place][0];
            x[place][0] = w * inverse[place];
            entries.push(Entry { place: place as u32, w, u: 0.0 });
        }
        let (before, this) = entries.split_at_mut(first);
        take(list, before, x.as_flattened_mut());
        let mut answer = 0.0;
        for entry in this {
            entry.u = std::mem::take(&mut x[entry.place as usize][0]);
            answer += entry.w * entry.u;
        }
        let g = conductance(answer);
        let weight = g / (1.0 + g * answer);
        let weight = if weight.is_finite() { weight } else { 0.0 };
        list.push(Correction { first, end: entries.len(), weight });
        true
    }

    /// The differences of heads that a flow of 1 between the places of one pair makes at the others, for
    /// [`FEW`] pairs or less.
    pub fn answers(&mut self, shape: &Symbolic, values: &[f64], inverse: &[f64], pairs: &[Pair]) -> [[f64; FEW]; FEW] {
        let Self { list, entries, on, few: Scratch(x), arch, .. } = self;
        put(shape, on, x, pairs);
        arch.dispatch(Forward { shape, values, on, x });
        let mut out = [[0.0; FEW]; FEW];
        // (A + g v vᵀ)⁻¹ is A⁻¹ less its weight times u uᵀ.
        for correction in list.iter() {
            let mut sum = [0.0; FEW];
            for e in &entries[correction.first..correction.end] {
                for (sum, x) in sum.iter_mut().zip(&x[e.place as usize]) {
                    *sum += e.u * x;
                }
            }
            product(&mut out, -correction.weight, &sum);
        }
        for place in places(shape, on) {
            product(&mut out, inverse[place], &std::mem::replace(&mut x[place], [0.0; FEW]));
        }
        out
    }

    /// Takes them into account in the middle of a solve, after the pivots.
    pub fn apply(&self, x: &mut [f64]) {
        take(&self.list, &self.entries, x);
    }
}

impl Factor {
    /// [`Corrections::add`].
    pub fn correct(&mut self, shape: &Symbolic, pair: Pair, conductance: impl FnOnce(f64) -> f64) -> bool {
        self.corrections.add(shape, &self.values, &self.inverse, pair, conductance)
    }

    /// [`Corrections::answers`].
    pub fn answers(&mut self, shape: &Symbolic, pairs: &[Pair]) -> [[f64; FEW]; FEW] {
        self.corrections.answers(shape, &self.values, &self.inverse, pairs)
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

/// Adds a multiple of `x xᵀ`.
fn product(out: &mut [[f64; FEW]; FEW], weight: f64, x: &[f64; FEW]) {
    for (out, a) in out.iter_mut().zip(x) {
        for (out, b) in out.iter_mut().zip(x) {
            *out += weight * a * b;
        }
    }
}

/// Puts `v` of each pair into its lane, and marks the supernodes that a solve with it goes through.
fn put<const K: usize>(shape: &Symbolic, on: &mut Vec<bool>, x: &mut Vec<[f64; K]>, pairs: &[Pair]) {
    on.resize(shape.supernodes.len(), false);
    x.resize(shape.n, [0.0; K]);
    for (lane, pair) in pairs.iter().enumerate().take(K) {
        for (end, sign) in pair.iter().zip([1.0, -1.0]) {
            let Some(end) = *end else { continue };
            x[end as usize][lane] += sign;
            for s in shape.above(end) {
                if std::mem::replace(&mut on[s], true) {
                    break;
                }
            }
        }
    }
}

fn marked<'a>(shape: &'a Symbolic, on: &'a [bool]) -> impl Iterator<Item = &'a Supernode> {
    shape.supernodes.iter().zip(on).filter(|(_, on)| **on).map(|(s, _)| s)
}

fn places<'a>(shape: &'a Symbolic, on: &'a [bool]) -> impl Iterator<Item = usize> {
    marked(shape, on).flat_map(|s| s.first as usize..(s.first + s.width) as usize)
}

/// `L⁻¹ v` of right sides beside one another, compiled for the vectors that the machine has.
struct Forward<'a, const K: usize> {
    shape: &'a Symbolic,
    values: &'a [f64],
    on: &'a [bool],
    x: &'a mut [[f64; K]],
}

impl<const K: usize> pulp::WithSimd for Forward<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { shape, values, on, x } = self;
        for s in marked(shape, on) {
            let (first, end) = (s.first as usize, (s.first + s.width) as usize);
            let rows = &shape.rows[s.rows as usize..(s.rows + s.below) as usize];
            for k in first..end {
                let y = x[k];
                let column = &values[shape.column[k] as usize + 1..shape.column[k + 1] as usize];
                let (within, below) = column.split_at(end - k - 1);
                for (x, l) in x[k + 1..end].iter_mut().zip(within) {
                    minus(x, *l, &y);
                }
                for (&row, l) in rows.iter().zip(below) {
                    minus(&mut x[row as usize], *l, &y);
                }
            }
        }
    }
}

#[inline(always)]
fn minus<const K: usize>(x: &mut [f64; K], l: f64, y: &[f64; K]) {
    for i in 0..K {
        x[i] -= l * y[i];
    }
}

#[cfg(test)]
mod tests {
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
            for (k, row) in dense.iter_mut().enumerate() {
                row[k] = 0.2;
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
            // What pairs of places do to one another is what a solve says.
            let pairs: Vec<Pair> = (0..n.min(FEW)).map(|i| [Some(i as u32), (i > 0).then_some(0)]).collect();
            let answers = factor.answers(&shape, &pairs);
            for (i, [a, b]) in pairs.iter().enumerate() {
                let mut x = vec![0.0; n];
                for (end, sign) in [(a, 1.0), (b, -1.0)] {
                    end.iter().for_each(|&end| x[end as usize] += sign);
                }
                factor.solve(&shape, &mut x);
                for (j, [a, b]) in pairs.iter().enumerate() {
                    let at = |end: &Option<u32>| end.map_or(0.0, |end| x[end as usize]);
                    prop_assert!((at(a) - at(b) - answers[i][j]).abs() < 1e-8);
                }
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
