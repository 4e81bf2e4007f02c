//! Object placements: where each product's own frame lies in the file's frame, metres.

use super::lite::{Record, Step};
use glam::{DAffine3, DMat3, DVec3};
use rustc_hash::FxHashMap as HashMap;

/// A chain longer than this is taken for a cycle.
const MAX_DEPTH: usize = 1000;

/// Resolved placements, each worked out once.
pub(super) struct Placements<'a> {
    step: &'a Step,
    unit_m: f64,
    known: HashMap<u32, Option<DAffine3>>,
    /// What is wrong, by placement record.
    pub(super) faults: Vec<(u32, String)>,
}

impl<'a> Placements<'a> {
    /// `unit_m`: metres in the file's length unit.
    pub(super) fn new(step: &'a Step, unit_m: f64) -> Self {
        Self { step, unit_m, known: HashMap::default(), faults: Vec::new() }
    }

    /// The frame of the product's `ObjectPlacement`, metres; none without one, or when it is invalid.
    pub(super) fn of(&mut self, product: &Record<'_>) -> Option<DAffine3> {
        self.resolve(product.reference("ObjectPlacement")?)
    }

    fn resolve(&mut self, first: u32) -> Option<DAffine3> {
        // From the product towards the root, until something known, the root, or a fault.
        let mut chain: Vec<(u32, Option<DAffine3>)> = Vec::new();
        let mut next = Some(first);
        let mut frame = DAffine3::IDENTITY;
        let mut broken = false;
        while let Some(id) = next {
            if let Some(known) = self.known.get(&id) {
                match known {
                    Some(known) => frame = *known,
                    None => broken = true,
                }
                break;
            }
            if chain.len() >= MAX_DEPTH || chain.iter().any(|(before, _)| *before == id) {
                self.faults.push((id, "the placement stands, in the end, on itself".to_owned()));
                broken = true;
                break;
            }
            let Some(record) = self.step.record(id) else {
                self.faults.push((id, "a placement refers to a record that is missing or unreadable".to_owned()));
                broken = true;
                break;
            };
            next = record.reference("PlacementRelTo");
            let own = self.own(&record);
            chain.push((id, own));
        }
        for (id, own) in chain.into_iter().rev() {
            let resolved = own.filter(|_| !broken).map(|own| frame * own);
            broken |= resolved.is_none();
            frame = resolved.unwrap_or(frame);
            self.known.insert(id, resolved);
        }
        (!broken).then_some(frame)
    }

    /// The record's own step of the chain. Grid and linear placements are left to the geometry.
    fn own(&mut self, placement: &Record<'_>) -> Option<DAffine3> {
        let relative = placement.reference("RelativePlacement")?;
        let axes = self.step.record(relative).and_then(|a| axis_placement(self.step, &a, self.unit_m));
        if axes.is_none() {
            self.faults.push((placement.id, "its axes are missing or not numbers".to_owned()));
        }
        axes
    }
}

/// `IfcAxis2Placement3D` or `2D`; axes as ISO 10303-42 builds them.
pub(super) fn axis_placement(step: &Step, record: &Record<'_>, unit_m: f64) -> Option<DAffine3> {
    let vector = |attribute: &str, of: &str| -> Option<Option<DVec3>> {
        match record.reference(attribute) {
            Some(id) => Some(Some(step.record(id)?.vector(of)?)),
            None => Some(None),
        }
    };
    let location = vector("Location", "Coordinates")?? * unit_m;
    let z = vector("Axis", "DirectionRatios")?.unwrap_or(DVec3::Z).try_normalize()?;
    let reference = vector("RefDirection", "DirectionRatios")?.unwrap_or(DVec3::X).try_normalize()?;
    // A reference along the axis says nothing; any perpendicular does as well.
    let x = (reference - z * reference.dot(z)).try_normalize().unwrap_or_else(|| z.any_orthonormal_vector());
    let frame = DAffine3::from_mat3_translation(DMat3::from_cols(x, z.cross(x), z), location);
    frame.is_finite().then_some(frame)
}
