//! Computed points: every rule of a site, evaluated when what it reads has changed.

use super::expression::{Bound, Expression, Input, Name, Outcome};
use crate::problem::Problem;
use crate::site::point::PointSource;
use crate::site::{Point, PointIndex, Site, Slot};
use crate::time::Time;
use std::collections::{BTreeMap, HashMap};

/// How far `host.` looks upward: from a sensor to a coil to its unit to a plant is three.
const MAX_HOSTS: usize = 16;

/// Every rule of a site, bound to its points.
///
/// For each sample that came in: [`RuleSet::touch`], then [`RuleSet::run`]; once per sample, or once per
/// tick after touching all that is new. A result carries the device time of the newest input it was
/// computed for. Nothing comes out where an input is unknown, or where the expression says `hold`.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// In an order in which every rule comes after those it reads.
    rules: Vec<Rule>,
    /// By [`PointIndex`]: the rules that read it.
    readers: Vec<Vec<u32>>,
    /// By [`PointIndex`]: the rule that computes it.
    computed_by: Vec<Option<u32>>,
    /// Rules to evaluate in the next run.
    waiting: Vec<u32>,
    scratch: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Rule {
    point: PointIndex,
    bound: Bound,
    /// Its last result, for the rules that read it.
    last: Option<f64>,
    waits: bool,
    /// Newest device time of what touched it.
    touched: Time,
}

/// One result of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Computed {
    /// The computed point.
    pub point: PointIndex,
    /// Its value, SI.
    pub value: f64,
    /// Device time of the newest input.
    pub time: Time,
}

impl RuleSet {
    /// Binds every rule of a site. A rule that cannot be bound is left out and reported, once for all
    /// assets with the same trouble.
    pub fn new(site: &Site) -> (Self, Vec<Problem>) {
        let mut troubles: BTreeMap<(String, String), (usize, String)> = BTreeMap::new();
        let mut trouble = |point: &Point, message: String, remedy: &str| {
            let entry = troubles.entry((point.role.clone(), message)).or_insert((0, String::new()));
            entry.0 += 1;
            if entry.0 == 1 {
                entry.1 = format!("{}\n{remedy}", point.id);
            }
        };
        let by_role: HashMap<(Slot, &str), PointIndex> =
            site.points.iter().enumerate().map(|(i, p)| ((p.asset, p.role.as_str()), PointIndex(i as u32))).collect();
        let mut compiled: HashMap<&str, Option<Expression>> = HashMap::new();
        let mut rules = Vec::new();
        for (i, point) in site.points.iter().enumerate() {
            let PointSource::Rule { expression: text } = &point.source else { continue };
            let expression = compiled.entry(text).or_insert_with(|| Expression::compile(text).ok());
            let Some(expression) = expression else {
                trouble(point, format!("`{text}` is no expression"), "mend the expression in twin.toml");
                continue;
            };
            match expression.bind(|name| resolve(site, &by_role, point.asset, name)) {
                Ok(bound) => rules.push(Rule {
                    point: PointIndex(i as u32),
                    bound,
                    last: None,
                    waits: false,
                    touched: Time(i64::MIN),
                }),
                Err(name) => {
                    let (message, remedy) = unresolved(&name);
                    trouble(point, message, remedy);
                }
            }
        }
        let (rules, circular) = in_order(rules);
        for rule in circular {
            if let Some(point) = site.points.get(rule.0 as usize) {
                trouble(point, "the rule reads its own result".into(), "break the circle of rules in twin.toml");
            }
        }
        let mut set = Self {
            readers: vec![Vec::new(); site.points.len()],
            computed_by: vec![None; site.points.len()],
            rules,
            ..Self::default()
        };
        for (r, rule) in set.rules.iter().enumerate() {
            if let Some(by) = set.computed_by.get_mut(rule.point.0 as usize) {
                *by = Some(r as u32);
            }
            for input in rule.bound.inputs() {
                if let Some(readers) = set.readers.get_mut(input.0 as usize) {
                    readers.push(r as u32);
                }
            }
        }
        let problems = troubles
            .into_iter()
            .map(|((role, message), (count, first))| {
                let (first, remedy) = first.split_once('\n').unwrap_or((&first, ""));
                let place =
                    if count == 1 { first.to_owned() } else { format!("{role} on {count} assets, {first} first") };
                Problem::warning(place, format!("the rule is not computed: {message}"), remedy)
            })
            .collect();
        (set, problems)
    }

