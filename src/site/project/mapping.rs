//! `[mapping]` and `[[naming_rules]]`: what helps to find the points of topics; and writing bindings that were found.

use super::load::existing;
use super::sheet::{Field, Sheet, Table};
use super::{Project, Template, edit};
use crate::problem::Problem;
use crate::site::binding::nearest;
use regex::{Regex, RegexBuilder};
use std::path::{Path, PathBuf};
use toml_edit::{ArrayOfTables, DocumentMut, Item, value};

/// Compiled expressions may take this much memory, bytes.
const MAX_SIZE: usize = 1 << 20;

/// What the project says of mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MappingSettings {
    /// What this building is called in topics: `B1`, `clinic`.
    pub buildings: Vec<String>,
    /// Brick (Turtle) and Haystack (JSON, Zinc) files, absolute paths, with their lines.
    pub files: Vec<(PathBuf, usize)>,
    /// Topic filters of what is nobody's point.
    pub ignore: Vec<String>,
    /// A match counts from this score on; none: the usual one.
    pub at_least: Option<f64>,
}

impl MappingSettings {
    /// True for a topic that the project leaves out.
    pub fn ignores(&self, topic: &str) -> bool {
        self.ignore.iter().any(|filter| filtered(filter, topic))
    }
}

/// True when an MQTT filter (3.1.1, 4.7) takes a topic.
fn filtered(filter: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// A rule of how topics are named.
#[derive(Clone, Debug)]
pub struct TopicRule {
    /// Matched with the topic, and behind it `#` and the payload's key where there is one.
    pub topic: Regex,
    /// Tag, name or GlobalId of the element, with `{name}` and `{1}` for captures.
    pub asset: String,
    /// The role, or a word for it, with captures.
    pub point: String,
    /// What such words mean: word and role.
    pub roles: Vec<(String, String)>,
    /// True: what matches is nobody's point.
    pub ignore: bool,
    /// Line in `twin.toml`.
    pub line: usize,
}

/// Reads `[mapping]`.
pub(super) fn read(table: Table<'_>, folder: &Path) -> MappingSettings {
    let sheet = table.sheet;
    let texts = |key| table.texts(key).unwrap_or_default();
    let files = texts("files").iter().map(|f| (existing(sheet, folder, f), f.line)).collect();
    let ignore = texts("ignore").into_iter().filter(|f| fine_filter(sheet, f)).map(|f| f.value).collect();
    let settings = MappingSettings {
        buildings: texts("buildings").into_iter().map(|b| b.value).filter(|b| !b.trim().is_empty()).collect(),
        files,
        ignore,
        at_least: table.number_in("at_least", 0.0, 1.0).map(|n| n.value),
    };
    table.finish();
    settings
}

/// `#` at the end only, `+` and `#` for whole levels.
pub(super) fn fine_filter(sheet: &Sheet, filter: &Field<String>) -> bool {
    let levels: Vec<&str> = filter.value.split('/').collect();
    let fine = !filter.value.is_empty()
        && levels.iter().enumerate().all(|(i, l)| match *l {
            "#" => i + 1 == levels.len(),
            "+" => true,
            l => !l.contains(['#', '+', '\0']),
        });
    if !fine {
        sheet.error(filter.line, format!("`{}` is no topic filter", filter.value), "site/+/value, site/#");
    }
    fine
}

/// Reads the rules; one that is wrong is noted and left out.
pub(super) fn read_rules(tables: Vec<Table<'_>>, templates: &[Template]) -> Vec<TopicRule> {
    tables.into_iter().filter_map(|t| read_rule(t, templates)).collect()
}

fn read_rule(table: Table<'_>, templates: &[Template]) -> Option<TopicRule> {
    let (sheet, line) = (table.sheet, table.line);
    let ignore = table.truth("ignore").unwrap_or(false);
    let (topic, asset, point) = (table.word("topic"), table.word("asset"), table.word("point"));
    let mut needed = vec![("topic", "topic = '^B1\\.(?<tag>[^.]+)\\.(?<point>\\w+)$', a regular expression")];
    if !ignore {
        needed.push(("asset", "asset = \"{tag}\", the tag, name or GlobalId with what was captured"));
        needed.push(("point", "point = \"{point}\", the role or a word that `roles` translates"));
    }
    for (key, example) in needed {
        if !table.has(key) {
            sheet.error(line, format!("{} has no `{key}`", table.title), format!("write {example}"));
        }
    }
    let mut roles = Vec::new();
    for (word, role) in table.table("roles").map(|t| t.words("word")).unwrap_or_default() {
        let known = || templates.iter().flat_map(|t| &t.points).filter(|p| p.expression.is_none());
        if !known().any(|p| p.role == role.value) {
            let near = nearest(&role.value, known().map(|p| p.role.as_str()));
            let remedy =
                near.map_or_else(|| "name a point of a template".to_owned(), |n| format!("did you mean `{n}`?"));
            sheet.error(
                role.line,
                format!("`{word}` stands for `{}`, which is a point of no template", role.value),
                remedy,
            );
            continue;
        }
        roles.push((word, role.value));
    }
    table.finish();
    let topic = topic?;
    let regex = match RegexBuilder::new(&topic.value).size_limit(MAX_SIZE).build() {
        Ok(regex) => regex,
        Err(e) => {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let remedy = "mend it; in '…' a backslash is one: '^B1\\.(?<tag>\\w+)$'";
            sheet.error(topic.line, format!("`{}` is no regular expression: {why}", topic.value), remedy);
            return None;
        }
    };
    let names: Vec<&str> = regex.capture_names().flatten().collect();
    let mut fine = true;
    for text in [&asset, &point].into_iter().flatten() {
        for name in text.value.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|(n, _)| n) {
            let by_number = name.parse::<usize>().is_ok_and(|i| i < regex.captures_len());
            if !by_number && !names.contains(&name) {
                let remedy = format!("the captures are {}", all_captures(&regex));
                sheet.error(text.line, format!("`{{{name}}}` is captured nowhere in `{}`", topic.value), remedy);
                fine = false;
            }
        }
    }
    if !fine || !ignore && (asset.is_none() || point.is_none()) {
        return None;
    }
    let text = |t: Option<Field<String>>| t.map(|t| t.value).unwrap_or_default();
    Some(TopicRule { topic: regex, asset: text(asset), point: text(point), roles, ignore, line })
}

