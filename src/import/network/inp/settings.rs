//! `[OPTIONS]`, `[TIMES]`, `[ENERGY]` and `[REPORT]`.

use super::document::Row;
use super::quality::QualityMode;
use super::reader::Reader;
use super::units::{DIFFUSIVITY, FlowUnits, PressureUnits, VISCOSITY};
use super::words::{self, is};
use crate::simulation::network::periods::{PumpEnergy, Statistic, Unbalanced};
use crate::simulation::network::{CurveKind, DemandModel, LinkKind, LossFormula};

/// The least difference between the pressures at which a demand begins and is whole, in the file's unit.
const LEAST_PRESSURE_BAND: f64 = 0.1;

/// What is neither the network nor its time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Greatest error of head loss at which EPANET stops, m.
    pub head_error_m: Option<f64>,
    /// Greatest change of flow at which EPANET stops, m³/s.
    pub flow_change_m3s: Option<f64>,
    /// How often EPANET looks at the status of pumps and valves, in iterations.
    pub check_frequency: Option<u32>,
    /// The iteration after which it looks no more.
    pub most_checks: Option<u32>,
    /// The accuracy at which it damps its steps.
    pub damp_limit: Option<f64>,
    /// Diffusivity of the substance, m²/s.
    pub diffusivity: Option<f64>,
    /// A file of solved hydraulics to use or to save.
    pub hydraulics: Option<Hydraulics>,
    /// A file with the map.
    pub map: Option<String>,
    /// What the report says, a line each, as it stands.
    pub report: Vec<String>,
    /// Least and required pressure, and exponent, of pressure-driven demand, also while it is off.
    pub(super) pressure: [f64; 3],
}

/// A file of solved hydraulics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hydraulics {
    /// Taken from the file.
    Use(String),
    /// Kept in the file.
    Save(String),
}

impl Reader {
    /// `name value`, `name name value`
    pub(super) fn option(&mut self, row: &Row<'_>) {
        let (first, second, third) = (Self::word(row, 0), Self::word(row, 1), Self::word(row, 2));
        if second.is_empty() {
            // A name alone leaves the value at its default, as in EPANET.
            return;
        }
        let options = &mut self.out.network.options;
        let bad = |what: &str| Some(what.to_owned());
        let wrong = match first {
            w if is(w, "UNITS") || is(w, "UNIT") => match FlowUnits::by_name(second) {
                Some(units) => {
                    self.out.units.flow = units;
                    None
                }
                None => bad("write CFS, GPM, MGD, IMGD, AFD, LPS, LPM, MLD, CMH, CMD or CMS"),
            },
            w if is(w, "PRESSURE") && !is(second, "EXP") => match PressureUnits::by_name(second) {
                Some(units) => {
                    self.out.units.pressure = Some(units);
                    None
                }
                None => bad("write PSI, KPA, METERS, BAR or FEET"),
            },
            w if is(w, "HEADL") => match second {
                s if is(s, "H-W") => set(&mut options.formula, LossFormula::HazenWilliams),
                s if is(s, "D-W") => set(&mut options.formula, LossFormula::DarcyWeisbach),
                s if is(s, "C-M") => set(&mut options.formula, LossFormula::ChezyManning),
                _ => bad("write H-W, D-W or C-M"),
            },
            w if is(w, "HYDR") => match second {
                s if is(s, "USE") => set(&mut self.out.settings.hydraulics, Some(Hydraulics::Use(third.to_owned()))),
                s if is(s, "SAVE") => set(&mut self.out.settings.hydraulics, Some(Hydraulics::Save(third.to_owned()))),
                _ => bad("write USE or SAVE and a file"),
            },
            w if is(w, "QUAL") => {
                self.out.quality.mode = match second {
                    s if is(s, "NONE") => QualityMode::None,
                    s if is(s, "AGE") => QualityMode::Age,
                    s if is(s, "TRACE") => QualityMode::Trace(third.to_owned()),
                    s => QualityMode::Chemical { name: s.to_owned(), units: third.to_owned() },
                };
                None
            }
            w if is(w, "MAP") => set(&mut self.out.settings.map, Some(second.to_owned())),
            w if is(w, "VERI") || is(w, "SEGM") => None,
            w if is(w, "UNBA") => match second {
                s if is(s, "STOP") => set(&mut self.out.timeline.unbalanced, Unbalanced::Stop),
                s if is(s, "CONT") => {
                    let more = words::number(third).map_or(0, |n| n.clamp(0.0, 1e6) as u32);
                    set(&mut self.out.timeline.unbalanced, Unbalanced::Continue(more))
                }
                _ => bad("write STOP or CONTINUE and a number"),
            },
            w if is(w, "PATT") => set(&mut self.default_pattern, Some((second.to_owned(), row.line))),
            w if is(w, "DEMAND") && is(second, "MODEL") => match third {
                s if is(s, "DDA") => set(&mut options.demand_model, DemandModel::Fixed),
                s if is(s, "PDA") => {
                    let model = DemandModel::PressureDriven { least: 0.0, required: 0.0, exponent: 0.5 };
                    set(&mut options.demand_model, model)
                }
                _ => bad("write DDA or PDA"),
            },
            w if is(w, "BACK") => match third {
                s if is(s, "YES") => set(&mut options.emitter_backflow, true),
                s if is(s, "NO") => set(&mut options.emitter_backflow, false),
                _ => bad("write YES or NO"),
            },
            _ => return self.number_option(row),
        };
        if let Some(remedy) = wrong {
            let message =
                format!("the option {first} cannot be {second:?}{}{third}", if third.is_empty() { "" } else { " " });
            self.refuse(row.line, message, &format!("{remedy}; the option keeps its default"));
        }
    }

