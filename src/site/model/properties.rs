//! Property sets: what a file states of its elements beyond what [`super::Element`] has fields for.
//!
//! Files repeat themselves: of 80,000 properties some 4,000 may be distinct. So names and values are held once, in a
//! pool that all sets of a model share ([`share`]), and a set only holds which of them it has.

use super::Element;
use crate::shape::Indices;
use rustc_hash::FxHashMap as HashMap;
use serde::Serialize;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A named set of properties or quantities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PropertySet {
    /// `Pset_WallCommon`, `Qto_PipeSegmentBaseQuantities`.
    pub name: String,
    /// True for a quantity set.
    pub quantities: bool,
    /// Name and value, in the order of the file.
    pub values: Properties,
}

/// Names and values, in an order.
#[derive(Clone, Default)]
pub struct Properties {
    pool: Arc<Pool>,
    /// Pairs of the pool.
    pairs: Indices,
}

/// Names and values that sets share, each once.
#[derive(Default)]
pub(crate) struct Pool {
    names: Box<[Box<str>]>,
    values: Box<[PropertyValue]>,
    /// Which value stands with which name.
    pairs: Box<[[u32; 2]]>,
}

impl Pool {
    /// A pool of names, values, and of pairs: a name's number and a value's. None when one of these is not there.
    pub(crate) fn new(names: Vec<String>, values: Vec<PropertyValue>, pairs: Vec<[u32; 2]>) -> Option<Self> {
        let there = |[n, v]: &[u32; 2]| (*n as usize) < names.len() && (*v as usize) < values.len();
        let sound = pairs.iter().all(there);
        let names = names.into_iter().map(String::into_boxed_str).collect();
        sound.then(|| Self { names, values: values.into(), pairs: pairs.into() })
    }
}

impl Properties {
    /// Some pairs of a pool; none when one of them is not there.
    pub(crate) fn of_pool(pool: &Arc<Pool>, pairs: Vec<u32>) -> Option<Self> {
        let sound = pairs.iter().all(|p| (*p as usize) < pool.pairs.len());
        sound.then(|| Self { pool: Arc::clone(pool), pairs: pairs.into() })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> Iter<'_> {
        Iter { of: self, next: 0 }
    }

    /// A copy of all of them that can be changed.
    pub fn to_vec(&self) -> Vec<(String, PropertyValue)> {
        self.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    fn get(&self, i: usize) -> Option<(&str, &PropertyValue)> {
        let [name, value] = *self.pool.pairs.get(self.pairs.get(i)? as usize)?;
        Some((self.pool.names.get(name as usize)?, self.pool.values.get(value as usize)?))
    }
}

impl From<Vec<(String, PropertyValue)>> for Properties {
    fn from(properties: Vec<(String, PropertyValue)>) -> Self {
        let count = properties.len() as u32;
        let (names, values): (Vec<_>, Vec<_>) = properties.into_iter().unzip();
        let pool = Pool::new(names, values, (0..count).map(|i| [i, i]).collect()).unwrap_or_default();
        Self { pool: Arc::new(pool), pairs: (0..count).collect::<Vec<_>>().into() }
    }
}

impl FromIterator<(String, PropertyValue)> for Properties {
    fn from_iter<I: IntoIterator<Item = (String, PropertyValue)>>(properties: I) -> Self {
        properties.into_iter().collect::<Vec<_>>().into()
    }
}

impl PartialEq for Properties {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other)
    }
}

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<'a> IntoIterator for &'a Properties {
    type Item = (&'a str, &'a PropertyValue);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Names and values of [`Properties`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    of: &'a Properties,
    next: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a PropertyValue);

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.of.get(self.next)?;
        self.next += 1;
        Some(found)
    }
}

/// Lets all property sets of some elements share one pool, and those that are equal be one.
pub(crate) fn share(elements: &mut [Element]) {
    let mut pool = Pooling::default();
    // By the set's address, and by what it says: its number among those that stay.
    let mut numbers: HashMap<*const PropertySet, usize> = HashMap::default();
    let mut equal: HashMap<(&str, bool, Vec<u32>), usize> = HashMap::default();
    for set in elements.iter().flat_map(|e| &e.properties) {
        numbers.entry(Arc::as_ptr(set)).or_insert_with(|| {
            let pairs = set.values.iter().map(|(name, value)| pool.pair(name, value)).collect();
            let next = equal.len();
            *equal.entry((set.name.as_str(), set.quantities, pairs)).or_insert(next)
        });
    }
    let Some(pool) = pool.finish().map(Arc::new) else { return };
    let mut shared = vec![None; equal.len()];
    for ((name, quantities, pairs), number) in equal {
        let set = |values| Arc::new(PropertySet { name: name.to_owned(), quantities, values });
        if let Some(place) = shared.get_mut(number) {
            *place = Properties::of_pool(&pool, pairs).map(set);
        }
    }
    for set in elements.iter_mut().flat_map(|e| &mut e.properties) {
        let number = numbers.get(&Arc::as_ptr(set));
        if let Some(Some(one)) = number.and_then(|n| shared.get(*n)) {
            *set = Arc::clone(one);
        }
    }
}

/// A pool that grows.
#[derive(Default)]
struct Pooling<'a> {
    names: HashMap<&'a str, u32>,
    values: HashMap<Exactly<'a>, u32>,
    pairs: HashMap<[u32; 2], u32>,
}

