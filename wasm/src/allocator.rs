//! The allocator of the module: TLSF, in constant time and a quarter of the code of the standard
//! library's own.

use rlsf::{GlobalTlsf, GlobalTlsfOptions};

struct Options;

impl GlobalTlsfOptions for Options {
    /// Growing copies; in place it would be more code than all the rest.
    const ENABLE_REALLOCATION: bool = false;
    /// The memory stays one piece as it grows, so that bodies larger than a page find a place.
    const COALESCE_POOLS: bool = true;
}

#[global_allocator]
static ALLOCATOR: GlobalTlsf<Options> = GlobalTlsf::new();
