//! Several models in one frame: the site.

mod anew;
mod spatial;

pub(super) use spatial::Spaces;

use super::assets::{self, Merge, Registry, Relation, Thing};
use super::binding;
use super::coordinates::is_turned;
use super::frame;
use super::infer::{self, Evidence, Inferred};
use super::model::{
    Connection, ConnectionPoint, Element, ElementKind, End, Georeference, Group, Model, Place, Slot, Storey,
};
use super::point::Point;
use super::project::{Origin, Project};
use super::unit::FileUnits;
use crate::problem::Problem;
use crate::shape::{Aabb, Details, Shape};
use glam::{DAffine3, DVec3};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;

/// All models and layers of a project in one frame (f64, metres, Z up, project origin subtracted), with
/// the project's points bound to their elements. Every index is into the site's own lists.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The project's name.
    pub name: String,
    /// Map coordinates of the frame's origin.
    pub origin: Origin,
    /// The files it is made of.
    pub sources: Vec<Source>,
    /// Elements, spaces and map features by [`Slot`]; `part_of`, `host` and `space` are slots.
    pub elements: Vec<Element>,
    /// By slot: which of [`Self::sources`] the element came from.
    pub source_of: Vec<u16>,
    /// Sites, buildings and other facilities; those of several models with one name are one.
    pub places: Vec<Place>,
    /// Storeys, lowest first; those of several models with one name and height are one.
    pub storeys: Vec<Storey>,
    /// Zones.
    pub zones: Vec<Group>,
    /// Systems; those of several models with one name are one.
    pub systems: Vec<Group>,
    /// Ports.
    pub connection_points: Vec<ConnectionPoint>,
    /// Joined ports.
    pub connections: Vec<Connection>,
    /// Where elements without ports end, as far as their files state it.
    pub ends: Vec<End>,
    /// What geometry and the engineer say beyond the declared connections.
    pub inferred: Inferred,
    /// What the files and registries state beyond what the fields of their things hold; see [`assets::graph`].
    pub relations: Vec<Relation>,
    /// How the asset registries were joined to the elements.
    pub merge: Merge,
    /// Meshes, shared across models.
    pub shapes: Vec<Arc<Shape>>,
    /// Trees over the triangles of large shapes, by shape, as far as the models brought them along.
    pub details: Details,
    /// The project's points, by [`super::PointIndex`].
    pub points: Vec<Point>,
    pub(crate) by_id: HashMap<String, Slot>,
    pub(crate) by_tag: HashMap<String, Vec<Slot>>,
}

/// One file of a site.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Absolute path.
    pub file: PathBuf,
    /// `ifc`, `geojson`, …
    pub kind: String,
    /// The file's own schema.
    pub schema: String,
    /// GlobalId of its `IfcProject`; empty when it has none.
    pub project_id: String,
    /// `architecture`, `mep`, …
    pub discipline: String,
    /// From the file's frame to the project's.
    pub to_project: DAffine3,
    /// The units in which the file states its properties and quantities.
    pub units: FileUnits,
    /// How the file's own frame lies on the map, as the file says it.
    pub georeference: Option<Georeference>,
    /// How the file's own frame lies on the map, as it is used; none where nobody knows.
    pub on_map: Option<OnMap>,
    /// The box around what it holds, but for its spaces: metres, in the file's own frame.
    pub bounds: Option<Aabb>,
}

impl Source {
    fn of(model: &Model, discipline: String) -> Self {
        Self {
            file: model.file.clone(),
            kind: model.kind.clone(),
            schema: model.schema.clone(),
            project_id: model.project_id.clone(),
            discipline,
            to_project: DAffine3::IDENTITY,
            units: model.units.clone(),
            georeference: model.georeference.clone(),
            on_map: None,
            bounds: model.bounds(),
        }
    }
}

/// How a file's own frame lies on a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnMap {
    /// The coordinate reference system, `EPSG:2056`; empty when nobody names one.
    pub crs: String,
    /// From the file's frame (metres) to easting, northing and height (metres).
    pub to_map: DAffine3,
}

/// Storeys of two models with one name are one when their floors are this close, metres.
const SAME_FLOOR_M: f64 = 0.5;

