//! Imports in the npm package point down, as ARCHITECTURE.md draws its folders, and no two of its
//! files import each other, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::{files, root};

/// Each folder of `wasm/ts`, the lowest first, with the folders that it may import.
const FOLDERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("websocket", &["base"]),
    ("border", &["base"]),
    ("node", &["base", "border"]),
    ("api", &["base", "border"]),
    ("ai", &["api", "base"]),
    (
        "entries",
        &["ai", "api", "base", "border", "node", "websocket"],
    ),
];

/// Each file, and the files that it imports, as paths below `wasm/ts` without an extension.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// What `file` imports or exports from by a relative path, types included.
fn imports(file: &str, text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let paths = ["from '", "import('", "import '"]
        .iter()
        .flat_map(|before| code.split(before).skip(1))
        .filter_map(|after| after.split('\'').next());
    let folder = Path::new(file).parent().unwrap();
    paths
        .filter(|path| path.starts_with('.'))
        .map(|path| normal(&folder.join(path.trim_end_matches(".js"))))
        .collect()
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            Component::CurDir => {}
            part => parts.push(part.as_os_str().to_str().unwrap()),
        }
    }
    parts.join("/")
}

/// The imports that point up or to a folder without a layer.
fn upward(graph: &Graph) -> Vec<String> {
    let folder = |file: &str| file.split('/').next().unwrap().to_owned();
    let mut faults = Vec::new();
    for (file, imports) in graph {
        let Some((own, allowed)) = FOLDERS.iter().find(|(name, _)| *name == folder(file)) else {
            faults.push(format!("{file} is in no folder that has a layer"));
            continue;
        };
        for import in imports {
            // What the build makes: the module, and its bindings.
            let is_built = import.starts_with("../pkg/") || import.ends_with(".wasm");
            let to = folder(import);
            if !is_built && to != *own && !allowed.contains(&to.as_str()) {
                faults.push(format!("{file} imports {import}"));
            }
        }
    }
    faults
}

/// A circle of imports, if there is one.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    fn visit(
        file: &str,
        graph: &Graph,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> bool {
        if let Some(start) = path.iter().position(|known| known == file) {
            path.drain(..start);
            return true;
        }
        if !done.contains(file) {
            path.push(file.to_owned());
            for import in graph.get(file).into_iter().flatten() {
                if visit(import, graph, path, done) {
                    return true;
                }
            }
            path.pop();
            done.insert(file.to_owned());
        }
        false
    }
    let (mut path, mut done) = (Vec::new(), BTreeSet::new());
    graph
        .keys()
        .any(|file| visit(file, graph, &mut path, &mut done))
        .then_some(path)
}

fn package() -> Graph {
    let source = root().join("wasm/ts");
    files(&source, &["ts"])
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&source).unwrap().with_extension("");
            let name = name.to_str().unwrap().to_owned();
            let imports = imports(&name, &std::fs::read_to_string(&path).unwrap());
            (name, imports)
        })
        .collect()
}

#[test]
fn imports_in_the_npm_package_point_down() {
    for (place, (folder, allowed)) in FOLDERS.iter().enumerate() {
        for below in *allowed {
            let is_below = FOLDERS[..place].iter().any(|(name, _)| name == below);
            assert!(is_below, "{below} is not below {folder} in the table");
        }
    }
    let package = package();
    let count: usize = package.values().map(BTreeSet::len).sum();
    assert!(count > 100, "only {count} imports were found");
    let faults = upward(&package);
    assert!(faults.is_empty(), "upward imports:\n{}", faults.join("\n"));
}

#[test]
fn no_files_of_the_npm_package_import_each_other() {
    let circle = circle(&package());
    assert_eq!(circle, None);
}

#[test]
fn the_entries_are_what_the_package_exports() {
    let text = std::fs::read_to_string(root().join("wasm/package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap();
    let exports = package["exports"].to_string();
    let exported: BTreeSet<_> = exports
        .split("./dist/")
        .skip(1)
        .filter_map(|path| path.split_once(".js\"").map(|(name, _)| name.to_owned()))
        .filter(|name| !name.contains(['"', '/']))
        .collect();
    let graph = self::package();
    let in_entries = |file: &String| file.strip_prefix("entries/").map(str::to_owned);
    let mut entries: BTreeSet<_> = graph.keys().filter_map(in_entries).collect();
    // What an entry imports from beside it is a chunk.
    for chunk in graph.values().flatten().filter_map(in_entries) {
        entries.remove(&chunk);
    }
    assert_eq!(entries, exported);
}

#[test]
fn the_check_itself_sees_what_it_must() {
    let text = "// from './comment.js'\nimport type { A } from '../api/a.js';\n\
                export * from './b.js';\nconst c = await import('../base/c.js');\n\
                import d from 'node:fs';";
    let found: Vec<_> = imports("border/x", text).into_iter().collect();
    assert_eq!(found, ["api/a", "base/c", "border/b"]);
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph
                .entry((*from).to_owned())
                .or_default()
                .insert((*to).to_owned());
        }
        graph
    };
    assert_eq!(
        upward(&graph(&[("api/a", "border/b")])),
        Vec::<String>::new()
    );
    let faults = upward(&graph(&[("border/b", "api/a"), ("x/y", "base/c")]));
    assert_eq!(
        faults,
        [
            "border/b imports api/a",
            "x/y is in no folder that has a layer"
        ]
    );
    let round = graph(&[("api/a", "api/b"), ("api/b", "api/c"), ("api/c", "api/b")]);
    assert_eq!(circle(&round).unwrap(), ["api/b", "api/c"]);
    assert_eq!(
        circle(&graph(&[("api/a", "api/b"), ("api/c", "api/b")])),
        None
    );
}
