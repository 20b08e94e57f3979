//! Runs a driver once.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::plan::{Form, Language, Peer, Work};
use crate::server::Server;
use crate::{Result, paths};

/// Runs drivers on a dedicated core.
pub(crate) struct Runner<'a> {
    pub(crate) server: &'a Server,
    pub(crate) core: usize,
    pub(crate) form: Form,
}

impl Runner<'_> {
    /// Does `work` and returns the figures of the driver and of the server. A failure is an error
    /// in the figures, so that the other peers are still measured.
    pub(crate) fn load(&self, peer: &Peer, work: &Work) -> Result<Value> {
        let before = self.server.stats()?;
        let answer = if work.is_stream() { "stream" } else { "whole" };
        let expect = &before["sizes"][answer][peer.sees.name()];
        let mut command = self.driver(peer, "driver", &format!("peer-{}", peer.program()));
        if let Some(variant) = peer.variant {
            command.env("PEERS_SMOL", variant.smol);
        }
        command.arg(self.server.url(work.pace)).arg(work.kind);
        for number in [work.count, work.at_once, work.warm_up] {
            command.arg(number.to_string());
        }
        command.arg(expect.to_string());
        let mut figures = match finish(command, self.patience()) {
            Ok((output, _)) => serde_json::from_str(&output)
                .unwrap_or_else(|_| json!({"errors": work.count, "first_error": output})),
            Err(error) => json!({"errors": work.count, "first_error": error.to_string()}),
        };
        let after = self.server.stats()?;
        let grown = |name: &str| {
            let number = |stats: &Value| stats[name].as_f64().unwrap_or_default();
            number(&after) - number(&before)
        };
        figures["peer"] = peer.name.into();
        figures["work"] = work.name.into();
        figures["count"] = work.count.into();
        figures["at_once"] = work.at_once.into();
        figures["server_busy_us"] = (grown("wall_us") - grown("idle_us")).into();
        figures["server_cpu_us"] = grown("cpu_us").into();
        figures["connections"] = grown("connections").into();
        Ok(figures)
    }

    /// Runs a program that chats once, and measures the time until its answer appears on its
    /// output.
    pub(crate) fn once(&self, peer: &Peer) -> Result<Value> {
        let mut command = self.driver(peer, "once", &format!("once-{}", peer.name));
        command.arg(self.server.url(""));
        Ok(match finish(command, self.patience()) {
            Ok((_, took)) => json!({
                "peer": peer.name, "work": "f", "errors": 0,
                "wall_us": took.as_secs_f64() * 1e6,
            }),
            Err(error) => json!({
                "peer": peer.name, "work": "f", "errors": 1, "first_error": error.to_string(),
            }),
        })
    }

    fn patience(&self) -> Duration {
        match self.form {
            Form::Long => Duration::from_secs(600),
            // The CI machine may be busy.
            Form::Short => Duration::from_secs(300),
            Form::Full => Duration::from_secs(60),
        }
    }

    fn driver(&self, peer: &Peer, script: &str, program: &str) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", &self.core.to_string()]);
        match peer.language {
            Language::Rust => command.arg(paths::program(program)),
            Language::Node => command
                .arg("node")
                .arg(paths::peers().join("node").join(format!("{script}.mjs")))
                .arg(peer.name),
            Language::Python => command
                .arg(paths::python(peer.name))
                .arg(paths::peers().join("python").join(format!("{script}.py")))
                .arg(peer.name),
        };
        // No request may leave this machine, but litellm would fetch a price list.
        command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(proxy).env_remove(proxy.to_lowercase());
        }
        command
    }
}

/// Runs `command`. Returns its output, and the time until the first part of the output.
fn finish(mut command: Command, patience: Duration) -> Result<(String, Duration)> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdout = child.stdout.take().ok_or("no output")?;
    let mut stderr = child.stderr.take().ok_or("no error output")?;
    let output = thread::spawn(move || {
        let mut output = String::new();
        let mut first = [0; 4096];
        let came = stdout.read(&mut first).unwrap_or(0);
        let took = began.elapsed();
        output.push_str(&String::from_utf8_lossy(&first[..came]));
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).ok();
        output.push_str(&String::from_utf8_lossy(&rest));
        (output, took)
    });
    let complaint = thread::spawn(move || {
        let mut complaint = Vec::new();
        stderr.read_to_end(&mut complaint).ok();
        String::from_utf8_lossy(&complaint).into_owned()
    });
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if began.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let (output, took) = output.join().map_err(|_| "reading failed")?;
    let complaint = complaint.join().map_err(|_| "reading failed")?;
    match status {
        Some(status) if status.success() => Ok((output.trim().to_owned(), took)),
        Some(status) => {
            let last = complaint.lines().last().unwrap_or_default();
            Err(format!("{status}: {last}").into())
        }
        None => Err(format!("not done after {} s", patience.as_secs()).into()),
    }
}
