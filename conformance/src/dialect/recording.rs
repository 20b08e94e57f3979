//! A dialect, and the recorded answers to test it with.

use std::fmt;
use std::sync::Arc;

use chatcore::{Dialect, Endpoint, ErrorKind, Mode, Provider};

use super::Read;
use crate::{Outcome, ensure};

/// A dialect under test, and recorded answers of its provider.
///
/// The decoding cases need recordings: at least one answer, whole or streamed. Record real answers,
/// and include the rare ones: reasoning, tool calls, errors in the middle of a stream.
pub struct Subject {
    pub(super) dialect: Arc<dyn Dialect>,
    provider: Box<dyn Fn(String) -> Provider + Send + Sync>,
    pub(super) recordings: Vec<Recording>,
}

impl Subject {
    /// A subject for `dialect`, without recordings.
    pub fn new(dialect: impl Dialect + Clone) -> Self {
        let of_provider = dialect.clone();
        Self {
            dialect: Arc::new(dialect),
            provider: Box::new(move |base| {
                Provider::new("subject", base, "tiny", of_provider.clone())
                    .with_api_key("sk-subject-0123456789")
            }),
            recordings: Vec::new(),
        }
    }

    /// Adds a recorded answer.
    #[must_use]
    pub fn recording(mut self, recording: Recording) -> Self {
        self.recordings.push(recording);
        self
    }

    pub(super) fn endpoint(&self, base: &str) -> Result<Endpoint, String> {
        let provider = (self.provider)(base.to_owned());
        provider.endpoint().map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("dialect", &self.dialect)
            .field("recordings", &self.recordings)
            .finish_non_exhaustive()
    }
}

/// An answer as its provider sent it, and the expected result.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    says: Option<String>,
    fails: Option<ErrorKind>,
}

impl Recording {
    /// The body of a stream, with status 200. Failures show `name`.
    pub fn stream(name: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(name, Mode::Stream, body)
    }

    /// The body of a whole answer, with status 200. Failures show `name`.
    pub fn whole(name: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(name, Mode::Whole, body)
    }

    fn new(name: impl Into<String>, mode: Mode, body: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            mode,
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            says: None,
            fails: None,
        }
    }

    /// Sets the status of the response; 200 by default.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header of the response.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the expected text. By default any text is accepted.
    #[must_use]
    pub fn says(mut self, text: impl Into<String>) -> Self {
        self.says = Some(text.into());
        self
    }

    /// Expects an error of this kind. By default an answer is expected.
    #[must_use]
    pub fn fails_as(mut self, kind: ErrorKind) -> Self {
        self.fails = Some(kind);
        self
    }

    /// Whether it is to be an answer, and no error.
    pub(super) fn is_answer(&self) -> bool {
        self.fails.is_none()
    }

    pub(super) fn expects(&self, read: &Read) -> Outcome {
        let kind = read.error.as_ref().map(chatcore::Error::kind);
        ensure!(
            kind == self.fails,
            "{}: it must {}, and gives {read}",
            self.name,
            match self.fails {
                Some(kind) => format!("fail as {kind:?}"),
                None => "be an answer".to_owned(),
            }
        );
        let text = read.answer.text();
        ensure!(
            self.says.as_ref().is_none_or(|says| *says == text),
            "{}: its text must be {:?}, and is {text:?}",
            self.name,
            self.says.as_deref().unwrap_or_default()
        );
        Ok(())
    }
}
