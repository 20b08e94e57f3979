//! The application: checks every request and routes it.

mod fronts;
pub(crate) mod reply;
mod request_id;
mod route;

use std::sync::Arc;
use std::time::Instant;

use chatcore::{ToolLoopEvent, Toolbox};
use chatcore_adapters::answers::anthropic::AnthropicForm;
use chatcore_adapters::answers::{Form as _, Refusal};
use futures_lite::StreamExt as _;
use serde_json::{Value, json};
use smol::net::TcpStream;
use trillium::{Conn, Handler, KnownHeaderName, Upgrade};
use trillium_websockets::WebSocket;

use crate::ask::{self, Allowed, Ask, Form};
use crate::drain::Drain;
use crate::errors::ApiError;
use crate::events::{Teller, Whole};
use crate::fields::Fields;
use crate::guard;
use crate::limits::PerClient;
use crate::metrics::Metrics;
use crate::openai;
use crate::page;
use crate::settings::Settings;
use crate::stream;
use crate::upstream::Upstream;
use crate::{batch, body, tools, ws};
use reply::{Reply, refuse, typed};
use request_id::RequestIds;
use route::Route;

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) allowed: Allowed,
    pub(crate) upstream: Upstream,
    pub(crate) tools: Toolbox,
    pub(crate) per_client: PerClient,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) drain: Drain,
    /// When the server started: seconds since 1970 for people, and an `Instant` to measure with.
    pub(crate) began: (u64, Instant),
}

/// The handler of every request.
pub(crate) struct App {
    shared: Arc<Shared>,
    sockets: WebSocket<Sockets>,
    ids: RequestIds,
}

/// The connection's socket, for code that must notice when the client disconnects. The listener
/// puts it into the state of each request.
pub(crate) struct Socket(pub(crate) TcpStream);

