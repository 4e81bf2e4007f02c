//! The one place that names the IFC library: records as values here, triangles in [`triangles`].
//!
//! Everything else in this room speaks of [`Step`], [`Record`], [`Value`], [`Piece`] and [`Event`] only, so
//! that the library can change, or be replaced, here.

mod triangles;

pub(super) use triangles::{Event, Outcome, Piece, mesh, mesh_alone};

use super::attributes;
use super::numbers::Numbers;
use glam::DVec3;
use ifc_lite_core::parser::StepNumber;
use ifc_lite_core::{EntityDecoder, EntityScanner, IfcType, SchemaEntityInfo, SchemaVersion};
use ifc_lite_processing::Georeferencing;
use rustc_hash::FxHashMap as HashMap;
use std::sync::Arc;

/// The version of the library, as `Cargo.lock` has it: what was read with another one is read anew.
pub(in crate::import) const VERSION: &str = "28.2.0";

/// An attribute's value as the file has it.
pub(super) use ifc_lite_core::AttributeValue as Value;

/// A record takes about so many bytes of a file, when it is a short one.
const RECORD: usize = 60;

/// The records of a STEP file: where each one is, and of what class. Attributes are read when asked for.
pub(super) struct Step {
    bytes: Arc<Vec<u8>>,
    version: SchemaVersion,
    records: Vec<Place>,
    by_id: Numbers,
    classes: Vec<Class>,
    by_class: HashMap<String, u32>,
    /// Byte offsets of records that have no end or no valid number.
    pub(super) malformed: Vec<usize>,
    /// Numbers that are given to more than one record (the first one counts).
    pub(super) duplicates: Vec<u32>,
}

struct Place {
    id: u32,
    class: u32,
    start: usize,
    end: usize,
}

/// A class of the file's schema.
pub(super) struct Class {
    keyword: String,
    /// `IfcDuctSegment`.
    pub(super) name: String,
    attributes: &'static [&'static str],
    /// False when no schema that we know declares it.
    pub(super) known: bool,
    /// Itself and what it is a subtype of, in the first of our schemas that declares it.
    lineage: Vec<&'static str>,
    members: Vec<u32>,
}

impl Class {
    /// The place of the first attribute whose name fits.
    pub(super) fn position(&self, fits: impl Fn(&str) -> bool) -> Option<usize> {
        self.attributes.iter().position(|a| fits(a))
    }
}

/// One record with its attributes.
pub(super) struct Record<'a> {
    /// Its number: 12 of `#12`.
    pub(super) id: u32,
    /// Its class.
    pub(super) class: &'a Class,
    values: Vec<Value>,
}

/// The schema that a header declares: its own words, and whether we read it.
pub(super) fn declared_schema(bytes: &[u8]) -> Option<(String, bool)> {
    let label = ifc_lite_core::declared_schema_bounded(bytes)?;
    let known = SchemaVersion::from_file_schema(&label).is_some();
    Some((label, known))
}

impl Step {
    /// Finds every record. `schema` is what [`declared_schema`] gave.
    pub(super) fn scan(bytes: Arc<Vec<u8>>, schema: &str) -> Self {
        let version = SchemaVersion::from_file_schema(schema).unwrap_or(SchemaVersion::Ifc4);
        // The library's notes go to the log; what matters of them is in `malformed` and `duplicates`.
        ifc_lite_core::set_report_sink(|note| tracing::debug!("{note}"));
        let mut step = Self {
            bytes: Arc::clone(&bytes),
            version,
            records: Vec::with_capacity(bytes.len() / RECORD),
            by_id: Numbers::of_file(bytes.len()),
            classes: Vec::new(),
            by_class: HashMap::default(),
            malformed: Vec::new(),
            duplicates: Vec::new(),
        };
        let mut scanner = EntityScanner::new(bytes.as_slice());
        // Most often the class before.
        let mut before = ("", 0);
        while let Some((id, keyword, start, end)) = scanner.next_entity() {
            if keyword != before.0 {
                before = (keyword, step.class_number(keyword));
            }
            let class = before.1;
            let place = step.records.len() as u32;
            if !step.by_id.insert(id, place) {
                step.duplicates.push(id);
                continue;
            }
            step.records.push(Place { id, class, start, end });
            if let Some(class) = step.classes.get_mut(class as usize) {
                class.members.push(place);
            }
        }
        step.malformed = scanner.malformed_record_starts().to_vec();
        step.malformed.extend(scanner.skipped_oversized_id_starts());
        step
    }

