//! Makes another revision of an IFC file, as text, and knows which element of it is which.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What is done to a file.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub new_ids: bool,
    /// Metres and degrees by which the root placement is moved and turned.
    pub shift_m: [f64; 3],
    pub turn_deg: f64,
    /// Shares of all elements.
    pub tags: f64,
    pub deleted: f64,
    pub added: f64,
    /// The records in another order.
    pub shuffle: bool,
}

impl Plan {
    /// The hard case: nothing stays as it is.
    pub fn hard(seed: u64) -> Self {
        Self {
            seed,
            new_ids: true,
            shift_m: [1.2, -1.6, 0.0],
            turn_deg: 90.0,
            tags: 0.10,
            deleted: 0.05,
            added: 0.05,
            shuffle: true,
        }
    }
}

/// Another revision, and what is true of it. GlobalIds of the old revision lead to those of the new.
pub struct Revised {
    pub text: String,
    /// Every element that survived.
    pub truth: HashMap<String, String>,
    pub deleted: HashSet<String>,
    /// GlobalIds in the new revision.
    pub added: HashSet<String>,
    pub retagged: usize,
}

struct Record {
    class: String,
    arguments: Vec<String>,
}

/// The file with `plan` done to it.
pub fn revise(text: &str, plan: &Plan) -> Revised {
    let mut random = Random(ChaCha8Rng::seed_from_u64(plan.seed));
    let (head, rest) = text.split_once("DATA;\n").unwrap();
    let (data, tail) = rest.split_once("ENDSEC;").unwrap();
    let mut records: BTreeMap<u32, Record> = data.lines().map(read).collect();
    let mut elements: Vec<u32> = records.iter().filter(|(_, r)| is_element(r)).map(|(i, _)| *i).collect();
    assert!(elements.len() > 100);
    random.shuffle(&mut elements);

    // Every class loses some, so that what is bound loses some too.
    let of = |share: f64| (elements.len() as f64 * share).round() as usize;
    let (doomed, survivors) = elements.split_at(of(plan.deleted));
    let doomed_tags: Vec<String> = doomed.iter().map(|d| records[d].arguments[7].clone()).collect();
    let deleted: HashSet<String> = doomed.iter().map(|d| id(&records[d])).collect();
    let kept: Vec<(u32, String)> = survivors.iter().map(|s| (*s, id(&records[s]))).collect();

    let retagged = retag(&mut records, &survivors[..of(plan.tags).min(survivors.len())], &doomed_tags, &mut random);
    let mut next = records.keys().max().unwrap() + 1;
    let mut copies = Vec::new();
    for n in 0..of(plan.added) {
        // Copies of what stays, some metres away; and of what goes, beside the place that it leaves.
        let beside = n % 5 == 0 && !doomed.is_empty();
        let model = if beside { doomed[n % doomed.len()] } else { survivors[random.below(survivors.len())] };
        let away = if beside { 300.0 } else { 700.0 + random.below(6000) as f64 };
        let tag = match n % 3 {
            // The tag of one that is gone, of the one that it is a copy of, or its own.
            0 if !doomed_tags.is_empty() => doomed_tags[(n * 7 + 1) % doomed_tags.len()].clone(),
            1 if !beside => records[&model].arguments[7].clone(),
            _ => format!("'NEW-{n}'"),
        };
        copies.extend(copy(&mut records, model, &mut next, away, tag));
    }
    delete(&mut records, doomed.iter().copied().collect());
    if plan.shift_m != [0.0; 3] || plan.turn_deg != 0.0 {
        move_all(&mut records, &mut next, plan);
    }
    if plan.new_ids {
        for record in records.values_mut().filter(|r| r.arguments.first().is_some_and(|a| is_global_id(a))) {
            record.arguments[0] = format!("'{}'", random.global_id());
        }
    }
    let truth = kept.into_iter().map(|(record, old)| (old, id(&records[&record]))).collect();
    let added = copies.iter().map(|c| id(&records[c])).collect();
    let mut lines: Vec<String> =
        records.iter().map(|(i, r)| format!("#{i}={}({});\n", r.class, r.arguments.join(","))).collect();
    if plan.shuffle {
        random.shuffle(&mut lines);
    }
    let text = format!("{head}DATA;\n{}ENDSEC;{tail}", lines.concat());
    Revised { text, truth, deleted, added, retagged }
}

