//! Opening a run: the lock, the results that are there, the input.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

use chatcore::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::builder::{BadLines, FilesBuilder, Paths, Source, refused};
use super::check::check;
use super::disk::{Disk, Lock};
use super::done::Done;
use super::identity::Identity;
use super::items::Items;
use super::scan::{ScanError, Scanned, scan};
use super::supply::Supply;
use super::writer::{Output, Writer};
use super::{FilesJournal, Spooled};

/// The file beside the output.
#[derive(Serialize, Deserialize)]
struct RunFile {
    /// The version of this format.
    chatcore_run: u32,
    identity: Identity,
}

const VERSION: u32 = 1;

pub(super) fn open(builder: FilesBuilder) -> Result<FilesJournal, Error> {
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
        disk,
    } = builder;
    let lock = lock(&*disk, &paths)?;
    check_run(&*disk, &paths, &identity, is_forced)?;
    if retries_errors {
        set_aside(&*disk, &paths.errors)?;
    }
    let mut done = Done::default();
    let answers = read_results(&*disk, &paths.output, true, &mut done)?;
    let errors = read_results(&*disk, &paths.errors, false, &mut done)?;

    let (path, spooled) = match input {
        Source::File(path) => (path, None),
        Source::Pipe(pipe) => {
            let path = paths.input();
            spool(&*disk, pipe, &path)?;
            (path.clone(), Some(Spooled(path)))
        }
    };
    let name = match &spooled {
        Some(_) => "the input".to_owned(),
        None => path.display().to_string(),
    };
    let reader = Arc::clone(&disk);
    let open = move || Items::new(reader.read(&path)?, format);
    let input = check(&open, &name, paths.beside(".names"), &done)?;
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

    let output = |path: &Path, scanned: &Scanned| -> Result<Output, Error> {
        let file = disk.append(path, scanned.length);
        Ok(Output {
            file: file.map_err(|error| refused(path, "written", &error))?,
            name: path.display().to_string(),
        })
    };
    let outputs = [
        output(&paths.output, &answers)?,
        output(&paths.errors, &errors)?,
    ];
    let blocks = disk.blocks();
    let done = Arc::new(Mutex::new(done));
    let reopen = {
        let name = name.clone();
        move || open().map_err(|error| super::check::unreadable(&name, &error))
    };
    Ok(FilesJournal {
        supply: Supply::new(
            Arc::clone(&executor),
            blocks,
            Box::new(reopen),
            name,
            Arc::clone(&done),
        ),
        writer: Writer::new(executor, outputs, blocks, every),
        done,
        input,
        paths,
        _spooled: spooled,
        _lock: lock,
    })
}

fn lock(disk: &dyn Disk, paths: &Paths) -> Result<Lock, Error> {
    let path = paths.beside(".lock");
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

/// Compares with the run that is to be resumed, and notes what this one is.
fn check_run(
    disk: &dyn Disk,
    paths: &Paths,
    identity: &Identity,
    is_forced: bool,
) -> Result<(), Error> {
    let path = paths.run();
    let before = match read_all(disk, &path) {
        Ok(bytes) => serde_json::from_slice::<RunFile>(&bytes).ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(refused(&path, "read", &error)),
    };
    match before {
        Some(before) if before.chatcore_run == VERSION => {
            if before.identity == *identity {
                return Ok(());
            }
            if !is_forced {
                identity.check(&before.identity)?;
            }
        }
        _ if is_forced || is_empty(disk, &paths.output)? => {}
        _ => {
            let why = format!(
                "{} is there already, and it is not known how it was made, because {} is missing \
                 or of another version: choose another output, or force it",
                paths.output.display(),
                path.display()
            );
            return Err(
                Error::new(ErrorKind::Config, why).with_code(Some("foreign_output".to_owned()))
            );
        }
    }
    let run = RunFile {
        chatcore_run: VERSION,
        identity: identity.clone(),
    };
    let json = serde_json::to_vec_pretty(&run)
        .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    disk.replace(&path, &json)
        .map_err(|error| refused(&path, "written", &error))
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

fn read_all(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.read(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Gives a file of errors the next free number, so that its items have no result any more.
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
            return Ok(Scanned {
                length: 0,
                lines: 0,
            });
        }
        Err(error) => return Err(refused(path, "read", &error)),
    };
    scan(file, is_answer, done).map_err(|error| match error {
        ScanError::Io(error) => refused(path, "read", &error),
        ScanError::Foreign(line) => {
            let why = format!(
                "line {line} of {} is not a result of chatcore's: choose another output",
                path.display()
            );
            Error::new(ErrorKind::Config, why).with_code(Some("foreign_output".to_owned()))
        }
    })
}

/// Keeps what comes from a pipe, which can be read only once.
fn spool(disk: &dyn Disk, mut pipe: Box<dyn Read + Send>, path: &Path) -> Result<(), Error> {
    let refused = |error: io::Error| refused(path, "written", &error);
    let file = disk.append(path, 0).map_err(refused)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => file.append(&buffer[..read]).map_err(refused)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(super::check::unreadable("the input", &error)),
        }
    }
}
