//! Caps the text of a result, so that the conversation stays small enough to be sent.

use crate::chat::{Part, Text};

/// Cuts the text in `content` after `limit` bytes, at a character's boundary, and adds a note for
/// the model. Images and files are kept.
pub(super) fn cap(content: &mut Vec<Part>, limit: usize) {
    let size = |part: &Part| match part {
        Part::Text(Text { text, .. }) => text.len(),
        _ => 0,
    };
    let whole = content.iter().map(size).fold(0, usize::saturating_add);
    if whole <= limit {
        return;
    }
    let (mut left, mut is_cut) = (limit, false);
    content.retain_mut(|part| {
        let Part::Text(Text { text, .. }) = part else {
            return true;
        };
        if is_cut {
            return false;
        }
        match left.checked_sub(text.len()) {
            Some(rest) => left = rest,
            None => {
                is_cut = true;
                let end = (0..=left).rev().find(|end| text.is_char_boundary(*end));
                text.truncate(end.unwrap_or_default());
                // A result may be a buffer of many megabytes.
                text.shrink_to_fit();
                text.push_str(&note(limit, whole));
            }
        }
        true
    });
}

/// As the npm package says it in `wasm/ts/tools/output.ts`.
fn note(limit: usize, whole: usize) -> String {
    format!(
        "\n\n[The result was cut after {limit} of {whole} bytes of text. Ask for less at once if \
         you need the rest.]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capped(texts: &[&str], limit: usize) -> Vec<Part> {
        let mut content: Vec<_> = texts.iter().map(|text| Part::text(*text)).collect();
        cap(&mut content, limit);
        content
    }

    #[test]
    fn what_fits_is_not_changed() {
        for texts in [&[][..], &[""], &["ab", "cd"], &["éé"]] {
            let whole: Vec<_> = texts.iter().map(|text| Part::text(*text)).collect();
            assert_eq!(capped(texts, 4), whole);
        }
    }

    #[test]
    fn text_is_cut_at_a_character_and_parts_after_it_are_left_out() {
        assert_eq!(
            capped(&["ab", "cé", "ef"], 4),
            [Part::text("ab"), Part::text(format!("c{}", note(4, 7))),]
        );
        assert_eq!(capped(&["ab"], 0), [Part::text(note(0, 2))]);
    }
}
