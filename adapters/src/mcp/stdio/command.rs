//! The command that starts a server.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use chatcore::Secrets;

use super::group::Group;

/// Variables that a server inherits, because programs need them to run at all. The official SDKs
/// pass the same ones (`DEFAULT_INHERITED_ENV_VARS`, 2026-11-29).
const INHERITED: &[&str] = match cfg!(windows) {
    true => &[
        "APPDATA",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "PATH",
        "PROCESSOR_ARCHITECTURE",
        "PROGRAMFILES",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "USERNAME",
        "USERPROFILE",
    ],
    false => &["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"],
};

/// The command that starts a server which is a local program.
///
/// The program inherits few variables of the environment (`PATH`, `HOME` and the like), so that the
/// keys in it stay here. On Unix it is a process group of its own: it and all that it has started end
/// together, and Ctrl-C in a terminal does not reach it. `Debug` and errors show the program's name, but neither its arguments nor
/// its variables.
///
/// ```
/// use chatcore_adapters::mcp::McpCommand;
///
/// let files = McpCommand::new("npx")
///     .args(["-y", "@modelcontextprotocol/server-filesystem", "/srv/notes"])
///     .env("LOG_LEVEL", "warn");
/// assert_eq!(format!("{files:?}"), r#"McpCommand("npx", 3 arguments)"#);
/// ```
#[derive(Clone)]
pub struct McpCommand {
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) inherits_all: bool,
    pub(super) folder: Option<PathBuf>,
    pub(super) shows_errors: bool,
}

impl McpCommand {
    /// A program: a path, or a name that is looked up in `PATH`. No shell reads it.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            inherits_all: false,
            folder: None,
            shows_errors: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the program's environment. Errors do not show its value, if it has 8
    /// characters or more.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Passes on all variables of this process, its keys included.
    #[must_use]
    pub fn inherit_env(mut self) -> Self {
        self.inherits_all = true;
        self
    }

    /// Sets the folder in which the program runs. By default that of this process.
    #[must_use]
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Shows what the program writes to its standard error, on that of this process. By default
    /// only the end of it is kept, for [`McpError::stderr`](crate::mcp::McpError::stderr).
    #[must_use]
    pub fn show_stderr(mut self) -> Self {
        self.shows_errors = true;
        self
    }

    /// The values that must not be shown.
    pub(super) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::new();
        for value in self.env.iter().filter_map(|(_, value)| value.to_str()) {
            secrets.add(value);
        }
        secrets
    }

    /// The command with its environment, to which the caller adds the streams.
    pub(super) fn to_command(&self) -> async_process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args);
        if !self.inherits_all {
            command.env_clear();
            for name in INHERITED {
                if let Some(value) = std::env::var_os(name) {
                    command.env(name, value);
                }
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        Group::command(command)
    }
}

impl fmt::Debug for McpCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.args.len();
        write!(f, "McpCommand({:?}, {count} arguments)", self.program)
    }
}
