//! What a model looks like to a check: its objects, and what each of them has, looked up when it is asked for.

use super::{Fact, Relation};
use std::cell::OnceCell;
use std::collections::{HashSet, VecDeque};

/// A chain of wholes longer than this is taken for a cycle.
const MAX_WHOLES: usize = 10_000;

/// A file whose objects can be checked.
pub trait Source {
    /// What people call the file.
    fn file(&self) -> &str;
    /// Its schema: `IFC4`.
    fn schema(&self) -> &str;
    /// The classes that it uses, with their objects.
    fn classes(&self) -> Vec<ClassOfObjects>;
    /// One object; none when its record cannot be read.
    fn object(&self, id: u32) -> Option<Object>;
    /// Property and quantity sets: its own, and of its type's what is not in its own.
    fn property_sets(&self, id: u32) -> Vec<PropertySet>;
    /// Classifications: its own, and its type's of systems that its own are not of.
    fn classifications(&self, id: u32) -> Vec<Classification>;
    /// Names and categories of its materials, or else of its type's; none without a material.
    fn materials(&self, id: u32) -> Option<Vec<String>>;
    /// What it is directly a part of.
    fn wholes(&self, id: u32) -> Vec<Whole>;
}

/// Objects of one class.
#[derive(Clone, Debug, Default)]
pub struct ClassOfObjects {
    /// In capitals: `IFCPUMP`.
    pub name: String,
    /// The class of each also depends on its type, as in IFC2X3, where a pump is an `IfcFlowMovingDevice` with an
    /// `IfcPumpType`.
    pub by_type: bool,
    /// These are things (elements, spaces, types, materials, …), not relationships or pieces of geometry: they are
    /// looked at even where a specification names no class.
    pub things: bool,
    /// The objects, by the file's own numbers.
    pub objects: Vec<u32>,
}

/// An object by itself.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// The file's number.
    pub number: u32,
    /// GlobalId, else `#12`.
    pub id: String,
    /// Tag, else name; empty when it has neither.
    pub label: String,
    /// Its class in capitals; in IFC2X3 also the one that its type makes of it.
    pub classes: Vec<String>,
    /// What a predefined type may be compared with: the word itself, and what stands behind `USERDEFINED`.
    pub predefined_types: Vec<String>,
    /// Attributes by name; numbers in SI.
    pub attributes: Vec<(String, Fact)>,
}

/// A set of properties or quantities.
#[derive(Clone, Debug, Default)]
pub struct PropertySet {
    /// `Pset_PumpTypeCommon`.
    pub name: String,
    /// Its members.
    pub properties: Vec<Property>,
}

/// A property or quantity. One with a list, a range or a table has several values.
#[derive(Clone, Debug, Default)]
pub struct Property {
    /// `FlowRateRange`.
    pub name: String,
    /// Its values; none when it is stated to be unset, or of a kind that IDS does not compare.
    pub values: Vec<TypedValue>,
}

/// A value in SI with its type.
#[derive(Clone, Debug)]
pub struct TypedValue {
    /// `IFCLENGTHMEASURE`; none where the file does not say (attributes of predefined property sets).
    pub data_type: Option<String>,
    /// The value.
    pub fact: Fact,
}

/// A classification reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classification {
    /// `Uniclass 2015`; empty when the reference leads to no system.
    pub system: String,
    /// The code, and the codes above it; empty when the object is classified by the system alone.
    pub codes: Vec<String>,
}

/// What an object is directly a part of.
#[derive(Clone, Debug)]
pub struct Whole {
    /// How.
    pub relation: Relation,
    /// The whole.
    pub number: u32,
}

/// An object with all that it has, each looked up once.
pub struct Holder<'a> {
    /// The file.
    pub source: &'a dyn Source,
    /// The object itself.
    pub object: Object,
    sets: OnceCell<Vec<PropertySet>>,
    classifications: OnceCell<Vec<Classification>>,
    materials: OnceCell<Option<Vec<String>>>,
}

impl<'a> Holder<'a> {
    /// An object of a file; none when its record cannot be read.
    pub fn new(source: &'a dyn Source, number: u32) -> Option<Self> {
        Some(Self {
            source,
            object: source.object(number)?,
            sets: OnceCell::new(),
            classifications: OnceCell::new(),
            materials: OnceCell::new(),
        })
    }

    pub(super) fn property_sets(&self) -> &[PropertySet] {
        self.sets.get_or_init(|| self.source.property_sets(self.object.number))
    }

    pub(super) fn classifications(&self) -> &[Classification] {
        self.classifications.get_or_init(|| self.source.classifications(self.object.number))
    }

    pub(super) fn materials(&self) -> Option<&[String]> {
        self.materials.get_or_init(|| self.source.materials(self.object.number)).as_deref()
    }

    /// All that it is a part of by one relation, or by any; the nearest first.
    pub(super) fn wholes(&self, relation: Option<Relation>) -> Vec<Object> {
        let mut seen = HashSet::from([self.object.number]);
        let mut queue = VecDeque::from([self.object.number]);
        let mut found = Vec::new();
        while let Some(part) = queue.pop_front() {
            for whole in self.source.wholes(part) {
                let meant = relation.is_none_or(|r| r == whole.relation);
                if meant && seen.len() < MAX_WHOLES && seen.insert(whole.number) {
                    queue.push_back(whole.number);
                    found.extend(self.source.object(whole.number));
                }
            }
        }
        found
    }
}
