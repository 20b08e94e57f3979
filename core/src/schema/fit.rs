//! Changes the form of a schema to one that a provider can express.

use serde_json::{Map, Value, json};

use super::merge::merge;
use super::prepare::copy_root;
use super::reduce::{MAX_DEPTH, is_object_type, reduce};
use super::refs::{below, recursion, resolve};
use super::{Fault, Rules};

/// Keywords that mean nothing to a model, and that some providers refuse.
const SILENT: [&str; 5] = ["$schema", "$id", "$comment", "examples", "nullable"];

/// Converts a schema whose root is an object to what `rules` accept. The converted schema accepts
/// the same answers, except that an optional property may have to be null instead of missing
/// ([`strip`](super::strip) undoes that), and that dropped keywords are only mentioned in
/// descriptions.
///
/// # Errors
/// A [`Fault`] with the part that the provider cannot express, and its path.
pub(crate) fn fit(schema: &Value, rules: &Rules) -> Result<Value, Fault> {
    let recursion = recursion(schema)?;
    if let Some(reference) = &recursion
        && !rules.form.recursion
    {
        return Err(Fault {
            path: ".".to_owned(),
            why: format!(
                "{} refuses a schema that contains itself ({reference})",
                rules.form.of
            ),
        });
    }
    let fitter = Fitter {
        root: schema,
        rules,
        is_recursive: recursion.is_some(),
    };
    let mut fitted = fitter.schema(schema, ".", MAX_DEPTH)?;
    drop_unused_defs(&mut fitted);
    for defs in ["$defs", "definitions"] {
        if let Some(Value::Object(named)) = fitted.get_mut(defs) {
            for (name, schema) in named {
                *schema = fitter.schema(schema, name, MAX_DEPTH)?;
            }
        }
    }
    drop_unused_defs(&mut fitted);
    if !rules.form.root_references {
        copy_root(&mut fitted);
    }
    Ok(reduce(&fitted, rules))
}

struct Fitter<'a> {
    root: &'a Value,
    rules: &'a Rules,
    /// Whether the schema contains itself.
    is_recursive: bool,
}

