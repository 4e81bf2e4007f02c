//! What comes on the wire, topic by topic, for the window; and what people bind to a point there.

use super::live::Connected;
use super::windowed::TELL;
use crate::Step;
use crate::desktop::panels::{Notice, SavedViews};
use crate::problem::Problem;
use crate::site::project::{FoundBinding, Project, name_in_decision, save_bindings};
use crate::twin::command::Command;
use crate::twin::scene::Scene;
use crate::twin::wire_status::{Topic, Topics};
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
    let mut now = connected.0.topics(&scene.site.points);
    remember(&topics.rows, &mut now.rows);
    topics.set_if_neq(Topics { on: true, ..now });
}

/// Not each message of a topic brings all of its values: what was there before stays in the list.
fn remember(before: &[Topic], now: &mut [Topic]) {
    for topic in now {
        if let Ok(i) = before.binary_search_by(|t| t.name.cmp(&topic.name)) {
            let old = before.get(i).map_or(&[][..], |t| &t.keys);
            // An empty key stands for a payload that could not be read, where others have keys.
            let missing = old.iter().filter(|k| !k.key.is_empty() && !topic.keys.iter().any(|n| n.key == k.key));
            let missing: Vec<_> = missing.cloned().collect();
            topic.keys.extend(missing);
        }
        if topic.keys.len() > 1 {
            topic.keys.retain(|k| !k.key.is_empty());
        }
        topic.keys.sort_by(|a, b| a.key.cmp(&b.key));
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::wire_status::TopicKey;

    #[test]
    fn values_stay_in_the_list_when_a_message_lacks_them() {
        let topic = |name: &str, keys: &[&str]| Topic {
            name: name.into(),
            keys: keys.iter().map(|k| TopicKey { key: (*k).into(), ..TopicKey::default() }).collect(),
            ..Topic::default()
        };
        let before = [topic("a", &["x", "y"]), topic("b", &[""]), topic("c", &["p"])];
        let mut now = [topic("a", &["z", "x"]), topic("b", &[""]), topic("c", &[""]), topic("d", &["q"])];
        remember(&before, &mut now);
        let keys: Vec<Vec<&str>> = now.iter().map(|t| t.keys.iter().map(|k| k.key.as_str()).collect()).collect();
        assert_eq!(keys, [vec!["x", "y", "z"], vec![""], vec!["p"], vec!["q"]]);
    }
}
