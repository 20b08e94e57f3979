//! Prepares a schema in the same way for all providers.

use serde_json::{Map, Value, json};

use super::reduce::is_object_type;
use super::refs::resolve;

/// The property that holds an answer that is not an object.
pub(crate) const WRAPPER: &str = "value";

/// A schema whose root is an object.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) schema: Value,
    /// Whether the caller's schema is that of the property [`WRAPPER`].
    pub(crate) is_wrapped: bool,
}

/// Gives a schema an object as its root, because most providers require one. A schema of another
/// type becomes the schema of the property [`WRAPPER`].
pub(crate) fn prepare(schema: Value) -> Prepared {
    let mut schema = schema;
    if let Some(target) = root_target(&schema) {
        schema = target;
    }
    if is_object(&schema) {
        return Prepared {
            schema,
            is_wrapped: false,
        };
    }
    let mut wrapper = json!({
        "type": "object",
        "properties": {},
        "required": [WRAPPER],
        "additionalProperties": false,
    });
    if let Value::Object(fields) = &mut schema {
        for defs in ["$defs", "definitions"] {
            if let Some(named) = fields.shift_remove(defs) {
                wrapper[defs] = named;
            }
        }
        fields.shift_remove("$schema");
    }
    let name = unused_def(&wrapper);
    let root = format!("#/$defs/{name}");
    let in_defs = |defs| move_root_refs(defs, &root);
    if move_root_refs(&mut schema, &root) | wrapper.get_mut("$defs").is_some_and(in_defs) {
        wrapper["$defs"][name] = schema;
        schema = json!({ "$ref": root });
    }
    wrapper["properties"][WRAPPER] = schema;
    Prepared {
        schema: wrapper,
        is_wrapped: true,
    }
}

/// Moves the references to the root of `schema`, whose root is an object, to a copy of the root in
/// its `$defs`. llama.cpp accepts only references into `$defs`.
pub(super) fn copy_root(schema: &mut Value) {
    let name = unused_def(schema);
    if !move_root_refs(schema, &format!("#/$defs/{name}")) {
        return;
    }
    let mut copy = schema.clone();
    if let Value::Object(fields) = &mut copy {
        fields.retain(|name, _| !["$schema", "$defs", "definitions"].contains(&name.as_str()));
    }
    schema["$defs"][name] = copy;
}

/// A name that no schema in `$defs` has.
fn unused_def(schema: &Value) -> String {
    let mut name = WRAPPER.to_owned();
    while schema
        .get("$defs")
        .is_some_and(|defs| defs.get(&name).is_some())
    {
        name.push('_');
    }
    name
}

/// A root that is only a reference, replaced by its target.
fn root_target(schema: &Value) -> Option<Value> {
    let fields = schema.as_object()?;
    let reference = fields.get("$ref")?.as_str()?;
    let Value::Object(mut target) = resolve(schema, reference)?.clone() else {
        return None;
    };
    for (name, value) in fields {
        if name != "$ref" && !target.contains_key(name) {
            target.insert(name.clone(), value.clone());
        }
    }
    Some(Value::Object(target))
}

fn is_object(schema: &Value) -> bool {
    let Value::Object(fields) = schema else {
        return false;
    };
    let is_union = ["anyOf", "oneOf", "enum", "const", "not"]
        .iter()
        .any(|name| fields.contains_key(*name));
    !is_union
        && match fields.get("type") {
            Some(kind) => kind == "object" && is_object_type(kind),
            None => fields.contains_key("properties"),
        }
}

/// Rewrites references to the root to `root`, where the root is moved to. Returns whether there were
/// any.
fn move_root_refs(schema: &mut Value, root: &str) -> bool {
    match schema {
        Value::Object(fields) => {
            let mut any = move_root_ref(fields, root);
            for value in fields.values_mut() {
                any |= move_root_refs(value, root);
            }
            any
        }
        Value::Array(list) => {
            let mut any = false;
            for value in list {
                any |= move_root_refs(value, root);
            }
            any
        }
        _ => false,
    }
}

fn move_root_ref(fields: &mut Map<String, Value>, root: &str) -> bool {
    match fields.get_mut("$ref") {
        Some(reference) if *reference == "#" => {
            *reference = root.into();
            true
        }
        _ => false,
    }
}
