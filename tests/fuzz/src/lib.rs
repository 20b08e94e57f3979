//! Shared by the fuzz targets.

use bytes::Bytes;
use chatcore::{Caps, ChatResponse, Dialect, Error, ErrorKind, FinishReason, Fold, Mode};

/// The position at which to split the input, from its first two bytes, and the rest of it.
pub fn cut(data: &[u8]) -> Option<(usize, &[u8])> {
    let (at, data) = data.split_first_chunk()?;
    let at = usize::from(u16::from_le_bytes(*at)) % (data.len() + 1);
    Some((at, data))
}

/// An answer, and the error that ended it.
pub type Told = (ChatResponse, Option<(ErrorKind, String)>);

/// Decodes an answer from these pieces.
pub fn decode<'a>(
    dialect: &dyn Dialect,
    status: u16,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Told {
    let told = |error: &Error| (error.kind(), error.message().to_owned());
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let mut decoder = dialect.decoder(&head.into_parts().0, Mode::Stream, Caps::default());
    let mut pieces = pieces.into_iter();
    let mut fold = Fold::new();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => fold.push(event),
            Ok(None) if decoder.is_done() => return (fold.finish(), None),
            Ok(None) => match pieces.next() {
                Some(piece) => decoder.feed(Bytes::copy_from_slice(piece)),
                None => decoder.end(),
            },
            Err(error) => {
                // The message stays short enough to be shown.
                assert!(error.to_string().len() < 64 << 10);
                return (fold.finish(), Some(told(&error)));
            }
        }
    }
}

/// Decodes an answer whole and in two pieces. Both results must be equal and consistent.
pub fn check(dialect: &dyn Dialect, data: &[u8]) {
    let Some((at, data)) = cut(data) else {
        return;
    };
    for status in [200, 429] {
        let whole = decode(dialect, status, [data]);
        let (left, right) = data.split_at(at);
        let split = decode(dialect, status, [left, right]);
        // A BOM cut in two still starts a stream, whatever follows it.
        let has_bom = data.trim_ascii_start().starts_with("\u{feff}".as_bytes());
        match (&whole.1, &split.1) {
            _ if has_bom => {}
            // The excerpt of an invalid answer in the error may differ.
            (Some((kind, _)), Some((same, _))) => assert_eq!(kind, same),
            _ => assert_eq!(whole, split),
        }
        let (answer, error) = whole;
        if error.is_none() {
            assert!(answer.finish_reason.is_some(), "an answer without an end");
            let is_cut = answer.finish_reason == Some(FinishReason::Length);
            let is_named = answer.tool_calls().all(|call| !call.name.is_empty());
            assert!(is_cut || is_named, "a call without a name");
        }
    }
}
