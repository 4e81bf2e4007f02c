//! A model and its import's problems as the sections of a file, and back.
//!
//! 1. Everything that is neither a property, a mesh nor a tree (postcard).
//! 2. Property sets, each once ([`sets`]).
//! 3. By shape: how many corners, normals, runs of one colour and indices it has, and the bytes of an index.
//! 4. These, shape by shape.
//! 5. The trees over large shapes ([`Details`]).

use super::file::{Fault, SECTIONS, Source, Target};
use super::sets;
use crate::problem::Problem;
use crate::shape::{Details, Indices, Normal, Run, Shape};
use crate::site::assets::Thing;
use crate::site::model::{ConnectionPoint, Element, Model};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What stands in the first section.
#[derive(Serialize)]
struct Words<'a> {
    model: &'a Model,
    problems: Vec<Told<'a>>,
}

/// A problem as it is kept: the file's own name is left out, because the file may stand elsewhere next time.
#[derive(Serialize)]
struct Told<'a> {
    of_this_file: bool,
    problem: &'a Problem,
    /// The problem's place, or what follows the file's name in it.
    place: &'a str,
}

/// [`Words`] as they are read.
#[derive(Deserialize)]
struct Kept {
    model: Model,
    problems: Vec<(bool, Problem, String)>,
}

/// Writes a scene; gives the length of the file, bytes.
pub(super) fn write(file: &mut File, name: [u8; 32], model: &Model, problems: &[Problem]) -> io::Result<u64> {
    let here = model.file.display().to_string();
    let told = |problem| told(problem, &here);
    let words = Words { model, problems: problems.iter().map(told).collect() };
    let words = postcard::to_stdvec(&words).map_err(io::Error::other)?;
    let sets =
        sets::write(&model.elements).ok_or_else(|| io::Error::other("a property has too many lists in lists"))?;
    let mut target = Target::new(file, name)?;
    target.add(&words)?;
    target.end_section();
    target.add(&sets)?;
    target.end_section();
    let counts = model.shapes.iter().flat_map(|s| counts(s));
    target.add(&counts.flat_map(|n| (n as u32).to_le_bytes()).collect::<Vec<u8>>())?;
    target.end_section();
    let mut bytes = Vec::new();
    for Shape { positions, normals, colours, indices } in model.shapes.iter().map(AsRef::as_ref) {
        bytes.clear();
        positions.as_flattened().iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
        normals.iter().flat_map(|n| n.0).for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
        for run in colours {
            bytes.extend_from_slice(&run.end.to_le_bytes());
            bytes.extend_from_slice(&run.colour);
        }
        match indices {
            Indices::Short(indices) => indices.iter().for_each(|i| bytes.extend_from_slice(&i.to_le_bytes())),
            Indices::Long(indices) => indices.iter().for_each(|i| bytes.extend_from_slice(&i.to_le_bytes())),
        }
        target.add(&bytes)?;
    }
    target.end_section();
    target.add(&model.details.to_bytes())?;
    target.end_section();
    target.finish()
}

fn told<'a>(problem: &'a Problem, here: &str) -> Told<'a> {
    let place = problem.place.as_str();
    match place.strip_prefix(here).filter(|rest| rest.is_empty() || rest.starts_with(':')) {
        Some(rest) => Told { of_this_file: true, problem, place: rest },
        None => Told { of_this_file: false, problem, place },
    }
}

/// How many corners, normals, runs of one colour and indices, and the bytes of an index.
fn counts(shape: &Shape) -> [usize; 5] {
    let width = match shape.indices {
        Indices::Short(_) => 2,
        Indices::Long(_) => 4,
    };
    [shape.positions.len(), shape.normals.len(), shape.colours.len(), shape.indices.len(), width]
}

