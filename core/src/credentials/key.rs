//! A provider's key.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;
use crate::unquote::unquoted;

/// A provider's API key. `Debug` does not show it, and its memory is wiped when it is dropped.
///
/// White space, line ends and a pair of quotes around the key are removed, because keys from files
/// often have them. [`header`](Self::header) reports anything wrong inside the key, and so does
/// building a client.
///
/// ```
/// use chatcore::{ApiKey, Provider};
///
/// let key = ApiKey::from(" sk-0123456789 \n");
/// assert_eq!(key.header("Bearer ")?, "Bearer sk-0123456789");
/// assert!(!format!("{key:?}").contains("0123"));
/// let provider = Provider::deepseek().with_api_key(key);
/// # let _ = provider;
/// # Ok::<(), chatcore::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// The key as a header value after `prefix`, marked sensitive.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the key is empty or contains something that no key
    /// contains. The message says what to change, and the error's code names the flaw in one word.
    pub fn header(&self, prefix: &str) -> Result<HeaderValue, Error> {
        let key = self.0.expose_secret();
        if let Some((word, why)) = flaw(key) {
            return Err(Error::config(why).with_code(Some(word.to_owned())));
        }
        let mut value = HeaderValue::try_from([prefix, key].concat())
            .map_err(|_| Error::config("the API key cannot be sent in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Whether the key is empty without the white space and quotes around it.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What is wrong with a key: one word, and a sentence that does not contain the key.
fn flaw(key: &str) -> Option<(&'static str, String)> {
    let starts_with = |start: &str| {
        let head = key.get(..start.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    if key.is_empty() {
        return Some((
            "key_empty",
            "the API key is empty; set LLM_API_KEY".to_owned(),
        ));
    }
    if starts_with("bearer ") {
        let why = "the API key begins with the word Bearer; leave that out, it is added when the \
                   key is sent";
        return Some(("key_bearer", why.to_owned()));
    }
    if let Some((name, _)) = key.split_once('=')
        && (name.trim_end().ends_with("_KEY") || name.trim_end().ends_with("_TOKEN"))
    {
        let why = "the API key begins with the name of a variable and `=`; give only what follows";
        return Some(("key_assignment", why.to_owned()));
    }
    if let Some(place) = key.bytes().position(|byte| !byte.is_ascii_graphic()) {
        let (word, what) = match key.as_bytes()[place] {
            b'\n' | b'\r' => ("key_line_break", "a line break"),
            b' ' | b'\t' => ("key_space", "a space"),
            0x80.. => ("key_not_ascii", "a character that is not ASCII"),
            _ => ("key_control", "a control character"),
        };
        let why = format!(
            "the API key has {what} in it (at byte {place} of {}); copy it again",
            key.len()
        );
        return Some((word, why));
    }
    let is_quote = |byte: Option<&u8>| byte.is_some_and(|byte| b"\"'`".contains(byte));
    if is_quote(key.as_bytes().first()) || is_quote(key.as_bytes().last()) {
        let why = "the API key begins or ends with an unmatched quotation mark; leave the \
                   quotation marks out";
        return Some(("key_quote", why.to_owned()));
    }
    None
}

impl<S: Into<String>> From<S> for ApiKey {
    fn from(key: S) -> Self {
        let key: String = key.into();
        match unquoted(&key) {
            // Not copied, because a copy would have to be wiped, too.
            same if same.len() == key.len() => Self(SecretString::from(key)),
            inner => {
                let inner = SecretString::from(inner);
                drop(SecretString::from(key));
                Self(inner)
            }
        }
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
    fn what_surrounds_a_key_is_left_out() {
        for key in ["sk-1", " sk-1\r\n", "\"sk-1\"\n", "'sk-1'"] {
            let header = ApiKey::from(key).header("Bearer ").unwrap();
            assert_eq!(header, "Bearer sk-1");
            assert!(header.is_sensitive());
        }
        assert!(ApiKey::from("\"\"").is_empty());
    }

    #[test]
    fn what_is_wrong_in_a_key_says_what_to_change() {
        for (key, what) in [
            ("", "empty"),
            ("sk-1\nsk-2", "a line break"),
            ("sk 1", "a space"),
            ("sk-é", "not ASCII"),
            ("sk-\u{7}", "a control character"),
            ("\"sk-1", "quotation mark"),
            ("sk-1`", "quotation mark"),
            ("Bearer sk-1", "word Bearer"),
            ("export OPENAI_API_KEY=sk-1", "name of a variable"),
        ] {
            let error = ApiKey::from(key).header("Bearer ").unwrap_err().to_string();
            assert!(error.contains(what), "{key:?}: {error}");
            assert!(!error.contains("sk"), "{error}");
        }
    }

    #[test]
    fn it_does_not_show() {
        let key = ApiKey::from("sk-secret-123");
        assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
    }
}
