use super::*;
use bacnet_rs::property::PropertyValue;
use bacnet_rs::service::ReadPropertyResponse;
use proptest::prelude::*;

fn wrap(apdu: Apdu) -> Vec<u8> {
    let (npdu, apdu) = (Npdu::new().encode(), apdu.encode());
    let mut frame = vec![0x81, 0x0A];
    frame.extend(((4 + npdu.len() + apdu.len()) as u16).to_be_bytes());
    frame.extend(npdu);
    frame.extend(apdu);
    frame
}

fn ack(service_choice: ConfirmedServiceChoice, service_data: Vec<u8>) -> Vec<u8> {
    wrap(Apdu::ComplexAck {
        segmented: false,
        more_follows: false,
        invoke_id: 7,
        sequence_number: None,
        proposed_window_size: None,
        service_choice,
        service_data,
    })
}

/// What the crate writes of a value, as the answer to ReadProperty.
fn of_crate(value: PropertyValue) -> Option<Answer> {
    let object = ObjectIdentifier::new(ObjectType::AnalogInput, 3);
    let mut data = Vec::new();
    ReadPropertyResponse::new(object, PropertyIdentifier::PresentValue, vec![value]).encode(&mut data).unwrap();
    answer::read(&ack(ConfirmedServiceChoice::ReadProperty, data), 7)
}

#[test]
fn values_that_another_encoder_wrote() {
    let number = |n: f64| Some(Answer::One(Value::Number(n)));
    assert_eq!(of_crate(PropertyValue::Real(21.5)), number(21.5));
    assert_eq!(of_crate(PropertyValue::Double(-1e9)), number(-1e9));
    assert_eq!(of_crate(PropertyValue::Boolean(true)), number(1.0));
    assert_eq!(of_crate(PropertyValue::Unsigned(300)), number(300.0));
    for n in [0, -1, 127, -128, 128, -129, 70_000, -70_000, i64::from(i32::MIN)] {
        assert_eq!(of_crate(PropertyValue::Signed(n)), number(n as f64), "{n}");
    }
    assert_eq!(of_crate(PropertyValue::Enumerated(2)), number(2.0));
    assert_eq!(of_crate(PropertyValue::Null), Some(Answer::One(Value::Other)));
    assert_eq!(of_crate(PropertyValue::CharacterString("a long text".into())), Some(Answer::One(Value::Other)));
    let flags = vec![false, true, false, false];
    assert_eq!(of_crate(PropertyValue::BitString(flags.clone())), Some(Answer::One(Value::Flags(flags))));
}

#[test]
fn several_properties_with_an_error_among_them() {
    // Analog input 3: present value 21.5, status flags in fault. Analog input 4: unknown object.
    let data = [
        0x0C, 0, 0, 0, 3, 0x1E, 0x29, 85, 0x4E, 0x44, 0x41, 0xAC, 0, 0, 0x4F, 0x29, 111, 0x4E, 0x82, 4, 0x40, 0x4F,
        0x1F, 0x0C, 0, 0, 0, 4, 0x1E, 0x29, 85, 0x5E, 0x91, 1, 0x91, 31, 0x5F, 0x1F,
    ];
    let frame = ack(ConfirmedServiceChoice::ReadPropertyMultiple, data.to_vec());
    let Some(Answer::Many(found)) = answer::read(&frame, 7) else { panic!("{frame:?}") };
    let found: HashMap<_, _> = found.into_iter().map(|f| ((f.kind, f.instance, f.property), f.found)).collect();
    let object = |instance| Object { kind: 0, instance, property: PRESENT_VALUE };
    let first = reading(0, &object(3), &found);
    assert_eq!((first.value, first.quality, first.code.as_deref()), (21.5, Quality::BadSensor, Some("bacnet fault")));
    let second = reading(1, &object(4), &found);
    assert_eq!(second.quality, Quality::BadNotConnected);
    assert!(second.value.is_nan() && second.code.unwrap().contains("code 31"));
    assert_eq!(reading(2, &object(5), &found).quality, Quality::BadNotConnected);
    assert_eq!(answer::read(&frame, 8), None, "the answer to another question");
    assert_eq!(answer::read(&frame[..frame.len() - 1], 7), None, "cut off");
}

