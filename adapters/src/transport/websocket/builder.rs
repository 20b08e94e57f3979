//! The settings of the transport.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{Executor, Transport};

use super::WebSocketTransport;
use super::connector::WebSocketConnector;
use super::pool::{Limits, Pool};

/// Builds a [`WebSocketTransport`]; made by [`WebSocketTransport::builder`].
///
/// ```
/// use std::sync::Arc;
///
/// use chatcore_adapters::executor::SmolExecutor;
/// use chatcore_adapters::transport::{Http1Transport, WebSocketTransport, websocket::Http1Connector};
///
/// let executor = Arc::new(SmolExecutor::new());
/// let http = Http1Transport::new(executor.clone());
/// let transport = WebSocketTransport::builder(executor, Http1Connector::new(http.clone()), http)
///     .max_sockets(4)
///     .build();
/// # let _ = transport;
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct WebSocketBuilder {
    executor: Arc<dyn Executor>,
    connector: Arc<dyn WebSocketConnector>,
    http: Arc<dyn Transport>,
    limits: Limits,
    goes_on: bool,
}

impl WebSocketTransport {
    /// A transport with the defaults of [`WebSocketBuilder`]. Its sockets and all other requests go
    /// through `http`; it uses `executor` for time and background tasks.
    #[cfg(feature = "http1")]
    pub fn new(executor: Arc<dyn Executor>, http: crate::transport::Http1Transport) -> Self {
        let connector = super::Http1Connector::new(http.clone());
        Self::builder(executor, connector, http).build()
    }

    /// A builder for the limits. `connector` opens the sockets, and requests that do not go over a
    /// socket go through `http`.
    pub fn builder(
        executor: Arc<dyn Executor>,
        connector: impl WebSocketConnector,
        http: impl Transport,
    ) -> WebSocketBuilder {
        WebSocketBuilder {
            executor,
            connector: Arc::new(connector),
            http: Arc::new(http),
            limits: Limits {
                sockets: 8,
                lanes: 16,
                idle: Duration::from_secs(300),
                age: Duration::from_secs(55 * 60),
            },
            goes_on: true,
        }
    }
}

impl WebSocketBuilder {
    /// The maximum number of sockets for calls with the same URL and headers: 8 by default, and at
    /// least 1. A call that finds no free lane waits for one.
    pub fn max_sockets(mut self, sockets: usize) -> Self {
        self.limits.sockets = sockets.max(1);
        self
    }

    /// The maximum number of concurrent calls on one socket: 16 by default, which is OpenAI's
    /// limit, and at least 1. With a server that does not support lanes, each socket carries one
    /// call at a time regardless.
    pub fn max_lanes(mut self, lanes: usize) -> Self {
        self.limits.lanes = lanes.max(1);
        self
    }

    /// How long a socket may be idle before it is closed: 5 minutes by default.
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// How old a socket may be to take another call: 55 minutes by default, because OpenAI closes
    /// sockets after 60.
    pub fn age_limit(mut self, limit: Duration) -> Self {
        self.limits.age = limit;
        self
    }

    /// Sends the whole input with every turn. By default a turn that continues the last response of
    /// its lane sends only what is new, with `previous_response_id`.
    pub fn whole_input(mut self) -> Self {
        self.goes_on = false;
        self
    }

    /// Makes the transport. It opens no connection yet.
    pub fn build(self) -> WebSocketTransport {
        WebSocketTransport {
            pool: Pool::new(self.executor, self.connector, self.limits),
            http: self.http,
            goes_on: self.goes_on,
        }
    }
}
