//! A client from its settings, in one line.

use std::sync::Arc;

use chatcore::{Config, Error, LlmClient, LlmClientBuilder, Transport};

/// A client on [smol](crate::executor::SmolExecutor) and [HTTP/1.1](crate::transport::http1) with
/// the settings of the process's environment: [`smol_client`] of [`Config::from_env`]. The table
/// of all variables is [`SETTINGS`](chatcore::SETTINGS).
///
/// ```
/// # fn example() -> Result<(), chatcore::Error> {
/// let client = chatcore_adapters::from_env()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Config`](chatcore::ErrorKind::Config) for a variable that does not parse, which it names,
/// and with the code `missing_api_key` where no key is set and `USE_MOCK_LLM` is not either.
#[cfg(all(feature = "smol", feature = "http1"))]
pub fn from_env() -> Result<LlmClient, Error> {
    smol_client(Config::from_env()?)
}

/// A client on [smol](crate::executor::SmolExecutor) and [HTTP/1.1](crate::transport::http1).
///
/// Where [`config.mock`](Config::mock) is set, the demo model (feature `demo`) answers instead of
/// HTTP. Where async is not [enabled](chatcore::AsyncConfig::is_async_enabled) one call runs at a
/// time, and no task runs in the background; smol's reactor thread, which waits for all sockets of
/// the process, is there all the same, and a host name is looked up on a thread for such work.
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

/// Begins a client as [`smol_client`] makes it, for settings that the environment does not have:
/// rate limits, retries, hedging, an observer.
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

/// A client on a [thread pool](crate::executor::ThreadPool) and [ureq](crate::transport::ureq):
/// blocking calls on `LLM_ASYNC_WORKERS` threads.
///
/// The pool is the client's own: it is closed, and its threads are joined, when the last clone of
/// the client and the last of its calls are dropped. Every thread starts when it is first needed,
/// so the demo model, which answers where [`config.mock`](Config::mock) is set,
/// starts none. Where async is not [enabled](chatcore::AsyncConfig::is_async_enabled) the pool
/// has one worker, beside the timer's thread: nothing could end a blocking read in the caller's own
/// thread when its time is over.
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

/// Begins a client as [`threads_client`] makes it, for settings that the environment does not have.
/// The pool has as many threads as `config` has workers, so set these there and not on the builder.
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
        // The client's own queue has the limit. A worker may still end a call whose place is free
        // already, so a limit here as well would turn the next one away.
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
