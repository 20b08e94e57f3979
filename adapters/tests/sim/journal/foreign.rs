//! Files that belong to another program or are damaged: none is overwritten, and no item is lost.

use std::sync::Arc;

use chatcore_adapters::journal::files::{Disk, FilesJournal, Identity};

use super::disks::{files, of_model, run, scenario};
use super::{assert_each_once, input};

#[test]
fn another_programs_file_is_refused_and_stays_as_it_was() {
    scenario(3, |sim, disk, network| async move {
        let log = "2026-01-01 started\n";
        let pretty = "{\"id\": \"batch_req_1_0_0_0\", \"custom_id\": \"n0\"}\n";
        for text in [log, pretty, "{\"a\":1}", "no line end"] {
            disk.put("existing", text);
            let refused = [
                files(&sim, &disk).errors("existing"),
                files(&sim, &disk).errors("existing").force(true),
                files(&sim, &disk)
                    .errors("existing")
                    .retry_errors(true)
                    .force(true),
                FilesJournal::builder(sim.clone(), Identity::new(), "in.jsonl", "existing")
                    .disk(Arc::new(disk.clone())),
                FilesJournal::builder(sim.clone(), Identity::new(), "in.jsonl", "existing")
                    .disk(Arc::new(disk.clone()))
                    .force(true),
            ];
            for refused in refused {
                let error = refused.open().await.unwrap_err();
                assert_eq!(error.code(), Some("foreign_output"), "{error}");
                assert_eq!(disk.get("existing"), text.as_bytes());
                for path in ["out.jsonl", "out.jsonl.run", "existing.run", "existing.1"] {
                    assert!(!disk.exists(std::path::Path::new(path)), "{path}");
                }
            }
        }
        assert_eq!(network.stats().sent, 0);
    });
}

#[test]
fn files_that_would_overwrite_each_other_are_refused() {
    scenario(3, |sim, disk, _| async move {
        for (input, output, errors) in [
            ("in.jsonl", "in.jsonl", "errors"),
            ("in.jsonl", "out.jsonl", "in.jsonl"),
            ("in.jsonl", "out.jsonl", "out.jsonl"),
            ("in.jsonl", "out.jsonl", "out.jsonl.run"),
            ("out.jsonl.lock", "out.jsonl", "errors"),
        ] {
            let journal =
                FilesJournal::builder(sim.clone(), Identity::new(), input, output).errors(errors);
            let journal = journal.disk(Arc::new(disk.clone())).force(true);
            let error = journal.open().await.unwrap_err();
            assert_eq!(error.code(), Some("same_file"), "{error}");
        }
        assert_eq!(disk.get("in.jsonl"), input(3).as_bytes());
    });
}

#[test]
fn what_is_refused_has_changed_nothing() {
    scenario(30, |sim, disk, network| async move {
        let of = |model: &str| of_model(&sim, &disk, model);
        disk.put("in.jsonl", format!("{}{{oops\n", input(30)));
        let journal = of("a").open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        let torn = [disk.get("out.jsonl"), b"{\"id\":\"batch_req_9".to_vec()].concat();
        disk.put("out.jsonl", torn);
        let files = ["out.jsonl", "out.errors.jsonl", "out.jsonl.run"];
        let before = files.map(|path| disk.get(path));
        disk.put("in.jsonl", input(20));
        let error = of("b").force(true).retry_errors(true).open().await;
        assert_eq!(error.unwrap_err().code(), Some("another_input"));
        assert!(before == files.map(|path| disk.get(path)));
        // The identity of the run is unchanged.
        disk.put("in.jsonl", format!("{}{{oops\n", input(30)));
        assert_eq!(
            of("b").open().await.unwrap_err().code(),
            Some("another_run")
        );
        assert!(of("a").open().await.is_ok());
    });
}

#[test]
fn an_output_with_other_line_ends_is_gone_on_with() {
    scenario(40, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        let text = String::from_utf8(disk.get("out.jsonl")).unwrap();
        disk.put("out.jsonl", text.replace('\n', "\r\n"));
        disk.put("in.jsonl", input(50));
        let journal = files(&sim, &disk).open().await.unwrap();
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 10);
        assert_each_once(&disk, 50);
    });
}

#[test]
fn holes_in_the_results_are_run_again() {
    scenario(60, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        let mut bytes = disk.get("out.jsonl");
        let line = bytes.len() / 60;
        for at in [0, 20 * line, 40 * line] {
            bytes[at..at + line / 2].fill(0);
        }
        disk.put("out.jsonl", bytes);
        let sent = network.stats().sent;
        let journal = files(&sim, &disk).open().await.unwrap();
        let again = run(&sim, &network, journal).await.unwrap();
        assert!((3..=6).contains(&again), "{again}");
        assert_eq!(network.stats().sent - sent, again);
        assert!(!disk.get("out.jsonl").contains(&0));
        assert_each_once(&disk, 60);
    });
}

#[test]
fn an_input_that_becomes_shorter_is_no_success() {
    scenario(2_500, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        disk.put("in.jsonl", input(1_500));
        let error = run(&sim, &network, journal).await.unwrap_err();
        assert_eq!(error.code(), Some("another_input"));
        let lost = "1000 of its items are missing";
        assert!(error.to_string().contains(lost), "{error}");
        disk.put("in.jsonl", input(2_500));
        let journal = files(&sim, &disk).open().await.unwrap();
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 1_000);
        assert_each_once(&disk, 2_500);
    });
}

#[test]
fn a_number_that_no_line_has_is_refused() {
    scenario(3, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        let most = u64::MAX;
        let line = format!("{{\"id\":\"batch_req_{most}_0_{most}_{most}\"}}\n");
        disk.put(
            "out.jsonl",
            [disk.get("out.jsonl"), line.into_bytes()].concat(),
        );
        let error = files(&sim, &disk).open().await.unwrap_err();
        assert_eq!(error.code(), Some("another_input"), "{error}");
    });
}
