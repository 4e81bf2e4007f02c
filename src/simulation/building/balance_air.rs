//! Balancing of air: fans run as fast as the branch that needs most asks for, dampers take what the others have left.

use super::Part;
use super::air::{OUTDOOR_SHARE, RATED_KG_M3, airflow_of};
use super::balance::{branches, left_over, refuse, stated, tell_short, trim};
use super::book::Book;
use super::draft::Draft;
use super::facts::{any, words};
use crate::simulation::network::LinkKind;
use crate::site::Slot;
use crate::site::graph::plain_class;

/// Pressure that the damper of the branch with the least keeps, Pa: enough to control with.
const KEPT_PA: f64 = 30.0;
/// Speed by which a fan is slowed to see which branches are its own.
const PROBE: f64 = 0.95;

/// Sets the dampers and fan speeds of an air network.
pub(super) fn air(draft: &mut Draft, book: &mut Book) {
    let mut set: Vec<(usize, f64, bool)> = Vec::new();
    let controls = draft.net.link_part.iter().enumerate().filter(|(_, p)| **p == Part::Control);
    for i in controls.map(|(i, _)| i).collect::<Vec<_>>() {
        let Some(slot) = draft.net.link_element[i] else { continue };
        let Some(element) = draft.site.element(slot) else { continue };
        if plain_class(element) == "AirTerminalBox" {
            set.extend(draft.net.link_design_m3s[i].map(|q| (i, q, true)));
        } else if any(&words(element), &["RETURN AIR DAMPER", "RECIRC", "MIXING DAMPER"])
            && let Some((unit, whole)) = unit_flow(draft, slot)
        {
            let share = book.value(draft.site, unit, "outdoor_share", None, || {
                (OUTDOOR_SHARE, "three tenths of the supply air come from outdoors".into())
            });
            set.push((i, (1.0 - share.clamp(0.0, 1.0)) * whole, true));
        }
    }
    for branch in branches(draft, Part::Opening) {
        let Some(valve) = branch.balancing else { continue };
        let along = branch.along.iter().find(|(l, _)| *l == valve).is_none_or(|(_, a)| *a);
        if !set.iter().any(|(l, ..)| *l == valve) {
            set.push((valve, branch.flow, along));
        }
    }
    let fixed: Vec<bool> = set.iter().map(|(l, ..)| stated(draft, book, *l)).collect();
    let mut fixed = fixed.iter();
    set.retain(|_| !fixed.next().copied().unwrap_or(false));
    if set.is_empty() {
        trim(draft, book);
        return;
    }
    for (link, flow, _) in &set {
        draft.net.link_design_m3s[*link] = Some(*flow);
    }
    let Some(before) = left_over(draft, &set) else { return refuse(draft) };
    slow_fans(draft, book, &set, &before);
    let Some(left) = left_over(draft, &set) else { return refuse(draft) };
    let mut short = Vec::new();
    for ((link, flow, _), left) in set.iter().zip(left) {
        let Some(slot) = draft.net.link_element[*link] else { continue };
        let own = &mut draft.net.network.links[*link];
        let LinkKind::Damper(damper) = &own.kind else { continue };
        let dynamic = 0.5 * RATED_KG_M3 * (flow / damper.area).powi(2);
        let k = left / dynamic.max(1e-12);
        if k.is_nan() {
            continue;
        }
        if k <= damper.open_loss {
            let label = draft.site.element(slot).map(crate::site::Element::label).unwrap_or_default();
            short.push(label);
            continue;
        }
        // K falls on a straight line of its logarithm from shut to open.
        let shut = damper.closed_loss.max(k * 1.01);
        let position = ((shut / k).ln() / (shut / damper.open_loss).ln()).clamp(0.0, 1.0);
        own.setting = position;
        let why = format!("balanced: takes {left:.0} Pa at the design flow of its branch");
        book.note(draft.site, slot, "position", position, why);
    }
    tell_short(draft, &short, "fan");
}

/// The unit that a damper is part of, with its design airflow.
fn unit_flow(draft: &Draft, damper: Slot) -> Option<(Slot, f64)> {
    let element = draft.site.element(damper)?;
    let unit = [element.part_of, element.host].into_iter().flatten().map(Slot).next().unwrap_or(damper);
    let own = airflow_of(draft.site, unit);
    let of_fans = || {
        let fans = draft.net.link_part.iter().zip(&draft.net.link_design_m3s);
        fans.filter(|(p, _)| **p == Part::Mover).filter_map(|(_, q)| *q).reduce(f64::max)
    };
    Some((unit, own.or_else(of_fans)?))
}

/// Slows each fan until the branch of it that has the least left keeps [`KEPT_PA`].
fn slow_fans(draft: &mut Draft, book: &mut Book, set: &[(usize, f64, bool)], before: &[f64]) {
    let fans: Vec<usize> = (0..draft.net.link_part.len())
        .filter(|i| draft.net.link_part[*i] == Part::Mover)
        .filter(|i| {
            let slot = draft.net.link_element[*i];
            slot.is_none_or(|s| book.stated(draft.site, s, "speed").is_none())
        })
        .collect();
    for fan in fans {
        let LinkKind::Fan(of) = &draft.net.network.links[fan].kind else { continue };
        let Some(curve) = draft.net.network.curves.get(of.curve) else { continue };
        let Some((_, shutoff)) = curve.points.first().copied() else { continue };
        // At a flow that is held the pressure goes with the square of the speed by the shut-off pressure alone.
        draft.net.network.links[fan].setting = PROBE;
        let probed = left_over(draft, set);
        draft.net.network.links[fan].setting = 1.0;
        let Some(probed) = probed else { continue };
        let lost = shutoff * (1.0 - PROBE * PROBE);
        let own = before.iter().zip(&probed).filter(|(b, p)| **b - **p > 0.5 * lost).map(|(b, _)| *b);
        let Some(least) = own.reduce(f64::min) else { continue };
        let spare = least - KEPT_PA;
        if spare <= 0.0 {
            continue;
        }
        let speed = (1.0 - spare / shutoff).max(0.04).sqrt();
        draft.net.network.links[fan].setting = speed;
        if let Some(slot) = draft.net.link_element[fan] {
            let why = format!("the branch with the least pressure keeps {KEPT_PA:.0} Pa at its damper");
            book.note(draft.site, slot, "speed", speed, why);
        }
    }
}
