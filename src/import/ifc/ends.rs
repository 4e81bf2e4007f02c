//! Where swept solids and axis lines end: what the file says of it, exactly, where no port says so.
//!
//! Only bodies that are sweeps all through are read here; of all others the triangles tell.

use super::elements::Read;
use super::lite::{Record, Step};
use super::placement::axis_placement;
use super::relations::Relations;
use crate::shape::ends::Outline;
use crate::site::graph::Role;
use crate::site::model::{End, EndSource};
use glam::{DAffine3, DMat3, DVec3};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::f64::consts::TAU;

/// How deep representations may be mapped.
const MAX_DEPTH: usize = 8;
/// More ends than this are those of no duct or pipe, but of what a machine is built up from.
const MAX_ENDS: usize = 64;

/// Ends of all elements that may be joined to others and have no port, in the order of the elements.
pub(super) fn read(
    step: &Step,
    relations: &Relations,
    read: &Read,
    frames: &HashMap<u32, DAffine3>,
    unit_m: f64,
) -> Vec<End> {
    let with_ports: HashSet<u32> = relations.port_owner.values().copied().collect();
    let sweeps = Sweeps { step, unit_m, angle: angle_unit(step) };
    let mut found = Vec::new();
    let mut of_map: HashMap<u32, Option<Vec<Raw>>> = HashMap::default();
    for (number, (record, element)) in read.records.iter().zip(&read.model.elements).enumerate() {
        if with_ports.contains(record) || Role::of_element(element).is_none() {
            continue;
        }
        let Some(product) = step.record(*record) else { continue };
        let frame = frames.get(record).copied().unwrap_or(DAffine3::IDENTITY);
        for raw in sweeps.of_product(&product, &mut of_map) {
            let raw = raw.moved(&frame);
            if raw.at.is_finite() && raw.outward.is_finite() {
                found.push(End {
                    element: number as u32,
                    location: raw.at,
                    outward: raw.outward,
                    outline: raw.outline,
                    source: raw.source,
                });
            }
        }
    }
    found
}

/// Radians in the file's unit of angles.
fn angle_unit(step: &Step) -> f64 {
    let stated = step
        .of("IFCNAMEDUNIT")
        .into_iter()
        .filter_map(|u| step.record(u))
        .find(|u| u.class.name == "IfcConversionBasedUnit" && u.word("UnitType") == "PLANEANGLEUNIT");
    let factor = stated.and_then(|u| step.record(u.reference("ConversionFactor")?)?.number("ValueComponent"));
    factor.filter(|f| *f > 0.0).unwrap_or(1.0)
}

/// An end in some frame, metres.
#[derive(Clone, Copy, Debug)]
struct Raw {
    at: DVec3,
    outward: DVec3,
    outline: Option<Outline>,
    source: EndSource,
}

impl Raw {
    fn sweep(at: DVec3, outward: DVec3, outline: Outline) -> Self {
        Self { at, outward, outline: Some(outline), source: EndSource::Sweep }
    }

    fn moved(self, by: &DAffine3) -> Self {
        let outward = by.transform_vector3(self.outward);
        let scale = by.matrix3.determinant().abs().cbrt();
        let outline = self.outline.map(|o| if (scale - 1.0).abs() < 1e-9 { o } else { o.scaled(scale) });
        Self { at: by.transform_point3(self.at), outward: outward.normalize_or(DVec3::Z), outline, ..self }
    }
}

/// A profile: its form, and its middle in its own two axes, metres.
type Profile = (Outline, DVec3);

struct Sweeps<'a> {
    step: &'a Step,
    unit_m: f64,
    angle: f64,
}

