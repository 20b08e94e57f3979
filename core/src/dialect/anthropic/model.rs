//! What Claude models differ in, by the version in their names.

use crate::find::find;

/// What a model takes. Newer models are taken to be like the newest that is known here, and
/// models of other makers, behind servers that speak this protocol, like the older ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// `temperature` and `top_p`. From 4.7 on they are refused.
    pub(super) takes_sampling: bool,
    /// `temperature` and `top_p` in one request. From 4.1 on that is refused.
    pub(super) takes_both: bool,
    /// Reasoning as much as it sees fit, guided by an effort. Before 4.6 it has a budget instead.
    pub(super) is_adaptive: bool,
}

impl Model {
    pub(super) fn of(name: &str) -> Self {
        let version = version(name);
        let since = |first| version.is_some_and(|version| version >= first);
        Self {
            takes_sampling: !since((4, 7)),
            takes_both: !since((4, 1)),
            is_adaptive: since((4, 6)),
        }
    }
}

/// `claude-3-5-sonnet-20241022` is 3.5, `anthropic/claude-opus-4.7` is 4.7, and a Claude without
/// a number the newest. `None` for another maker's model.
fn version(name: &str) -> Option<(u32, u32)> {
    // Longer numbers are dates.
    let number = |word: &str| match word.len() {
        1 | 2 => word.parse().ok(),
        _ => None,
    };
    let rest = &name[find(name, "claude")? + "claude".len()..];
    let mut words = rest.split(|c: char| !c.is_ascii_alphanumeric());
    let newest = (u32::MAX, 0);
    let Some(major) = words.find_map(number) else {
        return Some(newest);
    };
    Some((major, words.next().and_then(number).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (name, expected) in [
            ("claude-3-haiku-20240307", Some((3, 0))),
            ("claude-3-5-sonnet-20241022", Some((3, 5))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("claude-haiku-4-5", Some((4, 5))),
            ("claude-haiku-4-5-20251001", Some((4, 5))),
            ("claude-opus-4-7", Some((4, 7))),
            ("anthropic/claude-opus-4.7", Some((4, 7))),
            ("us.anthropic.claude-opus-4-6-v1:0", Some((4, 6))),
            ("claude-opus-10-11", Some((10, 11))),
            ("claude-fable-5", Some((5, 0))),
            ("claude-mythos-preview", Some((u32::MAX, 0))),
            ("qwen3-8b", None),
            ("", None),
        ] {
            assert_eq!(version(name), expected, "{name}");
        }
    }

    #[test]
    fn what_a_model_takes() {
        let takes = |name| {
            let model = Model::of(name);
            (model.takes_sampling, model.takes_both, model.is_adaptive)
        };
        assert_eq!(takes("claude-3-5-haiku-latest"), (true, true, false));
        assert_eq!(takes("claude-haiku-4-5"), (true, false, false));
        assert_eq!(takes("claude-sonnet-4-6"), (true, false, true));
        assert_eq!(takes("claude-opus-4-8"), (false, false, true));
        assert_eq!(takes("claude-next"), (false, false, true));
        assert_eq!(takes("kimi-k2"), (true, true, false));
    }
}
