//! Creates clients from their settings.

use std::sync::Arc;

use chatcore::{Config, Error, LlmClient, LlmClientBuilder, Transport};

/// Creates a client on [smol](crate::executor::SmolExecutor) and
/// [HTTP/1.1](crate::transport::http1) from the environment variables: [`smol_client`] with
/// [`Config::from_env`]. The table of all variables is [`SETTINGS`](chatcore::SETTINGS).
///
/// ```
/// # fn example() -> Result<(), chatcore::Error> {
/// let client = chatcore_adapters::from_env()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Config`](chatcore::ErrorKind::Config) if a variable does not parse; the message names it. Also
/// with the code `missing_api_key` if neither a key nor `USE_MOCK_LLM` is set.
#[cfg(all(feature = "smol", feature = "http1"))]
pub fn from_env() -> Result<LlmClient, Error> {
    smol_client(Config::from_env()?)
}

/// Creates a client on [smol](crate::executor::SmolExecutor) and
/// [HTTP/1.1](crate::transport::http1).
///
/// If [`config.mock`](Config::mock) is set, the demo model (feature `demo`) answers and nothing is
/// sent over HTTP. If async is not [enabled](chatcore::AsyncConfig::is_async_enabled), one call
/// runs at a time, and no task runs in the background. smol's reactor thread, which waits for all
/// sockets of the process, still runs, and host names are still resolved on a blocking thread.
///
/// ```
/// # fn example() -> Result<(), chatcore::Error> {
/// use chatcore::{Config, Provider};
///
/// let config = Config::new(Provider::deepseek().with_api_key("sk-…"));
/// let client = chatcore_adapters::smol_client(config)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Config`](chatcore::ErrorKind::Config): see
/// [`build`](chatcore::LlmClientBuilder::build); or `config.mock` without the feature `demo`.
#[cfg(all(feature = "smol", feature = "http1"))]
pub fn smol_client(config: Config) -> Result<LlmClient, Error> {
    smol_builder(config)?.build()
}

/// Starts building a client like that of [`smol_client`], for settings that have no environment
/// variable: rate limits, retries, hedging, an observer.
///
/// ```
/// # fn example() -> Result<(), chatcore::Error> {
/// use chatcore::{Config, RateLimits};
///
/// let client = chatcore_adapters::smol_builder(Config::from_env()?)?
///     .workers(20)
///     .rate_limits(RateLimits::default().requests_per_minute(500))
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Config`](chatcore::ErrorKind::Config) where `config.mock` is set and the feature `demo` is
/// not.
#[cfg(all(feature = "smol", feature = "http1"))]
pub fn smol_builder(config: Config) -> Result<LlmClientBuilder, Error> {
    use crate::{executor::SmolExecutor, transport::Http1Transport};

    let executor: Arc<dyn chatcore::Executor> = Arc::new(SmolExecutor::new());
    let transport = match config.mock {
        true => demo()?,
        false => {
            let builder = Http1Transport::builder(Arc::clone(&executor));
            let builder = match config.scheduling.is_async_enabled() {
                true => builder,
                false => builder.without_reaper(),
            };
            Arc::new(builder.build())
        }
    };
    Ok(LlmClient::builder(executor, transport).config(config))
}

/// Creates a client on a [thread pool](crate::executor::ThreadPool) and
/// [ureq](crate::transport::ureq): blocking calls on `LLM_ASYNC_WORKERS` threads.
///
/// The client owns the pool: when the last clone of the client and the last of its calls are
/// dropped, the pool is closed and its threads are joined. Threads start when they are first
/// needed, so the demo model, which answers if [`config.mock`](Config::mock) is set, starts none.
/// If async is not [enabled](chatcore::AsyncConfig::is_async_enabled), the pool has one worker and
/// the timer's thread, because a blocking read in the caller's own thread could not be ended by a
/// timeout.
///
/// ```
/// # fn example() -> Result<(), chatcore::Error> {
/// use chatcore::Config;
///
/// let client = chatcore_adapters::threads_client(Config::from_env()?)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Config`](chatcore::ErrorKind::Config): see
/// [`build`](chatcore::LlmClientBuilder::build); or `config.mock` without the feature `demo`.
#[cfg(all(feature = "threads", feature = "ureq"))]
pub fn threads_client(config: Config) -> Result<LlmClient, Error> {
    threads_builder(config)?.build()
}

/// Starts building a client like that of [`threads_client`], for settings that have no environment
/// variable. The pool has as many threads as `config` has workers, so set the number of workers in
/// `config`, not on the builder.
///
/// ```
/// # fn example() -> Result<(), chatcore::Error> {
/// use chatcore::{Config, RateLimits};
///
/// let client = chatcore_adapters::threads_builder(Config::from_env()?)?
///     .rate_limits(RateLimits::default().requests_per_minute(500))
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Config`](chatcore::ErrorKind::Config) where `config.mock` is set and the feature `demo` is
/// not.
#[cfg(all(feature = "threads", feature = "ureq"))]
pub fn threads_builder(config: Config) -> Result<LlmClientBuilder, Error> {
    use chatcore::ErrorKind;

    use crate::{executor::ThreadPool, transport::UreqTransport};

    let workers = match config.scheduling.is_async_enabled() {
        true => config.scheduling.worker_count(),
        false => 1,
    };
    let pool = ThreadPool::builder()
        .workers(workers)
        // The client's own queue has the limit. A worker may still be finishing a call whose permit
        // is already free, so a limit here would refuse the next call.
        .queue_size(usize::MAX)
        .build()
        .map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?;
    let transport = match config.mock {
        true => demo()?,
        false => Arc::new(UreqTransport::new(pool.clone())),
    };
    Ok(LlmClient::builder(Arc::new(pool), transport).config(config))
}

#[cfg(feature = "demo")]
fn demo() -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(crate::demo::DemoTransport::new()))
}

#[cfg(not(feature = "demo"))]
fn demo() -> Result<Arc<dyn Transport>, Error> {
    Err(Error::new(
        chatcore::ErrorKind::Config,
        "USE_MOCK_LLM is true, but this program was built without the demo model: \
         add the feature `demo` of chatcore-adapters",
    ))
}

#[cfg(test)]
mod tests;
