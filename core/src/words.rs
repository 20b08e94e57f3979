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

/// For an enum of words that a server can add to, whose last variant is `Other(String)`: every word
/// that it has a name for, and the ways to a word and back.
macro_rules! open_words {
    ($of:ident: $(#[$doc:meta])* $($variant:ident = $word:literal,)*) => {
        impl $of {
            /// The words that chatcore has a name for, in the order of the documentation.
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