const SSE: &str = "text/event-stream; charset=utf-8";
const NDJSON: &str = "application/x-ndjson; charset=utf-8";
/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl App {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let sockets = Sockets(Arc::clone(&shared));
        let protocol = ws::protocol(shared.settings.max_body);
        Self {
            shared,
            // `check_site` has already checked the origin, as for every request.
            sockets: WebSocket::new(sockets)
                .with_protocol_config(protocol)
                .with_protocols(&["chatcore"])
                .allow_any_origin()
                .required(),
            ids: RequestIds::default(),
        }
    }

    /// `None` if the request becomes a WebSocket.
    async fn answer(&self, conn: &mut Conn, route: Route) -> Result<Option<Reply>, ApiError> {
        let shared = &*self.shared;
        guard::check_site(conn, &shared.settings)?;
        if route.needs_token() {
            guard::check_token(conn, &shared.settings)?;
        }
        Ok(Some(match route {
            Route::Page => self.file("index.html").await?,
            Route::File(name) => self.file(&name).await?,
            Route::Package(name) => {
                let (bytes, media_type) = page::package(&shared.settings, &name).await?;
                Reply::Bytes(bytes, media_type)
            }
            Route::Health if shared.drain.has_begun() => return Err(ApiError::draining()),
            Route::Health => Reply::Json(json!({"status": "ok"})),
            Route::Status => Reply::Json(self.status()),
            Route::Metrics => {
                let text = shared.metrics.text(&shared.upstream.client.status());
                let failed = |error| ApiError::new(500, "internal", format!("metrics: {error}"));
                Reply::Bytes(text.map_err(failed)?, METRICS)
            }
            Route::Models => Reply::Json(openai::models(
                &shared.allowed.models,
                &shared.upstream.provider,
                shared.began.0,
            )),
            Route::Model(name) => {
                let name = shared.allowed.model(Some(name))?;
                let owner = &shared.upstream.provider;
                Reply::Json(openai::model(&name, owner, shared.began.0))
            }
            Route::Chat => self.chat(conn, Form::Message).await?,
            Route::Context => self.chat(conn, Form::Messages).await?,
            Route::Stream => self.stream(conn).await?,
            Route::Tools => self.tools(conn).await?,
            Route::Batch => self.batch(conn).await?,
            Route::Completions => self.completions(conn).await?,
            Route::Messages => self.messages(conn).await?,
            Route::Responses => self.responses(conn).await?,
            Route::Socket => return Ok(None),
            Route::NotAllowed(allowed) => {
                let message = format!("this path accepts only {allowed}");
                return Err(ApiError {
                    allow: Some(allowed),
                    ..ApiError::new(405, "method_not_allowed", message)
                });
            }
            Route::Unknown => {
                let message = format!("nothing is served at {}", conn.path());
                return Err(ApiError::new(404, "not_found", message));
            }
        }))
    }

    async fn file(&self, name: &str) -> Result<Reply, ApiError> {
        let (bytes, media_type) = page::file(&self.shared.settings, name).await?;
        Ok(Reply::Bytes(bytes, media_type))
    }

    fn status(&self) -> Value {
        let shared = &*self.shared;
        let pool = shared.upstream.client.status();
        let mut status = shared.metrics.figures();
        let more = json!({
            "provider": shared.upstream.provider,
            "demo": shared.upstream.is_demo,
            "models": shared.allowed.models,
            "limits": {
                "max_tokens": shared.allowed.max_tokens,
                "max_messages": shared.allowed.max_messages,
                "max_prompts": shared.settings.max_prompts,
                "max_body": shared.settings.max_body,
                "requests_per_minute": shared.settings.requests_per_minute,
            },
            "uptime_seconds": shared.began.1.elapsed().as_secs_f64(),
            "draining": shared.drain.has_begun(),
            "pool": {
                "max_workers": pool.max_workers,
                "limit": pool.limit,
                "active": pool.active,
                "queued": pool.queued,
                "queue_size": pool.queue_size,
                "started": pool.started,
                "succeeded": pool.succeeded,
                "failed": pool.failed,
                "cancelled": pool.cancelled,
                "retried": pool.retried,
            },
        });
        if let (Value::Object(status), Value::Object(more)) = (&mut status, more) {
            status.extend(more);
        }
        status
    }

    async fn chat(&self, conn: &mut Conn, form: Form) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let ask = ask::read(self.body(conn).await?, form, &shared.allowed)?;
        self.take(conn, 1)?;
        let call = ask.call(&shared.upstream.client).into_future();
        match conn.cancel_on_disconnect(call).await {
            Some(answer) => {
                let json = serde_json::to_vec(&Whole::from(answer?)).unwrap_or_default();
                Ok(Reply::Bytes(json, "application/json"))
            }
            None => Ok(Reply::Gone),
        }
    }

    async fn stream(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let ask = ask::read(self.body(conn).await?, Form::Any, &shared.allowed)?;
        self.take(conn, 1)?;
        let mut teller = Teller::default();
        let write = move |event| teller.tell(event).map(|told| told.sse());
        self.stream_of(conn, ask, write).await
    }

    /// Streams a loop over the server's tools, in which each turn is a chat of the client. Waits for
    /// the beginning of the first answer, so that an earlier error can still be an HTTP status.
    async fn tools(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let ask = ask::read(self.body(conn).await?, Form::Any, &shared.allowed)?;
        let work = ask
            .call(&shared.upstream.client)
            .toolbox(&shared.tools)
            .max_turns(tools::MAX_TURNS)
            .tool_timeout(tools::TIMEOUT);
        let client = guard::client(conn, &shared.settings);
        let all = Arc::clone(&self.shared);
        let take = move || all.per_client.take(client, 1, Instant::now());
        let mut stream = Box::pin(stream::counted(work.stream(), take));
        let first = conn.cancel_on_disconnect(async {
            loop {
                match stream.next().await {
                    Some(Ok(ToolLoopEvent::TurnStart { .. })) => {}
                    event => return event,
                }
            }
        });
        let mut teller = Teller::default();
        let write = move |event| teller.tell_step(event).map(|told| told.sse());
        match first.await {
            None => Ok(Reply::Gone),
            Some(Some(first)) => Ok(Reply::Pieces(stream::pieces(first?, stream, write), SSE)),
            Some(None) => Err(ApiError::new(502, "truncated", "the answer was empty")),
        }
    }

    async fn batch(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let client = shared.upstream.client.clone();
        let workers = client.status().max_workers;
        let fields = self.body(conn).await?;
        let batch = batch::read(
            fields,
            &shared.allowed,
            shared.settings.max_prompts,
            workers,
        )?;
        self.take(conn, batch.requests.len())?;
        Ok(Reply::Pieces(batch::run(batch, client), NDJSON))
    }

    /// Waits for the first content, so that an earlier error can still be an HTTP status.
    async fn stream_of(
        &self,
        conn: &mut Conn,
        ask: Ask,
        write: impl FnMut(Result<chatcore::ChatEvent, chatcore::Error>) -> Option<Vec<u8>>
        + Send
        + 'static,
    ) -> Result<Reply, ApiError> {
        let mut stream = ask.call(&self.shared.upstream.client).stream();
        let first = conn.cancel_on_disconnect(stream.next()).await;
        match first {
            None => Ok(Reply::Gone),
            Some(Some(first)) => Ok(Reply::Pieces(stream::pieces(first?, stream, write), SSE)),
            Some(None) => Err(ApiError::new(502, "truncated", "the answer was empty")),
        }
    }

    async fn body(&self, conn: &mut Conn) -> Result<Fields, ApiError> {
        let settings = &self.shared.settings;
        body::read(conn, settings.max_body, settings.body_timeout).await
    }

    fn take(&self, conn: &Conn, chats: usize) -> Result<(), ApiError> {
        let client = guard::client(conn, &self.shared.settings);
        let chats = u32::try_from(chats).unwrap_or(u32::MAX);
        self.shared.per_client.take(client, chats, Instant::now())
    }

    async fn handshake(&self, conn: Conn) -> (u16, Conn) {
        let client = guard::client(&conn, &self.shared.settings);
        let conn = self.sockets.run(conn.with_state(Client(client))).await;
        let status = conn.status().map_or(500, |status| status as u16);
        if status < 400 {
            return (status, conn);
        }
        let message = "this path accepts only WebSocket handshakes";
        let error = ApiError::new(status, "websocket_required", message);
        let conn = typed(conn, "application/json");
        (status, conn.with_body(error.to_json().to_string()))
    }
}

