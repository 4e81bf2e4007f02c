//! The services model, `clinic-mep.ifc`: IFC4, millimetres, written by [`super::step`].

use super::body::{Look, Part, Profile, Solid};
use super::finish::file_name;
use super::net::{Domain, Flow, Item, Net, Set, Value};
use super::place::Place;
use super::plan::{Plan, STOREY, STOREY_NAMES};
use super::step::{STAMP_SECONDS, Step, global_id, real, reals, refs, text};
use super::uniclass::uniclass;
use super::{air, controls, heating, plant};
use glam::{DVec3, dvec3};
use std::collections::{BTreeMap, HashMap};

/// Lays the whole of the building's services.
pub fn net(plan: &Plan) -> Net {
    let mut net = Net::default();
    let water = plant::systems(&mut net);
    let side = air::build(&mut net, plan, water);
    let (supply, back) = plant::build(&mut net, plan, water, &side.coils);
    heating::build(&mut net, plan, water, supply, back, &side.boxes);
    controls::build(&mut net, plan, &side);
    net.belong_to(&plan.lot);
    net
}

/// Writes STEP with shared small instances: a point or direction that is there already is used again.
pub(super) struct Shared {
    step: Step,
    known: HashMap<String, u32>,
    /// File units in a metre.
    scale: f64,
}

