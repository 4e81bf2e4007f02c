//! What people settle by hand while the site is open, where models lie and what is joined: tried at once, kept by
//! whoever holds the project's file.

use super::command::Command;
use super::scene::{Relaid, Scene, SiteOpened};
use crate::Step;
use crate::site::Site;
use crate::site::infer::{Decision, Verdict};
use crate::site::project::{JoinDecision, Move, Project};
use bevy::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many placements can be undone.
const MOST_UNDONE: usize = 100;

/// Where the models of the site that is open are put by hand, and what was decided of its joints. Filled by whoever opens the project.
#[derive(Resource, Clone, Debug, Default)]
pub struct Placements {
    /// Of the project: what says where models lie and what is joined.
    project: Project,
    /// What was before, the latest last.
    before: Vec<(PathBuf, Move)>,
    /// Addresses of the states that the open site has had.
    states: Vec<usize>,
}

/// A model was placed, or a placement was undone: time to write it down.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct ModelPlaced {
    /// The model, absolute.
    pub file: PathBuf,
    /// Where it lies now.
    pub to: Move,
}

/// Something was decided of a joint, or is not any more: time to write it down.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct JointDecided {
    /// The two elements as the project's file names them.
    pub decision: JoinDecision,
    /// What is decided of them now; none: nothing is any more.
    pub verdict: Option<Verdict>,
}

impl Placements {
    /// Those of a project.
    pub fn of(project: &Project) -> Self {
        let project = Project {
            folder: project.folder.clone(),
            file: project.file.clone(),
            origin: project.origin.clone(),
            models: project.models.clone(),
            joining: project.joining,
            joins: project.joins.clone(),
            ..Project::default()
        };
        Self { project, ..Self::default() }
    }

    /// Where a model is put by hand; [`Move::Back`] where its file says it, and none for what is no model of the
    /// project (map layers lie where they say).
    pub fn of_model(&self, file: &Path) -> Option<Move> {
        let model = self.project.models.iter().find(|m| m.file == file)?;
        Some(match (model.offset_m, model.rotation_deg) {
            (None, None) => Move::Back,
            (offset_m, rotation_deg) => {
                Move::To { offset_m: offset_m.unwrap_or_default(), rotation_deg: rotation_deg.unwrap_or_default() }
            }
        })
    }

    /// What is decided of joints. What names an element that `site` has not counts for nothing.
    pub fn decisions(&self, site: &Site) -> Vec<Decision> {
        self.project.decisions(site).0
    }

    /// The model whose placement [`Command::UndoPlacement`] takes back.
    pub fn can_be_undone(&self) -> Option<&Path> {
        self.before.last().map(|(file, _)| file.as_path())
    }

    /// True when a site at this address was an earlier state of the one that is open: its numbers are the same.
    pub fn was_a_state(&self, address: usize) -> bool {
        self.states.contains(&address)
    }

    /// Puts a model elsewhere, so that it can be undone. False when it is there already, is no model of the project, or
    /// that is no place.
    pub(crate) fn place(&mut self, file: &Path, to: Move) -> bool {
        let Some(before) = self.put(file, to).filter(|before| *before != to) else { return false };
        if self.before.len() >= MOST_UNDONE {
            self.before.remove(0);
        }
        self.before.push((file.to_owned(), before));
        true
    }

    /// The open site was in this state.
    pub(crate) fn passed(&mut self, site: &Arc<Site>) {
        self.states.push(address(site));
    }

    /// Puts a model elsewhere; gives where it was. None when it is no model of the project, or no place.
    fn put(&mut self, file: &Path, to: Move) -> Option<Move> {
        let before = self.of_model(file)?;
        let model = self.project.models.iter_mut().find(|m| m.file == file)?;
        (model.offset_m, model.rotation_deg) = match to {
            Move::To { offset_m, rotation_deg } => {
                let is_place = offset_m.iter().all(|v| v.is_finite() && v.abs() < 1e8);
                if !is_place || !(-360.0..=360.0).contains(&rotation_deg) {
                    return None;
                }
                (Some(offset_m), Some(rotation_deg))
            }
            Move::Back => (None, None),
        };
        Some(before)
    }
}

