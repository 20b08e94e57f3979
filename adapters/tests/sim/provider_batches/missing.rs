//! Batches and results that the provider does not find, or cannot send, for a while or for ever.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::provider_batch::RunEnd;
use chatcore::{ByteStream, ErrorKind, Executor, Transport, TransportError, TransportErrorKind};
use chatcore_adapters::sim::{BatchTransport, Sim, SimExecutor};
use http::{Request, Response};

use super::{PROVIDERS, World, events};

/// The status that a request is answered with, if it does not reach the API. 200 is an empty list.
pub(super) type Status = dyn Fn(&Request<Bytes>) -> Option<u16> + Send + Sync;

/// A network that answers some requests itself.
pub(super) struct Instead(pub(super) BatchTransport, pub(super) Arc<Status>);

#[async_trait]
impl Transport for Instead {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        match (self.1)(&request) {
            Some(status) => {
                let body = match status {
                    200 => &b"{\"data\":[],\"has_more\":false}"[..],
                    _ => b"{\"error\":{\"message\":\"no\"}}",
                };
                let body = Bytes::from_static(body);
                let mut response = Response::new(ByteStream::from_bytes(body));
                *response.status_mut() = status.try_into().unwrap();
                Ok(response)
            }
            None => self.0.send(request).await,
        }
    }
}

impl fmt::Debug for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_poll(request: &Request<Bytes>) -> bool {
    request.method() == http::Method::GET && request.uri().path().contains("/batches/batch_")
}

fn is_download(request: &Request<Bytes>) -> bool {
    request.uri().path().ends_with("/content")
}

#[test]
fn a_batch_that_is_not_found_for_a_minute_is_not_paid_twice() {
    Sim::run_seeds(0..1, |sim| async move {
        let mut world = World::new(&sim, "openai", 3);
        let polls = AtomicU32::new(0);
        world.instead = Some(Arc::new(move |request| {
            let is_early = is_poll(request) && polls.fetch_add(1, Ordering::Relaxed) < 3;
            is_early.then_some(404)
        }));
        let (_, end) = world.run().await;
        assert_eq!(end, RunEnd::Complete);
        world.assert_all_once(3);
    });
}

#[test]
fn a_batch_that_stays_missing_but_is_listed_is_kept() {
    Sim::run_seeds(0..1, |sim| async move {
        let mut world = World::new(&sim, "openai", 3);
        world.instead = Some(Arc::new(|request| is_poll(request).then_some(404)));
        let executor: Arc<dyn Executor> = sim.clone();
        let mut run = world.open(executor).await.unwrap();
        let error = events(&mut run).await.unwrap_err();
        assert_eq!(error.code(), Some("batch_gone"), "{error}");
        assert_eq!(run.waiting(), 1);
        drop(run);
        world.disk.kill();
        world.instead = None;
        world.run().await;
        world.assert_all_once(3);
    });
}

#[test]
fn a_batch_that_is_gone_goes_back_after_minutes() {
    Sim::run_seeds(0..1, |sim| async move {
        let mut world = World::new(&sim, "openai", 3);
        // The first batch is in no list either.
        world.instead = Some(Arc::new(|request| {
            let is_first = is_poll(request) && request.uri().path().contains("000002");
            let is_list =
                request.method() == http::Method::GET && request.uri().path().ends_with("/batches");
            (is_first || is_list).then_some(if is_list { 200 } else { 404 })
        }));
        let began = sim.now();
        let (_, end) = world.run().await;
        assert_eq!(end, RunEnd::Complete);
        assert!(sim.now() - began >= Duration::from_secs(300));
        assert_eq!((world.answers().len(), world.api.created()), (3, 2));
    });
}

#[test]
fn results_that_never_come_end_the_run_after_half_an_hour_of_fewer_and_fewer_downloads() {
    Sim::run_seeds(0..1, |sim| async move {
        let mut world = World::new(&sim, "openai", 3);
        let downloads = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&downloads);
        world.instead = Some(Arc::new(move |request| {
            let is_download = is_download(request);
            counted.fetch_add(u32::from(is_download), Ordering::Relaxed);
            is_download.then_some(500)
        }));
        let executor: Arc<dyn Executor> = sim.clone();
        let began = sim.now();
        let mut run = world.open(executor).await.unwrap();
        let error = events(&mut run).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server, "{error}");
        let took = sim.now() - began;
        assert!(took >= Duration::from_secs(25 * 60), "{took:?}");
        // A download has up to three attempts of its own.
        let downloads = downloads.load(Ordering::Relaxed);
        assert!((31..=93).contains(&downloads), "{downloads}");
        drop(run);
        world.disk.kill();
        world.instead = None;
        world.run().await;
        world.assert_all_once(3);
    });
}

#[test]
fn results_that_were_deleted_go_back_after_minutes() {
    Sim::run_seeds(0..1, |sim| async move {
        let mut world = World::new(&sim, "openai", 3);
        let began = sim.now();
        let clock = Arc::clone(&sim);
        let first = Duration::from_secs(360);
        world.instead = Some(Arc::new(move |request| {
            (is_download(request) && clock.now() - began < first).then_some(404)
        }));
        let (_, end) = world.run().await;
        assert_eq!(end, RunEnd::Complete);
        assert!(sim.now() - began >= Duration::from_secs(300));
        assert_eq!((world.answers().len(), world.api.created()), (3, 2));
    });
}

#[test]
fn results_that_are_missing_at_each_attempt_are_errors_that_say_so() {
    Sim::run_seeds(0..1, |sim| async move {
        let mut world = World::new(&sim, "openai", 3);
        world.instead = Some(Arc::new(|request| is_download(request).then_some(404)));
        let (_, end) = world.run().await;
        assert_eq!((end, world.api.created()), (RunEnd::Complete, 3));
        assert_eq!(world.errors()["n1"], "batch_results_gone");
    });
}

/// A network that loses the first creation, which the provider carries out minutes later.
#[derive(Debug)]
pub(super) struct Late {
    inner: BatchTransport,
    sim: Arc<SimExecutor>,
    creations: AtomicU32,
}

#[async_trait]
impl Transport for Late {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let path = request.uri().path();
        let is_creation = request.method() == http::Method::POST
            && (path.ends_with("/batches") || path.ends_with(":batchGenerateContent"));
        if is_creation && self.creations.fetch_add(1, Ordering::Relaxed) == 0 {
            let (inner, sim) = (self.inner.clone(), Arc::clone(&self.sim));
            self.sim.spawn(Box::pin(async move {
                sim.sleep(Duration::from_secs(4 * 60)).await;
                inner.send(request).await.unwrap();
            }));
            let lost = TransportError::new(TransportErrorKind::Reset, "the connection was lost");
            return Err(lost);
        }
        self.inner.send(request).await
    }
}

#[test]
fn a_creation_that_is_carried_out_minutes_late_is_not_repeated() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let mut world = World::new(&sim, provider, 3);
            world.is_late = true;
            let (_, end) = world.run().await;
            assert_eq!((end, world.api.created()), (RunEnd::Complete, 1));
            world.assert_all_once(3);
        });
    }
}

impl Late {
    pub(super) fn new(inner: BatchTransport, sim: &Arc<SimExecutor>) -> Self {
        Self {
            inner,
            sim: Arc::clone(sim),
            creations: AtomicU32::new(0),
        }
    }
}
