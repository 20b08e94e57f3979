//! Converts JSON schemas to what Anthropic accepts in strict mode.
//!
//! Anthropic refuses bounds of numbers, strings and arrays, unknown formats, `oneOf`, and objects
//! that may have more properties than they name. A keyword that is removed from a schema is added
//! to its description, so that the model can still follow it. Anthropic's own SDK does the same
//! (`_transform.py`, November 2026).

use serde_json::{Map, Value};

/// Keywords that Anthropic refuses.
const REFUSED: [&str; 10] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "patternProperties",
];

/// String formats that Anthropic accepts.
const FORMATS: [&str; 10] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];

/// The depth to which schemas are converted. Deeper schemas are sent unchanged.
const MAX_DEPTH: usize = 100;

/// Converts a schema.
pub(super) fn taken(schema: &Value) -> Value {
    at_depth(schema, MAX_DEPTH)
}

fn at_depth(schema: &Value, depth: usize) -> Value {
    let (Value::Object(fields), Some(depth)) = (schema, depth.checked_sub(1)) else {
        return schema.clone();
    };
    let mut taken = Map::new();
    let mut notes: Vec<String> = Vec::new();
    for (name, value) in fields {
        let kept = match name.as_str() {
            "oneOf" if !fields.contains_key("anyOf") => {
                taken.insert("anyOf".to_owned(), each(value, depth));
                continue;
            }
            "anyOf" | "allOf" => Some(each(value, depth)),
            "items" => Some(at_depth(value, depth)),
            "properties" | "$defs" | "definitions" => Some(named(value, depth)),
            "additionalProperties" => (*value == false).then(|| value.clone()),
            "minItems" => (*value == 0 || *value == 1).then(|| value.clone()),
            "format" => {
                let is_known = value.as_str().is_some_and(|word| FORMATS.contains(&word));
                is_known.then(|| value.clone())
            }
            name if REFUSED.contains(&name) || name == "oneOf" => None,
            _ => Some(value.clone()),
        };
        match kept {
            Some(value) => {
                taken.insert(name.clone(), value);
            }
            None => notes.push(format!("{name}: {value}")),
        }
    }
    if fields.contains_key("properties") || fields.get("type").is_some_and(|kind| kind == "object")
    {
        taken.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if !notes.is_empty() {
        let note = format!("{{{}}}", notes.join(", "));
        let description = match taken.get("description").and_then(Value::as_str) {
            Some(description) => [description, "\n\n", &note].concat(),
            None => note,
        };
        taken.insert("description".to_owned(), description.into());
    }
    Value::Object(taken)
}

/// Converts a list of schemas.
fn each(value: &Value, depth: usize) -> Value {
    match value {
        Value::Array(list) => list.iter().map(|schema| at_depth(schema, depth)).collect(),
        other => other.clone(),
    }
}

/// Converts an object of named schemas.
fn named(value: &Value, depth: usize) -> Value {
    let Value::Object(schemas) = value else {
        return value.clone();
    };
    let schemas = schemas.iter();
    let taken = schemas.map(|(name, schema)| (name.clone(), at_depth(schema, depth)));
    Value::Object(taken.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_taken_stays_as_it_is() {
        let text = r##"{"type":"object","properties":{"steps":{"type":"array","items":{"type":"string","format":"date"},"minItems":1},"minimum":{"type":"integer","enum":[1,2]},"b":{"$ref":"#/$defs/B"}},"required":["steps"],"$defs":{"B":{"anyOf":[{"type":"null"},{"const":{"maximum":1}}]}},"additionalProperties":false}"##;
        let schema: Value = serde_json::from_str(text).unwrap();
        assert_eq!(taken(&schema).to_string(), text);
    }

    #[test]
    fn what_is_refused_is_told_in_the_description() {
        let schema = json!({"type": "object", "additionalProperties": {"type": "string"}, "properties": {
            "age": {"type": "integer", "description": "in years", "minimum": 0, "maximum": 150},
            "tags": {"type": "array", "minItems": 2, "maxItems": 3, "items":
                {"oneOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]}},
            "code": {"type": "string", "format": "isbn"},
            "inner": {"type": "object", "properties": {}},
        }});
        assert_eq!(
            taken(&schema),
            json!({"type": "object", "properties": {
                "age": {"type": "integer", "description": "in years\n\n{minimum: 0, maximum: 150}"},
                "tags": {"type": "array", "description": "{minItems: 2, maxItems: 3}", "items":
                    {"anyOf": [{"type": "string", "description": "{maxLength: 9}"}, {"type": "null"}]}},
                "code": {"type": "string", "description": "{format: \"isbn\"}"},
                "inner": {"type": "object", "properties": {}, "additionalProperties": false},
            }, "additionalProperties": false,
                "description": "{additionalProperties: {\"type\":\"string\"}}"})
        );
    }

    #[test]
    fn a_deep_schema_is_no_danger() {
        let mut schema = json!({"type": "integer", "minimum": 1});
        for _ in 0..MAX_DEPTH + 20 {
            schema = json!({"type": "array", "items": schema});
        }
        let text = taken(&schema).to_string();
        assert!(text.contains("minimum"), "so deep it is sent as it is");
    }
}
