//! Deleting what is old enough, but for what is held.

use super::Shared;
use crate::history::{Entry, HistoryError, Keep, Kept, Level, PointKey, Reason, Retention};
use crate::time::Time;
use tokio_postgres::{Client, Error, Row, Transaction};

impl Shared {
    pub(super) fn delete_old(&mut self, now: Time, retention: &Retention) -> Result<Kept, HistoryError> {
        self.learn_points()?;
        let mut all = Kept::default();
        let points: Vec<(PointKey, String, Keep)> = self
            .points
            .iter()
            .map(|(key, info)| (*key, info.id.clone(), *retention.classes.get(&info.class).unwrap_or(&retention.usual)))
            .collect();
        for (key, id, keep) in points {
            let kept = self.link.run(|mut client| async move {
                let done = retain(&mut client, key.0 as i32, &id, &keep, now).await;
                (client, done)
            })?;
            all.samples += kept.samples;
            all.rollups += kept.rollups;
            all.held += kept.held;
        }
        Ok(all)
    }

    pub(super) fn set_hold(&mut self, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError> {
        let Some(info) = self.points.get(&point) else {
            let message = format!("there is no point {} in it", point.0);
            return Err(HistoryError::new(Reason::Wrong, self.link.address().shown(), message));
        };
        let (id, why) = (info.id.clone(), why.to_string());
        self.link.run(|mut client| async move {
            let done = set_hold(&mut client, point.0 as i32, &id, hold, now, &why).await;
            (client, done)
        })
    }
}

/// The newest lines of the book.
pub(super) async fn book(client: Client, most: usize) -> (Client, Result<Vec<Entry>, Error>) {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let asked = "SELECT at, what, point, older_than, samples, why FROM plenum.book ORDER BY id DESC LIMIT $1";
    let rows = client.query(asked, &[&most]).await;
    let entry = |r: &Row| Entry {
        at: Time(r.get(0)),
        what: r.get(1),
        point: r.get(2),
        older_than: r.get::<_, Option<i64>>(3).map(Time),
        samples: r.get::<_, i64>(4).max(0) as u64,
        why: r.get(5),
    };
    (client, rows.map(|rows| rows.iter().map(entry).collect()))
}

async fn set_hold(client: &mut Client, key: i32, id: &str, hold: bool, now: Time, why: &str) -> Result<(), Error> {
    let tx = client.transaction().await?;
    let held = hold.then_some(why);
    tx.execute("UPDATE plenum.point SET held = $2 WHERE key = $1", &[&key, &held]).await?;
    note(&tx, now, if hold { "held" } else { "released" }, id, None, 0, why).await?;
    tx.commit().await
}

async fn note(
    tx: &Transaction<'_>,
    at: Time,
    what: &str,
    point: &str,
    older_than: Option<Time>,
    samples: u64,
    why: &str,
) -> Result<(), Error> {
    let put = "INSERT INTO plenum.book (at, what, point, older_than, samples, why) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(put, &[&at.0, &what, &point, &older_than.map(|t| t.0), &(samples as i64), &why]).await.map(drop)
}

async fn retain(client: &mut Client, key: i32, id: &str, keep: &Keep, now: Time) -> Result<Kept, Error> {
    let mut kept = Kept::default();
    let tx = client.transaction().await?;
    let held: bool =
        tx.query_one("SELECT held IS NOT NULL FROM plenum.point WHERE key = $1 FOR UPDATE", &[&key]).await?.get(0);
    if let Some(cut) = keep.samples_s.map(|s| now.plus_seconds(-s)) {
        // Whole hours: what is summed up together goes together.
        let cut = Level::Hour.begin(cut);
        if held {
            let old = "SELECT EXISTS (SELECT 1 FROM plenum.sample WHERE point = $1 AND time < $2)";
            kept.held = u64::from(tx.query_one(old, &[&key, &cut.0]).await?.get::<_, bool>(0));
            return tx.commit().await.map(|()| kept);
        }
        let gone = "DELETE FROM plenum.sample WHERE point = $1 AND time < $2
            AND NOT EXISTS (SELECT 1 FROM plenum.changed WHERE point = $1 AND hour < $2)";
        kept.samples = tx.execute(gone, &[&key, &cut.0]).await?;
        if kept.samples > 0 {
            let until =
                "UPDATE plenum.point SET deleted_before = greatest(coalesce(deleted_before, $2), $2) WHERE key = $1";
            tx.execute(until, &[&key, &cut.0]).await?;
            let why = "samples older than they are to be kept";
            note(&tx, now, "deleted", id, Some(cut), kept.samples, why).await?;
        }
    }
    if !held {
        for level in Level::ALL {
            let Some(cut) = keep.of(level).map(|s| now.plus_seconds(-s)) else { continue };
            let gone = "DELETE FROM plenum.bucket WHERE point = $1 AND level = $2 AND start < $3";
            let count = tx.execute(gone, &[&key, &(level as i16), &cut.0]).await?;
            if count > 0 {
                kept.rollups += count;
                note(&tx, now, "deleted", id, Some(cut), 0, "sums older than they are to be kept").await?;
            }
        }
    }
    tx.commit().await?;
    Ok(kept)
}
