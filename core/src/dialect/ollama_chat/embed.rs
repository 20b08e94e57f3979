//! Ollama's embeddings: `POST {base}/api/embed`.

use bytes::Bytes;
use chatcore::dialect::kit::{Count, ObjectWriter, Read};
use chatcore::dialect::kit::{Reader, Writer};
use chatcore::dialect::{EmbedDialect, EmbedLimits, Endpoint};
use chatcore::{EmbedRequest, Embeddings, Error, ErrorKind, Usage};
use http::Request;

/// Ollama's embeddings.
#[derive(Debug)]
pub(super) struct OllamaEmbeddings;

impl EmbedDialect for OllamaEmbeddings {
    /// Ollama has no limit of its own. It answers when all vectors are done, so that this limit
    /// keeps a request within its timeout.
    fn limits(&self) -> EmbedLimits {
        EmbedLimits::new(512)
    }

    fn encode(&self, endpoint: &Endpoint, request: &EmbedRequest) -> Result<Request<Bytes>, Error> {
        let mut writer = Writer::default();
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
        endpoint.post("/api/embed", writer.into_bytes())
    }

    fn decode(&self, body: &str, _: usize) -> Result<Embeddings, Error> {
        let mut answer = Embeddings::default();
        let mut has_vectors = false;
        let mut reader = Reader::new(body);
        let mut members = reader.object()?;
        while let Some(name) = reader.name(&mut members)? {
            match &*name {
                "embeddings" if reader.peek()? == b'[' => {
                    has_vectors = true;
                    answer.vectors = vectors(&mut reader)?;
                }
                "model" if reader.peek()? == b'"' => answer.model = reader.string()?.into_owned(),
                "prompt_eval_count" => answer.usage = usage(&mut reader)?,
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

fn vectors(reader: &mut Reader<'_>) -> Result<Vec<Vec<f32>>, Error> {
    let mut vectors: Vec<Vec<f32>> = Vec::new();
    let mut items = reader.array()?;
    while reader.item(&mut items)? {
        let mut vector = Vec::with_capacity(vectors.last().map_or(0, Vec::len));
        reader.floats(&mut vector)?;
        vectors.push(vector);
    }
    Ok(vectors)
}

fn usage(reader: &mut Reader<'_>) -> Result<Option<Usage>, Error> {
    let mut count = Count::default();
    count.read(reader)?;
    Ok(count.0.map(|tokens| {
        let raw = format!(r#"{{"prompt_eval_count":{tokens}}}"#);
        Usage::new(tokens, 0).raw_json(raw)
    }))
}
