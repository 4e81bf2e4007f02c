//! `L D Lᵀ` of a symmetric positive matrix on a fixed schedule, and solves with it. Nothing is allocated.

use super::correction::Corrections;
use super::dense::{COLUMNS, product};
use super::symbolic::{Run, Supernode, Symbolic};

/// From this width on a supernode is worked on in tiles.
const TILED: usize = 8;

/// The numbers of a factor. The caller puts the matrix into [`Factor::values`] at [`Symbolic::slot`]s and
/// has it replaced by the factor.
#[derive(Clone, Debug, Default)]
pub struct Factor {
    /// The lower triangle column by column; one slot more at the end takes what belongs nowhere.
    pub values: Vec<f64>,
    /// One over each pivot; 0 where the matrix has no pivot left, which leaves that unknown at 0.
    pub inverse: Vec<f64>,
    buffer: Vec<f64>,
    weights: Vec<f64>,
    tiles: Tiles,
    /// What the matrix has besides.
    pub(super) corrections: Corrections,
    arch: pulp::Arch,
}

/// What the tiles of a wide supernode are worked out in.
#[derive(Clone, Debug, Default)]
struct Tiles {
    weights: Vec<[f64; COLUMNS]>,
    sums: Vec<f64>,
}

impl Factor {
    /// Room for the factor of a shape.
    pub fn new(shape: &Symbolic) -> Self {
        let below = shape.supernodes.iter().map(|s| s.below).max().unwrap_or(0) as usize;
        let width = shape.supernodes.iter().map(|s| s.width).max().unwrap_or(0) as usize;
        let height = shape.supernodes.iter().map(|s| s.width + s.below).max().unwrap_or(0) as usize;
        Self {
            values: vec![0.0; shape.entries() + 1],
            inverse: vec![0.0; shape.n],
            buffer: vec![0.0; below],
            weights: vec![0.0; width],
            tiles: Tiles { weights: vec![[0.0; COLUMNS]; width], sums: vec![0.0; COLUMNS * height] },
            corrections: Corrections::default(),
            arch: pulp::Arch::new(),
        }
    }

    /// Replaces the matrix in [`Factor::values`] by its factor, without corrections.
    pub fn factorise(&mut self, shape: &Symbolic) {
        let Self { values, inverse, weights, tiles, corrections, arch, .. } = self;
        corrections.clear();
        arch.dispatch(Factorise { shape, values, inverse, weights, tiles });
    }

    /// Solves for a right side given in the order of elimination, in place.
    pub fn solve(&mut self, shape: &Symbolic, x: &mut [f64]) {
        let Self { values, inverse, buffer, corrections, arch, .. } = self;
        arch.dispatch(Solve { shape, values, inverse, buffer, corrections, x });
    }
}

/// The factorisation, compiled for the vectors that the machine has.
struct Factorise<'a> {
    shape: &'a Symbolic,
    values: &'a mut [f64],
    inverse: &'a mut [f64],
    weights: &'a mut [f64],
    tiles: &'a mut Tiles,
}

impl pulp::WithSimd for Factorise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        factorise(self.shape, self.values, self.inverse, self.weights, self.tiles);
    }
}

/// A solve, compiled for the vectors that the machine has.
struct Solve<'a> {
    shape: &'a Symbolic,
    values: &'a [f64],
    inverse: &'a [f64],
    buffer: &'a mut [f64],
    corrections: &'a Corrections,
    x: &'a mut [f64],
}

impl pulp::WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        forward(self.shape, self.values, self.buffer, self.x);
        for (x, inverse) in self.x.iter_mut().zip(self.inverse) {
            *x *= inverse;
        }
        self.corrections.apply(self.x);
        backward(self.shape, self.values, self.buffer, self.x);
    }
}

