//! The sockets of one transport, and the calls that wait for a lane.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::{ConnectTimeout, Executor, Instant, TransportError};
use event_listener::Event;
use http::Request;

use super::connector::{Opened, WebSocketConnector};
use super::create::{Create, Target};
use super::inbox::Inbox;
use super::pump::Pump;
use super::socket::Socket;

/// How many targets are kept before unused ones are forgotten. They are kept for what is known
/// about their servers; keys that expire make new targets.
const MAX_UNUSED: usize = 16;

/// The limit for all sockets, as a multiple of the limit for one target. Beyond that, an idle
/// socket of another target is closed; if none is idle, the request goes over HTTP.
const TARGETS: usize = 8;

/// After this time, a server that opened no socket is asked again.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// The limits of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The maximum number of sockets for each target.
    pub(super) sockets: usize,
    /// The maximum number of concurrent calls on each socket.
    pub(super) lanes: usize,
    pub(super) idle: Duration,
    pub(super) age: Duration,
}

/// The sockets of one transport.
pub(super) struct Pool {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) connector: Arc<dyn WebSocketConnector>,
    pub(super) limits: Limits,
    targets: Mutex<Vec<Known>>,
}

/// A target, and its sockets.
struct Known {
    target: Target,
    sockets: Vec<Arc<Socket>>,
    /// How many sockets are being opened.
    opening: usize,
    /// Whether the server supports lanes, once that is known.
    has_lanes: Option<bool>,
    /// Whether the server ignores `previous_response_id`.
    forgets: bool,
    /// Until when requests go over HTTP, because the server opened no socket.
    http_until: Option<Instant>,
    room: Arc<Room>,
}

impl Known {
    /// How many sockets take calls, those being opened included.
    fn open(&self) -> usize {
        let open = self.sockets.iter().filter(|socket| !socket.is_retired());
        open.count() + self.opening
    }
}

/// Wakes the calls that wait for a lane of one target.
#[derive(Debug, Default)]
pub(super) struct Room(Event);

impl Room {
    /// Wakes as many calls as lanes became free.
    pub(super) fn has_more(&self, lanes: usize) {
        self.0.notify_additional(lanes);
    }

    /// Wakes all calls: a socket is gone, so they may open another or find a lane elsewhere.
    pub(super) fn has_changed(&self) {
        self.0.notify(usize::MAX);
    }
}

/// A call on its lane. Dropping it abandons the lane.
pub(super) struct Seat {
    pub(super) socket: Arc<Socket>,
    pub(super) inbox: Arc<Inbox>,
    /// The response that the call continues from, if the transport chose it.
    pub(super) known: Option<String>,
    /// Whether the socket existed before and carried no call.
    pub(super) was_idle: bool,
    room: Arc<Room>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.socket.leave(&self.inbox) {
            self.room.has_changed();
        }
    }
}

/// The result of looking for a lane.
enum Found {
    Seat(Seat),
    /// Another socket may be opened.
    Opening(Opening),
    /// No lane is free.
    Full,
    /// There are too many sockets for other targets, or the server opens none.
    NoPlace,
}

/// The result of `seat`.
pub(super) enum Taken {
    Seat(Seat),
    /// The server refused the handshake.
    Refused(http::Response<chatcore::ByteStream>),
    /// There are too many sockets, or the server opens none: the request goes over HTTP.
    ByHttp,
}

