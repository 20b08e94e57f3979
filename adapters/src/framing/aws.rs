//! AWS event streams, which Bedrock uses to stream a model's events.
//!
//! ```text
//!  4 bytes   4 bytes   4 bytes             …        …        4 bytes
//!  length    headers'  CRC of the first    headers  payload  CRC of all
//!            length    eight
//! ```

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::Message;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use chatcore::dialect::Caps;
use chatcore::dialect::kit::{Frame, Framing};
use chatcore::{Error, ErrorKind};
use serde_json::{Value, json};

/// The shortest frame: no headers and no payload.
const SHORTEST: usize = 16;
/// Extra room around an event, for headers and padding. Base64's growth by a third is counted
/// separately.
const AROUND: usize = 64 << 10;

/// The framing of one stream from Bedrock, for a dialect with a configurable framing.
///
/// ```
/// use chatcore::Provider;
/// use chatcore::dialect::Anthropic;
/// use chatcore_adapters::framing::aws_event_stream;
///
/// let dialect = Anthropic::bedrock().framing(aws_event_stream);
/// let base = "https://bedrock-runtime.us-east-1.amazonaws.com";
/// let model = "us.anthropic.claude-sonnet-5-5-v1:0";
/// let bedrock = Provider::new("bedrock", base, model, dialect).with_api_key("bedrock-api-key");
/// # let _ = bedrock;
/// ```
pub fn aws_event_stream(caps: &Caps) -> Box<dyn Framing> {
    Box::new(AwsEventStream::new(caps.event))
}

/// Splits an AWS event stream into its events.
///
/// An event of the model's own protocol, which Bedrock's `InvokeModelWithResponseStream` wraps in
/// base64, is unwrapped. Any other event becomes a frame with its payload as data and its type as
/// name. An exception becomes an event named `error`, so that it ends the answer with the right
/// error.
#[derive(Debug)]
pub struct AwsEventStream {
    buffer: BytesMut,
    /// The maximum size of an event, in bytes.
    max_event: usize,
}

impl AwsEventStream {
    /// A framing whose events may have at most `max_event` bytes.
    pub fn new(max_event: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            max_event,
        }
    }
}

impl Framing for AwsEventStream {
    fn begins_with(&self, first: u8) -> bool {
        // No frame is 16 MiB long, so the first byte of its length is 0.
        first == 0
    }

    fn feed(&mut self, bytes: Bytes) {
        self.buffer.extend_from_slice(&bytes);
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        let Some(length) = self.buffer.first_chunk().copied() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length < SHORTEST {
            return Err(broken("a frame is shorter than its lengths and checksums"));
        }
        if length > (self.max_event / 3 * 4).saturating_add(AROUND) {
            let why = format!("an event of the stream has {length} bytes, which is too many");
            return Err(Error::new(ErrorKind::ResponseTooLarge, why));
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        let frame = self.buffer.split_to(length).freeze();
        let message = read_message_from(frame).map_err(|error| broken(&error.to_string()))?;
        event(&message, self.max_event).map(Some)
    }
}

fn broken(why: &str) -> Error {
    let why = format!("the answer is not an AWS event stream: {why}");
    Error::new(ErrorKind::Protocol, why)
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let mut headers = message.headers().iter();
    let header = headers.find(|header| header.name().as_str() == name)?;
    let text = header.value().as_string().ok()?;
    Some(text.as_str())
}

fn event(message: &Message, max_event: usize) -> Result<Frame, Error> {
    let payload = message.payload();
    if let Some(kind) = header(message, ":exception-type").or(header(message, ":error-code")) {
        return Ok(exception(kind, message));
    }
    let name = header(message, ":event-type").unwrap_or_default();
    if name != "chunk" {
        let name = Bytes::copy_from_slice(name.as_bytes());
        return Ok(Frame::new(payload.clone()).name(name));
    }
    let chunk: Value = serde_json::from_slice(payload)
        .map_err(|error| broken(&format!("a chunk is not JSON: {error}")))?;
    let wrapped = chunk["bytes"].as_str().unwrap_or_default();
    let data = BASE64.decode(wrapped);
    let data = data.map_err(|error| broken(&format!("a chunk is not base64: {error}")))?;
    match data.len() <= max_event {
        true => Ok(Frame::new(data.into())),
        false => {
            let why = format!(
                "an event of the stream has {} bytes, which is too many",
                data.len()
            );
            Err(Error::new(ErrorKind::ResponseTooLarge, why))
        }
    }
}

/// An exception as an event named `error`, in the JSON shape that most providers use for errors.
fn exception(kind: &str, message: &Message) -> Frame {
    let payload: Value = serde_json::from_slice(message.payload()).unwrap_or_default();
    let said = payload["message"].as_str().or(payload["Message"].as_str());
    let said = said.or(header(message, ":error-message"));
    let error = json!({"type": "error", "error": {"type": kind, "message": said.unwrap_or(kind)}});
    Frame::new(error.to_string().into()).name(Bytes::from_static(b"error"))
}

// The tests need a response head from the crate `http`, which this feature alone does not enable.
#[cfg(test)]
#[cfg(feature = "http1")]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue};
    use chatcore::dialect::{Anthropic, Dialect, Mode};
    use chatcore::{ChatResponse, Fold};