impl Shared {
    /// A writer for a file whose length unit goes `scale` times into a metre.
    pub(super) fn new(first: u32, scale: f64) -> Self {
        Self { step: Step::starting_at(first), known: HashMap::new(), scale }
    }
    /// Always a new instance.
    pub(super) fn add(&mut self, keyword: &str, args: &str) -> u32 {
        self.step.add(keyword, args)
    }
    /// The same instance for the same words.
    pub(super) fn same(&mut self, keyword: &str, args: &str) -> u32 {
        let key = format!("{keyword}({args})");
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = self.step.add(keyword, args);
        self.known.insert(key, id);
        id
    }
    /// File units in a metre.
    pub(super) fn scale(&self) -> f64 {
        self.scale
    }
    pub(super) fn into_body(self) -> String {
        self.step.into_body()
    }
    /// A point, metres in, file units out.
    pub(super) fn point(&mut self, p: DVec3) -> u32 {
        let s = self.scale;
        self.same("IFCCARTESIANPOINT", &reals(&[p.x * s, p.y * s, p.z * s]))
    }
    pub(super) fn direction(&mut self, d: DVec3) -> u32 {
        self.same("IFCDIRECTION", &reals(&[d.x, d.y, d.z]))
    }
    pub(super) fn axes(&mut self, at: DVec3, z: DVec3, x: DVec3) -> u32 {
        let p = self.point(at);
        if z.distance(DVec3::Z) < 1e-9 && x.distance(DVec3::X) < 1e-9 {
            return self.same("IFCAXIS2PLACEMENT3D", &format!("#{p},$,$"));
        }
        let (z, x) = (self.direction(z), self.direction(x));
        self.same("IFCAXIS2PLACEMENT3D", &format!("#{p},#{z},#{x}"))
    }
    fn profile(&mut self, profile: &Profile) -> u32 {
        let s = self.scale;
        match profile {
            Profile::Rect(a, b) => {
                self.same("IFCRECTANGLEPROFILEDEF", &format!(".AREA.,$,$,{},{}", real(a * s), real(b * s)))
            }
            Profile::Circle(r) => self.same("IFCCIRCLEPROFILEDEF", &format!(".AREA.,$,$,{}", real(r * s))),
            Profile::Tube(r, t) => {
                self.same("IFCCIRCLEHOLLOWPROFILEDEF", &format!(".AREA.,$,$,{},{}", real(r * s), real(t * s)))
            }
            Profile::Outline(corners) => {
                let mut ids: Vec<u32> =
                    corners.iter().map(|c| self.same("IFCCARTESIANPOINT", &reals(&[c[0] * s, c[1] * s]))).collect();
                ids.extend(ids.first().copied());
                let line = self.same("IFCPOLYLINE", &refs(&ids));
                self.same("IFCARBITRARYCLOSEDPROFILEDEF", &format!(".AREA.,$,#{line}"))
            }
        }
    }
    /// A solid and its style.
    fn part(&mut self, part: &Part) -> u32 {
        let s = self.scale;
        let id = match &part.solid {
            Solid::Extrude { profile, at, axis, x, length } => {
                let (p, a) = (self.profile(profile), self.axes(*at, *axis, *x));
                let up = self.direction(DVec3::Z);
                self.add("IFCEXTRUDEDAREASOLID", &format!("#{p},#{a},#{up},{}", real(length * s)))
            }
            Solid::Bend { profile, radius } => {
                let (p, a) = (self.profile(profile), self.axes(DVec3::ZERO, DVec3::Z, DVec3::X));
                let (at, dir) = (self.point(dvec3(*radius, 0.0, 0.0)), self.direction(DVec3::Y));
                let axis = self.same("IFCAXIS1PLACEMENT", &format!("#{at},#{dir}"));
                self.add("IFCREVOLVEDAREASOLID", &format!("#{p},#{a},#{axis},{}", real(std::f64::consts::FRAC_PI_2)))
            }
            Solid::Skin { points, triangles } => {
                let list: Vec<String> = points.iter().map(|p| reals(&[p.x * s, p.y * s, p.z * s])).collect();
                let list = self.same("IFCCARTESIANPOINTLIST3D", &format!("({})", list.join(",")));
                let faces: Vec<String> =
                    triangles.iter().map(|t| format!("({},{},{})", t[0] + 1, t[1] + 1, t[2] + 1)).collect();
                self.add("IFCTRIANGULATEDFACESET", &format!("#{list},$,.T.,({}),$", faces.join(",")))
            }
        };
        let style = self.style(part.look);
        self.add("IFCSTYLEDITEM", &format!("#{id},(#{style}),$"));
        id
    }
    /// A surface style by its look.
    pub(super) fn style(&mut self, look: Look) -> u32 {
        let [r, g, b] = look.rgb;
        let colour = self.same("IFCCOLOURRGB", &format!("$,{},{},{}", real(r), real(g), real(b)));
        let shine = self.same(
            "IFCSURFACESTYLERENDERING",
            &format!(
                "#{colour},{},$,$,$,$,IFCNORMALISEDRATIOMEASURE(0.2),IFCSPECULAREXPONENT(32.),.NOTDEFINED.",
                real(look.clear)
            ),
        );
        self.same("IFCSURFACESTYLE", &format!("{},.BOTH.,(#{shine})", text(look.name)))
    }
    /// Representation of parts, shared by a map when `shared`.
    pub(super) fn shape(&mut self, parts: &[Part], context: u32, shared: bool) -> u32 {
        let kind = |parts: &[Part]| {
            let skins = parts.iter().filter(|p| matches!(p.solid, Solid::Skin { .. })).count();
            if skins == 0 {
                "SweptSolid"
            } else if skins == parts.len() {
                "Tessellation"
            } else {
                "SolidModel"
            }
        };
        if !shared {
            let items: Vec<u32> = parts.iter().map(|p| self.part(p)).collect();
            let rep =
                self.add("IFCSHAPEREPRESENTATION", &format!("#{context},'Body','{}',{}", kind(parts), refs(&items)));
            return self.add("IFCPRODUCTDEFINITIONSHAPE", &format!("$,$,(#{rep})"));
        }
        let key = format!("map {parts:?}");
        let map = match self.known.get(&key) {
            Some(id) => *id,
            None => {
                let items: Vec<u32> = parts.iter().map(|p| self.part(p)).collect();
                let rep = self
                    .add("IFCSHAPEREPRESENTATION", &format!("#{context},'Body','{}',{}", kind(parts), refs(&items)));
                let axes = self.axes(DVec3::ZERO, DVec3::Z, DVec3::X);
                let id = self.add("IFCREPRESENTATIONMAP", &format!("#{axes},#{rep}"));
                self.known.insert(key, id);
                id
            }
        };
        let origin = self.point(DVec3::ZERO);
        let target = self.same("IFCCARTESIANTRANSFORMATIONOPERATOR3D", &format!("$,$,#{origin},$,$"));
        let item = self.add("IFCMAPPEDITEM", &format!("#{map},#{target}"));
        let rep = self.add("IFCSHAPEREPRESENTATION", &format!("#{context},'Body','MappedRepresentation',(#{item})"));
        self.add("IFCPRODUCTDEFINITIONSHAPE", &format!("$,$,(#{rep})"))
    }
    /// One property or quantity.
    fn property(&mut self, name: &str, value: &Value) -> u32 {
        let s = self.scale;
        let (measure, v) = match value {
            Value::Real(v) => ("IFCREAL", real(*v)),
            Value::Label(v) => ("IFCLABEL", text(v)),
            Value::Identifier(v) => ("IFCIDENTIFIER", text(v)),
            Value::Bool(v) => ("IFCBOOLEAN", if *v { ".T.".into() } else { ".F.".into() }),
            Value::Integer(v) => ("IFCINTEGER", v.to_string()),
            Value::Length(v) => ("IFCPOSITIVELENGTHMEASURE", real(v * s)),
            Value::Pressure(v) => ("IFCPRESSUREMEASURE", real(*v)),
            Value::Power(v) => ("IFCPOWERMEASURE", real(*v)),
            Value::Flow(v) => ("IFCVOLUMETRICFLOWRATEMEASURE", real(*v)),
            Value::QLength(v) => {
                return self
                    .same("IFCQUANTITYLENGTH", &format!("{},$,$,{},$", text(name), real((v * s * 1e4).round() / 1e4)));
            }
            Value::QArea(v) => return self.same("IFCQUANTITYAREA", &format!("{},$,$,{},$", text(name), real(*v))),
            Value::QVolume(v) => return self.same("IFCQUANTITYVOLUME", &format!("{},$,$,{},$", text(name), real(*v))),
            Value::QWeight(v) => return self.same("IFCQUANTITYWEIGHT", &format!("{},$,$,{},$", text(name), real(*v))),
        };
        self.same("IFCPROPERTYSINGLEVALUE", &format!("{},$,{measure}({v}),$", text(name)))
    }
    /// A property set or quantity set without its relation.
    pub(super) fn set(&mut self, id: &str, owner: &str, set: &Set) -> u32 {
        let ids: Vec<u32> = set.1.iter().map(|(n, v)| self.property(n, v)).collect();
        if set.0.starts_with("Qto_") {
            self.add(
                "IFCELEMENTQUANTITY",
                &format!("'{id}',{owner},{},$,'BaseQuantities',{}", text(&set.0), refs(&ids)),
            )
        } else {
            self.add("IFCPROPERTYSET", &format!("'{id}',{owner},{},$,{}", text(&set.0), refs(&ids)))
        }
    }
}

