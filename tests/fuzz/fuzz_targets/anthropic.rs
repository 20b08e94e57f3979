//! Anthropic's messages, whole and split.
#![no_main]

use chatcore::dialect::Anthropic;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| chatcore_fuzz::check(&Anthropic::default(), data));
