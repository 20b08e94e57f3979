//! The writer: one buffer, filled from left to right.

use serde_json::{Map, Number, Value};

use super::{float, scan};

/// Writes JSON text. The caller opens and closes arrays and objects, and writes the names of
/// members. The writer adds the commas.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// Whether the next value follows another one and needs a comma.
    follows: bool,
}

impl Writer {
    /// Creates a writer with room for `bytes` bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            follows: false,
        }
    }

    /// The text as bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The text.
    pub fn into_text(self) -> String {
        // Every method writes valid UTF-8.
        String::from_utf8(self.bytes).unwrap_or_default()
    }

    /// Opens an object with `{`, or an array with `[`.
    pub fn open(&mut self, bracket: char) {
        self.begin();
        self.bytes.push(bracket as u8);
        self.follows = false;
    }

    /// Closes an object with `}`, or an array with `]`.
    pub fn close(&mut self, bracket: char) {
        self.bytes.push(bracket as u8);
        self.follows = true;
    }

    /// Writes the name of the next value.
    pub fn key(&mut self, name: &str) {
        self.string(name);
        self.bytes.push(b':');
        self.follows = false;
    }

    /// Writes a string.
    pub fn string(&mut self, text: &str) {
        self.begin();
        self.bytes.push(b'"');
        let mut rest = text.as_bytes();
        loop {
            let (plain, more) = rest.split_at(scan::length(rest));
            self.bytes.extend_from_slice(plain);
            let Some((byte, more)) = more.split_first() else {
                break;
            };
            rest = more;
            let short = match byte {
                b'"' | b'\\' => *byte,
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                8 => b'b',
                12 => b'f',
                _ => {
                    const HEX: &[u8; 16] = b"0123456789abcdef";
                    self.bytes.extend_from_slice(b"\\u00");
                    self.bytes.push(HEX[usize::from(byte >> 4)]);
                    self.bytes.push(HEX[usize::from(byte & 15)]);
                    continue;
                }
            };
            self.bytes.extend_from_slice(&[b'\\', short]);
        }
        self.bytes.push(b'"');
    }

    /// Writes a piece of JSON text unchanged, without a comma before it or after it. The piece may
    /// begin and end anywhere between two tokens, as `,"id":` does.
    ///
    /// ```
    /// let mut writer = chatcore::json::Writer::from(b"[1".to_vec());
    /// writer.piece(",{\"id\":");
    /// writer.string("a");
    /// writer.piece("}]");
    /// assert_eq!(writer.into_text(), r#"[1,{"id":"a"}]"#);
    /// ```
    pub fn piece(&mut self, json: &str) {
        self.bytes.extend_from_slice(json.as_bytes());
        self.follows = false;
    }

    /// Writes a whole JSON value unchanged.
    pub fn raw(&mut self, json: &str) {
        self.begin();
        self.bytes.extend_from_slice(json.as_bytes());
    }

    /// Writes an unsigned integer.
    pub fn count(&mut self, number: u64) {
        self.begin();
        self.digits(number);
    }

    /// Writes an integer.
    pub fn integer(&mut self, number: i64) {
        self.begin();
        if number < 0 {
            self.bytes.push(b'-');
        }
        self.digits(number.unsigned_abs());
    }

    /// Writes a float, or null if it is not finite, because JSON has no other form for that.
    pub fn float(&mut self, number: f64) {
        match float::text(number) {
            Some(text) => self.raw(&text),
            None => self.null(),
        }
    }

    /// Writes true or false.
    pub fn boolean(&mut self, is_true: bool) {
        self.raw(if is_true { "true" } else { "false" });
    }

    /// Writes null.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// Writes an object's member whose value is a string.
    pub fn member(&mut self, name: &str, text: &str) {
        self.key(name);
        self.string(text);
    }

    /// Writes an array of strings.
    pub fn strings(&mut self, texts: &[String]) {
        self.open('[');
        for text in texts {
            self.string(text);
        }
        self.close(']');
    }

    /// Writes any value.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(is_true) => self.boolean(*is_true),
            Value::Number(number) => self.any_number(number),
            Value::String(text) => self.string(text),
            Value::Array(list) => {
                self.open('[');
                for item in list {
                    self.value(item);
                }
                self.close(']');
            }
            Value::Object(members) => self.members(members),
        }
    }

    /// Writes an object of any values.
    pub fn members(&mut self, members: &Map<String, Value>) {
        self.open('{');
        for (name, value) in members {
            self.key(name);
            self.value(value);
        }
        self.close('}');
    }

    /// Writes one of chatcore's own names, which need no escapes.
    pub(crate) fn plain_key(&mut self, name: &'static str) {
        self.begin();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        self.follows = false;
    }

    fn any_number(&mut self, number: &Number) {
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => self.count(number),
            (_, Some(number), _) => self.integer(number),
            (.., number) => self.float(number.unwrap_or(f64::NAN)),
        }
    }

    /// Not `fmt`, which takes several times as long.
    fn digits(&mut self, number: u64) {
        let mut digits = [0; 20];
        let (mut at, mut rest) = (digits.len(), number);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.follows, true) {
            self.bytes.push(b',');
        }
    }
}

/// Appends to `bytes`, and writes no comma before its first value.
impl From<Vec<u8>> for Writer {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            follows: false,
        }
    }
}