impl Site {
    /// The element of a slot.
    pub fn element(&self, slot: Slot) -> Option<&Element> {
        self.elements.get(slot.0 as usize)
    }

    /// The element with a GlobalId or feature id.
    pub fn find(&self, id: &str) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// The elements with a tag.
    pub fn tagged(&self, tag: &str) -> &[Slot] {
        self.by_tag.get(tag).map_or(&[], Vec::as_slice)
    }

    /// The storey with a name, else the first that has it in its own; upper and lower case are the same.
    pub fn storey_called(&self, name: &str) -> Option<usize> {
        let wanted = name.trim().to_lowercase();
        let names: Vec<String> = self.storeys.iter().map(|s| s.name.to_lowercase()).collect();
        names.iter().position(|n| *n == wanted).or_else(|| names.iter().position(|n| n.contains(&wanted)))
    }

    /// What joints are inferred from.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            elements: &self.elements,
            shapes: &self.shapes,
            points: &self.connection_points,
            connections: &self.connections,
            ends: &self.ends,
            systems: &self.systems,
            zones: &self.zones,
            relations: &self.relations,
        }
    }

    /// Every slot with its element.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Element)> {
        self.elements.iter().enumerate().map(|(i, e)| (Slot(i as u32), e))
    }

    /// Every tag in use.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.by_tag.keys().map(String::as_str)
    }

    /// The box around everything of the building models; around everything when there are none.
    pub fn bounds(&self) -> Option<Aabb> {
        let around = |kind: Option<ElementKind>| {
            self.elements
                .iter()
                .filter(|e| kind.is_none_or(|k| e.kind == k))
                .filter_map(|e| e.bounds)
                .reduce(Aabb::union)
        };
        around(Some(ElementKind::Element)).or_else(|| around(None))
    }

    /// Makes a site of elements alone, in one frame already; GlobalIds and tags can be looked up.
    pub fn of_elements(name: impl Into<String>, elements: Vec<Element>) -> (Self, Vec<Problem>) {
        let mut site = Self { name: name.into(), source_of: vec![0; elements.len()], elements, ..Self::default() };
        let problems = site.index();
        (site, problems)
    }

    fn index(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (i, element) in self.elements.iter().enumerate() {
            let slot = Slot(i as u32);
            match self.by_id.entry(element.id.clone()) {
                Entry::Vacant(free) => {
                    free.insert(slot);
                }
                Entry::Occupied(_) if element.id.is_empty() => {}
                Entry::Occupied(_) => problems.push(Problem::warning(
                    element.id.clone(),
                    format!("two elements have this id; `{}` is found by its tag or in the tree only", element.label()),
                    "give every element a GlobalId of its own",
                )),
            }
            if !element.tag.is_empty() {
                self.by_tag.entry(element.tag.clone()).or_default().push(slot);
            }
        }
        problems
    }
}

/// Puts models (with their disciplines) into one frame and binds the points. Slots follow the order in which
/// the project names the files, whatever the order they were read in.
///
/// Where a model lies is told by [`frame`].
pub fn assemble(project: &Project, models: Vec<(Model, String)>) -> (Site, Vec<Problem>) {
    assemble_with(project, models, &[])
}

/// As [`assemble`], with asset registries merged into the elements before the points are bound.
pub fn assemble_with(
    project: &Project,
    mut models: Vec<(Model, String)>,
    registries: &[Registry],
) -> (Site, Vec<Problem>) {
    let files = || project.models.iter().map(|m| &m.file).chain(project.layers.iter().map(|l| &l.file));
    models.sort_by_cached_key(|(m, _)| files().position(|f| *f == m.file).unwrap_or(usize::MAX));
    let mut problems = Vec::new();
    let mut assembly = Assembly::default();
    assembly.site.name.clone_from(&project.name);
    let with_source = |(model, discipline)| (Source::of(&model, discipline), model);
    let (mut sources, models): (Vec<Source>, Vec<Model>) = models.into_iter().map(with_source).unzip();
    assembly.site.origin = frame::origin(project, &sources);
    for source in &mut sources {
        frame::lay(project, &assembly.site.origin, source, &mut problems);
    }
    for (model, source) in models.into_iter().zip(sources) {
        assembly.add(model, source);
    }
    let mut site = assembly.finish();
    problems.extend(site.index());
    spatial::resolve_spaces(&mut site);
    problems.extend(assets::merge(&mut site, registries));
    let (decisions, found) = project.decisions(&site);
    problems.extend(found);
    site.inferred = infer::infer(&site.evidence(), &project.joining, &decisions);
    let (points, found) = binding::bind(project, &site);
    site.points = points;
    problems.extend(found);
    (site, problems)
}

