//! Runs one target: what is kept of it first, then mutations of its seeds, until the count or the time is reached.

use crate::mutate::{LONGEST, mutated};
use cpu_time::ProcessTime;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// Inputs of a run that nobody asked to be longer.
const USUAL: u64 = 1000;
/// Such a run ends after this, however few inputs it had.
const USUAL_TIME: Duration = Duration::from_millis(700);
/// No input may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nor may anything wait this long, even for nothing.
const STANDSTILL: Duration = Duration::from_secs(600);
/// Memory that an input may take beyond four times its length, bytes.
const MEMORY: u64 = 300_000_000;
/// So many inputs with an outcome that no other had are mutated further.
const MOST_KEPT: usize = 500;
/// A long run goes on after a fault until it has seen so many.
const MOST_FAULTS: usize = 20;

/// Random numbers of the engine.
pub type Random = ChaCha8Rng;

/// A reader's target.
pub struct Fuzz {
    name: &'static str,
    pool: Vec<Vec<u8>>,
    words: Vec<String>,
    longest: usize,
}

/// What the environment asks for.
struct Ask {
    inputs: u64,
    cpu: Option<Duration>,
    seed: u64,
}

impl Ask {
    fn of_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<f64>().ok());
        let hours = number("PLENUM_FUZZ_CPU_HOURS");
        let inputs = number("PLENUM_FUZZ").map(|n| n as u64);
        let long = inputs.is_some() || hours.is_some();
        Self {
            inputs: inputs.unwrap_or(if long { u64::MAX } else { USUAL }),
            cpu: long.then(|| Duration::from_secs_f64(hours.unwrap_or(2.0) * 3600.0)),
            seed: number("PLENUM_FUZZ_SEED").unwrap_or(1.0) as u64,
        }
    }

    fn is_long(&self) -> bool {
        self.cpu.is_some()
    }
}

impl Fuzz {
    /// A target by the name of its test.
    pub fn new(name: &'static str) -> Self {
        Self { name, pool: Vec::new(), words: Vec::new(), longest: LONGEST }
    }

    /// What mutations begin with.
    pub fn seeds(mut self, seeds: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        self.pool.extend(seeds.into_iter().map(|s| s.as_ref().to_vec()));
        self
    }

    /// Inputs are cut off here, bytes: where the reader itself takes no more, longer ones say nothing new.
    pub fn longest(mut self, longest: usize) -> Self {
        self.longest = longest;
        self
    }

    /// Words of the format, to be strewn in.
    pub fn words(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|w| (*w).to_owned()));
        self
    }

    /// Runs `read` on input after input. It gives a number for what it came to; inputs with a new one are mutated
    /// further. A panic in it, or in our own code below it, is a fault; so is what takes too long or too much memory.
    pub fn run(mut self, mut read: impl FnMut(&[u8]) -> u64) {
        listen_for_panics();
        let ask = Ask::of_environment();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(self.name);
        std::fs::create_dir_all(&folder).unwrap();
        let kept = read_all(&corpus(self.name));
        let replayed = kept.len();
        let mut runner = Runner::new(self.name, ask.seed, folder, ask.is_long());
        runner.told_of_the_last_run();
        self.pool.extend(kept);
        if ask.is_long() {
            // What a long run before this one found worth keeping.
            self.pool.extend(read_all(&runner.folder.join("kept")));
        }
        let seeds = self.pool.len();
        let mut outcomes = HashSet::new();
        for input in &self.pool {
            outcomes.extend(runner.try_one(0, input, &mut read));
        }
        let (began, began_cpu) = (Instant::now(), ProcessTime::now());
        let mut count = 0;
        while count < ask.inputs && runner.faults.len() < MOST_FAULTS {
            if count % 16 == 0 || runner.last_took > Duration::from_millis(1) {
                let over = match ask.cpu {
                    Some(most) => began_cpu.elapsed() >= most,
                    None => began.elapsed() >= USUAL_TIME,
                };
                if over && count > 0 {
                    break;
                }
            }
            count += 1;
            let mut random = stream(ask.seed, count);
            let input = mutated(&self.pool, &self.words, self.longest, &mut random);
            let Some(outcome) = runner.try_one(count, &input, &mut read) else { continue };
            if outcomes.insert(outcome) && self.pool.len() < seeds + MOST_KEPT {
                if ask.is_long() {
                    write_named(&runner.folder.join("kept"), &input);
                }
                self.pool.push(input);
            }
        }
        let cpu = began_cpu.elapsed().as_secs_f64();
        let said = format!(
            "{}: {count} inputs in {cpu:.1} CPU s ({:.0} a second), {} outcomes, {replayed} of the corpus replayed, the slowest {:.1?}",
            self.name,
            count as f64 / began.elapsed().as_secs_f64().max(1e-9),
            outcomes.len(),
            runner.slowest
        );
        let faults: Vec<&str> = runner.faults.values().map(String::as_str).collect();
        println!("{said}, {} faults (seed {})", faults.len(), ask.seed);
        assert!(count > 0, "{}: no input was tried", self.name);
        assert!(faults.is_empty(), "{}: {}", self.name, faults.join("\n"));
    }
}

