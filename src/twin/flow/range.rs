//! From a solved value to a colour: which values the ends of the colours stand for.

use super::{Networks, work::Work};
use crate::site::graph::Domain;
use crate::site::unit::Quantity;
use crate::twin::state_words::TEMPERATURE_RANGE_C;
use crate::twin::view::ColourBy;
use bevy::prelude::*;
use std::time::{Duration, Instant};

/// Beyond this share of its scale a residual has the last colour: the wider of the two bands that accuracy is told in.
pub const RESIDUAL_RANGE: f64 = 0.2;

/// The range of the temperatures of water in pipes, °C: from a chiller's supply to a boiler's.
pub const WATER_RANGE_C: [f64; 2] = [5.0, 85.0];

/// Ranges are looked at again after this long at the earliest.
const AGAIN: Duration = Duration::from_secs(1);
/// So many values of a kind tell a range well enough.
const ENOUGH: usize = 10_000;
/// The shares of the values that lie below and above a range.
const OUTLIERS: f64 = 0.02;

/// What the ends of the colours mean, in SI.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lowest value, SI: what is below has the first colour.
    pub min: f64,
    /// Highest value, SI: what is above has the last colour.
    pub max: f64,
    /// What it is.
    pub quantity: Quantity,
}

impl Range {
    /// Value 0..65535 of [`Palette::Flow`](crate::twin::state_words::Palette) for a solved value.
    pub fn value(&self, of: f64) -> u16 {
        let span = self.max - self.min;
        let share = if span > 0.0 { (of - self.min) / span } else { 0.5 };
        (share.clamp(0.0, 1.0) * f64::from(u16::MAX)).round() as u16
    }

    /// Whether another range is so different that the colours had better change their meaning: it would not hold the
    /// values, or they would fill only half of it.
    fn fits(&self, other: &Self) -> bool {
        let (span, needed) = (self.max - self.min, other.max - other.min);
        let slack = 0.1 * span;
        other.min >= self.min - slack && other.max <= self.max + slack && needed >= 0.5 * span
    }
}

/// Value of [`Palette::Residual`](crate::twin::state_words::Palette): 32768 where simulated and measured agree, more
/// where more is measured than simulated; the ends are ±[`RESIDUAL_RANGE`].
pub fn residual_value(relative: f64) -> u16 {
    let share = (relative / RESIDUAL_RANGE).clamp(-1.0, 1.0);
    (32_768.0 + share * 32_767.0).round() as u16
}

/// The ranges of the colours by flow, velocity and pressure: water and air each have their own, for a duct carries a
/// thousand times what a pipe does. They go from the second to the ninety-eighth percentile of the values of all
/// networks, to round numbers, and change only when the values have left them: a colour keeps its meaning.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct FlowRanges {
    flow: [Option<Range>; 2],
    velocity: [Option<Range>; 2],
    pressure: [Option<Range>; 2],
}

impl FlowRanges {
    /// The range of a colouring in water or air; none where there is no such network, or the colours mean no flow.
    /// Temperatures and residuals have the same range everywhere, the latter relative, as a ratio.
    pub fn of(&self, by: ColourBy, domain: Domain) -> Option<Range> {
        let at = usize::from(domain == Domain::Air);
        match by {
            ColourBy::Flow => self.flow[at],
            ColourBy::Velocity => self.velocity[at],
            ColourBy::Pressure => self.pressure[at],
            // Of air it is that of rooms; water has one of its own, from a chiller's to a boiler's.
            ColourBy::Temperature => {
                let [min, max] = if domain == Domain::Water { WATER_RANGE_C } else { TEMPERATURE_RANGE_C };
                Some(Range { min, max, quantity: Quantity::Temperature })
            }
            ColourBy::Residual => Some(Range { min: -RESIDUAL_RANGE, max: RESIDUAL_RANGE, quantity: Quantity::Ratio }),
            _ => None,
        }
    }

    /// A range in a domain, for panels without a twin.
    pub fn with(mut self, by: ColourBy, domain: Domain, range: Range) -> Self {
        let at = usize::from(domain == Domain::Air);
        match by {
            ColourBy::Flow => self.flow[at] = Some(range),
            ColourBy::Velocity => self.velocity[at] = Some(range),
            ColourBy::Pressure => self.pressure[at] = Some(range),
            _ => {}
        }
        self
    }
}

