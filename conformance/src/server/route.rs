//! Reads a path from left to right: behaviours with their arguments, then the endpoint.
//!
//! The table in the [module](super) documents this file.

use std::time::Duration;

use super::plan::{After, At, Beats, Body, Endpoint, Fault, Framing, Instead, Plan, Poison};
use super::provider::Provider;

/// The key of a request, and how to answer it.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) key: String,
    plan: Plan,
    /// After this many requests of the key, this plan is used, without the behaviours after
    /// `flaky`.
    calm: Option<(u64, Plan)>,
}

impl Route {
    /// The plan for the key's request number `attempt`, counted from 1.
    pub(super) fn plan(&self, attempt: u64) -> &Plan {
        match &self.calm {
            Some((faults, calm)) if attempt > *faults => calm,
            _ => &self.plan,
        }
    }

    /// Reads a request's target. The error is a sentence for the author of the path.
    pub(super) fn of(target: &str) -> Result<Self, String> {
        let path = path(target);
        let mut words = Words(path.split('/').filter(|word| !word.is_empty()));
        let mut route = Self {
            key: path.to_owned(),
            plan: Plan::default(),
            calm: None,
        };
        let endpoint = loop {
            let Some(word) = words.0.next() else {
                break Endpoint::Unknown;
            };
            if let Some(endpoint) = endpoint(word, &mut words)? {
                break endpoint;
            }
            match word {
                "key" => route.key = words.text()?,
                "flaky" => route.calm = Some((words.number()?, route.plan.clone())),
                _ => behaviour(word, &mut words, &mut route.plan)?,
            }
        };
        if let Some((_, calm)) = &mut route.calm {
            calm.endpoint = endpoint.clone();
        }
        route.plan.endpoint = endpoint;
        Ok(route)
    }
}

/// The path of a target in origin form or in absolute form, which proxies get.
pub(super) fn path(target: &str) -> &str {
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |start| &rest[start..]),
        None => target,
    };
    target.split('?').next().unwrap_or_default()
}

fn endpoint<'a>(
    word: &str,
    words: &mut Words<impl Iterator<Item = &'a str>>,
) -> Result<Option<Endpoint>, String> {
    Ok(Some(match word {
        "v1" => match words.0.next() {
            Some("chat") if words.0.next() == Some("completions") => Endpoint::OpenAiChat,
            Some("messages") => Endpoint::Anthropic,
            Some("responses") => Endpoint::OpenAiResponses,
            _ => Endpoint::Unknown,
        },
        "chat" if words.0.next() == Some("completions") => Endpoint::OpenAiChat,
        "text" => Endpoint::Text(words.text()?),
        "bytes" => Endpoint::Bytes(words.size()?),
        "echo" => Endpoint::Echo,
        _ => return Ok(None),
    }))
}

