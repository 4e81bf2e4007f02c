//! `[PATTERNS]` and `[CURVES]`.

use super::document::Row;
use super::reader::{Named, Reader};
use super::units::Units;
use super::words::{self, is};
use crate::simulation::network::{Curve, CurveKind};

/// The words by which EPANET 2.3 says what a curve is for.
pub(super) const CURVE_WORDS: [(&str, CurveKind); 6] = [
    ("VOLUME", CurveKind::Volume),
    ("PUMP", CurveKind::PumpHead),
    ("EFFICIENCY", CurveKind::Efficiency),
    ("HEADLOSS", CurveKind::HeadLoss),
    ("GENERIC", CurveKind::Generic),
    ("VALVE", CurveKind::Opening),
];

/// What the two columns of a curve are multiplied by to be SI.
pub(super) fn curve_factors(kind: CurveKind, units: &Units) -> (f64, f64) {
    match kind {
        CurveKind::PumpHead | CurveKind::HeadLoss => (units.m3s(), units.m()),
        CurveKind::Efficiency => (units.m3s(), 0.01),
        CurveKind::Volume => (units.m(), units.m3()),
        CurveKind::Opening => (0.01, 0.01),
        CurveKind::Generic | CurveKind::FanPressure => (1.0, 1.0),
    }
}

impl Reader {
    /// `id factor factor …`, over as many lines as there are.
    pub(super) fn pattern_row(&mut self, row: &Row<'_>) {
        let id = Self::word(row, 0);
        if row.words.len() < 2 {
            self.refuse(
                row.line,
                format!("the pattern {id:?} has no multipliers here"),
                "write numbers after its name",
            );
            return;
        }
        self.begins(row, Named::Pattern);
        let at = self.pattern_or_new(id);
        for (place, word) in row.words.iter().enumerate().skip(1) {
            let factor = words::number(word).unwrap_or_else(|| {
                let message =
                    format!("{word:?}, the multiplier {place} of this line of the pattern {id}, is no number");
                self.warn(row.line, message, "write a number; 1 is taken");
                1.0
            });
            if let Some(pattern) = self.out.network.patterns.get_mut(at) {
                pattern.factors.push(factor);
            }
        }
    }

    /// `id x y (kind)`, a line a point.
    pub(super) fn curve_row(&mut self, row: &Row<'_>) {
        let (Some(x), Some(y)) = (self.number(row, 1, "x of the curve"), self.number(row, 2, "y of the curve")) else {
            return;
        };
        self.begins(row, Named::Curve);
        let id = Self::word(row, 0);
        let curves = &mut self.out.network.curves;
        let at = *self.curves.entry(id.to_owned()).or_insert_with(|| {
            curves.push(Curve { id: id.to_owned(), kind: CurveKind::Generic, points: Vec::new() });
            curves.len() - 1
        });
        if let Some(curve) = self.out.network.curves.get_mut(at) {
            curve.points.push((x, y));
            let word = Self::word(row, 3);
            if let Some((_, kind)) = CURVE_WORDS.iter().find(|(name, _)| is(word, name)) {
                curve.kind = *kind;
            }
        }
    }

    /// The place of a curve that is used for something; an unknown one is told. What a second use needs in
    /// other units is a curve of its own.
    pub(super) fn curve(&mut self, row: &Row<'_>, at: usize, kind: CurveKind) -> Option<usize> {
        let id = Self::word(row, at);
        let Some(place) = self.curves.get(id).copied() else {
            let message = format!("there is no curve {id:?}");
            self.refuse(row.line, message, "add it to [CURVES] or name another; the line is left out");
            return None;
        };
        match self.curve_uses.get(&place) {
            None => {
                self.curve_uses.insert(place, kind);
                Some(place)
            }
            Some(used) if *used == kind => Some(place),
            Some(_) => {
                let copy_id = format!("{id}~{at}");
                let copy = match self.curves.get(&copy_id) {
                    Some(copy) => *copy,
                    None => {
                        let mut copy = self.out.network.curves.get(place)?.clone();
                        copy.id.clone_from(&copy_id);
                        self.out.network.curves.push(copy);
                        let copy = self.out.network.curves.len() - 1;
                        self.curves.insert(copy_id.clone(), copy);
                        copy
                    }
                };
                if self.curve_uses.get(&copy).is_some_and(|used| *used != kind) {
                    let message = format!("the curve {id} is used for three different things");
                    self.refuse(row.line, message, "give each use a curve of its own; the line is left out");
                    return None;
                }
                if self.curve_uses.insert(copy, kind).is_none() {
                    let message =
                        format!("the curve {id} is used for two different things; {copy_id} is a copy for this one");
                    self.warn(row.line, message, "give each use a curve of its own");
                }
                Some(copy)
            }
        }
    }

    /// Turns the curves into SI, now that it is known what they are for.
    pub(super) fn finish_curves(&mut self) {
        let units = self.out.units;
        let uses = std::mem::take(&mut self.curve_uses);
        let mut wrong = Vec::new();
        for (at, curve) in self.out.network.curves.iter_mut().enumerate() {
            if let Some(kind) = uses.get(&at) {
                curve.kind = *kind;
            }
            let (fx, fy) = curve_factors(curve.kind, &units);
            for (x, y) in &mut curve.points {
                (*x, *y) = (*x * fx, *y * fy);
            }
            let rises = curve.points.windows(2).all(|w| matches!(w, [a, b] if a.0 < b.0));
            if !rises {
                curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
                curve.points.dedup_by(|b, a| b.0 == a.0);
                wrong.push((curve.id.clone(), "its x values do not rise"));
            }
            let falls = curve.points.windows(2).all(|w| matches!(w, [a, b] if a.1 > b.1));
            if curve.kind == CurveKind::PumpHead && !falls {
                wrong.push((curve.id.clone(), "it is a pump's, and its head does not fall as flow rises"));
            }
        }
        for (id, what) in wrong {
            self.warn_of(
                Named::Curve,
                &id,
                format!("the curve {id}: {what}"),
                "put its points right; they are sorted by x",
            );
        }
        let empty: Vec<String> =
            self.out.network.patterns.iter().filter(|p| p.factors.is_empty()).map(|p| p.id.clone()).collect();
        for id in empty {
            self.warn_of(Named::Pattern, &id, format!("the pattern {id} has no multipliers"), "add some; 1 is taken");
        }
    }
}
