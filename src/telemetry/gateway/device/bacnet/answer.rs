//! What a BACnet device answers, read from the bytes of its frame. It panics on none.

/// An answer to a confirmed request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To ReadProperty.
    One(Value),
    /// To ReadPropertyMultiple.
    Many(Vec<Property>),
    /// Class and code.
    Error(u32, u32),
    /// Why the question is none.
    Reject(u8),
    /// Why it stopped answering.
    Abort(u8),
    /// It answers this question, and what it says cannot be read.
    Garbled,
}

/// A property of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The type of its object.
    pub kind: u32,
    /// The instance of its object.
    pub instance: u32,
    /// Which it is.
    pub property: u32,
    /// What it is.
    pub found: Found,
}

/// What was found of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Its value.
    Value(Value),
    /// Class and code.
    Error(u32, u32),
    /// Neither, in words.
    Said(String),
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, a truth (0 or 1), the number of a state.
    Number(f64),
    /// Bits, the first one first.
    Flags(Vec<bool>),
    /// Something else: text, nothing, a list.
    Other,
}

/// Reads a frame as the answer to a question; none where it is something else.
pub fn read(frame: &[u8], invoke: u8) -> Option<Answer> {
    let apdu = apdu(frame)?;
    let (first, rest) = apdu.split_first()?;
    let (id, rest) = rest.split_first()?;
    if *id != invoke {
        return None;
    }
    match first >> 4 {
        // Segmented answers were not asked for.
        3 if first & 0x08 != 0 => Some(Answer::Garbled),
        3 => {
            let (service, data) = rest.split_first()?;
            let read = match service {
                12 => one(data).map(Answer::One),
                14 => many(data).map(Answer::Many),
                _ => return None,
            };
            Some(read.unwrap_or(Answer::Garbled))
        }
        5 => {
            let (_, data) = rest.split_first()?;
            Some(error(data).map_or(Answer::Garbled, |(class, code, _)| Answer::Error(class, code)))
        }
        6 => Some(Answer::Reject(*rest.first()?)),
        7 => Some(Answer::Abort(*rest.first()?)),
        _ => None,
    }
}

/// What is behind the heads of BACnet/IP (ASHRAE 135, J.2) and of the network layer (6.2).
fn apdu(frame: &[u8]) -> Option<&[u8]> {
    let (head, rest) = frame.split_first_chunk::<4>()?;
    let [0x81, function, high, low] = *head else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let rest = rest.get(..length.checked_sub(4)?)?;
    let npdu = match function {
        // Forwarded by a broadcast management device: six bytes say for whom.
        0x04 => rest.get(6..)?,
        0x0A | 0x0B => rest,
        _ => return None,
    };
    let ([1, control], mut rest) = npdu.split_first_chunk::<2>()? else { return None };
    if control & 0x80 != 0 {
        return None;
    }
    for present in [0x20, 0x08] {
        if control & present != 0 {
            let length = usize::from(*rest.get(2)?);
            rest = rest.get(3 + length..)?;
        }
    }
    if control & 0x20 != 0 {
        rest = rest.get(1..)?;
    }
    Some(rest)
}