/// The random numbers of one input, the same whatever came before it.
fn stream(seed: u64, number: u64) -> Random {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    random
}

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target)
}

/// The files of a folder, in the order of their names.
fn read_all(folder: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_file()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

/// Writes an input under a name made of its bytes.
fn write_named(folder: &Path, input: &[u8]) -> PathBuf {
    let name = input.iter().fold(0xCBF2_9CE4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01B3));
    let path = folder.join(format!("{name:016x}"));
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&path, input).unwrap();
    path
}

thread_local! {
    /// On a thread that runs a target: the panics in our own code, and the last of all.
    static HERE: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Panics in our own code on threads that readers started.
static ELSEWHERE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What a panic said, by its place.
fn said(fault: &std::panic::PanicHookInfo<'_>) -> String {
    let place = fault.location().map(|l| format!("{}:{}:{}", l.file(), l.line(), l.column())).unwrap_or_default();
    format!("{place}: {}", words_of(fault.payload()))
}

fn words_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    text.chars().take(400).collect()
}

/// Readers catch the panics of libraries; what panics in our own code is a fault although it is caught.
fn listen_for_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |fault| {
            let ours = fault.location().is_some_and(|l| l.file().replace('\\', "/").starts_with("src/"));
            let heard = HERE.with(|here| match here.try_borrow_mut().ok()?.as_mut() {
                Some(list) => {
                    list.push(said(fault));
                    Some(())
                }
                None => None,
            });
            let thread = std::thread::current();
            let reader = thread.name().is_none_or(|n| n.starts_with("ifc-") || n == "table-reader");
            match (heard, ours) {
                (Some(()), _) => {}
                (None, true) => ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).push(said(fault)),
                (None, false) if reader => {}
                (None, false) => usual(fault),
            }
        }));
    });
}

/// What the watchdog looks at.
#[derive(Default)]
struct Watch {
    /// The input that is being read, from 1; 0 while none is.
    reading: AtomicU64,
    tried: AtomicU64,
    over: AtomicBool,
}

struct Runner {
    name: &'static str,
    seed: u64,
    folder: PathBuf,
    /// The input that is being read: what is left when it takes the whole process with it.
    running: File,
    /// Input by what went wrong with it.
    faults: BTreeMap<String, String>,
    go_on: bool,
    last_took: Duration,
    slowest: Duration,
    watch: Arc<Watch>,
    watchdog: Option<std::thread::JoinHandle<()>>,
}

