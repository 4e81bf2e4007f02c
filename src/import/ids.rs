//! IDS files (buildingSMART, XML, version 1.0) to [`Ids`].
//!
//! What cannot be checked is not left out in silence: its specification says why ([`Specification::unchecked`]),
//! and there is a problem with its line.

mod facets;
mod restriction;
mod tree;

use super::{Limits, open_file};
use crate::problem::Problem;
use crate::site::ids::{Ids, Occurs, Specification};
use std::io::Read;
use std::path::Path;
use tree::{Node, Space};

/// A demand is written by people: a larger file is something else, bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Reads an IDS file.
///
/// # Errors
/// When it is missing, empty, too large, no XML, another XML, or of another version; with the line where there is
/// one.
pub fn read(path: &Path, limits: &Limits) -> Result<(Ids, Vec<Problem>), Problem> {
    let place = path.display().to_string();
    let (file, size) = open_file(path)?;
    let most = MAX_BYTES.min(limits.max_bytes);
    if size > most {
        return Err(Problem::error(
            place,
            format!("{size} bytes are too many for an IDS file"),
            "name the .ids file; demands of this size must be split into several files",
        ));
    }
    let mut bytes = Vec::new();
    let unreadable = |e: std::io::Error| Problem::error(place.clone(), format!("cannot be read: {e}"), "copy it again");
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    parse(&place, bytes)
}

/// Reads the bytes of an IDS file that is called `place`.
///
/// # Errors
/// As [`read`].
pub fn parse(place: &str, bytes: Vec<u8>) -> Result<(Ids, Vec<Problem>), Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::error(place, "the file is empty", "export or copy it again"));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|b| **b == b'\n').count();
        Problem::error(format!("{place}:{line}"), "this is not text in UTF-8", "save the IDS file as UTF-8")
    })?;
    let root = tree::parse(place, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    let at = |line: usize| format!("{place}:{line}");
    if root.name != "ids" {
        let remedy = "an IDS file starts with <ids xmlns=\"http://standards.buildingsmart.org/IDS\">";
        return Err(Problem::error(at(root.line), format!("this is XML with <{}>, no IDS file", root.name), remedy));
    }
    if root.space != Space::Ids {
        let message = "its <ids> is not of the namespace http://standards.buildingsmart.org/IDS";
        return Err(Problem::error(at(root.line), message, "export it as IDS 1.0"));
    }
    if let Some(line) = older_version(&root) {
        let message = "this is IDS of a version before 1.0, which means other things by the same words";
        return Err(Problem::error(at(line), message, "open it in an IDS editor and save it as IDS 1.0"));
    }
    let mut reader = Reader { place: place.to_owned(), problems: Vec::new() };
    let ids = reader.ids(&root);
    if ids.specifications.is_empty() {
        let remedy = "give it a <specification> in <specifications>";
        return Err(Problem::error(at(root.line), "it holds no specification: there is nothing to check", remedy));
    }
    Ok((ids, reader.problems))
}

/// The line that gives an older version away: occurrences stood elsewhere, and a property's name was `name`.
fn older_version(root: &Node) -> Option<usize> {
    let old_schema =
        |n: &Node| n.attribute("schemaLocation").is_some_and(|s| s.contains("/0.9") || s.contains("ids_09"));
    if old_schema(root) {
        return Some(root.line);
    }
    let specifications = root.child("specifications")?;
    let old = |s: &&Node| {
        let facets = s.child("requirements").into_iter().chain(s.child("applicability")).flat_map(|n| &n.children);
        s.attribute("minOccurs").is_some()
            || s.attribute("maxOccurs").is_some()
            || facets.into_iter().any(|f| {
                f.attribute("minOccurs").is_some()
                    || (f.name == "property" && f.child("baseName").is_none() && f.child("name").is_some())
            })
    };
    specifications.children_called("specification").find(old).map(|s| s.line)
}

/// Notes what is wrong on the way.
struct Reader {
    place: String,
    problems: Vec<Problem>,
}

