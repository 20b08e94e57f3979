//! What servers of JSON events send beside the standard.
//!
//! ```text
//!  error: {"code": 500, …}     a field of its own: llama.cpp
//!  {"error": {…}}              JSON without `data:`: vLLM, and proxies
//!  data: {…}                   events with no empty line between them
//!  data: {…}
//! ```

use bytes::{Bytes, BytesMut};

use super::sse::{SseEvent, check};
use crate::error::Error;
use crate::json::Reader;

/// What came beside the standard, until it is an event.
#[derive(Debug, Default)]
pub(super) struct Stray {
    /// An event that is complete.
    pub(super) ready: Option<SseEvent>,
    /// Whether there was any line that the standard does not know.
    pub(super) came: bool,
    /// The lines of JSON that takes several.
    lines: BytesMut,
}

impl Stray {
    /// Takes in a line that the standard does not know.
    pub(super) fn take(
        &mut self,
        field: &[u8],
        value: &Bytes,
        line: &Bytes,
        cap: usize,
    ) -> Result<(), Error> {
        self.came = true;
        if !self.lines.is_empty() {
            check(self.lines.len() + 1 + line.len(), cap)?;
            self.lines.extend_from_slice(b"\n");
            self.lines.extend_from_slice(line);
        } else if field.eq_ignore_ascii_case(b"error") {
            self.ready = Some(SseEvent {
                name: Bytes::from_static(b"error"),
                data: value.clone(),
                ..SseEvent::default()
            });
        } else if matches!(line.trim_ascii_start().first(), Some(b'{' | b'[')) {
            match Self::is_whole(line) {
                true => self.ready = event(line.clone()),
                // Looked at once, however many lines follow.
                false => self.lines.extend_from_slice(line),
            }
        }
        Ok(())
    }

    /// Whether JSON has begun that may take more lines.
    pub(super) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// An empty line came: the next event, of which `before` was complete first.
    pub(super) fn behind(&mut self, before: Option<SseEvent>) -> Option<SseEvent> {
        if !self.lines.is_empty() {
            self.ready = event(self.lines.split().freeze());
        }
        before.or_else(|| self.ready.take())
    }

    /// Whether data is complete in one line: a JSON object, or the end of the stream.
    pub(super) fn is_whole(data: &[u8]) -> bool {
        let data = data.trim_ascii();
        if data.eq_ignore_ascii_case(b"[DONE]") {
            return true;
        }
        if !(data.starts_with(b"{") && data.ends_with(b"}")) {
            return false;
        }
        std::str::from_utf8(data).is_ok_and(|text| {
            let mut reader = Reader::new(text);
            reader.raw().is_ok() && reader.end().is_ok()
        })
    }
}

fn event(data: Bytes) -> Option<SseEvent> {
    Some(SseEvent {
        data,
        ..SseEvent::default()
    })
}
