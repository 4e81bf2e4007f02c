//! Templates and topics become points on elements.

use super::assemble::Site;
use super::model::{Element, ElementKind, Slot};
use super::point::{Point, PointSource};
use super::project::{Binding, PointTemplate, Project, Rebind, Template};
use crate::problem::Problem;
use std::collections::{HashMap, HashSet};

/// Expands the project's bindings over the site's elements.
///
/// Of several templates in one binding the first that matches an element is its template. Two points
/// on one topic and key, or two with one id, are a problem; the first stays. A point bound by hand stands before what a
/// rule says of it. What the project says an element
/// is known by ([`Rebind`]) counts for more than what the model says.
pub fn bind(project: &Project, site: &Site) -> (Vec<Point>, Vec<Problem>) {
    let mut binder = Binder::new(site, project);
    for binding in &project.bindings {
        match binding {
            Binding::Rule { templates, topic, key, line } => {
                binder.by_rule(project, templates, (topic, key.as_deref()), *line);
            }
            Binding::Point { asset, point, topic, key, line } => binder.by_hand(asset, point, topic, key, *line),
        }
    }
    for template in &project.templates {
        let named = |b: &Binding| matches!(b, Binding::Rule { templates, .. } if templates.contains(&template.name));
        if !template.class.is_empty() && !project.bindings.iter().any(named) {
            binder.problems.push(Problem::info(
                format!("{}:{}", binder.file, template.line),
                format!("template `{}` is in no binding: its elements get no points", template.name),
                "name it in a [[bindings]] entry, or remove it",
            ));
        }
    }
    (binder.points, binder.problems)
}

struct Binder<'a> {
    site: &'a Site,
    file: String,
    points: Vec<Point>,
    problems: Vec<Problem>,
    ids: HashMap<String, usize>,
    topics: HashMap<(String, String), usize>,
    said_twice: HashSet<String>,
    /// What is bound by hand: no rule says anything of it.
    hands: HashSet<(Slot, &'a str)>,
    /// By slot: what the project says it is known by.
    rebinds: HashMap<Slot, &'a Rebind>,
}

/// By what an element is known to its devices and points.
#[derive(Clone, Copy)]
struct Known<'a> {
    tag: &'a str,
    id: &'a str,
    name: &'a str,
    rules: bool,
}

impl<'a> Binder<'a> {
    fn new(site: &'a Site, project: &'a Project) -> Self {
        let mut binder = Self {
            site,
            file: project.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            points: Vec::new(),
            problems: Vec::new(),
            ids: HashMap::new(),
            topics: HashMap::new(),
            said_twice: HashSet::new(),
            hands: HashSet::new(),
            rebinds: HashMap::new(),
        };
        for rebind in &project.rebinds {
            if let Some((slot, _)) = binder.named(&rebind.asset, rebind.line) {
                binder.rebinds.entry(slot).or_insert(rebind);
            }
        }
        for binding in &project.bindings {
            if let Binding::Point { asset, point, .. } = binding {
                let only = [site.tagged(asset)].into_iter().find_map(|t| if let [one] = t { Some(*one) } else { None });
                binder.hands.extend(site.find(asset).or(only).map(|slot| (slot, point.role.as_str())));
            }
        }
        binder
    }

