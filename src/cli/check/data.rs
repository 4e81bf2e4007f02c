//! How good the data of a project were, as far as its history tells.

use crate::analytics::data_quality::site::{Flaw, Row, SiteQuality, of_points, of_site};
use crate::cli::interrupt;
use crate::history::{HistoryError, Place, Reason, Span};
use crate::problem::Problem;
use crate::site::readiness::{DataFlaw, Kind, Readiness};
use crate::site::{Project, Site};
use crate::telemetry::wall_clock;
use crate::time::Time;

/// Looks at so much of the history, seconds.
const SPAN_S: f64 = 7.0 * 86_400.0;

/// Takes what the history of a project says of its points into the findings. Nothing, where there is no history yet, and
/// where it cannot be read: that is said, and the models are judged all the same.
///
/// # Errors
/// Ctrl-C.
pub(super) fn look(readiness: &mut Readiness, project: &Project, site: &Site) -> Result<(), Problem> {
    let measured = site.points.iter().filter(|p| p.is_measured()).count();
    if measured == 0 {
        return Ok(());
    }
    let report = match report(project, site) {
        Ok(None) => return Ok(()),
        Ok(Some(None)) => return Err(interrupt::stopped(project.file.display().to_string())),
        Ok(Some(Some(report))) => report,
        Err(error) => {
            eprintln!("plenum: {}", error.problem());
            return Ok(());
        }
    };
    let flaws = report.points.iter().flat_map(|row| row.flaws.iter().map(|flaw| told(row, *flaw)));
    readiness.take_data(measured, flaws.collect());
    Ok(())
}

/// What the last week was like; none where there is no history, and none in that where it was stopped.
fn report(project: &Project, site: &Site) -> Result<Option<Option<SiteQuality>>, HistoryError> {
    let Some(place) = Place::of(&project.history)? else { return Ok(None) };
    let reader = match place.read() {
        Err(e) if e.reason == Reason::Gone && matches!(place, Place::File(_)) => return Ok(None),
        other => other?,
    };
    let known = reader.points()?;
    let one_clock = project.clock_topic.is_none();
    let asked = of_points(&site.points, &known, one_clock);
    let keys: Vec<_> = asked.iter().filter_map(|a| a.key).collect();
    let newest = reader.latest(&keys)?.iter().flatten().map(|s| s.time).max();
    let Some(newest) = newest else { return Ok(None) };
    // A site with a clock of its own may live at another time than this machine.
    let to = if one_clock { wall_clock() } else { Time(newest.0.saturating_add(1)) };
    let span = Span { from: to.plus_seconds(-SPAN_S), to };
    of_site(reader.as_ref(), &asked, span, |_| !interrupt::interrupted()).map(Some)
}

fn told(row: &Row, flaw: Flaw) -> DataFlaw {
    let q = &row.quality;
    let drift = |drift: Option<crate::analytics::data_quality::drift::Drift>, from: &str| {
        drift.map_or_else(String::new, |d| format!("moves away from {from} by {:+.3} (SI) a day", d.per_day))
    };
    let late = q.lateness.map_or(0.0, |l| l.median_s);
    let (kind, message) = match flaw {
        Flaw::Silent => (Kind::Silent, "no sample in the last week".to_owned()),
        Flaw::Gaps => (
            Kind::Gaps,
            format!(
                "covered for {:.1} % of the time, the longest gap is {:.0} s",
                100.0 * q.coverage,
                q.longest_gap_s()
            ),
        ),
        Flaw::Bad => (Kind::BadSamples, format!("{} of {} samples are bad", q.bad, q.samples)),
        Flaw::Flat => (Kind::FlatLine, format!("the same value for too long, {} times", q.flat.len())),
        Flaw::Drifts => (Kind::Drifts, drift(row.drift, "its neighbours")),
        Flaw::Departs => (Kind::Departs, drift(row.twin, "what the flow networks say")),
        Flaw::Late => (Kind::Late, format!("half of the samples take more than {late:.0} s")),
        Flaw::Ahead => (Kind::ClockAhead, format!("half of the samples come {:.0} s from the future", -late)),
    };
    DataFlaw { kind, point: row.id.clone(), message }
}
