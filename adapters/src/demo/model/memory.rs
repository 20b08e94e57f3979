//! What the conversation said before.

use super::Prompt;
use super::words::{clip, trim};
use crate::demo::ask::{Ask, Speaker};

/// Answers questions about the conversation itself.
pub(super) fn recall(prompt: &Prompt<'_>) -> Option<String> {
    if prompt.has_any(&[
        "summarize our",
        "summarise our",
        "sum up our",
        "总结对话",
        "总结我们",
    ]) {
        return summary(prompt);
    }
    if prompt.has_any(&[
        "what did you say",
        "what did you just say",
        "你刚才说",
        "你说了什么",
    ]) {
        return said_by(prompt, Speaker::Model);
    }
    const ASKED: &[&str] = &[
        "did i say",
        "did i just say",
        "did i ask",
        "did i just ask",
        "i said before",
        "my first question",
        "my first message",
        "my last question",
        "my previous question",
        "我刚才",
        "我刚刚",
        "我之前",
        "我说了什么",
        "我问了什么",
        "我的第一个问题",
    ];
    if prompt.has_any(ASKED) {
        return said_by(prompt, Speaker::User);
    }
    my_fact(prompt)
}

/// What the user asked before the last message.
pub(super) fn asked_before(ask: &Ask) -> Option<&str> {
    earlier(ask, Speaker::User).next_back()
}

fn earlier(ask: &Ask, speaker: Speaker) -> impl DoubleEndedIterator<Item = &str> {
    let before = ask.turns.split_last().map_or(&[][..], |(_, before)| before);
    before
        .iter()
        .filter(move |turn| turn.speaker == speaker && !turn.text.is_empty())
        .map(|turn| turn.text.trim())
}

fn said_by(prompt: &Prompt<'_>, speaker: Speaker) -> Option<String> {
    let mut said = earlier(prompt.ask, speaker);
    let first = prompt.has_any(&["first", "第一"]);
    let said = if first { said.next() } else { said.next_back() };
    let Some(said) = said.map(|said| clip(said, 200)) else {
        return prompt.say(
            "This conversation has only begun: nothing was said before.",
            "对话才刚刚开始：之前什么都没有说过。",
        );
    };
    match speaker {
        Speaker::User => prompt.say(format!("You said: “{said}”"), format!("你说过：“{said}”")),
        _ => prompt.say(format!("I said: “{said}”"), format!("我说过：“{said}”")),
    }
}

fn summary(prompt: &Prompt<'_>) -> Option<String> {
    let said: Vec<_> = earlier(prompt.ask, Speaker::User)
        .map(|said| format!("“{}”", clip(said, 60)))
        .collect();
    if said.is_empty() {
        return said_by(prompt, Speaker::User);
    }
    prompt.say(
        format!("You said {}.", said.join(", then ")),
        format!("你先后说了：{}。", said.join("、")),
    )
}

/// "What is my …?" is answered by an earlier "my … is".
fn my_fact(prompt: &Prompt<'_>) -> Option<String> {
    let lower = trim(&prompt.lower);
    let what = if prompt.has_any(&["who am i", "我是谁", "我叫什么", "我的名字"]) {
        "name"
    } else if let Some((_, what)) = ["what is my ", "what's my ", "remember my "]
        .iter()
        .find_map(|lead| lower.split_once(lead))
    {
        what
    } else {
        lower.strip_prefix("我的")?.strip_suffix("是什么")?
    };
    let leads = match what {
        "name" => [
            "my name is ",
            "call me ",
            "i am ",
            "i'm ",
            "我叫",
            "我的名字是",
            "我是",
        ]
        .map(str::to_owned)
        .to_vec(),
        what => vec![format!("my {what} is "), format!("我的{what}是")],
    };
    let told = earlier(prompt.ask, Speaker::User)
        .rev()
        .find_map(|said| leads.iter().find_map(|lead| behind(said, lead)));
    match (told, what) {
        (Some(told), "name") => prompt.say(
            format!("Your name is {told}: you told me so."),
            format!("你叫{told}：这是你告诉我的。"),
        ),
        (Some(told), what) => prompt.say(
            format!("Your {what} is {told}: you told me so."),
            format!("你的{what}是{told}：这是你告诉我的。"),
        ),
        (None, _) => prompt.say("You have not told me.", "你还没有告诉我。"),
    }
}

/// What stands behind `lead`, up to the end of its clause.
fn behind(text: &str, lead: &str) -> Option<String> {
    // Only ASCII is lowered, so that places in both texts are the same.
    let lower = text.to_ascii_lowercase();
    let start = lower
        .match_indices(lead)
        .map(|(place, _)| place)
        .find(|&place| !lower[..place].ends_with(|c: char| c.is_ascii_alphanumeric()))?;
    let rest = &text[start + lead.len()..];
    let end = rest
        .find(['.', ',', ';', '!', '?', '\n', '。', '，', '；', '！', '？'])
        .unwrap_or(rest.len());
    let told = rest[..end].split(" and ").next().unwrap_or_default().trim();
    (!told.is_empty()).then(|| clip(told, 60))
}
