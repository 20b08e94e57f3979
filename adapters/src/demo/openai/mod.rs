//! OpenAI's chat completions, from the server's side.

mod answer;
mod ask;

pub(super) use answer::{refuse, stream, whole};
pub(super) use ask::read;
