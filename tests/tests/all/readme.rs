//! What the READMEs say is what the code says. That their snippets compile is tested as the
//! documentation of this crate's library.

use std::path::Path;

use chatcore::SETTINGS;

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(file)).unwrap()
}

fn default(default: &str) -> &str {
    if default.is_empty() { "–" } else { default }
}

#[test]
fn the_table_of_settings_is_the_codes() {
    let readme = read("README.md");
    let mut at = 0;
    for setting in SETTINGS {
        let row = format!(
            "| `{}` | {} | {} |\n",
            setting.var,
            default(setting.default),
            setting.doc
        );
        let found = readme[at..].find(&row);
        at += found.unwrap_or_else(|| panic!("README.md lacks, or has in another place:\n{row}"));
    }
    let rows = readme.matches("\n| `").count();
    assert!(rows >= SETTINGS.len());
}

#[test]
fn the_chinese_table_has_the_same_settings() {
    let readme = read("README.zh-CN.md");
    for setting in SETTINGS {
        let row = format!("| `{}` | {} |", setting.var, default(setting.default));
        assert!(readme.contains(&row), "README.zh-CN.md lacks {row}");
    }
}

#[test]
fn each_published_crate_has_the_licences() {
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        for folder in ["core", "adapters"] {
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
    assert_eq!(english.len(), 4);
    assert_eq!(english, chinese);
}

/// The Rust snippets of a README, without what is written for people: comments and strings.
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
