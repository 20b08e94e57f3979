//! The lanes of one socket: choosing one for a call, and finding the one for a message.

use std::sync::Arc;

use super::context::Context;
use super::create::Create;
use super::inbox::Inbox;
use super::message::{Meaning, Message};

/// How many lane names a socket may use over its life: OpenAI's limit.
const MAX_NAMES: usize = 32;

/// The lanes of one socket.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    /// How many names have been used.
    names: usize,
    /// Whether the server supports lanes. Unknown before its first answer.
    pub(super) are_told_apart: Option<bool>,
}

/// A lane: its current call, and the context that the server keeps after the previous one.
#[derive(Debug)]
struct Lane {
    name: usize,
    call: Option<Call>,
    context: Option<Context>,
}

/// A call whose answer has not ended.
#[derive(Debug)]
struct Call {
    inbox: Arc<Inbox>,
    /// The context of this call so far.
    context: Context,
}

/// What to send to begin a call on a lane.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// The lane's name, unless the server does not support lanes.
    pub(super) name: Option<String>,
    /// The last response in the lane's context, and how many items of the call's input the context
    /// has.
    pub(super) known: Option<(String, usize)>,
}

impl Lanes {
    pub(super) fn new(are_told_apart: Option<bool>) -> Self {
        Self {
            lanes: Vec::new(),
            names: 0,
            are_told_apart,
        }
    }

    /// How many calls are in progress.
    pub(super) fn in_flight(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.call.is_some()).count()
    }

    /// Whether any caller still waits for an answer.
    pub(super) fn has_readers(&self) -> bool {
        self.inboxes().any(|inbox| !inbox.is_abandoned())
    }

    /// The inboxes of the calls in progress.
    pub(super) fn inboxes(&self) -> impl Iterator<Item = &Arc<Inbox>> {
        let calls = self.lanes.iter().filter_map(|lane| lane.call.as_ref());
        calls.map(|call| &call.inbox)
    }

    /// Whether no further call is possible, because all names are used and no lane is left.
    pub(super) fn are_spent(&self) -> bool {
        self.names == MAX_NAMES && self.lanes.is_empty()
    }

    /// Whether another call is possible: up to `max` at once, or one if lanes are not supported.
    pub(super) fn have_room(&self, max: usize) -> bool {
        let max = match self.are_told_apart {
            Some(true) => max,
            Some(false) | None => 1,
        };
        let has_lane = self.names < MAX_NAMES || self.lanes.iter().any(|lane| lane.call.is_none());
        self.in_flight() < max && has_lane
    }

    /// The most items of the call's input that any free lane already knows.
    pub(super) fn known(&self, create: &Create) -> Option<usize> {
        let free = self.lanes.iter().filter(|lane| lane.call.is_none());
        free.filter_map(|lane| lane.known(create)).max()
    }

    /// Puts a call on the free lane that knows most of its input. If there is none, uses a lane
    /// without a context, a new lane, or the lane with the oldest context, in that order. With
    /// `whole`, the lane's context is not used.
    pub(super) fn begin(
        &mut self,
        create: &Create,
        whole: bool,
        inbox: Arc<Inbox>,
    ) -> Option<Beginning> {
        let at = self
            .fitting(create)
            .or_else(|| self.add())
            .or_else(|| self.oldest())?;
        let is_named = self.are_told_apart != Some(false);
        // Lanes are sorted by their last use, so this lane moves to the end.
        self.lanes[at..].rotate_left(1);
        let lane = self.lanes.last_mut()?;
        let known = lane.known(create).filter(|count| *count > 0 && !whole);
        let context = lane.context.take();
        lane.call = Some(Call {
            inbox,
            context: Context::of(create),
        });
        Some(Beginning {
            name: is_named.then(|| name(lane.name)),
            known: known
                .zip(context)
                .map(|(count, context)| (context.id, count)),
        })
    }

    /// The free lane that knows most of the call's input, else one without a context.
    fn fitting(&self, create: &Create) -> Option<usize> {
        let free = (0..self.lanes.len()).filter(|at| self.lanes[*at].call.is_none());
        let known = free
            .clone()
            .filter_map(|at| Some((self.lanes[at].known(create)?, at)));
        let fitting = known.max().map(|(_, at)| at);
        fitting.or_else(|| free.clone().find(|at| self.lanes[*at].context.is_none()))
    }

    /// The free lane that has been unused for longest.
    fn oldest(&self) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.call.is_none())
    }

    fn add(&mut self) -> Option<usize> {
        if self.names == MAX_NAMES || self.are_told_apart == Some(false) && !self.lanes.is_empty() {
            return None;
        }
        self.lanes.push(Lane {
            name: self.names,
            call: None,
            context: None,
        });
        self.names += 1;
        Some(self.lanes.len() - 1)
    }

    /// The lane for a message: the lane that the message names, or the only one with a call.
    pub(super) fn find(&self, message: &Message<'_>) -> Option<usize> {
        let mut busy = (0..self.lanes.len()).filter(|at| self.lanes[*at].call.is_some());
        match &message.stream_id {
            Some(named) => busy.find(|at| name(self.lanes[*at].name) == **named),
            None => busy.next().filter(|_| busy.next().is_none()),
        }
    }

    /// Applies a message to the lane at `at`. Returns the inbox that gets the message.
    pub(super) fn take_in(&mut self, at: usize, message: &Message<'_>) -> Option<Arc<Inbox>> {
        let meaning = message.meaning();
        let lane = self.lanes.get_mut(at)?;
        let call = lane.call.as_mut()?;
        if let Some(item) = message.done_item() {
            call.context.add(item);
        }
        if meaning == Meaning::Event {
            return Some(call.inbox.clone());
        }
        let call = lane.call.take()?;
        if meaning == Meaning::Completed {
            let mut context = call.context;
            lane.context = message.response_id().map(|id| {
                context.id = id;
                context
            });
        }
        if meaning == Meaning::Error && self.are_told_apart == Some(true) {
            // The server may send more about the failed request, so the lane's name is not used
            // again.
            self.lanes.remove(at);
        }
        Some(call.inbox)
    }

    /// Drops the contexts of all lanes, because the server has lost one.
    pub(super) fn forget(&mut self) {
        for lane in &mut self.lanes {
            lane.context = None;
        }
    }
}

impl Lane {
    /// How many items of the call's input are in the lane's context. `Some(0)` if the caller's
    /// `previous_response_id` is the lane's response; `None` if the context belongs to another
    /// conversation.
    fn known(&self, create: &Create) -> Option<usize> {
        let context = self.context.as_ref()?;
        match create.previous() {
            Some(previous) => (context.id == previous).then_some(0),
            None => context.known(create),
        }
    }
}

fn name(number: usize) -> String {
    format!("lane-{number}")
}
