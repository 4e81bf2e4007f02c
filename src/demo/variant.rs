//! The services model as less careful authors would hand it over: without ports, with gaps, as bare triangles,
//! without systems, and with pipes and ducts in it that are joined to nothing.

mod cables;

use super::body::{Part, Profile, Section, Solid, straight};
use super::mep;
use super::net::{Domain, Flow, Frame, Item, Net};
use super::place::Place;
use super::plan::{Plan, STOREY, STOREYS};
use super::step::global_id;
use glam::{DVec3, dvec3};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

/// How the services model differs from the demo's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    /// Ports and their connections are written.
    pub ports: bool,
    /// Systems are written.
    pub systems: bool,
    /// Joined ends lie up to this far apart, metres; 0: they meet.
    pub gaps_m: f64,
    /// Bodies are triangles, without profile or axis.
    pub tessellated: bool,
    /// There are pipes 30 mm beside others, ducts that cross others, sensors without cables and others whose cables do
    /// not lead to the controller of their storey.
    pub decoys: bool,
}

impl Default for Variant {
    fn default() -> Self {
        Self { ports: true, systems: true, gaps_m: 0.0, tessellated: false, decoys: false }
    }
}

/// A services model, and what is joined to what in it.
#[derive(Clone, Debug)]
pub struct Services {
    /// The IFC file.
    pub text: String,
    /// GlobalIds of elements joined by pipe.
    pub piped: Vec<[String; 2]>,
    /// GlobalIds of elements joined by duct.
    pub ducted: Vec<[String; 2]>,
    /// GlobalIds of elements joined by cable; cables are not drawn.
    pub wired: Vec<[String; 2]>,
    /// GlobalIds of what the decoys are.
    pub decoys: Vec<String>,
}

impl Services {
    /// GlobalIds of all elements that are joined.
    pub fn joined(&self) -> impl Iterator<Item = &[String; 2]> {
        self.piped.iter().chain(&self.ducted).chain(&self.wired)
    }
}

/// Makes the services model of a seed in a variant.
pub fn services(seed: u64, variant: &Variant) -> Services {
    let plan = Plan::new(seed);
    let mut net = mep::net(&plan);
    let own = net.items.len();
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x9a7f_3c51);
    if variant.decoys {
        decoys(&mut net);
    }
    if variant.gaps_m > 0.0 {
        open_gaps(&mut net, variant.gaps_m, &mut rng);
    }
    let id = |item: usize| {
        net.items.get(item).map(|i| global_id(seed, &format!("mep/{}", mep::path_of(i)))).unwrap_or_default()
    };
    let (mut piped, mut ducted, mut wired) = (Vec::new(), Vec::new(), Vec::new());
    for (a, b) in &net.joints {
        let (Some(p), Some(q)) = (net.ports.get(*a), net.ports.get(*b)) else { continue };
        let list = match net.systems.get(p.system).map(|s| s.domain) {
            Some(Domain::Pipe) => &mut piped,
            Some(Domain::Duct) => &mut ducted,
            Some(Domain::Cable) | None => &mut wired,
        };
        list.push([id(p.item), id(q.item)]);
    }
    let decoys = (own..net.items.len()).map(id).collect();
    if variant.tessellated {
        for item in &mut net.items {
            item.parts = item.parts.iter().map(triangles).collect();
        }
    }
    if !variant.ports {
        net.ports.clear();
        net.joints.clear();
    }
    if !variant.systems {
        net.items.iter_mut().for_each(|i| i.systems.clear());
    }
    Services { text: mep::write(&plan, &net, &Place::MEP), piped, ducted, wired, decoys }
}

/// How far bodies are moved at random on top of the gaps, metres.
const SHAKE_M: f64 = 0.004;

