//! The search over real sites and made-up ones: what it finds is what reading every element finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{json, plenum, said};
use plenum::import::{self, Progress};
use plenum::site::coordinates::Coordinates;
use plenum::site::model::{Connection, ConnectionPoint, Group, PropertySet, PropertyValue, Storey};
use plenum::site::point::PointSource;
use plenum::site::search::{
    Comparison, Expr, HealthWord, Index, Key, Number, Pattern, PropertyTerm, Term, Thing, lower, parse, same,
};
use plenum::site::unit::{FileUnits, Quantity, Unit};
use plenum::site::{self, Element, ElementKind, Point, Project, Site, Slot, Source};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

const CLINIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/clinic");

fn clinic() -> &'static (Site, Index) {
    static CLINIC_SITE: LazyLock<(Site, Index)> = LazyLock::new(|| {
        let (project, _) = site::project::load(Path::new(CLINIC)).unwrap();
        let files = project.models.iter().map(|m| (m.file.clone(), m.discipline.clone()));
        let files = files.chain(project.layers.iter().map(|l| (l.file.clone(), "site".to_owned())));
        let read =
            |(file, discipline): (PathBuf, String)| (import::read(&file, &Progress::default()).unwrap().0, discipline);
        let models = files.map(read).collect();
        let (site, _) = site::assemble(&project, models);
        let index = Index::of(&site);
        (site, index)
    });
    &CLINIC_SITE
}

