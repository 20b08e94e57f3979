//! Decodes an answer with the public decoder.

use bytes::Bytes;
use chatcore::{Caps, ChatResponse, Dialect, Error, Fold, Mode};

/// Decodes a body that arrives in these pieces.
pub(super) fn decode<'a>(
    dialect: &dyn Dialect,
    status: u16,
    mode: Mode,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<ChatResponse, Error> {
    let head = http::Response::builder()
        .status(status)
        .body(())
        .unwrap()
        .into_parts()
        .0;
    let mut decoder = dialect.decoder(&head, mode, Caps::default());
    let mut fold = Fold::new();
    for piece in pieces {
        decoder.feed(Bytes::copy_from_slice(piece));
        while let Some(event) = decoder.next_event()? {
            fold.push(event);
        }
        if decoder.is_done() {
            return Ok(fold.finish());
        }
    }
    decoder.end();
    while let Some(event) = decoder.next_event()? {
        fold.push(event);
    }
    assert!(decoder.is_done(), "no error, and not done");
    Ok(fold.finish())
}