/// A site in the making.
#[derive(Default)]
struct Assembly {
    site: Site,
    systems: HashMap<String, u32>,
    shapes: HashMap<u64, Vec<u32>>,
    /// By storey: the box around the models that have it.
    around: Vec<Option<Aabb>>,
}

impl Assembly {
    fn add(&mut self, model: Model, from: Source) {
        let to_project = from.to_project;
        let first = self.site.elements.len() as u32;
        let first_port = self.site.connection_points.len() as u32;
        let first_zone = self.site.zones.len() as u32;
        let source = self.site.sources.len() as u16;
        let places = self.places(&model.places);
        let around = model.bounds().map(|b| b.transformed(&to_project));
        let before = self.site.storeys.len();
        let storeys = model.storeys.into_iter().map(|s| self.storey(s, &places, around, before, &to_project));
        let storeys: Vec<u32> = storeys.collect();
        let systems: Vec<u32> = model.systems.into_iter().map(|s| self.system(s, first)).collect();
        let shapes = model.shapes.into_iter().enumerate().map(|(i, s)| self.shape(s, i, &model.details));
        let shapes: Vec<u32> = shapes.collect();
        let at = |list: &[u32], i: Option<u32>| i.and_then(|i| list.get(i as usize).copied());
        for mut element in model.elements {
            element.storey = at(&storeys, element.storey);
            element.place = at(&places, element.place);
            element.systems = element.systems.iter().filter_map(|s| at(&systems, Some(*s))).collect();
            element.systems.dedup();
            element.shape = at(&shapes, element.shape);
            element.space = element.space.map(|i| i + first);
            element.part_of = element.part_of.map(|i| i + first);
            element.host = element.host.map(|i| i + first);
            element.placement = to_project * element.placement;
            element.bounds = self.bounds(&element, &to_project);
            self.site.elements.push(element);
            self.site.source_of.push(source);
        }
        self.site.zones.extend(model.zones.into_iter().map(|zone| moved(zone, first)));
        self.site.connection_points.extend(model.connection_points.into_iter().map(|mut port| {
            port.element += first;
            port.location = port.location.map(|l| to_project.transform_point3(l));
            port
        }));
        self.site.connections.extend(
            model.connections.into_iter().map(|c| Connection { from: c.from + first_port, to: c.to + first_port }),
        );
        self.site.ends.extend(model.ends.into_iter().map(|end| End {
            element: end.element + first,
            location: to_project.transform_point3(end.location),
            outward: to_project.transform_vector3(end.outward).normalize_or(end.outward),
            ..end
        }));
        let thing = |thing: Thing| match thing {
            Thing::Place(i) => at(&places, Some(i)).map(Thing::Place),
            Thing::Storey(i) => at(&storeys, Some(i)).map(Thing::Storey),
            Thing::Element(i) => Some(Thing::Element(i + first)),
            Thing::Zone(i) => Some(Thing::Zone(i + first_zone)),
            Thing::System(i) => at(&systems, Some(i)).map(Thing::System),
            Thing::Point(_) => None,
        };
        self.site.relations.extend(
            model.relations.into_iter().filter_map(|r| Some(Relation { from: thing(r.from)?, to: thing(r.to)?, ..r })),
        );
        self.site.sources.push(from);
    }

    /// A box in the project's frame: tight around the corners of the mesh where the model was turned.
    fn bounds(&self, element: &Element, to_project: &DAffine3) -> Option<Aabb> {
        let bounds = element.bounds?;
        let turned = is_turned(to_project);
        let shape = element.shape.and_then(|s| self.site.shapes.get(s as usize));
        match shape {
            Some(shape) if turned => Aabb::around(
                shape
                    .positions()
                    .iter()
                    .map(|p| element.placement.transform_point3(DVec3::new(p[0].into(), p[1].into(), p[2].into()))),
            ),
            _ => Some(bounds.transformed(to_project)),
        }
    }

