//! The step after a refusal: sends the same request without what chatcore itself had added to it.
//!
//! The encoded request is edited, because the question is not kept beside it: that would hold every
//! prompt twice.

use std::borrow::Cow;

use bytes::Bytes;
use http::Request;

use super::Shared;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::json::{Reader, Writer};
use crate::policy::plan::{LIMITS, Plan};
use crate::policy::refusal;

/// The members that hold the question itself and are no options.
const QUESTION: [&str; 6] = [
    "model",
    "messages",
    "system",
    "input",
    "contents",
    "systemInstruction",
];

/// What to do with one member of a request.
enum Edit {
    Keep,
    Drop,
    Set(u32),
    Rename(&'static str),
}

/// The request to send after `error`, if the provider refused a default; else `None`. `named` is
/// the model that the caller's request names, if any, and `dialect` encoded the request.
pub(super) fn adjust(
    shared: &Shared,
    dialect: &dyn Dialect,
    named: Option<&str>,
    plan: &mut Plan,
    request: &Request<Bytes>,
    error: &Error,
) -> Option<Request<Bytes>> {
    let rule = shared.endpoint.model_rule(named);
    let refusal = refusal::read(error, plan, rule, dialect.reasoning_off(rule))?;
    let mut next = *plan;
    let limit = next.give_up(refusal.lessons);
    let options = dialect.facts().options_member();
    let body = edit(request.body(), options, &|name| {
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

/// Removes a member from a request.
pub(super) fn drop_member(request: &mut Request<Bytes>, member: &str) {
    let edited = edit(request.body(), None, &|name| match name == member {
        true => Edit::Drop,
        false => Edit::Keep,
    });
    if let Some(body) = edited {
        *request.body_mut() = body;
    }
}

/// Adds to a refusal the caller's option that it names. `dialect` encoded the request.
pub(super) fn explain(error: Error, dialect: &dyn Dialect, request: &Request<Bytes>) -> Error {
    if !refusal::is_refusal(&error) {
        return error;
    }
    let is_option = |name: &str| !QUESTION.contains(&name);
    let outer = members(request.body()).unwrap_or_default();
    let options = dialect.facts().options_member();
    let options = outer.iter().find(|(name, _)| Some(&**name) == options);
    let inner = options.and_then(|(_, value)| members(value.as_bytes()));
    let mut names = (inner.into_iter().flatten())
        .chain(outer)
        .map(|(name, _)| name);
    let refused = names.find(|name| is_option(name) && refusal::names_option(&error, name));
    match refused {
        Some(option) => error.with_refused_option(option.into_owned()),
        None => error,
    }
}

/// Edits the members of a JSON object, and those of its member `options`. `None` if nothing changes
/// or `body` is no JSON object.
fn edit(body: &[u8], options: Option<&str>, change: &dyn Fn(&str) -> Edit) -> Option<Bytes> {
    let members = members(body)?;
    let held = options.and_then(|options| {
        let mut members = members.iter();
        let (_, value) = members.find(|(name, _)| name == options)?;
        edit(value.as_bytes(), None, change)
    });
    let stays = |name: &str| matches!(change(name), Edit::Keep);
    if held.is_none() && members.iter().all(|(name, _)| stays(name)) {
        return None;
    }
    let held = held.as_deref().map(std::str::from_utf8).transpose().ok()?;
    let mut writer = Writer::with_capacity(body.len());
    writer.open('{');
    for (name, value) in members {
        match change(&name) {
            Edit::Drop => {}
            Edit::Rename(other) => {
                writer.key(other);
                writer.raw(value);
            }
            Edit::Set(number) => {
                writer.key(&name);
                writer.count(number.into());
            }
            Edit::Keep => {
                let held = held.filter(|_| Some(&*name) == options);
                writer.key(&name);
                writer.raw(held.unwrap_or(value));
            }
        }
    }
    writer.close('}');
    Some(writer.into_bytes().into())
}

/// The members of a JSON object with their raw values; `None` if `body` is no JSON object.
fn members(body: &[u8]) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let mut reader = Reader::new(std::str::from_utf8(body).ok()?);
    let mut names = reader.object().ok()?;
    let mut members = Vec::new();
    while let Some(name) = reader.name(&mut names).ok()? {
        members.push((name, reader.raw().ok()?));
    }
    reader.end().ok()?;
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(body: &str, change: impl Fn(&str) -> Edit) -> Option<String> {
        let bytes = edit(body.as_bytes(), Some("options"), &change)?;
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
        for (body, expected) in [
            (
                r#"{"b":{"temperature":1},"options":{"temperature":1,"max_tokens":1,"k":[2]}}"#,
                r#"{"b":{"temperature":1},"options":{"max_tokens":9,"k":[2]}}"#,
            ),
            (
                r#"{"temperature":1,"options":{"temperature":1}}"#,
                r#"{"options":{}}"#,
            ),
            (
                r#"{"max_tokens":1,"options":[{"temperature":1}]}"#,
                r#"{"max_tokens":9,"options":[{"temperature":1}]}"#,
            ),
        ] {
            assert_eq!(edited(body, change).unwrap(), expected);
        }
        let rename = |name: &str| match name {
            "a" => Edit::Rename("b"),
            _ => Edit::Keep,
        };
        assert_eq!(edited(r#"{"a":1}"#, rename).unwrap(), r#"{"b":1}"#);
        for unchanged in [
            r#"{"c":1}"#,
            r#"{"options":{"c":1}}"#,
            r#"{"o":{"a":1}}"#,
            "{}",
            "[1]",
            "",
            "{\"a\":",
        ] {
            assert_eq!(edited(unchanged, rename), None, "{unchanged}");
        }
    }
}
