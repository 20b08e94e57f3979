//! Decides which texts go into one request for embeddings.

use super::estimate;
use crate::dialect::EmbedLimits;

/// Splits `inputs` into as few runs as possible, one run per request, in their order. A text that
/// is too long by itself gets a run of its own, so that the provider reports what is wrong with it.
///
/// A run takes at most half of the tokens and of the `bytes` that a request may have, because code
/// may take more tokens than the estimate, and escapes make a text longer in JSON.
pub(crate) fn split(inputs: Vec<String>, limits: EmbedLimits, bytes: usize) -> Vec<Vec<String>> {
    let most = Size {
        inputs: limits.inputs.max(1),
        tokens: limits.tokens.map_or(u64::MAX, |tokens| tokens / 2),
        bytes: bytes / 2,
    };
    let mut runs = Vec::new();
    let mut run = Vec::new();
    let mut size = Size::default();
    for input in inputs {
        let with = size.with(&input, limits.tokens.is_some());
        let fits =
            with.inputs <= most.inputs && with.tokens <= most.tokens && with.bytes <= most.bytes;
        size = match fits || run.is_empty() {
            true => with,
            false => {
                runs.push(std::mem::take(&mut run));
                Size::default().with(&input, limits.tokens.is_some())
            }
        };
        run.push(input);
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

/// The size of a run.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    inputs: usize,
    tokens: u64,
    bytes: usize,
}

impl Size {
    fn with(self, input: &str, counts_tokens: bool) -> Self {
        let tokens = match counts_tokens {
            true => estimate::text(input),
            false => 0,
        };
        Self {
            inputs: self.inputs + 1,
            tokens: self.tokens.saturating_add(tokens),
            bytes: self.bytes.saturating_add(input.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(inputs: &[usize], limits: EmbedLimits, bytes: usize) -> Vec<Vec<usize>> {
        let inputs = inputs.iter().map(|length| "x".repeat(*length)).collect();
        let runs = split(inputs, limits, bytes);
        let lengths = |run: &Vec<String>| run.iter().map(String::len).collect();
        runs.iter().map(lengths).collect()
    }

    #[test]
    fn a_run_ends_where_a_limit_is_reached() {
        let three = EmbedLimits::new(3);
        let roomy = usize::MAX;
        assert_eq!(lengths(&[], three, roomy), Vec::<Vec<usize>>::new());
        assert_eq!(lengths(&[1, 2, 3], three, roomy), [[1, 2, 3]]);
        let runs = lengths(&[1, 2, 3, 4], three, roomy);
        assert_eq!(runs, [vec![1, 2, 3], vec![4]]);
        // At most half of the bytes.
        assert_eq!(lengths(&[5, 5, 5], three, 20), [vec![5, 5], vec![5]]);
        // At most half of the tokens: 40 characters are 10 tokens.
        let tokens = EmbedLimits::new(9).with_tokens(40);
        let runs = lengths(&[40, 40, 1, 40], tokens, roomy);
        assert_eq!(runs, [vec![40, 40], vec![1, 40]]);
    }

    #[test]
    fn what_fits_nowhere_stands_alone() {
        let tokens = EmbedLimits::new(9).with_tokens(20);
        let runs = lengths(&[4, 400, 4], tokens, usize::MAX);
        assert_eq!(runs, [[4], [400], [4]]);
        assert_eq!(lengths(&[9, 9], EmbedLimits::new(0), 1), [[9], [9]]);
    }
}
