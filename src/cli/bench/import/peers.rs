//! Other readers, run as programs of their own: see `benches/peers/README.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How often each is run; the least counts.
const RUNS: usize = 2;

/// Another reader.
pub struct Peer {
    /// What it is called.
    pub name: &'static str,
    /// Processor seconds from its start to its end without a model, or why it cannot be run.
    pub start: Result<f64, String>,
    /// Program, and what stands before the model's file.
    command: Vec<PathBuf>,
    /// Our time over theirs: where cutting openings is most of the work, and elsewhere.
    goals: [f64; 2],
}

impl Peer {
    /// All that we know.
    pub fn all() -> Vec<Self> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
        let installed = std::env::var_os("PLENUM_PEERS").map_or_else(|| scripts.join("installed"), PathBuf::from);
        let node = vec!["node".into(), scripts.join("web-ifc.cjs"), installed.clone()];
        let python = vec![installed.join("venv/bin/python"), scripts.join("ifcopenshell_shapes.py")];
        vec![
            Self::new("web-ifc 0.0.78", node, [1.7, 1.0 / 3.0]),
            Self::new("IfcOpenShell 0.9.0", python, [1.0 / 3.0, 0.05]),
        ]
    }

    fn new(name: &'static str, command: Vec<PathBuf>, goals: [f64; 2]) -> Self {
        let mut peer = Self { name, start: Err(String::new()), command, goals };
        peer.start = peer.least(None);
        peer
    }

    /// Our time over theirs should be at most this. `cuts`: openings are most of the work.
    pub fn goal(&self, cuts: bool) -> f64 {
        self.goals[usize::from(!cuts)]
    }

    /// Processor seconds for a model, its start subtracted.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn net(&self, file: &Path) -> Result<f64, String> {
        let start = self.start.clone()?;
        Ok((self.least(Some(file))? - start).max(0.0))
    }

    fn least(&self, file: Option<&Path>) -> Result<f64, String> {
        let mut least = f64::INFINITY;
        for _ in 0..RUNS {
            least = least.min(self.run(file)?);
        }
        Ok(least)
    }

    fn run(&self, file: Option<&Path>) -> Result<f64, String> {
        let missing = "not here: run benches/peers/install";
        let (program, arguments) = self.command.split_first().ok_or(missing)?;
        let output = Command::new(program).args(arguments).args(file).output().map_err(|_| missing)?;
        let said = String::from_utf8_lossy(&output.stderr);
        let why = || said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it printed no figure").to_owned();
        if said.contains("Cannot find module") || said.contains("No module named") {
            return Err(missing.into());
        }
        let line = String::from_utf8_lossy(&output.stdout);
        let line = line.lines().rev().find(|l| l.starts_with('{')).ok_or_else(why)?;
        let figures: serde_json::Value = serde_json::from_str(line).map_err(|_| why())?;
        figures["cpu_s"].as_f64().ok_or_else(why)
    }
}
