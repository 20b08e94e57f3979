//! What a prompt is about, and the answer where nothing is known about it.

use super::Prompt;
use super::language::Language;
use super::memory::asked_before;
use super::words::{clip, strip_word, trim};

/// What questions and requests begin with.
const LEADS: &[&str] = &[
    "hello",
    "hi",
    "please",
    "can you",
    "could you",
    "would you",
    "will you",
    "do you know",
    "i want to know",
    "i would like to know",
    "tell me",
    "explain to me",
    "explain",
    "describe",
    "give me",
    "show me",
    "help me",
    "teach me",
    "what is",
    "what are",
    "what was",
    "what were",
    "what's",
    "what does",
    "what do you think",
    "what",
    "who is",
    "who was",
    "who are",
    "who",
    "where is",
    "where are",
    "where",
    "when is",
    "when was",
    "when did",
    "when",
    "why is",
    "why are",
    "why do",
    "why does",
    "why did",
    "why",
    "how do i",
    "how do you",
    "how can i",
    "how do",
    "how does",
    "how did",
    "how is",
    "how are",
    "how many",
    "how much",
    "how to",
    "how",
    "which",
    "is it true that",
    "about",
    "of",
    "the",
    "an",
    "a",
    "me",
];
const CHINESE_LEADS: &[&str] = &[
    "请问",
    "请",
    "你能",
    "您能",
    "能否",
    "可以",
    "帮我",
    "告诉我",
    "跟我",
    "给我",
    "解释一下",
    "解释",
    "介绍一下",
    "介绍",
    "说一下",
    "说说",
    "谈谈",
    "讲讲",
    "描述",
    "什么是",
    "为什么",
    "怎么样",
    "怎么",
    "如何",
    "谁是",
    "哪里",
    "关于",
    "一下",
    "，",
    "！",
];
const CHINESE_TAILS: &[&str] = &["是什么", "是谁", "怎么样", "在哪里", "吗", "呢", "吧", "么"];

/// What the prompt is about: what is left of it without the words of a question.
pub(super) fn topic(text: &str, language: Language) -> String {
    let mut rest = trim(text);
    match language {
        Language::English => {
            while let Some(shorter) = LEADS.iter().find_map(|lead| strip_word(rest, lead)) {
                rest = trim(shorter);
            }
        }
        Language::Chinese => {
            while let Some(shorter) = CHINESE_LEADS
                .iter()
                .find_map(|lead| rest.strip_prefix(lead))
            {
                rest = trim(shorter);
            }
            while let Some(shorter) = CHINESE_TAILS
                .iter()
                .find_map(|tail| rest.strip_suffix(tail))
            {
                rest = trim(shorter);
            }
        }
    }
    clip(if rest.is_empty() { trim(text) } else { rest }, 60)
}

/// The answer of a model that knows nothing: it says so, and shows that it has read.
pub(super) fn nothing_known(prompt: &Prompt<'_>) -> Option<String> {
    if prompt.text.is_empty() {
        return prompt.say("You have not said anything yet.", "你还什么都没说。");
    }
    if prompt.has_any(&[
        "tell me more",
        "go on",
        "continue",
        "and why",
        "继续",
        "还有呢",
        "再说",
    ]) && let Some(before) = asked_before(prompt.ask)
    {
        let before = topic(before, Language::of(before));
        return prompt.say(
            format!("There is no more that I know about “{before}”: I am the offline demo model."),
            format!("关于“{before}”，我没有更多可说的：我是离线演示模型。"),
        );
    }
    let topic = topic(prompt.text, prompt.language);
    let is_question = prompt.text.ends_with(['?', '？']) || topic != clip(trim(prompt.text), 60);
    if is_question {
        return prompt.say(
            format!(
                "You ask about “{topic}”. I am the offline demo model, a set of rules inside \
                 this program, and know nothing of the world. With a key in LLM_API_KEY a real \
                 model answers."
            ),
            format!(
                "你问的是“{topic}”。我是离线演示模型，只是这个程序里的一组规则，没有关于世界的知识。\
                 设置 LLM_API_KEY 后，真正的模型会来回答。"
            ),
        );
    }
    prompt.say(
        format!("You said: “{topic}”. I am the offline demo model: I listen, but know little."),
        format!("你说：“{topic}”。我是离线演示模型：我在听，但知道得很少。"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_question_go() {
        for (text, expected) in [
            ("Why is the sky blue?", "sky blue"),
            ("Can you explain to me what a monad is?", "monad is"),
            ("what?", "what"),
            ("为什么天空是蓝色的？", "天空是蓝色的"),
            ("请介绍一下Rust语言", "Rust语言"),
            ("黑洞是什么？", "黑洞"),
        ] {
            assert_eq!(topic(text, Language::of(text)), expected, "{text}");
        }
    }
}
