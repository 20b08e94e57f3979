//! Serves one connection from its first request to its end.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::{FutureExt, future};
use smol::io::AsyncWriteExt;
use smol::{Async, Timer};

use super::answer::Answer;
use super::control;
use super::log::{By, InFlight, Log};
use super::plan::Poison;
use super::request::{self, NoRequest, Request};
use super::route::Route;
use super::script::{Ends, Script, Step};

/// The wait before a reset, which gives a waiting client time to read what was written, because a
/// reset discards unread bytes. On a busy machine it may be too short; a gate is reliable.
const SETTLE: Duration = Duration::from_millis(5);

/// Serves one connection, and records which side closed it.
pub(super) async fn serve(mut stream: Async<TcpStream>, log: Arc<Log>, origin: String) {
    let number = log.accepted();
    let by = Connection {
        stream: &mut stream,
        number,
        log: &log,
        origin: &origin,
        unread: Vec::new(),
    }
    .run()
    .await;
    drop(stream);
    log.closed(number, by);
}

/// The client closed or reset the connection.
struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

struct Connection<'a> {
    stream: &'a mut Async<TcpStream>,
    number: u64,
    log: &'a Arc<Log>,
    origin: &'a str,
    /// Bytes received after the last request.
    unread: Vec<u8>,
}

impl Connection<'_> {
    async fn run(mut self) -> By {
        // Each piece must be sent when it is written. This fails only if the client is gone.
        let _ = self.stream.get_ref().set_nodelay(true);
        let mut poison = None;
        loop {
            let (ends, closing) = match self.turn(poison).await {
                Ok(turn) => turn,
                Err(Gone) => return By::Client,
            };
            poison = None;
            match ends {
                Ends::Keep if !closing => {}
                Ends::Poison(kind) => poison = Some(kind),
                Ends::Keep | Ends::Close => return By::Server,
                Ends::Reset => {
                    Timer::after(SETTLE).await;
                    self.reset();
                    return By::Server;
                }
                Ends::Hold => {
                    gone(self.stream).await;
                    return By::Client;
                }
            }
        }
    }

    /// Handles one request. Returns what happens to the connection, and whether the client wants it
    /// closed.
    async fn turn(&mut self, poison: Option<Poison>) -> Result<(Ends, bool), Gone> {
        let request = match request::read(self.stream, &mut self.unread).await {
            Ok(request) => request,
            Err(NoRequest::Gone) => return Err(Gone),
            Err(NoRequest::Bad(why)) => {
                let answer = Answer::refusal(400, &why, 0);
                self.play(Script::plain(&answer, 0, true), None).await?;
                return Ok((Ends::Close, true));
            }
        };
        let close = request.close;
        if let Some(answer) = control::answer(&request, self.log).await {
            let ends = self.play(Script::plain(&answer, 0, close), None).await?;
            return Ok((ends, close));
        }
        let ends = self.answer(request, poison).await?;
        Ok((ends, close))
    }

    async fn answer(&mut self, request: Request, poison: Option<Poison>) -> Result<Ends, Gone> {
        let close = request.close;
        let route = Route::of(&request.target);
        let key = match &route {
            Ok(route) => &route.key,
            Err(_) => super::route::path(&request.target),
        }
        .to_owned();
        let flight = self.log.request(self.number, &key, request);
        match poison {
            None => {}
            Some(Poison::Close) => return Ok(Ends::Close),
            Some(Poison::Partial) => {
                self.stream.write_all(b"HTTP/1.1 2").await?;
                // Not a reset, because a reset could discard the bytes before the client sees them.
                return Ok(Ends::Close);
            }
        }
        let script = match &route {
            Ok(route) => {
                let plan = route.plan(flight.attempt);
                let answer = Answer::to(&flight.seen, plan, self.origin);
                Script::of(plan, &answer, flight.seen.number, close)
            }
            Err(why) => {
                let answer = Answer::refusal(404, why, flight.seen.number);
                Script::plain(&answer, flight.seen.number, close)
            }
        };
        self.play(script, Some(flight)).await
    }

    /// Runs the steps of `script`. A request is in flight until its last bytes are sent, so that a
    /// client that keeps a limit never seems to exceed it.
    async fn play(&mut self, script: Script, mut flight: Option<InFlight>) -> Result<Ends, Gone> {
        let last = script.steps.len().saturating_sub(1);
        for (n, step) in script.steps.into_iter().enumerate() {
            match step {
                Step::Write(bytes) => {
                    if n == last
                        && script.complete
                        && let Some(flight) = flight.take()
                    {
                        flight.answered();
                    }
                    self.stream.write_all(&bytes).await?;
                }
                Step::Wait(duration) => {
                    self.wait(duration).await?;
                }
                Step::Pass(gate) => {
                    let log = self.log.clone();
                    self.unless_gone(log.pass(&gate)).await?;
                }
                Step::Repeat(bytes, every) => loop {
                    self.stream.write_all(&bytes).await?;
                    // Lets other connections run, even if the client reads at once.
                    future::yield_now().await;
                    self.wait(every).await?;
                },
            }
        }
        if script.ends == Ends::Hold {
            gone(self.stream).await;
            return Err(Gone);
        }
        Ok(script.ends)
    }

    async fn wait(&self, duration: Duration) -> Result<(), Gone> {
        let wait = async {
            Timer::after(duration).await;
        };
        self.unless_gone(wait).await
    }

    async fn unless_gone(&self, wait: impl Future<Output = ()>) -> Result<(), Gone> {
        let waited = async {
            wait.await;
            Ok(())
        };
        let left = async {
            gone(self.stream).await;
            Err(Gone)
        };
        waited.or(left).await
    }

    fn reset(&self) {
        // With a linger time of zero, closing sends a reset instead of an orderly close.
        let socket = socket2::SockRef::from(self.stream.get_ref());
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
}

/// Completes when the client has closed or reset the connection.
async fn gone(stream: &Async<TcpStream>) {
    match stream.peek(&mut [0]).await {
        Ok(0) | Err(_) => {}
        // The client has sent more bytes, so it is still connected.
        Ok(_) => future::pending().await,
    }
}
