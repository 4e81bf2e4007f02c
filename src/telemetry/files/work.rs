//! What runs on the thread that reads tables.

use super::book::{Book, Place};
use super::tail::Tail;
use super::{Shared, find, lock};
use crate::history::Stored;
use crate::history::table::{Columns, Known, Options, Rows, parse_zone};
use crate::problem::Problem;
use crate::quality::Quality;
use crate::site::PointIndex;
use crate::site::project::FileSource;
use crate::telemetry::historian::{Batch, Inlet, Kept};
use crate::telemetry::mqtt::Meaning;
use crate::telemetry::quarantine::Reason;
use crate::telemetry::queue::{Entrance, Offer};
use crate::telemetry::sample::Arrival;
use crate::telemetry::topics::Route;
use crate::telemetry::wall_clock;
use crate::time::Time;
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Something that is asked of the thread.
pub(super) enum Ask {
    /// Begin to read.
    Begin { anew: bool },
    /// Names mean something else, and samples go elsewhere.
    Understand(Meaning, Entrance),
    /// Come to an end.
    Stop,
}

/// How often how far it came is written down.
const SAVE: Duration = Duration::from_millis(500);
/// How long what is full is waited for before it is looked at again.
const LOOK: Duration = Duration::from_millis(5);
/// How long a twin that is behind is waited for where the history has what it misses.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Work {
    shared: Arc<Shared>,
    book: Arc<Book>,
    asks: Receiver<Ask>,
    sources: Vec<Source>,
    out: Out,
    saved: Instant,
    stopping: bool,
}

/// One `[[files]]`.
struct Source {
    stated: FileSource,
    options: Options,
    files: BTreeMap<PathBuf, Open>,
    /// When they are looked at next; none: never again.
    next: Option<Instant>,
}

/// A file at work.
#[derive(Default)]
struct Open {
    tail: Tail,
    rows: Option<Rows>,
    names: Names,
    /// Its head is no table's, and was so when it was this long.
    bad: Option<u64>,
}

/// What the names of a table stand for.
#[derive(Default)]
struct Names {
    /// A row's number: the points that its value is of.
    points: Vec<Vec<PointIndex>>,
}

/// Where samples go.
struct Out {
    shared: Arc<Shared>,
    book: Arc<Book>,
    meaning: Meaning,
    ids: HashMap<String, PointIndex>,
    queue: Entrance,
    inlet: Option<Inlet>,
    max_future_s: f64,
    arrivals: Vec<Arrival>,
    token: u64,
}

impl Work {
    pub fn new(
        stated: &[FileSource],
        max_future_s: f64,
        shared: Arc<Shared>,
        book: Arc<Book>,
        meaning: Meaning,
        (queue, inlet): (Entrance, Option<Inlet>),
        asks: Receiver<Ask>,
    ) -> Self {
        let source = |stated: &FileSource| Source {
            stated: stated.clone(),
            options: options(stated),
            files: BTreeMap::new(),
            next: Some(Instant::now()),
        };
        let mut out = Out {
            shared: Arc::clone(&shared),
            book: Arc::clone(&book),
            meaning: Meaning::default(),
            ids: HashMap::new(),
            queue,
            inlet,
            max_future_s,
            arrivals: Vec::new(),
            token: 0,
        };
        out.understand(meaning);
        let sources = stated.iter().map(source).collect();
        Self { shared, book, asks, sources, out, saved: Instant::now(), stopping: false }
    }

