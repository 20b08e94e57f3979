//! A phrase book.

use super::Prompt;
use super::words::{clip, trim};

/// English, Chinese, French, German, Spanish, Japanese.
#[rustfmt::skip]
const PHRASES: &[[&str; 6]] = &[
    ["hello", "你好", "bonjour", "hallo", "hola", "こんにちは"],
    ["hello world", "你好，世界", "bonjour le monde", "hallo Welt", "hola mundo", "こんにちは世界"],
    ["good morning", "早上好", "bonjour", "guten Morgen", "buenos días", "おはようございます"],
    ["good night", "晚安", "bonne nuit", "gute Nacht", "buenas noches", "おやすみなさい"],
    ["goodbye", "再见", "au revoir", "auf Wiedersehen", "adiós", "さようなら"],
    ["thank you", "谢谢", "merci", "danke", "gracias", "ありがとう"],
    ["please", "请", "s'il vous plaît", "bitte", "por favor", "お願いします"],
    ["yes", "是", "oui", "ja", "sí", "はい"],
    ["no", "不", "non", "nein", "no", "いいえ"],
    ["how are you", "你好吗", "comment allez-vous", "wie geht es dir", "¿cómo estás?", "お元気ですか"],
    ["i love you", "我爱你", "je t'aime", "ich liebe dich", "te quiero", "愛してる"],
    ["friend", "朋友", "ami", "Freund", "amigo", "友達"],
    ["water", "水", "eau", "Wasser", "agua", "水"],
    ["book", "书", "livre", "Buch", "libro", "本"],
    ["cat", "猫", "chat", "Katze", "gato", "猫"],
    ["dog", "狗", "chien", "Hund", "perro", "犬"],
    ["world", "世界", "monde", "Welt", "mundo", "世界"],
];

/// How the languages are named, in the order of the phrases' columns.
const LANGUAGES: &[&[&str]] = &[
    &["english", "英文", "英语"],
    &["chinese", "mandarin", "中文", "汉语"],
    &["french", "法语", "法文"],
    &["german", "德语", "德文"],
    &["spanish", "西班牙语"],
    &["japanese", "日语", "日文"],
];

/// Answers "translate … to …" from the phrase book.
pub(super) fn translate(prompt: &Prompt<'_>) -> Option<String> {
    if !prompt.has_any(&[
        "translate",
        "how do you say",
        "翻译",
        "用英语怎么说",
        "用英文怎么说",
    ]) {
        return None;
    }
    let phrase = phrase(&prompt.lower);
    let row = PHRASES
        .iter()
        .find(|row| row.iter().any(|entry| entry.to_lowercase() == phrase));
    let target = LANGUAGES
        .iter()
        .position(|names| {
            names
                .iter()
                .any(|name| without(&prompt.lower, &phrase).contains(name))
        })
        // Into the other of the two main languages.
        .unwrap_or(usize::from(phrase.is_ascii()));
    match row {
        Some(row) => Some(row[target].to_owned()),
        None => {
            let phrase = clip(&phrase, 60);
            prompt.say(
                format!(
                    "“{phrase}” is not in the demo model's phrase book of {} phrases.",
                    PHRASES.len()
                ),
                format!(
                    "演示模型的短语手册只有 {} 条，其中没有“{phrase}”。",
                    PHRASES.len()
                ),
            )
        }
    }
}

/// What is to be translated: what stands in quotes, else what is left between the words of the
/// request.
fn phrase(lower: &str) -> String {
    const QUOTES: &[(char, char)] = &[
        ('"', '"'),
        ('“', '”'),
        ('\'', '\''),
        ('‘', '’'),
        ('「', '」'),
        ('`', '`'),
    ];
    for (open, close) in QUOTES {
        if let Some((_, rest)) = lower.split_once(*open)
            && let Some((quoted, _)) = rest.rsplit_once(*close)
            && !quoted.is_empty()
        {
            return trim(quoted).to_owned();
        }
    }
    let mut rest = lower;
    for lead in ["how do you say", "translate", "翻译", "把", "请", "将"] {
        if let Some((_, behind)) = rest.split_once(lead)
            && !trim(behind).is_empty()
        {
            rest = behind;
        }
    }
    rest = rest.trim_start_matches([':', '：', ' ']);
    for tail in [" into ", " to ", " in ", "翻译", "用英", "成"] {
        if let Some((before, _)) = rest.rsplit_once(tail) {
            rest = before;
        }
    }
    // "into Chinese: hello"
    if let Some((_, behind)) = rest.split_once([':', '：'])
        && !trim(behind).is_empty()
    {
        rest = behind;
    }
    trim(rest).to_owned()
}

fn without(text: &str, phrase: &str) -> String {
    match phrase {
        "" => text.to_owned(),
        phrase => text.replacen(phrase, "", 1),
    }
}
