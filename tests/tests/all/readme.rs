//! What the READMEs say of the settings is what the code says.

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
