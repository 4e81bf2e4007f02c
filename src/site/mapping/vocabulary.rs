//! The field's abbreviations. `docs/mapping.md` prints these tables; a word that is in none of them is not guessed at.

use super::meaning::{Kind, Meaning, Measured, Part, Place, Through};
use std::collections::HashMap;
use std::sync::OnceLock;

const NONE: Meaning =
    Meaning { measured: None, place: None, through: None, part: None, kind: None, difference: false, season: None };

const fn what(measured: Measured) -> Meaning {
    Meaning { measured: Some(measured), ..NONE }
}

const fn at(place: Place) -> Meaning {
    Meaning { place: Some(place), ..NONE }
}

const fn air(place: Place) -> Meaning {
    Meaning { place: Some(place), through: Some(Through::Air), ..NONE }
}

const fn air_of(place: Place, measured: Measured) -> Meaning {
    Meaning { measured: Some(measured), ..air(place) }
}

const fn water_of(place: Place, measured: Measured) -> Meaning {
    Meaning { measured: Some(measured), place: Some(place), through: Some(Through::Water), ..NONE }
}

const fn of(part: Part) -> Meaning {
    Meaning { part: Some(part), ..NONE }
}

const fn sort(kind: Kind) -> Meaning {
    Meaning { kind: Some(kind), ..NONE }
}

const T: Measured = Measured::Temperature;

