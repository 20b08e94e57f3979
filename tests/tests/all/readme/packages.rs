//! The manifests of the published packages.

use std::collections::BTreeSet;

use super::read;

/// The words in quotes of the array that begins with `start`.
fn array(manifest: &str, start: &str) -> BTreeSet<String> {
    let (_, rest) = manifest.split_once(start).unwrap();
    let (list, _) = rest.split_once(']').unwrap();
    let words = list.split('"').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

/// docs.rs builds with a nightly compiler, which refuses a dependency of `surf`.
#[test]
fn docs_rs_shows_every_feature_of_the_adapters_but_surf() {
    let manifest = read("adapters/Cargo.toml");
    let (_, features) = manifest.split_once("\n[features]\n").unwrap();
    let (features, _) = features.split_once("\n[").unwrap();
    let named: BTreeSet<_> = features
        .lines()
        .filter_map(|line| line.split_once(" = ["))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "default" && name != "surf")
        .collect();
    assert!(named.len() > 15, "{named:?}");
    assert_eq!(
        array(&manifest, "[package.metadata.docs.rs]\n# all but"),
        named
    );
}

/// crates.io takes at most five keywords, of at most 20 letters.
#[test]
fn crates_io_takes_the_keywords() {
    for file in ["Cargo.toml", "conformance/Cargo.toml"] {
        let keywords = array(&read(file), "\nkeywords = [");
        assert!((3..=5).contains(&keywords.len()), "{file}: {keywords:?}");
        assert!(keywords.iter().all(|word| word.len() <= 20), "{keywords:?}");
    }
}

#[test]
fn the_npm_package_has_the_version_and_the_repository_of_the_crates() {
    let manifest = read("Cargo.toml");
    let value = |name: &str| {
        let (_, rest) = manifest.split_once(&format!("\n{name} = \"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    for file in ["wasm/package.json", "wasm/package-lock.json"] {
        let package: serde_json::Value = serde_json::from_str(&read(file)).unwrap();
        assert_eq!(package["version"], value("version"), "{file}");
    }
    let package: serde_json::Value = serde_json::from_str(&read("wasm/package.json")).unwrap();
    assert_eq!(package["license"], value("license"));
    // npm refuses the provenance of a package whose repository is not the one that it is built in.
    assert_eq!(
        package["repository"]["url"],
        format!("git+{}.git", value("repository"))
    );
    assert_eq!(package["publishConfig"]["provenance"], true);
}
