//! The journals of the adapters, held to what the trait promises.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chatcore::{ChatRequest, Executor, Journal};
use chatcore_adapters::journal::MemoryJournal;
use chatcore_adapters::journal::files::{FilesJournal, Identity};
use chatcore_conformance::hosts::{frame_loop, smol};
use chatcore_conformance::{Keeper, NONE, journal_tests};
use serde_json::json;

fn memory(shape: fn(MemoryJournal) -> MemoryJournal) -> Keeper {
    Keeper::new(move |executor, items| {
        let journal = shape(MemoryJournal::new(Arc::clone(executor), items));
        let journal: Arc<dyn Journal> = Arc::new(journal);
        move || {
            let journal = Arc::clone(&journal);
            Box::pin(async move { Ok(journal) })
        }
    })
}

/// A folder that is deleted with it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder() -> Arc<Folder> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("chatcore-journal-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path).unwrap();
    Arc::new(Folder(path))
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

fn files(in_place: bool) -> Keeper {
    Keeper::new(move |executor: &Arc<dyn Executor>, items| {
        let (folder, executor) = (folder(), Arc::clone(executor));
        let input: String = items.iter().map(line).collect();
        std::fs::write(folder.0.join("in.jsonl"), input).unwrap();
        move || {
            let folder = Arc::clone(&folder);
            let paths = ["in.jsonl", "out.jsonl"].map(|name| folder.0.join(name));
            let [input, output] = paths;
            let executor = Arc::clone(&executor);
            let journal = FilesJournal::builder(executor, Identity::new(), input, output)
                .write_in_place(in_place);
            Box::pin(async move {
                let journal = journal.open().await?;
                Ok(Arc::new(journal) as Arc<dyn Journal>)
            })
        }
    })
}

journal_tests! {
    memory_without_an_end_of_leases: smol(), memory(|journal| journal), NONE;
    memory_in_small_chunks: frame_loop(), memory(|journal| journal.chunk(7)), NONE;
    memory_with_leases: smol(), memory(|journal| {
        journal.chunk(100).lease(Duration::from_millis(200))
    }), NONE;
    files_on_a_thread: smol(), files(false), NONE;
    files_on_a_frame_loop: frame_loop(), files(false), NONE;
    files_in_place: smol(), files(true), NONE;
}
