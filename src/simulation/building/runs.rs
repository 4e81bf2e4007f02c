//! What water and air pass alike: pipes and ducts, fittings, tees, and devices with a loss coefficient.

use super::book::Book;
use super::draft::{Draft, NewLink};
use super::facts::number;
use super::losses::{self, BRANCH, RUN};
use super::pieces::{Piece, run_of};
use super::section::Section;
use crate::simulation::network::{Duct, Friction, LinkKind, Pipe};
use crate::site::Element;
use crate::site::graph::{Domain, Role, plain_class};
use crate::site::unit::Quantity;

/// A length of pipe or duct with a loss coefficient.
pub(super) fn tube(air: bool, length: f64, section: Section, roughness: f64, minor: f64) -> LinkKind {
    if air {
        let Section { area, hydraulic } = section;
        return LinkKind::Duct(Duct { length, hydraulic_diameter: hydraulic, area, roughness, minor });
    }
    LinkKind::Pipe(Pipe {
        length,
        diameter: section.diameter(),
        friction: Friction::DarcyWeisbach(roughness),
        minor,
        check: false,
        leak: None,
    })
}

/// What has three ports and more: flows meet in it.
pub(super) fn meeting(draft: &mut Draft, book: &mut Book, piece: &Piece, element: &Element) {
    let slot = piece.element;
    let places: Vec<_> = piece.ports.iter().filter_map(|p| draft.wiring.ports.get(*p)?.place).collect();
    let middle = (!places.is_empty()).then(|| places.iter().copied().sum::<glam::DVec3>() / places.len() as f64);
    let suffix = if piece.number.1 > 1 { format!("{}", piece.number.0 + 1) } else { String::new() };
    let centre = draft.loose(&suffix, Some(slot), middle);
    let run = run_of(draft.wiring, &piece.ports);
    let fitting = matches!(Role::of_element(element), Some(Role::Fitting | Role::Segment | Role::Inline));
    let air = piece.domain == Domain::Air;
    let rough = losses::roughness(element, air).0;
    for (i, port) in piece.ports.iter().enumerate() {
        let node = draft.at(*port);
        let section = draft.section_at(*port).unwrap_or(Section::round(if air { 0.25 } else { 0.05 }));
        let along = run.is_none_or(|(a, b)| *port == a || *port == b);
        let default = match (fitting, run.is_some()) {
            // Into a vessel and out of it: half of a sudden change each.
            (false, _) => 0.5,
            (true, true) => {
                if along {
                    RUN
                } else {
                    BRANCH
                }
            }
            (true, false) => 0.5,
        };
        let field = format!("k_{}", i + 1);
        let k = book.value(draft.site, slot, &field, None, || {
            let why = if !fitting {
                "half of a sudden change of section at a vessel's connection"
            } else if run.is_none() {
                "a fitting whose run is not to be seen"
            } else if along {
                "straight on through a tee loses 0.2 in all"
            } else {
                "into or out of the branch of a tee loses 1.0 in all"
            };
            (default, why.to_owned())
        });
        let here = draft.wiring.ports.get(*port).and_then(|p| p.place);
        let length = middle.zip(here).map_or(0.05, |(m, p)| m.distance(p)).max(0.005);
        let kind = tube(air, length, section, rough, k);
        let number = if suffix.is_empty() { format!("{}", i + 1) } else { format!("{suffix}.{}", i + 1) };
        draft.link(NewLink { suffix: number, area: Some(section.area), ..NewLink::new(slot, node, centre, kind) });
    }
}

/// Pipes, ducts, fittings, meters, strainers, silencers: a length and a loss coefficient.
pub(super) fn passed(draft: &Draft, book: &mut Book, piece: &Piece, element: &Element, section: Section) -> LinkKind {
    let (site, slot) = (draft.site, piece.element);
    let role = Role::of_element(element);
    let span = draft.wiring.span(slot);
    let length = if role == Some(Role::Segment) {
        let stated = number(site, slot, Quantity::Length, &["Length"]);
        book.value(site, slot, "length_m", stated.or(span), || (1.0, "nothing says how long it is".into()))
    } else {
        let stated = number(site, slot, Quantity::Length, &["Length"]).filter(|_| role == Some(Role::Fitting));
        book.stated(site, slot, "length_m").or(stated).or(span).unwrap_or(0.1)
    };
    let air = piece.domain == Domain::Air;
    let (rough, material) = losses::roughness(element, air);
    let rough = book.value(site, slot, "roughness_m", (role != Some(Role::Segment)).then_some(rough), || {
        (rough, format!("a wall of {material}"))
    });
    let minor = if role == Some(Role::Segment) {
        book.value(site, slot, "k", Some(0.0), || (0.0, String::new()))
    } else {
        book.value(site, slot, "k", None, || device_loss(draft, piece, element))
    };
    tube(air, length.max(1e-3), section, rough, minor)
}

fn device_loss(draft: &Draft, piece: &Piece, element: &Element) -> (f64, String) {
    match plain_class(element) {
        "FlowMeter" => (2.0, "a meter of ordinary make".into()),
        "Filter" | "FlowTreatmentDevice" | "Interceptor" => (3.0, "a clean strainer".into()),
        "DuctSilencer" => (1.2, "a splitter silencer, on the velocity in its duct".into()),
        "PipeFitting" | "DuctFitting" | "FlowFitting" => losses::fitting(draft, piece, element),
        _ => (0.5, "a device that flow passes nearly freely".into()),
    }
}