    fn class_number(&mut self, keyword: &str) -> u32 {
        if let Some(number) = self.by_class.get(keyword) {
            return *number;
        }
        let upper = keyword.to_ascii_uppercase();
        let number = match self.by_class.get(&upper) {
            Some(number) => *number,
            None => {
                let attributes = self.versions().find_map(|v| v.attribute_names(&upper));
                let lineage = self.versions().map(|v| lineage(v, &upper)).find(|l| !l.is_empty());
                let name = match IfcType::from_str(&upper) {
                    IfcType::Unknown(_) => unknown_name(&upper),
                    known => known.name().to_owned(),
                };
                let number = self.classes.len() as u32;
                self.classes.push(Class {
                    keyword: upper.clone(),
                    name,
                    attributes: attributes.unwrap_or(&[]),
                    known: attributes.is_some(),
                    lineage: lineage.unwrap_or_default(),
                    members: Vec::new(),
                });
                self.by_class.insert(upper, number);
                number
            }
        };
        self.by_class.insert(keyword.to_owned(), number);
        number
    }

    /// The file's own schema first; a class that it does not declare is looked up in the others.
    fn versions(&self) -> impl Iterator<Item = SchemaVersion> + use<> {
        [self.version, SchemaVersion::Ifc4x3, SchemaVersion::Ifc4, SchemaVersion::Ifc2x3].into_iter()
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The classes in use.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&Class, usize)> {
        self.classes.iter().map(|c| (c, c.members.len()))
    }

    /// True when `class` is `parent` (in capitals) or one of its subtypes.
    pub(super) fn is_a(&self, class: &Class, parent: &str) -> bool {
        class.keyword == parent || class.lineage.iter().any(|name| name.eq_ignore_ascii_case(parent))
    }

    /// Numbers of all records of a class (in capitals) and its subtypes, in the order of the file.
    pub(super) fn of(&self, parent: &str) -> Vec<u32> {
        self.of_any(|step, class| step.is_a(class, parent))
    }

    /// Numbers of all records whose class fits, in the order of the file.
    pub(super) fn of_any(&self, fits: impl Fn(&Self, &Class) -> bool) -> Vec<u32> {
        let mut places: Vec<u32> =
            self.classes.iter().filter(|c| fits(self, c)).flat_map(|c| c.members.iter().copied()).collect();
        places.sort_unstable();
        places.iter().filter_map(|p| self.records.get(*p as usize)).map(|r| r.id).collect()
    }

    /// The class of a record.
    pub(super) fn class_of(&self, id: u32) -> Option<&Class> {
        self.classes.get(self.place(id)?.class as usize)
    }

    fn place(&self, id: u32) -> Option<&Place> {
        self.records.get(self.by_id.get(id)? as usize)
    }

    /// True when record `id` exists and is a `parent` (in capitals) or of a subtype.
    pub(super) fn record_is(&self, id: u32, parent: &str) -> bool {
        self.class_of(id).is_some_and(|c| self.is_a(c, parent))
    }

