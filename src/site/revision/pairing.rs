//! Which element of the new revision is which of the old.

use super::facts::{Facts, Role};
use super::frame::Found;
use super::{By, Pair, Removed, Why};
use std::collections::HashMap;

/// Nearer than this an element stands where it stood, metres.
const EXACT_M: f64 = 0.02;
/// As far as this it may have been nudged, when something else confirms that it is the same, metres.
const REACH_M: f64 = 0.2;
/// As far as this a tag is believed without anything else, metres.
const TAG_REACH_M: f64 = 0.5;
/// Evidence that is enough, and how much more of it than for any other. See [`Pairing::evidence`].
const ENOUGH: f64 = 3.5;
const CLEARLY: f64 = 0.75;
/// Matches bring evidence for their neighbours, round by round.
const ROUNDS: usize = 12;

/// Matches the elements of two revisions. The pairs are in the order of the old revision.
pub(super) fn pair(old: &Facts<'_>, new: &Facts<'_>, found: &Found) -> (Vec<Pair>, Vec<Removed>) {
    let mut pairing = Pairing {
        old,
        new,
        found,
        image: vec![None; old.side.elements.len()],
        source: vec![None; new.side.elements.len()],
        doubts: HashMap::new(),
    };
    pairing.by_id();
    let tags = pairing.shared_tags();
    pairing.by_tag(&tags, Tag::InPlace);
    for _ in 0..ROUNDS {
        let before = pairing.count();
        pairing.by_place();
        pairing.by_tag(&tags, Tag::Nearby);
        pairing.by_neighbours();
        if pairing.count() == before {
            break;
        }
    }
    pairing.finish(&tags)
}

/// How much is asked of the place of a tag.
#[derive(Clone, Copy, PartialEq)]
enum Tag {
    /// Exactly where it was.
    InPlace,
    /// Near by, or confirmed by its neighbours.
    Nearby,
}

struct Pairing<'a> {
    old: &'a Facts<'a>,
    new: &'a Facts<'a>,
    found: &'a Found,
    /// By old element.
    image: Vec<Option<(u32, By)>>,
    /// By new element.
    source: Vec<Option<u32>>,
    /// By old element: those it could not choose between.
    doubts: HashMap<u32, Vec<u32>>,
}