/// Words of points, and what each says.
pub(super) const WORDS: &[(&str, Meaning)] = &[
    // Quantities.
    ("T TEMP TMP TEMPERATURE TEMPERATUR", what(T)),
    ("RH HUM HUMID HUMIDITY HUMI FEUCHTE", what(Measured::Humidity)),
    ("PRESS PRES PRS PRESSURE STATIC DRUCK", what(Measured::Pressure)),
    ("FLOW FLW FLOWRATE VOLUMENSTROM", what(Measured::Flow)),
    ("AIRFLOW AFLOW AFLW CFM", Meaning { through: Some(Through::Air), ..what(Measured::Flow) }),
    ("GPM", Meaning { through: Some(Through::Water), ..what(Measured::Flow) }),
    ("POWER PWR KW WATTS LEISTUNG", what(Measured::Power)),
    ("ENERGY ENRG ENGY KWH MWH WH ENERGIE CONSUMPTION", what(Measured::Energy)),
    ("SPEED SPD DREHZAHL", what(Measured::Speed)),
    ("POSITION POS POSN OPENING STELLUNG", what(Measured::Position)),
    ("CO2", what(Measured::Co2)),
    ("RUNNING RUN STATUS STS STATE ONOFF ON BETRIEB", what(Measured::Running)),
    ("LUX ILLUMINANCE ILLUM", what(Measured::Illuminance)),
    ("VOLTAGE VOLT VOLTS", what(Measured::Voltage)),
    ("AMPS AMP AMPERE", what(Measured::Current)),
    ("FREQ FREQUENCY HZ", what(Measured::Frequency)),
    ("DP DIFFPRESS PDIFF", Meaning { difference: true, ..what(Measured::Pressure) }),
    ("DT DELTAT", Meaning { difference: true, ..what(T) }),
    ("DIFF DIFFERENTIAL DIFFERENCE DELTA", Meaning { difference: true, ..NONE }),
    // Quantity and place in one word.
    ("SAT SUPT", air_of(Place::Supply, T)),
    ("RAT", air_of(Place::Return, T)),
    ("MAT MXT", air_of(Place::Mixed, T)),
    ("OAT ODT", air_of(Place::Outdoor, T)),
    ("DAT", air_of(Place::Discharge, T)),
    ("ZNT ZT ZAT RMT RMTEMP ZNTMP", Meaning { measured: Some(T), ..at(Place::Zone) }),
    ("EAT", air_of(Place::Entering, T)),
    ("LAT", air_of(Place::Leaving, T)),
    ("EWT", water_of(Place::Entering, T)),
    ("LWT", water_of(Place::Leaving, T)),
    ("SWT CHWST HWST CWST CHWS HWS CWS", water_of(Place::Supply, T)),
    ("RWT CHWRT HWRT CWRT CHWR HWR CWR", water_of(Place::Return, T)),
    ("SAP DSP", air_of(Place::Supply, Measured::Pressure)),
    ("SAF", air_of(Place::Supply, Measured::Flow)),
    ("SAH SARH", air_of(Place::Supply, Measured::Humidity)),
    ("RAH RARH", air_of(Place::Return, Measured::Humidity)),
    ("MAH MARH", air_of(Place::Mixed, Measured::Humidity)),
    ("OAH OARH", air_of(Place::Outdoor, Measured::Humidity)),
    ("ZNRH ZRH RMRH", Meaning { measured: Some(Measured::Humidity), ..at(Place::Zone) }),
    // Places.
    ("SA ZULUFT ZUL", air(Place::Supply)),
    ("RA ABLUFT ABL", air(Place::Return)),
    ("MA", air(Place::Mixed)),
    ("OA AUL AUSSENLUFT", air(Place::Outdoor)),
    ("EA FORTLUFT", air(Place::Exhaust)),
    ("DA", air(Place::Discharge)),
    ("SUPPLY SUP SUPP SPLY VORLAUF VL", at(Place::Supply)),
    ("RETURN RET RTN RTRN RUECKLAUF RL", at(Place::Return)),
    ("MIXED MIX MXD", at(Place::Mixed)),
    ("OUTDOOR OUTSIDE OD OUTD AMBIENT AUSSEN", at(Place::Outdoor)),
    ("EXHAUST EXH", at(Place::Exhaust)),
    ("ZONE ZN ROOM RM SPACE SPC RAUM", at(Place::Zone)),
    ("DISCHARGE DISCH DSCH", at(Place::Discharge)),
    ("ENTERING ENT INLET", at(Place::Entering)),
    ("LEAVING LVG LEAV OUTLET", at(Place::Leaving)),
    ("AIR LUFT", Meaning { through: Some(Through::Air), ..NONE }),
    ("WATER WTR CHW HW CW LTHW CHILLED HOT WASSER", Meaning { through: Some(Through::Water), ..NONE }),
    // Parts.
    ("VALVE VLV VENTIL", of(Part::Valve)),
    ("DAMPER DMPR DMP DPR KLAPPE", of(Part::Damper)),
    ("OAD OADMPR", Meaning { part: Some(Part::Damper), ..air(Place::Outdoor) }),
    ("FAN VENTILATOR", of(Part::Fan)),
    ("SF", Meaning { part: Some(Part::Fan), ..at(Place::Supply) }),
    ("RF", Meaning { part: Some(Part::Fan), ..at(Place::Return) }),
    ("EF", Meaning { part: Some(Part::Fan), ..at(Place::Exhaust) }),
    ("PUMP PMP PUMPE", of(Part::Pump)),
    ("FILTER FILT", of(Part::Filter)),
    ("COIL", of(Part::Coil)),
    ("COMP COMPRESSOR", of(Part::Compressor)),
    // Sorts of points.
    ("SP STPT SETPT SETP SETPOINT SET SOLL SOLLWERT TARGET", sort(Kind::Setpoint)),
    ("ZNSP ZSP", Meaning { place: Some(Place::Zone), ..sort(Kind::Setpoint) }),
    ("SATSP", Meaning { kind: Some(Kind::Setpoint), ..air_of(Place::Supply, T) }),
    ("CMD COMMAND CTL CTRL OUTPUT AO BO SIGNAL START STOP SS", sort(Kind::Command)),
    ("FB FBK FDBK FEEDBACK ACT ACTUAL IST ISTWERT MEAS MEASURED SENSOR SNSR SEN", sort(Kind::Value)),
    (
        "ALM ALARM AL FAULT FLT FAIL FAILURE TRIP WARN WARNING HI LO HIGH LOW HH LL HIHI LOLO ERR ERROR STOERUNG",
        sort(Kind::Alarm),
    ),
    (
        "ENABLE ENA EN MODE MIN MAX LIMIT LIM DB DEADBAND GAIN KP KI KD PID BIAS OFFSET CAL CALIB OVRD OVERRIDE MAN \
         MANUAL AUTO HAND HOA LOCK OCC UNOCC SCHED SCHEDULE PRIO PRIORITY RESET TIMER DELAY CFG CONFIG PARAM VERSION \
         NAME DESC ADDRESS FIRMWARE HEARTBEAT PING ONLINE BATTERY RSSI REQUEST REQ",
        sort(Kind::Parameter),
    ),
    (
        "AVG AVERAGE MEAN TREND TL LOG HIST HISTORY TOTAL TOT SUM HOURS HRS RUNTIME COUNT CNT STARTS PREDICTED \
         FORECAST EST ESTIMATED VIRTUAL CALC PEAK DAILY HOURLY YESTERDAY LAST ROC",
        sort(Kind::Statistic),
    ),
    ("HEATING HEAT HTG HEIZEN", Meaning { season: Some(true), ..NONE }),
    ("COOLING COOL CLG KUEHLEN", Meaning { season: Some(false), ..NONE }),
];

