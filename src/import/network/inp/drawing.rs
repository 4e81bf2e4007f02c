//! `[COORDINATES]`, `[VERTICES]`, `[LABELS]`, `[BACKDROP]` and `[TAGS]`: the map.

use super::document::Row;
use super::reader::Reader;
use super::words::{self, is};

/// The map: where things are, and what they are called besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// Where each node is, in the map's units; by node. Shorter than the nodes where the last have none.
    pub nodes: Vec<Option<[f64; 2]>>,
    /// Where each link bends, from its first node to its last; by link.
    pub links: Vec<Vec<[f64; 2]>>,
    /// Labels.
    pub labels: Vec<Label>,
    /// Lines of the backdrop as they stand: `UNITS METERS`.
    pub backdrop: Vec<String>,
    /// Tags of nodes.
    pub node_tags: Vec<(usize, String)>,
    /// Tags of links.
    pub link_tags: Vec<(usize, String)>,
}

/// A label of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where.
    pub at: [f64; 2],
    /// What it says.
    pub text: String,
    /// The node it stays with, and what follows it, as they stand.
    pub rest: Vec<String>,
}

impl Drawing {
    /// Sets where a node is.
    pub fn place_node(&mut self, node: usize, at: [f64; 2]) {
        if self.nodes.len() <= node {
            self.nodes.resize(node + 1, None);
        }
        if let Some(place) = self.nodes.get_mut(node) {
            *place = Some(at);
        }
    }
}

impl Reader {
    /// Two numbers, or nothing: what does not matter to the flow is not told line by line.
    fn point(&mut self, row: &Row<'_>, at: usize) -> Option<[f64; 2]> {
        match (words::number(Self::word(row, at)), words::number(Self::word(row, at + 1))) {
            (Some(x), Some(y)) => Some([x, y]),
            _ => {
                let message = format!("{} has no two numbers for its place on the map", Self::word(row, 0));
                self.warn(row.line, message, "write x and y; the line is left out");
                None
            }
        }
    }

    fn is_there(&mut self, row: &Row<'_>, found: bool) {
        // One line tells of all of them: maps often outlive parts of their network.
        if !found && !self.left_out.contains(Self::word(row, 0)) {
            if self.nameless == 0 {
                let message = format!("the map places {:?}, which is not in the network", Self::word(row, 0));
                self.warn(row.line, message, "take such lines away; they are left out");
            }
            self.nameless += 1;
        }
    }

    /// `node x y`
    pub(super) fn coordinate(&mut self, row: &Row<'_>) {
        let node = self.node_quietly(Self::word(row, 0));
        self.is_there(row, node.is_some());
        if let (Some(node), Some(at)) = (node, self.point(row, 1)) {
            self.out.drawing.place_node(node, at);
        }
    }

    /// `link x y`
    pub(super) fn vertex(&mut self, row: &Row<'_>) {
        let link = self.link_quietly(Self::word(row, 0));
        self.is_there(row, link.is_some());
        let (Some(link), Some(at)) = (link, self.point(row, 1)) else { return };
        let links = &mut self.out.drawing.links;
        if links.len() <= link {
            links.resize(link + 1, Vec::new());
        }
        if let Some(bends) = links.get_mut(link) {
            bends.push(at);
        }
    }

    /// `x y "text" (node)`
    pub(super) fn label(&mut self, row: &Row<'_>) {
        if row.words.len() < 3 {
            return self.warn(row.line, "the label says nothing".to_owned(), "write x, y and a text in quotes");
        }
        let Some(at) = self.point(row, 0) else { return };
        let rest = row.words.iter().skip(3).map(|w| (*w).to_owned()).collect();
        self.out.drawing.labels.push(Label { at, text: Self::word(row, 2).to_owned(), rest });
    }

    /// A line of the backdrop.
    pub(super) fn backdrop(&mut self, row: &Row<'_>) {
        let first = Self::word(row, 0);
        if !Self::any_of(first, &["DIMENSIONS", "UNITS", "FILE", "OFFSET"]) {
            let message = format!("the backdrop has no {first:?}");
            return self.warn(row.line, message, "see whether it is misspelt; it is kept as it stands");
        }
        if is(first, "DIMENSIONS") && row.words.iter().skip(1).filter_map(|w| words::number(w)).count() != 4 {
            let message = "the backdrop's dimensions are not four numbers".to_owned();
            return self.warn(row.line, message, "write the x and y of two corners");
        }
        let words: Vec<String> = row.words.iter().map(|w| words::quoted(w)).collect();
        self.out.drawing.backdrop.push(words.join(" "));
    }

    /// `NODE|LINK id tag`
    pub(super) fn tag(&mut self, row: &Row<'_>) {
        let tag = row.words.get(2..).unwrap_or_default().join(" ");
        match Self::word(row, 0) {
            w if is(w, "NODE") => {
                if let Some(node) = self.node(row, 1) {
                    self.out.drawing.node_tags.push((node, tag));
                }
            }
            w if is(w, "LINK") => {
                if let Some(link) = self.link(row, 1) {
                    self.out.drawing.link_tags.push((link, tag));
                }
            }
            w => self.refuse(row.line, format!("{w:?} has no tags"), "write NODE or LINK, a name and a tag"),
        }
    }
}
