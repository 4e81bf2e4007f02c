//! Long work on a thread of its own, while a bar on the terminal, and Ctrl-C, are served here.

use super::interrupt;
use crate::import::Progress;
use crate::problem::Problem;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Does `work`, which counts in `progress`; `place` is the file or folder that it is about. Ctrl-C asks it to end.
///
/// # Errors
/// What `work` says; and when it broke off.
pub fn with_bar<T: Send>(
    place: &Path,
    progress: &Progress,
    work: impl FnOnce() -> Result<T, Problem> + Send,
) -> Result<T, Problem> {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} elements") {
        bar.set_style(style);
    }
    bar.set_message(place.file_name().unwrap_or(place.as_os_str()).to_string_lossy().into_owned());
    let done = std::thread::scope(|scope| {
        let (end, ended) = mpsc::sync_channel(1);
        let worker = scope.spawn(|| {
            // However it ends, the channel closes.
            let _end = end;
            work()
        });
        while ended.recv_timeout(Duration::from_millis(10)) == Err::<(), _>(RecvTimeoutError::Timeout) {
            if interrupt::interrupted() {
                progress.cancel();
            }
            let (done, total) = progress.get();
            if total > 0 {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
        }
        worker.join()
    });
    bar.finish_and_clear();
    done.unwrap_or_else(|_| {
        Err(Problem::error(
            place.display().to_string(),
            "the reader broke off",
            "report this file to those who make Plenum",
        ))
    })
}
