//! Tells whether JSON that arrives in pieces is complete.

/// The state of an object or array that arrives in pieces. Each byte is read once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    depth: usize,
    has_begun: bool,
    in_string: bool,
    is_escaped: bool,
}

impl Shape {
    /// Reads the next piece.
    pub(super) fn take(&mut self, piece: &str) {
        for byte in piece.bytes() {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.has_begun = true;
                    self.depth += 1;
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// Whether the object or array has begun and not ended.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Whether the object or array has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.has_begun && self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_end_where_their_brackets_do() {
        for (pieces, is_closed) in [
            (&[""][..], false),
            (&["null"], false),
            (&["{}"], true),
            (&["{", "}"], true),
            (&["{\"a\":[1,{", "}]", "}"], true),
            (&["{\"a\":\"}", "\""], false),
            (&["{\"a\":\"\\", "\"}\"", "}"], true),
            (&["{\"a\":\"\\\\", "\"", "}"], true),
            (&[" [", "] "], true),
        ] {
            let mut shape = Shape::default();
            pieces.iter().for_each(|piece| shape.take(piece));
            assert_eq!(shape.is_closed(), is_closed, "{pieces:?}");
        }
    }
}
