//! Points and samples into the tables, and hours summed up.

use super::{Shared, read, schema};
use crate::history::bucket::cut;
use crate::history::{Bucket, HistoryError, Level, PointInfo, PointKey, Reason, Span, Stored};
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Transaction};

/// Hours that are summed up at once.
const AT_ONCE: i64 = 100;

/// The rule of [`Stored::or`]: true where the row `excluded` is the one that is kept.
const BETTER: &str =
    "(excluded.quality <> 1, excluded.quality, excluded.arrival, float8send(excluded.value), excluded.code)
  < (s.quality <> 1, s.quality, s.arrival, float8send(s.value), s.code)";

impl Shared {
    pub(super) fn learn_points(&mut self) -> Result<(), HistoryError> {
        for (key, info) in self.link.run(read::points)? {
            self.by_id.insert(info.id.clone(), key);
            self.points.insert(key, info);
        }
        Ok(())
    }

    pub(super) fn put_points(&mut self, points: &[PointInfo]) -> Result<Vec<PointKey>, HistoryError> {
        let known = |info: &PointInfo| self.by_id.get(&info.id).copied();
        let changed: Vec<PointInfo> = points
            .iter()
            .filter(|info| known(info).and_then(|key| self.points.get(&key)) != Some(info))
            .cloned()
            .collect();
        if !changed.is_empty() {
            let keys = self.link.run(|client| put_points(client, &changed))?;
            for (key, info) in keys.into_iter().zip(changed) {
                self.by_id.insert(info.id.clone(), key);
                self.points.insert(key, info);
            }
        }
        let missing = |info: &PointInfo| HistoryError::new(Reason::Gone, info.id.clone(), "the server gave it no key");
        points.iter().map(|info| self.by_id.get(&info.id).copied().ok_or_else(|| missing(info))).collect()
    }

    pub(super) fn put_samples(&mut self, samples: &[(PointKey, Stored)]) -> Result<(), HistoryError> {
        let mut rows: BTreeMap<(PointKey, Time), Stored> = BTreeMap::new();
        for (key, sample) in samples {
            if !self.points.contains_key(key) {
                let message = format!("there is no point {} in it", key.0);
                return Err(HistoryError::new(Reason::Wrong, self.link.address().shown(), message));
            }
            rows.entry((*key, sample.time)).and_modify(|known| *known = known.or(*sample)).or_insert(*sample);
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.link.run(|client| put_samples(client, &rows))?;
        self.appended += samples.len() as u64;
        Ok(())
    }

    pub(super) fn sum_up(&mut self) -> Result<bool, HistoryError> {
        self.waiting = self.link.run(sum_up)?;
        Ok(self.waiting > 0)
    }
}

async fn put_points(client: Client, points: &[PointInfo]) -> (Client, Result<Vec<PointKey>, Error>) {
    let put = async {
        let statement = client
            .prepare(
                "INSERT INTO plenum.point AS p (id, unit, class, factor, shift) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (id) DO UPDATE SET unit = $2, class = $3, factor = $4, shift = $5 RETURNING key",
            )
            .await?;
        let mut keys = Vec::with_capacity(points.len());
        for p in points {
            let row =
                client.query_one(&statement, &[&p.id, &p.unit, &p.class, &p.scale.factor, &p.scale.offset]).await?;
            keys.push(PointKey(row.get::<_, i32>(0) as u32));
        }
        Ok(keys)
    };
    let done = put.await;
    (client, done)
}

async fn put_samples(mut client: Client, rows: &BTreeMap<(PointKey, Time), Stored>) -> (Client, Result<(), Error>) {
    let done = merge(&mut client, rows).await;
    (client, done)
}

async fn merge(client: &mut Client, rows: &BTreeMap<(PointKey, Time), Stored>) -> Result<(), Error> {
    // Of a new connection it may be missing.
    let tx = client.transaction().await?;
    make_partitions(&tx, rows.keys().map(|(_, time)| *time)).await?;
    tx.batch_execute("CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE plenum.sample) ON COMMIT DELETE ROWS").await?;
    let sink =
        tx.copy_in("COPY incoming (point, time, arrival, value, quality, code) FROM STDIN (FORMAT binary)").await?;
    let types = [Type::INT4, Type::INT8, Type::INT8, Type::FLOAT8, Type::INT2, Type::INT8];
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for ((key, time), s) in rows {
        let (point, quality, code) = (key.0 as i32, i16::from(s.quality.code()), i64::from(s.code));
        writer.as_mut().write(&[&point, &time.0, &s.arrival.0, &s.value, &quality, &code]).await?;
    }
    writer.finish().await?;
    tx.batch_execute(&format!(
        "INSERT INTO plenum.sample AS s SELECT point, time, arrival, value, quality, code FROM incoming
           ON CONFLICT (point, time) DO UPDATE SET arrival = excluded.arrival, value = excluded.value,
           quality = excluded.quality, code = excluded.code WHERE {BETTER};
         INSERT INTO plenum.latest AS s
           SELECT DISTINCT ON (point) point, time, arrival, value, quality, code FROM incoming ORDER BY point, time DESC
           ON CONFLICT (point) DO UPDATE SET time = excluded.time, arrival = excluded.arrival, value = excluded.value,
           quality = excluded.quality, code = excluded.code
           WHERE excluded.time > s.time OR (excluded.time = s.time AND {BETTER});"
    ))
    .await?;
    let hours: BTreeSet<(i32, i64)> =
        rows.keys().map(|(key, time)| (key.0 as i32, Level::Hour.begin(*time).0)).collect();
    let (points, hours): (Vec<i32>, Vec<i64>) = hours.into_iter().unzip();
    let note = "INSERT INTO plenum.changed SELECT * FROM unnest($1::integer[], $2::bigint[]) ON CONFLICT DO NOTHING";
    tx.execute(note, &[&points, &hours]).await?;
    tx.commit().await
}

/// A partition for each month that samples fall in, unless TimescaleDB does it.
async fn make_partitions(tx: &Transaction<'_>, times: impl Iterator<Item = Time>) -> Result<(), Error> {
    let months: BTreeSet<(i64, i64)> =
        times.filter(|t| (0..schema::LAST_MS).contains(&t.0)).map(|t| month(t.0)).collect();
    for (from, to) in months {
        let name = format!("sample_{}", from / 1000);
        let there = tx
            .query_one(
                "SELECT to_regclass('plenum.' || $1::text) IS NOT NULL
                   OR (SELECT relkind <> 'p' FROM pg_class WHERE oid = 'plenum.sample'::regclass)",
                &[&name],
            )
            .await?;
        if !there.get::<_, bool>(0) {
            // Another program may be making the same one.
            tx.batch_execute("SELECT pg_advisory_xact_lock(5263434)").await?;
            let make = "CREATE TABLE IF NOT EXISTS plenum";
            tx.batch_execute(&format!("{make}.{name} PARTITION OF plenum.sample FOR VALUES FROM ({from}) TO ({to})"))
                .await?;
        }
    }
    Ok(())
}

/// The month in UTC that a moment falls in, from and to, ms; an empty one for a moment that no calendar holds.
fn month(time_ms: i64) -> (i64, i64) {
    let first =
        jiff::Timestamp::from_millisecond(time_ms).map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).first_of_month());
    let begin = |day: Result<jiff::Zoned, jiff::Error>| {
        day.and_then(|d| d.start_of_day()).map_or(time_ms, |d| d.timestamp().as_millisecond())
    };
    let Ok(first) = first else { return (time_ms, time_ms) };
    let next = first.as_ref().ok().and_then(|d| d.checked_add(jiff::Span::new().months(1)).ok());
    let from = begin(first);
    (from, next.map_or(from, |d| begin(Ok(d))))
}