#[inline(always)]
fn factorise(shape: &Symbolic, values: &mut [f64], inverse: &mut [f64], weights: &mut [f64], tiles: &mut Tiles) {
    for s in &shape.supernodes {
        let (first, width, below) = (s.first as usize, s.width as usize, s.below as usize);
        let base = shape.column[first] as usize;
        let end = shape.column[first + width] as usize;
        let (left, rest) = values.split_at_mut(end);
        let own = &mut left[base..];
        let inverse = &mut inverse[first..first + width];
        if width == 1 {
            let d = own[0];
            let i = if d > 0.0 { 1.0 / d } else { 0.0 };
            inverse[0] = i;
            let column = &mut own[1..];
            if s.small {
                let mut targets = shape.targets[s.runs as usize..].iter();
                for q in 0..column.len() {
                    let w = column[q] * i;
                    for (x, &to) in column[q..].iter().zip(&mut targets) {
                        rest[to as usize] -= w * x;
                    }
                }
            } else {
                narrow(shape, s, column, i, rest, end);
            }
            for x in column {
                *x *= i;
            }
            continue;
        }
        // Dense columns, each by those before it.
        let height = width + below;
        if width >= TILED {
            tiled(shape, s, own, inverse, tiles, rest, end);
            scale(own, inverse, height);
            continue;
        }
        let mut offset = 0;
        for k in 0..width {
            let (before, this) = own.split_at_mut(offset);
            let this = &mut this[..height - k];
            let mut at = 0;
            let mut j = 0;
            while j + 4 <= k {
                let a = &before[at + k - j..at + height - j];
                let b0 = at + height - j;
                let b = &before[b0 + k - j - 1..b0 + height - j - 1];
                let c0 = b0 + height - j - 1;
                let c = &before[c0 + k - j - 2..c0 + height - j - 2];
                let d0 = c0 + height - j - 2;
                let d = &before[d0 + k - j - 3..d0 + height - j - 3];
                let w = [a[0] * inverse[j], b[0] * inverse[j + 1], c[0] * inverse[j + 2], d[0] * inverse[j + 3]];
                minus_four(this, w, a, b, c, d);
                at = d0 + height - j - 3;
                j += 4;
            }
            while j < k {
                let a = &before[at + k - j..at + height - j];
                minus_one(this, a[0] * inverse[j], a);
                at += height - j;
                j += 1;
            }
            let d = this[0];
            inverse[k] = if d > 0.0 { 1.0 / d } else { 0.0 };
            offset += height - k;
        }
        if s.small {
            let targets = &shape.targets[s.runs as usize..];
            match width {
                2 => few::<2>(targets, below, own, inverse, rest),
                3 => few::<3>(targets, below, own, inverse, rest),
                _ => few::<4>(targets, below, own, inverse, rest),
            }
        } else {
            wide(shape, s, own, inverse, weights, rest, end);
        }
        scale(own, inverse, height);
    }
}

/// Columns by their pivots.
#[inline(always)]
fn scale(own: &mut [f64], inverse: &[f64], height: usize) {
    let mut offset = 0;
    for (k, i) in inverse.iter().enumerate() {
        for x in &mut own[offset + 1..offset + height - k] {
            *x *= i;
        }
        offset += height - k;
    }
}

/// A wide supernode: its own columns four by four, then the columns to come four by four.
#[inline(always)]
fn tiled(
    shape: &Symbolic,
    s: &Supernode,
    own: &mut [f64],
    inverse: &mut [f64],
    tiles: &mut Tiles,
    rest: &mut [f64],
    end: usize,
) {
    let (width, below) = (s.width as usize, s.below as usize);
    let height = width + below;
    let begin = |k: usize| k * height - k * k.saturating_sub(1) / 2;
    for first in (0..width).step_by(COLUMNS) {
        let block = COLUMNS.min(width - first);
        if first > 0 {
            weights_of(own, inverse, height, first, first, block, &mut tiles.weights);
            let rows = height - first;
            let (before, this) = own.split_at_mut(begin(first));
            product(before, height, &tiles.weights[..first], first, &mut tiles.sums[..COLUMNS * rows]);
            let mut offset = 0;
            for c in 0..block {
                let sums = &tiles.sums[c * rows + c..(c + 1) * rows];
                for (x, sum) in this[offset..offset + rows - c].iter_mut().zip(sums) {
                    *x -= sum;
                }
                offset += rows - c;
            }
        }
        for k in first..first + block {
            let (before, this) = own.split_at_mut(begin(k));
            let this = &mut this[..height - k];
            for j in first..k {
                let a = &before[begin(j) + k - j..begin(j) + height - j];
                minus_one(this, a[0] * inverse[j], a);
            }
            let d = this[0];
            inverse[k] = if d > 0.0 { 1.0 / d } else { 0.0 };
        }
    }
    let starts = &shape.run_start[s.runs as usize..(s.runs + s.below) as usize + 1];
    for first in (0..below).step_by(COLUMNS) {
        let block = COLUMNS.min(below - first);
        weights_of(own, inverse, height, width, width + first, block, &mut tiles.weights);
        let rows = below - first;
        product(own, height, &tiles.weights[..width], width + first, &mut tiles.sums[..COLUMNS * rows]);
        for c in 0..block {
            let sums = &tiles.sums[c * rows..(c + 1) * rows];
            let q = first + c;
            for run in &shape.runs[starts[q] as usize..starts[q + 1] as usize] {
                let (to, from) = stretch(run, end);
                for (x, sum) in rest[to].iter_mut().zip(&sums[from.start - first..from.end - first]) {
                    *x -= sum;
                }
            }
        }
    }
}