/// Half of them get a tag of their own, the rest change theirs among each other or take one that is free now.
fn retag(records: &mut BTreeMap<u32, Record>, chosen: &[u32], free: &[String], random: &mut Random) -> usize {
    let (fresh, others) = chosen.split_at(chosen.len() / 2);
    for (n, record) in fresh.iter().enumerate() {
        let tag = if n % 4 == 0 && !free.is_empty() { free[n % free.len()].clone() } else { format!("'RE-{n}'") };
        records.get_mut(record).unwrap().arguments[7] = tag;
    }
    let mut by_class: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for record in others {
        by_class.entry(records[record].class.clone()).or_default().push(*record);
    }
    for group in by_class.values_mut() {
        random.shuffle(group);
        let tags: Vec<String> = group.iter().map(|r| records[r].arguments[7].clone()).collect();
        for (record, i) in group.iter().zip(1..) {
            records.get_mut(record).unwrap().arguments[7] = tags[i % tags.len()].clone();
        }
    }
    chosen.len()
}

/// A copy with the same shape in the same storey, so many millimetres away; its new record.
fn copy(records: &mut BTreeMap<u32, Record>, model: u32, next: &mut u32, away: f64, tag: String) -> Option<u32> {
    let mut arguments = records[&model].arguments.clone();
    let class = records[&model].class.clone();
    let placement = number(&arguments[5])?;
    let (above, axes) = (records[&placement].arguments[0].clone(), number(&records[&placement].arguments[1])?);
    let mut axes = Record { class: records[&axes].class.clone(), arguments: records[&axes].arguments.clone() };
    let mut at = list(&records[&number(&axes.arguments[0])?].arguments[0]);
    at[0] = format!("{:?}", at[0].parse::<f64>().ok()? + away);
    let mut add = |class: &str, arguments: Vec<String>| {
        *next += 1;
        records.insert(*next, Record { class: class.to_owned(), arguments });
        format!("#{next}")
    };
    axes.arguments[0] = add("IFCCARTESIANPOINT", vec![format!("({})", at.join(","))]);
    let axes = add(&axes.class, axes.arguments);
    arguments[5] = add("IFCLOCALPLACEMENT", vec![above, axes]);
    arguments[0] = format!("'2NewAddedElement{:06}'", number(&arguments[5])?);
    arguments[7] = tag;
    let copy = add(&class, arguments);
    let storey = records.values_mut().find(|r| {
        r.class == "IFCRELCONTAINEDINSPATIALSTRUCTURE" && list(&r.arguments[4]).contains(&format!("#{model}"))
    });
    if let Some(storey) = storey {
        storey.arguments[4] = format!("{},{copy})", storey.arguments[4].trim_end_matches(')'));
    }
    number(&copy)
}

/// Takes records away, with what cannot be without them.
fn delete(records: &mut BTreeMap<u32, Record>, mut dead: HashSet<u32>) {
    // Ports go with their element.
    let ports: Vec<u32> = records
        .values()
        .filter(|r| r.class == "IFCRELNESTS" && number(&r.arguments[4]).is_some_and(|e| dead.contains(&e)))
        .flat_map(|r| list(&r.arguments[5]).iter().filter_map(|p| number(p)).collect::<Vec<_>>())
        .collect();
    dead.extend(ports);
    records.retain(|i, _| !dead.contains(i));
    records.retain(|_, record| {
        if !record.class.starts_with("IFCREL") {
            return true;
        }
        for argument in &mut record.arguments {
            if number(argument).is_some_and(|n| dead.contains(&n)) {
                return false;
            }
            if argument.starts_with('(') {
                let left: Vec<String> =
                    list(argument).into_iter().filter(|a| number(a).is_none_or(|n| !dead.contains(&n))).collect();
                if left.is_empty() {
                    return false;
                }
                *argument = format!("({})", left.join(","));
            }
        }
        true
    });
}

