//! `/ws/chat`, with a WebSocket client.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use chatcore_conformance::server::{By, Server as Upstream};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use crate::harness::{CAP, Server};

pub(crate) struct Socket(WebSocket<TcpStream>);

impl Socket {
    pub(crate) fn open(server: &Server) -> Self {
        Self::try_open(server, &[]).unwrap()
    }

    fn try_open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, String> {
        let stream = TcpStream::connect(server.addr).unwrap();
        stream.set_read_timeout(Some(CAP)).unwrap();
        let mut request = format!("ws://{}/ws/chat", server.addr)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) =
            tungstenite::client(request, stream).map_err(|error| error.to_string())?;
        Ok(Self(socket))
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Reads to the end. Returns the code of the server's close frame, and whether the connection
    /// then ended properly.
    fn ended(&mut self) -> (Option<CloseCode>, bool) {
        let mut code = None;
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => code = frame.map(|frame| frame.code),
                Ok(_) => {}
                Err(tungstenite::Error::ConnectionClosed) => return (code, true),
                Err(_) => return (code, false),
            }
        }
    }

    pub(crate) fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// The next message, or `None` at the end.
    pub(crate) fn hear(&mut self) -> Option<Value> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// All messages until `chats` chats have sent their last one.
    fn until_over(&mut self, chats: usize) -> Vec<Value> {
        let mut heard = Vec::new();
        let mut over = 0;
        while over < chats {
            let message = self.hear().expect("the socket ended");
            over += usize::from(
                ["done", "error", "cancelled"].contains(&message["type"].as_str().unwrap()),
            );
            heard.push(message);
        }
        heard
    }
}

fn text_of(heard: &[Value], id: &str) -> String {
    let own = heard.iter().filter(|message| message["id"] == id);
    own.filter_map(|message| message["text"].as_str()).collect()
}

#[test]
fn several_chats_on_one_socket() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server);
    for n in 2..6 {
        let message = format!("Count from 1 to {n}0.");
        socket.say(&json!({"type": "chat", "id": n.to_string(), "message": message}));
    }
    let heard = socket.until_over(4);
    for n in 2..6 {
        let counted: Vec<_> = (1..=n * 10).map(|n| n.to_string()).collect();
        assert_eq!(text_of(&heard, &n.to_string()), counted.join(" "));
    }
    // The chats ran concurrently: the longest did not wait for the others to end.
    let first_end = heard
        .iter()
        .position(|message| message["type"] == "done")
        .unwrap();
    assert!(
        heard[..first_end]
            .iter()
            .any(|message| message["id"] == "5")
    );
    let done = heard
        .iter()
        .find(|message| message["id"] == "2" && message["type"] == "done");
    assert_eq!(done.unwrap()["usage"]["output_tokens"], 20);
    // A conversation works too.
    socket.say(
        &json!({"type": "chat", "id": "c", "messages": [{"role": "user", "content": "2+2?"}]}),
    );
    assert_eq!(text_of(&socket.until_over(1), "c"), "2+2 = 4.");
}

#[test]
fn each_can_be_cancelled() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/key/k/words/9/gate/k/v1"), &[]);
    let mut socket = Socket::open(&server);
    socket.say(&json!({"type": "chat", "id": "a", "message": "hi"}));
    smol::block_on(upstream.request("k")).unwrap();
    upstream.release("k", 3);
    assert_eq!(socket.hear().unwrap()["type"], "delta");
    socket.say(&json!({"type": "cancel", "id": "a"}));
    loop {
        let heard = socket.hear().unwrap();
        if heard["type"] == "cancelled" {
            break;
        }
        assert_eq!(heard["type"], "delta");
    }
    let (by, _) = smol::block_on(upstream.closed("k")).unwrap();
    assert_eq!(by, By::Client);
    server.reaches("one cancelled", |status| status["pool"]["cancelled"] == 1);
    // The id can be used again.
    socket.say(&json!({"type": "chat", "id": "a", "message": "hi"}));
    upstream.release("k", 99);
    let heard = socket.until_over(1);
    assert_eq!(heard.last().unwrap()["type"], "done");
}

