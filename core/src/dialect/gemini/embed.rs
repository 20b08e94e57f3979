//! The Gemini API's embeddings: `POST {base}/models/{model}:batchEmbedContents`.

use bytes::Bytes;
use http::Request;

use super::{model_path, split_model};
use crate::dialect::kit::write::ObjectWriter;
use crate::dialect::{EmbedDialect, EmbedLimits, Endpoint};
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::{Error, ErrorKind};
use crate::json::{Reader, Writer};

/// The Gemini API's embeddings.
#[derive(Debug)]
pub(super) struct GeminiEmbeddings;

impl EmbedDialect for GeminiEmbeddings {
    /// One batch holds at most 100 requests, according to the API's error message.
    fn limits(&self) -> EmbedLimits {
        EmbedLimits::new(100)
    }

    fn encode(&self, endpoint: &Endpoint, request: &EmbedRequest) -> Result<Request<Bytes>, Error> {
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        let path = model_path(endpoint, model, ":batchEmbedContents")?;
        let (collection, name) = split_model(model);
        let full_name = [collection, "/", name].concat();
        let texts = request.inputs.iter().map(|text| text.len() + 96);
        let mut writer = Writer::with_capacity(texts.sum::<usize>() + 64);
        writer.open('{');
        writer.key("requests");
        writer.open('[');
        for text in &request.inputs {
            let mut map = ObjectWriter::replaced_by(&mut writer, &request.extra);
            map.string("model", &full_name);
            if let Some(writer) = map.field("content") {
                writer.open('{');
                writer.key("parts");
                writer.open('[');
                writer.open('{');
                writer.member("text", text);
                writer.close('}');
                writer.close(']');
                writer.close('}');
            }
            if let Some(dimensions) = request.dimensions
                && let Some(writer) = map.field("outputDimensionality")
            {
                writer.count(dimensions.into());
            }
            map.end();
        }
        writer.close(']');
        writer.close('}');
        endpoint.post(&path, writer.into_bytes())
    }

    fn decode(&self, body: &str, inputs: usize) -> Result<Embeddings, Error> {
        let mut answer = Embeddings::default();
        let mut has_vectors = false;
        let mut reader = Reader::new(body);
        let mut members = reader.object()?;
        while let Some(name) = reader.name(&mut members)? {
            match &*name {
                "embeddings" if reader.peek()? == b'[' => {
                    has_vectors = true;
                    answer.vectors = vectors(&mut reader, inputs)?;
                }
                "usageMetadata" if reader.peek()? == b'{' => {
                    answer.usage = Some(super::usage::usage(reader.raw()?));
                }
                _ => drop(reader.raw()?),
            }
        }
        reader.end()?;
        match has_vectors {
            true => Ok(answer),
            false => Err(Error::new(
                ErrorKind::Protocol,
                "the answer has no embeddings: there is no array `embeddings`",
            )),
        }
    }
}

/// Reads the vectors. They are in the order of the texts.
fn vectors(reader: &mut Reader<'_>, inputs: usize) -> Result<Vec<Vec<f32>>, Error> {
    let mut vectors: Vec<Vec<f32>> = Vec::new();
    let mut items = reader.array()?;
    while reader.item(&mut items)? {
        let mut vector = Vec::with_capacity(vectors.last().map_or(0, Vec::len));
        let mut members = reader.object()?;
        while let Some(name) = reader.name(&mut members)? {
            match &*name {
                "values" => reader.floats(&mut vector)?,
                _ => drop(reader.raw()?),
            }
        }
        if vectors.len() == inputs {
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("the answer has more vectors than the {inputs} texts of the request"),
            ));
        }
        vectors.push(vector);
    }
    Ok(vectors)
}
