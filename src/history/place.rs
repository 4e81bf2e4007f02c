//! Where a history is, and opening it: what a project's `[history]` and `[retention]` come to.

use super::embedded::{self, Embedded, EmbeddedReader, Options};
use super::segment::Scale;
use super::shared::{Address, Secure, Shared, SharedReader};
use super::{History, HistoryError, Keep, PointInfo, PointKey, Reader, Reason, Retention};
use crate::problem::Problem;
use crate::site::point::Point;
use crate::site::project::{self, HistorySettings, HistoryStore, KeepDays, Secret};
use crate::time::Time;
use std::path::PathBuf;

/// Where a history is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file on this machine.
    File(PathBuf),
    /// In PostgreSQL.
    Server(Address),
}

/// A history that is open to be written.
pub struct Opened {
    /// The history.
    pub history: Box<dyn History>,
    /// What was found broken in it: it goes on without.
    pub problems: Vec<Problem>,
}

/// Opens the history of a project, and makes it where there is none yet; none where the project keeps no history.
///
/// # Errors
/// A file that cannot be written or that another program has, a server that cannot be reached, a password that cannot
/// be read.
pub fn open(settings: &HistorySettings) -> Result<Option<Opened>, HistoryError> {
    Place::of(settings)?.map(|place| place.open()).transpose()
}

/// Opens the history of a project to be read, beside whoever writes it; none where the project keeps no history.
///
/// # Errors
/// A history that is not there yet, or cannot be read; a password that cannot be read.
pub fn open_reader(settings: &HistorySettings) -> Result<Option<Box<dyn Reader>>, HistoryError> {
    Place::of(settings)?.map(|place| place.read()).transpose()
}

impl Place {
    /// Where a project keeps its history; none where it keeps none.
    ///
    /// # Errors
    /// A password that cannot be read.
    pub fn of(settings: &HistorySettings) -> Result<Option<Self>, HistoryError> {
        let (url, password, ca, allow_insecure) = match &settings.store {
            HistoryStore::Off => return Ok(None),
            HistoryStore::File(file) => return Ok(Some(Self::File(file.clone()))),
            HistoryStore::Server { url, password, ca, allow_insecure } => (url, password, ca, *allow_insecure),
        };
        let secure = match ca {
            Some(file) => Secure::Authority(file.clone()),
            None if allow_insecure => Secure::Open,
            None => Secure::Usual,
        };
        let read = |secret: &Secret| {
            secret
                .read()
                .map_err(|p| HistoryError::new(Reason::Wrong, "[history]", format!("{}: its password", p.message)))
        };
        let password = password.as_ref().map(read).transpose()?;
        Ok(Some(Self::Server(Address { url: url.clone(), password, secure })))
    }

    /// Opens it to be written, and makes it where there is none.
    ///
    /// # Errors
    /// As for [`open`].
    pub fn open(&self) -> Result<Opened, HistoryError> {
        match self {
            Self::File(file) => {
                let (history, problems) = Embedded::open(file, Options::default())?;
                Ok(Opened { history: Box::new(history), problems })
            }
            Self::Server(address) => Ok(Opened { history: Box::new(Shared::open(address)?), problems: Vec::new() }),
        }
    }

    /// Opens it to be read.
    ///
    /// # Errors
    /// As for [`open_reader`].
    pub fn read(&self) -> Result<Box<dyn Reader>, HistoryError> {
        Ok(match self {
            Self::File(file) => Box::new(EmbeddedReader::open(file)?),
            Self::Server(address) => Box::new(SharedReader::open(address)?),
        })
    }

