//! Each fault shows in the telemetry as the field knows it: the building with it, against the same seed without.

use super::fixture;
use super::{DEFAULT_START, Emulator, FaultSpec, Settings};
use crate::site::{PointIndex, Site};
use crate::time::Time;

const JANUARY: &str = "2026-01-14T08:00:00Z";
const JULY: &str = "2026-07-15T10:00:00Z";
/// A cool day: air handling units cool with outdoor air, and boxes heat.
const MARCH: &str = "2026-03-30T08:00:00Z";

/// A point's readings, a minute apart; a silent minute is no number.
type Series = Vec<f64>;

/// Two buildings of one seed, one with a fault.
struct Pair {
    site: Site,
    healthy: Emulator,
    faulty: Emulator,
}

impl Pair {
    fn new(start: &str, fault: &str) -> Self {
        let site = fixture::clinic();
        let (healthy, _) = Emulator::new(&site, Settings { seed: 3, start: Time::parse(start).unwrap() });
        let mut faulty = healthy.clone();
        let now = faulty.now();
        faulty.inject(&FaultSpec::parse(fault).unwrap(), now).unwrap();
        Self { site, healthy, faulty }
    }

    fn point(&self, id: &str) -> PointIndex {
        PointIndex(self.site.points.iter().position(|p| p.id == id).unwrap_or_else(|| panic!("no point {id}")) as u32)
    }

    fn skip(&mut self, minutes: usize) {
        for e in [&mut self.healthy, &mut self.faulty] {
            e.step(60.0 * minutes as f64);
        }
    }

    /// Readings of points over some minutes: healthy and faulty.
    fn watch<const N: usize>(&mut self, minutes: usize, ids: [&str; N]) -> [(Series, Series); N] {
        let points = ids.map(|id| self.point(id));
        let mut all: [(Series, Series); N] = std::array::from_fn(|_| Default::default());
        for _ in 0..minutes {
            self.skip(1);
            for (series, point) in all.iter_mut().zip(points) {
                series.0.push(self.healthy.read(point).unwrap_or(f64::NAN));
                series.1.push(self.faulty.read(point).unwrap_or(f64::NAN));
            }
        }
        all
    }

    /// Means of points over some minutes: healthy and faulty.
    fn means<const N: usize>(&mut self, minutes: usize, ids: [&str; N]) -> [(f64, f64); N] {
        self.watch(minutes, ids).map(|(a, b)| (mean(&a), mean(&b)))
    }
}

fn mean(series: &[f64]) -> f64 {
    series.iter().sum::<f64>() / series.len() as f64
}

fn width(series: &[f64]) -> f64 {
    let middle = mean(series);
    (series.iter().map(|v| (v - middle).powi(2)).sum::<f64>() / series.len() as f64).sqrt()
}

#[test]
fn a_stuck_valve_does_not_do_what_it_is_told() {
    let mut pair = Pair::new(DEFAULT_START, "stuck-valve:VAV-1-01-V=0.6@0");
    pair.skip(20);
    let [command, position] = pair.means(20, ["VAV-1-01-V/command", "VAV-1-01-V/position"]);
    assert!((command.0 - position.0).abs() < 0.05, "{command:?} {position:?}");
    assert!((command.1 - position.1).abs() > 0.2, "{command:?} {position:?}");
}

#[test]
fn a_leaking_valve_heats_with_its_command_at_zero() {
    let mut pair = Pair::new(MARCH, "leaking-valve:AHU-1-HC-V@0");
    pair.skip(20);
    let [command, entering, leaving, pump] = pair.means(
        20,
        [
            "AHU-1-HC-V/command",
            "AHU-1-HC/entering_air_temperature",
            "AHU-1-HC/leaving_air_temperature",
            "HWP-1/running",
        ],
    );
    assert!(command == (0.0, 0.0) && pump.1 == 1.0, "{command:?} {pump:?}");
    assert!((leaving.0 - entering.0).abs() < 0.3 && leaving.1 - entering.1 > 1.0, "{entering:?} {leaving:?}");
}

