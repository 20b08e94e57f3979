//! Counting work, the same on each machine.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Basic blocks that were run, and what was allocated.
static WORK: AtomicU64 = AtomicU64::new(0);

/// What an allocation counts, beside a block for each 16 bytes of it.
const ALLOCATION: u64 = 30;

/// The work so far.
pub fn now() -> u64 {
    WORK.load(Relaxed)
}

/// Called by each basic block that was compiled for it.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_trace_pc_guard(_: *mut u32) {
    // One thread: a plain addition is enough, and quick.
    WORK.store(WORK.load(Relaxed) + 1, Relaxed);
}

#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_trace_pc_guard_init(_: *mut u32, _: *mut u32) {}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocated(size: usize) {
    WORK.store(WORK.load(Relaxed) + ALLOCATION + size as u64 / 16, Relaxed);
}

// SAFETY: all is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        allocated(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
