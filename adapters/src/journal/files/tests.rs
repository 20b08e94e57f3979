//! Tests the journal on the operating system's file system.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatcore::journal::{Claim, Journal, Outcome, Recorded};
use chatcore::{BoxFuture, Error, ErrorKind, Executor, Instant};

use super::*;

/// Runs each task on its own thread.
#[derive(Debug)]
struct Threads(std::time::Instant);

impl Executor for Threads {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        std::thread::spawn(move || futures_lite::future::block_on(task));
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(blocking::unblock(move || std::thread::sleep(duration)))
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.0.elapsed())
    }
}

/// A temporary folder of a test, deleted at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("chatcore-journal-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn put(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.at(name), text).unwrap();
        self.at(name)
    }

    fn builder(&self, input: impl Into<PathBuf>) -> FilesBuilder {
        let executor = Arc::new(Threads(std::time::Instant::now()));
        FilesJournal::builder(executor, Identity::new(), input, self.at("out.jsonl"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    futures_lite::future::block_on(future)
}

/// Records an error for every remaining item. Returns how many there were.
fn run(journal: &FilesJournal) -> Result<usize, Error> {
    wait(async {
        let mut recorded = 0;
        while let Claim::Items(lease, items) = journal.claim(1).await? {
            for item in items {
                let outcome = Outcome {
                    place: item.place,
                    id: item.id,
                    tag: item.tag,
                    result: Err(Error::new(ErrorKind::Server, "no")),
                    took: Duration::ZERO,
                };
                assert_eq!(journal.record(&lease, &outcome).await?, Recorded::First);
                recorded += 1;
            }
        }
        journal.sync().await?;
        Ok(recorded)
    })
}

const THREE: &str = "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"prompt\":\"c\"}\n";

#[test]
fn a_run_is_resumed_with_any_line_ends() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", THREE);
    assert_eq!(
        run(&wait(folder.builder(&input).open()).unwrap()).unwrap(),
        3
    );
    let errors = fs::read_to_string(folder.at("out.errors.jsonl")).unwrap();
    assert_eq!(errors.lines().count(), 3);
    folder.put(
        "out.errors.jsonl",
        errors.replace('\n', "\r\n") + "{\"id\":\"batch_req_2",
    );
    folder.put(
        "in.jsonl",
        THREE.replace('\n', "\r\n") + "{\"prompt\":\"d\"}\r\n",
    );
    assert_eq!(
        run(&wait(folder.builder(&input).open()).unwrap()).unwrap(),
        1
    );
    let errors = fs::read_to_string(folder.at("out.errors.jsonl")).unwrap();
    assert_eq!(errors.lines().count(), 4, "{errors}");
    assert!(errors.lines().all(|line| line.ends_with('}')));
}

#[test]
fn an_error_counts_as_a_result_until_it_is_run_again() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", "{\"prompt\":\"a\"}\n{oops\n");
    run(&wait(folder.builder(&input).open()).unwrap()).unwrap();
    let mended = THREE.lines().take(2).collect::<Vec<_>>().join("\n");
    folder.put("in.jsonl", mended);
    let error = wait(folder.builder(&input).open()).unwrap_err();
    assert_eq!(error.code(), Some("another_input"));
    for told in ["--retry-errors", "line 2 has changed"] {
        assert!(error.message().contains(told), "{error}");
    }
    let again = folder.builder(&input).retry_errors(true);
    assert_eq!(run(&wait(again.open()).unwrap()).unwrap(), 2);
    // The message names no line that the input does not have.
    folder.put("in.jsonl", "{\"prompt\":\"a\"}\n");
    let error = wait(folder.builder(&input).open()).unwrap_err();
    assert!(error.message().contains("ends at line 1"), "{error}");
}

#[test]
fn a_changed_line_with_an_answer_is_not_said_to_run_again() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n");
    run(&wait(folder.builder(&input).open()).unwrap()).unwrap();
    // The first line has an answer, and the second one an error.
    let results = fs::read_to_string(folder.at("out.errors.jsonl")).unwrap();
    let lines = results.split_inclusive('\n');
    let (answers, errors): (String, String) = lines.partition(|line| line.contains("batch_req_1_"));
    folder.put("out.jsonl", answers);
    folder.put("out.errors.jsonl", errors);
    for (lines, changed, runs_again) in [
        (
            "{\"prompt\":\"x\"}\n{\"prompt\":\"b\"}\n",
            "line 1 has changed",
            false,
        ),
        (
            "{\"prompt\":\"a\"}\n{\"prompt\":\"x\"}\n",
            "line 2 has changed",
            true,
        ),
    ] {
        folder.put("in.jsonl", lines);
        let error = wait(folder.builder(&input).open()).unwrap_err();
        assert!(error.message().contains(changed), "{error}");
        let advice = error.message().contains("--retry-errors");
        assert_eq!(advice, runs_again, "{error}");
    }
}

