//! Design tokens: the colours, sizes and distances of the panels, for a dark and a light theme.
//!
//! Panels take every colour from here or from [`super::palette`]; none is written in a panel.

use super::palette;
use crate::analytics::Health;
use crate::operations::alarm::AlarmSeverity;
use crate::problem::Severity;
use crate::twin::state_words::Palette;
use crate::twin::view::Theme;
use bevy_egui::egui;
use egui::style::{ScrollStyle, WidgetVisuals, Widgets};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, Vec2, vec2};

/// Text of labels and values, points.
pub const TEXT: f32 = 13.0;
/// Text of counts, units and captions, points.
pub const SMALL: f32 = 11.0;
/// Text of a panel's title, points.
pub const TITLE: f32 = 15.0;
/// Height of one row of a list, points.
pub const ROW: f32 = 22.0;
/// Height of the bar at the top, points.
pub const TOP_BAR: f32 = 40.0;
/// Height of the bar at the bottom, points.
pub const STATUS_BAR: f32 = 24.0;
/// Height of the bar of time, points.
pub const TIME_BAR: f32 = 38.0;
/// The least part of the window that is left to the scene, points.
pub const LEAST_SCENE: Vec2 = vec2(280.0, 200.0);
/// Below this width panels drop words and keep their icons, points.
pub const NARROW: f32 = 1100.0;
/// Distance between things that belong together, points.
pub const GAP: f32 = 6.0;
/// Distance from a panel's edge to what is in it, points.
pub const PAD: i8 = 8;
/// Radius of rounded corners, points.
pub const RADIUS: u8 = 4;

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tokens {
    /// Whose they are.
    pub theme: Theme,
    /// Behind the bars at the top and at the bottom.
    pub bar: Color32,
    /// Behind panels.
    pub panel: Color32,
    /// Behind cards, menus and windows.
    pub raised: Color32,
    /// Behind text that can be typed into, plots and sparklines.
    pub sunken: Color32,
    /// Behind buttons.
    pub control: Color32,
    /// Behind what the pointer is over.
    pub hover: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Text that matters less.
    pub weak: Color32,
    /// Text and icons of what is chosen.
    pub accent: Color32,
    /// Behind what is chosen.
    pub chosen: Color32,
    /// Something needs attention.
    pub warning: Color32,
    /// Something is wrong.
    pub critical: Color32,
}

const DARK: Tokens = Tokens {
    theme: Theme::Dark,
    bar: Color32::from_rgb(18, 21, 26),
    panel: Color32::from_rgb(25, 29, 35),
    raised: Color32::from_rgb(32, 37, 45),
    sunken: Color32::from_rgb(16, 19, 23),
    control: Color32::from_rgb(42, 48, 58),
    hover: Color32::from_rgb(48, 56, 68),
    line: Color32::from_rgb(48, 55, 66),
    text: Color32::from_rgb(222, 227, 234),
    weak: Color32::from_rgb(145, 154, 168),
    accent: Color32::from_rgb(96, 165, 250),
    chosen: Color32::from_rgb(35, 62, 102),
    warning: Color32::from_rgb(240, 172, 40),
    critical: Color32::from_rgb(240, 92, 88),
};

const LIGHT: Tokens = Tokens {
    theme: Theme::Light,
    bar: Color32::from_rgb(233, 236, 240),
    panel: Color32::from_rgb(246, 247, 249),
    raised: Color32::from_rgb(255, 255, 255),
    sunken: Color32::from_rgb(255, 255, 255),
    control: Color32::from_rgb(224, 228, 234),
    hover: Color32::from_rgb(212, 219, 228),
    line: Color32::from_rgb(208, 213, 221),
    text: Color32::from_rgb(28, 34, 43),
    weak: Color32::from_rgb(92, 101, 114),
    accent: Color32::from_rgb(24, 98, 196),
    chosen: Color32::from_rgb(204, 224, 249),
    warning: Color32::from_rgb(176, 112, 0),
    critical: Color32::from_rgb(196, 40, 40),
};

/// The tokens of a theme.
pub fn tokens(theme: Theme) -> &'static Tokens {
    match theme {
        Theme::Dark => &DARK,
        Theme::Light => &LIGHT,
    }
}

impl Tokens {
    /// The colour of a health: the one the scene has.
    pub fn health(&self, health: Health) -> Color32 {
        self.palette(Palette::Health, u16::from(health.rank()))
    }

    /// The colour of a palette's value: the one the scene has.
    pub fn palette(&self, palette: Palette, value: u16) -> Color32 {
        let [r, g, b] = palette::at(palette, value, self.theme);
        Color32::from_rgb(r, g, b)
    }

    /// A colour `share` of the way from a ground to `colour`, opaque: blending differs between GPUs' targets, this does not.
    pub fn mix(ground: Color32, colour: Color32, share: f32) -> Color32 {
        let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share.clamp(0.0, 1.0)).round() as u8;
        Color32::from_rgb(part(ground.r(), colour.r()), part(ground.g(), colour.g()), part(ground.b(), colour.b()))
    }

    /// The colour of an alarm's severity.
    pub fn alarm(&self, severity: AlarmSeverity) -> Color32 {
        match severity {
            AlarmSeverity::Low => self.health(Health::Stale),
            AlarmSeverity::Medium => self.health(Health::Warning),
            AlarmSeverity::High => self.health(Health::Critical),
        }
    }

    /// The colour of a problem's severity.
    pub fn problem(&self, severity: Severity) -> Color32 {
        match severity {
            Severity::Info => self.accent,
            Severity::Warning => self.warning,
            Severity::Error => self.critical,
        }
    }

    /// The colour of the `n`th series of a plot.
    pub fn series(&self, n: usize) -> Color32 {
        self.palette(Palette::Category, n as u16)
    }
}

