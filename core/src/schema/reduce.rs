//! Removes keywords that a provider refuses from a schema, and adds them to the descriptions.

use serde_json::{Map, Value};

use super::Rules;

/// The depth to which schemas are converted. Deeper schemas are sent unchanged.
pub(super) const MAX_DEPTH: usize = 100;

/// Converts a schema to one that `rules` accept. A removed keyword is added to the description, so
/// that the model can still follow it.
pub(crate) fn reduce(schema: &Value, rules: &Rules) -> Value {
    at_depth(schema, rules, MAX_DEPTH)
}

fn at_depth(schema: &Value, rules: &Rules, depth: usize) -> Value {
    let (Value::Object(fields), Some(depth)) = (schema, depth.checked_sub(1)) else {
        return schema.clone();
    };
    let mut reduced = Map::new();
    let mut notes: Vec<String> = Vec::new();
    for (name, value) in fields {
        let kept = match name.as_str() {
            name if rules.refuses(name) => None,
            "oneOf" if !fields.contains_key("anyOf") => {
                reduced.insert("anyOf".to_owned(), each(value, rules, depth));
                continue;
            }
            "oneOf" => None,
            "anyOf" | "allOf" | "prefixItems" => Some(each(value, rules, depth)),
            "items" => Some(at_depth(value, rules, depth)),
            "properties" | "$defs" | "definitions" => Some(named(value, rules, depth)),
            "additionalProperties" if rules.maps && value.is_object() => {
                Some(at_depth(value, rules, depth))
            }
            "additionalProperties" => (rules.maps || *value == false).then(|| value.clone()),
            "minItems" => value
                .as_u64()
                .filter(|least| *least <= rules.max_min_items)
                .map(|_| value.clone()),
            "format" => (rules.knows_format(value)).then(|| value.clone()),
            "pattern" => (rules.accepts_pattern(value)).then(|| value.clone()),
            _ => Some(value.clone()),
        };
        match kept {
            Some(value) => {
                reduced.insert(name.clone(), value);
            }
            None => notes.push(format!("{name}: {value}")),
        }
    }
    let is_object =
        fields.contains_key("properties") || fields.get("type").is_some_and(is_object_type);
    if is_object && rules.closes_objects && !reduced.contains_key("additionalProperties") {
        reduced.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if !notes.is_empty() {
        let note = format!("{{{}}}", notes.join(", "));
        let description = match reduced.get("description").and_then(Value::as_str) {
            Some(description) => [description, "\n\n", &note].concat(),
            None => note,
        };
        reduced.insert("description".to_owned(), description.into());
    }
    Value::Object(reduced)
}

/// Converts a list of schemas.
fn each(value: &Value, rules: &Rules, depth: usize) -> Value {
    match value {
        Value::Array(list) => list
            .iter()
            .map(|schema| at_depth(schema, rules, depth))
            .collect(),
        other => other.clone(),
    }
}

/// Converts an object of named schemas.
fn named(value: &Value, rules: &Rules, depth: usize) -> Value {
    let Value::Object(schemas) = value else {
        return value.clone();
    };
    let schemas = schemas.iter();
    let reduced = schemas.map(|(name, schema)| (name.clone(), at_depth(schema, rules, depth)));
    Value::Object(reduced.collect())
}

/// Whether a `type` is, or includes, that of objects.
pub(crate) fn is_object_type(kind: &Value) -> bool {
    kind == "object"
        || kind
            .as_array()
            .is_some_and(|kinds| kinds.contains(&"object".into()))
}

#[cfg(all(test, feature = "anthropic"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::rules::ANTHROPIC;

    fn taken(schema: &Value) -> Value {
        reduce(schema, &ANTHROPIC)
    }

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
