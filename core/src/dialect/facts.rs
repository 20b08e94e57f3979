//! What a dialect states about itself.

use http::HeaderName;
use http::header::AUTHORIZATION;

static BEARER_HEADER: HeaderName = AUTHORIZATION;

/// What a dialect states about itself, the same for all its values.
///
/// ```
/// use chatcore::dialect::{Facts, KeyHeader};
/// use chatcore::http::HeaderName;
///
/// static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// static FACTS: Facts = Facts::new("my_dialect")
///     .with_key_header(KeyHeader::new(&X_API_KEY, ""));
/// assert_eq!(FACTS.name(), "my_dialect");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    name: &'static str,
    key_header: KeyHeader,
    response_headers: &'static [HeaderName],
    options_member: Option<&'static str>,
}

impl Facts {
    /// A dialect with this short name, for example `openai_chat`. By default a key is sent as
    /// `Authorization: Bearer …`, and no response headers are read in addition to those of every
    /// dialect.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            key_header: KeyHeader::new(&BEARER_HEADER, "Bearer "),
            response_headers: &[],
            options_member: None,
        }
    }

    /// Sets the header that carries the key.
    #[must_use]
    pub const fn with_key_header(self, key_header: KeyHeader) -> Self {
        Self { key_header, ..self }
    }

    /// Sets the response headers that [`Dialect::limits`](super::Dialect::limits) reads. A
    /// transport may omit headers that no dialect reads.
    #[must_use]
    pub const fn with_response_headers(self, response_headers: &'static [HeaderName]) -> Self {
        Self {
            response_headers,
            ..self
        }
    }

    /// Sets the member of a request's JSON that holds options such as the temperature. If a model
    /// refuses a default in this member, the next attempt leaves it out, as it does with a default
    /// outside it. By default there is no such member: all options are members of the request
    /// itself.
    #[must_use]
    pub const fn with_options_member(self, options_member: &'static str) -> Self {
        Self {
            options_member: Some(options_member),
            ..self
        }
    }

    /// The short name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The header that carries the key.
    pub fn key_header(&self) -> &KeyHeader {
        &self.key_header
    }

    /// The response headers that this dialect reads in addition to those of every dialect.
    pub fn response_headers(&self) -> &'static [HeaderName] {
        self.response_headers
    }

    /// The member of a request's JSON that holds its options, if the dialect has one.
    pub fn options_member(&self) -> Option<&'static str> {
        self.options_member
    }
}

/// The header that carries the key, and the prefix of its value.
#[derive(Clone, Copy, Debug)]
pub struct KeyHeader {
    name: &'static HeaderName,
    prefix: &'static str,
}

impl KeyHeader {
    /// The header `name` with the value `prefix` and then the key. `prefix` is, for example,
    /// `Bearer ` or empty.
    pub const fn new(name: &'static HeaderName, prefix: &'static str) -> Self {
        Self { name, prefix }
    }

    /// The header's name.
    pub fn name(&self) -> &'static HeaderName {
        self.name
    }

    /// The text before the key.
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }
}
