//! A PostgreSQL server of its own for tests and benchmarks: in a temporary folder, on a free port,
//! and gone when the process that started it ends, whatever ended it.
//!
//! It needs the programs of a PostgreSQL server (Debian's package `postgresql`) and `setpriv`
//! (`util-linux`), which ends the server when the test process is killed.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "it serves tests, and says why they are skipped"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

/// The password of the server's user. Tests look for it in errors and logs.
pub const PASSWORD: &str = "pa55/w*rd";
const ENCODED: &str = "pa55%2Fw%2Ard";

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    /// The shell that runs the server, and starts it again when it ends.
    keeper: u32,
}

/// Runs the server again and again until it is told to end, then deletes its folder. While the file
/// `hold` exists, the server stays down.
const KEEPER: &str = r#"
trap 'ends=1; kill -QUIT "$pid" 2>/dev/null' TERM
while [ -z "$ends" ]; do
    if [ -e "$1/hold" ]; then
        sleep 0.05
    else
        "$2/postgres" -D "$1/data" $3 >>"$1/log" 2>&1 &
        pid=$!
        wait "$pid"
        while kill -0 "$pid" 2>/dev/null; do wait "$pid"; done
    fi
done
rm -rf "$1"
"#;

impl Postgres {
    /// The server that all tests of this process share. `None` if it cannot be started; the reason
    /// is printed. Where the variable `CI` is `true`, that is a panic, so that CI tests it.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(&[("fsync", "off")]))
            .as_ref()
    }

    /// Starts a server with these settings, as [`shared`](Self::shared) does.
    pub fn start(settings: &[(&str, &str)]) -> Option<Self> {
        match Self::try_start(settings) {
            Ok(server) => Some(server),
            Err(why) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
                eprintln!("skipped: {why}");
                None
            }
        }
    }

    fn try_start(settings: &[(&str, &str)]) -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let programs = programs().ok_or(
            "no PostgreSQL server is installed (Debian's package postgresql), or no setpriv",
        )?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chatcore-postgres-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let io = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(io)?;
        fs::write(folder.join("password"), PASSWORD).map_err(io)?;
        let is_root = is_root();
        if is_root {
            run(Command::new("chown").arg("-R").arg("postgres").arg(&folder))?;
        }
        run(as_user(is_root)
            .arg(programs.join("initdb"))
            .args(["--no-sync", "--auth=scram-sha-256", "--username=chatcore"])
            .args(["--encoding=UTF8", "--no-locale"])
            .arg("--pwfile")
            .arg(folder.join("password"))
            .arg("-D")
            .arg(folder.join("data")))?;
        let port = free_port().map_err(io)?;
        let mut options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c \
             max_connections=200"
        );
        for (name, value) in settings {
            options.push_str(&format!(" -c {name}={value}"));
        }
        let mut keeper = as_user(is_root);
        keeper
            .args(["sh", "-c", KEEPER, "keeper"])
            .arg(&folder)
            .arg(&programs)
            .arg(options)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let keeper = spawn_for_good(keeper).map_err(io)?.id();
        let server = Self {
            folder,
            port,
            keeper,
        };
        match server.is_up_within(Duration::from_secs(120)) {
            true => Ok(server),
            false => Err(format!("the server did not start: {}", server.log())),
        }
    }

    /// The server's URL, with user and password.
    pub fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// The server's URL through a proxy on another port of this machine.
    pub fn url_through(&self, port: u16) -> String {
        format!("postgres://chatcore:{ENCODED}@127.0.0.1:{port}/postgres")
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server without a shutdown, as a crash does. It starts again at once, or at
    /// [`release`](Self::release) after a [`hold`](Self::hold).
    pub fn crash(&self) {
        self.signal("-QUIT");
    }

    /// Restarts the server in order.
    pub fn restart(&self) {
        self.signal("-INT");
    }

    /// After its next end, the server stays down.
    pub fn hold(&self) {
        fs::write(self.folder.join("hold"), "").expect("the server's folder can be written");
    }

    /// Lets the server start again.
    pub fn release(&self) {
        let _ = fs::remove_file(self.folder.join("hold"));
    }

    /// Waits until the server accepts connections.
    pub fn wait_until_up(&self) {
        let is_up = self.is_up_within(Duration::from_secs(120));
        assert!(is_up, "the server did not start: {}", self.log());
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Runs a statement through `psql`, and returns its rows, with `|` between the fields.
    pub fn psql(&self, sql: &str) -> String {
        let psql = programs().map(|folder| folder.join("psql"));
        let output = Command::new(psql.expect("the server has started"))
            .args(["-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .arg(self.url())
            .output()
            .expect("psql can be started");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args([signal, pid]).status();
        }
    }

    fn is_up_within(&self, limit: Duration) -> bool {
        let pause = Duration::from_millis(20);
        let tries = limit.as_millis() / pause.as_millis();
        (0..tries).any(|_| {
            let is_ready =
                fs::read_to_string(self.folder.join("data/postmaster.pid")).is_ok_and(|pid| {
                    pid.lines()
                        .nth(7)
                        .is_some_and(|state| state.trim() == "ready")
                });
            let is_up = is_ready && TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            if !is_up {
                thread::sleep(pause);
            }
            is_up
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let pid = self.keeper.to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let is_there = |folder: &Path| folder.join("initdb").exists();
    let has_setpriv = Command::new("setpriv")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let of_debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<_> = of_debian
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|folder| is_there(folder))
        .collect();
    found.sort();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&paths).find(|folder| is_there(folder));
    found.pop().or(in_path).filter(|_| has_setpriv)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

/// A command that ends with this process. PostgreSQL refuses to run as root.
fn as_user(is_root: bool) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]);
    if is_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command
}

/// Spawns a command from a thread that never ends, because the command ends with that thread.
fn spawn_for_good(mut command: Command) -> std::io::Result<Child> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let _ = tell.send(command.spawn());
        loop {
            thread::park();
        }
    });
    told.recv()
        .unwrap_or_else(|_| Err(std::io::Error::other("the thread ended")))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.current_dir("/").output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