#[test]
fn errors_belong_to_their_chat() {
    let server = Server::start(&[("CHATCORE_MAX_CHATS", "2"), ("CHATCORE_MAX_BODY", "5000")]);
    let mut socket = Socket::open(&server);
    for (message, code) in [
        (json!([]), "invalid_json"),
        (json!({"type": "chat", "message": "x"}), "invalid_value"),
        (json!({"type": "sing", "id": "a"}), "invalid_value"),
        (json!({"type": "chat", "id": "a"}), "missing_field"),
        (
            json!({"type": "chat", "id": "a", "message": "x", "model": "y"}),
            "model_not_found",
        ),
        (
            json!({"type": "chat", "id": "a", "message": "x", "temperature": 9}),
            "invalid_input",
        ),
    ] {
        socket.say(&message);
        let heard = socket.hear().unwrap();
        assert_eq!(heard["error"]["code"], code, "{message}: {heard}");
    }
    for id in ["a", "b", "c"] {
        socket.say(&json!({"type": "chat", "id": id, "message": "Count from 1 to 50."}));
    }
    let heard = socket.until_over(3);
    let error = heard
        .iter()
        .find(|message| message["type"] == "error")
        .unwrap();
    assert_eq!(
        (&error["id"], &error["error"]["code"]),
        (&json!("c"), &json!("too_many_chats"))
    );
}

#[test]
fn what_no_client_should_send_ends_the_socket_and_says_why() {
    let server = Server::start(&[("CHATCORE_MAX_BODY", "5000")]);
    let large = json!({"type": "chat", "id": "d", "message": "x".repeat(100_000)}).to_string();
    let mut socket = Socket::open(&server);
    socket.0.send(Message::text(large)).unwrap();
    assert_eq!(socket.ended(), (Some(CloseCode::Size), true));
    for (frame, code) in [
        // Text that is not UTF-8; a reserved bit; no mask.
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], CloseCode::Invalid),
        (&[0xf1, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (&[0x81, 0x02, b'{', b'}'], CloseCode::Protocol),
    ] {
        let mut socket = Socket::open(&server);
        socket.stream().write_all(frame).unwrap();
        assert_eq!(socket.ended().0, Some(code), "{frame:x?}");
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_close_is_answered() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server);
    socket.say(&json!({"type": "chat", "id": "a", "message": "Count from 1 to 60."}));
    socket.hear().unwrap();
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: "enough".into(),
    };
    socket.0.close(Some(frame)).unwrap();
    assert_eq!(socket.ended(), (Some(CloseCode::Normal), true));
    server.reaches("the chat is cancelled", |status| {
        status["pool"]["cancelled"] == 1 && status["connections"] == 1
    });
}

#[test]
fn a_socket_on_which_nothing_happens_is_closed() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(
        &upstream.url("/key/k/gate/k/v1"),
        &[("CHATCORE_IDLE_TIMEOUT", "3")],
    );
    let mut idle = Socket::open(&server);
    let mut busy = Socket::open(&server);
    busy.say(&json!({"type": "chat", "id": "a", "message": "hi"}));
    smol::block_on(upstream.request("k")).unwrap();
    assert_eq!(idle.ended(), (Some(CloseCode::Away), true));
    // A chat may take longer than the idle timeout.
    std::thread::sleep(Duration::from_secs(4));
    upstream.release("k", 99);
    let heard = busy.until_over(1);
    assert_eq!(heard.last().unwrap()["type"], "done", "{heard:?}");
    assert_eq!(busy.ended(), (Some(CloseCode::Away), true));
}

#[test]
fn who_may_open_one() {
    let server = Server::start(&[("CHATCORE_TOKEN", "t-1")]);
    assert!(Socket::try_open(&server, &[]).is_err());
    assert!(Socket::try_open(&server, &[("authorization", "Bearer wrong")]).is_err());
    assert!(Socket::try_open(&server, &[("authorization", "Bearer t-1")]).is_ok());
    let page = [("sec-websocket-protocol", "chatcore, chatcore.bearer.t-1")];
    assert!(Socket::try_open(&server, &page).is_ok());
    let other = [
        ("authorization", "Bearer t-1"),
        ("origin", "https://evil.example"),
    ];
    assert!(Socket::try_open(&server, &other).is_err());
}
