//! OpenAI's embeddings: `POST {base}/embeddings`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Request;

use crate::chat::Usage;
use crate::dialect::kit::read::{Count, Read};
use crate::dialect::kit::write::ObjectWriter;
use crate::dialect::{EmbedDialect, EmbedLimits, Endpoint};
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::{Error, ErrorKind};
use crate::json::{JsonError, Reader, Writer};

/// OpenAI's embeddings.
#[derive(Debug)]
pub(in crate::dialect) struct OpenAiEmbeddings;

impl EmbedDialect for OpenAiEmbeddings {
    /// The limits of
    /// <https://developers.openai.com/api/reference/resources/embeddings/methods/create>,
    /// 2026-11-28.
    fn limits(&self) -> EmbedLimits {
        EmbedLimits::new(2048).with_tokens(300_000)
    }

    fn encode(&self, endpoint: &Endpoint, request: &EmbedRequest) -> Result<Request<Bytes>, Error> {
        let texts = request.inputs.iter().map(|text| text.len() + 8);
        let mut writer = Writer::with_capacity(texts.sum::<usize>() + 128);
        let mut map = ObjectWriter::replaced_by(&mut writer, &request.extra);
        map.string(
            "model",
            request.model.as_deref().unwrap_or(endpoint.model()),
        );
        if let Some(writer) = map.field("input") {
            writer.strings(&request.inputs);
        }
        if let Some(dimensions) = request.dimensions
            && let Some(writer) = map.field("dimensions")
        {
            writer.count(dimensions.into());
        }
        map.end();
        endpoint.post("/embeddings", writer.into_bytes())
    }

    fn decode(&self, body: &str, inputs: usize) -> Result<Embeddings, Error> {
        let mut answer = Embeddings::default();
        let mut reader = Reader::new(body);
        let mut has_list = false;
        let mut members = reader.object()?;
        while let Some(name) = reader.name(&mut members)? {
            match &*name {
                "data" if reader.peek()? == b'[' => {
                    has_list = true;
                    answer.vectors = vec![Vec::new(); inputs];
                    list(&mut reader, &mut answer.vectors)?;
                }
                "model" if reader.peek()? == b'"' => answer.model = reader.string()?.into_owned(),
                "usage" if reader.peek()? == b'{' => answer.usage = Some(usage(&mut reader)?),
                _ => drop(reader.raw()?),
            }
        }
        reader.end()?;
        match has_list {
            true => Ok(answer),
            false => Err(wrong(
                "the answer has no embeddings: there is no array `data`",
            )),
        }
    }
}

/// Puts each vector of `data` at its index.
fn list(reader: &mut Reader<'_>, vectors: &mut [Vec<f32>]) -> Result<(), Error> {
    let mut items = reader.array()?;
    let mut dimensions = 0;
    let mut place = 0;
    while reader.item(&mut items)? {
        // Without an index, the vectors are in the order of the texts.
        let mut index = Some(place);
        place += 1;
        let mut vector = Vec::with_capacity(dimensions);
        let mut members = reader.object()?;
        while let Some(name) = reader.name(&mut members)? {
            match &*name {
                "index" => {
                    let mut count = Count::default();
                    count.read(reader)?;
                    index = count.0.and_then(|index| usize::try_from(index).ok());
                }
                "embedding" => read(reader, &mut vector)?,
                _ => drop(reader.raw()?),
            }
        }
        dimensions = vector.len();
        let inputs = vectors.len();
        let slot = index.and_then(|index| vectors.get_mut(index));
        match slot {
            Some(slot) if slot.is_empty() => *slot = vector,
            Some(_) => {
                let index = index.unwrap_or_default();
                return Err(wrong(format!(
                    "the answer has two vectors with the index {index}"
                )));
            }
            None => {
                let index = match index {
                    Some(index) => format!("with the index {index}"),
                    None => "without a valid index".to_owned(),
                };
                return Err(wrong(format!(
                    "the answer has a vector {index}, but the request had {inputs} texts"
                )));
            }
        }
    }
    Ok(())
}

/// Reads a list of numbers, or base64 of 32-bit floats (little-endian).
fn read(reader: &mut Reader<'_>, vector: &mut Vec<f32>) -> Result<(), Error> {
    if reader.peek()? != b'"' {
        return Ok(reader.floats(vector)?);
    }
    let text = reader.string()?;
    let bytes = BASE64_STANDARD.decode(text.as_bytes()).unwrap_or_default();
    let (floats, rest) = bytes.as_chunks();
    if floats.is_empty() || !rest.is_empty() {
        return Err(wrong(
            "an embedding of the answer is a string that is not base64 of 32-bit floats",
        ));
    }
    vector.extend(floats.iter().copied().map(f32::from_le_bytes));
    Ok(())
}

fn usage(reader: &mut Reader<'_>) -> Result<Usage, JsonError> {
    let raw = reader.raw()?;
    let mut inner = Reader::new(raw);
    let (mut prompt, mut total) = (Count::default(), Count::default());
    let mut members = inner.object()?;
    while let Some(name) = inner.name(&mut members)? {
        match &*name {
            "prompt_tokens" => prompt.read(&mut inner)?,
            "total_tokens" => total.read(&mut inner)?,
            _ => drop(inner.raw()?),
        }
    }
    Ok(Usage {
        input_tokens: prompt.0.or(total.0).unwrap_or_default(),
        raw_json: raw.to_owned(),
        ..Usage::default()
    })
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Protocol, why)
}