/// The slots that a search finds, ascending.
fn found(index: &Index, text: &str) -> Vec<u32> {
    let query = parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let mut slots: Vec<u32> = index.find(&query, None).unwrap().slots.into_iter().map(|s| s.0).collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// The slots of the elements that fulfil a condition.
fn counted(site: &Site, is: impl Fn(Slot, &Element) -> bool) -> Vec<u32> {
    site.iter().filter(|(slot, e)| is(*slot, e)).map(|(slot, _)| slot.0).collect()
}

fn number(e: &Element, set: &str, name: &str) -> Option<f64> {
    e.property(set, name).and_then(PropertyValue::as_f64)
}

#[test]
fn the_clinic_is_found_as_by_reading_it() {
    let (site, index) = clinic();
    let storey = |e: &Element, name: &str| e.storey.is_some_and(|s| site.storeys[s as usize].name == name);
    let systems = |e: &Element| e.systems.iter().map(|s| site.systems[*s as usize].name.as_str()).collect::<Vec<_>>();
    type Is<'a> = Box<dyn Fn(Slot, &Element) -> bool + 'a>;
    let table: Vec<(&str, Is)> = vec![
        ("class:IfcPump", Box::new(|_, e| e.class == "IfcPump")),
        ("class:pump", Box::new(|_, e| e.class == "IfcPump")),
        ("class:*Segment", Box::new(|_, e| e.class.ends_with("Segment"))),
        ("class:IfcAirTerminal", Box::new(|_, e| e.class == "IfcAirTerminal")),
        (
            "class:IfcAirTerminalBox storey:\"Level 2\"",
            Box::new(|_, e| e.class == "IfcAirTerminalBox" && storey(e, "Level 2")),
        ),
        ("storey:Level*", Box::new(|_, e| (0..4).any(|i| storey(e, &format!("Level {i}"))))),
        ("no:storey", Box::new(|_, e| e.storey.is_none())),
        ("kind:space", Box::new(|_, e| e.kind == ElementKind::Space)),
        ("kind:feature", Box::new(|_, e| e.kind == ElementKind::Feature)),
        ("has:geometry", Box::new(|_, e| e.shape.is_some())),
        ("has:points", Box::new(|slot, _| site.points.iter().any(|p| p.asset == slot))),
        ("system:\"Chilled water\"", Box::new(|_, e| systems(e).contains(&"Chilled water"))),
        ("system:air", Box::new(|_, e| systems(e).iter().any(|s| s.to_lowercase().contains("air")))),
        (
            "system:=\"Supply air AHU-1\" class:duct*",
            Box::new(|_, e| systems(e).contains(&"Supply air AHU-1") && e.class.starts_with("IfcDuct")),
        ),
        ("no:system kind:element", Box::new(|_, e| e.systems.is_empty() && e.kind == ElementKind::Element)),
        ("tag:AHU-*", Box::new(|_, e| e.tag.starts_with("AHU-"))),
        ("predefined:*FLOW*", Box::new(|_, e| e.predefined_type.contains("FLOW"))),
        ("discipline:mep", Box::new(|slot, _| site.source_of[slot.0 as usize] == 1)),
        (
            "zone:\"Patient rooms\" kind:space",
            Box::new(|slot, _| {
                let zone = site.zones.iter().find(|z| z.name == "Patient rooms").unwrap();
                zone.members.contains(&slot.0)
            }),
        ),
        (
            "Pset_AirTerminalBoxTypeCommon.AirflowRateRange>0.23",
            Box::new(|_, e| number(e, "Pset_AirTerminalBoxTypeCommon", "AirflowRateRange").is_some_and(|v| v > 0.23)),
        ),
        (
            "AirflowRateRange>828m3/h AirflowRateRange<=0.3",
            Box::new(|_, e| {
                number(e, "Pset_AirTerminalBoxTypeCommon", "AirflowRateRange").is_some_and(|v| v > 0.23 && v <= 0.3)
            }),
        ),
        // This model is in millimetres.
        (
            "Pset_PipeSegmentTypeCommon.NominalDiameter>=50mm",
            Box::new(|_, e| number(e, "Pset_PipeSegmentTypeCommon", "NominalDiameter").is_some_and(|v| v >= 50.0)),
        ),
        (
            "Pset_PipeSegmentTypeCommon.NominalDiameter>=0.05m class:IfcPipeSegment",
            Box::new(|_, e| number(e, "Pset_PipeSegmentTypeCommon", "NominalDiameter").is_some_and(|v| v >= 50.0)),
        ),
        (
            "HasReturnAir=no",
            Box::new(|_, e| {
                e.properties
                    .iter()
                    .any(|s| s.values.iter().any(|(n, v)| n == "HasReturnAir" && *v == PropertyValue::Boolean(false)))
            }),
        ),
        ("-class:* OR class:IfcBoiler", Box::new(|_, e| e.class == "IfcBoiler")),
        (
            "NominalFlow > 10 L/s class:IfcPump",
            Box::new(|_, e| {
                let flows = e.properties.iter().flat_map(|s| &s.values).filter(|(n, _)| *n == "NominalFlow");
                e.class == "IfcPump" && flows.filter_map(|(_, v)| v.as_f64()).any(|v| v > 0.01)
            }),
        ),
        ("no such thing at all", Box::new(|_, _| false)),
    ];
    for (text, is) in &table {
        assert_eq!(found(index, text), counted(site, is), "{text}");
    }
    let something = table.iter().filter(|(text, _)| !found(index, text).is_empty()).count();
    assert_eq!(something, table.len() - 1, "a search that finds nothing tests nothing");
}

#[test]
fn an_exact_tag_comes_first_then_the_tree() {
    let (site, index) = clinic();
    let first = |text: &str| {
        let found = index.find(&parse(text).unwrap(), None).unwrap();
        found.slots.into_iter().map(|s| site.element(s).unwrap().clone()).collect::<Vec<_>>()
    };
    let hits = first("ahu-1");
    assert_eq!(hits[0].tag, "AHU-1");
    assert!(hits.len() > 3, "what belongs to it has its tag in the name");
    let id = hits[0].id.clone();
    assert_eq!(first(&id)[0].id, id);
    assert_eq!(first(&format!("id:{id}")).len(), 1);
    assert_eq!(first(&format!("id:{}", id.to_lowercase())).len(), usize::from(id == id.to_lowercase()));
    assert!(first(&id[..8].to_lowercase()).iter().any(|e| e.id == id), "by its beginning, in any case");
    // From the roof down.
    let storeys: Vec<f64> = first("class:IfcDuctSegment")
        .iter()
        .map(|e| e.storey.map_or(f64::NEG_INFINITY, |s| site.storeys[s as usize].elevation_m))
        .collect();
    assert!(storeys.windows(2).all(|w| w[0] >= w[1]) && storeys.first() > storeys.last(), "{storeys:?}");
}

#[test]
fn what_nothing_has_is_said() {
    let (_, index) = clinic();
    for (text, words) in [
        ("class:IfcPmp", "there is `IfcPump`"),
        ("storey:\"Level 22\"", "there is `Level"),
        ("storey:Attic", "Level 0, Level 1"),
        ("FlowRateRang>1", "nothing has a property `FlowRateRang`"),
        ("AirflowRateRang>1", "there is `AirflowRateRange`"),
        ("Pset_Wrong.AirflowRateRange>1", "there is `Pset_AirTerminalBoxTypeCommon.AirflowRateRange`"),
        ("SpaceName>1", "is no number"),
        ("pump or fan", "write OR"),
    ] {
        let answer = index.find(&parse(text).unwrap(), None).unwrap();
        assert!(answer.notes.iter().any(|n| n.contains(words)), "{text}: {:?}", answer.notes);
    }
    assert_eq!(index.find(&parse("no-such-word").unwrap(), None).unwrap().notes, Vec::<String>::new());
    let unknown = index.find(&parse("pump health:critical").unwrap(), None).unwrap_err();
    assert!(unknown.message.contains("not known here") && !unknown.remedy.is_empty());
}

#[test]
fn the_samples_are_found_as_by_reading_them() {
    let Some(folder) = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join("ifc")) else {
        eprintln!("skipped: set PLENUM_SAMPLES to the folder of samples");
        return;
    };
    for file in ["duplex-architecture.ifc", "duplex-electrical.ifc", "pcert-hvac.ifc", "tall-building.ifc"] {
        let (model, _) = import::read(&folder.join(file), &Progress::default()).unwrap();
        let (site, _) = site::assemble(&Project::default(), vec![(model, String::new())]);
        let index = Index::of(&site);
        let mut texts: Vec<String> =
            vec!["has:storey".into(), "kind:space".into(), "a".into(), "has:quantities".into()];
        for e in site.elements.iter().step_by(17) {
            texts.push(format!("class:{}", e.class));
            texts.push(format!("\"{}\"", e.name.replace('"', "\"\"")));
            for set in e.properties.iter().filter(|s| !s.name.is_empty()) {
                for (name, value) in set.values.iter().step_by(3) {
                    let quoted = |t: &str| format!("\"{}\"", t.replace('"', "\"\""));
                    let property = format!("{}.{}", quoted(&set.name), quoted(name));
                    if name.is_empty() {
                        continue;
                    }
                    match value {
                        PropertyValue::Real(v) => texts.push(format!("{property}>={v}")),
                        PropertyValue::Text(t) if (1..500).contains(&t.len()) => {
                            texts.push(format!("{property}={}", quoted(t)))
                        }
                        _ => texts.push(format!("{property}=*")),
                    }
                }
            }
        }
        texts.retain(|t| t != "\"\"");
        assert!(texts.len() > 5, "{file}");
        for text in &texts {
            check(&site, &index, text);
        }
    }
}

