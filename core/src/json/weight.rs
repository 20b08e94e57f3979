//! Computes how much memory the [`Value`] of a text takes before it is built.

use serde_json::Value;

use super::read::MAX_DEPTH;
use super::scan;

/// The memory of an object's member without its value: its name, its hash, and its table entry.
const MEMBER: usize = size_of::<String>() + 32;

/// The memory of the smallest table of a non-empty object.
const TABLE: usize = 56;

/// The maximum number of members of an object. The tables of larger objects fit in no cache, so
/// each member takes longer the more there are.
const MEMBERS: u32 = 4096;

/// The memory that a text's value takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Weight {
    /// The size of the value and of its allocations, in bytes; `usize::MAX` if an object has too
    /// many members.
    pub(super) bytes: usize,
    /// The number of items of each array and object, in the order in which they begin.
    pub(super) sizes: Vec<u32>,
}

impl Weight {
    /// The weight of a JSON text. For text that is not JSON the result is meaningless.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut weight = Self {
            bytes: size_of::<Value>(),
            sizes: Vec::new(),
        };
        // For each open array and object: the index of its entry in `sizes`, and the memory per
        // item.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut is_first = false;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            if matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b':') {
                continue;
            }
            let begins = std::mem::take(&mut is_first) && !matches!(byte, b'}' | b']');
            if (begins || *byte == b',')
                && let Some((place, item)) = open.last()
            {
                let is_object = *item > size_of::<Value>();
                let size = &mut weight.sizes[*place];
                *size = size.saturating_add(1);
                if is_object && *size > MEMBERS {
                    weight.bytes = usize::MAX;
                    return weight;
                }
                weight.bytes += item;
                if begins && is_object {
                    weight.bytes += TABLE;
                }
            }
            match byte {
                b'"' => {
                    let end = at + string(&bytes[at..]);
                    weight.bytes += end - at;
                    at = end + 1;
                }
                b'[' | b'{' if open.len() <= usize::from(MAX_DEPTH) => {
                    let member = if *byte == b'{' { MEMBER } else { 0 };
                    open.push((weight.sizes.len(), size_of::<Value>() + member));
                    weight.sizes.push(0);
                    is_first = true;
                }
                b']' | b'}' => drop(open.pop()),
                _ => {}
            }
        }
        weight
    }
}

/// The length of a string after its opening quote, up to its closing quote.
fn string(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let plain = scan::length(rest);
        match rest.get(plain) {
            Some(b'\\') => at += plain + 2,
            // A control character, which is invalid in a string.
            Some(b'"') | None => return (at + plain).min(bytes.len()),
            Some(_) => at += plain + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(text: &str) -> Vec<u32> {
        Weight::of(text).sizes
    }

    #[test]
    fn items_are_counted() {
        for (text, expected) in [
            ("1", &[][..]),
            ("\"a,[{\\\"\"", &[]),
            ("[]", &[0]),
            ("[ ]", &[0]),
            ("[1]", &[1]),
            ("[1, \"a,b\" ,3]", &[3]),
            (
                "{\"a\": {\"b\": []}, \"c\": [1, [2, {}]]}",
                &[2, 1, 0, 2, 2, 0],
            ),
        ] {
            assert_eq!(sizes(text), expected, "{text}");
        }
    }

    #[test]
    fn bytes_are_counted() {
        let value = size_of::<Value>();
        for (text, expected) in [
            ("1", value),
            ("\"abc\"", value + 3),
            ("[[],[]]", 3 * value),
            ("{\"ab\":1}", 2 * value + MEMBER + TABLE + 2),
        ] {
            assert_eq!(Weight::of(text).bytes, expected, "{text}");
        }
    }

    #[test]
    fn no_object_has_too_many_members() {
        let members = |count: usize| format!("{{{}\"a\":1}}", "\"a\":1,".repeat(count - 1));
        assert_ne!(Weight::of(&members(4096)).bytes, usize::MAX);
        assert_eq!(Weight::of(&members(4097)).bytes, usize::MAX);
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in r#"([\[\]{},:"\\ ]|a|1){0,40}"#) {
            Weight::of(&text);
        }
    }
}
