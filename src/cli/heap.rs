//! How much memory is in use, counted by the allocator itself.

use cap::Cap;
use std::alloc::System;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes allocated and not given back.
pub fn in_use() -> usize {
    HEAP.allocated()
}
