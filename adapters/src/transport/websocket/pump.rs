//! The background task of one socket: it writes what calls send and distributes what arrives.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use chatcore::Executor;
use futures_lite::{StreamExt, future};

use super::connector::{SocketClosed, WebSocket};
use super::pool::Room;
use super::socket::{Freed, Socket, Write};

/// How many messages are handled in a row before other tasks get a turn.
const IN_A_ROW: usize = 32;

/// The background task of one socket.
pub(super) struct Pump {
    pub(super) socket: Arc<Socket>,
    pub(super) executor: Arc<dyn Executor>,
    pub(super) idle_limit: Duration,
    /// How many concurrent calls the socket may carry.
    pub(super) lanes: usize,
    /// Notified when a lane or a socket becomes free.
    pub(super) room: Arc<Room>,
}

impl Pump {
    /// Runs until either side closes the socket.
    pub(super) async fn run(self, web_socket: WebSocket) {
        let WebSocket {
            mut incoming,
            mut outgoing,
        } = web_socket;
        let read = async {
            let mut in_a_row = 0;
            loop {
                match incoming.next().await {
                    Some(Ok(text)) => match self.socket.receive(text, self.executor.now()) {
                        Freed::None => {}
                        Freed::Lane => self.room.has_more(1),
                        Freed::All => self.room.has_more(self.lanes),
                    },
                    Some(Err(why)) => return why,
                    None => return SocketClosed::lost("the connection was lost"),
                }
                in_a_row += 1;
                if in_a_row == IN_A_ROW {
                    in_a_row = 0;
                    future::yield_now().await;
                }
            }
        };
        let write = async {
            loop {
                match poll_fn(|cx| self.socket.poll_write(cx)).await {
                    Write::Text(text) => {
                        if let Err(why) = outgoing.send(text).await {
                            return why;
                        }
                    }
                    Write::Close => {
                        outgoing.close().await;
                        return SocketClosed::new(1000, "this side closed the socket");
                    }
                }
            }
        };
        let expire = async {
            while let Some(wait) = self.socket.expire(self.executor.now(), self.idle_limit) {
                self.executor.sleep(wait).await;
            }
            // `expire` told the writer to close the socket.
            future::pending().await
        };
        let why = future::or(future::or(read, write), expire).await;
        self.socket.set_closed(why);
    }
}

impl Drop for Pump {
    /// Runs when the task ends or the executor drops it: the socket is then closed.
    fn drop(&mut self) {
        self.socket
            .set_closed(SocketClosed::lost("the executor dropped the socket's task"));
        self.room.has_changed();
    }
}
