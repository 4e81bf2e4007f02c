//! A network in the making: nodes by joint, links by element, with everything that stands beside them.

use super::medium::Carries;
use super::pieces::Piece;
use super::ports::Wiring;
use super::section::Section;
use super::{Part, SystemNetwork};
use crate::problem::Problem;
use crate::simulation::network::transport::{LinkHeat, NodeHeat};
use crate::simulation::network::{Command, Junction, Link, LinkKind, Node, NodeKind};
use crate::site::graph::Domain;
use crate::site::{Site, Slot};
use glam::DVec3;
use std::collections::{BTreeMap, HashSet};

/// What a network is made from.
pub(super) struct Draft<'a> {
    pub site: &'a Site,
    pub wiring: &'a Wiring,
    pub carries: Carries,
    pub net: SystemNetwork,
    /// Section at each joint, as far as it is known.
    pub sections: BTreeMap<usize, Section>,
    /// Whether a pump or fan is among its elements.
    pub has_mover: bool,
    /// Temperature that links and nodes begin with, °C.
    pub start_c: f64,
    nodes: BTreeMap<usize, usize>,
    ids: HashSet<String>,
}

/// A link that is added.
pub(super) struct NewLink {
    pub element: Option<Slot>,
    /// Behind the element's GlobalId where it has several links; empty for the only one.
    pub suffix: String,
    pub from: usize,
    pub to: usize,
    pub kind: LinkKind,
    pub part: Part,
    pub area: Option<f64>,
    pub setting: f64,
    pub head_gain: f64,
    pub design_m3s: Option<f64>,
}

impl NewLink {
    /// A plain link of an element.
    pub fn new(element: Slot, from: usize, to: usize, kind: LinkKind) -> Self {
        Self {
            element: Some(element),
            suffix: String::new(),
            from,
            to,
            kind,
            part: Part::Run,
            area: None,
            setting: 1.0,
            head_gain: 0.0,
            design_m3s: None,
        }
    }
}

impl<'a> Draft<'a> {
    pub fn new(site: &'a Site, wiring: &'a Wiring, carries: Carries, net: SystemNetwork, start_c: f64) -> Self {
        Self {
            site,
            wiring,
            carries,
            net,
            sections: BTreeMap::new(),
            has_mover: false,
            start_c,
            nodes: BTreeMap::new(),
            ids: HashSet::new(),
        }
    }

    /// An id that no other node or link of the network has.
    fn unique(&mut self, kind: &str, wanted: String) -> String {
        let mut id = wanted.clone();
        let mut number = 2;
        while !self.ids.insert(format!("{kind}{id}")) {
            id = format!("{wanted}~{number}");
            number += 1;
        }
        id
    }

    /// The node of the joint of a port.
    pub fn at(&mut self, port: usize) -> usize {
        let Some(joint) = self.wiring.ports.get(port).map(|p| p.joint) else { return self.loose("joint", None, None) };
        if let Some(node) = self.nodes.get(&joint) {
            return *node;
        }
        let first = self.wiring.joints.get(joint).and_then(|j| j.first()).copied().unwrap_or(port);
        let of = &self.wiring.ports[first];
        let id = of.point.and_then(|p| self.site.point_id(p));
        let id = id.filter(|i| !i.is_empty()).unwrap_or_else(|| format!("joint {joint}"));
        let node = self.node(id, None, self.wiring.joint_place(joint), NodeKind::Junction(Junction::default()));
        self.nodes.insert(joint, node);
        node
    }

    /// A junction that is no joint: the inside of an element.
    pub fn loose(&mut self, suffix: &str, element: Option<Slot>, place: Option<DVec3>) -> usize {
        let id = self.id_of(element, suffix);
        self.node(id, element, place, NodeKind::Junction(Junction::default()))
    }

    /// The GlobalId of an element with a suffix.
    pub fn id_of(&self, element: Option<Slot>, suffix: &str) -> String {
        let id = element.and_then(|s| self.site.element(s)).map(|e| e.id.clone()).unwrap_or_default();
        if suffix.is_empty() { id } else { format!("{id}#{suffix}") }
    }

    pub fn node(&mut self, id: String, element: Option<Slot>, place: Option<DVec3>, kind: NodeKind) -> usize {
        let id = self.unique("node ", id);
        // Air outside is as heavy as air inside: what hangs in it has the same head at any height.
        let weighs = self.net.domain != Domain::Air;
        let elevation = if weighs { place.map_or(f64::NAN, |p| p.z) } else { 0.0 };
        self.net.network.nodes.push(Node { id, elevation, kind });
        self.net.node_element.push(element);
        self.net.node_place.push(place.map(|p| p.to_array()));
        self.net.node_heat.push(NodeHeat { start_c: self.start_c, ..NodeHeat::default() });
        self.net.network.nodes.len() - 1
    }

    pub fn link(&mut self, new: NewLink) -> usize {
        let wanted = self.id_of(new.element, &new.suffix);
        let id = self.unique("link ", wanted);
        self.net.network.links.push(Link {
            id,
            from: new.from,
            to: new.to,
            kind: new.kind,
            command: Command::Auto,
            setting: new.setting,
            head_gain: new.head_gain,
        });
        self.net.link_element.push(new.element);
        self.net.link_area_m2.push(new.area);
        self.net.link_part.push(new.part);
        self.net.link_design_m3s.push(new.design_m3s);
        self.net.link_heat.push(LinkHeat { ambient_c: self.start_c, ..LinkHeat::default() });
        self.net.network.links.len() - 1
    }

    /// Section at a port's joint.
    pub fn section_at(&self, port: usize) -> Option<Section> {
        self.sections.get(&self.wiring.ports.get(port)?.joint).copied()
    }

    /// The smaller section at the ports of a piece.
    pub fn section_of(&self, piece: &Piece) -> Option<Section> {
        piece.ports.iter().filter_map(|p| self.section_at(*p)).min_by(|a, b| a.area.total_cmp(&b.area))
    }

    /// Says of a pump or fan that nobody states which way it moves.
    pub fn tell_direction(&mut self, piece: &Piece) {
        if piece.guessed {
            let label = self.site.element(piece.element).map(crate::site::Element::label).unwrap_or_default();
            self.net.problems.push(Problem::warning(
                label,
                "nobody says which of its ends is the inlet: one of them is taken",
                "give its ports, or those of the pipes beside it, a flow direction",
            ));
        }
    }

    /// Nodes whose height nobody says stand as high as their neighbours, else at 0.
    pub fn level(&mut self) {
        let network = &mut self.net.network;
        for _ in 0..network.nodes.len() {
            let mut changed = false;
            for link in &network.links {
                let (a, b) = (network.nodes[link.from].elevation, network.nodes[link.to].elevation);
                for (to, known, own) in [(link.from, b, a), (link.to, a, b)] {
                    if own.is_nan() && known.is_finite() {
                        network.nodes[to].elevation = known;
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        for node in &mut network.nodes {
            if !node.elevation.is_finite() {
                node.elevation = 0.0;
            }
        }
    }
}
