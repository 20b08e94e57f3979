//! The step after a refusal: the same request without what chatcore itself had put into it.
//!
//! The request is changed as it was written down, since what was asked is not kept beside it: that
//! would hold every prompt twice.

use bytes::Bytes;
use http::Request;

use super::Core;
use crate::error::Error;
use crate::json::{JsonError, Reader, Writer};
use crate::policy::plan::Plan;
use crate::policy::refusal::{self, LIMITS};

/// What becomes of one member of a request.
enum Edit {
    Keep,
    Drop,
    Set(u32),
    Rename(&'static str),
}

/// The request to send after `error`, where the provider refused nothing but defaults; `named` is
/// the model that the request names.
pub(super) fn adjust(
    core: &Core,
    named: Option<&str>,
    plan: &mut Plan,
    request: &Request<Bytes>,
    error: &Error,
) -> Option<Request<Bytes>> {
    let rule = core.endpoint.model_rule(named);
    let refusal = refusal::read(error, plan, rule)?;
    let mut next = *plan;
    let limit = next.give_up(refusal.lessons);
    let body = edit(request.body(), |name| {
        if refusal.members.iter().any(|member| member == name) {
            return Edit::Drop;
        }
        match limit {
            _ if refusal.lessons.renames_limit && name == LIMITS[0] => Edit::Rename(LIMITS[1]),
            Some(limit) if LIMITS.contains(&name) => Edit::Set(limit),
            _ => Edit::Keep,
        }
    })?;
    *plan = next;
    let mut request = request.clone();
    *request.body_mut() = body;
    Some(request)
}

/// Takes a member out of a request.
pub(super) fn drop_member(request: &mut Request<Bytes>, member: &str) {
    let edited = edit(request.body(), |name| match name == member {
        true => Edit::Drop,
        false => Edit::Keep,
    });
    if let Some(body) = edited {
        *request.body_mut() = body;
    }
}

/// Adds to a refusal which option of the caller's it is about.
pub(super) fn explain(error: Error, request: &Request<Bytes>) -> Error {
    if !refusal::is_refusal(&error) {
        return error;
    }
    let mut refused = None;
    let looked = edit(request.body(), |name| {
        // These are what is asked, and no options.
        let is_option = !["model", "messages", "system"].contains(&name);
        if refused.is_none() && is_option && refusal::names(&error, name) {
            refused = Some(name.to_owned());
        }
        Edit::Keep
    });
    debug_assert!(looked.is_none());
    match refused {
        Some(option) => error.with_refused_option(option),
        None => error,
    }
}

/// Edits the members of a JSON object; `None` if they all stay as they are.
fn edit(body: &[u8], edit: impl FnMut(&str) -> Edit) -> Option<Bytes> {
    let body = std::str::from_utf8(body).ok()?;
    try_edit(body, edit).ok().flatten()
}

fn try_edit(body: &str, mut edit: impl FnMut(&str) -> Edit) -> Result<Option<Bytes>, JsonError> {
    let mut reader = Reader::new(body);
    let mut writer = Writer::with_capacity(body.len());
    let mut is_changed = false;
    writer.open('{');
    let mut names = reader.object()?;
    while let Some(name) = reader.name(&mut names)? {
        let value = reader.raw()?;
        let edited = edit(&name);
        is_changed |= !matches!(edited, Edit::Keep);
        match edited {
            Edit::Drop => continue,
            Edit::Rename(name) => writer.key(name),
            Edit::Keep | Edit::Set(_) => writer.key(&name),
        }
        match edited {
            Edit::Set(number) => writer.count(number.into()),
            _ => writer.raw(value),
        }
    }
    reader.end()?;
    writer.close('}');
    Ok(is_changed.then(|| writer.into_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(body: &str, change: impl Fn(&str) -> Edit) -> Option<String> {
        let bytes = edit(body.as_bytes(), change)?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn members_are_dropped_set_and_renamed() {
        let body =
            r#"{"model":"m","messages":[{"temperature":1}],"temperature":0.0,"max_tokens":256}"#;
        let change = |name: &str| match name {
            "temperature" => Edit::Drop,
            "max_tokens" => Edit::Set(9),
            _ => Edit::Keep,
        };
        let expected = r#"{"model":"m","messages":[{"temperature":1}],"max_tokens":9}"#;
        assert_eq!(edited(body, change).unwrap(), expected);
        let rename = |name: &str| match name {
            "a" => Edit::Rename("b"),
            _ => Edit::Keep,
        };
        assert_eq!(edited(r#"{"a":1}"#, rename).unwrap(), r#"{"b":1}"#);
        for unchanged in [r#"{"c":1}"#, "{}", "[1]", "", "{\"a\":"] {
            assert_eq!(edited(unchanged, rename), None, "{unchanged}");
        }
    }
}