impl Pairing<'_> {
    fn count(&self) -> usize {
        self.image.iter().flatten().count()
    }

    fn image(&self, old: u32) -> Option<u32> {
        self.image.get(old as usize).copied().flatten().map(|(new, _)| new)
    }

    fn is_free(&self, new: u32) -> bool {
        self.source.get(new as usize) == Some(&None)
    }

    fn take(&mut self, old: u32, new: u32, by: By) {
        if self.image(old).is_some() || !self.is_free(new) {
            return;
        }
        if let (Some(image), Some(source)) = (self.image.get_mut(old as usize), self.source.get_mut(new as usize)) {
            *image = Some((new, by));
            *source = Some(old);
            self.doubts.remove(&old);
        }
    }

    fn unmatched(&self) -> Vec<u32> {
        self.old.side.iter().map(|(i, _)| i).filter(|i| self.image(*i).is_none()).collect()
    }

    fn same_class(&self, old: u32, new: u32) -> bool {
        let (a, b) = (self.old.side.element(old), self.new.side.element(new));
        a.zip(b).is_some_and(|(a, b)| a.class == b.class)
    }

    /// How far a new element is from where the old one would stand, metres; none where that cannot be told.
    fn distance(&self, old: u32, new: u32) -> Option<f64> {
        let (a, b) = (self.old.body(old)?, self.new.body(new)?);
        self.found.known.then(|| (self.found.motion.apply(a.place) - b.place).length())
    }

    /// Elements that both revisions give one GlobalId; where several have it, one after the other.
    fn by_id(&mut self) {
        let mut there: HashMap<&str, Vec<u32>> = HashMap::new();
        let mut here: HashMap<&str, Vec<u32>> = HashMap::new();
        for (facts, map) in [(self.old, &mut here), (self.new, &mut there)] {
            for (i, _) in facts.side.iter() {
                if let Some(id) = facts.id(i) {
                    map.entry(id).or_default().push(i);
                }
            }
        }
        for (id, old) in here {
            let Some(new) = there.get(id).filter(|new| new.len() == old.len()) else { continue };
            for (a, b) in old.iter().zip(new) {
                if old.len() == 1 || self.same_class(*a, *b) {
                    self.take(*a, *b, By::GlobalId);
                }
            }
        }
    }

    /// Old and new elements with one class and one tag that no other element of either revision has.
    fn shared_tags(&self) -> HashMap<u32, u32> {
        let there = self.new.unique(|i| self.new.tag(i));
        let here = self.old.unique(|i| self.old.tag(i));
        here.into_iter().filter_map(|(tag, old)| Some((old, *there.get(&tag)?))).collect()
    }

    fn by_tag(&mut self, tags: &HashMap<u32, u32>, place: Tag) {
        for old in self.unmatched() {
            let Some(new) = tags.get(&old).copied().filter(|n| self.is_free(*n)) else { continue };
            let believed = match self.distance(old, new) {
                Some(d) if d <= EXACT_M => true,
                Some(d) if place == Tag::Nearby => {
                    (d <= TAG_REACH_M || self.confirmed(old, new)) && !self.another_stands_there(old, new)
                }
                Some(_) => false,
                // Nothing can speak against it: one of them has no place, or nobody knows how the model moved.
                None => true,
            };
            if believed {
                self.take(old, new, By::Tag);
            }
        }
    }

    /// True when another of the new revision stands exactly where the old one stood, or another of the old one stood
    /// where the new one stands: the tag went from one to the other.
    fn another_stands_there(&self, old: u32, new: u32) -> bool {
        let (Some(a), Some(b)) = (self.old.body(old), self.new.body(new)) else { return false };
        let motion = self.found.motion;
        let before = motion.to_affine().inverse().transform_point3(b.place);
        let same = |o: u32, n: u32| {
            let looks = self.old.body(o).zip(self.new.body(n)).is_some_and(|(a, b)| a.alike(b, 0.01, 0.002));
            looks && self.same_class(o, n)
        };
        let here =
            self.new.near(motion.apply(a.place), EXACT_M).any(|(n, _)| n != new && self.is_free(n) && same(old, n));
        here || self.old.near(before, EXACT_M).any(|(o, _)| o != old && self.image(o).is_none() && same(o, new))
    }

    /// Of the old element's neighbours that are matched: how many are the new one's too, and how many there are.
    fn neighbours(&self, old: u32, new: u32) -> (usize, usize) {
        let there = self.new.neighbours(new);
        let images = self.old.neighbours(old).iter().filter_map(|(role, n)| Some((*role, self.image(*n)?)));
        images.fold((0, 0), |(same, all), pair| (same + usize::from(there.contains(&pair)), all + 1))
    }

    /// True when it hangs together with what it hung together with: at least half of it.
    fn confirmed(&self, old: u32, new: u32) -> bool {
        let (same, all) = self.neighbours(old, new);
        same > 0 && 2 * same >= all
    }

    /// What speaks for a new element at or near the place of an old one. Standing exactly there and looking the
    /// same is enough; less needs type, tag or neighbours to speak for it too.
    fn evidence(&self, old: u32, new: u32, distance_m: f64) -> f64 {
        let (Some(a), Some(b)) = (self.old.side.element(old), self.new.side.element(new)) else { return 0.0 };
        let mut sum = if distance_m <= EXACT_M { 2.5 } else { 0.5 * (1.0 - distance_m / REACH_M) };
        if let (Some(a), Some(b)) = (self.old.body(old), self.new.body(new)) {
            sum += if a.alike(b, 0.01, 0.002) { 2.0 } else { -1.5 };
        }
        sum += if a.type_name == b.type_name { 1.0 } else { -0.5 };
        sum += if a.name == b.name { 0.5 } else { 0.0 };
        let tag = !a.tag.is_empty() && a.tag == b.tag;
        // Near by with the tag is less than exactly there without it: tags change hands.
        sum += match tag {
            true if distance_m <= EXACT_M => 3.0,
            true => 1.0,
            false => 0.0,
        };
        let (same, all) = self.neighbours(old, new);
        if all > 0 {
            sum += 2.0 * same as f64 / all as f64;
        }
        if all >= 2 && same == 0 {
            sum -= 1.0;
        }
        if distance_m > EXACT_M && !tag && !self.confirmed(old, new) {
            return sum.min(ENOUGH - 0.1); // it may be near, or new: nothing tells
        }
        sum
    }

    /// Elements where they stood, of the same class, when one of them fits clearly best and fits nothing else.
    fn by_place(&mut self) {
        if !self.found.known {
            return;
        }
        let mut of_old: Vec<(u32, Vec<(u32, f64)>)> = Vec::new();
        let mut of_new: HashMap<u32, Vec<(u32, f64)>> = HashMap::new();
        for old in self.unmatched() {
            let Some(body) = self.old.body(old) else { continue };
            let near = self.new.near(self.found.motion.apply(body.place), REACH_M);
            let near = near.filter(|(n, _)| self.is_free(*n) && self.same_class(old, *n));
            let mut near: Vec<(u32, f64)> = near.map(|(n, d)| (n, self.evidence(old, n, d))).collect();
            near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            for (new, evidence) in &near {
                of_new.entry(*new).or_default().push((old, *evidence));
            }
            of_old.push((old, near));
        }
        for (old, near) in of_old {
            let Some((new, evidence)) = near.first().copied().filter(|(_, e)| *e >= ENOUGH) else { continue };
            let clear = |others: &[(u32, f64)], own: u32| {
                others.iter().filter(|(o, _)| *o != own).all(|(_, e)| e + CLEARLY <= evidence)
            };
            let rivals = of_new.get(&new).map_or(&[][..], Vec::as_slice);
            if clear(&near, new) && clear(rivals, old) {
                self.take(old, new, By::Place);
            } else {
                let close = near.iter().filter(|(_, e)| e + CLEARLY > evidence).map(|(n, _)| *n);
                self.doubts.insert(old, close.collect());
            }
        }
    }

    /// Elements without a place of their own (assemblies without geometry, controllers): the one that all their
    /// matched neighbours point to.
    fn by_neighbours(&mut self) {
        for old in self.unmatched() {
            if self.old.body(old).is_some() && self.found.known {
                continue;
            }
            let mut votes: HashMap<u32, usize> = HashMap::new();
            for (role, neighbour) in self.old.neighbours(old) {
                let Some(image) = self.image(*neighbour) else { continue };
                for (back, candidate) in self.new.neighbours(image) {
                    if *back == opposite(*role) && self.is_free(*candidate) && self.fits(old, *candidate) {
                        *votes.entry(*candidate).or_default() += 1;
                    }
                }
            }
            let mut votes: Vec<(usize, u32)> = votes.into_iter().map(|(n, v)| (v, n)).collect();
            votes.sort_unstable_by(|a, b| b.cmp(a));
            match votes.as_slice() {
                [(_, new)] => self.take(old, *new, By::Place),
                [(first, new), (second, _), ..] if *first >= 2 * *second => self.take(old, *new, By::Place),
                [_, ..] => {
                    self.doubts.insert(old, votes.iter().map(|(_, n)| *n).collect());
                }
                [] => {}
            }
        }
    }

    /// The same class, type and name, and no place that contradicts.
    fn fits(&self, old: u32, new: u32) -> bool {
        let (Some(a), Some(b)) = (self.old.side.element(old), self.new.side.element(new)) else { return false };
        let looks = match (self.old.body(old), self.new.body(new)) {
            (Some(a), Some(b)) => a.alike(b, 0.01, 0.002),
            (None, None) => true,
            _ => false,
        };
        let near = self.distance(old, new).is_none_or(|d| d <= REACH_M);
        looks
            && near
            && a.class == b.class
            && a.type_name == b.type_name
            && a.name == b.name
            && self.confirmed(old, new)
    }

    fn finish(self, tags: &HashMap<u32, u32>) -> (Vec<Pair>, Vec<Removed>) {
        let (mut pairs, mut removed) = (Vec::new(), Vec::new());
        for (old, _) in self.old.side.iter() {
            if let Some((new, by)) = self.image.get(old as usize).copied().flatten() {
                pairs.push(Pair { old, new, by });
                continue;
            }
            let doubts = self.doubts.get(&old).into_iter().flatten().copied();
            let doubts: Vec<u32> = doubts.filter(|n| self.is_free(*n)).collect();
            let elsewhere = tags.get(&old).copied().filter(|n| self.is_free(*n));
            let why = match elsewhere.and_then(|new| Some((new, self.distance(old, new)?))) {
                _ if !doubts.is_empty() => Why::Ambiguous { candidates: doubts },
                Some((new, distance_m)) => Why::TagElsewhere { new, distance_m },
                None => Why::Gone,
            };
            removed.push(Removed { old, why });
        }
        (pairs, removed)
    }
}

/// The role of the one that is looked from.
fn opposite(role: Role) -> Role {
    match role {
        Role::Whole => Role::Part,
        Role::Part => Role::Whole,
        Role::Host => Role::Device,
        Role::Device => Role::Host,
        Role::Joined => Role::Joined,
    }
}
