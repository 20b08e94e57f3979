//! The arguments of a call that is sent back.

use std::borrow::Cow;

use crate::json::{Reader, Writer};

/// The arguments of a call as the text of a JSON object. Anything else that a model has written,
/// such as a call that was cut off, is wrapped in an object, as Anthropic's documentation
/// recommends, so that the model sees what it wrote. Servers refuse the conversation otherwise.
///
/// ```
/// use chatcore::dialect::kit::object_arguments;
///
/// assert_eq!(object_arguments(r#" {"city": "Lyon"} "#), r#"{"city": "Lyon"}"#);
/// assert_eq!(object_arguments(""), "{}");
/// assert_eq!(object_arguments(r#"{"city": "#), r#"{"INVALID_JSON":"{\"city\": "}"#);
/// ```
pub fn object_arguments(arguments: &str) -> Cow<'_, str> {
    match arguments.trim() {
        "" => "{}".into(),
        object if is_object(object) => object.into(),
        _ => {
            let mut writer = Writer::default();
            writer.open('{');
            writer.member("INVALID_JSON", arguments);
            writer.close('}');
            writer.into_text().into()
        }
    }
}

/// Whether a text is a JSON object.
pub(crate) fn is_object(text: &str) -> bool {
    let mut reader = Reader::new(text);
    text.starts_with('{') && reader.raw().is_ok() && reader.end().is_ok()
}
