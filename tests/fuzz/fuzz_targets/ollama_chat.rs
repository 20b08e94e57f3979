//! Ollama's own protocol, whole and split.
#![no_main]

use chatcore::dialect::OllamaChat;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| chatcore_fuzz::check(&OllamaChat::default(), data));
