//! The Batch APIs at the end of a simulated network.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError, TransportErrorKind};
use http::{Request, Response};

use super::BatchApi;
use crate::sim::{Latency, SimExecutor};

/// A simulated network with a [`BatchApi`] at its end.
#[derive(Clone)]
pub struct BatchTransport {
    sim: SimExecutor,
    api: Arc<BatchApi>,
    latency: Latency,
    lost: f64,
}

impl BatchTransport {
    /// A network whose responses take `latency`. With the chance `lost`, a connection is lost:
    /// half of the time before the provider has seen the request, otherwise after.
    pub fn new(sim: &SimExecutor, api: Arc<BatchApi>, latency: Latency, lost: f64) -> Self {
        Self {
            sim: sim.clone(),
            api,
            latency,
            lost,
        }
    }
}

#[async_trait]
impl Transport for BatchTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        self.sim.sleep(self.latency.sample(&self.sim)).await;
        let is_lost = self.sim.random_chance(self.lost);
        let is_before = self.sim.random_chance(0.5);
        let lost = || TransportError::new(TransportErrorKind::Reset, "the connection was lost");
        if is_lost && is_before {
            return Err(lost());
        }
        let response = self.api.respond(&request);
        self.sim.sleep(self.latency.sample(&self.sim)).await;
        match is_lost {
            true => Err(lost()),
            false => Ok(response.map(ByteStream::from_bytes)),
        }
    }
}

impl fmt::Debug for BatchTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchTransport")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}
