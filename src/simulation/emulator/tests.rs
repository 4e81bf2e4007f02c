//! The emulated building as a whole.

use super::*;
use crate::site::point::PointSource;
use std::sync::Arc;

fn index(site: &Site, id: &str) -> PointIndex {
    PointIndex(site.points.iter().position(|p| p.id == id).unwrap_or_else(|| panic!("no point {id}")) as u32)
}

fn value(site: &Site, emulator: &Emulator, id: &str) -> f64 {
    emulator.read(index(site, id)).unwrap_or_else(|| panic!("{id} is silent"))
}

#[test]
fn one_seed_one_series() {
    let site = fixture::clinic();
    let (mut a, problems) = Emulator::new(&site, Settings::of_seed(3));
    // Nobody drew its pipes and ducts: that is said, and nothing else.
    assert!(problems.iter().all(|p| p.message.contains("plain network")) && problems.len() == 1, "{problems:?}");
    let (mut b, _) = Emulator::new(&site, Settings::of_seed(3));
    let (mut other, _) = Emulator::new(&site, Settings::of_seed(4));
    for _ in 0..60 {
        a.step(60.0);
        other.step(60.0);
    }
    for _ in 0..1200 {
        b.step(3.0);
        b.read(PointIndex(0));
    }
    let mut same = 0;
    for (i, point) in site.points.iter().enumerate() {
        let i = PointIndex(i as u32);
        assert_eq!(a.read(i), b.read(i), "{}", point.id);
        assert_eq!(a.read(i).is_some(), matches!(point.source, PointSource::Topic { .. }), "{}", point.id);
        same += usize::from(a.read(i) == other.read(i));
    }
    assert!(same < site.points.len() / 2);
}

#[test]
fn a_site_without_plant_still_has_signals() {
    let (mut nothing, problems) = Emulator::new(&Site::default(), Settings::of_seed(1));
    nothing.step(60.0);
    assert_eq!(nothing.read(PointIndex(0)), None);
    assert!(problems.iter().all(|p| p.severity == crate::Severity::Info), "{problems:?}");

    // Only burners, which have no physics here, and boxes that name no unit.
    let mut site = fixture::clinic();
    for element in &mut site.elements {
        element.properties.clear();
        if element.class != "IfcAirTerminalBox" {
            element.class = "IfcBurner".into();
        }
    }
    let (mut emulator, problems) = Emulator::new(&site, Settings::of_seed(1));
    assert!(problems.iter().any(|p| p.place.contains("IfcBurner power") && p.message.contains("no physics")));
    assert!(problems.iter().any(|p| p.message.contains("name no air handling unit")));
    for _ in 0..48 {
        emulator.step(1800.0);
        for (i, point) in site.points.iter().enumerate() {
            let Some(value) = emulator.read(PointIndex(i as u32)) else { continue };
            let [low, high] = point.expected.unwrap();
            assert!(value >= low && value <= high, "{} is {value}", point.id);
        }
    }
    let fault = |text| FaultSpec::parse(text).unwrap();
    assert!(emulator.inject(&fault("pump-wear@0"), emulator.now()).unwrap_err().message.contains("nothing"));
    assert!(emulator.inject(&fault("sensor-dropout:VAV-0-01@0"), emulator.now()).is_ok());
    assert_eq!(emulator.read(index(&site, "VAV-0-01/airflow")), None);
}

#[test]
fn numbers_that_make_no_sense_do_no_harm() {
    let mut site = fixture::clinic();
    for (i, element) in site.elements.iter_mut().enumerate() {
        for set in &mut element.properties {
            let wild = [0.0, -5.0, 1e-12, 1e12, f64::NAN, f64::INFINITY];
            let wild = crate::site::model::PropertyValue::Real(wild[i % wild.len()]);
            let values = set.values.iter().map(|(name, _)| (name.to_owned(), wild.clone())).collect();
            Arc::make_mut(set).values = values;
        }
        // Parts of each other, and of themselves.
        element.part_of = element.part_of.map(|_| i as u32);
        element.host = element.host.map(|_| i as u32);
    }
    let (mut emulator, _) = Emulator::new(&site, Settings::of_seed(1));
    emulator.step(86_400.0);
    for (i, point) in site.points.iter().enumerate() {
        let value = emulator.read(PointIndex(i as u32));
        assert!(value.is_none_or(f64::is_finite), "{} is {value:?}", point.id);
    }
    emulator.step(f64::NAN);
    emulator.step(-1.0);
}

