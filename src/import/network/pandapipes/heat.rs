//! What a pandapipes net says of heat, as flow and temperature are solved together.

use super::PipeNet;
use crate::simulation::fluid::Fluid;
use crate::simulation::network::LinkKind;
use crate::simulation::network::transport::{Coupling, Run};
use std::f64::consts::PI;

/// The standard atmosphere, Pa: pressures of such nets are above it.
const ATMOSPHERE_PA: f64 = 101_325.0;
/// What a net begins with that says nothing, °C.
const START_C: f64 = 20.0;

impl PipeNet {
    /// Its pipes and heat exchangers as what carries heat, in the order of [`PipeNet::warmth`].
    pub fn runs(&self) -> Vec<Run> {
        let surface = |link: usize| match self.network.links.get(link).map(|l| &l.kind) {
            Some(LinkKind::Pipe(pipe)) => PI * pipe.diameter * pipe.length,
            _ => 0.0,
        };
        let run = |w: &super::Warmth| Run {
            link: w.link,
            sections: w.sections,
            ua_w_k: w.transfer_w_m2k * surface(w.link),
            ambient_c: w.around_c,
            heat_w: w.gain_w,
        };
        self.warmth.iter().map(run).collect()
    }

    /// Flow and temperature of it, with water as it is: its reference has that too, while such a file gives the
    /// properties of one temperature. The pressure of the water is that of the first external grid.
    pub fn coupling<'a>(&'a self, runs: &'a [Run]) -> Coupling<'a> {
        let supply = self.fixed_c.first().map_or(0, |(node, _)| *node);
        let head = self.network.nodes.get(supply).map_or(0.0, |n| n.elevation);
        let height = self.height_m.get(supply).copied().unwrap_or_default();
        Coupling {
            network: &self.network,
            height_m: &self.height_m,
            runs,
            inlets: &self.fixed_c,
            start_c: self.start_c.first().copied().unwrap_or(START_C),
            fluid: Fluid::Water { pressure_pa: ATMOSPHERE_PA + (head - height) * self.network.pa_per_m() },
            atmosphere_pa: ATMOSPHERE_PA,
        }
    }
}