#[test]
fn questions_are_what_the_standard_says() {
    let object = Object { kind: 0, instance: 3, property: PRESENT_VALUE };
    let mut data = Vec::new();
    let references = properties(&object).into_iter().map(|p| PropertyReference::new(PropertyIdentifier::from(p)));
    let specification = ReadAccessSpecification::new(identifier(&object), references.collect());
    ReadPropertyMultipleRequest::new(vec![specification]).encode(&mut data).unwrap();
    let frame = frame(&Some((2001, vec![12])), 9, ConfirmedServiceChoice::ReadPropertyMultiple, data);
    let expected = [
        0x81, 0x0A, 0, 28, // BACnet/IP, to one, 28 bytes
        1, 0x24, 0x07, 0xD1, 1, 12, 255, // to station 12 of network 2001, with an answer
        0x00, 0x05, 9, 14, // confirmed, no segments, up to 1476 bytes, question 9, ReadPropertyMultiple
        0x0C, 0, 0, 0, 3, 0x1E, 0x09, 85, 0x09, 111, 0x1F,
    ];
    assert_eq!(frame[..2], expected[..2]);
    assert_eq!(frame[4..], expected[4..]);
    assert_eq!(usize::from(u16::from_be_bytes([frame[2], frame[3]])), frame.len());
}

#[test]
fn types_by_name_and_number() {
    assert_eq!(object_type("analog-input"), Some(0));
    assert_eq!(object_type("multi-state-value"), Some(19));
    assert_eq!(object_type("260"), Some(260));
    assert_eq!(object_type("1024"), None);
    assert_eq!(object_type("analogue-input"), None);
}

/// A device on loopback with analog inputs 0 to 9 of ten times their number; the fifth is in fault, the sixth's present
/// value cannot be read. It answers ReadPropertyMultiple for `most` objects at once, none: it does not know it.
fn serve(most: Option<usize>) -> (SocketAddr, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let (_, head) = Npdu::decode(&buffer[4..length]).unwrap();
            let Ok(Apdu::ConfirmedRequest { invoke_id, service_choice, service_data, .. }) =
                Apdu::decode(&buffer[4 + head..length])
            else {
                panic!("no confirmed request")
            };
            let apdu = match service_choice {
                ConfirmedServiceChoice::ReadPropertyMultiple => match most {
                    None => vec![0x60, invoke_id, 9],
                    Some(most) => {
                        // Each object: five bytes of its id, an opening tag, two bytes a property, a closing tag.
                        let objects: Vec<&[u8]> = service_data.chunks(11).collect();
                        if objects.len() > most {
                            vec![0x71, invoke_id, 4]
                        } else {
                            let many = |o: &&[u8]| {
                                let found = [&[0x29, 85][..], &value(o[4], false), &[0x29, 111], &flags(o[4], false)];
                                [&o[..5], &[0x1E], &found.concat(), &[0x1F]].concat()
                            };
                            let all: Vec<u8> = objects.iter().flat_map(many).collect();
                            [vec![0x30, invoke_id, 14], all].concat()
                        }
                    }
                },
                _ => {
                    let (instance, property) = (service_data[4], service_data[6]);
                    let found = if property == 85 { value(instance, true) } else { flags(instance, true) };
                    if found[0] == 0x91 {
                        [vec![0x50, invoke_id, 12], found].concat()
                    } else {
                        [vec![0x30, invoke_id, 12], service_data, found].concat()
                    }
                }
            };
            // Something that is no answer to this question comes first.
            for apdu in [vec![0x20, invoke_id.wrapping_add(1), 15], apdu] {
                let mut frame = vec![0x81, 0x0A];
                frame.extend(((6 + apdu.len()) as u16).to_be_bytes());
                frame.extend([1, 0]);
                frame.extend(apdu);
                socket.send_to(&frame, from).unwrap();
            }
        }
    });
    (at, asked)
}

