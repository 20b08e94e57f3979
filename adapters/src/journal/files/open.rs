//! Opens a run: takes the lock, reads existing results and checks the input.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chatcore::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::at_provider;
use super::builder::{FilesBuilder, Paths, Source, refused};
use super::changed::first_changed;
use super::check::check;
use super::disk::{Disk, Lock};
use super::done::Done;
use super::mend::mend;
use super::scan::{ScanError, Scanned, scan};
use super::supply::Supply;
use super::writer::{Output, Outputs, Writer};
use super::{FilesJournal, Spooled, read_all};
use crate::journal::jsonl::input::unreadable;
use crate::journal::jsonl::{BadLines, Identity, Items};

/// The content of the `.run` file beside the output.
#[derive(Serialize, Deserialize)]
struct RunFile {
    /// The version of this format.
    chatcore_run: u32,
    identity: Identity,
}

const VERSION: u32 = 1;

/// Opens a run. The lock must have been taken by [`lock`].
pub(super) fn open(builder: FilesBuilder, lock: Lock) -> Result<FilesJournal, Error> {
    let FilesBuilder {
        executor,
        input,
        paths,
        format,
        bad_lines,
        identity,
        is_forced,
        retries_errors,
        every,
        in_place,
        via_provider,
        disk,
    } = builder;
    // Nothing on the disk changes until everything has been checked.
    if !via_provider {
        at_provider::refuse(&*disk, &paths.batches())?;
    }
    let run = check_run(&*disk, &paths, identity, is_forced)?;
    let mut done = Done::default();
    let mut answers = read_results(&*disk, &paths.output, true, &mut done)?;
    let mut errors = match retries_errors {
        // The file must still be the journal's own, because it is renamed below.
        true => read_results(&*disk, &paths.errors, false, &mut Done::default())?,
        false => read_results(&*disk, &paths.errors, false, &mut done)?,
    };

    let input = match input {
        Source::File(path) if is_pipe(&*disk, &path)? => {
            let pipe = disk.read(&path);
            let pipe = pipe.map_err(|error| unreadable(&path.display().to_string(), &error))?;
            Source::Pipe(pipe as Box<dyn Read + Send>)
        }
        other => other,
    };
    let (path, spooled) = match input {
        Source::File(path) => (path, None),
        Source::Pipe(pipe) => {
            let path = paths.input();
            (path.clone(), Some(spool(&disk, pipe, path)?))
        }
    };
    let name = match &spooled {
        Some(_) => "the input".to_owned(),
        None => path.display().to_string(),
    };
    let reader = Arc::clone(&disk);
    let open = move || Items::new(reader.read(&path)?, format);
    let first_changed = |lines| {
        let errors = (!retries_errors).then_some(&*paths.errors);
        // If the files can no longer be read, the error names no line.
        first_changed(&*disk, &paths.output, errors, open().ok()?, lines).ok()?
    };
    let input = check(&open, &name, paths.names(), &done, first_changed)?;
    if bad_lines == BadLines::Refuse
        && let Some(first) = input.first_bad.first()
    {
        let more = match input.bad_lines {
            1 => String::new(),
            lines => format!(" ({} such lines in all)", lines),
        };
        let why = format!("{}{more}; nothing was sent", first.message());
        return Err(Error::new(first.kind(), why).with_code(first.code().map(str::to_owned)));
    }
    done.counts.total = Some(input.items);

    if retries_errors {
        set_aside(&*disk, &paths.errors)?;
        errors = Scanned::default();
    }
    let outputs = Outputs {
        files: [
            open_output(&*disk, &paths.output, &mut answers)?,
            open_output(&*disk, &paths.errors, &mut errors)?,
        ],
        _lock: lock,
    };
    if let Some(run) = run {
        let path = paths.run();
        let json = serde_json::to_vec_pretty(&run)
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        let written = disk.replace(&path, &json);
        written.map_err(|error| refused(&path, "written", &error))?;
    }
    let blocks = disk.blocks();
    let done = Arc::new(Mutex::new(done));
    let reopen = {
        let name = name.clone();
        move || open().map_err(|error| unreadable(&name, &error))
    };
    Ok(FilesJournal {
        supply: Supply::new(
            Arc::clone(&executor),
            blocks,
            Box::new(reopen),
            name,
            Arc::clone(&done),
        ),
        writer: Writer::new(executor, outputs, blocks, in_place, every),
        done,
        input,
        paths,
        disk,
        _spooled: spooled,
    })
}

/// Takes the lock of a run, unless its files would overwrite each other.
pub(super) fn lock(disk: &dyn Disk, paths: &Paths, input: Option<&Path>) -> Result<Lock, Error> {
    refuse_same_paths(disk, paths, input)?;
    let path = paths.lock();
    disk.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            let why = format!(
                "another process runs the batch of {}: wait until it ends, or choose another \
                 output",
                paths.output.display()
            );
            Error::new(ErrorKind::Config, why).with_code(Some("locked".to_owned()))
        }
        _ => refused(&path, "written", &error),
    })
}

