//! The clients that hold the conversations: one for each dialect, with whole answers and with
//! streams.

use std::sync::Arc;

use chatcore::dialect::OpenAiResponses;
use chatcore::{
    ChatCall, ChatResponse, Error, LlmClient, Message, Provider, ToolLoopAnswer, Toolbox, Transport,
};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::{Http1Transport, Proxies, WebSocketTransport};

/// A client of one dialect.
pub(super) struct Asker {
    pub(super) dialect: &'static str,
    client: LlmClient,
    pub(super) streams: bool,
}

impl Asker {
    pub(super) fn name(&self) -> String {
        let how = if self.streams { "streamed" } else { "whole" };
        format!("{}, {how}", self.dialect)
    }

    /// Sends a conversation without defaults.
    pub(super) fn ask(
        &self,
        messages: &[Message],
        shape: impl Fn(ChatCall) -> ChatCall,
    ) -> Result<ChatResponse, Error> {
        let call = shape(self.client.chat_with_context_async(messages.to_vec()));
        smol::block_on(async {
            match self.streams {
                true => call.stream().into_response().await,
                false => call.await,
            }
        })
    }
}

impl Asker {
    /// Runs a loop over the tools.
    pub(super) fn run(&self, prompt: &str, tools: &Toolbox) -> Result<ToolLoopAnswer, Error> {
        let work = self.client.ask(prompt).toolbox(tools);
        smol::block_on(async {
            match self.streams {
                true => work.stream().into_answer().await,
                false => work.await,
            }
        })
    }
}

/// Every dialect, whole and streamed, and Responses over WebSocket.
pub(super) fn askers() -> Vec<Asker> {
    let base = std::env::var("CHATCORE_AIMOCK").unwrap();
    let executor = Arc::new(SmolExecutor::new());
    let http = Http1Transport::builder(executor.clone())
        .proxies(Proxies::none())
        .build();
    let responses = || {
        Provider::new(
            "aimock",
            format!("{base}/v1"),
            "m",
            OpenAiResponses::default(),
        )
    };
    let mut askers = Vec::new();
    for (dialect, provider, is_web_socket) in [
        (
            "openai_chat",
            Provider::openai_compatible(format!("{base}/v1"), "m"),
            false,
        ),
        ("openai_responses", responses(), false),
        ("openai_responses over WebSocket", responses(), true),
        (
            "anthropic",
            Provider::anthropic().with_base_url(base.clone()),
            false,
        ),
        (
            "gemini",
            Provider::gemini().with_base_url(format!("{base}/v1beta")),
            false,
        ),
        (
            "ollama_chat",
            Provider::ollama("m").with_base_url(base.clone()),
            false,
        ),
    ] {
        let transport: Arc<dyn Transport> = match is_web_socket {
            true => Arc::new(WebSocketTransport::new(executor.clone(), http.clone())),
            false => Arc::new(http.clone()),
        };
        let client = LlmClient::builder(executor.clone(), transport)
            .provider(provider.with_api_key("sk-test"))
            .max_attempts(1)
            .build()
            .unwrap();
        for streams in [false, true] {
            askers.push(Asker {
                dialect,
                client: client.clone(),
                streams,
            });
        }
    }
    askers
}
