//! Property sets as bytes: names, values and pairs of these each once; then every distinct set, and which of them each
//! element has.

use crate::site::model::properties::{Pool, Properties};
use crate::site::model::{Element, PropertySet, PropertyValue};
use rustc_hash::FxHashMap as HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Lists in lists deeper than this are not kept: the scene is not cached.
const MAX_DEPTH: usize = 64;

/// Things that are told apart by a key, in the order in which they came.
struct Numbers<K, T> {
    of: HashMap<K, usize>,
    list: Vec<T>,
}

impl<K: Eq + Hash, T> Numbers<K, T> {
    fn new() -> Self {
        Self { of: HashMap::default(), list: Vec::new() }
    }

    fn number(&mut self, key: K, thing: T) -> usize {
        *self.of.entry(key).or_insert_with(|| {
            self.list.push(thing);
            self.list.len() - 1
        })
    }
}

/// The property sets of elements; none when a value cannot be written.
pub(super) fn write(elements: &[Element]) -> Option<Vec<u8>> {
    // By address: sets of one model share what they have in common.
    let mut sets: Numbers<*const PropertySet, &PropertySet> = Numbers::new();
    let mut names: Numbers<*const str, &str> = Numbers::new();
    let mut values: Numbers<*const PropertyValue, &PropertyValue> = Numbers::new();
    let mut pairs: Numbers<[usize; 2], [usize; 2]> = Numbers::new();
    let mut of_elements = Writer(Vec::new());
    for element in elements {
        of_elements.number(element.properties.len());
        element.properties.iter().for_each(|set| of_elements.number(sets.number(Arc::as_ptr(set), set)));
    }
    let mut of_sets = Writer(Vec::new());
    of_sets.number(sets.list.len());
    for set in &sets.list {
        of_sets.text(&set.name);
        of_sets.0.push(u8::from(set.quantities));
        of_sets.number(set.values.len());
        for (name, value) in &set.values {
            let pair = [names.number(name, name), values.number(value, value)];
            of_sets.number(pairs.number(pair, pair));
        }
    }
    let mut out = Writer(Vec::new());
    out.number(names.list.len());
    names.list.iter().for_each(|name| out.text(name));
    out.number(values.list.len());
    for value in &values.list {
        out.value(value, 0)?;
    }
    out.number(pairs.list.len());
    pairs.list.iter().flatten().for_each(|number| out.number(*number));
    out.0.extend(of_sets.0);
    out.0.extend(of_elements.0);
    Some(out.0)
}

/// Gives elements the property sets that [`write`] wrote; none when the bytes are something else.
pub(super) fn read(bytes: &[u8], elements: &mut [Element]) -> Option<()> {
    let mut from = Reader(bytes);
    let names = from.list(1, Reader::text)?;
    let values = from.list(1, |from| from.value(0))?;
    let pairs = from.list(2, |from| Some([from.short()?, from.short()?]))?;
    let pool = Arc::new(Pool::new(names, values, pairs)?);
    let sets = from.list(3, |from| {
        let name = from.text()?;
        let quantities = from.byte()? != 0;
        let values = Properties::of_pool(&pool, from.list(1, Reader::short)?)?;
        Some(Arc::new(PropertySet { name, quantities, values }))
    })?;
    for element in elements {
        element.properties = from.list(1, |from| Some(Arc::clone(sets.get(from.number()?)?)))?;
    }
    from.0.is_empty().then_some(())
}

