//! A key never appears in `Debug` or `Display` output, in a log or in an error, even if a server
//! echoes it.

mod demo;
mod echoes;

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, Once};
use std::thread::ThreadId;

use chatcore::{Config, Error, LlmClient, Provider};
use chatcore_adapters::BlockingCall;
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, UreqTransport};
use chatcore_conformance::server::Server;

const KEY: &str = "sk-do-not-show-0123456789abcdef";

/// The key for a path on the server. It is encoded, because a base URL is shown and must not
/// contain the key itself.
const IN_PATH: &str = "%73k-do-not-show-0123456789abcdef";

/// Everything that is logged, at every level.
#[derive(Default)]
struct Logs {
    all: Mutex<String>,
    /// The bytes that ureq-proto dumps in rows of 16, by thread: what is sent, and the bodies of
    /// responses.
    dumps: Mutex<Vec<(ThreadId, String)>>,
}

impl log::Log for Logs {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}\n", record.target(), record.args());
        if record.target() != "ureq_proto::util" {
            self.all.lock().unwrap().push_str(&line);
            return;
        }
        let letters = &line.trim_end_matches('\n')[line.len() - 17..];
        let mut dumps = self.dumps.lock().unwrap();
        let id = std::thread::current().id();
        match dumps.iter_mut().find(|(thread, _)| *thread == id) {
            Some((_, dump)) => dump.push_str(letters),
            None => dumps.push((id, letters.to_owned())),
        }
    }

    fn flush(&self) {}
}

static LOGS: LazyLock<Logs> = LazyLock::new(Logs::default);

/// Collects everything that is logged from now on, by all tests of the process.
pub(crate) fn collect_logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&*LOGS).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// What was logged so far.
pub(crate) fn logged() -> String {
    LOGS.all.lock().unwrap().clone()
}

/// Everything that an error shows, its sources included.
fn said(error: &Error) -> String {
    let mut said = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(cause) = source {
        write!(said, " {cause} {cause:?}").unwrap();
        source = cause.source();
    }
    said
}

#[test]
fn keys_show_nowhere() {
    collect_logs();
    let server = Server::start().unwrap();
    let mut said_by_all = String::new();

    let config = Config::from_vars(|name| match name {
        "LLM_API_KEY" => Some(KEY.to_owned()),
        _ => None,
    })
    .unwrap();
    write!(said_by_all, "{config:?} {config:#?}").unwrap();

    let smol = Arc::new(SmolExecutor::new());
    let pool = ThreadPool::new(2).unwrap();
    let clients = |provider: Provider| {
        let provider = provider.with_header("x-extra", KEY).unwrap();
        [
            LlmClient::builder(smol.clone(), Arc::new(Http1Transport::new(smol.clone())))
                .provider(provider.clone())
                .max_attempts(1)
                .build()
                .unwrap(),
            LlmClient::builder(
                Arc::new(pool.clone()),
                Arc::new(UreqTransport::new(pool.clone())),
            )
            .provider(provider)
            .max_attempts(1)
            .build()
            .unwrap(),
        ]
    };
    let mut errors = 0;
    let echo = format!("body/{{%22error%22:%22bad%20key%20{IN_PATH}%22}}");
    for behaviour in [
        "ok".to_owned(),
        format!("status/401/{echo}"),
        format!("status/500/{echo}"),
        echo.clone(),
        format!("status/400/body/{IN_PATH}"),
        format!("body/{IN_PATH}"),
        format!("body/%3Ctitle%3E{IN_PATH}"),
        format!("header/x-request-id/{IN_PATH}/status/404"),
        "reset/start".to_owned(),
        "reset/mid-head".to_owned(),
        "cut/20".to_owned(),
        "garbage".to_owned(),
        "redirect/307/other".to_owned(),
    ] {
        let base = server.url(&format!("/key/all/{behaviour}"));
        for provider in [
            Provider::openai_compatible(format!("{base}/v1"), "tiny").with_api_key(KEY),
            Provider::anthropic().with_base_url(base).with_api_key(KEY),
        ] {
            write!(said_by_all, "{provider:?}").unwrap();
            for client in clients(provider) {
                let call = client.chat_async("hi").header("x-of-one-call", KEY);
                write!(said_by_all, "{client:?} {client:#?} {call:?}").unwrap();
                if let Err(error) = call.clone().wait() {
                    errors += 1;
                    said_by_all.push_str(&said(&error));
                }
                let mut stream = call.stream();
                while let Some(event) = smol::block_on(stream.next()) {
                    if let Err(error) = event {
                        errors += 1;
                        said_by_all.push_str(&said(&error));
                    }
                }
            }
        }
    }
    // Errors about keys that cannot be sent do not show the keys either.
    for bad in ["\n", " ", "é", "\u{7}", "'"] {
        let provider = Provider::deepseek().with_api_key(format!("{KEY}{bad}x'"));
        let built = LlmClient::builder(smol.clone(), Arc::new(Http1Transport::new(smol.clone())))
            .provider(provider)
            .build();
        said_by_all.push_str(&said(&built.unwrap_err()));
    }

    assert!(
        errors > 60,
        "only {errors} errors: is the server as it was?"
    );
    let sent = smol::block_on(server.request("all")).unwrap();
    let sent = sent.headers.iter().any(|(_, value)| value.contains(KEY));
    assert!(sent, "the key was not sent, so nothing was proved");
    let logs = LOGS.all.lock().unwrap().clone();
    for (what, text) in [("what was said", said_by_all), ("the logs", logs)] {
        if let Some(at) = text.find(KEY) {
            let from = at.saturating_sub(200);
            panic!("the key shows in {what}: …{}", &text[from..at + KEY.len()]);
        }
    }
}
