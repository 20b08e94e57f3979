//! Parses JSON that is still being written.

use serde_json::{Map, Value};

/// The maximum nesting depth.
const MAX_DEPTH: usize = 128;

/// Parses JSON while it is being written. The value holds everything that has arrived so far:
/// strings grow piece by piece, and a number, `true`, `false` or `null` appears once it is
/// complete.
///
/// Each byte is read once, so that the work is proportional to the text. Text before the first `{`
/// or `[` is skipped, and so is text after the end. If the text turns out not to be JSON, the value
/// is that of the next object or array.
///
/// ```
/// use chatcore::PartialJson;
/// use chatcore::serde_json::json;
///
/// let mut partial = PartialJson::new();
/// partial.feed(r#"{"name":"Ad"#);
/// assert_eq!(*partial.value(), json!({"name": "Ad"}));
/// partial.feed(r#"a","age":3"#);
/// assert_eq!(*partial.value(), json!({"name": "Ada"}));
/// partial.feed("6}");
/// assert_eq!(*partial.value(), json!({"name": "Ada", "age": 36}));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PartialJson {
    root: Value,
    /// The open arrays and objects, outermost first.
    open: Vec<Container>,
    state: State,
    /// The text of the string, key, number or literal being read.
    text: String,
    escape: Escape,
    /// The first half of a surrogate pair whose second half has not arrived yet.
    high: Option<u16>,
    /// Whether the root must be an object.
    is_object: bool,
}

#[derive(Clone, Debug)]
enum Container {
    Array,
    /// With the key of the member being read.
    Object(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the root.
    #[default]
    Start,
    /// Before a value.
    Value,
    /// After `[`.
    FirstItem,
    /// After `{`.
    FirstKey,
    /// After a comma in an object.
    Key,
    InKey,
    AfterKey,
    InString,
    /// In a number or a literal.
    InScalar,
    /// After a value.
    AfterValue,
    /// After the root.
    Done,
}

/// The state of an escape sequence in a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Backslash,
    /// After `\u` and some of its digits.
    Unicode {
        digits: u8,
        code: u16,
    },
}

impl PartialJson {
    /// Creates a parser. Its value is null.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a parser that accepts only an object as the root.
    pub(super) fn of_object() -> Self {
        Self {
            is_object: true,
            ..Self::default()
        }
    }

    /// Reads the next piece of the text. Returns whether the value has grown.
    pub fn feed(&mut self, piece: &str) -> bool {
        let mut has_grown = false;
        let mut rest = piece;
        while !rest.is_empty() {
            // Take everything up to the next quote or backslash at once.
            if matches!(self.state, State::InString | State::InKey) && self.escape == Escape::None {
                let bytes = rest.as_bytes();
                let plain = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
                if plain > 0 {
                    self.end_pair();
                    self.text.push_str(&rest[..plain]);
                }
                rest = &rest[plain..];
            }
            let Some(char) = rest.chars().next() else {
                break;
            };
            match self.step(char) {
                Ok(step) => {
                    has_grown |= step.has_grown;
                    if step.is_taken {
                        rest = &rest[char.len_utf8()..];
                    }
                }
                Err(NotJson) => {
                    has_grown |= !self.root.is_null();
                    // The brace that made the text invalid may also begin the next value.
                    let is_taken = self.state == State::Start;
                    *self = Self {
                        is_object: self.is_object,
                        ..Self::default()
                    };
                    if is_taken || !matches!(char, '{' | '[') {
                        rest = &rest[char.len_utf8()..];
                    }
                }
            }
        }
        self.flush() | has_grown
    }

    /// The value so far. Null before the value begins.
    pub fn value(&self) -> &Value {
        &self.root
    }

    /// Returns the value so far.
    pub fn into_value(self) -> Value {
        self.root
    }

    /// Whether the value is complete.
    pub fn is_complete(&self) -> bool {
        self.state == State::Done
    }