fn all_captures(regex: &Regex) -> String {
    let all =
        regex.capture_names().enumerate().map(|(i, n)| n.map_or_else(|| format!("{{{i}}}"), |n| format!("{{{n}}}")));
    all.collect::<Vec<_>>().join(" ")
}

/// A binding that was found and is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBinding {
    /// Tag or GlobalId of the element.
    pub asset: String,
    /// Its role.
    pub point: String,
    /// The template that the role is of.
    pub template: Option<String>,
    /// The whole topic.
    pub topic: String,
    /// The payload's key; empty for one bare value.
    pub key: String,
    /// What people read beside it.
    pub remark: String,
}

/// Writes bindings into the project's file, each in the place of one by hand of the same point; all else in it, comments
/// too, stays as it is. Gives how many were added and how many changed.
///
/// # Errors
/// When the file cannot be read or written or is not TOML. The file is written whole or not at all.
pub fn save_bindings(project: &Project, found: &[FoundBinding]) -> Result<(usize, usize), Problem> {
    edit::edit(&project.file, "the bindings", |document| with_bindings(document, found))
}

fn with_bindings(document: &mut DocumentMut, found: &[FoundBinding]) -> Result<(usize, usize), String> {
    if found.is_empty() {
        return Ok((0, 0));
    }
    let item = document.entry("bindings").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(tables) = item.as_array_of_tables_mut() else {
        return Err("`bindings` is no list of tables: write each as [[bindings]]".into());
    };
    let (mut added, mut changed) = (0, 0);
    for binding in found {
        let says = |t: &toml_edit::Table, key: &str, word: &str| t.get(key).and_then(Item::as_str) == Some(word);
        let same = |t: &toml_edit::Table| says(t, "asset", &binding.asset) && says(t, "point", &binding.point);
        if let Some(table) = tables.iter_mut().find(|t| same(t)) {
            if !says(table, "topic", &binding.topic) || !says(table, "key", &binding.key) {
                table["topic"] = value(&binding.topic);
                table["key"] = value(&binding.key);
                changed += 1;
            }
            continue;
        }
        let mut table = toml_edit::Table::new();
        table["asset"] = value(&binding.asset);
        table["point"] = value(&binding.point);
        if let Some(template) = &binding.template {
            table["template"] = value(template);
        }
        table["topic"] = value(&binding.topic);
        table["key"] = value(&binding.key);
        let remark = binding.remark.replace(['\n', '\r'], " ");
        table.decor_mut().set_prefix(format!("\n# {remark}\n"));
        tables.push(table);
        added += 1;
    }
    Ok((added, changed))
}

