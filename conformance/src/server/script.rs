//! The steps in which a response is sent: what is written, when, and how it ends.

use std::io::Write;
use std::time::Duration;

use super::answer::Answer;
use super::plan::{After, At, Endpoint, Fault, Framing, Instead, Plan, Poison};

/// The default gap between pieces that must not arrive together.
const APART: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) enum Step {
    Write(Vec<u8>),
    Wait(Duration),
    /// Waits for a gate.
    Pass(String),
    /// Writes these bytes again and again until the client disconnects.
    Repeat(Vec<u8>, Duration),
}

/// What happens to the connection after the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Keep,
    Poison(Poison),
    Close,
    Reset,
    /// Sends nothing more until the client disconnects.
    Hold,
}

#[derive(Debug)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    pub(super) ends: Ends,
    /// Whether the answer is complete, not cut off.
    pub(super) complete: bool,
}

impl Script {
    /// Sends an answer without delay.
    pub(super) fn plain(answer: &Answer, number: u64, close: bool) -> Self {
        Self::of(&Plan::default(), answer, number, close)
    }

    /// The steps that send `answer` according to `plan`. `close` says whether the client wants the
    /// connection closed.
    pub(super) fn of(plan: &Plan, answer: &Answer, number: u64, close: bool) -> Self {
        let mut out = Out {
            framing: framing(plan, answer),
            ..Out::default()
        };
        let (ends, complete) = match out.respond(plan, answer, number, close) {
            Ok(ends) => (ends, ends != Ends::Hold),
            Err(broken) => (broken, false),
        };
        if let Some((bytes, gap)) = plan.dribble {
            out.dribble(bytes, gap);
        }
        Self {
            steps: out.steps,
            ends,
            complete,
        }
    }
}

fn framing(plan: &Plan, answer: &Answer) -> Framing {
    match plan.framing.unwrap_or(answer.framing) {
        // The total length of keep-alives is not known in advance.
        Framing::Length if plan.beats.is_some() => Framing::Chunked,
        framing => framing,
    }
}

#[derive(Default)]
struct Out {
    steps: Vec<Step>,
    framing: Framing,
    /// Whether the next write must be separate from the previous one.
    apart: bool,
}

impl Out {
    /// The whole response. `Err` says how it is cut off.
    fn respond(
        &mut self,
        plan: &Plan,
        answer: &Answer,
        number: u64,
        close: bool,
    ) -> Result<Ends, Ends> {
        if let Some(delay) = plan.delay {
            self.steps.push(Step::Wait(delay));
        }
        self.stand_in(&plan.instead)?;
        self.break_at(plan, At::Start)?;
        if let Some((status, count, header)) = plan.interim {
            let header = if header { "x-interim: yes\r\n" } else { "" };
            for _ in 0..count {
                self.write(format!("HTTP/1.1 {status} Interim\r\n{header}\r\n").as_bytes());
                self.apart = true;
            }
        }
        let head = self.head(plan, answer, number, close);
        if let Some((_, At::MidHead)) = plan.fault {
            self.write(&head[..head.len().min(9)]);
        }
        self.break_at(plan, At::MidHead)?;
        self.write(&head);
        self.break_at(plan, At::Head)?;
        if answer.pieces.is_empty() && answer.status == 204 {
            return Ok(self.ends(plan, close));
        }
        if let Some(pause) = plan.pause {
            self.wait(pause);
        }
        self.body(plan, answer)?;
        self.break_at(plan, At::End)?;
        if plan.after == After::Hold {
            return Ok(Ends::Hold);
        }
        if self.framing == Framing::Chunked {
            self.write(b"0\r\n\r\n");
        }
        if plan.extra {
            self.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong");
        }
        if matches!(plan.after, After::CloseSilently | After::ResetSilently) {
            self.pass(plan);
        }
        Ok(self.ends(plan, close))
    }

    fn ends(&self, plan: &Plan, close: bool) -> Ends {
        match plan.after {
            After::Hold => Ends::Hold,
            After::ResetSilently => Ends::Reset,
            After::CloseSaid | After::CloseSilently => Ends::Close,
            _ if close || self.framing == Framing::Close => Ends::Close,
            After::Poison(poison) => Ends::Poison(poison),
            After::Keep => Ends::Keep,
        }
    }

    fn stand_in(&mut self, instead: &Instead) -> Result<(), Ends> {
        match instead {
            Instead::Nothing => return Ok(()),
            Instead::Silent => {}
            Instead::Raw(bytes) => {
                self.write(bytes);
                return Err(Ends::Close);
            }
            Instead::EndlessHeaders(every) => {
                self.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n");
                let header = format!("x-endless: {}\r\n", "e".repeat(1000));
                self.steps.push(Step::Repeat(header.into_bytes(), *every));
            }
        }
        Err(Ends::Hold)
    }

