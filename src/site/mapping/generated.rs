//! Topic trees of the demo clinic in the styles of several building management systems, made by seed, with decoys
//! among them: other buildings, test points, alarms and limits, commands for positions, tags that look alike, equipment
//! that is not there. What is found is counted against what was meant.

use super::super::binding::bind;
use super::super::model::Slot;
use super::super::point::PointSource;
use super::super::project::{self, Project};
use super::tokens::tokens;
use super::*;
use crate::import;
use crate::site::assemble;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// How a system writes its names.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// `clinic/level-2/vav-2-04/zone-temperature`
    Slashes,
    /// `B1.L02.VAV204.ZNT_PV`
    Dotted,
    /// `riverside/vav204ZoneTemp`
    Camel,
    /// `B1_L2_VAV-2-04_ZN-T`
    Underscores,
    /// `bms/clinic/HVAC/VAV_2_04/points/ZNTEMP/present_value`
    Long,
}

const STYLES: [Style; 5] = [Style::Slashes, Style::Dotted, Style::Camel, Style::Underscores, Style::Long];

/// How engineers shorten the roles of the demo's templates; the first is in words.
fn short(role: &str) -> &'static [&'static str] {
    match role {
        "zone_temperature" => &["zone temperature", "ZNT", "ZN-T", "room temp", "ZNTEMP"],
        "zone_setpoint" => &["zone setpoint", "ZN_SP", "ZNT_SP", "room temp sp", "ZNSP"],
        "zone_co2" => &["zone co2", "ZN_CO2", "CO2", "room co2"],
        "airflow" => &["airflow", "SAF", "AIR_FLOW", "air flow"],
        "damper_position" => &["damper position", "DMPR_POS", "DMP", "dpr pos", "DMPRPOS"],
        "discharge_temperature" => &["discharge temperature", "DAT", "DISCH_TMP", "disch air temp"],
        "command" => &["command", "CMD", "VLV_CMD", "valve cmd", "VLVCMD"],
        "position" => &["position", "POS", "VLV_POS", "valve position", "VLV_FB_POS"],
        "running" => &["running", "STS", "RUN_STS", "status"],
        "supply_temperature" => &["supply temperature", "SUP_T", "SPLY_TMP", "supply temp"],
        "supply_setpoint" => &["supply setpoint", "SAT_SP", "SUP_SP", "supply temp setpoint"],
        "return_temperature" => &["return temperature", "RET_T", "RTN_TMP", "return temp"],
        "mixed_temperature" => &["mixed temperature", "MAT", "MIX_TMP", "mixed air temp"],
        "supply_humidity" => &["supply humidity", "SA_RH", "SUP_HUM", "supply rh"],
        "return_humidity" => &["return humidity", "RA_RH", "RET_HUM", "return rh"],
        "mixed_humidity" => &["mixed humidity", "MA_RH", "MIX_HUM", "mixed rh"],
        "supply_pressure" => &["supply pressure", "SAP", "SUP_PRESS", "supply static pressure"],
        "outdoor_damper" => &["outdoor damper", "OAD", "OA_DMPR", "outside air damper"],
        "speed" => &["speed", "SPD", "SPD_FB", "speed"],
        "fan_speed" => &["fan speed", "FAN_SPD", "FANSPD", "fan speed"],
        "power" => &["power", "KW", "PWR", "power"],
        "energy" => &["energy", "KWH", "ENERGY", "energy"],
        "flow" => &["flow", "FLW", "FLOW", "flow rate"],
        "differential_pressure" => &["differential pressure", "DP", "DIFF_PRS", "diff press"],
        "entering_air_temperature" => &["entering air temperature", "EAT", "ENT_AIR_T", "entering air temp"],
        "leaving_air_temperature" => &["leaving air temperature", "LAT", "LVG_AIR_T", "leaving air temp"],
        "entering_water_temperature" => &["entering water temperature", "EWT", "ENT_WTR_T", "entering water temp"],
        "valve_position" => &["valve position", "VLV_POS", "VLV_POSN", "valve pos"],
        "temperature" => &["temperature", "TEMP", "T", "temp"],
        "humidity" => &["humidity", "RH", "HUM", "rh"],
        "outdoor_temperature" => &["outdoor temperature", "OAT", "OUTSIDE_TMP", "outside air temp"],
        "outdoor_humidity" => &["outdoor humidity", "OA_RH", "OUTSIDE_HUM", "outside rh"],
        other => panic!("no short form for {other}"),
    }
}

