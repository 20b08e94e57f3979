//! A provider's key.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;
use crate::find::{find, replace};

/// A provider's key. `Debug` does not show it, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// The key as the value of a header, after `prefix`, marked sensitive.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the key is empty or has a character in it that no
    /// key has: a space, a line break, a control character, or one that is not ASCII.
    pub fn header(&self, prefix: &str) -> Result<HeaderValue, Error> {
        let key = self.0.expose_secret();
        if key.is_empty() {
            return Err(Error::config("the API key is empty; set LLM_API_KEY"));
        }
        if let Some(place) = key.bytes().position(|byte| !byte.is_ascii_graphic()) {
            let what = match key.as_bytes()[place] {
                b'\n' | b'\r' => "a line break",
                b' ' | b'\t' => "a space",
                0x80.. => "a character that is not ASCII",
                _ => "a control character",
            };
            return Err(Error::config(format!(
                "the API key has {what} in it (at byte {place} of {}); copy it again",
                key.len()
            )));
        }
        let mut value = HeaderValue::try_from([prefix, key].concat())
            .map_err(|_| Error::config("the API key cannot be sent in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Replaces the key in `text`.
    pub(crate) fn redact(&self, text: &mut String) {
        let key = self.0.expose_secret();
        // Short keys are placeholders ("none", "x"), and parts of ordinary words.
        if key.len() >= 8 && find(text, key).is_some() {
            *text = replace(text, key, "[redacted]");
        }
    }
}

impl<S: Into<String>> From<S> for ApiKey {
    fn from(key: S) -> Self {
        Self(SecretString::from(key.into()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word() {
        for (key, what) in [
            ("", "empty"),
            ("sk-1\n", "a line break"),
            ("sk 1", "a space"),
            ("sk-é", "not ASCII"),
            ("sk-\u{7}", "a control character"),
        ] {
            let error = ApiKey::from(key).header("Bearer ").unwrap_err().to_string();
            assert!(error.contains(what), "{key:?}: {error}");
            assert!(!error.contains("sk"), "{error}");
        }
        let header = ApiKey::from("sk-1").header("Bearer ").unwrap();
        assert_eq!(header, "Bearer sk-1");
        assert!(header.is_sensitive());
    }

    #[test]
    fn it_does_not_show() {
        let key = ApiKey::from("sk-secret-123");
        assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
        let mut text = "bad key sk-secret-123!".to_owned();
        key.redact(&mut text);
        assert_eq!(text, "bad key [redacted]!");
    }
}