    /// The options that are a number.
    fn number_option(&mut self, row: &Row<'_>) {
        let first = Self::word(row, 0);
        let two = Self::any_of(first, &["SPEC", "EMIT", "DEMAND", "MINI", "REQ", "PRESSURE"]);
        // `SPECIFIC GRAVITY 1` and, as some files have it, `SPECIFICGRAVITY 1`.
        let at = if two && !Self::is_number(Self::word(row, 1)) { 2 } else { 1 };
        if row.words.len() <= at {
            return;
        }
        let known = [
            "VISC",
            "DIFF",
            "SPEC",
            "TRIAL",
            "ACCU",
            "HEADERROR",
            "FLOWCHANGE",
            "MINI",
            "REQ",
            "PRESSURE",
            "TOLER",
            "EMIT",
            "DEMAND",
            "CHECKFREQ",
            "MAXCHECK",
            "DAMPLIMIT",
            "HTOL",
            "QTOL",
            "RQTOL",
        ];
        if !Self::any_of(first, &known) {
            return self.warn(
                row.line,
                format!("there is no option {first:?}"),
                "see whether it is misspelt; it is kept as it stands",
            );
        }
        let Some(value) = self.number(row, at, "value") else { return };
        let may_be_zero =
            Self::any_of(first, &["TOLER", "DIFF", "DAMPLIMIT", "FLOWCHANGE", "HEADERROR", "MINI", "REQ", "PRESSURE"]);
        if value < 0.0 || (value == 0.0 && !may_be_zero) {
            let message = format!("the option {first} cannot be {value}");
            return self.refuse(row.line, message, "write a value above 0; the option keeps its default");
        }
        let options = &mut self.out.network.options;
        let settings = &mut self.out.settings;
        let count = value.min(1e9) as u32;
        match first {
            // A multiplier of water's, or above 1e-3 never a viscosity in m²/s or ft²/s.
            w if is(w, "VISC") => self.out.network.fluid.viscosity = value,
            w if is(w, "DIFF") => settings.diffusivity = Some(value),
            w if is(w, "SPEC") => self.out.units.specific_gravity = value,
            w if is(w, "TRIAL") => options.trials = usize::try_from(count.max(1)).unwrap_or(usize::MAX),
            w if is(w, "ACCU") => options.accuracy = value.clamp(1e-9, 0.1),
            w if is(w, "HEADERROR") => settings.head_error_m = (value > 0.0).then_some(value),
            w if is(w, "FLOWCHANGE") => settings.flow_change_m3s = (value > 0.0).then_some(value),
            w if is(w, "MINI") => settings.pressure[0] = value,
            w if is(w, "REQ") => settings.pressure[1] = value,
            w if is(w, "PRESSURE") => settings.pressure[2] = value,
            w if is(w, "TOLER") => self.out.quality.tolerance = Some(value),
            w if is(w, "EMIT") => options.emitter_exponent = value,
            w if is(w, "DEMAND") => options.demand_multiplier = value,
            w if is(w, "CHECKFREQ") => settings.check_frequency = Some(count),
            w if is(w, "MAXCHECK") => settings.most_checks = Some(count),
            w if is(w, "DAMPLIMIT") => settings.damp_limit = Some(value),
            // Tolerances of EPANET's own that nobody should need.
            _ => {}
        }
    }

