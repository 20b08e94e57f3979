//! Values that obey a JSON Schema, filled from what the prompt says.

use serde_json::{Map, Value};

use super::language::Language;
use super::topic::topic;
use super::words::trim;

/// How deep a schema is followed.
const MAX_DEPTH: u32 = 16;

/// A value of `schema`, with words and numbers of `prompt` where they fit.
pub(crate) fn fill(schema: &Value, prompt: &str) -> Value {
    let mut numbers = numbers(prompt).into_iter();
    match value(schema, prompt, &mut numbers, 0) {
        filled @ Value::Object(_) => filled,
        _ => Value::Object(Map::new()),
    }
}

fn value(
    schema: &Value,
    prompt: &str,
    numbers: &mut impl Iterator<Item = f64>,
    depth: u32,
) -> Value {
    if let Some(fixed) = fixed(schema, prompt) {
        return fixed;
    }
    if depth >= MAX_DEPTH {
        return Value::Null;
    }
    let alternative = ["anyOf", "oneOf"]
        .iter()
        .find_map(|key| schema[key].as_array()?.first());
    if let Some(alternative) = alternative {
        return value(alternative, prompt, numbers, depth + 1);
    }
    let types = &schema["type"];
    match types.as_str().or_else(|| types[0].as_str()) {
        Some("string") => Value::String(words(prompt)),
        Some("integer") => {
            let number = numbers.next().unwrap_or(1.0);
            bounded(number.trunc(), schema).map_or(Value::Null, |n| Value::from(n as i64))
        }
        Some("number") => {
            let number = numbers.next().unwrap_or(1.0);
            bounded(number, schema).map_or(Value::Null, Value::from)
        }
        Some("boolean") => Value::Bool(true),
        Some("null") => Value::Null,
        Some("array") => Value::Array(vec![value(&schema["items"], prompt, numbers, depth + 1)]),
        _ => {
            let properties = schema["properties"].as_object();
            let fields = properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), value(schema, prompt, numbers, depth + 1)));
            Value::Object(fields.collect())
        }
    }
}

/// The one value that is allowed, or the one among them that the prompt names.
fn fixed(schema: &Value, prompt: &str) -> Option<Value> {
    if let Some(only) = schema.get("const") {
        return Some(only.clone());
    }
    let allowed = schema["enum"].as_array()?;
    let named = allowed.iter().find(|value| {
        value
            .as_str()
            .is_some_and(|word| prompt.to_lowercase().contains(&word.to_lowercase()))
    });
    named.or(allowed.first()).cloned()
}

fn bounded(number: f64, schema: &Value) -> Option<f64> {
    let least = schema["minimum"].as_f64().unwrap_or(f64::MIN);
    let most = schema["maximum"].as_f64().unwrap_or(f64::MAX);
    (least <= most).then(|| number.clamp(least, most))
}

fn numbers(prompt: &str) -> Vec<f64> {
    prompt
        .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
        .filter_map(|digits| digits.trim_end_matches('.').parse().ok())
        .filter(|number: &f64| number.is_finite())
        .collect()
}

/// What a text argument most likely wants: what is quoted, what stands behind "in" or "for", or
/// what the prompt is about.
fn words(prompt: &str) -> String {
    let quoted = prompt.split(['"', '“', '”']).nth(1);
    let behind = [" in ", " for ", " of "]
        .iter()
        .find_map(|word| prompt.rsplit_once(word).map(|(_, behind)| behind));
    match quoted.or(behind).map(trim) {
        Some(words) if !words.is_empty() => words.to_owned(),
        _ => topic(prompt, Language::of(prompt)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_obey_the_schema() {
        let schema = json!({"type": "object", "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "maximum": 3},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "tags": {"type": "array", "items": {"type": ["boolean", "null"]}},
        }});
        assert_eq!(
            fill(&schema, "Call get_weather, 7 days, Fahrenheit, in Paris."),
            json!({"city": "Paris", "days": 3, "unit": "fahrenheit", "tags": [true]}),
        );
        assert_eq!(fill(&Value::Null, "x"), json!({}));
        assert_eq!(fill(&json!({"type": "string"}), "x"), json!({}));
    }
}
