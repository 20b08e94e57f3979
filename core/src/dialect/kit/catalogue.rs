//! Lists of models as OpenAI and Anthropic write them.

use crate::catalogue::ModelInfo;
use crate::dialect::ModelPage;
use crate::dialect::kit::read::{Count, Read, Text};
use crate::error::{Error, ErrorKind};
use crate::json::{self, JsonError, Reader};

/// How much more memory than its text the values of a list may take.
const TIMES: usize = 15;

/// Where the number of tokens stands that fit into a model. The first one is OpenRouter's and
/// Together's, the second Groq's, the third vLLM's, the fourth Mistral's, the last Anthropic's.
const CONTEXT: [&str; 5] = [
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
];

/// Reads `{"data": [{"id": …}, …], "has_more": …, "last_id": …}`, or the list alone, as Together
/// writes it.
pub(crate) fn page(body: &str) -> Result<ModelPage, Error> {
    let mut reader = Reader::new(body);
    let mut room = body.len().saturating_mul(TIMES);
    let mut page = ModelPage::default();
    if reader.peek()? == b'[' {
        list(&mut reader, &mut page, &mut room)?;
        reader.end()?;
        return Ok(page);
    }
    let (mut has_list, mut has_more, mut last) = (false, false, None);
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        match &*name {
            "data" if reader.peek()? == b'[' => {
                has_list = true;
                list(&mut reader, &mut page, &mut room)?;
            }
            "has_more" => has_more = reader.raw()? == "true",
            "last_id" => last = text(&mut reader)?,
            _ => drop(reader.raw()?),
        }
    }
    reader.end()?;
    if !has_list {
        let why = "the answer has no list of models: there is no array `data`";
        return Err(Error::new(ErrorKind::Protocol, why));
    }
    page.next = last.filter(|_| has_more);
    Ok(page)
}

fn list(reader: &mut Reader<'_>, page: &mut ModelPage, room: &mut usize) -> Result<(), JsonError> {
    let mut items = reader.array()?;
    while reader.item(&mut items)? {
        if reader.peek()? != b'{' {
            reader.raw()?;
            continue;
        }
        let model = model(reader, room)?;
        // Without a name it cannot be asked.
        if !model.id.is_empty() {
            page.models.push(model);
        }
    }
    Ok(())
}

fn model(reader: &mut Reader<'_>, room: &mut usize) -> Result<ModelInfo, JsonError> {
    let mut model = ModelInfo::default();
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        match &*name {
            "id" => model.id = text(reader)?.unwrap_or_default(),
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
