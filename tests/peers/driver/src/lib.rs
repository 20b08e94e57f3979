//! The code that all Rust drivers share, so that they differ only in the client: the command line,
//! the load, the measurement and the line of JSON at the end.
//!
//! ```text
//! peer-x URL WORK COUNT AT_ONCE WARM_UP EXPECT
//! ```
//!
//! `WORK` is `chats`, `streams` or `batch`. `EXPECT` is how many bytes each answer must have, in
//! the form that the client sees, so that a lost or truncated answer counts as an error.

mod async_load;
mod blocking_load;
mod measure;

pub use async_load::{AsyncLoad, Peer, Runtime, Seen, Task};
pub use blocking_load::{BlockingLoad, BlockingPeer};

use measure::Usage;

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole answers, from `at_once` loops.
    Chats,
    /// Streamed answers, likewise.
    Streams,
    /// Whole answers, with the client's method for many prompts.
    Batch,
}

/// The command line.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The base URL, with `/v1` and without a trailing slash.
    pub url: String,
    pub kind: Kind,
    pub count: usize,
    pub at_once: usize,
    pub warm_up: usize,
    pub expect: usize,
}

/// An amount of work: `count` answers, `at_once` at a time.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub kind: Kind,
    pub count: usize,
    pub at_once: usize,
    pub expect: usize,
}

/// The result of the work.
#[derive(Debug, Default)]
pub struct Done {
    /// The time of each call to the end of its answer; empty for a batch.
    pub latencies_ns: Vec<u64>,
    pub answers: usize,
    pub events: usize,
    pub errors: usize,
    pub first_error: Option<String>,
}

impl Done {
    /// Counts one answer.
    pub fn add(&mut self, seen: Result<Seen, String>, expect: usize) {
        let wrong = match seen {
            Ok(seen) if seen.bytes == expect => {
                self.answers += 1;
                self.events += seen.events;
                return;
            }
            Ok(seen) => format!("{} bytes instead of {expect}", seen.bytes),
            Err(error) => error,
        };
        self.errors += 1;
        self.first_error.get_or_insert(wrong);
    }

    /// Adds the result of another loop.
    pub fn merge(&mut self, other: Self) {
        self.latencies_ns.extend(other.latencies_ns);
        self.answers += other.answers;
        self.events += other.events;
        self.errors += other.errors;
        if self.first_error.is_none() {
            self.first_error = other.first_error;
        }
    }
}

/// A client under load.
pub trait Load {
    fn run(&mut self, work: Work) -> Done;
}

/// The prompt with this number.
pub fn prompt(number: usize) -> String {
    format!("Why is the sky blue? ({number})")
}

/// The request body, for clients that do not write JSON themselves.
pub fn body(number: usize, stream: bool) -> String {
    let stream = if stream { r#","stream":true"# } else { "" };
    format!(
        r#"{{"model":"bench","messages":[{{"role":"user","content":"{}"}}],"temperature":0.0,"max_tokens":256{stream}}}"#,
        prompt(number)
    )
}

/// Reads the command line, runs the load and prints the measurements.
pub fn main<L: Load>(make: impl FnOnce(&Setup) -> L) {
    let setup = match Setup::from_args() {
        Ok(setup) => setup,
        Err(error) => {
            eprintln!("{error}\nusage: URL chats|streams|batch COUNT AT_ONCE WARM_UP EXPECT");
            std::process::exit(2);
        }
    };
    measure::raise_file_limit();
    let mut load = make(&setup);
    let work = |count| Work {
        kind: setup.kind,
        count,
        at_once: setup.at_once.min(count),
        expect: setup.expect,
    };
    // The warm-up does the same kind of work, so that connections are open and code is loaded.
    let warm = load.run(work(setup.warm_up.max(1)));
    let memory_before = measure::begin_memory();
    let before = Usage::now();
    let mut done = load.run(work(setup.count));
    let used = Usage::now().since(before);
    let memory_peak = measure::peak_memory_kib();
    done.latencies_ns.sort_unstable();
    println!(
        "{}",
        serde_json::json!({
            "answers": done.answers,
            "events": done.events,
            "errors": done.errors + warm.errors,
            "first_error": done.first_error.or(warm.first_error),
            "wall_us": used.wall.as_secs_f64() * 1e6,
            "user_us": used.user.as_secs_f64() * 1e6,
            "system_us": used.system.as_secs_f64() * 1e6,
            "p50_us": quantile(&done.latencies_ns, 0.50),
            "p99_us": quantile(&done.latencies_ns, 0.99),
            "memory_before_kib": memory_before,
            "memory_peak_kib": memory_peak,
        })
    );
}

/// A quantile of sorted nanoseconds, in microseconds.
fn quantile(sorted: &[u64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = (last as f64 * q).round() as usize;
    Some(sorted[place] as f64 / 1e3)
}

impl Setup {
    fn from_args() -> Result<Self, String> {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [url, kind, count, at_once, warm_up, expect] = args.as_slice() else {
            return Err(format!("six arguments are wanted, not {}", args.len()));
        };
        let number = |text: &String| {
            text.parse()
                .map_err(|_| format!("`{text}` is not a number"))
        };
        Ok(Self {
            url: url.clone(),
            kind: match kind.as_str() {
                "chats" => Kind::Chats,
                "streams" => Kind::Streams,
                "batch" => Kind::Batch,
                other => return Err(format!("`{other}` is no work")),
            },
            count: number(count)?,
            at_once: number(at_once)?,
            warm_up: number(warm_up)?,
            expect: number(expect)?,
        })
    }
}
