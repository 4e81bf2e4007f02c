//! `[JUNCTIONS]`, `[RESERVOIRS]`, `[TANKS]`, `[DEMANDS]` and `[EMITTERS]`.

use super::document::Row;
use super::reader::{Named, Reader};
use super::words::{self, is};
use crate::simulation::network::{CurveKind, Demand, Emitter, Junction, Node, NodeKind, Tank, TankShape};

impl Reader {
    fn add_node(&mut self, row: &Row<'_>, id: String, elevation: f64, kind: NodeKind) {
        self.add_id(row, &id, Named::Node);
        self.out.network.nodes.push(Node { id, elevation, kind });
    }

    /// `id elevation (demand) (pattern)`
    pub(super) fn junction(&mut self, row: &Row<'_>) {
        let Some(id) = self.new_id(row, Named::Node) else { return };
        let units = self.out.units;
        let Some(elevation) = self.number_or(row, 1, "elevation", 0.0) else {
            self.left_out.insert(id);
            return;
        };
        // A demand that cannot be read costs the demand, not the junction.
        let base = self.number_or(row, 2, "demand", 0.0).unwrap_or(0.0);
        let pattern = self.pattern(row, 3);
        let mut junction = Junction::default();
        if base != 0.0 || pattern.is_some() {
            junction.demands.push(Demand { base: base * units.m3s(), pattern, category: String::new() });
        }
        self.add_node(row, id, elevation * units.m(), NodeKind::Junction(junction));
    }

    /// `id head (pattern)`
    pub(super) fn reservoir(&mut self, row: &Row<'_>) {
        if row.words.len() >= 6 {
            return self.tank(row);
        }
        let Some(id) = self.new_id(row, Named::Node) else { return };
        let Some(head) = self.number(row, 1, "head") else {
            self.left_out.insert(id);
            return;
        };
        let pattern = self.pattern(row, 2);
        let head = head * self.out.units.m();
        self.add_node(row, id, head, NodeKind::Reservoir { pattern });
    }

    /// `id elevation initial minimum maximum diameter (volume) (curve) (overflow)`, or a reservoir.
    pub(super) fn tank(&mut self, row: &Row<'_>) {
        if row.words.len() <= 3 {
            return self.reservoir(row);
        }
        let Some(id) = self.new_id(row, Named::Node) else { return };
        match self.tank_of(row) {
            Some((elevation, tank)) => self.add_node(row, id, elevation, NodeKind::Tank(tank)),
            None => _ = self.left_out.insert(id),
        }
    }

    fn tank_of(&mut self, row: &Row<'_>) -> Option<(f64, Tank)> {
        let m = self.out.units.m();
        let elevation = self.number(row, 1, "elevation")? * m;
        let initial_level = self.positive(row, 2, "initial level")? * m;
        let minimum_level = self.positive(row, 3, "minimum level")? * m;
        let maximum_level = self.positive(row, 4, "maximum level")? * m;
        let diameter = self.positive(row, 5, "diameter")? * m;
        let minimum_volume = if row.words.len() > 6 { self.positive(row, 6, "minimum volume")? } else { 0.0 };
        let minimum_volume = minimum_volume * self.out.units.m3();
        let mut shape = TankShape::Cylinder(diameter);
        let curve = Self::word(row, 7);
        if !curve.is_empty() && curve != "*" {
            match self.curve(row, 7, CurveKind::Volume) {
                Some(at) => shape = TankShape::Curve(at),
                None if diameter > 0.0 => {}
                None => return None,
            }
        }
        if shape == TankShape::Cylinder(0.0) {
            let message = format!("the tank {} has no diameter and no volume curve", Self::word(row, 0));
            self.refuse(row.line, message, "write its diameter; a fixed head is a reservoir; the line is left out");
            return None;
        }
        let overflow = match Self::word(row, 8) {
            "" => false,
            w if is(w, "YES") => true,
            w if is(w, "NO") => false,
            w => {
                let message = format!("{w:?} is neither YES nor NO for whether the tank may overflow");
                self.warn(row.line, message, "write YES or NO; NO is taken");
                false
            }
        };
        if !(minimum_level <= initial_level && initial_level <= maximum_level) {
            let message = format!("the levels of the tank {} are not in order", Self::word(row, 0));
            self.warn(row.line, message, "minimum ≤ initial ≤ maximum; the initial level is held between the others");
        }
        let (low, high) = (minimum_level.min(maximum_level), minimum_level.max(maximum_level));
        let tank = Tank {
            initial_level: initial_level.clamp(low, high),
            minimum_level: low,
            maximum_level: high,
            shape,
            minimum_volume,
            overflow,
        };
        Some((elevation, tank))
    }

    /// `junction demand (pattern) ;category`: the first of a junction takes the place of that in `[JUNCTIONS]`.
    pub(super) fn demand(&mut self, row: &Row<'_>) {
        if is(Self::word(row, 0), "MULTIPLY") {
            // The global multiplier as of old.
            if let Some(value) = self.number(row, 1, "multiplier") {
                self.out.network.options.demand_multiplier = value;
            }
            return;
        }
        let Some(at) = self.node(row, 0) else { return };
        let Some(base) = self.number(row, 1, "demand") else { return };
        let demand = Demand {
            base: base * self.out.units.m3s(),
            pattern: self.pattern(row, 2),
            category: row.comment.to_owned(),
        };
        let first = self.replaced.insert(at);
        match self.out.network.nodes.get_mut(at).map(|n| &mut n.kind) {
            Some(NodeKind::Junction(junction)) => {
                if first {
                    junction.demands.clear();
                }
                junction.demands.push(demand);
            }
            _ => {
                let message = format!("{} is no junction: it has no demand", Self::word(row, 0));
                self.warn(row.line, message, "take the line away");
            }
        }
    }

    /// `junction coefficient`
    pub(super) fn emitter(&mut self, row: &Row<'_>) {
        let Some(at) = self.node(row, 0) else { return };
        let Some(value) = self.positive(row, 1, "emitter coefficient") else { return };
        let units = self.out.units;
        // Flow at one unit of pressure, to flow at one metre.
        let exponent = self.out.network.options.emitter_exponent;
        let coefficient = value * units.m3s() / units.emitter_head_m().powf(exponent);
        match self.out.network.nodes.get_mut(at).map(|n| &mut n.kind) {
            Some(NodeKind::Junction(j)) => j.emitter = (value > 0.0).then_some(Emitter { coefficient }),
            _ => {
                let message = format!("{} is no junction: it has no emitter", Self::word(row, 0));
                self.warn(row.line, message, "take the line away");
            }
        }
    }

    /// Whether a name lies in a range as EPANET means it: by number where both ends are numbers.
    pub(super) fn in_range(id: &str, from: &str, to: &str) -> bool {
        let leading = |s: &str| {
            let digits: &str = s.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            digits.parse::<u64>().ok().filter(|n| *n > 0)
        };
        match (leading(from), leading(to)) {
            (Some(low), Some(high)) => leading(id).is_some_and(|n| low <= n && n <= high),
            _ => from <= id && id <= to,
        }
    }

    /// A number that is only looked at.
    pub(super) fn is_number(word: &str) -> bool {
        words::number(word).is_some()
    }
}
