//! From a site to its networks, on a thread of their own.

use super::Place;
use super::engine::Engine;
use crate::simulation::building::{AssumptionOverride, Building, SystemNetwork, of_site};
use crate::site::graph::Graph;
use crate::site::{Site, Slot};
use bevy::prelude::Resource;
use std::sync::Arc;

/// Networks with their solvers, each solved for its design.
#[derive(Default)]
pub struct Derived {
    /// The networks.
    pub building: Arc<Building>,
    /// By network.
    pub engines: Vec<Engine>,
}

impl Derived {
    /// Makes the networks of a site.
    pub fn of(site: &Site, stated: &[AssumptionOverride], maker: Maker) -> Self {
        let building = maker.0(site, stated);
        let engines = building.networks.iter().map(Engine::new).collect();
        Self { building: Arc::new(building), engines }
    }
}

/// What makes the networks of a site.
#[derive(Resource, Clone, Copy)]
pub struct Maker(pub fn(&Site, &[AssumptionOverride]) -> Building);

impl Default for Maker {
    fn default() -> Self {
        Self(|site, stated| {
            // Where nothing is joined there is nothing to make, and nothing to complain of.
            let is_joined = !site.connections.is_empty() || !site.inferred.joins.is_empty();
            if is_joined { of_site(site, &Graph::of(site), stated) } else { Building::default() }
        })
    }
}

/// By slot: the main place of an element.
pub fn places(building: &Building, elements: usize) -> Vec<Option<Place>> {
    let mut places: Vec<Option<Place>> = vec![None; elements];
    for (number, of) in building.networks.iter().enumerate() {
        for (link, slot) in of.link_element.iter().enumerate() {
            let Some(place) = slot.and_then(|s| places.get_mut(s.0 as usize)) else { continue };
            match place {
                None => *place = Some(Place { network: number, domain: of.domain, link: Some(link), node: None }),
                Some(own) if own.network == number => {
                    if own.link.is_none_or(|before| carries_more(of, link, before)) {
                        own.link = Some(link);
                    }
                }
                Some(_) => {}
            }
        }
        for (node, slot) in of.node_element.iter().enumerate() {
            let Some(place) = slot.and_then(|s: Slot| places.get_mut(s.0 as usize)) else { continue };
            match place {
                None => *place = Some(Place { network: number, domain: of.domain, link: None, node: Some(node) }),
                Some(own) if own.network == number => own.node = own.node.or(Some(node)),
                Some(_) => {}
            }
        }
    }
    places
}

/// Whether a link is the more important one of its element: by design flow, then by cross-section.
fn carries_more(of: &SystemNetwork, link: usize, than: usize) -> bool {
    let flow = |l: usize| of.link_design_m3s.get(l).copied().flatten().unwrap_or(0.0).abs();
    let area = |l: usize| of.link_area_m2.get(l).copied().flatten().unwrap_or(0.0);
    (flow(link), area(link)) > (flow(than), area(than))
}
