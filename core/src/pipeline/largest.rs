//! Finds the largest part of a request, for the error about its size.

use crate::chat::{Audio, ChatRequest, File, Image, MediaSource, Part};
use crate::json;

/// Describes the largest part of a request, as the end of an error message.
pub(super) fn largest_part(request: &ChatRequest) -> String {
    let mut largest = None;
    let mut most = 0;
    for (place, message) in request.messages.iter().enumerate() {
        for part in &message.parts {
            // A tool result counts as the parts that it consists of.
            let parts = match part {
                Part::ToolResult(result) => result.content.as_slice(),
                part => std::slice::from_ref(part),
            };
            for part in parts {
                let size = size(part);
                if size >= most {
                    most = size;
                    largest = Some((part, place, &message.role));
                }
            }
        }
    }
    let Some((part, place, role)) = largest else {
        return String::new();
    };
    let what = match part {
        Part::ToolCall(_) => "tool call",
        part => part.kind(),
    };
    let unit = match part {
        Part::Image(Image { source, .. })
        | Part::File(File { source, .. })
        | Part::Audio(Audio { source, .. })
            if matches!(source, MediaSource::Base64 { .. }) =>
        {
            "bytes of base64"
        }
        _ => "bytes",
    };
    let whose = match role.as_str() {
        "system" => "the system prompt",
        role => role,
    };
    format!("; the largest part is the {what} in message {place} ({whose}), {most} {unit}")
}

/// About how many bytes this part takes in the request.
fn size(part: &Part) -> usize {
    match part {
        Part::Text(text) => text.text.len(),
        Part::Image(image) => source(&image.source),
        Part::File(file) => source(&file.source),
        Part::Audio(audio) => source(&audio.source),
        Part::ToolCall(call) => call.arguments.len(),
        Part::Reasoning(reasoning) => {
            let proofs = [&reasoning.signature, &reasoning.encrypted];
            let proofs = proofs.map(|proof| proof.as_ref().map_or(0, String::len));
            reasoning.text.len() + proofs[0] + proofs[1]
        }
        Part::Refusal(refusal) => refusal.text.len(),
        Part::Other { value, .. } => json::text_of(value).len(),
        // Tool results are not nested.
        Part::ToolResult(_) => 0,
    }
}

fn source(source: &MediaSource) -> usize {
    match source {
        MediaSource::Base64 { data, .. } => data.len(),
        MediaSource::Url { url, .. } => url.len(),
        MediaSource::File { file_id, .. } => file_id.len(),
        MediaSource::Text { text } => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Message, ToolCall};

    #[test]
    fn every_kind_of_part_counts() {
        let small = [Message::system("Be brief."), Message::user("Look.")];
        let pixels = || Part::image_base64("image/png", "A".repeat(4_000));
        let result = Message::tool_result("c", "ok").part(Part::text("no"));
        let mut seen = result.clone();
        if let Some(Part::ToolResult(result)) = seen.parts.first_mut() {
            result.content.push(pixels());
        }
        let call = Part::ToolCall(ToolCall::new("c", "f", "1".repeat(300)));
        for (last, told) in [
            (result, "the text in message 0 (the system prompt), 9 bytes"),
            (
                Message::user("hi").part(pixels()),
                "the image in message 2 (user), 4000 bytes of base64",
            ),
            (seen, "the image in message 2 (tool), 4000 bytes of base64"),
            (
                Message::user("hi").part(Part::file_text("x".repeat(70))),
                "the file in message 2 (user), 70 bytes",
            ),
            (
                Message::assistant("hi").part(call),
                "the tool call in message 2 (assistant), 300 bytes",
            ),
        ] {
            let request = ChatRequest::new(small.iter().cloned().chain([last]));
            let told = format!("; the largest part is {told}");
            assert_eq!(largest_part(&request), told);
        }
        assert_eq!(
            largest_part(&ChatRequest::new(<[Message; 0]>::default())),
            ""
        );
    }
}
