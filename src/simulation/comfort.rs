//! How people feel in a room: PMV and PPD, operative temperature and local discomfort.
//!
//! ISO 7730:2005. The predicted mean vote is worked out as its annex D does, with the same start and the
//! same end of the iteration of the clothing's temperature, so that everybody who follows the standard
//! gets the same figure (iterated on to the end, votes move by up to 0.002). Temperatures are in °C.

/// A met, W/m² of body surface.
const MET_W_M2: f64 = 58.15;
/// A clo, m²·K/W.
const CLO_M2K_W: f64 = 0.155;

/// What a person in a room meets, wears and does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Air, °C; 10 to 30.
    pub air_c: f64,
    /// Mean radiant temperature, °C; 10 to 40.
    pub radiant_c: f64,
    /// Relative humidity, 0..1.
    pub humidity: f64,
    /// Air speed relative to the body, m/s; 0 to 1.
    pub speed_ms: f64,
    /// Activity, met; 0.8 to 4.
    pub met: f64,
    /// Clothing, clo; 0 to 2.
    pub clo: f64,
    /// Work that leaves the body, met; mostly 0.
    pub work_met: f64,
}

impl Person {
    /// Office work: 1.2 met, no external work.
    pub fn at_a_desk(air_c: f64, radiant_c: f64, humidity: f64, speed_ms: f64, clo: f64) -> Self {
        Self { air_c, radiant_c, humidity, speed_ms, met: 1.2, clo, work_met: 0.0 }
    }

    /// True inside the limits that ISO 7730 gives for its equation (4.1), with the vapour below 2700 Pa.
    pub fn within_limits(&self) -> bool {
        (0.8..=4.0).contains(&self.met)
            && (0.0..=2.0).contains(&self.clo)
            && (10.0..=30.0).contains(&self.air_c)
            && (10.0..=40.0).contains(&self.radiant_c)
            && (0.0..=1.0).contains(&self.speed_ms)
            && (0.0..=2700.0).contains(&vapour_pa(self))
            && (-2.0..=2.0).contains(&predicted_mean_vote(self))
    }
}

/// Vapour pressure as annex D has it, Pa.
fn vapour_pa(person: &Person) -> f64 {
    1000.0 * person.humidity * (16.6536 - 4030.183 / (person.air_c + 235.0)).exp()
}

/// Predicted mean vote: -3 cold, 0 neutral, +3 hot (ISO 7730, equations 1 to 4, annex D).
/// Not a number where the clothing's temperature does not settle, far outside of the standard's limits.
pub fn predicted_mean_vote(person: &Person) -> f64 {
    let (ta, tr) = (person.air_c, person.radiant_c);
    let vapour_pa = vapour_pa(person);
    let clothing = CLO_M2K_W * person.clo;
    let metabolism = person.met * MET_W_M2;
    let heat = metabolism - person.work_met * MET_W_M2;
    let area = if clothing <= 0.078 { 1.0 + 1.29 * clothing } else { 1.05 + 0.645 * clothing };
    let forced = 12.1 * person.speed_ms.max(0.0).sqrt();
    let (air_k, radiant_k) = (ta + 273.0, tr + 273.0);

    // The clothing's surface, in hundreds of kelvin.
    let p1 = clothing * area;
    let p2 = p1 * 3.96;
    let p5 = 308.7 - 0.028 * heat + p2 * (radiant_k / 100.0).powi(4);
    let first = air_k + (35.5 - ta) / (3.5 * (6.45 * clothing + 0.1));
    let (mut new, mut old) = (first / 100.0, first / 50.0);
    let mut film = forced;
    let mut rounds = 0;
    while (new - old).abs() > 0.000_15 {
        old = 0.5 * (old + new);
        film = forced.max(2.38 * (100.0 * old - air_k).abs().powf(0.25));
        new = (p5 + p1 * air_k * film - p2 * old.powi(4)) / (100.0 + 100.0 * p1 * film);
        rounds += 1;
        if rounds > 150 {
            return f64::NAN;
        }
    }
    let clothing_c = 100.0 * new - 273.0;

    let skin = 3.05e-3 * (5733.0 - 6.99 * heat - vapour_pa);
    let sweat = (0.42 * (heat - MET_W_M2)).max(0.0);
    let latent_breath = 1.7e-5 * metabolism * (5867.0 - vapour_pa);
    let dry_breath = 0.0014 * metabolism * (34.0 - ta);
    let radiation = 3.96 * area * (new.powi(4) - (radiant_k / 100.0).powi(4));
    let convection = area * film * (clothing_c - ta);
    let sensation = 0.303 * (-0.036 * metabolism).exp() + 0.028;
    sensation * (heat - skin - sweat - latent_breath - dry_breath - radiation - convection)
}

