//! The allocator of the module: TLSF. It works in constant time, and its code is a quarter the size
//! of the standard library's allocator.

use rlsf::{GlobalTlsf, GlobalTlsfOptions};

struct Options;

impl GlobalTlsfOptions for Options {
    /// Growing a block copies it. Growing in place would be more code than the rest of the
    /// allocator.
    const ENABLE_REALLOCATION: bool = false;
    /// Memory that grows stays one pool, so that blocks larger than a page fit.
    const COALESCE_POOLS: bool = true;
}

#[global_allocator]
static ALLOCATOR: GlobalTlsf<Options> = GlobalTlsf::new();
