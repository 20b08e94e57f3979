//! The spans of the feature `tracing`, as a subscriber sees them.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{
    ByteStream, ErrorKind, LlmClient, LlmClientBuilder, Provider, Transport, TransportError,
};
use chatcore_adapters::sim::{Fault, Script, Sim, SimTransport};
use http::{Request, Response};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

type Fields = BTreeMap<String, String>;

/// What was recorded of one span.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: String,
    parent: Option<String>,
    fields: Fields,
    events: Vec<Fields>,
}

/// Collects spans when they close.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Seen>>>);

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").unwrap();
        self.0.insert(field.name().to_owned(), text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        // Unsigned numbers are refused, because OpenTelemetry has none and its layer would write a
        // string.
        panic!("{} is recorded as the unsigned {value}", field.name());
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Collector {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut seen = Seen {
            name: span.name().to_owned(),
            parent: span.parent().map(|parent| parent.name().to_owned()),
            ..Seen::default()
        };
        attributes.record(&mut Reader(&mut seen.fields));
        span.extensions_mut().insert(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        let seen: &mut Seen = extensions.get_mut().unwrap();
        values.record(&mut Reader(&mut seen.fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if let Some(span) = context.event_span(event) {
            let mut fields = Fields::new();
            event.record(&mut Reader(&mut fields));
            let mut extensions = span.extensions_mut();
            let seen: &mut Seen = extensions.get_mut().unwrap();
            seen.events.push(fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let seen: Seen = span.extensions_mut().remove().unwrap();
        self.0.lock().unwrap().push(seen);
    }
}

/// Runs a scenario against the simulated provider, and returns the spans that were closed.
fn collect<F: Future<Output = ()>>(
    script: Script,
    scenario: impl FnOnce(Arc<SimTransport>, LlmClientBuilder) -> F,
) -> Vec<Seen> {
    let collector = Collector::default();
    let subscriber = tracing_subscriber::registry().with(collector.clone());
    tracing::subscriber::with_default(subscriber, || {
        let sim = Sim::new(1);
        let transport = SimTransport::builder(&sim).script(script).build();
        let builder = LlmClient::builder(sim.executor(), transport.clone())
            .provider(Provider::deepseek().with_api_key("sk-simulated"))
            .max_attempts(2);
        sim.run(scenario(transport, builder));
    });
    let seen = collector.0.lock().unwrap();
    for span in &*seen {
        let text = format!("{span:?}");
        assert!(!text.contains("sk-simulated"), "a key in a span: {text}");
        assert!(
            !text.contains("a secret prompt"),
            "a prompt in a span: {text}"
        );
    }
    seen.clone()
}

#[test]
fn a_call_has_the_names_of_the_conventions() {
    let seen = collect(Script::new(), |_, builder| async move {
        let client = builder.build().unwrap();
        let outer = tracing::info_span!("outer");
        let call = client
            .chat_async("a secret prompt")
            .temperature(0.5)
            .max_tokens(100);
        let response = outer.in_scope(|| call.into_future());
        // The parent is the span that is current when the call is first polled.
        tracing::Instrument::instrument(response, outer)
            .await
            .unwrap();
    });
    let span = seen.iter().find(|span| span.name == "chat").unwrap();
    assert_eq!(span.parent.as_deref(), Some("outer"));
    let expected = [
        ("otel.name", "chat deepseek-flash"),
        ("otel.kind", "client"),
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "deepseek"),
        ("gen_ai.request.model", "deepseek-flash"),
        ("gen_ai.request.stream", "false"),
        ("gen_ai.request.temperature", "0.5"),
        ("gen_ai.request.max_tokens", "100"),
        ("server.address", "api.deepseek.com"),
        ("server.port", "443"),
        ("gen_ai.response.finish_reasons", "[\"stop\"]"),
        ("chatcore.attempts", "1"),
        ("chatcore.outcome", "succeeded"),
    ];
    for (name, value) in expected {
        assert_eq!(
            span.fields.get(name).map(|text| &**text),
            Some(value),
            "{name}: {span:?}"
        );
    }
    for name in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"] {
        assert!(span.fields[name].parse::<u64>().unwrap() > 0, "{name}");
    }
    for name in [
        "error.type",
        "gen_ai.request.top_p",
        "gen_ai.response.time_to_first_chunk",
    ] {
        assert!(!span.fields.contains_key(name), "{name}: {span:?}");
    }
}

/// A transport that echoes the key in every field of an answer that a span records.
#[derive(Debug)]
struct Parrot;

#[async_trait]
impl Transport for Parrot {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let body = r#"{"id": "sk-simulated", "model": "%73k-simulated", "choices": [
            {"message": {"content": "hi"}, "finish_reason": "sk-simulated"}]}"#;
        Ok(Response::new(ByteStream::from_bytes(body)))
    }
}

#[test]
fn what_a_server_echoes_in_an_answer_is_no_key_in_a_span() {
    let seen = collect(Script::new(), |_, builder| async move {
        let executor = Arc::clone(builder.build().unwrap().executor());
        let client = LlmClient::builder(executor, Arc::new(Parrot))
            .provider(Provider::deepseek().with_api_key("sk-simulated"))
            .build()
            .unwrap();
        client.chat_async("hi").await.unwrap();
    });
    let span = seen.iter().find(|span| span.name == "chat").unwrap();
    for name in ["gen_ai.response.id", "gen_ai.response.model"] {
        assert_eq!(span.fields[name], "[redacted]", "{span:?}");
    }
}

#[test]
fn a_stream_tells_its_first_chunk_and_a_dropped_one_was_cancelled() {
    let seen = collect(Script::new(), |_, builder| async move {
        let client = builder.build().unwrap();
        client
            .chat_async("hi")
            .stream()
            .into_response()
            .await
            .unwrap();
        let mut stream = client.chat_async("hi").stream();
        stream.next_text().await.unwrap().unwrap();
    });
    let outcome = |span: &Seen| span.fields["chatcore.outcome"].clone();
    assert_eq!(
        seen.iter().map(outcome).collect::<Vec<_>>(),
        ["succeeded", "cancelled"]
    );
    for span in &seen {
        assert_eq!(span.fields["gen_ai.request.stream"], "true");
        assert!(
            span.fields
                .contains_key("gen_ai.response.time_to_first_chunk")
        );
    }
}

#[test]
fn one_span_covers_all_attempts_and_says_what_failed() {
    let script = Script::new()
        .nth(1, Fault::Status(503))
        .nth(2, Fault::Status(500));
    let seen = collect(script, |transport, builder| async move {
        let client = builder.build().unwrap();
        let error = client.chat_async("a secret prompt").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(transport.stats().sent, 2);
    });
    let [span] = &*seen else {
        panic!("more than one span: {seen:?}");
    };
    assert_eq!(span.fields["error.type"], "server");
    assert_eq!(span.fields["otel.status_code"], "ERROR");
    assert_eq!(span.fields["chatcore.attempts"], "2");
    assert_eq!(span.fields["chatcore.outcome"], "failed");
    let retry = span
        .events
        .iter()
        .find(|event| event.contains_key("wait_seconds"));
    let retry = retry.unwrap();
    assert_eq!(
        (&*retry["error.type"], &*retry["status"]),
        ("overloaded", "503")
    );
    assert!(retry["wait_seconds"].parse::<f64>().unwrap() < Duration::from_secs(10).as_secs_f64());
}