fn camel(words: &str) -> String {
    let tokens = tokens(words);
    let part = |(i, t): (usize, &super::tokens::Token)| {
        let mut text = t.text.to_lowercase();
        if i > 0 && !t.is_number() {
            text = text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect();
        }
        text
    };
    tokens.iter().enumerate().map(part).collect()
}

fn squeezed(tag: &str) -> String {
    tag.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The topic of a point. `building` is its number, from 1: ours.
fn topic(style: Style, storey: Option<i64>, tag: &str, role: &str, building: u32, rng: &mut ChaCha8Rng) -> String {
    let forms = short(role);
    let any = |rng: &mut ChaCha8Rng| forms[rng.random_range(1..forms.len())];
    let site = ["clinic", "annex", "workshop"][building as usize - 1];
    match style {
        Style::Slashes => {
            let level = storey.map_or("plant".into(), |s| format!("level-{s}"));
            format!("{site}/{level}/{}/{}", tag.to_lowercase(), forms[0].replace(' ', "-"))
        }
        Style::Dotted => {
            let level = storey.map_or(String::new(), |s| format!("L{s:02}."));
            let end = ["", "_PV", ".PresentValue"][rng.random_range(0..3)];
            format!("B{building}.{level}{}.{}{end}", squeezed(tag), any(rng).replace([' ', '-'], "_").to_uppercase())
        }
        Style::Camel => format!("{site}/{}{}", squeezed(tag).to_lowercase(), {
            let words = camel(any(rng));
            words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1)).collect::<String>()
        }),
        Style::Underscores => {
            let level = storey.map_or(String::new(), |s| format!("L{s}_"));
            format!("B{building}_{level}{tag}_{}", any(rng).replace(' ', "-"))
        }
        Style::Long => format!(
            "bms/{site}/HVAC/{}/points/{}/present_value",
            tag.replace('-', "_"),
            any(rng).replace([' ', '-'], "_").to_uppercase()
        ),
    }
}

/// What a topic is meant to be: the number of a point, or nobody's.
type Meant = Option<usize>;

fn tree(style: Style, site: &Site, points: &[(Slot, String)], rng: &mut ChaCha8Rng) -> Vec<(String, Meant)> {
    let storey = |slot: Slot| {
        let index = site.element(slot)?.storey?;
        let name = &site.storeys.get(index as usize)?.name;
        tokens(name).iter().find(|t| t.is_number())?.text.parse().ok()
    };
    let mut out: Vec<(String, Meant)> = Vec::new();
    for (i, (slot, role)) in points.iter().enumerate() {
        let tag = &site.element(*slot).unwrap().tag;
        let own = topic(style, storey(*slot), tag, role, 1, rng);
        // Decoys, each of about one point in eight.
        let mut decoys: Vec<String> = Vec::new();
        match rng.random_range(0..9) {
            0 => decoys.push(topic(style, storey(*slot), tag, role, 2, rng)),
            1 => decoys.push(topic(style, storey(*slot), tag, role, 3, rng)),
            2 => decoys.push(format!("test/{own}")),
            3 => decoys.push(format!("{own}_ALM")),
            4 => decoys.push(format!("{own}_HI_LIMIT")),
            // A tag that begins like this one.
            5 => decoys.push(topic(style, storey(*slot), &format!("{tag}1"), role, 1, rng)),
            6 => decoys.push(topic(style, storey(*slot), &format!("{tag}-9"), role, 1, rng)),
            // Equipment that is not there.
            7 if tag.contains(|c: char| c.is_ascii_digit()) => {
                decoys.push(topic(style, Some(7), &tag.replace(|c: char| c.is_ascii_digit(), "7"), role, 1, rng))
            }
            _ => {}
        }
        if matches!(role.as_str(), "damper_position" | "speed") {
            let command = match style {
                Style::Slashes => own.replace("position", "command").replace("speed", "speed-command"),
                _ => format!("{own}_CMD"),
            };
            decoys.push(command);
        }
        if role.ends_with("temperature") && rng.random_range(0..6) == 0 {
            decoys.push(format!("{own}_AVG"));
        }
        out.extend(decoys.into_iter().map(|d| (d, None)));
        out.push((own, Some(i)));
    }
    out.shuffle(rng);
    out.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    // One topic for two points is meant for neither.
    let twice: Vec<String> = out.windows(2).filter(|w| w[0].0 == w[1].0).map(|w| w[0].0.clone()).collect();
    out.dedup_by(|a, b| a.0 == b.0);
    for (topic, meant) in &mut out {
        if twice.contains(topic) {
            *meant = None;
        }
    }
    out.shuffle(rng);
    out
}

