//! The public keys that servers must have, by host.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chatcore::{Host, TransportError, TransportErrorKind};
use futures_rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::server::ParsedCertificate;
use futures_rustls::rustls::{CertificateError, Error, OtherError};
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

type Digest = [u8; SHA256_OUTPUT_LEN];

/// The pinned keys. A host without pinned keys may have any key.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins(HashMap<String, Vec<Digest>>);

impl Pins {
    pub(super) fn add<K: AsRef<str>>(
        &mut self,
        host: &str,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<(), TransportError> {
        let bad = |why: String| TransportError::new(TransportErrorKind::Tls, why);
        let host = Host::parse(host)
            .map_err(|error| bad(format!("the pinned host {error}")).with_source(error))?
            .into_bare_string();
        // TLS names a server without the dot at the end that makes a name absolute.
        let host = host.strip_suffix('.').unwrap_or(&host).to_owned();
        let pinned = self.0.entry(host.clone()).or_default();
        for key in keys {
            let digest = parse(key.as_ref()).ok_or_else(|| {
                bad(format!(
                    "a key that is pinned for {host} is not a SHA-256 in base64, such as \
                     sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
                ))
            })?;
            pinned.push(digest);
        }
        match pinned.is_empty() {
            true => Err(bad(format!("the list of pinned keys for {host} is empty"))),
            false => Ok(()),
        }
    }

    /// Checks that an otherwise trusted server has a key that is pinned for its name.
    pub(super) fn check(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Result<(), Error> {
        let host = name.to_str().to_ascii_lowercase();
        let Some(pinned) = self.0.get(&host) else {
            return Ok(());
        };
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        let found = digest(&SHA256, key.as_ref());
        match pinned.iter().any(|pin| pin == found.as_ref()) {
            true => Ok(()),
            false => {
                let key = BASE64_STANDARD.encode(found);
                let cause: Arc<NotPinned> = Arc::new(NotPinned { host, key });
                Err(CertificateError::Other(OtherError(cause)).into())
            }
        }
    }
}

/// Reads `sha256/…` as browsers and OkHttp write it, `sha256//…` as curl does, or only the base64.
fn parse(key: &str) -> Option<Digest> {
    let key = key.trim();
    let key = key.strip_prefix("sha256/").unwrap_or(key);
    let key = key
        .strip_prefix('/')
        .filter(|rest| rest.len() == 44)
        .unwrap_or(key);
    BASE64_STANDARD.decode(key).ok()?.try_into().ok()
}

/// The server's key is not one of the pinned keys.
#[derive(Debug)]
struct NotPinned {
    host: String,
    key: String,
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server's public key is sha256/{}, which is not one of the keys pinned for {}: pin \
             it if the server has a new key; otherwise somebody may be intercepting the connection",
            self.key, self.host
        )
    }
}

impl std::error::Error for NotPinned {}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn a_key_is_read_as_others_write_it() {
        let empty = digest(&SHA256, b"");
        for key in [
            NOTHING.to_owned(),
            format!("sha256/{NOTHING}"),
            format!("sha256//{NOTHING}"),
            format!(" {NOTHING}\n"),
        ] {
            assert_eq!(parse(&key).unwrap(), empty.as_ref(), "{key}");
        }
        // A digest may itself begin with a slash.
        let slashed = BASE64_STANDARD.encode([0xff; SHA256_OUTPUT_LEN]);
        assert!(slashed.starts_with('/'));
        assert_eq!(parse(&slashed), Some([0xff; SHA256_OUTPUT_LEN]));
        assert_eq!(
            parse(&format!("sha256//{slashed}")),
            Some([0xff; SHA256_OUTPUT_LEN])
        );
        for bad in ["", "sha256/", "sha1/AAAA", "47DEQpj8", &NOTHING[1..]] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_with_a_dot_at_its_end_is_the_same_host() {
        let mut pins = Pins::default();
        pins.add("LLM.example.com.", [NOTHING]).unwrap();
        // What rustls hands over for either spelling.
        let certified = rcgen::generate_simple_self_signed(["llm.example.com".to_owned()]).unwrap();
        let name = ServerName::try_from("llm.example.com").unwrap();
        assert!(pins.check(certified.cert.der(), &name).is_err());
    }

    #[test]
    fn what_cannot_be_pinned_is_refused_at_once() {
        let mut pins = Pins::default();
        for (host, keys) in [
            ("a b", vec![NOTHING]),
            ("a.test", vec![]),
            ("a.test", vec!["x"]),
        ] {
            let error = pins.add(host, keys).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Tls, "{error}");
        }
    }
}