    /// What the project says of an element, else what the model says.
    fn known(&self, slot: Slot, element: &'a Element) -> Known<'a> {
        let rebind = self.rebinds.get(&slot).copied();
        let or = |own: &'a String, other: fn(&'a Rebind) -> Option<&'a String>| {
            rebind.and_then(other).unwrap_or(own).as_str()
        };
        Known {
            tag: or(&element.tag, |r| r.tag.as_ref()),
            id: or(&element.id, |r| r.id.as_ref()),
            name: or(&element.name, |r| r.name.as_ref()),
            rules: rebind.is_none_or(|r| r.rules),
        }
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }

    fn by_rule(&mut self, project: &Project, names: &[String], wire: (&str, Option<&str>), line: usize) {
        let (topic, key) = wire;
        let templates: Vec<&Template> =
            names.iter().filter_map(|n| project.templates.iter().find(|t| t.name == *n)).collect();
        let mut matched = vec![0_usize; templates.len()];
        // Those first that the project speaks of: what is theirs is taken when another has their tag.
        let site = self.site;
        let (first, rest): (Vec<_>, Vec<_>) = site
            .iter()
            .filter(|(_, e)| e.kind != ElementKind::Feature)
            .partition(|(slot, _)| self.rebinds.contains_key(slot));
        for (slot, element) in first.into_iter().chain(rest) {
            let known = self.known(slot, element);
            let Some(i) = templates.iter().position(|t| matches(t, element, known.tag)) else { continue };
            matched[i] += 1;
            if !known.rules {
                continue;
            }
            if topic.contains("{tag}") && known.tag.is_empty() {
                self.problems.push(Problem::warning(
                    self.place(line),
                    format!("{} {} has no tag, so its topic cannot be made", element.class, element.id),
                    "give it a tag in the model, use {id} in the topic, or bind its points by hand",
                ));
                continue;
            }
            self.template(slot, element, templates[i], (topic, key), line);
        }
        for (template, _) in templates.iter().zip(&matched).filter(|(_, n)| **n == 0) {
            self.problems.push(Problem::info(
                self.place(template.line),
                format!("template `{}` matches no element", template.name),
                "check its class, predefined type and tag against the model",
            ));
        }
    }

    fn template(
        &mut self,
        slot: Slot,
        element: &'a Element,
        template: &Template,
        wire: (&str, Option<&str>),
        line: usize,
    ) {
        let (topic, key) = wire;
        let known = self.known(slot, element);
        for point in &template.points {
            if self.hands.contains(&(slot, point.role.as_str())) {
                continue;
            }
            let source = match &point.expression {
                Some(expression) => PointSource::Rule { expression: expression.clone() },
                None => {
                    let fill = |text: &str| {
                        text.replace("{tag}", known.tag)
                            .replace("{id}", known.id)
                            .replace("{name}", known.name)
                            .replace("{template}", &template.name)
                            .replace("{role}", &point.role)
                    };
                    // With the role in the topic each point has a topic of its own and a bare value on it.
                    let key = key.unwrap_or(if topic.contains("{role}") { "" } else { "{role}" });
                    PointSource::Topic { topic: fill(topic), key: fill(key) }
                }
            };
            self.add(slot, element, point, source, line);
        }
    }

    fn by_hand(&mut self, asset: &str, point: &PointTemplate, topic: &str, key: &str, line: usize) {
        let Some((slot, element)) = self.named(asset, line) else { return };
        let source = PointSource::Topic { topic: topic.to_owned(), key: key.to_owned() };
        self.add(slot, element, point, source, line);
    }

    /// The element that a line of the project names by tag or GlobalId.
    fn named(&mut self, asset: &str, line: usize) -> Option<(Slot, &'a Element)> {
        let site = self.site;
        let tagged = site.tagged(asset);
        if tagged.len() > 1 {
            self.problems.push(Problem::error(
                self.place(line),
                format!("{} elements have the tag `{asset}`", tagged.len()),
                "name the one you mean by its GlobalId",
            ));
            return None;
        }
        let slot = site.find(asset).or_else(|| tagged.first().copied());
        let found = slot.and_then(|s| Some((s, site.element(s)?)));
        if found.is_none() {
            let near = nearest(asset, site.tags());
            self.problems.push(Problem::error(
                self.place(line),
                format!("there is no element with the tag or GlobalId `{asset}`"),
                near.map_or_else(|| "check it against the model".into(), |n| format!("did you mean `{n}`?")),
            ));
        }
        found
    }

    fn add(&mut self, slot: Slot, element: &'a Element, template: &PointTemplate, source: PointSource, line: usize) {
        let known = self.known(slot, element);
        // As `Element::label`.
        let label = match [known.tag, known.name].into_iter().find(|w| !w.is_empty()) {
            Some(word) => word.to_owned(),
            None => format!("{} {}", element.class, known.id),
        };
        let id = format!("{label}/{}", template.role);
        let index = self.points.len();
        if let Some(before) = self.ids.get(&id) {
            let same_asset = self.points.get(*before).is_some_and(|p| p.asset == slot);
            if !self.said_twice.contains(&label) {
                let (message, remedy) = if same_asset {
                    (format!("the point `{id}` is bound twice; the first binding counts"), "remove one of the two")
                } else {
                    (
                        format!("two elements are called `{label}`; only the first has points"),
                        "give every piece of equipment a tag of its own",
                    )
                };
                self.problems.push(Problem::warning(self.place(line), message, remedy));
                self.said_twice.insert(label);
            }
            return;
        }
        if let PointSource::Topic { topic, key } = &source {
            let taken = self.topics.entry((topic.clone(), key.clone())).or_insert(index);
            if *taken != index {
                let other = self.points.get(*taken).map(|p| p.id.clone()).unwrap_or_default();
                self.problems.push(Problem::error(
                    self.place(line),
                    format!(
                        "`{id}` and `{other}` are bound to the same topic `{topic}` and key `{key}`; the first counts"
                    ),
                    "give each its own topic or key",
                ));
                return;
            }
        }
        self.ids.insert(id.clone(), index);
        self.points.push(Point {
            id,
            asset: slot,
            role: template.role.clone(),
            name: template.name.clone(),
            unit: template.unit,
            expected: template.expected,
            period_s: template.period_s,
            stale_after_s: template.stale_after_s,
            check: template.check,
            source,
            remedy: template.remedy.clone(),
            watch: template.watch,
        });
    }
}

