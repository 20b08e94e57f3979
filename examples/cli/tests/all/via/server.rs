//! The simulated Batch APIs behind a loopback socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;

use chatcore::bytes::Bytes;
use chatcore::http::Request;
use chatcore_adapters::sim::BatchApi;

use crate::harness::{Folder, chatcore};

/// A server that lives as long as the test process.
pub(super) struct Server {
    pub(super) api: Arc<BatchApi>,
    address: SocketAddr,
}

impl Server {
    pub(super) fn start() -> Self {
        let api = Arc::new(BatchApi::new());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&api);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let api = Arc::clone(&served);
                std::thread::spawn(move || serve(&api, stream));
            }
        });
        Self { api, address }
    }

    /// The program with this provider, polling often.
    pub(super) fn command(&self, folder: &Folder, provider: &str, more: &[&str]) -> Command {
        let mut command = self.program(folder, provider);
        command
            .args(["batch", "run", "in.jsonl", "-o", "out.jsonl"])
            .args(["--via", "provider", "--poll", "20ms", "--settle", "100ms"])
            .args(more);
        command
    }

    /// The program with the settings of this provider, without arguments.
    pub(super) fn program(&self, folder: &Folder, provider: &str) -> Command {
        let path = match provider {
            "openai" => "/v1",
            "gemini" => "/v1beta",
            _ => "",
        };
        let mut command = chatcore(folder);
        command
            .env("LLM_PROVIDER", provider)
            .env("LLM_MODEL", "m")
            .env("LLM_API_KEY", "sk-0123456789abcdef")
            .env("LLM_BASE_URL", format!("http://{}{path}", self.address));
        command
    }
}

/// Answers the requests of a connection until it is closed.
fn serve(api: &BatchApi, stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let request = read(&mut reader)?;
        let response = api.respond(&request);
        let head = format!(
            "HTTP/1.1 {} sim\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            response.status().as_u16(),
            response.body().len()
        );
        writer.write_all(head.as_bytes()).ok()?;
        writer.write_all(response.body()).ok()?;
    }
}

/// Reads a request; `None` if the connection was closed before its end.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Request<Bytes>> {
    let mut line = || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let mut request = Request::builder().method(words.next()?).uri(words.next()?);
    let mut length = 0;
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
        request = request.header(name, value);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body(Bytes::from(body)).ok()
}
