//! Cables that nobody draws: what a board feeds and what a controller reads and moves, by what an engineer would go by.
//!
//! A light, a motor or a sensor without a declared cable hangs on the board or controller that a property, a registry
//! or a relation names; else on the only one of its machine; else on the only one of its system; else on the only one
//! whose tag has the same mark; else on the only one of its space, zone, storey, building. Where there are several of
//! a kind, nothing is inferred: a weaker reason chooses among those that a stronger one leaves, and no further. How
//! sure a cable is depends on the reason, and is less than what geometry shows.

mod hubs;
mod marks;
mod parts;

use super::{Cable, Decision, Evidence, Join, JoinEnd, JoinedBy, Network, PointRef, WiredBy, Work};
use crate::site::assets::{names_its_source, parts as parts_of_a_list};
use crate::site::graph::medium::{self, Medium};
use crate::site::graph::{Domain, domain_of_class};
use crate::site::model::{ConnectionPoint, Element};
use hubs::{Group, Hubs, MOST_HUBS};
use parts::{Hub, Load};
use std::collections::{HashMap, HashSet};

/// A cable is surer by this where a stronger reason left several and a weaker one told which.
const AGREED: f64 = 0.05;

/// Joins what has no cable yet to its board or controller. `taken` are ports that are joined already.
pub(super) fn join(work: &mut Work<'_>, taken: &HashSet<u32>) {
    let Some(weakest) = work.joining.wiring else { return };
    let evidence = work.evidence;
    let hubs = Hubs::of(evidence);
    if hubs.list.is_empty() {
        return;
    }
    let pair = |d: &&Decision| (d.from.0.min(d.to.0), d.from.0.max(d.to.0));
    let search = Search {
        evidence,
        hubs: &hubs,
        rejected: work.rejects.iter().map(pair).collect(),
        reach_m: work.joining.wiring_reach_m,
        weakest,
    };
    let wired = wired(work, taken);
    let motors = motors(evidence);
    let mut ports = Ports::of(work, taken);
    for (number, element) in (0..).zip(evidence.elements) {
        let load = parts::load(element);
        let supplied = load.is_some_and(|load| supplied_otherwise(evidence, number, load, &motors));
        let found = match load {
            Some(load) if !supplied => {
                search.hub(number, element, load).map(|found| (load.network(), load.gives(), found))
            }
            Some(_) => None,
            None => search.panel(number, element),
        };
        let Some((network, gives, (hub, by, confidence))) = found else { continue };
        if confidence < work.joining.least_confidence || wired.contains(&(number, network.is_signal())) {
            continue;
        }
        let [own, its] = [number, hub].map(|e| JoinEnd { element: e, point: ports.take(evidence, e, network) });
        let (from, to) = if gives { (own, its) } else { (its, own) };
        let cable = Some(Cable { network, by: Some(by) });
        work.found.joins.push(Join { from, to, gap_m: None, confidence, by: JoinedBy::Wiring, cable });
    }
}

/// The cable between two elements of which a person says that they are joined, from where power or signal comes; none
/// when they are no board and load, nor controller and device.
pub(super) fn between(evidence: &Evidence<'_>, a: u32, b: u32) -> Option<(u32, u32, Cable)> {
    [(a, b), (b, a)].into_iter().find_map(|(own, its)| {
        let load = parts::load(evidence.element(own)?)?;
        load.on(Hub::of(evidence.element(its)?)?)?;
        let cable = Cable { network: load.network(), by: None };
        Some(if load.gives() { (own, its, cable) } else { (its, own, cable) })
    })
}

/// Elements that have a cable: declared, made by hand, or found where two ports lie in one place; with whether it is
/// one for signals.
fn wired(work: &Work<'_>, taken: &HashSet<u32>) -> HashSet<(u32, bool)> {
    let evidence = work.evidence;
    let mut found = HashSet::new();
    let mut add = |elements: [u32; 2], signal: Option<bool>| {
        for element in elements {
            found.extend([false, true].into_iter().filter(|s| signal.is_none_or(|w| w == *s)).map(|s| (element, s)));
        }
    };
    let electrical = |e: u32| evidence.element(e).and_then(domain_of_class) == Some(Domain::Electrical);
    for connection in evidence.connections {
        let port = |i: u32| evidence.points.get(i as usize).filter(|_| taken.contains(&i));
        let (Some(a), Some(b)) = (port(connection.from), port(connection.to)) else { continue };
        let stated: Vec<Medium> = [a, b].iter().filter_map(|p| medium::of_word(&p.medium)).collect();
        match stated.iter().find(|m| m.domain == Domain::Electrical) {
            Some(cable) => add([a.element, b.element], Some(is_signal(*cable))),
            None if stated.is_empty() && (electrical(a.element) || electrical(b.element)) => {
                add([a.element, b.element], None);
            }
            None => {}
        }
    }
    for join in &work.found.joins {
        let (a, b) = (join.from.element, join.to.element);
        match join.cable {
            Some(cable) => add([a, b], Some(cable.network.is_signal())),
            None if electrical(a) || electrical(b) => add([a, b], None),
            None => {}
        }
    }
    found
}