#[test]
fn a_stuck_damper_leaves_the_flow_where_it_is() {
    let mut pair = Pair::new(JULY, "stuck-damper:VAV-1-01=0.5@0");
    pair.skip(10);
    let [damper, airflow] = pair.watch(60, ["VAV-1-01/damper_position", "VAV-1-01/airflow"]);
    assert!((mean(&damper.0) - mean(&damper.1)).abs() > 0.1 && width(&damper.1) < 0.002, "{damper:?}");
    assert!((mean(&airflow.1) / mean(&airflow.0) - 1.0).abs() > 0.1, "{airflow:?}");
    let mut pair = Pair::new(MARCH, "stuck-damper:AHU-1@0");
    pair.skip(20);
    let [damper, mixed] = pair.means(20, ["AHU-1/outdoor_damper", "AHU-1/mixed_temperature"]);
    assert!((damper.0 - damper.1).abs() > 0.2 && (mixed.0 - mixed.1).abs() > 1.0, "{damper:?} {mixed:?}");
}

#[test]
fn a_fouled_coil_opens_its_valve_further() {
    let mut pair = Pair::new(JULY, "coil-fouling:AHU-1-CC=0.6@0");
    pair.skip(60);
    let [valve, supply, flow] = pair.means(30, ["AHU-1-CC/valve_position", "AHU-1/supply_temperature", "CHWP-1/flow"]);
    assert!(valve.1 > valve.0 + 0.08 && flow.1 > 1.01 * flow.0, "{valve:?} {flow:?}");
    assert!(supply.1 > supply.0 - 0.1, "{supply:?}");
}

#[test]
fn a_clogged_filter_takes_pressure_for_the_same_air() {
    let mut pair = Pair::new(JULY, "filter-clogging:AHU-2-FLT@0");
    pair.skip(30);
    let [drop, airflow, power] = pair.means(20, ["AHU-2-FLT/differential_pressure", "AHU-2/airflow", "AHU-2-SF/power"]);
    let k = |drop: f64, airflow: f64| drop / (airflow * airflow);
    assert!(k(drop.1, airflow.1) > 2.0 * k(drop.0, airflow.0), "{drop:?} {airflow:?}");
    assert!(power.1 > 1.1 * power.0, "{power:?}");
}

#[test]
fn a_worn_pump_runs_faster_and_takes_more_for_its_water() {
    let mut pair = Pair::new(JULY, "pump-wear:CHWP-1=0.7@0");
    pair.skip(30);
    let [speed, drop, flow, power] =
        pair.means(20, ["CHWP-1/speed", "CHWP-1/differential_pressure", "CHWP-1/flow", "CHWP-1/power"]);
    assert!((drop.1 / drop.0 - 1.0).abs() < 0.05 && (flow.1 / flow.0 - 1.0).abs() < 0.05, "{drop:?} {flow:?}");
    assert!(speed.1 > 1.08 * speed.0, "{speed:?}");
    assert!(power.1 / flow.1 > 1.15 * power.0 / flow.0, "{power:?} {flow:?}");
}

#[test]
fn a_blockage_shares_the_pressure_out_otherwise() {
    // In a branch: its valve makes up for it.
    let mut pair = Pair::new(JULY, "pipe-blockage:AHU-1-CC@0");
    pair.skip(40);
    let [blocked, other] = pair.means(20, ["AHU-1-CC/valve_position", "AHU-2-CC/valve_position"]);
    assert!(blocked.1 > blocked.0 + 0.01 && (other.1 - other.0).abs() < 0.002, "{blocked:?} {other:?}");
    // At a machine: the pump makes up for it, and holds the pressure at the consumers.
    let mut pair = Pair::new(JULY, "pipe-blockage:CH-1@0");
    pair.skip(40);
    let [speed, drop, flow] = pair.means(20, ["CHWP-1/speed", "CHWP-1/differential_pressure", "CHWP-1/flow"]);
    assert!(speed.1 > 1.03 * speed.0 && drop.1 > 1.06 * drop.0, "{speed:?} {drop:?} {flow:?}");
}

