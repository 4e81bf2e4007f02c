//! Pump curves: the power law through one or three points, and straight lines between many.

/// Shut-off head `A`, coefficient `B` and exponent `C` of `A - B Q^C` for a curve that defines a power law:
/// one design point (shut-off head 4/3 of its head, twice its flow without head), or three points of
/// which the first is at no flow. `None` where straight lines hold. The EPANET manual, chapter "Pumps".
pub fn power_law(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    let (h0, (q1, h1), (q2, h2)) = match points {
        [(q, h)] => (1.33334 * h, (*q, *h), (2.0 * q, 0.0)),
        [(q0, h0), one, two] if *q0 == 0.0 => (*h0, *one, *two),
        _ => return None,
    };
    let (fall1, fall2) = (h0 - h1, h0 - h2);
    if !(q1 > 0.0 && q2 > q1 && fall1 > 0.0 && fall2 > fall1) {
        return None;
    }
    let c = (fall2 / fall1).ln() / (q2 / q1).ln();
    let b = fall1 / q1.powf(c);
    (c > 0.0 && c <= 20.0 && b.is_finite() && b > 0.0).then_some((h0, b, c))
}

/// Value of a curve by straight lines, held at its ends; 0 for a curve without points.
pub fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let upper = points.partition_point(|p| p.0 < x);
    match (upper.checked_sub(1).and_then(|at| points.get(at)), points.get(upper)) {
        (Some(a), Some(b)) if b.0 > a.0 => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
        (_, Some(b)) => b.1,
        (Some(a), None) => a.1,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_point_is_a_parabola_through_it() {
        let (a, b, c) = power_law(&[(0.1, 30.0)]).unwrap();
        assert!((a - 40.0).abs() < 1e-3 && (c - 2.0).abs() < 1e-4);
        assert!((a - b * 0.1f64.powf(c) - 30.0).abs() < 1e-9);
        assert!((a - b * 0.2f64.powf(c)).abs() < 1e-9);
    }

    #[test]
    fn three_points_are_met() {
        let points = [(0.0, 104.0), (0.12, 92.0), (0.25, 63.0)];
        let (a, b, c) = power_law(&points).unwrap();
        for (q, h) in points {
            assert!((a - b * q.powf(c) - h).abs() < 1e-9);
        }
    }

    #[test]
    fn a_rising_curve_is_no_power_law() {
        assert_eq!(power_law(&[(0.0, 10.0), (1.0, 11.0), (2.0, 5.0)]), None);
        assert_eq!(power_law(&[(0.0, 10.0), (1.0, 9.0)]), None);
        assert_eq!(power_law(&[(f64::NAN, 10.0)]), None);
    }

    #[test]
    fn lines_hold_their_ends() {
        let points = [(1.0, 10.0), (2.0, 20.0)];
        assert_eq!([0.0, 1.5, 9.0].map(|x| interpolate(&points, x)), [10.0, 15.0, 20.0]);
        assert_eq!(interpolate(&[], 1.0), 0.0);
    }
}