impl Sweeps<'_> {
    /// In the product's own frame. None when its body is not made of sweeps alone, unless it has an axis.
    fn of_product(&self, product: &Record<'_>, of_map: &mut HashMap<u32, Option<Vec<Raw>>>) -> Vec<Raw> {
        let shape = product.reference("Representation").and_then(|r| self.step.record(r));
        let mut body: Option<Vec<Raw>> = None;
        let mut axis: Vec<Raw> = Vec::new();
        for id in shape.map(|s| s.references("Representations")).unwrap_or_default() {
            let Some(representation) = self.step.record(id) else { continue };
            match representation.text("RepresentationIdentifier").as_str() {
                "Axis" => axis.extend(self.axis(&representation)),
                "Body" | "" | "Facetation" if body.is_none() => {
                    body = self.items(&representation, 0, of_map);
                }
                _ => {}
            }
        }
        match body {
            Some(ends) if !ends.is_empty() && ends.len() <= MAX_ENDS => ends,
            _ => axis,
        }
    }

    fn items(
        &self,
        representation: &Record<'_>,
        depth: usize,
        of_map: &mut HashMap<u32, Option<Vec<Raw>>>,
    ) -> Option<Vec<Raw>> {
        let mut found = Vec::new();
        for item in representation.references("Items") {
            let item = self.step.record(item)?;
            match item.class.name.as_str() {
                "IfcExtrudedAreaSolid" => found.extend(self.extrusion(&item)?),
                "IfcRevolvedAreaSolid" => found.extend(self.revolution(&item)?),
                "IfcSweptDiskSolid" | "IfcSweptDiskSolidPolygonal" => found.extend(self.disk(&item)?),
                "IfcMappedItem" if depth < MAX_DEPTH => found.extend(self.mapped(&item, depth, of_map)?),
                _ => return None,
            }
        }
        Some(found)
    }

    /// A representation used by many products is read once.
    fn mapped(&self, item: &Record<'_>, depth: usize, of_map: &mut HashMap<u32, Option<Vec<Raw>>>) -> Option<Vec<Raw>> {
        let source = item.reference("MappingSource")?;
        let ends = match of_map.get(&source) {
            Some(known) => known.clone(),
            None => {
                let map = self.step.record(source)?;
                let representation = self.step.record(map.reference("MappedRepresentation")?)?;
                let ends = self.items(&representation, depth + 1, of_map);
                of_map.insert(source, ends.clone());
                ends
            }
        }?;
        let map = self.step.record(source)?;
        let origin = match map.reference("MappingOrigin") {
            Some(id) => axis_placement(self.step, &self.step.record(id)?, self.unit_m)?,
            None => DAffine3::IDENTITY,
        };
        let target = self.operator(&self.step.record(item.reference("MappingTarget")?)?)? * origin;
        Some(ends.into_iter().map(|e| e.moved(&target)).collect())
    }

    /// `IfcCartesianTransformationOperator3D`, also with three scales.
    fn operator(&self, record: &Record<'_>) -> Option<DAffine3> {
        let axis = |name: &str, otherwise: DVec3| match record.reference(name) {
            Some(id) => self.step.record(id)?.vector("DirectionRatios")?.try_normalize(),
            None => Some(otherwise),
        };
        let z = axis("Axis3", DVec3::Z)?;
        let x = axis("Axis1", DVec3::X)?;
        let x = (x - z * x.dot(z)).try_normalize().unwrap_or_else(|| z.any_orthonormal_vector());
        let right = z.cross(x);
        let y = axis("Axis2", right)?;
        let y = if y.dot(right) < 0.0 { -right } else { right };
        let scale = record.number("Scale").unwrap_or(1.0);
        let of = |name: &str| record.number(name).unwrap_or(scale);
        let origin = self.step.record(record.reference("LocalOrigin")?)?.vector("Coordinates")? * self.unit_m;
        let turn = DMat3::from_cols(x * scale, y * of("Scale2"), z * of("Scale3"));
        let map = DAffine3::from_mat3_translation(turn, origin);
        (map.is_finite() && turn.determinant().abs() > 1e-12).then_some(map)
    }

    fn position(&self, solid: &Record<'_>) -> Option<DAffine3> {
        match solid.reference("Position") {
            Some(id) => axis_placement(self.step, &self.step.record(id)?, self.unit_m),
            None => Some(DAffine3::IDENTITY),
        }
    }

    fn extrusion(&self, solid: &Record<'_>) -> Option<[Raw; 2]> {
        let (outline, middle) = self.profile(solid.reference("SweptArea")?)?;
        let position = self.position(solid)?;
        let along = self.step.record(solid.reference("ExtrudedDirection")?)?.vector("DirectionRatios")?;
        let along = position.transform_vector3(along).try_normalize()?;
        let depth = solid.number("Depth").filter(|d| *d > 0.0)? * self.unit_m;
        let first = position.transform_point3(middle);
        let normal = position.transform_vector3(DVec3::Z);
        let normal = if normal.dot(along) < 0.0 { -normal } else { normal };
        Some([Raw::sweep(first, -normal, outline), Raw::sweep(first + along * depth, normal, outline)])
    }

    fn revolution(&self, solid: &Record<'_>) -> Option<Vec<Raw>> {
        let (outline, middle) = self.profile(solid.reference("SweptArea")?)?;
        let position = self.position(solid)?;
        let axis = self.step.record(solid.reference("Axis")?)?;
        let foot = self.step.record(axis.reference("Location")?)?.vector("Coordinates")? * self.unit_m;
        let along = match axis.reference("Axis") {
            Some(id) => self.step.record(id)?.vector("DirectionRatios")?.try_normalize()?,
            None => DVec3::Z,
        };
        let angle = solid.number("Angle")? * self.angle;
        if angle.abs() >= TAU - 1e-6 {
            return Some(Vec::new());
        }
        let way = (along.cross(middle - foot) * angle.signum()).try_normalize()?;
        let turn = DMat3::from_axis_angle(along, angle);
        let last = foot + turn * (middle - foot);
        let place = |at: DVec3, out: DVec3| {
            let out = position.transform_vector3(out).normalize_or(DVec3::Z);
            Raw::sweep(position.transform_point3(at), out, outline)
        };
        Some(vec![place(middle, -way), place(last, turn * way)])
    }

    fn disk(&self, solid: &Record<'_>) -> Option<Vec<Raw>> {
        // A part of the line only: the mesh tells where it ends.
        let curve = self.step.record(solid.reference("Directrix")?)?;
        let trimmed = solid.number("StartParam").is_some_and(|p| p.abs() > 1e-9)
            || solid.number("EndParam").is_some_and(|p| (p - self.last_parameter(&curve)).abs() > 1e-6);
        if trimmed {
            return None;
        }
        let outline = Outline::round(2.0 * solid.number("Radius").filter(|r| *r > 0.0)? * self.unit_m);
        let [first, last] = self.curve(&curve, 0)?;
        if first.0.distance(last.0) < 1e-6 {
            return Some(Vec::new());
        }
        Some(vec![Raw::sweep(first.0, first.1, outline), Raw::sweep(last.0, last.1, outline)])
    }

    /// The parameter at a line's end.
    fn last_parameter(&self, curve: &Record<'_>) -> f64 {
        match curve.class.name.as_str() {
            "IfcPolyline" => curve.references("Points").len().saturating_sub(1) as f64,
            _ => 1.0,
        }
    }

    fn axis(&self, representation: &Record<'_>) -> Vec<Raw> {
        let line = |ends: [(DVec3, DVec3); 2]| {
            ends.map(|(at, outward)| Raw { at, outward, outline: None, source: EndSource::Axis })
        };
        let items = representation.references("Items");
        let curves = items.into_iter().filter_map(|i| self.curve(&self.step.record(i)?, 0));
        curves.filter(|[a, b]| a.0.distance(b.0) > 1e-4).flat_map(line).collect()
    }

    fn point(&self, id: u32) -> Option<DVec3> {
        Some(self.step.record(id)?.vector("Coordinates")? * self.unit_m)
    }

    /// Both ends of a curve, each with the way out of it.
    fn curve(&self, curve: &Record<'_>, depth: usize) -> Option<[(DVec3, DVec3); 2]> {
        if depth > MAX_DEPTH {
            return None;
        }
        match curve.class.name.as_str() {
            "IfcPolyline" => {
                let points: Vec<DVec3> = curve.references("Points").into_iter().filter_map(|p| self.point(p)).collect();
                ends_of_line(&points)
            }
            "IfcIndexedPolyCurve" => ends_of_segments(&self.indexed(curve)?),
            "IfcCompositeCurve" => {
                let segments = curve.references("Segments");
                let end_of = |id: Option<&u32>, last: bool| {
                    let segment = self.step.record(*id?)?;
                    let [a, b] = self.curve(&self.step.record(segment.reference("ParentCurve")?)?, depth + 1)?;
                    let forward = segment.word("SameSense") != "F";
                    Some(if forward == last { b } else { a })
                };
                Some([end_of(segments.first(), false)?, end_of(segments.last(), true)?])
            }
            "IfcTrimmedCurve" => self.trimmed(curve),
            _ => None,
        }
    }

    /// A straight line between two points; arcs are left to the mesh.
    fn trimmed(&self, curve: &Record<'_>) -> Option<[(DVec3, DVec3); 2]> {
        let basis = self.step.record(curve.reference("BasisCurve")?)?;
        if basis.class.name != "IfcLine" {
            return None;
        }
        let foot = self.point(basis.reference("Pnt")?)?;
        let vector = self.step.record(basis.reference("Dir")?)?;
        let way = self.step.record(vector.reference("Orientation")?)?.vector("DirectionRatios")?.try_normalize()?;
        let way = way * vector.number("Magnitude").unwrap_or(1.0) * self.unit_m;
        let trim = |name: &str| {
            let list = curve.get(name)?.as_list()?;
            list.iter().find_map(|v| match v.as_entity_ref() {
                Some(id) => self.point(id),
                None => v.as_float().map(|t| foot + way * t),
            })
        };
        ends_of_line(&[trim("Trim1")?, trim("Trim2")?])
    }

    /// The corners of an indexed curve, three a piece where it is an arc.
    fn indexed(&self, curve: &Record<'_>) -> Option<Vec<Vec<DVec3>>> {
        let list = self.step.record(curve.reference("Points")?)?;
        let corners: Vec<DVec3> = list
            .get("CoordList")?
            .as_list()?
            .iter()
            .filter_map(|row| {
                let row = row.as_list()?;
                let at = |i: usize| row.get(i).map_or(Some(0.0), |v| v.as_float().filter(|v| v.is_finite()));
                Some(DVec3::new(at(0)?, at(1)?, at(2)?) * self.unit_m)
            })
            .collect();
        let Some(segments) = curve.get("Segments").and_then(|s| s.as_list()) else {
            return Some(vec![corners]);
        };
        let numbers = |value: &super::lite::Value| {
            let mut found = Vec::new();
            numbers_in(value, &mut found);
            found
        };
        let points = |list: Vec<usize>| -> Vec<DVec3> {
            list.into_iter().filter_map(|i| corners.get(i.checked_sub(1)?).copied()).collect()
        };
        Some(segments.iter().map(|s| points(numbers(s))).collect())
    }

    fn profile(&self, id: u32) -> Option<Profile> {
        let record = self.step.record(id)?;
        let place = match record.reference("Position") {
            Some(p) => axis_placement(self.step, &self.step.record(p)?, self.unit_m)?,
            None => DAffine3::IDENTITY,
        };
        let length = |name: &str| record.number(name).filter(|v| *v > 0.0).map(|v| v * self.unit_m);
        let outline = match record.class.name.as_str() {
            "IfcCircleProfileDef" | "IfcCircleHollowProfileDef" => Outline::round(2.0 * length("Radius")?),
            "IfcRectangleProfileDef" | "IfcRectangleHollowProfileDef" | "IfcRoundedRectangleProfileDef" => {
                Outline::rect(length("XDim")?, length("YDim")?)
            }
            "IfcEllipseProfileDef" => Outline::rect(2.0 * length("SemiAxis1")?, 2.0 * length("SemiAxis2")?),
            "IfcArbitraryClosedProfileDef" | "IfcArbitraryProfileDefWithVoids" => {
                return self.arbitrary(&self.step.record(record.reference("OuterCurve")?)?);
            }
            _ => return None,
        };
        Some((outline, place.translation))
    }

    fn arbitrary(&self, curve: &Record<'_>) -> Option<Profile> {
        let corners: Vec<DVec3> = match curve.class.name.as_str() {
            "IfcPolyline" => curve.references("Points").into_iter().filter_map(|p| self.point(p)).collect(),
            "IfcIndexedPolyCurve" => self.indexed(curve)?.concat(),
            "IfcCircle" => {
                let place = self.step.record(curve.reference("Position")?)?;
                let middle = axis_placement(self.step, &place, self.unit_m)?.translation;
                return Some((Outline::round(2.0 * curve.number("Radius")? * self.unit_m), middle));
            }
            _ => return None,
        };
        let mut flat: Vec<[f64; 2]> = Vec::new();
        for c in corners {
            if flat.last().is_none_or(|l| (l[0] - c.x).hypot(l[1] - c.y) > 1e-7) {
                flat.push([c.x, c.y]);
            }
        }
        if let (Some(first), Some(last)) = (flat.first(), flat.last())
            && flat.len() > 3
            && (first[0] - last[0]).hypot(first[1] - last[1]) < 1e-7
        {
            flat.pop();
        }
        let (outline, [x, y]) = Outline::of(&flat)?;
        Some((outline, DVec3::new(x, y, 0.0)))
    }
}

