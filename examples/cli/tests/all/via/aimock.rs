//! OpenAI's Batch API as somebody else has simulated it: aimock, from npm.

use crate::harness::{Folder, chatcore, requests, run};

/// The server of CHATCORE_AIMOCK, which `.ci/test` starts.
#[test]
fn aimocks_batches_are_run() {
    let Ok(url) = std::env::var("CHATCORE_AIMOCK") else {
        println!("skipped: CHATCORE_AIMOCK is not set");
        return;
    };
    let folder = Folder::new();
    folder.write("in.jsonl", &requests(25));
    let (status, _, err) = run(chatcore(&folder)
        .env("LLM_PROVIDER", "openai")
        .env("LLM_MODEL", "gpt-6-luna")
        .env("LLM_API_KEY", "sk-0123456789abcdef")
        .env("LLM_BASE_URL", format!("{url}/v1"))
        .args(["batch", "run", "in.jsonl", "-o", "out.jsonl"])
        .args(["--via", "provider", "--poll", "20ms", "--batch-size", "10"]));
    assert_eq!(status, 0, "{err}");
    let results = folder.results("out.jsonl");
    assert_eq!(results.len(), 25);
    assert!(results.values().all(|&times| times == 1));
    assert!(folder.read("out.jsonl").contains("Mock batch completion"));
}
