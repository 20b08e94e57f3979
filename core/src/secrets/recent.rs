//! Secrets that change over time.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use super::Secrets;

/// How many secrets are kept. A server may still echo one that was replaced while its request ran.
const HELD: usize = 16;

/// The secrets that [`Credentials`](crate::Credentials) gave lately, redacted as [`Secrets`] does.
/// Only the last 16 are kept, so that a program with a new token every hour does not collect them.
/// `Debug` shows no secret.
///
/// ```
/// use chatcore::RecentSecrets;
///
/// let given = RecentSecrets::default();
/// given.add("token-of-this-hour");
/// let mut text = "wrong key: token-of-this-hour".to_owned();
/// given.redact(&mut text);
/// assert_eq!(text, "wrong key: [redacted]");
/// ```
#[derive(Default)]
pub struct RecentSecrets(Mutex<Vec<(SecretString, Secrets)>>);

impl RecentSecrets {
    /// Adds a secret, or a header's value that contains one: see [`Secrets::add`].
    pub fn add(&self, secret: &str) {
        let mut held = self.lock();
        let is_same = |(known, _): &(SecretString, Secrets)| known.expose_secret() == secret;
        let entry = match held.iter().position(is_same) {
            Some(place) => held.remove(place),
            None => {
                let mut secrets = Secrets::new();
                secrets.add(secret);
                (SecretString::from(secret), secrets)
            }
        };
        held.push(entry);
        if held.len() > HELD {
            held.remove(0);
        }
    }

    /// Replaces every secret in `text`: see [`Secrets::redact`].
    pub fn redact(&self, text: &mut String) {
        for (_, secrets) in self.lock().iter() {
            secrets.redact(text);
        }
    }

    /// Ignores poisoning, because every change is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, Vec<(SecretString, Secrets)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RecentSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecentSecrets([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(given: &RecentSecrets, secret: &str) -> bool {
        let mut text = secret.to_owned();
        given.redact(&mut text);
        text == secret
    }

    #[test]
    fn the_last_ones_are_held() {
        let given = RecentSecrets::default();
        for number in 0..HELD {
            given.add(&format!("secret-{number:04}"));
        }
        // Adding a known secret again makes it the newest.
        given.add("secret-0000");
        given.add("secret-0000");
        given.add("another-secret");
        assert!(!shows(&given, "secret-0000"));
        assert!(shows(&given, "secret-0001"));
        assert!(!shows(&given, "secret-0002"));
        assert!(!shows(&given, "another-secret"));
        assert_eq!(given.lock().len(), HELD);
        assert!(!format!("{given:?}").contains("secret-"));
    }
}
