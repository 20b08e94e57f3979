//! The paths for clients of other providers' APIs: OpenAI's chat completions and Responses, and
//! Anthropic's messages.

use std::future::IntoFuture;

use trillium::Conn;

use super::App;
use super::reply::Reply;
use crate::ask::Ask;
use crate::errors::ApiError;
use crate::openai::chunks::Chunks;
use crate::openai::request::Completion;
use crate::responses::answer::Frame;
use crate::{anthropic, openai, responses};

impl App {
    /// `POST /v1/chat/completions`.
    pub(super) async fn completions(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let Completion {
            ask,
            stream,
            include_usage,
        } = openai::request::read(self.body(conn).await?, &shared.allowed)?;
        self.take(conn, 1)?;
        let created = openai::now();
        if stream {
            let model = ask.request.model.clone().unwrap_or_default();
            let id = format!("chatcmpl-{created:x}");
            let mut chunks = Chunks::new(id, model, created, include_usage);
            return self
                .stream_of(conn, ask, move |event| chunks.write(event))
                .await;
        }
        let write = |answer: &_| openai::answer::write(answer, created);
        self.whole(conn, ask, write).await
    }

    /// `POST /v1/messages`.
    pub(super) async fn messages(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let body = self.body(conn).await?;
        let asked = anthropic::request::read(body, &shared.allowed, shared.upstream.dialect)?;
        self.take(conn, 1)?;
        let model = asked.ask.request.model.clone().unwrap_or_default();
        let id = self.ids.made("msg_");
        if asked.stream {
            let mut events = anthropic::events::Events::new(id, model);
            return self
                .stream_of(conn, asked.ask, move |event| events.write(event))
                .await;
        }
        let write = |answer: &_| anthropic::answer::write(answer, &id, &model);
        self.whole(conn, asked.ask, write).await
    }

    /// `POST /v1/responses`.
    pub(super) async fn responses(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let body = self.body(conn).await?;
        let asked = responses::request::read(body, &shared.allowed, shared.upstream.dialect)?;
        self.take(conn, 1)?;
        let frame = Frame {
            id: self.ids.made("resp_"),
            model: asked.ask.request.model.clone().unwrap_or_default(),
            created: openai::now(),
            repeated: asked.repeated,
        };
        if asked.stream {
            let mut events = responses::events::Events::new(frame);
            return self
                .stream_of(conn, asked.ask, move |event| events.write(event))
                .await;
        }
        let write = |answer: &_| responses::answer::write(answer, &frame);
        self.whole(conn, asked.ask, write).await
    }

    /// Awaits a complete answer and writes it with `write`.
    async fn whole(
        &self,
        conn: &mut Conn,
        ask: Ask,
        write: impl FnOnce(&chatcore::ChatResponse) -> serde_json::Value,
    ) -> Result<Reply, ApiError> {
        let call = ask.call(&self.shared.upstream.client).into_future();
        match conn.cancel_on_disconnect(call).await {
            Some(answer) => Ok(Reply::Json(write(&answer?))),
            None => Ok(Reply::Gone),
        }
    }
}
