//! Layouts and cores with room for more chains of one link, everything else where it stands.
//!
//! Chains of one link come first among rows and edges, one row an edge, so that the same number of either is put in
//! at the same place, and what follows moves up.

use super::layout::{Layout, NONE, Outflow, Place, Special};
use super::loss::Law;
use super::newton::{Core, Pin};
use super::reduce::Leaf;

/// Edges that a factor has no entries for may be so many; with more it is better ordered anew.
const MOST_LOOSE: usize = 8;

/// Rows and edges put in.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Before which row and edge.
    at: usize,
    /// How many.
    count: usize,
}

impl Room {
    /// The number of what had this one.
    pub fn moved(self, id: u32) -> u32 {
        if id == NONE || (id as usize) < self.at { id } else { id + self.count as u32 }
    }

    /// A list with a value in the places put in.
    fn list<T: Copy>(self, old: &[T], value: T) -> Vec<T> {
        let (before, after) = old.split_at(self.at);
        let mut new = Vec::with_capacity(old.len() + self.count);
        new.extend_from_slice(before);
        new.resize(self.at + self.count, value);
        new.extend_from_slice(after);
        new
    }

    /// The numbers in a list.
    fn all(self, old: &[u32]) -> Vec<u32> {
        old.iter().map(|&id| self.moved(id)).collect()
    }

    fn stretches(self, old: &[(u32, u32)]) -> Vec<(u32, u32)> {
        old.iter().map(|&(first, end)| (self.moved(first), self.moved(end))).collect()
    }
}

impl Layout {
    /// With plain links that come after all others, each between two nodes of the core, and where they were put.
    /// `None` where too many of them have no entry in the factor.
    pub fn with(&self, ends: &[(u32, u32)]) -> Option<(Self, Room)> {
        let room = Room { at: self.singles, count: ends.len() };
        let head = |v: u32| self.head.get(v as usize).copied().filter(|&head| head != NONE);
        let mut new = Vec::with_capacity(ends.len());
        for (&(from, to), k) in ends.iter().zip(room.at as u32..) {
            let (a, b) = (head(from)?, head(to)?);
            new.push(self.place(a, b, k, k + 1));
        }
        let mut edges = Vec::with_capacity(self.edges.len() + new.len());
        edges.extend_from_slice(&self.edges[..room.at]);
        edges.extend_from_slice(&new);
        let after = self.edges[room.at..].iter();
        edges.extend(after.map(|e| Place { first: room.moved(e.first), end: room.moved(e.end), ..*e }));
        let mut loose = self.loose.clone();
        let nowhere = self.shape.entries() as u32;
        let alone = |p: &&Place| self.inner(p.a, p.b) && p.between == nowhere;
        loose.extend(new.iter().filter(alone).map(|p| p.first));
        if loose.len() > MOST_LOOSE {
            return None;
        }
        let mut out = Self {
            shape: self.shape.clone(),
            edges,
            loose,
            ends: room.list(&self.ends, [0; 2]),
            chains: self.chains + room.count,
            singles: self.singles + room.count,
            long: room.all(&self.long),
            link: room.list(&self.link, NONE),
            sign: room.list(&self.sign, 1.0),
            node: room.list(&self.node, NONE),
            row: room.all(&self.row),
            edge: room.all(&room.list(&self.edge, NONE)),
            core_rows: self.core_rows + room.count,
            leaves: self.leaves.iter().map(|leaf| Leaf { row: room.moved(leaf.row), ..*leaf }).collect(),
            head: self.head.clone(),
            unknown: self.unknown.clone(),
            heads: self.heads,
            diagonal: self.diagonal.clone(),
            around_start: Vec::new(),
            around: Vec::new(),
            outflows: self.outflows.iter().map(|o| Outflow { edge: room.moved(o.edge), ..*o }).collect(),
            specials: self.specials.iter().map(|s| Special { edge: room.moved(s.edge), ..*s }).collect(),
        };
        for (place, &(_, to)) in new.iter().zip(ends) {
            let row = place.first as usize;
            out.link[row] = out.row.len() as u32;
            out.node[row] = to;
            out.edge[row] = place.first;
            out.ends[row] = [place.a, place.b];
            out.row.push(place.first);
        }
        out.surroundings();
        Some((out, room))
    }
}

impl Core {
    /// With rows and edges put in that are shut; what it has found stays.
    pub fn with(&self, room: Room) -> Self {
        let (rows, edges) = (self.laws.len() + room.count, self.flow.len() + room.count);
        // Single rows stand before what is put in, all others behind it.
        let [single, long, leaves] = &self.stretches;
        let stretches = [single.clone(), room.stretches(long), room.stretches(leaves)];
        let [single, long, leaves] = &self.others;
        let others = [single.clone(), room.all(long), room.all(leaves)];
        Self {
            laws: room.list(&self.laws, Law::Shut),
            shut: room.list(&self.shut, true),
            row_gain: room.list(&self.row_gain, 0.0),
            r: room.list(&self.r, 0.0),
            m: room.list(&self.m, 0.0),
            stretches,
            others,
            points: self.points.clone(),
            offset: room.list(&self.offset, 0.0),
            row_flow: room.list(&self.row_flow, 0.0),
            row_loss: vec![0.0; rows],
            row_slope: vec![0.0; rows],
            flow: room.list(&self.flow, 0.0),
            total: room.list(&self.total, 0.0),
            gain: room.list(&self.gain, 0.0),
            held: room.list(&self.held, true),
            conductance: room.list(&self.conductance, 0.0),
            fresh: vec![0.0; edges],
            residual: vec![0.0; edges],
            moved: vec![0.0; edges],
            head: self.head.clone(),
            load: self.load.clone(),
            right: vec![0.0; self.right.len()],
            pins: self.pins.iter().map(|pin| Pin { edge: room.moved(pin.edge), ..*pin }).collect(),
            dead: self.dead.clone(),
            feeble: self.feeble.clone(),
            machines: room.all(&self.machines),
            current: self.current,
            factor: self.factor.clone(),
            arch: self.arch,
        }
    }
}
