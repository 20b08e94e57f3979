//! Runs one scenario with many seeds.

use std::future::Future;
use std::sync::Arc;

use super::handle::SimExecutor;
use super::run::Sim;

/// The variable that selects a single seed.
const SEED_VARIABLE: &str = "CHATCORE_SIM_SEED";

impl Sim {
    /// Runs `scenario` once for each seed, each time in a new simulation. Returns the trace hashes
    /// in the order of the seeds.
    ///
    /// If the variable `CHATCORE_SIM_SEED` is set, only that seed is run, to examine a single
    /// failure.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chatcore_adapters::sim::Sim;
    ///
    /// let once = Sim::run_seeds(0..100, |sim| async move {
    ///     for _ in 0..3 {
    ///         let waits = sim.sleep(Duration::from_millis(sim.random_below(10)));
    ///         sim.spawn(waits);
    ///     }
    ///     sim.sleep(Duration::from_secs(1)).await;
    ///     assert!(sim.pending_tasks().is_empty());
    /// });
    /// assert_eq!(once.len(), 100);
    /// ```
    ///
    /// # Panics
    /// If the scenario or [`run`](Self::run) panics, after printing the seed; and if the variable
    /// is not a number.
    #[track_caller]
    pub fn run_seeds<F, Fut>(seeds: impl IntoIterator<Item = u64>, scenario: F) -> Vec<u64>
    where
        F: Fn(Arc<SimExecutor>) -> Fut,
        Fut: Future<Output = ()>,
    {
        let one = |seed| {
            let sim = Self::new(seed);
            // Within the run, so that a panic before the future exists prints the seed too.
            sim.run(async { scenario(sim.executor()).await });
            sim.trace_hash()
        };
        match Self::seed_from_env() {
            Some(seed) => vec![one(seed)],
            None => seeds.into_iter().map(one).collect(),
        }
    }

    /// The seed in the variable `CHATCORE_SIM_SEED`, if it is set.
    ///
    /// # Panics
    /// If the variable is not a number.
    pub fn seed_from_env() -> Option<u64> {
        let value = std::env::var_os(SEED_VARIABLE)?;
        let seed = value.to_str().and_then(|text| text.parse().ok());
        #[expect(
            clippy::panic,
            reason = "a test helper: running other seeds would mislead"
        )]
        seed.or_else(|| panic!("{SEED_VARIABLE} is {value:?}; it must be a number below 2⁶⁴"))
    }
}