/// Moves and turns every placement that stands on nothing.
fn move_all(records: &mut BTreeMap<u32, Record>, next: &mut u32, plan: &Plan) {
    let (sin, cos) = plan.turn_deg.to_radians().sin_cos();
    let roots: Vec<u32> = records
        .iter()
        .filter(|(_, r)| r.class == "IFCLOCALPLACEMENT" && r.arguments[0] == "$")
        .map(|(i, _)| *i)
        .collect();
    assert_eq!(roots.len(), 1, "the file has one root, with no turn of its own");
    let [x, y, z] = plan.shift_m.map(|m| m * 1000.0);
    let mut add = |class: &str, arguments: String| {
        *next += 1;
        records.insert(*next, Record { class: class.to_owned(), arguments: vec![arguments] });
        format!("#{next}")
    };
    let at = add("IFCCARTESIANPOINT", format!("({x:?},{y:?},{z:?})"));
    let east = add("IFCDIRECTION", format!("({cos:?},{sin:?},0.)"));
    let axes = add("IFCAXIS2PLACEMENT3D", format!("{at},$,{east}"));
    records.get_mut(&roots[0]).unwrap().arguments[1] = axes;
}

fn is_element(record: &Record) -> bool {
    record.arguments.len() >= 8
        && is_global_id(&record.arguments[0])
        && !record.class.contains("REL")
        && !record.class.ends_with("TYPE")
        && record.arguments[7].starts_with('\'')
        && number(&record.arguments[5]).is_some()
        && number(&record.arguments[6]).is_some()
}

fn is_global_id(argument: &str) -> bool {
    argument.len() == 24 && argument.starts_with('\'') && argument.ends_with('\'')
}

fn id(record: &Record) -> String {
    record.arguments[0].trim_matches('\'').to_owned()
}

fn number(argument: &str) -> Option<u32> {
    argument.strip_prefix('#')?.parse().ok()
}

/// The members of `(a,b,c)`.
fn list(argument: &str) -> Vec<String> {
    split(argument.strip_prefix('(').and_then(|a| a.strip_suffix(')')).unwrap_or_default())
}

fn read(line: &str) -> (u32, Record) {
    let (number, rest) = line.strip_prefix('#').and_then(|l| l.split_once('=')).unwrap_or_else(|| panic!("{line}"));
    let (class, rest) = rest.split_once('(').unwrap();
    let arguments = split(rest.strip_suffix(");").unwrap_or_else(|| panic!("{line}")));
    (number.parse().unwrap(), Record { class: class.to_owned(), arguments })
}

/// At the commas that are in no brackets and no text.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0, false);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n as u64) as usize
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for i in (1..all.len()).rev() {
            all.swap(i, self.below(i + 1));
        }
    }

    fn global_id(&mut self) -> String {
        const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$";
        let mut id = String::from((b'0' + self.below(4) as u8) as char);
        id.extend((0..21).map(|_| DIGITS[self.below(64)] as char));
        id
    }
}

/// The clinic's services.
pub const MEP: &str = "clinic-mep.ifc";

/// The folder of the demo clinic.
pub fn clinic() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic")
}

/// A project of the clinic's services alone, in a folder of its own: the quickest with sensors.
pub fn project_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(clinic().join("twin.toml")).unwrap();
    let cut = |text: String, from: &str, to: &str| {
        let start = text.find(from).unwrap();
        let end = start + text[start..].find(to).unwrap();
        format!("{}{}", &text[..start], &text[end..])
    };
    let text = cut(text, "[[models]]\nfile = \"clinic-architecture.ifc\"", "[[models]]\nfile = \"clinic-mep.ifc\"");
    let text = cut(text, "[[layers]]", "# Where samples come from.");
    std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    std::fs::copy(clinic().join(MEP), folder.path().join(MEP)).unwrap();
    folder
}
