//! Spawned tasks. One thread polls them all, so that they never wait for a blocking call.
//!
//! The thread owns the futures. A waker holds only the task's number and the inbox, so a waker that
//! outlives its task keeps nothing else alive.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};

use chatcore::BoxFuture;

use super::sync::{lock, wait};
use super::thread_group::ThreadGroup;

/// How many rounds of polling the ready tasks get once the pool closes. It is enough for tasks that
/// are about to end, and a task that is always ready cannot keep the pool open.
const LAST_ROUNDS: usize = 100;

pub(super) struct Tasks {
    inbox: Mutex<Inbox>,
    mail: Condvar,
}

#[derive(Default)]
struct Inbox {
    new: VecDeque<BoxFuture<'static, ()>>,
    woken: VecDeque<Arc<TaskWaker>>,
    running: bool,
    /// Whether the thread waits on `mail`. Notifying it at other times would waste a system call.
    waiting: bool,
    closed: bool,
}

struct TaskWaker {
    id: u64,
    /// Whether this waker is already in `woken`.
    queued: AtomicBool,
    tasks: Weak<Tasks>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(tasks) = self.tasks.upgrade() {
            let waiting = {
                let mut inbox = lock(&tasks.inbox);
                inbox.woken.push_back(Arc::clone(self));
                inbox.waiting
            };
            if waiting {
                tasks.mail.notify_one();
            }
        }
    }
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self {
            inbox: Mutex::default(),
            mail: Condvar::new(),
        }
    }

    /// Hands `task` to the thread. A closed pool drops it.
    pub(super) fn spawn(self: &Arc<Self>, group: &ThreadGroup, task: BoxFuture<'static, ()>) {
        let mut inbox = lock(&self.inbox);
        if inbox.closed {
            drop(inbox);
            drop(task);
            return;
        }
        inbox.new.push_back(task);
        if inbox.running {
            let waiting = inbox.waiting;
            drop(inbox);
            if waiting {
                self.mail.notify_one();
            }
            return;
        }
        let tasks = Arc::clone(self);
        match group.start(None, move || tasks.run()) {
            Ok(()) => inbox.running = true,
            Err(_) => {
                // The task waits in the inbox, and the next spawn tries again to start the thread.
            }
        }
    }

    /// Makes the thread poll what is ready, drop what still waits, and end.
    pub(super) fn close(&self) {
        lock(&self.inbox).closed = true;
        self.mail.notify_one();
    }

    fn run(self: Arc<Self>) {
        let mut waiting: HashMap<u64, (BoxFuture<'static, ()>, Waker)> = HashMap::new();
        let mut next_id = 0;
        let mut last_rounds = LAST_ROUNDS;
        loop {
            let (new, woken) = {
                let mut inbox = lock(&self.inbox);
                if inbox.closed {
                    last_rounds -= 1;
                }
                while last_rounds == 0 || (inbox.new.is_empty() && inbox.woken.is_empty()) {
                    if inbox.closed {
                        drop(inbox);
                        for (_, (task, _)) in waiting.drain() {
                            drop_quietly(task);
                        }
                        return;
                    }
                    inbox.waiting = true;
                    inbox = wait(&self.mail, inbox);
                    inbox.waiting = false;
                }
                (
                    std::mem::take(&mut inbox.new),
                    std::mem::take(&mut inbox.woken),
                )
            };
            for task in woken {
                task.queued.store(false, Ordering::Release);
                if let Some((future, waker)) = waiting.remove(&task.id) {
                    poll(task.id, future, waker, &mut waiting);
                }
            }
            for future in new {
                let waker = Waker::from(Arc::new(TaskWaker {
                    id: next_id,
                    queued: AtomicBool::new(false),
                    tasks: Arc::downgrade(&self),
                }));
                poll(next_id, future, waker, &mut waiting);
                next_id += 1;
            }
        }
    }
}

/// Polls a task once, and keeps it if it is not done. A panic ends the task and nothing else.
fn poll(
    id: u64,
    mut future: BoxFuture<'static, ()>,
    waker: Waker,
    waiting: &mut HashMap<u64, (BoxFuture<'static, ()>, Waker)>,
) {
    let mut cx = Context::from_waker(&waker);
    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx))) {
        Ok(Poll::Pending) => {
            waiting.insert(id, (future, waker));
        }
        Ok(Poll::Ready(())) | Err(_) => drop_quietly(future),
    }
}

fn drop_quietly(task: BoxFuture<'static, ()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(task)));
}
