//! OpenAI's Responses.

mod events;
mod whole;

use chatcore::ChatResponse;
use serde_json::Value;

use super::{Form, Frame, Refusal, openai_chat};

/// The name of the dialect that reads this form.
const DIALECT: &str = "openai_responses";

/// The form of OpenAI's Responses.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiResponsesForm;

impl Form for OpenAiResponsesForm {
    fn dialect(&self) -> &'static str {
        DIALECT
    }

    fn path(&self) -> &'static str {
        "/responses"
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn whole(&self, answer: &ChatResponse, frame: &Frame) -> Value {
        whole::write(answer, frame)
    }

    fn stream(&self, frame: Frame) -> Box<dyn super::Events> {
        Box::new(events::Events::new(frame))
    }

    fn refuse(&self, refusal: &Refusal) -> Value {
        openai_chat::refuse(refusal)
    }
}
