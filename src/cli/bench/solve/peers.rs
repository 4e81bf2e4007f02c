//! EPANET and epanet-rs, compiled in by the feature `peers`.
//!
//! Both are asked for an accuracy of 1e-6: that is what they call the sum of changes of flow over the sum of
//! flows. Ours stops by its residuals, which is at least as strict.

use cpu_time::ProcessTime;
use epanet::EPANET;
use epanet::types::analysis::InitHydOption;
use epanet::types::link::LinkType;
use epanet::types::node::NodeProperty;
use epanet::types::options::{AnalysisStatistic, Option as Setting, TimeParameter};
use epanet_rs::model::network::Network;
use epanet_rs::solver::hydraulicsolver::HydraulicSolver;
use epanet_rs::solver::state::SolverState;
use std::mem::ManuallyDrop;
use std::path::Path;

/// What EPANET is called in a row.
pub const EPANET_NAME: &str = "EPANET 2.3";
/// What epanet-rs is called in a row.
pub const EPANET_RS_NAME: &str = "epanet-rs 0.2.3";
const ACCURACY: f64 = 1e-6;

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A network in EPANET, its solver open. It is never closed: on Net6 EPANET 2.3 frees what it does not own there.
pub struct Epanet {
    project: ManuallyDrop<EPANET>,
}

impl Epanet {
    /// Opens an INP file; the report goes into `folder`.
    pub fn open(file: &Path, folder: &Path) -> Result<Self, String> {
        let report = folder.join("epanet.rpt");
        let (file, report) = (file.display().to_string(), report.display().to_string());
        let project = EPANET::with_inp_file(&file, &report, "").map_err(told)?;
        project.set_option(Setting::Accuracy, ACCURACY).map_err(told)?;
        project.set_option(Setting::Trials, 500.0).map_err(told)?;
        project.open_h().map_err(told)?;
        Ok(Self { project: ManuallyDrop::new(project) })
    }

    /// Solves for a moment. A warning, of pressures below zero say, is no failure: its codes are below 100.
    fn solve(&self) -> Result<(), String> {
        match self.project.run_h() {
            Err(e) if e.code >= 100 => Err(told(e)),
            _ => Ok(()),
        }
    }

    /// CPU seconds of a solve from the file's first flows.
    pub fn cold(&self) -> Result<f64, String> {
        let start = ProcessTime::now();
        self.project.init_h(InitHydOption::InitFlow).map_err(told)?;
        self.solve()?;
        let seconds = start.elapsed().as_secs_f64();
        match self.effort().0 {
            Some(1..=500) => Ok(seconds),
            // epanet-rs has functions of the same names, without this statistic.
            _ => Err("EPANET's own functions are not the ones that were linked".to_owned()),
        }
    }

    /// CPU seconds of a solve from the last flows, with each of these nodes' demands so many times what the
    /// file says.
    pub fn warm(&self, demands: &[(i32, f64)]) -> Result<f64, String> {
        for &(node, demand) in demands {
            self.project.set_node_value(node, NodeProperty::BaseDemand, demand).map_err(told)?;
        }
        let start = ProcessTime::now();
        self.solve()?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// A node's number and its base demand in the file's units.
    pub fn demand(&self, id: &str) -> Result<(i32, f64), String> {
        let node = self.project.get_node_index(id).map_err(told)?;
        Ok((node, self.project.get_node_value(node, NodeProperty::BaseDemand).map_err(told)?))
    }

    /// CPU seconds of adding a pipe between two nodes and solving again.
    pub fn edit(&self, id: &str, from: &str, to: &str) -> Result<f64, String> {
        let start = ProcessTime::now();
        self.project.close_h().map_err(told)?;
        self.project.add_link(id, LinkType::Pipe, from, to).map_err(told)?;
        self.project.open_h().map_err(told)?;
        self.project.init_h(InitHydOption::NoSave).map_err(told)?;
        self.solve()?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Runs so many seconds with all demands multiplied; how many moments there were.
    pub fn period(&self, seconds: i32, multiplier: f64) -> Result<usize, String> {
        self.project.set_time_parameter(TimeParameter::Duration, seconds).map_err(told)?;
        self.project.set_option(Setting::DemandMult, multiplier).map_err(told)?;
        self.project.init_h(InitHydOption::InitFlow).map_err(told)?;
        let mut moments = 0;
        loop {
            self.solve()?;
            moments += 1;
            if self.project.next_h().map_err(told)? == 0 {
                return Ok(moments);
            }
        }
    }

    /// Iterations of the last solve, and its change of flow over flow.
    pub fn effort(&self) -> (Option<usize>, Option<f64>) {
        let of = |statistic| self.project.get_statistic(statistic).ok();
        (of(AnalysisStatistic::Iterations).map(|n| n as usize), of(AnalysisStatistic::RelativeError))
    }
}

/// A network in epanet-rs, its pattern analysed.
pub struct EpanetRs {
    network: Network,
    solver: HydraulicSolver,
}

impl EpanetRs {
    /// Reads an INP file.
    pub fn open(file: &Path) -> Result<Self, String> {
        let mut network = Network::from_file(&file.display().to_string()).map_err(told)?;
        network.options.accuracy = ACCURACY;
        network.options.max_trials = 500;
        let solver = HydraulicSolver::new(&network).map_err(told)?;
        Ok(Self { network, solver })
    }

    /// CPU seconds of a solve from the file's first flows.
    pub fn cold(&self) -> Result<f64, String> {
        let mut state = SolverState::new_with_initial_values(&self.network);
        state.apply_patterns(&self.network, 0);
        state.apply_controls(&self.network, 0);
        let start = ProcessTime::now();
        self.solver.solve(&self.network, &state).map_err(told)?;
        Ok(start.elapsed().as_secs_f64())
    }
}
