//! The order of elimination and the pattern it leaves.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::sparse::SymbolicSparseColMatRef;
use faer::sparse::linalg::amd;

/// Columns of one supernode may be up to this share zeros, to make few wide ones of many narrow ones.
const PADDING: f64 = 0.25;

/// An ordering with its supernodes.
pub struct Tree {
    /// `position[unknown]`: its place in the elimination.
    pub position: Vec<u32>,
    /// Rows below each supernode, rising.
    pub patterns: Vec<Vec<u32>>,
    /// Columns of each supernode.
    pub width: Vec<u32>,
}

/// Orders `n` unknowns with entries at the pairs: as `before` says, the order of a like network, or by
/// minimum degree.
pub fn order(n: usize, pairs: &[(u32, u32)], before: Option<&[u32]>) -> Tree {
    let (start, at) = adjacency(n, pairs);
    let by_degree = match before {
        Some(before) if before.len() == n => before.to_vec(),
        _ => minimum_degree(n, &start, &at),
    };
    let parent = elimination_tree(&start, &at, &by_degree);
    // The tree in postorder, so that columns of one pattern follow one another.
    let post = postorder(&parent);
    let mut place_of = vec![0u32; n];
    for (place, &v) in post.iter().enumerate() {
        place_of[v as usize] = place as u32;
    }
    let mut position = vec![0u32; n];
    for (place, &unknown) in by_degree.iter().enumerate() {
        position[unknown as usize] = place_of[place];
    }
    let (patterns, width) = supernodes(&start, &at, &position);
    Tree { position, patterns, width }
}

/// Neighbours of each unknown, rising, without repeats and without itself.
fn adjacency(n: usize, pairs: &[(u32, u32)]) -> (Vec<u32>, Vec<u32>) {
    let mut count = vec![0u32; n + 1];
    for &(i, j) in pairs.iter().filter(|(i, j)| i != j) {
        count[i as usize + 1] += 1;
        count[j as usize + 1] += 1;
    }
    for v in 0..n {
        count[v + 1] += count[v];
    }
    let mut next = count.clone();
    let mut all = vec![0u32; count[n] as usize];
    for &(i, j) in pairs.iter().filter(|(i, j)| i != j) {
        for (v, u) in [(i, j), (j, i)] {
            all[next[v as usize] as usize] = u;
            next[v as usize] += 1;
        }
    }
    let mut start = Vec::with_capacity(n + 1);
    let mut at = Vec::with_capacity(all.len());
    start.push(0);
    for v in 0..n {
        let list = &mut all[count[v] as usize..count[v + 1] as usize];
        list.sort_unstable();
        let begin = at.len();
        for &u in list.iter() {
            if at.len() == begin || at.last() != Some(&u) {
                at.push(u);
            }
        }
        start.push(at.len() as u32);
    }
    (start, at)
}

/// Unknowns in the order of approximate minimum degree; their own order where that fails.
fn minimum_degree(n: usize, start: &[u32], at: &[u32]) -> Vec<u32> {
    // The upper half is enough: the ordering is that of A + Aᵀ.
    let mut column = Vec::with_capacity(n + 1);
    let mut rows = Vec::with_capacity(at.len() / 2);
    column.push(0u32);
    for v in 0..n {
        rows.extend(at[start[v] as usize..start[v + 1] as usize].iter().copied().filter(|&u| (u as usize) < v));
        column.push(rows.len() as u32);
    }
    let matrix = SymbolicSparseColMatRef::<u32>::new_checked(n, n, &column, None, &rows);
    let (mut order, mut inverse) = (vec![0u32; n], vec![0u32; n]);
    let scratch = amd::order_scratch::<u32>(n, rows.len());
    let done = MemBuffer::try_new(scratch).ok().and_then(|mut memory| {
        amd::order(&mut order, &mut inverse, matrix, amd::Control::default(), MemStack::new(&mut memory)).ok()
    });
    if done.is_some() { order } else { (0..n as u32).collect() }
}

