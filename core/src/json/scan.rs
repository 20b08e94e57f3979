//! Finds the end of a run without escapes, eight bytes at a time, in plain arithmetic that is also
//! fast in WebAssembly.

/// How many bytes precede the first quote, backslash or control character.
pub(super) fn length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(eight) = bytes[length..].first_chunk() {
        let stops = stops(u64::from_le_bytes(*eight));
        if stops != 0 {
            return length + stops.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = bytes[length..].iter();
    length + rest.take_while(|byte| !is_stop(**byte)).count()
}

fn is_stop(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Sets the highest bit of each byte that is a stop. Bits above the lowest one may be wrong,
/// because of borrows.
fn stops(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let less = |word: u64, than: u64| word.wrapping_sub(EACH * than) & !word;
    let is = |byte: u8| less(word ^ (EACH * u64::from(byte)), 1);
    (less(word, b' '.into()) | is(b'"') | is(b'\\')) & (EACH * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_at_each_place_is_judged_alone() {
        for byte in 0..=255 {
            for place in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[place] = byte;
                let expected = if is_stop(byte) { place } else { 20 };
                assert_eq!(length(&bytes), expected, "{byte} at {place}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn it_is_as_if_byte_by_byte(bytes in proptest::collection::vec(0_u8..=255, 0..40)) {
            let plain = bytes.iter().take_while(|byte| !is_stop(**byte));
            proptest::prop_assert_eq!(length(&bytes), plain.count());
        }
    }
}
