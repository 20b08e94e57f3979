//! Every secret of a client, echoed by a server in every form and at every place.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use chatcore::{LlmClient, Provider, Transport};
use chatcore_adapters::BlockingCall;
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, Proxies, Proxy, UreqTransport};

use super::{LOGS, collect_logs, said};

const KEY: &str = "sk-ab/cd+ef=0123456789-XYZ_end";
const OF_CLIENT: &str = "header/of-the+client=77";
const OF_CALL: &str = "header/of-one+call=4242";
const IN_QUERY: &str = "code-in+the/query=99";
const OF_PROXY: &str = "hun/ter2+of-the=proxy";
const SECRETS: [&str; 5] = [KEY, OF_CLIENT, OF_CALL, IN_QUERY, OF_PROXY];

/// A server that answers every request with the same bytes, and records the requests' heads.
struct Parrot {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    heads: Arc<Mutex<String>>,
}

impl Parrot {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let parrot = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::default(),
            heads: Arc::default(),
        };
        let (answer, heads) = (Arc::clone(&parrot.answer), Arc::clone(&parrot.heads));
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (answer, heads) = (Arc::clone(&answer), Arc::clone(&heads));
                thread::spawn(move || serve(socket.unwrap(), &answer, &heads));
            }
        });
        parrot
    }

    fn answers(&self, head: &str, body: &str) {
        let length = body.len();
        let answer = format!("{head}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        *self.answer.lock().unwrap() = answer.into_bytes();
    }
}

fn serve(mut socket: TcpStream, answer: &Mutex<Vec<u8>>, heads: &Mutex<String>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && socket.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or_default()];
    socket.read_exact(&mut body).ok();
    heads.lock().unwrap().push_str(&head);
    socket.write_all(&answer.lock().unwrap()).ok();
}

fn each_char(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            encoded.push(match n <= group.len() {
                true => ALPHABET[(bits >> (18 - 6 * n) & 63) as usize] as char,
                false => '=',
            });
        }
    }
    encoded
}

