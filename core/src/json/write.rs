//! Writing: one buffer, from left to right.

use std::fmt;
use std::io::Write as _;

use serde_json::{Map, Number, Value};

use super::scan;

/// Writes JSON text. The caller opens what it closes, and names what stands in an object; commas
/// come by themselves.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// Whether a value went before, beside which the next one stands.
    follows: bool,
}

impl Writer {
    /// A writer whose buffer has room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            follows: false,
        }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written, as text.
    pub fn into_text(self) -> String {
        // Only text goes in.
        String::from_utf8(self.bytes).unwrap_or_default()
    }

    /// Opens an object with `{`, an array with `[`.
    pub fn open(&mut self, bracket: char) {
        self.begin();
        self.bytes.push(bracket as u8);
        self.follows = false;
    }

    /// Closes an object with `}`, an array with `]`.
    pub fn close(&mut self, bracket: char) {
        self.bytes.push(bracket as u8);
        self.follows = true;
    }

    /// The name of the next value.
    pub fn key(&mut self, name: &str) {
        self.string(name);
        self.bytes.push(b':');
        self.follows = false;
    }

    /// A string.
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

    /// JSON that was written before, as it is.
    pub fn raw(&mut self, json: &str) {
        self.begin();
        self.bytes.extend_from_slice(json.as_bytes());
    }

    /// A whole number that is not negative.
    pub fn count(&mut self, number: u64) {
        self.number(number);
    }

    /// A whole number.
    pub fn integer(&mut self, number: i64) {
        self.number(number);
    }

    /// A float; null where it is not finite, since JSON has no other.
    pub fn float(&mut self, number: f64) {
        match Number::from_f64(number) {
            Some(number) => self.number(number),
            None => self.null(),
        }
    }

    /// True or false.
    pub fn boolean(&mut self, is_true: bool) {
        self.raw(if is_true { "true" } else { "false" });
    }

    /// Nothing.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// A member of an object whose value is a string.
    pub fn member(&mut self, name: &str, text: &str) {
        self.key(name);
        self.string(text);
    }

    /// An array of strings.
    pub fn strings(&mut self, texts: &[String]) {
        self.open('[');
        for text in texts {
            self.string(text);
        }
        self.close(']');
    }

    /// Any value.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(is_true) => self.boolean(*is_true),
            Value::Number(number) => self.number(number),
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

    /// An object of any values.
    pub fn members(&mut self, members: &Map<String, Value>) {
        self.open('{');
        for (name, value) in members {
            self.key(name);
            self.value(value);
        }
        self.close('}');
    }

    /// A name of ours, which needs no escape.
    pub(crate) fn plain_key(&mut self, name: &'static str) {
        self.begin();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        self.follows = false;
    }

    fn number(&mut self, number: impl fmt::Display) {
        self.begin();
        // Writing to a vector does not fail.
        let _ = write!(self.bytes, "{number}");
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.follows, true) {
            self.bytes.push(b',');
        }
    }
}
