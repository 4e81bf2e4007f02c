//! XML as a small tree: elements with their namespace, attributes, text and line.
//!
//! There is no document type in an IDS file, so one is refused, and with it every entity that could unfold.

use crate::problem::Problem;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// Elements may nest this deep; IDS needs nine.
const MAX_DEPTH: usize = 40;
/// And there may be this many.
const MAX_NODES: usize = 1_000_000;

/// Which vocabulary an element belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// IDS.
    Ids,
    /// XML Schema.
    Schema,
    /// Anything else.
    Other,
}

/// An element.
#[derive(Debug)]
pub(super) struct Node {
    /// Without its prefix.
    pub name: String,
    pub space: Space,
    attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
    /// All text that stands directly in it.
    pub text: String,
    pub line: usize,
}

impl Node {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(n, _)| n.as_str())
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name == name)
    }

    pub fn children_called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |c| c.name == name)
    }
}

/// Reads a document.
///
/// # Errors
/// It is no XML that is well-formed, has a document type, or is deeper or longer than any IDS file.
pub(super) fn parse(place: &str, text: &str) -> Result<Node, Problem> {
    let mut reader = NsReader::from_str(text);
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        let start = reader.buffer_position();
        let read = reader.read_resolved_event();
        let line = lines.of(start);
        let refuse = |line: usize, message: String, remedy: &str| {
            Err(Problem::error(format!("{place}:{line}"), message, remedy))
        };
        let (space, event) = match read {
            Ok((resolved, event)) => (space_of(&resolved), event),
            Err(e) => {
                let at = lines.of(reader.error_position());
                return refuse(at, format!("this is no well-formed XML: {e}"), "export or copy the IDS file again");
            }
        };
        match event {
            Event::Start(start) | Event::Empty(start) if count >= MAX_NODES || open.len() >= MAX_DEPTH => {
                let name = start.local_name().into_inner().to_owned();
                let message = if count >= MAX_NODES {
                    format!("more than {MAX_NODES} elements are too many for an IDS file")
                } else {
                    format!("<{name}> is nested more than {MAX_DEPTH} deep, which no IDS file is")
                };
                return refuse(line, message, "export the IDS file again");
            }
            Event::Start(start) => {
                count += 1;
                open.push(node(&start, space, line, place)?);
            }
            Event::Empty(start) => {
                count += 1;
                close(node(&start, space, line, place)?, &mut open, &mut root);
            }
            Event::End(_) => {
                if let Some(node) = open.pop() {
                    close(node, &mut open, &mut root);
                }
            }
            Event::Text(text) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text.xml10_content());
                } else if !text.xml10_content().trim().is_empty() {
                    return refuse(line, "this is text, no XML".into(), "name an .ids file");
                }
            }
            Event::CData(text) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let known = match reference.resolve_char_ref() {
                    Ok(Some(c)) => Some(c.to_string()),
                    _ => quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned),
                };
                match (known, open.last_mut()) {
                    (Some(text), Some(node)) => node.text.push_str(&text),
                    _ => {
                        let name: &str = &reference;
                        return refuse(line, format!("`&{name};` is no character"), "write the character itself");
                    }
                }
            }
            Event::DocType(_) => {
                let message = "it has a document type (<!DOCTYPE …>), which an IDS file has not".to_owned();
                return refuse(line, message, "remove it, or export the IDS file again");
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if let Some(node) = open.last() {
        let message = format!("the file ends inside <{}>", node.name);
        return Err(Problem::error(format!("{place}:{}", node.line), message, "export or copy the IDS file again"));
    }
    root.ok_or_else(|| Problem::error(place, "this is no XML: it has no element", "name an .ids file"))
}

fn close(node: Node, open: &mut [Node], root: &mut Option<Node>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(node),
        None => {
            root.get_or_insert(node);
        }
    }
}

fn node(start: &BytesStart<'_>, space: Space, line: usize, place: &str) -> Result<Node, Problem> {
    let name = start.local_name().into_inner().to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let read = attribute.map_err(|e| e.to_string()).and_then(|a| {
            let value = a.normalized_value(XmlVersion::Implicit1_0).map_err(|e| e.to_string())?;
            Ok((a.key.local_name().into_inner().to_owned(), value.into_owned()))
        });
        attributes.push(read.map_err(|e| {
            let message = format!("an attribute of <{name}> cannot be read: {e}");
            Problem::error(format!("{place}:{line}"), message, "export or copy the IDS file again")
        })?);
    }
    Ok(Node { name, space, attributes, children: Vec::new(), text: String::new(), line })
}

fn space_of(resolved: &ResolveResult<'_>) -> Space {
    match resolved {
        ResolveResult::Bound(Namespace("http://standards.buildingsmart.org/IDS")) => Space::Ids,
        ResolveResult::Bound(Namespace("http://www.w3.org/2001/XMLSchema")) => Space::Schema,
        _ => Space::Other,
    }
}

/// Lines by byte, asked for in rising order.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, byte: u64) -> usize {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let between = self.text.as_bytes().get(self.at..byte).unwrap_or_default();
        self.line += between.iter().filter(|b| **b == b'\n').count();
        self.at = self.at.max(byte);
        self.line
    }
}
