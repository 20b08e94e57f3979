//! Reads the items of an input one by one.

use std::io::{self, Read};

use chatcore::journal::Item;
use chatcore::{ChatRequest, Error, ErrorKind, Message};

use super::line::{self, Format};
use super::lines::{LONGEST_LINE, Line, Lines};
use super::tag::digest;

/// The items of an input, read one at a time, in constant memory.
///
/// ```
/// use chatcore_adapters::journal::files::{Format, Items};
///
/// let text = "{\"prompt\": \"one\"}\n{\"prompt\": \"two\"}\n";
/// let items = Items::new(std::io::Cursor::new(text), Format::Auto)?;
/// let names: Vec<_> = items.map(|item| item.unwrap().id).collect();
/// assert_eq!(names, ["request-1", "request-2"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Items {
    lines: Lines,
    format: Format,
}

/// A line without its request.
pub(in crate::journal) struct Head {
    pub(in crate::journal) number: u64,
    #[cfg(feature = "journal-files")]
    pub(in crate::journal) digest: u64,
    /// The digest of the line's `custom_id`, if it has one, or the line's error.
    pub(in crate::journal) name: Result<Option<u64>, Error>,
}

impl Items {
    /// Reads the items of a file or a pipe, which may be compressed with gzip or zstd.
    ///
    /// # Errors
    /// Errors of the reader.
    pub fn new(from: impl Read + Send + 'static, format: Format) -> io::Result<Self> {
        let lines = Lines::new(Box::new(from))?;
        Ok(Self { lines, format })
    }

    /// The format of the lines: [`Format::Auto`] until the first line is read.
    #[cfg(feature = "postgres")]
    pub(in crate::journal) fn format(&self) -> Format {
        self.format
    }

    /// The next line's head. A line for which `is_known` returns true was checked in an earlier
    /// run, so only its name is read.
    #[cfg(feature = "journal-files")]
    pub(in crate::journal) fn head(
        &mut self,
        is_known: impl Fn(u64) -> bool,
    ) -> io::Result<Option<Head>> {
        let next = self.checked_line(is_known)?;
        Ok(next.map(|(head, _)| head))
    }

    /// The next line's head, and the line without its line end and surrounding white space.
    #[cfg(feature = "postgres")]
    pub(in crate::journal) fn head_and_line(&mut self) -> io::Result<Option<(Head, &[u8])>> {
        self.checked_line(|_| false)
    }

    fn checked_line(
        &mut self,
        is_known: impl Fn(u64) -> bool,
    ) -> io::Result<Option<(Head, &[u8])>> {
        let Some(line) = self.lines.next()? else {
            return Ok(None);
        };
        let text = text(&line, &mut self.format)?;
        let head = Head {
            number: line.number,
            #[cfg(feature = "journal-files")]
            digest: digest(line.bytes),
            name: match (text, self.format) {
                (Ok(_), Format::Text) => Ok(None),
                (Ok(text), _) => {
                    let known = is_known(line.number).then(|| line::leading_custom_id(text));
                    let id = match known.flatten() {
                        Some(id) => Ok(Some(id.into())),
                        None => line::checked_custom_id(text),
                    };
                    id.map(|id| id.map(|id| digest(id.as_bytes())))
                }
                (Err(error), _) => Err(error),
            }
            .map_err(|error| at_line(line.number, &error)),
        };
        Ok(Some((head, line.bytes)))
    }

    /// The next item whose line number `is_wanted` accepts, with the length of its line in bytes.
    pub(in crate::journal) fn next_wanted(
        &mut self,
        is_wanted: impl Fn(u64) -> bool,
    ) -> io::Result<Option<(Item, usize)>> {
        while let Some(line) = self.lines.next()? {
            let number = line.number;
            let text = text(&line, &mut self.format)?;
            if !is_wanted(number) {
                continue;
            }
            let item = item_of(number, line.bytes, text, self.format);
            return Ok(Some((item, line.bytes.len())));
        }
        Ok(None)
    }
}

impl Iterator for Items {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_wanted(|_| true).transpose()?;
        Some(next.map(|(item, _)| item))
    }
}

/// The item on a line that was read before.
#[cfg(feature = "postgres")]
pub(in crate::journal) fn item(number: u64, line: &[u8], format: Format) -> Item {
    let line = Line {
        number,
        bytes: line,
        is_cut: line.len() >= LONGEST_LINE,
    };
    item_of(number, line.bytes, line_text(&line), format)
}

