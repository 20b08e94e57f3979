//! Errors as JSON, for journals and for other processes.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Error, ErrorKind, Phase};
use crate::chat::ChatResponse;

/// The fields of an [`Error`] in JSON. Times are in seconds. Empty fields are left out.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    kind: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_option: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    should_retry: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    in_stream: bool,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<Box<ChatResponse>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The text of a source, after the error was read from JSON.
#[derive(Debug)]
struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Said {}

/// Every field is kept. Of the [source](StdError::source), only the text is kept.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = &*self.0;
        Stored {
            kind: inner.kind.as_str().to_owned(),
            message: inner.message.clone(),
            status: inner.status.map(|status| status.as_u16()),
            code: inner.code.clone(),
            error_type: inner.error_type.clone(),
            param: inner.param.clone(),
            refused_option: inner.refused_option.clone(),
            request_id: inner.request_id.clone(),
            body: inner.body.clone(),
            retry_after: inner.retry_after.map(|after| after.as_secs_f64()),
            should_retry: inner.should_retry,
            phase: inner.phase.map(|phase| phase.as_str().to_owned()),
            in_stream: inner.in_stream,
            attempts: inner.attempts,
            provider: inner.provider.as_deref().map(str::to_owned),
            partial: inner.partial.clone(),
            advice: inner.advice.as_deref().map(str::to_owned),
            causes: inner.causes.clone(),
            source: inner.source.as_ref().map(|source| source.to_string()),
        }
        .serialize(serializer)
    }
}

/// An unknown kind is read as [`Internal`](ErrorKind::Internal), so that the journal of a newer
/// version can be read.
impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let kinds = ErrorKind::ALL.iter().copied();
        let kind = kinds.clone().find(|kind| kind.as_str() == stored.kind);
        let mut error = Self::new(kind.unwrap_or(ErrorKind::Internal), stored.message);
        let inner = &mut *error.0;
        inner.status = stored
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        inner.code = stored.code;
        inner.error_type = stored.error_type;
        inner.param = stored.param;
        inner.refused_option = stored.refused_option;
        inner.request_id = stored.request_id;
        inner.body = stored.body;
        inner.retry_after = stored
            .retry_after
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        inner.should_retry = stored.should_retry;
        inner.phase = stored.phase.and_then(|word| {
            let mut phases = Phase::ALL.iter().copied();
            phases.find(|phase| phase.as_str() == word)
        });
        inner.in_stream = stored.in_stream;
        inner.attempts = stored.attempts;
        inner.provider = stored.provider.map(Into::into);
        inner.partial = stored.partial;
        inner.advice = stored.advice.map(Into::into);
        inner.causes = stored.causes;
        inner.source = stored
            .source
            .map(|text| Arc::new(Said(text)) as Arc<dyn StdError + Send + Sync>);
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(error: &Error) -> Error {
        serde_json::from_str(&serde_json::to_string(error).unwrap()).unwrap()
    }

    #[test]
    fn every_field_comes_back() {
        let before = Error::timeout(Phase::FirstContent, Duration::from_millis(1500));
        let mut error = Error::new(ErrorKind::BadRequest, "no\n")
            .with_status(StatusCode::BAD_REQUEST)
            .with_code(Some("c".into()))
            .with_error_type(Some("t".into()))
            .with_param(Some("p".into()))
            .with_refused_option("seed".into())
            .with_request_id(Some("r".into()))
            .with_body(b"{}")
            .with_retry_after(Some(Duration::from_millis(2500)))
            .with_should_retry(Some(true))
            .with_partial(ChatResponse::default())
            .with_source(std::io::Error::other("cause"))
            .with_causes(vec![before])
            .in_stream();
        error.set_attempts(3);
        error.set_provider(&"deepseek".into());
        error.set_advice(&"do this".into());
        let back = there_and_back(&error);
        // The debug output up to the source. All fields that are not in it are compared below.
        let shown = |error: &Error| {
            let shown = format!("{error:#?}");
            let at = shown.find("source:").unwrap();
            shown[..at].to_owned()
        };
        assert_eq!(shown(&back), shown(&error));
        assert_eq!(back.to_string(), error.to_string());
        assert_eq!(back.source().unwrap().to_string(), "cause");
        assert_eq!(back.partial(), error.partial());
        assert_eq!(back.is_retryable(), error.is_retryable());
        assert_eq!((back.attempts(), back.is_in_stream()), (3, true));
        assert_eq!(back.causes()[0].phase(), Some(Phase::FirstContent));
    }

    #[test]
    fn every_kind_and_phase_comes_back_and_an_unknown_one_is_internal() {
        for &kind in ErrorKind::ALL {
            assert_eq!(there_and_back(&Error::new(kind, "m")).kind(), kind);
        }
        for &phase in Phase::ALL {
            let error = there_and_back(&Error::timeout(phase, Duration::ZERO));
            assert_eq!(error.phase(), Some(phase));
        }
        let newer: Error = serde_json::from_str(r#"{"kind":"later","message":"m"}"#).unwrap();
        assert_eq!((newer.kind(), newer.message()), (ErrorKind::Internal, "m"));
    }
}
