//! Which fields of an object are read where.

/// Implements [`Fields`](crate::dialect::kit::Fields) for a struct: each field is read from the JSON
/// field of its name, or from those that are named after a colon. `..ignored` at the end reads all
/// others into the field `ignored`; without it they are unknown.
///
/// ```
/// use chatcore::dialect::kit::{self, Count, Text, Word, fields};
///
/// #[derive(Debug, Default)]
/// struct Piece<'a> {
///     kind: Word<'a>,
///     text: Text<'a>,
///     tokens: Count,
/// }
///
/// fields!(Piece<'a> { kind: "type", text, tokens: "eval_count" | "n_tokens" });
///
/// let json = r#"{"type": "delta", "text": "hi", "n_tokens": 3, "new": true}"#;
/// let piece: kit::Object<'_, Piece<'_>> = kit::parse("mine", json)?;
/// assert_eq!((&*piece.known.kind.0, piece.known.tokens.0), ("delta", Some(3)));
/// assert_eq!(piece.unknown.len(), 1);
/// # Ok::<(), chatcore::Error>(())
/// ```
#[macro_export]
macro_rules! fields {
    ($type:ident<$life:lifetime> { $($fields:tt)* }) => {
        impl<$life> $crate::dialect::kit::Fields<$life> for $type<$life> {
            $crate::fields!(@field $life { $($fields)* });
        }
    };
    ($type:ident { $($fields:tt)* }) => {
        impl<'read> $crate::dialect::kit::Fields<'read> for $type {
            $crate::fields!(@field 'read { $($fields)* });
        }
    };
    (@field $life:lifetime {
        $($field:ident $(: $($name:literal)|+)?),+ $(, .. $rest:ident)? $(,)?
    }) => {
        fn field(&mut self, name: &str) -> Option<&mut dyn $crate::dialect::kit::Read<$life>> {
            $(if $crate::fields!(@is name, $field $(: $($name)|+)?) {
                return Some(&mut self.$field);
            })+
            $(return Some(&mut self.$rest);)?
            #[allow(unreachable_code, reason = "reached where no field takes the others")]
            None
        }
    };
    (@is $name:ident, $field:ident) => {
        $name == stringify!($field)
    };
    (@is $name:ident, $field:ident: $($literal:literal)|+) => {
        matches!($name, $($literal)|+)
    };
}
