//! What the tests share: a watchdog, bounded waits, and the program as people run it.
#![allow(dead_code)]

use serde_json::Value;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// The watchdog: what takes longer hangs. Nothing here is meant to take it, on a loaded machine neither.
pub const LONG: Duration = Duration::from_secs(120);

/// What `work` gives; a panic when it hangs.
pub fn watched<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = std::sync::mpsc::channel();
    let worker = std::thread::spawn(move || {
        let done = work();
        let _ = tell.send(());
        done
    });
    if told.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
        panic!("{what} hung for {LONG:?}");
    }
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Waits until `done` gives something.
pub fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {LONG:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts the program in the checkout.
pub fn start(arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Child {
    Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PLENUM_CACHE", "off")
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .unwrap()
}

/// Waits for the end, and says so when there is none.
pub fn finish(mut child: Child) -> Output {
    fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
        std::thread::spawn(move || {
            let mut all = Vec::new();
            if let Some(mut pipe) = pipe {
                pipe.read_to_end(&mut all).unwrap();
            }
            all
        })
    }
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let deadline = Instant::now() + LONG;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let said = String::from_utf8_lossy(&stderr);
    let status = status.unwrap_or_else(|| panic!("it hung for {LONG:?}, saying: {said}"));
    assert!(!said.contains("panicked"), "{said}");
    Output { status, stdout, stderr }
}

/// Runs the program to its end.
pub fn plenum(arguments: &[&str]) -> Output {
    finish(start(arguments, Stdio::piped(), Stdio::piped()))
}

/// The one document on stdout.
pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// What was said on stderr by a program that ended with a status.
pub fn said(output: &Output, status: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Ctrl-C, as a terminal sends it; nothing where there are no signals.
pub fn interrupt(child: &Child) {
    if cfg!(unix) {
        // The shell's own `kill`: the program of that name is not on every machine.
        let sent = Command::new("sh").args(["-c", "kill -INT $0", &child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "it had ended before");
    }
}