/// Runs become too short at either end, and everything is a little off its place: joined ends lie up to `most` apart.
fn open_gaps(net: &mut Net, most: f64, rng: &mut ChaCha8Rng) {
    let shake = SHAKE_M.min(most / 5.0);
    let gap = most - 2.0 * shake;
    let is_run = |item: &Item| item.class.ends_with("Segment");
    let mut cuts = vec![[0.0_f64; 2]; net.items.len()];
    for (a, b) in &net.joints {
        let width = rng.random_range(0.0..gap);
        let ends: Vec<(usize, DVec3)> =
            [a, b].into_iter().filter_map(|p| net.ports.get(*p)).filter_map(|p| Some((p.item, p.at?))).collect();
        let runs: Vec<&(usize, DVec3)> =
            ends.iter().filter(|(item, _)| net.items.get(*item).is_some_and(is_run)).collect();
        for (item, at) in &runs {
            let Some(element) = net.items.get(*item) else { continue };
            let far = element.frame.local(*at).z > 1e-3;
            if let Some(cut) = cuts.get_mut(*item) {
                cut[usize::from(far)] = width / runs.len() as f64;
            }
        }
    }
    for (item, [first, last]) in net.items.iter_mut().zip(cuts) {
        if let [Part { solid: Solid::Extrude { at, length, .. }, .. }] = item.parts.as_mut_slice()
            && item.class.ends_with("Segment")
        {
            // Short pieces keep half of their length.
            let share = (0.5 * *length / (first + last).max(1e-9)).min(1.0);
            at.z += first * share;
            *length -= (first + last) * share;
        }
        let mut random = || rng.random_range(-1.0..1.0);
        let way = dvec3(random(), random(), random());
        item.frame.origin += way.normalize_or_zero() * shake;
    }
}

/// Adds elements that lie close to others and are joined to nothing, or only to each other.
fn decoys(net: &mut Net) {
    beside(net);
    bundles(net);
    crossing(net);
    cables::add(net);
}

fn section_of(item: &Item) -> Option<(Section, f64)> {
    let [Part { solid: Solid::Extrude { profile, length, .. }, .. }] = item.parts.as_slice() else { return None };
    match profile {
        Profile::Rect(w, h) => Some((Section::Rect { w: *w, h: *h }, *length)),
        Profile::Circle(r) => Some((Section::Round { d: 2.0 * r }, *length)),
        _ => None,
    }
}

fn ports_at_both_ends(net: &mut Net, item: usize, section: Section, length: f64, system: usize) -> [usize; 2] {
    let first = net.port(item, "inlet", [0.0; 3], [0.0, 0.0, -1.0], section, Flow::Sink, system);
    let last = net.port(item, "outlet", [0.0, 0.0, length], [0.0, 0.0, 1.0], section, Flow::Source, system);
    [first.port, last.port]
}

/// Copies of single runs, 30 mm beside them: axis from axis where they are thin, else surface from surface. Runs that
/// end at a machine are left out: their copy would end there too, and be as good as joined.
fn beside(net: &mut Net) {
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); net.items.len()];
    for (a, b) in &net.joints {
        if let (Some(p), Some(q)) = (net.ports.get(*a), net.ports.get(*b)) {
            for (one, other) in [(p.item, q.item), (q.item, p.item)] {
                if let Some(list) = neighbours.get_mut(one) {
                    list.push(other);
                }
            }
        }
    }
    let mut copied: HashSet<usize> = HashSet::new();
    let mut copies = Vec::new();
    for (i, item) in net.items.iter().enumerate() {
        let Some((section, length)) = section_of(item).filter(|_| item.class.ends_with("Segment")) else { continue };
        let around = neighbours.get(i).map(Vec::as_slice).unwrap_or_default();
        let plain = |n: &usize| {
            let class = net.items.get(*n).map_or("", |i| i.class);
            class.ends_with("Segment") || class.ends_with("Fitting")
        };
        let every = if item.class == "IfcPipeSegment" { 3 } else { 5 };
        let fits = i % every == 0 && length > 0.6 && around.len() == 2 && around.iter().all(plain);
        if !fits || around.iter().any(|n| copied.contains(n)) {
            continue;
        }
        copied.insert(i);
        let apart = match section {
            Section::Round { d } if d <= 0.025 => 0.03,
            Section::Round { d } => d + 0.03,
            Section::Rect { w, .. } => w + 0.03,
        };
        let mut copy = item.clone();
        copy.tag = format!("BESIDE-{}", item.tag);
        copy.frame.origin += item.frame.x * apart;
        copies.push((copy, section, length));
    }
    for (copy, section, length) in copies {
        let system = copy.systems.first().copied().unwrap_or_default();
        net.items.push(copy);
        let item = net.items.len() - 1;
        ports_at_both_ends(net, item, section, length, system);
    }
}

