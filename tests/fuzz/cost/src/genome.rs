//! Answers of any size: a beginning, a repeated unit, and an end.

use crate::search::Random;

/// Pieces of answers. `#` is replaced by the unit's number, `%` by the same number in hexadecimal.
const PIECES: &[&str] = &[
    "data: ",
    "data:",
    "event: error\n",
    "event: ping\n",
    "event: x\n",
    "id: 1\n",
    ":",
    "error: ",
    "\n",
    "\n\n",
    "\r\n",
    "[DONE]",
    "{",
    "}",
    "[",
    "]",
    "{}",
    "[]",
    ",",
    ":",
    "\"",
    "\"a\"",
    "\"#\"",
    "\"%\"",
    "\"#\":1",
    "\"%\":1",
    "#",
    "0",
    "1",
    "-1",
    "1.5e-300",
    "null",
    "true",
    "false",
    "\\n",
    "\\u0061",
    "\\ud83d",
    "\\ude00",
    " ",
    "\"\":",
    "\"text\":",
    "\"type\":",
    "\"id\":",
    "\"index\":",
    "\"name\":",
    "\"error\":",
    "\"message\":",
    "\"usage\":",
    "\"content\":",
    "\"content\":\"a\"",
    "\"choices\":[",
    "\"choices\":[{\"delta\":{",
    "\"choices\":[{\"message\":{",
    "}}]}",
    "\"delta\":{",
    "\"finish_reason\":\"stop\"",
    "\"tool_calls\":[{",
    "\"function\":{",
    "\"arguments\":",
    "\"function_call\":{",
    "\"reasoning\":",
    "\"reasoning_details\":[{",
    "\"logprobs\":",
    "\"refusal\":",
    "\"thinking\":",
    "\"base_resp\":{",
    "\"code\":1",
    "\"detail\":",
    "\"prompt_tokens\":",
    "\"object\":\"error\"",
    "\"type\":\"message_start\"",
    "\"type\":\"content_block_start\"",
    "\"type\":\"content_block_delta\"",
    "\"type\":\"content_block_stop\"",
    "\"type\":\"message_delta\"",
    "\"type\":\"text\"",
    "\"type\":\"tool_use\"",
    "\"type\":\"thinking\"",
    "\"type\":\"x\"",
    "\"content_block\":{",
    "\"type\":\"text_delta\"",
    "\"type\":\"input_json_delta\"",
    "\"type\":\"citations_delta\"",
    "\"partial_json\":\"1\"",
    "\"citation\":",
    "\"stop_reason\":\"end_turn\"",
    "\"input\":",
    "\"output_tokens\":1",
    "\"signature\":",
    "\"type\":\"response.output_item.added\"",
    "\"type\":\"response.output_item.done\"",
    "\"type\":\"response.output_text.delta\"",
    "\"type\":\"response.output_text.done\"",
    "\"type\":\"response.content_part.done\"",
    "\"type\":\"response.reasoning_summary_text.delta\"",
    "\"type\":\"response.function_call_arguments.delta\"",
    "\"type\":\"response.output_text.annotation.added\"",
    "\"type\":\"response.completed\"",
    "\"type\":\"message\"",
    "\"type\":\"reasoning\"",
    "\"type\":\"function_call\"",
    "\"type\":\"output_text\"",
    "\"output_index\":",
    "\"content_index\":",
    "\"summary_index\":",
    "\"item_id\":",
    "\"item\":{",
    "\"part\":{",
    "\"response\":{",
    "\"output\":[",
    "\"summary\":[",
    "\"annotation\":",
    "\"delta\":\"a\"",
    "\"text\":\"a\"",
    "\"name\":\"f\"",
];

/// The description of an answer, as indexes into [`PIECES`].
#[derive(Clone, Debug, Default)]
pub struct Genome {
    begin: Vec<usize>,
    unit: Vec<usize>,
    end: Vec<usize>,
}

impl Genome {
    /// The genome of these texts, which must consist of [`PIECES`].
    pub fn of(begin: &str, unit: &str, end: &str) -> Self {
        let [begin, unit, end] = [begin, unit, end].map(pieces_of);
        Self { begin, unit, end }
    }

    /// Builds an answer of about `size` bytes.
    pub fn build(&self, size: usize) -> String {
        let mut text = String::with_capacity(size + 256);
        write(&self.begin, 0, &mut text);
        for number in 0.. {
            let before = text.len();
            write(&self.unit, number, &mut text);
            if text.len() >= size || text.len() == before {
                break;
            }
        }
        write(&self.end, 0, &mut text);
        text
    }

    /// The texts of the beginning, one unit and the end.
    pub fn shown(&self) -> [String; 3] {
        [&self.begin, &self.unit, &self.end].map(|part| {
            let mut text = String::new();
            part.iter().for_each(|piece| text.push_str(PIECES[*piece]));
            text
        })
    }

    /// A copy with a few random changes.
    pub fn changed(&self, random: &mut Random) -> Self {
        let mut changed = self.clone();
        for _ in 0..=random.below(3) {
            let part = match random.below(4) {
                0 => &mut changed.begin,
                1 => &mut changed.end,
                _ => &mut changed.unit,
            };
            let at = random.below(part.len() + 1);
            let piece = random.below(PIECES.len());
            match random.below(4) {
                0 if at < part.len() => drop(part.remove(at)),
                1 if at < part.len() => part[at] = piece,
                2 if part.len() > 1 => {
                    let other = random.below(part.len());
                    part.swap(at.min(other), other);
                }
                _ if part.len() < 24 => part.insert(at, piece),
                _ => {}
            }
        }
        changed
    }

    /// A random mix of this genome and another.
    pub fn crossed(&self, other: &Self, random: &mut Random) -> Self {
        let pick = |left: &Vec<usize>, right: &Vec<usize>, random: &mut Random| {
            let (left, right) = match random.below(2) {
                0 => (left, right),
                _ => (right, left),
            };
            let at = random.below(left.len() + 1);
            let from = random.below(right.len() + 1);
            let both = left[..at].iter().chain(&right[from..]);
            both.copied().take(24).collect()
        };
        Self {
            begin: pick(&self.begin, &other.begin, random),
            unit: pick(&self.unit, &other.unit, random),
            end: pick(&self.end, &other.end, random),
        }
    }
}

fn write(part: &[usize], number: usize, text: &mut String) {
    for piece in part {
        for letter in PIECES[*piece].chars() {
            match letter {
                '#' => text.push_str(&number.to_string()),
                '%' => text.push_str(&format!("{number:x}")),
                letter => text.push(letter),
            }
        }
    }
}

/// Splits `text` into pieces, and always takes the longest that fits.
fn pieces_of(mut text: &str) -> Vec<usize> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let fits = (0..PIECES.len()).filter(|piece| text.starts_with(PIECES[*piece]));
        let longest = fits.max_by_key(|piece| PIECES[*piece].len());
        let piece = longest.unwrap_or_else(|| panic!("there is no piece for {text:?}"));
        pieces.push(piece);
        text = &text[PIECES[piece].len()..];
    }
    pieces
}