/// Writes numbers in as few bytes as they need, seven bits a byte.
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: usize) {
        self.long(number as u64);
    }

    fn long(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn value(&mut self, value: &PropertyValue, depth: usize) -> Option<()> {
        match value {
            PropertyValue::Null => self.0.push(0),
            PropertyValue::Boolean(false) => self.0.push(1),
            PropertyValue::Boolean(true) => self.0.push(2),
            PropertyValue::Integer(i) => {
                self.0.push(3);
                self.0.extend_from_slice(&i.to_le_bytes());
            }
            PropertyValue::Real(r) => {
                self.0.push(4);
                self.0.extend_from_slice(&r.to_le_bytes());
            }
            PropertyValue::Text(text) => {
                self.0.push(5);
                self.text(text);
            }
            PropertyValue::List(values) => {
                if depth >= MAX_DEPTH {
                    return None;
                }
                self.0.push(6);
                self.number(values.len());
                for value in values {
                    self.value(value, depth + 1)?;
                }
            }
        }
        Some(())
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn long(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn number(&mut self) -> Option<usize> {
        usize::try_from(self.long()?).ok()
    }

    fn short(&mut self) -> Option<u32> {
        u32::try_from(self.long()?).ok()
    }

    /// A number of things, of `least` bytes each or more, and these.
    fn list<T>(&mut self, least: usize, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count(least)?;
        // More room than that is made as they come: a forged number shall not ask for memory that nothing fills.
        let mut list = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            list.push(one(self)?);
        }
        list.shrink_to_fit();
        Some(list)
    }

    /// How many things follow, of `least` bytes each or more; none when there is no room for so many.
    fn count(&mut self, least: usize) -> Option<usize> {
        self.number().filter(|n| n.checked_mul(least).is_some_and(|size| size <= self.0.len()))
    }

    fn text(&mut self) -> Option<String> {
        let length = self.count(1)?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(std::str::from_utf8(text).ok()?.to_owned())
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        let (eight, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(*eight)
    }

    fn value(&mut self, depth: usize) -> Option<PropertyValue> {
        Some(match self.byte()? {
            0 => PropertyValue::Null,
            1 => PropertyValue::Boolean(false),
            2 => PropertyValue::Boolean(true),
            3 => PropertyValue::Integer(i64::from_le_bytes(self.eight()?)),
            4 => PropertyValue::Real(f64::from_le_bytes(self.eight()?)),
            5 => PropertyValue::Text(self.text()?),
            6 if depth < MAX_DEPTH => PropertyValue::List(self.list(1, |from| from.value(depth + 1))?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::model::properties::share;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = PropertyValue> {
        let leaf = prop_oneof![
            Just(PropertyValue::Null),
            any::<bool>().prop_map(PropertyValue::Boolean),
            any::<i64>().prop_map(PropertyValue::Integer),
            prop::num::f64::ANY.prop_filter("equal to itself", |v| !v.is_nan()).prop_map(PropertyValue::Real),
            "\\PC{0,40}".prop_map(PropertyValue::Text),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| prop::collection::vec(inner, 0..5).prop_map(PropertyValue::List))
    }

    fn set() -> impl Strategy<Value = Arc<PropertySet>> {
        let values = prop::collection::vec(("\\PC{0,12}", value()), 0..6);
        ("\\PC{0,12}", any::<bool>(), values)
            .prop_map(|(name, quantities, values)| Arc::new(PropertySet { name, quantities, values: values.into() }))
    }

    /// Elements that share property sets.
    fn elements() -> impl Strategy<Value = Vec<Element>> {
        prop::collection::vec(set(), 1..5).prop_flat_map(|sets| {
            let some = prop::collection::vec(prop::sample::select(sets), 0..4);
            let element = some.prop_map(|properties| Element { properties, ..Element::default() });
            (prop::collection::vec(element, 0..6), any::<bool>()).prop_map(|(mut elements, pooled)| {
                if pooled {
                    share(&mut elements);
                }
                elements
            })
        })
    }

    fn bare(elements: &[Element]) -> Vec<Element> {
        elements.iter().map(|e| Element { properties: Vec::new(), ..e.clone() }).collect()
    }

    fn distinct(elements: &[Element]) -> usize {
        let sets: std::collections::HashSet<_> = elements.iter().flat_map(|e| &e.properties).map(Arc::as_ptr).collect();
        sets.len()
    }

    proptest! {
        #[test]
        fn as_bytes_and_back(elements in elements()) {
            let bytes = write(&elements).unwrap();
            let mut back = bare(&elements);
            prop_assert_eq!(read(&bytes, &mut back), Some(()));
            prop_assert_eq!(distinct(&back), distinct(&elements));
            prop_assert_eq!(back, elements);
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0..4_usize) {
            let mut elements = vec![Element::default(); count];
            let _ = read(&bytes, &mut elements);
        }

        #[test]
        fn a_cut_is_noticed(elements in elements(), cut in any::<prop::sample::Index>()) {
            let bytes = write(&elements).unwrap();
            prop_assert_eq!(read(&bytes[..cut.index(bytes.len())], &mut bare(&elements)), None);
        }
    }

    #[test]
    fn too_deep_is_neither_written_nor_read() {
        let mut value = PropertyValue::Null;
        for _ in 0..=MAX_DEPTH {
            value = PropertyValue::List(vec![value]);
        }
        let set = Arc::new(PropertySet { values: vec![("a".into(), value)].into(), ..PropertySet::default() });
        assert_eq!(write(&[Element { properties: vec![set], ..Element::default() }]), None);
        // No name, and one value: a list in a list in a list, without end.
        let mut bytes = vec![0, 1];
        bytes.extend([6, 1].repeat(1_000_000));
        assert_eq!(read(&bytes, &mut []), None);
        // A number of names that no memory holds.
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], &mut []), None);
    }
}
