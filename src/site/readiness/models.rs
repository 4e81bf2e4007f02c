//! What is missing in the models.

use super::classes::{Service, expects_space, expects_storey, expects_type, quantity_set, service};
use super::{Findings, Kind};
use crate::problem::{Problem, Severity};
use crate::site::assemble::Site;
use crate::site::model::{Element, ElementKind};
use crate::site::project::{NamingRule, Project};
use std::collections::{HashMap, HashSet};

/// Looks at every building model of a site.
pub(super) fn look(site: &Site, project: &Project, import: &[Problem], found: &mut Findings<'_>) {
    told_by_import(import, found);
    let joined: HashSet<u32> = site.connections.iter().flat_map(|c| [c.from, c.to]).collect();
    let ports_of: HashSet<u32> = site.connection_points.iter().map(|p| p.element).collect();
    let zoned: HashSet<u32> = site.zones.iter().flat_map(|z| z.members.iter().copied()).collect();
    let spaces = site.elements.iter().filter(|e| e.kind == ElementKind::Space);
    let with_spaces: HashSet<u32> = spaces.filter_map(|e| e.storey).collect();
    let mut ids: HashMap<&str, usize> = HashMap::new();
    for (i, element) in site.elements.iter().enumerate() {
        if element.kind == ElementKind::Feature {
            continue;
        }
        let first = *ids.entry(&element.id).or_insert(i);
        let twice = (first != i).then(|| {
            let other = site.elements.get(first).map(Element::label).unwrap_or_default();
            format!("{}: `{other}` has the same GlobalId", element.class)
        });
        found.element(Kind::DuplicateId, i, twice);
        quantities(element, i, found);
        naming(&project.naming, element, i, found);
        if element.kind == ElementKind::Space {
            let none = (!zoned.contains(&(i as u32))).then(|| "the space belongs to no zone".to_owned());
            found.element(Kind::NoZone, i, none);
            continue;
        }
        geometry(element, i, found);
        place(site, element, i, &with_spaces, found);
        services(site, element, i, &ports_of, found);
    }
    tags(site, found);
    for (number, port) in site.connection_points.iter().enumerate() {
        let open = !joined.contains(&(number as u32));
        let fault = open.then(|| {
            let class = site.elements.get(port.element as usize).map_or("", |e| e.class.as_str());
            let name = if port.name.is_empty() { &port.id } else { &port.name };
            format!("{class}: nothing is joined to its port `{name}`")
        });
        found.element(Kind::OpenPort, port.element as usize, fault);
    }
    unused_rules(site, project, found);
    for source in (0..site.sources.len()).filter(|s| site.sources.get(*s).is_some_and(|s| s.kind.starts_with("ifc"))) {
        let Some(file) = site.sources.get(source) else { continue };
        let by_hand =
            project.models.iter().any(|m| m.file == file.file && (m.offset_m.is_some() || m.rotation_deg.is_some()));
        let nowhere = file.georeference.is_none() && !by_hand;
        found.count(Kind::NoGeoreference, Some(source), nowhere);
        if nowhere {
            let name = found.file(source);
            let message = "the model does not say where on the map it lies".to_owned();
            let said = [name.clone(), message, Kind::NoGeoreference.remedy().to_owned()];
            found.note(Kind::NoGeoreference, Severity::Warning, Some(name), said);
        }
    }
}

/// Problems of the import, but those that are told by element.
fn told_by_import(import: &[Problem], found: &mut Findings<'_>) {
    let told = [
        "no triangle could be made",
        "more than one element has this GlobalId",
        "two elements have this id",
        "the same: ",
        "there is no element with the tag or GlobalId",
    ];
    let mut grave = false;
    for problem in import.iter().filter(|p| !told.iter().any(|t| p.message.contains(t))) {
        grave |= problem.severity >= Severity::Warning;
        let said = [problem.place.clone(), problem.message.clone(), problem.remedy.clone()];
        found.note(Kind::Import, problem.severity, None, said);
    }
    found.count(Kind::Import, None, grave);
}

fn geometry(element: &Element, i: usize, found: &mut Findings<'_>) {
    if element.shape.is_none() && !element.geometry_failed {
        return;
    }
    let class = &element.class;
    let failed = || format!("{class}: it has a representation from which no triangle could be made");
    found.element(Kind::NoGeometry, i, element.geometry_failed.then(failed));
    let uncut = || format!("{class}: it is shown without its openings, because cutting them did not end in time");
    found.element(Kind::WithoutOpenings, i, element.without_openings.then(uncut));
}

fn place(site: &Site, element: &Element, i: usize, with_spaces: &HashSet<u32>, found: &mut Findings<'_>) {
    let class = &element.class;
    // Parts are where their whole is.
    let whole = element.part_of.and_then(|w| site.elements.get(w as usize));
    let storey = element.storey.or_else(|| whole.and_then(|w| w.storey));
    if expects_storey(class) && !element.outdoors {
        found.element(Kind::NoStorey, i, storey.is_none().then(|| format!("{class}: it belongs to no storey")));
    }
    // A storey without a single space is of a model, or a roof, that has none. A louvre is in the facade.
    let in_room = expects_space(class) && element.host.is_none() && element.predefined_type != "LOUVRE";
    if in_room && storey.is_some_and(|s| with_spaces.contains(&s)) {
        let space = element.space.or_else(|| whole.and_then(|w| w.space));
        let none = || format!("{class}: it is in no space, neither by the model nor by where it stands");
        found.element(Kind::NoSpace, i, space.is_none().then(none));
    }
    if expects_type(class) {
        found.element(Kind::NoType, i, element.type_name.is_empty().then(|| format!("{class}: it has no type")));
    }
    let proxy = class == "IfcBuildingElementProxy" || class == "IfcProxy";
    found.element(Kind::Proxy, i, proxy.then(|| format!("{class}: its class does not say what it is")));
}

