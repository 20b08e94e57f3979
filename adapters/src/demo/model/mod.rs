//! The rules by which the demo model answers: pure, from what is asked to a text.
//!
//! The rules are tried in the order in which they stand in [`RULES`]; the first that has
//! something to say is heard. What the system prompt demands shapes its answer afterwards.

mod arithmetic;
mod create;
mod instructions;
mod language;
mod memory;
mod schema;
mod small_talk;
mod topic;
mod translate;
mod words;

use serde_json::json;

use self::instructions::Instructions;
use self::language::Language;
use super::ask::{Ask, Speaker};

pub(super) use schema::fill;

/// What a rule looks at.
struct Prompt<'a> {
    /// What was asked, without white space around it.
    text: &'a str,
    /// The same in lower case.
    lower: String,
    language: Language,
    instructions: &'a Instructions,
    ask: &'a Ask,
}

impl Prompt<'_> {
    fn has_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.lower.contains(word))
    }

    /// The English or the Chinese text, by the language of the answer.
    fn say(&self, english: impl Into<String>, chinese: impl Into<String>) -> Option<String> {
        Some(match self.language {
            Language::English => english.into(),
            Language::Chinese => chinese.into(),
        })
    }
}

type Rule = fn(&Prompt<'_>) -> Option<String>;

const RULES: &[Rule] = &[
    memory::recall,
    arithmetic::calculate,
    translate::translate,
    create::echo,
    create::count,
    small_talk::who,
    small_talk::clock,
    create::write,
    small_talk::manners,
    topic::nothing_known,
];

/// Answers the last message.
pub(super) fn answer(ask: &Ask) -> String {
    let (asked, images, speaker) = match ask.last() {
        Some(turn) => (turn.text.trim(), turn.images, turn.speaker),
        None => ("", 0, Speaker::User),
    };
    let instructions = Instructions::read(&ask.system);
    let prompt = Prompt {
        text: asked,
        lower: asked.to_lowercase(),
        language: instructions.language.unwrap_or(Language::of(asked)),
        instructions: &instructions,
        ask,
    };
    let said = match speaker {
        Speaker::Tool => prompt.say(
            format!("The tool returned: {asked}"),
            format!("工具返回了：{asked}"),
        ),
        _ => images_seen(&prompt, images).or_else(|| RULES.iter().find_map(|rule| rule(&prompt))),
    };
    let said = instructions.shape(said.unwrap_or_default(), prompt.language);
    match &ask.schema {
        Some(schema) if schema.is_object() => fill(schema, asked).to_string(),
        Some(_) => json!({"answer": said}).to_string(),
        None => said,
    }
}

fn images_seen(prompt: &Prompt<'_>, images: usize) -> Option<String> {
    if images == 0 {
        return None;
    }
    prompt.say(
        format!("You sent {images} image(s). I am the offline demo model and cannot see them."),
        format!("你发送了 {images} 张图片。我是离线演示模型，看不到图片。"),
    )
}

#[cfg(test)]
mod tests;
