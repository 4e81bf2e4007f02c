//! Where elements are joined: their ports with water or air, and the joints that they meet in.

use crate::shape::ends::Outline;
use crate::site::graph::{Domain, Graph, Role, medium};
use crate::site::infer::PointRef;
use crate::site::model::FlowDirection;
use crate::site::{Site, Slot};
use glam::DVec3;
use std::collections::{BTreeMap, HashMap};

/// A place where water or air enters or leaves an element.
#[derive(Clone, Debug)]
pub(super) struct Port {
    /// The element.
    pub element: Slot,
    /// The connection point; none for a joint by hand of an element that has none.
    pub point: Option<PointRef>,
    /// Where, m.
    pub place: Option<DVec3>,
    /// Out of the element, of length 1.
    pub outward: Option<DVec3>,
    /// Its form.
    pub outline: Option<Outline>,
    /// Which way the medium passes.
    pub flow: FlowDirection,
    /// The file's word for what passes: `CHILLEDWATER`.
    pub word: String,
    /// Water or air.
    pub domain: Domain,
    /// Which joint it is at.
    pub joint: usize,
    /// Whether anything is joined to it.
    pub joined: bool,
}

/// All ports with water and air, and their joints.
#[derive(Clone, Debug, Default)]
pub(super) struct Wiring {
    /// Ports.
    pub ports: Vec<Port>,
    /// Ports of each element, in the order of the file.
    pub of_element: BTreeMap<Slot, Vec<usize>>,
    /// Ports at each joint.
    pub joints: Vec<Vec<usize>>,
}

/// Water or air, where a network flows that a solver knows.
fn flows(domain: Domain) -> bool {
    matches!(domain, Domain::Water | Domain::Air)
}

impl Wiring {
    /// The ports of a site and how its graph joins them.
    pub fn new(site: &Site, graph: &Graph) -> Self {
        let mut made = Self::default();
        // What each joined point carries, by the first edge at it.
        let mut carried: HashMap<PointRef, Domain> = HashMap::new();
        let slot_of = |node: u32| graph.nodes.get(node as usize).map(|n| n.slot);
        for edge in &graph.edges {
            let Some(domain) = edge.medium.map(|m| m.domain) else { continue };
            for point in [edge.from_point, edge.to_point].into_iter().flatten() {
                carried.entry(point).or_insert(domain);
            }
        }
        let mut at: HashMap<PointRef, usize> = HashMap::new();
        let of_node = |slot: Slot| graph.node(slot).map(|n| n.domain);
        for (i, p) in site.connection_points.iter().enumerate() {
            let point = PointRef::Port(i as u32);
            let by_word = medium::of_word(&p.medium).map(|m| m.domain);
            let domain = carried.get(&point).copied().or(by_word).or_else(|| of_node(Slot(p.element)));
            let Some(domain) = domain.filter(|d| flows(*d)) else { continue };
            at.insert(point, made.ports.len());
            made.ports.push(Port {
                element: Slot(p.element),
                point: Some(point),
                place: p.location,
                outward: None,
                outline: None,
                flow: p.direction,
                word: p.medium.clone(),
                domain,
                joint: 0,
                joined: false,
            });
        }
        for (i, p) in site.inferred.points.iter().enumerate() {
            let point = PointRef::Inferred(i as u32);
            // A plate on a machine that nothing is joined to may be a lid; a run surely ends where its body does.
            let role = site.element(Slot(p.element)).and_then(Role::of_element);
            let ends = p.certain && matches!(role, Some(Role::Segment | Role::Fitting));
            let domain = carried.get(&point).copied().or_else(|| ends.then(|| of_node(Slot(p.element))).flatten());
            let Some(domain) = domain.filter(|d| flows(*d)) else { continue };
            at.insert(point, made.ports.len());
            made.ports.push(Port {
                element: Slot(p.element),
                point: Some(point),
                place: Some(p.location),
                outward: Some(p.outward),
                outline: p.outline,
                flow: FlowDirection::Unknown,
                word: String::new(),
                domain,
                joint: 0,
                joined: false,
            });
        }
        let mut pairs = Vec::new();
        for edge in &graph.edges {
            let Some(domain) = edge.medium.map(|m| m.domain).filter(|d| flows(*d)) else { continue };
            let mut end = |point: Option<PointRef>, node: u32| match point {
                Some(point) => at.get(&point).copied(),
                None => slot_of(node).map(|element| {
                    made.ports.push(Port {
                        element,
                        point: None,
                        place: None,
                        outward: None,
                        outline: None,
                        flow: FlowDirection::Unknown,
                        word: String::new(),
                        domain,
                        joint: 0,
                        joined: false,
                    });
                    made.ports.len() - 1
                }),
            };
            if let (Some(a), Some(b)) = (end(edge.from_point, edge.from), end(edge.to_point, edge.to)) {
                pairs.push((a, b));
            }
        }
        made.join(&pairs);
        for (i, port) in made.ports.iter().enumerate() {
            made.of_element.entry(port.element).or_default().push(i);
        }
        made.place_outlines(site);
        made
    }

