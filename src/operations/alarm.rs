//! Alarms: what asks for a person. States are those of ISA-18.2.

use crate::analytics::Health;
use crate::site::{PointIndex, Slot};
use crate::time::Time;
use serde::Serialize;
use std::collections::HashMap;

/// The number of an alarm, unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmId(pub u32);

/// Where an alarm is in its life (ISA-18.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// Active, and nobody has seen it.
    Unacknowledged,
    /// Active, and somebody has.
    Acknowledged,
    /// No longer active, and nobody has seen it.
    Returned,
    /// No longer active and seen: over.
    Normal,
}

/// How much an alarm matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmSeverity {
    /// A device has gone silent.
    Low,
    /// Outside a warning limit.
    Medium,
    /// Outside a critical limit.
    High,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Its number.
    pub id: AlarmId,
    /// The asset it is about.
    pub asset: Slot,
    /// The point that raised it.
    pub point: PointIndex,
    /// What people read: `Valve does not follow its command`.
    pub name: String,
    /// How much it matters; the worst it has been while active.
    pub severity: AlarmSeverity,
    /// Where it is in its life.
    pub state: AlarmState,
    /// When it was raised, by the twin's clock.
    pub raised_at: Time,
    /// When it returned to normal.
    pub returned_at: Option<Time>,
    /// When somebody acknowledged it.
    pub acknowledged_at: Option<Time>,
    /// What to do about it.
    pub remedy: String,
}

/// So many alarms are kept; beyond it the oldest that are over are dropped.
pub const DEFAULT_CAPACITY: usize = 10_000;

/// Every alarm of a run, newest last.
///
/// | health of the point | alarm |
/// |---|---|
/// | warning | the point's own, medium |
/// | critical | the point's own, high |
/// | good | the point's own returns to normal |
/// | stale | one for the whole asset, low: *Device is silent*, until none of its points is stale |
/// | unknown | none; nothing returns either, since nothing says that it is over |
///
/// A point has at most one alarm that is not over. One that returned and was not acknowledged becomes
/// active again under its old number; one that is over stays over, and a new one is raised. An
/// acknowledged alarm that gets worse must be acknowledged again.
#[derive(Clone, Debug)]
pub struct AlarmList {
    /// By rising number.
    alarms: Vec<Alarm>,
    next: u32,
    capacity: usize,
    /// The point's own alarm that is not over.
    of_point: HashMap<PointIndex, AlarmId>,
    silent: HashMap<Slot, Silence>,
    /// Plenum's own that are not over, by name.
    own: HashMap<String, AlarmId>,
}

/// What is known of an asset that is silent, or whose silence nobody has acknowledged.
#[derive(Clone, Debug)]
struct Silence {
    alarm: AlarmId,
    points: Vec<PointIndex>,
}

