//! Google's generateContent, whole and split.
#![no_main]

use chatcore::dialect::Gemini;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| chatcore_fuzz::check(&Gemini::default(), data));