    /// Turns what the options said into SI, once the units are known.
    pub(super) fn units_are_known(&mut self) {
        let units = self.out.units;
        let fluid = &mut self.out.network.fluid;
        let square_m = units.m().powi(2);
        let absolute =
            |value: f64, least: f64, water: f64| if value > least { value * water } else { value * square_m };
        if fluid.viscosity != VISCOSITY {
            fluid.viscosity = absolute(fluid.viscosity, 1e-3, VISCOSITY);
        }
        fluid.specific_gravity = units.specific_gravity;
        let settings = &mut self.out.settings;
        settings.diffusivity = settings.diffusivity.map(|d| absolute(d, 1e-4, DIFFUSIVITY));
        settings.head_error_m = settings.head_error_m.map(|e| e * units.m());
        settings.flow_change_m3s = settings.flow_change_m3s.map(|e| e * units.m3s());
        if let DemandModel::PressureDriven { least, required, exponent } = &mut self.out.network.options.demand_model {
            let [low, high, power] = settings.pressure;
            *least = low * units.head_m();
            *required = high.max(low + LEAST_PRESSURE_BAND) * units.head_m();
            *exponent = if power > 0.0 { power } else { 0.5 };
        }
    }

    /// `name (name) value (unit)`
    pub(super) fn time(&mut self, row: &Row<'_>) {
        let (first, second) = (Self::word(row, 0), Self::word(row, 1));
        let last = row.words.len().saturating_sub(1);
        if last == 0 {
            return self.refuse(row.line, format!("{first} has no value"), "write a time such as 1:00");
        }
        let word = Self::word(row, last);
        let times = &mut self.out.timeline.times;
        if is(first, "STAT") {
            times.statistic = match word {
                w if is(w, "NO") => Statistic::None,
                w if is(w, "AVERAGE") => Statistic::Average,
                w if is(w, "MINIMUM") => Statistic::Minimum,
                w if is(w, "MAXIMUM") => Statistic::Maximum,
                w if is(w, "RANGE") => Statistic::Range,
                _ => {
                    let remedy = "write NONE, AVERAGED, MINIMUM, MAXIMUM or RANGE";
                    return self.refuse(row.line, format!("{word:?} is no statistic"), remedy);
                }
            };
            return;
        }
        let time = words::whole_seconds(word, "").or_else(|| words::whole_seconds(Self::word(row, last - 1), word));
        let Some(time) = time else {
            let message = format!("{word:?} is no time for {first}");
            return self.refuse(row.line, message, "write hours (1.5), 1:30, or 90 MIN; the default is taken");
        };
        match (first, second) {
            (w, _) if is(w, "DURA") => times.duration = time,
            (w, _) if is(w, "HYDR") => times.hydraulic_step = time,
            (w, _) if is(w, "QUAL") => times.quality_step = time,
            (w, _) if is(w, "RULE") => times.rule_step = time,
            (w, _) if is(w, "MINI") => {}
            (w, s) if is(w, "PATT") && is(s, "TIME") => times.pattern_step = time,
            (w, s) if is(w, "PATT") && is(s, "STAR") => times.pattern_start = time,
            (w, s) if is(w, "REPO") && is(s, "TIME") => times.report_step = time,
            (w, s) if is(w, "REPO") && is(s, "STAR") => times.report_start = time,
            (w, _) if is(w, "STAR") => times.clock_start = time % 86_400,
            _ => {
                let message = format!("there is no time {first:?} {second:?}");
                self.warn(row.line, message, "see whether it is misspelt; it is kept as it stands");
            }
        }
    }

