//! What the twin expected of a point, kept beside what was measured: a series of its own, named after the point.
//!
//! With it a trend shows measured and simulated together, and a sensor that slowly leaves what the rest of the building
//! says is found without a neighbour ([`crate::analytics::data_quality`]).

use super::PointInfo;

/// How the ids of such series end.
const ENDING: &str = "@simulated";

/// The id of the series that belongs to a point.
pub fn id(point: &str) -> String {
    format!("{point}{ENDING}")
}

/// The point that a series belongs to, by its id; none: the id is of a point itself.
pub fn point_of(id: &str) -> Option<&str> {
    id.strip_suffix(ENDING).filter(|point| !point.is_empty())
}

/// The series that belongs to a point: read in its unit, and kept as long.
pub fn info(point: &PointInfo) -> PointInfo {
    PointInfo { id: id(&point.id), ..point.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_has_the_name_of_its_point() {
        let point =
            PointInfo { id: "AHU-1/supply".into(), unit: "Cel".into(), class: "air".into(), ..Default::default() };
        let series = info(&point);
        assert_eq!(point_of(&series.id), Some("AHU-1/supply"));
        assert_eq!((series.unit.as_str(), series.class.as_str()), ("Cel", "air"));
        assert_eq!((point_of("AHU-1/supply"), point_of(ENDING)), (None, None));
    }
}