#[test]
fn a_number_and_its_text_are_one_custom_id() {
    let folder = Folder::new();
    let lines = "{\"custom_id\":7,\"prompt\":\"a\"}\n{\"custom_id\":\"7\",\"prompt\":\"b\"}\n";
    let input = folder.put("in.jsonl", lines);
    let error = wait(folder.builder(&input).open()).unwrap_err();
    assert_eq!(error.code(), Some("duplicate_custom_id"), "{error}");
}

#[test]
fn a_misspelt_field_is_found_before_anything_is_sent() {
    let folder = Folder::new();
    let line = "{\"custom_id\":\"a\",\"prompt\":\"x\",\"max_token\":5,\"top_k\":1}\n";
    let input = folder.put("in.jsonl", line);
    let refuse = folder.builder(&input).bad_lines(BadLines::Refuse);
    let error = wait(refuse.open()).unwrap_err();
    assert_eq!(error.code(), Some("invalid_line"));
    assert!(error.message().contains("max_token\""), "{error}");
    let journal = wait(folder.builder(&input).open()).unwrap();
    assert_eq!(journal.input().bad_lines, 1);
    // The error has the `custom_id` of its line.
    assert_eq!(run(&journal).unwrap(), 1);
    let errors = fs::read_to_string(folder.at("out.errors.jsonl")).unwrap();
    assert!(errors.contains("\"custom_id\":\"a\""), "{errors}");
}

#[test]
fn an_array_is_not_taken_for_prompts() {
    let folder = Folder::new();
    let input = folder.put("in.json", "[{\"prompt\":\"a\"},\n{\"prompt\":\"b\"}]\n");
    let error = wait(folder.builder(&input).open()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.code(), Some("json_array"));
    assert_eq!(
        error.to_string().matches("json_array").count(),
        1,
        "{error}"
    );
    let text = folder.builder(&input).format(Format::Text);
    assert_eq!(wait(text.open()).unwrap().counts().total, Some(2));
}

