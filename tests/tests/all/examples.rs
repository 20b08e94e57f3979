//! Each item that `lib.rs` of a published crate exports shows how to use it: its documentation has
//! an example, which is a normal doc test, or says why it has none ("No example: …").

use std::path::{Path, PathBuf};

/// Items of other crates. They are documented there.
const FOREIGN: [&str; 6] = [
    "Stream",
    "async_trait",
    "bytes",
    "http",
    "schemars",
    "serde_json",
];

fn source(krate: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(krate).join("src")
}

/// The text of all files of a crate.
fn files(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, texts),
            false => texts.push(std::fs::read_to_string(path).unwrap()),
        }
    }
}

/// The names that `lib.rs` exports.
fn exported(lib: &str) -> Vec<String> {
    let uses = lib.split("\npub use ").skip(1);
    uses.flat_map(|rest| {
        let what = rest.split(';').next().unwrap();
        let names = match what.split_once('{') {
            Some((_, names)) => names.trim_end_matches('}'),
            None => what.rsplit("::").next().unwrap(),
        };
        names
            .split(',')
            .map(|name| name.trim().split(" as ").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    })
    .filter(|name| !name.is_empty() && !FOREIGN.contains(&name.as_str()))
    .collect()
}

/// The items that a file declares with `pub`, each with the documentation and attributes above it.
fn declared(text: &str) -> Vec<(String, Vec<&str>)> {
    const KINDS: [&str; 8] = [
        "struct", "enum", "trait", "type", "const", "static", "fn", "async fn",
    ];
    let mut items = Vec::new();
    let mut above = Vec::new();
    let mut in_attribute = false;
    for line in text.lines().map(str::trim) {
        if in_attribute || line.starts_with("///") || line.starts_with("#[") {
            in_attribute = (in_attribute || line.starts_with("#[")) && !line.ends_with(']');
            above.push(line);
            continue;
        }
        let above = std::mem::take(&mut above);
        let Some(item) = line.strip_prefix("pub ") else {
            continue;
        };
        for kind in KINDS {
            let rest = item
                .strip_prefix(kind)
                .and_then(|rest| rest.strip_prefix(' '));
            let name = rest.and_then(|rest| {
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
            });
            if let Some(name) = name {
                items.push((name.to_owned(), above.clone()));
            }
        }
    }
    items
}

#[test]
fn each_top_level_item_has_an_example_or_says_why_not() {
    let mut missing = Vec::new();
    for (krate, roots) in [
        ("core", &["lib.rs", "chat/mod.rs"][..]),
        (
            "adapters",
            &["lib.rs", "executor/mod.rs", "transport/mod.rs"],
        ),
    ] {
        let source = source(krate);
        let mut texts = Vec::new();
        files(&source, &mut texts);
        let items: Vec<_> = texts.iter().flat_map(|text| declared(text)).collect();
        let root = |file: &&str| std::fs::read_to_string(source.join(file)).unwrap();
        let names: Vec<_> = roots
            .iter()
            .map(root)
            .flat_map(|root| exported(&root))
            .collect();
        assert!(names.len() >= 5, "{names:?}");
        for name in names {
            let is_shown = items
                .iter()
                .filter(|(known, _)| *known == name)
                .any(|(_, above)| {
                    let says = |line: &&str| line.contains("```") || line.contains("No example");
                    above.iter().any(says)
                });
            if !is_shown {
                missing.push(format!("{krate}: {name}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "without an example:\n{}",
        missing.join("\n")
    );
}