/// Writes property sets, one instance for all elements that have the same.
pub(super) fn write_sets(w: &mut Shared, seed: u64, owner: &str, of: &[(u32, String, Vec<Set>)]) {
    let mut groups: BTreeMap<String, (Set, Vec<u32>, String)> = BTreeMap::new();
    for (id, path, sets) in of {
        for set in sets {
            groups.entry(format!("{set:?}")).or_insert_with(|| (set.clone(), Vec::new(), path.clone())).1.push(*id);
        }
    }
    for (set, ids, path) in groups.into_values() {
        let path = format!("{path}/{}", set.0);
        let s = w.set(&global_id(seed, &format!("set/{path}")), owner, &set);
        w.add(
            "IFCRELDEFINESBYPROPERTIES",
            &format!("'{}',{owner},$,$,{},#{s}", global_id(seed, &format!("set-of/{path}")), refs(&ids)),
        );
    }
}

/// Writes one element a class after another, with everything that hangs on it.
pub fn write(plan: &Plan, net: &Net, place: &Place) -> String {
    let seed = plan.seed;
    let gid = |path: &str| global_id(seed, &format!("mep/{path}"));
    let mut w = Shared::new(1, 1000.0);
    let person = w.add("IFCPERSON", "$,'Engineer','Plenum',$,$,$,$,$");
    let firm = w.add("IFCORGANIZATION", "$,'Plenum',$,$,$");
    let both = w.add("IFCPERSONANDORGANIZATION", &format!("#{person},#{firm},$"));
    let app = w.add("IFCAPPLICATION", &format!("#{firm},'{}','Plenum make-demo','plenum'", env!("CARGO_PKG_VERSION")));
    let history = w.add("IFCOWNERHISTORY", &format!("#{both},#{app},$,.ADDED.,$,$,$,{STAMP_SECONDS}"));
    let owner = format!("#{history}");
    let units = [
        ".LENGTHUNIT.,.MILLI.,.METRE.",
        ".AREAUNIT.,$,.SQUARE_METRE.",
        ".VOLUMEUNIT.,$,.CUBIC_METRE.",
        ".PLANEANGLEUNIT.,$,.RADIAN.",
        ".TIMEUNIT.,$,.SECOND.",
        ".MASSUNIT.,.KILO.,.GRAM.",
        ".POWERUNIT.,$,.WATT.",
        ".PRESSUREUNIT.,$,.PASCAL.",
        ".THERMODYNAMICTEMPERATUREUNIT.,$,.DEGREE_CELSIUS.",
    ];
    let mut unit_ids: Vec<u32> = units.iter().map(|u| w.add("IFCSIUNIT", &format!("*,{u}"))).collect();
    let metre = w.add("IFCSIUNIT", "*,.LENGTHUNIT.,$,.METRE.");
    let per = [(metre, 3), (unit_ids[4], -1)].map(|(u, e)| w.add("IFCDERIVEDUNITELEMENT", &format!("#{u},{e}")));
    unit_ids.push(w.add("IFCDERIVEDUNIT", &format!("{},.VOLUMETRICFLOWRATEUNIT.,$", refs(&per))));
    let units = w.add("IFCUNITASSIGNMENT", &refs(&unit_ids));
    let axes = w.axes(DVec3::ZERO, DVec3::Z, DVec3::X);
    let context = w.add("IFCGEOMETRICREPRESENTATIONCONTEXT", &format!("$,'Model',3,1.E-05,#{axes},$"));
    let body =
        w.add("IFCGEOMETRICREPRESENTATIONSUBCONTEXT", &format!("'Body','Model',*,*,*,*,#{context},$,.MODEL_VIEW.,$"));
    place.write(&plan.lot, &mut w, context);
    let called = text(&plan.lot.building);
    let project = w.add(
        "IFCPROJECT",
        &format!("'{}',{owner},{called},'Building services',$,$,$,(#{context}),#{units}", gid("project")),
    );

    // Spatial structure. The model's own origin is not the building's: everything is moved by `place.local`.
    let base = w.add("IFCLOCALPLACEMENT", &format!("$,#{axes}"));
    let land = text(&plan.lot.site);
    let site = w.add("IFCSITE", &format!("'{}',{owner},{land},$,$,#{base},$,$,.ELEMENT.,$,$,$,$,$", gid("site")));
    let shift = w.axes(place.local(DVec3::ZERO), DVec3::Z, DVec3::X);
    let at = w.add("IFCLOCALPLACEMENT", &format!("#{base},#{shift}"));
    let building =
        w.add("IFCBUILDING", &format!("'{}',{owner},{called},$,$,#{at},$,$,.ELEMENT.,$,$,$", gid("building")));
    let mut storeys = Vec::new();
    for (i, name) in STOREY_NAMES.iter().enumerate() {
        let z = STOREY * i as f64;
        let a = w.axes(dvec3(0.0, 0.0, z), DVec3::Z, DVec3::X);
        let p = w.add("IFCLOCALPLACEMENT", &format!("#{at},#{a}"));
        let s = w.add(
            "IFCBUILDINGSTOREY",
            &format!(
                "'{}',{owner},{},$,$,#{p},$,$,.ELEMENT.,{}",
                gid(&format!("storey/{name}")),
                text(&plan.lot.name(name)),
                real(z * 1000.0)
            ),
        );
        storeys.push((s, p));
    }
    let storey_ids: Vec<u32> = storeys.iter().map(|s| s.0).collect();
    for (path, whole, parts) in
        [("project", project, vec![site]), ("site", site, vec![building]), ("building", building, storey_ids)]
    {
        w.add(
            "IFCRELAGGREGATES",
            &format!("'{}',{owner},$,$,#{whole},{}", gid(&format!("aggregates/{path}")), refs(&parts)),
        );
    }

    // Elements.
    let mut uses: HashMap<String, usize> = HashMap::new();
    for item in &net.items {
        *uses.entry(format!("{:?}", item.parts)).or_default() += 1;
    }
    let mut ids = Vec::new();
    let mut placements = Vec::new();
    for item in &net.items {
        let shared = uses.get(&format!("{:?}", item.parts)).is_some_and(|n| *n > 1);
        let shape = w.shape(&item.parts, body, shared);
        let (_, storey_place) = storeys[item.storey];
        let rise = dvec3(0.0, 0.0, STOREY * item.storey as f64);
        let a = w.axes(item.frame.origin - rise, item.frame.z, item.frame.x);
        let p = w.add("IFCLOCALPLACEMENT", &format!("#{storey_place},#{a}"));
        placements.push(p);
        let object_type = if item.object_type.is_empty() { "$".into() } else { text(item.object_type) };
        ids.push(w.add(
            &item.class.to_uppercase(),
            &format!(
                "'{}',{owner},{},$,{object_type},#{p},#{shape},{},.{}.",
                gid(&path_of(item)),
                text(&item.name),
                text(&item.tag),
                item.predefined
            ),
        ));
    }
    relations(&mut w, seed, &owner, net, &ids, &storeys);
    ports(&mut w, seed, &owner, net, &ids, &placements);
    groups(&mut w, seed, &owner, net, &ids, building, project);
    let sets: Vec<(u32, String, Vec<Set>)> =
        net.items.iter().zip(&ids).map(|(i, id)| (*id, format!("mep/{}", path_of(i)), i.sets.clone())).collect();
    write_sets(&mut w, seed, &owner, &sets);
    Step::file(&w.into_body(), &file_name(&plan.lot, "mep.ifc"), "IFC4", "ReferenceView_V1.2")
}

