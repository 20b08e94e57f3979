//! Tools that run: the functions of the program that a model may call.
//!
//! ```text
//!  Toolbox ◄──add── RunnableTool ◄── FunctionTool (a closure)
//! ```
//!
//! A [`Toolbox`] holds the tools. Each of them has a definition, which is sent to the model, and
//! runs the calls that the model asks for.

mod function;
mod output;
mod registry;
mod runnable;

pub use function::FunctionTool;
pub use output::{IntoToolOutput, ToolError, ToolOutput};
pub use registry::Toolbox;
pub use runnable::{RunnableTool, ToolContext};
