//! From the plant to a point: what a device measures, with its noise and its resolution.

use super::control::{hash, mix, unit_interval};
use super::layout::{Device, Devices};
use super::plant::Plant;
use super::water::LoopKind;
use crate::site::point::{Point, PointSource};
use crate::site::unit::Quantity;
use crate::time::Time;
use std::f64::consts::TAU;

/// What a point measures.
#[derive(Clone, Debug)]
pub(super) enum Signal {
    /// A quantity of the plant.
    Of(Device, Quality),
    /// Nothing that is simulated: it wanders slowly between two values.
    Slow { low: f64, high: f64, phase: f64, period_s: f64 },
}

/// The role of a point, once it is known to be one that a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quality {
    Running,
    SupplyTemperature,
    SupplySetpoint,
    ReturnTemperature,
    MixedTemperature,
    Airflow,
    SupplyPressure,
    OutdoorDamper,
    ZoneTemperature,
    ZoneSetpoint,
    ZoneCo2,
    DamperPosition,
    DischargeTemperature,
    Command,
    Position,
    Speed,
    Power,
    DifferentialPressure,
    EnteringAir,
    LeavingAir,
    EnteringWater,
    Temperature,
    OutdoorTemperature,
    OutdoorHumidity,
    Humidity,
    SupplyHumidity,
    ReturnHumidity,
    MixedHumidity,
    FanSpeed,
    Flow,
    Energy,
}

fn role(text: &str) -> Option<Quality> {
    use Quality::*;
    Some(match text {
        "running" => Running,
        "supply_temperature" => SupplyTemperature,
        "supply_setpoint" => SupplySetpoint,
        "return_temperature" => ReturnTemperature,
        "mixed_temperature" => MixedTemperature,
        "airflow" => Airflow,
        "supply_pressure" => SupplyPressure,
        "outdoor_damper" => OutdoorDamper,
        "zone_temperature" => ZoneTemperature,
        "zone_setpoint" => ZoneSetpoint,
        "zone_co2" => ZoneCo2,
        "damper_position" => DamperPosition,
        "discharge_temperature" => DischargeTemperature,
        "command" => Command,
        "position" | "valve_position" => Position,
        "speed" => Speed,
        "power" => Power,
        "differential_pressure" => DifferentialPressure,
        "entering_air_temperature" => EnteringAir,
        "leaving_air_temperature" => LeavingAir,
        "entering_water_temperature" => EnteringWater,
        "temperature" => Temperature,
        "outdoor_temperature" => OutdoorTemperature,
        "outdoor_humidity" => OutdoorHumidity,
        "humidity" | "zone_humidity" => Humidity,
        "supply_humidity" => SupplyHumidity,
        "return_humidity" => ReturnHumidity,
        "mixed_humidity" => MixedHumidity,
        "fan_speed" => FanSpeed,
        "flow" => Flow,
        "energy" => Energy,
        _ => return None,
    })
}

/// True of the temperature that a device is there to measure.
pub(super) fn is_chief(quality: Quality) -> bool {
    matches!(
        quality,
        Quality::Temperature | Quality::ZoneTemperature | Quality::SupplyTemperature | Quality::OutdoorTemperature
    )
}

fn yes(b: bool) -> f64 {
    if b { 1.0 } else { 0.0 }
}

