//! Limits how many connections are open, in all and per client address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::IntGauge;

use crate::errors::ApiError;
use crate::limits::network;
use crate::settings::Settings;

/// The open connections.
#[derive(Debug)]
pub(super) struct Seats {
    max: usize,
    /// `None` for no limit. There is none behind a proxy, because all connections have the proxy's
    /// address.
    max_each: Option<usize>,
    gauge: IntGauge,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// One open connection. Dropping it frees its place, even if its task panics.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    client: IpAddr,
}

impl Seats {
    pub(super) fn new(settings: &Settings, gauge: IntGauge) -> Self {
        let max_each = settings.max_connections_per_address;
        Self {
            max: settings.max_connections,
            max_each: Some(max_each).filter(|max| *max > 0 && !settings.trust_proxy),
            gauge,
            taken: Mutex::default(),
        }
    }

    /// Takes a place for a connection of `client`.
    pub(super) fn take(self: &Arc<Self>, client: IpAddr) -> Result<Seat, ApiError> {
        let client = network(client);
        let mut taken = self.taken();
        if taken.all >= self.max {
            let message = "this server has reached its limit of connections; try again later";
            return Err(ApiError::busy(503, "too_many_connections", message));
        }
        let own = taken.each.get(&client).copied().unwrap_or(0);
        if self.max_each.is_some_and(|max| own >= max) {
            let message = format!("this address already has {own} connections; close one first");
            return Err(ApiError::busy(429, "too_many_connections", message));
        }
        taken.all += 1;
        taken.each.insert(client, own + 1);
        self.gauge.inc();
        Ok(Seat {
            seats: Arc::clone(self),
            client,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all -= 1;
        if let Some(own) = taken.each.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                taken.each.remove(&self.client);
            }
        }
        self.seats.gauge.dec();
    }
}
