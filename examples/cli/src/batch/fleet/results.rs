//! `chatcore batch results`: writes the results of a run into files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatcore_adapters::journal::postgres::{Database, ResultLine, RunState};
use smol::Timer;

use super::args::ResultsArgs;
use super::database;
use crate::batch::{check, unwritable};
use crate::failure::Failure;
use crate::say;

/// How often new results are looked for.
const POLL: Duration = Duration::from_secs(1);

pub(crate) async fn results(args: ResultsArgs) -> Result<u8, Failure> {
    let database = database(&args.of.postgres)?;
    // An unknown run is refused before any file is made.
    database.status(&args.of.run).await?;
    let mut outputs = Outputs::create(&args)?;
    let run = &args.of.run;
    match args.follow {
        true => follow(&database, run, &mut outputs).await?,
        false => {
            let mut results = database.results(run).await?;
            while let Some(line) = results.next().await? {
                outputs.write(&line)?;
            }
        }
    }
    outputs.finish()?;
    Ok(0)
}

/// Writes results as they come, until the run ends.
async fn follow(database: &Database, run: &str, outputs: &mut Outputs) -> Result<(), Failure> {
    let mut news = database.follow(run).await?;
    loop {
        // Asked before the results are read, so that the last ones are not missed.
        let status = database.status(run).await?;
        // Workers hold their leases until what they have in flight is recorded.
        let is_stopped = matches!(status.state, RunState::Cancelled | RunState::Removing)
            || status.is_over_its_cost();
        let is_last = status.is_complete() || (is_stopped && status.workers.is_empty());
        loop {
            let lines = news.next().await?;
            if lines.is_empty() {
                break;
            }
            for line in lines {
                outputs.write(&line)?;
            }
        }
        outputs.flush()?;
        if is_last {
            return Ok(());
        }
        Timer::after(POLL).await;
    }
}

/// Where answers and errors go.
enum Outputs {
    Stdout,
    /// The answers and the errors. The files are written under other names and renamed at the end,
    /// unless the results are followed.
    Files(Box<[Output; 2]>),
}

struct Output {
    path: PathBuf,
    written: PathBuf,
    file: BufWriter<File>,
    lines: u64,
}

impl Outputs {
    fn create(args: &ResultsArgs) -> Result<Self, Failure> {
        if args.output.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let errors = match &args.errors {
            Some(path) => path.clone(),
            None => chatcore_adapters::journal::files::errors_path(&args.output),
        };
        check::results(&args.output, &errors)?;
        let create = |path: &Path| Output::create(path, args.follow);
        Ok(Self::Files(Box::new([
            create(&args.output)?,
            create(&errors)?,
        ])))
    }

    fn write(&mut self, line: &ResultLine) -> Result<(), Failure> {
        match self {
            Self::Stdout => {
                let text = String::from_utf8_lossy(&line.line);
                say::out(&format!("{text}\n"))?;
            }
            Self::Files(files) => files[usize::from(!line.is_answer)].write(&line.line)?,
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Self::Stdout => Ok(()),
            Self::Files(files) => files.iter_mut().try_for_each(|file| {
                let flushed = file.file.flush();
                flushed.map_err(|error| unwritable(&file.path, &error))
            }),
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.flush()?;
        let Self::Files(files) = self else {
            return Ok(());
        };
        for file in files.iter() {
            let finish = || {
                file.file.get_ref().sync_all()?;
                match file.written == file.path {
                    true => Ok(()),
                    false => std::fs::rename(&file.written, &file.path),
                }
            };
            finish().map_err(|error: io::Error| unwritable(&file.path, &error))?;
        }
        let [answers, errors] = &*files;
        let mut text = format!(
            "{} in {}",
            say::count(answers.lines, "answer"),
            answers.path.display()
        );
        if errors.lines > 0 {
            let count = say::count(errors.lines, "error");
            text.push_str(&format!(", {count} in {}", errors.path.display()));
        }
        say::note(&text);
        Ok(())
    }
}

impl Output {
    fn create(path: &Path, in_place: bool) -> Result<Self, Failure> {
        let mut written = path.as_os_str().to_owned();
        if !in_place {
            written.push(".part");
        }
        let written = PathBuf::from(written);
        let file = File::create(&written).map_err(|error| {
            let why = format!("{} cannot be written: {error}", path.display());
            Failure::of_file(why, &error)
        })?;
        Ok(Self {
            path: path.to_owned(),
            written,
            file: BufWriter::with_capacity(1 << 20, file),
            lines: 0,
        })
    }

    fn write(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.lines += 1;
        let written = self
            .file
            .write_all(line)
            .and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| unwritable(&self.path, &error))
    }
}
