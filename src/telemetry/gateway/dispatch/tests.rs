use super::super::spool::Options;
use super::*;
use std::collections::BTreeSet;

fn dispatch(folder: &std::path::Path, pace: Pace) -> Dispatch {
    let (spool, problems) = Spool::open(folder, Options { segment_bytes: 4000, ..Options::default() }).unwrap();
    assert!(problems.is_empty());
    Dispatch::new(spool, pace, WhenFull::LoseOldest, true)
}

fn record(i: u64) -> Vec<u8> {
    i.to_le_bytes().to_vec()
}

fn of(record: &[u8]) -> u64 {
    u64::from_le_bytes(record.try_into().unwrap())
}

fn numbers(out: &[Outgoing]) -> Vec<u64> {
    out.iter().map(|o| o.number).collect()
}

#[test]
fn both_must_confirm_and_what_the_historian_does_not_confirm_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut d = dispatch(dir.path(), Pace::default());
    d.connected(Time(0));
    (0..4).for_each(|i| d.take(&record(i), 1, Time(0)).unwrap());
    assert!(d.next(Time(100)).unwrap().is_empty(), "not on the disk yet");
    let out = d.next(Time(200)).unwrap();
    assert_eq!(
        out.iter().map(|o| (o.number, o.backlog)).collect::<Vec<_>>(),
        [(0, false), (1, false), (2, false), (3, false)]
    );
    d.broker_has(0);
    d.historian_has(1, 2);
    d.broker_has(2);
    d.historian_has(2, 3);
    d.forget().unwrap();
    assert_eq!(d.spool().len(), 4, "the first is not confirmed");
    let again = d.next(Time(31_000)).unwrap();
    assert_eq!(again.iter().map(|o| (o.number, o.again)).collect::<Vec<_>>(), [(0, true)]);
    d.broker_has(0);
    assert!(d.next(Time(62_000)).unwrap().is_empty(), "the second wait is twice as long");
    assert_eq!(numbers(&d.next(Time(92_000)).unwrap()), [0]);
    d.broker_has(0);
    d.historian_has(0, 1);
    d.broker_has(1);
    d.broker_refuses(3);
    d.forget().unwrap();
    assert_eq!((d.spool().len(), d.counts.confirmed, d.counts.again, d.counts.lost), (0, 3, 2, 1));
}

#[test]
fn a_receipt_counts_by_samples() {
    let dir = tempfile::tempdir().unwrap();
    let mut d = dispatch(dir.path(), Pace { sync_s: 0.0, ..Pace::default() });
    d.connected(Time(0));
    d.take(b"ten", 10, Time(0)).unwrap();
    d.take(b"five", 5, Time(0)).unwrap();
    assert_eq!(numbers(&d.next(Time(0)).unwrap()), [0, 10]);
    d.broker_has(0);
    d.broker_has(10);
    d.historian_has(0, 4);
    assert_eq!(d.counts.confirmed, 0);
    d.historian_has(4, 12);
    assert_eq!(d.counts.confirmed, 10, "the first is whole, the second is not");
    d.historian_has(0, u64::MAX);
    d.forget().unwrap();
    assert_eq!((d.counts.confirmed, d.waiting()), (15, 0));
}

#[test]
fn after_a_restart_what_was_not_confirmed_is_the_backlog() {
    let dir = tempfile::tempdir().unwrap();
    let pace = Pace { sync_s: 0.0, ..Pace::default() };
    let mut d = dispatch(dir.path(), pace);
    d.connected(Time(0));
    (0..10).for_each(|i| d.take(&record(i), 1, Time(0)).unwrap());
    assert_eq!(d.next(Time(1)).unwrap().len(), 10);
    for n in 0..4 {
        d.broker_has(n);
        d.historian_has(n, n + 1);
    }
    d.forget().unwrap();
    drop(d);
    let mut d = dispatch(dir.path(), pace);
    // A receipt for what was sent before the restart comes late.
    d.historian_has(5, 7);
    d.connected(Time(0));
    d.take(&record(10), 1, Time(0)).unwrap();
    let out = d.next(Time(1000)).unwrap();
    assert_eq!(numbers(&out), [10, 4, 7, 8, 9], "live first");
    d.disconnected();
    d.take(&record(11), 1, Time(8000)).unwrap();
    assert!(d.next(Time(9000)).unwrap().is_empty());
    d.connected(Time(9000));
    let out = d.next(Time(10_000)).unwrap();
    assert_eq!(numbers(&out), [11], "the others are still with who holds the connection");
    assert!(out[0].backlog);
}