impl Handler for App {
    async fn run(&self, mut conn: Conn) -> Conn {
        let route = Route::of(conn.method(), conn.path());
        let name = route.name();
        let is_anthropic = Route::is_anthropic(conn.path());
        let id = self.ids.of(&conn);
        let given = id.clone();
        let reply = self.answer(&mut conn, route).await;
        let headers = conn.response_headers_mut();
        if is_anthropic {
            headers.insert("request-id", id.clone());
        }
        headers.insert("x-request-id", id);
        headers.insert("x-content-type-options", "nosniff");
        headers.insert(KnownHeaderName::CacheControl, "no-store");
        if self.shared.drain.has_begun() {
            headers.insert(KnownHeaderName::Connection, "close");
        }
        let (status, conn) = match reply {
            Ok(Some(reply)) => reply.write(conn, &self.shared.metrics),
            Ok(None) => self.handshake(conn).await,
            Err(error) => {
                let body = match is_anthropic {
                    true => {
                        let mut refusal = Refusal::from(error.clone());
                        refusal.request_id = Some(given.clone());
                        AnthropicForm.refuse(&refusal)
                    }
                    false => error.to_json(),
                };
                (error.status, refuse(conn, &error, &body))
            }
        };
        self.shared.metrics.answered(name, status);
        conn
    }

    fn has_upgrade(&self, upgrade: &Upgrade) -> bool {
        self.sockets.has_upgrade(upgrade)
    }

    async fn upgrade(&self, upgrade: Upgrade) {
        self.sockets.upgrade(upgrade).await;
    }
}

/// The client's address, for the WebSocket that the request becomes.
struct Client(std::net::IpAddr);

/// Handles the WebSockets.
struct Sockets(Arc<Shared>);

impl trillium_websockets::WebSocketHandler for Sockets {
    type OutboundStream = futures_lite::stream::Pending<trillium_websockets::Message>;

    async fn connect(
        &self,
        conn: trillium_websockets::WebSocketConn,
    ) -> Option<(trillium_websockets::WebSocketConn, Self::OutboundStream)> {
        let unknown = std::net::Ipv4Addr::UNSPECIFIED.into();
        let client = conn.state::<Client>().map_or(unknown, |client| client.0);
        ws::serve(Arc::clone(&self.0), client, conn).await;
        None
    }
}
