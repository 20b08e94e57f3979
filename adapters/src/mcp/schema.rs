//! The schemas of a tool's arguments, which a stranger wrote.

use serde_json::{Map, Value};

use super::headers::ANNOTATION;

/// The schema as the model gets it: as the server wrote it, without what is not about the
/// arguments. An object has `properties`, because OpenAI refuses one without, and `object` as its
/// only type, because providers refuse a list there.
pub(super) fn for_model(schema: &Value) -> Value {
    let mut schema = schema.clone();
    unannotate(&mut schema);
    if let Value::Object(fields) = &mut schema {
        fields.remove("$schema");
        fields.insert("type".to_owned(), "object".into());
        let properties = fields.entry("properties");
        properties.or_insert_with(|| Map::new().into());
    }
    schema
}

/// Whether a `type` is, or includes, that of objects.
pub(super) fn is_object_type(kind: &Value) -> bool {
    let is_object = |kind: &Value| kind == "object";
    is_object(kind)
        || kind
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(is_object))
}

/// Removes the annotations for headers. They stand beside a `type`, so that a property of that name
/// stays.
fn unannotate(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get(ANNOTATION).is_some_and(Value::is_string) && fields.contains_key("type") {
                fields.shift_remove(ANNOTATION);
            }
            fields.values_mut().for_each(unannotate);
        }
        Value::Array(values) => values.iter_mut().for_each(unannotate),
        _ => {}
    }
}

/// Whether the schema refers to a document elsewhere, which nobody here fetches.
pub(super) fn refers_elsewhere(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(keyword, value)| match value {
            Value::String(target) => keyword == "$ref" && !target.starts_with('#'),
            value => refers_elsewhere(value),
        }),
        Value::Array(values) => values.iter().any(refers_elsewhere),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_about_the_arguments_is_left_out() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "a": {"type": "string", "x-mcp-header": "A"},
                "x-mcp-header": {"type": "string"},
            },
        });
        let right = json!({
            "type": "object",
            "properties": {"a": {"type": "string"}, "x-mcp-header": {"type": "string"}},
        });
        assert_eq!(for_model(&schema), right);
        let empty = json!({"type": "object", "properties": {}});
        assert_eq!(for_model(&json!({"type": "object"})), empty);
        assert_eq!(for_model(&json!({})), empty);
        let or_null = json!({"type": ["object", "null"], "properties": {}});
        assert_eq!(for_model(&or_null), empty);
    }

    #[test]
    fn references_to_other_documents_are_found() {
        let to = |target: &str| json!({"properties": {"a": {"items": [{"$ref": target}]}}});
        assert!(refers_elsewhere(&to("https://example.com/a.json")));
        assert!(refers_elsewhere(&to("a.json#/b")));
        assert!(!refers_elsewhere(&to("#/$defs/a")));
    }
}
