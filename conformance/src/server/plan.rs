//! What a path asks the server to do.

use std::time::Duration;

use super::provider::Provider;

/// What the response is, and how it is sent. The default is a correct answer without delay.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) endpoint: Endpoint,

    /// The wait before the status line.
    pub(super) delay: Option<Duration>,
    /// The wait between head and body.
    pub(super) pause: Option<Duration>,
    /// The wait between the pieces of the body.
    pub(super) every: Option<Duration>,
    /// Each piece of the body waits for this gate, and so does a break after the head.
    pub(super) gate: Option<String>,
    /// The body is split into pieces at these offsets, instead of by events.
    pub(super) split: Vec<usize>,
    /// Each write has this many bytes, with this gap between writes (zero for none).
    pub(super) dribble: Option<(usize, Duration)>,
    /// Nothing more is sent after this many pieces.
    pub(super) stall: Option<usize>,

    pub(super) framing: Option<Framing>,
    /// This status, this many times, before the real one; the flag adds a header.
    pub(super) interim: Option<(u16, usize, bool)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: Option<String>,

    /// Applies the rules of this provider.
    pub(super) provider: Option<Provider>,
    /// The status. From 400 on, the body is the provider's error.
    pub(super) status: Option<u16>,
    pub(super) error_code: Option<String>,
    /// A status, and the key under which a client that follows the redirect is counted.
    pub(super) redirect: Option<(u16, String)>,
    pub(super) body: Option<Body>,
    /// An answer of this many words instead of the echo.
    pub(super) words: Option<usize>,
    /// This many more bytes in the first piece of text.
    pub(super) pad: usize,
    pub(super) finish: Option<String>,
    pub(super) no_usage: bool,
    pub(super) no_terminal: bool,
    /// An event that is not JSON, after this many pieces of text.
    pub(super) garbage_event: Option<usize>,
    /// An error event and the end, after this many pieces of text.
    pub(super) error_event: Option<usize>,
    /// Keep-alive bytes before the answer.
    pub(super) beats: Option<Beats>,

    pub(super) fault: Option<(Fault, At)>,
    /// The bytes of a body whose first chunk's size is no number or no number of 64 bits.
    pub(super) bad_chunk: Option<&'static [u8]>,
    pub(super) instead: Instead,
    /// Whether the bytes of a second, unrequested answer follow.
    pub(super) extra: bool,
    pub(super) after: After,
}

/// The requested endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Endpoint {
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
    /// This text.
    Text(String),
    /// This many bytes, counting from 0 to 250 repeatedly.
    Bytes(usize),
    /// The request's body.
    Echo,
    #[default]
    Unknown,
}

/// How a body ends.
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
    /// An orderly close (FIN) in the wrong place.
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
    /// After this many bytes of the body, without its framing.
    Body(usize),
    /// After the whole body. Its last chunk is missing, or its length promises ten more bytes.
    End,
}

/// A body that does not depend on the request.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// An HTML page.
    Page,
    Empty,
    Text(String),
}

/// Meaningless bytes that are sent before an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beats {
    pub(super) beat: &'static [u8],
    /// How often they are sent; `None` means forever, so the answer never comes.
    pub(super) count: Option<usize>,
    pub(super) every: Duration,
}

impl Beats {
    pub(super) const COMMENT: &'static [u8] = b": keep-alive\n\n";
    pub(super) const PING: &'static [u8] = b"event: ping\ndata: {\"type\": \"ping\"}\n\n";
    pub(super) const BLANK: &'static [u8] = b"\n";
}

/// What is sent instead of a response.
#[derive(Clone, Debug, Default)]
pub(super) enum Instead {
    /// A normal response.
    #[default]
    Nothing,
    /// Nothing is ever sent.
    Silent,
    /// These bytes, followed by the close.
    Raw(Vec<u8>),
    /// A status line and endless headers, one per duration.
    EndlessHeaders(Duration),
}

/// What happens to the connection after the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum After {
    #[default]
    Keep,
    /// The body does not end, and nothing more is sent.
    Hold,
    /// `connection: close`, then closed.
    CloseSaid,
    /// Closed without an announcement.
    CloseSilently,
    /// Reset without an announcement.
    ResetSilently,
    /// Kept, but the next request on the connection fails like this.
    Poison(Poison),
}

/// What the next request on a kept connection finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Poison {
    /// The connection is closed without a byte of an answer.
    Close,
    /// Part of a status line, then an orderly close.
    Partial,
}
