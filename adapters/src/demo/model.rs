//! The rules by which the demo model answers.

use chatcore::{ChatEvent, FinishReason, Usage};
use serde_json::{Value, json};

use super::ask::Ask;
use super::sums;
use super::tokens::{is_wide, tokens};

/// The events of an answer, one for each token.
pub(super) fn answer(ask: &Ask, id: &str) -> Vec<ChatEvent> {
    let (role, prompt) = ask
        .turns
        .last()
        .map_or(("", ""), |(role, text)| (role, text.trim()));
    let tool = ask.tools.iter().find(|(name, _)| is_named(prompt, name));
    let tool = tool.or(ask.tools.first().filter(|_| ask.must_call));
    // After the result of a tool, the model answers with text.
    let tool = tool.filter(|_| role == "user");
    let (mut text, mut reason) = match tool {
        Some((_, schema)) => {
            let mut numbers = numbers(prompt).into_iter();
            let arguments = fill(schema, prompt, &mut numbers, 0);
            (arguments.to_string(), FinishReason::ToolCalls)
        }
        None if role == "tool" => (
            say(prompt, "The tool returned: {}", "工具返回了：{}"),
            FinishReason::Stop,
        ),
        None => match &ask.schema {
            Some(schema) => {
                let mut numbers = numbers(prompt).into_iter();
                let value = fill(schema, prompt, &mut numbers, 0);
                (value.to_string(), FinishReason::Stop)
            }
            None => (speak(ask, prompt), FinishReason::Stop),
        },
    };
    if let Some(end) = ask
        .stop
        .iter()
        .filter_map(|stop| text.find(stop.as_str()))
        .min()
    {
        text.truncate(end);
    }
    let mut said: Vec<_> = tokens(&text).collect();
    if said.len() > ask.max_tokens {
        said.truncate(ask.max_tokens);
        reason = FinishReason::Length;
    }
    let mut usage = Usage::default();
    usage.input_tokens = ask.prompt_tokens;
    usage.output_tokens = said.len() as u64;
    let mut events = Vec::with_capacity(said.len() + 3);
    if let Some((name, _)) = tool {
        events.push(ChatEvent::ToolCallStart {
            index: 0,
            id: format!("call_{id}"),
            name: name.clone(),
        });
    }
    events.extend(said.into_iter().map(|token| match tool {
        Some(_) => ChatEvent::ToolCallArguments {
            index: 0,
            fragment: token.to_owned(),
        },
        None => ChatEvent::Text(token.to_owned()),
    }));
    events.push(ChatEvent::Usage(usage));
    let raw = reason.as_str().to_owned();
    events.push(ChatEvent::Finish { reason, raw });
    events
}

/// Whether the prompt names the tool, for example as `get_weather` or as `get weather`.
fn is_named(prompt: &str, name: &str) -> bool {
    let (prompt, name) = (prompt.to_lowercase(), name.to_lowercase());
    prompt.contains(&name) || prompt.contains(&name.replace('_', " "))
}

fn is_chinese(text: &str) -> bool {
    let wide = text.chars().filter(|c| is_wide(*c)).count();
    wide > text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .count()
}

/// The text in the language of the prompt. The prompt replaces `{}` in it.
fn say(prompt: &str, english: &str, chinese: &str) -> String {
    let text = if is_chinese(prompt) { chinese } else { english };
    text.replace("{}", prompt)
}

const PHRASES: [[&str; 4]; 3] = [
    ["good morning", "bonjour", "guten Morgen", "早上好"],
    ["thank you", "merci", "danke", "谢谢"],
    ["hello", "bonjour", "hallo", "你好"],
];

