//! Sums: `+ - * / ^ %` and parentheses over decimal numbers.

use super::Prompt;

/// How deep parentheses and powers may nest.
const MAX_DEPTH: u32 = 50;

/// Words for signs.
const SIGNS: &[(&str, &str)] = &[
    (" plus ", " + "),
    (" minus ", " - "),
    (" times ", " * "),
    (" multiplied by ", " * "),
    (" divided by ", " / "),
    ("乘以", "*"),
    ("除以", "/"),
    ("加", "+"),
    ("减", "-"),
    ("乘", "*"),
    ("×", "*"),
    ("÷", "/"),
    ("（", "("),
    ("）", ")"),
    ("＋", "+"),
    ("－", "-"),
];

/// What makes a difference or a quotient out of what could be a date or a range.
const ASKS: &[&str] = &[
    "calculate",
    "compute",
    "evaluate",
    "how much is",
    "what is",
    "what's",
    "solve",
    "计算",
    "多少",
    "等于",
];

/// Answers a sum.
pub(super) fn calculate(prompt: &Prompt<'_>) -> Option<String> {
    let mut text = prompt.lower.clone();
    for (word, sign) in SIGNS {
        if text.contains(word) {
            text = text.replace(word, sign);
        }
    }
    let (sum, value) = sums(&text).find_map(|sum| {
        let is_sum = sum.contains(['+', '*', '^', '%'])
            || sum.contains(" - ")
            || sum.contains(" / ")
            || sum == text.trim_end_matches(['=', '?', '？', ' '])
            || prompt.has_any(ASKS);
        if is_sum {
            Some((sum, evaluate(sum)?))
        } else {
            None
        }
    })?;
    match value {
        Some(value) => {
            let value = show(value);
            prompt.say(format!("{sum} = {value}."), format!("{sum} = {value}。"))
        }
        None => prompt.say(
            format!("{sum} has no value: nothing can be divided by zero."),
            format!("{sum} 没有值：不能除以零。"),
        ),
    }
}

/// The parts of `text` that could be sums.
fn sums(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_digit() || " .+-*/^%()".contains(c)))
        .map(|part| part.trim().trim_end_matches('.').trim_end())
        .filter(|part| part.contains(|c: char| c.is_ascii_digit()))
}

/// The value of `text`: `None` if it is no sum, `Some(None)` if it has no value.
fn evaluate(text: &str) -> Option<Option<f64>> {
    let mut sum = Sum {
        text: text.as_bytes(),
        place: 0,
        signs: 0,
        depth: 0,
    };
    let value = sum.terms()?;
    sum.skip_spaces();
    let is_sum = sum.place == sum.text.len() && sum.signs > 0;
    is_sum.then_some(Some(value).filter(|value| value.is_finite()))
}

/// Twelve digits: what is further behind is the error of binary fractions.
fn show(value: f64) -> String {
    if value != 0.0 && (value.abs() >= 1e15 || value.abs() < 1e-6) {
        return format!("{value:e}");
    }
    let text = format!("{value:.12}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

struct Sum<'a> {
    text: &'a [u8],
    place: usize,
    /// How many operators were read: a number alone is no sum.
    signs: u32,
    depth: u32,
}

impl Sum<'_> {
    fn skip_spaces(&mut self) {
        while self.text.get(self.place) == Some(&b' ') {
            self.place += 1;
        }
    }

    /// Takes the next character, if it is one of these.
    fn take(&mut self, signs: &[u8]) -> Option<u8> {
        self.skip_spaces();
        let sign = *self.text.get(self.place)?;
        signs.contains(&sign).then(|| {
            self.place += 1;
            sign
        })
    }

    fn terms(&mut self) -> Option<f64> {
        let mut value = self.factors()?;
        while let Some(sign) = self.take(b"+-") {
            self.signs += 1;
            let other = self.factors()?;
            value = if sign == b'+' {
                value + other
            } else {
                value - other
            };
        }
        Some(value)
    }

    fn factors(&mut self) -> Option<f64> {
        let mut value = self.power()?;
        while let Some(sign) = self.take(b"*/%") {
            self.signs += 1;
            // Python's power.
            if sign == b'*' && self.text.get(self.place) == Some(&b'*') {
                self.place += 1;
                value = value.powf(self.power()?);
                continue;
            }
            let other = self.power()?;
            value = match sign {
                b'*' => value * other,
                b'/' => value / other,
                _ => value % other,
            };
        }
        Some(value)
    }

    fn power(&mut self) -> Option<f64> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let negative = self.take(b"+-") == Some(b'-');
        let mut value = self.atom()?;
        if self.take(b"^").is_some() {
            self.signs += 1;
            value = value.powf(self.power()?);
        }
        self.depth -= 1;
        Some(if negative { -value } else { value })
    }

    fn atom(&mut self) -> Option<f64> {
        if self.take(b"(").is_some() {
            let value = self.terms()?;
            self.take(b")")?;
            return Some(value);
        }
        self.skip_spaces();
        let rest = &self.text[self.place..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
            .count();
        self.place += length;
        std::str::from_utf8(&rest[..length]).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (text, value) in [
            ("2+2", "4"),
            ("2 + 3 * 4", "14"),
            ("(2 + 3) * 4", "20"),
            ("2 ^ 3 ^ 2", "512"),
            ("2**10", "1024"),
            ("-3 - -4", "1"),
            ("0.1 + 0.2", "0.3"),
            ("10 / 4", "2.5"),
            ("17 % 5", "2"),
            ("10^18 * 10", "1e19"),
        ] {
            assert_eq!(
                evaluate(text).flatten().map(show).as_deref(),
                Some(value),
                "{text}"
            );
        }
    }

    #[test]
    fn no_sums() {
        let deep = format!("{}1+1", "(".repeat(1_000_000));
        for text in [
            "",
            "7",
            "-7",
            "1 +",
            "1.2.3 + 1",
            "(1 + 2",
            "1 2 + 3",
            "+",
            &deep,
        ] {
            assert_eq!(evaluate(text), None, "{:.20}", text);
        }
        assert_eq!(evaluate("1 / 0"), Some(None));
        assert_eq!(evaluate("5 % 0"), Some(None));
    }
}
