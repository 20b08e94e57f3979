//! The lock around a policy that several calls share. Policies hold no lock themselves.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A policy behind a mutex. A panic in one call does not poison it for the others, because every
/// change to a policy is complete before anything can panic.
#[derive(Debug)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    pub(crate) fn new(policy: T) -> Self {
        Self(Mutex::new(policy))
    }

    /// Locks the policy. The guard must not be held across an `.await` or a wake-up.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
