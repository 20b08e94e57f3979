//! Wire bytes, and when they come.

use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use chatcore::{BoxFuture, ByteStream, Executor, TransportError};
use futures_core::Stream;
use serde_json::Value;

/// How long the model takes.
#[derive(Clone)]
pub(super) struct Pace {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) first: Duration,
    pub(super) per_word: Duration,
}

impl Pace {
    /// Waits as long as a model would until the response's headers are there.
    pub(super) async fn before_headers(&self, script: &Script) {
        let rest = script.words_at_once.saturating_sub(1);
        let writing = self
            .per_word
            .saturating_mul(u32::try_from(rest).unwrap_or(u32::MAX));
        let wait = self.first.saturating_add(writing);
        if wait > Duration::ZERO {
            self.executor.sleep(wait).await;
        }
    }
}

/// The body of a response, chunk by chunk.
#[derive(Debug, Default)]
pub(super) struct Script {
    bytes: Vec<u8>,
    cues: Vec<Cue>,
    /// The words of an answer in one piece.
    words_at_once: usize,
    streams: bool,
}

/// One chunk.
#[derive(Debug)]
struct Cue {
    range: Range<usize>,
    /// Whether the model had to think of it; what frames the words comes without a wait.
    is_word: bool,
}

impl Script {
    /// An answer in one piece, of so many words.
    pub(super) fn whole(body: Value, words: usize) -> Self {
        let mut script = Self {
            words_at_once: words,
            ..Self::default()
        };
        script.chunk(&body.to_string(), false);
        script
    }

    /// A stream without events.
    pub(super) fn stream() -> Self {
        Self {
            streams: true,
            ..Self::default()
        }
    }

    /// Adds an event of server-sent events as a chunk of its own.
    pub(super) fn event(&mut self, name: Option<&str>, data: &str, is_word: bool) {
        let name = name.map_or(String::new(), |name| format!("event: {name}\n"));
        self.chunk(&format!("{name}data: {data}\n\n"), is_word);
    }

    fn chunk(&mut self, text: &str, is_word: bool) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        self.cues.push(Cue {
            range: start..self.bytes.len(),
            is_word,
        });
    }

    /// The length in bytes, where it is known before the body is written.
    pub(super) fn length(&self) -> Option<usize> {
        (!self.streams).then_some(self.bytes.len())
    }

    /// The body. The first word comes at once: the headers have waited for it.
    pub(super) fn play(self, pace: Option<Pace>) -> ByteStream {
        ByteStream::new(Playing {
            bytes: self.bytes.into(),
            cues: self.cues.into_iter(),
            next: None,
            pace,
            begun: false,
            wait: None,
        })
    }
}

struct Playing {
    bytes: Bytes,
    cues: std::vec::IntoIter<Cue>,
    next: Option<Cue>,
    pace: Option<Pace>,
    /// Whether a word came already.
    begun: bool,
    wait: Option<BoxFuture<'static, ()>>,
}

impl Stream for Playing {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.next.is_none() {
            let Some(cue) = this.cues.next() else {
                return Poll::Ready(None);
            };
            if let Some(pace) = &this.pace
                && cue.is_word
                && std::mem::replace(&mut this.begun, true)
                && pace.per_word > Duration::ZERO
            {
                this.wait = Some(pace.executor.sleep(pace.per_word));
            }
            this.next = Some(cue);
        }
        if let Some(wait) = &mut this.wait {
            ready!(wait.as_mut().poll(cx));
            this.wait = None;
        }
        let chunk = this.next.take().map(|cue| Ok(this.bytes.slice(cue.range)));
        Poll::Ready(chunk)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace")
            .field("first", &self.first)
            .field("per_word", &self.per_word)
            .finish_non_exhaustive()
    }
}
