//! Runs the server as a process, with a client that can misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take. Generous, for a busy machine.
pub(crate) const CAP: Duration = Duration::from_secs(30);

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

/// The program, without settings from the tester's environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    for (name, _) in std::env::vars() {
        let prefixes = [
            "LLM_",
            "CHATCORE_",
            "DEEPSEEK_",
            "OPENAI_",
            "ANTHROPIC_",
            "USE_MOCK",
        ];
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

impl Server {
    /// Starts a server on the demo model with these settings.
    pub(crate) fn start(vars: &[(&str, &str)]) -> Self {
        Self::start_in(Path::new("."), vars)
    }

    /// The same, in a folder.
    pub(crate) fn start_in(folder: &Path, vars: &[(&str, &str)]) -> Self {
        let mut child = command()
            .current_dir(folder)
            .args(["--addr", "127.0.0.1:0"])
            .envs(vars.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let addr = line
            .trim()
            .strip_prefix("http://")
            .expect(&line)
            .parse()
            .unwrap();
        // Later output is discarded, because a full pipe would block the server.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { child, addr }
    }

    /// Starts a server in front of a provider at `base`, with these additional settings.
    pub(crate) fn before(base: &str, vars: &[(&str, &str)]) -> Self {
        let provider = [
            ("LLM_PROVIDER", "openai_compatible"),
            ("LLM_BASE_URL", base),
            ("LLM_MODEL", "tiny"),
            ("LLM_API_KEY", "sk-the-providers-key"),
        ];
        Self::start(&[&provider, vars].concat())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn connect(&self) -> Connection {
        self.try_connect().unwrap()
    }

    pub(crate) fn try_connect(&self) -> std::io::Result<Connection> {
        Ok(self.connection(TcpStream::connect(self.addr)?))
    }

    /// Uses a socket that is already connected.
    pub(crate) fn connection(&self, stream: TcpStream) -> Connection {
        stream.set_read_timeout(Some(CAP)).unwrap();
        Connection {
            host: self.addr.to_string(),
            stream,
            rest: Vec::new(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.connect()
            .ask("POST", path, &[], body.to_string().as_bytes())
    }

    pub(crate) fn status(&self) -> Value {
        self.get("/status").json()
    }

    /// Waits until the status satisfies `reached`, and returns it.
    pub(crate) fn reaches(&self, what: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let status = self.status();
            if reached(&status) {
                return status;
            }
            assert!(began.elapsed() < CAP, "not reached: {what}: {status}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn terminate(&self) {
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.pid())])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the process to end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < CAP, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection, which stays open.
pub(crate) struct Connection {
    host: String,
    pub(crate) stream: TcpStream,
    /// Bytes read beyond the last answer.
    rest: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Answer {
        self.send(method, path, headers, body);
        self.read()
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[&str], body: &[u8]) {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers
            .iter()
            .any(|header| header.to_lowercase().starts_with("host:"))
        {
            head.push_str(&format!("Host: {}\r\n", self.host));
        }
        for header in headers {
            head.push_str(&format!("{header}\r\n"));
        }
        if method == "POST"
            && !head.contains("Transfer-Encoding")
            && !head.contains("Content-Length")
        {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let bytes = [head.as_bytes(), body].concat();
        // A server that refuses a large body may not read all of it.
        let _ = self.stream.write_all(&bytes);
    }

    /// Reads one answer; `Err` if the connection ends too early.
    pub(crate) fn try_read(&mut self) -> Result<Answer, String> {
        let (status, headers) = self.head()?;
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let body = if header("transfer-encoding").as_deref() == Some("chunked") {
            self.chunks()?
        } else if let Some(length) = header("content-length") {
            self.take(length.parse().unwrap())?
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            self.stream
                .read_to_end(&mut rest)
                .map_err(|error| error.to_string())?;
            rest
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    pub(crate) fn read(&mut self) -> Answer {
        self.try_read().unwrap()
    }

    /// Reads a head, but not the body.
    pub(crate) fn head(&mut self) -> Result<(u16, Vec<(String, String)>), String> {
        let end = loop {
            match self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.more()?,
            }
        };
        let head: Vec<_> = self.rest.drain(..end).collect();
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&head).map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = response.headers.iter();
        let headers = headers.map(|header| (header.name.to_lowercase(), text(header.value)));
        Ok((response.code.unwrap(), headers.collect()))
    }

    /// Reads one chunk; empty at the end of the body.
    pub(crate) fn chunk(&mut self) -> Result<Vec<u8>, String> {
        let end = loop {
            match self.rest.windows(2).position(|two| two == b"\r\n") {
                Some(end) => break end,
                None => self.more()?,
            }
        };
        let line: Vec<_> = self.rest.drain(..end + 2).collect();
        let line = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(line.trim(), 16).map_err(|error| error.to_string())?;
        let mut chunk = self.take(size + 2)?;
        chunk.truncate(size);
        Ok(chunk)
    }

    fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        loop {
            match self.chunk()? {
                chunk if chunk.is_empty() => return Ok(all),
                chunk => all.extend(chunk),
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.rest.len() < count {
            self.more()?;
        }
        Ok(self.rest.drain(..count).collect())
    }

    fn more(&mut self) -> Result<(), String> {
        let mut bytes = [0; 16 << 10];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err("the connection ended".to_owned()),
            Ok(count) => {
                self.rest.extend(&bytes[..count]);
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The stable code of an error.
    pub(crate) fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        let json = self.json();
        assert!(json["error"]["message"].is_string(), "{json}");
        json["error"]["code"].as_str().unwrap().to_owned()
    }

    /// The data of each SSE event; `[DONE]` as a string.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("text/event-stream; charset=utf-8")
        );
        let events = self.text().split_terminator("\n\n");
        let data = events.map(|event| {
            let mut lines = event.lines();
            lines.find_map(|line| line.strip_prefix("data: ")).unwrap()
        });
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| data.into()))
            .collect()
    }

    /// Parses each line as JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.text().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}
