//! Formats an error, in one line or in full.

use std::fmt::{self, Write as _};

use super::Error;
use crate::quote::{Span, escape};

/// The most characters of a message that are shown.
const MESSAGE: usize = 2000;

/// The most characters of a code or a request id that are shown.
const WORD: usize = 200;

/// Text from a server, in one line. Characters that would break the line, reverse its direction or
/// control a terminal are escaped. The second field is the most characters that are shown, because
/// a server may send any number.
struct Line<'a>(&'a str, usize);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, char) in self.0.chars().enumerate() {
            if place == self.1 {
                return f.write_char('…');
            }
            match char {
                '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escape(f, char)?,
                char if char.is_control() => escape(f, char)?,
                char => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

impl Error {
    /// Writes the error in one line, with its kind if `with_kind`.
    fn line(&self, f: &mut fmt::Formatter<'_>, with_kind: bool) -> fmt::Result {
        let inner = &*self.0;
        if let Some(provider) = &inner.provider {
            write!(f, "{provider}: ")?;
        }
        write!(f, "{}", Line(&inner.message, MESSAGE))?;
        let mut open = false;
        let mut detail = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            f.write_str(if open { ", " } else { " (" })?;
            open = true;
            write!(f, "{name} {value}")
        };
        if with_kind {
            detail(f, "kind", &inner.kind.as_str())?;
        }
        if let Some(status) = inner.status {
            detail(f, "status", &status.as_u16())?;
        }
        if let Some(code) = &inner.code {
            detail(f, "code", &Line(code, WORD))?;
        }
        if let Some(id) = &inner.request_id {
            detail(f, "request id", &Line(id, WORD))?;
        }
        if inner.attempts > 1 {
            detail(f, "attempts", &inner.attempts)?;
        }
        if let Some(after) = inner.retry_after {
            detail(f, "retry after", &Span(after))?;
        }
        if open {
            f.write_str(")")?;
        }
        if let Some(before) = inner.causes.last()
            && before.0.message != inner.message
        {
            write!(
                f,
                "; the previous attempt failed: {}",
                Line(&before.0.message, MESSAGE)
            )?;
        }
        if let Some(option) = &inner.refused_option {
            write!(
                f,
                "; the model refuses {}: leave it out",
                Line(option, WORD)
            )?;
            match option.as_str() {
                "temperature" => f.write_str(" with .temperature(None)")?,
                "max_tokens" | "max_completion_tokens" => f.write_str(" with .max_tokens(None)")?,
                _ => {}
            }
            f.write_str(", or change it")?;
        }
        if let Some(advice) = inner.advice.as_deref().or(inner.kind.advice()) {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line(f, false)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return self.line(f, true);
        }
        let inner = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &inner.kind)
            .field("message", &inner.message);
        let mut texts = |name, text: &Option<String>| {
            if let Some(text) = text {
                debug.field(name, text);
            }
        };
        texts("code", &inner.code);
        texts("error_type", &inner.error_type);
        texts("param", &inner.param);
        texts("refused_option", &inner.refused_option);
        texts("request_id", &inner.request_id);
        texts("body", &inner.body);
        if let Some(status) = inner.status {
            debug.field("status", &status);
        }
        if let Some(after) = inner.retry_after {
            debug.field("retry_after", &after);
        }
        if let Some(phase) = inner.phase {
            debug.field("phase", &phase);
        }
        if let Some(provider) = &inner.provider {
            debug.field("provider", provider);
        }
        if let Some(partial) = &inner.partial {
            // Only the number of parts, because an answer may be long and is data, not part of the
            // error's text.
            debug.field(
                "partial",
                &format_args!("{} parts", partial.message.parts.len()),
            );
        }
        if !inner.causes.is_empty() {
            debug.field("causes", &inner.causes);
        }
        if let Some(source) = &inner.source {
            debug.field("source", source);
        }
        debug
            .field("in_stream", &inner.in_stream)
            .field("attempts", &inner.attempts)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn one_line_whatever_a_server_says() {
        let error = Error::new(
            ErrorKind::BadRequest,
            "no\r\nINFO all is well\u{1b}[2J\u{202e}é你",
        )
        .with_code(Some("a\nb".to_owned()))
        .with_request_id(Some("c\u{2028}d".to_owned()));
        assert_eq!(
            error.to_string(),
            "no\\r\\nINFO all is well\\u{1b}[2J\\u{202e}é你 (code a\\nb, request id c\\u{2028}d)"
        );
    }

    #[test]
    fn what_is_refused_is_said() {
        let refused = |option: &str| {
            let error = Error::new(ErrorKind::BadRequest, "no");
            error.with_refused_option(option.to_owned()).to_string()
        };
        assert_eq!(
            refused("temperature"),
            "no; the model refuses temperature: leave it out with .temperature(None), or change it"
        );
        assert_eq!(
            refused("seed"),
            "no; the model refuses seed: leave it out, or change it"
        );
    }

    #[test]
    fn debug_is_one_line_with_the_kind_and_all_of_it_where_it_is_asked_for() {
        let error = Error::new(ErrorKind::Auth, "bad key")
            .with_status(http::StatusCode::UNAUTHORIZED)
            .with_code(Some("invalid_api_key".to_owned()))
            .with_request_id(Some("req_1".to_owned()))
            .with_body(&[b'x'; 4000])
            .with_source(std::io::Error::other("cause"));
        assert_eq!(
            format!("{error:?}"),
            "bad key (kind auth, status 401, code invalid_api_key, request id req_1); check the \
             key, and that it belongs to this base URL"
        );
        let whole = format!("{error:#?}");
        assert!(whole.contains("body") && whole.contains("cause"), "{whole}");
    }

    #[test]
    fn whatever_a_server_says_the_line_stays_short() {
        let long = "\u{1b}é".repeat(1 << 20);
        let before = Error::new(ErrorKind::Server, format!("{long}!"));
        let error = Error::new(ErrorKind::Server, &*long)
            .with_code(Some(long.clone()))
            .with_request_id(Some(long.clone()))
            .with_causes(vec![before]);
        let shown = error.to_string();
        assert!(shown.chars().count() < 30_000, "{}", shown.len());
        assert!(shown.contains("é…"), "{shown}");
    }

    #[test]
    fn what_failed_before_is_said() {
        let before = Error::new(ErrorKind::Server, "out of order");
        let same = Error::new(ErrorKind::Timeout, "late").with_causes(vec![before]);
        assert_eq!(
            same.to_string(),
            "late; the previous attempt failed: out of order"
        );
    }
}