/// What each of so many columns is multiplied with for the targets at some rows; nothing past the block.
#[inline(always)]
fn weights_of(
    own: &[f64],
    inverse: &[f64],
    height: usize,
    columns: usize,
    row: usize,
    block: usize,
    weights: &mut [[f64; COLUMNS]],
) {
    let mut base = row;
    for (j, (w, i)) in weights[..columns].iter_mut().zip(inverse).enumerate() {
        for (c, w) in w.iter_mut().enumerate() {
            *w = if c < block { own[base + c] * i } else { 0.0 };
        }
        base += height - j - 1;
    }
}

/// Updates of the columns to come by a supernode of one column.
#[inline(always)]
fn narrow(shape: &Symbolic, s: &Supernode, column: &[f64], inverse: f64, rest: &mut [f64], end: usize) {
    let starts = &shape.run_start[s.runs as usize..(s.runs + s.below) as usize + 1];
    for (q, pair) in starts.windows(2).enumerate() {
        let w = column[q] * inverse;
        for run in &shape.runs[pair[0] as usize..pair[1] as usize] {
            let (target, source) = stretch(run, end);
            minus_one(&mut rest[target], w, &column[source]);
        }
    }
}

/// Updates of the columns to come by a small supernode of a few columns, number by number.
#[inline(always)]
fn few<const W: usize>(targets: &[u32], below: usize, own: &[f64], inverse: &[f64], rest: &mut [f64]) {
    let height = W + below;
    let mut begin = W;
    let columns: [&[f64]; W] = std::array::from_fn(|k| {
        let column = &own[begin..begin + below];
        begin += height - k - 1;
        column
    });
    let mut targets = targets.iter();
    for q in 0..below {
        let mut weights = [0.0; W];
        for k in 0..W {
            weights[k] = columns[k][q] * inverse[k];
        }
        for (p, &to) in (q..below).zip(&mut targets) {
            let mut sum = 0.0;
            for k in 0..W {
                sum += weights[k] * columns[k][p];
            }
            rest[to as usize] -= sum;
        }
    }
}

/// Updates of the columns to come by a supernode of several columns.
#[inline(always)]
fn wide(
    shape: &Symbolic,
    s: &Supernode,
    own: &[f64],
    inverse: &[f64],
    weights: &mut [f64],
    rest: &mut [f64],
    end: usize,
) {
    let (width, below) = (s.width as usize, s.below as usize);
    let height = width + below;
    // Where the rows below of column k begin: columns shorten by one each.
    let place = |k: usize| k * height - k * k.saturating_sub(1) / 2 + width - k;
    let starts = &shape.run_start[s.runs as usize..(s.runs + s.below) as usize + 1];
    for (q, pair) in starts.windows(2).enumerate() {
        let runs = &shape.runs[pair[0] as usize..pair[1] as usize];
        let mut at = width;
        for (k, (w, i)) in weights[..width].iter_mut().zip(inverse).enumerate() {
            *w = own[at + q] * i;
            at += height - k - 1;
        }
        let mut k = 0;
        while k + 4 <= width {
            let w = [weights[k], weights[k + 1], weights[k + 2], weights[k + 3]];
            let (a, b, c, d) = (place(k), place(k + 1), place(k + 2), place(k + 3));
            let (a, b) = (&own[a..a + below], &own[b..b + below]);
            let (c, d) = (&own[c..c + below], &own[d..d + below]);
            for run in runs {
                let (to, from) = stretch(run, end);
                minus_four(&mut rest[to], w, &a[from.clone()], &b[from.clone()], &c[from.clone()], &d[from]);
            }
            k += 4;
        }
        if k + 2 <= width {
            let (a, b) = (place(k), place(k + 1));
            let (a, b) = (&own[a..a + below], &own[b..b + below]);
            for run in runs {
                let (to, from) = stretch(run, end);
                minus_two(&mut rest[to], [weights[k], weights[k + 1]], &a[from.clone()], &b[from]);
            }
            k += 2;
        }
        if k < width {
            let a = place(k);
            let a = &own[a..a + below];
            for run in runs {
                let (to, from) = stretch(run, end);
                minus_one(&mut rest[to], weights[k], &a[from]);
            }
        }
    }
}

