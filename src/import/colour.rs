//! Colours: files state display values (sRGB), light is computed with linear ones.

/// From display values to linear ones. What is not a number becomes a light grey.
pub fn linear(colour: [f32; 4]) -> [f32; 4] {
    let channel = |v: f32| {
        let v = if v.is_finite() { v.clamp(0.0, 1.0) } else { 0.8 };
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    let alpha = if colour[3].is_finite() { colour[3].clamp(0.0, 1.0) } else { 1.0 };
    [channel(colour[0]), channel(colour[1]), channel(colour[2]), alpha]
}

/// From linear values to display ones, to four places.
pub fn display(colour: [f32; 4]) -> [f64; 4] {
    let round = |v: f64| (v * 1e4).round() / 1e4;
    let channel = |v: f32| {
        let v = f64::from(v);
        round(if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 })
    };
    [channel(colour[0]), channel(colour[1]), channel(colour[2]), round(colour[3].into())]
}

/// `#rgb` or `#rrggbb`, opaque, linear.
pub fn from_hex(text: &str) -> Option<[f32; 4]> {
    let digits = text.trim().strip_prefix('#')?;
    // `from_str_radix` would take a sign.
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let byte = |shift: u32| ((value >> shift) & 0xFF) as f32 / 255.0;
    let nibble = |shift: u32| ((value >> shift) & 0xF) as f32 / 15.0;
    match digits.len() {
        6 => Some(linear([byte(16), byte(8), byte(0), 1.0])),
        3 => Some(linear([nibble(8), nibble(4), nibble(0), 1.0])),
        _ => None,
    }
}

/// Eight bits a channel, as [`crate::shape::Shape::colours`] has them.
pub fn bytes(linear: [f32; 4]) -> [u8; 4] {
    linear.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for v in [0.0, 0.02, 0.5, 0.8, 1.0_f32] {
            let back = display(linear([v, v, v, 0.25]));
            assert!((back[0] - f64::from(v)).abs() < 1e-4 && back[3] == 0.25, "{v}: {back:?}");
        }
        assert_eq!(linear([f32::NAN, 2.0, -1.0, f32::INFINITY])[1..], [1.0, 0.0, 1.0]);
    }

    #[test]
    fn hex() {
        assert_eq!(from_hex("#ffffff"), Some([1.0; 4]));
        assert_eq!(from_hex("#f00"), from_hex("#ff0000"));
        assert_eq!(from_hex("red"), None);
        assert_eq!(from_hex("#12345"), None);
        assert_eq!(from_hex("#é"), None);
        assert_eq!((from_hex("#+ff"), from_hex("#+12345")), (None, None));
    }
}
