//! Cases for the promises of the [`Dialect`] trait and its [`Decoder`].

mod decode;
mod recording;

use std::panic::{AssertUnwindSafe, catch_unwind};

use chatcore::{Caps, ChatRequest, ErrorKind, Message, Mode};

pub use self::recording::{Recording, Subject};

use self::decode::{Read, read, read_with};
use crate::{Outcome, ensure};

/// A recording of up to this many bytes is split at every byte. A longer one is split at about this
/// many places, spread over it, because decoding it for each split takes time quadratic in its
/// length.
const SPLITS: usize = 4_000;

/// The offsets at which `length` bytes are split.
fn offsets(length: usize) -> impl Iterator<Item = usize> {
    (1..length).step_by(1 + length / SPLITS)
}

/// Each recording decodes to what its constructor expects.
pub(crate) fn recordings_are_read(subject: &Subject) -> Outcome {
    ensure!(
        !subject.recordings.is_empty(),
        "there is no recording: add one with `Subject::recording`"
    );
    for recording in &subject.recordings {
        let read = read(subject, recording, &[&recording.body]);
        recording.expects(&read)?;
    }
    Ok(())
}

/// Split at every byte, byte by byte, and in small pieces, a recording gives the same events and
/// the same error.
pub(crate) fn bytes_may_be_split_anywhere(subject: &Subject) -> Outcome {
    for recording in &subject.recordings {
        let body = &recording.body;
        let whole = read(subject, recording, &[body]);
        let same = |pieces: &[&[u8]], how: &dyn Fn() -> String| {
            let split = read(subject, recording, pieces);
            match split.same_as(&whole) {
                true => Ok(()),
                false => Err(format!(
                    "{}, {}: it gives {split}, and in one piece {whole}",
                    recording.name,
                    how()
                )),
            }
        };
        for size in [1, 2, 3, 7, 64] {
            let pieces: Vec<_> = body.chunks(size).collect();
            same(&pieces, &|| format!("in pieces of {size} bytes"))?;
        }
        for at in offsets(body.len()) {
            same(&[&body[..at], &body[at..]], &|| {
                format!("split at byte {at}")
            })?;
        }
        // An empty piece changes nothing.
        let (head, tail) = body.split_at(body.len() / 2);
        same(&[b"", head, b"", tail, b""], &|| "with empty pieces".into())?;
    }
    Ok(())
}

/// An answer cut at any byte is an error, unless all of its content had arrived.
pub(crate) fn a_cut_answer_is_no_answer(subject: &Subject) -> Outcome {
    for recording in subject.recordings.iter().filter(|one| one.is_answer()) {
        let body = &recording.body;
        let whole = read(subject, recording, &[body]);
        for at in [0].into_iter().chain(offsets(body.len())) {
            let cut = read(subject, recording, &[&body[..at]]);
            let says_all = cut.answer.text() == whole.answer.text()
                && cut.answer.finish_reason == whole.answer.finish_reason;
            ensure!(
                cut.error.is_some() || (cut.is_done && says_all),
                "{}, cut after byte {at} of {}: it must fail, and gives {cut}",
                recording.name,
                body.len()
            );
        }
    }
    Ok(())
}

/// Every answer reports once why the model stopped, and is then done.
pub(crate) fn an_answer_finishes_once(subject: &Subject) -> Outcome {
    for recording in subject.recordings.iter().filter(|one| one.is_answer()) {
        let read = read(subject, recording, &[&recording.body]);
        ensure!(
            read.finishes == 1,
            "{}: {} `Finish` events in one answer",
            recording.name,
            read.finishes
        );
        ensure!(
            read.is_done,
            "{}: the answer is read, and the decoder is not done",
            recording.name
        );
    }
    Ok(())
}

/// After a terminal event or an error there are no further events, whatever bytes follow.
pub(crate) fn nothing_follows_the_end(subject: &Subject) -> Outcome {
    for recording in &subject.recordings {
        let body = &recording.body;
        let mut read = read(subject, recording, &[body]);
        let ended = read.is_done || read.error.is_some();
        ensure!(ended, "{}: no end and no error", recording.name);
        let after = read.more(body);
        ensure!(
            after == 0,
            "{}: {after} events come after its end, when the same bytes are fed once more",
            recording.name
        );
    }
    Ok(())
}