/// Parent of each place in the elimination tree, `u32::MAX` for a root (Liu, ACM TOMS 12 (1986)).
fn elimination_tree(start: &[u32], at: &[u32], order: &[u32]) -> Vec<u32> {
    let n = order.len();
    let mut place = vec![0u32; n];
    for (k, &v) in order.iter().enumerate() {
        place[v as usize] = k as u32;
    }
    let (mut parent, mut ancestor) = (vec![u32::MAX; n], vec![u32::MAX; n]);
    for (k, &v) in order.iter().enumerate() {
        for &u in &at[start[v as usize] as usize..start[v as usize + 1] as usize] {
            let mut i = place[u as usize];
            while i != u32::MAX && (i as usize) < k {
                let up = ancestor[i as usize];
                ancestor[i as usize] = k as u32;
                if up == u32::MAX {
                    parent[i as usize] = k as u32;
                }
                i = up;
            }
        }
    }
    parent
}

fn postorder(parent: &[u32]) -> Vec<u32> {
    let n = parent.len();
    let (mut child, mut sibling) = (vec![u32::MAX; n], vec![u32::MAX; n]);
    let mut roots = Vec::new();
    for v in (0..n as u32).rev() {
        match child.get_mut(parent[v as usize] as usize) {
            Some(first) => {
                sibling[v as usize] = *first;
                *first = v;
            }
            None => roots.push(v),
        }
    }
    let mut post = Vec::with_capacity(n);
    let mut stack = roots;
    while let Some(&v) = stack.last() {
        let down = child[v as usize];
        if down == u32::MAX {
            post.push(v);
            stack.pop();
        } else {
            // Each child is taken from the list as it is gone down to.
            child[v as usize] = sibling[down as usize];
            stack.push(down);
        }
    }
    post
}

/// Supernodes in the order of elimination: a column is joined to the one before it, its only or last
/// child, where that adds few zeros.
fn supernodes(start: &[u32], at: &[u32], position: &[u32]) -> (Vec<Vec<u32>>, Vec<u32>) {
    let n = position.len();
    let mut unknown = vec![0u32; n];
    for (v, &k) in position.iter().enumerate() {
        unknown[k as usize] = v as u32;
    }
    let mut mark = vec![u32::MAX; n];
    let mut patterns: Vec<Vec<u32>> = Vec::new();
    let mut width: Vec<u32> = Vec::new();
    // Zeros that joining has put into each supernode, and its children that are still open.
    let mut zeros: Vec<u64> = Vec::new();
    let mut pending: Vec<u32> = Vec::new();
    let mut head = vec![u32::MAX; n];
    let mut link: Vec<u32> = Vec::new();
    let mut pattern: Vec<u32> = Vec::new();
    for k in 0..n as u32 {
        pattern.clear();
        mark[k as usize] = k;
        let v = unknown[k as usize] as usize;
        for &u in &at[start[v] as usize..start[v + 1] as usize] {
            let row = position[u as usize];
            if row > k && mark[row as usize] != k {
                mark[row as usize] = k;
                pattern.push(row);
            }
        }
        pending.clear();
        let mut s = head[k as usize];
        while s != u32::MAX {
            pending.push(s);
            for &row in &patterns[s as usize] {
                if row > k && mark[row as usize] != k {
                    mark[row as usize] = k;
                    pattern.push(row);
                }
            }
            s = link[s as usize];
        }
        pattern.sort_unstable();
        // The supernode before is the last child if its first row below is this column.
        let last = patterns.len().checked_sub(1).filter(|&s| patterns[s].first() == Some(&k));
        let joined = last.filter(|&s| {
            let (w, old, new) = (u64::from(width[s]), patterns[s].len() as u64, pattern.len() as u64);
            let added = w * (new + 1 - old) + zeros[s];
            let total = (w + 1) * (w + 2) / 2 + (w + 1) * new;
            added == 0 || (added as f64) <= PADDING * total as f64 && (w < 16 || added * 20 <= total)
        });
        let id = match joined {
            Some(s) => {
                zeros[s] += u64::from(width[s]) * (pattern.len() as u64 + 1 - patterns[s].len() as u64);
                width[s] += 1;
                patterns[s].clear();
                patterns[s].extend_from_slice(&pattern);
                s
            }
            None => {
                patterns.push(pattern.clone());
                width.push(1);
                zeros.push(0);
                link.push(u32::MAX);
                patterns.len() - 1
            }
        };
        if let Some(&up) = patterns[id].first() {
            link[id] = head[up as usize];
            head[up as usize] = id as u32;
        }
    }
    (patterns, width)
}