fn numbers_in(value: &super::lite::Value, found: &mut Vec<usize>) {
    use super::lite::Value;
    match value {
        Value::List(values) => values.iter().for_each(|v| numbers_in(v, found)),
        Value::Typed { value, .. } => numbers_in(value, found),
        other => found.extend(other.as_float().filter(|v| *v >= 1.0 && *v < 1e9).map(|v| v as usize)),
    }
}

fn ends_of_line(points: &[DVec3]) -> Option<[(DVec3, DVec3); 2]> {
    let mut line = points.to_vec();
    line.dedup_by(|a, b| a.distance(*b) < 1e-7);
    let [first, second, ..] = line.as_slice() else { return None };
    let [.., before, last] = line.as_slice() else { return None };
    Some([(*first, (*first - *second).try_normalize()?), (*last, (*last - *before).try_normalize()?)])
}

/// The ends of pieces that follow each other: a piece of three points is an arc through them.
fn ends_of_segments(pieces: &[Vec<DVec3>]) -> Option<[(DVec3, DVec3); 2]> {
    let (first, last) = (pieces.first()?, pieces.last()?);
    let alone = pieces.len() == 1 && first.len() > 3;
    let arc = |piece: &[DVec3]| match piece {
        [a, b, c] if !alone => tangents(*a, *b, *c),
        _ => ends_of_line(piece),
    };
    Some([arc(first)?[0], arc(last)?[1]])
}

