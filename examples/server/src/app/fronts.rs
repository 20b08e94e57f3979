//! The paths for clients of other providers' APIs: OpenAI's chat completions and Responses, and
//! Anthropic's messages.

use std::future::IntoFuture;

use chatcore_adapters::answers::anthropic::AnthropicForm;
use chatcore_adapters::answers::openai_chat::OpenAiChatForm;
use chatcore_adapters::answers::openai_responses::OpenAiResponsesForm;
use chatcore_adapters::answers::{Form, Frame};
use trillium::Conn;

use super::App;
use super::reply::Reply;
use crate::ask::Ask;
use crate::errors::ApiError;
use crate::openai::request::Completion;
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
        let mut frame = frame_for(&ask, format!("chatcmpl-{created:x}"));
        frame.created = created;
        frame.include_usage = include_usage;
        self.in_form(conn, ask, stream, &OpenAiChatForm, frame)
            .await
    }

    /// `POST /v1/messages`.
    pub(super) async fn messages(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let body = self.body(conn).await?;
        let asked = anthropic::request::read(body, &shared.allowed, shared.upstream.dialect)?;
        self.take(conn, 1)?;
        let mut frame = frame_for(&asked.ask, self.ids.made("msg_"));
        frame.demands_usage = true;
        self.in_form(conn, asked.ask, asked.stream, &AnthropicForm, frame)
            .await
    }

    /// `POST /v1/responses`.
    pub(super) async fn responses(&self, conn: &mut Conn) -> Result<Reply, ApiError> {
        let shared = &*self.shared;
        let body = self.body(conn).await?;
        let asked = responses::request::read(body, &shared.allowed, shared.upstream.dialect)?;
        self.take(conn, 1)?;
        let mut frame = frame_for(&asked.ask, self.ids.made("resp_"));
        frame.created = openai::now();
        frame.repeated = asked.repeated;
        self.in_form(conn, asked.ask, asked.stream, &OpenAiResponsesForm, frame)
            .await
    }

    /// Answers in `form`, as a stream or as a complete answer.
    async fn in_form(
        &self,
        conn: &mut Conn,
        ask: Ask,
        stream: bool,
        form: &dyn Form,
        frame: Frame,
    ) -> Result<Reply, ApiError> {
        if stream {
            let mut events = form.stream(frame);
            let write = move |event: Result<_, chatcore::Error>| {
                let bytes = match event {
                    Ok(event) => events.write(&event),
                    Err(error) => events.fail(&ApiError::from(error).into()),
                };
                (!bytes.is_empty()).then_some(bytes)
            };
            return self.stream_of(conn, ask, write).await;
        }
        let call = ask.call(&self.shared.upstream.client).into_future();
        match conn.cancel_on_disconnect(call).await {
            Some(answer) => Ok(Reply::Json(form.whole(&answer?, &frame))),
            None => Ok(Reply::Gone),
        }
    }
}

/// The frame of an answer with this id. Its model is the one that the client asked for.
fn frame_for(ask: &Ask, id: String) -> Frame {
    Frame::new(id, ask.request.model.clone().unwrap_or_default())
}
