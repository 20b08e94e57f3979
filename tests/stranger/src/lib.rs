//! A dialect as it would be written outside of chatcore.
//!
//! The files of the Ollama dialect in the core use only the public API, so they compile here too.
//! If one of those items becomes private, this crate no longer compiles, and neither would dialects
//! in other crates.

#[path = "../../../core/src/dialect/ollama_chat/mod.rs"]
pub mod ollama_chat;

pub use ollama_chat::OllamaChat;
