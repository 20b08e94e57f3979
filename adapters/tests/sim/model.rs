//! A simple model of a client, with lists and without wakers.

use std::time::Duration;

use chatcore::{ErrorKind, WhenFull};

use crate::gates::Open;

/// The client's rate limit window: a minute plus 1 %.
const MINUTE: Duration = Duration::from_millis(60_600);

/// The state of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not polled yet or, if `true`, about to be retried.
    Outside(bool),
    /// In the queue of the rate limit.
    AtTheLimit,
    /// In the queue of the permits.
    Queued,
    /// A permit was handed to it.
    Granted,
    /// Sent.
    Sent,
    /// Waits until this time before a retry.
    BacksOff(Duration),
    /// Ended. `None` if the call has an answer or was dropped.
    Ended(Option<ErrorKind>),
}

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) workers: usize,
    pub(crate) queue_size: usize,
    pub(crate) per_minute: Option<usize>,
    pub(crate) attempts: u32,
}

#[derive(Debug)]
struct Call {
    place: Place,
    when_full: WhenFull,
    attempts: u32,
}

#[derive(Debug)]
pub(crate) struct Model {
    settings: Settings,
    calls: Vec<Call>,
    /// Numbers of calls, the first first.
    at_the_limit: Vec<usize>,
    queue: Vec<usize>,
    /// Reserved, and not sent yet.
    held: usize,
    /// When requests were sent.
    sent: Vec<Duration>,
    /// Requests that were sent.
    pub(crate) requests: usize,
    pub(crate) closed: bool,
    pub(crate) started: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) retried: u64,
}

impl Model {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            calls: Vec::new(),
            at_the_limit: Vec::new(),
            queue: Vec::new(),
            held: 0,
            sent: Vec::new(),
            requests: 0,
            closed: false,
            started: 0,
            succeeded: 0,
            failed: 0,
            cancelled: 0,
            retried: 0,
        }
    }

    pub(crate) fn active(&self) -> usize {
        let holds = |call: &&Call| matches!(call.place, Place::Granted | Place::Sent);
        self.calls.iter().filter(holds).count()
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len() + self.at_the_limit.len()
    }

    /// Whether a close would be done. It waits for those that will run, and not for those that it
    /// turns away at the rate limit.
    pub(crate) fn is_drained(&self) -> bool {
        self.active() == 0 && self.queue.is_empty()
    }

    pub(crate) fn place(&self, call: usize) -> Place {
        self.calls[call].place
    }

    pub(crate) fn add(&mut self, when_full: WhenFull) {
        self.calls.push(Call {
            place: Place::Outside(false),
            when_full,
            attempts: 0,
        });
    }

    /// The call is polled; `open` is what its gate shows.
    pub(crate) fn poll(&mut self, call: usize, open: Option<Open>, now: Duration) {
        match self.calls[call].place {
            Place::Outside(again) => {
                self.started += u64::from(!again);
                let when_full = match again {
                    true => WhenFull::Wait,
                    false => self.calls[call].when_full,
                };
                self.enter(call, when_full, now);
            }
            Place::AtTheLimit if self.closed => self.fail(call, ErrorKind::Closed),
            Place::AtTheLimit => {
                if self.at_the_limit[0] == call && self.fits(now) {
                    self.at_the_limit.remove(0);
                    self.held += 1;
                    self.ask_permit(call, WhenFull::Wait, now);
                }
            }
            Place::Granted => self.send(call, now),
            Place::Sent => match open {
                Some(Open::Answer) => {
                    self.succeeded += 1;
                    self.leave(call, Place::Ended(None));
                }
                Some(Open::Refusal(wait)) if self.calls[call].attempts < self.settings.attempts => {
                    self.retried += 1;
                    let until = now + Duration::from_millis(wait);
                    self.leave(call, Place::BacksOff(until));
                    // A wait of zero ends in the same poll.
                    self.poll(call, None, now);
                }
                Some(Open::Refusal(_)) => self.fail(call, ErrorKind::Overloaded),
                None => {}
            },
            Place::BacksOff(until) if now >= until => {
                self.calls[call].place = Place::Outside(true);
                self.poll(call, None, now);
            }
            Place::Queued | Place::BacksOff(_) | Place::Ended(_) => {}
        }
    }

    pub(crate) fn drop(&mut self, call: usize) {
        match self.calls[call].place {
            Place::Outside(_) | Place::Ended(_) => {}
            _ => self.cancelled += 1,
        }
        self.leave(call, Place::Ended(None));
    }

    fn enter(&mut self, call: usize, when_full: WhenFull, now: Duration) {
        if self.settings.per_minute.is_none() {
            return self.ask_permit(call, when_full, now);
        }
        if self.closed {
            return self.fail(call, ErrorKind::Closed);
        }
        if self.at_the_limit.is_empty() && self.fits(now) {
            self.held += 1;
            return self.ask_permit(call, when_full, now);
        }
        match self.is_full(when_full) {
            true => self.fail(call, ErrorKind::QueueFull),
            false => {
                self.at_the_limit.push(call);
                self.calls[call].place = Place::AtTheLimit;
            }
        }
    }

    /// With its reservation, where there are limits.
    fn ask_permit(&mut self, call: usize, when_full: WhenFull, now: Duration) {
        // Briefly in the queue, so that it gives back its reservation.
        self.calls[call].place = Place::Queued;
        if self.closed {
            self.fail(call, ErrorKind::Closed);
        } else if self.active() < self.settings.workers {
            self.send(call, now);
        } else if self.is_full(when_full) {
            self.fail(call, ErrorKind::QueueFull);
        } else {
            self.queue.push(call);
        }
    }

    fn is_full(&self, when_full: WhenFull) -> bool {
        when_full == WhenFull::Fail && self.queued() >= self.settings.queue_size
    }

    fn send(&mut self, call: usize, now: Duration) {
        self.calls[call].place = Place::Sent;
        self.calls[call].attempts += 1;
        self.requests += 1;
        if self.settings.per_minute.is_some() {
            self.held -= 1;
            self.sent.push(now);
        }
    }

    fn fits(&mut self, now: Duration) -> bool {
        self.sent.retain(|&at| at + MINUTE > now);
        let limit = self.settings.per_minute.unwrap_or(usize::MAX);
        self.held + self.sent.len() < limit
    }

    fn fail(&mut self, call: usize, kind: ErrorKind) {
        self.failed += 1;
        self.leave(call, Place::Ended(Some(kind)));
    }

    /// Gives back what the call has, and hands its permit on.
    fn leave(&mut self, call: usize, to: Place) {
        let from = std::mem::replace(&mut self.calls[call].place, to);
        self.at_the_limit.retain(|&other| other != call);
        self.queue.retain(|&other| other != call);
        if matches!(from, Place::Queued | Place::Granted) && self.settings.per_minute.is_some() {
            self.held -= 1;
        }
        while self.active() < self.settings.workers && !self.queue.is_empty() {
            let next = self.queue.remove(0);
            self.calls[next].place = Place::Granted;
        }
    }
}
