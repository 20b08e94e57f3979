//! One text of an item: of a message, a summary or reasoning.

use serde_json::Value;

use super::print::Print;
use crate::chat::Extra;
use crate::dialect::kit::decoder::{Output, Prose};
use crate::dialect::kit::read::extra_of;
use crate::json::{Joiner, Piece};

/// The list of an item that a text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    Summary,
    Content,
}

impl List {
    /// The order in which texts that arrive at once are handed over.
    pub(super) const ALL: [Self; 2] = [Self::Summary, Self::Content];

    /// The item's field that holds the list.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Content => "content",
        }
    }

    /// The list for texts of this type.
    pub(super) fn of(kind: &str) -> Option<Self> {
        match kind {
            "summary_text" => Some(Self::Summary),
            "reasoning_text" | "output_text" | "refusal" => Some(Self::Content),
            _ => None,
        }
    }
}

/// What kind of text this type is, and the field that holds it.
pub(super) fn prose_of(kind: &str) -> Option<(Prose, &'static str)> {
    Some(match kind {
        "output_text" => (Prose::Text, "text"),
        "refusal" => (Prose::Refusal, "refusal"),
        "summary_text" | "reasoning_text" => (Prose::Reasoning, "text"),
        _ => return None,
    })
}

/// What kind of text a part has, and the field that holds it.
pub(super) fn prose_in(part: &Extra) -> Option<(Prose, &'static str)> {
    prose_of(part.get("type")?.as_str()?)
}

/// The position of a text in its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) list: List,
    pub(super) index: u64,
}

/// One text of an item that arrives in pieces.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) place: Place,
    pub(super) prose: Prose,
    /// The fingerprint of the text so far.
    pub(super) print: Print,
    half: Joiner,
    /// Text that waits because something else is handed over first.
    waiting: String,
    /// The fields beside the text, until the text has ended.
    pub(super) fields: Option<Extra>,
    /// The fingerprint of the fields beside the text, once the text has ended.
    pub(super) ended: Option<Print>,
    /// The annotations that arrived one by one.
    pub(super) annotations: Vec<Value>,
}

impl Slot {
    pub(super) fn new(place: Place, prose: Prose) -> Self {
        Self {
            place,
            prose,
            print: Print::default(),
            half: Joiner::default(),
            waiting: String::new(),
            fields: None,
            ended: None,
            annotations: Vec::new(),
        }
    }

    /// Reads more text. Hands it over at once if `flows`.
    pub(super) fn take(&mut self, piece: Piece<'_>, flows: bool, out: &mut Output) {
        let text = self.half.join(piece);
        self.print.add(&text);
        match flows {
            true => {
                out.say(self.prose, Piece::from(&*text));
            }
            false => self.waiting.push_str(&text),
        }
    }

    /// Whether text waits to be handed over.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Hands over the text that waited.
    pub(super) fn flow(&mut self, out: &mut Output) {
        let waiting = std::mem::take(&mut self.waiting);
        out.say(self.prose, Piece::from(&*waiting));
    }

    /// Ends the text. Half a character without its other half is replaced.
    pub(super) fn end(&mut self, out: &mut Output) {
        if let Some(rest) = self.half.rest() {
            let rest = String::from(rest);
            self.print.add(&rest);
            out.say(self.prose, Piece::from(&*rest));
        }
    }

    /// The type of the text.
    fn kind(&self) -> &'static str {
        match (self.prose, self.place.list) {
            (Prose::Text, _) => "output_text",
            (Prose::Refusal, _) => "refusal",
            (Prose::Reasoning, List::Summary) => "summary_text",
            (Prose::Reasoning, List::Content) => "reasoning_text",
        }
    }

    /// Takes the fields beside the text, because the text has ended.
    pub(super) fn take_fields(&mut self) -> Extra {
        let kind = self.kind();
        let annotations = std::mem::take(&mut self.annotations);
        let fields = self.fields.take().unwrap_or_else(|| {
            let mut fields = extra_of("type", kind.into());
            if !annotations.is_empty() {
                fields.insert("annotations".to_owned(), Value::Array(annotations));
            }
            fields
        });
        self.ended = Some(print_of(&fields, ""));
        fields
    }
}

/// The fingerprint of the fields of an object except `text`.
pub(super) fn print_of(fields: &Extra, text: &str) -> Print {
    let mut print = Print::default();
    for (name, value) in fields.iter().filter(|(name, _)| *name != text) {
        print.add(name);
        print.add(&value.to_string());
    }
    print
}
