//! What is looked for, as a tree; [`super::parse`] makes it of a line of text.

use super::pattern::Pattern;
use crate::site::ElementKind;
use crate::site::unit::Unit;

/// A search that has been understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What an element must fulfil.
    pub expr: Expr,
    /// What was understood otherwise than it may have been meant.
    pub hints: Vec<String>,
}

impl Query {
    /// True when it asks how equipment is: only a running twin knows.
    pub fn asks_for_health(&self) -> bool {
        let mut asks = false;
        self.expr.each(&mut |term, _| asks |= matches!(term, Term::Health(_)));
        asks
    }

    /// The words that are looked for, those of a `NOT` left out.
    pub(super) fn words(&self) -> Vec<&Pattern> {
        let mut words = Vec::new();
        self.expr.each(&mut |term, wanted| match term {
            Term::Word(pattern) if wanted => words.push(pattern),
            _ => {}
        });
        words
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Every one of these.
    All(Vec<Expr>),
    /// At least one of these.
    Any(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// One term.
    Term(Term),
}

impl Expr {
    /// Calls `f` with every term and whether it is wanted (and not the contrary of it).
    fn each<'a>(&'a self, f: &mut dyn FnMut(&'a Term, bool)) {
        fn walk<'a>(expr: &'a Expr, wanted: bool, f: &mut dyn FnMut(&'a Term, bool)) {
            match expr {
                Expr::All(list) | Expr::Any(list) => list.iter().for_each(|e| walk(e, wanted, f)),
                Expr::Not(inner) => walk(inner, !wanted, f),
                Expr::Term(term) => f(term, wanted),
            }
        }
        walk(self, true, f);
    }
}

/// One thing that is asked of an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// Its tag, name, class, type or description has this; its id starts with it.
    Word(Pattern),
    /// What `key:` names fits.
    Key(Key, Pattern),
    /// Its id is this; capitals count, since they do in a GlobalId.
    Id(Pattern),
    /// It is of this kind.
    Kind(ElementKind),
    /// It has this.
    Has(Thing),
    /// How it is.
    Health(HealthWord),
    /// A property or quantity of it.
    Property(PropertyTerm),
}

/// A property of that name has such a value.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyTerm {
    /// Name of its set; none: of any set.
    pub set: Option<Pattern>,
    /// Its own name.
    pub name: Pattern,
    /// Set and name in one, where a dot stands between them: the dot may be a part of the property's name.
    pub whole: Option<Pattern>,
    /// How the value compares.
    pub comparison: Comparison,
    /// As people wrote it, for what is said about it.
    pub written: String,
}

/// How a value compares. `!=` is a `NOT` of [`Comparison::Is`] beside a [`Comparison::IsThere`].
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// Any value but an empty one.
    IsThere,
    /// A text that fits, a truth, or a number where the value is one.
    Is {
        /// For texts.
        text: Pattern,
        /// For yes and no.
        truth: Option<bool>,
        /// For numbers.
        number: Option<Number>,
    },
    /// A text that has this in it.
    Has(String),
    /// A number on this side.
    Compares(Side, Number),
}

/// On which side of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Side {
    /// True when `value` is on this side of `limit`.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Below => value < limit && !same(value, limit),
            Self::AtMost => value < limit || same(value, limit),
            Self::Above => value > limit && !same(value, limit),
            Self::AtLeast => value > limit || same(value, limit),
        }
    }
}

/// Two numbers that differ by no more than the way through a unit makes them.
pub fn same(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// A number to compare with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// As written.
    pub value: f64,
    /// Its unit; none: that of the file.
    pub unit: Option<Unit>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word in a search.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// What a `key:` names.
    Key {
        /// The file's own class, with or without `Ifc`.
        Class = "class",
        /// Its storey.
        Storey = "storey",
        /// The building of its storey.
        Building = "building",
        /// The space it stands in, by number or name, or that it is.
        Space = "space",
        /// The zone of its space, or that it is in.
        Zone = "zone",
        /// One of its systems.
        System = "system",
        /// The mark on the equipment.
        Tag = "tag",
        /// The name.
        Name = "name",
        /// The description.
        Description = "description",
        /// The name of its type.
        Type = "type",
        /// `PredefinedType`.
        Predefined = "predefined",
        /// One of its materials.
        Material = "material",
        /// One of its classification references.
        Classification = "classification",
        /// One of its presentation layers.
        Layer = "layer",
        /// One of its documents.
        Document = "document",
        /// The file it came from.
        Source = "source",
        /// The discipline of that file.
        Discipline = "discipline",
        /// A role or name of one of its points.
        Point = "point",
    }
}

impl Key {
    /// A value without `*` is the whole of what it is compared with; of the others it is a part.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Class | Self::Storey | Self::Tag | Self::Predefined | Self::Discipline)
    }
}

words! {
    /// What an element can have.
    Thing {
        /// A shape.
        Geometry = "geometry",
        /// Points that are bound to it.
        Points = "points",
        /// A storey.
        Storey = "storey",
        /// A space.
        Space = "space",
        /// A zone.
        Zone = "zone",
        /// A system.
        System = "system",
        /// A tag.
        Tag = "tag",
        /// A name.
        Name = "name",
        /// A description.
        Description = "description",
        /// A type.
        Type = "type",
        /// A predefined type.
        Predefined = "predefined",
        /// A material.
        Material = "material",
        /// A classification reference.
        Classification = "classification",
        /// A presentation layer.
        Layer = "layer",
        /// A document.
        Document = "document",
        /// Properties.
        Properties = "properties",
        /// Quantities.
        Quantities = "quantities",
        /// Ports.
        Ports = "ports",
        /// A port that is joined to another.
        Connection = "connection",
        /// Parts of its own.
        Parts = "parts",
        /// Something that it is a part of.
        Whole = "whole",
        /// Something that it serves, as a sensor or a valve does.
        Host = "host",
    }
}

words! {
    /// How equipment is. Only what has points is one of these.
    HealthWord {
        /// Inside its limits.
        Good = "good",
        /// Outside its warning limits.
        Warning = "warning",
        /// Outside its critical limits.
        Critical = "critical",
        /// Silent for too long.
        Stale = "stale",
        /// Never heard of.
        Unknown = "unknown",
    }
}

/// The words of `kind:`.
pub const KINDS: &[(&str, ElementKind)] =
    &[("element", ElementKind::Element), ("space", ElementKind::Space), ("feature", ElementKind::Feature)];
