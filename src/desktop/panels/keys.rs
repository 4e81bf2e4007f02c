//! Keys that act on the selection. Those that move the camera belong to the camera.

use super::data::Data;
use super::state::PanelState;
use crate::simulation::building::trace::Way;
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{Key, Modifiers};

/// Obeys the keys of this frame, unless somebody is typing.
pub fn obey(ctx: &egui::Context, data: &Data, state: &mut PanelState, out: &mut Vec<Command>) {
    // While a button is held, letters belong to the hand on the camera.
    if ctx.text_edit_focused() || state.open.is_open() || ctx.input(|i| i.pointer.any_down()) {
        return;
    }
    if ctx.input(|i| i.modifiers.command && i.key_pressed(Key::F)) {
        state.left_open = true;
        state.tree.search.take_keyboard();
    }
    let reload = ctx.input(|i| (i.modifiers.command && i.key_pressed(Key::R)) || i.key_pressed(Key::F5));
    if reload && data.scene.is_some() && data.busy.is_none() {
        out.push(Command::Reload);
    }
    let pressed = |key: Key| ctx.input(|i| i.key_pressed(key) && !i.modifiers.command && !i.modifiers.alt);
    let shift = ctx.input(|i| i.modifiers.contains(Modifiers::SHIFT));
    if pressed(Key::Questionmark) || pressed(Key::F1) || (shift && pressed(Key::Slash)) {
        state.help = !state.help;
    } else if pressed(Key::Slash) || (shift && pressed(Key::X)) {
        out.push(Command::ShowAll);
    }
    if pressed(Key::Escape) {
        if state.naming.is_open() {
            state.naming.close();
        } else if state.placing.is_open() {
            state.placing.close();
        } else if state.help {
            state.help = false;
        } else if state.joining.take().is_some() {
            // Nothing is joined by hand.
        } else if let Some(busy) = data.busy.filter(|b| !b.progress.cancelled()) {
            busy.progress.cancel();
        } else if state.tree.search.is_typed_in() {
            // The box clears itself.
        } else if data.flows.traced.from.is_some() {
            out.push(Command::ClearTrace);
        } else if data.view.selected.is_none() && state.tree.search.is_used() {
            state.tree.search.clear();
        } else {
            out.push(Command::Select(None));
        }
    }
    if pressed(Key::T) {
        state.time.open = !state.time.open;
    }
    if pressed(Key::Space) && state.time.is_shown(data) {
        state.time.toggle(data, out);
    }
    if pressed(Key::L) && !data.playback.is_live() {
        out.push(Command::GoLive);
    }
    let Some(slot) = data.view.selected else { return };
    if pressed(Key::I) {
        out.push(Command::Isolate(vec![slot]));
    }
    if pressed(Key::G) {
        out.push(Command::GhostOthers(vec![slot]));
    }
    if pressed(Key::U) && data.flows.networks.place(slot).is_some() {
        out.push(Command::Trace { slot, way: if shift { Way::Downstream } else { Way::Upstream } });
    }
    if pressed(Key::X) && !shift {
        out.push(Command::Hide(vec![slot]));
    }
}
