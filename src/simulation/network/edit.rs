//! A solver that has solved, for a network with a few more plain links or some of other sizes: as it stands.
//!
//! Where the new links run between nodes of the core that a source reaches, nothing else has changed and the factor
//! is current, rows and edges are put in and the factor is corrected, so that the next solve is a warm one. Whatever
//! else has changed, the network is laid out again.

use super::layout::{NONE, is_plain, outflows};
use super::links::LinkKind;
use super::loss::Laws;
use super::model::{Link, Network, Node, NodeKind};
use super::setup::{is_hazen_williams, levels};
use super::solution::{Solution, Status};
use super::solver::Solver;
use super::zones::Supply;

impl Solver {
    /// This solver for a sound network that differs by plain links at the end or of other sizes; `None` where it
    /// differs more, or this one has no solution to go on from.
    pub(super) fn grown(&self, network: &Network, broken: &[bool]) -> Option<Self> {
        let old = self.kinds.len();
        let stands = self.solution.converged && !self.cold && !self.stale && !self.switches.dropped;
        if !stands || network.links.len() < old || !self.same_nodes(network) {
            return None;
        }
        let mut changed = Vec::new();
        for (l, link) in network.links.iter().enumerate() {
            let known = l < old;
            if known && (self.ends[l] != (link.from as u32, link.to as u32) || self.broken[l] != broken[l]) {
                return None;
            }
            if known && self.kinds[l] == link.kind {
                continue;
            }
            if broken[l] || !(if known { self.may_be(l, &link.kind) } else { self.may_join(link) }) {
                return None;
            }
            changed.push(l);
        }
        let ends: Vec<(u32, u32)> = network.links[old..].iter().map(|l| (l.from as u32, l.to as u32)).collect();
        let mut solver = self.with(network, &ends)?;
        for link in changed {
            solver.set_law(link);
            if solver.shut(link) != Some(false) {
                return None;
            }
            // The zones are what they were.
            solver.stale = false;
            let row = solver.layout.row[link];
            if link >= old {
                solver.core.put_row(0, row, is_hazen_williams(&solver.kinds[link]));
            }
            if let Some(&edge) = solver.layout.edge.get(row as usize) {
                solver.core.held[edge as usize] = false;
                solver.core.change(&solver.layout, edge as usize, solver.start_flow[link]);
            }
        }
        Some(solver)
    }

    /// Whether nodes, options and outflows are those of this solver.
    fn same_nodes(&self, network: &Network) -> bool {
        let options = &network.options;
        let same = |(v, node): (usize, &Node)| {
            let fixed = !matches!(node.kind, NodeKind::Junction(_));
            node.elevation == self.elevation[v] && fixed == self.fixed[v] && levels(node) == self.tanks[v]
        };
        let outflows_here = self.layout.outflows.iter().map(|o| (o.node, o.kind));
        network.nodes.len() == self.fixed.len()
            && options.demand_model == self.demand_model
            && options.reference_pressure == self.reference_pressure
            && options.trials.max(1) == self.trials
            && Laws::new(network) == self.laws
            && network.nodes.iter().enumerate().all(same)
            && outflows(network).into_iter().eq(outflows_here)
    }

    /// Whether a link may become this in place: another plain link of a law of the same kind.
    fn may_be(&self, link: usize, kind: &LinkKind) -> bool {
        let old = &self.kinds[link];
        let row = self.layout.row[link];
        let plain = self.layout.edge.get(row as usize).is_none_or(|&edge| (edge as usize) < self.layout.chains);
        row != NONE
            && plain
            && is_plain(old)
            && is_plain(kind)
            && is_hazen_williams(old) == is_hazen_williams(kind)
            && self.shut(link) == Some(false)
    }

    /// Whether a new link may be put in between two nodes: a plain one between two of the core that have a source.
    fn may_join(&self, link: &Link) -> bool {
        let joins = |v: usize| {
            let place = self.layout.head[v];
            let sourced = self.switches.sourced.get(place as usize).is_none_or(|sourced| *sourced);
            place != NONE && sourced && self.zones.of(v) == Supply::Source && self.tanks[v].is_none()
        };
        is_plain(&link.kind) && link.head_gain == 0.0 && link.from != link.to && joins(link.from) && joins(link.to)
    }

    fn shut(&self, link: usize) -> Option<bool> {
        self.core.shut.get(self.layout.row[link] as usize).copied()
    }

    /// A copy with the links of a network, those at these ends new and still shut.
    fn with(&self, network: &Network, ends: &[(u32, u32)]) -> Option<Self> {
        let (layout, room) = self.layout.with(ends)?;
        let old = self.kinds.len();
        let new = &network.links[old..];
        let mut now = self.now.clone();
        now.command.extend(new.iter().map(|l| l.command));
        now.setting.extend(new.iter().map(|l| if l.setting.is_finite() { l.setting } else { 0.0 }));
        now.head_gain.extend(new.iter().map(|_| 0.0));
        let at_source = |&(from, to): &(u32, u32)| self.fixed[from as usize] || self.fixed[to as usize];
        let beside = (old as u32..).zip(ends).filter(|(_, ends)| at_source(ends)).map(|(link, _)| link);
        let mut switches = self.switches.clone();
        for item in &mut switches.items {
            item.edge = room.moved(item.edge);
        }
        let split = |&(id, first, last): &(u32, u32, u32)| (room.moved(id), room.moved(first), room.moved(last));
        Some(Self {
            core: self.core.with(room),
            switches,
            laws: self.laws.clone(),
            kinds: network.links.iter().map(|l| l.kind.clone()).collect(),
            ends: joined(&self.ends, ends.iter().copied()),
            demand_model: self.demand_model,
            reference_pressure: self.reference_pressure,
            trials: self.trials,
            elevation: self.elevation.clone(),
            fixed: self.fixed.clone(),
            sources: self.sources.clone(),
            beside: joined(&self.beside, beside),
            in_core: self.in_core.clone(),
            tanks: self.tanks.clone(),
            broken: joined(&self.broken, new.iter().map(|_| false)),
            now,
            zones: self.zones.clone(),
            references: self.references.clone(),
            takes: self.takes.clone(),
            marked: false,
            whole: self.whole,
            load: self.load.clone(),
            start_flow: joined(&self.start_flow, new.iter().map(|_| 0.0)),
            split: self.split.iter().map(split).collect(),
            stale: false,
            cold: false,
            put_in: true,
            patience: self.patience,
            given: None,
            solution: Solution {
                flow: joined(&self.solution.flow, new.iter().map(|_| 0.0)),
                status: joined(&self.solution.status, new.iter().map(|_| Status::Open)),
                ..self.solution.clone()
            },
            layout,
        })
    }
}

/// A list with more behind it.
fn joined<T: Copy>(list: &[T], more: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::with_capacity(list.len() + more.size_hint().1.unwrap_or(0));
    all.extend_from_slice(list);
    all.extend(more);
    all
}

#[cfg(test)]
mod tests;
