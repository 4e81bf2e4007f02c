//! The search of the twin: what is looked for, and what was found. The index is built on a thread of its own when a
//! site opens; what is asked meanwhile is answered as soon as it is there.

use super::command::Command;
use super::health::{AssetHealth, HealthChanged};
use super::scene::{Scene, SiteOpened};
use super::view::View;
use crate::Step;
use crate::analytics::Health;
use crate::site::Slot;
use crate::site::search::{HealthWord, Index, Malformed, Query as Question, parse};
use bevy::prelude::*;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A search for health is made again this long after the last time at the earliest, when some health has changed.
const AGAIN: Duration = Duration::from_millis(250);

/// What is looked for, and the answer.
#[derive(Resource, Clone, Debug, Default)]
pub struct Search {
    text: String,
    answer: Answer,
    version: u64,
    query: Option<Question>,
    /// Somebody wants to see what is found as soon as there is an answer.
    show: bool,
}

/// How far a search is.
#[derive(Clone, Debug, Default)]
pub enum Answer {
    /// Nothing is looked for.
    #[default]
    Nothing,
    /// The index is not there yet.
    Waiting,
    /// It cannot be understood.
    Refused(Malformed),
    /// This was found.
    Found(Arc<Hits>),
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// The best first.
    pub slots: Vec<Slot>,
    /// What may have been meant otherwise.
    pub notes: Vec<String>,
    is_in: Vec<bool>,
}

impl Hits {
    /// True when an element was found.
    pub fn contains(&self, slot: Slot) -> bool {
        self.is_in.get(slot.0 as usize).copied().unwrap_or(false)
    }
}

impl Search {
    /// What is looked for, as it was written; empty for nothing.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How far it is.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// What was found; none while nothing is looked for or there is no answer.
    pub fn hits(&self) -> Option<&Hits> {
        match &self.answer {
            Answer::Found(hits) => Some(hits),
            _ => None,
        }
    }

    /// It will be answered when the index is there.
    pub fn is_waiting(&self) -> bool {
        matches!(self.answer, Answer::Waiting)
    }

    /// Another number with every answer.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Looks for something else.
    pub fn ask(&mut self, text: &str, index: Option<&Index>, health: &dyn Fn(Slot) -> Option<Health>) {
        self.text = text.to_owned();
        self.show = false;
        self.query = None;
        self.version += 1;
        self.answer = if text.trim().is_empty() {
            Answer::Nothing
        } else {
            match parse(text) {
                Err(malformed) => Answer::Refused(malformed),
                Ok(query) => {
                    self.query = Some(query);
                    Answer::Waiting
                }
            }
        };
        self.look(index, health);
    }

    /// The site has other numbers: what is asked is answered again, and shown if it was.
    fn wait(&mut self, shown: bool) {
        if self.query.is_some() {
            self.answer = Answer::Waiting;
            self.show = shown;
            self.version += 1;
        }
    }

    /// Answers what is asked, if it can be answered by now.
    fn look(&mut self, index: Option<&Index>, health: &dyn Fn(Slot) -> Option<Health>) {
        let (Some(query), Some(index)) = (&self.query, index) else { return };
        let health = |slot| health(slot).map(word);
        // It fails for want of health only, which is given.
        let Ok(found) = index.find(query, Some(&health)) else { return };
        if self.hits().is_some_and(|before| before.slots == found.slots) {
            return;
        }
        let mut is_in = vec![false; index.len()];
        for slot in &found.slots {
            if let Some(is_in) = is_in.get_mut(slot.0 as usize) {
                *is_in = true;
            }
        }
        self.answer = Answer::Found(Arc::new(Hits { slots: found.slots, notes: found.notes, is_in }));
        self.version += 1;
    }

    fn asks_for_health(&self) -> bool {
        self.query.as_ref().is_some_and(Question::asks_for_health)
    }
}

fn word(health: Health) -> HealthWord {
    match health {
        Health::Good => HealthWord::Good,
        Health::Warning => HealthWord::Warning,
        Health::Critical => HealthWord::Critical,
        Health::Stale => HealthWord::Stale,
        Health::Unknown => HealthWord::Unknown,
    }
}

/// The index of the site that is open.
#[derive(Resource, Default)]
struct SearchIndex {
    index: Option<Arc<Index>>,
    building: Option<JoinHandle<Index>>,
}

impl SearchIndex {
    /// Starts anew for another site; a thread that still reads the one before is left to end by itself.
    fn start(&mut self, scene: &Scene) {
        let site = Arc::clone(&scene.site);
        let thread = std::thread::Builder::new().name("plenum-index".into());
        self.index = None;
        self.building = thread.spawn(move || Index::of(&site)).ok();
        if self.building.is_none() {
            // No thread to be had: it is done here.
            self.index = Some(Arc::new(Index::of(&scene.site)));
        }
    }

    /// True when the index has come.
    fn arrives(&mut self) -> bool {
        let Some(building) = self.building.take_if(|b| b.is_finished()) else { return false };
        self.index = Some(Arc::new(building.join().unwrap_or_default()));
        true
    }
}

/// Keeps [`Search`].
pub struct SearchPlugin;

impl Plugin for SearchPlugin {
    fn build(&self, app: &mut App) {
        // Before the other commands are obeyed: what is to be shown has been found by then.
        app.init_resource::<Search>()
            .init_resource::<SearchIndex>()
            .add_systems(Update, (keep, show_when_found).chain().after(Step::Judge).before(Step::Act));
    }
}

