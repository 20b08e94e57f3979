//! Embeddings and lists of models, in each dialect that supports them.
#![no_main]

use chatcore::Dialect;
use chatcore::dialect::{Anthropic, Gemini, OllamaChat, OpenAiChat};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((inputs, data)) = data.split_first() else {
        return;
    };
    let Ok(body) = std::str::from_utf8(data) else {
        return;
    };
    let dialects: [&dyn Dialect; 4] = [
        &OpenAiChat::default(),
        &Anthropic::default(),
        &Gemini::default(),
        &OllamaChat::default(),
    ];
    let inputs = usize::from(*inputs);
    for dialect in dialects {
        if let Some(embeddings) = dialect.embeddings()
            && let Ok(read) = embeddings.decode(body, inputs)
        {
            assert!(read.vectors.len() <= inputs, "more vectors than texts");
        }
        if let Some(models) = dialect.models()
            && let Ok(page) = models.decode(body)
        {
            assert_ne!(page.next.as_deref(), Some(""), "a next page without a name");
        }
    }
});