impl Pool {
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        connector: Arc<dyn WebSocketConnector>,
        limits: Limits,
    ) -> Arc<Self> {
        Arc::new(Self {
            executor,
            connector,
            limits,
            targets: Mutex::default(),
        })
    }

    /// Puts a call on a lane, of an existing or a new socket, and sends it. Waits if all lanes are
    /// taken.
    pub(super) async fn seat(
        self: &Arc<Self>,
        target: &Target,
        create: &Create,
        whole: bool,
        timeout: Option<ConnectTimeout>,
    ) -> Result<Taken, TransportError> {
        let room = self.room(target);
        loop {
            // Listens before it looks, so that no change is missed.
            let change = room.0.listen();
            match self.find(target, create, whole) {
                Found::Seat(seat) => return Ok(Taken::Seat(seat)),
                Found::Opening(opening) => {
                    match self.connector.open(handshake(target, timeout)).await? {
                        Opened::Refused(response) => return Ok(Taken::Refused(response)),
                        Opened::Socket(web_socket) => {
                            if let Some(seat) = opening.finish(web_socket, create, whole) {
                                return Ok(Taken::Seat(seat));
                            }
                        }
                    }
                }
                Found::Full => change.await,
                Found::NoPlace => return Ok(Taken::ByHttp),
            }
        }
    }

    /// The room of `target`, which is added to the known targets if necessary.
    fn room(&self, target: &Target) -> Arc<Room> {
        let mut targets = self.lock();
        if targets.len() > MAX_UNUSED {
            // A room with no other owner has no socket, no call and no waiting call.
            targets.retain(|known| known.opening > 0 || Arc::strong_count(&known.room) > 1);
        }
        if let Some(known) = targets.iter().find(|known| known.target == *target) {
            return known.room.clone();
        }
        let room = Arc::<Room>::default();
        targets.push(Known {
            target: target.clone(),
            sockets: Vec::new(),
            opening: 0,
            has_lanes: None,
            forgets: false,
            http_until: None,
            room: room.clone(),
        });
        room
    }

    fn find(self: &Arc<Self>, target: &Target, create: &Create, whole: bool) -> Found {
        let now = self.executor.now();
        let mut targets = self.lock();
        for known in targets.iter_mut() {
            for socket in &known.sockets {
                known.has_lanes = socket.has_lanes().or(known.has_lanes);
                socket.retire_if_spent(now, self.limits.age);
            }
            known.sockets.retain(|socket| !socket.is_closed());
        }
        let Some(at) = targets.iter().position(|known| known.target == *target) else {
            return Found::NoPlace;
        };
        let known = &targets[at];
        if known.http_until.is_some_and(|until| now < until) {
            return Found::NoPlace;
        }
        let whole = whole || known.forgets;
        let fits = known.sockets.iter().filter_map(|socket| {
            let (shared, in_flight) = socket.fit(create, self.limits.lanes)?;
            // Prefers the socket that knows most of the input, then the one with the fewest calls.
            Some(((shared, usize::MAX - in_flight), socket))
        });
        if let Some(((_, spare), socket)) = fits.max_by_key(|(fit, _)| *fit)
            && let Some(begun) = socket.begin(create, whole)
        {
            return Found::Seat(Seat {
                socket: socket.clone(),
                inbox: begun.inbox,
                known: begun.known,
                was_idle: spare == usize::MAX,
                room: known.room.clone(),
            });
        }
        if known.open() >= self.limits.sockets {
            return Found::Full;
        }
        let all: usize = targets.iter().map(Known::open).sum();
        let others = || targets.iter().flat_map(|known| &known.sockets);
        if all >= self.limits.sockets * TARGETS && !others().any(|socket| socket.close_if_idle()) {
            return Found::NoPlace;
        }
        let known = &mut targets[at];
        known.opening += 1;
        Found::Opening(Opening {
            pool: self.clone(),
            target: target.clone(),
            has_lanes: known.has_lanes,
        })
    }

    /// Remembers that the target's server ignores `previous_response_id`, so that the whole input
    /// is sent from now on.
    pub(super) fn forbid_contexts(&self, target: &Target) {
        let mut targets = self.lock();
        let known = targets.iter_mut().find(|known| known.target == *target);
        known.into_iter().for_each(|known| known.forgets = true);
    }

    /// Remembers that the target's server opens no sockets: requests go over HTTP for five minutes.
    pub(super) fn forbid_sockets(&self, target: &Target) {
        let until = self.executor.now() + ASKED_AGAIN_AFTER;
        let mut targets = self.lock();
        let known = targets.iter_mut().find(|known| known.target == *target);
        known
            .into_iter()
            .for_each(|known| known.http_until = Some(until));
    }

    /// Remembers that the target's server does not support lanes.
    pub(super) fn forbid_lanes(&self, target: &Target) {
        for known in self.lock().iter_mut() {
            if known.target == *target {
                known.has_lanes = Some(false);
                known.sockets.iter().for_each(|socket| socket.retire());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        // No code that runs under this lock panics in the middle of a change.
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that is being opened, which counts towards the limits. Dropping it stops counting.
struct Opening {
    pool: Arc<Pool>,
    target: Target,
    has_lanes: Option<bool>,
}

impl Opening {
    /// Puts the call on the new socket.
    fn finish(
        self,
        web_socket: super::connector::WebSocket,
        create: &Create,
        whole: bool,
    ) -> Option<Seat> {
        let pool = &self.pool;
        let socket = Socket::new(pool.executor.now(), self.has_lanes);
        let begun = socket.begin(create, whole)?;
        let room = {
            let mut targets = pool.lock();
            let known = targets
                .iter_mut()
                .find(|known| known.target == self.target)?;
            known.sockets.push(socket.clone());
            known.room.clone()
        };
        let pump = Pump {
            socket: socket.clone(),
            executor: pool.executor.clone(),
            idle_limit: pool.limits.idle,
            lanes: pool.limits.lanes,
            room: room.clone(),
        };
        pool.executor.spawn(Box::pin(pump.run(web_socket)));
        Some(Seat {
            socket,
            inbox: begun.inbox,
            known: begun.known,
            was_idle: false,
            room,
        })
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let mut targets = self.pool.lock();
        if let Some(known) = targets.iter_mut().find(|known| known.target == self.target) {
            known.opening -= 1;
            known.room.has_changed();
        }
    }
}

fn handshake(target: &Target, timeout: Option<ConnectTimeout>) -> Request<()> {
    let mut request = Request::new(());
    *request.uri_mut() = target.uri.clone();
    *request.headers_mut() = target.headers.clone();
    if let Some(timeout) = timeout {
        request.extensions_mut().insert(timeout);
    }
    request
}
