//! The structure of responses. A field of an unexpected type counts as absent.

use super::usage::Reported;
use crate::dialect::kit::fields;
use crate::dialect::kit::read::{Count, Ignored, List, MAX_ITEMS, Object, Raw, Read, Text, Word};
use crate::json::{JsonError, Piece, Reader};

/// Content in any form that servers send: text, a list of parts, or nothing.
#[derive(Debug, Default)]
pub(super) enum Content<'a> {
    #[default]
    None,
    Text(Piece<'a>),
    Parts(Parts<'a>),
}

impl Content<'_> {
    /// Whether the content is empty.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::Text(text) => text.is_empty(),
            Self::Parts(parts) => parts.said.is_empty(),
        }
    }
}

impl<'a> Read<'a> for Content<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        *self = match reader.peek()? {
            b'"' => Self::Text(reader.piece()?),
            b'[' | b'{' => {
                let mut parts = Parts::default();
                parts.read(reader, false)?;
                Self::Parts(parts)
            }
            // A server parsed a number or a boolean that the model wrote as text.
            _ => Self::Text(reader.raw()?.into()),
        };
        Ok(())
    }
}

/// A list of parts, which may contain more lists: Mistral sends reasoning that way.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) said: Vec<Said<'a>>,
    /// Whether there were more than [`MAX_ITEMS`] parts.
    pub(super) is_over: bool,
}

/// A part of content. Adjacent texts of the same kind are joined.
#[derive(Debug)]
pub(super) enum Said<'a> {
    Text(Piece<'a>),
    Thinking(Piece<'a>),
    /// The raw JSON of a part without text.
    Other(Raw<'a>),
}

impl<'a> Parts<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, is_thinking: bool) -> Result<(), JsonError> {
        match reader.peek()? {
            b'[' => {
                let mut items = reader.array()?;
                while reader.item(&mut items)? {
                    self.read(reader, is_thinking)?;
                }
            }
            b'{' => self.read_part(reader, is_thinking)?,
            b'"' => {
                let text = reader.piece()?;
                self.say(text, is_thinking);
            }
            byte => {
                let raw = reader.raw()?;
                if byte != b'n' {
                    self.say(raw.into(), is_thinking);
                }
            }
        }
        Ok(())
    }

    fn read_part(&mut self, reader: &mut Reader<'a>, is_thinking: bool) -> Result<(), JsonError> {
        let from = reader.rest();
        let (mut has_text, mut is_other) = (false, false);
        let mut members = reader.object()?;
        while let Some(name) = reader.name(&mut members)? {
            if reader.null()? {
                continue;
            }
            match &*name {
                "text" | "thinking" => {
                    has_text = true;
                    self.read(reader, is_thinking || name == "thinking")?;
                }
                "type" => {
                    let mut kind = Word::default();
                    kind.read(reader)?;
                    is_other |= !matches!(&*kind.0, "text" | "thinking");
                }
                _ => {
                    reader.raw()?;
                    is_other = true;
                }
            }
        }
        if is_other && !has_text {
            let length = from.len() - reader.rest().len();
            self.push(Said::Other(&from[..length]));
        }
        Ok(())
    }

    fn say(&mut self, piece: Piece<'a>, is_thinking: bool) {
        if piece.is_empty() {
            return;
        }
        match (self.said.last_mut(), is_thinking) {
            (Some(Said::Text(last)), false) | (Some(Said::Thinking(last)), true) => {
                last.append(piece);
            }
            (_, true) => self.push(Said::Thinking(piece)),
            (_, false) => self.push(Said::Text(piece)),
        }
    }

    fn push(&mut self, said: Said<'a>) {
        match self.said.len() < MAX_ITEMS {
            true => self.said.push(said),
            false => self.is_over = true,
        }
    }
}

/// The choices of an answer. Only one is read, because no request asks for several: the choice with
/// the index 0 or, if there is none, the first.
#[derive(Debug, Default)]
pub(super) struct Choices<'a> {
    pub(super) first: Option<Object<'a, Choice<'a>>>,
    /// How many other choices the server sent, though the request asked for one.
    pub(super) others: u32,
}

impl<'a> Read<'a> for Choices<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        *self = Self::default();
        if reader.peek()? != b'[' {
            return reader.raw().map(drop);
        }
        let mut items = reader.array()?;
        while reader.item(&mut items)? {
            let is_object = reader.peek()? == b'{';
            match &mut self.first {
                None if is_object => self.first.insert(Object::default()).read(reader)?,
                Some(first) if is_object && first.known.place() != 0 => {
                    let mut choice = Object::<Choice<'_>>::default();
                    choice.read(reader)?;
                    if choice.known.place() == 0 {
                        *first = choice;
                    }
                    self.others += 1;
                }
                _ => {
                    reader.raw()?;
                    self.others += u32::from(is_object);
                }
            }
        }
        Ok(())
    }
}

/// A whole answer, or one chunk of a stream.
#[derive(Debug, Default)]
pub(super) struct Chunk<'a> {
    pub(super) object: Word<'a>,
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) choices: Choices<'a>,
    pub(super) usage: Option<Reported<'a>>,
    pub(super) error: Option<Raw<'a>>,
    ignored: Ignored,
}

fields!(Chunk<'a> {
    id, model, choices, usage, error, object,
    // Not part of the answer: a time, and padding against traffic analysis.
    ignored: "created" | "obfuscation",
});

/// One choice of an answer.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    index: Count,
    /// Sent in streams.
    pub(super) delta: Option<Object<'a, Delta<'a>>>,
    /// Sent in whole answers. Some servers send both fields in both modes.
    pub(super) message: Option<Object<'a, Delta<'a>>>,
    pub(super) finish_reason: Word<'a>,
    pub(super) logprobs: Option<Raw<'a>>,
    /// OpenRouter's field for an error of the upstream provider.
    pub(super) error: Option<Raw<'a>>,
}

impl Choice<'_> {
    fn place(&self) -> u64 {
        self.index.0.unwrap_or(0)
    }
}

fields!(Choice<'a> { index, delta, message, finish_reason, logprobs, error });

/// A message, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) content: Content<'a>,
    pub(super) reasoning_content: Content<'a>,
    pub(super) reasoning: Content<'a>,
    pub(super) refusal: Text<'a>,
    pub(super) tool_calls: Option<List<Object<'a, Call<'a>>>>,
    pub(super) function_call: Option<Object<'a, Function<'a>>>,
    pub(super) reasoning_details: Option<Raw<'a>>,
    pub(super) images: Option<Raw<'a>>,
    pub(super) audio: Option<Raw<'a>>,
    ignored: Ignored,
}

fields!(Delta<'a> {
    content, reasoning_content, reasoning, refusal, tool_calls, function_call, reasoning_details,
    images, audio, ignored: "role" | "obfuscation",
});

/// A tool call, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) index: Count,
    pub(super) id: Text<'a>,
    pub(super) function: Option<Object<'a, Function<'a>>>,
    pub(super) ignored: Ignored,
}

fields!(Call<'a> { index, id, function, ignored: "type" });

/// The function of a tool call.
#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: Text<'a>,
    pub(super) arguments: Option<Raw<'a>>,
}

fields!(Function<'a> { name, arguments });
