//! Measures how late answers are on an event loop.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chatcore::{LlmClient, Provider, RetryPolicy, Transport, gather_with_limit};

use crate::{Host, patient};

/// How long the server waits before it answers.
const SERVERS_OWN: Duration = Duration::from_millis(20);

/// How many chats run at once in the concurrent part of a round.
const AT_ONCE: usize = 3;

/// How long chats took, without the time that the server waited on purpose, in the order in which
/// they ended.
#[derive(Clone, Debug, Default)]
pub struct Lateness {
    /// One chat alone, answered whole.
    pub whole: Vec<Duration>,
    /// One chat alone, streamed to its end.
    pub streamed: Vec<Duration>,
    /// Three chats at once, answered whole.
    pub three: Vec<Duration>,
}

/// Runs `rounds` rounds: one chat after the other, then three at once, over reused connections.
///
/// `base` is the base URL of a loopback server, preferably in another process: a server in this
/// process would turn the reactor that the transport relies on. Chats that take longer than `cap`
/// count as a hang.
///
/// # Errors
/// If a chat fails or never ends.
pub fn lateness(
    host: Host,
    transport: Arc<dyn Transport>,
    base: &str,
    rounds: usize,
    cap: Duration,
) -> Result<Lateness, String> {
    let url = format!("{base}/delay/{}ms/v1", SERVERS_OWN.as_millis());
    // One attempt, because a second one would hide that the first never ended.
    let client = LlmClient::builder(Arc::clone(host.executor()), transport)
        .provider(Provider::openai_compatible(url, "tiny"))
        .timeouts(patient())
        .retry(RetryPolicy::default().max_attempts(1))
        .build()
        .map_err(|error| error.to_string())?;
    let seen = Arc::new(Mutex::new(Lateness::default()));
    let told = Arc::clone(&seen);
    let case = Box::pin(async move {
        let mut lateness = Lateness::default();
        for _ in 0..rounds {
            lateness.whole.push(whole(&client).await?);
            lateness.streamed.push(streamed(&client).await?);
            let chats = (0..AT_ONCE).map(|_| whole(&client));
            for late in gather_with_limit(chats, AT_ONCE).await {
                lateness.three.push(late?);
            }
        }
        *told.lock().unwrap_or_else(PoisonError::into_inner) = lateness;
        Ok(())
    });
    host.run(cap, case)?;
    let lateness = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(lateness)
}

async fn whole(client: &LlmClient) -> Result<Duration, String> {
    let began = Instant::now();
    let answer = client.chat_async("hello").await;
    let took = began.elapsed();
    let answer = answer.map_err(|error| format!("whole: {error}, after {took:?}"))?;
    check(&answer.text(), took)
}

async fn streamed(client: &LlmClient) -> Result<Duration, String> {
    let began = Instant::now();
    let mut stream = client.chat_async("hello").stream();
    let mut came = String::new();
    while let Some(text) = stream.next_text().await {
        let took = began.elapsed();
        came += &text.map_err(|error| format!("streamed: {error}, after {took:?}"))?;
    }
    check(&came, began.elapsed())
}

fn check(text: &str, took: Duration) -> Result<Duration, String> {
    match text {
        "echo: hello" => Ok(took.saturating_sub(SERVERS_OWN)),
        other => Err(format!("the answer is {other:?}")),
    }
}