/// A form's name, the function that writes a secret in it, and how many leading characters of its
/// output are not part of the secret.
type Form = (&'static str, fn(&str) -> String, usize);

const FORMS: &[Form] = &[
    ("as it is", str::to_owned, 0),
    (
        "percent",
        |text| each_char(text, |char| format!("%{:02X}", char as u32)),
        0,
    ),
    (
        "percent in lower case, what must be",
        |text| {
            each_char(text, |char| match char.is_ascii_alphanumeric() {
                true => char.to_string(),
                false => format!("%{:02x}", char as u32),
            })
        },
        0,
    ),
    ("json solidus", |text| text.replace('/', "\\/"), 0),
    (
        "json unicode",
        |text| each_char(text, |char| format!("\\u{:04x}", char as u32)),
        0,
    ),
    (
        "html",
        |text| each_char(text, |char| format!("&#x{:X};", char as u32)),
        0,
    ),
    ("base64", base64, 0),
    (
        "base64 of a header",
        |text| base64(&format!("Bearer {text}")),
        12,
    ),
    ("base64 of a user", |text| base64(&format!("me:{text}")), 6),
];

fn all_in(secrets: &[&str], write: fn(&str) -> String) -> String {
    let all: Vec<_> = secrets.iter().map(|secret| write(secret)).collect();
    all.join(" ")
}

/// The answers in which a server can echo `echo`: heads and bodies.
fn answers(echo: &str) -> Vec<(String, String)> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let json = |text: &str| match text.contains("\\u") || text.contains("\\/") {
        // `echo` already uses JSON escapes.
        true => text.to_owned(),
        false => text.replace('\\', "\\\\"),
    };
    let said = json(echo);
    let error = format!(
        r#"{{"type": "error", "error": {{"message": "wrong: {said}", "code": "{said}", "type": "{said}", "param": "{said}"}}}}"#
    );
    let mut all = vec![
        (ok.to_owned(), echo.to_owned()),
        (ok.to_owned(), format!("<html><title>{echo}</title>")),
        (ok.to_owned(), error.clone()),
        (ok.to_owned(), format!("data: {error}\n\n")),
        (ok.to_owned(), format!("event: error\ndata: {error}\n\n")),
        (
            format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: /{echo}\r\n"),
            String::new(),
        ),
        (
            format!("HTTP/1.1 404 Not Found\r\nx-request-id: {echo}\r\nrequest-id: {echo}\r\n"),
            "{}".to_owned(),
        ),
        (
            format!("HTTP/1.1 503 Busy {echo}\r\nretry-after: {echo}\r\ndate: {echo}\r\n"),
            echo.to_owned(),
        ),
        (format!("HTTP/1.1 nonsense {echo}\r\n"), String::new()),
        (format!("{echo}\r\n"), String::new()),
    ];
    for status in [400, 401, 403, 404, 407, 429, 500, 529] {
        let head = format!("HTTP/1.1 {status} Status\r\n");
        all.push((head.clone(), error.clone()));
        all.push((head, echo.to_owned()));
    }
    // Echoes that are cut by one of the client's length limits.
    for limit in [200, 4096, 8192] {
        for over in [3, 12] {
            let before = "x".repeat(limit - over);
            let head = "HTTP/1.1 500 Status\r\n".to_owned();
            all.push((head.clone(), format!("{before}{echo}")));
            all.push((head, format!(r#"{{"error": "{before}{said}"}}"#)));
        }
    }
    all
}

/// The pieces of a secret that must not appear: 8 characters, or 12 in base64.
fn pieces(secret: &str, (name, write, skip): &Form) -> Vec<String> {
    let (text, length) = match name.starts_with("base64") {
        true => (write(secret).split_off(*skip), 12),
        false => (secret.to_owned(), 8),
    };
    let starts = 0..=text.len().saturating_sub(length);
    let pieces = starts.map(|at| &text[at..at + length]);
    match name.starts_with("base64") {
        true => pieces.map(str::to_owned).collect(),
        false => pieces.map(write).collect(),
    }
}

#[track_caller]
fn assert_no_secret(text: &str, of: &str) {
    for form in FORMS {
        for secret in SECRETS {
            for piece in pieces(secret, form) {
                if let Some(found) = text.find(&piece) {
                    let around = found.saturating_sub(150)..(found + 100).min(text.len());
                    let around = text.get(around).unwrap_or(text);
                    panic!("{of}: {piece} ({} of {secret}) shows: …{around}…", form.0);
                }
            }
        }
    }
}

fn providers(base_url: &str) -> [Provider; 2] {
    let url = format!("{base_url}/v1?code={IN_QUERY}&api-version=2024-10-21");
    [
        Provider::openai_compatible(url.clone(), "tiny"),
        Provider::anthropic().with_base_url(url),
    ]
    .map(|provider| {
        let provider = provider.with_api_key(KEY).allow_http();
        provider.with_header("x-extra", OF_CLIENT).unwrap()
    })
}

/// Runs a whole chat and a stream against each answer, and checks everything that the errors show.
fn run(parrot: &Parrot, client: &LlmClient, secrets: &[&str], form: &Form, at_least: usize) {
    let (name, write, _) = form;
    let mut errors = 0;
    for (head, body) in answers(&all_in(secrets, *write)) {
        parrot.answers(&head, &body);
        let call = client.chat_async("hi").header("x-of-one-call", OF_CALL);
        let streamed = smol::block_on(call.clone().stream().into_response());
        for result in [call.wait(), streamed] {
            let text = match result {
                Ok(answer) => answer.request_id.unwrap_or_default(),
                Err(error) => {
                    errors += 1;
                    said(&error)
                }
            };
            assert_no_secret(&text, &format!("{name}, {:.60}", head.replace("\r\n", " ")));
        }
    }
    assert!(errors >= at_least, "{name}: only {errors} errors");
}

#[test]
fn no_secret_shows_in_whatever_form_a_server_echoes_it() {
    let parrot = Parrot::start();
    let smol = Arc::new(SmolExecutor::new());
    let pool = ThreadPool::new(2).unwrap();
    let proxy = format!(
        "http://me:{}@{}",
        OF_PROXY.replace('/', "%2F"),
        parrot.address
    );
    let proxies = Proxies::all(Proxy::parse(&proxy).unwrap());
    let http1 = Arc::new(
        Http1Transport::builder(smol.clone())
            .proxies(proxies.clone())
            .build(),
    );
    let ureq = Arc::new(
        UreqTransport::builder(pool.clone())
            .proxies(proxies)
            .build(),
    );
    for provider in providers("http://api.test") {
        let client = LlmClient::builder(smol.clone(), http1.clone())
            .provider(provider.clone())
            .max_attempts(1)
            .build()
            .unwrap();
        for form in FORMS {
            run(&parrot, &client, &SECRETS, form, 60);
        }
        let heads = std::mem::take(&mut *parrot.heads.lock().unwrap());
        for sent in [
            KEY,
            OF_CLIENT,
            OF_CALL,
            IN_QUERY,
            &base64(&format!("me:{OF_PROXY}")),
        ] {
            assert!(
                heads.contains(sent),
                "{sent} was not sent: nothing is proved"
            );
        }
        // ureq requests a tunnel from the proxy, and gets the same answers to that request.
        let client = LlmClient::builder(smol.clone(), ureq.clone())
            .provider(provider)
            .max_attempts(1)
            .build()
            .unwrap();
        run(&parrot, &client, &SECRETS, &FORMS[0], 40);
    }
    for provider in providers(&format!("http://{}", parrot.address)) {
        let ureq = Arc::new(UreqTransport::new(pool.clone()));
        let client = LlmClient::builder(smol.clone(), ureq)
            .provider(provider)
            .max_attempts(1)
            .build()
            .unwrap();
        // This client does not know the proxy's password.
        for form in [&FORMS[0], &FORMS[6]] {
            run(&parrot, &client, &SECRETS[..4], form, 60);
        }
    }
}

/// Not even at the level `trace`, at which ureq-proto dumps every head that it sees. (It also dumps
/// responses, echoes included, which chatcore cannot prevent.)
#[test]
fn no_secret_that_is_sent_is_logged() {
    collect_logs();
    // Different secrets, because other tests log concurrently.
    let [key, of_client, of_call, in_query] = [
        "sk-logged-0123456789",
        "header-logged-client",
        "header-logged-call",
        "query-logged-1234",
    ];
    let parrot = Parrot::start();
    parrot.answers("HTTP/1.1 400 Bad\r\n", "{}");
    let url = format!("http://{}/v1?code={in_query}", parrot.address);
    let smol = Arc::new(SmolExecutor::new());
    let pool = ThreadPool::new(1).unwrap();
    let transports: [Arc<dyn Transport>; 2] = [
        Arc::new(Http1Transport::new(smol.clone())),
        Arc::new(UreqTransport::new(pool)),
    ];
    for transport in transports {
        let provider = Provider::openai_compatible(url.clone(), "tiny").with_api_key(key);
        let client = LlmClient::builder(smol.clone(), transport)
            .provider(provider.with_header("x-extra", of_client).unwrap())
            .build()
            .unwrap();
        let call = client.chat_async("hi").header("x-of-one-call", of_call);
        call.wait().unwrap_err();
        let heads = std::mem::take(&mut *parrot.heads.lock().unwrap());
        let mut logs = LOGS.all.lock().unwrap().clone();
        for (_, dump) in &*LOGS.dumps.lock().unwrap() {
            logs.push_str(dump);
        }
        for secret in [key, of_client, of_call, in_query] {
            assert!(heads.contains(secret), "{secret} was not sent");
            assert!(!logs.contains(secret), "{secret} is logged");
        }
    }
    let dumps = LOGS.dumps.lock().unwrap();
    let is_dumped = dumps.iter().any(|(_, dump)| dump.contains("x-of-one-call"));
    assert!(is_dumped, "no head was logged, so nothing is proved");
}