/// An answer above a cap is refused; an answer far below it is not.
pub(crate) fn caps_are_kept(subject: &Subject) -> Outcome {
    for recording in subject.recordings.iter().filter(|one| one.is_answer()) {
        let body = &recording.body;
        let mut caps = Caps::default();
        caps.body = body.len() / 2;
        let pieces: Vec<_> = body.chunks(16).collect();
        let refused = read_with(subject, recording, &pieces, caps);
        let kind = refused.error.as_ref().map(chatcore::Error::kind);
        ensure!(
            kind == Some(ErrorKind::ResponseTooLarge),
            "{}: {} bytes with a cap of {} on the body must fail as ResponseTooLarge, and give {refused}",
            recording.name,
            body.len(),
            caps.body
        );
        // The decoder's own memory may count towards the cap, and is larger than the bytes.
        caps.body = body.len() * 16;
        caps.event = body.len();
        let kept = read_with(subject, recording, &pieces, caps);
        ensure!(
            kept.error.is_none(),
            "{}: {} bytes with a cap of {} give {kept}",
            recording.name,
            body.len(),
            caps.body
        );
    }
    Ok(())
}

/// Damaged bytes give an answer or an error, never a panic. Each byte is damaged in turn, in three
/// ways.
pub(crate) fn damaged_bytes_are_no_panic(subject: &Subject) -> Outcome {
    for recording in &subject.recordings {
        for at in [0].into_iter().chain(offsets(recording.body.len())) {
            for damage in [0x00, 0xff, b'"'] {
                let mut body = recording.body.clone();
                let Some(byte) = body.get_mut(at) else {
                    continue;
                };
                *byte = damage;
                let run = || read(subject, recording, &[&body[..at], &body[at..]]);
                let read = catch_unwind(AssertUnwindSafe(run)).map_err(|_| {
                    format!(
                        "{}: it panics with byte {at} as {damage:#04x}",
                        recording.name
                    )
                })?;
                ensure!(
                    read.is_done || read.error.is_some(),
                    "{}, byte {at} as {damage:#04x}: neither done nor an error at the end",
                    recording.name
                );
            }
        }
    }
    Ok(())
}

/// Two answers that are decoded concurrently, piece by piece, do not mix.
pub(crate) fn a_decoder_is_of_one_answer(subject: &Subject) -> Outcome {
    let Some(first) = subject.recordings.first() else {
        return Ok(());
    };
    for second in &subject.recordings {
        let (one, other) = decode::side_by_side(subject, first, second);
        for (recording, side) in [(first, one), (second, other)] {
            let alone = read(subject, recording, &[&recording.body]);
            ensure!(
                side.same_as(&alone),
                "{}: beside another answer it gives {side}, and alone {alone}",
                recording.name
            );
        }
    }
    Ok(())
}

fn request() -> ChatRequest {
    ChatRequest::new([Message::user("ping 你好 \"quoted\"")])
        .system_prompt("Be brief.")
        .max_tokens(64)
}

/// Whole and streamed requests, with and without a path in the base URL.
pub(crate) fn requests_go_below_the_base_url(subject: &Subject) -> Outcome {
    for base in [
        "https://provider.test",
        "https://provider.test:8443/some/path",
    ] {
        let endpoint = subject.endpoint(base)?;
        for mode in [Mode::Whole, Mode::Stream] {
            let written = subject.dialect.encode(&endpoint, &request(), mode);
            let written = written.map_err(|error| format!("{mode:?}: {error}"))?;
            let uri = written.uri().to_string();
            let below = uri.strip_prefix(base);
            ensure!(
                below.is_some_and(|below| below.starts_with('/')),
                "{mode:?}: the request goes to {uri}, which is not below {base}"
            );
            ensure!(
                !written.body().is_empty(),
                "{mode:?}: the request has no body"
            );
        }
    }
    Ok(())
}

/// A dialect keeps no state between requests.
pub(crate) fn the_same_request_is_written_the_same(subject: &Subject) -> Outcome {
    let endpoint = subject.endpoint("https://provider.test/v1")?;
    for mode in [Mode::Whole, Mode::Stream] {
        let write = || {
            let written = subject.dialect.encode(&endpoint, &request(), mode);
            written.map_err(|error| format!("{mode:?}: {error}"))
        };
        let (first, second) = (write()?, write()?);
        ensure!(
            first.uri() == second.uri()
                && first.headers() == second.headers()
                && first.body() == second.body(),
            "{mode:?}: the same request is written {:?}, and then {:?}",
            first.body(),
            second.body()
        );
    }
    Ok(())
}

/// The name is valid in a setting, and the headers in a request.
pub(crate) fn facts_are_plain_names(subject: &Subject) -> Outcome {
    let facts = subject.dialect.facts();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let name = facts.name();
    ensure!(
        !name.is_empty() && name.chars().all(is_plain),
        "the name {name:?} has other characters than a to z, 0 to 9 and _"
    );
    let headers = subject.dialect.headers();
    headers.map_err(|error| format!("its headers: {error}"))?;
    Ok(())
}