#[test]
fn a_lock_is_for_one_handle_at_a_time() {
    let folder = Folder::new();
    let path = folder.at("lock");
    let held = StdDisk.lock(&path).unwrap();
    let error = StdDisk.lock(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    drop(held);
    assert!(StdDisk.lock(&path).is_ok());

    let input = folder.put("in.jsonl", THREE);
    let first = wait(folder.builder(&input).open()).unwrap();
    let error = wait(folder.builder(&input).open()).unwrap_err();
    assert_eq!(error.code(), Some("locked"));
    // Opening waits until the last write of the first journal has ended.
    drop(first);
    assert!(wait(folder.builder(&input).open()).is_ok());
}

#[test]
#[cfg(unix)]
fn a_lock_leaves_no_file_and_no_two_owners() {
    let folder = Folder::new();
    let path = folder.at("lock");
    // Each thread reads and writes the count only under the lock; two owners would lose a step.
    let count = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (path, count) = (path.clone(), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut taken = 0;
                while taken < 200 {
                    if let Ok(_held) = StdDisk.lock(&path) {
                        let before = count.load(Ordering::Relaxed);
                        std::thread::yield_now();
                        count.store(before + 1, Ordering::Relaxed);
                        taken += 1;
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), 800);
    assert!(!path.exists());

    // An input that is refused leaves nothing behind.
    let input = folder.put("in.jsonl", "[1]");
    assert!(wait(folder.builder(&input).open()).is_err());
    let names = fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["in.jsonl"]);
}

#[test]
fn results_are_sorted_while_the_lock_is_held() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", THREE);
    let journal = wait(folder.builder(&input).open()).unwrap();
    run(&journal).unwrap();
    let path = folder.at("out.errors.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let turned: Vec<_> = text.lines().rev().map(|line| format!("{line}\n")).collect();
    fs::write(&path, turned.concat()).unwrap();
    wait(journal.sort()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let error = wait(folder.builder(&input).open()).unwrap_err();
    assert_eq!(error.code(), Some("locked"));
    // Nothing is written to a file that was replaced.
    let error = wait(journal.claim(1)).unwrap_err();
    assert!(error.to_string().contains("open the run again"), "{error}");
    drop(journal);
    assert!(wait(folder.builder(&input).open()).is_ok());
}

#[test]
fn a_file_is_cut_replaced_and_renamed() {
    let folder = Folder::new();
    let path = folder.put("file", "0123456789");
    let file = StdDisk.append(&path, 4).unwrap();
    file.append(b"more").unwrap();
    file.sync().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"0123more");
    // A shorter file is not extended.
    drop(StdDisk.append(&path, 100).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"0123more");

    StdDisk.replace(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert!(!folder.at("file.new").exists());
    StdDisk.rename(&path, &folder.at("other")).unwrap();
    assert!(!StdDisk.exists(&path) && StdDisk.exists(&folder.at("other")));
    StdDisk.remove(&folder.at("other")).unwrap();
    assert!(!StdDisk.exists(&folder.at("other")));
    let missing = StdDisk.read(&path).err().unwrap();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    assert!(StdDisk.read(&folder.0).is_err(), "a folder is no file");
}

#[test]
fn holes_are_taken_out_of_a_file() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", THREE);
    run(&wait(folder.builder(&input).open()).unwrap()).unwrap();
    let path = folder.at("out.errors.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    let first = bytes.iter().position(|&byte| byte == b'\n').unwrap();
    bytes[first + 5..first + 40].fill(0);
    fs::write(&path, bytes).unwrap();
    assert_eq!(
        run(&wait(folder.builder(&input).open()).unwrap()).unwrap(),
        1
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().count() == 3 && !text.contains('\0'), "{text}");
    assert!(!folder.at("out.errors.jsonl.mended").exists());
}

#[test]
fn the_same_file_is_known_by_any_of_its_names() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", THREE);
    fs::create_dir(folder.at("sub")).unwrap();
    let detour = folder.at("sub").join("..");
    for errors in [
        detour.join("in.jsonl"),
        detour.join("out.jsonl"),
        detour.join("out.jsonl.run"),
    ] {
        let error = wait(folder.builder(&input).errors(errors).open()).unwrap_err();
        assert_eq!(error.code(), Some("same_file"), "{error}");
    }
    assert!(!StdDisk.is_same(&folder.at("one"), &folder.at("other")));
    assert_eq!(fs::read_to_string(&input).unwrap(), THREE);
}

#[cfg(unix)]
#[test]
fn links_lead_to_the_same_file() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", THREE);
    std::os::unix::fs::symlink(&input, folder.at("soft")).unwrap();
    fs::hard_link(&input, folder.at("hard")).unwrap();
    for name in ["soft", "hard"] {
        let errors = folder.at(name);
        let error = wait(folder.builder(&input).errors(errors).open()).unwrap_err();
        assert_eq!(error.code(), Some("same_file"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_deleted_or_replaced_is_noticed() {
    let folder = Folder::new();
    for replaces in [false, true] {
        let path = folder.put("file", "");
        let file = StdDisk.append(&path, 0).unwrap();
        fs::remove_file(&path).unwrap();
        if replaces {
            folder.put("file", "another");
        }
        file.append(b"lost").unwrap();
        assert_eq!(file.sync().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
    let input = folder.put("in.jsonl", THREE);
    let journal = wait(folder.builder(&input).open()).unwrap();
    fs::remove_file(folder.at("out.errors.jsonl")).unwrap();
    let error = run(&journal).unwrap_err();
    assert!(error.to_string().contains("deleted or replaced"), "{error}");
    // No more items are handed out.
    let claimed = wait(journal.claim(1)).unwrap_err();
    assert_eq!(claimed.to_string(), error.to_string());
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_copied_first() {
    let folder = Folder::new();
    let pipe = folder.at("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: this machine has no mkfifo");
        return;
    }
    let to = pipe.clone();
    let writes = std::thread::spawn(move || fs::write(to, THREE).unwrap());
    let journal = wait(folder.builder(&pipe).open()).unwrap();
    writes.join().unwrap();
    assert_eq!(journal.counts().total, Some(3));
    assert!(folder.at("out.jsonl.input").exists());
    assert_eq!(run(&journal).unwrap(), 3);
    drop(journal);
    assert!(!folder.at("out.jsonl.input").exists());
    assert!(StdDisk.is_pipe(Path::new("/dev/stdin")).unwrap_or(true));
    assert!(!StdDisk.is_pipe(&folder.put("file", "")).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_says_so() {
    let file = disk::StdFile::open_append(Path::new("/dev/full")).unwrap();
    let error = file.append(b"line\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

/// Uses `/proc`, which refuses new files even to root; root ignores file permissions.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_named() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", THREE);
    let executor = Arc::new(Threads(std::time::Instant::now()));
    let output = "/proc/self/out.jsonl";
    let journal = FilesJournal::builder(executor, Identity::new(), input, output);
    let error = wait(journal.open()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(error.to_string().contains("out.jsonl"), "{error}");
}

#[test]
fn another_programs_file_stays_as_it_was() {
    let folder = Folder::new();
    let input = folder.put("in.jsonl", THREE);
    let log = folder.put("existing.log", "started\n");
    let builder = folder.builder(&input).errors(&log).retry_errors(true);
    let error = wait(builder.force(true).open()).unwrap_err();
    assert_eq!(error.code(), Some("foreign_output"));
    let mut text = String::new();
    fs::File::open(&log)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "started\n");
    assert!(!folder.at("out.jsonl.run").exists() && !folder.at("existing.log.1").exists());
}
