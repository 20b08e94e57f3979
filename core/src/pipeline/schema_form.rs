//! How the schema of a typed answer was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// How the schema of a typed answer was sent. It follows from the provider, the model and the tools
/// of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaForm {
    /// The provider holds the answer to it.
    Enforced,
    /// In the prompt, and the provider only holds the answer to JSON.
    JsonMode,
    /// In the prompt alone.
    Prompt,
    /// In the prompt alone, because the request has tools.
    PromptBesideTools,
}

impl SchemaForm {
    const ALL: [Self; 4] = [
        Self::Enforced,
        Self::JsonMode,
        Self::Prompt,
        Self::PromptBesideTools,
    ];

    /// The end of the message about an answer that does not fit: why the provider did not prevent
    /// it, and what to do.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Enforced => "",
            Self::JsonMode => {
                "; the schema was only in the prompt, and the provider enforced no more than JSON: \
                 use a provider that enforces schemas, or await the call with .repairs(n), so that \
                 the model corrects its answer"
            }
            Self::Prompt => {
                "; the schema was only in the prompt, and no JSON mode was used: use a provider or \
                 a model that has one, or await the call with .repairs(n), so that the model \
                 corrects its answer"
            }
            Self::PromptBesideTools => {
                "; the schema was only in the prompt, because the provider does not enforce it \
                 beside tools: use a provider that does, or set .repairs(n), so that the model \
                 corrects its answer"
            }
        }
    }
}

/// Tells a caller how the schema of its call was sent. Clones are the same note.
#[derive(Clone, Debug, Default)]
pub(crate) struct SchemaNote(Arc<AtomicU8>);

impl SchemaNote {
    /// Replaces what an earlier request of the call has told.
    pub(crate) fn tell(&self, form: SchemaForm) {
        self.0.store(form as u8, Relaxed);
    }

    /// How the schema was sent. Enforced, if nothing was told: another backend may have answered.
    pub(crate) fn form(&self) -> SchemaForm {
        SchemaForm::ALL[usize::from(self.0.load(Relaxed))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_keeps_what_it_was_told_last() {
        let note = SchemaNote::default();
        assert_eq!(note.form(), SchemaForm::Enforced);
        for form in SchemaForm::ALL {
            note.clone().tell(form);
            assert_eq!(note.form(), form);
        }
    }
}
