//! Dialects that are broken on purpose, each in one way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use chatcore::dialect::{Facts, OllamaChat};
use chatcore::{
    Caps, ChatEvent, ChatRequest, Decoder, Dialect, Endpoint, Error, ErrorKind, FinishReason, Mode,
    Part,
};
use chatcore_conformance::{DIALECT_CASES, Recording, Subject, run_dialect_case};
use http::response::Parts;
use http::{Request, Uri};

use super::Mutant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    LosesText,
    LosesWhatIsSplit,
    TakesAnyEnd,
    FinishesTwice,
    GoesOnAfterItsEnd,
    KeepsNoCaps,
    PanicsOnZero,
    SharesItsState,
    LeavesTheBaseUrl,
    CountsRequests,
    HasABadName,
}

const MUTANTS: &[Mutant<Flaw>] = {
    use Flaw::*;
    const fn mutant(
        flaw: Flaw,
        finds: &'static [&'static str],
        holds: &'static str,
    ) -> Mutant<Flaw> {
        Mutant { flaw, finds, holds }
    }
    &[
        mutant(LosesText, &["recordings_are_read"], "caps_are_kept"),
        mutant(
            LosesWhatIsSplit,
            &["bytes_may_be_split_anywhere"],
            "recordings_are_read",
        ),
        mutant(
            TakesAnyEnd,
            &["a_cut_answer_is_no_answer"],
            "recordings_are_read",
        ),
        mutant(
            FinishesTwice,
            &["an_answer_finishes_once"],
            "bytes_may_be_split_anywhere",
        ),
        mutant(
            GoesOnAfterItsEnd,
            &["nothing_follows_the_end"],
            "recordings_are_read",
        ),
        mutant(KeepsNoCaps, &["caps_are_kept"], "recordings_are_read"),
        mutant(
            PanicsOnZero,
            &["damaged_bytes_are_no_panic"],
            "recordings_are_read",
        ),
        mutant(
            SharesItsState,
            &["a_decoder_is_of_one_answer"],
            "recordings_are_read",
        ),
        mutant(
            LeavesTheBaseUrl,
            &["requests_go_below_the_base_url"],
            "recordings_are_read",
        ),
        mutant(
            CountsRequests,
            &["the_same_request_is_written_the_same"],
            "recordings_are_read",
        ),
        mutant(
            HasABadName,
            &["facts_are_plain_names"],
            "recordings_are_read",
        ),
    ]
};

#[derive(Clone, Debug)]
struct Broken {
    good: OllamaChat,
    flaw: Flaw,
    /// State that is wrongly kept between requests.
    kept: Arc<AtomicUsize>,
}

impl Dialect for Broken {
    fn facts(&self) -> &'static Facts {
        static BAD: Facts = Facts::new("Bad name");
        match self.flaw {
            Flaw::HasABadName => &BAD,
            _ => self.good.facts(),
        }
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        let mut written = self.good.encode(endpoint, request, mode)?;
        match self.flaw {
            Flaw::LeavesTheBaseUrl => {
                *written.uri_mut() = Uri::from_static("https://elsewhere.test/");
            }
            Flaw::CountsRequests => {
                let count = self.kept.fetch_add(1, Ordering::Relaxed);
                written.headers_mut().insert("x-count", count.into());
            }
            _ => {}
        }
        Ok(written)
    }

    fn decoder(&self, head: &Parts, mode: Mode, caps: Caps) -> Box<dyn Decoder> {
        let caps = match self.flaw {
            Flaw::KeepsNoCaps => Caps::default(),
            _ => caps,
        };
        Box::new(BrokenDecoder {
            good: self.good.decoder(head, mode, caps),
            flaw: self.flaw,
            number: self.kept.fetch_add(1, Ordering::Relaxed) + 1,
            newest: Arc::clone(&self.kept),
            pieces: 0,
            again: None,
            has_given_up: false,
        })
    }
}

struct BrokenDecoder {
    good: Box<dyn Decoder>,
    flaw: Flaw,
    number: usize,
    newest: Arc<AtomicUsize>,
    pieces: usize,
    again: Option<ChatEvent>,
    has_given_up: bool,
}

impl Decoder for BrokenDecoder {
    fn feed(&mut self, mut bytes: Bytes) {
        self.pieces += 1;
        match self.flaw {
            Flaw::LosesWhatIsSplit if self.pieces > 1 && !bytes.is_empty() => {
                bytes = bytes.slice(1..);
            }
            Flaw::PanicsOnZero if bytes.contains(&0) => {
                // Panics without calling the panic hook.
                std::panic::resume_unwind(Box::new("a zero"));
            }
            Flaw::SharesItsState if self.newest.load(Ordering::Relaxed) != self.number => return,
            Flaw::GoesOnAfterItsEnd if self.good.is_done() => {
                self.again = Some(ChatEvent::part(Part::text("more")));
            }
            _ => {}
        }
        self.good.feed(bytes);
    }

    fn end(&mut self) {
        self.good.end();
    }

    fn next_event(&mut self) -> Result<Option<ChatEvent>, Error> {
        if let Some(event) = self.again.take() {
            return Ok(Some(event));
        }
        match self.good.next_event() {
            Ok(Some(event)) if self.flaw == Flaw::LosesText && event.as_text().is_some() => {
                self.next_event()
            }
            Ok(Some(event)) => {
                let is_last = matches!(event, ChatEvent::Finish { .. });
                if self.flaw == Flaw::FinishesTwice && is_last {
                    self.again = Some(event.clone());
                }
                Ok(Some(event))
            }
            Err(error)
                if self.flaw == Flaw::TakesAnyEnd && error.kind() == ErrorKind::Truncated =>
            {
                self.has_given_up = true;
                Ok(Some(ChatEvent::Finish {
                    reason: FinishReason::Stop,
                    raw: "stop".into(),
                }))
            }
            other => other,
        }
    }

    fn is_done(&self) -> bool {
        self.has_given_up || self.good.is_done()
    }

    fn skipped(&self) -> u32 {
        self.good.skipped()
    }
}

fn subject(flaw: Flaw) -> Subject {
    let stream = concat!(
        r#"{"model":"m","message":{"content":"你好 "},"done":false}"#,
        "\n",
        r#"{"model":"m","message":{"content":"dich"},"done":true,"done_reason":"stop"}"#,
        "\n",
    );
    let broken = Broken {
        good: OllamaChat::default(),
        flaw,
        kept: Arc::default(),
    };
    Subject::new(broken)
        .recording(Recording::stream("a stream", stream).says("你好 dich"))
        .recording(
            Recording::whole("an error", r#"{"error":"no such model"}"#)
                .status(404)
                .fails_as(ErrorKind::NotFound),
        )
}

#[test]
fn broken_dialects_are_found() {
    for mutant in MUTANTS {
        let run = |case| run_dialect_case(case, &subject(mutant.flaw));
        if let Err(failure) = run(mutant.holds) {
            panic!(
                "{:?} is more broken than it is meant to be: {failure}",
                mutant.flaw
            );
        }
        for case in mutant.finds {
            let failure =
                run(case).expect_err(&format!("`{case}` does not notice {:?}", mutant.flaw));
            assert!(failure.contains("The documentation of"), "{failure}");
        }
    }
}

#[test]
fn every_dialect_case_is_failed_by_some_broken_dialect() {
    let found: BTreeSet<_> = MUTANTS
        .iter()
        .flat_map(|mutant| mutant.finds)
        .copied()
        .collect();
    let all: BTreeSet<_> = DIALECT_CASES.iter().map(|case| case.name).collect();
    assert_eq!(found, all);
}
