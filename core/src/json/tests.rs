//! Compares the reader and the writer with `serde_json`.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn written(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.value(value);
    writer.into_text()
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..8)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

/// Whether two values are equal, with a tolerance of a few of the last bits for floats, because
/// `serde_json` reads them no more exactly.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left.is_f64() && right.is_f64() => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            left == right || ((left - right) / left).abs() < 1e-14
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && (left.iter().zip(right)).all(|((ln, l), (rn, r))| ln == rn && is_same(l, r))
        }
        _ => left == right,
    }
}

/// JSON, and text that is nearly JSON.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any_value().prop_map(|value| value.to_string()),
        any_value().prop_map(|value| serde_json::to_string_pretty(&value).unwrap()),
        r#"([\[\]{},:"]|null|true|fals|-|0|1|[0-9]{1,3}|\.|e|E|\+| |\n|a|\\u00e9|\\n|\\u|é|\\){0,24}"#,
    ]
}

proptest! {
    #[test]
    fn values_are_read_as_serde_json_reads_them(text in any_text()) {
        match (serde_json::from_str::<Value>(&text), parse(&text)) {
            (Ok(theirs), Ok(ours)) => prop_assert!(is_same(&theirs, &ours), "{theirs} {ours}"),
            (Err(error), ours) => {
                // chatcore replaces half of a surrogate pair, and `serde_json` refuses it.
                if !error.to_string().contains("surrogate") {
                    let ours = ours.unwrap_err();
                    // `serde_json` looks for four digits before it checks any of them.
                    let is_cut = error.is_eof() && !text.contains("\\u");
                    prop_assert!(ours.is_cut || !is_cut, "{text}: {error} or {ours}");
                }
            }
            (Ok(_), Err(error)) => prop_assert!(false, "{}: {}", text, error),
        }
    }

    #[test]
    fn what_is_passed_over_is_what_is_read(text in any_text()) {
        let mut reader = Reader::new(&text);
        let raw = reader.raw().and_then(|raw| reader.end().map(|()| raw));
        prop_assert_eq!(raw.is_ok(), parse(&text).is_ok());
        if let Ok(raw) = raw {
            prop_assert_eq!(raw, text.trim_ascii());
        }
    }

    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        let text = written(&value);
        prop_assert!(is_same(&serde_json::from_str(&text).unwrap(), &value));
        prop_assert_eq!(&parse(&text).unwrap(), &value);
    }

    #[test]
    fn floats_are_the_nearest(
        text in prop_oneof![
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| format!("{f:e}")),
            "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?(e-?[0-9]{1,3})?",
            // Halfway between two floats.
            (1_u64 << 52..1 << 53, 0_u32..12).prop_map(|(m, z)| format!("{}.5{}", m, "0".repeat(z as usize))),
            (0_u64..1 << 20).prop_map(|m| format!("{m}e-324")),
        ],
    ) {
        let expected: f64 = text.parse().unwrap();
        prop_assert_eq!(decimal(&text).unwrap().to_bits(), expected.to_bits(), "{}", text);
    }

    #[test]
    fn strings_are_borrowed_or_unescaped(text in ".*") {
        let json = serde_json::to_string(&text).unwrap();
        let mut reader = Reader::new(&json);
        let read = reader.string().unwrap();
        prop_assert_eq!(&*read, &*text);
        prop_assert_eq!(matches!(read, std::borrow::Cow::Borrowed(_)), !json.contains('\\'));
    }
}

#[test]
fn the_edges_of_floats() {
    for text in [
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "9007199254740993",
        "9007199254740993.0000000000000000000000000000000000000000000001",
        "0.1",
        "-0.0",
        "1e23",
        "123456789012345678901234567890",
        "1e-9999999999999999999",
        "0e999999999999999999999",
    ] {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(
            decimal(text).unwrap().to_bits(),
            expected.to_bits(),
            "{text}"
        );
    }
    assert!(parse("1e400").is_err());
    let long = format!("0.{}1", "0".repeat(2_000));
    assert_eq!(decimal(&long).unwrap(), 0.0);
    let long = format!("1{}", "3".repeat(1_200)) + "e-1200";
    assert_eq!(decimal(&long).unwrap(), long.parse::<f64>().unwrap());
}

