//! One text of an item: a part of a message, of a summary, of reasoning.

use serde_json::Value;

use super::print::Print;
use crate::chat::Extra;
use crate::dialect::kit::decoder::{Output, Prose};
use crate::dialect::kit::read::extra_of;
use crate::json::{Joiner, Piece};

/// Which list of an item a text stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    Summary,
    Content,
}

impl List {
    /// In the order in which their texts are handed over, where they come at once.
    pub(super) const ALL: [Self; 2] = [Self::Summary, Self::Content];

    /// The field of the item.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Content => "content",
        }
    }

    /// The list that texts of this type stand in.
    pub(super) fn of(kind: &str) -> Option<Self> {
        match kind {
            "summary_text" => Some(Self::Summary),
            "reasoning_text" | "output_text" | "refusal" => Some(Self::Content),
            _ => None,
        }
    }
}

/// What texts of this type are, and the field that holds them.
pub(super) fn prose_of(kind: &str) -> Option<(Prose, &'static str)> {
    Some(match kind {
        "output_text" => (Prose::Text, "text"),
        "refusal" => (Prose::Refusal, "refusal"),
        "summary_text" | "reasoning_text" => (Prose::Reasoning, "text"),
        _ => return None,
    })
}

/// What the text of a part is, and the field that holds it.
pub(super) fn prose_in(part: &Extra) -> Option<(Prose, &'static str)> {
    prose_of(part.get("type")?.as_str()?)
}

/// A text's place in its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) list: List,
    pub(super) index: u64,
}

/// One text of an item, as far as it came.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) place: Place,
    pub(super) prose: Prose,
    /// What came of it.
    pub(super) print: Print,
    half: Joiner,
    /// What came of it and was not handed over: something else goes first.
    waiting: String,
    /// What stands beside the text, until that has ended.
    pub(super) fields: Option<Extra>,
    /// The fingerprint of what stood beside the text, once that has ended.
    pub(super) ended: Option<Print>,
    /// Its sources, where they came one by one.
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

    /// Takes in more, and hands it over where it `flows`.
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

    /// Whether something waits to be handed over.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Hands over what waited.
    pub(super) fn flow(&mut self, out: &mut Output) {
        let waiting = std::mem::take(&mut self.waiting);
        out.say(self.prose, Piece::from(&*waiting));
    }

    /// No more comes: half a character stays alone.
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

    /// Takes what stands beside the text, which has ended.
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

/// The fingerprint of the fields of an object but for `text`.
pub(super) fn print_of(fields: &Extra, text: &str) -> Print {
    let mut print = Print::default();
    for (name, value) in fields.iter().filter(|(name, _)| *name != text) {
        print.add(name);
        print.add(&value.to_string());
    }
    print
}
