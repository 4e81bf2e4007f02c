//! What an element hangs together with: joined elements, what it is part of, what stands in it.

use crate::site::graph::Role;
use crate::site::infer::{Decision, Join, JoinedBy, PointRef, Verdict};
use crate::site::model::FlowDirection;
use crate::site::{ElementKind, Site, Slot};
use std::collections::HashSet;

/// One joined element.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The other element.
    pub to: Slot,
    /// The name of this element's own port.
    pub port: String,
    /// Which way the medium passes this element's port.
    pub direction: FlowDirection,
    /// The medium, in the file's word; empty when not stated.
    pub medium: String,
}

/// An element that is joined though no file says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Supposed {
    /// The other element.
    pub to: Slot,
    /// Who says so.
    pub by: JoinedBy,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// Why it is taken to be there.
    pub why: String,
}

/// What an element hangs together with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relations {
    /// Elements joined by connection points.
    pub joined: Vec<Joined>,
    /// Elements that are taken to be joined, in the order of their slots.
    pub supposed: Vec<Supposed>,
    /// Elements with which somebody decided that it is not joined.
    pub parted: Vec<Slot>,
    /// True for what can be joined to anything at all.
    pub can_be_joined: bool,
    /// How many of its own connection points are joined to nothing.
    pub open_ports: usize,
    /// The element it serves, senses or controls.
    pub host: Option<Slot>,
    /// Sensors, actuators and controllers that serve this element.
    pub devices: Vec<Slot>,
    /// What it is a part of.
    pub whole: Option<Slot>,
    /// Its parts.
    pub parts: Vec<Slot>,
    /// What stands in it, when it is a space.
    pub contents: Vec<Slot>,
}

impl Relations {
    /// Collects them in one pass over the site and what was decided of its joints.
    pub fn of(site: &Site, slot: Slot, decisions: &[Decision]) -> Self {
        let Some(element) = site.element(slot) else { return Self::default() };
        let mut out = Self {
            host: element.host.map(Slot),
            whole: element.part_of.map(Slot),
            can_be_joined: Role::of_element(element).is_some(),
            ..Self::default()
        };
        out.join(site, slot);
        for decision in decisions.iter().filter(|d| d.verdict == Verdict::Reject) {
            let [from, to] = [decision.from.0, decision.to.0].map(Slot);
            let other = if from == slot { to } else { from };
            if (from == slot || to == slot) && !out.parted.contains(&other) {
                out.parted.push(other);
            }
        }
        for (other, e) in site.iter() {
            if e.host == Some(slot.0) {
                out.devices.push(other);
            }
            if e.part_of == Some(slot.0) {
                out.parts.push(other);
            }
            if element.kind == ElementKind::Space && e.space == Some(slot.0) {
                out.contents.push(other);
            }
        }
        out
    }

    /// Finds what is joined to it.
    fn join(&mut self, site: &Site, slot: Slot) {
        let own = |p: &u32| site.connection_points.get(*p as usize).is_some_and(|p| p.element == slot.0);
        let mut open: HashSet<u32> = (0..site.connection_points.len() as u32).filter(own).collect();
        let rejected: HashSet<u32> = site.inferred.rejected.iter().copied().collect();
        for (i, connection) in site.connections.iter().enumerate() {
            let (own, other) = match (open.contains(&connection.from), open.contains(&connection.to)) {
                (true, false) => (connection.from, connection.to),
                (false, true) => (connection.to, connection.from),
                _ => continue,
            };
            let at = |p: u32| site.connection_points.get(p as usize);
            let (Some(port), Some(far), false) = (at(own), at(other), rejected.contains(&(i as u32))) else { continue };
            open.remove(&own);
            self.joined.push(Joined {
                to: Slot(far.element),
                port: port.name.clone(),
                direction: port.direction,
                medium: if port.medium.is_empty() { far.medium.clone() } else { port.medium.clone() },
            });
        }
        for join in &site.inferred.joins {
            let (own, other) = match (join.from.element == slot.0, join.to.element == slot.0) {
                (true, false) => (join.from, join.to),
                (false, true) => (join.to, join.from),
                _ => continue,
            };
            if let Some(PointRef::Port(port)) = own.point {
                open.remove(&port);
            }
            let (to, by, confidence) = (Slot(other.element), join.by, join.confidence);
            self.supposed.push(Supposed { to, by, confidence, why: why(join) });
        }
        // In an order that no decision changes: a second click shall not meet another joint.
        self.supposed.sort_by_key(|s| s.to);
        self.open_ports = open.len();
    }

