//! Units at the edge: UCUM codes, what people read, and the way to SI.
//!
//! Inside, values are SI with three customary exceptions that the field never leaves: temperature in
//! °C, concentration in ppm, and energy in J. A ratio is 0..1.

use serde::{Deserialize, Serialize};

/// A unit of measure: `inside = outside × factor + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// UCUM code: `Cel`, `m3/h`.
    pub code: &'static str,
    /// What people read: `°C`, `m³/h`.
    pub symbol: &'static str,
    /// What it measures.
    pub quantity: Quantity,
    factor: f64,
    offset: f64,
}

/// What a unit measures. Values of one quantity can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// A pure number or a ratio.
    Ratio,
    /// °C.
    Temperature,
    /// K, a difference of temperatures.
    TemperatureDifference,
    /// Pa.
    Pressure,
    /// m³/s.
    VolumeFlow,
    /// kg/s.
    MassFlow,
    /// m/s.
    Velocity,
    /// W.
    Power,
    /// J.
    Energy,
    /// ppm.
    Concentration,
    /// m.
    Length,
    /// m².
    Area,
    /// m³.
    Volume,
    /// s.
    Duration,
    /// Hz.
    Frequency,
    /// V.
    Voltage,
    /// A.
    Current,
    /// lx.
    Illuminance,
}

const fn unit(code: &'static str, symbol: &'static str, quantity: Quantity, factor: f64, offset: f64) -> Unit {
    Unit { code, symbol, quantity, factor, offset }
}

/// Every unit Plenum knows, by UCUM code.
pub const UNITS: &[Unit] = &[
    unit("1", "", Quantity::Ratio, 1.0, 0.0),
    unit("%", "%", Quantity::Ratio, 0.01, 0.0),
    unit("Cel", "°C", Quantity::Temperature, 1.0, 0.0),
    unit("[degF]", "°F", Quantity::Temperature, 5.0 / 9.0, -160.0 / 9.0),
    unit("K", "K", Quantity::TemperatureDifference, 1.0, 0.0),
    unit("Pa", "Pa", Quantity::Pressure, 1.0, 0.0),
    unit("hPa", "hPa", Quantity::Pressure, 100.0, 0.0),
    unit("kPa", "kPa", Quantity::Pressure, 1e3, 0.0),
    unit("bar", "bar", Quantity::Pressure, 1e5, 0.0),
    unit("[psi]", "psi", Quantity::Pressure, 6_894.757_293_168, 0.0),
    unit("[in_i'H2O]", "in H₂O", Quantity::Pressure, 249.088_91, 0.0),
    unit("m3/s", "m³/s", Quantity::VolumeFlow, 1.0, 0.0),
    unit("m3/h", "m³/h", Quantity::VolumeFlow, 1.0 / 3600.0, 0.0),
    unit("L/s", "L/s", Quantity::VolumeFlow, 1e-3, 0.0),
    unit("L/min", "L/min", Quantity::VolumeFlow, 1e-3 / 60.0, 0.0),
    unit("[cft_i]/min", "cfm", Quantity::VolumeFlow, 0.028_316_846_592 / 60.0, 0.0),
    unit("[gal_us]/min", "gpm", Quantity::VolumeFlow, 0.003_785_411_784 / 60.0, 0.0),
    unit("kg/s", "kg/s", Quantity::MassFlow, 1.0, 0.0),
    unit("kg/h", "kg/h", Quantity::MassFlow, 1.0 / 3600.0, 0.0),
    unit("m/s", "m/s", Quantity::Velocity, 1.0, 0.0),
    unit("W", "W", Quantity::Power, 1.0, 0.0),
    unit("kW", "kW", Quantity::Power, 1e3, 0.0),
    unit("MW", "MW", Quantity::Power, 1e6, 0.0),
    unit("J", "J", Quantity::Energy, 1.0, 0.0),
    unit("W.h", "Wh", Quantity::Energy, 3.6e3, 0.0),
    unit("kW.h", "kWh", Quantity::Energy, 3.6e6, 0.0),
    unit("MW.h", "MWh", Quantity::Energy, 3.6e9, 0.0),
    unit("[ppm]", "ppm", Quantity::Concentration, 1.0, 0.0),
    unit("m", "m", Quantity::Length, 1.0, 0.0),
    unit("mm", "mm", Quantity::Length, 1e-3, 0.0),
    unit("m2", "m²", Quantity::Area, 1.0, 0.0),
    unit("m3", "m³", Quantity::Volume, 1.0, 0.0),
    unit("L", "L", Quantity::Volume, 1e-3, 0.0),
    unit("s", "s", Quantity::Duration, 1.0, 0.0),
    unit("min", "min", Quantity::Duration, 60.0, 0.0),
    unit("h", "h", Quantity::Duration, 3600.0, 0.0),
    unit("Hz", "Hz", Quantity::Frequency, 1.0, 0.0),
    unit("V", "V", Quantity::Voltage, 1.0, 0.0),
    unit("A", "A", Quantity::Current, 1.0, 0.0),
    unit("lx", "lx", Quantity::Illuminance, 1.0, 0.0),
];