/// True when a template is for an element.
pub(super) fn matches(template: &Template, element: &Element, tag: &str) -> bool {
    !template.class.is_empty()
        && element.class == template.class
        && template.predefined_type.as_ref().is_none_or(|p| *p == element.predefined_type)
        && template.tag.as_ref().is_none_or(|pattern| glob(pattern, tag))
}

/// `*` stands for any run of characters.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// The candidate that differs least, when it differs little.
pub(crate) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // A word of one letter is near to everything.
    let length = word.chars().count();
    let most = (1 + length / 4).min(length.saturating_sub(1));
    candidates.map(|c| (edits(word, c), c)).filter(|(d, _)| *d <= most).min().map(|(_, c)| c)
}

/// How many characters must be changed, added, removed or swapped with their neighbour to make `b` of `a`
/// (optimal string alignment).
pub(super) fn edits(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut last: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(last[j - 1] + 1);
            }
            next.push(least);
        }
        last = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::unit::Unit;
    use super::*;

    fn element(class: &str, tag: &str, predefined: &str) -> Element {
        Element {
            id: format!("id-{tag}"),
            class: class.into(),
            tag: tag.into(),
            predefined_type: predefined.into(),
            ..Element::default()
        }
    }

    fn point(role: &str, expression: Option<&str>) -> PointTemplate {
        PointTemplate {
            role: role.into(),
            name: role.into(),
            unit: Unit::ONE,
            expected: None,
            period_s: 5.0,
            stale_after_s: 60.0,
            check: None,
            expression: expression.map(str::to_owned),
            remedy: String::new(),
            watch: Default::default(),
            line: 1,
        }
    }

    fn template(name: &str, class: &str, tag: Option<&str>, points: Vec<PointTemplate>) -> Template {
        Template { name: name.into(), class: class.into(), tag: tag.map(str::to_owned), points, ..Template::default() }
    }

    fn site(elements: Vec<Element>) -> Site {
        Site::of_elements("test", elements).0
    }

    fn rule(templates: &[&str], topic: &str) -> Binding {
        Binding::Rule {
            templates: templates.iter().map(|t| (*t).to_owned()).collect(),
            topic: topic.into(),
            key: None,
            line: 7,
        }
    }

    #[test]
    fn the_first_template_that_matches_counts() {
        let site =
            site(vec![element("IfcValve", "A-V", ""), element("IfcValve", "B-IV", ""), element("IfcPump", "P-1", "")]);
        let project = Project {
            templates: vec![
                template(
                    "valve",
                    "IfcValve",
                    Some("*-V"),
                    vec![point("position", None), point("deviation", Some("position"))],
                ),
                template("any", "IfcValve", None, vec![point("open", None)]),
            ],
            bindings: vec![rule(&["valve", "any"], "site/{template}/{tag}")],
            ..Project::default()
        };
        let (points, problems) = bind(&project, &site);
        assert_eq!(
            points.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(),
            ["A-V/position", "A-V/deviation", "B-IV/open"]
        );
        assert_eq!(points[0].source, PointSource::Topic { topic: "site/valve/A-V".into(), key: "position".into() });
        assert!(!points[1].is_measured());
        assert_eq!(problems, vec![]);
    }

    #[test]
    fn a_role_in_the_topic_leaves_a_bare_value() {
        let site = site(vec![element("IfcPump", "P-1", "")]);
        let project = Project {
            templates: vec![template("pump", "IfcPump", None, vec![point("speed", None)])],
            bindings: vec![rule(&["pump"], "bms/{id}/{role}")],
            ..Project::default()
        };
        let (points, _) = bind(&project, &site);
        assert_eq!(points[0].source, PointSource::Topic { topic: "bms/id-P-1/speed".into(), key: String::new() });
    }

    #[test]
    fn what_cannot_be_bound_is_said_once() {
        let site = site(vec![element("IfcPump", "P-1", ""), element("IfcPump", "P-1", ""), element("IfcPump", "", "")]);
        let hand = |asset: &str, key: &str, role: &str| Binding::Point {
            asset: asset.into(),
            point: Box::new(point(role, None)),
            topic: "t".into(),
            key: key.into(),
            line: 3,
        };
        let project = Project {
            templates: vec![
                template("pump", "IfcPump", None, vec![point("speed", None), point("flow", None)]),
                template("fan", "IfcFan", None, vec![]),
                template("unused", "IfcFan", None, vec![]),
            ],
            bindings: vec![
                rule(&["pump", "fan"], "site/{tag}"),
                hand("P-2", "", "x"),
                hand("id-P-1", "k", "x"),
                hand("id-P-1", "k", "y"),
            ],
            ..Project::default()
        };
        let (points, problems) = bind(&project, &site);
        assert_eq!(points.len(), 3, "two by rule, one by hand");
        let count = |words: &str| problems.iter().filter(|p| p.to_string().contains(words)).count();
        assert_eq!(count("two elements are called `P-1`"), 1);
        assert_eq!(count("has no tag"), 1);
        assert_eq!(count("did you mean `P-1`"), 1);
        assert_eq!(count("same topic `t` and key `k`"), 1);
        assert_eq!(count("`fan` matches no element"), 1);
        assert_eq!(count("`unused` is in no binding"), 1);
        assert_eq!(problems.len(), 6, "{problems:#?}");
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expect) in [
            ("*-V", "VAV-1-03-V", true),
            ("*-V", "VAV-1-03-IV1", false),
            ("AHU-*", "AHU-1", true),
            ("AHU-*-V", "AHU-1-CC-V", true),
            ("AHU-*-V", "AHU-V", false),
            ("P-1", "P-1", true),
            ("P-1", "P-12", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern, text), expect, "{pattern} {text}");
        }
    }

    #[test]
    fn near_misses() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!((edits("tga", "tag"), edits("ab", "ba"), edits("abcd", "badc")), (1, 1, 2));
        assert_eq!(nearest("x", ["r"].into_iter()), None);
        assert_eq!(nearest("VAV-1-3", ["VAV-1-03", "AHU-1"].into_iter()), Some("VAV-1-03"));
        assert_eq!(nearest("boiler", ["VAV-1-03", "AHU-1"].into_iter()), None);
    }

    #[test]
    fn an_element_is_bound_by_what_the_project_knows_it_by() {
        let elements =
            vec![element("IfcPump", "P-1", ""), element("IfcPump", "P-7", ""), element("IfcPump", "P-3", "")];
        let site = site(elements);
        let known = |asset: &str, tag: Option<&str>, rules: bool| Rebind {
            asset: asset.into(),
            tag: tag.map(str::to_owned),
            rules,
            ..Rebind::default()
        };
        let mut project = Project {
            templates: vec![template("pump", "IfcPump", Some("P-*"), vec![point("speed", None)])],
            bindings: vec![rule(&["pump"], "site/{tag}")],
            ..Project::default()
        };
        // P-7 was P-1 when its device was bound; the new P-1 must not take its topic.
        project.rebinds = vec![known("id-P-7", Some("P-1"), true), known("P-3", None, false)];
        let (points, problems) = bind(&project, &site);
        let found: Vec<_> = points.iter().map(|p| (p.id.as_str(), p.asset)).collect();
        assert_eq!(found, [("P-1/speed", Slot(1))]);
        assert_eq!(points[0].source, PointSource::Topic { topic: "site/P-1".into(), key: "speed".into() });
        assert!(problems.iter().any(|p| p.message.contains("two elements are called `P-1`")), "{problems:?}");
        project.rebinds = vec![known("P-9", Some("P-1"), true)];
        let (points, problems) = bind(&project, &site);
        assert_eq!(points.len(), 3);
        assert!(problems.iter().any(|p| p.message.contains("`P-9`") && p.remedy.contains("P-")), "{problems:?}");
    }
}
