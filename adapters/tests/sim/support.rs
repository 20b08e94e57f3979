//! Helpers that the scenarios share.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{ChatCall, Error, ErrorKind, LlmClient, LlmClientBuilder, Phase, Provider};
use chatcore_adapters::sim::{SimExecutor, SimTransport};

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A client without retries, and with an overall limit too long to matter.
pub(crate) fn client(sim: &Arc<SimExecutor>, transport: &Arc<SimTransport>) -> LlmClientBuilder {
    LlmClient::builder(sim.clone(), transport.clone())
        .provider(Provider::deepseek().with_api_key("sk-simulated"))
        .max_attempts(1)
        .timeout(secs(3_600))
}

/// Reads a stream to its end. Returns its text or its error.
pub(crate) async fn read(call: ChatCall) -> Result<String, Error> {
    let mut stream = call.stream();
    let mut text = String::new();
    while let Some(piece) = stream.next_text().await {
        text.push_str(&piece?);
    }
    Ok(text)
}

/// The limit that ran out, and the time.
pub(crate) fn timed_out(sim: &SimExecutor, error: &Error) -> (Phase, Duration) {
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    (error.phase().unwrap(), sim.now().since_epoch())
}

/// Asserts that nothing runs or waits, and that every call has ended in exactly one outcome.
pub(crate) fn assert_balanced(client: &LlmClient) {
    let status = client.status();
    assert_eq!((status.active, status.queued), (0, 0), "{status:?}");
    assert_eq!(
        status.started,
        status.succeeded + status.failed + status.cancelled,
        "{status:?}"
    );
}
