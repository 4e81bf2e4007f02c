//! The shape of a factor: ordering, supernodes, and where every update of it goes.
//!
//! Done once for a topology. The ordering is approximate minimum degree (Amestoy, Davis, Duff, SIAM J.
//! Matrix Anal. Appl. 17 (1996); faer's), then the elimination tree in postorder (Liu 1990), columns with
//! one pattern joined to supernodes. Where the updates of a supernode go is written down: for a small one
//! the place of every number, for a large one *runs*, stretches of rows that stand one behind the other in
//! source and target, so that the numeric part is multiply-add over slices. It searches for nothing.

use super::order::{Tree, order};

/// A stretch of one column that an update goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where it begins in the values of the factor.
    pub target: u32,
    /// Which of the source's rows below it begins with.
    pub from: u32,
    /// How many rows.
    pub count: u32,
}

/// Columns with one pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supernode {
    /// First column.
    pub first: u32,
    /// How many columns.
    pub width: u32,
    /// Where its rows below begin in [`Symbolic::rows`].
    pub rows: u32,
    /// How many rows below its own columns.
    pub below: u32,
    /// For a large one where its entries in [`Symbolic::run_start`] begin, one for each row below; for a
    /// small one where its [`Symbolic::targets`] begin.
    pub runs: u32,
    /// Whether its updates are written down number by number.
    pub small: bool,
}

/// Above this width or this number of rows below, updates go by runs.
const SMALL: (u32, u32) = (4, 30);

/// The shape of the factor of a symmetric matrix.
#[derive(Clone, Debug, Default)]
pub struct Symbolic {
    /// How many unknowns.
    pub n: usize,
    /// `position[unknown]`: its place in the elimination, until a layout takes it.
    pub position: Vec<u32>,
    /// Where each column begins in the values: first its diagonal, then the rows under it. One more
    /// entry than columns.
    pub column: Vec<u32>,
    /// In the order of elimination.
    pub supernodes: Vec<Supernode>,
    /// Rows below of all supernodes.
    pub rows: Vec<u32>,
    /// Where the runs to each row below of a large supernode begin, and where the last ones end.
    pub run_start: Vec<u32>,
    /// All runs.
    pub runs: Vec<Run>,
    /// Where the updates of small supernodes go, column by column from the diagonal down; counted from the
    /// end of the supernode's own values.
    pub targets: Vec<u32>,
    /// Multiply-adds of one factorisation.
    pub work: u64,
    supernode_of: Vec<u32>,
}

impl Symbolic {
    /// For `n` unknowns and the pairs of them that have an entry; pairs may repeat. `None` when the factor
    /// would have 2³² entries or more. With `before` unknowns are eliminated in that order.
    pub fn new(n: usize, pairs: &[(u32, u32)], before: Option<&[u32]>) -> Option<Self> {
        let Tree { position, patterns, width } = order(n, pairs, before);
        let mut out = Self { n, position, column: Vec::with_capacity(n + 1), ..Self::default() };
        out.supernode_of = vec![0; n];
        let (mut first, mut values) = (0u32, 0u64);
        for (w, pattern) in width.into_iter().zip(patterns) {
            let below = pattern.len() as u32;
            let id = out.supernodes.len() as u32;
            let small = w <= SMALL.0 && below <= SMALL.1;
            out.supernodes.push(Supernode { first, width: w, rows: out.rows.len() as u32, below, runs: 0, small });
            for k in 0..w {
                out.column.push(u32::try_from(values).ok()?);
                out.supernode_of[(first + k) as usize] = id;
                let length = u64::from(w - k + below);
                values += length;
                out.work += length * length / 2;
            }
            out.rows.extend_from_slice(&pattern);
            first += w;
        }
        out.column.push(u32::try_from(values).ok()?);
        out.schedule();
        Some(out)
    }

    /// Entries of the factor.
    pub fn entries(&self) -> usize {
        self.column.last().map_or(0, |&end| end as usize)
    }

    /// Where the entry of two columns stands in the values, given their places in the elimination; the
    /// diagonal for two alike. `None` where the pattern has no such entry.
    pub fn slot(&self, i: u32, j: u32) -> Option<u32> {
        let (column, row) = (i.min(j), i.max(j));
        let s = self.supernodes[self.supernode_of[column as usize] as usize];
        let end = s.first + s.width;
        let base = self.column[column as usize];
        if row < end {
            return Some(base + row - column);
        }
        let rows = &self.rows[s.rows as usize..(s.rows + s.below) as usize];
        rows.binary_search(&row).ok().map(|at| base + end - column + at as u32)
    }

    /// The supernodes that a solve with nothing on its right side but at this place goes through: up the
    /// elimination tree.
    pub fn above(&self, place: u32) -> impl Iterator<Item = usize> {
        let of = |row: &u32| self.supernode_of.get(*row as usize).map(|&s| s as usize);
        std::iter::successors(of(&place), move |&s| {
            let s = self.supernodes[s];
            self.rows[s.rows as usize..(s.rows + s.below) as usize].first().and_then(of)
        })
    }

    fn schedule(&mut self) {
        let (mut runs, mut starts, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let mut begins = Vec::with_capacity(self.supernodes.len());
        for s in &self.supernodes {
            begins.push(if s.small { targets.len() } else { starts.len() } as u32);
            let own_end = self.column[(s.first + s.width) as usize];
            let rows = &self.rows[s.rows as usize..(s.rows + s.below) as usize];
            for (q, &column) in rows.iter().enumerate() {
                let t = self.supernodes[self.supernode_of[column as usize] as usize];
                let (base, end) = (self.column[column as usize], t.first + t.width);
                let theirs = &self.rows[t.rows as usize..(t.rows + t.below) as usize];
                let mut at = 0usize;
                let mut run = Run { target: base, from: q as u32, count: 0 };
                if !s.small {
                    starts.push(runs.len() as u32);
                }
                for (p, &row) in rows.iter().enumerate().skip(q) {
                    let place = if row < end {
                        row - column
                    } else {
                        // Their pattern holds all of ours, so the search ends.
                        while theirs.get(at).is_some_and(|&r| r < row) {
                            at += 1;
                        }
                        end - column + at as u32
                    };
                    if s.small {
                        targets.push(base + place - own_end);
                    } else if base + place == run.target + run.count {
                        run.count += 1;
                    } else {
                        runs.push(run);
                        run = Run { target: base + place, from: p as u32, count: 1 };
                    }
                }
                if !s.small {
                    runs.push(run);
                }
            }
            if !s.small {
                starts.push(runs.len() as u32);
            }
        }
        for (s, begin) in self.supernodes.iter_mut().zip(begins) {
            s.runs = begin;
        }
        (self.run_start, self.runs, self.targets) = (starts, runs, targets);
    }
}
