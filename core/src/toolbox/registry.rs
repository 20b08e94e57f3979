//! The tools of a program, by name.

use std::sync::Arc;

use super::runnable::RunnableTool;
use crate::chat::Tool;
use crate::error::Error;
use crate::quote::Quoted;
use crate::schema::is_object_type;

/// The tools that a model may call, each with a name of its own. Cheap to clone: clones share the
/// tools.
///
/// ```
/// use chatcore::schemars::{self, JsonSchema};
/// use chatcore::{FunctionTool, Toolbox};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Convert {
///     /// In degrees Fahrenheit.
///     degrees: f64,
/// }
///
/// let mut tools = Toolbox::new();
/// tools.add(FunctionTool::of(
///     "to_celsius",
///     "Converts degrees Fahrenheit to Celsius.",
///     |Convert { degrees }| async move { format!("{:.1} °C", (degrees - 32.0) / 1.8) },
/// ))?;
/// assert_eq!(tools.definitions().count(), 1);
/// # Ok::<(), chatcore::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Toolbox {
    tools: Vec<Entry>,
}

/// A tool, and the definition under which it was added.
#[derive(Clone, Debug)]
struct Entry {
    definition: Arc<Tool>,
    tool: Arc<dyn RunnableTool>,
}

impl Toolbox {
    /// An empty toolbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool: a [`FunctionTool`](super::FunctionTool), a tool of your own, or an
    /// `Arc<dyn RunnableTool>`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a tool of this name was added before, or
    /// if its arguments are no object, as those of a closure that takes `()`: a struct without
    /// fields is an object. The toolbox is then unchanged. Arguments that may be an object or null
    /// (`"type": ["object", "null"]`) are sent as an object, because providers refuse the list, and
    /// the model writes an object.
    pub fn add(&mut self, tool: impl RunnableTool) -> Result<&mut Self, Error> {
        let mut definition = tool.definition();
        if self.get(&definition.name).is_some() {
            return Err(Error::invalid(format!(
                "the toolbox already has a tool named {}; give one of the two another name",
                Quoted(&definition.name)
            )));
        }
        let kind = definition.parameters.get_mut("type");
        if kind.as_ref().is_some_and(|kind| !is_object_type(kind)) {
            return Err(Error::invalid(format!(
                "the arguments of the tool {} are not an object, which the model writes; take a \
                 struct, without fields if there are no arguments",
                Quoted(&definition.name)
            )));
        }
        if let Some(kind) = kind {
            *kind = "object".into();
        }
        self.tools.push(Entry {
            definition: Arc::new(definition),
            tool: Arc::new(tool),
        });
        Ok(self)
    }

    /// The tool with this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn RunnableTool>> {
        let entry = self
            .tools
            .iter()
            .find(|entry| entry.definition.name == name);
        entry.map(|entry| &entry.tool)
    }

    /// The definitions of the tools, in the order in which they were added.
    pub fn definitions(&self) -> impl Iterator<Item = &Tool> {
        self.tools.iter().map(|entry| &*entry.definition)
    }

    /// Whether no tool was added.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::function::FunctionTool;
    use super::*;

    /// The type of the arguments under which a tool is sent, if it is accepted.
    fn sent(kind: &Value) -> Option<Value> {
        let parameters = json!({"type": kind, "properties": {}});
        let definition = Tool::new("t", parameters);
        let mut tools = Toolbox::new();
        let added = tools.add(FunctionTool::new(definition, |_: Value| async { "" }));
        added.ok()?;
        let definition = tools.definitions().next()?;
        Some(definition.parameters["type"].clone())
    }

    #[test]
    fn arguments_that_may_be_an_object_are_sent_as_one() {
        for kind in [
            json!("object"),
            json!(["object", "null"]),
            json!(["object"]),
        ] {
            assert_eq!(sent(&kind), Some("object".into()), "{kind}");
        }
        for kind in [
            json!("null"),
            json!(["string", "null"]),
            json!([]),
            json!(1),
        ] {
            assert_eq!(sent(&kind), None, "{kind}");
        }
    }
}
