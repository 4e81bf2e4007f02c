//! Which nodes a source reaches, which run in a closed circuit, and which are cut off.

use super::layout::NONE;

/// Sets that are joined two by two, without allocation after the first.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    /// Everything apart.
    pub fn part(&mut self, n: usize) {
        self.parent.clear();
        self.parent.extend(0..n as u32);
    }

    /// The set of a member: its smallest member.
    pub fn find(&mut self, mut v: u32) -> u32 {
        while self.parent[v as usize] != v {
            let up = self.parent[self.parent[v as usize] as usize];
            self.parent[v as usize] = up;
            v = up;
        }
        v
    }

    /// Makes two sets one.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        // The smallest stays on top, so a set's name does not depend on the order of joining.
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high as usize] = low;
    }
}

/// How a zone stands to its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supply {
    /// Nothing holds its pressure.
    #[default]
    Cut,
    /// A fixed head reaches it.
    Source,
    /// It runs in a circle: one node is held as its reference.
    Circuit,
}

/// A link as zones see it.
#[derive(Clone, Copy, Debug)]
pub struct Tie {
    /// One end.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// Whether heads pass through it.
    pub open: bool,
    /// Whether it drives flow by itself: a pump, a held flow, a gain of head.
    pub drives: bool,
}

/// Zones of a network under its commands.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    sets: Sets,
    /// Zone of each node: its smallest node.
    pub zone: Vec<u32>,
    /// How each zone is supplied, by its smallest node.
    pub supply: Vec<Supply>,
    /// The node each circuit is held at, by the zone's smallest node.
    pub reference: Vec<u32>,
    balance: Vec<f64>,
    turnover: Vec<f64>,
    drives: Vec<bool>,
}

impl Zones {
    /// Finds the zones. `fixed` says which nodes have a fixed head, `core` which may be a reference,
    /// `demand` what each node takes.
    pub fn find(&mut self, fixed: &[bool], core: &[bool], demand: &[f64], ties: impl Iterator<Item = Tie> + Clone) {
        let n = fixed.len();
        self.sets.part(n);
        for tie in ties.clone().filter(|t| t.open) {
            self.sets.join(tie.a, tie.b);
        }
        fill(&mut self.zone, n, 0);
        fill(&mut self.supply, n, Supply::Cut);
        fill(&mut self.reference, n, NONE);
        fill(&mut self.balance, n, 0.0);
        fill(&mut self.turnover, n, 0.0);
        fill(&mut self.drives, n, false);
        for v in 0..n {
            let zone = self.sets.find(v as u32);
            self.zone[v] = zone;
            let zone = zone as usize;
            if fixed[v] {
                self.supply[zone] = Supply::Source;
            } else {
                self.balance[zone] += demand[v];
                self.turnover[zone] += demand[v].abs();
                if core[v] && self.reference[zone] == NONE {
                    self.reference[zone] = v as u32;
                }
            }
        }
        for tie in ties.filter(|t| t.drives) {
            let (a, b) = (self.zone[tie.a as usize], self.zone[tie.b as usize]);
            if a == b {
                // The suction side of the first pump, where expansion vessels are.
                if !self.drives[a as usize] && core[tie.a as usize] {
                    self.reference[a as usize] = tie.a;
                }
                self.drives[a as usize] = true;
            }
        }
        for zone in 0..n {
            if self.supply[zone] == Supply::Cut && self.circles(zone) {
                self.supply[zone] = Supply::Circuit;
            }
        }
    }

    /// Whether something moves in a zone without a source and its demands close.
    fn circles(&self, zone: usize) -> bool {
        let moves = self.drives[zone] || self.turnover[zone] > 0.0;
        let closes = self.balance[zone].abs() <= 1e-9 * self.turnover[zone];
        moves && closes && self.reference[zone] != NONE
    }

    /// Whether all zones are supplied as they were found, now that other demands hold and nothing else has changed.
    pub fn stand(&mut self, fixed: &[bool], demand: &[f64]) -> bool {
        self.balance.fill(0.0);
        self.turnover.fill(0.0);
        for ((&zone, &fixed), demand) in self.zone.iter().zip(fixed).zip(demand) {
            if !fixed {
                self.balance[zone as usize] += demand;
                self.turnover[zone as usize] += demand.abs();
            }
        }
        let supplied = |zone: usize| match self.supply[zone] {
            Supply::Source => true,
            Supply::Circuit => self.circles(zone),
            Supply::Cut => !self.circles(zone),
        };
        (0..self.zone.len()).all(supplied)
    }

    /// How a node is supplied.
    pub fn of(&self, node: usize) -> Supply {
        self.zone.get(node).and_then(|&zone| self.supply.get(zone as usize)).copied().unwrap_or_default()
    }
}

fn fill<T: Copy>(list: &mut Vec<T>, n: usize, value: T) {
    list.clear();
    list.resize(n, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tie(a: u32, b: u32, drives: bool) -> Tie {
        Tie { a, b, open: true, drives }
    }

    #[test]
    fn a_source_reaches_what_is_open() {
        let mut zones = Zones::default();
        let mut ties = [tie(0, 1, false), tie(1, 2, false)];
        zones.find(&[true, false, false], &[true; 3], &[0.0, 1.0, 1.0], ties.iter().copied());
        assert_eq!([0, 1, 2].map(|v| zones.of(v)), [Supply::Source; 3]);
        ties[1].open = false;
        zones.find(&[true, false, false], &[true; 3], &[0.0, 1.0, 1.0], ties.iter().copied());
        assert_eq!(zones.of(2), Supply::Cut);
    }

    #[test]
    fn a_circuit_needs_something_that_drives_and_a_balance() {
        let mut zones = Zones::default();
        let ring = [tie(0, 1, false), tie(1, 2, true), tie(2, 0, false)];
        zones.find(&[false; 3], &[true; 3], &[0.0; 3], ring.iter().copied());
        assert_eq!((zones.of(0), zones.reference[0]), (Supply::Circuit, 1));
        zones.find(&[false; 3], &[true; 3], &[0.0, 0.1, 0.0], ring.iter().copied());
        assert_eq!(zones.of(0), Supply::Cut);
        zones.find(&[false; 3], &[true; 3], &[-0.1, 0.1, 0.0], ring.iter().copied());
        assert_eq!(zones.of(0), Supply::Circuit);
        assert!(zones.stand(&[false; 3], &[-0.2, 0.2, 0.0]) && !zones.stand(&[false; 3], &[-0.1, 0.2, 0.0]));
        let still = ring.map(|t| Tie { drives: false, ..t });
        zones.find(&[false; 3], &[true; 3], &[0.0; 3], still.iter().copied());
        assert_eq!(zones.of(0), Supply::Cut);
    }
}
