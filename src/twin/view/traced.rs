//! What is traced is drawn, and what is not on the way is a ghost, until nobody traces any more.

use super::{Drawn, View};
use crate::simulation::building::trace::Way;
use crate::site::{ElementKind, Slot};
use crate::twin::flow::Traced;
use crate::twin::scene::Scene;
use bevy::prelude::*;

/// Makes ghosts of what is not traced. Whoever isolates, hides or shows something else meanwhile is obeyed.
pub fn show_traced(
    traced: Option<Res<Traced>>,
    scene: Option<Res<Scene>>,
    mut view: ResMut<View>,
    mut shown: Local<Option<(Slot, Way)>>,
) {
    let (Some(scene), Some(traced)) = (scene, traced.filter(|t| t.is_changed())) else { return };
    let Some(trace) = &traced.trace else {
        *shown = None;
        if let Some(before) = view.drawn_before_trace.take() {
            view.drawn = before;
        }
        return;
    };
    let is_another = *shown != traced.from;
    if !is_another && view.drawn_before_trace.is_none() {
        // Somebody has looked at something else since.
        return;
    }
    *shown = traced.from;
    let before = match view.drawn_before_trace.take() {
        Some(before) => before,
        None => view.drawn.clone(),
    };
    let on_the_way: std::collections::HashSet<Slot> = trace.elements.iter().map(|e| e.slot).collect();
    let drawn = scene.site.iter().map(|(slot, element)| {
        let was = before.get(slot.0 as usize).copied().unwrap_or_default();
        match element.kind {
            _ if on_the_way.contains(&slot) => Drawn::Solid,
            ElementKind::Space => Drawn::Hidden,
            _ if was == Drawn::Hidden => Drawn::Hidden,
            _ => Drawn::Ghost,
        }
    });
    let drawn: Vec<Drawn> = drawn.collect();
    if view.drawn != drawn {
        view.drawn = drawn;
    }
    view.drawn_before_trace = Some(before);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;
    use crate::simulation::building::trace::{Reached, Trace};
    use crate::site::{Element, Site};
    use crate::twin::command::{Command, CommandPlugin};
    use crate::twin::scene::SiteOpened;
    use crate::twin::view::ViewPlugin;
    use std::sync::Arc;

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((crate::StepsPlugin, CommandPlugin, ViewPlugin)).init_resource::<Traced>();
        app.add_message::<SiteOpened>().configure_sets(Update, Step::Act);
        let mut site = Site { elements: vec![Element::default(); 4], ..Site::default() };
        site.elements[3].kind = ElementKind::Space;
        app.insert_resource(Scene {
            site: Arc::new(site),
            elements: vec![Entity::PLACEHOLDER; 4],
            points: Vec::new(),
            bound: Vec::new(),
            points_of: vec![Vec::new(); 4],
        });
        app.update();
        app
    }

    fn trace(app: &mut App, slots: &[u32]) {
        let reached = |s: &u32| Reached { slot: Slot(*s), links: 0, distance_m: 0.0 };
        let trace = Trace { elements: slots.iter().map(reached).collect(), ..Trace::default() };
        app.insert_resource(Traced::of(Slot(slots[0]), Way::Upstream, Some(trace)));
        app.update();
    }

    fn drawn(app: &App) -> Vec<Drawn> {
        (0..4).map(|i| app.world().resource::<View>().drawn(Slot(i))).collect()
    }

    #[test]
    fn what_is_not_traced_is_a_ghost_until_the_end() {
        use Drawn::{Ghost, Hidden, Solid};
        let mut app = app();
        app.world_mut().write_message(Command::Hide(vec![Slot(2)]));
        app.update();
        trace(&mut app, &[0]);
        assert_eq!(drawn(&app), [Solid, Ghost, Hidden, Hidden]);
        // The flow has turned: the same trace finds something else.
        trace(&mut app, &[0, 2]);
        assert_eq!(drawn(&app), [Solid, Ghost, Solid, Hidden]);
        app.insert_resource(Traced::default());
        app.update();
        assert_eq!(drawn(&app), [Solid, Solid, Hidden, Solid], "as it was");
    }

    #[test]
    fn whoever_looks_at_something_else_is_left_alone() {
        use Drawn::{Ghost, Hidden, Solid};
        let mut app = app();
        trace(&mut app, &[0]);
        app.world_mut().write_message(Command::ShowAll);
        app.update();
        trace(&mut app, &[0, 1]);
        assert_eq!(drawn(&app), [Solid; 4]);
        app.insert_resource(Traced::default());
        app.update();
        assert_eq!(drawn(&app), [Solid; 4]);
        trace(&mut app, &[1]);
        assert_eq!(drawn(&app), [Ghost, Solid, Ghost, Hidden], "another trace is shown");
    }
}