    /// Takes over what the rules of another state of the site remember, where they compute the same of the same points.
    pub fn take_over(&mut self, old: &Self, point: impl Fn(PointIndex) -> Option<PointIndex>) {
        for was in &old.rules {
            let number = point(was.point).and_then(|p| self.computed_by.get(p.0 as usize).copied().flatten());
            let Some(rule) = number.and_then(|r| self.rules.get_mut(r as usize)) else { continue };
            if rule.bound.take_over(&was.bound, &point) {
                (rule.last, rule.touched) = (was.last, was.touched);
            }
        }
    }

    /// How many rules are bound.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True when no rule is bound.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// True when some rule reads this point.
    pub fn reads(&self, point: PointIndex) -> bool {
        self.readers.get(point.0 as usize).is_some_and(|r| !r.is_empty())
    }

    /// A sample of `point` came in, measured at `time`: what reads it is evaluated in the next run.
    pub fn touch(&mut self, point: PointIndex, time: Time) {
        let Some(readers) = self.readers.get(point.0 as usize) else { return };
        for r in readers {
            let Some(rule) = self.rules.get_mut(*r as usize) else { continue };
            rule.touched = rule.touched.max(time);
            if !rule.waits {
                rule.waits = true;
                self.waiting.push(*r);
            }
        }
    }

    /// Evaluates what was touched since the last run, each rule once, and what reads the results.
    ///
    /// `value` gives the last value of a measured point, SI: none when it is unknown, stale or of bad
    /// quality. Results are appended to `out`.
    pub fn run(&mut self, mut value: impl FnMut(PointIndex) -> Option<f64>, out: &mut Vec<Computed>) {
        // A rule's number is above those of the rules it reads, so that the least one is always ready.
        while let Some((at, r)) = self.waiting.iter().copied().enumerate().min_by_key(|(_, r)| *r) {
            self.waiting.swap_remove(at);
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.clear();
            if let Some(rule) = self.rules.get(r as usize) {
                scratch.extend(rule.bound.inputs().iter().map(|p| {
                    match self.computed_by.get(p.0 as usize).copied().flatten() {
                        Some(by) => self.rules.get(by as usize).and_then(|rule| rule.last),
                        None => value(*p),
                    }
                    .unwrap_or(f64::NAN)
                }));
            }
            let mut result = None;
            if let Some(rule) = self.rules.get_mut(r as usize) {
                rule.waits = false;
                match rule.bound.evaluate(&scratch, rule.touched) {
                    Outcome::Value(value) => {
                        rule.last = Some(value);
                        result = Some(Computed { point: rule.point, value, time: rule.touched });
                    }
                    Outcome::Hold => {}
                    Outcome::NotReady => rule.last = None,
                }
            }
            self.scratch = scratch;
            if let Some(computed) = result {
                out.push(computed);
                self.touch(computed.point, computed.time);
            }
        }
    }
}

fn unresolved(name: &Name) -> (String, &'static str) {
    match name {
        Name::Role { host: false, role } => {
            (format!("the asset has no point `{role}`"), "add the point to the template, or bind it")
        }
        Name::Role { host: true, role } => (
            format!("nothing that the asset serves or is part of has a point `{role}`"),
            "relate the element to its equipment in the model (IfcRelAggregates, IfcRelFlowControlElements)",
        ),
        Name::Property { name, .. } => {
            (format!("the element has no number called `{name}`"), "add the property to the model, or write the number")
        }
    }
}