#[test]
fn a_historian_that_is_silent_holds_up_nothing_and_loses_nothing() {
    const MANY: u64 = REMEMBERED as u64 + 5_000;
    let dir = tempfile::tempdir().unwrap();
    let pace = Pace { sync_s: 0.0, again_s: 1e9, backlog_per_s: 1e9, ..Pace::default() };
    let (spool, _) = Spool::open(dir.path(), Options::default()).unwrap();
    let mut d = Dispatch::new(spool, pace, WhenFull::LoseOldest, true);
    d.connected(Time(0));
    let mut now = 0;
    let mut sent = 0;
    for i in 0..MANY {
        d.take(&record(i), 1, Time(now)).unwrap();
        if i % 500 == 499 {
            now += 100;
            for o in d.next(Time(now)).unwrap() {
                sent += 1;
                d.broker_has(o.number);
            }
        }
    }
    assert_eq!(sent, MANY, "live samples go on");
    d.forget().unwrap();
    assert_eq!((d.waiting(), d.backlog()), (MANY, 5_000), "and are kept");
    d.historian_has(0, REMEMBERED as u64);
    let mut again = BTreeSet::new();
    while again.len() < 5_000 {
        now += 1000;
        let out = d.next(Time(now)).unwrap();
        assert!(!out.is_empty());
        for o in out {
            d.broker_has(o.number);
            d.historian_has(o.number, o.number + 1);
            again.insert(o.number);
        }
    }
    d.forget().unwrap();
    assert_eq!(d.waiting(), 0);
    assert_eq!(again.first().copied(), Some(REMEMBERED as u64));
}

#[test]
fn a_full_spool_loses_the_oldest_and_counts_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 280, limit_bytes: 1400, record_bytes: 100 };
    let (spool, _) = Spool::open(dir.path(), options).unwrap();
    let mut d = Dispatch::new(spool, Pace { sync_s: 0.0, ..Pace::default() }, WhenFull::LoseOldest, false);
    (0..200).for_each(|i| d.take(&record(i), 1, Time(0)).unwrap());
    d.next(Time(1)).unwrap();
    d.connected(Time(2));
    let out = d.next(Time(2000)).unwrap();
    assert_eq!(out.last().unwrap().number, 199);
    assert_eq!(out.len() as u64 + d.counts.lost, 200);
    out.iter().for_each(|o| d.broker_has(o.number));
    d.forget().unwrap();
    assert!(d.spool().is_empty(), "the broker's word is enough without a historian");
    let (spool, _) = Spool::open(&dir.path().join("b"), options).unwrap();
    let mut newest = Dispatch::new(spool, Pace::default(), WhenFull::LoseNewest, false);
    let refused = (0..200).filter(|i| newest.take(&record(*i), 1, Time(0)).is_err()).count() as u64;
    assert_eq!((refused, newest.counts.lost, newest.spool().len()), (150, 150, 50));
}

#[test]
fn a_disk_that_takes_nothing_costs_nothing_while_memory_lasts() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 100, ..Options::default() };
    let (spool, _) = Spool::open(dir.path(), options).unwrap();
    let pace = Pace { sync_s: 0.0, memory_records: 50, ..Pace::default() };
    let mut d = Dispatch::new(spool, pace, WhenFull::LoseOldest, true);
    d.connected(Time(0));
    (0..3).for_each(|i| d.take(&record(i), 1, Time(0)).unwrap());
    assert_eq!(d.next(Time(0)).unwrap().len(), 3);
    // Where the next segment would be: as good as a disk without room.
    let obstacle = dir.path().join(format!("{:020}.spool", 3));
    std::fs::create_dir(&obstacle).unwrap();
    (3..30).for_each(|i| d.take(&record(i), 1, Time(10)).unwrap());
    assert!(d.disk_fault.is_some());
    assert!(d.next(Time(2000)).unwrap().is_empty());
    assert_eq!((d.waiting(), d.counts.lost), (30, 0));
    std::fs::remove_dir(&obstacle).unwrap();
    assert_eq!(numbers(&d.next(Time(2500)).unwrap()), [0; 0], "not tried again yet");
    let out = d.next(Time(4000)).unwrap();
    assert_eq!(out.iter().map(|o| of(&o.record)).collect::<Vec<_>>(), (3..30).collect::<Vec<_>>());
    assert!(d.disk_fault.is_none());
    std::fs::create_dir(dir.path().join(format!("{:020}.spool", 30))).unwrap();
    (30..100).for_each(|i| d.take(&record(i), 1, Time(5000)).unwrap());
    assert_eq!((d.counts.lost, d.counts.taken), (20, 30), "memory has an end");
    assert_eq!(d.waiting(), 80);
}