/// Where an element's GlobalId comes from.
pub(super) fn path_of(item: &Item) -> String {
    format!("{}/{}", item.class, item.tag)
}

fn relations(w: &mut Shared, seed: u64, owner: &str, net: &Net, ids: &[u32], storeys: &[(u32, u32)]) {
    let gid = |path: &str| global_id(seed, &format!("mep/{path}"));
    for (s, (storey, _)) in storeys.iter().enumerate() {
        let members: Vec<u32> = net
            .items
            .iter()
            .zip(ids)
            .filter(|(i, _)| i.storey == s && i.part_of.is_none())
            .map(|(_, id)| *id)
            .collect();
        if !members.is_empty() {
            w.add(
                "IFCRELCONTAINEDINSPATIALSTRUCTURE",
                &format!("'{}',{owner},$,$,{},#{storey}", gid(&format!("contains/{s}")), refs(&members)),
            );
        }
    }
    let mut wholes: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    let mut hosts: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (item, id) in net.items.iter().zip(ids) {
        if let Some(whole) = item.part_of {
            wholes.entry(whole).or_default().push(*id);
        }
        if let Some(host) = item.host {
            hosts.entry(host).or_default().push(*id);
        }
    }
    for (whole, parts) in wholes {
        let path = format!("parts/{}", path_of(&net.items[whole]));
        w.add("IFCRELAGGREGATES", &format!("'{}',{owner},$,$,#{},{}", gid(&path), ids[whole], refs(&parts)));
    }
    for (host, controls) in hosts {
        let path = format!("controls/{}", path_of(&net.items[host]));
        w.add("IFCRELFLOWCONTROLELEMENTS", &format!("'{}',{owner},$,$,{},#{}", gid(&path), refs(&controls), ids[host]));
    }
    // Types, materials, classification.
    let mut types: BTreeMap<(&str, &str, &str), Vec<u32>> = BTreeMap::new();
    let mut materials: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut classes: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut user: HashMap<&str, &str> = HashMap::new();
    for (item, id) in net.items.iter().zip(ids) {
        types.entry((item.class, item.predefined, &item.kind)).or_default().push(*id);
        materials.entry(item.material).or_default().push(*id);
        classes.entry(item.class).or_default().push(*id);
        user.insert(&item.kind, item.object_type);
    }
    for ((class, predefined, kind), of) in types {
        let path = format!("type/{class}/{predefined}/{kind}");
        let element_type = user.get(kind).filter(|t| !t.is_empty()).map_or("$".into(), |t| text(t));
        let t = w.add(
            &format!("{}TYPE", class.to_uppercase()),
            &format!("'{}',{owner},{},$,$,$,$,$,{element_type},.{predefined}.", gid(&path), text(kind)),
        );
        w.add("IFCRELDEFINESBYTYPE", &format!("'{}',{owner},$,$,{},#{t}", gid(&format!("of-{path}")), refs(&of)));
    }
    for (name, of) in materials {
        let m = w.add("IFCMATERIAL", &format!("{},$,$", text(name)));
        w.add(
            "IFCRELASSOCIATESMATERIAL",
            &format!("'{}',{owner},$,$,{},#{m}", gid(&format!("material/{name}")), refs(&of)),
        );
    }
    let system = w.add("IFCCLASSIFICATION", "'NBS','2015',$,'Uniclass 2015',$,'https://uniclass.thenbs.com',$");
    for (class, of) in classes {
        let (code, title) = uniclass(class);
        let r = w.add("IFCCLASSIFICATIONREFERENCE", &format!("$,'{code}',{},#{system},$,$", text(title)));
        w.add(
            "IFCRELASSOCIATESCLASSIFICATION",
            &format!("'{}',{owner},$,$,{},#{r}", gid(&format!("class/{class}")), refs(&of)),
        );
    }
}

