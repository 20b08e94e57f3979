//! Vertex AI's embeddings: `POST {base}/models/{model}:predict`, or `:embedContent` for the newer
//! models.

use bytes::Bytes;
use http::Request;

use super::usage::usage;
use super::{model_path, split_model};
use crate::chat::Usage;
use crate::dialect::kit::read::{Count, Read};
use crate::dialect::kit::write::ObjectWriter;
use crate::dialect::{EmbedDialect, EmbedLimits, Endpoint};
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::{Error, ErrorKind};
use crate::json::{Reader, Writer};

/// Vertex AI's embeddings.
#[derive(Debug)]
pub(super) struct VertexEmbeddings;

impl EmbedDialect for VertexEmbeddings {
    /// Gemini models accept one text for each request
    /// (<https://github.com/googleapis/python-genai/blob/main/google/genai/models.py>, 2026-11-29).
    fn limits(&self) -> EmbedLimits {
        EmbedLimits::new(1)
    }

    fn encode(&self, endpoint: &Endpoint, request: &EmbedRequest) -> Result<Request<Bytes>, Error> {
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        let mut writer = Writer::default();
        let method = match has_own_method(model) {
            true => {
                write_content(&mut writer, request);
                ":embedContent"
            }
            false => {
                write_instances(&mut writer, request);
                ":predict"
            }
        };
        let path = model_path(endpoint, model, method)?;
        endpoint.post(&path, writer.into_bytes())
    }

    fn decode(&self, body: &str, _: usize) -> Result<Embeddings, Error> {
        let mut answer = Embeddings::default();
        let mut has_vectors = false;
        let mut reader = Reader::new(body);
        let mut members = reader.object()?;
        while let Some(name) = reader.name(&mut members)? {
            match &*name {
                "predictions" if reader.peek()? == b'[' => {
                    has_vectors = true;
                    let mut items = reader.array()?;
                    while reader.item(&mut items)? {
                        read_prediction(&mut reader, &mut answer)?;
                    }
                }
                "embedding" if reader.peek()? == b'{' => {
                    has_vectors = true;
                    read_embedding(&mut reader, &mut answer)?;
                }
                "usageMetadata" if reader.peek()? == b'{' => {
                    answer.usage = Some(usage(reader.raw()?));
                }
                _ => drop(reader.raw()?),
            }
        }
        reader.end()?;
        match has_vectors {
            true => Ok(answer),
            false => Err(Error::new(
                ErrorKind::Protocol,
                "the answer has no embeddings: there is neither `predictions` nor `embedding`",
            )),
        }
    }
}

/// Whether a model is called with `:embedContent`, by the rule of Google's own client.
fn has_own_method(model: &str) -> bool {
    let (_, name) = split_model(model);
    (name.contains("gemini") && name != "gemini-embedding-001") || name.contains("maas")
}

fn write_content(writer: &mut Writer, request: &EmbedRequest) {
    writer.open('{');
    writer.key("content");
    writer.open('{');
    writer.key("parts");
    writer.open('[');
    for text in &request.inputs {
        writer.open('{');
        writer.member("text", text);
        writer.close('}');
    }
    writer.close(']');
    writer.close('}');
    if request.dimensions.is_some() || !request.extra.is_empty() {
        writer.key("embedContentConfig");
        let mut map = ObjectWriter::replaced_by(writer, &request.extra);
        write_dimensions(&mut map, request);
        map.end();
    }
    writer.close('}');
}

fn write_instances(writer: &mut Writer, request: &EmbedRequest) {
    writer.open('{');
    writer.key("instances");
    writer.open('[');
    for text in &request.inputs {
        let mut map = ObjectWriter::replaced_by(writer, &request.extra);
        map.string("content", text);
        map.end();
    }
    writer.close(']');
    if request.dimensions.is_some() {
        writer.key("parameters");
        let mut map = ObjectWriter::new(writer);
        write_dimensions(&mut map, request);
        map.end();
    }
    writer.close('}');
}

fn write_dimensions(map: &mut ObjectWriter<'_, '_>, request: &EmbedRequest) {
    if let Some(dimensions) = request.dimensions
        && let Some(writer) = map.field("outputDimensionality")
    {
        writer.count(dimensions.into());
    }
}

fn read_prediction(reader: &mut Reader<'_>, answer: &mut Embeddings) -> Result<(), Error> {
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        match &*name {
            "embeddings" if reader.peek()? == b'{' => read_embedding(reader, answer)?,
            _ => drop(reader.raw()?),
        }
    }
    Ok(())
}

/// Reads a vector, and the number of tokens in its text.
fn read_embedding(reader: &mut Reader<'_>, answer: &mut Embeddings) -> Result<(), Error> {
    let mut vector = Vec::new();
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        match &*name {
            "values" => reader.floats(&mut vector)?,
            "statistics" if reader.peek()? == b'{' => read_statistics(reader, answer)?,
            _ => drop(reader.raw()?),
        }
    }
    answer.vectors.push(vector);
    Ok(())
}

fn read_statistics(reader: &mut Reader<'_>, answer: &mut Embeddings) -> Result<(), Error> {
    let raw = reader.raw()?;
    let mut inner = Reader::new(raw);
    let mut tokens = Count::default();
    let mut members = inner.object()?;
    while let Some(name) = inner.name(&mut members)? {
        match &*name {
            "token_count" => tokens.read(&mut inner)?,
            _ => drop(inner.raw()?),
        }
    }
    if let Some(tokens) = tokens.0 {
        let before = answer.usage.as_ref().map_or(0, |usage| usage.input_tokens);
        let all = Usage::new(before.saturating_add(tokens), 0);
        answer.usage = Some(all.raw_json(raw));
    }
    Ok(())
}
