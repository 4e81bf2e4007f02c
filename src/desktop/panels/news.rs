//! Messages that come and go: new alarms, and what went wrong.

use super::alarms::severity_word;
use super::data::Data;
use super::format;
use crate::operations::alarm::AlarmSeverity;
use crate::operations::{Alarm, AlarmId};
use crate::problem::{Problem, Severity};
use bevy::prelude::Message;
use bevy_egui::egui;
use egui::{Rect, RichText, vec2};
use egui_notify::{Anchor, Toast, Toasts};
use std::time::Duration;

/// Something that people should read now: shown for a while in a corner of the scene.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Notice(pub Problem);

/// More new alarms than this in one frame are told as a number.
const AT_ONCE: usize = 3;
/// Longer texts are cut, characters: a message must fit into a small scene.
const LONGEST: usize = 46;

/// What has been told.
pub struct News {
    toasts: Toasts,
    /// The newest alarm that was told; none before the first frame with a site.
    told: Option<AlarmId>,
    started: bool,
}

impl Default for News {
    fn default() -> Self {
        Self { toasts: Toasts::new().with_padding(vec2(10.0, 8.0)), told: None, started: false }
    }
}

impl News {
    /// Tells a notice.
    pub fn tell(&mut self, notice: &Problem) {
        let words = RichText::new(format::elide(&notice.message, LONGEST));
        let (mut toast, seconds) = match notice.severity {
            Severity::Info => (Toast::info(words), 4),
            Severity::Warning => (Toast::warning(words), 8),
            Severity::Error => (Toast::error(words), 12),
        };
        toast.duration(Duration::from_secs(seconds));
        self.toasts.add(toast);
    }

    /// How many messages are on the screen.
    pub fn count(&self) -> usize {
        self.toasts.len()
    }

    /// Draws the messages into the upper right corner of the scene.
    pub fn ui(&mut self, ctx: &egui::Context, scene: Rect, data: &Data) {
        for text in self.fresh(data) {
            let (severity, text) = text;
            let mut toast = match severity {
                AlarmSeverity::Low => Toast::info(text),
                AlarmSeverity::Medium => Toast::warning(text),
                AlarmSeverity::High => Toast::error(text),
            };
            toast.duration(Duration::from_secs(8));
            self.toasts.add(toast);
        }
        let screen = ctx.content_rect();
        let margin = vec2(screen.right() - scene.right() + 10.0, scene.top() - screen.top() + 10.0);
        self.toasts = std::mem::take(&mut self.toasts).with_anchor(Anchor::TopRight).with_margin(margin);
        self.toasts.show(ctx);
    }

    /// What to say of alarms that were raised since the last frame. Those that stood before the first are no news.
    fn fresh(&mut self, data: &Data) -> Vec<(AlarmSeverity, String)> {
        let all = data.alarms;
        let newest = all.iter().map(|a| a.id).max();
        let before = std::mem::replace(&mut self.told, newest);
        if !std::mem::replace(&mut self.started, true) {
            return Vec::new();
        }
        let fresh: Vec<&Alarm> = all.iter().filter(|a| before.is_none_or(|b| a.id > b)).collect();
        if fresh.len() > AT_ONCE {
            let worst = fresh.iter().map(|a| a.severity).max().unwrap_or(AlarmSeverity::Low);
            return vec![(
                worst,
                format!("{} new alarms, the worst {}", fresh.len(), severity_word(worst).to_lowercase()),
            )];
        }
        fresh
            .into_iter()
            .map(|a| (a.severity, format::elide(&format!("{}: {}", data.label(a.asset), a.name), LONGEST)))
            .collect()
    }
}