/// What a name stands for on an asset.
fn resolve(site: &Site, by_role: &HashMap<(Slot, &str), PointIndex>, asset: Slot, name: &Name) -> Option<Input> {
    match name {
        Name::Role { host: false, role } => by_role.get(&(asset, role.as_str())).copied().map(Input::Point),
        Name::Role { host: true, role } => {
            hosts(site, asset).find_map(|slot| by_role.get(&(slot, role.as_str())).copied()).map(Input::Point)
        }
        Name::Property { host: false, name } => number(site, asset, name).map(Input::Constant),
        Name::Property { host: true, name } => {
            hosts(site, asset).find_map(|slot| number(site, slot, name)).map(Input::Constant)
        }
    }
}

/// What an element serves, else is part of, and so on upward; a model whose relations run in a circle ends it.
fn hosts(site: &Site, asset: Slot) -> impl Iterator<Item = Slot> {
    let above = |slot: Slot| site.element(slot).and_then(|e| e.host.or(e.part_of)).map(Slot);
    std::iter::successors(above(asset), move |slot| above(*slot)).take(MAX_HOSTS)
}

fn number(site: &Site, slot: Slot, name: &str) -> Option<f64> {
    let values = site.element(slot)?.properties.iter().flat_map(|set| &set.values);
    values.filter(|(n, _)| *n == name).find_map(|(_, value)| value.as_f64())
}

