//! Whether an object has what a facet speaks of.

use super::object::{Holder, Property};
use super::{Cardinality, Constraint, EntityFacet, Facet, Fact, Object, Requirement};

/// What was found of a facet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// It is there, and as it must be.
    Fits,
    /// It is not there: why.
    Absent(String),
    /// It is there, and not as it must be: why.
    Wrong(String),
}

/// Why an object does not meet a requirement, with what its author says of it; none when it does.
pub(super) fn breach(requirement: &Requirement, holder: &Holder<'_>) -> Option<String> {
    let why = fault(requirement, holder)?;
    let told = &requirement.instructions;
    Some(if told.is_empty() { why } else { format!("{why} ({told})") })
}

fn fault(requirement: &Requirement, holder: &Holder<'_>) -> Option<String> {
    let found = find(&requirement.facet, holder);
    match (requirement.cardinality, found) {
        (Cardinality::Required, Found::Absent(why) | Found::Wrong(why)) => Some(why),
        (Cardinality::Optional, Found::Wrong(why)) => Some(why),
        (Cardinality::Prohibited, Found::Fits) => Some(format!("must not have {}", words(&requirement.facet))),
        // A property that must not be there must not be there empty either.
        (Cardinality::Prohibited, Found::Wrong(_)) if bare_property(&requirement.facet) => {
            Some(format!("must not have {}", words(&requirement.facet)))
        }
        _ => None,
    }
}

/// True when an object has what a facet speaks of.
pub(super) fn applies(facet: &Facet, holder: &Holder<'_>) -> bool {
    find(facet, holder) == Found::Fits
}

fn bare_property(facet: &Facet) -> bool {
    matches!(facet, Facet::Property { value: None, data_type: None, .. })
}

fn find(facet: &Facet, holder: &Holder<'_>) -> Found {
    match facet {
        Facet::Entity(entity) => find_entity(entity, &holder.object),
        Facet::Attribute { name, value } => find_attribute(name, value.as_ref(), &holder.object),
        Facet::Property { set, name, value, data_type } => {
            find_property(holder, (set, name), value.as_ref(), data_type.as_deref())
        }
        Facet::Classification { system, value } => find_classification(holder, system.as_ref(), value.as_ref()),
        Facet::Material { value } => find_material(holder, value.as_ref()),
        Facet::PartOf { entity, relation } => {
            let wholes = holder.wholes(*relation);
            if wholes.iter().any(|w| find_entity(entity, w) == Found::Fits) {
                return Found::Fits;
            }
            let how = relation.map_or("a part of", super::Relation::words);
            match wholes.first() {
                None => Found::Absent(format!("is not {how} anything; {} is wanted", entity_words(entity))),
                Some(first) => Found::Wrong(format!(
                    "is not {how} {}, but {how} {} {}",
                    entity_words(entity),
                    first.classes.first().map_or("", String::as_str),
                    first.label
                )),
            }
        }
    }
}

fn find_entity(facet: &EntityFacet, object: &Object) -> Found {
    let class = object.classes.join(" or ");
    if !object.classes.iter().any(|c| facet.name.fits_text(c)) {
        return Found::Wrong(format!("is {class}, not {}", facet.name));
    }
    let Some(wanted) = &facet.predefined_type else { return Found::Fits };
    if object.predefined_types.iter().any(|p| wanted.fits_text(p)) {
        return Found::Fits;
    }
    match object.predefined_types.last() {
        None => Found::Wrong(format!("has no predefined type; {wanted} is wanted")),
        Some(own) => Found::Wrong(format!("its predefined type is `{own}`, not {wanted}")),
    }
}

fn find_attribute(name: &Constraint, value: Option<&Constraint>, object: &Object) -> Found {
    let mut named = object.attributes.iter().filter(|(n, _)| name.fits_text(n)).peekable();
    if named.peek().is_none() {
        return Found::Absent(format!("has no attribute {name}"));
    }
    let (empty, stated): (Vec<_>, Vec<_>) = named.partition(|(_, fact)| fact.is_empty());
    if stated.is_empty() {
        let why = format!("its attribute {name} is empty");
        // What is written and says nothing is not the same as nothing written.
        return if empty.iter().all(|(_, f)| *f == Fact::Null) { Found::Absent(why) } else { Found::Wrong(why) };
    }
    let Some(wanted) = value else { return Found::Fits };
    match stated.iter().find(|(_, fact)| !wanted.fits(fact)) {
        None => Found::Fits,
        Some((name, fact)) => Found::Wrong(format!("its attribute {name} is {fact}, not {wanted}")),
    }
}

