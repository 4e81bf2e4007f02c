//! From the core back to every node and link.

use super::layout::OutflowKind;
use super::links::LinkKind;
use super::model::Command;
use super::solution::Status;
use super::solver::Solver;
use super::status::State;

impl Solver {
    /// Writes the solution out of the core.
    pub(super) fn finish(&mut self) {
        self.core.finish_rows(&self.layout);
        self.heads();
        self.whole = !self.solution.head.iter().fold(false, |nan, head| nan | head.is_nan());
        self.flows();
        self.demands();
        self.statuses();
        self.cut_off();
        let Self { solution, layout, .. } = self;
        solution.references.clear();
        solution.references.extend(self.references.iter().map(|pin| layout.unknown[pin.place as usize] as usize));
        solution.frozen.clear();
        solution.frozen.extend(self.switches.frozen().map(|link| link as usize));
        if !solution.frozen.is_empty() {
            solution.frozen.sort_unstable();
        }
    }

    fn heads(&mut self) {
        let Self { layout, core, solution, .. } = self;
        core.shown(layout.shape.n);
        let head_at = |place: u32| core.right.get(place as usize).copied().unwrap_or(f64::NAN);
        for (head, &place) in solution.head.iter_mut().zip(&layout.head) {
            *head = head_at(place);
        }
        let drop = |row: usize| layout.sign[row] * (core.row_loss[row] - core.row_gain[row]);
        // Along chains, forwards up to the first shut link and backwards down to the last.
        let mut splits = self.split.iter().peekable();
        for &id in &layout.long {
            let edge = layout.edges[id as usize];
            let last = edge.end as usize - 1;
            while splits.next_if(|s| s.0 < id).is_some() {}
            let split = splits.next_if(|s| s.0 == id);
            let stop = split.map_or(last, |s| s.1 as usize);
            let mut head = head_at(edge.a);
            for row in edge.first as usize..stop {
                head -= drop(row);
                solution.head[layout.node[row] as usize] = head;
            }
            if let Some(&(_, first, end)) = split {
                for row in first as usize..end as usize {
                    solution.head[layout.node[row] as usize] = f64::NAN;
                }
                let mut head = head_at(edge.b);
                for row in (end as usize + 1..=last).rev() {
                    head += drop(row);
                    solution.head[layout.node[row - 1] as usize] = head;
                }
            }
        }
        for leaf in layout.leaves.iter().rev() {
            let row = leaf.row as usize;
            let head = solution.head[leaf.parent as usize] - drop(row);
            solution.head[leaf.node as usize] = if core.shut[row] { f64::NAN } else { head };
        }
    }

    fn flows(&mut self) {
        let Self { layout, core, solution, .. } = self;
        for (flow, &row) in solution.flow.iter_mut().zip(&layout.row) {
            *flow = core.row_flow.get(row as usize).copied().unwrap_or(0.0);
        }
        if self.whole {
            return;
        }
        for (flow, &(from, to)) in solution.flow.iter_mut().zip(&self.ends) {
            if solution.head[from as usize].is_nan() || solution.head[to as usize].is_nan() {
                *flow = 0.0;
            }
        }
    }

    fn demands(&mut self) {
        let Self { layout, core, solution, .. } = self;
        let both = solution.demand.iter_mut().zip(&self.now.demand);
        for (((demand, now), head), fixed) in both.zip(&solution.head).zip(&self.fixed) {
            *demand = if *fixed | head.is_nan() { 0.0 } else { *now };
        }
        for outflow in &layout.outflows {
            if outflow.kind == OutflowKind::Demand {
                solution.demand[outflow.node as usize] = 0.0;
            }
        }
        for outflow in &layout.outflows {
            solution.demand[outflow.node as usize] += core.flow[outflow.edge as usize];
        }
        for &link in &self.beside {
            let (flow, (from, to)) = (solution.flow[link as usize], self.ends[link as usize]);
            if self.fixed[from as usize] {
                solution.demand[from as usize] -= flow;
            }
            if self.fixed[to as usize] {
                solution.demand[to as usize] += flow;
            }
        }
    }

    fn statuses(&mut self) {
        let Self { layout, core, solution, .. } = self;
        for (link, &row) in layout.row.iter().enumerate().filter(|_| !self.marked) {
            let shut = core.shut.get(row as usize).is_none_or(|shut| *shut);
            let holds = matches!(self.kinds[link], LinkKind::Valve(_)) && self.now.command[link] == Command::Auto;
            solution.status[link] = match (shut, holds) {
                (true, _) => Status::Closed,
                (_, true) => Status::Active,
                _ => Status::Open,
            };
        }
        self.marked = true;
        for item in &self.switches.items {
            solution.status[item.link as usize] = match item.state {
                State::Open => Status::Open,
                State::Blocked => Status::Blocked,
                State::Active => Status::Active,
                State::Off => Status::Closed,
            };
        }
    }

    fn cut_off(&mut self) {
        let Self { layout, solution, .. } = self;
        solution.cut_off.clear();
        if solution.head_residual.is_nan() || self.whole {
            return;
        }
        let sets = &mut self.switches.sets;
        sets.part(self.fixed.len());
        for (link, &(from, to)) in self.ends.iter().enumerate() {
            let passes = matches!(solution.status[link], Status::Open | Status::Active);
            if passes && layout.row[link] != super::layout::NONE && solution.head[from as usize].is_nan() {
                sets.join(from, to);
            }
        }
        for v in 0..self.fixed.len() {
            if solution.head[v].is_nan() {
                solution.cut_off.push((sets.find(v as u32) as usize, v));
            }
        }
        solution.cut_off.sort_unstable();
    }
}
