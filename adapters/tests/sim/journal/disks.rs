//! Disks that are full, read-only or gone; inputs that have changed; two processes.

use std::sync::Arc;

use chatcore::journal::{Claim, Journal, Recorded};
use chatcore::{Error, ErrorKind};
use chatcore_adapters::journal::files::{BadLines, FilesBuilder, FilesJournal, Identity};
use chatcore_adapters::sim::{Sim, SimDisk, SimExecutor, SimTransport};

use super::{assert_each_once, input, processor, results};
use crate::support::{client, ms};

pub(super) fn files(sim: &Arc<SimExecutor>, disk: &SimDisk) -> FilesBuilder {
    let journal = FilesJournal::builder(sim.clone(), Identity::new(), "in.jsonl", "out.jsonl");
    journal
        .disk(Arc::new(disk.clone()))
        .write_in_place(sim.seed() % 2 == 1)
}

pub(super) fn of_model(sim: &Arc<SimExecutor>, disk: &SimDisk, model: &str) -> FilesBuilder {
    let identity = Identity::new().with("model", model);
    let journal = FilesJournal::builder(sim.clone(), identity, "in.jsonl", "out.jsonl");
    journal.disk(Arc::new(disk.clone()))
}

/// Runs the remaining items. Returns the error that ended the run, if any.
pub(super) async fn run(
    sim: &Arc<SimExecutor>,
    network: &Arc<SimTransport>,
    journal: FilesJournal,
) -> Result<u64, Error> {
    let client = client(sim, network).workers(2).build().unwrap();
    let batch = processor(sim.clone(), &client, 2);
    let mut run = batch.process_journal(Arc::new(journal));
    let mut recorded = 0;
    while let Some(finished) = run.next().await {
        assert_eq!(finished?.recorded, Recorded::First);
        recorded += 1;
    }
    Ok(recorded)
}

pub(super) fn scenario<F: Future<Output = ()>>(
    items: usize,
    test: impl Fn(Arc<SimExecutor>, SimDisk, Arc<SimTransport>) -> F,
) {
    let test = &test;
    Sim::run_seeds(0..5, |sim| async move {
        let disk = SimDisk::new();
        disk.put("in.jsonl", input(items));
        let network = SimTransport::builder(&sim).build();
        test(sim, disk, network).await;
    });
}

#[test]
fn a_full_disk_ends_the_run_and_room_resumes_it() {
    scenario(30, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        disk.set_room(Some(3_000));
        let error = run(&sim, &network, journal).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal);
        assert!(
            error.to_string().contains("make room on the disk"),
            "{error}"
        );
        // Nothing can be written, and the error comes before anything is sent.
        let sent = network.stats().sent;
        disk.set_read_only(true);
        let error = files(&sim, &disk).open().await.unwrap_err();
        assert!(
            error.to_string().contains("make the folder writable"),
            "{error}"
        );
        assert_eq!(network.stats().sent, sent);
        disk.set_read_only(false);
        disk.set_room(None);
        let journal = files(&sim, &disk).open().await.unwrap();
        let had = journal.counts().done;
        assert!(had > 0, "what was recorded stays");
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 30 - had);
        assert_each_once(&disk, 30);
    });
}

#[test]
fn an_output_that_vanishes_ends_the_run() {
    scenario(400, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        disk.remove("out.jsonl");
        let error = run(&sim, &network, journal).await.unwrap_err();
        assert!(error.to_string().contains("deleted or replaced"), "{error}");
    });
}

#[test]
fn one_process_at_a_time() {
    scenario(3, |sim, disk, network| async move {
        let first = files(&sim, &disk).open().await.unwrap();
        let error = files(&sim, &disk).open().await.unwrap_err();
        assert_eq!(error.code(), Some("locked"));
        assert_eq!(run(&sim, &network, first).await.unwrap(), 3);
        let again = files(&sim, &disk).open().await.unwrap();
        assert_eq!(run(&sim, &network, again).await.unwrap(), 0);
    });
}

#[test]
fn another_model_is_refused_unless_forced() {
    scenario(3, |sim, disk, network| async move {
        let of = |model: &str| of_model(&sim, &disk, model);
        let journal = of("a").open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        let error = of("b").open().await.unwrap_err();
        assert_eq!(error.code(), Some("another_run"));
        assert!(
            error.to_string().contains("model was a and is now b"),
            "{error}"
        );
        assert!(of("a").open().await.is_ok());
        assert!(of("b").force(true).open().await.is_ok());
        assert!(of("b").open().await.is_ok(), "the run is b's from there on");
        // Results whose identity is unknown.
        disk.remove("out.jsonl.run");
        let error = of("b").open().await.unwrap_err();
        assert_eq!(error.code(), Some("foreign_output"));
        assert!(of("b").force(true).open().await.is_ok());
    });
}

#[test]
fn an_input_may_grow_and_not_change() {
    scenario(1_200, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        let whole = input(1_200);
        for changed in [
            whole.replacen("p7\"", "p7!\"", 1),
            whole.replacen("{\"prompt\":\"p0\",\"custom_id\":\"n0\"}\n", "\n", 1),
            format!("\n{whole}"),
            whole[..whole.len() / 2].to_owned(),
            "{\"prompt\":\"other\"}\n".to_owned(),
        ] {
            disk.put("in.jsonl", changed);
            let error = files(&sim, &disk).open().await.unwrap_err();
            assert_eq!(error.code(), Some("another_input"), "{error}");
        }
        // A longer, compressed input.
        disk.put("in.jsonl", input(1_201));
        let journal = files(&sim, &disk).open().await.unwrap();
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 1);
        assert_each_once(&disk, 1_201);
    });
}

