//! Reads lists of models. Providers' lists differ little, so one reader serves all dialects.

use crate::catalogue::ModelInfo;
use crate::dialect::ModelPage;
use crate::dialect::kit::read::{Count, Read, Text};
use crate::error::{Error, ErrorKind};
use crate::json::{self, JsonError, Reader};

/// The memory that the values of a list may take, as a multiple of the response's size.
const TIMES: usize = 15;

/// The fields that hold a model's context size in tokens: OpenRouter's and Together's, Groq's,
/// vLLM's, Mistral's, Anthropic's and Google's, in this order.
const CONTEXT: [&str; 6] = [
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
    "inputTokenLimit",
];

/// Reads one page of a list of models. The response is an object. Its field `list` holds an array
/// of objects, and each object's field `id` is the model's id. Together sends the array alone. If
/// `has_more` is true, `last_id` is the [`next`](ModelPage::next) page; otherwise `nextPageToken`
/// is.
///
/// `owned_by`, `shutdown_date` and the fields for the context size become fields of [`ModelInfo`].
/// All other fields are kept as [`extra`](ModelInfo::extra), except values that would take far more
/// memory than their text.
///
/// # Errors
/// [`Protocol`](ErrorKind::Protocol) if the response has no such list.
pub fn model_page(body: &str, list: &str, id: &str) -> Result<ModelPage, Error> {
    let mut reader = Reader::new(body);
    let mut room = body.len().saturating_mul(TIMES);
    let mut page = ModelPage::default();
    if reader.peek()? == b'[' {
        page.models = read_list(&mut reader, id, &mut room)?;
        reader.end()?;
        return Ok(page);
    }
    let (mut has_list, mut has_more, mut last, mut token) = (false, false, None, None);
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        match &*name {
            name if name == list && reader.peek()? == b'[' => {
                has_list = true;
                page.models = read_list(&mut reader, id, &mut room)?;
            }
            "has_more" => has_more = reader.raw()? == "true",
            "last_id" => last = text(&mut reader)?,
            "nextPageToken" => token = text(&mut reader)?,
            _ => drop(reader.raw()?),
        }
    }
    reader.end()?;
    if !has_list {
        let why = format!("the answer has no list of models: there is no array `{list}`");
        return Err(Error::new(ErrorKind::Protocol, why));
    }
    page.next = last.filter(|_| has_more).or(token);
    Ok(page)
}

fn read_list(
    reader: &mut Reader<'_>,
    id: &str,
    room: &mut usize,
) -> Result<Vec<ModelInfo>, JsonError> {
    let mut models = Vec::new();
    let mut items = reader.array()?;
    while reader.item(&mut items)? {
        if reader.peek()? != b'{' {
            reader.raw()?;
            continue;
        }
        let model = read_model(reader, id, room)?;
        // Without an id the model cannot be requested.
        if !model.id.is_empty() {
            models.push(model);
        }
    }
    Ok(models)
}

fn read_model(reader: &mut Reader<'_>, id: &str, room: &mut usize) -> Result<ModelInfo, JsonError> {
    let mut model = ModelInfo::default();
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        match &*name {
            name if name == id => model.id = text(reader)?.unwrap_or_default(),
            "owned_by" => model.owner = text(reader)?,
            "shutdown_date" => model.shutdown_date = text(reader)?,
            name if CONTEXT.contains(&name) => {
                let mut count = Count::default();
                if !reader.null()? {
                    count.read(reader)?;
                }
                model.context_tokens = model.context_tokens.or(count.0);
            }
            _ => {
                let raw = reader.raw()?;
                if let Ok(Some(value)) = json::parse_within(raw, room)
                    && !value.is_null()
                {
                    model.extra.insert(name.into_owned(), value);
                }
            }
        }
    }
    Ok(model)
}

/// A text; `None` if it is empty or null.
fn text(reader: &mut Reader<'_>) -> Result<Option<String>, JsonError> {
    if reader.null()? {
        return Ok(None);
    }
    let mut text = Text::default();
    text.read(reader)?;
    Ok(text.take())
}