/// The clinic, as its template names it and with nothing bound.
fn clinic() -> (Site, Project, Vec<(Slot, String)>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    let (mut project, _) = project::load(&folder).unwrap();
    let progress = import::Progress::default();
    let read = |m: &project::ModelFile| (import::read(&m.file, &progress).unwrap().0, m.discipline.clone());
    let models = project.models.iter().map(read).collect();
    let (mut site, _) = assemble(&project, models);
    let points = bind(&project, &site).0;
    let measured = points.into_iter().filter(|p| matches!(p.source, PointSource::Topic { .. }));
    let truth: Vec<(Slot, String)> = measured.map(|p| (p.asset, p.role)).collect();
    project.bindings.clear();
    site.points.clear();
    assert!(truth.len() > 300, "{}", truth.len());
    (site, project, truth)
}

#[test]
fn generated_trees_are_mapped_without_a_wrong_match() {
    let (site, project, truth) = clinic();
    for style in STYLES {
        let (mut found, mut wrong, mut meant, mut decoys) = (0, 0, 0, 0);
        for seed in 1..=2 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let all = tree(style, &site, &truth, &mut rng);
            let heard: Vec<Heard> = all.iter().map(|(t, _)| Heard { topic: t.clone(), ..Heard::default() }).collect();
            let mapping =
                map(&Request { site: &site, project: &project, heard: &heard, described: &[], at_least: AT_LEAST });
            assert_eq!(mapping.matched.len() + mapping.unmatched.len(), all.len(), "each is in one of the lists");
            meant += all.iter().filter(|(_, m)| m.is_some()).count();
            decoys += all.iter().filter(|(_, m)| m.is_none()).count();
            for m in &mapping.matched {
                let (topic, wanted) = &all[m.heard];
                let right = wanted.is_some_and(|i| truth[i] == (m.slot, m.role.clone()));
                if right {
                    found += 1;
                } else {
                    wrong += 1;
                    let label = site.element(m.slot).unwrap().label();
                    println!("  wrong: {topic} is not {label}/{} ({})", m.role, m.score);
                }
            }
            for u in mapping.unmatched.iter().filter(|u| all[u.heard].1.is_some()).take(if seed == 1 { 12 } else { 0 })
            {
                let first: Vec<String> = u
                    .candidates
                    .iter()
                    .map(|c| format!("{}/{} {:.3}", site.element(c.slot).unwrap().tag, c.role, c.score))
                    .collect();
                println!("  missed: {}: {} {first:?}", all[u.heard].0, u.why);
            }
        }
        let precision = f64::from(found) / f64::from((found + wrong).max(1));
        let recall = f64::from(found) / meant as f64;
        println!("{style:?}: {meant} points, {decoys} decoys: precision {precision:.4}, recall {recall:.4}");
        assert_eq!(wrong, 0, "{style:?}: a wrong match is worse than a miss");
        assert!(recall >= 0.90, "{style:?}: {recall}");
    }
}
