//! Headers that repeat parts of a message, so that proxies need not read it: since 2026-07-28, over
//! HTTP.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::version::Version;

static METHOD: HeaderName = HeaderName::from_static("mcp-method");
static NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The annotation of an argument in a tool's schema.
pub(super) const ANNOTATION: &str = "x-mcp-header";

/// The headers of every request.
pub(super) fn standard_headers(
    version: Version,
    method: &str,
    name: Option<&str>,
) -> Vec<(HeaderName, HeaderValue)> {
    if !version.is_stateless {
        return Vec::new();
    }
    let mut headers = vec![(METHOD.clone(), encoded(method))];
    headers.extend(name.map(|name| (NAME.clone(), encoded(name))));
    headers
}

/// An argument of a tool that a header repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParamHeader {
    /// The names of the properties that lead to the argument.
    path: Vec<String>,
    header: HeaderName,
}

impl ParamHeader {
    /// The header for these arguments, if they have a value there.
    pub(super) fn of(&self, arguments: &Map<String, Value>) -> Option<(HeaderName, HeaderValue)> {
        let (first, rest) = self.path.split_first()?;
        let mut value = arguments.get(first)?;
        for name in rest {
            value = value.get(name)?;
        }
        let text = match value {
            Value::String(text) => encoded(text),
            Value::Number(number) => encoded(&number.to_string()),
            Value::Bool(flag) => encoded(&flag.to_string()),
            _ => return None,
        };
        Some((self.header.clone(), text))
    }
}

/// Finds the annotations in a tool's schema.
///
/// # Errors
/// Why the annotations are not valid. The tool must not be used then.
pub(super) fn param_headers(schema: &Value) -> Result<Vec<ParamHeader>, String> {
    let mut found = Vec::new();
    walk(schema, Some(&mut Vec::new()), &mut found)?;
    Ok(found)
}

/// `path` is `None` where an annotation is not allowed.
fn walk(
    schema: &Value,
    mut path: Option<&mut Vec<String>>,
    found: &mut Vec<ParamHeader>,
) -> Result<(), String> {
    let fields = match schema {
        Value::Object(fields) => fields,
        Value::Array(schemas) => {
            return schemas.iter().try_for_each(|it| walk(it, None, found));
        }
        _ => return Ok(()),
    };
    if let Some(annotation) = fields.get(ANNOTATION) {
        let path = path.as_deref().filter(|path| !path.is_empty());
        let path = path.ok_or("x-mcp-header is allowed only on properties that need no choice")?;
        found.push(param_header(annotation, fields, path, found)?);
    }
    for (keyword, value) in fields {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    match path.as_deref_mut() {
                        Some(path) => {
                            path.push(name.clone());
                            walk(schema, Some(path), found)?;
                            path.pop();
                        }
                        None => walk(schema, None, found)?,
                    }
                }
            }
            // Their fields are names.
            (
                "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(schemas),
            ) => {
                schemas.values().try_for_each(|it| walk(it, None, found))?;
            }
            // They are values, not schemas.
            ("default" | "const" | "enum" | "examples" | ANNOTATION, _) => {}
            (_, value) => walk(value, None, found)?,
        }
    }
    Ok(())
}

fn param_header(
    annotation: &Value,
    schema: &Map<String, Value>,
    path: &[String],
    found: &[ParamHeader],
) -> Result<ParamHeader, String> {
    let name = annotation.as_str().unwrap_or("");
    let header = HeaderName::try_from(format!("mcp-param-{name}"));
    let header = header.ok().filter(|_| !name.is_empty());
    let header = header.ok_or("x-mcp-header is not the name of a header")?;
    if found.iter().any(|other| other.header == header) {
        return Err(format!("two arguments have the x-mcp-header {name}"));
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string" | "integer" | "boolean") => Ok(ParamHeader {
            path: path.to_vec(),
            header,
        }),
        _ => Err("x-mcp-header is allowed only on strings, integers and booleans".to_owned()),
    }
}

/// A header's value for a text: as it is where that is safe, otherwise in base64.
fn encoded(text: &str) -> HeaderValue {
    let is_safe = text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && text.trim() == text
        && !(text.starts_with("=?base64?") && text.ends_with("?="));
    let plain = HeaderValue::from_str(text).ok().filter(|_| is_safe);
    plain.unwrap_or_else(|| {
        let coded = format!("=?base64?{}?=", BASE64_STANDARD.encode(text));
        // Base64 has only characters that a header may have.
        HeaderValue::try_from(coded).unwrap_or_else(|_| HeaderValue::from_static(""))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_encoded_as_the_specification_shows() {
        for (text, header) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ] {
            assert_eq!(encoded(text), header);
        }
    }

    #[test]
    fn arguments_are_found_by_their_path() {
        let schema = json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "x-mcp-header": {"type": "string", "default": {"x-mcp-header": 1}},
            "deep": {"properties": {"count": {"type": "integer", "x-mcp-header": "Count"}}},
        }});
        let headers = param_headers(&schema).unwrap();
        let arguments = json!({"region": "eu", "deep": {"count": -7}});
        let of = |arguments: &Value| -> Vec<_> {
            let arguments = arguments.as_object().unwrap();
            let headers = headers.iter().filter_map(|header| header.of(arguments));
            headers
                .map(|(name, value)| format!("{name}: {value:?}"))
                .collect()
        };
        assert_eq!(
            of(&arguments),
            ["mcp-param-region: \"eu\"", "mcp-param-count: \"-7\""]
        );
        assert_eq!(
            of(&json!({"region": null, "deep": 1})),
            Vec::<String>::new()
        );
    }

    #[test]
    fn annotations_that_are_not_valid_are_refused() {
        let text = |name: Value| json!({"type": "string", "x-mcp-header": name});
        for schema in [
            json!({"properties": {"a": text(json!(""))}}),
            json!({"properties": {"a": text(json!(1))}}),
            json!({"properties": {"a": text(json!("a b"))}}),
            json!({"properties": {"a": text(json!("x")), "b": text(json!("X"))}}),
            json!({"properties": {"a": {"type": "number", "x-mcp-header": "x"}}}),
            json!({"properties": {"a": {"items": text(json!("x"))}}}),
            json!({"anyOf": [{"properties": {"a": text(json!("x"))}}]}),
            json!({"$defs": {"a": text(json!("x"))}}),
            text(json!("x")),
        ] {
            param_headers(&schema).unwrap_err();
        }
    }
}
