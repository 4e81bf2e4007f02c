//! Networks that were made by hand, for tests of what shows them.

use super::{Networks, Place};
use crate::simulation::building::Building;
use std::sync::Arc;

/// Networks of a site with so many elements; an element is where it is met first.
pub fn networks(building: Building, elements: usize) -> Networks {
    let mut places = vec![None; elements];
    for (number, network) in building.networks.iter().enumerate() {
        let links = network.link_element.iter().enumerate().map(|(i, slot)| (*slot, Some(i), None));
        let nodes = network.node_element.iter().enumerate().map(|(i, slot)| (*slot, None, Some(i)));
        for (slot, link, node) in links.chain(nodes) {
            let Some(place) = slot.and_then(|s| places.get_mut(s.0 as usize)) else { continue };
            place.get_or_insert(Place { network: number, domain: network.domain, link, node });
        }
    }
    Networks { building: Some(Arc::new(building)), places, ..Networks::default() }
}
