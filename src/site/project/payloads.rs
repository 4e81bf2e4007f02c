//! `[[payloads]]`: where values stand in payloads of other shapes than Plenum's own; and `[sparkplug]`.

use super::mapping::fine_filter;
use super::sheet::{Field, Table};

/// One step into a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a member of an object.
    Member(String),
    /// Into the member that a level of the topic names, counted from 0.
    Level(usize),
    /// Into an item of a list, counted from 0.
    Index(usize),
    /// Into each item of a list, or each member of an object.
    Each,
}

/// A way into a JSON document: `$.data[0].value`. A part of JSONPath (RFC 9535): members, indices and one wildcard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// From the document's root; none for the document itself.
    pub steps: Vec<Step>,
}

/// Where the key of a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// A text in the payload.
    Path(Path),
    /// Pieces of text, and levels of the topic by number.
    Text(Vec<Result<String, usize>>),
}

/// Where values stand in the payloads of some topics.
#[derive(Clone, Debug, PartialEq)]
pub struct PayloadShape {
    /// MQTT filter of the topics; its named levels are `+`.
    pub topic: String,
    /// The value. Its wildcard, where it has one, makes an item of each thing there.
    pub value: Path,
    /// When it was measured.
    pub time: Option<Path>,
    /// Milliseconds in a unit of that time, where it is a number; none: seconds or milliseconds, by its size.
    pub time_unit_ms: Option<f64>,
    /// How far it can be trusted.
    pub quality: Option<Path>,
    /// Its unit.
    pub unit: Option<Path>,
    /// Its key; none: the member's name where the value ends with a wildcard, else no key.
    pub key: Option<KeyFrom>,
    /// Numbers in quotes are numbers too.
    pub numbers_in_text: bool,
    /// Line in `twin.toml`.
    pub line: usize,
}

/// Sparkplug B as a host application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sparkplug {
    /// The host's id: `spBv1.0/STATE/ID` says that it is there.
    pub host: String,
    /// Groups that are listened to; none: all.
    pub groups: Vec<String>,
}

impl Sparkplug {
    /// The topic filters of its groups.
    pub fn filters(&self) -> Vec<String> {
        if self.groups.is_empty() {
            return vec!["spBv1.0/#".into()];
        }
        self.groups.iter().map(|g| format!("spBv1.0/{g}/#")).collect()
    }
}

pub(super) fn read_sparkplug(table: Table<'_>) -> Option<Sparkplug> {
    let (sheet, line) = (table.sheet, table.line);
    let host = table.word("host");
    if !table.has("host") {
        sheet.error(line, "[sparkplug] has no `host`", "write the id of this host application: host = \"plenum\"");
    }
    let one_level = |f: &Field<String>| {
        let fine = !f.value.is_empty() && !f.value.contains(['/', '+', '#', '\0']);
        if !fine {
            sheet.error(f.line, format!("`{}` is no id: it is one level of a topic", f.value), "leave out / + and #");
        }
        fine
    };
    let host = host.filter(&one_level);
    let groups = table.texts("groups").unwrap_or_default();
    let groups = groups.into_iter().filter(&one_level).map(|g| g.value).collect();
    table.finish();
    Some(Sparkplug { host: host?.value, groups })
}

pub(super) fn read_all(tables: Vec<Table<'_>>) -> Vec<PayloadShape> {
    tables.into_iter().filter_map(read).collect()
}