#[test]
fn a_leak_makes_the_pump_move_more_than_comes_back() {
    let mut pair = Pair::new(JULY, "leak:AHU-1-CC=0.5@0");
    pair.skip(10);
    let [pump, meter] = pair.means(20, ["CHWP-1/flow", "CM-1/flow"]);
    assert!((pump.0 - meter.0).abs() < 0.005 * pump.0, "{pump:?} {meter:?}");
    assert!(pump.1 - meter.1 > 0.05 * pump.1, "{pump:?} {meter:?}");
}

#[test]
fn a_machine_that_short_cycles_starts_more_than_six_times_an_hour() {
    let starts = |series: &[f64]| series.windows(2).filter(|w| w[1] > w[0]).count();
    let mut pair = Pair::new(JULY, "short-cycling:CH-1@0");
    let [running] = pair.watch(60, ["CH-1/running"]);
    assert!(starts(&running.0) <= 1 && starts(&running.1) > 6, "{running:?}");
}

#[test]
fn sensors_are_off_wander_freeze_fall_silent_and_jump() {
    let host = "CM-1/supply_temperature";
    let off = |fault: &str, minutes: usize| {
        let mut pair = Pair::new(JULY, fault);
        pair.skip(minutes);
        let [sensor, beside] = pair.watch(20, ["CHW-ST/temperature", host]);
        let healthy: Series = sensor.0.iter().zip(&beside.0).map(|(a, b)| a - b).collect();
        let faulty: Series = sensor.1.iter().zip(&beside.1).map(|(a, b)| a - b).collect();
        assert!(mean(&healthy).abs() < 0.05 && width(&healthy) < 0.1, "{healthy:?}");
        (sensor.1, faulty)
    };
    let (_, bias) = off("sensor-bias:CHW-ST=0.5@0", 0);
    assert!((mean(&bias) - 2.0).abs() < 0.05, "{bias:?}");
    let (_, drift) = off("sensor-drift:CHW-ST=0.5@0", 0);
    assert!(drift[0] < 0.5 && drift[1] < drift[5] && (drift[19] - 2.0).abs() < 0.2, "{drift:?}");
    let (frozen, _) = off("sensor-freeze:CHW-ST@0", 0);
    assert!(width(&frozen) == 0.0 && frozen[0].is_finite(), "{frozen:?}");
    let (silent, _) = off("sensor-dropout:CHW-ST@0", 0);
    assert!(silent.iter().all(|v| v.is_nan()), "{silent:?}");
    let (some, _) = off("sensor-dropout:CHW-ST=0.5@0", 0);
    let lost = some.iter().filter(|v| v.is_nan()).count();
    assert!(lost > 3 && lost < 17, "{some:?}");
    let (_, noise) = off("sensor-noise:CHW-ST=0.8@0", 0);
    assert!(width(&noise) > 0.8 && mean(&noise).abs() < 1.2, "{noise:?}");
}

#[test]
fn a_controller_believes_its_faulty_sensor() {
    // The room is held where the sensor says that it is right, and is too cold by what the sensor is off.
    let mut pair = Pair::new(JULY, "sensor-bias:VAV-2-01=0.5@0");
    let [first, _] = pair.means(1, ["VAV-2-01/zone_temperature", "VAV-2-01/airflow"]);
    assert!((first.1 - first.0 - 2.0).abs() < 0.4, "{first:?}");
    pair.skip(90);
    let [shown, airflow] = pair.means(20, ["VAV-2-01/zone_temperature", "VAV-2-01/airflow"]);
    assert!(airflow.1 > 1.2 * airflow.0 && shown.1 - shown.0 < 1.7, "{shown:?} {airflow:?}");
}

#[test]
fn what_one_fault_breaks_is_no_business_of_the_rest() {
    // The air of another unit and its rooms do not notice.
    let mut pair = Pair::new(JANUARY, "stuck-damper:VAV-1-01@0");
    pair.skip(60);
    let [room, fan] = pair.means(10, ["VAV-0-03/zone_temperature", "AHU-1-SF/power"]);
    assert!((room.0 - room.1).abs() < 0.05 && (fan.1 / fan.0 - 1.0).abs() < 0.01, "{room:?} {fan:?}");
}
