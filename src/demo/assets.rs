//! The clinic's asset registry, `assets.csv`: what its owner knows of the larger equipment. Names of makers are made
//! up.

use super::net::Net;
use super::place::Lot;
use super::plan::STOREY_NAMES;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write;

/// Class, maker, how its models are called, years of warranty.
const MAKERS: [(&str, &str, &str, i32); 10] = [
    ("IfcUnitaryEquipment", "Aldermoor Air", "AM", 5),
    ("IfcAirTerminalBox", "Tarnley Controls", "TV", 2),
    ("IfcChiller", "Kestrel Cooling", "KC", 5),
    ("IfcCoolingTower", "Kestrel Cooling", "KT", 3),
    ("IfcBoiler", "Brandhof", "BH", 5),
    ("IfcPump", "Wexmill Pumps", "WP", 3),
    ("IfcFan", "Aldermoor Air", "AF", 3),
    ("IfcTank", "Brandhof", "BT", 2),
    ("IfcFlowMeter", "Ostrava Metering", "OM", 2),
    ("IfcElectricDistributionBoard", "Linden Switchgear", "LS", 5),
];

/// The file's text: one row a machine, in the order of the model.
pub fn write(seed: u64, net: &Net, lot: &Lot) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x00a5_5e75);
    let mut out =
        String::from("Asset tag,Description,Type,Level,Manufacturer,Model,Serial number,Install date,Warranty until\n");
    for item in &net.items {
        let Some((_, maker, series, years)) = MAKERS.iter().find(|(class, ..)| *class == item.class) else { continue };
        // The clinic was handed over in autumn 2024.
        let (month, day) = (rng.random_range(3..=9), rng.random_range(1..=28));
        let model = rng.random_range(10..=99) * 10;
        let serial = rng.random_range(0..10_000_000);
        let _ = writeln!(
            out,
            "{},{},{},{},{maker},{series}-{model},{series}{serial:07},2024-{month:02}-{day:02},{}-{month:02}-{day:02}",
            cell(&item.tag),
            cell(&item.name),
            cell(&item.kind),
            cell(&lot.name(STOREY_NAMES.get(item.storey).copied().unwrap_or_default())),
            2024 + years,
        );
    }
    out
}

/// In quotes where it holds a comma or a quote.
fn cell(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
