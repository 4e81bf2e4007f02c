use super::*;
use proptest::prelude::*;

const SMALL: Options = Options { segment_bytes: 136, limit_bytes: 2600, record_bytes: 60 };

fn open(folder: &Path) -> Spool {
    let (spool, problems) = Spool::open(folder, SMALL).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    spool
}

fn all(spool: &Spool) -> Vec<(u64, Vec<u8>)> {
    spool.read(0, usize::MAX, usize::MAX).unwrap().into_iter().map(|r| (r.number, r.bytes)).collect()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == SUFFIX))
        .collect();
    files.sort();
    files
}

#[test]
fn what_is_synced_is_there_again_and_goes_when_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let name = spool.name().to_owned();
    for i in 0u8..20 {
        assert_eq!(spool.push(&[i; 20], 1).unwrap(), u64::from(i));
    }
    assert_eq!(spool.sync().unwrap(), 20);
    assert!(Spool::open(dir.path(), SMALL).is_err(), "one program at a time");
    spool.confirm(7).unwrap();
    drop(spool);
    let mut spool = open(dir.path());
    assert_eq!((spool.first(), spool.len(), spool.name()), (7, 13, name.as_str()));
    let two = spool.read(7, 2, 1000).unwrap();
    assert_eq!(two[1], Record { number: 8, samples: 1, bytes: vec![8; 20] });
    assert_eq!(two.len(), 2);
    assert_eq!(spool.read(7, 100, 30).unwrap().len(), 2);
    spool.confirm(99).unwrap();
    assert_eq!((spool.is_empty(), spool.bytes()), (true, 0));
    assert_eq!(spool.push(b"next", 1).unwrap(), 20, "numbers are never used twice");
    drop(spool);
    assert!(open(dir.path()).push(b"again", 1).unwrap() >= 20);
}

#[test]
fn numbers_count_samples() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let numbers: Vec<u64> = [3, 1, 200, 1].iter().map(|n| spool.push(b"x", *n).unwrap()).collect();
    assert_eq!(numbers, [0, 3, 4, 204]);
    spool.sync().unwrap();
    assert_eq!((spool.len(), spool.next()), (205, 205));
    spool.confirm(4).unwrap();
    drop(spool);
    let spool = open(dir.path());
    assert_eq!((spool.first(), spool.len(), spool.next()), (4, 201, 205));
    assert_eq!(
        spool.read(4, 9, 99).unwrap().iter().map(|r| (r.number, r.end())).collect::<Vec<_>>(),
        [(4, 204), (204, 205)]
    );
}

#[test]
fn a_folder_that_begins_anew_has_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let mut first = open(&a);
    first.push(b"x", 1).unwrap();
    first.sync().unwrap();
    first.confirm(1).unwrap();
    assert_ne!(first.name(), open(&b).name());
    let name = first.name().to_owned();
    drop(first);
    assert_eq!(open(&a).name(), name);
    // Nobody knows any more where the count was.
    fs::write(a.join("confirmed"), "?").unwrap();
    let (spool, problems) = Spool::open(&a, SMALL).unwrap();
    assert_eq!((spool.next(), problems.len()), (0, 1));
    assert_ne!(spool.name(), name);
}

#[test]
fn full_is_full_until_something_is_confirmed_or_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    assert!(matches!(spool.push(&[0; 61], 1), Err(Refused::TooLong(61))));
    let mut count = 0;
    while spool.push(&[1; 32], 1).is_ok() {
        count += 1;
    }
    assert_eq!(count, 50);
    assert!(matches!(spool.push(&[1; 32], 1), Err(Refused::Full)));
    spool.sync().unwrap();
    assert_eq!(spool.give_up_oldest().unwrap(), 2);
    assert_eq!(spool.push(&[1; 32], 1).unwrap(), 50);
    assert_eq!(all(&spool).first().unwrap().0, 2);
}

#[test]
fn what_is_cut_off_is_dropped_and_what_is_damaged_is_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    for i in 0u8..9 {
        spool.push(&[i; 20], 1).unwrap();
    }
    spool.sync().unwrap();
    drop(spool);
    assert_eq!(segments(dir.path()).len(), 3);
    // A crash in the middle of a write.
    let last = segments(dir.path())[2].clone();
    let mut bytes = fs::read(&last).unwrap();
    bytes.truncate(bytes.len() - 3);
    fs::write(&last, bytes).unwrap();
    let spool = open(dir.path());
    assert_eq!(all(&spool).len(), 8);
    drop(spool);
    // A bit that turned in the middle of another one.
    let first = segments(dir.path())[0].clone();
    let mut bytes = fs::read(&first).unwrap();
    bytes[40 + 25] ^= 1;
    fs::write(&first, bytes).unwrap();
    let (mut spool, problems) = Spool::open(dir.path(), SMALL).unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(fs::read_dir(dir.path().join("quarantine")).unwrap().count(), 1);
    let left: Vec<u64> = all(&spool).iter().map(|(n, _)| *n).collect();
    assert_eq!(left, [0, 2, 3, 4, 5, 6, 7], "the others keep their numbers");
    assert_eq!((spool.len(), spool.push(b"x", 1).unwrap()), (7, 8));
}

