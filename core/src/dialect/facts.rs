//! What a dialect states of itself.

/// What a dialect states of itself, the same for all its values.
///
/// ```
/// use chatcore::dialect::{Facts, KeyHeader};
///
/// static FACTS: Facts = Facts::new("my_dialect")
///     .with_key_header(KeyHeader::new("x-api-key", ""));
/// assert_eq!(FACTS.name(), "my_dialect");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    name: &'static str,
    key_header: KeyHeader,
    response_headers: &'static [&'static str],
    options_member: Option<&'static str>,
}

impl Facts {
    /// A dialect with this short name, for example `openai_chat`. A key goes as
    /// `Authorization: Bearer …`, and no response header is read beside those that every dialect
    /// reads.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            key_header: KeyHeader::new("authorization", "Bearer "),
            response_headers: &[],
            options_member: None,
        }
    }

    /// Sets the header that carries a key.
    #[must_use]
    pub const fn with_key_header(self, key_header: KeyHeader) -> Self {
        Self { key_header, ..self }
    }

    /// Sets the response headers that [`Dialect::limits`](super::Dialect::limits) reads. A
    /// transport may leave out headers that nobody reads.
    #[must_use]
    pub const fn with_response_headers(self, response_headers: &'static [&'static str]) -> Self {
        Self {
            response_headers,
            ..self
        }
    }

    /// Sets the member of a request's JSON that holds options such as the temperature. A default in
    /// it that a model refuses is left out of the next attempt, as one beside it is. By default there
    /// is none: all options are members of the request itself.
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

    /// The header that carries a key.
    pub fn key_header(&self) -> &KeyHeader {
        &self.key_header
    }

    /// The response headers that this dialect reads beside those that every dialect reads.
    pub fn response_headers(&self) -> &'static [&'static str] {
        self.response_headers
    }

    /// The member of a request's JSON that holds its options, if there is one.
    pub fn options_member(&self) -> Option<&'static str> {
        self.options_member
    }
}

/// The header that carries a key, and what stands before the key in it.
#[derive(Clone, Copy, Debug)]
pub struct KeyHeader {
    name: &'static str,
    prefix: &'static str,
}

impl KeyHeader {
    /// The header `name`, whose value is `prefix` and then the key: `Bearer `, or nothing.
    pub const fn new(name: &'static str, prefix: &'static str) -> Self {
        Self { name, prefix }
    }

    /// The header's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What stands before the key.
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }
}
