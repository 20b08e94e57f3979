//! AWS Signature Version 4.
//!
//! ```text
//!  request ──► canonical request ──► SHA-256 ──► string to sign ─┐
//!  secret ──► HMAC(date) ──► HMAC(region) ──► HMAC(service) ─────┴─► HMAC ──► Authorization
//! ```

mod canonical;
mod date;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{Credentials, Error, ErrorKind, Secrets};
use hmac::{Hmac, KeyInit, Mac};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use canonical::Canonical;
use date::Date;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Signs each attempt with AWS Signature Version 4, for Amazon Bedrock.
///
/// The signature covers the whole body and all headers except those that a proxy may change
/// (`user-agent` and similar). The path is encoded a second time for the signature, as every
/// service except S3 requires: these credentials do not work for S3.
///
/// Temporary keys are not renewed. If your keys expire, implement [`Credentials`] yourself: fetch
/// the keys and [`sign`](Self::sign) with them.
///
/// `Debug` shows neither the secret nor the session token. [`Credentials::redact`] removes both
/// from a server's text. It keeps the signature, which is valid for only one request and 5 minutes.
///
/// ```
/// use chatcore::Provider;
/// use chatcore_adapters::credentials::SigV4;
///
/// let keys = SigV4::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "us-west-2", "bedrock");
/// let bedrock = Provider::openai_compatible(
///     "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1",
///     "openai.gpt-oss-20b-1:0",
/// )
/// .with_credentials(keys);
/// # let _ = bedrock;
/// ```
#[derive(Clone)]
pub struct SigV4 {
    access_key: String,
    secret_key: SecretString,
    session_token: Option<SecretString>,
    region: String,
    service: String,
    clock: Clock,
    secrets: Secrets,
}

impl SigV4 {
    /// Signs with an access key and its secret, for a service in a region: `bedrock` in
    /// `us-west-2`, or `bedrock-mantle` if the host is `bedrock-mantle.us-west-2.api.aws`. White
    /// space around each value is trimmed.
    ///
    /// Nothing is checked here: a value that cannot be sent fails when a request is signed.
    pub fn new(
        access_key: &str,
        secret_key: impl Into<SecretString>,
        region: &str,
        service: &str,
    ) -> Self {
        let secret_key = trimmed(secret_key.into());
        let mut secrets = Secrets::new();
        secrets.add(secret_key.expose_secret());
        Self {
            access_key: access_key.trim().to_owned(),
            secret_key,
            session_token: None,
            region: region.trim().to_owned(),
            service: service.trim().to_owned(),
            clock: Arc::new(SystemTime::now),
            secrets,
        }
    }

    /// Adds the session token of temporary keys.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<SecretString>) -> Self {
        let token = trimmed(token.into());
        self.secrets.add(token.expose_secret());
        self.session_token = Some(token);
        self
    }

    /// Takes the time from `clock` instead of [`SystemTime::now`]. AWS refuses a signature that is
    /// more than 5 minutes old by its own clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Signs a request: sets `x-amz-date`, `authorization` and, if there is a session token,
    /// `x-amz-security-token`.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) if the access key, the secret, the region or the service is
    /// empty or has a character that is not printable ASCII, if the session token cannot be sent in
    /// a header, or if the clock is before 1970; [`InvalidInput`](ErrorKind::InvalidInput) if the
    /// URI has no host.
    pub fn sign(&self, request: &mut Request<Bytes>) -> Result<(), Error> {
        self.check()?;
        let date = Date::of((self.clock)())?;
        let headers = request.headers_mut();
        headers.insert(DATE, header(&date.time, "time")?);
        headers.remove(SESSION_TOKEN);
        if let Some(token) = &self.session_token {
            let mut token = header(token.expose_secret(), "session token")?;
            token.set_sensitive(true);
            headers.insert(SESSION_TOKEN, token);
        }
        let Canonical { text, signed } = Canonical::of(request)?;
        let (region, service) = (&self.region, &self.service);
        let scope = format!("{}/{region}/{service}/aws4_request", date.day);
        let hashed = hex::encode(Sha256::digest(text));
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{hashed}", date.time);
        let signature = hex::encode(hmac(&self.signing_key(&date.day)?, &to_sign)?);
        let access_key = &self.access_key;
        let mut value = header(
            &format!(
                "{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={signed}, \
                 Signature={signature}"
            ),
            "access key, the region or the service",
        )?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        for (name, value) in [
            ("access key", &*self.access_key),
            ("secret", self.secret_key.expose_secret()),
            ("region", &self.region),
            ("service", &self.service),
        ] {
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                let message = format!(
                    "the AWS {name} is empty or has a character in it that none has; copy it again"
                );
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        Ok(())
    }

    fn signing_key(&self, day: &str) -> Result<[u8; 32], Error> {
        let secret = SecretString::from(format!("AWS4{}", self.secret_key.expose_secret()));
        let mut key = hmac(secret.expose_secret().as_bytes(), day)?;
        for step in [&*self.region, &*self.service, "aws4_request"] {
            key = hmac(&key, step)?;
        }
        Ok(key)
    }
}

#[async_trait]
impl Credentials for SigV4 {
    async fn authorize(&self, request: &mut Request<Bytes>, _attempt: u32) -> Result<(), Error> {
        self.sign(request)
    }

    fn redact(&self, text: &mut String) {
        self.secrets.redact(text);
    }
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4")
            .field("access_key", &self.access_key)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("has_session_token", &self.session_token.is_some())
            .finish_non_exhaustive()
    }
}

fn trimmed(secret: SecretString) -> SecretString {
    match secret.expose_secret().trim() {
        // Not copied, because a copy would have to be wiped too.
        same if same.len() == secret.expose_secret().len() => secret,
        inner => SecretString::from(inner),
    }
}

fn header(value: &str, name: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(value).map_err(|_| {
        let message = format!("the AWS {name} cannot be sent in a header; copy it again");
        Error::new(ErrorKind::Config, message)
    })
}

fn hmac(key: &[u8], message: &str) -> Result<[u8; 32], Error> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| {
        Error::new(ErrorKind::Internal, "HMAC refuses a key").with_source(error)
    })?;
    mac.update(message.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}
