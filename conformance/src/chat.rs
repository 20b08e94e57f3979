//! Cases over the whole client: whole answers and streams.

use std::sync::Arc;
use std::time::Duration;

use chatcore::dialect::OpenAiResponses;
use chatcore::{
    Caps, ChatEvent, ChatStream, Error, FinishReason, LlmClient, Provider, RetryPolicy, Timeouts,
    gather_with_limit,
};

use crate::pair::{CONNECT, Pair};
use crate::{Outcome, ensure};

/// Text with characters of several bytes, which no split may damage.
pub(crate) const PROMPT: &str = "你好, wörld 🦀 how are you";

/// A key that must be sent, but never shown.
pub(crate) const KEY: &str = "sk-conformance-0123456789";

pub(crate) fn providers(pair: &Pair, behaviour: &str) -> [Provider; 3] {
    let base = pair.url(behaviour);
    [
        Provider::openai_compatible(format!("{base}/v1"), "tiny").with_api_key(KEY),
        Provider::anthropic()
            .with_base_url(base.clone())
            .with_api_key(KEY)
            .with_model("tiny"),
        Provider::new(
            "responses",
            format!("{base}/v1"),
            "tiny",
            OpenAiResponses::default(),
        )
        .with_api_key(KEY),
    ]
}

pub(crate) fn client(pair: &Pair, provider: Provider) -> Result<LlmClient, String> {
    client_with(pair, provider, patient(), Caps::default())
}

/// Time limits that never fire, because a busy machine could exceed them. A call that hangs ends
/// when its case does.
pub(crate) fn patient() -> Timeouts {
    let mut limits = Timeouts::default();
    limits.connect = Some(CONNECT.0);
    (limits.byte_idle, limits.overall) = (None, None);
    limits
}

pub(crate) fn client_with(
    pair: &Pair,
    provider: Provider,
    timeouts: Timeouts,
    caps: Caps,
) -> Result<LlmClient, String> {
    // One attempt, so that every failure shows. The cases about retries set more.
    let mut retry = RetryPolicy::default().max_attempts(1);
    retry.base = Duration::from_millis(5);
    LlmClient::builder(Arc::clone(&pair.executor), Arc::clone(&pair.transport))
        .provider(provider)
        .workers(64)
        .timeouts(timeouts)
        .retry(retry)
        .caps(caps)
        .build()
        .map_err(|error| error.to_string())
}

pub(crate) fn openai(pair: &Pair, behaviour: &str) -> Result<LlmClient, String> {
    let [openai, ..] = providers(pair, behaviour);
    client(pair, openai)
}

/// Reads a stream. Returns its events, and the error that ended it.
pub(crate) async fn read(stream: &mut ChatStream) -> (Vec<ChatEvent>, Option<Error>) {
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => events.push(event),
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}

pub(crate) fn text_of(events: &[ChatEvent]) -> String {
    events.iter().filter_map(ChatEvent::as_text).collect()
}

/// A whole answer, in each dialect.
pub(crate) async fn whole_answers(pair: &Pair) -> Outcome {
    for provider in providers(pair, "/key/whole") {
        let name = provider.name().to_owned();
        let answer = client(pair, provider)?
            .chat_async(PROMPT)
            .system_prompt("Be brief.")
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        ensure!(
            answer.text() == format!("echo: {PROMPT}"),
            "{name}: {:?}",
            answer.text()
        );
        ensure!(
            answer.finish_reason == Some(FinishReason::Stop),
            "{name}: finished with {:?}",
            answer.finish_reason
        );
        let usage = answer
            .usage
            .as_ref()
            .map_or(0, |usage| usage.total_tokens());
        ensure!(usage > 0, "{name}: no usage");
        ensure!(answer.request_id.is_some(), "{name}: no request id");
        ensure!(answer.model == "tiny", "{name}: model {:?}", answer.model);
    }
    let sent = pair.server.request("whole").await?;
    let carries_key = sent.headers.iter().any(|(_, value)| value.contains(KEY));
    ensure!(carries_key, "the key was not sent");
    Ok(())
}

