//! Paths and inputs that cannot be used are wrong options, status 2, and nothing is sent.

use std::io::Write;
use std::process::Stdio;

use chatcore_conformance::server::Server;
use chatcore_tests::postgres::Postgres;

use crate::fleet::batch;
use crate::harness::{Folder, against, chatcore, outcome, requests, run};

/// A folder with an input, a folder and two files that only seem to be compressed.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("in.jsonl", &requests(2));
    std::fs::create_dir(folder.path("dir")).unwrap();
    std::fs::write(folder.path("broken.gz"), b"\x1f\x8bxx").unwrap();
    std::fs::write(folder.path("broken.zst"), b"\x28\xb5\x2f\xfdxx").unwrap();
    folder
}

#[test]
fn a_batch_of_wrong_files_sends_nothing() {
    let (folder, server) = (folder(), Server::start().unwrap());
    for (args, told) in [
        (&["dir", "-o", "o.jsonl"][..], "dir cannot be read"),
        (&["none", "-o", "o.jsonl"], "none cannot be read"),
        (
            &["in.jsonl/x", "-o", "o.jsonl"],
            "in.jsonl/x cannot be read",
        ),
        (&["broken.gz", "-o", "o.jsonl"], "broken.gz cannot be read"),
        (
            &["broken.zst", "-o", "o.jsonl"],
            "broken.zst cannot be read",
        ),
    ] {
        for dry in [&[][..], &["--dry-run"]] {
            let mut command = against(&folder, &server, "key/paths");
            command.args(["batch", "run"]).args(args).args(dry);
            let (status, _, err) = run(&mut command);
            assert_eq!(status, 2, "{args:?} {dry:?}: {err}");
            assert!(err.contains(told), "{args:?} {dry:?}: {err}");
        }
    }
    for (args, told) in [
        (
            &["in.jsonl", "-o", "dir"][..],
            "dir cannot be read: it is a folder",
        ),
        (&["in.jsonl", "-o", "none/o.jsonl"], "cannot be written"),
        (&["in.jsonl", "-o", "in.jsonl/o.jsonl"], "cannot be"),
        (
            &["in.jsonl", "-o", "o.jsonl", "--errors", "dir"],
            "it is a folder",
        ),
        (&["in.jsonl", "-o", "-"], "the output must be a file"),
    ] {
        let mut command = against(&folder, &server, "key/paths");
        let (status, _, err) = run(command.args(["batch", "run"]).args(args));
        assert_eq!(status, 2, "{args:?}: {err}");
        assert!(err.contains(told), "{args:?}: {err}");
    }
    assert_eq!(server.counts("paths").requests, 0);
    for name in ["o.jsonl", "-", "o.errors.jsonl", "o.jsonl.run"] {
        assert!(!folder.path(name).exists(), "{name}");
    }
}

#[test]
fn a_line_that_is_not_utf_8_is_a_bad_line() {
    let (folder, server) = (folder(), Server::start().unwrap());
    let line = b"{\"custom_id\":\"a\",\"prompt\":\"caf\xe9\"}\n{\"prompt\":\"x\"}\n";
    std::fs::write(folder.path("latin.jsonl"), line).unwrap();
    let batch = |output: &str, more: &[&str]| {
        let mut command = against(&folder, &server, "key/latin");
        let args = ["batch", "run", "latin.jsonl", "-o", output];
        run(command.args(args).args(more))
    };
    let (status, _, err) = batch("refused.jsonl", &["--bad-lines", "refuse"]);
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("line 1") && err.contains("not UTF-8"), "{err}");
    assert_eq!(server.counts("latin").requests, 0);
    let (status, _, err) = batch("out.jsonl", &[]);
    assert_eq!(status, 3, "{err}");
    assert_eq!(server.counts("latin").requests, 1);
}

