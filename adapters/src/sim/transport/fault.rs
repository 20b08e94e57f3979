//! What goes wrong, and with which request.

use std::collections::BTreeMap;
use std::time::Duration;

/// One thing that goes wrong with one request.
///
/// Where a fault comes after a number of tokens, that many tokens of the answer were sent before
/// it, as many as the answer has at most; of a whole answer, as large a part of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Nobody listens: [`Connect`](chatcore::TransportErrorKind::Connect) after the connect
    /// latency.
    ConnectRefused,
    /// Nobody answers: [`ConnectTimeout`](chatcore::TransportErrorKind::ConnectTimeout) once the
    /// request's own connect limit has passed.
    ConnectHangs,
    /// The connection is reset when the headers were due. The request counts against no limit.
    ResetBeforeHeaders,
    /// The headers never come. The request counts against no limit.
    HeadersHang,
    /// The connection is reset within the body:
    /// [`Truncated`](chatcore::TransportErrorKind::Truncated) from the transport.
    Reset {
        /// Tokens sent before it.
        after_tokens: usize,
    },
    /// The body is shorter than HTTP promised:
    /// [`Truncated`](chatcore::TransportErrorKind::Truncated) from the transport.
    Truncated {
        /// Tokens sent before it.
        after_tokens: usize,
    },
    /// The body ends cleanly as HTTP sees it, without the dialect's terminal event.
    EndsEarly {
        /// Tokens sent before it.
        after_tokens: usize,
    },
    /// Nothing comes any more, and the connection stays open.
    Stalls {
        /// Tokens sent before it.
        after_tokens: usize,
    },
    /// Nothing but keep-alives comes any more, without end: comments in a stream, blank lines in
    /// a whole answer.
    KeepAlives {
        /// Tokens sent before it.
        after_tokens: usize,
        /// The time between two; zero counts as a millisecond.
        every: Duration,
    },
    /// An error under status 200: an event in a stream, after which it ends; the body of a whole
    /// answer.
    ErrorEvent {
        /// Tokens sent before it.
        after_tokens: usize,
    },
    /// The answer is complete, and its body never ends.
    StaysOpen,
    /// An error status with the dialect's error body, such as 500, 503 or 529.
    Status(u16),
    /// Status 200 with a web page.
    WrongContentType,
    /// The answer is whole, and does not say what it cost.
    NoUsage,
}

/// Which fault befalls which request: by its number, or by chance from the seed.
///
/// Requests are numbered from 1 in the order in which `send` is first polled. The number rules
/// over chance, and the chances are tried in the order in which they were given.
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
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// The request with this number has this fault; the first one is 1.
    #[must_use]
    pub fn nth(mut self, number: u64, fault: Fault) -> Self {
        self.by_number.insert(number, fault);
        self
    }

    /// The first so many requests have this fault.
    #[must_use]
    pub fn first(mut self, count: u64, fault: Fault) -> Self {
        self.by_number
            .extend((1..=count).map(|number| (number, fault)));
        self
    }

    /// Any request has this fault with this probability, from 0 to 1.
    #[must_use]
    pub fn chance(mut self, probability: f64, fault: Fault) -> Self {
        self.by_chance.push((probability, fault));
        self
    }

    /// Every request has this fault.
    #[must_use]
    pub fn always(self, fault: Fault) -> Self {
        self.chance(1.0, fault)
    }
}
