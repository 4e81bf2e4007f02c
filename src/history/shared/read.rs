//! Reading from the server.

use super::connect::{Address, Link};
use super::keep;
use crate::history::bucket::cut;
use crate::history::segment::Scale;
use crate::history::{Bucket, Entry, HistoryError, Level, Past, PointInfo, PointKey, Reader, Span, Stored};
use crate::quality::Quality;
use crate::time::Time;
use std::cell::RefCell;
use std::collections::HashMap;
use tokio_postgres::{Client, Error, GenericClient, Row};

/// Reads a history in PostgreSQL, by a connection of its own.
pub struct SharedReader {
    link: RefCell<Link>,
}

impl SharedReader {
    /// Connects. Nothing is made: a user who may only read can do it.
    ///
    /// # Errors
    /// A server that cannot be reached or refuses.
    pub fn open(address: &Address) -> Result<Self, HistoryError> {
        let mut link = Link::new(address)?;
        link.run(|client| async {
            let asked = client.query_one("SELECT max(version) FROM plenum.about", &[]).await;
            (client, asked.map(drop))
        })?;
        Ok(Self { link: RefCell::new(link) })
    }
}

impl Reader for SharedReader {
    fn points(&self) -> Result<Vec<(PointKey, PointInfo)>, HistoryError> {
        self.link.borrow_mut().run(points)
    }

    fn samples(&self, point: PointKey, span: Span) -> Result<Vec<Stored>, HistoryError> {
        self.link.borrow_mut().run(|client| async move {
            let found = samples_of(&client, point.0 as i32, span).await;
            (client, found)
        })
    }

    fn buckets(&self, point: PointKey, level: Level, span: Span) -> Result<Vec<Bucket>, HistoryError> {
        self.link.borrow_mut().run(|mut client| async move {
            let found = buckets_of(&mut client, point.0 as i32, level, span).await;
            (client, found)
        })
    }

    fn latest(&self, points: &[PointKey]) -> Result<Vec<Option<Stored>>, HistoryError> {
        let keys: Vec<i32> = points.iter().map(|p| p.0 as i32).collect();
        let found = self.link.borrow_mut().run(|client| async move {
            let asked = "SELECT time, arrival, value, quality, code, point FROM plenum.latest WHERE point = ANY($1)";
            let rows = client.query(asked, &[&keys]).await;
            (client, rows)
        })?;
        let by_key: HashMap<u32, Stored> = found.iter().map(|r| (r.get::<_, i32>(5) as u32, stored(r))).collect();
        Ok(points.iter().map(|p| by_key.get(&p.0).copied()).collect())
    }

    fn past(&self, point: PointKey) -> Result<Past, HistoryError> {
        self.link.borrow_mut().run(|client| async move {
            let asked = "SELECT deleted_before, held FROM plenum.point WHERE key = $1";
            let row = client.query_opt(asked, &[&(point.0 as i32)]).await;
            let past = |r: Row| Past { gone_before: r.get::<_, Option<i64>>(0).map(Time), held: r.get(1) };
            (client, row.map(|r| r.map(past).unwrap_or_default()))
        })
    }

    fn book(&self, most: usize) -> Result<Vec<Entry>, HistoryError> {
        self.link.borrow_mut().run(|client| keep::book(client, most))
    }
}

/// Every point.
pub(super) async fn points(client: Client) -> (Client, Result<Vec<(PointKey, PointInfo)>, Error>) {
    let asked = client.query("SELECT key, id, unit, class, factor, shift FROM plenum.point ORDER BY key", &[]).await;
    let point = |r: &Row| {
        let scale = Scale { factor: r.get(4), offset: r.get(5) };
        (PointKey(r.get::<_, i32>(0) as u32), PointInfo { id: r.get(1), unit: r.get(2), class: r.get(3), scale })
    };
    (client, asked.map(|rows| rows.iter().map(point).collect()))
}

fn stored(row: &Row) -> Stored {
    Stored {
        time: Time(row.get(0)),
        arrival: Time(row.get(1)),
        value: row.get(2),
        // A number of a newer version says nothing here: it is not good.
        quality: u8::try_from(row.get::<_, i16>(3)).ok().and_then(Quality::of_code).unwrap_or_default(),
        code: u32::try_from(row.get::<_, i64>(4)).unwrap_or_default(),
    }
}

/// The samples of a point in a span.
pub(super) async fn samples_of(client: &impl GenericClient, point: i32, span: Span) -> Result<Vec<Stored>, Error> {
    let rows = client
        .query(
            "SELECT time, arrival, value, quality, code FROM plenum.sample
             WHERE point = $1 AND time >= $2 AND time < $3 ORDER BY time",
            &[&point, &span.from.0, &span.to.0],
        )
        .await?;
    Ok(rows.iter().map(stored).collect())
}

async fn buckets_of(client: &mut Client, point: i32, level: Level, span: Span) -> Result<Vec<Bucket>, Error> {
    // Rows and what has changed since belong together.
    let tx = client
        .build_transaction()
        .read_only(true)
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .start()
        .await?;
    let rows = tx
        .query(
            "SELECT start, n, bad, least, most, total, last FROM plenum.bucket
             WHERE point = $1 AND level = $2 AND start >= $3 AND start < $4 ORDER BY start",
            &[&point, &(level as i16), &span.from.0, &span.to.0],
        )
        .await?;
    let mut buckets: Vec<Bucket> = rows
        .iter()
        .map(|r| Bucket {
            start: Time(r.get(0)),
            n: r.get::<_, i64>(1).max(0) as u64,
            bad: r.get::<_, i64>(2).max(0) as u64,
            min: r.get(3),
            max: r.get(4),
            sum: r.get(5),
            last: r.get(6),
        })
        .collect();
    let hour = Level::Hour.length_ms();
    let changed = tx
        .query(
            "SELECT c.hour FROM plenum.changed c JOIN plenum.point p ON p.key = c.point
             WHERE c.point = $1 AND c.hour > $2 AND c.hour < $3
               AND (p.deleted_before IS NULL OR p.deleted_before <= c.hour) ORDER BY c.hour",
            &[&point, &span.from.0.saturating_sub(hour), &span.to.0],
        )
        .await?;
    for row in changed {
        let from: i64 = row.get(0);
        let own = Span { from: Time(from), to: Time(from.saturating_add(hour)) };
        let samples = samples_of(&tx, point, own).await?;
        buckets.retain(|b| !own.holds(b.start));
        buckets.extend(cut(&samples, level.length_ms()).into_iter().filter(|b| span.holds(b.start)));
    }
    tx.commit().await?;
    buckets.sort_by_key(|b| b.start);
    Ok(buckets)
}