/// A property in a file in feet, asked for in metres.
#[test]
fn every_file_is_compared_in_its_own_unit() {
    let element = |source: &str, length: f64| Element {
        id: source.into(),
        properties: vec![Arc::new(PropertySet {
            name: "Qto".into(),
            quantities: true,
            values: vec![("Length".into(), PropertyValue::Real(length)), ("T".into(), PropertyValue::Real(length))]
                .into(),
        })],
        ..Element::default()
    };
    let mut feet = FileUnits::default();
    feet.state(Quantity::Length, 0.3048, 0.0);
    feet.state(Quantity::Temperature, 1.0, -273.15);
    let (mut site, _) = Site::of_elements("", vec![element("m", 5.0), element("ft", 10.0)]);
    site.source_of = vec![0, 1];
    site.sources = vec![Source::default(), Source { units: feet, ..Source::default() }];
    let index = Index::of(&site);
    assert_eq!(found(&index, "Length>4m"), [0], "10 ft are 3.05 m");
    assert_eq!(found(&index, "Length>3m"), [0, 1]);
    assert_eq!(found(&index, "Length>=3048 mm"), [0, 1]);
    assert_eq!(found(&index, "Length=3.048m"), [1]);
    assert_eq!(found(&index, "Length>4"), [0, 1], "without a unit: what the file says");
    assert_eq!(found(&index, "T<-200°C"), [1], "10 K");
}