fn read(table: Table<'_>) -> Option<PayloadShape> {
    let (sheet, line) = (table.sheet, table.line);
    let topic = table.word("topic");
    for (key, example) in [("topic", "topic = \"bms/{device}/+/state\""), ("value", "value = \"$.data[0].value\"")] {
        if !table.has(key) {
            sheet.error(line, format!("{} has no `{key}`", table.title), format!("write {example}"));
        }
    }
    let (filter, levels) = topic.as_ref().map(|t| named_levels(&t.value)).unwrap_or_default();
    let path = |key: &'static str| -> Option<Option<Path>> {
        let Some(text) = table.word(key) else { return Some(None) };
        match Path::parse(&text.value, &levels) {
            Ok(path) => Some(Some(path)),
            Err(why) => {
                sheet.error(
                    text.line,
                    format!("`{}` is no path: {why}", text.value),
                    "$.data[0].value, $.points[*].v, $['a b']",
                );
                None
            }
        }
    };
    let (value, time, quality, unit) = (path("value"), path("time"), path("quality"), path("unit"));
    let key = match table.text("key") {
        Some(text) if text.value.starts_with('$') => path("key").map(|p| p.map(KeyFrom::Path)),
        Some(text) => match captured(&text.value, &levels) {
            Ok(pieces) => Some(Some(KeyFrom::Text(pieces))),
            Err(name) => {
                let message = format!("`{{{name}}}` in `{}` is no level of the topic", text.value);
                sheet.error(text.line, message, "name a level so: topic = \"bms/{device}/state\"");
                None
            }
        },
        None => Some(None),
    };
    let time_unit = table.word("time_unit").and_then(|word| {
        let known =
            [("s", 1000.0), ("ms", 1.0), ("us", 1e-3), ("ns", 1e-6)].into_iter().find(|(u, _)| *u == word.value);
        if known.is_none() {
            sheet.error(word.line, format!("`time_unit` is `{}`", word.value), "use s, ms, us or ns");
        }
        known.map(|(_, ms)| ms)
    });
    let numbers_in_text = table.truth("numbers_in_text").unwrap_or(false);
    table.finish();
    let topic = topic?;
    let fine = fine_filter(sheet, &Field { value: filter.clone(), line: topic.line });
    let (value, time, quality, unit, key) = (value??, time?, quality?, unit?, key?);
    let others = [&time, &quality, &unit].into_iter().flatten();
    let of_key = if let Some(KeyFrom::Path(p)) = &key { Some(p) } else { None };
    let mut whole = fine;
    let each = value.steps.iter().filter(|s| **s == Step::Each).count();
    if each > 1 {
        sheet.error(
            line,
            "`value` has two wildcards",
            "one * or [*] is understood: write one [[payloads]] for each list",
        );
        whole = false;
    }
    let items = value
        .steps
        .iter()
        .position(|s| *s == Step::Each)
        .map_or(&[][..], |i| value.steps.get(..=i).unwrap_or_default());
    for path in others.chain(of_key) {
        if path.steps.contains(&Step::Each) && (items.is_empty() || !path.steps.starts_with(items)) {
            let message = "a path with a wildcard does not go through the same list as `value`";
            sheet.error(line, message, "begin both alike: $.points[*].value and $.points[*].time");
            whole = false;
        }
    }
    let shape =
        PayloadShape { topic: filter, value, time, time_unit_ms: time_unit, quality, unit, key, numbers_in_text, line };
    whole.then_some(shape)
}

/// `bms/{device}/+` is the filter `bms/+/+`, and `device` its level 1.
fn named_levels(topic: &str) -> (String, Vec<(String, usize)>) {
    let mut names = Vec::new();
    let levels: Vec<&str> = topic
        .split('/')
        .enumerate()
        .map(|(i, level)| match level.strip_prefix('{').and_then(|l| l.strip_suffix('}')) {
            Some(name) if !name.is_empty() => {
                names.push((name.to_owned(), i));
                "+"
            }
            _ => level,
        })
        .collect();
    (levels.join("/"), names)
}

/// Text with `{level}` taken apart; the name that is none.
fn captured(text: &str, levels: &[(String, usize)]) -> Result<Vec<Result<String, usize>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Ok(before.to_owned()));
        }
        pieces.push(Err(levels.iter().find(|(n, _)| n == name).map(|(_, i)| *i).ok_or_else(|| name.to_owned())?));
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(Ok(rest.to_owned()));
    }
    Ok(pieces)
}

