//! Building blocks for answers.

/// `item(0)`, `item(1)`, … separated by commas, up to about `size` bytes.
pub(super) fn list(size: usize, mut item: impl FnMut(usize) -> String) -> String {
    let mut text = String::with_capacity(size + 64);
    for number in 0.. {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&item(number));
        if text.len() >= size {
            break;
        }
    }
    text
}

/// `item(0)`, `item(1)`, … one after the other, up to about `size` bytes.
pub(super) fn run(size: usize, mut item: impl FnMut(usize) -> String) -> String {
    let mut text = String::with_capacity(size + 64);
    for number in 0.. {
        text.push_str(&item(number));
        if text.len() >= size {
            break;
        }
    }
    text
}

/// `text`, repeated up to about `size` bytes.
pub(super) fn repeat(size: usize, text: &str) -> String {
    text.repeat(size.div_ceil(text.len()))
}

/// One event of a stream.
pub(super) fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// As many nested levels as fit into `size` bytes.
pub(super) fn nested(size: usize, open: &str, close: &str) -> String {
    let levels = size / (open.len() + close.len());
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

/// A list of values with the deepest nesting allowed, inside `outside` levels.
pub(super) fn deep(size: usize, outside: usize) -> String {
    let levels = 127 - outside;
    let one = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    list(size, |_| one.clone())
}

/// Numbers that take the longest to parse.
pub(super) fn float(number: usize) -> String {
    match number % 3 {
        0 => format!("{}.7e-307", 10_000_000 + number),
        // Halfway between two floats, but for its last digit.
        1 => format!("{}.{}1", (1_u64 << 53) + 1, "0".repeat(30)),
        _ => format!("0.{}{number}e-290", "3".repeat(20)),
    }
}