// ── The same by reading everything ───────────────────────────────────────────────────────────────────────────────

fn health_of(slot: Slot) -> Option<HealthWord> {
    (!slot.0.is_multiple_of(3)).then(|| HealthWord::ALL[slot.0 as usize % HealthWord::ALL.len()])
}

/// Whether an element fulfils a condition, from the element itself.
fn holds(site: &Site, slot: Slot, expr: &Expr) -> bool {
    match expr {
        Expr::All(list) => list.iter().all(|e| holds(site, slot, e)),
        Expr::Any(list) => list.iter().any(|e| holds(site, slot, e)),
        Expr::Not(inner) => !holds(site, slot, inner),
        Expr::Term(term) => fits(site, slot, term),
    }
}

fn fits(site: &Site, slot: Slot, term: &Term) -> bool {
    let e = site.element(slot).unwrap();
    match term {
        Term::Word(pattern) => {
            let texts = [&e.tag, &e.name, &e.class, &e.type_name, &e.description];
            let id = lower(&e.id);
            let by_id = match pattern {
                Pattern::Contains(t) => {
                    !id.is_empty() && (id == *t || (t.chars().count() >= 4 && id.starts_with(t.as_str())))
                }
                other => other.matches(&id),
            };
            by_id || texts.iter().any(|t| pattern.matches(&lower(t)))
        }
        Term::Key(key, pattern) => names(site, slot, *key).iter().any(|n| pattern.matches(&lower(n))),
        Term::Id(pattern) => pattern.matches(&e.id),
        Term::Kind(kind) => e.kind == *kind,
        Term::Health(word) => health_of(slot) == Some(*word),
        Term::Has(thing) => has(site, slot, *thing),
        Term::Property(property) => e.properties.iter().any(|set| {
            set.values
                .iter()
                .any(|(name, value)| is_meant(property, &set.name, name) && compares(site, slot, property, value))
        }),
    }
}

fn names(site: &Site, slot: Slot, key: Key) -> Vec<String> {
    let e = site.element(slot).unwrap();
    let storey = e.storey.and_then(|s| site.storeys.get(s as usize));
    let source = site.sources.get(usize::from(site.source_of[slot.0 as usize]));
    let of_space = |s: &Element| vec![s.name.clone(), s.description.clone(), s.tag.clone(), s.id.clone()];
    match key {
        Key::Class => vec![e.class.clone(), e.class.strip_prefix("Ifc").unwrap_or("").to_owned()],
        Key::Storey => storey.map(|s| s.name.clone()).into_iter().collect(),
        Key::Building => storey.map(|s| s.building.clone()).into_iter().collect(),
        Key::Space => {
            let mut names = e.space.map(|s| of_space(&site.elements[s as usize])).unwrap_or_default();
            if e.kind == ElementKind::Space {
                names.extend(of_space(e));
            }
            names
        }
        Key::Zone => {
            let within = |z: &&Group| z.members.contains(&slot.0) || e.space.is_some_and(|s| z.members.contains(&s));
            site.zones.iter().filter(within).map(|z| z.name.clone()).collect()
        }
        Key::System => e.systems.iter().map(|s| site.systems[*s as usize].name.clone()).collect(),
        Key::Tag => vec![e.tag.clone()],
        Key::Name => vec![e.name.clone()],
        Key::Description => vec![e.description.clone()],
        Key::Type => vec![e.type_name.clone()],
        Key::Predefined => vec![e.predefined_type.clone()],
        Key::Material => e.materials.clone(),
        Key::Classification => e.classification.clone(),
        Key::Layer => e.layers.clone(),
        Key::Document => e.documents.clone(),
        Key::Source => source
            .map(|s| {
                vec![
                    s.file.file_name().unwrap().to_string_lossy().into(),
                    s.file.file_stem().unwrap().to_string_lossy().into(),
                ]
            })
            .unwrap_or_default(),
        Key::Discipline => source.map(|s| s.discipline.clone()).into_iter().collect(),
        Key::Point => {
            let own = site.points.iter().filter(|p| p.asset == slot);
            own.flat_map(|p| [p.role.clone(), p.name.clone(), p.id.clone()]).collect()
        }
    }
}

