//! The demo site: a four-storey clinic with a roof plant room, made from a seed; and a campus of such clinics.

pub mod campus;
pub mod mep;
pub mod plan;
pub mod variant;

mod additions;
mod air;
mod air_handler;
mod architecture;
mod assets;
mod body;
mod controls;
mod devices;
mod finish;
mod ground;
mod heating;
mod net;
mod parts;
mod place;
mod plant;
mod records;
mod site;
mod step;
mod uniclass;

pub use place::Lot;

use plan::Plan;

/// One file of the demo site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoFile {
    /// Name in its folder.
    pub name: &'static str,
    /// All of it, with line feeds only.
    pub text: String,
}

/// All files of a seed; the same seed gives the same bytes on every system.
pub fn files(seed: u64) -> Vec<DemoFile> {
    let plan = Plan::new(seed);
    let net = mep::net(&plan);
    // A checkout may have turned its line ends.
    let project = include_str!("twin.toml").replace("\r\n", "\n");
    vec![
        DemoFile { name: "clinic-architecture.ifc", text: finish::write(&plan) },
        DemoFile { name: "clinic-mep.ifc", text: mep::write(&plan, &net, &place::Place::MEP) },
        DemoFile { name: "assets.csv", text: assets::write(seed, &net, &plan.lot) },
        DemoFile { name: "site.geojson", text: site::write(seed) },
        DemoFile { name: "twin.toml", text: project },
    ]
}
