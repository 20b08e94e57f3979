//! Reads what servers of JSON events send outside the standard.
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

/// Lines outside the standard, until they form an event.
#[derive(Debug, Default)]
pub(super) struct Stray {
    /// An event that is complete.
    pub(super) ready: Option<SseEvent>,
    /// Whether any line came that the standard does not define.
    pub(super) came: bool,
    /// The lines so far of JSON that takes several lines.
    lines: BytesMut,
}

impl Stray {
    /// Takes in a line that the standard does not define.
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
                // Not parsed again, however many lines follow.
                false => self.lines.extend_from_slice(line),
            }
        }
        Ok(())
    }

    /// Whether JSON that takes several lines has begun.
    pub(super) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Ends JSON that took several lines. Returns `before` if there is one, because it was complete
    /// first, and else the event that is ready.
    pub(super) fn behind(&mut self, before: Option<SseEvent>) -> Option<SseEvent> {
        if !self.lines.is_empty() {
            self.ready = event(self.lines.split().freeze());
        }
        before.or_else(|| self.ready.take())
    }

    /// Whether `data` is complete in one line: a whole JSON object, or `[DONE]`.
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
