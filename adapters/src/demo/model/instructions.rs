//! What the system prompt demands, as far as a demo model understands it.

use super::language::Language;
use super::words::clip;

/// Words that ask for a short answer.
const BRIEF: &[&str] = &[
    "one sentence",
    "single sentence",
    "brief",
    "concise",
    "short",
    "terse",
    "一句话",
    "简短",
    "简洁",
    "简明",
];
const UPPER: &[&str] = &["uppercase", "upper case", "capital letters", "大写"];
const CHINESE: &[&str] = &[
    "in chinese",
    "speak chinese",
    "用中文",
    "中文回答",
    "说中文",
];
const ENGLISH: &[&str] = &[
    "in english",
    "speak english",
    "用英文",
    "用英语",
    "英文回答",
];
/// What a persona stands behind.
const PERSONA: &[&str] = &["you are ", "you're ", "act as ", "你是", "扮演"];

#[derive(Debug, Default)]
pub(super) struct Instructions {
    brief: bool,
    upper: bool,
    pub(super) language: Option<Language>,
    /// Who the model is to be.
    pub(super) persona: Option<String>,
    /// The prompt itself, where nothing in it was understood.
    other: Option<String>,
}

impl Instructions {
    pub(super) fn read(system: &str) -> Self {
        let system = system.trim();
        let lower = system.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let language = match (has(CHINESE), has(ENGLISH)) {
            (true, false) => Some(Language::Chinese),
            (false, true) => Some(Language::English),
            _ => None,
        };
        let mut read = Self {
            brief: has(BRIEF),
            upper: has(UPPER),
            language,
            persona: persona(system),
            other: None,
        };
        let understood = read.brief || read.upper || language.is_some() || read.persona.is_some();
        if !understood && !system.is_empty() {
            read.other = Some(clip(system, 60));
        }
        read
    }

    /// Makes an answer what was demanded.
    pub(super) fn shape(&self, mut answer: String, language: Language) -> String {
        if self.brief {
            answer.truncate(first_sentence(&answer).len());
        }
        // "A helpful assistant" is what every model is: nothing to make a show of.
        let role = self.persona.as_deref().filter(|role| {
            !["assistant", "助手", "助理"]
                .iter()
                .any(|word| role.contains(word))
        });
        answer = match (role, language) {
            (Some(role), Language::English) => format!("Speaking as {role}: {answer}"),
            (Some(role), Language::Chinese) => format!("作为{role}：{answer}"),
            (None, _) => answer,
        };
        if let Some(other) = &self.other {
            answer += &match language {
                Language::English => format!(" (Kept in mind: “{other}”.)"),
                Language::Chinese => format!("（已记住要求：“{other}”。）"),
            };
        }
        match self.upper {
            true => answer.to_uppercase(),
            false => answer,
        }
    }
}

/// What stands behind "you are", up to the end of its clause.
fn persona(system: &str) -> Option<String> {
    // Only ASCII is lowered, so that places in both texts are the same.
    let lower = system.to_ascii_lowercase();
    let start = PERSONA
        .iter()
        .filter_map(|lead| lower.find(lead).map(|place| place + lead.len()))
        .min()?;
    let rest = &system[start..];
    let end = rest
        .find(['.', ',', ';', ':', '!', '\n', '。', '，', '；', '：', '！'])
        .unwrap_or(rest.len());
    let role = rest[..end].trim();
    (!role.is_empty()).then(|| clip(role, 40))
}

/// The first sentence of `text`, with its full stop.
fn first_sentence(text: &str) -> &str {
    let mut chars = text.char_indices().peekable();
    while let Some((place, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match c {
            '。' | '！' | '？' => true,
            '.' | '!' | '?' => next.is_none_or(char::is_whitespace),
            _ => false,
        };
        if ends {
            return &text[..place + c.len_utf8()];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(system: &str, answer: &str) -> String {
        Instructions::read(system).shape(answer.to_owned(), Language::of(answer))
    }

    #[test]
    fn each_demand_shows() {
        for (system, expected) in [
            ("", "It is 2.5. So it is."),
            ("You are a helpful assistant.", "It is 2.5. So it is."),
            ("Answer in one sentence.", "It is 2.5."),
            ("ALL CAPITAL LETTERS", "IT IS 2.5. SO IT IS."),
            (
                "You are a pirate. Be brief.",
                "Speaking as a pirate: It is 2.5.",
            ),
            (
                "Mind the gap",
                "It is 2.5. So it is. (Kept in mind: “Mind the gap”.)",
            ),
        ] {
            assert_eq!(shaped(system, "It is 2.5. So it is."), expected, "{system}");
        }
        assert_eq!(
            shaped("你是一位诗人。请用一句话回答", "好。很好。"),
            "作为一位诗人：好。"
        );
        let language = |system| Instructions::read(system).language;
        assert_eq!(
            language("Always answer in Chinese."),
            Some(Language::Chinese)
        );
        assert_eq!(language("请用英文回答"), Some(Language::English));
    }
}