/// Words that say nothing of their own.
pub(super) const NEUTRAL: &str = "PV VALUE VAL PRESENT PRESENTVALUE POINT POINTS DATA READING READINGS AI AV BI BV MSV MSI \
    ANALOG BINARY INPUT TELEMETRY LIVE CURRENT ELECTRIC ELECTRICAL DUCT RELATIVE PERCENT PCT DEG DEGC CELSIUS C PPM PA KPA \
    LPS M3H CMH HVAC MECH BMS BAS BACNET MODBUS FIELD PLANT SYSTEM SYS EQUIP EQUIPMENT ASSET ASSETS DEVICE DEVICES OBJECT \
    RATE VOLUME PROPERTY MQTT TAG DIG DIGITAL UNIT THE OF PROP VARIABLE LEVEL";

/// Words behind which a number counts objects: `AI3`.
pub(super) const COUNTED: &str = "AI AV AO BI BV BO MSV MSI POINT OBJECT INSTANCE ID";

/// Marks of points that are nobody's.
pub(super) const STRAY: &str = "TEST TST TESTS TESTING DEMO DUMMY SPARE SIM SIMULATED SIMULATION SIMULATOR BACKUP BAK OLD \
    COPY UNUSED OBSOLETE DEPRECATED TRAINING SANDBOX STAGING MOCK FAKE DEBUG EXAMPLE COMMISSIONING TMPCOPY";

/// Words of storeys that a number follows: `L02`, `Level 2`.
pub(super) const STOREY: &str = "L LVL LEVEL FL FLR FLOOR STOREY STORY F OG ETAGE";

/// Words of places and machines of the network that name no building.
pub(super) const PATH: &str = "HVAC MECH BMS BAS BACNET MODBUS FIELD PLANT SYSTEM SYS EQUIP EQUIPMENT ASSET ASSETS DEVICE \
    DEVICES POINT POINTS DATA TELEMETRY LIVE ELEC ELECTRICAL AIR WATER AIRSIDE WATERSIDE HEATING COOLING CHW HW CW CONTROLLER \
    CTRL DDC PLC NAE NCE JACE GW GATEWAY MQTT NET NETWORK BUS PANEL ZONE ZONES ROOM ROOMS SENSOR SENSORS METER METERS ROOF \
    BASEMENT UTILITIES ENERGY WEATHER CENTRAL ROOFTOP TERMINAL UNITS UNIT FLOOR LEVEL";

/// Equipment, and the ways it is written. The first is the shortest; pieces of one way are parted by `+`.
const EQUIPMENT: &[&str] = &[
    "AHU AH RLT AIR+HANDLING+UNIT AIR+HANDLER AIR+HANDLING AIRHANDLER",
    "VAV VAVBOX VAV+BOX TERMINAL+BOX",
    "CH CHLR CHL CHR CHILLER",
    "B BLR BOILER KESSEL",
    "CT COOLING+TOWER CLG+TOWER TOWER",
    "CHWP CHILLED+WATER+PUMP CHW+PUMP CHW+PMP",
    "CWP CDWP CONDENSER+WATER+PUMP CW+PUMP CW+PMP",
    "HWP HOT+WATER+PUMP HEATING+WATER+PUMP HW+PUMP HW+PMP",
    "P PU PMP PUMP PUMPE",
    "SF SUPPLY+FAN SUPFAN SUP+FAN SA+FAN SPLY+FAN",
    "RF RETURN+FAN RETFAN RET+FAN RA+FAN RTN+FAN",
    "EF EXHAUST+FAN EXHFAN EXH+FAN",
    "CC COOLING+COIL CLG+COIL COOL+COIL CCOIL",
    "HC HEATING+COIL HTG+COIL HEAT+COIL HCOIL",
    "V VLV VALVE VENTIL",
    "FLT FILTER FILT FLTR",
    "RAD RADIATOR",
    "EM ELECTRICITY+METER ELECTRIC+METER ELEC+METER POWER+METER PM",
    "HM HEAT+METER",
    "CM COOLING+METER COOLING+ENERGY+METER",
    "WS WEATHER+STATION WEATHER WX",
    "FCU FAN+COIL FAN+COIL+UNIT FANCOIL",
    "HX HEX HEAT+EXCHANGER",
    "D DMP DMPR DAMPER DPR",
];

/// What a word of a point says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Word {
    Says(Meaning),
    Neutral,
}

fn words() -> &'static HashMap<&'static str, Word> {
    static WORDS_BY_TEXT: OnceLock<HashMap<&'static str, Word>> = OnceLock::new();
    WORDS_BY_TEXT.get_or_init(|| {
        let neutral = NEUTRAL.split_whitespace().map(|w| (w, Word::Neutral));
        let says = WORDS.iter().flat_map(|(all, m)| all.split_whitespace().map(|w| (w, Word::Says(*m))));
        neutral.chain(says).collect()
    })
}