/// Reads the scene `name`, which was made of a file that stands at `path` now.
pub(super) fn read(file: &Path, name: &[u8; 32], max_bytes: u64, path: &Path) -> Result<(Model, Vec<Problem>), Fault> {
    let mut source = Source::open(file, name, max_bytes)?;
    let words = source.whole()?;
    let (kept, rest) = postcard::take_from_bytes::<Kept>(&words).map_err(|_| Fault::Bad("its words cannot be read"))?;
    if !rest.is_empty() {
        return Err(Fault::Bad("its words cannot be read"));
    }
    drop(words);
    let Kept { mut model, problems } = kept;
    let bytes = source.whole()?;
    sets::read(&bytes, &mut model.elements).ok_or(Fault::Bad("its properties cannot be read"))?;
    drop(bytes);
    let counts = source.whole()?;
    model.shapes = shapes(&counts, &mut source)?;
    model.details =
        Details::from_bytes(&source.whole()?, &model.shapes).ok_or(Fault::Bad("its trees cannot be read"))?;
    if !hangs_together(&model) {
        return Err(Fault::Bad("it names what is not in it"));
    }
    model.shrink();
    model.file = path.to_owned();
    let here = path.display().to_string();
    let problems = problems.into_iter().map(|(of_this_file, problem, place)| Problem {
        place: if of_this_file { format!("{here}{place}") } else { place },
        ..problem
    });
    Ok((model, problems.collect()))
}

fn shapes(counts: &[u8], source: &mut Source) -> Result<Vec<Arc<Shape>>, Fault> {
    let (counts, rest) = counts.as_chunks::<20>();
    let numbers = |bytes: &[u8; 20]| {
        let mut numbers = [0; 5];
        for (number, word) in numbers.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *number = u32::from_le_bytes(*word);
        }
        numbers
    };
    let size = |numbers: [u32; 5]| {
        let [p, n, c, i, width] = numbers.map(u64::from);
        p * 12 + n * 4 + c * 8 + i * width.min(4)
    };
    let mut section = source.section()?;
    // Before room is made for any of it.
    let told = counts.iter().map(|c| size(numbers(c))).try_fold(0_u64, u64::checked_add);
    if !rest.is_empty() || told != Some(section.left()) {
        return Err(Fault::Bad("its shapes have another size than they say"));
    }
    let mut shapes = Vec::with_capacity(counts.len());
    for [positions, normals, colours, indices, width] in counts.iter().map(numbers) {
        let shape = Shape {
            positions: section.things(positions as usize, three)?.into(),
            normals: section.things(normals as usize, normal)?.into(),
            colours: section.things(colours as usize, run)?.into(),
            indices: match width {
                2 => Indices::Short(section.things(indices as usize, |i| u16::from_le_bytes(*i))?.into()),
                4 => Indices::Long(section.things(indices as usize, |i| u32::from_le_bytes(*i))?.into()),
                _ => return Err(Fault::Bad("its triangles have corners of no known kind")),
            },
        };
        if shape.indices.max().is_some_and(|i| i >= positions) {
            return Err(Fault::Bad("a triangle has a corner that is not there"));
        }
        if shape.colours.iter().any(|run| run.end > positions) {
            return Err(Fault::Bad("a corner that is not there has a colour"));
        }
        shapes.push(Arc::new(shape));
    }
    section.finish()?;
    Ok(shapes)
}

fn three(bytes: &[u8; 12]) -> [f32; 3] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(f32::from_le_bytes)
}

fn normal([a, b, c, d]: &[u8; 4]) -> Normal {
    Normal([[*a, *b], [*c, *d]].map(i16::from_le_bytes))
}

fn run(bytes: &[u8; 8]) -> Run {
    let [a, b, c, d, colour @ ..] = *bytes;
    Run { end: u32::from_le_bytes([a, b, c, d]), colour }
}

/// True when every index points at something.
fn hangs_together(model: &Model) -> bool {
    let within = |index: u32, length: usize| (index as usize) < length;
    let all = |list: &[u32], length: usize| list.iter().all(|i| within(*i, length));
    let elements = model.elements.len();
    let places = model.places.len();
    let element = |e: &Element| {
        e.storey.is_none_or(|i| within(i, model.storeys.len()))
            && e.place.is_none_or(|i| within(i, places))
            && [e.space, e.part_of, e.host].iter().flatten().all(|i| within(*i, elements))
            && all(&e.systems, model.systems.len())
            && e.shape.is_none_or(|i| within(i, model.shapes.len()))
    };
    let thing = |thing: Thing| match thing {
        Thing::Place(i) => within(i, places),
        Thing::Storey(i) => within(i, model.storeys.len()),
        Thing::Element(i) => within(i, elements),
        Thing::Zone(i) => within(i, model.zones.len()),
        Thing::System(i) => within(i, model.systems.len()),
        // A model has none.
        Thing::Point(_) => false,
    };
    let point = |p: &ConnectionPoint| within(p.element, elements);
    let points = model.connection_points.len();
    let stand = model.places.iter().map(|p| p.part_of).chain(model.storeys.iter().map(|s| s.place));
    model.elements.iter().all(element)
        && model.zones.iter().chain(&model.systems).all(|g| all(&g.members, elements))
        && model.connection_points.iter().all(point)
        && model.connections.iter().all(|c| within(c.from, points) && within(c.to, points))
        && stand.flatten().all(|i| within(i, places))
        && model.ends.iter().all(|e| within(e.element, elements))
        && model.relations.iter().all(|r| thing(r.from) && thing(r.to))
}

