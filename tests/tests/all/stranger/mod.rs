//! A dialect from outside of chatcore does all that a built-in one does: Ollama's own chat.

mod decoding;
mod encoding;
mod running;