    /// Reads a record; none when there is no such number or it cannot be parsed.
    pub(super) fn record(&self, id: u32) -> Option<Record<'_>> {
        let place = self.place(id)?;
        let class = self.classes.get(place.class as usize)?;
        let bytes = self.bytes.get(place.start..place.end)?;
        let values = attributes::read(bytes, class.attributes.len()).or_else(|| parsed_by_the_library(bytes))?;
        Some(Record { id, class, values })
    }

    /// The name of a plain record, if that is its first attribute, and another one that is a single value, with its
    /// type where it states one. Properties and quantities are the most of many a file: so they need no [`Record`].
    pub(super) fn named_value(&self, id: u32, other: fn(&Class) -> Option<usize>) -> Option<attributes::Named<'_>> {
        let place = self.place(id)?;
        let class = self.classes.get(place.class as usize).filter(|c| c.attributes.first() == Some(&"Name"))?;
        let other = other(class)?;
        attributes::named(self.bytes.get(place.start..place.end)?, other)
    }

    /// The same file without one class's records (blanked, so that every offset stays).
    pub(super) fn without(&self, keyword: &str) -> Arc<Vec<u8>> {
        let mut bytes = self.bytes.as_ref().clone();
        let members = self.by_class.get(keyword).and_then(|c| self.classes.get(*c as usize)).map(|c| &c.members);
        for place in members.into_iter().flatten().filter_map(|p| self.records.get(*p as usize)) {
            if let Some(span) = bytes.get_mut(place.start..place.end) {
                span.fill(b' ');
            }
        }
        Arc::new(bytes)
    }

    /// Metres in the file's length unit; none when the file has no usable project and unit records.
    pub(super) fn length_unit(&self) -> Option<f64> {
        let mut decoder = self.decoder_of_projects()?;
        let project = decoder.project_id()?;
        // The library takes metres where the project names units and the one of length is lost.
        if let Some(units) = self.record(project)?.reference("UnitsInContext") {
            let units = self.record(units)?.references("Units");
            let lengths = units.iter().filter_map(|u| self.record(*u)).filter(|u| u.word("UnitType") == "LENGTHUNIT");
            if lengths.count() == 0 {
                return None;
            }
        }
        ifc_lite_core::extract_length_unit_scale(&mut decoder, project).ok().filter(|u| u.is_finite() && *u > 0.0)
    }

    /// The library's reader, which knows the projects and whatever they name: to know all, it would read the whole
    /// file once more. None without a project.
    fn decoder_of_projects(&self) -> Option<EntityDecoder<'_>> {
        let projects = self.classes.get(*self.by_class.get("IFCPROJECT")? as usize)?;
        if !self.duplicates.is_empty() {
            // It takes the last record of a number, and we the first.
            return Some(EntityDecoder::new(self.bytes.as_slice()));
        }
        let mut index = ifc_lite_core::EntityIndex::default();
        let mut next: Vec<u32> =
            projects.members.iter().filter_map(|m| Some(self.records.get(*m as usize)?.id)).collect();
        while let Some(id) = next.pop() {
            let Some(place) = self.place(id) else { continue };
            if index.insert(id, (place.start, place.end)).is_none() {
                next.extend(self.record(id).map(|r| r.all_references()).unwrap_or_default());
            }
        }
        Some(EntityDecoder::with_index(self.bytes.as_slice(), index))
    }

    /// The map conversion as the file states it; none without one (a site's latitude is not one). `outcome` is that
    /// of the run that made the triangles, which has found it on its way, if it came to its end.
    pub(super) fn map_conversion(&self, outcome: &Outcome) -> Option<MapConversion> {
        let class = |keyword: &str| self.by_class.contains_key(keyword);
        let classes = ["IFCMAPCONVERSION", "IFCMAPCONVERSIONSCALED", "IFCRIGIDOPERATION"];
        let sets: [&[u8]; 4] = [b"et_MapConversion", b"et_mapConversion", b"ET_MAPCONVERSION", b"et_mapconversion"];
        let as_properties = |set: &[u8]| memchr::memmem::find(&self.bytes, set).is_some();
        let stated = || classes.into_iter().any(class) || sets.into_iter().any(as_properties);
        let placed = |g: &Georeferencing| {
            matches!(g.source.as_deref(), Some("mapConversion" | "ePSetMapConversion" | "rigidOperation"))
        };
        let found = match &outcome.map {
            Some(found) => found.as_deref().filter(|g| placed(g) && stated()).cloned(),
            // The library reads the whole file once more for it.
            None if stated() => ifc_lite_processing::extract_georeferencing(self.bytes.as_slice()).filter(placed),
            None => None,
        }?;
        let numbers = [found.eastings, found.northings, found.orthogonal_height, found.rotation_degrees];
        numbers.iter().all(|v| v.is_finite()).then(|| MapConversion {
            crs: found.crs_name.unwrap_or_default(),
            offset: [found.eastings, found.northings, found.orthogonal_height],
            rotation_deg: found.rotation_degrees,
            scale: found.scale * found.factor_x,
            map_unit_m: found.map_unit_scale,
        })
    }

    /// The line in the file of a byte offset, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        1 + self.bytes.iter().take(offset).filter(|b| **b == b'\n').count()
    }
}

/// The attributes of a record given as `#12=IFCX(…);`; none when it cannot be parsed.
pub(super) fn parsed_by_the_library(record: &[u8]) -> Option<Vec<Value>> {
    let (_, _, tokens) = ifc_lite_core::parse_entity(record).ok()?;
    Some(tokens.iter().map(Value::from_token).collect())
}

/// The number that the bytes begin with, and its length; none when there is none, or a double cannot hold it.
pub(super) fn number(bytes: &[u8]) -> Option<(Value, usize)> {
    let (number, length) = ifc_lite_core::parser::read_step_number(bytes)?;
    let value = match number {
        StepNumber::Integer(i) => Value::Integer(i),
        StepNumber::Real(f) => Value::Float(f),
        StepNumber::Unrepresentable(_) => return None,
    };
    Some((value, length))
}

