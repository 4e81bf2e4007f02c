//! What another history knows of a point beyond its samples.

use super::Shared;
use crate::history::{Bucket, HistoryError, Level, Past, PointKey};
use tokio_postgres::{Client, Error};

impl Shared {
    pub(super) fn take_over(
        &mut self,
        point: PointKey,
        past: &Past,
        sums: &[(Level, Vec<Bucket>)],
    ) -> Result<(), HistoryError> {
        self.link.run(|mut client| async move {
            let done = take_over(&mut client, point.0 as i32, past, sums).await;
            (client, done)
        })
    }
}

async fn take_over(client: &mut Client, key: i32, past: &Past, sums: &[(Level, Vec<Bucket>)]) -> Result<(), Error> {
    let tx = client.transaction().await?;
    // Of two sums of one time, the one of more samples.
    let put = "INSERT INTO plenum.bucket AS b SELECT $1::integer, $2::smallint, * FROM unnest($3::bigint[], $4::bigint[],
        $5::bigint[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])
        ON CONFLICT (point, level, start) DO UPDATE SET n = excluded.n, bad = excluded.bad, least = excluded.least,
        most = excluded.most, total = excluded.total, last = excluded.last WHERE excluded.n + excluded.bad > b.n + b.bad";
    for (level, buckets) in sums {
        for part in buckets.chunks(10_000) {
            let whole = |of: fn(&Bucket) -> i64| part.iter().map(of).collect::<Vec<i64>>();
            let number = |of: fn(&Bucket) -> f64| part.iter().map(of).collect::<Vec<f64>>();
            let (start, n, bad) = (whole(|b| b.start.0), whole(|b| b.n as i64), whole(|b| b.bad as i64));
            let (min, max) = (number(|b| b.min), number(|b| b.max));
            let (sum, last) = (number(|b| b.sum), number(|b| b.last));
            tx.execute(put, &[&key, &(*level as i16), &start, &n, &bad, &min, &max, &sum, &last]).await?;
        }
    }
    // The greatest of both, where there is one.
    let mark = "UPDATE plenum.point SET held = coalesce(held, $2), deleted_before = greatest(deleted_before, $3)
        WHERE key = $1";
    tx.execute(mark, &[&key, &past.held, &past.gone_before.map(|t| t.0)]).await?;
    tx.commit().await
}