    fn step(&mut self, char: char) -> Result<Step, NotJson> {
        let is_space = matches!(char, ' ' | '\t' | '\n' | '\r');
        match self.state {
            State::Done => Ok(Step::TAKEN),
            State::Start if char == '{' || (char == '[' && !self.is_object) => self.begin(char),
            State::Start => Ok(Step::TAKEN),
            State::InString | State::InKey => self.in_string(char),
            State::InScalar => self.in_scalar(char),
            _ if is_space => Ok(Step::TAKEN),
            State::FirstItem if char == ']' => self.close(),
            State::Value | State::FirstItem => self.begin(char),
            State::FirstKey if char == '}' => self.close(),
            State::FirstKey | State::Key if char == '"' => self.go(State::InKey),
            State::AfterKey if char == ':' => self.go(State::Value),
            State::AfterValue => match (self.open.last(), char) {
                (Some(Container::Array), ',') => self.go(State::Value),
                (Some(Container::Object(_)), ',') => self.go(State::Key),
                (Some(Container::Array), ']') | (Some(Container::Object(_)), '}') => self.close(),
                _ => Err(NotJson),
            },
            _ => Err(NotJson),
        }
    }

    fn go(&mut self, state: State) -> Result<Step, NotJson> {
        self.state = state;
        Ok(Step::TAKEN)
    }

    /// Begins a value with its first character.
    fn begin(&mut self, char: char) -> Result<Step, NotJson> {
        let (value, container, state) = match char {
            '{' => {
                let object = Container::Object(String::new());
                (Value::Object(Map::new()), Some(object), State::FirstKey)
            }
            '[' => (
                Value::Array(Vec::new()),
                Some(Container::Array),
                State::FirstItem,
            ),
            '"' => (Value::String(String::new()), None, State::InString),
            '-' | '0'..='9' | 't' | 'f' | 'n' => {
                self.text.push(char);
                return self.go(State::InScalar);
            }
            _ => return Err(NotJson),
        };
        if self.open.len() == MAX_DEPTH {
            return Err(NotJson);
        }
        self.put(value);
        self.open.extend(container);
        self.state = state;
        Ok(Step::GROWN)
    }

    fn close(&mut self) -> Result<Step, NotJson> {
        self.open.pop();
        self.go(match self.open.is_empty() {
            true => State::Done,
            false => State::AfterValue,
        })
    }

