//! The same loop in every dialect, whole and streamed. Reasoning and signatures go back as each
//! dialect demands.

use chatcore::{Message, Provider, Role, ToolCall};
use chatcore_adapters::sim::Sim;
use serde_json::{Value, json};

use super::replies::{Ask, calls, providers, text};
use super::{Log, results, tools, waits};
use crate::jobs::{Sent, client};

/// Runs a loop of one turn with two calls. Returns the requests.
fn run(provider: Provider, is_streamed: bool) -> Vec<Sent> {
    let sim = Sim::new(1);
    let asked = [waits("a", 2), waits("b", 1)];
    let (client, server) = client(
        &sim,
        provider,
        |b| b,
        move |number, sent| match number {
            0 => calls(sent, &Ask::of(&asked)),
            _ => text(sent, "Done."),
        },
    );
    let call = client.ask("Hi").max_tokens(2_000);
    let work = call.toolbox(&tools(&sim, &Log::default()));
    let answer = sim.run(async move {
        match is_streamed {
            true => work.stream().into_answer().await,
            false => work.await,
        }
    });
    let answer = answer.unwrap();
    assert_eq!((answer.text().as_ref(), answer.turns), ("Done.", 2));
    assert_eq!(answer.usage.unwrap().total_tokens(), 16);
    let texts = results(&answer.messages)
        .into_iter()
        .map(|(_, text, _)| text);
    assert_eq!(texts.collect::<Vec<_>>(), ["a is done", "b is done"]);
    server.sent()
}

/// The calls, the results and the reasoning that the second request sends back.
fn sent_back(body: &Value) -> Value {
    let items = ["messages", "input", "contents"];
    let items = items.iter().find_map(|name| body.get(name)).unwrap();
    json!(items.as_array().unwrap()[1..])
}

fn arguments(name: &str, seconds: u64) -> Value {
    json!({"name": name, "seconds": seconds})
}

/// What each dialect sends back.
fn expected(dialect: &str) -> Value {
    let [first, second] = [arguments("a", 2), arguments("b", 1)];
    let written = |value: &Value| value.to_string();
    match dialect {
        "openai_chat" => json!([
            {"role": "assistant", "content": null, "reasoning_content": "THOUGHT", "tool_calls": [
                {"id": "c0", "type": "function", "function":
                    {"name": "wait", "arguments": written(&first)}},
                {"id": "c1", "type": "function", "function":
                    {"name": "wait", "arguments": written(&second)}}]},
            {"role": "tool", "tool_call_id": "c0", "content": "a is done"},
            {"role": "tool", "tool_call_id": "c1", "content": "b is done"}]),
        "openai_responses" => json!([
            {"type": "reasoning", "id": "rs", "encrypted_content": "SIGNED",
                "summary": [{"type": "summary_text", "text": "THOUGHT"}]},
            {"type": "function_call", "id": "fc_c0", "call_id": "c0", "name": "wait",
                "arguments": written(&first), "status": "completed"},
            {"type": "function_call", "id": "fc_c1", "call_id": "c1", "name": "wait",
                "arguments": written(&second), "status": "completed"},
            {"type": "function_call_output", "call_id": "c0", "output": "a is done"},
            {"type": "function_call_output", "call_id": "c1", "output": "b is done"}]),
        "anthropic" => json!([
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "THOUGHT", "signature": "SIGNED"},
                {"type": "tool_use", "id": "c0", "name": "wait", "input": first},
                {"type": "tool_use", "id": "c1", "name": "wait", "input": second}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c0", "content": "a is done"},
                {"type": "tool_result", "tool_use_id": "c1", "content": "b is done"}]}]),
        "gemini" => json!([
            {"role": "model", "parts": [
                {"functionCall": {"name": "wait", "args": first}, "thoughtSignature": "SIGNED"},
                {"functionCall": {"name": "wait", "args": second}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "wait", "response": {"output": "a is done"}}},
                {"functionResponse": {"name": "wait", "response": {"output": "b is done"}}}]}]),
        "ollama_chat" => json!([
            {"role": "assistant", "content": "", "thinking": "THOUGHT", "tool_calls": [
                {"id": "c0", "function": {"name": "wait", "arguments": first}},
                {"id": "c1", "function": {"name": "wait", "arguments": second}}]},
            {"role": "tool", "tool_name": "wait", "tool_call_id": "c0", "content": "a is done"},
            {"role": "tool", "tool_name": "wait", "tool_call_id": "c1", "content": "b is done"}]),
        dialect => panic!("{dialect}"),
    }
}

#[test]
fn the_loop_is_the_same_in_every_dialect() {
    let mut faults = Vec::new();
    for provider in providers() {
        let name = provider.dialect().facts().name();
        for is_streamed in [false, true] {
            let sent = run(provider.clone(), is_streamed);
            assert_eq!(sent.len(), 2);
            let back = sent_back(&sent[1].body);
            if back != expected(name) {
                faults.push(format!("{name}, streamed: {is_streamed}: {back:#}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Servers read the arguments of earlier calls, and refuse the conversation if one of them was cut
/// off: llama.cpp with a server error, which is sent again in vain.
#[test]
fn arguments_that_are_no_object_are_sent_back_in_one() {
    for provider in providers() {
        let name = provider.dialect().facts().name();
        let sim = Sim::new(1);
        let (client, server) = client(&sim, provider, |b| b, |_, sent| text(sent, "Done."));
        let call = ToolCall::new("c0", "wait", r#"{"name": "#);
        let messages = [
            Message::user("Hi"),
            Message::new(Role::Assistant, [call.into()]),
            Message::tool_result("c0", "not run"),
        ];
        let call = client.ask(messages.to_vec()).max_tokens(2_000);
        sim.run(async move { call.await }).unwrap();
        let back = sent_back(&server.sent()[0].body).to_string();
        // Written as a text in some dialects.
        let back = back.replace('\\', "");
        assert!(
            back.contains(r#"{"INVALID_JSON":"{"name": "}"#),
            "{name}: {back}"
        );
    }
}