/// The true value of a quantity of a device; none when the device has no such quantity.
pub(super) fn truth(plant: &Plant, devices: &Devices, device: Device, quality: Quality) -> Option<f64> {
    use Quality::*;
    match device {
        Device::Zone(i) => {
            let z = plant.zones.get(i)?;
            Some(match quality {
                ZoneTemperature | Temperature => z.air_c,
                ZoneSetpoint => z.setpoint_c,
                ZoneCo2 => z.co2_ppm,
                Humidity => z.humidity(),
                Airflow => z.airflow_m3s,
                DamperPosition => z.damper.position,
                DischargeTemperature => z.discharge_c,
                _ => return None,
            })
        }
        Device::Radiator(i) => {
            let r = plant.radiators.get(i)?;
            Some(match quality {
                ZoneTemperature | Temperature => r.air_c,
                Humidity => r.humidity(),
                ReturnTemperature => r.return_c,
                Position => r.valve.position,
                _ => return None,
            })
        }
        Device::Valve(place) => {
            let v = plant.valve(place)?;
            match quality {
                Command => Some(v.command),
                Position => Some(v.position),
                _ => None,
            }
        }
        Device::Air(i) => {
            let a = plant.air.get(i)?;
            Some(match quality {
                Running => yes(a.running()),
                SupplyTemperature => a.supply_c,
                SupplySetpoint => a.setpoint_c,
                ReturnTemperature => a.return_c,
                MixedTemperature => a.mixed_c,
                Airflow => a.airflow_m3s,
                SupplyPressure => a.static_pa(),
                OutdoorDamper => a.damper.position,
                SupplyHumidity => a.supply_humidity(),
                ReturnHumidity => a.return_humidity(),
                MixedHumidity => a.mixed_humidity(),
                _ => return None,
            })
        }
        Device::Fan(i) => {
            let a = plant.air.get(i)?;
            match quality {
                Speed => Some(a.fan_speed),
                Power => Some(a.fan_w),
                Running => Some(yes(a.running())),
                _ => None,
            }
        }
        Device::Filter(i) => {
            let a = plant.air.get(i)?;
            (quality == DifferentialPressure).then_some(a.filter_pa)
        }
        Device::Coil { air, cools } => {
            let a = plant.air.get(air)?;
            let c = if cools { &a.cooling } else { &a.heating };
            Some(match quality {
                EnteringAir => c.entering_c,
                LeavingAir => c.leaving_c,
                EnteringWater => c.water_c,
                Position => c.valve.position,
                _ => return None,
            })
        }
        Device::Sensor { on, back } => {
            let host = *devices.get(&on?)?;
            let of = |quality| truth(plant, devices, host, quality);
            match quality {
                // A sensor on a sensor measures nothing.
                _ if matches!(host, Device::Sensor { .. }) => None,
                Temperature if back => of(ReturnTemperature),
                // It measures what its equipment supplies.
                Temperature => of(SupplyTemperature).or_else(|| of(ZoneTemperature)).or_else(|| of(LeavingAir)),
                Humidity if back => of(ReturnHumidity),
                Humidity => of(SupplyHumidity).or_else(|| of(Humidity)),
                _ => None,
            }
        }
        Device::Weather => match quality {
            OutdoorTemperature | Temperature => Some(plant.weather.outdoor_c),
            OutdoorHumidity | Humidity => Some(plant.weather.humidity),
            _ => None,
        },
        Device::Machine(kind, i) => {
            let m = plant.water(kind)?.machines.get(i)?;
            Some(match quality {
                Running => yes(m.running),
                SupplyTemperature => m.leaving_c,
                ReturnTemperature => m.entering_c,
                Power => m.power_w,
                _ => return None,
            })
        }
        Device::Tower => {
            let c = &plant.condenser;
            Some(match quality {
                FanSpeed | Speed => c.fan_speed,
                SupplyTemperature => c.supply_c,
                ReturnTemperature => c.return_c,
                _ => return None,
            })
        }
        Device::Pump(kind, i) => {
            let group = match kind {
                LoopKind::Condenser => &plant.condenser.pumps,
                _ => &plant.water(kind)?.pumps,
            };
            let p = group.pumps.get(i)?;
            Some(match quality {
                Running => yes(p.running),
                Speed => p.speed,
                Flow => p.flow_m3s,
                Power => p.power_w,
                DifferentialPressure => p.head_pa,
                _ => return None,
            })
        }
        Device::HeatMeter(kind) => {
            let w = plant.water(kind)?;
            Some(match quality {
                Power => w.meter_w,
                Energy => w.energy_j,
                Flow => w.pipes.meter_m3s(),
                SupplyTemperature => w.supply_c,
                ReturnTemperature => w.return_c,
                _ => return None,
            })
        }
        Device::Pipe(..) | Device::Duct { .. } => None,
        Device::ElectricMeter => match quality {
            Power => Some(plant.electric_w),
            Energy => Some(plant.electric_j),
            _ => None,
        },
    }
}

/// What a point measures; none for a computed point. The second is false when it had to be made up.
pub(super) fn resolve(point: &Point, plant: &Plant, devices: &Devices) -> Option<(Signal, bool)> {
    if matches!(point.source, PointSource::Rule { .. }) {
        return None;
    }
    let known = devices.get(&point.asset).copied().zip(role(&point.role));
    if let Some((device, quality)) = known
        && truth(plant, devices, device, quality).is_some()
    {
        return Some((Signal::Of(device, quality), true));
    }
    Some((slow(point, plant.seed), false))
}