/// On each storey four pipes with their axes 30 mm apart: two of two pieces that are joined, and between them one
/// that ends and one that begins where these are joined.
fn bundles(net: &mut Net) {
    let Some(system) = net.systems.iter().position(|s| s.predefined == "HEATING") else { return };
    let look = net.systems.get(system).map(|s| s.look);
    let section = Section::Round { d: 0.022 };
    for storey in 0..STOREYS {
        net.storey = storey;
        for k in 0..4 {
            let mut last: Option<usize> = None;
            for (n, x) in [20.0, 23.0].into_iter().enumerate() {
                let alone = k % 2 == 1;
                if alone && n != k / 2 {
                    continue;
                }
                let Some(look) = look else { continue };
                let origin = dvec3(x, 3.0 + 0.03 * k as f64, STOREY * storey as f64 + 2.2);
                let frame = Frame { origin, z: DVec3::X, x: DVec3::Y };
                let parts = vec![straight(section, DVec3::X, 3.0, look)];
                let tag = format!("BUNDLE-{storey}-{k}-{n}");
                let item = net.item("IfcPipeSegment", "RIGIDSEGMENT", "Pipe", &tag, "Pipe OD 22", frame, parts);
                let [first, end] = ports_at_both_ends(net, item, section, 3.0, system);
                if let Some(last) = last {
                    net.joints.push((last, first));
                }
                last = Some(end);
            }
        }
    }
}

/// Ducts across others: 10 mm above, straight through, and ending 15 mm before their side.
fn crossing(net: &mut Net) {
    let runs: Vec<(Item, Section)> = net
        .items
        .iter()
        .filter(|i| i.class == "IfcDuctSegment" && i.frame.z.z.abs() < 0.5 && !i.tag.starts_with("BESIDE"))
        .filter_map(|i| section_of(i).filter(|(_, length)| *length > 1.2).map(|(s, _)| (i.clone(), s)))
        .collect();
    for (n, (run, section)) in runs.iter().enumerate().step_by(4) {
        let Some((_, length)) = section_of(run) else { continue };
        let across = DVec3::Z.cross(run.frame.z);
        let middle = run.frame.origin + run.frame.z * (0.5 * length);
        let (high, wide) = (section.extent(run.frame.z, DVec3::Z), section.extent(run.frame.z, across));
        let own = Section::Rect { w: 0.4, h: 0.2 };
        let origin = match (n / 4) % 3 {
            0 => middle - across + DVec3::Z * (0.5 * high + 0.1 + 0.01),
            1 => middle - across,
            _ => middle + across * (0.5 * wide + 0.015),
        };
        let system = run.systems.first().copied().unwrap_or_default();
        let Some(look) = net.systems.get(system).map(|s| s.look) else { continue };
        net.storey = run.storey;
        let frame = Frame { origin, z: across, x: DVec3::Z.cross(across) };
        let parts = vec![straight(own, across, 2.0, look)];
        let tag = format!("ACROSS-{n}");
        let item = net.item("IfcDuctSegment", "RIGIDSEGMENT", "Duct", &tag, "Duct 400x200", frame, parts);
        ports_at_both_ends(net, item, own, 2.0, system);
    }
}

/// Corners of what is round.
const SIDES: usize = 24;
/// Pieces of a quarter bend.
const STEPS: usize = 8;

