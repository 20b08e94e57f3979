//! Merges schemas that must all match at once.

use serde_json::{Map, Value};

/// Adds the keywords of `from` to `into`. The description, title and default of `into` win.
///
/// # Errors
/// The keyword that has different values in both.
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