impl Runner {
    fn new(name: &'static str, seed: u64, folder: PathBuf, go_on: bool) -> Self {
        let path = folder.join("running");
        let last = std::fs::read(&path).unwrap_or_default();
        if !last.is_empty() {
            write_named(&folder.join("killed"), &last);
        }
        let running = File::create(&path).unwrap();
        let watch = Arc::new(Watch::default());
        let dog = Dog { name, seed, folder: folder.clone(), watch: Arc::clone(&watch), tells: go_on };
        let watchdog = std::thread::Builder::new().name("watchdog".into()).spawn(move || dog.watches()).unwrap();
        Self {
            name,
            seed,
            folder,
            running,
            faults: BTreeMap::new(),
            go_on,
            last_took: Duration::ZERO,
            slowest: Duration::ZERO,
            watch,
            watchdog: Some(watchdog),
        }
    }

    /// A run that was killed from outside leaves what it was reading as one does that an input killed.
    fn told_of_the_last_run(&self) {
        let killed = self.folder.join("killed");
        for path in std::fs::read_dir(&killed).into_iter().flatten().flatten().map(|e| e.path()) {
            println!("{}: the last run ended while it read {}", self.name, path.display());
        }
    }

    /// Reads an input; gives its outcome, or none when there was a fault.
    fn try_one(&mut self, number: u64, input: &[u8], read: &mut impl FnMut(&[u8]) -> u64) -> Option<u64> {
        self.running.rewind().unwrap();
        self.running.write_all(input).unwrap();
        self.running.set_len(input.len() as u64).unwrap();
        self.watch.tried.store(number, Ordering::Relaxed);
        self.watch.reading.store(number + 1, Ordering::Release);
        let result = attempt(input, read);
        self.watch.reading.store(0, Ordering::Release);
        let (outcome, took) = match result {
            Ok(done) => done,
            Err(why) => {
                self.fault(number, input, &why, read);
                return None;
            }
        };
        self.last_took = took;
        self.slowest = self.slowest.max(took);
        // What fills much memory takes time.
        if took > Duration::from_millis(1)
            && let Some((peak, _)) = memory()
        {
            let most = 4 * input.len() as u64 + MEMORY;
            let before = BASE.swap(forget_peak().unwrap_or(peak), Ordering::Relaxed);
            if before > 0 && peak > before + most {
                let why = format!("it took {:.0} MB of memory", (peak - before) as f64 / 1e6);
                self.fault(number, input, &why, read);
                return None;
            }
        }
        Some(outcome)
    }

    fn fault(&mut self, number: u64, input: &[u8], why: &str, read: &mut impl FnMut(&[u8]) -> u64) {
        // One fault a place in the code: numbers in the words are the input's.
        let place: String = why.split(": ").next().unwrap_or_default().to_owned();
        if self.faults.contains_key(&place) {
            return;
        }
        let small = reduced(input, &place, read);
        let path = write_named(&self.folder.join("faults"), &small);
        let text = format!(
            "{why}\n  input {number} of seed {}: {}\n  copy it to tests/corpus/{}/, and mend what it shows",
            self.seed,
            path.display(),
            self.name
        );
        if self.go_on {
            println!("{}: {text}", self.name);
        }
        self.faults.insert(place, text.clone());
        assert!(self.go_on, "{}: {text}", self.name);
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.running.set_len(0);
        self.watch.over.store(true, Ordering::Release);
        if let Some(dog) = self.watchdog.take() {
            dog.thread().unpark();
            let _ = dog.join();
        }
    }
}

/// Reads an input: its outcome and how long it took, or what went wrong.
fn attempt(input: &[u8], read: &mut impl FnMut(&[u8]) -> u64) -> Result<(u64, Duration), String> {
    HERE.with(|here| *here.borrow_mut() = Some(Vec::new()));
    let clock = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| read(input)));
    let took = clock.elapsed();
    let mut heard = HERE.with(|here| here.borrow_mut().take()).unwrap_or_default();
    let outcome = result.map_err(|payload| heard.pop().unwrap_or_else(|| words_of(payload.as_ref())))?;
    heard.retain(|h| h.replace('\\', "/").starts_with("src/"));
    heard.append(&mut ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner));
    match heard.into_iter().next() {
        Some(ours) => Err(ours),
        None => Ok((outcome, took)),
    }
}