/// The same body as a closed skin of triangles.
fn triangles(part: &Part) -> Part {
    let outline = |profile: &Profile| -> Vec<[f64; 2]> {
        match profile {
            Profile::Rect(a, b) => {
                [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(x, y)| [x * a, y * b]).to_vec()
            }
            Profile::Circle(r) | Profile::Tube(r, _) => circle(*r),
            Profile::Outline(corners) => corners.clone(),
        }
    };
    let solid = match &part.solid {
        Solid::Extrude { profile: Profile::Tube(r, wall), at, axis, x, length } => {
            let y = axis.cross(*x);
            let ring = |radius: f64, along: f64| -> Vec<DVec3> {
                circle(radius).iter().map(|[u, v]| *at + *x * *u + y * *v + *axis * along).collect()
            };
            // Outside up, over the rim, inside down, and round below to where it began.
            let rings = [ring(*r, 0.0), ring(*r, *length), ring(r - wall, *length), ring(r - wall, 0.0)];
            walls(&rings, true)
        }
        Solid::Extrude { profile, at, axis, x, length } => {
            let y = axis.cross(*x);
            let ring = |along: f64| -> Vec<DVec3> {
                outline(profile).iter().map(|[u, v]| *at + *x * *u + y * *v + *axis * along).collect()
            };
            walls(&[ring(0.0), ring(*length)], false)
        }
        Solid::Bend { profile, radius } => {
            let rings: Vec<Vec<DVec3>> = (0..=STEPS)
                .map(|i| (std::f64::consts::FRAC_PI_2 * i as f64 / STEPS as f64).sin_cos())
                .map(|(sin, cos)| {
                    let corner = |[a, b]: &[f64; 2]| dvec3(radius - (radius - a) * cos, *b, (radius - a) * sin);
                    outline(profile).iter().map(corner).collect()
                })
                .collect();
            walls(&rings, false)
        }
        skin => skin.clone(),
    };
    Part { solid, look: part.look }
}

fn circle(radius: f64) -> Vec<[f64; 2]> {
    (0..SIDES)
        .map(|i| (std::f64::consts::TAU * i as f64 / SIDES as f64).sin_cos())
        .map(|(sin, cos)| [radius * cos, radius * sin])
        .collect()
}