#[test]
fn a_fault_goes_where_it_is_sent() {
    let site = fixture::clinic();
    let fault = |text: &str| FaultSpec::parse(text).unwrap();
    let (mut e, _) = Emulator::new(&site, Settings::of_seed(1));
    let now = e.now();
    // The standby pump takes over, or its wear would not show.
    assert_eq!(value(&site, &e, "CHWP-2/running"), 0.0);
    let injected = e.inject(&fault("pump-wear:CHWP-2@0"), now).unwrap();
    assert_eq!((injected.asset.as_str(), injected.at), ("id-of-CHWP-2", now));
    e.inject(&fault("short-cycling:id-of-CH-2@0"), now).unwrap();
    e.inject(&fault("sensor-drift:AHU-2-SAT=0.5@0"), now).unwrap();
    let before = value(&site, &e, "AHU-1-CC-V/position");
    e.inject(&fault("stuck-valve:AHU-1-CC-V=0.4@0"), now).unwrap();
    e.step(1200.0);
    assert_eq!(value(&site, &e, "CHWP-2/running"), 1.0);
    assert_eq!(value(&site, &e, "CHWP-1/running"), 0.0);
    let off = value(&site, &e, "AHU-2-SAT/temperature") - value(&site, &e, "AHU-2/supply_temperature");
    assert!((off - 0.5 * 4.0).abs() < 0.4, "{off}");
    let moved = (value(&site, &e, "AHU-1-CC-V/position") - before).abs();
    assert!((moved - 0.4).abs() < 0.01, "{moved}");
    let mut starts = 0;
    let mut was = value(&site, &e, "CH-2/running");
    for _ in 0..360 {
        e.step(10.0);
        let is = value(&site, &e, "CH-2/running");
        starts += usize::from(is > was);
        was = is;
    }
    assert!(starts >= 12, "{starts}");
    for (text, words) in [
        ("coil-fouling:VAV-0-01@0", "cannot have this fault"),
        ("stuck-damper:WS-1@0", "cannot have this fault"),
        ("pump-wear:nowhere@0", "no asset"),
    ] {
        let problem = e.inject(&fault(text), now).unwrap_err();
        assert!(problem.message.contains(words), "{problem}");
        assert_eq!(e.check(&fault(text)), Err(problem));
    }
}

