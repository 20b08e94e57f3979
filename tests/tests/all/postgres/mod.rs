//! The journal in PostgreSQL, on a server of its own. Without one, these tests are skipped and say
//! so.

mod journal;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chatcore::{ChatRequest, Executor};
use chatcore_adapters::journal::postgres::Database;
use chatcore_tests::postgres::Postgres;
use serde_json::json;

/// The name of a new run.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("run {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn database(server: &Postgres, executor: &Arc<dyn Executor>) -> Database {
    Database::new(Arc::clone(executor), &server.url()).unwrap()
}

fn line((id, request): &(String, ChatRequest)) -> String {
    let line = json!({
        "custom_id": id,
        "model": request.model,
        "messages": [{"role": "user", "content": request.messages[0].text()}],
        "max_tokens": request.max_tokens,
    });
    format!("{line}\n")
}
