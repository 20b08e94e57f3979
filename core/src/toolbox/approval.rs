//! What the program decides about a call before it runs.

use std::sync::Arc;

use serde_json::Value;

use super::runnable::ToolContext;
use crate::executor::BoxFuture;

/// Decides about a call before it runs.
pub(super) type Approve = Arc<dyn Fn(ToolContext) -> BoxFuture<'static, Approval> + Send + Sync>;

/// The decision about a call, from the hook of [`ToolLoop::approval`](super::ToolLoop::approval).
///
/// ```
/// use chatcore::{Approval, ToolContext};
/// use chatcore::serde_json::json;
///
/// /// Files may be read, and written in one folder only.
/// fn decide(call: &ToolContext) -> Approval {
///     let path = call.arguments["path"].as_str().unwrap_or_default();
///     match call.name.as_str() {
///         "read_file" => Approval::Approve,
///         "write_file" if path.starts_with("out/") && !path.contains("..") => Approval::Approve,
///         _ => Approval::refuse("only files below out/ may be written"),
///     }
/// }
///
/// let call = ToolContext::new("1", "write_file", json!({"path": "/etc/passwd"}));
/// assert!(matches!(decide(&call), Approval::Refuse(_)));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Approval {
    /// The call runs as the model asked for it.
    Approve,
    /// The call does not run. The model reads the reason as the call's error.
    Refuse(String),
    /// The call runs with these arguments. The model is not told; the conversation keeps the
    /// arguments that it wrote.
    Change(Value),
}

impl Approval {
    /// Refuses the call for a reason that the model reads.
    pub fn refuse(reason: impl Into<String>) -> Self {
        Self::Refuse(reason.into())
    }
}
