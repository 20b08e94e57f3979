//! Event loops that are not chatcore's own, each with the [`Executor`](chatcore::Executor) that a
//! program that embeds the core would write for it.
//!
//! These executors pass the executor cases themselves. A transport must pass its cases on each of
//! them: see [`Host`]. chatcore's own tests add two more, on tokio and on GLib's main loop, in a
//! separate workspace (`tests/foreign`), so that neither becomes a dependency of this crate's
//! users.

mod background;
mod local;
mod pool;
mod restless;
mod rounds;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chatcore::BoxFuture;
use futures_lite::FutureExt;

pub use self::rounds::{Lateness, lateness};

use crate::Host;

/// A frame of a game or of a user interface, at about 60 a second.
pub const FRAME: Duration = Duration::from_millis(16);

/// smol's global executor, on background threads. Cases run outside it.
pub fn smol() -> Host {
    background::smol()
}

/// A game's loop: once per [`FRAME`] it polls all ready tasks, and it never waits for a socket.
pub fn frame_loop() -> Host {
    local::frame_loop()
}

/// async-executor's `LocalExecutor`, run until a future completes.
pub fn local_executor() -> Host {
    local::local_executor()
}

/// The `LocalPool` of the crate `futures`.
pub fn local_pool() -> Host {
    pool::local_pool()
}

/// An executor that also polls tasks that were not woken, wakes late, and uses a new waker for each
/// poll.
pub fn restless(seed: u64) -> Host {
    restless::restless(seed)
}

/// Catches a panic of `task`, which the panic hook has already reported.
async fn contained(task: BoxFuture<'static, ()>) {
    AssertUnwindSafe(task).catch_unwind().await.ok();
}
