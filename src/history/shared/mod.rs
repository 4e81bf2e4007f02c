//! The history in PostgreSQL, for sites that outgrow one machine and for several twins on one history.
//!
//! One row a sample, keyed by point and device time, in the schema `plenum`: in a hypertable where TimescaleDB is
//! installed, else in a partition of PostgreSQL's own for each month. A batch is copied in binary form and merged in
//! one transaction, by the rule of [`Stored::or`]. Hours that have changed are noted in that transaction; when an
//! hour is over its buckets are made, and until then they are made when somebody asks.
//!
//! The first program that may makes the tables, and two roles without login to grant to people and programs:
//! `plenum_writer` and `plenum_reader`.

mod adopt;
mod connect;
mod keep;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod write;

pub use connect::{Address, Secure};
pub use read::SharedReader;

use super::{
    Bucket, Entry, History, HistoryError, Kept, Level, Past, PointInfo, PointKey, Reader, Retention, State, Stored,
};
use crate::time::Time;
use connect::Link;
use std::collections::HashMap;

/// A history in PostgreSQL. It connects again by itself when the server was gone.
pub struct Shared {
    link: Link,
    /// By key.
    points: HashMap<PointKey, PointInfo>,
    by_id: HashMap<String, PointKey>,
    appended: u64,
    /// Hours that are over and not summed up, at the last look.
    waiting: usize,
}

impl Shared {
    /// Connects, and makes the tables where there are none.
    ///
    /// # Errors
    /// A server that cannot be reached or refuses, an address that is not allowed, tables of a newer version.
    pub fn open(address: &Address) -> Result<Self, HistoryError> {
        let mut link = Link::new(address)?;
        link.run(schema::prepare)?;
        let mut shared = Self { link, points: HashMap::new(), by_id: HashMap::new(), appended: 0, waiting: 0 };
        shared.learn_points()?;
        Ok(shared)
    }

    /// Whether samples are in a hypertable of TimescaleDB.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn is_hypertable(&mut self) -> Result<bool, HistoryError> {
        self.link.run(schema::is_hypertable)
    }
}

impl History for Shared {
    fn declare(&mut self, points: &[PointInfo]) -> Result<Vec<PointKey>, HistoryError> {
        self.put_points(points)
    }

    fn append(&mut self, samples: &[(PointKey, Stored)]) -> Result<(), HistoryError> {
        self.put_samples(samples)
    }

    fn tend(&mut self) -> Result<bool, HistoryError> {
        self.sum_up()
    }

    fn retain(&mut self, now: Time, retention: &Retention) -> Result<Kept, HistoryError> {
        self.delete_old(now, retention)
    }

    fn hold(&mut self, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError> {
        self.set_hold(point, hold, now, why)
    }

    fn adopt(&mut self, point: PointKey, past: &Past, sums: &[(Level, Vec<Bucket>)]) -> Result<(), HistoryError> {
        self.take_over(point, past, sums)
    }

    fn book(&mut self, most: usize) -> Result<Vec<Entry>, HistoryError> {
        self.link.run(|client| keep::book(client, most))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, HistoryError> {
        Ok(Box::new(SharedReader::open(self.link.address())?))
    }

    fn state(&self) -> State {
        State { points: self.points.len(), appended: self.appended, waiting: self.waiting }
    }
}
