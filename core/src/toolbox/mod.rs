//! Tools that run: the functions of the program that a model may call, and the loop over them.
//!
//! ```text
//!  Toolbox ◄──add── RunnableTool ◄── FunctionTool (a closure)
//!     │
//!  ChatCall ──toolbox──► ToolLoop ──await───► run: turn ─► calls ─► turn ─► … ─► ToolLoopAnswer
//!                           └─────stream──► ToolLoopStream: every step is an event
//! ```
//!
//! A [`Toolbox`] holds the tools. Each of them has a definition, which is sent to the model, and
//! runs the calls that the model asks for. [`ToolLoop`] asks the model, runs its calls, sends the
//! results back, and goes on until the model answers or a limit is reached.

mod answer;
mod approval;
mod calls;
mod cap;
mod deadline;
mod event;
mod function;
mod limits;
mod open;
mod output;
mod prepare;
mod registry;
mod run;
mod runnable;
mod settings;
mod stream;
mod tool_loop;
mod turn;
mod typed_loop;
mod unfinished;

pub use answer::ToolLoopAnswer;
pub use approval::Approval;
pub use event::ToolLoopEvent;
pub use function::FunctionTool;
pub use limits::ToolLoopLimit;
pub use output::{IntoToolOutput, ToolError, ToolOutput};
pub use registry::Toolbox;
pub use runnable::{RunnableTool, ToolContext};
pub use settings::{
    DEFAULT_MAX_RESULT, DEFAULT_MAX_TURNS, DEFAULT_TOOL_CONCURRENCY, DEFAULT_TOOL_TIMEOUT,
};
pub use stream::ToolLoopStream;
pub use tool_loop::ToolLoop;
pub use typed_loop::{JsonToolLoop, JsonToolLoopAnswer, JsonToolLoopStream};
pub use unfinished::UnfinishedLoop;
