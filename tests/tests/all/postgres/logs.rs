//! No log line holds the password, at any level.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore_adapters::journal::postgres::Database;
use chatcore_tests::postgres::PASSWORD;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::{Setup, failures, prompts};
use crate::keys;

/// The fields of every event and span of this thread. sqlx writes to `tracing`.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = self.0.lock().unwrap();
        write!(text, "\n{}", event.metadata().target()).unwrap();
        event.record(&mut Fields(&mut text));
    }

    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut text = self.0.lock().unwrap();
        write!(text, "\n{}", span.metadata().target()).unwrap();
        span.record(&mut Fields(&mut text));
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

#[test]
fn no_log_line_tells_the_password() {
    keys::collect_logs();
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    let mut has_run = false;
    tracing::subscriber::with_default(subscriber, || {
        Setup::run(async |setup| {
            has_run = true;
            for url in failures::wrong_urls(setup) {
                if let Ok(database) = Database::new(Arc::clone(&setup.executor), &url) {
                    let database = database.patience(Duration::from_millis(1));
                    database.status("none").await.unwrap_err();
                }
            }
            setup.submit(&prompts(1)).await;
            setup.database.status("none").await.unwrap_err();
            // Shows that a line with the password would be seen.
            tracing::trace!(seen = "by tracing", "a line of the test");
            log::trace!("a line of the test, seen by log");
        });
    });
    if !has_run {
        return;
    }
    let traced = lines.0.lock().unwrap();
    let logged = keys::logged();
    assert!(traced.contains("by tracing"));
    assert!(logged.contains("seen by log"));
    for secret in ["pa55", PASSWORD] {
        for text in [&*traced, &logged] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None);
        }
    }
}
