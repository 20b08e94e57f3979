//! Event streams: any split gives the same events.
#![no_main]

use bytes::Bytes;
use chatcore::frame::{Sse, SseEvent};
use chatcore_fuzz::cut;
use libfuzzer_sys::fuzz_target;

fn events<'a>(mut sse: Sse, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<SseEvent> {
    let mut events = Vec::new();
    for piece in pieces {
        sse.feed(Bytes::copy_from_slice(piece));
        while let Ok(Some(event)) = sse.next_event() {
            events.push(event);
        }
    }
    while let Ok(Some(event)) = sse.rest() {
        events.push(event);
    }
    events
}

fuzz_target!(|data: &[u8]| {
    let Some((at, data)) = cut(data) else {
        return;
    };
    for make in [Sse::new as fn(usize) -> Sse, Sse::lenient] {
        let whole = events(make(1 << 20), [data]);
        assert_eq!(events(make(1 << 20), [&data[..at], &data[at..]]), whole);
        assert_eq!(events(make(1 << 20), data.chunks(1)), whole);
    }
});
