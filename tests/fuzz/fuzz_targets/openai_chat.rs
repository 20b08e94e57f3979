//! Chat completions, whole and split.
#![no_main]

use chatcore::dialect::OpenAiChat;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| chatcore_fuzz::check(&OpenAiChat::default(), data));
