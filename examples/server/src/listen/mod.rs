//! Accepts connections, limits their number and time, and drains them at shutdown.

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

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;

/// How long to wait when the process has no file descriptors left.
const BREATH: Duration = Duration::from_millis(50);

/// How long to wait for a client that still sends after its connection was shut down.
const LINGER: Duration = Duration::from_secs(1);

/// A listener on `addr`.
///
/// # Errors
/// If the address is in use, or does not belong to this machine.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server then need not wait for connections of the previous process.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves until the shutdown begins, then finishes the accepted connections, for at most the grace
/// period. Returns the number of connections that did not end in time.
///
/// # Errors
/// If the listener cannot be used.
pub(crate) async fn serve(listener: StdListener, shared: Arc<Shared>) -> io::Result<usize> {
    let listener = TcpListener::try_from(listener)?;
    // A small buffer, so that bytes for a slow client wait at the provider, not here. No limit for
    // bodies, because `body` applies the limit from the settings.
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
    // Every connection holds a sender, so the channel closes when the last connection ends.
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
            // Usually no file descriptors are left; connections that end free some.
            Some(Err(_)) => {
                Timer::after(BREATH).await;
            }
            None => break,
        }
    }
    // Connections in the backlog are still served, not reset.
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
                // Does not wait, because the buffer of a new socket is empty.
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

    /// Serves one connection to its end. `_seat` counts the connection as open.
    async fn connection(&self, stream: TcpStream, peer: SocketAddr, _seat: &Seat) {
        // Pieces of an answer are sent at once.
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
        // A client's errors on its own connection are ignored.
        if let Ok(Some(upgrade)) = run.await {
            phase.upgraded();
            let upgrade = Upgrade::from(upgrade);
            if self.app.has_upgrade(&upgrade) {
                self.app.upgrade(upgrade).await;
            }
        }
        linger(stream).await;
    }

    /// The body that a head announces, from the headers that the web framework has validated.
    fn body_of(&self, conn: &trillium_http::Conn<Guarded>) -> Body {
        let headers = conn.request_headers();
        match headers.has_header(KnownHeaderName::TransferEncoding) {
            true => Body::chunked(self.shared.settings.max_body),
            false => Body::Length(headers.content_length().unwrap_or(0)),
        }
    }
}

/// Closes a connection whose client may still be sending. Closing while bytes are unread would
/// reset the connection, and the client could lose the end of the answer.
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