#[inline(always)]
fn stretch(run: &Run, end: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let (target, from, count) = (run.target as usize - end, run.from as usize, run.count as usize);
    (target..target + count, from..from + count)
}

#[inline(always)]
fn minus_one(y: &mut [f64], w: f64, a: &[f64]) {
    let n = y.len();
    let (y4, y) = y.as_chunks_mut::<4>();
    let (a4, a) = a[..n].as_chunks::<4>();
    for i in 0..y4.len() {
        for k in 0..4 {
            y4[i][k] -= w * a4[i][k];
        }
    }
    for i in 0..y.len().min(3) {
        y[i] -= w * a[i];
    }
}

#[inline(always)]
fn minus_two(y: &mut [f64], w: [f64; 2], a: &[f64], b: &[f64]) {
    let n = y.len();
    let (y4, y) = y.as_chunks_mut::<4>();
    let ((a4, a), (b4, b)) = (a[..n].as_chunks::<4>(), b[..n].as_chunks::<4>());
    for i in 0..y4.len() {
        for k in 0..4 {
            y4[i][k] -= w[0] * a4[i][k] + w[1] * b4[i][k];
        }
    }
    for i in 0..y.len().min(3) {
        y[i] -= w[0] * a[i] + w[1] * b[i];
    }
}

#[inline(always)]
fn minus_four(y: &mut [f64], w: [f64; 4], a: &[f64], b: &[f64], c: &[f64], d: &[f64]) {
    let n = y.len();
    let (y4, y) = y.as_chunks_mut::<4>();
    let ((a4, a), (b4, b)) = (a[..n].as_chunks::<4>(), b[..n].as_chunks::<4>());
    let ((c4, c), (d4, d)) = (c[..n].as_chunks::<4>(), d[..n].as_chunks::<4>());
    for i in 0..y4.len() {
        for k in 0..4 {
            y4[i][k] -= (w[0] * a4[i][k] + w[1] * b4[i][k]) + (w[2] * c4[i][k] + w[3] * d4[i][k]);
        }
    }
    for i in 0..y.len().min(3) {
        y[i] -= (w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]);
    }
}

#[inline(always)]
fn forward(shape: &Symbolic, values: &[f64], buffer: &mut [f64], x: &mut [f64]) {
    for s in &shape.supernodes {
        let (first, width, below) = (s.first as usize, s.width as usize, s.below as usize);
        let rows = &shape.rows[s.rows as usize..(s.rows + s.below) as usize];
        let mut at = shape.column[first] as usize;
        if width == 1 {
            let y = x[first];
            for (&row, l) in rows.iter().zip(&values[at + 1..at + 1 + below]) {
                x[row as usize] -= l * y;
            }
            continue;
        }
        let sum = &mut buffer[..below];
        sum.fill(0.0);
        for k in 0..width {
            let height = width - k + below;
            let column = &values[at..at + height];
            let (this, after) = x[first + k..first + width].split_at_mut(1);
            minus_one(after, this[0], &column[1..width - k]);
            let y = this[0];
            for (sum, l) in sum.iter_mut().zip(&column[width - k..]) {
                *sum += l * y;
            }
            at += height;
        }
        for (&row, sum) in rows.iter().zip(sum.iter()) {
            x[row as usize] -= sum;
        }
    }
}

