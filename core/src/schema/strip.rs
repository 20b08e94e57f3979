//! Removes nulls that represent missing properties.

use serde_json::{Map, Value};

use super::fit::accepts_null;
use super::reduce::MAX_DEPTH;
use super::refs::resolve;

/// Removes each null property that the schema makes optional but not nullable. In OpenAI's strict
/// mode no property may be missing, so the model writes null for a missing one.
pub(crate) fn strip(value: &mut Value, schema: &Value) {
    strip_at(value, schema, schema, MAX_DEPTH);
}

fn strip_at(value: &mut Value, schema: &Value, root: &Value, depth: usize) {
    let (Some(depth), Value::Object(fields)) = (depth.checked_sub(1), schema) else {
        return;
    };
    if let Some(target) = target(fields, root) {
        strip_at(value, target, root, depth);
    }
    for schema in list(fields, "allOf") {
        strip_at(value, schema, root, depth);
    }
    for name in ["anyOf", "oneOf"] {
        let mut variants = list(fields, name).iter();
        if let Some(variant) = variants.find(|variant| may_be(value, variant, root, depth)) {
            strip_at(value, variant, root, depth);
        }
    }
    match value {
        Value::Object(members) => {
            let required = list(fields, "required");
            let properties = fields.get("properties").and_then(Value::as_object);
            members.retain(|name, member| {
                let Some(schema) = properties.and_then(|all| all.get(name)) else {
                    if let Some(others) = fields.get("additionalProperties") {
                        strip_at(member, others, root, depth);
                    }
                    return true;
                };
                strip_at(member, schema, root, depth);
                let must_be = required.iter().any(|other| *other == **name);
                must_be || !member.is_null() || takes_null(schema, root, depth)
            });
        }
        Value::Array(members) => {
            let prefix = list(fields, "prefixItems");
            for (place, member) in members.iter_mut().enumerate() {
                if let Some(schema) = prefix.get(place).or(fields.get("items")) {
                    strip_at(member, schema, root, depth);
                }
            }
        }
        _ => {}
    }
}

pub(super) fn target<'a>(fields: &Map<String, Value>, root: &'a Value) -> Option<&'a Value> {
    resolve(root, fields.get("$ref")?.as_str()?)
}

/// The list under this keyword, or an empty one.
pub(super) fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    match fields.get(name) {
        Some(Value::Array(list)) => list,
        _ => &[],
    }
}

fn takes_null(schema: &Value, root: &Value, depth: usize) -> bool {
    let target = schema.as_object().and_then(|fields| target(fields, root));
    match (target, depth.checked_sub(1)) {
        (Some(target), Some(depth)) => takes_null(target, root, depth),
        _ => accepts_null(schema),
    }
}

/// Whether a value could match a variant, judging only by its type, required properties and
/// constants.
pub(super) fn may_be(value: &Value, variant: &Value, root: &Value, depth: usize) -> bool {
    let (Some(depth), Value::Object(fields)) = (depth.checked_sub(1), variant) else {
        return *variant != false;
    };
    if let Some(target) = target(fields, root)
        && !may_be(value, target, root, depth)
    {
        return false;
    }
    if !has_type(value, fields) || !is_listed(value, fields) {
        return false;
    }
    let Value::Object(members) = value else {
        return true;
    };
    let has_all = list(fields, "required")
        .iter()
        .all(|name| name.as_str().is_some_and(|name| members.contains_key(name)));
    let properties = fields.get("properties").and_then(Value::as_object);
    has_all
        && properties.is_none_or(|all| {
            all.iter().all(
                |(name, schema)| match (members.get(name), schema.as_object()) {
                    (Some(member), Some(fields)) => is_listed(member, fields),
                    _ => true,
                },
            )
        })
}

/// Whether a value has the type that a schema requires.
pub(super) fn has_type(value: &Value, fields: &Map<String, Value>) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|x| x.fract() == 0.0)
        }
        _ => true,
    };
    match fields.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => true,
    }
}

/// Whether a value matches the `const` and the `enum` of a schema.
pub(super) fn is_listed(value: &Value, fields: &Map<String, Value>) -> bool {
    fields.get("const").is_none_or(|only| only == value)
        && match fields.get("enum") {
            Some(Value::Array(values)) => values.contains(value),
            _ => true,
        }
}
