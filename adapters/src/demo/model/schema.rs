//! Values that obey a JSON Schema, filled from what the prompt says.

use serde_json::{Map, Value};

use super::language::Language;
use super::topic::topic;
use super::words::trim;

/// How deep a schema is followed.
const MAX_DEPTH: u32 = 32;

/// How many values are made of one schema: definitions that use each other can describe more
/// than anybody wants to read.
const MAX_VALUES: u32 = 1_000;

/// A value of `schema`, with words and numbers of `prompt` where they fit. References to places
/// within the schema (`#/$defs/…`) are followed.
pub(crate) fn fill(schema: &Value, prompt: &str) -> Value {
    let mut filler = Filler {
        root: schema,
        prompt,
        numbers: numbers(prompt).into_iter(),
        open: Vec::new(),
        left: MAX_VALUES,
    };
    match filler.value(schema, 0) {
        Some(filled @ Value::Object(_)) => filled,
        _ => Value::Object(Map::new()),
    }
}

struct Filler<'a> {
    root: &'a Value,
    prompt: &'a str,
    numbers: std::vec::IntoIter<f64>,
    /// The references that are being followed: one of them within itself has no end.
    open: Vec<&'a str>,
    /// How many more values may be made.
    left: u32,
}

impl<'a> Filler<'a> {
    /// `None` where the schema has no end on this way: a property is left out, a list is empty,
    /// another alternative is taken.
    fn value(&mut self, schema: &'a Value, depth: u32) -> Option<Value> {
        if let Some(fixed) = fixed(schema, self.prompt) {
            return Some(fixed);
        }
        self.left = self.left.checked_sub(1)?;
        if depth >= MAX_DEPTH {
            return None;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            return self.referred(reference, depth + 1);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(alternatives) = schema[key].as_array() {
                return alternatives
                    .iter()
                    .find_map(|alternative| self.value(alternative, depth + 1));
            }
        }
        if let Some(all) = schema["allOf"].as_array() {
            return self.merged(all, depth + 1);
        }
        let types = &schema["type"];
        Some(match types.as_str().or_else(|| types[0].as_str()) {
            Some("string") => Value::String(words(self.prompt)),
            Some("integer") => {
                let number = self.numbers.next().unwrap_or(1.0);
                bounded(number.trunc(), schema).map_or(Value::Null, |n| Value::from(n as i64))
            }
            Some("number") => {
                let number = self.numbers.next().unwrap_or(1.0);
                bounded(number, schema).map_or(Value::Null, Value::from)
            }
            Some("boolean") => Value::Bool(true),
            Some("null") => Value::Null,
            Some("array") => Value::Array(
                self.value(&schema["items"], depth + 1)
                    .into_iter()
                    .collect(),
            ),
            _ => Value::Object(self.properties(schema, depth + 1)?),
        })
    }

    /// A value of the schema that stands at `reference`, if that is within this one.
    fn referred(&mut self, reference: &'a str, depth: u32) -> Option<Value> {
        let root = self.root;
        let target = root.pointer(reference.strip_prefix('#')?)?;
        if self.open.contains(&reference) {
            return None;
        }
        self.open.push(reference);
        let value = self.value(target, depth);
        self.open.pop();
        value
    }

    /// `None` if a property that is required has no value.
    fn properties(&mut self, schema: &'a Value, depth: u32) -> Option<Map<String, Value>> {
        let is_required = |name: &str| {
            let required = schema["required"].as_array();
            required.is_some_and(|required| required.iter().any(|known| known == name))
        };
        let mut fields = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            match self.value(property, depth) {
                Some(value) => {
                    fields.insert(name.clone(), value);
                }
                None if is_required(name) => return None,
                None => {}
            }
        }
        Some(fields)
    }

    /// What obeys all of these, as far as objects go; of other values, the first.
    fn merged(&mut self, all: &'a [Value], depth: u32) -> Option<Value> {
        let mut merged = Map::new();
        for schema in all {
            match self.value(schema, depth)? {
                Value::Object(fields) => merged.extend(fields),
                other => return Some(other),
            }
        }
        Some(Value::Object(merged))
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

    #[test]
    fn references_within_the_schema_are_followed() {
        let schema = json!({
            "$defs": {
                "City": {"type": "object", "properties": {"name": {"type": "string"}}},
                "a/b": {"const": 7},
            },
            "definitions": {"Unit": {"enum": ["celsius", "kelvin"]}},
            "type": "object",
            "properties": {
                "city": {"$ref": "#/$defs/City"},
                "more": {"type": "array", "items": {"$ref": "#/$defs/City"}},
                "unit": {"allOf": [{"$ref": "#/definitions/Unit"}]},
                "slash": {"$ref": "#/$defs/a~1b"},
                "elsewhere": {"$ref": "https://example.com/schema"},
                "nowhere": {"$ref": "#/$defs/Country"},
            },
        });
        assert_eq!(
            fill(&schema, "The weather in Paris, in kelvin, in Paris."),
            json!({"city": {"name": "Paris"}, "more": [{"name": "Paris"}], "unit": "kelvin", "slash": 7}),
        );
        let root =
            json!({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"b": {"const": 1}}}}});
        assert_eq!(fill(&root, "x"), json!({"b": 1}));
        let both = json!({"allOf": [
            {"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]});
        assert_eq!(fill(&both, "x"), json!({"a": 1, "b": 2}));
    }

    #[test]
    fn a_schema_without_an_end_is_left_where_it_may_end() {
        let tree = json!({
            "type": "object", "required": ["name", "children", "next", "parent"],
            "properties": {
                "name": {"const": "x"},
                "children": {"type": "array", "items": {"$ref": "#"}},
                "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
                "parent": {"oneOf": [{"type": "null"}, {"$ref": "#"}]},
                "twin": {"$ref": "#"},
            },
        });
        let leaf = json!({"name": "x", "children": [], "next": null, "parent": null});
        let filled = fill(&tree, "x");
        assert_eq!(filled["children"], json!([leaf]));
        assert_eq!(filled["next"], leaf);
        assert_eq!(filled["parent"], Value::Null);
        assert_eq!(filled["twin"], leaf);
        // Only itself, and required: there is no such value.
        let endless = json!({"required": ["a"], "properties": {"a": {"$ref": "#"}}});
        assert_eq!(fill(&endless, "x"), json!({}));
    }

    #[test]
    fn definitions_that_use_each_other_many_times_are_bounded() {
        let mut defs = Map::new();
        for level in 0..20 {
            let next = json!({"$ref": format!("#/$defs/L{}", level + 1)});
            let properties: Map<_, _> = (0..10).map(|n| (format!("p{n}"), next.clone())).collect();
            defs.insert(format!("L{level}"), json!({"properties": properties}));
        }
        defs.insert("L20".into(), json!({"type": "string"}));
        let schema = json!({"$ref": "#/$defs/L0", "$defs": defs});
        assert!(fill(&schema, "x").to_string().len() < 100_000);
    }
}