fn speak(ask: &Ask, prompt: &str) -> String {
    let lower = prompt.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["my name?", "who am i", "我叫什么", "我的名字"])
        && let Some(name) = ask.turns.iter().rev().find_map(|(_, text)| name_in(text))
    {
        return say(prompt, "Your name is {}.", "你叫{}。").replace(prompt, name);
    }
    if let Some((sum, value)) = sums::find(&lower) {
        return format!(
            "{sum} = {value}{}",
            if is_chinese(prompt) { "。" } else { "." }
        );
    }
    let language =
        [&["french", "法"], &["german", "德"], &["chinese", "中文"]].map(|words| has(words));
    if let Some(column) = language.iter().position(|is_asked| *is_asked)
        && let Some(row) = PHRASES.iter().find(|row| lower.contains(row[0]))
    {
        return row[column + 1].to_owned();
    }
    for lead in ["Say ", "say ", "请说"] {
        if let Some(said) = prompt.strip_prefix(lead) {
            return said
                .trim_matches([' ', '"', '“', '”', ':', '：'])
                .to_owned();
        }
    }
    if has(&["count ", "数到"]) {
        return counted(&lower);
    }
    if has(&["your name", "who are you", "你是谁", "你叫什么"]) {
        return say(
            prompt,
            "I am the offline demo model of chatcore: a few rules inside this program.",
            "我是 chatcore 的离线演示模型：这个程序里的几条规则。",
        );
    }
    if has(&["poem", "诗"]) {
        let about = lower
            .split_once("about ")
            .map_or("small programs", |(_, about)| about);
        let about = about
            .trim_start_matches("the ")
            .trim_end_matches(['.', '?', '!']);
        let poem = "No cloud, no wire, no distant sea,\nonly {} and a rule or three;\n\
                    word by word the lines are sent,\nand all who wait may rest content.";
        return poem.replace("{}", about);
    }
    if has(&["joke", "笑话"]) {
        return say(
            prompt,
            "Why did the future never finish? Nobody polled it.",
            "为什么那个 future 一直没完成？因为没有人去 poll 它。",
        );
    }
    if lower.starts_with("hello") || lower.starts_with("hi") || prompt.starts_with("你好") {
        return say(
            prompt,
            "Hello! I am the offline demo model. What can I do for you?",
            "你好！我是离线演示模型。有什么可以帮你？",
        );
    }
    let said = prompt.trim_end_matches(['.', '?', '!', '。', '？', '！']);
    say(
        said,
        "You said: “{}”. I am the offline demo model, and that is all I can say about it.",
        "你说：“{}”。我是离线演示模型，对此只能说这些。",
    )
}

fn name_in(text: &str) -> Option<&str> {
    let (_, behind) = ["y name is ", "我叫"]
        .iter()
        .find_map(|lead| text.split_once(lead))?;
    let end = behind
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(behind.len());
    Some(&behind[..end]).filter(|name| !name.is_empty())
}

/// Counts at most a hundred numbers.
fn counted(lower: &str) -> String {
    let numbers: Vec<_> = numbers(lower)
        .into_iter()
        .map(|number| number as u32)
        .collect();
    let (from, to) = match numbers[..] {
        [] => (1, 10),
        [to] => (1, to),
        [from, to, ..] => (from, to),
    };
    let numbers = from..=to.min(from.saturating_add(99));
    numbers
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

fn numbers(text: &str) -> Vec<f64> {
    let parts = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    parts
        .filter_map(|part| part.trim_matches('.').parse().ok())
        .collect()
}

/// The maximum depth to which a schema is followed.
const MAX_DEPTH: u32 = 8;

/// A value for `schema`, made from the numbers and words of the prompt.
fn fill(schema: &Value, prompt: &str, numbers: &mut std::vec::IntoIter<f64>, depth: u32) -> Value {
    if let Some(allowed) = schema["enum"].as_array() {
        let is_named = |value: &&Value| value.as_str().is_some_and(|word| is_named(prompt, word));
        return allowed
            .iter()
            .find(is_named)
            .or(allowed.first())
            .cloned()
            .unwrap_or_default();
    }
    let kind = &schema["type"];
    match kind.as_str().or_else(|| kind[0].as_str()) {
        Some("string") => {
            let last = prompt.split_whitespace().next_back().unwrap_or_default();
            json!(last.trim_matches(|c: char| c.is_ascii_punctuation()))
        }
        Some("integer") => json!(numbers.next().unwrap_or(1.0) as i64),
        Some("number") => json!(numbers.next().unwrap_or(1.0)),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        _ if depth == MAX_DEPTH => json!({}),
        _ => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let fields = properties
                .map(|(name, property)| (name.clone(), fill(property, prompt, numbers, depth + 1)));
            Value::Object(fields.collect())
        }
    }
}