    /// The number in the site of a model's storey; `around` is the model's box, `before` how many storeys there
    /// were before it. The first floors of two buildings stay two: what says that it is another building is one, where
    /// it stands elsewhere.
    fn storey(
        &mut self,
        mut storey: Storey,
        places: &[u32],
        around: Option<Aabb>,
        before: usize,
        to_project: &DAffine3,
    ) -> u32 {
        storey.place = storey.place.and_then(|p| places.get(p as usize).copied());
        storey.elevation_m = to_project.transform_point3(DVec3::new(0.0, 0.0, storey.elevation_m)).z;
        let level = |s: &Storey| s.name == storey.name && (s.elevation_m - storey.elevation_m).abs() <= SAME_FLOOR_M;
        let apart = |s: &Storey, b: &Option<Aabb>| {
            let other_name = s.place.zip(storey.place).is_some_and(|(a, b)| a != b);
            other_name && b.zip(around).is_some_and(|(a, b)| are_apart(&a, &b))
        };
        let by_name = || self.site.storeys.iter().position(|s| level(s) && s.place == storey.place);
        // What one file tells apart is two.
        let mut others = self.site.storeys.iter().zip(&self.around).take(before);
        let known = by_name().or_else(|| others.position(|(s, b)| level(s) && !apart(s, b)));
        if let Some(known) = known {
            if let Some(all) = self.around.get_mut(known) {
                *all = [*all, around].into_iter().flatten().reduce(Aabb::union);
            }
            return known as u32;
        }
        self.around.push(around);
        self.site.storeys.push(storey);
        (self.site.storeys.len() - 1) as u32
    }

    fn system(&mut self, system: Group, first: u32) -> u32 {
        let system = moved(system, first);
        let known = if system.name.is_empty() { None } else { self.systems.get(&system.name).copied() };
        if let Some(known) = known
            && let Some(group) = self.site.systems.get_mut(known as usize)
        {
            group.members.extend(system.members);
            return known;
        }
        let index = self.site.systems.len() as u32;
        self.systems.insert(system.name.clone(), index);
        self.site.systems.push(system);
        index
    }

    /// The number in the site of shape `number` of a model.
    fn shape(&mut self, shape: Arc<Shape>, number: usize, details: &Details) -> u32 {
        let same = self.shapes.entry(fingerprint(&shape)).or_default();
        let known = same.iter().copied().find(|i| self.site.shapes.get(*i as usize).is_some_and(|s| **s == *shape));
        known.unwrap_or_else(|| {
            let index = self.site.shapes.len() as u32;
            self.site.shapes.push(shape);
            self.site.details.push_from(details, number);
            same.push(index);
            index
        })
    }

    /// Storeys are sorted by height, so that lists of them read like the building.
    fn finish(mut self) -> Site {
        let mut order: Vec<usize> = (0..self.site.storeys.len()).collect();
        let height = |i: &usize| self.site.storeys.get(*i).map_or(0.0, |s| s.elevation_m);
        order.sort_by(|a, b| height(a).total_cmp(&height(b)));
        let mut new_index = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            new_index[*old] = new as u32;
        }
        self.site.storeys = order.iter().filter_map(|i| self.site.storeys.get(*i).cloned()).collect();
        for element in &mut self.site.elements {
            element.storey = element.storey.and_then(|s| new_index.get(s as usize).copied());
        }
        let moved = |thing: &mut Thing| {
            if let Thing::Storey(s) = thing {
                *s = new_index.get(*s as usize).copied().unwrap_or(*s);
            }
        };
        for relation in &mut self.site.relations {
            moved(&mut relation.from);
            moved(&mut relation.to);
        }
        self.site
    }
}

/// Neither stands over the other.
fn are_apart(a: &Aabb, b: &Aabb) -> bool {
    a.max.x < b.min.x || b.max.x < a.min.x || a.max.y < b.min.y || b.max.y < a.min.y
}

fn moved(mut group: Group, first: u32) -> Group {
    group.members.iter_mut().for_each(|m| *m += first);
    group
}

fn fingerprint(shape: &Shape) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    shape.indices().hash(&mut hasher);
    for p in shape.positions() {
        p.map(f32::to_bits).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
