//! What a measurement says.

use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured, on what: `clinic, 440 points`.
    pub case: String,
    /// The unit: `cpu_ms`, `per_s`, `bytes`, `ms`, `us`.
    pub metric: &'static str,
    /// Our figure; none where it cannot be had here.
    pub ours: Option<f64>,
    /// What it is held against; empty when nothing is.
    pub peer: String,
    /// The peer's figure, when it could be run here.
    pub theirs: Option<f64>,
    /// Ours over theirs; of solves theirs over ours, how many times faster we are.
    pub ratio: Option<f64>,
    /// The goal for the ratio where there is a peer, else for our figure.
    pub goal: Option<f64>,
    /// Whether the goal is met; none without one.
    pub met: Option<bool>,
    /// Why a figure is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How far both got: of solves only.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub solved: Option<Solved>,
}

/// How far a solve and its peer's got.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Solved {
    /// Our linear systems.
    pub iterations: usize,
    /// Factorisations among them.
    pub factorisations: usize,
    /// Our largest imbalance at a node, m³/s.
    pub max_mass_residual_m3s: f64,
    /// Our largest difference between a link's loss and the heads at its ends, m.
    pub max_head_residual_m: f64,
    /// The peer's linear systems, where it tells.
    pub their_iterations: Option<usize>,
    /// The peer's changes of flow over its flows in its last step, where it tells.
    pub their_relative_change: Option<f64>,
}

impl Row {
    /// A figure of ours that should be at most `goal`.
    pub fn at_most(case: impl Into<String>, metric: &'static str, ours: f64, goal: f64) -> Self {
        Self::alone(case, metric, ours, Some(goal), Some(ours <= goal))
    }

    /// A figure of ours that should be at least `goal`.
    pub fn at_least(case: impl Into<String>, metric: &'static str, ours: f64, goal: f64) -> Self {
        Self::alone(case, metric, ours, Some(goal), Some(ours >= goal))
    }

    /// A figure without a goal.
    pub fn only(case: impl Into<String>, metric: &'static str, ours: f64) -> Self {
        Self::alone(case, metric, ours, None, None)
    }

    /// A figure beside a peer's, whose ratio should be at most `goal`.
    pub fn against(
        case: impl Into<String>,
        metric: &'static str,
        ours: f64,
        peer: impl Into<String>,
        theirs: f64,
        goal: f64,
    ) -> Self {
        let row = Self::beside(case, metric, ours, peer, theirs);
        Self { goal: Some(goal), met: row.ratio.map(|r| r <= goal), ..row }
    }

    /// A time beside a peer's, which should be at least `goal` times ours.
    pub fn faster(
        case: impl Into<String>,
        metric: &'static str,
        ours: f64,
        peer: impl Into<String>,
        theirs: Result<f64, String>,
        goal: f64,
    ) -> Self {
        let mut row = Self { peer: peer.into(), goal: Some(goal), ..Self::only(case, metric, ours) };
        match theirs {
            Ok(theirs) => {
                let ratio = theirs / ours;
                (row.theirs, row.ratio, row.met) = (Some(theirs), Some(ratio), Some(ratio >= goal));
            }
            Err(why) => row.why = Some(why),
        }
        row
    }

    /// A figure beside a peer's, without a goal.
    pub fn beside(
        case: impl Into<String>,
        metric: &'static str,
        ours: f64,
        peer: impl Into<String>,
        theirs: f64,
    ) -> Self {
        let row = Self::only(case, metric, ours);
        Self { peer: peer.into(), theirs: Some(theirs), ratio: Some(ours / theirs), ..row }
    }

    /// A figure whose peer cannot be run here, and why.
    pub fn without(
        case: impl Into<String>,
        metric: &'static str,
        ours: f64,
        peer: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self { peer: peer.into(), why: Some(why.into()), ..Self::only(case, metric, ours) }
    }

    fn alone(case: impl Into<String>, metric: &'static str, ours: f64, goal: Option<f64>, met: Option<bool>) -> Self {
        Self {
            case: case.into(),
            metric,
            ours: Some(ours),
            peer: String::new(),
            theirs: None,
            ratio: None,
            goal,
            met,
            why: None,
            solved: None,
        }
    }

    /// A figure that cannot be had here.
    pub fn missing(case: impl Into<String>, metric: &'static str, goal: f64, why: impl Into<String>) -> Self {
        Self { ours: None, why: Some(why.into()), ..Self::alone(case, metric, f64::NAN, Some(goal), None) }
    }
}
