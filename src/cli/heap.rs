//! How much memory is in use, counted by the allocator itself.

use cap::Cap;
use std::alloc::System;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes allocated and not given back.
pub fn in_use() -> usize {
    HEAP.allocated()
}

/// Bytes ever allocated, given back or not.
pub fn total() -> usize {
    HEAP.total_allocated()
}

/// As [`in_use`], once threads that have ended have given back what was theirs: waits until no more comes back.
pub fn settled() -> usize {
    let mut before = in_use();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(50));
        match in_use() {
            now if now < before => before = now,
            now => return now,
        }
    }
}
