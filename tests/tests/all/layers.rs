//! Imports in the core point down, as ARCHITECTURE.md draws them, and files stay readable.

mod npm;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The modules of the core, the lowest first, each with the modules that it may import. A list
/// never contains a module further down in this table, so no two modules can import each other.
const LAYERS: &[(&str, &[&str])] = &[
    // ground
    ("time", &[]),
    ("words", &[]),
    ("phrase", &[]),
    ("quote", &[]),
    ("json", &["quote"]),
    ("executor", &["time"]),
    ("unquote", &[]),
    ("secrets", &["phrase"]),
    ("transport", &["secrets"]),
    ("host", &["transport"]),
    // model
    ("head", &[]),
    ("chat", &["head", "json", "words"]),
    ("catalogue", &["chat"]),
    ("embed", &["chat"]),
    (
        "error",
        &["chat", "head", "json", "quote", "transport", "words"],
    ),
    ("models", &["json", "words"]),
    ("credentials", &["error", "executor", "secrets", "unquote"]),
    ("frame", &["error", "json"]),
    ("schema", &[]),
    // how a request is written, and how an answer is read
    (
        "dialect",
        &[
            "catalogue",
            "chat",
            "embed",
            "error",
            "frame",
            "head",
            "json",
            "models",
            "phrase",
            "schema",
            "secrets",
            "quote",
            "time",
        ],
    ),
    (
        "provider",
        &[
            "chat",
            "credentials",
            "dialect",
            "error",
            "host",
            "json",
            "models",
            "secrets",
            "quote",
            "unquote",
        ],
    ),
    // rules
    (
        "policy",
        &["chat", "dialect", "error", "models", "phrase", "time"],
    ),
    // what waits for them
    (
        "admission",
        &["dialect", "error", "executor", "policy", "time"],
    ),
    ("observe", &["chat", "dialect", "error"]),
    (
        "helpers",
        &["admission", "error", "executor", "policy", "time"],
    ),
    (
        "config",
        &[
            "error", "json", "policy", "provider", "quote", "time", "unquote",
        ],
    ),
    (
        "pipeline",
        &[
            "admission",
            "catalogue",
            "chat",
            "credentials",
            "dialect",
            "embed",
            "error",
            "executor",
            "head",
            "json",
            "observe",
            "policy",
            "schema",
            "secrets",
            "quote",
            "time",
            "transport",
        ],
    ),
    ("status", &[]),
    (
        "client",
        &[
            "admission",
            "catalogue",
            "chat",
            "config",
            "dialect",
            "embed",
            "error",
            "executor",
            "observe",
            "pipeline",
            "policy",
            "provider",
            "quote",
            "status",
            "time",
            "transport",
        ],
    ),
    (
        "typed",
        &[
            "chat", "client", "dialect", "error", "executor", "pipeline", "policy", "schema",
        ],
    ),
    (
        "toolbox",
        &[
            "chat", "client", "error", "executor", "pipeline", "policy", "quote", "schema", "time",
            "typed", "words",
        ],
    ),
    ("journal", &["chat", "error", "executor"]),
    (
        "batch",
        &[
            "admission",
            "chat",
            "client",
            "error",
            "executor",
            "helpers",
            "journal",
            "time",
            "transport",
        ],
    ),
    (
        "provider_batch",
        &[
            "batch", "chat", "client", "dialect", "error", "executor", "journal", "policy", "time",
        ],
    ),
];

/// The maximum length of a source file in lines, tests included.
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below `folder` with one of these extensions, except generated and downloaded ones.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let generated = [
        "target",
        "node_modules",
        "dist",
        "pkg",
        ".git",
        ".venv",
        "tables.ts",
    ];
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if generated.contains(&name) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if path
            .extension()
            .is_some_and(|extension| extensions.contains(&extension.to_str().unwrap()))
        {
            found.push(path);
        }
    }
    found
}

/// The code of a source file, without comments and unit tests.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = before_tests.lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// The modules that `code` imports with `crate::`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, prefix) in code.match_indices("crate::") {
        let after = &code[at + prefix.len()..];
        let is_visibility = code[..at].ends_with("pub(in ");
        let name = |text: &str| {
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
            text[..end.unwrap_or(text.len())].to_owned()
        };
        match after.strip_prefix('{') {
            _ if is_visibility => {}
            Some(group) => {
                let group = &group[..group.find("};").unwrap()];
                found.extend(group.split(',').map(|item| name(item.trim())));
            }
            None => {
                found.insert(name(after));
            }
        }
    }
    found.remove("");
    // A macro of `dialect::kit`: exported macros are at the root of a crate.
    found.remove("fields");
    found
}

#[test]
fn imports_in_the_core_point_down() {
    let source = root().join("core/src");
    let mut faults = Vec::new();
    for (place, (module, allowed)) in LAYERS.iter().enumerate() {
        for below in *allowed {
            let is_below = LAYERS[..place].iter().any(|(name, _)| name == below);
            assert!(is_below, "{below} is not below {module} in the table");
        }
        let mut of_module = vec![source.join(format!("{module}.rs"))];
        if source.join(module).is_dir() {
            of_module = files(&source.join(module), &["rs"]);
        }
        for file in of_module {
            let name = file.strip_prefix(&source).unwrap().display().to_string();
            if name.contains("tests") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for import in imports(&code(&text)) {
                if import != *module && !allowed.contains(&import.as_str()) {
                    faults.push(format!("{name} imports {import}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "upward imports:\n{}", faults.join("\n"));
}

#[test]
fn every_module_of_the_core_has_its_layer() {
    let lib = std::fs::read_to_string(root().join("core/src/lib.rs")).unwrap();
    for line in lib.lines() {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let Some(module) = line.strip_prefix("mod ").and_then(|m| m.strip_suffix(';')) else {
            continue;
        };
        let is_known = LAYERS.iter().any(|(name, _)| *name == module);
        assert!(is_known || module == "testing", "{module} has no layer");
    }
}

#[test]
fn no_source_file_is_long() {
    let root = root();
    let long: Vec<_> = files(&root, &["rs", "ts", "js", "mjs", "py"])
        .into_iter()
        // Generated by the build.
        .filter(|file| !file.ends_with("wasm/ts/base/tables.ts"))
        .filter_map(|file| {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            let name = file.strip_prefix(&root).unwrap().display().to_string();
            (lines > LONGEST_FILE).then(|| format!("{name}: {lines} lines"))
        })
        .collect();
    assert!(
        long.is_empty(),
        "longer than {LONGEST_FILE} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn the_check_itself_sees_what_it_must() {
    let text = "use crate::{chat::Part, json};\n// use crate::batch;\n\
                fn f() { crate::error::x() }\n#[cfg(test)]\nmod tests { use crate::client; }";
    let found: Vec<_> = imports(&code(text)).into_iter().collect();
    assert_eq!(found, ["chat", "error", "json"]);
}
