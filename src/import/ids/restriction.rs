//! `<xs:restriction>`: enumerations, patterns, bounds and lengths.

use super::Fault;
use super::tree::Node;
use crate::site::ids::{Base, Bound, Pattern, Restriction};

/// Reads a restriction.
pub(super) fn read(node: &Node) -> Result<Restriction, Fault> {
    let base = node.attribute("base").unwrap_or("xs:string");
    let base = base.rsplit(':').next().unwrap_or(base);
    let mut restriction = Restriction { base: kind(node, base)?, ..Restriction::default() };
    for child in &node.children {
        let value = || {
            child
                .attribute("value")
                .ok_or_else(|| Fault::new(child, format!("<xs:{}> has no value", child.name), "write value=\"…\""))
        };
        match child.name.as_str() {
            "enumeration" => restriction.enumeration.push(value()?.to_owned()),
            "pattern" => {
                let pattern = Pattern::parse(value()?);
                restriction.patterns.push(pattern.map_err(|e| {
                    Fault::new(child, e, "write a pattern of XML Schema: plain characters, . [] () | ? * + {n,m}")
                })?);
            }
            "minInclusive" | "minExclusive" => {
                restriction.least = Some(bound(child, value()?, restriction.base, child.name == "minInclusive")?);
            }
            "maxInclusive" | "maxExclusive" => {
                restriction.most = Some(bound(child, value()?, restriction.base, child.name == "maxInclusive")?);
            }
            "length" => restriction.length = Some(count(child, value()?)?),
            "minLength" => restriction.min_length = Some(count(child, value()?)?),
            "maxLength" => restriction.max_length = Some(count(child, value()?)?),
            "annotation" => {}
            other => {
                let message = format!("<xs:{other}> is no restriction of IDS");
                return Err(Fault::new(child, message, "use enumeration, pattern, bounds or lengths"));
            }
        }
    }
    if !node.children.iter().any(|c| c.name != "annotation") {
        return Err(Fault::new(node, "an <xs:restriction> restricts nothing", "state what is allowed, or take it out"));
    }
    if restriction.base == Base::Number && !restriction.patterns.is_empty() {
        let message = "a pattern is for texts, and this restriction is of numbers";
        return Err(Fault::new(node, message, "give it the base xs:string, or use bounds"));
    }
    if restriction.base == Base::Number
        && let Some(bad) = restriction.enumeration.iter().find(|e| bad_number(e))
    {
        return Err(Fault::new(node, format!("`{bad}` is no number"), "write digits with a decimal point"));
    }
    Ok(restriction)
}

fn kind(node: &Node, base: &str) -> Result<Base, Fault> {
    Ok(match base {
        "string" | "normalizedString" | "token" | "anyURI" | "duration" => Base::Text,
        "double" | "float" | "decimal" | "integer" | "int" | "long" | "short" | "nonNegativeInteger"
        | "positiveInteger" => Base::Number,
        "boolean" => Base::Boolean,
        "date" | "dateTime" | "time" => Base::Time,
        other => {
            let message = format!("restrictions of xs:{other} are not checked");
            return Err(Fault::new(node, message, "use xs:string, xs:double, xs:integer, xs:boolean or xs:date"));
        }
    })
}

fn bound(node: &Node, text: &str, base: Base, inclusive: bool) -> Result<Bound, Fault> {
    let text = text.trim();
    if base != Base::Time && bad_number(text) {
        let message = format!("the bound `{text}` is no number");
        return Err(Fault::new(node, message, "write digits with a decimal point; no unit, values are SI"));
    }
    Ok(Bound { text: text.to_owned(), inclusive })
}

fn bad_number(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    !text.bytes().all(allowed) || text.parse::<f64>().is_err()
}

fn count(node: &Node, text: &str) -> Result<u64, Fault> {
    let bad = |_| Fault::new(node, format!("the length `{text}` is no whole number"), "write 0, 1, 2, …");
    text.trim().parse().map_err(bad)
}