fn has(site: &Site, slot: Slot, thing: Thing) -> bool {
    let e = site.element(slot).unwrap();
    let ports = || site.connection_points.iter().enumerate().filter(|(_, p)| p.element == slot.0);
    match thing {
        Thing::Geometry => e.shape.is_some(),
        Thing::Points => site.points.iter().any(|p| p.asset == slot),
        Thing::Storey => e.storey.is_some(),
        Thing::Space => e.space.is_some(),
        Thing::Zone => !names(site, slot, Key::Zone).is_empty(),
        Thing::System => !e.systems.is_empty(),
        Thing::Tag => !e.tag.is_empty(),
        Thing::Name => !e.name.is_empty(),
        Thing::Description => !e.description.is_empty(),
        Thing::Type => !e.type_name.is_empty(),
        Thing::Predefined => !e.predefined_type.is_empty(),
        Thing::Material => !e.materials.is_empty(),
        Thing::Classification => !e.classification.is_empty(),
        Thing::Layer => !e.layers.is_empty(),
        Thing::Document => !e.documents.is_empty(),
        Thing::Properties => e.properties.iter().any(|s| !s.quantities),
        Thing::Quantities => e.properties.iter().any(|s| s.quantities),
        Thing::Ports => ports().next().is_some(),
        Thing::Connection => {
            let joined = |port: u32| site.connections.iter().any(|c| c.from == port || c.to == port);
            ports().any(|(i, _)| joined(i as u32))
        }
        Thing::Parts => site.elements.iter().any(|other| other.part_of == Some(slot.0)),
        Thing::Whole => e.part_of.is_some(),
        Thing::Host => e.host.is_some(),
    }
}

fn is_meant(term: &PropertyTerm, set: &str, name: &str) -> bool {
    let (set, name) = (lower(set), lower(name));
    (term.name.matches(&name) && term.set.as_ref().is_none_or(|s| s.matches(&set)))
        || term.whole.as_ref().is_some_and(|w| w.matches(&name))
}

fn compares(site: &Site, slot: Slot, term: &PropertyTerm, value: &PropertyValue) -> bool {
    if let PropertyValue::List(values) = value {
        return values.iter().any(|v| compares(site, slot, term, v));
    }
    let units =
        site.sources.get(usize::from(site.source_of[slot.0 as usize])).map(|s| s.units.clone()).unwrap_or_default();
    let limit = |n: &Number| n.unit.map_or(n.value, |u: Unit| units.from_si(u.quantity, u.to_si(n.value)));
    match (&term.comparison, value) {
        (_, PropertyValue::Null) => false,
        (Comparison::IsThere, PropertyValue::Text(t)) => !t.is_empty(),
        (Comparison::IsThere, _) => true,
        (Comparison::Compares(side, n), value) => value.as_f64().is_some_and(|v| side.holds(v, limit(n))),
        (Comparison::Has(part), PropertyValue::Text(t)) => lower(t).contains(part.as_str()),
        (Comparison::Is { text, .. }, PropertyValue::Text(t)) => text.matches(&lower(t)),
        (Comparison::Is { truth, .. }, PropertyValue::Boolean(b)) => *truth == Some(*b),
        (Comparison::Is { number, .. }, value) => {
            matches!((number, value.as_f64()), (Some(n), Some(v)) if same(v, limit(n)))
        }
        _ => false,
    }
}

