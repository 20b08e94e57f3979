//! Transports that are broken on purpose: each is a good one with one flaw.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{
    BoxFuture, ByteStream, ConnectTimeout, Executor, Transport, TransportError, TransportErrorKind,
};
use chatcore_adapters::transport::Http1Transport;
use futures_lite::{Stream, StreamExt, stream};
use http::{HeaderValue, Request, Response, Uri};
use smol::channel::bounded;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    LosesHeaders,
    FailsOnErrorStatus,
    LosesQuery,
    /// Loses the first byte of each piece.
    LosesBytes,
    /// Returns the head only when the body is complete.
    Buffers,
    /// Reports an empty body as a lost one.
    WantsABody,
    FollowsRedirects,
    /// Accepts heads of at most 4 KiB.
    SmallHeads,
    /// Accepts heads of up to 64 MiB.
    LargeHeads,
    NamesNoKind,
    /// Ends a truncated body as if it were complete.
    HidesBreaks,
    NeverReuses,
    /// Sends failed requests again.
    TriesAgain,
    /// Gives answers in the order of the requests to whichever caller polls, even the answers of
    /// dropped requests.
    MixesAnswers,
    NoConnectLimit,
    /// Continues dropped requests for longer than any case waits.
    GoesOnAfterDrop,
    /// Runs one request at a time, and lets dropped requests block the others.
    OneAtATime,
}

type Answer = Result<Response<ByteStream>, TransportError>;

pub(super) struct Wrapped {
    good: Http1Transport,
    executor: Arc<dyn Executor>,
    flaw: Flaw,
    turn: Arc<smol::lock::Mutex<()>>,
    left: Mutex<VecDeque<BoxFuture<'static, Answer>>>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.flaw.fmt(f)
    }
}

impl Wrapped {
    pub(super) fn new(executor: Arc<dyn Executor>, flaw: Flaw) -> Self {
        let builder = Http1Transport::builder(executor.clone());
        let builder = match flaw {
            Flaw::SmallHeads => builder.max_head(4 << 10),
            Flaw::LargeHeads => builder.max_head(64 << 20),
            _ => builder,
        };
        Self {
            good: builder.build(),
            executor,
            flaw,
            turn: Arc::default(),
            left: Mutex::default(),
        }
    }

    /// Runs the request in a detached task.
    async fn detached(&self, request: Request<Bytes>) -> Answer {
        let (done, answer) = bounded(1);
        let (good, turn) = (self.good.clone(), self.turn.clone());
        let one_at_a_time = self.flaw == Flaw::OneAtATime;
        self.executor.spawn(Box::pin(async move {
            let _turn = match one_at_a_time {
                true => Some(turn.lock().await),
                false => None,
            };
            let _ = done.send(good.send(request).await).await;
        }));
        let answer = answer.recv().await;
        let answer = answer.map_err(|_| error(TransportErrorKind::Closed))??;
        let executor = self.executor.clone();
        Ok(answer.map(|body| {
            ByteStream::new(Lingering {
                body: Some(body),
                executor,
            })
        }))
    }

    async fn follow(&self, answer: Response<ByteStream>) -> Answer {
        let Some(target) = answer.headers().get("location") else {
            return Ok(answer);
        };
        let target = Uri::try_from(target.as_bytes()).unwrap();
        let request = Request::get(target).body(Bytes::new()).unwrap();
        self.good.send(request).await
    }
}

#[async_trait]
impl Transport for Wrapped {
    async fn send(&self, mut request: Request<Bytes>) -> Answer {
        match self.flaw {
            Flaw::LosesQuery => {
                let uri = request.uri().to_string();
                let bare = uri.split('?').next().unwrap();
                *request.uri_mut() = bare.parse().unwrap();
            }
            Flaw::NeverReuses => {
                let close = HeaderValue::from_static("close");
                request.headers_mut().insert("connection", close);
            }
            Flaw::NoConnectLimit => {
                let limit = ConnectTimeout(Duration::from_secs(60));
                request.extensions_mut().insert(limit);
            }
            Flaw::GoesOnAfterDrop | Flaw::OneAtATime => return self.detached(request).await,
            Flaw::MixesAnswers => {
                let good = self.good.clone();
                let asked: BoxFuture<'static, _> =
                    Box::pin(async move { good.send(request).await });
                self.left.lock().unwrap().push_back(asked);
                return Due(&self.left).await;
            }
            _ => {}
        }
        let again = request.clone();
        let mut answer = self.good.send(request).await;
        if self.flaw == Flaw::TriesAgain && answer.is_err() {
            answer = self.good.send(again).await;
        }
        let answer = answer.map_err(|found| self.blur(found))?;
        match self.flaw {
            Flaw::LosesHeaders => {
                let (mut head, body) = answer.into_parts();
                head.headers.clear();
                Ok(Response::from_parts(head, body))
            }
            Flaw::FailsOnErrorStatus if answer.status().as_u16() >= 400 => {
                Err(error(TransportErrorKind::Other))
            }
            Flaw::FollowsRedirects => self.follow(answer).await,
            Flaw::LosesBytes => Ok(answer.map(|body| {
                ByteStream::new(body.map(|piece| piece.map(|bytes| bytes.slice(1..))))
            })),
            Flaw::HidesBreaks => Ok(answer.map(|body| {
                ByteStream::new(
                    body.map(Result::ok)
                        .take_while(Option::is_some)
                        .map(|piece| piece.ok_or_else(|| error(TransportErrorKind::Other))),
                )
            })),
            Flaw::Buffers | Flaw::WantsABody => {
                let (head, mut body) = answer.into_parts();
                let mut whole = Vec::new();
                while let Some(piece) = body.next().await {
                    whole.extend_from_slice(&piece?);
                }
                if self.flaw == Flaw::WantsABody && whole.is_empty() {
                    return Err(error(TransportErrorKind::Truncated));
                }
                let whole = ByteStream::new(stream::once(Ok(Bytes::from(whole))));
                Ok(Response::from_parts(head, whole))
            }
            _ => Ok(answer),
        }
    }
}

impl Wrapped {
    fn blur(&self, found: TransportError) -> TransportError {
        match self.flaw {
            Flaw::NamesNoKind => error(TransportErrorKind::Other),
            _ => found,
        }
    }
}

fn error(kind: TransportErrorKind) -> TransportError {
    TransportError::new(kind, "broken on purpose")
}

/// Resolves to the answer of the oldest request without an answer.
struct Due<'a>(&'a Mutex<VecDeque<BoxFuture<'static, Answer>>>);

impl Future for Due<'_> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut left = self.0.lock().unwrap();
        if let Some(Poll::Ready(answer)) = left.front_mut().map(|first| first.as_mut().poll(cx)) {
            left.pop_front();
            return Poll::Ready(answer);
        }
        // The waker may belong to another caller, so this caller polls again.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A body that is kept for a minute after it was dropped.
struct Lingering {
    body: Option<ByteStream>,
    executor: Arc<dyn Executor>,
}

impl Stream for Lingering {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.body {
            Some(body) => body.poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let body = self.body.take();
        let sleep = self.executor.sleep(Duration::from_secs(60));
        self.executor.spawn(Box::pin(async move {
            sleep.await;
            drop(body);
        }));
    }
}
