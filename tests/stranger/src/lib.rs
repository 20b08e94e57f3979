//! A dialect as a crate outside of chatcore writes it.
//!
//! The files of Ollama's dialect in the core name nothing but the public API, so that they compile
//! here, too. Whoever makes one of those items private breaks this crate, and with it all dialects
//! that live elsewhere.

#[path = "../../../core/src/dialect/ollama_chat/mod.rs"]
pub mod ollama_chat;

pub use ollama_chat::OllamaChat;