/// What a word says, in capitals; none where nobody knows.
pub(super) fn word(text: &str) -> Option<Word> {
    words().get(text).copied()
}

/// True when a list of words has a word.
pub(super) fn has(list: &str, text: &str) -> bool {
    list.split_whitespace().any(|w| w == text)
}

/// Takes a word that nobody knows apart into two or three that are known: `ZNTEMP`, `DMPRPOS`, `VLVCMD`.
pub(super) fn split(text: &str) -> Option<Vec<&str>> {
    fn within(text: &str, pieces: usize) -> Option<Vec<&str>> {
        if word(text).is_some() && text.len() >= 2 {
            return Some(vec![text]);
        }
        if pieces == 0 {
            return None;
        }
        // The longest first word first.
        for at in (2..text.len().saturating_sub(1)).rev() {
            let (Some(first), Some(rest)) = (text.get(..at), text.get(at..)) else { continue };
            if word(first).is_some()
                && let Some(mut more) = within(rest, pieces - 1)
            {
                more.insert(0, first);
                return Some(more);
            }
        }
        None
    }
    (text.len() >= 4 && text.len() <= 24).then(|| within(text, 1).or_else(|| within(text, 2)))?
}

type Spellings = HashMap<&'static str, Vec<(usize, Vec<&'static str>)>>;

/// By first word: the kinds of equipment that may begin there, with the whole spelling.
fn spellings() -> &'static Spellings {
    static BY_FIRST: OnceLock<Spellings> = OnceLock::new();
    BY_FIRST.get_or_init(|| {
        let mut map: Spellings = HashMap::new();
        for (kind, row) in EQUIPMENT.iter().enumerate() {
            for way in row.split_whitespace() {
                let pieces: Vec<&str> = way.split('+').collect();
                if let Some(first) = pieces.first() {
                    map.entry(first).or_default().push((kind, pieces));
                }
            }
        }
        map
    })
}

/// The kinds of equipment that a word by itself stands for.
pub(super) fn kinds_of(text: &str) -> impl Iterator<Item = usize> {
    let all = spellings().get(text).map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(|(_, pieces)| pieces.len() == 1).map(|(kind, _)| *kind)
}

/// How many kinds of equipment there are.
pub(super) fn kinds() -> usize {
    EQUIPMENT.len()
}

/// How many of the words at the start of `texts` spell a kind of equipment; the longest way.
pub(super) fn spelled(kind: usize, texts: &[&str]) -> Option<usize> {
    let all = spellings().get(texts.first()?)?;
    let fits = |pieces: &[&str]| texts.len() >= pieces.len() && texts.iter().zip(pieces).all(|(a, b)| a == b);
    all.iter().filter(|(k, pieces)| *k == kind && fits(pieces)).map(|(_, pieces)| pieces.len()).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_word_has_one_meaning() {
        let mut seen = HashSet::new();
        let all = WORDS.iter().flat_map(|(w, _)| w.split_whitespace()).chain(NEUTRAL.split_whitespace());
        for word in all {
            assert!(seen.insert(word), "{word} is in the tables twice");
        }
    }

    #[test]
    fn words_run_together_are_taken_apart() {
        assert_eq!(split("ZNTEMP"), Some(vec!["ZN", "TEMP"]));
        assert_eq!(split("DMPRPOS"), Some(vec!["DMPR", "POS"]));
        assert_eq!(split("ROOMTEMPERATURE"), Some(vec!["ROOM", "TEMPERATURE"]));
        assert_eq!(split("XYZZY"), None);
    }

    #[test]
    fn equipment_is_known_by_its_spellings() {
        let chwp = kinds_of("CHWP").next().unwrap();
        assert_eq!(spelled(chwp, &["CHILLED", "WATER", "PUMP", "1"]), Some(3));
        assert_eq!(spelled(chwp, &["HOT", "WATER", "PUMP"]), None);
        assert_eq!(kinds_of("ZZ").count(), 0);
    }

    #[test]
    fn the_tables_stand_in_the_guide() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/mapping.md");
        let Ok(guide) = std::fs::read_to_string(guide) else { return };
        let all = WORDS.iter().flat_map(|(w, _)| w.split_whitespace()).chain(STRAY.split_whitespace());
        let named: HashSet<&str> = guide.split(|c: char| !c.is_alphanumeric()).collect();
        let missing: Vec<&str> = all.filter(|w| !named.contains(w)).collect();
        assert!(missing.is_empty(), "docs/mapping.md does not name {missing:?}");
    }
}
