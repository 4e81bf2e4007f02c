//! Products of the columns of a wide supernode, four columns and eight rows at a time.
//!
//! A tile of them stays in registers while it runs over all columns, so that each number is loaded once for
//! four multiply-adds; the smaller kernels of the factor load and store their target at every fourth column.

/// Columns of a tile.
pub const COLUMNS: usize = 4;
const ROWS: usize = 8;

/// Adds `Σ weights[j][c] × column j` for four targets at once.
///
/// `own` holds columns one behind the other, column `j` from its row `j` to row `height`; rows from `row` on are
/// multiplied, of as many columns as there are weights, none of which may be below `row`. `out` gets four
/// columns of `height - row` numbers each.
#[inline(always)]
pub fn product(own: &[f64], height: usize, weights: &[[f64; COLUMNS]], row: usize, out: &mut [f64]) {
    let rows = height - row;
    let mut from = 0;
    while from + ROWS <= rows {
        let mut sums = [[[0.0; 4]; 2]; COLUMNS];
        // Where row 0 of column j would stand, had it one.
        let mut base = row + from;
        for (j, w) in weights.iter().enumerate() {
            let column = &own[base..base + ROWS];
            let (low, high) =
                ([column[0], column[1], column[2], column[3]], [column[4], column[5], column[6], column[7]]);
            for c in 0..COLUMNS {
                sums[c][0] = fused(low, w[c], sums[c][0]);
                sums[c][1] = fused(high, w[c], sums[c][1]);
            }
            base += height - j - 1;
        }
        for (c, sums) in sums.iter().enumerate() {
            let out = &mut out[c * rows + from..c * rows + from + ROWS];
            out[..4].copy_from_slice(&sums[0]);
            out[4..].copy_from_slice(&sums[1]);
        }
        from += ROWS;
    }
    while from < rows {
        let mut sums = [0.0f64; COLUMNS];
        let mut base = row + from;
        for (j, w) in weights.iter().enumerate() {
            sums = fused(*w, own[base], sums);
            base += height - j - 1;
        }
        for (c, sum) in sums.iter().enumerate() {
            out[c * rows + from] = *sum;
        }
        from += 1;
    }
}

#[inline(always)]
fn fused(a: [f64; 4], w: f64, sum: [f64; 4]) -> [f64; 4] {
    [a[0].mul_add(w, sum[0]), a[1].mul_add(w, sum[1]), a[2].mul_add(w, sum[2]), a[3].mul_add(w, sum[3])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_by_hand() {
        let (height, width, row) = (23, 5, 6);
        let mut own = Vec::new();
        let value = |r: usize, j: usize| ((r * 7 + j * 3) % 11) as f64 - 4.0;
        for j in 0..width {
            own.extend((j..height).map(|r| value(r, j)));
        }
        let weights: Vec<[f64; 4]> = (0..width).map(|j| std::array::from_fn(|c| (j * 2 + c) as f64 - 3.0)).collect();
        let mut out = vec![f64::NAN; 4 * (height - row)];
        product(&own, height, &weights, row, &mut out);
        for c in 0..4 {
            for r in row..height {
                let wanted: f64 = (0..width).map(|j| weights[j][c] * value(r, j)).sum();
                assert_eq!(out[c * (height - row) + r - row], wanted);
            }
        }
    }
}