/// In each dialect, a stream has the same content as a whole answer, and folding its events gives
/// that answer.
pub(crate) async fn streams(pair: &Pair) -> Outcome {
    for provider in providers(pair, "/ok") {
        let name = provider.name().to_owned();
        let mut stream = client(pair, provider)?.chat_async(PROMPT).stream();
        let (events, error) = read(&mut stream).await;
        ensure!(error.is_none(), "{name}: {error:?}");
        ensure!(
            text_of(&events) == format!("echo: {PROMPT}"),
            "{name}: {events:?}"
        );
        let finishes = events
            .iter()
            .filter(|event| matches!(event, ChatEvent::Finish { .. }))
            .count();
        ensure!(finishes == 1, "{name}: {finishes} finishes in {events:?}");
        let answer = stream
            .into_response()
            .await
            .map_err(|error| error.to_string())?;
        ensure!(
            answer.text() == format!("echo: {PROMPT}"),
            "{name}: {answer:?}"
        );
        ensure!(answer.usage.is_some(), "{name}: no usage");
    }
    Ok(())
}

/// The answer is the same however its bytes are split, and whatever keep-alives come first.
pub(crate) async fn answers_survive_any_delivery(pair: &Pair) -> Outcome {
    delivered(
        pair,
        &[
            "/dribble/1/0ms",
            "/dribble/7/0ms",
            "/dribble/1/0ms/chunked",
            "/keepalives/3/2ms",
            "/blank/3/2ms",
            "/type/text%2Fplain",
            "/type/application%2Fjson",
            "/type/none",
            "/pad/1m",
        ],
    )
    .await
}

/// The answer is the same with any HTTP framing.
pub(crate) async fn answers_survive_any_framing(pair: &Pair) -> Outcome {
    delivered(pair, &["/close-delimited", "/interim/103/2", "/close-said"]).await
}

async fn delivered(pair: &Pair, behaviours: &[&str]) -> Outcome {
    for behaviour in behaviours {
        for provider in providers(pair, behaviour) {
            let what = format!("{behaviour}, {}", provider.name());
            let client = client(pair, provider)?;
            // Only streams can have comments, but blank lines may come before any answer.
            if !behaviour.starts_with("/keepalives") {
                let answer = client.chat_async(PROMPT).await;
                let answer = answer.map_err(|error| format!("{what}, whole: {error:?}"))?;
                ensure!(
                    answer.text().contains(PROMPT) && answer.finish_reason.is_some(),
                    "{what}, whole: {:?}",
                    answer.text().chars().take(80).collect::<String>()
                );
            }
            let (events, error) = read(&mut client.chat_async(PROMPT).stream()).await;
            ensure!(error.is_none(), "{what}, streamed: {error:?}");
            ensure!(
                text_of(&events).contains(PROMPT),
                "{what}, streamed: {} events without the text",
                events.len()
            );
        }
    }
    Ok(())
}

/// The terminal event ends a stream, even if the server keeps the socket open.
pub(crate) async fn a_terminal_event_ends_a_stream(pair: &Pair) -> Outcome {
    for provider in providers(pair, "/hold") {
        let what = provider.name().to_owned();
        let (events, error) = read(&mut client(pair, provider)?.chat_async(PROMPT).stream()).await;
        ensure!(error.is_none(), "{what}: {error:?}");
        ensure!(text_of(&events).contains(PROMPT), "{what}: {events:?}");
    }
    Ok(())
}

/// Sixty-four concurrent calls each get their own answer.
pub(crate) async fn answers_belong_to_their_questions(pair: &Pair) -> Outcome {
    let client = openai(pair, "/delay/5ms")?;
    let calls = (0..64).map(|n| client.chat_async(format!("question {n}")));
    let answers = gather_with_limit(calls, 64).await;
    for (n, answer) in answers.into_iter().enumerate() {
        let answer = answer.map_err(|error| format!("question {n}: {error}"))?;
        ensure!(
            answer.text() == format!("echo: question {n}"),
            "question {n}: {answer}"
        );
    }
    let status = client.status();
    ensure!(
        (status.succeeded, status.active, status.queued) == (64, 0, 0),
        "{status:?}"
    );
    Ok(())
}

/// Consecutive streams use one connection.
pub(crate) async fn streams_share_a_connection(pair: &Pair) -> Outcome {
    let client = openai(pair, "/ok")?;
    for _ in 0..5 {
        let (_, error) = read(&mut client.chat_async(PROMPT).stream()).await;
        ensure!(error.is_none(), "{error:?}");
    }
    let connections = pair.server.stats().accepted;
    ensure!(connections == 1, "{connections} connections for 5 streams");
    Ok(())
}
