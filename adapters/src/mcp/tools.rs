//! A server's tools as tools that a model may call.

use std::collections::HashSet;
use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatcore::{BoxFuture, RunnableTool, Tool, ToolContext, ToolError, ToolOutput};

use super::client::McpClient;
use super::error::McpError;
use super::list::McpToolInfo;
use super::peer::Peer;
use super::schema::for_model;

/// The maximum length of a tool's name. OpenAI has the lowest limit of the providers.
const NAME: usize = 64;

impl McpClient {
    /// The server's tools, to add to a [`Toolbox`](chatcore::Toolbox). Awaiting it asks the server
    /// for its list.
    ///
    /// Tools with a definition that is not valid are left out;
    /// [`list_tools`](McpClient::list_tools) says which and why.
    ///
    /// ```
    /// # async fn example(files: chatcore_adapters::mcp::McpClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use chatcore::Toolbox;
    ///
    /// let mut toolbox = Toolbox::new();
    /// // Two servers may have tools of the same name.
    /// for tool in files.tools().prefix("files_").await? {
    ///     toolbox.add(tool)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn tools(&self) -> McpTools {
        McpTools {
            client: self.clone(),
            prefix: String::new(),
            filter: None,
            all_media: false,
        }
    }
}

/// Which of a server's tools are wanted, and in what form; made by [`McpClient::tools`].
///
/// ```
/// # async fn example(client: chatcore_adapters::mcp::McpClient) -> Result<(), chatcore_adapters::mcp::McpError> {
/// let reading = client.tools().filter(|tool| tool.annotations.read_only == Some(true)).await?;
/// let two = client.tools().filter(|tool| ["search", "fetch"].contains(&&*tool.name)).await?;
/// # let _ = (reading, two);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is asked until it is awaited"]
pub struct McpTools {
    client: McpClient,
    prefix: String,
    filter: Option<Box<Filter>>,
    all_media: bool,
}

type Filter = dyn Fn(&McpToolInfo) -> bool + Send + Sync;

impl McpTools {
    /// Puts a text before each name that the model sees.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Keeps only the tools for which `filter` is true. Each further filter keeps fewer.
    pub fn filter(mut self, filter: impl Fn(&McpToolInfo) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(match self.filter.take() {
            None => Box::new(filter),
            Some(before) => Box::new(move |tool| before(tool) && filter(tool)),
        });
        self
    }

    /// Sends audio and documents of bytes in results to the model. By default a line of text says
    /// what they are, because most providers refuse them in the result of a tool.
    pub fn all_media(mut self) -> Self {
        self.all_media = true;
        self
    }
}

impl IntoFuture for McpTools {
    type Output = Result<Vec<McpTool>, McpError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let list = self.client.list_tools().await?;
            let is_wanted = |tool: &McpToolInfo| self.filter.as_ref().is_none_or(|it| it(tool));
            let mut taken = HashSet::new();
            let tools = list.tools.into_iter().filter(is_wanted);
            let tools = tools.map(|info| McpTool {
                peer: Arc::clone(&self.client.peer),
                name: unique(&self.prefix, &info.name, &mut taken),
                info: Arc::new(info),
                all_media: self.all_media,
            });
            Ok(tools.collect())
        })
    }
}

impl fmt::Debug for McpTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpTools")
            .field("prefix", &self.prefix)
            .field("all_media", &self.all_media)
            .finish_non_exhaustive()
    }
}

/// A tool of a server, which a [`Toolbox`](chatcore::Toolbox) runs. Made by [`McpClient::tools`].
///
/// Its name on the model is the server's name after the prefix. Characters that providers refuse
/// become `_`, and a name longer than 64 characters is cut; a number makes it unique then. Its time
/// limit is the client's [`request_timeout`](super::McpClientBuilder::request_timeout).
///
/// An error of the server is an error that the model reads, and so is a lost connection: a
/// [`ToolError`] with the text of the [`McpError`].
///
/// ```
/// # async fn example(client: chatcore_adapters::mcp::McpClient) -> Result<(), chatcore_adapters::mcp::McpError> {
/// use chatcore::RunnableTool;
///
/// for tool in client.tools().await? {
///     println!("{} is {} of the server", tool.definition().name, tool.info().name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct McpTool {
    peer: Arc<Peer>,
    info: Arc<McpToolInfo>,
    name: String,
    all_media: bool,
}

impl McpTool {
    /// The tool as its server describes it.
    pub fn info(&self) -> &McpToolInfo {
        &self.info
    }
}

#[async_trait]
impl RunnableTool for McpTool {
    fn definition(&self) -> Tool {
        let tool = Tool::new(&self.name, for_model(&self.info.input_schema));
        match self.info.description.as_ref().or(self.info.title.as_ref()) {
            Some(description) => tool.description(description),
            None => tool,
        }
    }

    async fn run(&self, context: ToolContext) -> Result<ToolOutput, ToolError> {
        let called = self.peer.call_tool(&self.info.name, context.arguments);
        let result = called.await?;
        let parts = result.parts(self.all_media);
        match result.is_error {
            false => Ok(ToolOutput::new(parts)),
            true if parts.is_empty() => Err(ToolError::new("the tool failed without a message")),
            true => Err(ToolError::of_content(parts)),
        }
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.peer.limits.request)
    }
}

impl fmt::Debug for McpTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpTool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A name that every provider accepts and that no other tool has.
fn unique(prefix: &str, name: &str, taken: &mut HashSet<String>) -> String {
    let allowed = |char: char| match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => char,
        _ => '_',
    };
    let whole: String = prefix.chars().chain(name.chars()).map(allowed).collect();
    // Only ASCII is left, so that each byte is a character.
    let mut wanted = whole[..whole.len().min(NAME)].to_owned();
    for number in 2.. {
        if taken.insert(wanted.clone()) {
            break;
        }
        let end = format!("_{number}");
        wanted = format!("{}{end}", &whole[..whole.len().min(NAME - end.len())]);
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_as_every_provider_accepts() {
        let long = "x".repeat(200);
        let names = ["a.b", "a/b", "a_b", "名", &long, &long];
        let mut taken = HashSet::new();
        let unique = names.map(|name| unique("p ", name, &mut taken));
        assert_eq!(unique[..4], ["p_a_b", "p_a_b_2", "p_a_b_3", "p__"]);
        assert!(unique[4..].iter().all(|name| name.len() == NAME));
        assert!(unique[5].ends_with("x_2"));
    }
}
