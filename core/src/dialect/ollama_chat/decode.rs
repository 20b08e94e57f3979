//! Turns lines into events.

use chatcore::dialect::kit::Writer;
use chatcore::dialect::kit::{self, Assemble, Count, Object, Output, Prose};
use chatcore::{ChatEvent, Error, FinishReason, Usage};

use super::NAME;
use super::wire::{Call, Line};

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    started: bool,
    /// The number of tool calls so far.
    calls: usize,
}

impl Assemble for Answer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn event(&mut self, _: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
        let line: Object<'_, Line<'_>> = kit::parse(NAME, data)?;
        let Object { mut known, unknown } = line;
        if let Some(error) = known.error.filter(|error| kit::is_error(error)) {
            return Err(kit::reported(error, data));
        }
        if !self.started && !known.model.0.is_empty() {
            self.started = true;
            let model = Some(std::mem::take(&mut known.model.0).into_owned());
            out.push(ChatEvent::Start { id: None, model });
        }
        if let Some(message) = known.message {
            let Object { known, unknown } = message;
            out.say(Prose::Reasoning, known.thinking.0);
            out.say(Prose::Text, known.content.0);
            known.tool_calls.check("tool calls")?;
            for call in known.tool_calls.items {
                self.take_call(call, out)?;
            }
            kit::push_extra(unknown, ChatEvent::Extra, out);
        }
        kit::push_extra(unknown, ChatEvent::Extra, out);
        if known.done.take().as_deref() == Some("true") {
            push_usage(known.prompt_eval_count, known.eval_count, out);
            self.finish(known.done_reason.take_reason().unwrap_or_default(), out);
        }
        Ok(())
    }

    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
        self.event(b"", body, out)?;
        match out.is_finished() {
            true => Ok(()),
            false => Err(kit::not_understood(
                "the answer's `done` is not true",
                body.as_bytes(),
            )),
        }
    }

    fn end(&mut self, _: &mut Output) -> Result<(), Error> {
        Err(kit::truncated())
    }

    fn is_complete(&self) -> bool {
        // The line with the reason for the stop is the last one, so that nothing needs to be waited
        // for.
        false
    }
}

impl Answer {
    fn take_call(&mut self, call: Object<'_, Call<'_>>, out: &mut Output) -> Result<(), Error> {
        let Object { mut known, unknown } = call;
        let mut function = known.function.known;
        let (name, arguments) = (function.name.take(), function.arguments);
        let name = match (name, arguments) {
            (Some(name), _) => name,
            // An empty call.
            (None, None) => {
                out.skip(1);
                return Ok(());
            }
            (None, Some(_)) => return Err(kit::nameless_call()),
        };
        let index = self.calls;
        self.calls += 1;
        out.push(ChatEvent::ToolCallStart {
            index,
            // Older versions of Ollama send no id.
            id: known.id.take().unwrap_or_default(),
            name,
        });
        if let Some(arguments) = arguments {
            // Ollama sends an object, and other providers send its text as a string.
            let fragment = kit::piece_of(arguments).into_text().into_owned();
            out.push(ChatEvent::ToolCallArguments { index, fragment });
        }
        let extra = |extra| ChatEvent::ToolCallExtra {
            index,
            extra: kit::as_own(NAME, extra),
        };
        kit::push_extra(unknown, extra, out);
        Ok(())
    }

    fn finish(&self, raw: String, out: &mut Output) {
        let reason = match &*raw {
            "stop" | "" if self.calls > 0 => FinishReason::ToolCalls,
            "stop" | "" => FinishReason::Stop,
            "length" => FinishReason::Length,
            _ => FinishReason::Other(raw.clone()),
        };
        out.finish(reason, raw);
    }
}

fn push_usage(input: Count, output: Count, out: &mut Output) {
    let counts = [("prompt_eval_count", input.0), ("eval_count", output.0)];
    if counts.iter().all(|(_, count)| count.is_none()) {
        return;
    }
    let mut writer = Writer::default();
    writer.open('{');
    for (name, count) in counts {
        if let Some(count) = count {
            writer.key(name);
            writer.count(count);
        }
    }
    writer.close('}');
    let [input, output] = [input, output].map(|count| count.0.unwrap_or(0));
    let usage = Usage::new(input, output).raw_json(writer.into_text());
    out.push(ChatEvent::Usage(usage));
}