/// Gives a context the theme's style.
pub fn apply(ctx: &egui::Context, theme: Theme) {
    let of = match theme {
        Theme::Dark => egui::Theme::Dark,
        Theme::Light => egui::Theme::Light,
    };
    ctx.set_theme(of);
    ctx.set_style_of(of, style(theme));
}

/// The whole egui style of a theme.
pub fn style(theme: Theme) -> egui::Style {
    let t = tokens(theme);
    let mut style = egui::Style {
        visuals: match theme {
            Theme::Dark => egui::Visuals::dark(),
            Theme::Light => egui::Visuals::light(),
        },
        animation_time: 0.08,
        ..Default::default()
    };
    style.text_styles = [
        (TextStyle::Heading, FontId::new(TITLE, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(TEXT, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(TEXT, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(TEXT - 0.5, FontFamily::Monospace)),
        (TextStyle::Small, FontId::new(SMALL, FontFamily::Proportional)),
    ]
    .into();
    spacing(&mut style.spacing);
    visuals(&mut style.visuals, t);
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style
}

fn spacing(s: &mut egui::Spacing) {
    s.item_spacing = vec2(GAP, 4.0);
    s.button_padding = vec2(8.0, 3.0);
    s.interact_size = vec2(28.0, 24.0);
    s.window_margin = Margin::same(12);
    s.menu_margin = Margin::same(6);
    s.indent = 14.0;
    s.icon_width = 14.0;
    s.icon_width_inner = 8.0;
    s.combo_width = 80.0;
    s.combo_height = 320.0;
    s.tooltip_width = 320.0;
    s.scroll = ScrollStyle { bar_width: 8.0, bar_inner_margin: 2.0, bar_outer_margin: 0.0, ..ScrollStyle::thin() };
    // The panels' colours are blended in linear light, where a fade looks like dirt.
    s.scroll.fade.strength = 0.0;
}

fn visuals(v: &mut egui::Visuals, t: &Tokens) {
    let radius = CornerRadius::same(RADIUS);
    let widget = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    v.widgets = Widgets {
        noninteractive: widget(t.panel, t.line, t.text),
        inactive: WidgetVisuals { bg_stroke: Stroke::NONE, ..widget(t.control, t.line, t.text) },
        hovered: widget(t.hover, t.line, t.text),
        active: widget(t.chosen, t.accent, t.text),
        open: widget(t.hover, t.line, t.text),
    };
    v.selection = egui::style::Selection { bg_fill: t.chosen, stroke: Stroke::new(1.0, t.text) };
    v.weak_text_color = Some(t.weak);
    v.hyperlink_color = t.accent;
    v.faint_bg_color = t.raised;
    v.extreme_bg_color = t.sunken;
    v.text_edit_bg_color = Some(t.sunken);
    v.code_bg_color = t.sunken;
    v.warn_fg_color = t.warning;
    v.error_fg_color = t.critical;
    v.panel_fill = t.panel;
    v.window_fill = t.raised;
    v.window_stroke = Stroke::new(1.0, t.line);
    v.window_corner_radius = CornerRadius::same(RADIUS + 4);
    v.menu_corner_radius = CornerRadius::same(RADIUS + 2);
    let shade = match t.theme {
        Theme::Dark => 110,
        Theme::Light => 40,
    };
    v.window_shadow = Shadow { offset: [0, 6], blur: 20, spread: 0, color: Color32::from_black_alpha(shade) };
    v.popup_shadow = Shadow { offset: [0, 3], blur: 10, spread: 0, color: Color32::from_black_alpha(shade) };
    v.slider_trailing_fill = true;
    // Dark text on a light ground comes out thin when it is blended in linear light: both themes take the stronger one.
    v.text_options.color_transfer_function = egui::epaint::FontColorTransferFunction::DARK_MODE_DEFAULT;
    v.striped = false;
    v.indent_has_left_vline = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.1).
    fn luminance(c: Color32) -> f64 {
        let lin = |v: u8| {
            let s = f64::from(v) / 255.0;
            if s <= 0.03928 { s / 12.92 } else { ((s + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * lin(c.r()) + 0.7152 * lin(c.g()) + 0.0722 * lin(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_everything_it_stands_on() {
        for theme in [Theme::Dark, Theme::Light] {
            let t = tokens(theme);
            for ground in [t.bar, t.panel, t.raised, t.sunken, t.control, t.hover, t.chosen] {
                assert!(contrast(t.text, ground) >= 7.0, "{theme:?} text on {ground:?}");
            }
            for ground in [t.bar, t.panel, t.raised, t.sunken] {
                assert!(contrast(t.weak, ground) >= 4.5, "{theme:?} weak on {ground:?} {}", contrast(t.weak, ground));
                assert!(contrast(t.accent, ground) >= 4.5, "{theme:?} accent on {ground:?}");
                assert!(contrast(t.critical, ground) >= 4.0, "{theme:?} critical on {ground:?}");
            }
        }
    }

    #[test]
    fn a_style_takes_the_tokens() {
        let style = style(Theme::Light);
        assert_eq!(style.visuals.panel_fill, tokens(Theme::Light).panel);
        assert!(!style.visuals.dark_mode);
        assert_eq!(TextStyle::Body.resolve(&style).size, TEXT);
    }
}
