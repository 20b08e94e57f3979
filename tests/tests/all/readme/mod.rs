//! The READMEs match the code. The documentation tests of this crate's library compile their
//! snippets.

mod npm;
mod packages;
mod particular;
mod tables;

use std::path::Path;

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(file)).unwrap()
}

/// Whether a README contains these words, regardless of line breaks.
fn says(file: &str, words: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    plain(&read(file)).contains(&plain(words))
}

/// A number in the READMEs' format: 30,000.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn each_published_package_has_the_licences() {
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        for folder in ["core", "adapters", "conformance", "wasm"] {
            assert_eq!(
                read(&format!("{folder}/{licence}")),
                read(licence),
                "{folder}"
            );
        }
    }
}

#[test]
fn the_chinese_snippets_are_the_english_ones() {
    let (english, chinese) = (rust("README.md"), rust("README.zh-CN.md"));
    assert_eq!(english.len(), 8);
    assert_eq!(english, chinese);
}

/// The commands of a README, without comments.
fn commands(file: &str) -> Vec<String> {
    let readme = read(file);
    let mut found = Vec::new();
    for block in readme.split("\n```sh\n").skip(1) {
        let (block, _) = block.split_once("\n```").unwrap();
        let lines = block.lines().map(|line| line.split(" #").next().unwrap());
        found.extend(lines.map(|line| line.trim().to_owned()));
    }
    found
}

#[test]
fn the_chinese_commands_are_the_english_ones() {
    let english = commands("README.md");
    assert!(english.len() > 8, "{english:?}");
    assert_eq!(english, commands("README.zh-CN.md"));
}

/// The Rust snippets of a README, without comments and strings.
fn rust(file: &str) -> Vec<String> {
    let readme = read(file);
    let snippets = readme.split("\n```rust").skip(1);
    let code = |snippet: &str| {
        let (_, snippet) = snippet.split_once('\n').unwrap();
        let (snippet, _) = snippet.split_once("\n```").unwrap();
        let lines = snippet.lines().map(|line| {
            let line = line.split("//").next().unwrap();
            let outside = line.split('"').step_by(2).collect::<Vec<_>>();
            outside.join("\"\"").trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    snippets.map(code).collect()
}
