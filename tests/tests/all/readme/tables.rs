//! Settings, providers and defaults in README.md and README.zh-CN.md.

use chatcore::{Defaults, KNOWN_PROVIDERS, Provider, RetryPolicy, SETTINGS, Timeouts};

use super::{grouped, read, says};

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

/// A cell with code, or a dash.
fn code(text: Option<&str>) -> String {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => format!("`{text}`"),
        None => "–".to_owned(),
    }
}

/// A cell with several pieces of code, or a dash.
fn codes(texts: &[&str]) -> String {
    match texts {
        [] => code(None),
        texts => {
            let texts: Vec<_> = texts.iter().map(|text| code(Some(text))).collect();
            texts.join(", ")
        }
    }
}

/// `CHATCORE_GOLDEN=write` rewrites the table.
#[test]
fn the_table_of_providers_is_the_codes() {
    const FILE: &str = "docs/providers.md";
    let rows = KNOWN_PROVIDERS.iter().map(|known| {
        let url = match known.base_url {
            "" => known.base_url_form,
            url => url,
        };
        let provider = Provider::by_name(known.name).unwrap();
        let speaks = provider.dialect().facts().name();
        let [url, model] = [url, known.model].map(|text| code(Some(text)));
        let keys = codes(known.key_vars);
        let source = format!("[{}]({})", known.date, known.source);
        format!(
            "| `{}` | {keys} | {url} | {model} | `{speaks}` | {source} |\n",
            known.name
        )
    });
    let rows = rows.collect::<String>();
    let file = read(FILE);
    let (before, rest) = file.split_once("|---|---|---|---|---|---|\n").unwrap();
    let (table, after) = rest.split_once("\n\n").unwrap();
    if std::env::var("CHATCORE_GOLDEN").as_deref() == Ok("write") {
        let rows = rows.trim_end();
        let written = format!("{before}|---|---|---|---|---|---|\n{rows}\n\n{after}");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(FILE);
        std::fs::write(path, written).unwrap();
        return;
    }
    assert_eq!(
        table,
        rows.trim_end(),
        "{FILE} is not the table of the code"
    );
    for file in ["README.md", "README.zh-CN.md"] {
        assert!(
            read(file).contains("(docs/providers.md)"),
            "{file} lacks its link"
        );
    }
    assert!(says("wasm/README.md", "`docs/providers.md`"));
}

#[test]
fn the_rows_of_the_provider_list_all_of_them() {
    for file in ["README.md", "README.zh-CN.md"] {
        let readme = read(file);
        let row = readme
            .lines()
            .find(|line| line.starts_with("| `LLM_PROVIDER` |"));
        for known in KNOWN_PROVIDERS {
            let name = format!("`{}`", known.name);
            assert!(
                row.unwrap().contains(&name),
                "{file}: LLM_PROVIDER lacks {name}"
            );
        }
    }
}

#[test]
fn the_defaults_are_the_codes() {
    let (prompt, conversation) = (Defaults::PROMPT, Defaults::CONVERSATION);
    let [of_prompt, of_conversation] = [prompt, conversation].map(|of| of.temperature.unwrap());
    let tokens = prompt.max_tokens.unwrap();
    assert_eq!(conversation.max_tokens, Some(tokens));
    let room = grouped(prompt.reasoning_tokens.into());
    let limits = Timeouts::default();
    let [connect, idle, overall] =
        [limits.connect, limits.byte_idle, limits.overall].map(|limit| limit.unwrap().as_secs());
    assert_eq!(
        RetryPolicy::default().max_attempts,
        3,
        "the READMEs say three"
    );
    for (file, words) in [
        (
            "README.md",
            format!(
                "temperature of {of_prompt:.1} ({of_conversation} for a conversation), at most {tokens} tokens"
            ),
        ),
        (
            "README.md",
            format!("the limit leaves {room} tokens for it"),
        ),
        (
            "README.md",
            format!(
                "connecting {connect} s, between two bytes {idle} s, a default call {overall} s"
            ),
        ),
        ("README.md", "up to three attempts in all".to_owned()),
        (
            "README.zh-CN.md",
            format!("temperature {of_prompt:.1}（对话为 {of_conversation}）、{tokens} 个 token"),
        ),
        ("README.zh-CN.md", format!("多留 {room} 个 token")),
        (
            "README.zh-CN.md",
            format!("连接 {connect} 秒，两个字节之间 {idle} 秒，默认调用 {overall} 秒"),
        ),
        ("README.zh-CN.md", "总共最多三次".to_owned()),
    ] {
        assert!(says(file, &words), "{file} does not say: {words}");
    }
}
