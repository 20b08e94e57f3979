//! `chatcore chat`: one question, or a conversation on a terminal.

use std::io::{BufRead, IsTerminal, Read, Write};

use chatcore::{ChatCall, LlmClient, Message, Usage};

use crate::args::{ChatArgs, Who};
use crate::failure::{Failure, WRONG};
use crate::say::{self, BOLD, DIM};
use crate::setup;

pub(crate) async fn run(who: &Who, args: ChatArgs) -> Result<u8, Failure> {
    let config = setup::config(who)?;
    let model = config.provider.model().to_owned();
    let client = setup::client(config)?;
    let mut question = args.question.join(" ");
    if question.is_empty() || question == "-" {
        let input = std::io::stdin();
        if input.is_terminal() && question.is_empty() {
            return talk(&client, &args, &model).await;
        }
        question.clear();
        let read = input.lock().read_to_string(&mut question);
        read.map_err(|error| {
            let why = format!("the question on standard input cannot be read: {error}");
            Failure::of_file(why, &error)
        })?;
    }
    if question.trim().is_empty() {
        return Err(Failure {
            status: WRONG,
            message: "there is no question: give one as an argument or on standard input"
                .to_owned(),
        });
    }
    let call = shaped(&client, &args, vec![Message::user(question)]);
    if args.json {
        let answer = call.await?;
        let json = serde_json::to_string(&answer).map_err(std::io::Error::from)?;
        say::out(&format!("{json}\n"))?;
    } else {
        print(call).await?;
    }
    Ok(0)
}

/// The call for a conversation, with the options applied.
fn shaped(client: &LlmClient, args: &ChatArgs, mut messages: Vec<Message>) -> ChatCall {
    if let Some(prompt) = &args.system_prompt {
        messages.insert(0, Message::system(prompt.as_str()));
    }
    let mut call = client.ask(messages);
    if let Some(tokens) = args.max_tokens {
        call = call.max_tokens(tokens);
    }
    if let Some(temperature) = args.temperature {
        call = call.temperature(temperature);
    }
    call
}

/// Prints an answer as it arrives. Returns the answer and its usage.
async fn print(call: ChatCall) -> Result<(Message, Option<Usage>), Failure> {
    let mut stream = call.stream();
    while let Some(piece) = stream.next_text().await {
        match piece {
            Ok(piece) => say::out(&piece)?,
            Err(error) => {
                // End the line of the partial answer.
                say::out("\n")?;
                return Err(error.into());
            }
        }
    }
    say::out("\n")?;
    let answer = stream.into_response().await?;
    Ok((answer.message, answer.usage))
}

/// A conversation, until the input ends.
async fn talk(client: &LlmClient, args: &ChatArgs, model: &str) -> Result<u8, Failure> {
    say::note(&format!(
        "{DIM}{model}. An empty line or Ctrl-D ends, /new begins anew.{DIM:#}"
    ));
    let mut messages: Vec<Message> = Vec::new();
    loop {
        let mut prompt = anstream::stderr();
        write!(prompt, "{BOLD}>{BOLD:#} ")?;
        prompt.flush()?;
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line)?;
        match line.trim() {
            "" => {
                if read == 0 {
                    say::note("");
                }
                return Ok(0);
            }
            "/new" => {
                messages.clear();
                continue;
            }
            question => messages.push(Message::user(question)),
        }
        match print(shaped(client, args, messages.clone())).await {
            Ok((answer, usage)) => {
                messages.push(answer);
                if let Some(usage) = usage {
                    let (asked, answered) = (usage.input_tokens, usage.output_tokens);
                    say::note(&format!("{DIM}{asked} + {answered} tokens{DIM:#}"));
                }
            }
            Err(failure) => {
                // The failed question is removed, so the user can ask it again or ask another one.
                say::error(&failure.message);
                messages.pop();
            }
        }
    }
}
