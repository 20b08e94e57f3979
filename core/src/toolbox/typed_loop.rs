//! A loop over the tools whose answer has a type.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::ToolLoopAnswer;
use super::event::ToolLoopEvent;
use super::run::{Check, Run};
use super::stream::ToolLoopStream;
use super::tool_loop::ToolLoop;
use crate::chat::ChatResponse;
use crate::error::Error;
use crate::executor::BoxFuture;
use crate::pipeline::SchemaNote;
use crate::typed::{Wanted, note, read_answer, with_schema};

impl ToolLoop {
    /// Asks for a final answer of the type `T`, as [`ChatCall::json`](crate::ChatCall::json) does.
    ///
    /// A provider that can enforce a schema only where no tool may be called gets it in the prompt.
    ///
    /// ```
    /// use chatcore::schemars::{self, JsonSchema};
    /// use serde::Deserialize;
    ///
    /// #[derive(Debug, Deserialize, JsonSchema)]
    /// struct Trip {
    ///     city: String,
    ///     /// Whether to take an umbrella.
    ///     umbrella: bool,
    /// }
    ///
    /// # async fn example(client: chatcore::LlmClient, tools: chatcore::Toolbox) -> Result<(), chatcore::Error> {
    /// let trip = client
    ///     .ask("Where is it warm and dry this weekend?")
    ///     .toolbox(&tools)
    ///     .json::<Trip>()
    ///     .await?;
    /// println!("{:?} after {} turns", trip.value, trip.answer.turns);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "schema")]
    pub fn json<T: schemars::JsonSchema + DeserializeOwned>(self) -> JsonToolLoop<T> {
        JsonToolLoop::new(self, Wanted::of::<T>())
    }

    /// Asks for a final answer that matches `schema`, as
    /// [`ChatCall::json_schema`](crate::ChatCall::json_schema) does.
    pub fn json_schema<T: DeserializeOwned>(self, name: &str, schema: Value) -> JsonToolLoop<T> {
        JsonToolLoop::new(self, Wanted::new(name, schema, true))
    }
}

/// A [`ToolLoop`] whose final answer has the type `T`: await it, or take its
/// [`stream`](Self::stream). Cancel-safe, like a [`ToolLoop`].
///
/// No example here: `ToolLoop::json` has one.
#[must_use = "a loop does nothing until it is awaited or streamed"]
pub struct JsonToolLoop<T> {
    tool_loop: ToolLoop,
    wanted: Arc<Wanted>,
    repairs: u32,
    value: PhantomData<fn() -> T>,
}

impl<T> JsonToolLoop<T> {
    fn new(mut tool_loop: ToolLoop, wanted: Wanted) -> Self {
        tool_loop.call = with_schema(tool_loop.call, &wanted);
        Self {
            tool_loop,
            wanted: Arc::new(wanted),
            repairs: 0,
            value: PhantomData,
        }
    }

    /// Sets how often the model is asked to correct a final answer that does not fit. Each
    /// correction is a turn of the loop. Default: 0.
    pub fn repairs(mut self, repairs: u32) -> Self {
        self.repairs = repairs;
        self
    }
}

impl<T: DeserializeOwned + 'static> JsonToolLoop<T> {
    /// Returns the loop as a stream of its steps. Unlike that of a typed call, its answer may be
    /// corrected: each turn has its own pieces.
    pub fn stream(self) -> JsonToolLoopStream<T> {
        let wanted = Arc::clone(&self.wanted);
        let (run, note) = self.into_run();
        JsonToolLoopStream {
            stream: ToolLoopStream::new(run),
            wanted,
            note,
            value: PhantomData,
        }
    }

    /// The loop, ready to run, and the note of how its schema is sent.
    fn into_run(mut self) -> (Run, SchemaNote) {
        let note = note(&mut self.tool_loop.call);
        let (wanted, told) = (self.wanted, note.clone());
        let check: Check = Box::new(move |answer: &ChatResponse| {
            read_answer::<T>(answer, &wanted, told.form()).map(|_| ())
        });
        let run = Run {
            check: Some(check),
            repairs: self.repairs,
            ..self.tool_loop.into_run()
        };
        (run, note)
    }
}

impl<T: DeserializeOwned + 'static> IntoFuture for JsonToolLoop<T> {
    type Output = Result<JsonToolLoopAnswer<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let wanted = Arc::clone(&self.wanted);
        let (run, note) = self.into_run();
        Box::pin(async move { JsonToolLoopAnswer::read(run.run().await?, &wanted, &note) })
    }
}

/// The typed answer of a [`JsonToolLoop`], and what it took.
///
/// No example here: `ToolLoop::json` has one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JsonToolLoopAnswer<T> {
    /// The value.
    pub value: T,
    /// The answer that the value was read from, with the conversation.
    pub answer: ToolLoopAnswer,
}

impl<T: DeserializeOwned> JsonToolLoopAnswer<T> {
    fn read(answer: ToolLoopAnswer, wanted: &Wanted, note: &SchemaNote) -> Result<Self, Error> {
        let value = read_answer(&answer.response, wanted, note.form())?;
        Ok(Self { value, answer })
    }
}

/// A [`JsonToolLoop`] as a stream of its steps. Cancel-safe, like a [`ToolLoopStream`].
///
/// No example here: [`ToolLoopStream`] has one.
#[must_use = "a stream does nothing until it is polled"]
pub struct JsonToolLoopStream<T> {
    stream: ToolLoopStream,
    wanted: Arc<Wanted>,
    note: SchemaNote,
    value: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> JsonToolLoopStream<T> {
    /// The next event.
    pub async fn next(&mut self) -> Option<Result<ToolLoopEvent, Error>> {
        self.stream.next().await
    }

    /// Runs to the end and returns the typed answer.
    ///
    /// # Errors
    /// As [`ToolLoopStream::into_answer`], or
    /// [`InvalidOutput`](crate::ErrorKind::InvalidOutput) if the answer does not fit.
    pub async fn into_answer(self) -> Result<JsonToolLoopAnswer<T>, Error> {
        JsonToolLoopAnswer::read(self.stream.into_answer().await?, &self.wanted, &self.note)
    }
}

// Not derived, because `T` need not be `Clone` or `Debug`.
impl<T> Clone for JsonToolLoop<T> {
    fn clone(&self) -> Self {
        Self {
            tool_loop: self.tool_loop.clone(),
            wanted: Arc::clone(&self.wanted),
            repairs: self.repairs,
            value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for JsonToolLoop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonToolLoop")
            .field("tool_loop", &self.tool_loop)
            .field("schema", &self.wanted.name)
            .field("repairs", &self.repairs)
            .finish()
    }
}

impl<T> fmt::Debug for JsonToolLoopStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonToolLoopStream")
            .field("stream", &self.stream)
            .field("schema", &self.wanted.name)
            .finish_non_exhaustive()
    }
}
