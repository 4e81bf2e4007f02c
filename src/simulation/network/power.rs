//! `x^0.852`, the only power that Hazen–Williams needs, written so that a compiler makes vectors of it.
//!
//! The logarithm by the series of `atanh` on a mantissa within √½..√2, the exponential by Taylor's series
//! on ±½: both to some parts in 1e15. No branch and no table, so a loop over a slice becomes vector code,
//! and the same bits come out on every machine.

/// Exponent of flow in Hazen–Williams.
pub const HW_EXPONENT: f64 = 1.852;

/// Adding and taking this rounds to a whole number and leaves it in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// One over the factorials: Taylor's series of the exponential.
const EXPONENTIAL: [f64; 13] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
];

/// `c₀ + c₁x + c₂x² + …` by Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| c + x * sum)
}

/// `x^0.852` for x ≥ 0 to about 1e-14 relative; 0 gives a value below 1e-260.
#[inline(always)]
pub fn pow_less_one(x: f64) -> f64 {
    // Exponent and mantissa, the mantissa moved to √½..√2.
    let bits = x.to_bits().wrapping_add(0x3FF0_0000_0000_0000 - 0x3FE6_A09E_667F_3BCD);
    // The exponent as a float without a conversion of integers: its bits under 2^52.
    let exponent = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    let mantissa = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF).wrapping_add(0x3FE6_A09E_667F_3BCD));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    // 2 / ln 2 × (1 + z/3 + z²/5 + …).
    let series = polynomial(
        z,
        [1.0, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0, 1.0 / 17.0],
    );
    let log = exponent + 2.0 * std::f64::consts::LOG2_E * s * series;
    let y = (HW_EXPONENT - 1.0) * log;
    let rounded = y + ROUND;
    let whole = rounded - ROUND;
    let t = (y - whole) * std::f64::consts::LN_2;
    let exp = polynomial(t, EXPONENTIAL);
    // 2^whole times it: the low bits of `rounded` hold the whole number.
    f64::from_bits(exp.to_bits().wrapping_add(rounded.to_bits() << 52))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_the_library_has_it(exponent in -60.0..30.0f64) {
            let x = exponent.exp2();
            let wanted = x.powf(HW_EXPONENT - 1.0);
            prop_assert!((pow_less_one(x) / wanted - 1.0).abs() < 5e-14, "{x}: {}", pow_less_one(x) / wanted - 1.0);
        }
    }

    #[test]
    fn no_flow_gives_next_to_nothing() {
        assert!(pow_less_one(0.0) < 1e-200 && pow_less_one(0.0) >= 0.0);
        assert_eq!(pow_less_one(1.0), 1.0);
    }
}