impl Path {
    /// Reads `$`, `$.a.b`, `$['a b'][0]`, `$.points[*].v`, `$.values.*`; `{name}` as a member stands for a level of the
    /// topic.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub fn parse(text: &str, levels: &[(String, usize)]) -> Result<Self, String> {
        let Some(mut rest) = text.strip_prefix('$') else { return Err("it does not begin with `$`".into()) };
        let mut steps = Vec::new();
        let member = |name: &str| match name.strip_prefix('{').and_then(|n| n.strip_suffix('}')) {
            Some(level) => {
                let known = levels.iter().find(|(n, _)| n == level).map(|(_, i)| Step::Level(*i));
                known.ok_or_else(|| format!("`{{{level}}}` is no level of the topic"))
            }
            None => Ok(Step::Member(name.to_owned())),
        };
        while !rest.is_empty() {
            let at = text.chars().count() - rest.chars().count() + 1;
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (name, tail) = after.split_at(end);
                steps.push(match name {
                    "" => return Err(format!("a name is missing at character {}", at + 1)),
                    "*" => Step::Each,
                    name => member(name)?,
                });
                rest = tail;
            } else if let Some(after) = rest.strip_prefix('[') {
                let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'));
                let (inside, tail) = match quote {
                    Some(quote) => {
                        let body = after.get(1..).unwrap_or_default();
                        let Some((name, tail)) = body.split_once(quote) else {
                            return Err(format!("the name at character {at} has no end"));
                        };
                        let Some(tail) = tail.strip_prefix(']') else {
                            return Err(format!("`]` is missing behind the name at character {at}"));
                        };
                        (member(name)?, tail)
                    }
                    None => {
                        let Some((inside, tail)) = after.split_once(']') else {
                            return Err(format!("`[` at character {at} has no `]`"));
                        };
                        let step = match inside.trim() {
                            "*" => Step::Each,
                            number => Step::Index(number.parse().map_err(|_| {
                                format!("`[{number}]` at character {at} is neither a number nor * nor a name in quotes")
                            })?),
                        };
                        (step, tail)
                    }
                };
                steps.push(inside);
                rest = tail;
            } else {
                return Err(format!("`.` or `[` is expected at character {at}"));
            }
        }
        if steps.len() > MAX_STEPS {
            return Err(format!("it has more than {MAX_STEPS} steps"));
        }
        Ok(Self { steps })
    }
}

/// Deeper than this nobody nests a value.
const MAX_STEPS: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::testing::told;
    use super::*;

    #[test]
    fn paths_are_read() {
        use Step::{Each, Index, Level};
        let member = |m: &str| Step::Member(m.into());
        let levels = [("p".to_owned(), 2)];
        let steps = |text: &str| Path::parse(text, &levels).unwrap().steps;
        assert_eq!(steps("$"), []);
        assert_eq!(steps("$.data[0].value"), [member("data"), Index(0), member("value")]);
        assert_eq!(steps("$['a.b'][\"c d\"].*"), [member("a.b"), member("c d"), Each]);
        assert_eq!(steps("$[*].{p}"), [Each, Level(2)]);
        for bad in ["", "data", "$data", "$.", "$.a..b", "$[", "$[x]", "$['a", "$['a'", "$.{q}", "$[-1]"] {
            assert!(!Path::parse(bad, &levels).unwrap_err().is_empty(), "{bad}");
        }
    }

    #[test]
    fn shapes_are_read_and_what_is_wrong_has_its_line() {
        let lines = "[[payloads]]\ntopic = \"bms/{device}/+\"\nvalue = \"$.points[*].v\"\ntime = \"$.at\"\nkey = \"$.points[*].id\"\ntime_unit = \"s\"\n\
            [[payloads]]\ntopic = \"a/#\"\nvalue = \"data\"\n\
            [[payloads]]\ntopic = \"a#\"\nvalue = \"$\"\n\
            [[payloads]]\nvalue = \"$.a[*].b\"\ntopic = \"b\"\ntime = \"$.c[*].t\"\n\
            [[payloads]]\ntopic = \"c\"\nvalue = \"$\"\nkey = \"{x}\"\n\
            [[payloads]]\ntopic = \"c\"\nvalue = \"$\"\ntime_unit = \"h\"\n\
            [[payloads]]\ntopic = \"{site}/x\"\nvalue = \"$.v\"\nkey = \"at {site}\"\n\
            [sparkplug]\nhost = \"a/b\"\n";
        let project = told(
            lines,
            &[
                (12, "`data` is no path"),
                (14, "`a#` is no topic filter"),
                (16, "does not go through the same list"),
                (23, "`{x}` in `{x}` is no level"),
                (27, "`time_unit` is `h`"),
                (33, "`a/b` is no id"),
            ],
        );
        let shapes = &project.ingest.payloads;
        assert_eq!(shapes.len(), 3, "{shapes:#?}");
        assert_eq!((shapes[0].topic.as_str(), shapes[0].time_unit_ms), ("bms/+/+", Some(1000.0)));
        assert_eq!(shapes[2].key, Some(KeyFrom::Text(vec![Ok("at ".into()), Err(0)])));
        assert!(project.ingest.sparkplug.is_none());
        let project = told("[sparkplug]\nhost = \"plenum\"\ngroups = [\"site\"]\n", &[]);
        let sparkplug = project.ingest.sparkplug.unwrap();
        assert_eq!(sparkplug.filters(), ["spBv1.0/site/#"]);
        assert_eq!(Sparkplug { groups: vec![], ..sparkplug }.filters(), ["spBv1.0/#"]);
    }
}
