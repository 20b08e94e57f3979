use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use proptest::prelude::*;

use super::*;

const KEY: &str = "sk-ab/cd+ef=0123456789-XYZ_end";

fn secrets(secret: &str) -> Secrets {
    let mut secrets = Secrets::new();
    secrets.add(secret);
    secrets
}

fn redacted(secret: &str, text: &str) -> String {
    let mut text = text.to_owned();
    secrets(secret).redact(&mut text);
    text
}

/// The name of a form in which a server writes a text, and a function that writes it.
type Form = (&'static str, fn(&str) -> String);

fn each_char(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

fn reserved(char: char) -> bool {
    !char.is_ascii_alphanumeric() && !"-_.~".contains(char)
}

const FORMS: &[Form] = &[
    ("plain", str::to_owned),
    ("percent", |text| {
        each_char(text, |char| match reserved(char) {
            true => format!("%{:02X}", char as u32),
            false => char.to_string(),
        })
    }),
    ("percent, lower case, all", |text| {
        each_char(text, |char| format!("%{:02x}", char as u32))
    }),
    ("percent twice", |text| {
        each_char(text, |char| format!("%25{:02X}", char as u32))
    }),
    ("json solidus", |text| {
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('/', "\\/")
    }),
    ("json unicode", |text| {
        each_char(text, |char| format!("\\u{:04X}", char as u32))
    }),
    ("json in json", |text| {
        each_char(text, |char| format!("\\\\u{:04x}", char as u32))
    }),
    ("javascript", |text| {
        each_char(text, |char| format!("\\x{:02x}", char as u32))
    }),
    ("html", |text| {
        each_char(text, |char| match reserved(char) {
            true => format!("&#x{:X};", char as u32),
            false => char.to_string(),
        })
    }),
    ("html, decimal", |text| {
        each_char(text, |char| format!("&#{};", char as u32))
    }),
    ("base64", |text| BASE64_STANDARD.encode(text)),
    ("base64 of a header", |text| {
        BASE64_STANDARD.encode(format!("Bearer {text}"))
    }),
    ("base64 of a user", |text| {
        BASE64_STANDARD.encode(format!("me:{text}"))
    }),
    ("base64 for URLs", |text| {
        BASE64_URL_SAFE.encode(format!("{{\"a\": \"{text}\"}}"))
    }),
    ("base64, percent-encoded", |text| {
        BASE64_STANDARD
            .encode(format!("x:{text}?"))
            .replace('+', "%2B")
            .replace('/', "%2f")
            .replace('=', "%3D")
    }),
];

/// What somebody could decode from `text`, including base64 at every place.
fn readings(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut reading = Reading::of(text.as_bytes());
    for _ in 0..READINGS {
        all.push(String::from_utf8_lossy(&reading.bytes).into_owned());
        match reading.unescaped() {
            Some(deeper) => reading = deeper,
            None => break,
        }
    }
    let mut decoded = Vec::new();
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let lenient = GeneralPurpose::new(&alphabet::STANDARD, config);
    for text in &all {
        let plain = text.replace('-', "+").replace('_', "/");
        let word = |char: char| !(char.is_ascii_alphanumeric() || "+/".contains(char));
        for word in plain.split(word) {
            for skip in 0..word.len().min(4) {
                let word = &word[skip..];
                // A single last character encodes no byte.
                let word = &word[..word.len() - usize::from(word.len() % 4 == 1)];
                let bytes = lenient.decode(word).unwrap();
                decoded.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    all.extend(decoded);
    all
}

#[track_caller]
fn assert_no_piece(secret: &str, text: &str, of: &str) {
    for reading in readings(text) {
        for at in 0..=secret.len() - SHORTEST {
            let piece = &secret[at..at + SHORTEST];
            assert!(!reading.contains(piece), "{of}: {piece} in {reading}");
        }
    }
}

#[test]
fn a_secret_is_found_in_every_form() {
    for (name, write) in FORMS {
        let text = format!("before \"{}\" after", write(KEY));
        assert_ne!(
            readings(&text).iter().position(|text| text.contains(KEY)),
            None,
            "{name}"
        );
        let text = redacted(KEY, &text);
        assert!(
            text.contains("before") && text.contains("after"),
            "{name}: {text}"
        );
        assert!(text.contains(REDACTED), "{name}: {text}");
        assert_no_piece(KEY, &text, name);
    }
}

#[test]
fn a_secret_that_is_cut_off_leaves_no_piece() {
    for (name, write) in FORMS {
        // With words after the key, the base64 of the text does not end where the key does.
        let text = format!("the key {} is wrong", write(KEY));
        for end in 0..=text.len() {
            for dots in ["", "…", "..."] {
                let cut = format!("{}{dots}", &text[..end]);
                assert_no_piece(KEY, &redacted(KEY, &cut), name);
            }
        }
        if !name.starts_with("base64") && !name.contains("json") && !name.contains("javascript") {
            for start in 0..text.len() {
                assert_no_piece(KEY, &redacted(KEY, &text[start..]), name);
            }
        }
    }
}

#[test]
fn what_holds_no_secret_stays() {
    let secrets = secrets(KEY);
    for text in [
        "",
        "sk-ab/c",
        "100 % of \\ what & is %zz; &nope; said\u{e9}…",
        "Incorrect API key provided: sk-ab****_end. You can find your API key at https://x/y",
    ] {
        let mut same = text.to_owned();
        secrets.redact(&mut same);
        assert_eq!(same, text);
    }
}

#[test]
fn placeholders_are_none() {
    assert_eq!(redacted("none", "there are none"), "there are none");
    assert!(secrets("none").is_empty());
    assert!(secrets("Bearer none").is_empty());
}

#[test]
fn of_a_header_the_token_and_the_password_are_secret() {
    assert_eq!(
        redacted("Bearer sk-0123456789", "no sk-0123456789!"),
        "no [redacted]!"
    );
    let basic = format!("Basic {}", BASE64_STANDARD.encode("me:hunter2-hunter2"));
    assert_eq!(redacted(&basic, "not hunter2-hunter2"), "not [redacted]");
}

#[test]
fn several_are_replaced_and_overlaps_once() {
    let mut both = secrets("sk-0123456789");
    both.add("0123456789-more");
    let mut text = "sk-0123456789-more, sk-0123456789".to_owned();
    both.redact(&mut text);
    assert_eq!(text, "[redacted], [redacted]");
}

#[test]
fn debug_shows_none() {
    let shown = format!("{:?}", secrets(KEY));
    assert!(!shown.contains("sk-"), "{shown}");
}

#[test]
fn a_long_text_of_nearly_the_secret_is_searched_in_linear_time() {
    // A comparison at every place would take 16 billion steps.
    let secret = format!("{}b", "a".repeat(4_000));
    let text = "a%61".repeat(500_000);
    assert!(redacted(&secret, &text).ends_with(REDACTED));
}

#[test]
fn a_secret_that_looks_escaped_is_found_when_it_is_escaped() {
    for (secret, text) in [
        ("0/00%000", r"0\/00%000"),
        ("hunter%41/2", r"hunter%41\/2"),
        ("a&#65;b/cdef", r"a&#65;b\/cdef"),
    ] {
        assert_eq!(redacted(secret, text), REDACTED, "{text}");
    }
}

proptest! {
    #[test]
    fn any_secret_is_found_in_any_form(
        secret in "[!-~]{8,40}",
        before in "[ -~é…]{0,12}",
        after in "[ -~é…]{0,12}",
        form in prop::sample::select(FORMS.to_vec()),
    ) {
        let (name, write) = form;
        let text = redacted(&secret, &format!("{before} {} {after}", write(&secret)));
        prop_assert!(text.contains(REDACTED), "{name}: {text}");
        prop_assert!(!readings(&text).iter().any(|reading| reading.contains(&secret)), "{name}: {text}");
    }

    #[test]
    fn any_text_is_taken(text in "[%\\\\&#;ux0-9a-fé…. -]{0,60}") {
        let _ = redacted("0123-abcd", &text);
    }
}
