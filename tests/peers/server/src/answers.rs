//! The bytes of the answers, created once.

/// The size of a whole answer's body.
pub(crate) const WHOLE_BYTES: usize = 600;
/// The events of a streamed answer, `[DONE]` not counted.
pub(crate) const EVENTS: usize = 200;
/// The size of each event, its empty line included.
pub(crate) const EVENT_BYTES: usize = 200;

const LAST: &str = "data: [DONE]\n\n";

/// The answers that the server sends. Head and body are contiguous, so that a whole answer takes
/// one write.
pub(crate) struct Answers {
    /// A whole answer.
    pub(crate) whole: Vec<u8>,
    /// A streamed answer.
    pub(crate) stream: Vec<u8>,
    /// The end of each part of `stream` that a paced answer writes separately.
    pub(crate) cuts: Vec<usize>,
}

impl Answers {
    pub(crate) fn new() -> Self {
        let body = padded(WHOLE_BYTES, 0, whole);
        let whole = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        let mut cuts = Vec::new();
        for number in 0..EVENTS {
            let finish = match number + 1 == EVENTS {
                true => r#""stop""#,
                false => "null",
            };
            let event = padded(EVENT_BYTES, number, |text| event(text, finish));
            chunk(&mut stream, &event);
            cuts.push(stream.len());
        }
        chunk(&mut stream, LAST);
        stream.extend_from_slice(b"0\r\n\r\n");
        // The end of the stream is sent with the last event.
        cuts.pop();
        cuts.push(stream.len());
        Self {
            whole: whole.into_bytes(),
            stream,
            cuts,
        }
    }

    /// How many bytes a client should see of each kind of answer: of the text, of the body, and on
    /// the wire.
    pub(crate) fn sizes(&self) -> serde_json::Value {
        serde_json::json!({
            "whole": {
                "text": WHOLE_BYTES - whole("").len(),
                "body": WHOLE_BYTES,
                "wire": self.whole.len(),
            },
            "stream": {
                "text": EVENTS * (EVENT_BYTES - event("", "null").len()) - 2,
                "body": EVENTS * EVENT_BYTES + LAST.len(),
                "wire": self.stream.len(),
            },
        })
    }
}

fn whole(text: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"bench","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":12,"completion_tokens":60,"total_tokens":72}}}}"#
    )
}

/// `"stop"` is two bytes longer than `null`, so the last event has two fewer bytes of text.
fn event(text: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

fn chunk(out: &mut Vec<u8>, data: &str) {
    out.extend_from_slice(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes());
}

/// Calls `make` with enough text for a result of `bytes` bytes. The text starts at a different
/// position for each `number`, because litellm treats repeated equal chunks as a model stuck in a
/// loop.
fn padded(bytes: usize, number: usize, make: impl Fn(&str) -> String) -> String {
    let room = bytes.saturating_sub(make("").len());
    let text: String = "The sky is blue because air scatters blue light. "
        .chars()
        .cycle()
        .skip(number)
        .take(room)
        .collect();
    make(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_the_tables_say() {
        let answers = Answers::new();
        let text = String::from_utf8(answers.whole).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.len(), WHOLE_BYTES);
        serde_json::from_str::<serde_json::Value>(body).unwrap();

        let text = String::from_utf8(answers.stream).unwrap();
        assert_eq!(text.matches("\r\nc8\r\ndata: {").count(), EVENTS - 1 + 1);
        assert_eq!(answers.cuts.len(), EVENTS);
    }
}