/// Predicted percentage of dissatisfied for a vote, % (ISO 7730, equation 5); never below 5.
pub fn predicted_dissatisfied(vote: f64) -> f64 {
    100.0 - 95.0 * (-0.033_53 * vote.powi(4) - 0.2179 * vote * vote).exp()
}

/// Operative temperature, °C: air and radiant temperature by their share in the heat exchange
/// (ISO 7726, annex G: `(√(10·v)·ta + tr) / (1 + √(10·v))`).
pub fn operative_c(air_c: f64, radiant_c: f64, speed_ms: f64) -> f64 {
    let film = (10.0 * speed_ms.max(0.0)).sqrt();
    (film * air_c + radiant_c) / (1.0 + film)
}

/// Mean radiant temperature from surfaces, °C: `(Σ F·T⁴)^¼` by (view factor, °C); the factors are
/// brought to a sum of one. None without surfaces.
pub fn mean_radiant_c(surfaces: &[(f64, f64)]) -> Option<f64> {
    let whole: f64 = surfaces.iter().map(|(view, _)| view.max(0.0)).sum();
    let fourth: f64 = surfaces.iter().map(|(view, c)| view.max(0.0) * (c + 273.15).powi(4)).sum();
    (whole > 0.0).then(|| (fourth / whole).powf(0.25) - 273.15)
}

/// Speed of the air relative to a moving body, m/s (ISO 7730, annex C: 0.3 m/s more for each met above one).
pub fn relative_speed_ms(speed_ms: f64, met: f64) -> f64 {
    speed_ms + 0.3 * (met - 1.0).max(0.0)
}

/// People that a draught bothers, % (ISO 7730, equation 6); `turbulence_percent` is 40 where unknown.
/// The equation holds for 20 to 26 °C, 0.05 to 0.5 m/s, 10 to 60 %.
pub fn draught_percent(air_c: f64, speed_ms: f64, turbulence_percent: f64) -> f64 {
    // The standard's 3.14, which has nothing to do with circles.
    const STEADY: f64 = 3.1 + 0.04;
    let v = speed_ms.max(0.05);
    let t = (34.0 - air_c).max(0.0);
    (t * (v - 0.05).powf(0.62) * (0.37 * v * turbulence_percent.max(0.0) + STEADY)).clamp(0.0, 100.0)
}

/// People that a warm head over cold feet bothers, % (equation 7); for less than 8 K from 0.1 to 1.1 m.
pub fn vertical_difference_percent(difference_k: f64) -> f64 {
    100.0 / (1.0 + (5.76 - 0.856 * difference_k.clamp(0.0, 8.0)).exp())
}

/// People that a floor's temperature bothers, % (equation 8).
pub fn floor_percent(floor_c: f64) -> f64 {
    (100.0 - 94.0 * (-1.387 + 0.118 * floor_c - 0.0025 * floor_c * floor_c).exp()).clamp(0.0, 100.0)
}

/// A surface that is warmer or colder than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asymmetry {
    /// A warm ceiling; less than 23 K.
    WarmCeiling,
    /// A cold wall or window; less than 15 K.
    CoolWall,
    /// A cold ceiling; less than 15 K.
    CoolCeiling,
    /// A warm wall; less than 35 K.
    WarmWall,
}

