//! Keys that a JavaScript function returns; it is called once per attempt.

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::dialect::KeyHeader;
use chatcore::{ApiKey, Credentials, Error, ErrorKind, RecentSecrets};
use http::Request;
use wasm_bindgen::prelude::*;

use crate::bridge::{self, Local};
use crate::fetch::HostError;
use crate::imports;
use crate::pending::{Completion, Failure, Operation};

/// The prefix of the codes of errors that the package itself throws, so their messages may be
/// shown. An error that the caller's function throws may hold a secret: it becomes the cause, and
/// is not in the message.
const OWN: &str = "key_";

/// [`Credentials`] from the option `apiKey`, if it is a function. It has the contract of
/// [`TokenSource`](chatcore::TokenSource) with tokens that are valid for one attempt only: each
/// attempt calls the function, and after a 401 the call is tried once more with a fresh key. Calls
/// do not share a key, because on workerd one request cannot await another request's promise.
#[derive(Debug)]
pub(crate) struct KeyFunction {
    ask: Local<JsValue>,
    header: KeyHeader,
    given: RecentSecrets,
}

impl KeyFunction {
    pub(crate) fn new(ask: JsValue, header: KeyHeader) -> Self {
        Self {
            ask: bridge::local(ask),
            header,
            given: RecentSecrets::default(),
        }
    }

    async fn key(&self) -> Result<String, Error> {
        let operation = Operation::new();
        imports::ask_key(&self.ask, operation.id());
        match operation.await {
            Completion::Text(key) => Ok(key),
            Completion::Failed(failure) => Err(refused(failure)),
            _ => Err(wrong(
                "it returned no key; it must return a string, or a promise of one",
            )),
        }
    }
}

#[async_trait]
impl Credentials for KeyFunction {
    async fn authorize(&self, request: &mut Request<Bytes>, _attempt: u32) -> Result<(), Error> {
        let key = bridge::future(self.key()).await?;
        let prefix = self.header.prefix();
        let value = ApiKey::from(key)
            .header(prefix)
            .map_err(|error| wrong(error.message()).with_code(error.code().map(str::to_owned)))?;
        if let Ok(value) = value.to_str() {
            self.given.add(&value[prefix.len()..]);
        }
        request
            .headers_mut()
            .insert(self.header.name().clone(), value);
        Ok(())
    }

    fn renew(&self) -> bool {
        true
    }

    fn redact(&self, text: &mut String) {
        self.given.redact(text);
    }
}

fn wrong(why: &str) -> Error {
    let message = format!("the function apiKey failed: {why}");
    Error::new(ErrorKind::InvalidInput, message)
}

fn refused(failure: Failure) -> Error {
    let error = match failure.code.starts_with(OWN) {
        true => wrong(&failure.message).with_code(Some(failure.code)),
        false => wrong("it threw an error, which is the cause of this one; nothing was sent"),
    };
    error.with_source(HostError(bridge::local(failure.error)))
}
