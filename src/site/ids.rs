//! Information delivery specifications (IDS 1.0, buildingSMART): what a client demands of a model, and whether
//! the model has it.
//!
//! This room knows neither XML nor IFC records: [`Ids`] is what `import::ids` reads, a [`Source`] is what an IFC
//! file looks like to a check. [`check`] brings the two together.

mod check;
mod facet;
mod object;
mod pattern;
mod value;

pub use check::{Checker, Failing, Report, SpecificationReport, Status};
pub use object::{ClassOfObjects, Classification, Holder, Object, Property, PropertySet, Source, TypedValue, Whole};
pub use pattern::Pattern;
pub use value::{Base, Bound, Constraint, Fact, Restriction};

/// An IDS file.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    /// The file's own title.
    pub title: String,
    /// What it demands.
    pub specifications: Vec<Specification>,
}

/// One demand: which objects it is for, and what they must have.
#[derive(Clone, Debug)]
pub struct Specification {
    /// The name people read.
    pub name: String,
    /// A name for machines; empty when there is none.
    pub identifier: String,
    /// Why it is demanded; empty when it does not say.
    pub description: String,
    /// What to do about it; empty when it does not say.
    pub instructions: String,
    /// Schemas it is for: `IFC2X3`, `IFC4`, `IFC4X3_ADD2`.
    pub versions: Vec<String>,
    /// Must there be such objects?
    pub occurs: Occurs,
    /// Objects that all of these fit are the ones it is for.
    pub applicability: Vec<Facet>,
    /// What each of them must have.
    pub requirements: Vec<Requirement>,
    /// Line in the IDS file.
    pub line: usize,
    /// Why it cannot be checked, where it cannot; then nothing of it is.
    pub unchecked: Option<String>,
}

impl Specification {
    /// True when it is for files of a schema, as a file's header names it.
    pub fn is_for(&self, schema: &str) -> bool {
        let schema = schema.trim().to_ascii_uppercase();
        self.versions.iter().any(|v| match v.as_str() {
            "IFC4X3_ADD2" => schema.starts_with("IFC4X3"),
            other => schema == other,
        })
    }
}

/// How many objects a specification must find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occurs {
    /// At least one (`minOccurs` 1).
    Required,
    /// Any number (`minOccurs` 0).
    #[default]
    Optional,
    /// None at all (`maxOccurs` 0).
    Prohibited,
}

/// One thing that an object must have.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// What.
    pub facet: Facet,
    /// Must, may or must not.
    pub cardinality: Cardinality,
    /// What its author tells those who must do it; empty when nothing.
    pub instructions: String,
}

/// Whether an object must have something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cardinality {
    /// It must.
    #[default]
    Required,
    /// Where it has it, it must fit.
    Optional,
    /// It must not.
    Prohibited,
}

/// One thing that an object can have.
#[derive(Clone, Debug)]
pub enum Facet {
    /// Its class.
    Entity(EntityFacet),
    /// An attribute of its class.
    Attribute {
        /// `Name`, `Tag`, `OverallHeight`.
        name: Constraint,
        /// Its value; none: any that is not empty.
        value: Option<Constraint>,
    },
    /// A property or a quantity, its own or its type's.
    Property {
        /// Name of the set.
        set: Constraint,
        /// Name of the property.
        name: Constraint,
        /// Its value in SI; none: any that is not empty.
        value: Option<Constraint>,
        /// `IFCLABEL`, `IFCLENGTHMEASURE`; none: any.
        data_type: Option<String>,
    },
    /// A classification reference, its own or its type's.
    Classification {
        /// Name of the system; none: any.
        system: Option<Constraint>,
        /// The code; none: any.
        value: Option<Constraint>,
    },
    /// A material, its own or its type's.
    Material {
        /// Name or category of the material, or of a layer, profile or constituent; none: any.
        value: Option<Constraint>,
    },
    /// What it is a part of.
    PartOf {
        /// The class of the whole.
        entity: EntityFacet,
        /// How they hang together; none: anyhow.
        relation: Option<Relation>,
    },
}

/// A class, and the type within the class.
#[derive(Clone, Debug)]
pub struct EntityFacet {
    /// `IFCWALL`, in capitals. Subtypes are not meant.
    pub name: Constraint,
    /// `SHEAR`, or what stands behind `USERDEFINED`; none: any.
    pub predefined_type: Option<Constraint>,
}

/// How a part hangs together with its whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// `IfcRelAggregates`.
    Aggregates,
    /// `IfcRelAssignsToGroup`: systems, zones, groups.
    Group,
    /// `IfcRelContainedInSpatialStructure`.
    Contained,
    /// `IfcRelNests`.
    Nests,
    /// `IfcRelVoidsElement` and `IfcRelFillsElement`.
    VoidsOrFills,
}

impl Relation {
    /// By the word of an IDS file.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["IFCRELAGGREGATES"] => Self::Aggregates,
            ["IFCRELASSIGNSTOGROUP"] => Self::Group,
            ["IFCRELCONTAINEDINSPATIALSTRUCTURE"] => Self::Contained,
            ["IFCRELNESTS"] => Self::Nests,
            ["IFCRELVOIDSELEMENT" | "IFCRELFILLSELEMENT"] | ["IFCRELVOIDSELEMENT", "IFCRELFILLSELEMENT"] => {
                Self::VoidsOrFills
            }
            _ => return None,
        })
    }

    /// In people's words: `is a part of`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Aggregates => "aggregated in",
            Self::Group => "in the group",
            Self::Contained => "contained in",
            Self::Nests => "nested in",
            Self::VoidsOrFills => "an opening or filling of",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_and_relations_by_their_words() {
        let of = |versions: &[&str]| Specification {
            name: String::new(),
            identifier: String::new(),
            description: String::new(),
            instructions: String::new(),
            versions: versions.iter().map(|v| (*v).to_owned()).collect(),
            occurs: Occurs::Optional,
            applicability: Vec::new(),
            requirements: Vec::new(),
            line: 1,
            unchecked: None,
        };
        assert!(of(&["IFC4"]).is_for("ifc4") && !of(&["IFC4"]).is_for("IFC4X3_ADD2"));
        assert!(of(&["IFC2X3", "IFC4X3_ADD2"]).is_for("IFC4X3") && !of(&["IFC2X3"]).is_for("IFC4"));
        assert_eq!(Relation::parse("IFCRELVOIDSELEMENT IFCRELFILLSELEMENT"), Some(Relation::VoidsOrFills));
        assert_eq!(Relation::parse("IFCRELNESTS"), Some(Relation::Nests));
        assert_eq!(Relation::parse("ifcrelnests"), None);
    }
}
