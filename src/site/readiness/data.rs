//! Whether what points say can be relied on: what somebody found in their history.

use super::{Item, Kind, Readiness, Tally, weighted};

/// What is wrong with the data of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFlaw {
    /// One of the kinds that [`Kind::is_data`].
    pub kind: Kind,
    /// Id of the point.
    pub point: String,
    /// How it shows: `covered for 91.2 % of the time`.
    pub message: String,
}

impl Readiness {
    /// Takes in what was found in the history of so many points, and gives it a score.
    pub fn take_data(&mut self, points: usize, mut flaws: Vec<DataFlaw>) {
        for kind in Kind::DATA {
            let affected = flaws.iter().filter(|f| f.kind == kind).count();
            self.tallies.insert(kind, Tally { affected, of: points });
        }
        let own = self.tallies.iter().filter(|(k, t)| k.is_data() && t.of > 0).map(|(k, t)| (k.weight(), *t));
        self.data = weighted(own);
        flaws.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.point.cmp(&b.point)));
        self.items.extend(flaws.into_iter().map(|flaw| Item {
            kind: flaw.kind.id(),
            place: flaw.point,
            message: flaw.message,
            remedy: flaw.kind.remedy().to_owned(),
            severity: flaw.kind.severity(),
            id: None,
            class: None,
            file: None,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_count_by_weight_and_share_of_the_points() {
        let flaw = |kind, point: &str| DataFlaw { kind, point: point.into(), message: "so".into() };
        let mut readiness = Readiness::default();
        readiness.take_data(4, vec![flaw(Kind::Gaps, "b"), flaw(Kind::Silent, "c"), flaw(Kind::Gaps, "a")]);
        // Weights 10, 10 and six times 5: one of four silent, two of four with gaps.
        assert_eq!(readiness.data, Some(90.0));
        let places: Vec<&str> = readiness.items.iter().map(|i| i.place.as_str()).collect();
        assert_eq!(places, ["c", "a", "b"]);
        assert_eq!(super::super::score(&readiness.tallies), None, "that is not the model's");
        let mut clean = Readiness::default();
        clean.take_data(4, Vec::new());
        assert_eq!((clean.data, clean.items.len()), (Some(100.0), 0));
        let mut none = Readiness::default();
        none.take_data(0, Vec::new());
        assert_eq!(none.data, None);
    }
}