    /// Holds a point, or releases it, beside whoever writes the history.
    ///
    /// # Errors
    /// A history that is not there or cannot be written.
    pub fn hold(&self, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError> {
        match self {
            Self::File(file) => embedded::hold(file, point, hold, now, why),
            Self::Server(address) => Shared::open(address)?.hold(point, hold, now, why),
        }
    }

    /// What people read: the file, or the address without its password.
    pub fn shown(&self) -> String {
        match self {
            Self::File(file) => file.display().to_string(),
            Self::Server(address) => address.shown(),
        }
    }
}

impl From<&project::Retention> for Retention {
    fn from(stated: &project::Retention) -> Self {
        let classes = stated.classes.iter().map(|(name, class)| (name.clone(), Keep::from(&class.keep)));
        Self { usual: Keep::from(&stated.usual), classes: classes.collect() }
    }
}

impl From<&KeepDays> for Keep {
    fn from(days: &KeepDays) -> Self {
        let seconds = |days: Option<f64>| days.map(|d| d * 86_400.0);
        Self {
            samples_s: seconds(days.raw),
            minutes_s: seconds(days.rollup_1min),
            quarters_s: seconds(days.rollup_15min),
            hours_s: seconds(days.rollup_1h),
        }
    }
}

/// A point of a site as its history shall know it.
pub fn info(point: &Point, retention: &project::Retention) -> PointInfo {
    PointInfo {
        id: point.id.clone(),
        unit: point.unit.code.into(),
        class: retention.class_of(&point.id).into(),
        // Exactly the two numbers of the unit.
        scale: Scale { factor: point.unit.interval_to_si(1.0), offset: point.unit.to_si(0.0) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Span, Stored};
    use crate::quality::Quality;
    use crate::site::project::PointClass;

    #[test]
    fn a_projects_history_is_opened_read_beside_and_kept_as_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let settings = HistorySettings::beside(dir.path());
        assert_eq!(open_reader(&settings).err().unwrap().reason, Reason::Gone);
        let mut opened = open(&settings).unwrap().unwrap();
        assert!(opened.problems.is_empty() && dir.path().join(".plenum/history.db").exists());
        let key = opened.history.declare(&[PointInfo { id: "a".into(), ..PointInfo::default() }]).unwrap()[0];
        let sample = Stored { time: Time(5), arrival: Time(6), value: 1.5, quality: Quality::Good, code: 0 };
        opened.history.append(&[(key, sample)]).unwrap();
        let beside = open_reader(&settings).unwrap().unwrap();
        assert_eq!(beside.samples(key, Span::ALL).unwrap(), [sample]);
        let refused = open(&settings).err().unwrap();
        let own = format!("process {}", std::process::id());
        assert!(refused.reason == Reason::InUse && refused.message.contains(&own), "{refused}");
        let off = HistorySettings { store: HistoryStore::Off, ..settings };
        assert!(open(&off).unwrap().is_none() && open_reader(&off).unwrap().is_none());
    }

    #[test]
    fn a_server_is_spoken_to_as_the_project_says() {
        let server = |password, ca: Option<&str>, allow_insecure| {
            let (url, ca) = ("postgres://me@db/x".to_owned(), ca.map(PathBuf::from));
            let store = HistoryStore::Server { url, password, ca, allow_insecure };
            Place::of(&HistorySettings { store, ..HistorySettings::default() })
        };
        let secure = |place| match place {
            Ok(Some(Place::Server(address))) => address.secure,
            other => panic!("{other:?}"),
        };
        assert_eq!(secure(server(None, None, false)), Secure::Usual);
        assert_eq!(secure(server(None, None, true)), Secure::Open);
        assert_eq!(secure(server(None, Some("a.pem"), true)), Secure::Authority("a.pem".into()));
        let missing = server(Some(Secret::Environment("PLENUM_TEST_NOT_SET".into())), None, false);
        assert!(missing.err().unwrap().message.contains("PLENUM_TEST_NOT_SET"));
    }

    #[test]
    fn days_become_seconds_by_class() {
        let mut stated = project::Retention::default();
        let keep = KeepDays { raw: None, rollup_1min: Some(2.0), ..KeepDays::default() };
        stated.classes.insert("meters".into(), PointClass { points: vec!["*/energy".into()], keep });
        let retention = Retention::from(&stated);
        assert_eq!(retention.usual.samples_s, Some(90.0 * 86_400.0));
        assert_eq!(retention.classes["meters"].samples_s, None);
        assert_eq!(retention.classes["meters"].minutes_s, Some(172_800.0));
        assert_eq!(retention.usual.hours_s, None);
    }
}