#[test]
fn depth_is_limited_however_it_is_read() {
    for (open, inner, close) in [("[", "1", "]"), ("{\"a\":", "{}", "}"), ("[", "[]", "]")] {
        let extra = usize::from(inner != "1");
        let deep = |levels: usize| {
            let levels = levels - extra;
            format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
        };
        let allowed = deep(128);
        assert!(parse(&allowed).is_ok());
        assert_eq!(Reader::new(&allowed).raw(), Ok(&*allowed));
        for levels in [129, 4_400, 1_000_000] {
            let refused = deep(levels);
            for error in [
                parse(&refused).unwrap_err(),
                Reader::new(&refused).raw().unwrap_err(),
            ] {
                assert!(error.is_too_deep && !error.is_cut, "{levels}: {error}");
                assert!(error.to_string().contains("128 deep"), "{error}");
            }
        }
    }
    // Levels that are open around a value count.
    let text = format!("[{}{}]", "[".repeat(128), "]".repeat(128));
    let mut reader = Reader::new(&text);
    let mut items = reader.array().unwrap();
    assert!(reader.item(&mut items).unwrap());
    assert!(reader.raw().unwrap_err().is_too_deep);
    // Levels that were closed do not.
    let text = format!("[{}]", "[[]],".repeat(1000) + "1");
    assert!(parse(&text).is_ok());
}

#[test]
fn the_order_of_members_is_kept() {
    let text = r#"{"z":1,"a":{"y":2,"b":3},"m":[{"x":4,"c":5}]}"#;
    assert_eq!(written(&parse(text).unwrap()), text);
}

#[test]
fn a_value_is_made_only_where_there_is_room() {
    let dense = format!("[{}0]", "0,".repeat(10_000));
    let mut room = 15 * dense.len();
    assert_eq!(parse_within(&dense, &mut room), Ok(None));
    assert_eq!(room, 15 * dense.len());
    let text = r#"{"token":" the","logprob":-0.0009,"bytes":[32,116,104,101]}"#;
    let mut room = 15 * text.len();
    let value = parse_within(text, &mut room).unwrap().unwrap();
    assert_eq!(written(&value), text);
    assert!(room < 15 * text.len());
    let mut room = 10_000;
    assert!(parse_within("{\"a\": ", &mut room).is_err());
}

#[test]
fn halves_of_pairs_are_replaced() {
    for (json, text) in [
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ud83dx""#, "\u{fffd}x"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\ude00\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ude00""#, "\u{fffd}"),
        (r#""\ude00x\ud83d""#, "\u{fffd}x\u{fffd}"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ud83d\ud83d""#, "\u{fffd}\u{fffd}"),
        (r#""\ude00\ude00""#, "\u{fffd}\u{fffd}"),
    ] {
        assert_eq!(Reader::new(json).string().unwrap(), text, "{json}");
    }
}

#[test]
fn halves_of_pairs_are_joined() {
    for (pieces, text, rest) in [
        (&[r#""a\ud83d""#, r#""\ude00b""#][..], "a😀b", None),
        (&[r#""\ud83d""#, r#""""#, r#""\ude00""#], "😀", None),
        (&[r#""\ud83d""#, r#""b""#], "\u{fffd}b", None),
        (&[r#""\ude00""#, r#""b""#], "\u{fffd}b", None),
        (
            &[r#""\ud83d""#, r#""\ud83d""#, r#""\ude00""#],
            "\u{fffd}😀",
            None,
        ),
        (&[r#""\ude00\ud83d""#, r#""\ude00""#], "\u{fffd}😀", None),
        (&[r#""a\ud83d""#], "a", Some('\u{fffd}')),
    ] {
        let (mut joiner, mut joined) = (Joiner::default(), String::new());
        let mut appended = Piece::default();
        for json in pieces {
            let piece = Reader::new(json).piece().unwrap();
            joined.push_str(&joiner.join(piece.clone()));
            appended.append(piece);
        }
        assert_eq!((&*joined, joiner.is_waiting()), (text, rest.is_some()));
        assert_eq!(joiner.rest(), rest);
        joined.extend(rest);
        assert_eq!(appended.into_text(), joined, "{pieces:?}");
    }
}

#[test]
fn plain_digits_are_read_at_once_and_other_numbers_stay() {
    for (json, number) in [
        ("0,", 0),
        (" 42}", 42),
        ("9999999999999999999]", 9_999_999_999_999_999_999),
    ] {
        let mut reader = Reader::new(json);
        assert_eq!(reader.digits(), Some(number), "{json}");
        assert!(reader.raw().is_err(), "{json}");
    }
    for json in [
        "10000000000000000000]",
        "9.0,",
        "1e3,",
        "-1,",
        "7",
        r#""7","#,
    ] {
        let mut reader = Reader::new(json);
        assert_eq!(reader.digits(), None, "{json}");
        let value = json.trim_end_matches([',', ']']);
        assert_eq!(reader.raw(), Ok(value), "{json}");
    }
    assert_eq!(Reader::new("01,").digits(), None);
    assert_eq!(Reader::new("").digits(), None);
}
