//! Hides the secrets of a request from ureq.
//!
//! ureq-proto logs every byte of a request's head at the level `trace`. So ureq gets a head with a
//! placeholder of the same length for each secret. The secrets are put back in the last step before
//! the bytes leave, in the connection's output buffer.

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};

/// The secrets of one request's head: header values marked sensitive, and the query.
#[derive(Default)]
pub(super) struct Withheld {
    query: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Withheld {
    /// Takes the secrets out of `head` and leaves placeholders.
    pub(super) fn take_from(head: &mut Parts) -> Self {
        let mut withheld = Self::default();
        for (name, value) in &mut head.headers {
            if value.is_sensitive()
                && let Ok(stand_in) = HeaderValue::from_str(&stand_in(value.len()))
            {
                let secret = std::mem::replace(value, stand_in);
                withheld.headers.push((name.clone(), secret));
            }
        }
        if let Some(query) = head.uri.query()
            && let Some(uri) = with_query(&head.uri, &stand_in(query.len()))
        {
            withheld.query = query.to_owned();
            head.uri = uri;
        }
        withheld
    }

    /// Puts the secrets back into `output`, a part of the head that ends at a line's end.
    pub(super) fn put_back(&self, output: &mut [u8], progress: &mut Progress) {
        progress.used.resize(self.headers.len(), false);
        let mut rest = output;
        while !progress.is_done
            && let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n")
        {
            let (line, after) = rest.split_at_mut(end);
            rest = &mut after[2..];
            match line {
                [] => progress.is_done = true,
                line => self.put_into(line, &mut progress.used),
            }
        }
    }

    fn put_into(&self, line: &mut [u8], used: &mut [bool]) {
        if !self.query.is_empty()
            && line.ends_with(b" HTTP/1.1")
            && let Some(mark) = line.iter().position(|byte| *byte == b'?')
        {
            return put(&mut line[mark + 1..], self.query.as_bytes());
        }
        let Some(colon) = line.windows(2).position(|pair| pair == b": ") else {
            return;
        };
        let (name, value) = line.split_at_mut(colon);
        for ((known, secret), used) in self.headers.iter().zip(used) {
            if !*used && name.eq_ignore_ascii_case(known.as_str().as_bytes()) {
                *used = true;
                return put(&mut value[2..], secret.as_bytes());
            }
        }
    }
}

/// How much of a head has been sent.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Which secrets have been put back. Headers with the same name keep their order.
    used: Vec<bool>,
    /// Whether the whole head has been sent, so that the rest is body.
    pub(super) is_done: bool,
}

/// Writes `secret` to the beginning of `place` if its placeholder is there.
fn put(place: &mut [u8], secret: &[u8]) {
    if let Some(place) = place.get_mut(..secret.len())
        && place.iter().all(|byte| *byte == STAND_IN)
    {
        place.copy_from_slice(secret);
    }
}

const STAND_IN: u8 = b'*';

fn stand_in(length: usize) -> String {
    char::from(STAND_IN).to_string().repeat(length)
}

fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let path = PathAndQuery::try_from(format!("{}?{query}", uri.path())).ok()?;
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn what_is_taken_is_put_back_in_its_place() {
        let secret = |text: &'static str| {
            let mut value = HeaderValue::from_static(text);
            value.set_sensitive(true);
            value
        };
        let request = Request::post("http://a.test/v1/chat?key=k-1&b=%2F")
            .header("authorization", secret("Bearer sk-1"))
            .header("x-plain", "****")
            .header("x-two", secret("first"))
            .header("x-two", secret("other"))
            .body(())
            .unwrap();
        let (mut parts, ()) = request.into_parts();
        let withheld = Withheld::take_from(&mut parts);
        let shown = format!("{} {:?}", parts.uri, parts.headers);
        for secret in ["k-1", "sk-1", "first", "other"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: a.test\r\n",
            parts.uri.path_and_query().unwrap()
        );
        for (name, value) in &parts.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        let mut progress = Progress::default();
        let mut first = head.into_bytes();
        withheld.put_back(&mut first, &mut progress);
        assert_eq!(
            String::from_utf8(first).unwrap(),
            "POST /v1/chat?key=k-1&b=%2F HTTP/1.1\r\nhost: a.test\r\n\
             authorization: Bearer sk-1\r\nx-plain: ****\r\nx-two: first\r\nx-two: other\r\n"
        );
        assert!(!progress.is_done);
        // The body is left alone, even if it looks like a header.
        let mut last = b"accept: *\r\n\r\nauthorization: ***********\r\n".to_vec();
        let same = last.clone();
        withheld.put_back(&mut last, &mut progress);
        assert!(progress.is_done);
        assert_eq!(last, same);
    }
}
