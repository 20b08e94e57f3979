//! Counts the heap memory of each thread. A simulation runs on one thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all calls go to the system's allocator, and the counters are not on the heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn count(bytes: isize) {
    // A thread that is ending no longer has counters.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + bytes);
        PEAK.try_with(|peak| peak.set(peak.get().max(live.get())))
    });
}

/// Resets the peak of this thread. Returns the bytes that the thread holds now.
pub(crate) fn reset_peak() -> usize {
    let live = LIVE.get();
    PEAK.set(live);
    live.max(0) as usize
}

/// The bytes that this thread holds now.
pub(crate) fn live() -> usize {
    LIVE.get().max(0) as usize
}

/// The peak of this thread since [`reset_peak`], in bytes.
pub(crate) fn peak() -> usize {
    PEAK.get().max(0) as usize
}