/// Follows the values of all networks.
pub fn measure(
    networks: Res<Networks>,
    work: Res<Work>,
    mut ranges: ResMut<FlowRanges>,
    mut solves: Local<(u64, u64)>,
    mut at: Local<Option<Instant>>,
) {
    let Some(building) = &networks.building else { return };
    let now = (work.generation, work.nets.iter().map(|n| n.solves).sum());
    let another = now.0 != solves.0;
    if now == *solves || (!another && at.is_some_and(|at| at.elapsed() < AGAIN)) {
        return;
    }
    (*solves, *at) = (now, Some(Instant::now()));
    let mut next = if another { FlowRanges::default() } else { *ranges };
    for (i, domain) in [Domain::Water, Domain::Air].into_iter().enumerate() {
        let of = || work.nets.iter().zip(&building.networks).filter(|(_, of)| of.domain == domain);
        let values = |pick: fn(&crate::simulation::building::State) -> &Vec<f64>| {
            let all = of().flat_map(|(net, _)| pick(&net.state).iter().copied()).filter(|v| v.is_finite());
            let count = of().map(|(net, _)| pick(&net.state).len()).sum::<usize>();
            all.step_by(count.div_ceil(ENOUGH).max(1)).collect::<Vec<f64>>()
        };
        let size = |values: Vec<f64>| values.into_iter().map(f64::abs).collect::<Vec<f64>>();
        let flow = from_zero(size(values(|s| &s.flow_m3s)), Quantity::VolumeFlow);
        let velocity = from_zero(size(values(|s| &s.velocity_ms)), Quantity::Velocity);
        let pressure = between(values(|s| &s.pressure_pa), Quantity::Pressure);
        let pairs = [(&mut next.flow, flow), (&mut next.velocity, velocity), (&mut next.pressure, pressure)];
        for (own, new) in pairs {
            if let (Some(own), Some(new)) = (own.get_mut(i), new)
                && own.is_none_or(|own| !own.fits(&new))
            {
                *own = Some(new.rounded());
            }
        }
    }
    ranges.set_if_neq(next);
}

/// From nothing to what nearly all are below; none where nothing flows.
fn from_zero(mut values: Vec<f64>, quantity: Quantity) -> Option<Range> {
    let max = percentile(&mut values, 1.0 - OUTLIERS)?;
    (max > 0.0).then_some(Range { min: 0.0, max, quantity })
}

/// What nearly all are between.
fn between(mut values: Vec<f64>, quantity: Quantity) -> Option<Range> {
    let max = percentile(&mut values, 1.0 - OUTLIERS)?;
    let min = percentile(&mut values, OUTLIERS)?;
    (max > min).then_some(Range { min, max, quantity })
}

fn percentile(values: &mut [f64], share: f64) -> Option<f64> {
    let at = ((values.len().checked_sub(1)?) as f64 * share).round() as usize;
    Some(*values.select_nth_unstable_by(at, f64::total_cmp).1)
}

impl Range {
    /// To round numbers outwards: steps of 1, 2 or 5 with a power of ten, some ten of them in the whole.
    fn rounded(self) -> Self {
        let rough = (self.max - self.min) / 10.0;
        let ten = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * ten).find(|s| *s >= rough).unwrap_or(rough);
        let (min, max) = ((self.min / step + 1e-9).floor() * step, (self.max / step - 1e-9).ceil() * step);
        if min.is_finite() && max.is_finite() { Self { min, max, ..self } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: f64, max: f64) -> Range {
        Range { min, max, quantity: Quantity::VolumeFlow }
    }

    #[test]
    fn ranges_leave_outliers_out_and_end_at_round_numbers() {
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) * 1e-5).collect();
        values.push(5.0);
        let flow = from_zero(values, Quantity::VolumeFlow).unwrap().rounded();
        assert!((flow.max - 0.01).abs() < 1e-12 && flow.min == 0.0, "{flow:?}");
        let pressure =
            between((0..=100).map(|i| 152_300.0 + f64::from(i) * 970.0).collect(), Quantity::Pressure).unwrap();
        let pressure = pressure.rounded();
        assert!(pressure.min <= 155_000.0 && pressure.max >= 247_000.0, "{pressure:?}");
        assert_eq!((pressure.min % 10_000.0, pressure.max % 10_000.0), (0.0, 0.0));
        assert_eq!(from_zero(vec![0.0; 9], Quantity::VolumeFlow), None, "nothing flows");
        assert_eq!(between(vec![], Quantity::Pressure), None);
        assert_eq!(range(0.0, 0.02).rounded(), range(0.0, 0.02), "round already");
    }

    #[test]
    fn a_colour_keeps_its_meaning_while_the_values_fit() {
        let shown = range(0.0, 0.02);
        assert!(shown.fits(&range(0.0, 0.0125)) && shown.fits(&range(0.0, 0.0215)));
        assert!(!shown.fits(&range(0.0, 0.03)) && !shown.fits(&range(0.0, 0.004)));
    }

    #[test]
    fn values_of_the_palettes() {
        let shown = range(0.0, 0.02);
        assert_eq!([-1.0, 0.01, 9.0].map(|v| shown.value(v)), [0, 32_768, u16::MAX]);
        assert_eq!([-9.0, 0.0, 0.2, 9.0].map(residual_value), [1, 32_768, u16::MAX, u16::MAX]);
        let domains = [Domain::Water, Domain::Air];
        assert_eq!(domains.map(|d| FlowRanges::default().of(ColourBy::Flow, d)), [None; 2]);
        assert!(domains.iter().all(|d| FlowRanges::default().of(ColourBy::Residual, *d).is_some()));
        let with = FlowRanges::default().with(ColourBy::Flow, Domain::Air, shown);
        assert_eq!(domains.map(|d| with.of(ColourBy::Flow, d)), [None, Some(shown)]);
    }
}
