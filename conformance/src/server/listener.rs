//! Listening sockets, and the thread that serves them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_lite::FutureExt;
use smol::channel::{Receiver, Sender, bounded};
use smol::{Async, LocalExecutor, Timer};
use socket2::{Domain, Socket, Type};

use super::connection;
use super::log::Log;

/// Large enough for thousands of clients that connect at once.
const BACKLOG: i32 = 4096;

/// The serving thread. Dropping this ends the thread and closes every connection.
#[derive(Debug)]
pub(super) struct Serving {
    stop: Option<Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has already been printed.
            let _ = thread.join();
        }
    }
}

/// Listens on a port of 127.0.0.1 (0 for any free port) and serves it on a separate thread.
pub(super) fn serve(port: u16, log: Arc<Log>) -> io::Result<(SocketAddr, Serving)> {
    serve_each(port, move |stream, address| {
        // Another origin than 127.0.0.1 that leads to the same server.
        let origin = format!("localhost:{}", address.port());
        connection::serve(stream, log.clone(), origin)
    })
}

/// Like [`serve`], with `connection` for each accepted connection. It also gets the listening
/// address.
pub(super) fn serve_each<C: Future<Output = ()>>(
    port: u16,
    connection: impl Fn(Async<TcpStream>, SocketAddr) -> C + Send + 'static,
) -> io::Result<(SocketAddr, Serving)> {
    let listener = listen(port, BACKLOG)?;
    let address = listener.local_addr()?;
    let listener = Async::new(listener)?;
    let (stop, stopped) = bounded(1);
    let thread = thread::Builder::new()
        .name("loopback".into())
        .spawn(move || run(&listener, stopped, |stream| connection(stream, address)))?;
    let serving = Serving {
        stop: Some(stop),
        thread: Some(thread),
    };
    Ok((address, serving))
}

fn run<C: Future<Output = ()>>(
    listener: &Async<TcpListener>,
    stopped: Receiver<()>,
    connection: impl Fn(Async<TcpStream>) -> C,
) {
    let executor = LocalExecutor::new();
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => executor.spawn(connection(stream)).detach(),
                // Most likely no file descriptors are left. Some will be free soon.
                Err(_) => {
                    Timer::after(Duration::from_millis(10)).await;
                }
            }
        }
    };
    let until_stopped = async {
        // Nothing is ever sent; the channel is closed to stop the server.
        let _ = stopped.recv().await;
    };
    smol::block_on(executor.run(accept.or(until_stopped)));
}

pub(super) fn listen(port: u16, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// An address where connections are refused: the port is taken, but nothing listens on it.
#[derive(Debug)]
pub struct Refusing {
    address: SocketAddr,
    _socket: Socket,
}

impl Refusing {
    /// Reserves a port of 127.0.0.1 while this value lives, so that no other test gets it.
    pub fn new() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let address = socket.local_addr()?.as_socket();
        Ok(Self {
            address: address.ok_or_else(|| io::Error::other("the socket has no address"))?,
            _socket: socket,
        })
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An address that does not react: connections to it neither succeed nor fail.
#[derive(Debug)]
pub struct Unresponsive {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl Unresponsive {
    /// Fills the backlog of a listener that accepts no connection, so that the system drops further
    /// ones.
    pub fn new() -> io::Result<Self> {
        let listener = listen(0, 0)?;
        let address = listener.local_addr()?;
        let (mut queued, mut late) = (Vec::new(), 0);
        // On a busy machine a single connection may be late although the backlog has room, but not
        // several in a row.
        while late < 3 {
            match TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
                Ok(stream) => {
                    late = 0;
                    queued.push(stream);
                }
                Err(_) => late += 1,
            }
            if queued.len() > 64 {
                return Err(io::Error::other("the listener's queue does not fill up"));
            }
        }
        Ok(Self {
            address,
            _listener: listener,
            _queued: queued,
        })
    }

    /// The address that does not react.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