fn is_signal(medium: Medium) -> bool {
    medium == medium::of_cable(true)
}

/// Elements that have a motor among their parts.
fn motors(evidence: &Evidence<'_>) -> HashSet<u32> {
    let motor = |e: &&Element| e.part_of.is_some() && parts::load(e) == Some(Load::Motor);
    evidence.elements.iter().filter(motor).filter_map(|e| e.part_of).collect()
}

/// Has it its power from the machine that it is a part of, or is it the casing of motors that have cables themselves?
fn supplied_otherwise(evidence: &Evidence<'_>, number: u32, load: Load, motors: &HashSet<u32>) -> bool {
    if !matches!(load, Load::Motor | Load::Circuit) {
        return false;
    }
    let Some(element) = evidence.element(number) else { return true };
    if motors.contains(&number) && parts::is_built_up(element) {
        return true;
    }
    let whole = element.part_of.and_then(|w| evidence.element(w));
    whole.is_some_and(|w| {
        matches!(parts::load(w), Some(Load::Motor | Load::Circuit)) && Hub::of(w).is_none() && !parts::is_built_up(w)
    })
}

/// What the search for one board or controller goes by.
struct Search<'a> {
    evidence: &'a Evidence<'a>,
    hubs: &'a Hubs,
    /// Pairs that a person rejected, the lower element first.
    rejected: HashSet<(u32, u32)>,
    reach_m: f64,
    weakest: WiredBy,
}

