//! `x^0.852`, the only power that Hazen–Williams needs, written so that a compiler makes vectors of it.
//!
//! The logarithm by the series of `atanh` on a mantissa within √½..√2, the exponential of base two on ±½; both
//! are polynomials through Chebyshev's points (to 2e-16 and 6e-16). No branch and no table, so a loop over a
//! slice becomes vector code, and every multiply-add rounds once, so the same bits come out on every machine.

/// Exponent of flow in Hazen–Williams.
pub const HW_EXPONENT: f64 = 1.852;

/// Adding and taking this rounds to a whole number and leaves it in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `2 / ln 2 × atanh(s) / s` in powers of `s²`, for s² up to 0.0295.
const LOGARITHM: [f64; 7] = [
    2.885390081777927,
    0.9617966939243345,
    0.5770780172463286,
    0.4121984020482752,
    0.32061638813224547,
    0.2614442493522915,
    0.2429160853987535,
];

/// `2^t` in even and in odd powers of `t`, for t within ±½.
const EVEN: [f64; 6] = [
    1.0,
    0.24022650695910075,
    0.009618129107618665,
    0.00015403530424776529,
    1.3215451633221434e-06,
    7.070977866508138e-09,
];
const ODD: [f64; 5] =
    [0.6931471805599462, 0.05550410866465167, 0.0013333558200794592, 1.5252672924850737e-05, 1.0205905413765595e-07];

/// `c₀ + c₁x + c₂x² + …` by Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| x.mul_add(sum, c))
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
    let log = s.mul_add(polynomial(s * s, LOGARITHM), exponent);
    let y = (HW_EXPONENT - 1.0) * log;
    let rounded = y + ROUND;
    let t = y - (rounded - ROUND);
    let square = t * t;
    let exp = t.mul_add(polynomial(square, ODD), polynomial(square, EVEN));
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
            prop_assert!((pow_less_one(x) / wanted - 1.0).abs() < 2e-14, "{x}: {}", pow_less_one(x) / wanted - 1.0);
        }
    }

    #[test]
    fn no_flow_gives_next_to_nothing() {
        assert!(pow_less_one(0.0) < 1e-200 && pow_less_one(0.0) >= 0.0);
        assert_eq!(pow_less_one(1.0), 1.0);
    }
}
