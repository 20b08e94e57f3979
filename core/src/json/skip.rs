//! Skips a value without recursion.

use super::read::{MAX_DEPTH, Reader, Result};

impl Reader<'_> {
    /// Skips the next value.
    pub(super) fn skip(&mut self) -> Result<()> {
        // One bit for each open level, the innermost in the lowest bit: 1 for an object.
        let mut kinds = 0_u128;
        let mut levels = 0;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'-' | b'0'..=b'9' => drop(self.number()?),
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                byte @ (b'{' | b'[') => {
                    if self.depth + levels >= MAX_DEPTH {
                        return Err(self.too_deep());
                    }
                    self.at += 1;
                    let close = if byte == b'{' { b'}' } else { b']' };
                    if self.peek()? == close {
                        self.at += 1;
                    } else {
                        kinds = kinds << 1 | u128::from(byte == b'{');
                        levels += 1;
                        self.skip_name(byte == b'{')?;
                        continue;
                    }
                }
                _ => return Err(self.wrong()),
            }
            loop {
                if levels == 0 {
                    return Ok(());
                }
                let is_object = kinds & 1 == 1;
                match (self.peek()?, is_object) {
                    (b',', _) => {
                        self.at += 1;
                        self.skip_name(is_object)?;
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        self.at += 1;
                        kinds >>= 1;
                        levels -= 1;
                    }
                    _ => return Err(self.wrong()),
                }
            }
        }
    }

    fn skip_name(&mut self, is_object: bool) -> Result<()> {
        if is_object {
            if self.peek()? != b'"' {
                return Err(self.wrong());
            }
            self.skip_string()?;
            self.expect(b':')?;
        }
        Ok(())
    }
}
