//! The query of every request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that are not encoded, because RFC 3986 does not reserve them.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes a name or a value.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &ENCODED).to_string()
}

/// Sets parameters in a query. Parameters with the same names are replaced.
pub(super) fn put(query: &mut String, set: &[(String, String)]) {
    if set.is_empty() {
        return;
    }
    let is_set = |name: &str| set.iter().any(|(other, _)| other == name);
    let kept = query.split('&').filter(|parameter| {
        let name = parameter.split('=').next().unwrap_or(parameter);
        !parameter.is_empty() && !is_set(name)
    });
    let mut parameters: Vec<_> = kept.map(str::to_owned).collect();
    parameters.extend(set.iter().map(|(name, value)| format!("{name}={value}")));
    *query = parameters.join("&");
}

/// The names and values of a query. For a parameter without a value, the name is also the value.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, parameter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_is_set_replaces_its_namesakes() {
        let set = [("b".to_owned(), "9".to_owned())];
        for (before, after) in [
            ("", "b=9"),
            ("a=1", "a=1&b=9"),
            ("b=1&a=1&b", "a=1&b=9"),
            ("bb=1", "bb=1&b=9"),
        ] {
            let mut query = before.to_owned();
            put(&mut query, &set);
            assert_eq!(query, after, "{before}");
        }
    }
}
