//! The headers that one call adds to its request.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::dialect::{CLIENT_HEADERS, CONNECTION_HEADERS, Endpoint};
use crate::error::Error;
use crate::quote::Quoted;
use crate::secrets::{Secrets, may_hold_secret};

/// A header of one call. It may hold a secret, so `Debug` shows only its name.
#[derive(Clone, Debug)]
struct CallHeader {
    /// The name as text. Kept beside `name`, because `HeaderName::as_str` links the names of all
    /// standard headers into the npm package.
    shown: String,
    name: HeaderName,
    value: HeaderValue,
}

/// The headers of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallHeaders {
    headers: Vec<CallHeader>,
    /// Why the first invalid header cannot be sent.
    refused: Option<String>,
}

impl CallHeaders {
    /// Sets a header. [`add_to`](Self::add_to) reports an invalid one.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        if let Err(why) = self.try_set(name, value) {
            self.refused.get_or_insert(why);
        }
    }

    fn try_set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let name = HeaderName::try_from(name)
            .map_err(|_| format!("{} is not a valid header name", Quoted(name)))?;
        let shown = name.as_str().to_owned();
        if CONNECTION_HEADERS.contains(&&*shown) {
            return Err(format!(
                "the header {shown} cannot be set: it belongs to the connection"
            ));
        }
        if CLIENT_HEADERS.contains(&&*shown) {
            return Err(format!(
                "the header {shown} cannot be set for one call; set the key on the Provider"
            ));
        }
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| format!("the value of the header {shown} cannot be sent"))?;
        value.set_sensitive(true);
        self.headers.push(CallHeader { shown, name, value });
        Ok(())
    }

    /// Inserts the headers into `request`. Of the headers that the request already has, they may
    /// replace only those in `replaceable`.
    pub(crate) fn add_to(
        &self,
        request: &mut HeaderMap,
        replaceable: &HeaderMap,
        endpoint: &Endpoint,
    ) -> Result<(), Error> {
        if let Some(why) = &self.refused {
            return Err(Error::invalid(why.as_str()));
        }
        for CallHeader { shown, name, .. } in &self.headers {
            if !endpoint.may_send(name) {
                return Err(Error::invalid(format!(
                    "the header {shown} would be sent unencrypted: use https, or set \
                     LLM_ALLOW_HTTP=true (Provider::allow_http), if you trust the network"
                )));
            }
            if request.contains_key(name) && !replaceable.contains_key(name) {
                return Err(Error::invalid(format!(
                    "the header {shown} belongs to the dialect and cannot be set for one call; \
                     Provider::with_header replaces it for all calls"
                )));
            }
        }
        for CallHeader { name, value, .. } in &self.headers {
            request.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    /// Adds the header values that must be redacted from errors.
    pub(crate) fn tell_secrets(&self, secrets: &mut Secrets) {
        for CallHeader { shown, value, .. } in &self.headers {
            if may_hold_secret(shown)
                && let Ok(value) = value.to_str()
            {
                secrets.add(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    fn endpoint(base_url: &'static str) -> Endpoint {
        Provider::openai_compatible(base_url, "m")
            .endpoint()
            .unwrap()
    }

    #[test]
    fn a_credential_is_not_sent_unencrypted() {
        let open = endpoint("http://ollama:11434");
        let mut headers = CallHeaders::default();
        headers.set("x-trace", "1");
        headers.add_to(&mut map(&[]), &map(&[]), &open).unwrap();
        headers.set("api-key", "hunter2-hunter2");
        let error = headers.add_to(&mut map(&[]), &map(&[]), &open).unwrap_err();
        assert!(error.to_string().contains("LLM_ALLOW_HTTP"), "{error}");
        let here = endpoint("http://127.0.0.1:11434");
        headers.add_to(&mut map(&[]), &map(&[]), &here).unwrap();
        let allowed = Provider::openai_compatible("http://ollama:11434", "m").allow_http();
        let allowed = allowed.endpoint().unwrap();
        headers.add_to(&mut map(&[]), &map(&[]), &allowed).unwrap();
    }
    use crate::error::ErrorKind;

    fn map(names: &[&'static str]) -> HeaderMap {
        names
            .iter()
            .map(|name| {
                let own = HeaderValue::from_static("own");
                (HeaderName::from_static(name), own)
            })
            .collect()
    }

    #[test]
    fn they_are_added_and_replace_only_the_clients() {
        let mut headers = CallHeaders::default();
        headers.set("X-Trace", "1");
        headers.set("x-trace", "2");
        headers.set("x-tenant", "b");
        let mut request = map(&["content-type", "x-tenant"]);
        headers
            .add_to(
                &mut request,
                &map(&["x-tenant"]),
                &endpoint("https://a.test"),
            )
            .unwrap();
        assert_eq!(request.len(), 3);
        assert_eq!(request["x-trace"], "2");
        assert_eq!(request["x-tenant"], "b");
        assert_eq!(request["content-type"], "own");
        assert!(request["x-trace"].is_sensitive());

        let mut headers = CallHeaders::default();
        headers.set("anthropic-version", "2020-01-01");
        let mut request = map(&["anthropic-version"]);
        let error = headers
            .add_to(&mut request, &map(&[]), &endpoint("https://a.test"))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(request["anthropic-version"], "own");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_whatever_comes_after_it() {
        for (name, value, why) in [
            ("Authorization", "Bearer x", "authorization cannot be set"),
            ("Content-Type", "text/plain", "content-type cannot be set"),
            ("x-api-key", "x", "x-api-key cannot be set"),
            ("host", "elsewhere", "host cannot be set"),
            ("Transfer-Encoding", "chunked", "cannot be set"),
            ("a b", "x", "\"a b\" is not a valid header name"),
            ("", "x", "is not a valid header name"),
            ("x-mine", "a\r\nb: c", "value of the header x-mine"),
        ] {
            let mut headers = CallHeaders::default();
            headers.set(name, value);
            headers.set("x-good", "1");
            let mut request = map(&[]);
            let error = headers
                .add_to(&mut request, &map(&[]), &endpoint("https://a.test"))
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(why), "{why}: {error}");
            assert!(request.is_empty());
        }
    }

    #[test]
    fn values_do_not_show() {
        let mut headers = CallHeaders::default();
        headers.set("x-secret", "hunter2");
        headers.set("x-broken", "hunter2\n");
        let shown = format!("{headers:?} {headers:#?}");
        assert!(shown.contains("x-secret"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