fn ports(w: &mut Shared, seed: u64, owner: &str, net: &Net, ids: &[u32], placements: &[u32]) {
    let gid = |path: &str| global_id(seed, &format!("mep/{path}"));
    let mut nests: Vec<Vec<u32>> = vec![Vec::new(); net.items.len()];
    let mut port_ids = Vec::new();
    let path = |p: usize| format!("{}/{}", path_of(&net.items[net.ports[p].item]), net.ports[p].name);
    for (n, port) in net.ports.iter().enumerate() {
        let system = &net.systems[port.system];
        let place = match port.at {
            None => "$".into(),
            Some(at) => {
                let a = w.axes(net.items[port.item].frame.local(at), DVec3::Z, DVec3::X);
                format!("#{}", w.same("IFCLOCALPLACEMENT", &format!("#{},#{a}", placements[port.item])))
            }
        };
        let flow = match port.flow {
            Flow::Source => "SOURCE",
            Flow::Sink => "SINK",
            Flow::Both => "SOURCEANDSINK",
        };
        let kind = match system.domain {
            Domain::Pipe => "PIPE",
            Domain::Duct => "DUCT",
            Domain::Cable => "CABLE",
        };
        let id = w.add(
            "IFCDISTRIBUTIONPORT",
            &format!(
                "'{}',{owner},{},$,$,{place},$,.{flow}.,.{kind}.,.{}.",
                gid(&format!("port/{}", path(n))),
                text(&port.name),
                system.predefined
            ),
        );
        nests[port.item].push(id);
        port_ids.push(id);
    }
    for (item, list) in nests.iter().enumerate().filter(|(_, l)| !l.is_empty()) {
        w.add(
            "IFCRELNESTS",
            &format!(
                "'{}',{owner},$,$,#{},{}",
                gid(&format!("ports/{}", path_of(&net.items[item]))),
                ids[item],
                refs(list)
            ),
        );
    }
    for (a, b) in &net.joints {
        w.add(
            "IFCRELCONNECTSPORTS",
            &format!("'{}',{owner},$,$,#{},#{},$", gid(&format!("joint/{}", path(*a))), port_ids[*a], port_ids[*b]),
        );
    }
}

