//! How an error is shown: in one line, or whole.

use std::fmt;

use super::Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(provider) = &inner.provider {
            write!(f, "{provider}: ")?;
        }
        f.write_str(&inner.message)?;
        let mut open = false;
        let mut detail = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            f.write_str(if open { ", " } else { " (" })?;
            open = true;
            write!(f, "{name} {value}")
        };
        if let Some(status) = inner.status {
            detail(f, "status", &status.as_u16())?;
        }
        if let Some(code) = &inner.code {
            detail(f, "code", code)?;
        }
        if let Some(id) = &inner.request_id {
            detail(f, "request id", id)?;
        }
        if inner.attempts > 1 {
            detail(f, "attempts", &inner.attempts)?;
        }
        if let Some(after) = inner.retry_after {
            detail(f, "retry after", &format_args!("{after:?}"))?;
        }
        if open {
            f.write_str(")")?;
        }
        if let Some(advice) = inner.kind.advice() {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            debug.field("partial", partial);
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