    fn join(&mut self, pairs: &[(usize, usize)]) {
        let mut sets = Sets::new(self.ports.len());
        for (a, b) in pairs {
            sets.join(*a, *b);
            for p in [a, b] {
                if let Some(port) = self.ports.get_mut(*p) {
                    port.joined = true;
                }
            }
        }
        let mut number: HashMap<usize, usize> = HashMap::new();
        for i in 0..self.ports.len() {
            let root = sets.find(i);
            let joint = *number.entry(root).or_insert_with(|| {
                self.joints.push(Vec::new());
                self.joints.len() - 1
            });
            self.joints[joint].push(i);
            self.ports[i].joint = joint;
        }
    }

    /// Outlines and directions that the file's bodies give to ports that have none.
    fn place_outlines(&mut self, site: &Site) {
        let mut of: HashMap<u32, Vec<&crate::site::model::End>> = HashMap::new();
        for end in &site.ends {
            of.entry(end.element).or_default().push(end);
        }
        for port in self.ports.iter_mut().filter(|p| p.outline.is_none()) {
            let (Some(place), Some(ends)) = (port.place, of.get(&port.element.0)) else { continue };
            let near = ends.iter().min_by(|a, b| a.location.distance(place).total_cmp(&b.location.distance(place)));
            if let Some(end) = near.filter(|e| e.location.distance(place) < 0.05) {
                (port.outline, port.outward) = (end.outline, Some(end.outward));
            }
        }
    }

    /// Ports of an element.
    pub fn of(&self, slot: Slot) -> &[usize] {
        self.of_element.get(&slot).map(Vec::as_slice).unwrap_or_default()
    }

    /// A form that one of an element's ends has.
    pub fn outline(&self, slot: Slot) -> Option<Outline> {
        self.of(slot).iter().find_map(|p| self.ports.get(*p)?.outline)
    }

    /// From its first end to its last, of length 1; none where their places are not known.
    pub fn axis(&self, slot: Slot) -> Option<DVec3> {
        let ports = self.of(slot);
        let place = |p: &usize| self.ports.get(*p)?.place;
        let (a, b) = (place(ports.first()?)?, place(ports.last()?)?);
        Some((b - a).normalize_or_zero()).filter(|d| *d != DVec3::ZERO)
    }

    /// Distance between the ends of an element of two ports, m.
    pub fn span(&self, slot: Slot) -> Option<f64> {
        let [a, b] = self.of(slot) else { return None };
        let place = |p: usize| self.ports.get(p)?.place;
        Some(place(*a)?.distance(place(*b)?)).filter(|d| *d > 1e-4)
    }

    /// The way out of an element at one of its ports: stated, else where what is joined there goes on.
    pub fn outward(&self, port: usize) -> Option<DVec3> {
        let this = self.ports.get(port)?;
        if this.outward.is_some() {
            return this.outward;
        }
        let here = this.place?;
        self.joints.get(this.joint)?.iter().filter(|p| **p != port).find_map(|other| {
            let element = self.ports.get(*other)?.element;
            let [a, b] = self.of(element) else { return None };
            let far = self.ports.get(if a == other { *b } else { *a })?.place?;
            Some((far - here).normalize_or_zero()).filter(|d| *d != DVec3::ZERO)
        })
    }

    /// The angle by which flow from one port of an element to the other turns, degrees.
    pub fn turn_deg(&self, a: usize, b: usize) -> Option<f64> {
        let (a, b) = (self.outward(a)?, self.outward(b)?);
        Some((-a).dot(b).clamp(-1.0, 1.0).acos().to_degrees())
    }

    /// Where a joint is: the mean of its ports.
    pub fn joint_place(&self, joint: usize) -> Option<DVec3> {
        let ports = self.joints.get(joint)?;
        let places: Vec<DVec3> = ports.iter().filter_map(|p| self.ports.get(*p)?.place).collect();
        (!places.is_empty()).then(|| places.iter().copied().sum::<DVec3>() / places.len() as f64)
    }
}

/// Sets that are joined two by two.
#[derive(Clone, Debug)]
pub(super) struct Sets(Vec<usize>);

impl Sets {
    /// Everything apart.
    pub fn new(n: usize) -> Self {
        Self((0..n).collect())
    }

    /// The set of a member: its smallest member.
    pub fn find(&mut self, mut v: usize) -> usize {
        while self.0[v] != v {
            self.0[v] = self.0[self.0[v]];
            v = self.0[v];
        }
        v
    }

    /// Makes two sets one.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}
