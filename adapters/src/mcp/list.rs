//! The list of a server's tools.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::{McpError, McpErrorKind};
use super::headers::param_headers;
use super::limit::within;
use super::peer::{Peer, Wish, not_a_call, timeout};
use super::schema::{is_object_type, refers_elsewhere};

/// A server's tools.
///
/// ```
/// # async fn example(client: chatcore_adapters::mcp::McpClient) -> Result<(), chatcore_adapters::mcp::McpError> {
/// let list = client.list_tools().await?;
/// for rejected in &list.rejected {
///     eprintln!("{} is left out: {}", rejected.name, rejected.why);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct McpToolList {
    /// The tools, in the server's order.
    pub tools: Vec<McpToolInfo>,
    /// Tools whose definition is not valid, so that they cannot be called.
    pub rejected: Vec<McpRejected>,
}

/// A tool whose definition is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpRejected {
    /// Its name, or its place in the list if it has none.
    pub name: String,
    /// What is wrong.
    pub why: String,
}

/// A tool as its server describes it.
///
/// ```
/// # async fn example(client: chatcore_adapters::mcp::McpClient) -> Result<(), chatcore_adapters::mcp::McpError> {
/// // The tools that say that they change nothing. The server may be wrong.
/// let list = client.list_tools().await?;
/// let reading = list.tools.iter().filter(|tool| tool.annotations.read_only == Some(true));
/// println!("{} tools only read", reading.count());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct McpToolInfo {
    /// Its name, by which it is called.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// What it does, and when to use it.
    #[serde(default)]
    pub description: Option<String>,
    /// The JSON Schema of its arguments, an object.
    #[serde(default = "any_object")]
    pub input_schema: Value,
    /// The JSON Schema of its structured results, if it says.
    #[serde(default)]
    pub output_schema: Option<Value>,
    /// How it behaves, as the server says.
    #[serde(default)]
    pub annotations: McpAnnotations,
}

/// How a tool behaves, as its server says. Do not rely on it if you do not trust the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct McpAnnotations {
    /// Whether it changes nothing.
    #[serde(rename = "readOnlyHint")]
    pub read_only: Option<bool>,
    /// Whether it may delete or overwrite something.
    #[serde(rename = "destructiveHint")]
    pub destructive: Option<bool>,
    /// Whether a second call with the same arguments changes nothing more.
    #[serde(rename = "idempotentHint")]
    pub idempotent: Option<bool>,
    /// Whether it reaches beyond the server, for example to the web.
    #[serde(rename = "openWorldHint")]
    pub open_world: Option<bool>,
}

fn any_object() -> Value {
    Value::Object(Map::from_iter([("type".to_owned(), "object".into())]))
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    tools: Vec<&'a RawValue>,
    #[serde(default, rename = "nextCursor")]
    next_cursor: Option<String>,
}

impl Peer {
    /// All pages of the list, under one time limit and one limit of bytes: each page alone may be as
    /// large and as slow as any answer.
    pub(super) async fn list_tools(&self) -> Result<McpToolList, McpError> {
        let limit = self.limits.request;
        // On the heap, because the future of a call contains this one, and would be twice as large.
        let pages = Box::pin(self.pages());
        let list = within(&*self.executor, limit, pages).await;
        list.unwrap_or_else(|| Err(timeout(limit, "for all pages of the list of tools")))
    }

    async fn pages(&self) -> Result<McpToolList, McpError> {
        let mut list = McpToolList::default();
        let session = self.session().await.map_err(not_a_call)?;
        if !session.server.has_tools {
            return Ok(list);
        }
        let mut cursor = None;
        let mut seen = HashSet::new();
        let mut left = self.limits.answer;
        loop {
            let mut params = Map::new();
            if let Some(cursor) = cursor.take() {
                params.insert("cursor".to_owned(), Value::String(cursor));
            }
            let wish = Wish {
                method: "tools/list",
                params,
                name: None,
                headers: Vec::new(),
            };
            let result = self.request(&wish).await.map_err(not_a_call)?;
            left = left.checked_sub(result.get().len()).ok_or_else(|| {
                endless(format!(
                    "the server's list of tools is larger than {} bytes",
                    self.limits.answer
                ))
            })?;
            let page: Page<'_> = serde_json::from_str(result.get()).map_err(|error| {
                McpError::protocol("the server's list of tools cannot be read").with_source(error)
            })?;
            for raw in page.tools {
                if list.tools.len() + list.rejected.len() == self.limits.tools {
                    return Err(endless(format!(
                        "the server has more than {} tools",
                        self.limits.tools
                    )));
                }
                self.add(&mut list, raw);
            }
            match page.next_cursor.filter(|cursor| !cursor.is_empty()) {
                None => return Ok(list),
                // Pages may be empty, so that the number of tools alone is no limit.
                Some(_) if seen.len() == self.limits.tools => {
                    return Err(endless("the server's list of tools has no end"));
                }
                Some(next) if !seen.insert(next.clone()) => {
                    return Err(endless(
                        "the server's list of tools begins again, without an end",
                    ));
                }
                next => cursor = next,
            }
        }
    }

    fn add(&self, list: &mut McpToolList, raw: &RawValue) {
        let place = list.tools.len() + list.rejected.len() + 1;
        let rejected = |name: String, why: String| McpRejected { name, why };
        let tool: McpToolInfo = match serde_json::from_str(raw.get()) {
            Ok(tool) => tool,
            Err(error) => {
                // The error quotes what it found, which may be long.
                let error: String = error.to_string().chars().take(200).collect();
                let why = format!("its definition cannot be read: {error}");
                return list.rejected.push(rejected(format!("tool {place}"), why));
            }
        };
        let why = match self.checked(&tool) {
            _ if list.tools.iter().any(|other| other.name == tool.name) => {
                "another tool has the same name".to_owned()
            }
            Ok(()) => return list.tools.push(tool),
            Err(why) => why,
        };
        list.rejected.push(rejected(tool.name, why));
    }

    fn checked(&self, tool: &McpToolInfo) -> Result<(), String> {
        if tool.name.is_empty() {
            return Err("it has no name".to_owned());
        }
        let kind = tool.input_schema.get("type");
        if !tool.input_schema.is_object() || kind.is_some_and(|kind| !is_object_type(kind)) {
            return Err("the schema of its arguments is not that of an object".to_owned());
        }
        if refers_elsewhere(&tool.input_schema) {
            return Err("the schema of its arguments refers to another document".to_owned());
        }
        let headers: Arc<[_]> = match self.channel.has_headers() {
            true => param_headers(&tool.input_schema)?.into(),
            false => return Ok(()),
        };
        let known = self.param_headers.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        match headers.is_empty() {
            true => known.remove(&tool.name),
            false => known.insert(tool.name.clone(), headers),
        };
        Ok(())
    }
}

fn endless(message: impl Into<String>) -> McpError {
    McpError::new(McpErrorKind::TooLarge, message)
}
