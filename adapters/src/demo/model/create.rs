//! Saying what one is told to say, counting, and a few lines of verse.

use super::Prompt;
use super::language::Language;
use super::topic::topic;
use super::words::{strip_word, trim};

/// Says what it is told to say.
pub(super) fn echo(prompt: &Prompt<'_>) -> Option<String> {
    const LEADS: &[&str] = &[
        "reply with exactly",
        "reply with only",
        "reply with",
        "respond with",
        "answer with",
        "repeat after me",
        "repeat",
        "echo",
        "say",
    ];
    let rest = prompt.text;
    let rest = strip_word(rest, "please").map_or(rest, str::trim_start);
    let rest = LEADS
        .iter()
        .find_map(|lead| strip_word(rest, lead))
        .or_else(|| {
            ["请说", "请重复", "重复"]
                .iter()
                .find_map(|lead| rest.strip_prefix(lead))
        })?;
    let quoted = |c: char| c.is_whitespace() || ":：\"'“”‘’「」`".contains(c);
    let said = rest.trim_matches(quoted);
    (!said.is_empty()).then(|| said.to_owned())
}

/// Counts, to a hundred at most.
pub(super) fn count(prompt: &Prompt<'_>) -> Option<String> {
    if !prompt.has_any(&["count to", "count from", "count up", "数到"]) {
        return None;
    }
    let numbers: Vec<u32> = prompt
        .lower
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    let (from, to) = match numbers[..] {
        [to] => (1, to),
        [from, to, ..] => (from, to),
        [] => (1, 10),
    };
    let to = to.min(from.saturating_add(99));
    let numbers: Vec<_> = (from..=to).map(|number| number.to_string()).collect();
    (!numbers.is_empty()).then(|| numbers.join(" "))
}

/// A poem, a story or a joke.
pub(super) fn write(prompt: &Prompt<'_>) -> Option<String> {
    let about = || {
        let (_, behind) = ["about ", "关于"]
            .iter()
            .find_map(|word| prompt.lower.split_once(word))?;
        let behind = trim(behind);
        let tail = ["的诗", "的故事", "的笑话", "的俳句"];
        Some(
            tail.iter()
                .find_map(|tail| behind.strip_suffix(tail))
                .unwrap_or(behind),
        )
    };
    let topic = match (about(), prompt.language) {
        (Some(about), language) => topic(about, language),
        (None, Language::English) => "small programs".to_owned(),
        (None, Language::Chinese) => "小程序".to_owned(),
    };
    if prompt.has_any(&["poem", "haiku", "verse", "一首", "诗", "俳句"]) {
        return prompt.say(
            format!(
                "No cloud, no wire, no distant sea,\n\
                 only {topic} and a rule or three;\n\
                 word by word the lines are sent,\n\
                 and all who wait may rest content."
            ),
            format!("不借云端不借风，\n{topic}在此中；\n一字一句徐徐来，\n离线也能意从容。"),
        );
    }
    if prompt.has_any(&["story", "tale", "故事"]) {
        return prompt.say(
            format!(
                "Once upon a time there was a program that was asked about {topic}. It had no \
                 network and no key, so it told what it could: that someone had asked, and that \
                 every word of the answer arrived in order. And they tested it happily ever after."
            ),
            format!(
                "从前有一个程序，有人向它问起{topic}。它没有网络，也没有密钥，只好讲它能讲的：\
                 有人来问过，而答案的每一个字都按顺序到达。从此大家测试得很愉快。"
            ),
        );
    }
    if prompt.has_any(&["joke", "笑话"]) {
        return prompt.say(
            "Why did the future never finish? Nobody polled it.",
            "为什么那个 future 一直没完成？因为没有人去 poll 它。",
        );
    }
    None
}
