//! How a request is written, and what happens if the server does not read it.

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, LazyBuffers, NextTimeout, Transport as UreqTransportTrait,
};

use super::super::BUFFER;
use super::super::call::Call;
use super::super::connect::OnCall;
use super::super::connection::Connection;
use super::*;

/// A connection that records its writes.
#[derive(Debug)]
struct Recorder {
    buffers: LazyBuffers,
    writes: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl UreqTransportTrait for Recorder {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        let written = self.buffers.output()[..amount].to_vec();
        self.writes.lock().unwrap().push(written);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        Ok(false)
    }

    fn is_open(&mut self) -> bool {
        true
    }

    fn is_tls(&self) -> bool {
        false
    }
}

/// The sizes of the writes for a request whose parts have the sizes `parts`.
fn writes(parts: &[usize]) -> Vec<usize> {
    let writes = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let recorder = Recorder {
        buffers: LazyBuffers::new(1024, BUFFER),
        writes: Arc::clone(&writes),
    };
    let mut connection = Connection::new(Box::new(recorder), None);
    let call = Arc::new(Call::default());
    let _on_call = OnCall::begin(&call, Duration::from_secs(1));
    let mut sent = Vec::new();
    for round in 0..2 {
        for (number, size) in parts.iter().enumerate() {
            let part = vec![b'a' + number as u8; *size];
            connection.buffers().output()[..*size].copy_from_slice(&part);
            connection
                .transmit_output(*size, NextTimeout::default())
                .unwrap();
            sent.extend(part);
        }
        assert!(!connection.await_input(NextTimeout::default()).unwrap());
        assert_eq!(writes.lock().unwrap().concat(), sent, "in round {round}");
        assert!(connection.is_open());
    }
    let sizes: Vec<_> = writes.lock().unwrap().iter().map(Vec::len).collect();
    let (first, second) = sizes.split_at(sizes.len() / 2);
    assert_eq!(first, second);
    first.to_vec()
}

#[test]
fn head_and_body_leave_in_one_write() {
    assert_eq!(writes(&[300, 2000]), [2300]);
    assert_eq!(writes(&[300, BUFFER - 300]), [BUFFER]);
    // A request without a body is sent when its answer is awaited.
    assert_eq!(writes(&[300]), [300]);
    // No write exceeds the buffer, and no byte is lost or moved.
    assert_eq!(writes(&[300, BUFFER, 5000]), [BUFFER, 300, 5000]);
    assert_eq!(writes(&[9000, 100]), [9000, 100]);
}

/// The result of a call whose server answers and closes without reading the request.
fn refusal(url: String) -> Result<(StatusCode, String), TransportError> {
    let request = Request::post(url).body(Bytes::from(vec![b'x'; 16 * 1024 * 1024]));
    let response = send(&transport(1), request.unwrap())?;
    Ok((response.status(), read(response.into_body())?))
}

#[test]
fn a_refusal_is_an_answer_though_the_request_could_not_be_sent() {
    let server = Server::start(|number, peer| {
        peer.reads_some();
        match number {
            0 => peer.respond("413 Content Too Large", "too large"),
            // A server that sends nothing is still a lost connection.
            _ => peer.send(""),
        }
    });
    let (status, body) = refusal(server.url()).unwrap();
    assert_eq!((status.as_u16(), body.as_str()), (413, "too large"));
    assert_eq!(kind(refusal(server.url())), TransportErrorKind::Reset);
}

#[test]
fn over_tls_it_is_an_answer_too() {
    let (pem, config) = super::connecting::tls_server();
    let server = Server::start(move |_, peer| {
        let tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        peer.secure(tls, |peer| {
            peer.reads_some();
            peer.respond("413 Content Too Large", "too large");
        });
    });
    let builder = UreqTransport::builder(ThreadPool::new(1).unwrap()).proxies(Proxies::none());
    let transport = builder.roots(pem).unwrap().build();
    let request = Request::post(format!("https://{}/", server.addr))
        .body(Bytes::from(vec![b'x'; 16 * 1024 * 1024]));
    let response = send(&transport, request.unwrap()).unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(read(response.into_body()).unwrap(), "too large");
}
