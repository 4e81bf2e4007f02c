//! The order in which people see elements: storeys from the roof down, then classes, then labels.

use crate::site::{Element, ElementKind, Site};
use std::cmp::Ordering;

/// Slots in the order of the tree: what stands on a storey from the highest down, then what stands on none, then the
/// features of map layers; within these by class and by label.
pub(super) fn tree_order(site: &Site) -> Vec<u32> {
    // Storeys of one height keep their order.
    let mut heights: Vec<usize> = (0..site.storeys.len()).collect();
    let height = |i: &usize| site.storeys.get(*i).map_or(0.0, |s| s.elevation_m);
    heights.sort_by(|a, b| height(b).total_cmp(&height(a)));
    let mut rank = vec![0; heights.len()];
    for (at, storey) in heights.iter().enumerate() {
        if let Some(rank) = rank.get_mut(*storey) {
            *rank = at;
        }
    }
    let place = |e: &Element| match (e.kind, e.storey) {
        (ElementKind::Feature, _) => usize::MAX,
        (_, Some(storey)) => rank.get(storey as usize).copied().unwrap_or(usize::MAX - 1),
        (_, None) => usize::MAX - 1,
    };
    let mut named: Vec<(usize, &str, String, u32)> =
        site.iter().map(|(slot, e)| (place(e), e.class.as_str(), e.label(), slot.0)).collect();
    named.sort_by(|a, b| {
        let classes = || if a.1 == b.1 { Ordering::Equal } else { natural(a.1, b.1).then_with(|| a.1.cmp(b.1)) };
        a.0.cmp(&b.0).then_with(classes).then_with(|| natural(&a.2, &b.2)).then(a.3.cmp(&b.3))
    });
    named.into_iter().map(|n| n.3).collect()
}

/// Orders names as people do: `VAV-2` before `VAV-10`; capitals do not count.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
            return (!a.is_empty()).cmp(&!b.is_empty());
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y) = (number(&mut a), number(&mut b));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            a = a.get(x.len_utf8()..).unwrap_or("");
            b = b.get(y.len_utf8()..).unwrap_or("");
            x.to_lowercase().cmp(y.to_lowercase())
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes a run of digits, without leading zeros: a longer one is a greater number.
fn number<'a>(text: &mut &'a str) -> &'a str {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::model::Storey;

    #[test]
    fn names_sort_as_people_do() {
        let mut names = ["VAV-10-1", "vav-2-4", "VAV-2-04a", "AHU", "VAV-2-3"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["AHU", "VAV-2-3", "vav-2-4", "VAV-2-04a", "VAV-10-1"]);
        assert_eq!(natural("a", "a"), Ordering::Equal);
        assert_eq!(natural("ä1", "ä"), Ordering::Greater);
    }

    #[test]
    fn the_roof_comes_first_and_the_map_last() {
        let element = |tag: &str, storey, kind| Element { tag: tag.into(), storey, kind, ..Element::default() };
        let (site, _) = Site::of_elements(
            "",
            vec![
                element("tree", None, ElementKind::Feature),
                element("loose", None, ElementKind::Element),
                element("P-10", Some(0), ElementKind::Element),
                element("P-9", Some(0), ElementKind::Element),
                element("R", Some(1), ElementKind::Element),
            ],
        );
        let storeys = [0.0, 4.0].map(|elevation_m| Storey { elevation_m, ..Storey::default() });
        let site = Site { storeys: storeys.into(), ..site };
        assert_eq!(tree_order(&site), [4, 3, 2, 1, 0]);
    }
}
