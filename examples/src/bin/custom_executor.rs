//! The core on a custom executor: the frame loop of a game, with one thread and no other runtime.
//!
//! Three characters speak at once while the game draws its frames. If the environment has a key, a
//! real model answers over HTTP; otherwise the offline demo model answers. The loop itself measures
//! the time between the demo model's words.
//!
//! ```text
//! cargo run --release --bin custom_executor
//! ```
//!
//! `Http1Transport::new(executor)` needs nothing more than this executor. A separate thread watches
//! its sockets and wakes the tasks, which continue in the next frame.

#![allow(clippy::print_stdout)] // an example program talks to people

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread::sleep;
use std::time::{Duration, Instant as StdInstant};

use async_task::Runnable;
use chatcore::{BoxFuture, Error, Executor, Instant, LlmClient};
use chatcore_examples::{client_or_demo_on, exit};

// ── the executor ──

/// A handle to the frame loop. Tasks run only in its frames.
#[derive(Clone, Debug)]
struct GameLoop {
    began: StdInstant,
    ready: Sender<Runnable>,
    /// The wakers of sleeping tasks. All are woken in every frame and check the clock. A loop with
    /// thousands of sleepers would sort them by time.
    sleepers: Arc<Mutex<Vec<Waker>>>,
}

impl Executor for GameLoop {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let ready = self.ready.clone();
        // A task that is woken after the loop has ended is dropped.
        let schedule = move |runnable| drop(ready.send(runnable));
        let (runnable, task) = async_task::spawn(task, schedule);
        task.detach();
        runnable.schedule();
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let game = self.clone();
        let until = self.now() + duration;
        Box::pin(poll_fn(move |cx| {
            if game.now() >= until {
                return Poll::Ready(());
            }
            lock(&game.sleepers).push(cx.waker().clone());
            Poll::Pending
        }))
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.began.elapsed())
    }
}

/// Makes the loop, and the queue from which `run_frame` takes its work.
fn game_loop() -> (GameLoop, Receiver<Runnable>) {
    let (ready, work) = channel();
    let game = GameLoop {
        began: StdInstant::now(),
        ready,
        sleepers: Arc::default(),
    };
    (game, work)
}

/// Polls each ready task once.
fn run_frame(game: &GameLoop, work: &Receiver<Runnable>) {
    let sleepers = std::mem::take(&mut *lock(&game.sleepers));
    sleepers.into_iter().for_each(Waker::wake);
    for runnable in work.try_iter().collect::<Vec<_>>() {
        // A panic ends only its task; the panic hook has already reported it.
        catch_unwind(AssertUnwindSafe(|| runnable.run())).ok();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ── the game ──

const FRAME: Duration = Duration::from_millis(16);

const SCENE: [(&str, &str); 3] = [
    ("the smith", "What is 6 * 7?"),
    ("the bard", "Write a poem about dragons."),
    ("the sage", "为什么天空是蓝色的？"),
];

/// What a character has said so far, and whether it has finished.
#[derive(Default)]
struct Bubble {
    text: String,
    words: usize,
    is_complete: bool,
}

fn main() -> ExitCode {
    exit(play())
}

fn play() -> Result<(), Error> {
    println!("Three characters speak at once.");
    let (game, work) = game_loop();
    let client = client_or_demo_on(Arc::new(game.clone()))?;

    let bubbles = SCENE.map(|(_, prompt)| {
        let bubble = Arc::new(Mutex::new(Bubble::default()));
        game.spawn(Box::pin(speak(client.clone(), prompt, bubble.clone())));
        bubble
    });
    let mut complete = [false; SCENE.len()];
    let mut frame = 0;
    while complete.contains(&false) {
        frame += 1;
        run_frame(&game, &work);
        draw(frame, &bubbles, &mut complete);
        sleep(FRAME);
    }
    println!("{frame} frames; {:?}", client.status());
    Ok(())
}

/// Fills a speech bubble word by word.
async fn speak(client: LlmClient, prompt: &'static str, bubble: Arc<Mutex<Bubble>>) {
    let mut stream = client.ask(prompt).stream();
    while let Some(text) = stream.next_text().await {
        let mut bubble = lock(&bubble);
        match text {
            Ok(text) => bubble.text += &text,
            Err(error) => bubble.text = error.to_string(),
        }
        bubble.words += 1;
    }
    lock(&bubble).is_complete = true;
}

/// Prints how far each character is, and the text of those who have finished.
fn draw(frame: u32, bubbles: &[Arc<Mutex<Bubble>>], complete: &mut [bool]) {
    let bubbles: Vec<_> = bubbles.iter().map(|bubble| lock(bubble)).collect();
    if frame.is_multiple_of(10) {
        let words: Vec<_> = bubbles.iter().map(|bubble| bubble.words).collect();
        println!("frame {frame:3}: words so far {words:?}");
    }
    for (place, bubble) in bubbles.iter().enumerate() {
        if bubble.is_complete && !complete[place] {
            complete[place] = true;
            println!("frame {frame:3}: {} said:\n{}", SCENE[place].0, bubble.text);
        }
    }
}
