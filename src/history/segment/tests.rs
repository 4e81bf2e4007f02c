use super::*;
use proptest::prelude::*;

fn stored(time: i64, arrival: i64, value: f64) -> Stored {
    Stored { time: Time(time), arrival: Time(arrival), value, quality: Quality::Good, code: 0 }
}

fn same(a: &[Stored], b: &[Stored]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(x, y)| {
            x.value.to_bits() == y.value.to_bits() && Stored { value: 0.0, ..*x } == Stored { value: 0.0, ..*y }
        })
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        any::<u64>().prop_map(f64::from_bits),
        (-5000i64..5000).prop_map(|v| v as f64 / 100.0),
        Just(0.0),
        Just(-0.0),
        Just(1.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
    ]
}

fn any_samples() -> impl Strategy<Value = Vec<Stored>> {
    let time = prop_oneof![any::<i64>(), 0i64..100_000, Just(i64::MIN), Just(i64::MAX)];
    let one = (time.clone(), time, any_value(), 0u8..11, prop_oneof![Just(0u32), any::<u32>()]);
    let one = one.prop_map(|(time, arrival, value, quality, code)| Stored {
        quality: Quality::of_code(quality).unwrap(),
        code,
        ..stored(time, arrival, value)
    });
    proptest::collection::vec(one, 0..120)
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(samples in any_samples(), factor in any_value(), offset in any_value()) {
        let bytes = pack(&samples, Scale { factor, offset });
        prop_assert!(same(&unpack(&bytes).unwrap(), &samples));
    }

    #[test]
    fn any_bytes_are_refused_or_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 0u8..3) {
        let _ = unpack(&bytes);
        // The same behind a check sum that fits.
        if let Some(first) = bytes.first_mut() {
            *first = version;
        }
        let check = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&check.to_le_bytes());
        let _ = unpack(&bytes);
    }

    #[test]
    fn any_change_is_found(samples in any_samples(), at in any::<proptest::sample::Index>(), bit in 0u32..8) {
        let mut bytes = pack(&samples, Scale::default());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(unpack(&bytes).is_err());
    }
}

#[test]
fn small_where_it_matters() {
    let mut random = 1u64;
    let mut draw = |n: i64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as i64 % n
    };
    let size = |samples: &[Stored], scale| pack(samples, scale).len() as f64 / samples.len() as f64;
    // A room every 10 s, some 50 ms to and fro; it wanders by hundredths.
    let mut level = 2150;
    let room: Vec<Stored> = (0..500)
        .map(|i| {
            level += draw(7) - 3;
            let time = 10_000 * i + draw(101) - 50;
            stored(time, 10_000 * i + 60, level as f64 / 100.0)
        })
        .collect();
    assert!(size(&room, Scale::default()) < 1.6, "{}", size(&room, Scale::default()));
    // The same as a flow in m³/h.
    let scale = Scale { factor: 1.0 / 3600.0, offset: 0.0 };
    let flow: Vec<Stored> =
        room.iter().map(|s| Stored { value: s.value * scale.factor + scale.offset, ..*s }).collect();
    assert!(size(&flow, scale) < 1.7, "{}", size(&flow, scale));
    assert!(size(&flow, Scale::default()) > 5.0);
    // A pump that runs and rests, on the second.
    let pump: Vec<Stored> =
        (0..500).map(|i| stored(10_000 * i, 10_000 * i + 3, f64::from(u8::from(i % 100 < 40)))).collect();
    assert!(size(&pump, Scale::default()) < 0.25, "{}", size(&pump, Scale::default()));
    assert!(pack(&[], Scale::default()).len() < 80);
}
