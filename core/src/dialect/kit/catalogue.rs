//! Lists of models, which differ in little between providers.

use crate::catalogue::ModelInfo;
use crate::dialect::ModelPage;
use crate::dialect::kit::read::{Count, Read, Text};
use crate::error::{Error, ErrorKind};
use crate::json::{self, JsonError, Reader};

/// How much more memory than its text the values of a list may take.
const TIMES: usize = 15;

/// Where the number of tokens stands that fit into a model. The first one is OpenRouter's and
/// Together's, the second Groq's, the third vLLM's, the fourth Mistral's, the fifth Anthropic's, the
/// last Google's.
const CONTEXT: [&str; 6] = [
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
    "inputTokenLimit",
];

/// Reads a list of models: an object whose field `list` holds objects, whose field `id` is what to
/// ask a model by; or such an array alone, as Together writes it. `has_more` and `last_id` beside it,
/// or `nextPageToken`, make the [`next`](ModelPage::next) page. Of a model, `owned_by`, `shutdown_date` and the fields
/// for its context are known; the others are kept as [`extra`](ModelInfo::extra), as far as they do
/// not take far more memory than their text.
///
/// # Errors
/// [`Protocol`](ErrorKind::Protocol) where there is no such list.
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
        // Without a name it cannot be asked.
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

/// A text, unless it is empty or null.
fn text(reader: &mut Reader<'_>) -> Result<Option<String>, JsonError> {
    if reader.null()? {
        return Ok(None);
    }
    let mut text = Text::default();
    text.read(reader)?;
    Ok(text.take())
}
