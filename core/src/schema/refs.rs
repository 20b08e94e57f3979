//! References within a schema.

use serde_json::{Map, Value};

use super::Fault;
use super::reduce::MAX_DEPTH;

/// The schema that `reference` names. `None` if it is in another document or nowhere.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// Calls `visit` with every direct subschema and its name in a path.
pub(super) fn children<'a>(
    schema: &'a Map<String, Value>,
    mut visit: impl FnMut(&'a Value, &str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for (name, value) in schema {
        match (name.as_str(), value) {
            ("items" | "additionalProperties" | "not", value) => visit(value, "[]")?,
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => {
                list.iter().try_for_each(|value| visit(value, ""))?;
            }
            ("properties", Value::Object(named)) => {
                named
                    .iter()
                    .try_for_each(|(name, value)| visit(value, name))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The path of `name` below `path`.
pub(super) fn below(path: &str, name: &str) -> String {
    match (path, name) {
        (path, "") => path.to_owned(),
        (".", name) => name.to_owned(),
        (path, name) if name.starts_with('[') => [path, name].concat(),
        (path, name) => [path, ".", name].concat(),
    }
}

/// The reference by which a schema contains itself, if it does.
///
/// # Errors
/// A [`Fault`] for a reference to another document or to a missing schema, and for a schema that is
/// too deep.
pub(super) fn recursion(root: &Value) -> Result<Option<String>, Fault> {
    let mut search = Search {
        root,
        open: vec!["#"],
        done: Vec::new(),
        found: None,
    };
    search.visit(root, ".", MAX_DEPTH)?;
    Ok(search.found)
}

struct Search<'a> {
    root: &'a Value,
    /// The references whose schemas are being visited.
    open: Vec<&'a str>,
    /// The references whose schemas were visited.
    done: Vec<&'a str>,
    found: Option<String>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, schema: &'a Value, path: &str, depth: usize) -> Result<(), Fault> {
        let Value::Object(schema) = schema else {
            return Ok(());
        };
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Fault {
                path: path.to_owned(),
                why: format!("is nested more than {MAX_DEPTH} deep"),
            });
        };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            self.follow(reference, path, depth)?;
        }
        children(schema, |child, name| {
            self.visit(child, &below(path, name), depth)
        })
    }

    fn follow(&mut self, reference: &'a str, path: &str, depth: usize) -> Result<(), Fault> {
        if self.open.contains(&reference) {
            self.found.get_or_insert_with(|| reference.to_owned());
            return Ok(());
        }
        if self.done.contains(&reference) {
            return Ok(());
        }
        let Some(target) = resolve(self.root, reference) else {
            return Err(Fault {
                path: path.to_owned(),
                why: format!(
                    "refers to {reference}, which is not in the schema; references to other \
                     documents are not followed"
                ),
            });
        };
        self.open.push(reference);
        self.visit(target, path, depth)?;
        self.open.pop();
        self.done.push(reference);
        Ok(())
    }
}
