//! Names, clocks and manners.

use super::Prompt;
use super::words::strip_word;

/// Who answers.
pub(super) fn who(prompt: &Prompt<'_>) -> Option<String> {
    const WHO: &[&str] = &[
        "your name",
        "who are you",
        "what are you",
        "introduce yourself",
        "你是谁",
        "你叫什么",
        "你的名字",
        "介绍你自己",
        "自我介绍",
        "您是谁",
    ];
    if !prompt.has_any(WHO) {
        return None;
    }
    match &prompt.instructions.persona {
        Some(persona) => prompt.say(
            format!("I am {persona}, played by the offline demo model of chatcore."),
            format!("我是{persona}，由 chatcore 的离线演示模型扮演。"),
        ),
        None => prompt.say(
            "I am the offline demo model of chatcore: a set of rules inside this program.",
            "我是 chatcore 的离线演示模型：这个程序里的一组规则。",
        ),
    }
}

/// What would need a clock or a window.
pub(super) fn clock(prompt: &Prompt<'_>) -> Option<String> {
    const NOW: &[&str] = &[
        "what time is it",
        "the time now",
        "what day is it",
        "today's date",
        "the weather",
        "现在几点",
        "今天几号",
        "今天星期几",
        "天气",
    ];
    if !prompt.has_any(NOW) {
        return None;
    }
    prompt.say(
        "I have neither a clock nor a window: I am the offline demo model. \
         Give me a tool and name it, and I call it.",
        "我没有时钟，也没有窗户：我是离线演示模型。给我一个工具并说出它的名字，我就会调用它。",
    )
}

/// Greetings, thanks and farewells.
pub(super) fn manners(prompt: &Prompt<'_>) -> Option<String> {
    let begins = |words: &[&str]| {
        // A space more, so that the last word is whole too.
        let text = format!("{} ", prompt.lower);
        words.iter().any(|word| match word.is_ascii() {
            true => strip_word(&text, word).is_some(),
            false => text.starts_with(word),
        })
    };
    // A long text that happens to begin with a greeting is about something else.
    if prompt.text.chars().count() > 60 {
        return None;
    }
    if begins(&["thank", "thanks", "thank you", "谢谢", "多谢", "感谢"]) {
        return prompt.say("You are welcome!", "不客气！");
    }
    if begins(&[
        "bye",
        "goodbye",
        "good night",
        "see you",
        "再见",
        "晚安",
        "拜拜",
    ]) {
        return prompt.say("Goodbye!", "再见！");
    }
    let is_question = prompt.text.contains(['?', '？']);
    if prompt.has_any(&["how are you", "你好吗", "最近怎么样"]) {
        return prompt.say(
            "All my rules are in order, thank you. How can I help?",
            "我的规则都运转正常，谢谢。有什么可以帮你？",
        );
    }
    if !is_question
        && begins(&[
            "hello",
            "hi",
            "hey",
            "good morning",
            "good afternoon",
            "good evening",
            "greetings",
            "你好",
            "您好",
            "嗨",
            "早上好",
            "下午好",
            "晚上好",
        ])
    {
        return prompt.say(
            "Hello! I am the offline demo model. What can I do for you?",
            "你好！我是离线演示模型。有什么可以帮你？",
        );
    }
    None
}