impl Default for AlarmList {
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl AlarmList {
    /// A list that keeps about `capacity` alarms: those that are not over always, the rest while there is room.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            alarms: Vec::new(),
            next: 1,
            capacity,
            of_point: HashMap::new(),
            silent: HashMap::new(),
            own: HashMap::new(),
        }
    }

    /// Every alarm, oldest first.
    pub fn all(&self) -> &[Alarm] {
        &self.alarms
    }

    /// The alarm of a number; none when there was none or it has been dropped.
    pub fn get(&self, id: AlarmId) -> Option<&Alarm> {
        self.alarms.get(self.position(id)?)
    }

    /// The alarms that are not over, the most severe first, then the newest.
    pub fn active(&self) -> impl Iterator<Item = &Alarm> {
        let mut open: Vec<&Alarm> = self.alarms.iter().filter(|a| a.state != AlarmState::Normal).collect();
        open.sort_by_key(|a| std::cmp::Reverse((a.severity, a.raised_at, a.id)));
        open.into_iter()
    }

    /// Takes a point's change of health: raises, escalates or returns its alarm. True when the list changed.
    pub fn observe(
        &mut self,
        asset: Slot,
        point: PointIndex,
        name: &str,
        remedy: &str,
        health: Health,
        now: Time,
    ) -> bool {
        let spoke = match health {
            Health::Stale => return self.fall_silent(asset, point, now),
            _ => self.speak(asset, point, now),
        };
        let severity = match health {
            Health::Warning => AlarmSeverity::Medium,
            Health::Critical => AlarmSeverity::High,
            Health::Good => {
                let alarm = self.of_point.get(&point).copied();
                let returned = alarm.is_some_and(|id| self.return_to_normal(id, now));
                if alarm.and_then(|id| self.get(id)).is_none_or(|a| a.state == AlarmState::Normal) {
                    self.of_point.remove(&point);
                }
                return returned || spoke;
            }
            Health::Stale | Health::Unknown => return spoke,
        };
        let raised = match self.of_point.get(&point) {
            Some(id) => self.raise_again(*id, severity),
            None => {
                let id = self.raise(asset, point, name, remedy, severity, now);
                self.of_point.insert(point, id);
                true
            }
        };
        raised || spoke
    }

    /// Something of Plenum itself fails (`severity`), or works again (none): an alarm of no element ([`NO_ASSET`]), one
    /// a name. True when the list changed.
    pub fn observe_own(&mut self, name: &str, remedy: &str, severity: Option<AlarmSeverity>, now: Time) -> bool {
        match (self.own.get(name).copied(), severity) {
            (None, None) => false,
            (Some(id), Some(severity)) => self.raise_again(id, severity),
            (None, Some(severity)) => {
                let id = self.raise(NO_ASSET, NO_POINT, name, remedy, severity, now);
                self.own.insert(name.to_owned(), id);
                true
            }
            (Some(id), None) => {
                let returned = self.return_to_normal(id, now);
                if self.get(id).is_none_or(|a| a.state == AlarmState::Normal) {
                    self.own.remove(name);
                }
                returned
            }
        }
    }

    /// Somebody has seen it. True when the list changed.
    pub fn acknowledge(&mut self, id: AlarmId, now: Time) -> bool {
        let Some(alarm) = self.position(id).and_then(|i| self.alarms.get_mut(i)) else { return false };
        alarm.state = match alarm.state {
            AlarmState::Unacknowledged => AlarmState::Acknowledged,
            AlarmState::Returned => AlarmState::Normal,
            AlarmState::Acknowledged | AlarmState::Normal => return false,
        };
        alarm.acknowledged_at = Some(now);
        if alarm.state == AlarmState::Normal {
            let (point, asset) = (alarm.point, alarm.asset);
            self.own.retain(|_, own| *own != id);
            if self.of_point.get(&point) == Some(&id) {
                self.of_point.remove(&point);
            } else if self.silent.get(&asset).is_some_and(|s| s.alarm == id) {
                self.silent.remove(&asset);
            }
        }
        true
    }

    /// Takes the list along where elements and points have other numbers now: none for what is not there any more.
    ///
    /// What is gone cannot say that all is well again: its alarms end, and those that were not over are returned.
    pub fn carry(
        &mut self,
        slot: impl Fn(Slot) -> Option<Slot>,
        point: impl Fn(PointIndex) -> Option<PointIndex>,
    ) -> Vec<Alarm> {
        // An asset is silent as long as one of its points is; silence that is over waits to be seen.
        let silent = std::mem::take(&mut self.silent).into_iter().filter_map(|(asset, silence)| {
            let points: Vec<PointIndex> = silence.points.iter().filter_map(|p| point(*p)).collect();
            let goes_on = points.is_empty() == silence.points.is_empty();
            Some((slot(asset).filter(|_| goes_on)?, Silence { alarm: silence.alarm, points }))
        });
        self.silent = silent.collect();
        let of_point = std::mem::take(&mut self.of_point);
        self.of_point = of_point.into_iter().filter_map(|(p, id)| Some((point(p)?, id))).collect();
        let mut open: HashMap<AlarmId, Option<PointIndex>> =
            self.of_point.iter().map(|(point, id)| (*id, Some(*point))).collect();
        open.extend(self.silent.values().map(|s| (s.alarm, s.points.first().copied())));

        let mut ended = Vec::new();
        self.alarms.retain_mut(|alarm| {
            // Of Plenum itself: whatever the site is.
            if alarm.asset == NO_ASSET {
                return true;
            }
            let (asset, own) = (slot(alarm.asset), point(alarm.point));
            let stays = alarm.state == AlarmState::Normal || open.contains_key(&alarm.id);
            let Some(asset) = asset.filter(|_| stays) else {
                if alarm.state != AlarmState::Normal {
                    ended.push(alarm.clone());
                }
                return false;
            };
            alarm.asset = asset;
            alarm.point = own.or_else(|| open.get(&alarm.id).copied().flatten()).unwrap_or(NO_POINT);
            true
        });
        // Of an element that is gone no point may hold an alarm that is not in the list.
        let Self { alarms, of_point, silent, .. } = self;
        let is_listed = |id: &AlarmId| alarms.binary_search_by_key(id, |a| a.id).is_ok();
        of_point.retain(|_, id| is_listed(id));
        silent.retain(|_, s| is_listed(&s.alarm));
        ended
    }

    fn fall_silent(&mut self, asset: Slot, point: PointIndex, now: Time) -> bool {
        if let Some(silence) = self.silent.get_mut(&asset) {
            if !silence.points.contains(&point) {
                silence.points.push(point);
            }
            let id = silence.alarm;
            return self.raise_again(id, AlarmSeverity::Low);
        }
        let alarm = self.raise(asset, point, SILENT, SILENT_REMEDY, AlarmSeverity::Low, now);
        self.silent.insert(asset, Silence { alarm, points: vec![point] });
        true
    }

    fn speak(&mut self, asset: Slot, point: PointIndex, now: Time) -> bool {
        let Some(silence) = self.silent.get_mut(&asset) else { return false };
        silence.points.retain(|p| *p != point);
        if !silence.points.is_empty() {
            return false;
        }
        let id = silence.alarm;
        let returned = self.return_to_normal(id, now);
        if self.get(id).is_none_or(|a| a.state == AlarmState::Normal) {
            self.silent.remove(&asset);
        }
        returned
    }

    fn raise(
        &mut self,
        asset: Slot,
        point: PointIndex,
        name: &str,
        remedy: &str,
        severity: AlarmSeverity,
        now: Time,
    ) -> AlarmId {
        if self.alarms.len() >= self.capacity {
            self.drop_oldest();
        }
        let id = AlarmId(self.next);
        self.next = self.next.saturating_add(1);
        self.alarms.push(Alarm {
            id,
            asset,
            point,
            name: name.into(),
            severity,
            state: AlarmState::Unacknowledged,
            raised_at: now,
            returned_at: None,
            acknowledged_at: None,
            remedy: remedy.into(),
        });
        id
    }

    /// An alarm that is not over: active again, or worse.
    fn raise_again(&mut self, id: AlarmId, severity: AlarmSeverity) -> bool {
        let Some(alarm) = self.position(id).and_then(|i| self.alarms.get_mut(i)) else { return false };
        let worse = severity > alarm.severity;
        let again = alarm.state == AlarmState::Returned;
        if worse || again {
            alarm.severity = alarm.severity.max(severity);
            alarm.state = AlarmState::Unacknowledged;
            alarm.returned_at = None;
            alarm.acknowledged_at = None;
        }
        worse || again
    }

    fn return_to_normal(&mut self, id: AlarmId, now: Time) -> bool {
        let Some(alarm) = self.position(id).and_then(|i| self.alarms.get_mut(i)) else { return false };
        alarm.state = match alarm.state {
            AlarmState::Unacknowledged => AlarmState::Returned,
            AlarmState::Acknowledged => AlarmState::Normal,
            AlarmState::Returned | AlarmState::Normal => return false,
        };
        alarm.returned_at = Some(now);
        true
    }

    fn position(&self, id: AlarmId) -> Option<usize> {
        self.alarms.binary_search_by_key(&id, |a| a.id).ok()
    }

    /// Drops a tenth of the room at once, so that a full list does not move all of itself for each alarm.
    fn drop_oldest(&mut self) {
        let mut drop = self.alarms.len().saturating_sub(self.capacity) + (self.capacity / 10).max(1);
        self.alarms.retain(|a| {
            let gone = drop > 0 && a.state == AlarmState::Normal;
            drop -= usize::from(gone);
            !gone
        });
    }
}