/// Refuses files that would overwrite each other.
fn refuse_same_paths(disk: &dyn Disk, paths: &Paths, input: Option<&Path>) -> Result<(), Error> {
    let of_input = input.map(|path| ("the input", path.to_owned()));
    let own = [
        ("the output", paths.output.clone()),
        ("the file of errors", paths.errors.clone()),
        ("the settings of the run", paths.run()),
        ("the lock of the run", paths.lock()),
        ("the copy of a pipe", paths.input()),
        ("the names of the items", paths.names()),
        ("the batches at the provider", paths.batches()),
    ];
    let files: Vec<_> = of_input.into_iter().chain(own).collect();
    for (number, (what, path)) in files.iter().enumerate() {
        let others = &mut files[number + 1..].iter();
        if let Some((other, _)) = others.find(|(_, other)| disk.is_same(path, other)) {
            let why = format!(
                "{what} and {other} are the same file, {}: name another one",
                path.display()
            );
            return Err(Error::new(ErrorKind::Config, why).with_code(Some("same_file".to_owned())));
        }
    }
    Ok(())
}

fn is_pipe(disk: &dyn Disk, path: &Path) -> Result<bool, Error> {
    let is_pipe = disk.is_pipe(path);
    is_pipe.map_err(|error| unreadable(&path.display().to_string(), &error))
}

/// Compares with the run to be resumed. Returns the `.run` file to write, unless it is already
/// there.
fn check_run(
    disk: &dyn Disk,
    paths: &Paths,
    identity: Identity,
    is_forced: bool,
) -> Result<Option<RunFile>, Error> {
    let path = paths.run();
    let before = match read_all(disk, &path) {
        Ok(bytes) => serde_json::from_slice::<RunFile>(&bytes).ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(refused(&path, "read", &error)),
    };
    match before.filter(|before| before.chatcore_run == VERSION) {
        Some(before) if before.identity == identity => return Ok(None),
        Some(before) if !is_forced => identity.check(&before.identity, "choose another output")?,
        None if !is_forced => {
            for results in [&paths.output, &paths.errors] {
                if !is_empty(disk, results)? {
                    return Err(unknown_results(results, &path));
                }
            }
        }
        _ => {}
    }
    Ok(Some(RunFile {
        chatcore_run: VERSION,
        identity,
    }))
}

fn unknown_results(results: &Path, run: &Path) -> Error {
    let why = format!(
        "{} already exists, and it is unknown how it was made, because {} is missing or has \
         another version: choose another output, or force the run",
        results.display(),
        run.display()
    );
    Error::new(ErrorKind::Config, why).with_code(Some("foreign_output".to_owned()))
}

fn is_empty(disk: &dyn Disk, path: &Path) -> Result<bool, Error> {
    match disk.read(path) {
        Ok(mut file) => {
            let read = file.read(&mut [0]);
            Ok(read.map_err(|error| refused(path, "read", &error))? == 0)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(refused(path, "read", &error)),
    }
}

/// Renames a file of errors, appending the next free number, so that its items count as having no
/// result.
fn set_aside(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    if is_empty(disk, path)? {
        return Ok(());
    }
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        let name = Path::new(&name);
        if !disk.exists(name) {
            let renamed = disk.rename(path, name);
            return renamed.map_err(|error| refused(path, "renamed", &error));
        }
    }
    Ok(())
}

fn read_results(
    disk: &dyn Disk,
    path: &Path,
    is_answer: bool,
    done: &mut Done,
) -> Result<Scanned, Error> {
    let file = match disk.read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Scanned::default());
        }
        Err(error) => return Err(refused(path, "read", &error)),
    };
    scan(file, is_answer, done).map_err(|error| match error {
        ScanError::Io(error) => refused(path, "read", &error),
        ScanError::Foreign(line) => {
            let why = format!(
                "line {line} of {} is not as chatcore writes results: choose another file, or, if \
                 a program has rewritten it, restore it as it was",
                path.display()
            );
            Error::new(ErrorKind::Config, why).with_code(Some("foreign_output".to_owned()))
        }
    })
}

/// Opens a file of results for appending, after removing damaged lines.
fn open_output(disk: &dyn Disk, path: &Path, scanned: &mut Scanned) -> Result<Output, Error> {
    let mut open = || {
        if !scanned.damaged.is_empty() {
            mend(disk, path, scanned)?;
        }
        disk.append(path, scanned.length)
    };
    let file = open().map_err(|error| refused(path, "written", &error))?;
    Ok(Output {
        file,
        name: path.display().to_string(),
    })
}

/// Copies a pipe, which can be read only once, to a file.
fn spool(
    disk: &Arc<dyn Disk>,
    mut pipe: Box<dyn Read + Send>,
    path: PathBuf,
) -> Result<Spooled, Error> {
    // The pipe may read from the copy of an earlier run at `path`, so that file must not be
    // overwritten while reading.
    let mut name = path.clone().into_os_string();
    name.push(".new");
    let new = Spooled::new(disk, name.into());
    let refused = |error: io::Error| refused(&path, "written", &error);
    let file = disk.append(&new.path, 0).map_err(refused)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => file.append(&buffer[..read]).map_err(refused)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable("the input", &error)),
        }
    }
    drop(file);
    disk.rename(&new.path, &path).map_err(refused)?;
    Ok(Spooled::new(disk, path))
}
