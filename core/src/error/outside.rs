//! Handles the texts of an error that came from outside: cuts them to a length that can be printed,
//! and removes secrets from them.

use std::error::Error as StdError;
use std::fmt::{self, Debug, Display};
use std::sync::Arc;

use super::{Error, MAX_KEPT_BODY};

/// The most bytes of a message. A server can send a message of any length.
const MAX_MESSAGE: usize = 8 * 1024;

/// The most bytes of the other texts: words and ids.
const MAX_WORD: usize = 512;

/// The most sources in a chain that are searched.
const MAX_SOURCES: usize = 16;

impl Error {
    /// Removes every secret from the texts that came from outside, and cuts the texts.
    pub(crate) fn redact(&mut self, redact: &dyn Fn(&mut String)) {
        let inner = &mut *self.0;
        for cause in &mut inner.causes {
            cause.redact(redact);
        }
        limit(&mut inner.message, MAX_MESSAGE, redact);
        for (text, most) in [
            (&mut inner.code, MAX_WORD),
            (&mut inner.error_type, MAX_WORD),
            (&mut inner.param, MAX_WORD),
            (&mut inner.request_id, MAX_WORD),
            (&mut inner.body, MAX_KEPT_BODY),
        ] {
            if let Some(text) = text {
                limit(text, most, redact);
            }
        }
        if let Some(source) = &inner.source
            && is_secret_in(&**source, redact)
        {
            inner.source = Source::of(&**source, redact).map(|source| Arc::new(source) as _);
        }
    }
}

/// Cuts `text` and then removes secrets. The ellipsis marks the cut, so that a secret that was cut
/// off is found too.
fn limit(text: &mut String, most: usize, redact: &dyn Fn(&mut String)) {
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    redact(text);
}

/// `source` and all of its own sources.
fn chain<'a>(source: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut all = vec![source];
    let mut last = source;
    while let Some(next) = last.source()
        && all.len() < MAX_SOURCES
    {
        all.push(next);
        last = next;
    }
    all
}

fn is_secret_in(source: &(dyn StdError + 'static), redact: &dyn Fn(&mut String)) -> bool {
    chain(source).iter().any(|source| {
        let said = format!("{source}\n{source:?}");
        let mut copy = said.clone();
        redact(&mut copy);
        copy != said
    })
}

/// The texts of a source that contained a secret. They replace the source itself.
struct Source {
    display: String,
    debug: String,
    source: Option<Box<Source>>,
}

impl Source {
    fn of(source: &(dyn StdError + 'static), redact: &dyn Fn(&mut String)) -> Option<Self> {
        chain(source)
            .into_iter()
            .rev()
            .fold(None, |behind, source| {
                let [mut display, mut debug] = [source.to_string(), format!("{source:?}")];
                limit(&mut display, MAX_MESSAGE, redact);
                limit(&mut debug, MAX_MESSAGE, redact);
                Some(Self {
                    display,
                    debug,
                    source: behind.map(Box::new),
                })
            })
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.debug)
    }
}

impl StdError for Source {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::secrets::Secrets;

    const KEY: &str = "sk-do-not-show-0123456789";

    #[derive(Debug)]
    struct Outer(std::io::Error);

    impl Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }

    impl StdError for Outer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    fn redact(text: &mut String) {
        let mut secrets = Secrets::new();
        secrets.add(KEY);
        secrets.redact(text);
    }

    fn said(error: &Error) -> String {
        let mut said = format!("{error} {error:?} {error:#?}");
        let mut source = error.source();
        while let Some(cause) = source {
            said.push_str(&format!(" {cause} {cause:?}"));
            source = cause.source();
        }
        said
    }

    #[test]
    fn every_text_is_searched_the_sources_too() {
        let inner = std::io::Error::other(format!("no {KEY}"));
        let mut error = Error::new(ErrorKind::Server, format!("a {KEY}"))
            .with_code(Some(KEY.to_owned()))
            .with_error_type(Some(KEY.to_owned()))
            .with_param(Some(KEY.to_owned()))
            .with_request_id(Some(KEY.to_owned()))
            .with_body(KEY.as_bytes())
            .with_source(Outer(inner))
            .with_causes(vec![Error::new(ErrorKind::Server, KEY)]);
        assert!(said(&error).contains(KEY));
        error.redact(&redact);
        assert!(!said(&error).contains(KEY), "{}", said(&error));
        assert_eq!(error.message(), "a [redacted]");
        assert_eq!(error.source().unwrap().to_string(), "outer");
        let inner = error.source().unwrap().source().unwrap();
        assert_eq!(inner.to_string(), "no [redacted]");
    }

    #[test]
    fn a_source_without_a_secret_stays_what_it_was() {
        let mut error = Error::new(ErrorKind::Server, "x").with_source(std::io::Error::other("y"));
        error.redact(&redact);
        assert!(error.source().unwrap().is::<std::io::Error>());
    }

    #[test]
    fn a_long_message_is_cut_and_no_piece_of_a_secret_is_left_there() {
        for over in 0..KEY.len() + 4 {
            let before = "é".repeat((MAX_MESSAGE - over) / 2);
            let mut error = Error::new(ErrorKind::Server, format!("{before}{KEY}{KEY}"));
            error.redact(&redact);
            assert!(error.message().len() <= MAX_MESSAGE + 16);
            assert!(!error.message().contains(&KEY[..8]), "{over}");
        }
    }
}
