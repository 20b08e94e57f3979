//! Macros that give each variant of an enum a stable word, in one list.
//!
//! The tables of the npm package and the golden file of its interface are generated from these
//! lists. Each macro writes a `match` without a wildcard, so that a new variant does not compile
//! until it is in the list.

/// For an enum whose variants hold nothing: lists all variants, and returns the word of each.
macro_rules! words {
    ($(#[$doc:meta])* $($variant:ident = $word:literal,)*) => {
        /// All values, in the order of the documentation.
        pub const ALL: &'static [Self] = &[$(Self::$variant),*];

        $(#[$doc])*
        pub fn as_str(self) -> &'static str {
            match self {
                $(Self::$variant => $word,)*
            }
        }
    };
}

/// For an enum whose variants hold data: lists all words, and returns the word of a value.
macro_rules! kinds {
    ($(#[$doc:meta])* $($pattern:pat = $word:literal,)*) => {
        /// All words that [`kind`](Self::kind) may return, in the order of the documentation.
        pub const KINDS: &'static [&'static str] = &[$($word),*];

        $(#[$doc])*
        pub fn kind(&self) -> &'static str {
            match self {
                $($pattern => $word,)*
            }
        }
    };
}

/// For an enum of words that servers may add to, with the last variant `Other(String)`: lists all
/// words that have a variant, and converts to a word and back.
macro_rules! open_words {
    ($of:ident: $(#[$doc:meta])* $($variant:ident = $word:literal,)*) => {
        impl $of {
            /// The words that have a variant, in the order of the documentation.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            $(#[$doc])*
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(other) => other,
                }
            }
        }

        impl From<String> for $of {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word),
                }
            }
        }

        impl From<$of> for String {
            fn from(word: $of) -> Self {
                match word {
                    $of::Other(word) => word,
                    word => word.as_str().to_owned(),
                }
            }
        }
    };
}

pub(crate) use {kinds, open_words, words};
