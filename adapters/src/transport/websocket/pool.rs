//! The sockets of one transport, and who waits for a lane.

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

/// How many targets are remembered without a socket, for what is known of their servers. Keys that
/// expire make new ones.
const MAX_UNUSED: usize = 16;

/// How many times the sockets of one target there are in all. Beyond that, an idle socket of another
/// target is closed; where there is none, the request goes by HTTP.
const TARGETS: usize = 8;

/// After how long a server that opened no socket is asked for one again.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// What the pool allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Sockets for each target.
    pub(super) sockets: usize,
    /// Calls at once on each socket.
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
    /// How many are being opened.
    opening: usize,
    /// Whether its server tells lanes apart, once that is known.
    has_lanes: Option<bool>,
    /// Whether its server ignores what a turn goes on from.
    forgets: bool,
    /// Until when nobody asks its server for a socket, because it opened none.
    http_until: Option<Instant>,
    room: Arc<Room>,
}

impl Known {
    /// How many sockets take calls, or soon will.
    fn open(&self) -> usize {
        let open = self.sockets.iter().filter(|socket| !socket.is_retired());
        open.count() + self.opening
    }
}

/// Those who wait for a lane of one target.
#[derive(Debug, Default)]
pub(super) struct Room(Event);

impl Room {
    /// So many lanes are free that were not.
    pub(super) fn has_more(&self, lanes: usize) {
        self.0.notify_additional(lanes);
    }

    /// A socket is gone: a call that waits may open another, or find a lane elsewhere.
    pub(super) fn has_changed(&self) {
        self.0.notify(usize::MAX);
    }
}

/// A call on its lane. Dropping it leaves the lane.
pub(super) struct Seat {
    pub(super) socket: Arc<Socket>,
    pub(super) inbox: Arc<Inbox>,
    /// The response that the call goes on from, of which this side knows.
    pub(super) known: Option<String>,
    /// Whether the socket was there already, without a call on it.
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

/// What a call finds.
enum Found {
    Seat(Seat),
    /// One more socket may be opened.
    Opening(Opening),
    /// No lane is free.
    Full,
    /// There are too many sockets of other targets, or the server opens none.
    NoPlace,
}

/// What comes of a call's wish for a lane.
pub(super) enum Taken {
    Seat(Seat),
    /// The server refused the handshake.
    Refused(http::Response<chatcore::ByteStream>),
    /// There are too many sockets already, or the server opens none: the request goes by HTTP.
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

    /// A lane for a call, which is sent on it: on a socket that is there, or on a new one. Waits
    /// for a lane where all are taken.
    pub(super) async fn seat(
        self: &Arc<Self>,
        target: &Target,
        create: &Create,
        whole: bool,
        timeout: Option<ConnectTimeout>,
    ) -> Result<Taken, TransportError> {
        let room = self.room(target);
        loop {
            // Listens first, so that no change goes by unseen.
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

    /// Who waits for a lane of `target`, which is known from here on.
    fn room(&self, target: &Target) -> Arc<Room> {
        let mut targets = self.lock();
        if targets.len() > MAX_UNUSED {
            // A room that is held only here has no socket, no call and nobody who waits.
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
            // The context first; else the socket with the fewest calls.
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

    /// The target's server ignores what a turn goes on from, so that it is sent whole from here on.
    pub(super) fn forbid_contexts(&self, target: &Target) {
        let mut targets = self.lock();
        let known = targets.iter_mut().find(|known| known.target == *target);
        known.into_iter().for_each(|known| known.forgets = true);
    }

    /// The target's server opens no sockets: requests go by HTTP for some minutes.
    pub(super) fn forbid_sockets(&self, target: &Target) {
        let until = self.executor.now() + ASKED_AGAIN_AFTER;
        let mut targets = self.lock();
        let known = targets.iter_mut().find(|known| known.target == *target);
        known
            .into_iter()
            .for_each(|known| known.http_until = Some(until));
    }

    /// The target's server knows no lanes.
    pub(super) fn forbid_lanes(&self, target: &Target) {
        for known in self.lock().iter_mut() {
            if known.target == *target {
                known.has_lanes = Some(false);
                known.sockets.iter().for_each(|socket| socket.retire());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        // Nothing in here panics half-way through a change.
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that is being opened counts as one; dropping this gives its place back.
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