const _: () = assert!(SECTIONS == 5, "the list at the top of this file, `write` and `read` have one for each");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Triangles;
    use crate::site::assets::{Relation, RelationKind};
    use crate::site::model::{Connection, End, EndSource, Group, Place, Storey};
    use glam::DVec3;

    fn problem(place: &str) -> Problem {
        Problem::warning(place, "message", "remedy")
    }

    fn triangle() -> Arc<Shape> {
        let triangle = Triangles {
            positions: vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            normals: vec![[0.0, 0.6, -0.8], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]],
            colours: vec![[1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 8]],
            indices: vec![0, 1, 2],
        };
        Arc::new(triangle.into())
    }

    fn model() -> Model {
        let element = Element { id: "a".into(), shape: Some(0), systems: vec![0], ..Element::default() };
        Model {
            file: "folder/a.ifc".into(),
            elements: vec![element],
            systems: vec![Group { members: vec![0], ..Group::default() }],
            shapes: vec![triangle()],
            details: Details::of_shapes(&[triangle()]),
            ..Model::default()
        }
    }

    fn end() -> End {
        End { element: 0, location: DVec3::ZERO, outward: DVec3::X, outline: None, source: EndSource::Axis }
    }

    fn there_and_back(model: &Model, problems: &[Problem], path: &str) -> Result<(Model, Vec<Problem>), Fault> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let length = write(file.as_file_mut(), [3; 32], model, problems).unwrap();
        assert_eq!(
            read(file.path(), &[3; 32], length - 1, Path::new(path)).unwrap_err(),
            Fault::Bad("it is larger than the cache may be")
        );
        read(file.path(), &[3; 32], length, Path::new(path))
    }

    #[test]
    fn problems_name_the_file_where_it_stands_now() {
        let before = ["folder/a.ifc", "folder/a.ifc:12", "folder/a.ifc: #3", "folder/a.ifcs", "#12 IFCWALL", ""];
        let (model_back, after) = there_and_back(&model(), &before.map(problem), "b.ifc").unwrap();
        let expected = ["b.ifc", "b.ifc:12", "b.ifc: #3", "folder/a.ifcs", "#12 IFCWALL", ""];
        assert_eq!(after, expected.map(problem));
        assert_eq!(model_back, Model { file: "b.ifc".into(), ..model() });
    }

    /// Files with all the right checksums, which nothing of ours writes.
    #[test]
    fn a_model_that_does_not_hang_together_is_refused() {
        let wrong: [fn(&mut Model); 14] = [
            |m| m.elements[0].shape = Some(1),
            |m| m.elements[0].storey = Some(0),
            |m| m.elements[0].host = Some(1),
            |m| m.elements[0].systems = vec![0, 1],
            |m| m.systems[0].members = vec![1],
            |m| m.connection_points = vec![ConnectionPoint { element: 1, ..ConnectionPoint::default() }],
            |m| m.connections = vec![Connection { from: 0, to: 0 }],
            |m| m.elements[0].place = Some(0),
            |m| m.places = vec![Place { part_of: Some(1), ..Place::default() }],
            |m| m.storeys = vec![Storey { place: Some(0), ..Storey::default() }],
            |m| m.ends = vec![End { element: 1, ..end() }],
            |m| m.relations = vec![Relation::new(Thing::Element(0), RelationKind::Feeds, Thing::Zone(0), "a file")],
            |m| Arc::make_mut(&mut m.shapes[0]).indices = vec![0, 1, 3].into(),
            |m| Arc::make_mut(&mut m.shapes[0]).colours[1].end = 4,
        ];
        for (i, change) in wrong.iter().enumerate() {
            let mut model = model();
            change(&mut model);
            assert!(there_and_back(&model, &[], "a.ifc").is_err(), "change {i} was not noticed");
        }
    }
}