/// Obeys [`Command::PlaceModel`], [`Command::UndoPlacement`] and [`Command::DecideJoint`].
pub struct PlacePlugin;

impl Plugin for PlacePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Placements>()
            .add_message::<ModelPlaced>()
            .add_message::<JointDecided>()
            .add_systems(Update, (forget, obey).chain().in_set(Step::Act));
    }
}

fn forget(mut opened: MessageReader<SiteOpened>, mut placements: ResMut<Placements>) {
    if opened.read().count() > 0 {
        placements.states.clear();
    }
}

fn obey(
    mut commands: MessageReader<Command>,
    mut placements: ResMut<Placements>,
    scene: Option<Res<Scene>>,
    mut relaid: MessageWriter<Relaid>,
    mut placed: MessageWriter<ModelPlaced>,
    mut decided: MessageWriter<JointDecided>,
) {
    let Some(scene) = scene else { return };
    let mut any = false;
    for command in commands.read() {
        let (file, to) = match command {
            Command::PlaceModel { source, to } => {
                let file = scene.site.sources.get(usize::from(*source)).map(|s| s.file.clone());
                let Some(file) = file.filter(|file| placements.place(file, *to)) else { continue };
                (file, *to)
            }
            Command::UndoPlacement => {
                let Some((file, before)) = placements.before.pop() else { continue };
                if placements.put(&file, before).is_none() {
                    continue;
                }
                (file, before)
            }
            Command::DecideJoint { between, verdict } => {
                for (decision, verdict) in placements.project.decide(&scene.site, *between, *verdict) {
                    decided.write(JointDecided { decision, verdict });
                    any = true;
                }
                continue;
            }
            _ => continue,
        };
        placed.write(ModelPlaced { file, to });
        any = true;
    }
    if any {
        let (site, sources) = scene.site.laid_anew(&placements.project);
        placements.passed(&scene.site);
        relaid.write(Relaid { was: Arc::clone(&scene.site), site: Arc::new(site), sources });
    }
}

