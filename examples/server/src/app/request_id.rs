//! An id for each request, so that a client's log and the server's can be matched.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use trillium::Conn;

/// The longest id that is accepted from a client.
const LONGEST: usize = 128;

/// Creates ids.
#[derive(Debug, Default)]
pub(super) struct RequestIds {
    /// Random for each process.
    key: RandomState,
    given: AtomicU64,
}

impl RequestIds {
    /// The id that the client or a proxy sent, or else a new one.
    pub(super) fn of(&self, conn: &Conn) -> String {
        let given = conn.request_headers().get_str("x-request-id");
        match given.filter(|id| is_id(id)) {
            Some(id) => id.to_owned(),
            None => self.made("req_"),
        }
    }

    /// A new id that begins with `prefix`.
    pub(super) fn made(&self, prefix: &str) -> String {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        format!("{prefix}{:016x}", self.key.hash_one(count))
    }
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let ids = RequestIds::default();
        let all: std::collections::HashSet<_> = (0..1000).map(|_| ids.made("req_")).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|id| is_id(id)));
    }

    #[test]
    fn what_a_client_may_call_its_request() {
        assert!(is_id("7f3a-1"));
        for id in ["", "two words", "umlaut-\u{e4}", &"x".repeat(129)] {
            assert!(!is_id(id), "{id}");
        }
    }
}
