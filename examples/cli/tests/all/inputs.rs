//! `chatcore batch run`: bad inputs, and a provider that cannot be reached.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use chatcore_conformance::server::Server;

use crate::harness::{Folder, against, chatcore, requests, run};

const RUN: &[&str] = &["batch", "run", "in.jsonl", "-o", "out.jsonl"];

#[test]
fn a_number_names_a_line_and_a_bad_line_is_never_run() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write(
        "in.jsonl",
        "{\"custom_id\":7,\"prompt\":\"y\"}\n{\"custom_id\":[7],\"prompt\":\"y\"}\n\
         {\"custom_id\":\"c\",\"promt\":\"y\"}\n",
    );
    let (status, _, err) = run(against(&folder, &server, "key/ids").args(RUN));
    assert_eq!(status, 3, "{err}");
    assert!(err.contains("1 answer in out.jsonl, 2 errors in"), "{err}");
    assert!(!err.contains("further errors"), "{err}");
    // Each bad line is told once.
    assert_eq!(err.matches("custom_id is [7]").count(), 1, "{err}");
    assert_eq!(err.matches("promt").count(), 1, "{err}");
    assert_eq!(server.counts("ids").requests, 1);
    assert!(folder.results("out.jsonl").contains_key("7"));
    let errors = folder.results("out.errors.jsonl");
    assert!(
        errors.contains_key("request-2") && errors.contains_key("c"),
        "{errors:?}"
    );
    assert!(folder.read("out.errors.jsonl").contains("promt"));
    // A corrected line is run with --retry-errors.
    let mended = "{\"custom_id\":7,\"prompt\":\"y\"}\n{\"custom_id\":\"b\",\"prompt\":\"y\"}\n\
                  {\"custom_id\":\"c\",\"prompt\":\"y\"}\n";
    folder.write("in.jsonl", mended);
    let (status, _, err) = run(against(&folder, &server, "key/ids").args(RUN));
    assert_eq!(status, 2, "{err}");
    assert!(
        err.contains("--retry-errors") && err.contains("line 2 has changed"),
        "{err}"
    );
    let again = ["--retry-errors"];
    let (status, _, err) = run(against(&folder, &server, "key/ids").args(RUN).args(again));
    assert_eq!(status, 0, "{err}");
    assert_eq!(folder.results("out.jsonl").len(), 3);
}

#[test]
fn a_line_that_is_not_json_is_told_with_the_forms_that_are_read() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", "{\"prompt\":\"y\"}\nWhy?\n");
    let (status, _, err) = run(against(&folder, &server, "key/forms").args(RUN));
    assert_eq!(status, 3, "{err}");
    for told in [
        "line 2",
        "{\"prompt\": …}",
        "{\"messages\": […]}",
        "Batch API",
    ] {
        assert_eq!(err.matches(told).count(), 1, "{told}: {err}");
    }
}

#[test]
fn many_bad_lines_are_counted_and_each_is_told_at_most_once() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", "{\"prompt\":\"y\"}\n{\n{\n{\n{\n{\n{\n{\n");
    let (status, _, err) = run(against(&folder, &server, "key/many").args(RUN));
    assert_eq!(status, 3, "{err}");
    assert_eq!(
        err.matches("of the input cannot be run").count(),
        5,
        "{err}"
    );
    assert!(err.contains("7 lines in all cannot be run"), "{err}");
    assert!(!err.contains("further errors"), "{err}");
}

#[test]
fn an_empty_input_is_warned_of() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    for text in ["", "\n \n"] {
        folder.write("in.jsonl", text);
        let (status, _, err) = run(against(&folder, &server, "key/none").args(RUN));
        assert_eq!(status, 0, "{err}");
        assert!(err.contains("warning: in.jsonl has no items"), "{err}");
    }
}

#[test]
fn further_errors_are_told_when_there_are_some() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    for (items, are_told) in [(3, false), (4, true)] {
        folder.write("in.jsonl", &requests(items));
        let output = format!("out{items}.jsonl");
        let (status, _, err) = run(against(&folder, &server, "key/f/status/400")
            .args(["batch", "run", "in.jsonl", "-o", &output]));
        assert_eq!(status, 3, "{err}");
        assert_eq!(err.contains("further errors"), are_told, "{err}");
    }
}