    /// `GLOBAL PRICE|PATTERN|EFFIC value`, `PUMP id …`, `DEMAND CHARGE value`
    pub(super) fn energy(&mut self, row: &Row<'_>) {
        let first = Self::word(row, 0);
        let last = row.words.len().saturating_sub(1);
        if last < 2 {
            return self.refuse(
                row.line,
                format!("{first} has no value"),
                "write GLOBAL PRICE 0.1 or PUMP id EFFIC curve",
            );
        }
        if is(first, "DEMAN") {
            if let Some(value) = self.positive(row, last, "demand charge") {
                self.out.timeline.energy.demand_charge = value;
            }
            return;
        }
        let what = Self::word(row, last - 1);
        if is(first, "GLOB") {
            match what {
                w if is(w, "PRICE") => {
                    if let Some(value) = self.positive(row, last, "price") {
                        self.out.timeline.energy.price = value;
                    }
                }
                w if is(w, "PATT") => self.out.timeline.energy.pattern = self.pattern(row, last),
                w if is(w, "EFFI") => match self.number(row, last, "efficiency") {
                    Some(value) if value > 0.0 => self.out.timeline.energy.efficiency = value.min(100.0) / 100.0,
                    Some(value) => {
                        self.refuse(row.line, format!("the efficiency is {value}"), "write a percentage above 0")
                    }
                    None => {}
                },
                _ => self.refuse(row.line, format!("{what:?} is nothing of energy"), "write PRICE, PATTERN or EFFIC"),
            }
            return;
        }
        if !is(first, "PUMP") {
            return self.refuse(
                row.line,
                format!("{first:?} is nothing of energy"),
                "write GLOBAL, PUMP or DEMAND CHARGE",
            );
        }
        let Some(link) = self.link(row, 1) else { return };
        if !self.out.network.links.get(link).is_some_and(|l| matches!(l.kind, LinkKind::Pump(_))) {
            let message = format!("{} is no pump", Self::word(row, 1));
            return self.refuse(row.line, message, "name a pump; the line is left out");
        }
        let price = if is(what, "PRICE") { self.positive(row, last, "price") } else { None };
        let pattern = if is(what, "PATT") { self.pattern(row, last) } else { None };
        if is(what, "EFFI") {
            let curve = self.curve(row, last, CurveKind::Efficiency);
            if let Some(LinkKind::Pump(pump)) = self.out.network.links.get_mut(link).map(|l| &mut l.kind) {
                pump.efficiency = curve;
            }
        } else if price.is_some() || pattern.is_some() {
            let pumps = &mut self.out.timeline.energy.pumps;
            let at = pumps.iter().position(|p| p.link == link).unwrap_or_else(|| {
                pumps.push(PumpEnergy { link, ..PumpEnergy::default() });
                pumps.len() - 1
            });
            if let Some(pump) = pumps.get_mut(at) {
                pump.price = price.or(pump.price);
                pump.pattern = pattern.or(pump.pattern);
            }
        } else if !is(what, "PRICE") && !is(what, "PATT") {
            self.refuse(row.line, format!("{what:?} is nothing of energy"), "write PRICE, PATTERN or EFFIC");
        }
    }

    /// A line of what the report says.
    pub(super) fn report(&mut self, row: &Row<'_>) {
        let first = Self::word(row, 0);
        let known = [
            "PAGE", "STATUS", "SUMM", "MESS", "ENER", "NODE", "LINK", "FILE", "ELEV", "DEMAND", "HEAD", "PRESSURE",
            "QUAL", "LENGTH", "DIAM", "FLOW", "VELO", "STATE", "SETTING", "REACTION", "F-FACTOR",
        ];
        if !Self::any_of(first, &known) {
            return self.warn(
                row.line,
                format!("the report has no {first:?}"),
                "see whether it is misspelt; it is kept as it stands",
            );
        }
        if row.words.len() < 2 && !Self::any_of(first, known.get(8..).unwrap_or_default()) {
            return self.refuse(row.line, format!("{first} has no value"), "write YES, NO or what is reported");
        }
        if is(first, "PAGE") && self.positive(row, 1, "page size").is_none() {
            return;
        }
        let words: Vec<String> = row.words.iter().map(|w| words::quoted(w)).collect();
        self.out.settings.report.push(words.join(" "));
    }
}

/// Sets a value, and nothing is wrong.
fn set<T>(place: &mut T, value: T) -> Option<String> {
    *place = value;
    None
}
