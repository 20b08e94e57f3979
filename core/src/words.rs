//! The stable word of each variant of an enum, in one list.
//!
//! The lists are what other languages and files are made from: the tables of the npm package and
//! the golden file of its border. Each macro writes a `match` without a wildcard, so that a new
//! variant does not compile until it is in the list.

/// For an enum whose variants hold nothing: every one of them, and the word of each.
macro_rules! words {
    ($(#[$doc:meta])* $($variant:ident = $word:literal,)*) => {
        /// Every one of them, in the order of the documentation.
        pub const ALL: &'static [Self] = &[$(Self::$variant),*];

        $(#[$doc])*
        pub fn as_str(self) -> &'static str {
            match self {
                $(Self::$variant => $word,)*
            }
        }
    };
}

/// For an enum whose variants hold something: every word, and the word of a value.
macro_rules! kinds {
    ($(#[$doc:meta])* $($pattern:pat = $word:literal,)*) => {
        /// What [`kind`](Self::kind) may say, in the order of the documentation.
        pub const KINDS: &'static [&'static str] = &[$($word),*];

        $(#[$doc])*
        pub fn kind(&self) -> &'static str {
            match self {
                $($pattern => $word,)*
            }
        }
    };
}

pub(crate) use {kinds, words};
