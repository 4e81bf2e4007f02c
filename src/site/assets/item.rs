//! What an asset registry says, row by row, before it is joined to the models.

use crate::site::model::PropertyValue;
use serde::Serialize;
use std::path::PathBuf;

/// Kinds of registry: a COBie workbook, a CSV file, any other workbook.
pub const REGISTRY_KINDS: [&str; 3] = ["cobie", "csv", "xlsx"];

/// What a column says of an asset, as `columns` in a `[[registries]]` entry calls it.
pub const COLUMNS: [&str; 11] =
    ["global_id", "tag", "name", "type", "space", "storey", "system", "zone", "fed_from", "serves", "part_of"];

/// What a row is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// An asset: equipment, or any other element.
    #[default]
    Asset,
    /// A space.
    Space,
    /// A storey.
    Storey,
    /// A building or a site.
    Building,
}

/// One row of a registry. What the row does not say is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegistryItem {
    /// What it is about.
    pub kind: ItemKind,
    /// Name of its sheet; empty for a CSV file.
    pub sheet: String,
    /// Number of its row in the sheet, or of its line in the file, from 1.
    pub row: usize,
    /// The mark on the equipment.
    pub tag: String,
    /// GlobalId of the IFC element, 22 characters.
    pub global_id: String,
    /// What people call it.
    pub name: String,
    /// What kind of thing it is.
    pub type_name: String,
    /// Number or name of the space it is in.
    pub space: String,
    /// Name of the storey it is on.
    pub storey: String,
    /// Names of the systems it belongs to.
    pub systems: Vec<String>,
    /// Names of the zones it belongs to (a space).
    pub zones: Vec<String>,
    /// Tags or names of what feeds it.
    pub fed_from: Vec<String>,
    /// Names of the spaces and zones it serves.
    pub serves: Vec<String>,
    /// Tag or name of what it is a part of.
    pub part_of: String,
    /// Every cell of the row that says something but the GlobalId: heading and value.
    pub attributes: Vec<(String, PropertyValue)>,
}

impl RegistryItem {
    /// What people call it: its tag, else its name, else its GlobalId.
    pub fn label(&self) -> &str {
        [&self.tag, &self.name, &self.global_id].into_iter().find(|t| !t.is_empty()).map_or("", String::as_str)
    }
}

/// One registry, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    /// Where it was read from.
    pub file: PathBuf,
    /// What people call it: its file name, unless the project names it.
    pub name: String,
    /// One of [`REGISTRY_KINDS`].
    pub kind: String,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Rows that say something of an asset, a space, a storey or a building, in the order of the file.
    pub items: Vec<RegistryItem>,
}

impl Registry {
    /// The place of a row in words: `assets.xlsx, Pumps, row 12`.
    pub fn place(&self, item: &RegistryItem) -> String {
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        match item.sheet.as_str() {
            "" => format!("{file}, row {}", item.row),
            sheet => format!("{file}, {sheet}, row {}", item.row),
        }
    }

    /// The name of the property set that its attributes become.
    pub fn set_name(&self) -> String {
        format!("Registry: {}", self.name)
    }
}