/// People that an asymmetry of radiant temperature bothers, % (equations 9 to 12).
pub fn asymmetry_percent(kind: Asymmetry, difference_k: f64) -> f64 {
    let (a, b, less, most_k) = match kind {
        Asymmetry::WarmCeiling => (2.84, 0.174, 5.5, 23.0),
        Asymmetry::CoolWall => (6.61, 0.345, 0.0, 15.0),
        Asymmetry::CoolCeiling => (9.93, 0.50, 0.0, 15.0),
        Asymmetry::WarmWall => (3.72, 0.052, 3.5, 35.0),
    };
    (100.0 / (1.0 + (a - b * difference_k.clamp(0.0, most_k)).exp()) - less).max(0.0)
}

/// Category of a thermal environment by its whole-body comfort (ISO 7730, table A.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Vote within ±0.2, under 6 % dissatisfied.
    A,
    /// Vote within ±0.5, under 10 %.
    B,
    /// Vote within ±0.7, under 15 %.
    C,
    /// None of them.
    Outside,
}

/// The category that a vote falls into.
pub fn category(vote: f64) -> Category {
    match vote.abs() {
        v if v < 0.2 => Category::A,
        v if v < 0.5 => Category::B,
        v if v < 0.7 => Category::C,
        _ => Category::Outside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(air_c: f64, radiant_c: f64, percent: f64, speed_ms: f64, clo: f64) -> Person {
        Person::at_a_desk(air_c, radiant_c, percent / 100.0, speed_ms, clo)
    }

    #[test]
    fn votes_worked_out_by_others() {
        // Another implementation of ISO 7730, unrounded.
        for (p, vote, percent) in [
            (person(22.0, 22.0, 60.0, 0.1, 0.5), -0.752_367, 16.921_191),
            (person(27.0, 27.0, 60.0, 0.1, 0.5), 0.765_268, 17.337_394),
            (person(27.0, 27.0, 60.0, 0.3, 0.5), 0.433_703, 8.923_128),
            (person(23.5, 25.5, 60.0, 0.1, 0.5), -0.013_232, 5.003_624),
            (person(19.0, 19.0, 40.0, 0.1, 1.0), -0.598_403, 12.507_736),
        ] {
            let ours = predicted_mean_vote(&p);
            assert!((ours - vote).abs() < 1e-5, "{p:?}: {ours}");
            assert!((predicted_dissatisfied(ours) - percent).abs() < 1e-3, "{p:?}");
        }
    }

    #[test]
    fn the_table_of_the_standard() {
        // ISO 7730:2005, table D.1: votes to 0.01, its own air speeds and humidity.
        for (p, met, vote) in [
            (person(22.0, 22.0, 60.0, 0.1, 0.5), 1.2, -0.75),
            (person(27.0, 27.0, 60.0, 0.1, 0.5), 1.2, 0.77),
            (person(23.5, 25.5, 60.0, 0.3, 0.5), 1.2, -0.55),
            (person(23.5, 25.5, 60.0, 0.1, 0.5), 1.2, -0.01),
            (person(19.0, 19.0, 40.0, 0.1, 1.0), 1.2, -0.60),
            (person(23.5, 23.5, 40.0, 0.3, 1.0), 1.2, 0.12),
            (person(23.0, 21.0, 40.0, 0.1, 1.0), 1.2, 0.05),
            (person(23.0, 21.0, 40.0, 0.3, 1.0), 1.2, -0.16),
            (person(22.0, 22.0, 60.0, 0.1, 0.5), 1.6, 0.05),
            (person(27.0, 27.0, 60.0, 0.3, 0.5), 1.6, 0.95),
            (person(27.0, 27.0, 60.0, 0.1, 0.5), 1.6, 1.17),
        ] {
            let ours = predicted_mean_vote(&Person { met, ..p });
            assert!((ours - vote).abs() < 0.03, "{p:?} {met}: {ours} instead of {vote}");
        }
    }

    #[test]
    fn nobody_is_pleased_by_everything() {
        assert!((predicted_dissatisfied(0.0) - 5.0).abs() < 1e-12);
        // Figure 1 of the standard: about 26 % at a vote of 1, 77 % at 2.
        assert!(
            (predicted_dissatisfied(1.0) - 26.12).abs() < 0.05 && (predicted_dissatisfied(-2.0) - 76.8).abs() < 0.1
        );
        assert_eq!([0.1, -0.3, 0.6, -0.9].map(category), [Category::A, Category::B, Category::C, Category::Outside]);
        assert_eq!(category(f64::NAN), Category::Outside);
    }

    #[test]
    fn operative_and_radiant_temperatures() {
        assert!((operative_c(20.0, 24.0, 0.1) - 22.0).abs() < 1e-12, "at 0.1 m/s it is the mean");
        assert!(operative_c(20.0, 24.0, 0.6) < 21.2 && (operative_c(20.0, 24.0, 0.0) - 24.0).abs() < 1e-12);
        let radiant = mean_radiant_c(&[(0.2, 10.0), (0.8, 22.0)]).unwrap();
        assert!(radiant > 19.6 && radiant < 19.8, "{radiant}");
        assert!((mean_radiant_c(&[(3.0, 21.0)]).unwrap() - 21.0).abs() < 1e-9);
        assert_eq!(mean_radiant_c(&[]), None);
        assert!((relative_speed_ms(0.1, 2.0) - 0.4).abs() < 1e-12 && relative_speed_ms(0.1, 0.9) == 0.1);
    }

    #[test]
    fn local_discomfort() {
        // By hand: (34 − 22)·0.15^0.62·(0.37·0.2·40 + 3.14) at 0.2 m/s; none in still air.
        assert!((draught_percent(22.0, 0.2, 40.0) - 12.0 * 0.15f64.powf(0.62) * 6.1).abs() < 1e-9);
        assert_eq!(draught_percent(22.0, 0.03, 40.0), 0.0);
        assert_eq!(draught_percent(-60.0, 3.0, 60.0), 100.0);
        // Table A.1 and annex A: 3 K make 5 % or less (category B), 2 K make 3 % (A), 4 K make 10 % (C).
        assert!((vertical_difference_percent(2.0) - 1.7).abs() < 0.1 && vertical_difference_percent(3.0) < 5.0);
        assert!((vertical_difference_percent(4.0) - 8.8).abs() < 0.2);
        // Best near 24 °C, below 10 % from 19 to 29 °C.
        assert!(floor_percent(24.0) < 6.1 && floor_percent(19.0) < 10.5 && floor_percent(10.0) > 20.0);
        // Table A.4: warm ceiling 5 K, cool wall 10 K, cool ceiling 14 K, warm wall 23 K make 5 %.
        for (kind, k) in [
            (Asymmetry::WarmCeiling, 5.0),
            (Asymmetry::CoolWall, 10.0),
            (Asymmetry::CoolCeiling, 14.0),
            (Asymmetry::WarmWall, 23.0),
        ] {
            let percent = asymmetry_percent(kind, k);
            assert!((percent - 5.0).abs() < 2.0, "{kind:?}: {percent}");
        }
    }

    #[test]
    fn the_limits_of_the_equation() {
        assert!(person(23.0, 23.0, 50.0, 0.1, 0.7).within_limits());
        assert!(!person(35.0, 23.0, 50.0, 0.1, 0.7).within_limits());
        assert!(!Person { met: 6.0, ..person(23.0, 23.0, 50.0, 0.1, 0.7) }.within_limits());
    }

    proptest! {
        #[test]
        fn warmer_is_warmer(air_c in 12.0..29.0f64, percent in 10.0..90.0f64, v in 0.0..0.9f64, clo in 0.3..1.8f64) {
            let vote = |dt: f64, dclo: f64| predicted_mean_vote(&person(air_c + dt, air_c + dt, percent, v, clo + dclo));
            prop_assert!(vote(1.0, 0.0) > vote(0.0, 0.0));
            prop_assert!(vote(0.0, 0.1) > vote(0.0, 0.0) - 0.005);
        }

        #[test]
        fn nothing_panics_or_hangs(a in proptest::num::f64::ANY, b in proptest::num::f64::ANY, v in proptest::num::f64::ANY) {
            let p = Person { air_c: a, radiant_c: b, humidity: v, speed_ms: v, met: b, clo: v, work_met: a };
            let _ = (predicted_mean_vote(&p), p.within_limits(), draught_percent(a, b, v), floor_percent(a), operative_c(a, b, v));
        }
    }
}
