//! OpenAI's Responses, whole and split.
#![no_main]

use chatcore::dialect::OpenAiResponses;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| chatcore_fuzz::check(&OpenAiResponses::default(), data));
