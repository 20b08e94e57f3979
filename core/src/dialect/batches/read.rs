//! What the readers of all Batch APIs need.

use crate::dialect::kit::read::{Read, Text};
use crate::dialect::kit::reported;
use crate::error::{Error, ErrorKind};
use crate::json::{JsonError, Reader};

/// The beginning of a page of a list: its batches are read by the dialect.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Head {
    /// `has_more`.
    pub(in crate::dialect) has_more: bool,
    /// `last_id` or `nextPageToken`.
    pub(in crate::dialect) last: Option<String>,
}

/// Calls `each` with the name and the JSON of each member of an object.
pub(in crate::dialect) fn member<'a>(
    json: &'a str,
    mut each: impl FnMut(&str, &'a str) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = Reader::new(json);
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        each(&name, reader.raw()?)?;
    }
    reader.end()?;
    Ok(())
}

/// A text; `None` if it is empty, null, an object or an array.
pub(in crate::dialect) fn text(raw: &str) -> Result<Option<String>, JsonError> {
    let mut reader = Reader::new(raw);
    if reader.null()? {
        return Ok(None);
    }
    let mut text = Text::default();
    text.read(&mut reader)?;
    Ok(text.take())
}

/// Calls `each` with the JSON of each item of the array `name`, and returns what the page says
/// about the next one.
pub(in crate::dialect) fn list(
    body: &str,
    name: &str,
    mut each: impl FnMut(&str) -> Result<(), Error>,
) -> Result<Head, Error> {
    let (mut head, mut has_list) = (Head::default(), false);
    member(body, |member, raw| {
        match member {
            member if member == name && raw.starts_with('[') => {
                has_list = true;
                let mut reader = Reader::new(raw);
                let mut items = reader.array()?;
                while reader.item(&mut items)? {
                    each(reader.raw()?)?;
                }
            }
            "has_more" => head.has_more = raw == "true",
            "last_id" | "nextPageToken" => head.last = text(raw)?,
            _ => {}
        }
        Ok(())
    })?;
    match has_list {
        true => Ok(head),
        // Google leaves an empty list out.
        false if body.trim_ascii() == "{}" => Ok(head),
        false => {
            let why = format!("the answer has no list of batches: there is no array `{name}`");
            Err(Error::new(ErrorKind::Protocol, why))
        }
    }
}

/// The id in the response to a request, or the error that there is none.
pub(in crate::dialect) fn expect_id(id: Option<String>, what: &str) -> Result<String, Error> {
    id.ok_or_else(|| {
        let why = format!("the answer has no id of a {what}");
        Error::new(ErrorKind::Protocol, why)
    })
}

/// The error of an error object inside a result.
pub(in crate::dialect) fn error_of(raw: &str) -> Error {
    reported(raw, raw)
}
