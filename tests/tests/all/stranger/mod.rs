//! A dialect from outside chatcore can do everything that a built-in one can: Ollama's own chat.

mod decoding;
mod encoding;
mod running;