/// Rules in an order in which each comes after those it reads, and the points of those that run in a circle.
fn in_order(rules: Vec<Rule>) -> (Vec<Rule>, Vec<PointIndex>) {
    let number_of: HashMap<PointIndex, usize> = rules.iter().enumerate().map(|(i, r)| (r.point, i)).collect();
    let mut readers = vec![Vec::new(); rules.len()];
    let mut missing = vec![0_usize; rules.len()];
    for (i, rule) in rules.iter().enumerate() {
        for read in rule.bound.inputs().iter().filter_map(|p| number_of.get(p)) {
            readers[*read].push(i);
            missing[i] += 1;
        }
    }
    let mut order: Vec<usize> = (0..rules.len()).filter(|i| missing[*i] == 0).collect();
    let mut done = 0;
    while let Some(i) = order.get(done).copied() {
        done += 1;
        for reader in &readers[i] {
            missing[*reader] -= 1;
            if missing[*reader] == 0 {
                order.push(*reader);
            }
        }
    }
    let mut rules: Vec<Option<Rule>> = rules.into_iter().map(Some).collect();
    let sorted = order.into_iter().filter_map(|i| rules[i].take()).collect();
    (sorted, rules.into_iter().flatten().map(|r| r.point).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Element;
    use crate::site::model::{PropertySet, PropertyValue};
    use crate::site::unit::Unit;

    fn point(asset: u32, role: &str, expression: Option<&str>) -> Point {
        let source = match expression {
            Some(e) => PointSource::Rule { expression: e.into() },
            None => PointSource::Topic { topic: role.into(), key: String::new() },
        };
        Point {
            id: format!("E{asset}/{role}"),
            asset: Slot(asset),
            role: role.into(),
            name: role.into(),
            unit: Unit::ONE,
            expected: None,
            period_s: 5.0,
            stale_after_s: 60.0,
            check: None,
            source,
            remedy: String::new(),
            watch: Default::default(),
        }
    }

    /// An air handling unit (0) with a coil (1) that has a sensor (2); the unit has a property.
    fn site(points: Vec<Point>) -> Site {
        let nominal = PropertySet {
            name: "Pset".into(),
            quantities: false,
            values: vec![
                ("Nominal".into(), PropertyValue::Text("none".into())),
                ("Nominal".into(), PropertyValue::Integer(4)),
            ]
            .into(),
        };
        let elements = vec![
            Element { id: "unit".into(), properties: vec![nominal.into()], ..Element::default() },
            Element { id: "coil".into(), part_of: Some(0), ..Element::default() },
            Element { id: "sensor".into(), host: Some(1), ..Element::default() },
        ];
        let mut site = Site::default();
        (site.elements, site.points) = (elements, points);
        site
    }

    /// Touches each given point and runs; the results as text.
    fn step(set: &mut RuleSet, known: &[(u32, f64)], touched: &[u32], second: i64) -> Vec<String> {
        for p in touched {
            set.touch(PointIndex(*p), Time(second * 1000));
        }
        let mut out = Vec::new();
        set.run(|p| known.iter().find(|(k, _)| *k == p.0).map(|(_, v)| *v), &mut out);
        out.iter().map(|c| format!("{}={}@{}", c.point.0, c.value, c.time.0 / 1000)).collect()
    }

    #[test]
    fn computes_what_was_touched_once_and_what_reads_it() {
        let (mut set, problems) = RuleSet::new(&site(vec![
            point(0, "twice_sum", Some("2 * sum")),
            point(0, "sum", Some("a + b")),
            point(0, "a", None),
            point(0, "b", None),
            point(0, "other", Some("b * 10")),
        ]));
        assert_eq!(problems, []);
        assert_eq!(set.len(), 3);
        assert!(set.reads(PointIndex(2)) && set.reads(PointIndex(1)) && !set.reads(PointIndex(0)));
        let known = [(2, 1.0), (3, 2.0)];
        assert!(step(&mut set, &known, &[], 1).is_empty());
        let mut all = step(&mut set, &known, &[2, 3], 2);
        all.sort();
        assert_eq!(all, ["0=6@2", "1=3@2", "4=20@2"]);
        assert_eq!(step(&mut set, &[(2, 5.0), (3, 2.0)], &[2], 3), ["1=7@3", "0=14@3"]);
        assert!(step(&mut set, &[(2, 5.0)], &[2], 4).is_empty(), "b is unknown now");
        assert!(step(&mut set, &known, &[99], 5).is_empty());
    }

    #[test]
    fn a_host_is_the_nearest_that_has_it() {
        let (mut set, problems) = RuleSet::new(&site(vec![
            point(2, "deviation", Some("temperature - host.temperature + host.prop.Nominal * host.running")),
            point(2, "temperature", None),
            point(1, "temperature", None),
            point(0, "temperature", None),
            point(0, "running", None),
        ]));
        assert_eq!(problems, []);
        let known = [(1, 20.0), (2, 15.0), (3, 0.0), (4, 1.0)];
        assert_eq!(step(&mut set, &known, &[4], 7), ["0=9@7"]);
    }

    #[test]
    fn hold_brings_nothing_and_is_still_read() {
        let (mut set, _) = RuleSet::new(&site(vec![
            point(0, "held", Some("if(on, x, hold)")),
            point(0, "sum", Some("held + x")),
            point(0, "on", None),
            point(0, "x", None),
        ]));
        assert_eq!(step(&mut set, &[(2, 1.0), (3, 3.0)], &[3], 1), ["0=3@1", "1=6@1"]);
        assert_eq!(step(&mut set, &[(2, 0.0), (3, 4.0)], &[2, 3], 2), ["1=7@2"]);
    }

    #[test]
    fn what_cannot_be_bound_is_said_once() {
        let mut points = vec![
            point(0, "x", None),
            point(0, "circle", Some("round + x")),
            point(0, "round", Some("circle")),
            point(0, "broken", Some("1 +")),
            point(1, "number", Some("prop.Nominal")),
            point(0, "fine", Some("x * prop.Nominal")),
        ];
        points.extend((0..3).map(|asset| point(asset, "lost", Some("missing + host.missing"))));
        let (mut set, problems) = RuleSet::new(&site(points));
        assert_eq!(set.len(), 1);
        assert_eq!(step(&mut set, &[(0, 2.0)], &[0], 1), ["5=8@1"]);
        let text: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.place, p.message)).collect();
        assert_eq!(problems.len(), 5, "{text:#?}");
        assert!(text.contains(
            &"lost on 3 assets, E0/lost first: the rule is not computed: the asset has no point `missing`".to_owned()
        ));
        assert!(problems.iter().all(|p| !p.remedy.is_empty()));
    }

    #[test]
    fn relations_in_a_circle_end() {
        let mut site = site(vec![point(2, "r", Some("host.nothing"))]);
        site.elements[0].part_of = Some(1);
        assert_eq!(RuleSet::new(&site).1.len(), 1);
    }
}