fn item_of(number: u64, line: &[u8], text: Result<&str, Error>, format: Format) -> Item {
    let (id, request) = match (text, format) {
        (Ok(text), Format::Text) => (None, Ok(ChatRequest::new([Message::user(text)]))),
        (Ok(text), _) => match line::named_request(text) {
            Ok((Some(id), request)) => (Some(id.into()), Ok(request)),
            other => match line::custom_id(text) {
                Ok(id) => (id, other.map(|(_, request)| request)),
                Err(error) => (None, Err(error)),
            },
        },
        (Err(error), _) => (None, Err(error)),
    };
    Item {
        place: number,
        id: id.map_or_else(|| line::own_name(number), |id| id.into_owned()),
        tag: digest(line),
        request: request.map_err(|error| at_line(number, &error)),
    }
}

/// The text of a line. The first line decides the format of all lines. The outer error concerns the
/// whole input.
fn text<'a>(line: &Line<'a>, format: &mut Format) -> io::Result<Result<&'a str, Error>> {
    if *format == Format::Auto {
        *format = match line.bytes.first() {
            Some(b'{') => Format::Json,
            Some(b'[') => return Err(io::Error::new(io::ErrorKind::InvalidData, array())),
            _ => Format::Text,
        };
    }
    Ok(line_text(line))
}

/// The error of an input that is probably a JSON array.
fn array() -> Error {
    let why = "it begins with [, as a JSON array does: write each request on a line of its own (jq -c \
               '.[]' does that); if each line is a prompt, choose the format text (--format text)";
    Error::new(ErrorKind::InvalidInput, why).with_code(Some("json_array".to_owned()))
}

fn line_text<'a>(line: &Line<'a>) -> Result<&'a str, Error> {
    let wrong = |why: String| {
        Error::new(ErrorKind::InvalidInput, why).with_code(Some("invalid_line".to_owned()))
    };
    if line.is_cut {
        return Err(wrong(format!("it is longer than {LONGEST_LINE} bytes")));
    }
    std::str::from_utf8(line.bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))
}

fn at_line(number: u64, error: &Error) -> Error {
    let why = format!(
        "line {number} of the input cannot be run: {}",
        error.message()
    );
    Error::new(error.kind(), why).with_code(error.code().map(str::to_owned))
}

impl std::fmt::Debug for Items {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &'static str, format: Format) -> Vec<Item> {
        let items = Items::new(io::Cursor::new(text), format).unwrap();
        items.map(Result::unwrap).collect()
    }

    #[test]
    fn the_first_line_says_how_all_are_written() {
        let json = items(
            "{\"custom_id\":\"a\",\"prompt\":\"x\"}\nplain\n",
            Format::Auto,
        );
        assert_eq!((json[0].id.as_str(), json[0].place), ("a", 1));
        let error = json[1].request.as_ref().unwrap_err();
        assert!(
            error.message().starts_with("line 2 of the input"),
            "{error}"
        );
        let text = items("plain\n\n{\"prompt\":\"x\"}\n", Format::Auto);
        assert_eq!((text[1].id.as_str(), text[1].place), ("request-3", 3));
        let request = text[1].request.as_ref().unwrap();
        assert_eq!(request.messages, [Message::user("{\"prompt\":\"x\"}")]);
        assert!(items("plain", Format::Json)[0].request.is_err());
        let brace = items("{ is a brace", Format::Text);
        assert!(brace[0].request.is_ok());
    }

    #[test]
    fn an_array_is_refused_unless_its_lines_are_prompts() {
        let text = "\n [{\"prompt\":\"x\"},\n{\"prompt\":\"y\"}]\n";
        let mut read = Items::new(io::Cursor::new(text), Format::Auto).unwrap();
        let error = read.next().unwrap().unwrap_err();
        assert!(error.to_string().contains("--format text"), "{error}");
        assert_eq!(items(text, Format::Text).len(), 2);
    }

    #[test]
    fn a_line_whose_custom_id_is_no_id_is_not_run() {
        let read = items(
            "{\"custom_id\":7,\"prompt\":\"x\"}\n{\"custom_id\":[7],\"prompt\":\"y\"}\n",
            Format::Auto,
        );
        assert_eq!(read[0].id, "7");
        assert!(read[0].request.is_ok());
        assert_eq!(read[1].id, "request-2");
        let error = read[1].request.as_ref().unwrap_err();
        assert!(error.message().contains("its custom_id is [7]"), "{error}");
    }
}
