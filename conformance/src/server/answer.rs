//! Makes a response from a plan and a request: status, headers, and the pieces of its body.

use super::dialect::{Question, error, writing};
use super::log::Seen;
use super::plan::{Body, Endpoint, Framing, Plan};

/// A response before it is split into writes.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    /// One piece per event if the body is an event stream.
    pub(super) pieces: Vec<Vec<u8>>,
    /// How the body ends, unless the plan says otherwise.
    pub(super) framing: Framing,
}

impl Answer {
    fn whole(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: Some(content_type.to_owned()),
            headers: Vec::new(),
            pieces: vec![body],
            framing: Framing::Length,
        }
    }

    /// An error of the server itself, in the JSON of the endpoint's provider.
    pub(super) fn refusal(status: u16, message: &str, number: u64) -> Self {
        let plan = Plan::default();
        let (kind, body) = error::body(&plan.endpoint, status, &plan, Some(message), number);
        Self::whole(status, kind, body)
    }

    /// The response to `request` according to `plan`. `origin` is another name for this server.
    pub(super) fn to(request: &Seen, plan: &Plan, origin: &str) -> Self {
        let mut answer = Self::content(request, plan, origin);
        if let Some(kind) = &plan.content_type {
            answer.content_type = (kind != "none").then(|| kind.clone());
        }
        answer.headers.extend(plan.headers.iter().cloned());
        answer
    }

    fn content(request: &Seen, plan: &Plan, origin: &str) -> Self {
        if let Some((status, key)) = &plan.redirect {
            let mut answer = Self::whole(*status, "text/plain", b"moved".to_vec());
            let target = format!("http://{origin}/key/{key}/text/followed");
            answer.headers.push(("location".into(), target));
            return answer;
        }
        if let Some(body) = &plan.body {
            let status = plan.status.unwrap_or(200);
            return match body {
                Body::Page => Self::whole(status, "text/html", error::PAGE.to_vec()),
                Body::Empty => Self::whole(status, "application/json", Vec::new()),
                Body::Text(text) => Self::whole(status, "text/plain", text.clone().into_bytes()),
            };
        }
        if let Some(status) = plan.status.filter(|status| *status >= 300) {
            let (kind, body) = error::body(&plan.endpoint, status, plan, None, request.number);
            return Self::whole(status, kind, body);
        }
        let mut answer = Self::regular(request, plan);
        if let Some(status) = plan.status {
            answer.status = status;
            if status == 204 {
                answer.pieces.clear();
            }
        }
        answer
    }

    fn regular(request: &Seen, plan: &Plan) -> Self {
        match &plan.endpoint {
            Endpoint::Text(text) => Self::whole(200, "text/plain", text.clone().into_bytes()),
            Endpoint::Echo => Self::whole(200, "application/octet-stream", request.body.clone()),
            Endpoint::Bytes(count) => {
                let bytes = (0..*count).map(|n| (n % 251) as u8).collect();
                Self::whole(200, "application/octet-stream", bytes)
            }
            Endpoint::Unknown => Self::refusal(404, "no such endpoint", request.number),
            Endpoint::OpenAiChat | Endpoint::OpenAiResponses | Endpoint::Anthropic => {
                Self::chat(request, plan)
            }
        }
    }

    fn chat(request: &Seen, plan: &Plan) -> Self {
        let checked = plan.provider.map(|provider| provider.check(request));
        let thinking = match checked.transpose() {
            Ok(thinking) => thinking.unwrap_or_default(),
            Err(refusal) => {
                let body = refusal.body.to_string().into_bytes();
                return Self::whole(refusal.status, "application/json", body);
            }
        };
        let question = match Question::read(request.number, &request.body) {
            Ok(question) => question.thinking(thinking),
            Err(message) => {
                let (kind, body) =
                    error::body(&plan.endpoint, 400, plan, Some(&message), request.number);
                return Self::whole(400, kind, body);
            }
        };
        if question.stream {
            return Self {
                pieces: writing::events(&question, plan),
                framing: Framing::Chunked,
                ..Self::whole(200, "text/event-stream", Vec::new())
            };
        }
        if plan.error_event.is_some() {
            // An error body with status 200, as some gateways send it.
            let (_, body) = error::body(&plan.endpoint, 500, plan, None, request.number);
            return Self::whole(200, "application/json", body);
        }
        if plan.garbage_event.is_some() {
            return Self::whole(200, "application/json", b"{\"choices\":[{".to_vec());
        }
        Self::whole(200, "application/json", writing::whole(&question, plan))
    }
}