#[test]
fn an_array_is_refused_with_what_to_do() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", "[\n{\"prompt\":\"x\"}\n]\n");
    for more in [&[][..], &["--dry-run"]] {
        let (status, _, err) = run(against(&folder, &server, "key/a").args(RUN).args(more));
        assert_eq!(status, 2, "{err}");
        assert!(err.contains("jq") && err.contains("--format text"), "{err}");
    }
    assert_eq!(server.counts("a").requests, 0);
    let text = ["--format", "text"];
    let (status, _, err) = run(against(&folder, &server, "key/a").args(RUN).args(text));
    assert_eq!(status, 0, "{err}");
}

#[test]
fn small_costs_have_their_digits() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(1));
    let dry = ["--dry-run", "--price", "0.1,0.2"];
    let (status, out, err) = run(against(&folder, &server, "key/cost").args(RUN).args(dry));
    assert_eq!(status, 0, "{err}");
    assert!(
        out.starts_with("1 item for") && !out.contains("$0.00 "),
        "{out}"
    );
}

#[test]
fn a_server_that_is_not_there_ends_the_run_without_errors() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(100));
    // Nothing listens at this port, because it was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (status, _, err) = run(chatcore(&folder)
        .env("LLM_PROVIDER", "openai_compatible")
        .env("LLM_MODEL", "m")
        .env("LLM_BASE_URL", format!("http://{address}/v1"))
        .args(RUN)
        .args(["--concurrency", "4", "--attempts", "1"]));
    assert_eq!(status, 1, "{err}");
    assert!(
        err.contains("nothing connects") && err.contains("100 items are left"),
        "{err}"
    );
    assert!(err.contains("LLM_BASE_URL"), "{err}");
    assert_eq!(folder.read("out.errors.jsonl"), "");
    // Once a server listens, all items run.
    let again = ["--force"];
    let (status, _, err) = run(against(&folder, &server, "key/back").args(RUN).args(again));
    assert_eq!(status, 0, "{err}");
    assert_eq!(folder.results("out.jsonl").len(), 100);
}

#[test]
fn a_server_that_drops_every_connection_ends_the_run_without_errors() {
    let folder = Folder::new();
    folder.write("in.jsonl", &requests(100));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let (status, _, err) = run(chatcore(&folder)
        .env("LLM_PROVIDER", "openai_compatible")
        .env("LLM_MODEL", "m")
        .env("LLM_BASE_URL", format!("http://{address}/v1"))
        .args(RUN)
        .args(["--concurrency", "4", "--attempts", "1"]));
    assert_eq!(status, 1, "{err}");
    assert!(
        err.contains("drops every connection") && err.contains("100 items are left"),
        "{err}"
    );
    assert_eq!(folder.read("out.errors.jsonl"), "");
}

#[test]
fn two_processes_do_not_run_one_batch() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(3));
    let mut first = against(&folder, &server, "key/two/gate/two")
        .args(RUN)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Once a request has come, the first process has the lock.
    while server.counts("two").requests == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (status, _, err) = run(against(&folder, &server, "key/two/gate/two").args(RUN));
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("another process runs the batch"), "{err}");
    // A process that is killed frees its lock.
    first.kill().unwrap();
    first.wait().unwrap();
    server.release("two", 1_000);
    let (status, _, err) = run(against(&folder, &server, "key/two/gate/two").args(RUN));
    assert_eq!(status, 0, "{err}");
    assert_eq!(folder.results("out.jsonl").len(), 3);
    assert!(cfg!(not(unix)) || !folder.path("out.jsonl.lock").exists());
}

#[test]
fn a_misspelt_field_of_a_body_is_found_before_anything_is_sent() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write(
        "in.jsonl",
        "{\"custom_id\":\"a\",\"prompt\":\"x\"}\n\
         {\"custom_id\":\"b\",\"body\":{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_token\":1}}\n",
    );
    let (status, _, err) = run(against(&folder, &server, "key/misspelt")
        .args(RUN)
        .args(["--bad-lines", "refuse"]));
    assert_eq!(
        (status, server.counts("misspelt").requests),
        (2, 0),
        "{err}"
    );
    assert!(
        err.contains("line 2") && err.contains("max_tokens"),
        "{err}"
    );
    assert!(cfg!(not(unix)) || !folder.path("out.jsonl.lock").exists());
}