/// Both ways give the same.
fn check(site: &Site, index: &Index, text: &str) {
    let query = parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let mut by_index: Vec<Slot> = index.find(&query, Some(&health_of)).unwrap().slots;
    let count = by_index.len();
    by_index.sort_unstable();
    by_index.dedup();
    assert_eq!(by_index.len(), count, "{text}: none is told twice");
    let by_reading: Vec<Slot> = site.iter().map(|(s, _)| s).filter(|s| holds(site, *s, &query.expr)).collect();
    assert_eq!(by_index, by_reading, "{text}: {:?}", query.expr);
}

const WORDS: &[&str] =
    &["", "P-1", "P-10", "Pump", "supply Pump 1", "Chilled water", "Äther °C", "a.b", "steel", "STEEL 316", "Level 1"];

fn a_word() -> impl Strategy<Value = String> {
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

fn some_words() -> impl Strategy<Value = Vec<String>> {
    let filled = prop::sample::select(&WORDS[1..]).prop_map(str::to_owned);
    prop::collection::btree_set(filled, 0..3).prop_map(|set| set.into_iter().collect())
}

fn a_value() -> impl Strategy<Value = PropertyValue> {
    let plain = prop_oneof![
        any::<bool>().prop_map(PropertyValue::Boolean),
        (-2i64..5).prop_map(PropertyValue::Integer),
        prop::sample::select(vec![0.0, 0.01, 0.5, 3.0, 3.048, 50.0, 1e6]).prop_map(PropertyValue::Real),
        a_word().prop_map(PropertyValue::Text),
        Just(PropertyValue::Null),
    ];
    plain.clone().prop_recursive(1, 4, 3, move |inner| prop::collection::vec(inner, 0..3).prop_map(PropertyValue::List))
}

fn a_set() -> impl Strategy<Value = Arc<PropertySet>> {
    let value = (prop::sample::select(vec!["Flow", "flow", "a.b", "Fire Rating"]), a_value());
    (prop::sample::select(vec!["Pset_A", "Qto", "a"]), any::<bool>(), prop::collection::vec(value, 0..4)).prop_map(
        |(name, quantities, values)| {
            let values = values.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
            Arc::new(PropertySet { name: name.into(), quantities, values })
        },
    )
}

fn an_element() -> impl Strategy<Value = Element> {
    let class = prop::sample::select(vec!["IfcPump", "IfcPipeSegment", "IfcSpace", "tree", ""]);
    let kind = prop::sample::select(vec![ElementKind::Element, ElementKind::Space, ElementKind::Feature]);
    let texts = (a_word(), a_word(), a_word(), a_word(), a_word());
    let lists = (some_words(), some_words(), some_words(), some_words());
    let place = prop::option::of(0u32..2);
    (class, kind, texts, lists, prop::collection::vec(a_set(), 0..3), place, any::<[bool; 3]>()).prop_map(
        |(class, kind, texts, lists, properties, storey, flags)| Element {
            class: class.into(),
            kind,
            tag: texts.0,
            name: texts.1,
            description: texts.2,
            type_name: texts.3,
            predefined_type: texts.4,
            materials: lists.0,
            classification: lists.1,
            layers: lists.2,
            documents: lists.3,
            properties,
            storey,
            shape: flags[0].then_some(0),
            part_of: flags[1].then_some(0),
            host: flags[2].then_some(0),
            systems: storey.into_iter().collect(),
            ..Element::default()
        },
    )
}

fn a_site() -> impl Strategy<Value = Site> {
    prop::collection::vec(an_element(), 1..12).prop_map(|mut elements| {
        let count = elements.len() as u32;
        for (i, e) in elements.iter_mut().enumerate() {
            e.id = ["2Yz$kAbC_1", "2yz$KaBc_1", "F1", "", "0Pump0000"][i % 5].into();
            e.space = (i % 3 == 1).then_some(i as u32 / 2);
        }
        // Two elements of one file that have a set in common share it.
        let shared = elements[0].properties.clone();
        elements[(count as usize - 1) / 2 * 2].properties.extend(shared);
        let mut units = FileUnits::default();
        units.state(Quantity::Length, 0.3048, 0.0);
        let source = |file: &str, discipline: &str, units| Source {
            file: file.into(),
            discipline: discipline.into(),
            units,
            ..Source::default()
        };
        let named = |name: &str, members: Vec<u32>| Group { name: name.into(), members, ..Group::default() };
        let point = |asset: u32, role: &str| Point {
            id: format!("{asset}/{role}"),
            asset: Slot(asset),
            role: role.into(),
            name: "Flow of it".into(),
            unit: Unit::ONE,
            expected: None,
            period_s: 1.0,
            stale_after_s: 60.0,
            check: None,
            source: PointSource::Rule { expression: "1".into() },
            remedy: String::new(),
            watch: Default::default(),
        };
        let port = |element: u32| ConnectionPoint { element, ..ConnectionPoint::default() };
        let (mut site, _) = Site::of_elements("", elements);
        site.source_of = (0..count as u16).map(|i| i % 2).collect();
        site.sources = vec![source("a.ifc", "mep", units), source("b 1.ifc", "", FileUnits::default())];
        site.storeys = ["Level 1", "Roof"]
            .map(|name| Storey { name: name.into(), building: "Steel house".into(), ..Storey::default() })
            .into();
        site.zones = vec![named("Wet", vec![0]), named("P-1", (0..count / 2).collect())];
        site.systems = vec![named("Chilled water", vec![]), named("", vec![])];
        site.points = vec![point(0, "flow"), point(count - 1, "power")];
        site.connection_points = vec![port(0), port(count - 1), port(count / 2)];
        site.connections = vec![Connection { from: 0, to: 1 }];
        site
    })
}

fn a_term() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "p",
        "P-1",
        "P-*",
        "*",
        "*1",
        "ump",
        "pump",
        "l",
        "1",
        "\"pump 1\"",
        "\"Chilled water\"",
        "ste*l",
        "°",
        "2yz$",
        "2Yz$kAbC_1",
        "f1",
        "Äther",
        "a.b",
        "roof",
        "wet",
        "mep",
        "b",
        "tree",
        "Level*",
        "flow",
        "nothing",
    ]);
    let key = prop::sample::select(
        Key::ALL
            .iter()
            .map(|k| k.word())
            .chain(["id"])
            .flat_map(|k| [format!("{k}:"), format!("{k}:=")])
            .collect::<Vec<_>>(),
    );
    let property =
        prop::sample::select(vec!["Flow", "Pset_A.flow", "a.b", "*.Flow", "Qto.\"Fire Rating\"", "F*", "Nope"]);
    let sign = prop::sample::select(vec!["=", "!=", ">", ">=", "<", "<="]);
    let limit = prop::sample::select(vec!["0", "0.01", "3", "3m", "3048mm", "10 kW", "-1", "50"]);
    let word = prop::sample::select(vec!["*", "yes", "false", "steel", "STE*", "\"Äther °C\"", "3", "p-1"]);
    let has = prop::sample::select(
        Thing::ALL.iter().flat_map(|t| [format!("has:{}", t.word()), format!("no:{}", t.word())]).collect::<Vec<_>>(),
    );
    let other = prop::sample::select(vec!["kind:space", "kind:element", "health:good", "health:stale"]);
    prop_oneof![
        part.clone().prop_map(str::to_owned),
        // `id:` takes no `=`: it is whole by itself.
        (key, part.clone()).prop_map(|(k, p)| format!("{}{p}", if k == "id:=" { "id:" } else { k.as_str() })),
        (property.clone(), sign, limit).prop_map(|(p, s, l)| format!("{p}{s}{l}")),
        (property.clone(), word, any::<bool>())
            .prop_map(|(p, w, not)| format!("{p}{}{w}", if not { "!=" } else { "=" })),
        (property, part).prop_map(|(p, w)| format!("{p}~{w}")),
        has,
        other.prop_map(str::to_owned),
    ]
}

