//! Calculates sums: decimal numbers with `+ - * /` and parentheses.

/// Words that stand for signs.
const SIGNS: [(&str, &str); 8] = [
    (" plus ", " + "),
    (" minus ", " - "),
    (" times ", " * "),
    (" divided by ", " / "),
    ("加", "+"),
    ("减", "-"),
    ("乘", "*"),
    ("除以", "/"),
];

/// The first sum in a text, and its value.
pub(super) fn find(text: &str) -> Option<(String, String)> {
    let text = SIGNS.iter().fold(text.to_owned(), |text, (word, sign)| {
        text.replace(word, sign)
    });
    let parts = text.split(|c: char| !(c.is_ascii_digit() || " .+-*/()".contains(c)));
    let mut parts = parts.map(|part| part.trim_matches([' ', '.']));
    parts.find_map(|part| Some((part.to_owned(), value(part)?)))
}

/// The value of a sum. `None` for all other texts, also for a number alone and for a division by
/// zero.
fn value(text: &str) -> Option<String> {
    let text: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let mut rest = &text[..];
    let value = terms(&mut rest, 0)?;
    let is_sum = rest.is_empty() && text.iter().skip(1).any(|byte| b"+-*/".contains(byte));
    // Twelve digits after the point, because later digits are only the error of binary fractions.
    let shown = format!("{value:.12}");
    let shown = shown.trim_end_matches('0').trim_end_matches('.');
    (is_sum && value.is_finite()).then(|| shown.to_owned())
}

fn take(rest: &mut &[u8], signs: &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    signs.contains(first).then(|| {
        *rest = behind;
        *first
    })
}

fn terms(rest: &mut &[u8], depth: u32) -> Option<f64> {
    let mut value = factors(rest, depth)?;
    while let Some(sign) = take(rest, b"+-") {
        let other = factors(rest, depth)?;
        value += if sign == b'+' { other } else { -other };
    }
    Some(value)
}

fn factors(rest: &mut &[u8], depth: u32) -> Option<f64> {
    let mut value = atom(rest, depth)?;
    while let Some(sign) = take(rest, b"*/") {
        let other = atom(rest, depth)?;
        value = if sign == b'*' {
            value * other
        } else {
            value / other
        };
    }
    Some(value)
}

/// The maximum depth of nested parentheses and minus signs.
const MAX_DEPTH: u32 = 50;

fn atom(rest: &mut &[u8], depth: u32) -> Option<f64> {
    if depth == MAX_DEPTH {
        return None;
    }
    if take(rest, b"-").is_some() {
        return atom(rest, depth + 1).map(|value| -value);
    }
    if take(rest, b"(").is_some() {
        let value = terms(rest, depth + 1)?;
        return take(rest, b")").map(|_| value);
    }
    let is_number = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let (number, behind) = rest.split_at(rest.iter().take_while(is_number).count());
    *rest = behind;
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_values_and_nothing_else_has() {
        for (text, expected) in [
            ("what is 17 * 23?", Some("17 * 23 = 391")),
            ("(2 + 3) * 4", Some("(2 + 3) * 4 = 20")),
            ("-3 - -4", Some("-3 - -4 = 1")),
            ("0.1 plus 0.2", Some("0.1 + 0.2 = 0.3")),
            ("12加30等于多少？", Some("12+30 = 42")),
            ("1 / 0", None),
            ("7", None),
            ("(1 + 2", None),
            ("1.2.3 + 1", None),
            (&"(".repeat(1_000), None),
        ] {
            let found = find(text).map(|(sum, value)| format!("{sum} = {value}"));
            assert_eq!(found.as_deref(), expected, "{text:.20}");
        }
    }
}
