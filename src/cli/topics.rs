//! What comes on the wire, topic by topic, for the window; and what people bind to a point there.

use super::live::Connected;
use super::windowed::TELL;
use crate::Step;
use crate::desktop::panels::{Notice, SavedViews};
use crate::problem::Problem;
use crate::site::project::{FoundBinding, Project, name_in_decision, save_bindings};
use crate::twin::command::Command;
use crate::twin::scene::Scene;
use crate::twin::wire_status::Topics;
use bevy::prelude::*;
use std::time::Instant;

/// Obeys [`Command::Inspect`] and [`Command::Bind`].
pub fn plugin(app: &mut App) {
    app.add_systems(Update, (follow_topics, save_bound).in_set(Step::Present));
}

/// Takes note of every topic while somebody looks, and tells what comes.
fn follow_topics(
    connected: Option<Res<Connected>>,
    scene: Option<Res<Scene>>,
    mut commands: MessageReader<Command>,
    mut topics: ResMut<Topics>,
    mut last: Local<Option<Instant>>,
) {
    let asked = commands.read().filter_map(|c| if let Command::Inspect(on) = c { Some(*on) } else { None }).last();
    if let Some(on) = asked {
        if let Some(connected) = &connected {
            connected.0.inspect(on);
        }
        *topics = Topics { on, ..Topics::default() };
        *last = None;
    }
    let (Some(connected), Some(scene)) = (connected, scene) else { return };
    if !topics.on || last.is_some_and(|t| t.elapsed() < TELL) {
        return;
    }
    *last = Some(Instant::now());
    topics.set_if_neq(Topics { on: true, ..connected.0.topics(&scene.site.points) });
}

/// Writes into the project's file which topic feeds a point, as `plenum map` does, and goes on with it.
fn save_bound(
    mut commands: MessageReader<Command>,
    scene: Option<Res<Scene>>,
    saved: Res<SavedViews>,
    mut notices: MessageWriter<Notice>,
    mut queue: Commands,
) {
    for command in commands.read() {
        let Command::Bind(bind) = command else { continue };
        let (Some(file), Some(scene)) = (&saved.file, &scene) else { continue };
        let Some(element) = scene.site.element(bind.slot) else { continue };
        let found = FoundBinding {
            asset: name_in_decision(&scene.site, element),
            point: bind.role.clone(),
            template: Some(bind.template.clone()),
            topic: bind.topic.clone(),
            key: bind.key.clone(),
            remark: "bound by hand in the window".into(),
        };
        let project = Project { file: file.clone(), ..Project::default() };
        notices.write(Notice(match save_bindings(&project, &[found]) {
            Ok(_) => {
                queue.write_message(Command::Reload);
                let what = format!("{} feeds {} of {}", bind.topic, bind.role, element.label());
                Problem::info(file.display().to_string(), what, "")
            }
            Err(problem) => problem,
        }));
    }
}
