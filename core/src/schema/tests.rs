//! Tests the table in `core/cases/schemas.json`: the schema that is sent to each kind of provider.

use serde_json::{Map, Value, json};

use super::{ANTHROPIC_FIT, GEMINI, GRAMMAR, OPENAI, Rules, check, fit, prepare, strip};

const KINDS: [(&str, &Rules); 4] = [
    ("strict", &OPENAI),
    ("anthropic", &ANTHROPIC_FIT),
    ("gemini", &GEMINI),
    ("grammar", &GRAMMAR),
];

/// The schema that is sent to each kind of provider, or the error if the schema is refused.
fn sent(schema: &Value) -> Map<String, Value> {
    let prepared = prepare(schema.clone()).schema;
    let of = |rules: &Rules| match fit(&prepared, rules) {
        Ok(fitted) => fitted,
        Err(fault) => json!({ "error": format!("at {}, {}", fault.path, fault.why) }),
    };
    let kinds = KINDS.map(|(kind, rules)| (kind.to_owned(), of(rules)));
    kinds.into_iter().collect()
}

/// `CHATCORE_GOLDEN=write` regenerates the table.
#[test]
fn every_case_is_sent_as_the_table_says() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/schemas.json");
    let text = std::fs::read_to_string(file).unwrap();
    let mut cases: Vec<Map<String, Value>> = serde_json::from_str(&text).unwrap();
    for case in &mut cases {
        let sent = sent(&case["schema"]);
        case.insert("sent".to_owned(), Value::Object(sent));
    }
    let now = serde_json::to_string_pretty(&cases).unwrap() + "\n";
    if std::env::var("CHATCORE_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(file, now).unwrap();
    } else {
        assert_eq!(text, now);
    }
}

/// After `strip`, every `good` value of a case is accepted, and every `bad` one is refused.
#[test]
fn every_case_accepts_its_values() {
    let text = include_str!("../../cases/schemas.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    let mut checked = 0;
    for case in &cases {
        let prepared = prepare(case["schema"].clone());
        for good in case["good"].as_array().into_iter().flatten() {
            let mut value = match prepared.is_wrapped {
                true => json!({ "value": good }),
                false => good.clone(),
            };
            strip(&mut value, &prepared.schema);
            assert_eq!(check(&value, &prepared.schema), Ok(()), "{good}");
            checked += 1;
        }
        for bad in case["bad"].as_array().into_iter().flatten() {
            let mut value = match prepared.is_wrapped {
                true => json!({ "value": bad["value"] }),
                false => bad["value"].clone(),
            };
            strip(&mut value, &prepared.schema);
            let fault = check(&value, &prepared.schema).unwrap_err();
            assert_eq!(format!("at {}, {}", fault.path, fault.why), bad["fault"]);
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

#[test]
fn a_null_in_place_of_a_missing_property_is_removed() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "b": {"type": ["string", "null"]},
        "c": {"type": "array", "items": {"anyOf": [
            {"type": "object", "properties": {"kind": {"const": "x"}, "y": {"type": "integer"}},
                "required": ["kind"]},
            {"$ref": "#/$defs/Z"},
        ]}},
    }, "$defs": {"Z": {"type": "object", "properties": {"kind": {"const": "z"},
        "y": {"type": ["integer", "null"]}}, "required": ["kind"]}}});
    let mut value = json!({"a": null, "b": null, "c": [
        {"kind": "x", "y": null}, {"kind": "z", "y": null}], "d": null});
    strip(&mut value, &schema);
    let stripped = json!({"b": null, "c": [{"kind": "x"}, {"kind": "z", "y": null}], "d": null});
    assert_eq!(value, stripped);
}

#[test]
fn a_deep_schema_and_a_loop_are_no_danger() {
    let mut deep = json!({"type": "integer"});
    for _ in 0..300 {
        deep = json!({"type": "array", "items": deep});
    }
    let schemas = [
        json!({"type": "object", "properties": {"a": deep}, "required": ["a"]}),
        json!({"$ref": "#"}),
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A", "minimum": 1}},
            "$defs": {"A": {"$ref": "#/$defs/A", "maximum": 1}}}),
        json!({"type": "object", "properties": {"a": {"allOf": [{"$ref": "#/properties/a"}]}}}),
    ];
    for schema in schemas {
        for (kind, answer) in sent(&schema) {
            assert!(answer.get("error").is_some(), "{kind}: {schema}");
        }
        let mut value = json!({"a": {"a": [[1]]}});
        strip(&mut value, &schema);
        let _ = check(&value, &schema);
    }
}