impl Search<'_> {
    /// The element that a load hangs on, the reason, and how sure that is.
    fn hub(&self, number: u32, element: &Element, load: Load) -> Option<(u32, WiredBy, f64)> {
        let network = load.network();
        let told = |hub: &u32, by: WiredBy, several: bool| {
            let hub = self.hubs.list.get(*hub as usize)?;
            let agreed = if several { AGREED } else { 0.0 };
            Some((hub.element, by, by.confidence() + agreed))
        };
        let mut left: Option<Vec<u32>> = None;
        for by in [WiredBy::Stated, WiredBy::Unit, WiredBy::System, WiredBy::Tag] {
            if by > self.weakest {
                return None;
            }
            let mut found = match by {
                WiredBy::Stated => self.stated(number, element, network),
                WiredBy::Unit => self.of_unit(element, network),
                WiredBy::System => self.of_system(element, network),
                _ => self.hubs.marked(network, &element.tag),
            };
            found.retain(|h| !self.is_rejected(number, *h) && !self.is_itself(number, *h));
            found.retain(|h| by == WiredBy::Stated || self.reaches(element, *h));
            if by != WiredBy::Stated {
                self.keep_fitting(&mut found, number, load);
            }
            if let Some(left) = &left {
                found.retain(|h| left.contains(h));
            }
            match found.as_slice() {
                [] => {}
                [only] => return told(only, by, left.is_some()),
                _ => left = Some(found),
            }
        }
        let places = [
            (WiredBy::Space, Group::Space),
            (WiredBy::Zone, Group::Zone),
            (WiredBy::Storey, Group::Storey),
            (WiredBy::Building, Group::Building),
        ];
        for (by, group) in places.into_iter().filter(|(by, _)| *by <= self.weakest) {
            let mut found = self.in_place(number, element, network, group, left.as_deref())?;
            self.keep_fitting(&mut found, number, load);
            if found.is_empty() {
                continue;
            }
            // The nearest place that has one decides, even if a person said that it is none of these.
            found.retain(|h| !self.is_rejected(number, *h));
            let [only] = found.as_slice() else { return None };
            return told(only, by, left.is_some()).filter(|_| self.reaches(element, *only));
        }
        None
    }

    /// The board that an element of any other class says it hangs on; whether power or signal leaves it comes with it.
    fn panel(&self, number: u32, element: &Element) -> Option<(Network, bool, (u32, WiredBy, f64))> {
        let text = parts::panel(element).filter(|_| self.hubs.with_panel_names)?;
        let networks = [Network::Power, Network::Control, Network::Alarm];
        let called = networks.iter().flat_map(|n| self.hubs.called(*n, text));
        let mut others = called.filter(|h| !self.is_rejected(number, **h) && !self.is_itself(number, **h));
        let (Some(only), None) = (others.next(), others.next()) else { return None };
        let hub = self.hubs.list.get(*only as usize)?;
        let (network, by) = (hub.hub.network(), WiredBy::Stated);
        Some((network, network.is_signal(), (hub.element, by, by.confidence())))
    }

    /// What a property, a registry or a relation names.
    fn stated(&self, number: u32, element: &Element, network: Network) -> Vec<u32> {
        let few = |list: &&[u32]| list.len() <= MOST_HUBS;
        let mut found: Vec<u32> =
            Some(self.hubs.stated(network, number)).filter(few).map(<[u32]>::to_vec).unwrap_or_default();
        for set in element.properties.iter().filter(|s| !s.quantities) {
            for (name, value) in &set.values {
                let Some(text) = value.as_str().filter(|_| names_its_source(&set.name, name)) else { continue };
                let called = parts_of_a_list(text).map(|word| self.hubs.called(network, word));
                found.extend(called.filter(few).flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The hubs on the machine that it is mounted on or a part of, the nearest that has any.
    fn of_unit(&self, element: &Element, network: Network) -> Vec<u32> {
        let units = hubs::units(self.evidence, element);
        let lists = units.into_iter().map(|u| self.hubs.of_group(network, Group::Unit, u));
        let nearest = lists.into_iter().find(|l| !l.is_empty());
        nearest.filter(|l| l.len() <= MOST_HUBS).map(<[u32]>::to_vec).unwrap_or_default()
    }

    /// The hubs of its system, of several systems those of the one that has the fewest.
    fn of_system(&self, element: &Element, network: Network) -> Vec<u32> {
        let lists = element.systems.iter().map(|s| self.hubs.of_group(network, Group::System, *s));
        let few = lists.filter(|l| (1..=MOST_HUBS).contains(&l.len()));
        few.min_by_key(|l| l.len()).map(<[u32]>::to_vec).unwrap_or_default()
    }

    /// The hubs in the place that it is in, among those that are `left`; none when there are too many to tell.
    fn in_place(
        &self,
        number: u32,
        element: &Element,
        network: Network,
        group: Group,
        left: Option<&[u32]>,
    ) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        for id in self.hubs.where_it_is(element, number, group) {
            let there = self.hubs.of_group(network, group, id);
            match left {
                Some(left) => found.extend(left.iter().filter(|h| there.binary_search(h).is_ok())),
                None if there.len() > MOST_HUBS => return None,
                None => found.extend_from_slice(there),
            }
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    /// Leaves those that the load may hang on, of the kind that is meant first.
    fn keep_fitting(&self, hubs: &mut Vec<u32>, number: u32, load: Load) {
        let rank = |h: &u32| {
            let hub = self.hubs.list.get(*h as usize).filter(|hub| hub.element != number)?;
            load.on(hub.hub)
        };
        let best = hubs.iter().filter_map(rank).min();
        hubs.retain(|h| best.is_some() && rank(h) == best);
    }

    fn is_rejected(&self, number: u32, hub: u32) -> bool {
        let hub = self.hubs.list.get(hub as usize).map_or(number, |h| h.element);
        self.rejected.contains(&(number.min(hub), number.max(hub)))
    }

    fn is_itself(&self, number: u32, hub: u32) -> bool {
        self.hubs.list.get(hub as usize).is_some_and(|h| h.element == number)
    }

    /// Is it near enough? Where one of the two has no place, nothing speaks against it.
    fn reaches(&self, element: &Element, hub: u32) -> bool {
        let there = self.hubs.list.get(hub as usize).and_then(|h| h.middle);
        match (element.bounds, there) {
            (Some(own), Some(there)) => own.centre().distance(there) <= self.reach_m,
            _ => true,
        }
    }
}

/// Free ports for cables, by element.
struct Ports(HashMap<u32, Vec<u32>>);

impl Ports {
    fn of(work: &Work<'_>, taken: &HashSet<u32>) -> Self {
        let used: HashSet<u32> = work
            .found
            .joins
            .iter()
            .flat_map(|j| [j.from.point, j.to.point])
            .filter_map(|p| if let Some(PointRef::Port(i)) = p { Some(i) } else { None })
            .collect();
        let mut free: HashMap<u32, Vec<u32>> = HashMap::new();
        for (i, point) in (0..).zip(work.evidence.points) {
            if !taken.contains(&i) && !used.contains(&i) {
                free.entry(point.element).or_default().push(i);
            }
        }
        Self(free)
    }

    /// A port that says it is for such a cable, or that can be for nothing else.
    fn take(&mut self, evidence: &Evidence<'_>, element: u32, network: Network) -> Option<PointRef> {
        let free = self.0.get_mut(&element)?;
        let only_cables = evidence.element(element).and_then(domain_of_class) == Some(Domain::Electrical);
        let fits = |point: &ConnectionPoint| match medium::of_word(&point.medium) {
            Some(stated) => stated == medium::of_cable(network.is_signal()),
            None => only_cables,
        };
        let at = free.iter().position(|i| evidence.points.get(*i as usize).is_some_and(fits))?;
        Some(PointRef::Port(free.remove(at)))
    }
}

#[cfg(test)]
mod tests;
