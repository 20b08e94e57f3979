//! Turns the parts of an answer back into the items that they came from.

use serde_json::Value;

use super::slot::List;
use super::writing::is_same;
use super::{DIALECT, FINGERPRINT, ITEM};
use crate::chat::{Extra, Message, Part};
use crate::dialect::kit::provenance::{is_foreign, own_fields};
use crate::dialect::kit::write::ObjectWriter;
use crate::json::Writer;

/// The items that the first parts of a list make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// The first `n` parts are the texts of one received item.
    Item(usize),
    /// The first `n` parts are texts that belong to no item.
    Fresh(usize),
    /// The first part is not a text.
    None,
}

/// The items that the first of `parts` make.
pub(super) fn run(parts: &[Part]) -> Run {
    let is_own = |part: &&Part| Text::of(part).is_some_and(|text| text.own.is_some());
    let Some(first) = parts.first().and_then(Text::of) else {
        return Run::None;
    };
    let is_alike =
        |part: &&Part| Text::of(part).is_some_and(|text| text.is_reasoning == first.is_reasoning);
    let own = parts
        .iter()
        .take_while(|part| is_alike(part) && is_own(part));
    let ends = |part: &Part| Text::of(part).is_some_and(|text| text.item().is_some());
    let mut length = 0;
    for part in own {
        length += 1;
        if ends(part) {
            return Run::Item(length);
        }
    }
    if first.is_reasoning {
        // Reasoning without its item has no signature, so that it is left out.
        return Run::None;
    }
    let more = parts[length..]
        .iter()
        .take_while(|part| is_alike(part) && !is_own(part));
    Run::Fresh(length + more.count())
}

/// A text of the model.
struct Text<'a> {
    text: &'a str,
    is_reasoning: bool,
    /// The type for a text that is written anew, and the field that holds the text.
    kind: &'static str,
    field: &'static str,
    extra: &'a Extra,
    own: Option<&'a Extra>,
}

impl<'a> Text<'a> {
    fn of(part: &'a Part) -> Option<Self> {
        let (text, extra, kind, field) = match part {
            Part::Text(text) => (&text.text, &text.extra, "output_text", "text"),
            Part::Refusal(refusal) => (&refusal.text, &refusal.extra, "refusal", "refusal"),
            Part::Reasoning(reasoning) => {
                (&reasoning.text, &reasoning.extra, "reasoning_text", "text")
            }
            _ => return None,
        };
        Some(Self {
            text,
            is_reasoning: matches!(part, Part::Reasoning(_)),
            kind,
            field,
            extra,
            own: own_fields(DIALECT, extra),
        })
    }

    fn own(&self, name: &str) -> Option<&'a Value> {
        self.own?.get(name)
    }

    fn item(&self) -> Option<&'a Extra> {
        self.own(ITEM)?.as_object()
    }

    fn list(&self) -> List {
        let kind = self.own("type").and_then(Value::as_str);
        kind.and_then(List::of).unwrap_or(List::Content)
    }

    /// Whether the text is unchanged since it was received.
    fn is_same(&self) -> bool {
        self.own(FINGERPRINT)
            .is_none_or(|print| is_same(self.text, print))
    }

    /// Writes the text as it was received.
    fn write(&self, writer: &mut Writer) {
        writer.open('{');
        let own = self.own.into_iter().flatten();
        let own = own.filter(|(name, _)| ![ITEM, FINGERPRINT].contains(&&***name));
        for (name, value) in own {
            writer.key(name);
            writer.value(value);
        }
        writer.member(self.field, self.text);
        self.write_plain(writer);
        writer.close('}');
    }

    fn write_fresh(&self, writer: &mut Writer) {
        writer.open('{');
        writer.member("type", self.kind);
        writer.member(self.field, self.text);
        // The fields of a received text do not apply to a text that replaced it.
        let is_given = self.own(FINGERPRINT).is_none() && self.item().is_none();
        for (name, value) in self.own.into_iter().flatten().filter(|_| is_given) {
            if ![ITEM, "type", self.field].contains(&&**name) {
                writer.key(name);
                writer.value(value);
            }
        }
        self.write_plain(writer);
        writer.close('}');
    }

    /// Writes the fields that the caller added to the part.
    fn write_plain(&self, writer: &mut Writer) {
        let extra = self.extra.iter();
        for (name, value) in
            extra.filter(|(name, _)| *name != DIALECT && !is_foreign(DIALECT, name))
        {
            writer.key(name);
            writer.value(value);
        }
    }
}

/// Writes the item with the texts `parts`. If no text was edited, the item is written as it was
/// received.
pub(super) fn write(writer: &mut Writer, parts: &[Part]) {
    let texts: Vec<_> = parts.iter().filter_map(Text::of).collect();
    let Some(item) = texts.last().and_then(Text::item) else {
        return;
    };
    let is_same = texts.iter().all(Text::is_same);
    writer.open('{');
    let kept = |name: &str| is_same || ["type", "role", "phase"].contains(&name);
    for (name, value) in item.iter().filter(|(name, _)| kept(name)) {
        writer.key(name);
        writer.value(value);
    }
    for list in List::ALL {
        let is_told = is_same && item.contains_key(list.field());
        let mut texts = texts
            .iter()
            .filter(|text| text.list() == list && !text.text.is_empty());
        let first = texts.next().filter(|_| !is_told);
        let Some(first) = first else { continue };
        writer.key(list.field());
        writer.open('[');
        for text in std::iter::once(first).chain(texts) {
            match is_same {
                true => text.write(writer),
                false => text.write_fresh(writer),
            }
        }
        writer.close(']');
    }
    writer.close('}');
}

/// Writes texts that belong to no item of this dialect, as a message.
pub(super) fn write_fresh(writer: &mut Writer, message: &Message, parts: &[Part]) {
    let texts: Vec<_> = parts.iter().filter_map(Text::of).collect();
    if texts.iter().all(|text| text.text.is_empty()) {
        return;
    }
    let mut map = ObjectWriter::beside(writer, DIALECT, &message.extra);
    map.string("type", "message");
    map.string("role", message.role.as_str());
    if let Some(writer) = map.field("content") {
        writer.open('[');
        texts.iter().for_each(|text| text.write_fresh(writer));
        writer.close(']');
    }
    map.end();
}