impl Reader {
    fn ids(&mut self, root: &Node) -> Ids {
        let title = root.child("info").and_then(|i| i.child("title")).map(|t| t.text.trim().to_owned());
        let specifications = root
            .child("specifications")
            .map(|all| all.children_called("specification").map(|node| self.specification(node)).collect());
        Ids { title: title.unwrap_or_default(), specifications: specifications.unwrap_or_default() }
    }

    fn specification(&mut self, node: &Node) -> Specification {
        let text = |name: &str| node.attribute(name).unwrap_or_default().trim().to_owned();
        let mut specification = Specification {
            name: text("name"),
            identifier: text("identifier"),
            description: text("description"),
            instructions: text("instructions"),
            versions: Vec::new(),
            occurs: Occurs::default(),
            applicability: Vec::new(),
            requirements: Vec::new(),
            line: node.line,
            unchecked: None,
        };
        if let Err(fault) = self.fill(node, &mut specification) {
            let name = if specification.name.is_empty() { "without a name" } else { &specification.name };
            self.problems.push(Problem::error(
                format!("{}:{}", self.place, fault.line),
                format!("the specification `{name}` is not checked: {}", fault.message),
                fault.remedy,
            ));
            specification.unchecked = Some(fault.message);
        }
        specification
    }

    fn fill(&mut self, node: &Node, into: &mut Specification) -> Result<(), Fault> {
        into.versions = self.versions(node)?;
        let applicability = node
            .child("applicability")
            .ok_or_else(|| Fault::new(node, "it has no <applicability>", "say which objects it is for"))?;
        into.occurs = occurs(applicability)?;
        into.applicability = facets::applicability(applicability)?;
        if into.applicability.is_empty() {
            return Err(Fault::new(applicability, "it does not say which objects it is for", "give it an <entity>"));
        }
        if let Some(requirements) = node.child("requirements") {
            into.requirements = facets::requirements(requirements)?;
        }
        if into.occurs == Occurs::Prohibited && !into.requirements.is_empty() {
            self.problems.push(Problem::info(
                format!("{}:{}", self.place, node.line),
                format!("`{}` says that such objects must not be there: its requirements mean nothing", into.name),
                "leave its <requirements> out",
            ));
        }
        Ok(())
    }

    fn versions(&mut self, node: &Node) -> Result<Vec<String>, Fault> {
        let stated = node.attribute("ifcVersion").unwrap_or_default();
        let remedy = "write IFC2X3, IFC4, IFC4X3_ADD2 or several of them";
        let known = ["IFC2X3", "IFC4", "IFC4X3_ADD2"];
        let (good, bad): (Vec<&str>, Vec<&str>) = stated.split_whitespace().partition(|v| known.contains(v));
        if good.is_empty() {
            return Err(Fault::new(node, format!("its ifcVersion `{stated}` is none"), remedy));
        }
        for version in bad {
            self.problems.push(Problem::warning(
                format!("{}:{}", self.place, node.line),
                format!("the ifcVersion `{version}` is none: models of it are not checked"),
                remedy,
            ));
        }
        Ok(good.into_iter().map(str::to_owned).collect())
    }
}

/// How many objects there must be. What is not stated is 1, as in XML Schema.
fn occurs(node: &Node) -> Result<Occurs, Fault> {
    let least = node.attribute("minOccurs").unwrap_or("1");
    let most = node.attribute("maxOccurs").unwrap_or("unbounded");
    match (least, most) {
        ("1", "unbounded") => Ok(Occurs::Required),
        ("0", "unbounded") => Ok(Occurs::Optional),
        ("0", "0") => Ok(Occurs::Prohibited),
        _ => Err(Fault::new(
            node,
            format!("minOccurs {least} with maxOccurs {most} is not one of the three that IDS knows"),
            "write 1 and unbounded (required), 0 and unbounded (optional) or 0 and 0 (prohibited)",
        )),
    }
}

/// Why a specification cannot be checked.
struct Fault {
    line: usize,
    message: String,
    remedy: String,
}

impl Fault {
    fn new(node: &Node, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { line: node.line, message: message.into(), remedy: remedy.into() }
    }
}
