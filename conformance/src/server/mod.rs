//! A loopback HTTP/1.1 server that can misbehave.
//!
//! It speaks OpenAI's chat completions and Responses and Anthropic's messages, whole and streamed.
//! It answers with `echo: ` and the prompt, so that a test can prove which answer belongs to which
//! request. **The path sets its behaviour**, so that any HTTP client in any language can use it:
//!
//! ```text
//! {base}/key/k1/delay/50ms/chunked/cut/12/v1/chat/completions
//!        counted  behaviours, in any       endpoint
//!        as `k1`  order and number
//! ```
//!
//! The base URL of a client is therefore `{base}/…/v1` (or `{base}/…`, as for DeepSeek) for
//! OpenAI's dialect, and `{base}/…` or `{base}/…/v1` for Anthropic's. A misspelt path is answered
//! with 404 and a reason. Words may be percent-encoded. Durations are `50ms` or `2s`; sizes are
//! `7`, `64k` or `8m`.
//!
//! | endpoint | answer |
//! |---|---|
//! | `v1/chat/completions`, `chat/completions` | OpenAI, whole, or SSE with `"stream":true`; usage (in streams only if `stream_options` asks for it); header `x-request-id` |
//! | `v1/responses` | OpenAI's Responses, whole or SSE; usage; header `x-request-id` |
//! | `v1/messages` | Anthropic, whole or SSE; usage; header `request-id` |
//! | `text/WORDS` | these words, `text/plain` |
//! | `bytes/SIZE` | this many bytes, counting from 0 to 250 repeatedly |
//! | `echo` | the request's body |
//!
//! Below, a *piece* is an event of a stream, or the whole of a whole answer. Ids are `chatcmpl-N`,
//! `msg_N` and `req-N` for the server's request number N. One word counts as one token.
//!
//! | behaviour | effect |
//! |---|---|
//! | `key/NAME` | counts and finds the request under NAME instead of its whole path |
//! | `ok` | none |
//! | `flaky/N` | the behaviours after it apply only to the first N requests of the key: `flaky/2/status/503` |
//! | **when** | |
//! | `delay/50ms` | waits before the status line |
//! | `pause/50ms` | waits between head and body |
//! | `every/50ms` | waits between pieces |
//! | `gate/NAME` | sends the head; each piece waits for a release of NAME, and so does a reset or an end that comes after the head or after the answer |
//! | `stall/N` | sends the head and N pieces, then nothing more |
//! | `split/3,17,40` | cuts the body into pieces at these offsets, 1 ms apart |
//! | `dribble/1/0ms` | each write has this many bytes, with this gap between writes, even within a character or the head |
//! | **how** | |
//! | `chunked`, `length`, `close-delimited` | how the body ends; by default streams are chunked and whole answers have a length |
//! | `interim/103/2`, `interim-bare/100/1` | this 1xx response, this many times, before the real one; with a header, or without |
//! | `header/NAME/VALUE` | one more header |
//! | `huge-header/SIZE`, `many-headers/N` | a header of this size; this many headers |
//! | `type/TYPE` | another content type (`text%2Fhtml`; `none`) |
//! | **what** | |
//! | `as/PROVIDER` | refuses what `openai`, `deepseek`, `anthropic` or `mistral` currently refuses, with its messages; reasons as its models do, and keeps the limit of tokens |
//! | `status/CODE` | this status; from 300 on with the provider's error body (502: HTML); `status/204` has no body |
//! | `error-code/CODE` | the code (OpenAI) or type (Anthropic) in an error body or event |
//! | `retry-after/VALUE`, `retry-after-ms/VALUE` | these headers |
//! | `redirect/307/NAME` | a redirect to another origin, where a client that follows it is counted under NAME |
//! | `page`, `empty`, `body/TEXT` | an HTML page, nothing, or TEXT as the body, by default with status 200 |
//! | `words/N` | an answer of N words instead of the echo |
//! | `pad/SIZE` | this many more bytes in the first piece of text: one huge line |
//! | `finish/REASON` | another finish reason |
//! | `no-usage` | no usage |
//! | `no-terminal` | a stream that ends cleanly without a finish and `[DONE]`, or `message_stop` |
//! | `garbage-event/N` | after N words, an event that is not JSON; as a whole answer, JSON cut short |
//! | `error-event/N` | after N words, an error event and the end; as a whole answer, an error body with status 200 |
//! | `keepalives/N/50ms`, `pings/…`, `blank/…` | N SSE comments, Anthropic pings or blank lines before the answer, each followed by a wait; with `forever` instead of N, the answer never comes |
//! | **faults below HTTP** | |
//! | `reset/AT`, `cut/AT` | a reset (RST), or an orderly end (FIN), at `start` (before any byte), `mid-head`, `head` (after it), N (bytes of body), or `end` (after the whole body, but without the last chunk, or with ten bytes missing from the length) |
//! | `garbage`, `garbage-chunk`, `overflow-chunk` | bytes that are not HTTP; a chunk size that is not a number; one of 17 digits |
//! | `silent` | nothing is ever sent |
//! | `endless-headers/10ms` | an endless head, 1 KiB per duration |
//! | **after the answer** | |
//! | `hold` | the body is complete but does not end: the socket stays open after `[DONE]` |
//! | `extra` | the bytes of a second, unrequested answer (`wrong`) follow |
//! | `close-said` | `connection: close`, and closed |
//! | `close-idle`, `reset-idle` | closed or reset right after the answer, without an announcement |
//! | `then-close`, `then-partial` | kept, but the next request on the connection finds it closed without a byte, or after nine bytes of an answer |
//!
//! | control (`GET`, JSON, not counted) | answer |
//! |---|---|
//! | `/_stats` | [`Stats`] |
//! | `/_requests/NAME` | the requests of this key, with headers and body |
//! | `/_wait_request/NAME/N` | waits for the N-th request (default 1) of this key |
//! | `/_wait_closed/NAME` | waits until the connection of the key's last request is closed; `"client"` or `"server"` |
//! | `/_release/NAME/N` | lets N pieces (default 1) through the gate |
//!
//! Waits end with status 504 after [`WAIT_CAP`]. Every answer has `access-control-allow-origin: *`,
//! and preflight requests are answered, for tests in browsers.