#[test]
fn every_fault_shows_on_every_asset_that_can_have_it() {
    let site = fixture::clinic();
    let in_season = |start: &str| Emulator::new(&site, Settings { seed: 6, start: Time::parse(start).unwrap() }).0;
    let seasons = ["2026-01-14T08:00:00Z", "2026-07-15T10:00:00Z", DEFAULT_START].map(in_season);
    let after = |s: f64| {
        seasons.clone().map(|mut e| {
            e.step(s);
            e
        })
    };
    let (healthy, soon) = (after(2400.0), after(60.0));
    let mut counts = Vec::new();
    for kind in FaultKind::ALL {
        let assets = seasons[0].candidates(kind);
        counts.push((kind.name(), assets.len()));
        for (slot, _) in assets {
            let asset = Some(site.element(slot).unwrap().tag.clone());
            // A silent device is silent, a closed pipe closed; of the others a part must show.
            let whole = matches!(kind, FaultKind::SensorDropout | FaultKind::PipeBlockage);
            let severity = if whole { 1.0 } else { 0.8 };
            let fault = FaultSpec { kind, asset: asset.clone(), severity, at_s: 0.0 };
            // In one season at least: a coil that is closed transfers as much fouled as clean.
            let signal = kind.stage() == crate::simulation::faults::Stage::Signal;
            let healthy = if signal { &soon } else { &healthy };
            let shows = seasons.iter().zip(healthy).any(|(season, healthy)| {
                let mut faulty = season.clone();
                let now = faulty.now();
                assert_eq!(faulty.inject(&fault, now).unwrap().asset, site.element(slot).unwrap().id);
                faulty.step(if signal { 60.0 } else { 2400.0 });
                // What passes where nothing should shows at what it feeds.
                let around = matches!(kind, FaultKind::LeakingValve | FaultKind::PipeBlockage | FaultKind::Leak);
                let near = |p: &Point| (around || p.asset == slot) && p.is_measured();
                let own = site.points.iter().enumerate().filter(|(_, p)| near(p));
                let read = |e: &Emulator, i: usize| e.read(PointIndex(i as u32));
                own.into_iter().any(|(i, _)| match kind {
                    FaultKind::SensorDropout => read(&faulty, i).is_none() && read(healthy, i).is_some(),
                    // It stays what it was; the healthy one may stand still too.
                    FaultKind::SensorFreeze => season.primary(slot) == Some(i) && read(&faulty, i) == read(season, i),
                    _ => read(&faulty, i) != read(healthy, i),
                })
            });
            assert!(shows, "{} on {asset:?}", kind.name());
        }
        // An asset of another kind, and one that is not there: the answer names what is possible.
        for (wrong, words) in [("EM-1", "cannot have this fault: it needs"), ("NO-1", "the site has no asset `NO-1`")] {
            if kind.stage() == crate::simulation::faults::Stage::Signal && wrong == "EM-1" {
                continue;
            }
            let fault = FaultSpec { kind, asset: Some(wrong.into()), severity: 1.0, at_s: 0.0 };
            let problem = seasons[0].check(&fault).unwrap_err();
            assert!(problem.message.contains(words) && problem.remedy.contains("one of "), "{problem}");
            let example = problem.remedy.rsplit("one of ").next().unwrap().split([',', ' ']).next().unwrap();
            let again = FaultSpec { asset: Some(example.into()), ..fault };
            assert_eq!(seasons[0].check(&again), Ok(()), "{}: {example}", kind.name());
        }
    }
    println!("{counts:?}");
    assert!(counts.contains(&("stuck-valve", 38 + 6 + 12)), "{counts:?}");
}

#[test]
fn humidity_is_published_where_a_sensor_hangs() {
    let site = fixture::clinic();
    let (mut e, _) = Emulator::new(&site, Settings { seed: 2, start: Time::parse("2026-07-15T10:00:00Z").unwrap() });
    e.step(3600.0);
    let sensors: Vec<&str> = site.points.iter().filter(|p| p.role == "humidity").map(|p| p.id.as_str()).collect();
    assert_eq!(sensors.len(), 9 + 3 + 4 + 6, "{sensors:?}");
    for id in &sensors {
        let humidity = value(&site, &e, id);
        assert!(humidity > 0.2 && humidity <= 1.0, "{id} {humidity}");
    }
    for unit in 1..=3 {
        let (supply, back) = (format!("AHU-{unit}-SA-RH/humidity"), format!("AHU-{unit}-RA-RH/humidity"));
        // Cold air out of a wet coil is nearly saturated; in the rooms it is not.
        assert!(value(&site, &e, &supply) > value(&site, &e, &back) + 0.1, "AHU-{unit}");
    }
    // A unit and the sensors on it agree.
    let of_unit = |role: &str| value(&site, &e, &format!("AHU-2/{role}_humidity"));
    assert!(of_unit("mixed") < of_unit("supply"), "mixed air is less near to saturation");
    assert!((of_unit("return") - value(&site, &e, "AHU-2-RA-RH/humidity")).abs() < 0.05);
    assert!(value(&site, &e, "RAD-0-BATH-RH/humidity") > value(&site, &e, "AHU-1-RA-RH/humidity") + 0.05);
}

#[test]
fn one_fault_after_the_other_finds_new_assets() {
    let site = fixture::clinic();
    let (mut e, _) = Emulator::new(&site, Settings::of_seed(9));
    let fault = FaultSpec::parse("filter-clogging@0").unwrap();
    let now = e.now();
    let mut assets: Vec<String> = (0..3).map(|_| e.inject(&fault, now).unwrap().asset).collect();
    assets.sort();
    assert_eq!(assets, ["id-of-AHU-1-FLT", "id-of-AHU-2-FLT", "id-of-AHU-3-FLT"]);
    assert!(e.inject(&fault, now).is_err());
}