#[test]
fn a_folder_that_cannot_be_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    assert!(Spool::open(&dir.path().join("file"), SMALL).is_err());
}

#[test]
fn a_failed_write_loses_nothing_that_was_synced() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    spool.push(b"one", 1).unwrap();
    spool.sync().unwrap();
    spool.push(b"two", 1).unwrap();
    spool.torn = true;
    assert_eq!(spool.push(b"three", 1).unwrap(), 1);
    spool.sync().unwrap();
    assert_eq!(all(&spool), [(0, b"one".to_vec()), (1, b"three".to_vec())]);
    drop(spool);
    assert_eq!(all(&open(dir.path())).len(), 2);
}

#[test]
fn a_segment_that_could_not_be_begun_is_begun_later() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    for i in 0..3 {
        spool.push(&[i; 20], 1).unwrap();
    }
    spool.sync().unwrap();
    // Where the next segment should be stands a folder: the same for us as a disk without room.
    fs::create_dir(recover::path(dir.path(), 3)).unwrap();
    assert!(matches!(spool.push(&[3; 20], 1), Err(Refused::Disk(_))));
    assert!(matches!(spool.push(&[3; 20], 1), Err(Refused::Disk(_))));
    assert_eq!(all(&spool).len(), 3);
    fs::remove_dir(recover::path(dir.path(), 3)).unwrap();
    assert_eq!(spool.push(&[3; 20], 1).unwrap(), 3);
    spool.sync().unwrap();
    assert_eq!(all(&spool).len(), 4);
}

#[test]
fn reading_far_into_a_long_segment_finds_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = Spool::open(dir.path(), Options::default()).unwrap();
    for i in 0u32..20_000 {
        spool.push(&i.to_le_bytes(), 1 + i % 3).unwrap();
    }
    spool.sync().unwrap();
    let everything = spool.read(0, usize::MAX, usize::MAX).unwrap();
    for i in [0, 1, 2, 4095, 12_345, 19_999] {
        let expected = &everything[i];
        assert_eq!(&spool.read(expected.number, 1, 1).unwrap()[0], expected);
    }
    assert!(spool.segments[0].marks.len() > 5);
}

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>, u32),
    Sync,
    Confirm(u64),
    Reopen,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn it_is_a_queue(steps in proptest::collection::vec(prop_oneof![
        5 => (proptest::collection::vec(any::<u8>(), 0..60), 1u32..4).prop_map(|(r, n)| Step::Push(r, n)),
        2 => Just(Step::Sync),
        1 => (0u64..160).prop_map(Step::Confirm),
        1 => Just(Step::Reopen),
    ], 0..80)) {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path());
        // Number, record.
        let mut model: Vec<(u64, u32, Vec<u8>)> = Vec::new();
        let mut confirmed = 0;
        for step in steps {
            match step {
                Step::Push(record, samples) => {
                    if let Ok(number) = spool.push(&record, samples) {
                        prop_assert_eq!(number, model.last().map_or(0, |(n, s, _)| n + u64::from(*s)));
                        model.push((number, samples, record));
                    }
                }
                Step::Sync => {
                    spool.sync().unwrap();
                }
                Step::Confirm(before) => {
                    spool.confirm(before).unwrap();
                    confirmed = confirmed.max(before.min(spool.synced));
                }
                Step::Reopen => {
                    spool.sync().unwrap();
                    drop(spool);
                    spool = open(dir.path());
                }
            }
            let of = |n: u64| n >= confirmed && n < spool.synced;
            let got: Vec<_> = all(&spool).into_iter().filter(|(n, _)| of(*n)).collect();
            let right: Vec<_> = model.iter().filter(|m| of(m.0)).map(|m| (m.0, m.2.clone())).collect();
            prop_assert_eq!(got, right);
            prop_assert_eq!(spool.len(), spool.next - confirmed);
        }
    }

    #[test]
    fn any_bytes_open(bytes in proptest::collection::vec(any::<u8>(), 0..300), last in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(recover::path(dir.path(), 3), &bytes).unwrap();
        if !last {
            fs::write(recover::path(dir.path(), 900), b"").unwrap();
        }
        let (mut spool, _) = Spool::open(dir.path(), SMALL).unwrap();
        let before = all(&spool).len();
        spool.push(b"new", 1).unwrap();
        spool.sync().unwrap();
        prop_assert_eq!(all(&spool).len(), before + 1);
    }

    /// A byte of a spool that turned: every other record is still there, as it was.
    #[test]
    fn a_damaged_byte_costs_one_record(at in 0usize..600, bit in 0u8..8, last in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path());
        for i in 0u8..12 {
            spool.push(&[i; 30], 1).unwrap();
        }
        spool.sync().unwrap();
        let before = all(&spool);
        drop(spool);
        let files = segments(dir.path());
        let file = if last { files.last().unwrap() } else { &files[0] };
        let mut bytes = fs::read(file).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        fs::write(file, bytes).unwrap();
        let (spool, _) = Spool::open(dir.path(), SMALL).unwrap();
        let after = all(&spool);
        prop_assert!(after.iter().all(|r| before.contains(r)));
        // A length that turned may hide what follows it in its segment: two records.
        prop_assert!(after.len() + 2 >= before.len());
    }
}