/// The ways out of an arc through three points, at its ends.
fn tangents(a: DVec3, b: DVec3, c: DVec3) -> Option<[(DVec3, DVec3); 2]> {
    let normal = (b - a).cross(c - b);
    if normal.length() < 1e-12 {
        return ends_of_line(&[a, b, c]);
    }
    let normal = normal.normalize();
    // The tangent at a makes with the chord a-c the angle that is inscribed at b.
    let angle = (a - b).angle_between(c - b);
    let half = std::f64::consts::PI - angle;
    let chord = (c - a).try_normalize()?;
    let start = DMat3::from_axis_angle(normal, -half) * chord;
    let end = DMat3::from_axis_angle(normal, half) * chord;
    Some([(a, -start), (c, end)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const HEAD: &str = "ISO-10303-21;\nHEADER;FILE_SCHEMA(('IFC4'));ENDSEC;\nDATA;\n";

    fn step(records: &str) -> Step {
        Step::scan(Arc::new(format!("{HEAD}{records}ENDSEC;\nEND-ISO-10303-21;\n").into_bytes()), "IFC4")
    }

    fn ends(records: &str) -> Vec<Raw> {
        let step = step(records);
        let sweeps = Sweeps { step: &step, unit_m: 0.001, angle: angle_unit(&step) };
        let product = step.record(100).unwrap();
        sweeps.of_product(&product, &mut HashMap::default())
    }

    /// A product with one body item, #10, and what it needs.
    fn product(kind: &str, items: &str) -> String {
        format!(
            "#1=IFCCARTESIANPOINT((0.,0.,0.));\n#2=IFCAXIS2PLACEMENT3D(#1,$,$);\n#3=IFCDIRECTION((0.,0.,1.));\n\
             #4=IFCDIRECTION((0.,1.,0.));\n{items}\n\
             #90=IFCSHAPEREPRESENTATION($,'{kind}','SweptSolid',(#10));\n#91=IFCPRODUCTDEFINITIONSHAPE($,$,(#90));\n\
             #100=IFCPIPESEGMENT('g',$,$,$,$,$,#91,$,$);\n"
        )
    }

    fn is(raw: &Raw, at: [f64; 3], outward: [f64; 3]) -> bool {
        (raw.at - DVec3::from_array(at)).length() < 1e-9 && (raw.outward - DVec3::from_array(outward)).length() < 1e-9
    }

    #[test]
    fn an_extrusion_ends_at_its_profile_and_its_depth_off() {
        let found = ends(&product(
            "Body",
            "#5=IFCCARTESIANPOINT((50.,0.));\n#6=IFCAXIS2PLACEMENT2D(#5,$);\n\
             #7=IFCRECTANGLEPROFILEDEF(.AREA.,$,#6,300.,500.);\n#10=IFCEXTRUDEDAREASOLID(#7,#2,#3,2000.);",
        ));
        assert!(is(&found[0], [0.05, 0.0, 0.0], [0.0, 0.0, -1.0]) && is(&found[1], [0.05, 0.0, 2.0], [0.0, 0.0, 1.0]));
        assert_eq!(found[0].outline, Some(Outline::rect(0.5, 0.3)));
    }

    #[test]
    fn a_bend_in_degrees_ends_where_it_has_turned_to() {
        let found = ends(&product(
            "Body",
            "#5=IFCCARTESIANPOINT((300.,0.,0.));\n#6=IFCAXIS1PLACEMENT(#5,#4);\n\
             #7=IFCCIRCLEPROFILEDEF(.AREA.,$,$,50.);\n#10=IFCREVOLVEDAREASOLID(#7,#2,#6,90.);\n\
             #20=IFCSIUNIT(*,.PLANEANGLEUNIT.,$,.RADIAN.);\n\
             #21=IFCMEASUREWITHUNIT(IFCPLANEANGLEMEASURE(0.0174532925199433),#20);\n\
             #22=IFCCONVERSIONBASEDUNIT($,.PLANEANGLEUNIT.,'DEGREE',#21);",
        ));
        assert_eq!(found.len(), 2);
        assert!(is(&found[0], [0.0; 3], [0.0, 0.0, -1.0]), "{found:?}");
        assert!((found[1].at - DVec3::new(0.3, 0.0, 0.3)).length() < 1e-9, "{found:?}");
        assert!((found[1].outward - DVec3::X).length() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_disk_along_lines_and_arcs_through_a_scaled_map() {
        let disk = "#5=IFCCARTESIANPOINTLIST3D(((0.,0.,0.),(1000.,0.,0.),(1707.106781,292.893219,0.),(2000.,1000.,0.)));\n\
             #6=IFCINDEXEDPOLYCURVE(#5,(IFCLINEINDEX((1,2)),IFCARCINDEX((2,3,4))),$);\n\
             #11=IFCSWEPTDISKSOLID(#6,25.,20.,$,$);\n#12=IFCSHAPEREPRESENTATION($,'Body','AdvancedSweptSolid',(#11));\n\
             #13=IFCREPRESENTATIONMAP(#2,#12);\n#14=IFCCARTESIANPOINT((0.,0.,3000.));\n\
             #15=IFCCARTESIANTRANSFORMATIONOPERATOR3D($,$,#14,2.,$);\n#10=IFCMAPPEDITEM(#13,#15);";
        let found = ends(&product("Body", disk));
        assert_eq!(found.len(), 2);
        assert!(is(&found[0], [0.0, 0.0, 3.0], [-1.0, 0.0, 0.0]), "{found:?}");
        assert!((found[1].at - DVec3::new(4.0, 2.0, 3.0)).length() < 1e-6, "{found:?}");
        assert!((found[1].outward - DVec3::Y).length() < 1e-6, "{found:?}");
        assert_eq!(found[0].outline, Some(Outline::round(0.1)));
    }

    #[test]
    fn a_body_that_is_no_sweep_leaves_the_axis_or_nothing() {
        let axis = "#5=IFCCARTESIANPOINT((0.,0.,4000.));\n#10=IFCPOLYLINE((#1,#5));";
        let found = ends(&product("Axis", axis));
        assert!(is(&found[1], [0.0, 0.0, 4.0], [0.0, 0.0, 1.0]) && found[1].outline.is_none(), "{found:?}");
        assert!(ends(&product("Body", "#10=IFCFACETEDBREP(#99);")).is_empty());
        // A map that holds itself, and records that are not there.
        let cycle = "#12=IFCSHAPEREPRESENTATION($,'Body','MappedRepresentation',(#10));\n#13=IFCREPRESENTATIONMAP(#2,#12);\n\
             #15=IFCCARTESIANTRANSFORMATIONOPERATOR3D($,$,#1,$,$);\n#10=IFCMAPPEDITEM(#13,#15);";
        assert!(ends(&product("Body", cycle)).is_empty());
        assert!(ends(&product("Body", "#10=IFCEXTRUDEDAREASOLID(#77,#2,#3,2000.);")).is_empty());
    }
}
