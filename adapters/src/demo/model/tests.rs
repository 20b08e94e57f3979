use crate::demo::ask::{Ask, Speaker, ToolChoice, Turn};

fn converse(system: &str, said: &[&str]) -> String {
    let speakers = [Speaker::User, Speaker::Model].into_iter().cycle();
    super::answer(&Ask {
        model: "demo".to_owned(),
        system: system.to_owned(),
        turns: said
            .iter()
            .zip(speakers)
            .map(|(text, speaker)| Turn {
                speaker,
                text: (*text).to_owned(),
                images: 0,
            })
            .collect(),
        stream: false,
        stream_usage: false,
        max_tokens: None,
        stop: Vec::new(),
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        schema: None,
    })
}

#[test]
fn answers_fit_their_prompts() {
    for (prompt, part) in [
        ("Hello!", "Hello!"),
        ("你好", "你好！"),
        ("thanks a lot", "welcome"),
        ("What is 2+2?", "2+2 = 4."),
        ("what is 12 times 12", "12 * 12 = 144."),
        ("12加30等于多少？", "12+30 = 42。"),
        ("100 - 58", "= 42."),
        ("7/2", "7/2 = 3.5."),
        ("1 / 0 = ?", "no value"),
        ("Hi, what is 6 * 7 please?", "42"),
        ("Translate 'thank you' to French.", "merci"),
        ("translate hello to Chinese", "你好"),
        ("Translate into German: good morning", "guten Morgen"),
        ("把“谢谢”翻译成英文", "thank you"),
        ("翻译：猫", "cat"),
        (
            "translate 'antidisestablishmentarianism'",
            "not in the demo model's phrase book",
        ),
        ("What is your name?", "offline demo model"),
        ("你叫什么名字？", "离线演示模型"),
        ("Count from 3 to 6.", "3 4 5 6"),
        ("从1数到5", "1 2 3 4 5"),
        ("Say pong", "pong"),
        ("Reply with exactly: Ok, then.", "Ok, then."),
        ("Write a poem about the sea", "only sea and"),
        ("写一首关于月亮的诗", "月亮在此中"),
        ("Tell me a joke", "polled"),
        (
            "What is the weather in Paris?",
            "neither a clock nor a window",
        ),
        ("Why is the sky blue?", "“sky blue”"),
        ("为什么天空是蓝色的？", "“天空是蓝色的”"),
        ("I like trains", "You said: “I like trains”"),
        ("On 2024-11-23 it rained", "You said"),
        ("I work 24/7", "You said"),
        ("Hiking is fun", "You said"),
        ("", "not said anything"),
        ("+", "You said"),
    ] {
        let answer = converse("", &[prompt]);
        assert!(answer.contains(part), "{prompt:?}: {answer:?}");
    }
}

#[test]
fn it_remembers_the_conversation() {
    let ada = ["Hi, my name is Ada and I like tea.", "Hello!"];
    for (prompt, part) in [
        ("What is my name?", "Your name is Ada"),
        ("我叫什么名字？", "你叫Ada"),
        ("What did I say before?", "my name is Ada and I like tea"),
        ("What did you say?", "“Hello!”"),
        (
            "Please summarize our conversation",
            "You said “Hi, my name is Ada",
        ),
        ("What is my quest?", "not told me"),
    ] {
        let answer = converse("", &[ada[0], ada[1], prompt]);
        assert!(answer.contains(part), "{prompt:?}: {answer:?}");
    }
    let answer = converse("", &["我的颜色是蓝色。", "好", "我的颜色是什么？"]);
    assert!(answer.contains("蓝色"), "{answer}");
    let answer = converse("", &["What did I say before?"]);
    assert!(answer.contains("only begun"), "{answer}");
    let answer = converse("", &["Explain monads", "No.", "Tell me more"]);
    assert!(answer.contains("“monads”"), "{answer}");
}

#[test]
fn it_follows_the_system_prompt() {
    for (system, prompt, part) in [
        ("You are Marvin, a robot.", "Who are you?", "I am Marvin"),
        (
            "You are a pirate.",
            "What is 2+2?",
            "Speaking as a pirate: 2+2 = 4.",
        ),
        ("Answer in Chinese.", "Hello", "你好！"),
        ("请用英文回答", "你好", "Hello!"),
    ] {
        let answer = converse(system, &[prompt]);
        assert!(answer.contains(part), "{system:?}, {prompt:?}: {answer:?}");
    }
    let brief = converse("One sentence, please.", &["Why is the sky blue?"]);
    assert!(brief.ends_with("“sky blue”."), "{brief}");
}

#[test]
fn strange_prompts_are_answered() {
    for prompt in [
        "\0",
        "🦀",
        "'",
        "translate",
        "翻译",
        "say",
        "我的是什么",
        "?",
        "ß İ ǅ",
    ] {
        assert!(!converse("", &[prompt]).is_empty(), "{prompt:?}");
        converse(prompt, &[prompt, prompt, prompt]);
    }
}
