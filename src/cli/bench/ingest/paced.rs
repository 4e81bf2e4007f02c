//! A steady load: how late samples are, and what it costs.

use super::{NO_BROKER, PATIENCE, POINTS, Stage, TICK, append, join, message};
use crate::problem::Problem;
use cpu_time::{ProcessTime, ThreadTime};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How often the publisher writes.
const BURST: Duration = Duration::from_millis(2);

/// What a steady load comes to.
pub struct Paced {
    /// Of a hundred messages one takes longer from the socket into its component, seconds.
    pub p99_s: f64,
    /// Processor time over time: of all but the publisher.
    pub cores: f64,
}

/// So many messages a second for so long, through the embedded broker into components and history.
///
/// # Errors
/// Not each of them arrived.
pub fn run(per_s: u64, length: Duration) -> Result<Paced, Problem> {
    let mut stage = Stage::new(true)?;
    let at = stage.at;
    let messages = (per_s as f64 * length.as_secs_f64()) as u64;
    // When each burst was written, and the number behind its last message.
    let bursts: Mutex<Vec<(u64, Instant)>> = Mutex::new(Vec::new());
    let mut seen: Vec<(u64, Instant)> = Vec::new();
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let (sent, took) = std::thread::scope(|scope| {
        let publisher =
            scope.spawn(|| publish(at, per_s, messages, |behind| lock(&bursts).push((behind, Instant::now()))));
        let mut arrived = 0;
        while arrived < messages && wall.elapsed() < length + PATIENCE {
            let tick = Instant::now();
            let now = stage.tick();
            if now > arrived {
                seen.push((now, Instant::now()));
            }
            arrived = now;
            std::thread::sleep(TICK.saturating_sub(tick.elapsed()));
        }
        let took = (cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
        (publisher.join(), took)
    });
    stage.stop();
    let wrong = |why: String| Problem::error("bench ingest", why, NO_BROKER);
    let own_cpu = match sent {
        Ok(Ok(cpu)) => cpu,
        Ok(Err(e)) => return Err(wrong(e.to_string())),
        Err(_) => return Err(wrong("the publisher broke off".into())),
    };
    let arrived = seen.last().map_or(0, |s| s.0);
    if arrived < messages {
        return Err(wrong(format!("{arrived} of {messages} messages arrived")));
    }
    let p99_s = percentile(&lock(&bursts), &seen);
    Ok(Paced { p99_s, cores: (took.0 - own_cpu).max(0.0) / took.1 })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The 99th of a hundred: both lists say how many messages there were behind a moment.
fn percentile(bursts: &[(u64, Instant)], seen: &[(u64, Instant)]) -> f64 {
    let (mut late, mut before, mut next) = (Vec::new(), 0, 0);
    for (behind, written) in bursts {
        let of = behind - before;
        before = *behind;
        while seen.get(next).is_some_and(|(n, _)| n < behind) {
            next += 1;
        }
        if let Some((_, at)) = seen.get(next) {
            late.push((at.saturating_duration_since(*written).as_secs_f64(), of));
        }
    }
    late.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let all: u64 = late.iter().map(|(_, n)| n).sum();
    let mut above = 0;
    for (seconds, n) in late {
        above += n;
        if above * 100 >= all {
            return seconds;
        }
    }
    f64::NAN
}

/// Publishes at a steady rate; its processor time, seconds. `written` hears how many are behind each write.
///
/// # Errors
/// The broker is gone.
pub fn publish(at: SocketAddr, per_s: u64, messages: u64, written: impl Fn(u64)) -> std::io::Result<f64> {
    let cpu = ThreadTime::now();
    let mut socket = join(at)?;
    let (begun, mut sent, mut packets) = (Instant::now(), 0, Vec::new());
    while sent < messages {
        let due = ((begun.elapsed().as_secs_f64() * per_s as f64) as u64).min(messages);
        if due > sent {
            packets.clear();
            for i in sent..due {
                append(&mut packets, &format!("bench/{}", i % POINTS as u64), &message(i, 1), 0, i);
            }
            socket.write_all(&packets)?;
            sent = due;
            written(sent);
        }
        std::thread::sleep(BURST);
    }
    socket.write_all(&[0xE0, 0])?;
    Ok(cpu.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_load_arrives_and_the_late_ones_are_found() {
        let paced = run(2000, Duration::from_millis(300)).unwrap();
        assert!(paced.p99_s > 0.0 && paced.cores > 0.0, "{} {}", paced.p99_s, paced.cores);
        let begin = Instant::now();
        let at = |ms: u64| begin + Duration::from_millis(ms);
        let bursts: Vec<_> = (0..100).map(|i| ((i + 1) * 10, at(i * 2))).collect();
        // Each seen 5 ms later, but for two.
        let seen: Vec<_> = (0..100).map(|i| ((i + 1) * 10, at(i * 2 + if i < 2 { 50 } else { 5 }))).collect();
        assert!((percentile(&bursts, &seen) - 0.05).abs() < 1e-9);
        assert!((percentile(&bursts[2..], &seen[2..]) - 0.005).abs() < 1e-9);
        assert!(percentile(&[], &[]).is_nan());
    }
}