mod answer;
mod connection;
mod control;
mod dialect;
mod listener;
mod log;
mod plan;
mod process;
mod provider;
mod request;
mod route;
mod script;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

pub use self::listener::{Refusing, Unresponsive};
pub use self::log::{By, Counts, Event, Seen, Stats, WAIT_CAP, What};
pub use self::process::Process;
pub use self::tls::Secured;

use self::listener::Serving;
use self::log::{Log, within};

/// A running server; see the [module](self). Dropping it closes every connection.
///
/// The waiting methods work on any executor and are cancel-safe.
///
/// ```
/// use chatcore_conformance::server::{By, Server};
/// use std::io::Write;
/// use std::net::TcpStream;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::start()?;
/// let mut client = TcpStream::connect(server.address())?;
/// client.write_all(b"GET /key/mine/silent/text/hello HTTP/1.1\r\n\r\n")?;
/// let seen = smol::block_on(server.request("mine"))?;
/// assert_eq!(seen.method, "GET");
/// drop(client);
/// let (by, _when) = smol::block_on(server.closed("mine"))?;
/// assert_eq!(by, By::Client);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    _serving: Serving,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Self> {
        Self::start_on(0)
    }

    /// Starts a server on `port` of 127.0.0.1 (0 for any free port).
    ///
    /// Raises the process's limit of open files as far as allowed, for load tests.
    pub fn start_on(port: u16) -> io::Result<Self> {
        // If this fails, the limit stays as it is, which is enough for most tests.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let log = Arc::new(Log::default());
        let (address, serving) = listener::serve(port, log.clone())?;
        Ok(Self {
            address,
            log,
            _serving: serving,
        })
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of `path` on this server. `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The listening address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counters, for the server and for each key.
    pub fn stats(&self) -> Stats {
        self.log.stats()
    }

    /// The counters of one key; zeros if no request had this key.
    pub fn counts(&self, key: &str) -> Counts {
        self.log.stats().keys.get(key).copied().unwrap_or_default()
    }

    /// The last 65,536 events, the oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.log.events()
    }

    /// Lets `pieces` more pieces through the gate `gate`.
    pub fn release(&self, gate: &str, pieces: u64) {
        self.log.release(gate, pieces);
    }

    /// Waits for the first request of `key`.
    ///
    /// # Errors
    /// A sentence, if the request has not arrived within [`WAIT_CAP`]. The same applies to all
    /// methods that wait.
    pub async fn request(&self, key: &str) -> Result<Arc<Seen>, String> {
        self.nth_request(key, 1).await
    }

    /// Waits for the request number `count` of `key`, counted from 1.
    pub async fn nth_request(&self, key: &str, count: u64) -> Result<Arc<Seen>, String> {
        control::wait_request(&self.log, key, count).await
    }

    /// Waits until the connection of the last request of `key` is closed. Returns which side closed
    /// it, and when the server noticed.
    pub async fn closed(&self, key: &str) -> Result<(By, Instant), String> {
        control::wait_closed(&self.log, key).await
    }

    /// Waits until no connection is open.
    pub async fn all_closed(&self) -> Result<(), String> {
        self.reaches("no open connection", |stats| stats.open == 0)
            .await
    }

    /// Waits until the counters satisfy `reached`. `what` describes it in the error.
    pub async fn reaches(
        &self,
        what: &str,
        reached: impl Fn(&Stats) -> bool,
    ) -> Result<(), String> {
        let wait = self.log.until(|state| reached(state.stats()).then_some(()));
        within(WAIT_CAP, || what.to_owned(), wait).await
    }
}