#[inline(always)]
fn backward(shape: &Symbolic, values: &[f64], buffer: &mut [f64], x: &mut [f64]) {
    for s in shape.supernodes.iter().rev() {
        let (first, width, below) = (s.first as usize, s.width as usize, s.below as usize);
        let rows = &shape.rows[s.rows as usize..(s.rows + s.below) as usize];
        if width == 1 {
            let at = shape.column[first] as usize;
            let mut sum = x[first];
            for (&row, l) in rows.iter().zip(&values[at + 1..at + 1 + below]) {
                sum -= l * x[row as usize];
            }
            x[first] = sum;
            continue;
        }
        let gathered = &mut buffer[..below];
        for (to, &row) in gathered.iter_mut().zip(rows) {
            *to = x[row as usize];
        }
        let mut at = shape.column[first + width] as usize;
        for k in (0..width).rev() {
            let height = width - k + below;
            at -= height;
            let column = &values[at..at + height];
            let (this, after) = x[first + k..first + width].split_at_mut(1);
            this[0] -= dot(&column[1..width - k], after) + dot(&column[width - k..], gathered);
        }
    }
}

/// Sum of products in four strands, so that its order is the same for any width of vectors.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = [0.0; 4];
    let (fours, others) = (a.chunks_exact(4), b.chunks_exact(4));
    let mut tail = 0.0;
    for (a, b) in fours.remainder().iter().zip(others.remainder()) {
        tail += a * b;
    }
    for (a, b) in fours.zip(others) {
        for i in 0..4 {
            sum[i] += a[i] * b[i];
        }
    }
    (sum[0] + sum[1]) + (sum[2] + sum[3]) + tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Solves a Laplacian with some grounded nodes and gives the residual of it.
    fn residual(n: usize, pairs: &[(u32, u32, f64)]) -> f64 {
        let shape = Symbolic::new(n, &pairs.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(), None).unwrap();
        let mut factor = Factor::new(&shape);
        let mut dense = vec![vec![0.0; n]; n];
        for (i, row) in dense.iter_mut().enumerate() {
            row[i] = 0.1 + i as f64 * 0.01;
        }
        for &(i, j, g) in pairs.iter().filter(|p| p.0 != p.1) {
            let (i, j) = (i as usize, j as usize);
            dense[i][i] += g;
            dense[j][j] += g;
            dense[i][j] -= g;
            dense[j][i] -= g;
        }
        for (i, row) in dense.iter().enumerate() {
            for (j, &value) in row.iter().enumerate().take(i + 1) {
                let slot = shape.slot(shape.position[i], shape.position[j]);
                match slot {
                    Some(slot) => factor.values[slot as usize] = value,
                    None => assert_eq!(value, 0.0),
                }
            }
        }
        factor.factorise(&shape);
        let b: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
        let mut x = vec![0.0; n];
        for i in 0..n {
            x[shape.position[i] as usize] = b[i];
        }
        factor.solve(&shape, &mut x);
        (0..n)
            .map(|i| (0..n).map(|j| dense[i][j] * x[shape.position[j] as usize]).sum::<f64>() - b[i])
            .fold(0.0, |most: f64, r| most.max(r.abs()))
    }

    #[test]
    fn a_square_grid_is_solved() {
        let side = 17u32;
        let mut pairs = Vec::new();
        for i in 0..side {
            for j in 0..side {
                if i + 1 < side {
                    pairs.push((i * side + j, (i + 1) * side + j, 1.0 + f64::from(i)));
                }
                if j + 1 < side {
                    pairs.push((i * side + j, i * side + j + 1, 2.0 + f64::from(j)));
                }
            }
        }
        assert!(residual((side * side) as usize, &pairs) < 1e-11);
    }

    #[test]
    fn nothing_and_one_unknown() {
        assert!(residual(0, &[]) == 0.0);
        assert!(residual(1, &[]) < 1e-12);
    }

    #[test]
    fn a_pivot_that_is_gone_leaves_its_unknown_at_zero() {
        let shape = Symbolic::new(2, &[(0, 1)], None).unwrap();
        let mut factor = Factor::new(&shape);
        for (i, j, v) in [(0, 0, 1.0), (0, 1, -1.0), (1, 1, 1.0)] {
            factor.values[shape.slot(i, j).unwrap() as usize] = v;
        }
        factor.factorise(&shape);
        let mut x = [1.0, -1.0];
        factor.solve(&shape, &mut x);
        assert_eq!(x, [1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn any_pattern_is_solved(
            n in 1usize..40,
            pairs in proptest::collection::vec((0u32..40, 0u32..40, 0.1..10.0f64), 0..120),
        ) {
            let pairs: Vec<_> = pairs.into_iter().map(|(i, j, g)| (i % n as u32, j % n as u32, g)).collect();
            prop_assert!(residual(n, &pairs) < 1e-10);
        }
    }
}