fn value(instance: u8, alone: bool) -> Vec<u8> {
    let tag = if alone { 3 } else { 4 };
    match (instance, alone) {
        (6, true) => vec![0x91, 2, 0x91, 27],
        (6, false) => vec![0x5E, 0x91, 2, 0x91, 27, 0x5F],
        _ => {
            let real = (f32::from(instance) * 10.0).to_be_bytes();
            [&[tag << 4 | 0x0E, 0x44][..], &real, &[tag << 4 | 0x0F]].concat()
        }
    }
}

fn flags(instance: u8, alone: bool) -> Vec<u8> {
    let tag = if alone { 3 } else { 4 };
    vec![tag << 4 | 0x0E, 0x82, 4, if instance == 5 { 0x40 } else { 0 }, tag << 4 | 0x0F]
}

fn device(at: SocketAddr, count: u32) -> Bacnet {
    let point = |instance: u32| config::Point {
        name: instance.to_string(),
        unit: crate::site::unit::Unit::ONE,
        source: Source::Bacnet(Object { kind: 0, instance, property: PRESENT_VALUE }),
        scale: 1.0,
        offset: 0.0,
        rule: crate::telemetry::gateway::aggregate::Rule::Every,
        poll_s: 1.0,
        topic: instance.to_string(),
        key: String::new(),
    };
    let kind = Kind::Bacnet { host: at.ip().to_string(), port: at.port(), route: None, most: 20 };
    let points = (0..count).map(point).collect();
    Bacnet::new(&config::Device { name: "D".into(), kind, timeout_s: 0.5, retries: 0, points })
}

#[test]
fn devices_that_know_more_and_less_are_read_alike() {
    let all: Vec<usize> = (0..10).collect();
    for (most, questions) in [(Some(20), 1), (Some(3), 2 + 5), (None, 4 + 20)] {
        let (at, asked) = serve(most);
        let mut device = device(at, 10);
        let readings = device.read(&all, Time(0)).unwrap();
        assert_eq!(readings.len(), 10);
        for r in &readings {
            match r.point {
                5 => assert_eq!((r.value, r.quality), (50.0, Quality::BadSensor)),
                6 => assert!(r.value.is_nan() && r.code.as_ref().unwrap().contains("code 27, read access denied")),
                i => assert_eq!((r.value, r.quality, r.code.as_deref()), (i as f64 * 10.0, Quality::Good, None)),
            }
        }
        let first = asked.load(std::sync::atomic::Ordering::SeqCst);
        assert!(first <= questions + 2, "{most:?}: {first} questions");
        device.read(&all, Time(0)).unwrap();
        let second = asked.load(std::sync::atomic::Ordering::SeqCst) - first;
        assert!(second <= first, "what it does not know it is not asked for again");
    }
}

#[test]
fn a_device_that_is_silent_is_told_in_time() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let said = device(silent.local_addr().unwrap(), 1).read(&[0], Time(0)).unwrap_err();
    assert!(said.contains("no answer within 0.5 s"), "{said}");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), invoke in any::<u8>()) {
        let _ = answer::read(&bytes, invoke);
        for service in [12u8, 14] {
            let mut apdu = vec![0x30, invoke, service];
            apdu.extend(&bytes);
            let mut frame = vec![0x81, 0x0A];
            frame.extend(((6 + apdu.len()) as u16).to_be_bytes());
            frame.extend([1, 0]);
            frame.extend(apdu);
            prop_assert!(answer::read(&frame, invoke).is_some());
        }
    }
}