#[test]
fn names_that_stand_twice_are_told_with_both_lines() {
    scenario(0, |sim, disk, network| async move {
        for (text, name, lines) in [
            (
                "{\"custom_id\":\"a\",\"prompt\":\"x\"}\n{\"prompt\":\"y\"}\n{\"custom_id\":\"\\u0061\",\"prompt\":\"z\"}\n",
                "\"a\"",
                (1, 3),
            ),
            (
                "{\"custom_id\":\"request-2\",\"prompt\":\"x\"}\n{\"prompt\":\"y\"}\n",
                "\"request-2\"",
                (1, 2),
            ),
        ] {
            disk.put("in.jsonl", text);
            let error = files(&sim, &disk).open().await.unwrap_err();
            assert_eq!(error.code(), Some("duplicate_custom_id"));
            let both = format!(
                "custom_id {name} on line {} and on line {}",
                lines.0, lines.1
            );
            assert!(error.to_string().contains(&both), "{error}");
        }
        assert_eq!(network.stats().sent, 0);
    });
}

#[test]
fn bad_lines_are_recorded_or_refused_by_choice() {
    scenario(0, |sim, disk, network| async move {
        disk.put(
            "in.jsonl",
            "{\"prompt\":\"a\"}\n{oops\n{\"prompt\":7}\n{\"prompt\":\"b\"}\n",
        );
        let refused = files(&sim, &disk).bad_lines(BadLines::Refuse).open().await;
        let error = refused.unwrap_err();
        assert!(error.to_string().contains("line 2 of the input"), "{error}");
        let journal = files(&sim, &disk).open().await.unwrap();
        assert_eq!(journal.input().bad_lines, 1);
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 4);
        assert_eq!(network.stats().sent, 2);
        assert_eq!(results(&disk, "out.jsonl").len(), 2);
        let errors = results(&disk, "out.errors.jsonl");
        assert!(errors.contains_key("request-2") && errors.contains_key("request-3"));
        // Corrected lines are run again only with `retry_errors`.
        let journal = files(&sim, &disk).open().await.unwrap();
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 0);
        disk.put(
            "in.jsonl",
            "{\"prompt\":\"a\"}\n{\"prompt\":\"c\"}\n{\"prompt\":7}\n{\"prompt\":\"b\"}\n",
        );
        let journal = files(&sim, &disk).retry_errors(true).open().await.unwrap();
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 2);
        assert_eq!(results(&disk, "out.jsonl").len(), 3);
        assert_eq!(results(&disk, "out.errors.jsonl").len(), 1);
        assert_eq!(results(&disk, "out.errors.jsonl.1").len(), 2);
    });
}

#[test]
fn a_pipe_is_kept_while_the_run_is_open() {
    scenario(0, |sim, disk, network| async move {
        let open = || {
            let pipe = std::io::Cursor::new(input(50));
            let journal = FilesJournal::from_pipe(sim.clone(), Identity::new(), pipe, "out.jsonl");
            journal.disk(Arc::new(disk.clone())).open()
        };
        let journal = open().await.unwrap();
        assert_eq!(journal.counts().total, Some(50));
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 50);
        let journal = open().await.unwrap();
        assert_eq!(run(&sim, &network, journal).await.unwrap(), 0);
        assert_each_once(&disk, 50);
    });
}

#[test]
fn results_are_synced_in_groups_and_one_by_one_by_choice() {
    scenario(500, |sim, disk, network| async move {
        let journal = files(&sim, &disk).open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        let (_, syncs) = disk.writes_and_syncs();
        let took = sim.now().since_epoch();
        // Two files are synced every 100 ms and at the end.
        let most = 2 * (took.as_millis() / 100 + 3);
        assert!(u128::from(syncs) <= most, "{syncs} syncs in {took:?}");
        assert_each_once(&disk, 500);

        let strict = SimDisk::new();
        strict.put("in.jsonl", input(20));
        let every = files(&sim, &strict).sync_every(1, ms(0));
        let journal = every.open().await.unwrap();
        let Claim::Items(lease, items) = journal.claim(1).await.unwrap() else {
            unreachable!("there are items");
        };
        let outcome = chatcore::journal::Outcome {
            place: items[0].place,
            id: items[0].id.clone(),
            tag: items[0].tag,
            result: Err(Error::new(ErrorKind::Server, "no")),
            took: ms(1),
        };
        journal.record(&lease, &outcome).await.unwrap();
        strict.lose_power(&sim);
        assert_eq!(results(&strict, "out.errors.jsonl").len(), 1);
    });
}

#[test]
fn a_run_that_is_dropped_or_stopped_gives_its_items_back() {
    scenario(100, |sim, disk, network| async move {
        let journal = Arc::new(files(&sim, &disk).open().await.unwrap());
        let client = client(&sim, &network).workers(4).build().unwrap();
        let batch = processor(sim.clone(), &client, 4);
        let mut recorded = 0;
        for stops in [false, true, false, true] {
            let mut run = batch.process_journal(journal.clone());
            for _ in 0..5 {
                run.next().await.unwrap().unwrap();
                recorded += 1;
            }
            if stops {
                run.stop();
                while let Some(finished) = run.next().await {
                    finished.unwrap();
                    recorded += 1;
                }
            }
        }
        let mut run = batch.process_journal(journal.clone());
        while let Some(finished) = run.next().await {
            finished.unwrap();
            recorded += 1;
        }
        assert!(recorded <= 100);
        assert_eq!(journal.counts().finished(), 100);
        assert_each_once(&disk, 100);
    });
}
