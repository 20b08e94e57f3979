//! Writing a request's body, the same way in all dialects.

use serde::Serialize;
use serde::de::MapAccess;
use serde::ser::{SerializeMap, Serializer};

use super::object::{self, Object};
use crate::chat::{ChatRequest, Extra, Part};
use crate::error::Error;

/// Writes `body` as JSON, with the request's [`extra`](ChatRequest::extra) fields in it, which
/// replace those of the same name.
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
    let written =
        serde_json::to_writer(&mut bytes, body).and_then(|()| match request.extra.is_empty() {
            true => Ok(bytes),
            false => with_extra(&bytes, &request.extra),
        });
    written
        .map_err(|error| Error::invalid(format!("the request cannot be written as JSON: {error}")))
}

/// The object `body` with the fields of `extra`; ours are passed on as they were written.
fn with_extra(body: &[u8], extra: &Extra) -> Result<Vec<u8>, serde_json::Error> {
    let fields: Object<'_, Nothing> = serde_json::from_slice(body)?;
    let mut bytes = Vec::with_capacity(body.len() + 256);
    let mut serializer = serde_json::Serializer::new(&mut bytes);
    let mut map = serializer.serialize_map(None)?;
    for (name, value) in &fields.unknown {
        if !extra.contains_key(&**name) {
            map.serialize_entry(name, value)?;
        }
    }
    for (name, value) in extra {
        map.serialize_entry(name, value)?;
    }
    map.end()?;
    Ok(bytes)
}

/// No fields, so that all of them are kept as they are.
#[derive(Default)]
struct Nothing;

impl<'a> object::Fields<'a> for Nothing {
    fn field<A: MapAccess<'a>>(&mut self, _: &str, _: &mut A) -> Result<bool, A::Error> {
        Ok(false)
    }
}

/// An object of a message: fields of ours, and beside them those without a name of ours. JSON has
/// no place for two of one name, so ours stay.
pub(super) struct Fields<'a, M> {
    map: M,
    extra: &'a Extra,
    /// Those of ours that were written.
    own: Vec<&'static str>,
}

impl<'a, M: SerializeMap> Fields<'a, M> {
    pub(super) fn new<S>(serializer: S, extra: &'a Extra) -> Result<Self, S::Error>
    where
        S: Serializer<SerializeMap = M, Error = M::Error>,
    {
        Ok(Self {
            map: serializer.serialize_map(None)?,
            extra,
            own: Vec::new(),
        })
    }

    /// Writes a field of ours.
    pub(super) fn field(
        &mut self,
        name: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), M::Error> {
        if !self.extra.is_empty() {
            self.own.push(name);
        }
        self.map.serialize_entry(name, value)
    }

    /// Writes the others, and closes the object.
    pub(super) fn end(mut self) -> Result<M::Ok, M::Error> {
        for (name, value) in self.extra {
            if !self.own.contains(&&**name) {
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