/// A smaller input that fails at the same place, found within seconds.
fn reduced(input: &[u8], place: &str, read: &mut impl FnMut(&[u8]) -> u64) -> Vec<u8> {
    let until = Instant::now() + Duration::from_secs(5);
    let mut fails = |bytes: &[u8]| attempt(bytes, read).is_err_and(|why| why.split(": ").next() == Some(place));
    let mut small = input.to_vec();
    let mut length = small.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < small.len() {
            if Instant::now() > until {
                return small;
            }
            let end = (at + length).min(small.len());
            let shorter = [&small[..at], &small[end..]].concat();
            if fails(&shorter) {
                small = shorter;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    small
}

/// What the process held after the last input that took long, bytes.
static BASE: AtomicU64 = AtomicU64::new(0);

/// The greatest memory of this process since it was last forgotten, and what it has now, bytes; none where the
/// system does not tell.
fn memory() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let of = |key: &str| {
        let line = status.lines().find(|l| l.starts_with(key))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    };
    Some((of("VmHWM:")?, of("VmRSS:")?))
}

/// Makes the greatest memory what it is now; gives that.
fn forget_peak() -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    memory().map(|(_, now)| now)
}

/// Looks on from a thread of its own: tells how far it is, and ends the process when an input hangs.
struct Dog {
    name: &'static str,
    seed: u64,
    folder: PathBuf,
    watch: Arc<Watch>,
    tells: bool,
}

impl Dog {
    fn watches(&self) {
        let began = Instant::now();
        let mut told = began;
        // The input that was being read at the last look, and since when.
        let mut seen = (0, Instant::now(), ProcessTime::now());
        while !self.watch.over.load(Ordering::Acquire) {
            std::thread::park_timeout(Duration::from_secs(1));
            let reading = self.watch.reading.load(Ordering::Acquire);
            if reading != seen.0 {
                seen = (reading, Instant::now(), ProcessTime::now());
            }
            // A process that was stopped meanwhile, or waited for its turn, does not hang.
            let worked = seen.2.elapsed() > PATIENCE / 2;
            if reading > 0 && ((seen.1.elapsed() > PATIENCE && worked) || seen.1.elapsed() > STANDSTILL) {
                self.hangs(reading - 1);
            }
            if self.tells && told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                let tried = self.watch.tried.load(Ordering::Relaxed);
                let rate = tried as f64 / began.elapsed().as_secs_f64();
                eprintln!("{}: {tried} inputs, {rate:.0} a second", self.name);
            }
        }
    }

    fn hangs(&self, number: u64) -> ! {
        let input = std::fs::read(self.folder.join("running")).unwrap_or_default();
        let path = write_named(&self.folder.join("faults"), &input);
        eprintln!(
            "{}: input {number} of seed {} hangs: {} was read for more than {PATIENCE:?}",
            self.name,
            self.seed,
            path.display()
        );
        std::process::exit(101);
    }
}

/// A number for what a reader came to, from its words: what is quoted, and digits, are the input's own.
pub fn outcome_of<'a>(words: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    for text in words {
        let mut quoted = false;
        for byte in text.bytes().take(400) {
            match byte {
                b'`' => quoted = !quoted,
                b'0'..=b'9' => {}
                _ if quoted => {}
                _ => add(byte),
            }
        }
        add(0);
    }
    hash
}

/// One outcome after another.
pub fn then(first: u64, second: u64) -> u64 {
    (first ^ second).wrapping_mul(0x100_0000_01B3).rotate_left(7)
}

/// A mark before bytes: what kind of input they are.
pub fn marked(mark: &[u8], bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [mark, bytes.as_ref()].concat()
}

/// A random choice.
pub fn one_of<'a, T>(list: &'a [T], random: &mut Random) -> &'a T {
    &list[random.random_range(0..list.len())]
}