impl Fitter<'_> {
    fn refuse<T>(&self, path: &str, what: &str) -> Result<T, Fault> {
        Err(Fault {
            path: path.to_owned(),
            why: format!("{} has no {what}", self.rules.form.of),
        })
    }

    fn schema(&self, schema: &Value, path: &str, depth: usize) -> Result<Value, Fault> {
        let Some(depth) = depth.checked_sub(1) else {
            return self.refuse(path, "schema of this depth");
        };
        let form = &self.rules.form;
        let mut fields = match schema {
            Value::Object(fields) => fields.clone(),
            Value::Bool(true) => Map::new(),
            _ => return self.refuse(path, "schema that accepts nothing"),
        };
        fields.retain(|name, _| !SILENT.contains(&name.as_str()));
        self.inline(&mut fields, path)?;
        if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
            self.check_reference(reference, path)?;
            return Ok(Value::Object(fields));
        }
        infer_type(&mut fields);
        if !form.constant
            && let Some(value) = fields.shift_remove("const")
        {
            fields.insert("enum".to_owned(), Value::Array(vec![value]));
        }
        if fields.get("type").is_some_and(is_number_type) {
            // Number sizes such as `uint32` are not formats of JSON Schema.
            fields.shift_remove("format");
        }
        let says = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
        if !form.anything && !says(&["type", "enum", "const", "anyOf", "oneOf", "allOf"]) {
            return self.refuse(path, "schema that accepts any value");
        }
        self.object(&mut fields, path, depth)?;
        self.array(&mut fields, path, depth)?;
        for name in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(list)) = fields.get_mut(name) {
                for schema in list {
                    *schema = self.schema(schema, path, depth)?;
                }
            }
        }
        Ok(Value::Object(fields))
    }

    /// Checks that a chain of references ends at a schema, not in a loop.
    fn check_reference(&self, reference: &str, path: &str) -> Result<(), Fault> {
        let mut target = resolve(self.root, reference);
        for _ in 0..MAX_DEPTH {
            match target.and_then(|schema| schema.get("$ref")?.as_str()) {
                Some(next) => target = resolve(self.root, next),
                None => return Ok(()),
            }
        }
        self.refuse(path, "schema that refers only to itself")
    }

    /// Replaces `$ref` beside other keywords, and `allOf`, with the schemas they refer to.
    fn inline(&self, fields: &mut Map<String, Value>, path: &str) -> Result<(), Fault> {
        let form = &self.rules.form;
        // Each iteration removes one level of indirection.
        for _ in 0..MAX_DEPTH {
            let mut parts = Vec::new();
            if !form.ref_siblings
                && fields.len() > 1
                && let Some(reference) = fields.shift_remove("$ref")
            {
                let reference = json!({ "$ref": reference });
                if self.is_recursive && fields.keys().all(|name| is_annotation(name)) {
                    fields.insert("anyOf".to_owned(), Value::Array(vec![reference]));
                } else {
                    parts.push(reference);
                }
            }
            if !form.all_of
                && let Some(Value::Array(list)) = fields.shift_remove("allOf")
            {
                parts.extend(list);
            }
            if parts.is_empty() {
                return Ok(());
            }
            for part in &parts {
                let part = match part.get("$ref").and_then(Value::as_str) {
                    Some(reference) => resolve(self.root, reference).unwrap_or(part),
                    None => part,
                };
                let part = part.as_object().cloned().unwrap_or_default();
                if let Err(keyword) = merge(fields, &part) {
                    let what = format!("`allOf` whose parts disagree about {keyword}");
                    return self.refuse(path, &what);
                }
            }
        }
        self.refuse(path, "schema that refers only to itself")
    }

    fn object(
        &self,
        fields: &mut Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Result<(), Fault> {
        let is_object =
            fields.contains_key("properties") || fields.get("type").is_some_and(is_object_type);
        if !is_object {
            return Ok(());
        }
        if !self.rules.maps {
            let is_open = match fields.get("additionalProperties") {
                // An object without properties counts as open, because closed it would accept only
                // `{}`.
                None => !fields.contains_key("properties"),
                Some(others) => *others != false,
            };
            if is_open || fields.contains_key("patternProperties") {
                return self.refuse(path, "object with properties that the schema does not name");
            }
        }
        open_to_patterns(fields);
        if let Some(others @ Value::Object(_)) = fields.get_mut("additionalProperties") {
            *others = self.schema(others, &below(path, "[]"), depth)?;
        }
        let mut required = match fields.get("required") {
            Some(Value::Array(names)) => names.clone(),
            _ => Vec::new(),
        };
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            for (name, schema) in properties.iter_mut() {
                *schema = self.schema(schema, &below(path, name), depth)?;
                let is_required = required.iter().any(|other| *other == **name);
                if !self.rules.form.optional && !is_required {
                    or_null(schema);
                }
            }
            if !self.rules.form.optional {
                required = properties.keys().map(|name| name.as_str().into()).collect();
                fields.insert("required".to_owned(), Value::Array(required));
            }
        }
        Ok(())
    }

    fn array(
        &self,
        fields: &mut Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Result<(), Fault> {
        let path = below(path, "[]");
        if let Some(Value::Array(list)) = fields.get_mut("prefixItems") {
            for schema in list {
                *schema = self.schema(schema, &path, depth)?;
            }
        }
        let is_array = fields.get("type").is_some_and(|kind| kind == "array");
        let has_prefix = fields.contains_key("prefixItems");
        if has_prefix && fields.get("items").is_some_and(Value::is_boolean) {
            // llama.cpp reads `prefixItems` only if there is no `items`.
            fields.shift_remove("items");
        }
        match fields.get_mut("items") {
            None if has_prefix => {}
            Some(items) => *items = self.schema(items, &path, depth)?,
            None if is_array && !self.rules.form.anything => {
                return self.refuse(&path, "array whose items may be anything");
            }
            None => {}
        }
        if !self.rules.form.prefix_items
            && let Some(Value::Array(list)) = fields.get("prefixItems")
        {
            // The description still says which item has which schema.
            let mut distinct: Vec<Value> = Vec::new();
            for schema in list {
                if !distinct.contains(schema) {
                    distinct.push(schema.clone());
                }
            }
            let items = match distinct.len() {
                1 => distinct.remove(0),
                _ => json!({ "anyOf": distinct }),
            };
            fields.insert("items".to_owned(), items);
        }
        Ok(())
    }
}