    fn in_scalar(&mut self, char: char) -> Result<Step, NotJson> {
        if char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.') {
            self.text.push(char);
            return Ok(Step::TAKEN);
        }
        let value = serde_json::from_str(&self.text).map_err(|_| NotJson)?;
        self.text.clear();
        self.put(value);
        self.state = State::AfterValue;
        Ok(Step {
            has_grown: true,
            is_taken: false,
        })
    }

    fn in_string(&mut self, char: char) -> Result<Step, NotJson> {
        match self.escape {
            Escape::None if char == '\\' => self.escape = Escape::Backslash,
            Escape::None => return self.end_string(),
            Escape::Backslash => {
                self.escape = Escape::None;
                if char != 'u' {
                    self.end_pair();
                }
                match char {
                    '"' | '\\' | '/' => self.text.push(char),
                    'b' => self.text.push('\u{8}'),
                    'f' => self.text.push('\u{c}'),
                    'n' => self.text.push('\n'),
                    'r' => self.text.push('\r'),
                    't' => self.text.push('\t'),
                    'u' => self.escape = Escape::Unicode { digits: 0, code: 0 },
                    _ => return Err(NotJson),
                }
            }
            Escape::Unicode { digits, code } => {
                let digit = char.to_digit(16).ok_or(NotJson)?;
                let code = (code << 4) | digit as u16;
                self.escape = match digits {
                    3 => {
                        self.push_unit(code);
                        Escape::None
                    }
                    _ => Escape::Unicode {
                        digits: digits + 1,
                        code,
                    },
                };
            }
        }
        Ok(Step::TAKEN)
    }

    /// Adds a character, or half of a pair, that was written as `\u…`.
    fn push_unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            if let Some(Ok(char)) = char::decode_utf16([high, unit]).next() {
                self.text.push(char);
                return;
            }
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        match unit {
            0xd800..=0xdbff => self.high = Some(unit),
            unit => {
                let char = char::from_u32(unit.into());
                self.text.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }

    /// Replaces the first half of a surrogate pair whose second half did not follow.
    fn end_pair(&mut self) {
        if self.high.take().is_some() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn end_string(&mut self) -> Result<Step, NotJson> {
        self.end_pair();
        if self.state == State::InKey {
            let key = std::mem::take(&mut self.text);
            match self.open.last_mut() {
                Some(Container::Object(current)) => *current = key,
                _ => return Err(NotJson),
            }
            return self.go(State::AfterKey);
        }
        let has_grown = self.flush();
        self.state = State::AfterValue;
        Ok(Step {
            has_grown,
            is_taken: true,
        })
    }

    /// Moves the text read so far to the string in the value. Returns whether there was any.
    fn flush(&mut self) -> bool {
        if self.state != State::InString || self.text.is_empty() {
            return false;
        }
        let text = std::mem::take(&mut self.text);
        if let Some(Value::String(string)) = self.member(self.open.len()) {
            string.push_str(&text);
        }
        true
    }

    /// Adds a value to the innermost container.
    fn put(&mut self, value: Value) {
        let Some(depth) = self.open.len().checked_sub(1) else {
            self.root = value;
            return;
        };
        let key = match &self.open[depth] {
            Container::Object(key) => key.clone(),
            Container::Array => String::new(),
        };
        match self.member(depth) {
            Some(Value::Array(items)) => items.push(value),
            Some(Value::Object(members)) => {
                members.insert(key, value);
            }
            _ => {}
        }
    }

    /// The value that is being read, `depth` containers below the root.
    fn member(&mut self, depth: usize) -> Option<&mut Value> {
        let mut value = &mut self.root;
        for container in &self.open[..depth] {
            value = match (container, value) {
                (Container::Array, Value::Array(items)) => items.last_mut()?,
                (Container::Object(key), Value::Object(members)) => members.get_mut(key)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

/// The effect of one character.
struct Step {
    has_grown: bool,
    /// Whether the character was used up.
    is_taken: bool,
}

impl Step {
    const TAKEN: Self = Self {
        has_grown: false,
        is_taken: true,
    };
    const GROWN: Self = Self {
        has_grown: true,
        is_taken: true,
    };
}

/// The text is not JSON.
struct NotJson;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(pieces: &[&str]) -> Value {
        let mut partial = PartialJson::new();
        for piece in pieces {
            partial.feed(piece);
        }
        partial.into_value()
    }

    /// The cases are shared with the npm package.
    #[test]
    fn every_case_is_read_as_the_list_says() {
        let text = include_str!("../../cases/partial.json");
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        assert!(cases.len() > 25);
        for case in &cases {
            let mut partial = PartialJson::new();
            let pieces = case["pieces"].as_array().unwrap();
            let feed = |piece: &Value| partial.feed(piece.as_str().unwrap());
            let grown: Vec<bool> = pieces.iter().map(feed).collect();
            assert_eq!(*partial.value(), case["value"], "{case}");
            if let Some(expected) = case.get("grown") {
                assert_eq!(json!(grown), *expected, "{case}");
            }
            if let Some(expected) = case.get("complete") {
                assert_eq!(json!(partial.is_complete()), *expected, "{case}");
            }
        }
    }

    #[test]
    fn a_deep_text_is_no_danger() {
        let partial = read(&["[".repeat(100_000).as_str()]);
        assert!(partial.is_array() || partial.is_null());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("\\PC{0,4}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whole_json_is_read_as_it_is_however_it_is_split(
            value in any_json(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let value = json!([value]);
            let text = value.to_string();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
            places.retain(|place| text.is_char_boundary(*place));
            places.extend([0, text.len()]);
            places.sort_unstable();
            let pieces: Vec<&str> = places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&pieces), value);
        }

        #[test]
        fn any_text_is_no_danger(text in "[\\[\\]{}:,\"a1 \\\\u-]{0,60}") {
            let whole = read(&[&text]);
            let chars: Vec<String> = text.chars().map(String::from).collect();
            let pieces: Vec<&str> = chars.iter().map(String::as_str).collect();
            prop_assert_eq!(read(&pieces), whole);
        }
    }
}
