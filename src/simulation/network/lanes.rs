//! Factors of several matrices of one shape at once, each number of one beside that of the others.
//!
//! Where one matrix has too few neighbours in memory for vectors, eight equal networks have them at every
//! number. Nothing passes between places: what comes out of one is the same, bit for bit, whatever stands in
//! the others.

use super::symbolic::{Supernode, Symbolic};

/// How many networks stand beside one another.
pub const LANES: usize = 8;

type Lanes = [f64; LANES];

/// Matrices of one shape, then their factors; right sides, then solutions.
#[derive(Clone, Debug)]
pub struct Pack {
    /// As in the factor of one, one slot more at the end included.
    pub values: Vec<Lanes>,
    /// In the order of elimination.
    pub x: Vec<Lanes>,
    inverse: Vec<Lanes>,
    arch: pulp::Arch,
}

impl Pack {
    /// Room for a shape.
    pub fn new(shape: &Symbolic) -> Self {
        Self {
            values: vec![[0.0; LANES]; shape.entries() + 1],
            x: vec![[0.0; LANES]; shape.n],
            inverse: vec![[0.0; LANES]; shape.n],
            arch: pulp::Arch::new(),
        }
    }

    /// Makes room for new matrices.
    pub fn clear(&mut self) {
        self.values.fill([0.0; LANES]);
    }

    /// Factors the matrices and solves for their right sides.
    pub fn solve(&mut self, shape: &Symbolic) {
        self.work(shape, true);
    }

    /// Solves for other right sides with the factors as they are.
    pub fn solve_again(&mut self, shape: &Symbolic) {
        self.work(shape, false);
    }

    fn work(&mut self, shape: &Symbolic, factorise: bool) {
        let Self { values, x, inverse, arch } = self;
        arch.dispatch(Work { shape, values, x, inverse, factorise });
    }
}

/// The work, compiled for the vectors that the machine has.
struct Work<'a> {
    shape: &'a Symbolic,
    values: &'a mut [Lanes],
    x: &'a mut [Lanes],
    inverse: &'a mut [Lanes],
    factorise: bool,
}

impl pulp::WithSimd for Work<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { shape, values, x, inverse, factorise } = self;
        for s in shape.supernodes.iter().filter(|_| factorise) {
            let (first, width, below) = (s.first as usize, s.width as usize, s.below as usize);
            let (base, end) = (shape.column[first] as usize, shape.column[first + width] as usize);
            let (left, rest) = values.split_at_mut(end);
            let own = &mut left[base..];
            columns(own, &mut inverse[first..first + width], width + below);
            updates(shape, s, own, &inverse[first..first + width], rest, end);
            let mut offset = 0;
            for (k, i) in inverse[first..first + width].iter().enumerate() {
                let height = width + below - k;
                for value in &mut own[offset + 1..offset + height] {
                    *value = times(*value, *i);
                }
                offset += height;
            }
        }
        forward(shape, values, x);
        for (x, i) in x.iter_mut().zip(inverse.iter()) {
            *x = times(*x, *i);
        }
        backward(shape, values, x);
    }
}

#[inline(always)]
fn times(a: Lanes, b: Lanes) -> Lanes {
    let mut out = a;
    for i in 0..LANES {
        out[i] *= b[i];
    }
    out
}

#[inline(always)]
fn minus(to: &mut Lanes, a: &Lanes, b: &Lanes) {
    for i in 0..LANES {
        to[i] = (-a[i]).mul_add(b[i], to[i]);
    }
}

/// The dense columns of a supernode, each by those before it.
#[inline(always)]
fn columns(own: &mut [Lanes], inverse: &mut [Lanes], height: usize) {
    let mut offset = 0;
    for k in 0..inverse.len() {
        let (before, this) = own.split_at_mut(offset);
        let this = &mut this[..height - k];
        let mut at = 0;
        for (j, i) in inverse[..k].iter().enumerate() {
            let column = &before[at + k - j..at + height - j];
            let w = times(column[0], *i);
            for (to, value) in this.iter_mut().zip(column) {
                minus(to, &w, value);
            }
            at += height - j;
        }
        let d = this[0];
        for i in 0..LANES {
            inverse[k][i] = if d[i] > 0.0 { 1.0 / d[i] } else { 0.0 };
        }
        offset += height - k;
    }
}

/// What a supernode takes from the columns to come.
#[inline(always)]
fn updates(shape: &Symbolic, s: &Supernode, own: &[Lanes], inverse: &[Lanes], rest: &mut [Lanes], end: usize) {
    let (width, below) = (s.width as usize, s.below as usize);
    let mut begin = width;
    for (k, i) in inverse.iter().enumerate() {
        let column = &own[begin..begin + below];
        begin += width + below - k - 1;
        if s.small {
            let mut targets = shape.targets[s.runs as usize..].iter();
            for (q, value) in column.iter().enumerate() {
                let w = times(*value, *i);
                for (value, &to) in column[q..].iter().zip(&mut targets) {
                    minus(&mut rest[to as usize], &w, value);
                }
            }
            continue;
        }
        let starts = &shape.run_start[s.runs as usize..(s.runs + s.below) as usize + 1];
        for (value, pair) in column.iter().zip(starts.windows(2)) {
            let w = times(*value, *i);
            for run in &shape.runs[pair[0] as usize..pair[1] as usize] {
                let (to, from, count) = (run.target as usize - end, run.from as usize, run.count as usize);
                for (to, value) in rest[to..to + count].iter_mut().zip(&column[from..from + count]) {
                    minus(to, &w, value);
                }
            }
        }
    }
}

#[inline(always)]
fn forward(shape: &Symbolic, values: &[Lanes], x: &mut [Lanes]) {
    for s in &shape.supernodes {
        let (first, end) = (s.first as usize, (s.first + s.width) as usize);
        let rows = &shape.rows[s.rows as usize..(s.rows + s.below) as usize];
        for k in first..end {
            let column = &values[shape.column[k] as usize + 1..shape.column[k + 1] as usize];
            let y = x[k];
            let (within, below) = column.split_at(end - k - 1);
            for (x, l) in x[k + 1..end].iter_mut().zip(within) {
                minus(x, &y, l);
            }
            for (&row, l) in rows.iter().zip(below) {
                minus(&mut x[row as usize], &y, l);
            }
        }
    }
}

#[inline(always)]
fn backward(shape: &Symbolic, values: &[Lanes], x: &mut [Lanes]) {
    for s in shape.supernodes.iter().rev() {
        let (first, end) = (s.first as usize, (s.first + s.width) as usize);
        let rows = &shape.rows[s.rows as usize..(s.rows + s.below) as usize];
        for k in (first..end).rev() {
            let column = &values[shape.column[k] as usize + 1..shape.column[k + 1] as usize];
            let (within, below) = column.split_at(end - k - 1);
            let mut sum = x[k];
            for (x, l) in x[k + 1..end].iter().zip(within) {
                minus(&mut sum, x, l);
            }
            for (&row, l) in rows.iter().zip(below) {
                minus(&mut sum, &x[row as usize], l);
            }
            x[k] = sum;
        }
    }
}
