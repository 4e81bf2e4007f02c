//! Networks that were made by hand, for tests of what shows them.

use super::{Networks, Place, Traced};
use crate::simulation::building::trace::{Trace, Way};
use crate::simulation::building::{Building, SystemNetwork};
use crate::site::Slot;
use std::sync::Arc;

/// Networks of a site with so many elements; an element is where it is met first.
pub fn networks(building: Building, elements: usize) -> Networks {
    let mut places = vec![None; elements];
    for (number, network) in building.networks.iter().enumerate() {
        let links = network.link_element.iter().enumerate().map(|(i, slot)| (*slot, Some(i), None));
        let nodes = network.node_element.iter().enumerate().map(|(i, slot)| (*slot, None, Some(i)));
        for (slot, link, node) in links.chain(nodes) {
            let Some(place) = slot.and_then(|s| places.get_mut(s.0 as usize)) else { continue };
            place.get_or_insert(Place { network: number, link, node });
        }
    }
    Networks { building: Some(Arc::new(building)), places, ..Networks::default() }
}

/// What was traced in a site with so many elements.
pub fn traced(slot: Slot, way: Way, trace: Trace, network: &SystemNetwork, elements: usize) -> Traced {
    let mut out = Traced { from: Some((slot, way)), order: vec![None; elements], ..Traced::default() };
    out.on_path = vec![false; elements];
    for reached in &trace.elements {
        out.order[reached.slot.0 as usize] = Some(reached.links);
    }
    for slot in trace.path.iter().filter_map(|link| network.link_element[*link]) {
        out.on_path[slot.0 as usize] = true;
    }
    out.trace = Some(trace);
    out
}
