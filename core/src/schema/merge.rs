//! Merges the parts of a schema that all hold at once.

use serde_json::{Map, Value};

/// Adds to `into` what `from` demands as well. A description or a title of `into` stays.
///
/// # Errors
/// The keyword on which both have different values.
pub(super) fn merge(
    into: &mut Map<String, Value>,
    from: &Map<String, Value>,
) -> Result<(), String> {
    for (name, value) in from {
        let Some(old) = into.get_mut(name) else {
            into.insert(name.clone(), value.clone());
            continue;
        };
        match (name.as_str(), old, value) {
            (_, old, value) if old == value => {}
            ("description" | "title" | "default", _, _) => {}
            ("properties", Value::Object(old), Value::Object(new)) => {
                for (name, value) in new {
                    match old.get(name) {
                        None => {
                            old.insert(name.clone(), value.clone());
                        }
                        Some(old) if old == value => {}
                        Some(_) => return Err(format!("the property {name}")),
                    }
                }
            }
            ("required", Value::Array(old), Value::Array(new)) => {
                for name in new {
                    if !old.contains(name) {
                        old.push(name.clone());
                    }
                }
            }
            _ => return Err(name.clone()),
        }
    }
    Ok(())
}