#[cfg(test)]
mod tests {
    use super::super::edit::changed;
    use super::super::load;
    use super::*;

    fn problems(text: &str) -> (Project, Vec<Problem>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("twin.toml"), text).unwrap();
        load(folder.path()).unwrap()
    }

    #[test]
    fn rules_are_read_and_what_is_wrong_has_its_line() {
        let text = "name = \"House\"\nmodels = []\n[templates.ahu]\nmatch = { class = \"IfcFan\" }\n\
            points = { speed = { unit = \"%\" } }\n\
            [mapping]\nbuildings = [\"B1\"]\nignore = [\"test/#\", \"a#\"]\nfiles = [\"gone.ttl\"]\nat_least = 2\n\
            [[naming_rules]]\ntopic = '^(?<tag>\\w+)/(\\w+)$'\nasset = \"{tag}\"\npoint = \"{2}\"\nroles = { SPD = \"speed\" }\n\
            [[naming_rules]]\ntopic = '('\nasset = \"x\"\npoint = \"y\"\n\
            [[naming_rules]]\ntopic = 'a'\nasset = \"{b}\"\npoint = \"speed\"\n\
            [[naming_rules]]\ntopic = '^old/'\nignore = true\n\
            [[naming_rules]]\ntopic = 'a'\nasset = \"b\"\nroles = { X = \"sped\" }\n";
        let (project, problems) = problems(text);
        assert_eq!(project.naming_rules.len(), 2, "{problems:#?}");
        assert!(project.naming_rules[1].ignore);
        assert_eq!(project.naming_rules[0].roles, [("SPD".to_owned(), "speed".to_owned())]);
        assert!(project.mapping.ignores("test/a/b") && !project.mapping.ignores("site/test"));
        for (line, words) in [
            (8, "`a#` is no topic filter"),
            (9, "no file `gone.ttl`"),
            (10, "`at_least` in [mapping] is 2"),
            (17, "no regular expression"),
            (22, "`{b}` is captured nowhere"),
            (27, "has no `point`"),
            (30, "`X` stands for `sped`"),
        ] {
            let place = format!("twin.toml:{line}");
            let found = problems.iter().any(|p| p.place == place && p.message.contains(words) && !p.remedy.is_empty());
            assert!(found, "{line} {words}: {problems:#?}");
        }
    }

    #[test]
    fn bindings_are_written_and_nothing_else_changes() {
        let found = |asset: &str, topic: &str| FoundBinding {
            asset: asset.into(),
            point: "speed".into(),
            template: Some("fan".into()),
            topic: topic.into(),
            key: String::new(),
            remark: "by name, 0.97".into(),
        };
        let text = "# mine\nname = \"x\" # here\n\n[[bindings]] # old\nasset = \"F-1\"\npoint = \"speed\"\ntopic = \"a\" # wire\nkey = \"\"\n\n[cache]\nmax_mb = 5\n";
        let both = [found("F-1", "b"), found("F-2", "c")];
        let (new, counts) = changed(text, |d| with_bindings(d, &both)).unwrap();
        assert_eq!(counts, (1, 1), "{new}");
        for kept in [
            "# mine",
            "# here",
            "# old",
            "[cache]\nmax_mb = 5",
            "asset = \"F-2\"",
            "template = \"fan\"",
            "# by name, 0.97",
        ] {
            assert!(new.contains(kept), "{kept}: {new}");
        }
        // A second time nothing happens.
        let (again, counts) = changed(&new, |d| with_bindings(d, &both)).unwrap();
        assert_eq!((again, counts), (new, (0, 0)));
        assert!(changed("bindings = 3\n", |d| with_bindings(d, &both)).is_err());
    }
}