/// A slow wave in the middle of what is expected of a point, well inside its limits.
fn slow(point: &Point, seed: u64) -> Signal {
    let [mut low, mut high] = point.expected.unwrap_or(match point.unit.quantity {
        Quantity::Temperature => [19.0, 24.0],
        Quantity::Ratio => [0.0, 1.0],
        Quantity::Pressure => [0.0, 2e5],
        Quantity::Power => [0.0, 1e4],
        Quantity::Concentration => [400.0, 900.0],
        _ => [0.0, 1.0],
    });
    if let Some(check) = &point.check {
        low = [check.warning_below, check.critical_below].into_iter().flatten().fold(low, f64::max);
        high = [check.warning_above, check.critical_above].into_iter().flatten().fold(high, f64::min);
    }
    let draw = |n: u64| unit_interval(mix(mix(seed, hash(&point.id)), n));
    let (middle, reach) = (0.5 * (low + high), 0.15 * (high - low).max(0.0));
    let shift = (draw(0) - 0.5) * reach;
    Signal::Slow {
        low: middle + shift - 0.5 * reach,
        high: middle + shift + 0.5 * reach,
        phase: draw(1),
        period_s: 3600.0 * (2.0 + 6.0 * draw(2)),
    }
}

/// The value of a slow wave.
pub(super) fn wave(low: f64, high: f64, phase: f64, period_s: f64, now: Time) -> f64 {
    low + (high - low) * 0.5 * (1.0 + (TAU * (now.as_seconds() / period_s + phase)).sin())
}

/// How a device measures: the width of its noise, of its value and at least, and its resolution; SI.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instrument {
    relative: f64,
    absolute: f64,
    resolution: f64,
    negative: bool,
    share: bool,
    told: bool,
    key: u64,
}

impl Instrument {
    /// The usual one for a point.
    pub fn of(point: &Point, seed: u64) -> Self {
        let exact = matches!(point.role.as_str(), "running" | "command" | "energy") || point.role.ends_with("setpoint");
        let (relative, absolute, resolution, negative) = match point.unit.quantity {
            Quantity::Energy => (0.0, 0.0, 3.6e4, false),
            Quantity::Ratio if exact => (0.0, 0.0, 1e-3, true),
            Quantity::Temperature if exact => (0.0, 0.0, 0.01, true),
            Quantity::Temperature => (0.0, 0.04, 0.01, true),
            Quantity::Ratio if point.role.ends_with("humidity") => (0.0, 0.005, 1e-3, false),
            Quantity::Ratio => (0.0, 0.001, 1e-3, false),
            Quantity::Concentration => (0.005, 4.0, 1.0, false),
            Quantity::VolumeFlow => (0.004, 0.0, 1e-6, false),
            Quantity::Pressure => (0.004, 0.3, 0.1, false),
            Quantity::Power => (0.004, 0.0, 1.0, true),
            _ => (0.002, 0.0, 0.0, true),
        };
        let share = point.unit.quantity == Quantity::Ratio;
        Self { relative, absolute, resolution, negative, share, told: exact, key: mix(seed, hash(&point.id)) }
    }

    /// What it shows when the truth is `truth`: the same for one moment, however often it is read.
    pub fn show(&self, truth: f64, now: Time) -> f64 {
        let width = self.relative * truth.abs() + self.absolute;
        let mut value = truth;
        if width > 0.0 {
            let bits = mix(self.key, now.0 as u64);
            // Four uniform numbers make a bell of standard deviation 1 within ±3.5.
            let sum: f64 = (0..4).map(|i| unit_interval(mix(bits, i))).sum();
            value += width * (sum - 2.0) * 3f64.sqrt();
        }
        if self.resolution > 0.0 {
            value = (value / self.resolution).round() * self.resolution;
        }
        // No feedback shows more than fully open because of its noise.
        if self.share && truth <= 1.0 {
            value = value.min(1.0);
        }
        self.within(value)
    }

    /// What it can show of a value: a flow or a pressure below nothing shows as nothing.
    pub fn within(&self, value: f64) -> f64 {
        if self.negative { value } else { value.max(0.0) }
    }

    /// False where it tells what was asked of the device, or what was counted.
    pub fn measures(&self) -> bool {
        !self.told
    }

    /// What its noise is drawn from.
    pub fn key(&self) -> u64 {
        self.key
    }
}
