//! Facets: `<entity>`, `<attribute>`, `<property>`, `<classification>`, `<material>`, `<partOf>`.

use super::Fault;
use super::restriction;
use super::tree::{Node, Space};
use crate::site::ids::{Cardinality, Constraint, EntityFacet, Facet, Relation, Requirement};

/// Which objects a specification is for.
pub(super) fn applicability(node: &Node) -> Result<Vec<Facet>, Fault> {
    node.children
        .iter()
        .map(|child| match child.attribute("cardinality") {
            None => facet(child),
            Some(_) => Err(Fault::new(
                child,
                format!("<{}> in <applicability> has a cardinality", child.name),
                "leave it out: all that stands there must fit",
            )),
        })
        .collect()
}

/// What each of them must have.
pub(super) fn requirements(node: &Node) -> Result<Vec<Requirement>, Fault> {
    node.children.iter().map(requirement).collect()
}

fn requirement(node: &Node) -> Result<Requirement, Fault> {
    let cardinality = match node.attribute("cardinality") {
        None | Some("required") => Cardinality::Required,
        Some("optional") => Cardinality::Optional,
        Some("prohibited") => Cardinality::Prohibited,
        Some(other) => {
            let message = format!("`{other}` is no cardinality");
            return Err(Fault::new(node, message, "write required, optional or prohibited"));
        }
    };
    if node.name == "entity" && cardinality != Cardinality::Required {
        return Err(Fault::new(node, "an <entity> is always required", "leave its cardinality out"));
    }
    let instructions = node.attribute("instructions").unwrap_or_default().trim().to_owned();
    Ok(Requirement { facet: facet(node)?, cardinality, instructions })
}

fn facet(node: &Node) -> Result<Facet, Fault> {
    if node.space != Space::Ids {
        return Err(unknown(node));
    }
    let facet = match node.name.as_str() {
        "entity" => Facet::Entity(entity(node)?),
        "attribute" => {
            only(node, &["name", "value"], &[])?;
            Facet::Attribute { name: needed(node, "name")?, value: value(node, "value")? }
        }
        "property" => {
            only(node, &["propertySet", "baseName", "value"], &["dataType", "uri"])?;
            Facet::Property {
                set: needed(node, "propertySet")?,
                name: needed(node, "baseName")?,
                value: value(node, "value")?,
                data_type: data_type(node)?,
            }
        }
        "classification" => {
            only(node, &["system", "value"], &["uri"])?;
            Facet::Classification { system: value(node, "system")?, value: value(node, "value")? }
        }
        "material" => {
            only(node, &["value"], &["uri"])?;
            Facet::Material { value: value(node, "value")? }
        }
        "partOf" => {
            only(node, &["entity"], &["relation"])?;
            let relation = node.attribute("relation").map(|word| {
                Relation::parse(word).ok_or_else(|| {
                    let remedy = "write IFCRELAGGREGATES, IFCRELASSIGNSTOGROUP, IFCRELCONTAINEDINSPATIALSTRUCTURE, \
                                  IFCRELNESTS or IFCRELVOIDSELEMENT IFCRELFILLSELEMENT";
                    Fault::new(node, format!("`{word}` is no relation of IDS"), remedy)
                })
            });
            let whole = node.child("entity").ok_or_else(|| lacks(node, "entity"))?;
            Facet::PartOf { entity: entity(whole)?, relation: relation.transpose()? }
        }
        _ => return Err(unknown(node)),
    };
    Ok(facet)
}

fn unknown(node: &Node) -> Fault {
    Fault::new(
        node,
        format!("<{}> is no facet of IDS 1.0", node.name),
        "use entity, attribute, property, classification, material or partOf",
    )
}

fn lacks(node: &Node, what: &str) -> Fault {
    Fault::new(node, format!("<{}> has no <{what}>", node.name), "add it, or take the facet out")
}

/// Nothing may stand in a facet that would be passed over.
fn only(node: &Node, children: &[&str], attributes: &[&str]) -> Result<(), Fault> {
    if let Some(child) = node.children.iter().find(|c| !children.contains(&c.name.as_str())) {
        let message = format!("<{}> has no part <{}> in IDS 1.0", node.name, child.name);
        return Err(Fault::new(child, message, format!("its parts are {}", children.join(", "))));
    }
    let everywhere = ["cardinality", "instructions", "description"];
    let known = |a: &&str| attributes.contains(a) || everywhere.contains(a) || a.starts_with("xmlns");
    if let Some(attribute) = node.attributes().find(|a| !known(a)) {
        let message = format!("<{}> has no attribute `{attribute}` in IDS 1.0", node.name);
        return Err(Fault::new(node, message, "leave it out"));
    }
    Ok(())
}

fn entity(node: &Node) -> Result<EntityFacet, Fault> {
    only(node, &["name", "predefinedType"], &[])?;
    let name = needed(node, "name")?;
    let stated: Vec<&String> = match &name {
        Constraint::Simple(text) => vec![text],
        Constraint::Restriction(r) => r.enumeration.iter().collect(),
    };
    if let Some(small) = stated.into_iter().find(|t| t.chars().any(char::is_lowercase)) {
        let message = format!("the class `{small}` is not in capitals");
        return Err(Fault::new(node, message, format!("write {}", small.to_uppercase())));
    }
    Ok(EntityFacet { name, predefined_type: value(node, "predefinedType")? })
}

fn data_type(node: &Node) -> Result<Option<String>, Fault> {
    let Some(stated) = node.attribute("dataType") else { return Ok(None) };
    if stated.is_empty() || !stated.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        let message = format!("the dataType `{stated}` is not the name of a type in capitals");
        return Err(Fault::new(node, message, "write IFCLABEL, IFCREAL, IFCLENGTHMEASURE, …"));
    }
    Ok(Some(stated.to_owned()))
}

fn needed(node: &Node, name: &str) -> Result<Constraint, Fault> {
    value(node, name)?.ok_or_else(|| lacks(node, name))
}

/// The `<simpleValue>` or `<xs:restriction>` in a part of a facet; none when the part is not there.
fn value(node: &Node, name: &str) -> Result<Option<Constraint>, Fault> {
    let Some(part) = node.child(name) else { return Ok(None) };
    match part.children.as_slice() {
        [only] if only.name == "simpleValue" && only.space == Space::Ids && only.children.is_empty() => {
            Ok(Some(Constraint::Simple(only.text.clone())))
        }
        [only] if only.name == "restriction" && only.space == Space::Schema => {
            Ok(Some(Constraint::Restriction(Box::new(restriction::read(only)?))))
        }
        _ => Err(Fault::new(
            part,
            format!("<{name}> of <{}> has neither one <simpleValue> nor one <xs:restriction>", node.name),
            "give it one of the two",
        )),
    }
}
