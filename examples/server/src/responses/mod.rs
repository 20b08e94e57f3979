//! A front in the protocol of OpenAI's Responses: `/v1/responses`.
//!
//! ```text
//!  JSON ─► request, items ─► ChatRequest ─► queue, limits, retries ─► any provider
//!  JSON ◄─ answer, events ◄─ ChatResponse, ChatEvents ◄─────────────────┘
//! ```
//!
//! The server keeps no answer: a request brings the whole conversation. What an answer keeps for
//! another dialect stands in its item under that dialect's name, and comes back with the item.

pub(crate) mod answer;
pub(crate) mod events;
pub(crate) mod items;
pub(crate) mod request;

use chatcore::chat::Extra;
use chatcore::dialect::{NAMES, kit};
use serde_json::{Map, Value};

/// The dialect whose form this is.
const DIALECT: &str = "openai_responses";

/// The fields of an item that have no name here, as they are kept: those of other dialects under
/// their names, the others as this dialect's own.
fn kept(fields: Map<String, Value>) -> Extra {
    let (mut extra, own): (Extra, Extra) =
        (fields.into_iter()).partition(|(name, _)| NAMES.contains(&&**name));
    if !own.is_empty() {
        extra.extend(kit::as_own(DIALECT, own));
    }
    extra
}