/// What tells the states of a site apart.
pub fn address(site: &Arc<Site>) -> usize {
    Arc::as_ptr(site) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TwinPlugins;
    use crate::shape::Aabb;
    use crate::site::model::{Georeference, Model};
    use crate::site::project::{load, place_file};
    use crate::site::{Element, assemble};
    use crate::twin::scene::OpenSite;
    use bevy::ecs::message::MessageCursor;
    use glam::{DAffine3, DVec3};

    const FILE: &str = "name = \"House\"\n\n[[models]]\nfile = \"a.ifc\"\n\n# Drawn about its own zero.\n[[models]]\n\
                        file = \"b.ifc\" # services\n\n[[layers]]\nfile = \"c.geojson\"\n";

    fn model(file: PathBuf, georeference: Option<Georeference>) -> Model {
        let at = DVec3::new(1.0, 2.0, 3.0);
        let bounds = Some(Aabb { min: at, max: at + DVec3::ONE });
        let id = file.display().to_string();
        let placement = DAffine3::from_translation(at);
        Model {
            elements: vec![Element { id, placement, bounds, ..Element::default() }],
            file,
            georeference,
            ..Model::default()
        }
    }

    /// A project of two models and a layer, as it is open in an app without a window, with its file.
    struct House {
        app: App,
        folder: tempfile::TempDir,
        placed: MessageCursor<ModelPlaced>,
    }

    impl House {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("twin.toml"), FILE).unwrap();
            for name in ["a.ifc", "b.ifc", "c.geojson"] {
                std::fs::write(folder.path().join(name), "").unwrap();
            }
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, TwinPlugins));
            let mut house = Self { app, folder, placed: MessageCursor::default() };
            house.open();
            house
        }

        fn open(&mut self) {
            let (project, problems) = load(self.folder.path()).unwrap();
            assert_eq!(problems, []);
            let origin_m = [2_683_141.0, 1_247_400.0, 408.0];
            let conversion = Georeference { crs: "EPSG:2056".into(), origin_m, scale: 1.0, ..Georeference::default() };
            let models = ["a.ifc", "b.ifc", "c.geojson"].map(|name| {
                let conversion = (name != "b.ifc").then(|| conversion.clone());
                (model(self.folder.path().join(name), conversion), String::new())
            });
            let (site, _) = assemble(&project, models.into());
            self.app.insert_resource(Placements::of(&project)).insert_resource(OpenSite(Arc::new(site)));
            self.app.update();
        }

        /// Gives what is to be written down, and writes it.
        fn ask(&mut self, commands: &[Command]) -> Vec<ModelPlaced> {
            for command in commands {
                self.app.world_mut().write_message(command.clone());
            }
            self.app.update();
            let placed = self.app.world().resource::<Messages<ModelPlaced>>();
            let placed: Vec<ModelPlaced> = self.placed.read(placed).cloned().collect();
            for ModelPlaced { file, to } in &placed {
                place_file(&self.folder.path().join("twin.toml"), file, *to).unwrap();
            }
            placed
        }

        fn places(&self) -> Vec<DVec3> {
            let scene = self.app.world().resource::<Scene>();
            scene.site.elements.iter().map(|e| e.placement.translation).collect()
        }

        fn written(&self) -> String {
            std::fs::read_to_string(self.folder.path().join("twin.toml")).unwrap()
        }
    }

    fn to(x: f64, rotation_deg: f64) -> Move {
        Move::To { offset_m: [x, 0.0, 0.5], rotation_deg }
    }

    #[test]
    fn a_model_goes_there_at_once_is_written_down_and_comes_back() {
        let mut house = House::new();
        let (before, entities) = (house.places(), house.app.world().resource::<Scene>().elements.clone());
        assert_eq!(before, [DVec3::new(1.0, 2.0, 3.0); 3]);
        let placed = house.ask(&[Command::PlaceModel { source: 1, to: to(100.0, 90.0) }]);
        let b = house.folder.path().join("b.ifc");
        assert_eq!(placed, [ModelPlaced { file: b.clone(), to: to(100.0, 90.0) }]);
        let there = house.places();
        assert_eq!((there[0], there[2]), (before[0], before[2]), "the others stay");
        // A quarter turn of (1, 2), then 100 m to the east and half a metre up.
        assert!(there[1].distance(DVec3::new(98.0, 1.0, 3.5)) < 1e-9, "{}", there[1]);
        let scene = house.app.world().resource::<Scene>();
        assert_eq!(scene.elements, entities, "what stands on an entity stays on it");
        let bounds = scene.site.elements[1].bounds.unwrap();
        assert!(bounds.min.distance(DVec3::new(97.0, 1.0, 3.5)) < 1e-9, "{bounds:?}");
        let text = house.written();
        assert!(
            text.contains("file = \"b.ifc\" # services\noffset_m = [100.0, 0.0, 0.5]\nrotation_deg = 90.0\n"),
            "{text}"
        );
        // What is opened again lies where it was put.
        house.open();
        assert!(house.places().iter().zip(&there).all(|(a, b)| a.distance(*b) < 1e-9));
        // The same once more is nothing; elsewhere, and back step by step.
        assert_eq!(house.ask(&[Command::PlaceModel { source: 1, to: to(100.0, 90.0) }]), []);
        house.ask(&[Command::PlaceModel { source: 1, to: to(7.0, 0.0) }]);
        assert!(house.places()[1].distance(DVec3::new(8.0, 2.0, 3.5)) < 1e-9);
        house.ask(&[Command::PlaceModel { source: 1, to: Move::Back }]);
        assert_eq!(house.places()[1], before[1]);
        assert_eq!(house.written(), FILE);
        for expected in [to(7.0, 0.0), to(100.0, 90.0)] {
            assert_eq!(house.ask(&[Command::UndoPlacement]), [ModelPlaced { file: b.clone(), to: expected }]);
            assert_eq!(house.app.world().resource::<Placements>().of_model(&b), Some(expected));
        }
        assert!(house.places()[1].distance(there[1]) < 1e-9);
        assert_eq!(house.ask(&[Command::UndoPlacement]), [], "of this opening nothing is left to undo");
    }

    #[test]
    fn joints_are_decided_at_once_written_down_and_forgotten() {
        use crate::site::infer::JoinedBy;
        use crate::site::project::save_join;
        let mut house = House::new();
        let ids: Vec<String> =
            house.app.world().resource::<Scene>().site.elements.iter().map(|e| e.id.clone()).collect();
        let mut decided = MessageCursor::<JointDecided>::default();
        let mut ask = |house: &mut House, between: [u32; 2], verdict| {
            let entities = house.app.world().resource::<Scene>().elements.clone();
            house.ask(&[Command::DecideJoint { between: between.map(crate::site::Slot), verdict }]);
            let scene = house.app.world().resource::<Scene>();
            assert_eq!(scene.elements, entities, "what stands on an entity stays on it");
            let joins: Vec<JoinedBy> = scene.site.inferred.joins.iter().map(|j| j.by).collect();
            let told = house.app.world().resource::<Messages<JointDecided>>();
            let told: Vec<JointDecided> = decided.read(told).cloned().collect();
            for JointDecided { decision, verdict } in &told {
                save_join(&house.folder.path().join("twin.toml"), decision, *verdict).unwrap();
            }
            (joins, told.len())
        };
        assert_eq!(ask(&mut house, [0, 1], Some(Verdict::Join)), (vec![JoinedBy::Hand], 1));
        assert!(house.written().contains(&format!("from = \"{}\"\nto = \"{}\"\ndecision = \"join\"", ids[0], ids[1])));
        assert_eq!(ask(&mut house, [1, 0], Some(Verdict::Join)), (vec![JoinedBy::Hand], 0), "that is decided already");
        // It is there after the next opening too.
        house.open();
        assert_eq!(house.app.world().resource::<Scene>().site.inferred.joins.len(), 1);
        assert_eq!(ask(&mut house, [0, 1], Some(Verdict::Reject)), (vec![], 1));
        let decisions = |house: &House| {
            let scene = house.app.world().resource::<Scene>();
            house.app.world().resource::<Placements>().decisions(&scene.site).len()
        };
        assert_eq!((decisions(&house), house.written().matches("[[joins]]").count()), (1, 1));
        assert_eq!(ask(&mut house, [0, 1], None), (vec![], 1));
        assert_eq!((decisions(&house), house.written().as_str()), (0, FILE));
        for nothing in [[0, 0], [0, 99], [99, 98]] {
            assert_eq!(ask(&mut house, nothing, Some(Verdict::Join)), (vec![], 0), "{nothing:?}");
        }
        assert_eq!(ask(&mut house, [0, 2], None), (vec![], 0), "nothing was decided of them");
    }

    #[test]
    fn several_at_once_and_what_cannot_be_placed() {
        let mut house = House::new();
        let before = house.places();
        let nowhere = Move::To { offset_m: [f64::NAN, 0.0, 0.0], rotation_deg: 0.0 };
        let place = |source, to| Command::PlaceModel { source, to };
        for refused in [place(2, to(1.0, 0.0)), place(9, to(1.0, 0.0)), place(1, nowhere), place(1, to(0.0, 400.0))] {
            assert_eq!(house.ask(std::slice::from_ref(&refused)), [], "{refused:?}");
        }
        assert_eq!(house.places(), before);
        assert_eq!(house.app.world().resource::<Placements>().can_be_undone(), None);
        // A model with a map conversion of its own: its layer keeps to that conversion, and the project to its origin.
        let placed = house.ask(&[place(1, to(5.0, 0.0)), place(0, to(20.0, 0.0)), Command::UndoPlacement]);
        assert_eq!(placed.len(), 3);
        let there = house.places();
        assert!(there[1].distance(DVec3::new(6.0, 2.0, 3.5)) < 1e-9 && there[0] == before[0], "{there:?}");
        assert_eq!(house.written().matches("offset_m").count(), 1);
        // Panels know the earlier states of a site, so that they do not begin anew.
        let scene = house.app.world().resource::<Scene>().site.clone();
        house.ask(&[place(1, to(6.0, 0.0))]);
        let placements = house.app.world().resource::<Placements>();
        assert!(placements.was_a_state(address(&scene)));
        house.open();
        house.app.update();
        assert!(!house.app.world().resource::<Placements>().was_a_state(address(&scene)));
    }
}
