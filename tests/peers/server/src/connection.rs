//! One connection, with its unread input and unsent output.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// The requested answer and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A chat: a stream or a whole answer, at once or after 50 ms, or event by event.
    Chat { stream: bool, pace: Pace },
    /// The server's own figures.
    Stats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    AtOnce,
    After50Ms,
    EventByEvent,
}

pub(crate) struct Connection {
    socket: OwnedFd,
    /// The beginning of an incomplete request.
    pub(crate) input: Vec<u8>,
    /// How much of the current answer has been sent. `until` is how much may be sent now.
    pub(crate) sent: usize,
    pub(crate) until: usize,
    pub(crate) asked: Option<Asked>,
    /// The bytes of an answer that was not prepared.
    pub(crate) own: Vec<u8>,
    pub(crate) waits_for_room: bool,
}

impl Connection {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            input: Vec::new(),
            sent: 0,
            until: 0,
            asked: None,
            own: Vec::new(),
            waits_for_room: false,
        }
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// The first request in `input` and its length, if it is complete.
pub(crate) fn parse(input: &[u8]) -> Result<Option<(Asked, usize)>, &'static str> {
    let Some(head_end) = find(input, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = &input[..head_end];
    let body_start = head_end + 4;
    let mut length = 0;
    for line in head.split(|&byte| byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Err("a header without a colon");
        };
        if line[..colon].eq_ignore_ascii_case(b"content-length") {
            length = std::str::from_utf8(line[colon + 1..].trim_ascii())
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or("a content-length that is no number")?;
        } else if line[..colon].eq_ignore_ascii_case(b"transfer-encoding") {
            return Err("a chunked request");
        }
    }
    let Some(body) = input.get(body_start..body_start + length) else {
        return Ok(None);
    };
    let path = head.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
    let asked = match path {
        b"/stats" => Asked::Stats,
        _ => Asked::Chat {
            stream: is_stream(body),
            pace: match path {
                path if path.starts_with(b"/d50/") => Pace::After50Ms,
                path if path.starts_with(b"/paced/") => Pace::EventByEvent,
                _ => Pace::AtOnce,
            },
        },
    };
    Ok(Some((asked, body_start + length)))
}

/// Bodies are about 100 bytes of JSON. A search is enough, because no prompt contains this text.
fn is_stream(body: &[u8]) -> bool {
    find(body, b"\"stream\":true").is_some() || find(body, b"\"stream\": true").is_some()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_when_it_is_whole() {
        let request = b"POST /d50/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n{\"stream\":true}";
        for end in 0..request.len() {
            assert_eq!(parse(&request[..end]), Ok(None));
        }
        let asked = Asked::Chat {
            stream: true,
            pace: Pace::After50Ms,
        };
        assert_eq!(parse(request), Ok(Some((asked, request.len()))));
        assert_eq!(
            parse(b"GET /stats HTTP/1.1\r\n\r\n"),
            Ok(Some((Asked::Stats, 23)))
        );
    }
}