impl Unit {
    /// A pure number.
    pub const ONE: Unit = UNITS[0];

    /// The unit of a UCUM code.
    pub fn parse(code: &str) -> Option<Unit> {
        UNITS.iter().copied().find(|u| u.code == code)
    }

    /// The unit of a UCUM code, or of what people and devices write for it: `°C`, `degF`, `kWh`, `m³/h`, `cfm`. BACnet's
    /// names (ASHRAE 135, BACnetEngineeringUnits) are known too.
    pub fn written(text: &str) -> Option<Unit> {
        let text = text.trim();
        if let Some(unit) = Self::parse(text) {
            return Some(unit);
        }
        if text.is_empty() {
            return None;
        }
        let code = match text.to_lowercase().as_str() {
            "°c" | "c" | "degc" | "deg c" | "℃" | "celsius" | "degrees-celsius" => "Cel",
            "°f" | "f" | "degf" | "deg f" | "℉" | "fahrenheit" | "degrees-fahrenheit" => "[degF]",
            "pct" | "percent" | "%rh" | "%_rh" | "percent-relative-humidity" => "%",
            "kwh" | "kw-h" | "kilowatt-hours" => "kW.h",
            "mwh" | "megawatt-hours" => "MW.h",
            "wh" | "watt-hours" => "W.h",
            "kilowatts" => "kW",
            "watts" => "W",
            "pascals" => "Pa",
            "kilopascals" => "kPa",
            "psi" | "pounds-force-per-square-inch" => "[psi]",
            "inh2o" | "in h2o" | "inwc" | "in wc" | "inches-of-water" => "[in_i'H2O]",
            "cfm" | "cubic-feet-per-minute" => "[cft_i]/min",
            "gpm" | "us-gallons-per-minute" => "[gal_us]/min",
            "m³/h" | "m^3/h" | "m3h" | "cmh" | "cubic-meters-per-hour" => "m3/h",
            "m³/s" | "cubic-meters-per-second" => "m3/s",
            "l/s" | "lps" | "liters-per-second" => "L/s",
            "l/min" | "lpm" | "liters-per-minute" => "L/min",
            "ppm" | "parts-per-million" => "[ppm]",
            "hz" | "hertz" => "Hz",
            "lux" | "luxes" => "lx",
            "volts" => "V",
            "amperes" | "amps" => "A",
            "no-units" | "none" => "1",
            _ => return None,
        };
        Self::parse(code)
    }

    /// From this unit to the one inside.
    pub fn to_si(self, outside: f64) -> f64 {
        outside * self.factor + self.offset
    }