fn services(site: &Site, element: &Element, i: usize, ports_of: &HashSet<u32>, found: &mut Findings<'_>) {
    let class = &element.class;
    let Some(service) = service(class) else { return };
    let whole = element.part_of.and_then(|w| site.elements.get(w as usize));
    // A sensor belongs to what it is mounted on.
    let mounted = service == Service::Control && element.host.is_some();
    let in_system = mounted || !element.systems.is_empty() || whole.is_some_and(|w| !w.systems.is_empty());
    found.element(Kind::NoSystem, i, (!in_system).then(|| format!("{class}: it belongs to no system")));
    if service != Service::Control {
        let none = (!ports_of.contains(&(i as u32))).then(|| format!("{class}: it has no port"));
        found.element(Kind::NoPort, i, none);
    }
    if matches!(service, Service::Equipment | Service::Control) {
        found.element(Kind::NoTag, i, element.tag.is_empty().then(|| format!("{class}: it has no tag")));
    }
}

fn quantities(element: &Element, i: usize, found: &mut Findings<'_>) {
    let Some(set) = quantity_set(&element.class) else { return };
    let has = element.properties.iter().any(|s| s.quantities && s.values.iter().any(|(_, v)| v.as_f64().is_some()));
    let none = || format!("{}: it has no quantities ({set})", element.class);
    found.element(Kind::NoQuantities, i, (!has).then(none));
}

fn naming(rules: &[NamingRule], element: &Element, i: usize, found: &mut Findings<'_>) {
    for rule in rules.iter().filter(|r| r.class == element.class) {
        let name = if element.tag.is_empty() { &element.name } else { &element.tag };
        let fault = (!rule.allows(name)).then(|| {
            let called = if name.is_empty() { "it has neither tag nor name".to_owned() } else { format!("`{name}`") };
            format!("{}: {called}, where the standard is {}", element.class, rule.pattern.as_str())
        });
        found.element(Kind::Naming, i, fault);
    }
}

fn unused_rules(site: &Site, project: &Project, found: &mut Findings<'_>) {
    let name = project.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for rule in &project.naming {
        if !site.elements.iter().any(|e| e.class == rule.class) {
            let said = [
                format!("{name}:{}", rule.line),
                format!("no element is an {}, so its naming rule checks nothing", rule.class),
                "check the spelling of the class".to_owned(),
            ];
            found.note(Kind::Naming, Severity::Info, None, said);
        }
    }
}

/// Tags that more than one element has. A part may have the tag of its whole.
fn tags(site: &Site, found: &mut Findings<'_>) {
    let tagged = || {
        let elements = site.elements.iter().enumerate();
        elements.filter(|(_, e)| e.kind == ElementKind::Element && !e.tag.is_empty())
    };
    let mut by_tag: HashMap<&str, Vec<usize>> = HashMap::new();
    // Parts of one whole with one tag: a model may give thousands of elements the same.
    let mut of_whole: HashMap<(&str, u32), usize> = HashMap::new();
    for (i, element) in tagged() {
        by_tag.entry(&element.tag).or_default().push(i);
        if let Some(whole) = element.part_of.filter(|w| *w as usize != i) {
            *of_whole.entry((&element.tag, whole)).or_default() += 1;
        }
    }
    for (i, element) in tagged() {
        let tag = element.tag.as_str();
        let others = by_tag.get(tag).map(Vec::as_slice).unwrap_or_default();
        let parts_of = |whole: u32| of_whole.get(&(tag, whole)).copied().unwrap_or_default();
        let whole = element.part_of.filter(|w| *w as usize != i);
        // Unless it is counted among the parts: two may be said to be a part of each other.
        let counts = |w: &Element| w.kind == ElementKind::Element && w.tag == tag && w.part_of != Some(i as u32);
        let whole_too = whole.and_then(|w| site.elements.get(w as usize)).is_some_and(counts);
        let siblings = whole.map_or(0, |w| parts_of(w).saturating_sub(1));
        let related = siblings + usize::from(whole_too) + parts_of(i as u32);
        let strangers = others.len().saturating_sub(1 + related);
        let fault = (strangers > 0).then(|| {
            let is_related = |o: &usize| {
                let other = site.elements.get(*o).and_then(|o| o.part_of);
                whole == Some(*o as u32) || other == Some(i as u32) || (whole.is_some() && other == whole)
            };
            let other = others.iter().find(|o| **o != i && !is_related(o)).and_then(|o| site.elements.get(*o));
            let (class, id) = other.map_or(("", ""), |o| (o.class.as_str(), o.id.as_str()));
            let more = if strangers > 1 { format!(" and {} more", strangers - 1) } else { String::new() };
            format!("{}: its tag `{tag}` is also that of {class} {id}{more}", element.class)
        });
        found.element(Kind::DuplicateTag, i, fault);
    }
}
