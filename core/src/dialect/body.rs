//! Writing a request's body, the same way in all dialects.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::chat::{ChatRequest, Extra, Part};
use crate::error::Error;

/// Writes `body` as JSON. It writes its fields through [`Fields`], which adds the request's own.
///
/// # Errors
/// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an extra field that chatcore sets
/// itself.
pub(super) fn write(request: &ChatRequest, body: &impl Serialize) -> Result<Vec<u8>, Error> {
    if request.extra.get("n").is_some_and(|n| n != 1) {
        return Err(Error::invalid(
            "`n` asks for several answers in one; send several requests, for example with \
             gather_with_limit",
        ));
    }
    if request.extra.contains_key("stream") {
        return Err(Error::invalid(
            "`stream` is not set by hand: await the call for a whole answer, or take its stream()",
        ));
    }
    let mut bytes = Vec::with_capacity(estimate(request));
    serde_json::to_writer(&mut bytes, body).map_err(|error| {
        Error::invalid(format!("the request cannot be written as JSON: {error}"))
    })?;
    Ok(bytes)
}

/// An object's fields: ours, and those without a name of ours. JSON has no place for two of one
/// name, so whoever says so gives way.
pub(super) struct Fields<'a, M> {
    map: M,
    extra: &'a Extra,
    /// Our fields that were written, where ours have precedence.
    own: Option<Vec<&'static str>>,
}

impl<'a, M: SerializeMap> Fields<'a, M> {
    /// Fields of `extra` replace ours of the same name.
    pub(super) fn replaced_by<S>(serializer: S, extra: &'a Extra) -> Result<Self, S::Error>
    where
        S: Serializer<SerializeMap = M>,
    {
        Ok(Self {
            map: serializer.serialize_map(None)?,
            extra,
            own: None,
        })
    }

    /// Ours stay; fields of `extra` with the same name are left out.
    pub(super) fn beside<S>(serializer: S, extra: &'a Extra) -> Result<Self, S::Error>
    where
        S: Serializer<SerializeMap = M>,
    {
        Ok(Self {
            map: serializer.serialize_map(None)?,
            extra,
            own: Some(Vec::new()),
        })
    }

    /// Writes a field of ours.
    pub(super) fn field(
        &mut self,
        name: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), M::Error> {
        if !self.extra.is_empty() {
            match &mut self.own {
                Some(own) => own.push(name),
                None if self.extra.contains_key(name) => return Ok(()),
                None => {}
            }
        }
        self.map.serialize_entry(name, value)
    }

    /// Writes the others, and closes the object.
    pub(super) fn end(mut self) -> Result<M::Ok, M::Error> {
        let own = self.own.unwrap_or_default();
        for (name, value) in self.extra {
            if !own.contains(&&**name) {
                self.map.serialize_entry(name, value)?;
            }
        }
        self.map.end()
    }
}

/// About how many bytes it will take, so that the buffer seldom grows.
fn estimate(request: &ChatRequest) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let texts = parts.map(|part| match part {
        Part::Text(text) => text.text.len() + text.text.len() / 8 + 48,
        Part::Image(image) => image.source.len() + 128,
        Part::ToolCall(call) => call.arguments.len() * 5 / 4 + 160,
        _ => 256,
    });
    texts.sum::<usize>() + 256
}
