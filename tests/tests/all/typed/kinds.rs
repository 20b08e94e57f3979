//! The kinds of types that programs ask for, in every dialect: the value comes back as it is, or the
//! schema is refused before anything is sent.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::num::NonZeroU16;
use std::time::Duration;

use chatcore::schemars::{self, JsonSchema};
use chatcore::{Error, ErrorKind, Provider, Tool};
use chatcore_adapters::sim::Sim;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::providers;
use super::replies::reply;
use crate::jobs::client;

/// Asks for a value of a type and gets it: by its type, and checked against its schema.
fn ask<T>(provider: Provider, value: &T) -> [Result<T, Error>; 2]
where
    T: JsonSchema + Serialize + DeserializeOwned + 'static,
{
    let sim = Sim::new(1);
    let json = serde_json::to_value(value).unwrap();
    let (client, _) = client(
        &sim,
        provider,
        |b| b,
        move |_, sent| {
            // A type that is no object is the property of one.
            let schema = sent.body.to_string();
            let is_wrapped = schema.contains(r#""required":["value"]"#);
            let json = match is_wrapped {
                true => json!({ "value": json }),
                false => json.clone(),
            };
            reply(sent, &json.to_string())
        },
    );
    let typed = client.ask("x").max_tokens(9_000).json::<T>();
    let schema = Tool::of::<T>("f", "").parameters;
    let checked = client.ask("x").max_tokens(9_000);
    let checked = checked.json_schema::<T>("answer", schema);
    sim.run(async move {
        let typed = typed.await.map(|answer| answer.value);
        [typed, checked.await.map(|answer| answer.value)]
    })
}

/// The dialects that refuse the type of a value. In the others, the value must come back.
fn refused<T>(value: T) -> Vec<String>
where
    T: JsonSchema + Serialize + DeserializeOwned + Debug + PartialEq + 'static,
{
    let mut refused = Vec::new();
    for provider in providers() {
        let name = provider.dialect().facts().name().to_owned();
        for answer in ask(provider, &value) {
            match answer {
                Ok(back) => assert_eq!(back, value, "{name}"),
                Err(error) => {
                    assert_eq!(
                        error.kind(),
                        ErrorKind::InvalidInput,
                        "{name}, {value:?}: {error}"
                    );
                    assert_eq!(error.attempts(), 0, "{name}: {error}");
                    assert!(error.message().contains(".in_prompt()"), "{name}: {error}");
                    refused.push(name.clone());
                }
            }
        }
    }
    refused.dedup();
    refused
}

/// Who cannot express maps and values of any form.
const STRICT: [&str; 3] = ["openai_chat", "openai_responses", "anthropic"];

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: u64,
    note: Option<String>,
    tags: Option<Vec<String>>,
    #[serde(default)]
    is_gift: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    paid_in: Option<Duration>,
    #[serde(rename = "type")]
    kind: Kind,
    count: NonZeroU16,
    balance: i64,
    rate: f32,
    #[serde(skip)]
    cache: Option<u8>,
    letter: char,
    lines: [u8; 3],
    nested: Vec<Vec<Option<u8>>>,
    #[serde(flatten)]
    address: Address,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Address {
    city: String,
    /// Of the post.
    code: Option<u32>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// To take away.
    TakeAway,
    #[serde(rename = "here")]
    EatIn,
}

fn order(is_full: bool) -> Order {
    Order {
        order_id: u64::MAX,
        note: is_full.then(|| "n".to_owned()),
        tags: is_full.then(Vec::new),
        is_gift: is_full,
        paid_in: is_full.then(|| Duration::new(3, 5)),
        kind: Kind::EatIn,
        count: NonZeroU16::MIN,
        balance: i64::MIN,
        rate: 0.5,
        cache: None,
        letter: 'é',
        lines: [1, 2, 255],
        nested: vec![vec![], vec![None, Some(1)]],
        address: Address {
            city: "Lyon".to_owned(),
            code: is_full.then_some(69_001),
        },
    }
}

#[test]
fn structs_with_optional_renamed_flattened_and_bounded_fields() {
    for is_full in [false, true] {
        assert!(refused(order(is_full)).is_empty());
    }
    assert!(refused(Some(vec![order(false)])).is_empty());
    assert!(refused(None::<Vec<Order>>).is_empty());
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum External {
    Nothing,
    One(u8),
    Named { width: f64, height: Option<f64> },
    Order(Box<Order>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Internal {
    Nothing,
    Named { width: f64 },
    Address(Address),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Nothing,
    One(u8),
    Named { width: f64 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    Address(Address),
    Many(Vec<String>),
}

#[test]
fn enums_of_every_form() {
    let address = || Address {
        city: "Rome".to_owned(),
        code: None,
    };
    let external = || {
        vec![
            External::Nothing,
            External::One(7),
            External::Named {
                width: 1.5,
                height: None,
            },
            External::Order(Box::new(order(true))),
        ]
    };
    assert!(refused(external()).is_empty());
    for value in external() {
        assert!(refused(value).is_empty());
    }
    let internal = vec![
        Internal::Nothing,
        Internal::Named { width: 2.0 },
        Internal::Address(address()),
    ];
    assert!(refused(internal).is_empty());
    let adjacent = vec![
        Adjacent::Nothing,
        Adjacent::One(1),
        Adjacent::Named { width: 3.0 },
    ];
    assert!(refused(adjacent).is_empty());
    let untagged = || {
        vec![
            Untagged::Number(-3),
            Untagged::Text("t".to_owned()),
            Untagged::Address(address()),
            Untagged::Many(vec!["a".to_owned()]),
        ]
    };
    assert!(refused(untagged()).is_empty());
    for value in untagged() {
        assert!(refused(value).is_empty());
    }
    assert!(refused(Some(Kind::TakeAway)).is_empty());
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Folder {
    name: String,
    folders: Vec<Folder>,
    parent: Option<Box<Folder>>,
}

#[test]
fn types_that_contain_themselves() {
    let folder = |folders, parent: Option<Folder>| Folder {
        name: "f".to_owned(),
        folders,
        parent: parent.map(Box::new),
    };
    let value = folder(vec![folder(vec![], None)], Some(folder(vec![], None)));
    // Anthropic does not support recursion, and says so (WIRE.md).
    let refused = refused(value);
    assert!(
        refused.iter().all(|name| name == "anthropic"),
        "{refused:?}"
    );
}

#[test]
fn roots_that_are_no_objects() {
    assert!(refused(7_u8).is_empty());
    assert!(refused("text".to_owned()).is_empty());
    assert!(refused(true).is_empty());
    assert!(refused(vec![1_i32, -1]).is_empty());
    assert!(refused(BTreeSet::from([1_u8, 2])).is_empty());
    assert!(refused(None::<String>).is_empty());
}

#[test]
fn maps_and_any_values_where_they_can_be_expressed() {
    let ages = HashMap::from([("Ada".to_owned(), 36_u8)]);
    assert_eq!(refused(ages), STRICT);
    let kinds = BTreeMap::from([(Kind::EatIn, 1_u8)]);
    let refused_kinds = refused(kinds);
    assert!(
        refused_kinds
            .iter()
            .all(|name| STRICT.contains(&name.as_str())),
        "{refused_kinds:?}"
    );
    // Its keys have a pattern in the schema.
    assert_eq!(
        refused(BTreeMap::from([(7_u32, "seven".to_owned())])),
        STRICT
    );
    let any: Value = json!({"a": [1, null]});
    for name in refused(any) {
        assert!(STRICT.contains(&name.as_str()), "{name}");
    }
}
