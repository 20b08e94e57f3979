//! Parses JSONPath (RFC 9535) for a single value: `$.operations[0]['a b']`.

use super::args::wrong;
use crate::error::Error;
use crate::quote::Quoted;

/// The deepest path. The JSON reader has the same limit.
const MAX_DEPTH: usize = 128;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To the member of an object.
    Name(String),
    /// To the item of an array.
    Item(usize),
}

/// Parses a path into its steps. There is at least one.
pub(super) fn parse(path: &str) -> Result<Vec<Step>, Error> {
    let steps = path.strip_prefix('$').and_then(steps);
    steps.filter(|steps| !steps.is_empty()).ok_or_else(|| {
        wrong(format!(
            "an argument of a call came with {}, which is not a valid path",
            Quoted(path)
        ))
    })
}

fn steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == MAX_DEPTH {
            return None;
        }
        let (step, after) = match rest.strip_prefix('.') {
            Some(name) => {
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let (name, after) = name.split_at(end);
                (Step::Name(name.to_owned()), after)
            }
            None => in_brackets(rest.strip_prefix('[')?)?,
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// Parses a step in brackets, from after its `[`. Returns the step and the rest.
fn in_brackets(text: &str) -> Option<(Step, &str)> {
    let quote = text.chars().next()?;
    if quote != '\'' && quote != '"' {
        let (number, after) = text.split_once(']')?;
        return Some((Step::Item(number.parse().ok()?), after));
    }
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => name.push(chars.next()?.1),
            char if char == quote => {
                let after = text.get(at + 1..)?.strip_prefix(']')?;
                return Some((Step::Name(name), after));
            }
            char => name.push(char),
        }
    }
    None
}

/// Formats a path for an error message.
pub(super) fn show(steps: &[Step]) -> String {
    let mut path = String::from("$");
    for step in steps {
        match step {
            Step::Name(name) => {
                path.push('.');
                path.push_str(name);
            }
            Step::Item(item) => path.push_str(&format!("[{item}]")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let name = |name: &str| Step::Name(name.to_owned());
        for (path, expected) in [
            ("$.id", vec![name("id")]),
            (
                "$.recipe.steps[10]",
                vec![name("recipe"), name("steps"), Step::Item(10)],
            ),
            (
                "$['a.b'][\"c]\"][0].d",
                vec![name("a.b"), name("c]"), Step::Item(0), name("d")],
            ),
            (r"$['it\'s']", vec![name("it's")]),
        ] {
            assert_eq!(parse(path).unwrap(), expected, "{path}");
        }
        for path in [
            "", "$", "id", "$id", "$[", "$[-1]", "$['a]", "$['a'b]", "$[*]",
        ] {
            let error = parse(path).unwrap_err().to_string();
            assert!(error.contains("not a valid path"), "{path}: {error}");
        }
        assert!(parse(&format!("${}", ".a".repeat(128))).is_ok());
        assert!(parse(&format!("${}", ".a".repeat(129))).is_err());
    }
}