/// Walls from ring to ring; capped at both ends, or led round to the first ring again.
fn walls(rings: &[Vec<DVec3>], round: bool) -> Solid {
    let n = rings.first().map_or(0, Vec::len);
    let points: Vec<DVec3> = rings.concat();
    let mut triangles = Vec::new();
    let pairs = if round { rings.len() } else { rings.len().saturating_sub(1) };
    for k in 0..pairs {
        let (low, high) = (k * n, (k + 1) % rings.len() * n);
        for i in 0..n {
            let j = (i + 1) % n;
            triangles.push([low + i, low + j, high + j]);
            triangles.push([low + i, high + j, high + i]);
        }
    }
    if !round && n >= 3 {
        let last = (rings.len() - 1) * n;
        for i in 1..n - 1 {
            triangles.push([0, i + 1, i]);
            triangles.push([last, last + i, last + i + 1]);
        }
    }
    Solid::Skin { points, triangles }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_it_is_it_is_the_demos_own_and_every_option_changes_it() {
        let own = super::super::files(1).into_iter().find(|f| f.name == "clinic-mep.ifc").unwrap().text;
        let of = |variant: Variant| services(1, &variant);
        let plain = of(Variant::default());
        assert!(plain.text == own, "the default variant is the demo");
        let count = |text: &str, word: &str| text.matches(word).count();
        let bare = of(Variant { ports: false, ..Variant::default() });
        assert_eq!(count(&bare.text, "IFCDISTRIBUTIONPORT") + count(&bare.text, "IFCRELCONNECTSPORTS"), 0);
        assert!(bare.joined().eq(plain.joined()), "what is joined stays so, whether the file says it or not");
        let loose = of(Variant { systems: false, ..Variant::default() });
        assert_eq!(count(&loose.text, "IFCRELASSIGNSTOGROUP"), 0);
        let skins = of(Variant { tessellated: true, ..Variant::default() });
        assert_eq!(count(&skins.text, "AREASOLID") + count(&skins.text, "PROFILEDEF"), 0);
        let decoyed = of(Variant { decoys: true, ..Variant::default() });
        let with = |word: &str| count(&decoyed.text, word);
        assert!(with("'BESIDE-PS") > 30 && with("'BESIDE-DS") > 10 && with("'ACROSS-") > 20 && with("'BUNDLE-") == 24);
        let more = |list: &[[String; 2]], plain: &[[String; 2]]| list.len() - plain.len();
        assert_eq!(more(&decoyed.piped, &plain.piped), 8, "the bundles' own joints");
        assert_eq!(more(&decoyed.ducted, &plain.ducted), 0);
        assert_eq!(more(&decoyed.wired, &plain.wired), 2 * 2 + 1 + 5, "those of packaged machines and of the panel");
        assert!(with("'TT-") >= 5, "sensors without a cable");
    }

    #[test]
    fn gaps_are_as_wide_as_asked_for() {
        let plan = Plan::new(3);
        let mut net = mep::net(&plan);
        let ends = |net: &Net, port: usize| {
            let p = &net.ports[port];
            let (section, length) = section_of(&net.items[p.item])?;
            let Solid::Extrude { at, .. } = &net.items[p.item].parts[0].solid else { return None };
            let far = net.items[p.item].frame.local(p.at?).z > 0.02;
            let _ = section;
            Some(net.items[p.item].frame.world(*at + DVec3::Z * if far { length } else { 0.0 }))
        };
        let before: Vec<_> = net.joints.iter().map(|(a, b)| (ends(&net, *a), ends(&net, *b))).collect();
        assert!(before.iter().any(|(a, b)| a.is_some() && b.is_some()));
        open_gaps(&mut net, 0.02, &mut ChaCha8Rng::seed_from_u64(1));
        let (mut widest, mut open) = (0.0_f64, 0);
        for (a, b) in &net.joints {
            let run = |p: usize| net.items[net.ports[p].item].class.ends_with("Segment");
            if !(run(*a) && run(*b)) {
                continue;
            }
            if let (Some(p), Some(q)) = (ends(&net, *a), ends(&net, *b)) {
                widest = widest.max(p.distance(q));
                open += usize::from(p.distance(q) > 0.003);
            }
        }
        assert!(widest > 0.012 && widest <= 0.0201 && open > 20, "{widest}, {open}");
    }

    #[test]
    fn skins_are_closed_and_face_outwards() {
        let look = super::super::devices::SUPPLY;
        let volume = |solid: Solid| {
            let Solid::Skin { points, triangles } = triangles(&Part { solid, look }).solid else {
                panic!("not a skin")
            };
            triangles.iter().map(|t| points[t[0]].dot(points[t[1]].cross(points[t[2]])) / 6.0).sum::<f64>()
        };
        let extrude =
            |profile: Profile| Solid::Extrude { profile, at: DVec3::X, axis: DVec3::Y, x: DVec3::Z, length: 2.0 };
        assert!((volume(extrude(Profile::Rect(0.4, 0.3))) - 0.24).abs() < 1e-9);
        let tube = volume(extrude(Profile::Tube(0.5, 0.1)));
        let (outer, inner) = (volume(extrude(Profile::Circle(0.5))), volume(extrude(Profile::Circle(0.4))));
        assert!((tube - (outer - inner)).abs() < 1e-9, "{tube}");
        let bend = volume(Solid::Bend { profile: Profile::Rect(0.2, 0.1), radius: 0.4 });
        assert!((bend / (0.02 * 0.4 * std::f64::consts::FRAC_PI_2) - 1.0).abs() < 0.05, "{bend}");
    }
}
