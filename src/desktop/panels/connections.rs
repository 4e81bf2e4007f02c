//! What the selected element hangs together with, and what people decide of joints that no file declares.

use super::data::Data;
use super::format;
use super::properties::go;
use super::relations::{self, Relations, Supposed};
use super::widgets::{fact, section, text};
use crate::site::Slot;
use crate::site::infer::{JoinedBy, Verdict};
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{Align, Button, Layout, RichText, Ui};

/// At most this many elements are listed under one heading.
const LISTED: usize = 60;

/// Draws the section. `joining`: the element that is to be joined to the next one that is selected.
pub fn ui(
    ui: &mut Ui,
    data: &Data,
    slot: Slot,
    relations: &Relations,
    joining: &mut Option<Slot>,
    out: &mut Vec<Command>,
) {
    // A decision is kept in the project's file: without one there is none.
    let decide = data.views.file.is_some();
    let n = relations.count();
    let by_hand = decide && relations.can_be_joined;
    if n == 0 && relations.open_ports == 0 && relations.parted.is_empty() && !by_hand {
        return;
    }
    section(ui, data.tokens, "Connections", Some(n), true, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for joined in relations.joined.iter().take(LISTED) {
            let mut what = relations::direction(joined.direction).to_owned();
            if !joined.medium.is_empty() {
                what = format!("{what}, {}", joined.medium.to_lowercase());
            }
            link(ui, data, &format::capital(&what), joined.to, out);
        }
        for (i, supposed) in relations.supposed.iter().take(LISTED).enumerate() {
            ui.push_id(("supposed", i), |ui| joint(ui, data, slot, supposed, decide, out));
        }
        if relations.supposed.len() > LISTED {
            let words = format!("and {} more", format::count(relations.supposed.len() - LISTED));
            fact(ui, data.tokens, "Inferred", &words, false);
        }
        for (i, other) in relations.parted.iter().enumerate() {
            ui.push_id(("parted", i), |ui| {
                link(ui, data, "Not joined to", *other, out);
                if decide {
                    under(ui, data, "rejected", |ui| {
                        verdict(ui, "Forget", "Decide nothing of the two any more", [slot, *other], None, out);
                    });
                }
            });
        }
        if relations.open_ports > 0 {
            fact(ui, data.tokens, "Joined to nothing", &format!("{} ports", relations.open_ports), false);
        }
        if by_hand {
            join_by_hand(ui, data, slot, joining);
        }
        relations.host.iter().for_each(|s| link(ui, data, "Serves", *s, out));
        relations.whole.iter().for_each(|s| link(ui, data, "Part of", *s, out));
        list(ui, data, "Device", &relations.devices, out);
        list(ui, data, "Part", &relations.parts, out);
        list(ui, data, "Contains", &relations.contents, out);
    });
}

/// Joins the element that waits for it to the one that is selected now.
pub fn join_selected(data: &Data, joining: &mut Option<Slot>, out: &mut Vec<Command>) {
    let Some(first) = *joining else { return };
    match data.view.selected {
        Some(other) if other == first => {}
        Some(other) => {
            *joining = None;
            out.push(Command::DecideJoint { between: [first, other], verdict: Some(Verdict::Join) });
        }
        None => *joining = None,
    }
}

/// A joint that no file declares, with what can be decided of it.
fn joint(ui: &mut Ui, data: &Data, slot: Slot, supposed: &Supposed, decide: bool, out: &mut Vec<Command>) {
    let between = [slot, supposed.to];
    let (word, sure) = match supposed.by {
        JoinedBy::Hand => ("Joined by hand", String::new()),
        JoinedBy::Accepted => ("Inferred, accepted", String::new()),
        _ => ("Inferred", format!("{:.0} % sure, ", supposed.confidence * 100.0)),
    };
    link(ui, data, word, supposed.to, out);
    let why = if supposed.by == JoinedBy::Hand { "somebody said so" } else { &supposed.why };
    under(ui, data, &format!("{sure}{why}"), |ui| {
        if !decide {
            return;
        }
        match supposed.by {
            JoinedBy::Hand | JoinedBy::Accepted => {
                verdict(ui, "Forget", "Decide nothing of the two any more", between, None, out);
            }
            _ => {
                verdict(ui, "Reject", "These two are not joined", between, Some(Verdict::Reject), out);
                verdict(ui, "Accept", "These two are joined indeed", between, Some(Verdict::Accept), out);
            }
        }
    });
}

/// A line that belongs to the one above it: small words on the left, buttons on the right.
fn under(ui: &mut Ui, data: &Data, words: &str, buttons: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.add_space(6.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            buttons(ui);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text(ui, RichText::new(words).small().color(data.tokens.weak));
            });
        });
    });
}

/// A button that decides, and the command it gives.
fn verdict(ui: &mut Ui, word: &str, says: &str, between: [Slot; 2], verdict: Option<Verdict>, out: &mut Vec<Command>) {
    let says = format!("{says}; kept in the project's file");
    if ui.add(Button::new(RichText::new(word).small()).small()).on_hover_text(says).clicked() {
        out.push(Command::DecideJoint { between, verdict });
    }
}

/// The button that begins a joint by hand, and the way out of it.
fn join_by_hand(ui: &mut Ui, data: &Data, slot: Slot, joining: &mut Option<Slot>) {
    if *joining == Some(slot) {
        under(ui, data, "Select what it is joined to, here or in the scene", |ui| {
            if ui.add(Button::new(RichText::new("Cancel").small()).small()).clicked() {
                *joining = None;
            }
        });
        return;
    }
    under(ui, data, "", |ui| {
        let says = "Join this element by hand to the one that is selected next; kept in the project's file";
        if ui.add(Button::new(RichText::new("Join to…").small()).small()).on_hover_text(says).clicked() {
            *joining = Some(slot);
        }
    });
}

fn list(ui: &mut Ui, data: &Data, name: &str, slots: &[Slot], out: &mut Vec<Command>) {
    for slot in slots.iter().take(LISTED) {
        link(ui, data, name, *slot, out);
    }
    if slots.len() > LISTED {
        fact(ui, data.tokens, name, &format!("and {} more", format::count(slots.len() - LISTED)), false);
    }
}

fn link(ui: &mut Ui, data: &Data, name: &str, slot: Slot, out: &mut Vec<Command>) {
    let response = fact(ui, data.tokens, name, &data.label(slot), true);
    if response.clicked() {
        go(slot, out);
    }
    if response.hovered() {
        out.push(Command::Hover(Some(slot)));
    }
}
