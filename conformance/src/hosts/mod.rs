//! Event loops that are not chatcore's own, each with the [`Executor`](chatcore::Executor) that a
//! program which embeds the core would write for it.
//!
//! They pass the executor cases themselves. A transport has to pass its cases on each of them: see
//! [`Host`]. chatcore's own tests have two more, on tokio and on GLib's main loop, in a workspace of
//! their own (`tests/foreign`), so that neither is in anyone else's tree.

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

/// smol's global executor, in background threads. Cases are driven outside of it.
pub fn smol() -> Host {
    background::smol()
}

/// A game's loop: once per [`FRAME`] it polls what can go on, and it never waits for a socket.
pub fn frame_loop() -> Host {
    local::frame_loop()
}

/// async-executor's `LocalExecutor`, run to the end of a future.
pub fn local_executor() -> Host {
    local::local_executor()
}

/// The `LocalPool` of the crate `futures`.
pub fn local_pool() -> Host {
    pool::local_pool()
}

/// An executor that polls tasks that nobody woke, wakes late, and gives each poll another waker.
pub fn restless(seed: u64) -> Host {
    restless::restless(seed)
}

/// `task`, with a panic kept inside of it. The panic hook has reported it.
async fn contained(task: BoxFuture<'static, ()>) {
    AssertUnwindSafe(task).catch_unwind().await.ok();
}