fn a_query() -> impl Strategy<Value = String> {
    a_term().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.prop_map(|a| format!("NOT {a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_index_finds_what_reading_everything_finds(site in a_site(), texts in prop::collection::vec(a_query(), 1..12)) {
        let index = Index::of(&site);
        prop_assert_eq!(index.len(), site.elements.len());
        for text in &texts {
            check(&site, &index, text);
        }
    }
}

// ── As people and scripts run it ─────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_verb_prints_one_document() {
    let text = "class:IfcPump NominalFlow>0.01";
    let output = plenum(&["search", CLINIC, text, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document = json(&output);
    let (site, index) = clinic();
    let expected = found(index, text);
    assert!(!expected.is_empty());
    assert_eq!(document["query"], text);
    assert_eq!(document["count"], expected.len());
    assert_eq!(document["elements"], site.elements.len());
    assert!(document["seconds"].as_f64().is_some_and(|s| s > 0.0) && document["index_bytes"].as_u64() > Some(100_000));
    let pumps = json(&plenum(&["search", CLINIC, "class:IfcPump", "--json", "--limit", "1"]));
    let count = counted(site, |_, e| e.class == "IfcPump").len();
    assert!(count > 1);
    assert_eq!((pumps["count"].as_u64(), pumps["results"].as_array().map(Vec::len)), (Some(count as u64), Some(1)));
    let pump = &pumps["results"][0];
    let slot = site.find(pump["id"].as_str().unwrap()).unwrap();
    let e = site.element(slot).unwrap();
    assert_eq!((pump["type"].as_str(), pump["tag"].as_str()), (Some("IfcPump"), Some(e.tag.as_str())));
    assert_eq!(pump["name"], e.name.as_str());
    assert_eq!(pump["storey"], site.storeys[e.storey.unwrap() as usize].name.as_str());
    // In the coordinates of the file and of the map.
    let at = Coordinates::of(site, slot).unwrap();
    let (own, map) = (at.own_place_m().to_array(), at.map.unwrap());
    assert_eq!(pump["coordinates"]["crs"], map.crs.as_str());
    for (field, place) in [("own_m", own), ("map_m", map.position_m)] {
        let told: [f64; 3] = serde_json::from_value(pump["coordinates"][field].clone()).unwrap();
        assert!(told.iter().zip(place).all(|(a, b)| (a - b).abs() < 1e-3), "{field}: {told:?} {place:?}");
    }
}

#[test]
fn the_verb_tells_people_what_it_found() {
    let output = plenum(&["search", CLINIC, "AHU-1"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let second = text.lines().nth(1).unwrap();
    assert!(text.starts_with("TAG") && second.starts_with("AHU-1 "), "{text}");
    let output = plenum(&["search", CLINIC, "storey:Attic"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("nothing found") && text.contains("no storey fits `attic`"), "{text}");
}

#[test]
fn the_verb_refuses_what_it_cannot_understand_or_know() {
    let output = plenum(&["search", CLINIC, "pump clas:IfcPump", "--json"]);
    let text = said(&output, 2);
    let lines: Vec<&str> = text.lines().collect();
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(lines[..2], ["  pump clas:IfcPump", "       ^"], "{text}");
    assert!(text.contains("column 6") && text.contains("did you mean `class:`?"), "{text}");
    let output = plenum(&["search", CLINIC, "health:critical", "--json"]);
    assert!(said(&output, 1).contains("not known here") && output.stdout.is_empty());
    said(&plenum(&["search", "no/such/project", "pump"]), 1);
    said(&plenum(&["search", CLINIC, ""]), 2);
    said(&plenum(&["search", CLINIC]), 2);
}