fn behaviour<'a>(
    word: &str,
    words: &mut Words<impl Iterator<Item = &'a str>>,
    plan: &mut Plan,
) -> Result<(), String> {
    match word {
        "ok" => {}
        // When.
        "delay" => plan.delay = Some(words.duration()?),
        "pause" => plan.pause = Some(words.duration()?),
        "every" => plan.every = Some(words.duration()?),
        "gate" => plan.gate = Some(words.text()?),
        "dribble" => plan.dribble = Some((words.size()?.max(1), words.duration()?)),
        "split" => plan.split = words.numbers()?,
        "stall" => plan.stall = Some(words.size()?),
        // How.
        "chunked" => plan.framing = Some(Framing::Chunked),
        "length" => plan.framing = Some(Framing::Length),
        "close-delimited" => plan.framing = Some(Framing::Close),
        "interim" => plan.interim = Some((words.status()?, words.size()?, true)),
        "interim-bare" => plan.interim = Some((words.status()?, words.size()?, false)),
        "header" => plan.headers.push((words.text()?, words.text()?)),
        "huge-header" => plan
            .headers
            .push(("x-huge".into(), "h".repeat(words.size()?))),
        "many-headers" => {
            let count = words.size()?;
            let header = |n: usize| (format!("x-many-{n}"), n.to_string());
            plan.headers.extend((0..count).map(header));
        }
        "type" => plan.content_type = Some(words.text()?),
        // What.
        "as" => plan.provider = Some(words.provider()?),
        "status" => plan.status = Some(words.status()?),
        "error-code" => plan.error_code = Some(words.text()?),
        "retry-after" => plan.headers.push(("retry-after".into(), words.text()?)),
        "retry-after-ms" => plan.headers.push(("retry-after-ms".into(), words.text()?)),
        "redirect" => plan.redirect = Some((words.status()?, words.text()?)),
        "page" => plan.body = Some(Body::Page),
        "empty" => plan.body = Some(Body::Empty),
        "body" => plan.body = Some(Body::Text(words.text()?)),
        "words" => plan.words = Some(words.size()?),
        "pad" => plan.pad = words.size()?,
        "finish" => plan.finish = Some(words.text()?),
        "no-usage" => plan.no_usage = true,
        "no-terminal" => plan.no_terminal = true,
        "garbage-event" => plan.garbage_event = Some(words.size()?),
        "error-event" => plan.error_event = Some(words.size()?),
        "keepalives" => plan.beats = Some(words.beats(Beats::COMMENT)?),
        "pings" => plan.beats = Some(words.beats(Beats::PING)?),
        "blank" => plan.beats = Some(words.beats(Beats::BLANK)?),
        // Faults below HTTP.
        "reset" => plan.fault = Some((Fault::Reset, words.at()?)),
        "cut" => plan.fault = Some((Fault::Fin, words.at()?)),
        "garbage" => {
            plan.instead = Instead::Raw(b"\x16\x03garbage: this is not HTTP\r\n\r\n".to_vec())
        }
        "garbage-chunk" => plan.bad_chunk = Some(b"this is no size\r\n"),
        // 2⁶⁴ + 5 is 5 where it overflows.
        "overflow-chunk" => plan.bad_chunk = Some(b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
        "silent" => plan.instead = Instead::Silent,
        "endless-headers" => plan.instead = Instead::EndlessHeaders(words.duration()?),
        // After the answer.
        "hold" => plan.after = After::Hold,
        "extra" => plan.extra = true,
        "close-said" => plan.after = After::CloseSaid,
        "close-idle" => plan.after = After::CloseSilently,
        "reset-idle" => plan.after = After::ResetSilently,
        "then-close" => plan.after = After::Poison(Poison::Close),
        "then-partial" => plan.after = After::Poison(Poison::Partial),
        unknown => {
            return Err(format!(
                "no behaviour and no endpoint is called `{unknown}`"
            ));
        }
    }
    Ok(())
}

/// The rest of a path, read word by word.
struct Words<I>(I);

impl<'a, I: Iterator<Item = &'a str>> Words<I> {
    fn word(&mut self) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| "an argument is missing".into())
    }

    fn text(&mut self) -> Result<String, String> {
        Ok(percent_decoded(self.word()?))
    }

    fn number(&mut self) -> Result<u64, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("`{word}` is no number"))
    }

    /// A number, optionally with `k` or `m` for KiB or MiB.
    fn size(&mut self) -> Result<usize, String> {
        let word = self.word()?;
        size(word).ok_or_else(|| format!("`{word}` is no size (`7`, `64k`, `8m`)"))
    }

    fn numbers(&mut self) -> Result<Vec<usize>, String> {
        let word = self.word()?;
        let numbers: Option<_> = word.split(',').map(|number| number.parse().ok()).collect();
        numbers.ok_or_else(|| format!("`{word}` is no list of offsets (`3,17,40`)"))
    }

    fn status(&mut self) -> Result<u16, String> {
        let word = self.word()?;
        let status = word
            .parse()
            .ok()
            .filter(|status| (100..1000).contains(status));
        status.ok_or_else(|| format!("`{word}` is no status"))
    }

    fn provider(&mut self) -> Result<Provider, String> {
        let word = self.word()?;
        let names = Provider::NAMES;
        Provider::named(word).ok_or_else(|| format!("`{word}` is no provider: {names}"))
    }

    fn duration(&mut self) -> Result<Duration, String> {
        let word = self.word()?;
        duration(word).ok_or_else(|| format!("`{word}` is no duration (`50ms`, `2s`)"))
    }

    fn at(&mut self) -> Result<At, String> {
        Ok(match self.word()? {
            "start" => At::Start,
            "mid-head" => At::MidHead,
            "head" => At::Head,
            "end" => At::End,
            word => {
                At::Body(size(word).ok_or_else(|| {
                    format!("`{word}` is no place: start, mid-head, head, N, end")
                })?)
            }
        })
    }

    /// `N/GAP`, where `N` may be `forever`.
    fn beats(&mut self, beat: &'static [u8]) -> Result<Beats, String> {
        let word = self.word()?;
        let count = match word {
            "forever" => None,
            _ => Some(size(word).ok_or_else(|| format!("`{word}` is no count, nor `forever`"))?),
        };
        let every = self.duration()?;
        Ok(Beats { beat, count, every })
    }
}

fn size(word: &str) -> Option<usize> {
    match word.split_at_checked(word.len().checked_sub(1)?)? {
        (number, "k") => number.parse::<usize>().ok()?.checked_mul(1 << 10),
        (number, "m") => number.parse::<usize>().ok()?.checked_mul(1 << 20),
        _ => word.parse().ok(),
    }
}

fn duration(word: &str) -> Option<Duration> {
    if let Some(number) = word.strip_suffix("ms") {
        number.parse().ok().map(Duration::from_millis)
    } else {
        let number = word.strip_suffix('s')?;
        number.parse().ok().map(Duration::from_secs)
    }
}

pub(super) fn percent_decoded(word: &str) -> String {
    let bytes = word.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = word.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_behaviours_then_the_endpoint() {
        let route = Route::of("/key/a%20b/delay/50ms/cut/12/v1/chat/completions?x=1").unwrap();
        assert_eq!(route.key, "a b");
        let plan = route.plan(1);
        assert_eq!(plan.delay, Some(Duration::from_millis(50)));
        assert_eq!(plan.fault, Some((Fault::Fin, At::Body(12))));
        assert_eq!(plan.endpoint, Endpoint::OpenAiChat);
    }

    #[test]
    fn flaky_forgets_what_follows_it_after_so_many_requests() {
        let route = Route::of("/delay/1ms/flaky/2/status/503/v1/messages").unwrap();
        assert_eq!(route.key, "/delay/1ms/flaky/2/status/503/v1/messages");
        assert_eq!(route.plan(2).status, Some(503));
        assert_eq!(route.plan(3).status, None);
        assert_eq!(route.plan(3).delay, Some(Duration::from_millis(1)));
        assert_eq!(route.plan(3).endpoint, Endpoint::Anthropic);
    }

    #[test]
    fn a_misspelt_path_says_what_is_wrong() {
        let error = |path| Route::of(path).unwrap_err();
        assert!(error("/delya/50ms/v1/messages").contains("`delya`"));
        assert!(error("/delay/50/v1/messages").contains("`50` is no duration"));
        assert!(error("/delay").contains("missing"));
    }

    #[test]
    fn takes_targets_in_absolute_form() {
        assert_eq!(path("http://127.0.0.1:1/text/hi?q"), "/text/hi");
        assert_eq!(path("/text/hi"), "/text/hi");
    }
}
