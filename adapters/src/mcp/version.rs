//! The revisions of the protocol.
//!
//! Up to 2025-11-25 a connection begins with a handshake, `initialize`. Since 2026-07-28 there is
//! none: each request names its version and what the client can do.

/// A revision of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// The name of the revision, which is its date.
    pub(super) name: &'static str,
    /// Whether it has no handshake.
    pub(super) is_stateless: bool,
}

const fn version(name: &'static str, is_stateless: bool) -> Version {
    Version { name, is_stateless }
}

/// The revisions that this client speaks, the newest first.
/// <https://modelcontextprotocol.io/specification>, 2026-11-29.
pub(super) const VERSIONS: [Version; 5] = [
    version("2026-07-28", true),
    version("2025-11-25", false),
    version("2025-06-18", false),
    version("2025-03-26", false),
    version("2024-11-05", false),
];

/// The newest revision without a handshake.
pub(super) const NEWEST: Version = VERSIONS[0];

/// The newest revision with one.
pub(super) const NEWEST_WITH_HANDSHAKE: Version = VERSIONS[1];

impl Version {
    /// The revision with this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        VERSIONS.into_iter().find(|version| version.name == name)
    }

    /// The newest revision among those that a server names.
    pub(super) fn among<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let known = names.into_iter().filter_map(Self::of);
        // The names are dates.
        known.max_by_key(|version| version.name)
    }
}

/// All names, for messages.
pub(super) fn names() -> String {
    VERSIONS.map(|version| version.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_revision_is_taken() {
        let common = |names: &[&str]| Version::among(names.iter().copied()).map(|it| it.name);
        assert_eq!(
            common(&["2025-06-18", "2026-07-28", "2099-01-01"]),
            Some("2026-07-28")
        );
        assert_eq!(common(&["2025-06-18", "2025-11-25"]), Some("2025-11-25"));
        assert_eq!(common(&["2099-01-01"]), None);
        assert!(VERSIONS.is_sorted_by(|newer, older| newer.name > older.name));
        assert_eq!(
            VERSIONS.map(|it| it.is_stateless),
            [true, false, false, false, false]
        );
    }
}