/// Lets the properties that match a pattern be any other properties, because no provider reads
/// `patternProperties`. A map whose keys are numbers would accept only `{}` otherwise. The patterns
/// go into the description.
fn open_to_patterns(fields: &mut Map<String, Value>) {
    let is_closed = fields.get("additionalProperties") == Some(&Value::Bool(false));
    let Some(Value::Object(patterns)) = fields.get("patternProperties").filter(|_| is_closed)
    else {
        return;
    };
    let mut distinct: Vec<Value> = Vec::new();
    for schema in patterns.values() {
        if !distinct.contains(schema) {
            distinct.push(schema.clone());
        }
    }
    let others = match distinct.len() {
        1 => distinct.remove(0),
        _ => json!({ "anyOf": distinct }),
    };
    fields.insert("additionalProperties".to_owned(), others);
}

/// Whether a `type` allows only numbers, or numbers and null.
fn is_number_type(kind: &Value) -> bool {
    let is_number = |kind: &Value| kind == "integer" || kind == "number";
    match kind {
        Value::Array(kinds) => {
            kinds.iter().any(is_number)
                && kinds.iter().all(|kind| is_number(kind) || kind == "null")
        }
        kind => is_number(kind),
    }
}

/// Whether a keyword only explains a schema.
fn is_annotation(name: &str) -> bool {
    ["title", "description", "default"].contains(&name)
}

/// Adds a type to constants that have none, because some providers require one.
fn infer_type(fields: &mut Map<String, Value>) {
    if fields.contains_key("type") {
        return;
    }
    let values = match (fields.get("const"), fields.get("enum")) {
        (Some(value), _) => std::slice::from_ref(value),
        (None, Some(Value::Array(values))) => values,
        _ => return,
    };
    let mut kinds: Vec<Value> = Vec::new();
    for value in values {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if !kinds.contains(&kind.into()) {
            kinds.push(kind.into());
        }
    }
    let kind = match kinds.len() {
        0 => return,
        1 => kinds.remove(0),
        _ => Value::Array(kinds),
    };
    fields.insert("type".to_owned(), kind);
}

/// Lets a schema accept null as well.
fn or_null(schema: &mut Value) {
    let null = || Value::from("null");
    if accepts_null(schema) {
        return;
    }
    if let Value::Object(fields) = schema {
        let is_simple = !["const", "anyOf", "oneOf", "$ref"]
            .iter()
            .any(|name| fields.contains_key(*name));
        if is_simple && let Some(kind) = fields.get_mut("type") {
            match kind {
                Value::Array(kinds) => kinds.push(null()),
                kind => *kind = Value::Array(vec![kind.take(), null()]),
            }
            if let Some(Value::Array(values)) = fields.get_mut("enum") {
                values.push(Value::Null);
            }
            return;
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(Value::Array(list)) = fields.get_mut(name) {
                list.push(json!({"type": "null"}));
                return;
            }
        }
    }
    *schema = json!({"anyOf": [schema.take(), {"type": "null"}]});
}

/// Whether a schema says that it accepts null. References are not followed.
pub(super) fn accepts_null(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    match schema.get("type") {
        Some(Value::Array(kinds)) => return kinds.iter().any(is_null),
        Some(kind) => return is_null(kind),
        None => {}
    }
    for name in ["anyOf", "oneOf"] {
        if let Some(Value::Array(list)) = schema.get(name) {
            return list.iter().any(accepts_null);
        }
    }
    match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => values.contains(&Value::Null),
        (_, Some(value)) => value.is_null(),
        _ => schema
            .as_object()
            .is_some_and(|fields| !fields.contains_key("$ref")),
    }
}

/// Drops the definitions that are no longer referenced.
fn drop_unused_defs(schema: &mut Value) {
    for defs in ["$defs", "definitions"] {
        loop {
            let text = schema.to_string();
            let Some(Value::Object(named)) = schema.get_mut(defs) else {
                break;
            };
            let before = named.len();
            named.retain(|name, _| {
                let reference = Value::from(format!("#/{defs}/{}", escaped(name))).to_string();
                text.contains(&reference)
            });
            if named.is_empty()
                && let Value::Object(fields) = schema
            {
                fields.shift_remove(defs);
                break;
            }
            if schema.get(defs).and_then(Value::as_object).map(Map::len) == Some(before) {
                break;
            }
        }
    }
}

/// A name as part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