    /// From inside to this unit.
    pub fn from_si(self, inside: f64) -> f64 {
        (inside - self.offset) / self.factor
    }

    /// The length of an interval in this unit, inside: hysteresis and differences have no offset.
    pub fn interval_to_si(self, outside: f64) -> f64 {
        outside * self.factor
    }

    /// A value from inside as people read it, with its symbol: `21.4 °C`.
    pub fn format(self, inside: f64) -> String {
        let value = self.from_si(inside);
        let decimals = match value.abs() {
            v if v >= 1000.0 => 0,
            v if v >= 100.0 => 0,
            v if v >= 10.0 => 1,
            _ if self.code == "%" => 0,
            _ => 2,
        };
        let text = format!("{value:.decimals$}");
        if self.symbol.is_empty() { text } else { format!("{text} {}", self.symbol) }
    }
}

/// The units in which a file states its values. What it does not state counts as it does inside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileUnits(Vec<(Quantity, f64, f64)>);

impl FileUnits {
    /// States the unit of a quantity: `inside = stated × factor + offset`. What cannot be one is not taken.
    pub fn state(&mut self, quantity: Quantity, factor: f64, offset: f64) {
        if factor.is_finite() && factor > 0.0 && offset.is_finite() {
            self.0.retain(|(known, ..)| *known != quantity);
            self.0.push((quantity, factor, offset));
        }
    }

    /// A value from inside, as the file would state it.
    pub fn from_si(&self, quantity: Quantity, inside: f64) -> f64 {
        let stated = self.0.iter().find(|(known, ..)| *known == quantity);
        stated.map_or(inside, |(_, factor, offset)| (inside - offset) / factor)
    }

    /// A value that the file states, inside.
    pub fn to_si(&self, quantity: Quantity, stated: f64) -> f64 {
        let known = self.0.iter().find(|(known, ..)| *known == quantity);
        known.map_or(stated, |(_, factor, offset)| stated * factor + offset)
    }

    /// True when the file states none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for u in UNITS {
            assert!((u.from_si(u.to_si(37.5)) - 37.5).abs() < 1e-9, "{}", u.code);
            assert_eq!(Unit::parse(u.code), Some(*u), "two units share a code");
        }
        let f = Unit::parse("[degF]").unwrap();
        assert!((f.to_si(212.0) - 100.0).abs() < 1e-9);
        assert!((f.interval_to_si(9.0) - 5.0).abs() < 1e-9);
        assert_eq!(Unit::parse("furlong"), None);
        for (written, code) in
            [("°C", "Cel"), ("kWh", "kW.h"), ("kW", "kW"), ("CFM", "[cft_i]/min"), ("degrees-celsius", "Cel")]
        {
            assert_eq!(Unit::written(written), Unit::parse(code), "{written}");
        }
        // Milli is not mega: nothing is guessed by case alone.
        assert_eq!((Unit::written("furlong"), Unit::written("mW"), Unit::written("")), (None, None, None));
    }

    #[test]
    fn a_file_states_its_own() {
        let mut units = FileUnits::default();
        units.state(Quantity::Length, 1e-3, 0.0);
        units.state(Quantity::Temperature, 1.0, -273.15);
        units.state(Quantity::Power, 0.0, 0.0);
        assert!((units.from_si(Quantity::Length, 0.05) - 50.0).abs() < 1e-9);
        assert!((units.from_si(Quantity::Temperature, 20.0) - 293.15).abs() < 1e-9);
        assert_eq!(units.from_si(Quantity::Power, 7.0), 7.0, "no unit at all is not taken");
    }

    #[test]
    fn reads_well() {
        assert_eq!(Unit::parse("Cel").unwrap().format(21.44), "21.4 °C");
        assert_eq!(Unit::parse("%").unwrap().format(0.07), "7 %");
        assert_eq!(Unit::parse("m3/h").unwrap().format(1.0), "3600 m³/h");
    }
}
