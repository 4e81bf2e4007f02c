//! Several topics that want the same point, and topics of other buildings.

use super::infer::Reading;
use super::tokens::plain;
use crate::site::model::Slot;
use std::collections::{HashMap, HashSet};

/// This close two scores are alike.
pub(super) const ALIKE: f64 = 0.04;

/// Fewer topics than these say nothing of what a building is called.
const FEW: usize = 5;

/// Which of the marks before elements are those of another building.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The mark that most have; none where nobody can tell.
    pub ours: Option<String>,
    theirs: HashSet<String>,
}

impl Marks {
    /// Looks at the best readings of all topics. `stated` is what the project says its building is called in topics,
    /// `names` are those of the site and its buildings.
    pub fn of<'r>(best: impl Iterator<Item = &'r Reading>, stated: &[String], names: &[String]) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut claims: HashMap<(Slot, &str), Vec<&str>> = HashMap::new();
        for reading in best {
            *counts.entry(&reading.mark).or_default() += 1;
            claims.entry((reading.slot, &reading.role)).or_default().push(&reading.mark);
        }
        let stated: Vec<String> = stated.iter().map(|s| plain(s)).filter(|s| !s.is_empty()).collect();
        if !stated.is_empty() {
            let is_ours = |mark: &str| stated.iter().any(|s| has_words(mark, s));
            let theirs = counts.keys().filter(|m| !m.is_empty() && !is_ours(m)).map(|m| (*m).to_owned()).collect();
            return Self { ours: stated.into_iter().next(), theirs };
        }
        let mut marks: Vec<(&str, usize)> = counts.iter().map(|(m, n)| (*m, *n)).collect();
        marks.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let total: usize = marks.iter().map(|(_, n)| n).sum();
        let named = marks.iter().find(|(m, n)| *n * 5 >= total && names.iter().any(|name| shares_word(m, name)));
        let Some((ours, most)) = named.or_else(|| marks.first()).copied() else { return Self::default() };
        let second = marks.iter().filter(|(m, _)| *m != ours).map(|(_, n)| *n).max().unwrap_or(0);
        // Too few topics, or two buildings that have about as much here: nobody can tell which is ours.
        if named.is_none() && (most < 2 * second || most < FEW) {
            return Self::default();
        }
        let quarrels = |mark: &str| claims.values().any(|m| m.contains(&mark) && m.contains(&ours));
        let sure = most * 5 >= total * 4 && most >= 20;
        let theirs = marks.iter().map(|(m, _)| *m).filter(|m| *m != ours && !m.is_empty()).filter(|m| {
            let within = has_words(m, ours) || has_words(ours, m);
            quarrels(m) || !within && (sure || same_shape(m, ours))
        });
        Self { ours: Some(ours.to_owned()), theirs: theirs.map(str::to_owned).collect() }
    }

    /// True for the mark of another building.
    pub fn is_theirs(&self, mark: &str) -> bool {
        self.theirs.contains(mark)
    }
}

/// True where the words of one are among those of the other, one after the other.
fn has_words(mark: &str, words: &str) -> bool {
    format!(" {mark} ").contains(&format!(" {words} "))
}

fn shares_word(mark: &str, name: &str) -> bool {
    let name = plain(name);
    mark.split(' ').any(|w| w.len() > 2 && !w.bytes().all(|b| b.is_ascii_digit()) && has_words(&name, w))
}

/// The same words with other numbers: `B 1` and `B 2`.
fn same_shape(a: &str, b: &str) -> bool {
    let number = |w: &str| w.bytes().all(|c| c.is_ascii_digit());
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split(' ').collect(), b.split(' ').collect());
    a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| x == y || number(x) && number(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(mark: &str, from: u32, to: u32) -> Vec<Reading> {
        (from..to)
            .map(|i| Reading { slot: Slot(i), role: "t".into(), score: 0.97, mark: mark.into(), named: String::new() })
            .collect()
    }

    #[test]
    fn the_other_building_is_the_one_with_fewer_points_of_ours() {
        let all: Vec<Reading> = [readings("B 1", 0, 40), readings("B 2", 30, 50), readings("", 60, 70)].concat();
        let marks = Marks::of(all.iter(), &[], &[]);
        assert_eq!(marks.ours.as_deref(), Some("B 1"));
        assert!(marks.is_theirs("B 2") && !marks.is_theirs("") && !marks.is_theirs("B 1"));
        // As many on both sides: neither.
        let all: Vec<Reading> = [readings("B 1", 0, 40), readings("B 2", 0, 40)].concat();
        let marks = Marks::of(all.iter(), &[], &[]);
        assert!(marks.ours.is_none() && !marks.is_theirs("B 2"));
        // Unless somebody says so, or the site's name does.
        assert!(Marks::of(all.iter(), &["B1".into()], &[]).is_theirs("B 2"));
        let all: Vec<Reading> = [readings("CLINIC", 0, 30), readings("HOSPITAL", 0, 40)].concat();
        assert!(Marks::of(all.iter(), &[], &["Riverside Clinic".into()]).is_theirs("HOSPITAL"));
    }

    #[test]
    fn parts_of_one_site_are_no_rivals() {
        let all: Vec<Reading> = [readings("NORTH", 0, 20), readings("SOUTH", 20, 35)].concat();
        let marks = Marks::of(all.iter(), &[], &[]);
        assert!(!marks.is_theirs("NORTH") && !marks.is_theirs("SOUTH"));
        assert!(same_shape("B 1", "B 12") && !same_shape("B 1", "C 1"));
    }
}