#[test]
fn a_question_that_is_not_utf_8_is_a_wrong_input() {
    let (folder, server) = (folder(), Server::start().unwrap());
    let mut child = against(&folder, &server, "key/chat")
        .arg("chat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"caf\xe9?\n").unwrap();
    drop(input);
    let (status, _, err) = outcome(&child.wait_with_output().unwrap());
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("UTF-8"), "{err}");
    assert_eq!(server.counts("chat").requests, 0);
}

#[test]
fn manual_pages_need_a_folder() {
    let folder = folder();
    let (status, _, err) = run(chatcore(&folder).args(["man", "--into", "none"]));
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("none cannot be written"), "{err}");
}

#[test]
fn a_submission_of_wrong_files_leaves_no_run() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let folder = folder();
    let batch = |args: &[&str]| run(&mut batch(&folder, &database, args));
    for input in ["dir", "none", "broken.gz", "broken.zst"] {
        let (status, _, err) = batch(&["submit", input, "night"]);
        assert_eq!(status, 2, "{input}: {err}");
        assert!(err.contains("cannot be read"), "{input}: {err}");
    }
    assert_eq!(batch(&["status", "--json"]).1, "");
    folder.write("empty.jsonl", "");
    let (status, _, err) = batch(&["submit", "empty.jsonl", "empty"]);
    assert_eq!(status, 0, "{err}");
    assert!(err.contains("warning: empty.jsonl has no items"), "{err}");
    assert_eq!(batch(&["submit", "in.jsonl", "night"]).0, 0);
    for (output, told) in [
        ("dir", "dir cannot be"),
        ("none/o.jsonl", "cannot be written"),
    ] {
        let (status, _, err) = batch(&["results", "night", "-o", output]);
        assert_eq!(status, 2, "{output}: {err}");
        assert!(err.contains(told), "{output}: {err}");
    }
    assert!(!folder.path("dir.part").exists());
}

#[test]
fn a_submission_takes_the_list_price_of_its_model() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let folder = folder();
    let listed = chatcore::MODEL_PRICES;
    let row = listed.iter().find(|row| row.until.is_none()).unwrap();
    let provider = row.providers.split(' ').next().unwrap();
    let submit = |run_name: &str, model: &str, more: &[&str]| {
        let mut command = batch(&folder, &database, &["submit", "in.jsonl", run_name]);
        command.env("LLM_API_KEY", "sk-0123456789");
        run(command
            .args(["--provider", provider, "--model", model])
            .args(more))
    };
    let stored = |run_name: &str| {
        let columns = "input_price, output_price, max_cost";
        let read = format!("SELECT {columns} FROM chatcore.run WHERE name = '{run_name}'");
        let row = database.psql(&read);
        let numbers = row
            .trim()
            .split('|')
            .map(|number| number.parse::<f64>().ok());
        numbers.collect::<Vec<_>>()
    };
    let cap = ["--max-cost", "2.5"];
    let (status, _, err) = submit("listed", row.model, &cap);
    assert_eq!(status, 0, "{err}");
    assert!(
        err.contains("the price of") && err.contains(row.date),
        "{err}"
    );
    assert_eq!(
        stored("listed"),
        [Some(row.input), Some(row.output), Some(2.5)]
    );
    let named = ["--max-cost", "2.5", "--price", "3,4"];
    assert_eq!(submit("named", row.model, &named).0, 0);
    assert_eq!(stored("named"), [Some(3.0), Some(4.0), Some(2.5)]);
    let (status, _, err) = submit("unknown", "no-such-model", &cap);
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("--max-cost needs a price"), "{err}");
    assert_eq!(
        database.psql("SELECT count(*) FROM chatcore.run").trim(),
        "2"
    );
    // Without a cap, no price is needed, and no provider.
    let (status, _, err) = run(&mut batch(
        &folder,
        &database,
        &["submit", "in.jsonl", "free"],
    ));
    assert_eq!(status, 0, "{err}");
    assert_eq!(stored("free"), [Some(0.0), Some(0.0), None]);
}
