//! Whether points and elements find each other.

use super::classes::is_machine;
use super::{Findings, Kind, weighted};
use crate::problem::Severity;
use crate::site::assemble::Site;
use crate::site::binding;
use crate::site::model::ElementKind;
use crate::site::project::{Binding, Project};
use std::collections::HashSet;

/// Looks at a project's bindings; the score, or none where the project declares no points.
pub(super) fn look(site: &Site, project: &Project, found: &mut Findings<'_>) -> Option<f64> {
    if project.bindings.is_empty() && site.points.is_empty() {
        return None;
    }
    let name = project.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for _ in &site.points {
        found.count(Kind::PointWithoutElement, None, false);
    }
    let mut templates: Vec<&str> = Vec::new();
    for binding in &project.bindings {
        match binding {
            Binding::Rule { templates: own, .. } => templates.extend(own.iter().map(String::as_str)),
            Binding::Point { asset, point, line, .. } => {
                let tagged = site.tagged(asset).len();
                let message = if site.find(asset).is_some() || tagged == 1 {
                    continue;
                } else if tagged > 1 {
                    format!("the point `{asset}/{}` names a tag that {tagged} elements have", point.role)
                } else {
                    format!("the point `{asset}/{}` is of an element that no model has", point.role)
                };
                found.count(Kind::PointWithoutElement, None, true);
                let remedy = Kind::PointWithoutElement.remedy().to_owned();
                let said = [format!("{name}:{line}"), message, remedy];
                found.note(Kind::PointWithoutElement, Severity::Error, None, said);
            }
        }
    }
    let told: HashSet<u32> = site.points.iter().map(|p| p.asset.0).collect();
    for (slot, element) in site.iter().filter(|(_, e)| e.kind == ElementKind::Element) {
        let template = project
            .templates
            .iter()
            .find(|t| templates.contains(&t.name.as_str()) && binding::matches(t, element, &element.tag));
        if template.is_none() && !is_machine(&element.class) && !told.contains(&slot.0) {
            continue;
        }
        let fault = (!told.contains(&slot.0)).then(|| match template {
            Some(template) => {
                format!("{}: the template `{}` is for it, and it has no points", element.class, template.name)
            }
            None => format!("{}: it has no points, and no template is for it", element.class),
        });
        found.element(Kind::EquipmentWithoutPoint, slot.0 as usize, fault);
    }
    let own = found.all.iter().filter(|(k, t)| k.is_mapping() && t.of > 0).map(|(k, t)| (k.weight(), *t));
    weighted(own)
}