    pub fn run(mut self) {
        match self.wait_for_begin() {
            Some(false) => {
                if let Some(problem) = self.book.open() {
                    self.shared.tell(problem);
                }
            }
            Some(true) => {}
            None => return,
        }
        while !self.stopping {
            let now = Instant::now();
            for at in 0..self.sources.len() {
                if self.sources.get(at).is_some_and(|s| s.next.is_some_and(|next| next <= now)) {
                    self.round(at);
                }
            }
            self.save();
            let next = self.sources.iter().filter_map(|s| s.next).min();
            let wait = next.map_or(SAVE, |next| next.saturating_duration_since(Instant::now())).min(SAVE);
            match self.asks.recv_timeout(wait) {
                Ok(ask) => self.take(ask),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Whether to begin anew; none: never.
    fn wait_for_begin(&mut self) -> Option<bool> {
        loop {
            match self.asks.recv() {
                Ok(Ask::Begin { anew }) => return Some(anew),
                Ok(Ask::Stop) | Err(_) => return None,
                Ok(ask) => self.take(ask),
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Begin { .. } => {}
            Ask::Stop => self.stopping = true,
            Ask::Understand(meaning, queue) => {
                lock(&self.shared.intake).understand(&meaning);
                self.out.understand(meaning);
                self.out.queue = queue;
                for open in self.sources.iter_mut().flat_map(|s| s.files.values_mut()) {
                    (open.rows, open.bad) = (None, None);
                }
            }
        }
    }

    /// Looks at what is asked meanwhile; true when it is time to stop.
    fn asked(&mut self) -> bool {
        loop {
            match self.asks.try_recv() {
                Ok(ask) => self.take(ask),
                Err(TryRecvError::Empty) => return self.stopping,
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    fn save(&mut self) {
        if self.saved.elapsed() >= SAVE {
            self.saved = Instant::now();
            if let Err(problem) = self.book.save() {
                self.shared.tell(problem);
            }
        }
    }

    /// Reads what there is of the files of a source, one after the other.
    fn round(&mut self, at: usize) {
        let Some(source) = self.sources.get_mut(at) else { return };
        let every = Duration::from_secs_f64(source.stated.every_s);
        source.next = source.stated.follow.then(|| Instant::now() + every);
        let files = match find::files(&source.stated) {
            Ok(files) => files,
            Err(e) => {
                let place = source.stated.path.display().to_string();
                let message = format!("its folder cannot be read: {e}");
                return self.shared.tell(Problem::warning(place, message, "check path and rights"));
            }
        };
        for path in files {
            loop {
                self.save();
                if self.asked() {
                    self.stopping = true;
                    return;
                }
                let Some(source) = self.sources.get_mut(at) else { return };
                match source.read(&path, &mut self.out) {
                    Ok(Went::On) => {}
                    Ok(Went::Out) => break,
                    Ok(Went::Nowhere) => {
                        self.stopping = true;
                        return;
                    }
                    Err(e) => {
                        let place = path.display().to_string();
                        let remedy = "check its rights, and whether another program holds it";
                        self.shared.tell(Problem::warning(place, format!("cannot be read: {e}"), remedy));
                        break;
                    }
                }
            }
        }
    }
}

/// How a look at a file went.
enum Went {
    /// There is more.
    On,
    /// There is no more for now.
    Out,
    /// Nobody takes samples any more.
    Nowhere,
}

fn options(stated: &FileSource) -> Options {
    let column = |meaning: &str| stated.columns.iter().find(|(m, _)| m == meaning).map(|(_, name)| name.clone());
    Options {
        zone: stated.zone.as_deref().and_then(parse_zone),
        quality: Quality::Good,
        columns: Columns {
            time: column("time"),
            point: column("point"),
            value: column("value"),
            unit: column("unit"),
            quality: column("quality"),
            code: column("code"),
        },
        time_format: stated.time_format.clone(),
        ..Options::default()
    }
}

impl Source {
    /// Reads some of a file.
    fn read(&mut self, path: &Path, out: &mut Out) -> io::Result<Went> {
        if !self.files.contains_key(path) {
            let place = self.place_of(path, out)?;
            self.files.insert(path.to_path_buf(), Open { tail: Tail::from(place), ..Open::default() });
        }
        let Self { stated, options, files, .. } = self;
        let Some(open) = files.get_mut(path) else { return Ok(Went::Out) };
        if find::is_parquet(stated, path) {
            return open.parquet(stated, options, path, out);
        }
        open.text(stated, options, path, out)
    }

    /// Where to begin: where it was, under this name or another one that it had.
    fn place_of(&mut self, path: &Path, out: &Out) -> io::Result<Place> {
        if let Some(place) = out.book.place(path) {
            return Ok(place);
        }
        let mut file = std::fs::File::open(path)?;
        let same_folder = |p: &Path| p != path && p.parent() == path.parent();
        for (before, place) in out.book.all().into_iter().filter(|(p, _)| same_folder(p)) {
            // Where the old name still has what was read, this is another file.
            let still = std::fs::File::open(&before).and_then(|mut f| place.fits(&mut f)).unwrap_or(false);
            if !still && place.bytes > 0 && place.fits(&mut file)? {
                out.book.rename(&before, path);
                // What was read and is not kept yet was read under its old name.
                let read = self.files.remove(&before).map(|open| open.tail.place());
                return Ok(read.unwrap_or(place));
            }
        }
        Ok(Place::default())
    }
}

impl Open {
    fn text(&mut self, stated: &FileSource, options: &Options, path: &Path, out: &mut Out) -> io::Result<Went> {
        let length = std::fs::metadata(path)?.len();
        if self.bad.is_some_and(|bad| bad == length) {
            return Ok(Went::Out);
        }
        let look = self.tail.look(path, !stated.follow, Instant::now())?;
        if look.anew {
            self.rows = None;
        }
        let name = name_of(path);
        if self.rows.is_none() && (!look.lines.is_empty() || look.more) {
            let head = match look.lines.first() {
                Some((1, head)) => Some(head.clone()),
                _ => Tail::head(path)?,
            };
            let head = String::from_utf8_lossy(head.as_deref().unwrap_or_default()).into_owned();
            let options = Options { name: name.clone(), ..options.clone() };
            self.names = Names::default();
            match Rows::begin(&head, options, |id, unit| self.names.know(id, unit, stated, out)) {
                Ok(mut rows) => {
                    let (problems, _) = rows.take_faults();
                    problems.into_iter().for_each(|p| out.shared.tell(p));
                    self.rows = Some(rows);
                }
                Err(problem) => {
                    out.shared.tell(problem);
                    // Read again from its beginning, once it is another one.
                    self.tail = Tail::default();
                    self.bad = Some(length);
                    return Ok(Went::Out);
                }
            }
        }
        let wall = wall_clock();
        for line in &look.too_long {
            out.broken(&format!("{name}:{line}"), "", "this line is longer than a table's can be", wall);
        }
        let Some(rows) = &mut self.rows else { return Ok(Went::Out) };
        rows.arrive(wall);
        let mut batch = Vec::new();
        for (number, line) in look.lines.iter().filter(|(number, _)| *number > 1) {
            let line = String::from_utf8_lossy(line);
            let before = rows.taken().faults;
            batch.clear();
            rows.line(&line, *number, &mut |id, unit| self.names.know(id, unit, stated, out), &mut batch);
            if rows.taken().faults > before {
                let (problems, broken) = rows.take_faults();
                out.faults(&name, problems, broken, wall);
            }
            out.samples(&name, *number, &line, &self.names, &batch, wall);
        }
        let went = if look.more { Went::On } else { Went::Out };
        let nothing = look.lines.is_empty() && look.too_long.is_empty() && !look.more;
        if nothing || out.hand_over(path, self.tail.place()) { Ok(went) } else { Ok(Went::Nowhere) }
    }

    #[cfg(not(feature = "parquet"))]
    fn parquet(&mut self, _: &FileSource, _: &Options, path: &Path, out: &mut Out) -> io::Result<Went> {
        let remedy = "build Plenum with --features parquet, or have CSV written";
        out.shared.tell(Problem::error(path.display().to_string(), "this Plenum reads no Parquet", remedy));
        Ok(Went::Out)
    }

    /// A whole file at a time: what it holds is known only at its end.
    #[cfg(feature = "parquet")]
    fn parquet(&mut self, stated: &FileSource, options: &Options, path: &Path, out: &mut Out) -> io::Result<Went> {
        use crate::history::table::{Stop, parquet};
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let place = self.tail.place();
        let done = place.bytes == length && place.fits(&mut file)?;
        // One that is still being written has no end yet.
        if done || self.bad.is_some_and(|bad| bad == length) || !parquet::is_whole(&mut file)? {
            return Ok(Went::Out);
        }
        let name = name_of(path);
        let wall = wall_clock();
        let options = Options { name: name.clone(), arrival: wall, ..options.clone() };
        let names = std::cell::RefCell::new(Names::default());
        let out_cell = std::cell::RefCell::new(&mut *out);
        let read = parquet::read(
            path,
            &options,
            |id, unit| names.borrow_mut().know(id, unit, stated, *out_cell.borrow_mut()),
            |batch| {
                let mut out = out_cell.borrow_mut();
                out.samples(&name, 0, "", &names.borrow(), batch, wall);
                Ok(out.give())
            },
        );
        match read {
            Ok(taken) => {
                out.faults(&name, taken.problems, taken.broken, wall);
                let place = Place::at(&mut file, length, taken.lines)?;
                self.tail = Tail::from(place);
                Ok(if out.hand_over(path, place) { Went::Out } else { Went::Nowhere })
            }
            Err(Stop::Table(problem)) => {
                out.shared.tell(problem);
                self.bad = Some(length);
                Ok(Went::Out)
            }
            Err(Stop::Asked | Stop::Store(_)) => Ok(Went::Nowhere),
        }
    }
}

/// As people look for it.
fn name_of(path: &Path) -> String {
    path.display().to_string()
}

impl Names {
    /// What a name in a table stands for.
    fn know(&mut self, id: &str, _unit: &str, stated: &FileSource, out: &mut Out) -> Known {
        let stands_for = stated.points.iter().find(|(name, _)| name == id).map_or(id, |(_, point)| point);
        if stands_for.is_empty() {
            return Known::Ignored;
        }
        let points = out.points(stands_for, &stated.topic);
        let unit = points.first().and_then(|p| out.meaning.declared.points.get(p.0 as usize)).map(|p| p.unit.clone());
        let Some(unit) = unit else {
            lock(&out.shared.intake).unmatched.name(&stated.topic, stands_for);
            let wanted = if stated.topic.is_empty() { "the id of no point" } else { "bound to no point" };
            let remedy = if stated.topic.is_empty() {
                "write points = { \"its name here\" = \"AHU-1/supply_temperature\" }, or \"\" to leave it out"
            } else {
                "bind it: topic and key under [[bindings]]; or leave it out: points = { \"its name here\" = \"\" }"
            };
            return Known::Not(format!("`{stands_for}` is {wanted}"), remedy.into());
        };
        self.points.push(points);
        Known::Point((self.points.len() - 1) as u32, unit)
    }
}

impl Out {
    fn understand(&mut self, meaning: Meaning) {
        let ids = meaning.declared.points.iter().enumerate();
        self.ids = ids.map(|(i, p)| (p.id.clone(), PointIndex(i as u32))).collect();
        self.meaning = meaning;
    }

    /// The points of a name: of a key of the topic, where there is one, else by their id. All are read in one unit.
    fn points(&self, name: &str, topic: &str) -> Vec<PointIndex> {
        let unit = |p: &PointIndex| self.meaning.declared.points.get(p.0 as usize).map(|p| p.unit.as_str());
        let mut found: Vec<PointIndex> = match self.meaning.topics.route(topic) {
            Route::Points(target) => target.targets(target.find(name)).map(|t| t.point).collect(),
            _ => Vec::new(),
        };
        if found.is_empty() {
            found.extend(self.ids.get(name));
        }
        let first = found.first().and_then(unit).map(str::to_owned);
        found.retain(|p| unit(p) == first.as_deref());
        found
    }

    /// A line that cannot be read.
    fn broken(&self, place: &str, line: &str, why: &str, wall: Time) {
        let remedy = "write a line a row; the others were read";
        self.shared.tell(Problem::warning(place, why, remedy));
        lock(&self.shared.intake).refuse(place, line.as_bytes(), line.len(), Reason::Line, wall);
    }

    fn faults(&self, name: &str, problems: Vec<Problem>, broken: Vec<(u64, String)>, wall: Time) {
        problems.into_iter().for_each(|p| self.shared.tell(p));
        for (number, line) in broken {
            let place = format!("{name}:{number}");
            lock(&self.shared.intake).refuse(&place, line.as_bytes(), line.len(), Reason::Line, wall);
        }
    }

    /// Takes the samples of a line through the same checks as what comes over the wire.
    fn samples(&mut self, name: &str, number: u64, line: &str, names: &Names, batch: &[(u32, Stored)], wall: Time) {
        let shared = Arc::clone(&self.shared);
        let mut intake = lock(&shared.intake);
        let mut ahead = 0;
        for (at, stored) in batch {
            // A message arrives when it was sent, more or less; a line has no time but its own.
            if stored.time.seconds_since(wall) > self.max_future_s {
                ahead += 1;
                continue;
            }
            for point in names.points.get(*at as usize).into_iter().flatten() {
                intake.sample(*point, stored, wall, &mut self.arrivals);
            }
        }
        if ahead > 0 {
            intake.stats.future += ahead;
            drop(intake);
            let place = if number > 0 { format!("{name}:{number}") } else { name.to_owned() };
            self.broken(&place, line, "its time lies ahead: is its zone right?", wall);
        }
    }

    /// Gives on what was read, and that a file is read up to here once it is kept; false where nobody takes it any more.
    fn hand_over(&mut self, path: &Path, place: Place) -> bool {
        self.token += 1;
        self.book.wait_for(self.token, path, place);
        let token = self.token;
        self.pass_on(vec![token])
    }

    /// Gives on what was read so far.
    #[cfg(feature = "parquet")]
    fn give(&mut self) -> bool {
        self.pass_on(Vec::new())
    }

    fn pass_on(&mut self, tokens: Vec<u64>) -> bool {
        match self.inlet.clone() {
            None => self.book.kept(&tokens),
            Some(inlet) => {
                let sample = |a: &Arrival| if let Arrival::Sample(s) = a { Some(*s) } else { None };
                let mut batch = Batch {
                    declared: Arc::clone(&self.meaning.declared),
                    samples: self.arrivals.iter().filter_map(sample).collect(),
                    tokens,
                    to: Some(Arc::clone(&self.book) as Arc<dyn Kept>),
                    ..Batch::default()
                };
                // The file can wait.
                while let Err(back) = inlet.offer(batch) {
                    if self.shared.ending.load(Ordering::SeqCst) {
                        return false;
                    }
                    batch = back;
                    std::thread::sleep(LOOK);
                }
            }
        }
        self.show_the_twin()
    }

    fn show_the_twin(&mut self) -> bool {
        let mut dropped = 0;
        let until = self.inlet.is_some().then(|| Instant::now() + PATIENCE);
        let ending = || self.shared.ending.load(Ordering::SeqCst);
        for mut arrival in self.arrivals.drain(..) {
            // Others, who cannot wait, would lose by it. A twin that stands still does not keep the history waiting.
            while self.queue.is_crowded() && !ending() && until.is_none_or(|until| Instant::now() < until) {
                std::thread::sleep(LOOK);
            }
            if self.queue.is_crowded() && self.inlet.is_some() {
                dropped += 1;
                continue;
            }
            loop {
                match self.queue.offer(arrival) {
                    Offer::Taken => break,
                    Offer::Instead(_) => {
                        dropped += 1;
                        break;
                    }
                    Offer::Gone => return false,
                    Offer::Full(_) if ending() => return false,
                    Offer::Full(back) => {
                        arrival = back;
                        std::thread::sleep(LOOK);
                    }
                }
            }
        }
        if dropped > 0 {
            lock(&self.shared.intake).stats.skipped += dropped;
        }
        true
    }
}