fn keep(
    mut opened: MessageReader<SiteOpened>,
    scene: Option<Res<Scene>>,
    mut commands: MessageReader<Command>,
    mut changes: MessageReader<HealthChanged>,
    mut index: ResMut<SearchIndex>,
    mut search: ResMut<Search>,
    view: Res<View>,
    assets: bevy::prelude::Query<&AssetHealth>,
    mut stale: Local<bool>,
    mut looked: Local<Option<Instant>>,
) {
    let Some(scene) = scene else { return };
    if let Some(opened) = opened.read().last() {
        index.start(&scene);
        if opened.is_another() {
            let version = search.version + 1;
            *search = Search { version, ..Search::default() };
        } else {
            search.wait(view.found_only);
        }
    }
    let health = |slot: Slot| {
        let entity = scene.elements.get(slot.0 as usize).filter(|_| !scene.points_of(slot).is_empty())?;
        assets.get(*entity).ok().map(|h| h.0)
    };
    if index.arrives() {
        search.look(index.index.as_deref(), &health);
    }
    for command in commands.read() {
        match command {
            Command::Search(text) => search.ask(text, index.index.as_deref(), &health),
            Command::ShowFound if search.is_waiting() => search.show = true,
            _ => {}
        }
    }
    *stale |= changes.read().count() > 0;
    if *stale && search.asks_for_health() && looked.is_none_or(|at| at.elapsed() >= AGAIN) {
        (*stale, *looked) = (false, Some(Instant::now()));
        let before = search.version;
        search.look(index.index.as_deref(), &health);
        // What is shown follows what is found.
        search.show |= view.found_only && search.version != before;
    }
}

/// What was to be shown before it was found is shown now.
fn show_when_found(mut search: ResMut<Search>, mut commands: MessageWriter<Command>) {
    if search.show && !search.is_waiting() {
        search.show = false;
        commands.write(Command::ShowFound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TwinPlugins;
    use crate::site::model::Storey;
    use crate::site::{Element, Site};
    use crate::twin::scene::OpenSite;
    use crate::twin::view::{Drawn, View};

    fn twin() -> App {
        let element = |tag: &str, storey| Element { tag: tag.into(), storey: Some(storey), ..Element::default() };
        let (site, _) = Site::of_elements("", vec![element("P-1", 0), element("P-2", 1), element("fan", 0)]);
        let storeys = [0.0, 4.0].map(|elevation_m| Storey { elevation_m, ..Storey::default() });
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins))
            .insert_resource(OpenSite(Arc::new(Site { storeys: storeys.into(), ..site })));
        app.update();
        app
    }

    fn ask(app: &mut App, commands: &[Command]) {
        app.world_mut().write_message_batch(commands.iter().cloned());
        app.update();
        let until = Instant::now() + Duration::from_secs(60);
        while app.world().resource::<Search>().is_waiting() {
            assert!(Instant::now() < until, "the index never came");
            app.update();
        }
    }

    fn drawn(app: &App) -> Vec<Drawn> {
        (0..3).map(|i| app.world().resource::<View>().drawn(Slot(i))).collect()
    }

    #[test]
    fn what_is_asked_at_once_is_answered_and_shown_when_the_index_is_there() {
        let mut app = twin();
        ask(&mut app, &[Command::Search("tag:P-*".into()), Command::ShowFound]);
        let search = app.world().resource::<Search>();
        assert_eq!(search.hits().unwrap().slots, [Slot(1), Slot(0)], "from the roof down");
        assert!(search.hits().unwrap().contains(Slot(0)) && !search.hits().unwrap().contains(Slot(2)));
        assert_eq!(drawn(&app), [Drawn::Solid, Drawn::Solid, Drawn::Ghost]);
        // Nothing looked for: everything is back.
        ask(&mut app, &[Command::Search(String::new())]);
        assert!(matches!(app.world().resource::<Search>().answer(), Answer::Nothing));
        assert_eq!(drawn(&app), [Drawn::Solid; 3]);
        // Unless somebody has changed what is drawn meanwhile.
        ask(&mut app, &[Command::Search("fan".into()), Command::ShowFound, Command::Hide(vec![Slot(0)])]);
        ask(&mut app, &[Command::Search(String::new())]);
        assert_eq!(drawn(&app), [Drawn::Hidden, Drawn::Ghost, Drawn::Solid]);
    }

    #[test]
    fn what_a_storey_hides_stays_hidden() {
        let mut app = twin();
        ask(&mut app, &[Command::CutStorey(Some(0)), Command::Search("P".into()), Command::ShowFound]);
        assert_eq!(drawn(&app), [Drawn::Solid, Drawn::Hidden, Drawn::Ghost]);
        ask(&mut app, &[Command::Search(String::new())]);
        assert_eq!(drawn(&app), [Drawn::Solid, Drawn::Hidden, Drawn::Solid]);
    }

    #[test]
    fn what_cannot_be_understood_is_told_and_shows_nothing() {
        let mut app = twin();
        ask(&mut app, &[Command::Search("clas:x".into()), Command::ShowFound]);
        let search = app.world().resource::<Search>();
        let Answer::Refused(wrong) = search.answer() else { panic!("{search:?}") };
        assert_eq!((wrong.column, search.text()), (1, "clas:x"));
        assert_eq!(drawn(&app), [Drawn::Solid; 3]);
    }

    #[test]
    fn another_site_is_another_search() {
        let mut app = twin();
        ask(&mut app, &[Command::Search("fan".into())]);
        let version = app.world().resource::<Search>().version();
        app.insert_resource(OpenSite(Arc::new(Site::default())));
        app.update();
        let search = app.world().resource::<Search>();
        assert!(search.text().is_empty() && search.hits().is_none() && search.version() > version);
    }
}