/// Sums up some hours that are over: a sample of their point came after them. How many are left.
async fn sum_up(mut client: Client) -> (Client, Result<usize, Error>) {
    let done = sum_up_some(&mut client).await;
    (client, done)
}

async fn sum_up_some(client: &mut Client) -> Result<usize, Error> {
    let over = "FROM plenum.changed c JOIN plenum.latest l ON l.point = c.point WHERE c.hour <= greatest(l.time, -9000000000000000000) - 3600000";
    let tx = client.transaction().await?;
    // Several programs do this; none waits for another.
    let hours =
        tx.query(&format!("SELECT c.point, c.hour {over} LIMIT $1 FOR UPDATE OF c SKIP LOCKED"), &[&AT_ONCE]).await?;
    for row in &hours {
        let (point, hour): (i32, i64) = (row.get(0), row.get(1));
        let span = Span { from: Time(hour), to: Time(hour.saturating_add(Level::Hour.length_ms())) };
        let deleted: Option<i64> =
            tx.query_one("SELECT max(deleted_before) FROM plenum.point WHERE key = $1", &[&point]).await?.get(0);
        // Of hours whose samples are gone, the sums are all that is left.
        if deleted.is_none_or(|d| d <= hour) {
            let samples = read::samples_of(&tx, point, span).await?;
            tx.execute(
                "DELETE FROM plenum.bucket WHERE point = $1 AND start >= $2 AND start < $3",
                &[&point, &span.from.0, &span.to.0],
            )
            .await?;
            for level in Level::ALL {
                for bucket in cut(&samples, level.length_ms()) {
                    put_bucket(&tx, point, level, &bucket).await?;
                }
            }
        }
        tx.execute("DELETE FROM plenum.changed WHERE point = $1 AND hour = $2", &[&point, &hour]).await?;
    }
    let left: i64 = tx.query_one(&format!("SELECT count(*) {over}"), &[]).await?.get(0);
    tx.commit().await?;
    Ok(usize::try_from(left).unwrap_or_default())
}

async fn put_bucket(tx: &Transaction<'_>, point: i32, level: Level, b: &Bucket) -> Result<(), Error> {
    let insert = tx.prepare_typed("INSERT INTO plenum.bucket VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", &[]).await?;
    let (n, bad) = (b.n as i64, b.bad as i64);
    tx.execute(&insert, &[&point, &(level as i16), &b.start.0, &n, &bad, &b.min, &b.max, &b.sum, &b.last])
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::month;
    use crate::time::Time;

    #[test]
    fn months_begin_on_the_first_in_utc() {
        for (inside, from, to) in [
            ("2024-02-29T23:59:59.999Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-02-01T00:00:00Z"),
            ("2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let at = |text| Time::parse(text).unwrap().0;
            assert_eq!(month(at(inside)), (at(from), at(to)), "{inside}");
        }
    }
}