    /// How many elements it names.
    pub fn count(&self) -> usize {
        self.joined.len()
            + self.supposed.len()
            + usize::from(self.host.is_some())
            + self.devices.len()
            + usize::from(self.whole.is_some())
            + self.parts.len()
            + self.contents.len()
    }
}

/// Why a joint is taken to be there, in words.
fn why(join: &Join) -> String {
    match (join.by, join.cable, join.gap_m) {
        (JoinedBy::Hand, ..) => "by hand".to_owned(),
        (_, Some(cable), _) => cable.words(),
        (_, None, Some(gap)) if gap < 5e-4 => "the ends meet".to_owned(),
        (_, None, Some(gap)) => format!("ends {:.0} mm apart", gap * 1000.0),
        (_, None, None) => "by their geometry".to_owned(),
    }
}

/// Which way a medium passes, in words.
pub fn direction(direction: FlowDirection) -> &'static str {
    match direction {
        FlowDirection::Source => "out to",
        FlowDirection::Sink => "in from",
        FlowDirection::Both => "both ways",
        FlowDirection::Unknown => "joined to",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::panels::fixture;

    #[test]
    fn joined_both_ways() {
        let site = fixture::site();
        let pump = fixture::slot(&site, "P-1");
        let relations = Relations::of(&site, pump, &[]);
        assert_eq!(relations.joined.len(), 2);
        assert_eq!(relations.open_ports, 0);
        for joined in &relations.joined {
            let back = Relations::of(&site, joined.to, &[]);
            assert!(back.joined.iter().any(|j| j.to == pump), "{joined:?}");
        }
        assert!(relations.joined.iter().any(|j| j.direction == FlowDirection::Sink && j.medium == "CHILLEDWATER"));
    }

    #[test]
    fn devices_and_contents() {
        let site = fixture::site();
        let ahu = fixture::slot(&site, "AHU-1");
        let sensor = fixture::slot(&site, "AHU-1-TS");
        assert_eq!(Relations::of(&site, ahu, &[]).devices, [sensor]);
        assert_eq!(Relations::of(&site, sensor, &[]).host, Some(ahu));
        let room = site.iter().find(|(_, e)| e.kind == ElementKind::Space).unwrap().0;
        assert!(!Relations::of(&site, room, &[]).contents.is_empty());
        assert_eq!(Relations::of(&site, Slot(99_999), &[]), Relations::default());
    }

    #[test]
    fn what_is_inferred_or_rejected_is_told_on_both_sides() {
        use crate::site::infer::JoinEnd;
        let mut site = fixture::site();
        let [ahu, sensor, pump] = ["AHU-1", "AHU-1-TS", "P-1"].map(|label| fixture::slot(&site, label));
        let end = |slot: Slot| JoinEnd { element: slot.0, point: None };
        let join = |to, confidence, gap_m| Join {
            from: end(ahu),
            to: end(to),
            gap_m,
            confidence,
            by: JoinedBy::Geometry,
            cable: None,
        };
        site.inferred.joins = vec![join(sensor, 0.9, Some(1e-5)), join(pump, 0.4, Some(0.02))];
        let decision = Decision { from: (pump.0, None), to: (sensor.0, None), verdict: Verdict::Reject };
        let of = |slot| Relations::of(&site, slot, &[decision]);
        let told: Vec<_> = of(ahu).supposed.into_iter().map(|s| (s.to, s.why)).collect();
        assert_eq!(told, [(sensor, "the ends meet".to_owned()), (pump, "ends 20 mm apart".to_owned())]);
        assert_eq!((of(pump).supposed[0].to, of(sensor).supposed[0].to), (ahu, ahu));
        assert_eq!((of(pump).parted, of(sensor).parted, of(ahu).parted), (vec![sensor], vec![pump], vec![]));
        // A declared joint that somebody rejected is none, and its two ports are joined to nothing.
        site.inferred.rejected = vec![0];
        let open: usize = site.iter().map(|(slot, _)| Relations::of(&site, slot, &[]).open_ports).sum();
        assert_eq!(open, 2);
    }
}
