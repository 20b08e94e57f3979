//! The name of a file that is sent in base64. OpenAI requires a name, and derives the file's format
//! from its extension.

use crate::chat::File;

/// Media types whose extension is not their subtype.
const EXTENSIONS: &[(&str, &str)] = &[
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/javascript", "js"),
    ("application/javascript", "js"),
    ("text/x-python", "py"),
    ("text/tab-separated-values", "tsv"),
    ("application/msword", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.oasis.opendocument.text", "odt"),
    ("application/vnd.ms-powerpoint", "ppt"),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "pptx",
    ),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
];

/// The file's own name, or `file.` with an extension for its media type.
pub(crate) fn filename(file: &File, media_type: &str) -> String {
    match file.name.as_deref() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => ["file.", &extension(media_type)].concat(),
    }
}

fn extension(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or(media_type);
    let essence = essence.trim().to_ascii_lowercase();
    if let Some((_, known)) = EXTENSIONS.iter().find(|(known, _)| *known == essence) {
        return (*known).to_owned();
    }
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    // `application/ld+json` has the extension `json`.
    let subtype = subtype
        .rsplit_once('+')
        .map_or(subtype, |(_, syntax)| syntax);
    let subtype = subtype.strip_prefix("x-").unwrap_or(subtype);
    let is_short = (1..=5).contains(&subtype.len());
    match is_short && subtype.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => subtype.to_owned(),
        false => "bin".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::MediaSource;

    #[test]
    fn a_file_without_a_name_is_named_by_its_media_type() {
        for (media_type, expected) in [
            ("application/pdf", "file.pdf"),
            ("text/plain; charset=utf-8", "file.txt"),
            ("Text/CSV", "file.csv"),
            ("text/markdown", "file.md"),
            ("application/x-yaml", "file.yaml"),
            ("application/ld+json", "file.json"),
            (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "file.docx",
            ),
            ("application/octet-stream", "file.bin"),
            ("application/../x", "file.bin"),
            ("pdf", "file.bin"),
            ("", "file.bin"),
        ] {
            let file = File::new(MediaSource::base64(media_type, "AA"));
            assert_eq!(filename(&file, media_type), expected, "{media_type}");
            let named = file.clone().name("a");
            assert_eq!(filename(&named, media_type), "a");
            assert_eq!(filename(&file.name(""), media_type), expected);
        }
    }
}
