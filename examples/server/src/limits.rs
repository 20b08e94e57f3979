//! Limits how many chats one client address may start.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::errors::ApiError;

/// From this number of addresses on, those without a debt are forgotten.
const KEPT: usize = 10_000;

/// A rate limit for each client address: this many chats per minute, all at once if the client
/// likes, and then as the rate allows (the generic cell rate algorithm). An IPv6 client usually has
/// a whole /64, so a /64 counts as one address.
#[derive(Debug)]
pub(crate) struct PerClient {
    /// The time between two chats; `None` if there is no limit.
    gap: Option<Duration>,
    /// For each address, when its chats so far are paid off.
    paid: Mutex<HashMap<IpAddr, Instant>>,
}

const MINUTE: Duration = Duration::from_secs(60);

impl PerClient {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            gap: MINUTE.checked_div(per_minute),
            paid: Mutex::default(),
        }
    }

    /// Takes `chats` at once, or returns an error with the time to wait. An address without a debt
    /// may take more than a minute's worth at once.
    pub(crate) fn take(&self, client: IpAddr, chats: u32, now: Instant) -> Result<(), ApiError> {
        let Some(gap) = self.gap else { return Ok(()) };
        let client = network(client);
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        if paid.len() >= KEPT {
            paid.retain(|_, paid| *paid > now);
        }
        let from = paid.get(&client).copied().unwrap_or(now).max(now);
        let until = from + gap.saturating_mul(chats);
        let wait = match from == now {
            true => Duration::ZERO,
            false => until.saturating_duration_since(now + MINUTE),
        };
        if wait > Duration::ZERO {
            return Err(ApiError {
                retry_after: Some(wait),
                ..ApiError::new(
                    429,
                    "too_many_requests",
                    format!(
                        "this address has started too many chats; try again in {:.1} s",
                        wait.as_secs_f64()
                    ),
                )
            });
        }
        paid.insert(client, until);
        Ok(())
    }
}

/// The key of a client: its IPv4 address, or the /64 of its IPv6 address.
pub(crate) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_minutes_worth_at_once_and_then_at_its_pace() {
        let limit = PerClient::new(3);
        let now = Instant::now();
        for _ in 0..3 {
            limit.take(ip("10.0.0.1"), 1, now).unwrap();
        }
        let error = limit.take(ip("10.0.0.1"), 1, now).unwrap_err();
        assert_eq!(error.code, "too_many_requests");
        assert_eq!(error.retry_after, Some(Duration::from_secs(20)));
        limit.take(ip("10.0.0.2"), 1, now).unwrap();
        let later = now + Duration::from_secs(20);
        limit.take(ip("10.0.0.1"), 1, later).unwrap();
        assert!(limit.take(ip("10.0.0.1"), 1, later).is_err());
    }

    #[test]
    fn a_v6_network_is_one_client() {
        let limit = PerClient::new(1);
        let now = Instant::now();
        limit.take(ip("2001:db8::1"), 1, now).unwrap();
        assert!(limit.take(ip("2001:db8::2"), 1, now).is_err());
        limit.take(ip("2001:db8:0:1::1"), 1, now).unwrap();
        limit.take(ip("::ffff:10.0.0.1"), 1, now).unwrap();
        assert!(limit.take(ip("10.0.0.1"), 1, now).is_err());
    }

    #[test]
    fn zero_is_no_limit() {
        let limit = PerClient::new(0);
        let now = Instant::now();
        for _ in 0..10_000 {
            limit.take(ip("10.0.0.1"), 100, now).unwrap();
        }
    }
}
