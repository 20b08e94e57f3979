//! What a path asks the server to do, as a value.

use std::time::Duration;

use super::provider::Provider;

/// What is answered, and how. The default is a correct answer, at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) endpoint: Endpoint,

    /// Before the status line.
    pub(super) delay: Option<Duration>,
    /// Between the head and the body.
    pub(super) pause: Option<Duration>,
    /// Between the pieces of the body.
    pub(super) every: Option<Duration>,
    /// Each piece of the body waits until this gate is released, and so does a break after the head.
    pub(super) gate: Option<String>,
    /// The body is cut at these offsets into pieces of its own, in place of events.
    pub(super) split: Vec<usize>,
    /// All of the response in writes of so many bytes, with a gap between them (zero: as fast as
    /// it goes).
    pub(super) dribble: Option<(usize, Duration)>,
    /// After so many pieces nothing more comes.
    pub(super) stall: Option<usize>,

    pub(super) framing: Option<Framing>,
    /// This status, so many times, before the real one; with a header or without.
    pub(super) interim: Option<(u16, usize, bool)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: Option<String>,

    /// Answers only what this provider would.
    pub(super) provider: Option<Provider>,
    /// A status of 400 and more has the provider's error body.
    pub(super) status: Option<u16>,
    pub(super) error_code: Option<String>,
    /// A status, and the key under which whoever follows it is counted.
    pub(super) redirect: Option<(u16, String)>,
    pub(super) body: Option<Body>,
    /// An answer of so many words in place of the echo.
    pub(super) words: Option<usize>,
    /// So many bytes more in the first piece of text.
    pub(super) pad: usize,
    pub(super) finish: Option<String>,
    pub(super) no_usage: bool,
    pub(super) no_terminal: bool,
    /// After so many pieces of text: an event that is no JSON.
    pub(super) garbage_event: Option<usize>,
    /// After so many pieces of text: an error event, and the end.
    pub(super) error_event: Option<usize>,
    /// What is sent before the answer to keep the connection alive.
    pub(super) beats: Option<Beats>,

    pub(super) fault: Option<(Fault, At)>,
    /// The first chunk's size is not a number.
    pub(super) garbage_chunk: bool,
    pub(super) instead: Instead,
    /// After the answer come the bytes of another, for which nobody asked.
    pub(super) extra: bool,
    pub(super) after: After,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Endpoint {
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
    /// This text.
    Text(String),
    /// So many bytes, counting up from 0 to 250.
    Bytes(usize),
    /// The request's body.
    Echo,
    #[default]
    Unknown,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    #[default]
    Length,
    Chunked,
    Close,
}

/// How a connection is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A reset (RST).
    Reset,
    /// An orderly end (FIN) in the wrong place.
    Fin,
}

/// Where a connection is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Before the first byte of the answer.
    Start,
    /// Within the status line.
    MidHead,
    /// Between head and body.
    Head,
    /// After so many bytes of the body, framing not counted.
    Body(usize),
    /// After the whole body: its last chunk is missing, or its length says that ten bytes more
    /// were to come.
    End,
}

/// A body that has nothing to do with the request.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// An HTML page.
    Page,
    Empty,
    Text(String),
}

/// Bytes that mean nothing, sent in front of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beats {
    pub(super) beat: &'static [u8],
    /// `None`: forever, and the answer never comes.
    pub(super) count: Option<usize>,
    pub(super) every: Duration,
}

impl Beats {
    pub(super) const COMMENT: &'static [u8] = b": keep-alive\n\n";
    pub(super) const PING: &'static [u8] = b"event: ping\ndata: {\"type\": \"ping\"}\n\n";
    pub(super) const BLANK: &'static [u8] = b"\n";
}

/// What stands in for a whole response.
#[derive(Clone, Debug, Default)]
pub(super) enum Instead {
    /// The response is a response.
    #[default]
    Nothing,
    /// Nothing is ever sent.
    Silent,
    /// These bytes, and the end.
    Raw(Vec<u8>),
    /// A status line, then headers without an end, one for each duration.
    EndlessHeaders(Duration),
}

/// What becomes of the connection once the answer is out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum After {
    #[default]
    Keep,
    /// The body is not ended, and nothing more comes.
    Hold,
    /// `connection: close`, then closed.
    CloseSaid,
    /// Closed without having said so.
    CloseSilently,
    /// Reset without having said so.
    ResetSilently,
    /// Kept, but the next request on it meets this.
    Poison(Poison),
}

/// How a kept connection receives its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Poison {
    /// Closed, without a byte of an answer.
    Close,
    /// Part of a status line, then an orderly end.
    Partial,
}
