//! Connections: accepted, limited in number and time, and drained at the end.

mod framing;
mod guarded;
mod phase;
mod seats;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use futures_lite::FutureExt;
use futures_lite::future::poll_once;
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use smol::channel::Sender;
use smol::net::{TcpListener, TcpStream};
use smol::{Timer, channel};
use socket2::{Domain, Protocol, Socket, Type};
use trillium::{Conn, Handler, Upgrade};
use trillium_http::{HttpConfig, HttpContext, KnownHeaderName};

use crate::app::reply::raw;
use crate::app::{App, Shared, Socket as ClientSocket};
use framing::Body;
use guarded::{Guarded, Timing};
use phase::Phase;
use seats::{Seat, Seats};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

/// How long to wait where the process has no descriptor left.
const BREATH: Duration = Duration::from_millis(50);

/// How long a closed connection may go on sending.
const LINGER: Duration = Duration::from_secs(1);

/// A listener on `addr`.
///
/// # Errors
/// Where the address is taken, or is not ours.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // A server that starts anew need not wait for the connections of the one before it.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves until the shutdown begins, and then what was accepted, for the grace period at most.
/// Gives the number of connections that did not end in it.
///
/// # Errors
/// Where the listener cannot be used.
pub(crate) async fn serve(listener: StdListener, shared: Arc<Shared>) -> io::Result<usize> {
    let listener = TcpListener::try_from(listener)?;
    // What a slow client has not taken waits at its provider, not here.
    // A body's own limit is that of the settings, see `body`.
    let http = HttpConfig::default()
        .with_response_buffer_max_len(64 << 10)
        .with_received_body_max_len(u64::MAX);
    let server = Arc::new(Server {
        app: App::new(Arc::clone(&shared)),
        http: Arc::new(HttpContext::new().with_config(http)),
        seats: Arc::new(Seats::new(
            &shared.settings,
            shared.metrics.connections().clone(),
        )),
        shared: Arc::clone(&shared),
    });
    // Every connection holds a sender; when all are gone, so is the last connection.
    let (open, all_gone) = channel::bounded::<()>(1);
    let mut begun = shared.drain.begun();
    loop {
        let accepted = async { Some(listener.accept().await) };
        let drained = async {
            (&mut begun).await;
            None
        };
        match accepted.or(drained).await {
            Some(Ok((stream, peer))) => server.spawn(stream, peer, &open).await,
            // Most often no descriptors are left: those in use come free.
            Some(Err(_)) => {
                Timer::after(BREATH).await;
            }
            None => break,
        }
    }
    // Whoever has connected is not turned away by a reset.
    while let Some(Ok((stream, peer))) = poll_once(listener.accept()).await {
        server.spawn(stream, peer, &open).await;
    }
    drop(listener);
    let left = open.sender_count().saturating_sub(1);
    drop(open);
    let gone = async {
        let _ = all_gone.recv().await;
        0
    };
    let late = async {
        Timer::after(shared.settings.grace).await;
        all_gone.sender_count().min(left.max(1))
    };
    Ok(gone.or(late).await)
}

struct Server {
    app: App,
    http: Arc<HttpContext>,
    seats: Arc<Seats>,
    shared: Arc<Shared>,
}

impl Server {
    async fn spawn(self: &Arc<Self>, mut stream: TcpStream, peer: SocketAddr, open: &Sender<()>) {
        let seat = match self.seats.take(peer.ip()) {
            Ok(seat) => seat,
            Err(error) => {
                // A socket's buffer is empty at first, so that this does not wait.
                let _ = poll_once(stream.write_all(raw(&error).as_bytes())).await;
                return;
            }
        };
        let (server, open) = (Arc::clone(self), open.clone());
        smol::spawn(async move {
            server.connection(stream, peer, &seat).await;
            drop((seat, open));
        })
        .detach();
    }

    /// Serves one connection, which has a `seat`, to its end.
    async fn connection(&self, stream: TcpStream, peer: SocketAddr, _seat: &Seat) {
        // Pieces of an answer go out as they come.
        let _ = stream.set_nodelay(true);
        let settings = &self.shared.settings;
        let timing = Timing {
            head: settings.header_timeout,
            idle: settings.idle_timeout,
            write: settings.write_timeout,
        };
        let phase = Phase::default();
        let begun = self.shared.drain.begun();
        let guarded = Guarded::new(stream.clone(), timing, phase.clone(), begun);
        let run = Arc::clone(&self.http).run(guarded, |mut conn| {
            phase.answering(self.body_of(&conn));
            conn.set_peer_ip(Some(peer.ip()));
            let phase = &phase;
            let conn = Conn::from(conn).with_state(ClientSocket(stream.clone()));
            async move {
                let conn = self.app.run(conn).await;
                let mut conn = self.app.before_send(conn).await;
                if !phase.answered() {
                    let headers = conn.response_headers_mut();
                    headers.insert(KnownHeaderName::Connection, "close");
                }
                conn.into_inner()
            }
        });
        // What a client does wrong on its connection is its own matter.
        if let Ok(Some(upgrade)) = run.await {
            phase.upgraded();
            let upgrade = Upgrade::from(upgrade);
            if self.app.has_upgrade(&upgrade) {
                self.app.upgrade(upgrade).await;
            }
        }
        linger(stream).await;
    }

    /// The body that a head announces, by the headers as the web framework has checked them.
    fn body_of(&self, conn: &trillium_http::Conn<Guarded>) -> Body {
        let headers = conn.request_headers();
        match headers.has_header(KnownHeaderName::TransferEncoding) {
            true => Body::chunked(self.shared.settings.max_body),
            false => Body::Length(headers.content_length().unwrap_or(0)),
        }
    }
}

/// Closes a connection whose client may still be sending: closed while bytes are unread, it would
/// be reset, and the reset would take the end of the answer with it.
async fn linger(mut stream: TcpStream) {
    let rest = async {
        stream.shutdown(Shutdown::Write)?;
        let mut rest = vec![0; 8 << 10];
        while stream.read(&mut rest).await? > 0 {}
        Ok(())
    };
    let late = async {
        Timer::after(LINGER).await;
        Ok::<_, io::Error>(())
    };
    let _ = rest.or(late).await;
}