    use super::*;

    fn frame(headers: &[(&'static str, &'static str)], payload: &str) -> Vec<u8> {
        let mut message = Message::new(Bytes::copy_from_slice(payload.as_bytes()));
        for (name, value) in headers {
            let value = HeaderValue::String((*value).into());
            message = message.add_header(Header::new(*name, value));
        }
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes
    }

    fn chunk(event: &Value) -> Vec<u8> {
        let payload = json!({"bytes": BASE64.encode(event.to_string()), "p": "abcd"});
        let headers = [(":event-type", "chunk"), (":message-type", "event")];
        frame(&headers, &payload.to_string())
    }

    fn exception(kind: &'static str) -> Vec<u8> {
        let headers = [(":exception-type", kind), (":message-type", "exception")];
        frame(&headers, r#"{"message": "busy"}"#)
    }

    fn begun() -> Vec<u8> {
        [
            json!({"type": "message_start", "message": {"id": "m", "content": []}}),
            json!({"type": "content_block_start", "index": 0,
                "content_block": {"type": "text", "text": "你好"}}),
        ]
        .iter()
        .flat_map(chunk)
        .collect()
    }

    fn answer() -> Vec<u8> {
        let mut bytes = begun();
        bytes.extend(chunk(&json!({"type": "message_delta",
            "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}})));
        bytes.extend(chunk(&json!({"type": "message_stop"})));
        bytes
    }

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<ChatResponse, Error> {
        let dialect = Anthropic::bedrock().framing(aws_event_stream);
        let head = http::Response::new(()).into_parts().0;
        let mut decoder = dialect.decoder(&head, Mode::Stream, Caps::default());
        let mut fold = Fold::new();
        let mut pieces = pieces.into_iter();
        loop {
            match decoder.next_event()? {
                Some(event) => fold.push(event),
                None if decoder.is_done() => return Ok(fold.finish()),
                None => match pieces.next() {
                    Some(piece) => decoder.feed(Bytes::copy_from_slice(piece)),
                    None => decoder.end(),
                },
            }
        }
    }

    #[test]
    fn a_stream_is_the_same_however_it_is_split() {
        let bytes = answer();
        let whole = decode([&bytes[..]]).unwrap();
        assert_eq!(whole.text(), "你好");
        assert_eq!(whole.usage.as_ref().unwrap().output_tokens, 2);
        assert_eq!(decode(bytes.chunks(1)).unwrap(), whole);
        for at in 1..bytes.len() {
            assert_eq!(decode([&bytes[..at], &bytes[at..]]).unwrap(), whole, "{at}");
        }
    }

    #[test]
    fn an_exception_is_the_error_that_it_is() {
        for (kind, expected) in [
            ("throttlingException", ErrorKind::RateLimited),
            ("serviceUnavailableException", ErrorKind::Overloaded),
            ("internalServerException", ErrorKind::Server),
            ("modelStreamErrorException", ErrorKind::Server),
            ("modelTimeoutException", ErrorKind::Server),
            ("validationException", ErrorKind::BadRequest),
            ("accessDeniedException", ErrorKind::Auth),
        ] {
            let bytes = [begun(), exception(kind)].concat();
            let error = decode([&bytes[..]]).unwrap_err();
            assert_eq!(error.kind(), expected, "{kind}: {error}");
            assert!(error.to_string().contains("busy"), "{error}");
        }
    }

    #[test]
    fn what_is_cut_or_broken_is_told() {
        let bytes = answer();
        let error = decode([&begun()[..]]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
        // Flip a bit at different places.
        for at in [0, 5, 9, 14, bytes.len() / 4] {
            let mut bent = bytes.clone();
            bent[at] ^= 4;
            let error = decode([&bent[..]]).unwrap_err();
            let kinds = [
                ErrorKind::Protocol,
                ErrorKind::ResponseTooLarge,
                ErrorKind::Truncated,
            ];
            assert!(kinds.contains(&error.kind()), "{at}: {error}");
        }
    }

    #[test]
    fn a_length_beyond_the_cap_is_refused_before_it_has_come() {
        let mut framing = AwsEventStream::new(1 << 10);
        framing.feed(Bytes::from_static(&[0, 0xff, 0, 0]));
        let error = framing.next_frame().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
        let mut framing = AwsEventStream::new(1 << 10);
        framing.feed(Bytes::from_static(&[0, 0, 0, 1]));
        assert_eq!(
            framing.next_frame().unwrap_err().kind(),
            ErrorKind::Protocol
        );
    }

    #[test]
    fn events_of_another_kind_have_their_name() {
        let mut framing = AwsEventStream::new(1 << 10);
        framing.feed(frame(&[(":event-type", "messageStop")], "{}").into());
        let frame = framing.next_frame().unwrap().unwrap();
        assert_eq!(
            (&frame.name[..], &frame.data[..]),
            (&b"messageStop"[..], &b"{}"[..])
        );
    }
}