/// The point of a past alarm whose point is not there any more, and of those of Plenum itself.
const NO_POINT: PointIndex = PointIndex(u32::MAX);

/// The asset of an alarm of Plenum itself.
pub const NO_ASSET: Slot = Slot(u32::MAX);

const SILENT: &str = "Device is silent";
const SILENT_REMEDY: &str = "Check the device's power and network; see the broker's log for its last message";

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: Slot = Slot(3);
    const POINT: PointIndex = PointIndex(7);

    /// The list as lines of text, oldest first.
    fn text(list: &AlarmList) -> Vec<String> {
        let word = |t: Option<Time>| t.map_or("-".into(), |t| t.0.to_string());
        list.all()
            .iter()
            .map(|a| {
                let (raised, returned, seen) = (a.raised_at.0, word(a.returned_at), word(a.acknowledged_at));
                format!("{} {} {:?} {:?} {raised} {returned} {seen}", a.id.0, a.name, a.severity, a.state)
            })
            .collect()
    }

    fn point(list: &mut AlarmList, health: Health, now: i64) -> bool {
        list.observe(ASSET, POINT, "Hot", "cool it", health, Time(now))
    }

    #[test]
    fn a_life_seen_before_it_is_over() {
        let mut list = AlarmList::default();
        assert!(!point(&mut list, Health::Good, 0));
        assert!(!point(&mut list, Health::Unknown, 0));
        assert!(point(&mut list, Health::Warning, 1));
        assert!(!point(&mut list, Health::Warning, 2), "nothing new");
        assert_eq!(text(&list), ["1 Hot Medium Unacknowledged 1 - -"]);
        assert!(list.acknowledge(AlarmId(1), Time(3)));
        assert!(!list.acknowledge(AlarmId(1), Time(4)));
        assert_eq!(text(&list), ["1 Hot Medium Acknowledged 1 - 3"]);
        assert!(point(&mut list, Health::Critical, 5), "worse: to be seen again");
        assert_eq!(text(&list), ["1 Hot High Unacknowledged 1 - -"]);
        assert!(!point(&mut list, Health::Warning, 6), "better, but not over: the worst stands");
        assert!(list.acknowledge(AlarmId(1), Time(7)));
        assert!(point(&mut list, Health::Good, 8));
        assert_eq!(text(&list), ["1 Hot High Normal 1 8 7"]);
        assert!(point(&mut list, Health::Warning, 9));
        assert_eq!(text(&list), ["1 Hot High Normal 1 8 7", "2 Hot Medium Unacknowledged 9 - -"]);
    }

    #[test]
    fn a_life_seen_after_it_returned() {
        let mut list = AlarmList::default();
        point(&mut list, Health::Critical, 1);
        assert!(point(&mut list, Health::Good, 2));
        assert!(!point(&mut list, Health::Good, 3));
        assert_eq!(text(&list), ["1 Hot High Returned 1 2 -"]);
        assert!(point(&mut list, Health::Warning, 4));
        assert_eq!(text(&list), ["1 Hot High Unacknowledged 1 - -"], "the same alarm again");
        point(&mut list, Health::Good, 5);
        assert!(list.acknowledge(AlarmId(1), Time(6)));
        assert_eq!(text(&list), ["1 Hot High Normal 1 5 6"]);
        assert!(!list.acknowledge(AlarmId(1), Time(7)));
        assert!(!list.acknowledge(AlarmId(99), Time(7)));
        point(&mut list, Health::Warning, 8);
        assert_eq!(list.all().len(), 2);
    }

    #[test]
    fn a_silent_device_is_one_alarm() {
        let mut list = AlarmList::default();
        let tell = |list: &mut AlarmList, p: u32, health, now| {
            list.observe(ASSET, PointIndex(p), "Hot", "", health, Time(now))
        };
        tell(&mut list, 1, Health::Critical, 1);
        assert!(tell(&mut list, 1, Health::Stale, 10));
        for p in 2..7 {
            assert!(!tell(&mut list, p, Health::Stale, 11));
        }
        assert_eq!(
            text(&list),
            ["1 Hot High Unacknowledged 1 - -", "2 Device is silent Low Unacknowledged 10 - -"],
            "silence does not say that the heat is over"
        );
        for p in 2..7 {
            assert!(!tell(&mut list, p, Health::Good, 20));
        }
        assert!(tell(&mut list, 1, Health::Critical, 21));
        assert_eq!(list.get(AlarmId(2)).unwrap().state, AlarmState::Returned);
        assert!(tell(&mut list, 4, Health::Stale, 30));
        assert_eq!(list.get(AlarmId(2)).unwrap().state, AlarmState::Unacknowledged);
        assert!(list.acknowledge(AlarmId(2), Time(31)));
        assert!(tell(&mut list, 4, Health::Unknown, 32));
        assert_eq!(list.get(AlarmId(2)).unwrap().state, AlarmState::Normal);
        assert!(tell(&mut list, 4, Health::Stale, 40), "a new silence is a new alarm");
        assert_eq!(list.all().len(), 3);
        assert!(list.observe(Slot(4), PointIndex(9), "x", "", Health::Stale, Time(41)), "another device");
    }

    #[test]
    fn acknowledging_a_returned_silence_ends_it() {
        let mut list = AlarmList::default();
        point(&mut list, Health::Stale, 1);
        point(&mut list, Health::Good, 2);
        assert!(list.acknowledge(AlarmId(1), Time(3)));
        assert_eq!(text(&list), ["1 Device is silent Low Normal 1 2 3"]);
        assert!(point(&mut list, Health::Stale, 4));
        assert_eq!(list.all().len(), 2);
    }

    #[test]
    fn what_is_still_there_keeps_its_alarms_under_its_new_numbers() {
        let mut list = AlarmList::default();
        let tell = |list: &mut AlarmList, s: u32, p: u32, health, now| {
            list.observe(Slot(s), PointIndex(p), "Hot", "", health, Time(now))
        };
        tell(&mut list, 1, 10, Health::Critical, 1);
        tell(&mut list, 2, 20, Health::Warning, 2);
        // Silent by two points, the first of which goes; and one that is over.
        tell(&mut list, 3, 30, Health::Stale, 3);
        tell(&mut list, 3, 31, Health::Stale, 3);
        tell(&mut list, 4, 40, Health::Warning, 4);
        list.acknowledge(AlarmId(4), Time(5));
        tell(&mut list, 4, 40, Health::Good, 6);
        let slot = |s: Slot| (s.0 != 2).then_some(Slot(s.0 + 100));
        let point = |p: PointIndex| (![20, 30, 40].contains(&p.0)).then_some(PointIndex(p.0 * 2));
        let ended = list.carry(slot, point);
        assert_eq!(ended.iter().map(|a| (a.id, a.asset)).collect::<Vec<_>>(), [(AlarmId(2), Slot(2))]);
        let now: Vec<_> = list.all().iter().map(|a| (a.id.0, a.asset.0, a.point.0, a.state)).collect();
        assert_eq!(
            now,
            [
                (1, 101, 20, AlarmState::Unacknowledged),
                (3, 103, 62, AlarmState::Unacknowledged),
                (4, 104, u32::MAX, AlarmState::Normal)
            ]
        );
        // They go on: the same alarm gets worse, returns, and silence ends with the last silent point.
        assert!(!tell(&mut list, 101, 20, Health::Warning, 10), "not worse");
        assert!(tell(&mut list, 101, 20, Health::Good, 11));
        assert!(tell(&mut list, 103, 62, Health::Good, 12));
        assert!(list.all().iter().take(2).all(|a| a.state == AlarmState::Returned));
        assert_eq!(list.all().len(), 3);
    }

    #[test]
    fn plenums_own_alarms_belong_to_no_element_and_outlive_the_site() {
        let mut list = AlarmList::default();
        let own = |list: &mut AlarmList, severity, now| list.observe_own("History", "make room", severity, Time(now));
        assert!(!own(&mut list, None, 0));
        assert!(own(&mut list, Some(AlarmSeverity::High), 1) && !own(&mut list, Some(AlarmSeverity::High), 2));
        point(&mut list, Health::Warning, 3);
        assert_eq!(list.carry(|_| None, |_| None).len(), 1, "that of the point ends");
        assert_eq!(text(&list), ["1 History High Unacknowledged 1 - -"]);
        assert_eq!(list.all()[0].asset, NO_ASSET);
        assert!(own(&mut list, None, 4) && !own(&mut list, None, 5));
        assert!(own(&mut list, Some(AlarmSeverity::High), 6), "the same alarm again");
        assert_eq!(text(&list), ["1 History High Unacknowledged 1 - -"]);
        assert!(list.acknowledge(AlarmId(1), Time(7)) && own(&mut list, None, 8));
        assert!(own(&mut list, Some(AlarmSeverity::High), 9));
        assert_eq!(list.all().len(), 2, "that one was over");
        assert!(own(&mut list, None, 10) && list.acknowledge(AlarmId(3), Time(11)));
        assert!(own(&mut list, Some(AlarmSeverity::High), 12));
        assert_eq!(list.all().len(), 3);
    }

    #[test]
    fn the_worst_and_newest_stand_first() {
        let mut list = AlarmList::default();
        let healths = [Health::Warning, Health::Stale, Health::Critical, Health::Warning, Health::Critical];
        for (i, health) in healths.into_iter().enumerate() {
            list.observe(Slot(i as u32), PointIndex(i as u32), "x", "", health, Time(i as i64));
        }
        list.acknowledge(AlarmId(1), Time(10));
        list.observe(Slot(0), PointIndex(0), "x", "", Health::Good, Time(11));
        let order: Vec<u32> = list.active().map(|a| a.id.0).collect();
        assert_eq!(order, [5, 3, 4, 2]);
    }

    #[test]
    fn what_is_over_makes_room_and_what_is_not_stays() {
        let mut list = AlarmList::with_capacity(20);
        point(&mut list, Health::Critical, 0);
        for i in 0..1000_i64 {
            let p = PointIndex(100 + i as u32 % 3);
            list.observe(Slot(9), p, "x", "", Health::Warning, Time(i));
            list.acknowledge(AlarmId(i as u32 + 2), Time(i));
            list.observe(Slot(9), p, "x", "", Health::Good, Time(i));
            assert!(list.all().len() <= 20);
        }
        assert_eq!(list.all().last().unwrap().id, AlarmId(1001));
        assert!(list.get(AlarmId(1)).is_some() && list.get(AlarmId(2)).is_none());
        assert!(list.acknowledge(AlarmId(1), Time(2000)));
        for i in 0..100 {
            list.observe(Slot(i), PointIndex(500 + i), "x", "", Health::Warning, Time(3000));
        }
        assert!(list.all().len() >= 100, "none of these is over: all are kept");
    }
}