fn find_property(
    holder: &Holder<'_>,
    (set_name, name): (&Constraint, &Constraint),
    value: Option<&Constraint>,
    data_type: Option<&str>,
) -> Found {
    let what = format!("property {name} in a set {set_name}");
    let sets: Vec<_> = holder.property_sets().iter().filter(|s| set_name.fits_text(&s.name)).collect();
    if sets.is_empty() {
        return Found::Absent(format!("has no {what}, and no such set"));
    }
    let named = |p: &&Property| name.fits_text(&p.name);
    let mut lacking = None;
    let mut any = false;
    for set in sets {
        // Every set of that name must have it, and every property of that name must be as it must be.
        let mut here = set.properties.iter().filter(named).peekable();
        if here.peek().is_none() {
            lacking.get_or_insert(&set.name);
        }
        for property in here {
            any = true;
            if let Some(why) = unfit(property, value, data_type) {
                return Found::Wrong(format!("{}.{} {why}", set.name, property.name));
            }
        }
    }
    match lacking {
        None => Found::Fits,
        Some(_) if !any => Found::Absent(format!("has no {what}")),
        Some(set) => Found::Wrong(format!("its set `{set}` has no property {name}")),
    }
}

/// What is wrong with a property; none when it is as it must be. Of several values one is enough.
fn unfit(property: &Property, value: Option<&Constraint>, data_type: Option<&str>) -> Option<String> {
    let stated: Vec<_> = property.values.iter().filter(|v| !v.fact.is_empty()).collect();
    if stated.is_empty() {
        return Some("is empty".into());
    }
    let typed: Vec<_> = stated
        .iter()
        .filter(|v| data_type.is_none_or(|wanted| v.data_type.as_ref().is_none_or(|own| own == wanted)))
        .collect();
    if typed.is_empty() {
        let own = stated.first().and_then(|v| v.data_type.clone()).unwrap_or_default();
        return Some(format!("is of the type {own}, not {}", data_type.unwrap_or_default()));
    }
    let wanted = value?;
    if typed.iter().any(|v| wanted.fits(&v.fact)) {
        return None;
    }
    let own = Fact::List(typed.iter().map(|v| v.fact.clone()).collect());
    Some(format!("is {own}, not {wanted}"))
}

fn find_classification(holder: &Holder<'_>, system: Option<&Constraint>, value: Option<&Constraint>) -> Found {
    let all = holder.classifications();
    if all.is_empty() {
        return Found::Absent("is not classified".into());
    }
    let of_system: Vec<_> = all.iter().filter(|c| system.is_none_or(|s| s.fits_text(&c.system))).collect();
    if of_system.is_empty() {
        let own: Vec<String> = all.iter().map(|c| format!("`{}`", c.system)).collect();
        let wanted = system.map(ToString::to_string).unwrap_or_default();
        let why = format!("is not classified by {wanted}, but by {}", own.join(", "));
        // A classification by no named system may be the one that is meant: then it is wrong, not absent.
        return if all.iter().any(|c| c.system.is_empty()) { Found::Wrong(why) } else { Found::Absent(why) };
    }
    let Some(wanted) = value else { return Found::Fits };
    if of_system.iter().any(|c| c.codes.iter().any(|code| wanted.fits_text(code))) {
        return Found::Fits;
    }
    let own: Vec<String> = of_system.iter().filter_map(|c| c.codes.first()).map(|c| format!("`{c}`")).collect();
    if own.is_empty() {
        return Found::Wrong(format!("its classification has no code; {wanted} is wanted"));
    }
    Found::Wrong(format!("is classified as {}, not {wanted}", own.join(", ")))
}

fn find_material(holder: &Holder<'_>, value: Option<&Constraint>) -> Found {
    let Some(own) = holder.materials() else { return Found::Absent("has no material".into()) };
    let Some(wanted) = value else { return Found::Fits };
    if own.iter().any(|m| wanted.fits_text(m)) {
        return Found::Fits;
    }
    if own.is_empty() {
        return Found::Wrong(format!("its material has no name; {wanted} is wanted"));
    }
    let own: Vec<String> = own.iter().take(4).map(|m| format!("`{m}`")).collect();
    Found::Wrong(format!("its material is {}, not {wanted}", own.join(", ")))
}

fn entity_words(entity: &EntityFacet) -> String {
    match &entity.predefined_type {
        None => entity.name.to_string(),
        Some(predefined) => format!("{} of the type {predefined}", entity.name),
    }
}

/// What a facet speaks of, in words: `the property `X` in a set `Y``.
pub(super) fn words(facet: &Facet) -> String {
    let with = |value: &Option<Constraint>| value.as_ref().map(|v| format!(" that is {v}")).unwrap_or_default();
    match facet {
        Facet::Entity(entity) => format!("the class {}", entity_words(entity)),
        Facet::Attribute { name, value } => format!("an attribute {name}{}", with(value)),
        Facet::Property { set, name, value, .. } => format!("a property {name} in a set {set}{}", with(value)),
        Facet::Classification { system, value } => {
            let by = system.as_ref().map(|s| format!(" by {s}")).unwrap_or_default();
            format!("a classification{by}{}", with(value))
        }
        Facet::Material { value } => format!("a material{}", with(value)),
        Facet::PartOf { entity, relation } => {
            let how = relation.map_or("a part of", super::Relation::words);
            format!("a whole: it must not be {how} {}", entity_words(entity))
        }
    }
}