/// A class of a schema and all that it is a subtype of; empty when the schema does not declare it.
fn lineage(schema: SchemaVersion, keyword: &str) -> Vec<&'static str> {
    let above = |info: &SchemaEntityInfo| schema.entity_info(info.parent?);
    std::iter::successors(schema.entity_info(keyword), above).map(|info| info.name).collect()
}

/// `IFCFOOBAR` has no spelling that we know: `IfcFoobar`.
fn unknown_name(upper: &str) -> String {
    let mut name = upper.to_ascii_lowercase();
    for at in [0, 3] {
        if let Some(letter) = name.get_mut(at..=at) {
            letter.make_ascii_uppercase();
        }
    }
    name
}

/// `IfcMapConversion` (or its property set) in the file's words.
pub(super) struct MapConversion {
    /// `EPSG:2056`; empty when not named.
    pub(super) crs: String,
    /// Eastings, northings and height, in the map unit.
    pub(super) offset: [f64; 3],
    /// Counter-clockwise from the file's X axis to east.
    pub(super) rotation_deg: f64,
    /// Map units in a file unit.
    pub(super) scale: f64,
    /// Metres in the map unit, when stated; else the file's length unit counts.
    pub(super) map_unit_m: Option<f64>,
}

impl Record<'_> {
    /// An attribute by its name in the file's schema.
    pub(super) fn get(&self, attribute: &str) -> Option<&Value> {
        let at = self.class.attributes.iter().position(|a| *a == attribute)?;
        self.values.get(at).filter(|v| !v.is_null())
    }

    /// An attribute as text; empty when it is not there or not text.
    pub(super) fn text(&self, attribute: &str) -> String {
        self.get(attribute).and_then(Value::as_string).unwrap_or_default().trim().to_owned()
    }

    /// An attribute's value, which is null from then on: it need not be copied.
    pub(super) fn take(&mut self, attribute: &str) -> Value {
        let at = self.class.attributes.iter().position(|a| *a == attribute);
        at.and_then(|at| self.values.get_mut(at)).map_or(Value::Null, |v| std::mem::replace(v, Value::Null))
    }

    /// As [`Self::text`], of an attribute that nobody asks for again.
    pub(super) fn take_text(&mut self, attribute: &str) -> String {
        match self.take(attribute) {
            Value::String(text) if text.trim().len() == text.len() => text,
            other => other.as_string().unwrap_or_default().trim().to_owned(),
        }
    }

    /// An attribute as the word of an enumeration; empty when it is not there.
    pub(super) fn word(&self, attribute: &str) -> String {
        self.get(attribute).and_then(Value::as_enum).unwrap_or_default().to_owned()
    }

    /// An attribute as a finite number.
    pub(super) fn number(&self, attribute: &str) -> Option<f64> {
        self.get(attribute)?.as_float().filter(|v| v.is_finite())
    }

    /// An attribute as a reference to another record.
    pub(super) fn reference(&self, attribute: &str) -> Option<u32> {
        self.get(attribute)?.as_entity_ref()
    }

    /// An attribute as a list of references (one reference is a list of one).
    pub(super) fn references(&self, attribute: &str) -> Vec<u32> {
        let members = self.get(attribute).and_then(Value::as_ref_members).unwrap_or(&[]);
        members.iter().filter_map(Value::as_entity_ref).collect()
    }

    /// An attribute as up to three numbers; missing ones are 0.
    pub(super) fn vector(&self, attribute: &str) -> Option<DVec3> {
        let list = self.get(attribute)?.as_list()?;
        let at = |i: usize| list.get(i).map_or(Some(0.0), |v| v.as_float().filter(|v| v.is_finite()));
        Some(DVec3::new(at(0)?, at(1)?, at(2)?))
    }

    /// All attributes with their names; those beyond the schema have none and are left out.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.class.attributes.iter().copied().zip(&self.values)
    }

    /// Every reference in every attribute.
    pub(super) fn all_references(&self) -> Vec<u32> {
        fn walk(value: &Value, found: &mut Vec<u32>) {
            match value {
                Value::EntityRef(id) => found.push(*id),
                Value::List(values) => values.iter().for_each(|v| walk(v, found)),
                Value::Typed { value, .. } => walk(value, found),
                _ => {}
            }
        }
        let mut found = Vec::new();
        self.values.iter().for_each(|v| walk(v, &mut found));
        found
    }
}