/// A tag with what it holds (ASHRAE 135, 20.2.1).
enum Tag<'a> {
    /// Of an application: its type, the length or value in its head, its bytes.
    Plain(u8, u32, &'a [u8]),
    /// Of a context.
    Context(u8, &'a [u8]),
    Open(u8),
    Close(u8),
}

fn tag(data: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let (first, mut rest) = data.split_first()?;
    let mut number = first >> 4;
    if number == 15 {
        let (more, behind) = rest.split_first()?;
        (number, rest) = (*more, behind);
    }
    let context = first & 0x08 != 0;
    let mut length = u32::from(first & 0x07);
    match length {
        6 if context => return Some((Tag::Open(number), rest)),
        7 if context => return Some((Tag::Close(number), rest)),
        6 | 7 => return None,
        5 => {
            let (more, behind) = rest.split_first()?;
            (length, rest) = (u32::from(*more), behind);
            if *more == 254 {
                let (two, behind) = rest.split_first_chunk::<2>()?;
                (length, rest) = (u32::from(u16::from_be_bytes(*two)), behind);
            } else if *more == 255 {
                let (four, behind) = rest.split_first_chunk::<4>()?;
                (length, rest) = (u32::from_be_bytes(*four), behind);
            }
        }
        _ => {}
    }
    if !context && number == 1 {
        // A truth is in its head.
        return Some((Tag::Plain(1, length, &[]), rest));
    }
    let (held, rest) = rest.split_at_checked(length as usize)?;
    Some((if context { Tag::Context(number, held) } else { Tag::Plain(number, length, held) }, rest))
}

fn unsigned(bytes: &[u8]) -> Option<u64> {
    (!bytes.is_empty() && bytes.len() <= 8).then(|| bytes.iter().fold(0, |all, b| all << 8 | u64::from(*b)))
}

/// Type and instance of an object.
fn object(bytes: &[u8]) -> Option<(u32, u32)> {
    let id = u32::from_be_bytes(bytes.try_into().ok()?);
    Some((id >> 22, id & 0x003F_FFFF))
}

/// A value up to the tag that closes it, and what is behind that. A list is none.
fn value(mut data: &[u8], closing: u8) -> Option<(Value, &[u8])> {
    let mut found: Option<Value> = None;
    let mut depth = 0_u32;
    loop {
        let (tag, rest) = tag(data)?;
        data = rest;
        let this = match tag {
            Tag::Close(number) if depth == 0 => {
                return (number == closing).then(|| (found.unwrap_or(Value::Other), data));
            }
            Tag::Close(_) => {
                depth -= 1;
                Value::Other
            }
            Tag::Open(_) => {
                depth = depth.checked_add(1)?;
                Value::Other
            }
            Tag::Context(..) => Value::Other,
            Tag::Plain(kind, length, bytes) => plain(kind, length, bytes),
        };
        found = Some(if found.is_some() { Value::Other } else { this });
    }
}

/// A value of an application type (ASHRAE 135, 20.2.2 to 20.2.11).
fn plain(kind: u8, length: u32, bytes: &[u8]) -> Value {
    let number = match kind {
        1 => Some(f64::from(u8::from(length != 0))),
        2 | 9 => unsigned(bytes).map(|n| n as f64),
        3 => unsigned(bytes).map(|n| {
            // The first bit is the sign, however few bytes there are.
            let unused = 64 - 8 * bytes.len().min(8) as u32;
            ((n << unused) as i64 >> unused) as f64
        }),
        4 => bytes.try_into().ok().map(|b| f64::from(f32::from_be_bytes(b))),
        5 => bytes.try_into().ok().map(f64::from_be_bytes),
        8 => {
            let Some((unused, bytes)) = bytes.split_first() else { return Value::Other };
            let bits = bytes.iter().flat_map(|b| (0..8).map(move |i| b >> (7 - i) & 1 == 1));
            let count = (bytes.len() * 8).saturating_sub(usize::from(*unused));
            return Value::Flags(bits.take(count).collect());
        }
        _ => None,
    };
    number.map_or(Value::Other, Value::Number)
}

fn error(data: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (Tag::Plain(9, _, class), rest) = tag(data)? else { return None };
    let (Tag::Plain(9, _, code), rest) = tag(rest)? else { return None };
    Some((u32::try_from(unsigned(class)?).ok()?, u32::try_from(unsigned(code)?).ok()?, rest))
}

/// ReadProperty-ACK.
fn one(data: &[u8]) -> Option<Value> {
    let (Tag::Context(0, _), rest) = tag(data)? else { return None };
    let (Tag::Context(1, _), rest) = tag(rest)? else { return None };
    let (mut next, mut rest) = tag(rest)?;
    if let Tag::Context(2, _) = next {
        (next, rest) = tag(rest)?;
    }
    let Tag::Open(3) = next else { return None };
    value(rest, 3).map(|(value, _)| value)
}

/// ReadPropertyMultiple-ACK.
fn many(mut data: &[u8]) -> Option<Vec<Property>> {
    let mut all = Vec::new();
    while !data.is_empty() {
        let (Tag::Context(0, id), rest) = tag(data)? else { return None };
        let (kind, instance) = object(id)?;
        let (Tag::Open(1), mut rest) = tag(rest)? else { return None };
        loop {
            let (next, behind) = tag(rest)?;
            let property = match next {
                Tag::Close(1) => {
                    data = behind;
                    break;
                }
                Tag::Context(2, property) => u32::try_from(unsigned(property)?).ok()?,
                _ => return None,
            };
            let (mut next, mut behind) = tag(behind)?;
            if let Tag::Context(3, _) = next {
                (next, behind) = tag(behind)?;
            }
            let found = match next {
                Tag::Open(4) => {
                    let (value, left) = value(behind, 4)?;
                    rest = left;
                    Found::Value(value)
                }
                Tag::Open(5) => {
                    let (class, code, left) = error(behind)?;
                    let (Tag::Close(5), left) = tag(left)? else { return None };
                    rest = left;
                    Found::Error(class, code)
                }
                _ => return None,
            };
            all.push(Property { kind, instance, property, found });
        }
    }
    Some(all)
}