impl<'a> Pooling<'a> {
    fn pair(&mut self, name: &'a str, value: &'a PropertyValue) -> u32 {
        let next = self.names.len() as u32;
        let name = *self.names.entry(name).or_insert(next);
        let next = self.values.len() as u32;
        let value = *self.values.entry(Exactly(value)).or_insert(next);
        let next = self.pairs.len() as u32;
        *self.pairs.entry([name, value]).or_insert(next)
    }

    fn finish(self) -> Option<Pool> {
        let names = in_order(self.names).into_iter().map(str::to_owned).collect();
        let values = in_order(self.values).into_iter().map(|v| v.0.clone()).collect();
        Pool::new(names, values, in_order(self.pairs))
    }
}

fn in_order<T>(numbered: HashMap<T, u32>) -> Vec<T> {
    let mut all: Vec<(T, u32)> = numbered.into_iter().collect();
    all.sort_unstable_by_key(|(_, number)| *number);
    all.into_iter().map(|(thing, _)| thing).collect()
}

/// Equal to the last bit: 0 is not -0, and what is not a number is equal to itself.
struct Exactly<'a>(&'a PropertyValue);

impl PartialEq for Exactly<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (PropertyValue::Real(a), PropertyValue::Real(b)) => a.to_bits() == b.to_bits(),
            (PropertyValue::List(a), PropertyValue::List(b)) => a.iter().map(Exactly).eq(b.iter().map(Exactly)),
            (a, b) => a == b,
        }
    }
}

impl Eq for Exactly<'_> {}

impl Hash for Exactly<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self.0).hash(state);
        match self.0 {
            PropertyValue::Boolean(b) => b.hash(state),
            PropertyValue::Integer(i) => i.hash(state),
            PropertyValue::Real(r) => r.to_bits().hash(state),
            PropertyValue::Text(text) => text.hash(state),
            PropertyValue::List(values) => values.iter().for_each(|v| Exactly(v).hash(state)),
            PropertyValue::Null => {}
        }
    }
}

/// A property's value as the file states it (quantities in the file's own units).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PropertyValue {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Words, labels, identifiers.
    Text(String),
    /// Enumerated or listed values.
    List(Vec<PropertyValue>),
    /// `$`: stated to be unset.
    Null,
}

impl PropertyValue {
    /// The value as a number, when it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(i) => Some(*i as f64),
            Self::Real(r) => Some(*r),
            _ => None,
        }
    }

    /// The value as text, when it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }
}

impl std::fmt::Display for PropertyValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean(true) => f.write_str("yes"),
            Self::Boolean(false) => f.write_str("no"),
            Self::Integer(i) => write!(f, "{i}"),
            Self::Real(r) => write!(f, "{r}"),
            Self::Text(t) => f.write_str(t),
            Self::Null => f.write_str("—"),
            Self::List(values) => {
                for (i, v) in values.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{v}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, values: &[(&str, PropertyValue)]) -> Arc<PropertySet> {
        let values = values.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        Arc::new(PropertySet { name: name.into(), quantities: false, values })
    }

    #[test]
    fn what_is_shared_says_what_it_said() {
        let (text, real) = (|t: &str| PropertyValue::Text(t.into()), PropertyValue::Real);
        let list = || PropertyValue::List(vec![real(1.0), PropertyValue::Null]);
        let sets = [
            set("A", &[("Flow", real(0.0)), ("Flow", real(-0.0)), ("Mark", text("x"))]),
            set("A", &[("Flow", real(0.0)), ("Flow", real(-0.0)), ("Mark", text("x"))]),
            set("B", &[("Flow", real(0.0)), ("Flow", real(-0.0)), ("Mark", text("x"))]),
            set("A", &[("Flow", PropertyValue::Integer(0)), ("x", list()), ("", list())]),
            set("A", &[]),
        ];
        let mut elements: Vec<Element> =
            sets.iter().map(|s| Element { properties: vec![Arc::clone(s)], ..Element::default() }).collect();
        elements[4].properties.push(Arc::clone(&sets[0]));
        let before = elements.clone();
        share(&mut elements);
        assert_eq!(elements, before);
        let signs = elements[0].properties[0].values.iter().filter_map(|(_, v)| v.as_f64());
        assert_eq!(signs.map(f64::is_sign_negative).collect::<Vec<_>>(), [false, true]);
        let first = &elements[0].properties[0];
        assert!(Arc::ptr_eq(first, &elements[1].properties[0]) && Arc::ptr_eq(first, &elements[4].properties[1]));
        let others = [&elements[2].properties[0], &elements[3].properties[0], &elements[4].properties[0]];
        assert!(others.iter().all(|other| Arc::ptr_eq(&first.values.pool, &other.values.pool)));
        assert_eq!((first.values.pool.names.len(), first.values.pool.values.len()), (4, 5));
        assert_eq!(first.values.len(), 3);
    }

    #[test]
    fn a_pool_of_what_is_not_there_is_refused() {
        let value = || vec![PropertyValue::Null];
        assert!(Pool::new(vec!["a".into()], value(), vec![[0, 1]]).is_none());
        assert!(Pool::new(Vec::new(), value(), vec![[0, 0]]).is_none());
        let pool = Arc::new(Pool::new(vec!["a".into()], value(), vec![[0, 0]]).unwrap());
        assert!(Properties::of_pool(&pool, vec![0, 1]).is_none());
        assert_eq!(Properties::of_pool(&pool, vec![0]).unwrap().to_vec(), [("a".to_owned(), PropertyValue::Null)]);
    }
}
