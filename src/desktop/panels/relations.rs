//! What an element hangs together with: joined elements, what it is part of, what stands in it.

use crate::site::model::FlowDirection;
use crate::site::{ElementKind, Site, Slot};

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

/// What an element hangs together with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relations {
    /// Elements joined by connection points.
    pub joined: Vec<Joined>,
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
    /// Collects them in one pass over the site.
    pub fn of(site: &Site, slot: Slot) -> Self {
        let Some(element) = site.element(slot) else { return Self::default() };
        let mut out = Self { host: element.host.map(Slot), whole: element.part_of.map(Slot), ..Self::default() };
        let mut ports = 0;
        for point in &site.connection_points {
            ports += usize::from(point.element == slot.0);
        }
        if ports > 0 {
            for connection in &site.connections {
                let from = site.connection_points.get(connection.from as usize);
                let to = site.connection_points.get(connection.to as usize);
                let (Some(from), Some(to)) = (from, to) else { continue };
                let (own, other) = match (from.element == slot.0, to.element == slot.0) {
                    (true, false) => (from, to),
                    (false, true) => (to, from),
                    _ => continue,
                };
                out.joined.push(Joined {
                    to: Slot(other.element),
                    port: own.name.clone(),
                    direction: own.direction,
                    medium: if own.medium.is_empty() { other.medium.clone() } else { own.medium.clone() },
                });
            }
        }
        out.open_ports = usize::saturating_sub(ports, out.joined.len());
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

    /// How many elements it names.
    pub fn count(&self) -> usize {
        self.joined.len()
            + usize::from(self.host.is_some())
            + self.devices.len()
            + usize::from(self.whole.is_some())
            + self.parts.len()
            + self.contents.len()
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
        let relations = Relations::of(&site, pump);
        assert_eq!(relations.joined.len(), 2);
        assert_eq!(relations.open_ports, 0);
        for joined in &relations.joined {
            let back = Relations::of(&site, joined.to);
            assert!(back.joined.iter().any(|j| j.to == pump), "{joined:?}");
        }
        assert!(relations.joined.iter().any(|j| j.direction == FlowDirection::Sink && j.medium == "CHILLEDWATER"));
    }

    #[test]
    fn devices_and_contents() {
        let site = fixture::site();
        let ahu = fixture::slot(&site, "AHU-1");
        let sensor = fixture::slot(&site, "AHU-1-TS");
        assert_eq!(Relations::of(&site, ahu).devices, [sensor]);
        assert_eq!(Relations::of(&site, sensor).host, Some(ahu));
        let room = site.iter().find(|(_, e)| e.kind == ElementKind::Space).unwrap().0;
        assert!(!Relations::of(&site, room).contents.is_empty());
        assert_eq!(Relations::of(&site, Slot(99_999)), Relations::default());
    }
}