    fn break_at(&mut self, plan: &Plan, here: At) -> Result<(), Ends> {
        let Some((fault, _)) = plan.fault.filter(|(_, at)| *at == here) else {
            return Ok(());
        };
        if !matches!(here, At::Start | At::MidHead) {
            self.pass(plan);
        }
        Err(match fault {
            Fault::Reset => Ends::Reset,
            Fault::Fin => Ends::Close,
        })
    }

    /// Waits for the gate, if there is one.
    fn pass(&mut self, plan: &Plan) {
        let gate = plan.gate.clone().map(Step::Pass);
        self.steps.extend(gate);
    }

    fn head(&self, plan: &Plan, answer: &Answer, number: u64, close: bool) -> Vec<u8> {
        let mut head = Vec::with_capacity(320);
        // Writing to a vector cannot fail, here and below.
        let _ = write!(
            head,
            "HTTP/1.1 {} {}\r\n",
            answer.status,
            reason(answer.status)
        );
        if let Some(kind) = &answer.content_type {
            let _ = write!(head, "content-type: {kind}\r\n");
        }
        let id = match plan.endpoint {
            Endpoint::Anthropic => "request-id",
            _ => "x-request-id",
        };
        let _ = write!(head, "{id}: req-{number}\r\n");
        // Pages of any origin may use this server, because browser tests need that.
        head.extend_from_slice(
            b"access-control-allow-origin: *\r\naccess-control-expose-headers: *\r\n",
        );
        for (name, value) in &answer.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if answer.status != 204 {
            match self.framing {
                Framing::Length => {
                    let length: usize = answer.pieces.iter().map(Vec::len).sum();
                    let length = match plan.fault {
                        Some((_, At::End)) => length + 10,
                        _ => length,
                    };
                    let _ = write!(head, "content-length: {length}\r\n");
                }
                Framing::Chunked => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
                Framing::Close => {}
            }
        }
        if close || self.framing == Framing::Close || plan.after == After::CloseSaid {
            head.extend_from_slice(b"connection: close\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    fn body(&mut self, plan: &Plan, answer: &Answer) -> Result<(), Ends> {
        if let Some(bytes) = plan.bad_chunk {
            self.write(bytes);
            return Err(Ends::Close);
        }
        if let Some(beats) = plan.beats {
            let Some(count) = beats.count else {
                let beat = framed(self.framing, beats.beat);
                self.steps.push(Step::Repeat(beat, beats.every));
                return Err(Ends::Hold);
            };
            for _ in 0..count {
                self.write(&framed(self.framing, beats.beat));
                self.wait(beats.every);
            }
        }
        let split = split(&answer.pieces, &plan.split);
        let pieces = if plan.split.is_empty() {
            answer.pieces.iter().map(Vec::as_slice).collect()
        } else {
            split.iter().map(Vec::as_slice).collect::<Vec<_>>()
        };
        let gap = plan.every.or((!plan.split.is_empty()).then_some(APART));
        let mut sent = 0;
        for (n, piece) in pieces.iter().enumerate() {
            if plan.stall == Some(n) {
                return Err(Ends::Hold);
            }
            self.pass(plan);
            if let Some(gap) = gap.filter(|_| n > 0) {
                self.wait(gap);
            }
            self.piece(plan, piece, sent)?;
            sent += piece.len();
        }
        if plan.stall.is_some() {
            return Err(Ends::Hold);
        }
        Ok(())
    }

    /// One piece, or the part of it that is sent before the break.
    fn piece(&mut self, plan: &Plan, piece: &[u8], sent: usize) -> Result<(), Ends> {
        let bytes = framed(self.framing, piece);
        let Some((_, here @ At::Body(at))) = plan.fault else {
            self.write(&bytes);
            return Ok(());
        };
        if at >= sent + piece.len() {
            self.write(&bytes);
        } else {
            let size_line = match self.framing {
                Framing::Chunked => bytes.len() - piece.len() - 2,
                _ => 0,
            };
            self.write(&bytes[..size_line + (at - sent)]);
        }
        if at > sent + piece.len() {
            return Ok(());
        }
        self.break_at(plan, here)
    }

    fn write(&mut self, bytes: &[u8]) {
        match self.steps.last_mut() {
            Some(Step::Write(last)) if !self.apart => last.extend_from_slice(bytes),
            _ => self.steps.push(Step::Write(bytes.to_vec())),
        }
        self.apart = false;
    }

    fn wait(&mut self, duration: Duration) {
        self.steps.push(Step::Wait(duration));
    }

    /// Splits all writes into writes of `size` bytes.
    fn dribble(&mut self, size: usize, gap: Duration) {
        let mut steps = Vec::new();
        for step in self.steps.drain(..) {
            let Step::Write(bytes) = step else {
                steps.push(step);
                continue;
            };
            for piece in bytes.chunks(size) {
                steps.push(Step::Write(piece.to_vec()));
                if !gap.is_zero() {
                    steps.push(Step::Wait(gap));
                }
            }
        }
        self.steps = steps;
    }
}

fn framed(framing: Framing, piece: &[u8]) -> Vec<u8> {
    if framing != Framing::Chunked || piece.is_empty() {
        return piece.to_vec();
    }
    let mut chunk = Vec::with_capacity(piece.len() + 12);
    let _ = write!(chunk, "{:x}\r\n", piece.len());
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn split(pieces: &[Vec<u8>], offsets: &[usize]) -> Vec<Vec<u8>> {
    if offsets.is_empty() {
        return Vec::new();
    }
    let whole = pieces.concat();
    let mut offsets: Vec<usize> = offsets.iter().map(|at| (*at).min(whole.len())).collect();
    offsets.extend([0, whole.len()]);
    offsets.sort_unstable();
    offsets.dedup();
    let cut = |pair: &[usize]| whole[pair[0]..pair[1]].to_vec();
    offsets.windows(2).map(cut).collect()
}

fn reason(status: u16) -> &'static str {
    let known = http::StatusCode::from_u16(status).ok();
    known
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::route::Route;

    fn script(path: &str) -> Script {
        let route = Route::of(path).unwrap();
        let text = match &route.plan(1).endpoint {
            Endpoint::Text(text) => text.clone().into_bytes(),
            other => panic!("{other:?}"),
        };
        let answer = Answer {
            status: 200,
            content_type: None,
            headers: Vec::new(),
            pieces: vec![text],
            framing: Framing::Length,
        };
        Script::of(route.plan(1), &answer, 1, false)
    }

    fn written(script: &Script) -> String {
        let bytes = script.steps.iter().flat_map(|step| match step {
            Step::Write(bytes) => bytes.clone(),
            _ => Vec::new(),
        });
        let text = String::from_utf8(bytes.collect()).unwrap();
        text.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    #[test]
    fn a_plain_answer_is_one_write() {
        let script = script("/text/hello");
        assert_eq!(script.steps.len(), 1);
        assert_eq!(written(&script), "hello");
        assert_eq!((script.ends, script.complete), (Ends::Keep, true));
    }

    #[test]
    fn a_cut_counts_bytes_of_the_body_and_not_of_its_framing() {
        let chunked = script("/chunked/cut/3/text/hello");
        assert_eq!(written(&chunked), "5\r\nhel");
        assert_eq!((chunked.ends, chunked.complete), (Ends::Close, false));
        let length = script("/reset/3/text/hello");
        assert_eq!(written(&length), "hel");
        assert_eq!(length.ends, Ends::Reset);
        let after_a_chunk = script("/chunked/split/3/cut/3/text/hello");
        assert_eq!(written(&after_a_chunk), "3\r\nhel\r\n");
    }

    #[test]
    fn a_missing_end_is_told_by_the_framing() {
        assert_eq!(
            written(&script("/chunked/cut/end/text/hello")),
            "5\r\nhello\r\n"
        );
        let steps = script("/cut/end/text/hello").steps;
        let Step::Write(bytes) = &steps[0] else {
            panic!("{steps:?}")
        };
        assert!(String::from_utf8_lossy(bytes).contains("content-length: 15\r\n"));
    }

    #[test]
    fn a_gate_holds_back_each_piece_and_what_breaks_after_it() {
        let passes = |path: &str| {
            let steps = script(path).steps;
            let is_pass = |step: &&Step| matches!(step, Step::Pass(gate) if gate == "g");
            (
                steps.iter().filter(is_pass).count(),
                steps.last().is_some_and(|last| is_pass(&last)),
            )
        };
        assert_eq!(passes("/gate/g/text/hello"), (1, false));
        assert_eq!(passes("/gate/g/split/3/text/hello"), (2, false));
        assert_eq!(passes("/gate/g/reset/head/text/hello"), (1, true));
        assert_eq!(passes("/gate/g/cut/3/text/hello"), (2, true));
        assert_eq!(passes("/gate/g/reset-idle/text/hello"), (2, true));
    }

    #[test]
    fn dribbling_keeps_every_byte() {
        let script = script("/dribble/1/1ms/chunked/text/h%C3%A9");
        assert_eq!(written(&script), "3\r\nh\u{e9}\r\n0\r\n\r\n");
        assert!(script.steps.iter().all(|step| match step {
            Step::Write(bytes) => bytes.len() == 1,
            _ => true,
        }));
    }
}
