//! Faults, and the requests that have them.

use std::collections::BTreeMap;
use std::time::Duration;

/// One fault of one request.
///
/// A fault `after_tokens` comes after that many tokens of the answer were sent, or after all tokens
/// if the answer has fewer. For a whole answer, it comes after the corresponding part of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is refused: [`Connect`](chatcore::TransportErrorKind::Connect) after the
    /// connect latency.
    ConnectRefused,
    /// The connection hangs: [`ConnectTimeout`](chatcore::TransportErrorKind::ConnectTimeout) once
    /// the request's own connect timeout has passed.
    ConnectHangs,
    /// The connection is reset when the headers are due. The request counts against no limit.
    ResetBeforeHeaders,
    /// The headers never arrive. The request counts against no limit.
    HeadersHang,
    /// The connection is reset within the body:
    /// [`Truncated`](chatcore::TransportErrorKind::Truncated) from the transport.
    Reset {
        /// How many tokens are sent before the fault.
        after_tokens: usize,
    },
    /// The body is shorter than HTTP promised:
    /// [`Truncated`](chatcore::TransportErrorKind::Truncated) from the transport.
    Truncated {
        /// How many tokens are sent before the fault.
        after_tokens: usize,
    },
    /// The body ends cleanly for HTTP, but without the dialect's terminal event.
    EndsEarly {
        /// How many tokens are sent before the fault.
        after_tokens: usize,
    },
    /// Nothing more arrives, and the connection stays open.
    Stalls {
        /// How many tokens are sent before the fault.
        after_tokens: usize,
    },
    /// Only keep-alives arrive from then on, endlessly: comments in a stream, blank lines in a
    /// whole answer.
    KeepAlives {
        /// How many tokens are sent before the fault.
        after_tokens: usize,
        /// The time between two keep-alives; zero counts as a millisecond.
        every: Duration,
    },
    /// An error with status 200: in a stream, an event after which the stream ends; otherwise the
    /// body of the answer.
    ErrorEvent {
        /// How many tokens are sent before the fault.
        after_tokens: usize,
    },
    /// The answer is complete, but its body never ends.
    StaysOpen,
    /// An error status with the dialect's error body, such as 500, 503 or 529.
    Status(u16),
    /// Status 200 with a web page as the body.
    WrongContentType,
    /// The answer is complete, but has no usage.
    NoUsage,
}

/// Which request has which fault: by its number, or by chance from the seed.
///
/// Requests are numbered from 1 in the order in which `send` is first polled. A fault by number
/// takes precedence over faults by chance, which are tried in the order in which they were added.
///
/// ```
/// use chatcore_adapters::sim::{Fault, Script};
///
/// let script = Script::new()
///     .nth(1, Fault::Status(503))
///     .nth(3, Fault::ConnectRefused)
///     .chance(0.01, Fault::Stalls { after_tokens: 2 });
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    pub(super) by_number: BTreeMap<u64, Fault>,
    pub(super) by_chance: Vec<(f64, Fault)>,
}

impl Script {
    /// A script without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the request with this number a fault; the first request is 1.
    #[must_use]
    pub fn nth(mut self, number: u64, fault: Fault) -> Self {
        self.by_number.insert(number, fault);
        self
    }

    /// Gives the first `count` requests a fault.
    #[must_use]
    pub fn first(mut self, count: u64, fault: Fault) -> Self {
        self.by_number
            .extend((1..=count).map(|number| (number, fault)));
        self
    }

    /// Gives every request a fault with this probability, from 0 to 1.
    #[must_use]
    pub fn chance(mut self, probability: f64, fault: Fault) -> Self {
        self.by_chance.push((probability, fault));
        self
    }

    /// Gives every request a fault.
    #[must_use]
    pub fn always(self, fault: Fault) -> Self {
        self.chance(1.0, fault)
    }
}