fn groups(w: &mut Shared, seed: u64, owner: &str, net: &Net, ids: &[u32], building: u32, _project: u32) {
    let gid = |path: &str| global_id(seed, &format!("mep/{path}"));
    for (n, system) in net.systems.iter().enumerate() {
        let members: Vec<u32> =
            net.items.iter().zip(ids).filter(|(i, _)| i.systems.contains(&n)).map(|(_, id)| *id).collect();
        if members.is_empty() {
            continue;
        }
        let name = &system.name;
        let s = w.add(
            "IFCDISTRIBUTIONSYSTEM",
            &format!("'{}',{owner},{},$,$,$,.{}.", gid(&format!("system/{name}")), text(name), system.predefined),
        );
        w.add(
            "IFCRELASSIGNSTOGROUP",
            &format!("'{}',{owner},$,$,{},$,#{s}", gid(&format!("in-system/{name}")), refs(&members)),
        );
        w.add(
            "IFCRELSERVICESBUILDINGS",
            &format!("'{}',{owner},$,$,#{s},(#{building})", gid(&format!("serves/{name}"))),
        );
    }
}

/// How many ports are joined to nothing, and which.
pub fn dangling(net: &Net) -> Vec<String> {
    let mut joined = vec![0usize; net.ports.len()];
    for (a, b) in &net.joints {
        joined[*a] += 1;
        joined[*b] += 1;
    }
    net.ports
        .iter()
        .zip(joined)
        .filter(|(_, n)| *n != 1)
        .map(|(p, n)| format!("{} / {}: joined {n} times", net.items[p.item].tag, p.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn everything_meets_and_nothing_dangles() {
        for seed in 0..12 {
            let plan = Plan::new(seed);
            let net = net(&plan);
            assert!(net.faults.is_empty(), "seed {seed}: {:#?}", &net.faults[..net.faults.len().min(12)]);
            assert!(dangling(&net).is_empty(), "seed {seed}: {:#?}", dangling(&net));
            for (a, b) in &net.joints {
                if let (Some(p), Some(q)) = (net.ports[*a].at, net.ports[*b].at) {
                    assert!(p.distance(q) < 0.001, "seed {seed}: ports apart");
                }
                assert!(
                    net.ports[*a].flow != Flow::Sink && net.ports[*b].flow != Flow::Source,
                    "seed {seed}: flow the wrong way at {}",
                    net.items[net.ports[*a].item].tag
                );
            }
            let tags: HashSet<&str> = net.items.iter().map(|i| i.tag.as_str()).collect();
            assert_eq!(tags.len(), net.items.len(), "seed {seed}: a tag stands twice");
        }
    }

    #[test]
    fn the_contract_of_tags() {
        let plan = Plan::new(1);
        let net = net(&plan);
        let with = |class: &str, predefined: &str| -> Vec<&str> {
            net.items
                .iter()
                .filter(|i| i.class == class && (predefined.is_empty() || i.predefined == predefined))
                .map(|i| i.tag.as_str())
                .collect()
        };
        assert_eq!(with("IfcAirTerminalBox", "").len(), 38);
        assert_eq!(with("IfcValve", "REGULATING").len(), 38 + 6 + 12);
        assert!(
            net.items.iter().all(|i| i.tag.ends_with("-V") == (i.class == "IfcValve" && i.predefined == "REGULATING"))
        );
        assert_eq!(with("IfcUnitaryEquipment", "AIRHANDLER"), ["AHU-1", "AHU-2", "AHU-3"]);
        assert_eq!(with("IfcChiller", ""), ["CH-1", "CH-2"]);
        assert_eq!(with("IfcBoiler", ""), ["B-1", "B-2"]);
        assert_eq!(with("IfcPump", "").len(), 6);
        assert_eq!(with("IfcFan", "").iter().filter(|t| t.ends_with("-SF")).count(), 3);
        let mut probes = with("IfcSensor", "TEMPERATURESENSOR");
        probes.sort_unstable();
        assert_eq!(probes, ["AHU-1-SAT", "AHU-2-SAT", "AHU-3-SAT", "CHW-ST", "HW-ST"]);
        // Four baths, three in each unit, the clean rooms and one box of each other storey.
        let humidity = with("IfcSensor", "HUMIDITYSENSOR");
        assert_eq!(humidity.iter().filter(|t| t.starts_with("RAD-") && t.ends_with("-BATH-RH")).count(), 4);
        assert_eq!(humidity.iter().filter(|t| t.starts_with("AHU-")).count(), 9);
        let rooms = humidity.iter().filter(|t| t.starts_with("VAV-")).count();
        assert!((8..=11).contains(&rooms) && humidity.len() == 4 + 9 + rooms + 1, "{humidity:?}");
        assert!(
            net.items
                .iter()
                .filter(|i| i.class == "IfcSensor" && (i.predefined == "TEMPERATURESENSOR" || i.tag.ends_with("-RH")))
                .all(|i| i.host.is_some())
        );
    }
}
