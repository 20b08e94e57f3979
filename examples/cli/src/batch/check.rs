//! Refuses files that a command would overwrite, before anything is sent or written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use chatcore_adapters::journal::files::errors_path;
use serde_json::Value;

use super::{report, unreadable};
use crate::args::RunArgs;
use crate::failure::{Failure, WRONG};

/// The longest first line that is read to find out what a file holds.
const FIRST_LINE: u64 = 64 << 20;

/// Refuses a report that cannot be written, is one of the run's files, or would overwrite a file
/// that is no report.
pub(super) fn report(args: &RunArgs) -> Result<(), Failure> {
    let Some(report) = &args.report else {
        return Ok(());
    };
    let errors = match &args.errors {
        Some(path) => path.clone(),
        None => errors_path(&args.output),
    };
    let mut files = vec![
        ("the input", args.input.clone()),
        ("the output", args.output.clone()),
        ("the file of errors", errors),
    ];
    for suffix in [".run", ".lock", ".input", ".names", ".batches"] {
        let mut path = args.output.as_os_str().to_owned();
        path.push(suffix);
        files.push(("a file that the run keeps beside its output", path.into()));
    }
    if let Some((what, _)) = files.iter().find(|(_, path)| is_same(path, report)) {
        return Err(wrong(format!(
            "the report and {what} are the same file, {}: name another one with --report",
            report.display()
        )));
    }
    let checked = may_overwrite(report, is_report).and_then(|may| match may {
        true => writable(report).map(|()| true),
        false => Ok(false),
    });
    match checked {
        Ok(true) => Ok(()),
        Ok(false) => Err(wrong(format!(
            "{} already exists and is not a report: name another file with --report",
            report.display()
        ))),
        Err(error) => Err(wrong(format!(
            "the report {} cannot be written: {error}",
            report.display()
        ))),
    }
}

/// Refuses to overwrite a file that holds anything but results, and two names of one file.
pub(super) fn results(output: &Path, errors: &Path) -> Result<(), Failure> {
    if is_same(output, errors) {
        return Err(wrong(format!(
            "the output and the file of errors are the same file, {}: name another one",
            output.display()
        )));
    }
    for path in [output, errors] {
        match may_overwrite(path, is_result) {
            Ok(true) => {}
            Ok(false) => {
                return Err(wrong(format!(
                    "{} already exists and does not hold results of a batch: choose another file",
                    path.display()
                )));
            }
            Err(error) => {
                return Err(unreadable(path, &error));
            }
        }
    }
    Ok(())
}

fn wrong(message: String) -> Failure {
    Failure {
        status: WRONG,
        message,
    }
}

/// Whether two paths lead to the same file, or would if it were created.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    match (resolved(one), resolved(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn resolved(path: &Path) -> Option<PathBuf> {
    if let Ok(path) = path.canonicalize() {
        return Some(path);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// Whether a path has no file, an empty one, a device or pipe, or a file whose first line passes.
fn may_overwrite(path: &Path, passes: fn(&[u8]) -> bool) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => return Ok(true),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    }
    let mut line = Vec::new();
    BufReader::new(File::open(path)?.take(FIRST_LINE)).read_until(b'\n', &mut line)?;
    Ok(line.is_empty() || passes(&line))
}

fn is_report(line: &[u8]) -> bool {
    line.starts_with(report::BEGINNING.as_bytes())
}

fn is_result(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|line| {
        line["custom_id"].is_string()
            && (line.get("response").is_some() || line.get("error").is_some())
    })
}

/// Opens a file for writing without changing it; one that is not there is made and deleted again.
fn writable(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            match std::fs::metadata(path)?.is_dir() || std::fs::metadata(path)?.is_file() {
                true => OpenOptions::new().append(true).open(path).map(drop),
                // Opening a pipe would wait for its reader.
                false => Ok(()),
            }
        }
        Err(error) => Err(error),
    }
}
