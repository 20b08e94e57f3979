//! Counts work in a way that gives the same result on every machine.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The number of basic blocks run, plus the cost of allocations.
static WORK: AtomicU64 = AtomicU64::new(0);

/// The cost of an allocation, in addition to one block per 16 bytes.
const ALLOCATION: u64 = 30;

/// The work so far.
pub fn now() -> u64 {
    WORK.load(Relaxed)
}

/// Called by each instrumented basic block.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_trace_pc_guard(_: *mut u32) {
    // There is only one thread, so a fast, non-atomic addition is enough.
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

// SAFETY: every call is passed to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        allocated(size);
        // SAFETY: guaranteed by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
